/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/entity.h"

#include <ctype.h>

/* Of one header. A list of some thousand recipients has room. */
#define HEAD_MAX ((size_t)512 << 10)
#define FIRST_FIELDS 16

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct bytes
mail_line_take(struct bytes *b)
{
	struct bytes line = bytes_take_until(b, '\n');

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The bytes of the name at the beginning of the line; 0: it is no field. RFC
 * 5322, 3.6.8; blanks before the colon as RFC 5322, 4.5. */
static size_t
name_length(struct bytes line)
{
	size_t n = 0;
	size_t end;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f &&
	    line.p[n] != ':')
		n++;
	end = n;
	while (end < line.n && is_blank(line.p[end]))
		end++;
	return end < line.n && line.p[end] == ':' ? n : 0;
}

/* "From a@b Mon Jan  1", of a file that holds mails, and what quotes it. first:
 * of the header; some put it behind their own fields, where it has to have a
 * time, so that it is not a text's first line. */
static bool
is_envelope(struct bytes line, bool first)
{
	size_t colons = 0;

	if (!bytes_start_with(line, BYTES("From ")) &&
	    !bytes_start_with(line, BYTES(">From ")))
		return false;
	for (size_t i = 1; i + 1 < line.n; i++)
		colons += line.p[i] == ':' && isdigit(line.p[i - 1]) &&
		    isdigit(line.p[i + 1]);
	return first || colons == 2;
}

static enum detox_result
add_field(
    struct detox *d, struct mail_head *h, size_t *size, struct mail_field field)
{
	struct mail_field *old = h->fields;

	if (h->n >= d->profile->mail_fields_max)
		return detox_refuse(d, REFUSED_ENTRIES,
		    "a header of more than %u fields",
		    d->profile->mail_fields_max);
	if (h->n == *size) {
		*size = *size == 0 ? FIRST_FIELDS : *size * 2;
		h->fields = ARENA_ARRAY(&d->arena, struct mail_field, *size);
		if (h->n > 0)
			memcpy(h->fields, old, h->n * sizeof(*old));
	}
	h->fields[h->n++] = field;
	return DETOX_REBUILT;
}

/* The field that begins with line; the lines that go on leave *b. */
static struct mail_field
take_field(struct bytes *b, struct bytes line, size_t name_n)
{
	struct mail_field f = { .name = { line.p, name_n }, .value = line };

	while (b->n > 0 && is_blank(b->p[0])) {
		line = mail_line_take(b);
		f.value.n = (size_t)(line.p + line.n - f.value.p);
	}
	bytes_take_until(&f.value, ':');
	return f;
}

enum detox_result
mail_head_take(struct detox *d, struct bytes *b, struct mail_head *out)
{
	const uint8_t *begin = b->p;
	size_t size = 0;

	*out = (struct mail_head){ 0 };
	while (b->n > 0) {
		struct bytes rest = *b;
		struct bytes line = mail_line_take(&rest);
		size_t name_n = name_length(line);

		if (line.n == 0) {
			*b = rest;
			break;
		}
		if (name_n == 0 && is_envelope(line, out->n == 0)) {
			*b = rest;
			continue;
		}
		if (name_n == 0) {
			out->damaged = true;
			break;
		}
		*b = rest;
		if (add_field(d, out, &size, take_field(b, line, name_n)) ==
		    DETOX_REFUSED)
			return DETOX_REFUSED;
		if ((size_t)(b->p - begin) > HEAD_MAX)
			return detox_refuse(d, REFUSED_SIZE,
			    "a header of more than %zu bytes", HEAD_MAX);
	}
	return DETOX_REBUILT;
}

struct bytes
mail_unfold(struct detox *d, struct bytes value)
{
	uint8_t *p = arena_alloc(&d->arena, value.n + 1);
	size_t n = 0;

	/* ESC stays for ISO-2022-JP, which old programs put as it is. */
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (c == '\t' ||
		    (c == '\r' && i + 1 < value.n && value.p[i + 1] != '\n'))
			c = ' ';
		if ((c >= ' ' && c != 0x7f) || c == 0x1b)
			p[n++] = c;
	}
	return bytes_trim((struct bytes){ p, n });
}

struct bytes
mail_head_find(struct detox *d, const struct mail_head *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (bytes_equal_nocase(h->fields[i].name, bytes_of(name)))
			return mail_unfold(d, h->fields[i].value);
	return (struct bytes){ 0 };
}

enum delimiter {
	DELIMITER_NONE,
	DELIMITER_NEXT,
	DELIMITER_LAST,
};

static enum delimiter
delimiter(struct bytes line, struct bytes boundary)
{
	bool last;

	if (!bytes_start_with(line, BYTES("--")))
		return DELIMITER_NONE;
	bytes_take(&line, 2);
	if (!bytes_start_with(line, boundary))
		return DELIMITER_NONE;
	bytes_take(&line, boundary.n);
	last = bytes_start_with(line, BYTES("--"));
	if (last)
		bytes_take(&line, 2);
	if (bytes_trim(line).n > 0)
		return DELIMITER_NONE;
	return last ? DELIMITER_LAST : DELIMITER_NEXT;
}

/* All up to the next delimiter, which leaves *b with it. The line end before
 * it is the delimiter's (RFC 2046, 5.1.1). */
static struct bytes
take_until_delimiter(
    struct bytes *b, struct bytes boundary, enum delimiter *which_out)
{
	struct bytes all = { b->p, 0 };

	while (b->n > 0) {
		struct bytes rest = *b;
		struct bytes line = mail_line_take(&rest);

		*which_out = delimiter(line, boundary);
		if (*which_out != DELIMITER_NONE) {
			all.n = (size_t)(b->p - all.p);
			*b = rest;
			if (all.n > 0)
				all.n--;
			if (all.n > 0 && all.p[all.n - 1] == '\r')
				all.n--;
			return all;
		}
		*b = rest;
	}
	*which_out = DELIMITER_NONE;
	all.n = (size_t)(b->p - all.p);
	return all;
}

void
mail_parts_init(struct mail_parts *p, struct bytes body, struct bytes boundary)
{
	enum delimiter which = DELIMITER_NONE;

	*p = (struct mail_parts){ .rest = body, .boundary = boundary };
	p->preamble = take_until_delimiter(&p->rest, boundary, &which);
	p->open = which == DELIMITER_NEXT;
	p->closed = which == DELIMITER_LAST;
}

bool
mail_parts_next(struct mail_parts *p, struct bytes *part_out)
{
	enum delimiter which = DELIMITER_NONE;

	if (!p->open)
		return false;
	*part_out = take_until_delimiter(&p->rest, p->boundary, &which);
	p->open = which == DELIMITER_NEXT;
	p->closed = which == DELIMITER_LAST;
	return true;
}
