/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/feed.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return feed_fuzz(FEED_MISP, (struct bytes){ p, n });
}
