/* SPDX-License-Identifier: Apache-2.0 */
/* webp: one image of a WebP, proved (webp_image.c), and the file around it
 * (webp.c). */
#pragma once

#include "filters/detox.h"

#define WEBP_FLAG_ANIMATION 0x02
#define WEBP_FLAG_EXIF 0x08
#define WEBP_FLAG_ALPHA 0x10
#define WEBP_FLAG_ICC 0x20

/* A picture or a frame. */
struct webp_image {
	struct bytes alpha; /* ALPH's data; none: .p is NULL */
	struct bytes stream;
	bool lossless;
	bool has_alpha; /* set by webp_prove */
};

enum webp_outcome {
	WEBP_LOST = 0, /* or refused, then *d says so */
	WEBP_PROVED,
};

/* Decodes an image whose pixels have been counted, and cuts off what is behind
 * the end of its streams. *decoded: pixels, of all images. */
enum webp_outcome webp_prove(struct detox *d, struct webp_image *i,
    uint64_t width, uint64_t height, uint64_t *decoded);

/* 0, or -1 at the limit. */
int webp_append_chunk(struct buf *out, const char *name, struct bytes data)
    MUST_CHECK;
int webp_append_image(struct buf *out, const struct webp_image *i) MUST_CHECK;
int webp_append_extended(struct buf *out, unsigned flags, uint64_t width,
    uint64_t height) MUST_CHECK;
/* The head, whose length is told at the end. */
int webp_begin_file(struct buf *out) MUST_CHECK;
void webp_end_file(struct buf *out);
