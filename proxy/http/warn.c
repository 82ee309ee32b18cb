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

/* A script on the page, while its user may still go on, could read the form
 * and send it for the next time: no browser says "document" for a script. */
static bool
is_for_a_person(const struct exchange *x)
{
	const struct message *m = &x->request;

	for (size_t i = 0; i < m->fields_n; i++)
		if (bytes_equal_nocase(
			m->fields[i].name, BYTES("Sec-Fetch-Dest")) &&
		    !bytes_equal(m->fields[i].value, BYTES("document")))
			return false;
	return true;
}

enum stage_answer
warn_judge(struct exchange *x)
{
	counter_add(is_blocked(x) ? COUNTER_BLOCKED : COUNTER_WARNED, 1);
	if (is_for_a_person(x))
		passes_ticket(&x->edge->board->passes, &x->address,
		    rule_name(x), time(NULL), x->ticket);
	return exchange_refuse(
	    x, is_blocked(x) ? ANSWER_BLOCKED : ANSWER_WARNED, NULL);
}

bool
warn_comes_back(const struct exchange *x)
{
	return bytes_equal(x->url.path, BYTES(POLICY_FORM_PATH));
}

enum stage_answer
warn_read_form(struct exchange *x)
{
	if (!exchange_is_method(x, BYTES("POST")) || x->up == BODY_ENDED)
		return exchange_refuse(
		    x, ANSWER_BAD_REQUEST, "a form without a body");
	x->form = ARENA_NEW(&x->arena, struct buf);
	buf_init(x->form, FORM_MAX);
	exchange_ask_for_body(x);
	return STAGE_WAIT;
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
record(struct exchange *x, struct bytes reason)
{
	enum log_event event = x->decision.rule->approval ? EVENT_ASKED
	    : is_blocked(x)                               ? EVENT_RELEASED
							  : EVENT_CONTINUED;
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	/* The number that the page shows. */
	log_id(x->id);
	log_begin(&l, event, x->id);
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

/* The rule whose page the form was on: the ticket says so. */
static const struct rule *
rule_of(const struct exchange *x, struct bytes body, struct arena *a)
{
	const struct rule *rule = policy_rule(
	    x->edge->settings->policy, form_value(body, BYTES("rule"), a));

	return rule != NULL && rule_asks_why(rule) &&
		passes_accept(&x->edge->board->passes, &x->address, rule->name,
		    time(NULL), form_value(body, BYTES("ticket"), a))
	    ? rule
	    : NULL;
}

/* Whatever is wrong with a form, the page that it came from is shown again. */
void
warn_form_end(struct exchange *x)
{
	struct bytes body = buf_bytes(x->form);
	struct bytes reason =
	    bytes_trim(form_value(body, BYTES("reason"), &x->arena));
	struct bytes to = form_value(body, BYTES("to"), &x->arena);
	const struct rule *rule = rule_of(x, body, &x->arena);

	x->back = is_path(to) ? to : BYTES("/");
	if (rule != NULL && reason.n >= REASON_MIN && is_path(to)) {
		x->decision.rule = rule;
		x->decision.verdict = rule->verdict;
		record(x, reason);
		if (rule->approval) {
			x->back = (struct bytes){ 0 };
			exchange_refuse(x, ANSWER_ASKED, NULL);
			return;
		}
		passes_give(&x->edge->board->passes, &x->address, rule->name,
		    time(NULL) + (time_t)(rule->lasts_ms / 1000));
	}
	exchange_refuse(x, ANSWER_GOES_ON, NULL);
}
