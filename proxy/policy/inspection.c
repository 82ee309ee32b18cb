/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/inspection.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 1024
#define KEYWORDS_MAX 128

/* What any of them says; a table has what its kind asks for. */
struct inspection_entry {
	const char *name, *reason_ja, *reason_en, *owner, *clause;
	uint64_t lasts_ms;
	const char *verdict, *file;
	struct texts block, warn, log, keywords;
	uint32_t confidence, density, context, threshold;
	size_t hold;
	struct texts refused, media_types;
	bool must_agree;
	size_t larger_than;
	const char *profile;
	struct texts types;
	bool downloads, uploads;
};

#define NAME_ROW                                               \
	SETTING_TEXT_ROW(inspection_entry, name, NULL, 1, 64,  \
	    "Its name, which rules have in inspect, and pages" \
	    " and log lines show.",                            \
	    "名前。規則の inspect に書く。画面とログに出る。")
#define WORDS_ROWS                                                            \
	SETTING_TEXT_ROW(inspection_entry, reason_ja, NULL, 1, 1024,          \
	    "Why, in Japanese, for the page.", "画面に出す理由（日本語）。"), \
	    SETTING_TEXT_ROW(inspection_entry, reason_en, "", 0, 1024,        \
		"Why, in English.", "理由（英語）。"),                        \
	    SETTING_TEXT_ROW(inspection_entry, owner, "", 0, 128,             \
		"Who answers for it.", "責任者。"),                           \
	    SETTING_TEXT_ROW(inspection_entry, clause, "", 0, 128,            \
		"The clause of a guideline that asks for it.",                \
		"根拠となるガイドラインの条項。"),                            \
	    SETTING_SECONDS_ROW(inspection_entry, lasts, 3600, 60, 86400,     \
		"How long a user who was warned and has said why may go"      \
		" on.",                                                       \
		"警告を受けて理由を入力した利用者が続けて使える時間。")
#define VERDICT_ROW                                                           \
	SETTING_TEXT_ROW(inspection_entry, verdict, "block", 1, 16,           \
	    "\"block\", \"warn\" or \"log\".",                                \
	    "\"block\"（遮断）、\"warn\"（警告）、\"log\"（記録" \
	    "のみ）。")

const struct setting dlp_table[] = {
	NAME_ROW,
	SETTING(inspection_entry, block, TEXTS, 0, 1, DLP_POLICY_KINDS,
	    "How many distinct ones of a kind are blocked: \"individual 1\"."
	    " Kinds: individual, pension, card, account, licence, corporate,"
	    " resident, keyword. Without block, warn and log: those of"
	    " docs/DLP.md.",
	    "種類ごとに、異なるものがいくつで遮断するか（\"individual 1\"）。"
	    "種類: individual（個人番号）、pension（基礎年金番号）、card、"
	    "account（口座）、licence（運転免許証）、corporate（法人番号）、"
	    "resident（住民の記録）、keyword。block・warn・log のどれも"
	    "なければ docs/DLP.ja.md の値。"),
	SETTING(inspection_entry, warn, TEXTS, 0, 1, DLP_POLICY_KINDS,
	    "The same, for a warning.", "同じく、警告する数。"),
	SETTING(inspection_entry, log, TEXTS, 0, 1, DLP_POLICY_KINDS,
	    "The same, for a line in the journal.", "同じく、ログに書く数。"),
	SETTING(inspection_entry, keywords, TEXTS, 0, 1, KEYWORDS_MAX,
	    "Words that make the kind keyword.", "keyword とする語。"),
	SETTING(inspection_entry, confidence, COUNT, 70, 1, 100,
	    "From which confidence a number counts.",
	    "この確からしさから数える。"),
	SETTING(inspection_entry, density, COUNT, 5, 2, 1000,
	    "So many valid numbers count without a word near them.",
	    "正しい番号がこの数だけあれば、語がなくても数える。"),
	SETTING(inspection_entry, context, COUNT, 24, 0, 60,
	    "Bytes on either side of a number that the journal gets, with"
	    " every digit as a dot; 0: none.",
	    "番号の前後をログに残すバイト数。数字は伏せる。0 は残さない。"),
	SETTING(inspection_entry, hold, SIZE, 8388608, 0, 67108864,
	    "Bytes of a body that are kept back until they are judged. Of a"
	    " longer one the rest is judged while it leaves, and cut.",
	    "判定が済むまで留める大きさ。超えた分は送りながら判定し、"
	    "見つかれば切る。"),
	WORDS_ROWS,
};
const size_t dlp_table_n = COUNT(dlp_table);

const struct setting phrases_table[] = {
	NAME_ROW,
	SETTING_TEXT_ROW(inspection_entry, file, NULL, 1, 4096,
	    "The set, as `sekishoctl sets compile` made it.",
	    "`sekishoctl sets compile` で作った語句集。"),
	SETTING(inspection_entry, threshold, COUNT, 100, 1, 1000000000,
	    "The sum of the weights of what is found from which on the text"
	    " is meant.",
	    "見つかった語句の重みの合計がこの値になれば該当とする。"),
	VERDICT_ROW,
	SETTING(inspection_entry, hold, SIZE, 65536, 0, 16777216,
	    "Bytes of a text that are kept back until they are judged. A"
	    " longer one begins to leave, and is cut.",
	    "判定が済むまで留める大きさ。より長い文章は送り始め、該当すれば"
	    "切る。"),
	WORDS_ROWS,
};
const size_t phrases_table_n = COUNT(phrases_table);

const struct setting types_table[] = {
	NAME_ROW,
	SETTING(inspection_entry, refused, TEXTS, 0, 1, MAGIC_TYPES,
	    "Types by what the first bytes say (docs/FILTERS.md, section 5):"
	    " \"pe\", \"shortcut\"; \"programs\" is all that run.",
	    "先頭のバイトから判る型（docs/FILTERS.ja.md 5節）。\"pe\"、"
	    "\"shortcut\" など。\"programs\" は実行されるものすべて。"),
	SETTING(inspection_entry, media_types, TEXTS, 0, 1, VALUES_MAX,
	    "Types as declared: \"application/x-msdownload\"; \"video/\" is"
	    " all of them.",
	    "宣言された型。\"application/x-msdownload\" など。\"video/\" は"
	    "その全部。"),
	SETTING(inspection_entry, larger_than, SIZE, 0, 0, 1e15,
	    "Bytes of a body, without its coding; a larger one is meant too."
	    " 0: none is.",
	    "本文（復号後）の大きさがこれを超えるものも該当とする。0 は問わな"
	    "い。"),
	SETTING(inspection_entry, must_agree, FLAG, false, 0, 1,
	    "Whether a file must be what its name and its declared type say.",
	    "中身が名前・宣言された型と一致しなければならないか。"),
	VERDICT_ROW,
	WORDS_ROWS,
};
const size_t types_table_n = COUNT(types_table);

const struct setting detox_inspection_table[] = {
	NAME_ROW,
	SETTING_TEXT_ROW(inspection_entry, profile, "standard", 1, 64,
	    "The profile of `detox.profiles` that says how.",
	    "方法。`detox.profiles` のプロファイル名。"),
	SETTING(inspection_entry, types, TEXTS, 0, 1, MAGIC_TYPES,
	    "Which files: types as in docs/FILTERS.md, section 5, or groups of"
	    " them: \"documents\", \"archives\", \"pictures\", \"texts\","
	    " \"mails\", \"programs\", \"all\". One is meant when its content,"
	    " its name or its declared type says so. Without: documents and"
	    " archives.",
	    "対象のファイル。docs/FILTERS.ja.md 5節の型か、まとめて "
	    "\"documents\""
	    "（文書）、\"archives\"（圧縮）、\"pictures\"（画像）、\"texts\"、"
	    "\"mails\"、\"programs\"、\"all\"。中身・名前・宣言された型の"
	    "どれかが当てはまれば対象。なければ文書と圧縮。"),
	SETTING(inspection_entry, downloads, FLAG, true, 0, 1,
	    "Whether files that come are.", "届くファイルを無害化するか。"),
	SETTING(inspection_entry, uploads, FLAG, true, 0, 1,
	    "Whether files that leave are.", "送るファイルを無害化するか。"),
	WORDS_ROWS,
};
const size_t detox_inspection_table_n = COUNT(detox_inspection_table);

static const char *const finding_names[] = {
	[FINDING_BLOCK] = "block",
	[FINDING_WARN] = "warn",
	[FINDING_LOG] = "log",
	[FINDING_NONE] = "none",
};

const char *
finding_name(enum finding f)
{
	return f < COUNT(finding_names) ? finding_names[f] : "block";
}

/* Filling. */

struct reading {
	struct inspection *to;
	const struct inspection_entry *entry;
	const config_setting_t *group;
	const char *folder;
	struct arena *arena;
};

/* "individual 1" into at[kind].*field. */
static int
read_threshold(const struct texts *t, size_t i, size_t field,
    struct dlp_threshold *at, struct err *e)
{
	struct bytes count = bytes_of(t->p[i]);
	struct bytes name = bytes_take_until(&count, ' ');
	int kind = 0;
	char *end;
	unsigned long n;

	while (kind < DLP_POLICY_KINDS &&
	    !bytes_equal(bytes_of(dlp_kind_name((enum dlp_kind)kind)), name))
		kind++;
	n = count.n == 0 ? 0 : strtoul((const char *)count.p, &end, 10);
	if (kind == DLP_POLICY_KINDS || count.n == 0 || count.p[0] < '0' ||
	    count.p[0] > '9' || *end != '\0' || n < 1 || n > 1000000)
		return setting_error(t->where, e,
		    "\"%s\": expected a kind and a number of at most 1000000"
		    " such as \"individual 1\"",
		    t->p[i]);
	*(uint32_t *)(void *)((uint8_t *)&at[kind] + field) = (uint32_t)n;
	return 0;
}

static int
read_thresholds(
    const struct inspection_entry *entry, struct dlp_settings *s, struct err *e)
{
	const struct {
		const struct texts *texts;
		size_t field;
	} lists[] = {
		{ &entry->block, offsetof(struct dlp_threshold, block_at) },
		{ &entry->warn, offsetof(struct dlp_threshold, warn_at) },
		{ &entry->log, offsetof(struct dlp_threshold, log_at) },
	};
	int all = 0;

	if (entry->block.n + entry->warn.n + entry->log.n == 0)
		return 0;
	memset(s->at, 0, sizeof(s->at));
	for (size_t l = 0; l < COUNT(lists); l++)
		for (size_t i = 0; i < lists[l].texts->n; i++)
			if (err_take(&all,
				read_threshold(lists[l].texts, i,
				    lists[l].field, s->at, e),
				e) < 0)
				return -1;
	return all;
}

static int
read_dlp(const struct reading *r, struct err *e)
{
	const struct inspection_entry *entry = r->entry;
	struct dlp_settings s = dlp_defaults;
	struct err why = { 0 };

	if (read_thresholds(entry, &s, e) < 0)
		return -1;
	s.confidence_min = entry->confidence;
	s.density_min = entry->density;
	s.context_bytes = entry->context;
	s.keywords = entry->keywords.p;
	s.keywords_n = entry->keywords.n;
	r->to->dlp = dlp_rules_new(&s, &why);
	return r->to->dlp == NULL
	    ? setting_error(r->group, e, "keywords: %s", why.text)
	    : 0;
}

static int
read_verdict(const struct reading *r, struct err *e)
{
	for (int f = 0; f < FINDING_NONE; f++)
		if (strcmp(r->entry->verdict, finding_names[f]) == 0) {
			r->to->found = (enum finding)f;
			return 0;
		}
	return setting_error(r->group, e,
	    "verdict is \"%s\", expected block, warn or log",
	    r->entry->verdict);
}

static int
read_phrases(const struct reading *r, struct err *e)
{
	const char *path = r->entry->file[0] == '/'
	    ? r->entry->file
	    : arena_printf(r->arena, "%s/%s", r->folder, r->entry->file);
	struct err why = { 0 };

	if (read_verdict(r, e) < 0)
		return -1;
	r->to->threshold = r->entry->threshold;
	r->to->set = set_map(SET_TEXT, path, SET_CODE_JIT, &why);
	return r->to->set == NULL
	    ? setting_error(r->group, e,
		  "%s, expected a file that `sekishoctl sets compile` made",
		  why.text)
	    : 0;
}

static int
read_type(const struct reading *r, size_t i, struct err *e)
{
	const char *name = r->entry->refused.p[i];
	bool programs = strcmp(name, "programs") == 0;
	uint64_t before = r->to->types;

	for (int t = 0; t < MAGIC_TYPES; t++)
		if (programs ? magic_is_program((enum magic_type)t)
			     : strcmp(name,
				   magic_type_name((enum magic_type)t)) == 0)
			r->to->types |= MAGIC_BIT(t);
	return r->to->types != before || programs
	    ? 0
	    : setting_error(r->entry->refused.where, e,
		  "\"%s\" is no type, or is there twice, expected one such as"
		  " \"pe\", or \"programs\"",
		  name);
}

static int
read_types(const struct reading *r, struct err *e)
{
	const struct inspection_entry *entry = r->entry;
	int all = read_verdict(r, e);

	for (size_t i = 0; i < entry->refused.n; i++)
		if (err_take(&all, read_type(r, i, e), e) < 0)
			return -1;
	if (entry->refused.n + entry->media_types.n == 0 &&
	    !entry->must_agree && entry->larger_than == 0)
		return setting_error(r->group, e,
		    "types \"%s\" asks for nothing, expected refused,"
		    " media_types, must_agree or larger_than",
		    entry->name);
	r->to->larger_than = entry->larger_than;
	r->to->must_agree = entry->must_agree;
	r->to->media_types = entry->media_types;
	return all;
}

/* Names for several types. */
static const struct {
	const char *name;
	uint64_t types;
} groups[] = {
	{ "documents",
	    MAGIC_BIT(MAGIC_PDF) | MAGIC_BIT(MAGIC_POSTSCRIPT) |
		MAGIC_BIT(MAGIC_OOXML) | MAGIC_BIT(MAGIC_ODF) |
		MAGIC_BIT(MAGIC_EPUB) | MAGIC_BIT(MAGIC_OLE2) |
		MAGIC_BIT(MAGIC_BIFF) | MAGIC_BIT(MAGIC_RTF) |
		MAGIC_BIT(MAGIC_ONENOTE) },
	{ "archives",
	    MAGIC_BIT(MAGIC_ZIP) | MAGIC_BIT(MAGIC_7Z) | MAGIC_BIT(MAGIC_RAR) |
		MAGIC_BIT(MAGIC_LZH) | MAGIC_BIT(MAGIC_CAB) |
		MAGIC_BIT(MAGIC_TAR) | MAGIC_BIT(MAGIC_GZIP) |
		MAGIC_BIT(MAGIC_BZIP2) | MAGIC_BIT(MAGIC_XZ) |
		MAGIC_BIT(MAGIC_ZSTD) | MAGIC_BIT(MAGIC_ARJ) |
		MAGIC_BIT(MAGIC_ISO) | MAGIC_BIT(MAGIC_DISK) },
	{ "pictures",
	    MAGIC_BIT(MAGIC_JPEG) | MAGIC_BIT(MAGIC_PNG) |
		MAGIC_BIT(MAGIC_GIF) | MAGIC_BIT(MAGIC_WEBP) |
		MAGIC_BIT(MAGIC_BMP) | MAGIC_BIT(MAGIC_TIFF) |
		MAGIC_BIT(MAGIC_ICON) | MAGIC_BIT(MAGIC_HEIF) |
		MAGIC_BIT(MAGIC_JPEG2000) | MAGIC_BIT(MAGIC_METAFILE) |
		MAGIC_BIT(MAGIC_PSD) | MAGIC_BIT(MAGIC_SVG) },
	{ "texts",
	    MAGIC_BIT(MAGIC_TEXT) | MAGIC_BIT(MAGIC_HTML) |
		MAGIC_BIT(MAGIC_XML) },
	{ "mails", MAGIC_BIT(MAGIC_MAIL) | MAGIC_BIT(MAGIC_TNEF) },
	{ "all", MAGIC_BIT(MAGIC_TYPES) - 1 },
};

static int
read_detoxed(const struct reading *r, const char *name, struct err *e)
{
	uint64_t before = r->to->types;

	for (size_t g = 0; g < COUNT(groups); g++)
		if (strcmp(groups[g].name, name) == 0) {
			r->to->types |= groups[g].types;
			return 0;
		}
	for (int t = 0; t < MAGIC_TYPES; t++)
		if (strcmp(name, "programs") == 0
			? magic_is_program((enum magic_type)t)
			: strcmp(name, magic_type_name((enum magic_type)t)) ==
			    0)
			r->to->types |= MAGIC_BIT(t);
	return r->to->types != before
	    ? 0
	    : setting_error(r->entry->types.where, e,
		  "\"%s\" is no type and no group of types, or is there twice,"
		  " expected one such as \"pdf\" or \"documents\"",
		  name);
}

/* The profile is looked for when there are any: policy_use_profiles. */
static int
read_detox(const struct reading *r, struct err *e)
{
	const struct inspection_entry *entry = r->entry;
	int all = 0;

	r->to->profile = entry->profile;
	r->to->downloads = entry->downloads;
	r->to->uploads = entry->uploads;
	r->to->found = FINDING_BLOCK;
	for (size_t i = 0; i < entry->types.n; i++)
		if (err_take(&all, read_detoxed(r, entry->types.p[i], e), e) <
		    0)
			return -1;
	if (entry->types.n == 0)
		r->to->types = groups[0].types | groups[1].types;
	return all;
}

static const char *
say_texts(
    struct arena *a, const char *said, const char *key, const struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		said = arena_printf(a, "%s%s%s", said,
		    i > 0 ? ", " : arena_printf(a, " %s ", key), t->p[i]);
	return said;
}

/* For who compares it with another; reasons and the like among it. */
static const char *
say(const struct inspection_entry *e, const char *key, struct arena *a)
{
	const char *said =
	    arena_printf(a, "%s%s%s%s%s", key, e->file == NULL ? "" : " ",
		e->file == NULL ? "" : e->file, e->verdict == NULL ? "" : " ",
		e->verdict == NULL ? "" : e->verdict);

	said = say_texts(a, said, "block", &e->block);
	said = say_texts(a, said, "warn", &e->warn);
	said = say_texts(a, said, "log", &e->log);
	said = say_texts(a, said, "keywords", &e->keywords);
	said = say_texts(a, said, "refused", &e->refused);
	said = say_texts(a, said, "media_types", &e->media_types);
	said = say_texts(a, said, "types", &e->types);
	if (e->profile != NULL)
		said = arena_printf(a, "%s profile %s%s%s", said, e->profile,
		    e->downloads ? " downloads" : "",
		    e->uploads ? " uploads" : "");
	return arena_printf(a,
	    "%s larger_than %zu numbers %u %u %u %u hold %zu lasts %llu%s"
	    " reasons %s %s %s %s",
	    said, e->larger_than, e->confidence, e->density, e->context,
	    e->threshold, e->hold, (unsigned long long)e->lasts_ms / 1000,
	    e->must_agree ? " must_agree" : "", e->reason_ja, e->reason_en,
	    e->owner, e->clause);
}

/* A row for each list of a policy file. */
static const struct {
	enum inspection_kind kind;
	const char *key;
	const struct setting *table;
	size_t n;
	int (*read)(const struct reading *r, struct err *e);
} kinds[] = {
	{ INSPECTION_DLP, "dlp", dlp_table, COUNT(dlp_table), read_dlp },
	{ INSPECTION_PHRASES, "phrases", phrases_table, COUNT(phrases_table),
	    read_phrases },
	{ INSPECTION_TYPES, "types", types_table, COUNT(types_table),
	    read_types },
	{ INSPECTION_DETOX, "detox", detox_inspection_table,
	    COUNT(detox_inspection_table), read_detox },
};

static void
fill_rules(const struct reading *r, const struct policy_file *file)
{
	const struct inspection_entry *entry = r->entry;
	struct rule rule = {
		.name = entry->name,
		.file =
		    arena_string(r->arena, bytes_of(setting_source(r->group))),
		.line = config_setting_source_line(r->group),
		.layer = file->layer,
		.must = true,
		.verdict = VERDICT_BLOCK,
		.reason_ja = entry->reason_ja,
		.reason_en = entry->reason_en[0] == '\0' ? entry->reason_ja
							 : entry->reason_en,
		.owner = entry->owner,
		.clause = entry->clause,
		.lasts_ms = entry->lasts_ms,
	};

	r->to->block = rule;
	rule.verdict = VERDICT_WARN;
	r->to->warn = rule;
}

static int
read_one(struct inspections *all, size_t kind, const config_setting_t *group,
    const struct policy_file *file, const char *folder, struct arena *a,
    struct err *e)
{
	struct inspection_entry entry = { 0 };
	struct reading r = { &all->p[all->n], &entry, group, folder, a };

	if (all->n == INSPECTIONS_MAX)
		return setting_error(group, e,
		    "more than %d of dlp, phrases,"
		    " types and detox together",
		    INSPECTIONS_MAX);
	if (setting_load(
		kinds[kind].table, kinds[kind].n, group, &entry, a, e) < 0)
		return -1;
	*r.to = (struct inspection){ .kind = kinds[kind].kind,
		.hold_max = entry.hold };
	if (r.to->kind == INSPECTION_TYPES)
		r.to->hold_max = MAGIC_HEAD_MAX;
	fill_rules(&r, file);
	r.to->said = say(&entry, kinds[kind].key, a);
	if (kinds[kind].read(&r, e) < 0)
		return -1;
	all->n++;
	return 0;
}

int
inspections_read(struct inspections *all, const config_setting_t *root,
    const struct policy_file *file, const char *folder, struct arena *a,
    struct err *e)
{
	int result = 0;

	for (size_t k = 0; k < COUNT(kinds); k++) {
		const config_setting_t *list =
		    setting_list(root, kinds[k].key, e);

		if (list == NULL && e->text[0] != '\0')
			return -1;
		for (int i = 0; list != NULL && i < config_setting_length(list);
		     i++)
			if (err_take(&result,
				read_one(all, k,
				    config_setting_get_elem(list, (unsigned)i),
				    file, folder, a, e),
				e) < 0)
				return -1;
	}
	return result;
}

int
inspections_find(const struct inspections *all, struct bytes name)
{
	for (size_t i = 0; i < all->n; i++)
		if (bytes_equal(bytes_of(all->p[i].block.name), name))
			return (int)i;
	return -1;
}

void
inspections_release(struct inspections *all)
{
	for (size_t i = 0; i < all->n; i++) {
		dlp_rules_free(all->p[i].dlp);
		set_free(all->p[i].set);
	}
	all->n = 0;
}
