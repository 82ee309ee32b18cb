/* SPDX-License-Identifier: Apache-2.0 */
/*
 * treat: all that is done with one object: the scanners of its profile judge
 * the original, one after the other; then the sandbox rebuilds it.
 */
#pragma once

#include "proxy/detox/client.h"
#include "proxy/detox/profiles.h"

struct treat;

/*
 * The client, the profiles and the object's descriptor have to outlive it; the
 * order is copied, and its passwords wiped behind their use.
 * done() as in detox_client_ask. NULL and *e: the object cannot be mapped.
 */
struct treat *treat_new(struct loop *l, struct detox_client *c,
    const struct detox_profiles *p, int object, const struct detox_order *o,
    void (*done)(void *owner, struct detox_outcome *outcome), void *owner,
    struct err *e) MUST_CHECK;
/* done is not called any more. */
void treat_cancel(struct treat *t);
