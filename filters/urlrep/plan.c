/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/plan.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/file.h"

#define DAY 86400
#define FILES_MAX 10000
#define SUFFIXES_MAX ((size_t)16 << 20)

const struct setting plan_table[] = {
	{ .key = "protected_zones",
	    .kind = SETTING_TEXTS,
	    .offset = offsetof(struct plan_settings, protected_zones),
	    .min = 0,
	    .max = 1000,
	    .words_en = "Zones of which no feed may list anything, beside"
			" lg.jp and go.jp.",
	    .words_ja = "lg.jp と go.jp のほかに、どの配信元にも載せさせない"
			"ゾーン。" },
	{ .key = "protected_names",
	    .kind = SETTING_TEXTS,
	    .offset = offsetof(struct plan_settings, protected_names),
	    .min = 0,
	    .max = 10000,
	    .words_en = "Names that no feed may list as a whole.",
	    .words_ja = "ホスト全体としては載せさせない名前。" },
	{ .key = "protected_files",
	    .kind = SETTING_TEXTS,
	    .offset = offsetof(struct plan_settings, protected_files),
	    .min = 0,
	    .max = 100,
	    .words_en = "Files of such names, one a line (\"*.zone\": a zone).",
	    .words_ja = "そのような名前のファイル。1 行に一つ（\"*.ゾーン\" は"
			"ゾーン）。" },
	SETTING(plan_settings, generations, COUNT, 3, 0, 9,
	    "Former list files that are kept.",
	    "残しておく以前の一覧ファイルの数。"),
	SETTING(plan_settings, shrink_percent, COUNT, 33, 1, 100,
	    "A feed that lost more of its entries is held back.",
	    "項目がこれより減った配信元は据え置く。"),
	SETTING_NEST_ROW(score, "Points of the scores.", "スコアの点数。"),
	SETTING_NEST_ROW(sources, "The feeds.", "配信元。"),
};
const size_t plan_table_n = COUNT(plan_table);

const struct setting plan_source_table[] = {
	SETTING_TEXT_ROW(plan_source, name, NULL, 1, 64,
	    "Its name in answers and reports.", "答えや報告での名前。"),
	{ .key = "kind",
	    .kind = SETTING_TEXT,
	    .offset = offsetof(struct plan_source, kind_name),
	    .min = 1,
	    .max = 16,
	    .words_en = "domains, urls, hosts, adblock, rpz, jpcert, stix or"
			" misp.",
	    .words_ja = "domains、urls、hosts、adblock、rpz、jpcert、stix、"
			"misp のいずれか。" },
	SETTING_TEXT_ROW(plan_source, file, NULL, 1, 4096,
	    "The file, or a pattern such as jpcert/*.csv; relative to this"
	    " file.",
	    "ファイル、または jpcert/*.csv のような型。このファイルからの"
	    "相対。"),
	SETTING_TEXT_ROW(plan_source, category, NULL, 1, 64,
	    "The category of its entries.", "項目の分類。"),
	SETTING(plan_source, confidence, COUNT, 80, 1, 100,
	    "How sure it is, where a row does not say.",
	    "確からしさ（行に"
	    "ないとき）。"),
	SETTING(plan_source, lifetime, COUNT, 0, 0, 36500,
	    "Days until an entry ends; 0: never.",
	    "項目が切れるまでの日数。"
	    "0 は切れない。"),
	SETTING(plan_source, protect, FLAG, 1, 0, 1,
	    "Whether protected names are kept out of it.",
	    "保護する名前を載せさせない。"),
};
const size_t plan_source_table_n = COUNT(plan_source_table);

static const char *const always_protected[] = { "lg.jp", "go.jp" };

/* Without the list libpsl's own is asked. */
static void
read_suffixes(struct plan *p)
{
	struct buf text;
	struct err e;
	bool is_there;

	buf_init(&text, SUFFIXES_MAX);
	is_there = file_read(PLAN_SUFFIXES, &text, &e) == 0 &&
	    protect_suffixes(p->protect, buf_bytes(&text), &e) == 0;
	(void)is_there;
	buf_release(&text);
}

void
plan_init(struct plan *p)
{
	struct err e;

	*p = (struct plan){ .protect = protect_new() };
	must(setting_load(plan_table, plan_table_n, NULL, &p->settings,
		 &p->arena, &e) == 0);
	must(setting_load(score_table, score_table_n, NULL, &p->score,
		 &p->arena, &e) == 0);
	p->sources =
	    ARENA_ARRAY(&p->arena, struct plan_source, PLAN_SOURCES_MAX);
	read_suffixes(p);
	for (size_t i = 0; i < COUNT(always_protected); i++)
		must(protect_zone(p->protect, bytes_of(always_protected[i])) ==
		    0);
}

void
plan_release(struct plan *p)
{
	protect_free(p->protect);
	arena_release(&p->arena);
}

static const char *
beside(struct plan *p, const char *base, const char *path)
{
	const char *slash = strrchr(base, '/');

	if (path[0] == '/' || slash == NULL)
		return arena_string(&p->arena, bytes_of(path));
	return arena_printf(
	    &p->arena, "%.*s/%s", (int)(slash - base), base, path);
}

static bool
has_source(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->sources[i].name, name) == 0)
			return true;
	return false;
}

static int
load_source(struct plan *p, const char *base, const config_setting_t *group,
    struct err *e)
{
	struct plan_source *s = &p->sources[p->n];

	if (p->n == PLAN_SOURCES_MAX)
		return setting_error(group, e, "too many sources");
	if (setting_load(plan_source_table, plan_source_table_n, group, s,
		&p->arena, e) < 0)
		return -1;
	s->kind = feed_kind_of(bytes_of(s->kind_name));
	if (s->kind == FEED_NONE)
		return setting_error(group, e,
		    "kind is \"%s\", expected domains, urls, hosts, adblock,"
		    " rpz, jpcert, stix or misp",
		    s->kind_name);
	if (has_source(p, s->name))
		return setting_error(
		    group, e, "the source \"%s\" is there twice", s->name);
	s->file = beside(p, base, s->file);
	p->n++;
	return 0;
}

static int
load_protected(struct plan *p, const char *base, struct err *e)
{
	const struct plan_settings *s = &p->settings;

	for (size_t i = 0; i < s->protected_zones.n; i++)
		if (protect_zone(
			p->protect, bytes_of(s->protected_zones.p[i])) < 0)
			return setting_error(s->protected_zones.where, e,
			    "\"%s\" is no name", s->protected_zones.p[i]);
	for (size_t i = 0; i < s->protected_names.n; i++)
		if (protect_name(
			p->protect, bytes_of(s->protected_names.p[i])) < 0)
			return setting_error(s->protected_names.where, e,
			    "\"%s\" is no name", s->protected_names.p[i]);
	for (size_t i = 0; i < s->protected_files.n; i++)
		if (protect_read(p->protect,
			beside(p, base, s->protected_files.p[i]), e) < 0)
			return -1;
	return 0;
}

static int
load(struct plan *p, const char *base, const config_t *config, struct err *e)
{
	const config_setting_t *root = config_root_setting(config);
	const config_setting_t *list;

	if (setting_load(plan_table, plan_table_n, root, &p->settings,
		&p->arena, e) < 0 ||
	    setting_load(score_table, score_table_n,
		config_lookup(config, "score"), &p->score, &p->arena, e) < 0 ||
	    load_protected(p, base, e) < 0)
		return -1;
	e->text[0] = '\0';
	list = setting_list(root, "sources", e);
	if (list == NULL)
		return e->text[0] != '\0'
		    ? -1
		    : err_set(e, "%s: there are no sources", base);
	for (int i = 0; i < config_setting_length(list); i++)
		if (load_source(p, base,
			config_setting_get_elem(list, (unsigned)i), e) < 0)
			return -1;
	return 0;
}

int
plan_read(struct plan *p, const char *path, struct err *e)
{
	config_t config;
	int result = -1;

	if (setting_read(path, &config, e) == 0)
		result = load(p, path, &config, e);
	config_destroy(&config);
	return result;
}

int
plan_add(struct plan *p, const char *words, struct err *e)
{
	struct bytes rest = bytes_of(words);
	struct bytes kind = bytes_take_until(&rest, ':');
	struct bytes category = bytes_take_until(&rest, ':');
	struct plan_source s = {
		.name = words,
		.kind = feed_kind_of(kind),
		.confidence = 80,
		.protect = true,
	};

	if (s.kind == FEED_NONE || category.n == 0 || rest.n == 0)
		return err_set(e,
		    "%s: expected kind:category:file, of the kinds domains,"
		    " urls, hosts, adblock, rpz, jpcert, stix and misp, or a"
		    " sources file (NAME.conf)",
		    words);
	if (p->n == PLAN_SOURCES_MAX || has_source(p, words))
		return err_set(e, "%s: is there twice", words);
	s.kind_name = feed_kind_name(s.kind);
	s.category = arena_string(&p->arena, category);
	s.file = arena_string(&p->arena, rest);
	p->sources[p->n++] = s;
	return 0;
}

/* Making the file. */

struct maker {
	struct plan *plan;
	const struct plan_order *order;
	struct build *build;
	struct buf *report;
	size_t held;
};

static void tell(struct maker *m, const char *format, ...) PRINTF_LIKE(2, 3);

static void
tell(struct maker *m, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* A full report loses its end; the counts are told apart from it. */
	if (buf_printf(m->report, "%s\n", text) < 0)
		return;
}

static void
begin_source(struct maker *m, const struct plan_source *s, time_t read)
{
	build_source(m->build,
	    &(struct build_source){
		.name = s->name,
		.kind = s->kind_name,
		.category = s->category,
		.confidence = s->confidence,
		.read = read,
	    });
}

static void
tell_counts(struct maker *m, const char *file, const struct feed_counts *counts)
{
	tell(m, "%s: %ju entries, %ju left out, %ju passed over, %ju protected",
	    file, (uintmax_t)counts->taken, (uintmax_t)counts->bad,
	    (uintmax_t)counts->passed, (uintmax_t)counts->vetoed);
}

static int
read_files(struct maker *m, const struct plan_source *s, struct err *e)
{
	struct feed f = {
		.terms = { .category = s->category,
		    .confidence = s->confidence,
		    .lifetime = (time_t)s->lifetime * DAY,
		    .now = m->order->now },
		.build = m->build,
		.protect = s->protect ? m->plan->protect : NULL,
		.report = m->report,
	};
	glob_t found;
	int result = 0;

	if (glob(s->file, GLOB_NOCHECK, NULL, &found) != 0)
		return err_set(e, "%s: cannot be read", s->file);
	if (found.gl_pathc > FILES_MAX)
		result =
		    err_set(e, "%s: more than %u files", s->file, FILES_MAX);
	for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
		result = feed_read(&f, s->kind, found.gl_pathv[i], e);
		if (result == 0)
			tell_counts(m, found.gl_pathv[i], &f.counts);
	}
	globfree(&found);
	return result;
}

/* The source of that name in the file before. */
static bool
find_before(const struct maker *m, const char *name, size_t *i_out,
    struct urlrep_source *out)
{
	struct urlrep_about about;

	if (m->order->before == NULL)
		return false;
	urlrep_about(m->order->before, &about);
	for (size_t i = 0; i < about.sources; i++) {
		urlrep_source(m->order->before, i, out);
		if (strcmp(out->name, name) == 0) {
			*i_out = i;
			return true;
		}
	}
	return false;
}

struct carrier {
	struct maker *maker;
	const struct protect *protect; /* as it is now */
	unsigned *files; /* the new number of each of the file's before; 0: of
			    another source, else one more */
	bool full;
};

static bool
is_protected(const struct protect *p, const struct urlrep_match *m)
{
	const char *why;
	struct canon url;
	int parsed = m->is_url ? canon_parse(&url, m->key, &why)
			       : canon_parse_host(&url, m->key, &why);

	return p != NULL &&
	    (parsed < 0 || protect_judge(p, &url, m->scope) != PROTECT_NOTHING);
}

static void
carry_entry(const struct urlrep_match *m, void *context)
{
	struct carrier *c = context;
	struct build *b = c->maker->build;
	struct detail d = {
		.category = build_string(b, m->category),
		.confidence = (uint8_t)m->confidence,
		.tlp = m->tlp,
		.from = m->from,
		.until = m->until,
	};

	if (c->files[m->file_n] == 0 || is_protected(c->protect, m))
		return;
	build_select(b, c->files[m->file_n] - 1);
	if (build_add_key(b, m->key, m->scope, m->line, &d) != BUILD_ADDED)
		c->full = true;
}

/* The source's entries as they were. */
static int
carry(
    struct maker *m, const struct plan_source *s, size_t source, struct err *e)
{
	const struct urlrep *before = m->order->before;
	struct carrier c = { .maker = m,
		.protect = s->protect ? m->plan->protect : NULL };
	struct urlrep_about about;
	struct detail none = { 0 };
	int result;

	urlrep_about(before, &about);
	c.files = calloc(about.files + 1, sizeof(*c.files));
	must(c.files != NULL);
	for (size_t i = 0; i < about.files; i++) {
		struct urlrep_file f;

		urlrep_file(before, i, &f);
		if (f.source != source)
			continue;
		c.files[i] =
		    1 + build_file(m->build, f.path, &none, f.is_object);
		build_rows(m->build, f.rows);
	}
	result = urlrep_each(before, carry_entry, &c);
	free(c.files);
	if (result < 0 || c.full)
		return err_set(e, "the lists are too large");
	return 0;
}

static bool
is_accepted(const struct plan_order *o, const char *name)
{
	for (size_t i = 0; i < o->accepted_n; i++)
		if (strcmp(o->accepted[i], name) == 0)
			return true;
	return false;
}

static int
make_source(struct maker *m, const struct plan_source *s, struct err *e)
{
	struct urlrep_source before = { 0 };
	size_t which = 0;
	bool had = find_before(m, s->name, &which, &before);
	uint64_t n;

	begin_source(m, s, m->order->now);
	if (read_files(m, s, e) == 0) {
		n = build_entries(m->build);
		if (!had || is_accepted(m->order, s->name) ||
		    n * 100 >= before.entries *
			    (100 - m->plan->settings.shrink_percent))
			return 0;
		err_set(e, "has %ju entries, and had %ju", (uintmax_t)n,
		    (uintmax_t)before.entries);
	}
	if (!had)
		return -1;
	tell(m, "%s: held back: %s", s->name, e->text);
	m->held++;
	build_undo(m->build);
	build_source_read(m->build, before.read);
	return carry(m, s, which, e);
}

int
plan_compile(struct plan *p, const struct plan_order *order, struct buf *out,
    struct buf *report, struct plan_result *result_out, struct err *e)
{
	struct maker m = { p, order, build_new(order->seed), report, 0 };
	int result = 0;

	*result_out = (struct plan_result){ 0 };
	if (p->n == 0)
		result = err_set(e, "there are no sources");
	for (size_t i = 0; i < p->n && result == 0; i++)
		result = make_source(&m, &p->sources[i], e);
	if (result == 0)
		result = build_write(
		    m.build, order->now, out, &result_out->counts, e);
	result_out->held = m.held;
	build_free(m.build);
	return result;
}
