/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: bytes that we own, with a limit. Whatever has a size that a peer
 * chooses lives in one of these: appending past the limit fails, and the
 * caller refuses.
 */
#pragma once

#include "proxy/base/bytes.h"

struct buf {
	uint8_t *p;
	size_t n;
	size_t size; /* allocated */
	size_t max;  /* the limit in bytes */
};

void buf_init(struct buf *b, size_t max);
/* Frees the memory; the limit stays, and the buf can be used again. */
void buf_release(struct buf *b);
/* Of buf_append: what there is no room for yet, or nothing. */
int buf_append_slowly(struct buf *b, struct bytes more) MUST_CHECK;
/* 0, or -1 when the limit would be passed (nothing is appended). Here, as most
 * pieces are short and have room. */
static inline MUST_CHECK int
buf_append(struct buf *b, struct bytes more)
{
	if (more.n == 0 || more.n > b->size - b->n)
		return buf_append_slowly(b, more);
	memcpy(b->p + b->n, more.p, more.n);
	b->n += more.n;
	return 0;
}
static inline MUST_CHECK int
buf_append_string(struct buf *b, const char *string)
{
	return buf_append(b, bytes_of(string));
}
int buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3)
    MUST_CHECK;
/* Room for n more bytes at b->p + b->n; the caller raises b->n itself. */
int buf_reserve(struct buf *b, size_t n) MUST_CHECK;
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
struct bytes buf_bytes(const struct buf *b);
