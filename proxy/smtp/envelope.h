/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope: who sends a mail and who gets it, as SMTP says it (RFC 5321), and
 * what they asked to be told (RFC 3461).
 */
#pragma once

#include "proxy/base/arena.h"

#define MAIL_LOCAL_MAX 64   /* RFC 5321 section 4.5.3.1.1 */
#define MAIL_DOMAIN_MAX 255 /* section 4.5.3.1.2 */
#define MAIL_PATH_MAX 254   /* without its angle brackets */
#define MAIL_ENVID_MAX 100  /* RFC 3461 section 4.4 */
#define MAIL_ORCPT_MAX 500  /* section 4.2 */

struct mail_address {
	struct bytes text;   /* "local@domain" as it came; empty: the null
			      * sender <> */
	struct bytes local;  /* of text; with its quotes when it has some */
	struct bytes domain; /* in lower case, its labels in ASCII (UTS 46);
			      * "[192.0.2.1]" for a literal; empty: <> and
			      * <Postmaster> */
};

/* A set; 0: the sender said nothing, which means failure and delay. */
enum mail_notify {
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
};

enum mail_return {
	RETURN_UNSAID = 0,
	RETURN_HEADERS,
	RETURN_FULL,
};

struct mail_recipient {
	struct mail_address address;
	unsigned notify;    /* enum mail_notify */
	struct bytes orcpt; /* "rfc822;…" in xtext as it came; empty: none */
};

struct envelope {
	struct mail_address sender;
	struct bytes envid; /* in xtext as it came; empty: none */
	enum mail_return ret;
	bool eight_bit; /* BODY=8BITMIME */
	bool utf8;      /* SMTPUTF8 */
	uint64_t size;  /* as declared; 0: not */
	struct mail_recipient *recipients;
	size_t recipients_n;
};

/*
 * Reads "<local@domain>" at the head of *in, which goes on behind it. utf8:
 * whether SMTPUTF8 was asked for. Everything is strict: no source route, no
 * blanks, no controls, a domain whose labels are names. a keeps the domain; the
 * rest points into *in. 0, or -1 and *why_out, a static string.
 */
enum mail_charset {
	MAIL_ASCII,
	MAIL_UTF8,
};
int mail_path_take(struct mail_address *out, struct bytes *in,
    enum mail_charset charset, struct arena *a, const char **why_out)
    MUST_CHECK;
/* The domain alone, as in struct mail_address; 0, or -1 and *why_out. */
int mail_domain_parse(struct bytes *out, struct bytes in,
    enum mail_charset charset, struct arena *a, const char **why_out)
    MUST_CHECK;
/* Everything of it copied, to live as long as a. */
void envelope_copy(
    struct envelope *out, const struct envelope *from, struct arena *a);
/* As bytes, for a file of ours, and back. pack: -1 at the buf's limit.
 * unpack: strict, what it points to lives in a; -1: not ours. */
struct buf;
int envelope_pack(const struct envelope *e, struct buf *out) MUST_CHECK;
int envelope_unpack(struct envelope *out, struct bytes in, struct arena *a)
    MUST_CHECK;
