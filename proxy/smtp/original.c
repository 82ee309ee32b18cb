/* SPDX-License-Identifier: Apache-2.0 */
/*
 * original: the stage between detox and delivery: the store is given what came,
 * when something of it does not go on. A mail is delivered, or refused, when
 * the store has its original; where store.required is false it does not wait.
 */
#include <stdlib.h>
#include <unistd.h>

#include "proxy/smtp/mail.h"

/* One that nobody waits for. */
struct loose {
	struct mailer *mailer;
	char mail[LOG_ID_MAX];
	const char *route;
};

static bool
is_wanted(const struct leg *leg)
{
	const struct settings *s = leg->mail->mailer->settings;

	if (leg->result == NULL || leg->kept)
		return false;
	switch (leg->route->keep_is_said ? leg->route->keep : s->store.keeps) {
	case STORE_CHANGED:
		return leg->missed || leg->refused.code != 0;
	case STORE_ALL:
		return true;
	case STORE_NONE:
		break;
	}
	return false;
}

static void
close_object(struct leg *leg)
{
	if (leg->object >= 0)
		close(leg->object);
	leg->object = -1;
}

static void
on_kept(void *owner, const char *id, const char *why)
{
	struct leg *leg = owner;
	struct smtp_reply r;

	leg->keeping = NULL;
	if (id != NULL) {
		leg->kept = true;
		leg_next(leg);
		return;
	}
	log_say(EVENT_FAILURE, "mail %s: its original is not kept now: %s",
	    leg->mail->id, why);
	reply_set(&r, 451, "4.3.0", "its original cannot be kept now");
	leg_defer(leg, &r);
}

static void
on_kept_loose(void *owner, const char *id, const char *why)
{
	struct loose *l = owner;
	struct mailer *m = l->mailer;

	if (id == NULL)
		trail_lost(l->mail, l->route, why);
	free(l);
	mailer_check(m);
}

static struct bytes *
recipients(struct leg *leg, size_t *n_out)
{
	struct mail *mail = leg->mail;
	struct bytes *to =
	    ARENA_ARRAY(&mail->arena, struct bytes, leg->which_n);
	size_t n = 0;

	for (size_t i = 0; i < leg->which_n; i++)
		if (mail->status[leg->which[i]].state == RECIPIENT_PENDING)
			to[n++] = mail->envelope.recipients[leg->which[i]]
				      .address.text;
	*n_out = n;
	return to;
}

static void
fill(struct leg *leg, struct original *o, char client[ADDRESS_TEXT_MAX])
{
	const struct mail *mail = leg->mail;
	const struct mail_origin *from = &mail->origin;
	const struct settings *s = mail->mailer->settings;
	const struct mail_route *route = leg->route;

	*o = (struct original){
		.mail = bytes_of(mail->id),
		.client = bytes_of(address_text(&from->client, client)),
		.helo = bytes_of(from->helo),
		.protocol = bytes_of(from->protocol),
		.tls = bytes_of(from->tls),
		.body = bytes_of(route->body == NULL ? "" : route->body->code),
		.route = bytes_of(route->name),
		.domain = leg->domain,
		.profile = bytes_of(s->profiles.all[route->profile].name),
		.result = bytes_of(leg->result),
		.removed = bytes_of(
		    leg->refused.code != 0 ? leg->refused.text : leg->removed),
		.message_id = bytes_of(mail->message_id),
		.sender = mail->envelope.sender.text,
		.arrived = from->arrived,
		.skip = leg->object_skip,
		.from_body = from->segment != NULL,
		.eight_bit = mail->eight_bit,
		.utf8 = mail->envelope.utf8,
	};
	o->to = recipients(leg, &o->to_n);
}

static void
keep_loose(struct leg *leg, const struct original *o)
{
	struct mailer *m = leg->mail->mailer;
	struct loose *l = calloc(1, sizeof(*l));

	must(l != NULL);
	l->mailer = m;
	l->route = leg->route->name;
	memcpy(l->mail, leg->mail->id, sizeof(l->mail));
	store_client_keep(m->store, o, leg->object, on_kept_loose, l);
}

enum stage_answer
leg_original(void *job)
{
	struct leg *leg = job;
	struct mailer *m = leg->mail->mailer;
	char client[ADDRESS_TEXT_MAX];
	struct original o;

	if (!is_wanted(leg)) {
		close_object(leg);
		return STAGE_NEXT;
	}
	fill(leg, &o, client);
	if (m->settings->store.required) {
		leg->keeping =
		    store_client_keep(m->store, &o, leg->object, on_kept, leg);
		close_object(leg);
		return STAGE_WAIT;
	}
	keep_loose(leg, &o);
	leg->kept = true;
	close_object(leg);
	return STAGE_NEXT;
}
