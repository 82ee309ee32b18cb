/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kinds: what a number of each kind looks like and how sure its surroundings
 * make it. One table (kinds.c); the matcher and the score know no kind.
 */
#pragma once

#include "filters/dlp/chain.h"
#include "filters/dlp/dlp.h"
#include "filters/dlp/words.h"

struct detector {
	enum dlp_kind kind;
	enum word_class word;
	/* Groups of digits, one byte each, and the links they may have. */
	const char *shape;
	bool (*check)(const uint8_t *d, size_t n);
	/* A number of that shape that fails the check tells something too: how
	 * many of those around are no such numbers. NULL: no check digit. */
	bool (*plausible)(const uint8_t *d, size_t n);
	/* What else it may well be. NULL: nothing. */
	bool (*doubt)(const uint8_t *d, size_t n);
	/* Confidence: by itself, with its word within reach, behind its label
	 * (or in a column headed so), and of many in one place. */
	uint8_t alone, near, label, dense;
	enum word_class helper; /* a second word within reach … */
	uint8_t helped;         /* … that adds so much */
};

extern const struct detector detectors[];
extern const size_t detectors_n;

/* A run of a chain's groups that has a detector's shape and free borders. */
struct candidate {
	const struct detector *detector;
	const uint8_t *digits;
	size_t n;
	size_t begin, end;
	bool valid; /* the check digit */
	bool doubtful;
};

/* Whether the groups from `first` on are a candidate of that detector. */
bool kinds_match(const struct detector *d, const struct chain *c, size_t first,
    struct bytes text, struct candidate *out);
