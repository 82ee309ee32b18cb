/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/png.h"

#include <png.h>
#include <setjmp.h>

#include "filters/image/inside.h"

#define HEAD_MAX ((png_uint_32)IMAGE_ICC_MAX)
/* Above this, time counts more than size. */
#define SMALL ((uint64_t)16 << 20)
#define CHUNK_MAX ((size_t)1 << 20)

struct work {
	struct detox *d;
	struct bytes in;
	struct detox_output *out;
	struct png_turned *t;
	png_structp reader, writer;
	png_infop head, new_head;
	struct png_shape shape;
	struct buf row;
	struct buf packed; /* rows that are kept as they are */
	struct buf profile;
	uint8_t exif[IMAGE_EXIF_SIZE];
};

static void
on_error(png_structp p, png_const_charp words)
{
	(void)words;
	png_longjmp(p, 1);
}

static void
on_warning(png_structp p, png_const_charp words)
{
	(void)p;
	(void)words;
}

static void
read_bytes(png_structp p, png_bytep to, size_t n)
{
	struct work *w = png_get_io_ptr(p);

	if (n > w->in.n)
		png_error(p, "end");
	memcpy(to, bytes_take(&w->in, n).p, n);
}

static void
write_bytes(png_structp p, png_bytep from, size_t n)
{
	struct work *w = png_get_io_ptr(p);

	if (detox_put(w->d, w->out, (struct bytes){ from, n }) == DETOX_REFUSED)
		png_error(p, "limit");
}

static void
flush(png_structp p)
{
	(void)p;
}

static bool
read_head(struct work *w)
{
	if (setjmp(png_jmpbuf(w->reader)) != 0)
		return false;
	png_set_read_fn(w->reader, w, read_bytes);
	/* The chunks were checked, and only those come that are kept. */
	png_set_crc_action(w->reader, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
	png_set_benign_errors(w->reader, 1);
	png_set_user_limits(w->reader, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_chunk_malloc_max(w->reader, HEAD_MAX);
	png_read_info(w->reader, w->head);
	return true;
}

static bool
read_row(struct work *w)
{
	if (setjmp(png_jmpbuf(w->reader)) != 0)
		return false;
	png_read_row(w->reader, w->row.p, NULL);
	return true;
}

/* One colour may be transparent; of its samples the low bits count. */
static png_color_16
mask(const struct work *w, const png_color_16 *colour)
{
	unsigned all = (1u << png_get_bit_depth(w->reader, w->head)) - 1;

	return (png_color_16){ .gray = colour->gray & (png_uint_16)all,
		.red = colour->red & (png_uint_16)all,
		.green = colour->green & (png_uint_16)all,
		.blue = colour->blue & (png_uint_16)all };
}

static void
copy_colours(struct work *w)
{
	png_colorp palette;
	png_bytep alpha;
	png_color_16p colour;
	png_color_16 masked;
	png_color_8p bits;
	int n;

	if (png_get_PLTE(w->reader, w->head, &palette, &n) != 0)
		png_set_PLTE(w->writer, w->new_head, palette, n);
	if (png_get_tRNS(w->reader, w->head, &alpha, &n, &colour) != 0) {
		masked = mask(w, colour);
		png_set_tRNS(w->writer, w->new_head, alpha, n, &masked);
	}
	if (png_get_bKGD(w->reader, w->head, &colour) != 0)
		png_set_bKGD(w->writer, w->new_head, colour);
	if (png_get_sBIT(w->reader, w->head, &bits) != 0)
		png_set_sBIT(w->writer, w->new_head, bits);
}

/* How its colours are meant. */
static void
copy_meaning(struct work *w)
{
	png_fixed_point g, v[8];
	png_charp name;
	png_bytep p;
	png_uint_32 n;
	int k;

	if (png_get_gAMA_fixed(w->reader, w->head, &g) != 0)
		png_set_gAMA_fixed(w->writer, w->new_head, g);
	if (png_get_cHRM_fixed(w->reader, w->head, v, v + 1, v + 2, v + 3,
		v + 4, v + 5, v + 6, v + 7) != 0)
		png_set_cHRM_fixed(w->writer, w->new_head, v[0], v[1], v[2],
		    v[3], v[4], v[5], v[6], v[7]);
	if (png_get_sRGB(w->reader, w->head, &k) != 0)
		png_set_sRGB(w->writer, w->new_head, k);
	else if (png_get_iCCP(w->reader, w->head, &name, &k, &p, &n) != 0 &&
	    image_icc(w->d, (struct bytes){ p, n },
		(png_get_color_type(w->reader, w->head) &
		    PNG_COLOR_MASK_COLOR) != 0
		    ? "RGB "
		    : "GRAY",
		&w->profile))
		png_set_iCCP(w->writer, w->new_head, "picture", 0, w->profile.p,
		    (png_uint_32)w->profile.n);
}

static void
copy_place(struct work *w)
{
	png_uint_32 x, y;
	int unit;

	if (png_get_pHYs(w->reader, w->head, &x, &y, &unit) != 0)
		png_set_pHYs(w->writer, w->new_head, x, y, unit);
	if (w->t->orientation > 1) {
		image_exif_write(w->exif, w->t->orientation);
		png_set_eXIf_1(
		    w->writer, w->new_head, IMAGE_EXIF_SIZE, w->exif);
	}
}

static bool
write_head(struct work *w)
{
	if (setjmp(png_jmpbuf(w->writer)) != 0)
		return false;
	png_set_write_fn(w->writer, w, write_bytes, flush);
	png_set_benign_errors(w->writer, 1);
	png_set_user_limits(w->writer, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_compression_level(
	    w->writer, (uint64_t)w->row.n * w->shape.height > SMALL ? 3 : 6);
	png_set_filter(w->writer, 0, PNG_FAST_FILTERS);
	png_set_IHDR(w->writer, w->new_head, w->shape.width, w->shape.height,
	    png_get_bit_depth(w->reader, w->head),
	    png_get_color_type(w->reader, w->head),
	    png_get_interlace_type(w->reader, w->head),
	    PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
	copy_colours(w);
	copy_meaning(w);
	copy_place(w);
	png_write_info(w->writer, w->new_head);
	return true;
}

/* Once a row cannot be read, it and all that follow are empty. */
static void
turn_row(struct work *w)
{
	if (!w->t->damaged && read_row(w)) {
		w->t->rows++;
	} else {
		w->t->damaged = true;
		memset(w->row.p, 0, w->row.n);
	}
	png_write_row(w->writer, w->row.p);
}

/* Without interlace handling libpng gives and takes the passes as they are, so
 * that one row is all the memory. */
static bool
turn_rows(struct work *w)
{
	if (setjmp(png_jmpbuf(w->writer)) != 0)
		return false;
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		for (uint32_t y = png_pass_rows(&w->shape, pass); y > 0; y--)
			turn_row(w);
	png_write_end(w->writer, NULL);
	return true;
}

/* In pieces of a size that every reader takes. */
static bool
keep_rows(struct work *w)
{
	struct bytes left = buf_bytes(&w->packed);

	if (setjmp(png_jmpbuf(w->writer)) != 0)
		return false;
	while (left.n > 0) {
		struct bytes piece =
		    bytes_take(&left, left.n < CHUNK_MAX ? left.n : CHUNK_MAX);

		png_write_chunk(
		    w->writer, (png_const_bytep) "IDAT", piece.p, piece.n);
	}
	png_write_chunk(w->writer, (png_const_bytep) "IEND", NULL, 0);
	w->t->rows = w->shape.height;
	return true;
}

static void
measure(struct work *w)
{
	w->shape = (struct png_shape){
		.width = png_get_image_width(w->reader, w->head),
		.height = png_get_image_height(w->reader, w->head),
		.pixel_bits = png_get_bit_depth(w->reader, w->head) *
		    png_get_channels(w->reader, w->head),
		.interlaced = png_get_interlace_type(w->reader, w->head) !=
		    PNG_INTERLACE_NONE,
	};
}

/* libpng leaves the bits of the last byte behind the row's end as they were. */
static bool
make_row(struct work *w)
{
	size_t n = png_get_rowbytes(w->reader, w->head);

	if (buf_reserve(&w->row, n) < 0)
		return false;
	memset(w->row.p, 0, n);
	w->row.n = n;
	return true;
}

static bool
turn(struct work *w)
{
	const struct bytes file = w->in;

	if (!read_head(w))
		return false;
	measure(w);
	if (!make_row(w) || !write_head(w))
		return false;
	if (!w->d->profile->strict &&
	    png_idat_keep(w->d, file, &w->shape, &w->packed))
		return keep_rows(w);
	return turn_rows(w) && w->t->rows > 0;
}

bool
png_turn(struct detox *d, struct bytes in, struct png_turned *t,
    struct detox_output *out)
{
	struct work w = { .d = d, .in = in, .out = out, .t = t };
	bool done;

	buf_init(&w.row, (size_t)d->profile->pixels_max * 8 + 64);
	buf_init(&w.packed, in.n);
	buf_init(&w.profile, IMAGE_ICC_MAX);
	w.reader = png_create_read_struct(
	    PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
	w.writer = png_create_write_struct(
	    PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
	if (w.reader != NULL)
		w.head = png_create_info_struct(w.reader);
	/* Some writers name a smaller window than they use. */
	if (w.reader != NULL)
		png_set_option(
		    w.reader, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
	if (w.writer != NULL)
		w.new_head = png_create_info_struct(w.writer);
	done = w.head != NULL && w.new_head != NULL && turn(&w);
	png_destroy_read_struct(&w.reader, &w.head, NULL);
	png_destroy_write_struct(&w.writer, &w.new_head);
	buf_release(&w.row);
	buf_release(&w.packed);
	buf_release(&w.profile);
	return done;
}
