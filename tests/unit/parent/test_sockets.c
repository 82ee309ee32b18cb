/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/parent/sockets.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

Suite *sockets_suite(void);

static struct sockets sockets;
static struct socket_want listener;
static struct err err;

/* On a port that was free a moment ago. */
static void
setup(void)
{
	struct sockaddr_storage sa;
	socklen_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(
	    address_parse_port(&listener.at, BYTES("127.0.0.1:0")), 0);
	n = address_to_sockaddr(&listener.at, &sa);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ck_assert_int_eq(
	    address_from_sockaddr(&listener.at, (struct sockaddr *)&sa), 0);
	close(fd);
	listener.words = "the listener";
	listener.backlog = 1;
}

static void
teardown(void)
{
	sockets_close_all(&sockets);
}

static int
open_for(struct socket_want *want, size_t count)
{
	want->count = count;
	return sockets_open(&sockets, want, 1, &err);
}

static bool
is_fit_for_tproxy(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	ck_assert_int_eq(
	    getsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, &n), 0);
	return on != 0;
}

START_TEST(sockets_of_a_tproxy_listener_need_a_capability)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_msg(open_for(&listener, 1) == 0, "%s", err.text);
	listener.tproxy = true;
	ck_assert_int_eq(open_for(&listener, 2), -1);
	ck_assert_str_eq(err.text,
	    "the listener: cannot listen for tproxy, which needs CAP_NET_RAW:"
	    " Operation not permitted");
	ck_assert_uint_eq(sockets.n, 1);
	ck_assert(sockets.all[0].wanted);
}
END_TEST

/* A reload keeps the socket, and who waits at it. */
START_TEST(sockets_that_are_open_are_made_fit_for_tproxy)
{
	int fd;

	if (geteuid() != 0)
		return; /* the one above shows what is said then */
	ck_assert_int_eq(open_for(&listener, 1), 0);
	fd = sockets.all[0].fd;
	ck_assert(!is_fit_for_tproxy(fd));
	listener.tproxy = true;
	ck_assert_msg(open_for(&listener, 2) == 0, "%s", err.text);
	sockets_close_unwanted(&sockets);
	ck_assert_uint_eq(sockets.n, 2);
	ck_assert_int_eq(sockets.all[0].fd, fd);
	ck_assert(is_fit_for_tproxy(fd));
	ck_assert(is_fit_for_tproxy(sockets.all[1].fd));
}
END_TEST

START_TEST(sockets_that_nobody_wants_are_closed)
{
	struct socket_want other = listener;

	ck_assert_int_eq(open_for(&listener, 2), 0);
	ck_assert_int_eq(
	    address_parse_port(&other.at, BYTES("127.0.0.2:0")), 0);
	other.at.port = listener.at.port;
	ck_assert_msg(open_for(&other, 1) == 0, "%s", err.text);
	ck_assert_uint_eq(sockets.n, 3);
	sockets_close_unwanted(&sockets);
	ck_assert_uint_eq(sockets.n, 1);
	ck_assert(address_equal(&sockets.all[0].at, &other.at));
}
END_TEST

Suite *
sockets_suite(void)
{
	Suite *s = suite_create("sockets");
	TCase *t = tcase_create("sockets");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sockets_of_a_tproxy_listener_need_a_capability);
	tcase_add_test(t, sockets_that_are_open_are_made_fit_for_tproxy);
	tcase_add_test(t, sockets_that_nobody_wants_are_closed);
	suite_add_tcase(s, t);
	return s;
}
