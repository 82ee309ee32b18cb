/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume: marks of archives that are encrypted as a whole or of which this is
 * one piece, where libarchive would only say that something is missing.
 */
#include <ctype.h>

#include "filters/archive/inside.h"

#define ZIP_END_FAR 65557 /* an end record and the longest comment */

static uint64_t
little(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = n; i > 0; i--)
		value = value << 8 | p[i - 1];
	return value;
}

static enum detox_result
refuse_split(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_SPLIT, "it says that it is one of several volumes");
}

static enum detox_result
refuse_encrypted(struct detox *d)
{
	return detox_refuse(
	    d, REFUSED_ENCRYPTED, "its list of entries is encrypted");
}

/* RAR 5's numbers: 7 bits a byte, the lowest first. */
static uint64_t
take_number(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 63 && b->n > 0; shift += 7) {
		uint8_t byte = bytes_take(b, 1).p[0];

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

/* The header behind the mark: of the archive (1), or of its encryption (4);
 * https://www.rarlab.com/technote.htm */
static enum detox_result
check_rar5(struct detox *d, struct bytes b)
{
	uint64_t type, flags;

	bytes_take(&b, b.n < 12 ? b.n : 12); /* mark, CRC */
	take_number(&b);                     /* the header's size */
	type = take_number(&b);
	flags = take_number(&b);
	if (type == 4)
		return refuse_encrypted(d);
	if ((flags & 1) != 0)
		take_number(&b); /* the size of what is extra */
	return type == 1 && (take_number(&b) & 1) != 0 ? refuse_split(d)
						       : DETOX_REBUILT;
}

/* RAR 1.5 to 4: CRC, type 0x73, flags. */
static enum detox_result
check_rar(struct detox *d, struct bytes b)
{
	uint64_t flags;

	if (bytes_start_with(b, BYTES("Rar!\x1a\x07\x01\x00")))
		return check_rar5(d, b);
	if (b.n < 13 || b.p[9] != 0x73)
		return DETOX_REBUILT;
	flags = little(b.p + 10, 2);
	if ((flags & 0x80) != 0)
		return refuse_encrypted(d);
	return (flags & 1) != 0 ? refuse_split(d) : DETOX_REBUILT;
}

/* CFHEADER.flags: a cabinet before, or behind. */
static enum detox_result
check_cab(struct detox *d, struct bytes b)
{
	if (bytes_start_with(b, BYTES("ISc(")))
		return detox_refuse(
		    d, REFUSED_TYPE, "cabinets of InstallShield are not read");
	return b.n > 32 && (little(b.p + 30, 2) & 3) != 0 ? refuse_split(d)
							  : DETOX_REBUILT;
}

/* "a.7z.001", which ends somewhere. */
static bool
is_piece_by_name(struct bytes name)
{
	struct bytes e = detox_extension(name);

	return e.n == 3 && isdigit(e.p[0]) && isdigit(e.p[1]) &&
	    isdigit(e.p[2]);
}

/* The second header is where the first says. */
static bool
is_whole_7z(struct bytes b)
{
	uint64_t at, n;

	if (b.n < 32)
		return false;
	at = little(b.p + 12, 8);
	n = little(b.p + 20, 8);
	return at <= b.n - 32 && n <= b.n - 32 - at;
}

static bool
is_whole_zip(struct bytes b)
{
	if (b.n > ZIP_END_FAR)
		bytes_take(&b, b.n - ZIP_END_FAR);
	return b.n > 0 && memmem(b.p, b.n, "PK\5\6", 4) != NULL;
}

/* Of GNU tar: the rest of a file that began elsewhere. */
static bool
is_tar_rest(struct bytes b)
{
	return b.n > 156 && b.p[156] == 'M';
}

enum detox_result
archives_check_volume(
    struct detox *d, enum magic_type t, const struct detox_object *o)
{
	bool piece = is_piece_by_name(o->name);

	if ((piece && t == MAGIC_7Z && !is_whole_7z(o->content)) ||
	    (piece && t == MAGIC_ZIP && !is_whole_zip(o->content)) ||
	    (t == MAGIC_TAR && is_tar_rest(o->content)))
		return refuse_split(d);
	if (t == MAGIC_RAR)
		return check_rar(d, o->content);
	if (t == MAGIC_CAB)
		return check_cab(d, o->content);
	return DETOX_REBUILT;
}
