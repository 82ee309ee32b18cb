/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/text.h"
#include "proxy/smtp/inspect.h"
#include "tests/fuzz/lab.h"

/* What comes out of a sandbox that was taken over is read to its end. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct inspection i = { .kind = INSPECTION_DLP };
	struct inspect_result r;
	struct err e;

	if (i.dlp == NULL) {
		must(text_prepare(&e) == 0);
		i.dlp = dlp_rules_new(&dlp_defaults, &e);
		must(i.dlp != NULL);
	}
	inspect_mail(&i, (struct bytes){ p, n }, &r);
	return 0;
}
