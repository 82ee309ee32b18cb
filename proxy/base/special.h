/* SPDX-License-Identifier: Apache-2.0 */
/* special: addresses that the public internet does not route. */
#pragma once

#include "proxy/base/address.h"

/* NULL: one of the internet's; else what it is, a static string. One of NAT64
 * (RFC 6052) is what it carries. */
const char *special_why(const struct address *a);
/* The IPv4 address that one of NAT64 carries; any other as it is. */
struct address special_inner(const struct address *a);

/* The same as data, for who asks about ranges: these prefixes are special, and
 * of IPv6 all that is not in special_global; in special_nat64, as inside. */
struct special {
	struct prefix prefix;
	const char *why;
};

extern const struct special specials[];
extern const size_t specials_n;
extern const struct prefix special_global, special_nat64;
