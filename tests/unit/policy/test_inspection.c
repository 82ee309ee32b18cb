/* SPDX-License-Identifier: Apache-2.0 */
/* Inspections and where a rule leads: who asks for them, and who cannot. */
#include "proxy/policy/inspection.h"

#include <check.h>
#include <string.h>

#include "tests/unit/policy/town.h"

Suite *inspection_suite(void);

#define DLP(name, rest) \
	" { name = \"" name "\"; reason_ja = \"理由\"; " rest " }"
#define RULE(name, rest)    \
	" { name = \"" name \
	"\"; verdict = \"allow\"; reason_ja = \"理由\"; " rest " }"

static struct town town;

static void
setup(void)
{
	town_open(&town);
}

static void
teardown(void)
{
	town_close(&town);
}

/* Names of the decision's inspections, in their order. */
static const char *
asked(const struct decision *d)
{
	const char *names = "";

	for (uint64_t left = d->inspections; left != 0; left &= left - 1)
		names = arena_printf(&town.arena, "%s%s ", names,
		    policy_inspection(
			town.policy, (unsigned)__builtin_ctzll(left))
			->block.name);
	return names;
}

START_TEST(inspections_of_all_that_must_and_of_the_choice_are_made)
{
	struct decision d;

	ck_assert_msg(
	    town_load(&town,
		"dlp = (" DLP("a", "") "," DLP("b", "") "," DLP("c",
		    "") ");\n"
			"must = (" RULE("m", "inspect = [\"b\"];") "," RULE("x",
			    "destinations = [\"x.test\"]; inspect = "
			    "[\"a\"];") ");\n"
					"default = (" RULE("first",
					    "destinations = "
					    "[\"www.test\"];"
					    " inspect = [\"a\", "
					    "\"c\"];") "," RULE("res"
								"t",
					    "inspect = [\"c\"];") ");"
								  "\n") == 0,
	    "%s", town.err.text);
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://www.test/");
	ck_assert_str_eq(asked(&d), "a b c ");
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://other.test/");
	ck_assert_str_eq(asked(&d), "b c ");
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://x.test/");
	ck_assert_str_eq(asked(&d), "a b c ");
}
END_TEST

/* Nothing is seen in a tunnel, so none is left. */
START_TEST(inspections_that_must_leave_no_tunnel)
{
	struct decision d;

	ck_assert_msg(
	    town_load(&town,
		"dlp = (" DLP("a",
		    "") ");\n"
			"must = (" RULE("m",
			    "destinations = [\"x.test\"]; inspect = "
			    "[\"a\"];") ");\n"
					"default = ( { name = \"t\"; "
					"verdict = \"tunnel\";"
					" reason_ja = \"理由\"; } );\n") == 0,
	    "%s", town.err.text);
	d = town_judge_connect(&town, TOWN_INTERNET, "x.test:443");
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
}
END_TEST

START_TEST(inspections_warn_under_their_own_name)
{
	const struct rule *r;

	ck_assert_int_eq(town_load(&town,
			     "dlp = (" DLP("a",
				 "lasts = 60;") ");\n"
						"default = (" RULE("r",
						    "inspect = [\"a\"];") ");"),
	    0);
	r = policy_rule(town.policy, BYTES("a"));
	ck_assert_ptr_nonnull(r);
	ck_assert(rule_asks_why(r) && r->lasts_ms == 60000);
	ck_assert_ptr_null(policy_rule(town.policy, BYTES("b")));
}
END_TEST

static const struct {
	const char *text, *words;
} bad[] = {
	{ "dlp = (" DLP("a", "block = [\"individal 1\"];") ");",
	    "p.conf:1: \"individal 1\": expected a kind" },
	{ "dlp = (" DLP("a", "warn = [\"card\"];") ");", "expected a kind" },
	{ "dlp = (" DLP("a", "warn = [\"card 0\"];") ");", "expected a kind" },
	{ "dlp = (" DLP("a", "log = [\"card 1000001\"];") ");",
	    "expected a kind" },
	{ "dlp = (" DLP("a", "log = [\"card 1 \"];") ");", "expected a kind" },
	{ "dlp = (" DLP("a", "hold = \"65 MiB\";") ");", "hold" },
	{ "dlp = (" DLP("a", "") "," DLP("a", "") ");", "is there twice" },
	{ "dlp = (" DLP("a", "") "); default = (" RULE("a", "") ");",
	    "is there twice" },
	{ "phrases = (" DLP("a", "file = \"none.set\";") ");",
	    "sekishoctl sets compile" },
	{ "types = (" DLP("a", "") ");", "asks for nothing" },
	{ "types = (" DLP("a", "refused = [\"program\"];") ");",
	    "\"program\" is no type" },
	{ "types = (" DLP("a", "must_agree = true; verdict = \"pass\";") ");",
	    "expected block, warn or log" },
	{ "default = (" RULE("r", "inspect = [\"a\"];") ");",
	    "\"a\" is no inspection" },
	{ "dlp = (" DLP("a", "") "); default = ( { name = \"t\";"
				 " verdict = \"tunnel\"; reason_ja = \"r\";"
				 " inspect = [\"a\"]; } );",
	    "is a tunnel with inspect" },
	{ "default = (" RULE("r", "connect_to = \"192.0.2.1\";") ");",
	    "it is an address" },
	{ "default = ( { name = \"b\"; verdict = \"block\";"
	  " reason_ja = \"r\"; connect_to = \"safe.test\"; } );",
	    "expected allow, warn or read-only" },
};

START_TEST(inspections_that_are_wrong_are_told)
{
	ck_assert_int_lt(town_load(&town, bad[_i].text), 0);
	ck_assert_msg(
	    strstr(town.err.text, bad[_i].words) != NULL, "%s", town.err.text);
}
END_TEST

START_TEST(inspections_have_a_limit)
{
	for (int n = INSPECTIONS_MAX; n <= INSPECTIONS_MAX + 1; n++) {
		const char *text = "dlp = (";

		for (int i = 0; i < n; i++)
			text = arena_printf(&town.arena,
			    "%s%s { name = \"n%d\"; reason_ja = \"r\"; }", text,
			    i == 0 ? "" : ",", i);
		text = arena_printf(&town.arena, "%s );", text);
		ck_assert_int_eq(
		    town_load(&town, text) == 0, n == INSPECTIONS_MAX);
	}
}
END_TEST

/* The highest layer's holds; a CONNECT is led there too. */
START_TEST(connect_to_is_where_the_first_rule_leads)
{
	struct decision d;

	ck_assert_msg(
	    town_load(&town,
		"must = (" RULE("m",
		    "destinations = [\"search.test\"];"
		    " connect_to = \"Safe.test\";") ");\n"
						    "default = (" RULE("d",
							"connect_to = "
							"\"other.test\";") ");"
									   "\n") ==
		0,
	    "%s", town.err.text);
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://search.test/");
	ck_assert(bytes_equal(decision_connect_to(&d), BYTES("safe.test")));
	d = town_judge_connect(&town, TOWN_INTERNET, "search.test:443");
	ck_assert(bytes_equal(decision_connect_to(&d), BYTES("safe.test")));
	d = town_judge(&town, TOWN_INTERNET, "GET", "https://www.test/");
	ck_assert(bytes_equal(decision_connect_to(&d), BYTES("other.test")));
}
END_TEST

Suite *
inspection_suite(void)
{
	Suite *s = suite_create("inspection");
	TCase *t = tcase_create("inspection");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(
	    t, inspections_of_all_that_must_and_of_the_choice_are_made);
	tcase_add_test(t, inspections_that_must_leave_no_tunnel);
	tcase_add_test(t, inspections_warn_under_their_own_name);
	tcase_add_loop_test(
	    t, inspections_that_are_wrong_are_told, 0, COUNT(bad));
	tcase_add_test(t, inspections_have_a_limit);
	tcase_add_test(t, connect_to_is_where_the_first_rule_leads);
	suite_add_tcase(s, t);
	return s;
}
