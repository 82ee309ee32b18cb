/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the kinds of pictures have in common. Not for others. */
#pragma once

#include "filters/detox.h"

/* n bytes (at most 8) at `at`; 0 when they are not there. */
static inline uint64_t
image_little(struct bytes b, size_t at, size_t n)
{
	uint64_t value = 0;

	if (b.n < at || b.n - at < n)
		return 0;
	for (size_t i = n; i > 0; i--)
		value = value << 8 | b.p[at + i - 1];
	return value;
}

static inline uint64_t
image_big(struct bytes b, size_t at, size_t n)
{
	uint64_t value = 0;

	if (b.n < at || b.n - at < n)
		return 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | b.p[at + i];
	return value;
}

static inline void
image_put_little(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static inline void
image_put_big(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

/*
 * Writes a colour profile (ICC.1) anew to *out: of its tags those by which
 * colours are computed, with a description of our own. space: "RGB ", "GRAY",
 * "CMYK". False: it is not valid, or not of that space, which is reported;
 * *out, which the caller made and releases, is empty.
 */
#define IMAGE_ICC_MAX ((size_t)8 << 20)
bool image_icc(
    struct detox *d, struct bytes profile, const char *space, struct buf *out);

enum image_unit {
	IMAGE_NO_UNIT,
	IMAGE_INCH,
	IMAGE_CM,
};

/* Before a segment, chunk or block is looked at: each costs more time than it
 * has bytes. */
#define IMAGE_PARTS_MAX 100000u
enum detox_result image_part(struct detox *d, unsigned *parts) MUST_CHECK;
/*
 * The last word on what comes out. Pixels stay as they are, and may be made so
 * that they, or what they are coded to, is a program or an archive for those
 * who look for one anywhere in a file.
 */
enum detox_result image_judge(struct detox *d, enum detox_result result,
    const struct detox_output *output) MUST_CHECK;

struct image_exif {
	unsigned orientation; /* 1 to 8; 1: as it is stored */
	enum image_unit unit; /* of the resolution; none: it is not there */
	uint16_t x, y;        /* dots for each unit, 1 to 65535 */
	bool preview;         /* it has a small picture too */
};

/* Of an EXIF block, which is a TIFF without a picture. */
struct image_exif image_exif_read(struct bytes tiff);
/* One that says only the orientation. */
#define IMAGE_EXIF_SIZE 26
void image_exif_write(uint8_t out[IMAGE_EXIF_SIZE], unsigned orientation);
/* Reports an EXIF block that is left out, but for what image_exif_write wrote.
 * Gives what it says. */
struct image_exif image_exif_remove(struct detox *d, struct bytes tiff);
