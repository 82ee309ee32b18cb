/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/macros.h"

#include <stdio.h>
#include <stdlib.h>

void
must_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "sekisho: bug: %s:%d: %s\n", file, line, condition);
	abort();
}
