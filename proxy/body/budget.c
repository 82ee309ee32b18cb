/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/budget.h"

struct share
budget_share(struct budget *b, const struct address *client)
{
	uint64_t halves[2];
	uint64_t h;

	_Static_assert(sizeof(halves) == sizeof(client->octets), "16 bytes");
	memcpy(halves, client->octets, sizeof(halves));
	h = (halves[0] ^ b->key) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29 ^ halves[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 29 ^ b->key) * UINT64_C(0x94d049bb133111eb);
	return (struct share){ b, (h >> 32) % BUDGET_SHARES };
}

bool
share_take(struct share s, size_t n)
{
	struct budget *b = s.budget;
	size_t most = b->max / BUDGET_SHARE;

	if (n > b->max - b->all || n > most || b->of[s.at] > most - n)
		return false;
	b->all += n;
	b->of[s.at] += n;
	return true;
}

bool
share_is_light(struct share s)
{
	const struct budget *b = s.budget;
	size_t most = b->max / BUDGET_SHARE;

	return b->all < b->max / 4 && b->of[s.at] < most / 4;
}

void
share_give(struct share s, size_t n)
{
	must(n <= s.budget->all && n <= s.budget->of[s.at]);
	s.budget->all -= n;
	s.budget->of[s.at] -= n;
}
