/* SPDX-License-Identifier: Apache-2.0 */
/* keeper: what the files of the keeper's process share. */
#pragma once

#include "proxy/base/chain.h"
#include "proxy/base/log.h"
#include "proxy/handover/slip.h"
#include "proxy/process.h"
#include "proxy/store/shelf.h"

struct peer;
struct drop;

#define KEEPER_TRIES 256

/* Wrong numbers of one client, by a hash: two may meet in one. */
struct keeper_tries {
	uint64_t since; /* seconds since 1970 */
	unsigned wrong;
};

struct keeper {
	struct child *child;
	const struct handover_settings *settings;
	struct vault *vault;
	struct shelf *shelf;
	struct chain *crossings;
	struct peer *peers;
	struct timer *expiring;
	struct keeper_tries tries[KEEPER_TRIES];
	struct drop *drops;
	size_t drops_n;
	struct timer *looking; /* of the drop folders */
	uint32_t jobs;
};

/* A row with what is known of it; the arena's. */
struct keeper_lot {
	struct shelf_row row;
	struct slip slip;
	const struct handover_way *way; /* NULL: the settings have it no more */
};

enum handover_state keeper_state(const struct keeper_lot *lot);
/* false: there is none. */
bool keeper_find(struct keeper *k, struct bytes number, struct keeper_lot *out,
    struct arena *a);
/* All files, one behind the other, as a sealed memfd; or -1 and *e. */
int keeper_open(struct keeper *k, const struct keeper_lot *lot, struct err *e)
    MUST_CHECK;
/* The row is changed, durably. */
int keeper_change(struct keeper *k, const struct shelf_row *r, struct err *e)
    MUST_CHECK;
int keeper_delete(struct keeper *k, const struct shelf_row *r, struct err *e)
    MUST_CHECK;

/* record.c: a line in the journal, and for what crosses one in the record of
 * crossings, which is on the disk when it returns. by: who did it, or NULL;
 * nth: of the files, or all of them: -1. 0, or -1 and *e: nothing may cross. */
int keeper_record(struct keeper *k, enum log_event event,
    const struct keeper_lot *lot, const char *by, ssize_t nth, struct err *e)
    MUST_CHECK;

/* orders.c: by whom, once that was judged. 0, or -1 and *e. */
int keeper_approve(struct keeper *k, struct keeper_lot *lot, const char *by,
    struct err *e) MUST_CHECK;
int keeper_decline(struct keeper *k, struct keeper_lot *lot, const char *by,
    struct err *e) MUST_CHECK;
/* "UID TOLD VERB [NUMBER]". */
void keeper_order(struct keeper *k, const struct ipc_message *order);

/* drop.c */
void drops_begin(struct keeper *k);
void drops_end(struct keeper *k);
/* What may be delivered is, now. */
void drops_deliver(struct keeper *k);
void drops_judged(
    struct keeper *k, struct peer *p, const struct ipc_message *m);
void drops_peer_gone(struct keeper *k, const struct peer *p);
/* Tells who put it there that it was declined. */
void drops_declined(struct keeper *k, const struct keeper_lot *lot);

/* keeper.c: asks some edge to judge a file; false: there is none. */
bool keeper_ask(struct keeper *k, uint32_t job, struct bytes words, int fd,
    struct peer **peer_out);
