/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/charset.h"

#include <ctype.h>
#include <iconv.h>

#include "filters/text/convert.h"

#define LEAD_FIRST 0x81
#define TRAIL_FIRST 0x40
#define LEADS (0xff - LEAD_FIRST)
#define TRAILS (0xff - TRAIL_FIRST)
#define META_MAX ((size_t)1024)

/* iconv's name of each; singles and doubles get a table. */
static const struct {
	const char *name;
	const char *iconv;
} charsets[CHARSETS] = {
	[CHARSET_UNKNOWN] = { "unknown", NULL },
	[CHARSET_UTF8] = { "utf-8", NULL },
	[CHARSET_UTF16LE] = { "utf-16le", NULL },
	[CHARSET_UTF16BE] = { "utf-16be", NULL },
	[CHARSET_ISO_2022_JP] = { "iso-2022-jp", NULL },
	[CHARSET_SHIFT_JIS] = { "shift_jis", "CP932" },
	[CHARSET_EUC_JP] = { "euc-jp", "EUCJP-MS" },
	[CHARSET_GBK] = { "gbk", "GBK" },
	[CHARSET_BIG5] = { "big5", "BIG5-HKSCS" },
	[CHARSET_EUC_KR] = { "euc-kr", "UHC" },
	[CHARSET_WINDOWS_1252] = { "windows-1252", "CP1252" },
	[CHARSET_WINDOWS_1250] = { "windows-1250", "CP1250" },
	[CHARSET_WINDOWS_1251] = { "windows-1251", "CP1251" },
	[CHARSET_ISO_8859_2] = { "iso-8859-2", "ISO-8859-2" },
	[CHARSET_ISO_8859_15] = { "iso-8859-15", "ISO-8859-15" },
	[CHARSET_KOI8_R] = { "koi8-r", "KOI8-R" },
	[CHARSET_ISO_8859_3] = { "iso-8859-3", "ISO-8859-3" },
	[CHARSET_ISO_8859_4] = { "iso-8859-4", "ISO-8859-4" },
	[CHARSET_ISO_8859_5] = { "iso-8859-5", "ISO-8859-5" },
	[CHARSET_ISO_8859_7] = { "iso-8859-7", "ISO-8859-7" },
	[CHARSET_ISO_8859_8] = { "iso-8859-8", "ISO-8859-8" },
	[CHARSET_ISO_8859_10] = { "iso-8859-10", "ISO-8859-10" },
	[CHARSET_ISO_8859_13] = { "iso-8859-13", "ISO-8859-13" },
	[CHARSET_KOI8_U] = { "koi8-u", "KOI8-U" },
	[CHARSET_IBM866] = { "ibm866", "IBM866" },
	[CHARSET_MACINTOSH] = { "macintosh", "MACINTOSH" },
	[CHARSET_WINDOWS_874] = { "windows-874", "CP874" },
	[CHARSET_WINDOWS_1253] = { "windows-1253", "CP1253" },
	[CHARSET_WINDOWS_1254] = { "windows-1254", "CP1254" },
	[CHARSET_WINDOWS_1255] = { "windows-1255", "CP1255" },
	[CHARSET_WINDOWS_1256] = { "windows-1256", "CP1256" },
	[CHARSET_WINDOWS_1257] = { "windows-1257", "CP1257" },
	[CHARSET_WINDOWS_1258] = { "windows-1258", "CP1258" },
};

/* https://encoding.spec.whatwg.org/#names-and-labels, of those above. */
static const struct {
	const char *label;
	enum charset charset;
} labels[] = {
	{ "utf-8", CHARSET_UTF8 },
	{ "utf8", CHARSET_UTF8 },
	{ "unicode-1-1-utf-8", CHARSET_UTF8 },
	{ "utf-16", CHARSET_UTF16LE },
	{ "utf-16le", CHARSET_UTF16LE },
	{ "unicode", CHARSET_UTF16LE },
	{ "ucs-2", CHARSET_UTF16LE },
	{ "iso-10646-ucs-2", CHARSET_UTF16LE },
	{ "utf-16be", CHARSET_UTF16BE },
	{ "unicodefffe", CHARSET_UTF16BE },
	{ "iso-2022-jp", CHARSET_ISO_2022_JP },
	{ "csiso2022jp", CHARSET_ISO_2022_JP },
	{ "cp50220", CHARSET_ISO_2022_JP },
	{ "cp50221", CHARSET_ISO_2022_JP },
	{ "shift_jis", CHARSET_SHIFT_JIS },
	{ "shift-jis", CHARSET_SHIFT_JIS },
	{ "sjis", CHARSET_SHIFT_JIS },
	{ "x-sjis", CHARSET_SHIFT_JIS },
	{ "ms_kanji", CHARSET_SHIFT_JIS },
	{ "ms932", CHARSET_SHIFT_JIS },
	{ "cp932", CHARSET_SHIFT_JIS },
	{ "windows-31j", CHARSET_SHIFT_JIS },
	{ "csshiftjis", CHARSET_SHIFT_JIS },
	{ "euc-jp", CHARSET_EUC_JP },
	{ "x-euc-jp", CHARSET_EUC_JP },
	{ "cseucpkdfmtjapanese", CHARSET_EUC_JP },
	{ "gbk", CHARSET_GBK },
	{ "gb2312", CHARSET_GBK },
	{ "gb18030", CHARSET_GBK },
	{ "x-gbk", CHARSET_GBK },
	{ "gb_2312-80", CHARSET_GBK },
	{ "chinese", CHARSET_GBK },
	{ "big5", CHARSET_BIG5 },
	{ "big5-hkscs", CHARSET_BIG5 },
	{ "x-x-big5", CHARSET_BIG5 },
	{ "euc-kr", CHARSET_EUC_KR },
	{ "ks_c_5601-1987", CHARSET_EUC_KR },
	{ "windows-949", CHARSET_EUC_KR },
	{ "korean", CHARSET_EUC_KR },
	{ "windows-1252", CHARSET_WINDOWS_1252 },
	{ "cp1252", CHARSET_WINDOWS_1252 },
	{ "x-cp1252", CHARSET_WINDOWS_1252 },
	{ "iso-8859-1", CHARSET_WINDOWS_1252 },
	{ "iso8859-1", CHARSET_WINDOWS_1252 },
	{ "iso_8859-1", CHARSET_WINDOWS_1252 },
	{ "latin1", CHARSET_WINDOWS_1252 },
	{ "l1", CHARSET_WINDOWS_1252 },
	{ "us-ascii", CHARSET_WINDOWS_1252 },
	{ "ascii", CHARSET_WINDOWS_1252 },
	{ "windows-1250", CHARSET_WINDOWS_1250 },
	{ "windows-1251", CHARSET_WINDOWS_1251 },
	{ "cp1251", CHARSET_WINDOWS_1251 },
	{ "iso-8859-2", CHARSET_ISO_8859_2 },
	{ "latin2", CHARSET_ISO_8859_2 },
	{ "iso-8859-15", CHARSET_ISO_8859_15 },
	{ "latin-9", CHARSET_ISO_8859_15 },
	{ "koi8-r", CHARSET_KOI8_R },
	{ "koi", CHARSET_KOI8_R },
	{ "iso-8859-3", CHARSET_ISO_8859_3 },
	{ "latin3", CHARSET_ISO_8859_3 },
	{ "iso-8859-4", CHARSET_ISO_8859_4 },
	{ "latin4", CHARSET_ISO_8859_4 },
	{ "iso-8859-5", CHARSET_ISO_8859_5 },
	{ "cyrillic", CHARSET_ISO_8859_5 },
	{ "iso-8859-7", CHARSET_ISO_8859_7 },
	{ "greek", CHARSET_ISO_8859_7 },
	{ "sun_eu_greek", CHARSET_ISO_8859_7 },
	{ "iso-8859-8", CHARSET_ISO_8859_8 },
	{ "hebrew", CHARSET_ISO_8859_8 },
	{ "iso-8859-8-i", CHARSET_ISO_8859_8 },
	{ "logical", CHARSET_ISO_8859_8 },
	{ "visual", CHARSET_ISO_8859_8 },
	{ "iso-8859-10", CHARSET_ISO_8859_10 },
	{ "latin6", CHARSET_ISO_8859_10 },
	{ "iso-8859-13", CHARSET_ISO_8859_13 },
	{ "koi8-u", CHARSET_KOI8_U },
	{ "koi8-ru", CHARSET_KOI8_U },
	{ "ibm866", CHARSET_IBM866 },
	{ "cp866", CHARSET_IBM866 },
	{ "866", CHARSET_IBM866 },
	{ "macintosh", CHARSET_MACINTOSH },
	{ "mac", CHARSET_MACINTOSH },
	{ "x-mac-roman", CHARSET_MACINTOSH },
	{ "windows-874", CHARSET_WINDOWS_874 },
	{ "tis-620", CHARSET_WINDOWS_874 },
	{ "iso-8859-11", CHARSET_WINDOWS_874 },
	{ "dos-874", CHARSET_WINDOWS_874 },
	{ "windows-1253", CHARSET_WINDOWS_1253 },
	{ "cp1253", CHARSET_WINDOWS_1253 },
	{ "windows-1254", CHARSET_WINDOWS_1254 },
	{ "cp1254", CHARSET_WINDOWS_1254 },
	{ "iso-8859-9", CHARSET_WINDOWS_1254 },
	{ "latin5", CHARSET_WINDOWS_1254 },
	{ "l5", CHARSET_WINDOWS_1254 },
	{ "windows-1255", CHARSET_WINDOWS_1255 },
	{ "cp1255", CHARSET_WINDOWS_1255 },
	{ "windows-1256", CHARSET_WINDOWS_1256 },
	{ "cp1256", CHARSET_WINDOWS_1256 },
	{ "arabic", CHARSET_WINDOWS_1256 },
	{ "windows-1257", CHARSET_WINDOWS_1257 },
	{ "cp1257", CHARSET_WINDOWS_1257 },
	{ "windows-1258", CHARSET_WINDOWS_1258 },
	{ "cp1258", CHARSET_WINDOWS_1258 },
};

/* Of the process; written by text_prepare alone. */
static struct {
	bool ready;
	uint16_t doubles[CHARSET_WINDOWS_1252][LEADS][TRAILS];
	uint16_t jis0212[LEADS][TRAILS];
	uint16_t singles[CHARSETS][128];
} tables;

/* The one character that these bytes are; 0: none, or not one. */
static uint16_t
ask_iconv(iconv_t cd, const uint8_t *p, size_t n)
{
	char in[3];
	uint8_t out[8] = { 0 };
	char *in_next = in;
	char *out_next = (char *)out;
	size_t out_n = sizeof(out);
	size_t result;

	memcpy(in, p, n);
	iconv(cd, NULL, NULL, NULL, NULL);
	result = iconv(cd, &in_next, &n, &out_next, &out_n);
	/* It may hold the last character back (Big5 combines some). */
	if (result != (size_t)-1 && n == 0)
		result = iconv(cd, NULL, NULL, &out_next, &out_n);
	if (result == (size_t)-1 || n > 0 || out_n != sizeof(out) - 2)
		return 0;
	return (uint16_t)(out[0] | out[1] << 8);
}

static void
fill_double(iconv_t cd, uint16_t table[LEADS][TRAILS], bool third)
{
	for (unsigned lead = LEAD_FIRST; lead < 0xff; lead++)
		for (unsigned trail = TRAIL_FIRST; trail < 0xff; trail++) {
			const uint8_t b[3] = { 0x8f, (uint8_t)lead,
				(uint8_t)trail };

			table[lead - LEAD_FIRST][trail - TRAIL_FIRST] = third
			    ? ask_iconv(cd, b, 3)
			    : ask_iconv(cd, b + 1, 2);
		}
}

static void
fill_single(iconv_t cd, uint16_t table[128])
{
	for (unsigned i = 0; i < 128; i++) {
		const uint8_t byte = (uint8_t)(0x80 + i);

		table[i] = ask_iconv(cd, &byte, 1);
		/* Browsers read what is not assigned as a control. */
		if (table[i] == 0)
			table[i] = byte;
	}
}

int
text_prepare(struct err *e)
{
	if (tables.ready)
		return 0;
	for (size_t i = 0; i < CHARSETS; i++) {
		iconv_t cd;

		if (charsets[i].iconv == NULL)
			continue;
		cd = iconv_open("UTF-16LE", charsets[i].iconv);
		if (cd == (iconv_t)-1)
			return err_set(e,
			    "the C library cannot read %s: is its gconv folder"
			    " complete?",
			    charsets[i].iconv);
		if (i < CHARSET_WINDOWS_1252)
			fill_double(cd, tables.doubles[i], false);
		else
			fill_single(cd, tables.singles[i]);
		if (i == CHARSET_EUC_JP)
			fill_double(cd, tables.jis0212, true);
		iconv_close(cd);
	}
	tables.ready = true;
	return 0;
}

static bool
in_table(uint8_t lead, uint8_t trail)
{
	must(tables.ready);
	return lead >= LEAD_FIRST && lead < 0xff && trail >= TRAIL_FIRST &&
	    trail < 0xff;
}

uint32_t
charset_double(enum charset c, uint8_t lead, uint8_t trail)
{
	return in_table(lead, trail)
	    ? tables.doubles[c][lead - LEAD_FIRST][trail - TRAIL_FIRST]
	    : 0;
}

uint32_t
charset_jis0212(uint8_t lead, uint8_t trail)
{
	return in_table(lead, trail)
	    ? tables.jis0212[lead - LEAD_FIRST][trail - TRAIL_FIRST]
	    : 0;
}

uint32_t
charset_single(enum charset c, uint8_t byte)
{
	must(tables.ready);
	return byte < 0x80 ? byte : tables.singles[c][byte - 0x80];
}

enum charset
charset_named(struct bytes label)
{
	while (label.n > 0 && isspace(label.p[0]))
		bytes_take(&label, 1);
	while (label.n > 0 && isspace(label.p[label.n - 1]))
		label.n--;
	for (size_t i = 0; i < COUNT(labels); i++)
		if (bytes_equal_nocase(label, bytes_of(labels[i].label)))
			return labels[i].charset;
	return CHARSET_UNKNOWN;
}

const char *
charset_name(enum charset c)
{
	return charsets[c].name;
}

enum charset
charset_mark(struct bytes head, size_t *mark_out)
{
	*mark_out = 2;
	if (bytes_start_with(head, BYTES("\xff\xfe")))
		return CHARSET_UTF16LE;
	if (bytes_start_with(head, BYTES("\xfe\xff")))
		return CHARSET_UTF16BE;
	*mark_out = 3;
	if (bytes_start_with(head, BYTES("\xef\xbb\xbf")))
		return CHARSET_UTF8;
	*mark_out = 0;
	return CHARSET_UNKNOWN;
}

/* Moves *b behind the word, whose case does not count; false: not there. */
static bool
find(struct bytes *b, struct bytes word)
{
	struct bytes at = *b;

	for (; at.n >= word.n; bytes_take(&at, 1))
		if (bytes_equal_nocase((struct bytes){ at.p, word.n }, word)) {
			bytes_take(&at, word.n);
			*b = at;
			return true;
		}
	return false;
}

static void
skip_space(struct bytes *b)
{
	while (b->n > 0 && isspace(b->p[0]))
		bytes_take(b, 1);
}

/* The value behind word and '=' in a tag. */
static enum charset
value_behind(struct bytes tag, struct bytes word)
{
	while (find(&tag, word)) {
		struct bytes value;
		size_t n = 0;

		skip_space(&tag);
		if (tag.n == 0 || tag.p[0] != '=')
			continue;
		bytes_take(&tag, 1);
		skip_space(&tag);
		if (tag.n > 0 && (tag.p[0] == '"' || tag.p[0] == '\''))
			bytes_take(&tag, 1);
		value = tag;
		while (n < value.n && !isspace(value.p[n]) &&
		    strchr("\"';>?", value.p[n]) == NULL)
			n++;
		value.n = n;
		return charset_named(value);
	}
	return CHARSET_UNKNOWN;
}

enum charset
charset_meta(struct bytes head)
{
	enum charset c = CHARSET_UNKNOWN;

	if (head.n > META_MAX)
		head.n = META_MAX;
	if (bytes_start_with(head, BYTES("<?xml"))) {
		struct bytes rest = head;

		c = value_behind(
		    bytes_take_until(&rest, '>'), BYTES("encoding"));
	}
	while (c == CHARSET_UNKNOWN && head.n > 0) {
		bytes_take_until(&head, '<');
		if (bytes_start_with(head, BYTES("!--"))) {
			if (!find(&head, BYTES("-->")))
				head.n = 0;
		} else if (head.n > 5 &&
		    bytes_equal_nocase(
			(struct bytes){ head.p, 4 }, BYTES("meta")) &&
		    (isspace(head.p[4]) || head.p[4] == '/')) {
			c = value_behind(
			    bytes_take_until(&head, '>'), BYTES("charset"));
		}
	}
	/* It was read as ASCII, so it cannot be. */
	if (c == CHARSET_UTF16LE || c == CHARSET_UTF16BE)
		c = CHARSET_UTF8;
	return c;
}

/* Guessing. */

/* Zeroes of ASCII letters stand at one side of each pair. */
static enum charset
guess_utf16(struct bytes b)
{
	size_t zeroes[2] = { 0, 0 };

	for (size_t i = 0; i < b.n; i++)
		zeroes[i % 2] += b.p[i] == 0;
	if (zeroes[1] > zeroes[0] * 8 && zeroes[1] * 16 > b.n)
		return CHARSET_UTF16LE;
	if (zeroes[0] > zeroes[1] * 8 && zeroes[0] * 16 > b.n)
		return CHARSET_UTF16BE;
	return CHARSET_UNKNOWN;
}

static bool
has_iso_2022_jp(struct bytes b)
{
	static const struct bytes marks[] = { BYTES_ROW("\x1b$B"),
		BYTES_ROW("\x1b$@"), BYTES_ROW("\x1b(J"), BYTES_ROW("\x1b(I"),
		BYTES_ROW("\x1b$(D") };

	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] >= 0x80)
			return false;
		for (size_t k = 0; b.p[i] == 0x1b && k < COUNT(marks); k++)
			if (bytes_start_with(
				(struct bytes){ b.p + i, b.n - i }, marks[k]))
				return true;
	}
	return false;
}

/* How unlikely the text is in that charset: wrong characters weigh most; kana
 * of full width and common kanji are what Japanese is made of. */
static unsigned long
unlikeliness(struct bytes b, enum charset c, bool whole)
{
	struct buf out;
	struct convert v;
	unsigned long bad = 0;
	unsigned long odd = 0;
	unsigned long all = 1;

	buf_init(&out, CONVERT_OUT_MAX(b.n));
	convert_init(&v, c);
	convert_push(&v, b, whole, &out);
	for (size_t i = 0; i < out.n; i++) {
		uint8_t x = out.p[i];

		if (x < 0xc2)
			continue;
		all++;
		/* U+FFFD */
		bad +=
		    x == 0xef && out.p[i + 1] == 0xbf && out.p[i + 2] == 0xbd;
		/* Not U+3000-9FFF nor U+FF00-FF5F. */
		odd += !((x >= 0xe3 && x <= 0xe9) ||
		    (x == 0xef && out.p[i + 1] == 0xbc));
	}
	buf_release(&out);
	return (bad * 1000 + odd * 10) * 1000 / all;
}

enum charset
charset_guess(struct bytes b, bool whole)
{
	static const enum charset likely[] = { CHARSET_EUC_JP,
		CHARSET_SHIFT_JIS };
	enum charset best = guess_utf16(b);
	unsigned long least = 100000;

	if (best != CHARSET_UNKNOWN)
		return best;
	if (has_iso_2022_jp(b))
		return CHARSET_ISO_2022_JP;
	if (unlikeliness(b, CHARSET_UTF8, whole) < 1000000 / 50)
		return CHARSET_UTF8;
	best = CHARSET_WINDOWS_1252;
	for (size_t i = 0; i < COUNT(likely); i++) {
		unsigned long u = unlikeliness(b, likely[i], whole);

		if (u < least) {
			least = u;
			best = likely[i];
		}
	}
	return best;
}
