/* SPDX-License-Identifier: Apache-2.0 */
/* xls_refer: names, and what is outside of the workbook. Formulas refer to both
 * by number, so that each keeps its place: another book becomes an add-in
 * without functions, a name keeps a formula of an error value. */
#include "filters/ole/le.h"
#include "filters/ole/xls_change.h"

#define NAME_HEAD 14
#define NAME_RUNS 0x0e /* function, of Visual Basic, macro */
#define NAME_BUILTIN 0x20
#define NAME_CALLED_FIRST 1
#define SHEET_OF_ADDIN 0xfffe

enum xls_fate
xls_change_supbook(struct xls *x, struct xls_record *r)
{
	static const uint8_t addin[] = { 1, 0, 0x01, 0x3a };
	size_t i = x->book++;

	if (i >= x->books_n)
		return XLS_DROPPED;
	/* By itself, not by its number alone: what is kept is this one. */
	if (x->books[i] != XLS_BOOK_OUTSIDE &&
	    xls_book_of(r) != XLS_BOOK_OUTSIDE)
		return XLS_KEPT;
	detox_removed(
	    x->d, REMOVED_EXTERNAL, "SupBook", (struct bytes){ r->p, r->n });
	xls_emit(x, r->type, addin, sizeof(addin));
	return XLS_REWRITTEN;
}

/* BIFF8: sheets of a book that is no more. BIFF5: a book or a sheet of it. */
enum xls_fate
xls_change_externsheet(struct xls *x, struct xls_record *r)
{
	static const uint8_t addin[] = { 1, 0x3a };

	if (x->old) {
		/* 2 and 3 are this book's own; 0x3a an add-in. */
		if (r->n >= 2 &&
		    (r->p[1] == 2 || r->p[1] == 3 || r->p[1] == 0x3a))
			return XLS_KEPT;
		detox_removed(x->d, REMOVED_EXTERNAL, "ExternSheet",
		    (struct bytes){ r->p, r->n });
		xls_emit(x, r->type, addin, sizeof(addin));
		return XLS_REWRITTEN;
	}
	for (size_t i = 0; i < x->book_of_n && 2 + i * 6 + 6 <= r->n; i++) {
		uint8_t *p = r->p + 2 + i * 6;

		if (le16(p) < x->books_n && x->books[le16(p)] != 0)
			continue;
		put_le16(p + 2, SHEET_OF_ADDIN);
		put_le16(p + 4, SHEET_OF_ADDIN);
	}
	return XLS_KEPT;
}

/* A name within the book before it. */
enum xls_fate
xls_change_externname(struct xls *x, struct xls_record *r)
{
	size_t i = x->book, at = x->old ? 7 : 8, n;

	/* Those of BIFF5 belong to books that are outside. */
	if (x->old || i == 0 || i > x->books_n ||
	    x->books[i - 1] == XLS_BOOK_OUTSIDE || r->n < at) {
		detox_removed(x->d, REMOVED_EXTERNAL, "ExternName",
		    (struct bytes){ r->p, r->n });
		return XLS_DROPPED;
	}
	r->p[7] &= XLS_IS_WIDE;
	n = (size_t)r->p[6] << r->p[7];
	if (n > r->n - at)
		return XLS_DROPPED;
	if (!xls_name_runs(r->p + 7, r->n - 7, r->p[6]))
		return XLS_KEPT;
	detox_removed(x->d, REMOVED_FORMULA, "ExternName",
	    (struct bytes){ r->p + at, n });
	memset(r->p + at, '_', n);
	return XLS_KEPT;
}

/* Auto_Open, Auto_Close, Auto_Activate, Auto_Deactivate. */
static bool
is_called_builtin(uint8_t code)
{
	return code == 1 || code == 2 || code == 0x0a || code == 0x0b;
}

/* Excel goes by the beginning. */
static bool
is_called(struct bytes name, size_t step)
{
	static const char begin[] = "auto_";

	for (size_t i = 0; i < sizeof(begin) - 1; i++)
		if (i * step >= name.n ||
		    (name.p[i * step] | (begin[i] == '_' ? 0 : 0x20)) !=
			begin[i])
			return false;
	return true;
}

static bool
is_of_later_version(struct bytes name)
{
	return name.n > 6 &&
	    bytes_equal_nocase((struct bytes){ name.p, 6 }, BYTES("_xlfn.")) &&
	    !xls_function_runs(name);
}

/* What it is called changes; false: it was not a name to be afraid of. */
static bool
change_letters(struct xls_record *r, struct bytes name, size_t step, bool runs)
{
	uint8_t *letters = r->p + (name.p - r->p);

	if ((le16(r->p) & NAME_BUILTIN) != 0) {
		if (name.n == 0 || !is_called_builtin(name.p[0]))
			return false;
		/* One letter of a kind that no other name has. */
		put_le16(r->p, le16(r->p) & ~(uint32_t)NAME_BUILTIN);
		letters[0] = '_';
		return true;
	}
	if (is_called(name, step)) {
		letters[0] = '_';
		return true;
	}
	if (runs) {
		memset(letters, '_', name.n);
		return true;
	}
	return false;
}

enum xls_fate
xls_change_name(struct xls *x, struct xls_record *r)
{
	size_t head = NAME_HEAD + !x->old, step, size;
	struct bytes name;
	bool later, runs;

	x->name++;
	if (r->n < head)
		return XLS_KEPT;
	if (!x->old)
		r->p[NAME_HEAD] &= XLS_IS_WIDE;
	step = x->old ? 1 : 1 + (size_t)(r->p[NAME_HEAD] & 1);
	name = (struct bytes){ r->p + head, r->p[3] * step };
	if (name.n > r->n - head) {
		put_le16(r->p + 4, 0);
		return XLS_KEPT;
	}
	size = le16(r->p + 4);
	if (size > r->n - head - name.n) {
		size = r->n - head - name.n;
		put_le16(r->p + 4, (uint32_t)size);
	}
	later = step == 1 && is_of_later_version(name);
	runs = x->old
	    ? xls_function_runs(name)
	    : xls_name_runs(r->p + NAME_HEAD, r->n - NAME_HEAD, r->p[3]);
	if (change_letters(r, name, step, runs) ||
	    (!later && (le16(r->p) & NAME_RUNS) != 0)) {
		detox_removed(
		    x->d, REMOVED_MACRO, "name", (struct bytes){ r->p, r->n });
		put_le16(r->p, le16(r->p) & ~(uint32_t)NAME_RUNS);
		xls_blank_formula(r->p + head + name.n, size);
		return XLS_KEPT;
	}
	xls_clean_formula(x, r->p + head + name.n, size, "name");
	return XLS_KEPT;
}
