/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/signature.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "proxy/base/file.h"

#define KEY_MAX ((size_t)4096)

static EVP_PKEY *
read_key(const char *path, EVP_PKEY *(*parse)(BIO *bio), const char *what,
    struct err *e)
{
	EVP_PKEY *key = NULL;
	struct buf pem;
	BIO *bio;

	buf_init(&pem, KEY_MAX);
	if (file_read(path, &pem, e) < 0)
		goto release;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	must(bio != NULL);
	key = parse(bio);
	BIO_free(bio);
	ERR_clear_error();
	if (key == NULL || !EVP_PKEY_is_a(key, "ED25519")) {
		EVP_PKEY_free(key);
		key = NULL;
		err_set(
		    e, "%s: expected a %s key of Ed25519 in PEM", path, what);
	}
release:
	if (pem.p != NULL)
		explicit_bzero(pem.p, pem.size);
	buf_release(&pem);
	return key;
}

static EVP_PKEY *
parse_public(BIO *bio)
{
	return PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
}

static EVP_PKEY *
parse_private(BIO *bio)
{
	return PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
}

EVP_PKEY *
signature_public_key(const char *path, struct err *e)
{
	return read_key(path, parse_public, "public", e);
}

EVP_PKEY *
signature_private_key(const char *path, struct err *e)
{
	return read_key(path, parse_private, "private", e);
}

bool
signature_holds(EVP_PKEY *key, struct bytes text, struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool result = ctx != NULL && signature.n == SIGNATURE_N &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, text.p, text.n) ==
		1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return result;
}

int
signature_make(EVP_PKEY *key, struct bytes text, uint8_t out[SIGNATURE_N])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = SIGNATURE_N;
	bool done = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, out, &n, text.p, text.n) == 1 &&
	    n == SIGNATURE_N;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return done ? 0 : -1;
}
