/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/fold.h"

#define LEAD 0xef /* of all full-width signs */

/* U+FF01-FF5E is EF BC 81 to EF BD 9E; 0: none of them. */
static uint8_t
narrow(const uint8_t *p)
{
	if (p[1] == 0xbc && p[2] >= 0x81 && p[2] <= 0xbf)
		return (uint8_t)(p[2] - 0x60);
	if (p[1] == 0xbd && p[2] >= 0x80 && p[2] <= 0x9e)
		return (uint8_t)(p[2] - 0x20);
	return 0;
}

/* Folds what is whole; what is left of *in is the beginning of a sign. */
static size_t
fold_whole(struct bytes *in, uint8_t *out)
{
	size_t n = 0;

	while (in->n > 0) {
		const uint8_t *lead = memchr(in->p, LEAD, in->n);
		size_t plain = lead == NULL ? in->n : (size_t)(lead - in->p);
		struct bytes head = bytes_take(in, plain);
		uint8_t c;

		if (head.n > 0)
			memcpy(out + n, head.p, head.n);
		n += head.n;
		if (in->n < 3)
			return n;
		c = narrow(in->p);
		if (c != 0) {
			out[n++] = c;
			bytes_take(in, 3);
		} else {
			out[n++] = *bytes_take(in, 1).p;
		}
	}
	return n;
}

size_t
fold_width(struct bytes in, uint8_t *out)
{
	size_t n = fold_whole(&in, out);

	if (in.n > 0)
		memcpy(out + n, in.p, in.n);
	return n + in.n;
}

size_t
fold_push(struct fold *f, struct bytes in, uint8_t *out)
{
	uint8_t joined[FOLD_KEPT_MAX + 2];
	struct bytes first = { .p = joined };
	size_t n = 0;

	/* A sign over the border is made whole with at most two bytes. */
	if (f->kept_n > 0) {
		struct bytes more = bytes_take(&in, 2);

		memcpy(joined, f->kept, f->kept_n);
		if (more.n > 0)
			memcpy(joined + f->kept_n, more.p, more.n);
		first.n = f->kept_n + more.n;
		n = fold_whole(&first, out);
	}
	if (in.n > 0 && first.n > 0) {
		/* "EF EF": the second begins a sign of its own */
		struct bytes rest = { in.p - first.n, in.n + first.n };

		in = rest;
		first.n = 0;
	}
	if (first.n == 0) {
		n += fold_whole(&in, out + n);
		first = in;
	}
	f->kept_n = first.n;
	if (first.n > 0)
		memmove(f->kept, first.p, first.n);
	return n;
}

size_t
fold_end(struct fold *f, uint8_t *out)
{
	size_t n = f->kept_n;

	if (n > 0)
		memcpy(out, f->kept, n);
	f->kept_n = 0;
	return n;
}
