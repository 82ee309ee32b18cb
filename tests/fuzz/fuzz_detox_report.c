/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is believed is bounded, and an order's names are within it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct detox_report r;
	struct bytes b = { p, n };
	struct detox_order o;

	if (detox_report_unpack(&r, b) == 0) {
		must(r.rows_n <= DETOX_ROWS_MAX &&
		    r.refusal < DETOX_REFUSAL_KINDS && r.type < MAGIC_TYPES);
		for (size_t i = 0; i < r.rows_n; i++)
			must(r.rows[i].what < DETOX_REMOVAL_KINDS &&
			    strlen(r.rows[i].where) < DETOX_WHERE_MAX);
	}
	if (detox_order_unpack(&o, b) == 0)
		for (size_t i = 0; i < o.passwords.n; i++)
			must(o.passwords.all[i].p > o.declared.p &&
			    o.passwords.all[i].p + o.passwords.all[i].n <=
				p + n);
	return 0;
}
