/* SPDX-License-Identifier: Apache-2.0 */
/* orders: what an administrator asks of the mail processes; the parent passes
 * words on and does not read them. */
#include "proxy/parent/state.h"

void
orders_pass(const struct ipc_message *order)
{
	uint8_t n = 0;
	struct worker *control = worker_find(PROCESS_CONTROL, NULL);

	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->kind != PROCESS_MAIL || w->state != WORKER_READY ||
		    w->channel == NULL || n == UINT8_MAX)
			continue;
		if (channel_send(w->channel, PARENT_QUEUE, order->job,
			order->body, -1) == 0)
			n++;
	}
	if (control != NULL && control->channel != NULL)
		channel_send(control->channel, PARENT_QUEUE_SENT, order->job,
		    (struct bytes){ &n, 1 }, -1);
}

void
orders_answered(const struct ipc_message *answer)
{
	struct worker *control = worker_find(PROCESS_CONTROL, NULL);

	if (control != NULL && control->channel != NULL)
		channel_send(control->channel, PARENT_QUEUE_ANSWER, answer->job,
		    answer->body, answer->fd);
}
