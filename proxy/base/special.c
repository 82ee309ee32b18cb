/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/special.h"

#include <string.h>

/* IANA special-purpose registries (RFC 6890 and what updated it). A prefix of
 * IPv4 counts 96 bits more. */
const struct special specials[] = {
#define V4(a, b, c, d)                                             \
	{                                                          \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, a, b, c, d \
	}
	{ { V4(0, 0, 0, 0), 104 }, "this network (0.0.0.0/8)" },
	{ { V4(10, 0, 0, 0), 104 }, "private address" },
	{ { V4(100, 64, 0, 0), 106 }, "carrier-grade NAT address" },
	{ { V4(127, 0, 0, 0), 104 }, "loopback address" },
	{ { V4(169, 254, 0, 0), 112 }, "link-local address" },
	{ { V4(172, 16, 0, 0), 108 }, "private address" },
	{ { V4(192, 0, 0, 0), 120 }, "protocol assignment" },
	{ { V4(192, 0, 2, 0), 120 }, "documentation address" },
	{ { V4(192, 88, 99, 0), 120 }, "6to4 relay" },
	{ { V4(192, 168, 0, 0), 112 }, "private address" },
	{ { V4(198, 18, 0, 0), 111 }, "benchmark address" },
	{ { V4(198, 51, 100, 0), 120 }, "documentation address" },
	{ { V4(203, 0, 113, 0), 120 }, "documentation address" },
	{ { V4(224, 0, 0, 0), 100 }, "multicast address" },
	{ { V4(240, 0, 0, 0), 100 }, "reserved address" },
#undef V4
	/* ::, ::1 and the IPv4-compatible ones */
	{ { { 0 }, 96 }, "loopback or unspecified address" },
	{ { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 },
	    "local NAT64 address" },
	{ { { 0x01, 0x00 }, 64 }, "discard prefix" },
	{ { { 0x20, 0x01, 0x00, 0x00 }, 23 }, "protocol assignment (Teredo)" },
	{ { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, "documentation address" },
	{ { { 0x20, 0x02 }, 16 }, "6to4 address" },
	{ { { 0x3f, 0xff, 0x00 }, 20 }, "documentation address" },
	{ { { 0xfc, 0x00 }, 7 }, "unique local address" },
	{ { { 0xfe, 0x80 }, 10 }, "link-local address" },
	{ { { 0xfe, 0xc0 }, 10 }, "site-local address" },
	{ { { 0xff, 0x00 }, 8 }, "multicast address" },
};
const size_t specials_n = COUNT(specials);

/* Of IPv6 the world uses 2000::/3 (RFC 4291 section 2.4, RFC 3587). */
const struct prefix special_global = { { 0x20 }, 3 };
/* RFC 6052 */
const struct prefix special_nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };

struct address
special_inner(const struct address *a)
{
	struct address inner = *a;

	if (!prefix_contains(&special_nat64, a))
		return inner;
	memset(inner.octets, 0, 10);
	memset(inner.octets + 10, 0xff, 2);
	return inner;
}

static bool
is_global(const struct address *a)
{
	return address_is_v4(a) || prefix_contains(&special_global, a);
}

const char *
special_why(const struct address *a)
{
	struct address inner = special_inner(a);

	for (size_t i = 0; i < specials_n; i++)
		if (prefix_contains(&specials[i].prefix, &inner))
			return specials[i].why;
	return is_global(&inner) ? NULL : "no global unicast address";
}
