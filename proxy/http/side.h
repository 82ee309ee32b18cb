/* SPDX-License-Identifier: Apache-2.0 */
/*
 * side: what an exchange asks of either of its ends, whichever version of
 * HTTP that end speaks. A side calls the exchange back with what it reads
 * (exchange.h); of these calls only under flow(FLOW_GO), which gives what has
 * been read already, so that the exchange may be over when it returns.
 */
#pragma once

#include "proxy/http/message.h"

struct side;

enum flow {
	FLOW_PAUSE,
	FLOW_GO,
};

enum side_outcome {
	SIDE_CUT = 0, /* broken off, so that the peer can tell */
	/* The same; the peer should ask again on a connection that carries
	 * one request at a time (RFC 9113 section 7, HTTP_1_1_REQUIRED). */
	SIDE_CUT_ONE_AT_A_TIME,
	SIDE_ANSWERED, /* the answer is complete, the request is not */
	SIDE_COMPLETE,
};

/* Whether a request that failed before any answer may be sent again. */
enum side_retry {
	RETRY_NEVER = 0,
	RETRY_IDEMPOTENT, /* RFC 9110 section 9.2.2: the connection was used
			   * before, and may have been closing */
	RETRY_ANY,        /* the origin said that it did nothing */
};

struct side_type {
	const char *version; /* as the journal tells it */
	bool shared;         /* its connection carries many exchanges at once */
	/* A head: a request to an origin, an answer (also 1xx) to a client.
	 * Hop-by-hop fields are marked and left out; the side adds its own. */
	void (*head)(struct side *s, const struct message *m);
	void (*body)(struct side *s, struct bytes b);
	/* The message is complete; trailers may be none. */
	void (*end)(struct side *s, const struct field *trailers, size_t n);
	/* What was sent leaves now, in as few packets as can be. */
	void (*flush)(struct side *s);
	/* Whether the peer is behind: no more should come until the exchange
	 * is told that it drained. */
	bool (*full)(struct side *s);
	/* Whether more of the message that this side reads is wanted. */
	void (*flow)(struct side *s, enum flow flow);
	/* exchange_timeout unless called again within ms. */
	void (*deadline)(struct side *s, uint64_t ms);
	/* How urgent the answer is, as in a Priority field (RFC 9218). NULL:
	 * the connection cannot be told. Of an origin's side alone. */
	void (*priority)(struct side *s, struct bytes value);
	/* From now on bytes are passed as they are, both ways (101, 200 to
	 * CONNECT); body and end carry them. */
	void (*raw)(struct side *s);
	/* Of an origin's side alone. */
	enum side_retry (*retry)(const struct side *s);
	/* The exchange is over for this side; it is not called again. */
	void (*done)(struct side *s, enum side_outcome outcome);
};

struct side {
	const struct side_type *type;
	struct exchange *exchange; /* NULL: none, its events go nowhere */
};
