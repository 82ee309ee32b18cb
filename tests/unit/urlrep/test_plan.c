/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/plan.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "filters/urlrep/generation.h"

#define NOW 1764000000

Suite *plan_suite(void);

static char folder[64];

static void
make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sekisho-plan-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
remove_folder(void)
{
	static const char *const names[] = { "sources.conf", "one", "two", "db",
		"db.1", "db.2", "db.3", "db.bad", "top" };
	char path[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static const char *
in_folder(const char *name)
{
	static char path[4][256];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void write_text(const char *name, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
write_text(const char *name, const char *format, ...)
{
	FILE *f = fopen(in_folder(name), "w");
	va_list arguments;

	ck_assert_ptr_nonnull(f);
	va_start(arguments, format);
	vfprintf(f, format, arguments);
	va_end(arguments);
	fclose(f);
}

#define SOURCES                                                     \
	"protected_names = [ \"top.test\" ];\n"                     \
	"sources = (\n"                                             \
	"  { name = \"one\"; kind = \"domains\"; file = \"one\";\n" \
	"    category = \"a\"; confidence = 70; },\n"               \
	"  { name = \"two\"; kind = \"urls\"; file = \"two\";\n"    \
	"    category = \"b\"; } );\n"

struct run {
	struct plan plan;
	struct plan_result result;
	struct buf out, report;
	struct err e;
	int status;
};

static void
run(struct run *r, const struct urlrep *before, const char *accepted)
{
	struct plan_order order = { before, &accepted, accepted != NULL, NOW,
		1 };

	*r = (struct run){ .status = -1 };
	plan_init(&r->plan);
	buf_init(&r->out, (size_t)1 << 28);
	buf_init(&r->report, 1 << 20);
	if (plan_read(&r->plan, in_folder("sources.conf"), &r->e) == 0)
		r->status = plan_compile(
		    &r->plan, &order, &r->out, &r->report, &r->result, &r->e);
}

static void
end(struct run *r)
{
	plan_release(&r->plan);
	buf_release(&r->out);
	buf_release(&r->report);
}

static struct urlrep *
open_made(struct run *r)
{
	struct urlrep *lists;
	int fd = urlrep_seal_bytes(buf_bytes(&r->out), "made", &r->e);

	ck_assert_msg(fd >= 0, "%s", r->e.text);
	lists = urlrep_map(fd, &r->e);
	ck_assert_ptr_nonnull(lists);
	close(fd);
	return lists;
}

static void
take(const struct urlrep_match *m, void *context)
{
	*(struct urlrep_match *)context = *m;
}

/* "source:line" of the one entry that covers it; "" for none. */
static const char *
who(const struct urlrep *r, const char *url)
{
	static char out[512];
	static struct canon c;
	struct urlrep_query q = { &c, NOW, false };
	struct urlrep_match m;
	const char *why;
	int n;

	ck_assert_int_eq(canon_parse(&c, bytes_of(url), &why), 0);
	n = urlrep_find(r, &q, take, &m);
	ck_assert_int_ge(n, 0);
	if (n == 0)
		return "";
	snprintf(out, sizeof(out), "%s:%u %s %u", m.source, m.line, m.category,
	    m.confidence);
	return out;
}

static bool
reports(const struct run *r, const char *words)
{
	return memmem(r->report.p, r->report.n, words, strlen(words)) != NULL;
}

START_TEST(plan_makes_a_file_of_its_sources)
{
	struct run r;
	struct urlrep *lists;

	write_text("sources.conf", SOURCES);
	write_text("one", "x.test\na.test\ntop.test\nb.lg.jp\nbad name\n");
	write_text("two", "c.test/d\n");
	run(&r, NULL, NULL);
	ck_assert_msg(r.status == 0, "%s", r.e.text);
	ck_assert_uint_eq(r.result.counts.entries, 3);
	ck_assert(reports(&r, "one:3: not taken: top.test is a protected"));
	ck_assert(reports(&r, "one:4: not taken: b.lg.jp is in a protected"));
	ck_assert(reports(&r, "one:5: left out: host with a forbidden byte"));
	ck_assert(reports(&r, "one: 2 entries, 1 left out, 0 passed over, 2"));
	lists = open_made(&r);
	ck_assert_str_eq(who(lists, "http://a.test/"), "one:2 a 70");
	ck_assert_str_eq(who(lists, "http://c.test/d"), "two:1 b 80");
	ck_assert_str_eq(who(lists, "http://b.lg.jp/"), "");
	urlrep_drop(lists);
	end(&r);
}
END_TEST

START_TEST(plan_holds_back_what_cannot_be_read)
{
	struct run first, second;
	struct urlrep *before, *lists;

	write_text("sources.conf", SOURCES);
	write_text("one", "x.test\na.test\n");
	write_text("two", "c.test/d\n");
	run(&first, NULL, NULL);
	before = open_made(&first);
	write_text("one", "x.test\nhalf writ");
	write_text("two", "e.test/d\n");
	run(&second, NULL, NULL);
	ck_assert_int_eq(second.status, -1);
	ck_assert_ptr_nonnull(strstr(second.e.text, "not complete"));
	end(&second);
	run(&second, before, NULL);
	ck_assert_msg(second.status == 0, "%s", second.e.text);
	ck_assert_uint_eq(second.result.held, 1);
	ck_assert(reports(&second, "one: held back: "));
	lists = open_made(&second);
	ck_assert_str_eq(who(lists, "http://a.test/"), "one:2 a 70");
	ck_assert_str_eq(who(lists, "http://half/"), "");
	ck_assert_str_eq(who(lists, "http://c.test/d"), "");
	ck_assert_str_eq(who(lists, "http://e.test/d"), "two:1 b 80");
	urlrep_drop(lists);
	end(&second);
	/* What is protected by now is not carried on. */
	write_text(
	    "sources.conf", "protected_zones = [ \"a.test\" ];\n" SOURCES);
	run(&second, before, NULL);
	lists = open_made(&second);
	ck_assert_str_eq(who(lists, "http://a.test/"), "");
	ck_assert_str_eq(who(lists, "http://x.test/"), "one:1 a 70");
	urlrep_drop(lists);
	end(&second);
	urlrep_drop(before);
	end(&first);
}
END_TEST

static void
write_names(unsigned n)
{
	FILE *f = fopen(in_folder("one"), "w");

	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "n%u.test\n", i);
	fclose(f);
}

START_TEST(plan_holds_back_what_shrank)
{
	static const struct {
		unsigned n;
		const char *accepted;
		size_t held;
	} cases[] = { { 67, NULL, 0 }, { 66, NULL, 1 }, { 66, "one", 0 },
		{ 66, "two", 1 }, { 0, NULL, 1 }, { 200, NULL, 0 } };
	struct run first;
	struct urlrep *before;

	write_text("sources.conf", SOURCES);
	write_text("two", "c.test/d\n");
	write_names(100);
	run(&first, NULL, NULL);
	before = open_made(&first);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct run r;

		write_names(cases[i].n);
		run(&r, before, cases[i].accepted);
		ck_assert_msg(r.status == 0, "%s", r.e.text);
		ck_assert_msg(r.result.held == cases[i].held, "%u: %zu",
		    cases[i].n, r.result.held);
		ck_assert_uint_eq(r.result.counts.entries,
		    1 + (cases[i].held ? 100 : cases[i].n));
		end(&r);
	}
	urlrep_drop(before);
	end(&first);
}
END_TEST

static const struct {
	const char *conf, *words;
} bad[] = {
	{ "sources = ( { name = \"a\"; } );", "kind" },
	{ "sources = ( { name = \"a\"; kind = \"x\"; file = \"f\";"
	  " category = \"c\"; } );",
	    "expected domains, urls" },
	{ "sources = ( 1 );", "sources.conf:1" },
	{ "sourcse = ( );", "unknown key" },
	{ "generations = 3;", "there are no sources" },
	{ "protected_names = [ \"a b\" ]; sources = ( );", "is no name" },
	{ "sources = ( );", "there are no sources" },
	{ "sources = ( { name = \"a\"; kind = \"urls\"; file = \"f\";"
	  " category = \"c\"; }, { name = \"a\"; kind = \"urls\";"
	  " file = \"g\"; category = \"c\"; } );",
	    "is there twice" },
	{ "protected_files = [ \"top\" ]; sources = ( );", "top" },
	{ "sources = ( { name = \"a\"; kind = \"urls\"; file = \"nofile\";"
	  " category = \"c\"; } );",
	    "nofile" },
};

START_TEST(plan_tells_what_is_wrong)
{
	struct run r;

	write_text("sources.conf", "%s\n", bad[_i].conf);
	run(&r, NULL, NULL);
	ck_assert_int_eq(r.status, -1);
	ck_assert_msg(strstr(r.e.text, bad[_i].words) != NULL, "%s: %s",
	    bad[_i].conf, r.e.text);
	end(&r);
}
END_TEST

START_TEST(plan_takes_words_for_a_source)
{
	struct plan p;
	struct err e = { 0 };

	plan_init(&p);
	ck_assert_int_eq(plan_add(&p, "domains:a:/x:y", &e), 0);
	ck_assert_str_eq(p.sources[0].file, "/x:y");
	ck_assert_str_eq(p.sources[0].category, "a");
	ck_assert_int_eq(plan_add(&p, "domains:a:/x:y", &e), -1);
	ck_assert_int_eq(plan_add(&p, "nothing:a:x", &e), -1);
	ck_assert_int_eq(plan_add(&p, "domains::x", &e), -1);
	ck_assert_int_eq(plan_add(&p, "domains:a", &e), -1);
	plan_release(&p);
}
END_TEST

static void
write_generation(const char *host, unsigned keep)
{
	struct run r;
	struct err e = { 0 };

	write_text("sources.conf", SOURCES);
	write_text("one", "%s\n", host);
	write_text("two", "c.test/d\n");
	run(&r, NULL, NULL);
	ck_assert_msg(
	    generation_write(in_folder("db"), buf_bytes(&r.out), keep, &e) == 0,
	    "%s", e.text);
	end(&r);
}

static const char *
host_in(const char *name)
{
	static const char *const hosts[] = { "a.test", "b.test", "c.test",
		"d.test" };
	struct err e = { 0 };
	int fd = urlrep_seal(in_folder(name), &e);
	struct urlrep *r;
	const char *found = "";

	if (fd < 0)
		return "none";
	r = urlrep_map(fd, &e);
	close(fd);
	for (size_t i = 0; i < COUNT(hosts); i++)
		if (who(r, hosts[i])[0] != '\0')
			found = hosts[i];
	urlrep_drop(r);
	return found;
}

START_TEST(generations_are_kept_and_come_back)
{
	struct err e = { 0 };

	write_generation("a.test", 2);
	ck_assert_int_eq(generation_rollback(in_folder("db"), &e), -1);
	write_generation("b.test", 2);
	write_generation("c.test", 2);
	write_generation("d.test", 2);
	ck_assert_str_eq(host_in("db"), "d.test");
	ck_assert_str_eq(host_in("db.1"), "c.test");
	ck_assert_str_eq(host_in("db.2"), "b.test");
	ck_assert_str_eq(host_in("db.3"), "none");
	ck_assert_int_eq(generation_rollback(in_folder("db"), &e), 0);
	ck_assert_str_eq(host_in("db"), "c.test");
	ck_assert_str_eq(host_in("db.1"), "b.test");
	ck_assert_str_eq(host_in("db.bad"), "d.test");
	/* A kept one that is broken does not come back. */
	write_text("db.1", "nothing");
	ck_assert_int_eq(generation_rollback(in_folder("db"), &e), -1);
	ck_assert_str_eq(host_in("db"), "c.test");
}
END_TEST

Suite *
plan_suite(void)
{
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("plan");

	tcase_add_checked_fixture(t, make_folder, remove_folder);
	tcase_add_test(t, plan_makes_a_file_of_its_sources);
	tcase_add_test(t, plan_holds_back_what_cannot_be_read);
	tcase_add_test(t, plan_holds_back_what_shrank);
	tcase_add_loop_test(t, plan_tells_what_is_wrong, 0, COUNT(bad));
	tcase_add_test(t, plan_takes_words_for_a_source);
	tcase_add_test(t, generations_are_kept_and_come_back);
	suite_add_tcase(s, t);
	return s;
}
