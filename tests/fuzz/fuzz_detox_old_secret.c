/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/old_secret.h"
#include "filters/ole/xls.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* As what tells how a document is encrypted, and as a workbook's stream. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct detox_profile profile;
	static struct detox d;
	static const struct detox_passwords one = { { BYTES_ROW("pass1234") },
		1 };
	struct old_secret s;
	struct xls x = { .d = &d };
	struct err e;

	if (profile.name == NULL) {
		must(detox_prepare(&e) == 0);
		detox_profile_init(&profile);
	}
	detox_init(&d, &profile);
	d.passwords = &one;
	buf_init(&x.in, n);
	must(buf_append(&x.in, (struct bytes){ p, n }) == 0);
	if (old_secret_open(&d, (struct bytes){ p, n }, "a", NULL, &s) ==
	    DETOX_REBUILT)
		old_secret_stream(&s, 512, x.in.p, x.in.n);
	if (xls_open(&x) == DETOX_REBUILT)
		must(x.in.n == n);
	buf_release(&x.in);
	detox_release(&d);
	return 0;
}
