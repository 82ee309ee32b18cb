/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/wire.h"

_Static_assert(STREAM_UNREAD_MAX == WIRE_READ_SIZE, "as much as a wire takes");

/* What is put before a write goes out in the same record up to this. */
#define RECORD_MAX ((size_t)16384)

struct stream {
	struct wire wire;
	SSL *ssl;
	struct watch *watch;
	struct loop *loop;
	const struct stream_events *events;
	void *owner;
	const char *why;
	bool want_read;
	bool later;  /* a look at bytes inside is deferred */
	bool broken; /* nothing can be sent any more */
	bool deaf;   /* nor read */
	bool shut;   /* FIN after what is queued */
	bool fin_sent;
	bool handshaking;
	bool calling; /* a callback of the owner runs */
	bool freed;
	bool has_next; /* the answer below is for the next read */
	enum stream_answer next;
	struct buf again; /* decrypted, and given back */
};

static void stream_ready(void *owner, unsigned events);
static void stream_destroy(void *owner);

/*
 * Small pieces for one TLS stream are gathered here, so that a head and a
 * small body share a record. It belongs to one stream at a time and is empty
 * between callbacks. (Without TLS the wire gathers.)
 */
static struct {
	struct stream *of;
	struct buf bytes;
} cork = { .bytes = { .max = RECORD_MAX } };

struct stream *
stream_new(
    struct loop *l, int fd, const struct stream_events *events, void *owner)
{
	struct stream *s = calloc(1, sizeof(*s));

	must(s != NULL);
	wire_init(&s->wire, fd);
	buf_init(&s->again, STREAM_UNREAD_MAX);
	s->loop = l;
	s->events = events;
	s->owner = owner;
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
		wire_flush(&s->wire);
		SSL_free(s->ssl);
		ERR_clear_error();
	}
	wire_release(&s->wire);
	buf_release(&s->again);
	close(s->wire.fd);
	s->freed = true;
	if (!s->calling && !s->later)
		stream_destroy(s);
}

void
stream_reset(struct stream *s)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(s->wire.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	s->broken = true;
	s->deaf = true;
	wire_drop(&s->wire);
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
	BIO *bio = wire_bio(&s->wire);

	must(s->ssl == NULL && bio != NULL);
	SSL_set_bio(ssl, bio, bio);
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
	return s->wire.fd;
}

/* What the socket must tell: reading when wanted, writing when it is full. */
static void
watch_again(struct stream *s)
{
	unsigned events = 0;

	if (s->want_read)
		events |= WATCH_READ;
	if (wire_queued(&s->wire) > 0)
		events |= WATCH_WRITE;
	watch_want(s->watch, events);
}

/* Bytes, or an answer, that can be read without asking the socket. TLS holds
 * no bytes that it has not decrypted, but for the part of a record that has
 * come: that is no reason to read again. */
static bool
has_inside(const struct stream *s)
{
	if (s->again.n > 0 || s->has_next ||
	    (s->ssl != NULL && SSL_pending(s->ssl) > 0))
		return true;
	return wire_pending(&s->wire) > 0;
}

/* Bytes that have been taken from the socket already make no event there, and
 * a failed write makes none at all: the owner reads, and sees. */
static void
look_inside(void *owner)
{
	struct stream *s = owner;

	s->later = false;
	if (s->freed)
		stream_destroy(s);
	else if (s->broken || (s->want_read && has_inside(s)))
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
socket_words(int error)
{
	switch (error) {
	case ECONNRESET:
		return "connection reset by the peer";
	case EPIPE:
		return "connection closed by the peer";
	case ETIMEDOUT:
		return "connection timed out";
	case ENOBUFS:
		return "too much to send at once";
	default:
		return "connection failed";
	}
}

/* Nothing can be sent any more; what has come can be read still: an origin
 * that answers before it has read a request, and closes, resets us. */
static void
break_stream(struct stream *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	s->broken = true;
	wire_drop(&s->wire);
	look_later(s);
}

static enum stream_answer
fail_reading(struct stream *s, const char *why)
{
	break_stream(s, why);
	s->deaf = true;
	return STREAM_FAILED;
}

/* What was written leaves; a failure of the socket is found here. */
static void
flush_wire(struct stream *s)
{
	wire_flush(&s->wire);
	if (s->wire.error != 0 && !s->broken)
		break_stream(s, socket_words(s->wire.error));
	watch_again(s);
}

enum handshake_answer
stream_handshake(struct stream *s)
{
	int result;
	int error;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(s->ssl);
	error = errno;
	s->want_read = false;
	if (result == 1)
		s->handshaking = false;
	flush_wire(s);
	if (result == 1)
		return HANDSHAKE_DONE;
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		s->want_read = true;
		watch_again(s);
		return HANDSHAKE_WAIT;
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
	case SSL_ERROR_WANT_X509_LOOKUP:
	case SSL_ERROR_WANT_RETRY_VERIFY:
		return HANDSHAKE_SUSPENDED;
	case SSL_ERROR_SYSCALL:
		break_stream(s,
		    error == 0 ? "connection closed in the TLS handshake"
			       : socket_words(error));
		return HANDSHAKE_FAILED;
	default:
		break_stream(s, tls_words());
		return HANDSHAKE_FAILED;
	}
}

/* From the socket into out without a copy, when nothing waits inside. */
static enum stream_answer
read_plain(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	ssize_t n = wire_pending(&s->wire) > 0 ? wire_read(&s->wire, out, size)
					       : read(s->wire.fd, out, size);

	if (n > 0) {
		*n_out = (size_t)n;
		return STREAM_READ;
	}
	if (n == 0)
		return STREAM_END;
	if (errno == EAGAIN || errno == EINTR)
		return STREAM_WAIT;
	return fail_reading(s, socket_words(errno));
}

/* Of one record, or less. */
static enum stream_answer
read_record(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(s->ssl, out, size, n_out);
	if (result == 1)
		return STREAM_READ;
	*n_out = 0;
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_END;
	case SSL_ERROR_SYSCALL:
		if (errno == 0)
			return STREAM_CUT;
		return fail_reading(s, socket_words(errno));
	default:
		/* OpenSSL 3 tells a missing close_notify as an error. */
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return STREAM_CUT;
		}
		return fail_reading(s, tls_words());
	}
}

/* As many records as are there and fit, from one read of the socket. */
static enum stream_answer
read_tls(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	enum stream_answer answer = read_record(s, out, size, n_out);
	size_t n = 0;

	while (answer == STREAM_READ && *n_out < size &&
	    wire_pending(&s->wire) > 0) {
		enum stream_answer more =
		    read_record(s, out + *n_out, size - *n_out, &n);

		*n_out += n;
		if (more == STREAM_READ)
			continue;
		s->has_next = more != STREAM_WAIT;
		s->next = more;
		break;
	}
	/* TLS itself may have had something to say. */
	flush_wire(s);
	return answer;
}

enum stream_answer
stream_read(struct stream *s, uint8_t *out, size_t size, size_t *n_out)
{
	enum stream_answer answer;

	*n_out = 0;
	if (s->again.n > 0) {
		*n_out = s->again.n < size ? s->again.n : size;
		memcpy(out, s->again.p, *n_out);
		buf_consume(&s->again, *n_out);
		return STREAM_READ;
	}
	if (s->has_next) {
		s->has_next = false;
		return s->next;
	}
	if (s->deaf)
		return STREAM_FAILED;
	answer = s->ssl == NULL ? read_plain(s, out, size, n_out)
				: read_tls(s, out, size, n_out);
	return answer == STREAM_WAIT && s->broken ? STREAM_FAILED : answer;
}

void
stream_unread(struct stream *s, struct bytes b)
{
	if (b.n > 0 && s->ssl == NULL)
		wire_unread(&s->wire, b);
	else if (b.n > 0)
		must(s->again.n == 0 && buf_append(&s->again, b) == 0);
}

bool
stream_is_quiet(struct stream *s)
{
	uint8_t byte;
	size_t n;

	wire_ready(&s->wire);
	return stream_read(s, &byte, 1, &n) == STREAM_WAIT;
}

void
stream_want_read(struct stream *s, bool want)
{
	s->want_read = want;
	watch_again(s);
	if (want && !s->handshaking && (s->broken || has_inside(s)))
		look_later(s);
}

/* Encrypts b, which the wire gathers. */
static void
encrypt(struct stream *s, struct bytes b)
{
	size_t n = 0;
	int result;

	while (b.n > 0 && !s->broken) {
		ERR_clear_error();
		result = SSL_write_ex(s->ssl, b.p, b.n, &n);
		if (result != 1) {
			(void)fail_reading(s, tls_words());
			return;
		}
		bytes_take(&b, n);
	}
}

static void
uncork(void)
{
	struct stream *s = cork.of;

	if (s == NULL)
		return;
	cork.of = NULL;
	encrypt(s, buf_bytes(&cork.bytes));
	cork.bytes.n = 0;
}

/* Fills up the record that has begun, then whole records as they are, and
 * keeps what remains for the next one. */
static void
put_tls(struct stream *s, struct bytes b)
{
	size_t room;

	if (cork.of != s)
		uncork();
	cork.of = s;
	room = RECORD_MAX - cork.bytes.n;
	if (cork.bytes.n > 0 && b.n >= room) {
		must(buf_append(&cork.bytes, bytes_take(&b, room)) == 0);
		uncork();
	}
	if (b.n >= RECORD_MAX)
		encrypt(s, bytes_take(&b, b.n / RECORD_MAX * RECORD_MAX));
	must(buf_append(&cork.bytes, b) == 0);
	cork.of = s;
}

static void
send_fin(struct stream *s)
{
	if (!s->shut || s->fin_sent || s->broken || wire_queued(&s->wire) > 0)
		return;
	s->fin_sent = true;
	if (s->ssl != NULL) {
		SSL_shutdown(s->ssl);
		ERR_clear_error();
		wire_flush(&s->wire);
	}
	shutdown(s->wire.fd, SHUT_WR);
}

void
stream_put(struct stream *s, struct bytes b)
{
	must(!s->shut);
	if (s->broken || b.n == 0)
		return;
	if (s->ssl == NULL)
		wire_write(&s->wire, b);
	else
		put_tls(s, b);
}

void
stream_flush(struct stream *s)
{
	if (cork.of == s)
		uncork();
	if (s->broken)
		return;
	flush_wire(s);
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
	return wire_queued(&s->wire);
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

bool
stream_is_left(const struct stream *s)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (s->broken || s->wire.ended)
		return true;
	return getsockopt(s->wire.fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	    info.tcpi_state != TCP_ESTABLISHED;
}

/* A reset leaves an error, the last acknowledgement none. */
enum stream_hearing
stream_hearing(const struct stream *s)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);
	int error = 0;
	socklen_t error_n = sizeof(error);

	if (s->broken ||
	    getsockopt(s->wire.fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return STREAM_UNHEARD;
	if (info.tcpi_state != TCP_CLOSE)
		return STREAM_HEARS;
	return getsockopt(s->wire.fd, SOL_SOCKET, SO_ERROR, &error, &error_n) ==
		    0 &&
		error == 0
	    ? STREAM_HEARD
	    : STREAM_UNHEARD;
}

const char *
stream_why(const struct stream *s)
{
	return s->why == NULL ? "connection failed" : s->why;
}

static void
drain(struct stream *s)
{
	bool had = wire_queued(&s->wire) > 0;

	wire_drain(&s->wire);
	stream_flush(s);
	if (had && wire_queued(&s->wire) == 0 && !s->broken && !s->handshaking)
		s->events->on_drained(s->owner);
}

static void
stream_ready(void *owner, unsigned events)
{
	struct stream *s = owner;
	bool readable = (events & WATCH_READ) != 0;

	s->calling = true;
	if (readable)
		wire_ready(&s->wire);
	if ((events & WATCH_WRITE) != 0)
		drain(s);
	if (!s->freed && readable && (s->want_read || s->broken))
		s->events->on_readable(s->owner);
	/* More may have come than was read. */
	if (!s->freed && s->want_read)
		stream_want_read(s, true);
	s->calling = false;
	if (s->freed && !s->later)
		stream_destroy(s);
}
