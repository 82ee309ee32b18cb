/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: digits as people group them. "1234-5678 9018" is one chain of three
 * groups; one digit per cell (the usual Japanese form) is a chain of single
 * digits. What a group is bounded by decides whether it may be a number, so
 * that nothing is found within a longer one.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"

#define CHAIN_GROUPS_MAX 40
#define CHAIN_DIGITS_MAX 128
#define CHAIN_BYTES_MAX 512 /* how far a chain reaches */
#define CHAIN_GROUP_MAX 19  /* a longer group is no number that we know */

enum chain_link {
	CHAIN_END = 0,
	CHAIN_SPACE,  /* blanks of any width */
	CHAIN_HYPHEN, /* hyphens, dashes, middle dots, also with blanks */
	CHAIN_CELL,   /* comma, tab, line end …: joins single digits alone */
	CHAIN_OTHER,  /* '.', '/', ':' before a digit: a date, an address */
};

struct chain_group {
	uint8_t first; /* of chain.digits */
	uint8_t n;     /* CHAIN_GROUP_MAX + 1: longer */
	uint8_t link;  /* enum chain_link to the group behind */
	size_t begin, end;
};

struct chain {
	size_t begin, end;
	/* The group before, when the chain was cut at a limit; else CHAIN_END.
	 */
	uint8_t before_link, before_n;
	size_t digits_n, groups_n;
	uint8_t digits[CHAIN_DIGITS_MAX];
	struct chain_group groups[CHAIN_GROUPS_MAX];
};

/* The first digit within at..end, or end. */
size_t chain_next_digit(const uint8_t *p, size_t at, size_t end);
/* Behind a ".0" that stands at the end of a number there, as programs write
 * what they keep as a float; else at. */
size_t chain_skip_fraction(struct bytes text, size_t at);
/* Reads the chain whose first digit is text.p[at]. c holds the chain before it
 * (zeroes: none). It wipes nothing: the owner does. */
void chain_read(struct chain *c, struct bytes text, size_t at);
