/* SPDX-License-Identifier: Apache-2.0 */
/* ca: the certificate and the key that sign leaves, read and judged. */
#pragma once

#include <openssl/x509.h>

#include "proxy/base/err.h"

#define CA_CHAIN_MAX ((size_t)1 << 20) /* bytes of the certificate's file */

struct ca {
	X509 *certificate;
	EVP_PKEY *key; /* RSA or EC; wiped by ca_release */
};

/*
 * Reads the first certificate of the file, the key from key_fd (which stays
 * the caller's; key_name is for messages), and the password from the first
 * line of password_file, unless that is NULL. The key's file must be closed to
 * everyone but its owner and group, both belong together, the certificate be a
 * CA's in force at `now`, the key RSA of 2048 bits or EC of 256 at least. What
 * was read is wiped. 0, or -1 and *e.
 */
int ca_load(struct ca *ca, const char *certificate_file, int key_fd,
    const char *key_name, const char *password_file, time_t now, struct err *e)
    MUST_CHECK;
/* On zeroed memory it does nothing. */
void ca_release(struct ca *ca);
