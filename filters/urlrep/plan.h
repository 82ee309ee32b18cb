/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: which feeds make a list file, as an administrator's sources file says
 * (docs/LISTS.md) or as a command line does, and the making itself. A feed that
 * cannot be read, has too many bad rows, or shrank by a third is held back: its
 * entries of the file before stay, the others go on.
 */
#pragma once

#include "filters/urlrep/feed.h"
#include "filters/urlrep/score.h"
#include "proxy/base/setting.h"

#define PLAN_SOURCES_MAX 1024
/* Of Debian's package publicsuffix. */
#define PLAN_SUFFIXES "/usr/share/publicsuffix/public_suffix_list.dat"

struct plan_source {
	const char *name;
	const char *kind_name;
	const char *category;
	const char *file; /* a pattern of glob(7) */
	uint32_t confidence;
	uint32_t lifetime; /* days; 0: no end */
	bool protect;
	enum feed_kind kind;
};

struct plan_settings {
	struct texts protected_zones, protected_names, protected_files;
	uint32_t generations;
	uint32_t shrink_percent;
};

struct plan {
	struct arena arena;
	struct plan_settings settings;
	struct score_settings score;
	struct plan_source *sources;
	size_t n;
	struct protect *protect;
};

extern const struct setting plan_table[];
extern const size_t plan_table_n;
extern const struct setting plan_source_table[];
extern const size_t plan_source_table_n;

/* A plan of the defaults. */
void plan_init(struct plan *p);
void plan_release(struct plan *p);
/* Takes a sources file in. 0, or -1 and *e ("file:line: …"). */
int plan_read(struct plan *p, const char *path, struct err *e) MUST_CHECK;
/* Adds "kind:category:file". */
int plan_add(struct plan *p, const char *words, struct err *e) MUST_CHECK;

struct plan_order {
	const struct urlrep *before; /* NULL: there is none */
	const char *const *accepted; /* sources that may have shrunk */
	size_t accepted_n;
	time_t now;
	uint64_t seed;
};

struct plan_result {
	size_t held; /* sources that kept their entries of before */
	struct build_counts counts;
};

/*
 * Makes the file in `out`; what an administrator should know of it, line by
 * line, goes to `report`. 0, or -1 and *e: nothing was made.
 */
int plan_compile(struct plan *p, const struct plan_order *order,
    struct buf *out, struct buf *report, struct plan_result *result_out,
    struct err *e) MUST_CHECK;
