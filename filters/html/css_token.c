/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/css_token.h"

#include <ctype.h>

#include "filters/text/utf8.h"

void
css_reader_init(struct css_reader *r, struct bytes in)
{
	r->in = in;
	/* An escape is not shorter than its character, but NUL is: "\0". */
	buf_init(&r->text, in.n + in.n / 2 + UTF8_MAX);
}

void
css_reader_release(struct css_reader *r)
{
	buf_release(&r->text);
}

static uint8_t
peek(const struct css_reader *r, size_t i)
{
	return i < r->in.n ? r->in.p[i] : 0;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
begins_name(uint8_t c)
{
	return c >= 0x80 || c == '_' || (c < 0x80 && isalpha(c));
}

static bool
is_in_name(uint8_t c)
{
	return begins_name(c) || c == '-' || (c >= '0' && c <= '9');
}

static bool
is_escape(const struct css_reader *r, size_t i)
{
	return i + 1 < r->in.n && r->in.p[i] == '\\' &&
	    r->in.p[i + 1] != '\n' && r->in.p[i + 1] != '\r' &&
	    r->in.p[i + 1] != '\f';
}

static bool
name_begins(const struct css_reader *r, size_t i)
{
	if (peek(r, i) == '-')
		return begins_name(peek(r, i + 1)) || peek(r, i + 1) == '-' ||
		    is_escape(r, i + 1);
	return begins_name(peek(r, i)) || is_escape(r, i);
}

static bool
number_begins(const struct css_reader *r)
{
	size_t i = peek(r, 0) == '+' || peek(r, 0) == '-';

	if (peek(r, i) == '.')
		i++;
	return isdigit(peek(r, i)) != 0;
}

static void
add(struct css_reader *r, uint32_t c)
{
	uint8_t bytes[UTF8_MAX];
	size_t n;

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = UTF8_BAD;
	n = utf8_write(bytes, c);
	must(buf_append(&r->text, (struct bytes){ bytes, n }) == 0);
}

static void
take_byte(struct css_reader *r)
{
	must(buf_append(&r->text, bytes_take(&r->in, 1)) == 0);
}

/* Behind the backslash. */
static void
take_escape(struct css_reader *r)
{
	uint32_t c = 0;
	size_t n = 0;

	bytes_take(&r->in, 1);
	while (n < 6 && n < r->in.n && byte_hex(r->in.p[n]) >= 0)
		c = c << 4 | (uint32_t)byte_hex(r->in.p[n++]);
	if (n == 0) {
		take_byte(r);
		return;
	}
	bytes_take(&r->in, n);
	if (bytes_start_with(r->in, BYTES("\r\n")))
		bytes_take(&r->in, 1);
	if (is_space(peek(r, 0)))
		bytes_take(&r->in, 1);
	add(r, c);
}

static void
take_name(struct css_reader *r)
{
	for (;;) {
		if (is_escape(r, 0))
			take_escape(r);
		else if (r->in.n > 0 && is_in_name(r->in.p[0]))
			take_byte(r);
		else
			return;
	}
}

static enum css_kind
take_string(struct css_reader *r)
{
	uint8_t quote = bytes_take(&r->in, 1).p[0];

	while (r->in.n > 0) {
		uint8_t c = r->in.p[0];

		if (c == quote) {
			bytes_take(&r->in, 1);
			return CSS_STRING;
		}
		if (c == '\n' || c == '\r' || c == '\f')
			return CSS_BAD;
		if (is_escape(r, 0)) {
			take_escape(r);
		} else if (c == '\\') {
			/* It joins lines. */
			bytes_take(&r->in, 1);
			if (bytes_start_with(r->in, BYTES("\r\n")))
				bytes_take(&r->in, 1);
			bytes_take(&r->in, r->in.n > 0);
		} else {
			take_byte(r);
		}
	}
	return CSS_STRING;
}

static void
skip_space(struct css_reader *r)
{
	while (r->in.n > 0 && is_space(r->in.p[0]))
		bytes_take(&r->in, 1);
}

/* Behind "url(", when no quote follows. */
static enum css_kind
take_url(struct css_reader *r)
{
	enum css_kind kind = CSS_URL;

	while (r->in.n > 0 && r->in.p[0] != ')') {
		uint8_t c = r->in.p[0];

		if (is_escape(r, 0)) {
			take_escape(r);
		} else if (is_space(c)) {
			skip_space(r);
			if (r->in.n > 0 && r->in.p[0] != ')')
				kind = CSS_BAD;
		} else {
			if (c == '"' || c == '\'' || c == '(' || c < ' ')
				kind = CSS_BAD;
			take_byte(r);
		}
	}
	bytes_take(&r->in, r->in.n > 0);
	return kind;
}

static bool
is_url(const struct css_reader *r)
{
	struct bytes rest = r->in;

	if (!bytes_equal_nocase(buf_bytes(&r->text), BYTES("url")))
		return false;
	while (rest.n > 0 && is_space(rest.p[0]))
		bytes_take(&rest, 1);
	return rest.n == 0 || (rest.p[0] != '"' && rest.p[0] != '\'');
}

static enum css_kind
take_word(struct css_reader *r)
{
	take_name(r);
	if (peek(r, 0) != '(')
		return CSS_NAME;
	bytes_take(&r->in, 1);
	if (!is_url(r))
		return CSS_FUNCTION;
	r->text.n = 0;
	skip_space(r);
	return take_url(r);
}

static size_t
count_digits(const struct css_reader *r, size_t i)
{
	size_t n = 0;

	while (isdigit(peek(r, i + n)))
		n++;
	return n;
}

static enum css_kind
take_number(struct css_reader *r, struct css_token *out)
{
	size_t n = peek(r, 0) == '+' || peek(r, 0) == '-';
	size_t sign;

	n += count_digits(r, n);
	if (peek(r, n) == '.' && isdigit(peek(r, n + 1)))
		n += 1 + count_digits(r, n + 1);
	if (peek(r, n) == 'e' || peek(r, n) == 'E') {
		sign = peek(r, n + 1) == '+' || peek(r, n + 1) == '-';
		if (isdigit(peek(r, n + 1 + sign)))
			n += 1 + sign + count_digits(r, n + 1 + sign);
	}
	out->number = bytes_take(&r->in, n);
	if (peek(r, 0) == '%')
		take_byte(r);
	else if (name_begins(r, 0))
		take_name(r);
	return CSS_NUMBER;
}

/* Blanks, comments, and the marks of HTML's comments around old sheets. */
static bool
take_space(struct css_reader *r)
{
	size_t before = r->in.n;
	size_t n;

	for (;;) {
		n = r->in.n;
		skip_space(r);
		if (bytes_start_with(r->in, BYTES("<!--")))
			bytes_take(&r->in, 4);
		else if (bytes_start_with(r->in, BYTES("-->")))
			bytes_take(&r->in, 3);
		if (bytes_start_with(r->in, BYTES("/*"))) {
			const uint8_t *end =
			    memmem(r->in.p + 2, r->in.n - 2, "*/", 2);

			bytes_take(&r->in,
			    end == NULL ? r->in.n
					: (size_t)(end + 2 - r->in.p));
		}
		if (n == r->in.n)
			return n < before;
	}
}

static enum css_kind
take_mark(struct css_reader *r, struct css_token *out)
{
	out->mark = bytes_take(&r->in, 1).p[0];
	if (out->mark == '@' && name_begins(r, 0)) {
		take_name(r);
		return CSS_AT;
	}
	if (out->mark == '#' && r->in.n > 0 &&
	    (is_in_name(r->in.p[0]) || is_escape(r, 0))) {
		take_name(r);
		return CSS_HASH;
	}
	return CSS_MARK;
}

static enum css_kind
take(struct css_reader *r, struct css_token *out)
{
	if (take_space(r))
		return CSS_SPACE;
	if (r->in.n == 0)
		return CSS_END;
	if (r->in.p[0] == '"' || r->in.p[0] == '\'')
		return take_string(r);
	if (number_begins(r))
		return take_number(r, out);
	if (name_begins(r, 0))
		return take_word(r);
	return take_mark(r, out);
}

void
css_read(struct css_reader *r, struct css_token *out)
{
	*out = (struct css_token){ 0 };
	r->text.n = 0;
	out->kind = take(r, out);
	out->text = buf_bytes(&r->text);
}

bool
css_is(const struct css_token *t, enum css_kind kind, const char *name)
{
	return t->kind == kind && bytes_equal_nocase(t->text, bytes_of(name));
}

static int
write_name(struct bytes name, bool whole, struct buf *out)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool first = whole && (i == 0 || (i == 1 && name.p[0] == '-'));
		bool plain = is_in_name(c) && !(first && isdigit(c)) &&
		    !(whole && c == '-' && name.n == 1);

		if (plain ? buf_append(out, (struct bytes){ &c, 1 }) < 0
			  : buf_printf(out, "\\%x ", c) < 0)
			return -1;
	}
	return 0;
}

static int
write_string(struct bytes text, struct buf *out)
{
	if (buf_append(out, BYTES("\"")) < 0)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool plain = c >= ' ' && c != 0x7f && c != '"' && c != '\\' &&
		    c != '<' && c != '>' && c != '&';

		if (plain ? buf_append(out, (struct bytes){ &c, 1 }) < 0
			  : buf_printf(out, "\\%x ", c) < 0)
			return -1;
	}
	return buf_append(out, BYTES("\""));
}

/* What begins like an exponent would be one: "e2", "e-2". */
static bool
is_like_exponent(struct bytes unit)
{
	if (unit.n < 2 || (unit.p[0] | 0x20) != 'e')
		return false;
	return isdigit(unit.p[1]) || unit.p[1] == '+' || unit.p[1] == '-';
}

static int
write_unit(struct bytes unit, struct buf *out)
{
	if (bytes_equal(unit, BYTES("%")))
		return buf_append(out, unit);
	if (is_like_exponent(unit)) {
		if (buf_printf(out, "\\%x ", unit.p[0]) < 0)
			return -1;
		bytes_take(&unit, 1);
		return write_name(unit, false, out);
	}
	return write_name(unit, true, out);
}

int
css_write(const struct css_token *t, struct buf *out)
{
	switch (t->kind) {
	case CSS_SPACE:
		return buf_append(out, BYTES(" "));
	case CSS_NAME:
		return write_name(t->text, true, out);
	case CSS_FUNCTION:
		return write_name(t->text, true, out) < 0
		    ? -1
		    : buf_append(out, BYTES("("));
	case CSS_AT:
		return buf_append(out, BYTES("@")) < 0
		    ? -1
		    : write_name(t->text, true, out);
	case CSS_HASH:
		return buf_append(out, BYTES("#")) < 0
		    ? -1
		    : write_name(t->text, false, out);
	case CSS_STRING:
		return write_string(t->text, out);
	case CSS_NUMBER:
		return buf_append(out, t->number) < 0
		    ? -1
		    : write_unit(t->text, out);
	case CSS_MARK:
		return buf_append(out, (struct bytes){ &t->mark, 1 });
	case CSS_END:
	case CSS_BAD:
	case CSS_URL:
		break;
	}
	must(t->kind == CSS_END);
	return 0;
}
