/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/dialog_cut.h"

/* Nothing that a peer says, however it is cut, leads to more than an end. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct dialog_run whole, parts;
	struct bytes in = { p, n };
	uint8_t how = n > 0 ? *bytes_take(&in, 1).p : 0;

	dialog_run(&whole, in, how, 1);
	dialog_run(&parts, in, how, how % 7 + 2);
	must(whole.d.state != DIALOG_BROKEN || whole.d.why != NULL);
	for (size_t i = 0; i < COUNT(whole.replies); i++)
		must(whole.replies[i].code == 0 ||
		    (whole.replies[i].code >= 200 &&
			whole.replies[i].code < 600));
	dialog_run_end(&whole);
	dialog_run_end(&parts);
	return 0;
}
