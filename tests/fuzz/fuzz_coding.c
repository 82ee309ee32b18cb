/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whether the body is taken, read in two pieces. The ratio is out of reach:
 * whether it is passed a few bytes earlier, the cut may choose. */
static bool
is_taken(enum coding coding, struct bytes body, size_t cut)
{
	struct decode *d = decoding_new(coding, 1100);
	bool good = decoding_take(d, bytes_take(&body, cut)) == NULL &&
	    decoding_take(d, body) == NULL && decode_end(d) == NULL;

	decode_free(d);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes body = { p, n };
	enum coding coding =
	    n > 0 && p[0] == 0x1f ? CODING_GZIP : CODING_DEFLATE;
	size_t cut = n > 0 ? p[n - 1] * n / 256 : 0;

	must(is_taken(coding, body, n) == is_taken(coding, body, cut));
	return 0;
}
