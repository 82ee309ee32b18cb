/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by its signs: strings are decoded, names become labels, objects are
 * records, arrays within arrays rows. Grammar is not enforced beyond nesting
 * and strings; what is odd is told and read on.
 */
#include "filters/dlp/container.h"

#define DEPTH_MAX 64

struct json {
	enum json_at {
		AT_VALUE = 0,
		AT_STRING,
		AT_ESCAPE,
		AT_CODE
	} at;
	uint64_t objects; /* a bit per level: an object, not an array */
	uint32_t depth;
	uint32_t code, code_n; /* \uXXXX so far */
	uint32_t high;         /* a surrogate that waits for its second; or 0 */
	bool closed;           /* a bracket was the last: it made the border */
};

static bool
in_object(const struct json *j)
{
	return j->depth > 0 && j->depth <= DEPTH_MAX &&
	    (j->objects >> (j->depth - 1) & 1) != 0;
}

static void
open_level(struct json *j, struct sink *s, bool object)
{
	if (j->depth >= DEPTH_MAX)
		sink_odd(s, "too many levels");
	else if (object)
		j->objects |= UINT64_C(1) << j->depth;
	else
		j->objects &= ~(UINT64_C(1) << j->depth);
	if (j->depth < UINT32_MAX)
		j->depth++;
}

static void
close_level(struct json *j, struct sink *s, bool object)
{
	if (j->depth == 0 || (j->depth <= DEPTH_MAX && in_object(j) != object))
		sink_odd(s, "brackets that do not match");
	if (j->depth > 0)
		j->depth--;
}

static void
take_sign(struct json *j, struct sink *s, uint8_t c)
{
	bool closed = j->closed;

	if (c == ' ' || c == '\t' || c == '\r')
		return;
	j->closed = c == ']' || c == '}' || (closed && c == '\n');
	switch (c) {
	case '"':
		j->at = AT_STRING;
		return;
	case '{':
		open_level(j, s, true);
		sink_byte(s, DLP_FIELD);
		return;
	case '[':
		open_level(j, s, false);
		return;
	case '}':
		close_level(j, s, true);
		sink_byte(s, DLP_RECORD);
		return;
	case ']':
		close_level(j, s, false);
		sink_byte(s, '\n');
		return;
	case ',':
		if (in_object(j))
			sink_byte(s, DLP_FIELD);
		else if (!closed)
			sink_byte(s, DLP_CELL);
		return;
	case ':':
		sink_bytes(s, BYTES(": "));
		return;
	case '\n':
		/* one document per line: each is a record of its own */
		if (j->depth == 0)
			sink_byte(s, DLP_RECORD);
		return;
	}
	sink_byte(s, c);
}

static void
end_surrogate(struct json *j, struct sink *s)
{
	if (j->high == 0)
		return;
	j->high = 0;
	sink_odd(s, "half a character");
	sink_sign(s, 0xfffd);
}

static void
take_code(struct json *j, struct sink *s)
{
	uint32_t code = j->code;

	j->at = AT_STRING;
	if (j->high != 0 && code >= 0xdc00 && code < 0xe000) {
		sink_sign(
		    s, 0x10000 + ((j->high - 0xd800) << 10) + (code - 0xdc00));
		j->high = 0;
		return;
	}
	end_surrogate(j, s);
	if (code >= 0xd800 && code < 0xdc00) {
		j->high = code;
		return;
	}
	if (code >= 0xdc00 && code < 0xe000)
		sink_odd(s, "half a character");
	sink_sign(s, code);
}

static void
take_escape(struct json *j, struct sink *s, uint8_t c)
{
	static const char from[] = "bfnrt";
	static const char to[] = "  \n \t";
	const char *found = c == 0 ? NULL : strchr(from, c);

	if (c == 'u') {
		j->at = AT_CODE;
		j->code = j->code_n = 0;
		return;
	}
	end_surrogate(j, s);
	j->at = AT_STRING;
	if (found == NULL && c != '"' && c != '\\' && c != '/')
		sink_odd(s, "a bad escape");
	sink_byte(s, found != NULL ? (uint8_t)to[found - from] : c);
}

static void
take_string(struct json *j, struct sink *s, uint8_t c)
{
	if (c == '\\') {
		j->at = AT_ESCAPE;
		return;
	}
	end_surrogate(j, s);
	if (c == '"') {
		j->at = AT_VALUE;
		return;
	}
	if (c < 0x20)
		sink_odd(s, "a control in a string");
	sink_byte(s, c);
}

static void
json_push(void *state, struct sink *s, struct bytes in)
{
	struct json *j = state;

	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];

		switch (j->at) {
		case AT_VALUE:
			take_sign(j, s, c);
			break;
		case AT_STRING:
			take_string(j, s, c);
			break;
		case AT_ESCAPE:
			take_escape(j, s, c);
			break;
		case AT_CODE:
			if (byte_hex(c) < 0) {
				sink_odd(s, "a bad escape");
				j->at = AT_STRING;
				take_string(j, s, c);
				break;
			}
			j->code = j->code << 4 | (uint32_t)byte_hex(c);
			if (++j->code_n == 4)
				take_code(j, s);
			break;
		}
	}
}

static void
json_end(void *state, struct sink *s)
{
	struct json *j = state;

	if (j->at != AT_VALUE || j->depth > 0)
		sink_odd(s, "it ends too early");
	sink_byte(s, DLP_RECORD);
}

const struct container_type json_container = {
	.state_size = sizeof(struct json),
	.push = json_push,
	.end = json_end,
};
