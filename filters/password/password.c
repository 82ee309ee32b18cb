/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/password/password.h"
#include "filters/text/utf8.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>

#include "filters/html/base64.h"
#include "filters/text/charset.h"

#define BLOCK 16
#define COUNTERS 64 /* blocks of a counter that are made at once */

static const struct {
	const char *name;
	const char *files_name; /* as [MS-OFFCRYPTO] has it */
	size_t size;
} hashes[PASSWORD_HASHES] = {
	[PASSWORD_SHA1] = { "SHA1", "SHA1", 20 },
	[PASSWORD_SHA256] = { "SHA256", "SHA256", 32 },
	[PASSWORD_SHA384] = { "SHA384", "SHA384", 48 },
	[PASSWORD_SHA512] = { "SHA512", "SHA512", 64 },
	[PASSWORD_MD5] = { "MD5", "MD5", 16 },
};

/* By the key's length in units of eight bytes. */
static const char *const cipher_names[2][5] = {
	{ NULL, NULL, "AES-128-ECB", "AES-192-ECB", "AES-256-ECB" },
	{ NULL, NULL, "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" },
};

static struct {
	EVP_MD *hashes[PASSWORD_HASHES];
	EVP_CIPHER *ciphers[2][5];
	OSSL_LIB_CTX *old; /* what is weak is in here alone */
	EVP_CIPHER *rc4, *blowfish;
} library;

/* RC4 and Blowfish are in a module of their own, which is a file. */
static int
prepare_old(struct err *e)
{
	if (library.blowfish != NULL)
		return 0;
	library.old = OSSL_LIB_CTX_new();
	must(library.old != NULL);
	if (OSSL_PROVIDER_load(library.old, "legacy") == NULL)
		return err_set(e, "OpenSSL's provider \"legacy\" is not there");
	library.rc4 = EVP_CIPHER_fetch(library.old, "RC4", NULL);
	library.blowfish = EVP_CIPHER_fetch(library.old, "BF-CFB", NULL);
	if (library.rc4 == NULL || library.blowfish == NULL)
		return err_set(e, "RC4 or Blowfish is not there");
	return 0;
}

int
password_prepare(struct err *e)
{
	uint8_t room[PASSWORD_HASH_MAX];
	struct buf key;

	for (size_t i = 0; i < PASSWORD_HASHES; i++) {
		if (library.hashes[i] == NULL)
			library.hashes[i] =
			    EVP_MD_fetch(NULL, hashes[i].name, NULL);
		if (library.hashes[i] == NULL)
			return err_set(e, "%s is not there", hashes[i].name);
	}
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 2; k < 5; k++) {
			EVP_CIPHER **c = &library.ciphers[i][k];

			if (*c == NULL)
				*c = EVP_CIPHER_fetch(
				    NULL, cipher_names[i][k], NULL);
			if (*c == NULL)
				return err_set(
				    e, "%s is not there", cipher_names[i][k]);
		}
	if (prepare_old(e) < 0)
		return -1;
	/* These look for what they are made of at their first use. */
	buf_init(&key, BLOCK);
	must(buf_reserve(&key, BLOCK) == 0);
	key.n = BLOCK;
	password_stretch(BYTES("a"), BYTES("saltsalt"), 1, &key);
	password_sign(BYTES("a"), BYTES("b"), room);
	buf_release(&key);
	return 0;
}

/* Passwords. */

/* The tables are by code; a password has few characters to seek there. */
static size_t
write_cp932(uint32_t c, uint8_t out[2])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c >= 0xff61 && c <= 0xff9f) { /* kana of half width */
		out[0] = (uint8_t)(c - 0xff61 + 0xa1);
		return 1;
	}
	for (unsigned lead = 0x81; lead <= 0xfc; lead++)
		for (unsigned trail = 0x40; trail <= 0xfc; trail++)
			if (charset_double(CHARSET_SHIFT_JIS, (uint8_t)lead,
				(uint8_t)trail) == c) {
				out[0] = (uint8_t)lead;
				out[1] = (uint8_t)trail;
				return 2;
			}
	return 0;
}

bool
password_cp932(
    struct bytes utf8, uint8_t out[DETOX_PASSWORD_MAX], size_t *n_out)
{
	bool ascii = true;

	*n_out = 0;
	while (utf8.n > 0) {
		uint32_t c = utf8_take(&utf8);
		uint8_t code[2];
		size_t n = write_cp932(c, code);

		if (n == 0 || *n_out + n > DETOX_PASSWORD_MAX)
			return false;
		memcpy(out + *n_out, code, n);
		*n_out += n;
		ascii &= c < 0x80;
	}
	return !ascii;
}

size_t
password_ways(const struct detox *d)
{
	return d->passwords == NULL ? 0 : 2 * d->passwords->n;
}

bool
password_way(const struct detox *d, size_t i, uint8_t room[DETOX_PASSWORD_MAX],
    struct bytes *out)
{
	struct bytes typed = d->passwords->all[i / 2];
	size_t n;

	*out = typed;
	if (i % 2 == 0)
		return true;
	if (!password_cp932(typed, room, &n))
		return false;
	*out = (struct bytes){ room, n };
	return true;
}

static void
put_unit(uint8_t *p, uint32_t unit)
{
	p[0] = (uint8_t)unit;
	p[1] = (uint8_t)(unit >> 8);
}

size_t
password_utf16(struct bytes utf8, uint8_t out[PASSWORD_UTF16_MAX])
{
	size_t n = 0;

	while (utf8.n > 0) {
		uint32_t c = utf8_take(&utf8);

		must(n + 4 <= PASSWORD_UTF16_MAX);
		if (c >= 0x10000) {
			put_unit(out + n, 0xd800 + ((c - 0x10000) >> 10));
			n += 2;
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		put_unit(out + n, c);
		n += 2;
	}
	return n;
}

bool
password_field_take(struct bytes base64, struct password_field *out)
{
	struct buf b;
	bool good;

	buf_init(&b, 2 * PASSWORD_FIELD_MAX + 4);
	good = base64.n <= 2 * PASSWORD_FIELD_MAX &&
	    base64_decode(base64, &b) == 0 && b.n <= PASSWORD_FIELD_MAX;
	out->n = good ? b.n : 0;
	if (out->n > 0)
		memcpy(out->p, b.p, b.n);
	buf_release(&b);
	return good;
}

/* Sums. */

void
password_digest(enum password_hash h, struct bytes a, struct bytes b,
    uint8_t out[PASSWORD_HASH_MAX])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	must(c != NULL && EVP_DigestInit_ex(c, library.hashes[h], NULL) == 1 &&
	    EVP_DigestUpdate(c, a.p, a.n) == 1 &&
	    EVP_DigestUpdate(c, b.p, b.n) == 1 &&
	    EVP_DigestFinal_ex(c, out, NULL) == 1);
	EVP_MD_CTX_free(c);
}

size_t
password_digest_size(enum password_hash h)
{
	return hashes[h].size;
}

enum password_hash
password_hash_named(const char *name)
{
	size_t i = 0;

	while (i < PASSWORD_HASHES && strcmp(hashes[i].files_name, name) != 0)
		i++;
	return (enum password_hash)i;
}

void
password_stretch(
    struct bytes password, struct bytes salt, unsigned rounds, struct buf *out)
{
	must(PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n,
		 salt.p, (int)salt.n, (int)rounds,
		 library.hashes[PASSWORD_SHA1], (int)out->n, out->p) == 1);
}

void
password_sign(
    struct bytes key, struct bytes content, uint8_t out[PASSWORD_HASH_MAX])
{
	must(HMAC(library.hashes[PASSWORD_SHA1], key.p, (int)key.n, content.p,
		 content.n, out, NULL) != NULL);
}

/* Ciphers. */

static const EVP_CIPHER *
cipher_of(enum password_cipher c, size_t key_n)
{
	switch (c) {
	case PASSWORD_AES_ECB:
	case PASSWORD_AES_COUNTER:
		return library.ciphers[0][key_n / 8];
	case PASSWORD_AES_CBC:
		return library.ciphers[1][key_n / 8];
	case PASSWORD_RC4:
		return library.rc4;
	case PASSWORD_BLOWFISH:
		break;
	}
	return library.blowfish;
}

static EVP_CIPHER_CTX *
begin_cipher(enum password_cipher c, struct bytes key, const uint8_t *iv)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	bool encrypts = c == PASSWORD_AES_COUNTER;

	/* RC4 and Blowfish have to know how long the key is before it comes. */
	must(x != NULL &&
	    EVP_CipherInit_ex(
		x, cipher_of(c, key.n), NULL, NULL, NULL, encrypts) == 1 &&
	    EVP_CIPHER_CTX_set_key_length(x, (int)key.n) == 1 &&
	    EVP_CipherInit_ex(x, NULL, NULL, key.p, iv, encrypts) == 1 &&
	    EVP_CIPHER_CTX_set_padding(x, 0) == 1);
	return x;
}

/* It counts the blocks of in; out may be in. */
static void
run_counter(EVP_CIPHER_CTX *x, struct bytes in, uint8_t *out)
{
	uint64_t counter = 1;
	uint8_t blocks[COUNTERS * BLOCK];
	int n;

	while (in.n > 0) {
		struct bytes piece = bytes_take(
		    &in, in.n < sizeof(blocks) ? in.n : sizeof(blocks));

		memset(blocks, 0, sizeof(blocks));
		for (size_t i = 0; i < COUNTERS; i++, counter++)
			for (size_t k = 0; k < 8; k++)
				blocks[i * BLOCK + k] =
				    (uint8_t)(counter >> 8 * k);
		must(EVP_CipherUpdate(x, blocks, &n, blocks, sizeof(blocks)) ==
		    1);
		for (size_t i = 0; i < piece.n; i++)
			out[i] = piece.p[i] ^ blocks[i];
		out += piece.n;
	}
}

static bool
is_size(enum password_cipher c, size_t key_n, size_t in_n)
{
	if (in_n > INT32_MAX)
		return false;
	if (c == PASSWORD_RC4)
		return key_n >= 5 && key_n <= 16;
	if (key_n != 16 && key_n != 24 && key_n != 32)
		return false;
	return c == PASSWORD_AES_COUNTER || c == PASSWORD_BLOWFISH ||
	    in_n % BLOCK == 0;
}

bool
password_decrypt(enum password_cipher c, struct bytes key, const uint8_t *iv,
    struct bytes in, uint8_t *out)
{
	EVP_CIPHER_CTX *x;
	int n;

	if (!is_size(c, key.n, in.n))
		return false;
	x = begin_cipher(c, key, iv);
	if (c == PASSWORD_AES_COUNTER)
		run_counter(x, in, out);
	else
		must(EVP_CipherUpdate(x, out, &n, in.p, (int)in.n) == 1);
	EVP_CIPHER_CTX_free(x);
	return true;
}
