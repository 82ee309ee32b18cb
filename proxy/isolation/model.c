/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/model.h"

#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/special.h"
#include "proxy/isolation/admin.h"
#include "proxy/isolation/loading.h"

#define LGWAN_MAX 256
#define MACHINE_MAX 64
#define CANARIES_MAX 64
#define TEXTS_MAX 256

/*
 * A network that is said to be separated must not be "everything": of IPv4 at
 * most a /8 at once, of IPv6 a /20, and all of LGWAN at most a 64th of IPv4.
 */
#define WIDEST_V4 (96 + 8)
#define WIDEST_V6 20
#define LGWAN_ADDRESSES_MAX ((uint64_t)1 << 26)

const struct setting isolation_table[] = {
	SETTING_TEXT_ROW(isolation_settings, gate, "", 0, 64,
	    "Where registered systems connect to reach the provision network:"
	    " \"192.0.2.1:8445\", an address of this machine. Empty: there is"
	    " no gate, and nobody reaches it.",
	    "登録したシステムが情報提供ネットワークシステムへ接続するための"
	    "待ち受け（\"192.0.2.1:8445\"。この計算機のアドレス）。空なら関門は"
	    "なく、誰も接続できない。"),
	SETTING_TEXT_ROW(isolation_settings, gate_certificate, "", 0, 4096,
	    "The gate's certificate with its chain, in PEM.",
	    "関門の証明書と中間証明書（PEM）。"),
	SETTING_TEXT_ROW(isolation_settings, gate_key, "", 0, 4096,
	    "The key of it, in PEM.", "その鍵（PEM）。"),
	SETTING(isolation_settings, auditor_keys, TEXTS, 0, 0, 16,
	    "Files of the auditors' public Ed25519 keys (PEM), which"
	    " separation statements are signed with.",
	    "分離確認書に署名する監査者の Ed25519 公開鍵のファイル（PEM）。"),
	SETTING(isolation_settings, contractor_certificates, TEXTS, 0, 0,
	    TEXTS_MAX,
	    "Certificates that the gate refuses, with all that they issued: "
	    "SHA-256 of their DER, or PEM files.",
	    "関門が拒否する委託先の証明書（発行者なら発行したものすべて）。"
	    "DER の SHA-256 または PEM ファイル。"),
	SETTING_TEXT_ROW(isolation_settings, contractor_oid, "", 0, 128,
	    "An extension (its number, \"1.2.3.4\") that marks contractors'"
	    " certificates, which the gate refuses; empty: none does.",
	    "委託先の証明書の印となる拡張領域の番号（\"1.2.3.4\"）。関門が拒否"
	    "する。空ならなし。"),
	SETTING_TEXT_ROW(isolation_settings, statements, "statements", 1, 4096,
	    "The folder of separation statements.", "分離確認書のフォルダー。"),
	SETTING_TEXT_ROW(isolation_settings, suspensions,
	    "/var/lib/sekisho/register/suspensions", 1, 4096,
	    "The file in which suspensions outlive a restart; beside it, as"
	    " FILE.clock and FILE.probes, the latest time known and the last"
	    " good probes.",
	    "停止を再起動後も残すファイル。隣の「ファイル名."
	    "clock」と「ファイル名"
	    ".probes」に既知の最新時刻と最後の探査の合格を置く。"),
	SETTING_TEXT_ROW(isolation_settings, crossings,
	    "/var/lib/sekisho/crossings/crossings.jsonl", 1, 4096,
	    "The chained log of crossings, kept for seven years: a file for"
	    " each year, \"crossings-2026.jsonl\", in a folder that root alone"
	    " writes.",
	    "通過記録（連鎖ハッシュ、7 年保存）。年ごとに"
	    " \"crossings-2026.jsonl\" のようなファイルになる。root "
	    "だけが書ける"
	    "フォルダーに置く。"),
	SETTING(isolation_settings, lgwan, TEXTS, 0, 0, LGWAN_MAX,
	    "Prefixes of LGWAN and of the state's closed networks beyond the"
	    " bodies' segments. None is wider than /8 (IPv6: /20), and all"
	    " have at most 67,108,864 IPv4 addresses.",
	    "構成団体の外側の LGWAN など、国の閉域網のアドレス範囲。一つは /8"
	    "（IPv6 は /20）まで、IPv4 は合わせて 67,108,864 アドレスまで。"),
	SETTING(isolation_settings, machine, TEXTS, 0, 0, MACHINE_MAX,
	    "Addresses of this machine, beside the gate's.",
	    "この計算機のアドレス（関門のアドレスのほかに）。"),
	SETTING(isolation_settings, canaries, TEXTS, 0, 0, CANARIES_MAX,
	    "ADDRESS:PORT that probes may try, and that must not answer.",
	    "探査が接続を試みるアドレス:ポート。応答してはならない。"),
	SETTING_SECONDS_ROW(isolation_settings, probe_age_max, 90000, 60,
	    2678400, "An older result of a good probe counts no more.",
	    "これより古い探査の合格は無効とする。"),
	SETTING_SECONDS_ROW(isolation_settings, idle_max, 300, 1, 86400,
	    "A crossing on which nothing moves ends after so long.",
	    "無通信の通過を打ち切るまでの時間。"),
	SETTING(isolation_settings, crossings_max, COUNT, 64, 1, 4096,
	    "Crossings that one system may have open.",
	    "一つのシステムが同時に持てる通過の数。"),
	SETTING(isolation_settings, crossing_bytes_max, SIZE, 0, 0,
	    1099511627776,
	    "Bytes of one crossing, each way; 0: as many as come.",
	    "一つの通過で流せる片方向の量。0 は制限なし。"),
	SETTING(isolation_settings, kernel, FLAG, 0, 0, 1,
	    "The kernel enforces the same: the rule set is loaded at the start"
	    " and verified every minute.",
	    "同じ内容をカーネルでも強制する（起動時に規則を読み込み、毎分"
	    "照合する）。"),
	SETTING_SECONDS_ROW(isolation_settings, verify_every, 60, 1, 60,
	    "How often what the kernel holds is compared with the settings.",
	    "カーネルの規則を設定と照合する間隔。"),
	SETTING(isolation_settings, admin, TEXTS, 0, 0, 64,
	    "Who reaches this machine beside its listeners when the kernel"
	    " enforces the rules: \"192.0.2.0/28 tcp 22\" (or udp), \"192.0.2.9"
	    " icmp\" (echo), \"192.0.2.2 vrrp\". Never a My Number segment."
	    " \"none\" alone: the console.",
	    "カーネルで強制するとき、待ち受けのほかにこの計算機へ届いてよい相手"
	    "（\"192.0.2.0/28 tcp 22\"、udp、\"192.0.2.9 icmp\"（エコー）、"
	    "\"192.0.2.2 vrrp\"）。マイナンバー利用事務系は不可。\"none\" "
	    "だけなら"
	    "コンソールのみ。"),
};
const size_t isolation_table_n = COUNT(isolation_table);

struct model_source
loading_source(struct loading *l, const config_setting_t *where)
{
	const char *file = setting_source(where);
	unsigned line = config_setting_source_line(where);

	if (file != l->file_read) {
		l->file_read = file;
		l->file = arena_string(l->arena, bytes_of(file));
	}
	return (struct model_source){ l->file, line > 0 ? line : 1 };
}

const char *
loading_path(const struct loading *l, const char *name)
{
	return name[0] == '/' || name[0] == '\0'
	    ? name
	    : arena_printf(l->arena, "%s/%s", l->folder, name);
}

int
check_name(const char *name, const config_setting_t *where, struct err *e)
{
	static const char letters[] = "-_.0123456789"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strspn(name, letters) == strlen(name) &&
		strchr("-_.", name[0]) == NULL
	    ? 0
	    : setting_error(where, e,
		  "name is \"%s\", expected letters and digits, with - _ ."
		  " behind the first",
		  name);
}

int
check_words(const char *key, const char *text, const config_setting_t *where,
    struct err *e)
{
	return bytes_trim(bytes_of(text)).n > 0
	    ? 0
	    : setting_error(where, e, "%s is blank, expected words", key);
}

int
check_given(const char *key, const struct texts *texts,
    const config_setting_t *group, struct err *e)
{
	return texts->n > 0
	    ? 0
	    : setting_error(
		  group, e, "%s is missing, expected a list of strings", key);
}

int
read_list(const config_setting_t *root, const char *key, size_t max,
    const config_setting_t **list_out, size_t *n_out, struct err *e)
{
	*list_out = setting_list(root, key, e);
	*n_out = 0;
	if (*list_out == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	*n_out = (size_t)config_setting_length(*list_out);
	return *n_out <= max ? 0
			     : setting_error(*list_out, e,
				   "%s has %zu members, expected at"
				   " most %zu",
				   key, *n_out, max);
}

bool
prefix_is_v4(const struct prefix *p)
{
	struct address a = { 0 };

	memcpy(a.octets, p->octets, sizeof(a.octets));
	return p->bits >= 96 && address_is_v4(&a);
}

/* NAT64, Teredo and 6to4 carry IPv4 addresses, those of the internet too. */
static bool
holds_translated(const uint8_t first[16], const uint8_t last[16])
{
	static const struct prefix translated[] = {
		{ { 0x00, 0x64, 0xff, 0x9b }, 96 },
		{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 },
		{ { 0x20, 0x01, 0x00, 0x00 }, 32 },
		{ { 0x20, 0x02 }, 16 },
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 },
	};
	uint8_t from[16], to[16];

	for (size_t i = 0; i < COUNT(translated); i++) {
		prefix_ends(&translated[i], from, to);
		if (memcmp(first, to, 16) <= 0 && memcmp(from, last, 16) <= 0)
			return true;
	}
	return false;
}

const char *
why_no_host(const struct prefix *p)
{
	struct address first = { 0 };
	struct address last = { 0 };
	static const uint8_t nothing[16];
	static const uint8_t v4[16] = { [10] = 255, [11] = 255 };

	prefix_ends(p, first.octets, last.octets);
	if (p->bits < 96 && memcmp(first.octets, v4, 16) <= 0 &&
	    memcmp(last.octets, v4, 16) >= 0)
		return "wider than all of IPv4";
	if (prefix_is_v4(p)) {
		if (memcmp(last.octets + 12, "\xff\xff\xff\xff", 4) == 0)
			return "a broadcast address";
		if (first.octets[12] <= 239 && last.octets[12] >= 224)
			return "a multicast address";
		return first.octets[12] == 0 ? "an unspecified address" : NULL;
	}
	if (last.octets[0] == 0xff)
		return "a multicast address";
	if (holds_translated(first.octets, last.octets))
		return "a translated IPv4 address";
	return memcmp(first.octets, nothing, sizeof(nothing)) == 0
	    ? "an unspecified address"
	    : NULL;
}

static int
read_prefix(const char *key, const char *text, struct prefix *out,
    const config_setting_t *where, struct err *e)
{
	const char *why;

	if (prefix_parse(out, bytes_of(text)) < 0)
		return setting_error(where, e,
		    "%s: \"%s\" is no address or prefix, expected one such as"
		    " 192.0.2.0/26 without bits behind the mask",
		    key, text);
	why = why_no_host(out);
	return why == NULL
	    ? 0
	    : setting_error(where, e,
		  "%s: %s is or holds %s, expected addresses of hosts", key,
		  text, why);
}

int
read_prefixes(struct loading *l, const char *key, const struct texts *texts,
    const config_setting_t *group, struct prefix **out, struct err *e)
{
	int all = 0;

	if (group != NULL && check_given(key, texts, group, e) < 0)
		return -1;
	*out = ARENA_ARRAY(l->arena, struct prefix, texts->n);
	for (size_t i = 0; i < texts->n; i++)
		if (err_take(&all,
			read_prefix(key, texts->p[i], &(*out)[i],
			    config_setting_get_elem(texts->where, (unsigned)i),
			    e),
			e) < 0)
			return -1;
	return all;
}

int
check_host(const struct prefix *p, const struct segment *s, const char *key,
    const config_setting_t *where, struct err *e)
{
	uint8_t first[16], last[16];
	char text[ADDRESS_TEXT_MAX];

	if (s == NULL || p->bits != 128 || !prefix_is_v4(&s->prefix) ||
	    s->prefix.bits > 96 + 30)
		return 0;
	prefix_ends(&s->prefix, first, last);
	return memcmp(p->octets, last, 16) != 0
	    ? 0
	    : setting_error(where, e,
		  "%s: %s is the broadcast address of its segment (%s:%u)", key,
		  prefix_text(p, text), s->file, s->line);
}

static const char *
why_too_wide(const struct prefix *p)
{
	if (prefix_is_v4(p))
		return p->bits >= WIDEST_V4 ? NULL : "/8 at most";
	return p->bits >= WIDEST_V6 ? NULL : "/20 at most";
}

/* Which of two: the later line of the settings is told. */
static int
refuse_lgwan_twice(
    const struct isolation_settings *s, struct spans *lgwan, struct err *e)
{
	const struct span *first;
	const struct span *one;
	size_t next = 0;
	int all = 0;

	while ((one = spans_overlapping(lgwan, &next, &first)) != NULL) {
		size_t later =
		    one->index > first->index ? one->index : first->index;

		if (err_take(&all,
			setting_error(config_setting_get_elem(
					  s->lgwan.where, (unsigned)later),
			    e, "lgwan: %s overlaps %s, expected prefixes apart",
			    s->lgwan.p[one->index], s->lgwan.p[first->index]),
			e) < 0)
			return -1;
	}
	return all;
}

static int
read_lgwan(struct loading *l, struct isolation_settings *s, struct err *e)
{
	uint64_t addresses = 0;

	if (read_prefixes(l, "lgwan", &s->lgwan, NULL, &s->lgwan_prefixes, e) <
	    0)
		return -1;
	s->lgwan_prefixes_n = s->lgwan.n;
	l->index->lgwan = spans_new(l->arena, s->lgwan.n);
	for (size_t i = 0; i < s->lgwan.n; i++) {
		const struct prefix *p = &s->lgwan_prefixes[i];
		const config_setting_t *where =
		    config_setting_get_elem(s->lgwan.where, (unsigned)i);
		const char *why = why_too_wide(p);

		if (why != NULL)
			return setting_error(where, e,
			    "lgwan: %s is too wide, expected %s", s->lgwan.p[i],
			    why);
		if (prefix_is_v4(p))
			addresses += (uint64_t)1 << (128 - p->bits);
		spans_add(&l->index->lgwan, p, i);
	}
	if (addresses > LGWAN_ADDRESSES_MAX)
		return setting_error(s->lgwan.where, e,
		    "lgwan has %llu IPv4 addresses, expected at most %llu",
		    (unsigned long long)addresses,
		    (unsigned long long)LGWAN_ADDRESSES_MAX);
	spans_sort(&l->index->lgwan);
	return refuse_lgwan_twice(s, &l->index->lgwan, e);
}

static struct prefix
host_prefix(const struct address *a)
{
	struct prefix p = { .bits = 128 };

	memcpy(p.octets, a->octets, sizeof(p.octets));
	return p;
}

static int
read_machine(struct loading *l, struct isolation_settings *s, struct err *e)
{
	struct prefix gate = host_prefix(&s->gate_at);

	if (read_prefixes(
		l, "machine", &s->machine, NULL, &s->machine_prefixes, e) < 0)
		return -1;
	s->machine_prefixes_n = s->machine.n;
	l->index->machine = spans_new(l->arena, s->machine.n + 1);
	for (size_t i = 0; i < s->machine.n; i++) {
		if (s->machine_prefixes[i].bits != 128)
			return setting_error(config_setting_get_elem(
						 s->machine.where, (unsigned)i),
			    e, "machine: %s is a prefix, expected an address",
			    s->machine.p[i]);
		spans_add(&l->index->machine, &s->machine_prefixes[i], i);
	}
	if (s->gate[0] != '\0')
		spans_add(&l->index->machine, &gate, s->machine.n);
	spans_sort(&l->index->machine);
	spans_unite(&l->index->machine);
	return 0;
}

static int
read_gate(struct loading *l, struct isolation_settings *s,
    const config_setting_t *group, struct err *e)
{
	const config_setting_t *where =
	    config_setting_get_member(group, "gate");
	uint8_t ignored[MODEL_DIGEST_N];
	struct prefix p;

	if (address_parse_port(&s->gate_at, bytes_of(s->gate)) < 0 ||
	    s->gate_at.port == 0)
		return setting_error(where, e,
		    "gate is \"%s\", expected an address and a port such as"
		    " 192.0.2.1:8445",
		    s->gate);
	p = host_prefix(&s->gate_at);
	if (why_no_host(&p) != NULL)
		return setting_error(where, e,
		    "gate is %s, %s; expected one address of this machine",
		    s->gate, why_no_host(&p));
	if (s->gate_certificate[0] == '\0' || s->gate_key[0] == '\0')
		return setting_error(where, e,
		    "gate is there without gate_certificate and gate_key,"
		    " expected both");
	return read_certificate(l, s->gate_certificate, ignored,
	    config_setting_get_member(group, "gate_certificate"), e);
}

static int
read_auditor_keys(
    struct loading *l, struct isolation_settings *s, struct err *e)
{
	int all = 0;

	s->auditor_pems =
	    ARENA_ARRAY(l->arena, const char *, s->auditor_keys.n);
	for (size_t i = 0; i < s->auditor_keys.n; i++) {
		const config_setting_t *where =
		    config_setting_get_elem(s->auditor_keys.where, (unsigned)i);

		s->auditor_keys.p[i] = loading_path(l, s->auditor_keys.p[i]);
		if (err_take(&all,
			read_public_key(l, s->auditor_keys.p[i],
			    &s->auditor_pems[i], where, e),
			e) < 0)
			return -1;
	}
	return all;
}

/* Each becomes its digest, in lower case. */
static int
read_contractors(struct loading *l, struct isolation_settings *s,
    const config_setting_t *group, struct err *e)
{
	ASN1_OBJECT *oid = NULL;
	int all = 0;

	s->contractor_files =
	    ARENA_ARRAY(l->arena, const char *, s->contractor_certificates.n);
	for (size_t i = 0; i < s->contractor_certificates.n; i++) {
		const char **text = &s->contractor_certificates.p[i];
		char hex[2 * MODEL_DIGEST_N + 1];
		uint8_t digest[MODEL_DIGEST_N];
		int read = read_certificate(l, *text, digest,
		    config_setting_get_elem(
			s->contractor_certificates.where, (unsigned)i),
		    e);

		if (read == 0) {
			digest_hex(digest, hex);
			s->contractor_files[i] = strcasecmp(*text, hex) == 0
			    ? ""
			    : loading_path(l, *text);
			*text = arena_string(l->arena, bytes_of(hex));
		}
		if (err_take(&all, read, e) < 0)
			return -1;
	}
	if (s->contractor_oid[0] == '\0')
		return all;
	oid = OBJ_txt2obj(s->contractor_oid, 1);
	if (oid != NULL) {
		ASN1_OBJECT_free(oid);
		return all;
	}
	return setting_error(config_setting_get_member(group, "contractor_oid"),
	    e, "contractor_oid is \"%s\", expected numbers such as 1.2.3.4",
	    s->contractor_oid);
}

static int
read_canaries(struct loading *l, struct isolation_settings *s, struct err *e)
{
	s->canaries_at = ARENA_ARRAY(l->arena, struct address, s->canaries.n);
	s->canaries_n = s->canaries.n;
	for (size_t i = 0; i < s->canaries.n; i++)
		if (address_parse_port(
			&s->canaries_at[i], bytes_of(s->canaries.p[i])) < 0 ||
		    s->canaries_at[i].port == 0)
			return setting_error(
			    config_setting_get_elem(
				s->canaries.where, (unsigned)i),
			    e,
			    "canaries: \"%s\", expected an address and a port"
			    " such as 192.0.2.1:443",
			    s->canaries.p[i]);
	return 0;
}

static int
isolation_group_load(
    struct loading *l, const config_setting_t *root, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "isolation");
	struct isolation_settings *s = &l->model->settings;
	int all = 0;

	if (setting_load(
		isolation_table, isolation_table_n, group, s, l->arena, e) < 0)
		return -1;
	if (s->gate[0] != '\0' &&
	    err_take(&all, read_gate(l, s, group, e), e) < 0)
		return -1;
	if (err_take(&all, read_lgwan(l, s, e), e) < 0 ||
	    err_take(&all, read_machine(l, s, e), e) < 0 ||
	    err_take(&all, read_auditor_keys(l, s, e), e) < 0 ||
	    err_take(&all, read_contractors(l, s, group, e), e) < 0 ||
	    err_take(&all, read_canaries(l, s, e), e) < 0)
		return -1;
	s->gate_certificate = loading_path(l, s->gate_certificate);
	s->gate_key = loading_path(l, s->gate_key);
	s->statements = loading_path(l, s->statements);
	s->suspensions = loading_path(l, s->suspensions);
	s->crossings = loading_path(l, s->crossings);
	return all;
}

/* What else would make an address of such a zone one of two places, or the
 * zone everything. */
static int
check_segment(const struct loading *l, const struct segment *s, struct err *e)
{
	const char *why = why_no_host(&s->prefix);
	uint8_t first[16], last[16];
	const struct span *lgwan;

	prefix_ends(&s->prefix, first, last);
	/* Who comes by a translator has another zone's address behind it. */
	if (s->zone->kind == ZONE_INTERNET && s->prefix.bits >= 16 &&
	    holds_translated(first, last))
		return err_set(e,
		    "%s:%u: the segment is or holds a translated IPv4 address,"
		    " expected addresses of hosts",
		    s->file, s->line);
	if (s->zone->kind != ZONE_INTERNET) {
		if (why != NULL)
			return err_set(e,
			    "%s:%u: the segment is or holds %s, expected"
			    " addresses of hosts",
			    s->file, s->line, why);
		why = why_too_wide(&s->prefix);
		if (why != NULL)
			return err_set(e,
			    "%s:%u: the segment is too wide for zone \"%s\","
			    " expected %s",
			    s->file, s->line, s->zone->name, why);
	}
	if (s->zone->kind == ZONE_LGWAN)
		return 0;
	lgwan = spans_touched(&l->index->lgwan, first, last);
	return lgwan == NULL
	    ? 0
	    : err_set(e,
		  "%s:%u: the segment of zone \"%s\" has addresses of"
		  " isolation.lgwan %s, expected them in one place",
		  s->file, s->line, s->zone->name,
		  l->model->settings.lgwan.p[lgwan->index]);
}

static int
check_segments(const struct loading *l, struct err *e)
{
	const struct zones *z = l->model->zones;
	int all = 0;

	for (size_t i = 0; i < zones_segments(z); i++)
		if (err_take(
			&all, check_segment(l, zones_segment(z, i), e), e) < 0)
			return -1;
	return all;
}

static const char *const body_model_names[BODY_MODELS] = {
	[BODY_MODEL_ALPHA] = "alpha",
	[BODY_MODEL_ALPHA_PRIME] = "alpha-prime",
	[BODY_MODEL_BETA] = "beta",
	[BODY_MODEL_BETA_PRIME] = "beta-prime",
};

const char *
body_model_name(enum body_model m)
{
	return body_model_names[m];
}

static int
read_body_model(
    enum body_model *out, const config_setting_t *body, struct err *e)
{
	const config_setting_t *s = config_setting_get_member(body, "model");
	const char *text = s == NULL ? "alpha" : config_setting_get_string(s);

	for (size_t i = 0; text != NULL && i < BODY_MODELS; i++)
		if (strcmp(text, body_model_names[i]) == 0) {
			*out = (enum body_model)i;
			return 0;
		}
	return setting_error(s, e,
	    "model is \"%s\", expected alpha, alpha-prime, beta or beta-prime",
	    text == NULL ? "" : text);
}

/* The bodies' indices are their places in the list. */
static int
body_models_load(struct loading *l, const config_setting_t *root, struct err *e)
{
	const config_setting_t *list =
	    config_setting_get_member(root, "bodies");
	size_t n = zones_bodies(l->model->zones);
	int all = 0;

	l->model->body_models = ARENA_ARRAY(l->arena, enum body_model, n);
	for (size_t i = 0; i < n; i++)
		if (err_take(&all,
			read_body_model(&l->model->body_models[i],
			    config_setting_get_elem(list, (unsigned)i), e),
			e) < 0)
			return -1;
	return all;
}

/* What names other entries is read behind them, so that one that is missing is
 * not told again by all who name it. */
struct isolation_model *
isolation_load(const config_setting_t *root, const struct zones *zones,
    const char *folder, time_t now, struct arena *a, struct err *e)
{
	struct isolation_model *m = ARENA_NEW(a, struct isolation_model);
	struct isolation_index *index = ARENA_NEW(a, struct isolation_index);
	struct loading l = { .model = m,
		.index = index,
		.folder = folder,
		.now = now,
		.arena = a };
	int all = 0;

	m->zones = zones;
	m->index = index;
	if (err_take(&all, body_models_load(&l, root, e), e) < 0 ||
	    err_take(&all, isolation_group_load(&l, root, e), e) < 0 ||
	    all < 0 || err_take(&all, check_segments(&l, e), e) < 0 ||
	    err_take(&all, endpoints_load(&l, root, e), e) < 0 || all < 0 ||
	    err_take(&all, admins_load(&l, root, e), e) < 0 ||
	    err_take(&all, systems_load(&l, root, e), e) < 0 ||
	    err_take(&all, communications_load(&l, root, e), e) < 0 ||
	    err_take(&all, leaks_load(&l, root, e), e) < 0)
		return NULL;
	return all == 0 ? m : NULL;
}

static enum place
place_of_segment(const struct segment *s)
{
	switch (s->zone->kind) {
	case ZONE_MYNUMBER:
		return PLACE_MYNUMBER;
	case ZONE_LGWAN:
		return PLACE_LGWAN;
	case ZONE_INTERNET:
		return PLACE_INTERNET;
	}
	return PLACE_OUTSIDE;
}

enum place
place_stretch(const struct isolation_model *m, const uint8_t first[16],
    const struct segment **segment_out, uint8_t last_out[16])
{
	const struct isolation_index *x = m->index;

	*segment_out = zones_stretch(m->zones, first, last_out);
	if (spans_stretch(&x->provision, first, last_out) != NULL)
		return PLACE_PROVISION;
	if (spans_stretch(&x->machine, first, last_out) != NULL)
		return PLACE_CHECKPOINT;
	if (*segment_out != NULL)
		return place_of_segment(*segment_out);
	return spans_stretch(&x->lgwan, first, last_out) != NULL
	    ? PLACE_LGWAN_NETWORK
	    : PLACE_OUTSIDE;
}

enum place
isolation_place(const struct isolation_model *m, const struct address *a)
{
	const struct segment *s;
	uint8_t last[16];

	return place_stretch(m, a->octets, &s, last);
}

unsigned
isolation_places(const struct isolation_model *m, const struct prefix *p,
    const struct body *body)
{
	uint8_t at[16], end[16], last[16];
	const struct segment *s;
	unsigned places = 0;

	prefix_ends(p, at, end);
	do {
		enum place place = place_stretch(m, at, &s, last);

		if (body == NULL || (s != NULL && s->body == body))
			places |= 1u << place;
	} while (octets_behind(at, last, end));
	return places;
}

const char *
place_name(enum place p)
{
	static const char *const names[PLACES] = {
		[PLACE_OUTSIDE] = "outside",
		[PLACE_MYNUMBER] = "mynumber",
		[PLACE_LGWAN] = "lgwan",
		[PLACE_INTERNET] = "internet",
		[PLACE_LGWAN_NETWORK] = "lgwan-network",
		[PLACE_PROVISION] = "provision",
		[PLACE_CHECKPOINT] = "checkpoint",
	};

	return names[p];
}

const struct system *
isolation_system_at(const struct isolation_model *m, const struct address *a)
{
	const struct span *s = spans_at(&m->index->systems, a->octets);

	return s == NULL ? NULL : &m->systems[s->index];
}

const struct system *
isolation_system(const struct isolation_model *m, struct bytes name)
{
	size_t low = 0;
	size_t high = m->systems_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct system *s = m->index->by_name[middle];
		struct bytes own = bytes_of(s->name);
		size_t n = own.n < name.n ? own.n : name.n;
		int order = n == 0 ? 0 : memcmp(own.p, name.p, n);

		if (order == 0 && own.n == name.n)
			return s;
		if (order < 0 || (order == 0 && own.n < name.n))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
