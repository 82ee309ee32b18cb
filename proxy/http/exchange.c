/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/exchange.h"

#include <string.h>

#include "proxy/http/detoxed.h"
#include "proxy/http/handover.h"
#include "proxy/http/inspect.h"
#include "proxy/http/parcel.h"
#include "proxy/http/said.h"
#include "proxy/http/stages.h"
#include "proxy/http/tunnel.h"
#include "proxy/http/unlock.h"
#include "proxy/http/warn.h"
#include "proxy/http/websocket.h"

static const struct stage http_path[] = {
	{ "zone", exchange_zone },
	{ "target", exchange_target },
	{ "policy", exchange_policy },
	{ "inspect", exchange_inspect },
	{ "upstream", exchange_upstream },
	{ "relay", exchange_relay },
};

static const struct stage connect_path[] = {
	{ "zone", exchange_zone },
	{ "target", connect_target },
	{ "policy", connect_policy },
	{ "upstream", exchange_upstream },
	{ "tunnel", connect_open },
};

struct exchange *
exchange_new(struct edge *e, struct client *c, struct side *from)
{
	struct arena a = { 0 };
	struct exchange *x = ARENA_NEW(&a, struct exchange);

	x->arena = a;
	x->edge = e;
	x->client = c;
	x->from = from;
	x->segment = c->segment;
	x->address = c->address;
	x->started_us = clock_us();
	x->path = http_path;
	x->path_n = COUNT(http_path);
	from->exchange = x;
	return x;
}

void
exchange_walk(struct exchange *x)
{
	stages_run(x->path, x->path_n, &x->stage, x);
}

void
exchange_release(void *owner)
{
	struct exchange *x = owner;
	struct arena a = x->arena;

	arena_release(&a);
}

/* Both ends go at once, the memory when our callers have returned. */
void
exchange_finish(
    struct exchange *x, enum side_outcome from, enum side_outcome to)
{
	if (x->finished)
		return;
	x->finished = true;
	upstream_cancel(x->wait);
	x->wait = NULL;
	parcel_end(x);
	unlock_end(x);
	handover_end(x);
	detoxed_end(x);
	inspect_end(x);
	said_free(x->said);
	x->said = NULL;
	if (!x->untold)
		exchange_record(x);
	if (x->counted)
		board_disconnected(
		    x->edge->board, &x->address, x->segment->body->index);
	tunnel_free(x->tunnel);
	if (x->form != NULL) {
		if (x->unlock != NULL && x->form->p != NULL)
			explicit_bzero(x->form->p, x->form->size);
		buf_release(x->form);
	}
	if (x->to != NULL) {
		x->to->exchange = NULL;
		x->to->type->done(x->to, to);
	}
	x->from->exchange = NULL;
	x->from->type->done(x->from, from);
	loop_defer(x->edge->loop, exchange_release, x);
}

/* An answer that has ended ends the exchange, whatever of the request is
 * still to come. */
static void
finish_if_complete(struct exchange *x)
{
	bool read = x->up == BODY_ENDED;
	bool sent = read && (x->content_up == NULL || x->sent_up);

	if (x->down != BODY_ENDED || (x->raw && !read))
		return;
	exchange_finish(x, read ? SIDE_COMPLETE : SIDE_ANSWERED,
	    sent ? SIDE_COMPLETE : SIDE_CUT);
}

/* With a page while the client has no answer yet; else the answer is cut
 * short so that the client can tell. */
static void
fail(
    struct exchange *x, enum answer_kind kind, unsigned status, const char *why)
{
	x->answer = kind;
	x->why = why;
	if (x->id[0] == '\0')
		log_id(x->id);
	if (x->response_begun) {
		exchange_finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	if (x->to != NULL) {
		x->to->exchange = NULL;
		x->to->type->done(x->to, SIDE_CUT);
		x->to = NULL;
	}
	exchange_page(x, status);
}

enum stage_answer
exchange_refuse(struct exchange *x, enum answer_kind kind, const char *why)
{
	fail(x, kind, 0, why);
	return STAGE_REFUSE;
}

/* What the client's side read. */

void
exchange_request(struct exchange *x)
{
	if (exchange_is_method(x, BYTES("CONNECT"))) {
		x->path = connect_path;
		x->path_n = COUNT(connect_path);
	}
	x->up = x->request.framing == FRAMING_NONE ? BODY_ENDED : BODY_NONE;
	counter_add(COUNTER_EXCHANGES, 1);
	exchange_walk(x);
}

void
exchange_request_bad(struct exchange *x, unsigned status, const char *why)
{
	x->request.method =
	    x->request.method.n == 0 ? BYTES("-") : x->request.method;
	x->up = BODY_NONE;
	fail(x, ANSWER_BAD_REQUEST, status, why);
}

static uint64_t
flow_timeout_ms(const struct exchange *x)
{
	return x->raw ? exchange_limits(x)->tunnel_timeout_ms
		      : exchange_limits(x)->body_timeout_ms;
}

void
exchange_request_body(struct exchange *x, struct bytes b)
{
	if (x->form != NULL) {
		warn_form_body(x, b);
		return;
	}
	if (x->handover != NULL) {
		handover_body(x, b);
		return;
	}
	if (x->said != NULL) {
		said_push(x, b);
		return;
	}
	if (x->content_up != NULL) {
		inspect_request_body(x, b);
		return;
	}
	if (x->tunnel != NULL &&
	    !tunnel_judge(x->tunnel, TUNNEL_UP, &b, &x->why)) {
		exchange_finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	x->bytes_up += b.n;
	x->to->type->body(x->to, b);
	exchange_deadline(x, flow_timeout_ms(x));
	if (x->to->type->full(x->to)) {
		x->to->type->flush(x->to);
		x->from->type->flow(x->from, FLOW_PAUSE);
	}
}

void
exchange_request_end(struct exchange *x, const struct field *trailers, size_t n)
{
	x->up = BODY_ENDED;
	if (x->form != NULL) {
		if (x->unlock != NULL)
			unlock_form_end(x);
		else if (x->handover != NULL)
			handover_form_end(x);
		else
			warn_form_end(x);
		return;
	}
	if (x->handover != NULL) {
		handover_body_end(x);
		return;
	}
	if (x->content_up != NULL) {
		inspect_request_end(x, trailers, n);
		return;
	}
	if (x->to == NULL)
		return;
	n = exchange_sift_trailers(x, &trailers, n);
	x->to->type->end(x->to, trailers, n);
	x->to->type->flush(x->to);
	if (!x->raw && !x->response_begun)
		exchange_deadline(x, exchange_limits(x)->answer_timeout_ms);
	finish_if_complete(x);
}

/* It may come a thousand times while the origin is being reached. */
static void
keep_priority(struct exchange *x, struct bytes value)
{
	must(value.n <= sizeof(x->priority));
	if (value.n > 0)
		memcpy(x->priority, value.p, value.n);
	exchange_set_field(x, FIELD_PRIORITY, BYTES("Priority"),
	    (struct bytes){ x->priority, value.n });
}

void
exchange_priority(struct exchange *x, struct bytes value)
{
	if (x->to == NULL)
		keep_priority(x, value);
	else if (x->to->type->priority != NULL)
		x->to->type->priority(x->to, value);
}

void
exchange_client_gone(struct exchange *x, const char *why)
{
	if (x->why == NULL)
		x->why = why;
	exchange_finish(x, SIDE_CUT, SIDE_CUT);
}

void
exchange_client_drained(struct exchange *x)
{
	if (x->detoxing == NULL)
		exchange_deadline(x, flow_timeout_ms(x));
	if (x->content_down != NULL)
		inspect_send_down(x);
	if (!x->finished && x->to != NULL && x->down == BODY_RUNS &&
	    !x->read_down &&
	    (x->content_down == NULL || !content_ready(x->content_down)))
		x->to->type->flow(x->to, FLOW_GO);
}

/* What the origin's side read. */

/* Only who understood the request can answer its key: what calls itself 101
 * and is none would let the client say anything to the origin. */
static bool
has_accepted(struct exchange *x)
{
	const struct field *key =
	    message_field(&x->request, FIELD_SEC_WEBSOCKET_KEY);
	const struct field *accept =
	    message_field(&x->response, FIELD_SEC_WEBSOCKET_ACCEPT);

	return key != NULL && accept != NULL &&
	    bytes_equal(websocket_accept(&x->arena, key->value), accept->value);
}

static void
switch_protocol(struct exchange *x)
{
	if (!x->request.upgrade || !x->response.upgrade) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "101 without having been asked");
		return;
	}
	if (!has_accepted(x)) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER,
		    "Sec-WebSocket-Accept unlike the key");
		return;
	}
	x->from->type->head(x->from, &x->response);
	x->from->type->flush(x->from);
	counter_add(COUNTER_TUNNELS, 1);
	said_begin(x);
	exchange_pass_raw(x);
}

static void
interim(struct exchange *x)
{
	if (++x->interim > exchange_limits(x)->interim_max) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "too many interim answers");
		return;
	}
	/* A client of HTTP/1.0 knows none (RFC 9110 section 15.2). */
	if (x->request.version_minor == 0)
		return;
	x->from->type->head(x->from, &x->response);
	x->from->type->flush(x->from);
}

static bool
is_idempotent(const struct exchange *x)
{
	static const struct bytes methods[] = {
		BYTES_ROW("GET"),
		BYTES_ROW("HEAD"),
		BYTES_ROW("OPTIONS"),
		BYTES_ROW("PUT"),
		BYTES_ROW("DELETE"),
		BYTES_ROW("TRACE"),
	};

	for (size_t i = 0; i < COUNT(methods); i++)
		if (exchange_is_method(x, methods[i]))
			return true;
	return false;
}

/* Once, before any answer, and with nothing of a body lost. */
static bool
may_retry(const struct exchange *x)
{
	if (x->retried || x->raw || x->interim > 0 || x->answered_us != 0 ||
	    x->bytes_up > 0 || x->bound)
		return false;
	switch (x->to->type->retry(x->to)) {
	case RETRY_NEVER:
		return false;
	case RETRY_IDEMPOTENT:
		return is_idempotent(x);
	case RETRY_ANY:
		return true;
	}
	return false;
}

/* On another connection: a new one, unless the origin itself sends us away
 * from the one that it will not use. */
static void
retry(struct exchange *x)
{
	x->retried = true;
	x->sent_up = false;
	x->fresh = x->to->type->retry(x->to) != RETRY_ANY;
	x->to->exchange = NULL;
	x->to->type->done(x->to, SIDE_CUT);
	x->to = NULL;
	for (x->stage = 0; x->path[x->stage].run != exchange_upstream;)
		x->stage++;
	if (x->up == BODY_RUNS)
		x->from->type->flow(x->from, FLOW_PAUSE);
	exchange_walk(x);
}

/* An upgrade was not granted, but answered as the GET that it is, too. Where
 * every 2xx grants it (RFC 8441 section 5), the client would not understand. */
static bool
end_upgrade(struct exchange *x)
{
	if (x->from->type->shared && x->response.status / 100 == 2) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER,
		    "the upgrade was not granted, but answered");
		return false;
	}
	x->to->type->end(x->to, NULL, 0);
	return true;
}

static void
final(struct exchange *x)
{
	struct message *m = &x->response;
	const char *why;

	x->bound |= exchange_binds_connection(m);
	if (x->bound && x->from->type->shared) {
		exchange_ask_for_one_at_a_time(x);
		return;
	}
	why = meaning_settle(&x->meaning, &x->request, m);
	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	if (x->request.upgrade && !end_upgrade(x))
		return;
	if (m->framing == FRAMING_CLOSE)
		m->framing = FRAMING_CHUNKED;
	m->keep_alive = true;
	m->upgrade = false;
	x->down = BODY_RUNS;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	if (inspect_answer(x))
		exchange_begin_answer(x);
	else if (!x->finished)
		parcel_expect(x);
}

void
exchange_begin_answer(struct exchange *x)
{
	x->response_begun = true;
	x->from->type->head(x->from, &x->response);
}

void
exchange_end_answer(struct exchange *x, const struct field *trailers, size_t n)
{
	x->down = BODY_ENDED;
	x->from->type->end(x->from, trailers, n);
	x->from->type->flush(x->from);
	finish_if_complete(x);
}

void
exchange_response(struct exchange *x)
{
	struct message *m = &x->response;

	/* The last word of an idle connection, which our request met on its
	 * way (RFC 9110 section 15.5.9). */
	if (m->status == 408 && may_retry(x)) {
		exchange_origin_failed(
		    x, ANSWER_BAD_ANSWER, "the origin closed the connection");
		return;
	}
	/* RFC 9110 section 15.5.20: asked under another name's connection. */
	if (m->status == 421 && x->coalesced && !x->retried &&
	    x->bytes_up == 0) {
		retry(x);
		return;
	}
	message_mark_hops(m);
	exchange_drop_fields(m);
	if (x->answered_us == 0)
		x->answered_us = clock_us();
	if (m->status == 101) {
		switch_protocol(x);
		return;
	}
	if (m->status < 200)
		interim(x);
	else
		final(x);
}

void
exchange_response_body(struct exchange *x, struct bytes b)
{
	const char *why;

	if (x->tunnel != NULL &&
	    !tunnel_judge(x->tunnel, TUNNEL_DOWN, &b, &x->why)) {
		exchange_finish(x, SIDE_CUT, SIDE_CUT);
		return;
	}
	why = meaning_body(&x->meaning, b);
	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	if (x->content_down != NULL) {
		inspect_answer_body(x, b);
		return;
	}
	x->bytes_down += b.n;
	x->from->type->body(x->from, b);
	exchange_deadline(x, flow_timeout_ms(x));
	/* Only what leaves can drain, and nothing more may come that would
	 * have it flushed. */
	if (x->from->type->full(x->from)) {
		x->from->type->flush(x->from);
		x->to->type->flow(x->to, FLOW_PAUSE);
	}
}

void
exchange_response_end(
    struct exchange *x, const struct field *trailers, size_t n)
{
	const char *why = meaning_end(&x->meaning);

	if (why != NULL) {
		exchange_origin_failed(x, ANSWER_BAD_ANSWER, why);
		return;
	}
	if (x->content_down != NULL)
		inspect_answer_end(x, trailers, n);
	else
		exchange_end_answer(x, trailers, n);
}

void
exchange_origin_failed(
    struct exchange *x, enum answer_kind kind, const char *why)
{
	/* All of its answer was read: what it does now is nothing to us. */
	if (x->read_down)
		return;
	if (x->response_begun || !may_retry(x)) {
		counter_add(COUNTER_UPSTREAM_FAILURES, 1);
		fail(x, kind, 0, why);
		return;
	}
	retry(x);
}

void
exchange_origin_drained(struct exchange *x)
{
	if (x->detoxing == NULL)
		exchange_deadline(x, flow_timeout_ms(x));
	if (x->content_up != NULL)
		inspect_send_up(x);
	if (x->up == BODY_RUNS &&
	    (x->content_up == NULL || !content_ready(x->content_up)))
		x->from->type->flow(x->from, FLOW_GO);
}

void
exchange_timeout(struct exchange *x, const char *why)
{
	if (x->response_begun || x->up == BODY_ENDED) {
		fail(x, ANSWER_TIMEOUT, 0, why);
		return;
	}
	fail(x, ANSWER_BAD_REQUEST, 408, why);
}
