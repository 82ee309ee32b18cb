/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/explain.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/town.h"

#define NOON 1795489200 /* Tuesday 2026-11-24 12:00 in Japan */

static const char policy[] =
    "lists = ( { category = \"evil\"; file = \"evil\"; kind = \"urls\"; },\n"
    " { category = \"games\"; file = \"games\"; } );\n"
    "default = (\n"
    " { name = \"no-evil\"; verdict = \"block\"; reason_ja = \"悪\";\n"
    "   reason_en = \"bad\"; categories = [\"evil\", \"games\"]; },\n"
    " { name = \"bank\"; verdict = \"tunnel\"; reason_ja = \"銀\";\n"
    "   destinations = [\"bank.test\"]; },\n"
    " { name = \"www\"; verdict = \"allow\"; reason_ja = \"可\";\n"
    "   destinations = [\"www.test\"]; } );";

static struct town town;

static void
setup(void)
{
	town_open(&town);
	town_write(&town, "evil", BYTES("www.test/bad\n"));
	town_write(&town, "games", BYTES("games.test\n"));
	ck_assert_msg(town_load(&town, policy) == 0, "%s", town.err.text);
	setenv("LC_ALL", "C", 1);
}

static void
teardown(void)
{
	town_close(&town);
}

static const char *
explain(const char *from, const char *url, enum explain_format format,
    int *result_out)
{
	struct address client;
	char *words = NULL;
	const char *copy;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	ck_assert(address_parse(&client, bytes_of(from)) == 0);
	*result_out = explain_print(town.policy, town.zones, &client,
	    bytes_of(url), BYTES("GET"), NOON, format, out);
	fclose(out);
	copy = arena_string(&town.arena, bytes_of(words));
	free(words);
	return copy;
}

static const struct {
	const char *from, *url;
	int want;
	const char *steps; /* "step verdict rule", one behind the other */
} asked[] = {
	{ TOWN_INTERNET, "http://www.test/", 0, "request allow www;" },
	{ TOWN_INTERNET, "https://www.test/", 0,
	    "CONNECT allow builtin:decrypt;request allow www;" },
	{ TOWN_INTERNET, "https://www.test/bad", 2,
	    "CONNECT allow builtin:decrypt;request block no-evil;" },
	{ TOWN_INTERNET, "https://games.test/", 2, "CONNECT block no-evil;" },
	{ TOWN_INTERNET, "https://bank.test/", 0, "CONNECT tunnel bank;" },
	{ TOWN_INTERNET, "http://bank.test/", 0, "request allow bank;" },
	{ TOWN_INTERNET, "http://x.test/", 2,
	    "request block builtin:no-rule;" },
	{ TOWN_STRANGER, "https://www.test/", 2,
	    "CONNECT block builtin:unknown-source;" },
	{ TOWN_MYNUMBER, "https://www.test/", 2,
	    "CONNECT block builtin:mynumber;" },
};

static const char *
text_of(const json_t *step, const char *key)
{
	return json_string_value(json_object_get(step, key));
}

START_TEST(explain_tells_each_step)
{
	int result;
	const char *text =
	    explain(asked[_i].from, asked[_i].url, EXPLAIN_JSON, &result);
	json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *steps = "";
	size_t i;
	json_t *step;

	ck_assert_msg(json_is_object(all), "%s", text);
	json_array_foreach(json_object_get(all, "steps"), i, step) steps =
	    arena_printf(&town.arena, "%s%s %s %s;", steps,
		text_of(step, "step"), text_of(step, "verdict"),
		text_of(step, "rule"));
	ck_assert_str_eq(steps, asked[_i].steps);
	ck_assert_int_eq(result, asked[_i].want);
	json_decref(all);
}
END_TEST

START_TEST(explain_names_rule_and_client)
{
	int result;
	const char *text =
	    explain(TOWN_LGWAN, "http://games.test/", EXPLAIN_JSON, &result);
	json_t *all = json_loads(text, 0, NULL);
	const json_t *step = json_array_get(json_object_get(all, "steps"), 0);

	ck_assert_str_eq(text_of(step, "file"), town_path(&town, "p.conf"));
	ck_assert_int_eq(json_integer_value(json_object_get(step, "line")), 4);
	ck_assert_str_eq(text_of(step, "body"), "990019");
	ck_assert_str_eq(text_of(step, "zone"), "lgwan");
	ck_assert_str_eq(text_of(step, "category"), "games");
	ck_assert_str_eq(text_of(step, "reason_ja"), "悪");
	ck_assert_str_eq(text_of(step, "reason_en"), "bad");
	json_decref(all);
}
END_TEST

START_TEST(explain_of_a_stranger_names_nobody)
{
	int result;
	const char *text =
	    explain(TOWN_STRANGER, "http://www.test/", EXPLAIN_JSON, &result);
	json_t *all = json_loads(text, 0, NULL);
	const json_t *step = json_array_get(json_object_get(all, "steps"), 0);

	ck_assert(json_object_get(step, "body") == NULL);
	ck_assert(json_object_get(step, "zone") == NULL);
	ck_assert(json_object_get(step, "category") == NULL);
	ck_assert(json_object_get(step, "file") == NULL);
	json_decref(all);
}
END_TEST

START_TEST(explain_speaks_the_language_of_the_locale)
{
	int result;
	const char *english =
	    explain(TOWN_INTERNET, "http://games.test/", EXPLAIN_TEXT, &result);
	const char *japanese;

	ck_assert(strstr(english, "request: block\n") != NULL);
	ck_assert(strstr(english, "bad\n") != NULL);
	ck_assert(strstr(english, "990019 Sekisho City\n") != NULL);
	ck_assert(strstr(english, "p.conf:4\n") != NULL);
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	japanese =
	    explain(TOWN_INTERNET, "http://games.test/", EXPLAIN_TEXT, &result);
	ck_assert(strstr(japanese, "悪\n") != NULL);
	ck_assert(strstr(japanese, "990019 関所市\n") != NULL);
	ck_assert_int_eq(result, 2);
}
END_TEST

START_TEST(explain_refuses_a_malformed_url)
{
	int result;

	ck_assert_str_eq(
	    explain(TOWN_INTERNET, "http://a@b.test/", EXPLAIN_TEXT, &result),
	    "http://a@b.test/: host with a forbidden byte\n");
	ck_assert_int_eq(result, 1);
}
END_TEST

Suite *explain_suite(void);

Suite *
explain_suite(void)
{
	Suite *s = suite_create("explain");
	TCase *t = tcase_create("explain");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, explain_tells_each_step, 0, COUNT(asked));
	tcase_add_test(t, explain_names_rule_and_client);
	tcase_add_test(t, explain_of_a_stranger_names_nobody);
	tcase_add_test(t, explain_speaks_the_language_of_the_locale);
	tcase_add_test(t, explain_refuses_a_malformed_url);
	suite_add_tcase(s, t);
	return s;
}
