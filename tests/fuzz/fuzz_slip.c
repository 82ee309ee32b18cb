/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover/slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is understood is what is packed of it, but for zeros before numbers. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = { 0 };
	struct bytes in = { p, n };
	struct bytes name = slip_name(in, &a);
	char number[HANDOVER_NUMBER_N + 1];
	struct slip s, again;
	struct slip_ask ask;
	struct buf out;

	must(name.n > 0 && name.n <= SLIP_NAME_MAX &&
	    bytes_equal(slip_name(name, &a), name));
	(void)!slip_number(in, number);
	(void)!slip_ask_unpack(&ask, in);
	buf_init(&out, n + 4096);
	if (slip_unpack(&s, in, &a) == 0 && slip_pack(&s, &out) == 0)
		must(slip_unpack(&again, buf_bytes(&out), &a) == 0 &&
		    again.files_n == s.files_n && again.given == s.given);
	buf_release(&out);
	arena_release(&a);
	return 0;
}
