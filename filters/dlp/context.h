/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context: the words that were met, by their place, and what they make of a
 * number: its label stands right before it, others are within reach. Offsets
 * are those of the whole text.
 */
#pragma once

#include "filters/dlp/words.h"

#define CONTEXT_REACH 900 /* bytes: 300 Japanese characters */
#define CONTEXT_LABEL 48  /* bytes between a label and its number */
#define CONTEXT_HITS 1024 /* a power of two; the latest words */

struct context_hit {
	uint64_t end;
	uint8_t n, class;
};

struct context {
	struct context_hit hits[CONTEXT_HITS];
	uint64_t hits_n; /* ever met; the latest CONTEXT_HITS are kept */
};

void context_add(struct context *x, uint64_t end, uint8_t n, uint8_t class);
/* Whether a word of that class stands within from..to. */
bool context_has(
    const struct context *x, enum word_class class, uint64_t from, uint64_t to);

enum context_label {
	CONTEXT_NONE = 0,
	CONTEXT_OWN,
	CONTEXT_FOREIGN,
};

/* A word that says what a number is, and so may be a label. */
bool context_is_label(enum word_class class);
/* What a label of one class says to a number of another. */
enum context_label context_agree(enum word_class own, enum word_class label);
/*
 * The label of what begins at `at`; text ends there (as many bytes before it
 * as there are, CONTEXT_LABEL suffice). The nearest decides.
 */
enum context_label context_label(const struct context *x, enum word_class own,
    uint64_t at, struct bytes text);
/* The last label within a cell; WORD_CLASSES: none. *others_out gets a bit for
 * each class met. */
enum word_class context_heading(
    const struct context *x, uint64_t from, uint64_t to, uint32_t *others_out);
