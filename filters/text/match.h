/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match: a set of phrases and patterns over a text in UTF-8 that streams. A
 * pattern counts once, however often it is found; the weights of what is found
 * are summed, and the sum must stay below a threshold. The answer is that of
 * PCRE2 on the whole text, one pattern after the other, whatever the pieces in
 * which the text came. (Bytes that are no UTF-8 match nothing, and may hide
 * what stands beside them: give what convert.h gives.)
 */
#pragma once

#include "filters/text/set.h"

enum match_verdict {
	MATCH_REFUSED = 0, /* match_why says why; it takes nothing more */
	MATCH_OPEN,
};

/* The caller frees. threshold > 0. Memory: 16 bytes for each pattern, three
 * times the longest span in the set, and 40 KiB. */
struct match *match_new(struct set *s, int64_t threshold);
void match_free(struct match *m);
/*
 * What follows of the text. It is refused as soon as no weight that might
 * still be found, negative ones too, could bring the sum below the threshold.
 */
enum match_verdict match_push(struct match *m, struct bytes text) MUST_CHECK;
/* No more follows: what stands at the end counts now. */
enum match_verdict match_end(struct match *m) MUST_CHECK;
const char *match_why(const struct match *m);
int64_t match_sum(const struct match *m);
bool match_found(const struct match *m, size_t i);
