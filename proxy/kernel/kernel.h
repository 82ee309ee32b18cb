/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: the rule set in the kernel, through libnftables: loaded in one
 * transaction that touches no other table, and compared with what it should
 * be. For that the same text is loaded once more as a dormant table, which has
 * no effect, read back and dropped: what is compared is the kernel's own
 * reading of either, whatever version of nftables writes it.
 */
#pragma once

#include "proxy/kernel/ruleset.h"

#define KERNEL_WORDS_MAX 512 /* of one difference */
#define KERNEL_TOLD_MAX 8    /* differences that are told; more are counted */

enum kernel_state {
	KERNEL_UNKNOWN = 0, /* it could not be asked */
	KERNEL_DIFFERS,
	KERNEL_SAME,
};

/* Differences in words, the first ones. */
struct kernel_drift {
	size_t n; /* all that there are */
	char words[KERNEL_TOLD_MAX][KERNEL_WORDS_MAX];
	bool bypassed; /* another table's flowtable may carry packets past the
			* chain forward: see docs/ISOLATION.md */
};

struct kernel; /* a rule set that the kernel is to hold */

/* NULL and *e: it cannot be written. r is not kept. */
struct kernel *kernel_new(const struct ruleset *r, struct err *e) MUST_CHECK;
/* NULL does nothing; the kernel's table stays. */
void kernel_free(struct kernel *k);
/* Its text, until it is freed. */
struct bytes kernel_text(const struct kernel *k);
/* In the place of whatever rule set of ours was there. 0, or -1 and *e: that
 * one stays. */
int kernel_apply(struct kernel *k, struct err *e) MUST_CHECK;
/* *e is filled when it is unknown. */
enum kernel_state kernel_verify(
    struct kernel *k, struct kernel_drift *out, struct err *e) MUST_CHECK;
/* Our table, if there is one. 0, or -1 and *e. */
int kernel_remove(struct err *e) MUST_CHECK;
