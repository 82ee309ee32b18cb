/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/crossing.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/board.h"
#include "proxy/gate/record.h"
#include "proxy/isolation/trips.h"
#include "proxy/upstream/race.h"

/* How the two connections go: what is left of an order is sent, or nothing. */
enum ending {
	ENDS_AT_ONCE = 0,
	ENDS_IN_ORDER,
};

static void
release(struct crossing *x, enum ending how)
{
	struct gate *g = x->gate;
	struct stream *const both[] = { x->near, x->far };

	for (size_t i = 0; i < COUNT(both); i++) {
		if (both[i] != NULL && how == ENDS_AT_ONCE)
			stream_reset(both[i]);
		stream_free(both[i]);
	}
	race_free(x->race);
	X509_free(x->certificate);
	buf_release(&x->probe);
	*x->before = x->next;
	if (x->next != NULL)
		x->next->before = x->before;
	g->of_system[x->system->index]--;
	g->crossings_n--;
	free(x);
	gate_crossing_gone(g);
}

static void
end(struct crossing *x, const char *why, enum ending how)
{
	if (x->recorded) {
		if (x->state == CROSSING_OPEN)
			counter_sub(COUNTER_CROSSINGS, 1);
		record_end(x, why);
	} else if (x->state != CROSSING_PARTING) {
		record_refused(x->gate, x->system, &x->client, why);
	}
	release(x, how);
}

void
crossing_end(struct crossing *x, const char *why)
{
	end(x, why, ENDS_AT_ONCE);
}

/* A deadline starts where the wait for it does. */
static void
go_to(struct crossing *x, enum crossing_state state, uint64_t most_ms)
{
	x->state = state;
	x->deadline_ms = loop_now_ms(x->gate->loop) + most_ms;
}

/* Bytes. */

/* The end of that way has left. */
static bool
is_told(const struct relay *r)
{
	return (r->state == RELAY_CUT || r->state == RELAY_OVER) &&
	    stream_queued(r->to) == 0;
}

static bool
was_cut(const struct crossing *x)
{
	enum relay_state up = x->ways[WAY_UP].state;
	enum relay_state down = x->ways[WAY_DOWN].state;

	/* Where one side ended in order, many just close on the other. */
	return (up == RELAY_CUT && down != RELAY_OVER) ||
	    (down == RELAY_CUT && up != RELAY_OVER);
}

static const char *
why_ended(const struct crossing *x)
{
	if (!was_cut(x))
		return "closed";
	return x->ways[WAY_UP].state == RELAY_CUT
	    ? "closed by the system without TLS's last word"
	    : "closed by the endpoint without TLS's last word";
}

static void
pump(struct crossing *x, enum way way)
{
	struct relay *r = &x->ways[way];
	uint64_t before = r->moved;
	const char *why = NULL;
	char words[128];
	enum relay_answer answer =
	    relay_pump(r, x->gate->buffer, sizeof(x->gate->buffer), &why);

	if (r->moved != before)
		x->moved_ms = loop_now_ms(x->gate->loop);
	switch (answer) {
	case RELAY_FLOWS:
		return;
	case RELAY_ENDED:
		if (is_told(&x->ways[WAY_UP]) && is_told(&x->ways[WAY_DOWN]))
			end(x, why_ended(x), ENDS_IN_ORDER);
		return;
	case RELAY_FULL:
		crossing_end(x,
		    way == WAY_UP ? "more bytes than permitted, from the system"
				  : "more bytes than permitted, to the system");
		return;
	case RELAY_BROKEN:
		break;
	}
	snprintf(words, sizeof(words), "%s: %s",
	    stream_broken(x->near) ? "the system" : "the endpoint", why);
	/* Who is cut off often says so by an alert. */
	crossing_end(x, was_cut(x) ? why_ended(x) : words);
}

/* The endpoint. */

static void
record(struct crossing *x)
{
	const char *closed = gate_why_closed(x->gate, x->system);
	struct err e = { 0 };

	/* What was so when it began to connect need not be so now. */
	if (closed != NULL) {
		crossing_end(x, closed);
		return;
	}
	go_to(x, CROSSING_RECORDING, GATE_REACH_MS);
	if (record_begin(x, &e) < 0) {
		log_say(EVENT_FAILURE, "%s", e.text);
		crossing_end(x, "the record of it cannot be written");
	}
}

static void
prove(struct crossing *x)
{
	char why[128];

	switch (stream_handshake(x->far)) {
	case HANDSHAKE_DONE:
		record(x);
		return;
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		return;
	case HANDSHAKE_FAILED:
		break;
	}
	snprintf(why, sizeof(why), "the endpoint: %s",
	    x->far_why != NULL ? x->far_why : stream_why(x->far));
	crossing_end(x, why);
}

static void
far_readable(void *owner)
{
	struct crossing *x = owner;

	if (x->state == CROSSING_PROVING)
		prove(x);
	else if (x->state == CROSSING_OPEN)
		pump(x, WAY_DOWN);
}

static void
far_drained(void *owner)
{
	struct crossing *x = owner;

	if (x->state == CROSSING_OPEN)
		pump(x, WAY_UP);
}

static const struct stream_events far_events = {
	.on_readable = far_readable,
	.on_drained = far_drained,
};

static void
reached(void *owner, int fd, const struct address *a, const char *words)
{
	struct crossing *x = owner;
	char why[192];

	/* Both are the race's. */
	if (fd < 0)
		snprintf(why, sizeof(why), "the endpoint: %s", words);
	else
		x->server = *a;
	race_free(x->race);
	x->race = NULL;
	if (fd < 0) {
		crossing_end(x, why);
		return;
	}
	x->state = CROSSING_PROVING;
	x->far = stream_new(x->gate->loop, fd, &far_events, x);
	stream_tls(x->far, gate_tls_far(x->gate, x));
	prove(x);
}

/* By the name that the system asks for; the first one otherwise. */
static const struct endpoint *
choose_endpoint(const struct system *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->endpoints_n; i++)
		if (strcasecmp(s->endpoints[i]->server_name, name) == 0 ||
		    strcasecmp(s->endpoints[i]->name, name) == 0)
			return s->endpoints[i];
	return s->endpoints[0];
}

static void
reach(struct crossing *x)
{
	const char *closed = gate_why_closed(x->gate, x->system);

	if (closed != NULL) {
		end(x, closed, ENDS_IN_ORDER);
		return;
	}
	x->endpoint = choose_endpoint(x->system,
	    SSL_get_servername(stream_ssl(x->near), TLSEXT_NAMETYPE_host_name));
	go_to(x, CROSSING_REACHING, GATE_REACH_MS);
	x->race = race_new(x->gate->loop, x->endpoint->at, x->endpoint->at_n,
	    GATE_NEXT_MS, reached, x);
}

/* The system. */

/* A certificate of somebody else's at its address is no mistake of a clock. */
static void
tell_incident(const struct crossing *x)
{
	char text[128];

	if (!x->showed || !caller_is_incident(x->caller))
		return;
	snprintf(text, sizeof(text), "gate: %s", caller_words(x->caller));
	trips_tried(x->gate->trips, &x->client,
	    &x->gate->model->settings.gate_at, bytes_of(text));
}

static void
greet_failed(struct crossing *x)
{
	tell_incident(x);
	crossing_end(x,
	    x->showed && x->caller != CALLER_KNOWN ? caller_words(x->caller)
						   : stream_why(x->near));
}

static void
greet(struct crossing *x)
{
	SSL *ssl = stream_ssl(x->near);

	switch (stream_handshake(x->near)) {
	case HANDSHAKE_DONE:
		break;
	case HANDSHAKE_WAIT:
	case HANDSHAKE_SUSPENDED:
		return;
	case HANDSHAKE_FAILED:
		greet_failed(x);
		return;
	}
	x->certificate = SSL_get1_peer_certificate(ssl);
	must(x->certificate != NULL && x->caller == CALLER_KNOWN);
	if (!gate_tls_is_probe(ssl)) {
		reach(x);
		return;
	}
	go_to(x, CROSSING_PROBING, GATE_PROBE_MS);
	probing_begin(x);
}

static void
near_readable(void *owner)
{
	struct crossing *x = owner;

	switch (x->state) {
	case CROSSING_GREETING:
		greet(x);
		return;
	case CROSSING_OPEN:
		pump(x, WAY_UP);
		return;
	case CROSSING_PROBING:
	case CROSSING_PARTING:
		probing_read(x);
		return;
	case CROSSING_REACHING:
	case CROSSING_PROVING:
	case CROSSING_RECORDING:
		if (stream_broken(x->near))
			crossing_end(x, stream_why(x->near));
		return;
	}
}

static void
near_drained(void *owner)
{
	struct crossing *x = owner;

	if (x->state == CROSSING_OPEN)
		pump(x, WAY_DOWN);
}

static const struct stream_events near_events = {
	.on_readable = near_readable,
	.on_drained = near_drained,
};

/* NULL: it may come in. */
static const char *
why_not(const struct gate *g, const struct system *s)
{
	if (s == NULL)
		return "not the address of a registered system";
	if (g->of_system[s->index] >= g->model->settings.crossings_max)
		return "as many crossings as its system may have";
	return g->crossings_n >= g->crossings_max
	    ? "as many crossings as the gate may have"
	    : NULL;
}

void
crossing_new(struct gate *g, int fd, const struct address *peer)
{
	const struct system *s = isolation_system_at(g->model, peer);
	const char *refused = why_not(g, s);
	struct crossing *x;
	int on = 1;

	if (refused != NULL) {
		record_refused(g, s, peer, refused);
		close(fd);
		return;
	}
	x = calloc(1, sizeof(*x));
	must(x != NULL);
	x->gate = g;
	x->system = s;
	x->client = *peer;
	log_id(x->id);
	if (g->crossings == NULL)
		timer_start(g->look, GATE_LOOK_MS);
	x->next = g->crossings;
	x->before = &g->crossings;
	if (x->next != NULL)
		x->next->before = &x->next;
	g->crossings = x;
	g->crossings_n++;
	g->of_system[s->index]++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	x->near = stream_new(g->loop, fd, &near_events, x);
	stream_tls(x->near, gate_tls_near(g, x));
	go_to(x, CROSSING_GREETING, GATE_GREET_MS);
	stream_want_read(x->near, true);
}

void
crossing_recorded(struct crossing *x, const char *not_recorded)
{
	uint64_t most = x->gate->model->settings.crossing_bytes_max;

	if (not_recorded != NULL) {
		crossing_end(x, not_recorded);
		return;
	}
	x->ways[WAY_UP] =
	    (struct relay){ .from = x->near, .to = x->far, .max = most };
	x->ways[WAY_DOWN] =
	    (struct relay){ .from = x->far, .to = x->near, .max = most };
	x->state = CROSSING_OPEN;
	x->begun_ms = loop_now_ms(x->gate->loop);
	x->moved_ms = x->begun_ms;
	counter_add(COUNTER_CROSSINGS, 1);
	counter_add(COUNTER_CROSSINGS_TOTAL, 1);
	record_opened(x);
	stream_want_read(x->near, true);
	stream_want_read(x->far, true);
}

/* What may end it at any time; NULL: it goes on. */
static const char *
why_over(const struct crossing *x, uint64_t now_ms)
{
	const struct gate *g = x->gate;
	const char *closed = gate_why_closed(g, x->system);
	uint64_t quiet = now_ms - x->moved_ms;

	if (closed != NULL)
		return closed;
	if (certificate_is_over(
		x->certificate, (time_t)(gate_now_ms(g) / 1000)))
		return caller_words(CALLER_EXPIRED);
	if (g->drain == GATE_ENDS && quiet >= GATE_QUIET_MS)
		return "sekishod stops";
	return quiet >= g->model->settings.idle_max_ms ? "no bytes for too long"
						       : NULL;
}

void
crossing_look(struct crossing *x)
{
	static const char *const late[] = {
		[CROSSING_GREETING] = "the TLS handshake took too long",
		[CROSSING_REACHING] = "the endpoint: no answer in time",
		[CROSSING_PROVING] = "the endpoint: no TLS in time",
		[CROSSING_RECORDING] = "the record took too long",
		[CROSSING_OPEN] = "",
		[CROSSING_PROBING] = "no probe's result in time",
		[CROSSING_PARTING] = "",
	};
	uint64_t now = loop_now_ms(x->gate->loop);
	const char *why = NULL;

	if (x->state == CROSSING_OPEN)
		why = why_over(x, now);
	else if (now >= x->deadline_ms)
		why = late[x->state];
	if (why != NULL)
		crossing_end(x, why);
}
