/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A sum of what comes out in rooms of that size, and whether all was good. */
static uint64_t
read_in_two(enum decode_coding coding, struct bytes b, size_t cut, size_t room)
{
	const struct decode_settings s = { coding, 4000000, 1 << 20 };
	struct bytes pieces[2] = { bytes_take(&b, cut), b };
	struct decode *d = decode_new(&s);
	enum decode_state state = DECODE_HUNGRY;
	uint64_t sum = 7;
	uint8_t out[4096];
	const char *why;
	size_t made;

	for (int i = 0; i < 2 && state != DECODE_BAD; i++)
		do {
			state =
			    decode_some(d, &pieces[i], out, room, &made, &why);
			for (size_t k = 0; state != DECODE_BAD && k < made; k++)
				sum = sum * 31 + out[k];
		} while (state == DECODE_FULL);
	sum = state == DECODE_BAD || decode_end(d) != NULL ? 0 : sum | 1;
	decode_free(d);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes body = { p + 1, n - 1 };
	enum decode_coding coding;

	if (n < 2)
		return 0;
	coding = (enum decode_coding)(DECODE_GZIP + p[0] % 4);
	must(read_in_two(coding, body, 0, 4096) ==
	    read_in_two(coding, body, p[n - 1] * (n - 1) / 256, 1 + p[n / 2]));
	return 0;
}
