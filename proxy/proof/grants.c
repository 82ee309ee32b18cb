/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/grants.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/isolation/spans.h"
#include "proxy/proof/reachable.h"

#define DNS_PORT 53
#define SMTP_PORT 25
#define HTTPS_PORT 443

struct ports {
	uint16_t first, last;
};

struct making {
	const struct grant_settings *settings;
	struct arena *arena;
	struct grant *p;
	size_t n, room;
	struct ranges separated;  /* what nobody reaches */
	struct ranges *reachable; /* by zone */
	struct ranges *public;    /* of it, what no zone must permit */
	struct ranges plain;      /* who is separated */
	struct ranges senders;    /* of mail: all others */
	struct ranges named;      /* where an administrator's names lead */
	struct ranges own;        /* this machine's addresses */
	struct ports *ports[ZONES_MAX]; /* of zones, without gaps */
	size_t ports_n[ZONES_MAX];
};

static void
put(struct making *m, const struct grant *g)
{
	if (m->n == m->room) {
		m->room = m->room == 0 ? 1024 : size_mul(m->room, 2);
		m->p = reallocarray(m->p, m->room, sizeof(*m->p));
		must(m->p != NULL);
	}
	if (m->n <= GRANTS_MAX)
		m->p[m->n++] = *g;
}

/* From all to all; model has what does not differ. */
static void
put_product(struct making *m, const struct grant *model,
    const struct ranges *from, const struct ranges *to,
    const struct ports *ports, size_t ports_n)
{
	struct grant g = *model;

	for (size_t i = 0; i < from->n; i++)
		for (size_t k = 0; k < to->n; k++)
			for (size_t j = 0; j < ports_n; j++) {
				g.from = from->p[i];
				g.to = to->p[k];
				g.port_first = ports[j].first;
				g.port_last = ports[j].last;
				put(m, &g);
			}
}

static struct ranges
prefixes_ranges(const struct prefix *p, size_t n, struct arena *a)
{
	struct ranges out = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct range r = range_of(&p[i]);

		ranges_put(&out, &r, a);
	}
	ranges_unite(&out);
	return out;
}

static struct ranges
address_ranges(const struct address *at, struct arena *a)
{
	struct ranges out = { 0 };
	struct range r = range_of_address(at);

	ranges_put(&out, &r, a);
	return out;
}

static int
compare_ports(const void *a, const void *b)
{
	return ((const struct ports *)a)->first -
	    ((const struct ports *)b)->first;
}

static void
find_ports(struct making *m, const struct zone *z)
{
	size_t n = z->ports_n == 0 ? 2 : z->ports_n;
	struct ports *p = ARENA_ARRAY(m->arena, struct ports, n);
	size_t kept = 0;

	p[0] = (struct ports){ 80, 80 };
	if (z->ports_n == 0)
		p[1] = (struct ports){ HTTPS_PORT, HTTPS_PORT };
	for (size_t i = 0; i < z->ports_n; i++)
		p[i] = (struct ports){ z->ports[i], z->ports[i] };
	qsort(p, n, sizeof(*p), compare_ports);
	for (size_t i = 1; i < n; i++)
		if (p[i].first <= p[kept].last + 1)
			p[kept].last = p[i].last;
		else
			p[++kept] = p[i];
	m->ports[z->index] = p;
	m->ports_n[z->index] = kept + 1;
}

/* Listeners of an address that stands for all of this machine's are at each
 * that is registered. */
static bool
is_any(const struct address *a)
{
	static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t any_v6[16];

	return memcmp(a->octets, any_v4, 16) == 0 ||
	    memcmp(a->octets, any_v6, 16) == 0;
}

static void
find_own(struct making *m)
{
	static const struct prefix loopbacks[] = {
		{ { [10] = 0xff, 0xff, 127, 0, 0, 1 }, 128 },
		{ { [15] = 1 }, 128 },
	};
	const struct grant_settings *s = m->settings;
	const struct isolation_settings *i = &s->isolation->settings;
	struct ranges *own = &m->own;

	*own = prefixes_ranges(
	    i->machine_prefixes, i->machine_prefixes_n, m->arena);
	for (size_t k = 0; k < COUNT(loopbacks); k++) {
		struct range r = range_of(&loopbacks[k]);

		ranges_put(own, &r, m->arena);
	}
	if (i->gate[0] != '\0') {
		struct range r = range_of_address(&i->gate_at);

		ranges_put(own, &r, m->arena);
	}
	for (size_t k = 0; k < s->listeners_n; k++) {
		struct range r = range_of_address(&s->listeners[k].at);

		if (!is_any(&s->listeners[k].at))
			ranges_put(own, &r, m->arena);
	}
	ranges_unite(own);
}

/* Where packets of clients go that speak with a listener at that address. */
static struct ranges
listens_at(const struct making *m, const struct address *at)
{
	return is_any(at) ? m->own : address_ranges(at, m->arena);
}

static void
prepare(struct making *m)
{
	const struct grant_settings *s = m->settings;
	const struct reach_limits *l = &s->upstream->reach;
	size_t n = zones_zones(s->zones);

	m->separated = reachable_separated(l, m->arena);
	m->reachable = ARENA_ARRAY(m->arena, struct ranges, n);
	m->public = ARENA_ARRAY(m->arena, struct ranges, n);
	for (unsigned i = 0; i < n; i++) {
		const struct zone *z = zones_zone(s->zones, i);
		struct zone bare = { 0 };

		m->reachable[i] = reachable_from(z, l, &m->separated, m->arena);
		m->public[i] =
		    reachable_from(&bare, l, &m->separated, m->arena);
		find_ports(m, z);
	}
	m->plain = reachable_plain(l, m->arena);
	m->senders = reachable_beside(&m->plain, m->arena);
	m->named = reachable_beside(&m->separated, m->arena);
	find_own(m);
}

/* Neighbours of one body and zone, as the longest prefixes say. */
struct run {
	const struct segment *segment; /* the first; NULL: there is none more */
	struct range range;
	uint8_t next[16]; /* behind it */
	bool ended;
};

static bool
next_run(const struct zones *z, struct run *r)
{
	const struct segment *s = NULL;
	uint8_t last[16];

	while (!r->ended && s == NULL) {
		memcpy(r->range.first, r->next, 16);
		s = zones_stretch(z, r->next, last);
		memcpy(r->next, last, 16);
		r->ended = !octets_next(r->next);
	}
	r->segment = s;
	if (s == NULL)
		return false;
	memcpy(r->range.last, last, 16);
	while (!r->ended) {
		const struct segment *t = zones_stretch(z, r->next, last);

		if (t == NULL || t->body != s->body || t->zone != s->zone)
			break;
		memcpy(r->range.last, last, 16);
		memcpy(r->next, last, 16);
		r->ended = !octets_next(r->next);
	}
	return true;
}

static const char *
segment_what(struct making *m, const struct segment *s)
{
	char text[ADDRESS_TEXT_MAX];

	return arena_printf(m->arena, "segment %s of %s in zone \"%s\"",
	    prefix_text(&s->prefix, text), s->body->code, s->zone->name);
}

static struct grant
grant_of(enum carrier carrier, enum protocol protocol, const void *entry,
    const char *what, const char *file, unsigned line)
{
	return (struct grant){
		.carrier = carrier,
		.protocol = (uint8_t)protocol,
		.entry = entry,
		.what = what,
		.source = { file, line },
	};
}

/* The web. */

/* What stands in reach because a zone permits it names the zone. */
static void
put_edge(struct making *m, const struct run *r)
{
	const struct zone *z = r->segment->zone;
	const struct ranges from = { .p = (struct range[]){ r->range },
		.n = 1 };
	const struct ranges *all = &m->reachable[z->index];
	struct ranges permitted =
	    ranges_without(all, &m->public[z->index], m -> arena);
	struct ranges rest = ranges_without(all, &permitted, m->arena);
	struct grant g = grant_of(CARRIER_EDGE, PROTOCOL_TCP, r->segment,
	    segment_what(m, r->segment), r->segment->file, r->segment->line);

	put_product(
	    m, &g, &from, &rest, m->ports[z->index], m->ports_n[z->index]);
	g.what = arena_printf(
	    m->arena, "permitted of zone \"%s\" for %s", z->name, g.what);
	g.entry = z;
	g.source = (struct model_source){ z->file, z->line };
	put_product(
	    m, &g, &from, &permitted, m->ports[z->index], m->ports_n[z->index]);
}

/* Whoever these are says who asks: anybody of any zone. */
static void
put_trusted_web(struct making *m, const struct listener_settings *l,
    const char *key, const struct prefix *p, size_t n)
{
	const struct zones *z = m->settings->zones;
	struct ranges from = prefixes_ranges(p, n, m->arena);
	struct ranges at = listens_at(m, &l->at);
	const struct ports port = { l->at.port, l->at.port };
	struct grant g = grant_of(CARRIER_LISTEN, PROTOCOL_TCP, l,
	    arena_printf(m->arena, "%s of listener %s", key, l->address),
	    l->file, l->line);

	put_product(m, &g, &from, &at, &port, 1);
	g.carrier = CARRIER_EDGE;
	for (unsigned i = 0; i < zones_zones(z); i++)
		if (zones_zone(z, i)->kind != ZONE_MYNUMBER)
			put_product(m, &g, &from, &m->reachable[i], m->ports[i],
			    m->ports_n[i]);
}

static void
put_listener(struct making *m, const struct listener_settings *l,
    const struct ranges *clients)
{
	struct ranges at = listens_at(m, &l->at);
	const struct ports port = { l->at.port, l->at.port };
	struct grant g = grant_of(CARRIER_LISTEN, PROTOCOL_TCP, l,
	    arena_printf(m->arena, "listener %s", l->address), l->file,
	    l->line);

	put_product(m, &g, clients, &at, &port, 1);
	put_trusted_web(m, l, "proxy_protocol_from", l->proxy_protocol,
	    l->proxy_protocol_n);
	put_trusted_web(m, l, "forwarded_from", l->forwarded, l->forwarded_n);
}

static void
put_web(struct making *m)
{
	const struct grant_settings *s = m->settings;
	struct ranges clients = { 0 };
	struct run r = { 0 };

	while (s->listeners_n > 0 && next_run(s->zones, &r)) {
		if (r.segment->zone->kind == ZONE_MYNUMBER)
			continue;
		ranges_put(&clients, &r.range, m->arena);
		put_edge(m, &r);
	}
	ranges_unite(&clients);
	for (size_t i = 0; i < s->listeners_n; i++)
		put_listener(m, &s->listeners[i], &clients);
}

/* Mail. */

/* Where mail of some senders goes: by MX for a zone, or by one hop's name. */
static bool
takes_from(const struct mail_route *r, const struct body *b)
{
	if (r->body != NULL || r->bodies_n == 0)
		return true;
	for (size_t i = 0; i < r->bodies_n; i++)
		if (r->bodies[i] == b)
			return true;
	return false;
}

static const char *
route_what(struct making *m, const struct mail_route *r)
{
	return arena_printf(m->arena, "mail route \"%s\"", r->rule);
}

/* Inbound routes take mail of anybody; outbound ones of bodies. */
static struct ranges
senders_of(struct making *m, const struct mail_route *route)
{
	struct ranges out = { 0 };
	struct run r = { 0 };

	if (route->body != NULL)
		return m->senders;
	while (next_run(m->settings->zones, &r))
		if (r.segment->zone->kind != ZONE_MYNUMBER &&
		    takes_from(route, r.segment->body))
			ranges_put(&out, &r.range, m->arena);
	ranges_unite(&out);
	return ranges_without(&out, &m->plain, m->arena);
}

static void
put_hop(struct making *m, const struct mail_route *r, const struct ranges *from,
    const struct next_hop *h)
{
	const struct ports port = { h->port, h->port };
	struct address a;
	struct ranges to;
	struct grant g = grant_of(
	    CARRIER_MAIL, PROTOCOL_TCP, r, route_what(m, r), r->file, r->line);

	if (address_parse(&a, bytes_of(h->host)) == 0)
		to = address_ranges(&a, m->arena);
	else
		to = m->named;
	put_product(m, &g, from, &to, &port, 1);
}

/* Whether that port's hops by name are there already: another route's are the
 * same boxes, and very many. */
static bool
is_named_before(const struct making *m, size_t route, size_t hop)
{
	const struct mail_route *last = routes_at(m->settings->routes, route);
	struct address ignored;

	for (size_t i = 0; i <= route; i++) {
		const struct mail_route *r = routes_at(m->settings->routes, i);
		size_t n = i == route ? hop : r->hops_n;

		for (size_t k = 0; k < n && r->body != NULL; k++)
			if (r->hops[k].port == last->hops[hop].port &&
			    address_parse(&ignored, bytes_of(r->hops[k].host)) <
				0)
				return true;
	}
	return false;
}

static void
put_hops(struct making *m, size_t i)
{
	const struct mail_route *r = routes_at(m->settings->routes, i);
	struct ranges from = senders_of(m, r);
	struct address ignored;

	for (size_t k = 0; k < r->hops_n; k++)
		if (address_parse(&ignored, bytes_of(r->hops[k].host)) == 0 ||
		    !is_named_before(m, i, k))
			put_hop(m, r, &from, &r->hops[k]);
}

/* The first route by MX that takes mail of that body. */
static const struct mail_route *
mx_route(const struct making *m, const struct body *b)
{
	const struct routes *all = m->settings->routes;

	for (size_t i = 0; i < routes_count(all); i++) {
		const struct mail_route *r = routes_at(all, i);

		if (r->hops_n == 0 && takes_from(r, b))
			return r;
	}
	return NULL;
}

/* By MX names lead where they lead a browser of the sender's zone; the policy
 * of MTA-STS is fetched from the internet. */
static void
put_mx(struct making *m)
{
	static const struct ports smtp = { SMTP_PORT, SMTP_PORT };
	static const struct ports https = { HTTPS_PORT, HTTPS_PORT };
	struct run r = { 0 };

	while (next_run(m->settings->zones, &r)) {
		const struct zone *z = r.segment->zone;
		const struct mail_route *route = mx_route(m, r.segment->body);
		const struct ranges from = { .p = &r.range, .n = 1 };
		struct grant g;

		if (route == NULL || z->kind == ZONE_MYNUMBER)
			continue;
		g = grant_of(CARRIER_MAIL, PROTOCOL_TCP, route,
		    route_what(m, route), route->file, route->line);
		put_product(m, &g, &from, &m->reachable[z->index], &smtp, 1);
		if (m->settings->mail->mta_sts)
			put_product(
			    m, &g, &from, &m->public[z->index], &https, 1);
	}
}

/* Whoever these are says who sends: anybody, to wherever mail goes. */
static void
put_trusted_mail(struct making *m, const struct mail_listener_settings *l,
    const char *key, const struct ranges *from)
{
	const struct grant_settings *s = m->settings;
	struct ranges at = listens_at(m, &l->at);
	const struct ports port = { l->at.port, l->at.port };
	static const struct ports smtp = { SMTP_PORT, SMTP_PORT };
	struct grant g = grant_of(CARRIER_LISTEN, PROTOCOL_TCP, l,
	    arena_printf(m->arena, "%s of mail listener %s", key, l->address),
	    l->file, l->line);

	put_product(m, &g, from, &at, &port, 1);
	for (size_t i = 0; i < routes_count(s->routes); i++) {
		const struct mail_route *r = routes_at(s->routes, i);

		for (size_t k = 0; k < r->hops_n; k++)
			put_hop(m, r, from, &r->hops[k]);
	}
	g.carrier = CARRIER_MAIL;
	for (unsigned i = 0; i < zones_zones(s->zones); i++)
		if (zones_zone(s->zones, i)->kind != ZONE_MYNUMBER)
			put_product(m, &g, from, &m->reachable[i], &smtp, 1);
}

static void
put_mail_listener(struct making *m, const struct mail_listener_settings *l)
{
	struct ranges at = listens_at(m, &l->at);
	const struct ports port = { l->at.port, l->at.port };
	struct ranges trusted =
	    prefixes_ranges(l->proxy_protocol, l->proxy_protocol_n, m->arena);
	struct ranges named =
	    prefixes_ranges(l->xclient, l->xclient_n, m->arena);
	struct grant g = grant_of(CARRIER_LISTEN, PROTOCOL_TCP, l,
	    arena_printf(m->arena, "mail listener %s", l->address), l->file,
	    l->line);

	put_product(m, &g, &m->senders, &at, &port, 1);
	put_trusted_mail(m, l, "proxy_protocol_from", &trusted);
	/* XCLIENT comes behind the greeting, which separated ones never get. */
	named = ranges_without(&named, &m->plain, m->arena);
	put_trusted_mail(m, l, "xclient_from", &named);
}

static void
put_mail(struct making *m)
{
	const struct grant_settings *s = m->settings;

	if (s->routes == NULL || s->mail->listeners_n == 0)
		return;
	for (size_t i = 0; i < routes_count(s->routes); i++)
		put_hops(m, i);
	put_mx(m);
	for (size_t i = 0; i < s->mail->listeners_n; i++)
		put_mail_listener(m, &s->mail->listeners[i]);
}

/* What our own processes ask, for whomever. */

static void
put_own(struct making *m, const char *what, const struct address *to,
    enum protocol protocol, enum carrier carrier)
{
	struct ranges at = address_ranges(to, m->arena);
	const struct ports port = { to->port, to->port };
	struct grant g = grant_of(
	    carrier, protocol, m->settings, what, m->settings->file, 0);

	put_product(m, &g, &m->own, &at, &port, 1);
}

static void
put_name_servers(struct making *m)
{
	const struct texts *all = &m->settings->upstream->nameservers;

	for (size_t i = 0; i < all->n; i++) {
		struct address a = { .port = DNS_PORT };
		const char *what = arena_printf(
		    m->arena, "upstream.nameservers %s", all->p[i]);

		if (address_parse_port(&a, bytes_of(all->p[i])) < 0) {
			if (address_parse(&a, bytes_of(all->p[i])) < 0)
				continue;
			a.port = DNS_PORT;
		}
		for (size_t k = 0; k < 2; k++) {
			enum protocol p = k == 0 ? PROTOCOL_UDP : PROTOCOL_TCP;

			put_own(m, what, &a, p, CARRIER_EDGE);
			put_own(m, what, &a, p, CARRIER_MAIL);
		}
	}
}

static void
put_helpers(struct making *m)
{
	const struct grant_settings *s = m->settings;
	struct address a;

	put_name_servers(m);
	for (size_t i = 0; i < s->profiles->scanners_n; i++) {
		const struct av_scanner *av = &s->profiles->scanners[i];
		const char *what =
		    arena_printf(m->arena, "scanner \"%s\"", av->name);

		if (address_parse_port(&a, bytes_of(av->address)) < 0)
			continue; /* a socket's path */
		put_own(m, what, &a, PROTOCOL_TCP, CARRIER_EDGE);
		put_own(m, what, &a, PROTOCOL_TCP, CARRIER_MAIL);
	}
	if (s->mail->rspamd.address != NULL &&
	    address_parse_port(&a, bytes_of(s->mail->rspamd.address)) == 0)
		put_own(m, "mail.rspamd", &a, PROTOCOL_TCP, CARRIER_MAIL);
}

/* The isolation's own. */

static void
put_communication(struct making *m, const struct communication *c)
{
	struct ranges from = prefixes_ranges(c->from, c->from_n, m->arena);
	struct ranges to = prefixes_ranges(c->to, c->to_n, m->arena);
	const struct ports ports = { c->port_first, c->port_last };
	struct grant g = grant_of(CARRIER_FORWARD, c->protocol, c,
	    arena_printf(m->arena, "communication \"%s\"", c->name),
	    c->source.file, c->source.line);

	put_product(m, &g, &from, &to, &ports, 1);
}

static void
put_system(struct making *m, const struct system *s)
{
	const struct isolation_settings *i = &m->settings->isolation->settings;
	struct ranges from =
	    prefixes_ranges(s->addresses, s->addresses_n, m->arena);
	struct ranges gate = address_ranges(&i->gate_at, m->arena);
	const struct ports port = { i->gate_at.port, i->gate_at.port };
	struct grant g = grant_of(CARRIER_LISTEN, PROTOCOL_TCP, s,
	    arena_printf(m->arena, "system \"%s\"", s->name), s->source.file,
	    s->source.line);

	put_product(m, &g, &from, &gate, &port, 1);
	g.carrier = CARRIER_GATE;
	for (size_t k = 0; k < s->endpoints_n; k++)
		for (size_t j = 0; j < s->endpoints[k]->at_n; j++) {
			const struct address *at = &s->endpoints[k]->at[j];
			const struct ports its = { at->port, at->port };
			struct ranges to = address_ranges(at, m->arena);

			put_product(m, &g, &from, &to, &its, 1);
		}
}

int
grants_make(const struct grant_settings *s, struct arena *a, struct grants *out,
    struct err *e)
{
	struct making m = { .settings = s, .arena = a };
	const struct isolation_model *i = s->isolation;

	prepare(&m);
	put_web(&m);
	put_mail(&m);
	put_helpers(&m);
	for (size_t k = 0; k < i->communications_n; k++)
		put_communication(&m, &i->communications[k]);
	for (size_t k = 0; i->settings.gate[0] != '\0' && k < i->systems_n; k++)
		put_system(&m, &i->systems[k]);
	*out = (struct grants){ .n = m.n };
	if (m.n <= GRANTS_MAX && m.n > 0) {
		out->p = ARENA_ARRAY(a, struct grant, m.n);
		memcpy(out->p, m.p, m.n * sizeof(*m.p));
	}
	free(m.p);
	return m.n <= GRANTS_MAX
	    ? 0
	    : err_set(e, "the settings let through more than %zu boxes",
		  GRANTS_MAX);
}
