/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebuild: what the files of rtf share. A content function takes tokens up to
 * the closing brace of its group, which it leaves, and writes what stays.
 */
#pragma once

#include "filters/detox.h"
#include "filters/rtf/lex.h"
#include "filters/rtf/words.h"

#define RTF_FONTS_MAX 4096

/* What a group has from the one around it. */
struct level {
	unsigned skips; /* \uc: characters that stand for a \u */
	int32_t font;
	bool visible;  /* its text is the document's */
	bool bytes;    /* its text is bytes of meaning */
	bool of_fonts; /* \f declares a font */
};

struct rtf {
	struct detox *d;
	struct buf *out;
	struct lexer lex;
	unsigned depth;
	bool over;       /* refused */
	bool need_space; /* the last word may be taken longer */
	int32_t codepage;
	int32_t font; /* being declared */
	size_t fonts_n;
	uint64_t text_in, text_out;
	uint32_t notes;                     /* given without bytes */
	uint32_t pictures, fields, objects; /* seen, for the report */
	uint8_t charsets[RTF_FONTS_MAX];    /* of fonts, + 1; 0: not said */
};

/* Emitting; over the limit, r->over is set. */
void emit(struct rtf *r, struct bytes b);
void emit_word(struct rtf *r, const char *name, bool has_param, int32_t param);
void emit_text(struct rtf *r, struct bytes plain);
void emit_byte(struct rtf *r, uint8_t byte);
void emit_unicode(struct rtf *r, uint32_t c);

/* What a group begins with. */
struct head {
	bool star;
	bool is_word;
	enum word_rule rule;
	struct token word;
};
/* Looks ahead, behind an opening brace. */
struct head head_of(const struct lexer *l);
/* Takes it. */
void head_take(struct lexer *l);
/* Leaves out what is left of the group, and its report. */
void leave_out(struct rtf *r, enum detox_removal what, const char *where);

/* content.c */
bool is_blank(struct bytes text);
void content(struct rtf *r, struct level l);
/* A group behind its opening brace, with its closing one. */
void group(struct rtf *r, struct level l);
/* Takes what stands for the \u that was read. */
void skip_fallback(struct rtf *r, const struct level *l);
/* More groups than may be within each other: refuses. */
bool enter(struct rtf *r);

/* field.c */
void field_content(struct rtf *r, struct level l);
/* The group's text into plain (ASCII; '?' for the rest) and into escaped, as it
 * may be written. false: there is more in it than text. */
bool capture(
    struct rtf *r, struct level l, struct buf *plain, struct buf *escaped);

/* pict.c */
void pict_content(struct rtf *r);

/* shape.c */
void property_content(struct rtf *r, struct level l);
