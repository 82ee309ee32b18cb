/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/literal.h"

#include <ctype.h>

#define DEPTH_MAX 32

struct reader {
	struct bytes rest;
	struct arena *arena;
	unsigned depth;
	bool lost; /* something that is not read: nothing is known */
};

/* Within one branch: the best so far, and the run of bytes that goes on. */
struct branch {
	struct literals *best;
	uint8_t run[64];
	size_t run_n;
};

static size_t
least_of(const struct literals *l)
{
	size_t least = l->n == 0 ? 0 : SIZE_MAX;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].n < least)
			least = l->list[i].n;
	return least;
}

/* The longest says most; among equals, the fewest. */
static void
keep_better(struct literals *best, const struct literals *other)
{
	size_t a = least_of(best);
	size_t b = least_of(other);

	if (b >= LITERAL_LEAST && (b > a || (b == a && other->n < best->n)))
		*best = *other;
}

static void
end_run(struct reader *r, struct branch *b)
{
	struct literals l = { .n = 1 };

	if (b->run_n >= LITERAL_LEAST && b->run_n > least_of(b->best)) {
		l.list[0] =
		    arena_copy(r->arena, (struct bytes){ b->run, b->run_n });
		keep_better(b->best, &l);
	}
	b->run_n = 0;
}

static void
add_byte(struct reader *r, struct branch *b, uint8_t c)
{
	if (b->run_n == sizeof(b->run))
		end_run(r, b);
	b->run[b->run_n++] = c;
}

static int
peek(const struct reader *r)
{
	return r->rest.n == 0 ? -1 : r->rest.p[0];
}

static int
next(struct reader *r)
{
	return r->rest.n == 0 ? -1 : bytes_take(&r->rest, 1).p[0];
}

static bool
skip(struct reader *r, struct bytes word)
{
	if (!bytes_start_with(r->rest, word))
		return false;
	bytes_take(&r->rest, word.n);
	return true;
}

/* Behind '{': "n}", "n,}", "n,m}" are quantifiers. */
static bool
read_braces(struct reader *r, bool *none_out)
{
	struct bytes all = r->rest;
	struct bytes inside = bytes_take_until(&all, '}');
	struct bytes least;

	if (inside.n == r->rest.n)
		return false;
	least = bytes_take_until(&inside, ',');
	*none_out = true;
	for (size_t i = 0; i < least.n; i++) {
		if (!isdigit(least.p[i]))
			return false;
		*none_out &= least.p[i] == '0';
	}
	for (size_t i = 0; i < inside.n; i++)
		if (!isdigit(inside.p[i]))
			return false;
	r->rest = all;
	return least.n > 0;
}

enum times {
	TIMES_ONE,  /* no quantifier */
	TIMES_SOME, /* once or more */
	TIMES_ANY,  /* perhaps never */
};

static enum times
read_quantifier(struct reader *r)
{
	enum times times = TIMES_ONE;
	bool none = false;
	int c = peek(r);

	if (c == '?' || c == '*') {
		times = TIMES_ANY;
	} else if (c == '+') {
		times = TIMES_SOME;
	} else if (c != '{') {
		return TIMES_ONE;
	}
	next(r);
	if (c == '{') {
		r->lost |= !read_braces(r, &none);
		times = none ? TIMES_ANY : TIMES_SOME;
	}
	if (peek(r) == '?' || peek(r) == '+')
		next(r);
	return times;
}

/* A byte of the pattern that stands for itself. */
static void
read_byte(struct reader *r, struct branch *b, uint8_t c)
{
	switch (read_quantifier(r)) {
	case TIMES_ONE:
		add_byte(r, b, c);
		break;
	case TIMES_SOME:
		add_byte(r, b, c);
		end_run(r, b);
		break;
	case TIMES_ANY:
		end_run(r, b);
		break;
	}
}

static void
read_class(struct reader *r, struct branch *b)
{
	int c;

	end_run(r, b);
	if (peek(r) == '^')
		next(r);
	c = next(r); /* a ']' here stands for itself */
	do {
		if (c == '\\') {
			c = next(r);
			r->lost |= c == 'Q' || c == 'E' || c == 'c';
		} else if (c == '[' && peek(r) == ':') {
			bytes_take_until(&r->rest, ']');
		}
		c = next(r);
	} while (c >= 0 && c != ']');
	read_quantifier(r);
}

static void
read_escape(struct reader *r, struct branch *b)
{
	int c = next(r);

	if (c >= 0 && c < 0x80 && !isalnum(c)) {
		read_byte(r, b, (uint8_t)c);
		return;
	}
	/* What takes something behind it is not read. */
	if (c < 0 || strchr("dDwWsSbBhHvVRAzZntrfea", c) == NULL)
		r->lost = true;
	end_run(r, b);
	read_quantifier(r);
}

static void read_branches(struct reader *r, struct literals *out);

enum group {
	GROUP_PART,   /* what it matches is a part of the match */
	GROUP_BESIDE, /* an assertion */
	GROUP_OTHER,
};

static enum group
read_group_head(struct reader *r)
{
	if (peek(r) == '*')
		return GROUP_OTHER;
	if (!skip(r, BYTES("?")))
		return GROUP_PART;
	if (skip(r, BYTES("=")) || skip(r, BYTES("!")) ||
	    skip(r, BYTES("<=")) || skip(r, BYTES("<!")))
		return GROUP_BESIDE;
	return skip(r, BYTES(":")) || skip(r, BYTES(">")) ? GROUP_PART
							  : GROUP_OTHER;
}

static void
read_group(struct reader *r, struct branch *b)
{
	enum group kind = read_group_head(r);
	struct literals inside = { .n = 0 };

	end_run(r, b);
	if (kind == GROUP_OTHER || r->depth == DEPTH_MAX) {
		r->lost = true;
		return;
	}
	r->depth++;
	read_branches(r, &inside);
	r->depth--;
	r->lost |= next(r) != ')';
	if (read_quantifier(r) != TIMES_ANY && kind == GROUP_PART && !r->lost)
		keep_better(b->best, &inside);
}

/* Up to '|', ')' or the end. */
static void
read_branch(struct reader *r, struct literals *out)
{
	struct branch b = { .best = out };

	while (!r->lost && peek(r) >= 0 && peek(r) != '|' && peek(r) != ')') {
		int c = next(r);

		switch (c) {
		case '\\':
			read_escape(r, &b);
			break;
		case '[':
			read_class(r, &b);
			break;
		case '(':
			read_group(r, &b);
			break;
		case '.':
		case '^':
		case '$':
			end_run(r, &b);
			read_quantifier(r);
			break;
		case '{':
		case '?':
		case '*':
		case '+':
			/* A second quantifier: a{2}{0}. */
			r->lost = true;
			break;
		default:
			read_byte(r, &b, (uint8_t)c);
		}
	}
	end_run(r, &b);
}

/* One of each branch; none when a branch has none. */
static void
read_branches(struct reader *r, struct literals *out)
{
	bool all = true;

	do {
		struct literals one = { .n = 0 };

		read_branch(r, &one);
		all &= one.n > 0 && out->n + one.n <= LITERALS_MAX;
		for (size_t i = 0; all && i < one.n; i++)
			out->list[out->n++] = one.list[i];
	} while (!r->lost && skip(r, BYTES("|")));
	if (!all)
		out->n = 0;
}

void
literals_of(struct bytes pattern, struct arena *a, struct literals *out)
{
	struct reader r = { .rest = pattern, .arena = a };

	out->n = 0;
	read_branches(&r, out);
	if (r.lost || r.rest.n > 0)
		out->n = 0;
}
