/* SPDX-License-Identifier: Apache-2.0 */
/*
 * av: asks other programs whether an object is malicious, before it is rebuilt:
 * clamd (its INSTREAM command) and any ICAP server (RESPMOD, RFC 3507).
 *Whatever is not a clear "clean" is none: a scanner that is down, slow or
 *strange lets nothing pass.
 *
 *	av.c	one question: the connection, its deadline
 *	clamd.c icap.c	what is said on it; no I/O
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/base/loop.h"

enum av_kind {
	AV_CLAMD,
	AV_ICAP,
};

struct av_scanner {
	const char *name; /* for people */
	enum av_kind kind;
	const char
	    *address; /* "127.0.0.1:3310", or the path of a UNIX socket */
	const char *service; /* ICAP: "icap://127.0.0.1:1344/virus_scan" */
	uint64_t timeout_ms; /* for the whole question */
};

enum av_verdict {
	AV_FAILED = 0, /* nobody knows; words say why */
	AV_FOUND,      /* words are its name for it */
	AV_CLEAN,
};

#define AV_WORDS_MAX 128

struct av_answer {
	enum av_verdict verdict;
	char words[AV_WORDS_MAX]; /* printable ASCII */
};

struct av_ask;

/* 0, or -1 and *e: the address or service is not one. */
int av_check(const struct av_scanner *s, struct err *e) MUST_CHECK;
/*
 * The scanner and the content have to outlive the question. done() is called
 * once, never from here. Never NULL: what fails is told by done.
 */
struct av_ask *av_ask(struct loop *l, const struct av_scanner *s,
    struct bytes content, const char *name,
    void (*done)(void *owner, const struct av_answer *a), void *owner);
/* done is not called any more. */
void av_cancel(struct av_ask *a);
