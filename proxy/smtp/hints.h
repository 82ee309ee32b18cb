/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hints: passwords that come in a mail of their own, before or behind the one
 * that needs them, of the same sender to the same recipient. What may be one is
 * told to all mail processes, as any of them may have the other mail; it is in
 * memory alone, for mail.password_wait. A wrong one costs the recipient no try,
 * and only a few mails are believed: who forges a sender wins nothing.
 */
#pragma once

#include "proxy/smtp/locked.h"

#define HINTS_MAX 256  /* that are kept, of one process */
#define GUESSES_MAX 10 /* for one mail of one recipient */

struct hints;

struct hints *hints_new(void);
/* What detox found in a mail, for each recipient of the leg. */
void hints_give(const struct leg *leg, const struct detox_report *r);
/* From a mail process, by way of the parent. */
void hints_take(struct mailer *m, struct bytes body);
/* Whether there are any for a recipient who is about to wait; they are the
 * leg's then. */
bool hints_find(struct leg *leg);
