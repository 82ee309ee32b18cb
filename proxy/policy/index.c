/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/index.h"

#include <string.h>

/* One bit for each rule. */
typedef uint64_t *set;

/* Names, ports and methods: which rules ask for a key. */
struct key {
	struct key *next;
	uint32_t hash;
	struct bytes text;
	/* Names are many and select little, ... */
	uint32_t *rules;
	size_t rules_n, rules_size;
	/* ... ports and methods few: a set, those that do not ask included. */
	set all;
};

struct keys {
	struct key **buckets;
	size_t mask;
	set others; /* rules that do not ask for any */
};

struct index {
	size_t words;
	size_t zones_n, bodies_n, sections_n;
	set *by_zone;
	set *by_body;
	set *by_section; /* [sections_n]: none */
	set by_category[CATEGORIES_MAX];
	set without_category;
	set all;
	struct keys hosts, ports, methods;
};

static void
add(set s, size_t rule)
{
	s[rule / 64] |= (uint64_t)1 << rule % 64;
}

static set
set_new(const struct index *x, struct arena *a)
{
	return ARENA_ARRAY(a, uint64_t, x->words);
}

/* Keys. */

#define HASH_START 2166136261u

/* FNV-1a; the text is compared as well. */
static uint32_t
hash_more(uint32_t h, uint8_t c)
{
	return (h ^ c) * 16777619u;
}

/* From the end: the names above a host share what comes first. */
static uint32_t
hash_of(struct bytes b)
{
	uint32_t h = HASH_START;

	for (size_t i = b.n; i-- > 0;)
		h = hash_more(h, b.p[i]);
	return h;
}

static void
keys_init(struct index *x, struct keys *k, size_t n, struct arena *a)
{
	size_t size = 64;

	while (size < 2 * n)
		size *= 2;
	k->buckets = ARENA_ARRAY(a, struct key *, size);
	k->mask = size - 1;
	k->others = set_new(x, a);
}

static struct key *
find(const struct keys *k, uint32_t hash, struct bytes text)
{
	struct key *key = k->buckets[hash & k->mask];

	while (
	    key != NULL && !(key->hash == hash && bytes_equal(key->text, text)))
		key = key->next;
	return key;
}

static struct key *
key_of(struct keys *k, struct bytes text, struct arena *a)
{
	uint32_t hash = hash_of(text);
	struct key *key = find(k, hash, text);

	if (key != NULL)
		return key;
	key = ARENA_NEW(a, struct key);
	key->hash = hash;
	key->text = arena_copy(a, text);
	key->next = k->buckets[hash & k->mask];
	k->buckets[hash & k->mask] = key;
	return key;
}

static void
add_host(struct keys *k, struct bytes name, size_t rule, struct arena *a)
{
	struct key *key = key_of(k, name, a);

	if (key->rules_n == key->rules_size) {
		size_t size = key->rules_size == 0 ? 4 : 2 * key->rules_size;
		uint32_t *more = ARENA_ARRAY(a, uint32_t, size);

		if (key->rules_n > 0)
			memcpy(more, key->rules, key->rules_n * sizeof(*more));
		key->rules = more;
		key->rules_size = size;
	}
	key->rules[key->rules_n++] = (uint32_t)rule;
}

static void
select_host(const struct keys *k, uint32_t hash, struct bytes name, set out)
{
	const struct key *key = find(k, hash, name);

	for (size_t i = 0; key != NULL && i < key->rules_n; i++)
		add(out, key->rules[i]);
}

static void
add_value(const struct index *x, struct keys *k, struct bytes value,
    size_t rule, struct arena *a)
{
	struct key *key = key_of(k, value, a);

	if (key->all == NULL)
		key->all = set_new(x, a);
	add(key->all, rule);
}

static const uint64_t *
set_of(const struct keys *k, struct bytes value)
{
	const struct key *key = find(k, hash_of(value), value);

	return key == NULL ? k->others : key->all;
}

/* Who does not ask is content with any value. */
static void
include_others(const struct index *x, struct keys *k)
{
	for (size_t i = 0; i <= k->mask; i++)
		for (struct key *key = k->buckets[i]; key != NULL;
		     key = key->next)
			for (size_t w = 0; w < x->words; w++)
				key->all[w] |= k->others[w];
}

/* Building. */

static size_t
count_hosts(const struct conditions *rules, size_t n)
{
	size_t hosts = 0;

	for (size_t i = 0; i < n; i++)
		hosts += rules[i].destinations_n + rules[i].urls_n;
	return hosts;
}

static void
index_host(
    struct index *x, const struct conditions *c, size_t rule, struct arena *a)
{
	/* One of both is enough to find it. */
	for (size_t i = 0; i < c->destinations_n; i++)
		add_host(&x->hosts, c->destinations[i], rule, a);
	if (c->destinations_n > 0)
		return;
	for (size_t i = 0; i < c->urls_n; i++)
		add_host(&x->hosts, c->urls[i].host, rule, a);
	if (c->urls_n == 0)
		add(x->hosts.others, rule);
}

static void
index_port(
    struct index *x, const struct conditions *c, size_t rule, struct arena *a)
{
	for (size_t i = 0; i < c->ports_n; i++)
		add_value(x, &x->ports,
		    (struct bytes){
			(const uint8_t *)&c->ports[i], sizeof(c->ports[i]) },
		    rule, a);
	if (c->ports_n == 0)
		add(x->ports.others, rule);
}

static void
index_method(
    struct index *x, const struct conditions *c, size_t rule, struct arena *a)
{
	for (size_t i = 0; i < c->methods.n; i++)
		add_value(x, &x->methods, bytes_of(c->methods.p[i]), rule, a);
	if (c->methods.n == 0)
		add(x->methods.others, rule);
}

static void
index_categories(struct index *x, const struct conditions *c, size_t rule)
{
	if (c->categories == 0)
		add(x->without_category, rule);
	for (unsigned i = 0; i < CATEGORIES_MAX; i++)
		if ((c->categories >> i & 1) != 0)
			add(x->by_category[i], rule);
}

static void
index_asker(struct index *x, const struct conditions *c, size_t rule,
    const struct zones *zones)
{
	for (unsigned i = 0; i < x->zones_n; i++)
		if (rule_match_zone(c, zones_zone(zones, i)))
			add(x->by_zone[i], rule);
	for (unsigned i = 0; i < x->bodies_n; i++)
		if (rule_match_body(c, zones_body(zones, i)))
			add(x->by_body[i], rule);
	for (unsigned i = 0; i <= x->sections_n; i++)
		if (rule_match_section(c, zones_section_at(zones, i)))
			add(x->by_section[i], rule);
}

static set *
sets_new(const struct index *x, size_t n, struct arena *a)
{
	set *sets = ARENA_ARRAY(a, set, n);

	for (size_t i = 0; i < n; i++)
		sets[i] = set_new(x, a);
	return sets;
}

struct index *
index_new(const struct conditions *rules, size_t n, const struct zones *zones,
    struct arena *a)
{
	struct index *x = ARENA_NEW(a, struct index);

	x->words = (n + 63) / 64;
	x->zones_n = zones_zones(zones);
	x->bodies_n = zones_bodies(zones);
	x->sections_n = zones_sections(zones);
	x->by_zone = sets_new(x, x->zones_n, a);
	x->by_body = sets_new(x, x->bodies_n, a);
	x->by_section = sets_new(x, x->sections_n + 1, a);
	for (unsigned i = 0; i < CATEGORIES_MAX; i++)
		x->by_category[i] = set_new(x, a);
	x->without_category = set_new(x, a);
	x->all = set_new(x, a);
	keys_init(x, &x->hosts, count_hosts(rules, n), a);
	keys_init(x, &x->ports, 64, a);
	keys_init(x, &x->methods, 64, a);
	for (size_t i = 0; i < n; i++) {
		index_asker(x, &rules[i], i, zones);
		index_host(x, &rules[i], i, a);
		index_port(x, &rules[i], i, a);
		index_method(x, &rules[i], i, a);
		index_categories(x, &rules[i], i);
		add(x->all, i);
	}
	include_others(x, &x->ports);
	include_others(x, &x->methods);
	return x;
}

/* Asking. */

/* The host itself and each name above it, from the end on: one hash for all. */
static void
select_hosts(const struct index *x, const struct url *u, set out)
{
	uint32_t hash = HASH_START;

	memcpy(out, x->hosts.others, x->words * sizeof(*out));
	if (u->is_address) {
		select_host(&x->hosts, hash_of(u->host), u->host, out);
		return;
	}
	for (size_t i = u->host.n; i-- > 0;) {
		hash = hash_more(hash, u->host.p[i]);
		if (i == 0 || u->host.p[i - 1] == '.')
			select_host(&x->hosts, hash,
			    (struct bytes){ u->host.p + i, u->host.n - i },
			    out);
	}
}

static uint64_t
categories_word(const struct index *x, uint64_t known, size_t word)
{
	uint64_t any = x->without_category[word];

	for (; known != 0; known &= known - 1)
		any |= x->by_category[__builtin_ctzll(known)][word];
	return any;
}

size_t
index_candidates(
    const struct index *x, const struct judging *j, uint64_t out[INDEX_WORDS])
{
	const struct query *q = j->query;
	const struct section *s = q->segment->section;
	const uint16_t port = q->url->port;
	const uint64_t *sets[] = {
		x->by_zone[q->segment->zone->index],
		x->by_body[q->segment->body->index],
		x->by_section[s == NULL ? x->sections_n : s->index],
		set_of(&x->ports,
		    (struct bytes){ (const uint8_t *)&port, sizeof(port) }),
		j->connecting ? x->all : set_of(&x->methods, q->method),
	};
	uint64_t known = j->possible | j->later;

	select_hosts(x, q->url, out);
	/* Few words have a bit: names select little. */
	for (size_t i = 0; i < x->words; i++) {
		if (out[i] == 0)
			continue;
		for (size_t k = 0; k < COUNT(sets); k++)
			out[i] &= sets[k][i];
		out[i] &= categories_word(x, known, i);
	}
	return x->words;
}
