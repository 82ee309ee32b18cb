/* SPDX-License-Identifier: Apache-2.0 */
/* icon: ICO and CUR: a list of pictures, each a PNG, or a BMP without its
 * file's head and with a mask below its rows. */
#include "filters/image/bmp.h"
#include "filters/image/image.h"
#include "filters/image/inside.h"
#include "filters/image/png.h"

#define HEAD_SIZE 6
#define ENTRY_SIZE 16
#define ENTRIES_MAX 256

struct work {
	struct detox *d;
	struct bytes in;
	struct buf list; /* the entries that stay */
	struct buf data; /* and their pictures */
	size_t count;
	uint64_t pixels;
};

/* Its head says twice the height, for the mask; what is not there of that is
 * empty, and hides nothing. */
static enum detox_result
turn_bitmap(struct work *w, struct bytes in, struct detox_output *out)
{
	struct detox *d = w->d;
	struct bmp *b = ARENA_NEW(&d->arena, struct bmp);
	uint64_t width, height;
	size_t colours, rows;

	if (bmp_read_head(d, b, in) == DETOX_REFUSED)
		return DETOX_REFUSED;
	width = (uint64_t)b->width;
	height = (uint64_t)b->height / 2;
	w->pixels += width * height;
	if (b->compression != 0 || height == 0)
		return detox_refuse(
		    d, REFUSED_BROKEN, "an icon of an unknown kind");
	if (detox_pixels(d, width, height, 1) == DETOX_REFUSED ||
	    detox_pixels(d, w->pixels, 1, 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	colours = bmp_colours(b);
	bmp_read_colours(b, in, in.n);
	bytes_take(&in, b->head_size + colours * b->colour_size);
	rows = bmp_stride(width, b->depth) * height;
	if (in.n < rows)
		detox_removed(d, REMOVED_DAMAGED, "picture data", BYTES(""));
	if (bmp_put_head(d, b, out) == DETOX_REFUSED ||
	    bmp_put_rows(d, in, width, height, b->depth, out) == DETOX_REFUSED)
		return DETOX_REFUSED;
	bytes_take(&in, rows);
	return bmp_put_rows(d, in, width, height, 1, out);
}

static enum detox_result
keep(struct work *w, const uint8_t *entry, struct bytes picture)
{
	uint8_t new[ENTRY_SIZE];

	memcpy(new, entry, 8);
	new[3] = 0;
	image_put_little(new + 8, picture.n, 4);
	image_put_little(new + 12, w->data.n, 4); /* moved at the end */
	if (buf_append(&w->list, (struct bytes){ new, ENTRY_SIZE }) < 0 ||
	    buf_append(&w->data, picture) < 0)
		return detox_refuse(w->d, REFUSED_SIZE, "an icon is too large");
	w->count++;
	return DETOX_REBUILT;
}

static enum detox_result
take_entry(struct work *w, size_t i)
{
	const uint8_t *entry = w->in.p + HEAD_SIZE + i * ENTRY_SIZE;
	size_t at = image_little(w->in, HEAD_SIZE + i * ENTRY_SIZE + 12, 4);
	size_t n = image_little(w->in, HEAD_SIZE + i * ENTRY_SIZE + 8, 4);
	struct detox_object o = { .content = w->in };
	struct detox_output out = { 0 };
	enum detox_result result;
	char where[24];

	snprintf(where, sizeof(where), "picture %zu", i + 1);
	bytes_take(&o.content, at < w->in.n ? at : w->in.n);
	o.content = bytes_take(&o.content, n);
	if (o.content.n == 0) {
		detox_removed(w->d, REMOVED_DAMAGED, where, BYTES(""));
		return DETOX_REBUILT;
	}
	if (bytes_start_with(o.content, PNG_SIGNATURE)) {
		result = detox_inside(w->d, where, &o, &out);
	} else {
		buf_init(&out.content, w->d->profile->out_max);
		result = turn_bitmap(w, o.content, &out);
	}
	if (result == DETOX_REBUILT)
		result = keep(w, entry, buf_bytes(&out.content));
	buf_release(&out.content);
	/* What cannot be kept is left out, and was reported. */
	return result == DETOX_REFUSED && detox_is_over(w->d) ? DETOX_REFUSED
							      : DETOX_REBUILT;
}

static enum detox_result
write_all(struct work *w, struct detox_output *out)
{
	uint8_t head[HEAD_SIZE] = { 0, 0, w->in.p[2] };
	size_t pictures = HEAD_SIZE + w->list.n;

	if (w->count == 0)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "an icon without a picture");
	image_put_little(head + 4, w->count, 2);
	for (size_t i = 0; i < w->count; i++) {
		size_t at = i * ENTRY_SIZE + 12;

		image_put_little(w->list.p + at,
		    image_little(buf_bytes(&w->list), at, 4) + pictures, 4);
	}
	if (detox_put(w->d, out, (struct bytes){ head, HEAD_SIZE }) ==
		DETOX_REFUSED ||
	    detox_put(w->d, out, buf_bytes(&w->list)) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return detox_put(w->d, out, buf_bytes(&w->data));
}

static enum detox_result
take_entries(struct work *w)
{
	size_t n = image_little(w->in, 4, 2);

	if (n > ENTRIES_MAX || n > w->d->profile->frames_max)
		return detox_refuse(w->d, REFUSED_PIXELS,
		    "an icon of more than %u pictures", ENTRIES_MAX);
	if (w->in.n < HEAD_SIZE + n * ENTRY_SIZE)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "an icon whose list is cut short");
	for (size_t i = 0; i < n; i++)
		if (take_entry(w, i) == DETOX_REFUSED)
			return DETOX_REFUSED;
	return DETOX_REBUILT;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct work w = { .d = d, .in = o->content };
	enum detox_result result = DETOX_REFUSED;

	buf_init(&w.list, ENTRIES_MAX * ENTRY_SIZE);
	buf_init(&w.data, d->profile->out_max);
	if (take_entries(&w) == DETOX_REBUILT)
		result = write_all(&w, out);
	buf_release(&w.list);
	buf_release(&w.data);
	return image_judge(d, result, out);
}

const struct detox_format icon_format = {
	.name = "icon",
	.types = MAGIC_BIT(MAGIC_ICON),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_ICON),
};
