/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Far above one flush: whoever writes stops at the first queued byte. */
#define QUEUE_MAX ((size_t)8 << 20)
#define GATHER_MAX ((size_t)131072)

/* Both belong to one wire at a time. What another wire wants them for moves
 * the bytes in them to their own wire's ahead, or sends them. */
static struct {
	struct wire *of;
	size_t at, n;
	uint8_t bytes[WIRE_READ_SIZE];
} incoming;

static struct {
	struct wire *of;
	struct buf bytes;
} outgoing = { .bytes = { .max = GATHER_MAX } };

void
wire_init(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = fd };
	buf_init(&w->ahead, WIRE_READ_SIZE);
	buf_init(&w->queue, QUEUE_MAX);
}

void
wire_release(struct wire *w)
{
	wire_flush(w);
	if (incoming.of == w)
		incoming.of = NULL;
	buf_release(&w->ahead);
	buf_release(&w->queue);
}

/* Reading. */

void
wire_ready(struct wire *w)
{
	w->dry = false;
}

/* The bytes of the incoming that its wire has not taken yet. */
static struct bytes
incoming_left(void)
{
	return (struct bytes){ incoming.bytes + incoming.at,
		incoming.n - incoming.at };
}

static void
put_incoming_aside(void)
{
	struct wire *w = incoming.of;

	/* It was filled when nothing was ahead, with as much as fits. */
	if (w != NULL && incoming.at < incoming.n)
		must(w->ahead.n == 0 &&
		    buf_append(&w->ahead, incoming_left()) == 0);
	incoming.of = NULL;
}

static ssize_t
fill_incoming(struct wire *w)
{
	ssize_t n;

	put_incoming_aside();
	n = recv(w->fd, incoming.bytes, sizeof(incoming.bytes), 0);
	w->dry = n < (ssize_t)sizeof(incoming.bytes) && n != 0;
	w->ended = n == 0;
	if (n <= 0)
		return n;
	incoming.of = w;
	incoming.at = 0;
	incoming.n = (size_t)n;
	return n;
}

static size_t
take(uint8_t *out, size_t n, struct bytes from)
{
	if (n > from.n)
		n = from.n;
	memcpy(out, from.p, n);
	return n;
}

static size_t
take_ahead(struct wire *w, uint8_t *out, size_t n)
{
	n = take(out, n,
	    (struct bytes){
		w->ahead.p + w->ahead_at, w->ahead.n - w->ahead_at });
	w->ahead_at += n;
	if (w->ahead_at == w->ahead.n) {
		buf_release(&w->ahead);
		w->ahead_at = 0;
	}
	return n;
}

ssize_t
wire_read(struct wire *w, uint8_t *out, size_t n)
{
	ssize_t filled;

	if (w->ahead.n > 0)
		return (ssize_t)take_ahead(w, out, n);
	if (incoming.of != w || incoming.at == incoming.n) {
		if (w->dry) {
			errno = EAGAIN;
			return -1;
		}
		filled = fill_incoming(w);
		if (filled <= 0)
			return filled;
	}
	n = take(out, n, incoming_left());
	incoming.at += n;
	return (ssize_t)n;
}

void
wire_unread(struct wire *w, struct bytes b)
{
	must(w->ahead.n == 0 && buf_append(&w->ahead, b) == 0);
}

size_t
wire_pending(const struct wire *w)
{
	size_t n = w->ahead.n - w->ahead_at;

	if (incoming.of == w)
		n += incoming.n - incoming.at;
	return n;
}

/* Writing. */

static void
fail(struct wire *w, int error)
{
	w->error = error;
	wire_drop(w);
}

static void
queue(struct wire *w, struct bytes b)
{
	if (w->error == 0 && buf_append(&w->queue, b) < 0)
		fail(w, ENOBUFS);
}

/* What the socket does not take of b. */
static struct bytes
send_some(struct wire *w, struct bytes b)
{
	ssize_t n;

	if (w->queue.n > 0 || w->error != 0 || b.n == 0)
		return b;
	n = send(w->fd, b.p, b.n, MSG_NOSIGNAL);
	if (n > 0)
		bytes_take(&b, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		fail(w, errno);
	return b;
}

/* Sends what is gathered and then more, or queues it. */
static void
send_gathered(struct bytes more)
{
	struct wire *w = outgoing.of;

	outgoing.of = NULL;
	if (w == NULL)
		return;
	queue(w, send_some(w, buf_bytes(&outgoing.bytes)));
	queue(w, send_some(w, more));
	outgoing.bytes.n = 0;
}

void
wire_write(struct wire *w, struct bytes b)
{
	if (w->error != 0)
		return;
	if (outgoing.of != w)
		send_gathered((struct bytes){ 0 });
	outgoing.of = w;
	if (buf_append(&outgoing.bytes, b) < 0)
		send_gathered(b);
}

void
wire_flush(struct wire *w)
{
	if (outgoing.of == w)
		send_gathered((struct bytes){ 0 });
}

void
wire_drain(struct wire *w)
{
	ssize_t n;

	if (w->queue.n == 0)
		return;
	n = send(w->fd, w->queue.p, w->queue.n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(w, errno);
	else if (n == (ssize_t)w->queue.n)
		buf_release(&w->queue);
	else if (n > 0)
		buf_consume(&w->queue, (size_t)n);
}

void
wire_drop(struct wire *w)
{
	if (outgoing.of == w) {
		outgoing.of = NULL;
		outgoing.bytes.n = 0;
	}
	buf_release(&w->queue);
}

size_t
wire_queued(const struct wire *w)
{
	return w->queue.n;
}

/* The BIO. */

static int
bio_read(BIO *bio, char *out, int n)
{
	ssize_t got = wire_read(BIO_get_data(bio), (uint8_t *)out, (size_t)n);

	BIO_clear_retry_flags(bio);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)got;
}

/* A socket that fails is the wire's affair: TLS can go on reading. */
static int
bio_write(BIO *bio, const char *p, int n)
{
	BIO_clear_retry_flags(bio);
	wire_write(
	    BIO_get_data(bio), (struct bytes){ (const uint8_t *)p, (size_t)n });
	return n;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct wire *w = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return w->ended;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
bio_method(void)
{
	static BIO_METHOD *method;

	if (method != NULL)
		return method;
	method =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
	must(method != NULL && BIO_meth_set_read(method, bio_read) == 1 &&
	    BIO_meth_set_write(method, bio_write) == 1 &&
	    BIO_meth_set_ctrl(method, bio_ctrl) == 1);
	return method;
}

BIO *
wire_bio(struct wire *w)
{
	BIO *bio = BIO_new(bio_method());

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, w);
	BIO_set_init(bio, 1);
	return bio;
}
