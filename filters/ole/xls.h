/* SPDX-License-Identifier: Apache-2.0 */
/* xls: what the files of xls share; see ole.h. */
#pragma once

#include "filters/detox.h"

#define XLS_SHEETS_MAX 4096
#define XLS_BOOKS_MAX 4096
#define XLS_NAMES_MAX 65536
#define XLS_RECORD_MAX 8224 /* [MS-XLS] 2.1.4 */
#define XLS_BOF 0x809
#define XLS_END 0x0a

struct xls_record {
	unsigned type;
	uint8_t *p; /* behind its head */
	size_t n;
};

/* A book that formulas refer to ([MS-XLS] 2.4.271). */
enum xls_book {
	XLS_BOOK_OUTSIDE = 0,
	XLS_BOOK_OWN,
	XLS_BOOK_ADDIN,
};

struct xls_sheet {
	uint32_t place; /* of its BOF */
	uint8_t kind;   /* dt */
	size_t patch;   /* where its place is written in out */
};

struct xls {
	struct detox *d;
	struct buf in;
	struct buf out;
	bool old;    /* BIFF5 */
	bool opened; /* it was encrypted */
	const uint8_t *bof;
	size_t bof_n;
	uint64_t walked; /* bytes of all substreams that were read */
	bool in_globals; /* while their records are written */

	/* Of the globals; of the job's arena. */
	struct xls_sheet *sheets;
	size_t sheets_n;
	uint8_t *books; /* enum xls_book */
	size_t books_n;
	uint16_t *book_of; /* by index of EXTERNSHEET */
	size_t book_of_n;
	uint8_t *bad_names; /* 1: a name that may not be called */
	size_t names_n;

	/* While records are written. */
	size_t book;     /* the next SUPBOOK's number */
	size_t name;     /* the next NAME's */
	size_t sheet;    /* the next BOUNDSHEET's */
	bool label;      /* the last formula becomes its text, which comes */
	uint8_t cell[6]; /* of that: row, column, format */
};

/* The record at *at, which passes it; false: no more, or it is cut. */
bool xls_next(const struct xls *x, size_t *at, struct xls_record *r);
void xls_emit(struct xls *x, unsigned type, const uint8_t *p, size_t n);

/* xls_secret.c: in is what a workbook with a password hides. */
enum detox_result xls_open(struct xls *x) MUST_CHECK;

/* Pass 1, xls_book.c: learns of the globals what formulas refer to; of what is
 * a substream within them nothing, for nothing of it is written. */
enum detox_result xls_learn(struct xls *x) MUST_CHECK;
/* What a SUPBOOK says that it is. */
enum xls_book xls_book_of(const struct xls_record *r);

/* xls_drawing.c: of the substream from there on. */
void xls_clean_drawings(struct xls *x, size_t at);

/* xls_record.c: what becomes of a record. */
enum xls_fate {
	XLS_DROPPED = 0,
	XLS_KEPT,
	XLS_REWRITTEN, /* what comes instead was emitted */
};
enum xls_fate xls_rewrite(struct xls *x, struct xls_record *r);

/* xls_formula.c */
enum xls_formula {
	XLS_FORMULA_BROKEN = 0,
	XLS_FORMULA_RUNS,    /* calls what a sheet has no need of */
	XLS_FORMULA_OUTSIDE, /* refers to another book, or to a program */
	XLS_FORMULA_STAYS,
};
enum xls_formula xls_judge_formula(
    const struct xls *x, const uint8_t *p, size_t n);
/* Writes an error value over it, of the same length. */
void xls_blank_formula(uint8_t *p, size_t n);
/* Both at once, with a report. Whether it was blanked. */
bool xls_clean_formula(struct xls *x, uint8_t *p, size_t n, const char *where);
/* A function of an add-in or of a later version that reaches outside; "" and
 * others: no. */
bool xls_function_runs(struct bytes name);
/* The same of a name of `count` characters behind p[0], which says whether they
 * are of two bytes; n: all that there is. */
bool xls_name_runs(const uint8_t *p, size_t n, size_t count);
/* Of a text's flags: of two bytes, and nothing else. Others say that there is
 * more before the text, and only some readers heed them. */
#define XLS_IS_WIDE 1
