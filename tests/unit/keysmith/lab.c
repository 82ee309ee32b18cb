/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keysmith/lab.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/x509v3.h>
#include <stdint.h>

#include "proxy/keysmith/mimic.h"

EVP_PKEY *
lab_key(const char *type)
{
	EVP_PKEY *key =
	    type[0] == 'R' ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

	ck_assert_ptr_nonnull(key);
	return key;
}

void
lab_extend(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(x, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
blank(EVP_PKEY *key, const char *name, time_t from, time_t until)
{
	X509 *x = X509_new();

	ck_assert_ptr_nonnull(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	ASN1_TIME_set(X509_getm_notBefore(x), from);
	ASN1_TIME_set(X509_getm_notAfter(x), until);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	return x;
}

struct ca
lab_ca(const char *key_type, time_t from, time_t until)
{
	struct ca ca = { .key = lab_key(key_type) };

	ca.certificate = blank(ca.key, "Lab CA", from, until);
	lab_extend(ca.certificate, NID_basic_constraints, "critical,CA:TRUE");
	lab_extend(ca.certificate, NID_key_usage, "critical,keyCertSign");
	lab_extend(ca.certificate, NID_subject_key_identifier, "hash");
	ck_assert_int_gt(X509_sign(ca.certificate, ca.key, EVP_sha256()), 0);
	return ca;
}

X509 *
lab_origin(const char *san)
{
	time_t now = time(NULL);
	EVP_PKEY *key = lab_key("EC");
	X509 *x = blank(key, "origin", now, now + 86400);

	if (san != NULL)
		lab_extend(x, NID_subject_alt_name, san);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	EVP_PKEY_free(key);
	return x;
}

int
lab_verify(X509 *leaf, X509 *ca, const char *host, time_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	struct in6_addr any;
	int verdict;

	ck_assert(store != NULL && ctx != NULL);
	X509_STORE_add_cert(store, ca);
	X509_STORE_CTX_init(ctx, store, leaf, NULL);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	X509_VERIFY_PARAM_set_time(param, at);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	if (inet_pton(AF_INET, host, &any) == 1 ||
	    inet_pton(AF_INET6, host, &any) == 1)
		X509_VERIFY_PARAM_set1_ip_asc(param, host);
	else
		X509_VERIFY_PARAM_set1_host(param, host, 0);
	verdict = X509_verify_cert(ctx) == 1 ? X509_V_OK
					     : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return verdict;
}

X509 *
lab_sign(const struct leaf_order *o, EVP_PKEY *key, const struct ca *ca,
    time_t now, uint64_t lifetime_s, struct err *e)
{
	X509_PUBKEY *public = NULL;
	uint8_t *der = NULL;
	const uint8_t *p;
	X509 *x;
	int n;

	ck_assert_int_eq(X509_PUBKEY_set(&public, key), 1);
	x = mimic_sign(o, public, ca->certificate, ca->key, now, lifetime_s, e);
	X509_PUBKEY_free(public);
	if (x == NULL)
		return NULL;
	n = i2d_X509(x, &der);
	X509_free(x);
	p = der;
	x = d2i_X509(NULL, &p, n);
	ck_assert_ptr_nonnull(x);
	OPENSSL_free(der);
	return x;
}
