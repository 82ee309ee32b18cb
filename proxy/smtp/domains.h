/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domains: patterns of mail domains, of which the most specific one that covers
 * a domain counts: "a.test" itself, then "*.b.test" before "*.test" before "*".
 * An address literal is covered by itself alone.
 */
#pragma once

#include "proxy/smtp/envelope.h"

struct body;
struct mail_route;

enum domain_reach {
	DOMAIN_ITSELF = 0,
	DOMAIN_BELOW, /* "*.a.test": every name below a.test, not a.test */
};

struct domain_pattern {
	struct bytes domain; /* canonical, without "*."; of "*" empty */
	enum domain_reach reach;
};

struct domain_entry {
	struct domain_pattern pattern;
	const struct body *for_body; /* whom it is for; NULL: all */
	const struct body *owner;
	const struct mail_route *route;
	const char *file; /* where it is given; NULL: an empty place */
	unsigned line;
	uint32_t hash; /* the table's own */
};

struct domains {
	struct domain_entry *places;
	size_t size; /* a power of two, or 0 */
	size_t n;
};

/* "a.test", "*.a.test", "*", in ASCII or UTF-8. What it keeps lives in a. 0, or
 * -1 and *why_out. */
int domain_pattern_parse(struct domain_pattern *out, struct bytes text,
    struct arena *a, const char **why_out) MUST_CHECK;

/* The same pattern must not be there for the same body. */
void domains_add(
    struct domains *d, const struct domain_entry *entry, struct arena *a);
/* The entry of that very pattern for that very body (NULL: for all); or NULL.
 */
const struct domain_entry *domains_same(const struct domains *d,
    const struct domain_pattern *p, const struct body *body);
/* The most specific entry for that body, or for all, that covers all of p; of
 * the same pattern the body's own one. NULL: none. */
const struct domain_entry *domains_find(const struct domains *d,
    const struct domain_pattern *p, const struct body *body);
