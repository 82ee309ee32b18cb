/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtd: Ichitaro 8 and later. The format is not published; the stream
 * DocumentText has the text as UTF-16, the high byte first, behind a head of
 * other bytes, with what is not text between 0x1c and 0x1f. Only that text
 * comes out.
 */
#include "filters/ole/le.h"
#include "filters/ole/part.h"
#include "filters/text/utf8.h"

#define CONTROL_BEGIN 0x1c
#define CONTROL_END 0x1f
#define CONTROL_MAX 4096 /* units; a longer one is none */
#define HEAD_MAX 256     /* units, of the head */

struct text {
	struct detox *d;
	struct detox_output *out;
	uint64_t in_n, out_n;
	uint32_t high; /* half a pair */
};

static uint16_t
unit_at(const struct buf *b, size_t i)
{
	return (uint16_t)(b->p[i * 2] << 8 | b->p[i * 2 + 1]);
}

/* Where a control begun at i ends: the unit behind. */
static size_t
pass_control(const struct buf *b, size_t i, size_t n)
{
	size_t end = n - i > CONTROL_MAX ? i + CONTROL_MAX : n;

	for (size_t j = i + 1; j < end; j++)
		if (unit_at(b, j) == CONTROL_END)
			return j + 1;
	return i + 1;
}

static bool
is_character(uint32_t c)
{
	if (c < 0x20)
		return c == '\n' || c == '\t';
	return c != 0x7f && !(c >= 0x80 && c < 0xa0) &&
	    !(c >= 0xd800 && c < 0xe000) && !(c >= 0xfdd0 && c <= 0xfdef) &&
	    (c & 0xfffe) != 0xfffe && c != 0xfeff &&
	    !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

static enum detox_result
put_character(struct text *t, uint32_t c)
{
	uint8_t bytes[UTF8_MAX];
	size_t n;

	if (!is_character(c))
		return DETOX_REBUILT;
	t->in_n++;
	t->out_n++;
	n = utf8_write(bytes, c);
	return detox_put(t->d, t->out, (struct bytes){ bytes, n });
}

static enum detox_result
put_unit(struct text *t, uint16_t u)
{
	uint32_t high = t->high;

	t->high = 0;
	if (u >= 0xd800 && u < 0xdc00) {
		t->high = u;
		return DETOX_REBUILT;
	}
	if (u >= 0xdc00 && u < 0xe000)
		return high == 0
		    ? DETOX_REBUILT
		    : put_character(
			  t, 0x10000 + ((high - 0xd800) << 10) + (u - 0xdc00u));
	return put_character(t, u == '\r' ? '\n' : u);
}

/* The first control, near the beginning, ends the head. */
static size_t
text_begin(const struct buf *b, size_t n)
{
	for (size_t i = 0; i < n && i < HEAD_MAX; i++)
		if (unit_at(b, i) == CONTROL_BEGIN)
			return i;
	return 0;
}

static enum detox_result
put_text(struct text *t, const struct buf *b)
{
	size_t n = b->n / 2;

	for (size_t i = text_begin(b, n); i < n;) {
		uint16_t u = unit_at(b, i);

		if (u == CONTROL_BEGIN) {
			i = pass_control(b, i, n);
			continue;
		}
		i++;
		if (put_unit(t, u) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	detox_text(t->d, t->in_n, t->out_n);
	/* A document without text is one line of it. */
	return t->out_n > 0 ? DETOX_REBUILT
			    : detox_put(t->d, t->out, BYTES("\n"));
}

enum detox_result
jtd_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	struct text t = { .d = d, .out = out };
	struct buf b;
	enum detox_result result = part_read(d, c, 0, "DocumentText", &b);

	out->extension = "txt";
	if (result == DETOX_REBUILT)
		result = put_text(&t, &b);
	buf_release(&b);
	return result;
}
