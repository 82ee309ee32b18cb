/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/chain.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/base/buf.h"
#include "tests/unit/apart.h"

static char folder[] = "/tmp/test_chain.XXXXXX";
static char path[64];
static struct err err;
static char head[CHAIN_HEX_N];

static void
setup(void)
{
	ck_assert(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/chain", folder);
	err.text[0] = '\0';
}

static void
teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static struct chain *
open_chain(void)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct chain *c;

	ck_assert_int_ge(fd, 0);
	c = chain_open(fd, path, NULL, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	return c;
}

static void
append(struct chain *c, const char *members)
{
	ck_assert_msg(chain_append(c, bytes_of(members), head, &err) == 0 &&
		chain_sync(c, &err) == 0,
	    "%s", err.text);
}

static struct chain_report
look(const char *wanted)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct chain_report r;

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(chain_verify(fd, wanted, &r, &err) == 0, "%s", err.text);
	close(fd);
	return r;
}

static size_t
size_of_file(void)
{
	struct stat st;

	ck_assert(stat(path, &st) == 0);
	return (size_t)st.st_size;
}

/* Three lines of different lengths; the file's bytes. */
static struct buf
make_three(void)
{
	struct chain *c = open_chain();
	struct buf b;
	int fd;

	append(c, "\"event\":\"one\"");
	append(c, "\"event\":\"two\",\"n\":2");
	append(c, "\"event\":\"three\",\"text\":\"関所\"");
	chain_free(c);
	buf_init(&b, 4096);
	ck_assert(buf_reserve(&b, size_of_file()) == 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	b.n = (size_t)read(fd, b.p, size_of_file());
	close(fd);
	return b;
}

static void
write_file(struct bytes b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert(write(fd, b.p, b.n) == (ssize_t)b.n);
	close(fd);
}

static size_t
lines_in(struct bytes b)
{
	size_t n = 0;

	for (size_t i = 0; i < b.n; i++)
		n += b.p[i] == '\n';
	return n;
}

START_TEST(chain_lines_name_the_one_before)
{
	struct buf b = make_three();
	struct chain_report r = look(NULL);
	struct bytes rest = buf_bytes(&b);
	struct bytes first = bytes_take_until(&rest, '\n');

	ck_assert_int_eq(r.verdict, CHAIN_HOLDS);
	ck_assert_uint_eq(r.lines, 3);
	ck_assert_uint_eq(r.torn, 0);
	ck_assert_str_eq(r.head, head);
	ck_assert(bytes_start_with(first,
	    BYTES("{\"prev\":\"000000000000000000000000000000000000000000000000"
		  "0000000000000000\",\"event\":\"one\"}")));
	ck_assert_uint_eq(look(head).head_line, 3);
	buf_release(&b);
}
END_TEST

START_TEST(chain_empty_file_holds)
{
	chain_free(open_chain());
	ck_assert_int_eq(look(NULL).verdict, CHAIN_HOLDS);
	ck_assert_uint_eq(look(NULL).lines, 0);
	ck_assert_int_eq(look(head).verdict, CHAIN_HEADLESS);
}
END_TEST

START_TEST(chain_goes_on_from_another_file)
{
	struct chain *c = open_chain();
	char first[CHAIN_HEX_N];
	int fd;

	append(c, "\"event\":\"one\"");
	chain_free(c);
	memcpy(first, head, sizeof(first));
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	c = chain_open(fd, path, first, &err);
	ck_assert(c != NULL);
	append(c, "\"event\":\"continues\"");
	chain_free(c);
	ck_assert_str_eq(look(NULL).first, first);
}
END_TEST

/* Wherever a power cut tears it: the loss is marked, and all goes on. */
START_TEST(chain_marks_what_is_torn_at_every_byte)
{
	struct buf b = make_three();

	for (size_t n = 0; n <= b.n; n++) {
		struct bytes kept = { b.p, n };
		bool torn = n > 0 && b.p[n - 1] != '\n';
		struct chain_report r;
		struct chain *c;

		write_file(kept);
		ck_assert_int_eq(
		    look(NULL).verdict, torn ? CHAIN_TORN : CHAIN_HOLDS);
		c = open_chain();
		r = look(NULL);
		ck_assert_int_eq(r.verdict, CHAIN_HOLDS);
		ck_assert_uint_eq(r.torn, torn);
		ck_assert_uint_eq(r.lines, lines_in(kept) + 2 * torn);
		append(c, "\"event\":\"more\"");
		chain_free(c);
		r = look(head);
		ck_assert_int_eq(r.verdict, CHAIN_HOLDS);
		ck_assert_uint_eq(r.lines, lines_in(kept) + 2 * torn + 1);
		ck_assert_uint_eq(r.head_line, r.lines);
		/* Nothing that was there is gone. */
		ck_assert_uint_gt(size_of_file(), n);
	}
	buf_release(&b);
}
END_TEST

/* Which line a byte is in, from 1. */
static uint64_t
line_at(struct bytes b, size_t at)
{
	return lines_in((struct bytes){ b.p, at }) + 1;
}

START_TEST(chain_shows_every_changed_byte)
{
	static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };
	struct buf b = make_three();

	for (size_t i = 0; i < b.n; i++)
		for (size_t k = 0; k < COUNT(flips); k++) {
			uint64_t line = line_at(buf_bytes(&b), i);
			struct chain_report r;

			b.p[i] ^= flips[k];
			write_file(buf_bytes(&b));
			r = look(head);
			b.p[i] ^= flips[k];
			ck_assert_msg(r.verdict != CHAIN_HOLDS, "byte %zu", i);
			/* The last line's change shows by its head alone; it
			 * begins earlier when the end before it is none. */
			ck_assert_msg(r.verdict == CHAIN_HEADLESS
				? line == 3 || b.p[i] == '\n'
				: r.line == line || r.line == line + 1,
			    "byte %zu in line %u: line %u is told", i,
			    (unsigned)line, (unsigned)r.line);
		}
	buf_release(&b);
}
END_TEST

START_TEST(chain_shows_lines_that_are_gone_or_moved)
{
	static const struct {
		const char *name;
		unsigned order[4];
		size_t n;
		enum chain_verdict want;
		uint64_t line;
	} cases[] = {
		{ "as it was", { 0, 1, 2 }, 3, CHAIN_HOLDS, 0 },
		{ "one taken out", { 0, 2 }, 2, CHAIN_BROKEN, 2 },
		{ "two changed places", { 0, 2, 1 }, 3, CHAIN_BROKEN, 2 },
		{ "one twice", { 0, 1, 1, 2 }, 4, CHAIN_BROKEN, 3 },
		{ "cut at the end", { 0, 1 }, 2, CHAIN_HEADLESS, 0 },
		{ "cut at the start", { 1, 2 }, 2, CHAIN_HOLDS, 0 },
		{ "all but the last", { 2 }, 1, CHAIN_HOLDS, 0 },
	};
	struct buf b = make_three();
	struct bytes rest = buf_bytes(&b);
	struct bytes lines[3];

	for (size_t i = 0; i < COUNT(lines); i++) {
		lines[i] = bytes_take_until(&rest, '\n');
		lines[i].n++;
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct chain_report r;
		struct buf out;

		buf_init(&out, 4096);
		for (size_t k = 0; k < cases[i].n; k++)
			ck_assert(
			    buf_append(&out, lines[cases[i].order[k]]) == 0);
		write_file(buf_bytes(&out));
		r = look(head);
		ck_assert_msg(
		    r.verdict == cases[i].want && r.line == cases[i].line,
		    "%s: %d, line %u", cases[i].name, r.verdict,
		    (unsigned)r.line);
		/* Where the start is missing, that does not begin with
		 * zeros. */
		ck_assert((r.first[0] == '0' && r.first[20] == '0') ==
		    (cases[i].order[0] == 0));
		buf_release(&out);
	}
	buf_release(&b);
}
END_TEST

/* A piece that is marked cannot hide that lines before it are gone, nor be
 * changed; one in the middle that is not marked is none of ours. */
START_TEST(chain_goes_on_over_a_piece)
{
	struct buf b = make_three();
	struct bytes rest = buf_bytes(&b);
	struct bytes one = bytes_take_until(&rest, '\n');
	struct bytes pieces[2] = { BYTES("{\"prev\":\"to"), BYTES("\n{\"pre") };
	struct chain *c;
	struct buf out;

	for (size_t twice = 0; twice < 2; twice++) {
		buf_init(&out, 8192);
		ck_assert(buf_append(&out, buf_bytes(&b)) == 0 &&
		    buf_append(&out, pieces[0]) == 0 &&
		    (twice == 0 || buf_append(&out, pieces[1]) == 0));
		write_file(buf_bytes(&out));
		ck_assert_int_eq(look(NULL).verdict, CHAIN_TORN);
		c = open_chain();
		append(c, "\"event\":\"four\"");
		chain_free(c);
		ck_assert_int_eq(look(head).verdict, CHAIN_HOLDS);
		ck_assert_uint_eq(look(head).torn, 1);
		buf_release(&out);
	}
	/* The same without the second line of the three. */
	buf_init(&out, 8192);
	ck_assert(buf_reserve(&out, size_of_file()) == 0);
	{
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		out.n = (size_t)read(fd, out.p, size_of_file());
		close(fd);
	}
	rest = buf_bytes(&out);
	bytes_take(&rest, one.n + 1);
	write_file(rest);
	ck_assert_int_eq(look(NULL).verdict, CHAIN_HOLDS);
	bytes_take_until(&rest, '\n');
	bytes_take_until(&rest, '\n');
	{
		struct buf cut;

		buf_init(&cut, 8192);
		ck_assert(buf_append(&cut, one) == 0 &&
		    buf_append(&cut, BYTES("\n")) == 0 &&
		    buf_append(&cut, rest) == 0);
		write_file(buf_bytes(&cut));
		ck_assert_int_eq(look(NULL).verdict, CHAIN_MALFORMED);
		ck_assert_uint_eq(look(NULL).line, 2);
		buf_release(&cut);
	}
	buf_release(&out);
	buf_release(&b);
}
END_TEST

START_TEST(chain_shows_a_piece_that_nothing_marks)
{
	struct buf b = make_three();
	struct bytes rest = buf_bytes(&b);
	struct bytes one = bytes_take_until(&rest, '\n');
	struct chain_report r;
	struct buf out;

	buf_init(&out, 8192);
	ck_assert(buf_append(&out, one) == 0 &&
	    buf_append(&out, BYTES("\nsomebody was here\n")) == 0 &&
	    buf_append(&out, rest) == 0);
	write_file(buf_bytes(&out));
	r = look(NULL);
	ck_assert_int_eq(r.verdict, CHAIN_MALFORMED);
	ck_assert_uint_eq(r.line, 2);
	ck_assert_uint_eq(r.offset, one.n + 1);
	write_file(BYTES("somebody was here\n"));
	ck_assert_int_eq(look(NULL).verdict, CHAIN_TORN);
	ck_assert_uint_eq(look(NULL).line, 1);
	buf_release(&out);
	buf_release(&b);
}
END_TEST

START_TEST(chain_line_has_a_limit)
{
	const size_t around = sizeof("{\"prev\":\"\",}\n") - 1 + 64;
	struct chain *c = open_chain();
	struct buf b;

	buf_init(&b, CHAIN_LINE_MAX);
	ck_assert(buf_printf(&b, "\"x\":\"") == 0);
	while (b.n < CHAIN_LINE_MAX - around - 1)
		ck_assert(buf_append(&b, BYTES("x")) == 0);
	ck_assert(buf_append(&b, BYTES("\"")) == 0);
	ck_assert(chain_append(c, buf_bytes(&b), head, &err) == 0);
	ck_assert_uint_eq(size_of_file(), CHAIN_LINE_MAX);
	ck_assert(buf_append(&b, BYTES("x")) == 0);
	ck_assert(chain_append(c, buf_bytes(&b), head, &err) < 0);
	ck_assert(strstr(err.text, "too long") != NULL);
	ck_assert_uint_eq(size_of_file(), CHAIN_LINE_MAX);
	/* A torn one of that length goes with the one before it. */
	append(c, "\"event\":\"two\"");
	chain_free(c);
	ck_assert_int_eq(look(head).verdict, CHAIN_HOLDS);
	ck_assert(truncate(path, CHAIN_LINE_MAX - 1) == 0);
	c = open_chain();
	chain_free(c);
	ck_assert_int_eq(look(NULL).verdict, CHAIN_HOLDS);
	ck_assert_uint_eq(look(NULL).torn, 1);
	buf_release(&b);
}
END_TEST

/* What is no chain's end is nothing to go on from. */
START_TEST(chain_refuses_the_end_of_another_file)
{
	struct chain *c;
	struct buf b;
	int fd;

	buf_init(&b, 4 * CHAIN_LINE_MAX);
	while (b.n < 3 * CHAIN_LINE_MAX)
		ck_assert(buf_append(&b, BYTES("0123456789abcde ")) == 0);
	for (int i = 0; i < 2; i++) {
		write_file(buf_bytes(&b));
		fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
		ck_assert(chain_open(fd, path, NULL, &err) == NULL);
		ck_assert(strstr(err.text, "none of ours") != NULL);
		ck_assert_uint_eq(size_of_file(), b.n);
		b.p[b.n - 1] = '\n';
	}
	ck_assert_int_eq(look(NULL).verdict, CHAIN_MALFORMED);
	unlink(path);
	c = open_chain();
	append(c, "\"event\":\"one\"");
	write_file(buf_bytes(&b));
	for (int i = 0; i < 2; i++) {
		ck_assert(chain_append(
			      c, BYTES("\"event\":\"two\""), head, &err) < 0);
		ck_assert_uint_eq(size_of_file(), b.n);
	}
	chain_free(c);
	buf_release(&b);
}
END_TEST

START_TEST(chain_refuses_a_file_that_was_cut)
{
	struct chain *c = open_chain();

	append(c, "\"event\":\"one\"");
	ck_assert(truncate(path, 10) == 0);
	ck_assert(chain_append(c, BYTES("\"event\":\"two\""), head, &err) < 0);
	ck_assert(strstr(err.text, "shorter than it was") != NULL);
	ck_assert_uint_eq(size_of_file(), 10);
	chain_free(c);
}
END_TEST

/* A disk that is full, as far as this process is concerned. */
START_TEST(chain_leaves_nothing_when_there_is_no_room)
{
	struct chain *c = open_chain();
	struct rlimit least, was;
	size_t size;

	append(c, "\"event\":\"one\"");
	size = size_of_file();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert(getrlimit(RLIMIT_FSIZE, &was) == 0);
	least = (struct rlimit){ size + 20, was.rlim_max };
	ck_assert(setrlimit(RLIMIT_FSIZE, &least) == 0);
	ck_assert(chain_append(c, BYTES("\"event\":\"two\""), head, &err) < 0);
	ck_assert_uint_eq(size_of_file(), size);
	ck_assert(setrlimit(RLIMIT_FSIZE, &was) == 0);
	append(c, "\"event\":\"three\"");
	chain_free(c);
	ck_assert_uint_eq(look(head).lines, 2);
	ck_assert_int_eq(look(head).verdict, CHAIN_HOLDS);
}
END_TEST

START_TEST(chain_waits_for_a_writer_and_not_for_ever)
{
	struct chain *c = open_chain();
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ck_assert(fcntl(fd, F_OFD_SETLK, &whole) == 0);
	ck_assert(chain_append(c, BYTES("\"event\":\"one\""), head, &err) < 0);
	ck_assert(strstr(err.text, "too long") != NULL);
	close(fd);
	append(c, "\"event\":\"one\"");
	chain_free(c);
}
END_TEST

static void
write_many(char name, int n)
{
	struct chain *c = open_chain();
	char members[64];

	for (int i = 0; i < n; i++) {
		snprintf(members, sizeof(members),
		    "\"by\":\"%c\",\"n\":%d,\"text\":\"%.*s\"", name, i, i % 23,
		    "xxxxxxxxxxxxxxxxxxxxxxx");
		if (chain_append(c, bytes_of(members), head, &err) < 0)
			_exit(1);
	}
	_exit(0);
}

START_TEST(chain_of_several_processes_is_one)
{
	const int each = 300;

	chain_free(open_chain());
	for (char name = 'a'; name < 'd'; name++)
		if (fork_apart() == 0)
			write_many(name, each);
	for (int i = 0; i < 3; i++) {
		int status;

		ck_assert(wait(&status) > 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(look(NULL).lines, 3 * each);
	ck_assert_int_eq(look(NULL).verdict, CHAIN_HOLDS);
}
END_TEST

/* Killed anywhere, beside one that goes on. */
START_TEST(chain_survives_kills)
{
	struct chain *c = open_chain();
	uint64_t before = 0;

	for (int i = 0; i < 30; i++) {
		pid_t pid = fork_apart();
		struct chain_report r;

		if (pid == 0)
			write_many('k', 1000000);
		usleep((useconds_t)(500 + 313 * i));
		append(c, "\"by\":\"parent\"");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		append(c, "\"by\":\"parent, again\"");
		r = look(head);
		ck_assert_int_eq(r.verdict, CHAIN_HOLDS);
		ck_assert_uint_eq(r.head_line, r.lines);
		ck_assert_uint_ge(r.lines, before + 2);
		before = r.lines;
	}
	chain_free(c);
}
END_TEST

Suite *chain_suite(void);

Suite *
chain_suite(void)
{
	Suite *s = suite_create("chain");
	TCase *t = tcase_create("chain");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, chain_lines_name_the_one_before);
	tcase_add_test(t, chain_empty_file_holds);
	tcase_add_test(t, chain_goes_on_from_another_file);
	tcase_add_test(t, chain_marks_what_is_torn_at_every_byte);
	tcase_add_test(t, chain_shows_every_changed_byte);
	tcase_add_test(t, chain_shows_lines_that_are_gone_or_moved);
	tcase_add_test(t, chain_goes_on_over_a_piece);
	tcase_add_test(t, chain_shows_a_piece_that_nothing_marks);
	tcase_add_test(t, chain_line_has_a_limit);
	tcase_add_test(t, chain_refuses_the_end_of_another_file);
	tcase_add_test(t, chain_refuses_a_file_that_was_cut);
	tcase_add_test(t, chain_leaves_nothing_when_there_is_no_room);
	tcase_add_test(t, chain_waits_for_a_writer_and_not_for_ever);
	tcase_add_test(t, chain_of_several_processes_is_one);
	tcase_add_test(t, chain_survives_kills);
	suite_add_tcase(s, t);
	return s;
}
