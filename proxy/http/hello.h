/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello: a client's first message of TLS as it passes, for who looks on
 * without taking part: whom it wants to reach. A push parser without I/O.
 */
#pragma once

#include "proxy/base/buf.h"

#define HELLO_MAX 32768            /* bytes of the message */
#define HELLO_RECORD_MAX 18432     /* RFC 5246 section 6.2.3 */
#define HELLO_HEADER_N ((size_t)5) /* of a record */

enum hello_answer {
	HELLO_BAD = 0, /* h->why: a static string */
	HELLO_MORE,
	HELLO_WHOLE, /* named and name are filled */
};

struct hello {
	uint8_t header[HELLO_HEADER_N];
	size_t header_n;
	size_t left; /* of the record's payload */
	struct buf message;
	bool named;
	struct bytes name; /* as it was sent; in the message */
	const char *why;
};

void hello_init(struct hello *h);
void hello_release(struct hello *h);
/* Takes all of in; what stands behind the message is not looked at. */
enum hello_answer hello_push(struct hello *h, struct bytes in) MUST_CHECK;

/* The pieces. Each takes its bytes from *b; 0, or -1: there are fewer. */
/* An integer of n bytes. */
int hello_number(struct bytes *b, size_t n, size_t *out) MUST_CHECK;
/* A vector whose length has length_n bytes (RFC 8446 section 3.4). */
int hello_vector(struct bytes *b, size_t length_n, struct bytes *out)
    MUST_CHECK;
/* The body of the one extension of that type. 0 with found_out false when
 * there is none, or -1: not well formed, or there twice. */
int hello_extension(struct bytes extensions, size_t wanted, struct bytes *out,
    bool *found_out) MUST_CHECK;
/* The server name in a hello without its header (RFC 6066 section 3: a list
 * of one host name). 0 with named_out false: none, or -1 and *why_out. */
int hello_name(struct bytes hello, struct bytes *name_out, bool *named_out,
    const char **why_out) MUST_CHECK;
