/* SPDX-License-Identifier: Apache-2.0 */
/* sts_state: what sts.c and sts_fetch.c share; nobody else's. */
#pragma once

#include "proxy/smtp/sts.h"

#define STS_PORT 443

struct asking;
struct common;

struct sts {
	const struct upstream_settings *upstream;
	struct resolver *resolver;
	struct loop *loop;
	SSL_CTX *ctx;
	struct asking *askings;
	struct common *common;
	uint16_t port;
	const struct zone *permitted; /* NULL: public addresses alone */
};
