/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the policy files of all layers, compiled; and the verdict on a
 * request with its reason. The algebra (docs/POLICY.md section 3):
 *
 *	floor(q)   the strictest verdict of all `must` rules that match
 *	choice(q)  the verdict of the first `default` rule that matches, from
 *	           the lowest layer up; none: block
 *	verdict(q) the stricter of both; tunnel only where a layer above that of
 *	           the rule permits it, else allow
 */
#pragma once

#include <time.h>

#include "proxy/base/setting.h"
#include "proxy/policy/url.h"
#include "proxy/zone/zone.h"

/* From the strictest on. */
enum verdict {
	VERDICT_BLOCK = 0,
	VERDICT_READ_ONLY, /* GET and HEAD pass, and nothing goes up */
	VERDICT_WARN,      /* passes when the user says why */
	VERDICT_ALLOW,     /* intercepted and judged request by request */
	VERDICT_TUNNEL,    /* passed without being decrypted */
	/* No decision: lets layers below have tunnels. */
	VERDICT_MAY_TUNNEL,
};

/* From above: each can only tighten what the ones before it must have. */
enum layer {
	LAYER_NATIONAL,
	LAYER_PREFECTURE,
	LAYER_BODY,
	LAYER_SECTION,
	LAYERS,
};

/* A field that requests get, or, without value, lose. */
struct field_effect {
	struct bytes name;
	struct bytes value; /* p NULL: removed */
};

struct rule {
	const char *name;
	const char *file;
	unsigned line;
	enum layer layer;
	bool must;
	enum verdict verdict;
	/* tunnel: only TLS whose SNI is the CONNECT name may pass. */
	bool tls_only;
	const char *reason_ja;
	const char *reason_en;
	const char *owner;  /* who answers for it; or "" */
	const char *clause; /* of a guideline; or "" */
	/* warn, and block with release: how long who said why may go on. */
	uint64_t lasts_ms;
	bool release;   /* block, until the user says why it is needed */
	bool approval;  /* release, when an administrator approves too */
	bool detail;    /* the journal gets more of what it matches */
	time_t expires; /* from then on it has no effect; 0: never */
	struct field_effect *fields;
	size_t fields_n;
	struct bytes connect_to; /* empty, or see struct url */
	uint64_t inspections;    /* a set; see inspection.h */
};

struct urlrep;

/* What a verdict is asked about. */
struct query {
	const struct segment *segment; /* NULL: unknown source */
	const struct url *url;
	struct bytes method;
	bool upgrade;    /* it asks for a WebSocket */
	bool upload;     /* it has a body */
	uint64_t length; /* of that; UINT64_MAX: not told */
	/* The value of its nth field of that name (from 0), p NULL: no more.
	 * NULL: it has none. */
	struct bytes (*field)(const void *owner, struct bytes name, size_t nth);
	time_t now; /* for hours; Japan Standard Time is applied inside */
	const struct urlrep *reputation; /* the list file; NULL: none */
	/* Whether the client went on at that rule, and may still. NULL: no. */
	bool (*went_on)(const void *owner, const struct rule *r);
	const void *owner;
};

/* The name that the rules lead to instead of the host; empty: none. */
struct decision;
struct bytes decision_connect_to(const struct decision *d);
/* What the rules say of a request field: the highest layer's; NULL: nothing. */
const struct field_effect *decision_field(
    const struct decision *d, struct bytes name);

/* Where the form of such a page goes to, on any host: no rule decides it. */
/* What no origin ever sees begins so. */
#define POLICY_OWN_PATH "/.well-known/sekisho/"
#define POLICY_FORM_PATH "/.well-known/sekisho/continue"

/* Whether a user who says why may go on there. */
static inline bool
rule_asks_why(const struct rule *r)
{
	return r->verdict == VERDICT_WARN ||
	    (r->verdict == VERDICT_BLOCK && r->release);
}

#define POLICY_EFFECTS_MAX 32

struct decision {
	enum verdict verdict;
	const struct rule *rule; /* never NULL: built-in rules have names too */
	const char *category;    /* of the list that matched, or NULL */
	/* The `must` rules that match, the highest layer's first, then the
	 * choice, as far as they have effects. Of one field's the first holds.
	 * More that could match together are refused at load. */
	const struct rule *effects[POLICY_EFFECTS_MAX];
	size_t effects_n;
	/* Of the same rules, all of them; none when nothing passes. */
	uint64_t inspections;
	bool detail; /* one of them asks for it */
};

/* The files of all layers, as the settings name them. */
struct policy_file {
	const char *path; /* as written */
	enum layer layer;
	const struct body *body;       /* of LAYER_BODY and below */
	const struct section *section; /* of LAYER_SECTION */
};
struct policy_files {
	struct policy_file *p;
	size_t n;
};

/* Group `reputation`. */
struct reputation_settings {
	const char *file; /* "": none */
};
extern const struct setting reputation_table[];
extern const size_t reputation_table_n;

struct detox_profiles;
struct policy; /* in the arena it was loaded into, but for: */
/*
 * For who asks without a daemon: the list file that queries use which bring
 * none. 0, or -1 and *e; an empty name is none.
 */
int policy_use_reputation(struct policy *p, const char *path, struct err *e)
    MUST_CHECK;
/* The rule of a file by its name, or an inspection's as it warns; or NULL. */
const struct rule *policy_rule(const struct policy *p, struct bytes name);
/* Those of a decision's set: bit by bit. */
struct inspection;
const struct inspection *policy_inspection(
    const struct policy *p, unsigned bit);
/* By its name; or NULL. */
const struct inspection *policy_inspection_named(
    const struct policy *p, struct bytes name);
/* What numbers are hashed with, in whatever is written of them: at most
 * DLP_KEY_MAX bytes, copied. Without it the hashes have no key. */
void policy_use_key(struct policy *p, struct bytes key);
/* A list of kind "reputation" is of no use without the file. */
bool policy_needs_reputation(const struct policy *p);
/* The profiles that its inspections name. 0, or -1 and *e: one is not there. */
int policy_use_profiles(struct policy *p, const struct detox_profiles *profiles,
    struct err *e) MUST_CHECK;
/* What names score, for lists of kind "score"; it must live as long as p. */
/* What is looked for in all that passes, whatever the rules say: by two
 * inspections, of what leaves and of what comes. None: nothing. 0, or -1 and
 * *e. */
struct dlp_canary;
int policy_use_canaries(struct policy *p, const struct dlp_canary *all,
    size_t n, struct err *e) MUST_CHECK;
/* That one, or NULL. */
const struct inspection *policy_canaries(const struct policy *p, bool leaves);
struct score_settings;
void policy_use_score(struct policy *p, const struct score_settings *s);
/* Frees what the arena does not hold. NULL does nothing. */
void policy_release(struct policy *p);

extern const struct setting policies_table[], policies_body_table[],
    policies_section_table[], policy_table[], rule_table[], list_table[];
extern const size_t policies_table_n, policies_body_table_n,
    policies_section_table_n, policy_table_n, rule_table_n, list_table_n;

/* The group `policies` of the root. */
int policy_files_load(const config_setting_t *root, const struct zones *zones,
    struct arena *a, struct policy_files *out, struct err *e) MUST_CHECK;

/*
 * Reads the files (relative to folder) and their lists.
 * Errors: file:line, what is wrong, what was expected.
 */
struct policy *policy_load(const struct policy_files *files, const char *folder,
    const struct zones *zones, struct arena *a, struct err *e) MUST_CHECK;

/*
 * At CONNECT, when path and method are not known yet. A rule that asks for them
 * cannot match nor be passed over: unless all that could follow is blocked, the
 * answer is then ALLOW (decrypt and judge each request) by builtin:decrypt.
 * BLOCK, ALLOW or TUNNEL.
 */
struct decision policy_judge_connect(
    const struct policy *p, const struct query *q);
/* BLOCK, WARN or ALLOW: READ_ONLY is one of them, by the method; and what the
 * client went on at is ALLOW. */
struct decision policy_judge(const struct policy *p, const struct query *q);
#define POLICY_STEPS_MAX 2
/* The verdicts as a client meets them: https is first judged at its CONNECT,
 * and what is refused or not decrypted there is not asked again. Their count;
 * the last decides. */
size_t policy_judge_steps(const struct policy *p, const struct query *q,
    struct decision out[POLICY_STEPS_MAX]);

/* What one layer says of a request; NULL: nothing. */
struct opinion {
	const struct rule *must;   /* its strictest */
	const struct rule *chosen; /* its first of `default` */
};
void policy_opinions(
    const struct policy *p, const struct query *q, struct opinion out[LAYERS]);

const char *verdict_name(enum verdict v);
const char *layer_name(enum layer l);

/* Prints a line for each rule that is well formed and cannot mean what it says:
 * one that never decides, that nothing above lets be a tunnel, and the like.
 * Their count. */
size_t policy_review(const struct policy *p, FILE *out);

/* Runs policies/NAME.cases; prints each that differs. The count of those, or
 * -1 and *e when the file cannot be read. */
int policy_run_cases(const struct policy *p, const struct zones *z,
    const char *path, FILE *out, size_t *run_out, struct err *e) MUST_CHECK;
