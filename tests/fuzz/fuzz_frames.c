/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/frames.h"

#include "proxy/base/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A sum of data and events that does not depend on the pieces of data. */
static uint64_t
read_in_two(struct bytes b, size_t cut)
{
	struct bytes pieces[2] = { bytes_take(&b, cut), b };
	struct frames f = { 0 };
	uint64_t sum = 7;

	for (int i = 0; i < 2; i++) {
		enum frames_event e = FRAMES_DATA;
		struct bytes data = { 0 };

		while (e != FRAMES_MORE && e != FRAMES_BAD) {
			e = frames_next(&f, &pieces[i], &data);
			must(e != FRAMES_MORE || pieces[i].n == 0);
			if (e == FRAMES_DATA || e == FRAMES_CONTROL)
				for (size_t k = 0; k < data.n; k++)
					sum = sum * 31 + data.p[k];
			if (e == FRAMES_MESSAGE || e == FRAMES_CONTROL)
				sum = sum * 31 + 256 + e;
		}
		if (e == FRAMES_BAD)
			return sum * 31 + 999;
	}
	return sum * 2 + frames_between(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes b = { p, n };

	must(read_in_two(b, n) ==
	    read_in_two(b, n == 0 ? 0 : p[n - 1] * n / 256));
	return 0;
}
