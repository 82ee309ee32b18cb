/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sweep through one dimension after the other. Where no box begins or ends
 * the same boxes cover all places; so each stretch between two such places is
 * swept through the next dimension with the boxes that cover it. What comes out
 * are pieces, in slabs: two of them have the same sources or none in common,
 * and so on. Nothing is done with addresses but to compare them and to take
 * the one behind or before, where there is one.
 *
 * Pieces that differ in their sources alone and touch are one cell.
 */
#include "proxy/isolation/cells.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 spot;

#define SPOT_LAST (~(spot)0)

enum dimension {
	FROM,
	TO,
	PORT,
	DIMENSIONS,
};

struct box {
	spot first[DIMENSIONS], last[DIMENSIONS];
	const struct grant *grant;
};

/* A set of grants that some piece has; all pieces with it have the same one. */
struct listing {
	struct listing *next; /* of the bucket */
	const struct grant **grants;
	size_t n;
};

struct piece {
	spot first[DIMENSIONS], last[DIMENSIONS];
	enum carrier carrier;
	uint8_t protocol;
	const struct listing *listing;
	const struct cell *cell;
};

/* What one dimension's sweep works with. */
struct level {
	const struct box **order;  /* by their first places */
	const struct box **active; /* which cover the stretch */
	spot *edges;
	size_t room;
};

struct cutting {
	struct arena *arena;
	struct level levels[DIMENSIONS];
	struct listing **buckets;
	size_t buckets_n; /* a power of two */
	struct piece *pieces;
	size_t pieces_n, room;
	size_t max;
	spot first[DIMENSIONS], last[DIMENSIONS]; /* where the sweep is */
	const struct grant **sorted;
};

static spot
spot_of(const uint8_t octets[16])
{
	spot s = 0;

	for (size_t i = 0; i < 16; i++)
		s = s << 8 | octets[i];
	return s;
}

static void
octets_of(spot s, uint8_t out[16])
{
	for (size_t i = 16; i-- > 0; s >>= 8)
		out[i] = (uint8_t)s;
}

static struct box
box_of(const struct grant *g)
{
	return (struct box){
		.first = { spot_of(g->from.first), spot_of(g->to.first),
		    g->port_first },
		.last = { spot_of(g->from.last), spot_of(g->to.last),
		    g->port_last },
		.grant = g,
	};
}

static int
compare_spots(const void *a, const void *b)
{
	spot left = *(const spot *)a;
	spot right = *(const spot *)b;

	return (left > right) - (left < right);
}

static int
compare_firsts(const void *a, const void *b, void *dimension)
{
	const struct box *left = *(const struct box *const *)a;
	const struct box *right = *(const struct box *const *)b;
	size_t d = *(const enum dimension *)dimension;

	return compare_spots(&left->first[d], &right->first[d]);
}

static int
compare_grants(const void *a, const void *b)
{
	const struct grant *left = *(const struct grant *const *)a;
	const struct grant *right = *(const struct grant *const *)b;

	return (left > right) - (left < right);
}

/* The grants of these boxes, as the one array that has them. */
static const struct listing *
list_of(struct cutting *c, const struct box *const *boxes, size_t n)
{
	struct listing *l;
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++)
		c->sorted[i] = boxes[i]->grant;
	if (n > 1)
		qsort(c->sorted, n, sizeof(struct grant *), compare_grants);
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (uint64_t)(uintptr_t)c->sorted[i]) *
		    0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 32) & (c->buckets_n - 1);
	for (l = c->buckets[hash]; l != NULL; l = l->next)
		if (l->n == n &&
		    memcmp(l->grants, c->sorted, n * sizeof(*l->grants)) == 0)
			return l;
	l = ARENA_NEW(c->arena, struct listing);
	l->grants = ARENA_ARRAY(c->arena, const struct grant *, n);
	memcpy(l->grants, c->sorted, n * sizeof(*l->grants));
	l->n = n;
	l->next = c->buckets[hash];
	c->buckets[hash] = l;
	return l;
}

static int
emit(struct cutting *c, const struct box *const *boxes, size_t n)
{
	struct piece *p;

	if (c->pieces_n == c->max)
		return -1;
	if (c->pieces_n == c->room) {
		c->room = c->room == 0 ? 1024 : size_mul(c->room, 2);
		c->pieces =
		    reallocarray(c->pieces, c->room, sizeof(*c->pieces));
		must(c->pieces != NULL);
	}
	p = &c->pieces[c->pieces_n++];
	*p = (struct piece){
		.carrier = boxes[0]->grant->carrier,
		.protocol = boxes[0]->grant->protocol,
		.listing = list_of(c, boxes, n),
	};
	memcpy(p->first, c->first, sizeof(p->first));
	memcpy(p->last, c->last, sizeof(p->last));
	return 0;
}

/* One box alone needs no sweep. */
static int
emit_one(struct cutting *c, const struct box *const *box, enum dimension d)
{
	for (size_t i = d; i < DIMENSIONS; i++) {
		c->first[i] = (*box)->first[i];
		c->last[i] = (*box)->last[i];
	}
	return emit(c, box, 1);
}

static void
make_room(struct level *l, size_t n)
{
	if (n <= l->room)
		return;
	l->room = n;
	l->order = reallocarray(l->order, n, sizeof(struct box *));
	l->active = reallocarray(l->active, n, sizeof(struct box *));
	l->edges = reallocarray(l->edges, size_mul(n, 2), sizeof(*l->edges));
	must(l->order != NULL && l->active != NULL && l->edges != NULL);
}

/* Where what covers a place changes: sorted, each once. Their count. */
static size_t
find_edges(struct level *l, size_t n, enum dimension d)
{
	size_t all = 0;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		l->edges[all++] = l->order[i]->first[d];
		/* Behind the last address of all there is none. */
		if (l->order[i]->last[d] != SPOT_LAST)
			l->edges[all++] = l->order[i]->last[d] + 1;
	}
	qsort(l->edges, all, sizeof(*l->edges), compare_spots);
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || l->edges[kept - 1] != l->edges[i])
			l->edges[kept++] = l->edges[i];
	return kept;
}

static size_t
drop_ended(struct level *l, size_t n, spot at, enum dimension d)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (l->active[i]->last[d] >= at)
			l->active[kept++] = l->active[i];
	return kept;
}

static int
sweep(struct cutting *c, const struct box *const *boxes, size_t n,
    enum dimension d)
{
	struct level *l = &c->levels[d];
	size_t active_n = 0;
	size_t next = 0;
	size_t edges_n;

	if (n == 1)
		return emit_one(c, boxes, d);
	make_room(l, n);
	memcpy(l->order, boxes, n * sizeof(struct box *));
	qsort_r(l->order, n, sizeof(struct box *), compare_firsts, &d);
	edges_n = find_edges(l, n, d);
	for (size_t i = 0; i < edges_n; i++) {
		active_n = drop_ended(l, active_n, l->edges[i], d);
		while (next < n && l->order[next]->first[d] == l->edges[i])
			l->active[active_n++] = l->order[next++];
		if (active_n == 0)
			continue;
		c->first[d] = l->edges[i];
		c->last[d] = i + 1 < edges_n ? l->edges[i + 1] - 1 : SPOT_LAST;
		if ((d == PORT ? emit(c, l->active, active_n)
			       : sweep(c, l->active, active_n, d + 1)) < 0)
			return -1;
	}
	return 0;
}

static int
compare_kinds(const void *a, const void *b)
{
	const struct grant *left = (*(const struct box *const *)a)->grant;
	const struct grant *right = (*(const struct box *const *)b)->grant;

	if (left->carrier != right->carrier)
		return left->carrier < right->carrier ? -1 : 1;
	return left->protocol - right->protocol;
}

/* Each carrier and protocol by itself. */
static int
sweep_kinds(struct cutting *c, const struct box **boxes, size_t n)
{
	size_t first = 0;

	qsort(boxes, n, sizeof(*boxes), compare_kinds);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && compare_kinds(&boxes[first], &boxes[i]) == 0)
			continue;
		if (sweep(c, boxes + first, i - first, FROM) < 0)
			return -1;
		first = i;
	}
	return 0;
}

static int
sweep_all(struct cutting *c, const struct grant *grants, size_t n)
{
	struct box *boxes = calloc(n, sizeof(*boxes));
	const struct box **all = calloc(n, sizeof(*all));
	int result;

	must(boxes != NULL && all != NULL);
	for (size_t i = 0; i < n; i++) {
		must(grants[i].port_first <= grants[i].port_last &&
		    memcmp(grants[i].from.first, grants[i].from.last, 16) <=
			0 &&
		    memcmp(grants[i].to.first, grants[i].to.last, 16) <= 0);
		boxes[i] = box_of(&grants[i]);
		all[i] = &boxes[i];
	}
	result = sweep_kinds(c, all, n);
	free(all);
	free(boxes);
	return result;
}

/* Those that may be one cell stand together, by their sources. */
static int
compare_shapes(const void *a, const void *b)
{
	const struct piece *left = *(struct piece *const *)a;
	const struct piece *right = *(struct piece *const *)b;
	int order = 0;

	if (left->listing != right->listing)
		return left->listing < right->listing ? -1 : 1;
	for (enum dimension d = TO; d < DIMENSIONS && order == 0; d++) {
		order = compare_spots(&left->first[d], &right->first[d]);
		if (order == 0)
			order = compare_spots(&left->last[d], &right->last[d]);
	}
	return order != 0
	    ? order
	    : compare_spots(&left->first[FROM], &right->first[FROM]);
}

static bool
continues(const struct piece *p, const struct piece *q)
{
	for (enum dimension d = TO; d < DIMENSIONS; d++)
		if (p->first[d] != q->first[d] || p->last[d] != q->last[d])
			return false;
	return p->listing == q->listing && p->last[FROM] != SPOT_LAST &&
	    p->last[FROM] + 1 == q->first[FROM];
}

static struct cell
cell_of(const struct piece *first, const struct piece *last)
{
	struct cell c = {
		.carrier = first->carrier,
		.protocol = first->protocol,
		.port_first = (uint16_t)first->first[PORT],
		.port_last = (uint16_t)first->last[PORT],
		.grants = first->listing->grants,
		.grants_n = first->listing->n,
	};

	octets_of(first->first[FROM], c.from.first);
	octets_of(last->last[FROM], c.from.last);
	octets_of(first->first[TO], c.to.first);
	octets_of(first->last[TO], c.to.last);
	return c;
}

static int
compare_pieces(const void *a, const void *b)
{
	const struct piece *left = *(struct piece *const *)a;
	const struct piece *right = *(struct piece *const *)b;

	return (left > right) - (left < right);
}

/*
 * The pieces stand in the cells' order already, but for those that continue
 * another. So that which begins a cell gives it its place.
 */
static void
unite(struct cutting *c, struct cells *out)
{
	size_t n = c->pieces_n;
	struct piece **order = calloc(n + 1, sizeof(*order));
	struct piece **heads = calloc(n + 1, sizeof(*heads));
	struct piece **ends = calloc(n + 1, sizeof(*ends));
	size_t heads_n = 0;

	must(order != NULL && heads != NULL && ends != NULL);
	for (size_t i = 0; i < n; i++)
		order[i] = &c->pieces[i];
	qsort(order, n, sizeof(*order), compare_shapes);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !continues(order[i - 1], order[i]))
			heads[heads_n++] = order[i];
		/* by the head's place among the pieces */
		ends[heads[heads_n - 1] - c->pieces] = order[i];
	}
	qsort(heads, heads_n, sizeof(*heads), compare_pieces);
	out->cells = ARENA_ARRAY(c->arena, struct cell, heads_n);
	out->cells_n = heads_n;
	for (size_t i = 0; i < heads_n; i++) {
		out->cells[i] = cell_of(heads[i], ends[heads[i] - c->pieces]);
		heads[i]->cell = &out->cells[i];
	}
	for (size_t i = 0; i < n; i++)
		if (order[i]->cell == NULL)
			order[i]->cell = order[i - 1]->cell;
	free(ends);
	free(heads);
	free(order);
}

static void
end(struct cutting *c)
{
	for (size_t i = 0; i < DIMENSIONS; i++) {
		free(c->levels[i].order);
		free(c->levels[i].active);
		free(c->levels[i].edges);
	}
	free(c->sorted);
	free(c->pieces);
	free(c->buckets);
}

struct cells *
cells_cut(const struct grant *grants, size_t n, size_t max, struct arena *a,
    struct err *e)
{
	struct cells *out = ARENA_NEW(a, struct cells);
	struct cutting c = { .arena = a, .max = max };
	struct piece *pieces;
	int result = 0;

	c.buckets_n = 1024;
	while (c.buckets_n < n)
		c.buckets_n *= 2;
	c.buckets = calloc(c.buckets_n, sizeof(*c.buckets));
	c.sorted = calloc(n + 1, sizeof(*c.sorted));
	must(c.buckets != NULL && c.sorted != NULL);
	if (n > 0)
		result = sweep_all(&c, grants, n);
	if (result < 0) {
		err_set(e,
		    "what the settings let through makes more than %zu cells",
		    max);
	} else if (c.pieces_n > 0) {
		unite(&c, out);
		pieces = ARENA_ARRAY(a, struct piece, c.pieces_n);
		memcpy(pieces, c.pieces, c.pieces_n * sizeof(*pieces));
		out->pieces = pieces;
		out->pieces_n = c.pieces_n;
	}
	end(&c);
	return result < 0 ? NULL : out;
}

/* A place in the order of the pieces. */
struct mark {
	enum carrier carrier;
	uint8_t protocol;
	spot at[DIMENSIONS];
};

static bool
begins_behind(const struct piece *p, const struct mark *m)
{
	if (p->carrier != m->carrier)
		return p->carrier > m->carrier;
	if (p->protocol != m->protocol)
		return p->protocol > m->protocol;
	for (size_t d = 0; d < DIMENSIONS; d++)
		if (p->first[d] != m->at[d])
			return p->first[d] > m->at[d];
	return false;
}

/* The last that begins at or before it; NULL: there is none. */
static const struct piece *
last_before(const struct cells *c, const struct mark *m)
{
	size_t low = 0;
	size_t high = c->pieces_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (begins_behind(&c->pieces[middle], m))
			high = middle;
		else
			low = middle + 1;
	}
	return low == 0 ? NULL : &c->pieces[low - 1];
}

static bool
is_in(const struct piece *p, const struct mark *m, spot at, enum dimension d)
{
	if (p == NULL || p->carrier != m->carrier || p->protocol != m->protocol)
		return false;
	for (size_t i = 0; i < d; i++)
		if (p->first[i] != m->at[i])
			return false;
	return p->first[d] <= at && at <= p->last[d];
}

/* The slab of the source, in it that of the destination, in it the port. */
const struct cell *
cells_find(const struct cells *c, enum carrier carrier,
    const struct address *from, const struct address *to, uint8_t protocol)
{
	const spot at[DIMENSIONS] = { spot_of(from->octets),
		spot_of(to->octets), to->port };
	struct mark m = { carrier, protocol,
		{ SPOT_LAST, SPOT_LAST, SPOT_LAST } };
	const struct piece *p = NULL;

	for (enum dimension d = FROM; d < DIMENSIONS; d++) {
		m.at[d] = at[d];
		p = last_before(c, &m);
		if (!is_in(p, &m, at[d], d))
			return NULL;
		m.at[d] = p->first[d];
	}
	return p->cell;
}

const char *
carrier_name(enum carrier c)
{
	static const char *const names[CARRIERS] = {
		[CARRIER_NONE] = "none",
		[CARRIER_LISTEN] = "listen",
		[CARRIER_FORWARD] = "forward",
		[CARRIER_EDGE] = "edge",
		[CARRIER_MAIL] = "mail",
		[CARRIER_GATE] = "gate",
	};

	return names[c];
}
