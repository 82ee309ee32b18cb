/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/parent/separation.h"
#include "proxy/tripwire/tripwire.h"

#define LISTENERS_MAX 1024 /* of one process */
#define LIVED_MS 10000     /* who lived so long did not crash at its start */

static const struct {
	const char *name;
	int (*start)(struct child *c);
} kinds[PROCESS_KINDS] = {
	[PROCESS_JOURNAL] = { "journal", journal_start },
	[PROCESS_CONTROL] = { "control", control_start },
	[PROCESS_STORE] = { "store", store_start },
	[PROCESS_TRIPWIRE] = { "tripwire", tripwire_start },
	[PROCESS_HANDOVER] = { "handover", handover_start },
	[PROCESS_KEYSMITH] = { "keysmith", keysmith_start },
	[PROCESS_DETOX] = { "detox", detox_start },
	[PROCESS_GATE] = { "gate", gate_start },
	[PROCESS_EDGE] = { "edge", edge_start },
	[PROCESS_MAIL] = { "mail", mailer_start },
};

static const struct settings *
settings_of(const struct worker *w)
{
	const struct generation *g = w->generation != NULL ? w->generation
	    : parent.current != NULL                       ? parent.current
							   : parent.coming;

	return g->settings;
}

struct worker *
worker_find(enum process_kind kind, const struct generation *g)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->state != WORKER_FREE && w->kind == kind &&
		    w->generation == g)
			return w;
	}
	return NULL;
}

bool
worker_carries(const struct worker *w)
{
	return w->kind == PROCESS_EDGE || w->kind == PROCESS_MAIL ||
	    w->kind == PROCESS_GATE;
}

bool
worker_helps(const struct worker *w)
{
	return w->kind == PROCESS_KEYSMITH || w->kind == PROCESS_DETOX;
}

void
worker_send(struct worker *w, enum parent_message type, uint32_t job,
    const char *text, int fd)
{
	if (w != NULL && w->channel != NULL)
		channel_send(w->channel, type, job, bytes_of(text), fd);
}

/* The journal must hold the ring of every process. */
void
workers_announce_rings(void)
{
	struct worker *journal = worker_find(PROCESS_JOURNAL, NULL);

	if (journal == NULL || journal->channel == NULL)
		return;
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->ring_fd < 0 || w->ring_announced)
			continue;
		worker_send(journal, PARENT_RING, w->slot, w->name, w->ring_fd);
		w->ring_announced = true;
	}
}

/* The end for who asks a helper of the generation, or -1. */
static int
channel_to(enum process_kind kind, const struct generation *g)
{
	struct worker *helper = worker_find(kind, g);
	struct err e;
	int ends[2];

	if (helper == NULL || helper->channel == NULL || ipc_pair(ends, &e) < 0)
		return -1;
	worker_send(helper, PARENT_CHANNEL, PROCESS_EDGE, NULL, ends[0]);
	close(ends[0]);
	return ends[1];
}

/* Who asks a helper of that kind. */
static bool
asks(const struct worker *w, enum process_kind kind)
{
	return (w->kind == PROCESS_EDGE &&
		   (kind == PROCESS_KEYSMITH || kind == PROCESS_DETOX ||
		       kind == PROCESS_HANDOVER)) ||
	    (w->kind == PROCESS_MAIL &&
		(kind == PROCESS_DETOX || kind == PROCESS_STORE));
}

/* A helper that was started anew needs channels to the living who ask it; g
 * NULL: to those of all generations. */
static void
reconnect(enum process_kind kind, const struct generation *g)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];
		int fd;

		if (w->state == WORKER_FREE || !asks(w, kind) ||
		    (g != NULL && w->generation != g) || w->channel == NULL)
			continue;
		fd = channel_to(kind, g);
		if (fd < 0)
			continue;
		worker_send(w, PARENT_CHANNEL, kind, NULL, fd);
		close(fd);
	}
}

static int
open_file(const struct settings *s, const char *name, struct err *e)
{
	struct arena a = { 0 };
	int fd = file_open(settings_path(s, &a, name), SIZE_MAX, e);

	arena_release(&a);
	return fd;
}

static int
open_folder(const char *path, struct err *e)
{
	int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : err_set(e, "%s: cannot be opened: %m", path);
}

static int
open_folder_of(const struct settings *s, const char *name, struct err *e)
{
	struct arena a = { 0 };
	char *path = settings_path(s, &a, name);
	char *slash = strrchr(path, '/');
	int fd;

	if (slash != NULL && slash != path)
		*slash = '\0';
	fd = open_folder(path, e);
	arena_release(&a);
	return fd;
}

static int listener_fds[LISTENERS_MAX];
static int drop_fds[2 * HANDOVER_WAYS_MAX];

/* In the order of the ways, drop before out: handover/drop.c takes them so. */
static int
equip_handover(struct child *c, struct err *e)
{
	const struct handover_settings *h = &c->settings->handover;

	c->store_folder_fd = open_folder(h->folder, e);
	if (c->store_folder_fd < 0)
		return -1;
	c->key_fd = open_file(c->settings, h->key_file, e);
	if (c->key_fd < 0)
		return -1;
	c->crossings_fd = crossings_open(c->settings, time(NULL), e);
	if (c->crossings_fd < 0)
		return -1;
	c->drop_fds = drop_fds;
	for (size_t i = 0; i < h->ways_n; i++) {
		const char *names[] = { h->ways[i].drop, h->ways[i].out };

		for (size_t k = 0; k < COUNT(names); k++) {
			if (names[k][0] == '\0')
				continue;
			drop_fds[c->drop_fds_n] = open_folder(names[k], e);
			if (drop_fds[c->drop_fds_n] < 0)
				return -1;
			c->drop_fds_n++;
		}
	}
	return 0;
}

static void
equip_edge(const struct worker *w, struct child *c)
{
	static const struct listener_settings *of[LISTENERS_MAX];
	const struct settings *s = c->settings;

	c->listeners = listener_fds;
	c->listener_settings = of;
	for (size_t i = 0; i < s->listeners_n; i++) {
		size_t n = sockets_at(&parent.sockets, &s->listeners[i].at,
		    w->nth, w->generation->edges, listener_fds + c->listeners_n,
		    LISTENERS_MAX - c->listeners_n);

		while (n-- > 0)
			of[c->listeners_n++] = &s->listeners[i];
	}
}

static void
equip_mail(const struct worker *w, struct child *c)
{
	static const struct mail_listener_settings *of[LISTENERS_MAX];
	const struct mail_settings *s = &c->settings->mail;

	c->listeners = listener_fds;
	c->mail_listeners = of;
	for (size_t i = 0; i < s->listeners_n; i++) {
		size_t n = sockets_at(&parent.sockets, &s->listeners[i].at,
		    w->nth, w->generation->mails, listener_fds + c->listeners_n,
		    LISTENERS_MAX - c->listeners_n);

		while (n-- > 0)
			of[c->listeners_n++] = &s->listeners[i];
	}
}

static int
equip_gate(struct child *c, struct err *e)
{
	const struct isolation_settings *s = &c->settings->isolation->settings;

	c->listeners = listener_fds;
	c->listeners_n =
	    sockets_at(&parent.sockets, &s->gate_at, 0, 1, listener_fds, 1);
	must(c->listeners_n == 1);
	c->standings_fd = separation_fd();
	c->key_fd = file_open(s->gate_key, SIZE_MAX, e);
	if (c->key_fd < 0)
		return -1;
	c->crossings_fd = crossings_open(c->settings, time(NULL), e);
	return c->crossings_fd < 0 ? -1 : 0;
}

/* What only this kind of process is given. 0, or -1 and *e. */
static int
equip(struct worker *w, struct child *c, struct err *e)
{
	const struct settings *s = c->settings;

	switch (w->kind) {
	case PROCESS_JOURNAL:
		c->journal_fd = open_folder_of(s, s->journal.file, e);
		return c->journal_fd < 0 ? -1 : 0;
	case PROCESS_CONTROL:
		c->control_fd = parent.control_fd;
		return 0;
	case PROCESS_STORE:
		c->store_folder_fd = open_folder(s->store.folder, e);
		if (c->store_folder_fd >= 0)
			c->key_fd = open_file(s, s->store.key_file, e);
		return c->key_fd < 0 ? -1 : 0;
	case PROCESS_TRIPWIRE:
		c->kernel_log = parent.kernel_log;
		c->kernel_log_fd = kernel_log_fd(parent.kernel_log);
		return 0;
	case PROCESS_HANDOVER:
		return equip_handover(c, e);
	case PROCESS_KEYSMITH:
		c->key_fd = open_file(s, s->keysmith.ca_key, e);
		return c->key_fd < 0 ? -1 : 0;
	case PROCESS_DETOX:
		return 0;
	case PROCESS_GATE:
		return equip_gate(c, e);
	case PROCESS_EDGE:
		c->keysmith_fd = channel_to(PROCESS_KEYSMITH, w->generation);
		c->detox_fd = channel_to(PROCESS_DETOX, w->generation);
		c->handover_fd = channel_to(PROCESS_HANDOVER, NULL);
		c->tickets_fd = parent.tickets_fd;
		c->reputation_fd = parent.reputation_fd;
		c->standings_fd = separation_fd();
		equip_edge(w, c);
		return 0;
	case PROCESS_MAIL:
		c->detox_fd = channel_to(PROCESS_DETOX, w->generation);
		c->store_fd = channel_to(PROCESS_STORE, NULL);
		c->standings_fd = separation_fd();
		c->common_fd = parent.common_fd;
		equip_mail(w, c);
		c->spool_fd = open_folder(s->mail.spool, e);
		return c->spool_fd < 0 ? -1 : 0;
	case PROCESS_KINDS:
		break;
	}
	return -1;
}

static void
unequip(const struct child *c)
{
	const int own[] = { c->parent_fd, c->keysmith_fd, c->detox_fd,
		c->key_fd, c->journal_fd, c->spool_fd, c->store_fd,
		c->store_folder_fd, c->handover_fd, c->crossings_fd };

	for (size_t i = 0; i < COUNT(own); i++)
		if (own[i] >= 0)
			close(own[i]);
	for (size_t i = 0; i < c->drop_fds_n; i++)
		close(c->drop_fds[i]);
}

static uint64_t
backoff_ms(const struct worker *w)
{
	uint64_t most = settings_of(w)->processes.restart_max_ms;
	uint64_t wait = 100;

	if (w->crashes <= 1)
		return 0;
	for (unsigned i = 2; i < w->crashes && wait < most; i++)
		wait *= 2;
	return wait < most ? wait : most;
}

static void
restart_due(void *owner)
{
	worker_start(owner);
}

static void
restart_later(struct worker *w)
{
	uint64_t wait = backoff_ms(w);
	struct log_line l;

	w->state = WORKER_WAITING;
	if (wait > 0) {
		log_begin(&l, EVENT_BACKOFF, NULL);
		log_string(&l, "name", w->name);
		log_number(&l, "wait_ms", wait);
		log_end(&l);
	}
	timer_start(w->restart, wait);
}

struct worker *
worker_new(
    enum process_kind kind, unsigned nth, struct generation *g, struct err *e)
{
	for (unsigned i = 1; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];
		const struct settings *s;

		if (w->state != WORKER_FREE)
			continue;
		w->kind = kind;
		w->nth = nth;
		w->generation = g;
		w->slot = i;
		w->crashes = 0;
		w->failure.text[0] = '\0';
		s = settings_of(w);
		if (w->ring_fd < 0)
			w->ring_fd = ring_create(s->journal.queue, e);
		if (w->ring_fd < 0)
			return NULL;
		if (worker_carries(w) && kind != PROCESS_GATE)
			snprintf(w->name, sizeof(w->name), "%s.%u",
			    kinds[kind].name, nth);
		else
			snprintf(
			    w->name, sizeof(w->name), "%s", kinds[kind].name);
		w->ring_announced = false;
		w->restart = timer_new(parent.loop, restart_due, w);
		w->state = WORKER_WAITING;
		return w;
	}
	err_set(e, "no room for more than %d processes", BOARD_SLOTS);
	return NULL;
}

void
worker_release(struct worker *w)
{
	timer_free(w->restart);
	w->restart = NULL;
	channel_free(w->channel);
	w->channel = NULL;
	w->generation = NULL;
	w->state = WORKER_FREE;
	board_row_clear(&parent.board->rows[w->slot]);
}

static void
worker_ready(struct worker *w)
{
	if (w->state != WORKER_STARTING)
		return;
	w->state = WORKER_READY;
	if (w->kind == PROCESS_JOURNAL)
		workers_announce_rings();
	if (worker_helps(w) || w->kind == PROCESS_STORE ||
	    w->kind == PROCESS_HANDOVER)
		reconnect(w->kind, w->generation);
	if (w->generation != NULL)
		generation_check(w->generation);
	else if (parent.coming != NULL)
		generation_check(parent.coming);
}

static void
worker_message(void *owner, const struct ipc_message *m)
{
	struct worker *w = owner;
	bool from_control = w->kind == PROCESS_CONTROL;

	if (m->type == PARENT_ORDER_ANSWER &&
	    (w->kind == PROCESS_MAIL || w->kind == PROCESS_STORE ||
		w->kind == PROCESS_HANDOVER))
		orders_answered(m);
	else if (m->type == PARENT_RELEASE && w->kind == PROCESS_STORE)
		orders_release(m);
	if (m->fd >= 0)
		close(m->fd); /* no other child has one to give */
	switch ((enum parent_message)m->type) {
	case PARENT_READY:
		worker_ready(w);
		return;
	case PARENT_FAILED:
		err_set(&w->failure, "%.*s", BYTES_PRINTF(m->body));
		return;
	case PARENT_RELOAD:
		if (from_control)
			parent_reload(m->job);
		return;
	case PARENT_ROTATE_ASKED:
		if (!from_control)
			return;
		parent_rotate();
		worker_send(w, PARENT_ANSWER, m->job, NULL, -1);
		return;
	case PARENT_ORDER:
		if (from_control)
			orders_pass(m);
		return;
	case PARENT_RELEASED:
		if (w->kind == PROCESS_MAIL)
			orders_released(m);
		return;
	case PARENT_UNLOCK:
		if (w->kind == PROCESS_EDGE)
			orders_unlock(w, m);
		return;
	case PARENT_UNLOCK_ANSWER:
		if (w->kind == PROCESS_MAIL)
			orders_unlocked(m);
		return;
	case PARENT_HINT:
		if (w->kind == PROCESS_MAIL)
			orders_hint(m);
		return;
	case PARENT_TRIPPED:
		if (worker_carries(w) || w->kind == PROCESS_TRIPWIRE)
			separation_tripped(m);
		return;
	case PARENT_PROBED:
		if (w->kind == PROCESS_GATE)
			separation_probed(m);
		return;
	case PARENT_UNLOCK_SENT:
	case PARENT_ORDER_SENT:
	case PARENT_ORDER_ANSWER:
	case PARENT_LIMITS:
	case PARENT_RELEASE:
	case PARENT_DRAIN:
	case PARENT_STOP:
	case PARENT_CHANNEL:
	case PARENT_RING:
	case PARENT_LISTS:
	case PARENT_ROTATE:
	case PARENT_CROSSINGS:
	case PARENT_ANSWER:
		return;
	}
}

static void
worker_gone(void *owner)
{
	struct worker *w = owner;

	/* SIGCHLD tells the rest. */
	channel_free(w->channel);
	w->channel = NULL;
}

static void
fill_child(const struct worker *w, struct child *c, int parent_fd)
{
	*c = (struct child){
		.kind = w->kind,
		.slot = w->slot,
		.nth = w->nth,
		.settings = settings_of(w),
		.board = parent.board,
		.parent_fd = parent_fd,
		.keysmith_fd = -1,
		.detox_fd = -1,
		.key_fd = -1,
		.control_fd = -1,
		.journal_fd = -1,
		.spool_fd = -1,
		.store_fd = -1,
		.store_folder_fd = -1,
		.handover_fd = -1,
		.wake_fd = parent.wake_fd,
		.ring_fd = w->ring_fd,
		.tickets_fd = -1,
		.common_fd = -1,
		.reputation_fd = -1,
		.kernel_log_fd = -1,
		.standings_fd = -1,
		.crossings_fd = -1,
	};
	memcpy(c->name, w->name, sizeof(c->name));
}

void
worker_fill_row(const struct worker *w)
{
	struct board_row *row = &parent.board->rows[w->slot];

	board_row_clear(row);
	memcpy(row->process, w->name, sizeof(row->process));
	atomic_store(&row->generation,
	    w->generation == NULL ? 0 : w->generation->number);
	atomic_store(&row->started, (uint64_t)time(NULL));
	atomic_store(&row->pid, w->pid);
}

static void
worker_died(struct worker *w, const char *how)
{
	struct log_line l;
	bool quick = loop_now_ms(parent.loop) - w->started_ms < LIVED_MS;

	log_begin(&l, EVENT_DIED, NULL);
	log_string(&l, "name", w->name);
	log_number(&l, "pid", (uint64_t)w->pid);
	log_string(&l, "text", how);
	if (w->failure.text[0] != '\0')
		log_string(&l, "why", w->failure.text);
	log_end(&l);
	w->crashes = quick ? w->crashes + 1 : 1;
	if (w->kind == PROCESS_JOURNAL)
		for (size_t i = 0; i < BOARD_SLOTS; i++)
			parent.workers[i].ring_announced = false;
	if (w->generation != NULL && w->generation == parent.coming) {
		char text[ERR_TEXT_MAX];

		snprintf(text, sizeof(text), "%s: %.400s", w->name,
		    w->failure.text[0] != '\0' ? w->failure.text : how);
		worker_release(w);
		generation_refuse(text);
		return;
	}
	if (w->generation == NULL && parent.current == NULL) {
		fprintf(stderr, "sekishod: %s: %s\n", w->name,
		    w->failure.text[0] != '\0' ? w->failure.text : how);
		parent.failed = true;
		loop_stop(parent.loop);
		return;
	}
	restart_later(w);
}

static void
worker_ended(struct worker *w, int status)
{
	struct generation *g = w->generation;
	bool draining = g != NULL && g->state == GENERATION_DRAINING;
	char how[64];

	if (w->channel != NULL)
		channel_read(w->channel);
	channel_free(w->channel);
	w->channel = NULL;
	if (WIFSIGNALED(status))
		snprintf(
		    how, sizeof(how), "killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d",
		    WEXITSTATUS(status));
	/* A draining generation is not filled up again, but its edges need
	 * their helpers. */
	if (draining && (!worker_helps(w) || status == 0)) {
		worker_release(w);
		generation_check(g);
		return;
	}
	/* It was told to, so that it starts with other settings. */
	if (w->renewed && !parent.stopping) {
		w->renewed = false;
		w->crashes = 0;
		restart_later(w);
		return;
	}
	if (parent.stopping && g == NULL) {
		bool keeps =
		    w->kind == PROCESS_STORE || w->kind == PROCESS_HANDOVER;

		worker_release(w);
		if (keeps && parent.generations_gone)
			parent_finish_stop();
		else if (worker_find(PROCESS_JOURNAL, NULL) == NULL)
			loop_stop(parent.loop);
		return;
	}
	worker_died(w, how);
}

void
worker_start(struct worker *w)
{
	struct err e = { 0 };
	struct child c;
	int ends[2];

	w->failure.text[0] = '\0';
	w->started_ms = loop_now_ms(parent.loop);
	if (ipc_pair(ends, &e) < 0)
		goto failed;
	fill_child(w, &c, ends[1]);
	if (equip(w, &c, &e) < 0)
		goto close_ends;
	fflush(NULL);
	w->pid = fork();
	if (w->pid == 0)
		_exit(kinds[w->kind].start(&c));
	unequip(&c);
	if (w->pid < 0) {
		err_set(&e, "fork: %m");
		close(ends[0]);
		goto failed;
	}
	w->state = WORKER_STARTING;
	w->channel =
	    channel_new(parent.loop, ends[0], worker_message, worker_gone, w);
	worker_fill_row(w);
	workers_announce_rings();
	return;

close_ends:
	unequip(&c);
	close(ends[0]);
failed:
	w->pid = 0;
	w->failure = e;
	worker_died(w, "could not be started");
}

void
workers_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < BOARD_SLOTS; i++) {
			struct worker *w = &parent.workers[i];

			if (w->state == WORKER_FREE || w->pid != pid)
				continue;
			worker_ended(w, status);
			w->pid = 0;
			break;
		}
}
