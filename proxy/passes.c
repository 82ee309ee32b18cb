/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/passes.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#define BUCKET 8 /* slots that a key may stand in */
#define TICKET_S 3600
#define RULE_MAX 64

int
passes_init(struct passes *p)
{
	return getrandom(p->secret, sizeof(p->secret), 0) == sizeof(p->secret)
	    ? 0
	    : -1;
}

/* What only this proxy can say of a client and a rule; hour 0: the pass. */
static void
sign(const struct passes *p, const struct address *client, const char *rule,
    uint64_t hour, uint64_t out[2])
{
	uint8_t text[sizeof(client->octets) + sizeof(hour) + RULE_MAX];
	uint8_t mac[32];
	unsigned mac_n = sizeof(mac);
	struct bytes name = bytes_of(rule);

	must(name.n <= RULE_MAX);
	memcpy(text, client->octets, sizeof(client->octets));
	memcpy(text + sizeof(client->octets), &hour, sizeof(hour));
	memcpy(text + sizeof(client->octets) + sizeof(hour), name.p, name.n);
	must(HMAC(EVP_sha256(), p->secret, sizeof(p->secret), text,
		 sizeof(client->octets) + sizeof(hour) + name.n, mac,
		 &mac_n) != NULL);
	memcpy(out, mac, 2 * sizeof(*out));
}

static bool
is_of(const struct pass *one, const uint64_t key[2])
{
	return atomic_load(&one->key[0]) == key[0] &&
	    atomic_load(&one->key[1]) == key[1];
}

/* Its own slot, or the one with the least left. Two who write one slot at once
 * may leave a key that is nobody's: one of them is asked again. */
void
passes_give(struct passes *p, const struct address *client, const char *rule,
    time_t until)
{
	struct pass *bucket;
	struct pass *best;
	uint64_t key[2];

	sign(p, client, rule, 0, key);
	bucket = &p->all[key[0] % (PASSES / BUCKET) * BUCKET];
	best = bucket;
	for (size_t i = 0; i < BUCKET; i++) {
		if (is_of(&bucket[i], key)) {
			best = &bucket[i];
			break;
		}
		if (atomic_load(&bucket[i].until) < atomic_load(&best->until))
			best = &bucket[i];
	}
	atomic_store(&best->until, 0);
	atomic_store(&best->key[0], key[0]);
	atomic_store(&best->key[1], key[1]);
	atomic_store(&best->until, (uint64_t)until);
}

bool
passes_hold(const struct passes *p, const struct address *client,
    const char *rule, time_t now)
{
	const struct pass *bucket;
	uint64_t key[2];

	sign(p, client, rule, 0, key);
	bucket = &p->all[key[0] % (PASSES / BUCKET) * BUCKET];
	for (size_t i = 0; i < BUCKET; i++)
		if (is_of(&bucket[i], key))
			return atomic_load(&bucket[i].until) > (uint64_t)now;
	return false;
}

static void
write_ticket(const struct passes *p, const struct address *client,
    const char *rule, uint64_t hour, char out[PASSES_TICKET_N])
{
	uint64_t mac[2];

	sign(p, client, rule, hour, mac);
	snprintf(out, PASSES_TICKET_N, "%016llx%016llx",
	    (unsigned long long)mac[0], (unsigned long long)mac[1]);
}

static uint64_t
hour_of(time_t now)
{
	return (uint64_t)now / TICKET_S;
}

void
passes_ticket(const struct passes *p, const struct address *client,
    const char *rule, time_t now, char out[PASSES_TICKET_N])
{
	write_ticket(p, client, rule, hour_of(now), out);
}

bool
passes_accept(const struct passes *p, const struct address *client,
    const char *rule, time_t now, struct bytes ticket)
{
	char good[PASSES_TICKET_N];

	for (uint64_t ago = 0; ago < 2; ago++) {
		write_ticket(p, client, rule, hour_of(now) - ago, good);
		if (ticket.n == sizeof(good) - 1 &&
		    CRYPTO_memcmp(ticket.p, good, ticket.n) == 0)
			return true;
	}
	return false;
}
