/* SPDX-License-Identifier: Apache-2.0 */
/* h2_client: a client's connection that speaks HTTP/2. */
#include <stdlib.h>

#include "proxy/http/h2_session.h"
#include "proxy/listener/client.h"

/* Streams that a client's own faults end, in so long a time. */
#define FAULTS_MAX 100
#define FAULTS_MS 10000
#define LINGER_MS 10000

struct h2_client {
	struct h2_session session;
	struct client *client;
	uint64_t due_ms; /* of the earliest stream; 0: none */
	bool some_wait;  /* requests, for all that was read */
	unsigned faults;
	uint64_t faults_since_ms;
};

static struct h2_client *
h2_client_of(struct h2_session *h)
{
	return CONTAINER(h, struct h2_client, session);
}

static const struct limit_settings *
limits_of(const struct h2_client *h)
{
	return &h->client->edge->settings->limits;
}

/* Deadlines: one timer for all streams. It may fire too early, never too late:
 * a deadline that moves away leaves it alone. */

static void
wait_until_due(struct h2_client *h, uint64_t due_ms)
{
	uint64_t now = loop_now_ms(h->client->edge->loop);

	h->due_ms = due_ms;
	timer_start(h->client->timer, due_ms > now ? due_ms - now : 1);
}

static void
restart_timer(struct h2_client *h)
{
	h->due_ms = 0;
	if (h->session.streams_n == 0) {
		timer_start(h->client->timer, limits_of(h)->idle_timeout_ms);
		return;
	}
	timer_stop(h->client->timer);
	for (const struct h2_stream *s = h->session.streams; s != NULL;
	     s = s->next)
		if (s->due_ms != 0 && (h->due_ms == 0 || s->due_ms < h->due_ms))
			wait_until_due(h, s->due_ms);
}

static void
set_deadline(struct h2_stream *s, uint64_t ms)
{
	struct h2_client *h = h2_client_of(s->session);

	s->due_ms = loop_now_ms(h->client->edge->loop) + ms;
	if (h->due_ms == 0 || s->due_ms < h->due_ms)
		wait_until_due(h, s->due_ms);
}

/* The side of an exchange. */

static bool
opens_tunnel(const struct h2_stream *s, const struct message *m)
{
	return m->status == 101 || (s->opens && m->status / 100 == 2);
}

static void
side_head(struct side *side, const struct message *m)
{
	struct h2_stream *s = h2_stream_of(side);
	struct exchange *x = side->exchange;
	nghttp2_data_provider body = h2_stream_body(s);
	struct h2_fields f;

	if (s->closed)
		return;
	f = h2_response_fields(&x->arena, m, x->own ? NULL : x->edge->via);
	if (m->status < 200 && m->status != 101) {
		nghttp2_submit_headers(s->session->library, NGHTTP2_FLAG_NONE,
		    s->id, NULL, f.nv, f.n, NULL);
		return;
	}
	s->answered = true;
	/* What ended with its head must do so again: gRPC takes its status from
	 * the one that ends the stream. */
	nghttp2_submit_response(s->session->library, s->id, f.nv, f.n,
	    m->ended || (m->framing == FRAMING_NONE && !opens_tunnel(s, m))
		? NULL
		: &body);
}

static void
side_deadline(struct side *side, uint64_t ms)
{
	struct h2_stream *s = h2_stream_of(side);

	if (ms == UINT32_MAX)
		s->due_ms = 0;
	else if (!s->closed)
		set_deadline(s, ms);
}

/* In DATA frames as any body (RFC 8441 section 5). */
static void
side_raw(struct side *side)
{
	(void)side;
}

static void
side_done(struct side *side, enum side_outcome outcome)
{
	struct h2_stream *s = h2_stream_of(side);

	s->due_ms = 0;
	if (s->closed)
		return;
	if (outcome == SIDE_CUT_ONE_AT_A_TIME)
		h2_stream_reset(s, NGHTTP2_HTTP_1_1_REQUIRED);
	else if (outcome == SIDE_CUT || !s->answered)
		h2_stream_reset(
		    s, s->fault != 0 ? s->fault : NGHTTP2_INTERNAL_ERROR);
	else
		s->answer_only = outcome == SIDE_ANSWERED || s->opens;
	/* A client that takes nothing more is not waited for. */
	set_deadline(s, limits_of(h2_client_of(s->session))->body_timeout_ms);
	h2_session_send_later(s->session);
}

static const struct side_type h2_client_type = {
	.version = "HTTP/2",
	.shared = true,
	.head = side_head,
	.body = h2_side_body,
	.end = h2_side_end,
	.flush = h2_side_flush,
	.full = h2_side_full,
	.flow = h2_side_flow,
	.deadline = side_deadline,
	.raw = side_raw,
	.done = side_done,
};

/* The role. */

static struct h2_stream *
accept_stream(struct h2_session *session)
{
	struct h2_client *h = h2_client_of(session);
	struct h2_stream *s = h2_stream_new(session, &h2_client_type);

	exchange_new(h->client->edge, h->client, &s->side);
	set_deadline(s, limits_of(h)->head_timeout_ms);
	return s;
}

static struct message *
message_of(struct exchange *x)
{
	return &x->request;
}

static enum h2_asked
asked_of(const struct h2_client *h)
{
	return h->client->intercept == NULL ? H2_ASKED_PROXY : H2_ASKED_ORIGIN;
}

static void
request_head(struct h2_stream *s, bool ends)
{
	struct exchange *x = s->side.exchange;

	s->head_read = true;
	if (h2_head_request(
		&s->head, asked_of(h2_client_of(s->session)), ends)) {
		s->opens = x->request.upgrade ||
		    bytes_equal(x->request.method, BYTES("CONNECT"));
		s->waiting = true;
		/* the head's fields may be written anew from here on */
		h2_priority_of_request(s);
		h2_client_of(s->session)->some_wait = true;
	} else {
		exchange_request_bad(x, s->head.status, s->head.why);
	}
}

static void
request_body(struct h2_stream *s, struct bytes b)
{
	struct exchange *x = s->side.exchange;

	exchange_request_body(x, b);
	if (s->side.exchange != NULL && x->to != NULL)
		x->to->type->flush(x->to);
}

static void
request_end(struct h2_stream *s)
{
	exchange_request_end(
	    s->side.exchange, s->trailer.fields, s->trailer.fields_n);
}

static void
stream_drained(struct h2_stream *s)
{
	exchange_client_drained(s->side.exchange);
}

static void
stream_cut(struct h2_stream *s, uint32_t code, const char *why)
{
	bool cancelled = s->closed && !s->session->over &&
	    (code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL);

	/* Taken back with the breath it came in: nobody was asked anything. A
	 * line for each would cost us more than it costs who sends them. */
	s->side.exchange->untold = cancelled && s->waiting;
	exchange_client_gone(s->side.exchange,
	    cancelled ? "the client cancelled the request" : why);
}

static void
fewer_streams(struct h2_session *session)
{
	if (session->streams_n == 0)
		restart_timer(h2_client_of(session));
}

static void
record_misbehaviour(struct h2_session *session, struct bytes why)
{
	const struct client *c = h2_client_of(session)->client;
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	counter_add(COUNTER_CONNECTIONS_ENDED, 1);
	log_begin(&l, EVENT_MISBEHAVED, NULL);
	if (c->segment != NULL) {
		log_string(&l, "body", c->segment->body->code);
		log_string(&l, "zone", c->segment->zone->name);
	}
	log_string(&l, "client", address_text(&c->address, text));
	log_text(&l, "why", why);
	log_end(&l);
}

/* Requests that the client itself makes us reset cost us more than it
 * (CVE-2025-8671); those that it resets are counted by the library. */
static void
count_fault(struct h2_client *h, uint32_t code)
{
	uint64_t now = loop_now_ms(h->client->edge->loop);

	if (code != NGHTTP2_PROTOCOL_ERROR &&
	    code != NGHTTP2_FLOW_CONTROL_ERROR &&
	    code != NGHTTP2_STREAM_CLOSED && code != NGHTTP2_FRAME_SIZE_ERROR &&
	    code != NGHTTP2_REFUSED_STREAM)
		return;
	if (now - h->faults_since_ms > FAULTS_MS) {
		h->faults_since_ms = now;
		h->faults = 0;
	}
	if (++h->faults == FAULTS_MAX)
		h2_session_blame(&h->session, "a hundred faulty requests");
}

static void
frame_sent(struct h2_session *session, const nghttp2_frame *frame)
{
	bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct h2_client *h = h2_client_of(session);
	struct h2_stream *s;

	if (frame->hd.type == NGHTTP2_RST_STREAM) {
		count_fault(h, frame->rst_stream.error_code);
		return;
	}
	if (!ends)
		return;
	s = nghttp2_session_get_stream_user_data(
	    session->library, frame->hd.stream_id);
	/* The answer is whole, the rest of the request is not wanted: it is
	 * thrown away for a while, as some clients forget the answer when they
	 * cannot send to the end (curl 7.88). */
	if (s != NULL && s->answer_only)
		set_deadline(s, LINGER_MS);
}

/* Nothing of what was said shall be lost to a reset. */
static void
linger(struct h2_session *session)
{
	session->deaf = true;
	stream_shutdown(session->stream);
	timer_start(h2_client_of(session)->client->timer, LINGER_MS);
}

static void
connection_lost(struct h2_session *session, bool broken)
{
	if (broken)
		stream_reset(session->stream);
	client_free(h2_client_of(session)->client);
}

/* Requests begin, in their order, when all that was read has been given: what
 * its client takes back in the same breath (CVE-2023-44487) has cost nobody a
 * way to an origin. */
static void
received(struct h2_session *session)
{
	struct h2_client *h = h2_client_of(session);
	struct h2_stream *s = session->streams, *next;

	if (!h->some_wait || session->fault != NULL)
		return;
	h->some_wait = false;
	while (s != NULL && s->next != NULL)
		s = s->next;
	for (; s != NULL && !session->over; s = next) {
		next = s->prev;
		if (s->waiting && s->side.exchange != NULL) {
			s->waiting = false;
			exchange_request(s->side.exchange);
		}
	}
}

static const struct h2_role client_role = {
	.accept = accept_stream,
	.message = message_of,
	.head = request_head,
	.body = request_body,
	.end = request_end,
	.drained = stream_drained,
	.cut = stream_cut,
	.fewer = fewer_streams,
	.received = received,
	.sent = frame_sent,
	.finished = linger,
	.lost = connection_lost,
	.misbehaved = record_misbehaviour,
};

/* The connection, as its client's protocol. */

static void
stream_due(struct h2_stream *s)
{
	struct exchange *x = s->side.exchange;

	s->due_ms = 0;
	if (x == NULL) /* RFC 9113 section 8.1 */
		h2_stream_reset(
		    s, s->answer_only ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
	else if (s->head_read)
		exchange_timeout(x, "nothing came in time");
	else /* half a head holds up the whole connection */
		client_free(h2_client_of(s->session)->client);
}

static void
on_timer(struct client *c)
{
	struct h2_client *h = c->protocol;
	uint64_t now = loop_now_ms(c->edge->loop);
	struct h2_stream *next;

	if (h->session.deaf) {
		client_free(c);
		return;
	}
	if (h->session.streams_n == 0) {
		h2_session_leave(&h->session);
		return;
	}
	for (struct h2_stream *s = h->session.streams;
	     s != NULL && !h->session.over; s = next) {
		next = s->next;
		if (s->due_ms != 0 && s->due_ms <= now)
			stream_due(s);
	}
	if (h->session.over)
		return;
	restart_timer(h);
	h2_session_send_later(&h->session);
}

/* GOAWAY names the last request that is served: the others are asked anew, on
 * a connection of the next generation. */
static void
on_drain(struct client *c)
{
	struct h2_client *h = c->protocol;

	h2_session_leave(&h->session);
}

static void
release(void *owner)
{
	struct h2_client *h = h2_client_of(owner);

	h2_session_release(&h->session);
	free(h);
}

static void
on_end(struct client *c)
{
	struct h2_client *h = c->protocol;

	h2_session_end(&h->session, "connection closed", release);
}

static const struct client_protocol h2_protocol = {
	.timer = on_timer,
	.drain = on_drain,
	.end = on_end,
};

void
h2_client_begin(struct client *c)
{
	struct h2_client *h = calloc(1, sizeof(*h));

	must(h != NULL);
	h->client = c;
	client_speak(c, &h2_protocol, h);
	h2_session_begin(
	    &h->session, H2_SERVER, &client_role, c->edge, c->stream);
	restart_timer(h);
}
