/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/words.h"

#include <ctype.h>

#include "filters/html/base64.h"
#include "filters/mail/coding.h"
#include "filters/plain/chars.h"
#include "filters/text/convert.h"
#include "filters/text/utf8.h"

#define LINE_MAX_BYTES 76
#define WORD_BYTES 45 /* in an encoded word: 72 characters with its frame */
#define FRAME "=?UTF-8?B?"
/* RFC 2047 permits 75; some write a whole subject as one. */
#define WORD_MAX ((size_t)4096)

enum charset
mail_charset(struct bytes label)
{
	static const char *const ascii[] = { "us-ascii", "ascii",
		"ansi_x3.4-1968", "unknown-8bit", "x-unknown", "default" };
	ssize_t star = bytes_index(label, '*');

	if (star >= 0) /* its language, RFC 2231, 5 */
		label.n = (size_t)star;
	for (size_t i = 0; i < COUNT(ascii); i++)
		if (bytes_equal_nocase(label, bytes_of(ascii[i])))
			return CHARSET_UNKNOWN;
	return charset_named(label);
}

/* Whether all of it is characters there. */
static bool
reads(enum charset c, struct bytes text)
{
	struct character x = { 0 };
	struct chars s;

	chars_init(&s, c, text);
	while (chars_next(&s, &x))
		if (x.kind == CHAR_DAMAGED)
			return false;
	return true;
}

static bool
is_of_japan(enum charset c)
{
	return c == CHARSET_ISO_2022_JP || c == CHARSET_UTF8 ||
	    c == CHARSET_SHIFT_JIS || c == CHARSET_EUC_JP;
}

enum charset
mail_charset_of(struct bytes text, enum charset said)
{
	bool is_utf8 = said == CHARSET_UTF8 && utf8_is_valid(text);
	enum charset likely;
	size_t mark = 0;

	if (said == CHARSET_UTF16LE || said == CHARSET_UTF16BE ||
	    (is_utf8 && bytes_index(text, 0x1b) < 0))
		return said;
	likely = chars_charset(text, &mark);
	if (said == CHARSET_UNKNOWN || (said == CHARSET_UTF8 && !is_utf8))
		return likely;
	if (!is_of_japan(likely) || !reads(likely, text))
		return said;
	/* Its escapes are characters of no other one. */
	return likely == CHARSET_ISO_2022_JP || !reads(said, text) ? likely
								   : said;
}

struct bytes
mail_utf8_as(struct detox *d, enum charset c, struct bytes text)
{
	struct convert v;
	struct buf out;
	struct bytes copy;

	buf_init(&out, CONVERT_OUT_MAX(text.n));
	convert_init(&v, c);
	v.exact = true;
	convert_push(&v, text, true, &out);
	copy = arena_copy(&d->arena, buf_bytes(&out));
	buf_release(&out);
	return copy;
}

struct bytes
mail_utf8(struct detox *d, enum charset said, struct bytes text)
{
	return mail_utf8_as(d, mail_charset_of(text, said), text);
}

enum charset
mail_field_charset(struct bytes text)
{
	size_t mark = 0;
	enum charset c = chars_charset(text, &mark);

	return (c == CHARSET_ISO_2022_JP || c == CHARSET_SHIFT_JIS) &&
		reads(c, text)
	    ? c
	    : CHARSET_UNKNOWN;
}

struct bytes
mail_field_utf8(struct detox *d, struct bytes text)
{
	enum charset c = mail_field_charset(text);

	return c == CHARSET_UNKNOWN ? text : mail_utf8_as(d, c, text);
}

/* Decoding. */

struct word {
	struct bytes charset, text;
	bool base64;
};

/* "=?charset?B?text?=" at the beginning of *b, which it leaves. */
static bool
take_word(struct bytes *b, struct word *out)
{
	struct bytes rest = *b;
	const uint8_t *end;
	struct bytes coding;

	if (!bytes_start_with(rest, BYTES("=?")))
		return false;
	bytes_take(&rest, 2);
	if (bytes_index(rest, '?') < 1)
		return false;
	out->charset = bytes_take_until(&rest, '?');
	if (bytes_index(rest, '?') != 1)
		return false;
	coding = bytes_take_until(&rest, '?');
	out->base64 = coding.p[0] == 'B' || coding.p[0] == 'b';
	if (!out->base64 && coding.p[0] != 'Q' && coding.p[0] != 'q')
		return false;
	end = memmem(rest.p, rest.n < WORD_MAX ? rest.n : WORD_MAX, "?=", 2);
	if (end == NULL)
		return false;
	out->text = bytes_take(&rest, (size_t)(end - rest.p));
	bytes_take(&rest, 2);
	*b = rest;
	return true;
}

/* RFC 2047, 4.2: as quoted-printable, but '_' is a blank. */
static void
decode_q(struct bytes text, struct buf *out)
{
	while (text.n > 0) {
		uint8_t c = bytes_take(&text, 1).p[0];

		if (c == '_') {
			c = ' ';
		} else if (c == '=' && text.n >= 2 &&
		    byte_hex(text.p[0]) >= 0 && byte_hex(text.p[1]) >= 0) {
			c = (uint8_t)(byte_hex(text.p[0]) << 4 |
			    byte_hex(text.p[1]));
			bytes_take(&text, 2);
		}
		must(buf_append(out, (struct bytes){ &c, 1 }) == 0);
	}
}

static void
decode_word(const struct word *w, struct buf *out)
{
	if (w->base64)
		must(mail_decode(MAIL_CODING_BASE64, w->text, out) !=
		    MAIL_DECODED_OVER);
	else
		decode_q(w->text, out);
}

/* as_said: in the charset that they name, ASCII where it is none that we know.
 */
static void
flush(struct detox *d, struct bytes charset, bool as_said, struct buf *held,
    struct buf *out)
{
	enum charset said = mail_charset(charset);
	struct bytes text = buf_bytes(held);

	if (!as_said)
		text = mail_utf8(d, said, text);
	else if (said != CHARSET_UNKNOWN)
		text = mail_utf8_as(d, said, text);
	else
		text = mail_utf8_as(d, CHARSET_WINDOWS_1252, text);
	must(buf_append(out, text) == 0);
	held->n = 0;
}

static struct bytes
skip_blanks(struct bytes b)
{
	while (b.n > 0 && b.p[0] == ' ')
		bytes_take(&b, 1);
	return b;
}

/* All words that follow each other; what is between them is no text. */
static void
take_words(struct detox *d, struct bytes *b, bool as_said, struct buf *held,
    struct buf *out)
{
	struct bytes charset = { 0 };
	struct word w;

	while (take_word(b, &w)) {
		struct bytes next = skip_blanks(*b);

		if (!bytes_equal_nocase(w.charset, charset))
			flush(d, charset, as_said, held, out);
		charset = w.charset;
		decode_word(&w, held);
		if (bytes_start_with(next, BYTES("=?")))
			*b = next;
	}
	flush(d, charset, as_said, held, out);
}

static struct bytes
words_decode(struct detox *d, struct bytes text, bool as_said)
{
	struct bytes copy;
	struct buf held, out;

	if (text.n == 0)
		return text;
	text = mail_field_utf8(d, text);
	/* A byte becomes three at most, each piece some more. */
	buf_init(&out, size_mul(text.n + 16, 16));
	buf_init(&held, size_mul(text.n + 16, 4));
	while (text.n > 0) {
		struct bytes piece = text;
		const uint8_t *at = memmem(text.p, text.n, "=?", 2);
		struct bytes before;

		piece.n = at == NULL ? text.n : (size_t)(at - text.p);
		bytes_take(&text, piece.n);
		before = text;
		must(buf_append(&out, mail_utf8(d, CHARSET_UNKNOWN, piece)) ==
		    0);
		if (text.n == 0)
			break;
		take_words(d, &text, as_said, &held, &out);
		if (text.p == before.p) /* it was none */
			must(buf_append(&out, bytes_take(&text, 2)) == 0);
	}
	copy = arena_copy(&d->arena, buf_bytes(&out));
	buf_release(&held);
	buf_release(&out);
	return copy;
}

struct bytes
mail_words_decode(struct detox *d, struct bytes text)
{
	return words_decode(d, text, false);
}

struct bytes
mail_words_decode_as(struct detox *d, struct bytes text)
{
	return words_decode(d, text, true);
}

/* Characters that are not seen, or turn what is seen around. Joiners of emoji
 * and of scripts that need them stay. */
static bool
is_hidden(uint32_t c)
{
	return (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	    c == 0x180e || c == 0x200b || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0xfeff || c == 0xfffe || c == 0xffff ||
	    (c >= 0xe0000 && c <= 0xe007f);
}

struct bytes
mail_clean_line(struct detox *d, struct bytes text)
{
	uint8_t *p = arena_alloc(&d->arena, text.n + 1);
	struct character x = { 0 };
	struct chars s;
	size_t n = 0;

	chars_init(&s, CHARSET_UTF8, text);
	while (chars_next(&s, &x)) {
		if (x.kind != CHAR_TEXT || is_hidden(x.c))
			continue;
		if (x.c <= ' ') {
			if (n > 0 && p[n - 1] != ' ')
				p[n++] = ' ';
			continue;
		}
		memcpy(p + n, x.raw.p, x.raw.n);
		n += x.raw.n;
	}
	if (n > 0 && p[n - 1] == ' ')
		n--;
	return (struct bytes){ p, n };
}

/* Encoding. */

#define PLAIN_WORD_MAX ((size_t)200)

bool
mail_is_plain(struct bytes text)
{
	size_t word = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < ' ' || text.p[i] >= 0x7f)
			return false;
		word = text.p[i] == ' ' ? 0 : word + 1;
		if (word > PLAIN_WORD_MAX)
			return false;
	}
	return text.n == 0 || memmem(text.p, text.n, "=?", 2) == NULL;
}

/* Folded at its blanks. */
static int
put_plain(struct buf *out, struct bytes text, size_t *column)
{
	while (text.n > 0) {
		ssize_t blank = bytes_index(text, ' ');
		struct bytes word =
		    bytes_take(&text, blank < 0 ? text.n : (size_t)blank);

		if (buf_append(out, word) < 0)
			return -1;
		*column += word.n;
		if (text.n == 0)
			break;
		bytes_take(&text, 1);
		blank = bytes_index(text, ' ');
		if (*column + (blank < 0 ? text.n : (size_t)blank) >
		    LINE_MAX_BYTES) {
			if (buf_append(out, BYTES("\r\n")) < 0)
				return -1;
			*column = 0;
		}
		if (buf_append(out, BYTES(" ")) < 0)
			return -1;
		*column += 1;
	}
	return 0;
}

/* As many whole characters as fit. */
static struct bytes
take_characters(struct bytes *text, size_t max)
{
	size_t n = text->n < max ? text->n : max;

	while (n > 0 && n < text->n && (text->p[n] & 0xc0) == 0x80)
		n--;
	return bytes_take(text, n == 0 ? text->n : n);
}

int
mail_put_words(struct buf *out, struct bytes text, size_t *column)
{
	if (mail_is_plain(text))
		return put_plain(out, text, column);
	while (text.n > 0) {
		size_t frame = strlen(FRAME) + 2;
		size_t room = *column + frame + 8 > LINE_MAX_BYTES
		    ? 0
		    : (LINE_MAX_BYTES - *column - frame) / 4 * 3;
		struct bytes piece;
		size_t before;

		if (room < 6) {
			if (buf_append(out, BYTES("\r\n ")) < 0)
				return -1;
			*column = 1;
			room = WORD_BYTES;
		}
		piece = take_characters(
		    &text, room < WORD_BYTES ? room : WORD_BYTES);
		before = out->n;
		if (buf_append_string(out, FRAME) < 0 ||
		    base64_encode(piece, out) < 0 ||
		    buf_append(out, BYTES("?=")) < 0)
			return -1;
		*column += out->n - before;
		if (text.n > 0) {
			if (buf_append(out, BYTES("\r\n ")) < 0)
				return -1;
			*column = 1;
		}
	}
	return 0;
}
