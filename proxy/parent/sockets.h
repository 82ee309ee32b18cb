/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets: the listening sockets, which outlive generations, so that a reload
 * loses no connection that waits to be accepted. Each address has one socket
 * per process that serves it (SO_REUSEPORT); one that is started anew takes its
 * predecessor's.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/err.h"

#define SOCKETS_MAX 8192

struct listening {
	struct address at;
	int fd;
	bool wanted; /* by the newest settings */
	bool tproxy; /* may take connections to any address */
};

struct sockets {
	struct listening all[SOCKETS_MAX];
	size_t n;
};

/* What the settings ask for. */
struct socket_want {
	const char *words; /* of the address, for messages */
	struct address at;
	uint32_t backlog;
	bool tproxy;
	size_t count; /* of sockets: one for each process */
};

/*
 * Opens what is wanted and not open yet. On failure what it opened is closed
 * again. 0, or -1 and *e.
 */
int sockets_open(struct sockets *s, const struct socket_want *wants, size_t n,
    struct err *e) MUST_CHECK;
/* Closes those that the last sockets_open did not name. */
void sockets_close_unwanted(struct sockets *s);
void sockets_close_all(struct sockets *s);
/* Those at the address for process `nth` of `of`, at most max; the count. */
size_t sockets_at(const struct sockets *s, const struct address *at, size_t nth,
    size_t of, int *fds_out, size_t max);
