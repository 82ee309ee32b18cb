/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbound: what is asked of mail that bodies send, before any of it leaves:
 * that not too many people outside see each other's addresses, and that its
 * sender does not send as if somebody had taken over his mailbox; and how long
 * it waits so that it can be undone.
 */
#pragma once

#include "proxy/smtp/mail.h"

/* A header with more bytes is not counted in, but refused. */
#define OUTBOUND_HEAD_MAX ((size_t)256 << 10)

/* How many different addresses of nobody of the bodies To and Cc show; what is
 * no address is one. It stops at `most`. */
size_t outbound_shown(const struct routes *r, struct bytes head, size_t most)
    MUST_CHECK;
/* The header with "undisclosed-recipients:;" in place of To and Cc (RFC 5322
 * section 3.6.3 asks for no more). -1: over out's limit. */
int outbound_hide(struct bytes head, struct buf *out) MUST_CHECK;

enum outbound_verdict {
	OUTBOUND_REFUSED = 0, /* *r says why */
	OUTBOUND_GO,          /* perhaps some recipients are held now */
};

/* Judges a mail that has its legs, before any runs: by the routes of those, and
 * counts its recipients. What a person has let go is not judged again. */
enum outbound_verdict outbound_judge(struct mail *mail, struct smtp_reply *r)
    MUST_CHECK;
/* One of its sender's recipients does not exist. */
void outbound_failed(
    struct mailer *m, const struct segment *from, const struct envelope *e);
/* So long a leg waits from now on until it may run for the first time, for who
 * wants to undo it; 0: it does not. */
uint64_t outbound_wait_ms(const struct leg *leg);
/* Whether what such a leg delivers must not show To and Cc. */
bool outbound_must_hide(const struct leg *leg, struct bytes head);
