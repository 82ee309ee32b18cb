/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/listener/tickets.h"
#include "proxy/parent/sockets.h"
#include "proxy/process.h"

#define EDGE_LISTENERS_MAX 1024
#define READY_MAX_MS 20000 /* a new generation must serve within */
#define LIVED_MS 10000     /* who lived so long did not crash at its start */

enum worker_state {
	WORKER_FREE = 0,
	WORKER_STARTING,
	WORKER_READY,
	WORKER_WAITING, /* dead; the timer starts it again */
};

/* A process, in the same slot over its restarts. */
struct worker {
	enum worker_state state;
	enum process_kind kind;
	unsigned slot;
	unsigned nth;
	char name[32];
	struct generation *generation; /* NULL: journal and control */
	pid_t pid;
	struct channel *channel;
	struct timer *restart;
	uint64_t started_ms;
	unsigned crashes; /* in a row, each soon after its start */
	int ring_fd;
	bool ring_announced; /* to the journal that runs */
	struct err failure;  /* what it said before it ended */
};

enum generation_state {
	GENERATION_STARTING,
	GENERATION_CURRENT,
	GENERATION_DRAINING,
};

struct generation {
	enum generation_state state;
	uint32_t number;
	struct settings *settings;
	size_t edges;
	struct timer *deadline; /* starting: ready by; draining: gone by */
	struct generation *next;
};

static struct {
	const char *settings_file;
	struct loop *loop;
	struct watch *signals;
	int signal_fd;
	int wake_fd;
	int tickets_fd;
	int control_fd;
	struct timer *ticket_timer;
	struct board *board;
	struct ring *ring;
	struct sockets sockets;
	struct worker workers[BOARD_SLOTS];
	struct generation *generations;
	struct generation *current;
	struct generation *coming;
	uint32_t numbers;
	uint32_t reload_job; /* of control, to be answered; 0: none */
	bool stopping;
	bool failed;
	const char *journal_file; /* both cannot change by a reload */
	const char *control_socket;
	struct arena names;
} parent;

static const struct {
	const char *name;
	int (*start)(struct child *c);
} kinds[PROCESS_KINDS] = {
	[PROCESS_JOURNAL] = { "journal", journal_start },
	[PROCESS_CONTROL] = { "control", control_start },
	[PROCESS_KEYSMITH] = { "keysmith", keysmith_start },
	[PROCESS_EDGE] = { "edge", edge_start },
};

static void worker_start(struct worker *w);
static void generation_check(struct generation *g);
static void finish_stop(void);

static const struct settings *
settings_of(const struct worker *w)
{
	const struct generation *g = w->generation != NULL ? w->generation
	    : parent.current != NULL                       ? parent.current
							   : parent.coming;

	return g->settings;
}

static struct worker *
find_worker(enum process_kind kind, const struct generation *g)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->state != WORKER_FREE && w->kind == kind &&
		    w->generation == g)
			return w;
	}
	return NULL;
}

static void
send_text(struct worker *w, enum parent_message type, uint32_t job,
    const char *text, int fd)
{
	if (w != NULL && w->channel != NULL)
		channel_send(w->channel, type, job, bytes_of(text), fd);
}

/* The journal must hold the ring of every process. */
static void
announce_rings(void)
{
	struct worker *journal = find_worker(PROCESS_JOURNAL, NULL);

	if (journal == NULL || journal->channel == NULL)
		return;
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->ring_fd < 0 || w->ring_announced)
			continue;
		send_text(journal, PARENT_RING, w->slot, w->name, w->ring_fd);
		w->ring_announced = true;
	}
}

/* A channel between an edge and the keysmith of its generation: one end is
 * sent to the keysmith, the other returned. */
static int
keysmith_channel(const struct generation *g)
{
	struct worker *keysmith = find_worker(PROCESS_KEYSMITH, g);
	struct err e;
	int ends[2];

	if (keysmith == NULL || keysmith->channel == NULL ||
	    ipc_pair(ends, &e) < 0)
		return -1;
	send_text(keysmith, PARENT_CHANNEL, 0, NULL, ends[0]);
	close(ends[0]);
	return ends[1];
}

/* A keysmith that was started anew needs channels to the living edges. */
static void
reconnect_edges(const struct generation *g)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];
		int fd;

		if (w->state == WORKER_FREE || w->kind != PROCESS_EDGE ||
		    w->generation != g || w->channel == NULL)
			continue;
		fd = keysmith_channel(g);
		if (fd < 0)
			continue;
		send_text(w, PARENT_CHANNEL, 0, NULL, fd);
		close(fd);
	}
}

static int
open_path(const struct settings *s, const char *name, int flags, struct err *e)
{
	struct arena a = { 0 };
	const char *path = settings_path(s, &a, name);
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		err_set(e, "%s: cannot be opened: %m", path);
	arena_release(&a);
	return fd;
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
	fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err_set(e, "%s: cannot be opened: %m", path);
	arena_release(&a);
	return fd;
}

/* What only this kind of process is given. 0, or -1 and *e. */
static int
equip(struct worker *w, struct child *c, struct err *e)
{
	static int fds[EDGE_LISTENERS_MAX];
	static const struct listener_settings *of[EDGE_LISTENERS_MAX];
	const struct settings *s = c->settings;

	switch (w->kind) {
	case PROCESS_JOURNAL:
		c->journal_fd = open_folder_of(s, s->journal.file, e);
		return c->journal_fd < 0 ? -1 : 0;
	case PROCESS_CONTROL:
		c->control_fd = parent.control_fd;
		return 0;
	case PROCESS_KEYSMITH:
		c->key_fd = open_path(s, s->keysmith.ca_key, O_RDONLY, e);
		return c->key_fd < 0 ? -1 : 0;
	case PROCESS_EDGE:
		c->peer_fd = keysmith_channel(w->generation);
		c->tickets_fd = parent.tickets_fd;
		c->listeners = fds;
		c->listener_settings = of;
		c->listeners_n = sockets_of_edge(&parent.sockets, s->listeners,
		    s->listeners_n, w->nth, w->generation->edges, fds, of,
		    EDGE_LISTENERS_MAX);
		return 0;
	case PROCESS_KINDS:
		break;
	}
	return -1;
}

static void
unequip(const struct child *c)
{
	const int own[] = { c->parent_fd, c->peer_fd, c->key_fd,
		c->journal_fd };

	for (size_t i = 0; i < COUNT(own); i++)
		if (own[i] >= 0)
			close(own[i]);
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

static struct worker *
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
		if (kind == PROCESS_EDGE)
			snprintf(w->name, sizeof(w->name), "edge.%u", nth);
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

static void
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

static bool
edges_started(const struct generation *g)
{
	return find_worker(PROCESS_EDGE, g) != NULL;
}

static void
start_edges(struct generation *g)
{
	struct err e = { 0 };

	for (unsigned i = 0; i < g->edges; i++) {
		struct worker *w = worker_new(PROCESS_EDGE, i, g, &e);

		if (w == NULL) {
			log_say(EVENT_FAILURE, "%s", e.text);
			return;
		}
		worker_start(w);
	}
}

static void
answer_reload(const char *text)
{
	if (parent.reload_job != 0)
		send_text(find_worker(PROCESS_CONTROL, NULL), PARENT_ANSWER,
		    parent.reload_job, text, -1);
	parent.reload_job = 0;
}

static void
stop_generation(struct generation *g, enum parent_message how, uint32_t job)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->state == WORKER_FREE || w->generation != g)
			continue;
		if (w->state == WORKER_WAITING) {
			worker_release(w);
			continue;
		}
		if (how == PARENT_DRAIN) {
			atomic_store(&parent.board->rows[w->slot].draining, 1);
			if (w->kind == PROCESS_KEYSMITH)
				continue; /* the edges still need it */
		}
		send_text(w, how, job, NULL, -1);
	}
	generation_check(g);
}

static void
kill_generation(void *owner)
{
	struct generation *g = owner;

	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		struct worker *w = &parent.workers[i];

		if (w->state != WORKER_FREE && w->generation == g && w->pid > 0)
			kill(w->pid, SIGKILL);
	}
}

/* Told to stop; whoever does not within a second is killed. */
static void
end_generation(void *owner)
{
	struct generation *g = owner;

	timer_free(g->deadline);
	g->deadline = timer_new(parent.loop, kill_generation, g);
	timer_start(g->deadline, 1000);
	stop_generation(g, PARENT_STOP, 0);
}

static void
drain_generation(struct generation *g, uint32_t job)
{
	uint64_t most = g->settings->processes.drain_max_ms;

	if (g->state == GENERATION_DRAINING && job == 0)
		return;
	g->state = GENERATION_DRAINING;
	timer_free(g->deadline);
	g->deadline = timer_new(parent.loop, end_generation, g);
	timer_start(g->deadline, most);
	stop_generation(g, PARENT_DRAIN, job);
}

static void
refuse_coming(const char *text)
{
	struct generation *g = parent.coming;
	struct log_line l;

	parent.coming = NULL;
	atomic_fetch_add(&parent.board->reloads_refused, 1);
	log_begin(&l, EVENT_RELOAD_REFUSED, NULL);
	log_string(&l, "text", text);
	log_end(&l);
	answer_reload(text);
	if (parent.current == NULL) {
		fprintf(stderr, "sekishod: %s\n", text);
		parent.failed = true;
		parent.stopping = true;
	}
	g->state = GENERATION_DRAINING;
	end_generation(g);
}

static void
ready_too_late(void *owner)
{
	(void)owner;
	refuse_coming("the new processes were not ready in time");
}

static void
current_ready(struct generation *g)
{
	struct generation *old = parent.current;
	struct log_line l;

	parent.coming = NULL;
	parent.current = g;
	g->state = GENERATION_CURRENT;
	timer_free(g->deadline);
	g->deadline = NULL;
	atomic_store(&parent.board->generation, g->number);
	sockets_close_unwanted(&parent.sockets);
	if (old == NULL) {
		sd_notify(0, "READY=1");
	} else {
		atomic_fetch_add(&parent.board->reloads, 1);
		log_begin(&l, EVENT_RELOADED, NULL);
		log_number(&l, "generation", g->number);
		log_end(&l);
		sd_notify(0, "READY=1");
		drain_generation(old, 0);
	}
	answer_reload(NULL);
}

static void
generation_free(struct generation *g)
{
	struct generation **at = &parent.generations;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	if (parent.current == g)
		parent.current = NULL;
	timer_free(g->deadline);
	/* Settings of journal and control are read at their restart only from
	 * a generation that lives. */
	settings_free(g->settings);
	free(g);
}

/* Whether every process of the generation serves; none lives; or the keysmith
 * alone is left. */
static void
generation_check(struct generation *g)
{
	size_t ready = 0;
	size_t edges = 0;
	size_t all = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		const struct worker *w = &parent.workers[i];

		if (w->state == WORKER_FREE || w->generation != g)
			continue;
		all++;
		edges += w->kind == PROCESS_EDGE;
		ready += w->state == WORKER_READY;
	}
	if (g->state == GENERATION_STARTING && ready == g->edges + 1) {
		current_ready(g);
		return;
	}
	if (g->state != GENERATION_DRAINING)
		return;
	if (all == 0) {
		struct log_line l;

		log_begin(&l, EVENT_DRAINED, NULL);
		log_number(&l, "generation", g->number);
		log_end(&l);
		if (parent.stopping && parent.generations == g &&
		    g->next == NULL) {
			finish_stop();
			return;
		}
		generation_free(g);
	} else if (edges == 0) {
		send_text(
		    find_worker(PROCESS_KEYSMITH, g), PARENT_STOP, 0, NULL, -1);
	}
}

static void
worker_ready(struct worker *w)
{
	if (w->state != WORKER_STARTING)
		return;
	w->state = WORKER_READY;
	if (w->kind == PROCESS_JOURNAL)
		announce_rings();
	if (w->generation == NULL)
		return;
	if (w->kind == PROCESS_KEYSMITH) {
		if (edges_started(w->generation))
			reconnect_edges(w->generation);
		else
			start_edges(w->generation);
	}
	generation_check(w->generation);
}

static int begin_generation(struct err *e);

static void
reload(uint32_t job)
{
	struct err e = { 0 };

	if (parent.stopping)
		return;
	if (parent.coming != NULL) {
		send_text(find_worker(PROCESS_CONTROL, NULL), PARENT_ANSWER,
		    job, "a reload is under way", -1);
		return;
	}
	parent.reload_job = job;
	sd_notify(0, "RELOADING=1");
	if (begin_generation(&e) == 0)
		return;
	atomic_fetch_add(&parent.board->reloads_refused, 1);
	log_say(EVENT_RELOAD_REFUSED, "%s", e.text);
	fprintf(stderr, "sekishod: %s\n", e.text);
	answer_reload(e.text);
	sd_notify(0, "READY=1");
}

static void
rotate(void)
{
	send_text(
	    find_worker(PROCESS_JOURNAL, NULL), PARENT_ROTATE, 0, NULL, -1);
}

static void
worker_message(void *owner, const struct ipc_message *m)
{
	struct worker *w = owner;
	bool from_control = w->kind == PROCESS_CONTROL;

	if (m->fd >= 0)
		close(m->fd); /* no child has a descriptor to give */
	switch ((enum parent_message)m->type) {
	case PARENT_READY:
		worker_ready(w);
		return;
	case PARENT_FAILED:
		err_set(&w->failure, "%.*s", BYTES_PRINTF(m->body));
		return;
	case PARENT_RELOAD:
		if (from_control)
			reload(m->job);
		return;
	case PARENT_ROTATE_ASKED:
		if (!from_control)
			return;
		rotate();
		send_text(w, PARENT_ANSWER, m->job, NULL, -1);
		return;
	case PARENT_DRAIN:
	case PARENT_STOP:
	case PARENT_CHANNEL:
	case PARENT_RING:
	case PARENT_ROTATE:
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
		.peer_fd = -1,
		.key_fd = -1,
		.control_fd = -1,
		.journal_fd = -1,
		.wake_fd = parent.wake_fd,
		.ring_fd = w->ring_fd,
		.tickets_fd = -1,
	};
	memcpy(c->name, w->name, sizeof(c->name));
}

static void
fill_row(const struct worker *w)
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
		refuse_coming(text);
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

	channel_free(w->channel);
	w->channel = NULL;
	if (WIFSIGNALED(status))
		snprintf(
		    how, sizeof(how), "killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d",
		    WEXITSTATUS(status));
	/* A draining generation is not filled up again, but its edges need
	 * their keysmith. */
	if (draining && (w->kind != PROCESS_KEYSMITH || status == 0)) {
		worker_release(w);
		generation_check(g);
		return;
	}
	if (parent.stopping && g == NULL) {
		worker_release(w);
		if (find_worker(PROCESS_JOURNAL, NULL) == NULL)
			loop_stop(parent.loop);
		return;
	}
	worker_died(w, how);
}

static void
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
	fill_row(w);
	announce_rings();
	return;

close_ends:
	unequip(&c);
	close(ends[0]);
failed:
	w->pid = 0;
	w->failure = e;
	worker_died(w, "could not be started");
}

static void
reap(void)
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

static int
check_unchanged(const struct settings *s, struct err *e)
{
	if (parent.journal_file == NULL) {
		parent.journal_file =
		    arena_string(&parent.names, bytes_of(s->journal.file));
		parent.control_socket =
		    arena_string(&parent.names, bytes_of(s->control.socket));
		return 0;
	}
	if (strcmp(parent.journal_file, s->journal.file) != 0)
		return err_set(e,
		    "%s: journal.file changed, expected \"%s\""
		    " until sekishod is restarted",
		    s->file, parent.journal_file);
	if (strcmp(parent.control_socket, s->control.socket) != 0)
		return err_set(e,
		    "%s: control.socket changed, expected"
		    " \"%s\" until sekishod is restarted",
		    s->file, parent.control_socket);
	return 0;
}

static size_t
edge_count(const struct settings *s)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (s->processes.edges > 0)
		return s->processes.edges;
	return cpus < 1 ? 1 : cpus > 64 ? 64 : (size_t)cpus;
}

static int
begin_generation(struct err *e)
{
	struct settings *s = settings_load(parent.settings_file, e);
	struct generation *g;
	struct worker *keysmith;

	if (s == NULL)
		return -1;
	if (check_unchanged(s, e) < 0 ||
	    sockets_open(&parent.sockets, s->listeners, s->listeners_n,
		edge_count(s), e) < 0) {
		settings_free(s);
		return -1;
	}
	g = calloc(1, sizeof(*g));
	must(g != NULL);
	g->settings = s;
	g->edges = edge_count(s);
	g->number = ++parent.numbers;
	g->next = parent.generations;
	parent.generations = g;
	parent.coming = g;
	g->deadline = timer_new(parent.loop, ready_too_late, g);
	timer_start(g->deadline, READY_MAX_MS);
	keysmith = worker_new(PROCESS_KEYSMITH, 0, g, e);
	if (keysmith == NULL) {
		parent.coming = NULL;
		generation_free(g);
		return -1;
	}
	worker_start(keysmith);
	return 0;
}

/* Journal last: it writes what the others said in the end. */
static void
finish_stop(void)
{
	struct worker *control = find_worker(PROCESS_CONTROL, NULL);

	if (control != NULL) {
		send_text(control, PARENT_STOP, 0, NULL, -1);
	}
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	send_text(find_worker(PROCESS_JOURNAL, NULL), PARENT_STOP, 0, NULL, -1);
	if (find_worker(PROCESS_JOURNAL, NULL) == NULL)
		loop_stop(parent.loop);
}

static void
stop(void)
{
	struct generation *next;
	bool again = parent.stopping;

	parent.stopping = true;
	sd_notify(0, "STOPPING=1");
	if (parent.generations == NULL) {
		finish_stop();
		return;
	}
	for (struct generation *g = parent.generations; g != NULL; g = next) {
		next = g->next;
		if (parent.coming == g)
			parent.coming = NULL;
		if (again) {
			g->state = GENERATION_DRAINING;
			end_generation(g);
		} else {
			drain_generation(g, 1);
		}
	}
}

static void
signal_ready(void *owner, unsigned events)
{
	struct signalfd_siginfo info;

	(void)owner;
	(void)events;
	while (read(parent.signal_fd, &info, sizeof(info)) == sizeof(info))
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap();
			break;
		case SIGHUP:
			reload(0);
			break;
		case SIGUSR1:
			rotate();
			break;
		default:
			stop();
			break;
		}
}

static int
watch_signals(struct err *e)
{
	const int wanted[] = { SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, SIGINT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(wanted); i++)
		sigaddset(&set, wanted[i]);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	parent.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (parent.signal_fd < 0)
		return err_set(e, "signalfd: %m");
	parent.signals =
	    watch_new(parent.loop, parent.signal_fd, signal_ready, NULL);
	watch_want(parent.signals, WATCH_READ);
	return 0;
}

static int
open_control(const struct settings *s, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct arena a = { 0 };
	const char *path = settings_path(s, &a, s->control.socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result = -1;

	if (fd < 0 || strlen(path) >= sizeof(sa.sun_path)) {
		err_set(e, "%s: cannot listen there", path);
		goto done;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	/* Whoever answers there is another sekishod. */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		err_set(e, "%s: another sekishod runs", path);
		goto done;
	}
	unlink(path);
	umask(0117);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 16) < 0)
		err_set(e, "%s: cannot listen: %m", path);
	else
		result = 0;
	umask(022);
done:
	if (result < 0 && fd >= 0)
		close(fd);
	parent.control_fd = result == 0 ? fd : -1;
	arena_release(&a);
	return result;
}

static void
rotate_tickets(void *owner)
{
	(void)owner;
	tickets_rotate(parent.tickets_fd);
	if (parent.current != NULL)
		timer_start(parent.ticket_timer,
		    parent.current->settings->keysmith.ticket_rotation_ms);
}

static void
start_standing(enum process_kind kind, struct err *e)
{
	struct worker *w = worker_new(kind, 0, NULL, e);

	if (w != NULL)
		worker_start(w);
}

/* What the whole life of the daemon needs, settings of any load alike. */
static int
open_common(struct err *e)
{
	const struct rlimit files = { 1048576, 1048576 };

	parent.loop = loop_new();
	parent.board = board_new(e);
	if (parent.board == NULL)
		return -1;
	setrlimit(RLIMIT_NOFILE, &files);
	parent.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	parent.tickets_fd = tickets_create(e);
	if (parent.tickets_fd < 0)
		return -1;
	if (parent.wake_fd < 0)
		return err_set(e, "eventfd: %m");
	for (unsigned i = 0; i < BOARD_SLOTS; i++) {
		parent.workers[i].slot = i;
		parent.workers[i].ring_fd = -1;
	}
	parent.ticket_timer = timer_new(parent.loop, rotate_tickets, NULL);
	return watch_signals(e);
}

/* Slot 0 is the parent's own. */
static int
open_own_log(const struct settings *s, struct err *e)
{
	struct worker *own = &parent.workers[0];

	snprintf(own->name, sizeof(own->name), "parent");
	own->ring_fd = ring_create(s->journal.queue, e);
	if (own->ring_fd < 0)
		return -1;
	parent.ring = ring_map(own->ring_fd, parent.wake_fd, e);
	if (parent.ring == NULL)
		return -1;
	log_open("parent", 0, parent.ring);
	own->pid = getpid();
	fill_row(own);
	own->pid = 0;
	return 0;
}

int
parent_run(const char *settings_file)
{
	struct err e = { 0 };

	parent.settings_file = settings_file;
	if (open_common(&e) < 0 || begin_generation(&e) < 0 ||
	    open_own_log(parent.coming->settings, &e) < 0 ||
	    open_control(parent.coming->settings, &e) < 0) {
		fprintf(stderr, "sekishod: %s\n", e.text);
		return 1;
	}
	start_standing(PROCESS_JOURNAL, &e);
	start_standing(PROCESS_CONTROL, &e);
	timer_start(parent.ticket_timer,
	    parent.coming->settings->keysmith.ticket_rotation_ms);
	loop_run(parent.loop);
	for (size_t i = 1; i < BOARD_SLOTS; i++)
		if (parent.workers[i].pid > 0)
			kill(parent.workers[i].pid, SIGKILL);
	if (parent.control_socket != NULL && parent.control_fd >= 0)
		unlink(parent.control_socket);
	return parent.failed ? 1 : 0;
}
