/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of Word, of one piece of text, built here. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "filters/ole/le.h"
#include "tests/unit/detox/build_ole.h"
#include "tests/unit/detox/drive.h"

Suite *ole_doc_suite(void);

#define TEXT_AT 0x400
#define PLACES 154
#define CMDS 24
#define ASSOCIATED 32
#define PIECES 33
#define FIELDS 16

/* The FIB and the text; where it is in the table stream. */
struct word {
	struct buf main, table;
	struct build_ole file;
};

static void
add_place(struct word *w, unsigned place, struct bytes content)
{
	put_le32(w->main.p + PLACES + place * 8, (uint32_t)w->table.n);
	put_le32(w->main.p + PLACES + place * 8 + 4, (uint32_t)content.n);
	build_bytes(&w->table, content);
}

static void
add_pieces(struct word *w, size_t n, bool wide)
{
	struct buf b = { 0 };

	build_bytes(&b, BYTES("\2"));
	build_le32(&b, 16);
	build_le32(&b, 0);
	build_le32(&b, (uint32_t)n);
	build_le16(&b, 0);
	build_le32(&b, wide ? TEXT_AT : 0x40000000 | TEXT_AT * 2);
	build_le16(&b, 0);
	add_place(w, PIECES, buf_bytes(&b));
	buf_release(&b);
}

static void
build_word(struct word *w, const char *text, bool wide)
{
	memset(w, 0, sizeof(*w));
	build_ole_init(&w->file);
	build_zeros(&w->main, TEXT_AT);
	put_le16(w->main.p, 0xa5ec);
	put_le16(w->main.p + 2, 0xc1);
	put_le16(w->main.p + 32, 14);
	put_le16(w->main.p + 62, 22);
	put_le16(w->main.p + 152, 93);
	put_le32(w->main.p + 76, (uint32_t)strlen(text));
	if (wide)
		build_utf16(&w->main, text);
	else
		build_bytes(&w->main, bytes_of(text));
	build_bytes(&w->table, BYTES("xxxx"));
	add_pieces(w, strlen(text), wide);
}

static void
run_word(struct word *w, struct drive_detox *t)
{
	build_ole_add(&w->file, "WordDocument", buf_bytes(&w->main));
	build_ole_add(&w->file, "0Table", buf_bytes(&w->table));
	drive_detox_run(t, build_ole_write(&w->file, NULL), "a.doc");
	build_ole_release(&w->file);
	buf_release(&w->main);
	buf_release(&w->table);
}

/* The text that came out, as it is; the caller releases it. */
static char *
text_of(const struct drive_detox *t, bool wide)
{
	struct buf main =
	    build_ole_read(buf_bytes(&t->out.content), "WordDocument");
	size_t step = wide ? 2 : 1, n = (main.n - TEXT_AT) / step;
	char *text = calloc(n + 1, 1);

	ck_assert(text != NULL);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)main.p[TEXT_AT + i * step];
	buf_release(&main);
	return text;
}

static const struct {
	const char *name;
	const char *in;
	const char *out; /* NULL: as it was */
	enum detox_removal what;
} texts[] = {
	{ "plain text", "A clean document.\r", NULL, 0 },
	{ "page number",
	    "a\x13 PAGE \\* MERGEFORMAT \x14"
	    "1\x15"
	    "b",
	    NULL, 0 },
	{ "title, which is metadata",
	    "\x13 TITLE \x14"
	    "Report\x15",
	    "\x13       \x14"
	    "Report\x15",
	    DETOX_REMOVAL_KINDS },
	{ "link of the web",
	    "\x13 HYPERLINK \"https://www.city.test/\" \x14town\x15", NULL, 0 },
	{ "link to a place", "\x13 HYPERLINK \\l \"a:b\" \x14there\x15", NULL,
	    0 },
	{ "formula",
	    "\x13 =SUM(ABOVE) \x14"
	    "3\x15",
	    NULL, 0 },
	{ "formula with a field within",
	    "\x13 ={ \x13PAGE\x14"
	    "2\x15}-1 \x14"
	    "1\x15",
	    NULL, 0 },
	{ "link to a script",
	    "\x13 HYPERLINK \"javascript:alert(1)\" \x14go\x15",
	    "\x13                                 \x14go\x15", REMOVED_LINK },
	{ "link to a server", "\x13HYPERLINK \\\\\\\\a\\b\x14go\x15",
	    "\x13                 \x14go\x15", REMOVED_LINK },
	{ "DDE", "x\x13 DDEAUTO c:\\\\cmd.exe \"/k\" \x14ok\x15y",
	    "x\x13                          \x14ok\x15y", REMOVED_FIELD },
	{ "DDE without a result",
	    "\x13"
	    "dde a b\x15z",
	    "\x13       \x15z", REMOVED_FIELD },
	{ "DDE that does not end",
	    "\x13"
	    "DDE a b",
	    "\x13       ", REMOVED_FIELD },
	{ "DDE made by a field",
	    "\x13 \x13QUOTE 68 68 69\x14"
	    "DDE\x15 a b \x14r\x15",
	    "\x13 \x13              \x14   \x15     \x14r\x15", REMOVED_FIELD },
	{ "DDE within a condition",
	    "\x13 IF 1=1 \x13 DDE a \x14r\x15 \x14s\x15",
	    "\x13 IF 1=1 \x13       \x14r\x15 \x14s\x15", REMOVED_FIELD },
	{ "included text", "\x13INCLUDETEXT \"a\"\x14t\x15",
	    "\x13               \x14t\x15", REMOVED_EXTERNAL },
	{ "embedded object",
	    "\x13"
	    "EMBED Package\x14\1\x15",
	    "\x13             \x14\1\x15", REMOVED_OBJECT },
	{ "control",
	    "\x13"
	    "CONTROL a\x14\1\x15",
	    "\x13         \x14\1\x15", REMOVED_ACTIVEX },
	{ "data source",
	    "\x13"
	    "DATABASE \\d \"a\"\x14t\x15",
	    "\x13               \x14t\x15", REMOVED_CONNECTION },
	{ "button for a macro", "\x13 MACROBUTTON Run Press here \x15",
	    "\x13 GOTOBUTTON  Run Press here \x15", REMOVED_FIELD },
	{ "unknown", "\x13WHATEVER\x14t\x15", "\x13        \x14t\x15",
	    REMOVED_FIELD },
};

static void
check_text(size_t i, bool wide)
{
	struct drive_detox t;
	struct word w;
	char *text;

	drive_detox_init(&t);
	build_word(&w, texts[i].in, wide);
	run_word(&w, &t);
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", texts[i].name, t.d.why);
	text = text_of(&t, wide);
	ck_assert_msg(
	    strcmp(text, texts[i].out != NULL ? texts[i].out : texts[i].in) ==
		0,
	    "%s: %s", texts[i].name, text);
	free(text);
	if (texts[i].out != NULL && texts[i].what < DETOX_REMOVAL_KINDS)
		ck_assert_msg(
		    drive_detox_removed(&t, texts[i].what, "WordDocument") >= 1,
		    "%s", texts[i].name);
	else
		ck_assert_uint_eq(t.d.rows_n, 0);
	drive_detox_release(&t);
}

START_TEST(ole_doc_blanks_bad_fields)
{
	check_text((size_t)_i, false);
	check_text((size_t)_i, true);
}
END_TEST

/* The list of a text's marks; its fields are all of that kind. */
static void
build_fields(struct buf *list, const char *text, uint8_t kind)
{
	static const uint8_t others[] = { 0xff, 0x80 };

	for (size_t i = 0; text[i] != '\0'; i++)
		if (text[i] >= 0x13 && text[i] <= 0x15)
			build_le32(list, (uint32_t)i);
	build_le32(list, (uint32_t)strlen(text));
	for (size_t i = 0; text[i] != '\0'; i++)
		if (text[i] >= 0x13 && text[i] <= 0x15) {
			uint8_t one[2] = { (uint8_t)text[i],
				text[i] == 0x13 ? kind
						: others[text[i] - 0x14] };

			build_bytes(list, (struct bytes){ one, sizeof(one) });
		}
}

START_TEST(ole_doc_forgets_the_kind_of_a_bad_field)
{
	static const char in[] = "ab\x13 DDE c d \x14r\x15";
	struct drive_detox t;
	struct word w;
	struct buf list = { 0 }, table;

	drive_detox_init(&t);
	build_word(&w, in, false);
	build_fields(&list, in, 0x2d);
	add_place(&w, FIELDS, buf_bytes(&list));
	run_word(&w, &t);
	table = build_ole_read(buf_bytes(&t.out.content), "0Table");
	ck_assert(build_ole_contains(buf_bytes(&table), BYTES("\x13\x4f")));
	ck_assert(!build_ole_contains(buf_bytes(&table), BYTES("\x13\x2d")));
	buf_release(&table);
	buf_release(&list);
	drive_detox_release(&t);
}
END_TEST

#define LINK_KIND 0x58

/* There are readers that go by the list of fields, and not by what the text
 * says. */
static const struct {
	const char *name;
	const char *text;
	const char *listed;     /* the marks as the list says */
	uint8_t kind, kind_out; /* 0: no list comes out */
} lists[] = {
	{ "a link", "a\x13 HYPERLINK \"http://a\" \x14r\x15", NULL, LINK_KIND,
	    LINK_KIND },
	{ "a page", "a\x13 PAGE \x14r\x15", NULL, 0x21, 0x21 },
	{ "a link by its kind", "a\x13 QUOTE \"file:a\" \x14r\x15", NULL,
	    LINK_KIND, 0x4f },
	{ "a picture by its kind", "a\x13 QUOTE \"file:a\" \x14r\x15", NULL,
	    0x43, 0x4f },
	{ "a link that no mark begins", "a. HYPERLINK \"file:a\" .r.",
	    "a\x13 HYPERLINK \"file:a\" \x14r\x15", LINK_KIND, 0 },
	{ "a mark more in the text", "a\x13\x14 HYPERLINK \"file:a\" \x14r\x15",
	    "a\x13. HYPERLINK \"file:a\" \x14r\x15", LINK_KIND, 0 },
	{ "a mark of another kind", "a\x13 PAGE \x14r\x15",
	    "a\x13 PAGE \x15r\x15", 0x21, 0 },
};

START_TEST(ole_doc_lists_the_fields_of_the_text)
{
	const char *listed = lists[_i].listed;
	struct drive_detox t;
	struct word w;
	struct buf list = { 0 }, table, main;
	uint8_t begin[2] = { 0x13, lists[_i].kind_out };

	drive_detox_init(&t);
	build_word(&w, lists[_i].text, false);
	build_fields(
	    &list, listed != NULL ? listed : lists[_i].text, lists[_i].kind);
	add_place(&w, FIELDS, buf_bytes(&list));
	run_word(&w, &t);
	table = build_ole_read(buf_bytes(&t.out.content), "0Table");
	main = build_ole_read(buf_bytes(&t.out.content), "WordDocument");
	ck_assert_msg((le32(main.p + PLACES + FIELDS * 8 + 4) > 0) ==
		(lists[_i].kind_out != 0),
	    "%s", lists[_i].name);
	if (lists[_i].kind_out != 0)
		ck_assert_msg(build_ole_contains(buf_bytes(&table),
				  (struct bytes){ begin, sizeof(begin) }),
		    "%s", lists[_i].name);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, "PlcfFld"),
	    lists[_i].kind_out == 0);
	buf_release(&table);
	buf_release(&main);
	buf_release(&list);
	drive_detox_release(&t);
}
END_TEST

/* What is before a field's first word, or within its link, does not hide what
 * is behind. */
static const struct {
	const char *name;
	const char *before;
	int blank;
	const char *behind;
	bool stays;
} long_fields[] = {
	{ "blanks", "\x13", '\t', "DDEAUTO a b\x14r\x15", false },
	{ "blanks and a link", "\x13", ' ', "HYPERLINK \"file:a\"\x14r\x15",
	    false },
	{ "a tip", "\x13HYPERLINK \\o \"", 'x', "\" \"file:a\"\x14r\x15",
	    false },
	{ "words of a field that is no link", "\x13QUOTE ", 'x', "\x14r\x15",
	    true },
};

START_TEST(ole_doc_looks_at_long_fields)
{
	char text[5100] = "";
	struct drive_detox t;
	struct word w;
	char *out;
	size_t n;

	snprintf(text, sizeof(text), "%s", long_fields[_i].before);
	n = strlen(text);
	memset(text + n, long_fields[_i].blank, 5000);
	snprintf(text + n + 5000, sizeof(text) - n - 5000, "%s",
	    long_fields[_i].behind);
	drive_detox_init(&t);
	build_word(&w, text, false);
	run_word(&w, &t);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	out = text_of(&t, false);
	ck_assert_msg((strcmp(out, text) == 0) == long_fields[_i].stays, "%s",
	    long_fields[_i].name);
	ck_assert(strstr(out, "DDE") == NULL && strstr(out, "file") == NULL);
	free(out);
	drive_detox_release(&t);
}
END_TEST

/* Pieces that share bytes: a word that is blanked in the second field is the
 * first one of the first field. */
START_TEST(ole_doc_reads_again_what_it_wrote)
{
	static const char text[] = "\x13QUOTE HYPERLINK \"file:a\"\x14r\x15"
				   "\x13"
				   "FOO \x14r\x15";
	static const uint32_t pieces[][2] = { { 0, 27 }, { 27, 5 }, { 1, 5 },
		{ 32, 3 } };
	struct drive_detox t;
	struct word w;
	struct buf b = { 0 };
	uint32_t cp = 0;

	drive_detox_init(&t);
	build_word(&w, text, false);
	build_bytes(&b, BYTES("\2"));
	build_le32(&b, 4 + 12 * COUNT(pieces));
	for (size_t i = 0; i < COUNT(pieces); cp += pieces[i++][1])
		build_le32(&b, cp);
	build_le32(&b, cp);
	for (size_t i = 0; i < COUNT(pieces); i++) {
		build_le16(&b, 0);
		build_le32(&b, 0x40000000 | (TEXT_AT + pieces[i][0]) * 2);
		build_le16(&b, 0);
	}
	add_place(&w, PIECES, buf_bytes(&b));
	run_word(&w, &t);
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

START_TEST(ole_doc_drops_what_the_head_names)
{
	static const uint8_t strings[6 + 18 * 2 + 20] = { 0xff, 0xff, 18, 0, 0,
		0, 0, 0, 10, 0, '\\', 0, '\\', 0, 's' };
	struct drive_detox t;
	struct word w;
	struct buf table, main;

	drive_detox_init(&t);
	build_word(&w, "text", false);
	add_place(&w, CMDS, BYTES("run the macro"));
	add_place(&w, ASSOCIATED, (struct bytes){ strings, sizeof(strings) });
	run_word(&w, &t);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_MACRO, "Cmds"), 1);
	table = build_ole_read(buf_bytes(&t.out.content), "0Table");
	main = build_ole_read(buf_bytes(&t.out.content), "WordDocument");
	ck_assert(!build_ole_contains(buf_bytes(&table), BYTES("macro")));
	ck_assert(!build_ole_contains(buf_bytes(&table), BYTES("\\\0\\\0s")));
	ck_assert_uint_eq(le32(main.p + PLACES + CMDS * 8 + 4), 0);
	ck_assert_uint_eq(le32(main.p + PLACES + ASSOCIATED * 8 + 4), 42);
	buf_release(&table);
	buf_release(&main);
	drive_detox_release(&t);
}
END_TEST

/* Fewer strings than there should be. */
START_TEST(ole_doc_drops_a_short_list_with_the_template)
{
	struct drive_detox t;
	struct word w;
	struct buf table, main;

	drive_detox_init(&t);
	build_word(&w, "text", false);
	add_place(&w, ASSOCIATED, BYTES("\xff\xff\2\0\0\0\0\0\2\0\\\0\\\0"));
	run_word(&w, &t);
	table = build_ole_read(buf_bytes(&t.out.content), "0Table");
	main = build_ole_read(buf_bytes(&t.out.content), "WordDocument");
	ck_assert(!build_ole_contains(buf_bytes(&table), BYTES("\\\0\\\0")));
	ck_assert_uint_eq(le32(main.p + PLACES + ASSOCIATED * 8 + 4), 0);
	buf_release(&table);
	buf_release(&main);
	drive_detox_release(&t);
}
END_TEST

/* Word 95: all is in one stream. */
#define PLACES_OLD 0x58
#define OLD_N 0x305

static void
add_old_place(struct buf *main, unsigned place, struct bytes content)
{
	put_le32(main->p + PLACES_OLD + place * 8, (uint32_t)main->n);
	put_le32(main->p + PLACES_OLD + place * 8 + 4, (uint32_t)content.n);
	build_bytes(main, content);
}

static void
build_old(struct buf *main, struct bytes text)
{
	memset(main, 0, sizeof(*main));
	build_zeros(main, OLD_N);
	put_le16(main->p, 0xa5dc);
	put_le16(main->p + 2, 0x68);
	put_le32(main->p + 0x18, OLD_N);
	put_le32(main->p + 0x1c, OLD_N + (uint32_t)text.n);
	build_bytes(main, text);
}

/* What came out; *main is released. */
static struct buf
run_old(struct buf *main, struct drive_detox *t)
{
	struct build_ole file;

	build_ole_init(&file);
	build_ole_add(&file, "WordDocument", buf_bytes(main));
	drive_detox_run(t, build_ole_write(&file, NULL), "a.doc");
	build_ole_release(&file);
	buf_release(main);
	ck_assert_int_eq(t->result, DETOX_REBUILT);
	return build_ole_read(buf_bytes(&t->out.content), "WordDocument");
}

START_TEST(ole_doc_empties_the_template_of_word_95)
{
	static const uint8_t strings[2 + 18 + 12] = { 32, 0, 0, 12, '\\', '\\',
		's', '\\', 'a', '.', 'd', 'o', 't' };
	static const uint8_t empty[20] = { 20 };
	struct drive_detox t;
	struct buf main;
	size_t at;

	drive_detox_init(&t);
	build_old(&main, BYTES("text\r"));
	add_old_place(
	    &main, ASSOCIATED, (struct bytes){ strings, sizeof(strings) });
	main = run_old(&main, &t);
	ck_assert(!build_ole_contains(buf_bytes(&main), BYTES("a.dot")));
	ck_assert_uint_eq(
	    le32(main.p + PLACES_OLD + ASSOCIATED * 8 + 4), sizeof(empty));
	at = le32(main.p + PLACES_OLD + ASSOCIATED * 8);
	ck_assert(memcmp(main.p + at, empty, sizeof(empty)) == 0);
	buf_release(&main);
	drive_detox_release(&t);
}
END_TEST

/* Readers take the text that the head names, and not that of the pieces. */
START_TEST(ole_doc_reads_word_95_as_readers_do)
{
	static const uint8_t pieces[5 + 16] = { 2, 16, 0, 0, 0, 0, 0, 0, 0, 4 };
	struct drive_detox t;
	struct buf main;

	drive_detox_init(&t);
	build_old(&main,
	    BYTES("\x13HYPERLINK \"file:///a\"\x14"
		  "b\x15\r"));
	add_old_place(&main, PIECES, (struct bytes){ pieces, sizeof(pieces) });
	main = run_old(&main, &t);
	ck_assert(!build_ole_contains(buf_bytes(&main), BYTES("file:")));
	ck_assert_uint_eq(le32(main.p + PLACES_OLD + PIECES * 8 + 4), 0);
	buf_release(&main);
	drive_detox_release(&t);
}
END_TEST

/* Not behind each other, of Word 95 in the text's stream. */
START_TEST(ole_doc_names_no_files_of_pictures)
{
	static const struct {
		unsigned head, kind;
	} pictures[] = { { 0x3a, 0x5e }, { 0x3a, 0x62 }, { 0x44, 0x66 } };
	struct drive_detox t;
	struct buf main;

	drive_detox_init(&t);
	build_old(&main, BYTES("text\r"));
	for (size_t i = 0; i < COUNT(pictures); i++) {
		size_t at = main.n + 7;

		build_zeros(&main, 7 + pictures[i].head);
		put_le32(main.p + at, pictures[i].head + 12);
		put_le16(main.p + at + 4, pictures[i].head);
		put_le16(main.p + at + 6, pictures[i].kind);
		build_bytes(&main, BYTES("\xb\\\\s\\secret"));
		build_zeros(&main, 80);
	}
	main = run_old(&main, &t);
	ck_assert(!build_ole_contains(buf_bytes(&main), BYTES("secret")));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_EXTERNAL, "picture"),
	    COUNT(pictures));
	buf_release(&main);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *stream;
	enum detox_removal what;
} streams[] = {
	{ "Macros", REMOVED_MACRO },
	{ "_VBA_PROJECT_CUR", REMOVED_MACRO },
	{ "PROJECT", REMOVED_MACRO },
	{ "ObjectPool", REMOVED_OBJECT },
	{ "\001Ole10Native", REMOVED_OBJECT },
	{ "Package", REMOVED_FILE },
	{ "Ctls", REMOVED_ACTIVEX },
	{ "MsoDataStore", REMOVED_CUSTOM },
	{ "_signatures", REMOVED_SIGNATURE },
	{ "\005SummaryInformation", REMOVED_METADATA },
	{ "1Table", REMOVED_UNKNOWN },
	{ "whatever", REMOVED_UNKNOWN },
};

START_TEST(ole_doc_keeps_only_its_streams)
{
	struct drive_detox t;
	struct word w;

	drive_detox_init(&t);
	build_word(&w, "text", false);
	build_ole_add(&w.file, streams[_i].stream, BYTES("attack"));
	run_word(&w, &t);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(
	    !build_ole_has(buf_bytes(&t.out.content), streams[_i].stream));
	ck_assert(
	    !build_ole_contains(buf_bytes(&t.out.content), BYTES("attack")));
	ck_assert_uint_eq(drive_detox_removed(&t, streams[_i].what, NULL), 1);
	drive_detox_release(&t);
}
END_TEST

START_TEST(ole_doc_refuses_encrypted_documents)
{
	struct drive_detox t;
	struct word w;

	drive_detox_init(&t);
	build_word(&w, "text", false);
	put_le16(w.main.p + 0x0a, 0x8100);
	run_word(&w, &t);
	ck_assert_int_eq(t.d.refusal, REFUSED_ENCRYPTED);
	drive_detox_release(&t);
}
END_TEST

/* Fields within each other: as many as are looked at, and one more. */
START_TEST(ole_doc_blanks_what_is_too_deep)
{
	struct drive_detox t;
	struct word w;
	char text[200] = "";
	char *out;
	size_t deep = 32 + (size_t)_i;

	for (size_t i = 0; i < deep; i++)
		memcpy(text + i * 2, "\x13\x14", 2);
	memcpy(text + deep * 2, "DDE", 3);
	drive_detox_init(&t);
	build_word(&w, text, false);
	run_word(&w, &t);
	out = text_of(&t, false);
	ck_assert((strstr(out, "DDE") == NULL) == (_i > 0));
	free(out);
	drive_detox_release(&t);
}
END_TEST

static void
check_link(struct bytes address, bool stays)
{
	struct drive_detox t;
	struct word w;
	struct buf link = { 0 }, data;

	/* An URL moniker, as a link's data has it. */
	build_bytes(&link,
	    BYTES("\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b"
		  "\xa9\x0b"));
	build_le32(&link, (uint32_t)address.n * 2);
	for (size_t i = 0; i < address.n; i++)
		build_le16(&link, address.p[i]);
	drive_detox_init(&t);
	build_word(&w, "text", false);
	build_ole_add(&w.file, "Data", buf_bytes(&link));
	run_word(&w, &t);
	data = build_ole_read(buf_bytes(&t.out.content), "Data");
	ck_assert(bytes_equal(buf_bytes(&data), buf_bytes(&link)) == stays);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_LINK, "Data"), stays ? 0 : 1);
	buf_release(&data);
	buf_release(&link);
	drive_detox_release(&t);
}

START_TEST(ole_doc_blanks_bad_addresses)
{
	check_link(BYTES("https://www.city.test/"), true);
	check_link(BYTES("javascript:alert(1)"), false);
	check_link(BYTES("\\\\server\\share"), false);
}
END_TEST

#define SUMMARY "\005SummaryInformation"

/* Of a title, a template, and a thumbnail only the title is kept. */
START_TEST(ole_doc_writes_titles_anew)
{
	static const char title[] = "Report of the town";
	struct drive_detox t;
	struct word w;
	struct buf set = { 0 }, out;

	build_bytes(&set, BYTES("\xfe\xff"));
	build_zeros(&set, 22);
	build_le32(&set, 1);
	build_bytes(&set,
	    BYTES("\xe0\x85\x9f\xf2\xf9\x4f\x68\x10\xab\x91\x08\x00\x2b\x27"
		  "\xb3\xd9"));
	build_le32(&set, 48);
	build_le32(&set, 0);
	build_le32(&set, 2);
	build_le32(&set, 7);
	build_le32(&set, 24);
	build_le32(&set, 2);
	build_le32(&set, 40);
	build_le32(&set, 30);
	build_le32(&set, 8);
	build_bytes(&set, BYTES("\\\\a\\b.do"));
	build_le32(&set, 30);
	build_le32(&set, 20);
	build_bytes(&set, (struct bytes){ (const uint8_t *)title, 19 });
	build_zeros(&set, 1);
	drive_detox_init(&t);
	t.profile.keep_metadata = _i == 1;
	build_word(&w, "text", false);
	build_ole_add(&w.file, SUMMARY, buf_bytes(&set));
	run_word(&w, &t);
	ck_assert(
	    build_ole_has(buf_bytes(&t.out.content), SUMMARY) == (_i == 1));
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_METADATA, NULL), _i == 0);
	if (_i == 1) {
		out = build_ole_read(buf_bytes(&t.out.content), SUMMARY);
		ck_assert(build_ole_contains(buf_bytes(&out), bytes_of(title)));
		ck_assert(!build_ole_contains(buf_bytes(&out), BYTES("b.do")));
		buf_release(&out);
	}
	buf_release(&set);
	drive_detox_release(&t);
}
END_TEST

Suite *
ole_doc_suite(void)
{
	Suite *s = suite_create("ole_doc");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, ole_doc_blanks_bad_fields, 0, COUNT(texts));
	tcase_add_test(t, ole_doc_forgets_the_kind_of_a_bad_field);
	tcase_add_loop_test(
	    t, ole_doc_lists_the_fields_of_the_text, 0, COUNT(lists));
	tcase_add_loop_test(
	    t, ole_doc_looks_at_long_fields, 0, COUNT(long_fields));
	tcase_add_test(t, ole_doc_reads_again_what_it_wrote);
	tcase_add_test(t, ole_doc_drops_what_the_head_names);
	tcase_add_test(t, ole_doc_drops_a_short_list_with_the_template);
	tcase_add_test(t, ole_doc_empties_the_template_of_word_95);
	tcase_add_test(t, ole_doc_reads_word_95_as_readers_do);
	tcase_add_test(t, ole_doc_names_no_files_of_pictures);
	tcase_add_loop_test(
	    t, ole_doc_keeps_only_its_streams, 0, COUNT(streams));
	tcase_add_test(t, ole_doc_refuses_encrypted_documents);
	tcase_add_loop_test(t, ole_doc_blanks_what_is_too_deep, 0, 2);
	tcase_add_test(t, ole_doc_blanks_bad_addresses);
	tcase_add_loop_test(t, ole_doc_writes_titles_anew, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
