/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/decode/encode.h"

#define ZLIB_CONST
#include <limits.h>
#include <zlib.h>

#define GZIP_FORMAT (15 + 16)
#define MEMORY_LEVEL 8
#define ROOM ((size_t)16384)

struct encode {
	struct filter base;
	z_stream z;
	struct buf coded; /* of a piece, not yet given */
	bool ended;
};

static void
begin(struct filter *f)
{
	struct encode *e = CONTAINER(f, struct encode, base);
	const struct encode_settings *s = f->settings;

	must(deflateInit2(&e->z, s->level, Z_DEFLATED, GZIP_FORMAT,
		 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
	/* Never more than a piece and what zlib held. */
	buf_init(&e->coded, SIZE_MAX / 2);
}

static void
end(struct filter *f)
{
	struct encode *e = CONTAINER(f, struct encode, base);

	deflateEnd(&e->z);
	buf_release(&e->coded);
}

/* All of a piece at once: zlib repeats the mark of a flush for who gives it
 * less than seven bytes of room. */
static void
code(struct encode *e, struct bytes in, bool last)
{
	int result = Z_OK;

	must(in.n <= UINT_MAX);
	e->z.next_in = in.p;
	e->z.avail_in = (uInt)in.n;
	do {
		must(buf_reserve(&e->coded, ROOM) == 0);
		e->z.next_out = e->coded.p + e->coded.n;
		e->z.avail_out = (uInt)ROOM;
		result = deflate(&e->z, last ? Z_FINISH : Z_SYNC_FLUSH);
		/* Nothing to do is no error. */
		must(result == Z_OK || result == Z_STREAM_END ||
		    result == Z_BUF_ERROR);
		e->coded.n += ROOM - e->z.avail_out;
	} while (e->z.avail_out == 0);
	e->ended = result == Z_STREAM_END;
}

static enum filter_verdict
push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct encode *e = CONTAINER(f, struct encode, base);
	struct bytes ready;

	if (in.n > 0 || (last && !e->ended))
		code(e, in, last);
	ready = buf_bytes(&e->coded);
	if (ready.n > out->max - out->n)
		ready.n = out->max - out->n;
	must(buf_append(out, ready) == 0);
	buf_consume(&e->coded, ready.n);
	return e->coded.n > 0 ? FILTER_MORE : FILTER_GO;
}

const struct filter_type encode_filter = {
	.name = "encode",
	.phase = FILTER_REBUILD,
	.state_size = sizeof(struct encode),
	.begin = begin,
	.end = end,
	.push = push,
};
