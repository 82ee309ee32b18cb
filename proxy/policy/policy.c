/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/policy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/detox/profiles.h"
#include "proxy/policy/compiled.h"
#include "proxy/policy/index.h"
#include "proxy/policy/pattern.h"
#include "proxy/policy/reputation.h"
#include "proxy/policy/urlset.h"

const struct setting policy_table[] = {
	SETTING_NEST_ROW(
	    lists, "Lists that make categories.", "分類をなす一覧。"),
	SETTING_NEST_ROW(dlp, "What must not leave; a list.",
	    "外へ出してはならないもの（並び）。"),
	SETTING_NEST_ROW(phrases,
	    "Weighted phrases in texts that come; a list.",
	    "届く文章の語句と重み（並び）。"),
	SETTING_NEST_ROW(types, "Types of files that come; a list.",
	    "届くファイルの型（並び）。"),
	SETTING_NEST_ROW(detox,
	    "Files that are made harmless on their way; a list.",
	    "途中で無害化するファイル（並び）。"),
	SETTING_NEST_ROW(must,
	    "Rules that no layer below can loosen; the strictest that matches"
	    " holds.",
	    "下の層が緩められない規則。合うもののうち最も厳しいものが効く。"),
	SETTING_NEST_ROW(default,
	    "Rules in their order, which a layer below can override.",
	    "規則の並び（順序に意味がある）。下の層が上書きできる。"),
};
const size_t policy_table_n = COUNT(policy_table);

struct list_entry {
	const char *category, *file, *kind;
	uint32_t at_least;
};

const struct setting list_table[] = {
	SETTING_TEXT_ROW(list_entry, category, NULL, 1, 64,
	    "The category that its entries belong to.", "項目の分類。"),
	SETTING_TEXT_ROW(list_entry, file, "", 0, 4096,
	    "The file, one entry a line, # for comments; or the set.",
	    "ファイル。一行に一件、# は注釈。または作った集まり。"),
	SETTING_TEXT_ROW(list_entry, kind, "domains", 1, 16,
	    "\"domains\" (each with its subdomains), \"urls\", \"patterns\" (a"
	    " set that `sekishoctl sets compile` made); without a file:"
	    " \"reputation\", what reputation.file has of the category, or"
	    " \"score\", what a name looks like.",
	    "\"domains\"（サブドメインを含む）、\"urls\"、\"patterns\""
	    "（`sekishoctl sets compile` で作ったもの）。file を書かないもの:"
	    " \"reputation\"（reputation.file にあるこの分類）、\"score\""
	    "（名前の怪しさ）。"),
	SETTING(list_entry, at_least, COUNT, 0, 0, 100,
	    "The least confidence of an entry of \"reputation\", or the least"
	    " points of \"score\".",
	    "\"reputation\" の確からしさ、または \"score\" の点数の下限。"),
};
const size_t list_table_n = COUNT(list_table);

static int
list_kind(const config_setting_t *group, const char *name, struct err *e)
{
	static const char *const names[LIST_KINDS] = {
		[LIST_DOMAINS] = "domains",
		[LIST_URLS] = "urls",
		[LIST_REPUTATION] = "reputation",
		[LIST_SCORE] = "score",
		[LIST_PATTERNS] = "patterns",
	};

	for (int i = 0; i < LIST_KINDS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return setting_error(group, e,
	    "kind is \"%s\", expected domains, urls, patterns, reputation or"
	    " score",
	    name);
}

/* A threshold for what has none, as a file for what is in none, is a
 * misunderstanding. */
static int
check_list(const config_setting_t *group, const struct list_entry *entry,
    bool is_file, struct err *e)
{
	if (is_file && entry->file[0] == '\0')
		return setting_error(
		    group, e, "file is missing, expected a string");
	if (!is_file && entry->file[0] != '\0')
		return setting_error(group, e,
		    "file is \"%s\", expected none with %s", entry->file,
		    entry->kind);
	if (is_file && entry->at_least != 0)
		return setting_error(group, e,
		    "at_least is %u, expected none with %s", entry->at_least,
		    entry->kind);
	return 0;
}

static int
open_patterns(struct policy *p, const config_setting_t *group, const char *path,
    unsigned category, struct arena *a, struct err *e)
{
	struct err why = { 0 };

	if (urlset_open(&p->urlsets, path, category, a, &why) == 0)
		return 0;
	return setting_error(group, e,
	    "%s, expected a file of kind \"urls\" that `sekishoctl sets"
	    " compile` made",
	    why.text);
}

static int
read_list(struct policy *p, const config_setting_t *group, struct arena *a,
    struct err *e)
{
	struct list_entry entry = { 0 };
	const char *path;
	int category;
	int kind;
	bool is_file;

	if (setting_load(list_table, list_table_n, group, &entry, a, e) < 0)
		return -1;
	kind = list_kind(group, entry.kind, e);
	is_file =
	    kind == LIST_DOMAINS || kind == LIST_URLS || kind == LIST_PATTERNS;
	if (kind < 0 || check_list(group, &entry, is_file, e) < 0)
		return -1;
	category = lists_category(p->lists, entry.category);
	if (category < 0)
		return setting_error(
		    group, e, "more than %d categories", CATEGORIES_MAX);
	if (!is_file) {
		lists_look_up(p->lists, (enum list_kind)kind,
		    (unsigned)category, entry.at_least);
		return 0;
	}
	path = entry.file[0] == '/'
	    ? entry.file
	    : arena_printf(a, "%s/%s", p->folder, entry.file);
	if (kind == LIST_PATTERNS)
		return open_patterns(p, group, path, (unsigned)category, a, e);
	return lists_read(
	    p->lists, path, (enum list_kind)kind, (unsigned)category, e);
}

static int
compare_names(const void *a, const void *b)
{
	const struct rule *const *left = a;
	const struct rule *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	/* as they were read */
	return order != 0 ? order : (*left > *right) - (*left < *right);
}

static int
refuse_twins(const struct policy *p, struct err *e)
{
	size_t n = p->rules_n + p->inspections.n;
	const struct rule **sorted = calloc(n + 1, sizeof(*sorted));
	int result = 0;

	must(sorted != NULL);
	for (size_t i = 0; i < p->rules_n; i++)
		sorted[i] = &p->rules[i].rule;
	for (size_t i = 0; i < p->inspections.n; i++)
		sorted[p->rules_n + i] = &p->inspections.p[i].block;
	qsort(sorted, n, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < n && result == 0; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			result = err_set(e,
			    "%s:%u: rule \"%s\" is there twice, first at"
			    " %s:%u",
			    sorted[i]->file, sorted[i]->line, sorted[i]->name,
			    sorted[i - 1]->file, sorted[i - 1]->line);
	free(sorted);
	return result;
}

static int
make_room(struct policy *p, size_t more, const config_setting_t *where,
    struct arena *a, struct err *e)
{
	struct conditions *rules;

	if (p->rules_n + more > RULES_MAX)
		return setting_error(where, e, "more than %d rules", RULES_MAX);
	rules = ARENA_ARRAY(a, struct conditions, p->rules_n + more);
	if (p->rules_n > 0)
		memcpy(rules, p->rules, p->rules_n * sizeof(*rules));
	p->rules = rules;
	return 0;
}

static int
read_rules(struct policy *p, const config_setting_t *root, const char *key,
    const struct policy_file *file, struct arena *a, struct err *e)
{
	const struct rule_place place = { file, strcmp(key, "must") == 0,
		p->zones, p->lists, &p->patterns, &p->inspections };
	const config_setting_t *list = setting_list(root, key, e);
	int result = 0;

	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	if (make_room(p, (size_t)config_setting_length(list), list, a, e) < 0)
		return -1;
	for (int i = 0; i < config_setting_length(list); i++) {
		int read = rule_read(&p->rules[p->rules_n],
		    config_setting_get_elem(list, (unsigned)i), &place, a, e);

		if (err_take(&result, read, e) < 0)
			return -1;
		p->rules_n += read == 0;
	}
	return result;
}

static int
read_groups(struct policy *p, const config_setting_t *root,
    const struct policy_file *file, struct arena *a, struct err *e)
{
	struct nothing {
		char none;
	} nothing;
	const config_setting_t *lists;
	int result = 0;

	if (setting_load(policy_table, policy_table_n, root, &nothing, a, e) <
	    0)
		return -1;
	lists = setting_list(root, "lists", e);
	if (lists == NULL && e->text[0] != '\0')
		return -1;
	for (int i = 0; lists != NULL && i < config_setting_length(lists); i++)
		if (err_take(&result,
			read_list(p,
			    config_setting_get_elem(lists, (unsigned)i), a, e),
			e) < 0)
			return -1;
	if (err_take(&result,
		inspections_read(&p->inspections, root, file, p->folder, a, e),
		e) < 0 ||
	    err_take(&result, read_rules(p, root, "must", file, a, e), e) < 0)
		return -1;
	return read_rules(p, root, "default", file, a, e) < 0 ? -1 : result;
}

/* Names of files in it are relative to the policy file's own folder. */
static int
read_file(struct policy *p, const struct policy_file *file, const char *folder,
    struct arena *a, struct err *e)
{
	const char *path = file->path[0] == '/'
	    ? file->path
	    : arena_printf(a, "%s/%s", folder, file->path);
	const char *slash = strrchr(path, '/');
	config_t config;
	int result = setting_read(path, &config, e);

	p->folder = arena_string(
	    a, (struct bytes){ (const uint8_t *)path, (size_t)(slash - path) });
	if (result == 0)
		result =
		    read_groups(p, config_root_setting(&config), file, a, e);
	config_destroy(&config);
	return result;
}

/* Where a rule stands among all: see struct policy. */
static unsigned
rank(const struct conditions *c)
{
	if (c->rule.verdict == VERDICT_MAY_TUNNEL)
		return LAYERS + 1;
	return c->rule.must ? 0 : LAYERS - (unsigned)c->rule.layer;
}

/* By rank, and within one as they were read. */
static void
sort_rules(struct policy *p, struct arena *a)
{
	struct conditions *sorted =
	    ARENA_ARRAY(a, struct conditions, p->rules_n);
	size_t n = 0;

	for (unsigned r = 0; r <= LAYERS + 1; r++) {
		if (r == 1)
			p->choices = n;
		if (r == LAYERS + 1)
			p->grants = n;
		for (size_t i = 0; i < p->rules_n; i++)
			if (rank(&p->rules[i]) == r)
				sorted[n++] = p->rules[i];
	}
	must(n == p->rules_n);
	p->rules = sorted;
}

void
policy_release(struct policy *p)
{
	if (p == NULL)
		return;
	patterns_release(p->patterns);
	inspections_release(&p->inspections);
	urlsets_release(p->urlsets);
	urlrep_drop(p->reputation);
}

int
policy_use_reputation(struct policy *p, const char *path, struct err *e)
{
	int fd = path[0] == '\0' ? -1 : urlrep_seal(path, e);

	if (fd < 0)
		return path[0] == '\0' ? 0 : -1;
	p->reputation = urlrep_map(fd, e);
	close(fd);
	return p->reputation == NULL ? -1 : 0;
}

int
policy_use_profiles(
    struct policy *p, const struct detox_profiles *profiles, struct err *e)
{
	for (size_t i = 0; i < p->inspections.n; i++) {
		struct inspection *one = &p->inspections.p[i];
		ssize_t at;

		if (one->kind != INSPECTION_DETOX)
			continue;
		at = detox_profiles_find(profiles, one->profile);
		if (at < 0)
			return err_set(e,
			    "%s:%u: detox \"%s\": \"%s\" is no profile,"
			    " expected one of detox.profiles",
			    one->block.file, one->block.line, one->block.name,
			    one->profile);
		one->profile_at = (uint32_t)at;
		one->hold_max = profiles->all[at].in_max;
	}
	return 0;
}

static const struct rule leak_rule = {
	.name = "builtin:leak",
	.file = "builtin",
	.layer = LAYER_NATIONAL,
	.must = true,
	.verdict = VERDICT_BLOCK,
	.reason_ja = "外へ送ってはならない情報が含まれています。",
	.reason_en = "It has information that must not leave.",
	.owner = "",
	.clause = "",
};

/* What leaves is kept back until it is known; what comes has left already. */
static int
add_canaries(
    struct policy *p, const struct dlp_settings *s, bool leaves, struct err *e)
{
	struct inspections *all = &p->inspections;
	struct inspection *i = &all->p[all->n];

	*i = (struct inspection){
		.kind = INSPECTION_CANARY,
		.block = leak_rule,
		.warn = leak_rule,
		.said = "canaries",
		.found = leaves ? FINDING_BLOCK : FINDING_LOG,
		.hold_max = leaves ? CANARY_HOLD : 0,
		.downloads = !leaves,
		.uploads = leaves,
		.dlp = dlp_rules_new(s, e),
	};
	if (i->dlp == NULL)
		return -1;
	p->canaries[leaves] = i;
	p->always |= UINT64_C(1) << all->n++;
	return 0;
}

int
policy_use_canaries(
    struct policy *p, const struct dlp_canary *all, size_t n, struct err *e)
{
	struct dlp_settings s = dlp_defaults;

	if (n == 0)
		return 0;
	if (p->inspections.n + 2 > INSPECTIONS_MAX)
		return err_set(e,
		    "%zu of dlp, phrases, types and detox together leave no"
		    " room for canaries, expected at most %d",
		    p->inspections.n, INSPECTIONS_MAX - 2);
	memset(s.at, 0, sizeof(s.at));
	s.at[DLP_CANARY].block_at = 1;
	s.context_bytes = 0;
	s.canaries = all;
	s.canaries_n = n;
	return add_canaries(p, &s, false, e) < 0 ? -1
						 : add_canaries(p, &s, true, e);
}

const struct inspection *
policy_canaries(const struct policy *p, bool leaves)
{
	return p->canaries[leaves];
}

void
policy_use_score(struct policy *p, const struct score_settings *s)
{
	reputation_forget();
	p->score = s;
}

bool
policy_needs_reputation(const struct policy *p)
{
	return lists_looked_up(p->lists, LIST_REPUTATION) != 0;
}

static int
read_files(struct policy *p, const struct policy_files *files,
    const char *folder, struct arena *a, struct err *e)
{
	int result = 0;

	for (size_t i = 0; i < files->n; i++)
		if (err_take(&result, read_file(p, &files->p[i], folder, a, e),
			e) < 0)
			return -1;
	return refuse_twins(p, e) < 0 ? -1 : result;
}

static bool
has_effects(const struct rule *r)
{
	return r->fields_n > 0 || r->connect_to.n > 0;
}

/* Those of other bodies never match together. */
static int
check_effects(const struct policy *p, struct err *e)
{
	for (size_t i = 0; i < p->choices; i++) {
		const struct conditions *last = &p->rules[i];
		size_t n = 0;

		for (size_t k = 0; k <= i; k++)
			n += has_effects(&p->rules[k].rule) &&
			    (p->rules[k].body == NULL || last->body == NULL ||
				p->rules[k].body == last->body);
		/* and the choice */
		if (n >= POLICY_EFFECTS_MAX)
			return err_set(e,
			    "%s:%u: rule \"%s\" is one too many in must with"
			    " set_fields, remove_fields or connect_to, "
			    "expected at most %d"
			    " for a body",
			    last->rule.file, last->rule.line, last->rule.name,
			    POLICY_EFFECTS_MAX - 1);
	}
	return 0;
}

struct policy *
policy_load(const struct policy_files *files, const char *folder,
    const struct zones *zones, struct arena *a, struct err *e)
{
	struct policy *p = ARENA_NEW(a, struct policy);
	int result;

	p->lists = lists_new(a);
	p->zones = zones;
	result = read_files(p, files, folder, a, e);
	/* In either case: until then the lists are on the heap. */
	lists_seal(p->lists);
	if (result < 0) {
		policy_release(p);
		return NULL;
	}
	sort_rules(p, a);
	if (check_effects(p, e) < 0) {
		policy_release(p);
		return NULL;
	}
	for (size_t i = 0; i < p->rules_n; i++)
		p->asked |= p->rules[i].categories;
	p->index = index_new(p->rules, p->rules_n, zones, a);
	return p;
}

const struct rule *
policy_rule(const struct policy *p, struct bytes name)
{
	int i;

	for (size_t k = 0; k < p->rules_n; k++)
		if (bytes_equal(bytes_of(p->rules[k].rule.name), name))
			return &p->rules[k].rule;
	i = inspections_find(&p->inspections, name);
	return i < 0 ? NULL : &p->inspections.p[i].warn;
}

const struct inspection *
policy_inspection(const struct policy *p, unsigned bit)
{
	must(bit < p->inspections.n);
	return &p->inspections.p[bit];
}

const struct inspection *
policy_inspection_named(const struct policy *p, struct bytes name)
{
	int bit = inspections_find(&p->inspections, name);

	return bit < 0 ? NULL : policy_inspection(p, (unsigned)bit);
}

void
policy_use_key(struct policy *p, struct bytes key)
{
	for (size_t i = 0; i < p->inspections.n; i++)
		if (p->inspections.p[i].dlp != NULL)
			dlp_rules_use_key(p->inspections.p[i].dlp, key);
}

static const char *const verdict_names[] = {
	[VERDICT_BLOCK] = "block",
	[VERDICT_READ_ONLY] = "read-only",
	[VERDICT_WARN] = "warn",
	[VERDICT_ALLOW] = "allow",
	[VERDICT_TUNNEL] = "tunnel",
	[VERDICT_MAY_TUNNEL] = "may-tunnel",
};

const char *
verdict_name(enum verdict v)
{
	return v < COUNT(verdict_names) ? verdict_names[v] : "block";
}

const char *
layer_name(enum layer l)
{
	static const char *const names[] = { "national", "prefecture", "body",
		"section" };

	return l < COUNT(names) ? names[l] : "";
}
