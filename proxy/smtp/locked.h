/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locked: recipients whose mail waits for a password. Each is told by a mail of
 * ours, with the address of a page where it is typed; the address is made of
 * 128 random bits, of which the spool has a sum alone. A password is in memory
 * alone: it is gone with the process, or when the mail was delivered. Tries are
 * counted in the spool before they are made.
 */
#pragma once

#include "proxy/base/ipc.h"
#include "proxy/detox/unlock.h"
#include "proxy/smtp/mail.h"

/* Of a recipient, in the mail's arena. */
struct lock {
	uint8_t digest[DETOX_DIGEST_SIZE]; /* of its token */
	bool told;                         /* a token was sent to him */
	uint64_t until;                    /* seconds since 1970 */
	uint32_t tries;                    /* left */
	uint64_t next_ms;                  /* of the loop's clock */
	uint32_t job;     /* who waits for what comes; 0: nobody */
	unsigned guesses; /* by what other mails said (hints.h), so far */
	bool guessing;    /* one is being tried */
	char client[ADDRESS_TEXT_MAX]; /* who tries, for the journal */
};

/* The passwords that a leg has, of one recipient. */
struct leg_secret {
	struct detox_passwords passwords;
	uint8_t room[DETOX_PASSWORDS_MAX * DETOX_PASSWORD_MAX];
	size_t room_n;
};

/* Those of the leg that are pending wait from here on, each in a leg of his
 * own. */
void locked_hold(struct leg *leg, const struct detox_report *r);
/* What became of a leg that had a password. opened: it did; else the recipient
 * waits again, or r says why there is nothing more to wait for. */
enum locked_end {
	LOCKED_WRONG,
	LOCKED_OPENED,
	LOCKED_BUSY, /* it could not be tried; that does not count */
	LOCKED_HARMFUL,
};
void locked_tried(struct leg *leg, enum locked_end end);
/* Sends what recipients were not told yet. */
void locked_tell(struct mail *mail);
/* Those that waited for too long are held. */
void locked_expire(struct mail *mail, uint64_t now);
/* An administrator's retry: new tries, or a new token. */
void locked_renew(struct mail *mail);
/* An edge's order. */
void locked_ask(struct mailer *m, const struct ipc_message *order);
void leg_secret_free(struct leg *leg);

/* For hints.h. Whether its recipient waits, and not since too long. */
bool locked_is_in_time(const struct leg *leg);
/* What may open it; false: it has all of them, or had enough. */
bool locked_add(struct leg *leg, const struct detox_passwords *p);
/* Tries them. */
void locked_guess(struct leg *leg);

/* Lines behind those of a note. 0 or -1. */
int locked_pack(const struct mail *mail, struct buf *out) MUST_CHECK;
int locked_unpack(struct mail *mail, struct bytes in) MUST_CHECK;
