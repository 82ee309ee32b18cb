/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts_memory.h"

#include <stdatomic.h>

static bool
is_of(const struct sts_known *k, struct bytes domain)
{
	return bytes_equal(bytes_of(k->domain), domain);
}

static size_t
set_of(const struct sts_memory *m, struct bytes domain)
{
	return bytes_hash_secret(domain, m->secret) % STS_MEMORY_SETS;
}

const struct sts_known *
sts_memory_find(const struct sts_memory *m, struct bytes domain)
{
	const struct sts_known *set = m->rows[set_of(m, domain)];

	for (size_t i = 0; i < STS_MEMORY_WAYS; i++)
		if (is_of(&set[i], domain))
			return &set[i];
	return NULL;
}

static bool
is_in_force(const struct sts_known *k, uint64_t now_ms)
{
	return k->domain[0] != '\0' && k->expires_ms > now_ms;
}

/* When a policy that is in force will have ended; of what has none, whatever
 * was looked at longest ago is the least. */
static bool
matters_less(
    const struct sts_known *a, const struct sts_known *b, uint64_t now_ms)
{
	bool a_holds = is_in_force(a, now_ms), b_holds = is_in_force(b, now_ms);

	if (a_holds != b_holds)
		return b_holds;
	return a_holds ? a->expires_ms < b->expires_ms
		       : a->recheck_ms < b->recheck_ms;
}

/* Free as long as half of it is of another: whoever is killed here leaves no
 * policy under a name or an id that is not its own. */
static void
put(struct sts_known *place, const struct sts_known *known)
{
	struct sts_known row = *known;

	row.domain[0] = '\0';
	place->domain[0] = '\0';
	atomic_signal_fence(memory_order_seq_cst);
	*place = row;
	atomic_signal_fence(memory_order_seq_cst);
	place->domain[0] = known->domain[0];
}

void
sts_memory_keep(
    struct sts_memory *m, const struct sts_known *known, uint64_t now_ms)
{
	struct bytes domain = bytes_of(known->domain);
	struct sts_known *set = m->rows[set_of(m, domain)];
	struct sts_known *place = set;

	for (size_t i = 0; i < STS_MEMORY_WAYS; i++) {
		if (is_of(&set[i], domain)) {
			put(&set[i], known);
			return;
		}
		if (matters_less(&set[i], place, now_ms))
			place = &set[i];
	}
	if (!is_in_force(place, now_ms) || is_in_force(known, now_ms))
		put(place, known);
}
