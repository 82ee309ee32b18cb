/* SPDX-License-Identifier: Apache-2.0 */
/*
 * others: the stage `verdicts` of a mail, which asks others about it before any
 * of its legs. While the client waits, what follows is its answer; once the
 * spool has acknowledged the mail, what would have been refused is held for a
 * person, and what cannot be judged waits and is asked about again.
 *
 * A verdict is made once: it is in the mail's note in the spool, so that a
 * restart changes neither what becomes of a mail nor what its fields say of its
 * sender, whose records may be others by then.
 */

#include "proxy/smtp/mail.h"
#include "proxy/smtp/queue.h"

static const struct rspamd_settings *
settings_of(const struct mail *mail)
{
	return &mail->mailer->settings->mail.rspamd;
}

static bool
is_asked_about(const struct mail *mail)
{
	const struct rspamd_settings *s = settings_of(mail);

	return s->address[0] != '\0' && !mail_is_passed(mail) &&
	    mail->verdict == NULL &&
	    (s->bodies || mail->origin.segment == NULL);
}

static enum rspamd_policy
policy_of(const struct rspamd_settings *s, enum rspamd_action action)
{
	switch (action) {
	case RSPAMD_UNASKED:
		return s->down;
	case RSPAMD_REJECT:
		return s->rejected;
	case RSPAMD_QUARANTINE:
		return RSPAMD_HOLD;
	case RSPAMD_SOFT_REJECT:
	case RSPAMD_GREYLIST:
		return RSPAMD_DEFER;
	case RSPAMD_REWRITE_SUBJECT:
	case RSPAMD_ADD_HEADER:
		return s->marked;
	case RSPAMD_NO_ACTION:
		return RSPAMD_ACCEPT;
	case RSPAMD_ACTIONS:
		break;
	}
	return RSPAMD_DEFER;
}

const char *
verdict_mark(const struct mail *mail)
{
	const struct rspamd_settings *s = settings_of(mail);

	if (mail->verdict == NULL || mail->verdict->action == RSPAMD_UNASKED)
		return NULL;
	switch (policy_of(s, mail->verdict->action)) {
	case RSPAMD_ACCEPT:
	case RSPAMD_DEFER:
		return s->mark_all ? "no" : NULL;
	case RSPAMD_REFUSE:
	case RSPAMD_HOLD:
	case RSPAMD_MARK:
		break;
	}
	return "yes";
}

/* SPF alone says little of a mail that was forwarded, but there a signature
 * holds. */
bool
verdict_denies_sender(const struct mail *mail)
{
	const enum result_word *said;

	if (mail->verdict == NULL)
		return false;
	said = mail->verdict->results.said;
	if (said[RESULT_DMARC] == RESULT_PASS)
		return false;
	return said[RESULT_DMARC] == RESULT_FAIL ||
	    (said[RESULT_SPF] == RESULT_FAIL &&
		said[RESULT_DKIM] != RESULT_PASS);
}

static void
set_pending(struct mail *mail, enum recipient_state state,
    const struct smtp_reply *reply)
{
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == RECIPIENT_PENDING) {
			mail->status[i].state = state;
			mail->status[i].reply = *reply;
		}
}

static bool
some_are(const struct mail *mail, enum recipient_state state)
{
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == state)
			return true;
	return false;
}

static bool
is_kept(const struct mail *mail)
{
	return mail->spooled != NULL;
}

static void
ask_again(void *owner)
{
	mail_go_on(owner);
}

/* What is in the spool waits, as long as mails do; then a person looks. */
static void
defer(struct mail *mail, const struct rspamd_verdict *v)
{
	struct mailer *m = mail->mailer;
	uint64_t age_ms = mail_ms_since(mail->origin.arrived);
	struct smtp_reply r;

	reply_set(&r, 451, "4.7.1", "not judged now: %s (%s)",
	    v->action == RSPAMD_UNASKED ? "come again"
					: rspamd_action_names[v->action],
	    mail->id);
	if (is_kept(mail) && age_ms >= m->settings->mail.expire_ms) {
		reply_set(&r, 554, "5.4.7", "not judged for too long");
		set_pending(mail, RECIPIENT_HELD, &r);
		return;
	}
	set_pending(mail, RECIPIENT_PENDING, &r);
	if (!is_kept(mail))
		return;
	if (mail->ask_again == NULL)
		mail->ask_again = timer_new(m->loop, ask_again, mail);
	timer_start(mail->ask_again, queue_backoff_ms(m->queue, ++mail->asked));
}

static void
hold(struct mail *mail, const struct smtp_reply *r)
{
	set_pending(mail, RECIPIENT_HELD, r);
}

static void
refuse(struct mail *mail, const struct smtp_reply *r)
{
	set_pending(mail, is_kept(mail) ? RECIPIENT_HELD : RECIPIENT_FAILED, r);
}

static void
remember(struct mail *mail, struct rspamd_verdict **at,
    const struct rspamd_verdict *v)
{
	if (*at == NULL)
		*at = ARENA_NEW(&mail->arena, struct rspamd_verdict);
	**at = *v;
}

/* What is done with the mail, and said of it. */
static enum stage_answer
follow(struct mail *mail, enum rspamd_policy policy,
    const struct rspamd_verdict *v, const char *words)
{
	struct smtp_reply r;

	reply_set(&r, 554, "5.7.1", "%s (%s)", words, mail->id);
	/* A verdict of now is none: it is asked again. */
	remember(
	    mail, policy == RSPAMD_DEFER ? &mail->unjudged : &mail->verdict, v);
	switch (policy) {
	case RSPAMD_DEFER:
		defer(mail, v);
		return STAGE_REFUSE;
	case RSPAMD_REFUSE:
		refuse(mail, &r);
		return STAGE_REFUSE;
	case RSPAMD_HOLD:
		hold(mail, &r);
		return STAGE_REFUSE;
	case RSPAMD_MARK:
	case RSPAMD_ACCEPT:
		return STAGE_NEXT;
	}
	return STAGE_REFUSE;
}

static int
give_content(void *owner, struct bytes *content_out)
{
	struct mail *mail = owner;
	struct smtp_reply r;
	struct err e;

	if (mail_load_content(mail, &e) == 0) {
		*content_out = mail->content;
		return 0;
	}
	mail->asking = NULL;
	log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e.text);
	reply_set(&r, 554, "5.3.0", "the mail cannot be read");
	set_pending(mail, RECIPIENT_HELD, &r);
	mail_settle(mail);
	return -1;
}

static void
on_verdict(void *owner, const struct rspamd_verdict *v, bool answered)
{
	struct mail *mail = owner;
	char words[RSPAMD_WORDS_MAX + 64];
	enum stage_answer answer;

	mail->asking = NULL;
	if (answered)
		snprintf(words, sizeof(words), "refused as spam%s%s",
		    v->words[0] == '\0' ? "" : ": ", v->words);
	else
		snprintf(words, sizeof(words), "not judged");
	answer =
	    follow(mail, policy_of(settings_of(mail), v->action), v, words);
	if (is_kept(mail))
		trail_verdict(mail,
		    answer == STAGE_NEXT                 ? "passed"
			: some_are(mail, RECIPIENT_HELD) ? "held"
							 : "deferred",
		    v);
	mail_judged(mail, answer);
}

enum stage_answer
mail_verdicts(void *job)
{
	static const struct rspamd_asker asker = { give_content, on_verdict };
	static const struct rspamd_verdict unasked = {
		.words = "too large to be judged",
	};
	struct mail *mail = job;
	const struct rspamd_settings *s = settings_of(mail);
	const struct rspamd_question q = {
		.name = mail->mailer->settings->mail.name,
		.id = mail->id,
		.client = &mail->origin.client,
		.helo = mail->origin.helo,
		.envelope = &mail->envelope,
		.user = mail->origin.segment == NULL
		    ? NULL
		    : mail->origin.segment->body->code,
	};
	uint64_t size = is_kept(mail) ? mail->spooled->size : mail->content.n;

	if (mail->asking != NULL)
		return STAGE_WAIT;
	if (mail->ask_again != NULL)
		timer_stop(mail->ask_again);
	if (!is_asked_about(mail))
		return STAGE_NEXT;
	if (size > s->size_max)
		return follow(mail, s->large, &unasked, unasked.words);
	mail->asking = rspamd_ask(mail->mailer->rspamd, &q, &asker, mail);
	return STAGE_WAIT;
}

void
mail_stop_asking(struct mail *mail)
{
	rspamd_cancel(mail->asking);
	mail->asking = NULL;
	if (mail->ask_again != NULL)
		timer_stop(mail->ask_again);
}
