/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4180, and its relatives with tabs or semicolons: the first of these that
 * stands outside quotes separates the cells of all rows. */
#include "filters/dlp/container.h"

struct csv {
	enum csv_at {
		AT_CELL = 0,
		AT_BARE,
		AT_QUOTED,
		AT_QUOTE
	} at;
	uint8_t separator; /* 0: not known yet */
};

static bool
is_separator(const struct csv *t, uint8_t c)
{
	return t->separator == 0 ? c == ',' || c == '\t' || c == ';'
				 : c == t->separator;
}

static void
take_bare(struct csv *t, struct sink *s, uint8_t c)
{
	if (is_separator(t, c)) {
		t->separator = c;
		t->at = AT_CELL;
		sink_byte(s, DLP_CELL);
	} else if (c == '\n') {
		t->at = AT_CELL;
		sink_byte(s, '\n');
	} else if (c == '"' && t->at == AT_CELL) {
		t->at = AT_QUOTED;
	} else if (c != '\r') {
		/* "=" before a quote: how a leading zero is kept in Excel */
		if (c != '=')
			t->at = AT_BARE;
		sink_byte(s, c);
	}
}

static void
csv_push(void *state, struct sink *s, struct bytes in)
{
	struct csv *t = state;

	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];

		switch (t->at) {
		case AT_CELL:
		case AT_BARE:
			take_bare(t, s, c);
			break;
		case AT_QUOTED:
			if (c == '"')
				t->at = AT_QUOTE;
			else
				sink_byte(s, c == '\n' || c == '\r' ? ' ' : c);
			break;
		case AT_QUOTE: /* the end, or the first of two */
			if (c == '"') {
				t->at = AT_QUOTED;
				sink_byte(s, '"');
				break;
			}
			t->at = AT_BARE;
			take_bare(t, s, c);
			break;
		}
	}
}

static void
csv_end(void *state, struct sink *s)
{
	struct csv *t = state;

	if (t->at == AT_QUOTED)
		sink_odd(s, "a quote that does not end");
	sink_byte(s, DLP_RECORD);
}

const struct container_type csv_container = {
	.state_size = sizeof(struct csv),
	.push = csv_push,
	.end = csv_end,
};
