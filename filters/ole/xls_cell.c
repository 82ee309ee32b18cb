/* SPDX-License-Identifier: Apache-2.0 */
/* xls_cell: formulas that may not stay become the value that they had; those
 * that are not a cell's become an error value. */
#include "filters/ole/le.h"
#include "filters/ole/xls_change.h"

#define NUMBER 0x203
#define LABEL 0x204
#define BOOLERR 0x205
#define BLANK 0x201
#define FORMULA 0x06
#define FORMULA_HEAD 22

/* [MS-XLS] 2.5.133: a number, or of another type when it ends with ffff. */
static void
emit_value(struct xls *x, const struct xls_record *r)
{
	const uint8_t *value = r->p + 6;
	uint8_t cell[14];

	memcpy(cell, r->p, 6);
	if (le16(value + 6) != 0xffff) {
		memcpy(cell + 6, value, 8);
		xls_emit(x, NUMBER, cell, 14);
		return;
	}
	switch (value[0]) {
	case 0:
		/* Its text comes behind. */
		x->label = true;
		memcpy(x->cell, cell, sizeof(x->cell));
		break;
	case 1:
	case 2:
		cell[6] = value[2];
		cell[7] = value[0] == 2;
		xls_emit(x, BOOLERR, cell, 8);
		break;
	default:
		xls_emit(x, BLANK, cell, 6);
		break;
	}
}

enum xls_fate
xls_change_formula(struct xls *x, struct xls_record *r)
{
	enum xls_formula f = XLS_FORMULA_BROKEN;

	x->label = false;
	r->type = FORMULA;
	if (r->n < FORMULA_HEAD)
		return XLS_DROPPED;
	if (le16(r->p + 20) <= r->n - FORMULA_HEAD)
		f = xls_judge_formula(x, r->p + FORMULA_HEAD, le16(r->p + 20));
	if (f == XLS_FORMULA_STAYS)
		return XLS_KEPT;
	detox_removed(x->d,
	    f == XLS_FORMULA_OUTSIDE ? REMOVED_EXTERNAL : REMOVED_FORMULA,
	    "cell", (struct bytes){ 0 });
	emit_value(x, r);
	return XLS_REWRITTEN;
}

/* The text of the formula before it. */
enum xls_fate
xls_change_string(struct xls *x, struct xls_record *r)
{
	struct buf b;
	size_t head = x->old ? 2 : 3, n;
	enum xls_fate fate = XLS_DROPPED;

	if (!x->label)
		return XLS_KEPT;
	x->label = false;
	if (r->n > XLS_RECORD_MAX - sizeof(x->cell)) {
		detox_removed(
		    x->d, REMOVED_DAMAGED, "text", (struct bytes){ 0 });
		return XLS_DROPPED;
	}
	buf_init(&b, XLS_RECORD_MAX);
	if (r->n < head ||
	    buf_append(&b, (struct bytes){ x->cell, sizeof(x->cell) }) < 0 ||
	    buf_append(&b, (struct bytes){ r->p, r->n }) < 0)
		goto release;
	/* Of one that goes on in the next record, what is here. */
	n = (r->n - head) >> (x->old ? 0 : r->p[2] & 1);
	if (le16(r->p) > n)
		put_le16(b.p + sizeof(x->cell), (uint32_t)n);
	xls_emit(x, LABEL, b.p, b.n);
	fate = XLS_REWRITTEN;
release:
	buf_release(&b);
	return fate;
}

/* A formula of which the length is at `size`, itself at `at`. */
static enum xls_fate
clean_at(struct xls *x, struct xls_record *r, size_t size, size_t at,
    const char *where)
{
	if (r->n < at || le16(r->p + size) > r->n - at) {
		detox_removed(
		    x->d, REMOVED_DAMAGED, where, (struct bytes){ 0 });
		return XLS_DROPPED;
	}
	xls_clean_formula(x, r->p + at, le16(r->p + size), where);
	return XLS_KEPT;
}

enum xls_fate
xls_change_array(struct xls *x, struct xls_record *r)
{
	return clean_at(x, r, 12, 14, "array formula");
}

enum xls_fate
xls_change_shared(struct xls *x, struct xls_record *r)
{
	return clean_at(x, r, 8, 10, "shared formula");
}

enum xls_fate
xls_change_chart_formula(struct xls *x, struct xls_record *r)
{
	return clean_at(x, r, 6, 8, "chart");
}

/* [MS-XLS] 2.4.42: both formulas are its end. */
enum xls_fate
xls_change_cf(struct xls *x, struct xls_record *r)
{
	size_t first, second;

	if (r->n < 6)
		return XLS_DROPPED;
	first = le16(r->p + 2);
	second = le16(r->p + 4);
	if (first + second > r->n - 6)
		return XLS_DROPPED;
	xls_clean_formula(
	    x, r->p + r->n - first - second, first, "conditional format");
	xls_clean_formula(
	    x, r->p + r->n - second, second, "conditional format");
	return XLS_KEPT;
}

/* [MS-XLS] 2.4.89: four texts, then two formulas. */
enum xls_fate
xls_change_dv(struct xls *x, struct xls_record *r)
{
	size_t at = 4, size;

	for (unsigned i = 0; i < 4; i++) {
		if (at + 3 > r->n)
			return XLS_DROPPED;
		if (r->p[at + 2] > XLS_IS_WIDE)
			return XLS_DROPPED;
		size = 3 + ((size_t)le16(r->p + at) << r->p[at + 2]);
		if (size > r->n - at)
			return XLS_DROPPED;
		at += size;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (at + 4 > r->n || le16(r->p + at) > r->n - at - 4)
			return XLS_DROPPED;
		size = le16(r->p + at);
		xls_clean_formula(x, r->p + at + 4, size, "validation");
		at += 4 + size;
	}
	return XLS_KEPT;
}
