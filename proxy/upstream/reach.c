/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/reach.h"

#include <string.h>

#include "proxy/base/special.h"

const struct reach_form reach_forms[] = {
	{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 }, /* RFC 6052 */
	{ { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 }, 12 },
	{ { { 0 }, 96 }, 12 },                /* IPv4-compatible */
	{ { { [8] = 0xff, 0xff }, 96 }, 12 }, /* RFC 2765 */
	{ { { 0x20, 0x02 }, 16 }, 2 },        /* 6to4 */
};
const size_t reach_forms_n = COUNT(reach_forms);

/*
 * The IPv4 address that another of its forms leads to, where somebody on the
 * way knows the form; the same address, when it is none of them. `special`
 * refuses most of them, unless a zone permits it.
 */
static struct address
without_form(const struct address *a)
{
	struct address inner = *a;

	for (size_t i = 0; i < reach_forms_n; i++) {
		if (!prefix_contains(&reach_forms[i].prefix, a))
			continue;
		memset(inner.octets, 0, 10);
		memset(inner.octets + 10, 0xff, 2);
		memcpy(inner.octets + 12, a->octets + reach_forms[i].at, 4);
		return inner;
	}
	return inner;
}

/*
 * Of 64:ff9b:1::/48 (RFC 8215) networks take prefixes of their own, of any
 * length that RFC 6052 knows: where the four octets stand then, around the one
 * that it keeps free. That of 96 bits is a form above.
 */
static const struct prefix local_nat64 = {
	{ 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 },
	48,
};
static const uint8_t local_at[][4] = {
	{ 6, 7, 9, 10 },   /* of 48 bits */
	{ 7, 9, 10, 11 },  /* of 56 */
	{ 9, 10, 11, 12 }, /* of 64 */
};

static struct address
local_inner(const struct address *a, const uint8_t at[4])
{
	struct address inner = { .octets = { [10] = 0xff, [11] = 0xff } };

	for (size_t i = 0; i < 4; i++)
		inner.octets[12 + i] = a->octets[at[i]];
	return inner;
}

static const char *
why_separated(const struct address *a, const struct reach_limits *l)
{
	const struct segment *s =
	    l->zones == NULL ? NULL : zones_lookup(l->zones, a);

	if (s != NULL && s->zone->kind == ZONE_MYNUMBER)
		return "My Number segment's address";
	return prefixes_contain(l->provision, l->provision_n, a)
	    ? "provision network's address"
	    : NULL;
}

const char *
reach_separated(const struct address *a, const struct reach_limits *l)
{
	struct address inner = without_form(a);
	const char *why = why_separated(a, l);

	if (why == NULL)
		why = why_separated(&inner, l);
	if (!prefix_contains(&local_nat64, a))
		return why;
	for (size_t i = 0; i < COUNT(local_at) && why == NULL; i++) {
		inner = local_inner(a, local_at[i]);
		why = why_separated(&inner, l);
	}
	return why;
}

const char *
reach_judge(
    const struct address *a, const struct zone *z, const struct reach_limits *l)
{
	struct address inner = special_inner(a);
	const char *why = reach_separated(a, l);

	if (why != NULL)
		return why;
	if (prefixes_contain(z->permitted, z->permitted_n, a))
		return NULL;
	if (prefixes_contain(l->refused, l->refused_n, a) ||
	    prefixes_contain(l->refused, l->refused_n, &inner))
		return "address that the settings refuse";
	return special_why(a);
}
