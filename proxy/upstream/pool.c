/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/pool.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/board.h"

#define BUCKETS 1024
#define SWEEP_MS 1000

struct pool {
	const struct upstream_settings *settings;
	struct loop *loop;
	struct timer *sweep;
	struct group *buckets[BUCKETS];
	struct connection *oldest, *newest; /* of the idle ones */
	size_t idle_n;
};

struct connection *
connection_of(struct origin *o)
{
	return CONTAINER(o, struct connection, origin);
}

/* Groups. */

static uint32_t
hash_of(struct bytes host, uint16_t port)
{
	return bytes_hash(host) ^ port;
}

struct key
key_of(const struct url *destination, const struct segment *segment,
    enum upstream_transport transport)
{
	return (struct key){
		.hash = hash_of(destination->host, destination->port),
		.port = destination->port,
		.transport = transport,
		.zone = segment->zone,
		.body = segment->body,
		.dialled = destination->dialled,
		.connect_to = destination->connect_to,
		.host = destination->host,
	};
}

/* But for the name. */
static bool
key_alike(const struct key *a, const struct key *b)
{
	return a->port == b->port && a->transport == b->transport &&
	    a->zone == b->zone && a->body == b->body &&
	    address_equal(&a->dialled, &b->dialled) &&
	    bytes_equal(a->connect_to, b->connect_to);
}

static bool
key_equal(const struct key *a, const struct key *b)
{
	return a->hash == b->hash && key_alike(a, b) &&
	    bytes_equal(a->host, b->host);
}

struct group *
pool_group(const struct pool *p, const struct key *key)
{
	struct group *g = p->buckets[key->hash % BUCKETS];

	while (g != NULL && !key_equal(&g->key, key))
		g = g->next;
	return g;
}

static struct group *
group_new(struct pool *p, const struct key *key)
{
	struct group **bucket = &p->buckets[key->hash % BUCKETS];
	struct group *g = calloc(1, sizeof(*g));

	must(g != NULL && key->host.n <= HOST_MAX);
	g->key = *key;
	memcpy(g->host, key->host.p, key->host.n);
	g->key.host.p = (const uint8_t *)g->host;
	g->next = *bucket;
	*bucket = g;
	return g;
}

static void
group_leave(struct pool *p, struct group *g)
{
	struct group **at = &p->buckets[g->key.hash % BUCKETS];

	if (--g->connections_n > 0)
		return;
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	free(g);
}

/* A connection that speaks HTTP/1.1 does so whether h2 was offered or not. */
bool
origin_fits(const struct origin *o, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport)
{
	const struct connection *c = (const void *)o;
	const struct key key =
	    key_of(destination, segment, c->group->key.transport);

	return o->tls == (transport != UPSTREAM_PLAIN) &&
	    key_equal(&c->group->key, &key);
}

struct bytes
origin_host(const struct origin *o)
{
	const struct connection *c = (const void *)o;

	return c->group->key.host;
}

/* Connections. */

struct connection *
pool_add(struct pool *p, const struct url *destination, const struct key *key)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct group *g = pool_group(p, key);

	must(c != NULL);
	c->pool = p;
	c->group = g != NULL ? g : group_new(p, key);
	c->group->connections_n++;
	c->url = *destination;
	c->url.host = c->group->key.host;
	c->origin.tls = key->transport != UPSTREAM_PLAIN;
	return c;
}

static void
link_to(struct connection **first, struct connection *c)
{
	c->prev = NULL;
	c->next = *first;
	if (c->next != NULL)
		c->next->prev = c;
	*first = c;
}

static void
unlink_from(struct connection **first, struct connection *c)
{
	*(c->prev != NULL ? &c->prev->next : first) = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

/* Idle ones by age. */

static void
begin_idling(struct connection *c)
{
	struct pool *p = c->pool;

	c->idle = true;
	c->idle_since_ms = loop_now_ms(p->loop);
	c->newer = NULL;
	c->older = p->newest;
	*(p->newest != NULL ? &p->newest->newer : &p->oldest) = c;
	p->newest = c;
	if (p->idle_n++ == 0)
		timer_start(p->sweep, SWEEP_MS);
}

static void
end_idling(struct connection *c)
{
	struct pool *p = c->pool;

	*(c->older != NULL ? &c->older->newer : &p->oldest) = c->newer;
	*(c->newer != NULL ? &c->newer->older : &p->newest) = c->older;
	p->idle_n--;
	c->idle = false;
}

static void
unkeep(struct connection *c)
{
	unlink_from(&c->group->idle, c);
	c->group->idle_n--;
	end_idling(c);
}

void
origin_free(struct origin *o)
{
	struct connection *c;

	if (o == NULL)
		return;
	c = connection_of(o);
	if (o->sharing != NULL) {
		/* First, so that who asks anew is not given it again. */
		unlink_from(&c->group->shared, c);
		pool_use(c);
		o->sharing->end(o->session);
	} else if (c->idle) {
		unkeep(c);
	}
	if (o->stream != NULL)
		counter_sub(COUNTER_UPSTREAM_OPEN, 1);
	stream_free(o->stream);
	X509_free(o->certificate);
	group_leave(c->pool, c->group);
	free(c);
}

/* An idle connection has nothing to say; TLS may, below the bytes. */
static void
idle_readable(void *owner)
{
	struct connection *c = owner;

	if (!stream_is_quiet(c->origin.stream))
		origin_free(&c->origin);
}

static void
idle_drained(void *owner)
{
	(void)owner;
}

static const struct stream_events idle_events = {
	.on_readable = idle_readable,
	.on_drained = idle_drained,
};

static struct connection *
take_shared(const struct group *g)
{
	struct connection *c = g->shared;

	while (c != NULL && !c->origin.sharing->has_room(c->origin.session))
		c = c->next;
	return c;
}

/* What an origin said unasked, in this very tick it may be, is nobody's
 * answer. */
static struct connection *
take_idle(struct group *g)
{
	struct connection *next;

	for (struct connection *c = g->idle; c != NULL; c = next) {
		next = c->next;
		if (stream_is_quiet(c->origin.stream)) {
			unkeep(c);
			return c;
		}
		/* The last one takes its group with it. */
		origin_free(&c->origin);
	}
	return NULL;
}

struct connection *
pool_take(struct pool *p, const struct key *key)
{
	struct group *g = pool_group(p, key);
	struct connection *c = g == NULL ? NULL : take_shared(g);
	struct key other = *key;

	if (c == NULL && g != NULL)
		c = take_idle(g);
	if (c != NULL || key->transport != UPSTREAM_TLS_H1)
		return c;
	/* One that was offered h2 and speaks HTTP/1.1 is as good. */
	other.transport = UPSTREAM_TLS;
	g = pool_group(p, &other);
	return g == NULL ? NULL : take_idle(g);
}

struct connection *
pool_take_for_upgrade(struct pool *p, const struct key *key)
{
	struct group *g = pool_group(p, key);
	struct connection *c = g == NULL ? NULL : take_shared(g);

	return c != NULL && c->origin.sharing->takes_upgrades(c->origin.session)
	    ? c
	    : NULL;
}

static bool
serves(const struct connection *c, const struct key *key,
    const struct address *addresses, size_t n)
{
	const struct origin *o = &c->origin;

	for (size_t i = 0; i < n; i++)
		if (address_equal(&o->address, &addresses[i]))
			return o->excused == 0 &&
			    o->sharing->has_room(o->session) &&
			    verifier_covers(o->certificate, key->host);
	return false;
}

struct connection *
pool_coalesce(struct pool *p, const struct key *key,
    const struct address *addresses, size_t n)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct group *g = p->buckets[i]; g != NULL; g = g->next) {
			struct connection *c = g->shared;

			if (c == NULL || !key_alike(&g->key, key))
				continue;
			while (c != NULL && !serves(c, key, addresses, n))
				c = c->next;
			if (c != NULL)
				return c;
		}
	return NULL;
}

void
pool_share(struct connection *c)
{
	link_to(&c->group->shared, c);
	c->group->speaks_h2 = true;
}

static bool
may_idle(const struct connection *c)
{
	const struct upstream_settings *s = c->pool->settings;

	return s->idle_max > 0 &&
	    (c->origin.sharing != NULL ||
		c->group->idle_n < s->idle_per_origin_max);
}

void
pool_keep(struct connection *c)
{
	struct pool *p = c->pool;

	if (!may_idle(c)) {
		origin_free(&c->origin);
		return;
	}
	if (p->idle_n >= p->settings->idle_max)
		origin_free(&p->oldest->origin);
	begin_idling(c);
	if (c->origin.sharing != NULL)
		return; /* its session goes on reading */
	link_to(&c->group->idle, c);
	c->group->idle_n++;
	stream_own(c->origin.stream, &idle_events, c);
	stream_want_read(c->origin.stream, true);
}

void
pool_use(struct connection *c)
{
	if (c->idle)
		end_idling(c);
}

static void
sweep(void *owner)
{
	struct pool *p = owner;
	uint64_t now = loop_now_ms(p->loop);

	while (p->oldest != NULL &&
	    p->oldest->idle_since_ms + p->settings->idle_timeout_ms <= now)
		origin_free(&p->oldest->origin);
	if (p->oldest != NULL)
		timer_start(p->sweep, SWEEP_MS);
}

struct pool *
pool_new(const struct upstream_settings *s, struct loop *l)
{
	struct pool *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->settings = s;
	p->loop = l;
	p->sweep = timer_new(l, sweep, p);
	return p;
}

void
pool_free(struct pool *p)
{
	while (p->oldest != NULL)
		origin_free(&p->oldest->origin);
	timer_free(p->sweep);
	free(p);
}
