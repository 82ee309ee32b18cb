/* SPDX-License-Identifier: Apache-2.0 */
/* separation_trips: what processes saw of systems, what it suspends, and which
 * incident it is of. */
#include <stdlib.h>
#include <string.h>

#include "proxy/base/log.h"
#include "proxy/parent/separation_state.h"

#define NAMES_MAX 3 /* of suspended systems in an alert's line */

const char *
trip_name(const struct trip *t)
{
	static const char *const names[TRIP_HOWS] = {
		[TRIP_NONE] = "none",
		[TRIP_PACKET] = "packet",
		[TRIP_WEB] = "web",
		[TRIP_MAIL] = "mail",
		[TRIP_GATE] = "gate",
		[TRIP_CANARY] = "canary",
	};

	return t->how < TRIP_HOWS ? names[t->how] : "none";
}

/* Whose it is. */

struct suspects {
	char where[INCIDENT_WHERE_MAX];
	const struct body *body; /* NULL: nobody's */
	const struct system **systems;
	size_t n, size;
};

static void
add_suspect(struct suspects *s, const struct system *system)
{
	if (s->n == s->size) {
		s->size = s->size == 0 ? 16 : 2 * s->size;
		s->systems =
		    reallocarray(s->systems, s->size, sizeof(*s->systems));
		must(s->systems != NULL);
	}
	s->systems[s->n++] = system;
}

static bool
overlaps(const struct prefix *a, const struct prefix *b)
{
	struct address in_a = { 0 }, in_b = { 0 };

	memcpy(in_a.octets, a->octets, sizeof(in_a.octets));
	memcpy(in_b.octets, b->octets, sizeof(in_b.octets));
	return prefix_contains(a, &in_b) || prefix_contains(b, &in_a);
}

static bool
stands_in(const struct system *system, const struct prefix *p)
{
	for (size_t i = 0; i < system->addresses_n; i++)
		if (overlaps(&system->addresses[i], p))
			return true;
	return false;
}

/* The system in which it was laid. */
static void
find_canary(const struct view *v, const struct trip *t, struct suspects *out)
{
	const struct leak_canary *c =
	    isolation_leak_canary(v->model, bytes_of(t->canary));

	if (c != NULL && c->system != NULL)
		add_suspect(out, c->system);
}

/* The system at that address, or all of the segment. */
static void
find_suspects(
    const struct view *v, const struct address *from, struct suspects *out)
{
	const struct segment *segment = zones_lookup(v->settings->zones, from);
	const struct system *system = isolation_system_at(v->model, from);
	char text[ADDRESS_TEXT_MAX];

	if (system != NULL) {
		out->body = system->body;
		snprintf(
		    out->where, sizeof(out->where), "system %s", system->name);
		add_suspect(out, system);
		return;
	}
	if (segment != NULL)
		out->body = segment->body;
	if (segment == NULL || segment->zone->kind != ZONE_MYNUMBER) {
		snprintf(out->where, sizeof(out->where), "address %s",
		    address_text(from, text));
		return;
	}
	snprintf(out->where, sizeof(out->where), "segment %s of %s",
	    prefix_text(&segment->prefix, text), segment->body->code);
	for (size_t i = 0; i < v->model->systems_n; i++)
		if (stands_in(&v->model->systems[i], &segment->prefix))
			add_suspect(out, &v->model->systems[i]);
}

/* Telling. */

static void
record_incident(
    const struct incident *i, const struct suspects *s, size_t suspended)
{
	const struct trip *t = &i->first;
	char text[ADDRESS_TEXT_MAX];
	struct log_line l;

	log_begin(&l, EVENT_INCIDENT, NULL);
	if (s->body != NULL)
		log_string(&l, "body", s->body->code);
	log_number(&l, "number", i->number);
	log_string(&l, "where", i->where);
	log_string(
	    &l, "degree", t->level == TRIP_HIGHEST ? "highest" : "alert");
	log_string(&l, "how", trip_name(t));
	log_number(&l, "protocol", t->protocol);
	log_string(&l, "from", address_text(&t->from, text));
	log_string(&l, "to", address_text_port(&t->to, text));
	log_string(&l, "what", t->text);
	log_number(&l, "count", i->count);
	log_number(&l, "suspended", suspended);
	log_end(&l);
}

/* For who watches the system's log: <1> is an alert (sd-daemon(3)). */
static void
alert(const struct incident *i, const struct suspects *s, size_t suspended)
{
	const struct trip *t = &i->first;
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
	char line[1024];
	int n = snprintf(line, sizeof(line),
	    "<1>sekishod: incident %llu (%s): %s: %s, %s -> %s; systems"
	    " suspended: %zu / 事案 %llu、停止したシステム %zu 件",
	    (unsigned long long)i->number,
	    t->level == TRIP_HIGHEST ? "highest" : "alert", i->where,
	    trip_name(t), address_text(&t->from, from),
	    address_text_port(&t->to, to), suspended,
	    (unsigned long long)i->number, suspended);

	for (size_t k = 0;
	     k < s->n && k < NAMES_MAX && n > 0 && (size_t)n < sizeof(line);
	     k++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s",
		    k == 0 ? ": " : ", ", s->systems[k]->name);
	fprintf(stderr, "%s\n", line);
}

/* Taking in. */

/* It ends, and does nothing to a terminal. */
static void
make_plain(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (size_t i = 0; text[i] != '\0'; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}

void
separation_trip(const struct trip *t)
{
	const struct view *views[] = { &separation.current,
		&separation.coming };
	struct suspects s = { 0 };
	char where[INCIDENT_WHERE_MAX + TRIP_NAME_MAX + 16];
	char why[WORDS_MAX];
	struct incident *i;
	enum incident_news news;
	size_t suspended;

	for (size_t k = 0; k < COUNT(views); k++)
		if (views[k]->settings != NULL) {
			find_suspects(views[k], &t->from, &s);
			find_canary(views[k], t, &s);
		}
	/* What was seen by its content is told apart from where it was. */
	if (t->how == TRIP_CANARY)
		snprintf(
		    where, sizeof(where), "canary %s, %s", t->canary, s.where);
	else
		snprintf(where, sizeof(where), "%s", s.where);
	news = incidents_take(
	    &separation.incidents, where, t, separation_now_ms(), &i);
	snprintf(why, sizeof(why), "%s: %.100s", trip_name(t), t->text);
	suspended = separation_suspend(s.systems, s.n,
	    (struct suspension){ .incident = i->number,
		.by = "",
		.why = why,
		.opens = news == INCIDENT_OPENED ? i : NULL });
	if (news == INCIDENT_OPENED)
		record_incident(i, &s, suspended);
	if (news == INCIDENT_OPENED || suspended > 0)
		alert(i, &s, suspended);
	if (news == INCIDENT_OPENED)
		separation_show();
	free(s.systems);
}

void
separation_tripped(const struct ipc_message *m)
{
	struct trip t;

	if (m->body.n != sizeof(t))
		return;
	memcpy(&t, m->body.p, sizeof(t));
	make_plain(t.text, sizeof(t.text));
	make_plain(t.canary, sizeof(t.canary));
	if (t.how == TRIP_NONE || t.how >= TRIP_HOWS ||
	    t.level >= TRIP_LEVELS ||
	    (separation.current.settings == NULL &&
		separation.coming.settings == NULL))
		return;
	separation_trip(&t);
}

static void
tell(void *owner, const struct incident *i, enum incident_news news)
{
	const struct ledger_record quiet = {
		.kind = LEDGER_QUIET,
		.at_ms = separation_now_ms(),
		.incident = i->number,
		.system = i->where,
	};
	bool over = news == INCIDENT_QUIET;
	struct log_line l;
	struct err e = { 0 };

	log_begin(&l, over ? EVENT_INCIDENT_OVER : EVENT_INCIDENT_MORE, NULL);
	log_number(&l, "number", i->number);
	log_string(&l, "where", i->where);
	log_number(&l, "count", i->count);
	if (over)
		log_string(&l, "why", owner == NULL ? "quiet" : owner);
	log_end(&l);
	if (over && separation.ledger != NULL &&
	    ledger_append(separation.ledger, &quiet, 1, &e) < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
}

void
separation_incidents_tick(uint64_t now_ms)
{
	incidents_tick(&separation.incidents, now_ms, tell, NULL);
}

void
separation_incident_restored(uint64_t number)
{
	static char why[] = "restored";
	struct incident *i = incidents_find(&separation.incidents, number);

	if (i == NULL)
		return;
	for (const struct known *k = separation.entries; k != NULL; k = k->next)
		if (k->suspended && k->incident == number)
			return;
	tell(why, i, INCIDENT_QUIET);
	incidents_close(&separation.incidents, i);
}

/* Probes. */

static const struct system *
system_of(const struct view *v, const uint8_t digest[MODEL_DIGEST_N])
{
	for (size_t i = 0; v->settings != NULL && i < v->model->systems_n; i++)
		if (memcmp(v->model->systems[i].digest, digest,
			MODEL_DIGEST_N) == 0)
			return &v->model->systems[i];
	return NULL;
}

static void
record_probe(
    const struct system *system, const struct probed *p, enum probe_known was)
{
	bool good = p->result == PROBE_GOOD;
	struct log_line l;

	if (was == (good ? PROBE_WAS_GOOD : PROBE_WAS_BAD))
		return;
	log_begin(&l, good ? EVENT_PROBE_GOOD : EVENT_PROBE_FAILED, NULL);
	log_string(&l, "body", system->body->code);
	log_string(&l, "system", system->name);
	log_string(&l, "what", p->text);
	log_end(&l);
}

/* The page counts a good one from now; a bad one ends what the last good one
 * gave. */
void
separation_probed(const struct ipc_message *m)
{
	const struct view *v = &separation.current;
	const struct system *system;
	struct probed p;
	struct known *k;
	enum probe_known was;

	if (m->body.n != sizeof(p))
		return;
	memcpy(&p, m->body.p, sizeof(p));
	make_plain(p.text, sizeof(p.text));
	system = system_of(v, p.system);
	if (system == NULL || system->probe_key[0] == '\0')
		return;
	k = separation_entry(system);
	was = k->probe;
	if (p.result == PROBE_GOOD) {
		k->probe = PROBE_WAS_GOOD;
		k->probed_ms = separation_now_ms();
		standings_probed(separation.page, system->digest,
		    k->probed_ms + v->model->settings.probe_age_max_ms);
	} else {
		standings_probed(separation.page, system->digest, PROBE_NEVER);
		k->probe = PROBE_WAS_BAD;
	}
	/* An earlier good one must not come back by a restart; a good one is
	 * kept by the next second. */
	separation.unkept = true;
	if (p.result != PROBE_GOOD)
		separation_keep_probes();
	snprintf(k->probe_text, sizeof(k->probe_text), "%s", p.text);
	record_probe(system, &p, was);
	separation_show();
}
