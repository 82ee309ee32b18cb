/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/stage.h"
#include "proxy/smtp/head.h"
#include "proxy/smtp/hints.h"
#include "proxy/smtp/inspect.h"
#include "proxy/smtp/locked.h"
#include "proxy/smtp/mail.h"
#include "proxy/smtp/outbound.h"
#include "proxy/smtp/queue.h"
#include "proxy/smtp/signers.h"

#define HIDDEN_MAX ((size_t)1 << 20)
#define DAY_S ((uint64_t)24 * 3600)
#define HEAD_MAX (SIGNERS_FIELDS_MAX + 8192 + HIDDEN_MAX)
#define LINE_MAX_WIRE 1000 /* with its CRLF: RFC 5321 section 4.5.3.1.6 */

size_t
leg_pending(const struct leg *leg)
{
	size_t n = 0;

	for (size_t i = 0; i < leg->which_n; i++)
		n +=
		    leg->mail->status[leg->which[i]].state == RECIPIENT_PENDING;
	return n;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
leg_stop(struct leg *leg)
{
	if (leg->treat != NULL)
		treat_cancel(leg->treat);
	leg->treat = NULL;
	store_ask_cancel(leg->contact);
	leg->contact = NULL;
	shipment_cancel(leg->shipment);
	leg->shipment = NULL;
	store_ask_cancel(leg->keeping);
	leg->keeping = NULL;
	if (leg->map != NULL)
		munmap(leg->map, leg->map_n);
	leg->map = NULL;
	leg->body = (struct bytes){ 0 };
	if (leg->inspecting != NULL)
		detox_ask_cancel(leg->inspecting);
	leg->inspecting = NULL;
	close_fd(&leg->object);
	close_fd(&leg->rebuilt);
	buf_release(&leg->head);
	buf_release(&leg->own_head);
	buf_release(&leg->hidden);
	queue_forget_leg(leg->mail->mailer->queue, leg);
}

static void
set_pending(
    struct leg *leg, enum recipient_state state, const struct smtp_reply *reply)
{
	for (size_t i = 0; i < leg->which_n; i++) {
		struct recipient_status *s = &leg->mail->status[leg->which[i]];

		if (s->state != RECIPIENT_PENDING)
			continue;
		s->state = state;
		s->reply = *reply;
		trail_recipient(leg, leg->which[i],
		    state == RECIPIENT_PENDING    ? "deferred"
			: state == RECIPIENT_HELD ? "held"
						  : "failed",
		    NULL);
	}
}

static void
expire(struct leg *leg)
{
	const struct mail_settings *s = &leg->mail->mailer->settings->mail;
	/* While it waited for its password it was not tried. */
	uint64_t begun =
	    leg->unlocked > 0 ? leg->unlocked : leg->mail->origin.arrived;
	uint64_t age_ms = mail_ms_since(begun);
	struct smtp_reply r;

	if (leg->mail->spooled == NULL || age_ms < s->expire_ms)
		return;
	reply_set(&r, 554, "5.4.7", "it was tried for too long");
	set_pending(leg, RECIPIENT_FAILED, &r);
}

/* The attempt is over, whatever came of it. The mail may be gone behind it. */
static void
leg_end(struct leg *leg, enum queue_reached reached)
{
	struct mail *mail = leg->mail;

	queue_leg_done(mail->mailer->queue, leg, reached);
	leg_stop(leg);
	leg->attempts++;
	expire(leg);
	if (leg->alone &&
	    mail->status[leg->which[0]].state != RECIPIENT_LOCKED &&
	    leg_pending(leg) == 0)
		leg_secret_free(leg);
	leg->state = leg_pending(leg) > 0 ? LEG_WAITING : LEG_ENDED;
	mail_settle(mail);
}

void
leg_defer(struct leg *leg, const struct smtp_reply *r)
{
	set_pending(leg, RECIPIENT_PENDING, r);
	leg_end(leg, QUEUE_NOT_ASKED);
}

static void leg_go_on(struct leg *leg);

/* Content. */

static enum stage_answer
leg_content(void *job)
{
	struct leg *leg = job;
	struct mail *mail = leg->mail;
	struct smtp_reply r;
	struct err e;

	if (mail_load_content(mail, &e) < 0) {
		log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e.text);
		reply_set(&r, 554, "5.3.0", "the mail cannot be read");
		set_pending(leg, RECIPIENT_HELD, &r);
		return STAGE_REFUSE;
	}
	if ((leg->route->rebuilt && !mail_is_passed(mail)) ||
	    mail->longest <= LINE_MAX_WIRE)
		return STAGE_NEXT;
	reply_set(&r, 554, "5.6.0", "a line is longer than 998 bytes");
	set_pending(
	    leg, mail->spooled == NULL ? RECIPIENT_FAILED : RECIPIENT_HELD, &r);
	return STAGE_REFUSE;
}

/* Detox. */

/* The order and the mail, as one sealed object. -1 and *e. */
static int
make_object(const struct leg *leg, size_t *skip_out, struct err *e)
{
	const struct mail *mail = leg->mail;
	int fd = memfd_create("mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char order[512];

	if (fd < 0)
		return err_set(e, "memfd: %m");
	snprintf(order, sizeof(order),
	    "Sekisho-Order: ref=%s; authserv=%s%s%s\r\n", mail->id,
	    mail->mailer->settings->mail.name,
	    leg->banners[0] == '\0' ? "" : "; banner=", leg->banners);
	*skip_out = strlen(order);
	if (file_write(fd, bytes_of(order)) < 0 ||
	    file_write(fd, mail->content) < 0) {
		err_set(e, "memfd: %m");
		close(fd);
		return -1;
	}
	if (detox_seal_fd(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
map_rebuilt(struct leg *leg, const struct detox_outcome *o)
{
	leg->rebuilt = o->fd;
	leg->map_n = o->size;
	if (o->size == 0)
		return -1;
	leg->map = mmap(NULL, o->size, PROT_READ, MAP_PRIVATE, o->fd, 0);
	if (leg->map == MAP_FAILED) {
		leg->map = NULL;
		return -1;
	}
	leg->body = (struct bytes){ leg->map, leg->map_n };
	return 0;
}

/* Those that say nothing of the mail: it is tried again. */
static bool
is_for_now(enum detox_refusal r)
{
	return r == REFUSED_BUSY || r == REFUSED_SCANNER ||
	    r == REFUSED_CRASHED || r == REFUSED_DEADLINE;
}

static void
refuse_harmful(struct leg *leg, const struct detox_report *report)
{
	const char *words = detox_refusal_words[report->refusal].text[1];
	struct smtp_reply r;

	if (is_for_now(report->refusal)) {
		reply_set(&r, 451, "4.7.1", "not made harmless now: %s", words);
		leg_defer(leg, &r);
		return;
	}
	reply_set(&leg->refused, 554, "5.7.1",
	    "the mail cannot be made harmless: %s (%s)", words, leg->mail->id);
	leg_next(leg);
}

static void
sum_up(struct leg *leg, const struct detox_report *r)
{
	uint64_t counts[DETOX_REMOVAL_KINDS] = { 0 };
	size_t n = 0;

	leg->removed[0] = '\0';
	leg->missed = r->rows_left_out > 0;
	for (size_t i = 0; i < r->rows_n; i++) {
		counts[r->rows[i].what] += r->rows[i].count;
		leg->missed = leg->missed || detox_is_missed(r->rows[i].what);
	}
	for (int k = 0; k < DETOX_REMOVAL_KINDS; k++)
		if (counts[k] > 0 && n + 40 < sizeof(leg->removed))
			n += (size_t)snprintf(leg->removed + n,
			    sizeof(leg->removed) - n, "%s%s:%llu",
			    n == 0 ? "" : ",", detox_removal_words[k].name,
			    (unsigned long long)counts[k]);
}

static void
drop_rebuilt(struct leg *leg)
{
	munmap(leg->map, leg->map_n);
	leg->map = NULL;
	leg->body = (struct bytes){ 0 };
	close_fd(&leg->rebuilt);
	close_fd(&leg->object);
}

/* What was rebuilt goes again through the sandbox when it has to show a
 * warning: few mails do, and the header is read as it was written, never as it
 * came. */
static void
warn_or_go_on(struct leg *leg)
{
	uint32_t score = leg->mail->mailer->settings->mail.banner_score;

	if (score == 0 || leg->suspicion.points < score ||
	    suspect_banners(&leg->suspicion, leg->banners)[0] == '\0') {
		leg_next(leg);
		return;
	}
	drop_rebuilt(leg);
	leg_go_on(leg);
}

static void
on_contact(void *owner, uint64_t last)
{
	struct leg *leg = owner;
	uint64_t days = leg->mail->mailer->settings->mail.first_contact_days;

	leg->contact = NULL;
	if (last != STORE_UNKNOWN &&
	    last + days * DAY_S <= (uint64_t)time(NULL))
		suspect_add(&leg->suspicion, SUSPECT_FIRST);
	warn_or_go_on(leg);
}

/* Whether somebody is asked, and on_contact will come. */
static bool
ask_contact(struct leg *leg)
{
	const struct mailer *m = leg->mail->mailer;
	char who[STORE_CONTACT_MAX + 1];

	if (m->settings->mail.first_contact_days == 0 ||
	    leg->suspicion.from[0] == '\0' || leg->route->body == NULL)
		return false;
	snprintf(who, sizeof(who), "%s %s", leg->suspicion.from,
	    leg->route->body->code);
	leg->contact =
	    store_client_contact(m->store, bytes_of(who), on_contact, leg);
	return leg->contact != NULL;
}

/* Of mail from outside, once. */
static void
judge(struct leg *leg, const struct detox_report *report)
{
	const struct mailer *m = leg->mail->mailer;

	if (leg->judged || leg->mail->origin.segment != NULL) {
		leg_next(leg);
		return;
	}
	leg->judged = true;
	suspect_judge(
	    m->suspects, head_bytes(leg->body), report, &leg->suspicion);
	if (verdict_denies_sender(leg->mail))
		suspect_add(&leg->suspicion, SUSPECT_UNVERIFIED);
	if (!ask_contact(leg))
		warn_or_go_on(leg);
}

/* Of a leg that had a password: it is told who typed it. */
static enum locked_end
end_of(const struct detox_outcome *o)
{
	if (o->report.locked > 0)
		return LOCKED_WRONG;
	if (o->verdict != DETOX_IS_REFUSED)
		return LOCKED_OPENED;
	return is_for_now(o->report.refusal) ? LOCKED_BUSY : LOCKED_HARMFUL;
}

/* Whether its recipients wait from here on; the leg has ended then. */
static bool
waits_for_password(struct leg *leg, struct detox_outcome *o)
{
	enum locked_end end = end_of(o);

	/* A warning is put in: it was told before. */
	if (leg->secret != NULL && leg->banners[0] == '\0')
		locked_tried(leg, end);
	else if (o->report.locked > 0 &&
	    leg->route->encrypted == MAIL_ENCRYPTED_HOLD)
		locked_hold(leg, &o->report);
	if (leg_pending(leg) > 0)
		return false;
	if (o->fd >= 0)
		close(o->fd);
	leg_end(leg, QUEUE_NOT_ASKED);
	return true;
}

/* What a password would open, where that is not to be waited for. */
static bool
refuses_encrypted(struct leg *leg, struct detox_outcome *o)
{
	if (o->report.locked == 0 ||
	    leg->route->encrypted != MAIL_ENCRYPTED_REFUSE)
		return false;
	if (o->fd >= 0)
		close(o->fd);
	reply_set(&leg->refused, 554, "5.7.1",
	    "an attachment needs a password (%s)", leg->mail->id);
	leg_next(leg);
	return true;
}

static void
on_treated(void *owner, struct detox_outcome *o)
{
	struct leg *leg = owner;
	struct smtp_reply r;

	leg->treat = NULL;
	sum_up(leg, &o->report);
	leg->result = o->verdict == DETOX_IS_SANITISED ? "sanitised"
	    : o->verdict == DETOX_IS_UNCHANGED         ? "unchanged"
						       : "refused";
	trail_detoxed(leg, o);
	if (leg->secret == NULL && leg->banners[0] == '\0')
		hints_give(leg, &o->report);
	if (waits_for_password(leg, o) || refuses_encrypted(leg, o))
		return;
	if (o->verdict == DETOX_IS_REFUSED) {
		refuse_harmful(leg, &o->report);
		return;
	}
	if (map_rebuilt(leg, o) < 0) {
		reply_set(&r, 451, "4.3.0", "no memory for the mail now");
		leg_defer(leg, &r);
		return;
	}
	judge(leg, &o->report);
}

/* Looking into it. */

/* Whoever waits for the answer: a person decides. */
static void
leg_hold(struct leg *leg, const struct smtp_reply *r)
{
	set_pending(leg, RECIPIENT_HELD, r);
	leg_end(leg, QUEUE_NOT_ASKED);
}

static bool
leaves(const struct leg *leg)
{
	return leg->mail->origin.segment != NULL;
}

/* What its route asks for: nothing passes that cannot be looked into. */
static size_t
asked_for(const struct leg *leg)
{
	return leaves(leg) ? leg->route->outbound.inspect.n : 0;
}

static const struct inspection *
canaries_of(const struct leg *leg)
{
	return policy_canaries(
	    leg->mail->mailer->settings->policy, leaves(leg));
}

/* What comes with one has left somewhere else: that is told, no more. */
static bool
has_canary(struct leg *leg, struct bytes texts)
{
	const struct inspection *canaries = canaries_of(leg);
	struct inspect_result result = { 0 };

	if (canaries == NULL)
		return false;
	inspect_mail(canaries, texts, &result);
	if (result.report.verdict != DLP_BLOCK)
		inspect_bytes(canaries, leg->mail->content, &result);
	if (result.report.verdict == DLP_BLOCK)
		trail_canaries(leg, &result);
	return result.report.verdict == DLP_BLOCK && leaves(leg);
}

static bool
has_found(struct leg *leg, struct bytes texts)
{
	const struct outbound_rules *o = &leg->route->outbound;
	bool found = has_canary(leg, texts);

	for (size_t i = 0; i < asked_for(leg); i++) {
		struct inspect_result result = { 0 };

		inspect_mail(o->inspections[i], texts, &result);
		trail_found(leg, o->inspections[i], &result);
		found = found || result.report.verdict <= DLP_WARN;
	}
	return found;
}

static void
on_texts(void *owner, struct detox_outcome *o)
{
	struct leg *leg = owner;
	struct smtp_reply r;
	bool found;

	leg->inspecting = NULL;
	close_fd(&leg->object);
	if (o->verdict == DETOX_IS_REFUSED && is_for_now(o->report.refusal)) {
		reply_set(&r, 451, "4.7.1", "not looked into now: %s",
		    detox_refusal_words[o->report.refusal].text[1]);
		leg_defer(leg, &r);
		return;
	}
	/* Of what came from outside nothing is stopped. */
	if (o->verdict == DETOX_IS_REFUSED && !leaves(leg)) {
		(void)has_canary(leg, (struct bytes){ 0 });
		leg->stage_at++;
		leg_go_on(leg);
		return;
	}
	if (o->verdict == DETOX_IS_REFUSED) {
		reply_set(&r, 450, "4.7.1",
		    "held for a supervisor: it cannot be looked into: %s",
		    detox_refusal_words[o->report.refusal].text[1]);
		leg_hold(leg, &r);
		return;
	}
	if (map_rebuilt(leg, o) < 0) {
		reply_set(&r, 451, "4.3.0", "no memory for the mail now");
		leg_defer(leg, &r);
		return;
	}
	found = has_found(leg, leg->body);
	drop_rebuilt(leg);
	if (found) {
		reply_set(&r, 450, "4.7.1",
		    "held for a supervisor: it has what must not leave");
		leg_hold(leg, &r);
		return;
	}
	leg->stage_at++;
	leg_go_on(leg);
}

/* Its texts are taken out where nothing else is, whatever its route makes of
 * it: of the original, as a mail that goes as it came has all of it. Scanners
 * judge it in the next stage. */
static enum stage_answer
leg_inspect(void *job)
{
	struct leg *leg = job;
	struct mail *mail = leg->mail;
	const struct detox_order order = {
		.profile = leg->route->outbound.text_profile,
		.name = BYTES("mail.eml"),
		.declared = BYTES("message/rfc822"),
	};
	struct smtp_reply r;
	struct err e;

	if ((asked_for(leg) == 0 && canaries_of(leg) == NULL) || mail->own ||
	    mail->let_go || mail_is_passed(mail))
		return STAGE_NEXT;
	leg->object = detox_seal(mail->content, &e);
	if (leg->object >= 0)
		leg->inspecting = detox_client_ask(mail->mailer->detox,
		    leg->object, &order, on_texts, leg, &e);
	if (leg->inspecting != NULL)
		return STAGE_WAIT;
	close_fd(&leg->object);
	log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e.text);
	reply_set(&r, 451, "4.3.0", "no memory for the mail now");
	set_pending(leg, RECIPIENT_PENDING, &r);
	return STAGE_REFUSE;
}

/* Detox of what is delivered. */

static enum stage_answer
leg_detox(void *job)
{
	struct leg *leg = job;
	struct mailer *m = leg->mail->mailer;
	const struct detox_order order = {
		.profile = leg->route->profile,
		.name = BYTES("mail.eml"),
		.declared = BYTES("message/rfc822"),
		.passwords = leg->secret == NULL
		    ? (struct detox_passwords){ .n = 0 }
		    : leg->secret->passwords,
	};
	struct smtp_reply r;
	struct err e;

	if (!leg->route->rebuilt || mail_is_passed(leg->mail)) {
		leg->body = leg->mail->content;
		return STAGE_NEXT;
	}
	leg->object = make_object(leg, &leg->object_skip, &e);
	if (leg->object >= 0)
		leg->treat =
		    treat_new(m->loop, m->detox, &m->settings->profiles,
			leg->object, &order, on_treated, leg, &e);
	if (leg->treat != NULL)
		return STAGE_WAIT;
	log_say(EVENT_FAILURE, "mail %s: %s", leg->mail->id, e.text);
	reply_set(&r, 451, "4.3.0", "no memory for the mail now");
	set_pending(leg, RECIPIENT_PENDING, &r);
	return STAGE_REFUSE;
}

/* What detox refused, once the store has it. Nobody whom we asked said no, but
 * we do: to the client while it waits, to a person behind that. */
static enum stage_answer
leg_refusal(void *job)
{
	struct leg *leg = job;

	close_fd(&leg->object);
	if (leg->refused.code == 0)
		return STAGE_NEXT;
	set_pending(leg,
	    leg->mail->spooled == NULL ? RECIPIENT_FAILED : RECIPIENT_HELD,
	    &leg->refused);
	return STAGE_REFUSE;
}

static const char *const result_words[RECIPIENT_STATES] = {
	[RECIPIENT_PENDING] = "deferred",
	[RECIPIENT_DELIVERED] = "delivered",
	[RECIPIENT_FAILED] = "failed",
	[RECIPIENT_HELD] = "held",
	[RECIPIENT_LOCKED] = "locked",
};

static void
take_result(struct leg *leg, size_t i, const struct shipment_result *r)
{
	size_t which = leg->shipped_which[i];
	struct recipient_status *s = &leg->mail->status[which];

	s->reply = r->replies[i];
	if (reply_is_done(&s->reply)) {
		s->state = RECIPIENT_DELIVERED;
		s->passed_on = r->dsn;
		counter_add(COUNTER_MAILS_DELIVERED, 1);
	} else if (reply_is_final(&s->reply)) {
		s->state = RECIPIENT_FAILED;
		outbound_failed(leg->mail->mailer, leg->mail->origin.segment,
		    &leg->mail->envelope);
	}
	trail_recipient(leg, which, result_words[s->state], r);
}

static void
on_shipped(void *owner, const struct shipment_result *r)
{
	struct leg *leg = owner;

	leg->shipment = NULL;
	for (size_t i = 0; i < leg->shipped_n; i++)
		take_result(leg, i, r);
	leg_end(leg,
	    r->end == SHIPMENT_ANSWERED ? QUEUE_REACHED : QUEUE_NOT_REACHED);
}

static void
choose_recipients(struct leg *leg)
{
	struct mail *mail = leg->mail;

	if (leg->shipped == NULL) {
		leg->shipped =
		    (const struct mail_recipient **)arena_alloc(&mail->arena,
			size_mul(leg->which_n, sizeof(*leg->shipped)));
		leg->shipped_which =
		    ARENA_ARRAY(&mail->arena, size_t, leg->which_n);
	}
	leg->shipped_n = 0;
	for (size_t i = 0; i < leg->which_n; i++) {
		size_t which = leg->which[i];

		if (mail->status[which].state != RECIPIENT_PENDING)
			continue;
		leg->shipped_which[leg->shipped_n] = which;
		leg->shipped[leg->shipped_n++] =
		    &mail->envelope.recipients[which];
	}
}

/* Recipients. */

static enum stage_answer
leg_hide(void *job)
{
	struct leg *leg = job;
	struct bytes head = head_bytes(leg->body);
	struct smtp_reply r;

	if (!outbound_must_hide(leg, head))
		return STAGE_NEXT;
	buf_init(&leg->hidden, HIDDEN_MAX);
	if (outbound_hide(head, &leg->hidden) == 0) {
		bytes_take(&leg->body, head.n);
		return STAGE_NEXT;
	}
	reply_set(&r, 554, "5.6.0", "the header is too large");
	set_pending(leg,
	    leg->mail->spooled == NULL ? RECIPIENT_FAILED : RECIPIENT_HELD, &r);
	return STAGE_REFUSE;
}

/* Delivery. */

/* The header that goes out; *body is what stands behind it. One that was not
 * rebuilt keeps its own, but for what only we may say there. */
static struct bytes
take_head(struct leg *leg, struct bytes *body)
{
	const char *name = leg->mail->mailer->settings->mail.name;
	struct bytes head = buf_bytes(&leg->hidden);

	if (head.n == 0) {
		head = head_bytes(*body);
		bytes_take(body, head.n);
	}
	if (leg->map != NULL || leg->mail->own || !head_has_ours(head, name))
		return head;
	buf_init(&leg->own_head, head.n);
	must(head_without_ours(head, name, &leg->own_head) == 0);
	leg->body = *body;
	return buf_bytes(&leg->own_head);
}

/* What is sent is signed: the header and the body as they are now, not what the
 * body's server gave us. Fields of ours are a trace, which no signature covers
 * (RFC 6376 section 5.4). */
static enum stage_answer
leg_sign(void *job)
{
	struct leg *leg = job;
	const struct mail *mail = leg->mail;
	const struct segment *from = mail->origin.segment;
	struct bytes body = leg->body;
	struct bytes head = take_head(leg, &body);
	struct err e;

	buf_init(&leg->head, size_add(HEAD_MAX, head.n));
	leg->signed_by = signers_sign(mail->mailer->signers,
	    from == NULL || mail->own ? NULL : from->body, head, body,
	    (uint64_t)time(NULL), &leg->head, &e);
	if (leg->signed_by == NULL && e.text[0] != '\0')
		log_say(EVENT_FAILURE, "mail %s is not signed: %s", mail->id,
		    e.text);
	return STAGE_NEXT;
}

static enum stage_answer
leg_deliver(void *job)
{
	struct leg *leg = job;
	struct mail *mail = leg->mail;
	struct shipment_order order;

	must(head_write(leg, &leg->head) == 0 &&
	    buf_append(&leg->head,
		buf_bytes(
		    leg->own_head.n > 0 ? &leg->own_head : &leg->hidden)) == 0);
	choose_recipients(leg);
	order = (struct shipment_order){
		.route = leg->route,
		.domain = leg->domain,
		.zone = mail->origin.segment == NULL
		    ? NULL
		    : mail->origin.segment->zone,
		.envelope = &mail->envelope,
		.recipients = leg->shipped,
		.recipients_n = leg->shipped_n,
		.head = buf_bytes(&leg->head),
		.body = leg->body,
		.eight_bit = leg->map != NULL ? data_is_eight_bit(leg->body) ||
			data_is_eight_bit(buf_bytes(&leg->head))
					      : mail->eight_bit,
	};
	leg->shipment =
	    shipment_new(mail->mailer->out, &order, on_shipped, leg);
	return STAGE_WAIT;
}

static const struct stage leg_path[] = {
	{ "content", leg_content },
	{ "inspect", leg_inspect },
	{ "detox", leg_detox },
	{ "original", leg_original },
	{ "refusal", leg_refusal },
	{ "recipients", leg_hide },
	{ "dkim", leg_sign },
	{ "delivery", leg_deliver },
};

/* A stage that refuses has said so of its recipients. */
static void
leg_go_on(struct leg *leg)
{
	if (stages_run(leg_path, COUNT(leg_path), &leg->stage_at, leg) ==
	    STAGE_REFUSE)
		leg_end(leg, QUEUE_NOT_ASKED);
}

void
leg_next(struct leg *leg)
{
	leg->stage_at++;
	leg_go_on(leg);
}

void
leg_start(struct leg *leg)
{
	leg->state = LEG_RUNNING;
	leg->stage_at = 0;
	leg->result = leg->signed_by = NULL;
	leg->removed[0] = '\0';
	leg->suspicion = (struct suspicion){ 0 };
	leg->judged = false;
	leg->banners[0] = '\0';
	leg->refused = (struct smtp_reply){ 0 };
	queue_leg_begun(leg->mail->mailer->queue, leg);
	leg_go_on(leg);
}
