/* SPDX-License-Identifier: Apache-2.0 */
/* Two streams on socket pairs, whose other ends the test holds. */
#include "proxy/gate/relay.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 4096

static struct loop *loop;
static struct relay relay;
static int from_peer, to_peer;
static uint8_t buffer[BUFFER_SIZE];
static const char *why;

static void
nothing(void *owner)
{
	(void)owner;
}

static const struct stream_events events = { nothing, nothing };

static struct stream *
make(int *peer_out)
{
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	*peer_out = ends[1];
	return stream_new(loop, ends[0], &events, NULL);
}

static void
setup(void)
{
	loop = loop_new();
	relay = (struct relay){ 0 };
	relay.from = make(&from_peer);
	relay.to = make(&to_peer);
	why = NULL;
}

static void
teardown(void)
{
	stream_free(relay.from);
	stream_free(relay.to);
	if (from_peer >= 0)
		close(from_peer);
	close(to_peer);
}

static enum relay_answer
pump(void)
{
	return relay_pump(&relay, buffer, sizeof(buffer), &why);
}

static void
give(size_t n)
{
	static const uint8_t bytes[BUFFER_SIZE];

	ck_assert_int_eq(write(from_peer, bytes, n), (ssize_t)n);
}

static size_t
taken(void)
{
	static uint8_t bytes[1 << 20];
	ssize_t n = read(to_peer, bytes, sizeof(bytes));

	return n < 0 ? 0 : (size_t)n;
}

START_TEST(relay_moves_up_to_its_limit)
{
	static const struct {
		uint64_t max;
		size_t give;
		enum relay_answer want;
		uint64_t moved;
	} cases[] = {
		{ 0, 100, RELAY_FLOWS, 100 },
		{ 100, 99, RELAY_FLOWS, 99 },
		{ 100, 100, RELAY_FLOWS, 100 },
		{ 100, 101, RELAY_FULL, 100 },
		{ 1, 4096, RELAY_FULL, 1 },
	};

	relay.max = cases[_i].max;
	give(cases[_i].give);
	ck_assert_int_eq(pump(), cases[_i].want);
	ck_assert_uint_eq(relay.moved, cases[_i].moved);
	ck_assert_uint_eq(taken(), cases[_i].moved);
}
END_TEST

START_TEST(relay_byte_behind_the_limit_is_too_many)
{
	relay.max = 100;
	give(100);
	ck_assert_int_eq(pump(), RELAY_FLOWS);
	ck_assert_int_eq(pump(), RELAY_FLOWS);
	give(1);
	ck_assert_int_eq(pump(), RELAY_FULL);
	ck_assert_uint_eq(relay.moved, 100);
	ck_assert_uint_eq(taken(), 100);
}
END_TEST

/* What is not taken stops the other side: one buffer's fill at most waits. */
START_TEST(relay_waits_for_a_slow_reader)
{
	size_t all = 0;

	while (stream_queued(relay.to) == 0) {
		give(BUFFER_SIZE);
		all += BUFFER_SIZE;
		ck_assert_int_eq(pump(), RELAY_FLOWS);
		ck_assert_uint_lt(all, 64 << 20);
	}
	ck_assert_uint_le(stream_queued(relay.to), BUFFER_SIZE);
	give(BUFFER_SIZE);
	ck_assert_int_eq(pump(), RELAY_FLOWS);
	ck_assert_uint_eq(relay.moved, all);
	/* The end comes behind it all. */
	close(from_peer);
	from_peer = -1;
	ck_assert_int_eq(pump(), RELAY_FLOWS);
	ck_assert_int_eq(relay.state, RELAY_OPEN);
}
END_TEST

START_TEST(relay_tells_the_end)
{
	give(10);
	shutdown(from_peer, SHUT_WR);
	ck_assert_int_eq(pump(), RELAY_FLOWS);
	ck_assert_int_eq(pump(), RELAY_ENDED);
	ck_assert_int_eq(relay.state, RELAY_OVER);
	ck_assert_uint_eq(taken(), 10);
	ck_assert_int_eq(read(to_peer, buffer, 1), 0);
	ck_assert_int_eq(pump(), RELAY_ENDED);
}
END_TEST

START_TEST(relay_says_what_broke)
{
	give(10);
	stream_reset(relay.to);
	ck_assert_int_eq(pump(), RELAY_BROKEN);
	ck_assert_ptr_nonnull(why);
	ck_assert_uint_eq(relay.moved, 0);
}
END_TEST

Suite *relay_suite(void);

Suite *
relay_suite(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, relay_moves_up_to_its_limit, 0, 5);
	tcase_add_test(t, relay_byte_behind_the_limit_is_too_many);
	tcase_add_test(t, relay_waits_for_a_slow_reader);
	tcase_add_test(t, relay_tells_the_end);
	tcase_add_test(t, relay_says_what_broke);
	suite_add_tcase(s, t);
	return s;
}
