/* SPDX-License-Identifier: Apache-2.0 */
/* What a set refuses, in words; and files that are not what was compiled. */
#include "filters/text/set.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/filters/random_patterns.h"

Suite *set_suite(void);

static const struct {
	const char *text;
	enum set_kind kind;
	unsigned flags;
	const char *why; /* a part of the words; NULL: it is taken */
} cases[] = {
	{ "abc", SET_TEXT, 0, NULL },
	{ "", SET_TEXT, 0, "it has no byte" },
	{ "", SET_TEXT, SET_PHRASE, "it has no byte" },
	{ "\xff", SET_TEXT, SET_PHRASE, "it is not UTF-8" },
	{ "\xed\xa0\x80", SET_TEXT, SET_PHRASE, "it is not UTF-8" },
	{ "a+", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "a+", SET_TEXT, SET_PHRASE, NULL },
	{ "a+", SET_URLS, 0, NULL },
	{ "a.*b", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "a{0,4088}b", SET_TEXT, 0, NULL },
	{ "a{0,4096}b", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ ".{0,1025}b", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "a(?=.{0,2000}b)", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "a(?=.*b)", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "a(?!.*b)", SET_TEXT, 0, "not bounded by 4096 bytes" },
	{ "(?<=a+)b", SET_TEXT, 0, "lookbehind assertion is not fixed length" },
	{ "(a)\\1", SET_TEXT, 0, "back references are not taken" },
	{ "(?<n>a)(?P=n)", SET_TEXT, 0, "back references are not taken" },
	{ "(a)?(?(1)b|c)", SET_TEXT, 0, "conditions are not taken" },
	{ "(a)\\1", SET_URLS, 0, NULL },
	{ "a*", SET_TEXT, 0, "it matches where nothing is" },
	{ "(?=a)", SET_TEXT, 0, "it matches where nothing is" },
	{ "a?", SET_URLS, 0, NULL },
	{ "\\Ga", SET_TEXT, 0, "\\G at index 0 not supported" },
	{ "a\\Kb", SET_TEXT, 0, "\\K at index 1 not supported" },
	{ "a\\Rb", SET_TEXT, 0, "\\R at index 1 not supported" },
	{ "a(?1)?(b)", SET_TEXT, 0, "index" },
	{ "a(*ACCEPT)b", SET_TEXT, 0, "Unknown control verb" },
	{ "a\\Cb", SET_TEXT, 0, "\\C" },
	{ "a\\Cb", SET_URLS, 0, "\\C" },
	{ "\\p{Han}", SET_TEXT, 0, "\\p and \\P are not taken" },
	{ "\\\\p{Han}", SET_TEXT, 0, NULL },
	{ "(", SET_TEXT, 0, "missing closing parenthesis" },
	{ "(", SET_URLS, 0, "missing closing parenthesis" },
};

START_TEST(set_refuses_in_words)
{
	const struct set_pattern p[] = { { "good", "good", 1, 0, NULL },
		{ "this one", cases[_i].text, 1, cases[_i].flags, NULL } };
	struct err e = { 0 };
	struct buf file;
	int result;

	buf_init(&file, 1 << 24);
	result = set_compile(cases[_i].kind, p, 2, &file, &e);
	if (cases[_i].why == NULL) {
		ck_assert_msg(result == 0, "%s: %s", cases[_i].text, e.text);
	} else {
		ck_assert_msg(result < 0, "%s", cases[_i].text);
		ck_assert_uint_eq(file.n, 0);
		ck_assert_ptr_nonnull(strstr(e.text, "pattern \"this one\": "));
		ck_assert_msg(strstr(e.text, cases[_i].why) != NULL, "%s: %s",
		    cases[_i].text, e.text);
	}
	buf_release(&file);
}
END_TEST

START_TEST(set_of_none_is_refused)
{
	struct err e = { 0 };
	struct buf file;

	buf_init(&file, 1 << 24);
	ck_assert_int_lt(set_compile(SET_TEXT, NULL, 0, &file, &e), 0);
	ck_assert_str_eq(e.text, "a set has 1 to 100000 patterns");
	buf_release(&file);
}
END_TEST

static const struct set_pattern some[] = {
	{ "phrase", "秘密", 50, SET_PHRASE, NULL },
	{ "pattern", "a(?=b)[cb]{1,3}", -7, SET_CASELESS, NULL },
};

static void
compile(enum set_kind kind, struct buf *file)
{
	struct err e = { 0 };

	buf_init(file, 1 << 24);
	ck_assert_int_eq(set_compile(kind, some, COUNT(some), file, &e), 0);
}

START_TEST(set_says_what_is_in_it)
{
	struct err e = { 0 };
	struct buf file;
	struct set *s;

	compile(SET_TEXT, &file);
	s = set_open(SET_TEXT, buf_bytes(&file), SET_CODE_PLAIN, &e);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(set_count(s), 2);
	ck_assert_str_eq(set_name(s, 1), "pattern");
	ck_assert_int_eq(set_weight(s, 1), -7);
	set_free(s);
	set_free(NULL);
	buf_release(&file);
}
END_TEST

static const enum set_kind kinds[] = { SET_TEXT, SET_URLS };

START_TEST(set_file_is_whole_or_refused)
{
	enum set_kind kind = kinds[_i];
	struct err e = { 0 };
	struct buf file;

	compile(kind, &file);
	for (size_t n = 0; n < file.n; n += n < 200 ? 1 : 97)
		ck_assert_ptr_null(set_open(
		    kind, (struct bytes){ file.p, n }, SET_CODE_PLAIN, &e));
	for (size_t i = 0; i < file.n; i += i < 200 ? 1 : 31) {
		file.p[i] ^= 1;
		ck_assert_ptr_null(
		    set_open(kind, buf_bytes(&file), SET_CODE_PLAIN, &e));
		file.p[i] ^= 1;
	}
	ck_assert_ptr_null(
	    set_open(kinds[1 - _i], buf_bytes(&file), SET_CODE_PLAIN, &e));
	ck_assert_str_eq(
	    e.text, "it is a set of another kind: compile the list again");
	buf_release(&file);
}
END_TEST

START_TEST(set_is_mapped_from_its_file)
{
	char path[] = "/tmp/sekisho-set-XXXXXX";
	int fd = mkstemp(path);
	struct err e = { 0 };
	struct buf file;
	struct set *s;

	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_null(set_map(SET_TEXT, path, SET_CODE_JIT, &e));
	ck_assert_ptr_nonnull(strstr(e.text, path));
	compile(SET_TEXT, &file);
	ck_assert_int_eq(write(fd, file.p, file.n), (ssize_t)file.n);
	s = set_map(SET_TEXT, path, SET_CODE_JIT, &e);
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(set_name(s, 0), "phrase");
	set_free(s);
	ck_assert_int_eq(pwrite(fd, "x", 1, 40), 1);
	ck_assert_ptr_null(set_map(SET_TEXT, path, SET_CODE_JIT, &e));
	ck_assert_ptr_nonnull(strstr(e.text, path));
	close(fd);
	unlink(path);
	ck_assert_ptr_null(set_map(SET_TEXT, path, SET_CODE_JIT, &e));
	buf_release(&file);
}
END_TEST

START_TEST(set_keeps_within_its_buffer)
{
	struct err e = { 0 };
	struct buf file;
	size_t need;

	compile(SET_TEXT, &file);
	need = file.n;
	buf_release(&file);
	for (size_t max = 0; max < need; max += 1 + need / 50) {
		buf_init(&file, max);
		ck_assert_int_lt(
		    set_compile(SET_TEXT, some, COUNT(some), &file, &e), 0);
		ck_assert_str_eq(e.text, "the compiled set is over its limit");
		buf_release(&file);
	}
}
END_TEST

Suite *
set_suite(void)
{
	Suite *s = suite_create("set");
	TCase *t = tcase_create("set");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, set_refuses_in_words, 0, COUNT(cases));
	tcase_add_test(t, set_of_none_is_refused);
	tcase_add_test(t, set_says_what_is_in_it);
	tcase_add_loop_test(t, set_file_is_whole_or_refused, 0, COUNT(kinds));
	tcase_add_test(t, set_is_mapped_from_its_file);
	tcase_add_test(t, set_keeps_within_its_buffer);
	suite_add_tcase(s, t);
	return s;
}
