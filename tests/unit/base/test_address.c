/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/address.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define V6_LONGEST "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct {
	struct bytes text;
	const char *want; /* NULL: refused */
	bool is_v4;
} addresses[] = {
	{ BYTES("192.0.2.1"), "192.0.2.1", true },
	{ BYTES("0.0.0.0"), "0.0.0.0", true },
	{ BYTES("255.255.255.255"), "255.255.255.255", true },
	{ BYTES("2001:db8::1"), "2001:db8::1", false },
	{ BYTES("2001:DB8:0:0::1"), "2001:db8::1", false },
	{ BYTES("::"), "::", false },
	{ BYTES(V6_LONGEST), V6_LONGEST, false },
	{ BYTES("::ffff:192.0.2.1"), "192.0.2.1", true },
	{ BYTES("::ffff:c000:201"), "192.0.2.1", true },
	{ BYTES("::192.0.2.1"), "::192.0.2.1", false },
	{ BYTES("0000:0000:0000:0000:0000:ffff:255.255.255.255"),
	    "255.255.255.255", true },
	{ BYTES(""), NULL, false },
	{ BYTES("192.0.2"), NULL, false },
	{ BYTES("192.0.2.256"), NULL, false },
	{ BYTES("192.0.2.01"), NULL, false },
	{ BYTES("192.0.2.1 "), NULL, false },
	{ BYTES(" 192.0.2.1"), NULL, false },
	{ BYTES("192.0.2.1\0"), NULL, false },
	{ BYTES("192.0.2.1/32"), NULL, false },
	{ BYTES("0x7f.0.0.1"), NULL, false },
	{ BYTES("2130706433"), NULL, false },
	{ BYTES("[2001:db8::1]"), NULL, false },
	{ BYTES("fe80::1%eth0"), NULL, false },
	{ BYTES("1::2::3"), NULL, false },
	{ BYTES(V6_LONGEST ":ffff"), NULL, false },
	{ BYTES(V6_LONGEST "/128888888"), NULL, false },
};

START_TEST(address_text_is_strict)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a;
	int got = address_parse(&a, addresses[_i].text);

	ck_assert_msg((got == 0) == (addresses[_i].want != NULL), "%.*s",
	    BYTES_PRINTF(addresses[_i].text));
	if (got < 0)
		return;
	ck_assert_str_eq(address_text(&a, text), addresses[_i].want);
	ck_assert(address_is_v4(&a) == addresses[_i].is_v4);
	ck_assert_uint_eq(a.port, 0);
}
END_TEST

static const struct {
	struct bytes text;
	const char *want; /* NULL: refused */
} ports[] = {
	{ BYTES("192.0.2.1:80"), "192.0.2.1:80" },
	{ BYTES("192.0.2.1:65535"), "192.0.2.1:65535" },
	{ BYTES("[2001:db8::1]:443"), "[2001:db8::1]:443" },
	{ BYTES("[" V6_LONGEST "]:65535"), "[" V6_LONGEST "]:65535" },
	{ BYTES("[::ffff:192.0.2.1]:80"), "192.0.2.1:80" },
	{ BYTES("192.0.2.1"), NULL },
	{ BYTES("192.0.2.1:"), NULL },
	{ BYTES("192.0.2.1:65536"), NULL },
	{ BYTES("192.0.2.1:-1"), NULL },
	{ BYTES("192.0.2.1:80:80"), NULL },
	{ BYTES("2001:db8::1"), NULL },
	{ BYTES("[2001:db8::1]"), NULL },
	{ BYTES("[2001:db8::1]:"), NULL },
	{ BYTES("[2001:db8::1]80"), NULL },
	{ BYTES("[2001:db8::1"), NULL },
	{ BYTES("[192.0.2.1]:80"), NULL },
	{ BYTES("[]:80"), NULL },
	{ BYTES("["), NULL },
	{ BYTES(":80"), NULL },
	{ BYTES(""), NULL },
};

START_TEST(address_with_port_is_strict)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a;
	int got = address_parse_port(&a, ports[_i].text);

	ck_assert_msg((got == 0) == (ports[_i].want != NULL), "%.*s",
	    BYTES_PRINTF(ports[_i].text));
	if (got == 0)
		ck_assert_str_eq(address_text_port(&a, text), ports[_i].want);
}
END_TEST

START_TEST(address_goes_to_the_kernel_and_back)
{
	struct sockaddr_storage s;
	struct address a;
	struct address back;

	if (ports[_i].want == NULL)
		return;
	ck_assert(address_parse_port(&a, ports[_i].text) == 0);
	ck_assert_uint_eq(address_to_sockaddr(&a, &s),
	    address_is_v4(&a) ? sizeof(struct sockaddr_in)
			      : sizeof(struct sockaddr_in6));
	ck_assert(address_from_sockaddr(&back, (const void *)&s) == 0);
	ck_assert(address_equal(&a, &back));
}
END_TEST

START_TEST(address_of_the_kernel_is_of_ip)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
		.sin6_port = htons(80) };
	struct address a;
	struct address v4;

	ck_assert(address_from_sockaddr(&a, (const void *)&local) == -1);
	ck_assert(address_parse_port(&v4, BYTES("192.0.2.1:80")) == 0);
	memcpy(&mapped.sin6_addr, v4.octets, sizeof(v4.octets));
	ck_assert(address_from_sockaddr(&a, (const void *)&mapped) == 0);
	ck_assert(address_equal(&a, &v4));
}
END_TEST

START_TEST(address_equality_counts_the_port)
{
	struct address a;
	struct address b;

	ck_assert(address_parse_port(&a, BYTES("192.0.2.1:80")) == 0);
	ck_assert(address_parse_port(&b, BYTES("192.0.2.1:81")) == 0);
	ck_assert(!address_equal(&a, &b));
	b.port = 80;
	ck_assert(address_equal(&a, &b));
	b.octets[15] = 2;
	ck_assert(!address_equal(&a, &b));
}
END_TEST

static const struct {
	struct bytes text;
	const char *want; /* NULL: refused */
	unsigned bits;
} prefixes[] = {
	{ BYTES("192.0.2.0/24"), "192.0.2.0/24", 120 },
	{ BYTES("192.0.2.1"), "192.0.2.1/32", 128 },
	{ BYTES("192.0.2.1/32"), "192.0.2.1/32", 128 },
	{ BYTES("0.0.0.0/0"), "0.0.0.0/0", 96 },
	{ BYTES("2001:db8::/32"), "2001:db8::/32", 32 },
	{ BYTES("2001:db8::1"), "2001:db8::1/128", 128 },
	{ BYTES("::/0"), "::/0", 0 },
	{ BYTES("192.0.2.128/25"), "192.0.2.128/25", 121 },
	{ BYTES("192.0.2.0/33"), NULL, 0 },
	{ BYTES("2001:db8::/129"), NULL, 0 },
	{ BYTES("192.0.2.1/24"), NULL, 0 },
	{ BYTES("192.0.2.128/24"), NULL, 0 },
	{ BYTES("2001:db8::1/32"), NULL, 0 },
	{ BYTES("192.0.2.0/"), NULL, 0 },
	{ BYTES("192.0.2.0/+8"), NULL, 0 },
	{ BYTES("192.0.2.0/24/24"), NULL, 0 },
	{ BYTES("/24"), NULL, 0 },
	{ BYTES("192.0.2/24"), NULL, 0 },
	{ BYTES("192.0.2.0/255.255.255.0"), NULL, 0 },
	{ BYTES(""), NULL, 0 },
};

START_TEST(prefix_text_is_strict)
{
	char text[ADDRESS_TEXT_MAX];
	struct prefix p;
	int got = prefix_parse(&p, prefixes[_i].text);

	ck_assert_msg((got == 0) == (prefixes[_i].want != NULL), "%.*s",
	    BYTES_PRINTF(prefixes[_i].text));
	if (got < 0)
		return;
	ck_assert_uint_eq(p.bits, prefixes[_i].bits);
	ck_assert_str_eq(prefix_text(&p, text), prefixes[_i].want);
}
END_TEST

static const struct {
	const char *prefix, *address;
	bool want;
} insides[] = {
	{ "192.0.2.0/24", "192.0.2.0", true },
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/24", "192.0.1.255", false },
	{ "192.0.2.0/24", "::192.0.2.1", false },
	{ "192.0.2.64/27", "192.0.2.95", true },
	{ "192.0.2.64/27", "192.0.2.96", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.0", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "2001:db8::/33", "2001:db8:7fff::", true },
	{ "2001:db8::/33", "2001:db8:8000::", false },
};

START_TEST(prefix_contains_by_its_bits)
{
	struct prefix p[2] = { { .bits = 128 } };
	struct address a;

	ck_assert(prefix_parse(&p[1], bytes_of(insides[_i].prefix)) == 0);
	ck_assert(address_parse(&a, bytes_of(insides[_i].address)) == 0);
	ck_assert_msg(prefix_contains(&p[1], &a) == insides[_i].want,
	    "%s in %s", insides[_i].address, insides[_i].prefix);
	ck_assert(prefixes_contain(p, 2, &a) == insides[_i].want);
	ck_assert(!prefixes_contain(p, 0, &a));
}
END_TEST

Suite *address_suite(void);

Suite *
address_suite(void)
{
	Suite *s = suite_create("address");
	TCase *t = tcase_create("address");

	tcase_add_loop_test(t, address_text_is_strict, 0, COUNT(addresses));
	tcase_add_loop_test(t, address_with_port_is_strict, 0, COUNT(ports));
	tcase_add_loop_test(
	    t, address_goes_to_the_kernel_and_back, 0, COUNT(ports));
	tcase_add_test(t, address_of_the_kernel_is_of_ip);
	tcase_add_test(t, address_equality_counts_the_port);
	tcase_add_loop_test(t, prefix_text_is_strict, 0, COUNT(prefixes));
	tcase_add_loop_test(t, prefix_contains_by_its_bits, 0, COUNT(insides));
	suite_add_tcase(s, t);
	return s;
}
