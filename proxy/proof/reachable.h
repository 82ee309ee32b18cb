/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reachable: which addresses reach_judge lets a zone reach, as ranges instead
 * of one by one: made of the same tables, and never less than it lets.
 */
#pragma once

#include "proxy/isolation/ranges.h"
#include "proxy/upstream/reach.h"

/* Where the IPv4 addresses of r stand in other forms (struct reach_form), but
 * for the one form whose addresses are no range. */
void reachable_put_forms(
    struct ranges *s, const struct range *r, struct arena *a);
/* What reach_separated refuses, but for the form that is no range. */
struct ranges reachable_separated(
    const struct reach_limits *l, struct arena *a);
/* The same addresses as they are, in no other form. */
struct ranges reachable_plain(const struct reach_limits *l, struct arena *a);
/* What reach_judge permits, and of those forms perhaps more. */
struct ranges reachable_from(const struct zone *z, const struct reach_limits *l,
    const struct ranges *separated, struct arena *a);
/* Everything but those. */
struct ranges reachable_beside(const struct ranges *separated, struct arena *a);
