/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_origin: an origin's connection that speaks HTTP/2. It carries the
 * exchanges of many clients at once; it belongs to upstream, which gives it to
 * whoever it fits while it has room.
 */
#pragma once

#include "proxy/edge.h"
#include "proxy/http/side.h"
#include "proxy/upstream/upstream.h"

/* Begins HTTP/2 on a new connection and shares it. */
void h2_origin_begin(struct edge *e, struct origin *o);
/* A stream of it, for the exchange; it has room for one. */
struct side *h2_origin_side(struct exchange *x, struct origin *o);
