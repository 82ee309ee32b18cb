/* SPDX-License-Identifier: Apache-2.0 */
/* settings: the groups `upstream` and `tls_origin`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/when.h"
#include "proxy/upstream/upstream.h"

#define HOSTS_MAX 65536
#define EXCEPTIONS_MAX 4096
#define DNS_PORT 53

struct host_entry {
	const char *name;
	struct texts addresses;
};

struct exception_entry {
	const char *destination, *owner, *reason, *expires;
	struct texts checks;
};

const struct setting upstream_table[] = {
	SETTING(upstream_settings, nameservers, TEXTS, 0, 0, 16,
	    "Name servers: \"192.0.2.53:53\"; none: the system's.",
	    "ネームサーバー。省略時はシステムの設定。"),
	SETTING_SECONDS_ROW(upstream_settings, resolve_timeout, 5, 0.1, 60,
	    "Longest wait for the name servers.", "名前解決の最長時間。"),
	SETTING_SECONDS_ROW(upstream_settings, connect_timeout, 15, 0.1, 300,
	    "Longest wait for a connection, TLS included.",
	    "接続（TLS を含む）の最長時間。"),
	SETTING_SECONDS_ROW(upstream_settings, race_delay, 0.25, 0.01, 10,
	    "Wait before the next address of a name is tried too.",
	    "次のアドレスを並行して試すまでの時間。"),
	SETTING_SECONDS_ROW(upstream_settings, idle_timeout, 30, 0, 3600,
	    "How long an unused connection is kept.",
	    "使われない接続を保持する時間。"),
	SETTING(upstream_settings, idle_max, COUNT, 1024, 0, 65536,
	    "Unused connections that an edge keeps.",
	    "エッジが保持する未使用接続の数。"),
	SETTING(upstream_settings, idle_per_origin_max, COUNT, 64, 0, 65536,
	    "The same, of one origin.", "同、宛先ごと。"),
	SETTING_SECONDS_ROW(upstream_settings, dns_ttl_max, 3600, 0, 86400,
	    "Longest life of an answer of the name servers.",
	    "名前解決の結果を使う最長時間。"),
	SETTING_SECONDS_ROW(upstream_settings, dns_ttl_min, 0, 0, 3600,
	    "Shortest life of an answer.", "同、最短時間。"),
	SETTING_SECONDS_ROW(upstream_settings, dns_negative_ttl, 10, 0, 3600,
	    "Life of the answer that a name has no address.",
	    "アドレスがないという結果を使う時間。"),
	SETTING(upstream_settings, dns_cache_max, COUNT, 10000, 0, 1000000,
	    "Names that an edge remembers.", "エッジが記憶する名前の数。"),
	SETTING_NEST_ROW(hosts, "Addresses of names, instead of DNS.",
	    "DNS によらない名前とアドレス。"),
	SETTING_NEST_ROW(refused,
	    "Prefixes that no name may lead to: the site's LGWAN and My"
	    " Number networks.",
	    "名前の先として拒否する範囲（LGWAN、マイナンバー系など）。"),
};
const size_t upstream_table_n = COUNT(upstream_table);

const struct setting host_table[] = {
	SETTING_TEXT_ROW(host_entry, name, NULL, 1, 253, "The name.", "名前。"),
	SETTING(host_entry, addresses, TEXTS, 0, 1, 32, "Its addresses.",
	    "そのアドレス。"),
};
const size_t host_table_n = COUNT(host_table);

const struct setting verify_table[] = {
	SETTING_TEXT_ROW(verify_settings, system_store,
	    "/etc/ssl/certs/ca-certificates.crt", 0, 4096,
	    "File of trusted authorities; \"\" for none.",
	    "信頼する認証局のファイル。空なら使わない。"),
	SETTING(verify_settings, trust_files, TEXTS, 0, 0, 256,
	    "Further files of trusted authorities.",
	    "追加で信頼する認証局のファイル。"),
	SETTING_NEST_ROW(exceptions,
	    "What may fail, for one destination, for a time.",
	    "宛先ごと・期限付きの検証の例外。"),
};
const size_t verify_table_n = COUNT(verify_table);

const struct setting exception_table[] = {
	SETTING_TEXT_ROW(exception_entry, destination, NULL, 1, 253,
	    "The destination's name.", "宛先の名前。"),
	SETTING(exception_entry, checks, TEXTS, 0, 1, 6,
	    "Checks that may fail: chain, name, time, usage, strength,"
	    " revoked.",
	    "失敗を許す検査。chain, name, time, usage, strength, revoked。"),
	SETTING_TEXT_ROW(exception_entry, owner, NULL, 1, 128,
	    "Who answers for it.", "責任者。"),
	SETTING_TEXT_ROW(
	    exception_entry, reason, NULL, 1, 1024, "Why.", "理由。"),
	SETTING_TEXT_ROW(exception_entry, expires, NULL, 10, 10,
	    "The last day: \"2027-03-31\".", "最終日。"),
};
const size_t exception_table_n = COUNT(exception_table);

static int
read_host(const config_setting_t *group, struct static_host *h, struct arena *a,
    struct err *e)
{
	struct host_entry entry = { 0 };
	struct url u = { 0 };
	const char *why;

	if (setting_load(host_table, host_table_n, group, &entry, a, e) < 0)
		return -1;
	if (url_parse_host(&u, bytes_of(entry.name), a, &why) < 0)
		return setting_error(
		    group, e, "\"%s\": %s, expected a name", entry.name, why);
	if (entry.addresses.n == 0)
		return setting_error(group, e,
		    "addresses is missing, expected a list such as"
		    " [\"192.0.2.1\"]");
	h->name = arena_string(a, u.host);
	h->file = arena_string(a, bytes_of(setting_source(group)));
	h->line = config_setting_source_line(group);
	h->addresses = ARENA_ARRAY(a, struct address, entry.addresses.n);
	h->n = entry.addresses.n;
	for (size_t i = 0; i < h->n; i++)
		if (address_parse(
			&h->addresses[i], bytes_of(entry.addresses.p[i])) < 0)
			return setting_error(entry.addresses.where, e,
			    "\"%s\" is no address", entry.addresses.p[i]);
	return 0;
}

static int
compare_hosts(const void *a, const void *b)
{
	const struct static_host *left = a;
	const struct static_host *right = b;
	int order = strcmp(left->name, right->name);

	return order != 0
	    ? order
	    : (left->line > right->line) - (left->line < right->line);
}

static int
sort_hosts(struct upstream_settings *s, struct err *e)
{
	qsort(s->hosts, s->hosts_n, sizeof(*s->hosts), compare_hosts);
	for (size_t i = 1; i < s->hosts_n; i++) {
		const struct static_host *h = &s->hosts[i];

		if (strcmp(h[-1].name, h->name) == 0)
			return err_set(e,
			    "%s:%u: host \"%s\" is there twice, first at"
			    " %s:%u",
			    h->file, h->line, h->name, h[-1].file, h[-1].line);
	}
	return 0;
}

static int
read_hosts(const config_setting_t *group, struct upstream_settings *s,
    struct arena *a, struct err *e)
{
	const config_setting_t *list = setting_list(group, "hosts", e);
	int n = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL && e->text[0] != '\0')
		return -1;
	if (n > HOSTS_MAX)
		return setting_error(list, e, "more than %d hosts", HOSTS_MAX);
	s->hosts = ARENA_ARRAY(a, struct static_host, (size_t)n);
	s->hosts_n = (size_t)n;
	for (int i = 0; i < n; i++)
		if (read_host(config_setting_get_elem(list, (unsigned)i),
			&s->hosts[i], a, e) < 0)
			return -1;
	return sort_hosts(s, e);
}

/* As we read them, they are told to the resolver: what it reads otherwise would
 * be asked, and nobody has judged it. */
static int
read_nameservers(struct upstream_settings *s, struct arena *a, struct err *e)
{
	struct texts *t = &s->nameservers;

	for (size_t i = 0; i < t->n; i++) {
		const struct bytes text = bytes_of(t->p[i]);
		char canonical[ADDRESS_TEXT_MAX];
		struct address at;
		int result = address_parse_port(&at, text);

		if (result < 0) {
			result = address_parse(&at, text);
			at.port = DNS_PORT;
		}
		if (result < 0 || at.port == 0)
			return setting_error(
			    config_setting_get_elem(t->where, (unsigned)i), e,
			    "nameservers: \"%s\" is no address, expected one"
			    " such as 192.0.2.53 or [2001:db8::53]:53",
			    t->p[i]);
		t->p[i] = arena_string(
		    a, bytes_of(address_text_port(&at, canonical)));
	}
	return 0;
}

static int
read_refused(const config_setting_t *group, struct upstream_settings *s,
    struct arena *a, struct err *e)
{
	const config_setting_t *list = setting_list(group, "refused", e);
	int n = list == NULL ? 0 : config_setting_length(list);
	struct prefix *refused;

	if (list == NULL && e->text[0] != '\0')
		return -1;
	refused = ARENA_ARRAY(a, struct prefix, (size_t)n);
	s->reach.refused = refused;
	s->reach.refused_n = (size_t)n;
	for (int i = 0; i < n; i++) {
		const char *text = config_setting_get_string_elem(list, i);

		if (prefix_parse(&refused[i], bytes_of(text)) < 0)
			return setting_error(list, e,
			    "refused: \"%s\" is no prefix, expected one such"
			    " as 10.0.0.0/8",
			    text == NULL ? "" : text);
	}
	return 0;
}

int
upstream_load(const config_setting_t *root, struct arena *a,
    struct upstream_settings *out, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "upstream");

	if (setting_load(upstream_table, upstream_table_n, group, out, a, e) <
	    0)
		return -1;
	if (group == NULL)
		return 0;
	return read_nameservers(out, a, e) < 0 ||
		read_hosts(group, out, a, e) < 0
	    ? -1
	    : read_refused(group, out, a, e);
}

static const struct {
	const char *name;
	unsigned check;
} checks[] = {
	{ "chain", VERIFY_CHAIN },
	{ "name", VERIFY_NAME },
	{ "time", VERIFY_TIME },
	{ "usage", VERIFY_USAGE },
	{ "strength", VERIFY_STRENGTH },
	{ "revoked", VERIFY_REVOKED },
};

const char *
verify_names(unsigned set, char out[VERIFY_NAMES_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < COUNT(checks); i++)
		if ((set & checks[i].check) != 0)
			n += (size_t)snprintf(out + n, VERIFY_NAMES_MAX - n,
			    "%s%s", n == 0 ? "" : ",", checks[i].name);
	return out;
}

static int
read_checks(const struct texts *t, unsigned *out, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t k = 0;

		while (
		    k < COUNT(checks) && strcmp(checks[k].name, t->p[i]) != 0)
			k++;
		if (k == COUNT(checks))
			return setting_error(t->where, e,
			    "check \"%s\" is unknown, expected chain, name,"
			    " time, usage, strength or revoked",
			    t->p[i]);
		*out |= checks[k].check;
	}
	return 0;
}

static int
read_exception(const config_setting_t *group, struct verify_exception *x,
    struct arena *a, struct err *e)
{
	struct exception_entry entry = { 0 };
	struct url u = { 0 };
	const char *why;

	if (setting_load(
		exception_table, exception_table_n, group, &entry, a, e) < 0)
		return -1;
	if (entry.checks.n == 0)
		return setting_error(group, e,
		    "checks is missing, expected a list such as [\"time\"]");
	if (url_parse_host(&u, bytes_of(entry.destination), a, &why) < 0)
		return setting_error(group, e, "\"%s\": %s, expected a name",
		    entry.destination, why);
	if (when_day(bytes_of(entry.expires), &x->expires) < 0)
		return setting_error(group, e,
		    "expires is \"%s\", expected a day such as"
		    " \"2027-03-31\"",
		    entry.expires);
	x->expires += WHEN_DAY_S; /* all of that day */
	x->destination = arena_string(a, u.host);
	x->owner = entry.owner;
	x->reason = entry.reason;
	x->file = arena_string(a, bytes_of(setting_source(group)));
	x->line = config_setting_source_line(group);
	return read_checks(&entry.checks, &x->checks, e);
}

int
verify_load(const config_setting_t *root, struct arena *a,
    struct verify_settings *out, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "tls_origin");
	const config_setting_t *list;
	int n;

	if (setting_load(verify_table, verify_table_n, group, out, a, e) < 0)
		return -1;
	if (group == NULL)
		return 0;
	list = setting_list(group, "exceptions", e);
	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	n = config_setting_length(list);
	if (n > EXCEPTIONS_MAX)
		return setting_error(
		    list, e, "more than %d exceptions", EXCEPTIONS_MAX);
	out->exceptions = ARENA_ARRAY(a, struct verify_exception, (size_t)n);
	out->exceptions_n = (size_t)n;
	for (int i = 0; i < n; i++)
		if (read_exception(config_setting_get_elem(list, (unsigned)i),
			&out->exceptions[i], a, e) < 0)
			return -1;
	return 0;
}
