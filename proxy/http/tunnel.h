/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel: what passes a CONNECT that is not decrypted, watched by tlswatch and
 * judged with the edge's trust anchors. */
#pragma once

#include "proxy/http/exchange.h"

enum tunnel_way {
	TUNNEL_UP = 0, /* from the client */
	TUNNEL_DOWN,
};

/* For x, of a rule whose verdict is tunnel. */
struct tunnel *tunnel_new(struct exchange *x);
void tunnel_free(struct tunnel *t);
/* *b becomes what may travel on, valid until the next call for that way.
 * false: the tunnel must end, *why_out says why. */
bool tunnel_judge(struct tunnel *t, enum tunnel_way way, struct bytes *b,
    const char **why_out) MUST_CHECK;
