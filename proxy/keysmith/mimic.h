/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mimic: builds and signs one leaf certificate (RFC 5280, CA/Browser Forum
 * profile: SAN, serverAuth, digitalSignature, 64+ bits of serial, key ids).
 */
#pragma once

#include <openssl/x509.h>
#include <time.h>

#include "proxy/base/arena.h"
#include "proxy/base/err.h"
#include "proxy/keysmith/keysmith.h"

/*
 * NULL and *e: a name is no host name or address, or signing failed. The key
 * is taken as it is encoded, since decoding it took 170 of 230 microseconds; so
 * the result is for i2d_X509 alone, and X509_get0_pubkey gives nothing.
 */
X509 *mimic_sign(const struct leaf_order *o, const X509_PUBKEY *leaf_public,
    X509 *ca, EVP_PKEY *ca_key, time_t now, uint64_t lifetime_s, struct err *e)
    MUST_CHECK;
/*
 * A DNS name fit for a certificate: labels of letters, digits, hyphens and
 * underscores, the last not of digits alone; at most one leading "*.", over at
 * least two labels.
 */
bool mimic_name_fits(struct bytes name);
/* The DNS and IP names of a certificate as texts in the arena, at most max;
 * returns the count. */
size_t mimic_names(
    X509 *certificate, struct bytes *out, size_t max, struct arena *a);
