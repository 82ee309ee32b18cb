/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: what is written down of crossings: a line in the chained log before
 * the first byte passes and one at its end, and the journal's lines, which tell
 * the chain's head. Never content.
 */
#pragma once

#include "proxy/gate/crossing.h"

/* The line of its beginning; durable when the gate's tick is over, and then
 * crossing_recorded is called. 0, or -1 and *e. */
int record_begin(struct crossing *x, struct err *e) MUST_CHECK;
/* The journal's line of it. */
void record_opened(const struct crossing *x);
/* The line of its end, and the journal's. */
void record_end(struct crossing *x, const char *why);
/* Of a connection that did not become a crossing; system may be NULL. */
void record_refused(struct gate *g, const struct system *system,
    const struct address *client, const char *why);
/* What is written of all of them goes to the disk now, not in a tick. */
void record_commit(struct gate *g);
