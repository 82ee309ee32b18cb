/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller: whether a certificate is the one that is registered for the system
 * whose address the connection comes from. No authority is believed: a
 * certificate is known by its digest. Contractors' certificates (DOMAIN: a
 * contractor may not operate what reaches the provision network) are refused
 * even where one is registered.
 */
#pragma once

#include <openssl/x509.h>

#include "proxy/isolation/model.h"

enum caller {
	CALLER_STRANGER = 0, /* another certificate than the registered one */
	CALLER_CONTRACTOR,   /* a contractor's, or issued by one */
	CALLER_EXPIRED,
	CALLER_EARLY, /* it is valid later */
	CALLER_KNOWN,
	CALLERS,
};

struct contractors;

/* Reads the certificates that the settings name as files. NULL and *e. */
struct contractors *contractors_new(
    const struct isolation_settings *s, struct err *e) MUST_CHECK;
/* NULL does nothing. */
void contractors_free(struct contractors *c);
/* chain: what was sent with the certificate; NULL or empty: nothing. */
enum caller caller_judge(const struct contractors *c,
    const uint8_t registered[MODEL_DIGEST_N], X509 *certificate,
    STACK_OF(X509) * chain, time_t now);
/* Whether it proves that somebody else than the system's owner tries. */
bool caller_is_incident(enum caller c);
const char *caller_words(enum caller c); /* a static string */

/* A digest of the certificate's DER. */
void certificate_digest(X509 *certificate, uint8_t out[MODEL_DIGEST_N]);
/* 64 digits in lower case. */
#define CERTIFICATE_HEX_N (2 * MODEL_DIGEST_N + 1)
void certificate_hex(
    const uint8_t digest[MODEL_DIGEST_N], char out[CERTIFICATE_HEX_N]);
/* Of now; it says so, too, when its time cannot be read. */
bool certificate_is_over(X509 *certificate, time_t now);
bool certificate_is_early(X509 *certificate, time_t now);
