/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what sekisho-probe found on a system of a My Number network, as it is
 * told to the gate. The program writes and signs a message, the gate reads and
 * judges it. Of the project only base/ is needed, so that the program stays
 * small.
 *
 * Inside TLS (ALPN "sekisho-probe/1", both certificates known) the gate speaks
 * first: a nonce of 32 random bytes. The program sends four bytes, the length
 * of the message with the highest first, and the message. The gate answers one
 * line, "accepted good", "accepted bad" or "refused WHY", and closes.
 *
 * The message is lines of ASCII (NAME may be UTF-8), each ended by LF:
 *
 *	sekisho-probe 1
 *	nonce 64 HEXADECIMAL DIGITS, LOWER CASE
 *	system NAME
 *	host NAME
 *	time SECONDS SINCE 1970
 *	KIND OUTCOME TARGET [DETAIL]		for each item
 *	verdict good|bad
 *	signature 128 HEXADECIMAL DIGITS	Ed25519 of all lines before it
 *
 * There is one way only to write a message; another one is refused.
 */
#pragma once

#include <time.h>

#include "proxy/base/address.h"
#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/base/signature.h"

struct isolation_settings;
struct system;

#define PROBE_ALPN "sekisho-probe/1"
#define PROBE_NONCE_N 32
#define PROBE_SIGNATURE_N SIGNATURE_N
#define PROBE_LENGTH_N 4 /* before the message */
#define PROBE_MESSAGE_MAX ((size_t)128 << 10)
#define PROBE_ANSWER_MAX 512 /* the gate's line, with its LF */
#define PROBE_ITEMS_MAX 512
#define PROBE_TARGET_MAX 256 /* with its NUL */
#define PROBE_DETAIL_MAX 128
#define PROBE_NAME_MAX 256
/* A clock may differ from the gate's by this, and no attempt is older. */
#define PROBE_SKEW_MAX_S 120

enum probe_kind {
	PROBE_KIND_NONE = 0,
	PROBE_TCP,      /* a canary with its port: connected to */
	PROBE_UDP,      /* the same: a datagram was sent */
	PROBE_ICMP,     /* a canary's address: an echo was asked for */
	PROBE_NAME,     /* a canary's name: the system's resolver was asked */
	PROBE_ROUTE,    /* a default route that the system has */
	PROBE_ADDRESS,  /* an address that is not registered for it */
	PROBE_RESOLVER, /* a name server that it is told to ask */
	PROBE_KINDS,
};

/* What is no proof of being closed is 0. */
enum probe_outcome {
	PROBE_FOUND = 0, /* anything answered, or what must not be is there */
	PROBE_UNTRIED,   /* could not be tried: proves nothing. A finding, but
			  * for ICMP, which a system may not permit */
	PROBE_CLOSED,    /* silence up to the deadline, or no way out of here */
	PROBE_TOLD,      /* is there, and the program's settings permit it */
	PROBE_OUTCOMES,
};

struct probe_item {
	enum probe_kind kind;
	enum probe_outcome outcome;
	/* Printable ASCII without blanks: "192.0.2.1:443". */
	char target[PROBE_TARGET_MAX];
	char detail[PROBE_DETAIL_MAX]; /* printable ASCII; "": none */
};

/*
 * What details begin with; more may stand behind ": ". They are told to people
 * in both languages: probe_detail_text.
 */
#define PROBE_WHY_CONNECTED "connection made"
#define PROBE_WHY_RESET "reset"
#define PROBE_WHY_DATAGRAM "datagram came back"
#define PROBE_WHY_ECHO "echo reply"
#define PROBE_WHY_REFUSED "refusal came back"
#define PROBE_WHY_UNREACHABLE "unreachable, says another machine"
#define PROBE_WHY_RESOLVED "resolved"
#define PROBE_WHY_SILENT "no answer"
#define PROBE_WHY_NO_WAY "no way out of this system"
#define PROBE_WHY_NEIGHBOUR "unreachable, says this system"
#define PROBE_WHY_NO_NAME "not resolved"
#define PROBE_WHY_NOT_PERMITTED "not permitted to this program"
#define PROBE_WHY_FAILED "cannot be tried"
#define PROBE_WHY_UNREADABLE "cannot be read"
#define PROBE_DETAIL_TEXT_MAX 256
const char *probe_detail_text(
    const char *detail, bool in_japanese, char out[PROBE_DETAIL_TEXT_MAX]);

/* A message, before it is written or after it was read. */
struct probe {
	uint8_t nonce[PROBE_NONCE_N];
	char system[PROBE_NAME_MAX], host[PROBE_NAME_MAX];
	time_t time;
	struct probe_item *items;
	size_t items_n;
};

const char *probe_kind_name(enum probe_kind k);       /* "tcp" */
const char *probe_outcome_name(enum probe_outcome o); /* "closed" */
bool probe_item_is_finding(const struct probe_item *i);
/* One more, which is PROBE_UNTRIED as long as nobody says else; NULL: there
 * are PROBE_ITEMS_MAX. What of a text may not stand in a message becomes `?`,
 * and what is too long is cut. */
struct probe_item *probe_add(
    struct probe *p, enum probe_kind kind, const char *target);
void probe_say(struct probe_item *i, enum probe_outcome outcome,
    const char *format, ...) PRINTF_LIKE(3, 4);
bool probe_is_good(const struct probe *p); /* no finding, and any attempt */

/*
 * The program's end: all lines but the signature's, and all of them with it.
 * private_key: of Ed25519. 0, or -1 and *e: over a limit, or a text of *p that
 * may not stand in a message.
 */
int probe_lines(const struct probe *p, struct buf *out, struct err *e)
    MUST_CHECK;
int probe_write(const struct probe *p, EVP_PKEY *private_key, struct buf *out,
    struct err *e) MUST_CHECK;

/* Of a message's length: 0, or -1: none, or over PROBE_MESSAGE_MAX. */
void probe_length_write(size_t n, uint8_t out[PROBE_LENGTH_N]);
int probe_length_read(const uint8_t head[PROBE_LENGTH_N], size_t *n_out)
    MUST_CHECK;

/* What a message says, when it is to be believed. */
#define PROBE_FINDING_MAX 408 /* a line of an item, with its NUL */
struct probe_report {
	time_t time;     /* of the attempts, never after the gate's clock */
	size_t attempts; /* tcp, udp, icmp, name */
	size_t findings;
	bool good;
	/* The first finding: "tcp found 192.0.2.1:443 connection made"; ""
	 * when there is none. */
	char finding[PROBE_FINDING_MAX];
};

/* What a message is judged by. */
struct probe_asked {
	const uint8_t *nonce; /* that the gate gave in this connection */
	const struct isolation_settings *isolation; /* its canaries */
	const struct system *system; /* whose certificate and address it is */
	time_t now;
};

/*
 * The gate's end. 0: the message is the system's, fresh, and tried all canaries
 * that are registered, by TCP and UDP; *out says good or bad. -1 and *e: it
 * proves nothing and must be told as a failed probe: malformed, signed by
 * another key, for another nonce or system, its time off by more than
 * PROBE_SKEW_MAX_S, its verdict not what its lines say, or a canary left out.
 */
int probe_read(const struct probe_asked *asked, struct bytes message,
    struct probe_report *out, struct err *e) MUST_CHECK;
/* The message alone, without judging it; items are the caller's, of
 * PROBE_ITEMS_MAX. *signed_out: what the signature is of. 0, or -1 and *e. */
int probe_parse(struct probe *p, struct bytes message, struct bytes *signed_out,
    uint8_t signature_out[PROBE_SIGNATURE_N], struct err *e) MUST_CHECK;

/* Its finding as a sentence for people, for logs and incidents. */
#define PROBE_REPORT_TEXT_MAX 640
const char *probe_report_text(const struct probe_report *p, bool in_japanese,
    char out[PROBE_REPORT_TEXT_MAX]);
