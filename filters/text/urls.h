/* SPDX-License-Identifier: Apache-2.0 */
/*
 * urls: a set of patterns over one URL at a time (or another short text).
 * Literals of all patterns are searched for at once, and PCRE2 tries the
 * patterns whose literals are there; those without a literal are searched for
 * by Vectorscan.
 */
#pragma once

#include "filters/text/set.h"

#define URLS_TEXT_MAX 65536

enum urls_answer {
	URLS_TOO_MUCH = 0, /* too long, or a pattern takes too many steps */
	URLS_YES,
	URLS_NO,
};

/*
 * Whether any pattern matches. Calls found (which may be NULL) for each that
 * does, in no order, until it returns false. After URLS_TOO_MUCH it may have
 * been called for some; who asks decides what that must mean.
 */
enum urls_answer urls_match(struct set *s, struct bytes text,
    bool (*found)(void *context, size_t pattern), void *context) MUST_CHECK;
