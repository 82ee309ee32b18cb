/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget: how many bytes a process keeps back until they are judged, in all and
 * for one client address, so that no one of them takes the room of all others.
 */
#pragma once

#include "proxy/base/address.h"

#define BUDGET_SHARES 256
#define BUDGET_SHARE 4 /* of all, one client has a fourth at most */

struct budget {
	size_t max, all;
	uint64_t key; /* of the hash, random: nobody chooses whom he meets */
	/* By a hash of the address: two may meet in one. */
	size_t of[BUDGET_SHARES];
};

/* What one client has of it. */
struct share {
	struct budget *budget;
	size_t at;
};

struct share budget_share(struct budget *b, const struct address *client);
/* false: it would be too much; nothing is taken. */
bool share_take(struct share s, size_t n) MUST_CHECK;
void share_give(struct share s, size_t n);
/* Most of what there may be is free, of all and of this client's. */
bool share_is_light(struct share s);
