/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/old_secret.h"

#include <openssl/crypto.h>

#include "filters/ole/le.h"

#define SALT 16
#define VERIFIER 16
#define SHORT 5 /* bytes of a key that could be exported once */
#define KEY_MAX 16
#define SHA1_SIZE 20
#define MD5_SIZE 16

/* What the file says. */
struct claim {
	enum password_hash hash; /* MD5: 2.3.6, SHA-1: 2.3.5 */
	size_t bits;             /* of the key, of 2.3.5 */
	const uint8_t *salt;
	uint8_t proof[VERIFIER + SHA1_SIZE]; /* and its sum; encrypted */
};

static enum detox_result
refuse_broken(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_BROKEN, "how it is encrypted is not said");
}

static enum detox_result
refuse_kind(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_ENCRYPTED, "it is encrypted in a way that is not read");
}

/* 2.3.6.1 */
static enum detox_result
read_plain(struct detox *d, struct bytes info, struct claim *c)
{
	if (info.n < SALT + VERIFIER + MD5_SIZE)
		return refuse_broken(d);
	c->hash = PASSWORD_MD5;
	c->salt = bytes_take(&info, SALT).p;
	memcpy(c->proof, info.p, VERIFIER + MD5_SIZE);
	return DETOX_REBUILT;
}

#define API 0x04u
#define API_EXTERNAL 0x10u
#define API_AES 0x20u
#define API_HEAD 32
#define API_RC4 0x6801u
#define API_SHA1 0x8004u

/* Nothing, where the flags say it, means RC4, SHA-1 and 40 bits. */
static bool
take_head(uint32_t flags, const uint8_t *head, struct claim *c)
{
	uint32_t algorithm = le32(head + 8), hash = le32(head + 12);

	c->hash = PASSWORD_SHA1;
	c->bits = le32(head + 16);
	if (c->bits == 0)
		c->bits = 8 * SHORT;
	return (flags & (API | API_EXTERNAL | API_AES)) == API &&
	    (algorithm == API_RC4 || algorithm == 0) &&
	    (hash == API_SHA1 || hash == 0) && c->bits >= 8 * SHORT &&
	    c->bits <= 8 * KEY_MAX && c->bits % 8 == 0;
}

/* 2.3.5.1: flags, a head that says its size, and the verifier. */
static enum detox_result
read_api(struct detox *d, struct bytes info, struct claim *c)
{
	struct bytes flags = bytes_take(&info, 4);
	struct bytes size = bytes_take(&info, 4);
	struct bytes head;

	if (size.n < 4 || le32(size.p) < API_HEAD || le32(size.p) > info.n)
		return refuse_broken(d);
	head = bytes_take(&info, le32(size.p));
	if (!take_head(le32(flags.p), head.p, c))
		return refuse_kind(d);
	if (info.n < 4 + SALT + VERIFIER + 4 + SHA1_SIZE ||
	    le32(info.p) != SALT || le32(info.p + 36) != SHA1_SIZE)
		return refuse_broken(d);
	c->salt = info.p + 4;
	memcpy(c->proof, info.p + 20, VERIFIER);
	memcpy(c->proof + VERIFIER, info.p + 40, SHA1_SIZE);
	return DETOX_REBUILT;
}

static enum detox_result
read_claim(struct detox *d, struct bytes info, struct claim *c)
{
	struct bytes version = bytes_take(&info, 4);
	unsigned major, minor;

	if (version.n < 4)
		return refuse_broken(d);
	major = le16(version.p);
	minor = le16(version.p + 2);
	if (major == 1 && minor == 1)
		return read_plain(d, info, c);
	if (major >= 2 && major <= 4 && minor == 2)
		return read_api(d, info, c);
	return refuse_kind(d);
}

/* 2.3.6.2: five bytes of the password's sum and the salt, sixteen times. */
static void
make_base_plain(
    const struct claim *c, struct bytes wide, struct old_secret *out)
{
	uint8_t all[16 * (SHORT + SALT)], sum[PASSWORD_HASH_MAX];

	password_digest(PASSWORD_MD5, wide, (struct bytes){ 0 }, sum);
	for (size_t at = 0; at < sizeof(all); at += SHORT + SALT) {
		memcpy(all + at, sum, SHORT);
		memcpy(all + at + SHORT, c->salt, SALT);
	}
	password_digest(PASSWORD_MD5, (struct bytes){ all, sizeof(all) },
	    (struct bytes){ 0 }, out->base);
	out->base_n = SHORT;
	out->sum_n = out->key_n = KEY_MAX;
	explicit_bzero(all, sizeof(all));
	explicit_bzero(sum, sizeof(sum));
}

/* 2.3.5.2; where keys could not be longer than 40 bits, they are filled up. */
static void
make_base_api(const struct claim *c, struct bytes wide, struct old_secret *out)
{
	password_digest(
	    PASSWORD_SHA1, (struct bytes){ c->salt, SALT }, wide, out->base);
	out->base_n = SHA1_SIZE;
	out->sum_n = c->bits / 8;
	out->key_n = out->sum_n == SHORT ? KEY_MAX : out->sum_n;
}

static void
make_base(const struct claim *c, struct bytes password, struct old_secret *out)
{
	uint8_t wide[PASSWORD_UTF16_MAX];
	struct bytes w = { wide, password_utf16(password, wide) };

	out->hash = c->hash;
	if (c->hash == PASSWORD_MD5)
		make_base_plain(c, w, out);
	else
		make_base_api(c, w, out);
	explicit_bzero(wide, sizeof(wide));
}

static bool
opens(const struct claim *c, struct bytes password, struct old_secret *out)
{
	uint8_t proof[sizeof(c->proof)], sum[PASSWORD_HASH_MAX];

	make_base(c, password, out);
	memcpy(proof, c->proof, sizeof(proof));
	old_secret_block(out, 0, proof, sizeof(proof));
	password_digest(c->hash, (struct bytes){ proof, VERIFIER },
	    (struct bytes){ 0 }, sum);
	return CRYPTO_memcmp(
		   sum, proof + VERIFIER, password_digest_size(c->hash)) == 0;
}

enum detox_result
old_secret_open(struct detox *d, struct bytes info, const char *what,
    const char *nobodys, struct old_secret *out)
{
	size_t n = d->passwords == NULL ? 0 : d->passwords->n;
	struct claim c = { 0 };

	memset(out, 0, sizeof(*out));
	if (read_claim(d, info, &c) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (nobodys != NULL && opens(&c, bytes_of(nobodys), out))
		return DETOX_REBUILT;
	for (size_t i = 0; i < n; i++)
		if (opens(&c, d->passwords->all[i], out)) {
			d->opened++;
			return DETOX_REBUILT;
		}
	return detox_locked(d, what);
}

void
old_secret_block(
    const struct old_secret *s, uint32_t number, uint8_t *p, size_t n)
{
	uint8_t key[PASSWORD_HASH_MAX], count[4];

	put_le32(count, number);
	password_digest(s->hash, (struct bytes){ s->base, s->base_n },
	    (struct bytes){ count, sizeof(count) }, key);
	memset(key + s->sum_n, 0, sizeof(key) - s->sum_n);
	must(password_decrypt(PASSWORD_RC4, (struct bytes){ key, s->key_n },
	    NULL, (struct bytes){ p, n }, p));
	explicit_bzero(key, sizeof(key));
}

void
old_secret_stream(
    const struct old_secret *s, size_t block, uint8_t *p, size_t n)
{
	for (uint32_t i = 0; n > 0; i++) {
		size_t piece = n < block ? n : block;

		old_secret_block(s, i, p, piece);
		p += piece;
		n -= piece;
	}
}
