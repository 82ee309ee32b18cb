/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/sets.h"

#include <string.h>
#include <unistd.h>

#include "filters/text/source.h"
#include "filters/text/text.h"
#include "filters/text/urls.h"
#include "filters/urlrep/generation.h"
#include "proxy/base/file.h"
#include "proxy/base/language.h"
#include "proxy/policy/pattern.h"

#define FAILED 1
#define FOUND 2
#define SET_SIZE_MAX ((size_t)1 << 30)
#define TEXT_SIZE_MAX ((size_t)64 << 20)
#define TEXT_PIECE ((size_t)65536)
#define NO_THRESHOLD INT64_MAX

static int
fail(const char *words)
{
	fprintf(stderr, "sekishoctl: sets: %s\n", words);
	return FAILED;
}

/* Making. */

static int
make(struct set_source *s, const struct sets_order *o, struct buf *out,
    struct err *e)
{
	struct set *made;

	for (size_t i = 1; i < o->words_n; i++)
		if (set_source_read(s, o->words[i], e) < 0)
			return -1;
	if (set_compile(s->kind, s->patterns, s->n, out, e) < 0)
		return -1;
	/* What was made is opened as who uses it will. */
	made = set_open(s->kind, buf_bytes(out), SET_CODE_PLAIN, e);
	if (made == NULL)
		return -1;
	set_free(made);
	return generation_write(o->output, buf_bytes(out), 0, e);
}

static int
compile(const struct sets_order *o)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct set_source s = { 0 };
	struct buf out;
	int result;

	if (o->output == NULL || o->words_n < 2)
		return fail("compile: expected -o SET and SOURCE.conf …");
	buf_init(&out, SET_SIZE_MAX);
	result = make(&s, o, &out, &e);
	if (result < 0)
		err_print(&e, stderr);
	else
		printf(language_is_japanese() ? "%s: %zu 件、%zu バイト\n"
					      : "%s: %zu patterns, %zu bytes\n",
		    o->output, s.n, out.n);
	buf_release(&out);
	set_source_release(&s);
	return result < 0 ? FAILED : 0;
}

/* Trying. */

static int
print_found(struct set *s, struct filter *f)
{
	int result = 0;

	for (size_t i = 0; i < set_count(s); i++) {
		if (!text_found(f, i))
			continue;
		printf("  %+d %s\n", set_weight(s, i), set_name(s, i));
		result = FOUND;
	}
	printf("  %s %lld\n", language_is_japanese() ? "合計" : "sum",
	    (long long)text_sum(f));
	return result;
}

static bool
looks_like_html(struct bytes text)
{
	while (text.n > 0 && text.p[0] <= ' ')
		bytes_take(&text, 1);
	return text.n > 0 && text.p[0] == '<';
}

/* "-": what comes by standard input. */
static int
read_text(const char *path, struct buf *out, struct err *e)
{
	ssize_t n = 1;

	if (strcmp(path, "-") != 0)
		return file_read(path, out, e);
	while (n > 0) {
		if (buf_reserve(out, TEXT_PIECE) < 0)
			return err_set(e, "-: larger than %zu bytes", out->max);
		n = read(STDIN_FILENO, out->p + out->n, TEXT_PIECE);
		if (n < 0)
			return err_set(e, "-: cannot be read: %m");
		out->n += (size_t)n;
	}
	return 0;
}

static int
test_text(struct set *s, const char *path)
{
	struct text_settings settings = { .set = s, .threshold = NO_THRESHOLD };
	struct err e = { 0 };
	struct buf text;
	struct filter *f;
	int result = FAILED;

	buf_init(&text, TEXT_SIZE_MAX);
	if (read_text(path, &text, &e) < 0 || text_prepare(&e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		goto release_text;
	}
	settings.html = looks_like_html(buf_bytes(&text));
	f = filter_new(&text_filter, &settings);
	if (filter_push(f, buf_bytes(&text), true, NULL) == FILTER_REFUSE) {
		fprintf(stderr, "%s: %s\n", path, f->why);
	} else {
		printf("%s (%s%s)\n", path, charset_name(text_charset(f)),
		    settings.html ? ", HTML" : "");
		result = print_found(s, f);
	}
	filter_free(f);
release_text:
	buf_release(&text);
	return result;
}

static bool
print_pattern(void *context, size_t i)
{
	struct set *s = context;

	printf("  %s\n", set_name(s, i));
	return true;
}

/* One reading of the URL, as rules see it. */
static int
test_reading(struct set *s, const struct url *u, struct bytes path)
{
	enum urls_answer answer = URLS_TOO_MUCH;
	struct bytes subject;

	if (pattern_subject(u, path, &subject) == 0) {
		printf("%.*s\n", BYTES_PRINTF(subject));
		answer = urls_match(s, subject, print_pattern, s);
	}
	if (answer == URLS_TOO_MUCH)
		puts(language_is_japanese() ? "  長すぎるか、手数がかかりすぎる"
					    : "  too long, or too many steps");
	return answer == URLS_NO ? 0 : FOUND;
}

/* A path may be read in two ways; who tightens asks for either. */
static int
test_url(struct set *s, const char *text)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	const char *why;
	int result = FAILED;

	if (url_parse_absolute(&u, bytes_of(text), &a, &why) < 0) {
		fprintf(stderr, "%s: %s\n", text, why);
	} else {
		result = test_reading(s, &u, u.path_canonical);
		if (!bytes_equal(u.path_canonical, u.path_loose) &&
		    test_reading(s, &u, u.path_loose) == FOUND)
			result = FOUND;
	}
	arena_release(&a);
	return result;
}

static struct set *
open_set(const char *path, enum set_kind *kind, struct err *e)
{
	struct set *s;

	*kind = SET_URLS;
	s = set_map(SET_URLS, path, SET_CODE_JIT, e);
	if (s != NULL)
		return s;
	*kind = SET_TEXT;
	return set_map(SET_TEXT, path, SET_CODE_JIT, e);
}

static int
test(const struct sets_order *o)
{
	struct err e = { 0 };
	enum set_kind kind;
	struct set *s;
	int result = 0;

	if (o->words_n < 3)
		return fail("test: expected SET and FILE …, or URL …");
	s = open_set(o->words[1], &kind, &e);
	if (s == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return FAILED;
	}
	for (size_t i = 2; i < o->words_n && result != FAILED; i++) {
		int one = kind == SET_TEXT ? test_text(s, o->words[i])
					   : test_url(s, o->words[i]);

		result = one == 0 ? result : one;
	}
	set_free(s);
	return result;
}

static const struct {
	const char *name;
	int (*run)(const struct sets_order *o);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ "compile", compile, "-o SET SOURCE.conf …",
	    "make a set of phrases or URL patterns",
	    "語句・URL パターンの集まりを作る" },
	{ "test", test, "SET FILE|- … | URL …", "what of it is found there",
	    "そこで見つかるものを示す" },
};

void
sets_usage(FILE *out)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  sets %-8s %-21s %s\n", commands[i].name,
		    commands[i].arguments,
		    language_is_japanese() ? commands[i].words_ja
					   : commands[i].words_en);
}

int
sets_command(const struct sets_order *o)
{
	for (size_t i = 0; o->words_n > 0 && i < COUNT(commands); i++)
		if (strcmp(o->words[0], commands[i].name) == 0)
			return commands[i].run(o);
	sets_usage(stderr);
	return FAILED;
}
