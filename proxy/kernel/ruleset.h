/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruleset: what the kernel enforces, as the text of one nftables table. It is
 * made of the same cells that the proof walks; each chain's policy is to drop
 * and each set names what passes, so that whatever is missing refuses.
 * docs/ISOLATION.md says what each rule decides and why.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/isolation/cells.h"

/* Nobody else's: `table inet sekisho` of INSTALL.md is the administrator's. */
#define RULESET_TABLE "sekisho_isolation"
/* The same rules, dormant: what the kernel makes of the text. */
#define RULESET_EXPECTED "sekisho_isolation_expected"
/* Where tripwires log what they saw: a group of NFLOG, with so many bytes. */
#define RULESET_LOG_GROUP 8445
#define RULESET_LOG_BYTES 128
#define RULESET_MAX ((size_t)256 << 20)

struct ruleset {
	const struct isolation_model *model;
	const struct cells *cells;
	unsigned gate_uid; /* 0: no user may open the provision network */
	bool tproxy;       /* a listener takes connections to any address */
	time_t now; /* communications that are over let nothing through */
};

enum ruleset_state {
	RULESET_DORMANT = 0, /* it has no effect, and goes with its socket */
	RULESET_ACTIVE,
};

/*
 * Appends a transaction: the table of that name as if it had never been there,
 * with these rules. 0, or -1 and *e: a cell that may not be, or no room.
 */
int ruleset_write(const struct ruleset *r, const char *table,
    enum ruleset_state state, struct buf *out, struct err *e) MUST_CHECK;
/* When the next communication is over, behind r->now; 0: none ends. */
time_t ruleset_changes(const struct ruleset *r);
