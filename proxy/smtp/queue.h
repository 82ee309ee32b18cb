/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue: the legs that wait, in a line for each destination, and the mails of
 * the spool. A destination that was not reached waits longer each time, and all
 * legs to it with it.
 */
#pragma once

#include "proxy/smtp/mail.h"

struct queue;

/* Opens the spool (the folder is taken over); what it holds is queued. NULL and
 * *e. */
struct queue *queue_new(struct mailer *m, int folder, struct err *e) MUST_CHECK;
void queue_free(struct queue *q);

void queue_add(struct queue *q, struct mail *mail);
void queue_remove(struct queue *q, struct mail *mail);
/* The spool is to take it; the mail is told (mail_spooled, mail_not_spooled).
 * -1 and *e: it does not. */
int queue_spool(struct queue *q, struct mail *mail, struct err *e) MUST_CHECK;
/* A leg to it can start at once. */
bool queue_is_open(const struct queue *q, struct leg *leg);
/* It is in line, and starts by this tick's end; or behind others, and there is
 * memory for contents that wait. */
bool queue_wants_content(const struct queue *q, const struct leg *leg);
/* The destination is tried again now, whatever it was closed for. */
void queue_open(struct queue *q, struct leg *leg);
/* In line, now or after its wait. */
void queue_leg(struct queue *q, struct leg *leg, uint64_t wait_ms);
/* It runs, or it ended: reached says whether the destination spoke. */
void queue_leg_begun(struct queue *q, struct leg *leg);
enum queue_reached {
	QUEUE_NOT_REACHED = 0,
	QUEUE_REACHED,
	QUEUE_NOT_ASKED,
};
void queue_leg_done(
    struct queue *q, struct leg *leg, enum queue_reached reached);
/* It is not in line any more. */
void queue_forget_leg(struct queue *q, struct leg *leg);
/* After how long the next attempt is due. */
uint64_t queue_backoff_ms(const struct queue *q, unsigned attempts);
/* The first of all that are in memory. */
struct mail *queue_mails(const struct queue *q);
/* Nothing new is started. */
void queue_drain(struct queue *q);
/* A leg runs, or the spool is about to take a mail. */
bool queue_is_busy(const struct queue *q);

/* queue_orders.c */
/* An administrator's order: "list", "show ID", "retry ID|all", "drop ID",
 * "hold ID". The answer's words are appended. */
enum order_answer queue_order(
    struct queue *q, struct bytes order, struct buf *out);

/* mail.c, for the spool's events. */
void mail_spooled(struct mail *mail);
void mail_not_spooled(struct mail *mail, const char *why);
