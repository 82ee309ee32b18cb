/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "filters/detox.h"

static inline uint32_t
read_32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[1] << 8 | p[0];
}

static inline uint16_t
read_16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline void
write_32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

enum detox_result emf_rebuild(
    struct detox *d, struct bytes in, struct detox_output *out) MUST_CHECK;
/* Whether it is a WMF without the header that says its size, as documents have
 * it inside and some programs save it. */
bool wmf_is_bare(struct bytes b);
/* What comes out has that header, of the size that its records say. */
enum detox_result wmf_rebuild(
    struct detox *d, struct bytes in, struct detox_output *out) MUST_CHECK;
