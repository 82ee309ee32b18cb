/* SPDX-License-Identifier: Apache-2.0 */
/* clean: a text without what is hidden in it, in its own charset. */
#pragma once

#include "filters/detox.h"
#include "filters/plain/chars.h"

struct clean {
	struct buf text; /* with its mark; the caller releases it */
	enum charset charset;
	size_t mark;                      /* bytes of the byte order mark */
	uint64_t visible;                 /* characters */
	uint64_t damaged;                 /* what was no character, taken out */
	size_t damaged_line, hidden_line; /* of the first; 0: none */
};

/* Reports what it takes out. The text is its own cleaning: to clean it again
 * changes nothing. */
enum detox_result clean_text(
    struct detox *d, struct bytes in, struct clean *out) MUST_CHECK;
