/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/dialled.h"

#include <netinet/in.h>
/* needs the types of <netinet/in.h> */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

static int
ask_kernel(
    const struct listener_settings *l, int fd, struct sockaddr_storage *sa)
{
	socklen_t n = sizeof(*sa);

	if (l->kind == LISTENER_TPROXY)
		return getsockname(fd, (struct sockaddr *)sa, &n);
	return address_is_v4(&l->at)
	    ? getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, sa, &n)
	    : getsockopt(fd, IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, sa, &n);
}

int
dialled_of(const struct listener_settings *l, int fd, struct address *out,
    const char **why_out)
{
	struct sockaddr_storage sa = { 0 };

	*why_out = "the original destination is unknown";
	if (ask_kernel(l, fd, &sa) < 0 ||
	    address_from_sockaddr(out, (struct sockaddr *)&sa) < 0 ||
	    out->port == 0)
		return -1;
	*why_out = "the listener itself was dialled";
	return listener_is_at(l, out) ? -1 : 0;
}
