/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_secret: documents of Office 97 to 2003 with a password ([MS-OFFCRYPTO]
 * 2.3.5 and 2.3.6): their streams are encrypted where they are, by RC4, with a
 * key for each block. A format says where the blocks are, and what tells how it
 * was done.
 */
#pragma once

#include "filters/password/password.h"

struct old_secret {
	enum password_hash hash;
	size_t sum_n;  /* of a block's sum, what its key has of it */
	size_t key_n;  /* the key's bytes; zero behind those of the sum */
	size_t base_n; /* what all sums are made of: */
	uint8_t base[PASSWORD_HASH_MAX];
};

/* With the job's passwords, and first with the one that opens without asking
 * (nobodys, NULL: there is none). info: what tells how, from its version on;
 * what: "a workbook". DETOX_REFUSED: *d says why, and *out is of no use. */
enum detox_result old_secret_open(struct detox *d, struct bytes info,
    const char *what, const char *nobodys, struct old_secret *out) MUST_CHECK;
/* In place: all of it is of one block. */
void old_secret_block(
    const struct old_secret *s, uint32_t number, uint8_t *p, size_t n);
/* In place: blocks of so many bytes, of which the first has number 0. */
void old_secret_stream(
    const struct old_secret *s, size_t block, uint8_t *p, size_t n);
