/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/lists.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "filters/urlrep/generation.h"
#include "filters/urlrep/plan.h"
#include "proxy/base/language.h"

#define FAILED 1
#define REPORT_MAX ((size_t)8 << 20)

static int
fail(const char *words)
{
	fprintf(stderr, "sekishoctl: lists: %s\n", words);
	return FAILED;
}

static const char *
in_language(const char *english, const char *japanese)
{
	return language_is_japanese() ? japanese : english;
}

/* NULL and *e: it is broken, or not there. */
static struct urlrep *
open_lists(const char *path, struct err *e)
{
	int fd = urlrep_seal(path, e);
	struct urlrep *r;

	if (fd < 0)
		return NULL;
	r = urlrep_map(fd, e);
	close(fd);
	return r;
}

/* Making. */

static int
read_plan(struct plan *p, const struct lists_order *o, struct err *e)
{
	for (size_t i = 1; i < o->words_n; i++) {
		const char *word = o->words[i];
		bool is_file = bytes_end_with(bytes_of(word), BYTES(".conf")) &&
		    strchr(word, ':') == NULL;

		if ((is_file ? plan_read(p, word, e) : plan_add(p, word, e)) <
		    0)
			return -1;
	}
	return 0;
}

/* What was made is checked as who uses it will; then it gets its name. */
static int
put_in_place(const struct plan *p, const struct lists_order *o,
    const struct buf *out, struct err *e)
{
	int fd = urlrep_seal_bytes(buf_bytes(out), o->output, e);

	if (fd < 0)
		return -1;
	close(fd);
	return generation_write(
	    o->output, buf_bytes(out), p->settings.generations, e);
}

static void
print_made(const struct lists_order *o, const struct plan_result *r,
    const struct buf *out)
{
	const struct build_counts *c = &r->counts;

	if (language_is_japanese())
		printf("%s: 項目 %ju、キー %ju、%zu バイト。重複 %ju、"
		       "一つのキーの上限超過 %ju、据え置いた配信元 %zu\n",
		    o->output, (uintmax_t)c->entries, (uintmax_t)c->keys,
		    out->n, (uintmax_t)c->repeated, (uintmax_t)c->dropped,
		    r->held);
	else
		printf("%s: %ju entries under %ju keys, %zu bytes; %ju"
		       " repeated, %ju over a key's limit, %zu sources held"
		       " back\n",
		    o->output, (uintmax_t)c->entries, (uintmax_t)c->keys,
		    out->n, (uintmax_t)c->repeated, (uintmax_t)c->dropped,
		    r->held);
}

static struct urlrep *
open_before(const struct lists_order *o)
{
	struct err e = { 0 };
	struct urlrep *r;

	if (access(o->output, F_OK) < 0)
		return NULL;
	r = open_lists(o->output, &e);
	if (r == NULL)
		fprintf(stderr, "%s\n", e.text);
	return r;
}

static int
make(struct plan *p, const struct lists_order *o, struct buf *out,
    struct buf *report, struct err *e)
{
	struct urlrep *before = open_before(o);
	struct plan_order order = {
		.before = before,
		.accepted = o->accepted,
		.accepted_n = o->accepted_n,
		.now = o->now,
	};
	struct plan_result result;
	int made = -1;

	if (getrandom(&order.seed, sizeof(order.seed), 0) < 0)
		err_set(e, "no random numbers: %m");
	else
		made = plan_compile(p, &order, out, report, &result, e);
	urlrep_drop(before);
	fwrite(report->p, 1, report->n, stderr);
	if (made < 0 || put_in_place(p, o, out, e) < 0)
		return -1;
	print_made(o, &result, out);
	return result.held > 0 ? LISTS_HELD : 0;
}

static int
compile(const struct lists_order *o)
{
	struct buf out;
	struct buf report;
	struct err e = { 0 };
	struct plan p;
	int result;

	if (o->output == NULL || o->words_n < 2)
		return fail("compile: expected -o DB and SOURCES.conf or"
			    " kind:category:file …");
	plan_init(&p);
	buf_init(&out, URLREP_SIZE_MAX);
	buf_init(&report, REPORT_MAX);
	result = read_plan(&p, o, &e);
	if (result == 0)
		result = make(&p, o, &out, &report, &e);
	if (result < 0)
		fprintf(stderr, "%s\n", e.text);
	buf_release(&out);
	buf_release(&report);
	plan_release(&p);
	return result < 0 ? FAILED : result;
}

/* Asking. */

static const char *
state_words(enum urlrep_state s)
{
	switch (s) {
	case URLREP_EXPIRED:
		return in_language("expired", "期限切れ");
	case URLREP_NOT_YET:
		return in_language("not valid yet", "まだ有効でない");
	case URLREP_VALID:
		return in_language("valid", "有効");
	}
	return "";
}

static const char *
date_words(time_t t, char out[32])
{
	struct tm tm;

	if (t == 0 || gmtime_r(&t, &tm) == NULL)
		return in_language("no end", "期限なし");
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

struct answer {
	bool json;
	bool listed;
	json_t *matches;
};

static void
print_match(const struct urlrep_match *m)
{
	char until[32];

	printf("  %s:%s%u: %.*s\n"
	       "    %s, %s %s (%s), %s %u, %s %s%s%s%s\n",
	    m->file, m->is_object ? "#" : "", m->line, BYTES_PRINTF(m->key),
	    m->category, in_language("source", "配信元"), m->source, m->kind,
	    in_language("confidence", "確からしさ"), m->confidence,
	    in_language("until", "期限"), date_words(m->until, until),
	    m->tlp == TLP_NONE ? "" : ", ", tlp_name(m->tlp),
	    m->loose ? in_language(", in the path's generous reading",
			   "、パスの緩い読み方で")
		     : "");
	if (m->state != URLREP_VALID)
		printf("    %s\n", state_words(m->state));
}

static void
add_json(json_t *list, const struct urlrep_match *m)
{
	static const char *const states[] = {
		[URLREP_EXPIRED] = "expired",
		[URLREP_NOT_YET] = "not_yet",
		[URLREP_VALID] = "valid",
	};

	json_array_append_new(list,
	    json_pack("{s:s%, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:I, s:I,"
		      " s:s, s:b}",
		"key", (const char *)m->key.p, m->key.n, "category",
		m->category, "source", m->source, "kind", m->kind, "file",
		m->file, m->is_object ? "object" : "line", (int)m->line,
		"confidence", (int)m->confidence, "tlp", tlp_name(m->tlp),
		"from", (json_int_t)m->from, "until", (json_int_t)m->until,
		"state", states[m->state], "loose", m->loose));
}

static void
take_match(const struct urlrep_match *m, void *context)
{
	struct answer *a = context;

	a->listed |= m->state == URLREP_VALID;
	if (a->json)
		add_json(a->matches, m);
	else
		print_match(m);
}

static void
print_canonical(const struct canon *c)
{
	printf("%.*s", BYTES_PRINTF(c->host));
	if (!c->port_usual)
		printf(":%u", c->port);
	printf("%.*s%.*s\n", BYTES_PRINTF(c->path), BYTES_PRINTF(c->query));
}

static void
print_score(const struct score_settings *s, const struct canon *c)
{
	struct score score;

	score_url(s, c, &score);
	printf("  %s %u\n", in_language("score", "スコア"), score.points);
	for (size_t i = 0; i < score.n; i++)
		printf("    +%u %s: %s\n", score.findings[i].points,
		    score_kind_name(score.findings[i].kind),
		    score.findings[i].why);
}

static json_t *
score_json(const struct score_settings *s, const struct canon *c)
{
	struct score score;
	json_t *findings = json_array();

	score_url(s, c, &score);
	for (size_t i = 0; i < score.n; i++)
		json_array_append_new(findings,
		    json_pack("{s:s, s:i, s:s}", "kind",
			score_kind_name(score.findings[i].kind), "points",
			(int)score.findings[i].points, "why",
			score.findings[i].why));
	return json_pack(
	    "{s:i, s:o}", "points", (int)score.points, "findings", findings);
}

static void
print_json(json_t *answer)
{
	json_dumpf(answer, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(answer);
}

/* r NULL: its score alone. -1: the file is damaged. */
static int
ask(const struct urlrep *r, const struct plan *p, const struct lists_order *o,
    const struct canon *c, bool *listed_out)
{
	struct urlrep_query q = { c, o->now, true };
	struct answer a = { .json = o->json, .matches = json_array() };

	if (!o->json)
		print_canonical(c);
	if (r != NULL && urlrep_find(r, &q, take_match, &a) < 0) {
		json_decref(a.matches);
		return fail("the list file is damaged");
	}
	*listed_out |= a.listed;
	if (o->json) {
		print_json(json_pack("{s:s%, s:i, s:s%, s:s%, s:o, s:o}",
		    "host", (const char *)c->host.p, c->host.n, "port",
		    (int)c->port, "path", (const char *)c->path.p, c->path.n,
		    "query", c->query.n == 0 ? "" : (const char *)c->query.p,
		    c->query.n, "matches", a.matches, "score",
		    score_json(&p->score, c)));
		return 0;
	}
	if (r != NULL && !a.listed)
		printf("  %s\n", in_language("not listed", "載っていない"));
	print_score(&p->score, c);
	json_decref(a.matches);
	return 0;
}

static int
ask_all(const struct urlrep *r, const struct lists_order *o, size_t first)
{
	struct plan p;
	struct err e = { 0 };
	bool listed = false;
	int result = 0;

	plan_init(&p);
	if (o->sources != NULL && plan_read(&p, o->sources, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		result = FAILED;
	}
	for (size_t i = first; i < o->words_n && result == 0; i++) {
		const char *why = "";
		struct canon c;

		if (canon_parse(&c, bytes_of(o->words[i]), &why) < 0) {
			fprintf(stderr, "%s: %s\n", o->words[i], why);
			result = FAILED;
		} else {
			result = ask(r, &p, o, &c, &listed);
		}
	}
	plan_release(&p);
	return result != 0 ? FAILED : listed ? LISTS_FOUND : 0;
}

static int
lookup(const struct lists_order *o)
{
	struct err e = { 0 };
	struct urlrep *r;
	int result;

	if (o->words_n < 3)
		return fail("lookup: expected DB and URL …");
	r = open_lists(o->words[1], &e);
	if (r == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return FAILED;
	}
	result = ask_all(r, o, 2);
	urlrep_drop(r);
	return result;
}

static int
score(const struct lists_order *o)
{
	if (o->words_n < 2)
		return fail("score: expected URL …");
	return ask_all(NULL, o, 1);
}

/* Generations. */

static int
show_one(const char *path, bool sources)
{
	struct err e = { 0 };
	struct urlrep *r = open_lists(path, &e);
	struct urlrep_about about;
	char date[32];

	if (r == NULL) {
		printf("%s\n", e.text);
		return FAILED;
	}
	urlrep_about(r, &about);
	printf("%s: %s, %ju %s, %zu %s, ", path, date_words(about.made, date),
	    (uintmax_t)about.entries, in_language("entries", "項目"),
	    about.size, in_language("bytes", "バイト"));
	for (size_t i = 0; i < 8; i++)
		printf("%02x", about.digest[i]);
	putchar('\n');
	for (size_t i = 0; sources && i < about.sources; i++) {
		struct urlrep_source s;

		urlrep_source(r, i, &s);
		printf("  %s: %s, %s, %ju %s, %s %s\n", s.name, s.kind,
		    s.category, (uintmax_t)s.entries,
		    in_language("entries", "項目"),
		    in_language("read", "読込み"), date_words(s.read, date));
	}
	urlrep_drop(r);
	return 0;
}

static int
show(const struct lists_order *o)
{
	int result;

	if (o->words_n != 2)
		return fail("show: expected DB");
	result = show_one(o->words[1], true);
	for (unsigned i = 1; i <= GENERATIONS_MAX; i++) {
		char path[4096];
		int n = snprintf(path, sizeof(path), "%s.%u", o->words[1], i);

		if (n > 0 && (size_t)n < sizeof(path) &&
		    access(path, F_OK) == 0)
			(void)show_one(path, false);
	}
	return result;
}

static int
rollback(const struct lists_order *o)
{
	struct err e = { 0 };

	if (o->words_n != 2)
		return fail("rollback: expected DB");
	if (generation_rollback(o->words[1], &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return FAILED;
	}
	return show_one(o->words[1], false);
}

static const struct {
	const char *name;
	int (*run)(const struct lists_order *o);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ "compile", compile, "-o DB SOURCES.conf", "make a list file",
	    "一覧ファイルを作る" },
	{ "lookup", lookup, "DB URL …", "every entry that covers it",
	    "当てはまる項目をすべて示す" },
	{ "score", score, "URL …", "what the name looks like",
	    "名前の怪しさを示す" },
	{ "show", show, "DB", "its sources and generations",
	    "配信元と世代を示す" },
	{ "rollback", rollback, "DB", "the generation before",
	    "一つ前の世代に戻す" },
};

void
lists_usage(FILE *out)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  lists %-8s %-20s %s\n", commands[i].name,
		    commands[i].arguments,
		    in_language(commands[i].words_en, commands[i].words_ja));
	fputs("  lists: --accept SOURCE, --sources FILE, --at TIME, --json\n",
	    out);
}

int
lists_command(const struct lists_order *o)
{
	for (size_t i = 0; o->words_n > 0 && i < COUNT(commands); i++)
		if (strcmp(o->words[0], commands[i].name) == 0)
			return commands[i].run(o);
	lists_usage(stderr);
	return FAILED;
}
