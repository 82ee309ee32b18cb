/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding: the content codings that this checkpoint knows (RFC 9110 section
 * 8.4). A body has one coding or none; docs/HTTP.md has the table.
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

/* What all Content-Encoding fields say together. CODING_REFUSED: *why_out, a
 * static string. */
enum coding coding_read(const struct message *m, const char **why_out);
/* The same; they become one field with the coding's name, or are left out when
 * there is none. */
enum coding coding_settle(struct message *answer, const char **why_out);
/* Of Accept-Encoding what this checkpoint can read is left, so that no origin
 * answers in anything else. */
enum coding_wish {
	CODING_WISH_KNOWN,
	CODING_WISH_NONE, /* a part of a coded body would be unreadable */
};
void coding_ask(
    struct arena *a, struct message *request, enum coding_wish wish);

/* Who reads it; DECODE_REFUSED: no coding. */
enum decode_coding coding_decoder(enum coding coding);
