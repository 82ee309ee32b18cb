/* SPDX-License-Identifier: Apache-2.0 */
/* link_state: what link.c and link_open.c share of a link; nobody else's. */
#pragma once

#include "proxy/base/stream.h"
#include "proxy/smtp/link.h"

enum link_state {
	LINK_RESOLVING = 0,
	LINK_CONNECTING,
	LINK_SHAKING,
	LINK_TALKING,  /* until the dialog is ready */
	LINK_MAILING,  /* the mail */
	LINK_SETTLING, /* its end is known; the loop tells it */
	LINK_RESETTING,
	LINK_IDLE,
	LINK_LEAVING,
};

struct link {
	struct links *links;
	struct link *prev, *next;
	enum link_state state;
	struct link_order order;
	char host[HOST_MAX + 1], name[HOST_MAX + 1]; /* of order.hop */
	char domain[HOST_MAX + 1];                   /* of order */
	struct resolve_wait *resolving;
	struct race *race;
	struct stream *stream;
	struct timer *timer; /* of what is waited for */
	struct dialog dialog;
	bool in_dialog;  /* it has begun */
	bool taking;     /* under links_take */
	bool sent_whole; /* the content has left with its last byte */
	struct link_report report;
	void (*done)(void *owner, const struct link_report *r);
	void *owner;
};

struct links {
	const struct mail_settings *settings;
	const struct upstream_settings *upstream;
	struct resolver *resolver;
	struct loop *loop;
	SSL_CTX *ctx;
	struct link *first; /* the last one used first */
	bool draining;
	void (*room)(void *owner);
	void *owner;
};

extern const struct stream_events link_events;

/* link_open.c. Resolves, connects, and begins the dialog. */
void link_open(struct link *l);
void link_begin_tls(struct link *l);
void link_shake(struct link *l);

/* link.c. The mail's end, with the words of the failure; the link may be gone
 * behind it. */
void link_fail(struct link *l, const char *enhanced, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* What the dialog has to say. */
void link_say(struct link *l);
