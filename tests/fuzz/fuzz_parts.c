/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
put_together(const struct parts *parts, struct buf *out)
{
	buf_init(out, (size_t)64 << 20);
	for (size_t i = 0; i <= parts->n; i++) {
		must(parts_before(parts, i, out) == 0);
		if (i < parts->n)
			must(buf_append(out, parts->p[i].content) == 0);
	}
}

/* What was read is read again from what is made of it, to the same parts. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest = { p, n };
	struct bytes boundary = bytes_take_until(&rest, '\n');
	struct arena a = { 0 };
	struct parts parts, again;
	const char *why;
	struct buf out;

	if (parts_split(&parts, rest, boundary, &a, &why) == 0) {
		put_together(&parts, &out);
		must(parts_split(&again, buf_bytes(&out), boundary, &a, &why) ==
		    0);
		must(again.n == parts.n);
		for (size_t i = 0; i < parts.n; i++)
			must(bytes_equal(
				 parts.p[i].content, again.p[i].content) &&
			    bytes_equal(parts.p[i].name, again.p[i].name));
		buf_release(&out);
	}
	arena_release(&a);
	return 0;
}
