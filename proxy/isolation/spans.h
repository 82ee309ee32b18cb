/* SPDX-License-Identifier: Apache-2.0 */
/* spans: ranges of addresses, sorted, so that one is found by bisection. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/arena.h"

/* Both ends are inside. */
struct span {
	uint8_t first[16], last[16];
	size_t index; /* of whatever it belongs to */
};

struct spans {
	struct span *p;
	size_t n;
};

void prefix_ends(const struct prefix *p, uint8_t first[16], uint8_t last[16]);
struct spans spans_new(struct arena *a, size_t max);
void spans_add(struct spans *s, const struct prefix *p, size_t index);
/* By their first addresses; what follows asks for it. */
void spans_sort(struct spans *s);
/* A span from *next on that overlaps one before it, which is *first_out; NULL:
 * there is none. *next (0 at first) moves on. */
const struct span *spans_overlapping(
    const struct spans *s, size_t *next, const struct span **first_out);
/* Leaves one of those that begin at the same address. */
void spans_unite(struct spans *s);

/* The rest is for spans of which none overlaps another. */

/* Which it is in; NULL: none. */
const struct span *spans_at(const struct spans *s, const uint8_t octets[16]);
/* The first that has an address in [first, last]; NULL: none. */
const struct span *spans_touched(
    const struct spans *s, const uint8_t first[16], const uint8_t last[16]);
/* spans_at; *last becomes the end of what has the same answer, where that comes
 * before it. */
const struct span *spans_stretch(
    const struct spans *s, const uint8_t octets[16], uint8_t last[16]);
/* The address behind; false: there is none. */
bool octets_next(uint8_t octets[16]);
/* For who walks up to `end`: *at becomes what is behind last; false: it is
 * beyond. */
bool octets_behind(
    uint8_t at[16], const uint8_t last[16], const uint8_t end[16]);
