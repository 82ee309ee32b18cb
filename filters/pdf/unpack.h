/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: the filters of streams (ISO 32000-2, 7.4), and whether what they
 * make of a stream is small enough to be given to a reader. */
#pragma once

#include "filters/detox.h"

#define PDF_FILTERS_MAX 8

enum pdf_filter {
	PDF_FILTER_UNKNOWN = 0,
	PDF_FILTER_FLATE,
	PDF_FILTER_LZW,
	PDF_FILTER_RUNS,
	PDF_FILTER_HEX,
	PDF_FILTER_BASE85,
	PDF_FILTER_CRYPT,
	PDF_FILTER_DCT,
	PDF_FILTER_PICTURE, /* CCITT, JBIG2, JPX: pixels, and the last */
};

struct pdf_filters {
	enum pdf_filter kinds[PDF_FILTERS_MAX];
	size_t n;
};

/* name: with its slash, as libqpdf prints it. */
enum pdf_filter pdf_filter_of(struct bytes name);
/* Counts what the stream unpacks to, where it could be much. expected: as many
 * bytes as a picture has; 0: it is none. *unseen: what those that were not
 * looked at could unpack to, begun at 0. */
enum detox_result pdf_measure(struct detox *d, const struct pdf_filters *f,
    struct bytes data, uint64_t expected, uint64_t *unseen) MUST_CHECK;
/* In a file that libqpdf has not seen yet: streams of objects, and tables, it
 * would unpack whole. */
enum detox_result pdf_measure_file(struct detox *d, struct bytes file)
    MUST_CHECK;
/* Appends what Flate unpacks of it; false: damaged, or no room. */
bool pdf_inflate(struct bytes packed, struct buf *out);
