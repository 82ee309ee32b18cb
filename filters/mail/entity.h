/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entity: a mail, or a part of one, as bytes: its header's fields, and where
 * its parts begin and end. One reading, within limits, which is what is
 * rebuilt:
 *  - a line ends with LF or CR LF; a lone CR is a blank;
 *  - a header ends with an empty line, or before a line that is no field;
 *  - a delimiter is a line of "--", the boundary, perhaps "--", and blanks;
 *    the innermost multipart that could have it never gets it when an outer
 *    one has it.
 *
 * It is our own, and not GMime's: that one converts names and addresses while
 * it parses, by iconv, which opens the module of whatever charset a mail
 * names; a job without files is killed for that.
 */
#pragma once

#include "filters/detox.h"

struct mail_field {
	struct bytes name;
	struct bytes value; /* as it stands there, with its folds */
};

struct mail_head {
	struct mail_field *fields; /* of the job's arena */
	size_t n;
	bool damaged; /* it ended before a line that is no field */
};

/* Takes the header from *b, which is a body afterwards. DETOX_REFUSED: it
 * passes a limit. */
enum detox_result mail_head_take(
    struct detox *d, struct bytes *b, struct mail_head *out) MUST_CHECK;
/* The first field of that name, in one line, without controls; empty: none. */
struct bytes mail_head_find(
    struct detox *d, const struct mail_head *h, const char *name);
/* A value in one line, without controls; of the job's arena. */
struct bytes mail_unfold(struct detox *d, struct bytes value);

/* A line without its end, which leaves *b. */
struct bytes mail_line_take(struct bytes *b);

struct mail_parts {
	struct bytes rest;
	struct bytes boundary; /* not empty */
	struct bytes preamble;
	bool open; /* a part begins at rest */
	bool closed;
};

/* body: of a multipart. */
void mail_parts_init(
    struct mail_parts *p, struct bytes body, struct bytes boundary);
/* false: no more; what is behind the last delimiter is in p->rest. */
bool mail_parts_next(struct mail_parts *p, struct bytes *part_out);
