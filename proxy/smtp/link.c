/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/link.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/stream.h"
#include "proxy/upstream/race.h"
#include "proxy/upstream/reach.h"

#define IDLE_MS 30000
#define LEAVE_MS 5000
#define CONTENT_REPLY_MS 600000 /* RFC 5321 section 4.5.3.2.6 */
/* More of a name would hold a mail up for long when all are silent. */
#define ADDRESSES_TRIED_MAX 6
/* Above what a wire gathers, so that the content goes to the socket as it
 * lies, and what the socket does not take of a slice is all that is copied. */
#define SLICE_MAX ((size_t)262144)
#define READ_MAX 16384
#define HOST_FLAGS                              \
	(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | \
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

enum link_state {
	LINK_RESOLVING = 0,
	LINK_CONNECTING,
	LINK_SHAKING,
	LINK_TALKING,  /* until the dialog is ready */
	LINK_MAILING,  /* the mail */
	LINK_SETTLING, /* its end is known; the loop tells it */
	LINK_RESETTING,
	LINK_IDLE,
	LINK_LEAVING,
};

struct link {
	struct links *links;
	struct link *prev, *next;
	enum link_state state;
	struct link_order order;
	char host[HOST_MAX + 1], name[HOST_MAX + 1]; /* of order.hop */
	struct resolve_wait *resolving;
	struct race *race;
	struct stream *stream;
	struct timer *timer; /* of what is waited for */
	struct dialog dialog;
	bool in_dialog;  /* it has begun */
	bool taking;     /* under links_take */
	bool sent_whole; /* the content has left with its last byte */
	struct link_report report;
	void (*done)(void *owner, const struct link_report *r);
	void *owner;
};

struct links {
	const struct mail_settings *settings;
	const struct upstream_settings *upstream;
	struct resolver *resolver;
	struct loop *loop;
	SSL_CTX *ctx;
	struct link *first; /* the last one used first */
	bool draining;
	void (*room)(void *owner);
	void *owner;
};

static void look(void *owner);
static void drained(void *owner);

static const struct stream_events events = {
	.on_readable = look,
	.on_drained = drained,
};

/* The list. */

static void
unlink_link(struct link *l)
{
	*(l->prev != NULL ? &l->prev->next : &l->links->first) = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
}

static void
link_first(struct link *l)
{
	struct links *ls = l->links;

	l->prev = NULL;
	l->next = ls->first;
	if (l->next != NULL)
		l->next->prev = l;
	ls->first = l;
}

static void
link_free(struct link *l)
{
	unlink_link(l);
	resolver_cancel(l->resolving);
	race_free(l->race);
	timer_free(l->timer);
	stream_free(l->stream);
	if (l->in_dialog)
		dialog_release(&l->dialog);
	free(l);
}

static void
tell_room(struct links *ls)
{
	ls->room(ls->owner);
}

static void
send_output(struct link *l)
{
	stream_write(l->stream, dialog_output(&l->dialog));
}

/* Between mails. */

static void
leave(struct link *l)
{
	dialog_quit(&l->dialog);
	send_output(l);
	l->state = LINK_LEAVING;
	timer_start(l->timer, LEAVE_MS);
}

static void
idle(struct link *l)
{
	if (l->links->draining) {
		leave(l);
		return;
	}
	l->state = LINK_IDLE;
	timer_start(l->timer, IDLE_MS);
	unlink_link(l);
	link_first(l);
}

/* The end of a mail. Who waits for a connection comes before what the end of
 * this one brings, which may be another mail. */
static void
finish(struct link *l)
{
	struct link_report report = l->report;
	void (*done)(void *, const struct link_report *) = l->done;
	void *owner = l->owner;
	struct links *ls = l->links;

	l->done = NULL;
	l->order.mail = NULL;
	if (report.end != LINK_OVER || l->dialog.state == DIALOG_BROKEN) {
		link_free(l);
	} else if (l->dialog.state == DIALOG_READY) {
		idle(l);
	} else {
		l->state = LINK_RESETTING;
		timer_start(l->timer, ls->settings->reply_timeout_ms);
	}
	tell_room(ls);
	done(owner, &report);
}

static void
settle(struct link *l)
{
	if (!l->taking) {
		finish(l);
		return;
	}
	l->state = LINK_SETTLING;
	timer_start(l->timer, 0);
}

static void fail(struct link *l, const char *enhanced, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void
fail(struct link *l, const char *enhanced, const char *format, ...)
{
	va_list args;

	l->report.enhanced = enhanced;
	va_start(args, format);
	vsnprintf(l->report.words, sizeof(l->report.words), format, args);
	va_end(args);
	settle(l);
}

/* The dialog is at its end; what that means for a mail. said: what the peer
 * ended it with, or NULL. */
static void
broken(struct link *l, const struct smtp_reply *said)
{
	struct links *ls = l->links;
	const struct dialog *d = &l->dialog;

	if (l->done == NULL) {
		link_free(l);
		tell_room(ls);
		return;
	}
	if (l->state == LINK_MAILING && d->mail == NULL)
		l->report.end = LINK_OVER;
	else if (l->state == LINK_MAILING && d->heard)
		l->report.end = LINK_BROKE;
	if (l->report.end == LINK_OVER) {
		settle(l);
		return;
	}
	l->report.doubtful = l->sent_whole;
	if (said != NULL && said->code >= 400)
		fail(l, "4.4.2", "%s: %u %s", d->why, said->code, said->text);
	else
		fail(l, "4.4.2", "%s", d->why);
}

static void
break_off(struct link *l, const char *why)
{
	dialog_break(&l->dialog, why);
	broken(l, NULL);
}

/* A mail. */

static void
note_sent(struct link *l)
{
	l->sent_whole = l->dialog.accepted > 0;
	timer_start(l->timer, CONTENT_REPLY_MS);
}

static void
pump(struct link *l)
{
	struct stream *s = l->stream;

	while (l->dialog.state == DIALOG_CONTENT && stream_queued(s) == 0 &&
	    !stream_broken(s))
		stream_put(s, dialog_content(&l->dialog, SLICE_MAX));
	stream_flush(s);
	/* A stream that broke is read to its end, and told there. */
	if (l->dialog.state == DIALOG_SENT && stream_queued(s) == 0 &&
	    !stream_broken(s))
		note_sent(l);
	else
		timer_start(l->timer, l->links->settings->reply_timeout_ms);
}

static void
drained(void *owner)
{
	struct link *l = owner;

	if (l->state == LINK_SHAKING)
		look(l);
	else if (l->state == LINK_MAILING && l->dialog.state == DIALOG_CONTENT)
		pump(l);
	else if (l->state == LINK_MAILING && l->dialog.state == DIALOG_SENT)
		note_sent(l);
}

static void
begin_mail(struct link *l)
{
	l->state = LINK_MAILING;
	l->sent_whole = false;
	dialog_mail(&l->dialog, l->order.mail);
	if (l->dialog.mail == NULL) {
		l->report.end = LINK_OVER;
		settle(l);
		return;
	}
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	send_output(l);
}

/* TLS. */

static SSL *
new_ssl(struct link *l)
{
	SSL *ssl = SSL_new(l->links->ctx);
	X509_VERIFY_PARAM *p;
	struct address literal;

	must(ssl != NULL);
	p = SSL_get0_param(ssl);
	X509_VERIFY_PARAM_set_hostflags(p, HOST_FLAGS);
	if (address_parse(&literal, bytes_of(l->name)) == 0) {
		must(X509_VERIFY_PARAM_set1_ip_asc(p, l->name) == 1);
	} else {
		must(X509_VERIFY_PARAM_set1_host(p, l->name, 0) == 1);
		must(SSL_set_tlsext_host_name(ssl, l->name) == 1);
	}
	if (l->order.hop.tls != HOP_TLS_VERIFIED) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		SSL_set_security_level(ssl, 1);
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

static void
begin_dialog(struct link *l, enum dialog_tls tls)
{
	dialog_init(&l->dialog, l->links->settings->name, tls);
	l->in_dialog = true;
	l->state = LINK_TALKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_want_read(l->stream, true);
}

static void
fail_handshake(struct link *l)
{
	long result = SSL_get_verify_result(stream_ssl(l->stream));
	bool unverified =
	    result != X509_V_OK && l->order.hop.tls == HOP_TLS_VERIFIED;

	l->report.unshaken = true;
	fail(l, "4.7.5", "TLS: %s",
	    unverified ? X509_verify_cert_error_string(result)
		       : stream_why(l->stream));
}

static void
shaken(struct link *l)
{
	SSL *ssl = stream_ssl(l->stream);

	l->report.tls = SSL_get_version(ssl);
	l->report.tls_verified = SSL_get0_peer_certificate(ssl) != NULL &&
	    SSL_get_verify_result(ssl) == X509_V_OK;
	if (!l->in_dialog) {
		begin_dialog(l, DIALOG_TLS_NEVER);
		return;
	}
	l->state = LINK_TALKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_want_read(l->stream, true);
	dialog_secured(&l->dialog);
	send_output(l);
}

static void
shake(struct link *l)
{
	switch (stream_handshake(l->stream)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		break;
	case HANDSHAKE_DONE:
		shaken(l);
		break;
	case HANDSHAKE_FAILED:
		fail_handshake(l);
		break;
	}
}

static void
begin_tls(struct link *l)
{
	l->state = LINK_SHAKING;
	timer_start(l->timer, l->links->settings->reply_timeout_ms);
	stream_tls(l->stream, new_ssl(l));
	shake(l);
}

/* The dialog heard something. The link may be gone behind this. */
static void
act(struct link *l)
{
	struct links *ls = l->links;

	if (l->dialog.state == DIALOG_BROKEN) {
		broken(l, &l->dialog.reader.reply);
		return;
	}
	send_output(l);
	if (l->state == LINK_MAILING && l->dialog.mail == NULL) {
		l->report.end = LINK_OVER;
		settle(l);
	} else if (l->dialog.state == DIALOG_HANDSHAKE) {
		begin_tls(l);
	} else if (l->dialog.state == DIALOG_CONTENT) {
		pump(l);
	} else if (l->dialog.state == DIALOG_READY &&
	    l->state == LINK_TALKING) {
		begin_mail(l);
	} else if (l->dialog.state == DIALOG_READY &&
	    l->state == LINK_RESETTING) {
		idle(l);
		tell_room(ls);
	}
}

static void
hear(struct link *l, struct bytes b)
{
	enum dialog_state before = l->dialog.state;
	size_t answered = l->dialog.answered;

	dialog_feed(&l->dialog, b);
	/* Not for a part of a reply: a peer could go on for ever. */
	if (l->dialog.state != before || l->dialog.answered != answered)
		timer_start(l->timer, l->links->settings->reply_timeout_ms);
	act(l);
}

/* Something can be read. */
static void
look(void *owner)
{
	static uint8_t room[READ_MAX];
	struct link *l = owner;
	size_t n;

	if (l->state == LINK_SHAKING) {
		shake(l);
		return;
	}
	switch (stream_read(l->stream, room, sizeof(room), &n)) {
	case STREAM_WAIT:
		break;
	case STREAM_READ:
		hear(l, (struct bytes){ room, n });
		break;
	case STREAM_END:
	case STREAM_CUT:
		break_off(l, "connection closed by the peer");
		break;
	case STREAM_FAILED:
		break_off(l, stream_why(l->stream));
		break;
	}
}

static void
due(void *owner)
{
	struct link *l = owner;
	struct links *ls = l->links;

	switch (l->state) {
	case LINK_RESOLVING:
		fail(l, "4.4.3", "no answer from the name server");
		break;
	case LINK_CONNECTING:
		/* All of them were tried. */
		l->report.left.n = 0;
		fail(l, "4.4.1", "%s: no answer", l->host);
		break;
	case LINK_SHAKING:
		l->report.unshaken = true;
		fail(l, "4.7.5", "TLS: no answer in time");
		break;
	case LINK_TALKING:
	case LINK_MAILING:
		break_off(l, "no answer in time");
		break;
	case LINK_SETTLING:
		l->taking = false;
		finish(l);
		break;
	case LINK_IDLE:
		leave(l);
		tell_room(ls);
		break;
	case LINK_RESETTING:
	case LINK_LEAVING:
		link_free(l);
		tell_room(ls);
		break;
	}
}

/* Connecting. */

static void
note_peer(struct link *l, const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	struct addresses *left = &l->report.left;

	snprintf(l->report.peer, sizeof(l->report.peer), "%s[%s]:%u", l->host,
	    address_text(a, text), a->port);
	for (size_t i = 0; i < left->n; i++)
		if (address_equal(&left->a[i], a)) {
			left->a[i] = left->a[--left->n];
			break;
		}
}

static enum dialog_tls
wanted_tls(const struct link *l)
{
	if (l->order.choice == LINK_FRESH_PLAIN)
		return DIALOG_TLS_NEVER;
	switch (l->order.hop.tls) {
	case HOP_TLS_VERIFIED:
		return DIALOG_TLS_REQUIRED;
	case HOP_TLS_OPPORTUNISTIC:
		return DIALOG_TLS_OFFERED;
	case HOP_TLS_NONE:
		return DIALOG_TLS_NEVER;
	}
	return DIALOG_TLS_REQUIRED;
}

static void
connected(void *owner, int fd, const struct address *a, const char *words)
{
	struct link *l = owner;

	if (fd < 0) {
		l->report.left.n = 0;
		fail(l, "4.4.1", "%s", words);
		return;
	}
	note_peer(l, a);
	race_free(l->race);
	l->race = NULL;
	l->stream = stream_new(l->links->loop, fd, &events, l);
	if (l->order.hop.implicit)
		begin_tls(l);
	else
		begin_dialog(l, wanted_tls(l));
}

/* With the hop's port; what may not be reached is left out. Why so, when
 * nothing is left. */
static const char *
judge(struct link *l, const struct addresses *all)
{
	static const struct zone nowhere = { 0 };
	const struct zone *z = l->order.zone == NULL ? &nowhere : l->order.zone;
	const struct upstream_settings *u = l->links->upstream;
	struct addresses *out = &l->report.left;
	const char *refused = NULL;
	const char *why = NULL;

	*out = (struct addresses){ 0 };
	for (size_t i = 0; i < all->n && out->n < ADDRESSES_TRIED_MAX; i++) {
		if (l->order.reach == LINK_REACH_JUDGED)
			refused = reach_judge(
			    &all->a[i], z, u->refused, u->refused_n);
		if (refused != NULL) {
			why = refused;
			continue;
		}
		out->a[out->n] = all->a[i];
		out->a[out->n++].port = l->order.hop.port;
	}
	return out->n > 0 ? NULL : why;
}

static void
begin_race(struct link *l, const struct addresses *all)
{
	const char *why;

	if (all->n == 0) {
		l->report.lasting =
		    !all->silent && l->order.reach == LINK_REACH_JUDGED;
		fail(l, l->report.lasting ? "5.4.4" : "4.4.3", "%s: %s",
		    l->host,
		    all->words == NULL ? "the name has no address"
				       : all->words);
		return;
	}
	why = judge(l, all);
	if (why != NULL) {
		l->report.lasting = true;
		fail(l, "5.4.4", "%s leads to a %s", l->host, why);
		return;
	}
	l->state = LINK_CONNECTING;
	l->race = race_new(l->links->loop, l->report.left.a, l->report.left.n,
	    l->links->upstream->race_delay_ms, connected, l);
}

static void
resolved(void *owner, const struct addresses *all)
{
	struct link *l = owner;

	l->resolving = NULL;
	begin_race(l, all);
}

static void
open_link(struct link *l)
{
	struct addresses all = l->order.only;
	struct address literal;

	timer_start(l->timer, l->links->settings->connect_timeout_ms);
	if (all.n == 0 && address_parse(&literal, bytes_of(l->host)) == 0) {
		all.n = 1;
		all.a[0] = literal;
	}
	if (all.n == 0)
		l->resolving = resolver_get(
		    l->links->resolver, bytes_of(l->host), &all, resolved, l);
	if (l->resolving == NULL)
		begin_race(l, &all);
}

/* Which one a mail gets. */

static bool
fits(const struct link *l, const struct link_order *o)
{
	const struct next_hop *a = &l->order.hop, *b = &o->hop;

	return a->port == b->port && a->tls == b->tls &&
	    a->implicit == b->implicit && l->order.reach == o->reach &&
	    l->order.zone == o->zone && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->name, b->name) == 0;
}

/* Of those that fit: how many there are, and one that nobody uses. */
static size_t
count_fitting(
    struct links *ls, const struct link_order *o, struct link **idle_out)
{
	size_t n = 0;

	*idle_out = NULL;
	for (struct link *l = ls->first; l != NULL; l = l->next) {
		if (l->state == LINK_LEAVING || !fits(l, o))
			continue;
		n++;
		if (l->state == LINK_IDLE && *idle_out == NULL)
			*idle_out = l;
	}
	return n;
}

static struct link *
link_new(struct links *ls, const struct link_order *o)
{
	struct link *l = calloc(1, sizeof(*l));

	must(l != NULL);
	l->links = ls;
	l->order = *o;
	snprintf(l->host, sizeof(l->host), "%s", o->hop.host);
	snprintf(l->name, sizeof(l->name), "%s", o->hop.name);
	l->order.hop.host = l->host;
	l->order.hop.name = l->name;
	l->report.tls = "";
	l->timer = timer_new(ls->loop, due, l);
	link_first(l);
	return l;
}

struct link *
links_take(struct links *ls, const struct link_order *order,
    void (*done)(void *owner, const struct link_report *r), void *owner)
{
	struct link *l;
	size_t n = count_fitting(ls, order, &l);

	if (order->choice != LINK_ANY) {
		if (l != NULL && n >= ls->settings->connections_per_hop) {
			link_free(l);
			n--;
		}
		l = NULL;
	}
	while (l != NULL && !stream_is_quiet(l->stream)) {
		link_free(l);
		n = count_fitting(ls, order, &l);
	}
	if (l == NULL && n >= ls->settings->connections_per_hop)
		return NULL;
	if (l == NULL)
		l = link_new(ls, order);
	else
		l->report.reused = true;
	l->done = done;
	l->owner = owner;
	l->order.mail = order->mail;
	l->report.end = LINK_UNHEARD;
	l->report.doubtful = false;
	l->report.left.n = 0;
	l->taking = true;
	if (l->report.reused)
		begin_mail(l);
	else
		open_link(l);
	if (l->state != LINK_SETTLING)
		l->taking = false;
	return l;
}

void
link_cancel(struct link *l)
{
	struct links *ls;

	if (l == NULL)
		return;
	ls = l->links;
	/* So that what came of the content is not taken for all of it. */
	if (l->stream != NULL && l->state == LINK_MAILING)
		stream_reset(l->stream);
	link_free(l);
	tell_room(ls);
}

void
links_drain(struct links *ls)
{
	ls->draining = true;
	for (struct link *l = ls->first; l != NULL; l = l->next)
		if (l->state == LINK_IDLE)
			leave(l);
}

static SSL_CTX *
new_ctx(struct trust *trust)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	if (trust != NULL)
		SSL_CTX_set1_cert_store(ctx, trust_store(trust));
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

struct links *
links_new(const struct mail_settings *s, const struct upstream_settings *u,
    struct resolver *r, struct trust *trust, struct loop *l,
    void (*room)(void *owner), void *owner, struct err *e)
{
	struct links *ls = calloc(1, sizeof(*ls));

	must(ls != NULL);
	ls->settings = s;
	ls->upstream = u;
	ls->resolver = r;
	ls->loop = l;
	ls->room = room;
	ls->owner = owner;
	ls->ctx = new_ctx(trust);
	if (ls->ctx != NULL)
		return ls;
	err_set(e, "TLS to next hops: out of memory");
	free(ls);
	return NULL;
}

void
links_free(struct links *ls)
{
	struct link *l;

	if (ls == NULL)
		return;
	while ((l = ls->first) != NULL) {
		if (l->state == LINK_IDLE)
			leave(l);
		link_free(l);
	}
	SSL_CTX_free(ls->ctx);
	free(ls);
}
