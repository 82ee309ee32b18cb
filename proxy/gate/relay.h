/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: bytes from one stream to another, as fast as the second takes them:
 * what it has not taken stops the first. What ends in order on one side ends
 * so on the other, what is cut off is cut off there.
 */
#pragma once

#include "proxy/base/stream.h"

enum relay_answer {
	RELAY_BROKEN = 0, /* one of the two failed; *why_out */
	RELAY_FULL,       /* there are more bytes than may pass */
	RELAY_FLOWS,      /* call again when either is ready */
	RELAY_ENDED,      /* the end has been told */
};

struct relay {
	struct stream *from, *to;
	uint64_t max;   /* bytes that may pass; 0: any */
	uint64_t moved; /* that have */
	enum relay_state {
		RELAY_OPEN = 0,
		RELAY_CUTTING, /* what is queued first */
		RELAY_CUT,
		RELAY_OVER, /* in order */
	} state;
};

/* A buffer's fill at most; for from's on_readable and to's on_drained. */
enum relay_answer relay_pump(
    struct relay *r, uint8_t *buffer, size_t size, const char **why_out);
