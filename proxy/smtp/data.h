/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data: the bytes after 354, line by line (RFC 5321 section 4.5.2): only
 * CRLF.CRLF ends them, the dots that were put before lines are taken out. A
 * pull parser without I/O. What other servers take for an end of line is
 * refused, or made one before anybody judges it; it never ends the content.
 */
#pragma once

#include "proxy/base/bytes.h"

enum data_answer {
	DATA_MORE = 0, /* *in is used up */
	DATA_PIECE,    /* *piece_out is content; points into *in, or is static
			*/
	DATA_END,      /* CRLF.CRLF was taken; *in goes on behind it */
};

/* The first fault stays. From then on there are no pieces, but the end is
 * looked for all the same: what came in between must be nobody's command. */
enum data_fault {
	DATA_FAULT_NONE = 0,
	DATA_FAULT_LF, /* a line feed without carriage return before it */
	DATA_FAULT_CR, /* a carriage return without line feed behind it */
	DATA_FAULT_NUL,
	DATA_FAULT_SIZE, /* more than size_max */
};

enum data_lines {
	DATA_REFUSE = 0, /* bare CR and LF */
	DATA_NORMALISE,  /* make them CRLF; NUL is refused still */
};

struct data {
	enum data_lines lines;
	uint64_t size_max;
	/* what was found */
	enum data_fault fault;
	uint64_t size;    /* of the content, without stuffed dots */
	uint64_t longest; /* line, with its CRLF */
	bool eight_bit;   /* a byte over 127 */
	/* its own */
	uint64_t line; /* bytes of the present one */
	enum data_state {
		DATA_AT_START = 0, /* of a line */
		DATA_IN_LINE,
		DATA_CR,     /* held back */
		DATA_DOT,    /* at the start, held back */
		DATA_DOT_CR, /* both held back */
		DATA_ENDED,
	} state;
};

/* lines and size_max are the caller's; the rest is zeroed here. */
void data_begin(struct data *d, enum data_lines lines, uint64_t size_max);
/* Behind DATA_PIECE, call it again; *in is what it has not taken yet. */
enum data_answer data_take(
    struct data *d, struct bytes *in, struct bytes *piece_out);
/* Whether a byte is over 127. */
bool data_is_eight_bit(struct bytes b);
/* For the answer and the journal: "bare line feed"; static. */
const char *data_fault_words(enum data_fault f);
