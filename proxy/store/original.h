/* SPDX-License-Identifier: Apache-2.0 */
/*
 * original: what is known of an original: of which mail it is, what was done
 * to that, and who was to get it. One for each leg of a mail that was changed.
 * Packed as lines "key value", in one order; what is not of this form is
 * refused.
 */
#pragma once

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"

struct original {
	struct bytes mail;   /* its number in the journal */
	struct bytes client; /* address of who brought it */
	struct bytes helo, protocol, tls;
	struct bytes body;   /* code of the body that gets it; or "" */
	struct bytes route;  /* by its name */
	struct bytes domain; /* that the leg leads to */
	struct bytes profile;
	struct bytes result;  /* of detox: "sanitised", "refused" */
	struct bytes removed; /* "macro:1,link:2", or why it was refused */
	struct bytes message_id;
	struct bytes sender;
	struct bytes sha256; /* of the content, in hex; the store says it */
	uint64_t arrived;    /* seconds since 1970 */
	uint64_t skip;       /* bytes before the content in what is handed over
			      */
	uint64_t from_body;  /* the client was of a body; 0 or 1 */
	uint64_t eight_bit, utf8;
	struct bytes *to; /* the recipients */
	size_t to_n;
};

/* -1: over the limit, or a value that no line can hold. */
int original_pack(const struct original *o, struct buf *out) MUST_CHECK;
/* Strict; values point into in, the list lives in a. -1: not ours. */
int original_unpack(struct original *o, struct bytes in, struct arena *a)
    MUST_CHECK;
