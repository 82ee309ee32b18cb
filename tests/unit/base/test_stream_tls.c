/* SPDX-License-Identifier: Apache-2.0 */
/* A stream under TLS. Its peer is OpenSSL over memory, so that the test says
 * where the bytes between them are cut. */
#include <check.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/stream.h"
#include "tests/unit/keysmith/lab.h"

#define MESSAGE_N ((size_t)50000) /* four records */

struct end {
	struct loop *loop;
	struct timer *timer;
	struct stream *stream;
	bool shaken;
	size_t take; /* of one read */
	size_t wanted;
	struct buf got;
	unsigned looks;
	enum stream_answer last;
	/* the peer */
	int fd;
	SSL *ssl;
	BIO *in, *out;
};

static SSL_CTX *client, *server;
static struct loop *loop;
static uint8_t message[MESSAGE_N], room[4 * MESSAGE_N];

static void
shake(struct end *e)
{
	enum handshake_answer answer = stream_handshake(e->stream);

	ck_assert_int_ne(answer, HANDSHAKE_FAILED);
	e->shaken = answer == HANDSHAKE_DONE;
	if (!e->shaken)
		return;
	stream_want_read(e->stream, true);
	loop_stop(e->loop);
}

static void
on_readable(void *owner)
{
	struct end *e = owner;
	size_t n;

	if (!e->shaken) {
		shake(e);
		return;
	}
	e->looks++;
	e->last = stream_read(e->stream, room, e->take, &n);
	ck_assert_int_eq(e->last == STREAM_READ, n > 0);
	ck_assert(buf_append(&e->got, (struct bytes){ room, n }) == 0);
	if (e->last != STREAM_READ && e->last != STREAM_WAIT)
		stream_want_read(e->stream, false);
	if (e->got.n >= e->wanted ||
	    (e->last != STREAM_READ && e->last != STREAM_WAIT))
		loop_stop(e->loop);
}

static void
on_drained(void *owner)
{
	(void)owner;
}

static const struct stream_events events = {
	.on_readable = on_readable,
	.on_drained = on_drained,
};

static void
stop(void *owner)
{
	loop_stop(owner);
}

/* Runs the loop until something stops it, or for that long. */
static void
run(uint64_t ms)
{
	struct timer *t = timer_new(loop, stop, loop);

	timer_start(t, ms);
	loop_run(loop);
	timer_free(t);
}

static struct bytes
sealed(struct end *e)
{
	char *p;
	long n = BIO_get_mem_data(e->out, &p);

	return (struct bytes){ (uint8_t *)p, (size_t)n };
}

static void
send_sealed(struct end *e, size_t n)
{
	static uint8_t piece[4 * MESSAGE_N];
	int got = BIO_read(e->out, piece, (int)n);

	if (got > 0)
		ck_assert_int_eq(write(e->fd, piece, (size_t)got), got);
}

static void
receive_sealed(struct end *e)
{
	ssize_t n;

	while ((n = read(e->fd, room, sizeof(room))) > 0)
		ck_assert_int_eq(BIO_write(e->in, room, (int)n), (int)n);
}

static void
begin_peer(struct end *e)
{
	e->ssl = SSL_new(client);
	e->in = BIO_new(BIO_s_mem());
	e->out = BIO_new(BIO_s_mem());
	SSL_set_bio(e->ssl, e->in, e->out);
	SSL_set_connect_state(e->ssl);
}

static void
begin(struct end *e)
{
	int ends[2];
	int size = 4 * (int)MESSAGE_N;

	*e = (struct end){ .loop = loop, .take = sizeof(room) };
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	e->fd = ends[1];
	buf_init(&e->got, 16 * MESSAGE_N);
	e->stream = stream_new(loop, ends[0], &events, e);
	stream_tls(e->stream, SSL_new(server));
	SSL_set_accept_state(stream_ssl(e->stream));
	begin_peer(e);
	shake(e);
	for (int i = 0; i < 10 && !e->shaken; i++) {
		SSL_do_handshake(e->ssl);
		send_sealed(e, sealed(e).n);
		run(1);
		receive_sealed(e);
	}
	ck_assert(e->shaken && SSL_do_handshake(e->ssl) == 1);
}

static void
end(struct end *e)
{
	stream_free(e->stream);
	SSL_free(e->ssl);
	close(e->fd);
	buf_release(&e->got);
}

static void
seal(struct end *e, size_t n)
{
	ck_assert_int_eq(SSL_write(e->ssl, message, (int)n), (int)n);
}

/* Cuts around the records' ends, where something could go wrong. */
static const size_t around[] = { 0, 16406, 32812, 49218, 50090 };

START_TEST(stream_reads_tls_however_it_is_cut)
{
	struct end e;

	begin(&e);
	for (size_t cut = around[_i] < 30 ? 0 : around[_i] - 30;
	     cut < around[_i] + 30; cut++) {
		e.got.n = 0;
		e.wanted = MESSAGE_N;
		seal(&e, MESSAGE_N);
		send_sealed(&e, cut);
		run(2);
		send_sealed(&e, sealed(&e).n);
		if (e.got.n < MESSAGE_N)
			run(1000);
		ck_assert_uint_eq(e.got.n, MESSAGE_N);
		ck_assert_mem_eq(e.got.p, message, MESSAGE_N);
	}
	end(&e);
}
END_TEST

/* A hello that was looked at first: TLS, which comes between afterwards, is
 * told of it without the socket. */
START_TEST(stream_gives_tls_what_was_looked_at_before)
{
	struct end e = { .loop = loop, .take = sizeof(room) };
	int ends[2];
	size_t n;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	e.fd = ends[1];
	e.stream = stream_new(loop, ends[0], &events, &e);
	begin_peer(&e);
	SSL_do_handshake(e.ssl);
	n = sealed(&e).n;
	send_sealed(&e, n);
	ck_assert_int_eq(
	    stream_read(e.stream, room, sizeof(room), &n), STREAM_READ);
	stream_unread(e.stream, (struct bytes){ room, n });
	stream_want_read(e.stream, true);
	stream_tls(e.stream, SSL_new(server));
	SSL_set_accept_state(stream_ssl(e.stream));
	run(20);
	receive_sealed(&e);
	ck_assert_int_eq(SSL_do_handshake(e.ssl), 1);
	send_sealed(&e, sealed(&e).n);
	run(20);
	ck_assert(e.shaken);
	end(&e);
}
END_TEST

/* Who cannot go on with what was decrypted reads it later. */
START_TEST(stream_gives_back_what_was_decrypted)
{
	struct end e;
	size_t n;

	begin(&e);
	e.wanted = 1000;
	seal(&e, 1000);
	send_sealed(&e, sealed(&e).n);
	run(1000);
	stream_want_read(e.stream, false);
	stream_unread(e.stream, (struct bytes){ e.got.p + 400, 600 });
	ck_assert_int_eq(stream_read(e.stream, room, 200, &n), STREAM_READ);
	ck_assert_uint_eq(n, 200);
	e.got.n = 600;
	e.looks = 0;
	run(2);
	ck_assert_uint_eq(e.looks, 0);
	stream_want_read(e.stream, true);
	run(1000);
	ck_assert_uint_eq(e.got.n, 1000);
	ck_assert_mem_eq(e.got.p, message, 1000);
	end(&e);
}
END_TEST

/* It once read again and again, and nobody else was served. */
START_TEST(stream_waits_quietly_for_the_rest_of_a_record)
{
	struct end e;

	begin(&e);
	e.wanted = 100;
	seal(&e, 100);
	for (size_t left = sealed(&e).n; left > 1; left--) {
		e.looks = 0;
		send_sealed(&e, 1);
		run(2);
		ck_assert_uint_le(e.looks, 1);
	}
	send_sealed(&e, 1);
	run(1000);
	ck_assert_uint_eq(e.got.n, 100);
	end(&e);
}
END_TEST

/* Readers that take little at a time lose no bytes to each other. */
START_TEST(stream_shares_its_buffers_with_others)
{
	struct end e[3];

	for (size_t i = 0; i < COUNT(e); i++) {
		begin(&e[i]);
		e[i].take = 700 + i;
		e[i].wanted = SIZE_MAX;
		seal(&e[i], MESSAGE_N);
	}
	for (size_t i = 0; i < COUNT(e); i++)
		send_sealed(&e[i], sealed(&e[i]).n);
	run(500);
	for (size_t i = 0; i < COUNT(e); i++) {
		ck_assert_uint_eq(e[i].got.n, MESSAGE_N);
		ck_assert_mem_eq(e[i].got.p, message, MESSAGE_N);
		end(&e[i]);
	}
}
END_TEST

static const struct {
	const char *name;
	bool notify;
	enum stream_answer want;
} ends[] = {
	{ "in order", true, STREAM_END },
	{ "cut", false, STREAM_CUT },
};

/* The last bytes and the end come together, and both are told. */
START_TEST(stream_tells_how_tls_ended)
{
	struct end e;

	begin(&e);
	e.wanted = SIZE_MAX;
	seal(&e, MESSAGE_N);
	if (ends[_i].notify)
		SSL_shutdown(e.ssl);
	send_sealed(&e, sealed(&e).n);
	shutdown(e.fd, SHUT_WR);
	run(1000);
	ck_assert_uint_eq(e.got.n, MESSAGE_N);
	ck_assert_int_eq(e.last, ends[_i].want);
	end(&e);
}
END_TEST

START_TEST(stream_refuses_a_forged_record)
{
	struct end e;

	begin(&e);
	e.wanted = SIZE_MAX;
	ck_assert_int_eq(
	    write(e.fd, "\x17\x03\x03\x00\x14xxxxxxxxxxxxxxxxxxxx", 25), 25);
	run(1000);
	ck_assert_int_eq(e.last, STREAM_FAILED);
	ck_assert(stream_broken(e.stream));
	end(&e);
}
END_TEST

static const size_t pieces[] = { 1, 100, 6000, 16384, 16385, MESSAGE_N };

START_TEST(stream_writes_tls_whatever_its_pieces)
{
	struct end e;
	size_t n = 0;
	int got;

	begin(&e);
	for (size_t i = 0; i < MESSAGE_N; i += pieces[_i]) {
		struct bytes b = { message + i, MESSAGE_N - i };

		stream_put(e.stream,
		    bytes_take(&b, pieces[_i] < b.n ? pieces[_i] : b.n));
	}
	stream_flush(e.stream);
	receive_sealed(&e);
	/* full records, and one for the rest */
	ck_assert_uint_eq(stream_queued(e.stream), 0);
	ck_assert_uint_le(
	    (size_t)BIO_pending(e.in), MESSAGE_N + (size_t)4 * 22);
	while ((got = SSL_read(e.ssl, room + n, (int)(sizeof(room) - n))) > 0)
		n += (size_t)got;
	ck_assert_uint_eq(n, MESSAGE_N);
	ck_assert_mem_eq(room, message, MESSAGE_N);
	end(&e);
}
END_TEST

static void
setup(void)
{
	struct ca ca = lab_ca("EC", 0, 4102444800);

	loop = loop_new();
	client = SSL_CTX_new(TLS_client_method());
	server = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate(server, ca.certificate) == 1);
	ck_assert(SSL_CTX_use_PrivateKey(server, ca.key) == 1);
	SSL_CTX_set_mode(server,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_num_tickets(server, 0);
	ca_release(&ca);
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 2654435761u >> 24);
}

static void
teardown(void)
{
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	loop_free(loop);
}

Suite *stream_tls_suite(void);

Suite *
stream_tls_suite(void)
{
	Suite *s = suite_create("stream_tls");
	TCase *t = tcase_create("stream_tls");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, stream_reads_tls_however_it_is_cut, 0, COUNT(around));
	tcase_add_test(t, stream_gives_tls_what_was_looked_at_before);
	tcase_add_test(t, stream_gives_back_what_was_decrypted);
	tcase_add_test(t, stream_waits_quietly_for_the_rest_of_a_record);
	tcase_add_test(t, stream_shares_its_buffers_with_others);
	tcase_add_loop_test(t, stream_tells_how_tls_ended, 0, COUNT(ends));
	tcase_add_test(t, stream_refuses_a_forged_record);
	tcase_add_loop_test(
	    t, stream_writes_tls_whatever_its_pieces, 0, COUNT(pieces));
	suite_add_tcase(s, t);
	return s;
}
