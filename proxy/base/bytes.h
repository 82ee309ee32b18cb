/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: a borrowed run of bytes, as they come from a network or a file. It
 * owns nothing and ends with nothing; it lives as long as what it points into.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "proxy/base/macros.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* The bytes of a string literal, without its NUL; the second for tables. */
#define BYTES(literal) ((struct bytes)BYTES_ROW(literal))
#define BYTES_ROW(literal)                                         \
	{                                                          \
		(const uint8_t *)("" literal), sizeof(literal) - 1 \
	}

/* For "%.*s". */
#define BYTES_PRINTF(b) (int)(b).n, (const char *)(b).p

/* The bytes of a string that we made; NULL gives no bytes. Here, so that the
 * compiler counts a literal's. */
static inline struct bytes
bytes_of(const char *string)
{
	return (struct bytes){ (const uint8_t *)string,
		string == NULL ? 0 : strlen(string) };
}
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
/* The value of a hexadecimal digit, or -1. */
static inline int
byte_hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/* Exactly 2 * n hexadecimal digits, of either case. 0, or -1: it is none. */
int bytes_unhex(struct bytes hex, uint8_t *out, size_t n) MUST_CHECK;
/*
 * An unsigned decimal of digits alone, at most max. 0, or -1: no digits,
 * other bytes, or a larger number.
 */
int bytes_number(struct bytes b, uint64_t max, uint64_t *out) MUST_CHECK;
/* FNV-1a, folded, for tables whose keys are compared as well. Anybody can make
 * keys that meet: a table of what strangers choose needs a limit or a secret.
 */
uint32_t bytes_hash(struct bytes b);
/* With one: who does not know it cannot make keys that meet. */
uint64_t bytes_hash_secret(struct bytes b, uint64_t secret);
/* Writes value with at least that many digits; how many were written. */
#define BYTES_DECIMAL_MAX 24
size_t bytes_decimal(
    uint8_t out[BYTES_DECIMAL_MAX], uint64_t value, size_t least);
