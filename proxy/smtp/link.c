/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/smtp/link_state.h"
#include "proxy/upstream/race.h"

#define IDLE_MS 30000
#define LEAVE_MS 5000
#define CONTENT_REPLY_MS 600000 /* RFC 5321 section 4.5.3.2.6 */
/* Above what a wire gathers, so that the content goes to the socket as it
 * lies, and what the socket does not take of a slice is all that is copied. */
#define SLICE_MAX ((size_t)262144)
#define READ_MAX 16384

static void look(void *owner);
static void drained(void *owner);

const struct stream_events link_events = {
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

void
link_say(struct link *l)
{
	stream_write(l->stream, dialog_output(&l->dialog));
}

/* Between mails. */

static void
leave(struct link *l)
{
	dialog_quit(&l->dialog);
	link_say(l);
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

	report.dsn = dialog_tells_senders(&l->dialog);
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

void
link_fail(struct link *l, const char *enhanced, const char *format, ...)
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
	const char *enhanced = d->unsecured ? "4.7.5" : "4.4.2";

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
		link_fail(
		    l, enhanced, "%s: %u %s", d->why, said->code, said->text);
	else
		link_fail(l, enhanced, "%s", d->why);
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
	link_say(l);
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
	link_say(l);
	if (l->state == LINK_MAILING && l->dialog.mail == NULL) {
		l->report.end = LINK_OVER;
		settle(l);
	} else if (l->dialog.state == DIALOG_HANDSHAKE) {
		link_begin_tls(l);
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
		link_shake(l);
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
		link_fail(l, "4.4.3", "no answer from the name server");
		break;
	case LINK_CONNECTING:
		/* All of them were tried. */
		l->report.left.n = 0;
		link_fail(l, "4.4.1", "%s: no answer", l->host);
		break;
	case LINK_SHAKING:
		l->report.unshaken = true;
		link_fail(l, "4.7.5", "TLS: no answer in time");
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

/* Which one a mail gets. */

static const char *
name_of(const struct next_hop *hop)
{
	return hop->name == NULL || hop->name[0] == '\0' ? hop->host
							 : hop->name;
}

static bool
fits(const struct link *l, const struct link_order *o)
{
	const struct next_hop *a = &l->order.hop, *b = &o->hop;

	return a->port == b->port && a->tls == b->tls &&
	    a->implicit == b->implicit && l->order.reach == o->reach &&
	    l->order.zone == o->zone && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->name, name_of(b)) == 0 &&
	    (a->tls != HOP_TLS_DANE ||
		(tlsa_equal(&l->order.tlsa, &o->tlsa) &&
		    strcmp(l->order.domain, o->domain) == 0));
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
	snprintf(l->name, sizeof(l->name), "%s", name_of(&o->hop));
	l->order.hop.host = l->host;
	l->order.hop.name = l->name;
	snprintf(l->domain, sizeof(l->domain), "%s",
	    o->domain == NULL ? "" : o->domain);
	l->order.domain = l->domain;
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
		link_open(l);
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

SSL_CTX *
link_ctx_new(struct trust *trust)
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
	must(SSL_CTX_dane_enable(ctx) > 0);
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
	ls->ctx = link_ctx_new(trust);
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
