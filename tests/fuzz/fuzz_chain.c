/* SPDX-License-Identifier: Apache-2.0 */
/* A file that anybody may have written: it is looked at, and gone on from; what
 * held, or is torn at its end alone, holds after it. */
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/base/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd = memfd_create("chain", MFD_CLOEXEC);
	struct chain_report before, after;
	char head[CHAIN_HEX_N];
	struct err e;
	struct chain *c;

	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	must(chain_verify(fd, NULL, &before, &e) == 0);
	c = chain_open(fd, "chain", NULL, &e);
	if (c == NULL)
		return 0;
	must(chain_append(c, BYTES("\"event\":\"more\""), head, &e) == 0);
	must(chain_verify(fd, head, &after, &e) == 0);
	must((before.verdict != CHAIN_HOLDS && before.verdict != CHAIN_TORN) ||
	    after.verdict == CHAIN_HOLDS);
	chain_free(c);
	return 0;
}
