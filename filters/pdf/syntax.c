/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/syntax.h"

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' ||
	    c == '\0';
}

static bool
ends_word(uint8_t c)
{
	return is_blank(c) || c == '/' || c == '(' || c == ')' || c == '<' ||
	    c == '>' || c == '[' || c == ']' || c == '{' || c == '}' ||
	    c == '%';
}

static void
skip_blanks(struct bytes *t)
{
	while (t->n > 0 && is_blank(*t->p))
		bytes_take(t, 1);
}

/* How long the word at its beginning is, its first byte in any case. */
static size_t
word_length(struct bytes t)
{
	size_t n = t.n > 0;

	while (n < t.n && !ends_word(t.p[n]))
		n++;
	return n;
}

static size_t
digits(struct bytes t)
{
	size_t n = 0;

	while (n < t.n && t.p[n] >= '0' && t.p[n] <= '9')
		n++;
	return n;
}

/* "12 0 R": its length, or 0. */
static size_t
reference_length(struct bytes t)
{
	struct bytes rest = t;
	size_t n = digits(rest);

	if (n == 0 || n > 10)
		return 0;
	bytes_take(&rest, n);
	if (rest.n == 0 || *rest.p != ' ')
		return 0;
	bytes_take(&rest, 1);
	n = digits(rest);
	if (n == 0 || n > 10)
		return 0;
	bytes_take(&rest, n);
	if (rest.n < 2 || rest.p[0] != ' ' || rest.p[1] != 'R' ||
	    (rest.n > 2 && !ends_word(rest.p[2])))
		return 0;
	return t.n - rest.n + 2;
}

enum syntax_kind
syntax_next(struct bytes *t)
{
	skip_blanks(t);
	if (t->n == 0)
		return SYNTAX_NOTHING;
	switch (*t->p) {
	case '/':
		return SYNTAX_NAME;
	case '[':
		return SYNTAX_ARRAY;
	case '(':
		return SYNTAX_STRING;
	case '<':
		return t->n > 1 && t->p[1] == '<' ? SYNTAX_DICTIONARY
						  : SYNTAX_STRING;
	case ']':
	case '>':
		return SYNTAX_NOTHING;
	default:
		return reference_length(*t) > 0 ? SYNTAX_REFERENCE
						: SYNTAX_PLAIN;
	}
}

static size_t
string_length(struct bytes t)
{
	size_t n = 0;
	size_t depth = 0;

	if (t.p[0] == '<') {
		while (n < t.n && t.p[n] != '>')
			n++;
		return n < t.n ? n + 1 : n;
	}
	for (; n < t.n; n++) {
		if (t.p[n] == '\\')
			n++;
		else if (t.p[n] == '(')
			depth++;
		else if (t.p[n] == ')' && --depth == 0)
			return n + 1;
	}
	return t.n;
}

/* A string, a name, or one mark. */
static size_t
token_length(struct bytes t)
{
	if (t.n > 1 && (t.p[0] == '<' || t.p[0] == '>') && t.p[1] == t.p[0])
		return 2;
	if (*t.p == '(' || *t.p == '<')
		return string_length(t);
	if (*t.p == '[' || *t.p == ']' || *t.p == '>')
		return 1;
	return word_length(t);
}

bool
syntax_skip(struct bytes *t, const char *mark)
{
	skip_blanks(t);
	if (!bytes_start_with(*t, bytes_of(mark)))
		return false;
	bytes_take(t, strlen(mark));
	return true;
}

/* Up to the end of what the first mark opens. */
static struct bytes
take_nested(struct bytes *t)
{
	struct bytes whole = *t;
	size_t depth = 0;

	do {
		size_t n = token_length(*t);

		if (*t->p == '[' || (n == 2 && *t->p == '<' && t->p[1] == '<'))
			depth++;
		else if (*t->p == ']' || (n == 2 && *t->p == '>'))
			depth--;
		bytes_take(t, n);
		skip_blanks(t);
	} while (depth > 0 && t->n > 0);
	whole.n -= t->n;
	return whole;
}

struct bytes
syntax_take(struct bytes *t)
{
	switch (syntax_next(t)) {
	case SYNTAX_NOTHING:
		break;
	case SYNTAX_DICTIONARY:
	case SYNTAX_ARRAY:
		return take_nested(t);
	case SYNTAX_REFERENCE:
		return bytes_take(t, reference_length(*t));
	case SYNTAX_NAME:
	case SYNTAX_STRING:
	case SYNTAX_PLAIN:
		return bytes_take(t, token_length(*t));
	}
	return (struct bytes){ 0 };
}

bool
syntax_refers(struct bytes value, struct syntax_reference *out)
{
	uint64_t id = 0;
	uint64_t generation = 0;

	if (syntax_next(&value) != SYNTAX_REFERENCE)
		return false;
	if (bytes_number(bytes_take_until(&value, ' '), INT32_MAX, &id) < 0)
		return false;
	if (bytes_number(
		bytes_take_until(&value, ' '), UINT16_MAX, &generation) < 0)
		return false;
	*out = (struct syntax_reference){ (int)id, (int)generation };
	return true;
}

struct bytes
syntax_get(struct bytes dictionary, const char *key)
{
	struct bytes name;
	struct bytes value;

	if (!syntax_skip(&dictionary, "<<"))
		return (struct bytes){ 0 };
	while (syntax_next(&dictionary) == SYNTAX_NAME) {
		name = syntax_take(&dictionary);
		value = syntax_take(&dictionary);
		if (syntax_is(name, bytes_of(key)))
			return value;
	}
	return (struct bytes){ 0 };
}

/* The next byte that a name stands for. */
static uint8_t
take_name_byte(struct bytes *name)
{
	int high;
	int low;

	if (*name->p == '#' && name->n > 2) {
		high = byte_hex(name->p[1]);
		low = byte_hex(name->p[2]);
		if (high >= 0 && low >= 0) {
			bytes_take(name, 3);
			return (uint8_t)(high << 4 | low);
		}
	}
	return *bytes_take(name, 1).p;
}

bool
syntax_is(struct bytes name, struct bytes want)
{
	if (name.n <= want.n || *name.p != '/')
		return false;
	bytes_take(&name, 1);
	if (name.n == want.n)
		return bytes_equal(name, want);
	while (name.n > 0 && want.n > 0)
		if (take_name_byte(&name) != *bytes_take(&want, 1).p)
			return false;
	return name.n == 0 && want.n == 0;
}

static int
put(struct buf *out, uint8_t c)
{
	return buf_append(out, (struct bytes){ &c, 1 });
}

static int
hexadecimal_string(struct bytes value, struct buf *out)
{
	int half = -1;
	int digit;

	for (size_t i = 1; i < value.n; i++) {
		digit = byte_hex(value.p[i]);
		if (digit < 0)
			continue;
		if (half >= 0 && put(out, (uint8_t)(half << 4 | digit)) < 0)
			return -1;
		half = half < 0 ? digit : -1;
	}
	return half < 0 ? 0 : put(out, (uint8_t)(half << 4));
}

/* What stands behind a backslash. */
static uint8_t
take_escape(struct bytes *t)
{
	static const char letters[] = "nrtbf";
	static const char meanings[] = "\n\r\t\b\f";
	unsigned octal = 0;
	size_t n = 0;
	const char *letter;

	while (n < 3 && n < t->n && t->p[n] >= '0' && t->p[n] <= '7')
		octal = octal << 3 | (unsigned)(t->p[n++] - '0');
	if (n > 0) {
		bytes_take(t, n);
		return (uint8_t)octal;
	}
	letter = *t->p == '\0' ? NULL : strchr(letters, *t->p);
	n = *bytes_take(t, 1).p;
	return letter == NULL ? (uint8_t)n
			      : (uint8_t)meanings[letter - letters];
}

int
syntax_string(struct bytes value, struct buf *out)
{
	uint8_t c;

	if (value.n < 2)
		return 0;
	if (*value.p == '<')
		return hexadecimal_string(value, out);
	bytes_take(&value, 1);
	value.n--;
	while (value.n > 0) {
		c = *bytes_take(&value, 1).p;
		if (c == '\\' && value.n > 0)
			c = take_escape(&value);
		if (put(out, c) < 0)
			return -1;
	}
	return 0;
}
