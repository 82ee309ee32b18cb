/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns over URLs: literals first, and the answer of PCRE2 all the same. */
#include "filters/text/urls.h"

#include <check.h>

#include "filters/text/literal.h"
#include "tests/unit/filters/random_patterns.h"

Suite *urls_suite(void);

static const struct {
	const char *pattern;
	const char *literals; /* with a blank behind each */
} literals[] = {
	{ "abc", "abc " },
	{ "a", "" },
	{ "a.cde", "cde " },
	{ "ab+cd", "ab " },
	{ "abc?de", "ab " },
	{ "abc*", "ab " },
	{ "abc{0,2}", "ab " },
	{ "abc{1,2}d", "abc " },
	{ "abc{2}", "abc " },
	{ "abc{2}{0}", "" },
	{ "abc{", "" },
	{ "a\\.bc\\/d", "a.bc/d " },
	{ "abcd\\d{3}xy", "abcd " },
	{ "ab\\x41", "" },
	{ "(foo|bar)", "foo bar " },
	{ "x(foo|bar)y", "foo bar " },
	{ "(foo|b)", "" },
	{ "(foo|bar)?xy", "xy " },
	{ "(foo|bar){0,2}xy", "xy " },
	{ "(foo|bar)+", "foo bar " },
	{ "(?:foo|(?:barx|quxx))", "foo barx quxx " },
	{ "foo|bar", "foo bar " },
	{ "foo|", "" },
	{ "foo(?=barbar)", "foo " },
	{ "foo(?!barbar)", "foo " },
	{ "(?<!barbar)foo", "foo " },
	{ "(?i)foo", "" },
	{ "[)(|]foo", "foo " },
	{ "[]a|b]foo", "foo " },
	{ "[^]a|b]foo", "foo " },
	{ "[[:alpha:]|]foo", "foo " },
	{ "[\\]|]foo", "foo " },
	{ "^https?://foo\\.", "://foo. " },
	{ "(*ANYCRLF)foo", "" },
	{ "\\Qfoo\\E", "" },
};

START_TEST(urls_literals_are_needed)
{
	struct bytes pattern = bytes_of(literals[_i].pattern);
	struct arena a = { 0 };
	struct literals l;
	const char *text = "";

	literals_of(pattern, &a, &l);
	for (size_t i = 0; i < l.n; i++)
		text =
		    arena_printf(&a, "%s%.*s ", text, BYTES_PRINTF(l.list[i]));
	ck_assert_msg(strcmp(text, literals[_i].literals) == 0, "%s: %s",
	    literals[_i].pattern, text);
	arena_release(&a);
}
END_TEST

#define SET_SIZE 64
#define TEXTS 300

static bool
mark(void *context, size_t pattern)
{
	bool *found = context;

	ck_assert(!found[pattern]);
	found[pattern] = true;
	return true;
}

START_TEST(urls_match_as_pcre2_says)
{
	struct arena a = { 0 };
	struct dice d = { (uint64_t)_i * 31 + 3 };
	struct set_pattern p[SET_SIZE];
	struct err e = { 0 };
	struct buf file;
	struct set *s;
	size_t n = 0;

	while (n < SET_SIZE) {
		p[n] = (struct set_pattern){ "p", random_pattern(&d, &a, false),
			1, dice_roll(&d, 4), NULL };
		n += p[n].text[0] != '\0' &&
		    reference(p[n].text, p[n].flags, BYTES(""), false) >= 0;
	}
	buf_init(&file, 64 << 20);
	ck_assert_msg(
	    set_compile(SET_URLS, p, n, &file, &e) == 0, "%s", e.text);
	s = set_open(SET_URLS, buf_bytes(&file),
	    _i % 2 == 0 ? SET_CODE_JIT : SET_CODE_PLAIN, &e);
	ck_assert_msg(s != NULL, "%s", e.text);
	for (unsigned i = 0; i < TEXTS; i++) {
		struct bytes t =
		    random_text(&d, &a, dice_roll(&d, 2 + i % 40), false);
		bool found[SET_SIZE] = { false };
		bool any = false;
		enum urls_answer answer = urls_match(s, t, mark, found);

		for (size_t k = 0; k < n; k++) {
			int want = reference(p[k].text, p[k].flags, t, false);

			any |= found[k];
			ck_assert_msg(found[k] == want, "%s (flags %u) in %.*s",
			    p[k].text, p[k].flags, BYTES_PRINTF(t));
		}
		ck_assert_int_eq(answer, any ? URLS_YES : URLS_NO);
		ck_assert_int_eq(urls_match(s, t, NULL, NULL), answer);
	}
	set_free(s);
	buf_release(&file);
	arena_release(&a);
}
END_TEST

START_TEST(urls_have_limits)
{
	static const struct set_pattern p[] = {
		{ "slow", "(?:a|aa)+(?=\\d|x)", 1, 0, NULL },
		{ "word", "word", 1, SET_PHRASE, NULL },
	};
	static uint8_t text[URLS_TEXT_MAX + 1];
	struct err e = { 0 };
	struct buf file;
	struct set *s;

	buf_init(&file, 1 << 24);
	ck_assert_int_eq(set_compile(SET_URLS, p, 2, &file, &e), 0);
	s = set_open(SET_URLS, buf_bytes(&file), SET_CODE_PLAIN, &e);
	memset(text, '/', sizeof(text));
	ck_assert_int_eq(
	    urls_match(s, (struct bytes){ text, URLS_TEXT_MAX }, NULL, NULL),
	    URLS_NO);
	ck_assert_int_eq(
	    urls_match(
		s, (struct bytes){ text, URLS_TEXT_MAX + 1 }, NULL, NULL),
	    URLS_TOO_MUCH);
	memset(text, 'a', 100);
	ck_assert_int_eq(urls_match(s, (struct bytes){ text, 101 }, NULL, NULL),
	    URLS_TOO_MUCH);
	set_free(s);
	buf_release(&file);
}
END_TEST

Suite *
urls_suite(void)
{
	Suite *s = suite_create("urls");
	TCase *t = tcase_create("urls");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, urls_literals_are_needed, 0, COUNT(literals));
	tcase_add_loop_test(t, urls_match_as_pcre2_says, 0, 16);
	tcase_add_test(t, urls_have_limits);
	suite_add_tcase(s, t);
	return s;
}
