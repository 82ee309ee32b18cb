/* SPDX-License-Identifier: Apache-2.0 */
/* jis: UTF-8 as ISO-2022-JP. Only ASCII and JIS X 0208, which every reader
 * has: NEC's row 13 and kana of half width are not in it. */
#include "filters/mail/tree.h"

#include "filters/plain/chars.h"

#define ROW_FIRST 0x21
#define ROW_LAST 0x7e

/* By the character; 0: none. Filled at the first use. */
static uint16_t codes[0x10000];

static bool
is_row_of_jis(unsigned row)
{
	return row <= 0x28 || (row >= 0x30 && row <= 0x74);
}

static void
fill(void)
{
	for (unsigned row = ROW_FIRST; row <= ROW_LAST; row++)
		for (unsigned cell = ROW_FIRST;
		     is_row_of_jis(row) && cell <= ROW_LAST; cell++) {
			uint32_t c = charset_double(CHARSET_EUC_JP,
			    (uint8_t)(row | 0x80), (uint8_t)(cell | 0x80));

			if (c >= 0x80 && c < COUNT(codes) && codes[c] == 0)
				codes[c] = (uint16_t)(row << 8 | cell);
		}
}

bool
mail_put_jis(struct bytes text, struct buf *out)
{
	struct character x = { 0 };
	bool wide = false;
	struct chars s;

	if (codes[0x3042] == 0)
		fill();
	chars_init(&s, CHARSET_UTF8, text);
	while (chars_next(&s, &x)) {
		uint16_t code = x.c < COUNT(codes) ? codes[x.c] : 0;
		uint8_t pair[2] = { (uint8_t)(code >> 8), (uint8_t)code };
		bool is_wide = x.c >= 0x80;

		if (x.kind != CHAR_TEXT || (is_wide && code == 0))
			return false;
		if (is_wide != wide &&
		    buf_append_string(out, is_wide ? "\x1b$B" : "\x1b(B") < 0)
			return false;
		wide = is_wide;
		if (buf_append(
			out, is_wide ? (struct bytes){ pair, 2 } : x.raw) < 0)
			return false;
	}
	return !wide || buf_append(out, BYTES("\x1b(B")) == 0;
}
