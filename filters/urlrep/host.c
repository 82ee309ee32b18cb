/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/host.h"

#include <idn2.h>
#include <stdio.h>

#include "proxy/base/address.h"

#define GIVEN_MAX 1024 /* UTF-8 and its escapes are longer than A-labels */
#define LABEL_MAX 63   /* RFC 1035 section 2.3.4 */

enum kind {
	FORBIDDEN =
	    0, /* in no domain (WHATWG URL, section 3.2), and controls */
	NAME,  /* letters, digits, '-', '_' */
	CAPITAL,
	DOT,
	OTHER,   /* permitted, but in no real name */
	ESCAPE,  /* '%' */
	FOREIGN, /* not ASCII */
};

static const uint8_t kinds[256] = {
	['!'] = OTHER,
	['"'] = OTHER,
	['$'] = OTHER,
	['&'] = OTHER,
	['\''] = OTHER,
	['('] = OTHER,
	[')'] = OTHER,
	['*'] = OTHER,
	['+'] = OTHER,
	[','] = OTHER,
	[';'] = OTHER,
	['='] = OTHER,
	['`'] = OTHER,
	['{'] = OTHER,
	['}'] = OTHER,
	['~'] = OTHER,
	['%'] = ESCAPE,
	['.'] = DOT,
	['-'] = NAME,
	['_'] = NAME,
	['0' ... '9'] = NAME,
	['a' ... 'z'] = NAME,
	['A' ... 'Z'] = CAPITAL,
	[0x80 ... 0xff] = FOREIGN,
};

static int
bad(const char **why_out, const char *why)
{
	*why_out = why;
	return -1;
}

bool
host_is_plain_name(struct bytes host)
{
	for (size_t i = 0; i < host.n; i++)
		if (kinds[host.p[i]] != NAME && host.p[i] != '.')
			return false;
	return host.n > 0;
}

static size_t
unescape(struct bytes given, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < given.n; i++) {
		int high = -1;
		int low = -1;

		if (given.p[i] == '%' && i + 2 < given.n) {
			high = byte_hex(given.p[i + 1]);
			low = byte_hex(given.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			out[n++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = given.p[i];
		}
	}
	return n;
}

/* UTS 46, non-transitional, as browsers do; in place. */
static int
to_ascii(uint8_t *host, size_t *n, const char **why_out)
{
	char *ascii = NULL;
	size_t length;

	host[*n] = 0;
	if (strlen((char *)host) != *n)
		return bad(why_out, "host with a forbidden byte");
	if (idn2_to_ascii_8z((char *)host, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return bad(why_out, "host is no international name");
	length = strlen(ascii);
	if (length <= GIVEN_MAX)
		memcpy(host, ascii, length);
	idn2_free(ascii);
	*n = length;
	return length <= GIVEN_MAX
	    ? 0
	    : bad(why_out, "host of no or too many bytes");
}

static bool
part_is_number(struct bytes part)
{
	bool digits = part.n > 0;
	bool hex = part.n >= 2 && part.p[0] == '0' && part.p[1] == 'x';

	for (size_t i = 0; i < part.n; i++) {
		digits &= part.p[i] >= '0' && part.p[i] <= '9';
		hex &= i < 2 || byte_hex(part.p[i]) >= 0;
	}
	return digits || hex;
}

/* A decimal, octal or hexadecimal number of at most 32 bits; "0x" is 0. */
static int
parse_part(struct bytes part, uint64_t *out)
{
	unsigned base = 10;

	*out = 0;
	if (part.n == 0)
		return -1;
	if (part.n >= 2 && part.p[0] == '0') {
		base = part.p[1] == 'x' ? 16 : 8;
		bytes_take(&part, base == 16 ? 2 : 1);
	}
	for (size_t i = 0; i < part.n; i++) {
		int value = byte_hex(part.p[i]);

		if (value < 0 || (unsigned)value >= base)
			return -1;
		*out = *out * base + (unsigned)value;
		if (*out > UINT32_MAX)
			return -1;
	}
	return 0;
}

/* WHATWG URL, section 3.5, "IPv4 parser": up to four parts, of which the last
 * fills what is left. */
static int
parse_v4(struct bytes host, uint32_t *out)
{
	uint64_t part = 0;
	uint64_t value = 0;
	unsigned n = 0;

	while (host.n > 0) {
		if (n == 4 || parse_part(bytes_take_until(&host, '.'), &part))
			return -1;
		n++;
		if (host.n == 0)
			break;
		if (part > 255)
			return -1;
		value |= part << (8 * (4 - n));
	}
	if (n == 0 || part >= (uint64_t)1 << (8 * (5 - n)))
		return -1;
	*out = (uint32_t)(value | part);
	return 0;
}

static size_t
write_v4(const uint8_t octets[4], uint8_t *out)
{
	return (size_t)snprintf((char *)out, HOST_ROOM, "%u.%u.%u.%u",
	    octets[0], octets[1], octets[2], octets[3]);
}

/* RFC 5952 section 4, in brackets; never with an IPv4 tail. */
static size_t
write_v6(const uint8_t octets[16], uint8_t *out)
{
	unsigned pieces[8];
	unsigned from = 8;
	unsigned longest = 1;
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		pieces[i] = (unsigned)octets[2 * i] << 8 | octets[2 * i + 1];
	for (unsigned i = 0; i < 8; i++) {
		unsigned end = i;

		while (end < 8 && pieces[end] == 0)
			end++;
		if (end - i > longest) {
			longest = end - i;
			from = i;
		}
	}
	out[n++] = '[';
	for (unsigned i = 0; i < 8; i++) {
		if (i == from) {
			out[n++] = ':';
			out[n++] = ':';
			i += longest - 1;
			continue;
		}
		if (n > 1 && out[n - 1] != ':')
			out[n++] = ':';
		n += (size_t)snprintf(
		    (char *)out + n, HOST_ROOM - n, "%x", pieces[i]);
	}
	out[n++] = ']';
	return n;
}

static int
canonical_v6(
    struct bytes inner, uint8_t *out, size_t *n_out, const char **why_out)
{
	struct address a;

	if (bytes_index(inner, ':') < 0 || address_parse(&a, inner) < 0)
		return bad(why_out, "host is no IPv6 address");
	*n_out = address_is_v4(&a) ? write_v4(a.octets + 12, out)
				   : write_v6(a.octets, out);
	return 0;
}

/* Small letters, and the limits of DNS. *last_out: where the last label is. */
static int
check_labels(uint8_t *host, size_t n, size_t *last_out, const char **why_out)
{
	size_t label = 0;

	for (size_t i = 0; i < n; i++) {
		switch ((enum kind)kinds[host[i]]) {
		case FORBIDDEN:
		case ESCAPE:
		case FOREIGN:
			return bad(why_out, "host with a forbidden byte");
		case DOT:
			if (i == label)
				return bad(why_out, "host with an empty label");
			label = i + 1;
			continue;
		case CAPITAL:
			host[i] |= 0x20;
			break;
		case NAME:
		case OTHER:
			break;
		}
		if (i - label >= LABEL_MAX)
			return bad(why_out, "host with too long a label");
	}
	if (label == n)
		return bad(why_out, "host with an empty label");
	*last_out = label;
	return 0;
}

/* Whether it is a name as it stands: then nothing needs room or a library. */
static bool
is_simple(struct bytes given)
{
	for (size_t i = 0; i < given.n; i++)
		if (kinds[given.p[i]] == ESCAPE || kinds[given.p[i]] == FOREIGN)
			return false;
	return given.n <= HOST_ROOM;
}

static bool
is_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x80)
			return false;
	return true;
}

int
host_canonical(struct bytes given, uint8_t out[HOST_ROOM], size_t *n_out,
    bool *is_address_out, const char **why_out)
{
	uint8_t room[GIVEN_MAX + 1];
	size_t n = given.n;
	size_t last = 0;
	uint32_t v4;

	*is_address_out = false;
	if (n == 0 || n > GIVEN_MAX)
		return bad(why_out, "host of no or too many bytes");
	if (given.p[0] == '[') {
		if (n < 2 || given.p[n - 1] != ']')
			return bad(why_out, "host is no IPv6 address");
		*is_address_out = true;
		return canonical_v6(
		    (struct bytes){ given.p + 1, n - 2 }, out, n_out, why_out);
	}
	if (is_simple(given)) {
		memcpy(room, given.p, n);
	} else {
		n = unescape(given, room);
		if (!is_ascii(room, n) && to_ascii(room, &n, why_out) < 0)
			return -1;
	}
	if (n > 1 && room[n - 1] == '.')
		n--;
	if (n == 0 || n >= HOST_ROOM)
		return bad(why_out, "host of no or too many bytes");
	memcpy(out, room, n);
	*n_out = n;
	if (check_labels(out, n, &last, why_out) < 0)
		return -1;
	if (out[last] < '0' || out[last] > '9' ||
	    !part_is_number((struct bytes){ out + last, n - last }))
		return 0;
	if (parse_v4((struct bytes){ out, n }, &v4) < 0)
		return bad(why_out, "host is no IPv4 address");
	*is_address_out = true;
	*n_out = write_v4((uint8_t[]){ (uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16),
			      (uint8_t)(v4 >> 8), (uint8_t)v4 },
	    out);
	return 0;
}
