/* SPDX-License-Identifier: Apache-2.0 */
/* bmp: the parts of a BMP, which icons have too. Source: [MS-WMF] 2.2.2. */
#pragma once

#include "filters/detox.h"

struct bmp {
	size_t head_size; /* with masks that stand apart */
	int64_t width, height;
	bool top_down;
	unsigned depth;
	unsigned compression;
	uint32_t x_dots, y_dots; /* for each metre */
	uint32_t colours;        /* as the head says; 0: all */
	size_t colour_size;      /* 3 or 4 bytes in the file */
	uint32_t masks[4];
	uint8_t palette[256 * 4];
	size_t palette_n;
};

/* in: from the head behind the file's on. Refused: not of a known kind. The
 * pixels were not counted. */
enum detox_result bmp_read_head(struct detox *d, struct bmp *b, struct bytes in)
    MUST_CHECK;
/* How many colours there are, by the head. */
size_t bmp_colours(const struct bmp *b);
/* The colours, which end before `end` of in. */
void bmp_read_colours(struct bmp *b, struct bytes in, size_t end);
enum detox_result bmp_put_head(
    struct detox *d, const struct bmp *b, struct detox_output *out) MUST_CHECK;
/* Bytes of a row. */
size_t bmp_stride(uint64_t width, unsigned depth);
/* Rows without compression; those that are not there are empty. */
enum detox_result bmp_put_rows(struct detox *d, struct bytes in, uint64_t width,
    uint64_t height, unsigned depth, struct detox_output *out) MUST_CHECK;
/* RLE4, RLE8: takes them from *in; to: room of all rows, zeroed. False: it
 * ended before the last row did. */
bool bmp_unpack(const struct bmp *b, struct bytes *in, uint8_t *to);
