/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/state.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/parent/enforcement.h"
#include "proxy/parent/separation.h"

#define HELPERS 2 /* keysmith and detox */
#define GATE_BACKLOG 256
#define READY_MAX_MS 20000 /* a new generation must serve within */

static bool
carriers_started(const struct generation *g)
{
	return worker_find(PROCESS_EDGE, g) != NULL ||
	    worker_find(PROCESS_MAIL, g) != NULL ||
	    worker_find(PROCESS_GATE, g) != NULL;
}

static void
start_kind(struct generation *g, enum process_kind kind, size_t n)
{
	struct err e = { 0 };

	for (unsigned i = 0; i < n && g->state != GENERATION_DRAINING; i++) {
		struct worker *w = worker_new(kind, i, g, &e);

		if (w == NULL) {
			log_say(EVENT_FAILURE, "%s", e.text);
			return;
		}
		worker_start(w);
	}
}

static void
start_carriers(struct generation *g)
{
	start_kind(g, PROCESS_EDGE, g->edges);
	start_kind(g, PROCESS_MAIL, g->mails);
	start_kind(g, PROCESS_GATE, g->gates);
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
			if (worker_helps(w))
				continue; /* others still need it */
		}
		worker_send(w, how, job, NULL, -1);
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
end_now(void *owner)
{
	struct generation *g = owner;

	timer_free(g->deadline);
	g->deadline = timer_new(parent.loop, kill_generation, g);
	timer_start(g->deadline, 1000);
	stop_generation(g, PARENT_STOP, 0);
}

void
generation_end(struct generation *g)
{
	g->state = GENERATION_DRAINING;
	end_now(g);
}

void
generation_drain(struct generation *g, uint32_t job)
{
	uint64_t most = g->settings->processes.drain_max_ms;

	if (g->state == GENERATION_DRAINING && job == 0)
		return;
	g->state = GENERATION_DRAINING;
	timer_free(g->deadline);
	g->deadline = timer_new(parent.loop, end_now, g);
	timer_start(g->deadline, most);
	stop_generation(g, PARENT_DRAIN, job);
}

void
generation_refuse(const char *text)
{
	struct generation *g = parent.coming;
	struct log_line l;

	parent.coming = NULL;
	atomic_fetch_add(&parent.board->reloads_refused, 1);
	log_begin(&l, EVENT_RELOAD_REFUSED, NULL);
	log_string(&l, "text", text);
	log_end(&l);
	parent_answer_reload(text);
	if (parent.current != NULL) {
		sd_notify(0, "READY=1");
	} else {
		fprintf(stderr, "sekishod: %s\n", text);
		parent.failed = true;
		parent.stopping = true;
	}
	generation_end(g);
}

static void
ready_too_late(void *owner)
{
	(void)owner;
	generation_refuse("the new processes were not ready in time");
}

static void
current_ready(struct generation *g)
{
	struct generation *old = parent.current;
	struct log_line l;
	struct err e = { 0 };

	if (enforcement_serve(parent.loop, g->settings, &e) < 0) {
		generation_refuse(e.text);
		return;
	}
	parent.coming = NULL;
	parent.current = g;
	g->state = GENERATION_CURRENT;
	timer_free(g->deadline);
	g->deadline = NULL;
	separation_serve(g->settings);
	atomic_store(&parent.board->generation, g->number);
	sockets_close_unwanted(&parent.sockets);
	if (old == NULL) {
		sd_notify(0, "READY=1");
	} else {
		originals_serve(g->settings);
		handover_serve(g->settings);
		atomic_fetch_add(&parent.board->reloads, 1);
		log_begin(&l, EVENT_RELOADED, NULL);
		log_number(&l, "generation", g->number);
		log_end(&l);
		sd_notify(0, "READY=1");
		generation_drain(old, 0);
	}
	parent_answer_reload(NULL);
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
	enforcement_forget(g->settings);
	separation_forget(g->settings);
	settings_free(g->settings);
	free(g);
}

/* The first generation begins with those that outlive it: without a journal
 * nothing may pass. */
static bool
standing_serve(void)
{
	const struct worker *journal = worker_find(PROCESS_JOURNAL, NULL);
	const struct worker *control = worker_find(PROCESS_CONTROL, NULL);
	const struct worker *store = worker_find(PROCESS_STORE, NULL);
	const struct worker *keeper = worker_find(PROCESS_HANDOVER, NULL);

	return parent.current != NULL ||
	    (journal != NULL && journal->state == WORKER_READY &&
		control != NULL && control->state == WORKER_READY &&
		(store == NULL || store->state == WORKER_READY) &&
		(keeper == NULL || keeper->state == WORKER_READY));
}

void
generation_check(struct generation *g)
{
	size_t ready = 0;
	size_t helpers = 0;
	size_t carriers = 0;
	size_t all = 0;

	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		const struct worker *w = &parent.workers[i];

		if (w->state == WORKER_FREE || w->generation != g)
			continue;
		all++;
		carriers += worker_carries(w);
		ready += w->state == WORKER_READY;
		helpers += worker_helps(w) && w->state == WORKER_READY;
	}
	/* Who carries comes when there is somebody to ask; not any more when a
	 * stop came first. */
	if (g->state != GENERATION_DRAINING && helpers == HELPERS &&
	    !carriers_started(g))
		start_carriers(g);
	if (g->state == GENERATION_STARTING &&
	    ready == g->edges + g->mails + g->gates + HELPERS &&
	    standing_serve()) {
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
			parent_finish_stop();
			return;
		}
		generation_free(g);
	} else if (carriers == 0) {
		worker_send(
		    worker_find(PROCESS_KEYSMITH, g), PARENT_STOP, 0, NULL, -1);
		worker_send(
		    worker_find(PROCESS_DETOX, g), PARENT_STOP, 0, NULL, -1);
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

/* As many as the settings say; 0: one per CPU. */
static size_t
count_or_cpus(uint32_t said)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (said > 0)
		return said;
	return cpus < 1 ? 1 : cpus > 64 ? 64 : (size_t)cpus;
}

static size_t
mail_count(const struct settings *s)
{
	return s->mail.listeners_n == 0 ? 0 : count_or_cpus(s->processes.mails);
}

static size_t
gate_count(const struct settings *s)
{
	return s->isolation->settings.gate[0] == '\0' ? 0 : 1;
}

/* Listening sockets of the web, of mail and of the gate. */
static int
open_sockets(const struct settings *s, struct err *e)
{
	size_t n = 0;
	struct socket_want *wants =
	    calloc(s->listeners_n + s->mail.listeners_n + 1, sizeof(*wants));
	int result;

	must(wants != NULL);
	for (size_t i = 0; i < s->listeners_n; i++) {
		const struct listener_settings *l = &s->listeners[i];

		wants[n++] = (struct socket_want){
			.words = l->address,
			.at = l->at,
			.backlog = l->backlog,
			.tproxy = l->kind == LISTENER_TPROXY,
			.count = count_or_cpus(s->processes.edges),
		};
	}
	for (size_t i = 0; i < s->mail.listeners_n; i++) {
		const struct mail_listener_settings *l = &s->mail.listeners[i];

		wants[n++] = (struct socket_want){
			.words = l->address,
			.at = l->at,
			.backlog = l->backlog,
			.count = mail_count(s),
		};
	}
	if (gate_count(s) > 0)
		wants[n++] = (struct socket_want){
			.words = s->isolation->settings.gate,
			.at = s->isolation->settings.gate_at,
			.backlog = GATE_BACKLOG,
			.count = 1,
		};
	result = sockets_open(&parent.sockets, wants, n, e);
	free(wants);
	return result;
}

static int
prepare_content(const struct settings *s, struct err *e)
{
	struct arena a = { 0 };
	const char *name = s->content.key_file;
	int result = content_prepare(
	    s->policy, name[0] == '\0' ? "" : settings_path(s, &a, name), e);

	arena_release(&a);
	return result;
}

int
generation_begin(struct err *e)
{
	struct settings *s = settings_load(parent.settings_file, e);
	struct generation *g;
	struct worker *keysmith, *detox;

	if (s == NULL)
		return -1;
	if (check_unchanged(s, e) < 0 || prepare_content(s, e) < 0 ||
	    reputation_open(s, e) < 0 || originals_prepare(s, e) < 0 ||
	    handover_prepare(s, e) < 0 || open_sockets(s, e) < 0 ||
	    enforcement_prepare(s, e) < 0 || separation_prepare(s, e) < 0) {
		settings_free(s);
		return -1;
	}
	g = calloc(1, sizeof(*g));
	must(g != NULL);
	g->settings = s;
	g->edges = count_or_cpus(s->processes.edges);
	g->mails = mail_count(s);
	g->gates = gate_count(s);
	g->number = ++parent.numbers;
	g->next = parent.generations;
	parent.generations = g;
	parent.coming = g;
	g->deadline = timer_new(parent.loop, ready_too_late, g);
	timer_start(g->deadline, READY_MAX_MS);
	keysmith = worker_new(PROCESS_KEYSMITH, 0, g, e);
	detox = worker_new(PROCESS_DETOX, 0, g, e);
	if (keysmith == NULL || detox == NULL) {
		if (keysmith != NULL)
			worker_release(keysmith);
		parent.coming = NULL;
		generation_free(g);
		return -1;
	}
	worker_start(keysmith);
	/* One that cannot be started ends the generation at once. */
	if (parent.coming == g)
		worker_start(detox);
	return 0;
}
