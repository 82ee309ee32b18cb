/* SPDX-License-Identifier: Apache-2.0 */
/* separation_state: what the parts of separation.h share. */
#pragma once

#include "proxy/isolation/incidents.h"
#include "proxy/isolation/ledger.h"
#include "proxy/isolation/statements.h"
#include "proxy/parent/separation.h"

#define WORDS_MAX 256 /* of a reason, with its NUL */

enum probe_known {
	PROBE_UNKNOWN = 0, /* none came */
	PROBE_WAS_BAD,
	PROBE_WAS_GOOD,
};

/* Of a system, by its digest; over all settings, and never freed. */
struct known {
	uint8_t digest[MODEL_DIGEST_N];
	char name[STATEMENT_NAME_MAX + 1];
	bool suspended;
	uint64_t suspended_ms; /* the last time; 0: never */
	uint64_t incident;     /* the last one; 0: none */
	char by[WORDS_MAX], why[WORDS_MAX];
	bool unsaved; /* the ledger could not take its suspension yet */
	enum probe_known probe;
	uint64_t probed_ms; /* the last good one */
	char probe_text[TRIP_TEXT_MAX];
	struct known *next;
	struct known *namesake; /* a ring of all of its name */
};

/* What settings say, and what the folder held when they were loaded. */
struct view {
	const struct settings *settings; /* NULL: none */
	const struct isolation_model *model;
	EVP_PKEY **auditors;
	size_t auditors_n;
	struct statements statements;
};

struct separation {
	struct loop *loop;
	struct board *board;
	int fd;
	struct standings *page;
	struct timer *timer;
	unsigned ticks;
	struct view current, coming;
	void *tree;  /* of entries, tsearch(3) */
	void *names; /* one entry of each name */
	struct known *entries;
	struct ledger *ledger; /* NULL: no settings had systems yet */
	char *ledger_path;
	char marked[LEDGER_HEAD_N]; /* what the clock's file has of it */
	uint64_t floor_ms;          /* no statement signed until then counts */
	struct incidents incidents;
	bool unkept; /* the last good probes have changed */
	bool behind; /* the machine's clock, and that was told */
	bool telling;
	struct arena untold_arena;
	struct untold *untold;
};

extern struct separation separation;

/* separation.c */
uint64_t separation_now_ms(void);
struct known *separation_entry(const struct system *system);
struct known *separation_known(const uint8_t digest[MODEL_DIGEST_N]);
/* Suspends those that are not yet: in the page, on the disk, in the journal;
 * how many they were. opens: their incident is new. */
struct suspension {
	uint64_t incident;
	const char *by, *why;
	const struct incident *opens; /* NULL: not by one that is new */
};
size_t separation_suspend(
    const struct system *const *systems, size_t n, struct suspension s);
/* Of the system, in the current settings, by the names of its segment. */
void separation_publish(void);
void separation_show(void);
struct statements_question separation_question(const struct view *v);
/* Looks through the folder anew. 0, or -1 and *e. */
int separation_reread(struct view *v, struct err *e) MUST_CHECK;
/* The last good probes, to the disk; when that fails, again by the second. */
void separation_keep_probes(void);
/* The machine's clock is right, as by says. 0, or -1 and *e. */
int separation_set_clock(const char *by, const char *why, struct err *e)
    MUST_CHECK;
void separation_notice(enum log_event event, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* separation_trips.c */
void separation_incidents_tick(uint64_t now_ms);
/* Its system was restored. */
void separation_incident_restored(uint64_t number);
const char *trip_name(const struct trip *t); /* "web" */
