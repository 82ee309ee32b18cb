/* SPDX-License-Identifier: Apache-2.0 */
/* webp: RFC 9649. The bitstreams are decoded to prove that they can be, and
 * put into a container made anew. */
#include <ctype.h>
#include <webp/decode.h>

#include "filters/image/image.h"
#include "filters/image/inside.h"
#include "filters/image/webp.h"

#define FRAME_HEAD 16
#define EXTENDED_SIZE 10
struct chunk {
	struct bytes name;
	struct bytes data;
	bool cut;
};

struct work {
	struct detox *d;
	struct detox_output *out;
	bool extended;
	uint64_t width, height; /* of the canvas */
	struct bytes animation; /* ANIM's data */
	struct buf icc;
	struct webp_image still;
	struct buf frames; /* ANMF, as chunks */
	bool has_alpha;
	unsigned orientation; /* 0, 1: as it is */
	uint64_t count;
	uint64_t pixels;
	unsigned parts;
	uint64_t decoded; /* pixels, as often as they were */
	bool damaged;
};

static bool
is(const struct chunk *c, const char *name)
{
	return memcmp(c->name.p, name, 4) == 0;
}

static bool
next_chunk(struct bytes *b, struct chunk *c)
{
	size_t n = image_little(*b, 4, 4);

	if (b->n < 8)
		return false;
	c->name = bytes_take(b, 4);
	bytes_take(b, 4);
	c->cut = n > b->n;
	c->data = bytes_take(b, c->cut ? b->n : n);
	bytes_take(b, b->n < (n & 1) ? b->n : (n & 1));
	return true;
}

static void
report(struct detox *d, const struct chunk *c)
{
	char name[5] = "";

	for (size_t i = 0; i < 4; i++)
		name[i] = (char)(isalnum(c->name.p[i]) ? c->name.p[i]
			: c->name.p[i] == ' '          ? '\0'
						       : '?');
	if (is(c, "XMP "))
		detox_removed(d, REMOVED_METADATA, name, c->data);
	else
		detox_removed(d, REMOVED_UNKNOWN, name, c->data);
}

/* A part of an image; false: the chunk is something else. */
static bool
take_part(struct work *w, struct webp_image *i, const struct chunk *c)
{
	bool lossless = is(c, "VP8L");

	if (is(c, "ALPH") && i->stream.p == NULL && i->alpha.p == NULL) {
		i->alpha = c->data;
	} else if ((lossless || is(c, "VP8 ")) && i->stream.p == NULL) {
		i->stream = c->data;
		i->lossless = lossless;
		/* Then it is in the stream. */
		if (lossless)
			i->alpha = (struct bytes){ 0 };
	} else {
		return false;
	}
	w->damaged = w->damaged || c->cut;
	return true;
}

/* Where it stands, its size, how long, how it goes: then its image. */
static enum detox_result
take_frame(struct work *w, struct bytes b)
{
	uint64_t x = image_little(b, 0, 3) * 2, y = image_little(b, 3, 3) * 2;
	uint64_t width = image_little(b, 6, 3) + 1;
	uint64_t height = image_little(b, 9, 3) + 1;
	uint8_t head[FRAME_HEAD];
	struct webp_image i = { 0 };
	struct chunk c;
	struct buf data;
	int failed;

	if (b.n < FRAME_HEAD || x + width > w->width ||
	    y + height > w->height) {
		w->damaged = true;
		return DETOX_REBUILT;
	}
	memcpy(head, bytes_take(&b, FRAME_HEAD).p, FRAME_HEAD);
	head[FRAME_HEAD - 1] &= 3;
	while (next_chunk(&b, &c)) {
		if (image_part(w->d, &w->parts) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (!take_part(w, &i, &c))
			report(w->d, &c);
	}
	w->pixels += width * height;
	if (detox_pixels(w->d, w->pixels, 1, 1) == DETOX_REFUSED ||
	    detox_pixels(w->d, 1, 1, w->count + 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (webp_prove(w->d, &i, width, height, &w->decoded) == WEBP_LOST) {
		w->damaged = true;
		return detox_is_over(w->d) ? DETOX_REFUSED : DETOX_REBUILT;
	}
	w->count++;
	w->has_alpha = w->has_alpha || i.has_alpha;
	buf_init(&data, w->d->profile->in_max + 100);
	failed = buf_append(&data, (struct bytes){ head, FRAME_HEAD }) < 0 ||
	    webp_append_image(&data, &i) < 0 ||
	    webp_append_chunk(&w->frames, "ANMF", buf_bytes(&data)) < 0;
	buf_release(&data);
	return failed ? detox_refuse(w->d, REFUSED_SIZE, "a WebP is too large")
		      : DETOX_REBUILT;
}

static enum detox_result
take_extended(struct work *w, struct bytes b)
{
	w->extended = true;
	w->width = image_little(b, 4, 3) + 1;
	w->height = image_little(b, 7, 3) + 1;
	if (b.n < EXTENDED_SIZE)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a WebP with a broken head");
	return detox_pixels(w->d, w->width, w->height, 1);
}

/* Some begin it as in a JPEG. */
static void
take_exif(struct work *w, struct bytes b)
{
	if (bytes_start_with(b, BYTES("Exif\0\0")))
		bytes_take(&b, 6);
	w->orientation = image_exif_remove(w->d, b).orientation;
}

static enum detox_result
take_chunk(struct work *w, const struct chunk *c, bool first)
{
	if (is(c, "VP8X") && first)
		return take_extended(w, c->data);
	if (is(c, "ANMF") && w->animation.p != NULL)
		return take_frame(w, c->data);
	if (is(c, "ANIM") && w->animation.p == NULL && w->extended &&
	    c->data.n == 6)
		w->animation = c->data;
	else if (is(c, "ICCP") && w->icc.n == 0)
		(void)image_icc(w->d, c->data, "RGB ", &w->icc);
	else if (is(c, "EXIF"))
		take_exif(w, c->data);
	else if (!take_part(w, &w->still, c))
		report(w->d, c);
	return DETOX_REBUILT;
}

static enum detox_result
take_chunks(struct work *w, struct bytes content)
{
	size_t n = image_little(content, 4, 4);
	struct bytes b = content;
	struct chunk c;
	bool first = true;

	bytes_take(&b, 8);
	if (n > b.n)
		w->damaged = true;
	b = bytes_take(&b, n < b.n ? n : b.n);
	content.p += 8 + b.n;
	content.n -= 8 + b.n;
	if (content.n > 0)
		detox_removed(w->d, REMOVED_TRAILING, NULL, content);
	bytes_take(&b, b.n < 4 ? b.n : 4);
	for (; next_chunk(&b, &c); first = false)
		if (image_part(w->d, &w->parts) == DETOX_REFUSED ||
		    take_chunk(w, &c, first) == DETOX_REFUSED)
			return DETOX_REFUSED;
	return DETOX_REBUILT;
}

/* A still picture's size is in its stream: what proves it counts first. */
static enum detox_result
judge_still(struct work *w)
{
	WebPBitstreamFeatures f;

	if (w->still.stream.p == NULL ||
	    WebPGetFeatures(w->still.stream.p, w->still.stream.n, &f) !=
		VP8_STATUS_OK ||
	    f.width <= 0 || f.height <= 0)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a WebP without a picture");
	w->width = (uint64_t)f.width;
	w->height = (uint64_t)f.height;
	if (detox_pixels(w->d, w->width, w->height, 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (webp_prove(w->d, &w->still, w->width, w->height, &w->decoded) ==
	    WEBP_LOST)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a WebP that cannot be decoded");
	w->has_alpha = w->still.has_alpha;
	return DETOX_REBUILT;
}

static int
append_frames(struct work *w, struct buf *out)
{
	return webp_append_chunk(out, "ANIM", w->animation) < 0
	    ? -1
	    : buf_append(out, buf_bytes(&w->frames));
}

static int
append_exif(struct work *w, struct buf *out)
{
	uint8_t exif[IMAGE_EXIF_SIZE];

	image_exif_write(exif, w->orientation);
	return webp_append_chunk(
	    out, "EXIF", (struct bytes){ exif, sizeof(exif) });
}

static int
append_all(struct work *w, struct buf *out)
{
	bool moves = w->count > 0;
	bool turned = w->orientation > 1;
	unsigned flags = (moves ? WEBP_FLAG_ANIMATION : 0u) |
	    (w->has_alpha ? WEBP_FLAG_ALPHA : 0u) |
	    (w->icc.n > 0 ? WEBP_FLAG_ICC : 0u) |
	    (turned ? WEBP_FLAG_EXIF : 0u);

	if (((flags & ~(unsigned)WEBP_FLAG_ALPHA) != 0 ||
		w->still.alpha.p != NULL) &&
	    webp_append_extended(out, flags, w->width, w->height) < 0)
		return -1;
	if (w->icc.n > 0 &&
	    webp_append_chunk(out, "ICCP", buf_bytes(&w->icc)) < 0)
		return -1;
	if ((moves ? append_frames(w, out)
		   : webp_append_image(out, &w->still)) < 0)
		return -1;
	return turned ? append_exif(w, out) : 0;
}

static enum detox_result
write_all(struct work *w)
{
	struct buf *out = &w->out->content;

	if (w->count == 0 && judge_still(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (webp_begin_file(out) < 0 || append_all(w, out) < 0)
		return detox_refuse(w->d, REFUSED_SIZE, "a WebP is too large");
	webp_end_file(out);
	if (w->damaged)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	return DETOX_REBUILT;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct work w = { .d = d, .out = out };
	enum detox_result result = DETOX_REFUSED;

	buf_init(&w.icc, IMAGE_ICC_MAX);
	buf_init(&w.frames, d->profile->out_max);
	if (o->content.n < 12)
		(void)detox_refuse(d, REFUSED_BROKEN, "a WebP without a head");
	else if (take_chunks(&w, o->content) == DETOX_REBUILT)
		result = write_all(&w);
	buf_release(&w.icc);
	buf_release(&w.frames);
	return image_judge(d, result, out);
}

const struct detox_format webp_format = {
	.name = "webp",
	.types = MAGIC_BIT(MAGIC_WEBP),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_WEBP),
};
