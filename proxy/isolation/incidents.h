/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incidents: what trips of one system, or of one segment, within some minutes
 * make: one incident with a number, a first evidence and a count, however many
 * they are. It ends when nothing came for a while, or when a person restores
 * the system. Time is passed in.
 */
#pragma once

#include "proxy/isolation/trip.h"

#define INCIDENT_WHERE_MAX 192
#define INCIDENT_QUIET_MS (10 * 60 * 1000) /* behind the last trip */
#define INCIDENT_TOLD_MS (60 * 1000)       /* between two tellings */
#define INCIDENTS_MAX 1024 /* open; beyond it all are one of "others" */

struct incident {
	uint64_t number; /* over all starts */
	char where[INCIDENT_WHERE_MAX];
	struct trip first; /* the evidence */
	uint64_t opened_ms, last_ms, told_ms;
	uint64_t count;      /* trips */
	uint64_t count_told; /* of them */
	struct incident *next;
};

enum incident_news {
	INCIDENT_OPENED,
	INCIDENT_COUNTED, /* into one that is known */
	INCIDENT_MORE,    /* by a tick: what has come since it was told of */
	INCIDENT_QUIET,   /* by a tick: it is over, and gone behind the call */
};

struct incidents {
	struct incident *open; /* the newest first */
	size_t open_n;
	uint64_t last_number;
};

/* Takes a trip in; where tells incidents apart, and is for people. */
enum incident_news incidents_take(struct incidents *all, const char *where,
    const struct trip *t, uint64_t now_ms, struct incident **out);
/* One that was open when the parent ended. */
void incidents_resume(struct incidents *all, uint64_t number, const char *where,
    uint64_t opened_ms, uint64_t now_ms);
/* No time of them is later than now: the clock was wrong. */
void incidents_set_clock(struct incidents *all, uint64_t now_ms);
/* To be called each second; tells what is due. */
void incidents_tick(struct incidents *all, uint64_t now_ms,
    void (*tell)(
	void *owner, const struct incident *i, enum incident_news news),
    void *owner);
/* The open one of that number, or NULL. */
struct incident *incidents_find(const struct incidents *all, uint64_t number);
void incidents_close(struct incidents *all, struct incident *i);
void incidents_release(struct incidents *all);
