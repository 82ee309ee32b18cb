/* SPDX-License-Identifier: Apache-2.0 */
/* match: whether one rule matches a request, or may when more is known. */
#include "proxy/policy/compiled.h"
#include "proxy/policy/pattern.h"
#include "proxy/policy/reputation.h"
#include "proxy/policy/urlset.h"

/* Who tightens means a path however a server reads it; who loosens, only what
 * no server can read as another. */
static bool
tightens(const struct conditions *c)
{
	return c->rule.must || c->rule.verdict < VERDICT_ALLOW;
}

bool
rule_match_zone(const struct conditions *c, const struct zone *z)
{
	bool listed = c->destinations_n + c->urls_n + c->addresses_n > 0;
	bool opens = !c->rule.must && c->rule.verdict != VERDICT_BLOCK;

	for (size_t i = 0; i < c->zones_n; i++)
		if (c->zones[i] == z)
			return z->kind != ZONE_LGWAN || listed || !opens;
	/* To LGWAN only what is listed for it by name is open. */
	return c->zones_n == 0 && (z->kind == ZONE_INTERNET || !opens);
}

bool
rule_match_body(const struct conditions *c, const struct body *b)
{
	if (c->body != NULL && c->body != b)
		return false;
	for (size_t i = 0; i < c->bodies_n; i++)
		if (c->bodies[i] == b)
			return true;
	return c->bodies_n == 0;
}

bool
rule_match_section(const struct conditions *c, const struct section *s)
{
	return c->section == NULL || c->section == s;
}

bool
rule_host_below(struct bytes host, struct bytes name)
{
	return bytes_end_with(host, name) &&
	    (host.n == name.n || host.p[host.n - name.n - 1] == '.');
}

static bool
match_destination(const struct conditions *c, const struct url *u)
{
	for (size_t i = 0; i < c->destinations_n; i++)
		if (u->is_address
			? bytes_equal(u->host, c->destinations[i])
			: rule_host_below(u->host, c->destinations[i]))
			return true;
	return c->destinations_n == 0;
}

static bool
match_address(const struct conditions *c, const struct url *u)
{
	if (c->addresses_n == 0)
		return true;
	return u->is_address &&
	    prefixes_contain(c->addresses, c->addresses_n, &u->address);
}

static bool
match_port(const struct conditions *c, const struct url *u)
{
	for (size_t i = 0; i < c->ports_n; i++)
		if (c->ports[i] == u->port)
			return true;
	return c->ports_n == 0;
}

static bool
match_hours(const struct conditions *c, time_t now)
{
	for (size_t i = 0; i < c->hours_n; i++)
		if (hours_contain(&c->hours[i], now))
			return true;
	return c->hours_n == 0;
}

/* RFC 9110: methods are compared as they stand. */
static enum match
match_method(const struct conditions *c, const struct judging *j)
{
	if (c->methods.n == 0)
		return MATCH_YES;
	if (j->connecting)
		return MATCH_LATER;
	for (size_t i = 0; i < c->methods.n; i++)
		if (bytes_equal(bytes_of(c->methods.p[i]), j->query->method))
			return MATCH_YES;
	return MATCH_NO;
}

/* /a covers /a and /a/b; /a/ covers what lies below it; neither /ab. */
static bool
path_below(struct bytes path, struct bytes prefix)
{
	return bytes_start_with(path, prefix) &&
	    (path.n == prefix.n || prefix.p[prefix.n - 1] == '/' ||
		path.p[prefix.n] == '/');
}

static bool
url_below(
    const struct conditions *c, const struct url *u, const struct url *rule)
{
	bool canonical = path_below(u->path_canonical, rule->path_canonical);
	bool loose = path_below(u->path_loose, rule->path_loose);

	return tightens(c) ? canonical || loose : canonical && loose;
}

static enum match
match_url(const struct conditions *c, const struct judging *j)
{
	const struct url *u = j->query->url;

	if (c->urls_n == 0)
		return MATCH_YES;
	for (size_t i = 0; i < c->urls_n; i++) {
		const struct url *rule = &c->urls[i];

		if (rule->scheme != u->scheme || !url_same_origin(rule, u))
			continue;
		if (j->connecting)
			return MATCH_LATER;
		if (url_below(c, u, rule))
			return MATCH_YES;
	}
	return MATCH_NO;
}

/* One reading of the path is enough for who tightens; both for who loosens. */
static bool
pattern_holds(
    const struct conditions *c, const struct pattern *p, const struct url *u)
{
	const struct bytes paths[] = { u->path_canonical, u->path_loose };
	size_t readings = bytes_equal(paths[0], paths[1]) ? 1 : 2;

	for (size_t i = 0; i < readings; i++) {
		enum pattern_answer answer = pattern_match(p, u, paths[i]);
		bool yes = answer == PATTERN_YES ||
		    (answer == PATTERN_TOO_MUCH && tightens(c));

		if (yes == tightens(c))
			return yes;
	}
	return !tightens(c);
}

static enum match
match_pattern(const struct conditions *c, const struct judging *j)
{
	if (c->patterns_n == 0)
		return MATCH_YES;
	if (j->connecting)
		return MATCH_LATER;
	for (size_t i = 0; i < c->patterns_n; i++)
		if (pattern_holds(c, c->patterns[i], j->query->url))
			return MATCH_YES;
	return MATCH_NO;
}

static bool
field_holds(const struct conditions *c, const struct field_condition *f,
    const struct query *q)
{
	for (size_t i = 0; q->field != NULL; i++) {
		struct bytes value = q->field(q->owner, f->name, i);
		enum pattern_answer answer;

		if (value.p == NULL)
			return false;
		answer = pattern_match_text(f->pattern, value);
		if (answer == PATTERN_YES ||
		    (answer == PATTERN_TOO_MUCH && tightens(c)))
			return true;
	}
	return false;
}

/* What the request says of itself besides its URL. */
static enum match
match_request(const struct conditions *c, const struct judging *j)
{
	const struct query *q = j->query;

	if (!c->uploads && c->larger_than == 0 && c->fields_n == 0)
		return MATCH_YES;
	if (j->connecting)
		return MATCH_LATER;
	if ((c->uploads && !q->upload) ||
	    (c->larger_than > 0 && (!q->upload || q->length <= c->larger_than)))
		return MATCH_NO;
	for (size_t i = 0; i < c->fields_n; i++)
		if (!field_holds(c, &c->fields[i], q))
			return MATCH_NO;
	return MATCH_YES;
}

void
judging_begin(struct judging *j, const struct policy *p, const struct query *q,
    bool connecting)
{
	const struct lists *lists = p->lists;
	struct url loose = *q->url;

	*j = (struct judging){
		.query = q, .lists = lists, .connecting = connecting
	};
	j->certain = j->possible = lists_lookup(lists, &loose);
	if (connecting)
		j->later = lists_url_categories(lists, q->url);
	if (!bytes_equal(loose.path_canonical, loose.path_loose)) {
		loose.path_canonical = loose.path_loose;
		j->possible |= lists_lookup(lists, &loose);
		j->certain &= lists_lookup(lists, &loose);
	}
	urlsets_look_up(p->urlsets, p->asked, j);
	reputation_look_up(j, p);
}

uint64_t
rule_categories(const struct conditions *c, const struct judging *j)
{
	return c->categories & (tightens(c) ? j->possible : j->certain);
}

/* URL lists know paths: a host that has none of the rule's categories yet may
 * get one by its path. Of what is in a tunnel no path is ever seen. */
static enum match
match_category(const struct conditions *c, const struct judging *j)
{
	if (c->categories == 0 || rule_categories(c, j) != 0)
		return MATCH_YES;
	return c->rule.verdict < VERDICT_TUNNEL &&
		(c->categories & j->later) != 0
	    ? MATCH_LATER
	    : MATCH_NO;
}

static bool
is_over(const struct rule *r, time_t now)
{
	return r->expires != 0 && now >= r->expires;
}

enum match
rule_match(const struct conditions *c, const struct judging *j)
{
	const struct query *q = j->query;
	enum match parts[5];
	enum match all = MATCH_YES;

	if (!rule_match_zone(c, q->segment->zone) ||
	    !rule_match_body(c, q->segment->body) ||
	    !rule_match_section(c, q->segment->section) ||
	    !match_destination(c, q->url) || !match_address(c, q->url) ||
	    !match_port(c, q->url) || !match_hours(c, q->now) ||
	    is_over(&c->rule, q->now))
		return MATCH_NO;
	parts[0] = match_method(c, j);
	parts[1] = match_url(c, j);
	parts[2] = match_category(c, j);
	parts[3] = match_request(c, j);
	parts[4] = match_pattern(c, j);
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i] == MATCH_NO)
			return MATCH_NO;
		if (parts[i] == MATCH_LATER)
			all = MATCH_LATER;
	}
	return all;
}
