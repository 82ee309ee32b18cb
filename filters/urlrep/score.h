/* SPDX-License-Identifier: Apache-2.0 */
/*
 * score: what a URL looks like, beside what lists say of it: names that pass
 * themselves off as a municipality's, mixed scripts, names without sense,
 * dynamic DNS, bare addresses, odd ports. Each finding has its points, which
 * are settings, and words; what a sum means is the policy's to say.
 */
#pragma once

#include "filters/urlrep/canon.h"
#include "proxy/base/setting.h"

enum score_kind {
	SCORE_OFFICIAL_ZONE, /* "lg.jp" where it is not the end, or one edit
				away from it */
	SCORE_CITY,          /* begins with city.NAME, and is no city's */
	SCORE_OWN_NAME,      /* looks like a body's own name */
	SCORE_MIXED_SCRIPTS,
	SCORE_HOMOGLYPHS, /* a whole label in letters that look like others */
	SCORE_RANDOM,
	SCORE_DYNAMIC_DNS,
	SCORE_ADDRESS,
	SCORE_PORT,
	SCORE_KINDS,
};

struct score_settings {
	uint32_t official_zone, city, own_name, mixed_scripts, homoglyphs;
	uint32_t random, dynamic_dns, address, port;
	struct texts own_names; /* hosts of the bodies */
	struct texts dynamic_zones;
};
extern const struct setting score_table[];
extern const size_t score_table_n;

#define SCORE_MAX 100
#define SCORE_WHY_MAX 160

struct score_finding {
	enum score_kind kind;
	unsigned points;
	char why[SCORE_WHY_MAX];
};

struct score {
	unsigned points; /* the sum, at most SCORE_MAX */
	size_t n;
	struct score_finding findings[SCORE_KINDS]; /* one of a kind */
};

void score_url(
    const struct score_settings *s, const struct canon *url, struct score *out);
const char *score_kind_name(enum score_kind k);
