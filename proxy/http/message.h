/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message: a request or a response without its body, as any version of HTTP
 * carries it. Everything points into the arena of its exchange.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/arena.h"

/* Fields that Sekisho itself reads or writes; the rest is FIELD_OTHER. */
enum field_id {
	FIELD_OTHER = 0,
	FIELD_ACCEPT_ENCODING,
	FIELD_ACCEPT_LANGUAGE,
	FIELD_ALT_SVC,
	FIELD_AUTHORIZATION,
	FIELD_CONNECTION,
	FIELD_CONTENT_DISPOSITION,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_LENGTH,
	FIELD_CONTENT_RANGE,
	FIELD_CONTENT_TYPE,
	FIELD_COOKIE,
	FIELD_DATE,
	FIELD_EXPECT,
	FIELD_FORWARDED,
	FIELD_HOST,
	FIELD_IF_RANGE,
	FIELD_KEEP_ALIVE,
	FIELD_LOCATION,
	FIELD_PRIORITY,
	FIELD_PROXY_AUTHENTICATE,
	FIELD_PROXY_AUTHORIZATION,
	FIELD_PROXY_CONNECTION,
	FIELD_RANGE,
	FIELD_SEC_WEBSOCKET_ACCEPT,
	FIELD_SEC_WEBSOCKET_KEY,
	FIELD_TE,
	FIELD_TRAILER,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_VIA,
	FIELD_WWW_AUTHENTICATE,
	FIELD_X_FORWARDED_FOR,
	FIELD_COUNT,
};

struct field {
	enum field_id id;
	bool hop; /* hop-by-hop (RFC 9110 section 7.6.1), or left out for a
		   * reason of our own: not sent on */
	struct bytes name;
	struct bytes value; /* without blanks around it */
};

/* How the body's end is known. */
enum framing {
	FRAMING_NONE = 0, /* there is no body */
	FRAMING_LENGTH,   /* content_length bytes */
	FRAMING_CHUNKED,  /* the sender says when, length unknown */
	FRAMING_CLOSE,    /* response only: until the connection ends */
};

struct message {
	/* request */
	struct bytes method;
	struct bytes target; /* as given: absolute, origin, authority or "*" */
	/* response */
	unsigned status;
	struct bytes reason;
	/* both */
	struct field *fields;
	size_t fields_n;
	enum framing framing;
	uint64_t content_length; /* FRAMING_LENGTH, or told by a HEAD answer */
	bool has_content_length;
	bool ended;             /* by its head, which said so: HTTP/2 */
	bool keep_alive;        /* the connection may carry another message */
	bool upgrade;           /* to WebSocket, the one that is passed on */
	unsigned version_minor; /* HTTP/1.x */
};

enum field_id field_id(struct bytes name);
/* The only or first field of that id, or NULL. */
const struct field *message_field(const struct message *m, enum field_id id);
/* Whether a trailer says nothing that a head must say (RFC 9110 section 6.5.1):
 * framing, routing, who asks, what the body is. */
bool message_trailer_is_harmless(const struct message *m);
/* Marks hop-by-hop fields: the fixed ones and those Connection names. */
void message_mark_hops(struct message *m);
