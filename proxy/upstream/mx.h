/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mx: which hosts take a domain's mail (RFC 5321 section 5.1, RFC 7505). Where
 * their names lead is for the resolver, and for who connects to judge.
 */
#pragma once

#include "proxy/upstream/resolve.h"

#define MX_HOSTS_MAX 16 /* of more, those with the lowest preferences */

enum mx_answer {
	MX_SILENT = 0, /* no name server answered: later, perhaps */
	MX_NO_DOMAIN,  /* the domain does not exist */
	MX_NULL,       /* it takes no mail (RFC 7505) */
	MX_HOSTS,
};

struct mx_host {
	uint16_t preference;
	char name[HOST_MAX + 1]; /* in lower case */
};

struct mx_hosts {
	enum mx_answer answer;
	bool validated; /* as the resolver says, also that there is no MX */
	size_t n;
	struct mx_host hosts[MX_HOSTS_MAX]; /* by preference; a domain without
					     * MX is its own host */
};

struct mx;
struct mx_wait;

struct mx *mx_new(
    const struct upstream_settings *s, struct resolver *r, struct loop *l);
/* NULL does nothing. */
void mx_free(struct mx *m);
/* domain: in lower case, HOST_MAX bytes at most. A domain that the settings
 * give addresses for has no MX. What is known is put in *out and NULL returned.
 * Else done is called later, never under this call. */
struct mx_wait *mx_get(struct mx *m, struct bytes domain, struct mx_hosts *out,
    void (*done)(void *owner, const struct mx_hosts *h), void *owner);
/* NULL does nothing. */
void mx_cancel(struct mx_wait *w);

/* From a message of a name server. For who asks, and for tests. */
void mx_parse(struct mx_hosts *out, struct bytes domain, struct bytes message);
