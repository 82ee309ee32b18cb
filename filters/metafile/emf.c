/* SPDX-License-Identifier: Apache-2.0 */
/* emf: [MS-EMF] and, in its comments, [MS-EMFPLUS]. */
#include "filters/metafile/inside.h"

#define RECORD 8
#define HEADER_LEAST 88
#define HEADER_MOST 108

#define EMR_HEADER 1
#define EMR_EOF 14
#define EMR_GDICOMMENT 70
#define EMR_LAST 122

/* Records that do not draw, or reach out ([MS-EMF] section 2.1.1): to a
 * driver, to OpenGL, to files of colour profiles. */
static const uint8_t not_drawing[] = { 7, 99, 100, 101, 102, 103, 104, 105, 106,
	107, 109, 110, 111, 112, 113, 117, 121, 122 };

/* Where records have offset and length of a bitmap's head, and of its bits. */
static const struct {
	uint8_t type;
	uint8_t at;
} bitmaps[] = {
	{ 76, 84 },
	{ 77, 84 },
	{ 78, 84 },
	{ 78, 112 },
	{ 79, 96 },
	{ 80, 48 },
	{ 81, 48 },
	{ 93, 16 },
	{ 94, 16 },
	{ 114, 84 },
	{ 116, 84 },
};

static struct bytes
record_of(struct bytes in)
{
	uint32_t n;

	if (in.n < RECORD)
		return (struct bytes){ 0 };
	n = read_32(in.p + 4);
	if (n < RECORD || n % 4 != 0 || n > in.n)
		return (struct bytes){ 0 };
	return (struct bytes){ in.p, n };
}

static bool
is_within(struct bytes r, size_t at)
{
	uint32_t offset, n;

	if (r.n < at + 8)
		return false;
	offset = read_32(r.p + at);
	n = read_32(r.p + at + 4);
	return n == 0 || (offset <= r.n && n <= r.n - offset);
}

static bool
has_good_bitmaps(struct bytes r)
{
	uint32_t type = read_32(r.p);

	for (size_t i = 0; i < COUNT(bitmaps); i++)
		if (bitmaps[i].type == type &&
		    (!is_within(r, bitmaps[i].at) ||
			!is_within(r, bitmaps[i].at + 8u)))
			return false;
	return true;
}

/* Records within a comment: type, flags, size, size of data
 * ([MS-EMFPLUS] section 2.3). */
static bool
is_plus(struct bytes r)
{
	struct bytes in = r;
	uint32_t n, size;

	if (r.n < 16 || memcmp(r.p + 12, "EMF+", 4) != 0)
		return false;
	n = read_32(r.p + 8);
	if (n < 4 || n > r.n - 12)
		return false;
	in = (struct bytes){ r.p + 16, n - 4 };
	while (in.n >= 12) {
		size = read_32(in.p + 4);
		if (read_16(in.p) < 0x4001 || read_16(in.p) > 0x403a ||
		    size < 12 || size > in.n || read_32(in.p + 8) > size - 12)
			return false;
		bytes_take(&in, size);
	}
	return true;
}

static bool
draws(struct bytes r)
{
	uint32_t type = read_32(r.p);

	if (type <= EMR_HEADER || type > EMR_LAST)
		return false;
	if (type == EMR_GDICOMMENT)
		return is_plus(r);
	for (size_t i = 0; i < COUNT(not_drawing); i++)
		if (not_drawing[i] == type)
			return false;
	return has_good_bitmaps(r);
}

static enum detox_result
copy_records(struct detox *d, struct bytes in, struct detox_output *out,
    uint32_t *records_out)
{
	struct bytes r;

	for (r = record_of(in); r.n > 0; r = record_of(in)) {
		bytes_take(&in, r.n);
		if (read_32(r.p) == EMR_EOF)
			break;
		if (!draws(r)) {
			detox_removed(d,
			    read_32(r.p) == EMR_GDICOMMENT ? REMOVED_CUSTOM
							   : REMOVED_ACTION,
			    NULL, (struct bytes){ 0 });
			continue;
		}
		(*records_out)++;
		if (detox_put(d, out, r) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	if (r.n > 0 && in.n > 4)
		detox_removed(d, REMOVED_TRAILING, NULL, in);
	(*records_out)++;
	return detox_put(
	    d, out, BYTES("\x0e\0\0\0\x14\0\0\0\0\0\0\0\x10\0\0\0\x14\0\0\0"));
}

/* What draws it, without the description (an author's words) and OpenGL's
 * format of pixels. */
static enum detox_result
put_header(struct detox *d, struct bytes header, struct detox_output *out)
{
	size_t n = header.n >= HEADER_MOST ? HEADER_MOST
	    : header.n >= 100              ? 100
					   : HEADER_LEAST;

	if (detox_put(d, out, (struct bytes){ header.p, n }) == DETOX_REFUSED)
		return DETOX_REFUSED;
	write_32(out->content.p + 4, (uint32_t)n);
	memset(out->content.p + 60, 0, 8);
	if (n >= 100)
		memset(out->content.p + 88, 0, 12);
	return DETOX_REBUILT;
}

enum detox_result
emf_rebuild(struct detox *d, struct bytes in, struct detox_output *out)
{
	struct bytes header = record_of(in);
	uint32_t records = 1;

	if (header.n < HEADER_LEAST || read_32(header.p) != EMR_HEADER)
		return detox_refuse(d, REFUSED_BROKEN, "no header of an EMF");
	bytes_take(&in, header.n);
	if (put_header(d, header, out) == DETOX_REFUSED ||
	    copy_records(d, in, out, &records) == DETOX_REFUSED)
		return DETOX_REFUSED;
	write_32(out->content.p + 48, (uint32_t)out->content.n);
	write_32(out->content.p + 52, records);
	return DETOX_REBUILT;
}
