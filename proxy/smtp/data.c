/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/data.h"

#include <string.h>

static const struct bytes line_end = BYTES_ROW("\r\n");
static const struct bytes lone_dot = BYTES_ROW(".");

void
data_begin(struct data *d, enum data_lines lines, uint64_t size_max)
{
	*d = (struct data){ .lines = lines, .size_max = size_max };
}

const char *
data_fault_words(enum data_fault f)
{
	switch (f) {
	case DATA_FAULT_NONE:
		break;
	case DATA_FAULT_LF:
		return "bare line feed";
	case DATA_FAULT_CR:
		return "bare carriage return";
	case DATA_FAULT_NUL:
		return "NUL byte";
	case DATA_FAULT_SIZE:
		return "too large";
	}
	return "";
}

static void
fail(struct data *d, enum data_fault f)
{
	if (d->fault == DATA_FAULT_NONE)
		d->fault = f;
}

static void
count_line(struct data *d, uint64_t more)
{
	d->line += more;
	if (d->line > d->longest)
		d->longest = d->line;
}

bool
data_is_eight_bit(struct bytes b)
{
	uint64_t all = 0;
	size_t i = 0;

	for (; i + sizeof(uint64_t) <= b.n; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, b.p + i, sizeof(word));
		all |= word;
	}
	for (; i < b.n; i++)
		all |= (uint64_t)b.p[i] << 56 | b.p[i];
	return (all & 0x8080808080808080u) != 0;
}

/* Content goes out as this piece, unless something was wrong before it. */
static enum data_answer
give(struct data *d, struct bytes piece, struct bytes *piece_out)
{
	if (memchr(piece.p, '\0', piece.n) != NULL)
		fail(d, DATA_FAULT_NUL);
	if (!d->eight_bit)
		d->eight_bit = data_is_eight_bit(piece);
	d->size += piece.n;
	if (d->size > d->size_max)
		fail(d, DATA_FAULT_SIZE);
	if (d->fault != DATA_FAULT_NONE)
		return DATA_MORE;
	*piece_out = piece;
	return DATA_PIECE;
}

static enum data_answer
give_line_end(struct data *d, struct bytes *piece_out)
{
	count_line(d, line_end.n);
	d->line = 0;
	d->state = DATA_AT_START;
	return give(d, line_end, piece_out);
}

/* What others take for an end of line: a fault, or one that we write. Behind it
 * no dot is special, as the sender's lines end with CRLF alone. */
static enum data_answer
give_bare_end(struct data *d, enum data_fault f, struct bytes *piece_out)
{
	enum data_answer answer;

	if (d->lines == DATA_REFUSE)
		fail(d, f);
	answer = give_line_end(d, piece_out);
	d->state = DATA_IN_LINE;
	return answer;
}

/* Where the run of good lines at in's head ends: at a dot that begins a line,
 * at an end of line that is none, or at what is no whole line. The state is the
 * one there. */
static size_t
good_run(struct data *d, struct bytes in)
{
	size_t at = 0;

	while (at < in.n) {
		const uint8_t *line = in.p + at;
		const uint8_t *lf;
		size_t n;

		if (d->state == DATA_AT_START && *line == '.')
			return at;
		lf = memchr(line, '\n', in.n - at);
		n = lf == NULL ? in.n - at : (size_t)(lf - line);
		if (n > 0 && memchr(line, '\r', n) != NULL) {
			const uint8_t *cr = memchr(line, '\r', n);
			size_t before = (size_t)(cr - line);

			if (lf == NULL || before != n - 1) {
				count_line(d, before);
				d->state = DATA_IN_LINE;
				return at + before;
			}
		} else if (lf != NULL || n == 0) {
			/* a bare LF, or nothing is left */
			count_line(d, n);
			if (n > 0)
				d->state = DATA_IN_LINE;
			return at + n;
		} else {
			count_line(d, n);
			d->state = DATA_IN_LINE;
			return in.n;
		}
		count_line(d, n + 1);
		d->line = 0;
		d->state = DATA_AT_START;
		at += n + 1;
	}
	return at;
}

/* A byte that the run stopped at. */
static enum data_answer
take_odd(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	uint8_t c = *bytes_take(in, 1).p;

	if (c == '.') {
		d->state = DATA_DOT;
		return DATA_MORE;
	}
	if (c == '\r') {
		d->state = DATA_CR;
		return DATA_MORE;
	}
	must(c == '\n');
	return give_bare_end(d, DATA_FAULT_LF, piece_out);
}

static enum data_answer
take_lines(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	size_t n = good_run(d, *in);

	if (n > 0)
		return give(d, bytes_take(in, n), piece_out);
	return take_odd(d, in, piece_out);
}

/* Behind a CR: with LF the line ends; else it was a bare one. */
static enum data_answer
take_cr(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	if (*in->p != '\n')
		return give_bare_end(d, DATA_FAULT_CR, piece_out);
	bytes_take(in, 1);
	return give_line_end(d, piece_out);
}

/* Behind a dot that begins a line: it ends the content, or goes. */
static enum data_answer
take_dot(struct data *d, struct bytes *in)
{
	if (*in->p == '\r') {
		bytes_take(in, 1);
		d->state = DATA_DOT_CR;
	} else {
		d->state = DATA_IN_LINE;
	}
	return DATA_MORE;
}

static enum data_answer
take_dot_cr(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	if (*in->p == '\n') {
		bytes_take(in, 1);
		d->state = DATA_ENDED;
		return DATA_END;
	}
	/* ".", a bare CR: a line with a dot of its own would be an end for who
	 * reads it as one. */
	d->state = DATA_CR;
	count_line(d, lone_dot.n);
	return give(d, lone_dot, piece_out);
}

static enum data_answer
step(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	switch (d->state) {
	case DATA_AT_START:
	case DATA_IN_LINE:
		return take_lines(d, in, piece_out);
	case DATA_CR:
		return take_cr(d, in, piece_out);
	case DATA_DOT:
		return take_dot(d, in);
	case DATA_DOT_CR:
		return take_dot_cr(d, in, piece_out);
	case DATA_ENDED:
		break;
	}
	return DATA_END;
}

enum data_answer
data_take(struct data *d, struct bytes *in, struct bytes *piece_out)
{
	enum data_answer answer = DATA_MORE;

	while (answer == DATA_MORE && in->n > 0)
		answer = step(d, in, piece_out);
	return answer;
}
