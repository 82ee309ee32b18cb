/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/url.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/base/idn.h"

#define HOST_GIVEN_MAX 1024 /* UTF-8 is longer than its A-labels */

static int
bad(const char **why_out, const char *why)
{
	*why_out = why;
	return -1;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool
is_hex(uint8_t c)
{
	return byte_hex(c) >= 0;
}

/* WHATWG: a host whose last label is a number is an IPv4 address in one of
 * many spellings, of which we take the dotted quad alone. */
static bool
ends_in_number(struct bytes host)
{
	struct bytes last = host;
	bool digits = true;
	bool hex;

	for (size_t i = host.n; i-- > 0;)
		if (host.p[i] == '.') {
			last = (struct bytes){ host.p + i + 1, host.n - i - 1 };
			break;
		}
	hex = last.n >= 2 && last.p[0] == '0' && (last.p[1] | 0x20) == 'x';
	for (size_t i = 0; i < last.n; i++) {
		digits &= is_digit(last.p[i]);
		hex &= i < 2 || is_hex(last.p[i]);
	}
	return digits || hex;
}

/* Lower case, letters digits hyphens (and the underscore that real names
 * have), labels of 1 to 63 bytes (RFC 1035 section 2.3.4). */
static int
check_labels(uint8_t *host, size_t n, const char **why_out)
{
	size_t label = 0;

	if (n == 0 || n > HOST_MAX)
		return bad(why_out, "host of no or too many bytes");
	for (size_t i = 0; i < n; i++) {
		uint8_t c = host[i];

		if (c == '.') {
			if (label == 0)
				return bad(why_out, "host with an empty label");
			label = 0;
			continue;
		}
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return bad(why_out, "host with a forbidden byte");
		if (c >= 'A' && c <= 'Z')
			host[i] = c | 0x20;
		if (++label > 63)
			return bad(why_out, "host with too long a label");
	}
	return label > 0 ? 0 : bad(why_out, "host with an empty label");
}

static bool
is_plain(struct bytes host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] >= 0x80)
			return false;
	return true;
}

static void
take_address(struct url *u, struct arena *a)
{
	char text[ADDRESS_TEXT_MAX];

	u->is_address = true;
	u->host = arena_copy(a, bytes_of(address_text(&u->address, text)));
}

int
url_parse_host(
    struct url *u, struct bytes host, struct arena *a, const char **why_out)
{
	struct bytes copy;

	u->is_address = false;
	if (host.n == 0 || host.n > HOST_GIVEN_MAX || bytes_index(host, 0) >= 0)
		return bad(why_out, "host of no or too many bytes");
	if (!is_plain(host) && idn_to_ascii(&host, a) < 0)
		return bad(why_out, "host is no international name");
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	copy = arena_copy(a, host);
	if (check_labels((uint8_t *)(uintptr_t)copy.p, copy.n, why_out) < 0)
		return -1;
	u->host = copy;
	if (!ends_in_number(copy))
		return 0;
	if (address_parse(&u->address, copy) < 0)
		return bad(why_out, "host is an odd spelling of an address");
	take_address(u, a);
	return 0;
}

/* "[v6]" */
static int
parse_v6(
    struct url *u, struct bytes text, struct arena *a, const char **why_out)
{
	if (bytes_index(text, ':') < 0 || address_parse(&u->address, text) < 0)
		return bad(why_out, "host is no IPv6 address");
	take_address(u, a);
	return 0;
}

int
url_parse_authority(struct url *u, struct bytes authority,
    uint16_t default_port, struct arena *a, const char **why_out)
{
	struct bytes rest = authority;
	bool has_port;
	uint64_t port = default_port;
	int result;

	if (rest.n > 0 && rest.p[0] == '[') {
		struct bytes v6;

		bytes_take(&rest, 1);
		if (bytes_index(rest, ']') < 0)
			return bad(why_out, "host is no IPv6 address");
		v6 = bytes_take_until(&rest, ']');
		result = parse_v6(u, v6, a, why_out);
		has_port = rest.n > 0;
		if (has_port && *bytes_take(&rest, 1).p != ':')
			return bad(why_out, "host and port are malformed");
	} else {
		struct bytes host = bytes_take_until(&rest, ':');

		has_port = host.n < authority.n;
		result = url_parse_host(u, host, a, why_out);
	}
	if (result < 0)
		return -1;
	if (!has_port && default_port == 0)
		return bad(why_out, "the port is missing");
	/* "host:" is the default port (RFC 3986 section 3.2.3). */
	if (has_port && !(rest.n == 0 && default_port != 0) &&
	    (bytes_number(rest, UINT16_MAX, &port) < 0 || port == 0))
		return bad(why_out, "the port is no number");
	u->port = (uint16_t)port;
	u->address.port = u->port;
	return 0;
}

static bool
is_unreserved(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.' ||
	    c == '_' || c == '~';
}

/* Escapes of what needs none are undone, the others are in upper case. A '%'
 * that begins no escape is escaped: else "%%34%31" would become "%41", which
 * is "A" for who reads it once more. */
static size_t
decode(struct bytes path, uint8_t *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];
		bool escape = c == '%';

		if (c == '%' && i + 2 < path.n && is_hex(path.p[i + 1]) &&
		    is_hex(path.p[i + 2])) {
			c = (uint8_t)((unsigned)byte_hex(path.p[i + 1]) << 4 |
			    (unsigned)byte_hex(path.p[i + 2]));
			escape = !is_unreserved(c);
			i += 2;
		}
		if (escape) {
			out[n++] = '%';
			out[n++] = (uint8_t)digits[c >> 4];
			out[n++] = (uint8_t)digits[c & 15];
		} else {
			out[n++] = c;
		}
	}
	return n;
}

/* RFC 3986 section 5.2.4, in place: "." and ".." segments. */
static size_t
remove_dots(uint8_t *p, size_t n)
{
	size_t out = 0;
	size_t at = 0;

	while (at < n) {
		size_t end = at + 1; /* p[at] is a slash */
		size_t length;

		while (end < n && p[end] != '/')
			end++;
		length = end - at;
		if (length == 2 && p[at + 1] == '.') {
			if (end == n)
				p[out++] = '/';
		} else if (length == 3 && p[at + 1] == '.' &&
		    p[at + 2] == '.') {
			while (out > 0 && p[--out] != '/')
				;
			if (end == n)
				p[out++] = '/';
		} else {
			memmove(p + out, p + at, length);
			out += length;
		}
		at = end;
	}
	if (out == 0)
		p[out++] = '/';
	return out;
}

static struct bytes
canonical_path(struct bytes path, struct arena *a)
{
	uint8_t *copy;
	size_t n;

	if (bytes_index(path, '%') < 0 &&
	    memmem(path.p, path.n, "/.", 2) == NULL)
		return path;
	copy = arena_alloc(a, size_mul(path.n, 3));
	n = decode(path, copy);
	return (struct bytes){ copy, remove_dots(copy, n) };
}

static bool
is_slash_escape(const uint8_t *p)
{
	return p[0] == '%' &&
	    ((p[1] == '2' && p[2] == 'F') || (p[1] == '5' && p[2] == 'C'));
}

static struct bytes
loose_path(struct bytes canonical, struct arena *a)
{
	uint8_t *copy;
	size_t n = 0;
	bool parameters = false;

	if (bytes_index(canonical, '%') < 0 &&
	    bytes_index(canonical, ';') < 0 &&
	    memmem(canonical.p, canonical.n, "//", 2) == NULL)
		return canonical;
	copy = arena_alloc(a, canonical.n);
	for (size_t i = 0; i < canonical.n; i++) {
		uint8_t c = canonical.p[i];

		if (i + 2 < canonical.n && is_slash_escape(canonical.p + i)) {
			c = '/';
			i += 2;
		}
		parameters = c != '/' && (parameters || c == ';');
		if (!parameters && (c != '/' || n == 0 || copy[n - 1] != '/'))
			copy[n++] = c;
	}
	return (struct bytes){ copy, remove_dots(copy, n) };
}

int
url_parse_target(
    struct url *u, struct bytes target, struct arena *a, const char **why_out)
{
	struct bytes rest = target;

	if (bytes_equal(target, BYTES("*"))) {
		u->target = u->path = target;
		u->path_canonical = u->path_loose = target;
		return 0;
	}
	if (target.n == 0 || target.p[0] != '/')
		return bad(why_out, "the target is no path");
	for (size_t i = 0; i < target.n; i++) {
		uint8_t c = target.p[i];

		if (c <= 0x20 || c == 0x7f || c == '\\' || c == '#')
			return bad(why_out, "the target has a forbidden byte");
	}
	u->target = target;
	u->path = bytes_take_until(&rest, '?');
	u->path_canonical = canonical_path(u->path, a);
	u->path_loose = loose_path(u->path_canonical, a);
	return 0;
}

/* "http://host?query" has the path "/". */
static struct bytes
with_slash(struct bytes query, struct arena *a)
{
	uint8_t *p = arena_alloc(a, size_add(query.n, 1));

	p[0] = '/';
	if (query.n > 0)
		memcpy(p + 1, query.p, query.n);
	return (struct bytes){ p, query.n + 1 };
}

static const struct {
	struct bytes head;
	enum scheme scheme;
	uint16_t port;
} schemes[] = {
	{ BYTES_ROW("http://"), SCHEME_HTTP, 80 },
	{ BYTES_ROW("https://"), SCHEME_HTTPS, 443 },
};

int
url_parse_absolute(
    struct url *u, struct bytes text, struct arena *a, const char **why_out)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(schemes); i++) {
		struct bytes rest = text;

		if (!bytes_equal_nocase(
			bytes_take(&rest, schemes[i].head.n), schemes[i].head))
			continue;
		u->scheme = schemes[i].scheme;
		while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' &&
		    rest.p[n] != '#' && rest.p[n] != '\\')
			n++;
		if (url_parse_authority(u, bytes_take(&rest, n),
			schemes[i].port, a, why_out) < 0)
			return -1;
		if (rest.n == 0 || rest.p[0] == '?')
			rest = with_slash(rest, a);
		return url_parse_target(u, rest, a, why_out);
	}
	return bad(why_out, "no http or https URL");
}

const char *
scheme_name(enum scheme s)
{
	switch (s) {
	case SCHEME_HTTP:
		return "http";
	case SCHEME_HTTPS:
		return "https";
	case SCHEME_NONE:
		return "";
	}
	return "";
}

struct bytes
url_authority(const struct url *u, struct arena *a)
{
	bool v6 = u->is_address && !address_is_v4(&u->address);
	bool with_port = u->port != (u->scheme == SCHEME_HTTPS ? 443 : 80);
	uint8_t *out;
	size_t n = 0;

	if (!v6 && !with_port)
		return u->host;
	out = arena_alloc(a, u->host.n + sizeof("[]:") + BYTES_DECIMAL_MAX);
	if (v6)
		out[n++] = '[';
	memcpy(out + n, u->host.p, u->host.n);
	n += u->host.n;
	if (v6)
		out[n++] = ']';
	if (with_port) {
		out[n++] = ':';
		n += bytes_decimal(out + n, u->port, 1);
	}
	return (struct bytes){ out, n };
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->port == b->port && bytes_equal(a->host, b->host);
}
