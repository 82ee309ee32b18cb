/* SPDX-License-Identifier: Apache-2.0 */
/* connect: what a CONNECT opens: TLS with us, or a tunnel. */
#include <stdlib.h>

#include "proxy/http/inside.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"
#include "proxy/http/tunnel.h"

void
exchange_pass_raw(struct exchange *x)
{
	x->raw = true;
	x->response_begun = true;
	x->up = BODY_RUNS;
	x->down = BODY_RUNS;
	x->to->type->raw(x->to);
	x->from->type->raw(x->from);
	exchange_deadline(x, exchange_limits(x)->tunnel_timeout_ms);
	x->to->type->flow(x->to, FLOW_GO);
	if (!x->finished)
		x->from->type->flow(x->from, FLOW_GO);
}

static struct intercept *
intercept_new(const struct exchange *x)
{
	struct intercept *i = calloc(1, sizeof(*i));

	must(i != NULL);
	intercept_name(i, &x->url);
	i->decision = x->decision;
	return i;
}

static void
tell_established(struct exchange *x)
{
	struct message *m = &x->response;

	*m = (struct message){ .status = 200,
		.reason = BYTES("Connection established"),
		.keep_alive = true };
	x->answered_us = clock_us();
	x->response_begun = true;
	x->from->type->head(x->from, m);
	x->from->type->flush(x->from);
}

/* TLS with us begins on the connection, which is no longer the exchange's. */
static enum stage_answer
intercept_here(struct exchange *x, struct intercept *i)
{
	struct client *c = x->client;

	if (h1_client_pending(c) > 0) {
		intercept_free(i);
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "bytes came before the tunnel was open");
	}
	tell_established(x);
	x->finished = true;
	x->from->exchange = NULL;
	x->from->type->raw(x->from);
	loop_defer(x->edge->loop, exchange_release, x);
	c->segment = x->segment;
	c->address = x->address;
	intercept_begin(c, i);
	return STAGE_WAIT;
}

/* It begins inside the TLS that is there, and others may be beside it. */
static enum stage_answer
intercept_inside(struct exchange *x, struct intercept *i)
{
	x->to = inside_new(x, i);
	if (x->to == NULL)
		return exchange_refuse(
		    x, ANSWER_UNREACHABLE, "no more connections can be opened");
	x->untold = true;
	tell_established(x);
	exchange_pass_raw(x);
	return STAGE_WAIT;
}

/* The client is told that the tunnel is open; its requests will have lines of
 * their own. */
static enum stage_answer
connect_intercept(struct exchange *x, struct intercept *i)
{
	x->own = true;
	return stream_ssl(x->client->stream) == NULL ? intercept_here(x, i)
						     : intercept_inside(x, i);
}

enum stage_answer
connect_policy(void *job)
{
	struct exchange *x = job;
	struct query q = exchange_query(x);
	struct intercept *i;

	x->decision = policy_judge_connect(x->edge->settings->policy, &q);
	x->url.connect_to = decision_connect_to(&x->decision);
	if (x->decision.verdict == VERDICT_BLOCK)
		counter_add(COUNTER_BLOCKED, 1);
	else if (!inspect_name(x))
		x->decision.verdict = VERDICT_BLOCK;
	if (x->decision.verdict == VERDICT_TUNNEL)
		return STAGE_NEXT;
	if (x->decision.verdict == VERDICT_ALLOW)
		return connect_intercept(x, intercept_new(x));
	/* A browser shows no page that answers CONNECT: it gets one inside
	 * TLS, without the destination being asked anything. */
	i = intercept_new(x);
	i->refused = true;
	i->answer = ANSWER_BLOCKED;
	return connect_intercept(x, i);
}

/* Tunnels that share a connection count like those that have one each. */
static const char *
count_tunnel(struct exchange *x)
{
	const char *why;

	if (!x->from->type->shared)
		return NULL;
	why = client_over_limit(x->edge, &x->address, x->segment);
	if (why != NULL)
		return why;
	board_connected(x->edge->board, &x->address, x->segment->body->index);
	x->counted = true;
	return NULL;
}

enum stage_answer
connect_open(void *job)
{
	struct exchange *x = job;
	const char *why = count_tunnel(x);

	if (why != NULL)
		return exchange_refuse(x, ANSWER_UNREACHABLE, why);
	x->tunnel = tunnel_new(x);
	counter_add(COUNTER_TUNNELS, 1);
	tell_established(x);
	exchange_pass_raw(x);
	return STAGE_WAIT;
}
