/* SPDX-License-Identifier: Apache-2.0 */
/*
 * separation: the register's owner. It reads the auditor's statements, keeps
 * suspensions in the ledger, takes in trips and probes, and fills the page that
 * every process reads. It stands beside the generations.
 *
 *	separation.c		statements, settings, the page and its clock
 *	separation_trips.c	what processes saw, and incidents
 *	separation_orders.c	what an administrator orders
 */
#pragma once

#include "proxy/base/ipc.h"
#include "proxy/board.h"
#include "proxy/isolation/register.h"
#include "proxy/isolation/trip.h"
#include "proxy/settings.h"

/* The register's memory, closed, and its clock; before any settings. What it
 * shows in the status goes to the board. 0, or -1 and *e. */
int separation_begin(struct loop *l, struct board *b, struct err *e) MUST_CHECK;
/*
 * Settings are about to come into force: their auditors' keys and the ledger
 * are opened, and their systems stand in the page beside those that run. 0, or
 * -1 and *e: nothing has changed.
 */
int separation_prepare(const struct settings *s, struct err *e) MUST_CHECK;
/* They are in force: what others had is no system any more. */
void separation_serve(const struct settings *s);
/* They are about to be freed. */
void separation_forget(const struct settings *s);
/* The log can be written: what was found before is told now. */
void separation_tell(void);
/* The time is kept for the next start. */
void separation_end(void);

/* The descriptor for children, to read. */
int separation_fd(void);
/* The page, for who opens and closes it: the check of the kernel's rules. */
struct standings *separation_standings(void);

/* From a process: PARENT_TRIPPED, PARENT_PROBED. */
void separation_tripped(const struct ipc_message *m);
void separation_probed(const struct ipc_message *m);
/* What the parent itself saw; its text is a string of printable ASCII. */
void separation_trip(const struct trip *t);

/*
 * An administrator's order, behind the byte that says whom it is for:
 * "UID TOLD VERB", with what follows it behind tabs. Fills out and gives the
 * answer.
 */
enum separation_answer {
	SEPARATION_MALFORMED = 0,
	SEPARATION_REFUSED,
	SEPARATION_DONE,
};
enum separation_answer separation_order(struct bytes order, struct buf *out);
