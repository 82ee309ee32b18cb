/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "filters/archive/names.h"
#include "tests/unit/detox/drive.h"

Suite *archive_names_suite(void);

#define REFUSED NULL
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define KANA_10 "ああああああああああ"
#define DEEP_8 "d/d/d/d/d/d/d/d/"
#define DEEP_56 DEEP_8 DEEP_8 DEEP_8 DEEP_8 DEEP_8 DEEP_8 DEEP_8

static const struct {
	const char *raw;
	const char *path;
	bool changed;
} names[] = {
	{ "a.txt", "a.txt", false },
	{ "dir/a.txt", "dir/a.txt", false },
	{ "dir\\a.txt", "dir/a.txt", false },
	{ "./dir//./a.txt", "dir/a.txt", false },
	{ "./", "", false },
	{ "dir/", "dir", false },
	{ ".bashrc", ".bashrc", false },
	{ "住民票（写）.pdf", "住民票（写）.pdf", false },
	/* In CP932, whose 0x5c is no '\\' there. */
	{ "\x95\x5c\x8e\xa6.txt", "表示.txt", false },
	{ "\x83\x5c\\\x83\x5c.txt", "ソ/ソ.txt", false },
	/* As Windows reads it, not as JIS does. */
	{ "\x81\x60\x81\x7c.txt", "～－.txt", false },
	/* Paths that lead out. */
	{ "", REFUSED, false },
	{ "/a.txt", REFUSED, false },
	{ "\\a.txt", REFUSED, false },
	{ "\\\\host\\a.txt", REFUSED, false },
	{ "../a.txt", REFUSED, false },
	{ "dir/../a.txt", REFUSED, false },
	{ "dir\\..\\a.txt", REFUSED, false },
	{ "..", REFUSED, false },
	{ "dir/.. /a.txt", REFUSED, false },
	{ "dir/. ./a.txt", REFUSED, false },
	{ "dir/.../a.txt", REFUSED, false },
	{ ".\xe2\x80\x8b./a.txt", REFUSED, false },
	{ "\xe2\x80\xae/a.txt", REFUSED, false },
	{ "C:\\a.txt", REFUSED, false },
	{ "c:a.txt", REFUSED, false },
	{ "\xe2\x80\x8b"
	  "c:a.txt",
	    REFUSED, false },
	/* What is not seen, or turns around. */
	{ "a\xe2\x80\xae"
	  "fdp.exe",
	    "afdp.exe", true },
	{ "a\xe2\x81\xa6.txt", "a.txt", true },
	{ "a\xe2\x80\x8b.txt", "a.txt", true },
	{ "\xef\xbb\xbf"
	  "a.txt",
	    "a.txt", true },
	{ "a\xc2\xad.txt", "a.txt", true },
	{ "a\xf3\xa0\x81\xa1.txt", "a.txt", true },
	/* Selectors of kanji are part of names of places. */
	{ "葛\xf3\xa0\x84\x80城.txt", "葛\xf3\xa0\x84\x80城.txt", false },
	/* What Windows forbids. */
	{ "a\nb.txt", "a_b.txt", true },
	{ "a\x7f.txt", "a_.txt", true },
	{ "a\xc2\x85.txt", "a_.txt", true },
	{ "a*?\"<>|b.txt", "a______b.txt", true },
	{ "a.txt:stream", "a.txt_stream", true },
	{ "a.txt.", "a.txt", true },
	{ "a.exe. .", "a.exe", true },
	{ "dir /a.txt", "dir/a.txt", true },
	{ " ", "_", true },
	{ "CON", "_CON", true },
	{ "con.txt", "_con.txt", true },
	{ "Aux .txt", "_Aux .txt", true },
	{ "dir/COM1", "dir/_COM1", true },
	{ "LPT\xc2\xb2.txt", "_LPT\xc2\xb2.txt", true },
	{ "COM10", "COM10", false },
	{ "CONTENT.txt", "CONTENT.txt", false },
	/* Of a class of Windows. */
	{ "a.{645FF040}/b.txt", "a_{645FF040}/b.txt", true },
	{ "a.{b}.{645FF040}. /", "a_{b}_{645FF040}", true },
	{ "a.{645FF040}", "a.{645FF040}", false },
	/* Composed, as elsewhere than on macOS. */
	{ "か\xe3\x82\x99.txt", "が.txt", false },
	{ "ハ\xe3\x82\x9aウ\xe3\x82\x99.txt", "パヴ.txt", false },
	{ "ハ\xe3\x82\x99ほ\xe3\x82\x9a.txt", "バぽ.txt", false },
	{ "つ\xe3\x82\x99ト\xe3\x82\x99ヲ\xe3\x82\x99.txt", "づドヺ.txt",
	    false },
	{ "ん\xe3\x82\x99.txt", "ん\xe3\x82\x99.txt", false },
	{ "To\xcc\x84kyo\xcc\x84.txt", "Tōkyō.txt", false },
	{ "u\xcc\x88\xcc\x81.txt", "ü\xcc\x81.txt", false },
	/* Lengths. */
	{ HUNDRED HUNDRED TEN TEN TEN TEN, HUNDRED HUNDRED TEN TEN TEN TEN,
	    false },
	{ HUNDRED HUNDRED TEN TEN TEN TEN ".txt",
	    HUNDRED HUNDRED TEN TEN TEN "012345.txt", true },
	{ KANA_10 KANA_10 KANA_10 KANA_10 KANA_10 KANA_10 KANA_10 KANA_10
	    "あ.xlsx",
	    KANA_10 KANA_10 KANA_10 KANA_10 KANA_10 KANA_10 KANA_10
	    "ああああああああ.xlsx",
	    true },
	{ DEEP_56 "d/d/d/d/d/d/d/a", DEEP_56 "d/d/d/d/d/d/d/a", false },
	{ DEEP_56 "d/d/d/d/d/d/d/d/a", REFUSED, false },
};

START_TEST(name_becomes_safe)
{
	struct drive_detox t;
	struct bytes raw = bytes_of(names[_i].raw);
	uint8_t *copy = malloc(raw.n + (raw.n == 0));
	struct name n = { 0 };
	enum detox_result r;

	if (raw.n > 0)
		memcpy(copy, raw.p, raw.n);
	drive_detox_init(&t);
	r = name_clean(&t.d, (struct bytes){ copy, raw.n }, NAME_CP932, &n);
	ck_assert_msg((r == DETOX_REFUSED) == (names[_i].path == NULL),
	    "%s: %s", names[_i].raw, n.path);
	if (r == DETOX_REFUSED) {
		ck_assert_int_eq(t.d.refusal, REFUSED_PATH);
	} else {
		ck_assert_str_eq(n.path, names[_i].path);
		ck_assert_msg(
		    n.changed == names[_i].changed, "%s", names[_i].raw);
	}
	free(copy);
	drive_detox_release(&t);
}
END_TEST

START_TEST(name_of_any_bytes_is_read)
{
	struct drive_detox t;
	struct name n;
	uint8_t raw[3];

	drive_detox_init(&t);
	for (unsigned i = 0; i < 0x10000; i++) {
		raw[0] = (uint8_t)(i >> 8);
		raw[1] = (uint8_t)i;
		raw[2] = '\\';
		t.d.refusal = REFUSED_NOT;
		if (name_clean(&t.d, (struct bytes){ raw, 3 }, NAME_GUESS,
			&n) == DETOX_REBUILT)
			ck_assert(strchr(n.path, '\\') == NULL);
	}
	drive_detox_release(&t);
}
END_TEST

START_TEST(name_has_a_longest)
{
	static uint8_t raw[NAME_RAW_MAX + 1];
	struct drive_detox t;
	struct name n;

	memset(raw, 'a', sizeof(raw));
	for (size_t i = 100; i < sizeof(raw); i += 100)
		raw[i] = '/';
	drive_detox_init(&t);
	ck_assert(name_clean(&t.d, (struct bytes){ raw, NAME_RAW_MAX },
		      NAME_GUESS, &n) == DETOX_REBUILT);
	ck_assert(name_clean(&t.d, (struct bytes){ raw, sizeof(raw) },
		      NAME_GUESS, &n) == DETOX_REFUSED);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *path;
	const char *target;
	enum name_link kind;
	bool leaves;
} links[] = {
	{ "b", "a", NAME_LINK_SYMBOLIC, false },
	{ "d/b", "../a", NAME_LINK_SYMBOLIC, false },
	{ "d/b", "../../a", NAME_LINK_SYMBOLIC, true },
	{ "d/b", "x/../../a", NAME_LINK_SYMBOLIC, false },
	{ "d/b", "x\\..\\..\\..\\a", NAME_LINK_SYMBOLIC, true },
	{ "b", "/a", NAME_LINK_SYMBOLIC, true },
	{ "b", "\\a", NAME_LINK_SYMBOLIC, true },
	{ "b", "C:a", NAME_LINK_SYMBOLIC, true },
	{ "b", "", NAME_LINK_SYMBOLIC, true },
	{ "d/b", "a", NAME_LINK_HARD, false },
	{ "d/b", "./d/../a", NAME_LINK_HARD, false },
	{ "d/b", "../a", NAME_LINK_HARD, true },
};

START_TEST(name_link_leads_out_or_not)
{
	ck_assert_msg(
	    name_link_leaves(bytes_of(links[_i].path),
		bytes_of(links[_i].target), links[_i].kind) == links[_i].leaves,
	    "%s -> %s", links[_i].path, links[_i].target);
}
END_TEST

/* Entries one after the other: what each gets. */
static const struct {
	const char *name;
	struct name first, second;
	const char *second_path; /* NULL: refused */
} pairs[] = {
	{ "another", { .path = "a.txt" }, { .path = "b.txt" }, "b.txt" },
	{ "the same", { .path = "a.txt" }, { .path = "a.txt" }, NULL },
	{ "another case", { .path = "a.txt" }, { .path = "A.TXT" },
	    "A (2).TXT" },
	{ "another case of é", { .path = "é" }, { .path = "É" }, "É (2)" },
	{ "another case of Ω", { .path = "ω" }, { .path = "Ω" }, "Ω (2)" },
	{ "another case of Ａ", { .path = "ａ.txt" }, { .path = "Ａ.txt" },
	    "Ａ (2).txt" },
	{ "another case of a folder", { .path = "d/a" }, { .path = "D/A" },
	    "D/A (2)" },
	{ "the same of ours", { .path = "a", .ours = true }, { .path = "a" },
	    "a (2)" },
	{ "a folder twice", { .path = "d", .folder = true },
	    { .path = "D", .folder = true }, "D" },
	{ "a folder of what was there", { .path = "d/a" },
	    { .path = "d", .folder = true }, "d" },
	{ "a file that is a folder", { .path = "d/a" }, { .path = "D" }, NULL },
	{ "a folder that is a file", { .path = "d" }, { .path = "D/a" }, NULL },
	{ "a said folder that is a file", { .path = "d" },
	    { .path = "D", .folder = true }, NULL },
};

START_TEST(names_come_once)
{
	struct drive_detox t;
	struct names s = { 0 };
	bool fresh;
	const char *path;

	drive_detox_init(&t);
	path = names_take(&t.d, &s, &pairs[_i].first, &fresh);
	ck_assert(path != NULL && fresh);
	ck_assert_str_eq(path, pairs[_i].first.path);
	path = names_take(&t.d, &s, &pairs[_i].second, &fresh);
	ck_assert_msg((path == NULL) == (pairs[_i].second_path == NULL), "%s",
	    pairs[_i].name);
	if (path == NULL)
		ck_assert_int_eq(t.d.refusal, REFUSED_DUPLICATE);
	else
		ck_assert_str_eq(path, pairs[_i].second_path);
	drive_detox_release(&t);
}
END_TEST

/* The first number that is free, however many there are. */
START_TEST(names_get_numbers)
{
	const struct name two = { .path = "a (2).txt" };
	const struct name one = { .path = "a.txt", .ours = true };
	struct drive_detox t;
	struct names s = { 0 };
	char want[32];
	bool fresh;

	drive_detox_init(&t);
	ck_assert_ptr_nonnull(names_take(&t.d, &s, &two, &fresh));
	ck_assert_str_eq(names_take(&t.d, &s, &one, &fresh), "a.txt");
	for (unsigned i = 3; i < 3000; i++) {
		snprintf(want, sizeof(want), "a (%u).txt", i);
		ck_assert_str_eq(names_take(&t.d, &s, &one, &fresh), want);
	}
	drive_detox_release(&t);
}
END_TEST

Suite *
archive_names_suite(void)
{
	Suite *s = suite_create("archive_names");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, name_becomes_safe, 0, COUNT(names));
	tcase_add_test(t, name_of_any_bytes_is_read);
	tcase_add_test(t, name_has_a_longest);
	tcase_add_loop_test(t, name_link_leads_out_or_not, 0, COUNT(links));
	tcase_add_loop_test(t, names_come_once, 0, COUNT(pairs));
	tcase_add_test(t, names_get_numbers);
	suite_add_tcase(s, t);
	return s;
}
