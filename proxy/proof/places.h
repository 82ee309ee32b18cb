/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places: where every address stands, as ranges in order without a gap. As a
 * destination an IPv6 form of an IPv4 address of a separated network is where
 * that is (struct reach_form): somebody on the way may lead it there.
 */
#pragma once

#include "proxy/isolation/model.h"
#include "proxy/isolation/ranges.h"

struct place_range {
	struct range range;
	enum place place;
	size_t before[PLACES]; /* how many of each place stand before it */
};

struct places {
	struct place_range *p;
	size_t n;
};

struct places places_make(const struct isolation_model *m, struct arena *a);
/* Of destinations. */
struct places places_make_reached(
    const struct isolation_model *m, struct arena *a);
enum place places_at(const struct places *p, const uint8_t octets[16]);
/* Which places a range has a part in: a set of bits. */
#define PLACE_BIT(place) (1u << (place))
unsigned places_of(const struct places *p, const struct range *r);
/* The first part of it that stands there; there must be one. */
struct range places_part(
    const struct places *p, const struct range *r, enum place place);
