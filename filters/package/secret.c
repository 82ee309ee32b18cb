/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: entries that are encrypted: as PKWARE began (6.1), and with AES, as
 * WinZip has it (https://www.winzip.com/en/support/aes-encryption/). What comes
 * of it is not believed: the CRC, or the code behind the data, decides.
 */
#include <openssl/crypto.h>
#include <zlib.h>

#include "filters/package/zip.h"
#include "filters/password/password.h"

#define OLD_HEAD 12 /* random bytes, of which the last is known */
#define AES_CHECK 2
#define AES_CODE 10
#define AES_ROUNDS 1000
#define AES_EXTRA_SIZE 7

static size_t
salt_size(const struct zip_entry *e)
{
	return 4 + 4 * (size_t)e->aes;
}

uint64_t
zip_secret_size(const struct zip_entry *e)
{
	if ((e->flags & ZIP_FLAG_ENCRYPTED) == 0)
		return 0;
	return e->aes == 0 ? OLD_HEAD : salt_size(e) + AES_CHECK + AES_CODE;
}

static enum detox_result
check_aes(struct detox *d, struct zip_entry *e)
{
	struct bytes x = e->aes_extra;
	unsigned version;

	if (x.n != AES_EXTRA_SIZE)
		return detox_refuse(
		    d, REFUSED_BROKEN, "how an entry is encrypted is not said");
	version = zip_16(x.p);
	if (version < 1 || version > 2 || x.p[2] != 'A' || x.p[3] != 'E' ||
	    x.p[4] < 1 || x.p[4] > 3)
		return detox_refuse(d, REFUSED_ENCRYPTED,
		    "an entry is encrypted in a way that is not read");
	e->aes = x.p[4];
	e->method = zip_16(x.p + 5);
	e->unsummed = version == 2;
	return DETOX_REBUILT;
}

enum detox_result
zip_secret_check(struct detox *d, struct zip_entry *e, struct bytes extra)
{
	e->aes_extra = zip_extra(extra, ZIP_EXTRA_AES);
	if ((e->flags & (ZIP_FLAG_STRONG | ZIP_FLAG_MASKED)) != 0)
		return detox_refuse(d, REFUSED_ENCRYPTED,
		    "an entry is encrypted in a way that is not read");
	if ((e->flags & ZIP_FLAG_ENCRYPTED) == 0)
		return e->method == ZIP_AES
		    ? detox_refuse(d, REFUSED_ENCRYPTED,
			  "an entry's header says two things of it")
		    : DETOX_REBUILT;
	if (e->method == ZIP_AES && check_aes(d, e) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (d->passwords == NULL || d->passwords->n == 0)
		return detox_locked(d, "an archive");
	return e->entry.packed < zip_secret_size(e)
	    ? detox_refuse(d, REFUSED_BROKEN, "an encrypted entry is too small")
	    : DETOX_REBUILT;
}

/* PKWARE's (6.1.5 to 6.1.7). */
struct old_keys {
	uint32_t k[3];
	const z_crc_t *table;
};

static void
mix(struct old_keys *s, uint8_t c)
{
	s->k[0] = s->k[0] >> 8 ^ s->table[(s->k[0] ^ c) & 0xff];
	s->k[1] = (s->k[1] + (s->k[0] & 0xff)) * 134775813u + 1;
	s->k[2] = s->k[2] >> 8 ^ s->table[(s->k[2] ^ s->k[1] >> 24) & 0xff];
}

static uint8_t
take_old(struct old_keys *s, uint8_t c)
{
	uint32_t t = (s->k[2] | 2) & 0xffff;

	c ^= (uint8_t)(t * (t ^ 1) >> 8);
	mix(s, c);
	return c;
}

static bool
open_old(const struct zip_entry *e, struct bytes data, struct bytes password,
    struct buf *out)
{
	struct old_keys s = { { 0x12345678, 0x23456789, 0x34567890 },
		get_crc_table() };
	uint8_t last = 0;

	for (size_t i = 0; i < password.n; i++)
		mix(&s, password.p[i]);
	for (size_t i = 0; i < OLD_HEAD; i++)
		last = take_old(&s, data.p[i]);
	/* Who does not know the CRC beforehand takes the time. */
	if (last != e->crc >> 24 && last != e->time >> 8)
		return false;
	out->n = data.n - OLD_HEAD;
	for (size_t i = 0; i < out->n; i++)
		out->p[i] = take_old(&s, data.p[OLD_HEAD + i]);
	explicit_bzero(&s, sizeof(s));
	return true;
}

static bool
open_aes(const struct zip_entry *e, struct bytes data, struct bytes password,
    struct buf *out)
{
	size_t key_n = 8 + 8 * (size_t)e->aes;
	struct bytes salt = bytes_take(&data, salt_size(e));
	struct bytes check = bytes_take(&data, AES_CHECK);
	struct bytes code = { data.p + data.n - AES_CODE, AES_CODE };
	uint8_t room[2 * 32 + AES_CHECK], sum[PASSWORD_HASH_MAX];
	struct buf keys = { room, 2 * key_n + AES_CHECK, sizeof(room),
		sizeof(room) };
	bool good;

	data.n -= AES_CODE;
	password_stretch(password, salt, AES_ROUNDS, &keys);
	good = memcmp(room + 2 * key_n, check.p, AES_CHECK) == 0;
	if (good) {
		password_sign((struct bytes){ room + key_n, key_n }, data, sum);
		good = CRYPTO_memcmp(sum, code.p, AES_CODE) == 0 &&
		    password_decrypt(PASSWORD_AES_COUNTER,
			(struct bytes){ room, key_n }, NULL, data, out->p);
		out->n = data.n;
	}
	explicit_bzero(room, sizeof(room));
	return good;
}

bool
zip_secret_open(const struct zip_entry *e, struct bytes data,
    struct bytes password, struct buf *out)
{
	return e->aes == 0 ? open_old(e, data, password, out)
			   : open_aes(e, data, password, out);
}
