/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse: a binary fuse filter of eight bits (Graf and Lemire, 2022): says "not
 * there" of 255 in 256 hashes that are not, by three bytes read, in 9 bits per
 * key. What it lets through is looked up exactly.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

struct fuse {
	uint64_t seed;
	uint32_t segment;  /* length, a power of two */
	uint32_t segments; /* where the first of a hash's three may lie */
};

/* Bytes of the table for n keys; fills segment and segments. */
size_t fuse_size(struct fuse *f, size_t n);
/* Fills the table (of fuse_size bytes) from n distinct hashes. 0, or -1: no
 * seed of many fitted, which distinct hashes do not do. */
int fuse_build(struct fuse *f, uint8_t *table, const uint64_t *hashes, size_t n)
    MUST_CHECK;

static inline uint64_t
fuse_scramble(uint64_t hash, uint64_t seed)
{
	hash += seed;
	hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
	return hash ^ (hash >> 33);
}

/* The first of the three grows with the hash, so that hashes in order fill the
 * table from its front: most of what is touched is in the cache. */
static inline uint64_t
fuse_places(const struct fuse *f, uint64_t hash, uint32_t out[3])
{
	uint64_t h = fuse_scramble(hash, f->seed);
	uint64_t first = (uint64_t)(((unsigned __int128)hash *
					((uint64_t)f->segments * f->segment)) >>
	    64);
	uint32_t mask = f->segment - 1;

	out[0] = (uint32_t)first;
	out[1] = (out[0] + f->segment) ^ ((uint32_t)(h >> 18) & mask);
	out[2] = (out[0] + 2 * f->segment) ^ ((uint32_t)h & mask);
	return h >> 40; /* its low byte is what the three make together */
}

static inline void
fuse_fetch(const struct fuse *f, const uint8_t *table, uint64_t hash)
{
	uint32_t at[3];

	fuse_places(f, hash, at);
	for (unsigned i = 0; i < 3; i++)
		__builtin_prefetch(table + at[i]);
}

static inline bool
fuse_has(const struct fuse *f, const uint8_t *table, uint64_t hash)
{
	uint32_t at[3];
	uint64_t print = fuse_places(f, hash, at);

	return ((print ^ table[at[0]] ^ table[at[1]] ^ table[at[2]]) & 0xff) ==
	    0;
}
