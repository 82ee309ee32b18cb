/* SPDX-License-Identifier: Apache-2.0 */
/* signature: Ed25519 (RFC 8032) over texts, with keys in PEM files. */
#pragma once

#include <openssl/evp.h>

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

#define SIGNATURE_N 64

/* The caller frees them with EVP_PKEY_free. NULL and *e: cannot be read, or is
 * no such key. For a locked private key OpenSSL asks the terminal. */
EVP_PKEY *signature_public_key(const char *path, struct err *e) MUST_CHECK;
EVP_PKEY *signature_private_key(const char *path, struct err *e) MUST_CHECK;

bool signature_holds(EVP_PKEY *key, struct bytes text, struct bytes signature);
/* 0, or -1: the key does not sign. */
int signature_make(EVP_PKEY *key, struct bytes text, uint8_t out[SIGNATURE_N])
    MUST_CHECK;
