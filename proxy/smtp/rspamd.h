/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rspamd: asks rspamd about a mail, over its HTTP protocol (POST /checkv2):
 *what it would do with it, why, and who the sender proved to be.
 *
 * A question is a connection of its own: rspamd's workers close theirs after
 * each answer (3.4 was tried). So many are asked at once; others wait in line.
 *
 *	rspamd.c	the line; one question: its connection, its time
 *	rspamd_talk.c	what is said and what comes back; no I/O
 *	rspamd_verdict.c	what an answer means; no I/O
 *	rspamd_settings.c	the group `mail.rspamd`
 *	results.c	Authentication-Results
 *	others.c	the stage of a mail: what follows from a verdict
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/buf.h"
#include "proxy/base/loop.h"
#include "proxy/base/setting.h"
#include "proxy/smtp/envelope.h"
#include "proxy/smtp/results.h"

/* What follows; a zeroed one refuses for now. */
enum rspamd_policy {
	RSPAMD_DEFER = 0, /* 451; in the spool: asked again later */
	RSPAMD_REFUSE,    /* 554; in the spool: held */
	RSPAMD_HOLD,      /* kept for a person */
	RSPAMD_MARK,      /* goes on, with a field that says so */
	RSPAMD_ACCEPT,
};

struct rspamd_settings {
	const char *address; /* "127.0.0.1:11333"; "": nobody is asked */
	uint64_t timeout_ms;
	size_t size_max; /* of a mail that is sent there */
	uint32_t connections_max;
	bool bodies;   /* mail of bodies is asked about too */
	bool mark_all; /* Sekisho-Spam: no, on what is none */
	const char *when_down, *when_large, *reject, *add_header;
	/* parsed */
	struct address at;
	enum rspamd_policy down, large, rejected, marked;
};

extern const struct setting rspamd_table[];
extern const size_t rspamd_table_n;

/* group NULL: the defaults, which ask nobody. 0, or -1 and *e. */
int rspamd_settings_load(const config_setting_t *group, struct arena *a,
    struct rspamd_settings *out, struct err *e) MUST_CHECK;

enum rspamd_action {
	RSPAMD_UNASKED = 0, /* it was not asked, or passes without an answer */
	RSPAMD_REJECT,
	RSPAMD_QUARANTINE,
	RSPAMD_SOFT_REJECT,
	RSPAMD_GREYLIST,
	RSPAMD_REWRITE_SUBJECT,
	RSPAMD_ADD_HEADER,
	RSPAMD_NO_ACTION,
	RSPAMD_ACTIONS,
};

/* As rspamd writes them; "" for the first. */
extern const char *const rspamd_action_names[RSPAMD_ACTIONS];

#define RSPAMD_SYMBOLS_MAX 900
#define RSPAMD_WORDS_MAX 200

struct rspamd_verdict {
	enum rspamd_action action;
	int64_t score, required; /* in hundredths */
	/* "GTUBE(15.00) DMARC_NA(0.00)": the heaviest first, as many as fit.
	 * Not their options, which may quote the mail. */
	char symbols[RSPAMD_SYMBOLS_MAX];
	struct results results;
	char words[RSPAMD_WORDS_MAX]; /* what it says to the sender, or why
				       * there is no verdict; ASCII */
};

/* "-1.50" */
#define RSPAMD_SCORE_MAX 24
char *rspamd_score(int64_t hundredths, char out[RSPAMD_SCORE_MAX]);

/* rspamd_verdict.c: of the answer's JSON. 0, or -1 and out->words say what is
 * wrong with it. */
int rspamd_judge(struct rspamd_verdict *out, struct bytes json) MUST_CHECK;
/* As a line of a file of ours, with its '\n', and back from the head of *in.
 * The words are not kept. */
int rspamd_verdict_pack(const struct rspamd_verdict *v, struct buf *out)
    MUST_CHECK;
int rspamd_verdict_unpack(struct rspamd_verdict *out, struct bytes *in)
    MUST_CHECK;

/* What is told about a mail beside its content; all of it outlives the
 * question. */
struct rspamd_question {
	const char *name; /* ours */
	const char *id;
	const struct address *client;
	const char *helo;
	const struct envelope *envelope;
	const char *user; /* of a body: its code; NULL: from outside */
};

/* Who asks. */
struct rspamd_asker {
	/* It is its turn: the content, as long as the question lives. -1: it
	 * cannot be had, and the question is over; done is not called. */
	int (*content)(void *owner, struct bytes *content_out);
	/* v lives until it returns. answered: else v->words say what failed,
	 * and nothing else of it is filled. */
	void (*done)(
	    void *owner, const struct rspamd_verdict *v, bool answered);
};

struct rspamd;
struct rspamd_ask;

/* The settings outlive it; it lives as long as its process. */
struct rspamd *rspamd_new(const struct rspamd_settings *s, struct loop *l);
/* No callback comes from here. Never NULL. */
struct rspamd_ask *rspamd_ask(struct rspamd *r, const struct rspamd_question *q,
    const struct rspamd_asker *asker, void *owner);
/* No callback comes any more. NULL does nothing. */
void rspamd_cancel(struct rspamd_ask *a);
