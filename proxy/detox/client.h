/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: who asks the zygote. What comes back was made by a process that had
 * read hostile bytes: it is believed as far as its size, the type of what came
 * out, and the form of the report can be checked here.
 */
#pragma once

#include "proxy/detox/report.h"

enum detox_verdict {
	DETOX_IS_REFUSED = 0,
	DETOX_IS_UNCHANGED, /* what came out is what went in, byte for byte */
	DETOX_IS_SANITISED,
};

struct detox_exception;

struct detox_outcome {
	enum detox_verdict verdict;
	struct detox_report report; /* refusal and why also when no child could
				     * say them */
	int fd; /* what came out, sealed; the owner of the outcome closes it;
		 * -1: refused */
	uint64_t size;
	uint8_t digest[DETOX_DIGEST_SIZE]; /* SHA-256 of it */
	uint8_t in_digest[DETOX_DIGEST_SIZE];
	uint64_t in_size;
	const struct detox_exception *exception; /* it passed by; or NULL */
	uint64_t us;                             /* from asking to the end */
};

struct detox_client;
struct detox_ask;
struct detox_fetch;

/* The profiles have to outlive it. gone(), or NULL: the zygote ended; all that
 * was asked is answered as crashed right behind. */
struct detox_client *detox_client_new(struct loop *l,
    const struct detox_profile *profiles, size_t profiles_n,
    void (*gone)(void *owner), void *owner);
/* Takes over fd, the end of a pair whose other is a zygote's, the first one or
 * one that was started anew. */
void detox_client_connect(struct detox_client *c, int fd);
/* Nobody hears of what was asked. NULL does nothing. */
void detox_client_free(struct detox_client *c);
/*
 * object: a sealed memfd, which stays the caller's. done() is called once,
 * never from here; the outcome is done's until it returns, its fd for good.
 * NULL and *e: it could not be asked.
 */
struct detox_ask *detox_client_ask(struct detox_client *c, int object,
    const struct detox_order *o,
    void (*done)(void *owner, struct detox_outcome *outcome), void *owner,
    struct err *e) MUST_CHECK;
/* A parcel, by its key of PARCEL_KEY_N bytes; words of at most PARCEL_WORDS_MAX
 * go with it; fd, or -1, stays the caller's. When nobody can keep it, who
 * fetches it is told that there is none. */
void detox_client_keep(struct detox_client *c, struct bytes key,
    enum parcel_state state, struct bytes words, int fd);
/* done() is called once, never from here, and owns fd (or -1); words until it
 * returns. NULL: nobody can be asked. */
struct detox_fetch *detox_client_fetch(struct detox_client *c, struct bytes key,
    void (*done)(
	void *owner, enum parcel_state state, struct bytes words, int fd),
    void *owner);
void detox_fetch_cancel(struct detox_fetch *f);
/* done is not called any more. */
void detox_ask_cancel(struct detox_ask *a);
