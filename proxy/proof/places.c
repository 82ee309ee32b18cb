/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/places.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/isolation/spans.h"
#include "proxy/proof/reachable.h"

/* What both have. */
static struct ranges
common(const struct ranges *s, const struct ranges *t, struct arena *a)
{
	struct ranges rest = ranges_without(s, t, a);

	return ranges_without(s, &rest, a);
}

struct sorting {
	struct ranges of[PLACES];
};

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct place_range *)a)->range.first,
	    ((const struct place_range *)b)->range.first, 16);
}

static struct places
in_order(const struct sorting *s, struct arena *a)
{
	size_t before[PLACES] = { 0 };
	struct places out = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < PLACES; i++)
		n += s->of[i].n;
	out.p = ARENA_ARRAY(a, struct place_range, n);
	for (size_t i = 0; i < PLACES; i++)
		for (size_t k = 0; k < s->of[i].n; k++)
			out.p[out.n++] = (struct place_range){
				.range = s->of[i].p[k],
				.place = (enum place)i,
			};
	qsort(out.p, out.n, sizeof(*out.p), compare);
	for (size_t i = 0; i < out.n; i++) {
		memcpy(out.p[i].before, before, sizeof(before));
		before[out.p[i].place]++;
	}
	return out;
}

static void
sort(struct sorting *s, const struct isolation_model *m, struct arena *a)
{
	struct range r = { 0 };

	do {
		const struct segment *ignored;
		enum place p = place_stretch(m, r.first, &ignored, r.last);

		ranges_put(&s->of[p], &r, a);
		memcpy(r.first, r.last, 16);
	} while (octets_next(r.first));
	for (size_t i = 0; i < PLACES; i++)
		ranges_unite(&s->of[i]);
}

/* What nobody named and is such a form of theirs becomes theirs. */
static void
add_forms(struct sorting *s, enum place place, struct arena *a)
{
	struct ranges *its = &s->of[place];
	struct ranges *outside = &s->of[PLACE_OUTSIDE];
	struct ranges forms = { 0 };

	for (size_t i = 0; i < its->n; i++)
		reachable_put_forms(&forms, &its->p[i], a);
	ranges_unite(&forms);
	forms = common(outside, &forms, a);
	*outside = ranges_without(outside, &forms, a);
	for (size_t i = 0; i < forms.n; i++)
		ranges_put(its, &forms.p[i], a);
	ranges_unite(its);
}

struct places
places_make(const struct isolation_model *m, struct arena *a)
{
	struct sorting s = { 0 };

	sort(&s, m, a);
	return in_order(&s, a);
}

struct places
places_make_reached(const struct isolation_model *m, struct arena *a)
{
	struct sorting s = { 0 };

	sort(&s, m, a);
	add_forms(&s, PLACE_MYNUMBER, a);
	add_forms(&s, PLACE_PROVISION, a);
	return in_order(&s, a);
}

/* The last that begins at or before it. */
static size_t
index_of(const struct places *p, const uint8_t octets[16])
{
	size_t low = 0;
	size_t high = p->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(p->p[middle].range.first, octets, 16) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

enum place
places_at(const struct places *p, const uint8_t octets[16])
{
	return p->p[index_of(p, octets)].place;
}

unsigned
places_of(const struct places *p, const struct range *r)
{
	const struct place_range *first = &p->p[index_of(p, r->first)];
	const struct place_range *last = &p->p[index_of(p, r->last)];
	unsigned set = PLACE_BIT(last->place);

	for (unsigned i = 0; i < PLACES; i++)
		if (last->before[i] > first->before[i])
			set |= PLACE_BIT(i);
	return set;
}

struct range
places_part(const struct places *p, const struct range *r, enum place place)
{
	size_t i = index_of(p, r->first);
	struct range part;

	while (i + 1 < p->n && p->p[i].place != place)
		i++;
	part = p->p[i].range;
	if (memcmp(part.first, r->first, 16) < 0)
		memcpy(part.first, r->first, 16);
	if (memcmp(part.last, r->last, 16) > 0)
		memcpy(part.last, r->last, 16);
	must(memcmp(part.first, part.last, 16) <= 0);
	return part;
}
