/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/warn.h"

#include "proxy/http/form.h"
#include "proxy/http/stages.h"

#define REASON_MIN 4   /* bytes */
#define REASON_MAX 600 /* what the journal keeps of it */

static const char *
rule_name(const struct exchange *x)
{
	return x->decision.rule->name;
}

/* Until it is released for the user. */
static bool
is_blocked(const struct exchange *x)
{
	return x->decision.rule->verdict == VERDICT_BLOCK;
}

static enum stage_answer
show_page(struct exchange *x)
{
	counter_add(is_blocked(x) ? COUNTER_BLOCKED : COUNTER_WARNED, 1);
	passes_ticket(&x->edge->board->passes, &x->address, rule_name(x),
	    time(NULL), x->ticket);
	return exchange_refuse(
	    x, is_blocked(x) ? ANSWER_BLOCKED : ANSWER_WARNED, NULL);
}

static bool
comes_back(const struct exchange *x)
{
	return exchange_is_method(x, BYTES("POST")) &&
	    bytes_equal(x->url.path, BYTES(WARN_PATH));
}

static enum stage_answer
read_form(struct exchange *x)
{
	if (x->up == BODY_ENDED)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "a form without a body");
	x->form = ARENA_NEW(&x->arena, struct buf);
	buf_init(x->form, FORM_MAX);
	x->up = BODY_RUNS;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	x->from->type->flow(x->from, FLOW_GO);
	return STAGE_WAIT;
}

enum stage_answer
warn_judge(struct exchange *x)
{
	return comes_back(x) ? read_form(x) : show_page(x);
}

void
warn_form_body(struct exchange *x, struct bytes b)
{
	if (buf_append(x->form, b) < 0)
		exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "a form of too many bytes");
}

/* Who went on, where and why; never where to in full: it may hold a query. */
static void
record(const struct exchange *x, struct bytes reason)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	log_begin(&l, is_blocked(x) ? EVENT_RELEASED : EVENT_CONTINUED, NULL);
	log_string(&l, "body", x->segment->body->code);
	log_string(&l, "zone", x->segment->zone->name);
	log_string(&l, "client", address_text(&x->address, text));
	log_text(&l, "host", x->url.host);
	log_string(&l, "rule", rule_name(x));
	log_text(&l, "text", bytes_take(&reason, REASON_MAX));
	log_number(&l, "seconds", x->decision.rule->lasts_ms / 1000);
	log_end(&l);
}

/* On this host alone: "//other.test/" would be another's. */
static bool
is_path(struct bytes to)
{
	for (size_t i = 0; i < to.n; i++)
		if (to.p[i] <= 0x20 || to.p[i] >= 0x7f || to.p[i] == '\\')
			return false;
	return to.n > 0 && to.p[0] == '/' && (to.n < 2 || to.p[1] != '/');
}

void
warn_form_end(struct exchange *x)
{
	struct bytes body = buf_bytes(x->form);
	struct bytes reason =
	    bytes_trim(form_value(body, BYTES("reason"), &x->arena));
	struct bytes ticket = form_value(body, BYTES("ticket"), &x->arena);
	struct bytes to = form_value(body, BYTES("to"), &x->arena);
	struct passes *passes = &x->edge->board->passes;
	time_t now = time(NULL);

	if (reason.n < REASON_MIN || !is_path(to) ||
	    !passes_accept(passes, &x->address, rule_name(x), now, ticket)) {
		show_page(x);
		return;
	}
	record(x, reason);
	passes_give(passes, &x->address, rule_name(x),
	    now + (time_t)(x->decision.rule->lasts_ms / 1000));
	exchange_redirect(x, to);
}
