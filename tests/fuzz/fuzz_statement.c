/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is understood is written again as it was: there is one form of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes text = { p, n };
	struct arena a = { 0 };
	struct err e = { 0 };
	struct statement s;
	struct buf again;

	buf_init(&again, STATEMENT_SIZE_MAX);
	if (statement_parse(&s, text, &a, &e) == 0)
		must(statement_write(&s, &again) == 0 &&
		    again.n == s.signed_n &&
		    statement_write_signature(&s, &again) == 0 &&
		    bytes_equal(buf_bytes(&again), text));
	else
		must(e.text[0] != '\0');
	buf_release(&again);
	arena_release(&a);
	return 0;
}
