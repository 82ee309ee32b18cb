/* SPDX-License-Identifier: Apache-2.0 */
/* lab: certificates and keys for the tests of the keysmith. */
#pragma once

#include <openssl/x509.h>

#include "proxy/keysmith/ca.h"
#include "proxy/keysmith/keysmith.h"

/* "EC" or "RSA". */
EVP_PKEY *lab_key(const char *type);
/* A self-signed CA in force from..until, by ca_release to be released. */
struct ca lab_ca(const char *key_type, time_t from, time_t until);
/* A self-signed certificate; san in OpenSSL's words ("DNS:a.test"), or NULL. */
X509 *lab_origin(const char *san);
/* Adds an extension in OpenSSL's words. */
void lab_extend(X509 *x, int nid, const char *value);
/* The verdict (X509_V_…) of OpenSSL at security level 2 about a server. */
int lab_verify(X509 *leaf, X509 *ca, const char *host, time_t at);
/* mimic_sign for the public half of key, read back from its bytes. */
X509 *lab_sign(const struct leaf_order *o, EVP_PKEY *key, const struct ca *ca,
    time_t now, uint64_t lifetime_s, struct err *e);
