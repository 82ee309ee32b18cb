/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/profiles.h"

#include <openssl/evp.h>

struct row {
	const char *name;
	const char *links;
	bool metadata, to_text, strict, must_agree;
	size_t in_max, out_max, unpacked_max;
	uint32_t ratio_max, entries_max, depth_max, megapixels_max, frames_max;
	const char *mail_html, *mail_left_out;
	bool mail_notice;
	uint32_t mail_parts_max, mail_fields_max;
	struct texts refuse, hold, scan;
};

struct scanner_row {
	const char *name;
	const char *kind;
	const char *address;
	const char *service;
	uint64_t timeout_ms;
};

struct pass_row {
	const char *type;
	const char *reason;
};

#define MIB (1 << 20)
#define TYPES_MAX 64

const struct setting detox_profile_table[] = {
	SETTING_TEXT_ROW(row, name, NULL, 1, 64,
	    "The profile's name; rules and commands use it.",
	    "プロファイルの名前。規則とコマンドで使います。"),
	SETTING_TEXT_ROW(row, links, "web", 3, 4,
	    "Links in documents: `web` keeps http, https and mailto; `none`"
	    " keeps the text alone.",
	    "文書中のリンク。`web` は http、https、mailto を残し、`none` "
	    "は文字だけを"
	    "残します。"),
	SETTING(row, metadata, FLAG, 0, 0, 1, "Keep titles, authors and dates.",
	    "題名、作成者、日時を残します。"),
	SETTING(row, to_text, FLAG, 0, 0, 1,
	    "Of what has text, keep nothing else.",
	    "文字のある文書は文字だけを残します。"),
	SETTING(row, strict, FLAG, 0, 0, 1,
	    "Rebuild or drop also what is only rarely an attack: fonts and"
	    " pictures inside documents, how a PNG is packed.",
	    "攻撃に使われることがまれなもの（文書内のフォントや画像、PNG "
	    "の圧縮）も作り直すか除きます。"),
	SETTING(row, must_agree, FLAG, 0, 0, 1,
	    "Refuse what content and name, or content and declared type,"
	    " disagree on.",
	    "中身と名前、または中身と宣言された種類が合わないものを拒否します"
	    "。"),
	SETTING(row, in_max, SIZE, 100 * MIB, 1024, 2147483647,
	    "Most bytes of an object.", "ファイルの大きさの上限。"),
	SETTING(row, out_max, SIZE, 200 * MIB, 1024, 2147483647,
	    "Most bytes that may come out.", "無害化後の大きさの上限。"),
	SETTING(row, unpacked_max, SIZE, 1024 * MIB, 1024, 4294967296,
	    "Most bytes that all of a container's entries have together,"
	    " unpacked, at every depth.",
	    "圧縮ファイルなどの中身をすべて展開した合計の上限（入れ子も含みます"
	    "）。"),
	SETTING(row, ratio_max, COUNT, 500, 2, 100000,
	    "How many times its packed size an entry over 4 MiB may have.",
	    "4 MiB を超える項目の展開後の倍率の上限。"),
	SETTING(row, entries_max, COUNT, 10000, 1, 1000000,
	    "Most entries of all containers of an object.",
	    "項目の数の上限（入れ子も含みます）。"),
	SETTING(row, depth_max, COUNT, 4, 1, 16,
	    "How deep objects may be within each other; 1: only the object.",
	    "入れ子の深さの上限。1 は外側のファイルだけです。"),
	SETTING(row, megapixels_max, COUNT, 100, 1, 10000,
	    "Most millions of pixels of a picture, all frames together.",
	    "画像の画素数の上限（百万画素、全コマの合計）。"),
	SETTING(row, frames_max, COUNT, 1000, 1, 100000,
	    "Most frames or pages of a picture.",
	    "画像のコマ数・ページ数の上限。"),
	SETTING_TEXT_ROW(row, mail_html, "sanitise", 4, 8,
	    "Pages that mails show: `sanitise` rebuilds them, `text` keeps"
	    " their words alone.",
	    "HTML メールの本文。`sanitise` は作り直し、`text` "
	    "は文字だけを残します。"),
	SETTING_TEXT_ROW(row, mail_left_out, "note", 4, 6,
	    "A mail of which a part cannot be rebuilt: `note` puts a text in"
	    " the part's place, `refuse` refuses the mail.",
	    "作り直せない添付ファイルのあるメール。`note` は代わりに説明を入れ"
	    "、`refuse` はメール全体を拒否します。"),
	SETTING(row, mail_notice, FLAG, 1, 0, 1,
	    "Tell in the mail itself what was taken out.",
	    "除いたものをメールの本文で知らせます。"),
	SETTING(row, mail_parts_max, COUNT, 500, 1, 100000,
	    "Most parts of a mail, at every depth.",
	    "メールのパートの数の上限（入れ子も含みます）。"),
	SETTING(row, mail_fields_max, COUNT, 1000, 20, 100000,
	    "Most fields of one header of a mail.",
	    "メールのヘッダー 1 つの項目の数の上限。"),
	{ .key = "refuse",
	    .kind = SETTING_TEXTS,
	    .offset = SETTING_FIELD(row, refuse, struct texts),
	    .max = TYPES_MAX,
	    .words_en = "Types that are refused although they could be"
			" rebuilt.",
	    .words_ja = "無害化できても拒否する種類。" },
	{ .key = "hold",
	    .kind = SETTING_TEXTS,
	    .offset = SETTING_FIELD(row, hold, struct texts),
	    .max = TYPES_MAX,
	    .words_en = "Types that wait for a person to decide.",
	    .words_ja = "人の判断まで保留する種類。" },
	{ .key = "scan",
	    .kind = SETTING_TEXTS,
	    .offset = SETTING_FIELD(row, scan, struct texts),
	    .max = DETOX_SCANNERS_MAX,
	    .words_en =
		"Names of `scanners[]` that judge the original first. One that"
		" does not answer lets nothing pass.",
	    .words_ja =
		"先に元のファイルを調べる `scanners[]` の名前。応答しなければ"
		"何も通しません。" },
	SETTING_NEST_ROW(pass,
	    "Types that pass as they are, each with a reason: keys of"
	    " `profiles[].pass[]`.",
	    "そのまま通す種類とその理由（`profiles[].pass[]` のキー）。"),
};
const size_t detox_profile_table_n = COUNT(detox_profile_table);

const struct setting detox_scanner_table[] = {
	SETTING_TEXT_ROW(scanner_row, name, NULL, 1, 64,
	    "The scanner's name, for profiles and logs.",
	    "検査プログラムの名前（プロファイルとログで使います）。"),
	SETTING_TEXT_ROW(scanner_row, kind, NULL, 1, 16, "`clamd` or `icap`.",
	    "`clamd` または `icap`。"),
	SETTING_TEXT_ROW(scanner_row, address, NULL, 1, 107,
	    "Address and port, or the path of a UNIX socket.",
	    "アドレスとポート、または UNIX ソケットのパス。"),
	SETTING_TEXT_ROW(scanner_row, service, "", 0, 500,
	    "`icap`: the service, such as `icap://127.0.0.1:1344/virus_scan`.",
	    "`icap` のサービス。`icap://127.0.0.1:1344/virus_scan` など。"),
	SETTING_SECONDS_ROW(scanner_row, timeout, 30, 1, 600,
	    "Longest wait for its answer.", "応答を待つ時間の上限。"),
};
const size_t detox_scanner_table_n = COUNT(detox_scanner_table);

const struct setting detox_pass_table[] = {
	SETTING_TEXT_ROW(pass_row, type, NULL, 1, 32, "The type.", "種類。"),
	SETTING_TEXT_ROW(pass_row, reason, NULL, 1, 500,
	    "Why it may pass, for who asks later.",
	    "通してよい理由（後で確認する人のため）。"),
};
const size_t detox_pass_table_n = COUNT(detox_pass_table);

static int
type_of(const char *name, const config_setting_t *where, enum magic_type *out,
    struct err *e)
{
	for (int t = 0; t < MAGIC_TYPES; t++)
		if (strcmp(magic_type_name((enum magic_type)t), name) == 0) {
			*out = (enum magic_type)t;
			return 0;
		}
	return setting_error(where, e,
	    "\"%s\" is no type of files, expected one such as \"pdf\", \"ole2\""
	    " or \"unknown\"",
	    name);
}

static int
treat_types(struct detox_profile *p, const struct texts *types,
    enum detox_treatment treatment, struct err *e)
{
	enum magic_type t = MAGIC_UNKNOWN;

	for (size_t i = 0; i < types->n; i++) {
		if (type_of(types->p[i], types->where, &t, e) < 0)
			return -1;
		p->treatment[t] = treatment;
	}
	return 0;
}

static int
load_passes(struct detox_profile *p, const config_setting_t *group,
    struct arena *a, struct err *e)
{
	const config_setting_t *list = setting_list(group, "pass", e);
	struct pass_row row;
	enum magic_type t = MAGIC_UNKNOWN;

	if (list == NULL)
		return e->text[0] == '\0' ? 0 : -1;
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(list, (unsigned)i);

		if (setting_load(detox_pass_table, detox_pass_table_n, one,
			&row, a, e) < 0 ||
		    type_of(row.type, one, &t, e) < 0)
			return -1;
		if (magic_is_program(t))
			return setting_error(one, e,
			    "\"%s\" is a program, expected a type that nothing"
			    " runs",
			    row.type);
		p->treatment[t] = DETOX_PASS;
	}
	return 0;
}

static int
load_scanner(
    struct detox_profiles *p, const config_setting_t *group, struct err *e)
{
	struct av_scanner *s = &p->scanners[p->scanners_n];
	struct scanner_row row;
	struct err why = { 0 };

	if (setting_load(detox_scanner_table, detox_scanner_table_n, group,
		&row, &p->arena, e) < 0)
		return -1;
	if (strcmp(row.kind, "clamd") != 0 && strcmp(row.kind, "icap") != 0)
		return setting_error(group, e,
		    "kind is \"%s\", expected \"clamd\" or \"icap\"", row.kind);
	*s = (struct av_scanner){ row.name,
		row.kind[0] == 'c' ? AV_CLAMD : AV_ICAP, row.address,
		row.service, row.timeout_ms };
	if (av_check(s, &why) < 0)
		return setting_error(group, e, "%s", why.text);
	p->scanners_n++;
	return 0;
}

static int
load_scanners(
    struct detox_profiles *p, const config_setting_t *root, struct err *e)
{
	const config_setting_t *list = setting_list(root, "scanners", e);

	if (list == NULL)
		return e->text[0] == '\0' ? 0 : -1;
	if (config_setting_length(list) > DETOX_SCANNERS_MAX)
		return setting_error(
		    list, e, "more than %d scanners", DETOX_SCANNERS_MAX);
	for (int i = 0; i < config_setting_length(list); i++)
		if (load_scanner(
			p, config_setting_get_elem(list, (unsigned)i), e) < 0)
			return -1;
	return 0;
}

static int
choose_scanners(const struct detox_profiles *p, const struct texts *names,
    uint32_t *set_out, struct err *e)
{
	*set_out = 0;
	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < p->scanners_n &&
		    strcmp(p->scanners[k].name, names->p[i]) != 0)
			k++;
		if (k == p->scanners_n)
			return setting_error(names->where, e,
			    "\"%s\" is no scanner of this file", names->p[i]);
		*set_out |= UINT32_C(1) << k;
	}
	return 0;
}

static int
load_mail(struct detox_profile *p, const struct row *row,
    const config_setting_t *group, struct err *e)
{
	bool text = strcmp(row->mail_html, "text") == 0;
	bool note = strcmp(row->mail_left_out, "note") == 0;

	if (!text && strcmp(row->mail_html, "sanitise") != 0)
		return setting_error(group, e,
		    "mail_html is \"%s\", expected \"sanitise\" or \"text\"",
		    row->mail_html);
	if (!note && strcmp(row->mail_left_out, "refuse") != 0)
		return setting_error(group, e,
		    "mail_left_out is \"%s\", expected \"note\" or \"refuse\"",
		    row->mail_left_out);
	p->mail_html = text ? DETOX_MAIL_TEXT : DETOX_MAIL_SANITISE;
	p->mail_left_out = note ? DETOX_MAIL_NOTE : DETOX_MAIL_REFUSE;
	p->mail_notice = row->mail_notice;
	p->mail_parts_max = row->mail_parts_max;
	p->mail_fields_max = row->mail_fields_max;
	return 0;
}

static int
load_profile(
    struct detox_profiles *all, const config_setting_t *group, struct err *e)
{
	struct detox_profile *p = &all->all[all->n];
	struct arena *a = &all->arena;
	struct row row;

	if (setting_load(detox_profile_table, detox_profile_table_n, group,
		&row, a, e) < 0)
		return -1;
	detox_profile_init(p);
	p->name = row.name;
	if (strcmp(row.links, "web") != 0 && strcmp(row.links, "none") != 0)
		return setting_error(group, e,
		    "links is \"%s\", expected \"web\" or \"none\"", row.links);
	p->links =
	    strcmp(row.links, "web") == 0 ? DETOX_LINKS_WEB : DETOX_LINKS_NONE;
	p->keep_metadata = row.metadata;
	p->to_text = row.to_text;
	p->strict = row.strict;
	p->must_agree = row.must_agree;
	p->in_max = row.in_max;
	p->out_max = row.out_max;
	p->tree_max = row.unpacked_max;
	p->ratio_max = row.ratio_max;
	p->entries_max = row.entries_max;
	p->depth_max = row.depth_max;
	p->pixels_max = (uint64_t)row.megapixels_max * 1000000;
	p->frames_max = row.frames_max;
	if (load_mail(p, &row, group, e) < 0)
		return -1;
	return choose_scanners(all, &row.scan, &all->scan[all->n], e) < 0 ||
		load_passes(p, group, a, e) < 0 ||
		treat_types(p, &row.hold, DETOX_HOLD, e) < 0 ||
		treat_types(p, &row.refuse, DETOX_REFUSE, e) < 0
	    ? -1
	    : 0;
}

static void
digest_profile(const struct detox_profile *p, uint8_t out[DETOX_DIGEST_SIZE])
{
	struct buf text;

	buf_init(&text, 4096);
	must(buf_printf(&text,
		 "%s %s %d %d %d %d %d %llu %llu %llu %u %u %u %llu %u %d %d "
		 "%d %u %u",
		 SEKISHO_VERSION, p->name, p->links, p->keep_metadata,
		 p->to_text, p->strict, p->must_agree,
		 (unsigned long long)p->in_max, (unsigned long long)p->out_max,
		 (unsigned long long)p->tree_max, p->ratio_max, p->entries_max,
		 p->depth_max, (unsigned long long)p->pixels_max, p->frames_max,
		 p->mail_html, p->mail_left_out, p->mail_notice,
		 p->mail_parts_max, p->mail_fields_max) == 0);
	for (int t = 0; t < MAGIC_TYPES; t++)
		must(buf_printf(&text, " %s=%d",
			 magic_type_name((enum magic_type)t),
			 p->treatment[t]) == 0);
	must(EVP_Digest(text.p, text.n, out, NULL, EVP_sha256(), NULL) == 1);
	buf_release(&text);
}

/* Without a file: what the shipped one says too. */
static void
load_built_in(struct detox_profiles *p)
{
	for (p->n = 0; p->n < 3; p->n++)
		detox_profile_init(&p->all[p->n]);
	p->all[1].name = "strict";
	p->all[1].links = DETOX_LINKS_NONE;
	p->all[1].strict = true;
	p->all[1].must_agree = true;
	p->all[1].mail_html = DETOX_MAIL_TEXT;
	p->all[2].name = "text";
	p->all[2].links = DETOX_LINKS_NONE;
	p->all[2].to_text = true;
	p->all[2].must_agree = true;
	p->all[2].mail_html = DETOX_MAIL_TEXT;
}

static int
load_exceptions(struct detox_profiles *p, const config_setting_t *root,
    const char *path, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "exceptions");
	const char *slash = strrchr(path, '/');

	if (group == NULL)
		return 0;
	return detox_exceptions_load(&p->exceptions, group,
	    slash == NULL
		? "."
		: arena_printf(&p->arena, "%.*s", (int)(slash - path), path),
	    &p->arena, e);
}

static int
load_list(struct detox_profiles *p, const config_t *config, const char *path,
    struct err *e)
{
	const config_setting_t *root = config_root_setting(config);
	const config_setting_t *list = setting_list(root, "profiles", e);

	if (list == NULL)
		return e->text[0] != '\0'
		    ? -1
		    : setting_error(
			  root, e, "no profiles, expected a list of them");
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(root, (unsigned)i);

		if (strcmp(config_setting_name(one), "profiles") != 0 &&
		    strcmp(config_setting_name(one), "exceptions") != 0 &&
		    strcmp(config_setting_name(one), "scanners") != 0)
			return setting_error(one, e,
			    "\"%s\" is unknown, expected profiles,"
			    " scanners or exceptions",
			    config_setting_name(one));
	}
	if (load_scanners(p, root, e) < 0 ||
	    load_exceptions(p, root, path, e) < 0)
		return -1;
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(list, (unsigned)i);

		if (p->n == DETOX_PROFILES_MAX)
			return setting_error(one, e, "more than %d profiles",
			    DETOX_PROFILES_MAX);
		if (load_profile(p, one, e) < 0)
			return -1;
		if (detox_profiles_find(p, p->all[p->n].name) >= 0)
			return setting_error(one, e,
			    "profile \"%s\" is there twice", p->all[p->n].name);
		p->n++;
	}
	return 0;
}

int
detox_profiles_load(struct detox_profiles *p, const char *path, struct err *e)
{
	config_t config;
	int result = 0;

	memset(p, 0, sizeof(*p));
	arena_init(&p->arena);
	e->text[0] = '\0';
	if (path == NULL) {
		load_built_in(p);
	} else {
		result = setting_read(path, &config, e);
		if (result == 0)
			result = load_list(p, &config, path, e);
		config_destroy(&config);
	}
	for (size_t i = 0; i < p->n; i++)
		digest_profile(&p->all[i], p->digests[i]);
	return result;
}

void
detox_profiles_release(struct detox_profiles *p)
{
	arena_release(&p->arena);
}

ssize_t
detox_profiles_find(const struct detox_profiles *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->all[i].name, name) == 0)
			return (ssize_t)i;
	return -1;
}
