/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sts_memory: what domains are known to ask for by MTA-STS. Memory is fixed; a
 * domain without a policy, as most are, never takes the place of one whose
 * policy is in force, and nobody knows whose place his domain shares, so that
 * nobody makes us forget it. Time is passed in.
 */
#pragma once

#include "proxy/smtp/sts.h"

#define STS_MEMORY_SETS 256
#define STS_MEMORY_WAYS 4

struct sts_known {
	char domain[HOST_MAX + 1]; /* "": free */
	char id[STS_ID_MAX + 1];   /* of the record of its policy */
	uint64_t recheck_ms;
	uint64_t expires_ms; /* of its policy; 0: none was had */
	struct sts_policy policy;
};

/* Zeroed: nothing is known. */
struct sts_memory {
	uint64_t
	    secret; /* random, so that nobody chooses whose place to take */
	struct sts_known rows[STS_MEMORY_SETS][STS_MEMORY_WAYS];
};

/* NULL: nothing is known of it. */
const struct sts_known *sts_memory_find(
    const struct sts_memory *m, struct bytes domain);
/* In the place of what was known of that domain, or of what matters less than
 * it; when all there matters more it is not kept. */
void sts_memory_keep(
    struct sts_memory *m, const struct sts_known *known, uint64_t now_ms);
