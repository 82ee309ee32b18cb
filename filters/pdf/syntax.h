/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syntax: values of PDF (ISO 32000-2, 7.3) as libqpdf prints them: one after
 * the other, with blanks between, names and strings in one spelling. All that
 * it gives points into the text.
 */
#pragma once

#include "proxy/base/buf.h"

enum syntax_kind {
	SYNTAX_NOTHING = 0, /* the end */
	SYNTAX_DICTIONARY,
	SYNTAX_ARRAY,
	SYNTAX_NAME,
	SYNTAX_STRING,
	SYNTAX_REFERENCE,
	SYNTAX_PLAIN, /* a number, true, false, null */
};

struct syntax_reference {
	int id;
	int generation;
};

/* Of the next value. Blanks before it leave *t. */
enum syntax_kind syntax_next(struct bytes *t);
/* The next value, whole, which leaves *t; empty: the end. */
struct bytes syntax_take(struct bytes *t);
/* Takes a mark ("<<", "]") if it is next. */
bool syntax_skip(struct bytes *t, const char *mark);
/* What the value refers to; false: it is none. */
bool syntax_refers(struct bytes value, struct syntax_reference *out);
/* The value of a dictionary's key, without the slash; empty: it has none. */
struct bytes syntax_get(struct bytes dictionary, const char *key);
/* Whether a name, with its slash, reads so. An escape in it is what it stands
 * for: libqpdf prints a # that was no escape as it is, and what follows may
 * make it one. */
bool syntax_is(struct bytes name, struct bytes want);
/* The bytes of a string, appended; -1 at the limit. */
int syntax_string(struct bytes value, struct buf *out) MUST_CHECK;
