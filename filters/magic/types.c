/* SPDX-License-Identifier: Apache-2.0 */
/* types: the signatures. */
#include <ctype.h>

#include "filters/magic/magic.h"

static const struct {
	enum magic_type type;
	size_t at;
	struct bytes signature;
} signatures[] = {
	{ MAGIC_POSTSCRIPT, 0, BYTES_ROW("%!PS") },
	{ MAGIC_OLE2, 0, BYTES_ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") },
	{ MAGIC_RTF, 0, BYTES_ROW("{\\rt") },
	{ MAGIC_TNEF, 0, BYTES_ROW("\x78\x9f\x3e\x22") },
	{ MAGIC_JPEG, 0, BYTES_ROW("\xff\xd8\xff") },
	{ MAGIC_PNG, 0, BYTES_ROW("\x89PNG\r\n\x1a\n") },
	{ MAGIC_GIF, 0, BYTES_ROW("GIF87a") },
	{ MAGIC_GIF, 0, BYTES_ROW("GIF89a") },
	{ MAGIC_WEBP, 8, BYTES_ROW("WEBPVP8") },
	{ MAGIC_TIFF, 0, BYTES_ROW("II*\0") },
	{ MAGIC_TIFF, 0, BYTES_ROW("MM\0*") },
	{ MAGIC_TIFF, 0, BYTES_ROW("II+\0\x08\0") },
	{ MAGIC_TIFF, 0, BYTES_ROW("MM\0+\0\x08") },
	{ MAGIC_ICON, 0, BYTES_ROW("\0\0\1\0") },
	{ MAGIC_ICON, 0, BYTES_ROW("\0\0\2\0") },
	{ MAGIC_HEIF, 4, BYTES_ROW("ftypheic") },
	{ MAGIC_HEIF, 4, BYTES_ROW("ftypheix") },
	{ MAGIC_HEIF, 4, BYTES_ROW("ftypmif1") },
	{ MAGIC_HEIF, 4, BYTES_ROW("ftypavif") },
	{ MAGIC_HEIF, 4, BYTES_ROW("ftypavis") },
	{ MAGIC_JPEG2000, 0, BYTES_ROW("\0\0\0\x0cjP  \r\n\x87\n") },
	{ MAGIC_JPEG2000, 0, BYTES_ROW("\xff\x4f\xff\x51") },
	{ MAGIC_METAFILE, 0, BYTES_ROW("\xd7\xcd\xc6\x9a") },
	{ MAGIC_METAFILE, 0, BYTES_ROW("\1\0\x09\0\0\3") },
	{ MAGIC_METAFILE, 0, BYTES_ROW("\1\0\x09\0\0\1") },
	{ MAGIC_METAFILE, 0, BYTES_ROW("\2\0\x09\0\0\3") },
	{ MAGIC_METAFILE, 0, BYTES_ROW("\2\0\x09\0\0\1") },
	{ MAGIC_METAFILE, 40, BYTES_ROW(" EMF") },
	{ MAGIC_PSD, 0, BYTES_ROW("8BPS") },
	{ MAGIC_VIDEO, 4, BYTES_ROW("ftyp") },
	{ MAGIC_VIDEO, 4, BYTES_ROW("moov") },
	{ MAGIC_VIDEO, 0, BYTES_ROW("\x1a\x45\xdf\xa3") },
	{ MAGIC_VIDEO, 8, BYTES_ROW("AVI LIST") },
	{ MAGIC_VIDEO, 0, BYTES_ROW("FLV\1") },
	{ MAGIC_VIDEO, 0, BYTES_ROW("\x30\x26\xb2\x75\x8e\x66\xcf\x11") },
	{ MAGIC_VIDEO, 0, BYTES_ROW("\0\0\1\xba") },
	{ MAGIC_AUDIO, 0, BYTES_ROW("ID3") },
	{ MAGIC_AUDIO, 0, BYTES_ROW("OggS") },
	{ MAGIC_AUDIO, 0, BYTES_ROW("fLaC") },
	{ MAGIC_AUDIO, 8, BYTES_ROW("WAVEfmt ") },
	{ MAGIC_AUDIO, 0, BYTES_ROW("MThd\0\0\0\6") },
	{ MAGIC_FONT, 0, BYTES_ROW("wOFF") },
	{ MAGIC_FONT, 0, BYTES_ROW("wOF2") },
	{ MAGIC_FONT, 0, BYTES_ROW("OTTO\0") },
	{ MAGIC_FONT, 0, BYTES_ROW("ttcf\0") },
	{ MAGIC_FONT, 0, BYTES_ROW("\0\1\0\0\0") },
	{ MAGIC_ELF, 0, BYTES_ROW("\x7f\x45LF") },
	{ MAGIC_MACHO, 0, BYTES_ROW("\xfe\xed\xfa\xce") },
	{ MAGIC_MACHO, 0, BYTES_ROW("\xfe\xed\xfa\xcf") },
	{ MAGIC_MACHO, 0, BYTES_ROW("\xce\xfa\xed\xfe") },
	{ MAGIC_MACHO, 0, BYTES_ROW("\xcf\xfa\xed\xfe") },
	{ MAGIC_MACHO, 0, BYTES_ROW("\xca\xfe\xba\xbf") },
	{ MAGIC_DEX, 0, BYTES_ROW("dex\n03") },
	{ MAGIC_WASM, 0, BYTES_ROW("\0asm") },
	{ MAGIC_SHORTCUT, 0, BYTES_ROW("L\0\0\0\1\x14\2\0") },
	{ MAGIC_HELP, 0, BYTES_ROW("ITSF") },
	{ MAGIC_7Z, 0, BYTES_ROW("7z\xbc\xaf\x27\x1c") },
	{ MAGIC_RAR, 0, BYTES_ROW("Rar!\x1a\7") },
	{ MAGIC_CAB, 0, BYTES_ROW("MSCF\0\0\0\0") },
	{ MAGIC_CAB, 0, BYTES_ROW("ISc(") },
	{ MAGIC_TAR, 257, BYTES_ROW("ustar") },
	{ MAGIC_GZIP, 0, BYTES_ROW("\x1f\x8b\x08") },
	{ MAGIC_XZ, 0,
	    BYTES_ROW("\xfd"
		      "7zXZ\0") },
	{ MAGIC_ZSTD, 0, BYTES_ROW("\x28\xb5\x2f\xfd") },
	{ MAGIC_ARJ, 0, BYTES_ROW("\x60\xea") },
	{ MAGIC_ISO, 32769, BYTES_ROW("CD001") },
	{ MAGIC_ISO, 32769, BYTES_ROW("BEA01") },
	{ MAGIC_DISK, 0, BYTES_ROW("vhdxfile") },
	{ MAGIC_DISK, 0, BYTES_ROW("conectix") },
	{ MAGIC_DISK, 0, BYTES_ROW("KDMV") },
	{ MAGIC_DISK, 0, BYTES_ROW("QFI\xfb") },
	{ MAGIC_DATABASE, 0, BYTES_ROW("\0\1\0\0Standard ") },
	{ MAGIC_DATABASE, 0, BYTES_ROW("SQLite format 3\0") },
	{ MAGIC_ONENOTE, 0, BYTES_ROW("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d") },
	{ MAGIC_DWG, 0, BYTES_ROW("AC10") },
};

static bool
stands(struct bytes head, size_t at, struct bytes signature)
{
	return head.n >= at && head.n - at >= signature.n &&
	    memcmp(head.p + at, signature.p, signature.n) == 0;
}

static bool
contains(struct bytes b, struct bytes word)
{
	return b.n > 0 && memmem(b.p, b.n, word.p, word.n) != NULL;
}

static uint32_t
little(struct bytes b, size_t at, size_t n)
{
	uint32_t value = 0;

	if (b.n < at || b.n - at < n)
		return 0;
	for (size_t i = n; i > 0; i--)
		value = value << 8 | b.p[at + i - 1];
	return value;
}

/* Readers take a PDF with something before it. */
static enum magic_type
find_pdf(struct bytes head)
{
	if (head.n > 1024)
		head.n = 1024;
	return contains(head, BYTES("%PDF-")) ? MAGIC_PDF : MAGIC_UNKNOWN;
}

/* What a package has at its top. */
static const struct {
	struct bytes name;
	enum magic_type type;
} zip_names[] = {
	{ BYTES_ROW("[Content_Types].xml"), MAGIC_OOXML },
	/* LibreOffice opens them without that list. */
	{ BYTES_ROW("word/document.xml"), MAGIC_OOXML },
	{ BYTES_ROW("xl/workbook.xml"), MAGIC_OOXML },
	{ BYTES_ROW("ppt/presentation.xml"), MAGIC_OOXML },
	{ BYTES_ROW("AndroidManifest.xml"), MAGIC_APK },
	{ BYTES_ROW("classes.dex"), MAGIC_APK },
	{ BYTES_ROW("META-INF/MANIFEST.MF"), MAGIC_JAR },
};

/* The central directory, when all of the file is there; else none. */
static struct bytes
find_zip_directory(struct bytes all)
{
	size_t least = all.n > 65557 ? all.n - 65557 : 0;
	uint32_t n;

	for (size_t at = all.n < 22 ? 0 : all.n - 21; at > least; at--) {
		if (!stands(all, at - 1, BYTES("PK\5\6")))
			continue;
		n = little(all, at + 11, 4);
		if (n == 0 || n > at - 1)
			break;
		return (struct bytes){ all.p + at - 1 - n, n };
	}
	return (struct bytes){ 0 };
}

/* By the names of all entries: what stands in one, which may be a package of
 * its own, does not count. UNKNOWN: they cannot be read. */
static enum magic_type
find_zip_names(struct bytes all)
{
	struct bytes rest = find_zip_directory(all);
	enum magic_type found = rest.n > 0 ? MAGIC_ZIP : MAGIC_UNKNOWN;
	bool manifest = false;
	bool content = false;
	bool type = false;

	while (rest.n > 0) {
		size_t n = little(rest, 28, 2);
		size_t more = little(rest, 30, 2) + little(rest, 32, 2);
		struct bytes name;

		if (!stands(rest, 0, BYTES("PK\1\2")) || rest.n < 46 ||
		    n + more > rest.n - 46)
			return MAGIC_UNKNOWN;
		bytes_take(&rest, 46);
		name = bytes_take(&rest, n);
		bytes_take(&rest, more);
		for (size_t i = 0; i < COUNT(zip_names); i++)
			if (bytes_equal_nocase(name, zip_names[i].name) &&
			    (found == MAGIC_ZIP || found == MAGIC_JAR))
				found = zip_names[i].type;
		manifest = manifest ||
		    bytes_equal(name, BYTES("META-INF/manifest.xml"));
		content = content || bytes_equal(name, BYTES("content.xml"));
		type = type || bytes_equal(name, BYTES("mimetype"));
	}
	/* OpenDocument of a writer that does not put its type first; without
	 * its manifest LibreOffice offers to repair it. */
	return found == MAGIC_ZIP && manifest + content + type >= 2 ? MAGIC_ODF
								    : found;
}

/* The names of the first entries, or of all. */
static enum magic_type
find_zip(struct bytes head)
{
	struct bytes all = head;
	struct bytes name;
	enum magic_type found;
	size_t n;

	if (!stands(head, 0, BYTES("PK\3\4")))
		return stands(head, 0, BYTES("PK\5\6")) ||
			stands(head, 0, BYTES("PK00PK\3\4")) ||
			stands(head, 0, BYTES("PK\7\x08PK\3\4"))
		    ? MAGIC_ZIP
		    : MAGIC_UNKNOWN;
	n = little(head, 26, 2);
	bytes_take(&head, head.n < 30 ? head.n : 30);
	name = bytes_take(&head, n < head.n ? n : head.n);
	if (bytes_equal(name, BYTES("mimetype"))) {
		if (bytes_start_with(head, BYTES("application/epub")))
			return MAGIC_EPUB;
		if (contains(head, BYTES("application/vnd.oasis.opendocument")))
			return MAGIC_ODF;
	}
	found = find_zip_names(all);
	if (found != MAGIC_UNKNOWN)
		return found;
	if (bytes_equal(name, BYTES("[Content_Types].xml")) ||
	    bytes_start_with(name, BYTES("_rels/")) ||
	    bytes_start_with(name, BYTES("docProps/")) ||
	    bytes_start_with(name, BYTES("word/")) ||
	    bytes_start_with(name, BYTES("xl/")) ||
	    bytes_start_with(name, BYTES("ppt/")) ||
	    contains(head, BYTES("[Content_Types].xml")))
		return MAGIC_OOXML;
	if (bytes_equal(name, BYTES("AndroidManifest.xml")) ||
	    bytes_equal(name, BYTES("classes.dex")) ||
	    contains(head, BYTES("AndroidManifest.xml")))
		return MAGIC_APK;
	if (contains(head, BYTES("META-INF/MANIFEST.MF")))
		return MAGIC_JAR;
	/* OpenDocument's, packed again in the order of names. */
	if (bytes_equal(name, BYTES("META-INF/manifest.xml")))
		return MAGIC_ZIP;
	return bytes_start_with(name, BYTES("META-INF/")) ? MAGIC_JAR
							  : MAGIC_ZIP;
}

/* "MZ" alone begins sentences too. */
static enum magic_type
find_program(struct bytes head)
{
	uint32_t version;

	if (stands(head, 0, BYTES("\xca\xfe\xba\xbe"))) {
		/* A count of machines, or a version of Java. */
		version = (uint32_t)(head.n < 8 ? 0 : head.p[7]);
		return version >= 43 ? MAGIC_CLASS : MAGIC_MACHO;
	}
	if (!stands(head, 0, BYTES("MZ")) && !stands(head, 0, BYTES("ZM")))
		return MAGIC_UNKNOWN;
	for (size_t i = 2; i < head.n && i < 64; i++)
		if (head.p[i] < 9 || head.p[i] >= 0x80)
			return MAGIC_PE;
	return MAGIC_UNKNOWN;
}

/* A record that begins a sheet of Excel 2, 3, 4, 5 to 95. */
static bool
begins_sheet(struct bytes head)
{
	static const uint8_t versions[] = { 0, 2, 4, 8 };
	size_t n = little(head, 2, 2);

	return head.n >= 8 && head.p[0] == 9 &&
	    memchr(versions, head.p[1], sizeof(versions)) != NULL && n >= 4 &&
	    n <= 16 && little(head, 6, 2) == 0x10;
}

static enum magic_type
find_small(struct bytes head)
{
	if (begins_sheet(head))
		return MAGIC_BIFF;
	if (stands(head, 2, BYTES("-lh")) || stands(head, 2, BYTES("-lz")))
		return head.n > 6 && head.p[6] == '-' ? MAGIC_LZH
						      : MAGIC_UNKNOWN;
	if (stands(head, 0, BYTES("BZh")) && head.n > 3 && isdigit(head.p[3]))
		return MAGIC_BZIP2;
	if (stands(head, 0, BYTES("BM")) && little(head, 6, 4) == 0 &&
	    head.n > 14 && little(head, 14, 4) >= 12 &&
	    little(head, 14, 4) <= 124)
		return MAGIC_BMP;
	if ((stands(head, 0, BYTES("FWS")) || stands(head, 0, BYTES("CWS")) ||
		stands(head, 0, BYTES("ZWS"))) &&
	    head.n > 3 && head.p[3] < 64)
		return MAGIC_FLASH;
	if (head.n > 1 && head.p[0] == 0xff && (head.p[1] & 0xe6) == 0xe2)
		return MAGIC_AUDIO;
	return MAGIC_UNKNOWN;
}

/* A tar of before POSIX has no mark, but a sum of its first header in octal
 * digits, which count as blanks themselves. */
static enum magic_type
find_old_tar(struct bytes head)
{
	uint32_t sum = 8 * ' ';
	uint32_t said = 0;
	size_t digits = 0;

	if (head.n < 512 || head.p[0] == 0)
		return MAGIC_UNKNOWN;
	for (size_t i = 0; i < 512; i++)
		sum += i < 148 || i >= 156 ? head.p[i] : 0u;
	for (size_t i = 148; i < 156; i++)
		if (head.p[i] >= '0' && head.p[i] <= '7') {
			said = said << 3 | (head.p[i] - (uint32_t)'0');
			digits++;
		}
	return digits >= 4 && said == sum ? MAGIC_TAR : MAGIC_UNKNOWN;
}

/* Text, by its first word: as browsers sniff, and shells. */

static const struct {
	struct bytes word;
	enum magic_type type;
	bool tag; /* a blank or '>' follows */
} words[] = {
	{ BYTES_ROW("<!doctype html"), MAGIC_HTML, true },
	{ BYTES_ROW("<html"), MAGIC_HTML, true },
	{ BYTES_ROW("<head"), MAGIC_HTML, true },
	{ BYTES_ROW("<script"), MAGIC_HTML, true },
	{ BYTES_ROW("<iframe"), MAGIC_HTML, true },
	{ BYTES_ROW("<h1"), MAGIC_HTML, true },
	{ BYTES_ROW("<div"), MAGIC_HTML, true },
	{ BYTES_ROW("<font"), MAGIC_HTML, true },
	{ BYTES_ROW("<table"), MAGIC_HTML, true },
	{ BYTES_ROW("<a"), MAGIC_HTML, true },
	{ BYTES_ROW("<style"), MAGIC_HTML, true },
	{ BYTES_ROW("<title"), MAGIC_HTML, true },
	{ BYTES_ROW("<b"), MAGIC_HTML, true },
	{ BYTES_ROW("<body"), MAGIC_HTML, true },
	{ BYTES_ROW("<br"), MAGIC_HTML, true },
	{ BYTES_ROW("<p"), MAGIC_HTML, true },
	{ BYTES_ROW("<hta:application"), MAGIC_HTML, true },
	{ BYTES_ROW("<!--"), MAGIC_HTML, false },
	{ BYTES_ROW("<svg"), MAGIC_SVG, true },
	{ BYTES_ROW("#!"), MAGIC_SCRIPT, false },
	{ BYTES_ROW("@echo "), MAGIC_SCRIPT, false },
	{ BYTES_ROW("<?php"), MAGIC_SCRIPT, false },
	{ BYTES_ROW("<job"), MAGIC_SCRIPT, true },
	{ BYTES_ROW("#@~^"), MAGIC_SCRIPT, false },
	{ BYTES_ROW("[InternetShortcut]"), MAGIC_SHORTCUT, false },
	{ BYTES_ROW("[{000214A0"), MAGIC_SHORTCUT, false },
	{ BYTES_ROW("<?xml"), MAGIC_XML, false },
	{ BYTES_ROW("Received: "), MAGIC_MAIL, false },
	{ BYTES_ROW("Return-Path: "), MAGIC_MAIL, false },
	{ BYTES_ROW("Delivered-To: "), MAGIC_MAIL, false },
	{ BYTES_ROW("MIME-Version: "), MAGIC_MAIL, false },
	{ BYTES_ROW("Message-ID: "), MAGIC_MAIL, false },
	{ BYTES_ROW("From: "), MAGIC_MAIL, false },
	{ BYTES_ROW("From - "), MAGIC_MAIL, false },
	{ BYTES_ROW("X-Mozilla-Status: "), MAGIC_MAIL, false },
};

static bool
ends_name(uint8_t c)
{
	return c == '>' || c == '/' || isspace(c);
}

static bool
begins_with_word(struct bytes b, size_t i)
{
	struct bytes first =
	    bytes_take(&b, b.n < words[i].word.n ? b.n : words[i].word.n);

	return bytes_equal_nocase(first, words[i].word) &&
	    (!words[i].tag || (b.n > 0 && ends_name(b.p[0])));
}

/* The element, and no other whose name begins like it. */
static bool
contains_tag(struct bytes head, struct bytes tag)
{
	const uint8_t *at;

	while ((at = memmem(head.p, head.n, tag.p, tag.n)) != NULL) {
		bytes_take(&head, (size_t)(at - head.p) + tag.n);
		if (head.n > 0 && ends_name(head.p[0]))
			return true;
	}
	return false;
}

static enum magic_type
find_word(struct bytes head)
{
	if (bytes_start_with(head, BYTES("\xef\xbb\xbf")))
		bytes_take(&head, 3);
	while (head.n > 0 && isspace(head.p[0]))
		bytes_take(&head, 1);
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!begins_with_word(head, i))
			continue;
		if (words[i].type == MAGIC_XML &&
		    (contains_tag(head, BYTES("<svg")) ||
			contains_tag(head, BYTES("<svg:svg"))))
			return MAGIC_SVG;
		if (words[i].type == MAGIC_XML &&
		    contains_tag(head, BYTES("<html")))
			return MAGIC_HTML;
		return words[i].type;
	}
	return MAGIC_UNKNOWN;
}

static bool
is_text(struct bytes head)
{
	if (bytes_start_with(head, BYTES("\xff\xfe")) ||
	    bytes_start_with(head, BYTES("\xfe\xff")))
		return true;
	for (size_t i = 0; i < head.n; i++)
		if (head.p[i] < 9 || (head.p[i] > 13 && head.p[i] < 0x1b) ||
		    (head.p[i] > 0x1b && head.p[i] < 0x20))
			return false;
	return head.n > 0;
}

enum magic_type
magic_type_of(struct bytes head, bool whole)
{
	static enum magic_type (*const finders[])(struct bytes) = { find_zip,
		find_program, find_small, find_old_tar, find_word, find_pdf };
	enum magic_type best = MAGIC_UNKNOWN;
	size_t longest = 0;

	for (size_t i = 0; i < COUNT(signatures); i++)
		if (signatures[i].signature.n > longest &&
		    stands(head, signatures[i].at, signatures[i].signature)) {
			best = signatures[i].type;
			longest = signatures[i].signature.n;
		}
	for (size_t i = 0; best == MAGIC_UNKNOWN && i < COUNT(finders); i++)
		best = finders[i](head);
	if (best == MAGIC_UNKNOWN && (whole || head.n >= MAGIC_HEAD_USUAL) &&
	    is_text(head))
		best = MAGIC_TEXT;
	return best;
}
