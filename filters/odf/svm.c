/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svm: StarView metafiles, which OpenOffice.org and LibreOffice put beside
 * objects for who cannot show them. A head and records, each of a type, a
 * version and a size (vcl/source/filter/svm/SvmReader.cxx). Records that draw
 * stay; what holds PostScript, another metafile or free data becomes an empty
 * record of no type, which readers skip.
 */
#include "filters/odf/inside.h"

#define HEAD 6        /* "VCLMTF" */
#define HEAD_LEAST 30 /* of the sizes that a head says */
#define HEAD_MOST 4096
#define VERSION_SIZE 6 /* version, size of what follows */
#define RECORD_SIZE (2 + VERSION_SIZE)

#define RECORD_FIRST 100 /* a pixel */
#define RECORD_LAST 151  /* colour of a line above text */
#define RECORD_EPS 143
#define RECORD_METAFILE 147 /* drawn transparently */

static unsigned
read_16(const uint8_t *p)
{
	return (unsigned)(p[0] | p[1] << 8);
}

static uint32_t
read_32(const uint8_t *p)
{
	return read_16(p) | (uint32_t)read_16(p + 2) << 16;
}

static bool
draws(unsigned type)
{
	return type >= RECORD_FIRST && type <= RECORD_LAST &&
	    type != RECORD_EPS && type != RECORD_METAFILE;
}

bool
odf_is_svm(struct bytes b)
{
	return bytes_start_with(b, BYTES("VCLMTF"));
}

/* Its head, which leaves *b; empty: it is none. */
static struct bytes
take_head(struct bytes *b)
{
	uint32_t size;

	if (!odf_is_svm(*b) || b->n < HEAD + VERSION_SIZE)
		return (struct bytes){ 0 };
	size = read_32(b->p + HEAD + 2);
	if (size < HEAD_LEAST || size > HEAD_MOST ||
	    size > b->n - HEAD - VERSION_SIZE)
		return (struct bytes){ 0 };
	return bytes_take(b, HEAD + VERSION_SIZE + size);
}

bool
odf_rebuild_svm(struct bytes b, struct buf *out)
{
	/* Of no type, version 1, nothing in it; it keeps the count right. */
	static const uint8_t empty[RECORD_SIZE] = { 199, 0, 1 };
	struct bytes head = take_head(&b);

	if (head.n == 0 || buf_append(out, head) < 0)
		return false;
	while (b.n > 0) {
		size_t size;
		bool stays;

		if (b.n < RECORD_SIZE || read_32(b.p + 4) > b.n - RECORD_SIZE)
			return false;
		size = RECORD_SIZE + read_32(b.p + 4);
		stays = draws(read_16(b.p));
		if (buf_append(out,
			stays ? bytes_take(&b, size)
			      : (struct bytes){ empty, sizeof(empty) }) < 0)
			return false;
		if (!stays)
			bytes_take(&b, size);
	}
	return true;
}
