/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cells: everything that any entry of the settings lets through, cut into
 * boxes that do not overlap. A grant is one such entry's box: from x to x
 * ports x protocol, and who carries it. What no grant covers does not pass.
 */
#pragma once

#include "proxy/isolation/model.h"

/* Who carries bytes from source to destination; the refusing one is 0. */
enum carrier {
	CARRIER_NONE = 0,
	CARRIER_LISTEN,  /* the source speaks with a listener of this machine;
			  * the destination is that listener */
	CARRIER_FORWARD, /* the kernel, packet by packet */
	CARRIER_EDGE,    /* a web proxy process on the source's behalf */
	CARRIER_MAIL,    /* a mail process */
	CARRIER_GATE,    /* the gate, for a registered system */
	CARRIERS,
};

/* Both ends are inside: [first, last]; IPv4 stands as ::ffff:a.b.c.d. */
struct range {
	uint8_t first[16], last[16];
};

struct grant {
	enum carrier carrier;
	struct range from, to;
	uint16_t port_first, port_last;
	uint8_t protocol;  /* IANA's; 0 … 255 */
	const char *what;  /* "communication \"juki-kyotaku\"", for people */
	const void *entry; /* struct system *, struct communication *, … */
	struct model_source source;
};

/* Disjoint from all other cells of the same carrier. */
struct cell {
	enum carrier carrier;
	struct range from, to;
	uint16_t port_first, port_last;
	uint8_t protocol;
	const struct grant *const *grants; /* which cover all of it */
	size_t grants_n;
};

struct cells {
	struct cell *cells; /* by carrier, protocol, from, to, port */
	size_t cells_n;
};

/* Grants may overlap in any way. NULL and *e: more than cells_max. */
struct cells *cells_cut(const struct grant *grants, size_t n, struct arena *a,
    struct err *e) MUST_CHECK;
/* The cell that a packet falls in, to with its port; NULL: none passes. */
const struct cell *cells_find(const struct cells *c, enum carrier carrier,
    const struct address *from, const struct address *to, uint8_t protocol);
/* A range of a prefix, and the words of one ("192.0.2.0/24" or "a-b"). */
struct range range_of(const struct prefix *p);
