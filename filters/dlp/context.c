/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/context.h"

#include "filters/dlp/dlp.h"

static const struct context_hit *
hit_at(const struct context *x, uint64_t i)
{
	return &x->hits[i & (CONTEXT_HITS - 1)];
}

static uint64_t
oldest(const struct context *x)
{
	return x->hits_n > CONTEXT_HITS ? x->hits_n - CONTEXT_HITS : 0;
}

void
context_add(struct context *x, uint64_t end, uint8_t n, uint8_t class)
{
	x->hits[x->hits_n++ & (CONTEXT_HITS - 1)] =
	    (struct context_hit){ end, n, class };
}

/* The first hit that ends behind `at`: hits lie in the order of their ends. */
static uint64_t
first_behind(const struct context *x, uint64_t at)
{
	uint64_t low = oldest(x), high = x->hits_n;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (hit_at(x, middle)->end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool
context_has(
    const struct context *x, enum word_class class, uint64_t from, uint64_t to)
{
	for (uint64_t i = first_behind(x, from); i < x->hits_n; i++) {
		const struct context_hit *h = hit_at(x, i);

		if (h->end > to)
			return false;
		if (h->class == class && h->end - h->n >= from)
			return true;
	}
	return false;
}

bool context_is_label(enum word_class class)
{
	return class <= WORD_POSTAL || class == WORD_ACCOUNT_TYPE;
}

static bool is_account(enum word_class class)
{
	return class == WORD_ACCOUNT || class == WORD_POSTAL ||
	    class == WORD_ACCOUNT_TYPE;
}

enum context_label
context_agree(enum word_class own, enum word_class label)
{
	if (own == label)
		return CONTEXT_OWN;
	if (label >= WORD_CLASSES || !context_is_label(label) ||
	    (is_account(own) && is_account(label)))
		return CONTEXT_NONE;
	return CONTEXT_FOREIGN;
}

/* A label holds over one line end or cell, not into another field. */
static bool
reaches(struct bytes between)
{
	size_t borders = 0;

	for (size_t i = 0; i < between.n; i++) {
		uint8_t c = between.p[i];

		if (c == DLP_FIELD || c == DLP_RECORD)
			return false;
		borders += c == '\n' || c == DLP_CELL || c == '\t';
	}
	return borders <= 1;
}

enum context_label
context_label(const struct context *x, enum word_class own, uint64_t at,
    struct bytes text)
{
	for (uint64_t i = first_behind(x, at); i-- > oldest(x);) {
		const struct context_hit *h = hit_at(x, i);
		size_t gap = (size_t)(at - h->end);
		enum context_label says;

		if (gap > CONTEXT_LABEL || gap > text.n ||
		    !reaches((struct bytes){ text.p + text.n - gap, gap }))
			break;
		says = context_agree(own, (enum word_class)h->class);
		if (says != CONTEXT_NONE)
			return says;
	}
	return CONTEXT_NONE;
}

enum word_class
context_heading(
    const struct context *x, uint64_t from, uint64_t to, uint32_t *others_out)
{
	enum word_class heading = WORD_CLASSES;

	for (uint64_t i = first_behind(x, from); i < x->hits_n; i++) {
		const struct context_hit *h = hit_at(x, i);

		if (h->end > to)
			break;
		if (h->end - h->n < from)
			continue;
		*others_out |= 1U << h->class;
		if (context_is_label((enum word_class)h->class))
			heading = (enum word_class)h->class;
	}
	return heading;
}
