/* SPDX-License-Identifier: Apache-2.0 */
/* review: rules that are well formed, and cannot mean what they say. */
#include <string.h>

#include "proxy/policy/compiled.h"
#include "proxy/policy/urlset.h"

/* Whether what `whole` matches is all that `part` matches, for one condition
 * after the other; true only when it is certain. */

static bool
covers_zones(const struct conditions *whole, const struct conditions *part,
    const struct zones *z)
{
	for (unsigned i = 0; i < zones_zones(z); i++)
		if (rule_match_zone(part, zones_zone(z, i)) &&
		    !rule_match_zone(whole, zones_zone(z, i)))
			return false;
	return true;
}

static bool
covers_bodies(const struct conditions *whole, const struct conditions *part,
    const struct zones *z)
{
	for (unsigned i = 0; i < zones_bodies(z); i++)
		if (rule_match_body(part, zones_body(z, i)) &&
		    !rule_match_body(whole, zones_body(z, i)))
			return false;
	return whole->section == NULL || whole->section == part->section;
}

static bool
host_covered(const struct conditions *whole, struct bytes host)
{
	for (size_t i = 0; i < whole->destinations_n; i++)
		if (rule_host_below(host, whole->destinations[i]))
			return true;
	return false;
}

/* Names of destinations, or hosts of URLs. */
static bool
covers_hosts(const struct conditions *whole, const struct conditions *part)
{
	if (whole->destinations_n == 0)
		return true;
	if (part->destinations_n == 0 && part->urls_n == 0)
		return false;
	for (size_t i = 0; i < part->destinations_n; i++)
		if (!host_covered(whole, part->destinations[i]))
			return false;
	for (size_t i = 0; part->destinations_n == 0 && i < part->urls_n; i++)
		if (!host_covered(whole, part->urls[i].host))
			return false;
	return true;
}

static bool
covers_ports(const struct conditions *whole, const struct conditions *part)
{
	for (size_t i = 0; i < part->ports_n; i++) {
		size_t k = 0;

		while (k < whole->ports_n && whole->ports[k] != part->ports[i])
			k++;
		if (k == whole->ports_n)
			return whole->ports_n == 0;
	}
	return whole->ports_n == 0 || part->ports_n > 0;
}

static bool
covers_methods(const struct conditions *whole, const struct conditions *part)
{
	for (size_t i = 0; i < part->methods.n; i++) {
		size_t k = 0;

		while (k < whole->methods.n &&
		    strcmp(whole->methods.p[k], part->methods.p[i]) != 0)
			k++;
		if (k == whole->methods.n)
			return whole->methods.n == 0;
	}
	return whole->methods.n == 0 || part->methods.n > 0;
}

/* These are compared with nobody's: whoever has one covers nothing for sure,
 * but for categories, which are sets. */
static bool
asks_for_more(const struct conditions *c)
{
	return c->urls_n + c->patterns_n + c->addresses_n + c->hours_n +
		c->fields_n >
	    0 ||
	    c->uploads || c->larger_than > 0 || c->rule.expires != 0;
}

static bool
covers(const struct conditions *whole, const struct conditions *part,
    const struct zones *z)
{
	if (asks_for_more(whole))
		return false;
	if (whole->categories != 0 &&
	    (part->categories == 0 ||
		(part->categories & ~whole->categories) != 0))
		return false;
	return covers_hosts(whole, part) && covers_ports(whole, part) &&
	    covers_methods(whole, part) && covers_zones(whole, part, z) &&
	    covers_bodies(whole, part, z);
}

static size_t
tell(FILE *out, const struct rule *r, const char *words,
    const struct rule *other)
{
	fprintf(out, "%s:%u: warning: rule \"%s\" %s", r->file, r->line,
	    r->name, words);
	if (other != NULL)
		fprintf(out, " \"%s\" (%s:%u)", other->name, other->file,
		    other->line);
	fputc('\n', out);
	return 1;
}

/* One that is asked before it and matches whenever it would. */
static size_t
review_shadow(const struct policy *p, size_t at, FILE *out)
{
	const struct conditions *c = &p->rules[at];

	for (size_t i = p->choices; i < at; i++) {
		const struct conditions *before = &p->rules[i];

		if (!covers(before, c, p->zones))
			continue;
		return before->rule.verdict == c->rule.verdict
		    ? tell(out, &c->rule, "never decides: it is said before by",
			  &before->rule)
		    : tell(out, &c->rule,
			  "never decides: before it comes, with another"
			  " verdict,",
			  &before->rule);
	}
	return 0;
}

/* What must hold leaves nothing of it. */
static size_t
review_floor(const struct policy *p, size_t at, FILE *out)
{
	const struct conditions *c = &p->rules[at];

	for (size_t i = 0; i < p->choices; i++) {
		const struct conditions *m = &p->rules[i];

		if (m->rule.verdict == VERDICT_BLOCK &&
		    c->rule.verdict != VERDICT_BLOCK && covers(m, c, p->zones))
			return tell(out, &c->rule,
			    "never opens anything: it is blocked by must",
			    &m->rule);
	}
	return 0;
}

static bool
somebody_lets(const struct policy *p, enum layer layer)
{
	for (size_t i = p->choices; i < p->rules_n; i++) {
		const struct conditions *c = &p->rules[i];

		if (c->rule.layer < layer &&
		    (c->rule.verdict == VERDICT_TUNNEL ||
			(c->rule.verdict == VERDICT_MAY_TUNNEL &&
			    (c->to >> layer & 1) != 0)))
			return true;
	}
	return false;
}

static size_t
review_tunnel(const struct policy *p, size_t at, FILE *out)
{
	const struct rule *r = &p->rules[at].rule;

	uint64_t categories = p->rules[at].categories;

	if (r->verdict != VERDICT_TUNNEL)
		return 0;
	if (categories != 0 &&
	    (categories & ~urlsets_categories(p->urlsets)) == 0)
		return tell(out, r,
		    "is never a tunnel: its categories are of URL patterns,"
		    " and no URL is seen before it is decrypted",
		    NULL);
	if (r->layer == LAYER_NATIONAL || somebody_lets(p, r->layer))
		return 0;
	return tell(out, r,
	    "is never a tunnel: no layer above has may-tunnel for it", NULL);
}

static bool
has_tunnels(const struct policy *p)
{
	for (size_t i = p->choices; i < p->grants; i++)
		if (p->rules[i].rule.verdict == VERDICT_TUNNEL)
			return true;
	return false;
}

static size_t
review_must(const struct policy *p, size_t at, FILE *out)
{
	const struct conditions *c = &p->rules[at];

	if ((c->methods.n + c->patterns_n > 0 ||
		(c->categories & urlsets_categories(p->urlsets)) != 0) &&
	    has_tunnels(p) && c->destinations_n + c->urls_n == 0)
		return tell(out, &c->rule,
		    "is in must and asks for methods or patterns of any"
		    " destination: nothing is a tunnel any more",
		    NULL);
	return 0;
}

static size_t
review_inspection(const struct policy *p, size_t at, FILE *out)
{
	const struct rule *r = &p->inspections.p[at].block;

	for (size_t i = 0; i < p->rules_n; i++)
		if ((p->rules[i].rule.inspections >> at & 1) != 0)
			return 0;
	return tell(out, r, "is never made: no rule has it in inspect", NULL);
}

size_t
policy_review(const struct policy *p, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->inspections.n; i++)
		n += review_inspection(p, i, out);
	for (size_t i = 0; i < p->choices; i++)
		n += review_must(p, i, out);
	for (size_t i = p->choices; i < p->grants; i++) {
		size_t told = review_shadow(p, i, out);

		if (told == 0)
			told = review_floor(p, i, out);
		n += told + review_tunnel(p, i, out);
	}
	return n;
}
