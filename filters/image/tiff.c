/* SPDX-License-Identifier: Apache-2.0 */
/* tiff: its pages, one after the other. */
#include "filters/image/tiff.h"

#include "filters/image/image.h"
#include "filters/image/inside.h"

static enum detox_result
turn_page(struct tiff_work *w)
{
	enum tiff_outcome outcome;

	tiff_report_tags(w->d, w->from.in, TIFFCurrentDirOffset(w->in));
	if (detox_pixels(w->d, 1, 1, w->pages + 1) == DETOX_REFUSED)
		return DETOX_REFUSED;
	outcome = tiff_turn_page(w);
	if (detox_is_over(w->d))
		return DETOX_REFUSED;
	if (outcome == TIFF_PAGE_LOST) {
		detox_removed(w->d, REMOVED_DAMAGED, "page", BYTES(""));
		return DETOX_REBUILT;
	}
	if (outcome == TIFF_PAGE_UNWRITTEN)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "a TIFF page that cannot be written");
	w->pages++;
	return TIFFWriteDirectory(w->out) == 1
	    ? DETOX_REBUILT
	    : detox_refuse(w->d, REFUSED_SIZE, "a TIFF that is too large");
}

static enum detox_result
turn_pages(struct tiff_work *w)
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
	struct tiff_work w = { .d = d,
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
	return image_judge(d, result, out);
}

/* The first time that libtiff sorts its tags, the C library asks the system how
 * much memory there is, which it may not do later. */
static int
prepare(struct err *e)
{
	struct buf b;
	struct tiff_file f = { .out = &b, .allocation_max = 1 << 20 };
	TIFF *t;

	tiff_be_quiet();
	buf_init(&b, 1 << 20);
	t = tiff_open(&f);
	if (t != NULL)
		TIFFClose(t);
	buf_release(&b);
	return t == NULL ? err_set(e, "libtiff does not begin a file") : 0;
}

const struct detox_format tiff_format = {
	.name = "tiff",
	.types = MAGIC_BIT(MAGIC_TIFF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_TIFF),
	.prepare = prepare,
};
