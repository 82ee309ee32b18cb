/* SPDX-License-Identifier: Apache-2.0 */
/* store_state: what the files of the store's process share. */
#pragma once

#include "proxy/base/person.h"
#include "proxy/process.h"
#include "proxy/store/original.h"
#include "proxy/store/shelf.h"
#include "proxy/store/store.h"

struct peer;
struct waiting;

/* The one that is being handed to a mail process. */
struct release {
	uint32_t job;       /* 0: none is */
	uint32_t order_job; /* an administrator waits for it; 0: nobody */
	char id[SHELF_ID_MAX];
	struct timer *timer; /* until it is tried again */
};

struct store {
	struct child *child;
	struct vault *vault;
	struct shelf *shelf;
	struct store_limits limits;
	struct peer *peers;
	struct waiting *waiting; /* for the commit */
	struct waiting *waiting_last;
	bool committing;
	struct timer *expiring;
	struct release release;
	uint32_t jobs;
};

/* store.c */
/* What waits becomes durable now, and is answered. */
void store_settle(struct store *st);
/* Those whose time is over go; how many. */
size_t store_expire(struct store *st);

/* orders.c: "UID TOLD VERB [ID]". The answer is sent by it, or later. */
void store_order(struct store *st, const struct ipc_message *order);
void store_answer(struct store *st, uint32_t job, enum order_answer answer,
    struct bytes words);
/* A line in the journal about it; by NULL: nobody ordered it. */
void store_record(enum log_event event, const struct shelf_row *r,
    const char *by, const char *approved_by);

/* release.c */
/* The next that is approved is handed over, unless one is. */
void release_next(struct store *st);
/* order_job: that is to be answered when id is handed over. */
void release_wait(struct store *st, const char *id, uint32_t order_job);
void release_answered(struct store *st, const struct ipc_message *m);
void release_begin(struct store *st);
void release_end(struct store *st);
