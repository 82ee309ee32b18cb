/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/line.h"

#include <ctype.h>

/* Up to and with CRLF, LF or CR. */
static struct bytes
take_physical(struct bytes *text)
{
	size_t n = 0;

	while (n < text->n && text->p[n] != '\n' && text->p[n] != '\r')
		n++;
	if (n < text->n && text->p[n] == '\r' && n + 1 < text->n &&
	    text->p[n + 1] == '\n')
		n++;
	return bytes_take(text, n < text->n ? n + 1 : n);
}

static struct bytes
without_end(struct bytes b)
{
	while (b.n > 0 && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		b.n--;
	return b;
}

/* Where ':' parts the name from the value, outside quotes; or all. */
static size_t
find_colon(struct bytes b)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < b.n; i++) {
		if (b.p[i] == '"')
			quoted = !quoted;
		else if (b.p[i] == ':' && !quoted)
			return i;
	}
	/* A quote that nothing closes is none. */
	return bytes_index(b, ':') < 0 ? b.n : (size_t)bytes_index(b, ':');
}

static bool
is_name(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!isalnum(b.p[i]) && b.p[i] != '-' && b.p[i] != '_')
			return false;
	return b.n > 0;
}

static void
part(struct bytes all, struct line *out)
{
	size_t colon = find_colon(all);
	struct bytes head = { all.p, colon };
	ssize_t semicolon = bytes_index(head, ';');
	ssize_t dot;

	if (colon == all.n)
		return;
	out->name = head;
	if (semicolon >= 0)
		out->name.n = (size_t)semicolon;
	out->params =
	    (struct bytes){ head.p + out->name.n, head.n - out->name.n };
	out->value = (struct bytes){ all.p + colon + 1, all.n - colon - 1 };
	dot = bytes_index(out->name, '.');
	if (dot >= 0)
		bytes_take(&out->name, (size_t)dot + 1);
	out->name = bytes_trim(out->name);
	if (!is_name(out->name))
		out->name.n = 0;
}

static bool
is_quoted_printable(const struct line *l)
{
	struct bytes params = l->params;
	struct bytes name;
	struct bytes value;
	struct bytes raw;

	while (line_param(&params, &name, &value, &raw))
		if (bytes_equal_nocase(value, BYTES("QUOTED-PRINTABLE")))
			return true;
	return false;
}

static void
append(struct buf *unfolded, struct bytes b)
{
	/* It is no longer than the text that it is of. */
	must(buf_append(unfolded, b) == 0);
}

/* What is quoted to the end of its component is cut off. */
static bool
is_end(struct bytes text)
{
	return text.n > 4 &&
	    bytes_equal_nocase((struct bytes){ text.p, 4 }, BYTES("END:"));
}

void
line_take(struct bytes *text, struct buf *unfolded, enum line_version version,
    struct line *out)
{
	struct bytes b = take_physical(text);

	*out = (struct line){ .raw = b, .lines = 1 };
	unfolded->n = 0;
	append(unfolded, without_end(b));
	while (text->n > 0 && b.n > 0 &&
	    (text->p[0] == ' ' || text->p[0] == '\t')) {
		b = take_physical(text);
		out->raw.n += b.n;
		out->lines++;
		b = without_end(b);
		bytes_take(&b, 1);
		append(unfolded, b);
		b.n = 1;
	}
	part(buf_bytes(unfolded), out);
	if (version != LINE_OLD || !is_quoted_printable(out))
		return;
	while (text->n > 0 && unfolded->n > 0 &&
	    unfolded->p[unfolded->n - 1] == '=' && !is_end(*text)) {
		b = take_physical(text);
		out->raw.n += b.n;
		out->lines++;
		append(unfolded, without_end(b));
	}
	part(buf_bytes(unfolded), out);
}

bool
line_param(struct bytes *params, struct bytes *name_out,
    struct bytes *value_out, struct bytes *raw_out)
{
	bool quoted = false;
	size_t n = 1;
	ssize_t equals;

	if (params->n == 0)
		return false;
	for (; n < params->n && (quoted || params->p[n] != ';'); n++)
		quoted ^= params->p[n] == '"';
	*raw_out = bytes_take(params, n);
	*value_out = *raw_out;
	bytes_take(value_out, 1);
	*name_out = (struct bytes){ 0 };
	equals = bytes_index(*value_out, '=');
	if (equals >= 0) {
		*name_out = bytes_trim(bytes_take(value_out, (size_t)equals));
		bytes_take(value_out, 1);
	}
	if (value_out->n > 1 && value_out->p[0] == '"' &&
	    value_out->p[value_out->n - 1] == '"') {
		bytes_take(value_out, 1);
		value_out->n--;
	}
	return true;
}

struct bytes
line_param_named(const struct line *l, struct bytes wanted)
{
	struct bytes params = l->params;
	struct bytes name;
	struct bytes value;
	struct bytes raw;

	while (line_param(&params, &name, &value, &raw))
		if (bytes_equal_nocase(name, wanted))
			return value;
	return (struct bytes){ 0 };
}
