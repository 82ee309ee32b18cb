/* SPDX-License-Identifier: Apache-2.0 */
/* bmp: read and written by hand. What comes out has the usual head of 40
 * bytes, or one of 108 where it has masks. */
#include "filters/image/bmp.h"

#include "filters/image/image.h"
#include "filters/image/inside.h"

#define COLOURS_SRGB 0x73524742 /* LCS_sRGB */

#define FILE_HEAD ((size_t)14)
#define CORE_HEAD ((size_t)12)
#define INFO_HEAD ((size_t)40)
#define V4_HEAD ((size_t)108)
#define MASKS 4
#define COLOUR_SIZE ((size_t)4)

enum compression {
	BMP_RGB = 0,
	BMP_RLE8 = 1,
	BMP_RLE4 = 2,
	BMP_BITFIELDS = 3,
	BMP_ALPHA_BITFIELDS = 6,
};

static bool
is_rle(const struct bmp *b)
{
	return b->compression == BMP_RLE8 || b->compression == BMP_RLE4;
}

static bool
has_masks(const struct bmp *b)
{
	return b->compression == BMP_BITFIELDS ||
	    b->compression == BMP_ALPHA_BITFIELDS;
}

static void
read_core(struct bmp *b, struct bytes in)
{
	b->width = (int64_t)image_little(in, 4, 2);
	b->height = (int64_t)image_little(in, 6, 2);
	b->depth = (unsigned)image_little(in, 10, 2);
	b->colour_size = 3;
}

static void
read_info(struct bmp *b, struct bytes in)
{
	b->width = (int32_t)image_little(in, 4, 4);
	b->height = (int32_t)image_little(in, 8, 4);
	b->depth = (unsigned)image_little(in, 14, 2);
	/* OS/2's head may end behind any field; what is not there is 0. */
	in.n = b->head_size;
	b->compression = (unsigned)image_little(in, 16, 4);
	b->x_dots = (uint32_t)image_little(in, 24, 4);
	b->y_dots = (uint32_t)image_little(in, 28, 4);
	b->colours = (uint32_t)image_little(in, 32, 4);
	b->colour_size = 4;
}

static void
read_masks(struct bmp *b, struct bytes in)
{
	bool has_alpha =
	    b->head_size >= 56 || b->compression == BMP_ALPHA_BITFIELDS;

	for (size_t i = 0; i < (has_alpha ? 4 : 3); i++)
		b->masks[i] = (uint32_t)image_little(in, INFO_HEAD + 4 * i, 4);
	/* Behind a head that has no room for them they are apart. */
	if (b->head_size < 52)
		b->head_size += has_alpha ? 16 : 12;
}

/* What is known to be drawn. */
static bool
is_known(const struct bmp *b)
{
	switch (b->depth) {
	case 1:
		return b->compression == BMP_RGB;
	case 2:
	case 24:
		return b->compression == BMP_RGB;
	case 4:
		return b->compression == BMP_RGB || b->compression == BMP_RLE4;
	case 8:
		return b->compression == BMP_RGB || b->compression == BMP_RLE8;
	case 16:
	case 32:
		return b->compression == BMP_RGB || has_masks(b);
	}
	return false;
}

enum detox_result
bmp_read_head(struct detox *d, struct bmp *b, struct bytes in)
{
	b->head_size = image_little(in, 0, 4);
	if (b->head_size > in.n ||
	    (b->head_size != CORE_HEAD && b->head_size < 16))
		return detox_refuse(
		    d, REFUSED_BROKEN, "a BMP with a broken head");
	if (b->head_size == CORE_HEAD)
		read_core(b, in);
	else
		read_info(b, in);
	if (b->height < 0) {
		b->top_down = true;
		b->height = -b->height;
	}
	if (!is_known(b) || b->width <= 0 || b->height <= 0)
		return detox_refuse(d, REFUSED_BROKEN,
		    "a BMP of %u bits, compression %u", b->depth,
		    b->compression);
	if (has_masks(b))
		read_masks(b, in);
	return DETOX_REBUILT;
}

size_t
bmp_stride(uint64_t width, unsigned depth)
{
	return (size_t)((width * depth + 31) / 32 * 4);
}

size_t
bmp_colours(const struct bmp *b)
{
	size_t most = b->depth <= 8 ? (size_t)1 << b->depth : 0;

	return b->colours == 0 || b->colours > most ? most : b->colours;
}

void
bmp_read_colours(struct bmp *b, struct bytes in, size_t end)
{
	for (size_t i = 0; i < bmp_colours(b); i++) {
		size_t at = b->head_size + i * b->colour_size;

		if (at + b->colour_size > in.n || at + b->colour_size > end)
			break;
		memcpy(b->palette + i * COLOUR_SIZE, in.p + at, 3);
		b->palette_n = i + 1;
	}
	/* A depth without colours is drawn in black, as readers do. */
	if (b->depth <= 8 && b->palette_n == 0)
		b->palette_n = 1;
}

static enum detox_result
put_head(struct detox *d, const struct bmp *b, struct detox_output *out)
{
	uint8_t head[V4_HEAD] = { 0 };
	size_t n = has_masks(b) ? V4_HEAD : INFO_HEAD;

	image_put_little(head, n, 4);
	image_put_little(head + 4, (uint64_t)b->width, 4);
	image_put_little(
	    head + 8, (uint64_t)(b->top_down ? -b->height : b->height), 4);
	image_put_little(head + 12, 1, 2);
	image_put_little(head + 14, b->depth, 2);
	image_put_little(head + 16, has_masks(b) ? BMP_BITFIELDS : BMP_RGB, 4);
	image_put_little(head + 20,
	    bmp_stride((uint64_t)b->width, b->depth) * (uint64_t)b->height, 4);
	image_put_little(head + 24, b->x_dots, 4);
	image_put_little(head + 28, b->y_dots, 4);
	image_put_little(head + 32, b->palette_n, 4);
	for (size_t i = 0; n == V4_HEAD && i < MASKS; i++)
		image_put_little(head + INFO_HEAD + 4 * i, b->masks[i], 4);
	if (n == V4_HEAD)
		image_put_little(head + 56, COLOURS_SRGB, 4);
	return detox_put(d, out, (struct bytes){ head, n });
}

static enum detox_result
put_file_head(struct detox *d, const struct bmp *b, struct detox_output *out)
{
	uint8_t head[FILE_HEAD] = "BM";
	size_t pixels = FILE_HEAD + (has_masks(b) ? V4_HEAD : INFO_HEAD) +
	    b->palette_n * COLOUR_SIZE;

	image_put_little(head + 2,
	    pixels +
		bmp_stride((uint64_t)b->width, b->depth) * (uint64_t)b->height,
	    4);
	image_put_little(head + 10, pixels, 4);
	return detox_put(d, out, (struct bytes){ head, sizeof(head) });
}

/* The bits behind the last pixel of a row are nobody's. */
static void
clean_row(uint8_t *row, uint64_t width, unsigned depth, size_t stride)
{
	size_t bits = (size_t)width * depth;

	if (bits % 8 != 0)
		row[bits / 8] &= (uint8_t)(0xff00 >> (bits % 8));
	memset(row + (bits + 7) / 8, 0, stride - (bits + 7) / 8);
}

enum detox_result
bmp_put_rows(struct detox *d, struct bytes in, uint64_t width, uint64_t height,
    unsigned depth, struct detox_output *out)
{
	size_t stride = bmp_stride(width, depth);
	struct buf *o = &out->content;
	uint8_t *row;

	if (buf_reserve(o, stride * height) < 0)
		return detox_refuse(d, REFUSED_SIZE, "a BMP is too large");
	for (uint64_t y = 0; y < height; y++) {
		size_t n = stride < in.n ? stride : in.n;

		row = o->p + o->n;
		memset(row, 0, stride);
		if (n > 0)
			memcpy(row, bytes_take(&in, n).p, n);
		clean_row(row, width, depth, stride);
		o->n += stride;
	}
	return DETOX_REBUILT;
}

enum detox_result
bmp_put_head(struct detox *d, const struct bmp *b, struct detox_output *out)
{
	if (put_head(d, b, out) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return detox_put(
	    d, out, (struct bytes){ b->palette, b->palette_n * COLOUR_SIZE });
}

static enum detox_result
put_unpacked(struct detox *d, const struct bmp *b, struct bytes *pixels,
    struct detox_output *out)
{
	size_t n = bmp_stride((uint64_t)b->width, b->depth) * (size_t)b->height;
	struct buf plain;
	enum detox_result result;

	buf_init(&plain, d->profile->out_max);
	if (detox_unpacked(d, n, 0) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (buf_reserve(&plain, n) < 0)
		return detox_refuse(d, REFUSED_SIZE, "a BMP is too large");
	memset(plain.p, 0, n);
	plain.n = n;
	if (!bmp_unpack(b, pixels, plain.p))
		detox_removed(d, REMOVED_DAMAGED, "picture data", BYTES(""));
	result = bmp_put_rows(d, buf_bytes(&plain), (uint64_t)b->width,
	    (uint64_t)b->height, b->depth, out);
	buf_release(&plain);
	return result;
}

static enum detox_result
put_pixels(struct detox *d, const struct bmp *b, struct bytes pixels,
    struct detox_output *out)
{
	size_t n = bmp_stride((uint64_t)b->width, b->depth) * (size_t)b->height;

	if (pixels.n == 0)
		return detox_refuse(d, REFUSED_BROKEN, "a BMP without pixels");
	if (is_rle(b)) {
		if (put_unpacked(d, b, &pixels, out) == DETOX_REFUSED)
			return DETOX_REFUSED;
	} else {
		if (pixels.n < n)
			detox_removed(
			    d, REMOVED_DAMAGED, "picture data", BYTES(""));
		if (bmp_put_rows(d, pixels, (uint64_t)b->width,
			(uint64_t)b->height, b->depth, out) == DETOX_REFUSED)
			return DETOX_REFUSED;
		bytes_take(&pixels, n);
	}
	if (pixels.n > 0)
		detox_removed(d, REMOVED_TRAILING, NULL, pixels);
	return DETOX_REBUILT;
}

/* A profile at the end, or the name of one elsewhere: [MS-WMF] 2.2.2.5. */
static void
report_profile(struct detox *d, struct bytes head)
{
	if (image_little(head, 0, 4) < 124)
		return;
	if (image_little(head, 56, 4) == 0x4c494e4b)
		detox_removed(d, REMOVED_EXTERNAL, "ICC profile", BYTES(""));
	else if (image_little(head, 56, 4) == 0x4d424544)
		detox_removed(d, REMOVED_METADATA, "ICC profile", BYTES(""));
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct bmp *b = ARENA_NEW(&d->arena, struct bmp);
	struct bytes head = o->content;
	struct bytes pixels = o->content;
	size_t at = image_little(o->content, 10, 4);

	bytes_take(&head, FILE_HEAD);
	if (bmp_read_head(d, b, head) == DETOX_REFUSED ||
	    detox_pixels(d, (uint64_t)b->width, (uint64_t)b->height, 1) ==
		DETOX_REFUSED)
		return DETOX_REFUSED;
	/* Some point at the colours. */
	if (at < FILE_HEAD + b->head_size + (b->depth <= 8 ? 1 : 0))
		at = FILE_HEAD + b->head_size + bmp_colours(b) * b->colour_size;
	bmp_read_colours(b, head, at - FILE_HEAD);
	bytes_take(&pixels, at < pixels.n ? at : pixels.n);
	report_profile(d, head);
	if (put_file_head(d, b, out) == DETOX_REFUSED ||
	    bmp_put_head(d, b, out) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return image_judge(d, put_pixels(d, b, pixels, out), out);
}

const struct detox_format bmp_format = {
	.name = "bmp",
	.types = MAGIC_BIT(MAGIC_BMP),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_BMP),
};
