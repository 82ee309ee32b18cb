/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out: the way to next hops. One content to one next hop's recipients, over a
 * connection that is kept for the next mail; what it answered for each of them.
 *
 *	out.c		which next hops, in which order; what became of it
 *	link.c		one connection: its mails, keeping it, time limits
 *	link_open.c	the way to it: resolve, judge, connect, TLS
 *	dialog.c	the client's side of SMTP; no I/O
 *	tlsa.c, sts.c	what a domain found by MX asks of TLS (DANE, MTA-STS)
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/loop.h"
#include "proxy/smtp/routes.h"
#include "proxy/smtp/settings.h"
#include "proxy/upstream/upstream.h"

struct out;
struct shipment;

/* All pointers outlive the shipment. */
struct shipment_order {
	const struct mail_route *route;
	struct bytes domain; /* of the recipients; for a route by MX */
	/* By MX: whose `permitted` addresses may be reached beside public ones;
	 * NULL: nothing inside. Next hops of the route are not judged. */
	const struct zone *zone;
	const struct envelope *envelope; /* its sender and parameters */
	const struct mail_recipient *const *recipients; /* of the envelope */
	size_t recipients_n;
	/* The mail: head, then body, each with CRLF lines and no dots stuffed.
	 * The head is what we write before it (Received and such). */
	struct bytes head;
	struct bytes body;
	bool eight_bit; /* it has bytes over 127 */
};

enum shipment_end {
	SHIPMENT_FAILED = 0, /* nobody was reached, or the way broke before all
			      * was said: 4yz for those without an answer */
	SHIPMENT_ANSWERED,   /* every recipient has the next hop's answer, or
			      * ours where no next hop can ever take it (no such
			      * domain, null MX, 8 bits, UTF-8, size) */
};

struct shipment_result {
	enum shipment_end end;
	const struct smtp_reply
	    *replies;     /* of each recipient: the final one:
			   * of RCPT when that was refused, else of the
			   * content; a failure is a 4yz of ours */
	const char *peer; /* "mx.city.test[192.0.2.1]:25"; "" */
	const char *tls;  /* "TLSv1.3", ""; verified or not: below */
	bool tls_verified;
	bool doubtful; /* the content was sent whole and no answer came: it may
			* have arrived */
	bool dsn;      /* the peer tells the sender itself (RFC 3461) */
	bool reused;   /* a kept connection */
	uint64_t us;   /* from asking to the end */
};

struct common;

/* trust: of tls_origin, for verified hops; common: where policies of domains
 * are remembered. */
struct out *out_new(const struct mail_settings *s,
    const struct upstream_settings *u, struct trust *trust,
    struct common *common, struct loop *l, struct err *e) MUST_CHECK;
/* No shipment may be under way. NULL does nothing. */
void out_free(struct out *o);

/*
 * done() is called once, never from here; what result points to is its own
 * until it returns. Next hops are tried in their order until one has said
 * something about the mail. All of a route's next hops with too many
 * connections: it waits its turn.
 */
struct shipment *shipment_new(struct out *o, const struct shipment_order *order,
    void (*done)(void *owner, const struct shipment_result *r), void *owner);
/* done is not called any more; its connection is closed. NULL does nothing. */
void shipment_cancel(struct shipment *s);

/* Asks the next hop about one recipient, without a mail (MAIL FROM:<>, RCPT,
 * RSET). done() as above, with the reply of RCPT; code 0: none was had. */
struct inquiry;
struct inquiry *inquiry_new(struct out *o, const struct mail_route *route,
    const struct mail_recipient *recipient,
    void (*done)(void *owner, const struct smtp_reply *reply), void *owner);
void inquiry_cancel(struct inquiry *i);

/* Closes kept connections; the process ends when its work is done. */
void out_drain(struct out *o);

/* The port of hosts found by MX; 25, but in tests. */
void out_set_mx_port(struct out *o, uint16_t port);
/* The same of MTA-STS's pages; 443, and public addresses alone. */
void out_set_sts_port(
    struct out *o, uint16_t port, const struct zone *permitted);
