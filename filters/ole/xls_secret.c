/* SPDX-License-Identifier: Apache-2.0 */
/* xls_secret: a workbook with a password ([MS-XLS] 2.2.10): all of its stream
 * counts as encrypted, but heads of records and some records are not. */
#include "filters/ole/le.h"
#include "filters/ole/old_secret.h"
#include "filters/ole/old_xor.h"
#include "filters/ole/secret.h"
#include "filters/ole/xls.h"

#define BLOCK 1024
#define SHEET 0x85 /* of which the place is not encrypted */
#define PASS 0x2f
#define WRITE_PROTECT 0x86
#define HEAD 4
#define OBFUSCATED 0
#define ENCRYPTED 1

/* BOF, FilePass, UsrExcl, FileLock, InterfaceHdr, RRDInfo, RRDHead. */
static const uint16_t plain[] = { 0x809, PASS, 0x194, 0x195, 0xe1, 0x196,
	0x138 };

/* Where it says how: behind its first record, and behind that it is
 * write-protected. */
static bool
find_pass(const struct xls *x, struct xls_record *r)
{
	size_t at = 0;

	return xls_next(x, &at, r) && xls_next(x, &at, r) &&
	    (r->type == PASS ||
		(r->type == WRITE_PROTECT && xls_next(x, &at, r) &&
		    r->type == PASS));
}

/* How much of the record's content is not encrypted. */
static size_t
plain_size(const struct xls_record *r)
{
	for (size_t i = 0; i < COUNT(plain); i++)
		if (plain[i] == r->type)
			return r->n;
	return r->type == SHEET && r->n >= 4 ? 4 : 0;
}

/* What was never encrypted is again what it was. */
static void
put_plain_back(const struct xls *was, struct buf *in)
{
	struct xls_record r;
	size_t at = 0, from = 0;

	for (; xls_next(was, &at, &r); from = at)
		memcpy(in->p + from, was->in.p + from, HEAD + plain_size(&r));
}

static enum detox_result
decrypt(struct xls *x, const struct old_secret *s)
{
	struct xls was = { .in = x->in };

	buf_init(&x->in, was.in.n);
	if (buf_append(&x->in, buf_bytes(&was.in)) < 0)
		return detox_refuse(
		    x->d, REFUSED_MEMORY, "no memory for a workbook");
	old_secret_stream(s, BLOCK, x->in.p, x->in.n);
	put_plain_back(&was, &x->in);
	buf_release(&was.in);
	return DETOX_REBUILT;
}

static enum detox_result
open_rc4(struct xls *x, struct bytes info)
{
	struct old_secret s;
	enum detox_result result =
	    old_secret_open(x->d, info, "a workbook", SECRET_NOBODYS, &s);

	if (result == DETOX_REBUILT)
		result = decrypt(x, &s);
	explicit_bzero(&s, sizeof(s));
	return result;
}

/* [MS-OFFCRYPTO] 2.3.7.3; where it begins in the mask: [MS-XLS] 2.2.10. */
static void
uncover(struct xls *x, const uint8_t mask[OLD_XOR_MASK])
{
	struct xls_record r;
	size_t at = 0;

	while (xls_next(x, &at, &r))
		for (size_t i = plain_size(&r); i < r.n; i++) {
			size_t place = at - r.n + i;
			uint8_t c = r.p[i] ^ mask[(place + r.n) % OLD_XOR_MASK];

			r.p[i] = (uint8_t)(c << 3 | c >> 5);
		}
}

static enum detox_result
open_xor(struct xls *x, struct bytes told)
{
	uint8_t mask[OLD_XOR_MASK];
	enum detox_result result;

	if (told.n < 4)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "how it is encrypted is not said");
	result = old_xor_open(x->d, le16(told.p), le16(told.p + 2),
	    "a workbook", SECRET_NOBODYS, mask);
	if (result == DETOX_REBUILT)
		uncover(x, mask);
	explicit_bzero(mask, sizeof(mask));
	return result;
}

enum detox_result
xls_open(struct xls *x)
{
	struct bytes info, kind = { 0 };
	struct xls_record r;
	enum detox_result result;

	if (!find_pass(x, &r))
		return DETOX_REBUILT;
	info = (struct bytes){ r.p, r.n };
	/* Before Excel 97 there was one way. */
	if (!x->old)
		kind = bytes_take(&info, 2);
	if (x->old || (kind.n == 2 && le16(kind.p) == OBFUSCATED))
		result = open_xor(x, info);
	else if (kind.n == 2 && le16(kind.p) == ENCRYPTED)
		result = open_rc4(x, info);
	else
		result = detox_refuse(x->d, REFUSED_ENCRYPTED,
		    "it is encrypted in a way that is not read");
	x->opened = result == DETOX_REBUILT;
	return result;
}
