/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of kind "patterns": which URLs are in their categories, for rules that
 * tighten and for rules that loosen. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "filters/text/set.h"
#include "tests/unit/policy/town.h"

Suite *urlset_suite(void);

#define LIST(name)                                                \
	"{ category = \"" name "\"; file = \"" name "\"; kind = " \
	"\"patterns\"; }"
#define LISTS "lists = (" LIST("mail") "," LIST("slow") ");"
#define RULE(name, verdict, category)                 \
	"{ name = \"" name "\"; verdict = \"" verdict \
	"\"; reason_ja = \"理由\"; categories = [\"" category "\"]; }"
#define BLOCKS                                                           \
	LISTS "must = (" RULE("mail", "block", "mail") "," RULE("slow",  \
	    "block", "slow") ");"                                        \
			     "default = ( { name = \"rest\"; verdict = " \
			     "\"allow\"; reason_ja = \"理由\"; } );"
#define ALLOWS                                                      \
	LISTS "default = (" RULE("mail", "allow", "mail") "," RULE( \
	    "slow", "allow", "slow") ");"

static struct town town;

static void
write_set(
    enum set_kind kind, const char *name, const struct set_pattern *p, size_t n)
{
	struct buf out;

	buf_init(&out, 1 << 24);
	ck_assert_msg(
	    set_compile(kind, p, n, &out, &town.err) == 0, "%s", town.err.text);
	town_write(&town, name, buf_bytes(&out));
	buf_release(&out);
}

static void
setup(void)
{
	static const struct set_pattern mail[] = {
		{ "compose", "^https://a\\.test/mail/", 1, 0, NULL },
		{ "any", "\\?compose=", 1, SET_CASELESS, NULL },
	};
	static const struct set_pattern slow[] = {
		{ "slow", "^https://z\\.test/(a|aa|b)+[cd]$", 1, 0, NULL },
	};

	town_open(&town);
	write_set(SET_URLS, "mail", mail, COUNT(mail));
	write_set(SET_URLS, "slow", slow, COUNT(slow));
}

static void
teardown(void)
{
	town_close(&town);
}

#define MANY_STEPS                                                 \
	"https://z.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabb" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* When its category blocks, and when it allows what nothing else does. */
static const struct {
	const char *url, *blocking, *allowing;
} urls[] = {
	{ "https://a.test/mail/x", "mail", "mail" },
	{ "https://A.TEST:443/%6dail/x", "mail", "mail" },
	{ "https://a.test/x/../mail/", "mail", "mail" },
	{ "http://a.test/mail/x", "rest", "builtin:no-rule" },
	{ "https://a.test/MAIL/x", "rest", "builtin:no-rule" },
	{ "https://b.test/q?Compose=1", "mail", "mail" },
	{ "https://b.test/compose=1", "rest", "builtin:no-rule" },
	/* where two readings differ, it tightens by either */
	{ "https://a.test/x/..%2fmail/", "mail", "builtin:no-rule" },
	{ "https://a.test//mail/", "mail", "builtin:no-rule" },
	/* what takes for ever is in it where that tightens */
	{ MANY_STEPS, "slow", "builtin:no-rule" },
};

START_TEST(urlset_makes_a_category)
{
	ck_assert_msg(town_load(&town, BLOCKS) == 0, "%s", town.err.text);
	ck_assert_str_eq(
	    town_judge(&town, TOWN_INTERNET, "GET", urls[_i].url).rule->name,
	    urls[_i].blocking);
	ck_assert_msg(town_load(&town, ALLOWS) == 0, "%s", town.err.text);
	ck_assert_str_eq(
	    town_judge(&town, TOWN_INTERNET, "GET", urls[_i].url).rule->name,
	    urls[_i].allowing);
}
END_TEST

/* A URL is as long as is looked at, or one byte longer. */
START_TEST(urlset_is_cautious_with_long_urls)
{
	static const char head[] = "https://c.test/";
	static char url[65536 + 2];

	ck_assert_msg(town_load(&town, BLOCKS) == 0, "%s", town.err.text);
	for (size_t n = 65536; n <= 65537; n++) {
		memset(url, 'x', n);
		memcpy(url, head, strlen(head));
		url[n] = '\0';
		ck_assert_str_eq(
		    town_judge(&town, TOWN_INTERNET, "GET", url).rule->name,
		    n == 65536 ? "rest" : "mail");
	}
}
END_TEST

/* CONNECT tells no URL: what may come of it is decided by each request. */
START_TEST(urlset_waits_for_the_request)
{
	struct decision d;

	ck_assert_msg(town_load(&town, BLOCKS) == 0, "%s", town.err.text);
	d = town_judge_connect(&town, TOWN_INTERNET, "a.test:443");
	ck_assert_str_eq(d.rule->name, "builtin:decrypt");
	ck_assert_msg(town_load(&town, ALLOWS) == 0, "%s", town.err.text);
	d = town_judge_connect(&town, TOWN_INTERNET, "a.test:443");
	ck_assert_str_eq(verdict_name(d.verdict), "allow");
}
END_TEST

START_TEST(urlset_that_is_no_set_is_refused)
{
	static const struct set_pattern text[] = { { "p", "abc", 1, SET_PHRASE,
	    NULL } };

	town_write(&town, "mail", BYTES("a.test/mail\n"));
	ck_assert_int_lt(town_load(&town, BLOCKS), 0);
	ck_assert_ptr_nonnull(strstr(town.err.text, "/mail: "));
	write_set(SET_TEXT, "mail", text, 1);
	ck_assert_int_lt(town_load(&town, BLOCKS), 0);
	ck_assert_ptr_nonnull(strstr(town.err.text, "/mail: "));
	unlink(town_path(&town, "mail"));
	ck_assert_int_lt(town_load(&town, BLOCKS), 0);
	ck_assert_ptr_nonnull(strstr(town.err.text, "/mail: "));
}
END_TEST

Suite *
urlset_suite(void)
{
	Suite *s = suite_create("urlset");
	TCase *t = tcase_create("urlset");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, urlset_makes_a_category, 0, (int)COUNT(urls));
	tcase_add_test(t, urlset_is_cautious_with_long_urls);
	tcase_add_test(t, urlset_waits_for_the_request);
	tcase_add_test(t, urlset_that_is_no_set_is_refused);
	suite_add_tcase(s, t);
	return s;
}
