/* SPDX-License-Identifier: Apache-2.0 */
/* websocket: the handshake's key and its answer (RFC 6455 section 4). */
#pragma once

#include "proxy/base/arena.h"

/* A new Sec-WebSocket-Key: 16 random bytes in base64. */
struct bytes websocket_key(struct arena *a);
/* The Sec-WebSocket-Accept that answers it. */
struct bytes websocket_accept(struct arena *a, struct bytes key);
