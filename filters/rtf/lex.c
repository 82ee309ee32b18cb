/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/rtf/lex.h"

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lead(uint8_t c)
{
	return (c >= 0x81 && c <= 0x9f) || (c >= 0xe0 && c <= 0xfc);
}

static void
take_number(struct lexer *l, struct token *out)
{
	struct bytes *b = &l->rest;
	bool negative = b->n > 1 && b->p[0] == '-' && is_digit(b->p[1]);
	int64_t value = 0;

	if (negative)
		bytes_take(b, 1);
	while (b->n > 0 && is_digit(b->p[0])) {
		out->has_param = true;
		value = value * 10 + (bytes_take(b, 1).p[0] - '0');
		if (value > INT32_MAX)
			value = INT32_MAX;
	}
	out->param = (int32_t)(negative ? -value : value);
}

static void
take_bin(struct lexer *l, struct token *out)
{
	size_t n = out->param < 0 ? 0 : (size_t)out->param;

	out->kind = LEX_BIN;
	out->data = bytes_take(&l->rest, n < l->rest.n ? n : l->rest.n);
}

/* Behind the backslash. A name that is too long is known to nobody. */
static void
take_word(struct lexer *l, struct token *out)
{
	struct bytes *b = &l->rest;
	size_t n = 0;

	out->kind = LEX_WORD;
	for (; b->n > 0 && is_letter(b->p[0]); bytes_take(b, 1), n++)
		if (n < LEX_NAME_MAX)
			out->name[n] = (char)b->p[0];
	if (n > LEX_NAME_MAX)
		n = 0;
	out->name[n] = '\0';
	take_number(l, out);
	if (b->n > 0 && b->p[0] == ' ')
		bytes_take(b, 1);
	if (strcmp(out->name, "bin") == 0)
		take_bin(l, out);
}

static void
take_hex(struct lexer *l, struct token *out)
{
	struct bytes *b = &l->rest;
	int high = b->n > 0 ? byte_hex(b->p[0]) : -1;
	int low = b->n > 1 ? byte_hex(b->p[1]) : -1;

	if (high < 0 || low < 0) {
		out->kind = LEX_CONTROL;
		return;
	}
	bytes_take(b, 2);
	out->kind = LEX_BYTE;
	out->byte = (uint8_t)(high << 4 | low);
}

static void
take_control(struct lexer *l, struct token *out)
{
	struct bytes *b = &l->rest;
	uint8_t c;

	if (b->n == 0) {
		out->kind = LEX_END;
		return;
	}
	if (is_letter(b->p[0])) {
		take_word(l, out);
		return;
	}
	c = bytes_take(b, 1).p[0];
	if (c == '\'') {
		take_hex(l, out);
		return;
	}
	out->kind = LEX_SYMBOL;
	out->byte = c;
	if (c == '\r' && b->n > 0 && b->p[0] == '\n')
		bytes_take(b, 1);
}

static bool
is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '\\' && c != '{' && c != '}';
}

static void
take_text(struct lexer *l, struct token *out)
{
	size_t n = 0;

	while (n < l->rest.n && is_plain(l->rest.p[n]))
		n++;
	out->kind = LEX_TEXT;
	out->raw = bytes_take(&l->rest, n);
}

/* A byte beyond ASCII; the second one of a character may be any. */
static void
take_byte(struct lexer *l, struct token *out)
{
	out->kind = LEX_BYTE;
	out->byte = bytes_take(&l->rest, 1).p[0];
	l->trail = !l->trail && l->double_byte && is_lead(out->byte) &&
	    l->rest.n > 0 && l->rest.p[0] >= 0x40;
}

void
lex_next(struct lexer *l, struct token *out)
{
	uint8_t c = l->rest.n > 0 ? l->rest.p[0] : 0;

	memset(out, 0, sizeof(*out));
	if (l->rest.n == 0)
		return;
	if (l->trail || c >= 0x80) {
		take_byte(l, out);
		return;
	}
	if (is_plain(c)) {
		take_text(l, out);
		return;
	}
	bytes_take(&l->rest, 1);
	switch (c) {
	case '{':
		out->kind = LEX_OPEN;
		break;
	case '}':
		out->kind = LEX_CLOSE;
		break;
	case '\\':
		take_control(l, out);
		break;
	case '\r':
	case '\n':
		out->kind = LEX_NEWLINE;
		break;
	case '\t':
		out->kind = LEX_WORD;
		memcpy(out->name, "tab", 4);
		break;
	default:
		out->kind = LEX_CONTROL;
	}
}

struct bytes
lex_skip(struct lexer *l)
{
	struct bytes all = l->rest;
	struct lexer before = *l;
	struct token t;
	size_t open = 0;

	for (;; before = *l) {
		lex_next(l, &t);
		if (t.kind == LEX_OPEN)
			open++;
		if (t.kind == LEX_END || (t.kind == LEX_CLOSE && open-- == 0))
			break;
	}
	*l = before;
	all.n -= l->rest.n;
	return all;
}
