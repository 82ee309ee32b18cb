/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: who gives originals to the store. What was asked outlives a store
 * that dies: it is asked again of the next one, which knows what it has.
 */
#pragma once

#include "proxy/base/loop.h"
#include "proxy/store/original.h"
#include "proxy/store/store.h"

struct store_client;
struct store_ask;

/* Never NULL; there is no store yet. */
struct store_client *store_client_new(struct loop *l);
/* Takes over fd, the end of a pair whose other is the store's: the first one,
 * or one that was started anew. */
void store_client_connect(struct store_client *c, int fd);
/* Nobody hears of what was asked. NULL does nothing. */
void store_client_free(struct store_client *c);

/*
 * object: a sealed memfd, of which a copy is kept; o: what is known of it, with
 * skip bytes before the content. done() is called once, never from here: with
 * the original's id, or NULL and the words. Never NULL.
 */
struct store_ask *store_client_keep(struct store_client *c,
    const struct original *o, int object,
    void (*done)(void *owner, const char *id, const char *why), void *owner);
/*
 * who: a sender and whom he writes to, STORE_CONTACT_MAX bytes at most; the
 * store notes that he did so now. done() is called once, never from here, with
 * the time before this, in seconds since 1970, 0: never. NULL: nobody can be
 * asked. Who asks waits a moment only; done() gets STORE_UNKNOWN then.
 */
#define STORE_UNKNOWN UINT64_MAX
struct store_ask *store_client_contact(struct store_client *c, struct bytes who,
    void (*done)(void *owner, uint64_t last), void *owner);
/* Something was asked and is not answered. */
bool store_client_is_busy(const struct store_client *c);
/* done is not called any more; it may be kept all the same. */
void store_ask_cancel(struct store_ask *a);
