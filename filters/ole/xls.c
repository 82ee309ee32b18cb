/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xls: Excel 97 to 2003 (BIFF8), and 5 and 95 (BIFF5): a stream of records,
 * first the globals, then a substream a sheet. A new stream is written of the
 * records that are known to be harmless; a sheet of macros becomes an empty
 * sheet, so that the numbers of the others stay.
 */
#include "filters/ole/xls.h"

#include "filters/ole/le.h"
#include "filters/ole/part.h"

#define BOF XLS_BOF
#define END XLS_END
#define CONTINUED 0x3c
#define OBJECT 0x5d
#define BIFF5 0x0500
#define BIFF8 0x0600
#define SHEET_CHART 2
#define SHEET_WORK 0
#define SUBSTREAM_CHART 0x20
#define SUBSTREAM_WORK 0x10
#define DEPTH_MAX 8

bool
xls_next(const struct xls *x, size_t *at, struct xls_record *r)
{
	if (*at > x->in.n || x->in.n - *at < 4)
		return false;
	r->type = le16(x->in.p + *at);
	r->n = le16(x->in.p + *at + 2);
	r->p = x->in.p + *at + 4;
	if (r->n > x->in.n - *at - 4)
		return false;
	*at += 4 + r->n;
	return true;
}

void
xls_emit(struct xls *x, unsigned type, const uint8_t *p, size_t n)
{
	uint8_t head[4];

	must(n <= UINT16_MAX);
	put_le16(head, type);
	put_le16(head + 2, (uint32_t)n);
	if (buf_append(&x->out, (struct bytes){ head, sizeof(head) }) < 0 ||
	    buf_append(&x->out, (struct bytes){ p, n }) < 0)
		detox_refuse(x->d, REFUSED_SIZE, "more than %zu bytes come out",
		    x->out.max);
}

/* What goes on with the record before it. */
static bool
is_continuation(unsigned type)
{
	return type == CONTINUED || type == 0x812 || type == 0x875 ||
	    type == 0x87f || type == 0x89f;
}

/* Of those records that may be longer than one. Readers join what goes on with
 * any; of the others it was not looked at together. */
static bool
may_go_on(unsigned type)
{
	static const uint16_t types[] = { 0x17, OBJECT, 0x7f, 0xaf, 0xe9, 0xeb,
		0xec, 0xfc, 0x1b6, 0x207, 0x866, 0x1066 };

	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* A drawing goes on behind an object and behind a chart; it was looked at with
 * the others. last: the record before. */
static bool
is_drawing(const struct xls *x, const struct xls_record *r, unsigned last)
{
	return !x->old && r->type == CONTINUED &&
	    (last == OBJECT || last == END);
}

/* Whether it goes for what it goes on with; last: what that was. */
static bool
is_cut_off(struct xls *x, const struct xls_record *r, unsigned last)
{
	if (r->type != CONTINUED || may_go_on(last))
		return false;
	detox_removed(
	    x->d, REMOVED_DAMAGED, "Continue", (struct bytes){ r->p, r->n });
	return true;
}

static bool
is_chart(const struct xls_record *r)
{
	return r->n >= 4 && le16(r->p + 2) == SUBSTREAM_CHART;
}

/* The records from at to the end of the substream, whose BOF is the first. A
 * chart within a sheet is a substream within. */
static enum detox_result
rewrite_substream(struct xls *x, size_t at)
{
	struct xls_record r;
	enum xls_fate fate = XLS_KEPT;
	size_t depth = 0, from = at, dropped_depth = 0;
	unsigned last = BOF;

	xls_clean_drawings(x, at);
	while (xls_next(x, &at, &r) && !detox_is_over(x->d)) {
		if (r.type == BOF && ++depth > DEPTH_MAX)
			return detox_refuse(
			    x->d, REFUSED_DEPTH, "charts within charts");
		/* A chart whose object went goes with it. Globals have none. */
		if (r.type == BOF && depth > 1 && dropped_depth == 0 &&
		    (fate == XLS_DROPPED || x->in_globals || !is_chart(&r)))
			dropped_depth = depth;
		if (dropped_depth == 0 && is_drawing(x, &r, last))
			fate = XLS_KEPT;
		else if (dropped_depth == 0 &&
		    !(is_continuation(r.type) && fate != XLS_KEPT))
			fate = is_cut_off(x, &r, last) ? XLS_DROPPED
						       : xls_rewrite(x, &r);
		else if (!is_continuation(r.type))
			fate = XLS_DROPPED;
		if (dropped_depth == 0 && fate == XLS_KEPT)
			xls_emit(x, r.type, r.p, r.n);
		if (!is_continuation(r.type))
			last = r.type;
		if (r.type == END && dropped_depth == depth)
			dropped_depth = 0;
		if (r.type == END && --depth == 0)
			break;
	}
	x->walked += at - from;
	/* Sheets that share records would make a small file a large one. */
	if (x->walked > (uint64_t)x->in.n * 2)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "sheets that lie over each other");
	/* One that is cut short still needs its end. */
	for (; depth > 0; depth--)
		xls_emit(x, END, NULL, 0);
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

static void
emit_empty_sheet(struct xls *x)
{
	static const uint8_t zeros[14];
	uint8_t bof[16] = { 0 };
	uint8_t window[18] = { 0xb6, 0x00 };
	size_t n = x->bof_n < sizeof(bof) ? x->bof_n : sizeof(bof);

	memcpy(bof, x->bof, n);
	put_le16(bof + 2, SUBSTREAM_WORK);
	xls_emit(x, BOF, bof, n);
	xls_emit(x, 0x200, zeros, x->old ? 10 : 14);
	xls_emit(x, 0x23e, window, x->old ? 10 : 18);
	xls_emit(x, END, NULL, 0);
}

/* What its entry and its first record say has to be a sheet or a chart. */
static enum detox_result
rewrite_sheet(struct xls *x, const struct xls_sheet *s, size_t i)
{
	const char *where = arena_printf(&x->d->arena, "sheet %zu", i + 1);
	struct xls_record r;
	size_t at = s->place;
	unsigned kind;

	if (x->out.n > UINT32_MAX)
		return detox_refuse(x->d, REFUSED_SIZE, "a large workbook");
	put_le32(x->out.p + s->patch, (uint32_t)x->out.n);
	if (!xls_next(x, &at, &r) || r.type != BOF || r.n < 4) {
		detox_removed(
		    x->d, REMOVED_DAMAGED, where, (struct bytes){ 0 });
		emit_empty_sheet(x);
		return DETOX_REBUILT;
	}
	kind = le16(r.p + 2);
	if ((s->kind == SHEET_WORK && kind == SUBSTREAM_WORK) ||
	    (s->kind == SHEET_CHART && kind == SUBSTREAM_CHART))
		return rewrite_substream(x, s->place);
	detox_removed(x->d, REMOVED_MACRO, where, (struct bytes){ 0 });
	emit_empty_sheet(x);
	return DETOX_REBUILT;
}

static enum detox_result
begin(struct xls *x)
{
	struct xls_record r;
	size_t at = 0;
	unsigned version;

	if (!xls_next(x, &at, &r) || r.type != BOF || r.n < 8)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "a workbook of no known version");
	version = le16(r.p);
	if (version != BIFF5 && version != BIFF8)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "a workbook of version %#x", version);
	x->old = version == BIFF5;
	if (xls_open(x) == DETOX_REFUSED)
		return DETOX_REFUSED;
	x->bof = x->in.p + 4;
	x->bof_n = r.n;
	return xls_learn(x);
}

static enum detox_result
rewrite(struct xls *x)
{
	if (begin(x) == DETOX_REFUSED)
		return DETOX_REFUSED;
	x->in_globals = true;
	if (rewrite_substream(x, 0) == DETOX_REFUSED)
		return DETOX_REFUSED;
	x->in_globals = false;
	for (size_t i = 0; i < x->sheets_n; i++)
		if (rewrite_sheet(x, &x->sheets[i], i) == DETOX_REFUSED)
			return DETOX_REFUSED;
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

static enum detox_result
write_xls(struct xls *x, struct cfb *c, struct detox_output *out)
{
	static const uint8_t excel[CFB_CLSID_SIZE] = { 0x20, 0x08, 0x02, 0, 0,
		0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	static const uint8_t excel_old[CFB_CLSID_SIZE] = { 0x10, 0x08, 0x02, 0,
		0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	struct cfb_part parts[2];
	struct buf summary;
	size_t n = 0;
	enum detox_result result;

	part_summary(x->d, c, &summary);
	parts[n++] = (struct cfb_part){ x->old ? "Book" : "Workbook",
		buf_bytes(&x->out) };
	if (summary.n > 0)
		parts[n++] = (struct cfb_part){ "\005SummaryInformation",
			buf_bytes(&summary) };
	result = cfb_write(x->d, x->old ? excel_old : excel, parts, n, out);
	buf_release(&summary);
	return result;
}

enum detox_result
xls_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	struct xls x = { .d = d };
	bool has_new = cfb_find(c, 0, "Workbook") != CFB_NO_ENTRY;
	enum detox_result result =
	    part_read(d, c, 0, has_new ? "Workbook" : "Book", &x.in);

	buf_init(&x.out, d->profile->out_max);
	if (result == DETOX_REBUILT)
		result = rewrite(&x);
	if (result == DETOX_REBUILT)
		result = write_xls(&x, c, out);
	buf_release(&x.in);
	buf_release(&x.out);
	return result;
}
