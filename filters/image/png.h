/* SPDX-License-Identifier: Apache-2.0 */
/*
 * png: one picture written anew (png.c), its rows decoded and encoded or kept
 * as they are packed (idat.c); the file's chunks, and the frames of an
 * animation, each of which is made a picture (chunks.c, frames.c).
 */
#pragma once

#include "filters/detox.h"

struct png_turned {
	bool damaged;        /* the lower rows could not be decoded */
	uint8_t orientation; /* to write; 0, 1: none */
	unsigned rows;       /* that were decoded, of all passes */
};

/* in: signature, the chunks to keep, IEND; its pixels have been counted.
 * False: nothing of it can be decoded; of a limit *d says so too. */
bool png_turn(struct detox *d, struct bytes in, struct png_turned *t,
    struct detox_output *out) MUST_CHECK;

struct png_shape {
	uint32_t width, height;
	unsigned pixel_bits;
	bool interlaced;
};

/* Rows of a pass, of which a picture that is not interlaced has one, 0. */
uint32_t png_pass_rows(const struct png_shape *s, int pass);

/* *packed: the data of in's IDAT chunks, which unpack to the rows of such a
 * picture and to nothing else, with a head of our own; what stood behind them
 * is reported. False: they have to be decoded. The caller made *packed and
 * releases it. */
bool png_idat_keep(struct detox *d, struct bytes in, const struct png_shape *s,
    struct buf *packed) MUST_CHECK;

#define PNG_SIGNATURE BYTES("\x89PNG\r\n\x1a\n")

struct png_chunk {
	uint8_t name[4];
	struct bytes data;
	bool damaged; /* its sum is wrong, or its end is missing */
};

/* The next chunk, which leaves *b; false: there is none. */
bool png_chunk_next(struct bytes *b, struct png_chunk *c_out);
bool png_chunk_is(const struct png_chunk *c, const char *name);
/* 0, or -1 at the limit. prefix: before the data. */
int png_chunk_append(struct buf *out, const char *name, struct bytes prefix,
    struct bytes data) MUST_CHECK;

/* https://www.w3.org/TR/png-3/, 11.3.6. Frames behind the first are decoded as
 * they come and kept as fdAT chunks. */
struct png_frames {
	struct bytes head;  /* IHDR's data */
	struct buf colours; /* PLTE and tRNS, as chunks */
	bool animated;      /* acTL was there before the picture */
	uint32_t loops;
	bool picture_begun;
	bool first_is_picture;
	bool open;            /* a frame's data is being gathered */
	struct bytes control; /* its fcTL */
	struct buf data;      /* its chunks, as a PNG's */
	struct buf first;     /* the picture's fcTL, as a chunk */
	struct buf out;       /* fcTL and fdAT, as chunks */
	uint32_t sequence;    /* of the next one */
	uint32_t count;
	uint64_t pixels;
};

void png_frames_init(struct png_frames *f, const struct detox *d);
void png_frames_release(struct png_frames *f);
/* acTL, fcTL, fdAT. */
enum detox_result png_frames_take(struct detox *d, struct png_frames *f,
    const struct png_chunk *c) MUST_CHECK;
/* The last frame is whole. */
enum detox_result png_frames_end(struct detox *d, struct png_frames *f)
    MUST_CHECK;
/* Puts the frames into the picture. */
enum detox_result png_frames_write(struct detox *d, struct png_frames *f,
    struct bytes picture, struct detox_output *out) MUST_CHECK;

enum detox_result png_head_append(
    struct detox *d, struct buf *out, struct bytes head) MUST_CHECK;
