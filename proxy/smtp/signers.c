/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/signers.h"

#include <stdlib.h>

#include "proxy/smtp/dkim.h"
#include "proxy/smtp/field.h"

struct signers {
	const struct routes *routes;
	const struct mail_signer *rows;
	struct dkim_key **keys; /* of each */
	size_t n;
};

struct signers *
signers_new(const struct routes *r, struct err *e)
{
	struct signers *s = calloc(1, sizeof(*s));
	struct err why;

	must(s != NULL);
	s->routes = r;
	if (r == NULL)
		return s;
	s->rows = routes_signers(r, &s->n);
	s->keys = calloc(s->n + 1, sizeof(*s->keys));
	must(s->keys != NULL);
	for (size_t i = 0; i < s->n; i++) {
		s->keys[i] = dkim_key_load(s->rows[i].key, &why);
		if (s->keys[i] != NULL)
			continue;
		err_set(e, "%s:%u: key: %s", s->rows[i].file, s->rows[i].line,
		    why.text);
		signers_free(s);
		return NULL;
	}
	return s;
}

void
signers_free(struct signers *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		dkim_key_free(s->keys[i]);
	free(s->keys);
	free(s);
}

/* The domain of the one address of the one From; empty: it is not so. */
static struct bytes
author_domain(struct bytes head, struct arena *a)
{
	struct mail_address author, more;
	struct bytes from = { 0 };
	struct smtp_field f;

	while (field_take(&head, &f)) {
		if (!bytes_equal_nocase(f.name, BYTES("From")))
			continue;
		if (from.p != NULL)
			return (struct bytes){ 0 };
		from = f.value;
	}
	if (from.n == 0 ||
	    field_address_take(&from, &author, a) != FIELD_ADDRESS ||
	    field_address_take(&from, &more, a) != FIELD_ADDRESS_NONE)
		return (struct bytes){ 0 };
	return author.domain;
}

static bool
is_at_or_below(struct bytes domain, struct bytes top)
{
	return bytes_end_with(domain, top) &&
	    (domain.n == top.n || domain.p[domain.n - top.n - 1] == '.');
}

/* The longest domain of the body's that covers it, which no other body may own
 * a name below; or NULL. */
static const char *
signing_domain(
    const struct signers *s, const struct body *body, struct bytes author)
{
	struct bytes best = { 0 };

	if (author.n == 0 || routes_owner(s->routes, author) != body)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		struct bytes domain = bytes_of(s->rows[i].domain);

		if (s->rows[i].body == body && domain.n > best.n &&
		    is_at_or_below(author, domain))
			best = domain;
	}
	return (const char *)best.p;
}

const char *
signers_sign(const struct signers *s, const struct body *from,
    struct bytes head, struct bytes body, uint64_t now, struct buf *out,
    struct err *e)
{
	uint8_t hash[DKIM_HASH_SIZE];
	struct arena arena = { 0 };
	const char *domain = NULL;
	size_t before = out->n;

	e->text[0] = '\0';
	if (s->n > 0 && from != NULL)
		domain = signing_domain(s, from, author_domain(head, &arena));
	arena_release(&arena);
	if (domain == NULL)
		return NULL;
	dkim_hash_body(body, hash);
	for (size_t i = 0; i < s->n; i++) {
		const struct dkim_order order = {
			.key = s->keys[i],
			.domain = s->rows[i].domain,
			.selector = s->rows[i].selector,
			.now = now,
		};

		if (!bytes_equal(bytes_of(order.domain), bytes_of(domain)) ||
		    dkim_sign(&order, head, hash, out, e) == 0)
			continue;
		out->n = before;
		return NULL;
	}
	return domain;
}
