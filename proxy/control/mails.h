/* SPDX-License-Identifier: Apache-2.0 */
/* mails: what became of a mail, from the journal: `sekishoctl mail trace`. */
#pragma once

#include <stdbool.h>

struct trace_order {
	const char *journal; /* the file; "-": stdin */
	const char *id;      /* a mail's number, or a Message-ID */
	bool json;           /* the lines as they are */
};

/* The exit status of the command: 0; 1: it could not be read, or no line is on
 * it. */
int mail_trace(const struct trace_order *o);
