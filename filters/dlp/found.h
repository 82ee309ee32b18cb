/* SPDX-License-Identifier: Apache-2.0 */
/*
 * found: the distinct numbers of one scan, how sure each is, and what the many
 * say about each other. It holds numbers, and nothing else does for longer than
 * one look; who owns it wipes it.
 */
#pragma once

#include "filters/dlp/kinds.h"

#define FOUND_DISTINCT_MAX 256 /* of one kind */
#define FOUND_SLOTS 2048       /* a power of two, with room for all kinds */
#define FOUND_KINDS ((size_t)DLP_CORPORATE + 1)
#define FOUND_DENSE_RATIO 8 /* invalid ones that many valid ones outweigh */

struct found_entry {
	uint64_t number;
	uint32_t hits;
	uint32_t column; /* of the table that it stood in first; 0: none */
	uint8_t kind;
	uint8_t n; /* digits; 0: free */
	uint8_t confidence;
	uint8_t alone, dense; /* of its detector */
	uint8_t context;      /* 1 + index; 0: none */
	bool sure;            /* it was counted as such while it streamed */
};

struct found {
	struct found_entry entries[FOUND_SLOTS];
	uint32_t distinct[FOUND_KINDS];
	uint32_t invalid[FOUND_KINDS];   /* of the shape, with a wrong digit */
	uint32_t sure_more[FOUND_KINDS]; /* sure ones that found no room */
	char contexts[DLP_FINDINGS_MAX][DLP_CONTEXT_MAX];
	uint32_t contexts_n;
};

/* Counts one; the entry of its number, or NULL when there is no more room. */
struct found_entry *found_add(struct found *f, const struct candidate *c,
    uint32_t confidence, uint32_t column);
/* All in that column are of one kind, however they are labelled. */
void found_column_is_pure(
    struct found *f, uint32_t column, enum dlp_kind kind, uint32_t confidence);
/* Room for a context, given to the entry; NULL: no more. */
char *found_context(struct found *f, struct found_entry *e);
/* Judges density, then fills counts and findings (no verdicts). */
void found_report(
    struct found *f, const struct dlp_settings *s, struct dlp_report *out);
