/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openings: which rules let clients of a zone and body reach something at all,
 * whatever stands in their way before them.
 */
#pragma once

#include "proxy/policy/policy.h"

/* Where such a rule leads; all empty: anywhere. */
struct opening {
	const struct rule *rule;
	const struct bytes *destinations; /* names, with all below them */
	size_t destinations_n;
	const struct url *urls;
	size_t urls_n;
	const struct prefix *addresses;
	size_t addresses_n;
};

/* Their count; each is called in the order in which they are asked. A rule of
 * any of the body's sections is one. */
size_t policy_openings(const struct policy *p, const struct zone *z,
    const struct body *b, void (*each)(void *owner, const struct opening *o),
    void *owner);
