/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/smtp/rspamd.h"

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

const struct setting rspamd_table[] = {
	SETTING_TEXT_ROW(rspamd_settings, address, "", 0, 64,
	    "Address and port of an rspamd worker (\"127.0.0.1:11333\"). Empty:"
	    " it is not asked.",
	    "rspamd ワーカーのアドレスとポート（\"127.0.0.1:11333\"）。空なら尋"
	    "ねません。"),
	SETTING_SECONDS_ROW(rspamd_settings, timeout, 10, 0.1, 300,
	    "Longest wait for its answer. rspamd itself takes 8 seconds at most"
	    " (task_timeout).",
	    "返答を待つ時間の上限。rspamd 自身の上限は 8 秒です"
	    "（task_timeout）。"),
	SETTING(rspamd_settings, size_max, SIZE, 50 * MIB, 1024, GIB,
	    "Most bytes of a mail that is sent to it; rspamd takes 50 MiB"
	    " (max_message).",
	    "rspamd に送るメールの大きさの上限。rspamd 自身の上限は 50 MiB です"
	    "（max_message）。"),
	SETTING(rspamd_settings, connections_max, COUNT, 50, 1, 10000,
	    "Questions of one mail process at once; more wait.",
	    "一つのメールプロセスが同時に尋ねる数。ほかは待ちます。"),
	SETTING(rspamd_settings, bodies, FLAG, false, 0, 1,
	    "Mail that bodies send is asked about too, not only mail from"
	    " outside.",
	    "外部からのメールだけでなく、団体が送るメールについても尋ねる。"),
	SETTING_TEXT_ROW(rspamd_settings, when_down, "defer", 1, 16,
	    "When no answer is had: \"defer\" (451; what the spool has waits),"
	    " \"hold\" (kept for a person), \"accept\" (unjudged).",
	    "返答が得られないとき。\"defer\" は 451（スプールにあれば待つ）、"
	    "\"hold\" は保留して人が判断、\"accept\" は判定せずに通す。"),
	SETTING_TEXT_ROW(rspamd_settings, when_large, "hold", 1, 16,
	    "A mail above size_max: \"hold\", \"refuse\" (554) or \"accept\""
	    " (unjudged).",
	    "size_max を超えるメール。\"hold\"、\"refuse\"（554）または "
	    "\"accept\"（判定せずに通す）。"),
	SETTING_TEXT_ROW(rspamd_settings, reject, "refuse", 1, 16,
	    "Its action `reject`: \"refuse\" (554; what the spool has is held),"
	    " \"hold\", \"mark\" (Sekisho-Spam: yes).",
	    "rspamd の `reject`。\"refuse\" は 554（スプールにあれば保留）、"
	    "\"hold\" は保留、\"mark\" は Sekisho-Spam: yes を付けて通す。"),
	SETTING_TEXT_ROW(rspamd_settings, add_header, "mark", 1, 16,
	    "Its actions `add header` and `rewrite subject`: \"mark\", \"hold\""
	    " or \"accept\".",
	    "rspamd の `add header` と `rewrite subject`。\"mark\"、\"hold\" ま"
	    "たは \"accept\"。"),
	SETTING(rspamd_settings, mark_all, FLAG, false, 0, 1,
	    "What is no spam gets Sekisho-Spam: no.",
	    "迷惑メールでないものに Sekisho-Spam: no を付ける。"),
};
const size_t rspamd_table_n = COUNT(rspamd_table);

static const char *const policy_names[] = {
	[RSPAMD_DEFER] = "defer",
	[RSPAMD_REFUSE] = "refuse",
	[RSPAMD_HOLD] = "hold",
	[RSPAMD_MARK] = "mark",
	[RSPAMD_ACCEPT] = "accept",
};

#define SET(policy) (1u << (policy))

static int
take_policy(const config_setting_t *group, const char *key, const char *value,
    unsigned may, enum rspamd_policy *out, struct err *e)
{
	const config_setting_t *where =
	    group == NULL ? NULL : config_setting_get_member(group, key);
	char names[64];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(policy_names); i++) {
		if ((may & SET(i)) == 0)
			continue;
		if (strcmp(value, policy_names[i]) == 0) {
			*out = (enum rspamd_policy)i;
			return 0;
		}
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s\"%s\"",
		    n == 0 ? "" : ", ", policy_names[i]);
	}
	return setting_error(
	    where, e, "%s is \"%s\", expected one of %s", key, value, names);
}

int
rspamd_settings_load(const config_setting_t *group, struct arena *a,
    struct rspamd_settings *out, struct err *e)
{
	struct rspamd_settings *s = out;

	*s = (struct rspamd_settings){ 0 };
	if (setting_load(rspamd_table, rspamd_table_n, group, s, a, e) < 0)
		return -1;
	/* The mail process has an empty root and no UNIX sockets. */
	if (s->address[0] != '\0' &&
	    (address_parse_port(&s->at, bytes_of(s->address)) < 0 ||
		s->at.port == 0))
		return setting_error(
		    config_setting_get_member(group, "address"), e,
		    "\"%s\" is no address with a port, expected one such as"
		    " \"127.0.0.1:11333\"",
		    s->address);
	return take_policy(group, "when_down", s->when_down,
		   SET(RSPAMD_DEFER) | SET(RSPAMD_HOLD) | SET(RSPAMD_ACCEPT),
		   &s->down, e) < 0 ||
		take_policy(group, "when_large", s->when_large,
		    SET(RSPAMD_REFUSE) | SET(RSPAMD_HOLD) | SET(RSPAMD_ACCEPT),
		    &s->large, e) < 0 ||
		take_policy(group, "reject", s->reject,
		    SET(RSPAMD_REFUSE) | SET(RSPAMD_HOLD) | SET(RSPAMD_MARK),
		    &s->rejected, e) < 0 ||
		take_policy(group, "add_header", s->add_header,
		    SET(RSPAMD_HOLD) | SET(RSPAMD_MARK) | SET(RSPAMD_ACCEPT),
		    &s->marked, e) < 0
	    ? -1
	    : 0;
}
