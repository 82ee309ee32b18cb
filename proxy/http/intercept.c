/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intercept: TLS with the client inside its CONNECT. The ClientHello is read,
 * then the origin is reached and verified, then a leaf that mimics it is
 * signed, and only then the client is shown a certificate.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/base/log.h"
#include "proxy/http/exchange.h"
#include "proxy/http/h2_origin.h"
#include "proxy/listener/client.h"

static void shake(struct client *c);

static void
record_failure(const struct client *c, const char *why)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	log_begin(&l, EVENT_TLS_FAILED, NULL);
	if (c->segment != NULL) {
		log_string(&l, "body", c->segment->body->code);
		log_string(&l, "zone", c->segment->zone->name);
	}
	log_string(&l, "client", address_text(&c->address, text));
	log_text(&l, "host", c->intercept->url.host);
	log_number(&l, "port", c->intercept->url.port);
	if (c->dialled.port != 0)
		log_string(&l, "dialled", address_text_port(&c->dialled, text));
	log_string(&l, "why", why);
	log_end(&l);
}

static void
give_up(struct client *c, const char *why)
{
	record_failure(c, why);
	client_free(c);
}

/* The page will say why; the client gets a leaf for the name alone. */
static void
refuse(struct intercept *i, enum answer_kind answer, const char *why)
{
	i->refused = true;
	i->answer = answer;
	i->why = why;
}

/* RFC 6066 section 3: a list of one host_name. */
static bool
sni_of(SSL *ssl, struct bytes *name_out)
{
	const unsigned char *p;
	size_t n;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) !=
	    1)
		return false;
	*name_out = (struct bytes){ p, n };
	if (n < 5 || (size_t)(p[0] << 8 | p[1]) != n - 2 || p[2] != 0 ||
	    (size_t)(p[3] << 8 | p[4]) != n - 5) {
		name_out->n = 0;
		return true;
	}
	bytes_take(name_out, 5);
	return true;
}

static void
judge_sni(struct intercept *i, struct bytes sni)
{
	struct arena a = { 0 };
	struct url named = { 0 };
	const char *why;

	if (url_parse_host(&named, sni, &a, &why) < 0 ||
	    !bytes_equal(named.host, i->url.host))
		refuse(i, ANSWER_MISDIRECTED, "SNI unlike the CONNECT name");
	arena_release(&a);
}

/* Whether ecdsa_secp256r1_sha256 is among the signature_algorithms. */
static bool
knows_ecdsa(SSL *ssl)
{
	const unsigned char *p;
	size_t n;

	if (SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_signature_algorithms, &p, &n) != 1)
		return false;
	for (size_t at = 2; at + 1 < n; at += 2)
		if (p[at] == 0x04 && p[at + 1] == 0x03)
			return true;
	return false;
}

void
intercept_name(struct intercept *i, const struct url *url)
{
	i->url = *url;
	memcpy(i->host, url->host.p, url->host.n);
	i->url.host = (struct bytes){ (uint8_t *)i->host, url->host.n };
}

/* A client that sends no name knows the proxy by its address. */
static void
name_by_address(struct client *c)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	char text[ADDRESS_TEXT_MAX];
	struct arena a = { 0 };
	struct address here;
	struct url url = { 0 };
	const char *why;

	if (getsockname(stream_fd(c->stream), (struct sockaddr *)&sa, &n) ==
		0 &&
	    address_from_sockaddr(&here, (struct sockaddr *)&sa) == 0) {
		here.port = 0;
		if (url_parse_host(&url, bytes_of(address_text(&here, text)),
			&a, &why) == 0)
			intercept_name(c->intercept, &url);
	}
	arena_release(&a);
}

/* The name that the certificate must have. */
static void
judge_name(struct client *c, SSL *ssl)
{
	struct intercept *i = c->intercept;
	struct bytes sni;
	bool named = sni_of(ssl, &sni);

	if (i->own && !named)
		name_by_address(c);
	else if (named && !i->own && !i->refused)
		judge_sni(i, sni);
}

int
intercept_hello(SSL *ssl, int *alert, void *arg)
{
	struct client *c = SSL_get_app_data(ssl);
	struct intercept *i = c->intercept;

	(void)alert;
	(void)arg;
	if (i->ready)
		return SSL_CLIENT_HELLO_SUCCESS;
	judge_name(c, ssl);
	i->rsa = c->edge->settings->keysmith.rsa_leaf && !knows_ecdsa(ssl);
	return SSL_CLIENT_HELLO_RETRY;
}

static void
use_leaf(struct client *c, struct leaf *leaf)
{
	if (leaf == NULL || leaf_use(leaf, stream_ssl(c->stream)) < 0) {
		give_up(c, "no certificate could be made");
		return;
	}
	c->intercept->ready = true;
	timer_start(c->timer, c->edge->settings->limits.handshake_timeout_ms);
	shake(c);
}

static void
leaf_done(void *owner, struct leaf *leaf)
{
	struct client *c = owner;

	c->intercept->leaf_wait = NULL;
	use_leaf(c, leaf);
}

/* origin: the certificate to mimic, or NULL. */
static void
order_leaf(struct client *c, X509 *origin)
{
	struct intercept *i = c->intercept;
	struct leaf *leaf = NULL;

	i->leaf_wait = leaves_get(
	    c->edge->leaves, i->url.host, origin, i->rsa, &leaf, leaf_done, c);
	if (i->leaf_wait == NULL)
		use_leaf(c, leaf);
}

static void
give_back(struct edge *e, struct origin *o)
{
	if (o->sharing != NULL)
		return;
	/* The origin's SETTINGS would look like bytes that nobody asked for. */
	if (o->h2)
		h2_origin_begin(e, o);
	upstream_keep(o);
}

static void
take_origin(struct client *c, const struct upstream_result *r)
{
	struct intercept *i = c->intercept;
	X509 *certificate;

	i->resolve_us = r->resolve_us;
	i->connect_us = r->connect_us;
	i->tls_us = r->tls_us;
	if (r->failure != UPSTREAM_OK) {
		i->check = r->check;
		refuse(i, exchange_answer_of(r->failure),
		    r->words == NULL
			? NULL
			: arena_string(&i->arena, bytes_of(r->words)));
		order_leaf(c, NULL);
		return;
	}
	/* Kept first, so that the leaf's own callbacks find it there. */
	certificate = r->origin->certificate;
	X509_up_ref(certificate);
	give_back(c->edge, r->origin);
	order_leaf(c, certificate);
	X509_free(certificate);
}

static void
upstream_done(void *owner, const struct upstream_result *r)
{
	struct client *c = owner;

	c->intercept->wait = NULL;
	take_origin(c, r);
}

static void
reach_origin(struct client *c)
{
	struct intercept *i = c->intercept;
	struct upstream_result r = { 0 };

	if (i->refused || i->own) {
		order_leaf(c, NULL);
		return;
	}
	/* upstream has timers of its own for each of its waits */
	timer_stop(c->timer);
	i->wait = upstream_get(c->edge->upstream, &i->url, c->segment,
	    c->edge->settings->limits.h2 ? UPSTREAM_TLS : UPSTREAM_TLS_H1,
	    UPSTREAM_ANY, &r, upstream_done, c);
	if (i->wait == NULL)
		take_origin(c, &r);
}

static void
speak_http(struct client *c)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(stream_ssl(c->stream), &name, &n);
	if (bytes_equal((struct bytes){ name, n }, BYTES("h2")))
		h2_client_begin(c);
	else
		h1_client_begin(c);
}

/* What is asked inside is asked of a proxy. */
static void
end_own(struct client *c)
{
	intercept_free(c->intercept);
	c->intercept = NULL;
}

static void
shake(struct client *c)
{
	SSL *ssl = stream_ssl(c->stream);

	switch (stream_handshake(c->stream)) {
	case HANDSHAKE_WAIT:
		return;
	case HANDSHAKE_SUSPENDED:
		if (!c->intercept->ready)
			reach_origin(c);
		return;
	case HANDSHAKE_DONE:
		counter_add(SSL_session_reused(ssl) ? COUNTER_RESUMPTIONS
						    : COUNTER_HANDSHAKES,
		    1);
		c->tls_version = SSL_get_version(ssl);
		if (c->intercept->own)
			end_own(c);
		speak_http(c);
		return;
	case HANDSHAKE_FAILED:
		give_up(c, stream_why(c->stream));
		return;
	}
}

static void
readable(void *owner)
{
	struct client *c = owner;

	if (c->intercept->wait == NULL && c->intercept->leaf_wait == NULL)
		shake(c);
	else if (stream_broken(c->stream))
		give_up(c, stream_why(c->stream));
}

static const struct stream_events events = {
	.on_readable = readable,
	.on_drained = readable,
};

static void
too_long(struct client *c)
{
	give_up(c, "the TLS handshake took too long");
}

/* A handshake has its own deadline, shorter than any drain. */
static void
on_drain(struct client *c)
{
	(void)c;
}

static void
on_end(struct client *c)
{
	(void)c;
}

static const struct client_protocol handshake_protocol = {
	.timer = too_long,
	.drain = on_drain,
	.end = on_end,
};

void
intercept_begin(struct client *c, struct intercept *i)
{
	SSL *ssl = SSL_new(c->edge->client_tls);

	must(ssl != NULL);
	c->intercept = i;
	client_speak(c, &handshake_protocol, NULL);
	SSL_set_app_data(ssl, c);
	SSL_set_accept_state(ssl);
	stream_own(c->stream, &events, c);
	timer_start(c->timer, c->edge->settings->limits.handshake_timeout_ms);
	/* Before TLS stands between: a hello that was looked at already makes
	 * no event at the socket. */
	stream_want_read(c->stream, true);
	stream_tls(c->stream, ssl);
}

void
intercept_own(struct client *c)
{
	struct intercept *i = calloc(1, sizeof(*i));

	must(i != NULL);
	i->own = true;
	intercept_name(i, &c->edge->settings->own_tls);
	intercept_begin(c, i);
	/* The ClientHello may have come with the PROXY header. */
	shake(c);
}

void
intercept_free(struct intercept *i)
{
	if (i == NULL)
		return;
	upstream_cancel(i->wait);
	leaf_wait_cancel(i->leaf_wait);
	arena_release(&i->arena);
	free(i);
}
