/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/proxy_protocol.h"

#include <string.h>

#define V1_MAX 107 /* section 2.1: the longest line, CRLF included */
#define V2_HEAD 16

static const uint8_t v2_signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
	0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

static enum proxy_protocol_answer
bad(struct proxy_protocol *p, const char *why)
{
	p->why = why;
	return PROXY_PROTOCOL_BAD;
}

/* One of the five words of version 1; blanks are single. */
static struct bytes
word(struct bytes *line)
{
	return bytes_take_until(line, ' ');
}

static enum proxy_protocol_answer
read_v1(struct proxy_protocol *p)
{
	struct bytes line = { p->bytes, p->n - 2u };
	struct bytes family;
	struct address destination;
	uint64_t port;

	word(&line); /* PROXY */
	family = word(&line);
	if (bytes_equal(family, BYTES("UNKNOWN")))
		return PROXY_PROTOCOL_DONE;
	if (!bytes_equal(family, BYTES("TCP4")) &&
	    !bytes_equal(family, BYTES("TCP6")))
		return bad(p, "PROXY header of an unknown family");
	if (address_parse(&p->source, word(&line)) < 0 ||
	    address_parse(&destination, word(&line)) < 0 ||
	    address_is_v4(&p->source) != bytes_equal(family, BYTES("TCP4")) ||
	    address_is_v4(&destination) != address_is_v4(&p->source))
		return bad(p, "PROXY header without addresses");
	if (bytes_number(word(&line), UINT16_MAX, &port) < 0 ||
	    bytes_number(line, UINT16_MAX, &port) < 0)
		return bad(p, "PROXY header without ports");
	p->has_source = true;
	return PROXY_PROTOCOL_DONE;
}

static enum proxy_protocol_answer
read_v2(struct proxy_protocol *p)
{
	static const uint8_t v4_head[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255,
		255 };
	size_t length = (size_t)(p->bytes[14] << 8 | p->bytes[15]);
	uint8_t family = p->bytes[13];

	if (p->bytes[12] == 0x20) /* LOCAL */
		return PROXY_PROTOCOL_DONE;
	if (p->bytes[12] != 0x21)
		return bad(p, "PROXY header of an unknown version");
	if (family == 0x00)
		return PROXY_PROTOCOL_DONE;
	if (family == 0x11 && length >= 12) {
		memcpy(p->source.octets, v4_head, sizeof(v4_head));
		memcpy(p->source.octets + 12, p->bytes + V2_HEAD, 4);
	} else if (family == 0x21 && length >= 36) {
		memcpy(p->source.octets, p->bytes + V2_HEAD, 16);
	} else {
		return bad(p, "PROXY header of an unknown family");
	}
	p->has_source = true;
	return PROXY_PROTOCOL_DONE;
}

/* How many bytes the header has as far as it is known; 0: it is none. */
static size_t
wanted(const struct proxy_protocol *p)
{
	size_t n = p->n < sizeof(v2_signature) ? p->n : sizeof(v2_signature);
	bool v2 = memcmp(p->bytes, v2_signature, n) == 0;

	if (p->n == 0)
		return 1; /* it tells the versions apart */
	if (v2 && p->n < V2_HEAD)
		return V2_HEAD;
	if (v2)
		return V2_HEAD + (size_t)(p->bytes[14] << 8 | p->bytes[15]);
	n = p->n < 6 ? p->n : 6;
	if (memcmp(p->bytes, "PROXY ", n) != 0)
		return 0;
	if (p->bytes[p->n - 1] == '\n')
		return p->bytes[p->n - 2] == '\r' ? p->n : 0;
	return p->n < V1_MAX ? p->n + 1u : 0;
}

enum proxy_protocol_answer
proxy_protocol_next(struct proxy_protocol *p, struct bytes *in)
{
	for (;;) {
		size_t want = wanted(p);
		struct bytes taken;

		if (want == 0)
			return bad(p, "no PROXY header");
		if (want > sizeof(p->bytes))
			return bad(p, "PROXY header is too long");
		if (p->n == want)
			return p->bytes[0] == 'P' ? read_v1(p) : read_v2(p);
		if (in->n == 0)
			return PROXY_PROTOCOL_MORE;
		taken = bytes_take(in, want - p->n);
		memcpy(p->bytes + p->n, taken.p, taken.n);
		p->n = (uint16_t)(p->n + taken.n);
	}
}
