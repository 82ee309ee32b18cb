/* SPDX-License-Identifier: Apache-2.0 */
/*
 * register: which systems are separated now. One page of memory that the
 * parent alone writes and all others map read-only; a suspension is seen by
 * every process at its next look, without a message. The refusing state is 0.
 */
#pragma once

#include "proxy/isolation/model.h"

enum standing {
	STANDING_UNKNOWN = 0, /* not registered (any more) */
	STANDING_UNSTATED,    /* no valid statement */
	STANDING_SUSPENDED,   /* by a tripwire or a person, until restored */
	STANDING_EARLY,       /* its statement begins later */
	STANDING_EXPIRED,     /* its statement is over */
	STANDING_UNPROBED,    /* its probe failed, is stale or never came */
	STANDING_SEPARATED,
	STANDINGS,
};

struct standings; /* the page */

/* A sealed-size memfd for the page, or -1 and *e; the parent's. */
int standings_create(struct err *e) MUST_CHECK;
/* Readable for everyone, writable with `write` (the parent). NULL and *e. */
enum standings_access {
	STANDINGS_READ,
	STANDINGS_WRITE
};
struct standings *standings_map(
    int fd, enum standings_access access, struct err *e) MUST_CHECK;
/*
 * The standing of a registered system at this moment. The clock is the page's:
 * it never goes back, whatever is done to the machine's.
 */
enum standing standings_of(
    const struct standings *s, const struct system *system);
const char *standing_name(enum standing s); /* "separated" */
