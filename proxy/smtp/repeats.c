/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/repeats.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>

static void
add(EVP_MD_CTX *ctx, struct bytes b)
{
	must(EVP_DigestUpdate(ctx, b.p, b.n) == 1);
}

/* No address holds a NUL, so what stands between them is plain. */
void
repeats_digest(
    const struct envelope *e, struct bytes content, uint8_t out[REPEATS_DIGEST])
{
	const struct bytes end = { (const uint8_t *)"", 1 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
	add(ctx, e->sender.text);
	add(ctx, end);
	for (size_t i = 0; i < e->recipients_n; i++) {
		add(ctx, e->recipients[i].address.text);
		add(ctx, end);
	}
	add(ctx, end);
	add(ctx, content);
	must(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
	EVP_MD_CTX_free(ctx);
}

static size_t
row_at(const struct repeats *r, size_t i)
{
	return (r->first + i) % REPEATS_MAX;
}

/* Who is killed in between forgets one too many, never one too few: what comes
 * behind the last was forgotten before, and a mail of it would be lost. */
static void
forget_first(struct repeats *r)
{
	r->n--;
	atomic_signal_fence(memory_order_seq_cst);
	r->first = row_at(r, 1);
}

static size_t
find(const struct repeats *r, const uint8_t d[REPEATS_DIGEST])
{
	for (size_t i = 0; i < r->n && i < REPEATS_MAX; i++)
		if (memcmp(r->rows[row_at(r, i)].digest, d, REPEATS_DIGEST) ==
		    0)
			return row_at(r, i);
	return REPEATS_MAX;
}

void
repeats_note(struct repeats *r, const uint8_t digest[REPEATS_DIGEST],
    const char *id, uint64_t now_ms)
{
	size_t at;

	if (find(r, digest) < REPEATS_MAX)
		return;
	if (r->n >= REPEATS_MAX)
		forget_first(r);
	at = row_at(r, r->n);
	memcpy(r->rows[at].digest, digest, REPEATS_DIGEST);
	r->rows[at].until_ms = now_ms + REPEATS_KEEP_MS;
	snprintf(r->rows[at].id, sizeof(r->rows[at].id), "%s", id);
	atomic_signal_fence(memory_order_seq_cst);
	r->n++; /* not before it is whole */
}

/* Its place in the order of time stays; no mail has such a digest, nor a part
 * of both. */
void
repeats_forget(struct repeats *r, const uint8_t digest[REPEATS_DIGEST])
{
	size_t at = find(r, digest);

	if (at < REPEATS_MAX)
		memset(r->rows[at].digest, 0, REPEATS_DIGEST);
}

bool
repeats_any(struct repeats *r, uint64_t now_ms)
{
	while (r->n > 0 && r->rows[row_at(r, 0)].until_ms <= now_ms)
		forget_first(r);
	return r->n > 0;
}

bool
repeats_find(const struct repeats *r, const uint8_t digest[REPEATS_DIGEST],
    char id_out[LOG_ID_MAX])
{
	size_t at = find(r, digest);

	if (at == REPEATS_MAX)
		return false;
	snprintf(id_out, LOG_ID_MAX, "%.*s", LOG_ID_MAX - 1, r->rows[at].id);
	return true;
}
