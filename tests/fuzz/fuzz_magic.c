/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/magic/magic.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Name NUL declared type NUL body. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes body = { p, n };
	struct bytes name = bytes_take_until(&body, '\0');
	struct bytes declared = bytes_take_until(&body, '\0');
	enum magic_type t = magic_type_of(body, n % 2 == 0);
	enum magic_agreement a;
	const char *why;

	a = magic_agree(t, name, declared, &why);
	must(
	    (a == MAGIC_AGREES) == (why == NULL) && magic_type_name(t) != NULL);
	must(magic_agree(t, BYTES(""), BYTES(""), &why) == MAGIC_AGREES);
	return 0;
}
