/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/fold.h"

#include <string.h>

#include "filters/text/utf8.h"

#define LEAD 0xef /* of all full-width signs */
#define ESCAPE '\\'
#define ESCAPE_N 6 /* "\u500b" */
_Static_assert(FOLD_KEPT_MAX + 1 == ESCAPE_N, "the longest of them");

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

/* What a sign of several bytes becomes. */
struct folded {
	size_t taken; /* 0: more of it must come */
	size_t n;
	uint8_t p[UTF8_MAX];
};

static struct folded
as_it_is(struct bytes in)
{
	return (struct folded){ 1, 1, { in.p[0] } };
}

static struct folded
read_wide(struct bytes in)
{
	uint8_t c;

	if (in.n > 1 && in.p[1] != 0xbc && in.p[1] != 0xbd)
		return as_it_is(in);
	if (in.n < 3)
		return (struct folded){ 0 };
	c = narrow(in.p);
	return c == 0 ? as_it_is(in) : (struct folded){ 3, 1, { c } };
}

static struct folded
read_escape(struct bytes in)
{
	struct folded f = { .taken = ESCAPE_N };
	uint32_t code = 0;

	for (size_t i = 1; i < ESCAPE_N; i++) {
		if (i == in.n)
			return (struct folded){ 0 };
		if (i == 1 ? in.p[i] != 'u' : byte_hex(in.p[i]) < 0)
			return as_it_is(in);
		if (i > 1)
			code = code << 4 | (uint32_t)byte_hex(in.p[i]);
	}
	if (code < ' ')
		code = ' '; /* no border of ours */
	else if (code >= 0xd800 && code < 0xe000)
		code = UTF8_BAD; /* half of one that is no digit */
	else if (code >= 0xff01 && code <= 0xff5e)
		code -= 0xfee0;
	f.n = utf8_write(f.p, code);
	return f;
}

/* Where c is next, or the end. */
static const uint8_t *
find(struct bytes in, uint8_t c)
{
	const uint8_t *at;

	if (in.n > 0 && in.p[0] == c)
		return in.p; /* runs of them are frequent */
	at = in.n > 0 ? memchr(in.p, c, in.n) : NULL;
	return at != NULL ? at : in.p + in.n;
}

/* Folds what is whole; what is left of *in is the beginning of a sign. */
static size_t
fold_whole(struct bytes *in, uint8_t *out)
{
	const uint8_t *lead = find(*in, LEAD);
	const uint8_t *escape = find(*in, ESCAPE);
	size_t n = 0;

	while (in->n > 0) {
		const uint8_t *next = lead < escape ? lead : escape;
		struct bytes head = bytes_take(in, (size_t)(next - in->p));
		struct folded f;

		if (head.n > 0)
			memcpy(out + n, head.p, head.n);
		n += head.n;
		if (in->n == 0)
			break;
		f = next == lead ? read_wide(*in) : read_escape(*in);
		if (f.taken == 0)
			break;
		memcpy(out + n, f.p, f.n);
		n += f.n;
		bytes_take(in, f.taken);
		if (next == lead)
			lead = find(*in, LEAD);
		else
			escape = find(*in, ESCAPE);
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

/* What was kept, with one byte more. */
static size_t
fold_kept(struct fold *f, uint8_t c, uint8_t *out)
{
	struct bytes in = { f->kept, f->kept_n + 1 };
	size_t n;

	f->kept[f->kept_n] = c;
	n = fold_whole(&in, out);
	memmove(f->kept, in.p, in.n);
	f->kept_n = in.n;
	return n;
}

size_t
fold_push(struct fold *f, struct bytes in, uint8_t *out)
{
	size_t n = 0;

	while (f->kept_n > 0 && in.n > 0)
		n += fold_kept(f, *bytes_take(&in, 1).p, out + n);
	if (in.n == 0)
		return n;
	n += fold_whole(&in, out + n);
	f->kept_n = in.n;
	if (in.n > 0)
		memcpy(f->kept, in.p, in.n);
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
