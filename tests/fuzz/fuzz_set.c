/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/sha.h>

#include "filters/text/file.h"
#include "filters/text/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A file with some bytes changed and its sum made anew is refused or opened;
 * the database within it has a sum of Vectorscan's own. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct set_pattern patterns[] = {
		{ "a", "abc", 1, 0, NULL }, { "b", "b", 1, SET_PHRASE, NULL }
	};
	static struct buf file = { .max = 1 << 24 };
	static uint8_t copy[1 << 20];
	enum set_kind kind = n % 2 == 0 ? SET_TEXT : SET_URLS;
	struct err e;

	file.n = 0;
	must(set_compile(kind, patterns, 2, &file, &e) == 0);
	must(file.n <= sizeof(copy));
	memcpy(copy, file.p, file.n);
	/* Offset from either end, value. */
	for (size_t i = 0; i + 2 < n; i += 3) {
		size_t at = (size_t)p[i] + (p[i + 1] & 1) * 256;

		copy[at % 2 == 0 ? at / 2 : file.n - 1 - at / 2] ^= p[i + 2];
	}
	SHA256(copy + 32, file.n - 32, copy);
	set_free(
	    set_open(kind, (struct bytes){ copy, file.n }, SET_CODE_PLAIN, &e));
	return 0;
}
