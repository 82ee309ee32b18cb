/* SPDX-License-Identifier: Apache-2.0 */
/* listener: where clients connect, and whose words about them are believed. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/setting.h"

/* Who connects, and where the destination stands. */
enum listener_kind {
	LISTENER_PROXY = 0, /* clients that know us: in their requests */
	/* Clients that do not: their connections to others come to us. */
	LISTENER_REDIRECT, /* by NAT; the kernel remembers where they went */
	LISTENER_TPROXY,   /* as they are: the socket's own address tells */
};

struct listener_settings {
	const char *address;              /* "127.0.0.1:8080" */
	struct texts proxy_protocol_from; /* must send a PROXY header */
	struct texts forwarded_from;      /* X-Forwarded-For is believed */
	bool tls;                         /* to the proxy itself */
	uint32_t backlog;
	const char *transparent;
	/* parsed */
	enum listener_kind kind;
	struct address at;
	struct prefix *proxy_protocol;
	size_t proxy_protocol_n;
	struct prefix *forwarded;
	size_t forwarded_n;
	const char *file; /* where the settings say so */
	unsigned line;
};

extern const struct setting listener_table[];
extern const size_t listener_table_n;

/* Whether a connection to that address was made to the listener itself. */
bool listener_is_at(const struct listener_settings *l, const struct address *a);

/* Texts of a listener's settings as prefixes. */
int listener_prefixes(const struct texts *texts, struct arena *a,
    struct prefix **out, size_t *n_out, struct err *e) MUST_CHECK;
/* The list `listeners` of the root. */
int listeners_load(const config_setting_t *root, struct arena *a,
    struct listener_settings **out, size_t *n_out, struct err *e) MUST_CHECK;
