/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/cells.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 1000 /* of each loop */
#define LOOPS 4
#define GRANTS_N 9

/*
 * A space of a few places where all can be asked about: the first addresses,
 * some in the middle and the last ones; and the same of ports.
 */
#define PLACES_N 9
static const uint16_t ports[PLACES_N] = { 0, 1, 2, 443, 444, 32768, 65533,
	65534, 65535 };

static void
put_place(unsigned place, uint8_t out[16])
{
	memset(out, 0, 16);
	if (place < 3) {
		out[15] = (uint8_t)place;
	} else if (place < 6) {
		/* on both sides of a carry */
		memcpy(out + 10, "\xff\xff\x7f\xff\xff\xff", 6);
		if (place > 3)
			memcpy(out + 10, "\xff\xff\x80\x00\x00", 5);
		out[15] = (uint8_t)(place == 3 ? 0xff : place - 4);
	} else {
		memset(out, 0xff, 16);
		out[15] = (uint8_t)(0xf7 + place);
	}
}

static const uint8_t protocols[] = { 0, 6, 255 };

struct point {
	enum carrier carrier;
	uint8_t protocol;
	struct address from, to;
};

static bool
grant_covers(const struct grant *g, const struct point *p)
{
	return g->carrier == p->carrier && g->protocol == p->protocol &&
	    range_contains(&g->from, p->from.octets) &&
	    range_contains(&g->to, p->to.octets) &&
	    g->port_first <= p->to.port && p->to.port <= g->port_last;
}

static bool
cell_covers(const struct cell *c, const struct point *p)
{
	return c->carrier == p->carrier && c->protocol == p->protocol &&
	    range_contains(&c->from, p->from.octets) &&
	    range_contains(&c->to, p->to.octets) &&
	    c->port_first <= p->to.port && p->to.port <= c->port_last;
}

/* Whether the cell has just those grants that let the point through. */
static bool
has_grants_of(const struct cell *c, const struct grant *grants, size_t n,
    const struct point *p)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (grant_covers(&grants[i], p) &&
		    (k == c->grants_n || c->grants[k++] != &grants[i]))
			return false;
	return k == c->grants_n;
}

static const char *
judge_point(const struct cells *c, const struct grant *grants, size_t n,
    const struct point *p)
{
	const struct cell *found =
	    cells_find(c, p->carrier, &p->from, &p->to, p->protocol);
	const struct cell *covers = NULL;
	bool passes = false;

	for (size_t i = 0; i < n; i++)
		passes |= grant_covers(&grants[i], p);
	for (size_t i = 0; i < c->cells_n; i++)
		if (cell_covers(&c->cells[i], p)) {
			if (covers != NULL)
				return "it is in two cells";
			covers = &c->cells[i];
		}
	if (passes != (covers != NULL))
		return passes ? "it is in no cell" : "a cell is too large";
	if (found != covers)
		return "cells_find finds another";
	return covers == NULL || has_grants_of(covers, grants, n, p)
	    ? NULL
	    : "its cell has other grants";
}

static int
compare_cells(const struct cell *a, const struct cell *b)
{
	int order = (int)a->carrier - (int)b->carrier;

	if (order == 0)
		order = a->protocol - b->protocol;
	if (order == 0)
		order = memcmp(a->from.first, b->from.first, 16);
	if (order == 0)
		order = memcmp(a->to.first, b->to.first, 16);
	return order != 0 ? order : a->port_first - b->port_first;
}

static void
check_all(
    const struct cells *c, const struct grant *grants, size_t n, unsigned seed)
{
	for (size_t i = 1; i < c->cells_n; i++)
		if (compare_cells(&c->cells[i - 1], &c->cells[i]) >= 0)
			ck_abort_msg("seed %u: cells are out of order", seed);
	for (unsigned i = 0;
	     i < 2 * COUNT(protocols) * PLACES_N * PLACES_N * PLACES_N; i++) {
		unsigned rest = i;
		struct point p = { 0 };
		const char *why;

		p.carrier = rest % 2 == 0 ? CARRIER_LISTEN : CARRIER_GATE;
		p.protocol = protocols[(rest /= 2) % COUNT(protocols)];
		put_place((rest /= COUNT(protocols)) % PLACES_N, p.from.octets);
		put_place((rest /= PLACES_N) % PLACES_N, p.to.octets);
		p.to.port = ports[rest / PLACES_N];
		why = judge_point(c, grants, n, &p);
		if (why != NULL)
			ck_abort_msg("seed %u, point %u: %s", seed, i, why);
	}
}

static void
pick(unsigned *seed, unsigned *first, unsigned *last)
{
	unsigned a = (unsigned)rand_r(seed) % PLACES_N;
	unsigned b = (unsigned)rand_r(seed) % PLACES_N;

	*first = a < b ? a : b;
	*last = a < b ? b : a;
	if (rand_r(seed) % 8 == 0)
		*first = 0;
	if (rand_r(seed) % 8 == 0)
		*last = PLACES_N - 1;
}

static struct grant
random_grant(unsigned *seed)
{
	struct grant g = {
		.carrier =
		    rand_r(seed) % 4 == 0 ? CARRIER_GATE : CARRIER_LISTEN,
		.protocol = protocols[rand_r(seed) % 4 == 0
			? (unsigned)rand_r(seed) % COUNT(protocols)
			: 1],
	};
	unsigned first, last;

	pick(seed, &first, &last);
	put_place(first, g.from.first);
	put_place(last, g.from.last);
	pick(seed, &first, &last);
	put_place(first, g.to.first);
	put_place(last, g.to.last);
	pick(seed, &first, &last);
	g.port_first = ports[first];
	g.port_last = ports[last];
	return g;
}

START_TEST(cells_are_what_grants_let_through)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned seed = (unsigned)_i * ROUNDS + round;
		unsigned state = seed;
		struct grant grants[GRANTS_N] = { 0 };
		struct arena a = { 0 };
		struct err e = { 0 };
		size_t n = round % (GRANTS_N + 1);
		struct cells *c;

		for (size_t i = 0; i < n; i++)
			grants[i] = random_grant(&state);
		if (n > 1 && round % 5 == 0)
			grants[n - 1] = grants[0]; /* the same twice */
		c = cells_cut(grants, n, CELLS_MAX, &a, &e);
		if (c == NULL)
			ck_abort_msg("seed %u: %s", seed, e.text);
		check_all(c, grants, n, seed);
		arena_release(&a);
	}
}
END_TEST

static struct grant
grant_of(unsigned from_first, unsigned from_last, unsigned to_first,
    unsigned to_last)
{
	struct grant g = { .carrier = CARRIER_FORWARD, .protocol = 6 };

	g.from.first[15] = (uint8_t)from_first;
	g.from.last[15] = (uint8_t)from_last;
	g.to.first[15] = (uint8_t)to_first;
	g.to.last[15] = (uint8_t)to_last;
	return g;
}

/* Somebody else's edges in the sources do not divide a grant's cell. */
START_TEST(cells_are_not_divided_in_vain)
{
	struct grant grants[] = { grant_of(0, 99, 1, 1),
		grant_of(50, 150, 7, 7), grant_of(20, 30, 9, 9) };
	struct arena a = { 0 };
	struct err e = { 0 };
	struct cells *c = cells_cut(grants, COUNT(grants), CELLS_MAX, &a, &e);

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->cells_n, 3);
	ck_assert_uint_eq(c->cells[0].from.last[15], 99);
	ck_assert_uint_eq(c->cells[1].from.first[15], 20);
	ck_assert_uint_eq(c->cells[2].from.first[15], 50);
	arena_release(&a);
}
END_TEST

START_TEST(cells_of_the_same_grants_share_their_list)
{
	struct grant grants[] = { grant_of(0, 99, 0, 9), grant_of(0, 99, 0, 9),
		grant_of(10, 20, 3, 4) };
	struct arena a = { 0 };
	struct err e = { 0 };
	struct cells *c = cells_cut(grants, COUNT(grants), CELLS_MAX, &a, &e);
	const struct grant *const *both = NULL;

	ck_assert_ptr_nonnull(c);
	for (size_t i = 0; i < c->cells_n; i++)
		if (c->cells[i].grants_n == 2) {
			if (both != NULL)
				ck_assert_ptr_eq(c->cells[i].grants, both);
			both = c->cells[i].grants;
		}
	ck_assert_ptr_nonnull(both);
	arena_release(&a);
}
END_TEST

START_TEST(cells_have_a_most)
{
	struct grant grants[10];
	struct arena a = { 0 };
	struct err e = { 0 };

	for (unsigned i = 0; i < 10; i++)
		grants[i] = grant_of(2 * i, 2 * i, 0, 0);
	ck_assert_ptr_nonnull(cells_cut(grants, 10, 10, &a, &e));
	ck_assert_ptr_null(cells_cut(grants, 10, 9, &a, &e));
	ck_assert_str_eq(
	    e.text, "what the settings let through makes more than 9 cells");
	arena_release(&a);
}
END_TEST

START_TEST(cells_take_no_grant_that_ends_before_it_begins)
{
	struct grant g = grant_of(3, 2, 0, 0);
	struct arena a = { 0 };
	struct err e = { 0 };

	ck_assert_ptr_null(cells_cut(&g, 1, CELLS_MAX, &a, &e));
}
END_TEST

Suite *cells_suite(void);

Suite *
cells_suite(void)
{
	Suite *s = suite_create("cells");
	TCase *t = tcase_create("cut");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, cells_are_what_grants_let_through, 0, LOOPS);
	tcase_add_test(t, cells_are_not_divided_in_vain);
	tcase_add_test(t, cells_of_the_same_grants_share_their_list);
	tcase_add_test(t, cells_have_a_most);
	tcase_add_test_raise_signal(
	    t, cells_take_no_grant_that_ends_before_it_begins, SIGABRT);
	suite_add_tcase(s, t);
	return s;
}
