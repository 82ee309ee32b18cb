/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/reachable.h"

#include <string.h>

#include "proxy/base/special.h"
#include "proxy/isolation/spans.h"

static const struct prefix all_v4 = { { [10] = 0xff, 0xff }, 96 };
static const struct range everything = { { 0 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff } };

/* Addresses in which that IPv4 range stands in another of its forms; false for
 * a form whose addresses are no range. */
static bool
form_of(const struct reach_form *f, const struct range *v4, struct range *out)
{
	/* What stands before the four octets must be the prefix alone. */
	if (f->prefix.bits != 8 * f->at)
		return false;
	prefix_ends(&f->prefix, out->first, out->last);
	memcpy(out->first + f->at, v4->first + 12, 4);
	memcpy(out->last + f->at, v4->last + 12, 4);
	return true;
}

/* The part of a range that is IPv4; false: none is. */
static bool
cut_v4(const struct range *r, struct range *out)
{
	*out = range_of(&all_v4);
	if (memcmp(r->first, out->last, 16) > 0 ||
	    memcmp(r->last, out->first, 16) < 0)
		return false;
	if (memcmp(r->first, out->first, 16) > 0)
		memcpy(out->first, r->first, 16);
	if (memcmp(r->last, out->last, 16) < 0)
		memcpy(out->last, r->last, 16);
	return true;
}

void
reachable_put_forms(struct ranges *s, const struct range *r, struct arena *a)
{
	struct range v4, form;

	if (!cut_v4(r, &v4))
		return;
	for (size_t i = 0; i < reach_forms_n; i++)
		if (form_of(&reach_forms[i], &v4, &form))
			ranges_put(s, &form, a);
}

struct ranges
reachable_plain(const struct reach_limits *l, struct arena *a)
{
	struct ranges out = { 0 };
	struct range r = { 0 };

	do {
		const struct segment *s = NULL;

		memcpy(r.last, everything.last, 16);
		if (l->zones != NULL)
			s = zones_stretch(l->zones, r.first, r.last);
		if (s != NULL && s->zone->kind == ZONE_MYNUMBER)
			ranges_put(&out, &r, a);
		memcpy(r.first, r.last, 16);
	} while (octets_next(r.first));
	for (size_t i = 0; i < l->provision_n; i++) {
		r = range_of(&l->provision[i]);
		ranges_put(&out, &r, a);
	}
	ranges_unite(&out);
	return out;
}

struct ranges
reachable_separated(const struct reach_limits *l, struct arena *a)
{
	struct ranges plain = reachable_plain(l, a);
	struct ranges out = { 0 };

	for (size_t i = 0; i < plain.n; i++) {
		ranges_put(&out, &plain.p[i], a);
		reachable_put_forms(&out, &plain.p[i], a);
	}
	ranges_unite(&out);
	return out;
}

/* The same of NAT64, which special_why takes for what it carries. */
static void
put_inside(struct ranges *s, const struct prefix *p, struct arena *a)
{
	const struct reach_form nat64 = { special_nat64, 12 };
	struct range r = range_of(p);
	struct range v4, form;

	ranges_put(s, &r, a);
	if (cut_v4(&r, &v4) && form_of(&nat64, &v4, &form))
		ranges_put(s, &form, a);
}

struct ranges
reachable_from(const struct zone *z, const struct reach_limits *l,
    const struct ranges *separated, struct arena *a)
{
	struct ranges global = { 0 };
	struct ranges refused = { 0 };
	struct ranges all;
	struct range r = range_of(&special_global);

	ranges_put(&global, &r, a);
	put_inside(&global, &all_v4, a);
	ranges_unite(&global);
	for (size_t i = 0; i < specials_n; i++)
		put_inside(&refused, &specials[i].prefix, a);
	for (size_t i = 0; i < l->refused_n; i++)
		put_inside(&refused, &l->refused[i], a);
	ranges_unite(&refused);
	all = ranges_without(&global, &refused, a);
	for (size_t i = 0; i < z->permitted_n; i++) {
		r = range_of(&z->permitted[i]);
		ranges_put(&all, &r, a);
	}
	ranges_unite(&all);
	return ranges_without(&all, separated, a);
}

struct ranges
reachable_beside(const struct ranges *separated, struct arena *a)
{
	struct ranges all = { 0 };

	ranges_put(&all, &everything, a);
	return ranges_without(&all, separated, a);
}
