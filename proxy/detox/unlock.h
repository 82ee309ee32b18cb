/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unlock: what an edge and the mail processes say of mails that wait for a
 * password, by way of the parent, which passes it on to all of them and does
 * not read it: a mail is in one of them, and no edge knows in which. Who does
 * not have the mail says so.
 */
#pragma once

#include "filters/detox.h"

#define UNLOCK_TOKEN_N 16
#define UNLOCK_TOKEN_HEX (2 * UNLOCK_TOKEN_N)
#define UNLOCK_PATH "/.well-known/sekisho/mail/"
/* The parent marks whom an edge's job is of with the bits above these. */
#define UNLOCK_JOB_BITS 24

/* What an edge asks. */
struct unlock_order {
	uint8_t token[UNLOCK_TOKEN_N];
	struct bytes body;     /* the code of the client's */
	struct bytes client;   /* its address, for the journal */
	struct bytes password; /* empty: how does it stand? Secret */
};

/* What a mail process tells all of them: a mail of that sender to that
 * recipient says what may be the password of another. Secret. */
struct unlock_hint {
	struct bytes sender, recipient;
	struct detox_passwords passwords;
};

/* The refusing value is 0: there is no such mail here. */
enum unlock_state {
	UNLOCK_UNKNOWN = 0,
	UNLOCK_WAITS,   /* for its password */
	UNLOCK_WRONG,   /* it was not that one */
	UNLOCK_OPENED,  /* it is delivered now */
	UNLOCK_SOON,    /* not now; seconds says when again */
	UNLOCK_EXPIRED, /* a person has to decide */
	UNLOCK_USED_UP, /* too many were wrong; the same */
	UNLOCK_HARMFUL, /* it was opened, and cannot be made harmless */
	UNLOCK_STATES,
};

struct unlock_answer {
	enum unlock_state state;
	uint32_t tries;   /* left */
	uint32_t seconds; /* of SOON */
	/* Of a mail that is there. */
	uint64_t arrived, until;             /* seconds since 1970 */
	struct bytes sender, subject, files; /* files: a line for each */
};

/* 0 or -1: out's limit. Who has an order as bytes wipes them. */
int unlock_order_pack(const struct unlock_order *o, struct buf *out) MUST_CHECK;
int unlock_answer_pack(const struct unlock_answer *a, struct buf *out)
    MUST_CHECK;
int unlock_hint_pack(const struct unlock_hint *h, struct buf *out) MUST_CHECK;
/* Strict; texts point into b. 0 or -1. */
int unlock_hint_unpack(struct unlock_hint *h, struct bytes b) MUST_CHECK;
int unlock_order_unpack(struct unlock_order *o, struct bytes b) MUST_CHECK;
int unlock_answer_unpack(struct unlock_answer *a, struct bytes b) MUST_CHECK;

void unlock_token_text(
    const uint8_t token[UNLOCK_TOKEN_N], char out[UNLOCK_TOKEN_HEX + 1]);
/* 0 or -1: it is none. */
int unlock_token_parse(uint8_t out[UNLOCK_TOKEN_N], struct bytes text)
    MUST_CHECK;
