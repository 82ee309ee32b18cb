/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: dlp as a judge of a body that streams: by its Content-Type the body
 * is taken apart, and its text is read in its charset. It never refuses: what
 * was found is asked for.
 */
#pragma once

#include "filters/dlp/body.h"
#include "filters/filter.h"

struct dlp_filter_settings {
	const struct dlp_rules *rules;
	struct bytes media_type; /* the whole Content-Type; empty: not told */
};

/* Settings: struct dlp_filter_settings. text_prepare must have been called.
 * Memory: 130 KiB, whatever passes. */
extern const struct filter_type dlp_filter;

/* The strictest so far, and behind the last push the report's (dlp_so_far). */
enum dlp_verdict dlp_filter_verdict(struct filter *f);
/* So many bytes of the body are in that verdict for sure, however they were
 * written; never more than were pushed. It rises by steps, DLP_FILTER_LAG bytes
 * of the scan's text behind what came. */
uint64_t dlp_filter_judged(struct filter *f);
#define DLP_FILTER_LAG (DLP_LAG + DLP_BODY_HELD_MAX)
/* Behind the last push. The filter's own. */
const struct dlp_report *dlp_filter_report(struct filter *f);
/* What was odd first, or NULL; files of it that nobody looked into. */
const char *dlp_filter_odd(struct filter *f);
uint32_t dlp_filter_unread(struct filter *f);
