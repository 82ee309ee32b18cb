/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/ipc.h"

#define ANSWER_MS 30000 /* also while the store is started anew */
#define CONTACT_MS 2000
#define ID_MAX 64

struct store_ask {
	struct store_client *client;
	struct store_ask *prev, *next;
	uint32_t id;
	struct buf about;
	int object; /* a copy */
	struct timer *timer;
	const char *why; /* it fails, once the timer is due */
	void (*done)(void *owner, const char *id, const char *why);
	void (*contact)(void *owner, uint64_t last); /* instead of done */
	void *owner;
};

struct store_client {
	struct loop *loop;
	struct channel *channel; /* NULL: there is no store now */
	struct store_ask *asked;
	uint32_t next_id;
};

void
store_ask_cancel(struct store_ask *a)
{
	if (a == NULL)
		return;
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		a->client->asked = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	timer_free(a->timer);
	if (a->object >= 0)
		close(a->object);
	buf_release(&a->about);
	free(a);
}

static void
finish(struct store_ask *a, const char *id, const char *why)
{
	void (*done)(void *owner, const char *id, const char *why) = a->done;
	void *owner = a->owner;

	store_ask_cancel(a);
	done(owner, id, why);
}

static void
finish_contact(struct store_ask *a, uint64_t last)
{
	void (*contact)(void *owner, uint64_t last) = a->contact;
	void *owner = a->owner;

	store_ask_cancel(a);
	contact(owner, last);
}

static void
contact_too_late(void *owner)
{
	finish_contact(owner, STORE_UNKNOWN);
}

static void
too_late(void *owner)
{
	finish(owner, NULL, ((struct store_ask *)owner)->why);
}

/* What does not get through now is asked again of the next store. */
static void
say(struct store_client *c, const struct store_ask *a)
{
	struct bytes rest = buf_bytes(&a->about);

	while (rest.n > IPC_BODY_MAX)
		channel_send(c->channel, STORE_ABOUT, a->id,
		    bytes_take(&rest, IPC_BODY_MAX), -1);
	channel_send(c->channel, STORE_KEEP, a->id, rest, a->object);
}

static void
on_message(void *owner, const struct ipc_message *m)
{
	struct store_client *c = owner;
	struct store_ask *a = c->asked;
	char words[ERR_TEXT_MAX];

	if (m->fd >= 0)
		close(m->fd);
	while (a != NULL && a->id != m->job)
		a = a->next;
	if (a == NULL)
		return;
	if (a->contact != NULL) {
		struct store_contact seen = { .last = STORE_UNKNOWN };

		if (m->type == STORE_CONTACT_LAST && m->body.n == sizeof(seen))
			memcpy(&seen, m->body.p, sizeof(seen));
		finish_contact(a, seen.last);
		return;
	}
	snprintf(words, sizeof(words), "%.*s", BYTES_PRINTF(m->body));
	if (m->type == STORE_KEPT && m->body.n > 0 && m->body.n < ID_MAX)
		finish(a, words, NULL);
	else if (m->type == STORE_NOT_KEPT)
		finish(a, NULL, words);
}

static void
on_gone(void *owner)
{
	struct store_client *c = owner;

	channel_free(c->channel);
	c->channel = NULL;
}

struct store_client *
store_client_new(struct loop *l)
{
	struct store_client *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->loop = l;
	return c;
}

void
store_client_connect(struct store_client *c, int fd)
{
	channel_free(c->channel);
	c->channel = channel_new(c->loop, fd, on_message, on_gone, c);
	for (const struct store_ask *a = c->asked; a != NULL; a = a->next)
		if (a->contact == NULL)
			say(c, a);
}

void
store_client_free(struct store_client *c)
{
	if (c == NULL)
		return;
	while (c->asked != NULL)
		store_ask_cancel(c->asked);
	channel_free(c->channel);
	free(c);
}

bool
store_client_is_busy(const struct store_client *c)
{
	return c->asked != NULL;
}

static struct store_ask *
ask_new(struct store_client *c, void (*late)(void *owner))
{
	struct store_ask *a = calloc(1, sizeof(*a));

	must(a != NULL);
	if (++c->next_id == 0)
		c->next_id = 1;
	a->client = c;
	a->id = c->next_id;
	a->object = -1;
	a->timer = timer_new(c->loop, late, a);
	a->next = c->asked;
	if (a->next != NULL)
		a->next->prev = a;
	c->asked = a;
	return a;
}

struct store_ask *
store_client_keep(struct store_client *c, const struct original *o, int object,
    void (*done)(void *owner, const char *id, const char *why), void *owner)
{
	struct store_ask *a = ask_new(c, too_late);

	a->done = done;
	a->owner = owner;
	a->object = fcntl(object, F_DUPFD_CLOEXEC, 0);
	a->why = "the store does not answer";
	buf_init(&a->about, STORE_ABOUT_MAX);
	if (a->object < 0)
		a->why = "too many descriptors are open";
	else if (original_pack(o, &a->about) < 0) {
		a->why = "too much is said of the mail";
		buf_release(&a->about);
	} else if (c->channel != NULL)
		say(c, a);
	timer_start(a->timer, a->object < 0 || a->about.n == 0 ? 0 : ANSWER_MS);
	return a;
}

struct store_ask *
store_client_contact(struct store_client *c, struct bytes who,
    void (*done)(void *owner, uint64_t last), void *owner)
{
	struct store_ask *a;

	if (c->channel == NULL || who.n > STORE_CONTACT_MAX)
		return NULL;
	a = ask_new(c, contact_too_late);
	a->contact = done;
	a->owner = owner;
	channel_send(c->channel, STORE_CONTACT, a->id, who, -1);
	timer_start(a->timer, CONTACT_MS);
	return a;
}
