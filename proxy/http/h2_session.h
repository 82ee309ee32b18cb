/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_session: a connection that speaks HTTP/2, in either role, and its
 * streams, each of them one side of an exchange. What is to be sent leaves
 * once, at the end of the tick: not from the library's callbacks, which forbid
 * it, and all of a tick together.
 */
#pragma once

#include "proxy/base/log.h"
#include "proxy/http/exchange.h"
#include "proxy/http/h2.h"
#include "proxy/http/h2_priority.h"

struct h2_role;
struct h2_session;

struct h2_stream {
	struct side side;
	struct h2_session *session;
	const struct h2_role *role;
	struct loop *loop;
	struct h2_stream *prev, *next;
	int32_t id;          /* 0: not opened yet */
	struct h2_head head; /* that comes */
	struct message trailer;
	bool head_read; /* the head (an origin's: the final one) is complete */
	bool ended;     /* so is the message, perhaps still in `in` */
	uint32_t fault; /* of the peer, for the reset that answers it; or 0 */
	bool paused;    /* the exchange wants no more of the body */
	struct buf in;  /* of the body, meanwhile; at most: */
	size_t window;  /* of the stream */
	size_t owed;    /* of it, taken and not given back yet */
	size_t taken;   /* of the body, by the exchange, since: */
	uint64_t taken_since_ms;
	bool opens; /* a tunnel, when granted: CONNECT, extended or not */
	bool out_ended;
	bool closed;   /* by the library: nothing can be sent on it */
	bool outlived; /* by its exchange, which has still to read `in`; it is
			* no longer the session's */
	bool full;     /* the exchange waits for `out` to drain */
	struct buf out;
	size_t out_sent;
	struct h2_fields trailers_out;
	struct arena trailers_arena;
	/* A client's: */
	uint64_t due_ms;  /* 0: no deadline */
	bool waiting;     /* the request begins when all has been read */
	bool answered;    /* a final head was sent */
	bool answer_only; /* the rest of the request is not wanted */
	/* An origin's: */
	uint64_t opened_ms;
	bool flush_peer;  /* the client's side has something to send */
	bool to_head;     /* the request is HEAD */
	bool reused;      /* the connection carried requests before */
	bool unprocessed; /* the origin said so of this request */
};

/* What the two roles do differently. An exchange may be over, and the session
 * too, when these return. */
struct h2_role {
	/* The peer opens a stream. NULL: it cannot. */
	struct h2_stream *(*accept)(struct h2_session *h);
	/* Which message of the exchange comes here. */
	struct message *(*message)(struct exchange *x);
	/* Its head is complete; ends: the message with it. */
	void (*head)(struct h2_stream *s, bool ends);
	/* Its body and its end, to the exchange. */
	void (*body)(struct h2_stream *s, struct bytes b);
	void (*end)(struct h2_stream *s);
	/* The stream was full, and has room. */
	void (*drained)(struct h2_stream *s);
	/* The stream ends, with that code, and still has an exchange. */
	void (*cut)(struct h2_stream *s, uint32_t code, const char *why);
	/* A stream ended; there may be others. */
	void (*fewer)(struct h2_session *h);
	/* All that was read has been given. */
	void (*received)(struct h2_session *h);
	/* A frame was sent. */
	void (*sent)(struct h2_session *h, const nghttp2_frame *frame);
	/* Nothing more will be said, and all has left. */
	void (*finished)(struct h2_session *h);
	/* The connection is of no use. broken: the peer broke the rules, which
	 * `misbehaved` has told; else it closed. */
	void (*lost)(struct h2_session *h, bool broken);
	/* For the journal: why the peer's connection is being ended. */
	void (*misbehaved)(struct h2_session *h, struct bytes why);
};

struct h2_session {
	const struct h2_role *role;
	struct edge *edge;
	struct stream *stream;
	nghttp2_session *library;
	struct h2_stream *streams;
	size_t streams_n;
	size_t grown; /* of the streams' windows, beyond their first */
	struct h2_priority priority;
	int64_t patience;     /* bytes that may still come for nothing */
	int64_t under_way;    /* on streams that we have reset */
	uint64_t patience_ms; /* when time added to it */
	const char *fault;    /* of the peer, that ends the session; or NULL */
	bool flush_later;     /* at the end of the tick */
	bool leaving;         /* GOAWAY was sent */
	bool told;            /* why the peer's connection is ended */
	bool deaf;            /* what comes is thrown away */
	bool over;
};

enum h2_end {
	H2_SERVER,
	H2_CLIENT,
};

/* Begins the session on that stream, with our SETTINGS. */
void h2_session_begin(struct h2_session *h, enum h2_end end,
    const struct h2_role *role, struct edge *e, struct stream *s);
/* The connection goes, its streams are cut; then `release` is called, when our
 * callers have returned: it ends with h2_session_release. */
void h2_session_end(
    struct h2_session *h, const char *why, void (*release)(void *owner));
void h2_session_release(struct h2_session *h);
void h2_session_send_later(struct h2_session *h);
/* GOAWAY with ENHANCE_YOUR_CALM and the end, for that fault: words that stay.
 */
void h2_session_blame(struct h2_session *h, const char *fault);
/* GOAWAY; the streams that are there go on. */
void h2_session_leave(struct h2_session *h);

struct h2_stream *h2_stream_new(
    struct h2_session *h, const struct side_type *type);
/* Stands for what is sent as the body. */
nghttp2_data_provider h2_stream_body(struct h2_stream *s);
void h2_stream_reset(struct h2_stream *s, uint32_t code);
struct h2_stream *h2_stream_of(struct side *side);
/* The message that comes ended with its head. */
void h2_stream_ended(struct h2_stream *s);
/* One that was never opened, or is outlived. */
void h2_stream_drop(struct h2_stream *s);

/* What the sides of both roles have in common. */
void h2_side_body(struct side *side, struct bytes b);
void h2_side_end(struct side *side, const struct field *trailers, size_t n);
void h2_side_flush(struct side *side);
bool h2_side_full(struct side *side);
void h2_side_flow(struct side *side, enum flow flow);
