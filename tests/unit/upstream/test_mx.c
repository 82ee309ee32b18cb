/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/mx.h"

#include <check.h>

#include "proxy/base/buf.h"

#define HEAD(count) "\0\1\x81\x80\0\1\0" count "\0\0\0\0"
#define QUESTION "\4city\4test\0\0\x0f\0\1"
#define RECORD(n, preference, name) \
	"\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0" n "\0" preference name
/* The same name, at the question. */
#define ITSELF "\xc0\x0c"

static const struct {
	const char *name;
	struct bytes message;
	enum mx_answer want;
	const char *hosts;
} messages[] = {
	{ "no message", BYTES_ROW(""), MX_SILENT, "" },
	{ "half a message", BYTES_ROW(HEAD("\1") QUESTION "\xc0\x0c\0\x0f"),
	    MX_SILENT, "" },
	{ "no record: the domain itself", BYTES_ROW(HEAD("\0") QUESTION),
	    MX_HOSTS, "0 city.test|" },
	{ "the domain as its own MX",
	    BYTES_ROW(HEAD("\1") QUESTION RECORD("\4", "\x0a", ITSELF)),
	    MX_HOSTS, "10 city.test|" },
	{ "by preference, in lower case",
	    BYTES_ROW(HEAD("\3") QUESTION RECORD("\6", "\x1e", "\1C" ITSELF)
		    RECORD("\6", "\x0a", "\1A" ITSELF)
			RECORD("\6", "\x14", "\1b" ITSELF)),
	    MX_HOSTS, "10 a.city.test|20 b.city.test|30 c.city.test|" },
	{ "null", BYTES_ROW(HEAD("\1") QUESTION RECORD("\3", "\0", "\0")),
	    MX_NULL, "" },
	{ "null beside another one",
	    BYTES_ROW(HEAD("\2") QUESTION RECORD("\3", "\0", "\0")
		    RECORD("\4", "\x0a", ITSELF)),
	    MX_HOSTS, "10 city.test|" },
	{ "a name that is none",
	    BYTES_ROW(HEAD("\1") QUESTION RECORD("\x8", "\0", "\3a b" ITSELF)),
	    MX_HOSTS, "" },
};

START_TEST(mx_reads_what_name_servers_say)
{
	struct mx_hosts h;
	struct buf got = { .max = 4096 };

	mx_parse(&h, BYTES("city.test"), messages[_i].message);
	ck_assert_msg(h.answer == messages[_i].want, "%s: %d",
	    messages[_i].name, (int)h.answer);
	for (size_t i = 0; i < h.n; i++)
		ck_assert(buf_printf(&got, "%u %s|", h.hosts[i].preference,
			      h.hosts[i].name) == 0);
	ck_assert_msg(
	    bytes_equal(buf_bytes(&got), bytes_of(messages[_i].hosts)),
	    "%s: %.*s", messages[_i].name, BYTES_PRINTF(buf_bytes(&got)));
	buf_release(&got);
}
END_TEST

/* However many there are, the preferred ones are kept. */
START_TEST(mx_keeps_the_preferred_hosts)
{
	for (unsigned n = 1; n <= MX_HOSTS_MAX + 4u; n++) {
		struct buf message = { .max = 4096 };
		struct mx_hosts h;
		size_t want = n < MX_HOSTS_MAX ? n : MX_HOSTS_MAX;

		ck_assert(
		    buf_append(&message, BYTES(HEAD("\0") QUESTION)) == 0);
		message.p[7] = (uint8_t)n;
		for (unsigned i = 0; i < n; i++) {
			ck_assert(buf_append(&message,
				      BYTES(RECORD("\4", "\0", ITSELF))) == 0);
			message.p[message.n - 3] = (uint8_t)(n - i);
		}
		mx_parse(&h, BYTES("city.test"), buf_bytes(&message));
		ck_assert_int_eq(h.answer, MX_HOSTS);
		ck_assert_uint_eq(h.n, want);
		for (size_t i = 0; i < h.n; i++)
			ck_assert_uint_eq(h.hosts[i].preference, i + 1);
		buf_release(&message);
	}
}
END_TEST

Suite *mx_suite(void);

Suite *
mx_suite(void)
{
	Suite *s = suite_create("mx");
	TCase *t = tcase_create("mx");

	tcase_add_loop_test(
	    t, mx_reads_what_name_servers_say, 0, COUNT(messages));
	tcase_add_test(t, mx_keeps_the_preferred_hosts);
	suite_add_tcase(s, t);
	return s;
}
