/* SPDX-License-Identifier: Apache-2.0 */
/* detox_csv: tables as text. */
#include "tests/fuzz/plain.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	fuzz_plain("a.csv", p, n);
	return 0;
}
