/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/drive.h"

#define ROOM 65536

/* One piece, and what FILTER_MORE asks for. */
static enum filter_verdict
push_piece(struct filter *f, struct bytes piece, bool last, struct buf *room,
    struct buf *out)
{
	enum filter_verdict v = FILTER_MORE;

	if (f->type->phase == FILTER_JUDGE) {
		v = filter_push(f, piece, last, NULL);
		must(v != FILTER_MORE);
		return v;
	}
	while (v == FILTER_MORE) {
		room->n = 0;
		v = filter_push(f, piece, last, room);
		must(v != FILTER_MORE || room->n > 0);
		must(v != FILTER_REFUSE || room->n == 0);
		must(buf_append(out, buf_bytes(room)) == 0);
		piece = (struct bytes){ 0 };
	}
	return v;
}

void
drive_filter(const struct drive *d, struct bytes body, struct buf *out,
    const char **why_out)
{
	struct filter *f = filter_new(d->type, d->settings);
	enum filter_verdict v = FILTER_GO;
	bool last = false;
	struct buf room;

	buf_init(&room, d->room == 0 ? ROOM : d->room);
	for (size_t i = 0; v == FILTER_GO && !last; i++) {
		size_t n = d->piece != 0 ? d->piece : i == 0 ? d->cut : body.n;
		struct bytes piece = bytes_take(&body, n < body.n ? n : body.n);

		last = body.n == 0 && (d->piece != 0 || i > 0);
		v = push_piece(f, piece, last, &room, out);
	}
	*why_out = f->why;
	must((v == FILTER_REFUSE) == (f->why != NULL));
	buf_release(&room);
	filter_free(f);
}
