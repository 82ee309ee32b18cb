/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set: phrases and PCRE2 patterns with weights, compiled once into bytes that
 * are kept in a file and mapped. PCRE2 gives the meaning of every pattern;
 * Vectorscan says where to look. match.h runs a set over a text that streams,
 * urls.h over one short text at a time.
 *
 * In texts (SET_TEXT) patterns are of characters in UTF-8; \w, \d, \s and \b
 * know ASCII only, so that \b stands between a kana and a Latin letter. A match
 * must be bounded: with all that assertions look at it has SET_SPAN_MAX bytes
 * at most. What is refused, with words: *, + and {n,} but for a bounded reason
 * to stop; back references, recursion, \G, \K, \R, \X, \C, \p, verbs (*…), and
 * what can match nothing. In URLs (SET_URLS) patterns are of bytes, and all of
 * PCRE2 but \C and callouts is taken.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/base/err.h"

#define SET_PATTERNS_MAX 100000
#define SET_PATTERN_MAX 1024 /* bytes of one */
#define SET_SPAN_MAX 4096

enum set_kind {
	SET_TEXT = 1,
	SET_URLS,
};

enum set_flag {
	SET_PHRASE = 1, /* these characters, no pattern */
	SET_CASELESS = 2,
};

struct set_pattern {
	const char *name; /* told to who asks what was found */
	const char *text;
	int32_t weight;
	unsigned flags;    /* of enum set_flag */
	const char *where; /* "file:line" for who mends it, or NULL */
};

/* Whether code may be made executable: not in a locked process, where a set
 * that arrives later is interpreted. */
enum set_code {
	SET_CODE_JIT,
	SET_CODE_PLAIN,
};

/*
 * Appends the compiled set to out: seconds for thousands of patterns. 0, or -1
 * and *e, which names the pattern and says what is wrong with it; all of them
 * when e lists.
 */
int set_compile(enum set_kind kind, const struct set_pattern *patterns,
    size_t n, struct buf *out, struct err *e) MUST_CHECK;
/*
 * A set of those bytes, which are borrowed. NULL and *e: they are damaged, of
 * another version or kind, or for a processor that this one is not.
 */
struct set *set_open(enum set_kind kind, struct bytes file, enum set_code code,
    struct err *e) MUST_CHECK;
/* The same with a file, of which the set has a copy that processes forked later
 * share. */
struct set *set_map(enum set_kind kind, const char *path, enum set_code code,
    struct err *e) MUST_CHECK;
void set_free(struct set *s);

size_t set_count(const struct set *s);
const char *set_name(const struct set *s, size_t i);
int32_t set_weight(const struct set *s, size_t i);
