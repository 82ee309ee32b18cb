/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside: the far side of a CONNECT that lies inside TLS to the proxy itself,
 * on a connection or on a stream of HTTP/2: a pair of sockets, whose other end
 * is a client of its own (listener/client.h). The kernel holds back either of
 * them when the other is slow.
 */
#pragma once

#include "proxy/http/exchange.h"

/* For x, whose TLS will be i, taken over. NULL: no sockets are left; i is
 * freed. */
struct side *inside_new(struct exchange *x, struct intercept *i);
