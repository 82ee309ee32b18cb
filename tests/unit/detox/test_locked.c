/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with a password, made by 7z, zip, qpdf and LibreOffice (rc4.*,
 * nobodys.xls, aes.ods), and Apache POI (api40.ppt, xor.xls); the others of
 * Office as [MS-OFFCRYPTO] says, and as msoffcrypto-tool or LibreOffice opens
 * them. Other documents of OpenDocument hash the password a few times alone,
 * and LibreOffice opens them.
 */
#include <check.h>

#include "filters/ole/le.h"
#include "filters/package/package.h"
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
	{ "api40.ppt", "pass1234", WIDE },
	{ "xor.xls", "odd1234", WIDE },
	{ "xor95.xls", KANA, KEPT },
	{ "xor.doc", KANA, WIDE },
	{ "aes.odt", "pass1234", BYTES_ROW("content.xml") },
	{ "blowfish.odt", KANA, BYTES_ROW("content.xml") },
	/* The slow ones, which no test tries often. */
	{ "aes.ods", "pass1234", BYTES_ROW("content.xml") },
};

#define SLOW 1

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

/* Each field of a picture is encrypted by itself. */
START_TEST(locked_presentation_has_its_picture)
{
	static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
	struct drive_detox t;
	struct buf pictures;

	drive_detox_init(&t);
	give(&t, "pass1234");
	run_file(&t, "api40.ppt");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", t.d.why);
	pictures = build_ole_read(buf_bytes(&t.out.content), "Pictures");
	ck_assert_uint_ge(pictures.n, 25 + sizeof(png));
	ck_assert_mem_eq(pictures.p, "\x00\x6e\x1e\xf0", 4);
	ck_assert_mem_eq(pictures.p + 25, png, sizeof(png) - 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, NULL), 0);
	buf_release(&pictures);
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
	{ "obfuscated", BYTES_ROW("\0\0\1\2\3\4"), REFUSED_ENCRYPTED, 1 },
	{ "obfuscated, cut", BYTES_ROW("\0\0\1\2\3"), REFUSED_BROKEN, 0 },
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

static void
check_told(size_t i)
{
	struct drive_detox t;
	struct buf book = { 0 };

	drive_detox_init(&t);
	give(&t, "pass1234");
	add_record(&book, 0x809, (struct bytes){ begin_of_file, 16 });
	add_record(&book, 0x2f, told[i].told);
	add_record(&book, 0x0a, BYTES(""));
	run_stream(&t, "Workbook", buf_bytes(&book));
	ck_assert_msg(t.d.refusal == told[i].want && t.d.refusal != 0 &&
		t.d.locked == told[i].locked,
	    "%s: %d %u %s", told[i].name, (int)t.d.refusal, t.d.locked,
	    t.d.why);
	buf_release(&book);
	drive_detox_release(&t);
}

START_TEST(locked_refuses_what_it_is_not_told)
{
	for (size_t i = 0; i < COUNT(told); i++)
		check_told(i);
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

/* What tells how a file is encrypted becomes something else: where, from these
 * bytes on, and what. */
#define WORD BYTES_ROW("\xec\xa5\1\1")
#define EDIT BYTES_ROW("\0\0\xf5\x0f\x20\0\0\0")
static const struct {
	const char *name;
	const char *file;
	struct bytes from;
	size_t at;
	uint32_t value;
	enum detox_refusal want;
} heads[] = {
	{ "nothing", "rc4.doc", WORD, 0x0e, 0, REFUSED_BROKEN },
	{ "cut", "rc4.doc", WORD, 0x0e, 40, REFUSED_BROKEN },
	{ "beyond its table", "rc4.doc", WORD, 0x0e, UINT32_MAX,
	    REFUSED_BROKEN },
	{ "obfuscated", "rc4.doc", WORD, 0x0a, 0xbf93f0, REFUSED_ENCRYPTED },
	{ "older than that", "rc4.doc", WORD, 0x02, 0x65, REFUSED_ENCRYPTED },
	{ "no object", "api40.ppt", EDIT, 36, 0, REFUSED_BROKEN },
	{ "another object", "api40.ppt", EDIT, 36, 1, REFUSED_BROKEN },
	{ "an object beyond", "api40.ppt", EDIT, 36, UINT32_MAX,
	    REFUSED_BROKEN },
	{ "an older edit", "api40.ppt", EDIT, 16, 8, REFUSED_BROKEN },
};

static void
check_head(size_t i)
{
	struct bytes from = heads[i].from;
	struct drive_detox t;
	char path[128];
	struct err e;
	struct buf in;
	uint8_t *at;

	drive_detox_init(&t);
	give(&t, KANA);
	give(&t, "pass1234");
	snprintf(
	    path, sizeof(path), "tests/data/detox_locked/%s", heads[i].file);
	buf_init(&in, 1 << 20);
	ck_assert_msg(file_read(path, &in, &e) == 0, "%s", e.text);
	at = memmem(in.p, in.n, from.p, from.n);
	ck_assert_ptr_nonnull(at);
	put_le32(at + heads[i].at, heads[i].value);
	drive_detox_run(&t, buf_bytes(&in), heads[i].file);
	ck_assert_msg(
	    t.d.refusal == heads[i].want, "%s: %s", heads[i].name, t.d.why);
	ck_assert_uint_eq(t.d.opened, 0);
	buf_release(&in);
	drive_detox_release(&t);
}

START_TEST(locked_file_says_how_it_is_encrypted)
{
	for (size_t i = 0; i < COUNT(heads); i++)
		check_head(i);
}
END_TEST

/* How a part of a package is encrypted, as the manifest says it. */
#define M "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
#define AES256 "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
#define IV "AAAAAAAAAAAAAAAAAAAAAA=="
#define SPINS_AND "m:salt='AAAA' m:iteration-count="
#define SUM_20 "AAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct {
	const char *name;
	const char *size, *sum, *cipher, *iv, *begin, *derivation;
	enum detox_refusal want;
	unsigned locked;
} manifests[] = {
	{ "all", "5", "", AES256, IV, "", SPINS_AND "'10' m:key-size='32'",
	    REFUSED_ENCRYPTED, 1 },
	{ "Blowfish", "5", "", "Blowfish CFB", "AAAAAAAAAAA=", "",
	    SPINS_AND "'10'", REFUSED_ENCRYPTED, 1 },
	{ "as often as may be", "5", "", AES256, IV, "",
	    SPINS_AND "'1000000' m:key-size='32'", REFUSED_ENCRYPTED, 1 },
	{ "more often", "5", "", AES256, IV, "",
	    SPINS_AND "'1000001' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "very often", "5", "", AES256, IV, "",
	    SPINS_AND "'4294967297' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "never", "5", "", AES256, IV, "", SPINS_AND "'0' m:key-size='32'",
	    REFUSED_ENCRYPTED, 0 },
	{ "less than never", "5", "", AES256, IV, "",
	    SPINS_AND "'-1' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "without salt", "5", "", AES256, IV, "",
	    "m:iteration-count='10' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "a short key", "5", "", AES256, IV, "",
	    SPINS_AND "'10' m:key-size='16'", REFUSED_ENCRYPTED, 0 },
	{ "a long key", "5", "", "Blowfish CFB", "AAAAAAAAAAA=", "",
	    SPINS_AND "'10' m:key-size='56'", REFUSED_ENCRYPTED, 0 },
	{ "a short beginning", "5", "", AES256, "AAAA", "",
	    SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "another cipher", "5", "",
	    "http://www.w3.org/2009/xmlenc11#aes256-gcm", IV, "",
	    SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "another hash", "5", "", AES256, IV,
	    "<m:start-key-generation m:start-key-generation-name='MD5'/>",
	    SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
	{ "another sum", "5", "m:checksum-type='CRC' m:checksum='" SUM_20 "'",
	    AES256, IV, "", SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED,
	    0 },
	{ "a short sum", "5", "m:checksum-type='SHA1/1K' m:checksum='AAAA'",
	    AES256, IV, "", SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED,
	    0 },
	{ "no size", "", "", AES256, IV, "", SPINS_AND "'10' m:key-size='32'",
	    REFUSED_ENCRYPTED, 0 },
	{ "a size of 4 GB", "4294967295", "", AES256, IV, "",
	    SPINS_AND "'10' m:key-size='32'", REFUSED_BOMB, 0 },
	{ "a larger size", "99999999999", "", AES256, IV, "",
	    SPINS_AND "'10' m:key-size='32'", REFUSED_ENCRYPTED, 0 },
};

#define ENTRY                                                      \
	"<m:file-entry m:full-path='content.xml' m:size='%s'>"     \
	"<m:encryption-data %s><m:algorithm m:algorithm-name='%s'" \
	" m:initialisation-vector='%s'/>%s<m:key-derivation"       \
	" m:key-derivation-name='PBKDF2' %s/></m:encryption-data>" \
	"</m:file-entry>"
#define WHOLE(entries) "<m:manifest xmlns:m='" M "'>" entries "</m:manifest>"

static void
run_manifest(struct drive_detox *t, const char *manifest)
{
	static const struct {
		const char *name;
		struct bytes content;
	} parts[] = {
		{ "mimetype",
		    BYTES_ROW("application/vnd.oasis.opendocument.text") },
		{ "content.xml", BYTES_ROW(ZEROS_16) },
	};
	struct package_writer *w = package_writer_new();
	struct detox_output in = { 0 };

	drive_detox_init(t);
	give(t, "pass1234");
	buf_init(&in.content, 1 << 20);
	for (size_t i = 0; i < COUNT(parts); i++)
		ck_assert(package_add(&t->d, w, parts[i].name, parts[i].content,
			      PACKAGE_STORED) == DETOX_REBUILT);
	ck_assert(package_add(&t->d, w, "META-INF/manifest.xml",
		      bytes_of(manifest), PACKAGE_STORED) == DETOX_REBUILT);
	ck_assert(package_finish(&t->d, w, &in) == DETOX_REBUILT);
	package_writer_free(w);
	drive_detox_run(t, buf_bytes(&in.content), "a.odt");
	buf_release(&in.content);
}

static void
check_manifest(size_t i)
{
	struct drive_detox t;
	char manifest[2048];

	snprintf(manifest, sizeof(manifest), WHOLE(ENTRY), manifests[i].size,
	    manifests[i].sum, manifests[i].cipher, manifests[i].iv,
	    manifests[i].begin, manifests[i].derivation);
	run_manifest(&t, manifest);
	ck_assert_msg(t.d.refusal == manifests[i].want &&
		t.d.locked == manifests[i].locked,
	    "%s: %d %u %s", manifests[i].name, (int)t.d.refusal, t.d.locked,
	    t.d.why);
	drive_detox_release(&t);
}

START_TEST(locked_package_says_how_it_is_encrypted)
{
	for (size_t i = 0; i < COUNT(manifests); i++)
		check_manifest(i);
}
END_TEST

#define ONE                                                             \
	"<m:file-entry m:full-path='content.xml' m:size='5'>"           \
	"<m:encryption-data><m:algorithm m:algorithm-name='" AES256 "'" \
	" m:initialisation-vector='" IV "'/><m:key-derivation"          \
	" m:key-derivation-name='PBKDF2' " SPINS_AND                    \
	"'10' m:key-size='32'/></m:encryption-data></m:file-entry>"

static const struct {
	const char *name;
	const char *manifest;
	enum detox_refusal want;
	unsigned locked;
} wholes[] = {
	{ "one", WHOLE(ONE), REFUSED_ENCRYPTED, 1 },
	{ "of OpenOffice.org",
	    "<!DOCTYPE manifest:manifest PUBLIC \"-//OpenOffice.org//DTD"
	    " Manifest 1.0//EN\" \"Manifest.dtd\">" WHOLE(ONE),
	    REFUSED_ENCRYPTED, 1 },
	{ "of another kind", "<!DOCTYPE manifest>" WHOLE(ONE), REFUSED_ENTITY,
	    0 },
	{ "two", WHOLE(ONE ONE), REFUSED_DUPLICATE, 0 },
	{ "in a comment", WHOLE("<!--encryption-data-->"), REFUSED_ENCRYPTED,
	    0 },
	{ "of nothing",
	    WHOLE("<m:file-entry m:full-path='a'><m:encryption-data/>"
		  "</m:file-entry>"),
	    REFUSED_ENCRYPTED, 0 },
	{ "in another element", WHOLE("<m:a>" ONE "</m:a>"), REFUSED_ENCRYPTED,
	    0 },
	{ "cut", "<m:manifest xmlns:m='" M "'>" ONE, REFUSED_BROKEN, 0 },
};

static void
check_whole(size_t i)
{
	struct drive_detox t;

	run_manifest(&t, wholes[i].manifest);
	ck_assert_msg(
	    t.d.refusal == wholes[i].want && t.d.locked == wholes[i].locked,
	    "%s: %d %u %s", wholes[i].name, (int)t.d.refusal, t.d.locked,
	    t.d.why);
	drive_detox_release(&t);
}

START_TEST(locked_manifest_has_one_reading)
{
	for (size_t i = 0; i < COUNT(wholes); i++)
		check_whole(i);
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

	/* Passwords are hashed often, also on a busy computer. */
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, locked_opens_with_its_password, 0, COUNT(files));
	tcase_add_test(c, locked_presentation_has_its_picture);
	tcase_add_loop_test(
	    c, locked_tells_none_from_a_wrong_one, 0, COUNT(files));
	tcase_add_loop_test(c, locked_stands_damage, 0, COUNT(files) - SLOW);
	tcase_add_loop_test(
	    c, locked_with_nobodys_password_is_open, 0, COUNT(nobodys));
	tcase_add_test(c, locked_refuses_what_it_is_not_told);
	tcase_add_test(c, locked_file_says_how_it_is_encrypted);
	tcase_add_test(c, locked_book_says_how_first);
	tcase_add_test(c, locked_package_says_how_it_is_encrypted);
	tcase_add_test(c, locked_manifest_has_one_reading);
	tcase_add_loop_test(
	    c, locked_password_has_a_way_in_cp932, 0, COUNT(ways));
	suite_add_tcase(s, c);
	return s;
}
