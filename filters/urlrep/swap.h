/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swap: the list file that a process looks up in, and how it is exchanged
 * without a stall. A descriptor is offered; then each call of swap_step,
 * between other work, brings a piece of the new map in or gives a piece of the
 * old one back. Look-ups go on in the old one until all of the new is there.
 */
#pragma once

#include "filters/urlrep/urlrep.h"

/* A step of this size takes well under a millisecond. */
#define SWAP_STEP ((size_t)1 << 20)

struct swap {
	struct urlrep
	    *current; /* NULL: none yet, and nothing is judged by it */
	struct urlrep *coming;
	struct urlrep *going;
};

/* The descriptor may be closed. 0, or -1 and *e: the current one stays. An
 * offer replaces one that has not yet become the current. */
int swap_offer(struct swap *s, int fd, struct err *e) MUST_CHECK;
/* True: nothing is left to do. */
bool swap_step(struct swap *s, size_t bytes) MUST_CHECK;
void swap_release(struct swap *s);
