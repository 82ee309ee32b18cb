/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/vault.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

#define DIGEST_SIZE 32
#define PASS_MAX ((size_t)1 << 30) /* OpenSSL counts in int */

struct vault {
	uint8_t *key; /* on locked pages, where the system has them */
};

struct vault_work {
	EVP_CIPHER_CTX *cipher;
};

enum direction {
	OPEN = 0,
	SEAL = 1,
};

struct vault *
vault_new(int fd, struct err *e)
{
	struct vault *v = calloc(1, sizeof(*v));
	uint8_t more;
	ssize_t n;

	must(v != NULL);
	v->key = OPENSSL_secure_zalloc(VAULT_KEY_SIZE);
	must(v->key != NULL);
	n = read(fd, v->key, VAULT_KEY_SIZE);
	if (n == VAULT_KEY_SIZE && read(fd, &more, 1) == 0)
		return v;
	err_set(
	    e, "store.key_file: expected a file of %d bytes", VAULT_KEY_SIZE);
	vault_free(v);
	return NULL;
}

void
vault_free(struct vault *v)
{
	if (v == NULL)
		return;
	OPENSSL_secure_clear_free(v->key, VAULT_KEY_SIZE);
	free(v);
}

static void
hash(EVP_MD_CTX *c, struct bytes b)
{
	must(EVP_DigestUpdate(c, b.p, b.n) == 1);
}

void
vault_mark(const struct vault *v, uint8_t out[VAULT_MARK_SIZE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t digest[DIGEST_SIZE];

	must(c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1);
	hash(c, BYTES("sekisho store key\n"));
	hash(c, (struct bytes){ v->key, VAULT_KEY_SIZE });
	must(EVP_DigestFinal_ex(c, digest, NULL) == 1);
	EVP_MD_CTX_free(c);
	memcpy(out, digest, VAULT_MARK_SIZE);
}

/* Both names with their lengths, so that no two read alike. */
static void
bind_to(EVP_CIPHER_CTX *c, const struct vault_name *name)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const uint64_t n[] = { name->id.n, name->about.n };
	uint8_t digest[DIGEST_SIZE];
	int done;

	must(md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
	hash(md, (struct bytes){ (const uint8_t *)n, sizeof(n) });
	hash(md, name->id);
	hash(md, name->about);
	must(EVP_DigestFinal_ex(md, digest, NULL) == 1);
	EVP_MD_CTX_free(md);
	must(EVP_CipherUpdate(c, NULL, &done, digest, sizeof(digest)) == 1);
}

static EVP_CIPHER_CTX *
cipher_new(const uint8_t *key, const uint8_t nonce[12],
    const struct vault_name *name, enum direction d)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	must(c != NULL);
	must(EVP_CipherInit_ex(
		 c, EVP_aes_256_gcm(), NULL, key, nonce, (int)d) == 1);
	bind_to(c, name);
	return c;
}

/* Of an object's key there is one message: any nonce is new. */
static struct vault_work *
work_new(const uint8_t *key, const struct vault_name *name, enum direction d)
{
	static const uint8_t nonce[12];
	struct vault_work *w = calloc(1, sizeof(*w));

	must(w != NULL);
	w->cipher = cipher_new(key, nonce, name, d);
	return w;
}

void
vault_cancel(struct vault_work *w)
{
	if (w == NULL)
		return;
	EVP_CIPHER_CTX_free(w->cipher);
	free(w);
}

static void
tag_of(EVP_CIPHER_CTX *c, uint8_t tag[16])
{
	uint8_t none[16];
	int n;

	must(EVP_CipherFinal_ex(c, none, &n) == 1 && n == 0);
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
}

static bool
tag_holds(EVP_CIPHER_CTX *c, const uint8_t tag[16])
{
	uint8_t copy[16], none[16];
	int n;

	memcpy(copy, tag, sizeof(copy));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, copy) == 1);
	return EVP_CipherFinal_ex(c, none, &n) == 1;
}

struct vault_work *
vault_seal(const struct vault *v, const struct vault_name *name,
    struct vault_lock *lock)
{
	uint8_t *key = OPENSSL_secure_malloc(VAULT_KEY_SIZE);
	struct vault_work *w;
	EVP_CIPHER_CTX *wrap;
	int n;

	must(key != NULL && RAND_priv_bytes(key, VAULT_KEY_SIZE) == 1);
	must(RAND_bytes(lock->nonce, sizeof(lock->nonce)) == 1);
	wrap = cipher_new(v->key, lock->nonce, name, SEAL);
	must(EVP_CipherUpdate(wrap, lock->wrapped, &n, key, VAULT_KEY_SIZE) ==
	    1);
	tag_of(wrap, lock->wrap_tag);
	EVP_CIPHER_CTX_free(wrap);
	w = work_new(key, name, SEAL);
	OPENSSL_secure_clear_free(key, VAULT_KEY_SIZE);
	return w;
}

void
vault_seal_end(struct vault_work *w, struct vault_lock *lock)
{
	tag_of(w->cipher, lock->tag);
	vault_cancel(w);
}

struct vault_work *
vault_open(const struct vault *v, const struct vault_name *name,
    const struct vault_lock *lock)
{
	uint8_t *key = OPENSSL_secure_malloc(VAULT_KEY_SIZE);
	struct vault_work *w = NULL;
	EVP_CIPHER_CTX *wrap;
	int n;

	must(key != NULL);
	wrap = cipher_new(v->key, lock->nonce, name, OPEN);
	must(EVP_CipherUpdate(wrap, key, &n, lock->wrapped, VAULT_KEY_SIZE) ==
	    1);
	if (tag_holds(wrap, lock->wrap_tag))
		w = work_new(key, name, OPEN);
	EVP_CIPHER_CTX_free(wrap);
	OPENSSL_secure_clear_free(key, VAULT_KEY_SIZE);
	return w;
}

int
vault_open_end(struct vault_work *w, const struct vault_lock *lock)
{
	bool holds = tag_holds(w->cipher, lock->tag);

	vault_cancel(w);
	return holds ? 0 : -1;
}

void
vault_pass(struct vault_work *w, struct bytes in, uint8_t *out)
{
	int n;

	must(in.n <= PASS_MAX);
	if (in.n == 0)
		return;
	must(EVP_CipherUpdate(w->cipher, out, &n, in.p, (int)in.n) == 1 &&
	    (size_t)n == in.n);
}
