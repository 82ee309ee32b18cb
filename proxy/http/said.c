/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/said.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "proxy/http/frames.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

/* That much of a message is kept back even where bodies are not. */
#define MESSAGE_MIN ((size_t)65536)

struct said {
	struct frames frames;
	struct buf raw;        /* frames of the message, as they came */
	struct buf data;       /* its payload */
	struct share share;    /* raw.n is in it */
	struct content *judge; /* of the message; while it is looked into */
};

void
said_begin(struct exchange *x)
{
	struct said *s;
	size_t most = inspect_hold_max(x);

	if (!inspect_stops(x))
		return;
	if (most < MESSAGE_MIN)
		most = MESSAGE_MIN;
	s = calloc(1, sizeof(*s));
	must(s != NULL);
	s->share = budget_share(&x->edge->budget, &x->address);
	/* Frames have heads: of some pieces, not of each byte. */
	buf_init(&s->raw, most + most / 8 + FRAMES_HEAD_MAX);
	buf_init(&s->data, most);
	x->said = s;
}

static void
forget(struct said *s)
{
	share_give(s->share, s->raw.n);
	if (s->raw.p != NULL)
		OPENSSL_cleanse(s->raw.p, s->raw.size);
	if (s->data.p != NULL)
		OPENSSL_cleanse(s->data.p, s->data.size);
	buf_release(&s->raw);
	buf_release(&s->data);
}

void
said_free(struct said *s)
{
	if (s == NULL)
		return;
	forget(s);
	content_free(s->judge);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* The client is told in its own terms, then both ways end. */
static void
close_for(struct exchange *x, unsigned status, const char *why)
{
	uint8_t frame[FRAMES_CLOSE_N];

	x->why = why;
	/* A server may have had its last word. */
	if (x->down != BODY_ENDED) {
		frames_write_close(frame, status);
		x->from->type->body(
		    x->from, (struct bytes){ frame, sizeof(frame) });
		x->from->type->end(x->from, NULL, 0);
		x->from->type->flush(x->from);
	}
	exchange_finish(x, SIDE_COMPLETE, SIDE_CUT);
}

/* Many speak JSON, and say so by how they begin. */
static struct bytes
media_type_of(struct bytes message)
{
	return message.n > 0 && (message.p[0] == '{' || message.p[0] == '[')
	    ? BYTES("application/json")
	    : BYTES("text/plain; charset=utf-8");
}

/* Whether the message may travel on. Who is warned cannot be asked here. */
static bool
judge(struct exchange *x, struct bytes message)
{
	struct said *s = x->said;
	struct content_order o = inspect_order(x, &x->request, true);
	enum content_verdict v;
	const char *why = NULL;

	o.media_type = media_type_of(message);
	o.streams = true;
	s->judge = content_new(&o);
	v = content_push(s->judge, message, true, &why);
	inspect_record(x, "websocket", s->judge);
	if (v == CONTENT_FOUND)
		inspect_blame(x, s->judge);
	content_free(s->judge);
	s->judge = NULL;
	return v == CONTENT_GO;
}

/* 0, or -1: the exchange is over. */
static int
let_pass(struct exchange *x, struct bytes message)
{
	if (judge(x, message))
		return 0;
	close_for(x, FRAMES_POLICY, x->why);
	return -1;
}

/* What was kept back of whole messages leaves. */
static void
let_go(struct exchange *x)
{
	struct said *s = x->said;

	x->bytes_up += s->raw.n;
	x->to->type->body(x->to, buf_bytes(&s->raw));
	forget(s);
}

/* 0, or -1: the exchange is over. */
static int
take_event(struct exchange *x, enum frames_event e, struct bytes data)
{
	struct said *s = x->said;

	switch (e) {
	case FRAMES_BAD:
		close_for(x, FRAMES_PROTOCOL, s->frames.why);
		return -1;
	case FRAMES_DATA:
		if (buf_append(&s->data, data) == 0)
			return 0;
		close_for(x, FRAMES_TOO_BIG,
		    "a WebSocket message longer than what is kept back");
		return -1;
	case FRAMES_CONTROL: /* a ping may say something too */
		return data.n == 0 ? 0 : let_pass(x, data);
	case FRAMES_MESSAGE:
		if (let_pass(x, buf_bytes(&s->data)) < 0)
			return -1;
		s->data.n = 0;
		return 0;
	case FRAMES_MORE:
		return 0;
	}
	return 0;
}

static int
keep(struct exchange *x, struct bytes b)
{
	struct said *s = x->said;

	if (share_take(s->share, b.n)) {
		if (buf_append(&s->raw, b) == 0)
			return 0;
		share_give(s->share, b.n);
	}
	close_for(
	    x, FRAMES_TOO_BIG, "too many bytes are kept back to be judged");
	return -1;
}

void
said_push(struct exchange *x, struct bytes b)
{
	struct said *s = x->said;
	enum frames_event e = FRAMES_DATA;

	while (e != FRAMES_MORE) {
		struct bytes before = b;
		struct bytes data = { 0 };

		e = frames_next(&s->frames, &b, &data);
		before.n -= b.n;
		if (keep(x, before) < 0 || take_event(x, e, data) < 0)
			return;
		if (frames_between(&s->frames) && s->raw.n > 0)
			let_go(x);
	}
	exchange_deadline(x, exchange_limits(x)->tunnel_timeout_ms);
	if (x->to->type->full(x->to)) {
		x->to->type->flush(x->to);
		x->from->type->flow(x->from, FLOW_PAUSE);
	}
}
