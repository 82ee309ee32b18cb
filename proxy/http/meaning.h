/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meaning: an answer has one, or is refused, whichever version of HTTP brought
 * it. What two clients could understand in two ways is written anew as what is
 * understood here. docs/HTTP.md, section 3, has the table.
 */
#pragma once

#include "proxy/http/coding.h"

/* Of one answer; zeroed, it lets any body pass (a tunnel). */
struct meaning {
	struct decode *decoding; /* or NULL */
	uint64_t left;           /* of the body, when counted */
	bool counted;
};

/* Takes out of a request what would be answered in two ways. */
void meaning_ask(struct arena *a, struct message *request);

struct meaning_limits {
	bool check_codings;
	uint32_t decoded_ratio;
};
/* A final head, before it goes on. NULL, or why it must not: a static string;
 * *m is released in any case when the exchange is over. */
const char *meaning_settle(struct meaning *m, const struct message *request,
    struct message *answer, const struct meaning_limits *limits) MUST_CHECK;
/* NULL, or why these bytes must not go on. What completes a body of known
 * length is judged with it, so that nobody gets the whole of a bad one. */
const char *meaning_body(struct meaning *m, struct bytes b) MUST_CHECK;
const char *meaning_end(const struct meaning *m) MUST_CHECK;
void meaning_release(struct meaning *m);
