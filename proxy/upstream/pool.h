/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: the connections to origins of one edge, in groups whose members may
 * serve for each other, and those among them that nobody uses.
 */
#pragma once

#include "proxy/upstream/upstream.h"

/* Whose connections may serve whom: not another body's, not another zone's. */
struct key {
	uint32_t hash;
	uint16_t port;
	enum upstream_transport transport;
	const struct zone *zone;
	const struct body *body;
	struct address dialled;  /* as in struct url */
	struct bytes connect_to; /* the same */
	struct bytes host;       /* borrowed */
};

struct key key_of(const struct url *destination, const struct segment *segment,
    enum upstream_transport transport);

/* All connections of one key; it goes with the last of them. */
struct group {
	struct group *next; /* of the bucket */
	struct key key;
	size_t connections_n;
	struct connection *idle; /* for one user; the last one used first */
	size_t idle_n;
	struct connection *shared;
	bool speaks_h2;          /* it did, at least */
	struct opening *opening; /* that others may wait for, or NULL */
	char host[HOST_MAX + 1];
};

/* A connection, or what is to become one; the public part is the user's. */
struct connection {
	struct origin origin;
	struct pool *pool;
	struct group *group;
	struct url url;                 /* what the SSL verifies against */
	struct connection *next, *prev; /* of the group's idle or shared */
	/* While nobody uses it: */
	bool idle;
	struct connection *older, *newer;
	uint64_t idle_since_ms;
};

struct pool;

struct pool *pool_new(const struct upstream_settings *s, struct loop *l);
void pool_free(struct pool *p); /* and the idle connections */

/* A new one, with no stream yet; origin_free ends it. */
struct connection *pool_add(
    struct pool *p, const struct url *destination, const struct key *key);
/* One that takes a user: an idle one, which is the caller's from now on, or a
 * shared one; or NULL. */
struct connection *pool_take(struct pool *p, const struct key *key);
struct connection *pool_take_for_upgrade(struct pool *p, const struct key *key);
/* A shared one of another name that serves this one as well (RFC 9113 section
 * 9.1.1): with one of the addresses, and a certificate that covers the name. */
struct connection *pool_coalesce(struct pool *p, const struct key *key,
    const struct address *addresses, size_t n);
/* Where an opening for that key may be found, or NULL. */
struct group *pool_group(const struct pool *p, const struct key *key);
void pool_share(struct connection *c);
/* Nobody uses it; it is closed when there are too many, or later. */
void pool_keep(struct connection *c);
/* A shared one is used again. */
void pool_use(struct connection *c);
struct connection *connection_of(struct origin *o);
