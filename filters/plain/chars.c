/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/chars.h"

#include "filters/text/utf8.h"

#define GUESS_MAX ((size_t)65536) /* bytes that a guess looks at */

void
chars_init(struct chars *s, enum charset c, struct bytes text)
{
	*s = (struct chars){ .charset = c, .jis = JIS_ASCII, .rest = text };
}

static void
give(struct chars *s, struct character *out, size_t n, uint32_t c)
{
	out->kind = CHAR_TEXT;
	out->raw = bytes_take(&s->rest, n);
	out->c = c;
}

/* Of a table: a place in it that has no character is one all the same, for
 * makers put their own there. */
static void
give_listed(struct chars *s, struct character *out, size_t n, uint32_t c)
{
	give(s, out, n, c != 0 ? c : UTF8_BAD);
}

static void
give_damaged(struct chars *s, struct character *out, size_t n)
{
	out->kind = CHAR_DAMAGED;
	out->raw = bytes_take(&s->rest, n);
	out->c = UTF8_BAD;
}

static size_t
utf8_length(uint8_t first)
{
	return first < 0xc2 ? 0
	    : first < 0xe0  ? 2
	    : first < 0xf0  ? 3
	    : first < 0xf5  ? 4
			    : 0;
}

static void
next_utf8(struct chars *s, struct character *out)
{
	const uint8_t *p = s->rest.p;
	size_t n = utf8_length(p[0]);
	uint32_t c;

	if (p[0] < 0x80) {
		give(s, out, 1, p[0]);
		return;
	}
	if (n == 0 || n > s->rest.n || !utf8_is_valid((struct bytes){ p, n })) {
		give_damaged(s, out, 1);
		return;
	}
	c = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	give(s, out, n, c);
}

static uint32_t
unit_at(const struct chars *s, size_t at)
{
	const uint8_t *p = s->rest.p + at;

	return s->charset == CHARSET_UTF16LE ? p[0] | (uint32_t)p[1] << 8
					     : (uint32_t)p[0] << 8 | p[1];
}

static void
next_utf16(struct chars *s, struct character *out)
{
	uint32_t c;
	uint32_t low;

	if (s->rest.n < 2) {
		give_damaged(s, out, s->rest.n);
		return;
	}
	c = unit_at(s, 0);
	if (c < 0xd800 || c >= 0xe000) {
		give(s, out, 2, c);
		return;
	}
	low = s->rest.n < 4 ? 0 : unit_at(s, 2);
	if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
		give_damaged(s, out, 2);
	else
		give(s, out, 4, 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff));
}

static uint32_t
half_kana(uint8_t byte)
{
	return 0xff61u - 0xa1u + (byte | 0x80u);
}

static void
give_double(struct chars *s, struct character *out, bool in_range)
{
	const uint8_t *p = s->rest.p;

	if (in_range)
		give_listed(s, out, 2, charset_double(s->charset, p[0], p[1]));
	else
		give_damaged(s, out, 1);
}

static void
next_shift_jis(struct chars *s, struct character *out)
{
	uint8_t lead = s->rest.p[0];
	uint8_t trail = s->rest.n > 1 ? s->rest.p[1] : 0;

	if (lead < 0x80)
		give(s, out, 1, lead);
	else if (lead >= 0xa1 && lead <= 0xdf)
		give(s, out, 1, half_kana(lead));
	else
		give_double(s, out,
		    lead != 0x80 && lead != 0xa0 && lead <= 0xfc &&
			trail >= 0x40 && trail != 0x7f && trail <= 0xfc);
}

static bool
is_euc(uint8_t byte)
{
	return byte >= 0xa1 && byte <= 0xfe;
}

static void
next_euc_jp(struct chars *s, struct character *out)
{
	const uint8_t *p = s->rest.p;
	uint8_t second = s->rest.n > 1 ? p[1] : 0;
	uint8_t third = s->rest.n > 2 ? p[2] : 0;

	if (p[0] < 0x80)
		give(s, out, 1, p[0]);
	else if (p[0] == 0x8e && second >= 0xa1 && second <= 0xdf)
		give(s, out, 2, half_kana(second));
	else if (p[0] == 0x8f && is_euc(second) && is_euc(third))
		give_listed(s, out, 3, charset_jis0212(second, third));
	else
		give_double(s, out, is_euc(p[0]) && is_euc(second));
}

/* GBK, Big5, EUC-KR: what their leads and trails have in common. */
static void
next_double(struct chars *s, struct character *out)
{
	uint8_t lead = s->rest.p[0];
	uint8_t trail = s->rest.n > 1 ? s->rest.p[1] : 0;

	if (lead < 0x80)
		give(s, out, 1, lead);
	else
		give_double(s, out,
		    lead >= 0x81 && lead <= 0xfe && trail >= 0x40 &&
			trail != 0x7f && trail != 0xff);
}

static const struct {
	struct bytes escape;
	enum jis_set jis;
} escapes[] = {
	{ BYTES_ROW("\x1b(B"), JIS_ASCII },
	{ BYTES_ROW("\x1b(J"), JIS_ROMAN },
	{ BYTES_ROW("\x1b(I"), JIS_KANA },
	{ BYTES_ROW("\x1b$@"), JIS_0208 },
	{ BYTES_ROW("\x1b$B"), JIS_0208 },
	{ BYTES_ROW("\x1b$(D"), JIS_0212 },
};

static bool
is_jis_double(const struct chars *s)
{
	return s->jis == JIS_0208 || s->jis == JIS_0212;
}

static void
next_jis_double(struct chars *s, struct character *out)
{
	const uint8_t *p = s->rest.p;

	if (s->rest.n < 2 || p[0] > 0x7e || p[1] < 0x21 || p[1] > 0x7e)
		give_damaged(s, out, 1);
	else
		give_listed(s, out, 2,
		    s->jis == JIS_0208
			? charset_double(
			      CHARSET_EUC_JP, p[0] | 0x80, p[1] | 0x80)
			: charset_jis0212(p[0] | 0x80, p[1] | 0x80));
}

static void
next_jis(struct chars *s, struct character *out)
{
	uint8_t c = s->rest.p[0];

	for (size_t i = 0; c == 0x1b && i < COUNT(escapes); i++) {
		if (!bytes_start_with(s->rest, escapes[i].escape))
			continue;
		give(s, out, escapes[i].escape.n, 0);
		out->kind = CHAR_ESCAPE;
		s->jis = escapes[i].jis;
		return;
	}
	if (c > 0x20 && is_jis_double(s))
		next_jis_double(s, out);
	else if (s->jis == JIS_KANA && c >= 0x21 && c <= 0x5f)
		give(s, out, 1, half_kana(c));
	else if (c >= 0xa1 && c <= 0xdf) /* CP50221's kana of 8 bits */
		give(s, out, 1, half_kana(c));
	else if (c >= 0x80)
		give_damaged(s, out, 1);
	else
		give(s, out, 1, c);
}

static void
next_single(struct chars *s, struct character *out)
{
	uint8_t byte = s->rest.p[0];
	uint32_t c = charset_single(s->charset, byte);

	if (byte >= 0x80 && (c == 0 || (c >= 0x80 && c < 0xa0)))
		give_damaged(s, out, 1);
	else
		give(s, out, 1, c);
}

bool
chars_next(struct chars *s, struct character *out)
{
	if (s->rest.n == 0)
		return false;
	switch (s->charset) {
	case CHARSET_UTF8:
		next_utf8(s, out);
		break;
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		next_utf16(s, out);
		break;
	case CHARSET_ISO_2022_JP:
		next_jis(s, out);
		break;
	case CHARSET_SHIFT_JIS:
		next_shift_jis(s, out);
		break;
	case CHARSET_EUC_JP:
		next_euc_jp(s, out);
		break;
	case CHARSET_GBK:
	case CHARSET_BIG5:
	case CHARSET_EUC_KR:
		next_double(s, out);
		break;
	CHARSET_SINGLE_CASES:
		next_single(s, out);
		break;
	case CHARSET_UNKNOWN:
	case CHARSETS:
		must(s->charset != CHARSET_UNKNOWN);
	}
	return true;
}

/* Whether all of it is of that charset, places without character too. */
static bool
fits(enum charset c, struct bytes piece, bool whole)
{
	struct chars s;
	struct character x = { 0 };

	chars_init(&s, c, piece);
	while (chars_next(&s, &x))
		if (x.kind == CHAR_DAMAGED || x.c == UTF8_BAD)
			return !whole && s.rest.n < 4;
	return true;
}

/* Other charsets make few characters of UTF-8 by chance. */
static bool
is_nearly_utf8(struct bytes piece)
{
	struct chars s;
	struct character x = { 0 };
	size_t good = 0;
	size_t bad = 0;

	chars_init(&s, CHARSET_UTF8, piece);
	while (chars_next(&s, &x)) {
		good += x.raw.n > 1;
		bad += x.kind == CHAR_DAMAGED;
	}
	return good > bad * 8;
}

/* From the first byte that tells: what is not ASCII, or an escape. */
static struct bytes
telling(struct bytes text, bool *whole_out)
{
	size_t at = 0;

	while (at < text.n && text.p[at] < 0x80 && text.p[at] != 0x1b)
		at++;
	bytes_take(&text, at);
	*whole_out = text.n <= GUESS_MAX;
	if (!*whole_out)
		text.n = GUESS_MAX;
	return text;
}

/* By content: all of UTF-8 is that; what is guessed to be Japanese and is not
 * may be Chinese or Korean. */
static enum charset
guess(struct bytes text)
{
	static const enum charset others[] = { CHARSET_GBK, CHARSET_BIG5,
		CHARSET_EUC_KR };
	bool whole;
	struct bytes piece = telling(text, &whole);
	enum charset c;

	if (piece.n == 0)
		return CHARSET_UTF8;
	c = charset_guess(piece, whole);
	if (c == CHARSET_ISO_2022_JP || c == CHARSET_UTF8)
		return c;
	if (utf8_is_valid(text) || is_nearly_utf8(piece))
		return CHARSET_UTF8;
	/* UTF-16 has no sign here but its zeroes, which go. */
	if (c == CHARSET_UTF16LE || c == CHARSET_UTF16BE)
		return CHARSET_WINDOWS_1252;
	for (size_t i = 0; !fits(c, piece, whole) && i < COUNT(others); i++)
		if (fits(others[i], piece, whole))
			return others[i];
	return c;
}

enum charset
chars_charset(struct bytes text, size_t *mark_out)
{
	enum charset c = charset_mark(text, mark_out);

	return c != CHARSET_UNKNOWN ? c : guess(text);
}

int
chars_put_ascii(const struct chars *at, char c, struct buf *out)
{
	uint8_t unit[2] = { 0, 0 };

	switch (at->charset) {
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		unit[at->charset == CHARSET_UTF16BE] = (uint8_t)c;
		return buf_append(out, (struct bytes){ unit, 2 });
	case CHARSET_ISO_2022_JP:
		if (at->jis == JIS_ASCII || at->jis == JIS_ROMAN)
			break;
		for (size_t i = 0; i < COUNT(escapes); i++)
			if (escapes[i].jis == at->jis)
				return buf_printf(out, "\x1b(B%c%.*s", c,
				    BYTES_PRINTF(escapes[i].escape));
		break;
	case CHARSET_UNKNOWN:
	case CHARSET_UTF8:
	case CHARSET_SHIFT_JIS:
	case CHARSET_EUC_JP:
	case CHARSET_GBK:
	case CHARSET_BIG5:
	case CHARSET_EUC_KR:
	CHARSET_SINGLE_CASES:
	case CHARSETS:
		break;
	}
	return buf_append(out, (struct bytes){ (const uint8_t *)&c, 1 });
}
