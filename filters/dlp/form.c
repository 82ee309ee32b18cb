/* SPDX-License-Identifier: Apache-2.0 */
/* "name=value&name=value": each field becomes "name: value". */
#include "filters/dlp/container.h"

struct form {
	enum form_at {
		AT_TEXT = 0,
		AT_ESCAPE,
		AT_ESCAPE_SECOND
	} at;
	bool in_value;
	uint8_t first; /* digit of an escape */
};

static void
take_text(struct form *f, struct sink *s, uint8_t c)
{
	switch (c) {
	case '%':
		f->at = AT_ESCAPE;
		return;
	case '+':
		sink_byte(s, ' ');
		return;
	case '&':
		sink_byte(s, DLP_FIELD);
		f->in_value = false;
		return;
	case '=':
		if (!f->in_value) {
			f->in_value = true;
			sink_bytes(s, BYTES(": "));
			return;
		}
	}
	sink_byte(s, c);
}

static void
take_escape(struct form *f, struct sink *s, uint8_t c)
{
	bool second = f->at == AT_ESCAPE_SECOND;

	if (byte_hex(c) < 0) {
		/* As servers do: what is no escape is what it is. */
		sink_odd(s, "a bad escape");
		f->at = AT_TEXT;
		sink_byte(s, '%');
		if (second)
			sink_byte(s, f->first);
		take_text(f, s, c);
	} else if (second) {
		f->at = AT_TEXT;
		sink_byte(s,
		    (uint8_t)((unsigned)byte_hex(f->first) << 4 |
			(unsigned)byte_hex(c)));
	} else {
		f->at = AT_ESCAPE_SECOND;
		f->first = c;
	}
}

static void
form_push(void *state, struct sink *s, struct bytes in)
{
	struct form *f = state;

	for (size_t i = 0; i < in.n; i++) {
		switch (f->at) {
		case AT_TEXT:
			take_text(f, s, in.p[i]);
			break;
		case AT_ESCAPE:
		case AT_ESCAPE_SECOND:
			take_escape(f, s, in.p[i]);
			break;
		}
	}
}

static void
form_end(void *state, struct sink *s)
{
	struct form *f = state;

	if (f->at != AT_TEXT) {
		sink_odd(s, "a bad escape");
		sink_byte(s, '%');
		if (f->at == AT_ESCAPE_SECOND)
			sink_byte(s, f->first);
	}
	sink_byte(s, DLP_RECORD);
}

const struct container_type form_container = {
	.state_size = sizeof(struct form),
	.push = form_push,
	.end = form_end,
};
