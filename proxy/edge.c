/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/edge.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/accept.h"
#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/http/intake.h"
#include "proxy/http/unlock.h"
#include "proxy/isolation/trips.h"
#include "proxy/keysmith/ca.h"
#include "proxy/listener/client.h"
#include "proxy/listener/tickets.h"

#define OUT_MAX ((size_t)1 << 20) /* far over any head that limits allow */

static void
take_client(
    void *owner, const void *listener, int fd, const struct address *peer)
{
	client_new(owner, listener, fd, peer);
}

static void
accept_begin(struct edge *e)
{
	const struct child *c = e->child;

	e->accepting = calloc(c->listeners_n + 1, sizeof(struct acceptor *));
	must(e->accepting != NULL);
	e->accepting_n = c->listeners_n;
	for (size_t i = 0; i < e->accepting_n; i++)
		e->accepting[i] = acceptor_new(e->loop, c->listeners[i],
		    take_client, e, c->listener_settings[i]);
}

static void
accept_end(struct edge *e)
{
	for (size_t i = 0; i < e->accepting_n; i++)
		acceptor_free(e->accepting[i]);
	e->accepting_n = 0;
}

void
edge_client_gone(struct edge *e)
{
	if (e->drain != DRAIN_NOT && e->clients == NULL && e->parcels == 0)
		loop_stop(e->loop);
}

static void
drain(struct edge *e, enum drain how)
{
	struct client *next;

	accept_end(e);
	e->drain = how;
	for (struct client *c = e->clients; c != NULL; c = next) {
		next = c->next;
		c->speaks->drain(c);
	}
	edge_client_gone(e);
}

/* A piece at a time, between other work. */
static void
go_on_swapping(void *owner)
{
	struct edge *e = owner;

	if (!swap_step(&e->reputation, SWAP_STEP))
		timer_start(e->swap_timer, 1);
}

static void
offer_lists(struct edge *e, int fd)
{
	struct err err = { 0 };

	if (swap_offer(&e->reputation, fd, &err) < 0)
		log_say(EVENT_FAILURE, "%s", err.text);
	close(fd);
	timer_start(e->swap_timer, 1);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct edge *e = owner;

	if (m->type == PARENT_LISTS && m->fd >= 0) {
		offer_lists(e, m->fd);
		return;
	}
	if (m->type == PARENT_CHANNEL && m->fd >= 0) {
		if (m->job == PROCESS_DETOX)
			detox_client_connect(e->detox, m->fd);
		else if (m->job == PROCESS_HANDOVER)
			handover_client_connect(e->handover, m->fd);
		else
			leaves_connect(e->leaves, m->fd);
		return;
	}
	if (m->fd >= 0)
		close(m->fd);
	if (m->type == PARENT_UNLOCK_SENT || m->type == PARENT_UNLOCK_ANSWER)
		unlock_message(e, m);
	if (m->type == PARENT_DRAIN)
		drain(e, m->job == 0 ? DRAIN_PATIENT : DRAIN_NOW);
}

static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	const struct edge *e = arg;
	unsigned skip = e->settings->limits.h2 ? 0 : 3;

	(void)ssl;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_n,
		both + skip, sizeof(both) - 1 - skip, in,
		in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

static int
make_client_tls(struct edge *e, struct err *err)
{
	static const unsigned char context[] = "sekisho";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return err_set(err, "TLS with clients: out of memory");
	e->client_tls = ctx;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	/* as long as the key of a ticket is kept at least */
	SSL_CTX_set_timeout(
	    ctx, (long)(2 * e->settings->keysmith.ticket_rotation_ms / 1000));
	SSL_CTX_set_client_hello_cb(ctx, intercept_hello, e);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, e);
	e->tickets = tickets_map(e->child->tickets_fd, err);
	if (e->tickets == NULL)
		return -1;
	tickets_use(e->tickets, ctx);
	return 0;
}

/* The CA certificate, and those above it that clients are sent too. */
static void
parse_chain(struct edge *e, struct bytes pem, STACK_OF(X509) * chain)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *one;

	must(bio != NULL);
	e->ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	/* A root is with the clients; what stands below one is not. */
	if (e->ca != NULL && X509_self_signed(e->ca, 0) != 1 &&
	    X509_up_ref(e->ca) == 1)
		sk_X509_push(chain, e->ca);
	while (e->ca != NULL &&
	    (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(chain, one);
	BIO_free(bio);
	ERR_clear_error();
}

static STACK_OF(X509) * read_chain(struct edge *e, struct err *err)
{
	struct arena a = { 0 };
	const char *path = settings_path(
	    e->settings, &a, e->settings->keysmith.ca_certificate);
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct buf pem;

	must(chain != NULL);
	buf_init(&pem, CA_CHAIN_MAX);
	if (file_read(path, &pem, err) == 0) {
		parse_chain(e, buf_bytes(&pem), chain);
		if (e->ca == NULL)
			err_set(err, "%s: holds no certificate in PEM", path);
	}
	buf_release(&pem);
	arena_release(&a);
	return chain;
}

/* All of it, before anybody is served. */
static int
open_lists(struct edge *e, struct err *err)
{
	int fd = e->child->reputation_fd;

	if (fd < 0)
		return 0;
	if (swap_offer(&e->reputation, fd, err) < 0)
		return -1;
	close(fd);
	return swap_step(&e->reputation, SIZE_MAX) ? 0 : -1;
}

static int
open_all(struct edge *e, struct err *err)
{
	STACK_OF(X509) *chain = read_chain(e, err);
	int result = -1;

	if (e->ca == NULL || make_client_tls(e, err) < 0)
		goto free_chain;
	e->verifier =
	    verifier_new(&e->settings->verify, e->settings->trust, err);
	if (e->verifier == NULL)
		goto free_chain;
	e->upstream =
	    upstream_new(&e->settings->upstream, e->verifier, e->loop, err);
	if (e->upstream == NULL)
		goto free_chain;
	e->swap_timer = timer_new(e->loop, go_on_swapping, e);
	if (open_lists(e, err) < 0)
		goto free_chain;
	e->leaves = leaves_new(&e->settings->keysmith, e->loop, chain, err);
	result = e->leaves == NULL ? -1 : 0;
free_chain:
	sk_X509_pop_free(chain, X509_free);
	return result;
}

int
edge_start(struct child *c)
{
	static struct edge edge;
	struct edge *e = &edge;
	struct err err = { 0 };
	const struct sandbox sandbox = {
		.user = c->settings->processes.edge_user,
		.root = c->settings->processes.root,
		.needs = SANDBOX_SOCKETS | SANDBOX_OBJECTS,
		.files_max = c->settings->processes.files_max,
	};

	e->child = c;
	e->settings = c->settings;
	e->board = c->board;
	buf_init(&e->out, OUT_MAX);
	e->budget.max = c->settings->content.held_max;
	e->budget.key = c->board->key;
	snprintf(e->via, sizeof(e->via), "1.1 sekisho-%s",
	    c->settings->prefecture.code);
	process_begin(c, parent_message, e);
	e->loop = c->loop;
	e->trips = trips_new(e->loop, TRIP_WEB, process_tripped, c);
	e->leaks = trips_new(e->loop, TRIP_CANARY, process_tripped, c);
	e->detox = detox_client_new(e->loop, e->settings->profiles.all,
	    e->settings->profiles.n, NULL, NULL);
	e->handover = handover_client_new(e->loop, intake_judge, e);
	if (open_all(e, &err) < 0 || sandbox_enter(&sandbox, &err) < 0)
		return process_failed(c, &err);
	if (c->keysmith_fd >= 0)
		leaves_connect(e->leaves, c->keysmith_fd);
	if (c->detox_fd >= 0)
		detox_client_connect(e->detox, c->detox_fd);
	if (c->handover_fd >= 0)
		handover_client_connect(e->handover, c->handover_fd);
	accept_begin(e);
	process_ready(c);
	loop_run(e->loop);
	trips_free(e->trips);
	trips_free(e->leaks);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	return 0;
}
