/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/bytes.h"

#include <string.h>
#include <strings.h>

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool
bytes_equal_nocase(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
bytes_start_with(struct bytes b, struct bytes head)
{
	return b.n >= head.n &&
	    (head.n == 0 || memcmp(b.p, head.p, head.n) == 0);
}

bool
bytes_end_with(struct bytes b, struct bytes tail)
{
	return b.n >= tail.n &&
	    (tail.n == 0 || memcmp(b.p + b.n - tail.n, tail.p, tail.n) == 0);
}

struct bytes
bytes_take(struct bytes *b, size_t n)
{
	struct bytes taken = { b->p, n < b->n ? n : b->n };

	if (taken.n > 0)
		b->p += taken.n;
	b->n -= taken.n;
	return taken;
}

struct bytes
bytes_take_until(struct bytes *b, uint8_t separator)
{
	ssize_t at = bytes_index(*b, separator);
	struct bytes taken;

	if (at < 0)
		return bytes_take(b, b->n);
	taken = bytes_take(b, (size_t)at);
	bytes_take(b, 1);
	return taken;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct bytes
bytes_trim(struct bytes b)
{
	while (b.n > 0 && is_blank(b.p[0]))
		bytes_take(&b, 1);
	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

ssize_t
bytes_index(struct bytes b, uint8_t c)
{
	const uint8_t *at = b.n > 0 ? memchr(b.p, c, b.n) : NULL;

	return at == NULL ? -1 : at - b.p;
}

int
bytes_unhex(struct bytes hex, uint8_t *out, size_t n)
{
	if (hex.n != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = byte_hex(hex.p[2 * i]);
		int low = byte_hex(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return 0;
}

int
bytes_number(struct bytes b, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (b.n == 0)
		return -1;
	for (size_t i = 0; i < b.n; i++) {
		uint64_t digit = (uint64_t)b.p[i] - '0';

		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

uint32_t
bytes_hash(struct bytes b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ h >> 32);
}

uint64_t
bytes_hash_secret(struct bytes b, uint64_t secret)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ secret;

	for (size_t i = 0; i < b.n; i++) {
		h = (h ^ b.p[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	h = (h ^ secret) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

size_t
bytes_decimal(uint8_t out[BYTES_DECIMAL_MAX], uint64_t value, size_t least)
{
	uint8_t digits[BYTES_DECIMAL_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value > 0 || sizeof(digits) - at < least);
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}
