/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rates.h"

#define MINUTE_MS 60000

static size_t
row_of(const struct rates *r, struct bytes key)
{
	return bytes_hash_secret(key, r->secret) % RATES_ROWS;
}

struct bytes
rates_key(const struct address *client)
{
	return (struct bytes){ client->octets,
		address_is_v4(client) ? sizeof(client->octets)
				      : sizeof(client->octets) / 2 };
}

bool
rates_take(struct rates *r, struct bytes key, uint32_t max, uint64_t now_ms)
{
	size_t at = row_of(r, key);
	uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);

	if (r->rows[at].minute < minute) {
		r->rows[at].minute = minute;
		r->rows[at].n = 0;
	}
	if (r->rows[at].n >= max)
		return false;
	r->rows[at].n++;
	return true;
}
