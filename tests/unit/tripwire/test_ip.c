/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tripwire/ip.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define V4(flags, protocol)                                         \
	"\x45\x00\x00\x28\x00\x01" flags "\x40" protocol "\x00\x00" \
	"\xc0\x00\x02\x0a\xc6\x33\x64\x14"
#define V6(next)                                                           \
	"\x60\x00\x00\x00\x00\x14" next "\x40"                             \
	"\x20\x01\x0d\xb8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10" \
	"\x20\x01\x0d\xb8\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20"
#define PORTS "\x30\x39\x01\xbb"
#define TCP_SYN                                                          \
	PORTS "\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\x04\x00\x00\x00" \
	      "\x00\x00"

static const struct {
	const char *name;
	struct bytes packet;
	const char *from, *to, *words; /* from NULL: it is none */
} cases[] = {
	{ "TCP that asks", BYTES_ROW(V4("\x00\x00", "\x06") TCP_SYN),
	    "192.0.2.10:12345", "198.51.100.20:443", "tcp syn" },
	{ "TCP, cut behind its ports", BYTES_ROW(V4("\x00\x00", "\x06") PORTS),
	    "192.0.2.10:12345", "198.51.100.20:443", "tcp" },
	{ "TCP, cut within its ports",
	    BYTES_ROW(V4("\x00\x00", "\x06") "\x30\x39\x01"), "192.0.2.10:0",
	    "198.51.100.20:0", "tcp" },
	{ "UDP", BYTES_ROW(V4("\x00\x00", "\x11") PORTS), "192.0.2.10:12345",
	    "198.51.100.20:443", "udp" },
	{ "a first fragment has ports", BYTES_ROW(V4("\x20\x00", "\x11") PORTS),
	    "192.0.2.10:12345", "198.51.100.20:443", "udp" },
	{ "a later fragment has none", BYTES_ROW(V4("\x20\x01", "\x11") PORTS),
	    "192.0.2.10:0", "198.51.100.20:0", "udp fragment" },
	{ "ICMP", BYTES_ROW(V4("\x00\x00", "\x01") "\x08"), "192.0.2.10:0",
	    "198.51.100.20:0", "icmp type 8" },
	{ "GRE", BYTES_ROW(V4("\x00\x00", "\x2f") PORTS), "192.0.2.10:0",
	    "198.51.100.20:0", "protocol 47" },
	{ "options are stepped over",
	    BYTES_ROW("\x46\x00\x00\x28\x00\x01\x00\x00\x40\x11\x00\x00"
		      "\xc0\x00\x02\x0a\xc6\x33\x64\x14\x94\x04\x00\x00" PORTS),
	    "192.0.2.10:12345", "198.51.100.20:443", "udp" },
	{ "options that are cut off",
	    BYTES_ROW("\x4f\x00\x00\x28\x00\x01\x00\x00\x40\x11\x00\x00"
		      "\xc0\x00\x02\x0a\xc6\x33\x64\x14" PORTS),
	    "192.0.2.10:0", "198.51.100.20:0", "udp" },
	{ "a header shorter than IPv4's",
	    BYTES_ROW("\x44\x00\x00\x28\x00\x01\x00\x00\x40\x11\x00\x00"
		      "\xc0\x00\x02\x0a\xc6\x33\x64\x14" PORTS),
	    NULL, NULL, NULL },
	{ "IPv6", BYTES_ROW(V6("\x06") TCP_SYN), "[2001:db8:1::10]:12345",
	    "[2001:db8:2::20]:443", "tcp syn" },
	{ "ICMPv6", BYTES_ROW(V6("\x3a") "\x80"), "[2001:db8:1::10]:0",
	    "[2001:db8:2::20]:0", "icmp type 128" },
	{ "extension headers are stepped over",
	    BYTES_ROW(V6("\x00") "\x2b\x00\x05\x02\x00\x00\x00\x00"
				 "\x3c\x00\x00\x00\x00\x00\x00\x00"
				 "\x11\x01\x00\x00\x00\x00\x00\x00"
				 "\x00\x00\x00\x00\x00\x00\x00\x00" PORTS),
	    "[2001:db8:1::10]:12345", "[2001:db8:2::20]:443", "udp" },
	{ "an authentication header counts in fours",
	    BYTES_ROW(V6("\x33") "\x11\x04\x00\x00\x00\x00\x00\x01"
				 "\x00\x00\x00\x01\x00\x00\x00\x00"
				 "\x00\x00\x00\x00\x00\x00\x00\x00" PORTS),
	    "[2001:db8:1::10]:12345", "[2001:db8:2::20]:443", "udp" },
	{ "a first fragment of IPv6",
	    BYTES_ROW(V6("\x2c") "\x11\x00\x00\x01\x00\x00\x00\x01" PORTS),
	    "[2001:db8:1::10]:12345", "[2001:db8:2::20]:443", "udp" },
	{ "a later fragment of IPv6",
	    BYTES_ROW(V6("\x2c") "\x11\x00\x00\x09\x00\x00\x00\x01" PORTS),
	    "[2001:db8:1::10]:0", "[2001:db8:2::20]:0", "udp fragment" },
	{ "an extension header that is cut off",
	    BYTES_ROW(V6("\x2b") "\x11\xff\x00\x09\x00\x00\x00\x01" PORTS),
	    "[2001:db8:1::10]:0", "[2001:db8:2::20]:0", "udp" },
	{ "no IP", BYTES_ROW("\x50" TCP_SYN TCP_SYN), NULL, NULL, NULL },
	{ "nothing", BYTES_ROW(""), NULL, NULL, NULL },
};

START_TEST(ip_reads_headers)
{
	char text[ADDRESS_TEXT_MAX], words[IP_WORDS_MAX];
	struct ip_packet p;

	ck_assert_int_eq(
	    ip_parse(&p, cases[_i].packet), cases[_i].from == NULL ? -1 : 0);
	if (cases[_i].from == NULL)
		return;
	ck_assert_str_eq(address_text_port(&p.from, text), cases[_i].from);
	ck_assert_str_eq(address_text_port(&p.to, text), cases[_i].to);
	ck_assert_str_eq(ip_words(&p, words), cases[_i].words);
}
END_TEST

/* Copies that end where the packet does: a byte behind is found. */
START_TEST(ip_reads_no_byte_that_is_not_there)
{
	struct bytes whole = cases[_i].packet;

	for (size_t n = 0; n <= whole.n; n++) {
		uint8_t *copy = malloc(n + (n == 0));
		struct ip_packet p;
		char words[IP_WORDS_MAX];

		ck_assert(copy != NULL);
		memcpy(copy, whole.p, n);
		if (ip_parse(&p, (struct bytes){ copy, n }) == 0)
			ip_words(&p, words);
		free(copy);
	}
}
END_TEST

/* One more than are looked through: what follows is no payload. */
START_TEST(ip_looks_through_a_bounded_chain)
{
	uint8_t packet[40 + 8 * (IP_EXTENSIONS_MAX + 1) + 4] = { 0x60 };
	struct ip_packet p;

	for (size_t headers = IP_EXTENSIONS_MAX;
	     headers <= IP_EXTENSIONS_MAX + 1; headers++) {
		uint8_t *at = packet + 40;

		packet[6] = 60;
		for (size_t i = 1; i <= headers; i++, at += 8) {
			memset(at, 0, 8);
			at[0] = i < headers ? 60 : 17;
		}
		memcpy(at, PORTS, 4);
		ck_assert_int_eq(
		    ip_parse(&p,
			(struct bytes){ packet, (size_t)(at + 4 - packet) }),
		    0);
		ck_assert_int_eq(p.has_ports, headers == IP_EXTENSIONS_MAX);
	}
}
END_TEST

Suite *ip_suite(void);

Suite *
ip_suite(void)
{
	Suite *s = suite_create("ip");
	TCase *c = tcase_create("headers");

	tcase_add_loop_test(c, ip_reads_headers, 0, COUNT(cases));
	tcase_add_loop_test(
	    c, ip_reads_no_byte_that_is_not_there, 0, COUNT(cases));
	tcase_add_test(c, ip_looks_through_a_bounded_chain);
	suite_add_tcase(s, c);
	return s;
}
