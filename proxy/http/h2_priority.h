/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_priority: PRIORITY_UPDATE frames of clients (RFC 9218 section 7.1), read
 * here and not by libnghttp2: of 1.52 a frame that comes before its stream's
 * HEADERS makes a stream that is freed and still linked.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "proxy/http/exchange.h"

#define PRIORITY_FRAME_MAX (4 + EXCHANGE_PRIORITY_MAX)

struct h2_session;
struct h2_stream;

struct h2_priority {
	uint8_t frame[PRIORITY_FRAME_MAX]; /* that is being read */
	size_t n;                          /* more than fits: too long */
	/* what came before its stream did: the last one */
	int32_t early_id; /* 0: none */
	uint8_t early[EXCHANGE_PRIORITY_MAX];
	size_t early_n;
};

/* For a server's session. */
void h2_priority_listen(
    nghttp2_session_callbacks *calls, nghttp2_option *options);
/* A frame begins; it is there. */
void h2_priority_begin(struct h2_session *h, const nghttp2_frame_hd *hd);
void h2_priority_received(struct h2_session *h, const nghttp2_frame_hd *hd);
/* The request's head is there: what was said of it in its field, or before. */
void h2_priority_of_request(struct h2_stream *s);

/* Reads a Priority field's value. What is not there is as `out` was. */
void h2_priority_read(struct bytes value, nghttp2_extpri *out);
