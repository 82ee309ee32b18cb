/* SPDX-License-Identifier: Apache-2.0 */
/* rules: a rule of a policy file, read. */
#include <string.h>

#include "proxy/base/when.h"
#include "proxy/policy/inspection.h"
#include "proxy/policy/pattern.h"
#include "proxy/policy/rule.h"

#define VALUES_MAX 65536
#define FIELDS_MAX 8

struct rule_entry {
	const char *name, *verdict, *reason_ja, *reason_en;
	const char *owner, *clause, *expires, *connect_to;
	uint64_t lasts_ms;
	struct texts zones, bodies, destinations, urls, patterns, addresses;
	struct texts categories, methods, fields, hours, to;
	struct texts set_fields, remove_fields, inspect;
	bool tls_only, release, approval, uploads, log_detail;
	size_t larger_than;
};

const struct setting rule_table[] = {
	SETTING_TEXT_ROW(rule_entry, name, NULL, 1, 64,
	    "Its name, in every log line and page it causes.",
	    "規則の名前。ログと画面に出る。"),
	SETTING_TEXT_ROW(rule_entry, verdict, NULL, 1, 16,
	    "\"block\", \"read-only\", \"warn\", \"allow\" (decrypted and"
	    " judged), \"tunnel\" (not decrypted), or \"may-tunnel\" (lets"
	    " layers below have tunnels).",
	    "\"block\"、\"read-only\"（閲覧のみ）、\"warn\"（警告）、"
	    "\"allow\"（復号して検査）、\"tunnel\"（復号しない）、"
	    "\"may-tunnel\"（下の層に tunnel を許す）。"),
	SETTING_TEXT_ROW(rule_entry, reason_ja, NULL, 1, 1024,
	    "Why, in Japanese, for the page.", "画面に出す理由（日本語）。"),
	SETTING_TEXT_ROW(rule_entry, reason_en, "", 0, 1024, "Why, in English.",
	    "理由（英語）。"),
	SETTING_TEXT_ROW(rule_entry, owner, "", 0, 128, "Who answers for it.",
	    "規則の責任者。"),
	SETTING_TEXT_ROW(rule_entry, clause, "", 0, 128,
	    "The clause of a guideline that asks for it.",
	    "根拠となるガイドラインの条項。"),
	SETTING_TEXT_ROW(rule_entry, expires, "", 0, 10,
	    "Its last day, \"2027-03-31\": then it has no effect, and the"
	    " settings do not load until it is gone.",
	    "最終日（\"2027-03-31\"）。過ぎれば効力を失い、取り除くまで設定は"
	    "読み込めない。"),
	SETTING(rule_entry, release, FLAG, false, 0, 1,
	    "Of \"block\": whether a user who says why gets it released for"
	    " a time.",
	    "\"block\" で、理由を入力した利用者に一時的に解除するか。"),
	SETTING(rule_entry, approval, FLAG, false, 0, 1,
	    "Of release: whether an administrator has to approve it, by"
	    " `sekishoctl release`.",
	    "release に管理者の承認（`sekishoctl release`）が要るか。"),
	SETTING_SECONDS_ROW(rule_entry, lasts, 3600, 60, 86400,
	    "Of \"warn\" and release: how long a user who has said why may"
	    " go on.",
	    "\"warn\" と release で、理由を入力した利用者が続けて使える時間。"),
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
	SETTING(rule_entry, patterns, TEXTS, 0, 1, 1024,
	    "PCRE2 patterns over the canonical URL with its query.",
	    "正規化した URL（クエリを含む）に対する PCRE2 のパターン。"),
	SETTING(rule_entry, addresses, TEXTS, 0, 1, VALUES_MAX,
	    "Prefixes, for destinations given as an address.",
	    "アドレスで指定された宛先の範囲。"),
	SETTING_NEST_ROW(ports, "Destination ports.", "宛先ポート。"),
	SETTING(rule_entry, categories, TEXTS, 0, 1, VALUES_MAX,
	    "Categories of the lists.", "一覧による分類。"),
	SETTING(rule_entry, methods, TEXTS, 0, 1, VALUES_MAX,
	    "Methods: \"GET\", \"POST\".", "要求メソッド。"),
	SETTING(rule_entry, uploads, FLAG, false, 0, 1,
	    "Whether the request has a body.", "本文のある要求（送信）か。"),
	SETTING(rule_entry, larger_than, SIZE, 0, 0, 1e15,
	    "Bytes of the request's body; one whose length is not told is"
	    " larger.",
	    "要求の本文の大きさがこれを超える（長さを言わないものも超える"
	    "とみなす）。"),
	SETTING(rule_entry, fields, TEXTS, 0, 1, FIELDS_MAX,
	    "Request fields, each of which must be there: \"Name: PATTERN\","
	    " a PCRE2 pattern found in the value.",
	    "要求のフィールド。\"名前: パターン\" のすべてが値に見つかる。"),
	SETTING(rule_entry, hours, TEXTS, 0, 1, VALUES_MAX,
	    "Hours in Japan: \"mon-fri 08:30-17:15\", \"workday"
	    " 08:30-17:15\", \"sat,sun,holiday 00:00-24:00\".",
	    "時間帯（日本時間）。\"mon-fri 08:30-17:15\"、\"workday"
	    " 08:30-17:15\"（開庁日）、\"sat,sun,holiday 00:00-24:00\"。"),
	SETTING(rule_entry, tls_only, FLAG, false, 0, 1,
	    "A tunnel carries nothing but TLS of the CONNECT name.",
	    "トンネルに CONNECT 先の名前の TLS 以外を通さない。"),
	SETTING(rule_entry, to, TEXTS, 0, 1, LAYERS,
	    "Of \"may-tunnel\": the layers, \"prefecture\", \"body\","
	    " \"section\"; all below its own when absent.",
	    "\"may-tunnel\" が許す層。\"prefecture\"、\"body\"、"
	    "\"section\"。省略時は下のすべて。"),
	SETTING(rule_entry, set_fields, TEXTS, 0, 1, FIELDS_MAX,
	    "Request fields to set, \"Name: value\", whatever the client says.",
	    "要求に設定するフィールド（\"名前: 値\"）。端末の値は置き換える。"),
	SETTING(rule_entry, remove_fields, TEXTS, 0, 1, FIELDS_MAX,
	    "Request fields to remove, by name.",
	    "要求から取り除くフィールドの名前。"),
	SETTING(rule_entry, log_detail, FLAG, false, 0, 1,
	    "Whether the journal gets the query, types, and who says to have"
	    " sent the user there, too; long runs of digits masked.",
	    "ログにクエリ・型・リンク元も書くか（長い数字は伏せる）。"),
	SETTING_TEXT_ROW(rule_entry, connect_to, "", 0, HOST_MAX,
	    "A name whose addresses are connected to instead of the"
	    " destination's; it is asked for the destination, and must prove to"
	    " be it (SafeSearch).",
	    "宛先の代わりに接続する名前。宛先としての要求・証明書の検証は変わら"
	    "ない（セーフサーチ）。"),
	SETTING(rule_entry, inspect, TEXTS, 0, 1, INSPECTIONS_MAX,
	    "What bodies are inspected for: names of dlp, phrases and types of"
	    " this file or those before it.",
	    "本文の検査。このファイルまたは前のファイルの dlp・phrases・types"
	    " の名前。"),
};
const size_t rule_table_n = COUNT(rule_table);

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

/* A name or an address; of IPv6 with brackets or without. */
static int
read_destination(
    struct url *u, struct bytes text, struct arena *a, const char **why_out)
{
	bool open = bytes_start_with(text, BYTES("["));

	if (bytes_index(text, ':') < 0)
		return url_parse_host(u, text, a, why_out);
	return url_parse_authority(u,
	    bytes_of(arena_printf(a, "%s%.*s%s", open ? "" : "[",
		BYTES_PRINTF(text), open ? "" : "]")),
	    443, a, why_out);
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

		if (read_destination(&u, bytes_of(t->p[i]), a, &why) < 0)
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
read_categories(const struct lists *lists, struct conditions *c,
    const struct texts *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		int n = lists_find_category(lists, bytes_of(t->p[i]));

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
read_connect_to(const config_setting_t *group, const struct rule_entry *entry,
    struct rule *r, struct arena *a, struct err *e)
{
	struct url u = { 0 };
	const char *why = "it is an address";

	if (entry->connect_to[0] == '\0')
		return 0;
	if (url_parse_host(&u, bytes_of(entry->connect_to), a, &why) < 0 ||
	    u.is_address)
		return setting_error(group, e,
		    "connect_to is \"%s\": %s, expected a name such as"
		    " forcesafesearch.google.com",
		    entry->connect_to, why);
	if (r->verdict >= VERDICT_TUNNEL || r->verdict == VERDICT_BLOCK)
		return setting_error(group, e,
		    "rule \"%s\" has connect_to and is %s, expected allow,"
		    " warn or read-only",
		    r->name, verdict_name(r->verdict));
	r->connect_to = u.host;
	return 0;
}

static int
read_inspect(const struct inspections *all, struct rule *r,
    const struct texts *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		int n = inspections_find(all, bytes_of(t->p[i]));

		if (n < 0)
			return setting_error(t->where, e,
			    "\"%s\" is no inspection, expected a name in dlp,"
			    " phrases or types",
			    t->p[i]);
		r->inspections |= (uint64_t)1 << n;
	}
	if (t->n > 0 && r->verdict >= VERDICT_TUNNEL)
		return setting_error(t->where, e,
		    "rule \"%s\" is a tunnel with inspect, and nothing is seen"
		    " in one, expected another verdict",
		    r->name);
	return 0;
}

static int
read_patterns(struct conditions *c, const struct texts *t,
    struct pattern **list, struct arena *a, struct err *e)
{
	const char *why;

	c->patterns = ARENA_ARRAY(a, struct pattern *, t->n);
	c->patterns_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		c->patterns[i] = pattern_new(bytes_of(t->p[i]), a, list, &why);
		if (c->patterns[i] == NULL)
			return setting_error(t->where, e,
			    "\"%s\": %s, expected a PCRE2 pattern", t->p[i],
			    why);
	}
	return 0;
}

/* RFC 9110 section 5.6.2 */
static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_token(name.p[i]))
			return false;
	return name.n > 0;
}

/* 0, or -1: it may not be set, for Sekisho itself writes it. */
static int
check_field(struct bytes name)
{
	static const struct bytes own[] = {
		BYTES_ROW("host"),
		BYTES_ROW("via"),
		BYTES_ROW("connection"),
		BYTES_ROW("content-length"),
		BYTES_ROW("transfer-encoding"),
		BYTES_ROW("upgrade"),
		BYTES_ROW("te"),
		BYTES_ROW("trailer"),
		BYTES_ROW("expect"),
		BYTES_ROW("keep-alive"),
		BYTES_ROW("proxy-connection"),
		BYTES_ROW("proxy-authorization"),
		BYTES_ROW("sec-websocket-key"),
		BYTES_ROW("http2-settings"),
	};

	for (size_t i = 0; i < COUNT(own); i++)
		if (bytes_equal_nocase(name, own[i]))
			return -1;
	return is_name(name) ? 0 : -1;
}

static bool
is_value(struct bytes value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] >= 0x7f)
			return false;
	return value.n > 0;
}

static int
read_set_field(
    struct field_effect *f, const struct texts *t, size_t i, struct err *e)
{
	struct bytes value = bytes_of(t->p[i]);
	struct bytes name = bytes_take_until(&value, ':');

	*f = (struct field_effect){ name, bytes_trim(value) };
	if (check_field(f->name) == 0 && is_value(f->value))
		return 0;
	return setting_error(t->where, e,
	    "\"%s\" cannot be set, expected \"Name: value\" of a field that"
	    " is not of the connection",
	    t->p[i]);
}

static int
read_fields(struct rule *r, const struct rule_entry *entry, struct arena *a,
    struct err *e)
{
	const struct texts *set = &entry->set_fields;
	const struct texts *removed = &entry->remove_fields;

	r->fields = ARENA_ARRAY(a, struct field_effect, set->n + removed->n);
	for (size_t i = 0; i < set->n; i++)
		if (read_set_field(&r->fields[r->fields_n++], set, i, e) < 0)
			return -1;
	for (size_t i = 0; i < removed->n; i++) {
		struct bytes name = bytes_of(removed->p[i]);

		if (check_field(name) < 0)
			return setting_error(removed->where, e,
			    "\"%s\" cannot be removed, expected the name of a"
			    " field that is not of the connection",
			    removed->p[i]);
		r->fields[r->fields_n++] = (struct field_effect){ name, { 0 } };
	}
	return 0;
}

/* What a tunnel shows nobody. */
static bool
asks_for_request(const struct rule_entry *entry)
{
	return entry->urls.n + entry->methods.n + entry->patterns.n +
		entry->fields.n >
	    0 ||
	    entry->uploads || entry->larger_than > 0;
}

static int
read_field_conditions(struct conditions *c, const struct texts *t,
    struct pattern **list, struct arena *a, struct err *e)
{
	const char *why = "no name";

	c->fields = ARENA_ARRAY(a, struct field_condition, t->n);
	c->fields_n = t->n;
	for (size_t i = 0; i < t->n; i++) {
		struct field_condition *f = &c->fields[i];
		struct bytes pattern = bytes_of(t->p[i]);

		f->text = t->p[i];
		f->name = bytes_take_until(&pattern, ':');
		f->pattern = is_name(f->name)
		    ? pattern_new(bytes_trim(pattern), a, list, &why)
		    : NULL;
		if (f->pattern == NULL)
			return setting_error(t->where, e,
			    "\"%s\": %s, expected \"Name: PATTERN\"", t->p[i],
			    why);
	}
	return 0;
}

static int
read_verdict(const config_setting_t *group, const struct rule_entry *entry,
    struct rule *r, struct err *e)
{
	int v = VERDICT_BLOCK;

	while (v <= VERDICT_MAY_TUNNEL &&
	    strcmp(entry->verdict, verdict_name((enum verdict)v)) != 0)
		v++;
	if (v > VERDICT_MAY_TUNNEL)
		return setting_error(group, e,
		    "verdict is \"%s\", expected block, read-only, warn,"
		    " allow, tunnel or may-tunnel",
		    entry->verdict);
	r->verdict = (enum verdict)v;
	if (v >= VERDICT_TUNNEL && asks_for_request(entry))
		return setting_error(group, e,
		    "rule \"%s\" is a tunnel with a condition on requests, "
		    "which"
		    " are not seen in one, expected destinations",
		    entry->name);
	if (r->release && v != VERDICT_BLOCK)
		return setting_error(group, e,
		    "rule \"%s\" has release and is no block, expected"
		    " verdict = \"block\"",
		    entry->name);
	if (r->approval && !r->release)
		return setting_error(group, e,
		    "rule \"%s\" has approval and no release, expected"
		    " release = true",
		    entry->name);
	if (v == VERDICT_TUNNEL && r->must)
		return setting_error(group, e,
		    "rule \"%s\" is a tunnel in must, which only tightens,"
		    " expected it in default",
		    entry->name);
	return 0;
}

static int
read_expiry(const config_setting_t *group, const char *day, struct rule *r,
    struct err *e)
{
	if (day[0] == '\0')
		return 0;
	if (when_day(bytes_of(day), &r->expires) < 0)
		return setting_error(group, e,
		    "expires is \"%s\", expected a day such as 2027-03-31",
		    day);
	r->expires += WHEN_DAY_S; /* the day itself is included */
	if (r->expires <= time(NULL))
		return setting_error(group, e,
		    "rule \"%s\" expired on %s, expected a later day or no"
		    " such rule",
		    r->name, day);
	return 0;
}

static int
read_to(struct conditions *c, const struct texts *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		int l = (int)c->rule.layer + 1;

		while (l < LAYERS &&
		    strcmp(layer_name((enum layer)l), t->p[i]) != 0)
			l++;
		if (l == LAYERS || c->rule.verdict != VERDICT_MAY_TUNNEL)
			return setting_error(t->where, e,
			    "to is \"%s\", expected a layer below its own,"
			    " in a rule that is may-tunnel",
			    t->p[i]);
		c->to |= 1u << l;
	}
	if (t->n == 0)
		c->to = ~0u << (c->rule.layer + 1);
	return 0;
}

static int
read_conditions(struct conditions *c, const struct rule_entry *entry,
    const config_setting_t *group, const struct rule_place *place,
    struct arena *a, struct err *e)
{
	const struct zones *z = place->zones;
	int all = 0;

	c->methods = entry->methods;
	c->hours_text = entry->hours;
	c->uploads = entry->uploads;
	c->larger_than = entry->larger_than;
	if (err_take(&all, read_zones(c, &entry->zones, z, a, e), e) < 0 ||
	    err_take(&all, read_bodies(c, &entry->bodies, z, a, e), e) < 0 ||
	    err_take(&all, read_destinations(c, &entry->destinations, a, e),
		e) < 0 ||
	    err_take(&all, read_urls(c, &entry->urls, a, e), e) < 0 ||
	    err_take(&all,
		read_patterns(c, &entry->patterns, place->patterns, a, e),
		e) < 0 ||
	    err_take(&all,
		read_field_conditions(c, &entry->fields, place->patterns, a, e),
		e) < 0 ||
	    err_take(&all, read_addresses(c, &entry->addresses, a, e), e) < 0 ||
	    err_take(&all, read_hours(c, &entry->hours, a, e), e) < 0 ||
	    err_take(&all,
		read_categories(place->lists, c, &entry->categories, e),
		e) < 0 ||
	    err_take(&all, read_ports(c, group, a, e), e) < 0)
		return -1;
	return all;
}

int
rule_read(struct conditions *c, const config_setting_t *group,
    const struct rule_place *place, struct arena *a, struct err *e)
{
	struct rule_entry entry = { 0 };
	struct rule *r = &c->rule;

	if (setting_load(rule_table, rule_table_n, group, &entry, a, e) < 0)
		return -1;
	*c = (struct conditions){ .body = place->file->body,
		.section = place->file->section };
	*r = (struct rule){
		.name = entry.name,
		.file = arena_string(a, bytes_of(setting_source(group))),
		.line = config_setting_source_line(group),
		.layer = place->file->layer,
		.must = place->must,
		.tls_only = entry.tls_only,
		.reason_ja = entry.reason_ja,
		.reason_en = entry.reason_en[0] == '\0' ? entry.reason_ja
							: entry.reason_en,
		.owner = entry.owner,
		.clause = entry.clause,
		.lasts_ms = entry.lasts_ms,
		.release = entry.release,
		.approval = entry.approval,
		.detail = entry.log_detail,
	};
	if (strncmp(r->name, "builtin:", 8) == 0)
		return setting_error(group, e,
		    "rule \"%s\": names that begin with builtin: are taken",
		    r->name);
	if (read_verdict(group, &entry, r, e) < 0 ||
	    read_expiry(group, entry.expires, r, e) < 0 ||
	    read_to(c, &entry.to, e) < 0 || read_fields(r, &entry, a, e) < 0 ||
	    read_connect_to(group, &entry, r, a, e) < 0 ||
	    read_inspect(place->inspections, r, &entry.inspect, e) < 0)
		return -1;
	return read_conditions(c, &entry, group, place, a, e);
}
