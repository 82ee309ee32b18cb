/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer: a next hop, and a name server, that do as a test says; each a process
 * of its own on a free port of loopback.
 */
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include "proxy/base/bytes.h"

struct peer {
	uint16_t port;
	pid_t pid;
};

/*
 * One string for each connection, in their order; of lines:
 *
 *	<250 fine	is said, with CRLF; more lines behind a \r each
 *	>MAIL FROM:	the next line of the client must begin so
 *	=1000		a content up to its last dot, of that many bytes
 *	*		TLS begins, with ctx
 *	!		what is said is no TLS
 *	~300		waits that many milliseconds
 *	.		the client closes; without it, the peer does
 */
struct peer peer_new(const char *const *connections, size_t n, SSL_CTX *ctx);
/* The same on that port of 127.0.0.2. */
struct peer peer_beside(const struct peer *p, const char *const *connections,
    size_t n, SSL_CTX *ctx);
/* It must have come to its end, and everything been as it says. */
void peer_end(struct peer *p);
/* It may be anywhere. */
void peer_kill(struct peer *p);
/* A port where nobody listens. */
uint16_t peer_nowhere(void);
/* A port that answers nothing, not even to a connection. */
uint16_t peer_deaf(void);

struct peer_record {
	const char *name;
	uint16_t type;
	int code;             /* of the whole answer; 3: no such name */
	struct bytes data[2]; /* of the records; a p of NULL: none */
};
/* Answers what is in the records, other types with none, other names never. */
struct peer peer_names(const struct peer_record *records, size_t n);
