/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenants: whether the rules restrict services to the tenants of one's own, as
 * each service wants to be told: on all its hosts, with all its fields. A host
 * that was forgotten is the way around.
 */
#pragma once

#include <stdio.h>

#include "proxy/policy/policy.h"

/*
 * Prints what requests of that client to each known service would carry. The
 * count of services that are restricted in part.
 */
size_t policy_tenants(
    const struct policy *p, const struct segment *from, time_t now, FILE *out);
