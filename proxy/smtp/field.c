/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/field.h"

#define PATH_MAX_WIRE (MAIL_PATH_MAX + 2) /* with its angle brackets */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes
without_line_end(struct bytes line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool
field_take(struct bytes *head, struct smtp_field *out)
{
	struct bytes all = *head;
	ssize_t colon;

	if (without_line_end(bytes_take_until(head, '\n')).n == 0)
		return false;
	while (head->n > 0 && (*head->p == ' ' || *head->p == '\t'))
		bytes_take_until(head, '\n');
	all.n = (size_t)(head->p - all.p);
	*out = (struct smtp_field){ .all = all };
	colon = bytes_index(all, ':');
	if (colon < 0)
		return true;
	out->name = bytes_trim(bytes_take(&all, (size_t)colon));
	bytes_take(&all, 1);
	out->value = without_line_end(all);
	return true;
}

/* One address that is being read: its path, without comments and folds. */
struct path {
	uint8_t p[PATH_MAX_WIRE];
	size_t n;
	bool bad;
	bool bracketed; /* "<" was seen */
	bool closed;    /* ">" was */
	bool gap;       /* a blank behind what it has */
};

static void
path_add(struct path *path, uint8_t c)
{
	/* Of what stands before "<" nothing counts. */
	if (path->n == sizeof(path->p)) {
		path->bad = true;
		return;
	}
	path->p[path->n++] = c;
}

static void
path_open(struct path *path)
{
	path->bad = path->bracketed;
	path->bracketed = true;
	path->gap = false;
	path->n = 1;
	path->p[0] = '<';
}

/* A character outside of comments. */
static void
path_take(struct path *path, uint8_t c)
{
	if (is_blank(c)) {
		path->gap = path->n > 1;
		return;
	}
	/* A local part or a domain has no blank within, a name may. */
	path->bad = path->bad || path->gap || path->closed;
	path->gap = false;
	path_add(path, c);
}

/* A comment at the head of *in (section 3.2.2); without an end, all. */
static void
skip_comment(struct bytes *in)
{
	size_t depth = 0;

	do {
		uint8_t c = *bytes_take(in, 1).p;

		if (c == '\\')
			bytes_take(in, 1);
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
	} while (depth > 0 && in->n > 0);
}

static void
take_quoted(struct bytes *in, struct path *path)
{
	bool open = false;

	path->bad = path->bad || path->gap || path->closed;
	do {
		uint8_t c = *bytes_take(in, 1).p;

		path_add(path, c);
		if (c == '\\' && in->n > 0)
			path_add(path, *bytes_take(in, 1).p);
		else if (c == '"')
			open = !open;
	} while (open && in->n > 0);
	path->bad = path->bad || open;
}

/* Up to what ends an address, which is taken too. */
static void
take_path(struct bytes *in, struct path *path)
{
	*path = (struct path){ .n = 1, .p = { '<' } };
	while (in->n > 0) {
		uint8_t c = *in->p;

		if (c == '(') {
			skip_comment(in);
			continue;
		}
		if (c == '"') {
			take_quoted(in, path);
			continue;
		}
		bytes_take(in, 1);
		if ((c == ',' || c == ';') &&
		    (!path->bracketed || path->closed))
			return;
		if (c == ':' && !path->bracketed)
			*path = (struct path){ .n = 1, .p = { '<' } };
		else if (c == '<')
			path_open(path);
		else if (c == '>' && path->bracketed && !path->closed)
			path->closed = true;
		else
			path_take(path, c);
	}
	path->bad = path->bad || path->bracketed != path->closed;
}

enum field_address
field_address_take(
    struct bytes *value, struct mail_address *out, struct arena *a)
{
	struct path path;
	struct bytes text;
	const char *why;

	do {
		if (value->n == 0)
			return FIELD_ADDRESS_NONE;
		take_path(value, &path);
	} while (path.n == 1 && !path.bracketed && !path.bad);
	path_add(&path, '>');
	if (path.bad)
		return FIELD_ADDRESS_BAD;
	text = arena_copy(a, (struct bytes){ path.p, path.n });
	return mail_path_take(out, &text, MAIL_UTF8, a, &why) == 0 &&
		text.n == 0 && out->domain.n > 0
	    ? FIELD_ADDRESS
	    : FIELD_ADDRESS_BAD;
}
