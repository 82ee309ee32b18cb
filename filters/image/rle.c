/* SPDX-License-Identifier: Apache-2.0 */
/* rle: the runs of a BMP of 4 or 8 bits ([MS-WMF] 3.1.6). */
#include "filters/image/bmp.h"

enum escape {
	ESCAPE_LINE = 0,
	ESCAPE_END = 1,
	ESCAPE_DELTA = 2,
};

struct unpacker {
	const struct bmp *b;
	uint8_t *to;
	size_t stride;
	uint64_t x, y;
};

/* One pixel; outside of the picture it is lost. */
static void
put(struct unpacker *u, unsigned value)
{
	uint8_t *p;

	if (u->x < (uint64_t)u->b->width && u->y < (uint64_t)u->b->height) {
		p = u->to + u->y * u->stride + u->x * u->b->depth / 8;
		if (u->b->depth == 8)
			*p = (uint8_t)value;
		else
			*p |= (uint8_t)(u->x % 2 == 0 ? value << 4 : value);
	}
	u->x++;
}

/* The i-th of pixels that stand in such bytes. */
static unsigned
pixel(const struct unpacker *u, const uint8_t *p, size_t i)
{
	if (u->b->depth == 8)
		return p[i];
	return i % 2 == 0 ? p[i / 2] >> 4 : p[i / 2] & 15u;
}

static void
put_run(struct unpacker *u, size_t n, uint8_t value)
{
	const uint8_t both[2] = { value, value };

	for (size_t i = 0; i < n; i++)
		put(u, pixel(u, both, i % 2));
}

/* They fill whole words. */
static bool
put_literal(struct unpacker *u, size_t n, struct bytes *in)
{
	size_t size = u->b->depth == 8 ? n : (n + 1) / 2;
	struct bytes b;

	if (in->n < size)
		return false;
	b = bytes_take(in, size);
	bytes_take(in, in->n < (size & 1) ? 0 : size & 1);
	for (size_t i = 0; i < n; i++)
		put(u, pixel(u, b.p, i));
	return true;
}

/* False: this was the end. */
static bool
take_escape(struct unpacker *u, uint8_t code, struct bytes *in)
{
	struct bytes b;

	switch (code) {
	case ESCAPE_LINE:
		u->x = 0;
		u->y++;
		return true;
	case ESCAPE_END:
		return false;
	case ESCAPE_DELTA:
		if (in->n < 2)
			return false;
		b = bytes_take(in, 2);
		u->x += b.p[0];
		u->y += b.p[1];
		return true;
	}
	return put_literal(u, code, in);
}

bool
bmp_unpack(const struct bmp *b, struct bytes *in, uint8_t *to)
{
	struct unpacker u = { .b = b,
		.to = to,
		.stride = bmp_stride((uint64_t)b->width, b->depth) };
	struct bytes code;

	while (in->n >= 2) {
		code = bytes_take(in, 2);
		if (code.p[0] > 0)
			put_run(&u, code.p[0], code.p[1]);
		else if (!take_escape(&u, code.p[1], in))
			return code.p[1] == ESCAPE_END;
	}
	return u.y + 1 >= (uint64_t)b->height;
}
