/* SPDX-License-Identifier: Apache-2.0 */
/* tiff: files in memory (tiff_file.c), a page (tiff_page.c) and what it says
 * (tiff_tags.c). */
#pragma once

#include <tiffio.h>

#include "filters/detox.h"

struct tiff_file {
	struct bytes in; /* when it is read */
	struct buf *out; /* when it is written */
	uint64_t at;
	size_t allocation_max; /* larger strips are those of bombs */
};

/* NULL: it is no TIFF. The file outlives it; TIFFClose ends it. */
TIFF *tiff_open(struct tiff_file *f);
/* What libtiff would print is not. */
void tiff_be_quiet(void);

struct tiff_work {
	struct detox *d;
	struct tiff_file from, to;
	TIFF *in, *out;
	struct buf room; /* a strip or tile, or a whole page as RGBA */
	unsigned pages;
	uint64_t read; /* bytes of strips and tiles */
};

enum tiff_outcome {
	TIFF_PAGE_LOST = 0, /* or refused, then *d says so */
	TIFF_PAGE_WRITTEN,
	TIFF_PAGE_UNWRITTEN, /* but begun: no page can follow */
};

/* The present page of in, but for its directory. */
enum tiff_outcome tiff_turn_page(struct tiff_work *w);

/* Copies what is known of a page, but for how it is coded. */
void tiff_copy_tags(struct detox *d, TIFF *from, TIFF *to);
/* Reports what is not. */
void tiff_report_tags(struct detox *d, struct bytes file, uint64_t directory);
