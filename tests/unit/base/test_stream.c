/* SPDX-License-Identifier: Apache-2.0 */
/* A stream against a socket pair, whose other end the test reads or not. */
#include "proxy/base/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct owner {
	struct loop *loop;
	struct stream *stream;
	int peer;
	struct timer *timer;
	struct buf got;
	unsigned drained;
	bool ended, failed;
	struct watch *reader; /* takes what the stream sends */
	size_t taken;
};

static void
on_readable(void *p)
{
	struct owner *o = p;
	uint8_t bytes[100];
	size_t n;

	switch (stream_read(o->stream, bytes, sizeof(bytes), &n)) {
	case STREAM_READ:
		ck_assert_int_eq(
		    buf_append(&o->got, (struct bytes){ bytes, n }), 0);
		return;
	case STREAM_END:
	case STREAM_CUT:
		o->ended = true;
		stream_want_read(o->stream, false);
		loop_stop(o->loop);
		return;
	case STREAM_FAILED:
		o->failed = true;
		stream_want_read(o->stream, false);
		loop_stop(o->loop);
		return;
	case STREAM_WAIT:
		return;
	}
}

static void
on_drained(void *p)
{
	struct owner *o = p;

	o->drained++;
	loop_stop(o->loop);
}

static const struct stream_events events = {
	.on_readable = on_readable,
	.on_drained = on_drained,
};

static void
too_long(void *p)
{
	(void)p;
	ck_abort_msg("nothing happened");
}

static void
stop(void *loop)
{
	loop_stop(loop);
}

static void
begin(struct owner *o)
{
	int ends[2];

	*o = (struct owner){ .loop = loop_new() };
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	o->peer = ends[1];
	buf_init(&o->got, 1 << 20);
	o->stream = stream_new(o->loop, ends[0], &events, o);
	o->timer = timer_new(o->loop, too_long, o);
	timer_start(o->timer, 5000);
}

static void
end(struct owner *o)
{
	stream_free(o->stream);
	timer_free(o->timer);
	close(o->peer);
	buf_release(&o->got);
	loop_free(o->loop);
}

static void
take_all(void *p, unsigned event)
{
	struct owner *o = p;
	char bytes[65536];
	ssize_t n;

	(void)event;
	while ((n = read(o->peer, bytes, sizeof(bytes))) > 0)
		o->taken += (size_t)n;
	if (n == 0)
		o->ended = true;
}

static void
run_until_drained(struct owner *o)
{
	o->reader = watch_new(o->loop, o->peer, take_all, o);
	watch_want(o->reader, WATCH_READ);
	loop_run(o->loop);
	watch_free(o->reader);
	take_all(o, 0);
}

START_TEST(stream_sends_small_pieces_at_once)
{
	struct owner o;
	char bytes[100];

	begin(&o);
	stream_put(o.stream, BYTES("one "));
	stream_put(o.stream, BYTES("two "));
	ck_assert_int_eq(read(o.peer, bytes, sizeof(bytes)), -1);
	stream_write(o.stream, BYTES("three"));
	ck_assert_int_eq(read(o.peer, bytes, sizeof(bytes)), 13);
	ck_assert_mem_eq(bytes, "one two three", 13);
	end(&o);
}
END_TEST

START_TEST(stream_queues_what_the_peer_does_not_take)
{
	static uint8_t much[1 << 20];
	struct owner o;

	begin(&o);
	stream_write(o.stream, (struct bytes){ much, sizeof(much) });
	ck_assert_uint_gt(stream_queued(o.stream), 0);
	run_until_drained(&o);
	ck_assert_uint_eq(o.drained, 1);
	ck_assert_uint_eq(o.taken, sizeof(much));
	ck_assert_uint_eq(stream_queued(o.stream), 0);
	end(&o);
}
END_TEST

/* The socket itself has nothing to tell of them. */
START_TEST(stream_reads_again_what_was_only_looked_at)
{
	static uint8_t much[STREAM_UNREAD_MAX];
	struct timer *soon;
	struct owner o;

	begin(&o);
	memset(much, 'x', sizeof(much));
	stream_unread(o.stream, (struct bytes){ much, sizeof(much) });
	stream_want_read(o.stream, true);
	soon = timer_new(o.loop, stop, o.loop);
	timer_start(soon, 20);
	loop_run(o.loop);
	timer_free(soon);
	ck_assert_uint_eq(o.got.n, sizeof(much));
	ck_assert_mem_eq(o.got.p, much, sizeof(much));
	ck_assert_int_eq(write(o.peer, "bye", 3), 3);
	shutdown(o.peer, SHUT_WR);
	loop_run(o.loop);
	ck_assert(o.ended && o.got.n == sizeof(much) + 3);
	end(&o);
}
END_TEST

START_TEST(stream_tells_the_end)
{
	struct owner o;

	begin(&o);
	ck_assert_int_eq(write(o.peer, "bye", 3), 3);
	shutdown(o.peer, SHUT_WR);
	stream_want_read(o.stream, true);
	loop_run(o.loop);
	ck_assert(o.ended && o.got.n == 3);
	end(&o);
}
END_TEST

START_TEST(stream_tells_its_owner_of_a_failed_write)
{
	struct owner o;

	begin(&o);
	close(o.peer);
	stream_write(o.stream, BYTES("to nobody"));
	ck_assert(stream_broken(o.stream));
	loop_run(o.loop);
	ck_assert(o.failed || o.ended);
	o.peer = dup(0);
	end(&o);
}
END_TEST

START_TEST(stream_gives_what_came_before_a_failed_write)
{
	struct owner o;

	begin(&o);
	ck_assert_int_eq(write(o.peer, "early answer", 12), 12);
	close(o.peer);
	stream_write(o.stream, BYTES("to nobody"));
	ck_assert(stream_broken(o.stream));
	stream_want_read(o.stream, true);
	loop_run(o.loop);
	ck_assert(bytes_equal(buf_bytes(&o.got), BYTES("early answer")));
	ck_assert(o.failed || o.ended);
	o.peer = dup(0);
	end(&o);
}
END_TEST

START_TEST(stream_sends_fin_after_its_queue)
{
	static uint8_t much[1 << 20];
	struct owner o;

	begin(&o);
	stream_write(o.stream, (struct bytes){ much, sizeof(much) });
	stream_shutdown(o.stream);
	ck_assert(!o.ended);
	run_until_drained(&o);
	ck_assert_uint_eq(o.taken, sizeof(much));
	ck_assert(o.ended);
	end(&o);
}
END_TEST

Suite *stream_suite(void);

Suite *
stream_suite(void)
{
	Suite *s = suite_create("stream");
	TCase *t = tcase_create("stream");

	tcase_add_test(t, stream_sends_small_pieces_at_once);
	tcase_add_test(t, stream_queues_what_the_peer_does_not_take);
	tcase_add_test(t, stream_reads_again_what_was_only_looked_at);
	tcase_add_test(t, stream_tells_the_end);
	tcase_add_test(t, stream_tells_its_owner_of_a_failed_write);
	tcase_add_test(t, stream_gives_what_came_before_a_failed_write);
	tcase_add_test(t, stream_sends_fin_after_its_queue);
	suite_add_tcase(s, t);
	return s;
}
