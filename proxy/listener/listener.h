/* SPDX-License-Identifier: Apache-2.0 */
/* listener: where clients connect, and whose words about them are believed. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/setting.h"

struct listener_settings {
	const char *address;              /* "127.0.0.1:8080" */
	struct texts proxy_protocol_from; /* must send a PROXY header */
	struct texts forwarded_from;      /* X-Forwarded-For is believed */
	bool tls;                         /* to the proxy itself */
	uint32_t backlog;
	/* parsed */
	struct address at;
	struct prefix *proxy_protocol;
	size_t proxy_protocol_n;
	struct prefix *forwarded;
	size_t forwarded_n;
};

extern const struct setting listener_table[];
extern const size_t listener_table_n;

/* The list `listeners` of the root. */
int listeners_load(const config_setting_t *root, struct arena *a,
    struct listener_settings **out, size_t *n_out, struct err *e) MUST_CHECK;
