/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words: what stands around a number and says what it is. One automaton
 * (Aho-Corasick, one table look-up per byte) finds the built-in words and the
 * keywords of the settings; capitals and small letters are the same.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

/* The first are the kinds of numbers, in the order of enum dlp_kind. */
enum word_class {
	WORD_INDIVIDUAL = 0,
	WORD_PENSION,
	WORD_CARD,
	WORD_ACCOUNT,
	WORD_LICENCE,
	WORD_CORPORATE,
	WORD_OTHER,  /* says that a number is something else */
	WORD_POSTAL, /* symbol and number of the post's bank */
	WORD_BANK,   /* a bank is near */
	WORD_ACCOUNT_TYPE,
	WORD_NAME,
	WORD_BIRTH,
	WORD_ADDRESS,
	WORD_CLASSES,
};

#define WORD_BYTES_MAX 64 /* a longer one is refused */
#define WORDS_MAX 256     /* keywords of the settings */

struct words;

/* keywords are copied. NULL and *e: too many, too long,
 * or shorter than two bytes. */
struct words *words_new(const char *const *keywords, size_t n, struct err *e)
    MUST_CHECK;
void words_free(struct words *w);

/* A word that ends at a byte. Of several that end there the longest. */
struct word_hit {
	size_t end; /* offset behind its last byte */
	uint8_t n;  /* bytes */
	uint8_t class;
};

struct words_sink {
	void (*found)(struct words_sink *s, struct word_hit hit);
	void (*keyword)(struct words_sink *s, size_t index);
};

/* Feeds the bytes from..to of text; *state is 0 at first. Bytes before `from`
 * are looked at for a word's borders alone. */
void words_run(const struct words *w, uint16_t *state, struct bytes text,
    size_t from, size_t to, struct words_sink *sink);
