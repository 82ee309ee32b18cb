/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: the server's side of SMTP (RFC 5321), without I/O. The owner gives
 * it bytes and asks what they mean; where a command needs a decision the owner
 * answers, everything else is answered here. What is to be sent gathers in
 * `out`.
 *
 * Commands are rows of one table (session.c). Lines end with CRLF alone; what
 * has to be the last of a group (RFC 2920 section 3.1) and is not ends the
 * session, so that nothing is carried over STARTTLS or hides before a content.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/buf.h"
#include "proxy/smtp/data.h"
#include "proxy/smtp/envelope.h"
#include "proxy/smtp/reply.h"

#define SESSION_LINE_MAX 2048 /* of a command, with its CRLF */
#define SESSION_HELO_MAX 255

struct session_settings {
	const char *name; /* ours */
	size_t size_max;  /* of a mail */
	uint32_t recipients_max, errors_max, messages_max;
	enum data_lines lines;
};

enum session_event {
	SESSION_MORE = 0, /* all of the input is taken; give more */
	/* To be answered with session_answer; a positive answer has the code
	 * that the command asks for, which is put in here. */
	SESSION_MAIL,     /* envelope.sender and its parameters */
	SESSION_RCPT,     /* the newest of envelope.recipients */
	SESSION_DATA,     /* all of the envelope */
	SESSION_END,      /* the content was taken; see data for what it was */
	SESSION_STARTTLS, /* then: TLS below, then session_secured */
	SESSION_XCLIENT,  /* session.claimed */
	/* Not to be answered. */
	SESSION_CONTENT, /* session.piece is content */
	SESSION_RESET,   /* the mail that was begun is none any more */
	SESSION_CLOSE,   /* send what is in out, then close */
};

enum session_state {
	SESSION_FRESH = 0, /* before HELO */
	SESSION_GREETED,
	SESSION_SENDER,     /* after MAIL */
	SESSION_RECIPIENTS, /* after a RCPT that was accepted */
	SESSION_TAKING,     /* content */
	SESSION_CLOSED,
};

/* What a trusted host says of the client behind it. */
struct session_claim {
	bool has_address;
	struct address address;
	char helo[SESSION_HELO_MAX + 1]; /* "": not said */
};

struct session {
	const struct session_settings *settings;
	/* what the owner may offer; it changes them between commands alone */
	bool offers_tls, offers_xclient;
	bool secured; /* TLS is below */
	/* what came */
	enum session_state state;
	bool esmtp; /* EHLO */
	char helo[SESSION_HELO_MAX + 1];
	struct envelope envelope;
	struct data data;
	struct bytes piece;
	struct session_claim claimed;
	struct buf out;
	uint32_t errors;   /* commands that were wrong or refused */
	uint32_t lines;    /* of commands, that came whole */
	uint32_t messages; /* contents that were taken */
	const char *why;   /* of SESSION_CLOSE; static, or NULL: QUIT */
	/* its own */
	struct arena arena; /* of the envelope */
	size_t recipients_size;
	uint32_t idle;     /* commands since the last mail that bring none */
	uint32_t too_many; /* recipients */
	enum session_event asked; /* and not answered yet */
	bool resets;              /* SESSION_RESET is due */
	bool overlong;            /* the present line is, and is skipped */
	size_t line_n;
	uint8_t line[SESSION_LINE_MAX];
};

/* name and settings outlive it. */
void session_init(struct session *s, const struct session_settings *settings);
void session_release(struct session *s);
/* The banner. */
void session_greet(struct session *s);
/* We do not serve: one line, and SESSION_CLOSE is next. */
void session_turn_away(struct session *s, const struct smtp_reply *r);

/* Takes from *in what the next event needs. Not to be called while an answer
 * is due. */
enum session_event session_next(struct session *s, struct bytes *in) MUST_CHECK;
/* The answer to what was asked. A code that refuses counts as an error of
 * MAIL and RCPT. */
void session_answer(struct session *s, const struct smtp_reply *r);
/* Whether an answer is due. */
bool session_waits(const struct session *s);
/* The handshake is done: everything begins anew (RFC 3207 section 4.2). */
void session_secured(struct session *s);
