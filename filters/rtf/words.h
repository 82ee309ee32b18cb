/* SPDX-License-Identifier: Apache-2.0 */
/* words: what is done with each control word of RTF. */
#pragma once

#include "filters/detox.h"

enum word_rule {
	WORD_UNKNOWN = 0, /* left out */
	WORD_PLAIN,       /* formatting: stays */
	WORD_HIDDEN_TEXT, /* a destination that stays, its text is not the
			   * document's */
	WORD_TEXT,        /* one whose text is */
	WORD_LEVEL,       /* one whose text is bytes of meaning */
	WORD_FONTS,
	WORD_FONT,    /* \f */
	WORD_CHARSET, /* \fcharset */
	WORD_CODEPAGE,
	WORD_UNICODE, /* \u */
	WORD_SKIPS,   /* \uc */
	WORD_FIELD,
	WORD_INSTRUCTION,
	WORD_RESULT_OF_FIELD,
	WORD_FORM_FIELD,
	WORD_OBJECT,
	WORD_RESULT_OF_OBJECT,
	WORD_PICTURE,
	WORD_PROPERTY, /* of a shape */
	WORD_COUNT,    /* a number that has to be 0, 1 or 9 */
	WORD_INFO,
	WORD_IGNORED, /* a word alone that is left out, likewise */
	WORD_SILENT,  /* left out, there is nothing to say */
	WORD_GONE,    /* WORD_GONE + enum detox_removal: left out whole */
};

/* Before words_find; it may be called again. */
void words_prepare(void);
enum word_rule words_find(const char *name);
/* Whether a group belongs to it, from the word to the closing brace. */
bool words_is_destination(enum word_rule rule);
