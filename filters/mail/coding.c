/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/coding.h"

#include "filters/html/base64.h"
#include "filters/mail/entity.h"

#define LINE_BYTES 57 /* of base64: 76 characters */
#define LINE_MAX_CHARS 76

enum mail_coding
mail_coding_named(struct bytes name)
{
	static const struct {
		struct bytes name;
		enum mail_coding coding;
	} codings[] = {
		{ BYTES_ROW("base64"), MAIL_CODING_BASE64 },
		{ BYTES_ROW("quoted-printable"), MAIL_CODING_QUOTED },
		{ BYTES_ROW("x-uuencode"), MAIL_CODING_UU },
		{ BYTES_ROW("x-uue"), MAIL_CODING_UU },
		{ BYTES_ROW("uuencode"), MAIL_CODING_UU },
	};
	size_t n = 0;

	while (n < name.n && name.p[n] > ' ' && name.p[n] != ';' &&
	    name.p[n] != '(')
		n++;
	name.n = n;
	for (size_t i = 0; i < COUNT(codings); i++)
		if (bytes_equal_nocase(name, codings[i].name))
			return codings[i].coding;
	return MAIL_CODING_NONE;
}

/* 64: none, 65: '='. */
static uint8_t
letter(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 65 : 64;
}

static const uint8_t *
letters(void)
{
	static uint8_t table[256];

	if (table['A' + 1] == 0)
		for (unsigned c = 0; c < sizeof(table); c++)
			table[c] = letter((uint8_t)c);
	return table;
}

bool
mail_is_no_base64(struct bytes in)
{
	const uint8_t *table = letters();
	size_t others = 0;

	for (size_t i = 0; i < in.n; i++)
		others +=
		    table[in.p[i]] == 64 && in.p[i] != '\r' && in.p[i] != '\n';
	return others >= 8 && others >= in.n / 8;
}

/* Four letters at a time, as far as there are four. How many were taken. */
static size_t
decode_quads(struct bytes in, struct buf *out)
{
	const uint8_t *table = letters();
	size_t i = 0;

	for (; i + 4 <= in.n; i += 4) {
		uint32_t a = table[in.p[i]], b = table[in.p[i + 1]];
		uint32_t c = table[in.p[i + 2]], d = table[in.p[i + 3]];
		uint32_t bits = a << 18 | b << 12 | c << 6 | d;

		if (((a | b | c | d) & 0x40) != 0)
			break;
		out->p[out->n++] = (uint8_t)(bits >> 16);
		out->p[out->n++] = (uint8_t)(bits >> 8);
		out->p[out->n++] = (uint8_t)bits;
	}
	return i;
}

/* Several that were put one behind the other, each with its '=', are read as
 * one. The room was reserved. */
static bool
decode_base64(struct bytes in, struct buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;
	bool good = true;

	for (size_t i = 0; i < in.n; i++) {
		uint8_t v;

		if (n == 0) {
			i += decode_quads(
			    (struct bytes){ in.p + i, in.n - i }, out);
			if (i == in.n)
				break;
		}
		v = letter(in.p[i]);
		if (v == 65) {
			/* The bits of a cut character are no byte. */
			n = 0;
			bits = 0;
			continue;
		}
		if (v == 64) {
			good = good && in.p[i] <= ' ';
			continue;
		}
		bits = bits << 6 | v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			out->p[out->n++] = (uint8_t)(bits >> n);
		}
	}
	return good;
}

/* RFC 2045, 6.7: blanks at the end of a line are none of it. */
static bool
decode_quoted_line(struct bytes line, bool ended, struct buf *out)
{
	bool good = true;

	while (line.n > 0 &&
	    (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	while (line.n > 0) {
		uint8_t c = bytes_take(&line, 1).p[0];

		if (c == '=' && line.n == 0)
			return good;
		if (c == '=' && line.n >= 2 && byte_hex(line.p[0]) >= 0 &&
		    byte_hex(line.p[1]) >= 0) {
			c = (uint8_t)(byte_hex(line.p[0]) << 4 |
			    byte_hex(line.p[1]));
			bytes_take(&line, 2);
		} else if (c == '=') {
			good = false;
		}
		out->p[out->n++] = c;
	}
	if (ended) {
		out->p[out->n++] = '\r';
		out->p[out->n++] = '\n';
	}
	return good;
}

static bool
decode_quoted(struct bytes in, struct buf *out)
{
	bool good = true;

	while (in.n > 0) {
		bool ended = bytes_index(in, '\n') >= 0;
		struct bytes line = mail_line_take(&in);

		good = decode_quoted_line(line, ended, out) && good;
	}
	return good;
}

bool
mail_uu_line(struct bytes line, struct buf *out)
{
	size_t n;

	if (line.n == 0 || line.p[0] < ' ' || line.p[0] > '`')
		return false;
	n = (line.p[0] - ' ') & 0x3f;
	/* Blanks at the end may be gone. */
	if (line.n > 1 + (n + 2) / 3 * 4 + 2 || buf_reserve(out, n + 3) < 0)
		return false;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = 0;

		for (size_t k = 0; k < 4; k++) {
			size_t at = 1 + i / 3 * 4 + k;
			uint8_t c = at < line.n ? line.p[at] : ' ';

			if (c < ' ' || c > '`')
				return false;
			bits = bits << 6 | ((c - ' ') & 0x3fu);
		}
		for (size_t k = 0; k < 3 && i + k < n; k++)
			out->p[out->n++] = (uint8_t)(bits >> (16 - 8 * k));
	}
	return true;
}

static bool
is_uu_end(struct bytes line)
{
	return bytes_equal(bytes_trim(line), BYTES("end"));
}

/* With or without its first line. */
static bool
decode_uu(struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		struct bytes line = mail_line_take(&in);

		if (is_uu_end(line))
			return true;
		if (!bytes_start_with(line, BYTES("begin ")) && line.n > 0 &&
		    !mail_uu_line(line, out))
			return false;
	}
	return false;
}

enum mail_decoded
mail_decode(enum mail_coding coding, struct bytes in, struct buf *out)
{
	bool good = true;

	/* A last line without an end gets none; each byte becomes one at
	 * most, but for a line end. */
	if (buf_reserve(out, size_add(size_mul(in.n, 2), 8)) < 0)
		return MAIL_DECODED_OVER;
	switch (coding) {
	case MAIL_CODING_NONE:
		if (in.n > 0)
			memcpy(out->p + out->n, in.p, in.n);
		out->n += in.n;
		break;
	case MAIL_CODING_BASE64:
		good = decode_base64(in, out);
		break;
	case MAIL_CODING_QUOTED:
		good = decode_quoted(in, out);
		break;
	case MAIL_CODING_UU:
		good = decode_uu(in, out);
		break;
	}
	return good ? MAIL_DECODED : MAIL_DECODED_DAMAGED;
}

int
mail_put_base64(struct bytes in, struct buf *out)
{
	size_t lines = in.n / LINE_BYTES + (in.n % LINE_BYTES > 0);

	if (buf_reserve(out, size_mul(lines, LINE_MAX_CHARS + 2)) < 0)
		return -1;
	while (in.n > 0) {
		struct bytes line =
		    bytes_take(&in, in.n < LINE_BYTES ? in.n : LINE_BYTES);

		if (base64_encode(line, out) < 0 ||
		    buf_append(out, BYTES("\r\n")) < 0)
			return -1;
	}
	return 0;
}

/* What may not begin a line: of files that hold mails, of SMTP, a delimiter. */
static bool
begins_badly(struct bytes rest)
{
	return bytes_start_with(rest, BYTES("From ")) ||
	    bytes_start_with(rest, BYTES(".")) ||
	    bytes_start_with(rest, BYTES("--"));
}

/* One line, without its end. */
static int
put_quoted_line(struct bytes line, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	while (line.n > 0) {
		uint8_t c = line.p[0];
		bool blank = c == ' ' || c == '\t';
		bool plain =
		    (c > ' ' && c < 0x7f && c != '=') || (blank && line.n > 1);
		uint8_t text[3] = { '=', (uint8_t)hex[c >> 4],
			(uint8_t)hex[c & 15] };

		if (column + (plain ? 1 : 3) > LINE_MAX_CHARS - 1) {
			if (buf_append(out, BYTES("=\r\n")) < 0)
				return -1;
			column = 0;
		}
		plain = plain && (column > 0 || !begins_badly(line));
		bytes_take(&line, 1);
		if (buf_append(out,
			plain ? (struct bytes){ &c, 1 }
			      : (struct bytes){ text, 3 }) < 0)
			return -1;
		column += plain ? 1 : 3;
	}
	return 0;
}

int
mail_put_quoted(struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		bool ended = bytes_index(in, '\n') >= 0;
		struct bytes line = mail_line_take(&in);

		if (put_quoted_line(line, out) < 0 ||
		    (ended && buf_append(out, BYTES("\r\n")) < 0))
			return -1;
	}
	return 0;
}
