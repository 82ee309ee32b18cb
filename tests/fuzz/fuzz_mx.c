/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/mx.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever a name server says, hosts are names, the preferred ones first. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mx_hosts h;

	mx_parse(&h, BYTES("city.test"), (struct bytes){ p, n });
	must(h.n <= MX_HOSTS_MAX && (h.answer == MX_HOSTS || h.n == 0));
	for (size_t i = 0; i < h.n; i++) {
		must(h.hosts[i].name[0] != '\0');
		must(i == 0 ||
		    h.hosts[i - 1].preference <= h.hosts[i].preference);
	}
	return 0;
}
