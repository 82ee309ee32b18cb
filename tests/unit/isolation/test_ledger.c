/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/ledger.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/file.h"

#define AT_MS UINT64_C(1795489200123)

static char folder[64], path[96];
static char head[LEDGER_HEAD_N]; /* that must be there */
static struct {
	size_t n;
	enum ledger_kind kinds[16];
	uint64_t at_ms[16], incidents[16];
	char systems[16][64], why[16][64];
	uint8_t first_of_digest[16];
} seen;

static void
see(void *owner, const struct ledger_record *r)
{
	(void)owner;
	ck_assert_uint_lt(seen.n, COUNT(seen.kinds));
	seen.kinds[seen.n] = r->kind;
	seen.at_ms[seen.n] = r->at_ms;
	seen.incidents[seen.n] = r->incident;
	seen.first_of_digest[seen.n] = r->digest[0];
	snprintf(seen.systems[seen.n], 64, "%s", r->system);
	snprintf(seen.why[seen.n], 64, "%s", r->why);
	seen.n++;
}

static enum ledger_state
open_it(struct ledger **l)
{
	struct err e = { 0 };

	seen.n = 0;
	return ledger_open(path, head, see, NULL, l, &e);
}

static void
setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sekisho-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/register", folder);
	head[0] = '\0';
}

static void
teardown(void)
{
	char name[128];

	unlink(path);
	snprintf(name, sizeof(name), "%s.clock", path);
	unlink(name);
	rmdir(folder);
}

static void
write_three(void)
{
	const struct ledger_record records[] = {
		{ .kind = LEDGER_INCIDENT,
		    .at_ms = AT_MS,
		    .incident = 7,
		    .system = "juki" },
		{ .kind = LEDGER_SUSPENDED,
		    .at_ms = AT_MS,
		    .incident = 7,
		    .digest = { 0xab },
		    .system = "juki",
		    .why = "試み\n" },
		{ .kind = LEDGER_RESTORED,
		    .at_ms = AT_MS + 5,
		    .digest = { 0xcd },
		    .system = "\xff",
		    .by = "uid:1" },
	};
	struct ledger *l;
	struct err e = { 0 };

	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_uint_eq(seen.n, 0);
	ck_assert_int_eq(ledger_append(l, records, 2, &e), 0);
	ck_assert_int_eq(ledger_append(l, records + 2, 1, &e), 0);
	ledger_close(l);
}

static struct bytes
read_it(struct arena *a)
{
	struct err e = { 0 };
	struct buf all;
	struct bytes copy;

	buf_init(&all, 1 << 20);
	ck_assert_int_eq(file_read(path, &all, &e), 0);
	copy = arena_copy(a, buf_bytes(&all));
	buf_release(&all);
	return copy;
}

static void
write_it(struct bytes b)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write(fd, b), 0);
	close(fd);
}

START_TEST(ledger_gives_back_what_was_written)
{
	struct ledger *l;
	struct stat st;

	write_three();
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_uint_eq(seen.n, 3);
	ck_assert_int_eq(seen.kinds[0], LEDGER_INCIDENT);
	ck_assert_int_eq(seen.kinds[1], LEDGER_SUSPENDED);
	ck_assert_uint_eq(seen.at_ms[1], AT_MS);
	ck_assert_uint_eq(seen.incidents[1], 7);
	ck_assert_uint_eq(seen.first_of_digest[1], 0xab);
	ck_assert_str_eq(seen.systems[1], "juki");
	ck_assert_str_eq(seen.why[1], "試み\n");
	ck_assert_int_eq(seen.kinds[2], LEDGER_RESTORED);
	ck_assert_str_eq(seen.systems[2], "?");
	ledger_close(l);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* Every byte, whichever way it is wrong, and whole lines. */
START_TEST(ledger_sees_what_was_changed)
{
	struct arena a = { 0 };
	struct bytes all, rest, first, wrong;
	struct ledger *l;
	uint8_t *p;

	write_three();
	all = read_it(&a);
	wrong = arena_copy(&a, all);
	p = (uint8_t *)(uintptr_t)wrong.p;
	for (size_t i = 0; i + 1 < all.n; i++) {
		p[i] ^= 1;
		write_it(wrong);
		ck_assert_msg(open_it(&l) == LEDGER_WRONG, "byte %zu", i);
		ck_assert_ptr_null(l);
		p[i] ^= 1;
	}
	rest = all;
	first = bytes_take_until(&rest, '\n');
	write_it(rest);
	ck_assert_int_eq(open_it(&l), LEDGER_WRONG);
	(void)first;
	arena_release(&a);
}
END_TEST

/* A write that did not end; behind it the next is as if it had never been. */
START_TEST(ledger_is_cut_where_a_write_did_not_end)
{
	const struct ledger_record r = { .kind = LEDGER_QUIET, .incident = 9 };
	struct arena a = { 0 };
	struct bytes all;
	struct ledger *l;
	struct err e = { 0 };
	size_t whole = 0;

	write_three();
	all = read_it(&a);
	for (size_t n = 0; n <= all.n; n++) {
		bool ends = n == 0 || all.p[n - 1] == '\n';

		write_it((struct bytes){ all.p, n });
		ck_assert_int_eq(open_it(&l), ends ? LEDGER_WHOLE : LEDGER_CUT);
		whole += ends && n > 0;
		ck_assert_uint_eq(seen.n, whole);
		ck_assert_int_eq(ledger_append(l, &r, 1, &e), 0);
		ledger_close(l);
		ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
		ck_assert_uint_eq(seen.n, whole + 1);
		ck_assert_int_eq(seen.kinds[whole], LEDGER_QUIET);
		ledger_close(l);
	}
	arena_release(&a);
}
END_TEST

START_TEST(ledger_has_one_owner)
{
	struct ledger *l, *other;

	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_int_eq(open_it(&other), LEDGER_BROKEN);
	ck_assert_ptr_null(other);
	ledger_close(l);
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ledger_close(l);
}
END_TEST

START_TEST(ledger_is_a_file)
{
	struct ledger *l;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_BROKEN);
	unlink(path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_BROKEN);
}
END_TEST

START_TEST(ledger_takes_no_line_too_long)
{
	char why[LEDGER_LINE_MAX + 1];
	const struct ledger_record r = { .kind = LEDGER_SUSPENDED, .why = why };
	struct ledger *l;
	struct err e = { 0 };

	memset(why, 'x', LEDGER_LINE_MAX);
	why[LEDGER_LINE_MAX] = '\0';
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_int_lt(ledger_append(l, &r, 1, &e), 0);
	why[LEDGER_LINE_MAX - 300] = '\0';
	ck_assert_int_eq(ledger_append(l, &r, 1, &e), 0);
	ledger_close(l);
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_uint_eq(seen.n, 1);
	ledger_close(l);
}
END_TEST

START_TEST(ledger_puts_aside)
{
	char aside[160];
	struct ledger *l;
	struct err e = { 0 };

	write_three();
	ck_assert_int_eq(ledger_put_aside(path, aside, sizeof(aside), &e), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_uint_eq(seen.n, 0);
	ledger_close(l);
	ck_assert_int_eq(unlink(aside), 0);
}
END_TEST

static void
cut_last_line(void)
{
	struct buf all;
	struct err e = { 0 };

	buf_init(&all, 1 << 16);
	ck_assert_int_eq(file_read(path, &all, &e), 0);
	do
		all.n--;
	while (all.p[all.n - 1] != '\n');
	ck_assert_int_eq(truncate(path, (off_t)all.n), 0);
	buf_release(&all);
}

START_TEST(ledger_keeps_the_clock)
{
	char other[LEDGER_HEAD_N];
	struct ledger *l;
	struct err e = { 0 };

	write_three();
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_uint_eq(ledger_clock_read(path, other), 0);
	ck_assert_str_eq(other, "");
	ck_assert_int_eq(
	    ledger_clock_write(path, AT_MS, ledger_head(l), &e), 0);
	ck_assert_uint_eq(ledger_clock_read(path, other), AT_MS);
	ck_assert_str_eq(other, ledger_head(l));
	ck_assert_int_eq(ledger_clock_write(path, 5, "", &e), 0);
	ck_assert_uint_eq(ledger_clock_read(path, other), 5);
	ck_assert_str_eq(other, "");
	ledger_close(l);
}
END_TEST

START_TEST(ledger_misses_what_is_gone)
{
	struct ledger *l;
	struct err e = { 0 };
	struct stat st;

	/* Nothing was there yet. */
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	snprintf(head, sizeof(head), "%s", ledger_head(l));
	ledger_close(l);
	write_three();
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ck_assert_int_eq(stat(path, &st), 0);
	/* And lines behind it. */
	snprintf(head, sizeof(head), "%s", ledger_head(l));
	ck_assert_int_eq(
	    ledger_append(l,
		&(struct ledger_record){ .kind = LEDGER_QUIET, .at_ms = AT_MS },
		1, &e),
	    0);
	ledger_close(l);
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ledger_close(l);
	ck_assert_int_eq(truncate(path, st.st_size), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_WHOLE);
	ledger_close(l);
	cut_last_line();
	ck_assert_int_eq(open_it(&l), LEDGER_WRONG);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_WRONG);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(open_it(&l), LEDGER_WRONG);
}
END_TEST

static struct ledger_probe probes[8];
static size_t probes_n;

static void
see_probe(void *owner, const struct ledger_probe *p)
{
	(void)owner;
	ck_assert_uint_lt(probes_n, COUNT(probes));
	probes[probes_n++] = *p;
}

START_TEST(ledger_keeps_the_last_good_probes)
{
	const struct ledger_probe two[2] = { { { 1, 0xfe }, AT_MS },
		{ { 2 }, 0 } };
	struct err e = { 0 };
	char name[128];
	int fd;

	probes_n = 0;
	ledger_probes_read(path, see_probe, NULL);
	ck_assert_uint_eq(probes_n, 0);
	ck_assert_int_eq(ledger_probes_write(path, two, 2, &e), 0);
	ledger_probes_read(path, see_probe, NULL);
	ck_assert_uint_eq(probes_n, 2);
	ck_assert(memcmp(probes, two, sizeof(two)) == 0);
	/* a line that is cut or something else ends it */
	snprintf(name, sizeof(name), "%s.probes", path);
	fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(file_write(fd, BYTES("0102 5\n")), 0);
	close(fd);
	probes_n = 0;
	ledger_probes_read(path, see_probe, NULL);
	ck_assert_uint_eq(probes_n, 2);
	ck_assert_int_eq(ledger_probes_write(path, two, 0, &e), 0);
	probes_n = 0;
	ledger_probes_read(path, see_probe, NULL);
	ck_assert_uint_eq(probes_n, 0);
	unlink(name);
}
END_TEST

Suite *ledger_suite(void);

Suite *
ledger_suite(void)
{
	Suite *s = suite_create("ledger");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, ledger_gives_back_what_was_written);
	tcase_add_test(t, ledger_sees_what_was_changed);
	tcase_add_test(t, ledger_is_cut_where_a_write_did_not_end);
	tcase_add_test(t, ledger_has_one_owner);
	tcase_add_test(t, ledger_is_a_file);
	tcase_add_test(t, ledger_takes_no_line_too_long);
	tcase_add_test(t, ledger_puts_aside);
	tcase_add_test(t, ledger_keeps_the_clock);
	tcase_add_test(t, ledger_misses_what_is_gone);
	tcase_add_test(t, ledger_keeps_the_last_good_probes);
	suite_add_tcase(s, t);
	return s;
}
