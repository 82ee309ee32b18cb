/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What a path gave stays within the limits, and its domain is its own canonical
 * form: nobody reads another destination out of it than the one judged. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const enum mail_charset charset = n % 2 ? MAIL_UTF8 : MAIL_ASCII;
	struct bytes in = { p, n }, again;
	struct mail_address m;
	struct arena a = { 0 };
	const char *why = NULL;

	if (mail_path_take(&m, &in, charset, &a, &why) == 0) {
		must(in.n < n && in.p[-1] == '>');
		must(m.text.n <= MAIL_PATH_MAX && m.local.n <= MAIL_LOCAL_MAX);
		must(m.domain.n == 0 ||
		    (mail_domain_parse(
			 &again, m.domain, MAIL_ASCII, &a, &why) == 0 &&
			bytes_equal(again, m.domain)));
	} else {
		must(why != NULL && in.p == p);
	}
	arena_release(&a);
	return 0;
}
