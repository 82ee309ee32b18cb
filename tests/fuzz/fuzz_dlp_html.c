/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/dlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_dlp(DLP_HTML, p, n);
}
