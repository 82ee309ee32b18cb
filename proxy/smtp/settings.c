/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/settings.h"

#include <string.h>

#include "proxy/body/budget.h"
#include "proxy/listener/listener.h"
#include "proxy/smtp/envelope.h"

#define LISTENERS_MAX 64
#define TRUSTED_MAX 1024
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define HOUR 3600
#define DAY (24 * HOUR)

const struct setting mail_table[] = {
	SETTING_NEST_ROW(listeners,
	    "Where mail is taken: keys of `mail.listeners[]`. None: no mail is"
	    " taken.",
	    "メールを受け付ける場所（`mail.listeners[]` のキー）。なければ受け"
	    "付けません。"),
	SETTING_NEST_ROW(rspamd,
	    "Who is asked what it thinks of a mail: keys of `mail.rspamd`.",
	    "メールの判定を尋ねる相手（`mail.rspamd` のキー）。"),
	SETTING_TEXT_ROW(mail_settings, name, "", 0, MAIL_DOMAIN_MAX,
	    "Our name in greetings, in EHLO and in Received; empty: the host of"
	    " prefecture.proxy.",
	    "挨拶、EHLO、Received に書くこちらの名前。空なら prefecture.proxy "
	    "のホスト名。"),
	SETTING_TEXT_ROW(mail_settings, routes, "", 0, 4096,
	    "The file of mail routes: which mail may pass, and where it goes."
	    " Empty: no mail is taken.",
	    "メール経路のファイル（どのメールを通し、どこへ渡すか）。空なら受け"
	    "付けません。"),
	SETTING_TEXT_ROW(mail_settings, certificate, "", 0, 4096,
	    "Certificate and its chain for TLS with those that send us mail"
	    " (PEM). Empty: no TLS is offered.",
	    "送信側との TLS に使う証明書とその連鎖（PEM）。空なら TLS を示しま"
	    "せん。"),
	SETTING_TEXT_ROW(mail_settings, key, "", 0, 4096,
	    "The certificate's private key (PEM).", "証明書の秘密鍵（PEM）。"),
	SETTING_TEXT_ROW(mail_settings, spool, "/var/spool/sekisho", 1, 4096,
	    "The folder of mails that were acknowledged and are not delivered"
	    " yet.",
	    "受け付けてまだ配送していないメールのフォルダー。"),
	SETTING(mail_settings, spool_max, SIZE, 20 * GIB, MIB, 16384 * GIB,
	    "Most bytes of the spool; more mail is answered with 452.",
	    "スプールの大きさの上限。超えるメールには 452 を返します。"),
	SETTING(mail_settings, spool_free_min, SIZE, GIB, 0, 1024 * GIB,
	    "Bytes that the spool's disk must keep free.",
	    "スプールのディスクに残す空き。"),
	SETTING(mail_settings, size_max, SIZE, 50 * MIB, 64 * KIB, GIB,
	    "Most bytes of one mail.", "メール一通の大きさの上限。"),
	SETTING(mail_settings, memory_max, SIZE, GIB, 64 * MIB, 1024 * GIB,
	    "Most bytes of mails in memory, of one mail process; one client"
	    " address has a fourth of it at most. More is answered with 452.",
	    "一つのメールプロセスが同時にメモリーに置くメールの上限。一つの接続"
	    "元はその四分の一まで。超えるメールには 452 を返します。"),
	SETTING(mail_settings, recipients_max, COUNT, 100, 100, 10000,
	    "Most recipients of one mail; RFC 5321 wants at least 100.",
	    "メール一通の宛先の上限。RFC 5321 は 100 以上を求めます。"),
	SETTING(mail_settings, errors_max, COUNT, 10, 1, 1000,
	    "Refused or unknown commands of one session; then it ends (421).",
	    "一つのセッションで許す誤りの数。超えると終えます（421）。"),
	SETTING(mail_settings, messages_max, COUNT, 1000, 1, 1000000,
	    "Mails of one session; then it ends (421).",
	    "一つのセッションのメールの上限。超えると終えます（421）。"),
	SETTING(mail_settings, connections_max, COUNT, 1000, 1, 65536,
	    "Sessions of one mail process at once.",
	    "一つのメールプロセスが同時に持つセッションの上限。"),
	SETTING(mail_settings, connections_per_client, COUNT, 50, 1, 65536,
	    "Sessions of one client address at once.",
	    "一つの接続元アドレスの同時セッションの上限。"),
	SETTING(mail_settings, messages_per_minute, COUNT, 600, 1, 1000000,
	    "Mails of one client address in a minute.",
	    "一つの接続元アドレスの一分あたりのメールの上限。"),
	SETTING(mail_settings, messages_per_minute_body, COUNT, 3000, 1,
	    1000000, "Mails of all clients of a body in a minute.",
	    "一つの団体の全端末の一分あたりのメールの上限。"),
	SETTING(mail_settings, sender_recipients_per_hour, COUNT, 1000, 0,
	    10000000,
	    "Recipients of one sender address of a body in an hour; further"
	    " mail of it is held. 0: no limit.",
	    "構成団体の一つの送信者アドレスの、一時間あたりの宛先の上限。超えた"
	    "後のメールは保留します。0 なら制限しません。"),
	SETTING(mail_settings, sender_distinct_per_hour, COUNT, 500, 0, 1500,
	    "The same, of different recipients.", "同じく、異なる宛先の数。"),
	SETTING(mail_settings, sender_failed_per_hour, COUNT, 50, 0, 10000000,
	    "The same, of recipients that do not exist or have no route.",
	    "同じく、存在しない、または経路のない宛先の数。"),
	SETTING(mail_settings, sender_usual_times, COUNT, 20, 0, 10000,
	    "The same: so many times the recipients of the address's usual"
	    " hours, once eight of these are known, and never below 100.",
	    "同じく、そのアドレスのふだんの一時間の宛先の何倍までか。送信のあっ"
	    "た八時間分を知ってから用い、100 を下回りません。"),
	SETTING(mail_settings, bulk_senders, TEXTS, 0, 0, 10000,
	    "Sender addresses that these limits do not hold: news letters, what"
	    " machines send.",
	    "この制限で保留しない送信者アドレス（メールマガジン、システムからの"
	    "通知など）。"),
	SETTING_SECONDS_ROW(mail_settings, greeting_delay, 0, 0, 30,
	    "How long the greeting waits for clients that talk before it, who"
	    " are refused.",
	    "挨拶を遅らせる時間。その前に話し出す接続元は拒否します。"),
	SETTING_SECONDS_ROW(mail_settings, command_timeout, 300, 1, HOUR,
	    "Longest wait for a command; RFC 5321 wants 5 minutes.",
	    "コマンドを待つ時間の上限。RFC 5321 は 5 分を求めます。"),
	SETTING_SECONDS_ROW(mail_settings, data_timeout, 180, 1, HOUR,
	    "Longest wait for 4 KiB more of a mail's content; RFC 5321 wants 3"
	    " minutes.",
	    "本文の続き 4 KiB を待つ時間の上限。RFC 5321 は 3 分を求めます。"),
	SETTING_SECONDS_ROW(mail_settings, session_max, HOUR, 60, DAY,
	    "Longest life of a session; then it ends (421) after the mail that"
	    " is under way.",
	    "セッションの最長時間。送信中のメールの後に終えます（421）。"),
	SETTING_SECONDS_ROW(mail_settings, cut_through_max, 5, 0, 60,
	    "How long a sender waits for the next hop's own answer, before the"
	    " mail is acknowledged from the spool. 0: it always is.",
	    "送信側を待たせて次の中継先の返答を伝える時間の上限。過ぎればスプー"
	    "ルに入れて受け付けます。0 なら常にスプールに入れます。"),
	SETTING_SECONDS_ROW(mail_settings, connect_timeout, 30, 1, 300,
	    "Longest wait for a connection to a next hop.",
	    "次の中継先への接続を待つ時間の上限。"),
	SETTING_SECONDS_ROW(mail_settings, reply_timeout, 120, 1, HOUR,
	    "Longest wait for a next hop's answer.",
	    "次の中継先の返答を待つ時間の上限。"),
	SETTING_SECONDS_ROW(mail_settings, recipient_ok_ttl, HOUR, 0, DAY,
	    "How long it is remembered that a next hop takes a recipient.",
	    "次の中継先が宛先を受け付けることを覚えておく時間。"),
	SETTING_SECONDS_ROW(mail_settings, recipient_bad_ttl, 60, 0, DAY,
	    "How long it is remembered that a next hop refuses a recipient.",
	    "次の中継先が宛先を拒むことを覚えておく時間。"),
	SETTING(mail_settings, mta_sts, FLAG, true, 0, 1,
	    "For next hops by MX with opportunistic TLS: what a domain's "
	    "MTA-STS"
	    " policy asks for is done (RFC 8461).",
	    "MX による中継先（tls が opportunistic）で、宛先ドメインの MTA-STS "
	    "ポリシーに従う（RFC 8461）。"),
	SETTING(mail_settings, dane, FLAG, false, 0, 1,
	    "The same for TLSA records (DANE, RFC 7672). Only where the name"
	    " servers validate DNSSEC and the way to them can be trusted, such"
	    " as a resolver on this machine.",
	    "同じく TLSA レコード（DANE、RFC 7672）に従う。ネームサーバーが "
	    "DNSSEC を検証し、そこまでの経路を信頼できるとき（同じ計算機の"
	    "リゾルバーなど）だけ有効にします。"),
	SETTING(mail_settings, connections_per_hop, COUNT, 20, 1, 1000,
	    "Connections of one mail process to one next hop at once.",
	    "一つのメールプロセスから一つの中継先への同時接続の上限。"),
	SETTING_SECONDS_ROW(mail_settings, retry_min, 60, 1, DAY,
	    "Wait before a mail is tried again; it doubles with each try.",
	    "再び配送を試みるまでの時間。試みるたびに倍になります。"),
	SETTING_SECONDS_ROW(mail_settings, retry_max, 4 * HOUR, 1, DAY,
	    "Longest wait before a mail is tried again.",
	    "再び配送を試みるまでの時間の上限。"),
	SETTING_SECONDS_ROW(mail_settings, expire, 5 * DAY, 1, 30 * DAY,
	    "How long delivery is tried; then the mail has failed.",
	    "配送を試み続ける時間。過ぎれば失敗とします。"),
	SETTING_SECONDS_ROW(mail_settings, password_life, 7 * DAY, 1, 90 * DAY,
	    "How long a mail waits for its password; then a person decides.",
	    "パスワードの入力を待つ時間。過ぎれば管理者の判断を待ちます。"),
	SETTING_SECONDS_ROW(mail_settings, password_wait, 1800, 0, DAY,
	    "How long before or behind a mail another one of its sender may"
	    " bring its password. 0: none is looked for.",
	    "同じ送信者の別のメールからパスワードを探す時間（前後とも）。0 なら"
	    "探しません。"),
	SETTING(mail_settings, password_tries, COUNT, 5, 1, 100,
	    "Wrong passwords for one mail of one recipient; then a person"
	    " decides.",
	    "一人の宛先の一通について許すパスワードの誤りの数。超えれば管理者の"
	    "判断を待ちます。"),
	SETTING_SECONDS_ROW(mail_settings, delay_notice, 4 * HOUR, 0, 30 * DAY,
	    "After which time a sender is told that a mail waits. 0: never.",
	    "配送の遅れを送信者に知らせるまでの時間。0 なら知らせません。"),
	SETTING(mail_settings, first_contact_days, COUNT, 90, 0, 400,
	    "A sender from outside who did not write to a body for so many days"
	    " is new to it, which is a reason of suspicion. 0: it is not"
	    " noted who writes.",
	    "構成団体にこの日数の間メールを送っていない外の差出人は、初めてと"
	    "みなす（疑わしさの理由の一つ）。0 なら記録しない。"),
	SETTING(mail_settings, banner_score, COUNT, 40, 0, 1000,
	    "From how many points of suspicion on a mail from outside shows a"
	    " warning (docs/MAIL.md). 0: never.",
	    "外からのメールに警告を表示する、疑わしさの点数（docs/"
	    "MAIL.ja.md）。"
	    "0 なら表示しない。"),
	SETTING_TEXT_ROW(mail_settings, bare, "refuse", 1, 16,
	    "A CR or LF that stands alone in a mail: \"refuse\" it, or"
	    " \"normalise\" it to CRLF before any judgement.",
	    "本文中に単独で現れる CR または LF。\"refuse\" は拒否し、"
	    "\"normalise\" はどの判定よりも先に CRLF に直します。"),
};
const size_t mail_table_n = COUNT(mail_table);

const struct setting mail_listener_table[] = {
	SETTING_TEXT_ROW(mail_listener_settings, address, NULL, 3, 64,
	    "Address and port to listen on: \"192.0.2.1:25\","
	    " \"[2001:db8::1]:25\".",
	    "待ち受けるアドレスとポート。"),
	SETTING_TEXT_ROW(mail_listener_settings, tls, "starttls", 1, 16,
	    "\"starttls\": TLS is offered when there is a certificate;"
	    " \"implicit\": TLS at once (port 465); \"no\": none is offered.",
	    "\"starttls\" は証明書があれば TLS を示し、\"implicit\" は初めから "
	    "TLS（465 番）、\"no\" は TLS を示しません。"),
	SETTING(mail_listener_settings, proxy_protocol_from, TEXTS, 0, 0,
	    TRUSTED_MAX,
	    "Prefixes whose connections must begin with a PROXY header"
	    " (version 1 or 2); from others such a header is refused.",
	    "PROXY ヘッダー（版1・版2）を必須とする接続元。他からの"
	    "ヘッダーは拒否する。"),
	SETTING(mail_listener_settings, xclient_from, TEXTS, 0, 0, TRUSTED_MAX,
	    "Prefixes of mail servers that may name the client with XCLIENT.",
	    "XCLIENT で接続元を名乗ってよいメールサーバーの接続元。"),
	SETTING(mail_listener_settings, backlog, COUNT, 1024, 1, 65535,
	    "Connections that may wait to be accepted, for each mail process.",
	    "受け付け待ちの接続数（メールプロセスごと）。"),
};
const size_t mail_listener_table_n = COUNT(mail_listener_table);

static int
load_kind(const config_setting_t *group, struct mail_listener_settings *l,
    struct err *e)
{
	static const char *const names[] = {
		[MAIL_LISTENER_STARTTLS] = "starttls",
		[MAIL_LISTENER_IMPLICIT] = "implicit",
		[MAIL_LISTENER_PLAIN] = "no",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(l->tls, names[i]) == 0) {
			l->kind = (enum mail_listener_tls)i;
			return 0;
		}
	return setting_error(group, e,
	    "tls is \"%s\", expected \"starttls\", \"implicit\" or \"no\"",
	    l->tls);
}

static int
load_listener(const config_setting_t *group, const struct mail_settings *s,
    struct arena *a, struct mail_listener_settings *l, struct err *e)
{
	if (setting_load(
		mail_listener_table, mail_listener_table_n, group, l, a, e) < 0)
		return -1;
	l->file = arena_string(a, bytes_of(setting_source(group)));
	l->line = config_setting_source_line(group);
	if (address_parse_port(&l->at, bytes_of(l->address)) < 0 ||
	    l->at.port == 0)
		return setting_error(group, e,
		    "\"%s\" is no address with a port, expected one such as"
		    " \"192.0.2.1:25\"",
		    l->address);
	if (listener_prefixes(&l->proxy_protocol_from, a, &l->proxy_protocol,
		&l->proxy_protocol_n, e) < 0 ||
	    listener_prefixes(
		&l->xclient_from, a, &l->xclient, &l->xclient_n, e) < 0 ||
	    load_kind(group, l, e) < 0)
		return -1;
	if (l->kind == MAIL_LISTENER_IMPLICIT && s->certificate[0] == '\0')
		return setting_error(group, e,
		    "tls is \"implicit\" and mail.certificate is missing,"
		    " expected its file");
	return 0;
}

static int
load_listeners(const config_setting_t *group, struct arena *a,
    struct mail_settings *s, struct err *e)
{
	const config_setting_t *list = setting_list(group, "listeners", e);
	int n = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL)
		return e->text[0] == '\0' ? 0 : -1;
	if (n > LISTENERS_MAX)
		return setting_error(list, e,
		    "%d listeners, expected at most %d", n, LISTENERS_MAX);
	if (n > 0 && s->routes[0] == '\0')
		return setting_error(list, e,
		    "listeners without mail.routes, expected the file that says"
		    " where mail goes");
	s->listeners = ARENA_ARRAY(a, struct mail_listener_settings, (size_t)n);
	for (int i = 0; i < n; i++) {
		const config_setting_t *one =
		    config_setting_get_elem(list, (unsigned)i);

		if (load_listener(one, s, a, &s->listeners[i], e) < 0)
			return -1;
		for (int k = 0; k < i; k++)
			if (address_equal(
				&s->listeners[i].at, &s->listeners[k].at))
				return setting_error(one, e,
				    "%s is listened on twice",
				    s->listeners[i].address);
	}
	s->listeners_n = (size_t)n;
	return 0;
}

/* Where a key stands, for messages. */
static const config_setting_t *
at(const config_setting_t *group, const char *key)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	return s == NULL ? group : s;
}

static int
check_order(
    const config_setting_t *group, const struct mail_settings *s, struct err *e)
{
	const struct {
		const char *low, *high;
		uint64_t least, most;
	} pairs[] = {
		{ "retry_min", "retry_max", s->retry_min_ms, s->retry_max_ms },
		{ "retry_max", "expire", s->retry_max_ms, s->expire_ms },
		{ "delay_notice", "expire", s->delay_notice_ms, s->expire_ms },
		{ "size_max", "spool_max", s->size_max, s->spool_max },
		/* One client's share; a larger mail is never taken. */
		{ "size_max", "memory_max / 4", s->size_max,
		    s->memory_max / BUDGET_SHARE },
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		if (pairs[i].least > pairs[i].most)
			return setting_error(at(group, pairs[i].high), e,
			    "%s is above %s, expected at most as much",
			    pairs[i].low, pairs[i].high);
	return 0;
}

static int
check(const config_setting_t *group, struct arena *a, struct mail_settings *s,
    struct err *e)
{
	bool certificate = s->certificate[0] != '\0';
	struct bytes name;
	const char *why;

	if (certificate != (s->key[0] != '\0'))
		return setting_error(
		    at(group, certificate ? "certificate" : "key"), e,
		    "%s is missing, expected certificate and key together",
		    certificate ? "key" : "certificate");
	if (s->name[0] != '\0') {
		if (mail_domain_parse(
			&name, bytes_of(s->name), MAIL_ASCII, a, &why) < 0)
			return setting_error(at(group, "name"), e,
			    "name is \"%s\": %s, expected one such as"
			    " mail.pref.test",
			    s->name, why);
		s->name = arena_string(a, name);
	}
	s->normalise = strcmp(s->bare, "normalise") == 0;
	if (!s->normalise && strcmp(s->bare, "refuse") != 0)
		return setting_error(at(group, "bare"), e,
		    "bare is \"%s\", expected \"refuse\" or \"normalise\"",
		    s->bare);
	return check_order(group, s, e);
}

int
mail_settings_load(const config_setting_t *root, struct arena *a,
    struct mail_settings *out, struct err *e)
{
	const config_setting_t *group = config_setting_get_member(root, "mail");

	*out = (struct mail_settings){ 0 };
	if (setting_load(mail_table, mail_table_n, group, out, a, e) < 0 ||
	    rspamd_settings_load(group == NULL
		    ? NULL
		    : config_setting_get_member(group, "rspamd"),
		a, &out->rspamd, e) < 0)
		return -1;
	if (group == NULL)
		return 0;
	return check(group, a, out, e) < 0 ||
		load_listeners(group, a, out, e) < 0
	    ? -1
	    : 0;
}
