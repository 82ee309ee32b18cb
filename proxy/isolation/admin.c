/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/admin.h"

#include <string.h>

#define PROTOCOL_VRRP 112

static const struct {
	struct bytes name;
	uint8_t v4, v6;
	bool has_ports;
} protocols[] = {
	{ BYTES_ROW("tcp"), PROTOCOL_TCP, PROTOCOL_TCP, true },
	{ BYTES_ROW("udp"), PROTOCOL_UDP, PROTOCOL_UDP, true },
	{ BYTES_ROW("icmp"), PROTOCOL_ICMP, PROTOCOL_ICMPV6, false },
	{ BYTES_ROW("vrrp"), PROTOCOL_VRRP, PROTOCOL_VRRP, false },
};

static int
parse_ports(struct bytes text, struct admin_access *out)
{
	struct bytes last = text;
	struct bytes first = bytes_take_until(&last, '-');
	uint64_t n;

	if (bytes_number(first, UINT16_MAX, &n) < 0 || n == 0)
		return -1;
	out->port_first = out->port_last = (uint16_t)n;
	if (first.n == text.n)
		return 0;
	if (bytes_number(last, UINT16_MAX, &n) < 0 || n < out->port_first)
		return -1;
	out->port_last = (uint16_t)n;
	return 0;
}

static int
parse(const char *text, struct admin_access *out)
{
	struct bytes rest = bytes_of(text);
	struct bytes prefix = bytes_take_until(&rest, ' ');
	struct bytes protocol = bytes_take_until(&rest, ' ');

	if (prefix_parse(&out->from, prefix) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (!bytes_equal(protocol, protocols[i].name))
			continue;
		out->protocol = prefix_is_v4(&out->from) ? protocols[i].v4
							 : protocols[i].v6;
		if (protocols[i].has_ports)
			return parse_ports(rest, out);
		out->port_first = 0;
		out->port_last = UINT16_MAX;
		return rest.n == 0 ? 0 : -1;
	}
	return -1;
}

/* What it must not have addresses of; NULL: nothing. */
static const char *
why_not(const struct loading *l, const struct prefix *p)
{
	uint8_t first[16], last[16], from[16], to[16];

	prefix_ends(p, first, last);
	if (spans_touched(&l->index->provision, first, last) != NULL)
		return "of a provision endpoint";
	for (size_t i = 0; i < zones_segments(l->model->zones); i++) {
		const struct segment *s = zones_segment(l->model->zones, i);

		prefix_ends(&s->prefix, from, to);
		if (s->zone->kind == ZONE_MYNUMBER &&
		    memcmp(first, to, 16) <= 0 && memcmp(from, last, 16) <= 0)
			return "of a My Number segment";
	}
	return NULL;
}

/* Two of one protocol may not share an address and a port: the kernel's sets
 * take none twice. */
static bool
overlap(const struct admin_access *a, const struct admin_access *b)
{
	uint8_t first[16], last[16], from[16], to[16];

	prefix_ends(&a->from, first, last);
	prefix_ends(&b->from, from, to);
	return a->protocol == b->protocol && a->port_first <= b->port_last &&
	    b->port_first <= a->port_last && memcmp(first, to, 16) <= 0 &&
	    memcmp(from, last, 16) <= 0;
}

static int
read_admin(const struct loading *l, size_t i, struct err *e)
{
	struct isolation_settings *s = &l->model->settings;
	const config_setting_t *where =
	    config_setting_get_elem(s->admin.where, (unsigned)i);
	struct admin_access *a = &s->admins[s->admins_n];
	const char *why;

	if (parse(s->admin.p[i], a) < 0)
		return setting_error(where, e,
		    "admin: \"%s\", expected a prefix, tcp, udp, icmp or vrrp,"
		    " and for the first two a port: \"192.0.2.0/28 tcp 22\"",
		    s->admin.p[i]);
	why = why_not(l, &a->from);
	if (why != NULL)
		return setting_error(where, e,
		    "admin: \"%s\" has addresses %s, expected others",
		    s->admin.p[i], why);
	for (size_t k = 0; k < s->admins_n; k++)
		if (overlap(a, &s->admins[k]))
			return setting_error(where, e,
			    "admin: \"%s\" overlaps an entry before it",
			    s->admin.p[i]);
	s->admins_n++;
	return 0;
}

int
admins_load(struct loading *l, const config_setting_t *root, struct err *e)
{
	struct isolation_settings *s = &l->model->settings;
	const config_setting_t *group =
	    config_setting_get_member(root, "isolation");
	int all = 0;

	if (s->kernel && s->admin.n == 0)
		return setting_error(config_setting_get_member(group, "kernel"),
		    e,
		    "kernel is true without admin, expected who reaches this"
		    " machine beside its listeners (\"192.0.2.0/28 tcp 22\"),"
		    " or \"none\"");
	if (s->admin.n == 1 && strcmp(s->admin.p[0], "none") == 0)
		return 0;
	s->admins = ARENA_ARRAY(l->arena, struct admin_access, s->admin.n);
	for (size_t i = 0; i < s->admin.n; i++)
		if (err_take(&all, read_admin(l, i, e), e) < 0)
			return -1;
	return all;
}
