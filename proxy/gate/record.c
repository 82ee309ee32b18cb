/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/record.h"

#include <time.h>

#include "proxy/base/log.h"
#include "proxy/board.h"

/* Members of a line of the chained log, behind "prev". */

static int
put_text(struct buf *b, const char *text)
{
	struct bytes value = bytes_of(text);
	/* One byte becomes six at most: \u00XX. */
	if (buf_append(b, BYTES("\"")) < 0 || buf_reserve(b, 6 * value.n) < 0)
		return -1;
	b->n += (size_t)log_escape((char *)b->p + b->n, 6 * value.n, value);
	return buf_append(b, BYTES("\""));
}

static int
put_member(struct buf *b, const char *key, const char *text)
{
	return buf_printf(b, ",\"%s\":", key) < 0 ? -1 : put_text(b, text);
}

static int
put_texts(struct buf *b, const char *key, const struct texts *texts)
{
	if (buf_printf(b, ",\"%s\":[", key) < 0)
		return -1;
	for (size_t i = 0; i < texts->n; i++)
		if ((i > 0 && buf_append(b, BYTES(",")) < 0) ||
		    put_text(b, texts->p[i]) < 0)
			return -1;
	return buf_append(b, BYTES("]"));
}

/* "2026-11-27T08:30:00.123Z", by the register's clock. */
static int
put_head(struct buf *b, const struct crossing *x, const char *event)
{
	uint64_t ms = gate_now_ms(x->gate);
	time_t seconds = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return buf_printf(b,
	    "\"time\":\"%s.%03uZ\",\"event\":\"%s\",\"crossing\":\"%s\","
	    "\"body\":\"%s\",\"system\":\"%s\"",
	    text, (unsigned)(ms % 1000), event, x->id, x->system->body->code,
	    x->system->name);
}

static void
statement_hex(const struct crossing *x, char out[2 * STANDINGS_SERIAL_N + 1])
{
	uint8_t serial[STANDINGS_SERIAL_N];

	standings_serial(x->gate->standings, x->system->digest, serial);
	for (size_t i = 0; i < sizeof(serial); i++)
		snprintf(out + 2 * i, 3, "%02x", serial[i]);
}

static int
write_begin(struct buf *b, const struct crossing *x)
{
	char client[ADDRESS_TEXT_MAX], server[ADDRESS_TEXT_MAX];
	char system[CERTIFICATE_HEX_N], certificate[CERTIFICATE_HEX_N];
	char statement[2 * STANDINGS_SERIAL_N + 1];

	statement_hex(x, statement);
	certificate_hex(x->system->digest, system);
	certificate_hex(x->system->certificate, certificate);
	return put_head(b, x, "opened") < 0 ||
		put_member(b, "digest", system) < 0 ||
		put_member(b, "statement", statement) < 0 ||
		put_texts(b, "purposes", &x->system->purposes) < 0 ||
		put_member(b, "owner", x->system->owner) < 0 ||
		put_member(b, "endpoint", x->endpoint->name) < 0 ||
		put_member(b, "server", address_text_port(&x->server, server)) <
		    0 ||
		put_member(b, "client", address_text_port(&x->client, client)) <
		    0 ||
		put_member(b, "certificate", certificate) < 0
	    ? -1
	    : 0;
}

static int
write_end(struct buf *b, const struct crossing *x, uint64_t lasted_ms,
    const char *why)
{
	return put_head(b, x, "ended") < 0 ||
		buf_printf(b, ",\"up\":%llu,\"down\":%llu,\"lasted_ms\":%llu",
		    (unsigned long long)x->ways[WAY_UP].moved,
		    (unsigned long long)x->ways[WAY_DOWN].moved,
		    (unsigned long long)lasted_ms) < 0 ||
		put_member(b, "why", why) < 0
	    ? -1
	    : 0;
}

/* A head that the journal tells is on the disk: else a power cut would look
 * like somebody's cut. */
static void
tell_ends(struct gate *g)
{
	struct log_line l;

	if (!g->ends_wait)
		return;
	g->ends_wait = false;
	log_begin(&l, EVENT_CROSSINGS_KEPT, NULL);
	log_string(&l, "head", chain_head(g->chain));
	log_end(&l);
}

/* Several that are opened in one turn of the loop share its price. */
static void
commit(void *owner)
{
	struct gate *g = owner;
	struct crossing *next;
	struct err e = { 0 };
	const char *why = NULL;

	if (!g->committing && !g->ends_wait)
		return;
	g->committing = false;
	if (chain_sync(g->chain, &e) < 0) {
		log_say(EVENT_FAILURE, "%s", e.text);
		why = "the record of it cannot be written";
	}
	for (struct crossing *x = g->crossings; x != NULL; x = next) {
		next = x->next;
		if (x->state != CROSSING_RECORDING)
			continue;
		/* The head that is told of it stands for all before it. */
		g->ends_wait = false;
		crossing_recorded(x, why);
	}
	if (why == NULL)
		tell_ends(g);
}

void
record_commit(struct gate *g)
{
	commit(g);
}

static void
commit_soon(struct gate *g)
{
	if (!g->committing)
		loop_defer(g->loop, commit, g);
	g->committing = true;
}

/* Nothing waits for the end of a crossing to be on the disk. */
static void
commit_later(struct gate *g)
{
	if (!g->ends_wait)
		timer_start(g->keep, GATE_KEEP_MS);
	g->ends_wait = true;
}

int
record_begin(struct crossing *x, struct err *e)
{
	struct gate *g = x->gate;
	struct buf b;
	int result;

	buf_init(&b, CHAIN_LINE_MAX);
	result = write_begin(&b, x) < 0
	    ? err_set(
		  e, "the record of system \"%s\" is too long", x->system->name)
	    : chain_append(g->chain, buf_bytes(&b), x->head, e);
	buf_release(&b);
	if (result < 0)
		return -1;
	x->recorded = true;
	commit_soon(g);
	return 0;
}

/* The journal's lines. */

static void
begin_line(struct log_line *l, enum log_event event, const struct system *s,
    const struct address *client)
{
	char text[ADDRESS_TEXT_MAX];

	log_begin(l, event, NULL);
	if (s != NULL) {
		log_string(l, "body", s->body->code);
		log_string(l, "system", s->name);
	}
	log_string(l, "client", address_text(client, text));
}

void
record_opened(const struct crossing *x)
{
	struct log_line l;

	begin_line(&l, EVENT_CROSSING_OPENED, x->system, &x->client);
	log_string(&l, "crossing", x->id);
	log_string(&l, "endpoint", x->endpoint->name);
	log_string(&l, "head", x->head);
	log_end(&l);
}

void
record_end(struct crossing *x, const char *why)
{
	struct gate *g = x->gate;
	uint64_t lasted =
	    x->state == CROSSING_OPEN ? loop_now_ms(g->loop) - x->begun_ms : 0;
	char head[CHAIN_HEX_N];
	struct err e = { 0 };
	struct log_line l;
	struct buf b;

	buf_init(&b, CHAIN_LINE_MAX);
	if (write_end(&b, x, lasted, why) < 0 ||
	    chain_append(g->chain, buf_bytes(&b), head, &e) < 0)
		log_say(
		    EVENT_FAILURE, "the end of crossing %s: %s", x->id, e.text);
	else
		commit_later(g);
	buf_release(&b);
	begin_line(&l, EVENT_CROSSING_ENDED, x->system, &x->client);
	log_string(&l, "crossing", x->id);
	log_number(&l, "up", x->ways[WAY_UP].moved);
	log_number(&l, "down", x->ways[WAY_DOWN].moved);
	log_number(&l, "lasted_ms", lasted);
	log_string(&l, "why", why);
	log_end(&l);
}

/* Who connects again and again does not fill the journal. */
static bool
may_tell(struct gate *g)
{
	struct refusals *r = &g->refusals;
	uint64_t now = loop_now_ms(g->loop);

	if (now - r->since_ms >= 1000) {
		r->since_ms = now;
		r->n = 0;
	}
	if (r->n++ < GATE_REFUSALS_MAX)
		return true;
	r->untold++;
	return false;
}

void
record_refused(struct gate *g, const struct system *system,
    const struct address *client, const char *why)
{
	struct log_line l;

	counter_add(COUNTER_CROSSINGS_REFUSED, 1);
	if (!may_tell(g))
		return;
	begin_line(&l, EVENT_CROSSING_REFUSED, system, client);
	log_string(&l, "why", why);
	if (g->refusals.untold > 0)
		log_number(&l, "untold", g->refusals.untold);
	g->refusals.untold = 0;
	log_end(&l);
}
