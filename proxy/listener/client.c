/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/client.h"

#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/isolation/trips.h"
#include "proxy/listener/dialled.h"
#include "proxy/listener/proxy_protocol.h"

static void
record_refusal(const struct client *c, const char *why)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	counter_add(COUNTER_CONNECTIONS_REFUSED, 1);
	log_begin(&l, EVENT_REFUSED, NULL);
	if (c->segment != NULL) {
		log_string(&l, "body", c->segment->body->code);
		log_string(&l, "zone", c->segment->zone->name);
	}
	log_string(&l, "client", address_text(&c->address, text));
	if (c->dialled.port != 0)
		log_string(&l, "dialled", address_text_port(&c->dialled, text));
	log_string(&l, "why", why);
	log_end(&l);
}

void
client_refuse(struct client *c, const char *why)
{
	record_refusal(c, why);
	stream_reset(c->stream);
	client_free(c);
}

const char *
client_over_limit(const struct edge *e, const struct address *address,
    const struct segment *segment)
{
	const struct limit_settings *l = &e->settings->limits;

	if (board_client_connections(e->board, address) >=
	    l->connections_per_address)
		return "connections_per_address is reached";
	if (segment != NULL &&
	    board_body_connections(e->board, segment->body->index) >=
		l->connections_per_body)
		return "connections_per_body is reached";
	return NULL;
}

static void
count(struct client *c)
{
	/* Strangers share one row behind the last body. */
	unsigned body =
	    c->segment == NULL ? BODIES_MAX - 1 : c->segment->body->index;

	board_connected(c->edge->board, &c->address, body);
	c->counted = true;
	c->counted_body = body;
	c->counted_address = c->address;
}

/* Within the limits, or it is refused and gone. */
static bool
admit(struct client *c)
{
	const char *why = client_over_limit(c->edge, &c->address, c->segment);

	if (why != NULL) {
		client_refuse(c, why);
		return false;
	}
	count(c);
	return true;
}

/* The client is known by its address now: HTTP begins, or TLS before it. */
static void
begin(struct client *c)
{
	bool transparent = c->listener->kind != LISTENER_PROXY;
	const char *why;

	c->segment = zones_lookup(c->edge->settings->zones, &c->address);
	if (transparent &&
	    dialled_of(c->listener, stream_fd(c->stream), &c->dialled, &why) <
		0) {
		client_refuse(c, why);
		return;
	}
	if (c->segment != NULL && c->segment->zone->kind == ZONE_MYNUMBER)
		trips_connected(c->edge->trips, &c->address,
		    transparent ? &c->dialled : &c->listener->at);
	if (!admit(c))
		return;
	if (transparent)
		transparent_begin(c);
	else if (c->listener->tls)
		intercept_own(c);
	else
		h1_client_begin(c);
}

/* The PROXY header, where one must come first. */

static void
preface_readable(void *owner)
{
	struct client *c = owner;
	struct proxy_protocol *p = c->protocol;
	struct edge *e = c->edge;
	struct bytes in;
	size_t n;

	if (stream_read(c->stream, e->scratch, sizeof(e->scratch), &n) !=
	    STREAM_READ) {
		if (stream_broken(c->stream) || n == 0)
			client_refuse(c, "no PROXY header came");
		return;
	}
	in = (struct bytes){ e->scratch, n };
	switch (proxy_protocol_next(p, &in)) {
	case PROXY_PROTOCOL_MORE:
		return;
	case PROXY_PROTOCOL_BAD:
		client_refuse(c, p->why);
		return;
	case PROXY_PROTOCOL_DONE:
		if (p->has_source)
			c->address = p->source;
		stream_unread(c->stream, in);
		begin(c);
		return;
	}
}

static void
preface_drained(void *owner)
{
	(void)owner;
}

static const struct stream_events preface_events = {
	.on_readable = preface_readable,
	.on_drained = preface_drained,
};

static void
preface_late(struct client *c)
{
	client_refuse(c, "the PROXY header took too long");
}

static void
preface_drain(struct client *c)
{
	(void)c;
}

static void
preface_end(struct client *c)
{
	free(c->protocol);
}

static const struct client_protocol preface_protocol = {
	.timer = preface_late,
	.drain = preface_drain,
	.end = preface_end,
};

static void
timer_due(void *owner)
{
	struct client *c = owner;

	c->speaks->timer(c);
}

void
client_speak(
    struct client *c, const struct client_protocol *speaks, void *protocol)
{
	if (c->speaks != NULL)
		c->speaks->end(c);
	c->speaks = speaks;
	c->protocol = protocol;
}

static struct client *
add_client(struct edge *e, const struct listener_settings *l, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->edge = e;
	c->listener = l;
	c->next = e->clients;
	if (c->next != NULL)
		c->next->prev = c;
	e->clients = c;
	c->timer = timer_new(e->loop, timer_due, c);
	c->stream = stream_new(e->loop, fd, &preface_events, c);
	counter_add(COUNTER_CONNECTIONS, 1);
	counter_add(COUNTER_CONNECTIONS_TOTAL, 1);
	return c;
}

void
client_new(struct edge *e, const struct listener_settings *l, int fd,
    const struct address *peer)
{
	struct client *c = add_client(e, l, fd);
	struct proxy_protocol *preface;

	c->peer = *peer;
	c->address = *peer;
	c->address.port = 0;
	if (!prefixes_contain(l->proxy_protocol, l->proxy_protocol_n, peer)) {
		begin(c);
		return;
	}
	preface = calloc(1, sizeof(*preface));
	must(preface != NULL);
	client_speak(c, &preface_protocol, preface);
	timer_start(c->timer, e->settings->limits.head_timeout_ms);
	stream_want_read(c->stream, true);
}

void
client_inside(const struct client *outer, int fd, const struct segment *segment,
    const struct address *address, struct intercept *i)
{
	struct client *c = add_client(outer->edge, outer->listener, fd);

	c->peer = outer->peer;
	c->address = *address;
	c->segment = segment;
	if (admit(c))
		intercept_begin(c, i);
	else
		intercept_free(i);
}

/* The bound connection closed, or said something that nobody asked for; or
 * TLS did, below the bytes. */
static void
bound_readable(void *owner)
{
	struct client *c = owner;

	if (stream_is_quiet(c->bound->stream))
		return;
	origin_free(c->bound);
	c->bound = NULL;
}

static void
bound_drained(void *owner)
{
	(void)owner;
}

static const struct stream_events bound_events = {
	.on_readable = bound_readable,
	.on_drained = bound_drained,
};

void
client_bind(struct client *c, struct origin *o, const struct address *asker)
{
	origin_free(c->bound);
	c->bound = o;
	c->bound_to = *asker;
	stream_own(o->stream, &bound_events, c);
	stream_want_read(o->stream, true);
}

struct origin *
client_take_bound(struct client *c, const struct address *asker,
    const struct url *destination, const struct segment *segment)
{
	struct origin *o = c->bound;

	if (o == NULL || !address_equal(&c->bound_to, asker) ||
	    !origin_fits(o, destination, segment,
		c->intercept != NULL ? UPSTREAM_TLS : UPSTREAM_PLAIN))
		return NULL;
	bound_readable(c);
	o = c->bound;
	c->bound = NULL;
	return o;
}

void
client_free(struct client *c)
{
	struct edge *e = c->edge;

	if (c->freed)
		return;
	c->freed = true;
	client_speak(c, NULL, NULL);
	intercept_free(c->intercept);
	c->intercept = NULL;
	origin_free(c->bound);
	timer_free(c->timer);
	stream_free(c->stream);
	if (c->counted)
		board_disconnected(
		    e->board, &c->counted_address, c->counted_body);
	counter_sub(COUNTER_CONNECTIONS, 1);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		e->clients = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	edge_client_gone(e);
	loop_defer(e->loop, free, c);
}
