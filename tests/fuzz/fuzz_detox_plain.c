/* SPDX-License-Identifier: Apache-2.0 */
/* detox_plain: texts, tables and calendars; the first byte says which. */
#include "tests/fuzz/plain.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const names[] = { "a.txt", "a.ics", "a.vcf",
		"a.tsv" };

	if (n > 0)
		fuzz_plain(names[p[0] % COUNT(names)], p + 1, n - 1);
	return 0;
}
