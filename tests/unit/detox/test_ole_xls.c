/* SPDX-License-Identifier: Apache-2.0 */
/* Workbooks of BIFF8, built here record by record. */
#include <check.h>

#include "filters/ole/le.h"
#include "filters/ole/xls.h"
#include "tests/unit/detox/build_ole.h"
#include "tests/unit/detox/drive.h"

Suite *ole_xls_suite(void);

#define BOF 0x809
#define END 0x0a
#define SHEET 0x10
#define GLOBALS 5
#define MACROS 0x40
#define NO_RECORD SIZE_MAX

struct book {
	struct buf in;
	size_t sheet; /* where the BOUNDSHEET's place is */
	struct drive_detox t;
	struct buf out;
};

static void
add(struct book *b, unsigned type, struct bytes content)
{
	build_le16(&b->in, type);
	build_le16(&b->in, (unsigned)content.n);
	build_bytes(&b->in, content);
}

static void
add_bof(struct book *b, unsigned kind)
{
	uint8_t bof[16] = { 0, 6 };

	put_le16(bof + 2, kind);
	add(b, BOF, (struct bytes){ bof, sizeof(bof) });
}

/* Globals with one sheet; more records of them may follow. */
static void
begin_book(struct book *b, uint8_t kind)
{
	uint8_t sheet[] = { 0, 0, 0, 0, 0, kind, 1, 0, 'S' };

	memset(b, 0, sizeof(*b));
	drive_detox_init(&b->t);
	add_bof(b, GLOBALS);
	b->sheet = b->in.n + 4;
	add(b, 0x85, (struct bytes){ sheet, sizeof(sheet) });
}

static void
begin_sheet(struct book *b, unsigned kind)
{
	add(b, END, BYTES(""));
	put_le32(b->in.p + b->sheet, (uint32_t)b->in.n);
	add_bof(b, kind);
}

static void
run_book(struct book *b)
{
	struct build_ole file;

	add(b, END, BYTES(""));
	build_ole_init(&file);
	build_ole_add(&file, "Workbook", buf_bytes(&b->in));
	drive_detox_run(&b->t, build_ole_write(&file, NULL), "a.xls");
	if (b->t.result == DETOX_REBUILT)
		b->out =
		    build_ole_read(buf_bytes(&b->t.out.content), "Workbook");
	build_ole_release(&file);
}

static void
end_book(struct book *b)
{
	buf_release(&b->in);
	buf_release(&b->out);
	drive_detox_release(&b->t);
}

/* Where the first record of that type is, from a place on. */
static size_t
find(const struct book *b, unsigned type, size_t from)
{
	for (size_t at = from; at + 4 <= b->out.n;
	     at += 4 + (size_t)le16(b->out.p + at + 2))
		if (le16(b->out.p + at) == type)
			return at;
	return NO_RECORD;
}

static bool
has(const struct book *b, unsigned type, struct bytes content)
{
	for (size_t at = 0; (at = find(b, type, at)) != NO_RECORD;
	     at += 4 + (size_t)le16(b->out.p + at + 2))
		if (bytes_equal(content,
			(struct bytes){
			    b->out.p + at + 4, le16(b->out.p + at + 2) }))
			return true;
	return false;
}

/* That the sheet begins where its entry says. */
static void
check_place(const struct book *b, unsigned kind)
{
	size_t at = find(b, 0x85, 0), place;

	ck_assert(at != NO_RECORD);
	place = le32(b->out.p + at + 4);
	ck_assert(place + 8 <= b->out.n);
	ck_assert_uint_eq(le16(b->out.p + place), BOF);
	ck_assert_uint_eq(le16(b->out.p + place + 6), kind);
}

#define CELL "\1\0\2\0\xf\0"
#define TEN "\0\0\0\0\0\0\x24\x40"

/* A formula of these tokens, whose value is 10. */
static void
add_formula(struct book *b, const char *value, struct bytes tokens)
{
	struct buf f = { 0 };

	build_bytes(&f, BYTES(CELL));
	build_bytes(&f, (struct bytes){ (const uint8_t *)value, 8 });
	build_zeros(&f, 6);
	build_le16(&f, (unsigned)tokens.n);
	build_bytes(&f, tokens);
	add(b, 0x06, buf_bytes(&f));
	buf_release(&f);
}

START_TEST(ole_xls_keeps_a_clean_sheet)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add(&b, 0x20b, BYTES("index"));
	add(&b, 0x203, BYTES(CELL TEN));
	add_formula(&b, TEN, BYTES("\x1e\4\0\x1e\6\0\3"));
	add(&b, 0xd7, BYTES("cells"));
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	check_place(&b, SHEET);
	ck_assert(has(&b, 0x203, BYTES(CELL TEN)));
	ck_assert(find(&b, 0x06, 0) != NO_RECORD);
	ck_assert(find(&b, 0x20b, 0) == NO_RECORD);
	ck_assert(find(&b, 0xd7, 0) == NO_RECORD);
	ck_assert_uint_eq(b.t.d.rows_n, 0);
	end_book(&b);
}
END_TEST

static const struct {
	const char *name;
	struct bytes tokens;
} bad_formulas[] = {
	{ "EXEC", BYTES_ROW("\x17\4\0calc\x42\1\x6e\0") },
	{ "CALL", BYTES_ROW("\x17\1\0a\x42\1\x96\0") },
	{ "REGISTER", BYTES_ROW("\x17\1\0a\x62\1\x95\0") },
	{ "RTD", BYTES_ROW("\x17\1\0a\x22\1\x7b\1") },
	{ "a command", BYTES_ROW("\x42\0\x03\x80") },
	{ "a fixed function of macros", BYTES_ROW("\x21\x36\0") },
	{ "HYPERLINK to a script",
	    BYTES_ROW("\x17\x0d\0javascript:ab\x42\1\x67\1") },
	{ "no known token", BYTES_ROW("\x3f\0\0") },
	{ "a text that is cut", BYTES_ROW("\x17\xff\0a") },
	{ "a text with more before it", BYTES_ROW("\x17\4\x8\0\0\x17\1") },
	{ "an attribute of two kinds", BYTES_ROW("\x19\x44\0\0\0\0\x1e\1\0") },
	{ "a label that may be longer", BYTES_ROW("\x18\x0a\0\0\0\0\x1e\1\0") },
	{ "HYPERLINK to a script, of a fixed count",
	    BYTES_ROW("\x17\x0d\0javascript:ab\x41\x67\1") },
	{ "HYPERLINK to what is put together",
	    BYTES_ROW("\x17\4\0file\x1e\x3a\0\x41\x6f\0\x8"
		      "\x17\3\0//a\x8\x42\1\x67\1") },
	{ "HYPERLINK to what a cell says",
	    BYTES_ROW("\x24\1\0\1\xc0\x17\1\0a\x42\2\x67\1") },
};

START_TEST(ole_xls_keeps_the_value_of_a_bad_formula)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add_formula(&b, TEN, bad_formulas[_i].tokens);
	run_book(&b);
	ck_assert_msg(
	    has(&b, 0x203, BYTES(CELL TEN)), "%s", bad_formulas[_i].name);
	ck_assert(find(&b, 0x06, 0) == NO_RECORD);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_FORMULA, "cell"), 1);
	end_book(&b);
}
END_TEST

static const struct {
	const char *name;
	struct bytes tokens;
} good_formulas[] = {
	{ "SUM over an area", BYTES_ROW("\x25\0\0\1\0\0\xc0\1\xc0\x42\1\4\0") },
	{ "IF with its jumps",
	    BYTES_ROW("\x1d\1\x19\2\4\0\x1e\1\0\x19\x8\3\0"
		      "\x22\2\1\0") },
	{ "CHOOSE",
	    BYTES_ROW("\x1e\1\0\x19\4\1\0\0\0\0\0\x1e\1\0\x42\2\x64\0") },
	{ "HYPERLINK to the web",
	    BYTES_ROW("\x17\x0e\0https://a.test\x42\1\x67\1") },
	{ "HYPERLINK with the words of a cell",
	    BYTES_ROW("\x17\x0e\0https://a.test\x24\1\0\1\xc0\x42\2\x67\1") },
	{ "tokens of the third class", BYTES_ROW("\x64\0\0\0\xc0\x61\x0f\0") },
};

START_TEST(ole_xls_keeps_good_formulas)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add_formula(&b, TEN, good_formulas[_i].tokens);
	run_book(&b);
	ck_assert_msg(
	    find(&b, 0x06, 0) != NO_RECORD, "%s", good_formulas[_i].name);
	ck_assert_uint_eq(b.t.d.rows_n, 0);
	end_book(&b);
}
END_TEST

START_TEST(ole_xls_keeps_the_text_of_a_bad_formula)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add_formula(&b, "\0\0\0\0\0\0\xff\xff", bad_formulas[0].tokens);
	add(&b, 0x207, BYTES("\3\0\0abc"));
	add_formula(&b, "\1\0\1\0\0\0\xff\xff", bad_formulas[0].tokens);
	add_formula(&b, "\2\0\x2a\0\0\0\xff\xff", bad_formulas[0].tokens);
	add_formula(&b, "\3\0\0\0\0\0\xff\xff", bad_formulas[0].tokens);
	run_book(&b);
	ck_assert(has(&b, 0x204, BYTES(CELL "\3\0\0abc")));
	ck_assert(has(&b, 0x205, BYTES(CELL "\1\0")));
	ck_assert(has(&b, 0x205, BYTES(CELL "\x2a\1")));
	ck_assert(has(&b, 0x201, BYTES(CELL)));
	ck_assert(find(&b, 0x207, 0) == NO_RECORD);
	end_book(&b);
}
END_TEST

/* With the cell before it, it would be longer than a record says, and its end
 * be records. */
START_TEST(ole_xls_drops_a_text_that_is_too_long)
{
	struct book b;
	struct buf text = { 0 };

	build_bytes(&text, BYTES("\0\x18\0"));
	while (text.n < UINT16_MAX)
		build_bytes(&text, BYTES("\6\0\0\0"));
	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add_formula(&b, "\0\0\0\0\0\0\xff\xff", bad_formulas[0].tokens);
	add(&b, 0x207, buf_bytes(&text));
	add_formula(&b, "\0\0\0\0\0\0\xff\xff", bad_formulas[0].tokens);
	text.n = XLS_RECORD_MAX - 6;
	add(&b, 0x207, buf_bytes(&text));
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	ck_assert(find(&b, 0x06, 0) == NO_RECORD);
	ck_assert_uint_eq(
	    le16(b.out.p + find(&b, 0x204, 0) + 2), XLS_RECORD_MAX);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_DAMAGED, "text"), 1);
	buf_release(&text);
	end_book(&b);
}
END_TEST

static const struct {
	const char *name;
	uint8_t entry;
	unsigned begin;
} macro_sheets[] = {
	{ "macros, said twice", 1, MACROS },
	{ "macros, the entry says a sheet", 0, MACROS },
	{ "macros, the sheet says a sheet", 1, SHEET },
	{ "a module", 6, 6 },
};

START_TEST(ole_xls_empties_sheets_of_macros)
{
	struct book b;

	begin_book(&b, macro_sheets[_i].entry);
	begin_sheet(&b, macro_sheets[_i].begin);
	add(&b, 0x203, BYTES(CELL TEN));
	run_book(&b);
	ck_assert_msg(b.t.result == DETOX_REBUILT, "%s", macro_sheets[_i].name);
	check_place(&b, SHEET);
	ck_assert(find(&b, 0x203, 0) == NO_RECORD);
	ck_assert_uint_eq(b.out.p[find(&b, 0x85, 0) + 4 + 5], 0);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_MACRO, "sheet 1"), 1);
	end_book(&b);
}
END_TEST

START_TEST(ole_xls_refuses_encrypted_workbooks)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, 0x2f, BYTES("\1\0\1\0\1\0"));
	begin_sheet(&b, SHEET);
	run_book(&b);
	ck_assert_int_eq(b.t.d.refusal, REFUSED_ENCRYPTED);
	end_book(&b);
}
END_TEST

static const struct {
	const char *name;
	unsigned type;
	enum detox_removal what;
} records[] = {
	{ "project", 0xd3, REMOVED_MACRO },
	{ "query table", 0x1ad, REMOVED_CONNECTION },
	{ "query", 0xdc, REMOVED_CONNECTION },
	{ "connection", 0x876, REMOVED_CONNECTION },
	{ "pivot table", 0xb0, REMOVED_CONNECTION },
	{ "printer", 0x4d, REMOVED_PRINTER },
	{ "menu", 0xc2, REMOVED_ACTION },
	{ "real time data", 0x813, REMOVED_FORMULA },
	{ "unknown", 0x7777, REMOVED_UNKNOWN },
};

START_TEST(ole_xls_drops_records_with_what_goes_on)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, records[_i].type, BYTES("attack one"));
	add(&b, 0x3c, BYTES("attack two"));
	begin_sheet(&b, SHEET);
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	check_place(&b, SHEET);
	ck_assert_msg(!build_ole_contains(buf_bytes(&b.out), BYTES("attack")),
	    "%s", records[_i].name);
	ck_assert_uint_eq(drive_detox_removed(&b.t, records[_i].what, NULL), 1);
	end_book(&b);
}
END_TEST

/* Readers join it with the record before, which was looked at without it. */
START_TEST(ole_xls_drops_what_goes_on_with_a_link)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, 0x1ae, BYTES("\1\0\1\4"));
	add(&b, 0x3c, BYTES("attack"));
	add(&b, 0xfc, BYTES("strings"));
	add(&b, 0x3c, BYTES("more strings"));
	begin_sheet(&b, SHEET);
	add(&b, 0x1b1, BYTES("\1\3\3\0\0\0\x1e\1\0"));
	add(&b, 0x3c, BYTES("attack"));
	add(&b, 0x3c, BYTES("attack"));
	run_book(&b);
	ck_assert(!build_ole_contains(buf_bytes(&b.out), BYTES("attack")));
	ck_assert(has(&b, 0x3c, BYTES("more strings")));
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_DAMAGED, "Continue"), 2);
	end_book(&b);
}
END_TEST

START_TEST(ole_xls_disarms_names_of_two_bytes)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, 0x1ae, BYTES("\1\0\1\x3a"));
	add(&b, 0x23, BYTES("\0\0\0\0\0\0\3\1R\0T\0D\0"));
	add(&b, 0x23, BYTES("\0\0\0\0\0\0\3\x8RTD"));
	add(&b, 0x23, BYTES("\0\0\0\0\0\0\3\1S\0U\0M\0"));
	begin_sheet(&b, SHEET);
	run_book(&b);
	ck_assert(has(&b, 0x23, BYTES("\0\0\0\0\0\0\3\1______")));
	ck_assert(has(&b, 0x23, BYTES("\0\0\0\0\0\0\3\0___")));
	ck_assert(has(&b, 0x23, BYTES("\0\0\0\0\0\0\3\1S\0U\0M\0")));
	end_book(&b);
}
END_TEST

START_TEST(ole_xls_takes_other_books_out)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, 0x1ae, BYTES("\1\0\1\4"));
	add(&b, 0x1ae, BYTES("\0\0\x9\0\0cmd\3/c ab"));
	add(&b, 0x23, BYTES("\xe2\x7f\0\0\0\0\1\0A"));
	add(&b, 0x17, BYTES("\2\0\0\0\0\0\0\0\1\0\0\0\0\0"));
	begin_sheet(&b, SHEET);
	add_formula(&b, TEN, BYTES("\x3a\0\0\0\0\0\0"));
	add_formula(&b, TEN, BYTES("\x3a\1\0\0\0\0\0"));
	add_formula(&b, TEN, BYTES("\x39\1\0\1\0\0\0"));
	run_book(&b);
	ck_assert(has(&b, 0x1ae, BYTES("\1\0\1\4")));
	ck_assert(has(&b, 0x1ae, BYTES("\1\0\1\x3a")));
	ck_assert(!build_ole_contains(buf_bytes(&b.out), BYTES("cmd")));
	ck_assert(find(&b, 0x23, 0) == NO_RECORD);
	ck_assert(has(&b, 0x17, BYTES("\2\0\0\0\0\0\0\0\1\0\xfe\xff\xfe\xff")));
	ck_assert(find(&b, 0x06, 0) != NO_RECORD);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_EXTERNAL, "cell"), 2);
	end_book(&b);
}
END_TEST

/* What stands within globals as a substream of its own is not written, so that
 * no number is of it. */
START_TEST(ole_xls_counts_no_book_that_goes)
{
	static const unsigned kinds[] = { SHEET, 0x20 };
	struct book b;

	begin_book(&b, 0);
	add_bof(&b, kinds[_i]);
	add(&b, 0x1ae, BYTES("\1\0\1\4"));
	add(&b, 0x17, BYTES("\1\0\0\0\0\0\0\0"));
	add(&b, END, BYTES(""));
	add(&b, 0x1ae, BYTES("\0\0\x9\0\0cmd\3/c ab"));
	add(&b, 0x23, BYTES("\xe2\x7f\0\0\0\0\1\0A"));
	add(&b, 0x17, BYTES("\1\0\0\0\0\0\0\0"));
	begin_sheet(&b, SHEET);
	add_formula(&b, TEN, BYTES("\x39\0\0\1\0\0\0"));
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	ck_assert(!build_ole_contains(buf_bytes(&b.out), BYTES("cmd")));
	ck_assert(find(&b, 0x23, 0) == NO_RECORD);
	ck_assert(find(&b, 0x06, 0) == NO_RECORD);
	end_book(&b);
}
END_TEST

#define NAME(flags, length, size) \
	flags "\0\0" length size "\0\0\0\0\0\0\0\0\0\0"

START_TEST(ole_xls_disarms_names)
{
	struct book b;

	begin_book(&b, 0);
	add(&b, 0x18, BYTES(NAME("\x20", "\1", "\3") "\1\x1e\1\0"));
	add(&b, 0x18, BYTES(NAME("\0", "\xa", "\3") "Auto_Open1\x1e\1\0"));
	add(&b, 0x18, BYTES(NAME("\x0e", "\3", "\3") "Run\x1e\1\0"));
	add(&b, 0x18, BYTES(NAME("\0", "\4", "\3") "Good\x1e\1\0"));
	add(&b, 0x18, BYTES(NAME("\x20", "\1", "\3") "\6\x1e\1\0"));
	begin_sheet(&b, SHEET);
	run_book(&b);
	ck_assert(has(&b, 0x18, BYTES(NAME("\0", "\1", "\3") "_\x1c\x17\x15")));
	ck_assert(has(
	    &b, 0x18, BYTES(NAME("\0", "\xa", "\3") "_uto_Open1\x1c\x17\x15")));
	ck_assert(
	    has(&b, 0x18, BYTES(NAME("\0", "\3", "\3") "Run\x1c\x17\x15")));
	ck_assert(has(&b, 0x18, BYTES(NAME("\0", "\4", "\3") "Good\x1e\1\0")));
	ck_assert(has(&b, 0x18, BYTES(NAME("\x20", "\1", "\3") "\6\x1e\1\0")));
	ck_assert_uint_eq(drive_detox_removed(&b.t, REMOVED_MACRO, "name"), 3);
	end_book(&b);
}
END_TEST

START_TEST(ole_xls_takes_macros_from_shapes)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add(&b, 0x5d,
	    BYTES("\x15\0\4\0\1\0\1\0\4\0\2\0ab\x8\0\2\0\x31\0\x9\0\4\0fmla"
		  "\0\0\0\0"));
	run_book(&b);
	ck_assert(
	    has(&b, 0x5d, BYTES("\x15\0\4\0\1\0\1\0\x8\0\2\0\1\0\0\0\0\0")));
	ck_assert_uint_eq(drive_detox_removed(&b.t, REMOVED_MACRO, "Obj"), 1);
	ck_assert_uint_eq(drive_detox_removed(&b.t, REMOVED_ACTIVEX, "Obj"), 1);
	end_book(&b);
}
END_TEST

/* Of one record of properties: a picture's name, and that it is loaded. */
#define OUTSIDE "\x23\0\x0b\xf0\x12\0\0\0\5\xc1\6\0\0\0\6\1\xe\0\0\0a\0b\0\0\0"

static const struct {
	const char *name;
	struct bytes begin;
	size_t cut;
	unsigned next; /* the record that it goes on with */
	bool chart;    /* of which there is one between */
} drawings[] = {
	{ "whole", BYTES_ROW(""), 26, 0xec, false },
	{ "cut in its head", BYTES_ROW(""), 3, 0x3c, false },
	{ "cut before its flags", BYTES_ROW(""), 14, 0x3c, false },
	{ "cut before its flags, in a drawing of its own", BYTES_ROW(""), 14,
	    0xec, false },
	{ "cut, with a chart between", BYTES_ROW(""), 14, 0xec, true },
	{ "going on behind a chart", BYTES_ROW(""), 14, 0x3c, true },
	{ "behind one that is too long",
	    BYTES_ROW("\xf\0\5\xf0\x8\0\0\0\0\0\x12\xf0\xff\xff\xff\7"), 26,
	    0xec, false },
};

START_TEST(ole_xls_loads_no_picture_from_outside)
{
	const struct bytes art = BYTES(OUTSIDE);
	size_t cut = drawings[_i].cut;
	struct buf first = { 0 };
	struct book b;

	build_bytes(&first, drawings[_i].begin);
	build_bytes(&first, (struct bytes){ art.p, cut });
	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add(&b, 0xec, buf_bytes(&first));
	if (drawings[_i].chart) {
		add(&b, 0x5d, BYTES("\x15\0\4\0\5\0\1\0\0\0\0\0"));
		add_bof(&b, 0x20);
		add(&b, 0xec, BYTES("art of the chart"));
		add(&b, END, BYTES(""));
	}
	add(&b, drawings[_i].next, (struct bytes){ art.p + cut, art.n - cut });
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_EXTERNAL, "drawing"), 1);
	ck_assert_msg(
	    !build_ole_contains(buf_bytes(&b.out), BYTES("\6\1\xe\0\0\0")),
	    "%s", drawings[_i].name);
	ck_assert(!build_ole_contains(buf_bytes(&b.out), BYTES("a\0b\0")));
	ck_assert(find(&b, drawings[_i].next, 0) != NO_RECORD);
	buf_release(&first);
	end_book(&b);
}
END_TEST

#define LINK                                                               \
	"\0\0\0\0\0\0\0\0\xd0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa" \
	"\x00\x4b\xa9\x0b\2\0\0\0"
#define MONIKER                                                            \
	"\3\0\0\0\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b" \
	"\xa9\x0b"

static const struct {
	const char *name;
	struct bytes link;
	bool stays;
} links[] = {
	{ "of the web",
	    BYTES_ROW(LINK MONIKER "\x10\0\0\0h\0t\0t\0p\0:\0a\0b\0"
				   "c\0"),
	    true },
	{ "to a file",
	    BYTES_ROW(LINK MONIKER "\x10\0\0\0f\0i\0l\0e\0:\0a\0b\0c\0"),
	    false },
	{ "to a server, as text", BYTES_ROW(LINK "\1\1\0\0\3\0\0\0\\\0\\\0a\0"),
	    false },
	{ "to a place", BYTES_ROW(LINK "\x8\0\0\0\3\0\0\0a\0b\0c\0"), true },
	{ "to a server, without a moniker",
	    BYTES_ROW(LINK "\0\1\0\0\3\0\0\0\\\0\\\0a\0"), false },
	{ "to a server, of no known class",
	    BYTES_ROW("\0\0\0\0\0\0\0\0\xd0\xc9\xea\x79\xf9\xba\xce\x11\x8c"
		      "\x82\x00\xaa\x00\x4b\xa9\x0c\2\0\0\0\1\1\0\0\3\0\0\0"
		      "\\\0\\\0a\0"),
	    false },
	{ "to what goes on in the next record",
	    BYTES_ROW(LINK "\3\0\0\0\xe0\xc9\xea\x79\xf9\xba"), false },
};

START_TEST(ole_xls_drops_bad_links)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add(&b, 0x1b8, links[_i].link);
	run_book(&b);
	ck_assert_msg(has(&b, 0x1b8, links[_i].link) == links[_i].stays, "%s",
	    links[_i].name);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_LINK, "HLink"), !links[_i].stays);
	end_book(&b);
}
END_TEST

#define BOX "\x12\2\0\0\0\0\0\0\0\0\1\0\x10\0\0\0"

START_TEST(ole_xls_blanks_formulas_that_are_no_cell)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	add(&b, 0x4bc, BYTES("\0\0\1\0\0\0\0\2\x07\0\x17\0\0\x42\1\x6e\0"));
	add(&b, 0x1b1, BYTES("\1\3\4\0\0\0\x42\0\x6e\0"));
	/* A formula within a text box, one that fits, and one that is cut. */
	add(&b, 0x1b6, BYTES(BOX "\x0a\0\4\0\0\0\0\0\x42\0\x6e\0"));
	add(&b, 0x1b6, BYTES(BOX "\x0a\0\5\0\0\0\0\0\x42\0\x6e\0"));
	run_book(&b);
	ck_assert(has(&b, 0x4bc,
	    BYTES("\0\0\1\0\0\0\0\2\x07\0\x1c\x17\x15\x15\x15\x15\x15")));
	ck_assert(has(&b, 0x1b1, BYTES("\1\3\4\0\0\0\x1c\x17\x15\x15")));
	ck_assert(
	    has(&b, 0x1b6, BYTES(BOX "\x0a\0\4\0\0\0\0\0\x1c\x17\x15\x15")));
	ck_assert(has(&b, 0x1b6, BYTES(BOX "\0\0")));
	end_book(&b);
}
END_TEST

/* A sheet that is not where its entry says becomes an empty one. */
START_TEST(ole_xls_mends_a_lost_sheet)
{
	struct book b;

	begin_book(&b, 0);
	begin_sheet(&b, SHEET);
	put_le32(b.in.p + b.sheet, 0x7fffffff);
	run_book(&b);
	ck_assert_int_eq(b.t.result, DETOX_REBUILT);
	check_place(&b, SHEET);
	ck_assert_uint_eq(
	    drive_detox_removed(&b.t, REMOVED_DAMAGED, "sheet 1"), 1);
	end_book(&b);
}
END_TEST

/* A sheet without a compound file, as programs of the web write it. */
#define SHEET_5 "\x09\x08\x08\0\0\0\x10\0\0\0\0\0"
#define SHEET_5_CHART "\x09\x08\x08\0\0\0\x20\0\0\0\0\0"
#define SHEET_4 "\x09\4\6\0\0\0\x10\0\0\0"
#define SHEET_2 "\x09\0\4\0\2\0\x10\0"
#define LABEL_5 "\4\2\x0a\0" CELL "\2\0ab"
#define NUMBER_5 "\3\2\x0e\0" CELL TEN
#define LAST "\x0a\0\0\0"

static const struct {
	const char *name;
	struct bytes in;
	struct bytes out; /* empty: refused */
	enum detox_removal removed;
	unsigned count;
	enum detox_refusal refusal;
} sheets[] = {
	{ "a table", BYTES_ROW(SHEET_5 LABEL_5 NUMBER_5 LAST),
	    BYTES_ROW(SHEET_5 LABEL_5 NUMBER_5 LAST), 0, 0, 0 },
	{ "a formula's number",
	    BYTES_ROW(SHEET_5 "\6\0\x12\0" CELL TEN "code" LAST),
	    BYTES_ROW(SHEET_5 NUMBER_5 LAST), REMOVED_FORMULA, 1, 0 },
	{ "of version 4", BYTES_ROW(SHEET_4 "\6\4\x0e\0" CELL TEN LAST),
	    BYTES_ROW(SHEET_4 NUMBER_5 LAST), REMOVED_FORMULA, 1, 0 },
	{ "one that is no formula of its version",
	    BYTES_ROW(SHEET_4 "\6\0\x0e\0" CELL TEN LAST),
	    BYTES_ROW(SHEET_4 LAST), REMOVED_UNKNOWN, 1, 0 },
	{ "of version 2", BYTES_ROW(SHEET_2 "\6\0\x0f\0" CELL "7" TEN LAST),
	    BYTES_ROW(SHEET_2 "\3\0\x0f\0" CELL "7" TEN LAST), REMOVED_FORMULA,
	    1, 0 },
	{ "its text",
	    BYTES_ROW(SHEET_5 "\6\0\x0e\0" CELL
			      "\0\0\0\0\0\0\xff\xff\7\2\4\0\2\0ab" LAST),
	    BYTES_ROW(SHEET_5 LABEL_5 LAST), REMOVED_FORMULA, 1, 0 },
	{ "true",
	    BYTES_ROW(SHEET_5 "\6\0\x0e\0" CELL "\1\0\1\0\0\0\xff\xff" LAST),
	    BYTES_ROW(SHEET_5 "\5\2\x08\0" CELL "\1\0" LAST), REMOVED_FORMULA,
	    1, 0 },
	{ "an error",
	    BYTES_ROW(SHEET_5 "\6\0\x0e\0" CELL "\2\0\7\0\0\0\xff\xff" LAST),
	    BYTES_ROW(SHEET_5 "\5\2\x08\0" CELL "\7\1" LAST), REMOVED_FORMULA,
	    1, 0 },
	{ "a formula that is cut",
	    BYTES_ROW(SHEET_5 "\6\0\x0d\0" CELL "1234567" LAST),
	    BYTES_ROW(SHEET_5 LAST), REMOVED_UNKNOWN, 1, 0 },
	{ "a text of nothing", BYTES_ROW(SHEET_5 "\7\2\4\0\2\0ab" LAST),
	    BYTES_ROW(SHEET_5 LAST), 0, 0, 0 },
	{ "a name", BYTES_ROW(SHEET_5 "\x18\0\2\0ab" LAST),
	    BYTES_ROW(SHEET_5 LAST), REMOVED_UNKNOWN, 1, 0 },
	{ "a name of version 4", BYTES_ROW(SHEET_4 "\x18\2\2\0ab" LAST),
	    BYTES_ROW(SHEET_4 LAST), REMOVED_UNKNOWN, 1, 0 },
	{ "who saved it", BYTES_ROW(SHEET_5 "\x5c\0\2\0ab" LAST),
	    BYTES_ROW(SHEET_5 LAST), REMOVED_METADATA, 1, 0 },
	{ "a chart within",
	    BYTES_ROW(SHEET_5 SHEET_5_CHART LABEL_5 LAST NUMBER_5 LAST),
	    BYTES_ROW(SHEET_5 NUMBER_5 LAST), REMOVED_UNKNOWN, 1, 0 },
	{ "something behind", BYTES_ROW(SHEET_5 LABEL_5 LAST "more"),
	    BYTES_ROW(SHEET_5 LABEL_5 LAST), REMOVED_TRAILING, 1, 0 },
	{ "no end", BYTES_ROW(SHEET_5 LABEL_5), BYTES_ROW(SHEET_5 LABEL_5 LAST),
	    0, 0, 0 },
	{ "a record that is cut", BYTES_ROW(SHEET_5 "\4\2\x0a\0" CELL),
	    BYTES_ROW(SHEET_5 LAST), REMOVED_TRAILING, 1, 0 },
	{ "a password", BYTES_ROW(SHEET_5 "\x2f\0\4\0abcd" LABEL_5 LAST),
	    BYTES_ROW(""), 0, 0, REFUSED_ENCRYPTED },
	{ "macros", BYTES_ROW("\x09\x08\x08\0\0\0\x40\0\0\0\0\0" LABEL_5 LAST),
	    BYTES_ROW(""), 0, 0, REFUSED_TYPE },
};

START_TEST(biff_drops_a_text_that_is_too_long)
{
	struct drive_detox t;
	struct buf in = { 0 };

	build_bytes(
	    &in, BYTES(SHEET_5 "\6\0\x0e\0" CELL "\0\0\0\0\0\0\xff\xff"));
	build_bytes(&in, BYTES("\7\2\xff\xff\0\x18\0"));
	while (in.n < 12 + 18 + 4 + UINT16_MAX)
		build_bytes(&in, BYTES("\6\0\0\0"));
	build_bytes(&in, BYTES(LAST));
	drive_detox_init(&t);
	drive_detox_run(&t, buf_bytes(&in), "a.xls");
	ck_assert(bytes_equal(buf_bytes(&t.out.content), BYTES(SHEET_5 LAST)));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, "text"), 1);
	drive_detox_release(&t);
	buf_release(&in);
}
END_TEST

START_TEST(biff_keeps_cells_alone)
{
	struct drive_detox t;
	struct bytes out;

	drive_detox_init(&t);
	drive_detox_run(&t, sheets[_i].in, "a.xls");
	out = buf_bytes(&t.out.content);
	ck_assert_msg((t.result == DETOX_REBUILT) == (sheets[_i].out.n > 0),
	    "%s: %s", sheets[_i].name, t.d.why);
	ck_assert_int_eq(t.d.refusal, sheets[_i].refusal);
	if (t.result == DETOX_REBUILT) {
		ck_assert_str_eq(t.d.format, "biff");
		ck_assert_msg(
		    bytes_equal(out, sheets[_i].out), "%s", sheets[_i].name);
		ck_assert_uint_eq(t.d.rows_n, sheets[_i].count);
	}
	if (sheets[_i].count > 0)
		ck_assert_int_eq(t.d.rows[0].what, sheets[_i].removed);
	drive_detox_release(&t);
}
END_TEST

Suite *
ole_xls_suite(void)
{
	Suite *s = suite_create("ole_xls");
	TCase *t = tcase_create("all");

	tcase_add_test(t, ole_xls_keeps_a_clean_sheet);
	tcase_add_loop_test(t, ole_xls_keeps_the_value_of_a_bad_formula, 0,
	    COUNT(bad_formulas));
	tcase_add_loop_test(
	    t, ole_xls_keeps_good_formulas, 0, COUNT(good_formulas));
	tcase_add_test(t, ole_xls_keeps_the_text_of_a_bad_formula);
	tcase_add_test(t, ole_xls_drops_a_text_that_is_too_long);
	tcase_add_loop_test(
	    t, ole_xls_empties_sheets_of_macros, 0, COUNT(macro_sheets));
	tcase_add_test(t, ole_xls_refuses_encrypted_workbooks);
	tcase_add_loop_test(
	    t, ole_xls_drops_records_with_what_goes_on, 0, COUNT(records));
	tcase_add_test(t, ole_xls_drops_what_goes_on_with_a_link);
	tcase_add_test(t, ole_xls_disarms_names_of_two_bytes);
	tcase_add_test(t, ole_xls_takes_other_books_out);
	tcase_add_loop_test(t, ole_xls_counts_no_book_that_goes, 0, 2);
	tcase_add_test(t, ole_xls_disarms_names);
	tcase_add_test(t, ole_xls_takes_macros_from_shapes);
	tcase_add_loop_test(
	    t, ole_xls_loads_no_picture_from_outside, 0, COUNT(drawings));
	tcase_add_loop_test(t, ole_xls_drops_bad_links, 0, COUNT(links));
	tcase_add_test(t, ole_xls_blanks_formulas_that_are_no_cell);
	tcase_add_test(t, ole_xls_mends_a_lost_sheet);
	tcase_add_test(t, biff_drops_a_text_that_is_too_long);
	tcase_add_loop_test(t, biff_keeps_cells_alone, 0, COUNT(sheets));
	suite_add_tcase(s, t);
	return s;
}
