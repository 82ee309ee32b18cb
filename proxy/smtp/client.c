/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/client.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/base/log.h"
#include "proxy/base/stream.h"
#include "proxy/isolation/trips.h"
#include "proxy/listener/proxy_protocol.h"
#include "proxy/smtp/head.h"
#include "proxy/smtp/mail.h"
#include "proxy/smtp/outbound.h"
#include "proxy/smtp/recipients.h"

#define LINGER_MS 5000 /* for our last words to be read */
#define HEARING_MS 20  /* between looks whether they were */
#define OUT_WAIT 65536 /* bytes not taken: we read no more until they are */
#define HANDSHAKE_MS 30000
/* So much of a content must come for data_timeout to begin anew. */
#define CONTENT_STEP 4096

enum phase {
	PHASE_PREFACE = 0, /* the PROXY header */
	PHASE_SILENCE,     /* before the greeting: who talks now is no MTA */
	PHASE_HANDSHAKE,
	PHASE_TALK,
	PHASE_CLOSING,
};

struct mail_client {
	struct mailer *mailer;
	struct mail_client *next, *prev;
	const struct mail_listener_settings *listener;
	enum phase phase;
	struct stream *stream;
	struct timer *timer;
	uint64_t ends_ms; /* the session's last moment */
	struct address peer, address;
	const struct segment *segment; /* NULL: from outside */
	struct proxy_protocol *preface;
	struct session session;
	bool counted; /* on the board, as this */
	struct address counted_address;
	const struct segment *counted_segment;
	/* the mail that comes */
	struct buf content;
	struct share share;
	bool over_budget;
	const struct mail_route *route; /* of the recipient asked about */
	struct recipients_wait *asking;
	struct mail *mail; /* it waits for its answer */
	bool told;         /* its end was told to the journal */
	/* Of a client that had closed his half before the answer: the last
	 * mail, until it is known whether he has heard it. */
	bool unheard;
	uint8_t digest[REPEATS_DIGEST];
	uint64_t hears_until_ms;
	/* of the session, when its timer was set */
	uint32_t lines;
	uint64_t taken; /* bytes of content */
};

static void
free_client(struct mail_client *c)
{
	struct mailer *m = c->mailer;

	recipients_cancel(c->asking);
	c->asking = NULL;
	if (c->mail != NULL)
		mail_leave(c->mail);
	c->mail = NULL;
	*(c->prev != NULL ? &c->prev->next : &m->clients) = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	m->clients_n--;
	if (c->counted)
		board_disconnected(m->board, &c->counted_address,
		    c->counted_segment == NULL
			? BODIES_MAX - 1
			: c->counted_segment->body->index);
	share_give(c->share, c->content.n);
	buf_release(&c->content);
	session_release(&c->session);
	timer_free(c->timer);
	stream_free(c->stream);
	free(c->preface);
	counter_sub(COUNTER_MAIL_SESSIONS, 1);
	loop_defer(m->loop, free, c);
	mailer_check(m);
}

static void
record_end(struct mail_client *c, const char *why)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	if (c->told || why == NULL)
		return;
	c->told = true;
	counter_add(COUNTER_CONNECTIONS_REFUSED, 1);
	log_begin(&l, EVENT_REFUSED, NULL);
	if (c->segment != NULL) {
		log_string(&l, "body", c->segment->body->code);
		log_string(&l, "zone", c->segment->zone->name);
	}
	log_string(&l, "client", address_text(&c->address, text));
	log_string(&l, "protocol", "smtp");
	if (c->session.helo[0] != '\0')
		log_string(&l, "helo", c->session.helo);
	log_string(&l, "why", why);
	log_end(&l);
}

static void
flush(struct mail_client *c)
{
	if (c->session.out.n == 0)
		return;
	stream_write(c->stream, buf_bytes(&c->session.out));
	buf_consume(&c->session.out, c->session.out.n);
}

/* Our last words are sent; what the client says meanwhile is thrown away, so
 * that the connection is not reset under them. */
static void
close_client(struct mail_client *c, const char *why)
{
	record_end(c, why);
	flush(c);
	c->phase = PHASE_CLOSING;
	stream_shutdown(c->stream);
	timer_start(c->timer, LINGER_MS);
	stream_want_read(c->stream, true);
}

/* Who has closed his half may read still, as what sends its mails by a pipe
 * does, or be gone: then the same mail comes again. */
static void
find_whether_heard(struct mail_client *c)
{
	struct mailer *m = c->mailer;
	enum stream_hearing hearing = stream_hearing(c->stream);

	if (hearing == STREAM_HEARS &&
	    loop_now_ms(m->loop) < c->hears_until_ms) {
		timer_start(c->timer, HEARING_MS);
		return;
	}
	if (hearing == STREAM_HEARD)
		mail_forget(m, c->digest);
	free_client(c);
}

/* He says no more. */
static void
end_client(struct mail_client *c)
{
	if (!c->unheard) {
		free_client(c);
		return;
	}
	if (c->phase != PHASE_CLOSING)
		stream_shutdown(c->stream);
	c->phase = PHASE_CLOSING;
	c->hears_until_ms = loop_now_ms(c->mailer->loop) + LINGER_MS;
	stream_want_read(c->stream, false);
	find_whether_heard(c);
}

static void
turn_away(struct mail_client *c, unsigned code, const char *enhanced,
    const char *text)
{
	struct smtp_reply r;

	reply_set(&r, code, enhanced, "%s", text);
	session_turn_away(&c->session, &r);
	close_client(c, text);
}

/* Nothing can be said in order: TLS is not there, or a header is wrong. */
static void
drop_client(struct mail_client *c, const char *why)
{
	record_end(c, why);
	stream_reset(c->stream);
	free_client(c);
}

static void
set_timer_until(struct mail_client *c, uint64_t ms, uint64_t ends_ms)
{
	uint64_t now = loop_now_ms(c->mailer->loop);
	uint64_t left = ends_ms > now ? ends_ms - now : 1;

	timer_start(c->timer, ms < left ? ms : left);
}

static void
set_timer(struct mail_client *c, uint64_t ms)
{
	set_timer_until(c, ms, c->ends_ms);
}

/* A mail that is under way at the session's end may take as long again. */
static void
set_talk_timer(struct mail_client *c)
{
	const struct mail_settings *s = &c->mailer->settings->mail;

	c->lines = c->session.lines;
	c->taken = c->session.data.size;
	if (c->session.state == SESSION_TAKING)
		set_timer_until(
		    c, s->data_timeout_ms, c->ends_ms + s->session_max_ms);
	else
		set_timer(c, s->command_timeout_ms);
}

/* Who sends a byte now and then is not heard for longer. */
static bool
has_gone_on(const struct mail_client *c)
{
	return c->lines != c->session.lines ||
	    (c->session.state == SESSION_TAKING &&
		c->session.data.size >= c->taken + CONTENT_STEP);
}

/* Decisions. */

static struct mail_origin
origin_of(const struct mail_client *c)
{
	static const char *const protocols[2][2] = {
		{ "SMTP", "SMTP" },
		{ "ESMTP", "ESMTPS" },
	};
	const SSL *ssl = stream_ssl(c->stream);

	return (struct mail_origin){
		.client = c->address,
		.segment = c->segment,
		.helo = c->session.claimed.helo[0] != '\0'
		    ? c->session.claimed.helo
		    : c->session.helo,
		.protocol = protocols[c->session.esmtp][c->session.secured],
		.tls = ssl == NULL ? "" : SSL_get_version(ssl),
		.arrived = (uint64_t)time(NULL),
	};
}

static void
refuse(struct mail_client *c, const char *stage, struct bytes recipient,
    const struct mail_reason *why, const struct smtp_reply *r)
{
	const struct mail_origin o = origin_of(c);

	trail_refused(
	    &o, stage, c->session.envelope.sender.text, recipient, why, r);
}

static bool
is_too_fast(struct mail_client *c)
{
	struct mailer *m = c->mailer;
	const struct mail_settings *s = &m->settings->mail;
	const struct bytes address = rates_key(&c->address);
	uint64_t now = loop_now_ms(m->loop);
	bool good;

	common_lock(m->common);
	good = rates_take(
		   &m->common->clients, address, s->messages_per_minute, now) &&
	    (c->segment == NULL ||
		rates_take(&m->common->bodies, bytes_of(c->segment->body->code),
		    s->messages_per_minute_body, now));
	common_unlock(m->common);
	return !good;
}

static void
decide_sender(struct mail_client *c)
{
	struct mailer *m = c->mailer;
	const struct envelope *e = &c->session.envelope;
	struct mail_reason why = { 0 };
	struct smtp_reply r;

	reply_set(&r, 250, "2.1.0", "sender ok");
	if (m->draining) {
		reply_set(&r, 421, "4.3.2", "being restarted, come again");
	} else if (is_too_fast(c)) {
		reply_set(&r, 450, "4.7.1", "too many mails in this minute");
		why.rule = "messages per minute";
		refuse(c, "envelope", (struct bytes){ 0 }, &why, &r);
	} else if (!spool_has_room(m->spool, e->size)) {
		reply_set(&r, 452, "4.3.1", "no room for mail now");
		why.rule = "spool";
		refuse(c, "envelope", (struct bytes){ 0 }, &why, &r);
	} else if (routes_judge_client(m->settings->routes, c->segment, &why,
		       &r) == MAIL_REFUSED ||
	    routes_judge_sender(m->settings->routes, c->segment, &e->sender,
		&why, &r) == MAIL_REFUSED) {
		refuse(c, "policy", (struct bytes){ 0 }, &why, &r);
	} else {
		reply_set(&r, 250, "2.1.0", "sender ok");
	}
	session_answer(&c->session, &r);
}

static const struct mail_recipient *
newest_recipient(const struct mail_client *c)
{
	const struct envelope *e = &c->session.envelope;

	return &e->recipients[e->recipients_n - 1];
}

static void
answer_recipient(struct mail_client *c, const struct smtp_reply *asked)
{
	struct bytes to = newest_recipient(c)->address.text;
	const struct mail_reason why = { .rule = "next hop" };
	struct smtp_reply r;

	reply_set(&r, 250, "2.1.5", "recipient ok");
	if (reply_is_final(asked)) {
		r = *asked;
		outbound_failed(c->mailer, c->segment, &c->session.envelope);
		refuse(c, "recipient", to, &why, &r);
	}
	/* A next hop that cannot be asked now is no reason: the spool waits
	 * for it. */
	session_answer(&c->session, &r);
}

static void
on_recipient(void *owner, const struct smtp_reply *reply)
{
	struct mail_client *c = owner;

	c->asking = NULL;
	answer_recipient(c, reply);
	flush(c);
	set_talk_timer(c);
	stream_want_read(c->stream, true);
}

static void
decide_recipient(struct mail_client *c)
{
	struct mailer *m = c->mailer;
	const struct mail_recipient *to = newest_recipient(c);
	const struct mail_route *route;
	struct mail_reason why = { 0 };
	struct smtp_reply r = { 0 };

	route = routes_judge_recipient(
	    m->settings->routes, c->segment, &to->address, &why, &r);
	if (route == NULL) {
		refuse(c, "policy", to->address.text, &why, &r);
		outbound_failed(m, c->segment, &c->session.envelope);
		session_answer(&c->session, &r);
		return;
	}
	if (!route->verify_recipients) {
		answer_recipient(c, &r);
		return;
	}
	c->asking =
	    recipients_ask(m->recipients, route, to, &r, on_recipient, c);
	if (c->asking == NULL)
		answer_recipient(c, &r);
}

static void
decide_data(struct mail_client *c)
{
	struct smtp_reply r;

	if (!spool_has_room(c->mailer->spool, c->session.envelope.size))
		reply_set(&r, 452, "4.3.1", "no room for mail now");
	else
		reply_set(&r, 250, NULL, "go on");
	buf_release(&c->content);
	buf_init(&c->content, c->mailer->settings->mail.size_max);
	c->over_budget = false;
	session_answer(&c->session, &r);
}

static void
take_piece(struct mail_client *c)
{
	struct bytes piece = c->session.piece;

	if (c->over_budget)
		return;
	if (!share_take(c->share, piece.n)) {
		c->over_budget = true;
		return;
	}
	must(buf_append(&c->content, piece) == 0);
}

static void
forget_content(struct mail_client *c)
{
	share_give(c->share, c->content.n);
	buf_release(&c->content);
}

/* The answer to the content, ours or a next hop's. Who leaves behind it, which
 * can be before flush comes back, has heard it. */
static void
on_answer(void *owner, const struct smtp_reply *r)
{
	struct mail_client *c = owner;
	struct mail *mail = c->mail;
	bool left = stream_is_left(c->stream);

	c->mail = NULL;
	session_answer(&c->session, r);
	flush(c);
	if (reply_is_done(r) && left)
		c->unheard = mail_remember(mail, c->digest);
	set_talk_timer(c);
	stream_want_read(c->stream, true);
}

/* What is wrong with it by its bytes alone. */
static bool
is_bad(struct mail_client *c, struct smtp_reply *r)
{
	const struct data *d = &c->session.data;

	if (d->fault == DATA_FAULT_SIZE)
		reply_set(r, 552, "5.3.4", "the mail is too large");
	else if (d->fault != DATA_FAULT_NONE)
		reply_set(r, 554, "5.6.0", "%s in the mail",
		    data_fault_words(d->fault));
	else if (c->over_budget)
		reply_set(r, 452, "4.3.1", "no memory for the mail now");
	else if (head_hops(buf_bytes(&c->content)) > HEAD_HOPS_MAX)
		reply_set(r, 554, "5.4.6", "the mail goes in a circle");
	else
		return false;
	return true;
}

static void
take_mail(struct mail_client *c)
{
	const struct mail_origin origin = origin_of(c);
	const struct data *d = &c->session.data;
	struct smtp_reply r;
	struct mail *mail;

	if (is_bad(c, &r)) {
		refuse(c, "content", (struct bytes){ 0 }, NULL, &r);
		forget_content(c);
		session_answer(&c->session, &r);
		return;
	}
	mail = mail_new(
	    c->mailer, &origin, &c->session.envelope, &c->content, c->share);
	mail->eight_bit = d->eight_bit;
	mail->longest = d->longest;
	c->mail = mail;
	mail_go(mail, on_answer, c);
}

/* It may have the gate and nothing else. */
static void
trip(const struct mail_client *c)
{
	if (c->segment != NULL && c->segment->zone->kind == ZONE_MYNUMBER)
		trips_tried(c->mailer->trips, &c->address, &c->listener->at,
		    BYTES("SMTP"));
}

/* Of the provision network, which opens nothing. My Number segments are told so
 * by routes_judge_client. */
static bool
is_provision(const struct mail_client *c, const struct address *a)
{
	const struct settings *s = c->mailer->settings;

	return zones_lookup(s->zones, a) == NULL &&
	    reach_separated(a, &s->upstream.reach) != NULL;
}

#define PROVISION_WORDS "the provision network sends no mail"

static void
accept_claim(struct mail_client *c)
{
	struct smtp_reply r;

	if (c->session.claimed.has_address &&
	    is_provision(c, &c->session.claimed.address)) {
		reply_set(&r, 550, "5.7.1", PROVISION_WORDS);
		session_answer(&c->session, &r);
		return;
	}
	if (c->session.claimed.has_address) {
		c->address = c->session.claimed.address;
		c->segment =
		    zones_lookup(c->mailer->settings->zones, &c->address);
		trip(c);
	}
	reply_set(&r, 220, NULL, "ok");
	session_answer(&c->session, &r);
}

/* TLS. */

static void
begin_handshake(struct mail_client *c)
{
	SSL *ssl = SSL_new(c->mailer->tls);

	must(ssl != NULL);
	SSL_set_accept_state(ssl);
	stream_tls(c->stream, ssl);
	c->phase = PHASE_HANDSHAKE;
	set_timer(c, HANDSHAKE_MS);
	stream_want_read(c->stream, true);
}

static void
begin_starttls(struct mail_client *c)
{
	struct smtp_reply r;

	reply_set(&r, 220, "2.0.0", "begin TLS");
	session_answer(&c->session, &r);
	flush(c);
	begin_handshake(c);
}

static void greet(struct mail_client *c);

static void
shake_hands(struct mail_client *c)
{
	switch (stream_handshake(c->stream)) {
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		return;
	case HANDSHAKE_FAILED:
		drop_client(c, "TLS did not come about");
		return;
	case HANDSHAKE_DONE:
		break;
	}
	c->phase = PHASE_TALK;
	if (c->listener->kind == MAIL_LISTENER_IMPLICIT) {
		session_secured(&c->session);
		greet(c);
		return;
	}
	/* Nor does what a trusted host said in clear hold any more. */
	session_secured(&c->session);
	c->address = c->counted_address;
	c->segment = c->counted_segment;
	set_talk_timer(c);
	stream_want_read(c->stream, true);
}

/* The talk. */

static void
answer_event(struct mail_client *c, enum session_event e)
{
	switch (e) {
	case SESSION_MAIL:
		decide_sender(c);
		return;
	case SESSION_RCPT:
		decide_recipient(c);
		return;
	case SESSION_DATA:
		decide_data(c);
		return;
	case SESSION_CONTENT:
		take_piece(c);
		return;
	case SESSION_END:
		take_mail(c);
		return;
	case SESSION_STARTTLS:
		begin_starttls(c);
		return;
	case SESSION_XCLIENT:
		accept_claim(c);
		return;
	case SESSION_RESET:
		forget_content(c);
		return;
	case SESSION_CLOSE:
		close_client(c, c->session.why);
		return;
	case SESSION_MORE:
		return;
	}
}

/* in: up to a decision that takes time; the rest is read again behind it. */
static void
hear(struct mail_client *c, struct bytes in)
{
	enum session_event e;

	do {
		e = session_next(&c->session, &in);
		answer_event(c, e);
	} while (e != SESSION_MORE && c->phase == PHASE_TALK &&
	    !session_waits(&c->session));
	if (c->phase != PHASE_TALK)
		return;
	if (session_waits(&c->session)) {
		stream_unread(c->stream, in);
		stream_want_read(c->stream, false);
		timer_stop(c->timer);
	} else {
		if (has_gone_on(c))
			set_talk_timer(c);
		if (stream_queued(c->stream) > OUT_WAIT)
			stream_want_read(c->stream, false);
	}
	flush(c);
}

static void begin(struct mail_client *c);

static void
hear_preface(struct mail_client *c, struct bytes in)
{
	switch (proxy_protocol_next(c->preface, &in)) {
	case PROXY_PROTOCOL_MORE:
		return;
	case PROXY_PROTOCOL_BAD:
		drop_client(c, c->preface->why);
		return;
	case PROXY_PROTOCOL_DONE:
		if (c->preface->has_source)
			c->address = c->preface->source;
		if (in.n > 0)
			stream_unread(c->stream, in);
		begin(c);
		return;
	}
}

static void
on_readable(void *owner)
{
	struct mail_client *c = owner;
	struct mailer *m = c->mailer;
	enum stream_answer answer;
	size_t n = 0;

	if (c->phase == PHASE_HANDSHAKE) {
		shake_hands(c);
		return;
	}
	answer = stream_read(c->stream, m->scratch, sizeof(m->scratch), &n);
	if (answer == STREAM_WAIT)
		return;
	if (answer != STREAM_READ) {
		if (c->session.state == SESSION_TAKING)
			record_end(c, "it left within a mail");
		end_client(c);
		return;
	}
	switch (c->phase) {
	case PHASE_PREFACE:
		hear_preface(c, (struct bytes){ m->scratch, n });
		return;
	case PHASE_SILENCE:
		turn_away(c, 521, "5.5.1", "you talk before the greeting");
		return;
	case PHASE_TALK:
		hear(c, (struct bytes){ m->scratch, n });
		return;
	case PHASE_HANDSHAKE:
	case PHASE_CLOSING:
		return;
	}
}

static void
on_drained(void *owner)
{
	struct mail_client *c = owner;

	if (c->phase == PHASE_HANDSHAKE)
		shake_hands(c);
	else if (c->phase == PHASE_TALK && !session_waits(&c->session))
		stream_want_read(c->stream, true);
}

static const struct stream_events events = {
	.on_readable = on_readable,
	.on_drained = on_drained,
};

static void
greet(struct mail_client *c)
{
	c->phase = PHASE_TALK;
	session_greet(&c->session);
	flush(c);
	set_talk_timer(c);
	stream_want_read(c->stream, true);
}

static void
timer_due(void *owner)
{
	struct mail_client *c = owner;

	switch (c->phase) {
	case PHASE_SILENCE:
		greet(c);
		return;
	case PHASE_TALK:
		turn_away(c, 421, "4.4.2",
		    loop_now_ms(c->mailer->loop) < c->ends_ms
			? "nothing came for too long"
			: "the session took too long");
		return;
	case PHASE_PREFACE:
		drop_client(c, "the PROXY header took too long");
		return;
	case PHASE_HANDSHAKE:
		drop_client(c, "TLS took too long");
		return;
	case PHASE_CLOSING:
		if (c->unheard)
			find_whether_heard(c);
		else
			free_client(c);
		return;
	}
}

static bool
is_over_limit(const struct mail_client *c)
{
	const struct mail_settings *s = &c->mailer->settings->mail;

	return c->mailer->clients_n > s->connections_max ||
	    board_client_connections(c->mailer->board, &c->address) >=
	    s->connections_per_client;
}

/* Early talk is told by what has come already, without any wait; a delay of
 * the greeting finds more of it. */
static void
begin_silence(struct mail_client *c)
{
	uint64_t delay = c->mailer->settings->mail.greeting_delay_ms;

	if (!stream_is_quiet(c->stream)) {
		turn_away(c, 521, "5.5.1", "you talk before the greeting");
		return;
	}
	if (delay == 0) {
		greet(c);
		return;
	}
	c->phase = PHASE_SILENCE;
	set_timer(c, delay);
	stream_want_read(c->stream, true);
}

/* The client is known by its address now. */
static void
begin(struct mail_client *c)
{
	struct mailer *m = c->mailer;
	struct mail_reason why = { 0 };
	struct smtp_reply r;

	c->address.port = 0;
	c->segment = zones_lookup(m->settings->zones, &c->address);
	c->share = budget_share(&m->budget, &c->address);
	trip(c);
	if (is_provision(c, &c->address)) {
		turn_away(c, 550, "5.7.1", PROVISION_WORDS);
		return;
	}
	if (is_over_limit(c)) {
		turn_away(c, 421, "4.7.0", "too many connections");
		return;
	}
	board_connected(m->board, &c->address,
	    c->segment == NULL ? BODIES_MAX - 1 : c->segment->body->index);
	c->counted = true;
	c->counted_address = c->address;
	c->counted_segment = c->segment;
	if (routes_judge_client(m->settings->routes, c->segment, &why, &r) ==
	    MAIL_REFUSED) {
		session_turn_away(&c->session, &r);
		close_client(c, why.rule);
		return;
	}
	if (c->listener->kind == MAIL_LISTENER_IMPLICIT)
		begin_handshake(c);
	else
		begin_silence(c);
}

void
mail_client_new(struct mailer *m, const struct mail_listener_settings *l,
    int fd, const struct address *peer)
{
	struct mail_client *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->mailer = m;
	c->listener = l;
	c->peer = c->address = *peer;
	c->next = m->clients;
	if (c->next != NULL)
		c->next->prev = c;
	m->clients = c;
	m->clients_n++;
	c->share = budget_share(&m->budget, peer);
	c->ends_ms = loop_now_ms(m->loop) + m->settings->mail.session_max_ms;
	session_init(&c->session, &m->session);
	c->session.offers_tls =
	    m->tls != NULL && l->kind == MAIL_LISTENER_STARTTLS;
	c->session.offers_xclient =
	    prefixes_contain(l->xclient, l->xclient_n, peer);
	c->timer = timer_new(m->loop, timer_due, c);
	c->stream = stream_new(m->loop, fd, &events, c);
	counter_add(COUNTER_MAIL_SESSIONS, 1);
	counter_add(COUNTER_MAIL_SESSIONS_TOTAL, 1);
	if (!prefixes_contain(l->proxy_protocol, l->proxy_protocol_n, peer)) {
		begin(c);
		return;
	}
	c->preface = calloc(1, sizeof(*c->preface));
	must(c->preface != NULL);
	set_timer(c, m->settings->mail.command_timeout_ms);
	stream_want_read(c->stream, true);
}

void
mail_client_drain(struct mail_client *c)
{
	if (c->phase == PHASE_TALK && !session_waits(&c->session) &&
	    c->session.state <= SESSION_GREETED)
		turn_away(c, 421, "4.3.2", "being restarted, come again");
	else if (c->phase != PHASE_TALK && c->phase != PHASE_CLOSING)
		drop_client(c, NULL);
}

struct mail_client *
mail_client_next(const struct mail_client *c)
{
	return c->next;
}
