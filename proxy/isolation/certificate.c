/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <string.h>

#include "proxy/base/file.h"
#include "proxy/isolation/loading.h"

#define CERTIFICATE_MAX ((size_t)1 << 16)
#define KEY_MAX ((size_t)4096)

_Static_assert(MODEL_DIGEST_N == SHA256_DIGEST_LENGTH, "a digest is SHA-256");

void
digest_hex(
    const uint8_t digest[MODEL_DIGEST_N], char out[2 * MODEL_DIGEST_N + 1])
{
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int
digest_file(const char *path, uint8_t out[MODEL_DIGEST_N], struct err *e)
{
	struct buf pem;
	X509 *certificate = NULL;
	int result = -1;
	BIO *bio;

	buf_init(&pem, CERTIFICATE_MAX);
	if (file_read(path, &pem, e) < 0)
		goto release;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	must(bio != NULL);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	result = certificate != NULL &&
		X509_digest(certificate, EVP_sha256(), out, NULL) == 1
	    ? 0
	    : err_set(e, "%s: no certificate in PEM", path);
	X509_free(certificate);
	ERR_clear_error();
release:
	buf_release(&pem);
	return result;
}

int
read_certificate(const struct loading *l, const char *text,
    uint8_t out[MODEL_DIGEST_N], const config_setting_t *where, struct err *e)
{
	struct err why = { 0 };

	if (bytes_unhex(bytes_of(text), out, MODEL_DIGEST_N) == 0 ||
	    digest_file(loading_path(l, text), out, &why) == 0)
		return 0;
	return setting_error(where, e,
	    "certificate is \"%.100s\", expected 64 hexadecimal digits (the"
	    " SHA-256 of its DER) or a PEM file: %s",
	    text, why.text);
}

/* The private one must not be on this machine at all. */
static bool
is_public_key(struct bytes pem)
{
	EVP_PKEY *key;
	bool result;
	BIO *bio;

	if (pem.n == 0 || memmem(pem.p, pem.n, "PRIVATE", 7) != NULL)
		return false;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	must(bio != NULL);
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	result = key != NULL && EVP_PKEY_is_a(key, "ED25519");
	EVP_PKEY_free(key);
	ERR_clear_error();
	return result;
}

int
read_public_key(const struct loading *l, const char *name, const char **pem_out,
    const config_setting_t *where, struct err *e)
{
	const char *path = loading_path(l, name);
	struct err why = { 0 };
	struct buf pem;
	int result;

	buf_init(&pem, KEY_MAX);
	if (file_read(path, &pem, &why) < 0) {
		result = setting_error(where, e, "%s", why.text);
	} else if (!is_public_key(buf_bytes(&pem))) {
		result = setting_error(where, e,
		    "%s: expected a public key of Ed25519 in PEM, alone", path);
	} else {
		*pem_out = arena_string(l->arena, buf_bytes(&pem));
		result = 0;
	}
	buf_release(&pem);
	return result;
}
