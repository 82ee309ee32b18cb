/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault: encrypts originals with AES-256-GCM. Each has a key of its own, which
 * the master key wraps; both are bound to what the object is (its id, and the
 * digest of what is known of it), so that nothing opens in another's place.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

#define VAULT_KEY_SIZE 32
#define VAULT_MARK_SIZE 16

struct vault;

/* What opens an object again, with the master key: kept beside it. */
struct vault_lock {
	uint8_t nonce[12]; /* of the wrapping */
	uint8_t wrapped[VAULT_KEY_SIZE];
	uint8_t wrap_tag[16];
	uint8_t tag[16]; /* of the content */
};

/* What an object is bound to. */
struct vault_name {
	struct bytes id;
	struct bytes about;
};

/* Reads the master key, of just VAULT_KEY_SIZE bytes, from fd, which stays the
 * caller's. NULL and *e. */
struct vault *vault_new(int fd, struct err *e) MUST_CHECK;
/* The key is wiped. NULL does nothing. */
void vault_free(struct vault *v);
/* Tells keys apart and says nothing of them. */
void vault_mark(const struct vault *v, uint8_t out[VAULT_MARK_SIZE]);

/* One object that is sealed or opened, piece by piece: as many bytes come out
 * of vault_pass as go in. */
struct vault_work;

/* A new key; the lock is whole after vault_seal_end, which frees the work.
 * Never NULL. */
struct vault_work *vault_seal(const struct vault *v,
    const struct vault_name *name, struct vault_lock *lock_out);
void vault_seal_end(struct vault_work *w, struct vault_lock *lock);
/* NULL: another master key, or the name or the lock was changed. */
struct vault_work *vault_open(const struct vault *v,
    const struct vault_name *name, const struct vault_lock *lock) MUST_CHECK;
/* Frees the work. -1: what came out is not what went in, and must not be used.
 */
int vault_open_end(struct vault_work *w, const struct vault_lock *lock)
    MUST_CHECK;
/* in.n bytes to out, which may be where they are. */
void vault_pass(struct vault_work *w, struct bytes in, uint8_t *out);
/* The work ends without a result. NULL does nothing. */
void vault_cancel(struct vault_work *w);
