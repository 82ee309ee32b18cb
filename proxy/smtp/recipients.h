/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipients: what next hops said of recipients when they were asked before
 * the content (call-forward), kept for a time, so that one who sends to a
 * thousand made-up names costs the next hop little.
 */
#pragma once

#include "proxy/base/loop.h"
#include "proxy/smtp/envelope.h"
#include "proxy/smtp/out.h"

struct recipients;
struct recipients_wait;

struct recipients *recipients_new(
    const struct mail_settings *s, struct out *o, struct loop *l);
void recipients_free(struct recipients *r);

/*
 * NULL: *reply_out is what is known, or what can be said without asking. Else
 * done is called later, never from here; code 0 or 4yz: the next hop could not
 * be asked.
 */
struct recipients_wait *recipients_ask(struct recipients *r,
    const struct mail_route *route, const struct mail_recipient *recipient,
    struct smtp_reply *reply_out,
    void (*done)(void *owner, const struct smtp_reply *reply), void *owner);
void recipients_cancel(struct recipients_wait *w);
