/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover/client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MS 30000 /* also while the keeper is started anew */

struct handover_asked {
	struct handover_client *client;
	struct handover_asked *prev, *next;
	uint32_t id;
	enum handover_message type; /* of its last message */
	struct buf words;
	int files;
	struct timer *timer;
	const char *why; /* it fails, once the timer is due */
	void (*done)(void *owner, const struct handover_answer *a);
	void *owner;
};

struct handover_client {
	struct loop *loop;
	struct channel *channel; /* NULL: there is no keeper now */
	struct handover_asked *asked;
	uint32_t next_id;
	void (*judge)(void *owner, const struct ipc_message *m);
	void *owner;
};

void
handover_asked_cancel(struct handover_asked *a)
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
	if (a->files >= 0)
		close(a->files);
	buf_release(&a->words);
	free(a);
}

static void
finish(struct handover_asked *a, const struct handover_answer *answer)
{
	void (*done)(void *owner, const struct handover_answer *a) = a->done;
	void *owner = a->owner;

	handover_asked_cancel(a);
	done(owner, answer);
}

static void
too_late(void *owner)
{
	struct handover_asked *a = owner;
	const struct handover_answer none = {
		.type = HANDOVER_NOT_KEPT,
		.words = bytes_of(a->why),
		.fd = -1,
	};

	finish(a, &none);
}

/* What does not get through now is asked again of the next keeper. */
static void
say(struct handover_client *c, const struct handover_asked *a)
{
	struct bytes rest = buf_bytes(&a->words);

	while (rest.n > IPC_BODY_MAX)
		channel_send(c->channel, HANDOVER_SLIP, a->id,
		    bytes_take(&rest, IPC_BODY_MAX), -1);
	channel_send(c->channel, a->type, a->id, rest, a->files);
}

static bool
read_answer(struct handover_answer *out, const struct ipc_message *m)
{
	struct bytes rest = m->body;

	*out = (struct handover_answer){
		.type = (enum handover_message)m->type,
		.fd = m->fd,
	};
	if (m->type == HANDOVER_SEEN || m->type == HANDOVER_TAKEN ||
	    m->type == HANDOVER_LISTED || m->type == HANDOVER_DECIDED) {
		struct bytes state = bytes_take(&rest, 1);

		if (state.n != 1 || *state.p >= HANDOVER_STATES)
			return false;
		out->state = (enum handover_state) * state.p;
	} else if (m->type != HANDOVER_KEPT && m->type != HANDOVER_NOT_KEPT) {
		return false;
	}
	out->words = rest;
	return true;
}

static void
on_message(void *owner, const struct ipc_message *m)
{
	struct handover_client *c = owner;
	struct handover_asked *a = c->asked;
	struct handover_answer answer;

	if (m->type == HANDOVER_JUDGE) {
		c->judge(c->owner, m);
		return;
	}
	while (a != NULL && a->id != m->job)
		a = a->next;
	if (a != NULL && read_answer(&answer, m))
		finish(a, &answer);
	else if (m->fd >= 0)
		close(m->fd);
}

static void
on_gone(void *owner)
{
	struct handover_client *c = owner;

	channel_free(c->channel);
	c->channel = NULL;
}

struct handover_client *
handover_client_new(struct loop *l,
    void (*judge)(void *owner, const struct ipc_message *m), void *owner)
{
	struct handover_client *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->loop = l;
	c->judge = judge;
	c->owner = owner;
	return c;
}

void
handover_client_connect(struct handover_client *c, int fd)
{
	channel_free(c->channel);
	c->channel = channel_new(c->loop, fd, on_message, on_gone, c);
	for (const struct handover_asked *a = c->asked; a != NULL; a = a->next)
		if (a->words.n > 0)
			say(c, a);
}

static struct handover_asked *
ask_new(struct handover_client *c, enum handover_message type,
    void (*done)(void *owner, const struct handover_answer *a), void *owner)
{
	struct handover_asked *a = calloc(1, sizeof(*a));

	must(a != NULL);
	if (++c->next_id == 0)
		c->next_id = 1;
	a->client = c;
	a->id = c->next_id;
	a->type = type;
	a->files = -1;
	a->why = "the keeper does not answer";
	a->timer = timer_new(c->loop, too_late, a);
	a->done = done;
	a->owner = owner;
	a->next = c->asked;
	if (a->next != NULL)
		a->next->prev = a;
	c->asked = a;
	buf_init(&a->words, HANDOVER_SLIP_MAX);
	return a;
}

/* What it has to say is there, or cannot be said. */
static struct handover_asked *
begin(struct handover_asked *a, const char *why)
{
	if (why != NULL) {
		a->why = why;
		buf_release(&a->words);
	} else if (a->client->channel != NULL) {
		say(a->client, a);
	}
	timer_start(a->timer, why != NULL ? 0 : ANSWER_MS);
	return a;
}

struct handover_asked *
handover_client_keep(struct handover_client *c, const struct slip *s, int files,
    void (*done)(void *owner, const struct handover_answer *a), void *owner)
{
	struct handover_asked *a = ask_new(c, HANDOVER_KEEP, done, owner);

	a->files = fcntl(files, F_DUPFD_CLOEXEC, 0);
	if (a->files < 0)
		return begin(a, "too many descriptors are open");
	return begin(a,
	    slip_pack(s, &a->words) < 0 ? "too much is said of the files"
					: NULL);
}

struct handover_asked *
handover_client_ask(struct handover_client *c, enum handover_message type,
    const struct slip_ask *what,
    void (*done)(void *owner, const struct handover_answer *a), void *owner)
{
	struct handover_asked *a = ask_new(c, type, done, owner);

	return begin(a,
	    slip_ask_pack(what, &a->words) < 0 ? "it cannot be asked for"
					       : NULL);
}

void
handover_client_judged(struct handover_client *c, uint32_t job,
    enum handover_judged how, struct bytes words)
{
	uint8_t body[4096];

	body[0] = (uint8_t)how;
	words = bytes_take(&words, sizeof(body) - 1);
	if (words.n > 0)
		memcpy(body + 1, words.p, words.n);
	if (c->channel != NULL)
		channel_send(c->channel, HANDOVER_JUDGED, job,
		    (struct bytes){ body, words.n + 1 }, -1);
}
