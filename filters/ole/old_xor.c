/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/old_xor.h"

#include "filters/password/password.h"

#define LONGEST 15
#define MASK OLD_XOR_MASK
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

static void
make_mask(struct bytes password, uint8_t mask[MASK])
{
	unsigned key = key_of(password);

	for (size_t i = 0; i < MASK; i++) {
		uint8_t c =
		    i < password.n ? password.p[i] : filling[i - password.n];

		c ^= (uint8_t)(i % 2 == 0 ? key : key >> 8);
		mask[i] = (uint8_t)(c >> 1 | c << 7);
	}
}

static bool
opens(
    struct bytes password, unsigned key, unsigned verifier, uint8_t mask[MASK])
{
	if (password.n == 0 || password.n > LONGEST ||
	    key_of(password) != key || verifier_of(password) != verifier)
		return false;
	make_mask(password, mask);
	return true;
}

/* 2.3.7.4: of each character its low byte, or the high one. */
static struct bytes
fold(struct bytes utf8, uint8_t room[PASSWORD_UTF16_MAX])
{
	size_t n = password_utf16(utf8, room) / 2;

	for (size_t i = 0; i < n; i++)
		room[i] = room[2 * i] != 0 ? room[2 * i] : room[2 * i + 1];
	return (struct bytes){ room, n };
}

/* A password is of bytes here: Word folds it, Excel takes the computer's
 * charset. */
enum detox_result
old_xor_open(struct detox *d, unsigned key, unsigned verifier, const char *what,
    const char *nobodys, uint8_t mask[MASK])
{
	uint8_t room[PASSWORD_UTF16_MAX];
	size_t ways = password_ways(d);
	struct bytes password;
	bool good = false;

	if (opens(bytes_of(nobodys), key, verifier, mask))
		return DETOX_REBUILT;
	for (size_t i = 0; i < ways && !good; i++)
		good = password_way(d, i, room, &password) &&
		    opens(password, key, verifier, mask);
	for (size_t i = 0; i < ways / 2 && !good; i++)
		good = opens(
		    fold(d->passwords->all[i], room), key, verifier, mask);
	explicit_bzero(room, sizeof(room));
	if (!good)
		return detox_locked(d, what);
	d->opened++;
	return DETOX_REBUILT;
}
