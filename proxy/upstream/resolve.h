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
