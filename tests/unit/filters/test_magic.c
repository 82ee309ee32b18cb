/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/magic/magic.h"

#include <check.h>

#include "proxy/base/arena.h"
#include "tests/unit/filters/drive.h"

Suite *magic_suite(void);

#define ZIP_HEAD(n, name) \
	"PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" n "\0\0\0" name

static const struct {
	struct bytes head;
	enum magic_type type;
} types[] = {
	{ BYTES_ROW(""), MAGIC_UNKNOWN },
	{ BYTES_ROW("\x01\x02\x03"), MAGIC_UNKNOWN },
	{ BYTES_ROW("hello, 日本"), MAGIC_TEXT },
	{ BYTES_ROW("\xff\xfeh\0"), MAGIC_TEXT },
	{ BYTES_ROW("\x1b$B$3\x1b(B"), MAGIC_TEXT },
	{ BYTES_ROW("%PDF-1.7\n"), MAGIC_PDF },
	{ BYTES_ROW("junk\n%PDF-1.7\n"), MAGIC_PDF },
	{ BYTES_ROW("%!PS-Adobe"), MAGIC_POSTSCRIPT },
	{ BYTES_ROW(ZIP_HEAD("\5", "a.txt")), MAGIC_ZIP },
	{ BYTES_ROW(ZIP_HEAD("\x13", "[Content_Types].xml")), MAGIC_OOXML },
	{ BYTES_ROW(ZIP_HEAD("\x08",
	      "mimetype"
	      "application/vnd.oasis.opendocument.text")),
	    MAGIC_ODF },
	{ BYTES_ROW(ZIP_HEAD("\x08", "mimetypeapplication/epub+zip")),
	    MAGIC_EPUB },
	{ BYTES_ROW(ZIP_HEAD("\x14", "META-INF/MANIFEST.MF")), MAGIC_JAR },
	{ BYTES_ROW(ZIP_HEAD("\x15", "META-INF/manifest.xml")), MAGIC_ZIP },
	{ BYTES_ROW(ZIP_HEAD("\x09", "META-INF/")), MAGIC_JAR },
	{ BYTES_ROW(ZIP_HEAD("\x13", "AndroidManifest.xml")), MAGIC_APK },
	{ BYTES_ROW("PK\5\6"), MAGIC_ZIP },
	{ BYTES_ROW("PK"), MAGIC_TEXT },
	{ BYTES_ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), MAGIC_OLE2 },
	{ BYTES_ROW("\x09\x08\x08\0\0\0\x10\0"), MAGIC_BIFF },
	{ BYTES_ROW("\x09\4\6\0\0\4\x10\0"), MAGIC_BIFF },
	{ BYTES_ROW("\x09\0\4\0\2\0\x10\0"), MAGIC_BIFF },
	{ BYTES_ROW("\x09\0\4\0\2\0\x10"), MAGIC_UNKNOWN },
	{ BYTES_ROW("\x09\1\4\0\2\0\x10\0"), MAGIC_UNKNOWN },
	{ BYTES_ROW("\x09\x08\x11\0\0\0\x10\0"), MAGIC_UNKNOWN },
	{ BYTES_ROW("\x09\x08\x08\0\0\0\x40\0"), MAGIC_UNKNOWN },
	{ BYTES_ROW("{\\rtf1"), MAGIC_RTF },
	{ BYTES_ROW(" \n<!DOCTYPE HTML>"), MAGIC_HTML },
	{ BYTES_ROW("\xef\xbb\xbf<Html >"), MAGIC_HTML },
	{ BYTES_ROW("<htmlx>"), MAGIC_TEXT },
	{ BYTES_ROW("<?xml version='1.0'?><a/>"), MAGIC_XML },
	{ BYTES_ROW("<?xml version='1.0'?><svg/>"), MAGIC_SVG },
	{ BYTES_ROW("<?xml version='1.0'?><svg:svg >"), MAGIC_SVG },
	{ BYTES_ROW("<?xml version='1.0'?><a><svg:title>"), MAGIC_XML },
	{ BYTES_ROW("<?xml version='1.0'?><a><svg"), MAGIC_XML },
	{ BYTES_ROW("<?xml version='1.0'?><svgs/><svg>"), MAGIC_SVG },
	{ BYTES_ROW("<?xml version='1.0'?><html>"), MAGIC_HTML },
	{ BYTES_ROW("<?xml version='1.0'?><htmls>"), MAGIC_XML },
	{ BYTES_ROW("\1\0\x09\0\0\3\0"), MAGIC_METAFILE },
	{ BYTES_ROW("\2\0\x09\0\0\1\0"), MAGIC_METAFILE },
	{ BYTES_ROW("\3\0\x09\0\0\1\0"), MAGIC_UNKNOWN },
	{ BYTES_ROW("<svg xmlns=''>"), MAGIC_SVG },
	{ BYTES_ROW("Received: from a"), MAGIC_MAIL },
	{ BYTES_ROW("\x78\x9f\x3e\x22"), MAGIC_TNEF },
	{ BYTES_ROW("\xff\xd8\xff\xe0"), MAGIC_JPEG },
	{ BYTES_ROW("\x89PNG\r\n\x1a\n"), MAGIC_PNG },
	{ BYTES_ROW("GIF89a"), MAGIC_GIF },
	{ BYTES_ROW("RIFF\0\0\0\0WEBPVP8 "), MAGIC_WEBP },
	{ BYTES_ROW("BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), MAGIC_BMP },
	{ BYTES_ROW("BMW and others"), MAGIC_TEXT },
	{ BYTES_ROW("II*\0"), MAGIC_TIFF },
	{ BYTES_ROW("\0\0\0\x18"
		    "ftypheic"),
	    MAGIC_HEIF },
	{ BYTES_ROW("\0\0\0\x18"
		    "ftypisom"),
	    MAGIC_VIDEO },
	{ BYTES_ROW("ID3\3"), MAGIC_AUDIO },
	{ BYTES_ROW("\xff\xfb\x90\0"), MAGIC_AUDIO },
	{ BYTES_ROW("wOF2"), MAGIC_FONT },
	{ BYTES_ROW("\0\1\0\0\0\x10"), MAGIC_FONT },
	{ BYTES_ROW("\0\1\0\0Standard Jet DB"), MAGIC_DATABASE },
	{ BYTES_ROW("MZ\x90\0\3\0"), MAGIC_PE },
	{ BYTES_ROW("MZ is how it begins"), MAGIC_TEXT },
	{ BYTES_ROW("\x7f\x45LF\2"), MAGIC_ELF },
	{ BYTES_ROW("\xcf\xfa\xed\xfe"), MAGIC_MACHO },
	{ BYTES_ROW("\xca\xfe\xba\xbe\0\0\0\2"), MAGIC_MACHO },
	{ BYTES_ROW("\xca\xfe\xba\xbe\0\0\0\x34"), MAGIC_CLASS },
	{ BYTES_ROW("dex\n035"), MAGIC_DEX },
	{ BYTES_ROW("\0asm\1"), MAGIC_WASM },
	{ BYTES_ROW("#!/bin/sh"), MAGIC_SCRIPT },
	{ BYTES_ROW("@ECHO off"), MAGIC_SCRIPT },
	{ BYTES_ROW("L\0\0\0\1\x14\2\0"), MAGIC_SHORTCUT },
	{ BYTES_ROW("[InternetShortcut]\r\n"), MAGIC_SHORTCUT },
	{ BYTES_ROW("ITSF\3"), MAGIC_HELP },
	{ BYTES_ROW("CWS\x0a"), MAGIC_FLASH },
	{ BYTES_ROW("7z\xbc\xaf\x27\x1c"), MAGIC_7Z },
	{ BYTES_ROW("Rar!\x1a\7\1\0"), MAGIC_RAR },
	{ BYTES_ROW("\x20\x30-lh5-"), MAGIC_LZH },
	{ BYTES_ROW("  -lhx "), MAGIC_TEXT },
	{ BYTES_ROW("MSCF\0\0\0\0"), MAGIC_CAB },
	{ BYTES_ROW("\x1f\x8b\x08"), MAGIC_GZIP },
	{ BYTES_ROW("BZh91AY"), MAGIC_BZIP2 },
	{ BYTES_ROW("\xfd"
		    "7zXZ\0"),
	    MAGIC_XZ },
	{ BYTES_ROW("\x28\xb5\x2f\xfd"), MAGIC_ZSTD },
	{ BYTES_ROW("\x60\xea"), MAGIC_ARJ },
	{ BYTES_ROW("vhdxfile"), MAGIC_DISK },
	{ BYTES_ROW("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"), MAGIC_ONENOTE },
	{ BYTES_ROW("AC1032"), MAGIC_DWG },
};

START_TEST(magic_knows_types)
{
	enum magic_type t = magic_type_of(types[_i].head, true);

	ck_assert_msg(t == types[_i].type, "row %d: %s instead of %s", _i,
	    magic_type_name(t), magic_type_name(types[_i].type));
	/* Shorter it may be something else, but is read within its bounds. */
	for (size_t n = 0; n < types[_i].head.n; n++) {
		struct arena a = { 0 };
		uint8_t *p = arena_alloc(&a, n + 1);

		memcpy(p, types[_i].head.p, n);
		(void)magic_type_of((struct bytes){ p, n }, false);
		arena_release(&a);
	}
}
END_TEST

START_TEST(magic_knows_what_says_so_late)
{
	static uint8_t room[MAGIC_HEAD_MAX];
	struct bytes head = { room, sizeof(room) };

	memcpy(room + 257, "ustar", 5);
	ck_assert_int_eq(magic_type_of(head, true), MAGIC_TAR);
	memset(room + 257, 0, 5);
	memcpy(room + 32769, "CD001", 5);
	ck_assert_int_eq(magic_type_of(head, false), MAGIC_ISO);
	head.n--;
	ck_assert_int_eq(magic_type_of(head, false), MAGIC_UNKNOWN);
}
END_TEST

#define ZIP_CENTRAL(n, name)                                       \
	"PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" n \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" name
#define ZIP_END(size) "PK\5\6\0\0\0\0\1\0\1\0" size "\0\0\0\0\0\0\0\0\0"

static const struct {
	struct bytes all;
	enum magic_type type;
} zips[] = {
	/* A package that is stored in another ZIP file is not that file. */
	{ BYTES_ROW(
	      ZIP_HEAD("\6", "a.docx") ZIP_HEAD("\x13", "[Content_Types].xml")
		  ZIP_CENTRAL("\6", "a.docx") ZIP_END("\x34")),
	    MAGIC_ZIP },
	{ BYTES_ROW(
	      ZIP_HEAD("\5", "a.jar") ZIP_HEAD("\x14", "META-INF/MANIFEST.MF")
		  ZIP_CENTRAL("\5", "a.jar") ZIP_END("\x33")),
	    MAGIC_ZIP },
	{ BYTES_ROW(ZIP_HEAD("\5", "a.txt")
		  ZIP_CENTRAL("\x13", "[content_types].xml") ZIP_END("\x41")),
	    MAGIC_OOXML },
	{ BYTES_ROW(ZIP_HEAD("\5", "a.txt")
		  ZIP_CENTRAL("\x14", "META-INF/MANIFEST.MF") ZIP_END("\x42")),
	    MAGIC_JAR },
	/* A folder of that name is only a folder. */
	{ BYTES_ROW(ZIP_HEAD("\5", "word/") ZIP_CENTRAL("\5", "word/")
		  ZIP_END("\x33")),
	    MAGIC_ZIP },
	{ BYTES_ROW(ZIP_HEAD("\x15", "META-INF/manifest.xml")
		  ZIP_CENTRAL("\x15", "META-INF/manifest.xml")
		      ZIP_CENTRAL("\x0b", "content.xml") ZIP_END("\x7c")),
	    MAGIC_ODF },
	{ BYTES_ROW(ZIP_HEAD("\x15", "META-INF/manifest.xml")
		  ZIP_CENTRAL("\x15", "META-INF/manifest.xml") ZIP_END("\x43")),
	    MAGIC_ZIP },
	{ BYTES_ROW(ZIP_HEAD("\x0b", "content.xml") ZIP_CENTRAL("\x0b",
	      "content.xml") ZIP_CENTRAL("\x08", "mimetype") ZIP_END("\x6f")),
	    MAGIC_ODF },
	/* Of a directory that cannot be read the first names count. */
	{ BYTES_ROW(ZIP_HEAD("\5", "a.txt") ZIP_HEAD("\x14",
	      "META-INF/MANIFEST.MF") ZIP_CENTRAL("\x34", "a") ZIP_END("\x2f")),
	    MAGIC_JAR },
};

START_TEST(magic_knows_packages_by_their_directory)
{
	enum magic_type t = magic_type_of(zips[_i].all, true);

	ck_assert_msg(t == zips[_i].type, "row %d: %s", _i, magic_type_name(t));
}
END_TEST

START_TEST(magic_knows_a_tar_without_its_mark)
{
	uint8_t head[1024] = "a.txt";

	/* 495 is the letters' sum, 256 that of eight blanks. */
	memcpy(head + 148, "001357", 6);
	ck_assert_int_eq(
	    magic_type_of((struct bytes){ head, 1024 }, true), MAGIC_TAR);
	head[600] = 1;
	ck_assert_int_eq(
	    magic_type_of((struct bytes){ head, 1024 }, true), MAGIC_TAR);
	head[100] = 1;
	ck_assert_int_eq(
	    magic_type_of((struct bytes){ head, 1024 }, true), MAGIC_UNKNOWN);
}
END_TEST

#define NAME "the content is not what its name says"
#define DECLARED "the content is not of the declared type"

static const struct {
	enum magic_type type;
	const char *name;
	const char *declared;
	const char *why;
} triples[] = {
	{ MAGIC_PDF, "a.pdf", "application/pdf", NULL },
	{ MAGIC_PDF, "a.PDF", "Application/PDF; name=a", NULL },
	{ MAGIC_PDF, "", "", NULL },
	{ MAGIC_PDF, "a", "application/octet-stream", NULL },
	{ MAGIC_PDF, "a.pdf", "text/html", DECLARED },
	{ MAGIC_PDF, "a.txt", "", NAME },
	{ MAGIC_PDF, "a.odd", "", NULL },
	{ MAGIC_PDF, "a.pdf", "application/x-odd", NULL },
	{ MAGIC_PDF, "show.php", "application/pdf", NULL },
	{ MAGIC_PE, "a.exe", "application/octet-stream", NULL },
	{ MAGIC_PE, "a.pdf", "", NAME },
	{ MAGIC_PE, "a.odd", "", NAME },
	{ MAGIC_PE, "a.exe", "image/x-odd", DECLARED },
	{ MAGIC_PE, "show.php", "", NAME },
	{ MAGIC_PE, "a.pdf.exe", "", NULL },
	{ MAGIC_PE, "a.exe.pdf", "", NAME },
	{ MAGIC_PE, "a.pdf. .", "", NAME },
	{ MAGIC_PDF, "a.exe. .", "", NAME },
	/* Shown as "aexe.pdf": what follows the mark is turned around. */
	{ MAGIC_PDF,
	    "a\xe2\x80\xae"
	    "fdp.exe",
	    "", NAME },
	{ MAGIC_PDF,
	    "a.ex\xe2\x80\xae"
	    "e",
	    "", NAME },
	{ MAGIC_PDF, "dir.exe/a", "", NULL },
	{ MAGIC_PDF, "dir\\a.pdf", "", NULL },
	{ MAGIC_SCRIPT, "a.js", "", NULL },
	{ MAGIC_SCRIPT, "a.txt", "text/plain", NAME },
	{ MAGIC_TEXT, "a.csv", "text/csv", NULL },
	{ MAGIC_TEXT, "a.pdf", "application/pdf", NAME },
	{ MAGIC_TEXT, "", "application/pdf", DECLARED },
	{ MAGIC_TEXT, "", "text/html", NULL },
	{ MAGIC_PE, "", "text/html", DECLARED },
	{ MAGIC_UNKNOWN, "a.pdf", "", NAME },
	{ MAGIC_UNKNOWN, "a.xdw", "", NULL },
	{ MAGIC_UNKNOWN, "", "", NULL },
	{ MAGIC_OLE2, "a.doc", "application/msword", NULL },
	{ MAGIC_OLE2, "a.jtd", "", NULL },
	/* An encrypted one is no ZIP. */
	{ MAGIC_OLE2, "a.docx", "", NULL },
	{ MAGIC_OOXML, "a.doc", "", NAME },
	{ MAGIC_OOXML, "a.docx", "application/zip", DECLARED },
	{ MAGIC_RTF, "a.doc", "application/msword", NULL },
	{ MAGIC_HTML, "a.xls", "", NULL },
	{ MAGIC_HTML, "a.txt", "text/plain", NAME },
};

START_TEST(magic_agrees_with_name_and_declared_type)
{
	const char *why;
	enum magic_agreement a = magic_agree(triples[_i].type,
	    bytes_of(triples[_i].name), bytes_of(triples[_i].declared), &why);

	ck_assert_msg((why == NULL) == (triples[_i].why == NULL) &&
		(why == NULL || strcmp(why, triples[_i].why) == 0),
	    "%s, %s: %s", triples[_i].name, triples[_i].declared, why);
	ck_assert_int_eq(a == MAGIC_AGREES, why == NULL);
}
END_TEST

START_TEST(magic_names_of_any_length_are_read)
{
	struct arena a = { 0 };
	const char *why;

	for (int n = 0; n < 400; n++) {
		struct bytes long_name =
		    bytes_of(arena_printf(&a, "a.%0*d", n + 1, 0));

		ck_assert_int_eq(
		    magic_agree(MAGIC_PDF, long_name, long_name, &why),
		    MAGIC_AGREES);
	}
	arena_release(&a);
}
END_TEST

static const struct {
	const char *name;
	struct bytes body;
	size_t padding; /* zeroes behind */
	struct magic_settings settings;
	const char *why;
} bodies[] = {
	{ "empty", BYTES_ROW(""), 0, { .must_agree = true }, NULL },
	{ "text", BYTES_ROW("hello"), 0,
	    { .name = BYTES_ROW("a.txt"), .must_agree = true }, NULL },
	{ "a program", BYTES_ROW("MZ\x90\0"), 6000,
	    { .refused = MAGIC_BIT(MAGIC_PE) },
	    "a file of a type that is not allowed" },
	{ "a short program", BYTES_ROW("MZ\x90\0"), 0,
	    { .refused = MAGIC_BIT(MAGIC_PE) },
	    "a file of a type that is not allowed" },
	{ "another type", BYTES_ROW("MZ\x90\0"), 6000,
	    { .refused = MAGIC_BIT(MAGIC_ELF) }, NULL },
	{ "a program with another name", BYTES_ROW("MZ\x90\0"), 6000,
	    { .name = BYTES_ROW("a.jpg"), .must_agree = true }, NAME },
	{ "that does not have to agree", BYTES_ROW("MZ\x90\0"), 6000,
	    { .name = BYTES_ROW("a.jpg") }, NULL },
	{ "nothing known", BYTES_ROW("\1\2\3"), 40000,
	    { .refused = MAGIC_BIT(MAGIC_UNKNOWN) },
	    "a file of a type that is not allowed" },
	{ "nothing known, allowed", BYTES_ROW("\1\2\3"), 40000,
	    { .must_agree = true }, NULL },
};

START_TEST(magic_judges_by_content)
{
	struct drive d = { .type = &magic_filter,
		.settings = &bodies[_i].settings };
	struct arena a = { 0 };
	size_t n = bodies[_i].body.n + bodies[_i].padding;
	uint8_t *p = arena_alloc(&a, n + 1);
	struct bytes body = { p, n };

	memcpy(p, bodies[_i].body.p, bodies[_i].body.n);
	for (d.cut = 0; d.cut <= n; d.cut += d.cut < 10 ? 1 : 409) {
		const char *why;

		drive_filter(&d, body, NULL, &why);
		ck_assert_msg((why == NULL) == (bodies[_i].why == NULL) &&
			(why == NULL || strcmp(why, bodies[_i].why) == 0),
		    "%s: %s", bodies[_i].name, why);
	}
	arena_release(&a);
}
END_TEST

Suite *
magic_suite(void)
{
	Suite *s = suite_create("magic");
	TCase *t = tcase_create("magic");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, magic_knows_types, 0, COUNT(types));
	tcase_add_test(t, magic_knows_what_says_so_late);
	tcase_add_loop_test(
	    t, magic_knows_packages_by_their_directory, 0, COUNT(zips));
	tcase_add_test(t, magic_knows_a_tar_without_its_mark);
	tcase_add_loop_test(
	    t, magic_agrees_with_name_and_declared_type, 0, COUNT(triples));
	tcase_add_test(t, magic_names_of_any_length_are_read);
	tcase_add_loop_test(t, magic_judges_by_content, 0, COUNT(bodies));
	suite_add_tcase(s, t);
	return s;
}
