/* SPDX-License-Identifier: Apache-2.0 */
/* enforced: the rule set of settings, for the parent and for sekishoctl. */
#pragma once

#include "proxy/kernel/ruleset.h"
#include "proxy/proof/grants.h"

/* At that time; gate_user is asked for when there is a gate. What is made is
 * the arena's. 0, or -1 and *e. */
int ruleset_of(const struct grant_settings *s, const char *gate_user,
    time_t now, struct arena *a, struct ruleset *out, struct err *e) MUST_CHECK;
