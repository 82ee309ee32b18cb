/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: what a reader sees of HTML in UTF-8, as it streams: without tags,
 * comments, scripts and styles; references decoded; runs of white space one
 * space; characters without width left out. Tags of blocks part words, others
 * do not. It is no parser: what browsers repair it may see a little otherwise.
 */
#pragma once

#include "proxy/base/buf.h"

/* What n bytes can become, with what was held back. */
#define VIEW_OUT_MAX(n) ((n) + 96)
#define VIEW_WORD_MAX 24

enum view_state {
	VIEW_TEXT,
	VIEW_REFERENCE, /* behind & */
	VIEW_OPEN,      /* behind < */
	VIEW_NAME,
	VIEW_TAG,
	VIEW_QUOTED,
	VIEW_DECLARATION, /* behind <! or <? */
	VIEW_COMMENT,
	VIEW_RAW, /* in a script or style */
};

enum view_attribute {
	VIEW_BEFORE_NAME,
	VIEW_IN_NAME, /* or behind it */
	VIEW_BEFORE_VALUE,
	VIEW_IN_VALUE,
};

/* Plain, so that it can be embedded; read by view.c alone. */
struct view {
	enum view_state state;
	bool plain; /* no HTML: white space and width alone */
	bool space; /* a space is due before the next letter */
	bool begun;
	bool closing;
	bool shown; /* raw text that is seen */
	enum view_attribute attribute;
	uint8_t quote;
	uint8_t held[4]; /* of a character */
	size_t held_n;
	uint8_t word[VIEW_WORD_MAX]; /* a tag's name, a reference */
	size_t word_n;
	uint8_t raw[VIEW_WORD_MAX]; /* the element whose end is waited for */
	size_t raw_n;
	unsigned foreign; /* svg and math that are open */
	unsigned dashes;
	struct buf *out;
};

void view_init(struct view *v, bool plain);
/* Appends to out, which must have VIEW_OUT_MAX(text.n) left. */
void view_push(struct view *v, struct bytes text, bool last, struct buf *out);
