/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspection: what a policy has looked for in bodies: numbers and words that
 * must not leave (dlp), weighted phrases in what comes (phrases), types of
 * files (types). Rules name inspections; those of every rule that holds are
 * made, so that no layer can leave out what one above asks for.
 */
#pragma once

#include "filters/dlp/dlp.h"
#include "filters/magic/magic.h"
#include "filters/text/set.h"
#include "proxy/policy/policy.h"

#define INSPECTIONS_MAX 64            /* bits of a decision */
#define CANARY_HOLD ((size_t)8388608) /* as dlp's hold is without a setting */

enum inspection_kind {
	INSPECTION_DLP,     /* in what leaves */
	INSPECTION_PHRASES, /* in texts that come */
	INSPECTION_TYPES,   /* of files that come */
	INSPECTION_DETOX,   /* makes files harmless, either way */
	INSPECTION_CANARY,  /* knows what was registered, in all that passes */
};

/* From the strictest on. */
enum finding {
	FINDING_BLOCK = 0,
	FINDING_WARN, /* passes when the user says why */
	FINDING_LOG,
	FINDING_NONE,
};

struct inspection {
	enum inspection_kind kind;
	/* What pages and log lines say of it, as of any rule that blocks or
	 * warns. They have one name. */
	struct rule block, warn;
	const char *said;   /* its keys and values, to compare two */
	enum finding found; /* but for dlp: what a find means */
	size_t hold_max;    /* bytes kept back until they are judged */
	struct dlp_rules *dlp;
	struct set *set; /* phrases */
	int64_t threshold;
	uint64_t types; /* that are not allowed, or made harmless; a bit for
			 * each */
	bool must_agree;
	uint64_t larger_than; /* bytes as they are read; 0: as many as come */
	struct texts media_types; /* that are not allowed; "video/" is all */
	bool downloads, uploads;  /* detox, canary: which way it looks */
	/* detox */
	const char *profile;
	uint32_t profile_at; /* its index, once the profiles are there */
};

/* Whether a dlp scan looks. */
static inline bool
inspection_scans(const struct inspection *i)
{
	return i->kind == INSPECTION_DLP || i->kind == INSPECTION_CANARY;
}

/* Whether it keeps back what is not judged yet, as dlp does. */
static inline bool
inspection_stops(const struct inspection *i)
{
	return i->kind == INSPECTION_DLP ||
	    (i->kind == INSPECTION_CANARY && i->uploads);
}

struct inspections {
	struct inspection p[INSPECTIONS_MAX];
	size_t n;
};

extern const struct setting dlp_table[], phrases_table[], types_table[],
    detox_inspection_table[];
extern const size_t dlp_table_n, phrases_table_n, types_table_n,
    detox_inspection_table_n;

/* Those of a policy file; names in it are relative to folder. 0, or -1 and *e.
 * What was read is released in either case. */
int inspections_read(struct inspections *all, const config_setting_t *root,
    const struct policy_file *file, const char *folder, struct arena *a,
    struct err *e) MUST_CHECK;
/* Its bit, or -1. */
int inspections_find(const struct inspections *all, struct bytes name);
void inspections_release(struct inspections *all);

const char *finding_name(enum finding f);
