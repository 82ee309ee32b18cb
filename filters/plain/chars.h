/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chars: a text, one character after the other, each with the bytes that it
 * is. What is cut off behind a character begins with a character.
 */
#pragma once

#include "filters/text/convert.h"

enum char_kind {
	CHAR_TEXT,
	CHAR_ESCAPE,  /* ISO 2022-JP's change of its set */
	CHAR_DAMAGED, /* no character; raw is the least that is none */
};

struct character {
	enum char_kind kind;
	uint32_t c; /* TEXT: its scalar value; U+FFFD when its place in the
		     * charset has none */
	struct bytes raw;
};

/* Plain, so that it can be copied to look ahead. */
struct chars {
	enum charset charset;
	enum jis_set jis;
	struct bytes rest;
};

/* text begins behind its mark; it is borrowed. text_prepare must have been
 * called. */
void chars_init(struct chars *s, enum charset c, struct bytes text);
/* false: no more. */
bool chars_next(struct chars *s, struct character *out);
/* The charset of a text without a mark, or with one of *mark_out bytes. */
enum charset chars_charset(struct bytes text, size_t *mark_out);
/* Appends a character of ASCII to a text in that charset, where it stands. 0,
 * or -1: over the limit. */
int chars_put_ascii(const struct chars *at, char c, struct buf *out) MUST_CHECK;
