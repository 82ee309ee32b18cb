/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/board.h"
#include "proxy/upstream/pool.h"
#include "proxy/upstream/race.h"
#include "proxy/upstream/reach.h"
#include "proxy/upstream/resolve.h"

struct upstream_wait {
	struct opening *opening;
	struct upstream_wait *next;
	void (*done)(void *owner, const struct upstream_result *r);
	void *owner;
};

/* A connection on its way, and who waits for it: one, or, where the origin is
 * known to speak HTTP/2, all who came meanwhile. */
struct opening {
	struct upstream *upstream;
	struct connection *connection;
	struct group *group; /* of the connection; NULL: nobody may join */
	const struct segment *segment;
	enum upstream_choice choice;
	struct upstream_wait *first; /* in the order in which they came */
	struct resolve_wait *resolving;
	struct race *race;
	struct timer *timer;
	uint64_t began_us;
	bool telling; /* its end; who cancels does not free it */
	struct upstream_result result;
	char words[256];
};

struct upstream {
	const struct upstream_settings *settings;
	struct verifier *verifier;
	struct loop *loop;
	struct resolver *resolver;
	struct pool *pool;
	char words[256]; /* of an answer that is given at once */
};

static void shake(void *owner);
static struct opening *ask(struct upstream *u, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport,
    enum upstream_choice choice, struct upstream_result *result_out);

void
upstream_keep(struct origin *o)
{
	pool_keep(connection_of(o));
}

void
upstream_use(struct origin *o)
{
	pool_use(connection_of(o));
}

void
upstream_share(struct origin *o, const struct sharing *sharing, void *session)
{
	o->sharing = sharing;
	o->session = session;
	pool_share(connection_of(o));
}

/* Who waits. */

static void
join(struct upstream_wait *w, struct opening *o)
{
	struct upstream_wait **end = &o->first;

	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	w->next = NULL;
	w->opening = o;
}

static void
leave(struct upstream_wait *w)
{
	struct upstream_wait **at = &w->opening->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static void
opening_free(struct opening *o)
{
	if (o->group != NULL)
		o->group->opening = NULL;
	resolver_cancel(o->resolving);
	race_free(o->race);
	timer_free(o->timer);
	if (o->connection != NULL)
		origin_free(&o->connection->origin);
	free(o);
}

void
upstream_cancel(struct upstream_wait *w)
{
	struct opening *o;

	if (w == NULL)
		return;
	o = w->opening;
	leave(w);
	free(w);
	if (o->first == NULL && !o->telling)
		opening_free(o);
}

static void
tell(struct upstream_wait *w, const struct upstream_result *r)
{
	void (*done)(void *, const struct upstream_result *) = w->done;
	void *owner = w->owner;

	leave(w);
	free(w);
	done(owner, r);
}

/* The first of them has taken the connection. The others find room on it, or
 * wait for another. */
static void
ask_anew(struct upstream_wait *w, const struct url *destination)
{
	struct upstream_result r;
	struct opening *o = ask(w->opening->upstream, destination,
	    w->opening->segment, UPSTREAM_TLS, UPSTREAM_ANY, &r);

	if (o == NULL) {
		tell(w, &r);
		return;
	}
	leave(w);
	join(w, o);
}

static void
finish(struct opening *o)
{
	struct url destination = o->connection->url;
	uint8_t host[HOST_MAX];

	/* The connection may be gone when the first was told. */
	memcpy(host, destination.host.p, destination.host.n);
	destination.host.p = host;
	o->telling = true;
	if (o->group != NULL)
		o->group->opening = NULL;
	o->group = NULL;
	if (o->result.failure == UPSTREAM_OK) {
		if (o->result.origin == &o->connection->origin)
			o->connection = NULL;
		tell(o->first, &o->result);
	}
	while (o->first != NULL)
		if (o->result.failure == UPSTREAM_OK)
			ask_anew(o->first, &destination);
		else
			tell(o->first, &o->result);
	opening_free(o);
}

static void
set_failure(struct opening *o, enum upstream_failure failure, const char *words)
{
	snprintf(o->words, sizeof(o->words), "%s", words);
	o->result.failure = failure;
	o->result.words = o->words;
	counter_add(COUNTER_UPSTREAM_FAILURES, 1);
}

static void
fail(struct opening *o, enum upstream_failure failure, const char *words)
{
	set_failure(o, failure, words);
	finish(o);
}

static void
succeed(struct opening *o)
{
	o->result.failure = UPSTREAM_OK;
	o->result.origin = &o->connection->origin;
	finish(o);
}

static const struct stream_events shake_events = {
	.on_readable = shake,
	.on_drained = shake,
};

static void
shaken(struct opening *o)
{
	struct origin *origin = &o->connection->origin;
	SSL *ssl = stream_ssl(origin->stream);
	const unsigned char *alpn;
	unsigned n;

	o->result.tls_us = clock_us() - o->began_us;
	origin->certificate = SSL_get1_peer_certificate(ssl);
	origin->tls_version = SSL_get_version(ssl);
	origin->excused = verifier_excused(ssl);
	SSL_get0_alpn_selected(ssl, &alpn, &n);
	origin->h2 = bytes_equal((struct bytes){ alpn, n }, BYTES("h2"));
	if (origin->certificate == NULL)
		fail(o, UPSTREAM_UNVERIFIED, "the origin has no certificate");
	else
		succeed(o);
}

static void
shake(void *owner)
{
	struct opening *o = owner;
	struct stream *s = o->connection->origin.stream;
	const char *words = NULL;

	switch (stream_handshake(s)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		return;
	case HANDSHAKE_DONE:
		shaken(o);
		return;
	case HANDSHAKE_FAILED:
		o->result.check = verifier_failure(stream_ssl(s), &words);
		if (o->result.check == 0)
			o->result.check = VERIFY_PROTOCOL;
		fail(o, UPSTREAM_UNVERIFIED,
		    words != NULL ? words : stream_why(s));
		return;
	}
}

static void
connected(void *owner, int fd, const struct address *a, const char *words)
{
	struct opening *o = owner;
	struct connection *c = o->connection;
	struct upstream *u = o->upstream;
	SSL *ssl;

	if (fd < 0) {
		fail(o, UPSTREAM_FAILED, words);
		return;
	}
	o->result.connect_us = clock_us() - o->began_us;
	o->began_us = clock_us();
	c->origin.address = *a;
	c->origin.stream = stream_new(u->loop, fd, &shake_events, o);
	counter_add(COUNTER_UPSTREAM_OPEN, 1);
	counter_add(COUNTER_UPSTREAM_TOTAL, 1);
	if (!c->origin.tls) {
		succeed(o);
		return;
	}
	ssl = verifier_ssl(u->verifier, &c->url,
	    c->group->key.transport == UPSTREAM_TLS_H1 ? VERIFIER_H1
						       : VERIFIER_H2_OR_H1);
	must(ssl != NULL);
	stream_tls(c->origin.stream, ssl);
	shake(o);
}

/* What may be reached of the addresses, in out; else why nothing may. */
static const char *
judge(const struct upstream *u, const struct segment *segment,
    const struct addresses *all, uint16_t port, struct address *out,
    size_t *n_out)
{
	const char *why = NULL;

	*n_out = 0;
	for (size_t i = 0; i < all->n; i++) {
		const char *refused =
		    reach_judge(&all->a[i], segment->zone, &u->settings->reach);

		if (refused != NULL) {
			why = refused;
			continue;
		}
		out[*n_out] = all->a[i];
		out[(*n_out)++].port = port;
	}
	return *n_out > 0 ? NULL : why;
}

static bool
coalesce(struct opening *o, const struct address *reachable, size_t n)
{
	const struct key *key = &o->connection->group->key;
	struct connection *c = NULL;

	if (o->choice == UPSTREAM_ANY && key->transport == UPSTREAM_TLS &&
	    !o->connection->url.is_address)
		c = pool_coalesce(o->upstream->pool, key, reachable, n);
	if (c == NULL)
		return false;
	counter_add(COUNTER_UPSTREAM_REUSED, 1);
	o->result.failure = UPSTREAM_OK;
	o->result.origin = &c->origin;
	return true;
}

static bool
has_address(const struct addresses *all, const struct address *a)
{
	struct address bare = *a;

	bare.port = 0;
	for (size_t i = 0; i < all->n; i++) {
		struct address one = all->a[i];

		one.port = 0;
		if (address_equal(&one, &bare))
			return true;
	}
	return false;
}

/* false: it has ended already, as the result tells. */
static bool
begin_race(struct opening *o, const struct addresses *all)
{
	struct upstream *u = o->upstream;
	const struct address *dialled = &o->connection->url.dialled;
	struct addresses only = { .n = 1, .a = { *dialled } };
	struct address reachable[RESOLVE_ADDRESSES_MAX];
	char text[ADDRESS_TEXT_MAX];
	char words[sizeof(o->words)];
	size_t n;
	const char *why;

	if (all->n == 0) {
		set_failure(o, UPSTREAM_NO_ADDRESS,
		    all->words == NULL ? "the name has no address"
				       : all->words);
		return false;
	}
	/* Where a rule leads to, no name of the client's does. */
	if (dialled->port != 0 && o->connection->url.connect_to.n == 0) {
		if (!has_address(all, dialled)) {
			set_failure(o, UPSTREAM_ELSEWHERE,
			    "the name does not resolve to the original"
			    " destination");
			return false;
		}
		all = &only;
	}
	why = judge(
	    u, o->segment, all, o->connection->group->key.port, reachable, &n);
	if (why != NULL) {
		snprintf(words, sizeof(words), "%s: %s",
		    address_text(&all->a[0], text), why);
		set_failure(o, UPSTREAM_FORBIDDEN, words);
		return false;
	}
	if (coalesce(o, reachable, n))
		return false;
	o->began_us = clock_us();
	timer_start(o->timer, u->settings->connect_timeout_ms);
	o->race = race_new(
	    u->loop, reachable, n, u->settings->race_delay_ms, connected, o);
	return true;
}

static void
resolved(void *owner, const struct addresses *all)
{
	struct opening *o = owner;

	o->resolving = NULL;
	o->result.resolve_us = clock_us() - o->began_us;
	if (!begin_race(o, all))
		finish(o);
}

static void
too_long(void *owner)
{
	fail(owner, UPSTREAM_TIMEOUT, "the destination does not answer");
}

static struct opening *
opening_new(struct upstream *u, const struct url *destination,
    const struct segment *segment, const struct key *key,
    enum upstream_choice choice)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct group *g;

	must(o != NULL);
	o->upstream = u;
	o->connection = pool_add(u->pool, destination, key);
	o->segment = segment;
	o->choice = choice;
	o->began_us = clock_us();
	o->timer = timer_new(u->loop, too_long, o);
	g = o->connection->group;
	if (g->opening == NULL && key->transport == UPSTREAM_TLS) {
		g->opening = o;
		o->group = g;
	}
	return o;
}

/* Resolves and races. NULL: it ended at once, with that result. */
static struct opening *
open_one(struct upstream *u, const struct url *destination,
    const struct segment *segment, const struct key *key,
    enum upstream_choice choice, struct upstream_result *result_out)
{
	struct opening *o = opening_new(u, destination, segment, key, choice);
	struct bytes name = destination->connect_to.n > 0
	    ? destination->connect_to
	    : destination->host;
	struct addresses addresses = { 0 };

	if (destination->is_address) {
		addresses.n = 1;
		addresses.a[0] = destination->address;
	} else {
		o->resolving =
		    resolver_get(u->resolver, name, &addresses, resolved, o);
		if (o->resolving != NULL)
			return o;
	}
	if (begin_race(o, &addresses))
		return o;
	*result_out = o->result;
	memcpy(u->words, o->words, sizeof(u->words));
	result_out->words = u->words;
	opening_free(o);
	return NULL;
}

/* What to wait for, or NULL: *result_out is the answer. */
static struct opening *
ask(struct upstream *u, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport,
    enum upstream_choice choice, struct upstream_result *result_out)
{
	struct key key = key_of(destination, segment, transport);
	struct connection *c = NULL;
	struct group *g;

	if (transport == UPSTREAM_TLS_UPGRADE) {
		key.transport = UPSTREAM_TLS;
		if (choice == UPSTREAM_ANY)
			c = pool_take_for_upgrade(u->pool, &key);
		key.transport = UPSTREAM_TLS_H1;
	}
	if (c == NULL && choice == UPSTREAM_ANY)
		c = pool_take(u->pool, &key);
	*result_out = (struct upstream_result){ 0 };
	if (c != NULL) {
		counter_add(COUNTER_UPSTREAM_REUSED, 1);
		c->origin.reused = true;
		result_out->failure = UPSTREAM_OK;
		result_out->origin = &c->origin;
		return NULL;
	}
	g = choice == UPSTREAM_ANY ? pool_group(u->pool, &key) : NULL;
	if (g != NULL && g->speaks_h2 && g->opening != NULL)
		return g->opening;
	return open_one(u, destination, segment, &key, choice, result_out);
}

struct upstream_wait *
upstream_get(struct upstream *u, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport,
    enum upstream_choice choice, struct upstream_result *result_out,
    void (*done)(void *owner, const struct upstream_result *r), void *owner)
{
	struct opening *o =
	    ask(u, destination, segment, transport, choice, result_out);
	struct upstream_wait *w;

	if (o == NULL)
		return NULL;
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	w->done = done;
	w->owner = owner;
	join(w, o);
	return w;
}

struct upstream *
upstream_new(const struct upstream_settings *s, struct verifier *v,
    struct loop *l, struct err *e)
{
	struct upstream *u = calloc(1, sizeof(*u));

	must(u != NULL);
	u->settings = s;
	u->verifier = v;
	u->loop = l;
	u->resolver = resolver_new(s, l, e);
	if (u->resolver == NULL) {
		free(u);
		return NULL;
	}
	u->pool = pool_new(s, l);
	return u;
}

void
upstream_free(struct upstream *u)
{
	if (u == NULL)
		return;
	pool_free(u->pool);
	resolver_free(u->resolver);
	free(u);
}
