/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/hello.h"

#include <check.h>

#include "tests/unit/http/lab.h"

Suite *hello_suite(void);

/* Byte by byte, or in pieces of n; the first answer that is not MORE. */
static enum hello_answer
push_all(struct hello *h, struct bytes all, size_t n)
{
	enum hello_answer answer = HELLO_MORE;

	while (all.n > 0 && answer == HELLO_MORE)
		answer = hello_push(h, bytes_take(&all, n));
	return answer;
}

static const struct {
	const char *name; /* NULL: none is sent */
	size_t n;         /* of the message */
} hellos[] = {
	{ "www.test", 300 },
	{ "WWW.test", 300 },
	{ NULL, 300 },
	{ "www.test", 20000 }, /* two records */
	{ "www.test", HELLO_MAX },
};

START_TEST(hello_names_its_server_however_it_is_cut)
{
	static const size_t cuts[] = { 1, 2, 3, 4, 5, 6, 7, 100, 40000 };
	static uint8_t bytes[2 * HELLO_MAX];
	size_t n = lab_hello(bytes, hellos[_i].name, hellos[_i].n);
	struct hello h;

	for (size_t i = 0; i < COUNT(cuts); i++) {
		hello_init(&h);
		ck_assert_int_eq(
		    push_all(&h, (struct bytes){ bytes, n - 1 }, cuts[i]),
		    HELLO_MORE);
		ck_assert_int_eq(
		    hello_push(&h, (struct bytes){ bytes + n - 1, 1 }),
		    HELLO_WHOLE);
		ck_assert_int_eq(h.named, hellos[_i].name != NULL);
		ck_assert(
		    !h.named || bytes_equal(h.name, bytes_of(hellos[_i].name)));
		hello_release(&h);
	}
}
END_TEST

START_TEST(hello_does_not_look_behind_itself)
{
	uint8_t bytes[1000];
	size_t n = lab_hello(bytes, "www.test", 300);
	struct hello h;

	bytes[n] = 0xff;
	hello_init(&h);
	ck_assert_int_eq(
	    hello_push(&h, (struct bytes){ bytes, n + 1 }), HELLO_WHOLE);
	hello_release(&h);
}
END_TEST

/* Where a byte of a good hello of 300 is changed, and what is said then. */
static const struct {
	const char *name;
	size_t at;
	uint8_t byte;
	const char *why;
} faults[] = {
	{ "record type", 0, 23, "TLS: no client hello" },
	{ "version", 1, 2, "TLS: no client hello" },
	{ "record over its limit", 3, 0x49, "TLS: record is too long" },
	{ "message type", 5, 2, "TLS: no client hello" },
	{ "message over its limit", 7, 0x81,
	    "TLS: handshake message is too long" },
	{ "message over 64 KiB", 6, 1, "TLS: handshake message is too long" },
	{ "session too long", 43, 255, "TLS: client hello is malformed" },
	{ "ciphers too long", 44, 255, "TLS: client hello is malformed" },
	{ "compressions too long", 48, 255, "TLS: client hello is malformed" },
	{ "extensions too long", 50, 255, "TLS: client hello is malformed" },
	{ "bytes behind extensions", 51, 0, "TLS: client hello is malformed" },
	{ "extension too long", 54, 255, "TLS: client hello is malformed" },
	{ "list unlike its extension", 57, 9, "TLS: server name is malformed" },
	{ "no host name", 58, 1, "TLS: server name is malformed" },
	{ "name unlike its list", 60, 7, "TLS: server name is malformed" },
	{ "name there twice", 70, 0, "TLS: client hello is malformed" },
};

START_TEST(hello_refuses_what_is_none)
{
	uint8_t bytes[1000];
	size_t n = lab_hello(bytes, "www.test", 300);
	struct hello h;

	bytes[faults[_i].at] = faults[_i].byte;
	for (size_t cut = 1; cut <= n; cut += n - 1) {
		hello_init(&h);
		ck_assert_msg(push_all(&h, (struct bytes){ bytes, n }, cut) ==
			    HELLO_BAD &&
			h.why != NULL && strcmp(h.why, faults[_i].why) == 0,
		    "%s: %s", faults[_i].name, h.why == NULL ? "-" : h.why);
		hello_release(&h);
	}
}
END_TEST

START_TEST(hello_refuses_empty_records)
{
	struct hello h;

	hello_init(&h);
	ck_assert_int_eq(
	    hello_push(&h, BYTES("\x16\x03\x01\x00\x00")), HELLO_BAD);
	ck_assert_str_eq(h.why, "TLS: record is empty");
	hello_release(&h);
}
END_TEST

START_TEST(hello_has_a_limit)
{
	static uint8_t bytes[2 * HELLO_MAX];
	size_t n = lab_hello(bytes, "www.test", HELLO_MAX + 1);
	struct hello h;

	hello_init(&h);
	ck_assert_int_eq(hello_push(&h, (struct bytes){ bytes, n }), HELLO_BAD);
	ck_assert_str_eq(h.why, "TLS: handshake message is too long");
	hello_release(&h);
}
END_TEST

Suite *
hello_suite(void)
{
	Suite *s = suite_create("hello");
	TCase *t = tcase_create("hello");

	tcase_add_loop_test(
	    t, hello_names_its_server_however_it_is_cut, 0, (int)COUNT(hellos));
	tcase_add_test(t, hello_does_not_look_behind_itself);
	tcase_add_loop_test(
	    t, hello_refuses_what_is_none, 0, (int)COUNT(faults));
	tcase_add_test(t, hello_refuses_empty_records);
	tcase_add_test(t, hello_has_a_limit);
	suite_add_tcase(s, t);
	return s;
}
