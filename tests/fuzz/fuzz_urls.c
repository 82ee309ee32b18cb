/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "filters/text/set_inside.h"
#include "filters/text/urls.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Pattern NUL URL: literals first, and the answer of PCRE2 all the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes text = { p, n };
	struct bytes head = bytes_take_until(&text, '\0');
	struct set_pattern pattern = { "p",
		strndup((const char *)head.p, head.n), 1, n & 3, NULL };
	struct buf file = { .max = 1 << 24 };
	struct set *s = NULL;
	struct err e;

	if (head.n < 60 && set_compile(SET_URLS, &pattern, 1, &file, &e) == 0)
		s = set_open(SET_URLS, buf_bytes(&file), SET_CODE_JIT, &e);
	if (s != NULL) {
		enum set_answer want = set_confirm(s, 0, text, 0, text.n);
		enum urls_answer is = urls_match(s, text, NULL, NULL);

		must(want == SET_TOO_MUCH || is == URLS_TOO_MUCH ||
		    (want == SET_YES) == (is == URLS_YES));
	}
	set_free(s);
	buf_release(&file);
	free((void *)(uintptr_t)pattern.text);
	return 0;
}
