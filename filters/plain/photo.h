/* SPDX-License-Identifier: Apache-2.0 */
/* photo: pictures inside vCards, in base64. */
#pragma once

#include "filters/detox.h"
#include "filters/plain/line.h"

enum photo_result {
	PHOTO_REFUSED = 0, /* the whole job is */
	PHOTO_OUTSIDE,     /* it is an address, not a picture */
	PHOTO_GONE,        /* it cannot be rebuilt, and that was reported */
	PHOTO_REBUILT,
};

/* Appends the line anew to out. old: of vCard 2.1. */
enum photo_result photo_rebuild(struct detox *d, const struct line *l,
    size_t at, bool old, struct detox_output *out) MUST_CHECK;
