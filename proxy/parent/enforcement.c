/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/enforcement.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/kernel/enforced.h"
#include "proxy/kernel/kernel.h"
#include "proxy/parent/separation.h"
#include "proxy/parent/state.h"
#include "proxy/tripwire/tripwire.h"

#define AGAIN_MS (5 * 1000) /* while the kernel does not hold them */
#define WORDS_MAX 1024
#define UNWATCHED_MAX 2 /* checks: it may be starting anew */

static struct {
	const struct settings *settings; /* NULL: the kernel is not asked for */
	struct kernel *kernel;
	time_t changes; /* when what is enforced changes by itself; 0: never */
	struct timer *timer;
	bool bypass_told;
	bool closed;
	unsigned unwatched; /* checks in a row that found no tripwire process */
	struct look *look;  /* which is under way, or NULL */
} enforced;

/*
 * What the kernel holds is read by a child, so that the parent hears trips
 * meanwhile, and lives on if libnftables does not.
 */
struct look {
	enum kernel_state state; /* what the child says */
	struct kernel_drift drift;
	struct err error;
	size_t n;  /* of these bytes, had */
	int child; /* by a descriptor: its number may be somebody else's soon */
	int fd;
	struct watch *watch;
};

#define LOOK_N offsetof(struct look, n)
#define LOOK_MAX_MS (30 * 1000)

static void
start_timer(void)
{
	uint64_t every = enforced.settings->isolation->settings.verify_every_ms;

	timer_start(enforced.timer,
	    (enforced.closed || enforced.unwatched > 0) && every > AGAIN_MS
		? AGAIN_MS
		: every);
}

/* What the settings want now. NULL and *e. */
static struct kernel *
make(const struct settings *s, time_t *changes_out, struct err *e)
{
	const struct grant_settings granting = settings_granting(s);
	struct arena a = { 0 };
	struct kernel *k = NULL;
	struct ruleset r;

	if (ruleset_of(&granting, s->processes.gate_user, time(NULL), &a, &r,
		e) == 0) {
		*changes_out = ruleset_changes(&r);
		k = kernel_new(&r, e);
	}
	arena_release(&a);
	return k;
}

static int
start_tripwire(struct err *e)
{
	struct worker *w = worker_find(PROCESS_TRIPWIRE, NULL);

	if (w != NULL)
		return 0;
	w = worker_new(PROCESS_TRIPWIRE, 0, NULL, e);
	if (w == NULL)
		return -1;
	worker_start(w);
	return 0;
}

int
enforcement_prepare(const struct settings *s, struct err *e)
{
	if (!s->isolation->settings.kernel || parent.kernel_log != NULL)
		return 0;
	parent.kernel_log =
	    kernel_log_open(RULESET_LOG_GROUP, RULESET_LOG_BYTES, e);
	return parent.kernel_log == NULL ? -1 : 0;
}

static void
open_gate(void)
{
	enforced.closed = false;
	standings_open(separation_standings());
}

/* To the journal, and to the system's log with the level of an alarm: whoever
 * could change the kernel's rules may be able to change much else. */
static void
alarm_all(enum log_event event, const char *words)
{
	log_say(event, "%s", words);
	fprintf(stderr, SD_ALERT "sekishod: %s\n", words);
}

static void
close_gate(const char *words)
{
	if (!enforced.closed)
		alarm_all(EVENT_ISOLATION_CLOSED, words);
	enforced.closed = true;
	standings_close(separation_standings());
}

static void
tell_drift(const struct kernel_drift *d)
{
	char words[WORDS_MAX];
	size_t at = 0;

	at += (size_t)snprintf(words, sizeof(words),
	    "the kernel's rules are not those of the settings, in %zu places:",
	    d->n);
	for (size_t i = 0;
	     i < d->n && i < KERNEL_TOLD_MAX && at < sizeof(words); i++)
		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s %s",
		    i == 0 ? "" : ";", d->words[i]);
	alarm_all(EVENT_ISOLATION_DRIFT, words);
}

static void
tell_bypass(const struct kernel_drift *d)
{
	if (d->bypassed && !enforced.bypass_told)
		log_say(EVENT_FAILURE,
		    "a flowtable of another table may carry connections past"
		    " the isolation's rules: see docs/ISOLATION.md");
	enforced.bypass_told = d->bypassed;
}

/* Whether the kernel holds them now. */
static bool
mend(struct err *e)
{
	struct kernel_drift d;

	return kernel_apply(enforced.kernel, e) == 0 &&
	    kernel_verify(enforced.kernel, &d, e) == KERNEL_SAME;
}

static void
mend_drift(const struct kernel_drift *d)
{
	struct err e = { 0 };
	char words[WORDS_MAX];

	standings_close(separation_standings());
	tell_drift(d);
	if (mend(&e)) {
		log_say(EVENT_ISOLATION_APPLIED,
		    "the kernel's rules are those"
		    " of the settings again");
		open_gate();
		return;
	}
	snprintf(words, sizeof(words),
	    "the gate is closed until the kernel holds the rules: %s",
	    e.text[0] == '\0' ? "they differ again" : e.text);
	close_gate(words);
}

/* What the kernel logs waits in its socket while the process starts anew; one
 * that does not start would leave systems open that should be suspended. */
static bool
is_watched(void)
{
	const struct worker *w = worker_find(PROCESS_TRIPWIRE, NULL);

	if (w != NULL && w->state == WORKER_READY)
		enforced.unwatched = 0;
	else
		enforced.unwatched++;
	return enforced.unwatched < UNWATCHED_MAX;
}

static void
judge(const struct look *l)
{
	char words[WORDS_MAX];

	switch (l->state) {
	case KERNEL_SAME:
		tell_bypass(&l->drift);
		if (!is_watched()) {
			close_gate("the gate is closed: no process reads what"
				   " the tripwires see");
			return;
		}
		if (enforced.closed)
			log_say(EVENT_ISOLATION_APPLIED,
			    "the kernel holds the rules again");
		open_gate();
		return;
	case KERNEL_DIFFERS:
		mend_drift(&l->drift);
		return;
	case KERNEL_UNKNOWN:
		snprintf(words, sizeof(words),
		    "the gate is closed: the kernel's rules cannot be read: %s",
		    l->error.text);
		close_gate(words);
		return;
	}
}

static void
look_free(struct look *l)
{
	if (l == NULL)
		return;
	if (l->fd >= 0)
		close(l->fd);
	watch_free(l->watch);
	if (l->child >= 0) {
		(void)pidfd_send_signal(l->child, SIGKILL, NULL, 0);
		close(l->child);
	}
	free(l);
}

static void
look_ended(void)
{
	struct look *l = enforced.look;

	enforced.look = NULL;
	if (l->n < LOOK_N) {
		l->state = KERNEL_UNKNOWN;
		err_set(&l->error, "the process that reads them ended");
	}
	judge(l);
	look_free(l);
	start_timer();
}

static void
look_readable(void *owner, unsigned events)
{
	struct look *l = owner;
	ssize_t n = read(l->fd, (uint8_t *)l + l->n, LOOK_N - l->n);

	(void)events;
	if (n > 0)
		l->n += (size_t)n;
	if (n == 0 || l->n == LOOK_N)
		look_ended();
}

/* In the child. */
static void
look_and_say(struct look *l, int fd)
{
	l->state = kernel_verify(enforced.kernel, &l->drift, &l->error);
	_exit(file_write(fd, (struct bytes){ (uint8_t *)l, LOOK_N }) < 0);
}

static void
look(void)
{
	struct look *l = calloc(1, sizeof(*l));
	int ends[2];
	pid_t pid;

	must(l != NULL);
	l->fd = l->child = -1;
	enforced.look = l;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		look_ended();
		return;
	}
	l->fd = ends[0];
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		look_and_say(l, ends[1]);
	close(ends[1]);
	/* Nobody has waited for it yet. */
	if (pid > 0)
		l->child = pidfd_open(pid, 0);
	l->watch = watch_new(parent.loop, l->fd, look_readable, l);
	if (pid < 0 || l->watch == NULL) {
		look_ended();
		return;
	}
	watch_want(l->watch, WATCH_READ);
	timer_start(enforced.timer, LOOK_MAX_MS);
}

/* A communication is over: what is enforced has changed. */
static void
renew(void)
{
	struct err e = { 0 };
	time_t changes;
	struct kernel *k = make(enforced.settings, &changes, &e);

	if (k == NULL || kernel_apply(k, &e) < 0) {
		log_say(EVENT_FAILURE, "%s", e.text);
		kernel_free(k);
		return; /* the next check tries again */
	}
	kernel_free(enforced.kernel);
	enforced.kernel = k;
	enforced.changes = changes;
	log_say(EVENT_ISOLATION_APPLIED,
	    "the kernel's rules were loaded: a communication is over");
}

static void
check_due(void *owner)
{
	(void)owner;
	if (enforced.settings == NULL || parent.stopping)
		return;
	if (enforced.look != NULL) { /* too late */
		look_ended();
		return;
	}
	if (enforced.changes != 0 && time(NULL) >= enforced.changes)
		renew();
	look();
}

static void
stop(void)
{
	look_free(enforced.look);
	enforced.look = NULL;
	kernel_free(enforced.kernel);
	enforced.kernel = NULL;
	enforced.settings = NULL;
	timer_free(enforced.timer);
	enforced.timer = NULL;
}

/* The settings say that the kernel is not to enforce them any more. */
static int
give_up(struct err *e)
{
	if (enforced.settings == NULL)
		return 0;
	if (kernel_remove(e) < 0)
		return -1;
	stop();
	log_say(EVENT_ISOLATION_APPLIED, "the kernel's rules were removed");
	return 0;
}

int
enforcement_serve(struct loop *l, const struct settings *s, struct err *e)
{
	struct kernel *old = enforced.kernel;
	struct kernel_drift d;
	struct kernel *k;
	time_t changes;

	if (!s->isolation->settings.kernel)
		return give_up(e);
	k = make(s, &changes, e);
	if (k == NULL)
		return -1;
	if (kernel_apply(k, e) < 0)
		goto free_new;
	if (kernel_verify(k, &d, e) != KERNEL_SAME) {
		if (d.n > 0)
			err_set(e, "the kernel does not hold the rules: %s",
			    d.words[0]);
		goto take_back;
	}
	if (start_tripwire(e) < 0)
		goto take_back;
	/* It compares with what was wanted before. */
	look_free(enforced.look);
	enforced.look = NULL;
	kernel_free(old);
	enforced.kernel = k;
	enforced.settings = s;
	enforced.changes = changes;
	if (enforced.timer == NULL)
		enforced.timer = timer_new(l, check_due, NULL);
	start_timer();
	log_say(EVENT_ISOLATION_APPLIED, "the kernel's rules were loaded");
	tell_bypass(&d);
	open_gate();
	return 0;

take_back:
	if (old != NULL) {
		struct err ignored = { 0 };

		if (kernel_apply(old, &ignored) < 0)
			close_gate("the gate is closed: the kernel's rules"
				   " could not be taken back");
	}
free_new:
	kernel_free(k);
	return -1;
}

void
enforcement_forget(const struct settings *s)
{
	if (enforced.settings == s)
		stop();
}
