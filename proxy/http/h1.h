/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1: HTTP/1.1 bytes <-> messages (RFC 9110, RFC 9112), without I/O. llhttp
 * parses; what two parsers could read in two ways is refused here with a
 * reason (docs/HTTP.md has the table). Writing is always anew from a message.
 *
 * A struct h1 reads one direction of one connection, message after message:
 *	feed bytes with h1_next until it answers H1_MORE or the input is empty.
 */
#pragma once

#include <llhttp.h>

#include "proxy/base/buf.h"
#include "proxy/http/message.h"

struct h1_limits {
	size_t head_max;       /* bytes of start line and fields */
	size_t fields_max;     /* fields of one head or trailer */
	size_t chunk_line_max; /* bytes of a chunk-size line with extensions */
	size_t trailer_max;    /* bytes of a trailer section */
};

enum h1_role {
	H1_REQUESTS, /* reads what clients send */
	H1_RESPONSES,
};

enum h1_event {
	H1_BAD = 0, /* refused: h1->why, h1->status; nothing can follow */
	H1_MORE,    /* all input was taken; more is needed */
	H1_HEAD,    /* *message is complete (1xx: another head follows) */
	H1_BODY,    /* *body holds some of the body, out of the input */
	H1_END,     /* the message is over; trailers in message->fields of
		     * the h1_next call's message when there are any */
};

struct h1 {
	llhttp_t parser;
	enum h1_role role;
	const struct h1_limits *limits;
	struct buf head; /* an incomplete head; empty between messages */
	const char *why; /* H1_BAD: a static string, for log and page */
	unsigned status; /* H1_BAD on requests: 400, 431, 501, 505 … */
	/* Set by the caller before a response is read: */
	bool request_was_head;
	bool request_was_connect;
	/* The rest is h1.c's own. */
	enum h1_state {
		H1_STATE_HEAD = 0,
		H1_STATE_LENGTH,
		H1_STATE_CHUNKED,
		H1_STATE_CLOSE,
		H1_STATE_END, /* to be told */
		H1_STATE_BAD,
	} state;
	uint64_t left;       /* of a body of known length */
	struct bytes text;   /* the head that is parsed */
	struct bytes span;   /* body that llhttp just gave */
	struct arena *arena; /* where fields go, and to which message */
	struct message *message;
	size_t fields_size; /* allocated */
	size_t name_n;      /* of a trailer field that comes in pieces */
	struct bytes name, value;
	size_t line_n; /* bytes of the framing line so far */
	size_t trailer_n;
	uint8_t last;        /* framing byte */
	bool in_trailer;     /* llhttp is behind the last chunk's line */
	bool behind_chunks;  /* and so is what was judged */
	bool parser_chunked; /* llhttp reads a chunked body, too */
	uint8_t skipped_n;   /* of the empty line before a request */
	bool complete;       /* llhttp saw the end of the message */
};

void h1_init(struct h1 *h, enum h1_role role, const struct h1_limits *limits);
void h1_release(struct h1 *h);
/*
 * Takes bytes from *in and answers the next event. On H1_HEAD *m is filled
 * and all it points to is in *a (the input may go). On H1_BODY *body points
 * into the input. On H1_END *m has the trailer fields (fields_n may be 0).
 */
enum h1_event h1_next(struct h1 *h, struct bytes *in, struct arena *a,
    struct message *m, struct bytes *body);
/* The connection ended: H1_END when that ends a FRAMING_CLOSE body, H1_MORE
 * when nothing was begun, else H1_BAD (a message is cut short). */
enum h1_event h1_eof(struct h1 *h);
/* Whether a message has begun and not ended. */
bool h1_in_message(const struct h1 *h);
/* The same, and its head was told: what comes next is its body or trailer. */
bool h1_behind_head(const struct h1 *h);
/* After an upgrade or CONNECT: bytes that follow are no longer HTTP. */

/* Writing; -1 when out's limit would be passed. */
/* "GET target HTTP/1.1", the fields (hop ones left out), the framing fields
 * that m->framing asks for, without the empty line. */
int h1_write_request(
    struct buf *out, const struct message *m, struct bytes target) MUST_CHECK;
int h1_write_response(struct buf *out, const struct message *m) MUST_CHECK;
int h1_write_field(struct buf *out, const char *name, struct bytes value)
    MUST_CHECK;
int h1_write_head_end(struct buf *out) MUST_CHECK;
/* The line before n bytes of chunk data; the data end with CRLF. */
#define H1_CHUNK_LINE_MAX 18
size_t h1_chunk_line(char out[H1_CHUNK_LINE_MAX + 1], size_t n);
/* "0", the trailer fields (hop and framing ones left out), the empty line. */
int h1_write_chunked_end(
    struct buf *out, const struct field *trailers, size_t n) MUST_CHECK;
