/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: what a document may refer to so that it loads nothing from outside.
 * Pictures within the address (data:) are rebuilt.
 */
#pragma once

#include "filters/detox.h"

struct address {
	struct detox *d;
	const char *where; /* for the report */
	/* The document was written here and is read again: nothing is
	 * reported, and its pictures are as they should be. */
	bool again;
	bool mail; /* nothing stands beside it */
};

/* A place to go to when somebody clicks: the address without the blanks and
 * controls that readers leave out, or nothing (and the report says so).
 * DETOX_REFUSED at out's limit. */
enum detox_result address_link(
    const struct address *a, struct bytes address, struct buf *out) MUST_CHECK;
/*
 * A picture that is shown at once. What stays: data: of PNG, JPEG, GIF and
 * WebP, rebuilt; cid: (a part of the same mail); files beside this one, and
 * places in it ("#a").
 */
enum detox_result address_picture(
    const struct address *a, struct bytes address, struct buf *out) MUST_CHECK;
/* A place in the document, "#a". */
enum detox_result address_inside(
    const struct address *a, struct bytes address, struct buf *out) MUST_CHECK;
/* As detox_removed, unless read again. */
void address_removed(const struct address *a, enum detox_removal what);
