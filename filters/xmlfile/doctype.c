/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/doctype.h"

#include <ctype.h>

#define ENTITIES_MAX 64
#define NAME_MAX_BYTES ((size_t)64)
#define VALUE_MAX ((size_t)1024)

struct entity {
	struct bytes name, value;
};

struct doctype {
	struct entity entities[ENTITIES_MAX];
	size_t n;
};

static void
skip_space(struct bytes *b)
{
	while (b->n > 0 && isspace(b->p[0]))
		bytes_take(b, 1);
}

/* Up to and with `end`; false: it is not there. */
static bool
skip_behind(struct bytes *b, const char *end)
{
	const uint8_t *at =
	    b->n == 0 ? NULL : memmem(b->p, b->n, end, strlen(end));

	if (at == NULL)
		return false;
	bytes_take(b, (size_t)(at - b->p) + strlen(end));
	return true;
}

static bool
skip_word(struct bytes *b, struct bytes word)
{
	if (!bytes_start_with(*b, word))
		return false;
	bytes_take(b, word.n);
	return true;
}

static struct bytes
take_name(struct bytes *b)
{
	size_t n = 0;

	while (n < b->n &&
	    (isalnum(b->p[n]) || b->p[n] == '_' || b->p[n] == '-' ||
		b->p[n] == ':' || b->p[n] == '.'))
		n++;
	return bytes_take(b, n);
}

static bool
take_quoted(struct bytes *b, struct bytes *out)
{
	uint8_t quote = b->n > 0 ? b->p[0] : 0;
	struct bytes rest = *b;

	if (quote != '"' && quote != '\'')
		return false;
	bytes_take(&rest, 1);
	if (bytes_index(rest, quote) < 0)
		return false;
	*out = bytes_take_until(&rest, quote);
	*b = rest;
	return true;
}

/* A value that is text and no more. */
static bool
is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '&' || value.p[i] == '%' ||
		    value.p[i] == '<' || value.p[i] < ' ')
			return false;
	return value.n <= VALUE_MAX;
}

/* Behind "<!ENTITY". */
static bool
take_entity(struct doctype *t, struct bytes *b)
{
	struct entity e;

	skip_space(b);
	e.name = take_name(b);
	skip_space(b);
	if (e.name.n == 0 || e.name.n > NAME_MAX_BYTES ||
	    !take_quoted(b, &e.value))
		return false;
	skip_space(b);
	if (t->n == ENTITIES_MAX || !is_plain(e.value) ||
	    !skip_word(b, BYTES(">")))
		return false;
	t->entities[t->n++] = e;
	return true;
}

/* <!ATTLIST> and <!ELEMENT>: nothing of them is obeyed. */
static bool
skip_declaration(struct bytes *b)
{
	while (b->n > 0 && b->p[0] != '>') {
		struct bytes value;

		if (b->p[0] == '"' || b->p[0] == '\'') {
			if (!take_quoted(b, &value))
				return false;
		} else if (b->p[0] == '<' || b->p[0] == '%') {
			return false;
		} else {
			bytes_take(b, 1);
		}
	}
	return skip_word(b, BYTES(">"));
}

/* Behind '['; up to and with ']'. */
static bool
take_subset(struct doctype *t, struct bytes *b)
{
	for (;;) {
		bool good;

		skip_space(b);
		if (skip_word(b, BYTES("]")))
			return true;
		if (skip_word(b, BYTES("<!--")))
			good = skip_behind(b, "-->");
		else if (skip_word(b, BYTES("<!ENTITY")))
			good = take_entity(t, b);
		else if (skip_word(b, BYTES("<!ATTLIST")) ||
		    skip_word(b, BYTES("<!ELEMENT")))
			good = skip_declaration(b);
		else
			good = false;
		if (!good)
			return false;
	}
}

/* Behind "<!DOCTYPE". */
static bool
take_doctype(struct doctype *t, struct bytes *b)
{
	while (b->n > 0 && b->p[0] != '>') {
		struct bytes value;

		if (b->p[0] == '"' || b->p[0] == '\'') {
			if (!take_quoted(b, &value))
				return false;
		} else if (b->p[0] == '<') {
			return false;
		} else if (bytes_take(b, 1).p[0] == '[' && !take_subset(t, b)) {
			return false;
		}
	}
	return skip_word(b, BYTES(">"));
}

/* Where <!DOCTYPE begins: behind comments and instructions; or n. */
static size_t
find_doctype(struct bytes text)
{
	struct bytes b = text;

	for (;;) {
		skip_space(&b);
		if (skip_word(&b, BYTES("<!--"))) {
			if (!skip_behind(&b, "-->"))
				return text.n;
		} else if (skip_word(&b, BYTES("<?"))) {
			if (!skip_behind(&b, "?>"))
				return text.n;
		} else {
			break;
		}
	}
	return bytes_start_with(b, BYTES("<!DOCTYPE")) ? text.n - b.n : text.n;
}

static const struct entity *
find_entity(const struct doctype *t, struct bytes name)
{
	for (size_t i = 0; i < t->n; i++)
		if (bytes_equal(t->entities[i].name, name))
			return &t->entities[i];
	return NULL;
}

/* In attributes a quote would end the value. */
static int
add_value(struct bytes value, struct buf *out)
{
	for (size_t i = 0; i < value.n; i++) {
		struct bytes one = { value.p + i, 1 };

		if (one.p[0] == '"')
			one = BYTES("&quot;");
		else if (one.p[0] == '\'')
			one = BYTES("&apos;");
		else if (one.p[0] == '>')
			one = BYTES("&gt;");
		if (buf_append(out, one) < 0)
			return -1;
	}
	return 0;
}

/* Each entity is short and holds no other: the text grows by a factor at most,
 * and only to the limit. */
static int
put_in_place(const struct doctype *t, struct bytes text, struct buf *out)
{
	while (text.n > 0) {
		const uint8_t *at =
		    t->n == 0 ? NULL : memchr(text.p, '&', text.n);
		const struct entity *e;
		struct bytes after, name;

		if (at == NULL)
			return buf_append(out, text);
		if (buf_append(out, bytes_take(&text, (size_t)(at - text.p))) <
		    0)
			return -1;
		after = text;
		bytes_take(&after, 1);
		name = take_name(&after);
		e = skip_word(&after, BYTES(";")) ? find_entity(t, name) : NULL;
		if ((e != NULL ? add_value(e->value, out)
			       : buf_append(out, bytes_take(&text, 1))) < 0)
			return -1;
		if (e != NULL)
			text = after;
	}
	return 0;
}

enum detox_result
doctype_take_out(struct detox *d, struct bytes text, struct buf *out)
{
	struct doctype t = { .n = 0 };
	struct bytes rest = text;
	struct bytes before = bytes_take(&rest, find_doctype(text));
	bool found = rest.n > 0;

	buf_init(out, d->profile->out_max);
	if (found && !(bytes_take(&rest, 9).n == 9 && take_doctype(&t, &rest)))
		return buf_append(out, text) == 0
		    ? DETOX_REBUILT
		    : detox_refuse(d, REFUSED_SIZE, "XML is too large");
	if (found)
		detox_removed(
		    d, REMOVED_EXTERNAL, "DOCTYPE", (struct bytes){ 0 });
	if (buf_append(out, before) < 0 || put_in_place(&t, rest, out) < 0)
		return detox_refuse(
		    d, REFUSED_BOMB, "its entities come to too much");
	return DETOX_REBUILT;
}
