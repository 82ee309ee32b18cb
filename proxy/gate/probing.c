/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probing: a system brings what its probe found. The gate gives a nonce, takes
 * one message of a bounded length, and answers a line; nothing of it goes
 * further than to the parent. A message that proves nothing ends the separation
 * as one that found something does: it comes from who holds the system's key.
 */
#include <openssl/rand.h>
#include <string.h>

#include "proxy/gate/crossing.h"
#include "proxy/isolation/probe.h"

_Static_assert(sizeof(((struct crossing *)0)->nonce) == PROBE_NONCE_N,
    "as many bytes as the probe wants");

/* Whether a result counts at all now. */
static const char *
why_refused(const struct crossing *x)
{
	enum standing s = standings_of(x->gate->standings, x->system);

	if (x->system->probe_key[0] == '\0')
		return "no probe is registered for the system";
	switch (s) {
	case STANDING_UNPROBED:
	case STANDING_CLOSED:
	case STANDING_SEPARATED:
		return NULL;
	case STANDING_UNKNOWN:
	case STANDING_UNSTATED:
	case STANDING_SUSPENDED:
	case STANDING_EARLY:
	case STANDING_EXPIRED:
	case STANDINGS:
		break;
	}
	return standing_name(s);
}

/* The last words; what comes after them is not read. */
static void
part(struct crossing *x, const char *line)
{
	x->state = CROSSING_PARTING;
	x->deadline_ms = loop_now_ms(x->gate->loop) + GATE_PART_MS;
	stream_write(x->near, bytes_of(line));
	stream_shutdown(x->near);
	stream_want_read(x->near, true);
}

static void
refuse(struct crossing *x, const char *why)
{
	char line[PROBE_ANSWER_MAX];

	snprintf(line, sizeof(line), "refused %.400s\n", why);
	part(x, line);
}

void
probing_begin(struct crossing *x)
{
	const char *refused = why_refused(x);

	buf_init(&x->probe, PROBE_LENGTH_N + PROBE_MESSAGE_MAX);
	must(RAND_bytes(x->nonce, sizeof(x->nonce)) == 1);
	stream_write(x->near, (struct bytes){ x->nonce, sizeof(x->nonce) });
	if (refused != NULL)
		refuse(x, refused);
	else
		stream_want_read(x->near, true);
}

static void
judge(struct crossing *x, struct bytes message)
{
	const struct probe_asked asked = {
		.nonce = x->nonce,
		.isolation = &x->gate->model->settings,
		.system = x->system,
		.now = (time_t)(gate_now_ms(x->gate) / 1000),
	};
	char words[PROBE_REPORT_TEXT_MAX];
	struct probe_report found;
	struct err e = { 0 };

	if (probe_read(&asked, message, &found, &e) < 0) {
		gate_probed(x->gate, x->system, GATE_PROBE_BAD, e.text);
		refuse(x, e.text);
		return;
	}
	gate_probed(x->gate, x->system,
	    found.good ? GATE_PROBE_GOOD : GATE_PROBE_BAD,
	    probe_report_text(&found, false, words));
	part(x, found.good ? "accepted good\n" : "accepted bad\n");
}

/* What is there of it is all: true. */
static bool
is_whole(struct crossing *x, struct bytes *message_out)
{
	struct bytes b = buf_bytes(&x->probe);
	size_t n;

	if (b.n < PROBE_LENGTH_N)
		return false;
	if (probe_length_read(bytes_take(&b, PROBE_LENGTH_N).p, &n) < 0) {
		*message_out = (struct bytes){ 0 };
		return true;
	}
	*message_out = bytes_take(&b, n);
	return message_out->n == n;
}

static void
take(struct crossing *x, struct bytes b)
{
	struct bytes message;

	if (buf_append(&x->probe, b) < 0)
		crossing_end(x, "more than a probe's message");
	else if (is_whole(x, &message))
		judge(x, message);
}

void
probing_read(struct crossing *x)
{
	struct gate *g = x->gate;
	size_t n;

	switch (stream_read(x->near, g->buffer, sizeof(g->buffer), &n)) {
	case STREAM_READ:
		if (x->state == CROSSING_PROBING)
			take(x, (struct bytes){ g->buffer, n });
		return;
	case STREAM_WAIT:
		return;
	case STREAM_END:
	case STREAM_CUT:
		crossing_end(x, "a probe ended without its result");
		return;
	case STREAM_FAILED:
		crossing_end(x, stream_why(x->near));
		return;
	}
}
