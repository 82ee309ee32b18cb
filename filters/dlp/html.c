/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML and XML by their tags: cells and rows of tables, line ends, references
 * to characters. A tag within a line parts nothing ("<b>12</b>34"); what stands
 * in a tag with many digits or in another script (value="…", a comment) is text
 * too.
 */
#include "filters/dlp/container.h"

#define TAG_MAX 512      /* bytes of one that are looked at */
#define TAG_DIGITS 7     /* so many digits make it text */
#define REFERENCE_MAX 12 /* of "&…;" */

_Static_assert(TAG_MAX + 2 <= CONTAINER_HELD_MAX, "a tag and its borders");

struct html {
	enum html_at {
		AT_TEXT = 0,
		AT_TAG,
		AT_REFERENCE
	} at;
	size_t n;
	size_t digits;
	bool spoken; /* it has characters that no tag's syntax has */
	uint8_t held[TAG_MAX];
};

static const struct {
	struct bytes name;
	uint8_t border;
} tags[] = {
	{ BYTES_ROW("/td"), DLP_CELL },
	{ BYTES_ROW("/th"), DLP_CELL },
	{ BYTES_ROW("/tr"), '\n' },
	{ BYTES_ROW("/table"), DLP_RECORD },
	{ BYTES_ROW("table"), DLP_RECORD },
	{ BYTES_ROW("br"), '\n' },
	{ BYTES_ROW("br/"), '\n' },
	{ BYTES_ROW("p"), '\n' },
	{ BYTES_ROW("/p"), '\n' },
	{ BYTES_ROW("/div"), '\n' },
	{ BYTES_ROW("/li"), '\n' },
	{ BYTES_ROW("/dd"), '\n' },
	{ BYTES_ROW("/h1"), '\n' },
	{ BYTES_ROW("/h2"), '\n' },
	{ BYTES_ROW("/h3"), '\n' },
	{ BYTES_ROW("/title"), '\n' },
	{ BYTES_ROW("script"), DLP_RECORD },
	{ BYTES_ROW("/script"), DLP_RECORD },
};

static const struct {
	struct bytes name;
	uint32_t code;
} references[] = {
	{ BYTES_ROW("amp"), '&' },
	{ BYTES_ROW("lt"), '<' },
	{ BYTES_ROW("gt"), '>' },
	{ BYTES_ROW("quot"), '"' },
	{ BYTES_ROW("apos"), '\'' },
	{ BYTES_ROW("nbsp"), 0xa0 },
	{ BYTES_ROW("ensp"), 0x2002 },
	{ BYTES_ROW("emsp"), 0x2003 },
	{ BYTES_ROW("shy"), 0xad },
	{ BYTES_ROW("hyphen"), 0x2010 },
	{ BYTES_ROW("ndash"), 0x2013 },
	{ BYTES_ROW("mdash"), 0x2014 },
	{ BYTES_ROW("minus"), 0x2212 },
};

static void
end_tag(struct html *h, struct sink *s)
{
	const struct bytes whole = { h->held, h->n };
	size_t n = 0;

	while (n < whole.n && whole.p[n] > ' ')
		n++;
	if (h->digits >= TAG_DIGITS || h->spoken) {
		sink_byte(s, DLP_FIELD);
		sink_bytes(s, whole);
		sink_byte(s, DLP_FIELD);
	}
	for (size_t i = 0; i < COUNT(tags); i++)
		if (bytes_equal_nocase(
			(struct bytes){ whole.p, n }, tags[i].name))
			sink_byte(s, tags[i].border);
	h->at = AT_TEXT;
}

/* A tag that is longer than what is held goes out as text, so that no long tag
 * hides a number. */
static void
take_tag(struct html *h, struct sink *s, uint8_t c)
{
	if (c == '>') {
		end_tag(h, s);
		return;
	}
	if (h->n == TAG_MAX) {
		sink_odd(s, "a long tag");
		sink_byte(s, DLP_FIELD);
		sink_bytes(s, (struct bytes){ h->held, h->n });
		sink_byte(s, c);
		h->at = AT_TEXT;
		return;
	}
	h->held[h->n++] = c;
	h->digits += c >= '0' && c <= '9';
	h->spoken = h->spoken || c >= 0x80;
}

/* "#48", "#x30"; 0: none. */
static uint32_t
number_of(struct bytes b)
{
	uint32_t code = 0;
	bool hex = b.n > 2 && (b.p[1] | 0x20) == 'x';

	for (size_t i = hex ? 2 : 1; i < b.n; i++) {
		int digit = byte_hex(b.p[i]);

		if (digit < 0 || (!hex && digit > 9) || code > 0x10ffff)
			return 0;
		code = code * (hex ? 16 : 10) + (uint32_t)digit;
	}
	return code;
}

static uint32_t
reference_of(struct bytes b)
{
	if (b.n > 1 && b.p[0] == '#')
		return number_of(b);
	for (size_t i = 0; i < COUNT(references); i++)
		if (bytes_equal(b, references[i].name))
			return references[i].code;
	return 0;
}

static void take_text(struct html *h, struct sink *s, uint8_t c);

static void
give_up_reference(struct html *h, struct sink *s)
{
	sink_byte(s, '&');
	sink_bytes(s, (struct bytes){ h->held, h->n });
	h->at = AT_TEXT;
}

static bool
is_name(uint8_t c)
{
	return c == '#' || (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void
take_reference(struct html *h, struct sink *s, uint8_t c)
{
	uint32_t code;

	if (is_name(c) && h->n < REFERENCE_MAX) {
		h->held[h->n++] = c;
		return;
	}
	/* Browsers need no ';' behind a number. */
	code = reference_of((struct bytes){ h->held, h->n });
	if (code == 0) {
		give_up_reference(h, s);
		take_text(h, s, c);
		return;
	}
	h->at = AT_TEXT;
	sink_sign(s, code);
	if (c != ';')
		take_text(h, s, c);
}

static void
take_text(struct html *h, struct sink *s, uint8_t c)
{
	h->n = h->digits = 0;
	h->spoken = false;
	if (c == '<')
		h->at = AT_TAG;
	else if (c == '&')
		h->at = AT_REFERENCE;
	else
		sink_byte(s, c);
}

static void
html_push(void *state, struct sink *s, struct bytes in)
{
	struct html *h = state;

	for (size_t i = 0; i < in.n; i++) {
		switch (h->at) {
		case AT_TEXT:
			take_text(h, s, in.p[i]);
			break;
		case AT_TAG:
			take_tag(h, s, in.p[i]);
			break;
		case AT_REFERENCE:
			take_reference(h, s, in.p[i]);
			break;
		}
	}
}

static void
html_end(void *state, struct sink *s)
{
	struct html *h = state;

	if (h->at == AT_REFERENCE)
		take_reference(h, s, ';');
	if (h->at == AT_TAG) {
		sink_odd(s, "a tag that does not end");
		sink_bytes(s, (struct bytes){ h->held, h->n });
	}
	sink_byte(s, DLP_RECORD);
}

const struct container_type html_container = {
	.state_size = sizeof(struct html),
	.push = html_push,
	.end = html_end,
};
