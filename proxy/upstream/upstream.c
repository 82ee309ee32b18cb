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
	struct upstream *upstream;
	struct connection *connection;
	const struct segment *segment;
	struct resolve_wait *resolving;
	struct race *race;
	struct timer *timer;
	uint64_t began_us;
	struct upstream_result result;
	char words[256];
	void (*done)(void *owner, const struct upstream_result *r);
	void *owner;
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

void
upstream_keep(struct origin *o)
{
	pool_keep(connection_of(o));
}

/* Making a connection. */

static void
wait_free(struct upstream_wait *w)
{
	resolver_cancel(w->resolving);
	race_free(w->race);
	timer_free(w->timer);
	if (w->connection != NULL)
		origin_free(&w->connection->origin);
	free(w);
}

void
upstream_cancel(struct upstream_wait *w)
{
	if (w != NULL)
		wait_free(w);
}

static void
finish(struct upstream_wait *w)
{
	w->done(w->owner, &w->result);
	wait_free(w);
}

static void
fail(struct upstream_wait *w, enum upstream_failure failure, const char *words)
{
	snprintf(w->words, sizeof(w->words), "%s", words);
	w->result.failure = failure;
	w->result.words = w->words;
	counter_add(COUNTER_UPSTREAM_FAILURES, 1);
	finish(w);
}

static void
succeed(struct upstream_wait *w)
{
	w->result.failure = UPSTREAM_OK;
	w->result.origin = &w->connection->origin;
	w->connection = NULL;
	finish(w);
}

static const struct stream_events shake_events = {
	.on_readable = shake,
	.on_drained = shake,
};

static void
shaken(struct upstream_wait *w)
{
	struct origin *o = &w->connection->origin;
	SSL *ssl = stream_ssl(o->stream);

	w->result.tls_us = clock_us() - w->began_us;
	o->certificate = SSL_get1_peer_certificate(ssl);
	o->tls_version = SSL_get_version(ssl);
	o->excused = verifier_excused(ssl);
	if (o->certificate == NULL)
		fail(w, UPSTREAM_UNVERIFIED, "the origin has no certificate");
	else
		succeed(w);
}

static void
shake(void *owner)
{
	struct upstream_wait *w = owner;
	struct stream *s = w->connection->origin.stream;
	const char *words = NULL;

	switch (stream_handshake(s)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		return;
	case HANDSHAKE_DONE:
		shaken(w);
		return;
	case HANDSHAKE_FAILED:
		w->result.check = verifier_failure(stream_ssl(s), &words);
		if (w->result.check == 0)
			w->result.check = VERIFY_PROTOCOL;
		fail(w, UPSTREAM_UNVERIFIED,
		    words != NULL ? words : stream_why(s));
		return;
	}
}

static void
connected(void *owner, int fd, const struct address *a, const char *words)
{
	struct upstream_wait *w = owner;
	struct connection *c = w->connection;
	struct upstream *u = w->upstream;
	SSL *ssl;

	if (fd < 0) {
		fail(w, UPSTREAM_FAILED, words);
		return;
	}
	w->result.connect_us = clock_us() - w->began_us;
	w->began_us = clock_us();
	c->origin.address = *a;
	c->origin.stream = stream_new(u->loop, fd, &shake_events, w);
	counter_add(COUNTER_UPSTREAM_OPEN, 1);
	counter_add(COUNTER_UPSTREAM_TOTAL, 1);
	if (!c->origin.tls) {
		succeed(w);
		return;
	}
	ssl = verifier_ssl(u->verifier, &c->url);
	must(ssl != NULL);
	stream_tls(c->origin.stream, ssl);
	shake(w);
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
		const char *refused = reach_judge(&all->a[i], segment->zone,
		    u->settings->refused, u->settings->refused_n);

		if (refused != NULL) {
			why = refused;
			continue;
		}
		out[*n_out] = all->a[i];
		out[(*n_out)++].port = port;
	}
	return *n_out > 0 ? NULL : why;
}

/* 0 and the race is on; else the failure with its words in `words`. */
static int
begin_race(struct upstream_wait *w, const struct addresses *all,
    enum upstream_failure *failure, char *words, size_t words_size)
{
	struct upstream *u = w->upstream;
	struct address reachable[RESOLVE_ADDRESSES_MAX];
	char text[ADDRESS_TEXT_MAX];
	size_t n;
	const char *why;

	if (all->n == 0) {
		*failure = UPSTREAM_NO_ADDRESS;
		snprintf(words, words_size, "%s",
		    all->words == NULL ? "the name has no address"
				       : all->words);
		return -1;
	}
	why = judge(
	    u, w->segment, all, w->connection->group->key.port, reachable, &n);
	if (why != NULL) {
		*failure = UPSTREAM_FORBIDDEN;
		snprintf(words, words_size, "%s: %s",
		    address_text(&all->a[0], text), why);
		return -1;
	}
	w->began_us = clock_us();
	timer_start(w->timer, u->settings->connect_timeout_ms);
	w->race = race_new(
	    u->loop, reachable, n, u->settings->race_delay_ms, connected, w);
	return 0;
}

static void
resolved(void *owner, const struct addresses *all)
{
	struct upstream_wait *w = owner;
	enum upstream_failure failure;
	char words[256];

	w->resolving = NULL;
	w->result.resolve_us = clock_us() - w->began_us;
	if (begin_race(w, all, &failure, words, sizeof(words)) < 0)
		fail(w, failure, words);
}

static void
too_long(void *owner)
{
	fail(owner, UPSTREAM_TIMEOUT, "the destination does not answer");
}

static struct upstream_wait *
give_up(struct upstream *u, struct upstream_wait *w,
    enum upstream_failure failure, struct upstream_result *result_out)
{
	result_out->failure = failure;
	result_out->words = u->words;
	counter_add(COUNTER_UPSTREAM_FAILURES, 1);
	wait_free(w);
	return NULL;
}

struct upstream_wait *
upstream_get(struct upstream *u, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport,
    enum upstream_choice choice, struct upstream_result *result_out,
    void (*done)(void *owner, const struct upstream_result *r), void *owner)
{
	const struct key key = key_of(destination, segment, transport);
	struct connection *c =
	    choice == UPSTREAM_ANY ? pool_take(u->pool, &key) : NULL;
	struct addresses addresses = { 0 };
	enum upstream_failure failure;
	struct upstream_wait *w;

	*result_out = (struct upstream_result){ 0 };
	if (c != NULL) {
		counter_add(COUNTER_UPSTREAM_REUSED, 1);
		c->origin.reused = true;
		result_out->failure = UPSTREAM_OK;
		result_out->origin = &c->origin;
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	w->upstream = u;
	w->connection = pool_add(u->pool, destination, &key);
	w->segment = segment;
	w->done = done;
	w->owner = owner;
	w->began_us = clock_us();
	w->timer = timer_new(u->loop, too_long, w);
	if (destination->is_address) {
		addresses.n = 1;
		addresses.a[0] = destination->address;
	} else {
		w->resolving = resolver_get(
		    u->resolver, destination->host, &addresses, resolved, w);
		if (w->resolving != NULL)
			return w;
	}
	if (begin_race(w, &addresses, &failure, u->words, sizeof(u->words)) < 0)
		return give_up(u, w, failure, result_out);
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
