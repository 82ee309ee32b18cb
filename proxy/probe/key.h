/* SPDX-License-Identifier: Apache-2.0 */
/* key: the Ed25519 key that the probe signs with. */
#pragma once

#include <openssl/types.h>
#include <stdio.h>

#include "proxy/base/err.h"

/* The caller's to free, or NULL and *e: also when others may read the file. */
EVP_PKEY *key_load(const char *path, struct err *e) MUST_CHECK;
/* Makes one in a new file for its owner alone; public_out gets the public key
 * in PEM. 0, or -1 and *e: also when the file is there already. */
int key_make(const char *path, FILE *public_out, struct err *e) MUST_CHECK;
