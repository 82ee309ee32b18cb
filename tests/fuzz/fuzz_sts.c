/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts.h"
#include "proxy/smtp/tlsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever a domain says of its TLS: names are names, records fit. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char id[STS_ID_MAX + 1] = "";
	struct bytes in = { p, n };
	struct sts_policy policy;
	struct tlsa tlsa;
	const char *why;

	if (sts_policy_parse(&policy, in, &why) == 0) {
		must(policy.mode == STS_NONE || policy.hosts_n > 0);
		for (size_t i = 0; i < policy.hosts_n; i++)
			must(policy.hosts[i][0] != '\0');
	}
	if (sts_record_parse(id, in) == 0)
		must(id[0] != '\0');
	if (tlsa_parse(&tlsa, in) == 0)
		must(tlsa.found || tlsa.n == 0);
	return 0;
}
