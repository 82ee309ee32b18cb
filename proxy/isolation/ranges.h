/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges: sets of addresses as runs, sorted, of which none touches another.
 * First and last are inside; IPv4 stands as ::ffff:a.b.c.d.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/arena.h"

/* Both ends are inside: [first, last]. */
struct range {
	uint8_t first[16], last[16];
};

struct ranges {
	struct range *p;
	size_t n, room;
};

struct range range_of(const struct prefix *p);
struct range range_of_address(const struct address *a);
bool range_contains(const struct range *r, const uint8_t octets[16]);
/* "192.0.2.1", "192.0.2.0-192.0.2.15". */
#define RANGE_TEXT_MAX (2 * ADDRESS_TEXT_MAX)
char *range_text(const struct range *r, char out[RANGE_TEXT_MAX]);

/* Memory is the arena's. In any order, overlapping or not; ranges_unite makes
 * a set of what was put. */
void ranges_put(struct ranges *s, const struct range *r, struct arena *a);
void ranges_unite(struct ranges *s);
/* Of sets. */
struct ranges ranges_without(
    const struct ranges *s, const struct ranges *without, struct arena *a);
bool ranges_contain(const struct ranges *s, const uint8_t octets[16]);
