/* SPDX-License-Identifier: Apache-2.0 */
/*
 * biff: one sheet of Excel 2 to 5 without a compound file, as many programs
 * of the web write their tables. Its cells and how they look stay; of formulas,
 * which each version writes in its own way, the value.
 *
 * Source: OpenOffice.org's documentation of the Excel file format, 5 and 6.
 */
#include "filters/ole/biff.h"

#include "filters/ole/le.h"
#include "filters/ole/xls.h"

#define END 0x0a
#define PASSWORD 0x2f
#define PRINTER 0x4d
#define WRITE_ACCESS 0x5c /* who saved it */
#define WORKSHEET 0x10
#define VALUE_SIZE 8
#define IS_NO_NUMBER 0xffff /* a value's last two bytes */

/* What a version calls a cell's records, and how many bytes say where the cell
 * is and how it looks. */
struct version {
	unsigned begin;
	unsigned number, label,
	    error;              /* the last is one of true and false, too */
	unsigned formula, text; /* text: behind a formula, of its value */
	size_t cell_n;
};

static const struct version versions[] = {
	{ 0x009, 0x03, 0x04, 0x05, 0x06, 0x07, 7 },
	{ 0x209, 0x203, 0x204, 0x205, 0x206, 0x207, 6 },
	{ 0x409, 0x203, 0x204, 0x205, 0x406, 0x207, 6 },
	{ 0x809, 0x203, 0x204, 0x205, 0x06, 0x207, 6 },
};

/* Cells, rows and columns, formats and fonts, what stands on a page printed. No
 * names (0x18, 0x218): they are formulas. */
static const uint16_t kept[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x0c,
	0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x14, 0x15, 0x1a, 0x1b, 0x1d, 0x1e, 0x1f,
	0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x31, 0x32, 0x3d,
	0x3e, 0x41, 0x42, 0x43, 0x44, 0x45, 0x55, 0x56, 0x5f, 0x7d, 0x80, 0x81,
	0x82, 0x83, 0x84, 0x8c, 0x8d, 0x92, 0x99, 0xa0, 0xa1, 0xab, 0xbd, 0xbe,
	0xd6, 0xe0, 0xe5, 0x200, 0x201, 0x203, 0x204, 0x205, 0x208, 0x225,
	0x231, 0x23e, 0x243, 0x27e, 0x293, 0x41e, 0x443 };

/* Excel makes them anew. */
static const uint16_t quiet[] = { 0x0b, 0x20b, 0x19, 0x40, 0x5e, 0x94 };

static bool
is_in(const uint16_t *list, size_t n, unsigned type)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}

/* The cell of a formula, whose value is a text that is still to come. */
struct waiting {
	uint8_t cell[7];
	bool is;
};

static void
emit_value(struct xls *x, const struct version *v, const struct xls_record *r,
    struct waiting *w)
{
	const uint8_t *value = r->p + v->cell_n;
	uint8_t out[7 + VALUE_SIZE];

	memcpy(out, r->p, v->cell_n);
	if (le16(value + 6) != IS_NO_NUMBER) {
		memcpy(out + v->cell_n, value, VALUE_SIZE);
		xls_emit(x, v->number, out, v->cell_n + VALUE_SIZE);
	} else if (value[0] == 1 || value[0] == 2) {
		out[v->cell_n] = value[2];
		out[v->cell_n + 1] = value[0] == 2;
		xls_emit(x, v->error, out, v->cell_n + 2);
	} else if (value[0] == 0) {
		memcpy(w->cell, r->p, v->cell_n);
		w->is = true;
	}
}

static void
emit_text(struct xls *x, const struct version *v, const struct xls_record *r,
    struct waiting *w)
{
	struct buf b;

	if (!w->is)
		return;
	w->is = false;
	if (r->n > XLS_RECORD_MAX - v->cell_n) {
		detox_removed(
		    x->d, REMOVED_DAMAGED, "text", (struct bytes){ 0 });
		return;
	}
	buf_init(&b, v->cell_n + r->n);
	must(buf_append(&b, (struct bytes){ w->cell, v->cell_n }) == 0 &&
	    buf_append(&b, (struct bytes){ r->p, r->n }) == 0);
	xls_emit(x, v->label, b.p, b.n);
	buf_release(&b);
}

static void
report(struct xls *x, const struct xls_record *r)
{
	char where[32];

	snprintf(where, sizeof(where), "record %#x", r->type);
	detox_removed(x->d,
	    r->type == WRITE_ACCESS  ? REMOVED_METADATA
		: r->type == PRINTER ? REMOVED_PRINTER
				     : REMOVED_UNKNOWN,
	    where, (struct bytes){ 0 });
}

static void
take(struct xls *x, const struct version *v, const struct xls_record *r,
    struct waiting *w)
{
	if (r->type == PASSWORD) {
		detox_refuse(
		    x->d, REFUSED_ENCRYPTED, "a sheet with a password");
	} else if (r->type == v->begin) {
		report(x, r);
	} else if (r->type == v->text) {
		emit_text(x, v, r, w);
	} else if (r->type == v->formula && r->n >= v->cell_n + VALUE_SIZE) {
		detox_removed(
		    x->d, REMOVED_FORMULA, "sheet", (struct bytes){ 0 });
		emit_value(x, v, r, w);
	} else if (is_in(kept, COUNT(kept), r->type)) {
		w->is = false;
		xls_emit(x, r->type, r->p, r->n);
	} else if (!is_in(quiet, COUNT(quiet), r->type)) {
		report(x, r);
	}
}

/* Its first record; NULL: there is none. */
static const struct version *
begin(struct xls *x, size_t *at)
{
	struct xls_record r;

	if (!xls_next(x, at, &r) || r.n < 4 || le16(r.p + 2) != WORKSHEET)
		return NULL;
	for (size_t i = 0; i < COUNT(versions); i++)
		if (versions[i].begin == r.type) {
			xls_emit(x, r.type, r.p, r.n);
			return &versions[i];
		}
	return NULL;
}

static enum detox_result
rewrite(struct xls *x)
{
	size_t at = 0;
	const struct version *v = begin(x, &at);
	struct waiting w = { 0 };
	struct xls_record r;
	size_t within = 0;

	if (v == NULL)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "no sheet of a known version");
	while (xls_next(x, &at, &r) && !detox_is_over(x->d)) {
		if (r.type == END && within == 0)
			break;
		/* A chart within the sheet goes. */
		if (within == 0)
			take(x, v, &r, &w);
		within += r.type == v->begin;
		within -= r.type == END;
	}
	xls_emit(x, END, NULL, 0);
	if (at < x->in.n)
		detox_removed(x->d, REMOVED_TRAILING, NULL,
		    (struct bytes){ x->in.p + at, x->in.n - at });
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct xls x = { .d = d };
	enum detox_result result;

	if (d->profile->to_text)
		return detox_refuse(
		    d, REFUSED_TYPE, "its text alone cannot be taken out");
	buf_init(&x.in, o->content.n);
	buf_init(&x.out, d->profile->out_max);
	must(buf_append(&x.in, o->content) == 0);
	result = rewrite(&x);
	if (result == DETOX_REBUILT)
		result = detox_put(d, out, buf_bytes(&x.out));
	buf_release(&x.in);
	buf_release(&x.out);
	return result;
}

const struct detox_format biff_format = {
	.name = "biff",
	.types = MAGIC_BIT(MAGIC_BIFF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_BIFF),
};
