/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/ip.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define V4_HEAD 20
#define V6_HEAD 40
#define TCP_SYN 0x02
#define TCP_ACK 0x10

static uint16_t
number(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Ports stand in the same place in TCP, UDP, SCTP, DCCP and UDP-Lite; what is
 * cut off stays unknown. */
static void
parse_payload(struct ip_packet *p, struct bytes b)
{
	if (p->is_fragment)
		return;
	switch (p->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (b.n > 0)
			p->type = b.p[0];
		return;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		break;
	default:
		return;
	}
	if (b.n < 4)
		return;
	p->from.port = number(b.p);
	p->to.port = number(b.p + 2);
	p->has_ports = true;
	if (p->protocol == IPPROTO_TCP && b.n > 13)
		p->flags = b.p[13];
}

static void
set_v4(struct address *a, const uint8_t octets[4])
{
	a->octets[10] = a->octets[11] = 0xff;
	memcpy(a->octets + 12, octets, 4);
}

static int
parse_v4(struct ip_packet *p, struct bytes b)
{
	size_t head = (size_t)(b.p[0] & 0xf) * 4;

	if (b.n < V4_HEAD || head < V4_HEAD)
		return -1;
	set_v4(&p->from, b.p + 12);
	set_v4(&p->to, b.p + 16);
	p->protocol = b.p[9];
	p->is_fragment = (number(b.p + 6) & 0x1fff) != 0;
	if (b.n < head)
		return 0; /* its options are cut off */
	bytes_take(&b, head);
	parse_payload(p, b);
	return 0;
}

/* The length of an extension header, with at least 8 bytes in b; 0: it is
 * none. */
static size_t
extension_length(uint8_t header, const uint8_t *p)
{
	switch (header) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return ((size_t)p[1] + 1) * 8;
	case IPPROTO_AH:
		return ((size_t)p[1] + 2) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static int
parse_v6(struct ip_packet *p, struct bytes b)
{
	if (b.n < V6_HEAD)
		return -1;
	memcpy(p->from.octets, b.p + 8, 16);
	memcpy(p->to.octets, b.p + 24, 16);
	p->protocol = b.p[6];
	bytes_take(&b, V6_HEAD);
	for (unsigned i = 0; i < IP_EXTENSIONS_MAX && b.n >= 8; i++) {
		size_t n = extension_length(p->protocol, b.p);

		if (n == 0)
			break;
		if (p->protocol == IPPROTO_FRAGMENT &&
		    (number(b.p + 2) & 0xfff8) != 0)
			p->is_fragment = true;
		p->protocol = b.p[0];
		if (n > b.n || p->is_fragment)
			return 0;
		bytes_take(&b, n);
	}
	parse_payload(p, b);
	return 0;
}

int
ip_parse(struct ip_packet *p, struct bytes b)
{
	*p = (struct ip_packet){ 0 };
	if (b.n == 0)
		return -1;
	switch (b.p[0] >> 4) {
	case 4:
		return parse_v4(p, b);
	case 6:
		return parse_v6(p, b);
	default:
		return -1;
	}
}

char *
ip_words(const struct ip_packet *p, char out[IP_WORDS_MAX])
{
	const char *fragment = p->is_fragment ? " fragment" : "";

	switch (p->protocol) {
	case IPPROTO_TCP:
		snprintf(out, IP_WORDS_MAX, "tcp%s%s",
		    (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? " syn" : "",
		    fragment);
		break;
	case IPPROTO_UDP:
		snprintf(out, IP_WORDS_MAX, "udp%s", fragment);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (p->is_fragment)
			snprintf(out, IP_WORDS_MAX, "icmp%s", fragment);
		else
			snprintf(out, IP_WORDS_MAX, "icmp type %u", p->type);
		break;
	default:
		snprintf(
		    out, IP_WORDS_MAX, "protocol %u%s", p->protocol, fragment);
	}
	return out;
}
