/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: from the catalog to all that is reached from it, each object by the
 * rules of its role, into the writer. Objects wait in a queue, so that no chain
 * of them is a recursion; an object reached in two roles is written twice, each
 * time by that role's rules.
 */
#pragma once

#include <qpdf/qpdf-c.h>

#include "filters/pdf/rules.h"
#include "filters/pdf/syntax.h"
#include "filters/pdf/write.h"

/* What is written where it is used is small: an action, a place, a string. */
#define PDF_COPY_MAX ((size_t)1 << 20)

struct pdf_walk {
	struct detox *d;
	qpdf_data q;
	struct pdf_writer writer;
	struct buf text;    /* of the object at hand, as libqpdf prints it */
	struct buf object;  /* what is written of it */
	struct buf entries; /* struct pdf_entry: what was reached, the queue */
	struct buf slots;   /* where in it, by a hash */
	uint64_t copied;    /* bytes written where they are used */
	uint64_t unseen;    /* by pdf_measure */
	unsigned warnings;  /* of libqpdf */
	unsigned recovered; /* streams whose end it had to look for */
	unsigned depth;
	unsigned pages;
};

void pdf_walk_init(struct pdf_walk *w, struct detox *d, qpdf_data q);
void pdf_walk_release(struct pdf_walk *w);
/* The number by which it will be written in that role; 0: it is left out. */
uint32_t pdf_number_of(
    struct pdf_walk *w, struct syntax_reference r, enum pdf_role role);
/* Makes a page or node of pages somebody's child; false: it already is. */
bool pdf_claim(struct pdf_walk *w, struct syntax_reference r);
/* Writes all that was reached. */
enum detox_result pdf_walk_run(struct pdf_walk *w) MUST_CHECK;

/* emit.c */

/* Takes the next value of *t and appends to the object what may be of it;
 * false: nothing was appended. */
bool pdf_emit(struct pdf_walk *w, enum pdf_role role, struct bytes *t);
void pdf_put(struct pdf_walk *w, struct bytes b);
void pdf_put_string(struct pdf_walk *w, const char *string);

/* object.c */

/* An object as text, in place of what is in *out. */
struct bytes pdf_print(struct pdf_walk *w, qpdf_oh oh, struct buf *out);
/* A dictionary's name, with its slash; empty: it has none. */
struct bytes pdf_name_of(
    struct pdf_walk *w, qpdf_oh dictionary, const char *key, struct buf *out);
/* A copy of what the value is, through a reference if it is one; *copy is to be
 * released. Empty: nothing, a stream, or more than what is looked at so. */
struct bytes pdf_resolve(
    struct pdf_walk *w, struct bytes value, struct buf *copy);
/* The value of a dictionary's key in the same way. */
struct bytes pdf_value_of(struct pdf_walk *w, struct bytes dictionary,
    const char *key, struct buf *copy);
/* As what a thing was left out (PDF_SILENT: not reported), and where. value: as
 * in the document, of what there may be a digest; empty: none. */
void pdf_removed(struct pdf_walk *w, enum detox_removal what, const char *where,
    struct bytes value);
/* Takes libqpdf's warnings. Refuses a file of too many streams without an end:
 * each is looked for in all of the file. */
void pdf_take_warnings(struct pdf_walk *w);
/* Forgets libqpdf's error, if there is one; whether there was. */
bool pdf_failed(struct pdf_walk *w);

/* action.c */
bool pdf_action(struct pdf_walk *w, struct bytes action, enum pdf_role role);
bool pdf_place(struct pdf_walk *w, struct bytes place);
/* stream.c */
enum detox_result pdf_stream(
    struct pdf_walk *w, uint32_t number, qpdf_oh stream) MUST_CHECK;
/* The bytes of a stream as they are packed, appended; false: none. */
bool pdf_stream_bytes(struct pdf_walk *w, qpdf_oh stream,
    enum qpdf_stream_decode_level_e level, struct buf *out);
/* files.c: a file specification, and a tree of names of them; false: none. */
void pdf_report_file(struct pdf_walk *w, struct bytes specification);
bool pdf_report_files(struct pdf_walk *w, struct bytes tree);
