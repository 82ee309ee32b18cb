/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern: a PCRE2 pattern over a canonical URL, "https://host[:port]/path?q";
 * bounded in time, so that no pattern can be made to hold up an edge.
 */
#pragma once

#include "proxy/base/arena.h"
#include "proxy/policy/url.h"

#define PATTERN_MAX 1024 /* bytes */

struct pattern;

/* NULL and *why_out (in the arena, with the place) when it is none. It is put
 * before *list, all of which patterns_release frees; the arena does not. */
struct pattern *pattern_new(struct bytes text, struct arena *a,
    struct pattern **list, const char **why_out);
void patterns_release(struct pattern *list);
/* As it was written. */
struct bytes pattern_text(const struct pattern *p);
/* TOO_MUCH: the URL is too long, or the pattern takes too many steps on it; who
 * asks decides what that must mean. path: one of the readings (url.h). */
#define PATTERN_URL_MAX 65536
enum pattern_answer {
	PATTERN_TOO_MUCH = 0,
	PATTERN_YES,
	PATTERN_NO,
};
enum pattern_answer pattern_match(
    const struct pattern *p, const struct url *u, struct bytes path);
/* What patterns see: valid until the next call, for the process. 0, or -1: it
 * is too long. */
int pattern_subject(const struct url *u, struct bytes path, struct bytes *out)
    MUST_CHECK;
/* The same of any text. */
enum pattern_answer pattern_match_text(
    const struct pattern *p, struct bytes text);
