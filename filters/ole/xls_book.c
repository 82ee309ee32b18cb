/* SPDX-License-Identifier: Apache-2.0 */
/* xls_book: of a workbook's globals, what its formulas refer to. */
#include "filters/ole/le.h"
#include "filters/ole/xls.h"

#define SUPBOOK_OWN 0x0401
#define SUPBOOK_ADDIN 0x3a01

enum xls_book
xls_book_of(const struct xls_record *r)
{
	unsigned kind = r->n < 4 ? 0 : le16(r->p + 2);

	if (r->n == 4 && kind == SUPBOOK_OWN)
		return XLS_BOOK_OWN;
	if (r->n == 4 && kind == SUPBOOK_ADDIN)
		return XLS_BOOK_ADDIN;
	return XLS_BOOK_OUTSIDE;
}

/* [MS-XLS] 2.4.105, EXTERNSHEET: a count, then each: book, first, last. */
static void
learn_sheets(struct xls *x, const struct xls_record *r)
{
	size_t n = r->n < 2 ? 0 : le16(r->p);

	if (x->old || x->book_of_n != 0)
		return;
	if (n > (r->n - 2) / 6)
		n = (r->n - 2) / 6;
	x->book_of = ARENA_ARRAY(&x->d->arena, uint16_t, n + 1);
	for (size_t i = 0; i < n; i++)
		x->book_of[i] = le16(r->p + 2 + i * 6);
	x->book_of_n = n;
}

#define NAME_RUNS 0x0e /* function, of Visual Basic, macro */

/* Whether a formula that calls it has to become its value: it is a macro, or a
 * function of a later version that reaches outside. */
static bool
is_bad_name(const struct xls *x, const struct xls_record *r)
{
	size_t from = x->old ? 14 : 15;
	bool wide = !x->old && r->n > 14 && (r->p[14] & XLS_IS_WIDE) != 0;
	struct bytes name;

	if (r->n < from || r->p[3] > r->n - from)
		return false;
	name = (struct bytes){ r->p + from, wide ? 0 : r->p[3] };
	if (x->old ? xls_function_runs(name)
		   : xls_name_runs(r->p + 14, r->n - 14, r->p[3]))
		return true;
	return (le16(r->p) & NAME_RUNS) != 0 &&
	    !(name.n > 6 &&
		bytes_equal_nocase(
		    (struct bytes){ name.p, 6 }, BYTES("_xlfn.")));
}

static void
learn_sheet(struct xls *x, const struct xls_record *r)
{
	if (r->n < 8 || x->sheets_n == XLS_SHEETS_MAX)
		return;
	x->sheets[x->sheets_n++] = (struct xls_sheet){
		.place = le32(r->p),
		.kind = r->p[5],
	};
}

static enum detox_result
learn(struct xls *x, const struct xls_record *r)
{
	switch (r->type) {
	case 0x2f:
		if (x->opened)
			break;
		return detox_refuse(
		    x->d, REFUSED_ENCRYPTED, "a workbook with a password");
	case 0x85:
		learn_sheet(x, r);
		break;
	case 0x1ae:
		if (x->books_n < XLS_BOOKS_MAX)
			x->books[x->books_n++] = (uint8_t)xls_book_of(r);
		break;
	case 0x17:
		learn_sheets(x, r);
		break;
	case 0x18:
		if (x->names_n < XLS_NAMES_MAX)
			x->bad_names[x->names_n++] = is_bad_name(x, r);
		break;
	}
	return DETOX_REBUILT;
}

enum detox_result
xls_learn(struct xls *x)
{
	struct xls_record r;
	size_t at = 0, depth = 0;

	x->sheets = ARENA_ARRAY(&x->d->arena, struct xls_sheet, XLS_SHEETS_MAX);
	x->books = arena_alloc(&x->d->arena, XLS_BOOKS_MAX);
	x->bad_names = arena_alloc(&x->d->arena, XLS_NAMES_MAX);
	while (xls_next(x, &at, &r)) {
		depth += r.type == XLS_BOF;
		if (r.type == XLS_END && --depth == 0)
			break;
		if (depth == 1 && learn(x, &r) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	if (x->sheets_n == 0)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "a workbook without sheets");
	return DETOX_REBUILT;
}
