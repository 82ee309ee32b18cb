/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url: a destination in one canonical form, so that what is judged is what is
 * connected to. Hosts become lower-case A-labels (UTS 46 non-transitional by
 * libidn2) without a trailing dot, or an IP address. What parsers read in two
 * ways (a backslash, a control, '%' in a host, a second '@', user
 * information, a last label that is a number and no dotted quad) is an error.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/address.h"
#include "proxy/base/arena.h"

#define HOST_MAX 253 /* RFC 1035 section 2.3.4 */

enum scheme {
	SCHEME_NONE = 0,
	SCHEME_HTTP,
	SCHEME_HTTPS,
};

struct url {
	enum scheme scheme;
	struct bytes host;      /* canonical; without brackets for IPv6 */
	bool is_address;        /* host is an IP literal */
	struct address address; /* when it is; with the port */
	uint16_t port;
	/* Where the client itself connected to, on a transparent listener: the
	 * only address that will do. Port 0: wherever the name leads. */
	struct address dialled;
	/* By a rule: connect to where this name leads, and ask for host there
	 * as ever. Empty: to where host leads. */
	struct bytes connect_to;
	struct bytes target; /* path and query, as given; "/" when absent */
	struct bytes path;   /* target up to '?', as given */
	/* The path for comparing: dot segments resolved, percent-encoded
	 * unreserved bytes decoded, other escapes in upper case. */
	struct bytes path_canonical;
	/* That, as the most generous of servers read it: slashes that are
	 * escaped, doubled or backward, and parameters behind ';' left out.
	 * What blocks looks at both, what permits wants both. */
	struct bytes path_loose;
};

/*
 * Results live in the arena or in the given bytes. 0, or -1 and *why_out (a
 * static string).
 */
/* A host alone, without port. */
int url_parse_host(struct url *u, struct bytes host, struct arena *a,
    const char **why_out) MUST_CHECK;
/* "host:port" (CONNECT; the port is required) or "host[:port]" (Host field;
 * default_port when absent; 0 means required). */
int url_parse_authority(struct url *u, struct bytes authority,
    uint16_t default_port, struct arena *a, const char **why_out) MUST_CHECK;
/* Absolute form, http and https alone. */
int url_parse_absolute(struct url *u, struct bytes text, struct arena *a,
    const char **why_out) MUST_CHECK;
/* Origin form ("/path?query") or "*": fills target, path, path_canonical. */
int url_parse_target(struct url *u, struct bytes target, struct arena *a,
    const char **why_out) MUST_CHECK;
/* As in a Host field: brackets around IPv6, the port unless it is the
 * scheme's. It may be u->host itself. */
struct bytes url_authority(const struct url *u, struct arena *a);
const char *scheme_name(enum scheme s);
/* Whether both name the same host and port. */
bool url_same_origin(const struct url *a, const struct url *b);
