/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: a borrowed run of bytes, as they come from a network or a file. It
 * owns nothing and ends with nothing; it lives as long as what it points into.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxy/base/macros.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* The bytes of a string literal, without its NUL. */
#define BYTES(literal) \
	((struct bytes){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/* For "%.*s". */
#define BYTES_PRINTF(b) (int)(b).n, (const char *)(b).p

/* The bytes of a string that we made; NULL gives no bytes. */
struct bytes bytes_of(const char *string);
bool bytes_equal(struct bytes a, struct bytes b);
/* Equal when A-Z and a-z are the same; no other folding. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
bool bytes_start_with(struct bytes b, struct bytes head);
bool bytes_end_with(struct bytes b, struct bytes tail);
/* The first n bytes (at most all), which leave *b. */
struct bytes bytes_take(struct bytes *b, size_t n);
/* All up to separator, which leave *b with it; the whole when there is none. */
struct bytes bytes_take_until(struct bytes *b, uint8_t separator);
/* Without leading and trailing SP and HT. */
struct bytes bytes_trim(struct bytes b);
/* Where c first stands, or -1. */
ssize_t bytes_index(struct bytes b, uint8_t c);
/*
 * An unsigned decimal of digits alone, at most max. 0, or -1: no digits,
 * other bytes, or a larger number.
 */
int bytes_number(struct bytes b, uint64_t max, uint64_t *out) MUST_CHECK;
