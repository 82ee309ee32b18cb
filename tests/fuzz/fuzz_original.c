/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/macros.h"
#include "proxy/store/original.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is understood is what is packed of it, but for zeros before numbers. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = { 0 };
	struct original o, again;
	struct buf out;

	buf_init(&out, n + 256);
	if (original_unpack(&o, (struct bytes){ p, n }, &a) == 0 &&
	    original_pack(&o, &out) == 0)
		must(original_unpack(&again, buf_bytes(&out), &a) == 0 &&
		    again.to_n == o.to_n && again.arrived == o.arrived &&
		    bytes_equal(again.sender, o.sender));
	buf_release(&out);
	arena_release(&a);
	return 0;
}
