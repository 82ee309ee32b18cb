/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding: the content codings that this checkpoint knows (RFC 9110 section
 * 8.4), and that a body is what its coding says. A body has one coding or none;
 * docs/HTTP.md has the table.
 */
#pragma once

#include "filters/decode/decode.h"
#include "proxy/http/message.h"

enum coding {
	CODING_REFUSED = 0,
	CODING_NONE,
	CODING_GZIP,
	CODING_DEFLATE, /* in zlib's format */
	CODING_BROTLI,
	CODING_ZSTD,
};

/*
 * What all Content-Encoding fields say together. They become one field with
 * the coding's name, or are left out when there is none.
 * CODING_REFUSED: *why_out, a static string.
 */
enum coding coding_settle(struct message *answer, const char **why_out);
/* Of Accept-Encoding what this checkpoint can read is left, so that no origin
 * answers in anything else. */
enum coding_wish {
	CODING_WISH_KNOWN,
	CODING_WISH_NONE, /* a part of a coded body would be unreadable */
};
void coding_ask(
    struct arena *a, struct message *request, enum coding_wish wish);

/*
 * A coded body is read to its end and what comes of it thrown away: it must be
 * one stream, whole, with nothing behind it (filters/decode). No coding has no
 * decoding.
 */

/* NULL for CODING_NONE. The caller frees, with decode_free. */
struct decode *decoding_new(enum coding coding, uint32_t ratio_max);
/* NULL, or why these bytes must not travel on: a static string. After that it
 * takes nothing more. Its end: decode_end. */
const char *decoding_take(struct decode *d, struct bytes b);
