/* SPDX-License-Identifier: Apache-2.0 */
/* What was registered is known again, however it is written; and nothing of it
 * is told but its name. */
#include "filters/dlp/canary.h"

#include <check.h>
#include <string.h>

#include "filters/dlp/filter.h"
#include "filters/text/charset.h"
#include "proxy/base/buf.h"

Suite *canary_suite(void);

/* The published test vectors, one with a wrong check digit, one whose leading
 * zero a spreadsheet drops. */
#define ONE "123456789018"
#define TWO "621498320257"
#define WRONG "123456789010"
#define ZERO "012345678903"
#define FORM "multipart/form-data; boundary=cut"
#define FILE_BYTES "\x89PNG, as it were\0and more"

static uint8_t digest[DLP_DIGEST_BYTES];
static const struct dlp_canary all[] = {
	{ .name = "one", .number = ONE },
	{ .name = "wrong", .number = WRONG },
	{ .name = "zero", .number = ZERO },
	{ .name = "words", .marker = "霞が関 花子" },
	{ .name = "words", .marker = "Bait-Address@city.test" },
	{ .name = "file", .digest = digest },
};
/* Alone, and beside a kind that is judged. */
static struct dlp_rules *rules, *beside;

static void
setup(void)
{
	static const struct bytes file = BYTES(FILE_BYTES);
	struct dlp_settings s = dlp_defaults;
	struct err e = { 0 };

	ck_assert_int_eq(text_prepare(&e), 0);
	ck_assert_int_eq(
	    EVP_Digest(file.p, file.n, digest, NULL, EVP_sha256(), NULL), 1);
	memset(s.at, 0, sizeof(s.at));
	s.at[DLP_CANARY].block_at = 1;
	s.canaries = all;
	s.canaries_n = COUNT(all);
	rules = dlp_rules_new(&s, &e);
	ck_assert_msg(rules != NULL, "%s", e.text);
	s.at[DLP_CARD].log_at = 1;
	beside = dlp_rules_new(&s, &e);
	ck_assert_msg(beside != NULL, "%s", e.text);
}

static void
teardown(void)
{
	dlp_rules_free(rules);
	dlp_rules_free(beside);
}

static const struct {
	const char *type;
	struct bytes body;
	const char *names; /* found, in the order of all */
} bodies[] = {
	{ "text/plain", BYTES_ROW(""), "" },
	{ "text/plain", BYTES_ROW(ONE), "one" },
	{ "text/plain", BYTES_ROW("1234-5678-9018"), "one" },
	{ "text/plain", BYTES_ROW("1234 5678 9018, " ONE), "one" },
	{ "text/plain", BYTES_ROW("１２３４５６７８９０１８"), "one" },
	{ "text/plain", BYTES_ROW("1 2 3 4 5 6 7 8 9 0 1 8"), "one" },
	{ "text/plain", BYTES_ROW("法人番号 " ONE), "one" },
	{ "text/plain", BYTES_ROW(ONE " " WRONG), "one wrong" },
	{ "text/plain", BYTES_ROW(TWO), "" },
	{ "text/plain", BYTES_ROW("9" ONE "9"), "one" },
	{ "text/plain", BYTES_ROW("/p/" ONE "/x." WRONG "@a"), "one wrong" },
	{ "text/plain", BYTES_ROW("1・2・3・4・5・6・7・8・9・0・1・8"),
	    "one" },
	{ "text/plain", BYTES_ROW("12345678901x8 12345678901       8"), "" },
	{ "text/plain", BYTES_ROW("12345678901      8"), "one" },
	{ "text/csv", BYTES_ROW("a,b\r\n12345678903,x\r\n"), "zero" },
	{ "text/csv", BYTES_ROW("a,b\r\n" ZERO ",x\r\n"), "zero" },
	{ "application/json", BYTES_ROW("{\"n\": " ONE "}"), "one" },
	{ "application/json",
	    BYTES_ROW("{\"a\":\"\\u0031"
		      "23456789018\"}"),
	    "one" },
	{ "application/x-www-form-urlencoded",
	    BYTES_ROW("a=1%32345678901%38&b=c"), "one" },
	{ "text/html", BYTES_ROW("<td>1234</td><b>" ONE "</b>"), "one" },
	{ "text/plain", BYTES_ROW("氏名 霞が関 花子 様"), "words" },
	/* "霞が関 花子" in Shift_JIS */
	{ "text/plain; charset=Shift_JIS",
	    BYTES_ROW("\x89\xe0\x82\xaa\x8a\xd6 \x89\xd4\x8e\x71"), "words" },
	{ "text/plain", BYTES_ROW("to BAIT-address@CITY.test."), "words" },
	{ "text/plain", BYTES_ROW("霞が関　花子"), "words" },
	{ "text/plain", BYTES_ROW("霞が関花子"), "words" },
	{ "text/plain", BYTES_ROW("霞が関\n花子"), "" },
	{ "image/png", BYTES_ROW(FILE_BYTES), "file" },
	{ "image/png", BYTES_ROW(FILE_BYTES "x"), "" },
	{ FORM,
	    BYTES_ROW("--cut\r\nContent-Disposition: form-data; name=\"f\";"
		      " filename=\"a.png\"\r\n\r\n" FILE_BYTES
		      "\r\n--cut\r\nContent-Disposition: form-data;"
		      " name=\"t\"\r\n\r\n" ONE "\r\n--cut--\r\n"),
	    "one file" },
	{ FORM,
	    BYTES_ROW(
		"--cut\r\nContent-Disposition: form-data; name=\"f\";"
		" filename=\"a.png\"\r\n\r\n" FILE_BYTES "\r\r\n--cut--\r\n"),
	    "" },
	{ "multipart/related; boundary=cut",
	    BYTES_ROW("--cut\r\nContent-Type: image/png\r\n\r\n" FILE_BYTES
		      "\r\n--cut--\r\n"),
	    "file" },
	/* Anywhere in a part's head. */
	{ FORM,
	    BYTES_ROW("--cut\r\nContent-Disposition: form-data; name=\"t\";"
		      " x=\"" ONE "\"\r\n\r\na\r\n--cut--\r\n"),
	    "one" },
	{ FORM,
	    BYTES_ROW("--cut\r\nContent-Disposition: form-data; name=\"t\""
		      "\r\nContent-Type: text/plain; x=" ONE
		      "\r\n\r\na\r\n--cut--\r\n"),
	    "one" },
	{ FORM,
	    BYTES_ROW("--cut\r\nContent-Disposition: form-data; name=\"" ONE
		      "\"\r\nContent-Disposition: form-data; name=\"t\""
		      "\r\n\r\na\r\n--cut--\r\n"),
	    "one" },
	{ FORM,
	    BYTES_ROW("--cut\r\nContent-Disposition: form-data; name=\"t\";"
		      " filename=\"a.txt\"; filename*=UTF-8''" ONE
		      "\r\n\r\na\r\n--cut--\r\n"),
	    "one" },
};

/* Sorted as `all` is: each name once. */
static void
names_of(const struct dlp_report *r, char out[128])
{
	const char *last = "";
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->findings_n; i++) {
		const struct dlp_finding *f = &r->findings[i];

		if (f->kind != DLP_CANARY || strcmp(f->context, last) == 0)
			continue;
		n += (size_t)snprintf(
		    out + n, 128 - n, "%s%s", n == 0 ? "" : " ", f->context);
		last = f->context;
	}
}

static void
check_cut(const struct dlp_rules *by, int i, size_t cut)
{
	const struct dlp_filter_settings s = { by, bytes_of(bodies[i].type) };
	struct filter *f = filter_new(&dlp_filter, &s);
	struct bytes body = bodies[i].body;
	const struct dlp_report *r;
	char names[128];

	ck_assert_int_eq(
	    filter_push(f, bytes_take(&body, cut), false, NULL), FILTER_GO);
	ck_assert_int_eq(filter_push(f, body, true, NULL), FILTER_GO);
	r = dlp_filter_report(f);
	names_of(r, names);
	ck_assert_msg(strcmp(names, bodies[i].names) == 0,
	    "%d, cut at %zu: \"%s\", not \"%s\"", i, cut, names,
	    bodies[i].names);
	ck_assert_int_eq(
	    r->verdict, bodies[i].names[0] == '\0' ? DLP_PASS : DLP_BLOCK);
	ck_assert_int_eq(dlp_filter_verdict(f), r->verdict);
	filter_free(f);
}

START_TEST(canaries_are_known_however_they_are_written)
{
	for (size_t cut = 0; cut <= bodies[_i].body.n; cut++)
		check_cut(rules, _i, cut);
	for (size_t cut = 0; cut <= bodies[_i].body.n; cut++)
		check_cut(beside, _i, cut);
}
END_TEST

/* Behind so many finds that reports have no room for more. */
START_TEST(canaries_come_first)
{
	struct dlp *d = dlp_new(beside);
	static struct dlp_report r;
	char row[64];

	for (unsigned i = 0; i < 2 * DLP_FINDINGS_MAX; i++) {
		snprintf(row, sizeof(row), "カード番号 %04u-0000-0000-%04u\n",
		    4000 + i, i);
		dlp_feed(d, bytes_of(row));
	}
	for (unsigned i = 0; i < 40; i++)
		dlp_feed(d, BYTES("個人番号 " TWO "\n"));
	dlp_feed(d, BYTES(ONE));
	dlp_end(d, &r);
	ck_assert_uint_gt(r.findings_n, 1);
	ck_assert_int_eq(r.findings[0].kind, DLP_CANARY);
	ck_assert_str_eq(r.findings[0].context, "one");
	ck_assert_uint_eq(r.kinds[DLP_CANARY].distinct, 1);
	ck_assert_int_eq(r.verdict, DLP_BLOCK);
	dlp_free(d);
}
END_TEST

/* What is kept back of a body can be judged before its end. */
START_TEST(canaries_are_known_while_a_body_comes)
{
	const struct dlp_filter_settings s = { rules, BYTES("text/plain") };
	struct filter *f = filter_new(&dlp_filter, &s);

	ck_assert_int_eq(
	    filter_push(f, BYTES(ONE "\n"), false, NULL), FILTER_GO);
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(
		    filter_push(f, BYTES("xxxxxxxx\n"), false, NULL),
		    FILTER_GO);
	ck_assert_int_eq(dlp_filter_verdict(f), DLP_BLOCK);
	filter_free(f);
}
END_TEST

/* In capitals or full width it is the same word: each who registered it is
 * told. */
START_TEST(canaries_and_keywords_share_words)
{
	static const struct dlp_canary markers[] = {
		{ .name = "small", .marker = "abc-def" },
		{ .name = "wide", .marker = "ＡＢＣ-DEF" },
	};
	static const char *const keyword[] = { "ABC-def" };
	static struct dlp_report r;
	struct dlp_settings s = dlp_defaults;
	struct err e = { 0 };
	struct dlp_rules *both;
	struct dlp *d;

	s.canaries = markers;
	s.canaries_n = COUNT(markers);
	s.keywords = keyword;
	s.keywords_n = COUNT(keyword);
	both = dlp_rules_new(&s, &e);
	ck_assert_msg(both != NULL, "%s", e.text);
	d = dlp_new(both);
	dlp_feed(d, BYTES("it says Abc-Def"));
	dlp_end(d, &r);
	ck_assert_uint_eq(r.kinds[DLP_CANARY].distinct, 2);
	ck_assert_uint_eq(r.kinds[DLP_KEYWORD].distinct, 1);
	dlp_free(d);
	dlp_rules_free(both);
}
END_TEST

START_TEST(canaries_have_a_limit)
{
	static struct dlp_canary many[DLP_CANARIES_MAX];
	static char words[DLP_CANARIES_MAX][16];
	struct dlp_settings s = dlp_defaults;
	static const char *const keyword[] = { "one too many" };
	struct dlp_rules *r;
	struct err e = { 0 };

	for (size_t i = 0; i < DLP_CANARIES_MAX; i++) {
		snprintf(words[i], sizeof(words[i]), "marker-%zu.", i);
		many[i] =
		    (struct dlp_canary){ .name = "n", .marker = words[i] };
	}
	s.canaries = many;
	s.canaries_n = COUNT(many);
	r = dlp_rules_new(&s, &e);
	ck_assert_msg(r != NULL, "%s", e.text);
	dlp_rules_free(r);
	s.keywords = keyword;
	s.keywords_n = 1;
	ck_assert_ptr_null(dlp_rules_new(&s, &e));
	ck_assert_str_eq(e.text, "more than 256 keywords");
}
END_TEST

Suite *
canary_suite(void)
{
	Suite *s = suite_create("canary");
	TCase *t = tcase_create("canary");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, canaries_are_known_however_they_are_written, 0,
	    (int)COUNT(bodies));
	tcase_add_test(t, canaries_come_first);
	tcase_add_test(t, canaries_are_known_while_a_body_comes);
	tcase_add_test(t, canaries_and_keywords_share_words);
	tcase_add_test(t, canaries_have_a_limit);
	suite_add_tcase(s, t);
	return s;
}
