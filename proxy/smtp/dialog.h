/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialog: the client's side of SMTP (RFC 5321), no I/O. It is fed what the peer
 * says, gives what is to be sent, and knows what the peer answered for each
 * recipient of a mail. Commands are pipelined when the peer offers so (RFC
 * 2920). A peer that says what nobody asked for is not spoken to any more.
 *
 *	feed -> output, until READY; mail -> output, feed ... CONTENT:
 *	content ... -> SENT: feed -> READY or RESET; quit
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/smtp/envelope.h"
#include "proxy/smtp/reply.h"

#define DIALOG_WINDOW 64 /* commands that wait for their replies */

/* Whether STARTTLS is asked for. */
enum dialog_tls {
	DIALOG_TLS_REQUIRED = 0, /* else the dialog ends */
	DIALOG_TLS_OFFERED,      /* when the peer offers it */
	DIALOG_TLS_NEVER,
};

enum dialog_kind {
	DIALOG_ASK = 0, /* RCPT alone, then RSET */
	DIALOG_SHIP,
};

/* All pointers outlive the mail. */
struct dialog_mail {
	enum dialog_kind kind;
	const struct envelope *envelope; /* its sender and parameters */
	const struct mail_recipient *const *recipients;
	size_t recipients_n;
	struct bytes head, body; /* lines with CRLF, no dots stuffed */
	bool eight_bit;          /* they have bytes over 127 */
	/* One for each recipient, zeroed: the final answer for each when the
	 * mail is over. A code of 0: none was had. */
	struct smtp_reply *replies;
};

enum dialog_state {
	DIALOG_BROKEN = 0, /* nothing more can be said; why says it */
	DIALOG_BANNER,     /* these wait for the reply to what they name */
	DIALOG_EHLO,
	DIALOG_HELO,
	DIALOG_STARTTLS,
	DIALOG_HANDSHAKE, /* TLS is to begin now; then dialog_secured */
	DIALOG_READY,     /* for a mail, or for QUIT */
	DIALOG_MAIL,
	DIALOG_RCPT,
	DIALOG_DATA,
	DIALOG_CONTENT, /* dialog_content gives it */
	DIALOG_SENT,
	DIALOG_RESET,
	DIALOG_QUIT,
};

struct dialog {
	enum dialog_state state;
	const char *name; /* ours, for EHLO */
	enum dialog_tls tls;
	unsigned offers;   /* by EHLO */
	uint64_t size_max; /* by EHLO; 0: unsaid */
	struct reply_reader reader;
	struct buf output;
	unsigned unsent; /* commands in output */
	unsigned due;    /* replies that were asked for; 0: who speaks now
			  * speaks unasked */
	const char *why;
	bool unsecured; /* BROKEN: for TLS, which is REQUIRED, was not to be had
			 */
	/* of a mail */
	const struct dialog_mail *mail; /* NULL: none, or it is over */
	bool refused;            /* MAIL was; its recipients have their reply */
	bool heard;              /* the peer said something about it */
	size_t asked, answered;  /* commands: MAIL, each RCPT, DATA */
	size_t accepted;         /* recipients */
	struct bytes head, body; /* what is to be sent of them still */
	bool line_begins, stuffed;
};

/* name: a static one. */
void dialog_init(struct dialog *d, const char *name, enum dialog_tls tls);
void dialog_release(struct dialog *d);

/* What the peer said; all of it is taken. Gives the state. */
enum dialog_state dialog_feed(struct dialog *d, struct bytes in);
/* What is to be sent now, until the next call of any of these. */
struct bytes dialog_output(struct dialog *d);
/* At HANDSHAKE: TLS stands. What was said before it is forgotten. */
void dialog_secured(struct dialog *d);

/*
 * At READY. When d->mail is NULL behind it, or behind a later dialog_feed, the
 * mail is over. What the peer cannot take (size, 8 bits, UTF-8) is refused
 * here, without a word to it. A dialog that breaks leaves the replies that are
 * final; heard says whether the peer said anything about the mail: a 421 to
 * MAIL says nothing about it.
 */
void dialog_mail(struct dialog *d, const struct dialog_mail *m);
/* At CONTENT: the next bytes of it, at most `most` of the mail's own, not
 * copied; with the last of them the state is SENT. */
struct bytes dialog_content(struct dialog *d, size_t most);
/* At READY. */
void dialog_quit(struct dialog *d);
/* The connection failed, or its time is over: as if the peer had broken it. */
void dialog_break(struct dialog *d, const char *why);
/* Whether the peer sends notices itself, as it was asked to (RFC 3461). */
bool dialog_tells_senders(const struct dialog *d);
