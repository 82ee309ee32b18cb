/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts: ways out that a system has without anybody trying them: default
 * routes, addresses that are not registered for it, name servers. What they
 * mean, the trial says. A list that cannot be read is a finding.
 */
#pragma once

#include "proxy/isolation/probe.h"
#include "proxy/probe/trial.h"

/* Adds an item for each to *out. */
void facts_list(const struct trial *p, struct probe *out);

/* The lines of /proc/net/route, /proc/net/ipv6_route and resolv.conf; `when`
 * is what one means. */
void facts_routes(
    struct bytes text, enum probe_outcome when, struct probe *out);
void facts_routes6(
    struct bytes text, enum probe_outcome when, struct probe *out);
void facts_resolvers(
    struct bytes text, enum probe_outcome when, struct probe *out);
