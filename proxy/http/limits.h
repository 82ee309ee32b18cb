/* SPDX-License-Identifier: Apache-2.0 */
/* limits: what one client may ask of a web checkpoint; group `limits`. */
#pragma once

#include "proxy/base/setting.h"
#include "proxy/http/h1.h"

struct limit_settings {
	struct h1_limits h1; /* from the four fields below */
	size_t head_max;
	uint32_t fields_max;
	size_t chunk_line_max;
	size_t trailer_max;
	bool check_codings;     /* whether coded bodies are read to their end */
	uint32_t decoded_ratio; /* at most so much longer than coded */
	bool h2;
	uint32_t h2_streams_max;
	size_t h2_window;            /* of a stream at most: its buffer, too */
	size_t h2_connection_window; /* and what all streams may grow by */
	uint32_t connections_per_address;
	uint32_t connections_per_body;
	uint32_t interim_max; /* 1xx heads of one answer */
	uint64_t head_timeout_ms;
	uint64_t handshake_timeout_ms;
	uint64_t idle_timeout_ms;   /* between requests */
	uint64_t body_timeout_ms;   /* no byte of a body either way */
	uint64_t answer_timeout_ms; /* first byte of the origin's answer */
	uint64_t tunnel_timeout_ms; /* no byte either way in a tunnel */
};

extern const struct setting limit_table[];
extern const size_t limit_table_n;
