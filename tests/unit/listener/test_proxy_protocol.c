/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener/proxy_protocol.h"

#include <check.h>
#include <string.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V4_PORTS "\xc0\0\2\1\xc6\x33\x64\2\x30\x39\x01\xbb"
#define V6_A "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define V6_B "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define V6_LONG "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct {
	const char *name;
	struct bytes header;
	enum proxy_protocol_answer want;
	const char *source; /* or NULL */
} headers[] = {
	{ "version 1, IPv4",
	    BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n"),
	    PROXY_PROTOCOL_DONE, "192.0.2.1" },
	{ "version 1, IPv6",
	    BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n"),
	    PROXY_PROTOCOL_DONE, "2001:db8::1" },
	{ "version 1, the shortest", BYTES("PROXY UNKNOWN\r\n"),
	    PROXY_PROTOCOL_DONE, NULL },
	{ "version 1, unknown with addresses",
	    BYTES("PROXY UNKNOWN 192.0.2.1 198.51.100.2 1 2\r\n"),
	    PROXY_PROTOCOL_DONE, NULL },
	{ "version 1, the longest line of 107",
	    BYTES("PROXY UNKNOWN " V6_LONG " " V6_LONG " 65535 65535\r\n"),
	    PROXY_PROTOCOL_DONE, NULL },
	{ "version 1, a line of 108",
	    BYTES("PROXY UNKNOWN " V6_LONG " " V6_LONG " 65535 065535\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, the longest IPv6",
	    BYTES("PROXY TCP6 " V6_LONG " " V6_LONG " 65535 65535\r\n"),
	    PROXY_PROTOCOL_DONE, V6_LONG },
	{ "version 1, a port of 65536",
	    BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, a port missing",
	    BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, a word too many",
	    BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, two blanks",
	    BYTES("PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, IPv6 as TCP4",
	    BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, IPv4 as TCP6",
	    BYTES("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, one of each",
	    BYTES("PROXY TCP4 192.0.2.1 2001:db8::2 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, a name", BYTES("PROXY TCP4 a.test 192.0.2.1 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, another family",
	    BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 1, nothing else", BYTES("PROXY \r\n"), PROXY_PROTOCOL_BAD,
	    NULL },
	{ "version 1, LF alone", BYTES("PROXY UNKNOWN\n"), PROXY_PROTOCOL_BAD,
	    NULL },
	{ "version 1 in small letters", BYTES("proxy UNKNOWN\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "a request", BYTES("GET / HTTP/1.1\r\n"), PROXY_PROTOCOL_BAD, NULL },
	{ "a request that begins like it", BYTES("PROXYS / HTTP/1.1\r\n"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "a TLS record", BYTES("\x16\3\1\2\0"), PROXY_PROTOCOL_BAD, NULL },
	{ "version 2, IPv4", BYTES(V2 "\x21\x11\0\x0c" V4_PORTS),
	    PROXY_PROTOCOL_DONE, "192.0.2.1" },
	{ "version 2, IPv6", BYTES(V2 "\x21\x21\0\x24" V6_A V6_B "\1\2\3\4"),
	    PROXY_PROTOCOL_DONE, "2001:db8::1" },
	{ "version 2, IPv4 with a TLV",
	    BYTES(V2 "\x21\x11\0\x10" V4_PORTS "\4\0\1x"), PROXY_PROTOCOL_DONE,
	    "192.0.2.1" },
	{ "version 2, LOCAL", BYTES(V2 "\x20\0\0\0"), PROXY_PROTOCOL_DONE,
	    NULL },
	{ "version 2, LOCAL with an address",
	    BYTES(V2 "\x20\x11\0\x0c" V4_PORTS), PROXY_PROTOCOL_DONE, NULL },
	{ "version 2, of no family", BYTES(V2 "\x21\0\0\0"),
	    PROXY_PROTOCOL_DONE, NULL },
	{ "version 2, IPv4 of 11 bytes", BYTES(V2 "\x21\x11\0\x0b" V4_PORTS),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 2, IPv6 of 35 bytes",
	    BYTES(V2 "\x21\x21\0\x23" V6_A V6_B "\1\2\3"), PROXY_PROTOCOL_BAD,
	    NULL },
	{ "version 2, UDP", BYTES(V2 "\x21\x12\0\x0c" V4_PORTS),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 2, a UNIX socket", BYTES(V2 "\x21\x31\0\0"),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 2, another command", BYTES(V2 "\x22\x11\0\x0c" V4_PORTS),
	    PROXY_PROTOCOL_BAD, NULL },
	{ "version 3", BYTES(V2 "\x31\x11\0\x0c" V4_PORTS), PROXY_PROTOCOL_BAD,
	    NULL },
	{ "version 2, another signature",
	    BYTES("\r\n\r\n\0\r\nQUIT\r\x20\0\0\0"), PROXY_PROTOCOL_BAD, NULL },
};

static void
check_source(int i, const struct proxy_protocol *p)
{
	struct address want;

	ck_assert(p->has_source == (headers[i].source != NULL));
	if (headers[i].source == NULL)
		return;
	ck_assert(address_parse(&want, bytes_of(headers[i].source)) == 0);
	ck_assert_mem_eq(p->source.octets, want.octets, 16);
}

/* However the network cuts it, the header is taken and no byte more. */
START_TEST(proxy_protocol_takes_the_header_alone)
{
	uint8_t stream[PROXY_PROTOCOL_MAX];
	size_t n = headers[_i].header.n;

	memcpy(stream, headers[_i].header.p, n);
	memcpy(stream + n, "GET /", 5);
	for (size_t cut = 0; cut <= n; cut++) {
		struct proxy_protocol p = { 0 };
		struct bytes in = { stream, cut };
		enum proxy_protocol_answer got = proxy_protocol_next(&p, &in);

		if (got == PROXY_PROTOCOL_MORE) {
			ck_assert_uint_eq(in.n, 0);
			in.n = n + 5 - cut;
			got = proxy_protocol_next(&p, &in);
		} else {
			in.n += n + 5 - cut;
		}
		ck_assert_msg(got == headers[_i].want, "%s cut at %zu: %s",
		    headers[_i].name, cut, p.why == NULL ? "" : p.why);
		if (got == PROXY_PROTOCOL_BAD) {
			ck_assert(p.why != NULL);
			continue;
		}
		ck_assert_msg(bytes_equal(in, BYTES("GET /")), "%s cut at %zu",
		    headers[_i].name, cut);
		check_source(_i, &p);
	}
}
END_TEST

START_TEST(proxy_protocol_goes_byte_by_byte)
{
	struct proxy_protocol p = { 0 };
	enum proxy_protocol_answer got = PROXY_PROTOCOL_MORE;
	size_t at = 0;

	while (got == PROXY_PROTOCOL_MORE && at < headers[_i].header.n) {
		struct bytes in = { headers[_i].header.p + at++, 1 };

		got = proxy_protocol_next(&p, &in);
		ck_assert(got == PROXY_PROTOCOL_BAD || in.n == 0);
	}
	ck_assert_msg(got == headers[_i].want, "%s", headers[_i].name);
	if (got == PROXY_PROTOCOL_DONE) {
		ck_assert_uint_eq(at, headers[_i].header.n);
		check_source(_i, &p);
	}
}
END_TEST

static const struct {
	const char *name;
	size_t length; /* behind the head of 16 */
	enum proxy_protocol_answer want;
} lengths[] = {
	{ "at the limit", PROXY_PROTOCOL_MAX - 16, PROXY_PROTOCOL_DONE },
	{ "one past the limit", PROXY_PROTOCOL_MAX - 15, PROXY_PROTOCOL_BAD },
	{ "the most that can be said", UINT16_MAX, PROXY_PROTOCOL_BAD },
};

START_TEST(proxy_protocol_has_a_limit)
{
	uint8_t header[16 + UINT16_MAX] = V2 "\x21\x11\0\0" V4_PORTS;
	struct proxy_protocol p = { 0 };
	struct bytes in = { header, 16 + lengths[_i].length };

	header[14] = (uint8_t)(lengths[_i].length >> 8);
	header[15] = (uint8_t)lengths[_i].length;
	ck_assert_msg(proxy_protocol_next(&p, &in) == lengths[_i].want, "%s",
	    lengths[_i].name);
	if (lengths[_i].want == PROXY_PROTOCOL_DONE)
		ck_assert_uint_eq(in.n, 0);
	else
		ck_assert_str_eq(p.why, "PROXY header is too long");
}
END_TEST

Suite *proxy_protocol_suite(void);

Suite *
proxy_protocol_suite(void)
{
	Suite *s = suite_create("proxy_protocol");
	TCase *t = tcase_create("proxy_protocol");

	tcase_add_loop_test(
	    t, proxy_protocol_takes_the_header_alone, 0, COUNT(headers));
	tcase_add_loop_test(
	    t, proxy_protocol_goes_byte_by_byte, 0, COUNT(headers));
	tcase_add_loop_test(t, proxy_protocol_has_a_limit, 0, COUNT(lengths));
	suite_add_tcase(s, t);
	return s;
}
