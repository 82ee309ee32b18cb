/* SPDX-License-Identifier: Apache-2.0 */
/* xls_xor: a workbook that is only obfuscated ([MS-OFFCRYPTO] 2.3.7, method 1):
 * Excel 5 and 95, and later ones that were told to. */
#include "filters/ole/le.h"
#include "filters/ole/secret.h"
#include "filters/ole/xls.h"
#include "filters/password/password.h"

#define LONGEST 15
#define MASK 16
#define TOP 0x8000u

/* By how long the password is. */
static const uint16_t begins[LONGEST] = { 0xe1f0, 0x1d0f, 0xcc9c, 0x84c0,
	0x110c, 0x0e10, 0xf1ce, 0x313e, 0x1872, 0xe139, 0xd40f, 0x84f9, 0x280c,
	0xa96a, 0x4ec3 };

static const uint8_t filling[LONGEST] = { 0xbb, 0xff, 0xff, 0xba, 0xff, 0xff,
	0xb9, 0x80, 0x00, 0xbe, 0x0f, 0x00, 0xbf, 0x0f, 0x00 };

/* 2.3.7.2, CreateXorKey_Method1. Its table are the steps of a CRC: eight for a
 * character, of which seven are used. */
static unsigned
key_of(struct bytes password)
{
	unsigned key = begins[password.n - 1], step = 0x1021;

	for (size_t i = password.n; i > 0; i--)
		for (unsigned bit = 0; bit < 8; bit++) {
			if (bit < 7 && (password.p[i - 1] >> bit & 1) != 0)
				key ^= step;
			step = (step << 1 ^ ((step & TOP) != 0 ? 0x1021 : 0)) &
			    0xffff;
		}
	return key;
}

/* 2.3.7.1, CreatePasswordVerifier_Method1 */
static unsigned
verifier_of(struct bytes password)
{
	unsigned v = 0;

	for (size_t i = password.n + 1; i > 0; i--)
		v = ((v >> 14 & 1) | (v << 1 & 0x7fff)) ^
		    (unsigned)(i > 1 ? password.p[i - 2] : password.n);
	return v ^ 0xce4b;
}

static bool
opens(struct bytes password, struct bytes told, uint8_t mask[MASK])
{
	unsigned key;

	if (password.n == 0 || password.n > LONGEST)
		return false;
	key = key_of(password);
	for (size_t i = 0; i < MASK; i++) {
		uint8_t c =
		    i < password.n ? password.p[i] : filling[i - password.n];

		c ^= (uint8_t)(i % 2 == 0 ? key : key >> 8);
		mask[i] = (uint8_t)(c >> 1 | c << 7);
	}
	return le16(told.p) == key && le16(told.p + 2) == verifier_of(password);
}

/* A password is of bytes here. */
static enum detox_result
find_mask(struct xls *x, struct bytes told, uint8_t mask[MASK])
{
	uint8_t room[DETOX_PASSWORD_MAX];
	struct bytes password;
	enum detox_result result = DETOX_REFUSED;

	if (opens(bytes_of(SECRET_NOBODYS), told, mask))
		return DETOX_REBUILT;
	for (size_t i = 0; i < password_ways(x->d) && result == DETOX_REFUSED;
	     i++)
		if (password_way(x->d, i, room, &password) &&
		    opens(password, told, mask)) {
			x->d->opened++;
			result = DETOX_REBUILT;
		}
	explicit_bzero(room, sizeof(room));
	return result == DETOX_REBUILT ? result
				       : detox_locked(x->d, "a workbook");
}

/* 2.3.7.3; where it begins in the mask: [MS-XLS] 2.2.10. */
static void
decrypt(struct xls *x, const uint8_t mask[MASK])
{
	struct xls_record r;
	size_t at = 0;

	while (xls_next(x, &at, &r))
		for (size_t i = xls_plain_size(&r); i < r.n; i++) {
			size_t place = at - r.n + i;
			uint8_t c = r.p[i] ^ mask[(place + r.n) % MASK];

			r.p[i] = (uint8_t)(c << 3 | c >> 5);
		}
}

enum detox_result
xls_xor_open(struct xls *x, struct bytes told)
{
	uint8_t mask[MASK];
	enum detox_result result;

	if (told.n < 4)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "how it is encrypted is not said");
	result = find_mask(x, told, mask);
	if (result == DETOX_REBUILT)
		decrypt(x, mask);
	explicit_bzero(mask, sizeof(mask));
	return result;
}
