/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: the bytes between a connected socket and who uses it, gathered so that
 * one system call carries many small pieces or many TLS records. Memory for
 * that is shared by all wires of a process: one that is idle holds none.
 *
 * What is written leaves at wire_flush; what the socket does not take then is
 * queued, and leaves by wire_drain when the socket is writable.
 */
#pragma once

#include <openssl/bio.h>
#include <stdbool.h>

#include "proxy/base/buf.h"

#define WIRE_READ_SIZE ((size_t)65536) /* most of one read */

struct wire {
	int fd;
	struct buf ahead; /* read from the socket for it, not taken yet */
	size_t ahead_at;  /* of it what was taken */
	struct buf queue; /* to be sent */
	int error;        /* errno of a failed send; 0: none */
	bool dry;         /* the socket has nothing, until wire_ready */
	bool ended;       /* the peer sent its last byte */
};

/* fd stays the caller's, who closes it after wire_release. */
void wire_init(struct wire *w, int fd);
/* What is gathered is tried once more; the rest is dropped. */
void wire_release(struct wire *w);

/* The socket became readable. */
void wire_ready(struct wire *w);
/*
 * As read(2) into out, n at most: the count, 0 at the end, -1 with errno. Does
 * not ask a socket again that had nothing before wire_ready.
 */
ssize_t wire_read(struct wire *w, uint8_t *out, size_t n);
/* b was read from it, WIRE_READ_SIZE at most, and is to be read again. */
void wire_unread(struct wire *w, struct bytes b);
/* Bytes that wire_read gives without asking the socket. */
size_t wire_pending(const struct wire *w);

/* Gathers b; nothing happens on a wire whose error is set. */
void wire_write(struct wire *w, struct bytes b);
void wire_flush(struct wire *w);
/* The socket became writable. */
void wire_drain(struct wire *w);
/* Drops what is gathered and queued. */
void wire_drop(struct wire *w);
/* Bytes that wait for the socket; while there are any, wire_drain is due. */
size_t wire_queued(const struct wire *w);

/* A BIO over the wire for an SSL, which takes it over; its writes are gathered
 * like others. NULL: out of memory. */
BIO *wire_bio(struct wire *w);
