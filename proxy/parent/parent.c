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
#include "proxy/parent/separation.h"
#include "proxy/parent/state.h"
#include "proxy/smtp/common.h"

struct parent parent;

void
parent_answer_reload(const char *text)
{
	if (parent.reload_job != 0)
		worker_send(worker_find(PROCESS_CONTROL, NULL), PARENT_ANSWER,
		    parent.reload_job, text, -1);
	parent.reload_job = 0;
}

void
parent_reload(uint32_t job)
{
	struct err e = { 0 };

	if (parent.stopping)
		return;
	if (parent.coming != NULL) {
		worker_send(worker_find(PROCESS_CONTROL, NULL), PARENT_ANSWER,
		    job, "a reload is under way", -1);
		return;
	}
	parent.reload_job = job;
	sd_notify(0, "RELOADING=1");
	if (generation_begin(&e) == 0)
		return;
	atomic_fetch_add(&parent.board->reloads_refused, 1);
	log_say(EVENT_RELOAD_REFUSED, "%s", e.text);
	fprintf(stderr, "sekishod: %s\n", e.text);
	parent_answer_reload(e.text);
	sd_notify(0, "READY=1");
}

void
parent_rotate(void)
{
	worker_send(
	    worker_find(PROCESS_JOURNAL, NULL), PARENT_ROTATE, 0, NULL, -1);
}

/* Journal last: it writes what the others said in the end. */
void
parent_finish_stop(void)
{
	struct worker *control = worker_find(PROCESS_CONTROL, NULL);
	const enum process_kind keepers[] = { PROCESS_STORE, PROCESS_HANDOVER };
	bool waits = false;

	parent.generations_gone = true;
	/* They have more to say than that they stop. */
	for (size_t i = 0; i < COUNT(keepers); i++) {
		struct worker *w = worker_find(keepers[i], NULL);

		if (w != NULL && w->pid > 0) {
			worker_send(w, PARENT_STOP, 0, NULL, -1);
			waits = true;
		} else if (w != NULL) {
			worker_release(w);
		}
	}
	if (waits)
		return;
	if (control != NULL) {
		worker_send(control, PARENT_STOP, 0, NULL, -1);
	}
	worker_send(
	    worker_find(PROCESS_TRIPWIRE, NULL), PARENT_STOP, 0, NULL, -1);
	separation_end();
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	worker_send(
	    worker_find(PROCESS_JOURNAL, NULL), PARENT_STOP, 0, NULL, -1);
	if (worker_find(PROCESS_JOURNAL, NULL) == NULL)
		loop_stop(parent.loop);
}

static void
stop(void)
{
	struct generation *next;
	bool again = parent.stopping;

	parent.stopping = true;
	sd_notify(0, "STOPPING=1");
	/* Who connects from now on is refused at once, by the kernel. */
	sockets_close_all(&parent.sockets);
	if (parent.generations == NULL) {
		parent_finish_stop();
		return;
	}
	for (struct generation *g = parent.generations; g != NULL; g = next) {
		next = g->next;
		if (parent.coming == g)
			parent.coming = NULL;
		if (again) {
			generation_end(g);
		} else {
			generation_drain(g, 1);
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
			workers_reap();
			break;
		case SIGHUP:
			parent_reload(0);
			break;
		case SIGUSR1:
			parent_rotate();
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
	const char *path = settings_path(s, &parent.names, s->control.socket);
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
	parent.control_path = path;
done:
	if (result < 0 && fd >= 0)
		close(fd);
	parent.control_fd = result == 0 ? fd : -1;
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
	parent.reputation_fd = -1;
	parent.board = board_new(e);
	if (parent.board == NULL ||
	    separation_begin(parent.loop, parent.board, e) < 0)
		return -1;
	setrlimit(RLIMIT_NOFILE, &files);
	parent.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	parent.tickets_fd = tickets_create(e);
	if (parent.tickets_fd < 0)
		return -1;
	parent.common_fd = common_create(e);
	if (parent.common_fd < 0)
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
	worker_fill_row(own);
	own->pid = 0;
	return 0;
}

int
parent_run(const char *settings_file)
{
	struct err e = { 0 };

	parent.settings_file = settings_file;
	if (open_common(&e) < 0 || generation_begin(&e) < 0) {
		fprintf(stderr, "sekishod: %s\n", e.text);
		return 1;
	}
	if (parent.coming == NULL)
		return 1; /* refused at once, and said so */
	if (open_own_log(parent.coming->settings, &e) < 0 ||
	    open_control(parent.coming->settings, &e) < 0) {
		fprintf(stderr, "sekishod: %s\n", e.text);
		return 1;
	}
	separation_tell();
	start_standing(PROCESS_JOURNAL, &e);
	start_standing(PROCESS_CONTROL, &e);
	originals_serve(parent.coming->settings);
	crossings_watch();
	handover_serve(parent.coming->settings);
	timer_start(parent.ticket_timer,
	    parent.coming->settings->keysmith.ticket_rotation_ms);
	loop_run(parent.loop);
	for (size_t i = 1; i < BOARD_SLOTS; i++)
		if (parent.workers[i].pid > 0)
			kill(parent.workers[i].pid, SIGKILL);
	unlink(parent.control_path);
	return parent.failed ? 1 : 0;
}
