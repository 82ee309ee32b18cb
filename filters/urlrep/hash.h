/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash: of the keys of a list file. Each file has a seed of its own that nobody
 * who writes a feed or asks for a URL knows, so that names that meet in one
 * bucket cannot be made. It finds; equality is always of the bytes.
 */
#pragma once

#include "proxy/base/bytes.h"

static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define HASH_A 0x9e3779b97f4a7c15u
#define HASH_B 0xbf58476d1ce4e5b9u
#define HASH_C 0x94d049bb133111ebu

static inline uint64_t
hash_bytes(uint64_t seed, struct bytes b)
{
	uint64_t h = seed ^ (b.n * HASH_A);
	uint64_t word = 0;
	size_t n = b.n;
	const uint8_t *p = b.p;

	for (; n > 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = hash_mix(h ^ word, HASH_B ^ seed);
	}
	/* The last one to eight bytes; those before them may be read twice. */
	if (b.n >= 8) {
		memcpy(&word, p + n - 8, 8);
	} else {
		word = 0;
		for (size_t i = 0; i < n; i++)
			word = word << 8 | p[i];
	}
	h = hash_mix(h ^ word, HASH_C ^ seed);
	return hash_mix(h, HASH_A);
}
