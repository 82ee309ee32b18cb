/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/outbound.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/smtp/field.h"
#include "proxy/smtp/floods.h"
#include "proxy/smtp/head.h"

/* Who they are is told apart by hashes: who makes two meet counts as less, but
 * he could as well have used Bcc. */
struct seen {
	uint64_t *hashes;
	size_t n, most;
};

static bool
is_visible(struct bytes name)
{
	return bytes_equal_nocase(name, BYTES("To")) ||
	    bytes_equal_nocase(name, BYTES("Cc")) ||
	    bytes_equal_nocase(name, BYTES("Resent-To")) ||
	    bytes_equal_nocase(name, BYTES("Resent-Cc"));
}

/* FNV-1a; capitals do not matter. */
static uint64_t
hash_address(const struct mail_address *m)
{
	const struct bytes parts[] = { m->local, m->domain };
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t k = 0; k < COUNT(parts); k++)
		for (size_t i = 0; i < parts[k].n; i++) {
			uint8_t c = parts[k].p[i];

			h ^= c >= 'A' && c <= 'Z' ? c | 0x20 : c;
			h *= UINT64_C(0x100000001b3);
		}
	return h;
}

static void
see(struct seen *s, uint64_t hash)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->hashes[i] == hash)
			return;
	s->hashes[s->n++] = hash;
}

static void
see_list(struct seen *s, const struct routes *r, struct bytes value)
{
	enum field_address what;

	do {
		struct arena a = { 0 };
		struct mail_address m;

		what = field_address_take(&value, &m, &a);
		if (what == FIELD_ADDRESS && routes_owner(r, m.domain) == NULL)
			see(s, hash_address(&m));
		else if (what == FIELD_ADDRESS_BAD)
			see(s, s->n); /* like no other */
		arena_release(&a);
	} while (what != FIELD_ADDRESS_NONE && s->n < s->most);
}

size_t
outbound_shown(const struct routes *r, struct bytes head, size_t most)
{
	struct seen s = { .most = most };
	struct smtp_field f;

	s.hashes = calloc(most + 1, sizeof(*s.hashes));
	must(s.hashes != NULL);
	while (s.n < most && field_take(&head, &f))
		if (is_visible(f.name))
			see_list(&s, r, f.value);
	free(s.hashes);
	return s.n;
}

int
outbound_hide(struct bytes head, struct buf *out)
{
	struct bytes rest = head;
	bool told = false;
	struct smtp_field f;

	while (field_take(&rest, &f)) {
		struct bytes line = f.all;

		if (is_visible(f.name)) {
			line = told ? BYTES("")
				    : BYTES("To: undisclosed-recipients:;\r\n");
			told = true;
		}
		if (buf_append(out, line) < 0)
			return -1;
	}
	return buf_append(out, BYTES("\r\n"));
}

/* So many that it is too many; 0: it is not, or nobody asked. */
static size_t
shown_too_many(const struct leg *leg, struct bytes head)
{
	const struct mail *mail = leg->mail;
	const struct outbound_rules *o = &leg->route->outbound;
	size_t n;

	if (o->external_max == 0 || mail->origin.segment == NULL ||
	    mail_is_passed(mail))
		return 0;
	n = outbound_shown(
	    mail->mailer->settings->routes, head, (size_t)o->external_max + 1);
	return n > o->external_max ? n : 0;
}

bool
outbound_must_hide(const struct leg *leg, struct bytes head)
{
	return leg->route->outbound.over == EXTERNAL_BCC &&
	    shown_too_many(leg, head) > 0;
}

static void
hold(struct leg *leg, const struct smtp_reply *r)
{
	for (size_t i = 0; i < leg->which_n; i++) {
		struct recipient_status *s = &leg->mail->status[leg->which[i]];

		if (s->state != RECIPIENT_PENDING)
			continue;
		s->state = RECIPIENT_HELD;
		s->reply = *r;
		trail_recipient(leg, leg->which[i], "held", NULL);
	}
}

static void
refused(const struct leg *leg, const char *rule, const struct smtp_reply *r)
{
	const struct mail *mail = leg->mail;
	const struct mail_reason why = { rule, leg->route->file,
		leg->route->line };

	trail_refused(&mail->origin, "outbound", mail->envelope.sender.text,
	    (struct bytes){ 0 }, &why, r);
}

static enum outbound_verdict
judge_shown(struct leg *leg, struct bytes head, struct smtp_reply *r)
{
	const struct outbound_rules *o = &leg->route->outbound;
	unsigned max = (unsigned)o->external_max;

	if (o->external_max == 0 || leg->mail->origin.segment == NULL)
		return OUTBOUND_GO;
	if (head.n > OUTBOUND_HEAD_MAX) {
		reply_set(r, 554, "5.6.0",
		    "the header is too large to count its addresses");
		refused(leg, "external_max", r);
		return OUTBOUND_REFUSED;
	}
	if (shown_too_many(leg, head) == 0)
		return OUTBOUND_GO;
	switch (o->over) {
	case EXTERNAL_REFUSE:
		break;
	case EXTERNAL_BCC:
		return OUTBOUND_GO; /* its leg hides them */
	case EXTERNAL_HOLD:
		reply_set(r, 450, "4.7.1",
		    "held for a supervisor: more than %u addresses outside in"
		    " To and Cc",
		    max);
		hold(leg, r);
		return OUTBOUND_GO;
	}
	/* An answer has ASCII alone; a user reads it in the notice of his own
	 * server. */
	reply_set(r, 554, "5.7.1",
	    "more than %u addresses outside would see each other in To and Cc,"
	    " use Bcc / gaibu no atesaki ga %u-ken wo koete miemasu, Bcc ni"
	    " shite kudasai (external_max of %s)",
	    max, max, leg->route->name);
	refused(leg, "external_max", r);
	return OUTBOUND_REFUSED;
}

/* By the clock of the day, which goes on while no process runs. A mail arrives
 * within its second, and waits from that second's end. */
uint64_t
outbound_wait_ms(const struct leg *leg)
{
	const struct mail *mail = leg->mail;
	uint64_t delay = leg->route->outbound.delay_ms;
	uint64_t due = 1000 * (mail->origin.arrived + 1) + delay;
	struct timespec now;
	uint64_t now_ms;

	if (delay == 0 || leg->attempts > 0 || mail->own ||
	    mail->origin.segment == NULL)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (due <= now_ms)
		return 0;
	/* The clock may have been set back. */
	return due - now_ms <= delay + 1000 ? due - now_ms : delay;
}

/* What `queue list` says of those that wait. */
static void
say_wait(struct leg *leg)
{
	unsigned long long seconds = outbound_wait_ms(leg) / 1000;

	if (seconds == 0)
		return;
	for (size_t i = 0; i < leg->which_n; i++) {
		struct recipient_status *s = &leg->mail->status[leg->which[i]];

		if (s->state == RECIPIENT_PENDING)
			reply_set(&s->reply, 450, "4.7.1",
			    "waits %llu s, and can be dropped (delay of %s)",
			    seconds, leg->route->name);
	}
}

static bool
is_counted(const struct segment *from, const struct envelope *e)
{
	return from != NULL && e->sender.text.n > 0;
}

void
outbound_failed(
    struct mailer *m, const struct segment *from, const struct envelope *e)
{
	if (!is_counted(from, e))
		return;
	common_lock(m->common);
	floods_failed(&m->common->floods, e->sender.text, loop_now_ms(m->loop));
	common_unlock(m->common);
}

static void
judge_flood(struct mail *mail)
{
	const struct envelope *e = &mail->envelope;
	struct mailer *m = mail->mailer;
	uint64_t now = loop_now_ms(m->loop);
	struct flood_counts n;
	struct smtp_reply r;
	enum flood flood;

	if (!is_counted(mail->origin.segment, e))
		return;
	common_lock(m->common);
	for (size_t i = 0; i < e->recipients_n; i++)
		floods_recipient(&m->common->floods, e->sender.text,
		    e->recipients[i].address.text, now);
	flood = floods_judge(
	    &m->common->floods, &m->settings->mail, e->sender.text, now, &n);
	common_unlock(m->common);
	if (flood == FLOOD_GO)
		return;
	reply_set(&r, 450, "4.7.1",
	    "held for a supervisor: too many recipients of one sender in this"
	    " hour (%s)",
	    n.limit);
	if (n.first)
		trail_flood(mail, &n);
	for (size_t i = 0; i < mail->legs_n; i++)
		hold(&mail->legs[i], &r);
}

enum outbound_verdict
outbound_judge(struct mail *mail, struct smtp_reply *r)
{
	struct bytes head = head_bytes(mail->content);

	if (mail->own)
		return OUTBOUND_GO;
	for (size_t i = 0; i < mail->legs_n; i++)
		if (judge_shown(&mail->legs[i], head, r) == OUTBOUND_REFUSED)
			return OUTBOUND_REFUSED;
	judge_flood(mail);
	for (size_t i = 0; i < mail->legs_n; i++)
		say_wait(&mail->legs[i]);
	return OUTBOUND_GO;
}
