/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dkim: signs mails (RFC 6376; Ed25519: RFC 8463). Header and body are hashed
 * in the form "relaxed", SHA-256; each name of a field is signed once more than
 * it is there, so that nobody adds one. No I/O but the key's file.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/base/err.h"

#define DKIM_HASH_SIZE 32
/* A header with more bytes is not signed. */
#define DKIM_HEAD_MAX ((size_t)256 << 10)
/* Most bytes of one signature's field: of RSA with 4096 bits. */
#define DKIM_FIELD_MAX 2560

struct dkim_key;

/* A private key: RSA of 2048 to 4096 bits, or Ed25519; PEM, without a password.
 * NULL and *e. */
struct dkim_key *dkim_key_load(const char *file, struct err *e) MUST_CHECK;
/* Wipes it. NULL does nothing. */
void dkim_key_free(struct dkim_key *k);

struct dkim_order {
	const struct dkim_key *key;
	const char *domain, *selector;
	uint64_t now; /* seconds since 1970 */
};

/* Appends the field "DKIM-Signature" with its line end, for a mail with that
 * header and the hash of its body. 0, or -1 and *e. */
int dkim_sign(const struct dkim_order *o, struct bytes head,
    const uint8_t body_hash[DKIM_HASH_SIZE], struct buf *out, struct err *e)
    MUST_CHECK;

/* The body in its relaxed form. */
void dkim_hash_body(struct bytes body, uint8_t out[DKIM_HASH_SIZE]);
/* names: those of h=, with colons between; of one name the last field comes
 * first. signature: the field DKIM-Signature with an empty b=. */
void dkim_hash_head(struct bytes head, struct bytes names,
    struct bytes signature, uint8_t out[DKIM_HASH_SIZE]);
