/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/ip.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is said of a packet fits where it is put, and has no port that is not
 * there. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ip_packet packet;
	char words[IP_WORDS_MAX];

	if (ip_parse(&packet, (struct bytes){ p, n }) < 0)
		return 0;
	must(n >= 20);
	must(strlen(ip_words(&packet, words)) < IP_WORDS_MAX);
	must(packet.has_ports || (packet.from.port | packet.to.port) == 0);
	must(!packet.is_fragment || !packet.has_ports);
	return 0;
}
