/* SPDX-License-Identifier: Apache-2.0 */
/* part: what the modules of one kind of document give to filters/ole/ole.c. */
#pragma once

#include "filters/ole/cfb.h"

/* Each looks for its streams in c, and gives out a whole new file. */
enum detox_result doc_rebuild(
    struct detox *d, struct cfb *c, struct detox_output *out) MUST_CHECK;
enum detox_result xls_rebuild(
    struct detox *d, struct cfb *c, struct detox_output *out) MUST_CHECK;
enum detox_result ppt_rebuild(
    struct detox *d, struct cfb *c, struct detox_output *out) MUST_CHECK;
enum detox_result jtd_rebuild(
    struct detox *d, struct cfb *c, struct detox_output *out) MUST_CHECK;

/* The one stream of that name in a storage (0: the root), which is then kept:
 * no report says that it is gone. DETOX_REFUSED: not there, twice, or broken.
 * *out is made here; the caller releases it in any case. */
enum detox_result part_read(struct detox *d, struct cfb *c, uint32_t storage,
    const char *name, struct buf *out) MUST_CHECK;
/* The same of a stream that need not be there: *out is empty then. */
enum detox_result part_read_if(struct detox *d, struct cfb *c, uint32_t storage,
    const char *name, struct buf *out) MUST_CHECK;
/* \5SummaryInformation anew, with title, authors and dates, when the profile
 * keeps metadata and there is one; else *out is empty. Made here. */
void part_summary(struct detox *d, struct cfb *c, struct buf *out);
