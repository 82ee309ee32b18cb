/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: an IP address with a port, and a prefix. IPv4 stands as
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one table holds both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proxy/base/bytes.h"

#define ADDRESS_TEXT_MAX 56 /* "[v6]:port" with its NUL */

struct address {
	uint8_t octets[16];
	uint16_t port; /* host order; 0: none */
};

struct prefix {
	uint8_t octets[16];
	uint8_t bits; /* of the 128; IPv4 /8 is 104 */
};

/* "192.0.2.1", "2001:db8::1"; strict (inet_pton). 0 or -1. */
int address_parse(struct address *a, struct bytes text) MUST_CHECK;
/* "192.0.2.1:80", "[2001:db8::1]:80". 0 or -1. */
int address_parse_port(struct address *a, struct bytes text) MUST_CHECK;
/* The words of an address: without port, or with it. Returns out. */
char *address_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);
char *address_text_port(const struct address *a, char out[ADDRESS_TEXT_MAX]);
bool address_is_v4(const struct address *a);
bool address_equal(const struct address *a, const struct address *b);
/* From and to the kernel's form; -1: not an IP family. */
int address_from_sockaddr(struct address *a, const struct sockaddr *sa)
    MUST_CHECK;
socklen_t address_to_sockaddr(
    const struct address *a, struct sockaddr_storage *out);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. Bits set behind the
 * mask are an error: 0 or -1. */
int prefix_parse(struct prefix *p, struct bytes text) MUST_CHECK;
bool prefix_contains(const struct prefix *p, const struct address *a);
bool prefixes_contain(
    const struct prefix *p, size_t n, const struct address *a);
char *prefix_text(const struct prefix *p, char out[ADDRESS_TEXT_MAX]);
