/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password: what may open the encrypted objects of a job, and the sums and
 * ciphers that the formats need for it. A password is a secret: it is in no
 * report, in no words of a refusal, and its memory is the job's, which ends
 * with it.
 */
#pragma once

#include "filters/detox.h"

/* Each is given as bytes in two ways: as it was typed, in UTF-8; and in CP932,
 * as Windows of this country gives it to ZIP and old PDF. How many there are of
 * all. */
size_t password_ways(const struct detox *d);
/* The i-th of them; false: it is no other than one before. *out is in d or in
 * room. */
bool password_way(const struct detox *d, size_t i,
    uint8_t room[DETOX_PASSWORD_MAX], struct bytes *out);
/* In CP932; false: a character of it has none there, or all are ASCII. */
bool password_cp932(
    struct bytes utf8, uint8_t out[DETOX_PASSWORD_MAX], size_t *n_out);
/* In UTF-16, the low byte first, as Office has it; how many bytes. */
#define PASSWORD_UTF16_MAX (2 * DETOX_PASSWORD_MAX + 2)
size_t password_utf16(struct bytes utf8, uint8_t out[PASSWORD_UTF16_MAX]);

enum password_hash {
	PASSWORD_SHA1,
	PASSWORD_SHA256,
	PASSWORD_SHA384,
	PASSWORD_SHA512,
	PASSWORD_MD5,
	PASSWORD_HASHES,
};
#define PASSWORD_HASH_MAX 64

/* Of a and b, one behind the other, into out. */
void password_digest(enum password_hash h, struct bytes a, struct bytes b,
    uint8_t out[PASSWORD_HASH_MAX]);
size_t password_digest_size(enum password_hash h);
/* By its name in a file; PASSWORD_HASHES: none that is known. */
enum password_hash password_hash_named(const char *name);

/* A salt, a sum or a key, as a file of XML has it. */
#define PASSWORD_FIELD_MAX 128
struct password_field {
	uint8_t p[PASSWORD_FIELD_MAX];
	size_t n;
};
/* From base64. False: it is none, or longer; *out is empty then. */
bool password_field_take(struct bytes base64, struct password_field *out);

/* PBKDF2 of HMAC-SHA1. */
void password_stretch(
    struct bytes password, struct bytes salt, unsigned rounds, struct buf *out);
/* HMAC-SHA1. */
void password_sign(
    struct bytes key, struct bytes content, uint8_t out[PASSWORD_HASH_MAX]);

enum password_cipher {
	PASSWORD_AES_ECB,
	PASSWORD_AES_CBC,
	PASSWORD_AES_COUNTER, /* of WinZip: little-endian, from 1 */
	PASSWORD_RC4,
	PASSWORD_BLOWFISH, /* CFB of 64 bits */
};

/* AES and Blowfish with a key of 16, 24 or 32 bytes, RC4 of 5 to 16; iv for CBC
 * (16 bytes) and Blowfish (8); for ECB and CBC in is whole blocks. Decrypts
 * into out, which has room for as many and may be in; false: such sizes are
 * none. */
bool password_decrypt(enum password_cipher c, struct bytes key,
    const uint8_t *iv, struct bytes in, uint8_t *out);

/* Before the process loses files: the library loads what it needs. */
int password_prepare(struct err *e) MUST_CHECK;
