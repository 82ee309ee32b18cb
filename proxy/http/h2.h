/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2: HTTP/2 fields <-> messages (RFC 9113 section 8), without I/O. libnghttp2
 * does the frames, HPACK and the order and letters of fields; what it leaves
 * to its user is judged here: limits, :authority beside Host, cookies in
 * pieces, the framing of HTTP/1.1 on the other side.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "proxy/http/h1.h"

/* One head or trailer section while its fields come. */
struct h2_head {
	struct arena *arena; /* of the exchange: what is kept lies there */
	struct message *message;
	const struct h1_limits *limits;
	size_t fields_size; /* allocated */
	size_t fields_n;    /* that came, pieces of cookies too */
	size_t bytes;       /* as RFC 9113 section 6.5.2 counts them */
	struct bytes authority, scheme, path, protocol, status_text;
	struct field *cookie; /* in one piece, RFC 9113 section 8.2.3 */
	unsigned status;      /* of the refusal, when refused */
	const char *why;      /* refused: a static string, else NULL */
};

void h2_head_begin(struct h2_head *h, struct arena *a, struct message *m,
    const struct h1_limits *limits);
/* The bytes are copied. After a refusal fields are dropped. */
void h2_head_add(struct h2_head *h, struct bytes name, struct bytes value);
enum h2_asked {
	H2_ASKED_ORIGIN, /* of what a CONNECT reached: origin form */
	H2_ASKED_PROXY,  /* absolute form, RFC 9112 section 3.2.2 */
};
/* The head is complete. ends: no body follows. false: refused. Extended CONNECT
 * (RFC 8441) becomes the upgrade that HTTP/1.1 has for it. */
bool h2_head_request(struct h2_head *h, enum h2_asked asked, bool ends);

/* The same of an answer, also an interim one. to_head: it answers HEAD. */
bool h2_head_response(struct h2_head *h, bool ends, bool to_head);

/* Fields to send; they point into the message, which nghttp2 copies. */
struct h2_fields {
	nghttp2_nv *nv;
	size_t n;
};

/* An answer 2xx to extended CONNECT becomes the 101 of HTTP/1.1; key is the
 * request's Sec-WebSocket-Key. */
void h2_head_upgraded(struct h2_head *h, struct bytes key);

/* The :authority is the Host field; an upgrade becomes extended CONNECT. */
struct h2_fields h2_request_fields(
    struct arena *a, const struct message *m, const char *via);
/* via may be NULL: our own answer. 101 becomes 200. */
struct h2_fields h2_response_fields(
    struct arena *a, const struct message *m, const char *via);
struct h2_fields h2_trailer_fields(
    struct arena *a, const struct field *trailers, size_t n);
