/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof beside what the code would do with one packet after the other: on
 * small sites made by chance, behind the checks of their load, all addresses at
 * which anything changes are tried with each other.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/special.h"
#include "proxy/isolation/spans.h"
#include "proxy/proof/certificate.h"
#include "proxy/proof/reachable.h"
#include "tests/unit/proof/site.h"

#define ROUNDS 36 /* of each loop */
#define LOOPS 4
#define POINTS_MAX 512

static struct site site;

static unsigned
below(unsigned *seed, unsigned n)
{
	return (unsigned)rand_r(seed) % n;
}

/* Where anything may begin or end. */
struct points {
	struct address at[POINTS_MAX];
	size_t n;
};

static void
add_octets(struct points *p, const uint8_t octets[16])
{
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(p->at[i].octets, octets, 16) == 0)
			return;
	ck_assert_uint_lt(p->n, POINTS_MAX);
	memcpy(p->at[p->n++].octets, octets, 16);
}

static void
add_prefix(struct points *p, const struct prefix *prefix)
{
	uint8_t first[16], last[16];

	prefix_ends(prefix, first, last);
	add_octets(p, first);
	add_octets(p, last);
	if (octets_next(last))
		add_octets(p, last);
}

/* Sites by chance. */

static const char *
random_prefix(unsigned *seed)
{
	static char text[64];
	static const char *const wide[] = { "0.0.0.0/0", "10.0.0.0/8",
		"10.0.0.0/12", "::/0", "64:ff9b::/96", "198.51.100.0/24",
		"10.9.0.0/16", "10.9.0.10", "10.0.9.1", "2002::/16",
		"192.0.2.7", "fd00::/8" };
	unsigned bits = 22 + below(seed, 4);
	unsigned net = below(seed, 12);

	if (below(seed, 6) == 0)
		return wide[below(seed, COUNT(wide))];
	if (below(seed, 3) == 0)
		snprintf(text, sizeof(text), "10.0.%u.%u", net, below(seed, 9));
	else
		snprintf(text, sizeof(text), "10.0.%u.%u/%u",
		    bits < 24 ? net & ~((1u << (24 - bits)) - 1) : net,
		    bits == 25 ? 128 * below(seed, 2) : 0, bits);
	return text;
}

static void
open_random(struct site *s, unsigned *seed)
{
	static char text[4096];
	size_t n = 0;
	bool comma = false;

	n += (size_t)snprintf(text, sizeof(text),
	    "zones = ( { name = \"i\"; kind = \"internet\"; permitted = [\"%s\""
	    "]; }, { name = \"l\"; kind = \"lgwan\"; ports = [80, 81]; },"
	    " { name = \"m\"; kind = \"mynumber\"; } ); bodies = ( { code ="
	    " \"990019\"; name_ja = \"b\"; segments = (",
	    random_prefix(seed));
	for (unsigned i = 0; i < 8; i++) {
		unsigned zone = below(seed, 4);

		if (zone == 3)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s { prefix = \"10.0.%u.0/24\"; zone = \"%c\"; }",
		    comma ? "," : "", i, "ilm"[zone]);
		comma = true;
	}
	snprintf(text + n, sizeof(text) - n,
	    "); }, { code = \"990027\"; name_ja = \"c\"; } ); isolation = { "
	    "lgwan = [\"10.9.0.0/16\"]; machine ="
	    " [\"10.0.9.1\"]; }; provision = ( { name = \"p\"; addresses ="
	    " [\"10.9.0.10\"]; port = 8446; owner = \"o\"; certificate ="
	    " \"%064u\"; } );",
	    7u);
	site_open(s, text);
}

static void
add_communications(struct site *s, unsigned max, unsigned *seed)
{
	struct isolation_model *m = s->isolation;
	size_t n = below(seed, max);

	m->communications = ARENA_ARRAY(&s->arena, struct communication, n);
	m->communications_n = n;
	for (size_t i = 0; i < n; i++)
		m->communications[i] = (struct communication){
			.name = "c",
			.kind = below(seed, 2) == 0 ? COMMUNICATION_PLAIN
						    : COMMUNICATION_JUKI,
			.from = site_prefixes(s, random_prefix(seed)),
			.from_n = 1,
			.to = site_prefixes(s, random_prefix(seed)),
			.to_n = 1,
			.protocol = PROTOCOL_TCP,
			.port_first = 80,
			.port_last = (uint16_t)(80 + below(seed, 3)),
			.source = { "c.conf", 1 },
		};
}

static void
add_systems(struct site *s, unsigned *seed)
{
	struct isolation_model *m = s->isolation;
	size_t n = below(seed, 3);

	m->systems = ARENA_ARRAY(&s->arena, struct system, n);
	m->systems_n = n;
	for (size_t i = 0; i < n; i++) {
		struct system *one = &m->systems[i];

		*one = (struct system){ .name = "s",
			.addresses = site_prefixes(s, random_prefix(seed)),
			.addresses_n = 1,
			.endpoints_n = 1,
			.source = { "s.conf", 1 } };
		one->endpoints =
		    ARENA_ARRAY(&s->arena, const struct endpoint *, 1);
		one->endpoints[0] = &m->endpoints[0];
	}
}

static void
loosen(struct site *s, unsigned *seed)
{
	struct listener_settings *l = &s->listeners[0];

	if (below(seed, 4) == 0) {
		l->proxy_protocol = site_prefixes(s, random_prefix(seed));
		l->proxy_protocol_n = 1;
	}
	if (below(seed, 4) == 0) {
		l->forwarded = site_prefixes(s, random_prefix(seed));
		l->forwarded_n = 1;
	}
	if (below(seed, 8) == 0)
		s->upstream.reach.zones = NULL;
	if (below(seed, 8) == 0)
		s->upstream.reach.provision_n = 0;
	if (below(seed, 8) == 0)
		l->at = site_at("10.0.1.1:80");
	if (below(seed, 8) == 0)
		s->isolation->settings.gate_at = site_at("10.0.2.1:80");
}

static struct points
points_of(const struct site *s)
{
	static const char *const always[] = { "::/0", "0.0.0.0/0",
		"198.51.100.7", "10.0.0.0/8", "2001:db8::/32", "64:ff9b::/96",
		"8.8.8.8", "2600::1" };
	struct points p = { 0 };

	for (size_t i = 0; i < COUNT(always); i++) {
		struct prefix prefix = site_prefix(always[i]);

		add_prefix(&p, &prefix);
	}
	for (size_t i = 0; i < zones_segments(s->zones); i++)
		add_prefix(&p, &zones_segment(s->zones, i)->prefix);
	for (unsigned i = 0; i < zones_zones(s->zones); i++) {
		const struct zone *z = zones_zone(s->zones, i);

		for (size_t k = 0; k < z->permitted_n; k++)
			add_prefix(&p, &z->permitted[k]);
	}
	for (size_t i = 0; i < s->isolation->communications_n; i++) {
		add_prefix(&p, &s->isolation->communications[i].from[0]);
		add_prefix(&p, &s->isolation->communications[i].to[0]);
	}
	for (size_t i = 0; i < s->isolation->systems_n; i++)
		add_prefix(&p, &s->isolation->systems[i].addresses[0]);
	for (size_t i = 0; i < 2; i++) {
		const struct listener_settings *l = &s->listeners[i];

		add_octets(&p, l->at.octets);
		for (size_t k = 0; k < l->proxy_protocol_n; k++)
			add_prefix(&p, &l->proxy_protocol[k]);
		for (size_t k = 0; k < l->forwarded_n; k++)
			add_prefix(&p, &l->forwarded[k]);
	}
	add_octets(&p, s->isolation->settings.gate_at.octets);
	add_octets(&p, s->isolation->endpoints[0].at[0].octets);
	return p;
}

/* What the code does with one packet. */

static bool
has_port(const struct zone *z, uint16_t port)
{
	for (size_t i = 0; i < z->ports_n; i++)
		if (z->ports[i] == port)
			return true;
	return z->ports_n == 0 && (port == 80 || port == 443);
}

static bool
edge_opens(const struct site *s, const struct zone *z, const struct address *to)
{
	return z->kind != ZONE_MYNUMBER && has_port(z, to->port) &&
	    reach_judge(to, z, &s->upstream.reach) == NULL;
}

static bool
is_believed(const struct site *s, const struct address *from)
{
	const struct listener_settings *l = &s->listeners[0];

	return prefixes_contain(l->proxy_protocol, l->proxy_protocol_n, from) ||
	    prefixes_contain(l->forwarded, l->forwarded_n, from);
}

struct asked {
	enum carrier carrier;
	const struct address *from, *to;
	bool passes;
	/* What lets it, where that must be something. */
	bool by_system_only, by_kind_only, by_trust_only;
};

static void
ask_forward(const struct site *s, struct asked *a)
{
	a->by_kind_only = true;
	for (size_t i = 0; i < s->isolation->communications_n; i++) {
		const struct communication *c =
		    &s->isolation->communications[i];

		if (!prefix_contains(&c->from[0], a->from) ||
		    !prefix_contains(&c->to[0], a->to) ||
		    a->to->port < c->port_first || a->to->port > c->port_last)
			continue;
		a->passes = true;
		a->by_kind_only &= c->kind != COMMUNICATION_PLAIN;
	}
}

static void
ask_edge(const struct site *s, struct asked *a)
{
	const struct segment *segment = zones_lookup(s->zones, a->from);

	a->by_trust_only = true;
	if (segment != NULL && edge_opens(s, segment->zone, a->to)) {
		a->passes = true;
		a->by_trust_only = false;
	}
	for (unsigned i = 0;
	     i < zones_zones(s->zones) && is_believed(s, a->from); i++)
		a->passes |= edge_opens(s, zones_zone(s->zones, i), a->to);
}

static bool
is_same(const struct address *a, const struct address *b)
{
	return memcmp(a->octets, b->octets, 16) == 0 && a->port == b->port;
}

static void
ask_listen(const struct site *s, struct asked *a)
{
	const struct segment *segment = zones_lookup(s->zones, a->from);

	a->by_system_only = true;
	if (is_same(a->to, &s->listeners[0].at) &&
	    (is_believed(s, a->from) ||
		(segment != NULL && segment->zone->kind != ZONE_MYNUMBER))) {
		a->passes = true;
		a->by_system_only = false;
	}
	for (size_t i = 0; i < s->isolation->systems_n; i++)
		a->passes |= is_same(a->to, &s->isolation->settings.gate_at) &&
		    prefix_contains(
			&s->isolation->systems[i].addresses[0], a->from);
}

static void
ask_gate(const struct site *s, struct asked *a)
{
	a->by_system_only = true;
	for (size_t i = 0; i < s->isolation->systems_n; i++)
		a->passes |=
		    is_same(a->to, &s->isolation->endpoints[0].at[0]) &&
		    prefix_contains(
			&s->isolation->systems[i].addresses[0], a->from);
}

static enum place
place_of(const struct site *s, const struct address *a)
{
	struct address inner = *a;
	enum place p = isolation_place(s->isolation, a);

	if (p != PLACE_OUTSIDE)
		return p;
	for (size_t i = 0; i < reach_forms_n; i++)
		if (reach_forms[i].prefix.bits == 8 * reach_forms[i].at &&
		    prefix_contains(&reach_forms[i].prefix, a)) {
			memset(inner.octets, 0, 10);
			memset(inner.octets + 10, 0xff, 2);
			memcpy(inner.octets + 12, a->octets + reach_forms[i].at,
			    4);
			p = isolation_place(s->isolation, &inner);
			return p == PLACE_MYNUMBER || p == PLACE_PROVISION
			    ? p
			    : PLACE_OUTSIDE;
		}
	return p;
}

/* The claim in other words than the table's. */
static bool
may_pass(const struct site *s, const struct asked *a)
{
	enum place from = isolation_place(s->isolation, a->from);
	enum place to = place_of(s, a->to);
	bool beyond = from == PLACE_LGWAN_NETWORK || to == PLACE_LGWAN_NETWORK;

	if (a->carrier == CARRIER_GATE)
		return from == PLACE_MYNUMBER && to == PLACE_PROVISION;
	if (from == PLACE_PROVISION || to == PLACE_PROVISION)
		return false;
	if (a->carrier == CARRIER_FORWARD) {
		if (from == PLACE_OUTSIDE || to == PLACE_OUTSIDE ||
		    from == PLACE_CHECKPOINT || to == PLACE_CHECKPOINT)
			return false;
		if (from == PLACE_MYNUMBER || to == PLACE_MYNUMBER)
			return from != PLACE_INTERNET && to != PLACE_INTERNET &&
			    (!beyond || a->by_kind_only);
		if (!beyond)
			return true;
		return from != to &&
		    (from == PLACE_LGWAN || to == PLACE_LGWAN ||
			a->by_kind_only);
	}
	if (from == PLACE_MYNUMBER)
		return a->carrier == CARRIER_LISTEN && a->by_system_only &&
		    to == PLACE_CHECKPOINT &&
		    is_same(a->to, &s->isolation->settings.gate_at);
	if (to == PLACE_MYNUMBER)
		return false;
	if (a->carrier == CARRIER_EDGE &&
	    (from == PLACE_OUTSIDE || from == PLACE_LGWAN_NETWORK))
		return a->by_trust_only;
	return true;
}

static bool
try_one(
    const struct site *s, const struct proof *p, struct asked *a, unsigned seed)
{
	const struct cell *c =
	    cells_find(p->cells, a->carrier, a->from, a->to, PROTOCOL_TCP);
	static void (*const asks[CARRIERS])(
	    const struct site *s, struct asked *a) = {
		[CARRIER_LISTEN] = ask_listen,
		[CARRIER_FORWARD] = ask_forward,
		[CARRIER_EDGE] = ask_edge,
		[CARRIER_GATE] = ask_gate,
	};
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

	asks[a->carrier](s, a);
	if (a->passes != (c != NULL))
		ck_abort_msg("seed %u: %s to %s by %s: %s", seed,
		    address_text(a->from, from), address_text_port(a->to, to),
		    carrier_name(a->carrier),
		    a->passes ? "it passes, and no cell has it"
			      : "a cell has it, and it does not pass");
	return a->passes && !may_pass(s, a);
}

/* How many of the points pass and must not. */
static size_t
try_all(const struct site *s, const struct proof *p, unsigned seed)
{
	static const uint16_t ports[] = { 79, 80, 81, 443, 8080, 8445, 8446 };
	static const enum carrier carriers[] = { CARRIER_LISTEN,
		CARRIER_FORWARD, CARRIER_EDGE, CARRIER_GATE };
	struct points points = points_of(s);
	size_t bad = 0;

	for (size_t i = 0; i < points.n * points.n; i++)
		for (size_t k = 0; k < COUNT(ports) * COUNT(carriers); k++) {
			struct address to = points.at[i % points.n];
			struct asked a = { .carrier = carriers[k % 4],
				.from = &points.at[i / points.n],
				.to = &to };

			to.port = ports[k / 4];
			bad += try_one(s, p, &a, seed);
		}
	return bad;
}

START_TEST(proof_says_what_packets_do)
{
	size_t hold = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned seed = (unsigned)_i * ROUNDS + round + 1;
		unsigned state = seed;
		struct proof p;
		size_t bad, points;
		char text[VIOLATION_TEXT_MAX] = "";

		open_random(&site, &state);
		site.settings.routes = NULL; /* mail is tried elsewhere */
		site.settings.listeners_n = 1;
		/* Of three one is rather tame. */
		add_communications(&site, round % 3 == 0 ? 2 : 4, &state);
		if (round % 3 != 0) {
			add_systems(&site, &state);
			loosen(&site, &state);
		}
		ck_assert_msg(proof_make(&site.settings, &p, &site.err) == 0,
		    "seed %u: %s", seed, site.err.text);
		bad = try_all(&site, &p, seed);
		if (p.violations_n > 0)
			violation_text(&p.violations[0], false, text);
		if ((bad > 0) != (p.violations_all > 0))
			ck_abort_msg("seed %u: %zu packets are against the"
				     " claim, the proof says %zu: %s",
			    seed, bad, p.violations_all, text);
		if (proof_verify(&p, &points, &site.err) < 0)
			ck_abort_msg("seed %u: %s", seed, site.err.text);
		hold += bad == 0;
		proof_release(&p);
		site_close(&site);
	}
	/* Neither answer is rare. */
	ck_assert_uint_gt(hold, ROUNDS / 20);
	ck_assert_uint_lt(hold, ROUNDS - ROUNDS / 20);
}
END_TEST

/* Ranges and reach_judge, at all places where either may change. */
START_TEST(reachable_is_what_reach_judges)
{
	for (unsigned round = 0; round < 200; round++) {
		unsigned seed = (unsigned)_i * 200 + round + 1;
		struct prefix refused[2];
		struct points points;
		struct ranges separated;

		open_random(&site, &seed);
		for (size_t i = 0; i < 2; i++)
			refused[i] = site_prefix(random_prefix(&seed));
		site.upstream.reach.refused = refused;
		site.upstream.reach.refused_n = 2;
		points = points_of(&site);
		for (size_t i = 0; i < specials_n; i++)
			add_prefix(&points, &specials[i].prefix);
		for (size_t i = 0; i < 2; i++)
			add_prefix(&points, &refused[i]);
		for (size_t i = 0; i < reach_forms_n; i++)
			add_prefix(&points, &reach_forms[i].prefix);
		separated =
		    reachable_separated(&site.upstream.reach, &site.arena);
		for (unsigned z = 0; z < 2; z++) {
			const struct zone *zone = zones_zone(site.zones, z);
			struct ranges all = reachable_from(zone,
			    &site.upstream.reach, &separated, &site.arena);

			for (size_t i = 0; i < points.n; i++) {
				const struct address *a = &points.at[i];
				bool may = reach_judge(a, zone,
					       &site.upstream.reach) == NULL;
				bool has = ranges_contain(&all, a->octets);
				char text[ADDRESS_TEXT_MAX];

				/* This form is no range: rather more. */
				if (prefix_contains(
					&reach_forms[1].prefix, a) &&
				    has)
					continue;
				if (may != has)
					ck_abort_msg("round %u: %s is %s",
					    round, address_text(a, text),
					    may ? "missing" : "too much");
			}
		}
		site_close(&site);
	}
}
END_TEST

START_TEST(verify_finds_cells_that_were_changed)
{
	struct proof p;
	size_t points;

	site_open(&site, NULL);
	ck_assert_int_eq(proof_make(&site.settings, &p, &site.err), 0);
	switch (_i) {
	case 0:
		p.cells->cells[3].port_last++;
		break;
	case 1:
		p.cells->cells[3].to.last[15]--;
		break;
	case 2:
		p.cells->cells[3].grants = p.cells->cells[9].grants;
		break;
	case 3:
		p.cells->cells_n--;
		break;
	case 4:
		p.cells->pieces_n--;
		break;
	}
	ck_assert_int_eq(proof_verify(&p, &points, &site.err), -1);
	ck_assert_ptr_nonnull(strstr(site.err.text, "disagree"));
	proof_release(&p);
	site_close(&site);
}
END_TEST

START_TEST(certificate_knows_one_model_from_another)
{
	uint8_t one[MODEL_DIGEST_N] = { 0 }, other[MODEL_DIGEST_N] = { 0 };
	struct proof p;

	for (size_t round = 0; round < 5; round++) {
		site_open(&site, NULL);
		if (round == 2)
			site_communication(&site, "tax")->expires++;
		if (round == 3)
			site.listeners[0].line++; /* it stands elsewhere */
		if (round == 4)
			site.isolation->systems[1].digest[7] ^= 1;
		ck_assert_int_eq(proof_make(&site.settings, &p, &site.err), 0);
		certificate_model_digest(&p, round == 0 ? one : other);
		if (round > 0)
			ck_assert_int_eq(memcmp(one, other, sizeof(one)) == 0,
			    round == 1 || round == 3);
		proof_release(&p);
		site_close(&site);
	}
}
END_TEST

Suite *proof_suite(void);

Suite *
proof_suite(void)
{
	Suite *s = suite_create("proof");
	TCase *t = tcase_create("proof");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, proof_says_what_packets_do, 0, LOOPS);
	tcase_add_loop_test(t, reachable_is_what_reach_judges, 0, 2);
	tcase_add_loop_test(t, verify_finds_cells_that_were_changed, 0, 5);
	tcase_add_test(t, certificate_knows_one_model_from_another);
	suite_add_tcase(s, t);
	return s;
}
