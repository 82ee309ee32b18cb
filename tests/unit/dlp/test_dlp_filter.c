/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in bodies as clients send them: coded in charsets, in files of forms,
 * in any pieces; and what is known before the end. */
#include "filters/dlp/filter.h"

#include <check.h>
#include <string.h>

#include "filters/text/charset.h"
#include "proxy/base/arena.h"

Suite *dlp_filter_suite(void);

#define NUMBER "123456789018" /* the ministry's test vector */
/* 氏名,個人番号 */
#define HEAD_CP932 "\x8e\x81\x96\xbc,\x8c\xc2\x90\x6c\x94\xd4\x8d\x86\r\n"
#define HEAD_EUC "\xbb\xe1\xcc\xbe,\xb8\xc4\xbf\xcd\xc8\xd6\xb9\xe6\r\n"
#define HEAD_JIS "\x1b$B;aL>\x1b(B,\x1b$B8D?MHV9f\x1b(B\r\n"
/* 関所太郎 */
#define ROW_CP932 "\x8a\xd6\x8f\x8a\x91\xbe\x98\x59," NUMBER "\r\n"
#define ROW_EUC "\xb4\xd8\xbd\xea\xc2\xc0\xcf\xba," NUMBER "\r\n"
#define ROW_JIS "\x1b$B4X=jB@O:\x1b(B," NUMBER "\r\n"

#define FORM "multipart/form-data; boundary=cut"
#define PART(type, body)                                             \
	"--cut\r\nContent-Disposition: form-data; name=\"f\";"       \
	" filename=\"a.csv\"\r\nContent-Type: " type "\r\n\r\n" body \
	"\r\n--cut--\r\n"

#define MY_NUMBER_CP932 "\x8c\xc2\x90\x6c\x94\xd4\x8d\x86"
#define ESCAPED "{\"\\u500b\\u4eba\\u756a\\u53f7\": \"" NUMBER "\"}"

static const struct {
	const char *type;
	struct bytes body;
	uint32_t individual, possible;
} bodies[] = {
	{ "text/csv", BYTES_ROW(HEAD_CP932 ROW_CP932), 1, 0 },
	{ "text/csv; charset=Shift_JIS", BYTES_ROW(HEAD_CP932 ROW_CP932), 1,
	    0 },
	{ "text/csv", BYTES_ROW(HEAD_EUC ROW_EUC), 1, 0 },
	{ "text/csv; charset=\"euc-jp\"", BYTES_ROW(HEAD_EUC ROW_EUC), 1, 0 },
	{ "text/plain", BYTES_ROW(HEAD_JIS ROW_JIS), 1, 0 },
	{ "", BYTES_ROW(HEAD_CP932 ROW_CP932), 1, 0 },
	{ FORM, BYTES_ROW(PART("text/csv", HEAD_CP932 ROW_CP932)), 1, 0 },
	{ FORM,
	    BYTES_ROW(PART("application/vnd.ms-excel", HEAD_CP932 ROW_CP932)),
	    1, 0 },
	{ FORM, BYTES_ROW(PART("text/csv; charset=euc-jp", HEAD_EUC ROW_EUC)),
	    1, 0 },
	{ FORM,
	    BYTES_ROW(PART("text/csv; charset=no-such-charset-but-a-long-name",
		HEAD_CP932 ROW_CP932)),
	    1, 0 },
	/* Of what is no text the bytes are looked at, and no label is read. */
	{ "application/octet-stream", BYTES_ROW(HEAD_CP932 ROW_CP932), 0, 1 },
	{ "application/x-www-form-urlencoded", BYTES_ROW("mynumber=" NUMBER), 1,
	    0 },
	{ "application/json", BYTES_ROW("{\"mynumber\":\"" NUMBER "\"}"), 1,
	    0 },
	/* JSON is what it is, whatever is declared. */
	{ "application/json; charset=shift_jis",
	    BYTES_ROW("{\"個人番号\":\"" NUMBER "\"}"), 1, 0 },
	{ "application/json",
	    BYTES_ROW("{\"" MY_NUMBER_CP932 "\":\"" NUMBER "\"}"), 1, 0 },
	/* And it travels in anything, with a name that is escaped. */
	{ "text/plain", BYTES_ROW(ESCAPED), 1, 0 },
	{ "", BYTES_ROW(ESCAPED), 1, 0 },
	{ "application/x-json", BYTES_ROW(ESCAPED), 1, 0 },
	{ "application/x-www-form-urlencoded",
	    BYTES_ROW(
		"p={%22%5Cu500b%5cu4EBA%5Cu756a%5Cu53f7%22:%22" NUMBER "%22}"),
	    1, 0 },
	{ "multipart/related; type=\"a;b\"; boundary=\"cut\"",
	    BYTES_ROW(PART("application/json", ESCAPED)), 1, 0 },
	{ FORM, BYTES_ROW(PART("text/plain", ESCAPED)), 1, 0 },
	{ "text/plain",
	    BYTES_ROW("mynumber: \\u0031\\uff12\\u0033\\uFF14"
		      "\\u0035\\u0036\\u0037\\u0038\\u0039018 \\u00"),
	    1, 0 },
	/* Half an escape, one that is none, a border in one. */
	{ "text/plain", BYTES_ROW("mynumber: " NUMBER "\\u003"), 1, 0 },
	{ "text/plain", BYTES_ROW("mynumber: \\\\u" NUMBER), 0, 0 },
	{ "text/plain", BYTES_ROW("mynumber:\\u001d\\u001e" NUMBER), 1, 0 },
	{ "text/plain", BYTES_ROW("mynumber: \\ud842\\udfb7 " NUMBER), 1, 0 },
	/* Heads, and what strict readers take for text: "--cut" and more. */
	{ FORM,
	    BYTES_ROW(
		"--cut\r\nX-Note: mynumber " NUMBER "\r\n\r\nx\r\n--cut--\r\n"),
	    1, 0 },
	{ FORM,
	    BYTES_ROW(PART(
		"text/plain", "x\r\n--cutX\r\nmynumber: " NUMBER "\r\n\r\nx")),
	    1, 0 },
	/* What calls itself a picture. */
	{ "image/png", BYTES_ROW("mynumber: " NUMBER), 1, 0 },
	{ "image/svg+xml",
	    BYTES_ROW("<svg><text><b>mynumber</b>: <i>123456</i>789018</text>"),
	    1, 0 },
	/* Columns that became floats; amounts. */
	{ "text/csv", BYTES_ROW("氏名,個人番号\r\nx," NUMBER ".0\r\n"), 1, 0 },
	{ "application/json", BYTES_ROW("{\"mynumber\":" NUMBER ".0}"), 1, 0 },
	{ "text/plain", BYTES_ROW("mynumber: " NUMBER ".00"), 0, 0 },
	{ "text/plain", BYTES_ROW("mynumber: " NUMBER ".05"), 0, 0 },
	{ "text/plain", BYTES_ROW("mynumber: " NUMBER ".0.1"), 0, 0 },
};

static struct dlp_rules *rules;

static void
setup(void)
{
	struct err e = { 0 };

	ck_assert_msg(text_prepare(&e) == 0, "%s", e.text);
	rules = dlp_rules_new(&dlp_defaults, &e);
	ck_assert_ptr_nonnull(rules);
}

static void
teardown(void)
{
	dlp_rules_free(rules);
}

START_TEST(dlp_filter_reads_bodies_in_their_charset)
{
	const struct dlp_filter_settings s = { rules,
		bytes_of(bodies[_i].type) };

	for (size_t cut = 0; cut <= bodies[_i].body.n; cut++) {
		struct bytes rest = bodies[_i].body;
		struct bytes first = bytes_take(&rest, cut);
		struct filter *f = filter_new(&dlp_filter, &s);
		const struct dlp_count *c;

		ck_assert_int_eq(filter_push(f, first, false, NULL), FILTER_GO);
		ck_assert_int_eq(filter_push(f, rest, true, NULL), FILTER_GO);
		c = &dlp_filter_report(f)->kinds[DLP_INDIVIDUAL];
		ck_assert_msg(c->distinct == bodies[_i].individual &&
			c->possible == bodies[_i].possible,
		    "%s, cut at %zu: %u, %u", bodies[_i].type, cut, c->distinct,
		    c->possible);
		filter_free(f);
	}
}
END_TEST

/* Its characters have the bytes of line ends in them, and it begins with a
 * mark. */
START_TEST(dlp_filter_reads_utf16_in_a_form)
{
	static const char head[] = "--cut\r\nContent-Disposition: form-data;"
				   " name=\"f\"; filename=\"a.txt\"\r\n\r\n"
				   "\xff\xfe";
	static const char words[] = "mynumber: " NUMBER;
	const struct dlp_filter_settings s = { rules, BYTES(FORM) };
	struct filter *f = filter_new(&dlp_filter, &s);
	struct buf body;

	buf_init(&body, 8192);
	ck_assert_int_eq(buf_append(&body, bytes_of(head)), 0);
	for (int i = 0; i < 400; i++) /* U+540D, U+0A0D */
		ck_assert_int_eq(
		    buf_append(&body,
			i % 2 == 0 ? BYTES("\x0d\x54") : BYTES("\x0d\x0a")),
		    0);
	for (size_t i = 0; i < sizeof(words); i++) {
		const uint8_t pair[] = { (uint8_t)words[i], 0 };

		if (words[i] == '\0')
			break;
		ck_assert_int_eq(
		    buf_append(&body, (struct bytes){ pair, 2 }), 0);
	}
	ck_assert_int_eq(buf_append(&body, BYTES("\r\n--cut--\r\n")), 0);
	ck_assert_int_eq(
	    filter_push(f, buf_bytes(&body), true, NULL), FILTER_GO);
	ck_assert_int_eq(dlp_filter_verdict(f), DLP_BLOCK);
	filter_free(f);
	buf_release(&body);
}
END_TEST

/* What stands behind a number, piece by piece: as many bytes as the readers let
 * a sign have, and such that say nothing. */
static const struct {
	const char *type, *text, *fill;
	bool silent;
} behind[] = {
	{ "text/plain", "mynumber: " NUMBER " ", "x", false },
	{ "text/plain", "mynumber: " NUMBER " ", "\xe9\x96\xa2", false },
	{ "text/plain; charset=Shift_JIS", "mynumber: " NUMBER " ", "\x8a\xd6",
	    false },
	{ "application/json", "{\"mynumber\":\"" NUMBER "\",\"x\":\"",
	    "\\u0078", false },
	{ "application/json", "{\"mynumber\":\"" NUMBER "\",", " ", true },
	{ "application/x-www-form-urlencoded", "mynumber=" NUMBER "&x=", "%78",
	    false },
	{ "text/html", "<p>mynumber: " NUMBER "<p>", "&#x0000000078;", false },
	{ "text/html", "<p>mynumber: " NUMBER "<p>", "<b></b>", true },
	{ "text/csv", "mynumber," NUMBER "\n", "\r", true },
	{ FORM, PART("text/html", "<p>mynumber: " NUMBER),
	    "--cut\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n"
	    "x\r\n",
	    false },
};

#define FILLS 20000

/* A number is not among what is judged before it is in the verdict. */
START_TEST(dlp_filter_judges_before_it_says_so)
{
	const struct dlp_filter_settings s = { rules,
		bytes_of(behind[_i].type) };
	struct bytes fill = bytes_of(behind[_i].fill);
	struct filter *f = filter_new(&dlp_filter, &s);
	size_t start =
	    (size_t)(strstr(behind[_i].text, NUMBER) - behind[_i].text);
	int fills = 0;

	ck_assert_int_eq(
	    filter_push(f, bytes_of(behind[_i].text), false, NULL), FILTER_GO);
	while (dlp_filter_verdict(f) == DLP_PASS && fills++ < FILLS) {
		ck_assert_msg(dlp_filter_judged(f) <= start, "%s, %d fills",
		    behind[_i].type, fills);
		ck_assert_int_eq(filter_push(f, fill, false, NULL), FILTER_GO);
	}
	ck_assert_msg((fills > FILLS) == behind[_i].silent, "%s: %d fills",
	    behind[_i].type, fills);
	ck_assert_int_eq(
	    filter_push(f, (struct bytes){ 0 }, true, NULL), FILTER_GO);
	ck_assert_int_eq(dlp_filter_verdict(f), DLP_BLOCK);
	ck_assert_uint_eq(dlp_filter_judged(f),
	    strlen(behind[_i].text) +
		(size_t)(fills > FILLS ? FILLS : fills) * fill.n);
	filter_free(f);
}
END_TEST

/* What a reader holds to guess a charset comes to the scan at once, with the
 * number at its end. */
START_TEST(dlp_filter_judges_what_readers_hold)
{
	static const char number[] = "\nmynumber: " NUMBER " ";
	const struct dlp_filter_settings s = { rules, BYTES("text/plain") };
	struct filter *f = filter_new(&dlp_filter, &s);
	char text[2 * READER_HEAD_MAX];
	struct bytes held;

	memset(text, 'x', sizeof(text));
	memcpy(text + READER_HEAD_MAX, "\x8a\xd6", 2); /* a kanji */
	held = (struct bytes){ (uint8_t *)text, sizeof(text) - 100 };
	memcpy(text + held.n - strlen(number), number, strlen(number));
	ck_assert_int_eq(filter_push(f, held, false, NULL), FILTER_GO);
	for (int i = 0; i < 10000 && dlp_filter_verdict(f) == DLP_PASS; i++) {
		ck_assert_uint_lt(
		    dlp_filter_judged(f), held.n - strlen(number));
		ck_assert_int_eq(
		    filter_push(f, BYTES("z"), false, NULL), FILTER_GO);
	}
	ck_assert_int_eq(dlp_filter_verdict(f), DLP_BLOCK);
	filter_free(f);
}
END_TEST

/* What lags behind is not more than is promised, and a step. */
START_TEST(dlp_filter_does_not_lag_more_than_it_must)
{
	static const char *const types[] = { "text/plain", "application/json",
		"text/csv; charset=utf-8" };

	for (size_t i = 0; i < COUNT(types); i++) {
		const struct dlp_filter_settings s = { rules,
			bytes_of(types[i]) };
		struct filter *f = filter_new(&dlp_filter, &s);

		for (size_t n = 1; n < 200000; n++) {
			ck_assert_int_eq(
			    filter_push(f, BYTES("x"), false, NULL), FILTER_GO);
			ck_assert_uint_le(n - dlp_filter_judged(f),
			    DLP_FILTER_LAG + DLP_FILTER_LAG / 4 +
				READER_HEAD_MAX);
		}
		filter_free(f);
	}
}
END_TEST

/* The many are found at the end alone, and do not count before. */
START_TEST(dlp_filter_counts_the_many_at_the_end)
{
	const struct dlp_filter_settings s = { rules, BYTES("text/plain") };
	struct filter *f = filter_new(&dlp_filter, &s);
	static const char many[] = "123456789018\n112233445566\n"
				   "998877665547\n";

	ck_assert_int_eq(
	    filter_push(f, bytes_of(many), false, NULL), FILTER_GO);
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(
		    filter_push(f, BYTES("xxxxxxxx\n"), false, NULL),
		    FILTER_GO);
	ck_assert_int_eq(dlp_filter_verdict(f), DLP_PASS);
	ck_assert_int_eq(
	    filter_push(f, (struct bytes){ 0 }, true, NULL), FILTER_GO);
	ck_assert_uint_ge(
	    dlp_filter_report(f)->kinds[DLP_INDIVIDUAL].possible, 1);
	filter_free(f);
}
END_TEST

Suite *
dlp_filter_suite(void)
{
	Suite *s = suite_create("dlp_filter");
	TCase *t = tcase_create("dlp_filter");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, dlp_filter_reads_bodies_in_their_charset, 0, COUNT(bodies));
	tcase_add_loop_test(
	    t, dlp_filter_judges_before_it_says_so, 0, (int)COUNT(behind));
	tcase_add_test(t, dlp_filter_judges_what_readers_hold);
	tcase_add_test(t, dlp_filter_reads_utf16_in_a_form);
	tcase_add_test(t, dlp_filter_does_not_lag_more_than_it_must);
	tcase_add_test(t, dlp_filter_counts_the_many_at_the_end);
	suite_add_tcase(s, t);
	return s;
}
