/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/policy.h"

#include <string.h>

#include "proxy/policy/hours.h"
#include "proxy/policy/lists.h"

#define RULES_MAX 65536
#define VALUES_MAX 65536

const struct setting policy_table[] = {
	SETTING_NEST_ROW(
	    lists, "Lists that make categories.", "分類をなす一覧。"),
	SETTING_NEST_ROW(
	    rules, "Rules in their order.", "規則の並び（順序に意味がある）。"),
};
const size_t policy_table_n = COUNT(policy_table);

struct list_entry {
	const char *category, *file, *kind;
};

const struct setting list_table[] = {
	SETTING_TEXT_ROW(list_entry, category, NULL, 1, 64,
	    "The category that its entries belong to.", "項目の分類。"),
	SETTING_TEXT_ROW(list_entry, file, NULL, 1, 4096,
	    "The file, one entry a line, # for comments.",
	    "ファイル。一行に一件、# は注釈。"),
	SETTING_TEXT_ROW(list_entry, kind, "domains", 1, 16,
	    "\"domains\" (each with its subdomains) or \"urls\".",
	    "\"domains\"（サブドメインを含む）または \"urls\"。"),
};
const size_t list_table_n = COUNT(list_table);

struct conditions {
	struct rule rule;
	const struct zone **zones;
	size_t zones_n;
	const struct body **bodies;
	size_t bodies_n;
	struct bytes *destinations;
	size_t destinations_n;
	struct url *urls;
	size_t urls_n;
	struct prefix *addresses;
	size_t addresses_n;
	uint16_t *ports;
	size_t ports_n;
	uint64_t categories; /* a set; 0: not asked */
	struct texts methods;
	struct hours *hours;
	size_t hours_n;
};

struct rule_entry {
	const char *name, *verdict, *reason_ja, *reason_en;
	struct texts zones, bodies, destinations, urls, addresses, categories;
	struct texts methods, hours;
	bool tls_only;
};

const struct setting rule_table[] = {
	SETTING_TEXT_ROW(rule_entry, name, NULL, 1, 64,
	    "Its name, in every log line and page it causes.",
	    "規則の名前。ログと画面に出る。"),
	SETTING_TEXT_ROW(rule_entry, verdict, NULL, 1, 16,
	    "\"allow\" (decrypted and judged), \"tunnel\" (not decrypted) or"
	    " \"block\".",
	    "\"allow\"（復号して検査）、\"tunnel\"（復号しない）、\"block\"。"),
	SETTING_TEXT_ROW(rule_entry, reason_ja, NULL, 1, 1024,
	    "Why, in Japanese, for the page.", "画面に出す理由（日本語）。"),
	SETTING_TEXT_ROW(rule_entry, reason_en, "", 0, 1024, "Why, in English.",
	    "理由（英語）。"),
	SETTING(rule_entry, zones, TEXTS, 0, 1, VALUES_MAX,
	    "Zones of the client.", "端末の区域。"),
	SETTING(rule_entry, bodies, TEXTS, 0, 1, VALUES_MAX,
	    "Codes of the client's body.", "端末の構成団体コード。"),
	SETTING(rule_entry, destinations, TEXTS, 0, 1, VALUES_MAX,
	    "Names, each with its subdomains.",
	    "宛先の名前（サブドメインを含む）。"),
	SETTING(rule_entry, urls, TEXTS, 0, 1, VALUES_MAX,
	    "URLs; what lies below their path is meant too: /a covers /a and"
	    " /a/b, not /ab.",
	    "URL。配下も含む。/a は /a と /a/b に合い、/ab に合わない。"),
	SETTING(rule_entry, addresses, TEXTS, 0, 1, VALUES_MAX,
	    "Prefixes, for destinations given as an address.",
	    "アドレスで指定された宛先の範囲。"),
	SETTING_NEST_ROW(ports, "Destination ports.", "宛先ポート。"),
	SETTING(rule_entry, categories, TEXTS, 0, 1, VALUES_MAX,
	    "Categories of the lists.", "一覧による分類。"),
	SETTING(rule_entry, methods, TEXTS, 0, 1, VALUES_MAX,
	    "Methods: \"GET\", \"POST\".", "要求メソッド。"),
	SETTING(rule_entry, hours, TEXTS, 0, 1, VALUES_MAX,
	    "Hours in Japan: \"mon-fri 08:30-17:15\".",
	    "時間帯（日本時間）。\"mon-fri 08:30-17:15\"。"),
	SETTING(rule_entry, tls_only, FLAG, false, 0, 1,
	    "A tunnel carries nothing but TLS of the CONNECT name.",
	    "トンネルに CONNECT 先の名前の TLS 以外を通さない。"),
};
const size_t rule_table_n = COUNT(rule_table);

struct policy {
	struct conditions *rules;
	size_t rules_n;
	size_t rules_size;
	struct lists *lists;
	const char *folder;
};

/* Decisions that no file can loosen, and the one behind the last rule. */
static const struct rule unknown_source = {
	.name = "builtin:unknown-source",
	.reason_ja = "接続元のアドレスが登録されていません。",
	.reason_en = "The address you come from is not registered.",
};
static const struct rule mynumber_zone = {
	.name = "builtin:mynumber",
	.reason_ja = "マイナンバー利用事務系からは外部へ接続できません。",
	.reason_en = "The My Number zone has no way out.",
};
static const struct rule odd_port = {
	.name = "builtin:port",
	.reason_ja = "この宛先ポートへの接続は許可されていません。",
	.reason_en = "This destination port is not permitted.",
};
static const struct rule no_rule = {
	.name = "builtin:no-rule",
	.reason_ja = "接続を許可する規則がありません。",
	.reason_en = "No rule permits this destination.",
};

/* A rule that needs more than a name and a port waits for the requests. */
static const struct rule decrypt = {
	.name = "builtin:decrypt",
	.verdict = VERDICT_ALLOW,
	.reason_ja = "復号し、要求ごとに判定します。",
	.reason_en = "It is decrypted, and each request is judged.",
};

/* Reading. */

static int
read_list(struct policy *p, const config_setting_t *group, struct arena *a,
    struct err *e)
{
	struct list_entry entry = { 0 };
	const char *path;
	int category;
	bool urls;

	if (setting_load(list_table, list_table_n, group, &entry, a, e) < 0)
		return -1;
	urls = strcmp(entry.kind, "urls") == 0;
	if (!urls && strcmp(entry.kind, "domains") != 0)
		return setting_error(group, e,
		    "kind is \"%s\", expected domains or urls", entry.kind);
	category = lists_category(p->lists, entry.category);
	if (category < 0)
		return setting_error(
		    group, e, "more than %d categories", CATEGORIES_MAX);
	path = entry.file[0] == '/'
	    ? entry.file
	    : arena_printf(a, "%s/%s", p->folder, entry.file);
	return lists_read(p->lists, path, urls ? LIST_URLS : LIST_DOMAINS,
	    (unsigned)category, e);
}

static int
read_verdict(const config_setting_t *group, const struct rule_entry *entry,
    struct rule *r, struct err *e)
{
	for (int v = VERDICT_BLOCK; v <= VERDICT_ALLOW; v++)
		if (strcmp(entry->verdict, verdict_name((enum verdict)v)) ==
		    0) {
			r->verdict = (enum verdict)v;
			if (r->verdict == VERDICT_TUNNEL &&
			    (entry->urls.n > 0 || entry->methods.n > 0))
				return setting_error(group, e,
				    "rule \"%s\" is a tunnel with urls or"
				    " methods, which are not seen in one,"
				    " expected destinations",
				    entry->name);
			return 0;
		}
	return setting_error(group, e,
	    "verdict is \"%s\", expected allow, tunnel or block",
	    entry->verdict);
}

static int
read_zones(struct conditions *c, const struct texts *t,
    const struct zones *zones, struct arena *a, struct err *e)
{
	c->zones = ARENA_ARRAY(a, const struct zone *, t->n);
	c->zones_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		c->zones[i] = zones_by_name(zones, bytes_of(t->p[i]));
		if (c->zones[i] == NULL)
			return setting_error(t->where, e,
			    "zone \"%s\" is not in the settings, expected"
			    " one of zones",
			    t->p[i]);
	}
	return 0;
}

static int
read_bodies(struct conditions *c, const struct texts *t,
    const struct zones *zones, struct arena *a, struct err *e)
{
	c->bodies = ARENA_ARRAY(a, const struct body *, t->n);
	c->bodies_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		c->bodies[i] = zones_body_by_code(zones, bytes_of(t->p[i]));
		if (c->bodies[i] == NULL)
			return setting_error(t->where, e,
			    "body \"%s\" is not in the settings, expected"
			    " one of bodies",
			    t->p[i]);
	}
	return 0;
}

static int
read_destinations(
    struct conditions *c, const struct texts *t, struct arena *a, struct err *e)
{
	const char *why;

	c->destinations = ARENA_ARRAY(a, struct bytes, t->n);
	c->destinations_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		struct url u = { 0 };

		if (url_parse_host(&u, bytes_of(t->p[i]), a, &why) < 0)
			return setting_error(t->where, e,
			    "\"%s\": %s, expected a name such as"
			    " example.test",
			    t->p[i], why);
		c->destinations[i] = u.host;
	}
	return 0;
}

static int
read_urls(
    struct conditions *c, const struct texts *t, struct arena *a, struct err *e)
{
	const char *why;

	c->urls = ARENA_ARRAY(a, struct url, t->n);
	c->urls_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		if (url_parse_absolute(&c->urls[i],
			arena_copy(a, bytes_of(t->p[i])), a, &why) < 0)
			return setting_error(t->where, e,
			    "\"%s\": %s, expected a URL such as"
			    " https://example.test/path/",
			    t->p[i], why);
		if (c->urls[i].target.n != c->urls[i].path.n)
			return setting_error(t->where, e,
			    "\"%s\" has a query, expected none", t->p[i]);
	}
	return 0;
}

static int
read_addresses(
    struct conditions *c, const struct texts *t, struct arena *a, struct err *e)
{
	c->addresses = ARENA_ARRAY(a, struct prefix, t->n);
	c->addresses_n = t->n;
	for (size_t i = 0; i < t->n; i++)
		if (prefix_parse(&c->addresses[i], bytes_of(t->p[i])) < 0)
			return setting_error(t->where, e,
			    "\"%s\" is no prefix, expected one such as"
			    " 192.0.2.0/24",
			    t->p[i]);
	return 0;
}

static int
read_hours(
    struct conditions *c, const struct texts *t, struct arena *a, struct err *e)
{
	c->hours = ARENA_ARRAY(a, struct hours, t->n);
	c->hours_n = t->n;
	for (size_t i = 0; i < t->n; i++)
		if (hours_parse(&c->hours[i], bytes_of(t->p[i])) < 0)
			return setting_error(t->where, e,
			    "\"%s\" are no hours, expected some such as"
			    " \"mon-fri 08:30-17:15\"",
			    t->p[i]);
	return 0;
}

static int
read_categories(struct policy *p, struct conditions *c, const struct texts *t,
    struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		int n = lists_find_category(p->lists, bytes_of(t->p[i]));

		if (n < 0)
			return setting_error(t->where, e,
			    "category \"%s\" has no list, expected one of"
			    " lists",
			    t->p[i]);
		c->categories |= (uint64_t)1 << n;
	}
	return 0;
}

static int
read_ports(struct conditions *c, const config_setting_t *group, struct arena *a,
    struct err *e)
{
	const config_setting_t *list = setting_list(group, "ports", e);
	int n = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL && e->text[0] != '\0')
		return -1;
	c->ports = ARENA_ARRAY(a, uint16_t, (size_t)n);
	c->ports_n = (size_t)n;
	for (int i = 0; i < n; i++) {
		int port = config_setting_get_int_elem(list, i);

		if (port < 1 || port > UINT16_MAX)
			return setting_error(
			    list, e, "a port is %d, expected 1 to 65535", port);
		c->ports[i] = (uint16_t)port;
	}
	return 0;
}

static int
check_name(const struct policy *p, const config_setting_t *group,
    const char *name, struct err *e)
{
	if (strncmp(name, "builtin:", 8) == 0)
		return setting_error(group, e,
		    "rule \"%s\": names that begin with builtin: are taken",
		    name);
	for (size_t i = 0; i < p->rules_n; i++)
		if (strcmp(p->rules[i].rule.name, name) == 0)
			return setting_error(group, e,
			    "rule \"%s\" is there twice, first at %s:%u", name,
			    p->rules[i].rule.file, p->rules[i].rule.line);
	return 0;
}

static int
read_rule(struct policy *p, const config_setting_t *group,
    const struct zones *zones, struct arena *a, struct err *e)
{
	struct rule_entry entry = { 0 };
	struct conditions *c = &p->rules[p->rules_n];

	if (setting_load(rule_table, rule_table_n, group, &entry, a, e) < 0 ||
	    check_name(p, group, entry.name, e) < 0 ||
	    read_verdict(group, &entry, &c->rule, e) < 0 ||
	    read_zones(c, &entry.zones, zones, a, e) < 0 ||
	    read_bodies(c, &entry.bodies, zones, a, e) < 0 ||
	    read_destinations(c, &entry.destinations, a, e) < 0 ||
	    read_urls(c, &entry.urls, a, e) < 0 ||
	    read_addresses(c, &entry.addresses, a, e) < 0 ||
	    read_hours(c, &entry.hours, a, e) < 0 ||
	    read_categories(p, c, &entry.categories, e) < 0 ||
	    read_ports(c, group, a, e) < 0)
		return -1;
	c->methods = entry.methods;
	c->rule.name = entry.name;
	c->rule.reason_ja = entry.reason_ja;
	c->rule.reason_en =
	    entry.reason_en[0] == '\0' ? entry.reason_ja : entry.reason_en;
	c->rule.tls_only = entry.tls_only;
	c->rule.file = arena_string(a, bytes_of(setting_source(group)));
	c->rule.line = config_setting_source_line(group);
	p->rules_n++;
	return 0;
}

static int
make_room(struct policy *p, size_t more, const config_setting_t *where,
    struct arena *a, struct err *e)
{
	struct conditions *rules;

	if (p->rules_n + more > RULES_MAX)
		return setting_error(where, e, "more than %d rules", RULES_MAX);
	rules = ARENA_ARRAY(a, struct conditions, p->rules_n + more);
	if (p->rules_n > 0)
		memcpy(rules, p->rules, p->rules_n * sizeof(*rules));
	p->rules = rules;
	return 0;
}

static int
read_groups(struct policy *p, const config_setting_t *root,
    const struct zones *zones, struct arena *a, struct err *e)
{
	const config_setting_t *list;
	char nothing;

	if (setting_load(policy_table, policy_table_n, root, &nothing, a, e) <
	    0)
		return -1;
	list = setting_list(root, "lists", e);
	if (list == NULL && e->text[0] != '\0')
		return -1;
	for (int i = 0; list != NULL && i < config_setting_length(list); i++)
		if (read_list(p, config_setting_get_elem(list, (unsigned)i), a,
			e) < 0)
			return -1;
	list = setting_list(root, "rules", e);
	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	if (make_room(p, (size_t)config_setting_length(list), list, a, e) < 0)
		return -1;
	for (int i = 0; i < config_setting_length(list); i++)
		if (read_rule(p, config_setting_get_elem(list, (unsigned)i),
			zones, a, e) < 0)
			return -1;
	return 0;
}

static int
read_file(struct policy *p, const char *path, const struct zones *zones,
    struct arena *a, struct err *e)
{
	config_t config;
	int result;

	result = setting_read(path, &config, e);
	if (result == 0)
		result =
		    read_groups(p, config_root_setting(&config), zones, a, e);
	config_destroy(&config);
	return result;
}

struct policy *
policy_load(const struct texts *files, const char *folder,
    const struct zones *zones, struct arena *a, struct err *e)
{
	struct policy *p = ARENA_NEW(a, struct policy);
	int result = 0;

	p->lists = lists_new(a);
	for (size_t i = 0; i < files->n && result == 0; i++) {
		const char *path = files->p[i][0] == '/'
		    ? files->p[i]
		    : arena_printf(a, "%s/%s", folder, files->p[i]);
		const char *slash = strrchr(path, '/');

		/* lists stand relative to the policy that names them */
		p->folder = slash == NULL
		    ? "."
		    : arena_string(a,
			  (struct bytes){
			      (const uint8_t *)path, (size_t)(slash - path) });
		result = read_file(p, path, zones, a, e);
	}
	lists_seal(p->lists);
	return result < 0 ? NULL : p;
}

/* Judging. */

enum match {
	MATCH_NO = 0,
	MATCH_YES,
	MATCH_LATER, /* path or method decide, which CONNECT does not tell */
};

struct judging {
	const struct query *query;
	bool connecting;
	bool looked_up;
	/* Categories of the destination, once looked up: those that each
	 * reading of its path has, and those that one has. */
	uint64_t certain, possible;
};

static bool
match_zone(const struct conditions *c, const struct segment *s)
{
	bool listed = c->destinations_n + c->urls_n + c->addresses_n > 0;

	for (size_t i = 0; i < c->zones_n; i++)
		if (c->zones[i] == s->zone)
			return s->zone->kind != ZONE_LGWAN || listed ||
			    c->rule.verdict == VERDICT_BLOCK;
	/* To LGWAN only what is listed for it by name is open. */
	return c->zones_n == 0 &&
	    (s->zone->kind == ZONE_INTERNET ||
		c->rule.verdict == VERDICT_BLOCK);
}

static bool
match_body(const struct conditions *c, const struct segment *s)
{
	for (size_t i = 0; i < c->bodies_n; i++)
		if (c->bodies[i] == s->body)
			return true;
	return c->bodies_n == 0;
}

/* The name itself or a name below it. */
static bool
is_below(struct bytes host, struct bytes name)
{
	return bytes_end_with(host, name) &&
	    (host.n == name.n || host.p[host.n - name.n - 1] == '.');
}

static bool
match_destination(const struct conditions *c, const struct url *u)
{
	for (size_t i = 0; i < c->destinations_n; i++)
		if (u->is_address ? bytes_equal(u->host, c->destinations[i])
				  : is_below(u->host, c->destinations[i]))
			return true;
	return c->destinations_n == 0;
}

static bool
match_address(const struct conditions *c, const struct url *u)
{
	if (c->addresses_n == 0)
		return true;
	return u->is_address &&
	    prefixes_contain(c->addresses, c->addresses_n, &u->address);
}

static bool
match_port(const struct conditions *c, const struct url *u)
{
	for (size_t i = 0; i < c->ports_n; i++)
		if (c->ports[i] == u->port)
			return true;
	return c->ports_n == 0;
}

static bool
match_hours(const struct conditions *c, time_t now)
{
	for (size_t i = 0; i < c->hours_n; i++)
		if (hours_contain(&c->hours[i], now))
			return true;
	return c->hours_n == 0;
}

/* RFC 9110: methods are compared as they stand. */
static enum match
match_method(const struct conditions *c, const struct judging *j)
{
	if (c->methods.n == 0)
		return MATCH_YES;
	if (j->connecting)
		return MATCH_LATER;
	for (size_t i = 0; i < c->methods.n; i++)
		if (bytes_equal(bytes_of(c->methods.p[i]), j->query->method))
			return MATCH_YES;
	return MATCH_NO;
}

/* /a covers /a and /a/b; /a/ covers what lies below it; neither /ab. */
static bool
path_below(struct bytes path, struct bytes prefix)
{
	return bytes_start_with(path, prefix) &&
	    (path.n == prefix.n || prefix.p[prefix.n - 1] == '/' ||
		path.p[prefix.n] == '/');
}

/* Who blocks a path means it however a server reads it; who permits one, only
 * what no server can read as another. */
static bool
url_below(
    const struct conditions *c, const struct url *u, const struct url *rule)
{
	bool canonical = path_below(u->path_canonical, rule->path_canonical);
	bool loose = path_below(u->path_loose, rule->path_loose);

	return c->rule.verdict == VERDICT_BLOCK ? canonical || loose
						: canonical && loose;
}

static enum match
match_url(const struct conditions *c, const struct judging *j)
{
	const struct url *u = j->query->url;

	if (c->urls_n == 0)
		return MATCH_YES;
	for (size_t i = 0; i < c->urls_n; i++) {
		const struct url *rule = &c->urls[i];

		if (rule->scheme != u->scheme || !url_same_origin(rule, u))
			continue;
		if (j->connecting)
			return MATCH_LATER;
		if (url_below(c, u, rule))
			return MATCH_YES;
	}
	return MATCH_NO;
}

static void
look_up(const struct policy *p, struct judging *j)
{
	struct url loose = *j->query->url;

	j->looked_up = true;
	j->certain = j->possible = lists_lookup(p->lists, &loose);
	if (bytes_equal(loose.path_canonical, loose.path_loose))
		return;
	loose.path_canonical = loose.path_loose;
	j->possible |= lists_lookup(p->lists, &loose);
	j->certain &= lists_lookup(p->lists, &loose);
}

static uint64_t
matching_categories(const struct conditions *c, const struct judging *j)
{
	return c->categories &
	    (c->rule.verdict == VERDICT_BLOCK ? j->possible : j->certain);
}

/* URL lists know paths: a host that has none of the rule's categories yet may
 * get one by its path. Of what is in a tunnel no path is ever seen. */
static enum match
match_category(
    const struct policy *p, const struct conditions *c, struct judging *j)
{
	if (c->categories == 0)
		return MATCH_YES;
	if (!j->looked_up)
		look_up(p, j);
	if (matching_categories(c, j) != 0)
		return MATCH_YES;
	return j->connecting && c->rule.verdict != VERDICT_TUNNEL &&
		(c->categories &
		    lists_url_categories(p->lists, j->query->url)) != 0
	    ? MATCH_LATER
	    : MATCH_NO;
}

static enum match
match(const struct policy *p, const struct conditions *c, struct judging *j)
{
	const struct query *q = j->query;
	enum match parts[3];
	enum match all = MATCH_YES;

	if (!match_zone(c, q->segment) || !match_body(c, q->segment) ||
	    !match_destination(c, q->url) || !match_address(c, q->url) ||
	    !match_port(c, q->url) || !match_hours(c, q->now))
		return MATCH_NO;
	parts[0] = match_method(c, j);
	parts[1] = match_url(c, j);
	parts[2] = match_category(p, c, j);
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i] == MATCH_NO)
			return MATCH_NO;
		if (parts[i] == MATCH_LATER)
			all = MATCH_LATER;
	}
	return all;
}

static bool
port_permitted(const struct zone *z, uint16_t port)
{
	for (size_t i = 0; i < z->ports_n; i++)
		if (z->ports[i] == port)
			return true;
	return z->ports_n == 0 && (port == 80 || port == 443);
}

static const struct rule *
builtin(const struct query *q)
{
	if (q->segment == NULL)
		return &unknown_source;
	if (q->segment->zone->kind == ZONE_MYNUMBER)
		return &mynumber_zone;
	if (!port_permitted(q->segment->zone, q->url->port))
		return &odd_port;
	return NULL;
}

static const char *
category_name(
    const struct policy *p, const struct conditions *c, const struct judging *j)
{
	uint64_t both = matching_categories(c, j);

	return both == 0
	    ? NULL
	    : lists_category_name(p->lists, (unsigned)__builtin_ctzll(both));
}

static const struct decision decrypted = { VERDICT_ALLOW, &decrypt, NULL };

/* Rules before this one may block by path or method (later): then what it
 * opens is decrypted, so that they are asked; what it blocks is blocked in
 * either case, and the destination is told nothing. */
static struct decision
settle(const struct policy *p, const struct conditions *c,
    const struct judging *j, bool later)
{
	if (later && c->rule.verdict != VERDICT_BLOCK)
		return decrypted;
	return (struct decision){ c->rule.verdict, &c->rule,
		category_name(p, c, j) };
}

static struct decision
judge(const struct policy *p, struct judging *j)
{
	const struct rule *fixed = builtin(j->query);
	bool later = false;

	if (fixed != NULL)
		return (struct decision){ VERDICT_BLOCK, fixed, NULL };
	for (size_t i = 0; i < p->rules_n; i++) {
		const struct conditions *c = &p->rules[i];

		switch (match(p, c, j)) {
		case MATCH_YES:
			return settle(p, c, j, later);
		case MATCH_LATER:
			if (c->rule.verdict != VERDICT_BLOCK)
				return decrypted;
			later = true;
			break;
		case MATCH_NO:
			break;
		}
	}
	return (struct decision){ VERDICT_BLOCK, &no_rule, NULL };
}

struct decision
policy_judge_connect(const struct policy *p, const struct query *q)
{
	struct url authority = *q->url;
	struct query known = *q;
	struct judging j = { .query = &known, .connecting = true };

	authority.target = authority.path = (struct bytes){ 0 };
	authority.path_canonical = authority.path_loose = (struct bytes){ 0 };
	known.url = &authority;
	return judge(p, &j);
}

struct decision
policy_judge(const struct policy *p, const struct query *q)
{
	struct judging j = { .query = q };
	struct decision d = judge(p, &j);

	/* A tunnel is opened by CONNECT or not at all: what comes as a
	 * request (plain HTTP, or inside TLS that was decrypted) passes. */
	if (d.verdict == VERDICT_TUNNEL)
		d.verdict = VERDICT_ALLOW;
	return d;
}

size_t
policy_judge_steps(const struct policy *p, const struct query *q,
    struct decision out[POLICY_STEPS_MAX])
{
	size_t n = 0;

	if (q->url->scheme == SCHEME_HTTPS) {
		out[n++] = policy_judge_connect(p, q);
		if (out[0].verdict != VERDICT_ALLOW ||
		    bytes_equal(q->method, BYTES("CONNECT")))
			return n;
	}
	out[n++] = policy_judge(p, q);
	return n;
}

const char *
verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_BLOCK:
		return "block";
	case VERDICT_TUNNEL:
		return "tunnel";
	case VERDICT_ALLOW:
		return "allow";
	}
	return "block";
}
