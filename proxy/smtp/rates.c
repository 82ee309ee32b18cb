/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rates.h"

#define MINUTE_MS 60000

/* FNV-1a: who chooses keys to meet makes it stricter for himself. */
static size_t
row_of(struct bytes key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ h >> 32) % RATES_ROWS;
}

bool
rates_take(struct rates *r, struct bytes key, uint32_t max, uint64_t now_ms)
{
	size_t at = row_of(key);
	uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);

	if (r->rows[at].minute != minute) {
		r->rows[at].minute = minute;
		r->rows[at].n = 0;
	}
	if (r->rows[at].n >= max)
		return false;
	r->rows[at].n++;
	return true;
}
