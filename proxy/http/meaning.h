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
	enum coding coding; /* of the body, as settled */
	uint64_t left;      /* of the body, when counted */
	bool counted;
};

/* Takes out of a request what would be answered in two ways. */
void meaning_ask(struct arena *a, struct message *request);

/* A final head, before it goes on. NULL, or why it must not: a static string.
 */
const char *meaning_settle(struct meaning *m, const struct message *request,
    struct message *answer) MUST_CHECK;
/* NULL, or why these bytes must not go on. */
const char *meaning_body(struct meaning *m, struct bytes b) MUST_CHECK;
/* Whether all of a body of known length has come: what completes it is judged
 * with it, so that nobody gets the whole of a bad one. */
bool meaning_complete(const struct meaning *m);
const char *meaning_end(const struct meaning *m) MUST_CHECK;
