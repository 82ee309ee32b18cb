/* SPDX-License-Identifier: Apache-2.0 */
/* separation_orders: what an administrator orders: list, suspend, restore. */
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "filters/text/utf8.h"
#include "proxy/base/log.h"
#include "proxy/base/person.h"
#include "proxy/parent/separation_state.h"

struct order {
	struct person person;
	struct bytes verb, words[3]; /* what follows it, split at tabs */
	struct buf *out;
};

static enum separation_answer PRINTF_LIKE(3, 4) refuse(
    const struct order *o, const struct system *system, const char *format, ...)
{
	char words[ERR_TEXT_MAX];
	struct log_line l;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	log_begin(&l, EVENT_SEPARATION_REFUSED, NULL);
	if (system != NULL) {
		log_string(&l, "body", system->body->code);
		log_string(&l, "system", system->name);
	}
	log_text(&l, "order", o->verb);
	log_string(&l, "by", o->person.name);
	log_string(&l, "text", words);
	log_end(&l);
	return buf_append_string(o->out, words) < 0 ? SEPARATION_MALFORMED
						    : SEPARATION_REFUSED;
}

/* Listing. */

enum language {
	LANGUAGE_EN = 0,
	LANGUAGE_JA,
};

static const char *const standing_words[STANDINGS][2] = {
	[STANDING_UNKNOWN] = { "unknown", "未登録" },
	[STANDING_UNSTATED] = { "no statement", "確認書なし" },
	[STANDING_SUSPENDED] = { "SUSPENDED", "停止中" },
	[STANDING_EARLY] = { "not yet", "開始前" },
	[STANDING_EXPIRED] = { "expired", "期限切れ" },
	[STANDING_UNPROBED] = { "not probed", "探査なし" },
	[STANDING_CLOSED] = { "closed (kernel rules)", "閉鎖（カーネル規則）" },
	[STANDING_SEPARATED] = { "separated", "分離確認済み" },
};

static const char *const other_words[STATEMENT_COUNTS][2] = {
	[STATEMENT_OTHER] = { "of the system as it was before",
	    "登録内容の変更前のもの" },
	[STATEMENT_OLD] = { "signed before the suspension",
	    "停止より前の署名" },
	[STATEMENT_FUTURE] = { "signed at a time that is not yet",
	    "署名時刻が未来" },
};

/* Spaced by hand: a Japanese character is two columns wide. */

static int
put_probe(struct buf *out, enum language l, const struct system *system,
    const struct known *k)
{
	bool ja = l == LANGUAGE_JA;

	if (system->probe_key[0] == '\0')
		return buf_append_string(out,
		    ja ? "  探査       登録なし\n"
		       : "  probe      none is registered\n");
	switch (k->probe) {
	case PROBE_UNKNOWN:
		return buf_append_string(out,
		    ja ? "  探査       報告なし\n"
		       : "  probe      none came\n");
	case PROBE_WAS_BAD:
		return buf_printf(out,
		    ja ? "  探査       不合格: %s\n"
		       : "  probe      FAILED: %s\n",
		    k->probe_text);
	case PROBE_WAS_GOOD:
		break;
	}
	return buf_printf(out,
	    ja ? "  探査       合格（%llu 秒前）\n"
	       : "  probe      good, %llu s ago\n",
	    (unsigned long long)(separation_now_ms() - k->probed_ms) / 1000);
}

static int
put_suspension(struct buf *out, enum language l, const struct known *k)
{
	bool ja = l == LANGUAGE_JA;
	char when[STATEMENT_TIME_N];

	if (k->suspended &&
	    buf_printf(out,
		ja ? "  停止       %s\n  理由       %s\n"
		   : "  suspended  %s\n  reason     %s\n",
		statement_time((time_t)(k->suspended_ms / 1000), when),
		k->why) < 0)
		return -1;
	if (k->suspended && k->by[0] != '\0' &&
	    buf_printf(
		out, ja ? "  指示者     %s\n" : "  by         %s\n", k->by) < 0)
		return -1;
	return k->incident == 0
	    ? 0
	    : buf_printf(out,
		  ja ? "  事案       %llu\n" : "  incident   %llu\n",
		  (unsigned long long)k->incident);
}

static int
put_statement(struct buf *out, enum language l, const struct held *h)
{
	bool ja = l == LANGUAGE_JA;
	char from[STATEMENT_TIME_N], until[STATEMENT_TIME_N];
	const struct statement *s = h->statement;

	if (s != NULL)
		return buf_printf(out,
		    ja ? "  確認書     %s\n  確認者     %s\n"
			 "  期間       %s - %s\n"
		       : "  statement  %s\n  verified   %s\n"
			 "  time       %s - %s\n",
		    h->file, s->verified_by, statement_time(s->from, from),
		    statement_time(s->until, until));
	return h->other_file == NULL
	    ? 0
	    : buf_printf(out,
		  ja ? "  対象外     %s: %s\n" : "  unused     %s: %s\n",
		  h->other_file, other_words[h->other_use][l]);
}

static int
put_system(struct buf *out, enum language l, const struct view *v,
    const struct system *system)
{
	const struct known *k = separation_entry(system);

	return buf_printf(out, "%s (%s)  %s\n", system->name,
		   system->body->code,
		   standing_words[standings_of(separation.page, system)][l]) <
		    0 ||
		put_suspension(out, l, k) < 0 ||
		put_statement(out, l, &v->statements.held[system->index]) < 0
	    ? -1
	    : put_probe(out, l, system, k);
}

static int
put_incident(struct buf *out, enum language l, const struct incident *i)
{
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

	return buf_printf(out,
	    l == LANGUAGE_JA ? "事案 %llu（継続中）  %s、%llu 回\n"
			       "  最初       %s %s -> %s\n             %s\n"
			     : "incident %llu, open  %s, %llu times\n"
			       "  first      %s %s -> %s\n             %s\n",
	    (unsigned long long)i->number, i->where,
	    (unsigned long long)i->count, trip_name(&i->first),
	    address_text(&i->first.from, from),
	    address_text_port(&i->first.to, to), i->first.text);
}

static enum separation_answer
list_text(const struct order *o, enum language l)
{
	const struct view *v = &separation.current;
	size_t n = v->settings == NULL ? 0 : v->model->systems_n;
	int result = 0;

	if (n == 0)
		result = buf_append_string(o->out,
		    l == LANGUAGE_JA ? "登録されたシステムはありません\n"
				     : "no system is registered\n");
	for (size_t i = 0; result == 0 && i < n; i++)
		result = put_system(o->out, l, v, &v->model->systems[i]);
	for (const struct incident *i = separation.incidents.open;
	     result == 0 && i != NULL; i = i->next)
		result = put_incident(o->out, l, i);
	return result < 0 ? SEPARATION_MALFORMED : SEPARATION_DONE;
}

static json_t *
json_time(uint64_t seconds)
{
	char when[STATEMENT_TIME_N];

	return seconds == 0
	    ? json_null()
	    : json_string(statement_time((time_t)seconds, when));
}

static json_t *
json_probe(const struct system *system, const struct known *k)
{
	static const char *const names[] = {
		[PROBE_UNKNOWN] = "none",
		[PROBE_WAS_BAD] = "failed",
		[PROBE_WAS_GOOD] = "good",
	};

	if (system->probe_key[0] == '\0')
		return json_null();
	return json_pack("{s:s, s:o, s:s}", "result", names[k->probe], "age_s",
	    k->probed_ms == 0
		? json_null()
		: json_integer((
		      json_int_t)((separation_now_ms() - k->probed_ms) / 1000)),
	    "what", k->probe_text);
}

static json_t *
json_statement(const struct held *h)
{
	const struct statement *s = h->statement;
	char serial[2 * STATEMENT_SERIAL_N + 1];

	if (s == NULL)
		return json_null();
	for (size_t i = 0; i < sizeof(s->serial); i++)
		snprintf(serial + 2 * i, 3, "%02x", s->serial[i]);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s}", "file", h->file,
	    "serial", serial, "from", json_time((uint64_t)s->from), "until",
	    json_time((uint64_t)s->until), "signed",
	    json_time((uint64_t)s->signed_at), "verified_by", s->verified_by,
	    "how", s->how);
}

static json_t *
json_suspension(const struct known *k)
{
	if (!k->suspended)
		return json_null();
	return json_pack("{s:o, s:s, s:s}", "since",
	    json_time(k->suspended_ms / 1000), "why", k->why, "by", k->by);
}

static json_t *
json_system(const struct view *v, const struct system *system)
{
	const struct known *k = separation_entry(system);

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "system",
	    system->name, "body", system->body->code, "standing",
	    standing_name(standings_of(separation.page, system)), "statement",
	    json_statement(&v->statements.held[system->index]), "probe",
	    json_probe(system, k), "suspended", json_suspension(k), "incident",
	    (json_int_t)k->incident);
}

static json_t *
json_incident(const struct incident *i)
{
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

	return json_pack("{s:I, s:s, s:I, s:o, s:o, s:s, s:s, s:s, s:s}",
	    "number", (json_int_t)i->number, "where", i->where, "count",
	    (json_int_t)i->count, "opened", json_time(i->opened_ms / 1000),
	    "last", json_time(i->last_ms / 1000), "how", trip_name(&i->first),
	    "from", address_text(&i->first.from, from), "to",
	    address_text_port(&i->first.to, to), "what",
	    utf8_is_valid(bytes_of(i->first.text)) ? i->first.text : "?");
}

static enum separation_answer
list_json(const struct order *o)
{
	const struct view *v = &separation.current;
	json_t *systems = json_array();
	json_t *incidents = json_array();
	json_t *all;
	char *text;
	int result = -1;

	for (size_t i = 0; v->settings != NULL && i < v->model->systems_n; i++)
		json_array_append_new(
		    systems, json_system(v, &v->model->systems[i]));
	for (const struct incident *i = separation.incidents.open; i != NULL;
	     i = i->next)
		json_array_append_new(incidents, json_incident(i));
	all = json_pack("{s:o, s:o, s:o}", "now",
	    json_time(separation_now_ms() / 1000), "systems", systems,
	    "incidents", incidents);
	text = all == NULL ? NULL : json_dumps(all, JSON_INDENT(1));
	if (text != NULL)
		result = buf_printf(o->out, "%s\n", text);
	free(text);
	json_decref(all);
	return result < 0 ? SEPARATION_MALFORMED : SEPARATION_DONE;
}

static enum separation_answer
list(const struct order *o)
{
	if (bytes_equal(o->words[0], BYTES("json")))
		return list_json(o);
	return list_text(o,
	    bytes_equal(o->words[0], BYTES("ja")) ? LANGUAGE_JA : LANGUAGE_EN);
}

/* Suspending and restoring. */

static bool
is_reason(struct bytes b)
{
	if (bytes_trim(b).n == 0 || b.n >= WORDS_MAX || !utf8_is_valid(b))
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return true;
}

static const struct system *
named(struct bytes name)
{
	const struct view *v = &separation.current;

	return v->settings == NULL ? NULL : isolation_system(v->model, name);
}

/* "suspend NAME REASON" */
static enum separation_answer
suspend(const struct order *o)
{
	const struct system *system = named(o->words[0]);
	char why[WORDS_MAX];

	if (system == NULL)
		return refuse(o, NULL, "there is no such system");
	if (!is_reason(o->words[1]))
		return refuse(o, system,
		    "expected a reason of 1 to %d bytes in one line",
		    WORDS_MAX - 1);
	if (separation_entry(system)->suspended)
		return refuse(o, system, "%s is suspended", system->name);
	snprintf(why, sizeof(why), "%.*s", BYTES_PRINTF(o->words[1]));
	separation_suspend(&system, 1,
	    (struct suspension){ .by = o->person.name, .why = why });
	return buf_printf(o->out,
		   separation_entry(system)->unsaved
		       ? "%s: suspended, but this is not on the disk, and would"
			 " not outlast a restart\n"
		       : "%s: suspended\n",
		   system->name) < 0
	    ? SEPARATION_MALFORMED
	    : SEPARATION_DONE;
}

static void
record_restored(const struct system *system, const struct ledger_record *r)
{
	struct log_line l;

	log_begin(&l, EVENT_RESTORED, NULL);
	log_string(&l, "body", system->body->code);
	log_string(&l, "system", system->name);
	log_string(&l, "statement", r->statement);
	log_string(&l, "by", r->by);
	log_string(&l, "text", r->why);
	log_end(&l);
}

/* Of it and its namesakes, for the ledger; how many. */
static size_t
list_restored(const struct known *k, const struct ledger_record *model,
    struct ledger_record **out)
{
	const struct known *o = k;
	size_t n = 0;

	do
		n++;
	while ((o = o->namesake) != k);
	*out = calloc(n, sizeof(**out));
	must(*out != NULL);
	for (size_t i = 0; i < n; i++, o = o->namesake) {
		(*out)[i] = *model;
		memcpy((*out)[i].digest, o->digest, sizeof(o->digest));
	}
	return n;
}

/* On the disk first: what is not there is not restored. */
static enum separation_answer
restore_on(const struct order *o, const struct system *system, const char *file,
    const char *why)
{
	struct known *k = separation_entry(system);
	struct ledger_record r = {
		.kind = LEDGER_RESTORED,
		.at_ms = separation_now_ms(),
		.incident = k->incident,
		.system = system->name,
		.by = o->person.name,
		.why = why,
		.statement = file,
	};
	struct ledger_record *records;
	struct err err = { 0 };
	size_t n;
	int result;

	if (k->unsaved || separation.ledger == NULL)
		return refuse(
		    o, system, "its suspension is not on the disk yet");
	n = list_restored(k, &r, &records);
	result = ledger_append(separation.ledger, records, n, &err);
	free(records);
	if (result < 0)
		return refuse(o, system, "%s", err.text);
	for (size_t i = 0; i < n; i++, k = k->namesake)
		k->suspended = k->unsaved = false;
	separation_publish();
	record_restored(system, &r);
	if (k->incident != 0)
		separation_incident_restored(k->incident);
	separation_show();
	return buf_printf(o->out, "%s: %s\n", system->name,
		   standing_name(standings_of(separation.page, system))) < 0
	    ? SEPARATION_MALFORMED
	    : SEPARATION_DONE;
}

/* "restore NAME FILE REASON" */
static enum separation_answer
restore(const struct order *o)
{
	const struct system *system = named(o->words[0]);
	struct view *v = &separation.current;
	struct statements_question q;
	char file[NAME_MAX + 1], why[WORDS_MAX];
	const char *folder;
	struct err e = { 0 };

	if (system == NULL)
		return refuse(o, NULL, "there is no such system");
	if (!is_reason(o->words[2]))
		return refuse(o, system,
		    "expected a reason of 1 to %d bytes in one line",
		    WORDS_MAX - 1);
	if (!separation_entry(system)->suspended)
		return refuse(o, system, "%s is not suspended", system->name);
	folder = v->model->settings.statements;
	snprintf(file, sizeof(file), "%.*s",
	    (int)(o->words[1].n > NAME_MAX ? NAME_MAX : o->words[1].n),
	    (const char *)o->words[1].p);
	snprintf(why, sizeof(why), "%.*s", BYTES_PRINTF(o->words[2]));
	q = separation_question(v);
	if (statements_judge(folder, file, system, &q, &e) < 0)
		return refuse(o, system, "%s: %.400s", file, e.text);
	if (separation_reread(v, &e) < 0)
		return refuse(o, system, "%s", e.text);
	if (v->statements.held[system->index].statement == NULL ||
	    strcmp(v->statements.held[system->index].file, file) != 0)
		return refuse(o, system, "%s: %s was signed later", file,
		    v->statements.held[system->index].statement == NULL
			? "another"
			: v->statements.held[system->index].file);
	return restore_on(o, system, file, why);
}

/* "clock REASON": a clock that was ahead for a while would else end every
 * statement for as long. */
static enum separation_answer
set_clock(const struct order *o)
{
	uint64_t was = separation_now_ms();
	char why[WORDS_MAX];
	struct log_line l;
	struct err e = { 0 };

	if (!is_reason(o->words[0]))
		return refuse(o, NULL,
		    "expected a reason of 1 to %d bytes in one line",
		    WORDS_MAX - 1);
	snprintf(why, sizeof(why), "%.*s", BYTES_PRINTF(o->words[0]));
	if (separation_set_clock(o->person.name, why, &e) < 0)
		return refuse(o, NULL, "%s", e.text);
	log_begin(&l, EVENT_CLOCK_SET, NULL);
	log_number(&l, "was_s", was / 1000);
	log_number(&l, "is_s", separation_now_ms() / 1000);
	log_string(&l, "by", o->person.name);
	log_string(&l, "text", why);
	log_end(&l);
	separation_show();
	return buf_append_string(o->out, "done\n") < 0 ? SEPARATION_MALFORMED
						       : SEPARATION_DONE;
}

static const struct {
	const char *verb;
	enum separation_answer (*run)(const struct order *o);
} verbs[] = {
	{ "list", list },
	{ "suspend", suspend },
	{ "restore", restore },
	{ "clock", set_clock },
};

enum separation_answer
separation_order(struct bytes order, struct buf *out)
{
	struct order o = { .out = out };

	if (person_take(&order, &o.person) < 0)
		return SEPARATION_MALFORMED;
	o.verb = bytes_take_until(&order, '\t');
	for (size_t i = 0; i < COUNT(o.words); i++)
		o.words[i] = bytes_take_until(&order, '\t');
	if (order.n > 0)
		return SEPARATION_MALFORMED;
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (bytes_equal(o.verb, bytes_of(verbs[i].verb)))
			return verbs[i].run(&o);
	return SEPARATION_MALFORMED;
}
