/* SPDX-License-Identifier: Apache-2.0 */
/* doc: what the files of doc share; see ole.h. */
#pragma once

#include "filters/detox.h"

/* Of the FIB's list of places, [MS-DOC] 2.5.6: a place in the table stream and
 * how many bytes are there. */
enum doc_place {
	DOC_FIELDS_MAIN = 16,
	DOC_FIELDS_HEADERS = 17,
	DOC_FIELDS_FOOTNOTES = 18,
	DOC_FIELDS_COMMENTS = 19,
	DOC_FIELDS_MACROS = 20,
	DOC_ASSOCIATED = 32,
	DOC_PIECES = 33,
	DOC_FIELDS_ENDNOTES = 48,
	DOC_DRAWINGS = 50,
	DOC_FIELDS_TEXTBOXES = 57,
	DOC_FIELDS_HEADER_TEXTBOXES = 59,
};

/* Of its flags. */
#define DOC_ENCRYPTED 0x0100
#define DOC_OBFUSCATED 0x8000

struct doc_piece {
	uint32_t place; /* in the main stream */
	uint32_t n;     /* characters */
	uint8_t width;  /* 1 or 2 bytes each */
};

struct doc {
	struct detox *d;
	struct buf main, table_stream, data;
	struct buf *table; /* before Word 97 all is in the main stream */
	bool old;          /* Word 6 and 95 */
	size_t places;     /* where the list of places is */
	size_t places_n;
	struct doc_piece *pieces; /* of the job's arena */
	size_t pieces_n;
	uint64_t text_n; /* characters of all pieces */
};

/* What is at a place; empty: nothing. */
struct doc_run {
	uint8_t *p;
	size_t n;
};
struct doc_run doc_at(struct doc *w, unsigned place);
void doc_set_size(struct doc *w, unsigned place, uint32_t n);

/* doc_secret.c: the streams are what a document with a password hides. */
enum detox_result doc_open(struct doc *w) MUST_CHECK;
/* Takes out what the FIB names and a document does not need. */
void doc_clean_places(struct doc *w);
/* Finds the text. */
enum detox_result doc_find_pieces(struct doc *w) MUST_CHECK;
/* Blanks instructions of fields that may not stay. */
enum detox_result doc_clean_fields(struct doc *w) MUST_CHECK;

/* doc_field.c: of an instruction, how it begins. */
#define DOC_WORDS_MAX 4096
enum doc_field {
	DOC_FIELD_BAD = 0,
	DOC_FIELD_STAYS,
	DOC_FIELD_FROZEN, /* shows metadata that is gone: its result stays */
	DOC_FIELD_BUTTON, /* shows text of its own, and runs a macro */
};
/* words: with what is not ASCII as '?'; *what: what a bad one is. */
enum doc_field doc_judge_field(
    const struct detox *d, struct bytes words, enum detox_removal *what);
/* Whether its first word says that it leads to an address. */
bool doc_field_is_link(struct bytes words);
/* Whether readers that go by a field's kind in the list of fields ([MS-DOC]
 * 2.9.90) would run or load something. */
bool doc_kind_runs(uint8_t kind);
#define DOC_KIND_LINK 0x58
/* Whether this word names a field that runs or loads something. */
bool doc_field_runs(struct bytes word);
