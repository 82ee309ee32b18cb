/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach: which addresses may be connected to. A name is judged by where it
 * leads, at the moment of connecting: nothing inside, nothing of LGWAN or the
 * My Number networks is reached through one (SSRF, DNS rebinding).
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/zone/zone.h"

/* What a site knows of addresses, beside the fixed prefixes. */
struct reach_limits {
	const struct prefix *refused; /* which zones may permit */
	size_t refused_n;
	/* What no zone can permit: My Number segments, and the addresses of
	 * provision endpoints. NULL and 0: there are none. */
	const struct zones *zones;
	const struct prefix *provision;
	size_t provision_n;
};

/* NULL: it may be reached from that zone; else why not, a static string. */
const char *reach_judge(const struct address *a, const struct zone *z,
    const struct reach_limits *l);
/* The same for what an administrator names: only separated networks are not
 * reached. */
const char *reach_separated(
    const struct address *a, const struct reach_limits *l);

/* Forms of IPv6 that stand for an IPv4 address: as data, for who asks about
 * ranges. */
struct reach_form {
	struct prefix prefix;
	size_t at; /* which of the octets begin the IPv4 address */
};

extern const struct reach_form reach_forms[];
extern const size_t reach_forms_n;
