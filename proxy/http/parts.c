/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/parts.h"

#include "filters/media.h"
#include "proxy/http/disposition.h"

#define BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

static ssize_t
find(struct bytes in, struct bytes what)
{
	const uint8_t *at =
	    in.n < what.n ? NULL : memmem(in.p, in.n, what.p, what.n);

	return at == NULL ? -1 : at - in.p;
}

static bool
take(struct bytes *b, struct bytes what)
{
	if (!bytes_start_with(*b, what))
		return false;
	bytes_take(b, what.n);
	return true;
}

/* Servers that end lines as they like would see a delimiter in it. */
static bool
has_delimiter(struct bytes in, struct bytes first)
{
	struct bytes rest = in;
	ssize_t at;

	while ((at = find(rest, first)) >= 0) {
		bytes_take(&rest, (size_t)at);
		if (rest.p == in.p || rest.p[-1] == '\n' || rest.p[-1] == '\r')
			return true;
		bytes_take(&rest, 1);
	}
	return false;
}

/* Values that are said once. */
static int
read_line(struct part *p, struct bytes line, struct arena *a, bool *disposed)
{
	struct bytes value = line;
	struct bytes name = bytes_take_until(&value, ':');

	value = bytes_trim(value);
	if (name.n == 0 || name.n == line.n || name.p[0] == ' ' ||
	    name.p[0] == '\t' || name.p[name.n - 1] == ' ' ||
	    bytes_index(line, '\r') >= 0 || bytes_index(line, '\0') >= 0)
		return -1;
	if (bytes_equal_nocase(name, BYTES("content-disposition"))) {
		if (*disposed)
			return -1;
		*disposed = true;
		p->name = disposition_file_name(value, a);
		p->field = disposition_name(value, a);
	} else if (bytes_equal_nocase(name, BYTES("content-type"))) {
		if (p->declared.p != NULL)
			return -1;
		p->declared = value;
	} else if (bytes_equal_nocase(name, BYTES("content-encoding"))) {
		return -1; /* what is packed could be anything */
	} else if (bytes_equal_nocase(
		       name, BYTES("content-transfer-encoding"))) {
		return bytes_equal_nocase(value, BYTES("binary")) ||
			bytes_equal_nocase(value, BYTES("8bit")) ||
			bytes_equal_nocase(value, BYTES("7bit"))
		    ? 0
		    : -1;
	}
	return 0;
}

static const char *
read_head(struct part *p, struct arena *a)
{
	struct bytes rest = p->head;
	bool disposed = false;

	while (rest.n > 0) {
		ssize_t end = find(rest, BYTES("\r\n"));
		struct bytes line = bytes_take(&rest, (size_t)end);

		bytes_take(&rest, 2);
		if (bytes_index(line, '\n') >= 0 ||
		    read_line(p, line, a, &disposed) < 0)
			return "a part of the form with a head that cannot be"
			       " read";
	}
	if (!disposed)
		return "a part of the form without a name";
	if (p->declared.n >= 10 &&
	    bytes_equal_nocase(
		(struct bytes){ p->declared.p, 10 }, BYTES("multipart/")))
		return "a form within a form";
	return NULL;
}

/* Behind a delimiter's line. */
static const char *
take_part(struct parts *all, struct bytes *rest, struct bytes delimiter,
    struct arena *a)
{
	struct bytes first = { delimiter.p + 2, delimiter.n - 2 };
	struct part *p = &all->p[all->n];
	ssize_t head = find(*rest, BYTES("\r\n\r\n"));
	ssize_t end;

	if (all->n == PARTS_MAX)
		return "a form of too many parts";
	if (head < 0 || head > PART_HEAD_MAX)
		return "a part of the form without an end of its head";
	*p = (struct part){ .head = bytes_take(rest, (size_t)head + 2) };
	bytes_take(rest, 2);
	end = find(*rest, delimiter);
	if (end < 0)
		return "a part of the form without an end";
	p->content = bytes_take(rest, (size_t)end);
	bytes_take(rest, delimiter.n);
	if (has_delimiter(p->head, first) || has_delimiter(p->content, first))
		return "a part of the form with its boundary in it";
	all->n++;
	return read_head(p, a);
}

/* Without quotes these mean the same to all; a comma ends it for PHP. */
static bool
is_plain(struct bytes boundary)
{
	for (size_t i = 0; i < boundary.n; i++) {
		uint8_t c = boundary.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= 'a' && c <= 'z') &&
		    bytes_index(BYTES("'()+_-./:=?"), c) < 0)
			return false;
	}
	return boundary.n > 0 && boundary.n <= BOUNDARY_MAX;
}

/* Servers differ in which of two they take, and where they look for it. */
static bool
says_it_once(struct bytes type)
{
	const struct bytes word = BYTES("boundary");
	unsigned n = 0;

	for (size_t i = 0; i + word.n <= type.n; i++)
		n += bytes_equal_nocase(
		    (struct bytes){ type.p + i, word.n }, word);
	return n == 1;
}

int
parts_boundary(struct bytes type, struct bytes *out, const char **why_out)
{
	*out = media_parameter(type, BYTES("boundary"));
	if (bytes_equal_nocase(
		media_name(type), BYTES("multipart/form-data")) &&
	    says_it_once(type) && is_plain(*out))
		return 0;
	*why_out = "a form whose type can be read in two ways";
	return -1;
}

int
parts_split(struct parts *out, struct bytes body, struct bytes boundary,
    struct arena *a, const char **why_out)
{
	struct bytes delimiter =
	    bytes_of(arena_printf(a, "\r\n--%.*s", BYTES_PRINTF(boundary)));
	struct bytes first = { delimiter.p + 2, delimiter.n - 2 };

	*out = (struct parts){ .boundary = boundary,
		.p = ARENA_ARRAY(a, struct part, PARTS_MAX) };
	*why_out = "a form without its boundary";
	if (!take(&body, first))
		return -1;
	while (take(&body, BYTES("\r\n"))) {
		*why_out = take_part(out, &body, delimiter, a);
		if (*why_out != NULL)
			return -1;
	}
	if (take(&body, BYTES("--")) &&
	    (body.n == 0 || bytes_equal(body, BYTES("\r\n"))))
		return 0;
	*why_out = "bytes behind a boundary of the form";
	return -1;
}

/* ".docm" before a quote, a semicolon or the line's end becomes ".docx". */
static int
append_renamed(struct buf *out, struct bytes line, const struct part *p)
{
	struct bytes name = p->name;
	size_t old = 0;

	while (old < name.n && name.p[name.n - 1 - old] != '.')
		old++;
	if (p->extension == NULL || old == name.n)
		return buf_append(out, line);
	for (size_t i = 0; i < line.n; i++) {
		struct bytes here = { line.p + i, line.n - i };
		bool is = line.p[i] == '.' && here.n > old &&
		    bytes_equal_nocase((struct bytes){ here.p + 1, old },
			(struct bytes){ name.p + name.n - old, old }) &&
		    (here.n == old + 1 || here.p[old + 1] == '"' ||
			here.p[old + 1] == ';');

		if (is ? buf_printf(out, ".%s", p->extension) < 0
		       : buf_append(out, bytes_take(&here, 1)) < 0)
			return -1;
		i += is ? old : 0;
	}
	return 0;
}

static int
append_line(struct buf *out, struct bytes line, const struct part *p)
{
	struct bytes value = line;
	struct bytes name = bytes_take_until(&value, ':');

	if (bytes_equal_nocase(name, BYTES("content-length")))
		return 0;
	if (bytes_equal_nocase(name, BYTES("content-type")) && p->media != NULL)
		return buf_printf(out, "Content-Type: %s\r\n", p->media);
	if (bytes_equal_nocase(name, BYTES("content-disposition"))
		? append_renamed(out, line, p) < 0
		: buf_append(out, line) < 0)
		return -1;
	return buf_append_string(out, "\r\n");
}

int
parts_before(const struct parts *p, size_t n, struct buf *out)
{
	struct bytes rest;

	if (buf_printf(out, "%s--%.*s%s\r\n", n == 0 ? "" : "\r\n",
		BYTES_PRINTF(p->boundary), n == p->n ? "--" : "") < 0)
		return -1;
	if (n == p->n)
		return 0;
	rest = p->p[n].head;
	while (rest.n > 0) {
		struct bytes line =
		    bytes_take(&rest, (size_t)find(rest, BYTES("\r\n")));

		bytes_take(&rest, 2);
		if (append_line(out, line, &p->p[n]) < 0)
			return -1;
	}
	return buf_append_string(out, "\r\n");
}
