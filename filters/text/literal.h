/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal: strings of which at least one stands in whatever a pattern matches.
 * One search for all strings of all patterns then says which patterns need to
 * be tried. It reads a safe part of PCRE2's syntax, and gives none for the
 * rest.
 */
#pragma once

#include "proxy/base/arena.h"

#define LITERAL_LEAST 2 /* bytes; shorter ones say too little */
#define LITERALS_MAX 64

struct literals {
	struct bytes list[LITERALS_MAX];
	size_t n; /* 0: none known */
};

/* In the arena. pattern has passed pcre2_compile without PCRE2_EXTENDED. */
void literals_of(struct bytes pattern, struct arena *a, struct literals *out);
