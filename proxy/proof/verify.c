/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing of the cut is used here, neither the sweep nor the search: grants and
 * cells are compared point by point by scans. Points are the corners of every
 * grant and cell, and the places right beside them.
 */
#include <string.h>

#include "proxy/isolation/spans.h"
#include "proxy/proof/proof.h"

#define SIDES 4 /* before, first, last, behind */

/* What was looked at of one range: at most so many of its four places. */
struct side {
	uint8_t octets[16];
	bool is_there;
};

static void
find_sides(const struct range *r, struct side out[SIDES])
{
	struct side *before = &out[0];

	memcpy(before->octets, r->first, 16);
	before->is_there = false;
	for (size_t i = 16; i-- > 0 && !before->is_there;)
		before->is_there = before->octets[i]-- != 0;
	memcpy(out[1].octets, r->first, 16);
	memcpy(out[2].octets, r->last, 16);
	out[1].is_there = out[2].is_there = true;
	memcpy(out[3].octets, r->last, 16);
	out[3].is_there = octets_next(out[3].octets);
}

struct point {
	enum carrier carrier;
	uint8_t protocol;
	struct address from, to;
};

static bool
covers(const struct range *from, const struct range *to, uint16_t port_first,
    uint16_t port_last, const struct point *p)
{
	return port_first <= p->to.port && p->to.port <= port_last &&
	    range_contains(from, p->from.octets) &&
	    range_contains(to, p->to.octets);
}

static bool
cell_covers(const struct cell *c, const struct point *p)
{
	return c->carrier == p->carrier && c->protocol == p->protocol &&
	    covers(&c->from, &c->to, c->port_first, c->port_last, p);
}

static bool
grant_covers(const struct grant *g, const struct point *p)
{
	return g->carrier == p->carrier && g->protocol == p->protocol &&
	    covers(&g->from, &g->to, g->port_first, g->port_last, p);
}

static int
disagree(const struct point *p, const char *why, struct err *e)
{
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

	return err_set(e,
	    "cells and grants disagree on %s to %s, protocol %u by %s: %s",
	    address_text(&p->from, from), address_text_port(&p->to, to),
	    p->protocol, carrier_name(p->carrier), why);
}

/* By the claim again, grant by grant and without the cells. */
static const char *
judge_grants(
    const struct proof *p, const struct point *at, const struct cell *c)
{
	enum place from = places_at(&p->places, at->from.octets);
	enum place to = places_at(&p->reached, at->to.octets);
	bool refused = false;
	size_t n = 0;

	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.p[i];
		const char *ignored;

		if (!grant_covers(g, at))
			continue;
		if (c == NULL)
			return "a grant lets it through, and no cell has it";
		if (n == c->grants_n || c->grants[n++] != g)
			return "its cell has other grants";
		refused |=
		    claim_refuses(&p->settings, g, from, to, &ignored) != NULL;
	}
	if (c != NULL && n != c->grants_n)
		return "its cell has more grants";
	return refused && p->violations_all == 0
	    ? "the claim does not hold, and was said to"
	    : NULL;
}

static int
look(const struct proof *p, const struct point *at, struct err *e)
{
	const struct cell *in = NULL;
	const char *why;

	for (size_t i = 0; i < p->cells->cells_n; i++) {
		const struct cell *c = &p->cells->cells[i];

		if (!cell_covers(c, at))
			continue;
		if (in != NULL)
			return disagree(at, "it is in two cells", e);
		in = c;
	}
	if (in !=
	    cells_find(p->cells, at->carrier, &at->from, &at->to, at->protocol))
		return disagree(at, "the search finds another cell", e);
	why = judge_grants(p, at, in);
	return why == NULL ? 0 : disagree(at, why, e);
}

/* A box as its model's: corners and the places beside them. */
static int
look_around(const struct proof *p, const struct grant *box, size_t *points,
    struct err *e)
{
	const int ports[SIDES] = { box->port_first - 1, box->port_first,
		box->port_last, box->port_last + 1 };
	struct side from[SIDES], to[SIDES];

	find_sides(&box->from, from);
	find_sides(&box->to, to);
	for (size_t i = 0; i < SIDES * SIDES * SIDES; i++) {
		const struct side *f = &from[i / (SIDES * SIDES)];
		const struct side *t = &to[i / SIDES % SIDES];
		int port = ports[i % SIDES];
		struct point at = { .carrier = box->carrier,
			.protocol = box->protocol };

		if (!f->is_there || !t->is_there || port < 0 ||
		    port > UINT16_MAX)
			continue;
		memcpy(at.from.octets, f->octets, 16);
		memcpy(at.to.octets, t->octets, 16);
		at.to.port = (uint16_t)port;
		++*points;
		if (look(p, &at, e) < 0)
			return -1;
	}
	return 0;
}

/* Each point costs a scan of all: of very many boxes every so manieth is
 * taken, the same ones each time. */
#define WORK_MAX ((size_t)2000000000)

static size_t
step_of(const struct proof *p)
{
	size_t all = p->grants.n + p->cells->cells_n;
	size_t work = size_mul(size_mul(all, all), SIDES * SIDES * SIDES);

	return work / WORK_MAX + 1;
}

int
proof_verify(const struct proof *p, size_t *points_out, struct err *e)
{
	size_t step = step_of(p);

	*points_out = 0;
	for (size_t i = 0; i < p->grants.n; i += step)
		if (look_around(p, &p->grants.p[i], points_out, e) < 0)
			return -1;
	for (size_t i = 0; i < p->cells->cells_n; i += step) {
		const struct cell *c = &p->cells->cells[i];
		const struct grant box = {
			.carrier = c->carrier,
			.from = c->from,
			.to = c->to,
			.port_first = c->port_first,
			.port_last = c->port_last,
			.protocol = c->protocol,
		};

		if (look_around(p, &box, points_out, e) < 0)
			return -1;
	}
	return 0;
}
