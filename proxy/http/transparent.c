/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transparent: the beginning of a connection whose client knows of no proxy.
 * It speaks first, TLS or HTTP. The name in a hello of TLS is to the rest what
 * a CONNECT says; where there is none, the client wants the address itself.
 */
#include <stdlib.h>

#include "proxy/http/hello.h"
#include "proxy/listener/client.h"

#define TLS_FIRST 22 /* a record of the handshake; no method begins so */

struct transparent {
	struct client *client;
	struct buf held; /* all that came */
	struct hello hello;
};

/* Name and port as a CONNECT has them; the name in its one form, so that it
 * says nothing else. */
static int
find_authority(const struct transparent *t, struct arena *a, struct bytes *out,
    const char **why_out)
{
	const struct address *dialled = &t->client->dialled;
	char text[ADDRESS_TEXT_MAX];
	struct url u = { 0 };

	if (!t->hello.named) {
		*out =
		    arena_copy(a, bytes_of(address_text_port(dialled, text)));
		return 0;
	}
	if (url_parse_host(&u, t->hello.name, a, why_out) < 0)
		return -1;
	*out = bytes_of(
	    arena_printf(a, "%.*s:%u", BYTES_PRINTF(u.host), dialled->port));
	return 0;
}

/* The hello is read once more, by TLS with us or at the other end of a
 * tunnel. */
static void
open_tls(struct transparent *t)
{
	struct client *c = t->client;
	struct arena a = { 0 };
	struct bytes authority;
	const char *why;

	if (find_authority(t, &a, &authority, &why) < 0) {
		client_refuse(c, why);
	} else {
		stream_unread(c->stream, buf_bytes(&t->held));
		h1_client_connect(c, authority);
	}
	arena_release(&a);
}

static void
take(struct transparent *t, struct bytes in)
{
	struct client *c = t->client;

	if (t->held.n == 0 && in.p[0] != TLS_FIRST) {
		stream_unread(c->stream, in);
		h1_client_begin(c);
		return;
	}
	must(buf_append(&t->held, in) == 0);
	switch (hello_push(&t->hello, in)) {
	case HELLO_MORE:
		if (t->held.n == t->held.max)
			client_refuse(c, "TLS: handshake is too long");
		return;
	case HELLO_BAD:
		client_refuse(c, t->hello.why);
		return;
	case HELLO_WHOLE:
		open_tls(t);
		return;
	}
}

static void
readable(void *owner)
{
	struct transparent *t = owner;
	struct client *c = t->client;
	struct edge *e = c->edge;
	size_t n;

	switch (
	    stream_read(c->stream, e->scratch, t->held.max - t->held.n, &n)) {
	case STREAM_READ:
		take(t, (struct bytes){ e->scratch, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
	case STREAM_FAILED: /* it asked nothing */
		client_free(c);
		return;
	}
}

static void
drained(void *owner)
{
	(void)owner;
}

static const struct stream_events events = {
	.on_readable = readable,
	.on_drained = drained,
};

/* Browsers open connections ahead of their need: who said nothing yet is no
 * event. */
static void
too_long(struct client *c)
{
	const struct transparent *t = c->protocol;

	if (t->held.n == 0)
		client_free(c);
	else
		client_refuse(c, "the TLS hello took too long");
}

/* A stop closes who said nothing; who began has a deadline. */
static void
on_drain(struct client *c)
{
	const struct transparent *t = c->protocol;

	if (t->held.n == 0 && c->edge->drain == DRAIN_NOW)
		client_free(c);
}

static void
release(void *owner)
{
	struct transparent *t = owner;

	hello_release(&t->hello);
	buf_release(&t->held);
	free(t);
}

/* What follows is begun from within. */
static void
on_end(struct client *c)
{
	loop_defer(c->edge->loop, release, c->protocol);
}

static const struct client_protocol transparent_protocol = {
	.timer = too_long,
	.drain = on_drain,
	.end = on_end,
};

void
transparent_begin(struct client *c)
{
	struct transparent *t = calloc(1, sizeof(*t));

	must(t != NULL);
	t->client = c;
	buf_init(&t->held, STREAM_UNREAD_MAX);
	hello_init(&t->hello);
	client_speak(c, &transparent_protocol, t);
	stream_own(c->stream, &events, t);
	timer_start(c->timer, c->edge->settings->limits.head_timeout_ms);
	stream_want_read(c->stream, true);
}
