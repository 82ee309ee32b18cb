/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2_origin.h"

#include <stdlib.h>

#include "proxy/http/h2_session.h"

/* A request that got nothing in so long a time, while the connection brought
 * nothing at all, casts doubt on the connection. */
#define SUSPECT_MS 1000
/* Frames that wait for an origin which does not read; beyond them the client's
 * new wishes are not told. */
#define UPDATES_MAX 100

struct h2_origin {
	struct h2_session session;
	struct origin *origin;
	uint64_t streams_total;
	uint64_t received_ms;
	bool suspect;    /* no more streams */
	bool misbehaved; /* so it is ended */
};

static struct h2_origin *
h2_origin_of(struct h2_session *h)
{
	return CONTAINER(h, struct h2_origin, session);
}

/* The side of an exchange. */

static void
side_head(struct side *side, const struct message *m)
{
	struct h2_stream *s = h2_stream_of(side);
	nghttp2_data_provider body = h2_stream_body(s);
	struct exchange *x = side->exchange;
	struct h2_fields f;

	if (s->closed)
		return;
	s->opens = m->upgrade;
	s->to_head = bytes_equal(m->method, BYTES("HEAD"));
	f = h2_request_fields(&x->arena, m, x->edge->via);
	s->id = nghttp2_submit_request(s->session->library, NULL, f.nv, f.n,
	    m->framing == FRAMING_NONE && !m->upgrade ? NULL : &body, s);
	must(s->id > 0); /* else out of memory: upstream saw to the ids */
}

/* The library tells it to who asked for such frames (RFC 9218 section 2.1). */
static void
side_priority(struct side *side, struct bytes value)
{
	struct h2_stream *s = h2_stream_of(side);

	if (s->closed || s->id == 0 ||
	    nghttp2_session_get_outbound_queue_size(s->session->library) >
		UPDATES_MAX)
		return;
	nghttp2_submit_priority_update(
	    s->session->library, NGHTTP2_FLAG_NONE, s->id, value.p, value.n);
	h2_session_send_later(s->session);
}

static enum side_retry
side_retry(const struct side *side)
{
	const struct h2_stream *s = (const void *)side;

	if (s->unprocessed)
		return RETRY_ANY;
	return s->reused ? RETRY_IDEMPOTENT : RETRY_NEVER;
}

/* The deadline of an exchange is kept on its client's side. */
static void
side_deadline(struct side *side, uint64_t ms)
{
	(void)side;
	(void)ms;
}

static void
side_raw(struct side *side)
{
	(void)side;
}

static void
side_done(struct side *side, enum side_outcome outcome)
{
	struct h2_stream *s = h2_stream_of(side);
	struct h2_origin *h;
	uint64_t now;

	if (s->outlived || s->id == 0) {
		h2_stream_drop(s);
		return;
	}
	if (s->closed)
		return;
	h = h2_origin_of(s->session);
	now = loop_now_ms(s->loop);
	if (!s->head_read && now - s->opened_ms >= SUSPECT_MS &&
	    now - h->received_ms >= SUSPECT_MS)
		h->suspect = true;
	if (outcome != SIDE_COMPLETE || s->out_sent < s->out.n || !s->out_ended)
		h2_stream_reset(s, s->fault != 0 ? s->fault : NGHTTP2_CANCEL);
}

static const struct side_type h2_origin_type = {
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
	.priority = side_priority,
	.retry = side_retry,
	.done = side_done,
};

/* The role. */

static struct message *
message_of(struct exchange *x)
{
	return &x->response;
}

static void
answer_head(struct h2_stream *s, bool ends)
{
	struct exchange *x = s->side.exchange;

	if (!h2_head_response(&s->head, ends, s->to_head)) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, s->head.why);
		return;
	}
	s->head_read = x->response.status >= 200;
	if (s->opens && x->response.status / 100 == 2 && !ends)
		h2_head_upgraded(&s->head,
		    message_field(&x->request, FIELD_SEC_WEBSOCKET_KEY)->value);
	exchange_response(x);
	s->flush_peer = true;
	if (ends && s->side.exchange != NULL)
		h2_stream_ended(s);
}

static void
answer_body(struct h2_stream *s, struct bytes b)
{
	exchange_response_body(s->side.exchange, b);
	s->flush_peer = true;
}

static void
answer_end(struct h2_stream *s)
{
	exchange_response_end(
	    s->side.exchange, s->trailer.fields, s->trailer.fields_n);
}

static void
stream_drained(struct h2_stream *s)
{
	exchange_origin_drained(s->side.exchange);
}

/* What has come whole is still delivered. */
static void
stream_cut(struct h2_stream *s, uint32_t code, const char *why)
{
	if (s->ended)
		return;
	s->unprocessed = code == NGHTTP2_REFUSED_STREAM;
	exchange_origin_failed(s->side.exchange,
	    s->session->over ? ANSWER_UNREACHABLE : ANSWER_BAD_ANSWER, why);
}

static bool
has_room(void *session)
{
	const struct h2_origin *h = session;
	nghttp2_session *library = h->session.library;

	return !h->suspect && !h->session.leaving &&
	    nghttp2_session_check_request_allowed(library) != 0 &&
	    h->session.streams_n < nghttp2_session_get_remote_settings(library,
				       NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

static bool
takes_upgrades(void *session)
{
	const struct h2_origin *h = session;

	return nghttp2_session_get_remote_settings(h->session.library,
		   NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

/* A busy connection waits for nothing, and belongs to nobody in particular. */
static void
fewer_streams(struct h2_session *session)
{
	struct h2_origin *h = h2_origin_of(session);

	if (session->streams_n > 0)
		return;
	if (h->suspect)
		origin_free(h->origin);
	else
		upstream_keep(h->origin);
}

static void
frame_sent(struct h2_session *session, const nghttp2_frame *frame)
{
	(void)session;
	(void)frame;
}

/* What was read goes to the clients in as few packets as can be. */
static void
received(struct h2_session *session)
{
	struct h2_stream *next;

	h2_origin_of(session)->received_ms = loop_now_ms(session->edge->loop);
	for (struct h2_stream *s = session->streams; s != NULL; s = next) {
		struct exchange *x = s->side.exchange;

		next = s->next;
		if (s->flush_peer && x != NULL)
			x->from->type->flush(x->from);
		s->flush_peer = false;
	}
}

static void
finished(struct h2_session *session)
{
	origin_free(h2_origin_of(session)->origin);
}

static void
connection_lost(struct h2_session *session, bool broken)
{
	(void)broken;
	origin_free(h2_origin_of(session)->origin);
}

static void
record_misbehaviour(struct h2_session *session, struct bytes why)
{
	struct h2_origin *h = h2_origin_of(session);
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	h->misbehaved = true;
	counter_add(COUNTER_CONNECTIONS_ENDED, 1);
	log_begin(&l, EVENT_MISBEHAVED, NULL);
	log_string(&l, "origin", address_text(&h->origin->address, text));
	log_text(&l, "why", why);
	log_end(&l);
}

static const struct h2_role origin_role = {
	.message = message_of,
	.head = answer_head,
	.body = answer_body,
	.end = answer_end,
	.drained = stream_drained,
	.cut = stream_cut,
	.fewer = fewer_streams,
	.received = received,
	.sent = frame_sent,
	.finished = finished,
	.lost = connection_lost,
	.misbehaved = record_misbehaviour,
};

/* The connection, as upstream shares it. */

static void
release(void *owner)
{
	struct h2_origin *h = h2_origin_of(owner);

	h2_session_release(&h->session);
	free(h);
}

static void
on_end(void *session)
{
	struct h2_origin *h = session;

	h2_session_end(&h->session,
	    h->misbehaved ? "the origin does not keep to HTTP/2"
			  : "the origin closed the connection",
	    release);
}

static const struct sharing h2_sharing = {
	.has_room = has_room,
	.takes_upgrades = takes_upgrades,
	.end = on_end,
};

void
h2_origin_begin(struct edge *e, struct origin *o)
{
	struct h2_origin *h = calloc(1, sizeof(*h));

	must(h != NULL);
	h->origin = o;
	h2_session_begin(&h->session, H2_CLIENT, &origin_role, e, o->stream);
	upstream_share(o, &h2_sharing, h);
}

struct side *
h2_origin_side(struct exchange *x, struct origin *o)
{
	struct h2_origin *h = o->session;
	struct h2_stream *s;

	if (h->session.streams_n == 0)
		upstream_use(o);
	s = h2_stream_new(&h->session, &h2_origin_type);
	s->side.exchange = x;
	s->opened_ms = loop_now_ms(x->edge->loop);
	s->reused = h->streams_total++ > 0;
	return &s->side;
}
