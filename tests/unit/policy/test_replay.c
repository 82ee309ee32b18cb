/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/replay.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/policy/diff.h"
#include "tests/unit/policy/town.h"

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

#define RULE(name, verdict, rest)                                        \
	"{ name = \"" name "\"; verdict = \"" verdict "\"; reason_ja = " \
	"\"a\"; " rest "}"
#define LINE(rest)                                                          \
	"{\"time\":\"2026-11-24T03:00:00.123456Z\",\"event\":\"exchange\"," \
	"\"client\":\"192.0.2.1\"," rest "}\n"

static const char journal[] = LINE(
    "\"method\":\"GET\",\"scheme\":\"https\",\"host\":\"a.test\",\"port\":443,"
    "\"path\":\"/x\",\"verdict\":\"allow\",\"rule\":\"all\"")
    LINE("\"method\":\"GET\",\"scheme\":\"https\",\"host\":\"b.test\","
	 "\"port\":443,\"path\":\"/y\",\"verdict\":\"allow\",\"rule\":\"all\"")
	LINE("\"method\":\"GET\",\"scheme\":\"https\",\"host\":\"sub.b.test\","
	     "\"port\":443,\"path\":\"/z\",\"verdict\":\"allow\",\"rule\":"
	     "\"all\"") LINE("\"method\":\"POST\",\"scheme\":\"http\",\"host\":"
			     "\"2001:db8::1\",\"port\":80,\"path\":\"/\","
			     "\"verdict\":\"block\",\"rule\":\"other\"")
	    LINE("\"method\":\"CONNECT\",\"scheme\":\"https\",\"host\":"
		 "\"c.test\",\"port\":443,\"verdict\":\"tunnel\",\"rule\":"
		 "\"bank\"") "{\"event\":\"started\"}\n"
			     "no json\n" LINE("\"verdict\":\"allow\",\"rule\":"
					      "\"all\",\"host\":\"a b\"");

static const char *
replayed_from(const char *lines, const char *policy, struct replay_result *r)
{
	char *words = NULL;
	const char *copy;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert_msg(town_load(&town, policy) == 0, "%s", town.err.text);
	town_write(&town, "journal", bytes_of(lines));
	ck_assert(replay_run(town.policy, town.zones,
		      town_path(&town, "journal"), out, r, &town.err) == 0);
	fclose(out);
	copy = arena_string(&town.arena, bytes_of(words));
	free(words);
	return copy;
}

static const char *
replayed(const char *policy, struct replay_result *r)
{
	return replayed_from(journal, policy, r);
}

#define OF(host, rest)                                               \
	LINE("\"method\":\"GET\",\"scheme\":\"https\",\"port\":443," \
	     "\"host\":\"" host "\"," rest)

/* Who went on, the form that says so, a WebSocket. */
START_TEST(replay_knows_what_the_request_was)
{
	struct replay_result r;
	const char *text = replayed_from(
	    OF("w.test", "\"path\":\"/\",\"verdict\":\"warn\",\"rule\":\"w\"")
		OF("w.test",
		    "\"path\":\"/.well-known/sekisho/continue\","
		    "\"verdict\":\"warn\",\"rule\":\"w\"") OF("w.test",
		    "\"path\":\"/\",\"verdict\":\"allow\",\"rule\":\"w\"")
		    OF("s.test",
			"\"path\":\"/s\",\"upgrade\":\"websocket\","
			"\"verdict\":\"block\",\"rule\":\"r\""),
	    "must = (" RULE("r", "read-only",
		"destinations = [\"s.test\"];") ");"
						"default = (" RULE(
						    "w", "warn", "") ");",
	    &r);

	ck_assert_uint_eq(r.decisions, 3);
	ck_assert_msg(r.changed == 0, "%s", text);
}
END_TEST

START_TEST(replay_tells_what_changes)
{
	struct replay_result r;
	const char *text = replayed(
	    "default = (" RULE("no-b", "block",
		"destinations = [\"b.test\"];") "," RULE("bank", "tunnel",
		"destinations = [\"c.test\"];") "," RULE("all", "allow",
		"") ");",
	    &r);
	const char *b = strstr(text, "       2  allow all -> block no-b\n");

	ck_assert_uint_eq(r.decisions, 5);
	ck_assert_uint_eq(r.changed, 3);
	ck_assert_uint_eq(r.unread, 2);
	ck_assert_msg(b != NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, ":2: GET https://b.test/y\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "       1  block other -> allow all\n"));
	ck_assert_ptr_nonnull(strstr(text, ":4: POST http://[2001:db8::1]/\n"));
	/* the most frequent first */
	ck_assert(b < strstr(text, "block other"));
}
END_TEST

START_TEST(replay_of_the_same_policy_changes_nothing)
{
	struct replay_result r;
	const char *text =
	    replayed("default = (" RULE("other", "block",
			 "methods = [\"POST\"];") "," RULE("bank", "tunnel",
			 "destinations = [\"c.test\"];") "," RULE("all",
			 "allow", "") ");",
		&r);

	ck_assert_uint_eq(r.decisions, 5);
	/* the tunnel: a method before it decrypts */
	ck_assert_msg(r.changed == 1, "%s", text);
	ck_assert_ptr_nonnull(
	    strstr(text, "tunnel bank -> allow builtin:decrypt"));
}
END_TEST

START_TEST(replay_needs_a_journal)
{
	struct replay_result r;

	ck_assert(town_load(&town, "") == 0);
	ck_assert(replay_run(town.policy, town.zones,
		      town_path(&town, "nothing"), stdout, &r, &town.err) < 0);
	ck_assert_ptr_nonnull(strstr(town.err.text, "nothing"));
}
END_TEST

static const struct {
	const char *was, *is, *says;
} pairs[] = {
	{ "default = (" RULE("a", "allow", "") ");",
	    "default = (" RULE("a", "allow", "") ");", "" },
	{ "default = (" RULE("a", "allow", "") ");", "",
	    "- a: allow (@p.conf:1)\n" },
	{ "", "default = (" RULE("a", "warn", "") ");",
	    "+ a: warn (@p.conf:1)\n" },
	{ "default = (" RULE("a", "allow", "destinations = [\"x.test\"];") ");",
	    "default = (" RULE(
		"a", "block", "destinations = [\"x.test\", \"y.test\"];") ");",
	    "~ a (@p.conf:1)\n"
	    "    verdict: \"allow\" -> \"block\"\n"
	    "    destinations: \"x.test\" -> \"x.test y.test\"\n" },
	{ "default = (" RULE(
	      "a", "allow", "hours = [\"mon 08:00-09:00\"];") ");",
	    "must = (" RULE("a", "allow", "patterns = [\"x\"];") ");",
	    "~ a (@p.conf:1)\n"
	    "    kind: \"default\" -> \"must\"\n"
	    "    patterns: \"\" -> \"x\"\n"
	    "    hours: \"mon 08:00-09:00\" -> \"\"\n" },
	{ "default = (" RULE("a", "allow", "") "," RULE("b", "block", "") ");",
	    "default = (" RULE("b", "block", "") "," RULE(
		"a", "allow", "") ");",
	    "> b is asked before a now (@p.conf:1)\n" },
};

START_TEST(diff_tells_rule_by_rule)
{
	struct policy *was;
	const char *want = "";
	struct bytes rest = bytes_of(pairs[_i].says);
	char *words = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert_msg(
	    town_load(&town, pairs[_i].was) == 0, "%s", town.err.text);
	was = town.policy;
	town.policy = NULL;
	ck_assert(rename(town_path(&town, "p.conf"),
		      town_path(&town, "was.conf")) == 0);
	ck_assert_msg(town_load(&town, pairs[_i].is) == 0, "%s", town.err.text);
	policy_diff(was, town.policy, out);
	fclose(out);
	while (rest.n > 0) {
		bool more = bytes_index(rest, '@') >= 0;
		struct bytes part = bytes_take_until(&rest, '@');

		want = arena_printf(&town.arena, "%s%.*s%s", want,
		    BYTES_PRINTF(part), more ? town_path(&town, "") : "");
	}
	ck_assert_str_eq(words, want);
	policy_release(was);
	free(words);
}
END_TEST

Suite *replay_suite(void);

Suite *
replay_suite(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, replay_knows_what_the_request_was);
	tcase_add_test(t, replay_tells_what_changes);
	tcase_add_test(t, replay_of_the_same_policy_changes_nothing);
	tcase_add_test(t, replay_needs_a_journal);
	tcase_add_loop_test(t, diff_tells_rule_by_rule, 0, COUNT(pairs));
	suite_add_tcase(s, t);
	return s;
}
