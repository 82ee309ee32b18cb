/* SPDX-License-Identifier: Apache-2.0 */
/* idat: a picture's rows as they are packed. */
#include <libdeflate.h>
#include <png.h>

#include "filters/image/inside.h"
#include "filters/image/png.h"

/* Above this a picture is decoded row by row. */
#define ROWS_MAX ((uint64_t)64 << 20)
#define FILTER_LAST 4 /* Paeth */

uint32_t
png_pass_rows(const struct png_shape *s, int pass)
{
	uint64_t right = (1u << PNG_PASS_COL_SHIFT(pass)) - 1;
	uint64_t down = (1u << PNG_PASS_ROW_SHIFT(pass)) - 1;

	if (!s->interlaced)
		return pass == 0 ? s->height : 0;
	right -= PNG_PASS_START_COL(pass);
	down -= PNG_PASS_START_ROW(pass);
	return (s->width + right) >> PNG_PASS_COL_SHIFT(pass) == 0
	    ? 0
	    : (uint32_t)((s->height + down) >> PNG_PASS_ROW_SHIFT(pass));
}

/* Of one row, its filter's number included. */
static uint64_t
row_size(const struct png_shape *s, int pass)
{
	uint64_t columns = s->width;

	if (s->interlaced)
		columns = (columns + (1u << PNG_PASS_COL_SHIFT(pass)) - 1 -
			      PNG_PASS_START_COL(pass)) >>
		    PNG_PASS_COL_SHIFT(pass);
	return 1 + (columns * s->pixel_bits + 7) / 8;
}

static uint64_t
rows_size(const struct png_shape *s)
{
	uint64_t n = 0;

	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		n += png_pass_rows(s, pass) * row_size(s, pass);
	return n;
}

static bool
filters_known(const struct png_shape *s, struct bytes rows)
{
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		for (uint32_t y = png_pass_rows(s, pass); y > 0; y--)
			if (bytes_take(&rows, row_size(s, pass)).p[0] >
			    FILTER_LAST)
				return false;
	return true;
}

/* *packed: one zlib stream (RFC 1950) that is these rows and nothing else.
 * *left_out: what stands behind it. A dictionary is unknown to every reader,
 * and what is much longer than its rows holds something else. */
static bool
unpack(const struct png_shape *s, struct bytes *packed, struct bytes *left_out)
{
	const size_t n = (size_t)rows_size(s);
	struct libdeflate_decompressor *z;
	enum libdeflate_result result;
	struct buf rows;
	size_t taken = 0;
	bool good = false;

	buf_init(&rows, n);
	z = libdeflate_alloc_decompressor();
	if (z != NULL && buf_reserve(&rows, n) == 0) {
		result = libdeflate_zlib_decompress_ex(
		    z, packed->p, packed->n, rows.p, n, &taken, NULL);
		good = result == LIBDEFLATE_SUCCESS &&
		    taken <= n + n / 8 + 64 &&
		    filters_known(s, (struct bytes){ rows.p, n });
	}
	if (z != NULL)
		libdeflate_free_decompressor(z);
	buf_release(&rows);
	if (good) {
		*left_out = *packed;
		*packed = bytes_take(left_out, taken);
	}
	return good;
}

static bool
gather(struct bytes in, struct buf *out)
{
	struct png_chunk c;

	bytes_take(&in, PNG_SIGNATURE.n);
	while (png_chunk_next(&in, &c))
		if (png_chunk_is(&c, "IDAT") && buf_append(out, c.data) < 0)
			return false;
	return true;
}

bool
png_idat_keep(struct detox *d, struct bytes in, const struct png_shape *s,
    struct buf *packed)
{
	struct bytes stream, left_out;

	if (rows_size(s) > ROWS_MAX || !gather(in, packed))
		return false;
	stream = buf_bytes(packed);
	if (!unpack(s, &stream, &left_out))
		return false;
	if (left_out.n > 0)
		detox_removed(d, REMOVED_TRAILING, "picture data", left_out);
	packed->n = stream.n;
	/* Deflated, with the largest window, whatever it said. */
	packed->p[0] = 0x78;
	packed->p[1] = 0x9c;
	return true;
}
