/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

int
buf_reserve(struct buf *b, size_t n)
{
	size_t size = b->size == 0 ? FIRST_SIZE : b->size;
	uint8_t *p;

	if (n > b->max || b->n > b->max - n)
		return -1;
	if (b->n + n <= b->size)
		return 0;
	while (size < b->n + n)
		size *= 2;
	if (size > b->max)
		size = b->max;
	p = realloc(b->p, size);
	must(p != NULL);
	b->p = p;
	b->size = size;
	return 0;
}

int
buf_append_slowly(struct buf *b, struct bytes more)
{
	if (more.n == 0)
		return 0;
	if (buf_reserve(b, more.n) < 0)
		return -1;
	memcpy(b->p + b->n, more.p, more.n);
	b->n += more.n;
	return 0;
}

int
buf_printf(struct buf *b, const char *format, ...)
{
	char small[512];
	char *large;
	va_list args;
	int n;
	int result;

	va_start(args, format);
	n = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	must(n >= 0);
	if ((size_t)n < sizeof(small))
		return buf_append(
		    b, (struct bytes){ (const uint8_t *)small, (size_t)n });
	large = malloc((size_t)n + 1);
	must(large != NULL);
	va_start(args, format);
	vsnprintf(large, (size_t)n + 1, format, args);
	va_end(args);
	result = buf_append_string(b, large);
	free(large);
	return result;
}

void
buf_consume(struct buf *b, size_t n)
{
	must(n <= b->n);
	b->n -= n;
	if (b->n > 0 && n > 0)
		memmove(b->p, b->p + n, b->n);
}

struct bytes
buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->p, b->n };
}
