/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with a password, made by 7z, zip, qpdf and LibreOffice (rc4.*,
 * nobodys.xls); the others of Office as [MS-OFFCRYPTO] says, and as
 * msoffcrypto-tool or LibreOffice opens them, which does not know api40.xls.
 */
#include <check.h>

#include "filters/ole/le.h"
#include "filters/password/password.h"
#include "proxy/base/file.h"
#include "tests/unit/detox/build_ole.h"
#include "tests/unit/detox/drive.h"

Suite *locked_suite(void);

#define KANA "\xe3\x83\x91\xe3\x82\xb9\xe8\xa1\xa8" /* パス表 */

#define KEPT BYTES_ROW("kept")
#define WIDE BYTES_ROW("k\0e\0p\0t\0 \0")

static const struct {
	const char *name;
	const char *password;
	struct bytes has; /* what comes out */
} files[] = {
	{ "aes256.zip", "pass1234", KEPT },
	{ "aes128.zip", "pass1234", KEPT },
	{ "zipcrypto_7z.zip", "pass1234", KEPT },
	{ "zipcrypto.zip", "pass1234", KEPT },
	{ "cp932.zip", KANA, KEPT },
	{ "utf8.zip", KANA, KEPT },
	{ "standard.docx", KANA, BYTES_ROW("") },
	{ "agile.docx", KANA, BYTES_ROW("") },
	{ "agile_sha1.docx", "pass1234", BYTES_ROW("") },
	{ "r6.pdf", "pass1234", BYTES_ROW("") },
	{ "r4.pdf", "pass1234", BYTES_ROW("") },
	{ "r2.pdf", "pass1234", BYTES_ROW("") },
	{ "rc4.xls", "pass1234", WIDE },
	{ "rc4.doc", KANA, WIDE },
	{ "api128.xls", "pass1234", WIDE },
	{ "api40.xls", KANA, WIDE },
	{ "api128.doc", "pass1234", WIDE },
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
	ck_assert(build_ole_contains(buf_bytes(&t.out.content), files[_i].has));
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

static const struct {
	const char *name;
	const char *extension; /* NULL: its own */
} nobodys[] = {
	{ "nobodys.xlsx", "xlsx" },
	{ "nobodys.xls", NULL },
};

START_TEST(locked_with_nobodys_password_is_open)
{
	struct drive_detox t;

	drive_detox_init(&t);
	run_file(&t, nobodys[_i].name);
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", t.d.why);
	ck_assert_pstr_eq(t.out.extension, nobodys[_i].extension);
	ck_assert_str_eq(t.d.format, "ole");
	ck_assert_uint_eq(t.d.opened, 0);
	drive_detox_release(&t);
}
END_TEST

/* How a workbook is encrypted, as its record says it. */
#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define API(flags, size, algorithm, bits)                          \
	"\1\0\2\0\2\0" flags "\0\0\0" size "\0\0\0" flags "\0\0\0" \
	"\0\0\0\0" algorithm "\0\0\4\x80\0\0" bits "\0\0\0"        \
	"\1\0\0\0\0\0\0\0\0\0\0\0"
#define PROOF(salt, sum) \
	salt "\0\0\0" ZEROS_16 ZEROS_16 sum "\0\0\0" ZEROS_16 "\0\0\0\0"

static const struct {
	const char *name;
	struct bytes told;
	enum detox_refusal want;
	unsigned locked;
} told[] = {
	{ "nothing", BYTES_ROW(""), REFUSED_ENCRYPTED, 0 },
	{ "another kind", BYTES_ROW("\7\0\1\0\1\0" ZEROS_16), REFUSED_ENCRYPTED,
	    0 },
	{ "no version", BYTES_ROW("\1\0\1\0"), REFUSED_BROKEN, 0 },
	{ "an unknown version", BYTES_ROW("\1\0\1\0\2\0" ZEROS_16),
	    REFUSED_ENCRYPTED, 0 },
	{ "cut", BYTES_ROW("\1\0\1\0\1\0" ZEROS_16 ZEROS_16), REFUSED_BROKEN,
	    0 },
	{ "all", BYTES_ROW("\1\0\1\0\1\0" ZEROS_16 ZEROS_16 ZEROS_16),
	    REFUSED_ENCRYPTED, 1 },
	{ "no head", BYTES_ROW("\1\0\2\0\2\0"), REFUSED_BROKEN, 0 },
	{ "a head beyond",
	    BYTES_ROW(
		API("\4", "\xff", "\1\x68", "\x80") PROOF("\x10", "\x14")),
	    REFUSED_BROKEN, 0 },
	{ "a head of no size",
	    BYTES_ROW(API("\4", "\0", "\1\x68", "\x80") PROOF("\x10", "\x14")),
	    REFUSED_BROKEN, 0 },
	{ "AES",
	    BYTES_ROW(
		API("\x24", "\x20", "\x0e\x66", "\x80") PROOF("\x10", "\x20")),
	    REFUSED_ENCRYPTED, 0 },
	{ "a key of 0 bits is one of 40",
	    BYTES_ROW(API("\4", "\x20", "\1\x68", "\0") PROOF("\x10", "\x14")),
	    REFUSED_ENCRYPTED, 1 },
	{ "a key that is too long",
	    BYTES_ROW(
		API("\4", "\x20", "\1\x68", "\x88") PROOF("\x10", "\x14")),
	    REFUSED_ENCRYPTED, 0 },
	{ "a key that is too short",
	    BYTES_ROW(
		API("\4", "\x20", "\1\x68", "\x20") PROOF("\x10", "\x14")),
	    REFUSED_ENCRYPTED, 0 },
	{ "a long salt",
	    BYTES_ROW(
		API("\4", "\x20", "\1\x68", "\x80") PROOF("\xff", "\x14")),
	    REFUSED_BROKEN, 0 },
	{ "a verifier that is cut",
	    BYTES_ROW(API("\4", "\x20", "\1\x68", "\x80") "\x10\0\0\0"),
	    REFUSED_BROKEN, 0 },
	{ "all, newer",
	    BYTES_ROW(
		API("\4", "\x20", "\1\x68", "\x80") PROOF("\x10", "\x14")),
	    REFUSED_ENCRYPTED, 1 },
};

static void
add_record(struct buf *b, unsigned type, struct bytes content)
{
	build_le16(b, type);
	build_le16(b, (unsigned)content.n);
	build_bytes(b, content);
}

static void
run_stream(struct drive_detox *t, const char *stream, struct bytes content)
{
	struct build_ole file;

	build_ole_init(&file);
	build_ole_add(&file, stream, content);
	drive_detox_run(t, build_ole_write(&file, NULL), "a");
	build_ole_release(&file);
}

static const uint8_t begin_of_file[16] = { 0, 6, 5 };

START_TEST(locked_refuses_what_it_is_not_told)
{
	struct drive_detox t;
	struct buf book = { 0 };

	drive_detox_init(&t);
	give(&t, "pass1234");
	add_record(&book, 0x809, (struct bytes){ begin_of_file, 16 });
	add_record(&book, 0x2f, told[_i].told);
	add_record(&book, 0x0a, BYTES(""));
	run_stream(&t, "Workbook", buf_bytes(&book));
	ck_assert_msg(t.d.refusal == told[_i].want && t.d.refusal != 0 &&
		t.d.locked == told[_i].locked,
	    "%s: %d %u %s", told[_i].name, (int)t.d.refusal, t.d.locked,
	    t.d.why);
	buf_release(&book);
	drive_detox_release(&t);
}
END_TEST

/* Other programs may look for it anywhere. */
START_TEST(locked_book_says_how_first)
{
	struct drive_detox t;
	struct buf book = { 0 };

	drive_detox_init(&t);
	give(&t, "pass1234");
	add_record(&book, 0x809, (struct bytes){ begin_of_file, 16 });
	add_record(&book, 0x42, BYTES("\xb0\x04"));
	add_record(
	    &book, 0x2f, BYTES("\1\0\1\0\1\0" ZEROS_16 ZEROS_16 ZEROS_16));
	add_record(&book, 0x0a, BYTES(""));
	run_stream(&t, "Workbook", buf_bytes(&book));
	ck_assert_int_eq(t.d.refusal, REFUSED_ENCRYPTED);
	ck_assert_uint_eq(t.d.locked, 0);
	buf_release(&book);
	drive_detox_release(&t);
}
END_TEST

/* Of a document: where in its head, what, and what becomes of it. */
static const struct {
	const char *name;
	size_t at;
	uint32_t value;
	enum detox_refusal want;
} documents[] = {
	{ "nothing", 0x0e, 0, REFUSED_BROKEN },
	{ "cut", 0x0e, 40, REFUSED_BROKEN },
	{ "beyond its table", 0x0e, UINT32_MAX, REFUSED_BROKEN },
	{ "obfuscated", 0x0a, 0xbf93f0, REFUSED_ENCRYPTED },
	{ "older than that", 0x02, 0x65, REFUSED_ENCRYPTED },
};

START_TEST(locked_document_says_how_it_is_encrypted)
{
	const char *path = "tests/data/detox_locked/rc4.doc";
	struct drive_detox t;
	struct err e;
	struct buf in;
	uint8_t *head;

	drive_detox_init(&t);
	give(&t, KANA);
	buf_init(&in, 1 << 20);
	ck_assert_msg(file_read(path, &in, &e) == 0, "%s", e.text);
	head = memmem(in.p, in.n, "\xec\xa5\x01\x01", 4);
	ck_assert_ptr_nonnull(head);
	put_le32(head + documents[_i].at, documents[_i].value);
	drive_detox_run(&t, buf_bytes(&in), "a.doc");
	ck_assert_msg(t.d.refusal == documents[_i].want, "%s: %s",
	    documents[_i].name, t.d.why);
	ck_assert_uint_eq(t.d.opened, 0);
	buf_release(&in);
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
	tcase_add_loop_test(
	    c, locked_with_nobodys_password_is_open, 0, COUNT(nobodys));
	tcase_add_loop_test(
	    c, locked_refuses_what_it_is_not_told, 0, COUNT(told));
	tcase_add_loop_test(
	    c, locked_document_says_how_it_is_encrypted, 0, COUNT(documents));
	tcase_add_test(c, locked_book_says_how_first);
	tcase_add_loop_test(
	    c, locked_password_has_a_way_in_cp932, 0, COUNT(ways));
	suite_add_tcase(s, c);
	return s;
}
