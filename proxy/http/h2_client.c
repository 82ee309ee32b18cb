/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client: a client's connection that speaks HTTP/2, and one side for each of
 * its streams. What is to be sent leaves once, at the end of the tick: not from
 * the library's callbacks, which forbid it, and all answers of a tick together.
 */
#include <stdlib.h>
#include <string.h>

#include "proxy/base/log.h"
#include "proxy/http/exchange.h"
#include "proxy/http/h2.h"
#include "proxy/listener/client.h"

/* What a stream holds for a slow client before its origin must wait. */
#define STREAM_FULL ((size_t)16384)
#define STREAM_OUT_MAX (STREAM_FULL + (size_t)4 * EDGE_SCRATCH_SIZE)
/* Sent and not taken by the kernel; more waits in the streams. */
#define CONNECTION_FULL ((size_t)131072)
#define FRAME_MAX ((size_t)16384)
/* Streams that a client's own faults end, in so long a time. */
#define FAULTS_MAX 100
#define FAULTS_MS 10000
#define LINGER_MS 10000

struct h2_client;

struct h2_stream {
	struct side side;
	struct h2_client *h2;
	struct h2_stream *prev, *next;
	int32_t id;
	struct h2_head head; /* that comes */
	struct message trailer;
	uint64_t due_ms; /* 0: no deadline */
	bool head_read;  /* the request's head is complete */
	bool ended;      /* the request is complete, perhaps still in `in` */
	bool paused;     /* the exchange wants no more of the body */
	struct buf in;   /* of the body, meanwhile */
	bool answered;   /* a final head was sent */
	bool out_ended;
	bool closed;      /* by the library: nothing can be sent on it */
	bool full;        /* the exchange waits for `out` to drain */
	bool answer_only; /* the rest of the request is not wanted */
	struct buf out;
	size_t out_sent;
	struct h2_fields trailers_out;
	struct arena trailers_arena;
};

struct h2_client {
	struct client *client;
	struct edge *edge;
	struct stream *stream;
	nghttp2_session *session;
	struct h2_stream *streams;
	size_t streams_n;
	uint64_t due_ms; /* of the earliest stream; 0: none */
	size_t held;     /* of bodies, in the streams' buffers */
	size_t owed; /* of the connection's window, until some of it leaves */
	unsigned faults;
	uint64_t faults_since_ms;
	bool flush_later; /* at the end of the tick */
	bool leaving;     /* GOAWAY was sent */
	bool lingering;   /* all is said; what comes is thrown away, so that
			   * nothing of it is lost to a reset */
	bool over;
};

static struct h2_stream *
stream_of(struct side *s)
{
	return CONTAINER(s, struct h2_stream, side);
}

static const struct limit_settings *
limits_of(const struct h2_client *h)
{
	return &h->edge->settings->limits;
}

static void send_later(struct h2_client *h);

/* Deadlines: one timer for all streams. It may fire too early, never too late:
 * a deadline that moves away leaves it alone. */

static void
wait_until_due(struct h2_client *h, uint64_t due_ms)
{
	uint64_t now = loop_now_ms(h->edge->loop);

	h->due_ms = due_ms;
	timer_start(h->client->timer, due_ms > now ? due_ms - now : 1);
}

static void
restart_timer(struct h2_client *h)
{
	h->due_ms = 0;
	if (h->streams_n == 0) {
		timer_start(h->client->timer, limits_of(h)->idle_timeout_ms);
		return;
	}
	timer_stop(h->client->timer);
	for (const struct h2_stream *s = h->streams; s != NULL; s = s->next)
		if (s->due_ms != 0 && (h->due_ms == 0 || s->due_ms < h->due_ms))
			wait_until_due(h, s->due_ms);
}

static void
set_deadline(struct h2_stream *s, uint64_t ms)
{
	struct h2_client *h = s->h2;

	s->due_ms = loop_now_ms(h->edge->loop) + ms;
	if (h->due_ms == 0 || s->due_ms < h->due_ms)
		wait_until_due(h, s->due_ms);
}

/* The side of an exchange. */

static ssize_t
read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_stream *s = source->ptr;
	size_t left = s->out.n - s->out_sent;

	(void)buf;
	(void)user;
	if (n > FRAME_MAX)
		n = FRAME_MAX;
	if (n > left)
		n = left;
	if (n == 0 && !s->out_ended)
		return NGHTTP2_ERR_DEFERRED;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n == left && s->out_ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->trailers_out.n > 0 &&
		    nghttp2_submit_trailer(session, id, s->trailers_out.nv,
			s->trailers_out.n) == 0)
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	}
	return (ssize_t)n;
}

/* The frame that read_body announced; there is no padding. */
static int
send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
    size_t n, nghttp2_data_source *source, void *user)
{
	struct h2_stream *s = source->ptr;
	struct h2_client *h = user;

	(void)session;
	(void)frame;
	stream_put(h->stream, (struct bytes){ head, 9 });
	stream_put(h->stream, (struct bytes){ s->out.p + s->out_sent, n });
	s->out_sent += n;
	if (s->out_sent == s->out.n)
		s->out_sent = s->out.n = 0;
	return 0;
}

static void
side_head(struct side *side, const struct message *m)
{
	struct h2_stream *s = stream_of(side);
	struct exchange *x = side->exchange;
	struct h2_client *h = s->h2;
	nghttp2_data_provider body = { .source.ptr = s,
		.read_callback = read_body };
	struct h2_fields f;

	if (s->closed)
		return;
	f = h2_response_fields(&x->arena, m, x->own ? NULL : h->edge->via);
	if (m->status < 200) {
		nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, s->id,
		    NULL, f.nv, f.n, NULL);
		return;
	}
	s->answered = true;
	nghttp2_submit_response(h->session, s->id, f.nv, f.n,
	    m->framing == FRAMING_NONE ? NULL : &body);
}

static void
side_body(struct side *side, struct bytes b)
{
	struct h2_stream *s = stream_of(side);

	if (s->closed || b.n == 0)
		return;
	if (s->out_sent > 0) {
		memmove(
		    s->out.p, s->out.p + s->out_sent, s->out.n - s->out_sent);
		s->out.n -= s->out_sent;
		s->out_sent = 0;
	}
	must(buf_append(&s->out, b) == 0);
	nghttp2_session_resume_data(s->h2->session, s->id);
}

static void
side_end(struct side *side, const struct field *trailers, size_t n)
{
	struct h2_stream *s = stream_of(side);

	if (s->closed)
		return;
	/* Kept until the body has left; the exchange may be over before. */
	if (n > 0) {
		struct field *copy =
		    ARENA_ARRAY(&s->trailers_arena, struct field, n);

		for (size_t i = 0; i < n; i++) {
			copy[i] = trailers[i];
			copy[i].name =
			    arena_copy(&s->trailers_arena, trailers[i].name);
			copy[i].value =
			    arena_copy(&s->trailers_arena, trailers[i].value);
		}
		s->trailers_out =
		    h2_trailer_fields(&s->trailers_arena, copy, n);
	}
	s->out_ended = true;
	nghttp2_session_resume_data(s->h2->session, s->id);
}

static void
side_flush(struct side *side)
{
	send_later(stream_of(side)->h2);
}

static bool
side_full(struct side *side)
{
	struct h2_stream *s = stream_of(side);

	s->full = !s->closed && s->out.n - s->out_sent > STREAM_FULL;
	return s->full;
}

static void
give_body(struct h2_stream *s, struct bytes b)
{
	struct exchange *x = s->side.exchange;

	exchange_request_body(x, b);
	if (s->side.exchange != NULL && x->to != NULL)
		x->to->type->flush(x->to);
	if (s->closed)
		return;
	nghttp2_session_consume_stream(s->h2->session, s->id, b.n);
	send_later(s->h2);
}

/* The connection's window is given back at once, so that a stream that waits
 * holds up none but itself, until as much as that window waits in all. */
static void
hold(struct h2_stream *s, struct bytes b)
{
	struct h2_client *h = s->h2;

	/* The stream's window is the buffer's size; the library sees to it. */
	must(buf_append(&s->in, b) == 0);
	h->held += b.n;
	if (h->held <= limits_of(h)->h2_connection_window)
		nghttp2_session_consume_connection(h->session, b.n);
	else
		h->owed += b.n;
}

static void
unhold(struct h2_client *h, size_t n)
{
	size_t paid = n < h->owed ? n : h->owed;

	h->held -= n;
	h->owed -= paid;
	if (paid == 0)
		return;
	nghttp2_session_consume_connection(h->session, paid);
	send_later(h);
}

/* What came while it was paused, then the end, when it has come. */
static void
deliver(struct h2_stream *s)
{
	struct buf in = s->in;

	buf_init(&s->in, in.max);
	if (in.n > 0 && s->side.exchange != NULL)
		give_body(s, buf_bytes(&in));
	unhold(s->h2, in.n);
	buf_release(&in);
	if (s->ended && !s->paused && s->side.exchange != NULL) {
		s->ended = false;
		exchange_request_end(
		    s->side.exchange, s->trailer.fields, s->trailer.fields_n);
	}
}

static void
side_flow(struct side *side, enum flow flow)
{
	struct h2_stream *s = stream_of(side);

	s->paused = flow == FLOW_PAUSE;
	if (!s->paused && (s->in.n > 0 || s->ended))
		deliver(s);
}

static void
side_deadline(struct side *side, uint64_t ms)
{
	struct h2_stream *s = stream_of(side);

	if (ms == UINT32_MAX)
		s->due_ms = 0;
	else
		set_deadline(s, ms);
}

/* Tunnels are for connections, and nothing is upgraded here. */
static void
side_raw(struct side *side)
{
	(void)side;
	must(false);
}

static void
side_done(struct side *side, enum side_outcome outcome)
{
	struct h2_stream *s = stream_of(side);
	struct h2_client *h = s->h2;

	s->due_ms = 0;
	if (s->closed)
		return;
	if (outcome == SIDE_CUT || !s->answered)
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id,
		    NGHTTP2_INTERNAL_ERROR);
	else
		s->answer_only = outcome == SIDE_ANSWERED;
	/* A client that takes nothing more is not waited for. */
	set_deadline(s, limits_of(h)->body_timeout_ms);
	send_later(h);
}

static const struct side_type h2_stream_type = {
	.version = "HTTP/2",
	.head = side_head,
	.body = side_body,
	.end = side_end,
	.flush = side_flush,
	.full = side_full,
	.flow = side_flow,
	.deadline = side_deadline,
	.raw = side_raw,
	.done = side_done,
};

/* The library's callbacks. */

static struct h2_stream *
stream_new_of(struct h2_client *h, int32_t id)
{
	struct h2_stream *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->side.type = &h2_stream_type;
	s->h2 = h;
	s->id = id;
	s->paused = true;
	buf_init(&s->in, limits_of(h)->h2_window);
	buf_init(&s->out, STREAM_OUT_MAX);
	s->next = h->streams;
	if (s->next != NULL)
		s->next->prev = s;
	h->streams = s;
	h->streams_n++;
	return s;
}

static void
free_stream(void *owner)
{
	struct h2_stream *s = owner;

	buf_release(&s->in);
	buf_release(&s->out);
	arena_release(&s->trailers_arena);
	free(s);
}

/* Its exchange may be in the call that led here. */
static void
forget(struct h2_stream *s, const char *why)
{
	struct h2_client *h = s->h2;

	s->closed = true;
	if (s->side.exchange != NULL)
		exchange_client_gone(s->side.exchange, why);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		h->streams = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	h->streams_n--;
	if (!h->over)
		unhold(h, s->in.n);
	loop_defer(h->edge->loop, free_stream, s);
}

static int
begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_client *h = user;
	struct h2_stream *s;
	struct exchange *x;

	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
		s = nghttp2_session_get_stream_user_data(
		    session, frame->hd.stream_id);
		if (s != NULL && s->side.exchange != NULL)
			h2_head_begin(&s->head, &s->side.exchange->arena,
			    &s->trailer, &limits_of(h)->h1);
		return 0;
	}
	s = stream_new_of(h, frame->hd.stream_id);
	nghttp2_session_set_stream_user_data(session, s->id, s);
	x = exchange_new(h->edge, h->client, &s->side);
	h2_head_begin(&s->head, &x->arena, &x->request, &limits_of(h)->h1);
	set_deadline(s, limits_of(h)->head_timeout_ms);
	return 0;
}

static int
header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t name_n, const uint8_t *value, size_t value_n,
    uint8_t flags, void *user)
{
	struct h2_stream *s =
	    nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (s != NULL && s->side.exchange != NULL)
		h2_head_add(&s->head, (struct bytes){ name, name_n },
		    (struct bytes){ value, value_n });
	return 0;
}

static void
request_ended(struct h2_stream *s)
{
	s->ended = true;
	if (!s->paused && s->in.n == 0)
		deliver(s);
}

static void
headers_done(struct h2_stream *s, bool ends)
{
	struct exchange *x = s->side.exchange;

	if (x == NULL)
		return;
	if (s->head_read) { /* trailers */
		if (!message_trailer_is_harmless(&s->trailer))
			s->head.why = "a trailer that means something";
		if (s->head.why != NULL)
			exchange_client_gone(x, s->head.why);
		else
			request_ended(s);
		return;
	}
	s->head_read = true;
	if (!h2_head_request(&s->head, ends)) {
		exchange_request_bad(x, s->head.status, s->head.why);
		return;
	}
	exchange_request(x);
}

static int
frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_stream *s;
	bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	(void)user;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (s == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		headers_done(s, ends);
	else if (ends && s->side.exchange != NULL)
		request_ended(s);
	return 0;
}

static int
data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
    const uint8_t *p, size_t n, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);

	(void)flags;
	(void)user;
	if (s != NULL && s->side.exchange != NULL &&
	    (s->paused || s->in.n > 0)) {
		hold(s, (struct bytes){ p, n });
		return 0;
	}
	nghttp2_session_consume_connection(session, n);
	if (s == NULL || s->side.exchange == NULL) {
		nghttp2_session_consume_stream(session, id, n);
		return 0;
	}
	give_body(s, (struct bytes){ p, n });
	return 0;
}

static int
stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
	struct h2_client *h = user;

	if (s == NULL)
		return 0;
	nghttp2_session_set_stream_user_data(session, id, NULL);
	forget(s,
	    code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL
		? "the client cancelled the request"
		: nghttp2_http2_strerror(code));
	if (h->streams_n == 0 && !h->over)
		restart_timer(h);
	return 0;
}

static void
record_misbehaviour(const struct h2_client *h, struct bytes why)
{
	const struct client *c = h->client;
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
	uint64_t now = loop_now_ms(h->edge->loop);

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
		nghttp2_session_terminate_session(
		    h->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void
goaway_sent(const struct h2_client *h, const nghttp2_goaway *g)
{
	const struct bytes words = { g->opaque_data, g->opaque_data_len };

	if (g->error_code != NGHTTP2_NO_ERROR)
		record_misbehaviour(h,
		    words.n > 0
			? words
			: bytes_of(nghttp2_http2_strerror(g->error_code)));
}

static int
frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2_stream *s =
	    nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	if (frame->hd.type == NGHTTP2_RST_STREAM)
		count_fault(user, frame->rst_stream.error_code);
	else if (frame->hd.type == NGHTTP2_GOAWAY)
		goaway_sent(user, &frame->goaway);
	else if (frame->hd.type != NGHTTP2_DATA &&
	    frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	/* The answer is whole, the rest of the request is not wanted: it is
	 * thrown away for a while, as some clients forget the answer when they
	 * cannot send to the end (curl 7.88). */
	else if (ends && s != NULL && s->answer_only)
		set_deadline(s, LINGER_MS);
	return 0;
}

/* Sending. */

/* Exchanges whose stream has room again go on. */
static bool
tell_drained(struct h2_client *h)
{
	struct h2_stream *next;
	bool some = false;

	for (struct h2_stream *s = h->streams; s != NULL; s = next) {
		next = s->next;
		if (!s->full || s->out.n - s->out_sent > STREAM_FULL)
			continue;
		s->full = false;
		some = true;
		if (s->side.exchange != NULL)
			exchange_client_drained(s->side.exchange);
		if (h->over)
			return false;
	}
	return some;
}

static bool
is_finished(const struct h2_client *h)
{
	return (h->leaving && h->streams_n == 0) ||
	    (nghttp2_session_want_read(h->session) == 0 &&
		nghttp2_session_want_write(h->session) == 0);
}

static void
linger(struct h2_client *h)
{
	h->lingering = true;
	stream_shutdown(h->stream);
	timer_start(h->client->timer, LINGER_MS);
}

static void
pull(struct h2_client *h)
{
	const uint8_t *p;
	ssize_t n;

	while (stream_queued(h->stream) < CONNECTION_FULL &&
	    (n = nghttp2_session_mem_send(h->session, &p)) > 0)
		stream_put(h->stream, (struct bytes){ p, (size_t)n });
	stream_flush(h->stream);
}

static void
send_now(void *owner)
{
	struct h2_client *h = owner;

	h->flush_later = false;
	if (h->over || h->lingering)
		return;
	do
		pull(h);
	while (stream_queued(h->stream) == 0 && tell_drained(h));
	if (h->over)
		return;
	if (stream_broken(h->stream))
		client_free(h->client);
	else if (stream_queued(h->stream) == 0 && is_finished(h))
		linger(h);
}

static void
send_later(struct h2_client *h)
{
	if (h->flush_later || h->over)
		return;
	h->flush_later = true;
	loop_defer(h->edge->loop, send_now, h);
}

/* The connection. */

static void
connection_readable(void *owner)
{
	struct h2_client *h = owner;
	struct edge *e = h->edge;
	ssize_t taken;
	size_t n;

	if (stream_broken(h->stream)) {
		client_free(h->client);
		return;
	}
	switch (stream_read(h->stream, e->scratch, sizeof(e->scratch), &n)) {
	case STREAM_READ:
		if (h->lingering)
			return;
		taken = nghttp2_session_mem_recv(h->session, e->scratch, n);
		if (h->over)
			return;
		if (taken < 0) {
			record_misbehaviour(
			    h, bytes_of(nghttp2_strerror((int)taken)));
			stream_reset(h->stream);
			client_free(h->client);
			return;
		}
		send_later(h);
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
	case STREAM_FAILED:
		client_free(h->client);
		return;
	}
}

static void
connection_drained(void *owner)
{
	send_later(owner);
}

static const struct stream_events connection_events = {
	.on_readable = connection_readable,
	.on_drained = connection_drained,
};

static void
leave(struct h2_client *h)
{
	h->leaving = true;
	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
	    nghttp2_session_get_last_proc_stream_id(h->session),
	    NGHTTP2_NO_ERROR, NULL, 0);
	send_later(h);
}

static void
stream_due(struct h2_stream *s)
{
	struct exchange *x = s->side.exchange;

	s->due_ms = 0;
	if (x == NULL) /* RFC 9113 section 8.1 */
		nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE,
		    s->id, s->answer_only ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
	else if (s->head_read)
		exchange_timeout(x, "nothing came in time");
	else /* half a head holds up the whole connection */
		client_free(s->h2->client);
}

static void
on_timer(struct client *c)
{
	struct h2_client *h = c->protocol;
	uint64_t now = loop_now_ms(h->edge->loop);
	struct h2_stream *next;

	if (h->lingering) {
		client_free(c);
		return;
	}
	if (h->streams_n == 0) {
		leave(h);
		return;
	}
	for (struct h2_stream *s = h->streams; s != NULL && !h->over;
	     s = next) {
		next = s->next;
		if (s->due_ms != 0 && s->due_ms <= now)
			stream_due(s);
	}
	if (h->over)
		return;
	restart_timer(h);
	send_later(h);
}

/* GOAWAY names the last request that is served: the others are asked anew, on
 * a connection of the next generation. */
static void
on_drain(struct client *c)
{
	struct h2_client *h = c->protocol;

	if (!h->leaving)
		leave(h);
}

static void
free_session(void *owner)
{
	struct h2_client *h = owner;

	nghttp2_session_del(h->session);
	free(h);
}

static void
on_end(struct client *c)
{
	struct h2_client *h = c->protocol;

	h->over = true;
	while (h->streams != NULL)
		forget(h->streams, "connection closed");
	loop_defer(h->edge->loop, free_session, h);
}

static const struct client_protocol h2_protocol = {
	.timer = on_timer,
	.drain = on_drain,
	.end = on_end,
};

static nghttp2_session *
session_new(struct h2_client *h)
{
	nghttp2_session_callbacks *calls;
	nghttp2_option *options;
	nghttp2_session *session;

	must(nghttp2_session_callbacks_new(&calls) == 0 &&
	    nghttp2_option_new(&options) == 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(
	    calls, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(calls, header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(
	    calls, frame_received);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
	    calls, data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(
	    calls, stream_closed);
	nghttp2_session_callbacks_set_on_frame_send_callback(calls, frame_sent);
	nghttp2_session_callbacks_set_send_data_callback(calls, send_body);
	nghttp2_option_set_no_auto_window_update(options, 1);
	nghttp2_option_set_no_closed_streams(options, 1);
	nghttp2_option_set_max_send_header_block_length(
	    options, 2 * limits_of(h)->head_max + FRAME_MAX);
	must(nghttp2_session_server_new2(&session, calls, h, options) == 0);
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(calls);
	return session;
}

static void
say_hello(struct h2_client *h)
{
	const struct limit_settings *l = limits_of(h);
	const nghttp2_settings_entry ours[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->h2_streams_max },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
		    (uint32_t)l->h2_window },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		    (uint32_t)l->head_max },
	};

	must(nghttp2_submit_settings(
		 h->session, NGHTTP2_FLAG_NONE, ours, COUNT(ours)) == 0 &&
	    nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE,
		0, (int32_t)l->h2_connection_window) == 0);
}

void
h2_client_begin(struct client *c)
{
	struct h2_client *h = calloc(1, sizeof(*h));

	must(h != NULL);
	h->client = c;
	h->edge = c->edge;
	h->stream = c->stream;
	h->session = session_new(h);
	client_speak(c, &h2_protocol, h);
	stream_own(c->stream, &connection_events, h);
	say_hello(h);
	restart_timer(h);
	send_later(h);
	stream_want_read(h->stream, true);
}
