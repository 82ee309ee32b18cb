/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: one connection from a client, whatever is spoken on it: who it is,
 * and how far it has come. A connection begins with an optional PROXY header
 * and, where its listener has it, TLS to the proxy itself; it speaks HTTP, and
 * may after CONNECT go under intercepted TLS and speak HTTP again. Where the
 * CONNECT lies inside TLS, what it opens is a client of its own. On a
 * transparent listener it may begin with TLS to the destination.
 */
#pragma once

#include "proxy/answer/answer.h"
#include "proxy/base/stream.h"
#include "proxy/edge.h"
#include "proxy/listener/proxy_protocol.h"
#include "proxy/policy/policy.h"

/* What CONNECT opened, once it is intercepted. */
struct intercept {
	struct arena arena; /* for words of a failure */
	struct url url;     /* host and port of the CONNECT */
	char host[HOST_MAX + 1];
	struct decision decision;
	/* Set when only a page will be shown: */
	bool refused;
	enum answer_kind answer;
	const char *why;
	unsigned check;
	bool own;   /* to the proxy itself, before any CONNECT */
	bool rsa;   /* the client knows no ECDSA */
	bool ready; /* the leaf is in place: the handshake goes on */
	struct upstream_wait *wait;
	struct leaf_wait *leaf_wait;
	uint64_t resolve_us, connect_us, tls_us;
};

struct client;

/* What is spoken on a connection at the moment. */
struct client_protocol {
	void (*timer)(struct client *c); /* c->timer is due */
	void (*drain)(struct client *c); /* e->drain has changed */
	void (*end)(struct client *c);   /* frees c->protocol */
};

struct client {
	struct edge *edge;
	struct client *prev, *next;
	struct stream *stream;
	struct timer *timer;
	const struct listener_settings *listener;
	struct address peer;           /* as the kernel says */
	struct address address;        /* as believed: PROXY header */
	struct address dialled;        /* on a transparent listener */
	const struct segment *segment; /* NULL: nobody we know */
	bool freed;
	bool counted; /* in the board's connections, as: */
	unsigned counted_body;
	struct address counted_address;
	const char *tls_version; /* of the intercepted TLS; NULL: none */
	struct intercept *intercept;
	/* Bound by connection-based authentication to who asked then: one of
	 * several, when a forwarder speaks on this connection. */
	struct origin *bound;
	struct address bound_to;
	const struct client_protocol *speaks;
	void *protocol; /* its state */
};

/* A connection was accepted; takes over fd. */
void client_new(struct edge *e, const struct listener_settings *l, int fd,
    const struct address *peer);
/*
 * The TLS of a CONNECT that lies inside another connection, which carries its
 * bytes to the other end of fd: a connection of its own, for who asked. Takes
 * over fd and i.
 */
void client_inside(const struct client *outer, int fd,
    const struct segment *segment, const struct address *address,
    struct intercept *i);
/* NULL: one more connection is within the limits; else which one is reached. */
const char *client_over_limit(const struct edge *e,
    const struct address *address, const struct segment *segment);
/* Tells the journal why it is refused, and resets it. */
void client_refuse(struct client *c, const char *why);
/* Closes the connection; all that hangs on it goes. */
void client_free(struct client *c);
/* Another protocol follows; the one before is ended. */
void client_speak(
    struct client *c, const struct client_protocol *speaks, void *protocol);
/* Keeps the connection for the next request of that address to its origin. */
void client_bind(
    struct client *c, struct origin *o, const struct address *asker);
/* That connection, when it fits and is quiet; or NULL. */
struct origin *client_take_bound(struct client *c, const struct address *asker,
    const struct url *destination, const struct segment *segment);
/* The intercepted TLS begins on c->stream; bytes that came with the CONNECT
 * head are none (RFC 9110 section 9.3.6: refused before). */
void intercept_begin(struct client *c, struct intercept *i);
/* What it is for; i keeps a copy of the host. */
void intercept_name(struct intercept *i, const struct url *url);
/* TLS to the proxy itself, of a listener that has it. */
void intercept_own(struct client *c);
void intercept_free(struct intercept *i);
/* For SSL_CTX_set_client_hello_cb; the SSL's app data is the client. */
int intercept_hello(SSL *ssl, int *alert, void *arg);
/* h1 on c->stream from now on. */
void h1_client_begin(struct client *c);
/* The same for a client that left its CONNECT out, as it knows of no proxy:
 * c->stream, which is being read, stands before its TLS, and gets no answer. */
void h1_client_connect(struct client *c, struct bytes authority);
/* HTTP or TLS, as the first byte says, of a client that knows of no proxy. */
void transparent_begin(struct client *c);
/* HTTP/2, as ALPN said. */
void h2_client_begin(struct client *c);
/* Bytes read and not yet understood. */
size_t h1_client_pending(const struct client *c);
