/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/queue.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/smtp/locked.h"

#define DESTINATIONS 1024 /* buckets, and how many are kept at least */
#define ADOPT_MS                                                  \
	2000 /* how often files of ended processes are looked for \
	      */
#define SPOOL_SEGMENT ((uint64_t)64 << 20)
#define SPOOL_GATHER_MS 20
#define SPOOL_END_MS 100
#define ABOUT_MAX ((size_t)1 << 20)

/* A line of legs to one place. */
struct destination {
	const struct mail_route *route;
	struct leg *first, *last;
	size_t in_line;
	size_t active;
	unsigned failures; /* in a row */
	uint64_t closed_until_ms;
	struct timer *timer; /* until then */
	struct queue *queue;
	struct destination *next;
	char domain[]; /* of a route by MX; "" */
};

struct queue {
	struct mailer *mailer;
	struct mail *mails; /* newest first */
	struct destination *destinations[DESTINATIONS];
	size_t destinations_n, sweep_at; /* above so many, idle ones go */
	/* Legs that wait for their time, a heap by next_ms. */
	struct leg **heap;
	size_t heap_n, heap_size;
	struct timer *due;
	struct timer *adopting;
	bool pumping;  /* is deferred to the end of the tick */
	bool settling; /* the same, of mails that were found */
	bool draining;
};

/* The heap. */

static void
heap_put(struct queue *q, size_t at, struct leg *leg)
{
	q->heap[at] = leg;
	leg->heap_at = at;
}

static void
heap_rise(struct queue *q, size_t at, struct leg *leg)
{
	while (at > 0 && q->heap[(at - 1) / 2]->next_ms > leg->next_ms) {
		heap_put(q, at, q->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(q, at, leg);
}

static void
heap_sink(struct queue *q, size_t at, struct leg *leg)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= q->heap_n)
			break;
		if (child + 1 < q->heap_n &&
		    q->heap[child + 1]->next_ms < q->heap[child]->next_ms)
			child++;
		if (q->heap[child]->next_ms >= leg->next_ms)
			break;
		heap_put(q, at, q->heap[child]);
		at = child;
	}
	heap_put(q, at, leg);
}

static void
heap_add(struct queue *q, struct leg *leg)
{
	if (q->heap_n == q->heap_size) {
		q->heap_size = q->heap_size == 0 ? 64 : 2 * q->heap_size;
		q->heap =
		    reallocarray(q->heap, q->heap_size, sizeof(struct leg *));
		must(q->heap != NULL);
	}
	q->heap_n++;
	heap_rise(q, q->heap_n - 1, leg);
}

static void
heap_remove(struct queue *q, struct leg *leg)
{
	size_t at = leg->heap_at;
	struct leg *last = q->heap[--q->heap_n];

	leg->heap_at = SIZE_MAX;
	if (last == leg)
		return;
	heap_sink(q, at, last);
	heap_rise(q, last->heap_at, last);
}

/* Destinations. */

static void pump_soon(struct queue *q);

static void
destination_free(struct destination *d)
{
	timer_free(d->timer);
	free(d);
}

static struct destination *
destination_of(struct queue *q, const struct leg *leg)
{
	struct bytes domain =
	    leg->route->hops_n > 0 ? (struct bytes){ 0 } : leg->domain;
	uint64_t h = (uintptr_t)leg->route;
	struct destination **row;
	struct destination *d;

	for (size_t i = 0; i < domain.n; i++)
		h = (h ^ domain.p[i]) * UINT64_C(0x100000001b3);
	row = &q->destinations[(h ^ h >> 29) % DESTINATIONS];
	for (d = *row; d != NULL; d = d->next)
		if (d->route == leg->route &&
		    bytes_equal(bytes_of(d->domain), domain))
			return d;
	d = calloc(1, size_add(sizeof(*d), domain.n + 1));
	must(d != NULL);
	d->route = leg->route;
	if (domain.n > 0)
		memcpy(d->domain, domain.p, domain.n);
	d->queue = q;
	d->next = *row;
	*row = d;
	if (++q->destinations_n > q->sweep_at)
		pump_soon(q);
	return d;
}

static uint64_t
now_ms(const struct queue *q)
{
	return loop_now_ms(q->mailer->loop);
}

static bool
is_closed(const struct destination *d)
{
	return d->closed_until_ms > now_ms(d->queue);
}

static void
append(struct destination *d, struct leg *leg)
{
	leg->next = NULL;
	if (d->last != NULL)
		d->last->next = leg;
	else
		d->first = leg;
	d->last = leg;
	d->in_line++;
	leg->destination = d;
	leg->state = LEG_QUEUED;
}

static struct leg *
take_first(struct destination *d)
{
	struct leg *leg = d->first;

	d->first = leg->next;
	if (d->first == NULL)
		d->last = NULL;
	d->in_line--;
	leg->next = NULL;
	return leg;
}

static void
remove_from_line(struct destination *d, struct leg *leg)
{
	struct leg *before = NULL;

	for (struct leg *l = d->first; l != NULL; before = l, l = l->next) {
		if (l != leg)
			continue;
		if (before == NULL) {
			take_first(d);
			return;
		}
		before->next = leg->next;
		d->in_line--;
		if (d->last == leg)
			d->last = before;
		leg->next = NULL;
		return;
	}
}

static void
start_line(struct destination *d)
{
	const struct mail_settings *s = &d->queue->mailer->settings->mail;

	while (d->first != NULL && !is_closed(d) &&
	    d->active < s->connections_per_hop && !d->queue->draining)
		/* The mail may be gone behind it. */
		leg_start(take_first(d));
}

/* Nobody is on his way there, and that it was not reached is long ago. */
static bool
is_idle(const struct destination *d)
{
	uint64_t wait = d->failures == 0
	    ? 0
	    : d->queue->mailer->settings->mail.retry_max_ms;

	return d->first == NULL && d->active == 0 &&
	    d->closed_until_ms + wait <= now_ms(d->queue);
}

/* Who sends to ever new domains shall not fill our memory with them. */
static void
sweep(struct queue *q)
{
	for (size_t i = 0; i < DESTINATIONS; i++) {
		struct destination **at = &q->destinations[i];

		while (*at != NULL) {
			struct destination *d = *at;

			if (!is_idle(d)) {
				at = &d->next;
				continue;
			}
			*at = d->next;
			destination_free(d);
			q->destinations_n--;
		}
	}
	q->sweep_at = DESTINATIONS + 2 * q->destinations_n;
}

static void
pump(void *owner)
{
	struct queue *q = owner;

	q->pumping = false;
	if (q->destinations_n > q->sweep_at)
		sweep(q);
	for (size_t i = 0; i < DESTINATIONS; i++)
		for (struct destination *d = q->destinations[i]; d != NULL;
		     d = d->next)
			start_line(d);
}

/* Legs are started from the loop, so that nobody's mail goes under him. */
static void
pump_soon(struct queue *q)
{
	if (q->pumping || q->draining)
		return;
	q->pumping = true;
	loop_defer(q->mailer->loop, pump, q);
}

static void
destination_due(void *owner)
{
	pump_soon(((struct destination *)owner)->queue);
}

/* Legs. */

uint64_t
queue_backoff_ms(const struct queue *q, unsigned attempts)
{
	const struct mail_settings *s = &q->mailer->settings->mail;
	uint64_t wait = s->retry_min_ms;

	if (attempts == 0)
		return 0;
	for (unsigned i = 1; i < attempts && wait < s->retry_max_ms; i++)
		wait *= 2;
	return wait < s->retry_max_ms ? wait : s->retry_max_ms;
}

static void
set_due(struct queue *q)
{
	if (q->heap_n == 0) {
		timer_stop(q->due);
		return;
	}
	timer_start(q->due,
	    q->heap[0]->next_ms > now_ms(q) ? q->heap[0]->next_ms - now_ms(q)
					    : 0);
}

static void
legs_due(void *owner)
{
	struct queue *q = owner;

	while (q->heap_n > 0 && q->heap[0]->next_ms <= now_ms(q)) {
		struct leg *leg = q->heap[0];

		heap_remove(q, leg);
		append(destination_of(q, leg), leg);
	}
	set_due(q);
	pump_soon(q);
}

bool
queue_is_open(const struct queue *q, struct leg *leg)
{
	struct destination *d = destination_of(leg->mail->mailer->queue, leg);

	return !q->draining && !is_closed(d);
}

void
queue_open(struct queue *q, struct leg *leg)
{
	destination_of(q, leg)->closed_until_ms = 0;
}

bool
queue_wants_content(const struct queue *q, const struct leg *leg)
{
	const struct destination *d = leg->destination;
	struct share share = leg->mail->share;

	if (leg->state != LEG_QUEUED || q->draining || is_closed(d))
		return false;
	return d->active + d->in_line <=
	    q->mailer->settings->mail.connections_per_hop ||
	    (share.budget != NULL && share_is_light(share));
}

void
queue_leg(struct queue *q, struct leg *leg, uint64_t wait_ms)
{
	queue_forget_leg(q, leg);
	if (wait_ms == 0) {
		append(destination_of(q, leg), leg);
		pump_soon(q);
		return;
	}
	leg->state = LEG_WAITING;
	/* The tick may be old, where many mails were read from the disk. */
	leg->next_ms = clock_us() / 1000 + wait_ms;
	heap_add(q, leg);
	set_due(q);
}

void
queue_forget_leg(struct queue *q, struct leg *leg)
{
	if (leg->heap_at != SIZE_MAX)
		heap_remove(q, leg);
	if (leg->destination == NULL)
		return;
	if (leg->state == LEG_QUEUED)
		remove_from_line(leg->destination, leg);
	if (leg->state == LEG_RUNNING)
		leg->destination->active--;
	leg->destination = NULL;
}

void
queue_leg_begun(struct queue *q, struct leg *leg)
{
	leg->destination = destination_of(q, leg);
	leg->destination->active++;
}

/* Until it opens again nobody in its line needs a content. */
static void
close_destination(struct queue *q, struct destination *d)
{
	d->failures++;
	d->closed_until_ms = now_ms(q) + queue_backoff_ms(q, d->failures);
	if (d->timer == NULL)
		d->timer = timer_new(q->mailer->loop, destination_due, d);
	timer_start(d->timer, queue_backoff_ms(q, d->failures));
	for (struct leg *l = d->first; l != NULL; l = l->next)
		mail_rest(l->mail);
}

void
queue_leg_done(struct queue *q, struct leg *leg, enum queue_reached reached)
{
	struct destination *d = leg->destination;

	d->active--;
	leg->destination = NULL;
	if (reached == QUEUE_REACHED) {
		d->failures = 0;
		d->closed_until_ms = 0;
	} else if (reached == QUEUE_NOT_REACHED && !is_closed(d)) {
		close_destination(q, d);
	}
	if (d->first != NULL)
		pump_soon(q);
}

/* The spool. */

int
queue_spool(struct queue *q, struct mail *mail, struct err *e)
{
	struct buf about, note;
	int result = -1;

	buf_init(&about, ABOUT_MAX);
	buf_init(&note, ABOUT_MAX);
	if (about_pack(mail, &about) < 0 || note_pack(mail, &note) < 0) {
		err_set(e, "its envelope is too large to be kept");
		goto release;
	}
	mail->spooled = spool_add(
	    q->mailer->spool, buf_bytes(&about), &mail->content, 1, e);
	if (mail->spooled == NULL)
		goto release;
	mail->spooled->owner = mail;
	counter_add(COUNTER_MAILS_SPOOLED, 1);
	result = 0;
	if (note.n > 0 &&
	    spool_note(q->mailer->spool, mail->spooled, buf_bytes(&note), e) <
		0)
		log_say(EVENT_FAILURE, "mail %s: %s", mail->id, e->text);
release:
	buf_release(&about);
	buf_release(&note);
	return result;
}

static void
on_committed(void *owner, struct spool_mail *m)
{
	(void)owner;
	if (m->owner != NULL)
		mail_spooled(m->owner);
}

static void
on_failed(void *owner, struct spool_mail *m, const char *why)
{
	(void)owner;
	if (m->owner != NULL)
		mail_not_spooled(m->owner, why);
}

/* Its process ended between what became of the last recipient and what follows
 * from it. Not under who finds it: the spool may be no more than half open. */
static void
settle_found(void *owner)
{
	struct queue *q = owner;
	struct mail *next;

	q->settling = false;
	for (struct mail *mail = q->mails; mail != NULL; mail = next) {
		next = mail->next;
		if (!mail->found)
			continue;
		mail->found = false;
		mail_settle(mail);
	}
}

static void
on_found(void *owner, struct spool_mail *m)
{
	struct queue *q = owner;
	struct mail *mail = calloc(1, sizeof(*mail));

	must(mail != NULL);
	mail->mailer = q->mailer;
	q->mailer->mails++;
	m->owner = mail;
	mail->spooled = m;
	mail->subject = mail->locked_files = "";
	queue_add(q, mail);
	if (about_unpack(mail, m->about) < 0) {
		/* It stays where it is, for a person. */
		log_say(EVENT_FAILURE, "spool: %s is not understood", m->id);
		return;
	}
	mail->status = ARENA_ARRAY(
	    &mail->arena, struct recipient_status, mail->envelope.recipients_n);
	if (m->note.n > 0 && note_unpack(mail, m->note) < 0)
		log_say(EVENT_FAILURE, "mail %s: its note is not understood",
		    mail->id);
	mail_make_legs(mail);
	if (mail->legs_n > 0) {
		mail_go_on(mail);
		return;
	}
	mail->found = true;
	if (!q->settling)
		loop_defer(q->mailer->loop, settle_found, q);
	q->settling = true;
}

static const struct spool_events events = {
	.committed = on_committed,
	.failed = on_failed,
	.found = on_found,
};

struct mail *
queue_mails(const struct queue *q)
{
	return q->mails;
}

/* From time to time; what is changed is settled, and may be gone. */
static void
expire_locks(struct queue *q)
{
	uint64_t now = (uint64_t)time(NULL);
	struct mail *next;

	for (struct mail *mail = q->mails; mail != NULL; mail = next) {
		next = mail->next;
		if (mail->spooled != NULL && mail->spooled->committed &&
		    mail->status != NULL)
			locked_expire(mail, now);
	}
}

static void
adopt(void *owner)
{
	struct queue *q = owner;

	if (q->draining)
		return;
	spool_adopt(q->mailer->spool);
	expire_locks(q);
	timer_start(q->adopting, ADOPT_MS);
}

/* Mails. */

void
queue_add(struct queue *q, struct mail *mail)
{
	mail->next = q->mails;
	if (mail->next != NULL)
		mail->next->prev = mail;
	q->mails = mail;
}

void
queue_remove(struct queue *q, struct mail *mail)
{
	*(mail->prev != NULL ? &mail->prev->next : &q->mails) = mail->next;
	if (mail->next != NULL)
		mail->next->prev = mail->prev;
}

struct queue *
queue_new(struct mailer *m, int folder, struct err *e)
{
	const struct mail_settings *s = &m->settings->mail;
	const struct spool_limits limits = {
		.bytes_max = s->spool_max,
		.free_min = s->spool_free_min,
		.segment = SPOOL_SEGMENT,
		.gather_ms = SPOOL_GATHER_MS,
		.end_ms = SPOOL_END_MS,
	};
	struct queue *q = calloc(1, sizeof(*q));

	must(q != NULL);
	q->mailer = m;
	q->sweep_at = DESTINATIONS;
	m->queue = q;
	q->due = timer_new(m->loop, legs_due, q);
	q->adopting = timer_new(m->loop, adopt, q);
	m->spool = spool_open(folder, &limits, m->loop, &events, q, e);
	if (m->spool == NULL) {
		queue_free(q);
		m->queue = NULL;
		return NULL;
	}
	timer_start(q->adopting, ADOPT_MS);
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	while (q->mails != NULL)
		mail_free(q->mails);
	for (size_t i = 0; i < DESTINATIONS; i++)
		while (q->destinations[i] != NULL) {
			struct destination *d = q->destinations[i];

			q->destinations[i] = d->next;
			destination_free(d);
		}
	timer_free(q->due);
	timer_free(q->adopting);
	free(q->heap);
	free(q);
}

void
queue_drain(struct queue *q)
{
	q->draining = true;
	timer_stop(q->due);
	timer_stop(q->adopting);
}

bool
queue_is_busy(const struct queue *q)
{
	for (const struct mail *mail = q->mails; mail != NULL;
	     mail = mail->next)
		if (mail->spooled == NULL || !mail->spooled->committed ||
		    mail_runs(mail))
			return true;
	return false;
}
