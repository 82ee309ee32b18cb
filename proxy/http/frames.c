/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/frames.h"

#include <string.h>

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126
#define LENGTH_64 127
#define CONTROL 0x08 /* the bit of opcodes 8 to 15 */
#define MASK_N 4

enum opcode {
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8,
	OPCODE_PONG = 10,
};

static bool
is_control(const struct frames *f)
{
	return (f->head[0] & CONTROL) != 0;
}

/* What the first two bytes may say. NULL, or why not. */
static const char *
judge_head(const struct frames *f)
{
	unsigned opcode = f->head[0] & OPCODE;
	bool last = (f->head[0] & FIN) != 0;

	if ((f->head[0] & RESERVED) != 0)
		return "a WebSocket frame with reserved bits";
	if ((opcode > OPCODE_BINARY && opcode < OPCODE_CLOSE) ||
	    opcode > OPCODE_PONG)
		return "a WebSocket frame of no known kind";
	if ((f->head[1] & MASKED) == 0)
		return "a WebSocket frame without a mask";
	if (is_control(f))
		return !last ? "a control frame in pieces"
		    : (f->head[1] & LENGTH) > FRAMES_CONTROL_MAX
		    ? "a control frame over 125 bytes"
		    : NULL;
	if (opcode == OPCODE_CONTINUATION && !f->in_message)
		return "a WebSocket frame that goes on with nothing";
	if (opcode != OPCODE_CONTINUATION && f->in_message)
		return "a WebSocket message within another";
	return NULL;
}

static size_t
length_n(const struct frames *f)
{
	unsigned length = f->head[1] & LENGTH;

	return length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
}

/* 0, or -1: it is not in its shortest form, or no length at all. */
static int
read_length(struct frames *f)
{
	size_t n = length_n(f);
	uint64_t least = n == 8 ? 0x10000 : n == 2 ? LENGTH_16 : 0;

	f->left = n == 0 ? f->head[1] & LENGTH : 0;
	for (size_t i = 0; i < n; i++)
		f->left = f->left << 8 | f->head[2 + i];
	return f->left < least || f->left > INT64_MAX ? -1 : 0;
}

/* false: more of it is to come, or it is bad and f->why says why. */
static bool
take_head(struct frames *f, struct bytes *in)
{
	while (in->n > 0) {
		f->head[f->head_n++] = *bytes_take(in, 1).p;
		if (f->head_n < 2)
			continue;
		if (f->head_n == 2)
			f->why = judge_head(f);
		if (f->why != NULL)
			return false;
		if (f->head_n < 2 + length_n(f) + MASK_N)
			continue;
		if (read_length(f) < 0)
			f->why = "the length of a WebSocket frame in a form"
				 " that is not its own";
		return f->why == NULL;
	}
	return false;
}

static enum frames_event
end_frame(struct frames *f)
{
	bool last = (f->head[0] & FIN) != 0;

	f->in_payload = false;
	f->head_n = 0;
	if (is_control(f))
		return FRAMES_CONTROL;
	f->in_message = !last;
	return last ? FRAMES_MESSAGE : FRAMES_MORE;
}

static struct bytes
take_payload(struct frames *f, struct bytes *in)
{
	const uint8_t *mask = f->head + f->head_n - MASK_N;
	size_t n = in->n < FRAMES_PIECE_MAX ? in->n : FRAMES_PIECE_MAX;
	struct bytes masked = bytes_take(in, n < f->left ? n : (size_t)f->left);

	for (size_t i = 0; i < masked.n; i++)
		f->piece[i] = masked.p[i] ^ mask[f->mask_at++ % MASK_N];
	f->left -= masked.n;
	return (struct bytes){ f->piece, masked.n };
}

/* It fits: judge_head saw to it. */
static void
keep_control(struct frames *f, struct bytes data)
{
	memcpy(f->control + f->control_n, data.p, data.n);
	f->control_n += data.n;
}

enum frames_event
frames_next(struct frames *f, struct bytes *in, struct bytes *data_out)
{
	if (f->why != NULL)
		return FRAMES_BAD;
	while (in->n > 0 || (f->in_payload && f->left == 0)) {
		if (!f->in_payload) {
			if (!take_head(f, in))
				return f->why != NULL ? FRAMES_BAD
						      : FRAMES_MORE;
			f->in_payload = true;
			f->mask_at = f->control_n = 0;
		} else if (f->left > 0) {
			struct bytes data = take_payload(f, in);

			if (is_control(f)) {
				keep_control(f, data);
				continue;
			}
			*data_out = data;
			return FRAMES_DATA;
		} else {
			enum frames_event e = end_frame(f);

			if (e == FRAMES_CONTROL)
				*data_out =
				    (struct bytes){ f->control, f->control_n };
			if (e != FRAMES_MORE)
				return e;
		}
	}
	return FRAMES_MORE;
}

bool
frames_between(const struct frames *f)
{
	return f->head_n == 0 && !f->in_payload && !f->in_message;
}

void
frames_write_close(uint8_t out[FRAMES_CLOSE_N], unsigned status)
{
	out[0] = FIN | OPCODE_CLOSE;
	out[1] = 2;
	out[2] = (uint8_t)(status >> 8);
	out[3] = (uint8_t)status;
}
