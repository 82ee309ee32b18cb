/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/convert.h"
#include "filters/text/utf8.h"
#include "filters/text/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct buf
read_cut(enum charset c, struct bytes b, size_t cut, bool plain)
{
	struct bytes pieces[2] = { bytes_take(&b, cut), b };
	struct buf seen = { .max = 8 * (cut + b.n) + 1024 };
	struct convert v;
	struct view w;

	convert_init(&v, c);
	view_init(&w, plain);
	for (int i = 0; i < 2; i++) {
		struct buf utf8 = { .max = CONVERT_OUT_MAX(pieces[i].n) };

		convert_push(&v, pieces[i], i == 1, &utf8);
		must(utf8_is_valid(buf_bytes(&utf8)));
		view_push(&w, buf_bytes(&utf8), i == 1, &seen);
		buf_release(&utf8);
	}
	must(utf8_is_valid(buf_bytes(&seen)));
	return seen;
}

/* In any charset, cut anywhere: valid UTF-8, and the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes body = { p + 1, n - 1 };
	struct buf a, b;
	enum charset c;
	struct err e;

	if (n < 2 || text_prepare(&e) < 0)
		return 0;
	c = (enum charset)(1 + p[0] % (CHARSETS - 1));
	a = read_cut(c, body, 0, p[0] >= 0x80);
	b = read_cut(c, body, p[n - 1] * (n - 1) / 256, p[0] >= 0x80);
	must(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
	buf_release(&a);
	buf_release(&b);
	(void)charset_meta(body);
	must(charset_guess(body, p[0] >= 0x80) != CHARSET_UNKNOWN);
	return 0;
}
