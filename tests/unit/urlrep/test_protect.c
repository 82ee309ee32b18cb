/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/protect.h"

#include <check.h>

#include "filters/urlrep/urlrep.h"

Suite *protect_suite(void);

static const struct {
	const char *url; /* with '/': a URL */
	unsigned scope;
	enum protection want;
} cases[] = {
	{ "lg.jp", SCOPE_DOMAIN, PROTECT_ZONE },
	{ "city.minato.lg.jp", SCOPE_SELF, PROTECT_ZONE },
	{ "a.lg.jp/x", SCOPE_BELOW, PROTECT_ZONE },
	{ "jp", SCOPE_DOMAIN, PROTECT_ABOVE },
	{ "lg.jp.example.test", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "xlg.jp", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "t.test", SCOPE_SELF, PROTECT_NAME },
	{ "t.test", SCOPE_DOMAIN, PROTECT_NAME },
	{ "t.test/", SCOPE_BELOW, PROTECT_NAME },
	{ "t.test/", 0, PROTECT_NOTHING },
	{ "t.test/x", SCOPE_BELOW, PROTECT_NOTHING },
	{ "sub.t.test", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "www.top.test", SCOPE_DOMAIN, PROTECT_NAME },
	{ "top.test", SCOPE_DOMAIN, PROTECT_ABOVE },
	{ "top.test", SCOPE_SELF, PROTECT_NOTHING },
	{ "top.test/", SCOPE_BELOW | SCOPE_URL_SUBDOMAINS, PROTECT_ABOVE },
	{ "192.0.2.9", SCOPE_SELF, PROTECT_NAME },
	{ "192.0.2.8", SCOPE_SELF, PROTECT_NOTHING },
	{ "com", SCOPE_DOMAIN, PROTECT_SUFFIX },
	{ "co.uk", SCOPE_BELOW, PROTECT_SUFFIX },
	{ "co.uk", SCOPE_SELF, PROTECT_NOTHING },
	{ "co.uk/", SCOPE_BELOW, PROTECT_NOTHING },
	{ "example.co.uk", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "github.io", SCOPE_DOMAIN, PROTECT_SUFFIX },
	{ "someone.github.io", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "kawasaki.jp", SCOPE_DOMAIN, PROTECT_SUFFIX },
	{ "foo.kawasaki.jp", SCOPE_DOMAIN, PROTECT_SUFFIX },
	{ "city.kawasaki.jp", SCOPE_DOMAIN, PROTECT_NOTHING },
	{ "a.foo.kawasaki.jp", SCOPE_DOMAIN, PROTECT_NOTHING },
};

/* The rules that the cases need, as the list has them. */
static const struct bytes rules =
    BYTES_ROW("// a comment\ncom\njp\nuk\nco.uk\n*.kawasaki.jp\n"
	      "kawasaki.jp\n!city.kawasaki.jp\ngithub.io\n公司.cn\n");

static void
judge_all(struct protect *p)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct canon c;
		struct bytes url = bytes_of(cases[i].url);
		const char *why;
		enum protection got;

		ck_assert_int_eq(bytes_index(url, '/') < 0
			? canon_parse_host(&c, url, &why)
			: canon_parse(&c, url, &why),
		    0);
		got = protect_judge(p, &c, cases[i].scope);
		ck_assert_msg(got == cases[i].want, "%s with %u %s",
		    cases[i].url, cases[i].scope, protection_words(got));
	}
}

static struct protect *
protect_of_cases(void)
{
	struct protect *p = protect_new();
	struct err e = { 0 };

	ck_assert_int_eq(protect_read_text(p, "names",
			     BYTES("# mine\n*.lg.jp\r\nt.test\n"
				   "7,www.top.test\n192.0.2.9\n"),
			     &e),
	    0);
	return p;
}

START_TEST(protect_keeps_names_and_suffixes)
{
	struct protect *p = protect_of_cases();

	judge_all(p); /* by libpsl's own list */
	protect_free(p);
}
END_TEST

START_TEST(protect_reads_the_list_of_suffixes)
{
	struct protect *p = protect_of_cases();
	struct err e = { 0 };

	ck_assert_int_eq(protect_suffixes(p, rules, &e), 0);
	judge_all(p);
	ck_assert_int_eq(protect_suffixes(p, BYTES("a b\nx y\n..\n"), &e), -1);
	ck_assert_str_eq(e.text, "public suffix list:3: no rule");
	protect_free(p);
}
END_TEST

START_TEST(protect_tells_the_line_that_is_no_name)
{
	struct protect *p = protect_new();
	struct err e = { 0 };

	ck_assert_int_eq(
	    protect_read_text(p, "names", BYTES("a.test\na b\n"), &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "names:2: no name"));
	ck_assert_int_eq(protect_zone(p, BYTES("")), -1);
	protect_free(p);
}
END_TEST

Suite *
protect_suite(void)
{
	Suite *s = suite_create("protect");
	TCase *t = tcase_create("protect");

	tcase_add_test(t, protect_keeps_names_and_suffixes);
	tcase_add_test(t, protect_reads_the_list_of_suffixes);
	tcase_add_test(t, protect_tells_the_line_that_is_no_name);
	suite_add_tcase(s, t);
	return s;
}
