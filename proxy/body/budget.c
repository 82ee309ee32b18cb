/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/budget.h"

struct share
budget_share(struct budget *b, const struct address *client)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(client->octets); i++)
		h = (h ^ client->octets[i]) * 16777619u;
	return (struct share){ b, (h ^ h >> 16) % BUDGET_SHARES };
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
