/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: one connection to a next hop, from its name to its QUIT, and those that
 * are kept: resolve, judge where it leads, connect, TLS, one mail at a time.
 */
#pragma once

#include "proxy/smtp/dialog.h"
#include "proxy/smtp/routes.h"
#include "proxy/smtp/settings.h"
#include "proxy/smtp/tlsa.h"
#include "proxy/upstream/resolve.h"

#define LINK_PEER_MAX 320
#define LINK_WORDS_MAX 400

struct links;
struct link;

/* trust: NULL for none; then no certificate holds. room() is called when a
 * connection can be had that could not before, never under links_take. NULL
 * and *e. */
struct links *links_new(const struct mail_settings *s,
    const struct upstream_settings *u, struct resolver *r, struct trust *trust,
    struct loop *l, void (*room)(void *owner), void *owner, struct err *e)
    MUST_CHECK;
/* Closes all; nobody may use one. NULL does nothing. */
void links_free(struct links *ls);
/* Closes those that nobody uses, and the others after their mail. */
void links_drain(struct links *ls);

/* For TLS with who is verified by trust's anchors, TLS 1.2 at least. NULL: out
 * of memory. */
SSL_CTX *link_ctx_new(struct trust *trust);

/* Where the hop's name comes from, so how far it is trusted. */
enum link_reach {
	LINK_REACH_JUDGED = 0, /* from a name server: reach_judge decides */
	LINK_REACH_ANY,        /* an administrator wrote it: anywhere but in
				* separated networks */
};

enum link_choice {
	LINK_ANY,
	LINK_FRESH,       /* none that was kept */
	LINK_FRESH_PLAIN, /* and without TLS; for a hop whose TLS is a matter
			   * of opportunity */
};

struct link_order {
	struct next_hop hop;
	enum link_reach reach;
	const struct zone *zone; /* JUDGED: whose permitted addresses hold;
				  * NULL: nothing inside */
	enum link_choice choice;
	struct tlsa tlsa;   /* HOP_TLS_DANE: what the hop is held to */
	const char *domain; /* the same: of the recipients */
	/* What is left of the hop's addresses; n 0: its name is asked for. */
	struct addresses only;
	const struct dialog_mail *mail; /* outlives its end */
};

enum link_end {
	LINK_UNHEARD = 0, /* it failed, and the peer said nothing about the
			   * mail */
	LINK_BROKE,       /* it failed later; the final replies stand */
	LINK_OVER,        /* every recipient has its reply */
};

struct link_report {
	enum link_end end;
	const char *enhanced; /* of a failure: "4.4.1"; static */
	char words[LINK_WORDS_MAX];
	bool lasting;  /* UNHEARD: it will be so next time, too */
	bool unshaken; /* UNHEARD: the TLS handshake failed */
	bool reused;
	bool doubtful;            /* BROKE: all of the content had been sent */
	struct addresses left;    /* UNHEARD: those that were not tried */
	char peer[LINK_PEER_MAX]; /* "mx.city.test[192.0.2.1]:25"; "" */
	const char *tls;          /* "TLSv1.3", ""; static */
	bool tls_verified;
	bool dsn; /* the peer sends notices itself */
};

/*
 * A connection for one mail, kept or new. done() is called once, never from
 * here; the link is nobody's then. NULL: the hop has connections_per_hop of
 * them, all in use; room() will tell.
 */
struct link *links_take(struct links *ls, const struct link_order *order,
    void (*done)(void *owner, const struct link_report *r), void *owner);
/* done is not called any more; it is closed. NULL does nothing. */
void link_cancel(struct link *l);
