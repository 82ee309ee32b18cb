/* SPDX-License-Identifier: Apache-2.0 */
/* jpeg: the markers of a JPEG (ITU-T T.81, B.1), which libjpeg leaves out. */
#pragma once

#include "filters/image/inside.h"

#define JPEG_PARTS_MAX 256

struct jpeg_markers {
	struct bytes icc_parts[JPEG_PARTS_MAX]; /* by number, from 1 */
	size_t icc_count;                       /* as the first says */
	bool icc_bad;
	struct image_exif exif;
	struct buf icc; /* the profile to write; empty: none */
};

/* Goes through the whole file and reports what is left out. space: of
 * image_icc. */
void jpeg_markers_read(struct detox *d, struct jpeg_markers *m,
    struct bytes content, const char *space);
void jpeg_markers_release(struct jpeg_markers *m);
