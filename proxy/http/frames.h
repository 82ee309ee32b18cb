/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames: what a client says over a WebSocket (RFC 6455 section 5), read
 * strictly as it passes, no extension agreed on. It keeps nothing but a frame's
 * head.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define FRAMES_HEAD_MAX 14
#define FRAMES_PIECE_MAX 4096
#define FRAMES_CONTROL_MAX 125 /* section 5.5 */

/* Zeroed, it stands before the first frame. */
struct frames {
	uint8_t head[FRAMES_HEAD_MAX];
	size_t head_n;
	uint64_t left;   /* of the frame's payload */
	bool in_payload; /* its head was read */
	bool in_message; /* data frames came, the last one not */
	size_t mask_at;
	const char *why; /* of FRAMES_BAD: a static string */
	uint8_t control[FRAMES_CONTROL_MAX];
	size_t control_n;
	uint8_t piece[FRAMES_PIECE_MAX];
};

enum frames_event {
	FRAMES_BAD = 0, /* it takes nothing more */
	FRAMES_MORE,    /* all of the input was taken */
	FRAMES_DATA, /* *data_out: of a message, unmasked; until the next call
		      */
	FRAMES_MESSAGE, /* a message is complete */
	FRAMES_CONTROL, /* a control frame is complete; *data_out: all its
			 * payload; until the next call */
};

/* Takes from *in up to the next event. */
enum frames_event frames_next(
    struct frames *f, struct bytes *in, struct bytes *data_out) MUST_CHECK;
/* Whether all that was taken are whole messages and control frames. */
bool frames_between(const struct frames *f);

/* A close frame to a client: a status (section 7.4.1) without words. */
#define FRAMES_CLOSE_N 4
#define FRAMES_POLICY 1008
#define FRAMES_TOO_BIG 1009
#define FRAMES_PROTOCOL 1002
void frames_write_close(uint8_t out[FRAMES_CLOSE_N], unsigned status);
