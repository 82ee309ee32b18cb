/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsa: what a mail host says in DNS of its certificate (DANE: RFC 6698, for
 * SMTP RFC 7672). Only an answer that the resolver has validated counts.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "proxy/base/bytes.h"

#define TLSA_RECORDS_MAX 8
#define TLSA_DATA_MAX 64 /* SHA-512 */

struct tlsa_record {
	uint8_t usage, selector, matching;
	uint8_t data_n;
	uint8_t data[TLSA_DATA_MAX];
};

/* Zeroed: there is none, and DANE says nothing. */
struct tlsa {
	bool found; /* TLS must be; n 0: with whomever, as none is usable
		     * (RFC 7672 section 2.2) */
	size_t n;
	struct tlsa_record records[TLSA_RECORDS_MAX];
};

/*
 * From a name server's whole answer to a question for TLSA. What mail hosts may
 * use are DANE-TA and DANE-EE with a digest (RFC 7672 section 3.1); others
 * count as not usable, and of more than fit the first. 0, or -1: no message of
 * DNS.
 */
int tlsa_parse(struct tlsa *out, struct bytes message) MUST_CHECK;
/* Makes a handshake hold to them: host, or domain, is the name for DANE-TA. */
void tlsa_use(
    const struct tlsa *t, SSL *ssl, const char *host, const char *domain);
bool tlsa_equal(const struct tlsa *a, const struct tlsa *b);
