/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/spans.h"

#include <stdlib.h>
#include <string.h>

void
prefix_ends(const struct prefix *p, uint8_t first[16], uint8_t last[16])
{
	memcpy(first, p->octets, 16);
	memcpy(last, p->octets, 16);
	for (unsigned bit = p->bits; bit < 128; bit++)
		last[bit / 8] = (uint8_t)(last[bit / 8] | 0x80 >> bit % 8);
}

bool
octets_next(uint8_t octets[16])
{
	for (size_t i = 16; i-- > 0;)
		if (++octets[i] != 0)
			return true;
	return false;
}

struct spans
spans_new(struct arena *a, size_t max)
{
	return (struct spans){ .p = ARENA_ARRAY(a, struct span, max) };
}

void
spans_add(struct spans *s, const struct prefix *p, size_t index)
{
	struct span *one = &s->p[s->n++];

	prefix_ends(p, one->first, one->last);
	one->index = index;
}

static int
compare(const void *a, const void *b)
{
	const struct span *left = a;
	const struct span *right = b;
	int order = memcmp(left->first, right->first, 16);

	return order != 0
	    ? order
	    : (left->index > right->index) - (left->index < right->index);
}

void
spans_sort(struct spans *s)
{
	if (s->n > 1)
		qsort(s->p, s->n, sizeof(*s->p), compare);
}

const struct span *
spans_overlapping(
    const struct spans *s, size_t *next, const struct span **first_out)
{
	const struct span *reach = s->p; /* which ends last, so far */

	for (size_t i = 1; i < s->n; i++) {
		const struct span *one = &s->p[i];

		if (i > *next && memcmp(one->first, reach->last, 16) <= 0) {
			*next = i;
			*first_out = reach;
			return one;
		}
		if (memcmp(one->last, reach->last, 16) > 0)
			reach = one;
	}
	return NULL;
}

void
spans_unite(struct spans *s)
{
	size_t n = s->n > 0;

	for (size_t i = 1; i < s->n; i++)
		if (memcmp(s->p[i].first, s->p[n - 1].first, 16) != 0)
			s->p[n++] = s->p[i];
	s->n = n;
}

/* How many begin at or before it. */
static size_t
begun(const struct spans *s, const uint8_t octets[16])
{
	size_t low = 0;
	size_t high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(s->p[middle].first, octets, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct span *
spans_at(const struct spans *s, const uint8_t octets[16])
{
	size_t n = begun(s, octets);

	return n > 0 && memcmp(octets, s->p[n - 1].last, 16) <= 0 ? &s->p[n - 1]
								  : NULL;
}

const struct span *
spans_touched(
    const struct spans *s, const uint8_t first[16], const uint8_t last[16])
{
	const struct span *at = spans_at(s, first);
	size_t n = begun(s, first);

	if (at != NULL)
		return at;
	return n < s->n && memcmp(s->p[n].first, last, 16) <= 0 ? &s->p[n]
								: NULL;
}

const struct span *
spans_stretch(const struct spans *s, const uint8_t octets[16], uint8_t last[16])
{
	const struct span *at = spans_at(s, octets);
	size_t n = begun(s, octets);

	if (at != NULL) {
		if (memcmp(at->last, last, 16) < 0)
			memcpy(last, at->last, 16);
		return at;
	}
	if (n == s->n || memcmp(s->p[n].first, last, 16) > 0)
		return NULL;
	memcpy(last, s->p[n].first, 16);
	for (size_t i = 16; i-- > 0 && last[i]-- == 0;)
		;
	return NULL;
}

bool
octets_behind(uint8_t at[16], const uint8_t last[16], const uint8_t end[16])
{
	if (memcmp(last, end, 16) >= 0)
		return false;
	memcpy(at, last, 16);
	return octets_next(at);
}
