/* SPDX-License-Identifier: Apache-2.0 */
/* line: content lines of calendars (RFC 5545, 3.1; vCard 2.1, 2.1.3). */
#pragma once

#include "proxy/base/buf.h"

struct line {
	struct bytes raw;    /* as it stands there, with its ends and folds */
	struct bytes name;   /* without group; empty: it is no content line */
	struct bytes params; /* from the first ';' up to ':' */
	struct bytes value;
	size_t lines; /* how many it covers */
};

/* Only vCard 2.1 and vCalendar 1.0 go on behind a "=" at the end of a line:
 * to others what follows is a line of its own. */
enum line_version {
	LINE_NEW,
	LINE_OLD,
};

/* Takes one from *text. Name, params and value stand in unfolded, which the
 * next call overwrites, and whose limit is the text's size. */
void line_take(struct bytes *text, struct buf *unfolded,
    enum line_version version, struct line *out);
/* Takes one from params: ";NAME=VALUE", ";NAME" or ";VALUE", without quotes.
 * false: no more. raw_out: all of it. */
bool line_param(struct bytes *params, struct bytes *name_out,
    struct bytes *value_out, struct bytes *raw_out);
/* The value of that parameter, or empty. */
struct bytes line_param_named(const struct line *l, struct bytes name);
