/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A file of a few mails, changed before or after its sums were made: what is
 * found is whole or refused, can be noted and ended, and then nothing is left.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fuzz_spool f;

	fuzz_spool_write(&f, (struct bytes){ p, n });
	fuzz_spool_open(&f);
	spool_each(f.spool, fuzz_spool_see, &f);
	spool_close(f.spool);
	fuzz_spool_open(&f);
	must(f.found <= FUZZ_SPOOL_RECORDS);
	spool_each(f.spool, fuzz_spool_end, &f);
	spool_close(f.spool);
	fuzz_spool_open(&f);
	must(f.found == 0);
	spool_close(f.spool);
	loop_free(f.loop);
	return 0;
}
