/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that ends with its owner. One per exchange, transaction and
 * settings snapshot; nothing in it is freed alone. Allocation is of sizes that
 * we choose and never fails (the process aborts): what a peer sizes goes into
 * a buf, or is copied here after its length was judged.
 */
#pragma once

#include "proxy/base/bytes.h"

struct arena {
	struct arena_chunk *chunks;
	uint8_t *next; /* free bytes of the newest chunk */
	size_t left;
};

/* An arena of zero bytes is ready; this says so by name. */
void arena_init(struct arena *a);
void arena_release(struct arena *a);
/* n zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n)
    __attribute__((malloc, returns_nonnull));
/* A copy, followed by a NUL that n does not count. */
struct bytes arena_copy(struct arena *a, struct bytes b);
char *arena_string(struct arena *a, struct bytes b);
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) \
	((type *)arena_alloc((arena), size_mul((count), sizeof(type))))

/* Checked arithmetic; overflow is a bug and aborts. */
size_t size_add(size_t a, size_t b);
size_t size_mul(size_t a, size_t b);
