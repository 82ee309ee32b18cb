/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/kernel/ruleset.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1795748400

static const char settings[] =
    "zones = ( { name = \"i\"; kind = \"internet\"; }, { name = \"l\"; kind ="
    " \"lgwan\"; }, { name = \"m\"; kind = \"mynumber\"; } );"
    "bodies = ( { code = \"990019\"; name_ja = \"市\"; segments = ("
    " { prefix = \"10.1.1.0/24\"; zone = \"i\"; },"
    " { prefix = \"10.1.2.0/24\"; zone = \"l\"; },"
    " { prefix = \"10.1.3.0/24\"; zone = \"m\"; },"
    " { prefix = \"10.1.4.0/24\"; zone = \"m\"; },"
    " { prefix = \"2001:db8:3::/64\"; zone = \"m\"; } ); } );"
    "isolation = { machine = [\"10.1.3.1\", \"10.1.1.1\"];"
    " canaries = [\"203.0.113.9:443\", \"[2001:db8:9::9]:443\","
    " \"203.0.113.9:443\"];"
    " admin = [\"10.1.1.8/29 tcp 22\", \"2001:db8:1::/64 icmp\"]; };"
    "provision = ( { name = \"p\"; addresses = [\"10.9.0.10\"]; port = 8446;"
    " certificate ="
    " \"00000000000000000000000000000000000000000000000000000000000000aa\";"
    " owner = \"o\"; } );";

/* Communications, in an order of their own. */
static struct communication mac_one = {
	.has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 }, .expires = NOW + 100
};
static struct communication mac_two = {
	.has_mac = true, .mac = { 2, 0, 0, 0, 0, 2 }, .expires = NOW + 50
};
static struct communication plain = { .expires = NOW + 200 };

static const struct {
	const struct communication *entry; /* NULL: a listener */
	const char *from, *to;
	uint16_t first, last;
	uint8_t protocol;
} given[] = {
	{ NULL, "10.1.3.10", "10.1.3.1", 8445, 8445, 6 },
	{ NULL, "10.1.1.0/24", "10.1.1.1", 8080, 8080, 6 },
	{ &plain, "10.1.3.0/28", "10.1.2.0/24", 443, 443, 6 },
	{ &plain, "10.1.3.8/29", "10.1.2.128/25", 440, 450, 6 },
	{ &plain, "10.1.2.7", "10.1.4.0/25", 0, 65535, 1 },
	{ &plain, "2001:db8:3::/80", "2001:db8:2::7", 53, 53, 17 },
	{ &mac_one, "10.1.3.32/28", "10.1.2.9", 80, 90, 6 },
	{ &mac_two, "10.1.3.40/29", "10.1.2.9", 85, 95, 6 },
};

static struct arena arena;
static struct err err;
static struct ruleset rules;
static struct buf text;
static struct prefix given_from[COUNT(given)], given_to[COUNT(given)];

static struct prefix
prefix(const char *words)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(&p, bytes_of(words)) == 0, "%s", words);
	return p;
}

static void
setup(void)
{
	struct grant *grants = ARENA_ARRAY(&arena, struct grant, COUNT(given));
	struct isolation_model *m;
	struct zones *z;
	config_t config;

	config_init(&config);
	ck_assert(config_read_string(&config, settings) == CONFIG_TRUE);
	z = zones_load(config_root_setting(&config), &arena, &err);
	ck_assert_msg(z != NULL, "%s", err.text);
	m = isolation_load(
	    config_root_setting(&config), z, "/", NOW, &arena, &err);
	ck_assert_msg(m != NULL, "%s", err.text);
	config_destroy(&config);
	m->settings.gate = "10.1.3.1:8445";
	ck_assert_int_eq(address_parse_port(
			     &m->settings.gate_at, bytes_of(m->settings.gate)),
	    0);
	for (size_t i = 0; i < COUNT(given); i++) {
		given_from[i] = prefix(given[i].from);
		given_to[i] = prefix(given[i].to);
		grants[i] = (struct grant){
			.carrier = given[i].entry == NULL ? CARRIER_LISTEN
							  : CARRIER_FORWARD,
			.from = range_of(&given_from[i]),
			.to = range_of(&given_to[i]),
			.port_first = given[i].first,
			.port_last = given[i].last,
			.protocol = given[i].protocol,
			.what = "given",
			.entry = given[i].entry,
		};
	}
	rules = (struct ruleset){
		.model = m,
		.cells =
		    cells_cut(grants, COUNT(given), CELLS_MAX, &arena, &err),
		.gate_uid = 64808,
		.now = NOW,
	};
	ck_assert_msg(rules.cells != NULL, "%s", err.text);
	buf_init(&text, RULESET_MAX);
}

static void
teardown(void)
{
	buf_release(&text);
	arena_release(&arena);
}

static const char *
write_text(void)
{
	buf_release(&text);
	ck_assert_msg(ruleset_write(&rules, RULESET_TABLE, RULESET_ACTIVE,
			  &text, &err) == 0,
	    "%s", err.text);
	return arena_string(&arena, buf_bytes(&text));
}

/* What stands between the braces of a set's elements; "" for none. */
static const char *
elements_of(const char *all, const char *set)
{
	const char *at = strstr(all, arena_printf(&arena, "\tset %s {\n", set));
	const char *end, *begin;

	ck_assert_msg(at != NULL, "%s", set);
	end = strstr(at, "\n\t}\n");
	begin = strstr(at, "elements = { ");
	if (begin == NULL || begin > end)
		return "";
	begin += strlen("elements = { ");
	return arena_string(&arena,
	    (struct bytes){
		(const uint8_t *)begin, (size_t)(end - begin) - strlen(" }") });
}

static const struct {
	const char *set, *elements;
} golden[] = {
	/* without this machine's own address */
	{ "mynumber4", "10.1.3.0,\n\t\t\t10.1.3.2-10.1.4.255" },
	{ "mynumber6", "2001:db8:3::/64" },
	{ "provision4", "10.9.0.10" },
	{ "provision6", "" },
	{ "elsewhere4",
	    "0.0.0.0-10.1.2.255,\n\t\t\t10.1.3.1,\n\t\t\t"
	    "10.1.5.0-10.9.0.9,\n\t\t\t10.9.0.11-255.255.255.255" },
	{ "elsewhere6",
	    "::-::fffe:ffff:ffff,\n\t\t\t"
	    "::1:0:0:0-2001:db8:2:ffff:ffff:ffff:ffff:ffff,\n\t\t\t"
	    "2001:db8:3:1::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "gate4", "10.1.3.10 . 10.1.3.1 . 6 . 8445" },
	{ "gate6", "" },
	{ "listen4", "10.1.1.0/24 . 10.1.1.1 . 6 . 8080" },
	{ "forward6", "2001:db8:3::/80 . 2001:db8:2::7 . 17 . 53" },
	{ "endpoint4", "10.9.0.10 . 8446" },
	{ "canary4", "203.0.113.9 . 443" },
	{ "canary6", "2001:db8:9::9 . 443" },
	{ "admin4", "10.1.1.8/29 . 6 . 22" },
	{ "admin6", "2001:db8:1::/64 . 58 . 0-65535" },
};

START_TEST(ruleset_names_what_the_model_does)
{
	const char *all = write_text();

	ck_assert_str_eq(elements_of(all, golden[_i].set), golden[_i].elements);
}
END_TEST

/* An element, read again. */
struct element {
	uint8_t mac[6];
	struct range from, to;
	unsigned protocol, first, last;
};

static struct range
read_range(struct bytes words)
{
	struct bytes last = words;
	struct bytes first = bytes_take_until(&last, '-');
	struct address a, b;
	struct range r;
	struct prefix p;

	if (first.n == words.n) {
		ck_assert_int_eq(prefix_parse(&p, words), 0);
		return range_of(&p);
	}
	ck_assert_int_eq(address_parse(&a, first), 0);
	ck_assert_int_eq(address_parse(&b, last), 0);
	memcpy(r.first, a.octets, 16);
	memcpy(r.last, b.octets, 16);
	return r;
}

static struct bytes
part(struct bytes *element)
{
	struct bytes words = bytes_take_until(element, ' ');

	bytes_take(element, strlen(". "));
	return words;
}

static size_t
read_elements(const char *all, const char *set, struct element *out, size_t max)
{
	struct bytes rest = bytes_of(elements_of(all, set));
	size_t n = 0;

	while (rest.n > 0) {
		struct bytes one = bytes_take_until(&rest, ',');
		struct element *e = &out[n++];
		char mac[32];

		ck_assert_uint_lt(n, max);
		while (one.n > 0 && (one.p[0] == '\n' || one.p[0] == '\t'))
			bytes_take(&one, 1);
		*e = (struct element){ 0 };
		if (strstr(set, "mac") != NULL) {
			struct bytes words = part(&one);

			snprintf(mac, sizeof(mac), "%.*s", BYTES_PRINTF(words));
			ck_assert_int_eq(
			    sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx",
				&e->mac[0], &e->mac[1], &e->mac[2], &e->mac[3],
				&e->mac[4], &e->mac[5]),
			    6);
		}
		e->from = read_range(part(&one));
		e->to = read_range(part(&one));
		e->protocol =
		    (unsigned)strtoul((const char *)part(&one).p, NULL, 10);
		e->first = (unsigned)strtoul((const char *)one.p, NULL, 10);
		e->last = bytes_index(one, '-') < 0
		    ? e->first
		    : (unsigned)strtoul(
			  (const char *)one.p + bytes_index(one, '-') + 1, NULL,
			  10);
	}
	return n;
}

static unsigned
passes(const struct element *all, size_t n, const uint8_t *mac,
    const struct address *from, const struct address *to, unsigned protocol)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += range_contains(&all[i].from, from->octets) &&
		    range_contains(&all[i].to, to->octets) &&
		    all[i].protocol == protocol && to->port >= all[i].first &&
		    to->port <= all[i].last &&
		    (mac == NULL || memcmp(mac, all[i].mac, 6) == 0);
	return count;
}

#define ELEMENTS_MAX 256
static struct {
	struct element sets[5][2 * ELEMENTS_MAX];
	size_t n[5];
} read_again;

static void
read_sets(const char *all)
{
	static const char *const names[] = { "gate", "listen", "forward",
		"forward_mac", "forward_back" };

	for (size_t i = 0; i < COUNT(names); i++) {
		size_t n =
		    read_elements(all, arena_printf(&arena, "%s4", names[i]),
			read_again.sets[i], ELEMENTS_MAX);

		read_again.n[i] = n +
		    read_elements(all, arena_printf(&arena, "%s6", names[i]),
			read_again.sets[i] + n, ELEMENTS_MAX);
	}
}

/* What the given entries say of it, each alone. */
static bool
grants_say(const struct address *from, const struct address *to,
    unsigned protocol, const uint8_t *mac, enum carrier carrier)
{
	for (size_t i = 0; i < COUNT(given); i++) {
		const struct communication *c = given[i].entry;

		if ((c == NULL) != (carrier == CARRIER_LISTEN) ||
		    given[i].protocol != protocol ||
		    !prefix_contains(&given_from[i], from) ||
		    !prefix_contains(&given_to[i], to) ||
		    to->port < given[i].first || to->port > given[i].last)
			continue;
		if (c == NULL || (!c->has_mac && c->expires > rules.now) ||
		    (c->has_mac && c->expires > rules.now &&
			memcmp(c->mac, mac, 6) == 0))
			return true;
	}
	return false;
}

static void
compare(const struct address *from, const struct address *to, unsigned protocol)
{
	static const uint8_t macs[][6] = { { 2, 0, 0, 0, 0, 1 },
		{ 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 3 } };
	unsigned gate = passes(
	    read_again.sets[0], read_again.n[0], NULL, from, to, protocol);
	unsigned listen = passes(
	    read_again.sets[1], read_again.n[1], NULL, from, to, protocol);
	unsigned forward = passes(
	    read_again.sets[2], read_again.n[2], NULL, from, to, protocol);
	unsigned back = passes(
	    read_again.sets[4], read_again.n[4], NULL, from, to, protocol);

	/* The kernel takes no two elements that overlap. */
	ck_assert_uint_le(gate, 1);
	ck_assert_uint_le(listen, 1);
	ck_assert_uint_le(forward, 1);
	ck_assert_uint_le(back, 1);
	ck_assert_int_eq(gate + listen > 0,
	    grants_say(from, to, protocol, macs[0], CARRIER_LISTEN));
	for (size_t i = 0; i < COUNT(macs); i++) {
		unsigned by_mac = passes(read_again.sets[3], read_again.n[3],
		    macs[i], from, to, protocol);

		ck_assert_uint_le(by_mac, 1);
		ck_assert_int_eq(forward + by_mac > 0,
		    grants_say(from, to, protocol, macs[i], CARRIER_FORWARD));
		ck_assert(by_mac == 0 || back == 1);
	}
}

/* The ends of a range, and what stands beside them. */
static size_t
corners(const struct range *r, struct address out[4])
{
	for (size_t i = 0; i < 4; i++)
		memcpy(out[i].octets, i < 2 ? r->first : r->last, 16);
	for (size_t k = 16; k-- > 0 && out[0].octets[k]-- == 0;)
		;
	for (size_t k = 16; k-- > 0 && ++out[3].octets[k] == 0;)
		;
	return 4;
}

static void
compare_corners(void)
{
	static const uint8_t protocols[] = { 1, 6, 17, 47 };
	size_t compared = 0;

	for (size_t i = 0; i < COUNT(given); i++)
		for (size_t k = 0; k < COUNT(given); k++) {
			struct range from_range = range_of(&given_from[i]);
			struct range to_range = range_of(&given_to[k]);
			struct address from[4] = { 0 };
			struct address to[4] = { 0 };

			corners(&from_range, from);
			corners(&to_range, to);
			for (size_t n = 0; n < 4 * 4 * COUNT(given) * 4; n++) {
				size_t by = n / 16;
				uint16_t first = given[by / 4].first;
				uint16_t last = given[by / 4].last;
				const uint16_t ports[] = { (uint16_t)(first -
							       1),
					first, last, (uint16_t)(last + 1) };

				to[n / 4 % 4].port = ports[by % 4];
				for (size_t p = 0; p < COUNT(protocols); p++)
					compare(&from[n % 4], &to[n / 4 % 4],
					    protocols[p]);
				compared++;
			}
		}
	ck_assert_uint_gt(compared, 30000);
}

START_TEST(ruleset_lets_through_what_is_granted)
{
	read_sets(write_text());
	ck_assert_uint_gt(read_again.n[2], 4);
	ck_assert_uint_gt(read_again.n[3], 3);
	compare_corners();
}
END_TEST

/* One after the other, each in the second in which it is over. */
START_TEST(ruleset_forgets_what_is_over)
{
	static const time_t over[] = { 50, 100, 200 };
	struct isolation_model m = *rules.model;
	struct communication all[] = { mac_one, mac_two, plain };

	m.communications = all;
	m.communications_n = COUNT(all);
	rules.model = &m;
	for (size_t i = 0; i <= COUNT(over); i++) {
		time_t next = i < COUNT(over) ? NOW + over[i] : 0;

		ck_assert_int_eq(ruleset_changes(&rules), next);
		if (i == COUNT(over))
			break;
		rules.now = next - 1; /* its last second */
		read_sets(write_text());
		compare_corners();
		rules.now = next;
		read_sets(write_text());
		compare_corners();
	}
	ck_assert_uint_eq(
	    read_again.n[2] + read_again.n[3] + read_again.n[4], 0);
}
END_TEST

/* The proof refuses such a model before. */
START_TEST(ruleset_refuses_other_listeners_for_my_number)
{
	struct cells all = *rules.cells;
	struct cell *cells = ARENA_ARRAY(&arena, struct cell, all.cells_n);
	size_t gate = all.cells_n;

	memcpy(cells, all.cells, all.cells_n * sizeof(*cells));
	for (size_t i = 0; i < all.cells_n; i++)
		if (cells[i].carrier == CARRIER_LISTEN &&
		    cells[i].port_first == 8445)
			gate = i;
	ck_assert_uint_lt(gate, all.cells_n);
	all.cells = cells;
	rules.cells = &all;
	cells[gate].port_last++;
	ck_assert_int_eq(
	    ruleset_write(&rules, RULESET_TABLE, RULESET_ACTIVE, &text, &err),
	    -1);
	ck_assert(strstr(err.text, "beside the gate") != NULL);
}
END_TEST

START_TEST(ruleset_fails_at_a_limit)
{
	size_t n;

	write_text();
	n = text.n;
	buf_release(&text);
	buf_init(&text, n);
	write_text();
	buf_release(&text);
	buf_init(&text, n - 1);
	ck_assert_int_eq(
	    ruleset_write(&rules, RULESET_TABLE, RULESET_ACTIVE, &text, &err),
	    -1);
	ck_assert_str_eq(err.text, "the kernel's rule set is too large");
}
END_TEST

START_TEST(ruleset_without_a_gate_opens_no_endpoint)
{
	const char *all;

	ck_assert(strstr(write_text(), "meta skuid $gate") != NULL);
	rules.gate_uid = 0;
	all = write_text();
	ck_assert(strstr(all, "$gate") == NULL);
	ck_assert(strstr(all, "socket transparent") == NULL);
	ck_assert(strstr(all, "?gate") == NULL);
	rules.tproxy = true;
	ck_assert(strstr(write_text(), "\n\t\tsocket transparent 1") != NULL);
}
END_TEST

Suite *ruleset_suite(void);

Suite *
ruleset_suite(void)
{
	Suite *s = suite_create("ruleset");
	TCase *c = tcase_create("text");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(
	    c, ruleset_names_what_the_model_does, 0, COUNT(golden));
	tcase_add_test(c, ruleset_lets_through_what_is_granted);
	tcase_add_test(c, ruleset_forgets_what_is_over);
	tcase_add_test(c, ruleset_without_a_gate_opens_no_endpoint);
	tcase_add_test(c, ruleset_refuses_other_listeners_for_my_number);
	tcase_add_test(c, ruleset_fails_at_a_limit);
	suite_add_tcase(s, c);
	return s;
}
