/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/reach.h"

#include <check.h>

#define F "ffff:ffff:ffff:ffff:ffff"
#define STRANGE "no global unicast address"

static const char *
judge(const char *text, const struct zone *z, const struct prefix *refused,
    size_t refused_n)
{
	struct address a;
	const char *why;

	ck_assert_msg(address_parse(&a, bytes_of(text)) == 0, "%s", text);
	why = reach_judge(&a, z,
	    &(struct reach_limits){
		.refused = refused, .refused_n = refused_n });
	return why == NULL ? "" : why;
}

/* A prefix by its first and last address and the two beside it; NULL: there
 * is none; "": it may be reached. */
static const struct {
	const char *first, *last, *why;
	const char *below, *why_below;
	const char *above, *why_above;
} prefixes[] = {
	{ "0.0.0.0", "0.255.255.255", "this network (0.0.0.0/8)", NULL, NULL,
	    "1.0.0.0", "" },
	{ "10.0.0.0", "10.255.255.255", "private address", "9.255.255.255", "",
	    "11.0.0.0", "" },
	{ "100.64.0.0", "100.127.255.255", "carrier-grade NAT address",
	    "100.63.255.255", "", "100.128.0.0", "" },
	{ "127.0.0.0", "127.255.255.255", "loopback address", "126.255.255.255",
	    "", "128.0.0.0", "" },
	{ "169.254.0.0", "169.254.255.255", "link-local address",
	    "169.253.255.255", "", "169.255.0.0", "" },
	{ "172.16.0.0", "172.31.255.255", "private address", "172.15.255.255",
	    "", "172.32.0.0", "" },
	{ "192.0.0.0", "192.0.0.255", "protocol assignment", "191.255.255.255",
	    "", "192.0.1.0", "" },
	{ "192.0.2.0", "192.0.2.255", "documentation address", "192.0.1.255",
	    "", "192.0.3.0", "" },
	{ "192.88.99.0", "192.88.99.255", "6to4 relay", "192.88.98.255", "",
	    "192.88.100.0", "" },
	{ "192.168.0.0", "192.168.255.255", "private address",
	    "192.167.255.255", "", "192.169.0.0", "" },
	{ "198.18.0.0", "198.19.255.255", "benchmark address", "198.17.255.255",
	    "", "198.20.0.0", "" },
	{ "198.51.100.0", "198.51.100.255", "documentation address",
	    "198.51.99.255", "", "198.51.101.0", "" },
	{ "203.0.113.0", "203.0.113.255", "documentation address",
	    "203.0.112.255", "", "203.0.114.0", "" },
	{ "224.0.0.0", "239.255.255.255", "multicast address",
	    "223.255.255.255", "", "240.0.0.0", "reserved address" },
	{ "240.0.0.0", "255.255.255.255", "reserved address", "239.255.255.255",
	    "multicast address", NULL, NULL },
	{ "::", "::ffff:ffff", "loopback or unspecified address", NULL, NULL,
	    "::1:0:0", STRANGE },
	{ "64:ff9b:1::", "64:ff9b:1:" F, "local NAT64 address", "64:ff9b:0:" F,
	    STRANGE, "64:ff9b:2::", STRANGE },
	{ "100::", "100::ffff:ffff:ffff:ffff", "discard prefix",
	    "ff:ffff:ffff:" F, STRANGE, "100:0:0:1::", STRANGE },
	{ "2001::", "2001:1ff:ffff:" F, "protocol assignment (Teredo)",
	    "2000:ffff:ffff:" F, "", "2001:200::", "" },
	{ "2001:db8::", "2001:db8:ffff:" F, "documentation address",
	    "2001:db7:ffff:" F, "", "2001:db9::", "" },
	{ "2002::", "2002:ffff:ffff:" F, "6to4 address", "2001:ffff:ffff:" F,
	    "", "2003::", "" },
	{ "3fff::", "3fff:fff:ffff:" F, "documentation address",
	    "3ffe:ffff:ffff:" F, "", "3fff:1000::", "" },
	{ "fc00::", "fdff:ffff:ffff:" F, "unique local address",
	    "fbff:ffff:ffff:" F, STRANGE, "fe00::", STRANGE },
	{ "fe80::", "febf:ffff:ffff:" F, "link-local address",
	    "fe7f:ffff:ffff:" F, STRANGE, "fec0::", "site-local address" },
	{ "fec0::", "feff:ffff:ffff:" F, "site-local address",
	    "febf:ffff:ffff:" F, "link-local address",
	    "ff00::", "multicast address" },
	{ "ff00::", "ffff:ffff:ffff:" F, "multicast address",
	    "feff:ffff:ffff:" F, "site-local address", NULL, NULL },
	/* what is left of IPv6 around 2000::/3 */
	{ "200::", "1fff:ffff:ffff:" F, STRANGE, NULL, NULL, "2000::", "" },
	{ "4000::", "fbff:ffff:ffff:" F, STRANGE, "3fff:ffff:ffff:" F, "", NULL,
	    NULL },
	/* IPv4-translated, RFC 2765: 127.0.0.1 in another dress */
	{ "::ffff:0:0:0", "::ffff:0:ffff:ffff", STRANGE, NULL, NULL, NULL,
	    NULL },
	/* segment routing, RFC 9602 */
	{ "5f00::", "5f00:ffff:ffff:" F, STRANGE, NULL, NULL, NULL, NULL },
};

START_TEST(reach_ends_at_special_prefixes)
{
	const struct zone z = { .kind = ZONE_INTERNET };

	ck_assert_str_eq(
	    judge(prefixes[_i].first, &z, NULL, 0), prefixes[_i].why);
	ck_assert_str_eq(
	    judge(prefixes[_i].last, &z, NULL, 0), prefixes[_i].why);
	if (prefixes[_i].below != NULL)
		ck_assert_str_eq(judge(prefixes[_i].below, &z, NULL, 0),
		    prefixes[_i].why_below);
	if (prefixes[_i].above != NULL)
		ck_assert_str_eq(judge(prefixes[_i].above, &z, NULL, 0),
		    prefixes[_i].why_above);
}
END_TEST

static const struct {
	const char *name, *address, *why;
} lists[] = {
	{ "an address of nobody", "192.0.1.1", "" },
	{ "what the zone permits", "127.0.0.1", "" },
	{ "the last that the zone permits", "127.0.0.255", "" },
	{ "one past what the zone permits", "127.0.1.0", "loopback address" },
	{ "what the zone permits as mapped address", "::ffff:127.0.0.1", "" },
	{ "what the zone permits goes before what the site refuses",
	    "192.0.3.1", "" },
	{ "what the zone permits is not so through NAT64", "64:ff9b::127.0.0.1",
	    "loopback address" },
	{ "what the site refuses", "192.0.4.1",
	    "address that the settings refuse" },
	{ "what the site refuses, through NAT64", "64:ff9b::192.0.4.1",
	    "address that the settings refuse" },
	{ "an IPv6 prefix that the site refuses", "2003::1",
	    "address that the settings refuse" },
	{ "a NAT64 address that the site refuses", "64:ff9b::192.0.5.1",
	    "address that the settings refuse" },
	{ "an address through NAT64", "64:ff9b::192.0.1.1", "" },
	{ "a private address through NAT64", "64:ff9b::10.0.0.1",
	    "private address" },
	{ "a private address as mapped address", "::ffff:10.0.0.1",
	    "private address" },
};

START_TEST(reach_knows_zone_and_site)
{
	static const char *const permitted[] = { "127.0.0.0/24",
		"192.0.3.0/24" };
	static const char *const refused[] = { "192.0.3.0/24", "192.0.4.0/24",
		"2003::/16", "64:ff9b::c000:500/120" };
	struct prefix p[COUNT(permitted)];
	struct prefix r[COUNT(refused)];
	struct zone z = { .permitted = p, .permitted_n = COUNT(p) };

	for (size_t i = 0; i < COUNT(p); i++)
		ck_assert(prefix_parse(&p[i], bytes_of(permitted[i])) == 0);
	for (size_t i = 0; i < COUNT(r); i++)
		ck_assert(prefix_parse(&r[i], bytes_of(refused[i])) == 0);
	ck_assert_msg(
	    bytes_equal(bytes_of(judge(lists[_i].address, &z, r, COUNT(r))),
		bytes_of(lists[_i].why)),
	    "%s: %s", lists[_i].name,
	    judge(lists[_i].address, &z, r, COUNT(r)));
}
END_TEST

#define MYNUMBER "My Number segment's address"
#define PROVISION "provision network's address"

/* Everything is permitted there. */
static const struct {
	const char *name, *address, *why;
} separated[] = {
	{ "a My Number segment's first", "10.1.3.0", MYNUMBER },
	{ "its last", "10.1.3.255", MYNUMBER },
	{ "the one before it", "10.1.2.255", "" },
	{ "the one behind it", "10.1.4.0", "" },
	{ "a section of it", "10.1.3.77", MYNUMBER },
	{ "a My Number segment of IPv6", "2001:db8:3::77", MYNUMBER },
	{ "a segment of LGWAN", "10.1.2.7", "" },
	{ "a provision endpoint", "192.0.2.10", PROVISION },
	{ "the one behind it", "192.0.2.11", "" },
	{ "a My Number address as mapped one", "::ffff:10.1.3.7", MYNUMBER },
	{ "through NAT64", "64:ff9b::10.1.3.7", MYNUMBER },
	{ "through a local NAT64", "64:ff9b:1::10.1.3.7", MYNUMBER },
	{ "through one of 48 bits", "64:ff9b:1:a01:3:700::", MYNUMBER },
	{ "through one of 56 bits", "64:ff9b:1:aa0a:1:307::", MYNUMBER },
	{ "through one of 64 bits", "64:ff9b:1:abcd:a:103:700::", MYNUMBER },
	{ "another through one", "64:ff9b:1:abcd:a:102:700::", "" },
	{ "as an IPv4-compatible one", "::10.1.3.7", MYNUMBER },
	{ "as an IPv4-translated one", "::ffff:0:10.1.3.7", MYNUMBER },
	{ "through 6to4", "2002:a01:307::1", MYNUMBER },
	{ "a provision endpoint through NAT64", "64:ff9b::192.0.2.10",
	    PROVISION },
	{ "another through NAT64", "64:ff9b::192.0.2.11", "" },
};

START_TEST(reach_ends_at_separated_networks)
{
	static const char settings[] =
	    "zones = ( { name = \"l\"; kind = \"lgwan\"; },"
	    " { name = \"m\"; kind = \"mynumber\"; } );"
	    "bodies = ( { code = \"990019\"; name_ja = \"町\"; segments = ("
	    " { prefix = \"10.1.2.0/24\"; zone = \"l\"; },"
	    " { prefix = \"10.1.3.0/24\"; zone = \"m\"; },"
	    " { prefix = \"10.1.3.64/26\"; zone = \"m\"; section = \"s\"; },"
	    " { prefix = \"2001:db8:3::/48\"; zone = \"m\"; } ); } );";
	struct prefix permitted[2];
	struct prefix provision;
	struct zone z = { .permitted = permitted, .permitted_n = 2 };
	struct reach_limits limits = { .provision = &provision,
		.provision_n = 1 };
	struct arena arena = { 0 };
	struct address a;
	struct err e;
	config_t config;
	const char *why;

	config_init(&config);
	ck_assert(config_read_string(&config, settings) == CONFIG_TRUE);
	limits.zones = zones_load(config_root_setting(&config), &arena, &e);
	config_destroy(&config);
	ck_assert_msg(limits.zones != NULL, "%s", e.text);
	ck_assert(prefix_parse(&permitted[0], BYTES("0.0.0.0/0")) == 0);
	ck_assert(prefix_parse(&permitted[1], BYTES("::/0")) == 0);
	ck_assert(prefix_parse(&provision, BYTES("192.0.2.10")) == 0);
	ck_assert(address_parse(&a, bytes_of(separated[_i].address)) == 0);
	why = reach_judge(&a, &z, &limits);
	ck_assert_msg(strcmp(why == NULL ? "" : why, separated[_i].why) == 0,
	    "%s: %s", separated[_i].name, why == NULL ? "" : why);
	ck_assert_ptr_eq(reach_separated(&a, &limits), why);
	arena_release(&arena);
}
END_TEST

Suite *reach_suite(void);

Suite *
reach_suite(void)
{
	Suite *s = suite_create("reach");
	TCase *t = tcase_create("reach");

	tcase_add_loop_test(
	    t, reach_ends_at_special_prefixes, 0, COUNT(prefixes));
	tcase_add_loop_test(t, reach_knows_zone_and_site, 0, COUNT(lists));
	tcase_add_loop_test(
	    t, reach_ends_at_separated_networks, 0, COUNT(separated));
	suite_add_tcase(s, t);
	return s;
}
