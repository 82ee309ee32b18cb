/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon: a URL of any spelling in the one form that lists are compared in.
 * Read as browsers do (WHATWG URL: controls and blanks around it, tabs and line
 * ends within, backslashes, user information, percent-encoded hosts, IPv4 in
 * octal, hexadecimal or as one number, IPv6 in every spelling), where the
 * proxy's own parser refuses such things. No I/O, no memory beyond the struct.
 *
 * The host has small letters and A-labels and no dot at its end; an IPv4-mapped
 * address is IPv4, IPv6 stands in brackets. A path has its dot segments
 * resolved, what needs no escape has none, other escapes are in upper case.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define CANON_HOST_MAX 253 /* RFC 1035 section 2.3.4 */
#define CANON_MAX 8192     /* of a URL, and of its path or query when encoded */

struct canon {
	struct bytes host;
	bool is_address;
	unsigned labels; /* of the host; 1 for an address */
	uint16_t port;
	bool port_usual;   /* 80 or 443: entries without a port mean these */
	struct bytes path; /* begins with '/'; empty: the host alone is known */
	/* The path as the most generous of servers reads it, which is Safe
	 * Browsing's form: unescaped until nothing changes, slashes doubled or
	 * backward as one, parameters behind ';' left out. */
	struct bytes loose;
	struct bytes query; /* with its '?'; empty when there is none */
	/* What the bytes above point into. */
	uint8_t host_room[CANON_HOST_MAX + 1];
	uint8_t path_room[CANON_MAX];
	uint8_t loose_room[CANON_MAX];
	uint8_t query_room[CANON_MAX];
};

/*
 * A whole URL; without a scheme it is http. 0, or -1 and *why_out (a static
 * string): no host can be read out of it, or it is over a limit. Who judges
 * refuses then; it is never "not listed".
 */
int canon_parse(struct canon *c, struct bytes url, const char **why_out)
    MUST_CHECK;
/* A host alone (without port; IPv6 in brackets); path and query stay empty. */
int canon_parse_host(struct canon *c, struct bytes host, const char **why_out)
    MUST_CHECK;
/* What stands behind the authority: "/path?query#fragment". */
int canon_parse_target(
    struct canon *c, struct bytes target, const char **why_out) MUST_CHECK;
void canon_port(struct canon *c, uint16_t port);

/*
 * The expressions that Safe Browsing looks up: up to five hosts (the host and
 * what follows its last labels) with up to six paths each (with query, without
 * it, and the first four prefixes). Returns how many.
 */
#define CANON_EXPRESSIONS_MAX 30
struct canon_expression {
	struct bytes host, path, query;
};
size_t canon_expressions(
    const struct canon *c, struct canon_expression out[CANON_EXPRESSIONS_MAX]);
