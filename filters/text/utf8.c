/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/utf8.h"

/* Bytes of the character at the beginning of b; 0: none is there. */
static size_t
length(struct bytes b)
{
	uint8_t first = b.p[0];
	size_t n = first < 0x80 ? 1
	    : first < 0xc2      ? 0
	    : first < 0xe0      ? 2
	    : first < 0xf0      ? 3
	    : first < 0xf5      ? 4
				: 0;

	if (n > b.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((b.p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogates, over U+10FFFF. */
	if ((first == 0xe0 && b.p[1] < 0xa0) ||
	    (first == 0xed && b.p[1] > 0x9f) ||
	    (first == 0xf0 && b.p[1] < 0x90) ||
	    (first == 0xf4 && b.p[1] > 0x8f))
		return 0;
	return n;
}

bool
utf8_is_valid(struct bytes b)
{
	while (b.n > 0) {
		size_t n = length(b);

		if (n == 0)
			return false;
		bytes_take(&b, n);
	}
	return true;
}

size_t
utf8_write(uint8_t out[UTF8_MAX], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* Microsoft's reading, and that of JIS. */
static const uint16_t folds[][2] = {
	{ 0x2015, 0x2014 }, /* dash */
	{ 0x2225, 0x2016 }, /* double line */
	{ 0xff0d, 0x2212 }, /* minus */
	{ 0xff5e, 0x301c }, /* wave */
	{ 0xffe0, 0x00a2 }, /* cent */
	{ 0xffe1, 0x00a3 }, /* pound */
	{ 0xffe2, 0x00ac }, /* not */
};

uint32_t
utf8_take(struct bytes *b)
{
	uint8_t first = bytes_take(b, 1).p[0];
	unsigned more = first < 0xc0 ? 0
	    : first < 0xe0           ? 1
	    : first < 0xf0           ? 2
				     : 3;
	uint32_t c = more == 0 ? first : first & (0x3fu >> more);

	for (; more > 0 && b->n > 0; more--)
		c = c << 6 | (bytes_take(b, 1).p[0] & 0x3f);
	return c;
}

uint32_t
utf8_fold(uint32_t c)
{
	if (c < 0x2015 || (c > 0x2225 && c < 0xff0d) || c > 0xffe2)
		return c;
	for (size_t i = 0; i < COUNT(folds); i++)
		if (folds[i][0] == c)
			return folds[i][1];
	return c;
}

void
utf8_fold_text(char *text)
{
	uint8_t *out = (uint8_t *)text;
	struct bytes in = bytes_of(text);

	while (in.n > 0) {
		struct bytes one = bytes_take(&in, length(in));
		uint32_t c = one.p[0];

		/* All of them have three bytes. */
		if (one.n == 3)
			c = utf8_fold((c & 0x0f) << 12 |
			    (one.p[1] & 0x3fu) << 6 | (one.p[2] & 0x3fu));
		if (one.n == 3) {
			out += utf8_write(out, c);
		} else {
			memmove(out, one.p, one.n);
			out += one.n;
		}
	}
	*out = '\0';
}

struct bytes
utf8_trim(struct bytes b)
{
	static const struct bytes blanks[] = { BYTES_ROW("\xc2\xa0"),
		BYTES_ROW("\xe3\x80\x80"), BYTES_ROW("\xe2\x80\x89"),
		BYTES_ROW("\xe2\x80\x8b"), BYTES_ROW("\xe2\x80\xaf"),
		BYTES_ROW("\xef\xbb\xbf") };
	size_t before;

	do {
		before = b.n;
		for (size_t i = 0; i < COUNT(blanks); i++) {
			if (bytes_start_with(b, blanks[i]))
				bytes_take(&b, blanks[i].n);
			if (bytes_end_with(b, blanks[i]))
				b.n -= blanks[i].n;
		}
	} while (b.n != before);
	return b;
}
