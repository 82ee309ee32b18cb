/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/hours.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What parses names some minute of the week, and not of one week alone. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const time_t week = 7 * 24 * 3600;
	struct hours h;
	bool some = false;

	if (hours_parse(&h, (struct bytes){ p, n }) < 0)
		return 0;
	must((h.days != 0 || h.holidays || h.workdays) && h.days < 1 << 7);
	if (h.holidays || h.workdays)
		return 0;
	for (time_t t = 0; t < week; t += 60) {
		some |= hours_contain(&h, t);
		must(hours_contain(&h, t) == hours_contain(&h, t + week));
	}
	must(some);
	return 0;
}
