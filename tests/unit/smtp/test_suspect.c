/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/suspect.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/policy/town.h"

Suite *suspect_suite(void);

static struct town town;
static struct detox_profiles profiles;
static struct suspect_names *names;

static const char file[] =
    "inbound = ( { name = \"city\"; body = \"990019\"; side = \"lgwan\";\n"
    "  domains = [\"city.sekisho.test\", \"*.city.sekisho.test\",\n"
    "    \"minato.lg.jp\"];\n"
    "  next_hops = ( { host = \"127.0.0.1\"; } ); } );\n";

static void
setup(void)
{
	struct routes *routes;

	town_open(&town);
	ck_assert_int_eq(detox_profiles_load(&profiles, NULL, &town.err), 0);
	town_write(&town, "mail.conf", bytes_of(file));
	routes = routes_load(town_path(&town, "mail.conf"), town.zones,
	    &profiles, &town.arena, &town.err);
	ck_assert_msg(routes != NULL, "%s", town.err.text);
	names = suspect_names_new(town.zones, routes);
}

static void
teardown(void)
{
	suspect_names_free(names);
	detox_profiles_release(&profiles);
	town_close(&town);
}

/* Encoded: 関所市 役所; 関所市; 田中 */
static const struct {
	const char *name, *head, *reasons;
} cases[] = {
	{ "nothing", "From: Tanaka <tanaka@partner.test>\r\n\r\n", "" },
	{ "no From", "Subject: x\r\n\r\n", "" },
	{ "a body's name",
	    "From: =?UTF-8?B?6Zai5omA5biCIOW9ueaJgA==?= <a@evil.test>\r\n\r\n",
	    "imitates" },
	{ "a body's name with blanks in it",
	    "From: \"S e k i s h o  CITY\" <a@evil.test>\r\n\r\n", "imitates" },
	{ "a body's name over two words",
	    "From: =?UTF-8?B?6Zai5omA?=\r\n =?UTF-8?B?5biC?= <a@evil.test>\r\n"
	    "\r\n",
	    "imitates" },
	{ "a domain of ours in the name",
	    "From: \"taro@city.sekisho.test\" <a@evil.test>\r\n\r\n",
	    "imitates" },
	{ "another address in the name",
	    "From: \"bank@bank.test\" <a@evil.test>\r\n\r\n", "imitates" },
	{ "its own address in the name",
	    "From: \"a@mail.evil.test\" <a@evil.test>\r\n\r\n", "" },
	{ "a domain of ours", "From: <taro@City.Sekisho.test>\r\n\r\n",
	    "forges" },
	{ "one below it", "From: taro@x.city.sekisho.test\r\n\r\n", "forges" },
	{ "one letter more", "From: <taro@city.sekissho.test>\r\n\r\n",
	    "lookalike" },
	{ "letters that look so", "From: <a@m1nato.lg.jp>\r\n\r\n",
	    "lookalike" },
	{ "Cyrillic letters", "From: <a@xn--mnato-n2e.lg.jp>\r\n\r\n",
	    "lookalike" },
	{ "replies elsewhere",
	    "From: <a@partner.test>\r\nReply-To: <b@evil.test>\r\n\r\n",
	    "reply_to" },
	{ "replies to the same house",
	    "From: <a@mail.partner.test>\r\nReply-To: b@partner.test\r\n\r\n",
	    "" },
	{ "only the header counts",
	    "Subject: x\r\n\r\nFrom: <taro@city.sekisho.test>\r\n", "" },
	{ "several",
	    "From: \"Sekisho City\" <a@city.sekissho.test>\r\n"
	    "Reply-To: <x@free.test>\r\n\r\n",
	    "imitates,reply_to,lookalike" },
};

START_TEST(suspect_finds_pretenders)
{
	struct detox_report *report = calloc(1, sizeof(*report));
	struct suspicion s = { 0 };
	char words[SUSPECT_WORDS_MAX];

	suspect_judge(names, bytes_of(cases[_i].head), report, &s);
	ck_assert_msg(strcmp(suspect_words(&s, words), cases[_i].reasons) == 0,
	    "%s: \"%s\"", cases[_i].name, words);
	ck_assert((s.points > 0) == (cases[_i].reasons[0] != '\0'));
	free(report);
}
END_TEST

START_TEST(suspect_counts_programs_once)
{
	struct detox_report *report = calloc(1, sizeof(*report));
	struct suspicion s = { 0 };
	char words[SUSPECT_WORDS_MAX];

	report->rows_n = 2;
	report->rows[0].what = report->rows[1].what = REMOVED_PROGRAM;
	suspect_judge(
	    names, BYTES("From: <taro@city.sekisho.test>\r\n\r\n"), report, &s);
	ck_assert_str_eq(suspect_words(&s, words), "forges,program");
	ck_assert_uint_eq(s.points, 100);
	ck_assert_str_eq(suspect_banners(&s, words), "2");
	suspect_add(&s, SUSPECT_REPLY);
	ck_assert_str_eq(suspect_banners(&s, words), "2,3");
	free(report);
}
END_TEST

Suite *
suspect_suite(void)
{
	Suite *s = suite_create("suspect");
	TCase *t = tcase_create("suspect");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, suspect_finds_pretenders, 0, (int)COUNT(cases));
	tcase_add_test(t, suspect_counts_programs_once);
	suite_add_tcase(s, t);
	return s;
}
