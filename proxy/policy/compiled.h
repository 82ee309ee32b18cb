/* SPDX-License-Identifier: Apache-2.0 */
/* compiled: what a loaded policy is made of. Inside the policy alone. */
#pragma once

#include "proxy/policy/inspection.h"
#include "proxy/policy/rule.h"

/* The rules stand as they are asked: those that must hold, then the choices
 * from the lowest layer up, then who lets others have tunnels. */
struct policy {
	struct conditions *rules;
	size_t rules_n;
	size_t choices; /* where they begin */
	size_t grants;
	struct lists *lists;
	struct index *index;
	struct pattern *patterns;
	struct inspections inspections;
	/* Those of canaries, which every decision has. */
	const struct inspection *canaries[2]; /* of what comes, of what leaves
					       */
	uint64_t always;
	struct urlset *urlsets;
	uint64_t asked;                     /* categories that rules ask for */
	struct urlrep *reputation;          /* of queries that bring none */
	const struct score_settings *score; /* NULL: unknown */
	const char *folder;
	const struct zones *zones;
};
