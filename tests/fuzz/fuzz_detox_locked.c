/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/detox.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A whole file with a password that is known. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct detox d;
	static const struct detox_passwords all = {
		{ BYTES_ROW("pass1234"), BYTES_ROW("odd1234"),
		    BYTES_ROW("\xe3\x83\x91\xe3\x82\xb9\xe8\xa1\xa8") },
		3
	};
	const struct detox_object o = { .content = { p, n } };
	struct detox_output out = { 0 };

	detox_init(&d, fuzz_profile());
	d.passwords = &all;
	must((detox_run(&d, &o, &out) == DETOX_REFUSED) == detox_is_over(&d));
	buf_release(&out.content);
	detox_release(&d);
	return 0;
}
