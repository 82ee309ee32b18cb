/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/found.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "filters/dlp/check.h"

#define KIND_NAME_MAX 16

static struct found_entry *
find(struct found *f, enum dlp_kind kind, uint64_t number, size_t n)
{
	uint64_t mixed = (number + kind) * 0x9e3779b97f4a7c15U;
	size_t at = (size_t)(mixed >> 40);

	for (size_t i = 0;; i++) {
		struct found_entry *e =
		    &f->entries[(at + i) & (FOUND_SLOTS - 1)];

		if (e->n == 0 ||
		    (e->number == number && e->kind == kind && e->n == n))
			return e;
	}
}

struct found_entry *
found_add(struct found *f, const struct candidate *c, uint32_t confidence,
    uint32_t column)
{
	enum dlp_kind kind = c->detector->kind;
	struct found_entry *e =
	    find(f, kind, check_value(c->digits, c->n), c->n);

	if (e->n == 0) {
		if (f->distinct[kind] == FOUND_DISTINCT_MAX)
			return NULL;
		f->distinct[kind]++;
		*e = (struct found_entry){
			.number = check_value(c->digits, c->n),
			.column = column,
			.kind = (uint8_t)kind,
			.n = (uint8_t)c->n,
			.alone = c->detector->alone,
			.dense = c->detector->dense,
		};
	}
	e->hits++;
	if (confidence > e->confidence)
		e->confidence = (uint8_t)confidence;
	return e;
}

void
found_column_is_pure(
    struct found *f, uint32_t column, enum dlp_kind kind, uint32_t confidence)
{
	for (size_t i = 0; i < FOUND_SLOTS; i++) {
		struct found_entry *e = &f->entries[i];

		if (e->n != 0 && e->kind == kind && e->column == column &&
		    e->confidence < confidence)
			e->confidence = (uint8_t)confidence;
	}
}

char *
found_context(struct found *f, struct found_entry *e)
{
	if (e->context != 0 || f->contexts_n == DLP_FINDINGS_MAX)
		return NULL;
	e->context = (uint8_t)++f->contexts_n;
	return f->contexts[e->context - 1];
}

/* Many valid ones and hardly an invalid one: no chance makes that. Those that
 * a label or their look calls something else (less sure than alone) stay out.
 */
static void
judge_density(struct found *f, const struct dlp_settings *s)
{
	uint32_t alike[FOUND_KINDS] = { 0 };

	for (size_t i = 0; i < FOUND_SLOTS; i++) {
		const struct found_entry *e = &f->entries[i];

		if (e->n != 0 && e->confidence >= e->alone)
			alike[e->kind]++;
	}
	for (size_t i = 0; i < FOUND_SLOTS; i++) {
		struct found_entry *e = &f->entries[i];

		if (e->n == 0 || e->dense == 0 || e->confidence < e->alone ||
		    alike[e->kind] < s->density_min ||
		    f->invalid[e->kind] > alike[e->kind] / FOUND_DENSE_RATIO)
			continue;
		if (e->confidence < e->alone + e->dense)
			e->confidence = (uint8_t)(e->alone + e->dense);
	}
}

static void
hash_number(const struct dlp_settings *s, const struct found_entry *e,
    uint8_t out[DLP_HASH_BYTES])
{
	const char *kind = dlp_kind_name((enum dlp_kind)e->kind);
	size_t head = strlen(kind) + 1;
	size_t n = head + e->n;
	uint64_t rest = e->number;
	uint8_t text[KIND_NAME_MAX + 1 + CHAIN_GROUP_MAX];
	uint8_t whole[EVP_MAX_MD_SIZE];

	must(n <= sizeof(text));
	memcpy(text, kind, head - 1);
	text[head - 1] = ':';
	/* Not by printf, which would leave the digits on its stack. */
	for (size_t i = n; i-- > head; rest /= 10)
		text[i] = (uint8_t)('0' + rest % 10);
	must(HMAC(EVP_sha256(), s->key.p == NULL ? "" : (const void *)s->key.p,
		 (int)s->key.n, text, n, whole, NULL) != NULL);
	memcpy(out, whole, DLP_HASH_BYTES);
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(whole, sizeof(whole));
}

static int
surest_first(const void *a, const void *b)
{
	const struct found_entry *const *x = a;
	const struct found_entry *const *y = b;

	if ((*x)->confidence != (*y)->confidence)
		return (*x)->confidence > (*y)->confidence ? -1 : 1;
	if ((*x)->hits != (*y)->hits)
		return (*x)->hits > (*y)->hits ? -1 : 1;
	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

static void
count(const struct found_entry *e, const struct dlp_settings *s,
    struct dlp_report *out)
{
	struct dlp_count *c = &out->kinds[e->kind];

	if (e->confidence > c->confidence)
		c->confidence = e->confidence;
	if (e->confidence < s->confidence_min) {
		c->possible++;
		return;
	}
	c->distinct++;
	c->hits += e->hits;
}

static void
take_finding(const struct found *f, const struct found_entry *e,
    const struct dlp_settings *s, struct dlp_report *out)
{
	struct dlp_finding *to = &out->findings[out->findings_n++];

	*to = (struct dlp_finding){
		.kind = (enum dlp_kind)e->kind,
		.confidence = e->confidence,
		.hits = e->hits,
	};
	hash_number(s, e, to->hash);
	if (e->context != 0)
		memcpy(
		    to->context, f->contexts[e->context - 1], DLP_CONTEXT_MAX);
}

void
found_report(
    struct found *f, const struct dlp_settings *s, struct dlp_report *out)
{
	const struct found_entry *sorted[FOUND_SLOTS];
	size_t n = 0;

	if (s->density_min > 0)
		judge_density(f, s);
	for (size_t i = 0; i < FOUND_SLOTS; i++) {
		const struct found_entry *e = &f->entries[i];

		if (e->n == 0)
			continue;
		count(e, s, out);
		if (e->confidence >= s->confidence_min &&
		    e->kind != DLP_CORPORATE)
			sorted[n++] = e;
	}
	for (size_t k = 0; k < FOUND_KINDS; k++) {
		out->kinds[k].distinct += f->sure_more[k];
		out->kinds[k].hits += f->sure_more[k];
		out->kinds[k].more = f->sure_more[k] > 0;
	}
	qsort(sorted, n, sizeof(sorted[0]), surest_first);
	for (size_t i = 0; i < n && out->findings_n < DLP_FINDINGS_MAX; i++)
		take_finding(f, sorted[i], s, out);
}
