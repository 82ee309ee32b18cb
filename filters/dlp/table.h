/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: rows and cells, as far as text shows them. A column that is headed by
 * a label labels what stands in it; one in which all runs of digits are valid
 * is what it looks like, whatever it is headed. It follows the text only from
 * number to number, and loses the table where they lie far apart.
 */
#pragma once

#include "filters/dlp/context.h"
#include "filters/dlp/found.h"

#define TABLE_COLUMNS_MAX 64
#define TABLE_REACH 1024  /* bytes between numbers of one table */
#define TABLE_CELL_MAX 64 /* bytes of a cell that may be a heading */

struct table_column {
	uint8_t heading;               /* enum word_class */
	uint32_t valid[2], invalid[2]; /* individual numbers, cards */
};

struct table {
	uint64_t walked;
	uint64_t cell; /* where it begins */
	uint64_t row;
	uint32_t serial;
	uint32_t at;              /* column */
	uint8_t separator;        /* of this row; 0: none yet */
	uint8_t separator_before; /* of the row before */
	bool lost;   /* within a row whose beginning was not seen */
	bool number; /* the row has one */
	bool headed;
	uint32_t words; /* classes of the heading row, a bit each */
	uint32_t row_words;
	uint8_t row_heading[TABLE_COLUMNS_MAX];
	struct table_column columns[TABLE_COLUMNS_MAX];
};

struct table_place {
	uint32_t column; /* 0: none */
	uint32_t index;
	enum word_class heading; /* WORD_CLASSES: none */
};

void table_init(struct table *t);
/* Follows the text (of which text.p[0] is at offset base) up to `to`. */
void table_walk(struct table *t, struct bytes text, uint64_t base, uint64_t to,
    const struct context *x, struct found *f, const struct dlp_settings *s);
/* Where a number at t->walked stands: in a column when it begins its cell. */
struct table_place table_place(
    const struct table *t, struct bytes text, uint64_t base);
/* is_new: the scan has not met this number before. One that repeats (the id of
 * an account on each line of a log) tells nothing new. */
void table_count(struct table *t, struct table_place where,
    const struct candidate *c, bool is_new);
/* The end of the table: judges its columns. */
void table_close(
    struct table *t, struct found *f, const struct dlp_settings *s);
