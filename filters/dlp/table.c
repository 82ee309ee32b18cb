/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/table.h"

#define NO_ROW 0xff /* for separator_before */
#define LEAD_MAX 3  /* of a cell before its number: quotes, a blank, '=' */

static const enum dlp_kind dense_kinds[2] = { DLP_INDIVIDUAL, DLP_CARD };

static void
begin_row(struct table *t, uint64_t at)
{
	t->row = t->cell = at;
	t->at = 0;
	t->separator = 0;
	t->lost = t->number = false;
	t->row_words = 0;
	memset(t->row_heading, WORD_CLASSES, sizeof(t->row_heading));
}

static void
begin_table(struct table *t)
{
	t->serial++;
	t->separator_before = NO_ROW;
	t->headed = false;
	t->words = 0;
	memset(t->columns, 0, sizeof(t->columns));
	for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		t->columns[i].heading = WORD_CLASSES;
}

void
table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	begin_table(t);
	begin_row(t, 0);
}

void
table_close(struct table *t, struct found *f, const struct dlp_settings *s)
{
	for (uint32_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		for (size_t k = 0; k < COUNT(dense_kinds); k++) {
			const struct table_column *c = &t->columns[i];

			if (s->density_min > 0 &&
			    c->valid[k] >= s->density_min &&
			    c->invalid[k] <= c->valid[k] / FOUND_DENSE_RATIO)
				found_column_is_pure(f,
				    t->serial * TABLE_COLUMNS_MAX + i,
				    dense_kinds[k], s->confidence_min);
		}
	begin_table(t);
}

static void
end_cell(struct table *t, uint64_t at, const struct context *x)
{
	if (!t->lost && t->at < TABLE_COLUMNS_MAX &&
	    at - t->cell <= TABLE_CELL_MAX)
		t->row_heading[t->at] =
		    (uint8_t)context_heading(x, t->cell, at, &t->row_words);
}

/* The first row with words and without numbers is the heading. */
static void
take_heading(struct table *t)
{
	if (t->headed || t->number || t->row_words == 0)
		return;
	t->headed = true;
	t->words = t->row_words;
	for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		t->columns[i].heading = t->row_heading[i];
}

static bool
is_separator(uint8_t c)
{
	return c == ',' || c == '\t' || c == '|' || c == ';' || c == DLP_CELL;
}

static void
end_row(struct table *t, uint64_t at, const struct context *x, struct found *f,
    const struct dlp_settings *s)
{
	bool empty = at - t->row <= 1 && !t->lost;
	bool other = t->separator != t->separator_before &&
	    t->separator_before != NO_ROW;

	end_cell(t, at, x);
	if (!t->lost && (empty || other))
		table_close(t, f, s);
	if (!t->lost && !empty) {
		t->separator_before = t->separator;
		take_heading(t);
	}
	begin_row(t, at + 1);
}

/* A container's own mark: commas before it were within the first cell. */
static void
begin_marked_cells(struct table *t)
{
	t->separator = DLP_CELL;
	t->at = 0;
	t->cell = t->row;
	t->row_words = 0;
	memset(t->row_heading, WORD_CLASSES, sizeof(t->row_heading));
}

void
table_walk(struct table *t, struct bytes text, uint64_t base, uint64_t to,
    const struct context *x, struct found *f, const struct dlp_settings *s)
{
	if (to - t->walked > TABLE_REACH) {
		table_close(t, f, s);
		t->walked = to - TABLE_REACH;
		begin_row(t, t->walked);
		t->lost = true;
	}
	for (; t->walked < to; t->walked++) {
		uint8_t c = text.p[t->walked - base];

		if (c == '\n') {
			end_row(t, t->walked, x, f, s);
		} else if (c == DLP_FIELD || c == DLP_RECORD) {
			table_close(t, f, s);
			begin_row(t, t->walked + 1);
		} else if (c == DLP_CELL && t->separator != DLP_CELL) {
			begin_marked_cells(t);
			end_cell(t, t->walked, x);
			t->cell = t->walked + 1;
			t->at = 1;
		} else if (is_separator(c) &&
		    (t->separator == 0 || t->separator == c)) {
			t->separator = c;
			end_cell(t, t->walked, x);
			t->cell = t->walked + 1;
			t->at++;
		}
	}
}

struct table_place
table_place(const struct table *t, struct bytes text, uint64_t base)
{
	struct table_place place = { .heading = WORD_CLASSES };
	uint64_t lead = t->walked - t->cell;

	if (t->lost || t->at >= TABLE_COLUMNS_MAX || lead > LEAD_MAX)
		return place;
	for (uint64_t i = t->cell; i < t->walked; i++) {
		uint8_t c = text.p[i - base];

		if (c != '"' && c != '\'' && c != ' ' && c != '=')
			return place;
	}
	place.index = t->at;
	place.column = t->serial * TABLE_COLUMNS_MAX + t->at;
	place.heading = (enum word_class)t->columns[t->at].heading;
	return place;
}

void
table_count(struct table *t, struct table_place where,
    const struct candidate *c, bool is_new)
{
	t->number = true;
	if (where.column == 0)
		return;
	for (size_t k = 0; k < COUNT(dense_kinds); k++)
		if (c->detector->kind == dense_kinds[k]) {
			if (!c->valid)
				t->columns[where.index].invalid[k]++;
			else if (is_new && !c->doubtful)
				t->columns[where.index].valid[k]++;
		}
}
