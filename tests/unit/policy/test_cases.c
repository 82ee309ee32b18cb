/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/policy/town.h"

static const char policy[] =
    "default = (\n"
    " { name = \"bank\"; verdict = \"tunnel\"; reason_ja = \"銀\";\n"
    "   destinations = [\"bank.test\"]; },\n"
    " { name = \"noon\"; verdict = \"allow\"; reason_ja = \"昼\";\n"
    "   destinations = [\"noon.test\"];\n"
    "   hours = [\"mon-fri 12:00-13:00\"]; },\n"
    " { name = \"no-post\"; verdict = \"block\"; reason_ja = \"禁\";\n"
    "   methods = [\"POST\"]; },\n"
    " { name = \"www\"; verdict = \"allow\"; reason_ja = \"可\";\n"
    "   destinations = [\"www.test\"]; } );";

static struct town town;

static void
setup(void)
{
	town_open(&town);
	ck_assert_msg(town_load(&town, policy) == 0, "%s", town.err.text);
}

static void
teardown(void)
{
	town_close(&town);
}

static const struct {
	const char *line;
	const char *want; /* behind file and line; NULL: as expected */
} lines[] = {
	{ "192.0.2.1 GET https://www.test/ -> allow www", NULL },
	{ "192.0.2.1 GET https://www.test/ -> allow", NULL },
	{ "  192.0.2.1  GET   https://www.test/  ->  allow   www  ", NULL },
	{ "192.0.2.1 GET https://www.test/ -> allow www # why", NULL },
	{ "192.0.2.1 POST https://www.test/ -> block no-post", NULL },
	{ "192.0.2.1 CONNECT https://www.test/ -> allow builtin:decrypt",
	    NULL },
	{ "192.0.2.1 CONNECT https://bank.test/ -> tunnel bank", NULL },
	{ "192.0.2.1 GET https://bank.test/ -> tunnel bank", NULL },
	{ "192.0.2.1 GET http://bank.test/ -> allow bank", NULL },
	{ "203.0.113.1 GET https://www.test/ -> block builtin:unknown-source",
	    NULL },
	{ "192.0.2.1 GET https://noon.test/ at=2026-11-24T12:00:00+0900 ->"
	  " allow noon",
	    NULL },
	{ "192.0.2.1 GET https://noon.test/ at=2026-11-24T11:59:59+0900 ->"
	  " block",
	    NULL },
	{ "192.0.2.1 GET https://noon.test/ at=2026-11-24T03:00:00+0000 ->"
	  " allow noon",
	    NULL },
	{ "192.0.2.1 GET https://noon.test/ at=2026-11-23T23:00:00-0400 ->"
	  " allow noon",
	    NULL },
	{ "192.0.2.1 GET https://www.test/ -> block",
	    "is allow by www (@:9), expected block " },
	{ "192.0.2.1 GET https://www.test/ -> alow www",
	    "is allow by www (@:9), expected alow www" },
	{ "192.0.2.1 GET https://www.test/ -> allow bank",
	    "is allow by www (@:9), expected allow bank" },
	{ "192.0.2.1 GET https://x.test/ -> allow",
	    "is block by builtin:no-rule (built in:0), expected allow " },
	{ "192.0.2 GET https://www.test/ -> allow",
	    "expected a client address first" },
	{ "GET https://www.test/ -> allow", "expected a client address first" },
	{ "192.0.2.1 GET https://www.test/ allow",
	    "expected -> behind the URL" },
	{ "192.0.2.1 GET https://www.test/", "expected -> behind the URL" },
	{ "192.0.2.1 GET https://www.test/ ->",
	    "expected a verdict behind ->" },
	{ "192.0.2.1 GET https://www.test/ -> allow www too",
	    "expected nothing behind the rule" },
	{ "192.0.2.1 GET www.test -> allow", "the URL: no http or https URL" },
	{ "192.0.2.1 GET https://www.test/ at=noon -> allow",
	    "expected a time such as at=2026-11-24T09:00:00+0900" },
	{ "192.0.2.1 GET https://www.test/ at=2026-11-24T09:00:00 -> allow",
	    "expected a time such as at=2026-11-24T09:00:00+0900" },
	{ "192.0.2.1 GET https://www.test/"
	  " at=2026-11-24T09:00:00+0900xxxxxxxx -> allow",
	    "expected a time such as at=2026-11-24T09:00:00+0900" },
};

/* The words that running a file prints; its results go to the pointers. */
static const char *
run(struct bytes text, int *different_out, size_t *run_out)
{
	const char *path = town_path(&town, "p.cases");
	char *words = NULL;
	const char *copy;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	town_write(&town, "p.cases", text);
	*run_out = 0;
	*different_out = policy_run_cases(
	    town.policy, town.zones, path, out, run_out, &town.err);
	fclose(out);
	copy = arena_string(&town.arena, bytes_of(words));
	free(words);
	return copy;
}

START_TEST(cases_say_what_differs)
{
	struct arena *a = &town.arena;
	int different;
	size_t n;
	const char *got =
	    run(bytes_of(arena_printf(a, "# first\n%s\n", lines[_i].line)),
		&different, &n);
	const char *want = lines[_i].want;
	const char *at = want == NULL ? NULL : strchr(want, '@');

	if (at != NULL && strncmp(at - 1, "(@:", 3) == 0)
		want = arena_printf(a, "%.*s%s%s", (int)(at - want), want,
		    town_path(&town, "p.conf"), at + 1);
	ck_assert_uint_eq(n, 1);
	ck_assert_msg(
	    different == (want != NULL), "%s: %s", lines[_i].line, got);
	ck_assert_str_eq(got,
	    want == NULL ? ""
			 : arena_printf(a, "%s:2: %s\n",
			       town_path(&town, "p.cases"), want));
}
END_TEST

START_TEST(cases_are_counted)
{
	int different;
	size_t n;

	run(BYTES("192.0.2.1 GET http://www.test/ -> allow\n"
		  "\n"
		  "# 192.0.2.1 GET http://www.test/ -> block\n"
		  "192.0.2.1 GET http://www.test/ -> block\n"
		  "192.0.2.1 GET http://www.test/ -> tunnel\n"),
	    &different, &n);
	ck_assert_int_eq(different, 2);
	ck_assert_uint_eq(n, 3);
	run(BYTES(""), &different, &n);
	ck_assert_int_eq(different, 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* A case of n bytes with its line end, whose URL is that long. */
static struct bytes
long_case(size_t n)
{
	static const char head[] = "192.0.2.1 GET http://www.test/";
	static const char tail[] = " -> allow\n";
	char *text = arena_alloc(&town.arena, n + 1);

	memset(text, 'a', n);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + n - sizeof(tail) + 1, tail, sizeof(tail));
	return (struct bytes){ (const uint8_t *)text, n };
}

START_TEST(cases_lines_have_a_limit)
{
	int different;
	size_t n;

	ck_assert_str_eq(run(long_case(8191), &different, &n), "");
	ck_assert_int_eq(different, 0);
	run(long_case(8192), &different, &n);
	ck_assert_int_eq(different, -1);
	ck_assert_str_eq(town.err.text,
	    arena_printf(&town.arena,
		"%s:1: line of more than 8190 bytes, expected a case",
		town_path(&town, "p.cases")));
}
END_TEST

START_TEST(cases_need_a_file)
{
	const char *path = town_path(&town, "none.cases");
	const char *folder = town_path(&town, "folder");
	size_t n = 0;

	ck_assert_int_eq(policy_run_cases(town.policy, town.zones, path, stdout,
			     &n, &town.err),
	    -1);
	ck_assert_str_eq(town.err.text,
	    arena_printf(&town.arena,
		"%s: cannot be read: No such file or directory", path));
	ck_assert(mkdir(folder, 0700) == 0);
	ck_assert_int_eq(policy_run_cases(town.policy, town.zones, folder,
			     stdout, &n, &town.err),
	    -1);
	rmdir(folder);
}
END_TEST

Suite *cases_suite(void);

Suite *
cases_suite(void)
{
	Suite *s = suite_create("cases");
	TCase *t = tcase_create("cases");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, cases_say_what_differs, 0, COUNT(lines));
	tcase_add_test(t, cases_are_counted);
	tcase_add_test(t, cases_lines_have_a_limit);
	tcase_add_test(t, cases_need_a_file);
	suite_add_tcase(s, t);
	return s;
}
