/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/xls_change.h"

#include "filters/ole/le.h"
#include "filters/ole/link.h"

#define SHEET_CHART 2
#define OBJECT_END 0x00
#define OBJECT_MACRO 0x04
#define OBJECT_FLAGS 0x08
#define OBJECT_PICTURE_FORMULA 0x09
#define OBJECT_LIST 0x13
#define OBJECT_IS_CONTROL 0x10
#define OBJECT_FLAGS_KEPT                                  \
	0x0189 /* automatic size, icon, camera, usual size \
		*/

/* Its place is written when its sheet is; a macro's becomes a sheet. */
enum xls_fate
xls_change_boundsheet(struct xls *x, struct xls_record *r)
{
	if (r->n < 8 || x->sheet >= x->sheets_n)
		return XLS_DROPPED;
	if (r->p[5] != SHEET_CHART)
		r->p[5] = 0;
	xls_emit(x, r->type, r->p, r->n);
	x->sheets[x->sheet++].patch = x->out.n - r->n;
	return XLS_REWRITTEN;
}

enum xls_fate
xls_change_writeaccess(struct xls *x, struct xls_record *r)
{
	size_t head = x->old ? 1 : 3;

	if (x->d->profile->keep_metadata || r->n < head)
		return XLS_KEPT;
	detox_removed(x->d, REMOVED_METADATA, "WriteAccess",
	    (struct bytes){ r->p, r->n });
	memset(r->p, 0, head);
	memset(r->p + head, ' ', r->n - head);
	return XLS_KEPT;
}

enum xls_fate
xls_change_hlink(struct xls *x, struct xls_record *r)
{
	if (link_clean(x->d, r->p, r->n, "HLink") > 0)
		return XLS_DROPPED;
	/* Behind its cells. Not all readers ask for the class id. */
	if (r->n >= 8 && link_is_plain(x->d, r->p + 8, r->n - 8))
		return XLS_KEPT;
	detox_removed(
	    x->d, REMOVED_LINK, "HLink", (struct bytes){ r->p, r->n });
	return XLS_DROPPED;
}

enum xls_fate
xls_change_drawing(struct xls *x, struct xls_record *r)
{
	link_clean_art(x->d, r->p, r->n, "drawing");
	link_clean(x->d, r->p, r->n, "drawing");
	return XLS_KEPT;
}

static void
report_part(struct xls *x, enum detox_removal what, const uint8_t *p, size_t n)
{
	detox_removed(x->d, what, "Obj", (struct bytes){ p, n });
}

/* BIFF5: what shows a program's picture, or runs a macro, goes as a whole. */
static enum xls_fate
change_old_obj(struct xls *x, const struct xls_record *r)
{
	if (r->n >= 34 && le16(r->p + 4) != 8 && le16(r->p + 26) == 0)
		return XLS_KEPT;
	report_part(x,
	    r->n >= 34 && le16(r->p + 26) != 0 ? REMOVED_MACRO : REMOVED_OBJECT,
	    r->p, r->n);
	return XLS_DROPPED;
}

/* [MS-XLS] 2.4.181: parts of a type, a length, and bytes; a list's length says
 * nothing, and it is the last. */
enum xls_fate
xls_change_obj(struct xls *x, struct xls_record *r)
{
	enum detox_removal picture = REMOVED_OBJECT;
	struct buf b;
	size_t at = 0, size;

	if (x->old)
		return change_old_obj(x, r);
	buf_init(&b, UINT16_MAX);
	for (; r->n - at >= 4; at += size) {
		unsigned type = le16(r->p + at);

		size = 4 + (size_t)le16(r->p + at + 2);
		if (type == OBJECT_END || type == OBJECT_LIST ||
		    size > r->n - at)
			size = r->n - at;
		if (type == OBJECT_FLAGS && size >= 6) {
			if ((r->p[at + 4] & OBJECT_IS_CONTROL) != 0)
				picture = REMOVED_ACTIVEX;
			put_le16(r->p + at + 4,
			    le16(r->p + at + 4) & OBJECT_FLAGS_KEPT);
		}
		if (type == OBJECT_MACRO && size > 4 && le16(r->p + at + 2) > 0)
			report_part(x, REMOVED_MACRO, r->p + at, size);
		else if (type == OBJECT_PICTURE_FORMULA)
			report_part(x, picture, r->p + at, size);
		else if (buf_append(&b, (struct bytes){ r->p + at, size }) < 0)
			break;
	}
	xls_emit(x, r->type, b.p, b.n);
	buf_release(&b);
	return XLS_REWRITTEN;
}

/* [MS-XLS] 2.4.329 and 2.5.187: behind 16 bytes the length of a formula, from
 * which the text is taken, and the formula: its tokens' length, 4 bytes, and
 * these. */
enum xls_fate
xls_change_txo(struct xls *x, struct xls_record *r)
{
	size_t n;

	if (x->old || r->n <= 18)
		return XLS_KEPT;
	n = r->n < 24 ? 0 : le16(r->p + 18);
	if (n > 0 && n <= r->n - 24) {
		xls_clean_formula(x, r->p + 24, n, "text box");
		return XLS_KEPT;
	}
	detox_removed(x->d, REMOVED_FORMULA, "text box",
	    (struct bytes){ r->p + 18, r->n - 18 });
	put_le16(r->p + 16, 0);
	r->n = 18;
	return XLS_KEPT;
}
