/* SPDX-License-Identifier: Apache-2.0 */
/* xls_drawing: what a sheet draws is one stream in many records, cut anywhere:
 * it is looked at as a whole, and put back where it was. */
#include "filters/ole/le.h"
#include "filters/ole/link.h"
#include "filters/ole/xls_change.h"

#define CONTINUED 0x3c
#define GROUP 0xeb
#define DRAWING 0xec
#define OBJECT 0x5d
#define TEXT_BOX 0x1b6
#define FRAME 0x1066 /* how a part of a chart is filled */
#define DEPTH_MAX 8

/* Of the substream from `at` on the pieces of one stream, of those that are so
 * many substreams within each other. */
struct walk {
	const struct xls *x;
	size_t at, depth, deepest;
	size_t wanted;
	bool frames;   /* of FRAME, and not of DRAWING */
	bool goes_on;  /* what continues is of the stream */
	unsigned text; /* records that are a text box's own come first */
};

/* Whether all of the record is of the stream. */
static bool
is_piece(const struct walk *w, const struct xls_record *r)
{
	return w->frames ? r->type == FRAME
			 : r->type == GROUP || r->type == DRAWING;
}

/* A drawing also goes on behind what belongs to its shapes: an object, a text
 * and a chart. */
static void
begin_piece(struct walk *w, const struct xls_record *r)
{
	w->text = 0;
	w->goes_on = is_piece(w, r) ||
	    (!w->frames &&
		(r->type == TEXT_BOX || r->type == OBJECT ||
		    r->type == XLS_END));
	if (r->type == TEXT_BOX && r->n >= 14)
		w->text = (le16(r->p + 10) > 0 ? 1u : 0) +
		    (le16(r->p + 12) > 0 ? 1u : 0);
}

static bool
next_piece(struct walk *w, struct xls_record *r)
{
	while (xls_next(w->x, &w->at, r)) {
		if (r->type == XLS_BOF && ++w->depth > w->deepest)
			w->deepest = w->depth;
		if (r->type == XLS_END && (w->depth == 0 || --w->depth == 0))
			return false;
		if (w->depth != w->wanted)
			continue;
		if (r->type != CONTINUED) {
			begin_piece(w, r);
			if (is_piece(w, r))
				return true;
		} else if (w->text > 0) {
			w->text--;
		} else if (w->goes_on) {
			return true;
		}
	}
	return false;
}

static void
clean_stream(struct xls *x, size_t at, size_t wanted, bool frames)
{
	struct walk begin = {
		.x = x, .at = at, .wanted = wanted, .frames = frames
	};
	struct walk w = begin;
	struct xls_record r;
	struct buf joined;
	struct bytes rest;

	buf_init(&joined, x->in.n);
	while (next_piece(&w, &r))
		if (buf_append(&joined, (struct bytes){ r.p, r.n }) < 0)
			break;
	if (joined.n > 0) {
		link_clean_art(x->d, joined.p, joined.n, "drawing");
		link_clean(x->d, joined.p, joined.n, "drawing");
	}
	rest = buf_bytes(&joined);
	w = begin;
	while (rest.n > 0 && next_piece(&w, &r) && r.n <= rest.n)
		if (r.n > 0)
			memcpy(r.p, bytes_take(&rest, r.n).p, r.n);
	buf_release(&joined);
}

void
xls_clean_drawings(struct xls *x, size_t at)
{
	struct walk all = { .x = x, .at = at };
	struct xls_record r;

	while (next_piece(&all, &r))
		;
	for (size_t i = 1; i <= all.deepest && i <= DEPTH_MAX; i++) {
		clean_stream(x, at, i, false);
		clean_stream(x, at, i, true);
	}
}
