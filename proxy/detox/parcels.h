/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parcels: what was made harmless while its browser had a page that says so,
 * until it is fetched. The zygote keeps them, as every edge can ask it: they
 * are nothing but descriptors and words to it.
 */
#pragma once

#include "proxy/detox/detox.h"

#define PARCELS_MAX 1024
#define PARCELS_BYTES ((uint64_t)1 << 30) /* of all that are ready */
#define PARCEL_LIFE_MS ((uint64_t)600000) /* of each, from its last change */

struct parcels;

struct parcels *parcels_new(struct loop *l);
void parcels_free(struct parcels *p);
/* A new one, or what it is now. Takes over fd. owner: who makes it. Where there
 * is no room the oldest goes. */
void parcels_keep(struct parcels *p, const void *owner, struct bytes key,
    enum parcel_state state, struct bytes words, int fd);
/* What its owner had not finished is gone with it. */
void parcels_owner_gone(struct parcels *p, const void *owner);

struct parcel_found {
	enum parcel_state state;
	struct bytes words;
	int fd; /* the parcel's; or -1 */
};
struct parcel_found parcels_find(struct parcels *p, struct bytes key);
