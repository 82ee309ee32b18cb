/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/routes.h"

#include <string.h>

#include "proxy/policy/inspection.h"
#include "proxy/smtp/inspect.h"
#include "proxy/smtp/table.h"

#define ROUTES_MAX 4096
#define HOPS_MAX 64
#define DOMAINS_MAX 65536
#define DELAY_MAX (24 * 60 * 60)
#define SIGNERS_OF_DOMAIN_MAX 4 /* a mail gets a signature of each */

struct inbound_row {
	const char *name, *body, *side, *detox, *keep, *encrypted;
	struct texts domains;
	bool verify_recipients;
};

struct outbound_row {
	const char *name, *detox, *keep, *tls, *external_over;
	struct texts domains, bodies, inspect;
	uint32_t external_max;
	uint64_t delay_ms;
};

struct hop_row {
	const char *host, *tls, *name;
	uint32_t port, priority;
	bool implicit;
};

struct sender_row {
	const char *body;
	struct texts domains;
};

struct dkim_row {
	const char *body, *domain, *selector, *key;
};

const struct setting routes_table[] = {
	SETTING_NEST_ROW(inbound,
	    "Routes of mail to the bodies' own domains; a list.",
	    "構成団体のドメイン宛ての経路（並び）。"),
	SETTING_NEST_ROW(outbound,
	    "Routes of mail that bodies send elsewhere; a list.",
	    "構成団体が外へ送るメールの経路（並び）。"),
	SETTING_NEST_ROW(senders,
	    "As which domains a body may send beside its inbound ones; a list.",
	    "受信経路のドメインのほかに、送信者として名乗ってよいドメイン（並び"
	    "）。"),
	SETTING_NEST_ROW(dkim,
	    "With which keys the bodies' mail is signed (DKIM); a list.",
	    "構成団体のメールに署名する鍵（DKIM、並び）。"),
};
const size_t routes_table_n = COUNT(routes_table);

#define DOMAINS_EN                                                             \
	"Its domains: \"city.test\", \"*.city.test\" for all names below it. " \
	"The most specific one counts."
#define DOMAINS_JA                                                          \
	"ドメイン。\"city.test\"、その下のすべての名前は " \
	"\"*.city.test\"。最も"                                          \
	"細かく合うものが決める。"
#define DETOX_EN                                                           \
	"The profile of detox by which its mail is rebuilt; \"none\": it " \
	"passes as it came."
#define DETOX_JA \
	"メールを無害化するプロファイル。\"none\" なら届いたまま通します。"
#define KEEP_EN                                                                \
	"Of which mails the original is kept, as `store.keep`; empty: as that" \
	" says."
#define KEEP_JA                                                                          \
	"原本を残すメール（`store.keep` と同じ）。空なら `store.keep` " \
	"のとおり。"

const struct setting inbound_table[] = {
	SETTING_TEXT_ROW(inbound_row, name, NULL, 1, 64,
	    "The route's name, for logs and `explain mail`.",
	    "経路の名前（ログと `explain mail` で使います）。"),
	SETTING_TEXT_ROW(inbound_row, body, NULL, 1, 6,
	    "The code of the body whose domains they are.",
	    "ドメインを持つ団体の全国地方公共団体コード。"),
	SETTING(inbound_row, domains, TEXTS, 0, 1, DOMAINS_MAX, DOMAINS_EN,
	    DOMAINS_JA),
	SETTING_TEXT_ROW(inbound_row, side, NULL, 1, 16,
	    "Where its mail boxes are: \"lgwan\" or \"internet\".",
	    "メールボックスのある側。\"lgwan\" または \"internet\"。"),
	SETTING_TEXT_ROW(
	    inbound_row, detox, "standard", 1, 64, DETOX_EN, DETOX_JA),
	SETTING_TEXT_ROW(inbound_row, keep, "", 0, 16, KEEP_EN, KEEP_JA),
	SETTING_TEXT_ROW(inbound_row, encrypted, "hold", 1, 16,
	    "Mail with an attachment that needs a password: \"hold\" it until"
	    " its recipient types the password, \"remove\" the attachment, or"
	    " \"refuse\" the mail.",
	    "パスワードの要る添付ファイルがあるメール。\"hold\" は宛先の人が"
	    "パスワードを入力するまで預かり、\"remove\" は添付を除き、"
	    "\"refuse\" は拒否します。"),
	SETTING(inbound_row, verify_recipients, FLAG, true, 0, 1,
	    "Whether the next hop is asked about a recipient before the"
	    " content is taken.",
	    "本文を受け取る前に、宛先があるかを次の中継先に尋ねるか。"),
	SETTING_NEST_ROW(next_hops,
	    "Where its mail goes: keys of `next_hops[]`; at least one.",
	    "渡す先（`next_hops[]` のキー）。一つ以上。"),
};
const size_t inbound_table_n = COUNT(inbound_table);

const struct setting outbound_table[] = {
	SETTING_TEXT_ROW(outbound_row, name, NULL, 1, 64,
	    "The route's name, for logs and `explain mail`.",
	    "経路の名前（ログと `explain mail` で使います）。"),
	SETTING(outbound_row, domains, TEXTS, 0, 1, DOMAINS_MAX,
	    DOMAINS_EN " \"*\": all others.",
	    DOMAINS_JA "\"*\" は他のすべて。"),
	SETTING(outbound_row, bodies, TEXTS, 0, 0, BODIES_MAX,
	    "Codes of the bodies whose mail takes it, before a route for all;"
	    " none: all bodies.",
	    "この経路を使う団体のコード（全団体の経路に優先）。なければ全団体"
	    "。"),
	SETTING_TEXT_ROW(
	    outbound_row, detox, "standard", 1, 64, DETOX_EN, DETOX_JA),
	SETTING_TEXT_ROW(outbound_row, keep, "", 0, 16, KEEP_EN, KEEP_JA),
	SETTING_TEXT_ROW(outbound_row, tls, "opportunistic", 1, 16,
	    "Without next_hops: what the domain's mail servers must offer, as"
	    " `next_hops[].tls`.",
	    "next_hops がないとき、宛先ドメインのメールサーバーに求める TLS"
	    "（`next_hops[].tls` と同じ）。"),
	SETTING(outbound_row, inspect, TEXTS, 0, 0, 64,
	    "Inspections of kind dlp, of the policy, that look into subject,"
	    " texts and attachments of bodies' mail; what they find is held.",
	    "団体のメールの件名、本文、添付ファイルを調べる、ポリシーの dlp "
	    "検査"
	    "の名前。見つかれば保留します。"),
	SETTING_SECONDS_ROW(outbound_row, delay, 0, 0, DELAY_MAX,
	    "So long mail waits in the spool before it is sent, so that it can"
	    " be undone: `sekishoctl queue drop`.",
	    "送る前にスプールで待たせる時間。その間は `sekishoctl queue drop` "
	    "で"
	    "取り消せます。"),
	SETTING(outbound_row, external_max, COUNT, 0, 0, 10000,
	    "Most addresses outside the bodies that To and Cc may show."
	    " 0: any number.",
	    "To と Cc に見えてよい、構成団体の外のアドレスの数。0 "
	    "なら制限しませ"
	    "ん。"),
	SETTING_TEXT_ROW(outbound_row, external_over, "refuse", 1, 16,
	    "More than external_max: \"refuse\" the mail; \"bcc\": send it"
	    " with undisclosed-recipients in place of To and Cc; \"hold\" it"
	    " for a supervisor.",
	    "external_max を超えたとき。\"refuse\" は拒否、\"bcc\" は To と Cc "
	    "を undisclosed-recipients に替えて送信、\"hold\" は上司の確認まで"
	    "保留。"),
	SETTING_NEST_ROW(next_hops,
	    "Where its mail goes: keys of `next_hops[]`. None: to the mail"
	    " servers that DNS names (MX).",
	    "渡す先（`next_hops[]` のキー）。なければ DNS の MX に従います。"),
};
const size_t outbound_table_n = COUNT(outbound_table);

const struct setting hop_table[] = {
	SETTING_TEXT_ROW(hop_row, host, NULL, 1, MAIL_DOMAIN_MAX,
	    "A name, or an address.", "名前またはアドレス。"),
	SETTING(hop_row, port, COUNT, 25, 1, 65535, "Its port.", "ポート。"),
	SETTING(hop_row, priority, COUNT, 10, 0, 65535,
	    "The lowest is tried first; of the same, any.",
	    "小さいものから試します。同じなら任意の順です。"),
	SETTING_TEXT_ROW(hop_row, tls, "required", 1, 16,
	    "\"required\": TLS with a certificate that holds for its name;"
	    " \"opportunistic\": TLS when it is offered, with any certificate;"
	    " \"none\": plain, in a closed network.",
	    "\"required\" は名前に対して有効な証明書の TLS を必須とし、"
	    "\"opportunistic\" は示されれば証明書を問わず TLS を使い、"
	    "\"none\" は TLS を使いません（閉じた網）。"),
	SETTING(hop_row, implicit, FLAG, false, 0, 1,
	    "TLS at once (port 465), without STARTTLS.",
	    "STARTTLS によらず初めから TLS（465 番）。"),
	SETTING_TEXT_ROW(hop_row, name, "", 0, MAIL_DOMAIN_MAX,
	    "The name that its certificate must hold for; empty: host.",
	    "証明書が示すべき名前。空なら host。"),
};
const size_t hop_table_n = COUNT(hop_table);

const struct setting sender_table[] = {
	SETTING_TEXT_ROW(sender_row, body, NULL, 1, 6, "The body's code.",
	    "団体の全国地方公共団体コード。"),
	SETTING(sender_row, domains, TEXTS, 0, 1, DOMAINS_MAX, DOMAINS_EN,
	    DOMAINS_JA),
};
const size_t sender_table_n = COUNT(sender_table);

const struct setting dkim_table[] = {
	SETTING_TEXT_ROW(dkim_row, body, NULL, 1, 6,
	    "The code of the body whose mail is signed.",
	    "署名するメールの団体の全国地方公共団体コード。"),
	SETTING_TEXT_ROW(dkim_row, domain, NULL, 1, MAIL_DOMAIN_MAX,
	    "The signing domain (d=), one of the body's. It signs mail whose"
	    " From is of that domain or of a name below it.",
	    "署名するドメイン（d=）。団体のドメインのひとつ。From がそのドメイ"
	    "ンかその下の名前であるメールに署名します。"),
	SETTING_TEXT_ROW(dkim_row, selector, NULL, 1, 63,
	    "The selector (s=): the public key is a TXT record at"
	    " SELECTOR._domainkey.DOMAIN.",
	    "セレクター（s=）。公開鍵は SELECTOR._domainkey.DOMAIN の TXT レコ"
	    "ードに置きます。"),
	SETTING_TEXT_ROW(dkim_row, key, NULL, 1, 4096,
	    "The file of the private key: RSA of 2048 to 4096 bits, or Ed25519;"
	    " PEM, without a password.",
	    "秘密鍵のファイル（RSA 2048～4096 ビットまたは Ed25519、PEM、パスワ"
	    "ードなし）。"),
};
const size_t dkim_table_n = COUNT(dkim_table);

struct load {
	struct routes *r;
	const struct zones *zones;
	const struct detox_profiles *profiles;
	struct arena *a;
};

/* Which of names, or -1 and *e. */
static int
choose(const config_setting_t *group, const char *key, const char *value,
    const char *const *names, struct err *e)
{
	int i = 0;

	while (names[i] != NULL && strcmp(names[i], value) != 0)
		i++;
	if (names[i] != NULL)
		return i;
	return setting_error(group, e,
	    "%s is \"%s\", expected \"%s\"%s%s%s or \"%s\"", key, value,
	    names[0], names[2] == NULL ? "" : ", \"",
	    names[2] == NULL ? "" : names[1], names[2] == NULL ? "" : "\"",
	    names[2] == NULL ? names[1] : names[2]);
}

static int
choose_tls(const config_setting_t *group, const char *value, enum hop_tls *out,
    struct err *e)
{
	static const char *const names[] = {
		"required",
		"opportunistic",
		"none",
		NULL,
	};
	static const enum hop_tls meanings[] = {
		HOP_TLS_VERIFIED,
		HOP_TLS_OPPORTUNISTIC,
		HOP_TLS_NONE,
	};
	int i = choose(group, "tls", value, names, e);

	*out = i < 0 ? HOP_TLS_VERIFIED : meanings[i];
	return i < 0 ? -1 : 0;
}

static const struct body *
find_body(const struct load *l, const config_setting_t *where, const char *code,
    struct err *e)
{
	const struct body *b = zones_body_by_code(l->zones, bytes_of(code));

	if (b == NULL)
		setting_error(where, e,
		    "body \"%s\" is not in the settings, expected the code of"
		    " one of bodies",
		    code);
	return b;
}

static int
use_profile(const struct load *l, const config_setting_t *group,
    const char *name, struct mail_route *route, struct err *e)
{
	ssize_t i;

	route->detox = name;
	if (strcmp(name, "none") == 0)
		return 0;
	i = detox_profiles_find(l->profiles, name);
	if (i < 0)
		return setting_error(group, e,
		    "detox is \"%s\", expected a profile of detox.profiles or"
		    " \"none\"",
		    name);
	route->rebuilt = true;
	route->profile = (uint32_t)i;
	return 0;
}

static int
use_keep(const config_setting_t *group, const char *keep,
    struct mail_route *route, struct err *e)
{
	route->keep_is_said = keep[0] != '\0';
	if (!route->keep_is_said || store_keep_parse(keep, &route->keep) == 0)
		return 0;
	return setting_error(group, e,
	    "keep is \"%s\", expected \"changed\", \"all\" or \"none\"", keep);
}

static int
check_host(const config_setting_t *group, const char *key, const char **name,
    struct arena *a, struct err *e)
{
	struct address address;
	struct bytes out;
	const char *why;

	if (address_parse(&address, bytes_of(*name)) == 0)
		return 0;
	if (mail_domain_parse(&out, bytes_of(*name), MAIL_UTF8, a, &why) < 0)
		return setting_error(group, e,
		    "%s is \"%s\": %s, expected a name or an address", key,
		    *name, why);
	*name = arena_string(a, out);
	return 0;
}

static int
load_hop(const struct load *l, const config_setting_t *group,
    struct next_hop *h, struct err *e)
{
	struct hop_row row;

	if (setting_load(hop_table, hop_table_n, group, &row, l->a, e) < 0 ||
	    choose_tls(group, row.tls, &h->tls, e) < 0 ||
	    check_host(group, "host", &row.host, l->a, e) < 0)
		return -1;
	if (row.name[0] == '\0')
		row.name = row.host;
	if (check_host(group, "name", &row.name, l->a, e) < 0)
		return -1;
	if (row.implicit && h->tls == HOP_TLS_NONE)
		return setting_error(group, e,
		    "implicit with tls \"none\", expected \"required\" or"
		    " \"opportunistic\"");
	h->host = row.host;
	h->name = row.name;
	h->port = (uint16_t)row.port;
	h->priority = row.priority;
	h->implicit = row.implicit;
	return 0;
}

/* The lowest first, else in the order of the file. */
static void
sort_hops(struct next_hop *hops, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct next_hop h = hops[i];
		size_t k = i;

		for (; k > 0 && hops[k - 1].priority > h.priority; k--)
			hops[k] = hops[k - 1];
		hops[k] = h;
	}
}

static int
load_hops(const struct load *l, const config_setting_t *group,
    struct mail_route *route, struct err *e)
{
	const config_setting_t *list = setting_list(group, "next_hops", e);
	int n = list == NULL ? 0 : config_setting_length(list);
	struct next_hop *hops;

	if (list == NULL)
		return e->text[0] == '\0' ? 0 : -1;
	if (n == 0 || n > HOPS_MAX)
		return setting_error(
		    list, e, "%d next_hops, expected 1 to %d", n, HOPS_MAX);
	hops = ARENA_ARRAY(l->a, struct next_hop, (size_t)n);
	for (int i = 0; i < n; i++)
		if (load_hop(l, config_setting_get_elem(list, (unsigned)i),
			&hops[i], e) < 0)
			return -1;
	sort_hops(hops, (size_t)n);
	route->hops = hops;
	route->hops_n = (size_t)n;
	return 0;
}

static int
begin_route(const struct load *l, const config_setting_t *group,
    const char *kind, const char *name, struct err *e)
{
	struct mail_route *route = &l->r->all[l->r->n];

	for (size_t i = 0; i < l->r->n; i++)
		if (strcmp(l->r->all[i].name, name) == 0)
			return setting_error(group, e,
			    "route \"%s\" is there twice, first at %s:%u", name,
			    l->r->all[i].file, l->r->all[i].line);
	*route = (struct mail_route){
		.name = name,
		.rule = arena_printf(l->a, "%s %s", kind, name),
		.file = arena_string(l->a, bytes_of(setting_source(group))),
		.line = config_setting_source_line(group),
	};
	return 0;
}

/* The domain that stands at that place of a list, as an entry of nobody. */
static int
take_domain(const struct load *l, const struct texts *texts, size_t i,
    struct domain_entry *out, const config_setting_t **where_out, struct err *e)
{
	const config_setting_t *where =
	    config_setting_get_elem(texts->where, (unsigned)i);
	const char *why;

	*where_out = where;
	*out = (struct domain_entry){
		.file = arena_string(l->a, bytes_of(setting_source(where))),
		.line = config_setting_source_line(where),
	};
	if (domain_pattern_parse(
		&out->pattern, bytes_of(texts->p[i]), l->a, &why) < 0)
		return setting_error(where, e,
		    "\"%s\" is no domain: %s, expected one such as"
		    " \"city.test\" or \"*.city.test\"",
		    texts->p[i], why);
	return 0;
}

static int
own(const struct load *l, const config_setting_t *where, const char *text,
    struct domain_entry *entry, const struct body *body, struct err *e)
{
	const struct domain_entry *first =
	    domains_same(&l->r->owned, &entry->pattern, NULL);

	if (first != NULL && first->owner != body)
		return setting_error(where, e,
		    "\"%s\" is %s's already, at %s:%u; expected one body for"
		    " each domain",
		    text, first->owner->code, first->file, first->line);
	if (first != NULL)
		return setting_error(where, e,
		    "\"%s\" is given twice, first at %s:%u", text, first->file,
		    first->line);
	if (entry->pattern.domain.n == 0)
		return setting_error(where, e,
		    "\"*\" is no body's, expected domains of its own");
	entry->owner = body;
	domains_add(&l->r->owned, entry, l->a);
	return 0;
}

/* A body's domains; route NULL: it sends as them alone. */
static int
own_domains(const struct load *l, const config_setting_t *group,
    const struct texts *texts, const struct body *body,
    const struct mail_route *route, struct err *e)
{
	const config_setting_t *where;
	struct domain_entry entry;

	if (texts->n == 0)
		return setting_error(
		    group, e, "domains is missing, expected a list of domains");
	for (size_t i = 0; i < texts->n; i++) {
		if (take_domain(l, texts, i, &entry, &where, e) < 0)
			return -1;
		entry.route = route;
		if (own(l, where, texts->p[i], &entry, body, e) < 0)
			return -1;
		if (route != NULL)
			domains_add(&l->r->inbound, &entry, l->a);
	}
	return 0;
}

static int
load_inbound(const struct load *l, const config_setting_t *group, struct err *e)
{
	static const char *const sides[] = {
		[MAIL_SIDE_LGWAN] = "lgwan",
		[MAIL_SIDE_INTERNET] = "internet",
		NULL,
	};
	static const char *const encrypted[] = {
		[MAIL_ENCRYPTED_REFUSE] = "refuse",
		[MAIL_ENCRYPTED_REMOVE] = "remove",
		[MAIL_ENCRYPTED_HOLD] = "hold",
		NULL,
	};
	struct mail_route *route = &l->r->all[l->r->n];
	struct inbound_row row;
	int side, locked;

	if (setting_load(inbound_table, inbound_table_n, group, &row, l->a, e) <
		0 ||
	    begin_route(l, group, "inbound", row.name, e) < 0)
		return -1;
	route->body = find_body(l, group, row.body, e);
	if (route->body == NULL)
		return -1;
	side = choose(group, "side", row.side, sides, e);
	if (side < 0)
		return -1;
	locked = choose(group, "encrypted", row.encrypted, encrypted, e);
	if (locked < 0 || use_profile(l, group, row.detox, route, e) < 0 ||
	    use_keep(group, row.keep, route, e) < 0 ||
	    load_hops(l, group, route, e) < 0)
		return -1;
	if (route->hops_n == 0)
		return setting_error(group, e,
		    "next_hops is missing, expected where its mail goes");
	route->side = (enum mail_side)side;
	route->verify_recipients = row.verify_recipients;
	route->encrypted = (enum mail_encrypted)locked;
	l->r->n++;
	l->r->inbound_n++;
	return own_domains(l, group, &row.domains, route->body, route, e);
}

static int
load_bodies(const struct load *l, const struct texts *texts,
    struct mail_route *route, struct err *e)
{
	const struct body **bodies =
	    ARENA_ARRAY(l->a, const struct body *, texts->n);

	for (size_t i = 0; i < texts->n; i++) {
		const config_setting_t *where =
		    config_setting_get_elem(texts->where, (unsigned)i);

		bodies[i] = find_body(l, where, texts->p[i], e);
		if (bodies[i] == NULL)
			return -1;
	}
	route->bodies = bodies;
	route->bodies_n = texts->n;
	return 0;
}

static int
add_outbound(const struct load *l, const config_setting_t *where,
    const char *text, struct domain_entry *entry, struct err *e)
{
	const struct mail_route *route = entry->route;
	size_t i = 0;

	do {
		const struct domain_entry *first;

		entry->for_body =
		    route->bodies_n == 0 ? NULL : route->bodies[i];
		first = domains_same(
		    &l->r->outbound, &entry->pattern, entry->for_body);
		if (first != NULL)
			return setting_error(where, e,
			    "\"%s\" is given twice%s%s, first at %s:%u", text,
			    entry->for_body == NULL ? "" : " for ",
			    entry->for_body == NULL ? ""
						    : entry->for_body->code,
			    first->file, first->line);
		domains_add(&l->r->outbound, entry, l->a);
	} while (++i < route->bodies_n);
	return 0;
}

/* Mail to a body's own domain goes by its inbound route, whoever sends it. */
static int
outbound_domains(const struct load *l, const config_setting_t *group,
    const struct texts *texts, const struct mail_route *route, struct err *e)
{
	const struct domain_entry *inbound;
	const config_setting_t *where;
	struct domain_entry entry;

	if (texts->n == 0)
		return setting_error(
		    group, e, "domains is missing, expected a list of domains");
	for (size_t i = 0; i < texts->n; i++) {
		if (take_domain(l, texts, i, &entry, &where, e) < 0)
			return -1;
		inbound = domains_find(&l->r->inbound, &entry.pattern, NULL);
		if (inbound != NULL)
			return setting_error(where, e,
			    "\"%s\" is of %s at %s:%u, expected a domain of"
			    " none of the bodies",
			    texts->p[i], inbound->route->rule, inbound->file,
			    inbound->line);
		entry.route = route;
		if (add_outbound(l, where, texts->p[i], &entry, e) < 0)
			return -1;
	}
	return 0;
}

static int
use_outbound(const config_setting_t *group, const struct outbound_row *row,
    struct outbound_rules *o, struct err *e)
{
	static const char *const overs[] = {
		[EXTERNAL_REFUSE] = "refuse",
		[EXTERNAL_BCC] = "bcc",
		[EXTERNAL_HOLD] = "hold",
		NULL,
	};
	int over = choose(group, "external_over", row->external_over, overs, e);

	if (over < 0)
		return -1;
	if (row->external_max == 0 &&
	    config_setting_get_member(group, "external_over") != NULL)
		return setting_error(group, e,
		    "external_over without external_max, expected how many may"
		    " be shown");
	o->external_max = row->external_max;
	o->delay_ms = row->delay_ms;
	o->inspect = row->inspect;
	o->over = (enum external_over)over;
	return 0;
}

static int
load_outbound(
    const struct load *l, const config_setting_t *group, struct err *e)
{
	struct mail_route *route = &l->r->all[l->r->n];
	struct outbound_row row;

	if (setting_load(
		outbound_table, outbound_table_n, group, &row, l->a, e) < 0 ||
	    begin_route(l, group, "outbound", row.name, e) < 0 ||
	    load_bodies(l, &row.bodies, route, e) < 0 ||
	    use_profile(l, group, row.detox, route, e) < 0 ||
	    use_keep(group, row.keep, route, e) < 0 ||
	    choose_tls(group, row.tls, &route->mx_tls, e) < 0 ||
	    use_outbound(group, &row, &route->outbound, e) < 0 ||
	    load_hops(l, group, route, e) < 0)
		return -1;
	if (route->hops_n > 0 &&
	    config_setting_get_member(group, "tls") != NULL)
		return setting_error(group, e,
		    "tls beside next_hops, expected it in each of them");
	/* Nobody outside reaches our page. */
	route->encrypted = MAIL_ENCRYPTED_REMOVE;
	l->r->n++;
	return outbound_domains(l, group, &row.domains, route, e);
}

static int
load_sender(const struct load *l, const config_setting_t *group, struct err *e)
{
	const struct body *body;
	struct sender_row row;

	if (setting_load(sender_table, sender_table_n, group, &row, l->a, e) <
	    0)
		return -1;
	body = find_body(l, group, row.body, e);
	return body == NULL
	    ? -1
	    : own_domains(l, group, &row.domains, body, NULL, e);
}

/* A domain and a selector, as they stand in a name of DNS. */
static int
check_signer(const struct load *l, const config_setting_t *group,
    struct mail_signer *s, struct err *e)
{
	const struct body *owner;
	struct bytes domain, selector;
	const char *why;
	size_t same = 0;

	if (mail_domain_parse(
		&domain, bytes_of(s->domain), MAIL_UTF8, l->a, &why) < 0)
		return setting_error(group, e,
		    "domain is \"%s\": %s, expected"
		    " one of the body's",
		    s->domain, why);
	if (mail_domain_parse(
		&selector, bytes_of(s->selector), MAIL_ASCII, l->a, &why) < 0 ||
	    *selector.p == '[')
		return setting_error(group, e,
		    "selector is \"%s\", expected"
		    " one such as \"s2026\"",
		    s->selector);
	owner = routes_owner(l->r, domain);
	if (owner != s->body)
		return setting_error(group, e,
		    "domain \"%s\" is not one of"
		    " %s's, expected one of its inbound routes or of senders",
		    s->domain, s->body->code);
	s->domain = arena_string(l->a, domain);
	s->selector = arena_string(l->a, selector);
	for (size_t i = 0; i < l->r->signers_n; i++) {
		const struct mail_signer *other = &l->r->signers[i];

		if (strcmp(other->domain, s->domain) != 0)
			continue;
		same++;
		if (strcmp(other->selector, s->selector) == 0)
			return setting_error(group, e,
			    "selector \"%s\" of"
			    " \"%s\" is given twice, first at %s:%u",
			    s->selector, s->domain, other->file, other->line);
	}
	if (same >= SIGNERS_OF_DOMAIN_MAX)
		return setting_error(group, e, "\"%s\" has more than %d keys",
		    s->domain, SIGNERS_OF_DOMAIN_MAX);
	return 0;
}

static int
load_signer(const struct load *l, const config_setting_t *group, struct err *e)
{
	struct mail_signer s = { 0 };
	struct dkim_row row;

	if (setting_load(dkim_table, dkim_table_n, group, &row, l->a, e) < 0)
		return -1;
	s.body = find_body(l, group, row.body, e);
	if (s.body == NULL)
		return -1;
	s.domain = row.domain;
	s.selector = row.selector;
	s.key = row.key;
	s.file = arena_string(l->a, bytes_of(setting_source(group)));
	s.line = config_setting_source_line(group);
	if (check_signer(l, group, &s, e) < 0)
		return -1;
	l->r->signers[l->r->signers_n++] = s;
	return 0;
}

static int
load_each(const struct load *l, const config_setting_t *root, const char *key,
    int (*one)(
	const struct load *l, const config_setting_t *group, struct err *e),
    struct err *e)
{
	const config_setting_t *list = setting_list(root, key, e);
	int all = 0;

	if (list == NULL)
		return e->text[0] == '\0' ? 0 : -1;
	if (config_setting_length(list) > ROUTES_MAX)
		return setting_error(
		    list, e, "%s has more than %d members", key, ROUTES_MAX);
	for (int i = 0; i < config_setting_length(list); i++)
		if (err_take(&all,
			one(l, config_setting_get_elem(list, (unsigned)i), e),
			e) < 0)
			return -1;
	return all;
}

static int
load_root(const struct load *l, const config_setting_t *root, struct err *e)
{
	struct nothing {
		char none;
	} nothing;

	const struct {
		const char *key;
		int (*one)(const struct load *l, const config_setting_t *group,
		    struct err *e);
	} lists[] = {
		{ "inbound", load_inbound },
		{ "outbound", load_outbound },
		{ "senders", load_sender },
		{ "dkim", load_signer },
	};
	int all = 0;

	if (err_take(&all,
		setting_load(
		    routes_table, routes_table_n, root, &nothing, l->a, e),
		e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(lists); i++)
		if (err_take(&all,
			load_each(l, root, lists[i].key, lists[i].one, e),
			e) < 0)
			return -1;
	return all;
}

/* Of a list of the root; what it is instead of one is told later. */
static size_t
members(const config_setting_t *root, const char *key)
{
	const config_setting_t *s = config_setting_get_member(root, key);
	int n = s == NULL ? 0 : config_setting_length(s);

	return n > ROUTES_MAX ? ROUTES_MAX : (size_t)n;
}

struct routes *
routes_load(const char *file, const struct zones *z,
    const struct detox_profiles *p, struct arena *a, struct err *e)
{
	struct load l = { ARENA_NEW(a, struct routes), z, p, a };
	const config_setting_t *root;
	config_t config;
	int result = setting_read(file, &config, e);

	if (result == 0) {
		root = config_root_setting(&config);
		l.r->all = ARENA_ARRAY(a, struct mail_route,
		    members(root, "inbound") + members(root, "outbound"));
		l.r->signers =
		    ARENA_ARRAY(a, struct mail_signer, members(root, "dkim"));
		result = load_root(&l, root, e);
	}
	config_destroy(&config);
	return result < 0 ? NULL : l.r;
}

static int
use_inspection(const struct mail_route *route, size_t at,
    const struct policy *policy, struct err *e)
{
	const char *name = route->outbound.inspect.p[at];
	const struct inspection *i =
	    policy_inspection_named(policy, bytes_of(name));

	if (i == NULL || i->kind != INSPECTION_DLP)
		return err_set(e,
		    "%s:%u: inspect has \"%s\", expected the name of a dlp"
		    " inspection of the policies",
		    route->file, route->line, name);
	route->outbound.inspections[at] = i;
	return 0;
}

int
routes_use_policy(struct routes *r, const struct policy *policy,
    const struct detox_profiles *p, struct arena *a, struct err *e)
{
	ssize_t text = detox_profiles_find(p, DETOX_TEXT_PROFILE);

	for (size_t i = 0; i < r->n; i++) {
		struct mail_route *route = &r->all[i];
		size_t n = route->outbound.inspect.n;

		if ((n > 0 || policy_canaries(policy, true) != NULL) &&
		    text < 0)
			return err_set(e,
			    "%s:%u: %s without a profile \"%s\" of"
			    " detox.profiles, by which texts are taken out",
			    route->file, route->line,
			    n > 0 ? "inspect" : "leak_canaries",
			    DETOX_TEXT_PROFILE);
		route->outbound.text_profile = text < 0 ? 0 : (uint32_t)text;
		route->outbound.inspections =
		    (const struct inspection **)arena_alloc(
			a, size_mul(n, sizeof(void *)));
		for (size_t k = 0; k < n; k++)
			if (use_inspection(route, k, policy, e) < 0)
				return -1;
	}
	return 0;
}

struct mail_signer *
routes_signers(const struct routes *r, size_t *n_out)
{
	*n_out = r->signers_n;
	return r->signers;
}

size_t
routes_count(const struct routes *r)
{
	return r->n;
}

const struct mail_route *
routes_at(const struct routes *r, size_t i)
{
	must(i < r->n);
	return &r->all[i];
}
