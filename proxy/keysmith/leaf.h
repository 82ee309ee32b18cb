/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf: an edge's leaf certificates: ordered from the keysmith, kept by the
 * digest of the origin's certificate. The leaf key is the edge's own, one per
 * process, ECDSA P-256 (and RSA-2048 when rsa_leaf is set).
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/ipc.h"
#include "proxy/keysmith/keysmith.h"

struct leaves; /* of one edge */
struct leaf_wait;

/* What a client's TLS needs: certificate, chain, key. Borrowed until the next
 * tick; leaf_use takes what it must keep. */
struct leaf;

/* chain: further CA certificates to send, may be NULL: the signing one too
 * when it is not a root. What is kept of it is counted, not copied. */
struct leaves *leaves_new(const struct keysmith_settings *s, struct loop *l,
    STACK_OF(X509) * chain, struct err *e) MUST_CHECK;
/* NULL does nothing. Every wait must have ended. */
void leaves_free(struct leaves *ls);
/* Where the time comes from, instead of time(2). */
void leaves_clock(struct leaves *ls, time_t (*clock)(time_t *));
/* A new channel to a (new) keysmith; what was ordered is ordered again. Takes
 * over fd. */
void leaves_connect(struct leaves *ls, int fd);

/*
 * A leaf for host that mimics the names of origin (NULL: the host alone, for
 * pages about a destination that is not shown). *leaf_out when it is at hand:
 * returns NULL. Else a wait whose done is called later, with leaf NULL when
 * it failed (refused by the keysmith, or no answer in ten seconds; it was
 * logged). `done` is never called under this call.
 */
struct leaf_wait *leaves_get(struct leaves *ls, struct bytes host, X509 *origin,
    bool rsa, struct leaf **leaf_out,
    void (*done)(void *owner, struct leaf *leaf), void *owner);
/* The owner is no longer interested; done will not be called. NULL does
 * nothing. */
void leaf_wait_cancel(struct leaf_wait *w);
/* Puts certificate, chain and key into the connection. 0 or -1. */
int leaf_use(struct leaf *leaf, SSL *ssl) MUST_CHECK;
