/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/dlp.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filters/dlp/check.h"
#include "proxy/base/buf.h"
#include "tests/unit/dlp/documents.h"
#include "tests/unit/dlp/drive.h"

/* Published examples; see docs/DLP.md. */
#define ONE "123456789018"
#define TWO "621498320257"
#define THREE "983205673214"

static const struct {
	const char *digits;
	bool (*check)(const uint8_t *d, size_t n);
	bool want;
} vectors[] = {
	{ ONE, check_individual, true },
	{ TWO, check_individual, true },
	{ THREE, check_individual, true },
	{ "987654321093", check_individual, true },
	{ "465281266333", check_individual, true },
	{ "983205673210", check_individual, false },
	{ "123456789010", check_individual, false },
	{ "123456789011", check_individual, false },
	{ "123456789019", check_individual, false },
	{ "12345678901", check_individual, false },
	{ "000000000000", check_individual, false },
	{ "7123456789012", check_corporate, true },
	{ "4011001098993", check_corporate, true },
	{ "7010705000725", check_corporate, true },
	{ "5835678256246", check_corporate, true },
	{ "1180301018771", check_corporate, true },
	{ "7000012050002", check_corporate, true },
	{ "2835678256246", check_corporate, false },
	{ "1234567890124", check_corporate, false },
	{ "0123456789012", check_corporate, false },
	{ "378282246310005", check_card, true },
	{ "3530111333300000", check_card, true },
	{ "5105105105105100", check_card, true },
	{ "4012888888881881", check_card, true },
	{ "4012888888881882", check_card, false },
	{ "9012888888881883", check_card, false },
	{ "309012345620", check_licence, true },
	{ "309012345630", check_licence, false },
	{ "159012345620", check_licence, false },
	{ "10000009876541", check_postal_account, false },
	{ "1000098765431", check_postal_account, true },
	{ "100009876541", check_postal_account, true },
	{ "100009876542", check_postal_account, false },
	{ "200009876541", check_postal_account, false },
	{ "1234567890", check_pension, true },
	{ "1111111111", check_pension, false },
	{ "202411251030", check_is_time, true },
	{ "202413251030", check_is_time, false },
	{ "202412251060", check_is_time, false },
};

START_TEST(dlp_check_digits_are_the_published)
{
	const uint8_t *d = (const uint8_t *)vectors[_i].digits;

	ck_assert_msg(vectors[_i].check(d, strlen(vectors[_i].digits)) ==
		vectors[_i].want,
	    "%s", vectors[_i].digits);
}
END_TEST

#define FAR                                                                                                      \
	"ああああああああああああああああああああああああああああああああああ" \
	"あ"                                                                                                    \
	"ああああああああああああああああああああああああああああああああああ" \
	"あ"                                                                                                    \
	"ああああああああああああああああああああああああああああああああああ" \
	"あ"                                                                                                    \
	"ああああああああああああああああああああああああああああああああああ" \
	"あ"
#define VERY_FAR FAR FAR FAR

static const struct {
	const char *name;
	struct bytes text;
	enum dlp_kind kind;
	uint32_t distinct, possible;
} cases[] = {
	{ "nothing", BYTES_ROW(""), DLP_INDIVIDUAL, 0, 0 },
	{ "alone it is possible", BYTES_ROW(ONE), DLP_INDIVIDUAL, 0, 1 },
	{ "with a wrong digit it is nothing",
	    BYTES_ROW("個人番号：123456789019"), DLP_INDIVIDUAL, 0, 0 },
	{ "a label", BYTES_ROW("個人番号：" ONE), DLP_INDIVIDUAL, 1, 0 },
	{ "an English label", BYTES_ROW("My Number: " ONE), DLP_INDIVIDUAL, 1,
	    0 },
	{ "the word behind it", BYTES_ROW(ONE "（個人番号）"), DLP_INDIVIDUAL,
	    1, 0 },
	{ "the word far before it", BYTES_ROW("マイナンバー" FAR FAR ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "the word out of reach before it",
	    BYTES_ROW("マイナンバー" VERY_FAR ONE), DLP_INDIVIDUAL, 0, 1 },
	{ "the word far behind it", BYTES_ROW(ONE FAR FAR "マイナンバー"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "the word out of reach behind it",
	    BYTES_ROW(ONE VERY_FAR "マイナンバー"), DLP_INDIVIDUAL, 0, 1 },
	{ "the same twice is one", BYTES_ROW("個人番号 " ONE "、" ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "two", BYTES_ROW("個人番号 " ONE "、" TWO), DLP_INDIVIDUAL, 2, 0 },
	{ "full-width digits",
	    BYTES_ROW("個人番号１２３４５６７８９０１８です"), DLP_INDIVIDUAL,
	    1, 0 },
	{ "groups", BYTES_ROW("個人番号 1234-5678-9018"), DLP_INDIVIDUAL, 1,
	    0 },
	{ "groups, full-width hyphens",
	    BYTES_ROW("個人番号 １２３４－５６７８－９０１８"), DLP_INDIVIDUAL,
	    1, 0 },
	{ "groups, a long mark", BYTES_ROW("個人番号 1234ー5678ー9018"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "groups, minus signs", BYTES_ROW("個人番号 1234−5678−9018"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "groups, ideographic blanks", BYTES_ROW("個人番号 1234　5678　9018"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "groups, no-break blanks",
	    BYTES_ROW("個人番号 1234\xc2\xa0"
		      "5678\xc2\xa0"
		      "9018"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "zero-width signs within",
	    BYTES_ROW("個人番号 12345\xe2\x80\x8b"
		      "6789018"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "mixed links are no groups", BYTES_ROW("個人番号 1234-5678 9018"),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "odd groups", BYTES_ROW("個人番号 12345-6789018"), DLP_INDIVIDUAL, 0,
	    0 },
	{ "a digit per cell", BYTES_ROW("個人番号|1|2|3|4|5|6|7|8|9|0|1|8|"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "a digit per line",
	    BYTES_ROW("個人番号\n1\n2\n3\n4\n5\n6\n7\n8\n9\n0\n1\n8\n"),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "a digit per cell, one more",
	    BYTES_ROW("個人番号|1|2|3|4|5|6|7|8|9|0|1|8|7"), DLP_INDIVIDUAL, 0,
	    0 },
	{ "within a longer run", BYTES_ROW("個人番号 " ONE "7"), DLP_INDIVIDUAL,
	    0, 0 },
	{ "behind a longer run", BYTES_ROW("個人番号 7" ONE), DLP_INDIVIDUAL, 0,
	    0 },
	{ "in a run too long for a chain",
	    BYTES_ROW("個人番号 000000000000000000000000000000" ONE),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "behind a letter", BYTES_ROW("個人番号 a" ONE), DLP_INDIVIDUAL, 0,
	    0 },
	{ "before a letter", BYTES_ROW("個人番号 " ONE "a"), DLP_INDIVIDUAL, 0,
	    0 },
	{ "a decimal", BYTES_ROW("マイナンバー 0." ONE), DLP_INDIVIDUAL, 0, 0 },
	{ "with decimals", BYTES_ROW("マイナンバー " ONE ".5"), DLP_INDIVIDUAL,
	    0, 0 },
	{ "the end of a sentence", BYTES_ROW("It is my number " ONE "."),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "the end of a UUID",
	    BYTES_ROW("マイナンバー abcdef01-0000-1000-8000-" ONE),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "a path", BYTES_ROW("マイナンバー /img/" ONE), DLP_INDIVIDUAL, 0, 0 },
	{ "a file's name", BYTES_ROW("マイナンバー " ONE ".jpg"),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "money", BYTES_ROW("マイナンバー事業費 " ONE "円"), DLP_INDIVIDUAL, 0,
	    0 },
	{ "thousands", BYTES_ROW("マイナンバー 123,456,789,018"),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "a time near the word", BYTES_ROW("マイナンバー 更新 200001010009"),
	    DLP_INDIVIDUAL, 0, 1 },
	{ "the label of something else",
	    BYTES_ROW("マイナンバーカードの受付番号 " ONE), DLP_INDIVIDUAL, 0,
	    1 },
	{ "a label of another field is none",
	    BYTES_ROW("マイナンバー\x1e受付番号: \x1e"
		      "a: " ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "a label over a line end",
	    BYTES_ROW("マイナンバー\n受付番号\nx " ONE), DLP_INDIVIDUAL, 0, 1 },
	{ "no label over two line ends",
	    BYTES_ROW("マイナンバー\n受付番号\n\nx " ONE), DLP_INDIVIDUAL, 1,
	    0 },
	{ "an English word within a word", BYTES_ROW("マイナンバー hotel " ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "the nearest label decides", BYTES_ROW("受付番号、個人番号 " ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "name and birth date near by",
	    BYTES_ROW("氏名 関所\n生年月日 昭和50年1月1日\n" ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "a name alone is not enough", BYTES_ROW("氏名 関所\n" ONE),
	    DLP_INDIVIDUAL, 0, 1 },
	{ "a column headed so",
	    BYTES_ROW("氏名,個人番号\n関所," ONE "\n峠," TWO "\n"),
	    DLP_INDIVIDUAL, 2, 0 },
	{ "a column headed otherwise",
	    BYTES_ROW(
		"マイナンバー一覧\n個人番号,受付番号\n-," ONE "\n-," TWO "\n"),
	    DLP_INDIVIDUAL, 0, 2 },
	{ "a lost leading zero",
	    BYTES_ROW("氏名,個人番号\n関所,23456789019\n峠,12345678909\n"),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "an escaped line end before it", BYTES_ROW("個人番号\\n" ONE),
	    DLP_INDIVIDUAL, 1, 0 },
	{ "a corporate number is none", BYTES_ROW("マイナンバー 5835678256246"),
	    DLP_INDIVIDUAL, 0, 0 },
	{ "a corporate number", BYTES_ROW("法人番号 5835678256246"),
	    DLP_CORPORATE, 1, 0 },
	{ "an issuer of invoices",
	    BYTES_ROW("登録番号 T5835678256246 法人番号"), DLP_CORPORATE, 0,
	    1 },
	{ "commas within cells that are marked",
	    BYTES_ROW("氏名\x1f個人番号\x1f備考\n関,所\x1f" ONE "\x1f-\n"
		      "a,b\x1f-\x1f" TWO "\n"),
	    DLP_INDIVIDUAL, 2, 0 },
	{ "another column beside cells with commas",
	    BYTES_ROW("関,所\x1f個人番号\x1f受付番号\n関,所\x1f-\x1f" ONE "\n"),
	    DLP_INDIVIDUAL, 0, 1 },
	{ "the end of a corporate number",
	    BYTES_ROW("マイナンバー 会社法人等番号 " ONE), DLP_INDIVIDUAL, 0,
	    1 },
	{ "a licence wins behind its word",
	    BYTES_ROW("運転免許証 309012345620"), DLP_LICENCE, 1, 0 },
	{ "a card", BYTES_ROW("カード番号 4012888888881881"), DLP_CARD, 1, 0 },
	{ "a card in groups", BYTES_ROW("credit card 4012-8888-8888-1881 "),
	    DLP_CARD, 1, 0 },
	{ "a card of 15", BYTES_ROW("amex 3782 822463 10005"), DLP_CARD, 1, 0 },
	{ "a card alone", BYTES_ROW("4012888888881881"), DLP_CARD, 0, 1 },
	{ "an order of Amazon", BYTES_ROW("card 503-4012888-8888188"), DLP_CARD,
	    0, 0 },
	{ "a pension number", BYTES_ROW("基礎年金番号 1234-567890"),
	    DLP_PENSION, 1, 0 },
	{ "a pension number near its word",
	    BYTES_ROW("基礎年金番号" FAR "1234-567890"), DLP_PENSION, 1, 0 },
	{ "ten digits near the word of pensions",
	    BYTES_ROW("基礎年金番号" FAR "1234567890"), DLP_PENSION, 0, 1 },
	{ "ten digits", BYTES_ROW("1234567890"), DLP_PENSION, 0, 1 },
	{ "a telephone near the word of pensions",
	    BYTES_ROW("年金番号のお問い合わせ　電話 0312-345678"), DLP_PENSION,
	    0, 1 },
	{ "an account", BYTES_ROW("口座番号 1234567"), DLP_ACCOUNT, 1, 0 },
	{ "an account by its type and bank",
	    BYTES_ROW("関所銀行 本店 普通 1234567"), DLP_ACCOUNT, 1, 0 },
	{ "a type without a bank", BYTES_ROW("普通 1234567"), DLP_ACCOUNT, 0,
	    1 },
	{ "a number behind its type and label",
	    BYTES_ROW("口座番号 普通 1234567"), DLP_ACCOUNT, 1, 0 },
	{ "an account of the post's bank",
	    BYTES_ROW("ゆうちょ銀行 記号番号 10000-98765431"), DLP_ACCOUNT, 1,
	    0 },
	{ "seven digits", BYTES_ROW("1234567"), DLP_ACCOUNT, 0, 1 },
	{ "residents",
	    BYTES_ROW("氏名,生年月日,住所\n"
		      "関所,1950/01/02,関所市中央1-2\n"
		      "峠,1960/01/02,関所市中央3-4\n"
		      "山,昭和50年1月2日,関所市中央5-6\n"),
	    DLP_RESIDENT, 3, 0 },
	{ "residents without a heading",
	    BYTES_ROW("佐藤 太郎\t19500102\t関所市中央1-2\n"
		      "鈴木 花子\tS40.1.2\t関所市中央三丁目\n"
		      "ヤマダ タロウ\t2001-01-02\t峠町大字峠5\n"),
	    DLP_RESIDENT, 3, 0 },
	{ "events are no residents",
	    BYTES_ROW("2024/01/02,関所市中央1-2,佐藤 太郎\n"
		      "2024/02/02,関所市中央1-2,鈴木 花子\n"
		      "2025/03/02,関所市中央1-2,山本 健\n"),
	    DLP_RESIDENT, 0, 0 },
	{ "a town and a number in two cells are no address",
	    BYTES_ROW("氏名,生年月日,住所,数\n関所,1950/01/02,関所市,5\n"),
	    DLP_RESIDENT, 0, 0 },
	{ "a form over lines",
	    BYTES_ROW(
		"氏名：関所\n生年月日：1950年1月2日\n住所：関所市中央1-2\n"),
	    DLP_RESIDENT, 1, 0 },
};

static void
check_case(size_t i, const struct dlp_report *got, const char *how)
{
	const struct dlp_count *c = &got->kinds[cases[i].kind];

	ck_assert_msg(c->distinct == cases[i].distinct &&
		c->possible == cases[i].possible,
	    "%s (%s): %u, possible %u, confidence %u", cases[i].name, how,
	    c->distinct, c->possible, c->confidence);
}

START_TEST(dlp_finds_by_digits_and_surroundings)
{
	struct dlp_rules *r = drive_rules();
	struct dlp_report got;

	drive_dlp(r, DLP_PLAIN, cases[_i].text, 0, 0, &got);
	check_case((size_t)_i, &got, "whole");
	dlp_rules_free(r);
}
END_TEST

/* All cases in one text, far from each other: the window passes over it. */
static struct buf
long_text(void)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < COUNT(cases); i++) {
		must(buf_append(&b, cases[i].text) == 0);
		must(buf_append(&b, BYTES("\n\x1d" VERY_FAR VERY_FAR)) == 0);
	}
	return b;
}

static void
same(const struct dlp_report *a, const struct dlp_report *b, const char *name,
    size_t cut)
{
	for (size_t k = 0; k < DLP_KINDS; k++)
		ck_assert_msg(memcmp(&a->kinds[k], &b->kinds[k],
				  sizeof(a->kinds[k])) == 0,
		    "%s, cut %zu: %s", name, cut,
		    dlp_kind_name((enum dlp_kind)k));
	ck_assert_uint_eq(a->findings_n, b->findings_n);
	for (size_t i = 0; i < a->findings_n; i++) {
		ck_assert_mem_eq(
		    a->findings[i].hash, b->findings[i].hash, DLP_HASH_BYTES);
		ck_assert_str_eq(
		    a->findings[i].context, b->findings[i].context);
	}
}

START_TEST(dlp_does_not_depend_on_cuts)
{
	struct dlp_rules *r = drive_rules();
	struct dlp_report whole = { 0 }, got = { 0 };
	struct bytes text = cases[_i].text;

	drive_dlp(r, DLP_PLAIN, text, 0, 0, &whole);
	/* The far words are not of interest byte by byte. */
	for (size_t cut = 0; cut <= text.n; cut += text.n > 400 ? 97 : 1) {
		drive_dlp(r, DLP_PLAIN, text, cut, 0, &got);
		same(&whole, &got, cases[_i].name, cut);
	}
	drive_dlp(r, DLP_PLAIN, text, 0, 1, &got);
	same(&whole, &got, cases[_i].name, 1);
	dlp_rules_free(r);
}
END_TEST

START_TEST(dlp_window_passes_over_long_text)
{
	static const size_t steps[] = { 1, 2, 3, 7, 100, 1500, 4096, 16381,
		16382, 16383, 16384, 16385, 100000 };
	struct dlp_rules *r = drive_rules();
	struct dlp_report whole = { 0 }, got = { 0 };
	struct buf text = long_text();
	uint32_t shift = 0;

	drive_dlp(r, DLP_PLAIN, buf_bytes(&text), 0, 0, &whole);
	ck_assert_uint_eq(whole.kinds[DLP_INDIVIDUAL].distinct, 2);
	ck_assert_uint_ge(whole.kinds[DLP_INDIVIDUAL].hits, 20);
	ck_assert_uint_eq(whole.kinds[DLP_CARD].distinct, 2);
	ck_assert_uint_eq(whole.kinds[DLP_RESIDENT].distinct, 10);
	for (size_t i = 0; i < COUNT(steps); i++) {
		drive_dlp(r, DLP_PLAIN, buf_bytes(&text), 0, steps[i], &got);
		same(&whole, &got, "steps", steps[i]);
	}
	/* Wherever in the window each number stands. */
	for (shift = 1; shift < 16384; shift += 1021) {
		struct buf moved;

		buf_init(&moved, 1 << 21);
		for (uint32_t i = 0; i < shift; i++)
			must(buf_append(&moved, BYTES("a")) == 0);
		must(buf_append(&moved, BYTES("\n\n")) == 0);
		must(buf_append(&moved, buf_bytes(&text)) == 0);
		drive_dlp(r, DLP_PLAIN, buf_bytes(&moved), 0, 0, &got);
		same(&whole, &got, "shift", shift);
		buf_release(&moved);
	}
	buf_release(&text);
	dlp_rules_free(r);
}
END_TEST

/* The window moves on only when all that decides stands in it. */
START_TEST(dlp_reaches_as_far_at_its_windows_end)
{
	static const struct bytes texts[] = {
		BYTES_ROW("\n\n" ONE FAR FAR "マイナンバー"),
		BYTES_ROW("\n\nマイナンバー" FAR FAR ONE "\n"),
		BYTES_ROW("\n\n氏名,個人番号\n" FAR "," ONE "\n"),
	};
	static uint8_t filler[40000];
	struct dlp_rules *r = drive_rules();
	struct dlp_report got;

	memset(filler, 'a', sizeof(filler));
	for (size_t n = 12000; n < 32000; n += 101) {
		struct dlp *d = dlp_new(r);

		dlp_feed(d, (struct bytes){ filler, n });
		dlp_feed(d, texts[n % COUNT(texts)]);
		dlp_feed(d, (struct bytes){ filler, 20000 });
		dlp_end(d, &got);
		ck_assert_msg(
		    got.kinds[DLP_INDIVIDUAL].distinct == 1, "%zu", n);
		dlp_free(d);
	}
	dlp_rules_free(r);
}
END_TEST

START_TEST(dlp_many_without_invalid_ones_count)
{
	struct dlp_rules *r = drive_rules();
	struct dlp_report got;
	/* the column is headed as something else; the digits say more */
	static const struct bytes pure =
	    BYTES("受付番号\n" ONE "\n" TWO "\n" THREE
		  "\n987654321093\n465281266333\n");
	static const struct bytes four =
	    BYTES("受付番号\n" ONE "\n" TWO "\n" THREE "\n987654321093\n");
	static const struct bytes spoiled =
	    BYTES("受付番号\n" ONE "\n" TWO "\n" THREE "\n987654321093\n"
		  "123456789011\n465281266333\n");
	static const struct bytes scattered =
	    BYTES("ab " ONE " cd " TWO " ef " THREE
		  " gh 987654321093 ij 465281266333.");
	/* outside a column labels are believed */
	static const struct bytes foreign =
	    BYTES("受付番号 " ONE " 受付番号 " TWO " 受付番号 " THREE
		  " 受付番号 987654321093"
		  " 受付番号 465281266333.");
	static const struct bytes repeated =
	    BYTES(ONE "\n" ONE "\n" ONE "\n" ONE "\n" ONE "\n" ONE "\n");
	/* each is valid, and a time */
	static const struct bytes times = BYTES("200001010009\n200001010017\n"
						"200001010025\n200001010033\n"
						"200001010041\n200001010050\n");

	drive_dlp(r, DLP_PLAIN, pure, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 5);
	drive_dlp(r, DLP_PLAIN, four, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	drive_dlp(r, DLP_PLAIN, spoiled, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	drive_dlp(r, DLP_PLAIN, scattered, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 5);
	drive_dlp(r, DLP_PLAIN, foreign, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].possible, 5);
	drive_dlp(r, DLP_PLAIN, repeated, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].possible, 1);
	drive_dlp(r, DLP_PLAIN, times, 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	dlp_rules_free(r);
}
END_TEST

static const struct {
	uint32_t log_at, warn_at, block_at;
	enum dlp_verdict want; /* for two numbers */
} thresholds[] = {
	{ 0, 0, 0, DLP_PASS },
	{ 3, 3, 3, DLP_PASS },
	{ 1, 0, 0, DLP_LOG },
	{ 2, 3, 4, DLP_LOG },
	{ 1, 2, 3, DLP_WARN },
	{ 1, 1, 2, DLP_BLOCK },
	{ 0, 0, 1, DLP_BLOCK },
};

START_TEST(dlp_verdict_follows_thresholds)
{
	struct dlp_settings s = dlp_defaults;
	struct err e;
	struct dlp_rules *r;
	struct dlp_report got;

	s.at[DLP_INDIVIDUAL] = (struct dlp_threshold){ thresholds[_i].log_at,
		thresholds[_i].warn_at, thresholds[_i].block_at };
	r = dlp_rules_new(&s, &e);
	drive_dlp(r, DLP_PLAIN, BYTES("個人番号 " ONE "、" TWO), 0, 0, &got);
	ck_assert_str_eq(dlp_verdict_name(got.verdict),
	    dlp_verdict_name(thresholds[_i].want));
	ck_assert_int_eq(
	    got.kinds[DLP_INDIVIDUAL].verdict, thresholds[_i].want);
	ck_assert_int_eq(got.kinds[DLP_CARD].verdict, DLP_PASS);
	dlp_rules_free(r);
	/* zeroed memory refuses */
	memset(&got, 0, sizeof(got));
	ck_assert_int_eq(got.verdict, DLP_BLOCK);
}
END_TEST

START_TEST(dlp_confidence_has_a_threshold)
{
	struct dlp_settings s = dlp_defaults;
	struct err e;
	struct dlp_rules *r;
	struct dlp_report got;

	s.confidence_min = 40;
	r = dlp_rules_new(&s, &e);
	drive_dlp(r, DLP_PLAIN, BYTES(ONE), 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	dlp_rules_free(r);
	s.confidence_min = 91;
	r = dlp_rules_new(&s, &e);
	drive_dlp(r, DLP_PLAIN, BYTES("個人番号 " ONE), 0, 0, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 0);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].confidence, 90);
	dlp_rules_free(r);
}
END_TEST

START_TEST(dlp_finds_keywords)
{
	static const char *const words[] = { "取扱注意", "（秘）", "Secret",
		"個人番号" };
	static const char *const long_word[] = {
		"0123456789012345678901234567890123456789012345678901234567890"
		"1234"
	};
	static const char *const short_word[] = { "a" };
	static const struct bytes text =
	    BYTES("これは取扱注意です。SECRET (秘) 取扱注意 個人番号 " ONE);
	struct dlp_settings s = dlp_defaults;
	struct err e;
	struct dlp_rules *r;
	struct dlp_report got = { 0 }, whole = { 0 };

	s.keywords = words;
	s.keywords_n = COUNT(words);
	r = dlp_rules_new(&s, &e);
	ck_assert_ptr_nonnull(r);
	drive_dlp(r, DLP_PLAIN, text, 0, 0, &whole);
	ck_assert_uint_eq(whole.kinds[DLP_KEYWORD].distinct, 4);
	ck_assert_uint_eq(whole.kinds[DLP_KEYWORD].hits, 5);
	/* a keyword is a label too when it is one */
	ck_assert_uint_eq(whole.kinds[DLP_INDIVIDUAL].confidence, 90);
	ck_assert_uint_eq(whole.findings_n, 5);
	ck_assert_str_eq(whole.findings[1].context, "取扱注意");
	for (size_t cut = 0; cut < text.n; cut++) {
		drive_dlp(r, DLP_PLAIN, text, cut, 0, &got);
		same(&whole, &got, "keywords", cut);
	}
	dlp_rules_free(r);
	s.keywords = long_word;
	s.keywords_n = 1;
	ck_assert_ptr_null(dlp_rules_new(&s, &e));
	ck_assert_str_eq(
	    e.text, "keyword 1 has 65 bytes; 2 to 64 are expected");
	s.keywords = short_word;
	ck_assert_ptr_null(dlp_rules_new(&s, &e));
	s.keywords_n = 257;
	ck_assert_ptr_null(dlp_rules_new(&s, &e));
	s.keywords_n = 0;
	s.key.n = DLP_KEY_MAX + 1;
	ck_assert_ptr_null(dlp_rules_new(&s, &e));
}
END_TEST

START_TEST(dlp_tells_hashes_and_masked_context)
{
	struct dlp_rules *r = drive_rules();
	static const char key[] = "a key of these tests";
	static const char hashed[] = "individual:" ONE;
	uint8_t want[EVP_MAX_MD_SIZE];
	struct dlp_report got;

	drive_dlp(r, DLP_PLAIN,
	    BYTES("x\x01住所１２３４個人番号：１２３４　5678　9018、"
		  "電話03-1234"),
	    0, 0, &got);
	ck_assert_uint_eq(got.findings_n, 1);
	HMAC(EVP_sha256(), key, sizeof(key) - 1, (const uint8_t *)hashed,
	    sizeof(hashed) - 1, want, NULL);
	ck_assert_mem_eq(got.findings[0].hash, want, DLP_HASH_BYTES);
	ck_assert_int_eq(got.findings[0].kind, DLP_INDIVIDUAL);
	ck_assert_str_eq(got.findings[0].context,
	    " 住所●●●●個人番号:●●●●　●●●●　●●●●、電話●●-●●●●");
	dlp_rules_free(r);
}
END_TEST

START_TEST(dlp_context_is_whole_signs_within_its_limit)
{
	for (uint32_t n = 0; n < 200; n++) {
		struct dlp_settings s = dlp_defaults;
		struct err e;
		struct dlp_rules *r;
		struct dlp_report got = { 0 };
		const char *c = got.findings[0].context;

		s.context_bytes = n;
		r = dlp_rules_new(&s, &e);
		drive_dlp(
		    r, DLP_PLAIN, BYTES(FAR "個人番号 " ONE FAR), 0, 0, &got);
		ck_assert_uint_eq(got.findings_n, 1);
		ck_assert_uint_lt(strlen(c), DLP_CONTEXT_MAX);
		ck_assert((n == 0) == (c[0] == 0));
		ck_assert_ptr_null(strpbrk(c, "0123456789"));
		ck_assert(n == 0 || ((uint8_t)c[0] & 0xc0) != 0x80);
		for (; *c != 0; c++) {
			size_t more = (uint8_t)*c >= 0xe0 ? 2 : 0;

			for (size_t i = 0; i < more; i++)
				ck_assert(((uint8_t) * ++c & 0xc0) == 0x80);
		}
		dlp_rules_free(r);
	}
}
END_TEST

/* More distinct numbers than are told apart: the rest still counts. */
START_TEST(dlp_counts_more_than_it_holds)
{
	struct dlp_rules *r = drive_rules();
	struct dlp *d = dlp_new(r);
	struct dlp_report got;
	char line[64] = "個人番号 ";
	size_t n = strlen(line);

	for (unsigned i = 0; i < 1000; i++) {
		memcpy(line + n, "99000000", 8);
		line[n + 8] = (char)('0' + i / 100);
		line[n + 9] = (char)('0' + i / 10 % 10);
		line[n + 10] = (char)('0' + i % 10);
		line[n + 11] =
		    (char)check_individual_digit((const uint8_t *)line + n);
		line[n + 12] = '\n';
		dlp_feed(d, (struct bytes){ (uint8_t *)line, n + 13 });
	}
	dlp_end(d, &got);
	ck_assert(got.kinds[DLP_INDIVIDUAL].more);
	ck_assert_uint_ge(got.kinds[DLP_INDIVIDUAL].distinct, 990);
	ck_assert_uint_eq(got.findings_n, DLP_FINDINGS_MAX);
	dlp_free(d);
	dlp_rules_free(r);
}
END_TEST

#define HIDDEN 0x55 /* so that the needle is no find of its own */

static uint64_t
count_in(const uint8_t *p, size_t n, const uint8_t needle[12])
{
	uint64_t found = 0;

	for (size_t i = 0; i + 12 <= n; i++) {
		size_t k = 0;

		while (k < 12 && p[i + k] == (needle[k] ^ HIDDEN))
			k++;
		found += k == 12;
	}
	return found;
}

/* Everything that a core file of this process would hold, and how much. */
static uint64_t
count_in_memory(const uint8_t needle[12], uint64_t *bytes_out)
{
	static uint8_t piece[1 << 20];
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	uint64_t found = 0;
	char line[512], may[5];

	*bytes_out = 0;
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, may) != 3 ||
		    may[0] != 'r' || may[1] != 'w')
			continue;
		/* the sanitizer's shadow is terabytes of nothing */
		if (to - from > 1UL << 28)
			continue;
		for (; from < to; from += sizeof(piece) - 11) {
			size_t n = to - from < sizeof(piece) ? to - from
							     : sizeof(piece);
			ssize_t got = pread(memory, piece, n, (off_t)from);

			if (got <= 0)
				continue;
			*bytes_out += (uint64_t)got;
			/* this very piece shows what it held before */
			if ((unsigned long)piece >= from + n ||
			    (unsigned long)piece + sizeof(piece) <= from)
				found += count_in(piece, (size_t)got, needle);
			memset(piece, 0, n);
		}
	}
	fclose(maps);
	close(memory);
	return found;
}

START_TEST(dlp_leaves_no_number_in_memory)
{
	struct documents made = { 20261126 };
	struct dlp_rules *r = drive_rules();
	struct dlp_report got;
	char number[13], text[64];
	uint8_t needle[12];
	uint64_t bytes;
	int n;

	documents_individual(&made, number);
	for (size_t i = 0; i < 12; i++)
		needle[i] = (uint8_t)number[i] ^ HIDDEN;
	n = snprintf(text, sizeof(text), "mynumber=");
	memcpy(text + n, number, 12);
	/* the search finds what is there */
	ck_assert_uint_ge(count_in_memory(needle, &bytes), 2);
	ck_assert_uint_gt(bytes, 1 << 20);
	for (int c = 0; c < DLP_CONTAINERS; c++) {
		drive_dlp(r, (enum dlp_container)c,
		    (struct bytes){ (uint8_t *)text, (size_t)n + 12 }, 0, 0,
		    &got);
		ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	}
	OPENSSL_cleanse(number, sizeof(number));
	OPENSSL_cleanse(text, sizeof(text));
	ck_assert_uint_eq(count_in_memory(needle, &bytes), 0);
	dlp_rules_free(r);
}
END_TEST

Suite *dlp_suite(void);

Suite *
dlp_suite(void)
{
	Suite *s = suite_create("dlp");
	TCase *t = tcase_create("dlp");

	tcase_add_loop_test(
	    t, dlp_check_digits_are_the_published, 0, COUNT(vectors));
	tcase_add_loop_test(
	    t, dlp_finds_by_digits_and_surroundings, 0, COUNT(cases));
	tcase_add_loop_test(t, dlp_does_not_depend_on_cuts, 0, COUNT(cases));
	tcase_add_test(t, dlp_window_passes_over_long_text);
	tcase_add_test(t, dlp_reaches_as_far_at_its_windows_end);
	tcase_add_test(t, dlp_many_without_invalid_ones_count);
	tcase_add_loop_test(
	    t, dlp_verdict_follows_thresholds, 0, COUNT(thresholds));
	tcase_add_test(t, dlp_confidence_has_a_threshold);
	tcase_add_test(t, dlp_finds_keywords);
	tcase_add_test(t, dlp_tells_hashes_and_masked_context);
	tcase_add_test(t, dlp_context_is_whole_signs_within_its_limit);
	tcase_add_test(t, dlp_counts_more_than_it_holds);
	tcase_add_test(t, dlp_leaves_no_number_in_memory);
	suite_add_tcase(s, t);
	return s;
}
