/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates: how many mails one client, or one body, may send in a minute. A row
 * for each is found by a hash, so that memory is fixed; two may meet in one,
 * which makes the limit stricter for them.
 */
#pragma once

#include "proxy/base/address.h"

#define RATES_ROWS 4096

struct rates {
	uint64_t secret; /* random, so that nobody chooses whose row to fill */
	struct {
		uint32_t minute;
		uint32_t n;
	} rows[RATES_ROWS];
};

/* Who an address is: all of a v4 one; of a v6 one the half that a network has,
 * as who has one has all of its addresses. */
struct bytes rates_key(const struct address *client);
/* One more of it, in the minute that now_ms is in, or a later one that another
 * process is in: false: max was reached. */
bool rates_take(struct rates *r, struct bytes key, uint32_t max,
    uint64_t now_ms) MUST_CHECK;
