/* SPDX-License-Identifier: Apache-2.0 */
/* A page decoded and written anew, strip by strip or tile by tile; what libtiff
 * can only draw, as it draws it. */
#include "filters/image/tiff.h"

#define JPEG_QUALITY 95
/* As many times the file may be read. */
#define READ_MAX 16

struct page {
	uint32_t width, height;
	uint16_t compression, photometric, samples, bits, planar, format;
	bool tiled;
};

/* What a page's data becomes: the same where that loses nothing. */
static uint16_t
new_compression(const struct page *p)
{
	switch (p->compression) {
	case COMPRESSION_NONE:
	case COMPRESSION_CCITTRLE:
	case COMPRESSION_CCITTFAX3:
	case COMPRESSION_CCITTFAX4:
	case COMPRESSION_LZW:
	case COMPRESSION_JPEG:
	case COMPRESSION_PACKBITS:
	case COMPRESSION_ADOBE_DEFLATE:
		return p->compression;
	case COMPRESSION_CCITTRLEW:
		return COMPRESSION_CCITTRLE;
	case COMPRESSION_JBIG:
		return COMPRESSION_CCITTFAX4;
	}
	return COMPRESSION_ADOBE_DEFLATE;
}

/* What comes decoded in a form of its own, and is drawn instead. */
static bool
has_to_be_drawn(const struct page *p)
{
	switch (p->compression) {
	case COMPRESSION_OJPEG:
	case COMPRESSION_SGILOG:
	case COMPRESSION_SGILOG24:
	case COMPRESSION_PIXARLOG:
	case COMPRESSION_THUNDERSCAN:
	case COMPRESSION_NEXT:
		return true;
	}
	return false;
}

static bool
is_ycc_jpeg(const struct page *p)
{
	return p->compression == COMPRESSION_JPEG &&
	    p->photometric == PHOTOMETRIC_YCBCR;
}

static bool
read_page(struct tiff_work *w, struct page *p)
{
	uint32_t depth = 1;

	*p = (struct page){ .tiled = TIFFIsTiled(w->in) != 0 };
	TIFFGetFieldDefaulted(w->in, TIFFTAG_COMPRESSION, &p->compression);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_SAMPLESPERPIXEL, &p->samples);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_BITSPERSAMPLE, &p->bits);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_PLANARCONFIG, &p->planar);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_SAMPLEFORMAT, &p->format);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_IMAGEDEPTH, &depth);
	/* Readers take what does not say it for what it looks like. */
	if (TIFFGetField(w->in, TIFFTAG_PHOTOMETRIC, &p->photometric) != 1)
		p->photometric =
		    p->samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
	return TIFFGetField(w->in, TIFFTAG_IMAGEWIDTH, &p->width) == 1 &&
	    TIFFGetField(w->in, TIFFTAG_IMAGELENGTH, &p->height) == 1 &&
	    depth == 1;
}

static void
set_size(struct tiff_work *w, const struct page *p)
{
	TIFFSetField(w->out, TIFFTAG_IMAGEWIDTH, p->width);
	TIFFSetField(w->out, TIFFTAG_IMAGELENGTH, p->height);
	TIFFSetField(w->out, TIFFTAG_BITSPERSAMPLE, p->bits);
	TIFFSetField(w->out, TIFFTAG_SAMPLESPERPIXEL, p->samples);
	TIFFSetField(w->out, TIFFTAG_PLANARCONFIG, p->planar);
	TIFFSetField(w->out, TIFFTAG_SAMPLEFORMAT, p->format);
	TIFFSetField(w->out, TIFFTAG_PHOTOMETRIC, p->photometric);
}

static void
set_compression(struct tiff_work *w, const struct page *p)
{
	uint16_t compression = new_compression(p);
	uint16_t predictor;
	uint32_t options;

	TIFFSetField(w->out, TIFFTAG_COMPRESSION, compression);
	if ((compression == COMPRESSION_LZW ||
		compression == COMPRESSION_ADOBE_DEFLATE) &&
	    TIFFGetField(w->in, TIFFTAG_PREDICTOR, &predictor) == 1)
		TIFFSetField(w->out, TIFFTAG_PREDICTOR, predictor);
	if (compression == COMPRESSION_CCITTFAX3 &&
	    TIFFGetField(w->in, TIFFTAG_GROUP3OPTIONS, &options) == 1)
		TIFFSetField(w->out, TIFFTAG_GROUP3OPTIONS,
		    options & (GROUP3OPT_2DENCODING | GROUP3OPT_FILLBITS));
	if (compression == COMPRESSION_JPEG)
		TIFFSetField(w->out, TIFFTAG_JPEGQUALITY, JPEG_QUALITY);
	if (is_ycc_jpeg(p))
		TIFFSetField(w->out, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

/* What the samples mean. */
static void
set_colours(struct tiff_work *w, const struct page *p)
{
	uint16_t *r, *g, *b, *extra, n, across, down;
	float *f;

	if (TIFFGetField(w->in, TIFFTAG_EXTRASAMPLES, &n, &extra) == 1 && n > 0)
		TIFFSetField(w->out, TIFFTAG_EXTRASAMPLES, n, extra);
	if (TIFFGetField(w->in, TIFFTAG_COLORMAP, &r, &g, &b) == 1)
		TIFFSetField(w->out, TIFFTAG_COLORMAP, r, g, b);
	if (p->photometric != PHOTOMETRIC_YCBCR)
		return;
	TIFFGetFieldDefaulted(w->in, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
	TIFFSetField(w->out, TIFFTAG_YCBCRSUBSAMPLING, across, down);
	if (TIFFGetField(w->in, TIFFTAG_YCBCRPOSITIONING, &n) == 1)
		TIFFSetField(w->out, TIFFTAG_YCBCRPOSITIONING, n);
	if (TIFFGetField(w->in, TIFFTAG_YCBCRCOEFFICIENTS, &f) == 1)
		TIFFSetField(w->out, TIFFTAG_YCBCRCOEFFICIENTS, f);
	if (TIFFGetField(w->in, TIFFTAG_REFERENCEBLACKWHITE, &f) == 1)
		TIFFSetField(w->out, TIFFTAG_REFERENCEBLACKWHITE, f);
}

static void
set_pieces(struct tiff_work *w, const struct page *p)
{
	uint32_t across, down;

	if (!p->tiled) {
		TIFFGetFieldDefaulted(w->in, TIFFTAG_ROWSPERSTRIP, &down);
		TIFFSetField(w->out, TIFFTAG_ROWSPERSTRIP,
		    down > p->height ? p->height : down);
		return;
	}
	TIFFGetField(w->in, TIFFTAG_TILEWIDTH, &across);
	TIFFGetField(w->in, TIFFTAG_TILELENGTH, &down);
	TIFFSetField(w->out, TIFFTAG_TILEWIDTH, across);
	TIFFSetField(w->out, TIFFTAG_TILELENGTH, down);
}

/* The last strip of each plane may be shorter. */
static tmsize_t
piece_size(struct tiff_work *w, const struct page *p, uint32_t i)
{
	uint32_t rows, strips;

	if (p->tiled)
		return TIFFTileSize(w->in);
	TIFFGetFieldDefaulted(w->in, TIFFTAG_ROWSPERSTRIP, &rows);
	if (rows == 0 || rows > p->height)
		rows = p->height;
	strips = (p->height + rows - 1) / rows;
	if (i % strips == strips - 1 && p->height % rows != 0)
		rows = p->height % rows;
	return TIFFVStripSize(w->in, rows);
}

/* True: it could be decoded. What could not is empty. */
static bool
read_piece(struct tiff_work *w, const struct page *p, uint32_t i, tmsize_t size)
{
	memset(w->room.p, 0, (size_t)size);
	return (p->tiled ? TIFFReadEncodedTile(w->in, i, w->room.p, size)
			 : TIFFReadEncodedStrip(w->in, i, w->room.p, size)) ==
	    size;
}

static bool
write_piece(
    struct tiff_work *w, const struct page *p, uint32_t i, tmsize_t size)
{
	return (p->tiled ? TIFFWriteEncodedTile(w->out, i, w->room.p, size)
			 : TIFFWriteEncodedStrip(w->out, i, w->room.p, size)) ==
	    size;
}

/* Pieces may share bytes of the file; libtiff reads all of each. */
static bool
has_its_data(struct tiff_work *w, uint32_t n)
{
	if (n == 0 || n > w->from.in.n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t size = TIFFGetStrileByteCount(w->in, i);

		w->read += size < w->from.in.n ? size : w->from.in.n;
		if (w->read / READ_MAX <= w->from.in.n)
			continue;
		(void)detox_refuse(
		    w->d, REFUSED_BOMB, "a TIFF whose pages share their data");
		return false;
	}
	return true;
}

/* How many there are, 0: none that can be. */
static uint32_t
count_pieces(struct tiff_work *w, const struct page *p)
{
	uint64_t most = w->d->profile->tree_max;
	uint32_t n =
	    p->tiled ? TIFFNumberOfTiles(w->in) : TIFFNumberOfStrips(w->in);
	tmsize_t size = p->tiled ? TIFFTileSize(w->in) : TIFFStripSize(w->in);

	if (size <= 0)
		return 0;
	if (detox_unpacked(w->d,
		(uint64_t)size > most ? most + 1 : (uint64_t)size * n,
		0) == DETOX_REFUSED)
		return 0;
	w->room.n = 0;
	return buf_reserve(&w->room, (size_t)size) < 0 ? 0 : n;
}

/* Which is the first that can be decoded, and is in the room now; n: none. For
 * libtiff cannot take a page back that it has begun to write. */
static uint32_t
find_first(struct tiff_work *w, const struct page *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		tmsize_t size = piece_size(w, p, i);

		if (size <= 0 || (size_t)size > w->room.size)
			return n;
		if (read_piece(w, p, i, size))
			return i;
	}
	return n;
}

static enum tiff_outcome
copy_pieces(
    struct tiff_work *w, const struct page *p, uint32_t n, uint32_t first)
{
	uint32_t lost = first;

	for (uint32_t i = 0; i < n; i++) {
		tmsize_t size = piece_size(w, p, i);

		if (size <= 0 || (size_t)size > w->room.size)
			return TIFF_PAGE_UNWRITTEN;
		/* The very first is there already. */
		if (i < first)
			memset(w->room.p, 0, (size_t)size);
		else if ((i > 0 || first > 0) && !read_piece(w, p, i, size))
			lost++;
		if (!write_piece(w, p, i, size))
			return TIFF_PAGE_UNWRITTEN;
	}
	if (lost > 0)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	return TIFF_PAGE_WRITTEN;
}

static enum tiff_outcome
copy_page(struct tiff_work *w, const struct page *p)
{
	uint32_t n, first;

	if (is_ycc_jpeg(p))
		TIFFSetField(w->in, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
	n = count_pieces(w, p);
	first = find_first(w, p, n);
	if (first == n)
		return TIFF_PAGE_LOST;
	set_size(w, p);
	set_compression(w, p);
	set_colours(w, p);
	set_pieces(w, p);
	tiff_copy_tags(w->d, w->in, w->out);
	return copy_pieces(w, p, n, first);
}

/* Four bytes each, in place of the numbers that libtiff makes. */
static void
order_bytes(uint8_t *p, size_t pixels)
{
	uint32_t v;

	for (size_t i = 0; i < pixels; i++, p += 4) {
		memcpy(&v, p, 4);
		p[0] = (uint8_t)TIFFGetR(v);
		p[1] = (uint8_t)TIFFGetG(v);
		p[2] = (uint8_t)TIFFGetB(v);
		p[3] = (uint8_t)TIFFGetA(v);
	}
}

static bool
draw(struct tiff_work *w, const struct page *p)
{
	size_t pixels = (size_t)p->width * p->height;

	w->room.n = 0;
	if (detox_unpacked(w->d, pixels * 4, 0) == DETOX_REFUSED ||
	    buf_reserve(&w->room, pixels * 4) < 0)
		return false;
	memset(w->room.p, 0, pixels * 4);
	if (TIFFReadRGBAImageOriented(w->in, p->width, p->height,
		(uint32_t *)(void *)w->room.p, ORIENTATION_TOPLEFT, 0) != 1)
		return false;
	order_bytes(w->room.p, pixels);
	return true;
}

static enum tiff_outcome
draw_page(struct tiff_work *w, const struct page *p)
{
	const struct page new = { .width = p->width,
		.height = p->height,
		.compression = COMPRESSION_ADOBE_DEFLATE,
		.photometric = PHOTOMETRIC_RGB,
		.samples = 4,
		.bits = 8,
		.planar = PLANARCONFIG_CONTIG,
		.format = SAMPLEFORMAT_UINT };
	const uint16_t alpha = EXTRASAMPLE_ASSOCALPHA;

	if (!draw(w, p))
		return TIFF_PAGE_LOST;
	set_size(w, &new);
	TIFFSetField(w->out, TIFFTAG_COMPRESSION, new.compression);
	TIFFSetField(w->out, TIFFTAG_EXTRASAMPLES, 1, &alpha);
	TIFFSetField(w->out, TIFFTAG_ROWSPERSTRIP, p->height);
	tiff_copy_tags(w->d, w->in, w->out);
	TIFFSetField(w->out, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
	return write_piece(
		   w, &new, 0, (tmsize_t)p->width * (tmsize_t)p->height * 4)
	    ? TIFF_PAGE_WRITTEN
	    : TIFF_PAGE_UNWRITTEN;
}

/* A tile may be larger than the page. */
static enum detox_result
count_pixels(struct tiff_work *w, const struct page *p)
{
	uint32_t across = 1, down = 1;

	if (p->tiled) {
		TIFFGetField(w->in, TIFFTAG_TILEWIDTH, &across);
		TIFFGetField(w->in, TIFFTAG_TILELENGTH, &down);
	}
	if (detox_pixels(w->d, across, down, 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return detox_pixels(w->d, p->width, p->height, 1);
}

enum tiff_outcome
tiff_turn_page(struct tiff_work *w)
{
	struct page p;

	if (!read_page(w, &p) || count_pixels(w, &p) == DETOX_REFUSED ||
	    !has_its_data(w,
		p.tiled ? TIFFNumberOfTiles(w->in) : TIFFNumberOfStrips(w->in)))
		return TIFF_PAGE_LOST;
	return has_to_be_drawn(&p) ? draw_page(w, &p) : copy_page(w, &p);
}
