/* SPDX-License-Identifier: Apache-2.0 */
/* doc: Word 97 to 2003, and 6 and 95: [MS-DOC] 2.1 and 2.5. */
#include "filters/ole/doc.h"

#include "filters/ole/le.h"
#include "filters/ole/link.h"
#include "filters/ole/part.h"

#define FIB_MIN 0x300 /* the smallest of any version is longer */
#define FIRST_OF_WORD_97 0xc1
#define TABLE_IS_1 0x0200
#define PLACES 154
#define PLACES_OLD 0x58
#define PLACES_OLD_N 36

/* Places that go; all that [MS-DOC] does not know (PLACES_KNOWN on) goes too.
 */
#define PLACES_KNOWN 183
static const struct {
	unsigned place;
	enum detox_removal what;
	const char *where;
} unwanted[] = {
	{ 24, REMOVED_MACRO, "Cmds" },
	{ 25, REMOVED_MACRO, "PlcMcr" },
	{ 26, REMOVED_MACRO, "SttbfMcr" },
	{ 27, REMOVED_PRINTER, "PrDrvr" },
	{ 28, REMOVED_PRINTER, "PrEnvPort" },
	{ 29, REMOVED_PRINTER, "PrEnvLand" },
	{ 35, REMOVED_EXTERNAL, "AutosaveSource" },
	{ 44, REMOVED_CONNECTION, "Pms" },
	{ 54, REMOVED_EXTERNAL, "PlcfWkb" },
	{ 60, REMOVED_CUSTOM, "StwUser" },
	{ 70, REMOVED_METADATA, "RouteSlip" },
	{ 71, REMOVED_METADATA, "SttbSavedBy" },
	{ 72, REMOVED_EXTERNAL, "SttbFnm" },
	{ 77, REMOVED_METADATA, "DocUndo" },
	{ 85, REMOVED_ACTIVEX, "Plcocx" },
	{ 94, REMOVED_METADATA, "RmdThreading" },
	{ 95, REMOVED_CUSTOM, "Mid" },
	{ 97, REMOVED_METADATA, "MsoEnvelope" },
	{ 119, REMOVED_METADATA, "DocUndo" },
	{ 126, REMOVED_CONNECTION, "PmsNew" },
	{ 127, REMOVED_CONNECTION, "ODSO" },
	{ 136, REMOVED_CUSTOM, "Hplxsdr" },
	{ 140, REMOVED_EXTERNAL, "CustomXForm" },
};

struct doc_run
doc_at(struct doc *w, unsigned place)
{
	struct doc_run r = { 0 };
	const uint8_t *p = w->main.p + w->places + (size_t)place * 8;
	uint32_t from, n;

	if (place >= w->places_n)
		return r;
	from = le32(p);
	n = le32(p + 4);
	if (n == 0 || from > w->table->n || n > w->table->n - from)
		return r;
	r.p = w->table->p + from;
	r.n = n;
	return r;
}

void
doc_set_size(struct doc *w, unsigned place, uint32_t n)
{
	put_le32(w->main.p + w->places + (size_t)place * 8 + 4, n);
}

static void
drop_place(
    struct doc *w, unsigned place, enum detox_removal what, const char *where)
{
	struct doc_run r = doc_at(w, place);

	if (r.n > 0) {
		detox_removed(w->d, what, where, (struct bytes){ r.p, r.n });
		memset(r.p, 0, r.n);
	}
	doc_set_size(w, place, 0);
}

/* [MS-DOC] 2.9.276: 18 strings, of which [1] is the template. All become
 * empty. Before Word 97 a length comes first, and a byte before each string. */
static void
empty_associated(struct doc *w)
{
	static const uint8_t empty[6 + 18 * 2] = { 0xff, 0xff, 18 };
	static const uint8_t empty_old[2 + 18] = { sizeof(empty_old) };
	struct bytes strings = w->old
	    ? (struct bytes){ empty_old, sizeof(empty_old) }
	    : (struct bytes){ empty, sizeof(empty) };
	struct doc_run r = doc_at(w, DOC_ASSOCIATED);

	if (r.n > 0 && w->d->profile->keep_metadata)
		detox_removed(w->d, REMOVED_EXTERNAL, "SttbfAssoc",
		    (struct bytes){ r.p, r.n });
	if (r.n > 0)
		memset(r.p, 0, r.n);
	/* Too short for 18 strings, or not there. */
	if (r.n < strings.n)
		strings.n = 0;
	else
		memcpy(r.p, strings.p, strings.n);
	if (DOC_ASSOCIATED < w->places_n)
		doc_set_size(w, DOC_ASSOCIATED, (uint32_t)strings.n);
}

void
doc_clean_places(struct doc *w)
{
	for (size_t i = 0; i < COUNT(unwanted); i++)
		if (unwanted[i].place < w->places_n)
			drop_place(w, unwanted[i].place, unwanted[i].what,
			    unwanted[i].where);
	for (unsigned i = PLACES_KNOWN; i < w->places_n; i++)
		doc_set_size(w, i, 0);
	empty_associated(w);
}

#define PICTURE_HEAD_OLD 0x3a
#define PICTURE_HEAD 0x44

/* Whether a picture that is in a file has its head at p. 0x5e and 0x62 are
 * those of Word 6. */
static bool
is_picture_file(const uint8_t *p, size_t n)
{
	unsigned head = le16(p + 4), kind = le16(p + 6);
	uint32_t size = le32(p);

	return (head == PICTURE_HEAD || head == PICTURE_HEAD_OLD) &&
	    (kind == 0x66 || kind == 0x5e || kind == 0x62) && size > head &&
	    size <= n;
}

/* [MS-DOC] 2.9.192, PICF: behind its head is the file's name. Pictures are
 * where the text says, which need not be behind each other. */
static void
clean_pictures(struct doc *w, struct buf *b)
{
	for (size_t at = 0; b->n - at > PICTURE_HEAD; at++) {
		uint8_t *p = b->p + at;
		size_t name = le16(p + 4), n;

		if (!is_picture_file(p, b->n - at))
			continue;
		n = le32(p) - name - 1;
		if (n > p[name])
			n = p[name];
		detox_removed(w->d, REMOVED_EXTERNAL, "picture",
		    (struct bytes){ p + name + 1, n });
		memset(p + name + 1, ' ', n);
	}
}

/* Where the list of places is: [MS-DOC] 2.5.1. */
static enum detox_result
find_places(struct doc *w)
{
	const uint8_t *p = w->main.p;

	if (w->old) {
		w->places = PLACES_OLD;
		w->places_n = PLACES_OLD_N;
		return DETOX_REBUILT;
	}
	if (le16(p + 32) != 14 || le16(p + 62) != 22)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its head is of no known version");
	w->places = PLACES;
	w->places_n = le16(p + w->places - 2);
	if (w->places_n <= DOC_PIECES ||
	    w->places_n > (w->main.n - w->places) / 8)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its head is cut short");
	return DETOX_REBUILT;
}

static enum detox_result
read_head(struct doc *w)
{
	if (w->main.n < FIB_MIN)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its head is cut short");
	w->old = le16(w->main.p + 2) < FIRST_OF_WORD_97;
	/* A second document, of AutoText. */
	if (le16(w->main.p + 8) != 0 && !w->old) {
		put_le16(w->main.p + 8, 0);
		detox_removed(
		    w->d, REMOVED_CUSTOM, "AutoText", (struct bytes){ 0 });
	}
	return DETOX_REBUILT;
}

static const char *
table_name(const struct doc *w)
{
	return (le16(w->main.p + 0x0a) & TABLE_IS_1) != 0 ? "1Table" : "0Table";
}

static enum detox_result
clean_streams(struct doc *w)
{
	doc_clean_places(w);
	clean_pictures(w, w->old ? &w->main : &w->data);
	link_clean_art(w->d, w->table_stream.p, w->table_stream.n, "drawing");
	link_clean_art(w->d, w->data.p, w->data.n, "picture");
	link_clean(w->d, w->main.p, w->main.n, "WordDocument");
	link_clean(w->d, w->table_stream.p, w->table_stream.n, "drawing");
	link_clean(w->d, w->data.p, w->data.n, "Data");
	if (doc_find_pieces(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return doc_clean_fields(w);
}

static bool
is_same(const struct buf *b, struct bytes before)
{
	return bytes_equal(buf_bytes(b), before);
}

/* What is blanked for one piece of a document may be part of another, and the
 * beginning of a word that was judged whole: so what comes out is read again,
 * and has nothing left to change. */
static enum detox_result
check_streams(struct doc *w)
{
	const struct buf *streams[] = { &w->main, &w->table_stream, &w->data };
	struct detox *told = ARENA_NEW(&w->d->arena, struct detox);
	struct buf before;
	struct bytes rest;
	enum detox_result result;
	bool same = true;

	buf_init(&before, w->main.n + w->table_stream.n + w->data.n + 1);
	for (size_t i = 0; i < COUNT(streams); i++)
		if (buf_append(&before, buf_bytes(streams[i])) < 0) {
			buf_release(&before);
			return detox_refuse(w->d, REFUSED_MEMORY, "no memory");
		}
	w->pieces_n = 0;
	w->text_n = 0;
	/* What is left out now was told before. */
	*told = *w->d;
	result = clean_streams(w);
	memcpy(w->d->rows, told->rows, sizeof(told->rows));
	w->d->rows_n = told->rows_n;
	w->d->rows_left_out = told->rows_left_out;
	w->d->text_in = told->text_in;
	w->d->text_out = told->text_out;
	rest = buf_bytes(&before);
	for (size_t i = 0; i < COUNT(streams); i++)
		same &= is_same(streams[i], bytes_take(&rest, streams[i]->n));
	buf_release(&before);
	if (result == DETOX_REBUILT && !same)
		return detox_refuse(w->d, REFUSED_BROKEN,
		    "parts of the document that lie over each other");
	return result;
}

static enum detox_result
clean(struct doc *w, struct cfb *c)
{
	if (part_read(w->d, c, 0, "WordDocument", &w->main) == DETOX_REFUSED ||
	    read_head(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	w->table = w->old ? &w->main : &w->table_stream;
	if (!w->old &&
	    (part_read(w->d, c, 0, table_name(w), &w->table_stream) ==
		    DETOX_REFUSED ||
		part_read_if(w->d, c, 0, "Data", &w->data) == DETOX_REFUSED))
		return DETOX_REFUSED;
	if (doc_open(w) == DETOX_REFUSED || find_places(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (clean_streams(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return check_streams(w);
}

static enum detox_result
write_doc(struct doc *w, struct cfb *c, struct detox_output *out)
{
	static const uint8_t word[CFB_CLSID_SIZE] = { 0x06, 0x09, 0x02, 0, 0, 0,
		0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	static const uint8_t word_old[CFB_CLSID_SIZE] = { 0x00, 0x09, 0x02, 0,
		0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	struct cfb_part parts[4];
	struct buf summary;
	size_t n = 0;
	enum detox_result result;

	part_summary(w->d, c, &summary);
	parts[n++] = (struct cfb_part){ "WordDocument", buf_bytes(&w->main) };
	if (!w->old)
		parts[n++] = (struct cfb_part){ table_name(w),
			buf_bytes(&w->table_stream) };
	if (w->data.n > 0)
		parts[n++] = (struct cfb_part){ "Data", buf_bytes(&w->data) };
	if (summary.n > 0)
		parts[n++] = (struct cfb_part){ "\005SummaryInformation",
			buf_bytes(&summary) };
	result = cfb_write(w->d, w->old ? word_old : word, parts, n, out);
	buf_release(&summary);
	return result;
}

enum detox_result
doc_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	struct doc w = { .d = d };
	enum detox_result result = clean(&w, c);

	if (result == DETOX_REBUILT)
		result = write_doc(&w, c, out);
	buf_release(&w.main);
	buf_release(&w.table_stream);
	buf_release(&w.data);
	return result;
}
