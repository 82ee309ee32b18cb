/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/isolation/spans.h"

static bool
is_before(const uint8_t a[16], const uint8_t b[16])
{
	return memcmp(a, b, 16) < 0;
}

/* The address before; there must be one. */
static void
step_back(uint8_t octets[16])
{
	for (size_t i = 16; i-- > 0 && octets[i]-- == 0;)
		;
}

struct range
range_of(const struct prefix *p)
{
	struct range r = { 0 };

	prefix_ends(p, r.first, r.last);
	return r;
}

struct range
range_of_address(const struct address *a)
{
	struct range r;

	memcpy(r.first, a->octets, sizeof(r.first));
	memcpy(r.last, a->octets, sizeof(r.last));
	return r;
}

bool
range_contains(const struct range *r, const uint8_t octets[16])
{
	return !is_before(octets, r->first) && !is_before(r->last, octets);
}

char *
range_text(const struct range *r, char out[RANGE_TEXT_MAX])
{
	struct address first = { 0 };
	struct address last = { 0 };
	char one[ADDRESS_TEXT_MAX], other[ADDRESS_TEXT_MAX];

	memcpy(first.octets, r->first, sizeof(first.octets));
	memcpy(last.octets, r->last, sizeof(last.octets));
	if (address_equal(&first, &last))
		return address_text(&first, out);
	snprintf(out, RANGE_TEXT_MAX, "%s-%s", address_text(&first, one),
	    address_text(&last, other));
	return out;
}

void
ranges_put(struct ranges *s, const struct range *r, struct arena *a)
{
	struct range *more;

	if (s->n == s->room) {
		s->room = s->room == 0 ? 16 : 2 * s->room;
		more = ARENA_ARRAY(a, struct range, s->room);
		if (s->n > 0)
			memcpy(more, s->p, s->n * sizeof(*more));
		s->p = more;
	}
	s->p[s->n++] = *r;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->first,
	    ((const struct range *)b)->first, 16);
}

/* Whether b begins in a or right behind it. */
static bool
touches(const struct range *a, const struct range *b)
{
	uint8_t behind[16];

	memcpy(behind, a->last, sizeof(behind));
	return !octets_next(behind) || !is_before(behind, b->first);
}

void
ranges_unite(struct ranges *s)
{
	size_t n = 0;

	if (s->n == 0)
		return;
	qsort(s->p, s->n, sizeof(*s->p), compare);
	for (size_t i = 1; i < s->n; i++) {
		struct range *top = &s->p[n];
		const struct range *r = &s->p[i];

		if (!touches(top, r))
			s->p[++n] = *r;
		else if (is_before(top->last, r->last))
			memcpy(top->last, r->last, sizeof(top->last));
	}
	s->n = n + 1;
}

/* What is left of one behind those of w that overlap it, from *next on. */
static void
put_rest(struct ranges *out, struct range left, const struct ranges *w,
    size_t next, struct arena *a)
{
	for (; next < w->n && !is_before(left.last, w->p[next].first); next++) {
		const struct range *hole = &w->p[next];
		struct range piece = left;

		if (is_before(left.first, hole->first)) {
			memcpy(piece.last, hole->first, sizeof(piece.last));
			step_back(piece.last);
			ranges_put(out, &piece, a);
		}
		if (!is_before(hole->last, left.last))
			return;
		memcpy(left.first, hole->last, sizeof(left.first));
		octets_next(left.first);
	}
	ranges_put(out, &left, a);
}

struct ranges
ranges_without(
    const struct ranges *s, const struct ranges *without, struct arena *a)
{
	struct ranges out = { 0 };
	size_t next = 0;

	for (size_t i = 0; i < s->n; i++) {
		while (next < without->n &&
		    is_before(without->p[next].last, s->p[i].first))
			next++;
		put_rest(&out, s->p[i], without, next, a);
	}
	return out;
}

bool
ranges_contain(const struct ranges *s, const uint8_t octets[16])
{
	size_t low = 0;
	size_t high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(s->p[middle].last, octets))
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n && range_contains(&s->p[low], octets);
}
