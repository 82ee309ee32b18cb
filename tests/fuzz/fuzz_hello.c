/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* In two pieces, cut where the first byte says, as in one. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes in = { p, n };
	size_t cut = n == 0 ? 0 : *bytes_take(&in, 1).p;
	enum hello_answer one, two;
	struct hello whole, cuts;

	hello_init(&whole);
	hello_init(&cuts);
	one = hello_push(&whole, in);
	two = hello_push(&cuts, bytes_take(&in, cut));
	if (two == HELLO_MORE)
		two = hello_push(&cuts, in);
	must(one == two && whole.named == cuts.named);
	must(!whole.named || one != HELLO_WHOLE ||
	    bytes_equal(whole.name, cuts.name));
	hello_release(&whole);
	hello_release(&cuts);
	return 0;
}
