/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/fuse.h"

#include <math.h>
#include <stdlib.h>

#define TRIES 64

size_t
fuse_size(struct fuse *f, size_t n)
{
	double size = n < 2 ? 2 : (double)n;
	double factor = fmax(1.125, 0.875 + 0.25 * log(1e6) / log(size));
	unsigned bits = (unsigned)(log(size) / log(3.33) + 2.25);
	double slots = n < 2 ? 8 : round(size * factor);

	must(n < (size_t)1 << 30);
	f->segment = (uint32_t)1 << (bits > 18 ? 18 : bits);
	f->segments =
	    (uint32_t)(((uint64_t)slots + f->segment - 1) / f->segment);
	f->segments = f->segments > 2 ? f->segments - 2 : 1;
	return (size_t)f->segment * (f->segments + 2);
}

struct peel {
	uint64_t *xored; /* of the hashes that a place is one of three for */
	uint8_t *count;
	uint32_t *alone; /* places that one hash is left for */
	uint64_t *order; /* hashes as they were taken off */
	uint8_t *which;  /* and which of the three was its own */
	size_t size;
};

static void
fill(const struct fuse *f, struct peel *p, const uint64_t *hashes, size_t n)
{
	uint32_t at[3];

	memset(p->xored, 0, p->size * sizeof(*p->xored));
	memset(p->count, 0, p->size);
	for (size_t i = 0; i < n; i++) {
		fuse_places(f, hashes[i], at);
		for (unsigned k = 0; k < 3; k++) {
			p->xored[at[k]] ^= hashes[i];
			/* 255 stays: such a place is never alone. */
			if (p->count[at[k]] < UINT8_MAX)
				p->count[at[k]]++;
		}
	}
}

/* How many hashes could be taken off one after another. */
static size_t
take_off(const struct fuse *f, struct peel *p)
{
	size_t waiting = 0;
	size_t taken = 0;
	uint32_t at[3];

	for (size_t i = 0; i < p->size; i++)
		if (p->count[i] == 1)
			p->alone[waiting++] = (uint32_t)i;
	while (waiting > 0) {
		uint32_t place = p->alone[--waiting];
		uint64_t h = p->xored[place];

		if (p->count[place] != 1)
			continue;
		fuse_places(f, h, at);
		p->order[taken] = h;
		for (unsigned k = 0; k < 3; k++) {
			if (at[k] == place)
				p->which[taken] = (uint8_t)k;
			p->xored[at[k]] ^= h;
			if (p->count[at[k]] == UINT8_MAX)
				continue;
			if (--p->count[at[k]] == 1)
				p->alone[waiting++] = at[k];
		}
		taken++;
	}
	return taken;
}

static void
assign(const struct fuse *f, const struct peel *p, size_t n, uint8_t *table)
{
	uint32_t at[3];

	memset(table, 0, p->size);
	while (n-- > 0) {
		uint64_t print = fuse_places(f, p->order[n], at);

		table[at[p->which[n]]] = (uint8_t)(print ^ table[at[0]] ^
		    table[at[1]] ^ table[at[2]]);
	}
}

static void *
room(size_t n, size_t width)
{
	void *p = calloc(n + 1, width);

	must(p != NULL);
	return p;
}

int
fuse_build(struct fuse *f, uint8_t *table, const uint64_t *hashes, size_t n)
{
	size_t size = (size_t)f->segment * (f->segments + 2);
	struct peel p = {
		.xored = room(size, sizeof(uint64_t)),
		.count = room(size, 1),
		.alone = room(size, sizeof(uint32_t)),
		.order = room(n, sizeof(uint64_t)),
		.which = room(n, 1),
		.size = size,
	};
	int result = -1;

	for (unsigned try = 0; try < TRIES && result < 0; try++) {
		f->seed = fuse_scramble(f->seed, try + 1);
		fill(f, &p, hashes, n);
		if (take_off(f, &p) == n) {
			assign(f, &p, n, table);
			result = 0;
		}
	}
	free(p.xored);
	free(p.count);
	free(p.alone);
	free(p.order);
	free(p.which);
	return result;
}
