/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/log.h"
#include "proxy/parent/separation_state.h"

#define TICK_MS 1000
#define CLOCK_TICKS 300 /* between two writings of the clock */
#define BEHIND_MS 2000  /* less is how clocks are kept right */
#define SHOWN_MAX 16    /* names in the status */
#define UNTOLD_MAX 256

struct separation separation = { .fd = -1 };

/* What was found before the log was open. */
struct untold {
	enum log_event event;
	const char *text;
	struct untold *next;
};

void
separation_notice(enum log_event event, const char *format, ...)
{
	char text[LOG_VALUE_MAX];
	struct untold *u;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (separation.telling) {
		log_say(event, "%s", text);
		return;
	}
	u = ARENA_NEW(&separation.untold_arena, struct untold);
	u->event = event;
	u->text = arena_string(&separation.untold_arena, bytes_of(text));
	u->next = separation.untold;
	separation.untold = u;
}

void
separation_tell(void)
{
	separation.telling = true;
	for (struct untold *u = separation.untold; u != NULL; u = u->next)
		log_say(u->event, "%s", u->text);
	separation.untold = NULL;
	arena_release(&separation.untold_arena);
}

uint64_t
separation_now_ms(void)
{
	return standings_time(separation.page, clocks_read());
}

int
separation_fd(void)
{
	return separation.fd;
}

struct standings *
separation_standings(void)
{
	return separation.page;
}

/* Entries. */

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, MODEL_DIGEST_N);
}

struct known *
separation_known(const uint8_t digest[MODEL_DIGEST_N])
{
	struct known *const *at =
	    tfind(digest, &separation.tree, compare_digests);

	return at == NULL ? NULL : *at;
}

static int
compare_names(const void *a, const void *b)
{
	const struct known *left = a;
	const struct known *right = b;

	return strcmp(left->name, right->name);
}

static void
copy_suspension(struct known *to, const struct known *from)
{
	to->suspended = to->unsaved = true;
	to->suspended_ms = from->suspended_ms;
	to->incident = from->incident;
	memcpy(to->by, from->by, sizeof(to->by));
	memcpy(to->why, from->why, sizeof(to->why));
}

/*
 * Who is suspended is the system, whatever is registered of it: else an entry
 * that is changed, or changed back, would have a statement that was signed
 * before.
 */
static void
name_entry(struct known *k, const char *name)
{
	struct known **one;

	snprintf(k->name, sizeof(k->name), "%s", name);
	one = (struct known **)tsearch(k, &separation.names, compare_names);
	must(one != NULL);
	if (*one == k)
		return;
	k->namesake = (*one)->namesake;
	(*one)->namesake = k;
	for (const struct known *o = k->namesake; o != k; o = o->namesake) {
		if (o->suspended && !k->suspended)
			copy_suspension(k, o);
		if (o->suspended_ms > k->suspended_ms)
			k->suspended_ms = o->suspended_ms;
	}
}

static struct known *
entry_of(const uint8_t digest[MODEL_DIGEST_N], const char *name)
{
	struct known *k = separation_known(digest);

	if (k != NULL)
		return k;
	k = calloc(1, sizeof(*k));
	must(k != NULL);
	memcpy(k->digest, digest, sizeof(k->digest));
	k->namesake = k;
	k->next = separation.entries;
	separation.entries = k;
	must(tsearch(k, &separation.tree, compare_digests) != NULL);
	if (name[0] != '\0')
		name_entry(k, name);
	return k;
}

struct known *
separation_entry(const struct system *system)
{
	struct known *k = entry_of(system->digest, system->name);

	/* Of its probe alone the name was not kept. */
	if (k->name[0] == '\0')
		name_entry(k, system->name);
	return k;
}

/* The page. */

static struct standings_row
row_of(const struct view *v, const struct system *system)
{
	const struct known *k = separation_entry(system);
	const struct statement *s = v->statements.held[system->index].statement;
	struct standings_row r = {
		.state = k->suspended ? STATE_SUSPENDED
		    : s == NULL       ? STATE_UNSTATED
				      : STATE_STATED,
		.probed_until_ms = system->probe_key[0] == '\0' ? PROBE_NONE
		    : k->probe != PROBE_WAS_GOOD
		    ? PROBE_NEVER
		    : k->probed_ms + v->model->settings.probe_age_max_ms,
	};

	memcpy(r.digest, system->digest, sizeof(r.digest));
	if (s != NULL) {
		r.from = (uint64_t)s->from;
		r.until = (uint64_t)s->until;
		memcpy(r.serial, s->serial, sizeof(r.serial));
	}
	return r;
}

/* What is in force stands before what may come: of one entry its row counts. */
void
separation_publish(void)
{
	const struct view *views[] = { &separation.current,
		&separation.coming };
	struct standings_row *rows = calloc(STANDINGS_MAX + 1, sizeof(*rows));
	size_t n = 0;

	must(rows != NULL);
	for (size_t i = 0; i < COUNT(views); i++)
		for (size_t k = 0; views[i]->settings != NULL &&
		     k < views[i]->model->systems_n;
		     k++)
			rows[n++] =
			    row_of(views[i], &views[i]->model->systems[k]);
	standings_publish(separation.page, rows, n);
	free(rows);
}

/* Suspending. */

static void
record_suspended(const struct system *system, const struct suspension *s)
{
	struct log_line l;

	log_begin(&l, EVENT_SUSPENDED, NULL);
	log_string(&l, "body", system->body->code);
	log_string(&l, "system", system->name);
	if (s->incident != 0)
		log_number(&l, "incident", s->incident);
	if (s->by[0] != '\0')
		log_string(&l, "by", s->by);
	log_string(&l, "text", s->why);
	log_end(&l);
}

static struct ledger_record
record_of(const struct known *k)
{
	struct ledger_record r = {
		.kind = LEDGER_SUSPENDED,
		.at_ms = k->suspended_ms,
		.incident = k->incident,
		.system = k->name,
		.by = k->by,
		.why = k->why,
	};

	memcpy(r.digest, k->digest, sizeof(r.digest));
	return r;
}

/* All that the ledger lacks, in one write; an incident before them. */
static void
save(const struct incident *opens)
{
	struct ledger_record *records;
	struct err e = { 0 };
	size_t n = opens != NULL;

	for (const struct known *k = separation.entries; k != NULL; k = k->next)
		n += k->unsaved;
	if (n == 0 || separation.ledger == NULL)
		return;
	records = calloc(n, sizeof(*records));
	must(records != NULL);
	n = 0;
	if (opens != NULL)
		records[n++] = (struct ledger_record){
			.kind = LEDGER_INCIDENT,
			.at_ms = opens->opened_ms,
			.incident = opens->number,
			.system = opens->where,
		};
	for (const struct known *k = separation.entries; k != NULL; k = k->next)
		if (k->unsaved)
			records[n++] = record_of(k);
	if (ledger_append(separation.ledger, records, n, &e) == 0)
		for (struct known *k = separation.entries; k != NULL;
		     k = k->next)
			k->unsaved = false;
	else
		separation_notice(EVENT_FAILURE, "%s", e.text);
	free(records);
}

/* What else was registered by its name, or is about to be. */
static void
suspend_namesakes(const struct known *k)
{
	for (struct known *o = k->namesake; o != k; o = o->namesake) {
		standings_suspend(separation.page, o->digest);
		copy_suspension(o, k);
	}
}

size_t
separation_suspend(
    const struct system *const *systems, size_t n, struct suspension s)
{
	const struct system **fresh = calloc(n + 1, sizeof(*fresh));
	uint64_t now = separation_now_ms();
	size_t fresh_n = 0;

	must(fresh != NULL);
	for (size_t i = 0; i < n; i++)
		standings_suspend(separation.page, systems[i]->digest);
	for (size_t i = 0; i < n; i++) {
		struct known *k = separation_entry(systems[i]);

		k->incident = s.incident != 0 ? s.incident : k->incident;
		if (k->suspended)
			continue;
		k->suspended = k->unsaved = true;
		k->suspended_ms = now;
		snprintf(k->by, sizeof(k->by), "%s", s.by);
		snprintf(k->why, sizeof(k->why), "%s", s.why);
		suspend_namesakes(k);
		fresh[fresh_n++] = systems[i];
	}
	save(s.opens);
	for (size_t i = 0; i < fresh_n; i++)
		record_suspended(fresh[i], &s);
	free(fresh);
	if (fresh_n > 0)
		separation_show();
	return fresh_n;
}

/* The ledger. */

/* Times that a wrong clock gave are now at the latest; a probe of such a time
 * is none. */
static void
forget_later(uint64_t now)
{
	if (separation.floor_ms > now)
		separation.floor_ms = now;
	for (struct known *k = separation.entries; k != NULL; k = k->next) {
		if (k->suspended_ms > now)
			k->suspended_ms = now;
		if (k->probed_ms > now) {
			k->probed_ms = 0;
			k->probe = PROBE_UNKNOWN;
		}
	}
	incidents_set_clock(&separation.incidents, now);
}

/* What was written before the last end, as it is read. */
struct replay {
	uint64_t latest_ms;
};

static void
replay(void *owner, const struct ledger_record *r)
{
	struct replay *p = owner;
	struct incidents *all = &separation.incidents;
	struct known *k;

	if (r->at_ms > p->latest_ms)
		p->latest_ms = r->at_ms;
	if (r->incident > all->last_number)
		all->last_number = r->incident;
	switch (r->kind) {
	case LEDGER_SUSPENDED:
		k = entry_of(r->digest, r->system);
		k->suspended = true;
		k->unsaved = false;
		k->suspended_ms = r->at_ms;
		k->incident = r->incident;
		snprintf(k->by, sizeof(k->by), "%s", r->by);
		snprintf(k->why, sizeof(k->why), "%s", r->why);
		return;
	case LEDGER_RESTORED:
		k = entry_of(r->digest, r->system);
		k->suspended = k->unsaved = false;
		return;
	case LEDGER_INCIDENT:
		incidents_resume(
		    all, r->incident, r->system, r->at_ms, r->at_ms);
		return;
	case LEDGER_QUIET:
		if (incidents_find(all, r->incident) != NULL)
			incidents_close(all, incidents_find(all, r->incident));
		return;
	case LEDGER_DAMAGED:
		separation.floor_ms = r->at_ms;
		return;
	case LEDGER_CLOCK:
		forget_later(r->at_ms);
		p->latest_ms = r->at_ms;
		return;
	case LEDGER_NONE:
	case LEDGER_KINDS:
		return;
	}
}

/* What stood in it may have been a suspension of any system. */
static int
begin_anew(const struct settings *s, const char *path, const char *why,
    struct replay *p, struct err *e)
{
	const struct ledger_record damaged = {
		.kind = LEDGER_DAMAGED,
		.at_ms = separation_now_ms() > p->latest_ms
		    ? separation_now_ms()
		    : p->latest_ms,
		.why = why,
	};
	const struct isolation_model *m = s->isolation;
	char aside[PATH_MAX];

	if (ledger_put_aside(path, aside, sizeof(aside), e) < 0 ||
	    ledger_open(path, "", replay, p, &separation.ledger, e) !=
		LEDGER_WHOLE ||
	    ledger_append(separation.ledger, &damaged, 1, e) < 0)
		return -1;
	separation.floor_ms = p->latest_ms = damaged.at_ms;
	separation_notice(
	    EVENT_REGISTER_DAMAGED, "%s; it is %s now", why, aside);
	for (struct known *k = separation.entries; k != NULL; k = k->next)
		k->unsaved = k->suspended;
	for (size_t i = 0; i < m->systems_n; i++) {
		struct known *k = separation_entry(&m->systems[i]);

		if (k->suspended)
			continue;
		k->suspended = k->unsaved = true;
		k->suspended_ms = damaged.at_ms;
		snprintf(k->why, sizeof(k->why),
		    "the file of suspensions was damaged");
	}
	save(NULL);
	return 0;
}

/* The clock goes on from the latest time that was known; what was going on
 * goes on from now. */
static void
go_on_from(uint64_t kept, uint64_t latest_ms)
{
	uint64_t now;

	standings_not_before(separation.page,
	    kept > latest_ms ? kept : latest_ms, clocks_read());
	now = separation_now_ms();
	for (struct incident *i = separation.incidents.open; i != NULL;
	     i = i->next)
		i->last_ms = i->told_ms = now;
}

static void
know_probe(void *owner, const struct ledger_probe *p)
{
	const uint64_t *now_ms = owner;
	struct known *k;

	if (p->at_ms > *now_ms)
		return;
	k = entry_of(p->digest, "");
	k->probe = PROBE_WAS_GOOD;
	k->probed_ms = p->at_ms;
}

static int
open_ledger(const struct settings *s, struct err *e)
{
	const char *path = s->isolation->settings.suspensions;
	struct replay p = { 0 };
	struct err why = { 0 };
	char head[LEDGER_HEAD_N];
	uint64_t kept = ledger_clock_read(path, head);
	uint64_t now;

	switch (ledger_open(path, head, replay, &p, &separation.ledger, &why)) {
	case LEDGER_BROKEN:
		return err_set(e, "isolation.suspensions: %s", why.text);
	case LEDGER_WRONG:
		if (begin_anew(s, path, why.text, &p, e) < 0)
			return -1;
		break;
	case LEDGER_CUT:
		separation_notice(EVENT_FAILURE, "%s", why.text);
		break;
	case LEDGER_WHOLE:
		break;
	}
	separation.ledger_path = strdup(path);
	must(separation.ledger_path != NULL);
	go_on_from(kept, p.latest_ms);
	now = separation_now_ms();
	ledger_probes_read(path, know_probe, &now);
	return 0;
}

/* As journal.file: it stays open. */
static int
prepare_ledger(const struct settings *s, struct err *e)
{
	const char *path = s->isolation->settings.suspensions;

	if (s->isolation->systems_n == 0)
		return 0;
	if (separation.ledger == NULL)
		return open_ledger(s, e);
	return strcmp(path, separation.ledger_path) == 0
	    ? 0
	    : err_set(e,
		  "%s: isolation.suspensions changed, expected \"%s\" until"
		  " sekishod is restarted",
		  s->file, separation.ledger_path);
}

static void
keep_clock(void)
{
	struct err e = { 0 };

	if (separation.ledger_path == NULL)
		return;
	snprintf(separation.marked, sizeof(separation.marked), "%s",
	    ledger_head(separation.ledger));
	if (ledger_clock_write(separation.ledger_path, separation_now_ms(),
		separation.marked, &e) < 0)
		separation_notice(EVENT_FAILURE, "%s", e.text);
}

/* What the ledger has got since: by the next second. */
static bool
is_marked(void)
{
	return separation.ledger_path == NULL ||
	    strcmp(separation.marked, ledger_head(separation.ledger)) == 0;
}

/* When nothing is in force, what is kept is what was. */
void
separation_keep_probes(void)
{
	const struct view *v = &separation.current;
	struct ledger_probe *p;
	struct err e = { 0 };
	size_t n = 0;

	if (!separation.unkept || v->settings == NULL ||
	    separation.ledger_path == NULL)
		return;
	p = calloc(v->model->systems_n + 1, sizeof(*p));
	must(p != NULL);
	for (size_t i = 0; i < v->model->systems_n; i++) {
		const struct known *k = separation_entry(&v->model->systems[i]);

		if (k->probe != PROBE_WAS_GOOD)
			continue;
		memcpy(p[n].digest, k->digest, sizeof(p[n].digest));
		p[n++].at_ms = k->probed_ms;
	}
	separation.unkept =
	    ledger_probes_write(separation.ledger_path, p, n, &e) < 0;
	if (separation.unkept)
		separation_notice(EVENT_FAILURE, "%s", e.text);
	free(p);
}

int
separation_set_clock(const char *by, const char *why, struct err *e)
{
	const struct clocks c = clocks_read();
	const struct ledger_record r = {
		.kind = LEDGER_CLOCK,
		.at_ms = c.wall_ms < 0 ? 0 : (uint64_t)c.wall_ms,
		.by = by,
		.why = why,
	};

	if (separation.ledger == NULL)
		return err_set(e, "no system is registered");
	if (ledger_append(separation.ledger, &r, 1, e) < 0)
		return -1;
	standings_set_clock(separation.page, c);
	forget_later(r.at_ms);
	keep_clock();
	separation.unkept = true;
	separation.behind = false;
	separation_publish();
	return 0;
}

void
separation_end(void)
{
	keep_clock();
}

/* Views. */

static void
view_release(struct view *v)
{
	if (v->settings == NULL)
		return;
	auditors_free(v->auditors, v->auditors_n);
	statements_release(&v->statements);
	*v = (struct view){ 0 };
}

static time_t
last_suspended(void *owner, const struct system *system)
{
	uint64_t ms = separation_entry(system)->suspended_ms;

	(void)owner;
	return (time_t)((ms > separation.floor_ms ? ms : separation.floor_ms) /
	    1000);
}

static void
refused(void *owner, const char *file, const char *why)
{
	(void)owner;
	separation_notice(EVENT_STATEMENT_REFUSED, "%s: %s", file, why);
}

struct statements_question
separation_question(const struct view *v)
{
	return (struct statements_question){
		.model = v->model,
		.auditors = v->auditors,
		.auditors_n = v->auditors_n,
		.now = (time_t)(separation_now_ms() / 1000),
		.suspended = last_suspended,
		.refused = refused,
	};
}

int
separation_reread(struct view *v, struct err *e)
{
	const struct statements_question q = separation_question(v);
	struct statements fresh;

	if (statements_load(&fresh, v->model->settings.statements, &q, e) < 0) {
		statements_release(&fresh);
		return -1;
	}
	statements_release(&v->statements);
	v->statements = fresh;
	return 0;
}

int
separation_prepare(const struct settings *s, struct err *e)
{
	struct view *v = &separation.coming;
	const struct texts *keys = &s->isolation->settings.auditor_keys;

	view_release(v);
	if (prepare_ledger(s, e) < 0)
		return -1;
	v->auditors = auditors_load(keys->p, keys->n, e);
	if (v->auditors == NULL)
		return -1;
	v->settings = s;
	v->model = s->isolation;
	v->auditors_n = keys->n;
	if (separation_reread(v, e) < 0) {
		view_release(v);
		return -1;
	}
	separation_publish();
	save(NULL); /* what it has of its namesakes */
	return 0;
}

void
separation_serve(const struct settings *s)
{
	must(separation.coming.settings == s);
	view_release(&separation.current);
	separation.current = separation.coming;
	separation.coming = (struct view){ 0 };
	separation_publish();
	/* Else who verifies the kernel's rules says when. */
	if (!s->isolation->settings.kernel)
		standings_open(separation.page);
	separation_show();
}

void
separation_forget(const struct settings *s)
{
	if (separation.coming.settings == s)
		view_release(&separation.coming);
	else if (separation.current.settings == s)
		view_release(&separation.current);
	else
		return;
	separation_publish();
}

/* The status. */

static json_t *
json_suspended(size_t *n_out)
{
	json_t *names = json_array();
	const struct view *v = &separation.current;

	*n_out = 0;
	for (size_t i = 0; v->settings != NULL && i < v->model->systems_n;
	     i++) {
		const struct known *k =
		    separation_known(v->model->systems[i].digest);

		if (k == NULL || !k->suspended)
			continue;
		if ((*n_out)++ < SHOWN_MAX)
			json_array_append_new(
			    names, json_string(v->model->systems[i].name));
	}
	return names;
}

static json_t *
json_incidents(void)
{
	json_t *all = json_array();

	for (const struct incident *i = separation.incidents.open;
	     i != NULL && json_array_size(all) < SHOWN_MAX; i = i->next)
		json_array_append_new(all,
		    json_pack("{s:I, s:s, s:I}", "number",
			(json_int_t)i->number, "where", i->where, "count",
			(json_int_t)i->count));
	return all;
}

static size_t
count_separated(void)
{
	const struct view *v = &separation.current;
	uint64_t now = separation_now_ms();
	size_t n = 0;

	for (size_t i = 0; v->settings != NULL && i < v->model->systems_n; i++)
		n += standings_at(separation.page, v->model->systems[i].digest,
			 now) == STANDING_SEPARATED;
	return n;
}

void
separation_show(void)
{
	const struct view *v = &separation.current;
	size_t systems = v->settings == NULL ? 0 : v->model->systems_n;
	size_t suspended;
	json_t *names = json_suspended(&suspended);
	json_t *all = json_pack("{s:I, s:I, s:I, s:o, s:I, s:o}", "systems",
	    (json_int_t)systems, "separated", (json_int_t)count_separated(),
	    "suspended_n", (json_int_t)suspended, "suspended", names,
	    "incidents_n", (json_int_t)separation.incidents.open_n, "incidents",
	    json_incidents());
	char *text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT);

	board_say_separation(separation.board,
	    systems > 0 || separation.incidents.open_n > 0 ? bytes_of(text)
							   : BYTES(""));
	free(text);
	json_decref(all);
}

/* Each second. */

static void
look_at_clock(void)
{
	uint64_t behind = standings_tick(separation.page, clocks_read());
	struct log_line l;

	if (behind < BEHIND_MS)
		separation.behind = false;
	if (behind < BEHIND_MS || separation.behind || !separation.telling)
		return;
	separation.behind = true;
	log_begin(&l, EVENT_CLOCK_BACK, NULL);
	log_number(&l, "behind_s", behind / 1000);
	log_end(&l);
	keep_clock();
}

static void
tick(void *owner)
{
	(void)owner;
	timer_start(separation.timer, TICK_MS);
	look_at_clock();
	separation_incidents_tick(separation_now_ms());
	save(NULL);
	separation_keep_probes();
	if (++separation.ticks % CLOCK_TICKS == 1 || !is_marked())
		keep_clock();
	separation_show();
}

int
separation_begin(struct loop *l, struct board *b, struct err *e)
{
	separation.loop = l;
	separation.board = b;
	separation.fd = standings_create(e);
	if (separation.fd < 0)
		return -1;
	separation.page = standings_map(separation.fd, STANDINGS_WRITE, e);
	if (separation.page == NULL)
		return -1;
	standings_tick(separation.page, clocks_read());
	separation.timer = timer_new(l, tick, NULL);
	timer_start(separation.timer, TICK_MS);
	return 0;
}
