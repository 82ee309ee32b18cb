/* SPDX-License-Identifier: Apache-2.0 */
/* chunks: a PNG's chunks, of which those that make the picture go on. */
#include <ctype.h>
#include <zlib.h>

#include "filters/image/image.h"
#include "filters/image/inside.h"
#include "filters/image/png.h"

#define IHDR_SIZE 13

enum use {
	USE_PICTURE,
	USE_FRAME,
	USE_NONE,
};

static const struct {
	const char *name;
	enum use use;
	enum detox_removal what; /* of what is not used */
} known[] = {
	{ .name = "IHDR" },
	{ .name = "PLTE" },
	{ .name = "IDAT" },
	{ .name = "tRNS" },
	{ .name = "gAMA" },
	{ .name = "cHRM" },
	{ .name = "sRGB" },
	{ .name = "iCCP" },
	{ .name = "pHYs" },
	{ .name = "bKGD" },
	{ .name = "sBIT" },
	{ "acTL", USE_FRAME, REMOVED_DAMAGED },
	{ "fcTL", USE_FRAME, REMOVED_DAMAGED },
	{ "fdAT", USE_FRAME, REMOVED_DAMAGED },
	{ "tEXt", USE_NONE, REMOVED_METADATA },
	{ "zTXt", USE_NONE, REMOVED_METADATA },
	{ "iTXt", USE_NONE, REMOVED_METADATA },
	{ "tIME", USE_NONE, REMOVED_METADATA },
	{ "eXIf", USE_NONE, REMOVED_METADATA },
	{ "sPLT", USE_NONE, REMOVED_CUSTOM },
	{ "hIST", USE_NONE, REMOVED_CUSTOM },
};

struct work {
	struct detox *d;
	struct bytes left;
	struct buf picture; /* the chunks that go on */
	struct png_frames frames;
	struct png_turned turned;
	unsigned parts;
	bool damaged;
	bool ended;
};

bool
png_chunk_is(const struct png_chunk *c, const char *name)
{
	return memcmp(c->name, name, 4) == 0;
}

bool
png_chunk_next(struct bytes *b, struct png_chunk *c)
{
	size_t n = image_big(*b, 0, 4);
	const uint8_t *p = b->p;

	if (b->n < 8)
		return false;
	bytes_take(b, 8);
	memcpy(c->name, p + 4, 4);
	c->damaged = n > b->n || b->n - n < 4;
	c->data = bytes_take(b, n < b->n ? n : b->n);
	if (!c->damaged)
		c->damaged = crc32(crc32(0, p + 4, 4), c->data.p,
				 (uInt)c->data.n) != image_big(*b, 0, 4);
	bytes_take(b, b->n < 4 ? b->n : 4);
	return true;
}

int
png_chunk_append(
    struct buf *out, const char *name, struct bytes prefix, struct bytes data)
{
	uint8_t head[8], sum[4];
	uLong crc;

	image_put_big(head, prefix.n + data.n, 4);
	memcpy(head + 4, name, 4);
	crc = crc32(0, head + 4, 4);
	/* Without bytes it would begin anew. */
	if (prefix.n > 0)
		crc = crc32(crc, prefix.p, (uInt)prefix.n);
	if (data.n > 0)
		crc = crc32(crc, data.p, (uInt)data.n);
	image_put_big(sum, crc, 4);
	return buf_append(out, (struct bytes){ head, 8 }) < 0 ||
		buf_append(out, prefix) < 0 || buf_append(out, data) < 0 ||
		buf_append(out, (struct bytes){ sum, 4 }) < 0
	    ? -1
	    : 0;
}

enum detox_result
png_head_append(struct detox *d, struct buf *out, struct bytes head)
{
	if (buf_append(out, PNG_SIGNATURE) < 0 ||
	    png_chunk_append(out, "IHDR", BYTES(""), head) < 0)
		return detox_refuse(d, REFUSED_SIZE, "a PNG is too large");
	return DETOX_REBUILT;
}

static enum detox_result
take_head(struct work *w, const struct png_chunk *c)
{
	uint64_t width = image_big(c->data, 0, 4);
	uint64_t height = image_big(c->data, 4, 4);

	if (w->frames.head.n > 0 || c->damaged || c->data.n != IHDR_SIZE)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a PNG with a broken IHDR");
	w->frames.head = c->data;
	w->frames.pixels = width * height;
	if (detox_pixels(w->d, width, height, 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return png_head_append(w->d, &w->picture, c->data);
}

/* What the picture is decoded from. */
static enum detox_result
take_picture(struct work *w, const struct png_chunk *c)
{
	static const char *const of_all[] = { "PLTE", "tRNS" };
	bool is_data = png_chunk_is(c, "IDAT");
	const char *name = (const char *)c->name;

	if (png_chunk_is(c, "IHDR"))
		return take_head(w, c);
	if (c->damaged && !is_data) {
		w->damaged = true;
		return DETOX_REBUILT;
	}
	w->damaged = w->damaged || c->damaged;
	w->frames.picture_begun = w->frames.picture_begun || is_data;
	if (png_chunk_append(&w->picture, name, BYTES(""), c->data) < 0)
		return detox_refuse(w->d, REFUSED_SIZE, "a PNG is too large");
	for (size_t i = 0; i < COUNT(of_all); i++)
		if (png_chunk_is(c, of_all[i]) &&
		    png_chunk_append(
			&w->frames.colours, name, BYTES(""), c->data) < 0)
			w->damaged = true;
	return DETOX_REBUILT;
}

static void
report(struct work *w, const struct png_chunk *c, enum detox_removal what)
{
	char name[5] = "";

	if (png_chunk_is(c, "eXIf")) {
		w->turned.orientation =
		    (uint8_t)image_exif_remove(w->d, c->data).orientation;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		name[i] = (char)(isalpha(c->name[i]) ? c->name[i] : '?');
	detox_removed(w->d, what, name, c->data);
}

static enum detox_result
take_chunk(struct work *w, const struct png_chunk *c)
{
	size_t i = 0;

	if (w->frames.head.n == 0 && !png_chunk_is(c, "IHDR"))
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a PNG that begins without IHDR");
	while (i < COUNT(known) && !png_chunk_is(c, known[i].name))
		i++;
	if (i == COUNT(known)) {
		report(w, c, REMOVED_UNKNOWN);
		return DETOX_REBUILT;
	}
	switch (known[i].use) {
	case USE_PICTURE:
		return take_picture(w, c);
	case USE_FRAME:
		return png_frames_take(w->d, &w->frames, c);
	case USE_NONE:
		report(w, c, known[i].what);
		break;
	}
	return DETOX_REBUILT;
}

static enum detox_result
take_chunks(struct work *w)
{
	struct png_chunk c;

	while (!w->ended && png_chunk_next(&w->left, &c)) {
		w->ended = png_chunk_is(&c, "IEND");
		if (image_part(w->d, &w->parts) == DETOX_REFUSED ||
		    (!w->ended && take_chunk(w, &c) == DETOX_REFUSED))
			return DETOX_REFUSED;
	}
	if (!w->ended)
		w->damaged = true;
	else if (w->left.n > 0)
		detox_removed(w->d, REMOVED_TRAILING, NULL, w->left);
	if (png_chunk_append(&w->picture, "IEND", BYTES(""), BYTES("")) < 0)
		return detox_refuse(w->d, REFUSED_SIZE, "a PNG is too large");
	return png_frames_end(w->d, &w->frames);
}

static enum detox_result
turn(struct work *w, struct detox_output *out)
{
	struct detox_output still = { 0 };
	enum detox_result result = DETOX_REFUSED;
	bool moves = w->frames.count > 0;

	buf_init(&still.content, w->d->profile->out_max);
	if (!png_turn(
		w->d, buf_bytes(&w->picture), &w->turned, moves ? &still : out))
		(void)detox_refuse(
		    w->d, REFUSED_BROKEN, "a PNG that cannot be decoded");
	else
		result = moves ? png_frames_write(w->d, &w->frames,
				     buf_bytes(&still.content), out)
			       : DETOX_REBUILT;
	buf_release(&still.content);
	if (w->damaged || w->turned.damaged)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	return result;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct work w = { .d = d, .left = o->content };
	enum detox_result result = DETOX_REFUSED;

	/* Chunks grow by nothing but a missing sum. */
	buf_init(&w.picture, o->content.n + 64);
	png_frames_init(&w.frames, d);
	bytes_take(&w.left, PNG_SIGNATURE.n);
	if (take_chunks(&w) == DETOX_REBUILT)
		result = turn(&w, out);
	png_frames_release(&w.frames);
	buf_release(&w.picture);
	return image_judge(d, result, out);
}

const struct detox_format png_format = {
	.name = "png",
	.types = MAGIC_BIT(MAGIC_PNG),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_PNG),
};
