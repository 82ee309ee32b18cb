/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parameters: what stands behind the verbs MAIL, RCPT and XCLIENT. Strict: what
 * is not known, comes twice or has a value out of its grammar is refused.
 */
#pragma once

#include "proxy/smtp/envelope.h"
#include "proxy/smtp/reply.h"

struct session_claim;

enum parameters {
	PARAMETERS_NONE = 0, /* after HELO */
	PARAMETERS_TAKEN,
};

/* "FROM:<a@b> SIZE=1 …". What it points to is kept in a. 0, or -1 and the
 * answer. */
int parameters_of_mail(struct envelope *out, struct bytes argument,
    enum parameters parameters, struct arena *a, struct smtp_reply *reply_out)
    MUST_CHECK;
/* "TO:<a@b> NOTIFY=NEVER …" */
int parameters_of_rcpt(struct mail_recipient *out, struct bytes argument,
    enum mail_charset charset, enum parameters parameters, struct arena *a,
    struct smtp_reply *reply_out) MUST_CHECK;
/* "ADDR=192.0.2.1 HELO=name"; https://www.postfix.org/XCLIENT_README.html. 0
 * or -1. */
int parameters_of_xclient(struct session_claim *out, struct bytes argument)
    MUST_CHECK;
