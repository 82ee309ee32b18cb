/* SPDX-License-Identifier: Apache-2.0 */
/* gif: its frames decoded and written anew, row by row. */
#include <gif_lib.h>

#include "filters/image/image.h"
#include "filters/image/inside.h"

#define GREYS 256

struct work {
	struct detox *d;
	struct bytes left;
	struct detox_output *out;
	GifFileType *reader, *writer;
	ColorMapObject *greys; /* for what brings no palette */
	struct buf row;
	uint64_t pixels;
	uint64_t frames;
	unsigned parts;
	bool damaged;
	bool ended;
};

static int
read_bytes(GifFileType *g, GifByteType *to, int n)
{
	struct work *w = g->UserData;
	struct bytes b =
	    bytes_take(&w->left, (size_t)n < w->left.n ? (size_t)n : w->left.n);

	if (b.n > 0)
		memcpy(to, b.p, b.n);
	return (int)b.n;
}

static int
write_bytes(GifFileType *g, const GifByteType *from, int n)
{
	struct work *w = g->UserData;

	return detox_put(w->d, w->out, (struct bytes){ from, (size_t)n }) ==
		DETOX_REFUSED
	    ? 0
	    : n;
}

static bool
open_both(struct work *w)
{
	GifColorType grey[GREYS];

	for (size_t i = 0; i < GREYS; i++)
		grey[i] = (GifColorType){ (GifByteType)i, (GifByteType)i,
			(GifByteType)i };
	w->greys = GifMakeMapObject(GREYS, grey);
	w->reader = DGifOpen(w, read_bytes, NULL);
	w->writer = EGifOpen(w, write_bytes, NULL);
	return w->greys != NULL && w->reader != NULL && w->writer != NULL;
}

/* A canvas without a size has that of the first frame, which giflib does not
 * know yet: readers take the size of what they then see. */
static enum detox_result
write_screen(struct work *w)
{
	const GifFileType *r = w->reader;

	if (r->SWidth > 0 && r->SHeight > 0 &&
	    detox_pixels(w->d, (uint64_t)r->SWidth, (uint64_t)r->SHeight, 1) ==
		DETOX_REFUSED)
		return DETOX_REFUSED;
	EGifSetGifVersion(w->writer, true);
	w->writer->AspectByte = r->AspectByte;
	if (EGifPutScreenDesc(w->writer, r->SWidth, r->SHeight,
		r->SColorResolution, r->SBackGroundColor,
		r->SColorMap) == GIF_ERROR)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a GIF with a broken head");
	return DETOX_REBUILT;
}

static enum detox_result
begin_frame(struct work *w)
{
	const GifImageDesc *i = &w->reader->Image;
	const ColorMapObject *map = i->ColorMap;

	if (i->Width <= 0 || i->Height <= 0) {
		w->damaged = true;
		w->ended = true;
		return DETOX_REBUILT;
	}
	w->pixels += (uint64_t)i->Width * (uint64_t)i->Height;
	if (detox_pixels(w->d, w->pixels, 1, 1) == DETOX_REFUSED ||
	    detox_pixels(w->d, 1, 1, w->frames + 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (map == NULL && w->reader->SColorMap == NULL)
		map = w->greys;
	/* giflib forgets the one before when the next has none. */
	GifFreeMapObject(w->writer->Image.ColorMap);
	w->writer->Image.ColorMap = NULL;
	if (EGifPutImageDesc(w->writer, i->Left, i->Top, i->Width, i->Height,
		i->Interlace, map) == GIF_ERROR)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a GIF frame that cannot be written");
	w->row.n = 0;
	return buf_reserve(&w->row, (size_t)i->Width) < 0
	    ? detox_refuse(w->d, REFUSED_MEMORY, "a GIF with long rows")
	    : DETOX_REBUILT;
}

/* Rows are taken and given in the order of the file, so that an interlaced
 * frame stays one. What cannot be decoded is of the first colour. */
static enum detox_result
turn_frame(struct work *w)
{
	const int width = w->reader->Image.Width;
	const int height = w->reader->Image.Height;
	bool valid = true;

	for (int y = 0; y < height; y++) {
		memset(w->row.p, 0, (size_t)width);
		valid =
		    valid && DGifGetLine(w->reader, w->row.p, width) == GIF_OK;
		if (!valid && y == 0 && w->frames == 0)
			return detox_refuse(w->d, REFUSED_BROKEN,
			    "a GIF whose first frame cannot be decoded");
		if (EGifPutLine(w->writer, w->row.p, width) == GIF_ERROR)
			return detox_refuse(w->d, REFUSED_BROKEN,
			    "a GIF row that cannot be written");
	}
	w->damaged = w->damaged || !valid;
	w->ended = w->ended || !valid;
	w->frames++;
	return DETOX_REBUILT;
}

static enum detox_result
take_frame(struct work *w)
{
	if (DGifGetImageDesc(w->reader) == GIF_ERROR) {
		w->damaged = true;
		w->ended = true;
		return DETOX_REBUILT;
	}
	if (begin_frame(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return w->ended ? DETOX_REBUILT : turn_frame(w);
}

/* How long a frame is seen, how it goes, which colour is transparent. */
static bool
put_control(struct work *w, struct bytes b)
{
	uint8_t control[4];

	if (b.n != sizeof(control))
		return false;
	memcpy(control, b.p, sizeof(control));
	/* Not that it waits for a key. */
	control[0] &= 0x1d;
	return EGifPutExtension(w->writer, GRAPHICS_EXT_FUNC_CODE,
		   sizeof(control), control) == GIF_OK;
}

/* How often it is shown; sub: the block behind the name. */
static bool
put_loops(struct work *w, struct bytes sub)
{
	uint8_t loops[3];

	if (sub.n != sizeof(loops) || sub.p[0] != 1)
		return false;
	memcpy(loops, sub.p, sizeof(loops));
	return EGifPutExtensionLeader(w->writer, APPLICATION_EXT_FUNC_CODE) ==
	    GIF_OK &&
	    EGifPutExtensionBlock(w->writer, 11, "NETSCAPE2.0") == GIF_OK &&
	    EGifPutExtensionBlock(w->writer, 3, loops) == GIF_OK &&
	    EGifPutExtensionTrailer(w->writer) == GIF_OK;
}

static bool
is_loops(int code, struct bytes b)
{
	return code == APPLICATION_EXT_FUNC_CODE &&
	    (bytes_equal(b, BYTES("NETSCAPE2.0")) ||
		bytes_equal(b, BYTES("ANIMEXTS1.0")));
}

static void
report(struct detox *d, int code, struct bytes b)
{
	if (code == COMMENT_EXT_FUNC_CODE)
		detox_removed(d, REMOVED_METADATA, "comment", b);
	else if (code == PLAINTEXT_EXT_FUNC_CODE)
		detox_removed(d, REMOVED_UNKNOWN, "plain text", b);
	else if (code != APPLICATION_EXT_FUNC_CODE)
		detox_removed(d, REMOVED_UNKNOWN, "extension", b);
	else if (bytes_equal(b, BYTES("XMP DataXMP")))
		detox_removed(d, REMOVED_METADATA, "XMP", BYTES(""));
	else
		detox_removed(d, REMOVED_CUSTOM, "application", b);
}

/* A block begins with its length; none gives none. */
static struct bytes
block_of(const GifByteType *p)
{
	return p == NULL ? (struct bytes){ 0 } : (struct bytes){ p + 1, p[0] };
}

static void
take_extension(struct work *w)
{
	GifByteType *p = NULL;
	bool loops, kept = false;
	int code;

	if (DGifGetExtension(w->reader, &code, &p) == GIF_ERROR)
		goto damaged;
	loops = is_loops(code, block_of(p));
	if (code == GRAPHICS_EXT_FUNC_CODE)
		kept = put_control(w, block_of(p));
	else if (!loops)
		report(w->d, code, block_of(p));
	while (p != NULL) {
		if (DGifGetExtensionNext(w->reader, &p) == GIF_ERROR)
			goto damaged;
		if (loops && !kept)
			kept = put_loops(w, block_of(p));
	}
	return;
damaged:
	w->damaged = true;
	w->ended = true;
}

static enum detox_result
take_records(struct work *w)
{
	GifRecordType type;

	while (!w->ended) {
		if (DGifGetRecordType(w->reader, &type) == GIF_ERROR) {
			w->damaged = true;
			break;
		}
		if (type == TERMINATE_RECORD_TYPE)
			break;
		if (image_part(w->d, &w->parts) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (type == EXTENSION_RECORD_TYPE)
			take_extension(w);
		else if (type == IMAGE_DESC_RECORD_TYPE &&
		    take_frame(w) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (detox_is_over(w->d))
			return DETOX_REFUSED;
	}
	if (w->frames == 0)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a GIF without a frame");
	if (w->damaged)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	if (w->left.n > 0)
		detox_removed(w->d, REMOVED_TRAILING, NULL, w->left);
	return DETOX_REBUILT;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct work w = { .d = d, .left = o->content, .out = out };
	enum detox_result result = DETOX_REFUSED;

	buf_init(&w.row, UINT16_MAX);
	if (!open_both(&w))
		(void)detox_refuse(
		    d, REFUSED_BROKEN, "a GIF with a broken head");
	else if (write_screen(&w) == DETOX_REBUILT)
		result = take_records(&w);
	/* The writer ends the file. */
	if (w.writer != NULL && EGifCloseFile(w.writer, NULL) == GIF_ERROR &&
	    result == DETOX_REBUILT)
		result = detox_refuse(
		    d, REFUSED_BROKEN, "a GIF that cannot be written");
	if (w.reader != NULL)
		(void)DGifCloseFile(w.reader, NULL);
	GifFreeMapObject(w.greys);
	buf_release(&w.row);
	return image_judge(d, result, out);
}

const struct detox_format gif_format = {
	.name = "gif",
	.types = MAGIC_BIT(MAGIC_GIF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_GIF),
};
