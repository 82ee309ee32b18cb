/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve: names to addresses: the settings' own first, then what is cached,
 * then the name servers (c-ares). A silent server costs its own lookup only.
 */
#pragma once

#include "proxy/upstream/upstream.h"

#define RESOLVE_ADDRESSES_MAX 32

struct resolver;
struct resolve_wait;

struct addresses {
	size_t n; /* 0: the name has none; words say why */
	struct address a[RESOLVE_ADDRESSES_MAX]; /* without port */
	const char *words;                       /* static */
	bool silent; /* none, for no name server answered: later, perhaps */
};

struct resolver *resolver_new(const struct upstream_settings *s, struct loop *l,
    struct err *e) MUST_CHECK;
void resolver_free(struct resolver *r);
/*
 * What is known is put in *out and NULL returned. Else done is called later,
 * never under this call.
 */
struct resolve_wait *resolver_get(struct resolver *r, struct bytes host,
    struct addresses *out, void (*done)(void *owner, const struct addresses *a),
    void *owner);
void resolver_cancel(struct resolve_wait *w);

/* Records of another type than addresses (ns_t_mx), as the server sent them. */
struct resolve_query;

enum resolve_status {
	RESOLVE_SILENT = 0, /* no answer was had */
	RESOLVE_NO_NAME,
	RESOLVE_NO_DATA, /* the name has none of that type */
	RESOLVE_ANSWERED,
};

/* done is called once, never under this call; message, the whole answer, also
 * one that there is nothing, is gone when it returns. Of SILENT: none. */
struct resolve_query *resolver_query(struct resolver *r, struct bytes name,
    int type,
    void (*done)(void *owner, enum resolve_status s, struct bytes message),
    void *owner);
/* Whether the resolver says that it has validated all of that answer, or that
 * there is nothing (AD, RFC 4035 section 3.2.3). Only who trusts the way to the
 * resolver may ask. */
bool resolve_is_validated(struct bytes message);
/* NULL does nothing. */
void resolver_query_cancel(struct resolve_query *q);
