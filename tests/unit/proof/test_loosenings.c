/* SPDX-License-Identifier: Apache-2.0 */
/* Each single loosening of a site that holds is found, with what lets it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proof/site.h"

static struct site site;

static void
setup(void)
{
	site_open(&site, NULL);
}

static void
teardown(void)
{
	site_close(&site);
}

static void
set_to(struct site *s, const char *name, const char *to)
{
	struct communication *c = site_communication(s, name);

	c->to = site_prefixes(s, to);
	c->to_n = 1;
}

static void
set_from(struct site *s, const char *name, const char *from)
{
	struct communication *c = site_communication(s, name);

	c->from = site_prefixes(s, from);
	c->from_n = 1;
}

/* One bit less. */
static void
widen(struct prefix *p)
{
	p->bits--;
	p->octets[p->bits / 8] &= (uint8_t) ~(0x80 >> p->bits % 8);
}

static void
to_the_internet(struct site *s)
{
	set_to(s, "shared", "198.51.100.7");
}

static void
from_the_internet(struct site *s)
{
	set_from(s, "shared", "198.51.100.7");
}

static void
to_an_internet_segment(struct site *s)
{
	set_to(s, "shared", "10.1.2.7");
}

static void
from_an_internet_segment(struct site *s)
{
	set_from(s, "shared", "10.2.2.7");
}

static void
to_provision(struct site *s)
{
	set_to(s, "tax", "10.9.0.10");
}

static void
from_provision(struct site *s)
{
	set_from(s, "office", "10.9.0.10");
}

static void
to_this_machine(struct site *s)
{
	set_to(s, "shared", "10.0.0.1");
}

static void
to_everything(struct site *s)
{
	set_to(s, "shared", "0.0.0.0/0");
}

static void
from_everything(struct site *s)
{
	set_from(s, "shared", "0.0.0.0/0");
}

static void
to_all_of_ipv6(struct site *s)
{
	set_to(s, "six", "::/0");
}

static void
from_all_of_ipv6(struct site *s)
{
	set_from(s, "six", "::/0");
}

static void
to_the_last_address(struct site *s)
{
	set_to(s, "six", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void
widened_source(struct site *s)
{
	widen(&site_communication(s, "office")->from[0]); /* 10.1.0.0/23 */
}

/* 10.2.2.0/24 is an internet segment. */
static void
widened_twice(struct site *s)
{
	widen(&site_communication(s, "shared")->from[0]);
	widen(&site_communication(s, "shared")->from[0]);
}

static void
widened_source_of_ipv6(struct site *s)
{
	widen(&site_communication(s, "six")->from[0]);
}

static void
widened_destination(struct site *s)
{
	site_communication(s, "tax")->to[0] = site_prefix("10.9.0.0/16");
	widen(&site_communication(s, "tax")->to[0]);
}

static void
destination_widened_over_provision(struct site *s)
{
	widen(&site_communication(s, "tax")->to[0]); /* 10.9.0.0/23 */
}

static void
kind_made_plain(struct site *s)
{
	site_communication(s, "tax")->kind = COMMUNICATION_PLAIN;
}

/* Both let the same packets through, and only the first may. */
static void
plain_beside_what_may(struct site *s)
{
	set_from(s, "six", "10.2.3.20");
	set_to(s, "six", "10.9.1.0/24");
}

static void
ping_to_the_internet(struct site *s)
{
	set_to(s, "ping", "198.51.100.7");
	set_from(s, "ping", "10.1.3.7");
}

static void
form_of_a_my_number_address(struct site *s)
{
	set_from(s, "six", "2001:db8:99::/64");
	set_to(s, "six", "64:ff9b::a01:31e");
}

static void
system_on_the_internet_side(struct site *s)
{
	s->isolation->systems[0].addresses[0] = site_prefix("10.1.2.10");
}

static void
system_in_lgwan(struct site *s)
{
	s->isolation->systems[0].addresses[0] = site_prefix("10.1.1.10");
}

static void
system_nowhere(struct site *s)
{
	s->isolation->systems[1].addresses[0] = site_prefix("192.0.2.10");
}

static void
system_widened_over_its_segment(struct site *s)
{
	s->isolation->systems[0].addresses[1] = site_prefix("10.1.2.0/23");
}

static void
gate_at_provision(struct site *s)
{
	s->isolation->settings.gate_at = site_at("10.9.0.10:8445");
}

static void
gate_in_my_number(struct site *s)
{
	s->isolation->settings.gate_at = site_at("10.1.3.200:8445");
}

static void
gate_elsewhere(struct site *s)
{
	s->isolation->settings.gate_at = site_at("198.51.100.1:8445");
}

static void
endpoint_on_the_internet(struct site *s)
{
	s->isolation->endpoints[0].at[0] = site_at("198.51.100.10:8446");
}

static void
endpoint_in_my_number(struct site *s)
{
	s->isolation->endpoints[0].at[0] = site_at("10.2.3.99:8446");
}

static void
endpoint_in_lgwan(struct site *s)
{
	s->isolation->endpoints[0].at[0] = site_at("10.1.1.99:8446");
}

static void
endpoint_in_the_lgwan_network(struct site *s)
{
	s->isolation->endpoints[0].at[0] = site_at("10.9.7.7:8446");
}

static void
endpoint_is_this_machine(struct site *s)
{
	s->isolation->endpoints[0].at[0] = site_at("10.0.0.1:8446");
}

static void
my_number_made_internet(struct site *s)
{
	site_zone(s, "m")->kind = ZONE_INTERNET;
}

static void
my_number_made_lgwan(struct site *s)
{
	site_zone(s, "m")->kind = ZONE_LGWAN;
}

static void
lgwan_made_internet(struct site *s)
{
	site_zone(s, "l")->kind = ZONE_INTERNET;
}

static void
listener_at_provision(struct site *s)
{
	s->listeners[0].at = site_at("10.9.0.10:8080");
}

static void
listener_in_my_number(struct site *s)
{
	s->listeners[0].at = site_at("10.1.3.77:8080");
}

static void
listener_in_my_number_of_ipv6(struct site *s)
{
	s->listeners[1].at = site_at("[2001:db8:3::77]:8080");
}

static void
listener_in_a_form(struct site *s)
{
	s->listeners[1].at = site_at("[2002:a01:34d::1]:8080");
}

static void
proxy_header_of_my_number(struct site *s)
{
	s->listeners[0].proxy_protocol = site_prefixes(s, "10.1.3.128/25");
	s->listeners[0].proxy_protocol_n = 1;
}

static void
proxy_header_of_anybody(struct site *s)
{
	s->listeners[1].proxy_protocol = site_prefixes(s, "::/0");
	s->listeners[1].proxy_protocol_n = 1;
}

static void
proxy_header_of_provision(struct site *s)
{
	s->listeners[0].proxy_protocol = site_prefixes(s, "10.9.0.0/28");
	s->listeners[0].proxy_protocol_n = 1;
}

static void
forwarded_of_my_number(struct site *s)
{
	s->listeners[1].forwarded = site_prefixes(s, "10.2.3.0/24");
	s->listeners[1].forwarded_n = 1;
}

static void
forwarded_of_a_wide_prefix(struct site *s)
{
	s->listeners[0].forwarded = site_prefixes(s, "10.0.0.0/8");
	s->listeners[0].forwarded_n = 1;
}

static void
mail_listener_at_provision(struct site *s)
{
	s->mail_listener.at = site_at("10.9.0.10:25");
}

static void
mail_listener_in_my_number(struct site *s)
{
	s->mail_listener.at = site_at("10.2.3.25:25");
}

static void
mail_header_of_my_number(struct site *s)
{
	s->mail_listener.proxy_protocol = site_prefixes(s, "10.2.3.0/25");
	s->mail_listener.proxy_protocol_n = 1;
}

static void
mail_header_of_provision(struct site *s)
{
	s->mail_listener.proxy_protocol = site_prefixes(s, "10.9.0.10");
	s->mail_listener.proxy_protocol_n = 1;
}

static void
mail_header_of_anybody(struct site *s)
{
	s->mail_listener.proxy_protocol = site_prefixes(s, "0.0.0.0/0");
	s->mail_listener.proxy_protocol_n = 1;
}

/* A checkpoint whose edges forget what no zone may permit. */
static void
zones_forgotten(struct site *s)
{
	s->upstream.reach.zones = NULL;
}

static void
provision_forgotten(struct site *s)
{
	s->upstream.reach.provision_n = 0;
}

static void
forgotten_and_permitted_as_nat64(struct site *s)
{
	struct zone *z = site_zone(s, "i");

	s->upstream.reach.zones = NULL;
	z->permitted = site_prefixes(s, "64:ff9b::/96");
	z->permitted_n = 1;
}

static void
forgotten_and_permitted_as_6to4(struct site *s)
{
	struct zone *z = site_zone(s, "l");

	s->upstream.reach.zones = NULL;
	site_zone(s, "i")->permitted_n = 0;
	z->permitted = site_prefixes(s, "2002::/16");
	z->permitted_n = 1;
}

static void
set_hop(struct site *s, size_t route, const char *host)
{
	const struct next_hop *h = &routes_at(s->routes, route)->hops[0];

	((struct next_hop *)(uintptr_t)h)->host = host;
}

static void
hop_in_my_number(struct site *s)
{
	set_hop(s, 0, "10.1.3.25");
}

static void
hop_in_provision(struct site *s)
{
	set_hop(s, 0, "10.9.0.10");
}

static void
hop_in_a_form(struct site *s)
{
	set_hop(s, 0, "64:ff9b::a01:319");
}

static void
hop_of_bodies_in_my_number(struct site *s)
{
	set_hop(s, 1, "2001:db8:3::25");
}

static void
hop_of_bodies_in_provision(struct site *s)
{
	set_hop(s, 1, "10.9.0.10");
}

static void
rspamd_in_my_number(struct site *s)
{
	s->mail.rspamd.address = "10.1.3.11:11333";
}

static void
scanner_in_provision(struct site *s)
{
	s->profiles.scanners[0] =
	    (struct av_scanner){ .name = "clam", .address = "10.9.0.10:3310" };
	s->profiles.scanners_n = 1;
}

static void
name_server_in_my_number(struct site *s)
{
	static const char *const servers[] = { "10.2.3.53" };

	s->upstream.nameservers =
	    (struct texts){ .p = (const char **)(uintptr_t)servers, .n = 1 };
}

/* What is changed; and the entry, the pair and the carrier that some
 * counter-example must name. */
#define ROW(name, entry, pair)           \
	{                                \
#name, name, entry, pair \
	}
static const struct {
	const char *name;
	void (*change)(struct site *s);
	const char *entry, *pair;
} loosenings[] = {
	ROW(to_the_internet, "settings:22: communication \"shared\"",
	    "(mynumber) reach 198.51.100.7:443 (outside) with tcp by forward"),
	ROW(from_the_internet, "communication \"shared\"",
	    "198.51.100.7 (outside) reach 10.1.3.20:443 (mynumber)"),
	ROW(to_an_internet_segment, "communication \"shared\"",
	    "(mynumber) reach 10.1.2.7:443 (internet)"),
	ROW(from_an_internet_segment, "communication \"shared\"",
	    "10.2.2.7 (internet) reach 10.1.3.20:443 (mynumber)"),
	ROW(to_provision, "communication \"tax\"", "(provision)"),
	ROW(from_provision, "communication \"office\"",
	    "10.9.0.10 (provision) reach"),
	ROW(to_this_machine, "communication \"shared\"", "(checkpoint)"),
	ROW(to_everything, "communication \"shared\"",
	    "reach 0.0.0.0:443 (outside)"),
	ROW(from_everything, "communication \"shared\"", "0.0.0.0 (outside)"),
	ROW(to_all_of_ipv6, "communication \"six\"", "(outside)"),
	ROW(from_all_of_ipv6, "communication \"six\"", ":: (outside)"),
	ROW(to_the_last_address, "communication \"six\"",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:443 (outside)"),
	ROW(widened_source, "communication \"office\"",
	    "10.1.0.0 (outside) reach 10.1.3.30:443 (mynumber)"),
	ROW(widened_twice, "communication \"shared\"",
	    "10.2.2.0 (internet) reach"),
	ROW(widened_source_of_ipv6, "communication \"six\"",
	    "2001:db8:1:1:: (outside) reach"),
	ROW(widened_destination, "communication \"tax\"",
	    "reach 10.8.0.0:443 (outside)"),
	ROW(destination_widened_over_provision, "communication \"tax\"",
	    "reach 10.9.0.10:443 (provision)"),
	ROW(kind_made_plain, "communication \"tax\"", "(lgwan-network)"),
	ROW(plain_beside_what_may, "communication \"six\"",
	    "10.2.3.20 (mynumber) reach 10.9.1.0:443 (lgwan-network)"),
	ROW(ping_to_the_internet, "communication \"ping\"", "with icmp by"),
	ROW(form_of_a_my_number_address, "communication \"six\"",
	    "[64:ff9b::a01:31e]:443 (mynumber)"),
	ROW(system_on_the_internet_side, "settings:19: system \"a\"",
	    "10.1.2.10 (internet) reach 10.9.0.10:8446 (provision) with tcp"
	    " by gate"),
	ROW(system_in_lgwan, "system \"a\"", "10.1.1.10 (lgwan)"),
	ROW(system_nowhere, "system \"b\"", "192.0.2.10 (outside)"),
	ROW(system_widened_over_its_segment, "system \"a\"",
	    "10.1.2.0 (internet)"),
	ROW(gate_at_provision, "system \"a\"",
	    "10.9.0.10:8445 (provision) with tcp by listen"),
	ROW(gate_in_my_number, "system \"a\"",
	    "10.1.3.200:8445 (mynumber) with tcp by listen"),
	ROW(gate_elsewhere, "system \"b\"",
	    "198.51.100.1:8445 (outside) with tcp by listen"),
	ROW(endpoint_on_the_internet, "system \"a\"",
	    "198.51.100.10:8446 (outside) with tcp by gate"),
	ROW(endpoint_in_my_number, "system \"a\"",
	    "10.2.3.99:8446 (mynumber) with tcp by gate"),
	ROW(endpoint_in_lgwan, "system \"a\"", "10.1.1.99:8446 (lgwan)"),
	ROW(endpoint_in_the_lgwan_network, "system \"a\"",
	    "10.9.7.7:8446 (lgwan-network)"),
	ROW(endpoint_is_this_machine, "system \"a\"",
	    "10.0.0.1:8446 (checkpoint) with tcp by gate"),
	ROW(my_number_made_internet, "system \"a\"",
	    "(internet) reach 10.9.0.10:8446 (provision)"),
	ROW(my_number_made_lgwan, "system \"b\"",
	    "10.2.3.10 (lgwan) reach 10.9.0.10:8446 (provision)"),
	ROW(lgwan_made_internet, "communication \"office\"",
	    "10.1.1.0 (internet) reach 10.1.3.30:443 (mynumber)"),
	ROW(listener_at_provision, "site.conf:101: listener 10.0.0.1:8080",
	    "reach 10.9.0.10:8080 (provision) with tcp by listen"),
	ROW(listener_in_my_number, "site.conf:101: listener",
	    "10.1.3.77:8080 (mynumber)"),
	ROW(listener_in_my_number_of_ipv6, "site.conf:102: listener",
	    "[2001:db8:3::77]:8080 (mynumber)"),
	ROW(listener_in_a_form, "site.conf:102: listener",
	    "[2002:a01:34d::1]:8080 (mynumber)"),
	ROW(proxy_header_of_my_number,
	    "site.conf:101: proxy_protocol_from of listener",
	    "10.1.3.128 (mynumber) reach"),
	ROW(proxy_header_of_anybody,
	    "site.conf:102: proxy_protocol_from of listener",
	    "10.1.3.0 (mynumber) reach"),
	ROW(proxy_header_of_provision,
	    "site.conf:101: proxy_protocol_from of listener",
	    "10.9.0.10 (provision) reach"),
	ROW(forwarded_of_my_number, "site.conf:102: forwarded_from of listener",
	    "10.2.3.0 (mynumber) reach"),
	ROW(forwarded_of_a_wide_prefix,
	    "site.conf:101: forwarded_from of listener",
	    "10.1.3.0 (mynumber) reach"),
	ROW(mail_listener_at_provision, "site.conf:103: mail listener",
	    "10.9.0.10:25 (provision)"),
	ROW(mail_listener_in_my_number, "site.conf:103: mail listener",
	    "10.2.3.25:25 (mynumber)"),
	ROW(mail_header_of_my_number,
	    "site.conf:103: proxy_protocol_from of mail listener",
	    "10.2.3.0 (mynumber) reach"),
	ROW(mail_header_of_provision,
	    "site.conf:103: proxy_protocol_from of mail listener",
	    "10.9.0.10 (provision) reach"),
	ROW(mail_header_of_anybody,
	    "site.conf:103: proxy_protocol_from of mail listener",
	    "10.1.3.0 (mynumber) reach"),
	ROW(zones_forgotten, "settings:2: permitted of zone \"i\"",
	    "reach 10.1.3.0:80 (mynumber) with tcp by edge"),
	ROW(provision_forgotten, "settings:2: permitted of zone \"i\"",
	    "reach 10.9.0.10:80 (provision) with tcp by edge"),
	ROW(forgotten_and_permitted_as_nat64, "permitted of zone \"i\"",
	    "[64:ff9b::a01:300]:80 (mynumber) with tcp by edge"),
	ROW(forgotten_and_permitted_as_6to4, "permitted of zone \"l\"",
	    "[2002:a01:300::]:80 (mynumber) with tcp by edge"),
	ROW(hop_in_my_number, ":2: mail route \"inbound city\"",
	    "reach 10.1.3.25:25 (mynumber) with tcp by mail"),
	ROW(hop_in_provision, "mail route \"inbound city\"",
	    "reach 10.9.0.10:25 (provision) with tcp by mail"),
	ROW(hop_in_a_form, "mail route \"inbound city\"",
	    "reach [64:ff9b::a01:319]:25 (mynumber)"),
	ROW(hop_of_bodies_in_my_number, "mail route \"outbound partner\"",
	    "10.2.2.0 (internet) reach [2001:db8:3::25]:25 (mynumber)"),
	ROW(hop_of_bodies_in_provision, "mail route \"outbound partner\"",
	    "reach 10.9.0.10:25 (provision)"),
	ROW(rspamd_in_my_number, "site.conf: mail.rspamd",
	    "(checkpoint) reach 10.1.3.11:11333 (mynumber)"),
	ROW(scanner_in_provision, "site.conf: scanner \"clam\"",
	    "(checkpoint) reach 10.9.0.10:3310 (provision)"),
	ROW(name_server_in_my_number, "site.conf: upstream.nameservers",
	    "10.2.3.53:53 (mynumber) with udp"),
};

static bool
says(const struct proof *p, const char *entry, const char *pair)
{
	char text[VIOLATION_TEXT_MAX];

	for (size_t i = 0; i < p->violations_n; i++) {
		violation_text(&p->violations[i], false, text);
		if (strstr(text, entry) != NULL && strstr(text, pair) != NULL)
			return true;
	}
	return false;
}

START_TEST(proof_holds_for_the_site)
{
	struct proof p;
	char text[VIOLATION_TEXT_MAX];
	size_t points;

	ck_assert_msg(proof_make(&site.settings, &p, &site.err) == 0, "%s",
	    site.err.text);
	if (p.violations_all > 0)
		ck_abort_msg(
		    "%s", violation_text(&p.violations[0], false, text));
	ck_assert_msg(
	    proof_verify(&p, &points, &site.err) == 0, "%s", site.err.text);
	ck_assert_uint_gt(points, 10000);
	/* Every carrier is there, and none of them leads astray. */
	ck_assert_uint_gt(
	    p.matrix[CARRIER_LISTEN][PLACE_MYNUMBER][PLACE_CHECKPOINT], 0);
	ck_assert_uint_gt(
	    p.matrix[CARRIER_GATE][PLACE_MYNUMBER][PLACE_PROVISION], 0);
	ck_assert_uint_gt(
	    p.matrix[CARRIER_FORWARD][PLACE_LGWAN][PLACE_MYNUMBER], 0);
	ck_assert_uint_gt(
	    p.matrix[CARRIER_EDGE][PLACE_INTERNET][PLACE_OUTSIDE], 0);
	ck_assert_uint_gt(
	    p.matrix[CARRIER_MAIL][PLACE_OUTSIDE][PLACE_LGWAN], 0);
	proof_release(&p);
}
END_TEST

START_TEST(proof_finds_each_loosening)
{
	struct proof p;
	char text[VIOLATION_TEXT_MAX] = "none";

	loosenings[_i].change(&site);
	ck_assert_msg(proof_make(&site.settings, &p, &site.err) == 0, "%s",
	    site.err.text);
	if (p.violations_n > 0)
		violation_text(&p.violations[0], false, text);
	ck_assert_msg(
	    p.violations_all > 0, "%s: nothing was found", loosenings[_i].name);
	ck_assert_msg(says(&p, loosenings[_i].entry, loosenings[_i].pair),
	    "%s: the first of %zu is: %s", loosenings[_i].name,
	    p.violations_all, text);
	proof_release(&p);
}
END_TEST

/* What loosens nothing, as the code refuses it whatever the settings say. */

static void
permitted_holds_my_number(struct site *s)
{
	struct zone *z = site_zone(s, "l");

	z->permitted = site_prefixes(s, "::/0");
	z->permitted_n = 1;
}

static void
my_number_has_ports(struct site *s)
{
	static uint16_t ports[] = { 1, 65535 };

	site_zone(s, "m")->ports = ports;
	site_zone(s, "m")->ports_n = 2;
}

static void
my_number_has_permitted(struct site *s)
{
	site_zone(s, "m")->permitted = site_prefixes(s, "::/0");
	site_zone(s, "m")->permitted_n = 1;
}

static void
xclient_of_my_number(struct site *s)
{
	s->mail_listener.xclient = site_prefixes(s, "10.1.3.0/24");
	s->mail_listener.xclient_n = 1;
}

static void
no_gate(struct site *s)
{
	s->isolation->settings.gate = "";
}

static void (*const harmless[])(struct site *s) = {
	permitted_holds_my_number,
	my_number_has_ports,
	my_number_has_permitted,
	xclient_of_my_number,
	no_gate,
};

START_TEST(proof_holds_where_nothing_is_loosened)
{
	struct proof p;
	char text[VIOLATION_TEXT_MAX];

	harmless[_i](&site);
	ck_assert_int_eq(proof_make(&site.settings, &p, &site.err), 0);
	if (p.violations_all > 0)
		ck_abort_msg(
		    "%s", violation_text(&p.violations[0], false, text));
	for (size_t i = 0; i < PLACES; i++) {
		ck_assert_uint_eq(p.matrix[CARRIER_EDGE][PLACE_MYNUMBER][i], 0);
		ck_assert_uint_eq(p.matrix[CARRIER_MAIL][PLACE_MYNUMBER][i], 0);
		ck_assert_uint_eq(p.matrix[CARRIER_EDGE][i][PLACE_MYNUMBER], 0);
	}
	proof_release(&p);
}
END_TEST

Suite *loosenings_suite(void);

Suite *
loosenings_suite(void)
{
	Suite *s = suite_create("loosenings");
	TCase *t = tcase_create("proof");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, proof_holds_for_the_site);
	tcase_add_loop_test(
	    t, proof_finds_each_loosening, 0, (int)COUNT(loosenings));
	tcase_add_loop_test(
	    t, proof_holds_where_nothing_is_loosened, 0, (int)COUNT(harmless));
	suite_add_tcase(s, t);
	return s;
}
