/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source: sets of phrases and patterns as administrators write them, in
 * libconfig's syntax. Several files of one kind are one set.
 */
#pragma once

#include "filters/text/set.h"
#include "proxy/base/setting.h"

struct set_source {
	struct arena arena;
	enum set_kind kind; /* 0: nothing was read yet */
	struct set_pattern *patterns;
	size_t n, size;
};

extern const struct setting set_table[], set_phrase_table[],
    set_pattern_table[];
extern const size_t set_table_n, set_phrase_table_n, set_pattern_table_n;

/* Adds a file. 0, or -1 and *e: "file:line: what is wrong, what was expected",
 * all of them when e lists. */
int set_source_read(struct set_source *s, const char *path, struct err *e)
    MUST_CHECK;
void set_source_release(struct set_source *s);
