/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/kernel/ruleset.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "proxy/kernel/chains.h"

#define RUN_TEXT_MAX (2 * INET6_ADDRSTRLEN + 8)
#define MAC_TEXT_MAX 18
#define ELEMENT_MAX (2 * RUN_TEXT_MAX + MAC_TEXT_MAX + 32)

enum family {
	FAMILY_V4,
	FAMILY_V6,
	FAMILIES,
};

static const struct {
	const char *suffix, *type;
	size_t skip; /* octets before the address */
} families[FAMILIES] = {
	[FAMILY_V4] = { "4", "ipv4_addr", 12 },
	[FAMILY_V6] = { "6", "ipv6_addr", 0 },
};

static const struct range all_v4 = {
	{ [10] = 0xff, 0xff },
	{ [10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
};
static const struct range below_v4 = {
	{ 0 },
	{ [10] = 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff },
};
static const struct range above_v4 = {
	{ [9] = 1 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff },
};

/* What is written; a failure stays. */
struct writer {
	const struct ruleset *r;
	struct buf *out;
	struct arena arena;
	bool full;
	size_t elements; /* of the set that is open */
};

static void put(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put(struct writer *w, const char *format, ...)
{
	char text[ELEMENT_MAX + 256];
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	must(n >= 0 && (size_t)n < sizeof(text));
	if (buf_append_string(w->out, text) < 0)
		w->full = true;
}

/* Ranges. */

static bool
intersect(const struct range *a, const struct range *b, struct range *out)
{
	*out = *a;
	if (memcmp(b->first, out->first, 16) > 0)
		memcpy(out->first, b->first, 16);
	if (memcmp(b->last, out->last, 16) < 0)
		memcpy(out->last, b->last, 16);
	return memcmp(out->first, out->last, 16) <= 0;
}

/* What of r is of that family: at most two ranges. */
static size_t
parts_of(const struct range *r, enum family f, struct range out[2])
{
	size_t n = 0;

	if (f == FAMILY_V4)
		return intersect(r, &all_v4, &out[0]) ? 1 : 0;
	n += intersect(r, &below_v4, &out[n]);
	n += intersect(r, &above_v4, &out[n]);
	return n;
}

/* glibc writes some IPv6 addresses with IPv4's dots, which nft need not read.
 */
static void
address_words(
    const uint8_t octets[16], enum family f, char out[INET6_ADDRSTRLEN])
{
	uint16_t groups[8];

	must(inet_ntop(f == FAMILY_V4 ? AF_INET : AF_INET6,
		 octets + families[f].skip, out, INET6_ADDRSTRLEN) != NULL);
	if (f == FAMILY_V4 || strchr(out, '.') == NULL)
		return;
	for (size_t i = 0; i < COUNT(groups); i++)
		groups[i] = (uint16_t)(octets[2 * i] << 8 | octets[2 * i + 1]);
	snprintf(out, INET6_ADDRSTRLEN, "%x:%x:%x:%x:%x:%x:%x:%x", groups[0],
	    groups[1], groups[2], groups[3], groups[4], groups[5], groups[6],
	    groups[7]);
}

/* How many bits both ends share when they are a prefix's; -1: they are not. */
static int
prefix_bits(const struct range *r)
{
	int bits = 0;

	while (bits < 128 &&
	    ((r->first[bits / 8] ^ r->last[bits / 8]) >> (7 - bits % 8) & 1) ==
		0)
		bits++;
	for (int i = bits; i < 128; i++)
		if ((r->first[i / 8] >> (7 - i % 8) & 1) != 0 ||
		    (r->last[i / 8] >> (7 - i % 8) & 1) != 1)
			return -1;
	return bits;
}

static const char *
run_words(const struct range *r, enum family f, char out[RUN_TEXT_MAX])
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	int bits = prefix_bits(r);

	address_words(r->first, f, first);
	address_words(r->last, f, last);
	if (bits == 128)
		snprintf(out, RUN_TEXT_MAX, "%s", first);
	else if (bits >= 0)
		snprintf(out, RUN_TEXT_MAX, "%s/%d", first,
		    bits - (int)(8 * families[f].skip));
	else
		snprintf(out, RUN_TEXT_MAX, "%s-%s", first, last);
	return out;
}

/* Without this machine's own addresses, which may lie in such a segment. */
static struct ranges
mynumber_of(struct writer *w)
{
	const struct zones *z = w->r->model->zones;
	const struct isolation_settings *s = &w->r->model->settings;
	struct ranges all = { 0 };
	struct ranges own = { 0 };
	struct range r;

	for (size_t i = 0; i < zones_segments(z); i++) {
		const struct segment *segment = zones_segment(z, i);

		if (segment->zone->kind != ZONE_MYNUMBER)
			continue;
		r = range_of(&segment->prefix);
		ranges_put(&all, &r, &w->arena);
	}
	for (size_t i = 0; i < s->machine_prefixes_n; i++) {
		r = range_of(&s->machine_prefixes[i]);
		ranges_put(&own, &r, &w->arena);
	}
	if (s->gate[0] != '\0') {
		r = range_of_address(&s->gate_at);
		ranges_put(&own, &r, &w->arena);
	}
	ranges_unite(&all);
	ranges_unite(&own);
	return ranges_without(&all, &own, &w->arena);
}

static struct ranges
provision_of(struct writer *w)
{
	const struct isolation_model *m = w->r->model;
	struct ranges all = { 0 };

	for (size_t i = 0; i < m->endpoints_n; i++)
		for (size_t k = 0; k < m->endpoints[i].at_n; k++) {
			struct range r =
			    range_of_address(&m->endpoints[i].at[k]);

			ranges_put(&all, &r, &w->arena);
		}
	ranges_unite(&all);
	return all;
}

/* What is in neither. */
static struct ranges
elsewhere_of(struct writer *w, const struct ranges *a, const struct ranges *b)
{
	static const struct prefix everything = { .bits = 0 };
	struct range r = range_of(&everything);
	struct ranges all = { 0 };
	struct ranges rest;

	ranges_put(&all, &r, &w->arena);
	ranges_unite(&all);
	rest = ranges_without(&all, a, &w->arena);
	return ranges_without(&rest, b, &w->arena);
}

/* Sets. */

static void
begin_set(struct writer *w, const char *name, enum family f, const char *before,
    const char *behind)
{
	put(w, "\tset %s%s {\n\t\ttype %s%s%s\n\t\tflags interval\n", name,
	    families[f].suffix, before, families[f].type, behind);
	w->elements = 0;
}

static void
put_element(struct writer *w, const char *text)
{
	put(w, w->elements++ == 0 ? "\t\telements = { %s" : ",\n\t\t\t%s",
	    text);
}

static void
end_set(struct writer *w)
{
	put(w, "%s\t}\n", w->elements > 0 ? " }\n" : "");
}

static void
put_runs(struct writer *w, const char *name, const struct ranges *all)
{
	for (enum family f = 0; f < FAMILIES; f++) {
		begin_set(w, name, f, "", "");
		for (size_t i = 0; i < all->n; i++) {
			char text[RUN_TEXT_MAX];
			struct range parts[2];
			size_t n = parts_of(&all->p[i], f, parts);

			for (size_t k = 0; k < n; k++)
				put_element(w, run_words(&parts[k], f, text));
		}
		end_set(w);
	}
}

/* mac: NULL, or what stands before. */
static void
put_cell(
    struct writer *w, const struct cell *c, enum family f, const uint8_t *mac)
{
	char element[ELEMENT_MAX], from_text[RUN_TEXT_MAX];
	char to_text[RUN_TEXT_MAX], mac_text[MAC_TEXT_MAX + 3] = "";
	struct range from[2], to[2];
	size_t from_n = parts_of(&c->from, f, from);
	size_t to_n = parts_of(&c->to, f, to);

	if (mac != NULL)
		snprintf(mac_text, sizeof(mac_text),
		    "%02x:%02x:%02x:%02x:%02x:%02x . ", mac[0], mac[1], mac[2],
		    mac[3], mac[4], mac[5]);
	for (size_t i = 0; i < from_n; i++)
		for (size_t k = 0; k < to_n; k++) {
			snprintf(element, sizeof(element),
			    c->port_first == c->port_last
				? "%s%s . %s . %u . %u"
				: "%s%s . %s . %u . %u-%u",
			    mac_text, run_words(&from[i], f, from_text),
			    run_words(&to[k], f, to_text), c->protocol,
			    c->port_first, c->port_last);
			put_element(w, element);
		}
}

static bool
comes_from_mynumber(const struct ruleset *r, const struct cell *c)
{
	struct address from = { 0 };

	memcpy(from.octets, c->from.first, 16);
	return isolation_place(r->model, &from) == PLACE_MYNUMBER;
}

static bool
is_over(const struct communication *c, time_t now)
{
	return c->expires <= now;
}

/* Whether any that is not over has no MAC: then nobody asks for one. */
enum passing {
	PASSING_NOT = 0,
	PASSING_BY_MAC,
	PASSING,
};

static enum passing
passing_of(const struct ruleset *r, const struct cell *c)
{
	enum passing best = PASSING_NOT;

	for (size_t i = 0; i < c->grants_n; i++) {
		const struct communication *of = c->grants[i]->entry;

		if (is_over(of, r->now))
			continue;
		if (!of->has_mac)
			return PASSING;
		best = PASSING_BY_MAC;
	}
	return best;
}

/* One that several name by the same MAC stands there once. */
static void
put_macs(struct writer *w, const struct cell *c, enum family f)
{
	for (size_t i = 0; i < c->grants_n; i++) {
		const struct communication *of = c->grants[i]->entry;
		bool known = is_over(of, w->r->now);

		for (size_t k = 0; k < i && !known; k++) {
			const struct communication *other = c->grants[k]->entry;

			known = !is_over(other, w->r->now) &&
			    memcmp(other->mac, of->mac, 6) == 0;
		}
		if (!known)
			put_cell(w, c, f, of->mac);
	}
}

/* Which cells go into which set. */
enum cell_set {
	SET_GATE,
	SET_LISTEN,
	SET_FORWARD,
	SET_FORWARD_MAC,
	SET_FORWARD_BACK, /* those by MAC, for answers, which have none */
	CELL_SETS,
};

static const struct {
	const char *name, *before;
	enum carrier carrier;
} cell_sets[CELL_SETS] = {
	[SET_GATE] = { "gate", "", CARRIER_LISTEN },
	[SET_LISTEN] = { "listen", "", CARRIER_LISTEN },
	[SET_FORWARD] = { "forward", "", CARRIER_FORWARD },
	[SET_FORWARD_MAC] = { "forward_mac", "ether_addr . ", CARRIER_FORWARD },
	[SET_FORWARD_BACK] = { "forward_back", "", CARRIER_FORWARD },
};

static void
put_into(struct writer *w, const struct cell *c, enum cell_set s, enum family f)
{
	switch (s) {
	case SET_GATE:
		if (comes_from_mynumber(w->r, c))
			put_cell(w, c, f, NULL);
		return;
	case SET_LISTEN:
		if (!comes_from_mynumber(w->r, c))
			put_cell(w, c, f, NULL);
		return;
	case SET_FORWARD:
		if (passing_of(w->r, c) == PASSING)
			put_cell(w, c, f, NULL);
		return;
	case SET_FORWARD_MAC:
		if (passing_of(w->r, c) == PASSING_BY_MAC)
			put_macs(w, c, f);
		return;
	case SET_FORWARD_BACK:
		if (passing_of(w->r, c) == PASSING_BY_MAC)
			put_cell(w, c, f, NULL);
		return;
	case CELL_SETS:
		return;
	}
}

static void
put_cells(struct writer *w)
{
	const struct cells *all = w->r->cells;

	for (enum cell_set s = 0; s < CELL_SETS; s++)
		for (enum family f = 0; f < FAMILIES; f++) {
			char behind[64];

			snprintf(behind, sizeof(behind),
			    " . %s . inet_proto . inet_service",
			    families[f].type);
			begin_set(w, cell_sets[s].name, f, cell_sets[s].before,
			    behind);
			for (size_t i = 0; i < all->cells_n; i++)
				if (all->cells[i].carrier ==
				    cell_sets[s].carrier)
					put_into(w, &all->cells[i], s, f);
			end_set(w);
		}
}

/* Addresses with a port each. */
static void
put_points(
    struct writer *w, const char *name, const struct address *all, size_t n)
{
	for (enum family f = 0; f < FAMILIES; f++) {
		begin_set(w, name, f, "", " . inet_service");
		for (size_t i = 0; i < n; i++) {
			char text[RUN_TEXT_MAX], element[ELEMENT_MAX];
			struct range at = range_of_address(&all[i]);
			bool v4 = address_is_v4(&all[i]);
			bool known = false;

			for (size_t k = 0; k < i && !known; k++)
				known = address_equal(&all[k], &all[i]) &&
				    all[k].port == all[i].port;
			if (known || v4 != (f == FAMILY_V4))
				continue;
			snprintf(element, sizeof(element), "%s . %u",
			    run_words(&at, f, text), all[i].port);
			put_element(w, element);
		}
		end_set(w);
	}
}

static void
put_endpoints(struct writer *w)
{
	const struct isolation_model *m = w->r->model;
	struct address *all;
	size_t n = 0;

	for (size_t i = 0; i < m->endpoints_n; i++)
		n += m->endpoints[i].at_n;
	all = ARENA_ARRAY(&w->arena, struct address, n);
	n = 0;
	for (size_t i = 0; i < m->endpoints_n; i++)
		for (size_t k = 0; k < m->endpoints[i].at_n; k++)
			all[n++] = m->endpoints[i].at[k];
	put_points(w, "endpoint", all, n);
}

static void
put_admins(struct writer *w)
{
	const struct isolation_settings *s = &w->r->model->settings;

	for (enum family f = 0; f < FAMILIES; f++) {
		begin_set(w, "admin", f, "", " . inet_proto . inet_service");
		for (size_t i = 0; i < s->admins_n; i++) {
			const struct admin_access *a = &s->admins[i];
			char text[RUN_TEXT_MAX], element[ELEMENT_MAX];
			struct range from = range_of(&a->from);
			struct range parts[2];
			size_t n = parts_of(&from, f, parts);
			for (size_t k = 0; k < n; k++) {
				snprintf(element, sizeof(element),
				    a->port_first == a->port_last
					? "%s . %u . %u"
					: "%s . %u . %u-%u",
				    run_words(&parts[k], f, text), a->protocol,
				    a->port_first, a->port_last);
				put_element(w, element);
			}
		}
		end_set(w);
	}
}

static void
put_sets(struct writer *w)
{
	const struct isolation_settings *s = &w->r->model->settings;
	struct ranges mynumber = mynumber_of(w);
	struct ranges provision = provision_of(w);
	struct ranges elsewhere = elsewhere_of(w, &mynumber, &provision);

	put_runs(w, "mynumber", &mynumber);
	put_runs(w, "provision", &provision);
	put_runs(w, "elsewhere", &elsewhere);
	put_cells(w);
	put_endpoints(w);
	put_points(w, "canary", s->canaries_at, s->canaries_n);
	put_admins(w);
}

/* A line that is there under a condition, without its mark; false: it is not.
 */
static bool
stands(const struct ruleset *r, struct bytes *line)
{
	if (bytes_start_with(*line, BYTES("?gate "))) {
		bytes_take(line, strlen("?gate "));
		return r->gate_uid != 0;
	}
	if (bytes_start_with(*line, BYTES("?tproxy "))) {
		bytes_take(line, strlen("?tproxy "));
		return r->tproxy;
	}
	return true;
}

static void
put_chains(struct writer *w)
{
	struct bytes rest = bytes_of(chains_text);

	while (rest.n > 0) {
		struct bytes line = bytes_take_until(&rest, '\n');

		if (stands(w->r, &line))
			put(w, "%.*s\n", BYTES_PRINTF(line));
	}
}

/* Cells that no model can have: the proof refuses them, and so does this. */
static int
check_cells(const struct ruleset *r, struct err *e)
{
	for (size_t i = 0; i < r->cells->cells_n; i++) {
		const struct cell *c = &r->cells->cells[i];
		struct range gate =
		    range_of_address(&r->model->settings.gate_at);

		if (c->carrier != CARRIER_LISTEN || !comes_from_mynumber(r, c))
			continue;
		if (r->model->settings.gate[0] == '\0' ||
		    c->protocol != PROTOCOL_TCP ||
		    memcmp(&c->to, &gate, sizeof(gate)) != 0 ||
		    c->port_first != r->model->settings.gate_at.port ||
		    c->port_last != c->port_first)
			return err_set(e,
			    "%s:%u: %s would let a My Number segment speak with"
			    " this machine beside the gate",
			    c->grants_n > 0 ? c->grants[0]->source.file : "",
			    c->grants_n > 0 ? c->grants[0]->source.line : 0,
			    c->grants_n > 0 ? c->grants[0]->what : "a cell");
	}
	return 0;
}

int
ruleset_write(const struct ruleset *r, const char *table,
    enum ruleset_state state, struct buf *out, struct err *e)
{
	struct writer w = { .r = r, .out = out };

	if (check_cells(r, e) < 0)
		return -1;
	put(&w,
	    "# SPDX-License-Identifier: Apache-2.0\n"
	    "# sekishoctl isolation nft "
	    "が作る。手で変えたものは元に戻される。\n"
	    "# Made by sekishoctl isolation nft; what is changed is undone.\n"
	    "define gate = %u\n"
	    "table inet %s {}\ndelete table inet %s\n\n"
	    "table inet %s {\n%s",
	    r->gate_uid, table, table, table,
	    state == RULESET_ACTIVE ? "" : "\tflags dormant\n\tflags owner\n");
	put_sets(&w);
	put_chains(&w);
	put(&w, "}\n");
	arena_release(&w.arena);
	return w.full ? err_set(e, "the kernel's rule set is too large") : 0;
}

time_t
ruleset_changes(const struct ruleset *r)
{
	time_t next = 0;

	for (size_t i = 0; i < r->model->communications_n; i++) {
		time_t over = r->model->communications[i].expires;

		if (over > r->now && (next == 0 || over < next))
			next = over;
	}
	return next;
}
