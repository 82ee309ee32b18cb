/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/canon.h"

#include "filters/urlrep/host.h"

#define SB_HOSTS 5 /* Safe Browsing: the host and four shorter ones */
#define SB_LABELS 5
#define SB_PREFIXES 4

/* What a byte of a path or query becomes. */
enum kind {
	COPIED = 0,
	ESCAPED,       /* written as %XX, and stays so */
	ESCAPED_PATH,  /* the same, but a query has it as it is */
	ESCAPED_QUERY, /* the other way round */
	SLASH,
	BACKSLASH, /* a slash in a path */
	PERCENT,
};

static const uint8_t kinds[256] = {
	[0 ... ' '] = ESCAPED,
	['"'] = ESCAPED,
	['#'] = ESCAPED,
	['<'] = ESCAPED,
	['>'] = ESCAPED,
	['?'] = ESCAPED_PATH,
	['`'] = ESCAPED_PATH,
	['{'] = ESCAPED_PATH,
	['}'] = ESCAPED_PATH,
	['^'] = ESCAPED_PATH,
	['\''] = ESCAPED_QUERY,
	['%'] = PERCENT,
	['/'] = SLASH,
	['\\'] = BACKSLASH,
	[0x7f ... 0xff] = ESCAPED,
};

struct out {
	uint8_t *p;
	size_t n;
	bool over;
};

static int
bad(const char **why_out, const char *why)
{
	*why_out = why;
	return -1;
}

static void
put(struct out *o, uint8_t c)
{
	if (o->n < CANON_MAX)
		o->p[o->n++] = c;
	else
		o->over = true;
}

static void
put_escaped(struct out *o, uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";

	put(o, '%');
	put(o, (uint8_t)digits[c >> 4]);
	put(o, (uint8_t)digits[c & 15]);
}

/* The byte of "%XX" at p[i], or -1. */
static int
escape_at(struct bytes b, size_t i)
{
	int high;
	int low;

	if (i + 2 >= b.n)
		return -1;
	high = byte_hex(b.p[i + 1]);
	low = byte_hex(b.p[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool
is_unreserved(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' ||
	    c == '_' || c == '~';
}

/* Whether "%XX" of it means the same as the byte itself. ';' begins the
 * parameters of some servers. */
static bool
path_takes_plain(uint8_t c)
{
	enum kind k = kinds[c];

	return (k == COPIED || k == ESCAPED_QUERY) && c != ';';
}

/* Ends the segment that began at `from` (its slash): dot segments go. */
static size_t
end_segment(struct out *o, size_t from, bool last)
{
	size_t n = o->n - from - 1;
	const uint8_t *s = o->p + from + 1;

	if (n == 1 && s[0] == '.') {
		o->n = from;
	} else if (n == 2 && s[0] == '.' && s[1] == '.') {
		o->n = from;
		while (o->n > 0 && o->p[--o->n] != '/')
			;
	} else {
		return o->n;
	}
	if (last)
		put(o, '/');
	return o->n;
}

static struct bytes
write_path(struct out *o, struct bytes path)
{
	size_t from = 0;
	size_t i = 0;

	put(o, '/');
	if (path.n > 0 && (path.p[0] == '/' || path.p[0] == '\\'))
		i++;
	for (; i < path.n && !o->over; i++) {
		uint8_t c = path.p[i];
		int escape;

		switch ((enum kind)kinds[c]) {
		case COPIED:
		case ESCAPED_QUERY:
			put(o, c);
			break;
		case ESCAPED:
		case ESCAPED_PATH:
			put_escaped(o, c);
			break;
		case SLASH:
		case BACKSLASH:
			from = end_segment(o, from, false);
			put(o, '/');
			break;
		case PERCENT:
			escape = escape_at(path, i);
			if (escape >= 0 && path_takes_plain((uint8_t)escape))
				put(o, (uint8_t)escape);
			else
				put_escaped(
				    o, escape < 0 ? '%' : (uint8_t)escape);
			i += escape < 0 ? 0 : 2;
			break;
		}
	}
	end_segment(o, from, true);
	return (struct bytes){ o->p, o->n };
}

/* '%' that begins no escape is escaped, else "%%34%31" would become "%41",
 * which is "A" for who reads it once more. */
static struct bytes
write_query(struct out *o, struct bytes query)
{
	for (size_t i = 0; i < query.n && !o->over; i++) {
		uint8_t c = query.p[i];
		int escape;

		switch ((enum kind)kinds[c]) {
		case COPIED:
		case ESCAPED_PATH:
		case SLASH:
		case BACKSLASH:
			put(o, c);
			break;
		case ESCAPED:
		case ESCAPED_QUERY:
			put_escaped(o, c);
			break;
		case PERCENT:
			escape = escape_at(query, i);
			if (escape >= 0 && is_unreserved((uint8_t)escape))
				put(o, (uint8_t)escape);
			else
				put_escaped(
				    o, escape < 0 ? '%' : (uint8_t)escape);
			i += escape < 0 ? 0 : 2;
			break;
		}
	}
	return (struct bytes){ o->p, o->n };
}

/* Unescapes until nothing changes, in one pass: an escape is complete when its
 * last digit is written, and what it becomes may complete another. */
static size_t
unescape_all(struct bytes path, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++) {
		out[n++] = path.p[i];
		while (n >= 3 && out[n - 3] == '%') {
			int c = escape_at((struct bytes){ out, n }, n - 3);

			if (c < 0)
				break;
			n -= 2;
			out[n - 1] = (uint8_t)c;
		}
	}
	return n;
}

/* The path without parameters and empty segments, in place. */
static size_t
drop_parameters(uint8_t *p, size_t n)
{
	bool parameters = false;
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i] == '\\' ? '/' : p[i];

		parameters = c != '/' && (parameters || c == ';');
		if (!parameters && (c != '/' || out == 0 || p[out - 1] != '/'))
			p[out++] = c;
	}
	return out;
}

static bool
has_other_reading(struct bytes path)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '%' || path.p[i] == ';' ||
		    (path.p[i] == '/' && i > 0 && path.p[i - 1] == '/'))
			return true;
	return false;
}

static int
write_loose(struct canon *c, const char **why_out)
{
	uint8_t plain[CANON_MAX];
	struct out o = { c->loose_room, 0, false };
	size_t n;

	if (!has_other_reading(c->path)) {
		c->loose = c->path;
		return 0;
	}
	n = unescape_all(c->path, plain);
	n = drop_parameters(plain, n);
	c->loose = write_path(&o, (struct bytes){ plain, n });
	return o.over ? bad(why_out, "path over the limit") : 0;
}

int
canon_parse_target(struct canon *c, struct bytes target, const char **why_out)
{
	struct out path_out = { c->path_room, 0, false };
	struct out query_out = { c->query_room, 0, false };
	struct bytes path = target;
	struct bytes query = { NULL, 0 };
	size_t i = 0;

	if (target.n > CANON_MAX)
		return bad(why_out, "URL over the limit");
	while (i < target.n && target.p[i] != '?' && target.p[i] != '#')
		i++;
	path.n = i;
	if (i < target.n && target.p[i] == '?') {
		query = (struct bytes){ target.p + i, target.n - i };
		if (bytes_index(query, '#') >= 0)
			query.n = (size_t)bytes_index(query, '#');
	}
	if (query.n == 1) /* "?" alone asks nothing */
		query.n = 0;
	c->path = write_path(&path_out, path);
	c->query = write_query(&query_out, query);
	if (path_out.over || query_out.over)
		return bad(why_out, "URL over the limit");
	return write_loose(c, why_out);
}

void
canon_port(struct canon *c, uint16_t port)
{
	c->port = port;
	c->port_usual = port == 80 || port == 443;
}

int
canon_parse_host(struct canon *c, struct bytes host, const char **why_out)
{
	size_t n = 0;

	if (host_canonical(host, c->host_room, &n, &c->is_address, why_out) < 0)
		return -1;
	c->host = (struct bytes){ c->host_room, n };
	c->path = c->loose = c->query = (struct bytes){ NULL, 0 };
	c->labels = 1;
	if (!c->is_address)
		for (size_t i = 0; i < n; i++)
			c->labels += c->host_room[i] == '.';
	canon_port(c, 443);
	return 0;
}

static int
parse_port(
    struct canon *c, struct bytes text, uint16_t initial, const char **why_out)
{
	uint64_t port = initial;

	while (text.n > 1 && text.p[0] == '0')
		bytes_take(&text, 1);
	if (text.n > 0 && bytes_number(text, UINT16_MAX, &port) < 0)
		return bad(why_out, "the port is no number");
	canon_port(c, (uint16_t)port);
	return 0;
}

static int
parse_authority(struct canon *c, struct bytes authority, uint16_t initial,
    const char **why_out)
{
	struct bytes host;
	struct bytes port = { NULL, 0 };

	for (size_t i = authority.n; i-- > 0;)
		if (authority.p[i] == '@') { /* the last one, as browsers do */
			bytes_take(&authority, i + 1);
			break;
		}
	host = authority;
	for (size_t i = 0; i < authority.n; i++) {
		if (authority.p[0] == '[' && i == 0) {
			while (i + 1 < authority.n && authority.p[i] != ']')
				i++;
			continue;
		}
		if (authority.p[i] == ':') {
			host.n = i;
			port = (struct bytes){ authority.p + i + 1,
				authority.n - i - 1 };
			break;
		}
	}
	if (canon_parse_host(c, host, why_out) < 0)
		return -1;
	return parse_port(c, port, initial, why_out);
}

static const struct {
	struct bytes name;
	uint16_t port;
} schemes[] = {
	{ BYTES_ROW("http:"), 80 },
	{ BYTES_ROW("https:"), 443 },
	{ BYTES_ROW("ws:"), 80 },
	{ BYTES_ROW("wss:"), 443 },
	{ BYTES_ROW("ftp:"), 21 },
};

/* Takes the scheme off. Only "scheme://" is another scheme's; "host:8080/" has
 * none. */
static int
take_scheme(struct bytes *url, uint16_t *port_out, const char **why_out)
{
	ssize_t colon;

	*port_out = 80;
	for (size_t i = 0; i < COUNT(schemes); i++) {
		struct bytes rest = *url;

		if (!bytes_equal_nocase(
			bytes_take(&rest, schemes[i].name.n), schemes[i].name))
			continue;
		*url = rest;
		*port_out = schemes[i].port;
		return 0;
	}
	colon = bytes_index(*url, ':');
	if (colon > 0 && (size_t)colon + 2 < url->n &&
	    url->p[colon + 1] == '/' && url->p[colon + 2] == '/') {
		for (ssize_t i = 0; i < colon; i++)
			if (!is_unreserved(url->p[i]) && url->p[i] != '+')
				return 0;
		return bad(why_out, "the scheme is none of the web's");
	}
	return 0;
}

static bool
is_removed(uint8_t c)
{
	return c == '\t' || c == '\n' || c == '\r';
}

/* Without controls and blanks at both ends and without tabs and line ends
 * anywhere; room is used only where there are such. */
static struct bytes
strip(struct bytes url, uint8_t room[CANON_MAX])
{
	bool within = false;
	size_t n = 0;

	while (url.n > 0 && url.p[0] <= ' ')
		bytes_take(&url, 1);
	while (url.n > 0 && url.p[url.n - 1] <= ' ')
		url.n--;
	for (size_t i = 0; i < url.n; i++)
		within |= is_removed(url.p[i]);
	if (!within)
		return url;
	for (size_t i = 0; i < url.n; i++)
		if (!is_removed(url.p[i]))
			room[n++] = url.p[i];
	return (struct bytes){ room, n };
}

int
canon_parse(struct canon *c, struct bytes url, const char **why_out)
{
	uint8_t room[CANON_MAX];
	uint16_t port;
	size_t n = 0;

	if (url.n > CANON_MAX)
		return bad(why_out, "URL over the limit");
	url = strip(url, room);
	if (take_scheme(&url, &port, why_out) < 0)
		return -1;
	while (url.n > 0 && (url.p[0] == '/' || url.p[0] == '\\'))
		bytes_take(&url, 1);
	while (n < url.n && url.p[n] != '/' && url.p[n] != '\\' &&
	    url.p[n] != '?' && url.p[n] != '#')
		n++;
	if (parse_authority(c, bytes_take(&url, n), port, why_out) < 0)
		return -1;
	return canon_parse_target(c, url, why_out);
}

/* The paths of one host: with query, whole, "/" and the first directories. */
static size_t
expressions_of(
    const struct canon *c, struct bytes host, struct canon_expression *out)
{
	size_t n = 0;
	size_t prefixes = 0;

	if (c->query.n > 0)
		out[n++] = (struct canon_expression){ host, c->path, c->query };
	out[n++] = (struct canon_expression){ host, c->path, { NULL, 0 } };
	for (size_t i = 0; i + 1 < c->path.n && prefixes < SB_PREFIXES; i++)
		if (c->path.p[i] == '/') {
			out[n++] = (struct canon_expression){ host,
				{ c->path.p, i + 1 }, { NULL, 0 } };
			prefixes++;
		}
	return n;
}

size_t
canon_expressions(
    const struct canon *c, struct canon_expression out[CANON_EXPRESSIONS_MAX])
{
	struct bytes host = c->host;
	unsigned left = c->labels;
	size_t n = expressions_of(c, host, out);

	if (c->is_address)
		return n;
	for (unsigned hosts = 1; hosts < SB_HOSTS && left > 2; hosts++) {
		/* Of a long name the five last labels come next. */
		do {
			bytes_take_until(&host, '.');
			left--;
		} while (left > SB_LABELS);
		n += expressions_of(c, host, out + n);
	}
	return n;
}
