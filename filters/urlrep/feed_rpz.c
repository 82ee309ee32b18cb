/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A response policy zone in its text form. "name CNAME ." and whatever else
 * replaces an answer is an entry for that name alone, "*.name" for its
 * subdomains; rpz-passthru and triggers that are no name are passed over.
 */
#include <stdlib.h>

#include "filters/urlrep/feed.h"

struct zone {
	struct bytes origin; /* without dots at its ends; empty: not told */
	bool in_parentheses;
};

static bool
is_type(struct bytes word)
{
	static const struct bytes types[] = { BYTES_ROW("CNAME"),
		BYTES_ROW("A"), BYTES_ROW("AAAA"), BYTES_ROW("TXT"),
		BYTES_ROW("MX"), BYTES_ROW("SRV"), BYTES_ROW("HTTPS") };

	for (size_t i = 0; i < COUNT(types); i++)
		if (bytes_equal_nocase(word, types[i]))
			return true;
	return false;
}

static bool
is_zone_keeping(struct bytes word)
{
	return bytes_equal_nocase(word, BYTES("SOA")) ||
	    bytes_equal_nocase(word, BYTES("NS")) ||
	    bytes_equal_nocase(word, BYTES("DNAME"));
}

/* TTL and class, in any order. */
static bool
is_ttl_or_class(struct bytes word)
{
	return bytes_equal_nocase(word, BYTES("IN")) ||
	    (word.n > 0 && word.p[0] >= '0' && word.p[0] <= '9');
}

static bool
is_trigger(struct bytes name)
{
	static const char *const kinds[] = { ".rpz-ip", ".rpz-nsip",
		".rpz-client-ip", ".rpz-nsdname" };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (bytes_end_with(name, bytes_of(kinds[i])))
			return true;
	return false;
}

static struct bytes
without_end_dot(struct bytes name)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

/* An owner's name as it is meant: relative to the zone. False: an absolute one
 * that lies elsewhere. */
static bool
relative(const struct zone *z, struct bytes *name)
{
	bool absolute = name->n > 0 && name->p[name->n - 1] == '.';

	*name = without_end_dot(*name);
	if (!absolute)
		return true;
	if (z->origin.n == 0 || name->n <= z->origin.n + 1 ||
	    !bytes_end_with(*name, z->origin) ||
	    name->p[name->n - z->origin.n - 1] != '.')
		return false;
	name->n -= z->origin.n + 1;
	return true;
}

static void
take_owner(struct feed *f, const struct zone *z, unsigned number,
    struct bytes name, struct bytes type, struct bytes data)
{
	unsigned scope = SCOPE_SELF;

	if (!relative(z, &name)) {
		feed_bad(f, number, "a name outside the zone");
		return;
	}
	if (is_trigger(name)) {
		feed_pass(f, number, "a trigger that is no name");
		return;
	}
	if (bytes_equal_nocase(type, BYTES("CNAME")) &&
	    bytes_start_with(data, BYTES("rpz-passthru"))) {
		feed_pass(f, number, "an exception");
		return;
	}
	if (bytes_start_with(name, BYTES("*."))) {
		bytes_take(&name, 2);
		scope = SCOPE_BELOW;
	}
	feed_host(f, number, name, scope, NULL);
}

static void
take_directive(struct feed *f, struct zone *z, unsigned number,
    struct bytes word, struct bytes line)
{
	if (bytes_equal_nocase(word, BYTES("$ORIGIN")))
		z->origin = without_end_dot(feed_word(&line));
	else if (!bytes_equal_nocase(word, BYTES("$TTL")))
		feed_bad(f, number, "a directive that is not taken");
}

static void
take_record(struct feed *f, struct zone *z, unsigned number, bool has_owner,
    struct bytes line)
{
	struct bytes owner = { NULL, 0 };
	struct bytes word;

	if (has_owner)
		owner = feed_word(&line);
	if (owner.n > 0 && owner.p[0] == '$') {
		take_directive(f, z, number, owner, line);
		return;
	}
	do {
		word = feed_word(&line);
	} while (is_ttl_or_class(word));
	if (is_zone_keeping(word))
		return;
	if (!is_type(word))
		feed_bad(f, number, "no record of a known type");
	else if (has_owner && !bytes_equal(owner, BYTES("@")))
		take_owner(f, z, number, owner, word, bytes_trim(line));
}

static void
take_line(struct feed *f, struct zone *z, unsigned number, struct bytes line)
{
	bool has_owner = line.n > 0 && line.p[0] != ' ' && line.p[0] != '\t';
	ssize_t comment = bytes_index(line, ';');
	bool inside = z->in_parentheses;

	if (comment >= 0)
		line.n = (size_t)comment;
	if (bytes_index(line, '(') >= 0)
		z->in_parentheses = true;
	if (bytes_index(line, ')') >= 0)
		z->in_parentheses = false;
	line = bytes_trim(line);
	if (line.n > 0 && !inside)
		take_record(f, z, number, has_owner, line);
}

int
feed_rpz(struct feed *f, struct bytes text, struct err *e)
{
	struct zone z = { { NULL, 0 }, false };
	unsigned number = 0;

	if (text.n > 0 && text.p[text.n - 1] != '\n')
		return err_set(e,
		    "%s: the last line is not complete (is the file half"
		    " written?)",
		    f->path);
	while (text.n > 0 && !f->full) {
		struct bytes line = bytes_take_until(&text, '\n');

		number++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > FEED_LINE_MAX || bytes_index(line, 0) >= 0)
			feed_bad(f, number, "NUL in the line, or over 8192");
		else
			take_line(f, &z, number, line);
	}
	return z.in_parentheses
	    ? err_set(e, "%s: ends within parentheses", f->path)
	    : 0;
}
