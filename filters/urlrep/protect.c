/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/protect.h"

#include <libpsl.h>
#include <stdlib.h>

#include "filters/urlrep/names.h"
#include "filters/urlrep/urlrep.h"
#include "proxy/base/file.h"

#define FILE_SIZE_MAX ((size_t)64 << 20)

enum mark {
	MARK_ZONE = 1,
	MARK_NAME = 2,
	MARK_ABOVE = 4, /* something protected lies below */
	/* Rules of the public suffix list: NAME, *.NAME and !NAME. */
	MARK_SUFFIX = 8,
	MARK_SUFFIXES_BELOW = 16,
	MARK_NO_SUFFIX = 32,
};

struct protect {
	struct names *names;
	bool has_suffixes; /* else libpsl is asked, which takes longer */
};

struct protect *
protect_new(void)
{
	struct protect *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->names = names_new();
	return p;
}

void
protect_free(struct protect *p)
{
	if (p == NULL)
		return;
	names_free(p->names);
	free(p);
}

static int
add(struct protect *p, struct bytes name, enum mark mark)
{
	struct canon c;
	const char *why;
	struct bytes above;

	if (canon_parse_host(&c, name, &why) < 0)
		return -1;
	names_add(p->names, c.host, mark);
	above = c.host;
	while (!c.is_address) {
		bytes_take_until(&above, '.');
		if (above.n == 0)
			break;
		names_add(p->names, above, MARK_ABOVE);
	}
	return 0;
}

int
protect_zone(struct protect *p, struct bytes zone)
{
	return add(p, zone, MARK_ZONE);
}

int
protect_name(struct protect *p, struct bytes name)
{
	return add(p, name, MARK_NAME);
}

static int
add_line(struct protect *p, struct bytes line)
{
	ssize_t comma;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	line = bytes_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	comma = bytes_index(line, ',');
	if (comma >= 0)
		bytes_take(&line, (size_t)comma + 1);
	if (!bytes_start_with(line, BYTES("*.")))
		return protect_name(p, line);
	bytes_take(&line, 2);
	return protect_zone(p, line);
}

int
protect_read_text(
    struct protect *p, const char *name, struct bytes text, struct err *e)
{
	unsigned number = 0;

	while (text.n > 0) {
		number++;
		if (add_line(p, bytes_take_until(&text, '\n')) < 0)
			return err_set(e,
			    "%s:%u: no name, expected one such as"
			    " example.jp or *.lg.jp",
			    name, number);
	}
	return 0;
}

int
protect_read(struct protect *p, const char *path, struct err *e)
{
	struct buf text;
	int result;

	buf_init(&text, FILE_SIZE_MAX);
	result = file_read(path, &text, e);
	if (result == 0)
		result = protect_read_text(p, path, buf_bytes(&text), e);
	buf_release(&text);
	return result;
}

/* An entry that says something of the whole host, not of a page on it. */
static bool
is_host_wide(const struct canon *c, unsigned scope)
{
	return c->path.n == 0 ||
	    (c->path.n == 1 && c->query.n == 0 && (scope & SCOPE_BELOW) != 0);
}

static int
add_suffix(struct protect *p, struct bytes rule)
{
	unsigned mark = MARK_SUFFIX;
	struct canon c;
	const char *why;

	if (bytes_start_with(rule, BYTES("*."))) {
		bytes_take(&rule, 2);
		mark = MARK_SUFFIXES_BELOW;
	} else if (bytes_start_with(rule, BYTES("!"))) {
		bytes_take(&rule, 1);
		mark = MARK_NO_SUFFIX;
	}
	if (canon_parse_host(&c, rule, &why) < 0)
		return -1;
	names_add(p->names, c.host, mark);
	return 0;
}

int
protect_suffixes(struct protect *p, struct bytes text, struct err *e)
{
	unsigned number = 0;

	while (text.n > 0) {
		struct bytes line = bytes_take_until(&text, '\n');

		number++;
		line = bytes_trim(line);
		if (line.n == 0 || bytes_start_with(line, BYTES("//")))
			continue;
		if (add_suffix(p, bytes_take_until(&line, ' ')) < 0)
			return err_set(
			    e, "public suffix list:%u: no rule", number);
	}
	p->has_suffixes = true;
	return 0;
}

/* What no rule names is a suffix when it has one label ("*" is implied). */
static bool
is_public_suffix(const struct protect *p, const struct canon *c, unsigned mark)
{
	char name[CANON_HOST_MAX + 1];
	struct bytes above = c->host;

	if (p->has_suffixes) {
		if (c->labels == 1 || (mark & MARK_SUFFIX) != 0)
			return true;
		bytes_take_until(&above, '.');
		return (mark & MARK_NO_SUFFIX) == 0 &&
		    (names_mark(p->names, above) & MARK_SUFFIXES_BELOW) != 0;
	}
	memcpy(name, c->host.p, c->host.n);
	name[c->host.n] = '\0';
	return psl_is_public_suffix(psl_builtin(), name) != 0;
}

enum protection
protect_judge(const struct protect *p, const struct canon *c, unsigned scope)
{
	struct bytes suffix = c->host;
	bool host_wide = is_host_wide(c, scope);
	bool below = c->path.n == 0 ? (scope & SCOPE_BELOW) != 0
				    : (scope & SCOPE_URL_SUBDOMAINS) != 0;
	unsigned mark = names_mark(p->names, suffix);

	if (host_wide && (mark & MARK_NAME) != 0)
		return PROTECT_NAME;
	if (host_wide && below && (mark & MARK_ABOVE) != 0)
		return PROTECT_ABOVE;
	while (suffix.n > 0) {
		if ((names_mark(p->names, suffix) & MARK_ZONE) != 0)
			return PROTECT_ZONE;
		if (c->is_address)
			return PROTECT_NOTHING;
		bytes_take_until(&suffix, '.');
	}
	if (host_wide && below && is_public_suffix(p, c, mark))
		return PROTECT_SUFFIX;
	return PROTECT_NOTHING;
}

const char *
protection_words(enum protection p)
{
	switch (p) {
	case PROTECT_ZONE:
		return "is in a protected zone";
	case PROTECT_ABOVE:
		return "would cover a protected name";
	case PROTECT_NAME:
		return "is a protected name";
	case PROTECT_SUFFIX:
		return "is a public suffix";
	case PROTECT_NOTHING:
		return "is not protected";
	}
	return "";
}
