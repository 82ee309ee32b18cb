/* SPDX-License-Identifier: Apache-2.0 */
/* lex: RTF in tokens. */
#pragma once

#include "proxy/base/bytes.h"

#define LEX_NAME_MAX 32 /* letters of a control word; more is no known one */

enum lex_kind {
	LEX_END = 0,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_WORD,
	LEX_SYMBOL,  /* \c, for c no letter; byte: c */
	LEX_BYTE,    /* \'hh, or a byte beyond ASCII as it stands */
	LEX_TEXT,    /* ASCII of no meaning */
	LEX_BIN,     /* \bin's bytes */
	LEX_NEWLINE, /* of the file, not of the text */
	LEX_CONTROL, /* a control character */
};

struct token {
	enum lex_kind kind;
	char name[LEX_NAME_MAX + 1];
	bool has_param;
	int32_t param; /* at most as large as it can be */
	uint8_t byte;
	struct bytes raw;  /* TEXT: the text */
	struct bytes data; /* BIN */
};

/* Plain, so that it can be copied to look ahead. */
struct lexer {
	struct bytes rest;
	bool double_byte; /* of CP932: a lead byte takes the next with it, also
			   * if that looks like a brace or backslash */
	bool trail;       /* the next byte is such one */
};

void lex_next(struct lexer *l, struct token *out);
/* Takes what is left of the group, but for its closing brace; all of it. */
struct bytes lex_skip(struct lexer *l);
