/* SPDX-License-Identifier: Apache-2.0 */
/* h1_cut: what h1 reads out of one input, however the network cuts it. */
#pragma once

#include "proxy/http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Head and framing, written anew as they would travel on. */
static inline void
h1_cut_head(enum h1_role role, struct message *m, struct buf *out)
{
	message_mark_hops(m);
	must((role == H1_REQUESTS ? h1_write_request(out, m, m->target)
				  : h1_write_response(out, m)) == 0);
	must(h1_write_head_end(out) == 0);
}

/* m is empty behind a head, and then takes the trailers. */
static inline enum h1_event
h1_cut_feed(struct h1 *h, struct bytes in, struct arena *a, struct message *m,
    struct buf *out)
{
	struct bytes body;
	enum h1_event event;

	do {
		event = h1_next(h, &in, a, m, &body);
		if (event == H1_HEAD)
			h1_cut_head(h->role, m, out);
		if (event == H1_BODY)
			must(buf_append(out, body) == 0);
		if (event == H1_END)
			must(h1_write_chunked_end(
				 out, m->fields, m->fields_n) == 0);
		if (event == H1_HEAD || event == H1_END)
			*m = (struct message){ 0 };
	} while (event > H1_MORE);
	must(event == H1_BAD || in.n == 0);
	return event;
}

/* All that comes of the input, and whether it is refused. Of two reasons the
 * cut may choose: both h1 and llhttp judge the lines of chunks. */
static inline void
h1_cut_read(struct h1 *h, struct bytes in, size_t cut, struct buf *out)
{
	struct bytes first = bytes_take(&in, cut);
	struct message m = { 0 };
	struct arena a = { 0 };

	if (h1_cut_feed(h, first, &a, &m, out) == H1_BAD ||
	    h1_cut_feed(h, in, &a, &m, out) == H1_BAD || h1_eof(h) == H1_BAD)
		must(h->why != NULL && buf_append_string(out, "bad") == 0);
	arena_release(&a);
	h1_release(h);
}
