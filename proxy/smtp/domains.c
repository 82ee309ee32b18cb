/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/domains.h"

#define PLACES_MIN 64
#define HASH_START UINT32_C(2166136261) /* FNV-1a */
#define HASH_FACTOR UINT32_C(16777619)

int
domain_pattern_parse(struct domain_pattern *out, struct bytes text,
    struct arena *a, const char **why_out)
{
	*out = (struct domain_pattern){ 0 };
	if (bytes_equal(text, BYTES("*"))) {
		out->reach = DOMAIN_BELOW;
		return 0;
	}
	if (bytes_start_with(text, BYTES("*."))) {
		out->reach = DOMAIN_BELOW;
		bytes_take(&text, 2);
	}
	if (mail_domain_parse(&out->domain, text, MAIL_UTF8, a, why_out) < 0)
		return -1;
	if (out->reach == DOMAIN_BELOW && out->domain.p[0] == '[') {
		*why_out = "nothing is below an address";
		return -1;
	}
	return 0;
}

/* From the last byte to the first, so that each suffix of a domain has been
 * hashed on the way. */
static uint32_t
hash_more(uint32_t h, uint8_t c)
{
	return (h ^ c) * HASH_FACTOR;
}

static uint32_t
hash_end(uint32_t h, enum domain_reach reach)
{
	h = hash_more(h, (uint8_t)reach);
	return h ^ h >> 15;
}

static uint32_t
hash_of(const struct domain_pattern *p)
{
	uint32_t h = HASH_START;

	for (size_t i = p->domain.n; i-- > 0;)
		h = hash_more(h, p->domain.p[i]);
	return hash_end(h, p->reach);
}

static bool
is_of(
    const struct domain_entry *e, const struct domain_pattern *p, uint32_t hash)
{
	return e->hash == hash && e->pattern.reach == p->reach &&
	    bytes_equal(e->pattern.domain, p->domain);
}

const struct domain_entry *
domains_same(const struct domains *d, const struct domain_pattern *p,
    const struct body *body)
{
	uint32_t hash = hash_of(p);

	if (d->size == 0)
		return NULL;
	for (size_t i = hash & (d->size - 1); d->places[i].file != NULL;
	     i = (i + 1) & (d->size - 1))
		if (is_of(&d->places[i], p, hash) &&
		    d->places[i].for_body == body)
			return &d->places[i];
	return NULL;
}

static void
place(struct domains *d, const struct domain_entry *e)
{
	size_t i = e->hash & (d->size - 1);

	while (d->places[i].file != NULL)
		i = (i + 1) & (d->size - 1);
	d->places[i] = *e;
	d->n++;
}

/* Half of the places stay empty. */
static void
grow(struct domains *d, struct arena *a)
{
	struct domains larger = { .size =
				      d->size == 0 ? PLACES_MIN : d->size * 2 };

	larger.places = ARENA_ARRAY(a, struct domain_entry, larger.size);
	for (size_t i = 0; i < d->size; i++)
		if (d->places[i].file != NULL)
			place(&larger, &d->places[i]);
	*d = larger;
}

void
domains_add(
    struct domains *d, const struct domain_entry *entry, struct arena *a)
{
	struct domain_entry e = *entry;

	must(e.file != NULL);
	if (2 * (d->n + 1) > d->size)
		grow(d, a);
	e.hash = hash_of(&e.pattern);
	place(d, &e);
}

/* That very pattern, for the body or for all. */
static const struct domain_entry *
probe(const struct domains *d, const struct domain_pattern *p, uint32_t hash,
    const struct body *body)
{
	const struct domain_entry *for_all = NULL;

	for (size_t i = hash & (d->size - 1); d->places[i].file != NULL;
	     i = (i + 1) & (d->size - 1)) {
		if (!is_of(&d->places[i], p, hash))
			continue;
		if (d->places[i].for_body == NULL)
			for_all = &d->places[i];
		else if (d->places[i].for_body == body)
			return &d->places[i];
	}
	return for_all;
}

const struct domain_entry *
domains_find(const struct domains *d, const struct domain_pattern *p,
    const struct body *body)
{
	struct domain_pattern above = { .reach = DOMAIN_BELOW };
	const struct domain_entry *best = NULL;
	const struct domain_entry *hit;
	const struct bytes domain = p->domain;
	bool literal = domain.n > 0 && domain.p[0] == '[';
	uint32_t h = HASH_START;

	if (d->size == 0)
		return NULL;
	if (!literal)
		best = probe(d, &above, hash_end(h, DOMAIN_BELOW), body);
	for (size_t i = domain.n; i-- > 0; h = hash_more(h, domain.p[i])) {
		if (domain.p[i] != '.' || literal)
			continue;
		above.domain =
		    (struct bytes){ domain.p + i + 1, domain.n - i - 1 };
		hit = probe(d, &above, hash_end(h, DOMAIN_BELOW), body);
		best = hit == NULL ? best : hit;
	}
	hit = probe(d, p, hash_end(h, p->reach), body);
	return hit == NULL ? best : hit;
}
