/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode: gzip, zlib's format ("deflate"), brotli and zstd, read as a stream
 * within limits. What is read is one stream: whole, with nothing behind it, no
 * second member or frame, as browsers read no further than the first.
 */
#pragma once

#include "filters/filter.h"

enum decode_coding {
	DECODE_REFUSED = 0,
	DECODE_GZIP,
	DECODE_DEFLATE, /* in zlib's format */
	DECODE_BROTLI,
	DECODE_ZSTD, /* with a window of 8 MiB at most, as in browsers */
};

struct decode_settings {
	enum decode_coding coding;
	/* Past 1 MiB, how many times longer than coded; looked at with each
	 * 128 KiB that come out. */
	uint32_t ratio_max;
	uint64_t total_max; /* bytes decoded; 0: as many as the ratio permits */
};

#define DECODE_STEP ((size_t)131072)

enum decode_state {
	DECODE_BAD = 0, /* *why_out says why; it takes nothing more */
	DECODE_HUNGRY,  /* all of the input was taken */
	DECODE_FULL,    /* the room is filled, and more may come of the input */
};

/*
 * The caller frees. Memory: 44 KiB for gzip and deflate, up to 17 MiB for
 * brotli and 8.5 MiB for zstd, as the stream's window asks.
 */
struct decode *decode_new(const struct decode_settings *s);
void decode_free(struct decode *d);
/*
 * Takes from *in and writes up to room bytes, of which *written_out says how
 * many. With DECODE_BAD some may have been written; they must not travel on.
 */
enum decode_state decode_some(struct decode *d, struct bytes *in, uint8_t *out,
    size_t room, size_t *written_out, const char **why_out) MUST_CHECK;
/* NULL when the body may end here: it is whole, or nothing of it came. */
const char *decode_end(const struct decode *d);

/* Settings: struct decode_settings. What travels on is decoded. */
extern const struct filter_type decode_filter;
