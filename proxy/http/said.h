/* SPDX-License-Identifier: Apache-2.0 */
/*
 * said: what a client says over a WebSocket, message by message: each is kept
 * back until it is whole and judged, then travels on as it came. Inside HTTP
 * alone.
 */
#pragma once

#include "proxy/http/exchange.h"

struct said;

/* When the rules ask for it: exchange.said, before the first byte. */
void said_begin(struct exchange *x);
/* What the client sent; the exchange may be over when it returns. */
void said_push(struct exchange *x, struct bytes b);
/* Wipes what it held. NULL does nothing. */
void said_free(struct said *s);
