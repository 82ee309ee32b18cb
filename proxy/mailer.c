/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/mailer.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/accept.h"
#include "proxy/base/log.h"
#include "proxy/isolation/trips.h"
#include "proxy/smtp/client.h"
#include "proxy/smtp/floods.h"
#include "proxy/smtp/hints.h"
#include "proxy/smtp/locked.h"
#include "proxy/smtp/queue.h"
#include "proxy/smtp/recipients.h"
#include "proxy/smtp/released.h"
#include "proxy/smtp/signers.h"
#include "proxy/smtp/suspect.h"

#define ORDER_ANSWER_MAX ((size_t)4 << 20)

static void
take_client(
    void *owner, const void *listener, int fd, const struct address *peer)
{
	mail_client_new(owner, listener, fd, peer);
}

static void
accept_begin(struct mailer *m)
{
	const struct child *c = m->child;

	m->accepting = calloc(c->listeners_n + 1, sizeof(struct acceptor *));
	must(m->accepting != NULL);
	m->accepting_n = c->listeners_n;
	for (size_t i = 0; i < m->accepting_n; i++)
		m->accepting[i] = acceptor_new(m->loop, c->listeners[i],
		    take_client, m, c->mail_listeners[i]);
}

static void
accept_end(struct mailer *m)
{
	for (size_t i = 0; i < m->accepting_n; i++)
		acceptor_free(m->accepting[i]);
	m->accepting_n = 0;
}

/* What the spool has is taken up by whoever comes next; what runs ends first.
 */
void
mailer_check(struct mailer *m)
{
	if (m->draining && m->clients == NULL && !queue_is_busy(m->queue) &&
	    !store_client_is_busy(m->store))
		loop_stop(m->loop);
}

static void
drain(struct mailer *m)
{
	struct mail_client *next;

	if (m->draining)
		return;
	accept_end(m);
	m->draining = true;
	queue_drain(m->queue);
	for (struct mail_client *c = m->clients; c != NULL; c = next) {
		next = mail_client_next(c);
		mail_client_drain(c);
	}
	mailer_check(m);
}

/* The answer goes as a file, which may be long. */
static void
take_order(struct mailer *m, const struct ipc_message *order)
{
	struct buf out;
	enum order_answer answer;
	uint8_t byte;
	struct err e;
	int fd;

	buf_init(&out, ORDER_ANSWER_MAX);
	answer = queue_order(m->queue, order->body, &out);
	byte = (uint8_t)answer;
	fd = detox_seal(buf_bytes(&out), &e);
	channel_send(m->child->parent, PARENT_ORDER_ANSWER, order->job,
	    (struct bytes){ &byte, 1 }, fd);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
}

static void
parent_message(void *owner, const struct ipc_message *message)
{
	struct mailer *m = owner;

	if (message->type == PARENT_CHANNEL && message->fd >= 0) {
		if (message->job == PROCESS_STORE)
			store_client_connect(m->store, message->fd);
		else
			detox_client_connect(m->detox, message->fd);
		return;
	}
	if (message->type == PARENT_RELEASE)
		released_take(m, message);
	if (message->fd >= 0)
		close(message->fd);
	if (message->type == PARENT_UNLOCK)
		locked_ask(m, message);
	if (message->type == PARENT_HINT)
		hints_take(m, message->body);
	if (message->type == PARENT_DRAIN)
		drain(m);
	else if (message->type == PARENT_ORDER)
		take_order(m, message);
}

static int
make_tls(struct mailer *m, struct err *e)
{
	const struct mail_settings *s = &m->settings->mail;
	SSL_CTX *ctx;
	int result = -1;

	if (s->certificate[0] == '\0')
		return 0;
	ctx = SSL_CTX_new(TLS_server_method());
	must(ctx != NULL);
	m->tls = ctx;
	/* Opportunistic TLS is better old than not at all; 1.2 is what every
	 * MTA of the last ten years has (RFC 8314 section 4.1). */
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(ctx, s->certificate) != 1)
		err_set(
		    e, "mail.certificate: %s cannot be used", s->certificate);
	else if (SSL_CTX_use_PrivateKey_file(ctx, s->key, SSL_FILETYPE_PEM) !=
	    1)
		err_set(e,
		    "mail.key: %s cannot be used, expected the key of the"
		    " certificate",
		    s->key);
	else
		result = 0;
	ERR_clear_error();
	return result;
}

/* What has to be opened before the process may open nothing any more. */
static int
open_all(struct mailer *m, struct err *e)
{
	const struct settings *s = m->settings;

	if (make_tls(m, e) < 0)
		return -1;
	m->common = common_map(m->child->common_fd, e);
	if (m->common == NULL)
		return -1;
	m->signers = signers_new(s->routes, e);
	if (m->signers == NULL)
		return -1;
	m->out =
	    out_new(&s->mail, &s->upstream, s->trust, m->common, m->loop, e);
	if (m->out == NULL)
		return -1;
	m->recipients = recipients_new(&s->mail, m->out, m->loop);
	m->suspects = suspect_names_new(s->zones, s->routes);
	m->rspamd = rspamd_new(&s->mail.rspamd, m->loop);
	return 0;
}

static void
fill(struct mailer *m, struct child *c)
{
	const struct mail_settings *s = &c->settings->mail;

	m->child = c;
	m->settings = c->settings;
	m->board = c->board;
	m->budget.max = s->memory_max;
	m->budget.key = c->board->key;
	m->session = (struct session_settings){
		.name = s->name,
		.size_max = s->size_max,
		.recipients_max = s->recipients_max,
		.errors_max = s->errors_max,
		.messages_max = s->messages_max,
		.lines = s->normalise ? DATA_NORMALISE : DATA_REFUSE,
	};
}

int
mailer_start(struct child *c)
{
	static struct mailer mailer;
	struct mailer *m = &mailer;
	struct err e = { 0 };
	const struct sandbox sandbox = {
		.user = c->settings->processes.mail_user,
		.root = c->settings->processes.root,
		.needs = SANDBOX_SOCKETS | SANDBOX_OBJECTS | SANDBOX_FOLDER,
		.folder = c->spool_fd,
		.files_max = c->settings->processes.files_max,
	};

	fill(m, c);
	process_begin(c, parent_message, m);
	m->loop = c->loop;
	m->trips = trips_new(m->loop, TRIP_MAIL, process_tripped, c);
	m->leaks = trips_new(m->loop, TRIP_CANARY, process_tripped, c);
	m->detox = detox_client_new(m->loop, m->settings->profiles.all,
	    m->settings->profiles.n, NULL, NULL);
	m->store = store_client_new(m->loop);
	m->hints = hints_new();
	if (open_all(m, &e) < 0 || sandbox_enter(&sandbox, &e) < 0)
		return process_failed(c, &e);
	if (c->detox_fd >= 0)
		detox_client_connect(m->detox, c->detox_fd);
	if (c->store_fd >= 0)
		store_client_connect(m->store, c->store_fd);
	/* As the user that its files belong to. */
	if (queue_new(m, c->spool_fd, &e) == NULL)
		return process_failed(c, &e);
	accept_begin(m);
	process_ready(c);
	loop_run(m->loop);
	trips_free(m->trips);
	trips_free(m->leaks);
	spool_close(m->spool);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	return 0;
}
