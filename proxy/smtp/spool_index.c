/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "proxy/smtp/spool_state.h"

#define BUCKETS_MIN 64

/* Ids are ours, nobody chooses them to collide. */
static struct mail **
bucket(const struct index *x, struct bytes id)
{
	return &x->buckets[bytes_hash(id) & (x->buckets_n - 1)];
}

static void
grow(struct index *x)
{
	struct index more = {
		.buckets_n = x->buckets_n == 0 ? BUCKETS_MIN : 2 * x->buckets_n,
	};
	struct mail *m, *next;

	more.buckets = calloc(more.buckets_n, sizeof(*more.buckets));
	must(more.buckets != NULL);
	for (size_t i = 0; i < x->buckets_n; i++)
		for (m = x->buckets[i]; m != NULL; m = next) {
			next = m->hashed;
			index_add(&more, m);
		}
	free(x->buckets);
	*x = more;
}

struct mail *
index_find(const struct index *x, struct bytes id)
{
	struct mail *m = x->n == 0 ? NULL : *bucket(x, id);

	while (m != NULL && !bytes_equal(bytes_of(m->mail.id), id))
		m = m->hashed;
	return m;
}

void
index_add(struct index *x, struct mail *m)
{
	struct mail **at;

	if (x->n == x->buckets_n)
		grow(x);
	at = bucket(x, bytes_of(m->mail.id));
	m->hashed = *at;
	*at = m;
	x->n++;
}

void
index_remove(struct index *x, struct mail *m)
{
	struct mail **at = bucket(x, bytes_of(m->mail.id));

	while (*at != m)
		at = &(*at)->hashed;
	*at = m->hashed;
	x->n--;
}

void
index_release(struct index *x)
{
	free(x->buckets);
	*x = (struct index){ 0 };
}
