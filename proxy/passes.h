/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passes: which client may go on for a while where a rule warns, in memory that
 * all processes share (board.h). Who asks to go on must show the ticket of the
 * page that warned: no other site can make one.
 */
#pragma once

#include <stdatomic.h>
#include <time.h>

#include "proxy/base/address.h"

#define PASSES 8192 /* at a time; beyond it who has the least left loses it */

struct pass {
	_Atomic uint64_t key[2]; /* of client and rule */
	_Atomic uint64_t until;  /* seconds since 1970 */
};

struct passes {
	uint8_t secret[32]; /* random at start */
	struct pass all[PASSES];
};

/* On zeroed memory. 0, or -1: no randomness. */
int passes_init(struct passes *p) MUST_CHECK;

void passes_give(struct passes *p, const struct address *client,
    const char *rule, time_t until);
bool passes_hold(const struct passes *p, const struct address *client,
    const char *rule, time_t now);

/* Hexadecimal, with a NUL. Good for one to two hours. */
#define PASSES_TICKET_N 33
void passes_ticket(const struct passes *p, const struct address *client,
    const char *rule, time_t now, char out[PASSES_TICKET_N]);
bool passes_accept(const struct passes *p, const struct address *client,
    const char *rule, time_t now, struct bytes ticket);
