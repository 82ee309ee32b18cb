/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/zone/zone.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/buf.h"

#define PREFECTURE "prefecture = { code = \"990001\"; };\n"
#define ZONES                                                        \
	"zones = ( { name = \"internet\"; kind = \"internet\"; },\n" \
	" { name = \"lgwan\"; kind = \"lgwan\"; ports = [8443]; } );\n"
#define BODY(code, segments)                                              \
	" { code = \"" code "\"; name_ja = \"町\"; segments = (" segments \
	" ); }"
#define SEGMENT(prefix, zone) \
	" { prefix = \"" prefix "\"; zone = \"" zone "\"; }"

static struct arena arena;
static struct err err;

static void
teardown(void)
{
	arena_release(&arena);
}

static struct zones *
load(const char *text)
{
	config_t config;
	struct zones *z;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	err.text[0] = '\0';
	z = zones_load(config_root_setting(&config), &arena, &err);
	config_destroy(&config);
	return z;
}

/* Known codes: Sapporo, Chiyoda, Osaka prefecture, Naha, and ours. */
static const char *const codes[] = { "011002", "131016", "270008", "472018",
	"990001", "990019", "990027" };

START_TEST(zone_check_digit_is_that_of_the_ministry)
{
	ck_assert_int_eq(body_code_check_digit(codes[_i]), codes[_i][5]);
}
END_TEST

static const struct {
	const char *digits;
	char want;
} remainders[] = {
	{ "00000", '1' }, /* 11 - 0: the last digit of 11 */
	{ "00006", '0' }, /* 6 * 2 = 12, 11 - 1 */
	{ "00001", '9' }, /* 11 - 2 */
	{ "00005", '1' }, /* 11 - 10 */
	{ "99999", '7' }, /* 180, 11 - 4 */
};

START_TEST(zone_check_digit_is_the_last_of_two)
{
	ck_assert_int_eq(
	    body_code_check_digit(remainders[_i].digits), remainders[_i].want);
}
END_TEST

static const char nested[] = PREFECTURE ZONES "bodies = (" BODY("990019",
    SEGMENT("0.0.0.0/1", "internet") "," SEGMENT(
	"192.0.2.0/24", "lgwan") "," SEGMENT("192.0.2.128/25",
	"lgwan") "," SEGMENT("255.255.255.255",
	"lgwan") "," SEGMENT("2001:db8::/32",
	"internet") "," SEGMENT("2001:db8:1::/48",
	"internet")) "," BODY("990027",
    SEGMENT("198.51.100.64/26", "internet") "," SEGMENT(
	"198.51.100.77", "internet") "," SEGMENT("198.51.100.128/25",
	"lgwan") "," SEGMENT("ffff:ffff:ffff:ffff::/64", "internet")) ");";

static const struct {
	const char *address;
	const char *want; /* "body zone bits", or empty */
} clients[] = {
	{ "0.0.0.0", "990019 internet 97" },
	{ "127.255.255.255", "990019 internet 97" },
	{ "128.0.0.0", "" },
	{ "192.0.1.255", "" },
	{ "192.0.2.0", "990019 lgwan 120" },
	{ "192.0.2.127", "990019 lgwan 120" },
	{ "192.0.2.128", "990019 lgwan 121" },
	{ "192.0.2.255", "990019 lgwan 121" },
	{ "192.0.3.0", "" },
	{ "198.51.100.63", "" },
	{ "198.51.100.64", "990027 internet 122" },
	{ "198.51.100.76", "990027 internet 122" },
	{ "198.51.100.77", "990027 internet 128" },
	{ "198.51.100.78", "990027 internet 122" },
	{ "198.51.100.127", "990027 internet 122" },
	{ "198.51.100.128", "990027 lgwan 121" },
	{ "255.255.255.254", "" },
	{ "255.255.255.255", "990019 lgwan 128" },
	{ "::ffff:198.51.100.77", "990027 internet 128" },
	{ "::fffe:198.51.100.77", "" },
	{ "::198.51.100.77", "" },
	{ "::", "" },
	{ "::1", "" },
	{ "::1:0:0:0", "" },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "" },
	{ "2001:db8::", "990019 internet 32" },
	{ "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "990019 internet 32" },
	{ "2001:db8:1::", "990019 internet 48" },
	{ "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "990019 internet 48" },
	{ "2001:db8:2::", "990019 internet 32" },
	{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "990019 internet 32" },
	{ "2001:db9::", "" },
	{ "ffff:ffff:ffff:fffe:ffff:ffff:ffff:ffff", "" },
	{ "ffff:ffff:ffff:ffff::", "990027 internet 64" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "990027 internet 64" },
};

static const char *
words(const struct segment *s)
{
	return s == NULL ? ""
			 : arena_printf(&arena, "%s %s %u", s->body->code,
			       s->zone->name, s->prefix.bits);
}

START_TEST(zone_is_that_of_the_longest_prefix)
{
	struct zones *z = load(nested);
	struct address a;

	ck_assert_msg(z != NULL, "%s", err.text);
	ck_assert(address_parse(&a, bytes_of(clients[_i].address)) == 0);
	ck_assert_str_eq(words(zones_lookup(z, &a)), clients[_i].want);
}
END_TEST

/* The table says what a look at every prefix says. */
START_TEST(zone_table_agrees_with_a_look_at_all)
{
	struct zones *z;
	struct prefix p[200] = { 0 };
	const char *segments = "";
	unsigned seed = (unsigned)_i;

	for (size_t i = 0; i < COUNT(p);) {
		char text[ADDRESS_TEXT_MAX];
		unsigned bits = 16 + (unsigned)rand_r(&seed) % 9;
		unsigned octet = (unsigned)rand_r(&seed);
		bool known = false;

		snprintf(text, sizeof(text), "10.%u.%u.0", octet & 3,
		    octet >> 8 & 255 & 0xff00u >> (bits - 16));
		ck_assert(prefix_parse(&p[i], bytes_of(text)) == 0);
		p[i].bits = (uint8_t)(96 + bits);
		for (size_t k = 0; k < i; k++)
			known |= memcmp(&p[k], &p[i], sizeof(p[i])) == 0;
		if (known)
			continue;
		segments = arena_printf(&arena,
		    "%s%s{ prefix = \"%s/%u\"; zone = \"lgwan\"; }", segments,
		    i == 0 ? "" : ",", text, bits);
		i++;
	}
	z = load(arena_printf(&arena,
	    PREFECTURE ZONES "bodies = (" BODY("990019", "%s") ");", segments));
	ck_assert_msg(z != NULL, "%s", err.text);
	for (unsigned i = 0; i < 4 * 256 * 2; i++) {
		struct address a = { .octets = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					 255, 255, 10, (uint8_t)(i >> 9),
					 (uint8_t)(i >> 1),
					 (i & 1) != 0 ? 255 : 0 } };
		const struct segment *s = zones_lookup(z, &a);
		int best = 0;

		for (size_t k = 0; k < COUNT(p); k++)
			if (prefix_contains(&p[k], &a) && p[k].bits > best)
				best = p[k].bits;
		ck_assert_int_eq(s == NULL ? 0 : s->prefix.bits, best);
	}
}
END_TEST

START_TEST(zone_of_no_settings_knows_nobody)
{
	struct zones *z = load("");
	struct address a;

	ck_assert_msg(z != NULL, "%s", err.text);
	ck_assert(address_parse(&a, BYTES("192.0.2.1")) == 0);
	ck_assert(zones_lookup(z, &a) == NULL);
	ck_assert_uint_eq(zones_bodies(z), 0);
	ck_assert(zones_body(z, 0) == NULL);
	ck_assert(zones_by_name(z, BYTES("internet")) == NULL);
}
END_TEST

START_TEST(zone_and_body_are_found_by_name)
{
	struct zones *z = load(nested);

	ck_assert_int_eq(
	    zones_by_name(z, BYTES("internet"))->kind, ZONE_INTERNET);
	ck_assert_uint_eq(zones_by_name(z, BYTES("lgwan"))->ports_n, 1);
	ck_assert_uint_eq(zones_by_name(z, BYTES("lgwan"))->ports[0], 8443);
	ck_assert(zones_by_name(z, BYTES("LGWAN")) == NULL);
	ck_assert_uint_eq(zones_bodies(z), 2);
	ck_assert_uint_eq(zones_body_by_code(z, BYTES("990027"))->index, 1);
	ck_assert_str_eq(zones_body(z, 0)->code, "990019");
	ck_assert(zones_body(z, 2) == NULL);
	ck_assert(zones_body_by_code(z, BYTES("990001")) == NULL);
}
END_TEST

#define ONE(segments) \
	PREFECTURE ZONES "bodies = (\n" BODY("990019", segments) ");"

#define APART                                                               \
	" expected segments apart: only the same zone of the same body may" \
	" have one in the other"

static const struct {
	const char *text;
	const char *want; /* the whole message */
} bad[] = {
	{ "zones = 1;", "settings:1: zones: expected a list ( … )" },
	{ "zones = ( { name = \"a\"; } );",
	    "settings:1: kind is missing, expected a string" },
	{ "zones = ( { name = \"a\"; kind = \"dmz\"; } );",
	    "settings:1: kind is \"dmz\", expected internet, lgwan or"
	    " mynumber" },
	{ "zones = ( { name = \"a\"; kind = \"lgwan\"; },\n"
	  " { name = \"a\"; kind = \"lgwan\"; } );",
	    "settings:2: zone \"a\" is there twice" },
	{ "zones = ( { name = \"a\"; kind = \"mynumber\";\n"
	  " permitted = [\"192.0.2.0/24\"]; } );",
	    "settings:1: a mynumber zone has permitted addresses, expected"
	    " none" },
	{ "zones = ( { name = \"a\"; kind = \"lgwan\";\n"
	  " permitted = [\"192.0.2.1/24\"]; } );",
	    "settings:2: \"192.0.2.1/24\" is no prefix, expected one such as"
	    " 192.0.2.0/24" },
	{ "zones = ( { name = \"a\"; kind = \"lgwan\"; ports = [0]; } );",
	    "settings:1: a port is 0, expected 1 to 65535" },
	{ "zones = ( { name = \"a\"; kind = \"lgwan\"; ports = [65536]; } );",
	    "settings:1: a port is 65536, expected 1 to 65535" },
	{ PREFECTURE "bodies = ( { name_ja = \"a\"; } );",
	    "settings:2: code is missing, expected a string of six digits" },
	{ PREFECTURE "bodies = ( { code = 990019; name_ja = \"a\"; } );",
	    "settings:2: code is missing, expected a string of six digits" },
	{ PREFECTURE "bodies = (" BODY("990018", "") ");",
	    "settings:2: \"990018\" is no body code, expected five digits and"
	    " their check digit" },
	{ PREFECTURE "bodies = (" BODY("99001", "") ");",
	    "settings:2: \"99001\" is no body code, expected five digits and"
	    " their check digit" },
	{ PREFECTURE "bodies = (" BODY("9900190", "") ");",
	    "settings:2: \"9900190\" is no body code, expected five digits"
	    " and their check digit" },
	{ PREFECTURE "bodies = (" BODY("99001a", "") ");",
	    "settings:2: \"99001a\" is no body code, expected five digits and"
	    " their check digit" },
	{ PREFECTURE "bodies = (" BODY("131016", "") ");",
	    "settings:2: body 131016 is of another prefecture than 990001" },
	{ PREFECTURE
	    "bodies = (" BODY("990019", "") ",\n" BODY("990019", "") ");",
	    "settings:3: body 990019 is there twice" },
	{ ONE(SEGMENT("192.0.2.0/24", "dmz")),
	    "settings:5: zone \"dmz\" is not in zones" },
	{ ONE(SEGMENT("192.0.2.1/24", "lgwan")),
	    "settings:5: \"192.0.2.1/24\" is no prefix, expected one such as"
	    " 192.0.2.0/26 without bits behind the mask" },
	{ ONE(SEGMENT("192.0.2.0/33", "lgwan")),
	    "settings:5: \"192.0.2.0/33\" is no prefix, expected one such as"
	    " 192.0.2.0/26 without bits behind the mask" },
	{ ONE(SEGMENT("192.0.2.0/24", "lgwan") ",\n" SEGMENT(
	      "192.0.2.0/24", "internet")),
	    "settings:6: 192.0.2.0/24 is there twice, first for 990019 at"
	    " settings:5" },
	{ ONE(SEGMENT("192.0.2.1", "lgwan") ",\n" SEGMENT(
	      "::ffff:192.0.2.1/32", "internet")),
	    "settings:6: 192.0.2.1/32 is there twice, first for 990019 at"
	    " settings:5" },
	{ ONE(SEGMENT("192.0.2.0/24", "internet") ",\n" SEGMENT(
	      "192.0.2.128/25", "lgwan")),
	    "settings:6: 192.0.2.128/25 of zone \"lgwan\" of 990019 lies in"
	    " 192.0.2.0/24 of zone \"internet\" of 990019 "
	    "(settings:5)," APART },
	{ ONE(SEGMENT("192.0.2.128/25", "lgwan") ",\n" SEGMENT(
	      "192.0.2.0/24", "internet")),
	    "settings:5: 192.0.2.128/25 of zone \"lgwan\" of 990019 lies in"
	    " 192.0.2.0/24 of zone \"internet\" of 990019 "
	    "(settings:6)," APART },
	{ ONE(SEGMENT("192.0.2.0/24", "internet") ",\n" SEGMENT("192.0.2.0/25",
	      "internet") ",\n" SEGMENT("192.0.2.64/26", "lgwan")),
	    "settings:7: 192.0.2.64/26 of zone \"lgwan\" of 990019 lies in"
	    " 192.0.2.0/25 of zone \"internet\" of 990019 "
	    "(settings:6)," APART },
	{ ONE(SEGMENT("::/0", "internet") ",\n" SEGMENT("192.0.2.1", "lgwan")),
	    "settings:6: 192.0.2.1/32 of zone \"lgwan\" of 990019 lies in"
	    " ::/0 of zone \"internet\" of 990019 (settings:5)," APART },
	{ PREFECTURE ZONES "bodies = (\n" BODY("990019",
	      SEGMENT("192.0.2.0/24", "internet")) ",\n" BODY("990027",
	      SEGMENT("192.0.2.8/29", "internet")) ");",
	    "settings:6: 192.0.2.8/29 of zone \"internet\" of 990027 lies in"
	    " 192.0.2.0/24 of zone \"internet\" of 990019 "
	    "(settings:5)," APART },
};

START_TEST(zone_settings_are_strict)
{
	ck_assert(load(bad[_i].text) == NULL);
	ck_assert_str_eq(err.text, bad[_i].want);
}
END_TEST

/* One wide segment, and each that is in its way. */
START_TEST(zone_overlaps_are_told_together)
{
	static struct err_list all;

	all.n = 0;
	err.list = &all;
	ck_assert(load(PREFECTURE ZONES "bodies = (\n" BODY("990019",
		      SEGMENT("10.0.0.0/8", "internet") ",\n" SEGMENT(
			  "10.1.0.0/16", "lgwan") ",\n" SEGMENT("10.1.1.0/24",
			  "lgwan") ",\n" SEGMENT("10.2.0.0/16",
			  "internet") ",\n" SEGMENT("10.3.0.0/16",
			  "lgwan")) ");") == NULL);
	err.list = NULL;
	ck_assert_uint_eq(all.n, 2);
	ck_assert(strncmp(all.texts[0], "settings:6:", 11) == 0);
	ck_assert(strncmp(all.texts[1], "settings:9:", 11) == 0);
}
END_TEST

/* What a stretch says holds for each of its addresses, and not for the one
 * behind. */
START_TEST(zone_stretches_end_where_their_owner_does)
{
	struct zones *z = load(nested);
	uint8_t at[16] = { 0 };
	uint8_t last[16];
	unsigned n = 0;
	char text[ADDRESS_TEXT_MAX];
	const char *ends = "";

	ck_assert_msg(z != NULL, "%s", err.text);
	do {
		const struct segment *s = zones_stretch(z, at, last);
		struct address a = { 0 };

		memcpy(a.octets, at, 16);
		ck_assert(zones_lookup(z, &a) == s);
		memcpy(a.octets, last, 16);
		ck_assert(zones_lookup(z, &a) == s);
		ends =
		    arena_printf(&arena, "%s%s ", ends, address_text(&a, text));
		memcpy(at, last, 16);
		for (size_t i = 16; i-- > 0 && ++at[i] == 0;)
			;
	} while (n++ < 100 && memcmp(at, (uint8_t[16]){ 0 }, 16) != 0);
	ck_assert_str_eq(ends,
	    "::fffe:ffff:ffff 127.255.255.255 192.0.1.255 192.0.2.127"
	    " 192.0.2.255 198.51.100.63 198.51.100.76 198.51.100.77"
	    " 198.51.100.127 198.51.100.255 255.255.255.254 255.255.255.255"
	    " 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"
	    " 2001:db8:0:ffff:ffff:ffff:ffff:ffff"
	    " 2001:db8:1:ffff:ffff:ffff:ffff:ffff"
	    " 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"
	    " ffff:ffff:ffff:fffe:ffff:ffff:ffff:ffff"
	    " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ");
	ck_assert_uint_eq(zones_segments(z), 10);
	ck_assert_uint_eq(zones_segment(z, 9)->prefix.bits, 64);
	ck_assert(zones_segment(z, 10) == NULL);
}
END_TEST

/* The text of n bodies, whose codes have their check digits. */
static const char *
many_bodies(unsigned n)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < n; i++) {
		char code[16];

		snprintf(code, sizeof(code), "99%03u", i);
		ck_assert(buf_printf(&b,
			      "%s{ code = \"%s%c\"; name_ja ="
			      " \"町\"; }",
			      i == 0 ? "" : ",", code,
			      body_code_check_digit(code)) == 0);
	}
	text = arena_printf(&arena, PREFECTURE "bodies = ( %.*s );",
	    BYTES_PRINTF(buf_bytes(&b)));
	buf_release(&b);
	return text;
}

START_TEST(zone_bodies_have_a_limit)
{
	ck_assert_msg(
	    load(many_bodies(BODIES_MAX - 1)) != NULL, "%s", err.text);
	ck_assert(load(many_bodies(BODIES_MAX)) == NULL);
	ck_assert_str_eq(err.text,
	    "settings:2: 256 bodies, expected fewer than 256 and at most"
	    " 65536 segments");
}
END_TEST

static const char *
many_zones(unsigned n)
{
	const char *text = "";

	for (unsigned i = 0; i < n; i++)
		text = arena_printf(&arena,
		    "%s%s{ name = \"z%u\"; kind = \"lgwan\"; }", text,
		    i == 0 ? "" : ",", i);
	return arena_printf(&arena, "zones = ( %s );", text);
}

START_TEST(zone_count_has_a_limit)
{
	ck_assert_msg(load(many_zones(64)) != NULL, "%s", err.text);
	ck_assert(load(many_zones(65)) == NULL);
	ck_assert_str_eq(err.text, "settings:1: 65 zones, expected at most 64");
}
END_TEST

/* n segments of four addresses each, 10.0.0.0/30 and on, of 64 bodies: a
 * single long list would measure how libconfig makes one longer. */
static const char *
many_segments(unsigned n)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 23);
	for (unsigned i = 0; i < n; i++) {
		char code[6] = "";

		if (i % (n / 64) == 0 && i / (n / 64) < 64) {
			snprintf(code, sizeof(code), "99%03u", i / (n / 64));
			ck_assert(buf_printf(&b,
				      "%s{ code = \"%s%c\"; name_ja = \"町\";"
				      " segments = (",
				      i == 0 ? "" : "); },", code,
				      body_code_check_digit(code)) == 0);
		}
		ck_assert(buf_printf(&b,
			      "%s{ prefix = \"10.%u.%u.%u/30\";"
			      " zone = \"lgwan\"; }",
			      code[0] != '\0' ? "" : ",", i >> 14, i >> 6 & 255,
			      (i & 63) * 4) == 0);
	}
	text = arena_printf(&arena, PREFECTURE ZONES "bodies = ( %.*s ); } );",
	    BYTES_PRINTF(buf_bytes(&b)));
	buf_release(&b);
	return text;
}

/* As many as may be load in a moment, for each reload waits for it. */
START_TEST(zone_segments_have_a_limit)
{
	struct zones *z = load(many_segments(65536));
	struct address a;

	ck_assert_msg(z != NULL, "%s", err.text);
	ck_assert(address_parse(&a, BYTES("10.3.255.255")) == 0);
	ck_assert_uint_eq(zones_lookup(z, &a)->prefix.bits, 126);
	ck_assert(address_parse(&a, BYTES("10.4.0.0")) == 0);
	ck_assert(zones_lookup(z, &a) == NULL);
	ck_assert(load(many_segments(65537)) == NULL);
}
END_TEST

/* Without the prefecture's own code bodies of any are taken. */
START_TEST(zone_bodies_need_no_prefecture)
{
	ck_assert_msg(
	    load("bodies = (" BODY("131016", "") ");") != NULL, "%s", err.text);
}
END_TEST

Suite *zone_suite(void);

Suite *
zone_suite(void)
{
	Suite *s = suite_create("zone");
	TCase *t = tcase_create("zone");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(
	    t, zone_check_digit_is_that_of_the_ministry, 0, COUNT(codes));
	tcase_add_loop_test(
	    t, zone_check_digit_is_the_last_of_two, 0, COUNT(remainders));
	tcase_add_loop_test(
	    t, zone_is_that_of_the_longest_prefix, 0, COUNT(clients));
	tcase_add_loop_test(t, zone_table_agrees_with_a_look_at_all, 0, 5);
	tcase_add_test(t, zone_of_no_settings_knows_nobody);
	tcase_add_test(t, zone_and_body_are_found_by_name);
	tcase_add_test(t, zone_overlaps_are_told_together);
	tcase_add_test(t, zone_stretches_end_where_their_owner_does);
	tcase_add_loop_test(t, zone_settings_are_strict, 0, COUNT(bad));
	tcase_add_test(t, zone_bodies_have_a_limit);
	tcase_add_test(t, zone_count_has_a_limit);
	tcase_add_test(t, zone_segments_have_a_limit);
	tcase_add_test(t, zone_bodies_need_no_prefecture);
	suite_add_tcase(s, t);
	return s;
}
