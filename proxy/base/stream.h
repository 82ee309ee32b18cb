/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: one connected socket on the loop, plain or under TLS, with what
 * could not be written yet. What is written goes out at once when the peer
 * takes it; the rest is queued, and the owner stops producing until
 * on_drained. Reading is by readiness: on_readable, then stream_read.
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/address.h"
#include "proxy/base/buf.h"
#include "proxy/base/loop.h"

struct stream;

struct stream_events {
	/* Bytes, the end or an error can be read. */
	void (*on_readable)(void *owner);
	/* All that was queued has left. */
	void (*on_drained)(void *owner);
};

enum stream_answer {
	STREAM_FAILED = 0, /* reset, or TLS broken; stream_why says it. What
			    * came before a failed write is read first */
	STREAM_WAIT,       /* nothing now */
	STREAM_READ,       /* *n_out bytes, more than 0 */
	STREAM_END,        /* the peer closed in order (TLS: close_notify) */
	STREAM_CUT,        /* TLS: the peer closed without close_notify */
};

/* Takes over fd (non-blocking). Nothing is read until stream_want_read. */
struct stream *stream_new(
    struct loop *l, int fd, const struct stream_events *events, void *owner);
/* Closes at once; a TLS close_notify is tried. NULL does nothing. */
void stream_free(struct stream *s);
/* What is queued is dropped and stream_free will reset the connection, so that
 * the peer cannot take what it got for all. */
void stream_reset(struct stream *s);
/* Hands the stream to another owner. */
void stream_own(
    struct stream *s, const struct stream_events *events, void *owner);

/* Puts ssl (taken over, bound to the fd here) between; its handshake is driven
 * by stream_handshake. */
void stream_tls(struct stream *s, SSL *ssl);
SSL *stream_ssl(const struct stream *s);
int stream_fd(const struct stream *s);

enum handshake_answer {
	HANDSHAKE_FAILED = 0,
	HANDSHAKE_WAIT,      /* call again at on_readable or on_drained */
	HANDSHAKE_SUSPENDED, /* a callback of ours wants time (hello, cert) */
	HANDSHAKE_DONE,
};
enum handshake_answer stream_handshake(struct stream *s);

/* At most size bytes into out. */
enum stream_answer stream_read(
    struct stream *s, uint8_t *out, size_t size, size_t *n_out);
/* What was read is for who reads next, STREAM_UNREAD_MAX at most; TLS may begin
 * with it, and what TLS gave can be given back. */
#define STREAM_UNREAD_MAX ((size_t)65536)
void stream_unread(struct stream *s, struct bytes b);
/* Whether nothing has come since the last read; asks the socket. */
bool stream_is_quiet(struct stream *s);
/* Whether on_readable is wanted; true calls it later in this tick when
 * decrypted bytes wait inside already. */
void stream_want_read(struct stream *s, bool want);

/* Queues for the next flush; for what should leave in one packet. */
void stream_put(struct stream *s, struct bytes b);
/* Sends what was put, then b; what the peer does not take is queued. */
void stream_write(struct stream *s, struct bytes b);
void stream_flush(struct stream *s);
/* Bytes queued; 0: on_drained will not come. */
size_t stream_queued(const struct stream *s);
/* No more will be written: FIN (and close_notify) after what is queued. */
void stream_shutdown(struct stream *s);
/* A write failed; nothing more can be sent, what is put is dropped. */
bool stream_broken(const struct stream *s);
/* Whether the peer has closed or nothing can be sent, so that nobody may read
 * what is written now; asks the socket, and takes nothing from it. */
bool stream_is_left(const struct stream *s);
/* Of a peer that had closed his half, behind stream_shutdown: whether he has
 * acknowledged all of it, or answered that nobody is there any more. */
enum stream_hearing {
	STREAM_HEARS, /* not known yet */
	STREAM_HEARD,
	STREAM_UNHEARD,
};
enum stream_hearing stream_hearing(const struct stream *s);
/* The words of the failure; a static string. */
const char *stream_why(const struct stream *s);
