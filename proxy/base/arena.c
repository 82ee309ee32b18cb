/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)4096)
#define SPARE_MAX \
	SPARE(1024) /* chunks kept for the next arena of the process */
#define ALIGNMENT alignof(max_align_t)

/* Under AddressSanitizer a gap lies behind each piece, which nobody may touch:
 * it sees none of the borders within a chunk by itself. */
#if SPARE(1) == 0
#include <sanitizer/asan_interface.h>
#define GAP ALIGNMENT
#else
#define GAP ((size_t)0)
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the memory, header included */
};

#define HEADER_SIZE \
	((sizeof(struct arena_chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static struct arena_chunk *spare;
static size_t spare_count;

size_t
size_add(size_t a, size_t b)
{
	size_t sum;

	must(!__builtin_add_overflow(a, b, &sum));
	return sum;
}

size_t
size_mul(size_t a, size_t b)
{
	size_t product;

	must(!__builtin_mul_overflow(a, b, &product));
	return product;
}

void
arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

static struct arena_chunk *
chunk_new(size_t size)
{
	struct arena_chunk *c;

	if (size == CHUNK_SIZE && spare != NULL) {
		c = spare;
		spare = c->next;
		spare_count--;
		return c;
	}
	c = malloc(size);
	must(c != NULL);
	c->size = size;
	return c;
}

static void
chunk_free(struct arena_chunk *c)
{
	ASAN_UNPOISON_MEMORY_REGION(c, c->size);
	if (c->size != CHUNK_SIZE || spare_count + 1 > SPARE_MAX) {
		free(c);
		return;
	}
	c->next = spare;
	spare = c;
	spare_count++;
}

void
arena_release(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->chunks; c != NULL; c = next) {
		next = c->next;
		chunk_free(c);
	}
	arena_init(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t need = size_add(n, ALIGNMENT - 1 + GAP) / ALIGNMENT * ALIGNMENT;
	struct arena_chunk *c;
	uint8_t *p;

	if (a->chunks == NULL || need > a->left) {
		size_t size = size_add(need, HEADER_SIZE);

		c = chunk_new(size > CHUNK_SIZE ? size : CHUNK_SIZE);
		c->next = a->chunks;
		a->chunks = c;
		a->next = (uint8_t *)c + HEADER_SIZE;
		a->left = c->size - HEADER_SIZE;
	}
	p = a->next;
	a->next += need;
	a->left -= need;
	ASAN_POISON_MEMORY_REGION(p + n, need - n);
	return memset(p, 0, n);
}

struct bytes
arena_copy(struct arena *a, struct bytes b)
{
	uint8_t *p = arena_alloc(a, size_add(b.n, 1));

	if (b.n > 0)
		memcpy(p, b.p, b.n);
	return (struct bytes){ p, b.n };
}

char *
arena_string(struct arena *a, struct bytes b)
{
	char *string = arena_alloc(a, size_add(b.n, 1));

	if (b.n > 0)
		memcpy(string, b.p, b.n);
	return string;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *string;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	must(n >= 0);
	string = arena_alloc(a, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(string, (size_t)n + 1, format, args);
	va_end(args);
	return string;
}
