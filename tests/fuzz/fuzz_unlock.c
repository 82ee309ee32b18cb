/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/unlock.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is read lies within what came. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct unlock_answer a;
	struct unlock_order o;

	if (unlock_order_unpack(&o, (struct bytes){ p, n }) == 0)
		must(o.body.p >= p && o.password.p + o.password.n == p + n);
	if (unlock_answer_unpack(&a, (struct bytes){ p, n }) == 0)
		must(a.sender.p >= p && a.files.p + a.files.n == p + n);
	return 0;
}
