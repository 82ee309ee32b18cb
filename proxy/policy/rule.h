/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule: one rule of a policy file with its conditions, how it is read and
 * whether it matches. Inside the policy alone.
 */
#pragma once

#include "proxy/policy/hours.h"
#include "proxy/policy/lists.h"
#include "proxy/policy/policy.h"

#define RULES_MAX 65536

/* Some field of that name has a value in which the pattern is found. */
struct field_condition {
	struct bytes name;
	struct pattern *pattern;
	const char *text; /* as it was written */
};

/* A key that is not there asks nothing. */
struct conditions {
	struct rule rule;
	const struct body *body;       /* of the layer; NULL: all */
	const struct section *section; /* of the layer; NULL: all */
	unsigned to;                   /* layers that may tunnel, a set */
	const struct zone **zones;
	size_t zones_n;
	const struct body **bodies;
	size_t bodies_n;
	struct bytes *destinations;
	size_t destinations_n;
	struct url *urls;
	size_t urls_n;
	struct pattern **patterns;
	size_t patterns_n;
	struct prefix *addresses;
	size_t addresses_n;
	uint16_t *ports;
	size_t ports_n;
	uint64_t categories; /* a set; 0: not asked */
	struct texts methods;
	bool uploads; /* of requests with a body alone */
	size_t larger_than;
	struct field_condition *fields;
	size_t fields_n;
	struct hours *hours;
	size_t hours_n;
	struct texts hours_text; /* as they were written */
};

/* Where a rule stands. */
struct rule_place {
	const struct policy_file *file;
	bool must;
	const struct zones *zones;
	const struct lists *lists;
	struct pattern **patterns;             /* all of the policy */
	const struct inspections *inspections; /* read so far */
};

/* Everything but that its name is its own. 0, or -1 and *e. */
int rule_read(struct conditions *c, const config_setting_t *group,
    const struct rule_place *place, struct arena *a, struct err *e) MUST_CHECK;

enum match {
	MATCH_NO = 0,
	MATCH_YES,
	MATCH_LATER, /* path or method decide, which CONNECT does not tell */
};

/* What is known of a request while rules are compared with it. */
struct judging {
	const struct query *query;
	const struct lists *lists;
	bool connecting;
	/* Categories of the destination: those that each reading of its path
	 * has, those that one has, and (connecting) those that some path on
	 * its host has. */
	uint64_t certain, possible, later;
};

/* Looks the destination up in all that makes categories. */
void judging_begin(struct judging *j, const struct policy *p,
    const struct query *q, bool connecting);
/* Without a path or a method whoever asks for them says MATCH_LATER. */
enum match rule_match(const struct conditions *c, const struct judging *j);
/* The parts of that which need no request: for the index. */
bool rule_match_zone(const struct conditions *c, const struct zone *z);
bool rule_match_body(const struct conditions *c, const struct body *b);
bool rule_match_section(const struct conditions *c, const struct section *s);
/* The name itself or a name below it. */
bool rule_host_below(struct bytes host, struct bytes name);
/* Of the rule's own, those that the destination has. */
uint64_t rule_categories(const struct conditions *c, const struct judging *j);
