/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes: which mail may pass, and where it goes: the file of mail routes
 * (policies/mail.conf) as one read-only table.
 *
 *	inbound   of a body's domains: its next hops, detox profile, side
 *	outbound  of mail that bodies send elsewhere: next hops, or by MX
 *	senders   as which domains a body may send, beside its inbound ones
 *	dkim      with which keys a body's mail is signed
 *
 *	routes.c	reads the file
 *	verdict.c	judges by it
 *	domains.c	which entry covers a domain
 *
 * A body may send as its own domains alone, nobody outside may use them, and
 * nobody outside reaches a domain that has no inbound route.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/setting.h"
#include "proxy/detox/profiles.h"
#include "proxy/smtp/envelope.h"
#include "proxy/smtp/reply.h"
#include "proxy/store/store.h"
#include "proxy/zone/zone.h"

/* What the way to a next hop must be. The strictest is 0. */
enum hop_tls {
	HOP_TLS_VERIFIED = 0,  /* "required": TLS with a certificate that holds
				* for the hop's name */
	HOP_TLS_DANE,          /* as DNS says of a host found by MX */
	HOP_TLS_OPPORTUNISTIC, /* TLS when it is offered, whoever it is with */
	HOP_TLS_NONE,          /* plain, in a closed network */
};

struct next_hop {
	const char *host; /* a name, or an address */
	uint16_t port;
	uint32_t priority; /* lower first; the same: any of them */
	enum hop_tls tls;
	bool implicit;    /* TLS at once (port 465), no STARTTLS */
	const char *name; /* that its certificate must hold for: host, or as
			   * the file says */
};

enum mail_side {
	MAIL_SIDE_LGWAN = 0,
	MAIL_SIDE_INTERNET,
};

/* What becomes of a mail that shows too many addresses outside. */
enum external_over {
	EXTERNAL_REFUSE = 0,
	EXTERNAL_BCC,  /* To and Cc are hidden */
	EXTERNAL_HOLD, /* a person decides */
};

/* Of outbound routes, for mail of bodies. */
struct outbound_rules {
	uint32_t external_max; /* addresses outside in To and Cc; 0: any */
	enum external_over over;
	uint64_t delay_ms; /* so long it waits in the spool; 0: not */
	/* What is looked for in its texts, of kind dlp; as the file names them,
	 * and what routes_use_policy found under these names. */
	struct texts inspect;
	const struct inspection **inspections;
	uint32_t text_profile; /* of detox, by which texts are taken out */
};

struct inspection;

/* What becomes of a mail with something that a password would open. */
enum mail_encrypted {
	MAIL_ENCRYPTED_REFUSE = 0,
	MAIL_ENCRYPTED_REMOVE, /* left out, as all that cannot be rebuilt */
	MAIL_ENCRYPTED_HOLD,   /* until its recipient types the password */
};

struct mail_route {
	const char *name;        /* as the file names it; for log and explain */
	const char *rule;        /* "inbound city", of struct mail_reason */
	const struct body *body; /* inbound: whose; outbound: NULL */
	/* Outbound: whose mail it takes; none: all that no other route of the
	 * same domain names. */
	const struct body *const *bodies;
	size_t bodies_n;
	enum mail_side side;         /* inbound only */
	const struct next_hop *hops; /* by priority; none: by MX */
	size_t hops_n;
	enum hop_tls mx_tls; /* by MX: what they must offer */
	bool rebuilt;     /* by the profile; false: "none", passes as it came */
	uint32_t profile; /* its index in the profiles of detox */
	const char *detox;      /* the profile's name, "none" */
	bool keep_is_said;      /* else as the group `store` says */
	enum store_keep keep;   /* of which mails the original is kept */
	bool verify_recipients; /* the next hop is asked, before the content */
	enum mail_encrypted encrypted;
	struct outbound_rules outbound;
	const char *file;
	unsigned line;
};

/* A key with which a body's mail is signed. */
struct mail_signer {
	const struct body *body;
	const char *domain;   /* d=: one of the body's, for it and all below */
	const char *selector; /* s= */
	const char *key;      /* a file, PEM */
	const char *file;
	unsigned line;
};

struct routes; /* table.h */

extern const struct setting routes_table[], inbound_table[], outbound_table[],
    hop_table[], sender_table[], dkim_table[];
extern const size_t routes_table_n, inbound_table_n, outbound_table_n,
    hop_table_n, sender_table_n, dkim_table_n;

/* file: its path. Names of other files are as it has them (routes_signers).
 * Everything lives in a. NULL and *e with file:line. */
struct routes *routes_load(const char *file, const struct zones *z,
    const struct detox_profiles *p, struct arena *a, struct err *e) MUST_CHECK;

/* The refusing value is 0. */
enum mail_verdict {
	MAIL_REFUSED = 0,
	MAIL_ACCEPTED,
};

/* What led to a verdict, for the journal and `explain mail`. */
struct mail_reason {
	const char *rule; /* "inbound city", "own domains", "no route" */
	const char *file; /* NULL: no file says so, it is always so */
	unsigned line;
};

/*
 * from: who connected; NULL: somebody outside. On MAIL_REFUSED *reply_out is
 * the answer (5.7.1). Before MAIL: may this client send mail at all (of the My
 * Number zone nobody may)?
 */
enum mail_verdict routes_judge_client(const struct routes *r,
    const struct segment *from, struct mail_reason *why_out,
    struct smtp_reply *reply_out);
enum mail_verdict routes_judge_sender(const struct routes *r,
    const struct segment *from, const struct mail_address *sender,
    struct mail_reason *why_out, struct smtp_reply *reply_out);
/* The route is NULL when it is refused. <Postmaster> without a domain goes to
 * postmaster of the first inbound domain. */
const struct mail_route *routes_judge_recipient(const struct routes *r,
    const struct segment *from, const struct mail_address *recipient,
    struct mail_reason *why_out, struct smtp_reply *reply_out);

/* The inspections that outbound routes name. 0, or -1 and *e with file:line. */
struct policy;
int routes_use_policy(struct routes *r, const struct policy *policy,
    const struct detox_profiles *p, struct arena *a, struct err *e) MUST_CHECK;
/* In the order of the file; *n_out: how many. */
struct mail_signer *routes_signers(const struct routes *r, size_t *n_out);

/* For the load's remarks and for tests. */
size_t routes_count(const struct routes *r);
const struct mail_route *routes_at(const struct routes *r, size_t i);
/* Whose domain it is; NULL: nobody's of the bodies. */
const struct body *routes_owner(const struct routes *r, struct bytes domain);
