/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/zone/zone.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 65536
#define PORTS_MAX 1024

struct zone_entry {
	const char *name, *kind;
	struct texts permitted;
	struct zone zone;
};

const struct setting zone_table[] = {
	SETTING_TEXT_ROW(zone_entry, name, NULL, 1, 32,
	    "Its name, as segments and policies use it.",
	    "区域の名前。構成団体の segments と方針から参照する。"),
	SETTING_TEXT_ROW(zone_entry, kind, NULL, 1, 32,
	    "\"internet\", \"lgwan\" or \"mynumber\".",
	    "\"internet\"、\"lgwan\"、\"mynumber\" のいずれか。"),
	SETTING(zone_entry, permitted, TEXTS, 0, 0, 1024,
	    "Prefixes reachable from this zone although they are refused by"
	    " address elsewhere.",
	    "他では拒否するが、この区域からは接続を許すアドレス範囲。"),
	SETTING_NEST_ROW(ports,
	    "Destination ports; 80 and 443 when none is given.",
	    "宛先ポート。省略時は 80 と 443。"),
};
const size_t zone_table_n = COUNT(zone_table);

const struct setting body_table[] = {
	SETTING_NEST_ROW(code, "Its code of six digits, a string.",
	    "全国地方公共団体コード（6桁の文字列）。"),
	SETTING_TEXT_ROW(body, name_ja, NULL, 1, 128, "Its name in Japanese.",
	    "名称（日本語）。"),
	SETTING_TEXT_ROW(body, name_en, "", 0, 128,
	    "Its name in English; the Japanese one when it is empty.",
	    "名称（英語）。空なら日本語の名称。"),
	SETTING_TEXT_ROW(body, contact, "", 0, 256,
	    "Whom its users ask about a refusal.",
	    "拒否されたときの問い合わせ先。"),
	SETTING_NEST_ROW(model,
	    "Where its office terminals stand: \"alpha\" (in the LGWAN zone;"
	    " when it is not given), \"alpha-prime\" (there, with a way to"
	    " named cloud services), \"beta\" or \"beta-prime\" (in the"
	    " internet zone).",
	    "業務端末の配置。\"alpha\"（α: LGWAN 接続系。省略時）、"
	    "\"alpha-prime\"（α′: LGWAN 接続系から特定のクラウドサービスへ"
	    "直接接続）、\"beta\"（β）、\"beta-prime\"（β′: "
	    "インターネット接続系）。"),
	SETTING_NEST_ROW(
	    segments, "Its addresses; a list.", "そのアドレス（並び）。"),
};
const size_t body_table_n = COUNT(body_table);

struct segment_entry {
	const char *prefix, *zone, *section;
};

const struct setting segment_table[] = {
	SETTING_TEXT_ROW(segment_entry, prefix, NULL, 1, 64,
	    "Addresses: \"192.0.2.0/26\", \"2001:db8::/48\".",
	    "アドレス範囲。"),
	SETTING_TEXT_ROW(segment_entry, zone, NULL, 1, 32,
	    "The zone they stand in.", "属する区域。"),
	SETTING_TEXT_ROW(segment_entry, section, "", 0, 64,
	    "A part of the body that has policy files of its own (a school"
	    " board); empty: the body itself.",
	    "独自の方針ファイルを持つ部署（教育委員会など）。空なら団体"
	    "そのもの。"),
};
const size_t segment_table_n = COUNT(segment_table);

/* Disjoint intervals of addresses: each begins here and ends where the next
 * begins; owner is the longest prefix over it. */
struct interval {
	uint8_t from[16];
	const struct segment *owner; /* NULL: nobody */
};

struct zones {
	struct zone *zones;
	size_t zones_n;
	struct body *bodies;
	size_t bodies_n;
	struct segment *segments;
	size_t segments_n;
	struct section *sections;
	size_t sections_n;
	struct interval *intervals;
	size_t intervals_n;
};

char
body_code_check_digit(const char digits[5])
{
	unsigned sum = 0;

	for (unsigned i = 0; i < 5; i++)
		sum += (6 - i) * (unsigned)(digits[i] - '0');
	return (char)('0' + (11 - sum % 11) % 10);
}

static int
read_ports(const config_setting_t *group, struct zone *z, struct arena *a,
    struct err *e)
{
	const config_setting_t *list = setting_list(group, "ports", e);
	int n = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL && e->text[0] != '\0')
		return -1;
	if (n > PORTS_MAX)
		return setting_error(list, e, "more than %d ports", PORTS_MAX);
	z->ports = ARENA_ARRAY(a, uint16_t, (size_t)n);
	z->ports_n = (size_t)n;
	for (int i = 0; i < n; i++) {
		int port = config_setting_get_int_elem(list, i);

		if (port < 1 || port > UINT16_MAX)
			return setting_error(
			    list, e, "a port is %d, expected 1 to 65535", port);
		z->ports[i] = (uint16_t)port;
	}
	return 0;
}

static int
read_zone(const config_setting_t *group, struct zone *z, struct arena *a,
    struct err *e)
{
	static const struct {
		const char *name;
		enum zone_kind kind;
	} kinds[] = {
		{ "mynumber", ZONE_MYNUMBER },
		{ "lgwan", ZONE_LGWAN },
		{ "internet", ZONE_INTERNET },
	};
	struct zone_entry entry = { 0 };
	size_t i = 0;

	if (setting_load(zone_table, zone_table_n, group, &entry, a, e) < 0)
		return -1;
	while (i < COUNT(kinds) && strcmp(kinds[i].name, entry.kind) != 0)
		i++;
	if (i == COUNT(kinds))
		return setting_error(group, e,
		    "kind is \"%s\", expected internet, lgwan or mynumber",
		    entry.kind);
	z->name = entry.name;
	z->kind = kinds[i].kind;
	z->file = arena_string(a, bytes_of(setting_source(group)));
	z->line = config_setting_source_line(group);
	if (z->kind == ZONE_MYNUMBER && entry.permitted.n > 0)
		return setting_error(group, e,
		    "a mynumber zone has permitted addresses, expected none");
	z->permitted = ARENA_ARRAY(a, struct prefix, entry.permitted.n);
	z->permitted_n = entry.permitted.n;
	for (i = 0; i < entry.permitted.n; i++)
		if (prefix_parse(
			&z->permitted[i], bytes_of(entry.permitted.p[i])) < 0)
			return setting_error(entry.permitted.where, e,
			    "\"%s\" is no prefix, expected one such as"
			    " 192.0.2.0/24",
			    entry.permitted.p[i]);
	return read_ports(group, z, a, e);
}

static int
add_zone(struct zones *z, const config_setting_t *group, struct arena *a,
    struct err *e)
{
	struct zone *zone = &z->zones[z->zones_n];

	if (read_zone(group, zone, a, e) < 0)
		return -1;
	zone->index = (unsigned)z->zones_n;
	if (zones_by_name(z, bytes_of(zone->name)) != NULL)
		return setting_error(
		    group, e, "zone \"%s\" is there twice", zone->name);
	return 0;
}

static int
read_zones(struct zones *z, const config_setting_t *root, struct arena *a,
    struct err *e)
{
	const config_setting_t *list = setting_list(root, "zones", e);
	int n = list == NULL ? 0 : config_setting_length(list);
	int result = 0;

	if (list == NULL && e->text[0] != '\0')
		return -1;
	if (n > ZONES_MAX)
		return setting_error(
		    list, e, "%d zones, expected at most %d", n, ZONES_MAX);
	z->zones = ARENA_ARRAY(a, struct zone, (size_t)n);
	for (int i = 0; i < n; i++) {
		int read = add_zone(
		    z, config_setting_get_elem(list, (unsigned)i), a, e);

		if (err_take(&result, read, e) < 0)
			return -1;
		z->zones_n += read == 0;
	}
	return result;
}

/* Known by the first segment that names it. */
static const struct section *
section_of(struct zones *z, const struct body *b, const char *name)
{
	const struct section *known = zones_section(z, b, bytes_of(name));
	struct section *s;

	if (known != NULL || name[0] == '\0')
		return known;
	s = &z->sections[z->sections_n];
	*s = (struct section){
		.index = (unsigned)z->sections_n++, .name = name, .body = b
	};
	return s;
}

static int
read_segment(struct zones *z, const struct body *b,
    const config_setting_t *group, struct arena *a, struct err *e)
{
	struct segment_entry entry = { 0 };
	struct segment *s = &z->segments[z->segments_n];

	if (setting_load(segment_table, segment_table_n, group, &entry, a, e) <
	    0)
		return -1;
	if (prefix_parse(&s->prefix, bytes_of(entry.prefix)) < 0)
		return setting_error(group, e,
		    "\"%s\" is no prefix, expected one such as 192.0.2.0/26"
		    " without bits behind the mask",
		    entry.prefix);
	s->zone = zones_by_name(z, bytes_of(entry.zone));
	if (s->zone == NULL)
		return setting_error(
		    group, e, "zone \"%s\" is not in zones", entry.zone);
	s->body = b;
	s->section = section_of(z, b, entry.section);
	s->file = arena_string(a, bytes_of(setting_source(group)));
	s->line = config_setting_source_line(group);
	z->segments_n++;
	return 0;
}

static int
read_code(const config_setting_t *root, const config_setting_t *group,
    struct body *b, struct err *e)
{
	const config_setting_t *prefecture =
	    config_setting_get_member(root, "prefecture");
	const char *code = NULL;
	const char *own = NULL;

	if (config_setting_lookup_string(group, "code", &code) != CONFIG_TRUE)
		return setting_error(group, e,
		    "code is missing, expected a string of six digits");
	if (strlen(code) != BODY_CODE_N ||
	    strspn(code, "0123456789") != BODY_CODE_N ||
	    code[5] != body_code_check_digit(code))
		return setting_error(group, e,
		    "\"%s\" is no body code, expected five digits and their"
		    " check digit",
		    code);
	if (prefecture != NULL)
		config_setting_lookup_string(prefecture, "code", &own);
	if (own != NULL && strncmp(own, code, 2) != 0)
		return setting_error(group, e,
		    "body %s is of another prefecture than %s", code, own);
	memcpy(b->code, code, BODY_CODE_N);
	return 0;
}

static int
read_body(struct zones *z, const config_setting_t *root,
    const config_setting_t *group, struct arena *a, struct err *e)
{
	struct body *b = &z->bodies[z->bodies_n];
	const config_setting_t *list;
	int result = 0;
	int n;

	if (setting_load(body_table, body_table_n, group, b, a, e) < 0 ||
	    read_code(root, group, b, e) < 0)
		return -1;
	if (b->name_en[0] == '\0')
		b->name_en = b->name_ja;
	if (zones_body_by_code(z, bytes_of(b->code)) != NULL)
		return setting_error(
		    group, e, "body %s is there twice", b->code);
	b->index = (unsigned)z->bodies_n++;
	list = setting_list(group, "segments", e);
	if (list == NULL && e->text[0] != '\0')
		return -1;
	n = list == NULL ? 0 : config_setting_length(list);
	for (int i = 0; i < n; i++)
		if (err_take(&result,
			read_segment(z, b,
			    config_setting_get_elem(list, (unsigned)i), a, e),
			e) < 0)
			return -1;
	return result;
}

static size_t
count_segments(const config_setting_t *bodies)
{
	size_t n = 0;

	for (int i = 0; i < config_setting_length(bodies); i++) {
		const config_setting_t *list = config_setting_get_member(
		    config_setting_get_elem(bodies, (unsigned)i), "segments");

		if (list != NULL)
			n += (size_t)config_setting_length(list);
	}
	return n;
}

static int
read_bodies(struct zones *z, const config_setting_t *root, struct arena *a,
    struct err *e)
{
	const config_setting_t *list = setting_list(root, "bodies", e);
	int n = list == NULL ? 0 : config_setting_length(list);
	int result = 0;

	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	/* The last index is for strangers on the board. */
	if (n >= BODIES_MAX || count_segments(list) > SEGMENTS_MAX)
		return setting_error(list, e,
		    "%d bodies, expected fewer than %d and at most %d"
		    " segments",
		    n, BODIES_MAX, SEGMENTS_MAX);
	z->bodies = ARENA_ARRAY(a, struct body, (size_t)n);
	z->segments = ARENA_ARRAY(a, struct segment, count_segments(list));
	z->sections = ARENA_ARRAY(a, struct section, count_segments(list));
	for (int i = 0; i < n; i++)
		if (err_take(&result,
			read_body(z, root,
			    config_setting_get_elem(list, (unsigned)i), a, e),
			e) < 0)
			return -1;
	return result;
}

/* The first address behind the prefix; false when it ends the space. */
static bool
behind(const struct prefix *p, uint8_t out[16])
{
	memcpy(out, p->octets, 16);
	for (unsigned bit = p->bits; bit-- > 0;) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		out[bit / 8] ^= mask;
		if ((out[bit / 8] & mask) != 0)
			return true;
	}
	return false;
}

static int
compare_intervals(const void *a, const void *b)
{
	return memcmp(((const struct interval *)a)->from,
	    ((const struct interval *)b)->from, 16);
}

static int
compare_segments(const void *a, const void *b)
{
	const struct segment *const *left = a;
	const struct segment *const *right = b;
	int order = memcmp((*left)->prefix.octets, (*right)->prefix.octets, 16);

	if (order == 0)
		order = (*left)->prefix.bits - (*right)->prefix.bits;
	/* that of the settings */
	return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* By their first address, the widest first. */
static const struct segment **
sort_segments(const struct zones *z, struct arena *a)
{
	const struct segment **sorted =
	    ARENA_ARRAY(a, const struct segment *, z->segments_n);

	for (size_t i = 0; i < z->segments_n; i++)
		sorted[i] = &z->segments[i];
	qsort(sorted, z->segments_n, sizeof(*sorted), compare_segments);
	return sorted;
}

static bool
is_within(const struct prefix *inner, const struct prefix *outer)
{
	struct address a = { 0 };

	memcpy(a.octets, inner->octets, sizeof(a.octets));
	return inner->bits >= outer->bits && prefix_contains(outer, &a);
}

/* s lies in outer, or is the same. A part of a body's zone may have segments of
 * its own; all else would be an address in two places. */
static int
refuse_overlap(
    const struct segment *s, const struct segment *outer, struct err *e)
{
	char text[ADDRESS_TEXT_MAX], around[ADDRESS_TEXT_MAX];

	if (s->prefix.bits == outer->prefix.bits)
		return err_set(e,
		    "%s:%u: %s is there twice, first for %s at %s:%u", s->file,
		    s->line, prefix_text(&s->prefix, text), outer->body->code,
		    outer->file, outer->line);
	if (s->body == outer->body && s->zone == outer->zone)
		return 0;
	return err_set(e,
	    "%s:%u: %s of zone \"%s\" of %s lies in %s of zone \"%s\" of %s"
	    " (%s:%u), expected segments apart: only the same zone of the same"
	    " body may have one in the other",
	    s->file, s->line, prefix_text(&s->prefix, text), s->zone->name,
	    s->body->code, prefix_text(&outer->prefix, around),
	    outer->zone->name, outer->body->code, outer->file, outer->line);
}

static int
refuse_overlaps(const struct segment **sorted, size_t n, struct err *e)
{
	const struct segment *around[129]; /* one of each length */
	size_t depth = 0;
	int result = 0;

	for (size_t i = 0; i < n; i++) {
		const struct segment *s = sorted[i];

		while (depth > 0 &&
		    !is_within(&s->prefix, &around[depth - 1]->prefix))
			depth--;
		if (depth > 0 &&
		    err_take(&result, refuse_overlap(s, around[depth - 1], e),
			e) < 0)
			return -1;
		if (depth == 0 ||
		    s->prefix.bits > around[depth - 1]->prefix.bits)
			around[depth++] = s;
	}
	return result;
}

/* Two prefixes lie one in the other or apart: those around an address make a
 * stack, whose top is the longest. */
static void
own_intervals(struct zones *z, const struct segment **sorted)
{
	const struct segment *around[129]; /* one of each length */
	size_t depth = 0;
	size_t next = 0;

	for (size_t i = 0; i < z->intervals_n; i++) {
		struct interval *v = &z->intervals[i];
		struct address a = { 0 };

		memcpy(a.octets, v->from, sizeof(a.octets));
		while (depth > 0 &&
		    !prefix_contains(&around[depth - 1]->prefix, &a))
			depth--;
		while (next < z->segments_n &&
		    memcmp(sorted[next]->prefix.octets, v->from, 16) == 0) {
			must(depth < COUNT(around));
			around[depth++] = sorted[next++];
		}
		v->owner = depth > 0 ? around[depth - 1] : NULL;
	}
}

static void
make_intervals(struct zones *z, struct arena *a)
{
	size_t n = 0;

	z->intervals = ARENA_ARRAY(a, struct interval, 2 * z->segments_n + 1);
	n++; /* from ::0 */
	for (size_t i = 0; i < z->segments_n; i++) {
		const struct prefix *p = &z->segments[i].prefix;

		memcpy(z->intervals[n++].from, p->octets, 16);
		if (behind(p, z->intervals[n].from))
			n++;
	}
	qsort(z->intervals, n, sizeof(*z->intervals), compare_intervals);
	z->intervals_n = n;
}

struct zones *
zones_load(const config_setting_t *root, struct arena *a, struct err *e)
{
	struct zones *z = ARENA_NEW(a, struct zones);
	const struct segment **sorted;
	int all = 0;

	if (err_take(&all, read_zones(z, root, a, e), e) < 0 || all < 0 ||
	    read_bodies(z, root, a, e) < 0)
		return NULL;
	sorted = sort_segments(z, a);
	if (refuse_overlaps(sorted, z->segments_n, e) < 0)
		return NULL;
	make_intervals(z, a);
	own_intervals(z, sorted);
	return z;
}

/* The last interval that begins at or before it. */
static size_t
interval_at(const struct zones *z, const uint8_t octets[16])
{
	size_t low = 0;
	size_t high = z->intervals_n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(z->intervals[middle].from, octets, 16) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

const struct segment *
zones_lookup(const struct zones *z, const struct address *client)
{
	return z->intervals[interval_at(z, client->octets)].owner;
}

const struct segment *
zones_stretch(
    const struct zones *z, const uint8_t first[16], uint8_t last_out[16])
{
	size_t i = interval_at(z, first);
	const struct segment *owner = z->intervals[i].owner;

	while (i + 1 < z->intervals_n && z->intervals[i + 1].owner == owner)
		i++;
	memset(last_out, 0xff, 16);
	if (i + 1 == z->intervals_n)
		return owner;
	memcpy(last_out, z->intervals[i + 1].from, 16);
	/* the address before: the next interval never begins at :: */
	for (size_t k = 16; k-- > 0 && last_out[k]-- == 0;)
		;
	return owner;
}

size_t
zones_segments(const struct zones *z)
{
	return z->segments_n;
}

const struct segment *
zones_segment(const struct zones *z, size_t i)
{
	return i < z->segments_n ? &z->segments[i] : NULL;
}

const struct zone *
zones_by_name(const struct zones *z, struct bytes name)
{
	for (size_t i = 0; i < z->zones_n; i++)
		if (bytes_equal(bytes_of(z->zones[i].name), name))
			return &z->zones[i];
	return NULL;
}

const struct body *
zones_body_by_code(const struct zones *z, struct bytes code)
{
	for (size_t i = 0; i < z->bodies_n; i++)
		if (bytes_equal(bytes_of(z->bodies[i].code), code))
			return &z->bodies[i];
	return NULL;
}

const struct body *
zones_body(const struct zones *z, unsigned index)
{
	return index < z->bodies_n ? &z->bodies[index] : NULL;
}

size_t
zones_bodies(const struct zones *z)
{
	return z->bodies_n;
}

size_t
zones_zones(const struct zones *z)
{
	return z->zones_n;
}

const struct zone *
zones_zone(const struct zones *z, unsigned index)
{
	return index < z->zones_n ? &z->zones[index] : NULL;
}

const struct section *
zones_section(const struct zones *z, const struct body *b, struct bytes name)
{
	for (size_t i = 0; i < z->sections_n; i++)
		if (z->sections[i].body == b &&
		    bytes_equal(bytes_of(z->sections[i].name), name))
			return &z->sections[i];
	return NULL;
}

size_t
zones_sections(const struct zones *z)
{
	return z->sections_n;
}

const struct section *
zones_section_at(const struct zones *z, unsigned index)
{
	return index < z->sections_n ? &z->sections[index] : NULL;
}
