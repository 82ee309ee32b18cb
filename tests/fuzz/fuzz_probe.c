/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/macros.h"
#include "proxy/isolation/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is read is written to the same bytes: each message has one form. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct probe_item items[PROBE_ITEMS_MAX];
	struct probe probe = { .items = items };
	uint8_t signature[PROBE_SIGNATURE_N];
	struct bytes text;
	struct err e = { 0 };
	struct buf out;

	buf_init(&out, PROBE_MESSAGE_MAX);
	if (probe_parse(&probe, (struct bytes){ p, n }, &text, signature, &e) ==
	    0)
		must(probe_lines(&probe, &out, &e) == 0 &&
		    bytes_equal(buf_bytes(&out), text));
	buf_release(&out);
	return 0;
}
