/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/openings.h"

#include "proxy/policy/compiled.h"

static bool
opens(const struct conditions *c, const struct zone *z, const struct body *b)
{
	const struct rule *r = &c->rule;

	/* A block that a user may step over opens with what is behind it. */
	return r->verdict != VERDICT_BLOCK && z->kind != ZONE_MYNUMBER &&
	    rule_match_zone(c, z) && rule_match_body(c, b) &&
	    (c->section == NULL || c->section->body == b);
}

size_t
policy_openings(const struct policy *p, const struct zone *z,
    const struct body *b, void (*each)(void *owner, const struct opening *o),
    void *owner)
{
	size_t n = 0;

	for (size_t i = p->choices; i < p->grants; i++) {
		const struct conditions *c = &p->rules[i];
		const struct opening o = {
			.rule = &c->rule,
			.destinations = c->destinations,
			.destinations_n = c->destinations_n,
			.urls = c->urls,
			.urls_n = c->urls_n,
			.addresses = c->addresses,
			.addresses_n = c->addresses_n,
		};

		if (!opens(c, z, b))
			continue;
		each(owner, &o);
		n++;
	}
	return n;
}
