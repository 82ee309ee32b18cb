/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/inspect.h"

#include <check.h>

#include "filters/text/text.h"
#include "proxy/base/macros.h"

Suite *inspect_suite(void);

static struct inspection inspection = { .kind = INSPECTION_DLP };

static void
setup(void)
{
	struct dlp_settings s = dlp_defaults;
	struct err e;

	s.at[DLP_INDIVIDUAL].block_at = 1;
	ck_assert_int_eq(text_prepare(&e), 0);
	inspection.dlp = dlp_rules_new(&s, &e);
	ck_assert_ptr_nonnull(inspection.dlp);
}

static void
teardown(void)
{
	dlp_rules_free(inspection.dlp);
}

#define MULTI                                                               \
	"Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_a\"" \
	"\r\n\r\npreamble\r\n"
#define PART(type, coding, text)       \
	"--=_a\r\nContent-Type: " type \
	"\r\nContent-Transfer-Encoding: " coding "\r\n\r\n" text "\r\n"

/* The word is 個人番号, the numbers are published test vectors. */
static const struct {
	const char *name;
	struct bytes mail;
	uint32_t distinct, unread;
} mails[] = {
	{ "none", BYTES_ROW(""), 0, 0 },
	{ "a text", BYTES_ROW("A: b\r\n\r\n個人番号 123456789018\r\n"), 1, 0 },
	{ "without a word near it",
	    BYTES_ROW("A: b\r\n\r\n受付 123456789018\r\n"), 0, 0 },
	{ "word in the subject, number in the text",
	    BYTES_ROW("Subject: =?UTF-8?B?5YCL5Lq655Wq5Y+3?=\r\n\r\n"
		      "621498320257\r\n"),
	    1, 0 },
	{ "a subject of two words, cut within the number",
	    BYTES_ROW("Subject: =?UTF-8?B?5YCL5Lq655Wq5Y+3?=\r\n "
		      "=?UTF-8?Q?_621498?=\r\n =?UTF-8?Q?320257?=\r\n\r\n"),
	    1, 0 },
	{ "broken words stay as they are",
	    BYTES_ROW("Subject: =?UTF-8?B?5YCL =?= =? 個人番号 621498320257"
		      "\r\n\r\n"),
	    1, 0 },
	{ "base64 and quoted-printable",
	    BYTES_ROW(MULTI PART("text/plain; charset=UTF-8", "base64",
		"5YCL5Lq655Wq5Y+3IDk4MzIwNTY3MzIxNA==")
		    PART("text/plain", "quoted-printable",
			"=E5=80=8B=E4=BA=BA=E7=95=AA=E5=8F=B7 1234=\r\n"
			"56789018") "--=_a--\r\n"),
	    2, 0 },
	{ "behind the last delimiter there is nothing",
	    BYTES_ROW(MULTI PART(
		"text/plain", "7bit", "x") "--=_a--\r\n"
					   "個人番号 123456789018\r\n"),
	    0, 0 },
	{ "no last delimiter",
	    BYTES_ROW(
		MULTI PART("text/plain", "8bit", "個人番号 123456789018")),
	    1, 0 },
	{ "a table",
	    BYTES_ROW(MULTI PART("text/csv", "8bit",
		"氏名,個人番号\r\n関所太郎,621498320257") "--=_a--\r\n"),
	    1, 0 },
	{ "a page",
	    BYTES_ROW("Content-Type: text/html; charset=UTF-8\r\n\r\n"
		      "個人<b>番号</b> 123456<i>789018</i>"),
	    1, 0 },
	{ "ISO-2022-JP",
	    BYTES_ROW("Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"
		      "\033$B8D?MHV9f\033(B 983205673214\r\n"),
	    1, 0 },
	{ "a file of no known type that is a text",
	    BYTES_ROW(MULTI PART("application/octet-stream", "8bit",
		"個人番号 123456789018") "--=_a--\r\n"),
	    1, 0 },
	{ "a mail in a file, a mail in a mail",
	    BYTES_ROW(MULTI PART("application/octet-stream", "8bit",
		"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n"
		"\r\n5YCL5Lq655Wq5Y+3IDk4MzIwNTY3MzIxNA==")
		    PART("message/rfc822", "8bit",
			"Subject: =?UTF-8?B?5YCL5Lq655Wq5Y+3?=\r\n\r\n"
			"123456789018") "--=_a--\r\n"),
	    2, 0 },
	{ "a picture", BYTES_ROW(MULTI PART("image/png", "base64", "AAECAw==")),
	    0, 1 },
	{ "a name",
	    BYTES_ROW("Content-Type: text/plain;\r\n name=\"=?UTF-8?B?"
		      "5YCL5Lq655Wq5Y+3MTIzNDU2Nzg5MDE4LnR4dA==?=\"\r\n\r\n"
		      "hello"),
	    1, 0 },
};

START_TEST(inspect_reads_all_texts)
{
	struct inspect_result r;

	inspect_mail(&inspection, mails[_i].mail, &r);
	ck_assert_msg(
	    r.report.kinds[DLP_INDIVIDUAL].distinct == mails[_i].distinct &&
		r.unread == mails[_i].unread,
	    "%s: %u, %u", mails[_i].name,
	    r.report.kinds[DLP_INDIVIDUAL].distinct, r.unread);
	ck_assert_int_eq(
	    r.report.verdict, mails[_i].distinct > 0 ? DLP_BLOCK : DLP_PASS);
}
END_TEST

/* What the sandbox made text of is known by its digest, and people write in
 * more fields than the subject. */
static const struct {
	struct bytes mail;
	bool found;
} canaries[] = {
	{ BYTES_ROW("A: b\r\n\r\nx 9832 0567 3210\r\n"), true },
	{ BYTES_ROW("To: \"x\" <bait-address@city.test>\r\n\r\n"), true },
	{ BYTES_ROW("Comments: 983205673210\r\n\r\n"), true },
	{ BYTES_ROW("Message-ID: <983205673210@x>\r\n\r\n"), false },
	{ BYTES_ROW(MULTI PART("text/plain;\r\n name=\"a.txt\"",
	      "7bit\r\nSekisho-SHA-256: 000102030405060708090a0b0c0d0e0f"
	      "101112131415161718191a1b1c1d1e1f",
	      "x") "--=_a--\r\n"),
	    true },
	{ BYTES_ROW("A: b\r\n\r\nSekisho-SHA-256: 000102030405060708090a0b0c"
		    "0d0e0f101112131415161718191a1b1c1d1e1f\r\n"),
	    false },
	{ BYTES_ROW("Sekisho-SHA-256: 000102030405060708090a0b0c0d0e0f"
		    "101112131415161718191a1b1c1d1e\r\n\r\n"),
	    false },
};

START_TEST(inspect_knows_canaries)
{
	static uint8_t digest[DLP_DIGEST_BYTES];
	static const struct dlp_canary all[] = {
		{ .name = "number", .number = "983205673210" },
		{ .name = "address", .marker = "bait-address@city.test" },
		{ .name = "file", .digest = digest },
	};
	struct dlp_settings s = dlp_defaults;
	struct inspection i = { .kind = INSPECTION_CANARY };
	struct inspect_result r;
	struct err e;

	for (uint8_t n = 0; n < sizeof(digest); n++)
		digest[n] = n;
	s.canaries = all;
	s.canaries_n = COUNT(all);
	i.dlp = dlp_rules_new(&s, &e);
	ck_assert_ptr_nonnull(i.dlp);
	inspect_mail(&i, canaries[_i].mail, &r);
	ck_assert_uint_eq(
	    r.report.kinds[DLP_CANARY].distinct, canaries[_i].found);
	dlp_rules_free(i.dlp);
}
END_TEST

/* Cut anywhere, it is read to its end. */
START_TEST(inspect_reads_what_is_cut)
{
	struct inspect_result r;

	for (size_t n = 0; n <= mails[_i].mail.n; n++)
		inspect_mail(
		    &inspection, (struct bytes){ mails[_i].mail.p, n }, &r);
}
END_TEST

/* However deep who wrote it nests, it ends. */
START_TEST(inspect_ends)
{
	struct inspect_result r;
	struct buf deep;

	buf_init(&deep, 1 << 20);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_append(&deep,
				     BYTES("Content-Type: message/rfc822"
					   "\r\n\r\n")),
		    0);
	inspect_mail(&inspection, buf_bytes(&deep), &r);
	ck_assert_uint_eq(r.unread, 1);
	buf_release(&deep);
}
END_TEST

Suite *
inspect_suite(void)
{
	Suite *s = suite_create("inspect");
	TCase *t = tcase_create("inspect");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, inspect_reads_all_texts, 0, (int)COUNT(mails));
	tcase_add_loop_test(t, inspect_reads_what_is_cut, 0, (int)COUNT(mails));
	tcase_add_loop_test(t, inspect_knows_canaries, 0, (int)COUNT(canaries));
	tcase_add_test(t, inspect_ends);
	suite_add_tcase(s, t);
	return s;
}
