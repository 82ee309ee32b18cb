/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/accept.h"
#include "proxy/base/log.h"
#include "proxy/gate/crossing.h"
#include "proxy/gate/record.h"
#include "proxy/isolation/trips.h"
#include "proxy/process.h"

#define OWN_FILES 64 /* of the process itself, and between two accepts */

uint64_t
gate_now_ms(const struct gate *g)
{
	return standings_time(g->standings, clocks_read());
}

static bool
is_in_hours(const struct system *s, time_t now)
{
	for (size_t i = 0; i < s->hours_n; i++)
		if (hours_contain(&s->hours[i], now))
			return true;
	return s->hours_n == 0;
}

const char *
gate_why_closed(const struct gate *g, const struct system *s)
{
	static const char *const words[STANDINGS] = {
		[STANDING_UNKNOWN] = "the system is not registered any more",
		[STANDING_UNSTATED] = "no valid separation statement",
		[STANDING_SUSPENDED] = "the system is suspended",
		[STANDING_EARLY] = "its separation statement begins later",
		[STANDING_EXPIRED] = "its separation statement is over",
		[STANDING_UNPROBED] = "no good probe that is recent enough",
		[STANDING_CLOSED] = "the kernel's rules are not in force",
	};
	enum standing standing = standings_of(g->standings, s);

	if (standing != STANDING_SEPARATED)
		return words[standing];
	return is_in_hours(s, (time_t)(gate_now_ms(g) / 1000))
	    ? NULL
	    : "out of the system's hours";
}

void
gate_crossing_gone(struct gate *g)
{
	if (g->drain != GATE_SERVES && g->crossings == NULL)
		loop_stop(g->loop);
}

void
gate_probed(struct gate *g, const struct system *s, enum gate_probe result,
    const char *text)
{
	struct probed p = {
		.result = result == GATE_PROBE_GOOD ? PROBE_GOOD : PROBE_FAILED,
	};

	memcpy(p.system, s->digest, sizeof(p.system));
	snprintf(p.text, sizeof(p.text), "%s", text);
	channel_send(g->child->parent, PARENT_PROBED, s->index,
	    (struct bytes){ (const uint8_t *)&p, sizeof(p) }, -1);
}

static void
look(void *owner)
{
	struct gate *g = owner;
	struct crossing *next;

	for (struct crossing *x = g->crossings; x != NULL; x = next) {
		next = x->next;
		crossing_look(x);
	}
	if (g->crossings != NULL)
		timer_start(g->look, GATE_LOOK_MS);
}

static void
keep(void *owner)
{
	record_commit(owner);
}

static void
take_system(
    void *owner, const void *listener, int fd, const struct address *peer)
{
	(void)listener;
	crossing_new(owner, fd, peer);
}

static void
drain(struct gate *g, enum gate_drain how)
{
	acceptor_free(g->acceptor);
	g->acceptor = NULL;
	g->drain = how;
	gate_crossing_gone(g);
}

/* A new file of records, which the parent opened for this process. */
static void
take_crossings(struct gate *g, int fd)
{
	struct err e = { 0 };
	struct chain *c =
	    chain_open(fd, g->model->settings.crossings, NULL, &e);

	if (c == NULL) {
		log_say(EVENT_FAILURE, "%s", e.text);
		return;
	}
	record_commit(g);
	chain_free(g->chain);
	g->chain = c;
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct gate *g = owner;

	if (m->type == PARENT_CROSSINGS && m->fd >= 0 && g->chain != NULL) {
		take_crossings(g, m->fd);
		return;
	}
	if (m->fd >= 0)
		close(m->fd);
	if (m->type == PARENT_DRAIN)
		drain(g, m->job == 0 ? GATE_DRAINS : GATE_ENDS);
}

static int
prepare(struct gate *g, struct err *e)
{
	struct child *c = g->child;
	const struct process_settings *p = &c->settings->processes;
	const struct sandbox sandbox = {
		.user = p->gate_user,
		.root = p->root,
		.needs = SANDBOX_SOCKETS | SANDBOX_APPEND,
		.files_max = p->files_max,
	};
	int result;

	/* Two descriptors for each. */
	g->crossings_max =
	    p->files_max > OWN_FILES ? (p->files_max - OWN_FILES) / 2 : 1;
	g->of_system = calloc(g->model->systems_n + 1, sizeof(*g->of_system));
	must(g->of_system != NULL);
	result = gate_tls_open(g, c->key_fd, e);
	close(c->key_fd);
	c->key_fd = -1;
	if (result < 0)
		return -1;
	g->contractors = contractors_new(&g->model->settings, e);
	if (g->contractors == NULL)
		return -1;
	g->standings = standings_map(c->standings_fd, STANDINGS_READ, e);
	if (g->standings == NULL)
		return -1;
	close(c->standings_fd);
	g->chain =
	    chain_open(c->crossings_fd, g->model->settings.crossings, NULL, e);
	return g->chain == NULL ? -1 : sandbox_enter(&sandbox, e);
}

static void
end_all(struct gate *g)
{
	struct crossing *next;

	for (struct crossing *x = g->crossings; x != NULL; x = next) {
		next = x->next;
		crossing_end(x, "sekishod stops");
	}
	record_commit(g);
}

int
gate_start(struct child *c)
{
	static struct gate gate;
	struct gate *g = &gate;
	struct err e = { 0 };

	g->child = c;
	g->model = c->settings->isolation;
	process_begin(c, parent_message, g);
	g->loop = c->loop;
	g->trips = trips_new(g->loop, TRIP_GATE, process_tripped, c);
	g->look = timer_new(g->loop, look, g);
	g->keep = timer_new(g->loop, keep, g);
	if (prepare(g, &e) < 0)
		return process_failed(c, &e);
	g->acceptor =
	    acceptor_new(g->loop, c->listeners[0], take_system, g, NULL);
	process_ready(c);
	loop_run(g->loop);
	end_all(g);
	trips_free(g->trips);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	return 0;
}
