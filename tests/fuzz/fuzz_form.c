/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/form.h"
#include "tests/fuzz/lab.h"

/* A value is never longer than what it was read from. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = { 0 };
	struct bytes body = { p, n };
	struct bytes value = form_value(body, BYTES("reason"), &a);

	must(value.n <= n);
	arena_release(&a);
	return 0;
}
