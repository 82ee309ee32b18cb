/* SPDX-License-Identifier: Apache-2.0 */
/* rates: how much of what is there is found, and how often what is not. */
#pragma once

#include "tests/unit/dlp/documents.h"

#define RATES_SORTS_MAX 32

struct rate {
	const char *sort;
	uint32_t documents, flagged; /* with a verdict of their kind */
	uint32_t numbers, found;     /* distinct ones placed, and counted */
};

struct rates {
	struct rate sorts[RATES_SORTS_MAX];
	struct rate all;
	uint64_t bytes;
};

enum rates_sort {
	RATES_NEGATIVE = 0,
	RATES_POSITIVE,
	RATES_HARD
};

void rates_measure(struct rates *r, const struct dlp_rules *rules,
    uint64_t seed, enum rates_sort what, uint32_t documents);
/* Real files below a folder, as text and as what their names say. Archives and
 * images are looked at as bytes. Returns how many. */
uint32_t rates_folder(
    struct rate *r, const struct dlp_rules *rules, const char *folder);
