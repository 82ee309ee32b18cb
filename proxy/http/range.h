/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range: parts of a body (RFC 9110 section 14). Who judges bodies can judge
 * neither many parts at once nor a part that nobody asked for; docs/HTTP.md has
 * the table.
 */
#pragma once

#include "proxy/http/message.h"

/*
 * One range of bytes may be asked for, with GET or HEAD; any other Range of
 * bytes is left out with its If-Range, so that the whole comes. Ranges of other
 * units pass: they are an application's own. Whether a part may now come.
 */
bool range_ask(struct message *request);

enum range_part {
	RANGE_REFUSED = 0, /* *why_out, a static string */
	RANGE_WHOLE,       /* the answer stands for itself */
	RANGE_PART,        /* *length_out bytes of what the request asked for */
};
/* The request as it was sent. Content-Range of bytes stays with 206 and 416
 * alone, for elsewhere it means nothing. */
enum range_part range_settle(const struct message *request,
    struct message *answer, uint64_t *length_out, const char **why_out);
