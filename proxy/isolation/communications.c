/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "proxy/base/when.h"
#include "proxy/isolation/loading.h"

#define PREFIXES_MAX 64

struct entry {
	const char *name, *kind, *protocol, *mac, *purpose, *owner, *approval,
	    *expires;
	struct texts from, to;
};

const struct setting communication_table[] = {
	SETTING_TEXT_ROW(entry, name, NULL, 1, 64,
	    "Its name, of all communications'.", "名前（重複不可）。"),
	SETTING_TEXT_ROW(entry, kind, "plain", 1, 16,
	    "\"plain\": between segments that are registered; or \"eltax\","
	    " \"pittari\", \"juki\", \"jlis\": with that system of the state,"
	    " inside isolation.lgwan.",
	    "\"plain\"（登録した範囲の間）、または国の仕組みとの通信 \"eltax\""
	    "（eLTAX）、\"pittari\"（ぴったりサービス）、\"juki\"（住民基本"
	    "台帳ネットワーク）、\"jlis\"（J-LIS）。後の四つの相手は "
	    "isolation.lgwan の中。"),
	SETTING(entry, from, TEXTS, 0, 1, PREFIXES_MAX,
	    "Who connects: addresses or prefixes.",
	    "接続元のアドレス（範囲も可）。"),
	SETTING(entry, to, TEXTS, 0, 1, PREFIXES_MAX,
	    "To whom: addresses or prefixes.",
	    "接続先のアドレス（範囲も可）。"),
	SETTING_TEXT_ROW(entry, protocol, NULL, 1, 8,
	    "\"tcp\", \"udp\", \"icmp\" or \"icmpv6\".",
	    "\"tcp\"、\"udp\"、\"icmp\"、\"icmpv6\"。"),
	SETTING_NEST_ROW(port,
	    "Destination port: a number, or a range \"8000-8010\" of at most"
	    " 16,384 ports. None for ICMP.",
	    "宛先ポート。数、または \"8000-8010\" のような範囲（16,384 まで）。"
	    "ICMP では書かない。"),
	SETTING_TEXT_ROW(entry, mac, "", 0, 17,
	    "The source's hardware address (\"02:00:00:00:00:01\"), where the"
	    " source stands on a segment of this machine.",
	    "接続元の MAC アドレス（\"02:00:00:00:00:01\"）。接続元がこの"
	    "計算機と同じセグメントにあるとき。"),
	SETTING_TEXT_ROW(
	    entry, purpose, NULL, 1, 256, "What it is for.", "目的。"),
	SETTING_TEXT_ROW(
	    entry, owner, NULL, 1, 128, "Who answers for it.", "責任者。"),
	SETTING_TEXT_ROW(entry, approval, NULL, 1, 128,
	    "Who approved it, when: the number of the document.",
	    "承認（決裁番号など）。"),
	SETTING_TEXT_ROW(entry, expires, NULL, 10, 10,
	    "Its last day, in Japan (\"2027-03-31\"), within three years.",
	    "最後の日（日本時間。\"2027-03-31\"）。三年以内。"),
};
const size_t communication_table_n = COUNT(communication_table);

static const char *const kind_names[] = {
	[COMMUNICATION_PLAIN] = "plain",
	[COMMUNICATION_ELTAX] = "eltax",
	[COMMUNICATION_PITTARI] = "pittari",
	[COMMUNICATION_JUKI] = "juki",
	[COMMUNICATION_JLIS] = "jlis",
};

const char *
communication_kind_name(enum communication_kind k)
{
	return kind_names[k];
}

static const struct {
	const char *name;
	enum protocol protocol;
} protocols[] = {
	{ "tcp", PROTOCOL_TCP },
	{ "udp", PROTOCOL_UDP },
	{ "icmp", PROTOCOL_ICMP },
	{ "icmpv6", PROTOCOL_ICMPV6 },
};

const char *
protocol_name(enum protocol p)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i].protocol == p)
			return protocols[i].name;
	return "none";
}

static int
read_kind(struct communication *c, const char *text,
    const config_setting_t *group, struct err *e)
{
	for (size_t i = 0; i < COUNT(kind_names); i++)
		if (strcmp(kind_names[i], text) == 0) {
			c->kind = (enum communication_kind)i;
			return 0;
		}
	return setting_error(config_setting_get_member(group, "kind"), e,
	    "kind is \"%s\", expected plain, eltax, pittari, juki or jlis",
	    text);
}

static bool
has_ports(const struct communication *c)
{
	return c->protocol == PROTOCOL_TCP || c->protocol == PROTOCOL_UDP;
}

static int
read_range(const char *text, int64_t *first, int64_t *last)
{
	struct bytes rest = bytes_of(text);
	struct bytes head = bytes_take_until(&rest, '-');
	uint64_t from, to;

	if (bytes_number(head, UINT16_MAX, &from) < 0 ||
	    bytes_number(rest, UINT16_MAX, &to) < 0)
		return -1;
	*first = (int64_t)from;
	*last = (int64_t)to;
	return 0;
}

static int
read_ports(
    struct communication *c, const config_setting_t *group, struct err *e)
{
	const config_setting_t *s = config_setting_get_member(group, "port");
	int64_t first = 0;
	int64_t last = 0;

	if (!has_ports(c)) {
		c->port_last = UINT16_MAX;
		return s == NULL
		    ? 0
		    : setting_error(s, e, "port is there, expected none for %s",
			  protocol_name(c->protocol));
	}
	if (s == NULL)
		return setting_error(group, e,
		    "port is missing, expected one for %s",
		    protocol_name(c->protocol));
	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		if (read_range(config_setting_get_string(s), &first, &last) < 0)
			first = 0;
	} else if (config_setting_type(s) == CONFIG_TYPE_INT) {
		first = last = config_setting_get_int64(s);
	}
	if (first < 1 || last > UINT16_MAX || first > last)
		return setting_error(s, e,
		    "port: expected 1 to 65535, or a range such as"
		    " \"8000-8010\"");
	if (last - first >= COMMUNICATION_PORTS_MAX)
		return setting_error(s, e,
		    "port: a range of %d ports, expected at most %d",
		    (int)(last - first + 1), COMMUNICATION_PORTS_MAX);
	c->port_first = (uint16_t)first;
	c->port_last = (uint16_t)last;
	return 0;
}

static int
read_protocol(struct communication *c, const char *text,
    const config_setting_t *group, struct err *e)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (strcmp(protocols[i].name, text) == 0) {
			c->protocol = protocols[i].protocol;
			return read_ports(c, group, e);
		}
	return setting_error(config_setting_get_member(group, "protocol"), e,
	    "protocol is \"%s\", expected tcp, udp, icmp or icmpv6", text);
}

static int
read_mac(struct communication *c, const char *text,
    const config_setting_t *group, struct err *e)
{
	static const uint8_t nobody[6];
	const config_setting_t *where = config_setting_get_member(group, "mac");
	bool good = strlen(text) == 17;

	if (text[0] == '\0')
		return 0;
	for (size_t i = 0; good && i < 6; i++) {
		int high = byte_hex((uint8_t)text[3 * i]);
		int low = byte_hex((uint8_t)text[3 * i + 1]);

		good =
		    high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
		if (good)
			c->mac[i] =
			    (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	/* The lowest bit of the first octet: a group (IEEE 802). */
	if (!good || (c->mac[0] & 1) != 0 || memcmp(c->mac, nobody, 6) == 0)
		return setting_error(where, e,
		    "mac is \"%s\", expected a host's hardware address such as"
		    " 02:00:00:00:00:01",
		    text);
	if (c->from_n != 1 || c->from[0].bits != 128)
		return setting_error(where, e,
		    "mac is there, expected one address in `from`: its host's");
	c->has_mac = true;
	return 0;
}

static int
read_expiry(const struct loading *l, struct communication *c, const char *text,
    const config_setting_t *group, struct err *e)
{
	const config_setting_t *where =
	    config_setting_get_member(group, "expires");

	if (when_day(bytes_of(text), &c->expires) < 0)
		return setting_error(where, e,
		    "expires is \"%s\", expected a day such as \"2027-03-31\"",
		    text);
	c->expires += WHEN_DAY_S;
	if (c->expires <= l->now)
		return setting_error(where, e,
		    "expires: it is over since the end of %s, expected a day"
		    " to come, or the entry taken out",
		    text);
	/* The day on which it is written does not count. */
	if (c->expires >
	    l->now + (time_t)(COMMUNICATION_DAYS_MAX + 1) * WHEN_DAY_S)
		return setting_error(where, e,
		    "expires is %s, expected a day within three years", text);
	return 0;
}

/* One family throughout: nothing translates between them. */
static int
check_family(
    const struct communication *c, const config_setting_t *group, struct err *e)
{
	bool v4 = prefix_is_v4(&c->from[0]);

	for (size_t i = 0; i < c->from_n + c->to_n; i++)
		if (prefix_is_v4(i < c->from_n ? &c->from[i]
					       : &c->to[i - c->from_n]) != v4)
			return setting_error(group, e,
			    "from and to mix IPv4 and IPv6, expected one"
			    " communication for each");
	if (!has_ports(c) && v4 != (c->protocol == PROTOCOL_ICMP))
		return setting_error(
		    config_setting_get_member(group, "protocol"), e,
		    "protocol is %s, expected %s between such addresses",
		    protocol_name(c->protocol), v4 ? "icmp" : "icmpv6");
	return 0;
}

/* The places of one end, a set of bits. */
struct end {
	const char *key;
	const struct texts *texts;
	const struct prefix *prefixes;
	unsigned places;
};
#define IN(place) (1u << (place))
#define BODIES (IN(PLACE_MYNUMBER) | IN(PLACE_LGWAN) | IN(PLACE_INTERNET))

static int
judge_place(const struct loading *l, const struct end *end, size_t i,
    const uint8_t octets[16], enum place place, struct err *e)
{
	const config_setting_t *where =
	    config_setting_get_elem(end->texts->where, (unsigned)i);
	char text[ADDRESS_TEXT_MAX];
	const struct endpoint *p;
	struct address a = { 0 };

	memcpy(a.octets, octets, sizeof(a.octets));
	address_text(&a, text);
	switch (place) {
	case PLACE_MYNUMBER:
	case PLACE_LGWAN:
	case PLACE_INTERNET:
	case PLACE_LGWAN_NETWORK:
		return 0;
	case PLACE_PROVISION:
		p = &l->model->endpoints[spans_at(&l->index->provision, octets)
					     ->index];
		return setting_error(where, e,
		    "%s: %s: %s is of endpoint \"%s\" (%s:%u), which the gate"
		    " alone reaches",
		    end->key, end->texts->p[i], text, p->name, p->source.file,
		    p->source.line);
	case PLACE_CHECKPOINT:
		return setting_error(where, e,
		    "%s: %s: %s is of this machine, expected both ends beyond"
		    " it",
		    end->key, end->texts->p[i], text);
	case PLACE_OUTSIDE:
	case PLACES:
		break;
	}
	return setting_error(where, e,
	    "%s: %s: %s is in no segment and not in isolation.lgwan: a far end"
	    " may not be on the internet",
	    end->key, end->texts->p[i], text);
}

/* Every address of it: a prefix may hold several places. */
static int
find_places(const struct loading *l, struct end *end, struct err *e)
{
	const struct segment *segment;

	for (size_t i = 0; i < end->texts->n; i++) {
		uint8_t at[16], to[16], last[16];

		prefix_ends(&end->prefixes[i], at, to);
		do {
			enum place place =
			    place_stretch(l->model, at, &segment, last);

			if (judge_place(l, end, i, at, place, e) < 0 ||
			    check_host(&end->prefixes[i], segment, end->key,
				config_setting_get_elem(
				    end->texts->where, (unsigned)i),
				e) < 0)
				return -1;
			end->places |= IN(place);
		} while (octets_behind(at, last, to));
	}
	return 0;
}

/* Neither end of a My Number segment's is one that the internet is open to. */
static int
check_mynumber(const struct end *end, const struct end *other,
    const config_setting_t *group, struct err *e)
{
	return (end->places & IN(PLACE_MYNUMBER)) != 0 &&
		(other->places & IN(PLACE_INTERNET)) != 0
	    ? setting_error(group, e,
		  "%s has My Number addresses and %s has addresses of an"
		  " internet zone: a far end may not be on the internet",
		  end->key, other->key)
	    : 0;
}

/* To LGWAN beyond the bodies goes its own zone; others only as a kind that the
 * schema knows. */
static int
check_lgwan(const struct communication *c, const struct end *end,
    const struct end *other, const config_setting_t *group, struct err *e)
{
	if ((end->places & IN(PLACE_LGWAN_NETWORK)) == 0 ||
	    c->kind != COMMUNICATION_PLAIN || other->places == IN(PLACE_LGWAN))
		return 0;
	return setting_error(group, e,
	    "%s is beyond the bodies (isolation.lgwan), expected kind eltax,"
	    " pittari, juki or jlis, or an lgwan zone alone in %s",
	    end->key, other->key);
}

static int
check_ends(const struct loading *l, struct communication *c,
    const struct entry *entry, const config_setting_t *group, struct err *e)
{
	struct end from = { "from", &entry->from, c->from, 0 };
	struct end to = { "to", &entry->to, c->to, 0 };

	if (find_places(l, &from, e) < 0 || find_places(l, &to, e) < 0 ||
	    check_mynumber(&from, &to, group, e) < 0 ||
	    check_mynumber(&to, &from, group, e) < 0 ||
	    check_lgwan(c, &from, &to, group, e) < 0 ||
	    check_lgwan(c, &to, &from, group, e) < 0)
		return -1;
	if (((from.places | to.places) & BODIES) == 0)
		return setting_error(group, e,
		    "neither end is in a body's segment, expected one");
	if (c->kind != COMMUNICATION_PLAIN &&
	    ((from.places | to.places) & IN(PLACE_LGWAN_NETWORK)) == 0)
		return setting_error(group, e,
		    "kind is %s, expected an end in isolation.lgwan",
		    communication_kind_name(c->kind));
	return 0;
}

static int
check_apart(
    const struct communication *c, const struct entry *entry, struct err *e)
{
	uint8_t first[16], last[16], from[16], to[16];

	for (size_t i = 0; i < c->to_n; i++) {
		prefix_ends(&c->to[i], first, last);
		for (size_t k = 0; k < c->from_n; k++) {
			prefix_ends(&c->from[k], from, to);
			if (memcmp(from, last, 16) <= 0 &&
			    memcmp(first, to, 16) <= 0)
				return setting_error(
				    config_setting_get_elem(
					entry->to.where, (unsigned)i),
				    e,
				    "to: %s and from: %s have addresses in"
				    " common, expected two ends",
				    entry->to.p[i], entry->from.p[k]);
		}
	}
	return 0;
}

/* What each part of an entry says of itself. */
static int
read_parts(struct loading *l, struct communication *c,
    const struct entry *entry, const config_setting_t *group, struct err *e)
{
	int all = 0;

	if (err_take(&all, check_name(entry->name, group, e), e) < 0 ||
	    err_take(&all, check_words("purpose", entry->purpose, group, e),
		e) < 0 ||
	    err_take(&all, check_words("owner", entry->owner, group, e), e) <
		0 ||
	    err_take(&all, check_words("approval", entry->approval, group, e),
		e) < 0 ||
	    err_take(&all, read_kind(c, entry->kind, group, e), e) < 0 ||
	    err_take(&all, read_protocol(c, entry->protocol, group, e), e) <
		0 ||
	    err_take(&all, read_expiry(l, c, entry->expires, group, e), e) <
		0 ||
	    err_take(&all,
		read_prefixes(l, "from", &entry->from, group, &c->from, e),
		e) < 0 ||
	    err_take(&all, read_prefixes(l, "to", &entry->to, group, &c->to, e),
		e) < 0)
		return -1;
	c->from_n = entry->from.n;
	c->to_n = entry->to.n;
	return all;
}

/* What they say together. */
static int
check_parts(const struct loading *l, struct communication *c,
    const struct entry *entry, const config_setting_t *group, struct err *e)
{
	int all = 0;

	if (err_take(&all, read_mac(c, entry->mac, group, e), e) < 0 ||
	    err_take(&all, check_family(c, group, e), e) < 0 ||
	    err_take(&all, check_apart(c, entry, e), e) < 0 ||
	    err_take(&all, check_ends(l, c, entry, group, e), e) < 0)
		return -1;
	return all;
}

static int
read_communication(
    struct loading *l, const config_setting_t *group, struct err *e)
{
	struct isolation_model *m = l->model;
	struct communication *c = &m->communications[m->communications_n];
	struct entry entry = { 0 };

	*c = (struct communication){ .source = loading_source(l, group) };
	if (setting_load(communication_table, communication_table_n, group,
		&entry, l->arena, e) < 0 ||
	    read_parts(l, c, &entry, group, e) < 0 ||
	    check_parts(l, c, &entry, group, e) < 0)
		return -1;
	c->name = entry.name;
	c->purpose = entry.purpose;
	c->owner = entry.owner;
	c->approval = entry.approval;
	c->index = (unsigned)m->communications_n++;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct communication *const *left = a;
	const struct communication *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

static int
refuse_names(const struct loading *l, struct err *e)
{
	const struct isolation_model *m = l->model;
	size_t n = m->communications_n;
	const struct communication **sorted =
	    ARENA_ARRAY(l->arena, const struct communication *, n);
	int all = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &m->communications[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n; i++) {
		const struct communication *was = sorted[i - 1];
		const struct communication *c = sorted[i];

		if (strcmp(was->name, c->name) == 0 &&
		    err_take(&all,
			err_set(e,
			    "%s:%u: communication \"%s\" is there twice,"
			    " first at %s:%u",
			    c->source.file, c->source.line, c->name,
			    was->source.file, was->source.line),
			e) < 0)
			return -1;
	}
	return all;
}

int
communications_load(
    struct loading *l, const config_setting_t *root, struct err *e)
{
	struct isolation_model *m = l->model;
	const config_setting_t *list;
	int all = 0;
	size_t n;

	if (read_list(
		root, "communications", COMMUNICATIONS_MAX, &list, &n, e) < 0)
		return -1;
	m->communications = ARENA_ARRAY(l->arena, struct communication, n);
	for (size_t i = 0; i < n; i++)
		if (err_take(&all,
			read_communication(
			    l, config_setting_get_elem(list, (unsigned)i), e),
			e) < 0)
			return -1;
	return err_take(&all, refuse_names(l, e), e) < 0 ? -1 : all;
}

size_t
isolation_review(const struct isolation_model *m, time_t now, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < m->communications_n; i++) {
		const struct communication *c = &m->communications[i];
		time_t last = c->expires - 1 + WHEN_JAPAN_S;
		char day[16];
		struct tm tm;

		if (c->expires >
		    now + (time_t)COMMUNICATION_SOON_DAYS * WHEN_DAY_S)
			continue;
		strftime(day, sizeof(day), "%F", gmtime_r(&last, &tm));
		fprintf(out,
		    "%s:%u: communication \"%s\" ends on %s; the settings do"
		    " not load with it from the next day on\n",
		    c->source.file, c->source.line, c->name, day);
		n++;
	}
	return n;
}
