/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tickets: the keys of TLS session tickets (RFC 5077 section 4, RFC 8446
 * section 4.6.1), one set for all edges, so that any of them resumes what
 * another began, after a restart or a reload too. The parent makes and
 * rotates them in sealed memory that an edge can only read. Three keys are
 * kept: a ticket lives for at most three rotations.
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/err.h"

struct tickets;

/*
 * Parent, once: keys in shared memory. A descriptor of the caller, which
 * children inherit; or -1 and *e. No child inherits the right to write.
 */
int tickets_create(struct err *e) MUST_CHECK;
/* Parent: a new key for new tickets; the oldest of three is wiped. fd is that
 * of tickets_create. */
void tickets_rotate(int fd);

/* Edge: maps the keys of fd, which stays the caller's. NULL and *e. */
struct tickets *tickets_map(int fd, struct err *e) MUST_CHECK;
/* NULL does nothing. Contexts that use them must be gone. */
void tickets_unmap(struct tickets *t);
/* ctx issues and takes tickets by these keys from now on. */
void tickets_use(struct tickets *t, SSL_CTX *ctx);
