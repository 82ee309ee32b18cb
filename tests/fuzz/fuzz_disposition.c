/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/disposition.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Never longer than what it was read from, and never a folder. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = { 0 };
	struct bytes name = disposition_file_name((struct bytes){ p, n }, &a);

	must(name.n <= n);
	for (size_t i = 0; i < name.n; i++)
		must(name.p[i] != '/' && name.p[i] != '\\');
	arena_release(&a);
	return 0;
}
