/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/process.h"

#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proxy/base/log.h"

/* Of the running child, for the parent's channel callbacks. */
static struct {
	struct child *child;
	void (*message)(void *owner, const struct ipc_message *m);
	void *owner;
} process;

static int
compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes every descriptor that this child was not given. */
static void
close_others(const struct child *c)
{
	const int fixed[] = { 0, 1, 2, c->parent_fd, c->keysmith_fd,
		c->detox_fd, c->key_fd, c->control_fd, c->journal_fd,
		c->wake_fd, c->ring_fd, c->tickets_fd, c->common_fd,
		c->reputation_fd, c->spool_fd, c->store_fd, c->store_folder_fd,
		c->standings_fd, c->handover_fd, c->crossings_fd,
		c->kernel_log_fd };
	size_t n = COUNT(fixed) + c->listeners_n + c->drop_fds_n;
	int *keep = calloc(n, sizeof(*keep));
	unsigned next = 0;

	must(keep != NULL);
	memcpy(keep, fixed, sizeof(fixed));
	for (size_t i = 0; i < c->listeners_n; i++)
		keep[COUNT(fixed) + i] = c->listeners[i];
	for (size_t i = 0; i < c->drop_fds_n; i++)
		keep[COUNT(fixed) + c->listeners_n + i] = c->drop_fds[i];
	qsort(keep, n, sizeof(*keep), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < next)
			continue;
		if ((unsigned)keep[i] > next)
			close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	close_range(next, ~0u, 0);
	free(keep);
}

static void
reset_signals(void)
{
	const int ignored[] = { SIGPIPE, SIGINT, SIGHUP, SIGUSR1 };
	sigset_t none;

	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	(void)owner;
	if (m->type == PARENT_STOP)
		loop_stop(process.child->loop);
	process.message(process.owner, m);
}

/* Nobody supervises any more: what waits is finished, the journal's last lines
 * above all, and then the process ends. */
static void
parent_gone(void *owner)
{
	(void)owner;
	loop_stop(process.child->loop);
}

void
process_begin(struct child *c,
    void (*message)(void *owner, const struct ipc_message *m), void *owner)
{
	char title[16];
	struct ring *ring;
	struct err e = { 0 };

	close_others(c);
	reset_signals();
	snprintf(title, sizeof(title), "sekisho:%.7s", c->name);
	prctl(PR_SET_NAME, title, 0, 0, 0);
	ring = ring_map(c->ring_fd, c->wake_fd, &e);
	log_open(c->name, c->slot, ring);
	board_own(&c->board->rows[c->slot]);
	process.child = c;
	process.message = message;
	process.owner = owner;
	c->loop = loop_new();
	c->parent =
	    channel_new(c->loop, c->parent_fd, parent_message, parent_gone, c);
}

void
process_ready(struct child *c)
{
	log_say(EVENT_STARTED, "pid %d", (int)getpid());
	channel_send(c->parent, PARENT_READY, 0, (struct bytes){ 0 }, -1);
}

void
process_tripped(void *child, const struct trip *t)
{
	const struct child *c = child;

	channel_send(c->parent, PARENT_TRIPPED, 0,
	    (struct bytes){ (const uint8_t *)t, sizeof(*t) }, -1);
}

int
process_failed(struct child *c, const struct err *e)
{
	channel_send(c->parent, PARENT_FAILED, 0, bytes_of(e->text), -1);
	return 1;
}
