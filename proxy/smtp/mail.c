/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/mail.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/smtp/head.h"
#include "proxy/smtp/locked.h"
#include "proxy/smtp/outbound.h"
#include "proxy/smtp/queue.h"

static void
take_origin(struct mail *mail, const struct mail_origin *from)
{
	mail->origin = *from;
	mail->origin.helo = arena_string(&mail->arena, bytes_of(from->helo));
	mail->origin.protocol =
	    arena_string(&mail->arena, bytes_of(from->protocol));
	mail->origin.tls = arena_string(&mail->arena, bytes_of(from->tls));
}

struct mail *
mail_new(struct mailer *m, const struct mail_origin *origin,
    const struct envelope *e, struct buf *content, struct share share)
{
	struct mail *mail = calloc(1, sizeof(*mail));

	must(mail != NULL);
	mail->mailer = m;
	m->mails++;
	log_id(mail->id);
	envelope_copy(&mail->envelope, e, &mail->arena);
	take_origin(mail, origin);
	mail->status =
	    ARENA_ARRAY(&mail->arena, struct recipient_status, e->recipients_n);
	mail->held = *content;
	mail->share = share;
	*content = (struct buf){ .max = content->max };
	/* NULL is a content that is not loaded, and nothing at all is one. */
	mail->content = mail->held.n > 0 ? buf_bytes(&mail->held) : BYTES("");
	mail->subject = mail->locked_files = "";
	mail->message_id = head_message_id(mail->content, &mail->arena);
	mail->released = "";
	queue_add(m->queue, mail);
	return mail;
}

void
mail_unload_content(struct mail *mail)
{
	if (mail->mapped)
		spool_unmap(mail->mailer->spool, mail->content);
	if (mail->held.p != NULL && mail->share.budget != NULL)
		share_give(mail->share, mail->held.n);
	buf_release(&mail->held);
	mail->mapped = false;
	mail->content = (struct bytes){ 0 };
}

int
mail_load_content(struct mail *mail, struct err *e)
{
	if (mail->content.p != NULL)
		return 0;
	if (spool_map(mail->mailer->spool, mail->spooled, &mail->content, e) <
	    0)
		return -1;
	mail->mapped = true;
	return 0;
}

bool
mail_remember(struct mail *mail, uint8_t digest[REPEATS_DIGEST])
{
	struct mailer *m = mail->mailer;
	struct err e;

	if (mail_load_content(mail, &e) < 0)
		return false;
	repeats_digest(&mail->envelope, mail->content, digest);
	common_lock(m->common);
	repeats_note(
	    &m->common->repeats, digest, mail->id, loop_now_ms(m->loop));
	common_unlock(m->common);
	return true;
}

void
mail_forget(struct mailer *m, const uint8_t digest[REPEATS_DIGEST])
{
	common_lock(m->common);
	repeats_forget(&m->common->repeats, digest);
	common_unlock(m->common);
}

static void
answer(struct mail *mail, const struct smtp_reply *r)
{
	void (*to)(void *owner, const struct smtp_reply *r) = mail->answer;
	uint8_t digest[REPEATS_DIGEST];

	if (mail->left && reply_is_done(r))
		(void)mail_remember(mail, digest);
	mail->left = false;

	timer_free(mail->cut_through);
	mail->cut_through = NULL;
	mail->answer = NULL;
	if (to != NULL)
		to(mail->owner, r);
}

void
mail_free(struct mail *mail)
{
	struct mailer *m = mail->mailer;

	mail_stop_asking(mail);
	timer_free(mail->ask_again);
	for (size_t i = 0; i < mail->legs_n; i++) {
		leg_stop(&mail->legs[i]);
		leg_secret_free(&mail->legs[i]);
	}
	queue_remove(m->queue, mail);
	timer_free(mail->cut_through);
	mail_unload_content(mail);
	arena_release(&mail->arena);
	m->mails--;
	free(mail);
	mailer_check(m);
}

uint64_t
mail_ms_since(uint64_t then)
{
	uint64_t now = (uint64_t)time(NULL);

	return now > then ? 1000 * (now - then) : 0;
}

bool
mail_sender_is_known(const struct mail *mail)
{
	return mail->origin.segment != NULL && mail->envelope.sender.text.n > 0;
}

bool
mail_is_passed(const struct mail *mail)
{
	return mail->own || mail->released[0] != '\0';
}

/* Legs. */

static struct leg *
new_leg(struct mail *mail, const struct mail_route *route, struct bytes domain)
{
	struct leg *leg = &mail->legs[mail->legs_n++];

	leg->mail = mail;
	leg->route = route;
	leg->domain = domain;
	leg->object = leg->rebuilt = -1;
	leg->heap_at = SIZE_MAX;
	leg->which =
	    ARENA_ARRAY(&mail->arena, size_t, mail->envelope.recipients_n);
	return leg;
}

struct leg *
mail_leg_alone(struct mail *mail, size_t which, const struct mail_route *route,
    struct bytes domain)
{
	struct leg *leg;

	for (size_t i = 0; i < mail->legs_n; i++)
		if (mail->legs[i].alone && mail->legs[i].which[0] == which)
			return &mail->legs[i];
	leg = new_leg(mail, route, domain);
	leg->alone = true;
	leg->state = LEG_ENDED;
	leg->which[leg->which_n++] = which;
	return leg;
}

static struct leg *
leg_to(struct mail *mail, const struct mail_route *route, struct bytes domain)
{
	struct leg *leg;

	for (size_t i = 0; i < mail->legs_n; i++) {
		leg = &mail->legs[i];
		if (!leg->alone && leg->route == route &&
		    (route->hops_n > 0 || bytes_equal(leg->domain, domain)))
			return leg;
	}
	return new_leg(mail, route, domain);
}

void
mail_make_legs(struct mail *mail)
{
	const struct envelope *e = &mail->envelope;

	/* One for each destination, and one for each who waits alone. */
	mail->legs =
	    ARENA_ARRAY(&mail->arena, struct leg, size_mul(2, e->recipients_n));
	for (size_t i = 0; i < e->recipients_n; i++) {
		const struct mail_address *a = &e->recipients[i].address;
		const struct mail_route *route;
		struct mail_reason why;
		struct smtp_reply reply;
		struct leg *leg;

		if (mail->status[i].state != RECIPIENT_PENDING &&
		    mail->status[i].state != RECIPIENT_LOCKED)
			continue;
		route = routes_judge_recipient(mail->mailer->settings->routes,
		    mail->origin.segment, a, &why, &reply);
		if (route == NULL) {
			mail->status[i] = (struct recipient_status){
				.state = RECIPIENT_HELD,
				.reply = reply,
			};
			continue;
		}
		if (mail->status[i].state == RECIPIENT_LOCKED) {
			(void)mail_leg_alone(mail, i, route, a->domain);
			continue;
		}
		leg = leg_to(mail, route, a->domain);
		leg->which[leg->which_n++] = i;
	}
}

/* Spool. */

static void
too_long_for_cut_through(void *owner)
{
	struct mail *mail = owner;
	struct smtp_reply r;
	struct err e;

	if (mail->spooled != NULL ||
	    queue_spool(mail->mailer->queue, mail, &e) == 0)
		return;
	reply_set(&r, 452, "4.3.1", "no room to keep the mail now");
	log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e.text);
	trail_message(mail, "deferred", &r);
	answer(mail, &r);
	mail_free(mail);
}

static void
spool_now(struct mail *mail)
{
	too_long_for_cut_through(mail);
}

static void
queue_legs(struct mail *mail)
{
	struct queue *q = mail->mailer->queue;

	if (mail->stage_at == 0)
		return;
	for (size_t i = 0; i < mail->legs_n; i++) {
		struct leg *leg = &mail->legs[i];

		if (leg->state == LEG_WAITING && leg->heap_at == SIZE_MAX &&
		    leg_pending(leg) > 0)
			queue_leg(q, leg,
			    leg->attempts == 0
				? outbound_wait_ms(leg)
				: queue_backoff_ms(q, leg->attempts));
	}
}

void
mail_spooled(struct mail *mail)
{
	struct smtp_reply r;

	if (mail->answer != NULL || mail->left) {
		reply_set(&r, 250, "2.0.0", "kept as %s", mail->id);
		trail_message(mail, "kept", &r);
		answer(mail, &r);
	}
	/* The spool had it before anything was asked. */
	if (mail->stage_at == 0 && mail->asking == NULL)
		mail_go_on(mail);
	mail_settle(mail);
}

void
mail_not_spooled(struct mail *mail, const char *why)
{
	struct smtp_reply r;

	log_say(EVENT_FAILURE, "mail %s: %s", mail->id, why);
	mail->spooled = NULL;
	reply_set(&r, 451, "4.3.0", "the mail could not be kept");
	trail_message(mail, "deferred", &r);
	answer(mail, &r);
	mail_free(mail);
}

/* What became of it. */

struct tally {
	size_t of[RECIPIENT_STATES];
};

static struct tally
count(const struct mail *mail)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		t.of[mail->status[i].state]++;
	return t;
}

bool
mail_runs(const struct mail *mail)
{
	for (size_t i = 0; i < mail->legs_n; i++)
		if (mail->legs[i].state == LEG_RUNNING)
			return true;
	return mail->asking != NULL;
}

void
mail_rest(struct mail *mail)
{
	struct queue *q = mail->mailer->queue;

	if (mail->spooled == NULL || !mail->spooled->committed ||
	    mail_runs(mail))
		return;
	for (size_t i = 0; i < mail->legs_n; i++)
		if (queue_wants_content(q, &mail->legs[i]))
			return;
	mail_unload_content(mail);
}

static void
answer_delivered(struct mail *mail)
{
	struct smtp_reply r;

	reply_set(&r, 250, "2.0.0", "delivered as %s", mail->id);
	trail_message(mail, "delivered", &r);
	counter_add(COUNTER_MAILS_CUT_THROUGH, 1);
	answer(mail, &r);
}

/* Of the client, who waits. */
static void
refuse(struct mail *mail, const struct smtp_reply *r)
{
	trail_message(mail, "refused", r);
	counter_add(COUNTER_MAILS_REFUSED, 1);
	answer(mail, r);
	mail_free(mail);
}

/* The sender is told of those that failed when it is known who he is; else a
 * person is: a notice to a forged sender would be spam of ours. */
static void
tell_of_failures(struct mail *mail)
{
	size_t n = mail->envelope.recipients_n;
	bool *whom = ARENA_ARRAY(&mail->arena, bool, n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct recipient_status *s = &mail->status[i];

		if (s->state != RECIPIENT_FAILED || s->told)
			continue;
		s->told = true;
		if (mail->envelope.recipients[i].notify != 0 &&
		    (mail->envelope.recipients[i].notify & NOTIFY_FAILURE) == 0)
			continue;
		whom[i] = mail_sender_is_known(mail);
		any = any || whom[i];
		if (!whom[i] && !mail->own)
			s->state = RECIPIENT_HELD;
	}
	if (any)
		notice_send(mail, NOTICE_FAILED, whom);
}

static void
tell_of_success(struct mail *mail)
{
	size_t n = mail->envelope.recipients_n;
	bool *whom = ARENA_ARRAY(&mail->arena, bool, n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct recipient_status *s = &mail->status[i];

		if (s->state != RECIPIENT_DELIVERED || s->told)
			continue;
		s->told = true;
		whom[i] = !s->passed_on && mail_sender_is_known(mail) &&
		    (mail->envelope.recipients[i].notify & NOTIFY_SUCCESS) != 0;
		any = any || whom[i];
	}
	if (any)
		notice_send(mail, NOTICE_RELAYED, whom);
}

/* As long as the client waits, what became of it is the answer. */
static void
settle_cut_through(struct mail *mail)
{
	struct tally t = count(mail);

	if (t.of[RECIPIENT_PENDING] > 0) {
		spool_now(mail);
		return;
	}
	if (t.of[RECIPIENT_LOCKED] > 0) {
		spool_now(mail);
		return;
	}
	if (t.of[RECIPIENT_DELIVERED] + t.of[RECIPIENT_HELD] == 0) {
		refuse(mail, &mail->status[0].reply);
		return;
	}
	/* The answer is for those that have it: what became of the others is
	 * durable first. */
	if (t.of[RECIPIENT_FAILED] + t.of[RECIPIENT_HELD] > 0) {
		spool_now(mail);
		return;
	}
	tell_of_success(mail);
	answer_delivered(mail);
	mail_free(mail);
}

static void
tell_of_delay(struct mail *mail)
{
	const struct mail_settings *s = &mail->mailer->settings->mail;
	size_t n = mail->envelope.recipients_n;
	uint64_t age_ms = mail_ms_since(mail->origin.arrived);
	bool *whom;

	if (mail->noted_delay || !mail_sender_is_known(mail) ||
	    age_ms < s->delay_notice_ms)
		return;
	mail->noted_delay = true;
	whom = ARENA_ARRAY(&mail->arena, bool, n);
	for (size_t i = 0; i < n; i++)
		whom[i] = mail->status[i].state == RECIPIENT_PENDING &&
		    (mail->envelope.recipients[i].notify == 0 ||
			(mail->envelope.recipients[i].notify & NOTIFY_DELAY) !=
			    0);
	notice_send(mail, NOTICE_DELAYED, whom);
}

void
mail_write_note(struct mail *mail)
{
	struct buf note;
	struct err e;

	buf_init(&note, (size_t)1 << 20);
	must(note_pack(mail, &note) == 0);
	if (!bytes_equal(buf_bytes(&note), mail->spooled->note) &&
	    spool_note(
		mail->mailer->spool, mail->spooled, buf_bytes(&note), &e) < 0)
		log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e.text);
	buf_release(&note);
}

static void
settle_spooled(struct mail *mail)
{
	struct tally t;

	tell_of_failures(mail);
	tell_of_success(mail);
	locked_tell(mail);
	t = count(mail);
	if (t.of[RECIPIENT_PENDING] + t.of[RECIPIENT_HELD] +
		t.of[RECIPIENT_LOCKED] ==
	    0) {
		spool_end(mail->mailer->spool, mail->spooled);
		mail->spooled = NULL;
		mail_free(mail);
		return;
	}
	if (t.of[RECIPIENT_PENDING] > 0)
		tell_of_delay(mail);
	mail_write_note(mail);
	queue_legs(mail);
	mail_rest(mail);
	mailer_check(mail->mailer);
}

void
mail_settle(struct mail *mail)
{
	if (mail->spooled == NULL)
		settle_cut_through(mail);
	else if (mail->spooled->committed)
		settle_spooled(mail);
	/* else mail_spooled comes, with the commit */
}

/* Its path. */

/* Its client waits, and is answered by what its only leg ends with, where that
 * can start now. */
static enum stage_answer
mail_legs(void *job)
{
	struct mail *mail = job;

	if (mail->spooled != NULL)
		queue_legs(mail);
	else if (mail->cut_through == NULL || mail->legs_n != 1 ||
	    leg_pending(&mail->legs[0]) == 0 ||
	    outbound_wait_ms(&mail->legs[0]) > 0 ||
	    !queue_is_open(mail->mailer->queue, &mail->legs[0]))
		spool_now(mail);
	else
		leg_start(&mail->legs[0]);
	/* The mail may be gone: its place on the path is not moved. */
	return STAGE_WAIT;
}

static const struct stage mail_path[] = {
	{ "verdicts", mail_verdicts },
	{ "legs", mail_legs },
};

static void
answer_deferred(struct mail *mail)
{
	trail_message(mail, "deferred", &mail->status[0].reply);
	answer(mail, &mail->status[0].reply);
	mail_free(mail);
}

/* The verdict has told its recipients what becomes of them. */
static void
settle_refused(struct mail *mail)
{
	struct tally t = count(mail);

	if (mail->spooled != NULL || t.of[RECIPIENT_FAILED] > 0)
		mail_settle(mail);
	else if (t.of[RECIPIENT_HELD] > 0)
		spool_now(mail);
	else
		answer_deferred(mail);
}

void
mail_go_on(struct mail *mail)
{
	if (stages_run(mail_path, COUNT(mail_path), &mail->stage_at, mail) ==
	    STAGE_REFUSE)
		settle_refused(mail);
}

void
mail_judged(struct mail *mail, enum stage_answer answer)
{
	if (answer == STAGE_REFUSE) {
		settle_refused(mail);
		return;
	}
	mail->stage_at++;
	if (mail->spooled != NULL)
		mail_settle(mail); /* its note has the verdict now */
	else
		mail_go_on(mail);
}

static void
take_up(struct mail *mail, void (*to)(void *owner, const struct smtp_reply *r),
    void *owner)
{
	mail->answer = to;
	mail->owner = owner;
	counter_add(COUNTER_MAILS, 1);
	mail_make_legs(mail);
}

void
mail_keep(struct mail *mail,
    void (*to)(void *owner, const struct smtp_reply *r), void *owner)
{
	take_up(mail, to, owner);
	spool_now(mail);
}

/* Where nothing is remembered the content is not read for it. */
static bool
find_repeated(const struct mail *mail, char id[LOG_ID_MAX])
{
	struct mailer *m = mail->mailer;
	uint8_t digest[REPEATS_DIGEST];
	bool found;

	common_lock(m->common);
	found = repeats_any(&m->common->repeats, loop_now_ms(m->loop));
	common_unlock(m->common);
	if (!found)
		return false;
	repeats_digest(&mail->envelope, mail->content, digest);
	common_lock(m->common);
	found = repeats_find(&m->common->repeats, digest, id);
	common_unlock(m->common);
	return found;
}

/* Its sender did not hear the first time that we have it. */
static bool
is_repeated(struct mail *mail)
{
	char id[LOG_ID_MAX];
	struct smtp_reply r;

	if (!find_repeated(mail, id))
		return false;
	reply_set(&r, 250, "2.0.0", "delivered before as %s", id);
	trail_message(mail, "repeated", &r);
	answer(mail, &r);
	mail_free(mail);
	return true;
}

void
mail_go(struct mail *mail, void (*to)(void *owner, const struct smtp_reply *r),
    void *owner)
{
	struct mailer *m = mail->mailer;
	uint64_t most = m->settings->mail.cut_through_max_ms;
	struct smtp_reply r;

	take_up(mail, to, owner);
	if (is_repeated(mail))
		return;
	if (outbound_judge(mail, &r) == OUTBOUND_REFUSED) {
		refuse(mail, &r);
		return;
	}
	if (most == 0) {
		spool_now(mail);
		return;
	}
	mail->cut_through = timer_new(m->loop, too_long_for_cut_through, mail);
	timer_start(mail->cut_through, most);
	mail_go_on(mail);
}

void
mail_leave(struct mail *mail)
{
	mail->answer = NULL;
	mail->left = true;
	/* What a next hop is being given it may have already; the rest the
	 * client sends again. */
	if (mail->spooled == NULL &&
	    (mail->legs_n == 0 || mail->legs[0].shipment == NULL))
		mail_free(mail);
}
