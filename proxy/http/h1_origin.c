/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h1_origin.h"

#include "proxy/http/h1.h"

#define INPUT_MAX ((size_t)2 * EDGE_SCRATCH_SIZE)

struct h1_origin {
	struct side side;
	struct edge *edge;
	struct client *client;
	struct address asker;
	struct origin *origin;
	struct stream *stream;
	struct h1 reader;
	struct buf input; /* read, but the client has no room for it */
	bool paused;
	bool raw;
	bool chunked;     /* what we send */
	bool sent;        /* the request is complete */
	bool received;    /* so is the answer */
	bool may_be_kept; /* as the answer says */
	bool bound;       /* serves this client alone from now on */
};

static struct h1_origin *
h1_origin_of(struct side *s)
{
	return CONTAINER(s, struct h1_origin, side);
}

/* The fields of one hop that we add ourselves. */
static int
write_own_fields(struct buf *out, const struct message *m, const char *via)
{
	const struct field *upgrade = message_field(m, FIELD_UPGRADE);
	const struct field *te = message_field(m, FIELD_TE);

	if (h1_write_field(out, "Via", bytes_of(via)) < 0)
		return -1;
	if (m->upgrade && upgrade != NULL)
		return h1_write_field(out, "Connection", BYTES("Upgrade")) < 0
		    ? -1
		    : h1_write_field(out, "Upgrade", upgrade->value);
	if (te == NULL || !bytes_equal_nocase(te->value, BYTES("trailers")))
		return 0;
	return h1_write_field(out, "Connection", BYTES("TE")) < 0
	    ? -1
	    : h1_write_field(out, "TE", BYTES("trailers"));
}

static void
origin_head(struct side *s, const struct message *m)
{
	struct h1_origin *o = h1_origin_of(s);
	struct buf *out = &o->edge->out;

	out->n = 0;
	o->chunked = m->framing == FRAMING_CHUNKED;
	o->reader.request_was_head = bytes_equal(m->method, BYTES("HEAD"));
	/* A head that was read fits: its limit is far below this one's. */
	must(h1_write_request(out, m, m->target) == 0 &&
	    write_own_fields(out, m, o->edge->via) == 0 &&
	    h1_write_head_end(out) == 0);
	stream_put(o->stream, buf_bytes(out));
}

static void
origin_body(struct side *s, struct bytes b)
{
	struct h1_origin *o = h1_origin_of(s);
	char line[H1_CHUNK_LINE_MAX + 1];

	if (!o->chunked || o->raw) {
		stream_put(o->stream, b);
		return;
	}
	stream_put(o->stream,
	    (struct bytes){ (uint8_t *)line, h1_chunk_line(line, b.n) });
	stream_put(o->stream, b);
	stream_put(o->stream, BYTES("\r\n"));
}

static void
origin_end(struct side *s, const struct field *trailers, size_t n)
{
	struct h1_origin *o = h1_origin_of(s);
	struct buf *out = &o->edge->out;

	o->sent = true;
	if (o->raw) {
		stream_shutdown(o->stream);
		return;
	}
	if (!o->chunked)
		return;
	out->n = 0;
	must(h1_write_chunked_end(out, trailers, n) == 0);
	stream_put(o->stream, buf_bytes(out));
}

static void
origin_flush(struct side *s)
{
	stream_flush(h1_origin_of(s)->stream);
}

static bool
origin_full(struct side *s)
{
	return stream_queued(h1_origin_of(s)->stream) > 0;
}

/* The deadline of an exchange is kept on its client's side. */
static void
origin_deadline(struct side *s, uint64_t ms)
{
	(void)s;
	(void)ms;
}

static void
origin_raw(struct side *s)
{
	h1_origin_of(s)->raw = true;
}

static void
response_event(struct h1_origin *o, enum h1_event event, struct bytes body,
    const struct message *trailer)
{
	struct exchange *x = o->side.exchange;

	switch (event) {
	case H1_HEAD:
		o->may_be_kept = x->response.keep_alive;
		exchange_response(x);
		return;
	case H1_BODY:
		exchange_response_body(x, body);
		return;
	case H1_END:
		/* An interim answer ends too; the final one is to come. */
		if (x->response.status < 200 && !o->raw)
			return;
		o->received = true;
		o->bound = x->bound;
		exchange_response_end(x, trailer->fields, trailer->fields_n);
		return;
	case H1_BAD:
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, o->reader.why);
		return;
	case H1_MORE:
		return;
	}
}

/* Reads messages out of in until it is empty, the exchange is over or the
 * client has no room; gives what is left. */
static struct bytes
parse(struct h1_origin *o, struct bytes in)
{
	while (o->side.exchange != NULL && !o->paused && !o->received) {
		struct exchange *x = o->side.exchange;
		struct message trailer = { 0 };
		struct message *m = &x->response;
		struct bytes body = { 0 };
		enum h1_event event;

		if (o->raw) {
			if (in.n > 0)
				exchange_response_body(x, in);
			return (struct bytes){ 0 };
		}
		if (h1_behind_head(&o->reader))
			m = &trailer;
		event = h1_next(&o->reader, &in, &x->arena, m, &body);
		if (event == H1_MORE)
			return (struct bytes){ 0 };
		/* More than was asked for: never somebody else's answer. */
		if (event == H1_END && in.n > 0)
			o->may_be_kept = false;
		response_event(o, event, body, &trailer);
	}
	return in;
}

static void
flush_client(struct h1_origin *o)
{
	struct side *from = o->side.exchange->from;

	from->type->flush(from);
}

static void
take(struct h1_origin *o, struct bytes in)
{
	struct bytes left = parse(o, in);

	if (o->side.exchange == NULL)
		return;
	if (left.n > 0)
		must(buf_append(&o->input, left) == 0);
	flush_client(o);
}

static void
origin_ended(struct h1_origin *o, bool in_order)
{
	struct exchange *x = o->side.exchange;
	const char *why = "the origin closed before its answer was complete";

	if (o->raw) {
		o->received = true;
		exchange_response_end(x, NULL, 0);
		return;
	}
	o->may_be_kept = false;
	if (in_order && h1_eof(&o->reader) == H1_END) {
		o->received = true;
		exchange_response_end(x, NULL, 0);
		return;
	}
	exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
}

static void
origin_readable(void *owner)
{
	struct h1_origin *o = owner;
	struct edge *e = o->edge;
	size_t n;

	if (o->side.exchange == NULL)
		return;
	if (o->paused) {
		stream_want_read(o->stream, false);
		return;
	}
	switch (stream_read(o->stream, e->scratch, sizeof(e->scratch), &n)) {
	case STREAM_READ:
		take(o, (struct bytes){ e->scratch, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
		stream_want_read(o->stream, false);
		if (o->raw && stream_broken(o->stream))
			break; /* nobody listens there any more, either */
		origin_ended(o, true);
		return;
	case STREAM_CUT:
		/* Without close_notify the end of a body that only the end
		 * of the connection tells may be an attacker's. */
		stream_want_read(o->stream, false);
		if (o->raw && stream_broken(o->stream))
			break;
		origin_ended(o, false);
		return;
	case STREAM_FAILED:
		break;
	}
	exchange_origin_failed(
	    o->side.exchange, ANSWER_UNREACHABLE, stream_why(o->stream));
}

static void
origin_drained(void *owner)
{
	struct h1_origin *o = owner;

	if (o->side.exchange != NULL)
		exchange_origin_drained(o->side.exchange);
}

static const struct stream_events origin_events = {
	.on_readable = origin_readable,
	.on_drained = origin_drained,
};

static void
origin_flow(struct side *s, enum flow flow)
{
	struct h1_origin *o = h1_origin_of(s);
	struct buf input;

	o->paused = flow == FLOW_PAUSE;
	if (o->paused)
		return;
	/* Where all has come, the end of the answer is still to be told. */
	if (o->input.n > 0 || h1_in_message(&o->reader)) {
		input = o->input;
		buf_init(&o->input, INPUT_MAX);
		take(o, buf_bytes(&input));
		buf_release(&input);
	}
	if (o->side.exchange != NULL && !o->paused)
		stream_want_read(o->stream, true);
}

static void
origin_done(struct side *s, enum side_outcome outcome)
{
	struct h1_origin *o = h1_origin_of(s);
	bool whole = outcome == SIDE_COMPLETE && o->sent && o->received &&
	    !o->raw && o->may_be_kept && o->input.n == 0 &&
	    stream_queued(o->stream) == 0 && !stream_broken(o->stream);

	h1_release(&o->reader);
	buf_release(&o->input);
	if (!whole)
		origin_free(o->origin);
	else if (o->bound)
		client_bind(o->client, o->origin, &o->asker);
	else
		upstream_keep(o->origin);
	o->origin = NULL;
}

static enum side_retry
origin_retry(const struct side *s)
{
	const struct h1_origin *o = (const void *)s;

	return o->origin->reused ? RETRY_IDEMPOTENT : RETRY_NEVER;
}

static const struct side_type h1_origin_type = {
	.version = "HTTP/1.1",
	.head = origin_head,
	.body = origin_body,
	.end = origin_end,
	.flush = origin_flush,
	.full = origin_full,
	.flow = origin_flow,
	.deadline = origin_deadline,
	.raw = origin_raw,
	.retry = origin_retry,
	.done = origin_done,
};

struct side *
h1_origin_new(struct exchange *x, struct origin *origin)
{
	struct h1_origin *o = ARENA_NEW(&x->arena, struct h1_origin);

	o->side.type = &h1_origin_type;
	o->side.exchange = x;
	o->edge = x->edge;
	o->client = x->client;
	o->asker = x->address;
	o->origin = origin;
	o->stream = origin->stream;
	h1_init(&o->reader, H1_RESPONSES, &x->edge->settings->limits.h1);
	buf_init(&o->input, INPUT_MAX);
	stream_own(o->stream, &origin_events, o);
	return &o->side;
}
