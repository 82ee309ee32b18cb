/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/text/source.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define WEIGHT_MAX 1000000

struct set_entry {
	const char *kind;
	const char *name, *text, *pattern;
	bool ignore_case;
};

#define NAME_ROW                                                              \
	SETTING_TEXT_ROW(set_entry, name, "", 0, NAME_MAX_BYTES,              \
	    "What it is called where it is found; else the beginning of what" \
	    " it is.",                                                        \
	    "見つかったときに示す名前。なければ先頭の部分。")
#define CASE_ROW                                           \
	SETTING(set_entry, ignore_case, FLAG, false, 0, 1, \
	    "Whether A and a are the same.", "大文字と小文字を区別しないか。")
#define WEIGHT_ROW                                                                         \
	SETTING_NEST_ROW(weight,                                                           \
	    "In kind \"text\": what it weighs, -1000000 to 1000000, not"                   \
	    " 0. Each counts once.",                                                       \
	    "kind が \"text\" のとき、その重み（-1000000 から 1000000、0 を" \
	    "除く）。何度現れても一度数える。")

const struct setting set_table[] = {
	SETTING_TEXT_ROW(set_entry, kind, "text", 1, 8,
	    "\"text\", for phrases inspections; \"urls\", for lists of kind"
	    " \"patterns\".",
	    "\"text\"（phrases の検査用）または \"urls\"（kind が \"patterns\""
	    " の一覧用）。"),
	SETTING_NEST_ROW(phrases, "These letters, no pattern; a list.",
	    "文字どおりの語句（並び）。"),
	SETTING_NEST_ROW(
	    patterns, "PCRE2 patterns; a list.", "PCRE2 のパターン（並び）。"),
};
const size_t set_table_n = COUNT(set_table);

const struct setting set_phrase_table[] = {
	SETTING_TEXT_ROW(
	    set_entry, text, NULL, 1, SET_PATTERN_MAX, "The phrase.", "語句。"),
	WEIGHT_ROW,
	CASE_ROW,
	NAME_ROW,
};
const size_t set_phrase_table_n = COUNT(set_phrase_table);

const struct setting set_pattern_table[] = {
	SETTING_TEXT_ROW(set_entry, pattern, NULL, 1, SET_PATTERN_MAX,
	    "The pattern.", "パターン。"),
	WEIGHT_ROW,
	CASE_ROW,
	NAME_ROW,
};
const size_t set_pattern_table_n = COUNT(set_pattern_table);

static const struct {
	const char *name;
	enum set_kind kind;
} kinds[] = {
	{ "text", SET_TEXT },
	{ "urls", SET_URLS },
};

static bool
is_control(char c)
{
	return (uint8_t)c < ' ' || c == 0x7f;
}

static bool
has_control(const char *text)
{
	while (*text != '\0' && !is_control(*text))
		text++;
	return *text != '\0';
}

/* As much as fits, of whole characters; it is printed in one line. */
static const char *
name_of(const char *text, struct arena *a)
{
	char *name;
	size_t n = strnlen(text, NAME_MAX_BYTES + 1);

	if (n > NAME_MAX_BYTES)
		for (n = NAME_MAX_BYTES;
		     n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;)
			n--;
	name = arena_string(a, (struct bytes){ (const uint8_t *)text, n });
	for (size_t i = 0; i < n; i++)
		if (is_control(name[i]))
			name[i] = ' ';
	return name;
}

static int
read_weight(const struct set_source *s, const config_setting_t *group,
    int32_t *out, struct err *e)
{
	const config_setting_t *w = config_setting_get_member(group, "weight");
	int value = w == NULL ? 0 : config_setting_get_int(w);

	*out = value;
	if (s->kind == SET_URLS)
		return w == NULL ? 0
				 : setting_error(w, e,
				       "weight: expected none in kind"
				       " \"urls\"");
	if (w == NULL || config_setting_type(w) != CONFIG_TYPE_INT ||
	    value == 0 || value > WEIGHT_MAX || value < -WEIGHT_MAX)
		return setting_error(w == NULL ? group : w, e,
		    "weight: expected a number from -%d to %d, not 0",
		    WEIGHT_MAX, WEIGHT_MAX);
	return 0;
}

static struct set_pattern *
add(struct set_source *s)
{
	if (s->n == s->size) {
		s->size = s->size == 0 ? 256 : s->size * 2;
		s->patterns = realloc(
		    s->patterns, size_mul(s->size, sizeof(*s->patterns)));
		must(s->patterns != NULL);
	}
	return &s->patterns[s->n++];
}

static int
read_one(struct set_source *s, const config_setting_t *group, bool phrase,
    struct err *e)
{
	struct set_entry entry = { 0 };
	const char *text;
	int32_t weight;
	unsigned flags;

	if (setting_load(phrase ? set_phrase_table : set_pattern_table,
		phrase ? set_phrase_table_n : set_pattern_table_n, group,
		&entry, &s->arena, e) < 0 ||
	    read_weight(s, group, &weight, e) < 0)
		return -1;
	if (has_control(entry.name))
		return setting_error(
		    group, e, "name has a control character, expected none");
	if (s->n == SET_PATTERNS_MAX)
		return setting_error(group, e,
		    "more than %d phrases and patterns", SET_PATTERNS_MAX);
	text = phrase ? entry.text : entry.pattern;
	flags = (phrase ? SET_PHRASE : 0u) |
	    (entry.ignore_case ? SET_CASELESS : 0u);
	*add(s) = (struct set_pattern){
		.name = entry.name[0] != '\0' ? entry.name
					      : name_of(text, &s->arena),
		.text = text,
		.weight = weight,
		.flags = flags,
		.where = arena_printf(&s->arena, "%s:%u", setting_source(group),
		    config_setting_source_line(group)),
	};
	return 0;
}

static int
read_list(struct set_source *s, const config_setting_t *root, const char *key,
    struct err *e)
{
	const config_setting_t *list = setting_list(root, key, e);
	int result = 0;

	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	for (int i = 0; i < config_setting_length(list); i++)
		if (err_take(&result,
			read_one(s, config_setting_get_elem(list, (unsigned)i),
			    strcmp(key, "phrases") == 0, e),
			e) < 0)
			return -1;
	return result;
}

static int
read_kind(struct set_source *s, const config_setting_t *root, const char *name,
    struct err *e)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		if (s->n > 0 && s->kind != kinds[i].kind)
			return setting_error(root, e,
			    "kind is \"%s\", expected that of the files"
			    " before it",
			    name);
		s->kind = kinds[i].kind;
		return 0;
	}
	return setting_error(
	    root, e, "kind is \"%s\", expected text or urls", name);
}

static int
read_root(struct set_source *s, const config_setting_t *root, struct err *e)
{
	struct set_entry entry = { 0 };
	size_t before = s->n;
	int result = 0;

	if (setting_load(set_table, set_table_n, root, &entry, &s->arena, e) <
		0 ||
	    read_kind(s, root, entry.kind, e) < 0 ||
	    err_take(&result, read_list(s, root, "phrases", e), e) < 0 ||
	    err_take(&result, read_list(s, root, "patterns", e), e) < 0)
		return -1;
	return result == 0 && s->n == before
	    ? setting_error(
		  root, e, "no phrases and no patterns, expected some")
	    : result;
}

static int
compare_texts(const void *a, const void *b)
{
	const struct set_pattern *const *x = a;
	const struct set_pattern *const *y = b;
	int order = strcmp((*x)->text, (*y)->text);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static int
refuse_twin(const struct set_pattern *const *p, struct err *e)
{
	if (strcmp(p[-1]->text, p[0]->text) != 0 || p[-1]->flags != p[0]->flags)
		return 0;
	return err_set(e, "%s: \"%s\" is there twice, first at %s", p[0]->where,
	    p[0]->name, p[-1]->where);
}

/* The same twice would weigh twice. */
static int
refuse_twins(const struct set_source *s, struct err *e)
{
	const struct set_pattern **sorted = calloc(s->n + 1, sizeof(*sorted));
	int result = 0;

	must(sorted != NULL);
	for (size_t i = 0; i < s->n; i++)
		sorted[i] = &s->patterns[i];
	qsort(sorted, s->n, sizeof(*sorted), compare_texts);
	for (size_t i = 1; i < s->n; i++)
		if (err_take(&result, refuse_twin(sorted + i, e), e) < 0)
			break;
	free(sorted);
	return result;
}

int
set_source_read(struct set_source *s, const char *path, struct err *e)
{
	config_t config;
	int result = setting_read(path, &config, e);

	if (result == 0)
		result = read_root(s, config_root_setting(&config), e);
	config_destroy(&config);
	return result < 0 ? -1 : refuse_twins(s, e);
}

void
set_source_release(struct set_source *s)
{
	free(s->patterns);
	arena_release(&s->arena);
	*s = (struct set_source){ 0 };
}
