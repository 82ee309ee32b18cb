/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/hints.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "proxy/smtp/queue.h"

#define ORDER_MAX ((size_t)8192)

struct hint {
	uint64_t until_ms; /* of the loop's clock; 0: none */
	size_t n;
	uint8_t packed[ORDER_MAX]; /* struct unlock_hint */
};

struct hints {
	struct hint all[HINTS_MAX];
	size_t next; /* the oldest */
};

struct hints *
hints_new(void)
{
	struct hints *h = calloc(1, sizeof(*h));

	must(h != NULL);
	return h;
}

static void
send_hint(struct mailer *m, const struct unlock_hint *h)
{
	struct buf out;

	buf_init(&out, ORDER_MAX);
	if (unlock_hint_pack(h, &out) == 0)
		channel_send(
		    m->child->parent, PARENT_HINT, 0, buf_bytes(&out), -1);
	if (out.p != NULL)
		OPENSSL_cleanse(out.p, out.size);
	buf_release(&out);
}

void
hints_give(const struct leg *leg, const struct detox_report *r)
{
	const struct mail *mail = leg->mail;
	struct unlock_hint h = { .sender = mail->envelope.sender.text };

	if (r->hints.n == 0 || h.sender.n == 0 ||
	    leg->route->encrypted != MAIL_ENCRYPTED_HOLD ||
	    mail->mailer->settings->mail.password_wait_ms == 0)
		return;
	for (; h.passwords.n < r->hints.n; h.passwords.n++)
		h.passwords.all[h.passwords.n] =
		    bytes_of(r->hints.text[h.passwords.n]);
	for (size_t i = 0; i < leg->which_n; i++) {
		h.recipient =
		    mail->envelope.recipients[leg->which[i]].address.text;
		send_hint(mail->mailer, &h);
	}
}

static bool
is_for(const struct unlock_hint *h, const struct leg *leg)
{
	const struct envelope *e = &leg->mail->envelope;

	return bytes_equal_nocase(h->sender, e->sender.text) &&
	    bytes_equal_nocase(
		h->recipient, e->recipients[leg->which[0]].address.text);
}

bool
hints_find(struct leg *leg)
{
	struct mailer *m = leg->mail->mailer;
	bool found = false;

	for (size_t i = 0; i < HINTS_MAX; i++) {
		const struct hint *one = &m->hints->all[i];
		struct unlock_hint h;

		if (one->until_ms > loop_now_ms(m->loop) &&
		    unlock_hint_unpack(
			&h, (struct bytes){ one->packed, one->n }) == 0 &&
		    is_for(&h, leg))
			found |= locked_add(leg, &h.passwords);
	}
	return found;
}

static void
keep(struct mailer *m, struct bytes body)
{
	struct hint *h = &m->hints->all[m->hints->next];

	m->hints->next = (m->hints->next + 1) % HINTS_MAX;
	OPENSSL_cleanse(h, sizeof(*h));
	h->until_ms = loop_now_ms(m->loop) + m->settings->mail.password_wait_ms;
	h->n = body.n;
	memcpy(h->packed, body.p, body.n);
}

/* Those that are over are wiped; so are these, one day, by those that follow.
 */
static void
wipe_old(struct mailer *m)
{
	for (size_t i = 0; i < HINTS_MAX; i++) {
		struct hint *h = &m->hints->all[i];

		if (h->until_ms != 0 && h->until_ms <= loop_now_ms(m->loop))
			OPENSSL_cleanse(h, sizeof(*h));
	}
}

void
hints_take(struct mailer *m, struct bytes body)
{
	struct unlock_hint h;

	wipe_old(m);
	if (body.n > ORDER_MAX || unlock_hint_unpack(&h, body) < 0)
		return;
	keep(m, body);
	for (struct mail *mail = queue_mails(m->queue); mail != NULL;
	     mail = mail->next)
		for (size_t i = 0; i < mail->legs_n; i++) {
			struct leg *leg = &mail->legs[i];

			if (leg->alone && is_for(&h, leg) &&
			    locked_is_in_time(leg) &&
			    locked_add(leg, &h.passwords))
				locked_guess(leg);
		}
}
