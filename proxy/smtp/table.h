/* SPDX-License-Identifier: Apache-2.0 */
/* table: what the file of mail routes says, for who reads it and who judges by
 * it. */
#pragma once

#include "proxy/smtp/domains.h"
#include "proxy/smtp/routes.h"

struct routes {
	struct mail_route *all; /* inbound, then outbound */
	size_t n;
	size_t inbound_n;
	/* Of each entry: owner and, in the last two, route. */
	struct domains owned; /* by a body: inbound and senders */
	struct domains inbound;
	struct domains outbound; /* for the bodies of its route, or for all */
	struct mail_signer *signers;
	size_t signers_n;
};
