/* SPDX-License-Identifier: Apache-2.0 */
/* orders: what an administrator asks of the processes, and what the store gives
 * mail processes; the parent passes words on and reads but its own. */
#include <unistd.h>

#include "proxy/detox/detox.h"
#include "proxy/detox/unlock.h"
#include "proxy/parent/separation.h"
#include "proxy/parent/state.h"

#define OWN_ANSWER_MAX ((size_t)48 << 20)

/* The parent's own, which are about separation. */
static void
carry_out(const struct ipc_message *order, struct bytes words)
{
	static const enum order_answer answers[] = {
		[SEPARATION_MALFORMED] = ORDER_MALFORMED,
		[SEPARATION_REFUSED] = ORDER_REFUSED,
		[SEPARATION_DONE] = ORDER_DONE,
	};
	struct worker *control = worker_find(PROCESS_CONTROL, NULL);
	const uint8_t one = 1;
	uint8_t answer;
	struct buf out;
	struct err e;
	int fd;

	if (control == NULL || control->channel == NULL)
		return;
	buf_init(&out, OWN_ANSWER_MAX);
	answer = (uint8_t)answers[separation_order(words, &out)];
	fd = detox_seal(buf_bytes(&out), &e);
	channel_send(control->channel, PARENT_ORDER_SENT, order->job,
	    (struct bytes){ &one, 1 }, -1);
	channel_send(control->channel, PARENT_ORDER_ANSWER, order->job,
	    (struct bytes){ &answer, 1 }, fd);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
}

/* Whom the order is for: all that are ready, of the kind in its first byte. */
void
orders_pass(const struct ipc_message *order)
{
	uint8_t n = 0;
	struct worker *control = worker_find(PROCESS_CONTROL, NULL);
	struct bytes words = order->body;
	struct bytes kind = bytes_take(&words, 1);

	if (kind.n == 1 && kind.p[0] == ORDER_FOR_PARENT) {
		carry_out(order, words);
		return;
	}
	for (size_t i = 0; i < BOARD_SLOTS && kind.n == 1; i++) {
		struct worker *w = &parent.workers[i];

		if (w->kind != kind.p[0] || w->state != WORKER_READY ||
		    w->channel == NULL || n == UINT8_MAX)
			continue;
		if (channel_send(
			w->channel, PARENT_ORDER, order->job, words, -1) == 0)
			n++;
	}
	if (control != NULL && control->channel != NULL)
		channel_send(control->channel, PARENT_ORDER_SENT, order->job,
		    (struct bytes){ &n, 1 }, -1);
}

static void
pass(enum process_kind kind, const struct ipc_message *m)
{
	struct worker *w = worker_find(kind, NULL);

	if (w != NULL && w->channel != NULL)
		channel_send(w->channel, m->type, m->job, m->body, m->fd);
}

void
orders_answered(const struct ipc_message *answer)
{
	pass(PROCESS_CONTROL, answer);
}

/* One that takes mail, not one that ends. */
static struct worker *
mail_worker(void)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->kind == PROCESS_MAIL && w->state == WORKER_READY &&
		    w->channel != NULL && w->generation == parent.current)
			return w;
	}
	return NULL;
}

void
orders_release(const struct ipc_message *m)
{
	struct worker *w = mail_worker();
	const struct ipc_message not_now = {
		.type = PARENT_RELEASED, .job = m->job, .fd = -1
	};

	if (w == NULL ||
	    channel_send(w->channel, PARENT_RELEASE, m->job, m->body, m->fd) <
		0)
		pass(PROCESS_STORE, &not_now);
}

void
orders_released(const struct ipc_message *m)
{
	const struct ipc_message answer = {
		.type = m->type, .job = m->job, .body = m->body, .fd = -1
	};

	pass(PROCESS_STORE, &answer);
}

/* To all that have mails, also those that end; how many they are. */
static uint8_t
pass_to_mails(enum parent_message type, uint32_t job, struct bytes body)
{
	uint8_t n = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->kind == PROCESS_MAIL && w->state == WORKER_READY &&
		    w->channel != NULL && n < UINT8_MAX &&
		    channel_send(w->channel, type, job, body, -1) == 0)
			n++;
	}
	return n;
}

/* One of them has the mail. Whom the answers are for stands in the job's
 * highest bits. */
void
orders_unlock(const struct worker *edge, const struct ipc_message *m)
{
	uint32_t job = m->job | (uint32_t)edge->slot << UNLOCK_JOB_BITS;
	uint8_t n;

	if (m->job >> UNLOCK_JOB_BITS != 0)
		return;
	n = pass_to_mails(PARENT_UNLOCK, job, m->body);
	channel_send(edge->channel, PARENT_UNLOCK_SENT, m->job,
	    (struct bytes){ &n, 1 }, -1);
}

void
orders_hint(const struct ipc_message *m)
{
	(void)pass_to_mails(PARENT_HINT, 0, m->body);
}

void
orders_unlocked(const struct ipc_message *m)
{
	struct worker *w = &parent.workers[m->job >> UNLOCK_JOB_BITS];

	if (w->kind == PROCESS_EDGE && w->state == WORKER_READY &&
	    w->channel != NULL)
		channel_send(w->channel, m->type,
		    m->job & ((UINT32_C(1) << UNLOCK_JOB_BITS) - 1), m->body,
		    -1);
}
