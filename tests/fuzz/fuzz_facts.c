/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/macros.h"
#include "proxy/probe/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever the lists hold, a message with them can be written. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct probe_item items[PROBE_ITEMS_MAX];
	struct probe probe = {
		.system = "s", .host = "h", .items = items, .time = 1
	};
	const struct bytes text = { p, n };
	struct err e = { 0 };
	struct buf out;

	buf_init(&out, PROBE_MESSAGE_MAX);
	facts_routes(text, PROBE_TOLD, &probe);
	facts_routes6(text, PROBE_TOLD, &probe);
	facts_resolvers(text, PROBE_TOLD, &probe);
	must(probe_lines(&probe, &out, &e) == 0);
	buf_release(&out);
	return 0;
}
