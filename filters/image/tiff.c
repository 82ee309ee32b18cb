/* SPDX-License-Identifier: Apache-2.0 */
/* tiff: its pages decoded and written anew, strip by strip or tile by tile. */
#include "filters/image/tiff.h"

#include "filters/image/image.h"
#include "filters/image/inside.h"

#define JPEG_QUALITY 95

struct work {
	struct detox *d;
	struct tiff_file from, to;
	TIFF *in, *out;
	struct buf room; /* a strip or tile, or a whole page as RGBA */
	unsigned pages;
};

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
read_page(struct work *w, struct page *p)
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
set_size(struct work *w, const struct page *p)
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
set_compression(struct work *w, const struct page *p)
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
	if (is_ycc_jpeg(p)) {
		TIFFSetField(w->in, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
		TIFFSetField(w->out, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
	}
}

/* What the samples mean. */
static void
set_colours(struct work *w, const struct page *p)
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

static enum detox_result
set_pieces(struct work *w, const struct page *p)
{
	uint32_t across, down;

	if (!p->tiled) {
		TIFFGetFieldDefaulted(w->in, TIFFTAG_ROWSPERSTRIP, &down);
		TIFFSetField(w->out, TIFFTAG_ROWSPERSTRIP,
		    down > p->height ? p->height : down);
		return DETOX_REBUILT;
	}
	TIFFGetField(w->in, TIFFTAG_TILEWIDTH, &across);
	TIFFGetField(w->in, TIFFTAG_TILELENGTH, &down);
	TIFFSetField(w->out, TIFFTAG_TILEWIDTH, across);
	TIFFSetField(w->out, TIFFTAG_TILELENGTH, down);
	return detox_pixels(w->d, across, down, 1);
}

/* The last strip of each plane may be shorter. */
static tmsize_t
piece_size(struct work *w, const struct page *p, uint32_t i)
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
read_piece(struct work *w, const struct page *p, uint32_t i, tmsize_t size)
{
	memset(w->room.p, 0, (size_t)size);
	return (p->tiled ? TIFFReadEncodedTile(w->in, i, w->room.p, size)
			 : TIFFReadEncodedStrip(w->in, i, w->room.p, size)) ==
	    size;
}

static bool
write_piece(struct work *w, const struct page *p, uint32_t i, tmsize_t size)
{
	return (p->tiled ? TIFFWriteEncodedTile(w->out, i, w->room.p, size)
			 : TIFFWriteEncodedStrip(w->out, i, w->room.p, size)) ==
	    size;
}

/* How many there are, 0: none that can be. */
static uint32_t
count_pieces(struct work *w, const struct page *p)
{
	uint32_t n =
	    p->tiled ? TIFFNumberOfTiles(w->in) : TIFFNumberOfStrips(w->in);
	tmsize_t size = p->tiled ? TIFFTileSize(w->in) : TIFFStripSize(w->in);

	/* Each has some bytes of the file. */
	if (n > w->from.in.n || size <= 0)
		return 0;
	if (detox_unpacked(w->d, (uint64_t)size * n, 0) == DETOX_REFUSED)
		return 0;
	w->room.n = 0;
	return buf_reserve(&w->room, (size_t)size) < 0 ? 0 : n;
}

enum outcome {
	PAGE_LOST = 0,
	PAGE_WRITTEN,
	PAGE_UNWRITTEN, /* the out file has begun it */
};

static enum outcome
copy_pieces(struct work *w, const struct page *p)
{
	uint32_t n = count_pieces(w, p);
	uint32_t decoded = 0;

	for (uint32_t i = 0; i < n; i++) {
		tmsize_t size = piece_size(w, p, i);

		if (size <= 0 || (size_t)size > w->room.size)
			return PAGE_UNWRITTEN;
		if (read_piece(w, p, i, size))
			decoded++;
		if (!write_piece(w, p, i, size))
			return PAGE_UNWRITTEN;
	}
	if (decoded < n)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	return decoded > 0 ? PAGE_WRITTEN : PAGE_LOST;
}

static enum outcome
copy_page(struct work *w, const struct page *p)
{
	set_size(w, p);
	set_compression(w, p);
	set_colours(w, p);
	if (set_pieces(w, p) == DETOX_REFUSED)
		return PAGE_UNWRITTEN;
	tiff_copy_tags(w->d, w->in, w->out);
	return copy_pieces(w, p);
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
draw(struct work *w, const struct page *p)
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

static enum outcome
draw_page(struct work *w, const struct page *p)
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
		return PAGE_LOST;
	set_size(w, &new);
	TIFFSetField(w->out, TIFFTAG_COMPRESSION, new.compression);
	TIFFSetField(w->out, TIFFTAG_EXTRASAMPLES, 1, &alpha);
	TIFFSetField(w->out, TIFFTAG_ROWSPERSTRIP, p->height);
	tiff_copy_tags(w->d, w->in, w->out);
	TIFFSetField(w->out, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
	return write_piece(
		   w, &new, 0, (tmsize_t)p->width * (tmsize_t)p->height * 4)
	    ? PAGE_WRITTEN
	    : PAGE_UNWRITTEN;
}

static enum detox_result
turn_page(struct work *w)
{
	struct page p;
	enum outcome outcome;

	tiff_report_tags(w->d, w->from.in, TIFFCurrentDirOffset(w->in));
	if (!read_page(w, &p)) {
		detox_removed(w->d, REMOVED_DAMAGED, "page", BYTES(""));
		return DETOX_REBUILT;
	}
	if (detox_pixels(w->d, p.width, p.height, 1) == DETOX_REFUSED ||
	    detox_pixels(w->d, 1, 1, w->pages + 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	outcome = has_to_be_drawn(&p) ? draw_page(w, &p) : copy_page(w, &p);
	if (detox_is_over(w->d))
		return DETOX_REFUSED;
	if (outcome == PAGE_UNWRITTEN)
		return detox_refuse(w->d, REFUSED_BROKEN,
		    "a TIFF page of compression %u that cannot be written",
		    p.compression);
	if (outcome == PAGE_LOST) {
		detox_removed(w->d, REMOVED_DAMAGED, "page", BYTES(""));
		TIFFFreeDirectory(w->out);
		(void)TIFFCreateDirectory(w->out);
		return DETOX_REBUILT;
	}
	w->pages++;
	return TIFFWriteDirectory(w->out) == 1
	    ? DETOX_REBUILT
	    : detox_refuse(w->d, REFUSED_SIZE, "a TIFF that is too large");
}

static enum detox_result
turn_pages(struct work *w)
{
	bool more = true;

	while (more) {
		if (turn_page(w) == DETOX_REFUSED)
			return DETOX_REFUSED;
		more = TIFFLastDirectory(w->in) == 0;
		if (more && TIFFReadDirectory(w->in) != 1) {
			detox_removed(w->d, REMOVED_DAMAGED, "page", BYTES(""));
			more = false;
		}
	}
	return w->pages > 0 ? DETOX_REBUILT
			    : detox_refuse(w->d, REFUSED_BROKEN,
				  "a TIFF without a page that can be decoded");
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct work w = { .d = d,
		.from = { .in = o->content,
		    .allocation_max = d->profile->tree_max },
		.to = { .out = &out->content,
		    .allocation_max = d->profile->tree_max } };
	enum detox_result result = DETOX_REFUSED;

	buf_init(&w.room, d->profile->tree_max);
	w.in = tiff_open(&w.from);
	w.out = tiff_open(&w.to);
	if (w.in == NULL || w.out == NULL)
		(void)detox_refuse(
		    d, REFUSED_BROKEN, "a TIFF with a broken head");
	else
		result = turn_pages(&w);
	if (w.out != NULL)
		TIFFClose(w.out);
	if (w.in != NULL)
		TIFFClose(w.in);
	buf_release(&w.room);
	return result;
}

static int
prepare(struct err *e)
{
	(void)e;
	tiff_be_quiet();
	return 0;
}

const struct detox_format tiff_format = {
	.name = "tiff",
	.types = MAGIC_BIT(MAGIC_TIFF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_TIFF),
	.prepare = prepare,
};
