/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the policy files, compiled; and the verdict on a request with its
 * reason. The first rule that matches decides; no match blocks.
 */
#pragma once

#include <time.h>

#include "proxy/base/setting.h"
#include "proxy/policy/url.h"
#include "proxy/zone/zone.h"

enum verdict {
	VERDICT_BLOCK = 0,
	VERDICT_TUNNEL, /* passed without being decrypted (do_not_decrypt) */
	VERDICT_ALLOW,  /* intercepted and judged request by request */
};

struct rule {
	const char *name;
	const char *file;
	unsigned line;
	enum verdict verdict;
	/* tunnel: only TLS whose SNI is the CONNECT name may pass. */
	bool tls_only;
	const char *reason_ja;
	const char *reason_en;
};

/* What a verdict is asked about. */
struct query {
	const struct segment *segment; /* NULL: unknown source */
	const struct url *url;
	struct bytes method;
	time_t now; /* for hours; Japan Standard Time is applied inside */
};

struct decision {
	enum verdict verdict;
	const struct rule *rule; /* never NULL: built-in rules have names too */
	const char *category;    /* of the list that matched, or NULL */
};

struct policy; /* in the arena it was loaded into */

extern const struct setting policy_table[], rule_table[], list_table[];
extern const size_t policy_table_n, rule_table_n, list_table_n;

/*
 * Reads the files named (relative to folder) and their lists, in order.
 * Errors: file:line, what is wrong, what was expected.
 */
struct policy *policy_load(const struct texts *files, const char *folder,
    const struct zones *zones, struct arena *a, struct err *e) MUST_CHECK;

/*
 * At CONNECT, when path and method are not known yet. A rule that asks for them
 * cannot match nor be passed over: unless all that could follow is blocked, the
 * answer is then ALLOW (decrypt and judge each request) by builtin:decrypt.
 */
struct decision policy_judge_connect(
    const struct policy *p, const struct query *q);
struct decision policy_judge(const struct policy *p, const struct query *q);
#define POLICY_STEPS_MAX 2
/* The verdicts as a client meets them: https is first judged at its CONNECT,
 * and what is refused or not decrypted there is not asked again. Their count;
 * the last decides. */
size_t policy_judge_steps(const struct policy *p, const struct query *q,
    struct decision out[POLICY_STEPS_MAX]);
const char *verdict_name(enum verdict v);

/* Runs policies/NAME.cases; prints each that differs. The count of those, or
 * -1 and *e when the file cannot be read. */
int policy_run_cases(const struct policy *p, const struct zones *z,
    const char *path, FILE *out, size_t *run_out, struct err *e) MUST_CHECK;
