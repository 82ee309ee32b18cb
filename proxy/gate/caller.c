/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/gate/caller.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"

#define CERTIFICATE_MAX ((size_t)65536)

struct contractors {
	ASN1_OBJECT *mark; /* an extension; NULL: none marks them */
	const struct texts *digests;
	STACK_OF(X509) * certificates; /* of which we have more */
};

void
certificate_digest(X509 *certificate, uint8_t out[MODEL_DIGEST_N])
{
	unsigned n = 0;

	must(X509_digest(certificate, EVP_sha256(), out, &n) == 1 &&
	    n == MODEL_DIGEST_N);
}

void
certificate_hex(
    const uint8_t digest[MODEL_DIGEST_N], char out[CERTIFICATE_HEX_N])
{
	for (size_t i = 0; i < MODEL_DIGEST_N; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

bool
certificate_is_over(X509 *certificate, time_t now)
{
	return X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0;
}

bool
certificate_is_early(X509 *certificate, time_t now)
{
	return X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0;
}

static int
add_file(struct contractors *c, const char *file, struct err *e)
{
	X509 *certificate = NULL;
	struct buf pem;
	int result;

	buf_init(&pem, CERTIFICATE_MAX);
	result = file_read(file, &pem, e);
	if (result == 0) {
		BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);

		must(bio != NULL);
		certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
		ERR_clear_error();
		if (certificate == NULL)
			result = err_set(e, "%s: no certificate in PEM", file);
		else
			must(sk_X509_push(c->certificates, certificate) > 0);
	}
	buf_release(&pem);
	return result;
}

struct contractors *
contractors_new(const struct isolation_settings *s, struct err *e)
{
	struct contractors *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->digests = &s->contractor_certificates;
	c->certificates = sk_X509_new_null();
	must(c->certificates != NULL);
	if (s->contractor_oid[0] != '\0') {
		c->mark = OBJ_txt2obj(s->contractor_oid, 1);
		must(c->mark != NULL);
	}
	for (size_t i = 0; i < c->digests->n; i++)
		if (s->contractor_files[i][0] != '\0' &&
		    add_file(c, s->contractor_files[i], e) < 0) {
			contractors_free(c);
			return NULL;
		}
	return c;
}

void
contractors_free(struct contractors *c)
{
	if (c == NULL)
		return;
	sk_X509_pop_free(c->certificates, X509_free);
	ASN1_OBJECT_free(c->mark);
	free(c);
}

static bool
is_listed(const struct contractors *c, X509 *certificate)
{
	uint8_t digest[MODEL_DIGEST_N];
	char hex[CERTIFICATE_HEX_N];

	certificate_digest(certificate, digest);
	certificate_hex(digest, hex);
	for (size_t i = 0; i < c->digests->n; i++)
		if (strcmp(c->digests->p[i], hex) == 0)
			return true;
	return false;
}

/* Who sends no chain is judged by the certificates that we have: a name alone
 * is anybody's, a signature is not. */
static bool
is_issued_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool result = key != NULL &&
	    X509_NAME_cmp(X509_get_issuer_name(certificate),
		X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(certificate, key) == 1;

	ERR_clear_error();
	return result;
}

static bool
is_contractors(const struct contractors *c, X509 *certificate)
{
	if (c->mark != NULL &&
	    X509_get_ext_by_OBJ(certificate, c->mark, -1) >= 0)
		return true;
	if (is_listed(c, certificate))
		return true;
	for (int i = 0; i < sk_X509_num(c->certificates); i++)
		if (is_issued_by(
			certificate, sk_X509_value(c->certificates, i)))
			return true;
	return false;
}

enum caller
caller_judge(const struct contractors *c,
    const uint8_t registered[MODEL_DIGEST_N], X509 *certificate,
    STACK_OF(X509) * chain, time_t now)
{
	uint8_t digest[MODEL_DIGEST_N];

	if (is_contractors(c, certificate))
		return CALLER_CONTRACTOR;
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (is_contractors(c, sk_X509_value(chain, i)))
			return CALLER_CONTRACTOR;
	certificate_digest(certificate, digest);
	if (memcmp(digest, registered, sizeof(digest)) != 0)
		return CALLER_STRANGER;
	if (certificate_is_over(certificate, now))
		return CALLER_EXPIRED;
	return certificate_is_early(certificate, now) ? CALLER_EARLY
						      : CALLER_KNOWN;
}

bool
caller_is_incident(enum caller c)
{
	return c == CALLER_STRANGER || c == CALLER_CONTRACTOR;
}

const char *
caller_words(enum caller c)
{
	static const char *const words[CALLERS] = {
		[CALLER_STRANGER] = "not the system's certificate",
		[CALLER_CONTRACTOR] = "a contractor's certificate",
		[CALLER_EXPIRED] = "the certificate is expired",
		[CALLER_EARLY] = "the certificate is not valid yet",
		[CALLER_KNOWN] = "known",
	};

	return words[c];
}
