/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/wire.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wire one, two;
static int far_one, far_two;

static int
begin_wire(struct wire *w)
{
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	wire_init(w, ends[0]);
	return ends[1];
}

static void
setup(void)
{
	far_one = begin_wire(&one);
	far_two = begin_wire(&two);
}

static void
teardown(void)
{
	wire_release(&one);
	wire_release(&two);
	close(one.fd);
	close(two.fd);
	close(far_one);
	close(far_two);
}

static void
check_read(struct wire *w, size_t n, const char *want)
{
	uint8_t bytes[64];
	ssize_t got = wire_read(w, bytes, n);

	ck_assert_int_eq(got, (ssize_t)strlen(want));
	ck_assert_mem_eq(bytes, want, strlen(want));
}

static void
check_nothing(struct wire *w)
{
	uint8_t byte;

	errno = 0;
	ck_assert_int_eq(wire_read(w, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(wire_of_each_keeps_its_bytes)
{
	ck_assert_int_eq(write(far_one, "abcdef", 6), 6);
	ck_assert_int_eq(write(far_two, "uvwxyz", 6), 6);
	check_read(&one, 2, "ab");
	ck_assert_uint_eq(wire_pending(&one), 4);
	check_read(&two, 3, "uvw");
	ck_assert_uint_eq(wire_pending(&one), 4);
	check_read(&one, 1, "c");
	check_read(&two, 9, "xyz");
	check_read(&one, 9, "def");
	ck_assert_uint_eq(wire_pending(&one) + wire_pending(&two), 0);
	ck_assert_ptr_null(one.ahead.p);
}
END_TEST

START_TEST(wire_asks_a_dry_socket_when_it_is_ready)
{
	ck_assert_int_eq(write(far_one, "a", 1), 1);
	check_read(&one, 9, "a");
	ck_assert_int_eq(write(far_one, "b", 1), 1);
	check_nothing(&one);
	wire_ready(&one);
	check_read(&one, 9, "b");
}
END_TEST

START_TEST(wire_tells_the_end)
{
	uint8_t byte;

	ck_assert_int_eq(write(far_one, "a", 1), 1);
	shutdown(far_one, SHUT_WR);
	check_read(&one, 9, "a");
	ck_assert(!one.ended);
	wire_ready(&one);
	ck_assert_int_eq(wire_read(&one, &byte, 1), 0);
	ck_assert(one.ended);
}
END_TEST

START_TEST(wire_gives_again_what_was_put_back)
{
	ck_assert_int_eq(write(far_one, "cd", 2), 2);
	wire_unread(&one, BYTES("ab"));
	ck_assert_uint_eq(wire_pending(&one), 2);
	check_read(&one, 1, "a");
	check_read(&one, 9, "b");
	check_read(&one, 9, "cd");
}
END_TEST

static size_t
read_all(int fd, uint8_t *out, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, out + n, size - n)) > 0)
		n += (size_t)got;
	return n;
}

START_TEST(wire_gathers_until_flushed)
{
	uint8_t bytes[64];

	wire_write(&one, BYTES("a"));
	wire_write(&one, BYTES("bc"));
	ck_assert_uint_eq(read_all(far_one, bytes, sizeof(bytes)), 0);
	wire_flush(&one);
	ck_assert_uint_eq(read_all(far_one, bytes, sizeof(bytes)), 3);
	ck_assert_mem_eq(bytes, "abc", 3);
}
END_TEST

/* Another wire's bytes push the first one's out, each to its own socket. */
START_TEST(wire_mixes_no_bytes)
{
	uint8_t bytes[64];

	wire_write(&one, BYTES("first"));
	wire_write(&two, BYTES("second"));
	ck_assert_uint_eq(read_all(far_one, bytes, sizeof(bytes)), 5);
	wire_flush(&one);
	wire_flush(&two);
	ck_assert_uint_eq(read_all(far_two, bytes, sizeof(bytes)), 6);
	ck_assert_mem_eq(bytes, "second", 6);
}
END_TEST

static uint8_t much[1 << 20], got[sizeof(much) + 16];

/* Whatever sizes it is given in, all arrives, in its order. */
START_TEST(wire_queues_what_the_socket_does_not_take)
{
	size_t n = 0;
	size_t step = (size_t)1 << (2 * _i + 4);

	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = (uint8_t)(i * 2654435761u >> 24);
	for (size_t i = 0; i < sizeof(much); i += step) {
		wire_write(&one, (struct bytes){ much + i, step });
		if (i % 3 == 0)
			wire_flush(&one);
	}
	wire_flush(&one);
	ck_assert_uint_gt(wire_queued(&one), 0);
	while (wire_queued(&one) > 0) {
		n += read_all(far_one, got + n, sizeof(got) - n);
		wire_drain(&one);
	}
	n += read_all(far_one, got + n, sizeof(got) - n);
	ck_assert_uint_eq(n, sizeof(much));
	ck_assert_mem_eq(got, much, sizeof(much));
	ck_assert_ptr_null(one.queue.p);
}
END_TEST

START_TEST(wire_remembers_a_failed_send)
{
	close(far_one);
	wire_write(&one, BYTES("to nobody"));
	ck_assert_int_eq(one.error, 0);
	wire_flush(&one);
	ck_assert_int_eq(one.error, EPIPE);
	wire_write(&one, BYTES("more"));
	wire_flush(&one);
	ck_assert_uint_eq(wire_queued(&one), 0);
	far_one = dup(0);
}
END_TEST

START_TEST(wire_queue_has_a_limit)
{
	const size_t limit = (size_t)8 << 20;
	static uint8_t most[(8 << 20) + 1];

	wire_write(&one, (struct bytes){ much, sizeof(much) });
	wire_flush(&one);
	wire_write(&one, (struct bytes){ most, limit - wire_queued(&one) });
	wire_flush(&one);
	ck_assert_int_eq(one.error, 0);
	ck_assert_uint_eq(wire_queued(&one), limit);
	wire_write(&one, BYTES("1"));
	wire_flush(&one);
	ck_assert_int_eq(one.error, ENOBUFS);
}
END_TEST

Suite *wire_suite(void);

Suite *
wire_suite(void)
{
	Suite *s = suite_create("wire");
	TCase *t = tcase_create("wire");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, wire_of_each_keeps_its_bytes);
	tcase_add_test(t, wire_asks_a_dry_socket_when_it_is_ready);
	tcase_add_test(t, wire_tells_the_end);
	tcase_add_test(t, wire_gives_again_what_was_put_back);
	tcase_add_test(t, wire_gathers_until_flushed);
	tcase_add_test(t, wire_mixes_no_bytes);
	tcase_add_loop_test(t, wire_queues_what_the_socket_does_not_take, 0, 8);
	tcase_add_test(t, wire_remembers_a_failed_send);
	tcase_add_test(t, wire_queue_has_a_limit);
	suite_add_tcase(s, t);
	return s;
}
