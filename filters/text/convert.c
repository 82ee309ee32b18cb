/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/convert.h"

#include "filters/text/utf8.h"

/* A held byte is a lead, an escape, or the beginning of a character. */

void
convert_init(struct convert *v, enum charset c)
{
	*v = (struct convert){ .charset = c };
	must(c != CHARSET_UNKNOWN && c < CHARSETS);
}

static void
put(struct convert *v, uint32_t c)
{
	struct buf *out = v->out;

	if (c == 0xfeff && !v->begun) {
		v->begun = true;
		return;
	}
	v->begun = true;
	must(out->max - out->n >= UTF8_MAX && buf_reserve(out, UTF8_MAX) == 0);
	out->n += utf8_write(out->p + out->n, v->exact ? c : utf8_fold(c));
}

static void
hold(struct convert *v, uint8_t byte)
{
	v->held[v->held_n++] = byte;
}

/* UTF-8: the longest beginning of a character is one U+FFFD. */

static size_t
utf8_length(uint8_t first)
{
	return first < 0xc2 ? 0
	    : first < 0xe0  ? 2
	    : first < 0xf0  ? 3
	    : first < 0xf5  ? 4
			    : 0;
}

/* Whether byte may be the second one behind first. */
static bool
may_follow(uint8_t first, uint8_t byte)
{
	uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return byte >= least && byte <= most;
}

static void
take_utf8(struct convert *v, uint8_t byte)
{
	uint32_t c;

	if (v->held_n > 0) {
		size_t n = utf8_length(v->held[0]);
		bool good = v->held_n == 1 ? may_follow(v->held[0], byte)
					   : (byte & 0xc0) == 0x80;

		if (good) {
			hold(v, byte);
			if (v->held_n < n)
				return;
			c = v->held[0] & (0xffu >> (n + 1));
			for (size_t i = 1; i < n; i++)
				c = c << 6 | (v->held[i] & 0x3f);
			v->held_n = 0;
			put(v, c);
			return;
		}
		v->held_n = 0;
		put(v, UTF8_BAD);
	}
	if (byte < 0x80)
		put(v, byte);
	else if (utf8_length(byte) > 0)
		hold(v, byte);
	else
		put(v, UTF8_BAD);
}

static void
take_unit(struct convert *v, uint32_t unit)
{
	if (v->high) {
		v->high = false;
		if (unit >= 0xdc00 && unit < 0xe000) {
			put(v,
			    0x10000 + ((v->surrogate & 0x3ff) << 10) +
				(unit & 0x3ff));
			return;
		}
		put(v, UTF8_BAD);
	}
	if (unit >= 0xd800 && unit < 0xdc00) {
		v->high = true;
		v->surrogate = unit;
	} else {
		put(v, unit >= 0xdc00 && unit < 0xe000 ? UTF8_BAD : unit);
	}
}

static void
take_utf16(struct convert *v, uint8_t byte)
{
	if (v->held_n == 0) {
		hold(v, byte);
		return;
	}
	v->held_n = 0;
	take_unit(v,
	    v->charset == CHARSET_UTF16LE ? v->held[0] | (uint32_t)byte << 8
					  : (uint32_t)v->held[0] << 8 | byte);
}

static uint32_t
half_kana(uint8_t byte)
{
	return 0xff61u - 0xa1u + byte;
}

/* The second byte of two. A byte of ASCII that is none stands for itself, so
 * that a lead cannot swallow a tag. */
static void
put_double(struct convert *v, uint32_t c, uint8_t byte)
{
	put(v, c == 0 ? UTF8_BAD : c);
	if (c == 0 && byte < 0x80)
		put(v, byte);
}

static void
take_shift_jis(struct convert *v, uint8_t byte)
{
	if (v->held_n > 0) {
		v->held_n = 0;
		put_double(v,
		    charset_double(CHARSET_SHIFT_JIS, v->held[0], byte), byte);
	} else if (byte <= 0x80) {
		put(v, byte);
	} else if (byte >= 0xa1 && byte <= 0xdf) {
		put(v, half_kana(byte));
	} else if (byte == 0xa0 || byte > 0xfc) {
		put(v, UTF8_BAD);
	} else {
		hold(v, byte);
	}
}

static void
take_euc_jp(struct convert *v, uint8_t byte)
{
	uint32_t c;

	if (v->held_n == 0) {
		if (byte < 0x80)
			put(v, byte);
		else if (byte == 0x8e || byte == 0x8f ||
		    (byte >= 0xa1 && byte <= 0xfe))
			hold(v, byte);
		else
			put(v, UTF8_BAD);
		return;
	}
	if (v->held[0] == 0x8f && v->held_n == 1 && byte >= 0xa1 &&
	    byte <= 0xfe) {
		hold(v, byte);
		return;
	}
	c = v->held_n == 2 ? charset_jis0212(v->held[1], byte)
	    : v->held[0] == 0x8e
	    ? (byte >= 0xa1 && byte <= 0xdf ? half_kana(byte) : 0)
	    : v->held[0] == 0x8f ? 0
	    : byte < 0xa1        ? 0
			  : charset_double(CHARSET_EUC_JP, v->held[0], byte);
	v->held_n = 0;
	put_double(v, c, byte);
}

static void
take_double(struct convert *v, uint8_t byte)
{
	if (v->held_n > 0) {
		v->held_n = 0;
		put_double(
		    v, charset_double(v->charset, v->held[0], byte), byte);
	} else if (byte < 0x80) {
		put(v, byte);
	} else if (byte == 0x80 || byte == 0xff) {
		put(v, UTF8_BAD);
	} else {
		hold(v, byte);
	}
}

/* ISO-2022-JP. The tables are EUC-JP's, so that NEC's row 13 is there too. */

static void
take_jis_plain(struct convert *v, uint8_t byte)
{
	if (v->jis == JIS_KANA && byte >= 0x21 && byte <= 0x5f)
		put(v, half_kana(byte | 0x80));
	else if (v->jis == JIS_ROMAN && byte == 0x5c)
		put(v, 0xa5);
	else if (v->jis == JIS_ROMAN && byte == 0x7e)
		put(v, 0x203e);
	else if (byte >= 0xa1 && byte <= 0xdf) /* CP50221's kana of 8 bits */
		put(v, half_kana(byte));
	else if (byte >= 0x80 || byte == 0x0e || byte == 0x0f ||
	    (v->jis == JIS_KANA && byte > 0x5f))
		put(v, UTF8_BAD);
	else
		put(v, byte);
}

static void
take_jis_double(struct convert *v, uint8_t byte)
{
	uint8_t lead = v->held[0] | 0x80;
	uint32_t c = 0;

	if (v->held_n == 0 && byte >= 0x21 && byte <= 0x7e) {
		hold(v, byte);
		return;
	}
	if (v->held_n == 0) {
		put(v, byte < 0x21 ? byte : UTF8_BAD);
		return;
	}
	v->held_n = 0;
	if (byte >= 0x21 && byte <= 0x7e)
		c = v->jis == JIS_0208
		    ? charset_double(CHARSET_EUC_JP, lead, byte | 0x80)
		    : charset_jis0212(lead, byte | 0x80);
	put(v, c == 0 ? UTF8_BAD : c);
}

static const struct {
	const char *escape; /* behind ESC */
	enum jis_set jis;
} escapes[] = {
	{ "(B", JIS_ASCII },
	{ "(J", JIS_ROMAN },
	{ "(I", JIS_KANA },
	{ "$@", JIS_0208 },
	{ "$B", JIS_0208 },
	{ "$(D", JIS_0212 },
};

static void take_jis(struct convert *v, uint8_t byte);

static void
take_escape(struct convert *v, uint8_t byte)
{
	uint8_t held[4];
	size_t n;

	hold(v, byte);
	for (size_t i = 0; i < COUNT(escapes); i++) {
		size_t all = strlen(escapes[i].escape);

		if (v->held_n - 1 > all ||
		    memcmp(v->held + 1, escapes[i].escape, v->held_n - 1) != 0)
			continue;
		if (v->held_n - 1 < all)
			return;
		v->jis = escapes[i].jis;
		v->held_n = 0;
		return;
	}
	/* None: ESC is no character, what follows is read again. */
	n = v->held_n;
	memcpy(held, v->held, n);
	v->held_n = 0;
	put(v, UTF8_BAD);
	for (size_t i = 1; i < n; i++)
		take_jis(v, held[i]);
}

static void
take_jis(struct convert *v, uint8_t byte)
{
	if (v->held_n > 0 && v->held[0] == 0x1b) {
		take_escape(v, byte);
	} else if (byte == 0x1b) {
		if (v->held_n > 0)
			put(v, UTF8_BAD);
		v->held_n = 0;
		hold(v, byte);
	} else if (v->jis == JIS_0208 || v->jis == JIS_0212) {
		take_jis_double(v, byte);
	} else {
		take_jis_plain(v, byte);
	}
}

static void
take(struct convert *v, uint8_t byte)
{
	switch (v->charset) {
	case CHARSET_UTF8:
		take_utf8(v, byte);
		break;
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		take_utf16(v, byte);
		break;
	case CHARSET_ISO_2022_JP:
		take_jis(v, byte);
		break;
	case CHARSET_SHIFT_JIS:
		take_shift_jis(v, byte);
		break;
	case CHARSET_EUC_JP:
		take_euc_jp(v, byte);
		break;
	case CHARSET_GBK:
	case CHARSET_BIG5:
	case CHARSET_EUC_KR:
		take_double(v, byte);
		break;
	CHARSET_SINGLE_CASES:
		put(v, charset_single(v->charset, byte));
		break;
	case CHARSET_UNKNOWN:
	case CHARSETS:
		must(v->charset != CHARSET_UNKNOWN);
	}
}

/* ASCII at the beginning of b, where it stands for itself. */
static size_t
count_ascii(const struct convert *v, struct bytes b)
{
	size_t n = 0;

	if (v->held_n > 0 || v->charset == CHARSET_UTF16LE ||
	    v->charset == CHARSET_UTF16BE || v->charset == CHARSET_ISO_2022_JP)
		return 0;
	while (n + 8 <= b.n) {
		uint64_t eight;

		memcpy(&eight, b.p + n, 8);
		if ((eight & 0x8080808080808080u) != 0)
			break;
		n += 8;
	}
	while (n < b.n && b.p[n] < 0x80)
		n++;
	return n;
}

void
convert_push(struct convert *v, struct bytes b, bool last, struct buf *out)
{
	/* All its room at once: a byte becomes three at most, and so do those
	 * that were held. */
	must(buf_reserve(out, CONVERT_OUT_MAX(b.n)) == 0);
	v->out = out;
	while (b.n > 0) {
		size_t n = count_ascii(v, b);

		if (n > 0) {
			memcpy(out->p + out->n, bytes_take(&b, n).p, n);
			out->n += n;
			v->begun = true;
		}
		if (b.n > 0)
			take(v, bytes_take(&b, 1).p[0]);
	}
	if (last && (v->held_n > 0 || v->high)) {
		v->held_n = 0;
		v->high = false;
		put(v, UTF8_BAD);
	}
	v->out = NULL;
}
