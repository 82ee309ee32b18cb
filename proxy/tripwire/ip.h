/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip: the headers of one packet, of which the end may be cut off. Its bytes are
 * whatever somebody sent: each is looked at only where it is.
 */
#pragma once

#include "proxy/base/address.h"

#define IP_EXTENSIONS_MAX 8 /* headers between IPv6's and the payload's */

struct ip_packet {
	/* With ports where there are; 0: none is known. */
	struct address from, to;
	uint8_t protocol; /* IANA's; of IPv6 the last header's that was found */
	bool has_ports;
	bool is_fragment;
	uint8_t flags; /* of TCP */
	uint8_t type;  /* of ICMP and ICMPv6 */
};

/* 0, or -1: not a packet of IPv4 or IPv6 with its whole first header. */
int ip_parse(struct ip_packet *p, struct bytes b) MUST_CHECK;
/* What was tried, in words: "tcp syn", "icmp type 8", "protocol 47". */
#define IP_WORDS_MAX 48
char *ip_words(const struct ip_packet *p, char out[IP_WORDS_MAX]);
