/* SPDX-License-Identifier: Apache-2.0 */
/* reply: an answer of SMTP, ours or a peer's. */
#pragma once

#include "proxy/base/bytes.h"

#define REPLY_TEXT_MAX 480 /* so that a line stays below 512 bytes */

/* A zeroed one is no answer at all; who judges by it refuses for now. */
struct smtp_reply {
	unsigned code;                 /* 250; 0: none came */
	char enhanced[12];             /* "5.7.1" (RFC 3463); "": none */
	char text[REPLY_TEXT_MAX + 1]; /* printable ASCII of one line; the lines
					* of a peer's joined by blanks */
};

/* 2yz, 4yz, 5yz; what is none of those counts as a failure for now. */
static inline bool
reply_is_done(const struct smtp_reply *r)
{
	return r->code >= 200 && r->code < 300;
}

static inline bool
reply_is_final(const struct smtp_reply *r)
{
	return r->code >= 500 && r->code < 600;
}

/* Fills *r; the text is cut at REPLY_TEXT_MAX, what is not printable ASCII in
 * it becomes '?'. enhanced NULL: none. */
void reply_set(struct smtp_reply *r, unsigned code, const char *enhanced,
    const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * Reads replies of a peer, one after the other; strictly: lines that end in
 * CRLF, three digits, one code for all lines. Zeroed it is ready.
 */
#define REPLY_LINE_MAX 2048 /* with its CRLF */
#define REPLY_LINES_MAX 100

struct reply_reader {
	struct smtp_reply reply; /* as far as it came, or the last one */
	struct bytes line; /* what the last line said behind its code, until
			    * the next call */
	bool first;        /* it is the first of its reply */
	const char *why;   /* BAD: a static string */
	size_t lines_n;
	size_t n; /* of bytes: a line that has begun */
	uint8_t bytes[REPLY_LINE_MAX];
};

enum reply_progress {
	REPLY_BAD = 0, /* no SMTP; nothing more can be read */
	REPLY_MORE,    /* all of in was taken */
	REPLY_LINE,    /* a line, and another one follows */
	REPLY_WHOLE,   /* the last line */
};
enum reply_progress reply_read(struct reply_reader *r, struct bytes *in);
