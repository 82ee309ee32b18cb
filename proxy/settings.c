/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/settings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filters/text/source.h"
#include "filters/urlrep/plan.h"
#include "proxy/base/file.h"
#include "proxy/base/sandbox.h"
#include "proxy/policy/inspection.h"
#include "proxy/proof/proof.h"

#define CERTIFICATE_MAX ((size_t)1 << 20)

static const struct setting process_table[] = {
	SETTING(process_settings, edges, COUNT, 0, 0, 64,
	    "Edge processes; 0 means one per CPU.",
	    "エッジプロセスの数。0 は CPU の数。"),
	SETTING(process_settings, mails, COUNT, 0, 0, 64,
	    "Mail processes; 0 means one per CPU.",
	    "メールプロセスの数。0 は CPU の数。"),
	SETTING_TEXT_ROW(process_settings, root, "/var/lib/sekisho/empty", 1,
	    4096, "The empty folder that processes are locked in.",
	    "プロセスを閉じ込める空のフォルダー。"),
	SETTING_TEXT_ROW(process_settings, edge_user, "sekisho-edge", 1, 64,
	    "System user of the edges: a name, or \"uid:gid\".",
	    "エッジのシステムユーザー。名前または \"uid:gid\"。"),
	SETTING_TEXT_ROW(process_settings, keysmith_user, "sekisho-keysmith", 1,
	    64, "System user of the keysmith.",
	    "鍵番（CA 鍵を持つプロセス）のシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, journal_user, "sekisho-journal", 1,
	    64, "System user of the journal.",
	    "ログ書き込みプロセスのシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, control_user, "sekisho-control", 1,
	    64, "System user of the control process.",
	    "管理プロセスのシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, detox_user, "sekisho-detox", 1, 64,
	    "System user of the detox process and its jobs.",
	    "無害化プロセスとその作業のシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, mail_user, "sekisho-mail", 1, 64,
	    "System user of the mail processes; the spool is theirs.",
	    "メールプロセスのシステムユーザー。スプールの所有者。"),
	SETTING_TEXT_ROW(process_settings, store_user, "sekisho-store", 1, 64,
	    "System user of the process that keeps the originals of mails.",
	    "メールの原本を保管するプロセスのシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, gate_user, "sekisho-gate", 1, 64,
	    "System user of the gate, who alone reaches the provision network.",
	    "関門のシステムユーザー。情報提供ネットワークへはこのユーザーだけが"
	    "接続する。"),
	SETTING_TEXT_ROW(process_settings, tripwire_user, "sekisho-tripwire", 1,
	    64, "System user of the process that reads what tripwires see.",
	    "仕掛け線の記録を読むプロセスのシステムユーザー。"),
	SETTING_TEXT_ROW(process_settings, handover_user, "sekisho-handover", 1,
	    64, "System user of the process that hands files over.",
	    "ファイルの受け渡しを受け持つプロセスのシステムユーザー。"),
	SETTING_SECONDS_ROW(process_settings, drain_max, 3600, 0, 86400,
	    "Longest life of a connection after a reload or a stop.",
	    "再読み込みまたは停止の後、既存の接続を残す最長時間。"),
	SETTING_SECONDS_ROW(process_settings, restart_max, 30, 1, 3600,
	    "Longest wait before a process that dies again and again is"
	    " started anew.",
	    "繰り返し落ちるプロセスを再起動するまでの最長待ち時間。"),
	SETTING(process_settings, files_max, COUNT, 65536, 64, 1048576,
	    "Descriptors that an edge may have open.",
	    "エッジが同時に開けるファイル記述子の数。"),
};

static const struct setting root_table[] = {
	SETTING_NEST_ROW(prefecture, "Who runs this checkpoint.",
	    "この関所を運用する都道府県。"),
	SETTING_NEST_ROW(processes, "Processes and their users.",
	    "プロセスとそのユーザー。"),
	SETTING_NEST_ROW(listeners, "Where clients connect; a list.",
	    "端末の接続先（並び）。"),
	SETTING_NEST_ROW(
	    limits, "What one client may ask.", "端末あたりの上限。"),
	SETTING_NEST_ROW(tls_client, "TLS with clients and the CA.",
	    "端末との TLS と認証局。"),
	SETTING_NEST_ROW(tls_origin, "TLS with origins and its verification.",
	    "宛先との TLS とその検証。"),
	SETTING_NEST_ROW(upstream, "Connections to origins.", "宛先への接続。"),
	SETTING_NEST_ROW(journal, "The log.", "ログ。"),
	SETTING_NEST_ROW(
	    control, "The administrator's socket.", "管理用ソケット。"),
	SETTING_NEST_ROW(
	    zones, "The separated zones; a list.", "分離された区域（並び）。"),
	SETTING_NEST_ROW(
	    bodies, "The bodies connected; a list.", "構成団体（並び）。"),
	SETTING_NEST_ROW(isolation, "The isolation of the My Number zone.",
	    "マイナンバー利用事務系の分離。"),
	SETTING_NEST_ROW(systems,
	    "Systems that use individual numbers; a list.",
	    "個人番号を利用するシステム（並び）。"),
	SETTING_NEST_ROW(provision,
	    "Endpoints of the information provision network; a list.",
	    "情報提供ネットワークシステムの接続先（並び）。"),
	SETTING_NEST_ROW(communications,
	    "Specific communications between segments; a list.",
	    "特定通信（並び）。"),
	SETTING_NEST_ROW(leak_canaries,
	    "What is laid among separated data, to be seen where it must not"
	    " be; a list.",
	    "漏えいを知らせるおとりの一覧。"),
	SETTING_NEST_ROW(
	    reputation, "URL lists from outside.", "外部の URL リスト。"),
	SETTING_NEST_ROW(score, "What a name may look like.", "名前の怪しさ。"),
	SETTING_NEST_ROW(
	    content, "What bodies are looked into for.", "本文の検査。"),
	SETTING_NEST_ROW(
	    detox, "How files are made harmless.", "ファイルの無害化。"),
	SETTING_NEST_ROW(mail, "Where mail is taken, and what one mail may be.",
	    "メールの受け付けと一通の上限。"),
	SETTING_NEST_ROW(store, "Originals of mails, kept encrypted.",
	    "暗号化して残すメールの原本。"),
	SETTING_NEST_ROW(handover, "Files that go from zone to zone.",
	    "区域の間のファイルの受け渡し。"),
	SETTING_NEST_ROW(policies, "Policy files, layer by layer.",
	    "方針ファイル（層ごと）。"),
};

/* A row for each group, in the manual's order. The tables' lengths live in
 * their modules, so the array is filled at its first use. */
struct setting_group settings_groups[SETTINGS_GROUPS];

void
settings_groups_fill(void)
{
	const struct setting_group groups[SETTINGS_GROUPS] = {
		{ "", root_table, COUNT(root_table),
		    "The root of sekisho.conf.", "sekisho.conf の最上位。" },
		{ "prefecture", prefecture_table, prefecture_table_n,
		    "Who runs this checkpoint.",
		    "この関所を運用する都道府県。" },
		{ "processes", process_table, COUNT(process_table),
		    "Processes and their users.", "プロセスとそのユーザー。" },
		{ "listeners[]", listener_table, listener_table_n,
		    "Where clients connect.", "端末の接続先。" },
		{ "limits", limit_table, limit_table_n,
		    "What one client may ask.", "端末あたりの上限。" },
		{ "tls_client", keysmith_table, keysmith_table_n,
		    "TLS with clients and the CA.", "端末との TLS と認証局。" },
		{ "tls_origin", verify_table, verify_table_n,
		    "TLS with origins and its verification.",
		    "宛先との TLS とその検証。" },
		{ "tls_origin.exceptions[]", exception_table, exception_table_n,
		    "What may fail, for one destination, for a time.",
		    "宛先ごと・期限付きの検証の例外。" },
		{ "upstream", upstream_table, upstream_table_n,
		    "Connections to origins.", "宛先への接続。" },
		{ "upstream.hosts[]", host_table, host_table_n,
		    "Addresses given here instead of by DNS.",
		    "DNS によらず与えるアドレス。" },
		{ "journal", journal_table, journal_table_n, "The log.",
		    "ログ。" },
		{ "control", control_table, control_table_n,
		    "The administrator's socket.", "管理用ソケット。" },
		{ "zones[]", zone_table, zone_table_n, "The separated zones.",
		    "分離された区域。" },
		{ "bodies[]", body_table, body_table_n, "The bodies connected.",
		    "構成団体。" },
		{ "bodies[].segments[]", segment_table, segment_table_n,
		    "The addresses of a body in one zone.",
		    "構成団体の、ある区域のアドレス。" },
		{ "isolation", isolation_table, isolation_table_n,
		    "The isolation of the My Number zone.",
		    "マイナンバー利用事務系の分離。" },
		{ "systems[]", system_table, system_table_n,
		    "Systems that use individual numbers.",
		    "個人番号を利用するシステム。" },
		{ "provision[]", endpoint_table, endpoint_table_n,
		    "Endpoints of the information provision network: the"
		    " intermediate servers.",
		    "情報提供ネットワークシステムの接続先（中間サーバー）。" },
		{ "communications[]", communication_table,
		    communication_table_n,
		    "Specific communications (特定通信): what may pass between"
		    " segments.",
		    "特定通信: アドレス範囲の間で通してよいもの。" },
		{ "leak_canaries[]", leak_canary_table, leak_canary_table_n,
		    "What is laid among separated data: wherever it is seen,"
		    " data has left.",
		    "漏えいを知らせるおとり。どこで見つかっても漏えいの証拠に"
		    "なる。" },
		{ "reputation", reputation_table, reputation_table_n,
		    "URL lists from outside.", "外部の URL リスト。" },
		{ "score", score_table, score_table_n,
		    "What a name may look like.", "名前の怪しさ。" },
		{ "content", content_table, content_table_n,
		    "What bodies are looked into for.", "本文の検査。" },
		{ "detox", detox_table, detox_table_n,
		    "How files are made harmless.", "ファイルの無害化。" },
		{ "mail", mail_table, mail_table_n,
		    "Where mail is taken, and what one mail may be.",
		    "メールの受け付けと一通の上限。" },
		{ "mail.listeners[]", mail_listener_table,
		    mail_listener_table_n, "Where mail servers connect.",
		    "メールサーバーの接続先。" },
		{ "mail.rspamd", rspamd_table, rspamd_table_n,
		    "Who is asked what it thinks of a mail.",
		    "メールの判定を尋ねる相手。" },
		{ "store", store_table, store_table_n,
		    "Originals of mails, kept encrypted.",
		    "暗号化して残すメールの原本。" },
		{ "handover", handover_table, handover_table_n,
		    "Files that go from zone to zone.",
		    "区域の間のファイルの受け渡し。" },
		{ "handover.ways[]", handover_way_table, handover_way_table_n,
		    "From which zone to which, and how.",
		    "どの区域からどの区域へ、どのように渡すか。" },
		{ "policies", policies_table, policies_table_n,
		    "Policy files, layer by layer.",
		    "方針ファイル（層ごと）。" },
		{ "policies.bodies[]", policies_body_table,
		    policies_body_table_n, "Files of one body.",
		    "ある構成団体のファイル。" },
		{ "policies.bodies[].sections[]", policies_section_table,
		    policies_section_table_n, "Files of one section.",
		    "ある部署のファイル。" },
		{ "(policy file)", policy_table, policy_table_n,
		    "A policy file.", "方針ファイル。" },
		{ "(policy file) lists[]", list_table, list_table_n,
		    "Lists of names and URLs that make a category.",
		    "分類をなすドメイン・URL の一覧。" },
		{ "(policy file) dlp[]", dlp_table, dlp_table_n,
		    "What must not leave.", "外へ出してはならないもの。" },
		{ "(policy file) phrases[]", phrases_table, phrases_table_n,
		    "Weighted phrases in texts that come.",
		    "届く文章の語句と重み。" },
		{ "(policy file) types[]", types_table, types_table_n,
		    "Types of files that come.", "届くファイルの型。" },
		{ "(policy file) detox[]", detox_inspection_table,
		    detox_inspection_table_n,
		    "Files that are made harmless on their way.",
		    "途中で無害化するファイル。" },
		{ "(policy file) must[], default[]", rule_table, rule_table_n,
		    "Rules.", "規則。" },
		{ "(mail routes file)", routes_table, routes_table_n,
		    "The file that `mail.routes` names.",
		    "`mail.routes` が指すファイル。" },
		{ "(mail routes file) inbound[]", inbound_table,
		    inbound_table_n, "Mail to domains of a body.",
		    "構成団体のドメイン宛てのメール。" },
		{ "(mail routes file) outbound[]", outbound_table,
		    outbound_table_n, "Mail that bodies send elsewhere.",
		    "構成団体が外へ送るメール。" },
		{ "(mail routes file) next_hops[]", hop_table, hop_table_n,
		    "Where a route leads, of inbound[] and outbound[].",
		    "経路の渡す先（inbound[] と outbound[]）。" },
		{ "(mail routes file) senders[]", sender_table, sender_table_n,
		    "As which domains a body may send besides.",
		    "送信者として他に名乗ってよいドメイン。" },
		{ "(mail routes file) dkim[]", dkim_table, dkim_table_n,
		    "With which keys the bodies' mail is signed.",
		    "構成団体のメールに署名する鍵。" },
		{ "(sources file)", plan_table, plan_table_n,
		    "A file for `sekishoctl lists compile`.",
		    "`sekishoctl lists compile` の配信元ファイル。" },
		{ "(sources file) sources[]", plan_source_table,
		    plan_source_table_n, "A feed of it.", "その配信元。" },
		{ "(sources file) score", score_table, score_table_n,
		    "What a name may look like.", "名前の怪しさ。" },
		{ "(set file)", set_table, set_table_n,
		    "A file for `sekishoctl sets compile`.",
		    "`sekishoctl sets compile` の元ファイル。" },
		{ "(set file) phrases[]", set_phrase_table, set_phrase_table_n,
		    "A phrase of it.", "その語句。" },
		{ "(set file) patterns[]", set_pattern_table,
		    set_pattern_table_n, "A pattern of it.", "そのパターン。" },
		{ "(detox file) profiles[]", detox_profile_table,
		    detox_profile_table_n, "How files are made harmless.",
		    "ファイルの無害化の方法。" },
		{ "(detox file) scanners[]", detox_scanner_table,
		    detox_scanner_table_n,
		    "Programs that judge the original first.",
		    "先に元のファイルを調べるプログラム。" },
		{ "(detox file) exceptions", detox_exceptions_table,
		    detox_exceptions_table_n,
		    "Files that pass as they are, signed.",
		    "署名によりそのまま通すファイル。" },
		{ "(list of exceptions) exceptions[]", detox_exception_table,
		    detox_exception_table_n, "One of them.", "その一つ。" },
		{ "(detox file) profiles[].pass[]", detox_pass_table,
		    detox_pass_table_n, "A type that passes as it is.",
		    "そのまま通す種類。" },
	};

	memcpy(settings_groups, groups, sizeof(groups));
}

char *
settings_path(const struct settings *s, struct arena *a, const char *name)
{
	if (name[0] == '/')
		return arena_string(a, bytes_of(name));
	return arena_printf(a, "%s/%s", s->folder, name);
}

char *
settings_folder(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		return arena_string(a, bytes_of("."));
	if (slash == file)
		return arena_string(a, bytes_of("/"));
	return arena_string(
	    a, (struct bytes){ (const uint8_t *)file, (size_t)(slash - file) });
}

static int
load_groups(struct settings *s, const config_setting_t *root, struct err *e)
{
	const struct {
		const char *name;
		const struct setting *table;
		size_t n;
		void *to;
	} groups[] = {
		{ "prefecture", prefecture_table, prefecture_table_n,
		    &s->prefecture },
		{ "processes", process_table, COUNT(process_table),
		    &s->processes },
		{ "limits", limit_table, limit_table_n, &s->limits },
		{ "tls_client", keysmith_table, keysmith_table_n,
		    &s->keysmith },
		{ "journal", journal_table, journal_table_n, &s->journal },
		{ "control", control_table, control_table_n, &s->control },
		{ "reputation", reputation_table, reputation_table_n,
		    &s->reputation },
		{ "score", score_table, score_table_n, &s->score },
		{ "content", content_table, content_table_n, &s->content },
		{ "detox", detox_table, detox_table_n, &s->detox },
	};

	int result = 0;

	for (size_t i = 0; i < COUNT(groups); i++)
		if (err_take(&result,
			setting_load(groups[i].table, groups[i].n,
			    config_setting_get_member(root, groups[i].name),
			    groups[i].to, &s->arena, e),
			e) < 0)
			return -1;
	if (result < 0 ||
	    content_settings_check(
		&s->content, config_setting_get_member(root, "content"), e) < 0)
		return -1;
	s->processes.root = settings_path(s, &s->arena, s->processes.root);
	s->limits.h1 = (struct h1_limits){
		.head_max = s->limits.head_max,
		.fields_max = s->limits.fields_max,
		.chunk_line_max = s->limits.chunk_line_max,
		.trailer_max = s->limits.trailer_max,
	};
	return 0;
}

static int
load_own(struct settings *s, const config_setting_t *group, const char *key,
    const char *text, struct url *out, struct err *e)
{
	const char *why;

	if (url_parse_authority(out, bytes_of(text), 0, &s->arena, &why) == 0)
		return 0;
	return setting_error(group, e,
	    "%s is \"%s\": %s, expected a name and a port such as"
	    " proxy.pref.test:8080",
	    key, text, why);
}

static int
load_prefecture(struct settings *s, const config_setting_t *root, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "prefecture");
	const char *code = s->prefecture.code;

	if (strspn(code, "0123456789") != BODY_CODE_N ||
	    code[BODY_CODE_N - 1] != body_code_check_digit(code))
		return setting_error(group, e,
		    "code is \"%s\", expected five digits and their check"
		    " digit",
		    code);
	if (load_own(s, group, "proxy", s->prefecture.proxy, &s->own, e) < 0)
		return -1;
	s->own_tls = s->own;
	return s->prefecture.proxy_tls[0] == '\0'
	    ? 0
	    : load_own(s, group, "proxy_tls", s->prefecture.proxy_tls,
		  &s->own_tls, e);
}

static int
check_users(const struct process_settings *p, struct err *e)
{
	const char *users[] = { p->edge_user, p->keysmith_user, p->journal_user,
		p->control_user, p->detox_user, p->mail_user, p->store_user,
		p->gate_user, p->tripwire_user, p->handover_user };
	unsigned uids[COUNT(users)];
	unsigned gid;

	for (size_t i = 0; i < COUNT(users); i++) {
		if (sandbox_user(users[i], &uids[i], &gid, e) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (uids[k] == uids[i])
				return err_set(e,
				    "processes: \"%s\" and"
				    " \"%s\" are one user, expected one for"
				    " each kind of process",
				    users[k], users[i]);
	}
	return 0;
}

/* The profiles of detox, which policies name. */
static int
load_profiles(struct settings *s, struct err *e)
{
	const char *file = s->detox.profiles;

	return detox_profiles_load(&s->profiles,
	    file[0] == '\0' ? NULL : settings_path(s, &s->arena, file), e);
}

static int
load_policies(struct settings *s, const config_setting_t *root, struct err *e)
{
	if (policy_files_load(root, s->zones, &s->arena, &s->policies, e) < 0)
		return -1;
	s->policy =
	    policy_load(&s->policies, s->folder, s->zones, &s->arena, e);
	if (s->policy == NULL)
		return -1;
	policy_use_score(s->policy, &s->score);
	if (load_profiles(s, e) < 0 ||
	    policy_use_profiles(s->policy, &s->profiles, e) < 0)
		return -1;
	if (s->reputation.file[0] == '\0' && policy_needs_reputation(s->policy))
		return err_set(e,
		    "%s: reputation.file is missing, expected the file of URL"
		    " lists that the policies have lists of kind \"reputation\""
		    " for",
		    s->file);
	return 0;
}

/* What stands in groups of its own, and together. */
static int
load_basics(struct settings *s, const config_setting_t *root, struct err *e)
{
	if (load_groups(s, root, e) < 0 || load_prefecture(s, root, e) < 0)
		return -1;
	return check_users(&s->processes, e);
}

/* The host of prefecture.proxy, which clients of the web know us by. */
static const char *
own_name(struct settings *s)
{
	struct arena *a = &s->arena;
	struct bytes host = s->own.host;

	if (!s->own.is_address)
		return arena_string(a, host);
	return arena_printf(a,
	    address_is_v4(&s->own.address) ? "[%.*s]" : "[IPv6:%.*s]",
	    BYTES_PRINTF(host));
}

static int
use_mail_certificate(
    struct settings *s, const config_setting_t *group, struct err *e)
{
	struct err why = { 0 };
	int fd;

	if (s->mail.certificate[0] == '\0')
		return 0;
	s->mail.certificate = settings_path(s, &s->arena, s->mail.certificate);
	s->mail.key = settings_path(s, &s->arena, s->mail.key);
	fd = file_open(s->mail.certificate, CERTIFICATE_MAX, &why);
	if (fd < 0)
		return setting_error(
		    config_setting_get_member(group, "certificate"), e,
		    "certificate: %s", why.text);
	close(fd);
	return 0;
}

/* Whether they are at one address: either may stand for all of this machine's.
 */
static bool
is_same_place(const struct address *a, const struct address *b)
{
	const struct listener_settings at_a = { .at = *a };
	const struct listener_settings at_b = { .at = *b };

	return listener_is_at(&at_a, b) || listener_is_at(&at_b, a);
}

/* Whether any of the web's listeners is at that address. */
static bool
is_taken(const struct settings *s, const struct address *at)
{
	for (size_t i = 0; i < s->listeners_n; i++)
		if (is_same_place(&s->listeners[i].at, at))
			return true;
	return false;
}

static int
check_mail_listeners(
    const struct settings *s, const config_setting_t *group, struct err *e)
{
	const config_setting_t *list;

	if (s->mail.listeners_n == 0)
		return 0;
	list = config_setting_get_member(group, "listeners");
	for (size_t i = 0; i < s->mail.listeners_n; i++)
		if (is_taken(s, &s->mail.listeners[i].at))
			return setting_error(
			    config_setting_get_elem(list, (unsigned)i), e,
			    "%s is listened on for HTTP, expected another"
			    " address or port",
			    s->mail.listeners[i].address);
	return 0;
}

/* Behind the listeners of the web and prefecture.proxy. */
static int
load_mail(struct settings *s, const config_setting_t *root, struct err *e)
{
	const config_setting_t *group = config_setting_get_member(root, "mail");
	struct mail_settings *m = &s->mail;

	if (mail_settings_load(root, &s->arena, m, e) < 0)
		return -1;
	m->spool = settings_path(s, &s->arena, m->spool);
	if (m->name[0] == '\0')
		m->name = own_name(s);
	return use_mail_certificate(s, group, e) < 0
	    ? -1
	    : check_mail_listeners(s, group, e);
}

static int
load_store(struct settings *s, const config_setting_t *root, struct err *e)
{
	struct store_settings *st = &s->store;

	if (store_settings_load(root, &s->arena, st, e) < 0)
		return -1;
	st->folder = settings_path(s, &s->arena, st->folder);
	st->key_file = settings_path(s, &s->arena, st->key_file);
	return 0;
}

static int
load_origins(struct settings *s, const config_setting_t *root, struct err *e)
{
	int all = 0;
	int verify = verify_load(root, &s->arena, &s->verify, e);

	if (err_take(&all, verify, e) < 0 ||
	    err_take(&all, upstream_load(root, &s->arena, &s->upstream, e), e) <
		0)
		return -1;
	if (verify < 0)
		return -1;
	s->trust = trust_new(&s->verify, s->folder, e);
	return s->trust == NULL ? -1 : all;
}

static int
load_routes(struct settings *s, struct err *e)
{
	struct mail_signer *signers;
	size_t n;

	if (s->mail.routes[0] == '\0')
		return 0;
	s->mail.routes = settings_path(s, &s->arena, s->mail.routes);
	s->routes =
	    routes_load(s->mail.routes, s->zones, &s->profiles, &s->arena, e);
	if (s->routes == NULL)
		return -1;
	signers = routes_signers(s->routes, &n);
	for (size_t i = 0; i < n; i++)
		signers[i].key = settings_path(s, &s->arena, signers[i].key);
	return routes_use_policy(
	    s->routes, s->policy, &s->profiles, &s->arena, e);
}

/* Where nobody is led, whatever a zone permits. */
static void
limit_reach(struct settings *s)
{
	const struct isolation_model *m = s->isolation;
	struct reach_limits *r = &s->upstream.reach;
	struct prefix *provision;
	size_t n = 0;

	for (size_t i = 0; i < m->endpoints_n; i++)
		n += m->endpoints[i].at_n;
	provision = ARENA_ARRAY(&s->arena, struct prefix, n);
	r->zones = s->zones;
	r->provision = provision;
	r->provision_n = n;
	for (size_t i = 0; i < m->endpoints_n; i++)
		for (size_t k = 0; k < m->endpoints[i].at_n; k++) {
			memcpy(provision->octets, m->endpoints[i].at[k].octets,
			    sizeof(provision->octets));
			provision++->bits = 128;
		}
}

/* A system that meant the gate and came to another listener would trip. */
static int
check_gate(
    const struct settings *s, const config_setting_t *root, struct err *e)
{
	const struct isolation_settings *i = &s->isolation->settings;
	const config_setting_t *group =
	    config_setting_get_member(root, "isolation");
	bool taken = is_taken(s, &i->gate_at);

	for (size_t k = 0; k < s->mail.listeners_n; k++)
		taken |= is_same_place(&s->mail.listeners[k].at, &i->gate_at);
	return i->gate[0] == '\0' || !taken
	    ? 0
	    : setting_error(config_setting_get_member(group, "gate"), e,
		  "gate is %s, where a listener of web or mail is, expected"
		  " another address or port",
		  i->gate);
}

static int
load_isolation(struct settings *s, const config_setting_t *root, struct err *e)
{
	s->isolation =
	    isolation_load(root, s->zones, s->folder, time(NULL), &s->arena, e);
	if (s->isolation == NULL)
		return -1;
	limit_reach(s);
	return check_gate(s, root, e);
}

/* A helper of ours that an administrator named there: "address:port", or a
 * path or a name, which is none. */
static int
check_helper(const struct settings *s, const char *text,
    const config_setting_t *where, const char *key, struct err *e)
{
	struct address a;
	const char *why;

	if (address_parse_port(&a, bytes_of(text)) < 0 &&
	    address_parse(&a, bytes_of(text)) < 0)
		return 0;
	why = reach_separated(&a, &s->upstream.reach);
	return why == NULL
	    ? 0
	    : setting_error(where, e,
		  "%s: %s is a %s, where this machine does not connect", key,
		  text, why);
}

static int
check_hosts(const struct settings *s, struct err *e)
{
	int all = 0;

	for (size_t i = 0; i < s->upstream.hosts_n; i++) {
		const struct static_host *h = &s->upstream.hosts[i];

		for (size_t k = 0; k < h->n; k++) {
			const char *why = reach_separated(
			    &h->addresses[k], &s->upstream.reach);

			if (why != NULL &&
			    err_take(&all,
				err_set(e,
				    "%s:%u: \"%s\" leads to a %s, where this"
				    " machine does not connect",
				    h->file, h->line, h->name, why),
				e) < 0)
				return -1;
		}
	}
	return all;
}

static int
check_next_hops(const struct settings *s, struct err *e)
{
	size_t n = s->routes == NULL ? 0 : routes_count(s->routes);
	int all = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mail_route *r = routes_at(s->routes, i);

		for (size_t k = 0; k < r->hops_n; k++) {
			const char *why = NULL;
			struct address a;

			if (address_parse(&a, bytes_of(r->hops[k].host)) == 0)
				why = reach_separated(&a, &s->upstream.reach);
			if (why != NULL &&
			    err_take(&all,
				err_set(e,
				    "%s:%u: next hop %s is a %s, where this"
				    " machine does not connect",
				    r->file, r->line, r->hops[k].host, why),
				e) < 0)
				return -1;
		}
	}
	return all;
}

/* Nothing that these processes connect to is of a separated network: names that
 * lead there are refused when they do. */
static int
check_destinations(
    const struct settings *s, const config_setting_t *root, struct err *e)
{
	const struct texts *servers = &s->upstream.nameservers;
	int all = 0;

	for (size_t i = 0; i < servers->n; i++)
		if (err_take(&all,
			check_helper(s, servers->p[i],
			    config_setting_get_elem(
				servers->where, (unsigned)i),
			    "nameservers", e),
			e) < 0)
			return -1;
	for (size_t i = 0; i < s->profiles.scanners_n; i++)
		if (err_take(&all,
			check_helper(s, s->profiles.scanners[i].address,
			    config_setting_get_member(root, "detox"),
			    "scanners[].address", e),
			e) < 0)
			return -1;
	if (err_take(&all,
		check_helper(s, s->mail.rspamd.address,
		    config_setting_get_member(root, "mail"), "rspamd.address",
		    e),
		e) < 0 ||
	    err_take(&all, check_hosts(s, e), e) < 0 ||
	    err_take(&all, check_next_hops(s, e), e) < 0)
		return -1;
	return all;
}

static int
load_handover(struct settings *s, const config_setting_t *root, struct err *e)
{
	const struct handover_world world = {
		.zones = s->zones,
		.profiles = &s->profiles,
		.policy = s->policy,
		.isolation = s->isolation,
		.folder = s->folder,
	};
	struct handover_settings *h = &s->handover;

	if (handover_settings_load(root, &world, &s->arena, h, e) < 0)
		return -1;
	h->folder = settings_path(s, &s->arena, h->folder);
	h->key_file = settings_path(s, &s->arena, h->key_file);
	return 0;
}

/* Policies, routes, the isolation and ways name zones and bodies: without those
 * each would be told again. */
static int
load_rules(struct settings *s, const config_setting_t *root, struct err *e)
{
	int all = 0;

	s->zones = zones_load(root, &s->arena, e);
	if (s->zones == NULL ||
	    err_take(&all, load_isolation(s, root, e), e) < 0 ||
	    err_take(&all, load_policies(s, root, e), e) < 0 || all < 0 ||
	    policy_use_canaries(s->policy, s->isolation->leak_items,
		s->isolation->leak_items_n, e) < 0)
		return -1;
	if (err_take(&all, load_routes(s, e), e) < 0 ||
	    err_take(&all, load_handover(s, root, e), e) < 0 || all < 0)
		return -1;
	return check_destinations(s, root, e);
}

struct grant_settings
settings_granting(const struct settings *s)
{
	return (struct grant_settings){
		.file = s->file,
		.zones = s->zones,
		.isolation = s->isolation,
		.listeners = s->listeners,
		.listeners_n = s->listeners_n,
		.mail = &s->mail,
		.routes = s->routes,
		.upstream = &s->upstream,
		.profiles = &s->profiles,
	};
}

/* Whatever was checked before, entry by entry: all of it together. */
static int
prove(const struct settings *s, struct err *e)
{
	const struct grant_settings granting = settings_granting(s);
	struct proof p;
	char text[VIOLATION_TEXT_MAX];
	int result = proof_make(&granting, &p, e);

	for (size_t i = 0; i < p.violations_n; i++)
		if (err_take(&result,
			err_set(e, "%s",
			    violation_text(&p.violations[i], false, text)),
			e) < 0)
			break;
	proof_release(&p);
	return result < 0 ? -1 : proof_ask_policy(s->policy, s->zones, e);
}

static int
load_all(struct settings *s, const config_setting_t *root, struct err *e)
{
	struct nothing {
		char none;
	} nothing;

	int all = 0;

	if (err_take(&all,
		setting_load(root_table, COUNT(root_table), root, &nothing,
		    &s->arena, e),
		e) < 0 ||
	    err_take(&all, load_basics(s, root, e), e) < 0 ||
	    err_take(&all,
		listeners_load(
		    root, &s->arena, &s->listeners, &s->listeners_n, e),
		e) < 0 ||
	    err_take(&all, load_mail(s, root, e), e) < 0 ||
	    err_take(&all, load_store(s, root, e), e) < 0 ||
	    err_take(&all, load_origins(s, root, e), e) < 0 ||
	    err_take(&all, load_rules(s, root, e), e) < 0)
		return -1;
	return all;
}

struct settings *
settings_load_unproven(const char *file, struct err *e)
{
	struct settings *s = calloc(1, sizeof(*s));
	config_t config;
	int result;

	must(s != NULL);
	e->text[0] = '\0';
	s->file = arena_string(&s->arena, bytes_of(file));
	s->folder = settings_folder(&s->arena, file);
	result = setting_read(file, &config, e);
	if (result == 0)
		result = load_all(s, config_root_setting(&config), e);
	config_destroy(&config);
	if (result == 0)
		return s;
	settings_free(s);
	return NULL;
}

struct settings *
settings_load(const char *file, struct err *e)
{
	struct settings *s = settings_load_unproven(file, e);

	if (s == NULL || prove(s, e) == 0)
		return s;
	settings_free(s);
	return NULL;
}

struct settings *
settings_load_to_ask(const char *file, struct err *e)
{
	struct settings *s = settings_load(file, e);
	struct arena a = { 0 };
	int result = 0;

	if (s != NULL && s->reputation.file[0] != '\0')
		result = policy_use_reputation(
		    s->policy, settings_path(s, &a, s->reputation.file), e);
	arena_release(&a);
	if (result == 0)
		return s;
	settings_free(s);
	return NULL;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	trust_free(s->trust);
	policy_release(s->policy);
	detox_profiles_release(&s->profiles);
	arena_release(&s->arena);
	free(s);
}
