/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proxy/store/store.h"

#define GIB ((double)((uint64_t)1 << 30))

const struct setting store_table[] = {
	SETTING_TEXT_ROW(store_settings, folder, "/var/lib/sekisho/store", 1,
	    4096, "The folder of the originals of mails, encrypted.",
	    "暗号化したメール原本のフォルダー。"),
	SETTING_TEXT_ROW(store_settings, key_file, "store.key", 1, 4096,
	    "File of the key that opens them: 32 random bytes, for root alone."
	    " Without it they are lost; made at the first start when it is"
	    " not there.",
	    "原本を開く鍵のファイル（乱数 32 バイト、root "
	    "だけが読める）。失うと"
	    "原本は読めません。なければ最初の起動時に作ります。"),
	SETTING_TEXT_ROW(store_settings, keep, "changed", 1, 16,
	    "Of which mails the original is kept: \"changed\": something that a"
	    " reader may miss was left out, or the mail was refused; \"all\":"
	    " of all that are rebuilt; \"none\".",
	    "原本を残すメール。\"changed\" は読む人に必要かもしれないものを除い"
	    "たか拒否したもの、\"all\" は無害化したすべて、\"none\" は残しませ"
	    "ん。"),
	SETTING_TEXT_ROW(store_settings, approval, "second person", 1, 16,
	    "Who may release one: \"second person\": another one than who asked"
	    " must approve; \"none\": who asks.",
	    "放出の承認。\"second person\" は申請者と別の人の承認を必須とし、"
	    "\"none\" は申請者だけで放出します。"),
	SETTING(store_settings, keep_days, COUNT, 30, 1, 3650,
	    "Days that an original is kept.", "原本を残す日数。"),
	SETTING(store_settings, bytes_max, SIZE, 20 * GIB, (double)(1 << 20),
	    16384 * GIB,
	    "Most bytes of all originals. The store gives up none before its"
	    " time; what has no room is not kept.",
	    "原本の合計の上限。期限前のものは消さず、入らないものは残しません"
	    "。"),
	SETTING(store_settings, required, FLAG, true, 0, 1,
	    "Whether a mail waits until its original is kept, and is tried"
	    " again later when that cannot be; else it goes on at once and the"
	    " journal says what is lost.",
	    "原本を残すまでメールを待たせるか（残せなければ後で再び試みる）。"
	    "いいえなら待たずに配送し、残せなかったことをログに書きます。"),
};
const size_t store_table_n = COUNT(store_table);

int
store_keep_parse(const char *word, enum store_keep *out)
{
	static const char *const words[] = {
		[STORE_CHANGED] = "changed",
		[STORE_ALL] = "all",
		[STORE_NONE] = "none",
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], word) == 0) {
			*out = (enum store_keep)i;
			return 0;
		}
	return -1;
}

int
store_settings_load(const config_setting_t *root, struct arena *a,
    struct store_settings *out, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "store");

	if (setting_load(store_table, store_table_n, group, out, a, e) < 0)
		return -1;
	if (store_keep_parse(out->keep, &out->keeps) < 0)
		return setting_error(group, e,
		    "keep is \"%s\", expected \"changed\", \"all\" or \"none\"",
		    out->keep);
	out->approves = STORE_SECOND_PERSON;
	if (strcmp(out->approval, "none") == 0)
		out->approves = STORE_NO_APPROVAL;
	else if (strcmp(out->approval, "second person") != 0)
		return setting_error(group, e,
		    "approval is \"%s\", expected \"second person\" or"
		    " \"none\"",
		    out->approval);
	return 0;
}

struct store_limits
store_limits_of(const struct store_settings *s)
{
	return (struct store_limits){
		.keep_s = (uint64_t)s->keep_days * 86400,
		.bytes_max = s->bytes_max,
		.approves = s->approves,
	};
}
