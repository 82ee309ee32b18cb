/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mapi.h"
#include "filters/text/charset.h"
#include "tests/fuzz/detox.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf rtf, opened;
	enum rtfmail kind;
	struct err e;

	must(text_prepare(&e) == 0);
	buf_init(&rtf, 1 << 20);
	buf_init(&opened, 1 << 20);
	if (rtfmail_unpack((struct bytes){ p, n }, &rtf) == 0)
		(void)!rtfmail_open(buf_bytes(&rtf), &kind, &opened);
	opened.n = 0;
	(void)!rtfmail_open((struct bytes){ p, n }, &kind, &opened);
	buf_release(&rtf);
	buf_release(&opened);
	return 0;
}
