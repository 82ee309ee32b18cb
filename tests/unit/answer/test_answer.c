/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/answer/answer.h"

#include <check.h>
#include <string.h>

Suite *answer_suite(void);

static const struct prefecture_settings prefecture = { "990001", "関所県",
	"Sekisho Prefecture", "情報政策課", "proxy.pref.test:8080", "" };
static const struct body body = { .code = "990019",
	.name_ja = "関所市",
	.name_en = "Sekisho City",
	.contact = "総務課" };

/* RFC 9110 section 12.5.4. */
static const struct {
	struct bytes field;
	const char *language;
} languages[] = {
	{ BYTES(""), "ja" },
	{ BYTES("ja"), "ja" },
	{ BYTES("en"), "en" },
	{ BYTES("en-US,en;q=0.9"), "en" },
	{ BYTES("ja,en-US;q=0.9,en;q=0.8"), "ja" },
	{ BYTES("en;q=0.3, ja;q=0.7"), "ja" },
	{ BYTES("EN-gb ; q=0.301 , ja;q=0.3"), "en" },
	{ BYTES("en;q=0"), "ja" },
	{ BYTES("fr"), "ja" },
	{ BYTES("fr, en;q=0.1"), "en" },
	{ BYTES("en;q=2"), "ja" },
	{ BYTES("en;q=x, ja;q=0.1"), "ja" },
	{ BYTES("english"), "ja" },
	{ BYTES(",,;;=,"), "ja" },
};

START_TEST(answer_chooses_the_language)
{
	ck_assert_msg(strcmp(answer_language(languages[_i].field),
			  languages[_i].language) == 0,
	    "%.*s", BYTES_PRINTF(languages[_i].field));
}
END_TEST

static struct answer
an_answer(enum answer_kind kind, const char *language)
{
	return (struct answer){ .kind = kind,
		.id = "3BZ8-1C05-0006",
		.rule = "no-gambling",
		.category = "gambling",
		.reason_ja = "賭け事です。",
		.reason_en = "It is gambling.",
		.destination = BYTES("https://a.test/"),
		.prefecture = &prefecture,
		.body = &body,
		.accept_language = bytes_of(language) };
}

static char *
page_of(const struct answer *a, struct buf *out)
{
	const char *language;

	buf_init(out, ANSWER_PAGE_MAX);
	ck_assert_int_eq(answer_page(a, out, &language), 0);
	ck_assert_str_eq(language, answer_language(a->accept_language));
	ck_assert_int_eq(buf_append(out, BYTES("\0")), 0);
	return (char *)out->p;
}

START_TEST(answer_says_why_and_whom_to_ask_on_every_page)
{
	static const char *const words[] = { "3BZ8-1C05-0006", "no-gambling",
		"gambling", "https://a.test/", "総務課", "lang=\"" };

	for (int language = 0; language < 2; language++) {
		struct answer a = an_answer(
		    (enum answer_kind)_i, language == 0 ? "ja" : "en");
		struct buf out;
		const char *page = page_of(&a, &out);

		for (size_t i = 0; i < COUNT(words); i++)
			ck_assert_msg(strstr(page, words[i]) != NULL,
			    "kind %d: %s", _i, words[i]);
		ck_assert_ptr_nonnull(strstr(
		    page, language == 0 ? "賭け事です。" : "It is gambling."));
		ck_assert_ptr_null(strstr(page, "<script"));
		ck_assert_ptr_null(strstr(page, "http://"));
		buf_release(&out);
	}
}
END_TEST

static const struct {
	enum answer_kind kind;
	unsigned status;
} statuses[] = {
	{ ANSWER_BLOCKED, 403 },
	{ ANSWER_UNKNOWN_SOURCE, 403 },
	{ ANSWER_BAD_REQUEST, 400 },
	{ ANSWER_MISDIRECTED, 421 },
	{ ANSWER_UNVERIFIED, 502 },
	{ ANSWER_NO_ADDRESS, 502 },
	{ ANSWER_FORBIDDEN_ADDRESS, 403 },
	{ ANSWER_UNREACHABLE, 502 },
	{ ANSWER_TIMEOUT, 504 },
	{ ANSWER_BUSY, 503 },
	{ ANSWER_BAD_ANSWER, 502 },
};

START_TEST(answer_has_a_status_of_each_kind)
{
	struct answer a = an_answer(statuses[_i].kind, "");

	ck_assert_uint_eq(answer_status(&a), statuses[_i].status);
	a.status = 431;
	ck_assert_uint_eq(answer_status(&a), 431);
}
END_TEST

/* Who was sending something is told that it did not leave. */
START_TEST(answer_speaks_of_what_was_being_sent)
{
	static const struct {
		enum answer_kind kind;
		const char *title;
	} rows[] = {
		{ ANSWER_BLOCKED, "This was not sent" },
		{ ANSWER_WARNED, "Please think before you send this" },
		{ ANSWER_TIMEOUT, "The site did not answer" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct answer a = an_answer(rows[i].kind, "en");
		struct buf out;

		a.sending = true;
		ck_assert_ptr_nonnull(strstr(page_of(&a, &out), rows[i].title));
		ck_assert_uint_eq(answer_status(&a),
		    rows[i].kind == ANSWER_TIMEOUT ? 504 : 403);
		buf_release(&out);
	}
}
END_TEST

static const struct {
	const char *name;
	struct bytes text;
	const char *shown;
} texts[] = {
	{ "markup", BYTES("<b>&\"'"), "<dd>&lt;b&gt;&amp;&quot;&#39;</dd>" },
	{ "a control", BYTES("a\x1b[b"), "<dd>a\xEF\xBF\xBD[b</dd>" },
	{ "half a character", BYTES("a\xE3\x81"),
	    "<dd>a\xEF\xBF\xBD\xEF\xBF\xBD</dd>" },
	{ "an overlong slash", BYTES("\xC0\xAF"),
	    "<dd>\xEF\xBF\xBD\xEF\xBF\xBD</dd>" },
	{ "a mark that turns writing",
	    BYTES("a\xE2\x80\xAE"
		  "b"),
	    "<dd>a\xEF\xBF\xBD"
	    "b</dd>" },
	{ "Japanese", BYTES("関所"), "<dd>関所</dd>" },
};

START_TEST(answer_shows_text_from_outside_as_text)
{
	struct answer a = an_answer(ANSWER_BLOCKED, "ja");
	struct buf out;

	a.destination = texts[_i].text;
	ck_assert_msg(strstr(page_of(&a, &out), texts[_i].shown) != NULL, "%s",
	    texts[_i].name);
	buf_release(&out);
}
END_TEST

START_TEST(answer_cuts_a_long_text)
{
	static uint8_t text[100000];
	struct answer a = an_answer(ANSWER_BLOCKED, "ja");
	struct buf out;

	memset(text, '<', sizeof(text));
	a.destination = (struct bytes){ text, sizeof(text) };
	ck_assert_ptr_nonnull(strstr(page_of(&a, &out), "&lt;…</dd>"));
	buf_release(&out);
}
END_TEST

START_TEST(answer_pac_has_no_way_around_the_proxy)
{
	struct buf out;
	char *pac;

	buf_init(&out, ANSWER_PAGE_MAX);
	ck_assert_int_eq(answer_pac(&prefecture, &body, &out), 0);
	ck_assert_int_eq(buf_append(&out, BYTES("\0")), 0);
	pac = (char *)out.p;
	ck_assert_ptr_nonnull(strstr(pac, "// 990019\n"));
	ck_assert_ptr_nonnull(
	    strstr(pac, "return \"PROXY proxy.pref.test:8080\";"));
	ck_assert_ptr_null(strstr(pac, "; DIRECT"));
	buf_release(&out);
}
END_TEST

START_TEST(answer_pac_names_the_proxy_with_tls_first)
{
	struct prefecture_settings both = prefecture;
	struct buf out;

	both.proxy_tls = "proxy.pref.test:8443";
	buf_init(&out, ANSWER_PAGE_MAX);
	ck_assert_int_eq(answer_pac(&both, &body, &out), 0);
	ck_assert_int_eq(buf_append(&out, BYTES("\0")), 0);
	ck_assert_ptr_nonnull(strstr((char *)out.p,
	    "return \"HTTPS proxy.pref.test:8443;"
	    " PROXY proxy.pref.test:8080\";"));
	buf_release(&out);
}
END_TEST

Suite *
answer_suite(void)
{
	Suite *s = suite_create("answer");
	TCase *t = tcase_create("answer");

	tcase_add_loop_test(
	    t, answer_chooses_the_language, 0, COUNT(languages));
	tcase_add_loop_test(
	    t, answer_says_why_and_whom_to_ask_on_every_page, 0, ANSWER_KINDS);
	tcase_add_test(t, answer_speaks_of_what_was_being_sent);
	tcase_add_loop_test(
	    t, answer_has_a_status_of_each_kind, 0, COUNT(statuses));
	tcase_add_loop_test(
	    t, answer_shows_text_from_outside_as_text, 0, COUNT(texts));
	tcase_add_test(t, answer_cuts_a_long_text);
	tcase_add_test(t, answer_pac_has_no_way_around_the_proxy);
	tcase_add_test(t, answer_pac_names_the_proxy_with_tls_first);
	suite_add_tcase(s, t);
	return s;
}
