/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge: what the loaded rules decide together: what must hold, then the first
 * choice from the lowest layer up, then who lets others have tunnels
 * (docs/POLICY.md, section 1).
 */
#include "proxy/policy/compiled.h"
#include "proxy/policy/index.h"

/* Decisions that no file can loosen, and the one behind the last rule. */
static const struct rule unknown_source = {
	.name = "builtin:unknown-source",
	.reason_ja = "接続元のアドレスが登録されていません。",
	.reason_en = "The address you come from is not registered.",
};
static const struct rule mynumber_zone = {
	.name = "builtin:mynumber",
	.reason_ja = "マイナンバー利用事務系からは外部へ接続できません。",
	.reason_en = "The My Number zone has no way out.",
};
static const struct rule odd_port = {
	.name = "builtin:port",
	.reason_ja = "この宛先ポートへの接続は許可されていません。",
	.reason_en = "This destination port is not permitted.",
};
static const struct rule no_rule = {
	.name = "builtin:no-rule",
	.reason_ja = "接続を許可する規則がありません。",
	.reason_en = "No rule permits this destination.",
};

/* A rule that needs more than a name and a port waits for the requests. */
static const struct rule decrypt = {
	.name = "builtin:decrypt",
	.verdict = VERDICT_ALLOW,
	.reason_ja = "復号し、要求ごとに判定します。",
	.reason_en = "It is decrypted, and each request is judged.",
};

static bool
port_permitted(const struct zone *z, uint16_t port)
{
	for (size_t i = 0; i < z->ports_n; i++)
		if (z->ports[i] == port)
			return true;
	return z->ports_n == 0 && (port == 80 || port == 443);
}

static const struct rule *
builtin(const struct query *q)
{
	if (q->segment == NULL)
		return &unknown_source;
	if (q->segment->zone->kind == ZONE_MYNUMBER)
		return &mynumber_zone;
	if (!port_permitted(q->segment->zone, q->url->port))
		return &odd_port;
	return NULL;
}

static bool
only_reads(const struct query *q)
{
	return !q->upgrade &&
	    (bytes_equal(q->method, BYTES("GET")) ||
		bytes_equal(q->method, BYTES("HEAD")));
}

/* What the rule says of this request. Of CONNECT not all is said yet. */
static enum verdict
verdict_on(const struct rule *r, const struct judging *j)
{
	const struct query *q = j->query;

	if (r->verdict == VERDICT_READ_ONLY)
		return j->connecting || only_reads(q) ? VERDICT_ALLOW
						      : VERDICT_BLOCK;
	/* The user is asked on a page, for which it must be decrypted. */
	if (r->verdict == VERDICT_WARN &&
	    (j->connecting || (q->went_on != NULL && q->went_on(q->owner, r))))
		return VERDICT_ALLOW;
	return r->verdict;
}

/* What the rules say, each part of it. */
struct findings {
	const struct conditions *floor; /* the strictest that must hold */
	const struct conditions *choice;
	bool later_must;   /* more may have to hold, by path or method */
	bool later_choice; /* another may come first */
	bool later_opens;  /* and not block */
};

struct walk {
	const struct policy *p;
	const struct judging *j;
	size_t words;
	uint64_t candidates[INDEX_WORDS];
	struct decision *decision; /* whose effects are collected */
};

/* The first candidate in [from, to); `to` when there is none. */
static size_t
next_candidate(const struct walk *w, size_t from, size_t to)
{
	while (from < to) {
		uint64_t word = w->candidates[from / 64] >> from % 64;

		if (word != 0) {
			from += (size_t)__builtin_ctzll(word);
			return from < to ? from : to;
		}
		from = (from / 64 + 1) * 64;
	}
	return to;
}

static void
collect(struct decision *d, const struct conditions *c)
{
	d->inspections |= c->rule.inspections;
	d->detail |= c->rule.detail;
	if (c->rule.fields_n == 0 && c->rule.connect_to.n == 0)
		return;
	must(d->effects_n < POLICY_EFFECTS_MAX);
	d->effects[d->effects_n++] = &c->rule;
}

struct bytes
decision_connect_to(const struct decision *d)
{
	for (size_t i = 0; i < d->effects_n; i++)
		if (d->effects[i]->connect_to.n > 0)
			return d->effects[i]->connect_to;
	return (struct bytes){ 0 };
}

const struct field_effect *
decision_field(const struct decision *d, struct bytes name)
{
	for (size_t i = 0; i < d->effects_n; i++)
		for (size_t k = 0; k < d->effects[i]->fields_n; k++)
			if (bytes_equal_nocase(
				d->effects[i]->fields[k].name, name))
				return &d->effects[i]->fields[k];
	return NULL;
}

/* A released block is out of the way, as if it were not there: what is behind
 * it decides. To show its form a CONNECT is decrypted, if that lets any pass.
 */
static bool
steps_aside(const struct rule *r, const struct judging *j)
{
	const struct query *q = j->query;

	return r->verdict == VERDICT_BLOCK && r->release &&
	    (j->connecting || (q->went_on != NULL && q->went_on(q->owner, r)));
}

static void
find_floor(struct walk *w, struct findings *f)
{
	const struct policy *p = w->p;

	for (size_t i = next_candidate(w, 0, p->choices); i < p->choices;
	     i = next_candidate(w, i + 1, p->choices)) {
		const struct conditions *c = &p->rules[i];
		enum match m = rule_match(c, w->j);

		if (m == MATCH_YES && steps_aside(&c->rule, w->j))
			m = w->j->connecting ? MATCH_LATER : MATCH_NO;
		f->later_must |= m == MATCH_LATER;
		if (m != MATCH_YES)
			continue;
		collect(w->decision, c);
		if (f->floor == NULL ||
		    verdict_on(&c->rule, w->j) <
			verdict_on(&f->floor->rule, w->j))
			f->floor = c;
	}
}

static void
find_choice(struct walk *w, struct findings *f)
{
	const struct policy *p = w->p;

	for (size_t i = next_candidate(w, p->choices, p->grants); i < p->grants;
	     i = next_candidate(w, i + 1, p->grants)) {
		const struct conditions *c = &p->rules[i];
		enum match m = rule_match(c, w->j);

		if (m == MATCH_YES && steps_aside(&c->rule, w->j))
			m = w->j->connecting ? MATCH_LATER : MATCH_NO;
		if (m == MATCH_YES) {
			f->choice = c;
			return;
		}
		f->later_choice |= m == MATCH_LATER;
		f->later_opens |= m == MATCH_LATER &&
		    verdict_on(&c->rule, w->j) != VERDICT_BLOCK;
	}
}

/* Whether a layer above lets this one have a tunnel there: by saying so, or by
 * a tunnel of its own. */
static bool
may_tunnel(const struct walk *w, const struct conditions *tunnel)
{
	const struct policy *p = w->p;
	enum layer layer = tunnel->rule.layer;

	if (layer == LAYER_NATIONAL)
		return true;
	for (size_t i = next_candidate(w, p->choices, p->rules_n);
	     i < p->rules_n; i = next_candidate(w, i + 1, p->rules_n)) {
		const struct conditions *c = &p->rules[i];

		if (c->rule.layer < layer &&
		    c->rule.verdict >= VERDICT_TUNNEL &&
		    (c->rule.verdict == VERDICT_TUNNEL ||
			(c->to >> layer & 1) != 0) &&
		    rule_match(c, w->j) == MATCH_YES)
			return true;
	}
	return false;
}

static void
find(struct walk *w, struct findings *f)
{
	*f = (struct findings){ 0 };
	w->words = index_candidates(w->p->index, w->j, w->candidates);
	find_floor(w, f);
	find_choice(w, f);
}

static const char *
category_name(
    const struct policy *p, const struct conditions *c, const struct judging *j)
{
	uint64_t both = rule_categories(c, j);

	return both == 0
	    ? NULL
	    : lists_category_name(p->lists, (unsigned)__builtin_ctzll(both));
}

static void
decide(struct walk *w, const struct conditions *c)
{
	w->decision->verdict = verdict_on(&c->rule, w->j);
	w->decision->rule = &c->rule;
	w->decision->category = category_name(w->p, c, w->j);
}

/* What must hold is told when both say the same. */
static const struct conditions *
stricter(const struct walk *w, const struct conditions *floor,
    const struct conditions *choice)
{
	return floor != NULL &&
		verdict_on(&floor->rule, w->j) <=
		    verdict_on(&choice->rule, w->j)
	    ? floor
	    : choice;
}

static void
settle(struct walk *w, const struct findings *f)
{
	const struct conditions *c = f->choice;

	if (c == NULL)
		return; /* no rule: blocked */
	collect(w->decision, c);
	decide(w, stricter(w, f->floor, c));
}
struct decision
policy_judge(const struct policy *p, const struct query *q)
{
	const struct rule *fixed = builtin(q);
	struct decision d = { .rule = &no_rule };
	struct walk w = { .p = p, .decision = &d };
	struct judging j;
	struct findings f;

	if (fixed != NULL) {
		d.rule = fixed;
		return d;
	}
	judging_begin(&j, p, q, false);
	w.j = &j;
	find(&w, &f);
	settle(&w, &f);
	/* A tunnel is opened by CONNECT or not at all: what comes as a
	 * request (plain HTTP, or inside TLS that was decrypted) passes. */
	if (d.verdict == VERDICT_TUNNEL)
		d.verdict = VERDICT_ALLOW;
	d.inspections |= p->always;
	return d;
}

/*
 * Rules that ask for path or method say later. What is blocked whatever they
 * will say is blocked here, and the destination is told nothing; what they
 * cannot touch is settled here; else it is decrypted, so that they are asked.
 */
static void
settle_connect(struct walk *w, const struct findings *f)
{
	const struct conditions *c = f->choice;
	bool blocked = c == NULL || verdict_on(&c->rule, w->j) == VERDICT_BLOCK;

	if (f->floor != NULL &&
	    verdict_on(&f->floor->rule, w->j) == VERDICT_BLOCK) {
		decide(w, f->floor);
		return;
	}
	if (blocked && !f->later_opens) {
		if (c != NULL)
			decide(w, c);
		return;
	}
	w->decision->verdict = VERDICT_ALLOW;
	w->decision->rule = &decrypt;
	if (blocked || f->later_choice || f->later_must)
		return;
	decide(w, stricter(w, f->floor, c));
	/* What is asked of requests is asked behind the decryption. */
	if (w->decision->verdict != VERDICT_TUNNEL || !may_tunnel(w, c))
		w->decision->verdict = VERDICT_ALLOW;
}
struct decision
policy_judge_connect(const struct policy *p, const struct query *q)
{
	const struct rule *fixed = builtin(q);
	struct decision d = { .rule = &no_rule };
	struct walk w = { .p = p, .decision = &d };
	struct url authority = *q->url;
	struct query known = *q;
	struct judging j;
	struct findings f;

	if (fixed != NULL) {
		d.rule = fixed;
		return d;
	}
	authority.target = authority.path = (struct bytes){ 0 };
	authority.path_canonical = authority.path_loose = (struct bytes){ 0 };
	known.url = &authority;
	judging_begin(&j, p, &known, true);
	w.j = &j;
	find(&w, &f);
	settle_connect(&w, &f);
	return d;
}

size_t
policy_judge_steps(const struct policy *p, const struct query *q,
    struct decision out[POLICY_STEPS_MAX])
{
	size_t n = 0;

	if (q->url->scheme == SCHEME_HTTPS) {
		out[n++] = policy_judge_connect(p, q);
		if (out[0].verdict != VERDICT_ALLOW ||
		    bytes_equal(q->method, BYTES("CONNECT")))
			return n;
	}
	out[n++] = policy_judge(p, q);
	return n;
}

void
policy_opinions(
    const struct policy *p, const struct query *q, struct opinion out[LAYERS])
{
	struct judging j;

	memset(out, 0, LAYERS * sizeof(*out));
	if (builtin(q) != NULL)
		return;
	judging_begin(&j, p, q, false);
	for (size_t i = 0; i < p->grants; i++) {
		const struct rule *r = &p->rules[i].rule;
		struct opinion *o = &out[r->layer];

		if (rule_match(&p->rules[i], &j) != MATCH_YES)
			continue;
		if (!r->must && o->chosen == NULL)
			o->chosen = r;
		if (r->must &&
		    (o->must == NULL ||
			verdict_on(r, &j) < verdict_on(o->must, &j)))
			o->must = r;
	}
}
