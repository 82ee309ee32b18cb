/* SPDX-License-Identifier: Apache-2.0 */
/* accept: takes the connections that come to a listening socket, so many in a
 * turn of the loop, and rests when descriptors run out: who waits to be
 * accepted would be told again and again, for nothing. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/loop.h"

struct acceptor;

/* Takes over fd. taken() gets each connection's descriptor, its own now, and
 * who is at the other end; listener is what was given here. */
struct acceptor *acceptor_new(struct loop *l, int fd,
    void (*taken)(
	void *owner, const void *listener, int fd, const struct address *peer),
    void *owner, const void *listener);
/* Closes the socket. NULL does nothing. */
void acceptor_free(struct acceptor *a);
