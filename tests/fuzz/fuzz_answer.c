/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/answer/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* No byte from outside makes markup: pages have as many '<' as without it. */
static size_t
tags(const struct answer *a)
{
	struct buf out = { .max = ANSWER_PAGE_MAX };
	const char *language;
	size_t count = 0;

	must(answer_page(a, &out, &language) == 0);
	for (size_t i = 0; i < out.n; i++)
		count += out.p[i] == '<';
	buf_release(&out);
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct prefecture_settings pref = { "990001", "県", "P", "c",
		"p:1", "" };
	struct answer a = { .kind = n > 0 ? p[0] % ANSWER_KINDS : 0,
		.destination = BYTES("x"),
		.prefecture = &pref,
		.accept_language = { p, n } };
	size_t plain = tags(&a);

	a.destination = n > 0 ? (struct bytes){ p, n } : a.destination;
	must(tags(&a) == plain);
	return 0;
}
