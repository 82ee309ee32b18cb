/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text passes a window. A number is judged when the window holds
 * LOOK_BEHIND bytes before it and LOOK_AHEAD behind it (or the text's ends), so
 * that the verdict does not depend on how the text was cut. Text without digits
 * is only searched for digits (and for keywords, when there are such).
 */
#include "filters/dlp/dlp.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "filters/dlp/canary.h"
#include "filters/dlp/context.h"
#include "filters/dlp/fold.h"
#include "filters/dlp/found.h"
#include "filters/dlp/resident.h"
#include "filters/dlp/table.h"

#define WINDOW ((size_t)16384)
#define LOOK_BEHIND ((size_t)1100) /* a word may begin before the reach */
#define LOOK_AHEAD (CHAIN_BYTES_MAX + (size_t)1100)
_Static_assert(LOOK_AHEAD + FOLD_KEPT_MAX < DLP_LAG, "dlp.h promises it");
#define FOREIGN 60 /* taken off behind the label of something else */
#define DOUBT 40   /* taken off what may well be something else */

const struct dlp_settings dlp_defaults = {
	.at = {
		[DLP_INDIVIDUAL] = { .log_at = 1, .warn_at = 1, .block_at = 1 },
		[DLP_PENSION] = { .log_at = 1, .warn_at = 1, .block_at = 5 },
		[DLP_CARD] = { .log_at = 1, .warn_at = 1, .block_at = 5 },
		[DLP_ACCOUNT] = { .log_at = 1, .warn_at = 3, .block_at = 20 },
		[DLP_LICENCE] = { .log_at = 1, .warn_at = 1, .block_at = 5 },
		[DLP_RESIDENT] = { .log_at = 3, .warn_at = 5, .block_at = 20 },
		[DLP_KEYWORD] = { .log_at = 1, .warn_at = 1 },
		[DLP_CANARY] = { .block_at = 1 },
	},
	.confidence_min = 70,
	.density_min = 5,
	.context_bytes = 24,
};

struct dlp_rules {
	struct dlp_settings settings; /* key is our copy, keywords are unset */
	struct words *words;
	bool judges; /* any kind that surroundings decide on */
	uint8_t key[DLP_KEY_MAX];
	size_t keywords_n;
	char (*keywords)[WORD_BYTES_MAX + 1];
	struct canaries *canaries;
	size_t markers_n; /* behind the keywords in the automaton */
	struct canary_word *markers;
};

struct dlp {
	const struct dlp_rules *rules;
	struct words_sink sink;
	struct fold fold;
	uint64_t base;     /* offset of window[0] in the folded text */
	size_t n;          /* bytes in the window */
	size_t at;         /* up to here digits were looked for */
	uint64_t words_at; /* up to here words were looked for */
	uint16_t words_state;
	uint64_t bytes;
	uint32_t keyword_hits[WORDS_MAX];
	uint32_t canary_hits[DLP_CANARIES_MAX];
	struct canary_roll roll;
	uint32_t sure[DLP_KINDS]; /* distinct ones that count, so far */
	struct chain chain;
	struct context context;
	struct table table;
	struct resident resident;
	struct found found;
	uint8_t window[WINDOW];
};

const char *
dlp_kind_name(enum dlp_kind k)
{
	static const char *const names[DLP_KINDS] = {
		[DLP_INDIVIDUAL] = "individual",
		[DLP_PENSION] = "pension",
		[DLP_CARD] = "card",
		[DLP_ACCOUNT] = "account",
		[DLP_LICENCE] = "licence",
		[DLP_CORPORATE] = "corporate",
		[DLP_RESIDENT] = "resident",
		[DLP_KEYWORD] = "keyword",
		[DLP_CANARY] = "canary",
	};

	return k < DLP_KINDS ? names[k] : "";
}

const char *
dlp_verdict_name(enum dlp_verdict v)
{
	switch (v) {
	case DLP_BLOCK:
		return "block";
	case DLP_WARN:
		return "warn";
	case DLP_LOG:
		return "log";
	case DLP_PASS:
		return "pass";
	}
	return "block";
}

/* Keywords and markers are one automaton's. */
static struct words *
make_words(
    const struct dlp_rules *r, const struct dlp_settings *s, struct err *e)
{
	const char **all;
	struct words *w;

	if (s->keywords_n + r->markers_n > WORDS_MAX) {
		err_set(e, "more than %d keywords", WORDS_MAX);
		return NULL;
	}
	all = calloc(s->keywords_n + r->markers_n + 1, sizeof(*all));
	must(all != NULL);
	for (size_t i = 0; i < s->keywords_n; i++)
		all[i] = s->keywords[i];
	for (size_t i = 0; i < r->markers_n; i++)
		all[s->keywords_n + i] = r->markers[i].text;
	w = words_new(all, s->keywords_n + r->markers_n, e);
	free(all);
	return w;
}

static bool
judges(const struct dlp_settings *s)
{
	for (size_t k = 0; k < DLP_POLICY_KINDS; k++)
		if (s->at[k].log_at + s->at[k].warn_at + s->at[k].block_at > 0)
			return true;
	return false;
}

struct dlp_rules *
dlp_rules_new(const struct dlp_settings *s, struct err *e)
{
	struct dlp_rules *r = calloc(1, sizeof(*r));

	must(r != NULL);
	r->canaries = canaries_new(s->canaries, s->canaries_n);
	r->markers_n = canaries_words(r->canaries, NULL);
	r->markers = calloc(r->markers_n + 1, sizeof(*r->markers));
	must(r->markers != NULL);
	canaries_words(r->canaries, r->markers);
	if (s->key.n > DLP_KEY_MAX) {
		err_set(e, "the key has %zu bytes; at most %d are expected",
		    s->key.n, DLP_KEY_MAX);
		goto free_rules;
	}
	r->judges = judges(s);
	r->words = make_words(r, s, e);
	if (r->words == NULL)
		goto free_rules;
	r->settings = *s;
	if (s->key.n > 0)
		memcpy(r->key, s->key.p, s->key.n);
	r->settings.key.p = r->key;
	r->settings.keywords = NULL;
	r->settings.canaries = NULL;
	r->keywords_n = s->keywords_n;
	r->keywords = calloc(s->keywords_n + 1, sizeof(*r->keywords));
	must(r->keywords != NULL);
	for (size_t i = 0; i < s->keywords_n; i++)
		memcpy(r->keywords[i], s->keywords[i], strlen(s->keywords[i]));
	return r;

free_rules:
	dlp_rules_free(r);
	return NULL;
}

void
dlp_rules_use_key(struct dlp_rules *r, struct bytes key)
{
	must(key.n <= DLP_KEY_MAX);
	memcpy(r->key, key.p, key.n);
	r->settings.key.n = key.n;
}

void
dlp_rules_free(struct dlp_rules *r)
{
	if (r == NULL)
		return;
	words_free(r->words);
	free(r->keywords);
	if (r->markers != NULL)
		OPENSSL_cleanse(r->markers, r->markers_n * sizeof(*r->markers));
	free(r->markers);
	canaries_free(r->canaries);
	OPENSSL_cleanse(r, sizeof(*r));
	free(r);
}

static void
take_word(struct words_sink *s, struct word_hit hit)
{
	struct dlp *d = CONTAINER(s, struct dlp, sink);

	context_add(&d->context, d->base + hit.end, hit.n, hit.class);
}

static void
see_canary(struct dlp *d, int index)
{
	if (index >= 0)
		d->sure[DLP_CANARY] += d->canary_hits[index]++ == 0;
}

static void
take_keyword(struct words_sink *s, size_t index)
{
	struct dlp *d = CONTAINER(s, struct dlp, sink);
	size_t keywords_n = d->rules->keywords_n;

	if (index < keywords_n)
		d->sure[DLP_KEYWORD] += d->keyword_hits[index]++ == 0;
	else
		see_canary(d, d->rules->markers[index - keywords_n].canary);
}

struct dlp *
dlp_new(const struct dlp_rules *r)
{
	struct dlp *d = calloc(1, sizeof(*d));

	must(d != NULL);
	d->rules = r;
	d->sink = (struct words_sink){ take_word, take_keyword };
	table_init(&d->table);
	return d;
}

void
dlp_free(struct dlp *d)
{
	if (d == NULL)
		return;
	OPENSSL_cleanse(d, sizeof(*d));
	free(d);
}

/* Whether words are looked for everywhere. */
static bool
has_keywords(const struct dlp *d)
{
	return d->rules->keywords_n + d->rules->markers_n > 0;
}

/* Looks for words up to `to`; without keywords only around numbers. */
static void
find_words(struct dlp *d, size_t from, size_t to)
{
	size_t at = d->words_at < d->base ? 0 : (size_t)(d->words_at - d->base);

	if (!has_keywords(d) && at < from) {
		at = from;
		d->words_state = 0;
	}
	if (at >= to)
		return;
	words_run(d->rules->words, &d->words_state,
	    (struct bytes){ d->window, d->n }, at, to, &d->sink);
	d->words_at = d->base + to;
}

static struct bytes
text_of(const struct dlp *d)
{
	return (struct bytes){ d->window, d->n };
}

static bool
is_near(const struct dlp *d, enum word_class class, const struct candidate *c)
{
	size_t from = c->begin > CONTEXT_REACH ? c->begin - CONTEXT_REACH : 0;

	return context_has(&d->context, class, d->base + from,
	    d->base + c->end + CONTEXT_REACH);
}

static enum context_label
label_of(
    const struct dlp *d, const struct candidate *c, struct table_place where)
{
	enum word_class own = c->detector->word;

	/* The heading's word decides over what stands in the cell before. */
	if (where.heading != WORD_CLASSES) {
		enum context_label says = context_agree(own, where.heading);

		if (says != CONTEXT_NONE)
			return says;
	}
	return context_label(&d->context, own, d->base + c->begin,
	    (struct bytes){ d->window, c->begin });
}

static bool
is_about_a_person(const struct dlp *d, const struct candidate *c)
{
	return c->detector->kind == DLP_INDIVIDUAL &&
	    is_near(d, WORD_NAME, c) && is_near(d, WORD_BIRTH, c);
}

static uint32_t
judge(const struct dlp *d, const struct candidate *c, struct table_place where)
{
	const struct detector *by = c->detector;
	uint32_t sure = by->alone;

	switch (label_of(d, c, where)) {
	case CONTEXT_FOREIGN:
		return sure > FOREIGN ? sure - FOREIGN : 0;
	case CONTEXT_OWN:
		sure += by->label;
		break;
	case CONTEXT_NONE:
		if (is_near(d, by->word, c) || is_about_a_person(d, c))
			sure += by->near;
		break;
	}
	if (by->helped > 0 && is_near(d, by->helper, c))
		sure += by->helped;
	if (c->doubtful)
		sure = sure > DOUBT ? sure - DOUBT : 0;
	return sure > 100 ? 100 : sure;
}

/* How many bytes of an unfinished sign the text ends with. */
static size_t
unfinished(const char *p, size_t n)
{
	size_t back = 0;
	uint8_t lead;

	while (
	    back < 3 && back < n && ((uint8_t)p[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == n)
		return back;
	lead = (uint8_t)p[n - 1 - back];
	if (lead < 0xc0)
		return 0;
	return back + 1 < (lead >= 0xf0          ? 4U
				  : lead >= 0xe0 ? 3U
						 : 2U)
	    ? back + 1
	    : 0;
}

static void
mask(struct bytes text, char out[DLP_CONTEXT_MAX])
{
	size_t n = 0;

	while (text.n > 0 && (text.p[0] & 0xc0) == 0x80)
		bytes_take(&text, 1);
	while (text.n > 0 && n + sizeof("●") < DLP_CONTEXT_MAX) {
		uint8_t c = *bytes_take(&text, 1).p;

		if (c >= '0' && c <= '9') {
			memcpy(out + n, "●", sizeof("●") - 1);
			n += sizeof("●") - 1;
		} else {
			out[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
		}
	}
	out[n - unfinished(out, n)] = 0;
}

static bool
is_field_border(uint8_t c)
{
	return c == DLP_FIELD || c == DLP_RECORD;
}

static void
take_context(struct dlp *d, struct found_entry *e, const struct candidate *c)
{
	size_t reach = d->rules->settings.context_bytes;
	size_t from = c->begin > reach ? c->begin - reach : 0;
	size_t to = d->n - c->end > reach ? c->end + reach : d->n;
	char *context;

	if (reach == 0)
		return;
	/* Other fields and records are nobody's business. */
	for (size_t i = from; i < c->begin; i++)
		if (is_field_border(d->window[i]))
			from = i + 1;
	for (size_t i = c->end; i < to; i++)
		if (is_field_border(d->window[i]))
			to = i;
	context = found_context(&d->found, e);
	if (context != NULL)
		mask((struct bytes){ d->window + from, to - from }, context);
}

/* Once for each; those that found no room are counted at each place. */
static void
count_sure(struct dlp *d, enum dlp_kind kind, struct found_entry *e)
{
	if (e == NULL)
		d->found.sure_more[kind]++;
	if (e == NULL || !e->sure)
		d->sure[kind]++;
	if (e != NULL)
		e->sure = true;
}

/* Of what a run of digits may be the surest; of equals the first in the table.
 * How far it reaches, or 0. */
static size_t
judge_group(struct dlp *d, size_t first, struct table_place where)
{
	const uint8_t digits = d->chain.groups[first].n;
	struct candidate best = { 0 };
	uint32_t sure = 0;
	struct found_entry *e;
	bool sure_enough;

	for (size_t i = 0; i < detectors_n; i++) {
		struct candidate c;
		uint32_t now;

		if ((uint8_t)detectors[i].shape[0] != digits ||
		    !kinds_match(
			&detectors[i], &d->chain, first, text_of(d), &c))
			continue;
		if (!c.valid) {
			d->found.invalid[c.detector->kind]++;
			table_count(&d->table, where, &c, false);
			continue;
		}
		now = judge(d, &c, where);
		if (best.detector == NULL || now > sure) {
			best = c;
			sure = now;
		}
	}
	if (best.detector == NULL)
		return 0;
	e = found_add(&d->found, &best, sure, where.column);
	table_count(&d->table, where, &best, e != NULL && e->hits == 1);
	sure_enough = sure >= d->rules->settings.confidence_min;
	if (sure_enough)
		count_sure(d, best.detector->kind, e);
	if (e != NULL && sure_enough)
		take_context(d, e, &best);
	return best.end;
}

static void
walk_table(struct dlp *d, size_t to)
{
	table_walk(&d->table, text_of(d), d->base, d->base + to, &d->context,
	    &d->found, &d->rules->settings);
}

/* Enough digits for a number, or a date. */
static bool
is_worth_a_look(const struct dlp *d)
{
	const struct chain *c = &d->chain;
	const struct bytes rest = { d->window + c->end, d->n - c->end };

	return c->digits_n >= 7 || c->groups_n >= 3 ||
	    bytes_start_with(rest, BYTES("年"));
}

/* A single digit behind another begins no number: its first one did. */
static bool
goes_on(const struct chain_group *before, const struct chain_group *g)
{
	return before->n == 1 && g->n == 1 &&
	    (g->link == before->link || g->link == CHAIN_END);
}

static void
judge_chain(struct dlp *d)
{
	const struct chain *c = &d->chain;
	size_t to = c->end + CONTEXT_REACH;
	size_t taken = 0;

	if (!is_worth_a_look(d))
		return;
	find_words(d, c->begin > LOOK_BEHIND ? c->begin - LOOK_BEHIND : 0,
	    to < d->n ? to : d->n);
	for (size_t i = 0; i < c->groups_n; i++) {
		struct table_place where;

		if (c->groups[i].begin < taken ||
		    (i > 0 && goes_on(&c->groups[i - 1], &c->groups[i])))
			continue;
		walk_table(d, c->groups[i].begin);
		where = table_place(&d->table, text_of(d), d->base);
		taken = judge_group(d, i, where);
	}
	resident_look(&d->resident, c,
	    &(struct resident_view){
		text_of(d), d->base, &d->context, &d->table });
}

/* Judges what begins before limit; all behind it stands in the window. */
static void
look(struct dlp *d, size_t limit)
{
	if (!d->rules->judges && d->at < limit)
		d->at = limit;
	while (d->at < limit) {
		d->at = chain_next_digit(d->window, d->at, limit);
		if (d->at == limit)
			break;
		chain_read(&d->chain, text_of(d), d->at);
		judge_chain(d);
		d->at = d->chain.end;
	}
	if (has_keywords(d))
		find_words(d, 0, limit);
}

static void
shift(struct dlp *d)
{
	size_t gone = d->at > LOOK_BEHIND ? d->at - LOOK_BEHIND : 0;

	memmove(d->window, d->window + gone, d->n - gone);
	d->n -= gone;
	d->at -= gone;
	d->base += gone;
	/* The chain remembers where it ended, for one that goes on there. */
	d->chain.end -= d->chain.end > gone ? gone : d->chain.end;
}

/* Numbers that are registered need no check digit, no words near them, and no
 * borders: chance makes no such twelve digits. */
static void
find_canaries(struct dlp *d, struct bytes text)
{
	while (text.n > 0)
		see_canary(
		    d, canaries_roll(d->rules->canaries, &d->roll, &text));
}

void
dlp_feed(struct dlp *d, struct bytes text)
{
	d->bytes += text.n;
	while (text.n > 0) {
		struct bytes piece =
		    bytes_take(&text, WINDOW - d->n - FOLD_KEPT_MAX);

		size_t folded = fold_push(&d->fold, piece, d->window + d->n);

		find_canaries(d, (struct bytes){ d->window + d->n, folded });
		d->n += folded;
		if (d->n < WINDOW - FOLD_KEPT_MAX - 1)
			continue;
		look(d, d->n - LOOK_AHEAD);
		shift(d);
	}
}

void
dlp_border(struct dlp *d, uint8_t border)
{
	dlp_feed(d, (struct bytes){ &border, 1 });
	d->bytes--;
}

/* Of what is sure by itself. */
static void
report_one(struct dlp_report *out, enum dlp_kind kind, uint32_t hits,
    const char *context)
{
	struct dlp_count *c = &out->kinds[kind];
	struct dlp_finding *to = &out->findings[out->findings_n];

	if (hits == 0)
		return;
	c->distinct++;
	c->hits += hits;
	c->confidence = 100;
	if (out->findings_n == DLP_FINDINGS_MAX)
		return;
	out->findings_n++;
	*to = (struct dlp_finding){ kind, 100, hits, { 0 }, { 0 } };
	snprintf(to->context, sizeof(to->context), "%s", context);
}

static void
report_keywords(const struct dlp *d, struct dlp_report *out)
{
	for (size_t i = 0; i < d->rules->keywords_n; i++)
		report_one(out, DLP_KEYWORD, d->keyword_hits[i],
		    d->rules->keywords[i]);
}

static void
report_canaries(const struct dlp *d, struct dlp_report *out)
{
	for (size_t i = 0; i < canaries_count(d->rules->canaries); i++)
		report_one(out, DLP_CANARY, d->canary_hits[i],
		    canaries_name(d->rules->canaries, i));
}

static enum dlp_verdict
verdict_of(uint32_t distinct, const struct dlp_threshold *at)
{
	if (at->block_at > 0 && distinct >= at->block_at)
		return DLP_BLOCK;
	if (at->warn_at > 0 && distinct >= at->warn_at)
		return DLP_WARN;
	if (at->log_at > 0 && distinct >= at->log_at)
		return DLP_LOG;
	return DLP_PASS;
}

enum dlp_verdict
dlp_so_far(struct dlp *d)
{
	enum dlp_verdict strictest = DLP_PASS;

	if (d->n > LOOK_AHEAD)
		look(d, d->n - LOOK_AHEAD);
	d->sure[DLP_RESIDENT] = resident_count(&d->resident);
	for (size_t k = 0; k < DLP_KINDS; k++) {
		enum dlp_verdict v =
		    verdict_of(d->sure[k], &d->rules->settings.at[k]);

		if (v < strictest)
			strictest = v;
	}
	return strictest;
}

bool
dlp_has_canaries(const struct dlp *d)
{
	return canaries_count(d->rules->canaries) > 0;
}

bool
dlp_wants_files(const struct dlp *d)
{
	return canaries_have_files(d->rules->canaries);
}

void
dlp_file(struct dlp *d, const uint8_t digest[DLP_DIGEST_BYTES])
{
	see_canary(d, canaries_digest(d->rules->canaries, digest));
}

uint64_t
dlp_position(const struct dlp *d)
{
	return d->base + d->n;
}

void
dlp_end(struct dlp *d, struct dlp_report *out)
{
	const struct dlp_settings *s = &d->rules->settings;
	struct dlp_count *residents = &out->kinds[DLP_RESIDENT];
	size_t folded = fold_end(&d->fold, d->window + d->n);

	*out = (struct dlp_report){ .verdict = DLP_PASS, .bytes = d->bytes };
	find_canaries(d, (struct bytes){ d->window + d->n, folded });
	d->n += folded;
	look(d, d->n);
	table_close(&d->table, &d->found, s);
	/* First: there is room for so many. */
	report_canaries(d, out);
	found_report(&d->found, s, out);
	report_keywords(d, out);
	residents->distinct = residents->hits = resident_count(&d->resident);
	residents->confidence = residents->distinct > 0 ? 90 : 0;
	for (size_t k = 0; k < DLP_KINDS; k++) {
		out->kinds[k].verdict =
		    verdict_of(out->kinds[k].distinct, &s->at[k]);
		if (out->kinds[k].verdict < out->verdict)
			out->verdict = out->kinds[k].verdict;
	}
}
