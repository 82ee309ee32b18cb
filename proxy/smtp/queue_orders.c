/* SPDX-License-Identifier: Apache-2.0 */
/* queue_orders: what an administrator orders about mails in the spool. */
#include <time.h>

#include "proxy/smtp/locked.h"
#include "proxy/smtp/queue.h"

#define SHOWN_REPLY 120

static const char *const state_words[RECIPIENT_STATES] = {
	[RECIPIENT_PENDING] = "waiting",
	[RECIPIENT_DELIVERED] = "delivered",
	[RECIPIENT_FAILED] = "failed",
	[RECIPIENT_HELD] = "held",
	[RECIPIENT_LOCKED] = "locked",
};

static bool
is_listed(const struct mail *mail)
{
	return mail->spooled != NULL && mail->spooled->committed &&
	    mail->status != NULL;
}

static int
list_one(const struct mail *mail, struct buf *out)
{
	const struct envelope *e = &mail->envelope;
	char date[32];
	time_t t = (time_t)mail->origin.arrived;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (buf_printf(out, "%s %s %8llu <%.*s>\n", mail->id, date,
		(unsigned long long)mail->spooled->size,
		BYTES_PRINTF(e->sender.text)) < 0)
		return -1;
	for (size_t i = 0; i < e->recipients_n; i++) {
		const struct recipient_status *s = &mail->status[i];

		if (s->state != RECIPIENT_PENDING &&
		    s->state != RECIPIENT_HELD && s->state != RECIPIENT_LOCKED)
			continue;
		if (buf_printf(out, "  %-9s <%.*s> %u %s %.*s\n",
			state_words[s->state],
			BYTES_PRINTF(e->recipients[i].address.text),
			s->reply.code, s->reply.enhanced, SHOWN_REPLY,
			s->reply.text) < 0)
			return -1;
	}
	return 0;
}

static int
show_one(const struct mail *mail, struct buf *out)
{
	const struct mail_origin *o = &mail->origin;
	char text[ADDRESS_TEXT_MAX];
	char score[RSPAMD_SCORE_MAX], required[RSPAMD_SCORE_MAX];

	if (list_one(mail, out) < 0 ||
	    buf_printf(out, "  from %s (%s) body %s\n  message-id %s\n",
		address_text(&o->client, text), o->helo,
		o->segment == NULL ? "-" : o->segment->body->code,
		mail->message_id) < 0)
		return -1;
	if (mail->verdict != NULL &&
	    buf_printf(out, "  verdict %s %s of %s: %s\n",
		rspamd_action_names[mail->verdict->action],
		rspamd_score(mail->verdict->score, score),
		rspamd_score(mail->verdict->required, required),
		mail->verdict->symbols) < 0)
		return -1;
	for (size_t i = 0; i < mail->legs_n; i++) {
		const struct leg *leg = &mail->legs[i];
		uint64_t now = loop_now_ms(mail->mailer->loop);

		if (buf_printf(out, "  route %s, %u attempts, next in %llu s\n",
			leg->route->name, leg->attempts,
			leg->state == LEG_WAITING && leg->next_ms > now
			    ? (unsigned long long)(leg->next_ms - now) / 1000
			    : 0ULL) < 0)
			return -1;
	}
	return 0;
}

/* Legs anew: routes may have come for those that had none. */
static void
remake_legs(struct mail *mail)
{
	for (size_t i = 0; i < mail->legs_n; i++) {
		leg_stop(&mail->legs[i]);
		leg_secret_free(&mail->legs[i]);
	}
	mail->legs_n = 0;
	mail_make_legs(mail);
}

/* Held ones are tried too: a person has decided. What runs goes on, and ends
 * with what it was begun for. */
static void
retry(struct mail *mail)
{
	struct queue *q = mail->mailer->queue;

	if (mail_runs(mail))
		return;
	locked_renew(mail);
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == RECIPIENT_HELD) {
			mail->status[i].state = RECIPIENT_PENDING;
			mail->status[i].told = false;
			mail->let_go = true;
		}
	remake_legs(mail);
	for (size_t i = 0; i < mail->legs_n; i++) {
		struct leg *leg = &mail->legs[i];

		if (leg_pending(leg) == 0)
			continue;
		queue_open(q, leg);
		if (mail->stage_at > 0)
			queue_leg(q, leg, 0);
	}
	if (mail->stage_at == 0)
		mail_go_on(mail);
	mail_settle(mail);
}

static void
hold(struct mail *mail)
{
	mail_stop_asking(mail);
	for (size_t i = 0; i < mail->legs_n; i++)
		leg_stop(&mail->legs[i]);
	for (size_t i = 0; i < mail->legs_n; i++)
		mail->legs[i].state = LEG_ENDED;
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == RECIPIENT_PENDING) {
			mail->status[i].state = RECIPIENT_HELD;
			reply_set(&mail->status[i].reply, 450, "4.7.1",
			    "held by an administrator");
		}
	mail_settle(mail);
}

static void
drop(struct mail *mail)
{
	spool_end(mail->mailer->spool, mail->spooled);
	mail->spooled = NULL;
	mail_free(mail);
}

static void
record_order(const struct mail *mail, const char *what)
{
	struct log_line l;

	log_begin(&l, EVENT_MAIL_ORDER, NULL);
	log_string(&l, "mail", mail->id);
	log_string(&l, "order", what);
	log_text(&l, "sender", mail->envelope.sender.text);
	log_end(&l);
}

static const struct {
	const char *name;
	void (*run)(struct mail *mail);
} orders[] = {
	{ "retry", retry },
	{ "hold", hold },
	{ "drop", drop },
};

static enum order_answer
order_one(struct queue *q, struct bytes verb, struct bytes id, struct buf *out)
{
	bool all = bytes_equal(id, BYTES("all"));
	enum order_answer answer = ORDER_UNKNOWN;
	struct mail *next;
	size_t i = 0;

	while (
	    i < COUNT(orders) && !bytes_equal(verb, bytes_of(orders[i].name)))
		i++;
	if (i == COUNT(orders) || (all && orders[i].run != retry))
		return ORDER_MALFORMED;
	for (struct mail *mail = queue_mails(q); mail != NULL; mail = next) {
		next = mail->next;
		if (!is_listed(mail) ||
		    (!all && !bytes_equal(id, bytes_of(mail->id))))
			continue;
		answer = ORDER_DONE;
		if (buf_printf(out, "%s\n", mail->id) < 0)
			break;
		record_order(mail, orders[i].name);
		orders[i].run(mail);
	}
	return answer;
}

enum order_answer
queue_order(struct queue *q, struct bytes order, struct buf *out)
{
	struct bytes verb = bytes_take_until(&order, ' ');
	bool list = bytes_equal(verb, BYTES("list"));

	if (!list && !bytes_equal(verb, BYTES("show")))
		return order_one(q, verb, order, out);
	for (struct mail *mail = queue_mails(q); mail != NULL;
	     mail = mail->next)
		if (is_listed(mail)) {
			if (list && list_one(mail, out) < 0)
				return ORDER_DONE;
			if (!list && bytes_equal(order, bytes_of(mail->id)))
				return show_one(mail, out) < 0 ? ORDER_UNKNOWN
							       : ORDER_DONE;
		}
	return list ? ORDER_DONE : ORDER_UNKNOWN;
}
