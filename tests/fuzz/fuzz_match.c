/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "filters/text/match.h"
#include "filters/text/set_inside.h"
#include "filters/text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Pattern NUL text: what a set of it finds in two pieces is what PCRE2 finds in
 * the whole. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const size_t cut = n > 0 ? p[n - 1] * n / 256 : 0;
	struct bytes text = { p, n };
	struct bytes head = bytes_take_until(&text, '\0');
	struct set_pattern pattern = { "p",
		strndup((const char *)head.p, head.n), 1, n & 3, NULL };
	struct buf file = { .max = 1 << 24 };
	struct err e;
	struct set *s = NULL;
	struct match *m;

	if (head.n < 40 && utf8_is_valid(text) &&
	    set_compile(SET_TEXT, &pattern, 1, &file, &e) == 0)
		s = set_open(SET_TEXT, buf_bytes(&file), SET_CODE_JIT, &e);
	if (s != NULL) {
		enum set_answer want = set_confirm(s, 0, text, 0, text.n);
		struct bytes rest = text;

		m = match_new(s, INT64_MAX);
		if (match_push(m, bytes_take(&rest, cut < rest.n ? cut : 0)) ==
			MATCH_OPEN &&
		    match_push(m, rest) == MATCH_OPEN &&
		    match_end(m) == MATCH_OPEN && want != SET_TOO_MUCH)
			must(match_found(m, 0) == (want == SET_YES));
		match_free(m);
	}
	set_free(s);
	buf_release(&file);
	free((void *)(uintptr_t)pattern.text);
	return 0;
}
