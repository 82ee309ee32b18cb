/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one request and its answer, from the client's head to the line in
 * the journal. It knows no version of HTTP: its two ends are sides.
 *
 *	zone -> target -> policy -> upstream -> relay
 */
#pragma once

#include "proxy/answer/answer.h"
#include "proxy/base/log.h"
#include "proxy/body/content.h"
#include "proxy/edge.h"
#include "proxy/http/meaning.h"
#include "proxy/http/side.h"
#include "proxy/listener/client.h"

struct tunnel;
struct detoxing;
struct parcel_wait;
struct unlock_wait;
struct handover_wait;
struct detox_report;

enum body_state {
	BODY_NONE = 0, /* not begun */
	BODY_RUNS,
	BODY_ENDED,
};

/* Of what a PRIORITY_UPDATE may say; "u=7, i" is 6. */
#define EXCHANGE_PRIORITY_MAX 32

struct exchange {
	struct arena arena; /* everything of the exchange lives here */
	struct edge *edge;
	struct client *client;         /* who asks: address, body, zone, TLS */
	struct address address;        /* the client's, as believed */
	const struct segment *segment; /* NULL: nobody we know */
	struct side *from;             /* the client's side */
	struct side *to; /* the origin's side; NULL before upstream */
	const struct stage *path;
	size_t path_n;
	size_t stage; /* of the path */

	struct message request;
	struct url url;
	struct decision decision;
	struct message response;
	struct meaning meaning; /* of the response */
	enum body_state up, down;
	bool response_begun; /* a final head went to the client */
	bool raw;            /* a tunnel is open: CONNECT or an upgrade */
	bool own;            /* answered by us */
	bool untold;         /* what passes in it has lines of its own */
	bool implied;        /* a CONNECT that the client left out */
	bool retried;
	bool fresh;     /* on a connection that nobody used before */
	bool coalesced; /* on a connection to another name */
	bool bound;     /* connection-based authentication was seen */
	bool finished;
	bool counted;     /* as a connection of its client, in the board */
	bool kept_back;   /* the walk waits for the request's body */
	bool sent_up;     /* with its end, to the origin */
	bool read_down;   /* to its end, from the origin */
	bool own_tag;     /* asked with a tag of ours: see detoxed.h */
	bool sending;     /* refused for what was being sent */
	unsigned interim; /* 1xx heads so far */
	uint8_t priority[EXCHANGE_PRIORITY_MAX]; /* that came before `to` */

	/* See inspect.h. A content that is there carries its body. */
	const struct inspection **inspections;
	size_t inspections_n;
	uint64_t let_pass; /* of these, where the user said why */
	struct content *content_up, *content_down;
	const struct field *trailers_up, *trailers_down;
	size_t trailers_up_n, trailers_down_n;
	struct parcel_wait *parcel; /* see parcel.h */
	unsigned back_s;            /* seconds until the page leads back */
	struct bytes file;          /* for the page: where the file is */
	struct detoxing *detoxing;  /* see detoxed.h */
	const struct detox_report
	    *refused;      /* why it could not be made harmless */
	struct said *said; /* over a WebSocket; see said.h */

	struct unlock_wait *unlock;     /* see unlock.h */
	struct handover_wait *handover; /* see handover.h */
	struct buf *form;             /* that the user sends back; see warn.h */
	struct bytes back;            /* where the form leads; or none */
	char ticket[PASSES_TICKET_N]; /* for the page that warns */
	struct upstream_wait *wait;
	struct tunnel *tunnel;  /* what passes is watched; or NULL */
	const char *tls_origin; /* version, or NULL */
	unsigned excused;       /* checks that failed, by an exception */

	char id[LOG_ID_MAX];
	const char *why; /* of a refusal or a failure */
	enum answer_kind answer;
	unsigned check; /* of a failed verification */
	uint64_t started_us, resolve_us, connect_us, tls_us, answered_us;
	uint64_t bytes_up, bytes_down;
};

/* For the client's next request; the side fills x->request in x->arena. */
struct exchange *exchange_new(
    struct edge *e, struct client *c, struct side *from);

/* What the client's side read. */
void exchange_request(struct exchange *x);
void exchange_request_body(struct exchange *x, struct bytes b);
void exchange_request_end(
    struct exchange *x, const struct field *trailers, size_t n);
/* The request is no HTTP that we take: an answer with that status. */
void exchange_request_bad(struct exchange *x, unsigned status, const char *why);
/* The client says anew how urgent the answer is (RFC 9218 section 7); value
 * is what a Priority field may hold, no longer than that. */
void exchange_priority(struct exchange *x, struct bytes value);
/* The client went away or what was sent to it has left. */
void exchange_client_gone(struct exchange *x, const char *why);
void exchange_client_drained(struct exchange *x);

/* What the origin's side read. x->response is filled for a head. */
void exchange_response(struct exchange *x);
void exchange_response_body(struct exchange *x, struct bytes b);
void exchange_response_end(
    struct exchange *x, const struct field *trailers, size_t n);
/* The origin closed, cut the answer short, or spoke no HTTP. */
void exchange_origin_failed(
    struct exchange *x, enum answer_kind kind, const char *why);
void exchange_origin_drained(struct exchange *x);

/* A wait was too long. */
void exchange_timeout(struct exchange *x, const char *why);

/* Writes the journal's line; exchange.c calls it once, at the end. */
void exchange_record(struct exchange *x);

/* Which page goes with a failure to reach the origin. */
enum answer_kind exchange_answer_of(enum upstream_failure f);
/* For the stages: answers with a page and refuses. */
enum stage_answer exchange_refuse(
    struct exchange *x, enum answer_kind kind, const char *why);
/* An answer of our own. language may be NULL. */
void exchange_answer(struct exchange *x, unsigned status, const char *type,
    const char *language, struct bytes body);
/* 303 to another page of the same host. */
