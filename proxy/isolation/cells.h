/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cells: everything that any entry of the settings lets through, cut into
 * boxes that do not overlap. A grant is one such entry's box: from x to x
 * ports x protocol, and who carries it. What no grant covers does not pass.
 */
#pragma once

#include "proxy/isolation/model.h"
#include "proxy/isolation/ranges.h"

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

struct grant {
	enum carrier carrier;
	struct range from, to;
	uint16_t port_first, port_last;
	uint8_t protocol;  /* IANA's; 0 … 255 */
	const char *what;  /* "communication \"juki-kyotaku\"", for people */
	const void *entry; /* struct system *, struct communication *, … */
	struct model_source source;
};

/* Disjoint from all other cells of the same carrier and protocol. */
struct cell {
	enum carrier carrier;
	struct range from, to;
	uint16_t port_first, port_last;
	uint8_t protocol;
	/* Which cover all of it, in the order in which they were given; cells
	 * with the same ones have the same array. */
	const struct grant *const *grants;
	size_t grants_n;
};

struct piece; /* what cells_find looks in */

struct cells {
	struct cell *cells; /* by carrier, protocol, from, to, port */
	size_t cells_n;
	const struct piece *pieces;
	size_t pieces_n;
};

/* As many as are looked at in a few seconds and a gigabyte. */
#define CELLS_MAX ((size_t)2000000)

/* Grants may overlap in any way, and must outlive the cells. NULL and *e: more
 * than max (CELLS_MAX). */
struct cells *cells_cut(const struct grant *grants, size_t n, size_t max,
    struct arena *a, struct err *e) MUST_CHECK;
/* The cell that a packet falls in, to with its port; NULL: none passes. */
const struct cell *cells_find(const struct cells *c, enum carrier carrier,
    const struct address *from, const struct address *to, uint8_t protocol);
const char *carrier_name(enum carrier c); /* "forward" */
