/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_head[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

int
address_parse(struct address *a, struct bytes text)
{
	char string[INET6_ADDRSTRLEN];

	*a = (struct address){ 0 };
	if (text.n == 0 || text.n >= sizeof(string) ||
	    bytes_index(text, 0) >= 0)
		return -1;
	memcpy(string, text.p, text.n);
	string[text.n] = '\0';
	if (inet_pton(AF_INET, string, a->octets + sizeof(v4_head)) == 1) {
		memcpy(a->octets, v4_head, sizeof(v4_head));
		return 0;
	}
	return inet_pton(AF_INET6, string, a->octets) == 1 ? 0 : -1;
}

int
address_parse_port(struct address *a, struct bytes text)
{
	struct bytes host;
	uint64_t port;

	if (text.n > 0 && text.p[0] == '[') {
		bytes_take(&text, 1);
		host = bytes_take_until(&text, ']');
		if (bytes_index(host, ':') < 0 || text.n == 0 ||
		    *bytes_take(&text, 1).p != ':')
			return -1;
	} else {
		host = bytes_take_until(&text, ':');
	}
	if (address_parse(a, host) < 0 ||
	    bytes_number(text, UINT16_MAX, &port) < 0)
		return -1;
	a->port = (uint16_t)port;
	return 0;
}

bool
address_is_v4(const struct address *a)
{
	return memcmp(a->octets, v4_head, sizeof(v4_head)) == 0;
}

char *
address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	if (address_is_v4(a))
		inet_ntop(AF_INET, a->octets + sizeof(v4_head), out,
		    ADDRESS_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->octets, out, ADDRESS_TEXT_MAX);
	return out;
}

char *
address_text_port(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	char host[ADDRESS_TEXT_MAX];

	snprintf(out, ADDRESS_TEXT_MAX,
	    address_is_v4(a) ? "%.45s:%u" : "[%.45s]:%u", address_text(a, host),
	    a->port);
	return out;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return a->port == b->port &&
	    memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

int
address_from_sockaddr(struct address *a, const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	*a = (struct address){ 0 };
	if (sa->sa_family == AF_INET) {
		memcpy(a->octets, v4_head, sizeof(v4_head));
		memcpy(a->octets + sizeof(v4_head), &in->sin_addr, 4);
		a->port = ntohs(in->sin_port);
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -1;
	memcpy(a->octets, &in6->sin6_addr, sizeof(a->octets));
	a->port = ntohs(in6->sin6_port);
	return 0;
}

socklen_t
address_to_sockaddr(const struct address *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	*out = (struct sockaddr_storage){ 0 };
	if (address_is_v4(a)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->octets + sizeof(v4_head), 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	memcpy(&in6->sin6_addr, a->octets, sizeof(a->octets));
	return sizeof(*in6);
}

/* Whether the first `bits` bits are the same. */
static bool
same_bits(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int
prefix_parse(struct prefix *p, struct bytes text)
{
	struct bytes host = bytes_take_until(&text, '/');
	bool has_bits = text.p > host.p + host.n;
	struct address a;
	uint64_t bits;

	if (address_parse(&a, host) < 0)
		return -1;
	bits = address_is_v4(&a) ? 32 : 128;
	if (has_bits && bytes_number(text, bits, &bits) < 0)
		return -1;
	if (address_is_v4(&a))
		bits += 96;
	*p = (struct prefix){ .bits = (uint8_t)bits };
	for (size_t i = 0; i < bits; i++)
		p->octets[i / 8] = (uint8_t)(p->octets[i / 8] |
		    (a.octets[i / 8] & 0x80 >> i % 8));
	return memcmp(p->octets, a.octets, sizeof(a.octets)) == 0 ? 0 : -1;
}

bool
prefix_contains(const struct prefix *p, const struct address *a)
{
	return same_bits(p->octets, a->octets, p->bits);
}

bool
prefixes_contain(const struct prefix *p, size_t n, const struct address *a)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&p[i], a))
			return true;
	return false;
}

char *
prefix_text(const struct prefix *p, char out[ADDRESS_TEXT_MAX])
{
	char host[ADDRESS_TEXT_MAX];
	struct address a = { 0 };

	memcpy(a.octets, p->octets, sizeof(a.octets));
	snprintf(out, ADDRESS_TEXT_MAX, "%.45s/%u", address_text(&a, host),
	    address_is_v4(&a) && p->bits >= 96 ? p->bits - 96u : p->bits);
	return out;
}
