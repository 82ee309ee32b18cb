/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no rules of the kernel; tests/flow/56_transparent.py has them. */
#include "proxy/listener/dialled.h"

#include <check.h>
#include <unistd.h>

Suite *dialled_suite(void);

static int listening, near, far;
static struct listener_settings settings;

static void
setup(void)
{
	struct sockaddr_storage sa;
	socklen_t n;

	settings = (struct listener_settings){ 0 };
	ck_assert_int_eq(
	    address_parse_port(&settings.at, BYTES("127.0.0.1:0")), 0);
	n = address_to_sockaddr(&settings.at, &sa);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	n = sizeof(sa);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&sa, &n), 0);
	ck_assert_int_eq(
	    address_from_sockaddr(&settings.at, (struct sockaddr *)&sa), 0);
	far = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(far, (struct sockaddr *)&sa, n), 0);
	near = accept(listening, NULL, NULL);
	ck_assert_int_ge(near, 0);
}

static void
teardown(void)
{
	close(near);
	close(far);
	close(listening);
}

/* The socket's own address, as if it were another's. */
START_TEST(dialled_is_the_sockets_address_for_tproxy)
{
	struct listener_settings elsewhere = settings;
	struct address a;
	const char *why;

	settings.kind = LISTENER_TPROXY;
	ck_assert_int_eq(dialled_of(&settings, near, &a, &why), -1);
	ck_assert_str_eq(why, "the listener itself was dialled");
	elsewhere.kind = LISTENER_TPROXY;
	elsewhere.at.port = (uint16_t)(settings.at.port ^ 1);
	ck_assert_int_eq(dialled_of(&elsewhere, near, &a, &why), 0);
	ck_assert(address_equal(&a, &settings.at));
}
END_TEST

/* Nobody redirected it: the kernel knows nothing, or the listener itself. */
START_TEST(dialled_needs_a_redirection)
{
	struct address a;
	const char *why = NULL;

	settings.kind = LISTENER_REDIRECT;
	ck_assert_int_eq(dialled_of(&settings, near, &a, &why), -1);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(dialled_needs_a_socket)
{
	struct address a;
	const char *why;

	for (int kind = LISTENER_REDIRECT; kind <= LISTENER_TPROXY; kind++) {
		settings.kind = (enum listener_kind)kind;
		ck_assert_int_eq(dialled_of(&settings, -1, &a, &why), -1);
		ck_assert_str_eq(why, "the original destination is unknown");
	}
}
END_TEST

Suite *
dialled_suite(void)
{
	Suite *s = suite_create("dialled");
	TCase *t = tcase_create("dialled");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, dialled_is_the_sockets_address_for_tproxy);
	tcase_add_test(t, dialled_needs_a_redirection);
	tcase_add_test(t, dialled_needs_a_socket);
	suite_add_tcase(s, t);
	return s;
}
