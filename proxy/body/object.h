/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object: a body that is kept back whole, in memory that has a descriptor; and
 * what travels on in its place.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/body/budget.h"

struct object {
	struct share share; /* of what may be kept back */
	struct buf head;    /* while nobody knows whether it will be one */
	int fd;             /* then all of it; -1: not begun */
	uint64_t n;         /* bytes of it, which are taken from the share */
	const uint8_t *instead; /* what travels on, mapped */
	size_t instead_n;
	size_t sent; /* of it */
};

void object_init(struct object *o, struct share share);
/* What was kept, as nobody needs it. */
void object_forget(struct object *o);
void object_release(struct object *o);

enum object_put {
	OBJECT_FAILED = 0, /* no memory */
	OBJECT_FULL,       /* the share is used up */
	OBJECT_KEPT,
};
enum object_put object_put(struct object *o, struct bytes b) MUST_CHECK;
/* It is one: from here on o->fd has all of it. 0, or -1: no memory. */
int object_begin(struct object *o) MUST_CHECK;

/* What travels on instead; takes over fd, of size bytes. false: there is no
 * room for it. */
bool object_replace(struct object *o, int fd, uint64_t size) MUST_CHECK;
/* Whether any of it is left. */
bool object_ready(const struct object *o);
/* The next most bytes of it at most; false: none. */
bool object_take(struct object *o, size_t most, struct bytes *out);
