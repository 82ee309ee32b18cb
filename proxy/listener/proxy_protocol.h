/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy_protocol: the PROXY header of a balancer before us, version 1 (text)
 * and 2 (binary), as HAProxy's proxy-protocol.txt defines them. A pull parser
 * without I/O.
 */
#pragma once

#include "proxy/base/address.h"

#define PROXY_PROTOCOL_MAX 536 /* version 2: 16 + 216, and room for TLVs */

enum proxy_protocol_answer {
	PROXY_PROTOCOL_BAD = 0, /* p->why: a static string */
	PROXY_PROTOCOL_MORE,
	PROXY_PROTOCOL_DONE, /* what follows in the input is the client's */
};

/* Zero bytes are a parser at its beginning. */
struct proxy_protocol {
	uint16_t n;
	bool has_source; /* else LOCAL or UNKNOWN: the peer speaks itself */
	struct address source;
	const char *why;
	uint8_t bytes[PROXY_PROTOCOL_MAX];
};

/* Takes the header's bytes from *in and no more. */
enum proxy_protocol_answer proxy_protocol_next(
    struct proxy_protocol *p, struct bytes *in);
