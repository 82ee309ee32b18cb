/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/setting.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/file.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define FILES_MAX_BYTES ((size_t)32 << 20)
#define INCLUDES_MAX 10u /* libconfig's own */
#define KEY_MAX 32       /* of keys whose spelling is guessed */

const char *
setting_source(const config_setting_t *where)
{
	const char *file = config_setting_source_file(where);

	return file == NULL ? "settings" : file;
}

int
setting_error(
    const config_setting_t *where, struct err *e, const char *format, ...)
{
	char words[ERR_TEXT_MAX];
	unsigned line;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	/* What is wrong with a file as a whole is told of its first line. */
	line = config_setting_source_line(where);
	return err_set(
	    e, "%s:%u: %s", setting_source(where), line > 0 ? line : 1, words);
}

static int
number_of(const config_setting_t *s, double *out)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*out = (double)config_setting_get_int64(s);
		return 0;
	case CONFIG_TYPE_FLOAT:
		*out = config_setting_get_float(s);
		return isfinite(*out) ? 0 : -1;
	default:
		return -1;
	}
}

/* "64 KiB"; bare numbers are bytes. */
static int
size_of(const config_setting_t *s, double *out)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = {
		{ "B", 1 },
		{ "KiB", 1024 },
		{ "MiB", 1024.0 * 1024 },
		{ "GiB", 1024.0 * 1024 * 1024 },
	};
	const char *text;
	char *unit;

	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return number_of(s, out);
	text = config_setting_get_string(s);
	*out = strtod(text, &unit);
	if (unit == text || !isfinite(*out))
		return -1;
	while (*unit == ' ')
		unit++;
	for (size_t i = 0; i < COUNT(units); i++)
		if (strcmp(unit, units[i].name) == 0) {
			*out *= units[i].bytes;
			return 0;
		}
	return -1;
}

static int
load_number(const struct setting *row, const config_setting_t *s, double *out,
    struct err *e)
{
	bool is_size = row->kind == SETTING_SIZE;

	if ((is_size ? size_of(s, out) : number_of(s, out)) < 0)
		return setting_error(s, e, "%s: expected %s", row->key,
		    is_size ? "a size such as 4096 or \"64 KiB\"" : "a number");
	if (row->kind != SETTING_SECONDS && *out != floor(*out))
		return setting_error(
		    s, e, "%s: expected a whole number", row->key);
	if (*out < row->min || *out > row->max)
		return setting_error(s, e,
		    "%s is %.15g, expected %.15g to %.15g", row->key, *out,
		    row->min, row->max);
	return 0;
}

static int
load_text(const struct setting *row, const config_setting_t *s,
    const char **out, struct arena *a, struct err *e)
{
	struct bytes text;

	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return setting_error(
		    s, e, "%s: expected a string in quotes", row->key);
	text = bytes_of(config_setting_get_string(s));
	if ((double)text.n < row->min || (double)text.n > row->max)
		return setting_error(s, e,
		    "%s has %zu bytes, expected %.15g to %.15g", row->key,
		    text.n, row->min, row->max);
	*out = arena_string(a, text);
	return 0;
}

int
setting_load_texts(const struct setting *row, const config_setting_t *s,
    struct texts *out, struct arena *a, struct err *e)
{
	size_t n = (size_t)config_setting_length(s);

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return setting_error(
		    s, e, "%s: expected a list of strings", row->key);
	if ((double)n < row->min || (double)n > row->max)
		return setting_error(s, e,
		    "%s has %zu members, expected %.15g to %.15g", row->key, n,
		    row->min, row->max);
	*out = (struct texts){ ARENA_ARRAY(a, const char *, n), n, s };
	for (size_t i = 0; i < n; i++) {
		const char *text = config_setting_get_string_elem(s, (int)i);

		if (text == NULL)
			return setting_error(
			    s, e, "%s: expected strings in quotes", row->key);
		out->p[i] = arena_string(a, bytes_of(text));
	}
	return 0;
}

/* A double that does not fit has no value as another type: each kind converts
 * its own, within its bounds. */
static void
store_number(const struct setting *row, double number, uint8_t *field)
{
	uint32_t count;
	uint64_t ms;
	size_t size;
	bool flag;

	switch (row->kind) {
	case SETTING_COUNT:
		count = (uint32_t)number;
		memcpy(field, &count, sizeof(count));
		return;
	case SETTING_SECONDS:
		ms = (uint64_t)(number * 1000 + 0.5); /* 1.001 is less */
		memcpy(field, &ms, sizeof(ms));
		return;
	case SETTING_SIZE:
		size = (size_t)number;
		memcpy(field, &size, sizeof(size));
		return;
	case SETTING_FLAG:
		flag = number != 0;
		memcpy(field, &flag, sizeof(flag));
		return;
	case SETTING_TEXT:
	case SETTING_TEXTS:
	case SETTING_NEST:
		return;
	}
}

static int
load_row(const struct setting *row, const config_setting_t *s, uint8_t *field,
    struct arena *a, struct err *e)
{
	double number = 0;
	const char *text = NULL;
	struct texts texts = { 0 };

	switch (row->kind) {
	case SETTING_COUNT:
	case SETTING_SECONDS:
	case SETTING_SIZE:
		if (load_number(row, s, &number, e) < 0)
			return -1;
		store_number(row, number, field);
		return 0;
	case SETTING_FLAG:
		if (config_setting_type(s) != CONFIG_TYPE_BOOL)
			return setting_error(
			    s, e, "%s: expected true or false", row->key);
		store_number(row, config_setting_get_bool(s), field);
		return 0;
	case SETTING_TEXT:
		if (load_text(row, s, &text, a, e) < 0)
			return -1;
		memcpy(field, &text, sizeof(text));
		return 0;
	case SETTING_TEXTS:
		if (setting_load_texts(row, s, &texts, a, e) < 0)
			return -1;
		memcpy(field, &texts, sizeof(texts));
		return 0;
	case SETTING_NEST:
		return 0;
	}
	return 0;
}

static const struct setting *
find_row(const struct setting *table, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].key, key) == 0)
			return &table[i];
	return NULL;
}

/* How many letters differ (Levenshtein), for short words. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[KEY_MAX + 1];
	size_t n = strlen(b);

	if (strlen(a) > KEY_MAX || n > KEY_MAX)
		return KEY_MAX;
	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (; *a != '\0'; a++) {
		size_t corner = row[0]++;

		for (size_t k = 1; k <= n; k++) {
			size_t changed = corner + (*a != b[k - 1]);

			corner = row[k];
			row[k] = changed;
			if (corner + 1 < row[k])
				row[k] = corner + 1;
			if (row[k - 1] + 1 < row[k])
				row[k] = row[k - 1] + 1;
		}
	}
	return row[n];
}

/* What was meant, when it is near enough; NULL: who knows. */
static const char *
likely_key(const struct setting *table, size_t n, const char *key)
{
	size_t least = strlen(key) > 4 ? 3 : 2;
	const char *likely = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(key, table[i].key);

		if (d >= least)
			continue;
		least = d;
		likely = table[i].key;
	}
	return likely;
}

static int
unknown_key(const struct setting *table, size_t n, const config_setting_t *s,
    const char *key, struct err *e)
{
	const char *likely = likely_key(table, n, key);
	char keys[ERR_TEXT_MAX / 2] = "";
	size_t used = 0;

	if (likely != NULL)
		return setting_error(s, e,
		    "unknown key \"%s\", did you mean \"%s\"?", key, likely);
	for (size_t k = 0; k < n && used < sizeof(keys); k++)
		used += (size_t)snprintf(
		    keys + used, sizeof(keys) - used, " %s", table[k].key);
	return setting_error(
	    s, e, "unknown key \"%s\", expected one of:%s", key, keys);
}

static int
check_keys(const struct setting *table, size_t n, const config_setting_t *group,
    struct err *e)
{
	int result = 0;

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s =
		    config_setting_get_elem(group, (unsigned)i);
		const char *key = config_setting_name(s);

		if (key != NULL && find_row(table, n, key) != NULL)
			continue;
		if (err_take(&result,
			unknown_key(table, n, s, key == NULL ? "" : key, e),
			e) < 0)
			return -1;
	}
	return result;
}

/* The value of a key that the file does not give. */
static int
load_default(const struct setting *row, const config_setting_t *group,
    uint8_t *field, struct err *e)
{
	struct texts none = { 0 };

	if (row->kind == SETTING_TEXTS) {
		memcpy(field, &none, sizeof(none));
		return 0;
	}
	if (row->kind != SETTING_TEXT) {
		store_number(row, row->initial, field);
		return 0;
	}
	if (row->initial_text == NULL && group == NULL)
		return err_set(e, "settings: %s is missing", row->key);
	if (row->initial_text == NULL)
		return setting_error(
		    group, e, "%s is missing, expected a string", row->key);
	memcpy(field, &row->initial_text, sizeof(row->initial_text));
	return 0;
}

int
setting_load(const struct setting *table, size_t n,
    const config_setting_t *group, void *settings, struct arena *a,
    struct err *e)
{
	int result = 0;

	if (group != NULL && !config_setting_is_group(group))
		return setting_error(group, e, "expected a group { … }");
	if (group != NULL &&
	    err_take(&result, check_keys(table, n, group, e), e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const config_setting_t *s = group == NULL
		    ? NULL
		    : config_setting_get_member(group, table[i].key);
		uint8_t *field = (uint8_t *)settings + table[i].offset;

		if (err_take(&result,
			s == NULL ? load_default(&table[i], group, field, e)
				  : load_row(&table[i], s, field, a, e),
			e) < 0)
			return -1;
	}
	return result;
}

/* What @include names on such a line, or nothing. */
static struct bytes
included(struct bytes line)
{
	line = bytes_trim(line);
	if (!bytes_start_with(line, BYTES("@include")))
		return (struct bytes){ 0 };
	bytes_take_until(&line, '"');
	return bytes_take_until(&line, '"');
}

struct look {
	const char *folder; /* where all names of includes begin */
	struct arena arena;
	size_t left; /* bytes that all files may have together */
	unsigned depth;
};

static int look_into(struct look *l, const char *path, struct err *e);

static int
look_at_line(struct look *l, const char *path, unsigned number,
    struct bytes line, struct err *e)
{
	struct bytes name = included(line);
	struct err inner = { 0 };
	int result;

	if (line.n > LINE_MAX_BYTES)
		return err_set(e, "%s:%u: a line of %zu bytes, expected %zu",
		    path, number, line.n, LINE_MAX_BYTES);
	if (name.n == 0)
		return 0;
	l->depth++;
	result = look_into(l,
	    arena_printf(&l->arena, "%s/%.*s", l->folder, BYTES_PRINTF(name)),
	    &inner);
	l->depth--;
	if (result < 0)
		err_set(e, "%s:%u: @include: %s", path, number, inner.text);
	return result;
}

/*
 * libconfig's scanner ends the process when it is given a folder, waits for
 * ever for a pipe, and needs the square of a token's length. So what it will
 * read is looked at first.
 */
static int
look_into(struct look *l, const char *path, struct err *e)
{
	struct buf text;
	struct bytes rest;
	unsigned number = 0;
	int result;

	if (l->depth > INCLUDES_MAX)
		return err_set(e,
		    "%s: included too deeply, expected %u at most", path,
		    INCLUDES_MAX);
	buf_init(&text, l->left);
	result = file_read(path, &text, e);
	rest = buf_bytes(&text);
	l->left -= text.n;
	while (result == 0 && rest.n > 0)
		result = look_at_line(
		    l, path, ++number, bytes_take_until(&rest, '\n'), e);
	buf_release(&text);
	return result;
}

int
setting_read(const char *path, config_t *config, struct err *e)
{
	const char *slash = strrchr(path, '/');
	struct look look = { .left = FILES_MAX_BYTES };
	struct bytes folder = BYTES(".");
	int looked;

	config_init(config);
	if (slash != NULL)
		folder = (struct bytes){ (const uint8_t *)path,
			(size_t)(slash - path) + (slash == path) };
	look.folder = arena_string(&look.arena, folder);
	config_set_include_dir(config, look.folder);
	looked = look_into(&look, path, e);
	arena_release(&look.arena);
	if (looked < 0)
		return -1;
	if (config_read_file(config, path) == CONFIG_TRUE)
		return 0;
	if (config_error_type(config) == CONFIG_ERR_FILE_IO)
		return err_set(e, "%s: cannot be read", path);
	return err_set(e, "%s:%d: %s, expected libconfig syntax",
	    config_error_file(config) == NULL ? path
					      : config_error_file(config),
	    config_error_line(config), config_error_text(config));
}

const config_setting_t *
setting_list(const config_setting_t *group, const char *key, struct err *e)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	e->text[0] = '\0';
	if (s == NULL)
		return NULL;
	if (config_setting_is_list(s) || config_setting_is_array(s))
		return s;
	setting_error(s, e, "%s: expected a list ( … )", key);
	return NULL;
}

static const char *
kind_words(enum setting_kind kind, bool ja)
{
	switch (kind) {
	case SETTING_COUNT:
		return ja ? "整数" : "number";
	case SETTING_SECONDS:
		return ja ? "秒" : "seconds";
	case SETTING_SIZE:
		return ja ? "大きさ" : "size";
	case SETTING_FLAG:
		return ja ? "真偽" : "true/false";
	case SETTING_TEXT:
		return ja ? "文字列" : "text";
	case SETTING_TEXTS:
		return ja ? "文字列の並び" : "list of texts";
	case SETTING_NEST:
		return ja ? "組・並び" : "group or list";
	}
	return "";
}

static void
manual_row(FILE *out, const struct setting *row, bool ja)
{
	fprintf(out, "| `%s` | %s | ", row->key, kind_words(row->kind, ja));
	switch (row->kind) {
	case SETTING_COUNT:
	case SETTING_SECONDS:
	case SETTING_SIZE:
		fprintf(out, "%.15g | %.15g – %.15g", row->initial, row->min,
		    row->max);
		break;
	case SETTING_FLAG:
		fprintf(out, "%s | ", row->initial != 0 ? "true" : "false");
		break;
	case SETTING_TEXT:
		if (row->initial_text != NULL)
			fprintf(out, "\"%s\" | ", row->initial_text);
		else
			fprintf(out, "%s | ", ja ? "必須" : "required");
		break;
	case SETTING_TEXTS:
	case SETTING_NEST:
		fprintf(out, " | ");
		break;
	}
	fprintf(out, " | %s |\n", ja ? row->words_ja : row->words_en);
}

void
setting_manual(FILE *out, const struct setting_group *groups, size_t n,
    const char *language)
{
	bool ja = strcmp(language, "ja") == 0;

	for (size_t i = 0; i < n; i++) {
		fprintf(out, "## %s\n\n%s\n\n",
		    groups[i].name[0] == '\0' ? "sekisho.conf" : groups[i].name,
		    ja ? groups[i].words_ja : groups[i].words_en);
		fputs(ja ? "| キー | 種類 | 既定値 | 範囲 | 意味 |\n"
			 : "| key | kind | default | bounds | meaning |\n",
		    out);
		fputs("|---|---|---|---|---|\n", out);
		for (size_t k = 0; k < groups[i].n; k++)
			manual_row(out, &groups[i].table[k], ja);
		fputs("\n", out);
	}
}
