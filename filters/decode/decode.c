/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/decode/decode.h"

#include <brotli/decode.h>
#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

/* zlib's window bits: its own format, and 16 more for gzip alone. */
#define ZLIB_FORMAT 15
#define GZIP_FORMAT (15 + 16)
/* RFC 9659: who speaks HTTP need not read windows over 8 MiB. */
#define ZSTD_WINDOW_LOG_MAX 23
/* Below this a body may grow as it likes: an empty page of 1 MiB is no bomb. */
#define DECODED_FREE ((uint64_t)1 << 20)

struct decode {
	struct decode_settings s;
	union {
		z_stream z;
		BrotliDecoderState *br;
		ZSTD_DStream *zstd;
	};
	uint64_t total_in;
	uint64_t total_out;
	size_t step_left; /* until the ratio is looked at again */
	bool ended;
};

/* What one call of a library did with a piece. */
struct piece {
	struct bytes in; /* what it left */
	uint8_t *out;
	size_t room; /* what it left */
};

enum piece_result {
	PIECE_DAMAGED = 0,
	PIECE_GOOD,
	PIECE_LAST,
};

struct decode *
decode_new(const struct decode_settings *s)
{
	struct decode *d = calloc(1, sizeof(*d));

	must(d != NULL && s->ratio_max > 0);
	d->s = *s;
	d->step_left = DECODE_STEP;
	switch (s->coding) {
	case DECODE_GZIP:
		must(inflateInit2(&d->z, GZIP_FORMAT) == Z_OK);
		break;
	case DECODE_DEFLATE:
		must(inflateInit2(&d->z, ZLIB_FORMAT) == Z_OK);
		break;
	case DECODE_BROTLI:
		d->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
		must(d->br != NULL);
		break;
	case DECODE_ZSTD:
		d->zstd = ZSTD_createDStream();
		must(d->zstd != NULL &&
		    !ZSTD_isError(ZSTD_DCtx_setParameter(
			d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)));
		break;
	case DECODE_REFUSED:
		must(s->coding != DECODE_REFUSED);
	}
	return d;
}

void
decode_free(struct decode *d)
{
	if (d == NULL)
		return;
	switch (d->s.coding) {
	case DECODE_GZIP:
	case DECODE_DEFLATE:
		inflateEnd(&d->z);
		break;
	case DECODE_BROTLI:
		BrotliDecoderDestroyInstance(d->br);
		break;
	case DECODE_ZSTD:
		ZSTD_freeDStream(d->zstd);
		break;
	case DECODE_REFUSED:
		break;
	}
	free(d);
}

static enum piece_result
read_zlib(struct decode *d, struct piece *p)
{
	uInt in_n = p->in.n > UINT_MAX ? UINT_MAX : (uInt)p->in.n;
	int result;

	d->z.next_in = p->in.p;
	d->z.avail_in = in_n;
	d->z.next_out = p->out;
	d->z.avail_out = (uInt)p->room; /* at most DECODE_STEP */
	result = inflate(&d->z, Z_NO_FLUSH);
	must(result != Z_MEM_ERROR);
	bytes_take(&p->in, in_n - d->z.avail_in);
	p->room = d->z.avail_out;
	if (result == Z_STREAM_END)
		return PIECE_LAST;
	/* It could do nothing: what came before had just filled the room. */
	return result == Z_OK || result == Z_BUF_ERROR ? PIECE_GOOD
						       : PIECE_DAMAGED;
}

static enum piece_result
read_brotli(struct decode *d, struct piece *p)
{
	uint8_t *out = p->out;
	BrotliDecoderResult result = BrotliDecoderDecompressStream(
	    d->br, &p->in.n, &p->in.p, &p->room, &out, NULL);
	BrotliDecoderErrorCode error;

	if (result == BROTLI_DECODER_RESULT_SUCCESS)
		return PIECE_LAST;
	if (result != BROTLI_DECODER_RESULT_ERROR)
		return PIECE_GOOD;
	error = BrotliDecoderGetErrorCode(d->br);
	must(error > BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES ||
	    error < BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES);
	return PIECE_DAMAGED;
}

static enum piece_result
read_zstd(struct decode *d, struct piece *p)
{
	ZSTD_inBuffer in = { p->in.p, p->in.n, 0 };
	ZSTD_outBuffer out = { p->out, p->room, 0 };
	size_t result = ZSTD_decompressStream(d->zstd, &out, &in);

	bytes_take(&p->in, in.pos);
	p->room -= out.pos;
	if (ZSTD_isError(result))
		return PIECE_DAMAGED;
	return result == 0 ? PIECE_LAST : PIECE_GOOD;
}

static enum piece_result
read_piece(struct decode *d, struct piece *p)
{
	switch (d->s.coding) {
	case DECODE_GZIP:
	case DECODE_DEFLATE:
		return read_zlib(d, p);
	case DECODE_BROTLI:
		return read_brotli(d, p);
	case DECODE_ZSTD:
		return read_zstd(d, p);
	case DECODE_REFUSED:
		break;
	}
	return PIECE_DAMAGED;
}

static bool
is_bomb(const struct decode *d)
{
	return d->total_out > DECODED_FREE &&
	    d->total_out / d->s.ratio_max > d->total_in;
}

/* One call of the library. Output is counted in steps of the same size
 * whatever the pieces of the input and the room for what comes out, so that
 * their cut does not say when the ratio is looked at. */
static const char *
read_some(struct decode *d, struct bytes *in, uint8_t *out, size_t *room)
{
	struct piece p = { *in, out, *room };
	enum piece_result result;
	size_t given;
	size_t made;

	if (d->step_left == 0) {
		if (is_bomb(d))
			return "the coded body grows beyond its limit";
		d->step_left = DECODE_STEP;
	}
	if (p.room > d->step_left)
		p.room = d->step_left;
	given = p.room;
	result = read_piece(d, &p);
	made = given - p.room;
	d->total_in += in->n - p.in.n;
	d->total_out += made;
	d->step_left -= made;
	*room -= made;
	*in = p.in;
	if (result == PIECE_DAMAGED)
		return "the coded body is damaged";
	if (d->s.total_max != 0 && d->total_out > d->s.total_max)
		return "the decoded body is longer than its limit";
	d->ended = result == PIECE_LAST;
	return NULL;
}

enum decode_state
decode_some(struct decode *d, struct bytes *in, uint8_t *out, size_t room,
    size_t *written_out, const char **why_out)
{
	const size_t whole = room;
	const char *why = NULL;
	bool more = true;

	/* When it left no room it may have left something, the end too. */
	while (why == NULL && !d->ended && room > 0 && more) {
		why = read_some(d, in, out + (whole - room), &room);
		more = in->n > 0 || d->step_left == 0;
	}
	*written_out = whole - room;
	/* A second member too: some read it, browsers do not. */
	if (why == NULL && d->ended && in->n > 0)
		why = "bytes behind the end of the coded body";
	*why_out = why;
	if (why != NULL)
		return DECODE_BAD;
	return d->ended || room > 0 ? DECODE_HUNGRY : DECODE_FULL;
}

const char *
decode_end(const struct decode *d)
{
	/* Servers name a coding with nothing to code (HEAD, redirects). */
	return d->ended || d->total_in == 0 ? NULL
					    : "the coded body is cut short";
}

/* The filter. */

struct decoding_filter {
	struct filter base;
	struct decode *decode;
	struct buf rest; /* of a piece whose decoded bytes did not fit */
};

static void
filter_begin(struct filter *f)
{
	struct decoding_filter *d = CONTAINER(f, struct decoding_filter, base);

	d->decode = decode_new(f->settings);
	buf_init(&d->rest, SIZE_MAX / 2);
}

static void
filter_end(struct filter *f)
{
	struct decoding_filter *d = CONTAINER(f, struct decoding_filter, base);

	decode_free(d->decode);
	buf_release(&d->rest);
}

/* Room in out for a step, or as much as there is; 0: it is full. */
static size_t
make_room(struct buf *out)
{
	size_t room = out->max - out->n;

	if (room > DECODE_STEP)
		room = DECODE_STEP;
	if (room > 0)
		must(buf_reserve(out, room) == 0);
	return room;
}

static enum filter_verdict
push_decode(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct decoding_filter *d = CONTAINER(f, struct decoding_filter, base);
	bool held = d->rest.n > 0;
	struct bytes from = held ? buf_bytes(&d->rest) : in;
	enum decode_state state = DECODE_FULL;
	const char *why = NULL;
	size_t room;

	must(!held || in.n == 0);
	while (state == DECODE_FULL && (room = make_room(out)) > 0) {
		size_t written = 0;

		state = decode_some(
		    d->decode, &from, out->p + out->n, room, &written, &why);
		out->n += written;
	}
	if (state == DECODE_BAD)
		return filter_refuse(f, why);
	/* The rest is of what the caller had in memory anyway. */
	if (held)
		buf_consume(&d->rest, d->rest.n - from.n);
	else
		must(buf_append(&d->rest, from) == 0);
	if (state == DECODE_FULL)
		return FILTER_MORE;
	why = last ? decode_end(d->decode) : NULL;
	return why != NULL ? filter_refuse(f, why) : FILTER_GO;
}

const struct filter_type decode_filter = {
	.name = "decode",
	.phase = FILTER_DECODE,
	.state_size = sizeof(struct decoding_filter),
	.begin = filter_begin,
	.end = filter_end,
	.push = push_decode,
};
