/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets: the listening sockets, which outlive generations, so that a reload
 * loses no connection that waits to be accepted. Each address has one socket
 * per edge (SO_REUSEPORT); an edge that is started anew takes its
 * predecessor's.
 */
#pragma once

#include "proxy/base/err.h"
#include "proxy/listener/listener.h"

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

/*
 * Opens what the settings ask for and is not open yet, `edges` sockets for
 * each address. On failure what it opened is closed again. 0, or -1 and *e.
 */
int sockets_open(struct sockets *s, const struct listener_settings *listeners,
    size_t n, size_t edges, struct err *e) MUST_CHECK;
/* Closes those that the last sockets_open did not name. */
void sockets_close_unwanted(struct sockets *s);
void sockets_close_all(struct sockets *s);
/*
 * Those of edge `nth` of `edges`: their descriptors and settings, at most max;
 * returns the count.
 */
size_t sockets_of_edge(const struct sockets *s,
    const struct listener_settings *listeners, size_t n, size_t nth,
    size_t edges, int *fds_out, const struct listener_settings **of_out,
    size_t max);
