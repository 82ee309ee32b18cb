/* SPDX-License-Identifier: Apache-2.0 */
/* drive: a filter, given its body in pieces. */
#pragma once

#include "filters/filter.h"

struct drive {
	const struct filter_type *type;
	const void *settings;
	size_t cut;   /* the body comes in two pieces */
	size_t piece; /* or, when not 0, in pieces of so many bytes */
	size_t room;  /* of each push's out; 0: 64 KiB */
};

/* What comes out, appended to out (of a judge: nothing, NULL will do); *why_out
 * NULL or a reason. */
void drive_filter(const struct drive *d, struct bytes body, struct buf *out,
    const char **why_out);
