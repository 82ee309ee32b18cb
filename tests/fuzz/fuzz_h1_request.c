/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/h1_cut.h"

static void
read_at(struct bytes in, size_t cut, struct buf *out)
{
	static const struct h1_limits limits = { 512, 8, 32, 64 };
	struct h1 h;

	h1_init(&h, H1_REQUESTS, &limits);
	h1_cut_read(&h, in, cut, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct bytes in = { p, n };
	struct buf whole = { .max = 1 << 20 }, parts = { .max = 1 << 20 };

	read_at(in, n, &whole);
	read_at(in, n > 0 ? p[n - 1] * n / 256 : 0, &parts);
	must(bytes_equal(buf_bytes(&whole), buf_bytes(&parts)));
	buf_release(&whole);
	buf_release(&parts);
	return 0;
}
