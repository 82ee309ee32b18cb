/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/macros.h"
#include "proxy/probe/trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is taken is within its limits. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct trial t;
	static struct err_list all;
	struct err e = { .list = &all };

	all.n = 0;
	if (trial_parse(&t, (struct bytes){ p, n }, "/etc/probe.conf", &e) == 0)
		must(t.canaries_n > 0 && t.canaries_n <= TRIAL_CANARIES_MAX &&
		    t.names_n <= TRIAL_NAMES_MAX && t.addresses_n > 0 &&
		    t.addresses_n <= TRIAL_ADDRESSES_MAX && t.deadline_s > 0 &&
		    t.deadline_s <= 30 && t.system[0] != '\0');
	else
		must(e.text[0] != '\0' || all.n > 0);
	return 0;
}
