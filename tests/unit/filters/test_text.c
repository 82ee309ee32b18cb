/* SPDX-License-Identifier: Apache-2.0 */
/* Charsets, what is seen, and the filter of both, at every cut. */
#include "filters/text/text.h"

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filters/text/convert.h"
#include "filters/text/view.h"
#include "proxy/base/arena.h"
#include "proxy/base/sandbox.h"
#include "tests/unit/apart.h"
#include "tests/unit/filters/drive.h"

Suite *text_suite(void);

#define BAD "\xef\xbf\xbd"

static void
prepare(void)
{
	struct err e = { 0 };

	ck_assert_msg(text_prepare(&e) == 0, "%s", e.text);
}

static const struct {
	enum charset charset;
	struct bytes from;
	const char *to;
} converted[] = {
	{ CHARSET_UTF8, BYTES_ROW("aé日𠮷"), "aé日𠮷" },
	{ CHARSET_UTF8, BYTES_ROW("\xef\xbb\xbf\xe6\x97\xa5"), "日" },
	{ CHARSET_UTF8, BYTES_ROW("a\xef\xbb\xbf"), "a\xef\xbb\xbf" },
	{ CHARSET_UTF8, BYTES_ROW("\xc0\xafx"), BAD BAD "x" },
	{ CHARSET_UTF8, BYTES_ROW("\xe0\x80\xaf"), BAD BAD BAD },
	{ CHARSET_UTF8, BYTES_ROW("\xed\xa0\x80"), BAD BAD BAD },
	{ CHARSET_UTF8, BYTES_ROW("\xf4\x90\x80\x80"), BAD BAD BAD BAD },
	{ CHARSET_UTF8, BYTES_ROW("\xf0\x9f\x98x"), BAD "x" },
	{ CHARSET_UTF8, BYTES_ROW("\xe6\x97"), BAD },
	{ CHARSET_UTF8, BYTES_ROW("\xe6\xe6\x97\xa5"), BAD "日" },
	{ CHARSET_UTF8, BYTES_ROW("～－∥―￠￡￢"), "〜−‖—¢£¬" },
	{ CHARSET_UTF16LE,
	    BYTES_ROW("\xff\xfe"
		      "a\0\xe5\x65\x42\xd8\xb7\xdf"),
	    "a日𠮷" },
	{ CHARSET_UTF16BE, BYTES_ROW("\0a\x65\xe5\xd8\x42\xdf\xb7"), "a日𠮷" },
	{ CHARSET_UTF16BE, BYTES_ROW("\xd8\x42\0a\xdf\xb7\0"),
	    BAD "a" BAD BAD },
	{ CHARSET_UTF16BE, BYTES_ROW("\0a\xd8\x42"), "a" BAD },
	{ CHARSET_SHIFT_JIS, BYTES_ROW("\x93\xfa\x96{\xb1\x87@\x87\x8a~\\"),
	    "日本ｱ①㈱~\\" },
	{ CHARSET_SHIFT_JIS, BYTES_ROW("\x81`\x81|\xfb\xfc"), "〜−髙" },
	{ CHARSET_SHIFT_JIS, BYTES_ROW("\x81<\xa0\xfd\x81"),
	    BAD "<" BAD BAD BAD },
	{ CHARSET_EUC_JP, BYTES_ROW("\xc6\xfc\xcb\xdc\x8e\xb1\xad\xa1\xad\xea"),
	    "日本ｱ①㈱" },
	{ CHARSET_EUC_JP, BYTES_ROW("\x8f\xb0\xa1\xa1\xc1"), "丂〜" },
	{ CHARSET_EUC_JP, BYTES_ROW("\xc6<\x8e<\x8f\xb0<\x80"),
	    BAD "<" BAD "<" BAD "<" BAD },
	{ CHARSET_ISO_2022_JP,
	    BYTES_ROW("a\x1b$BF|K\\-!-j\x1b(B\x1b(I1\x1b(Jb\\\x1b(Bc\x1b$@0!"),
	    "a日本①㈱ｱb¥c亜" },
	{ CHARSET_ISO_2022_JP, BYTES_ROW("\x1b$(D0!\x1b(B\xb1"), "丂ｱ" },
	{ CHARSET_ISO_2022_JP, BYTES_ROW("\x1b(Xa\x1b\x1b$BF\x1b(B|\x1b$"),
	    BAD "(Xa" BAD BAD "|" BAD },
	{ CHARSET_ISO_2022_JP, BYTES_ROW("\x1b$BF|\nF"), "日\n" BAD },
	{ CHARSET_GBK, BYTES_ROW("\xc8\xd5\xb1\xbe"), "日本" },
	{ CHARSET_BIG5, BYTES_ROW("\xa4\xe9\xa5\xbb"), "日本" },
	{ CHARSET_EUC_KR, BYTES_ROW("\xc0\xcf\xba\xbb"), "일본" },
	{ CHARSET_WINDOWS_1252, BYTES_ROW("\x80\xe9\x81"), "€é\xc2\x81" },
	{ CHARSET_WINDOWS_1251, BYTES_ROW("\xcc\xee"), "Мо" },
	{ CHARSET_KOI8_R, BYTES_ROW("\xed\xcf"), "Мо" },
	{ CHARSET_ISO_8859_15, BYTES_ROW("\xa4"), "€" },
	{ CHARSET_ISO_8859_5, BYTES_ROW("\xbc\xde"), "Мо" },
	{ CHARSET_IBM866, BYTES_ROW("\x8c\xae"), "Мо" },
	{ CHARSET_WINDOWS_1253, BYTES_ROW("\xc1\xe1"), "Αα" },
	{ CHARSET_WINDOWS_1254, BYTES_ROW("\xdd\xfd"), "İı" },
	{ CHARSET_WINDOWS_1255, BYTES_ROW("\xe0\xe1"), "אב" },
	{ CHARSET_WINDOWS_874, BYTES_ROW("\xa1"), "ก" },
	{ CHARSET_MACINTOSH, BYTES_ROW("\x8e"), "é" },
};

START_TEST(text_becomes_utf8_at_every_cut)
{
	struct bytes from = converted[_i].from;

	prepare();
	for (size_t cut = 0; cut <= from.n; cut++) {
		struct bytes rest = from;
		struct bytes first = bytes_take(&rest, cut);
		struct convert v;
		struct buf out;

		buf_init(
		    &out, CONVERT_OUT_MAX(first.n) + CONVERT_OUT_MAX(rest.n));
		convert_init(&v, converted[_i].charset);
		convert_push(&v, first, false, &out);
		for (; rest.n > 1; bytes_take(&rest, 1))
			convert_push(
			    &v, (struct bytes){ rest.p, 1 }, false, &out);
		convert_push(&v, rest, true, &out);
		ck_assert_msg(
		    bytes_equal(buf_bytes(&out), bytes_of(converted[_i].to)),
		    "%s: %.*s wanted %s", charset_name(converted[_i].charset),
		    BYTES_PRINTF(buf_bytes(&out)), converted[_i].to);
		buf_release(&out);
	}
}
END_TEST

static const struct {
	const char *label;
	enum charset charset;
} named[] = {
	{ "UTF-8", CHARSET_UTF8 },
	{ " Shift_JIS ", CHARSET_SHIFT_JIS },
	{ "windows-31j", CHARSET_SHIFT_JIS },
	{ "EUC-JP", CHARSET_EUC_JP },
	{ "iso-2022-jp", CHARSET_ISO_2022_JP },
	{ "latin1", CHARSET_WINDOWS_1252 },
	{ "", CHARSET_UNKNOWN },
	{ "utf-7", CHARSET_UNKNOWN },
	{ "utf-88", CHARSET_UNKNOWN },
};

START_TEST(text_charsets_have_names)
{
	ck_assert_int_eq(
	    charset_named(bytes_of(named[_i].label)), named[_i].charset);
}
END_TEST

static const struct {
	const char *head;
	enum charset charset;
} metas[] = {
	{ "<meta charset=euc-jp>", CHARSET_EUC_JP },
	{ "<html><META CharSet = \"Shift_JIS\" />", CHARSET_SHIFT_JIS },
	{ "<meta http-equiv=Content-Type content=\"text/html; "
	  "charset=euc-jp\">",
	    CHARSET_EUC_JP },
	{ "<!-- <meta charset=euc-jp> --><meta charset='utf-8'>",
	    CHARSET_UTF8 },
	{ "<!-- <meta charset=euc-jp>", CHARSET_UNKNOWN },
	{ "<metal charset=euc-jp>", CHARSET_UNKNOWN },
	{ "<meta name=charset content=x><meta charset=euc-jp>",
	    CHARSET_EUC_JP },
	{ "<meta charset=utf-16>", CHARSET_UTF8 },
	{ "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?>", CHARSET_SHIFT_JIS },
	{ "<meta charset=nonsense>", CHARSET_UNKNOWN },
	{ "<meta charset=", CHARSET_UNKNOWN },
};

START_TEST(text_charset_stands_in_a_tag)
{
	struct arena a = { 0 };
	size_t n = strlen(metas[_i].head);

	ck_assert_msg(
	    charset_meta(bytes_of(metas[_i].head)) == metas[_i].charset, "%s",
	    metas[_i].head);
	/* Behind 1024 bytes it does not count. */
	ck_assert_int_eq(charset_meta(bytes_of(arena_printf(
			     &a, "%*s", (int)(1020 + n), metas[_i].head))),
	    CHARSET_UNKNOWN);
	arena_release(&a);
}
END_TEST

#define SJIS_TEXT "\x82\xb1\x82\xea\x82\xcd\x8c\x8b\x89\xca\x82\xc5\x82\xb7"
#define EUC_TEXT "\xa4\xb3\xa4\xec\xa4\xcf\xb7\xeb\xb2\xcc\xa4\xc7\xa4\xb9"

static const struct {
	struct bytes text;
	bool whole;
	enum charset charset;
} guessed[] = {
	{ BYTES_ROW("これは結果です"), true, CHARSET_UTF8 },
	{ BYTES_ROW("これは結\xe6"), false, CHARSET_UTF8 },
	{ BYTES_ROW(SJIS_TEXT), true, CHARSET_SHIFT_JIS },
	{ BYTES_ROW(SJIS_TEXT "\x82"), false, CHARSET_SHIFT_JIS },
	{ BYTES_ROW(EUC_TEXT), true, CHARSET_EUC_JP },
	{ BYTES_ROW(EUC_TEXT "\xa4"), false, CHARSET_EUC_JP },
	{ BYTES_ROW("\x1b$B$3$l$O\x1b(B"), true, CHARSET_ISO_2022_JP },
	{ BYTES_ROW("d\xe9j\xe0 vu \xe0 l'\xe9t\xe9, ma\xee"
		    "tre"),
	    true, CHARSET_WINDOWS_1252 },
	{ BYTES_ROW("a\0b\0c\0d\0"), true, CHARSET_UTF16LE },
	{ BYTES_ROW("\0a\0b\0c\0d"), true, CHARSET_UTF16BE },
};

START_TEST(text_charset_is_guessed)
{
	enum charset c;

	prepare();
	c = charset_guess(guessed[_i].text, guessed[_i].whole);
	ck_assert_msg(c == guessed[_i].charset, "%s instead of %s",
	    charset_name(c), charset_name(guessed[_i].charset));
}
END_TEST

static const struct {
	const char *from;
	const char *to;
} seen[] = {
	{ "for<b>bid</b>den", "forbidden" },
	{ "<p>one</p><p>two</p>", "one two" },
	{ "one<br>two<hr/>three", "one two three" },
	{ "  a \t\n b\xc2\xa0\xe3\x80\x80 c  ", "a b c" },
	{ "a&amp;b&lt;c&#x65E5;&#26412;&nbsp;d&ampx", "a&b<c日本 d&ampx" },
	{ "a&unknown;b&#;&#x;&#xd800;& c", "a&unknown;b&#;&#x;" BAD "& c" },
	{ "a&am", "a&am" },
	{ "f&shy;o\xe2\x80\x8bo\xc2\xad&#8203;d", "food" },
	{ "a<script>if (x < y) '</scrip' </script>b", "a b" },
	{ "a<STYLE type=x>p {}</Style >b", "a b" },
	{ "a<script/>b</script>c", "a c" },
	{ "a<svg><style/></svg>b", "a b" },
	{ "a<svg><style/>b", "a b" },
	{ "a<SVG><g><script x=y/>b</script></g></SVG>c", "a b c" },
	{ "a<math><style><p>b", "a b" },
	{ "a<svg></svg><style>b</style>c", "a c" },
	{ "a</svg><style>b</style>c", "a c" },
	{ "a<svg><svg></svg><style/>b", "a b" },
	{ "a<!-- b -- > c --><!--->d<!-->e<!--x--!>f", "adef" },
	{ "a<!DOCTYPE html>b<?php -- ?>c</ -->d", "abcd" },
	{ "a<a href=\"x>y\">b</a><i title='>'>c", "abc" },
	{ "a<i x=y\">b<i \">c<i =\">d<i x=a'b>e", "abcde" },
	{ "a<i x = \"'>\" y>b", "ab" },
	{ "a < b <3 c <", "a < b <3 c <" },
	{ "<textarea><script>bad</textarea>x</script>",
	    "<script>bad</textarea> x" },
	{ "～<i>－</i>", "〜−" },
	{ "</>a</b>b", "ab" },
};

static void
look(struct bytes text, size_t cut, bool plain, struct buf *out)
{
	struct bytes first = bytes_take(&text, cut);
	struct view v;

	view_init(&v, plain);
	view_push(&v, first, false, out);
	for (; text.n > 1; bytes_take(&text, 1))
		view_push(&v, (struct bytes){ text.p, 1 }, false, out);
	view_push(&v, text, true, out);
}

START_TEST(text_is_seen_as_readers_do)
{
	struct bytes from = bytes_of(seen[_i].from);

	for (size_t cut = 0; cut <= from.n; cut++) {
		struct buf out;

		buf_init(&out, 4096);
		look(from, cut, false, &out);
		ck_assert_msg(
		    bytes_equal(buf_bytes(&out), bytes_of(seen[_i].to)),
		    "%s: %.*s", seen[_i].from, BYTES_PRINTF(buf_bytes(&out)));
		buf_release(&out);
	}
}
END_TEST

START_TEST(text_that_is_plain_keeps_its_tags)
{
	struct buf out;

	buf_init(&out, 4096);
	look(BYTES("a <b>\n\n c&amp;"), 3, true, &out);
	ck_assert(bytes_equal(buf_bytes(&out), BYTES("a <b> c&amp;")));
	buf_release(&out);
}
END_TEST

/* The filter. */

#define REFUSED "what was found weighs more than is allowed"
#define LONG_ASCII "<p>0123456789abcdef0123456789abcdef</p>"

static const struct {
	const char *name;
	struct bytes charset;
	bool html;
	struct bytes body;
	const char *why;
	size_t padding; /* bytes of ASCII before it */
} bodies[] = {
	{ "utf-8", BYTES_ROW(""), true, BYTES_ROW("<p>秘<b>密</b>"), REFUSED,
	    0 },
	{ "not there", BYTES_ROW(""), true, BYTES_ROW("<p>秘<p>密"), NULL, 0 },
	{ "nothing", BYTES_ROW(""), true, BYTES_ROW(""), NULL, 0 },
	{ "declared", BYTES_ROW("Shift_JIS"), true,
	    BYTES_ROW("\x94\xe9\x96\xa7"), REFUSED, 0 },
	{ "declared otherwise", BYTES_ROW("windows-1252"), true,
	    BYTES_ROW("\x94\xe9\x96\xa7"), NULL, 0 },
	{ "a mark stands above what is declared", BYTES_ROW("Shift_JIS"), true,
	    BYTES_ROW("\xef\xbb\xbf秘密"), REFUSED, 0 },
	{ "utf-16", BYTES_ROW(""), false, BYTES_ROW("\xfe\xff\x79\xd8\x5b\xc6"),
	    REFUSED, 0 },
	{ "a tag", BYTES_ROW(""), true,
	    BYTES_ROW("<meta charset=euc-jp>\xc8\xeb\xcc\xa9"), REFUSED, 0 },
	{ "guessed", BYTES_ROW(""), true,
	    BYTES_ROW("\xa4\xb3\xa4\xec\xa4\xcf\xc8\xeb\xcc\xa9\xa4\xc7"),
	    REFUSED, 0 },
	{ "guessed, far behind", BYTES_ROW(""), true,
	    BYTES_ROW("\xa4\xb3\xa4\xec\xa4\xcf\xc8\xeb\xcc\xa9\xa4\xc7"),
	    REFUSED, 4095 },
	{ "guessed, farther", BYTES_ROW(""), true,
	    BYTES_ROW("\xa4\xb3\xa4\xec\xa4\xcf\xc8\xeb\xcc\xa9\xa4\xc7"),
	    REFUSED, 20001 },
	{ "mail", BYTES_ROW(""), false, BYTES_ROW("x\x1b$B$3HkL)\x1b(B"),
	    REFUSED, 0 },
	{ "in a script", BYTES_ROW("utf-8"), true,
	    BYTES_ROW("<script>秘密</script>"), NULL, 0 },
	{ "in a script that is text", BYTES_ROW("utf-8"), false,
	    BYTES_ROW("<script>秘密</script>"), REFUSED, 0 },
};

static const struct set_pattern phrases[] = {
	{ "secret", "秘密", 10, SET_PHRASE, NULL },
};

static struct set *
open_phrases(struct buf *file)
{
	struct err e = { 0 };
	struct set *s;

	buf_init(file, 1 << 24);
	ck_assert_int_eq(set_compile(SET_TEXT, phrases, 1, file, &e), 0);
	s = set_open(SET_TEXT, buf_bytes(file), SET_CODE_JIT, &e);
	ck_assert_ptr_nonnull(s);
	return s;
}

static void
assert_judged(const struct drive *d, struct bytes body, const char *name,
    const char *want)
{
	const char *why;

	drive_filter(d, body, NULL, &why);
	ck_assert_msg((why == NULL) == (want == NULL) &&
		(why == NULL || strcmp(why, want) == 0),
	    "%s: %s", name, why);
}

START_TEST(text_is_judged_as_it_passes)
{
	struct buf file;
	struct text_settings s = { .threshold = 10,
		.charset = bodies[_i].charset,
		.html = bodies[_i].html };
	struct drive d = { .type = &text_filter, .settings = &s };
	struct arena a = { 0 };
	struct bytes body = { arena_alloc(&a, 30000),
		bodies[_i].padding + bodies[_i].body.n };
	uint8_t *p = (uint8_t *)(uintptr_t)body.p;

	prepare();
	s.set = open_phrases(&file);
	memset(p, 'x', bodies[_i].padding);
	memcpy(p + bodies[_i].padding, bodies[_i].body.p, bodies[_i].body.n);
	for (size_t back = 0; back <= bodies[_i].body.n; back++) {
		d.cut = body.n - back;
		assert_judged(&d, body, bodies[_i].name, bodies[_i].why);
	}
	d.piece = 1;
	assert_judged(&d, body, bodies[_i].name, bodies[_i].why);
	set_free(s.set);
	buf_release(&file);
	arena_release(&a);
}
END_TEST

/* In a locked process, where to open a file would kill it. */
static int
judge_locked(void)
{
	struct buf file;
	struct text_settings s = {
		.threshold = 10, .html = true, .set = open_phrases(&file)
	};
	const struct drive d = { .type = &text_filter, .settings = &s };
	/* Its root is a folder without any file of use. */
	const struct sandbox box = {
		.user = "65534:65534",
		.root = "/proc/self/fdinfo",
		.files_max = 64,
	};
	struct err e = { 0 };
	int refused = 0;

	if (sandbox_enter(&box, &e) < 0)
		return 100;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const char *why;

		s.charset = bodies[i].charset;
		drive_filter(&d, bodies[i].body, NULL, &why);
		refused += why != NULL;
	}
	return refused;
}

START_TEST(text_is_judged_in_a_locked_process)
{
	int status = 0;
	pid_t child;

	if (geteuid() != 0)
		return;
	prepare();
	child = fork_apart();
	if (child == 0)
		_exit(judge_locked());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != 100,
	    "status %x", (unsigned)status);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
}
END_TEST

Suite *
text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, text_becomes_utf8_at_every_cut, 0, COUNT(converted));
	tcase_add_loop_test(t, text_charsets_have_names, 0, COUNT(named));
	tcase_add_loop_test(t, text_charset_stands_in_a_tag, 0, COUNT(metas));
	tcase_add_loop_test(t, text_charset_is_guessed, 0, COUNT(guessed));
	tcase_add_loop_test(t, text_is_seen_as_readers_do, 0, COUNT(seen));
	tcase_add_test(t, text_that_is_plain_keeps_its_tags);
	tcase_add_loop_test(t, text_is_judged_as_it_passes, 0, COUNT(bodies));
	tcase_add_test(t, text_is_judged_in_a_locked_process);
	suite_add_tcase(s, t);
	return s;
}
