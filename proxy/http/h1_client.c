/* SPDX-License-Identifier: Apache-2.0 */
/* h1_client: a client's connection that speaks HTTP/1.1, and the side of its
 * exchanges, one after the other. */
#include "proxy/http/exchange.h"
#include "proxy/http/h1.h"
#include "proxy/listener/client.h"

#define INPUT_MAX ((size_t)2 * EDGE_SCRATCH_SIZE)
#define LINGER_MS 10000

enum h1_client_state {
	H1C_IDLE = 0, /* between messages */
	H1C_REQUEST,  /* a head is coming */
	H1C_EXCHANGE, /* an exchange runs */
	H1C_RAW,      /* bytes pass as they are */
	H1C_FLUSH,    /* the last answer leaves, then the end */
	H1C_LINGER,   /* what still comes is thrown away, so that the answer
		       * is not lost to a reset */
	H1C_OVER,     /* freed at the end of the tick */
};

struct h1_client {
	struct side side;
	struct client *client;
	struct edge *edge;
	struct stream *stream;
	enum h1_client_state state;
	struct h1 reader;
	struct buf input; /* read, but not to be parsed yet */
	bool paused;
	bool parsing;
	bool chunked;  /* what we send */
	bool keep;     /* after this exchange another may come */
	bool answered; /* a final head was sent */
	bool implied;  /* its CONNECT was left out, so is our answer */
	size_t left;   /* bytes behind the head that was just read */
};

static void parse_later(struct h1_client *h);
static void take(struct h1_client *h, struct bytes in);

static struct h1_client *
h1_client_of(struct side *s)
{
	return CONTAINER(s, struct h1_client, side);
}

static const struct limit_settings *
limits_of(const struct h1_client *h)
{
	return &h->edge->settings->limits;
}

static void
wait_for_request(struct h1_client *h)
{
	h->state = H1C_IDLE;
	timer_start(h->client->timer, limits_of(h)->idle_timeout_ms);
}

/* The answers. */

/* RFC 9110 section 9.3.6: no body, and no word on the connection, for from
 * here on it is a tunnel. */
static bool
opens_tunnel(const struct exchange *x, const struct message *m)
{
	return m->status / 100 == 2 &&
	    bytes_equal(x->request.method, BYTES("CONNECT"));
}

static int
write_own_fields(
    const struct h1_client *h, struct buf *out, const struct message *m)
{
	const struct field *upgrade = message_field(m, FIELD_UPGRADE);
	const struct message *request = &h->side.exchange->request;

	if (!h->side.exchange->own &&
	    h1_write_field(out, "Via", bytes_of(h->edge->via)) < 0)
		return -1;
	if (m->upgrade && upgrade != NULL)
		return h1_write_field(out, "Connection", BYTES("Upgrade")) < 0
		    ? -1
		    : h1_write_field(out, "Upgrade", upgrade->value);
	if (m->keep_alive && m->status >= 200 && request->version_minor == 0 &&
	    !opens_tunnel(h->side.exchange, m))
		return h1_write_field(out, "Connection", BYTES("keep-alive"));
	return 0;
}

/* How this client is told the body's end, and whether it may ask again. */
static void
frame_answer(struct h1_client *h, struct message *m)
{
	const struct message *request = &h->side.exchange->request;

	h->keep &=
	    m->keep_alive && request->keep_alive && h->edge->drain == DRAIN_NOT;
	/* RFC 9112 section 6.1: no chunks for HTTP/1.0 */
	if (m->framing == FRAMING_CHUNKED && request->version_minor == 0) {
		m->framing = FRAMING_CLOSE;
		h->keep = false;
	}
	m->keep_alive = h->keep;
}

/* No page can be shown before TLS; an alert says at least that it was not an
 * accident (RFC 8446 section 6.2). */
static void
answer_implied(struct h1_client *h, const struct message *m)
{
	h->answered = true;
	h->keep = false;
	if (m->status / 100 != 2)
		stream_put(h->stream, BYTES("\x15\x03\x03\x00\x02\x02\x31"));
}

static void
client_head(struct side *s, const struct message *m)
{
	struct h1_client *h = h1_client_of(s);
	struct buf *out = &h->edge->out;
	struct message own = *m;

	if (h->implied) {
		answer_implied(h, m);
		return;
	}
	if (m->status >= 200) {
		h->answered = true;
		if (!opens_tunnel(s->exchange, m))
			frame_answer(h, &own);
	}
	h->chunked = own.framing == FRAMING_CHUNKED;
	out->n = 0;
	must(h1_write_response(out, &own) == 0 &&
	    write_own_fields(h, out, &own) == 0 && h1_write_head_end(out) == 0);
	stream_put(h->stream, buf_bytes(out));
}

static void
client_body(struct side *s, struct bytes b)
{
	struct h1_client *h = h1_client_of(s);
	char line[H1_CHUNK_LINE_MAX + 1];

	if (h->implied && h->state != H1C_RAW)
		return;
	if (!h->chunked || h->state == H1C_RAW) {
		stream_put(h->stream, b);
		return;
	}
	stream_put(h->stream,
	    (struct bytes){ (uint8_t *)line, h1_chunk_line(line, b.n) });
	stream_put(h->stream, b);
	stream_put(h->stream, BYTES("\r\n"));
}

static void
client_end(struct side *s, const struct field *trailers, size_t n)
{
	struct h1_client *h = h1_client_of(s);
	struct buf *out = &h->edge->out;

	if (h->state == H1C_RAW) {
		stream_shutdown(h->stream);
		return;
	}
	if (!h->chunked)
		return;
	out->n = 0;
	must(h1_write_chunked_end(out, trailers, n) == 0);
	stream_put(h->stream, buf_bytes(out));
}

static void
client_flush(struct side *s)
{
	stream_flush(h1_client_of(s)->stream);
}

static bool
client_full(struct side *s)
{
	return stream_queued(h1_client_of(s)->stream) > 0;
}

static void
client_flow(struct side *s, enum flow flow)
{
	struct h1_client *h = h1_client_of(s);

	h->paused = flow == FLOW_PAUSE;
	if (!h->paused)
		parse_later(h);
}

static void
client_deadline(struct side *s, uint64_t ms)
{
	timer_start(h1_client_of(s)->client->timer, ms);
}

static void
client_raw(struct side *s)
{
	h1_client_of(s)->state = H1C_RAW;
}

static void
linger(struct h1_client *h)
{
	h->state = H1C_LINGER;
	h->paused = false;
	buf_release(&h->input);
	stream_shutdown(h->stream);
	timer_start(h->client->timer, LINGER_MS);
	stream_want_read(h->stream, true);
}

/* The last answer has been handed to the stream. */
static void
close_after(struct h1_client *h)
{
	if (stream_queued(h->stream) > 0) {
		h->state = H1C_FLUSH;
		timer_start(h->client->timer, limits_of(h)->body_timeout_ms);
		return;
	}
	linger(h);
}

static void
client_done(struct side *s, enum side_outcome outcome)
{
	struct h1_client *h = h1_client_of(s);

	if (outcome == SIDE_CUT || !h->answered) {
		stream_reset(h->stream);
		client_free(h->client);
		return;
	}
	if (outcome == SIDE_ANSWERED || !h->keep || h->state == H1C_RAW ||
	    h->edge->drain == DRAIN_NOW) {
		close_after(h);
		return;
	}
	wait_for_request(h);
	h->paused = false;
	parse_later(h);
}

static const struct side_type h1_client_type = {
	.version = "HTTP/1.1",
	.head = client_head,
	.body = client_body,
	.end = client_end,
	.flush = client_flush,
	.full = client_full,
	.flow = client_flow,
	.deadline = client_deadline,
	.raw = client_raw,
	.done = client_done,
};

/* The requests. */

static void
begin_request(struct h1_client *h)
{
	exchange_new(h->edge, h->client, &h->side);
	h->state = H1C_REQUEST;
	h->answered = false;
	h->keep = true;
	timer_start(h->client->timer, limits_of(h)->head_timeout_ms);
}

/* A request without a body is complete with its head; the reader is moved on
 * to the next one's beginning. */
static void
end_bodyless(struct h1_client *h, struct exchange *x)
{
	struct message trailer = { 0 };
	struct bytes none = { 0 };
	struct bytes body;

	if (x->request.framing == FRAMING_NONE && h1_in_message(&h->reader))
		must(h1_next(&h->reader, &none, &x->arena, &trailer, &body) ==
		    H1_END);
}

static void
request_event(struct h1_client *h, enum h1_event event, struct bytes body,
    const struct message *trailer)
{
	struct exchange *x = h->side.exchange;

	switch (event) {
	case H1_HEAD:
		end_bodyless(h, x);
		h->state = H1C_EXCHANGE;
		h->paused = true;
		exchange_request(x);
		return;
	case H1_BODY:
		exchange_request_body(x, body);
		return;
	case H1_END:
		h->paused = true;
		exchange_request_end(x, trailer->fields, trailer->fields_n);
		return;
	case H1_BAD:
		h->keep = false;
		h->state = H1C_EXCHANGE;
		exchange_request_bad(x, h->reader.status, h->reader.why);
		return;
	case H1_MORE:
		return;
	}
}

/* Reads messages out of in until it is empty, or an exchange wants time;
 * gives what is left. */
static struct bytes
parse(struct h1_client *h, struct bytes in)
{
	while (!h->paused && (in.n > 0 || h1_in_message(&h->reader))) {
		struct message trailer = { 0 };
		struct message *m = &trailer;
		struct bytes body = { 0 };
		struct exchange *x;
		enum h1_event event;

		if (h->state == H1C_RAW) {
			if (h->side.exchange != NULL && in.n > 0)
				exchange_request_body(h->side.exchange, in);
			return (struct bytes){ 0 };
		}
		if (h->state == H1C_IDLE)
			begin_request(h);
		if (h->side.exchange == NULL)
			break;
		x = h->side.exchange;
		if (!h1_in_message(&h->reader) || h->state == H1C_REQUEST)
			m = &x->request;
		event = h1_next(&h->reader, &in, &x->arena, m, &body);
		h->left = in.n;
		if (event == H1_MORE)
			break;
		request_event(h, event, body, &trailer);
	}
	return in;
}

static void
flush_origin(struct h1_client *h)
{
	struct exchange *x = h->side.exchange;

	if (x != NULL && x->to != NULL)
		x->to->type->flush(x->to);
}

static void
take(struct h1_client *h, struct bytes in)
{
	struct bytes left;

	h->parsing = true;
	left = parse(h, in);
	h->parsing = false;
	if (h->state == H1C_OVER)
		return;
	if (left.n > 0 && buf_append(&h->input, left) < 0)
		stream_want_read(h->stream, false);
	flush_origin(h);
}

/* What waited in the input goes first; and where no more is to come, the end
 * of the message is still to be told. */
static void
parse_later(struct h1_client *h)
{
	struct buf input = h->input;

	/* A loop that runs goes on by itself. */
	if (h->state == H1C_OVER || h->parsing)
		return;
	if (input.n > 0 || h1_in_message(&h->reader)) {
		buf_init(&h->input, INPUT_MAX);
		take(h, buf_bytes(&input));
		buf_release(&input);
	}
	if (h->state != H1C_OVER && !h->paused)
		stream_want_read(h->stream, true);
}

static void
client_ended(struct h1_client *h, const char *why)
{
	struct exchange *x = h->side.exchange;

	stream_want_read(h->stream, false);
	if (x != NULL && h->state == H1C_RAW && !stream_broken(h->stream))
		exchange_request_end(x, NULL, 0);
	else if (x != NULL)
		exchange_client_gone(x, why);
	else
		client_free(h->client);
}

/* While an exchange wants no more of the client, some is read ahead, so that
 * a client that goes away is noticed. */
static bool
may_read(struct h1_client *h)
{
	if (h->state == H1C_FLUSH ||
	    (h->paused && h->input.n + EDGE_SCRATCH_SIZE > INPUT_MAX)) {
		stream_want_read(h->stream, false);
		return false;
	}
	return true;
}

static void
client_readable(void *owner)
{
	struct h1_client *h = owner;
	struct edge *e = h->edge;
	size_t n;

	if (stream_broken(h->stream)) {
		/* whom nothing can be told asks nothing any more */
		client_ended(h, stream_why(h->stream));
		return;
	}
	if (!may_read(h))
		return;
	switch (stream_read(h->stream, e->scratch, sizeof(e->scratch), &n)) {
	case STREAM_READ:
		if (h->state == H1C_LINGER)
			return;
		if (h->paused)
			must(buf_append(&h->input,
				 (struct bytes){ e->scratch, n }) == 0);
		else
			take(h, (struct bytes){ e->scratch, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
		client_ended(h, "the client closed the connection");
		return;
	case STREAM_FAILED:
		client_ended(h, stream_why(h->stream));
		return;
	}
}

static void
client_drained(void *owner)
{
	struct h1_client *h = owner;

	if (h->state == H1C_FLUSH)
		linger(h);
	else if (h->side.exchange != NULL)
		exchange_client_drained(h->side.exchange);
}

static const struct stream_events client_events = {
	.on_readable = client_readable,
	.on_drained = client_drained,
};

static void
on_timer(struct client *c)
{
	struct h1_client *h = c->protocol;
	struct exchange *x = h->side.exchange;

	if (x == NULL) {
		client_free(c);
		return;
	}
	if (h->state == H1C_REQUEST) {
		h->keep = false;
		h->state = H1C_EXCHANGE;
		exchange_request_bad(x, 408, "the head took too long");
		return;
	}
	exchange_timeout(x, "nothing came in time");
}

/* A stop closes who is idle; a reload lets an idle client ask once more, for
 * closing would race with its next request. */
static void
on_drain(struct client *c)
{
	const struct h1_client *h = c->protocol;

	if (h->state == H1C_IDLE && h->edge->drain == DRAIN_NOW)
		client_free(c);
}

static void
on_end(struct client *c)
{
	struct h1_client *h = c->protocol;

	h->state = H1C_OVER;
	h->paused = true;
	if (h->side.exchange != NULL)
		exchange_client_gone(h->side.exchange, "connection closed");
	h1_release(&h->reader);
	buf_release(&h->input);
	loop_defer(h->edge->loop, free, h);
}

static const struct client_protocol h1_protocol = {
	.timer = on_timer,
	.drain = on_drain,
	.end = on_end,
};

static struct h1_client *
h1_client_new(struct client *c)
{
	struct h1_client *h = calloc(1, sizeof(*h));

	must(h != NULL);
	h->side.type = &h1_client_type;
	h->client = c;
	h->edge = c->edge;
	h->stream = c->stream;
	h1_init(&h->reader, H1_REQUESTS, &limits_of(h)->h1);
	buf_init(&h->input, INPUT_MAX);
	client_speak(c, &h1_protocol, h);
	stream_own(c->stream, &client_events, h);
	return h;
}

void
h1_client_begin(struct client *c)
{
	struct h1_client *h = h1_client_new(c);

	wait_for_request(h);
	stream_want_read(h->stream, true);
}

void
h1_client_connect(struct client *c, struct bytes authority)
{
	struct h1_client *h = h1_client_new(c);
	struct exchange *x;

	h->implied = true;
	begin_request(h);
	x = h->side.exchange;
	x->implied = true;
	x->request.method = BYTES("CONNECT");
	x->request.target = arena_copy(&x->arena, authority);
	h->state = H1C_EXCHANGE;
	h->paused = true;
	exchange_request(x);
}

size_t
h1_client_pending(const struct client *c)
{
	const struct h1_client *h = c->protocol;

	return h->left + h->input.n;
}
