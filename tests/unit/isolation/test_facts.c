/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/facts.h"

#include <check.h>

static struct probe_item items[PROBE_ITEMS_MAX];

#define HEAD                                                             \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask" \
	"\t\tMTU\tWindow\tIRTT \n"
#define V4(to, gateway, flags, mask)                                        \
	"eth0\t" to "\t" gateway "\t" flags "\t0\t0\t100\t" mask "\t0\t0\t" \
	"0   \n"
#define ZERO "00000000000000000000000000000000"
#define V6(to, bits, gateway, flags)        \
	to " " bits " " ZERO " 00 " gateway \
	   " 00000400 00000001 00000000 " flags "     eth0\n"
#define NET2 "20000000000000000000000000000000"
#define GATE6 "20010db8000000000000000000000001"

enum list {
	ROUTES,
	ROUTES6,
	RESOLVERS,
};

/* As the kernel of a little-endian machine writes IPv4. */
static const struct {
	const char *name;
	enum list list;
	struct bytes text;
	const char *want; /* the first item's target and detail; "": none */
	size_t n;
} cases[] = {
	{ "no route", ROUTES, BYTES(HEAD), "", 0 },
	{ "a default route", ROUTES,
	    BYTES(HEAD V4("00000000", "FE0200C0", "0003", "00000000")),
	    "0.0.0.0/0 via 192.0.2.254 dev eth0", 1 },
	{ "a default route in two halves", ROUTES,
	    BYTES(HEAD V4("00000000", "FE0200C0", "0003", "00000080")
		    V4("00000080", "FE0200C0", "0003", "00000080")),
	    "0.0.0.0/1 via 192.0.2.254 dev eth0", 2 },
	{ "a route to a network", ROUTES,
	    BYTES(HEAD V4("0000000A", "FE0200C0", "0003", "000000FF")), "", 0 },
	{ "a route that is down", ROUTES,
	    BYTES(HEAD V4("00000000", "FE0200C0", "0002", "00000000")), "", 0 },
	{ "a route that rejects", ROUTES,
	    BYTES(HEAD V4("00000000", "00000000", "0201", "00000000")), "", 0 },
	{ "a list that is cut", ROUTES, BYTES(HEAD "eth0\t00000000\t"),
	    "/proc/net/route cannot be read: Bad message", 1 },
	{ "nothing of IPv6", ROUTES6, BYTES(""), "", 0 },
	{ "a default route of IPv6", ROUTES6,
	    BYTES(V6(ZERO, "00", GATE6, "00000003")),
	    "::/0 via 2001:db8::1 dev eth0", 1 },
	{ "the route to all that is public", ROUTES6,
	    BYTES(V6(NET2, "03", GATE6, "00000003")),
	    "2000::/3 via 2001:db8::1 dev eth0", 1 },
	{ "the kernel's own reject", ROUTES6,
	    BYTES(V6(ZERO, "00", ZERO, "00200200")), "", 0 },
	{ "multicast", ROUTES6,
	    BYTES(
		V6("ff000000000000000000000000000000", "08", ZERO, "00000001")),
	    "", 0 },
	{ "a list of IPv6 that is cut", ROUTES6, BYTES(ZERO " 00 "),
	    "/proc/net/ipv6_route cannot be read: Bad message", 1 },
	{ "resolvers", RESOLVERS,
	    BYTES("# x\nsearch a.test\nnameserver 192.0.2.53\n"
		  "nameserver\t2001:db8::53 \n"),
	    "192.0.2.53 ", 2 },
	{ "a resolver of a link", RESOLVERS, BYTES("nameserver fe80::1%eth0"),
	    "fe80::1%eth0 ", 1 },
	{ "a resolver without address", RESOLVERS, BYTES("nameserver\n"), "? ",
	    1 },
	{ "odd bytes", RESOLVERS, BYTES("nameserver \x80\x01x\n"), "??x ", 1 },
	{ "no resolver", RESOLVERS, BYTES("nameservers 192.0.2.53\n"), "", 0 },
};

START_TEST(facts_are_told)
{
	static void (*const lists[])(struct bytes, enum probe_outcome,
	    struct probe *) = { [ROUTES] = facts_routes,
		[ROUTES6] = facts_routes6,
		[RESOLVERS] = facts_resolvers };
	struct probe p = { .items = items };
	char got[PROBE_TARGET_MAX + PROBE_DETAIL_MAX] = "";

	lists[cases[_i].list](cases[_i].text, PROBE_TOLD, &p);
	if (p.items_n > 0)
		snprintf(got, sizeof(got), "%s %s", items[0].target,
		    items[0].detail);
	ck_assert_str_eq(got, cases[_i].want);
	ck_assert_uint_eq(p.items_n, cases[_i].n);
}
END_TEST

START_TEST(facts_weigh_what_the_trial_says)
{
	struct probe p = { .items = items };

	facts_resolvers(BYTES("nameserver 192.0.2.53"), PROBE_FOUND, &p);
	ck_assert_int_eq(items[0].outcome, PROBE_FOUND);
	facts_resolvers(BYTES("nameserver 192.0.2.53"), PROBE_TOLD, &p);
	ck_assert_int_eq(items[1].outcome, PROBE_TOLD);
	facts_routes(BYTES(HEAD "x"), PROBE_TOLD, &p);
	ck_assert(probe_item_is_finding(&items[2]));
}
END_TEST

/* Who has more than can be told has not shown them. */
START_TEST(facts_beyond_their_limit_are_a_finding)
{
	struct probe p = { .items = items };

	for (int i = 0; i < 64; i++)
		facts_resolvers(
		    BYTES("nameserver 192.0.2.53\n"), PROBE_TOLD, &p);
	ck_assert_uint_eq(p.items_n, 64);
	ck_assert(!probe_item_is_finding(&items[63]));
	for (int i = 0; i < 3; i++)
		facts_resolvers(
		    BYTES("nameserver 192.0.2.53\n"), PROBE_TOLD, &p);
	ck_assert_uint_eq(p.items_n, 65);
	ck_assert(probe_item_is_finding(&items[64]));
}
END_TEST

Suite *facts_suite(void);

Suite *
facts_suite(void)
{
	Suite *s = suite_create("facts");
	TCase *t = tcase_create("facts");

	tcase_add_loop_test(t, facts_are_told, 0, COUNT(cases));
	tcase_add_test(t, facts_weigh_what_the_trial_says);
	tcase_add_test(t, facts_beyond_their_limit_are_a_finding);
	suite_add_tcase(s, t);
	return s;
}
