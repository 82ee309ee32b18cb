/* SPDX-License-Identifier: Apache-2.0 */
/* random_patterns: patterns and texts that meet often; the same for a seed. */
#pragma once

#include "proxy/base/arena.h"

struct dice {
	uint64_t state;
};

unsigned dice_roll(struct dice *d, unsigned n);
/* Of bounded length, with groups, classes, assertions; wide: in UTF-8, with
 * what texts may hold; else with what URLs may hold, * and + too. */
const char *random_pattern(struct dice *d, struct arena *a, bool wide);
struct bytes random_text(
    struct dice *d, struct arena *a, size_t pieces, bool wide);
/* What PCRE2 says of the whole text: -1 when the pattern is none, else 0, 1. */
int reference(
    const char *pattern, unsigned flags, struct bytes text, bool wide);
