/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: the paths that a rebuilt archive has, so that none comes twice, also
 * to who takes small and capital letters for the same, and that no file is a
 * folder too.
 */
#pragma once

#include "filters/archive/name.h"

struct names {
	struct names_node **table; /* all in the job's arena */
	size_t size;               /* a power of two */
	size_t n;
};

/*
 * The path that an entry gets: its own, or with " (2)" before its extension
 * when only its letters' case, or what we changed of it, makes it the same as
 * an older one. *fresh_out: false for a folder that is there already.
 * NULL: refused (DUPLICATE).
 */
const char *names_take(
    struct detox *d, struct names *s, const struct name *n, bool *fresh_out);
