/* SPDX-License-Identifier: Apache-2.0 */
/* frames: the animation of a PNG. */
#include "filters/image/inside.h"
#include "filters/image/png.h"

#define CONTROL_SIZE 26

void
png_frames_init(struct png_frames *f, const struct detox *d)
{
	/* PLTE and tRNS once, with their heads. */
	buf_init(&f->colours, 3 * 256 + 256 + 2 * 12);
	buf_init(&f->data, d->profile->in_max);
	buf_init(&f->first, d->profile->out_max);
	buf_init(&f->out, d->profile->out_max);
}

void
png_frames_release(struct png_frames *f)
{
	buf_release(&f->colours);
	buf_release(&f->data);
	buf_release(&f->first);
	buf_release(&f->out);
}

static enum detox_result
refuse_size(struct detox *d)
{
	return detox_refuse(d, REFUSED_SIZE, "an animated PNG is too large");
}

static enum detox_result
append_control(struct detox *d, struct png_frames *f, struct buf *out)
{
	uint8_t sequence[4];
	struct bytes rest = f->control;

	bytes_take(&rest, 4);
	image_put_big(sequence, f->sequence++, 4);
	f->count++;
	return png_chunk_append(
		   out, "fcTL", (struct bytes){ sequence, 4 }, rest) < 0
	    ? refuse_size(d)
	    : DETOX_REBUILT;
}

/* The data of a picture, as that of a frame. */
static enum detox_result
append_data(struct detox *d, struct png_frames *f, struct bytes png)
{
	struct png_chunk c;
	uint8_t sequence[4];

	bytes_take(&png, PNG_SIGNATURE.n);
	while (png_chunk_next(&png, &c)) {
		if (!png_chunk_is(&c, "IDAT"))
			continue;
		image_put_big(sequence, f->sequence++, 4);
		if (png_chunk_append(&f->out, "fdAT",
			(struct bytes){ sequence, 4 }, c.data) < 0)
			return refuse_size(d);
	}
	return DETOX_REBUILT;
}

static enum detox_result
end_frame(struct detox *d, struct png_frames *f)
{
	struct detox_output o = { 0 };
	struct png_turned t = { 0 };
	enum detox_result result = DETOX_REBUILT;

	if (!f->open)
		return DETOX_REBUILT;
	f->open = false;
	buf_init(&o.content, d->profile->out_max);
	if (png_chunk_append(&f->data, "IEND", BYTES(""), BYTES("")) < 0)
		result = refuse_size(d);
	else if (!png_turn(d, buf_bytes(&f->data), &t, &o))
		t.damaged = true;
	else if (append_control(d, f, &f->out) == DETOX_REFUSED ||
	    append_data(d, f, buf_bytes(&o.content)) == DETOX_REFUSED)
		result = DETOX_REFUSED;
	if (t.damaged)
		detox_removed(d, REMOVED_DAMAGED, "frame", BYTES(""));
	buf_release(&o.content);
	return detox_is_over(d) ? DETOX_REFUSED : result;
}

static bool
is_valid(const struct png_frames *f, struct bytes control)
{
	uint64_t width = image_big(control, 4, 4);
	uint64_t height = image_big(control, 8, 4);

	return control.n == CONTROL_SIZE && width > 0 && height > 0 &&
	    image_big(control, 12, 4) + width <= image_big(f->head, 0, 4) &&
	    image_big(control, 16, 4) + height <= image_big(f->head, 4, 4) &&
	    control.p[24] <= 2 && control.p[25] <= 1;
}

static enum detox_result
begin_frame(struct detox *d, struct png_frames *f, struct bytes control)
{
	uint8_t head[13];

	f->pixels += image_big(control, 4, 4) * image_big(control, 8, 4);
	if (detox_pixels(d, f->pixels, 1, 1) == DETOX_REFUSED ||
	    detox_pixels(d, 1, 1, f->count + 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	f->control = control;
	if (!f->picture_begun) {
		f->first_is_picture = true;
		return append_control(d, f, &f->first);
	}
	f->open = true;
	f->data.n = 0;
	memcpy(head, f->head.p, sizeof(head));
	memcpy(head, control.p + 4, 8);
	if (png_head_append(d, &f->data,
		(struct bytes){ head, sizeof(head) }) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return buf_append(&f->data, buf_bytes(&f->colours)) < 0 ? refuse_size(d)
								: DETOX_REBUILT;
}

static enum detox_result
take_data(struct detox *d, struct png_frames *f, struct bytes data)
{
	if (!f->open || data.n < 4)
		return DETOX_REBUILT;
	bytes_take(&data, 4);
	return png_chunk_append(&f->data, "IDAT", BYTES(""), data) < 0
	    ? refuse_size(d)
	    : DETOX_REBUILT;
}

enum detox_result
png_frames_take(
    struct detox *d, struct png_frames *f, const struct png_chunk *c)
{
	if (png_chunk_is(c, "acTL")) {
		f->animated = !f->picture_begun && c->data.n == 8;
		f->loops = (uint32_t)image_big(c->data, 4, 4);
		return DETOX_REBUILT;
	}
	if (png_chunk_is(c, "fdAT") && f->animated)
		return take_data(d, f, c->data);
	if (!f->animated || c->damaged || !is_valid(f, c->data) ||
	    (!f->picture_begun && f->first_is_picture)) {
		detox_removed(d, REMOVED_DAMAGED, "frame", BYTES(""));
		return end_frame(d, f);
	}
	if (end_frame(d, f) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return begin_frame(d, f, c->data);
}

enum detox_result
png_frames_end(struct detox *d, struct png_frames *f)
{
	return end_frame(d, f);
}

static enum detox_result
put_control(struct detox *d, const struct png_frames *f, struct detox_output *o)
{
	uint8_t data[8];

	image_put_big(data, f->count, 4);
	image_put_big(data + 4, f->loops, 4);
	return png_chunk_append(&o->content, "acTL", BYTES(""),
		   (struct bytes){ data, sizeof(data) }) < 0
	    ? refuse_size(d)
	    : DETOX_REBUILT;
}

/* acTL behind IHDR, the first fcTL before the data, the others behind it. */
enum detox_result
png_frames_write(struct detox *d, struct png_frames *f, struct bytes picture,
    struct detox_output *out)
{
	struct png_chunk c;
	struct bytes from;
	bool data = false;

	if (detox_put(d, out, bytes_take(&picture, PNG_SIGNATURE.n)) ==
	    DETOX_REFUSED)
		return DETOX_REFUSED;
	while (from = picture, png_chunk_next(&picture, &c)) {
		from.n -= picture.n;
		if (!data && png_chunk_is(&c, "IDAT")) {
			data = true;
			if (detox_put(d, out, buf_bytes(&f->first)) ==
			    DETOX_REFUSED)
				return DETOX_REFUSED;
		}
		if (png_chunk_is(&c, "IEND") &&
		    detox_put(d, out, buf_bytes(&f->out)) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (detox_put(d, out, from) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (png_chunk_is(&c, "IHDR") &&
		    put_control(d, f, out) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}
