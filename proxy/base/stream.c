/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Never reached in order: whoever writes stops at the first queued byte. */
#define QUEUE_MAX ((size_t)8 << 20)
/* What is put before a write goes out in the same record up to this. */
#define RECORD_MAX ((size_t)16384)

struct stream {
	int fd;
	SSL *ssl;
	struct watch *watch;
	struct loop *loop;
	const struct stream_events *events;
	void *owner;
	struct buf queue;
	const char *why;
	bool want_read;
	bool later;       /* a look at bytes inside TLS is deferred */
	bool write_waits; /* the socket took less than it was given */
	bool tls_reads;   /* TLS wants to read before it can write */
	bool broken;      /* nothing can be sent any more */
	bool shut;        /* FIN after the queue */
	bool fin_sent;
	bool handshaking;
	bool calling; /* a callback of the owner runs */
	bool freed;
};

static void stream_ready(void *owner, unsigned events);
static void stream_destroy(void *owner);

/*
 * Small pieces for one stream are gathered here, so that a head and a small
 * body leave in one record and one packet without an allocation. It belongs
 * to one stream at a time and is empty between callbacks.
 */
static struct {
	struct stream *of;
	struct buf bytes;
} cork = { .bytes = { .max = 2 * RECORD_MAX } };

struct stream *
stream_new(
    struct loop *l, int fd, const struct stream_events *events, void *owner)
{
	struct stream *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->fd = fd;
	s->loop = l;
	s->events = events;
	s->owner = owner;
	buf_init(&s->queue, QUEUE_MAX);
	s->watch = watch_new(l, fd, stream_ready, s);
	must(s->watch != NULL);
	return s;
}

static void
stream_destroy(void *owner)
{
	free(owner);
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (cork.of == s) {
		cork.of = NULL;
		cork.bytes.n = 0;
	}
	watch_free(s->watch);
	if (s->ssl != NULL) {
		if (!s->broken && !s->handshaking && !s->fin_sent)
			SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
		ERR_clear_error();
	}
	close(s->fd);
	buf_release(&s->queue);
	s->freed = true;
	if (!s->calling && !s->later)
		stream_destroy(s);
}

void
stream_reset(struct stream *s)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	s->broken = true;
	s->write_waits = false;
	buf_release(&s->queue);
}

void
stream_own(struct stream *s, const struct stream_events *events, void *owner)
{
	s->events = events;
	s->owner = owner;
}

void
stream_tls(struct stream *s, SSL *ssl)
{
	must(s->ssl == NULL && SSL_set_fd(ssl, s->fd) == 1);
	s->ssl = ssl;
	s->handshaking = true;
}

SSL *
stream_ssl(const struct stream *s)
{
	return s->ssl;
}

int
stream_fd(const struct stream *s)
{
	return s->fd;
}

/* What the socket must tell: reading when wanted, writing when it is full. */
static void
watch_again(struct stream *s)
{
	unsigned events = 0;

	if (s->want_read || s->tls_reads)
		events |= WATCH_READ;
	if (s->write_waits)
		events |= WATCH_WRITE;
	watch_want(s->watch, events);
}

/* Bytes that TLS has already taken from the socket make no event there, and
 * a failed write makes none at all: the owner reads, and sees. */
static void
look_inside(void *owner)
{
	struct stream *s = owner;

	s->later = false;
	if (s->freed)
		stream_destroy(s);
	else if (s->broken ||
	    (s->want_read && s->ssl != NULL && SSL_has_pending(s->ssl)))
		stream_ready(s, WATCH_READ);
}

static void
look_later(struct stream *s)
{
	if (s->later)
		return;
	s->later = true;
	loop_defer(s->loop, look_inside, s);
}

static const char *
tls_words(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *words = ERR_reason_error_string(code);

	ERR_clear_error();
	return words == NULL ? "TLS failed" : words;
}

static const char *
socket_words(void)
{
	switch (errno) {
	case ECONNRESET:
		return "connection reset by the peer";
	case EPIPE:
		return "connection closed by the peer";
	case ETIMEDOUT:
		return "connection timed out";
	default:
		return "connection failed";
	}
}

static void
break_stream(struct stream *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	s->broken = true;
	s->write_waits = false;
	buf_release(&s->queue);
	look_later(s);
}

enum handshake_answer
stream_handshake(struct stream *s)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(s->ssl);
	s->write_waits = false;
	s->want_read = false;
	if (result == 1) {
		s->handshaking = false;
		watch_again(s);
		return HANDSHAKE_DONE;
	}
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		s->want_read = true;
		watch_again(s);
		return HANDSHAKE_WAIT;
	case SSL_ERROR_WANT_WRITE:
		s->write_waits = true;
		watch_again(s);
		return HANDSHAKE_WAIT;
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
	case SSL_ERROR_WANT_X509_LOOKUP:
	case SSL_ERROR_WANT_RETRY_VERIFY:
		watch_again(s);
		return HANDSHAKE_SUSPENDED;
	case SSL_ERROR_SYSCALL:
		break_stream(s,
		    errno == 0 ? "connection closed in the TLS handshake"
			       : socket_words());
		return HANDSHAKE_FAILED;
	default:
		break_stream(s, tls_words());
		return HANDSHAKE_FAILED;
	}
}

static enum stream_answer
read_plain(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	ssize_t n = read(s->fd, out, size);

	if (n > 0) {
		*n_out = (size_t)n;
		return STREAM_READ;
	}
	if (n == 0)
		return STREAM_END;
	if (errno == EAGAIN || errno == EINTR)
		return STREAM_WAIT;
	break_stream(s, socket_words());
	return STREAM_FAILED;
}

static enum stream_answer
read_tls(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(s->ssl, out, size, n_out);
	if (result == 1)
		return STREAM_READ;
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WAIT;
	case SSL_ERROR_WANT_WRITE:
		s->write_waits = true;
		watch_again(s);
		return STREAM_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_END;
	case SSL_ERROR_SYSCALL:
		if (errno == 0)
			return STREAM_CUT;
		break_stream(s, socket_words());
		return STREAM_FAILED;
	default:
		/* OpenSSL 3 tells a missing close_notify as an error. */
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return STREAM_CUT;
		}
		break_stream(s, tls_words());
		return STREAM_FAILED;
	}
}

enum stream_answer
stream_read(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	*n_out = 0;
	if (s->broken)
		return STREAM_FAILED;
	return s->ssl == NULL ? read_plain(s, out, size, n_out)
			      : read_tls(s, out, size, n_out);
}

void
stream_want_read(struct stream *s, bool want)
{
	s->want_read = want;
	watch_again(s);
	if (want && s->ssl != NULL && !s->handshaking &&
	    SSL_has_pending(s->ssl))
		look_later(s);
}

/* Bytes taken by the socket: all, some, or none with the stream broken or
 * waiting. */
static size_t
send_plain(struct stream *s, struct bytes b)
{
	ssize_t n = send(s->fd, b.p, b.n, MSG_NOSIGNAL);

	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		break_stream(s, socket_words());
	return 0;
}

static size_t
send_tls(struct stream *s, struct bytes b)
{
	size_t n = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(s->ssl, b.p, b.n, &n);
	if (result == 1)
		return n;
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_WANT_READ:
		s->tls_reads = true;
		return 0;
	case SSL_ERROR_SYSCALL:
		break_stream(s, socket_words());
		return 0;
	default:
		break_stream(s, tls_words());
		return 0;
	}
}

/* What is left of b when the socket takes no more. */
static struct bytes
send_some(struct stream *s, struct bytes b)
{
	while (b.n > 0 && !s->broken) {
		size_t n = s->ssl == NULL ? send_plain(s, b) : send_tls(s, b);

		if (n == 0)
			break;
		bytes_take(&b, n);
	}
	return b;
}

static void
send_fin(struct stream *s)
{
	if (!s->shut || s->fin_sent || s->queue.n > 0 || s->broken)
		return;
	s->fin_sent = true;
	if (s->ssl != NULL) {
		SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	shutdown(s->fd, SHUT_WR);
}

static void
queue(struct stream *s, struct bytes b)
{
	if (!s->broken && buf_append(&s->queue, b) < 0)
		break_stream(s, "too much to send at once");
}

/* Sends b; what the socket does not take is queued. */
static void
send_or_queue(struct stream *s, struct bytes b)
{
	if (!s->write_waits && s->queue.n == 0)
		b = send_some(s, b);
	if (b.n == 0 || s->broken)
		return;
	queue(s, b);
	s->write_waits = true;
	watch_again(s);
}

static void
uncork(void)
{
	struct stream *s = cork.of;

	if (s == NULL)
		return;
	cork.of = NULL;
	send_or_queue(s, buf_bytes(&cork.bytes));
	cork.bytes.n = 0;
}

void
stream_put(struct stream *s, struct bytes b)
{
	must(!s->shut);
	if (s->broken)
		return;
	if (cork.of != s)
		uncork();
	if (cork.of == s && cork.bytes.n + b.n > RECORD_MAX)
		uncork();
	if (s->queue.n > 0 || b.n > RECORD_MAX) {
		send_or_queue(s, b);
		return;
	}
	must(buf_append(&cork.bytes, b) == 0);
	cork.of = s;
}

void
stream_flush(struct stream *s)
{
	struct bytes left;

	if (cork.of == s)
		uncork();
	if (s->broken || s->write_waits)
		return;
	if (s->queue.n > 0) {
		left = send_some(s, buf_bytes(&s->queue));
		if (s->broken)
			return;
		if (left.n == 0)
			buf_release(&s->queue);
		else
			buf_consume(&s->queue, s->queue.n - left.n);
	}
	s->write_waits = s->queue.n > 0;
	watch_again(s);
	send_fin(s);
}

void
stream_write(struct stream *s, struct bytes b)
{
	stream_put(s, b);
	stream_flush(s);
}

size_t
stream_queued(const struct stream *s)
{
	return s->queue.n;
}

void
stream_shutdown(struct stream *s)
{
	s->shut = true;
	stream_flush(s);
	send_fin(s);
}

bool
stream_broken(const struct stream *s)
{
	return s->broken;
}

const char *
stream_why(const struct stream *s)
{
	return s->why == NULL ? "connection failed" : s->why;
}

static void
drain(struct stream *s)
{
	bool had = s->queue.n > 0;

	s->write_waits = false;
	s->tls_reads = false;
	stream_flush(s);
	if (had && s->queue.n == 0 && !s->broken)
		s->events->on_drained(s->owner);
}

static void
stream_ready(void *owner, unsigned events)
{
	struct stream *s = owner;

	s->calling = true;
	if (s->handshaking) {
		s->write_waits = false;
		s->events->on_readable(s->owner);
	} else {
		if ((events & WATCH_WRITE) != 0 || s->tls_reads)
			drain(s);
		if (!s->freed && (s->want_read || s->broken) &&
		    (events & WATCH_READ) != 0)
			s->events->on_readable(s->owner);
		/* A record may bring more than was read of it. */
		if (!s->freed && s->want_read && s->ssl != NULL)
			stream_want_read(s, true);
	}
	s->calling = false;
	if (s->freed && !s->later)
		stream_destroy(s);
}
