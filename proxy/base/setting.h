/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting: a table that says what a group of a libconfig file may hold: each
 * key's field, kind, default, bounds, and the words of the manual in both
 * languages. Loading is strict: an unknown key, a wrong kind, a value out of
 * bounds give "file:line: what is wrong, what was expected".
 */
#pragma once

#include <libconfig.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proxy/base/arena.h"
#include "proxy/base/err.h"

enum setting_kind {
	SETTING_COUNT,   /* uint32_t */
	SETTING_SECONDS, /* uint64_t, in milliseconds; the file: 2, 0.5 */
	SETTING_SIZE,    /* size_t, in bytes; the file: 4096, "64 KiB" */
	SETTING_FLAG,    /* bool */
	SETTING_TEXT,    /* const char * in the arena; never NULL */
	SETTING_TEXTS,   /* struct texts: a list of strings */
	SETTING_NEST,    /* a list or group that the module reads itself */
};

struct texts {
	const char **p;
	size_t n;
	const config_setting_t *where; /* for messages while loading */
};

struct setting {
	const char *key;
	enum setting_kind kind;
	size_t offset;
	/* The bounds are of the number, of the text's length in bytes, or of
	 * the count of texts. Times are in seconds here. */
	double initial, min, max;
	const char *initial_text; /* NULL on a text: the key must be given */
	const char *words_en, *words_ja;
};

/* offsetof, that does not compile when the field is not of type `type`. */
#define SETTING_FIELD(owner, field, type)                         \
	(offsetof(struct owner, field) +                          \
	    0 *                                                   \
		sizeof(char[_Generic(                             \
		    ((struct owner *)0)->field, type : 1, default \
		    : -1)]))

#define SETTING_TYPE_COUNT uint32_t
#define SETTING_TYPE_SECONDS uint64_t
#define SETTING_TYPE_SIZE size_t
#define SETTING_TYPE_FLAG bool
#define SETTING_TYPE_TEXT const char *
#define SETTING_TYPE_TEXTS struct texts

/*
 * A row for numbers and flags. The key is the field's name, less `_ms`, which
 * is written KIND SECONDS: SETTING_SECONDS_ROW(owner, header_timeout, …) fills
 * owner.header_timeout_ms.
 */
#define SETTING(owner, field, what, initial_, min_, max_, en, ja)           \
	{                                                                   \
		.key = #field, .kind = SETTING_##what,                      \
		.offset = SETTING_FIELD(owner, field, SETTING_TYPE_##what), \
		.initial = (initial_), .min = (min_), .max = (max_),        \
		.words_en = (en), .words_ja = (ja)                          \
	}
#define SETTING_SECONDS_ROW(owner, field, initial_, min_, max_, en, ja) \
	{                                                               \
		.key = #field, .kind = SETTING_SECONDS,                 \
		.offset = SETTING_FIELD(owner, field##_ms, uint64_t),   \
		.initial = (initial_), .min = (min_), .max = (max_),    \
		.words_en = (en), .words_ja = (ja)                      \
	}
/* initial_: a string, or NULL when the key must be given. */
#define SETTING_TEXT_ROW(owner, field, initial_, min_, max_, en, ja)      \
	{                                                                 \
		.key = #field, .kind = SETTING_TEXT,                      \
		.offset = SETTING_FIELD(owner, field, const char *),      \
		.initial_text = (initial_), .min = (min_), .max = (max_), \
		.words_en = (en), .words_ja = (ja)                        \
	}
/* A key whose value the module reads itself. */
#define SETTING_NEST_ROW(name, en, ja)                                \
	{                                                             \
		.key = #name, .kind = SETTING_NEST, .words_en = (en), \
		.words_ja = (ja)                                      \
	}

/* A named group of the settings files, for the loader and for the manual. */
struct setting_group {
	const char *name; /* "limits"; "listeners[]" for each of a list */
	const struct setting *table;
	size_t n;
	const char *words_en, *words_ja;
};

/*
 * Fills *settings (of the table's struct) from group; NULL means an absent
 * group, which gives the defaults. 0, or -1 and *e.
 */
int setting_load(const struct setting *table, size_t n,
    const config_setting_t *group, void *settings, struct arena *a,
    struct err *e) MUST_CHECK;

/* One list of strings by its row, for a key of the root. 0, or -1 and *e. */
int setting_load_texts(const struct setting *row, const config_setting_t *s,
    struct texts *out, struct arena *a, struct err *e) MUST_CHECK;

/* The file that it stands in; "settings" when it came from no file. Lives as
 * long as the config_t. */
const char *setting_source(const config_setting_t *where);
/* Fills *e with "file:line: " and the words. Always -1. */
int setting_error(const config_setting_t *where, struct err *e,
    const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Reads a libconfig file (its @include relative to it) into *config, which the
 * caller destroys in either case. 0, or -1 and *e.
 */
int setting_read(const char *path, config_t *config, struct err *e) MUST_CHECK;

/*
 * The member of a group that must be a list (or array); NULL with *e empty
 * when absent, NULL with *e filled when it is something else.
 */
const config_setting_t *setting_list(
    const config_setting_t *group, const char *key, struct err *e);

/* Prints the groups as Markdown; language "ja" or "en". */
void setting_manual(FILE *out, const struct setting_group *groups, size_t n,
    const char *language);
