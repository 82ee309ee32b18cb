/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/tripwire.h"

#include <stdio.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/process.h"
#include "proxy/tripwire/ip.h"
#include "proxy/tripwire/sightings.h"

#define FILES_MAX 32
#define READ_AT_ONCE 64    /* messages, before timers have their turn */
#define LOST_TOLD_MS 60000 /* between two lines about what was lost */

struct tripwire {
	struct child *child;
	struct watch *watch;
	struct timer *ticking;
	struct sightings *sightings;
	bool overflowed;
	uint64_t lost, lost_told_ms;
};

static void
tell(void *owner, const struct trip *t)
{
	struct tripwire *w = owner;

	process_tripped(w->child, t);
}

static void
take(void *owner, struct bytes b)
{
	struct tripwire *w = owner;
	struct trip t = { .how = TRIP_PACKET };
	struct ip_packet p;
	char words[IP_WORDS_MAX];

	if (ip_parse(&p, b) < 0)
		return; /* the rules log nothing else */
	t.protocol = p.protocol;
	t.from = p.from;
	t.to = p.to;
	snprintf(t.text, sizeof(t.text), "%s", ip_words(&p, words));
	sightings_take(w->sightings, &t, loop_now_ms(w->child->loop));
}

/* The kernel drops the packets all the same; who floods is suspended. */
static void
tell_lost(struct tripwire *w)
{
	uint64_t now = loop_now_ms(w->child->loop);

	w->lost += sightings_lost(w->sightings);
	if ((w->lost == 0 && !w->overflowed) ||
	    (w->lost_told_ms != 0 && now - w->lost_told_ms < LOST_TOLD_MS))
		return;
	log_say(EVENT_FAILURE,
	    "tripwire: more came than could be told: %llu sources%s",
	    (unsigned long long)w->lost,
	    w->overflowed ? ", and packets that nobody read in time" : "");
	w->lost = 0;
	w->overflowed = false;
	w->lost_told_ms = now;
}

static void
tick(void *owner)
{
	struct tripwire *w = owner;

	sightings_tick(w->sightings, loop_now_ms(w->child->loop));
	tell_lost(w);
	if (sightings_busy(w->sightings))
		timer_start(w->ticking, SIGHTINGS_TICK_MS);
}

static void
readable(void *owner, unsigned events)
{
	struct tripwire *w = owner;
	int more = 1;

	(void)events;
	for (unsigned i = 0; i < READ_AT_ONCE && more != 0; i++) {
		more = kernel_log_read(w->child->kernel_log, take, w);
		w->overflowed |= more < 0;
	}
	if (sightings_busy(w->sightings) || w->overflowed)
		timer_start(w->ticking, SIGHTINGS_TICK_MS);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	(void)owner;
	if (m->fd >= 0)
		close(m->fd);
}

static int
prepare(struct tripwire *w, struct err *e)
{
	struct child *c = w->child;
	const struct sandbox sandbox = {
		.user = c->settings->processes.tripwire_user,
		.root = c->settings->processes.root,
		.files_max = FILES_MAX,
	};

	w->watch = watch_new(c->loop, c->kernel_log_fd, readable, w);
	if (w->watch == NULL)
		return err_set(e, "tripwire: NFLOG cannot be watched");
	return sandbox_enter(&sandbox, e);
}

int
tripwire_start(struct child *c)
{
	struct tripwire w = { .child = c };
	struct err e = { 0 };
	int result = 0;

	process_begin(c, parent_message, &w);
	w.sightings = sightings_new(tell, &w);
	w.ticking = timer_new(c->loop, tick, &w);
	if (prepare(&w, &e) < 0) {
		result = process_failed(c, &e);
		goto release;
	}
	watch_want(w.watch, WATCH_READ);
	process_ready(c);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
release:
	watch_free(w.watch);
	timer_free(w.ticking);
	sightings_free(w.sightings);
	return result;
}
