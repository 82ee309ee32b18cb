/* SPDX-License-Identifier: Apache-2.0 */
/*
 * css_token: the tokens of CSS
 * (https://www.w3.org/TR/css-syntax-3/#tokenization) read with their escapes
 * undone, and written so that they read the same everywhere.
 */
#pragma once

#include "filters/detox.h"

#define CSS_NAME_MAX ((size_t)1024)

enum css_kind {
	CSS_END,
	CSS_SPACE,    /* and comments */
	CSS_NAME,     /* text */
	CSS_FUNCTION, /* text, then '(' */
	CSS_AT,       /* '@', then text */
	CSS_HASH,     /* '#', then text */
	CSS_STRING,   /* text */
	CSS_URL,      /* text */
	CSS_NUMBER,   /* number as it stands, then text: its unit, or "%" */
	CSS_MARK,     /* one character, mark */
	CSS_BAD,      /* what no reader takes */
};

struct css_token {
	enum css_kind kind;
	struct bytes text; /* until the next token is read */
	struct bytes number;
	uint8_t mark;
};

struct css_reader {
	struct bytes in;
	struct buf text; /* of the present token */
};

void css_reader_init(struct css_reader *r, struct bytes in);
void css_reader_release(struct css_reader *r);
void css_read(struct css_reader *r, struct css_token *out);
/* 0, or -1 at out's limit. Not of CSS_BAD, CSS_URL. */
int css_write(const struct css_token *t, struct buf *out) MUST_CHECK;
/* The name, whatever its case. */
bool css_is(const struct css_token *t, enum css_kind kind, const char *name);
static inline bool
css_is_mark(const struct css_token *t, char mark)
{
	return t->kind == CSS_MARK && t->mark == (uint8_t)mark;
}
