/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with a password, made by 7z, zip and qpdf; those of Office as
 * [MS-OFFCRYPTO] says, and as msoffcrypto-tool opens them.
 */
#include <check.h>

#include "filters/password/password.h"
#include "proxy/base/file.h"
#include "tests/unit/detox/drive.h"

Suite *locked_suite(void);

#define KANA "\xe3\x83\x91\xe3\x82\xb9\xe8\xa1\xa8" /* パス表 */

static const struct {
	const char *name;
	const char *password;
	bool rebuilt_zip; /* with kept.txt */
} files[] = {
	{ "aes256.zip", "pass1234", true },
	{ "aes128.zip", "pass1234", true },
	{ "zipcrypto_7z.zip", "pass1234", true },
	{ "zipcrypto.zip", "pass1234", true },
	{ "cp932.zip", KANA, true },
	{ "utf8.zip", KANA, true },
	{ "standard.docx", KANA, false },
	{ "agile.docx", KANA, false },
	{ "agile_sha1.docx", "pass1234", false },
	{ "r6.pdf", "pass1234", false },
	{ "r4.pdf", "pass1234", false },
	{ "r2.pdf", "pass1234", false },
};

static void
run_file(struct drive_detox *t, const char *name)
{
	char path[128];
	struct err e;
	struct buf in;

	snprintf(path, sizeof(path), "tests/data/detox_locked/%s", name);
	buf_init(&in, 1 << 20);
	ck_assert_msg(file_read(path, &in, &e) == 0, "%s", e.text);
	drive_detox_run(t, buf_bytes(&in), name);
	buf_release(&in);
}

static void
give(struct drive_detox *t, const char *password)
{
	t->passwords.all[t->passwords.n++] = bytes_of(password);
}

START_TEST(locked_opens_with_its_password)
{
	struct drive_detox t;

	drive_detox_init(&t);
	give(&t, "wrong");
	give(&t, files[_i].password);
	run_file(&t, files[_i].name);
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", files[_i].name, t.d.why);
	ck_assert_uint_eq(t.d.opened, 1);
	ck_assert_uint_eq(t.d.locked, 0);
	ck_assert(!files[_i].rebuilt_zip ||
	    memmem(t.out.content.p, t.out.content.n, "kept", 4) != NULL);
	/* What comes out has none, and comes out again. */
	t.passwords.n = 0;
	struct buf again = t.out.content;

	t.out.content = (struct buf){ 0 };
	drive_detox_run(&t, buf_bytes(&again), "again");
	buf_release(&again);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	drive_detox_release(&t);
}
END_TEST

START_TEST(locked_tells_none_from_a_wrong_one)
{
	struct drive_detox t;

	drive_detox_init(&t);
	run_file(&t, files[_i].name);
	ck_assert_int_eq(t.d.refusal, REFUSED_ENCRYPTED);
	ck_assert_uint_eq(t.d.locked, 1);
	ck_assert_ptr_nonnull(strstr(t.d.why, "it needs a password"));
	give(&t, "Pass1234");
	give(&t, "\xe3\x83\x91"); /* パ */
	run_file(&t, files[_i].name);
	ck_assert_int_eq(t.d.refusal, REFUSED_ENCRYPTED);
	ck_assert_uint_eq(t.d.locked, 1);
	ck_assert_uint_eq(t.d.opened, 0);
	ck_assert_ptr_nonnull(strstr(t.d.why, "wrong password"));
	ck_assert_ptr_null(strstr(t.d.why, "Pass1234"));
	drive_detox_release(&t);
}
END_TEST

/* However the file is cut or changed, nothing of it is read beyond. */
START_TEST(locked_stands_damage)
{
	struct drive_detox t;
	char path[128];
	struct err e;
	struct buf in;

	drive_detox_init(&t);
	give(&t, files[_i].password);
	snprintf(
	    path, sizeof(path), "tests/data/detox_locked/%s", files[_i].name);
	buf_init(&in, 1 << 20);
	ck_assert(file_read(path, &in, &e) == 0);
	for (size_t at = 7; at < in.n; at += in.n / 23) {
		in.p[at] ^= 0x55;
		drive_detox_run(&t, buf_bytes(&in), files[_i].name);
		drive_detox_run(&t, (struct bytes){ in.p, at }, files[_i].name);
		in.p[at] ^= 0x55;
	}
	buf_release(&in);
	drive_detox_release(&t);
}
END_TEST

START_TEST(locked_with_nobodys_password_is_open)
{
	struct drive_detox t;

	drive_detox_init(&t);
	run_file(&t, "nobodys.xlsx");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", t.d.why);
	ck_assert_str_eq(t.out.extension, "xlsx");
	ck_assert_str_eq(t.d.format, "ole");
	drive_detox_release(&t);
}
END_TEST

static const struct {
	struct bytes utf8;
	struct bytes cp932; /* .p NULL: it has no other way */
} ways[] = {
	{ BYTES_ROW("pass1234"), { 0 } },
	{ BYTES_ROW(KANA), BYTES_ROW("\x83\x70\x83\x58\x95\x5c") },
	{ BYTES_ROW("a\xef\xbd\xb1"), BYTES_ROW("a\xb1") }, /* ｱ */
	{ BYTES_ROW("\xf0\x9f\x94\x91"), { 0 } },           /* a key */
};

START_TEST(locked_password_has_a_way_in_cp932)
{
	uint8_t room[DETOX_PASSWORD_MAX];
	struct err e;
	size_t n;

	ck_assert(detox_prepare(&e) == 0);
	ck_assert(password_cp932(ways[_i].utf8, room, &n) ==
	    (ways[_i].cp932.p != NULL));
	ck_assert(ways[_i].cp932.p == NULL ||
	    bytes_equal((struct bytes){ room, n }, ways[_i].cp932));
}
END_TEST

Suite *
locked_suite(void)
{
	Suite *s = suite_create("locked");
	TCase *c = tcase_create("locked");

	tcase_add_loop_test(c, locked_opens_with_its_password, 0, COUNT(files));
	tcase_add_loop_test(
	    c, locked_tells_none_from_a_wrong_one, 0, COUNT(files));
	tcase_add_loop_test(c, locked_stands_damage, 0, COUNT(files));
	tcase_add_test(c, locked_with_nobodys_password_is_open);
	tcase_add_loop_test(
	    c, locked_password_has_a_way_in_cp932, 0, COUNT(ways));
	suite_add_tcase(s, c);
	return s;
}
