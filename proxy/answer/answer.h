/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer: what Sekisho itself says to a person: block, verification-failed and
 * upstream-error pages, the PAC file, the CA certificate and the page about
 * it; in Japanese and English. Pages have no script and load nothing.
 */
#pragma once

#include "proxy/base/buf.h"
#include "proxy/base/setting.h"
#include "proxy/detox/report.h"
#include "proxy/zone/zone.h"

/* Group `prefecture`. */
struct prefecture_settings {
	const char *code; /* 6 digits */
	const char *name_ja;
	const char *name_en;
	const char *contact;   /* when a body names none */
	const char *proxy;     /* "proxy.pref.test:8080" for PAC files */
	const char *proxy_tls; /* the same, of a listener with TLS; or "" */
};

extern const struct setting prefecture_table[];
extern const size_t prefecture_table_n;

enum answer_kind {
	ANSWER_BLOCKED,           /* 403, by a rule */
	ANSWER_WARNED,            /* 403, by a rule; with a form to go on */
	ANSWER_GOES_ON,           /* 200, the form came back */
	ANSWER_ASKED,             /* 200, the form waits for approval */
	ANSWER_UNKNOWN_SOURCE,    /* 403, nobody we know */
	ANSWER_BAD_REQUEST,       /* 400 or the status given */
	ANSWER_MISDIRECTED,       /* 421, SNI, Host and CONNECT disagree */
	ANSWER_UNVERIFIED,        /* 502, the origin's certificate failed */
	ANSWER_NO_ADDRESS,        /* 502, the name does not resolve */
	ANSWER_FORBIDDEN_ADDRESS, /* 403, it resolves to where none may go */
	ANSWER_UNREACHABLE,       /* 502, connect failed */
	ANSWER_TIMEOUT,           /* 504 */
	ANSWER_BAD_ANSWER,        /* 502, the origin's answer is no HTTP */
	ANSWER_HARMFUL,           /* 403, a file cannot be made harmless */
	ANSWER_WAITS,             /* 200, one is being made harmless */
	ANSWER_READY,             /* 200, it is done: form.to leads to it */
	ANSWER_GONE,              /* 404, nothing waits under that ticket */
	ANSWER_BUSY,              /* 503, too much is kept back to be judged */
	ANSWER_KINDS,
};

/* For who may go on: what the form sends back besides the reason. */
struct answer_form {
	const char *action; /* a path of the same host */
	const char *ticket, *rule;
	struct bytes to; /* where the user was going */
	bool approval;   /* somebody must approve it */
};

struct answer {
	enum answer_kind kind;
	unsigned status;                   /* 0: the kind's own */
	const char *id;                    /* event number */
	const char *rule;                  /* name, or NULL */
	const char *category;              /* or NULL */
	const char *reason_ja, *reason_en; /* of the rule or failure; or NULL */
	const char
	    *detail; /* which check failed, in technical words; or NULL */
	struct bytes
	    destination; /* host:port or URL without query; any bytes */
	const struct prefecture_settings *prefecture;
	const struct body *body;            /* or NULL */
	struct bytes accept_language;       /* the field's value, or empty */
	const struct answer_form *form;     /* or NULL */
	const struct detox_report *refused; /* ANSWER_HARMFUL: why, and what was
					     * found */
	struct bytes file; /* ANSWER_READY: the path that gives it; or empty */
	bool sending; /* blocked or warned: for what the user was sending */
};

/* The status that goes with it. */
unsigned answer_status(const struct answer *a);
/* The HTML page, UTF-8. 0, or -1 at out's limit. Content-Language in
 * *language_out. */
int answer_page(const struct answer *a, struct buf *out,
    const char **language_out) MUST_CHECK;
#define ANSWER_PAGE_MAX 65536

/* "ja" or "en": the better by the field (RFC 9110 section 12.5.4); Japanese
 * when it says nothing. */
const char *answer_language(struct bytes accept_language);

/* The PAC file of a body: direct for its own names and addresses without
 * dots, the proxy for all else, and no way around it. */
int answer_pac(const struct prefecture_settings *p, const struct body *body,
    struct buf *out) MUST_CHECK;
/* The page on how to install the CA certificate. */
int answer_ca_page(const struct prefecture_settings *p,
    struct bytes accept_language, struct buf *out) MUST_CHECK;
