/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: a body whose text is judged by a set of phrases while it passes. Its
 * charset is found, it becomes UTF-8 and then what a reader sees.
 */
#pragma once

#include "filters/filter.h"
#include "filters/text/charset.h"
#include "filters/text/set.h"

struct text_settings {
	struct set *set;
	int64_t threshold;    /* over 0 */
	struct bytes charset; /* as declared; empty: not declared */
	bool html;            /* tags are no text */
};

/* Settings: struct text_settings. text_prepare must have been called. */
extern const struct filter_type text_filter;

/* For records: what was found so far, and as which charset it was read. */
enum charset text_charset(struct filter *f);
bool text_found(struct filter *f, size_t pattern);
int64_t text_sum(struct filter *f);
