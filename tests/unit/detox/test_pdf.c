/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/pdf.h"

#include <check.h>
#include <stdlib.h>
#include <zlib.h>

#include "proxy/base/file.h"
#include "tests/unit/detox/drive.h"

Suite *pdf_suite(void);

#define OBJECTS_MAX 16
#define FILE_MAX ((size_t)64 << 20)

/* A PDF as it is written. */
struct draft {
	struct buf out;
	size_t offsets[OBJECTS_MAX];
	unsigned n;
};

static void
put(struct draft *d, const char *string)
{
	ck_assert(buf_append_string(&d->out, string) == 0);
}

static void
begin(struct draft *d)
{
	memset(d, 0, sizeof(*d));
	buf_init(&d->out, FILE_MAX);
	put(d, "%PDF-1.4\n");
}

/* Objects are numbered as they come, from 1. */
static void
begin_object(struct draft *d)
{
	ck_assert(d->n < OBJECTS_MAX);
	d->offsets[d->n++] = d->out.n;
	ck_assert(buf_printf(&d->out, "%u 0 obj\n", d->n) == 0);
}

static void
object(struct draft *d, const char *value)
{
	begin_object(d);
	put(d, value);
	put(d, "\nendobj\n");
}

static void
stream(struct draft *d, const char *keys, struct bytes data)
{
	begin_object(d);
	ck_assert(buf_printf(&d->out, "<<%s/Length %zu>>\nstream\n", keys,
		      data.n) == 0 &&
	    buf_append(&d->out, data) == 0);
	put(d, "\nendstream\nendobj\n");
}

static void
end(struct draft *d, const char *keys)
{
	size_t table = d->out.n;

	ck_assert(buf_printf(&d->out, "xref\n0 %u\n0000000000 65535 f \n",
		      d->n + 1) == 0);
	for (unsigned i = 0; i < d->n; i++)
		ck_assert(buf_printf(&d->out, "%010zu 00000 n \n",
			      d->offsets[i]) == 0);
	ck_assert(buf_printf(&d->out,
		      "trailer\n<</Size %u/Root 1 0 R%s>>\nstartxref\n%zu\n"
		      "%%%%EOF\n",
		      d->n + 1, keys, table) == 0);
}

/* One page of one line; more keys for the catalog and the page, and up to
 * three more objects, from 6 on. */
struct page {
	const char *catalog;
	const char *page;
	const char *more[3];
};

static void
draft_page(struct draft *d, const struct page *p)
{
	char text[1024];

	begin(d);
	snprintf(text, sizeof(text), "<</Type/Catalog/Pages 2 0 R%s>>",
	    p->catalog != NULL ? p->catalog : "");
	object(d, text);
	object(d, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
	snprintf(text, sizeof(text),
	    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
	    "/Resources<</Font<</F1 5 0 R>>>>%s>>",
	    p->page != NULL ? p->page : "");
	object(d, text);
	stream(d, "", BYTES("BT /F1 12 Tf 9 9 Td (kept text) Tj ET"));
	object(d, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
	for (size_t i = 0; i < COUNT(p->more) && p->more[i] != NULL; i++)
		object(d, p->more[i]);
}

static bool
has(const struct drive_detox *t, const char *what)
{
	return memmem(t->out.content.p, t->out.content.n, what, strlen(what)) !=
	    NULL;
}

static void
run(struct drive_detox *t, const struct draft *d)
{
	drive_detox_run(t, buf_bytes(&d->out), "a.pdf");
}

static void
rebuild_page(struct drive_detox *t, const struct page *p)
{
	struct draft d;

	draft_page(&d, p);
	end(&d, "");
	run(t, &d);
	buf_release(&d.out);
}

static const struct {
	const char *name;
	struct page page;
	enum detox_removal removal;
	const char *gone;
} threats[] = {
	{ "script when it opens",
	    { "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>", NULL,
		{ NULL } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script in escaped names",
	    { "/Open#41ction<</#53/Java#53cript/J#53(app.alert)>>", NULL,
		{ NULL } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script whose parts are elsewhere",
	    { "/OpenAction 6 0 R", NULL,
		{ "<</S 8 0 R/JS 7 0 R>>", "(app.alert)", "/JavaScript" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script in the tree of names",
	    { "/Names<</JavaScript<</Names[(a)6 0 R]>>>>", NULL,
		{ "<</S/JavaScript/JS(app.alert)>>" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script of the document's end",
	    { "/AA<</WC<</S/JavaScript/JS(app.alert)>>>>", NULL, { NULL } },
	    REMOVED_ACTION, "app.alert" },
	{ "script of a page",
	    { NULL, "/AA<</O<</S/JavaScript/JS(app.alert)>>>>", { NULL } },
	    REMOVED_ACTION, "app.alert" },
	{ "script of a link",
	    { NULL,
		"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/JavaScript/JS("
		"app.alert)>>>>]",
		{ NULL } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script of a field's key",
	    { "/AcroForm<</Fields[6 0 R]/CO[6 0 R]>>", "/Annots[6 0 R]",
		{ "<</Subtype/Widget/FT/Tx/T(a)/Rect[0 0 9 9]/AA<</K<<"
		  "/S/JavaScript/JS(app.alert)>>>>>>" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script of a bookmark",
	    { "/Outlines 6 0 R", NULL,
		{ "<</First 7 0 R/Last 7 0 R/Count 1>>",
		    "<</Title(kept mark)/Parent 6 0 R/A<</S/JavaScript/JS("
		    "app.alert)>>>>" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script behind a place",
	    { "/OpenAction<</S/GoTo/D[3 0 R/Fit]/Next<</S/JavaScript/JS("
	      "app.alert)>>>>",
		NULL, { NULL } },
	    REMOVED_ACTION, "app.alert" },
	{ "script in a group",
	    { NULL, "/Group 6 0 R",
		{ "<</S/Transparency/X<</S/JavaScript/JS(app.alert)>>>>" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script in a name that would be read another time",
	    { NULL, "/Group 6 0 R",
		{ "<</S/Transparency/J##353(app.alert)>>" } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "script in an array of a structure",
	    { "/StructTreeRoot<</K[[<</S/JavaScript/JS(app.alert)>>]]>>", NULL,
		{ NULL } },
	    REMOVED_SCRIPT, "app.alert" },
	{ "program",
	    { NULL,
		"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F("
		"cmd.exe)>>>>]",
		{ NULL } },
	    REMOVED_PROGRAM, "cmd.exe" },
	{ "program when it opens",
	    { "/OpenAction<</S/Launch/Win<</F(cmd.exe)>>>>", NULL, { NULL } },
	    REMOVED_PROGRAM, "cmd.exe" },
	{ "link when it opens",
	    { "/OpenAction<</S/URI/URI(https://www.city.test/x)>>", NULL,
		{ NULL } },
	    REMOVED_LINK, "city.test" },
	{ "form that sends",
	    { NULL,
		"/Annots[<</Subtype/Widget/FT/Btn/T(a)/A<</S/SubmitForm/F(http:"
		"//www.city.test/)>>>>]",
		{ NULL } },
	    REMOVED_FORM, "city.test" },
	{ "form that reads a file",
	    { NULL, "/Annots[<</Subtype/Widget/A<</S/ImportData/F(a.fdf)>>>>]",
		{ NULL } },
	    REMOVED_FORM, "a.fdf" },
	{ "another document",
	    { NULL,
		"/Annots[<</Subtype/Link/A<</S/GoToR/F(\\\\\\\\server\\\\a)/D[0"
		"/Fit]>>>>]",
		{ NULL } },
	    REMOVED_EXTERNAL, "server" },
	{ "a document inside",
	    { NULL, "/Annots[<</Subtype/Link/A<</S/GoToE/T<<>>/D(a)>>>>]",
		{ NULL } },
	    REMOVED_EXTERNAL, "GoToE" },
	{ "link with a script",
	    { NULL,
		"/Annots[<</Subtype/Link/A<</S/URI/URI(java\\nscript:app.alert)"
		">>>>]",
		{ NULL } },
	    REMOVED_LINK, "app.alert" },
	{ "link to a file, as hexadecimal digits",
	    { NULL,
		"/Annots[<</Subtype/Link/A<</S/URI/"
		"URI<66696c653a2f2f2f61>>>>>]",
		{ NULL } },
	    REMOVED_LINK, "URI" },
	{ "file inside",
	    { "/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>", NULL,
		{ "<</Type/Filespec/F(a.exe)/EF<</F 4 0 R>>>>" } },
	    REMOVED_FILE, "a.exe" },
	{ "file of an annotation",
	    { NULL, "/Annots[6 0 R]",
		{ "<</Type/Annot/Subtype/FileAttachment/FS 7 0 R>>",
		    "<</Type/Filespec/F(a.exe)/EF<</F 4 0 R>>>>" } },
	    REMOVED_FILE, "a.exe" },
	{ "associated file",
	    { "/AF[<</Type/Filespec/F(a.exe)>>]", NULL, { NULL } },
	    REMOVED_FILE, "a.exe" },
	{ "portfolio", { "/Collection<</View/T>>", NULL, { NULL } },
	    REMOVED_FILE, "Collection" },
	{ "rich media",
	    { NULL,
		"/Annots[<</Subtype/RichMedia/RichMediaContent<<>>/NM(x1)>>]",
		{ NULL } },
	    REMOVED_MEDIA, "x1" },
	{ "model in three dimensions",
	    { NULL, "/Annots[<</Subtype/3D/3DD<<>>/NM(x1)>>]", { NULL } },
	    REMOVED_MEDIA, "x1" },
	{ "screen", { NULL, "/Annots[<</Subtype/Screen/NM(x1)>>]", { NULL } },
	    REMOVED_MEDIA, "x1" },
	{ "annotation of no known kind",
	    { NULL, "/Annots[6 0 R]", { "<</Subtype/Other/NM(x1)>>" } },
	    REMOVED_UNKNOWN, "x1" },
	{ "form in XML", { "/AcroForm<</XFA(script)>>", NULL, { NULL } },
	    REMOVED_FORM, "script" },
	{ "signature",
	    { "/AcroForm<</Fields[6 0 R]/SigFlags 3>>", NULL,
		{ "<</FT/Sig/T(a)/V<</Type/Sig/Contents<00ab>>>>>" } },
	    REMOVED_SIGNATURE, "Contents<" },
	{ "permissions of a signature",
	    { "/Perms<</DocMDP<</Type/Sig>>>>", NULL, { NULL } },
	    REMOVED_SIGNATURE, "DocMDP" },
	{ "private data", { NULL, "/PieceInfo<</X(x1)>>", { NULL } },
	    REMOVED_CUSTOM, "x1" },
	{ "thumbnail", { NULL, "/Thumb 4 0 R", { NULL } }, REMOVED_PREVIEW,
	    "Thumb" },
	{ "key of no known meaning", { "/Other(x1)", NULL, { NULL } },
	    REMOVED_CUSTOM, "x1" },
	{ "name of a file where none belongs",
	    { "/PageLabels<</X<</F(\\\\\\\\server\\\\a)>>>>", NULL, { NULL } },
	    REMOVED_EXTERNAL, "server" },
	{ "colours of another file",
	    { "/OutputIntents[<</S/GTS_PDFX/DestOutputProfileRef<</URLs["
	      "<</FS/URL/F(http://www.city.test/)>>]>>>>]",
		NULL, { NULL } },
	    REMOVED_EXTERNAL, "city.test" },
};

START_TEST(pdf_leaves_threats_out)
{
	struct drive_detox t;

	drive_detox_init(&t);
	rebuild_page(&t, &threats[_i].page);
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", threats[_i].name, t.d.why);
	ck_assert_msg(drive_detox_removed(&t, threats[_i].removal, NULL) > 0,
	    "%s", threats[_i].name);
	ck_assert_msg(!has(&t, threats[_i].gone), "%s", threats[_i].name);
	ck_assert_msg(!has(&t, "JavaScript"), "%s", threats[_i].name);
	ck_assert_msg(has(&t, "(kept text)"), "%s", threats[_i].name);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *name;
	struct page page;
	const char *stays;
} clean[] = {
	{ "nothing more", { NULL, NULL, { NULL } }, "/BaseFont /Helvetica" },
	{ "a link of the web",
	    { NULL,
		"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://"
		"www.city.test/a?b)>>>>]",
		{ NULL } },
	    "(https://www.city.test/a?b)" },
	{ "a link to a place",
	    { NULL,
		"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/GoTo/D[3 0 R/XYZ "
		"null 0 1]>>>>]",
		{ NULL } },
	    "/XYZ null 0 1]" },
	{ "a place by its name",
	    { "/Names<</Dests<</Names[(there)6 0 R]/Limits[(there)(there)]>>>>",
		NULL, { "<</D[3 0 R/Fit]>>" } },
	    "[(there) <</D [3 0 R /Fit]" },
	{ "a place by its name, of older files",
	    { "/Dests<</There[3 0 R/Fit]>>", NULL, { NULL } },
	    "/There [3 0 R /Fit]" },
	{ "where it opens", { "/OpenAction[3 0 R/Fit]", NULL, { NULL } },
	    "/OpenAction [" },
	{ "the next page",
	    { NULL, "/Annots[<</Subtype/Link/A<</S/Named/N/NextPage>>>>]",
		{ NULL } },
	    "/NextPage" },
	{ "a field's value",
	    { "/AcroForm<</Fields[6 0 R]/DA(/F1 9 Tf)>>", "/Annots[6 0 R]",
		{ "<</Subtype/Widget/FT/Tx/T(name)/V(filled in)/AP<</N 7 0 R>>"
		  ">>" } },
	    "/V (filled in)" },
	{ "a comment",
	    { NULL, "/Annots[<</Subtype/Text/Contents(please read)>>]",
		{ NULL } },
	    "(please read)" },
	{ "bookmarks",
	    { "/Outlines 6 0 R", NULL,
		{ "<</First 7 0 R/Last 7 0 R/Count 1>>",
		    "<</Title(chapter)/Parent 6 0 R/Dest[3 0 R/Fit]>>" } },
	    "/Title (chapter)" },
	{ "numbers of pages",
	    { "/PageLabels<</Nums[0<</S/r>>]>>", NULL, { NULL } }, "/S /r" },
	{ "the structure",
	    { "/MarkInfo<</Marked true>>/StructTreeRoot 6 0 R", NULL,
		{ "<</Type/StructTreeRoot/K 7 0 R>>",
		    "<</S/P/P 6 0 R/Pg 3 0 R/K 0/ActualText(spoken)>>" } },
	    "(spoken)" },
	{ "layers",
	    { "/OCProperties<</OCGs[6 0 R]/D<</Order[6 0 R]>>>>", NULL,
		{ "<</Type/OCG/Name(layer)>>" } },
	    "(layer)" },
};

START_TEST(pdf_keeps_what_is_clean)
{
	struct drive_detox t;

	drive_detox_init(&t);
	rebuild_page(&t, &clean[_i].page);
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", clean[_i].name, t.d.why);
	ck_assert_msg(
	    t.d.rows_n == 0, "%s: %s", clean[_i].name, t.d.rows[0].where);
	ck_assert_msg(has(&t, clean[_i].stays), "%s: %.*s", clean[_i].name,
	    BYTES_PRINTF(t.out.content));
	ck_assert_msg(has(&t, "(kept text)"), "%s", clean[_i].name);
	drive_detox_release(&t);
}
END_TEST

/* Streams. */

static const struct {
	const char *name;
	const char *keys;
	enum detox_removal removal;
	const char *gone;
} streams[] = {
	{ "data of another file", "/Subtype/Image/Width 1/Height 1/F(a.jpg)",
	    REMOVED_EXTERNAL, "a.jpg" },
	{ "another picture",
	    "/Subtype/Image/Width 1/Height 1/Alternates[<</X(x1)>>]",
	    REMOVED_EXTERNAL, "x1" },
	{ "a page of another file",
	    "/Subtype/Form/BBox[0 0 9 9]/Ref<</F(a.pdf)>>", REMOVED_EXTERNAL,
	    "a.pdf" },
	{ "a picture on a server",
	    "/Subtype/Form/BBox[0 0 9 9]/OPI<</2.0<</F(a.tif)>>>>",
	    REMOVED_EXTERNAL, "a.tif" },
	{ "PostScript", "/Subtype/PS", REMOVED_SCRIPT, "streamed" },
	{ "a file", "/Type/EmbeddedFile", REMOVED_FILE, "streamed" },
	{ "a filter of no known kind",
	    "/Subtype/Image/Width 1/Height 1/Filter/Other", REMOVED_UNKNOWN,
	    "streamed" },
	{ "a script", "/X<</S/JavaScript/JS(app.alert)>>", REMOVED_SCRIPT,
	    "app.alert" },
	{ "more pixels than there is room for",
	    "/Subtype/Image/Width 65536/Height 65536", REMOVED_REFUSED,
	    "streamed" },
};

static void
rebuild_stream(struct drive_detox *t, const char *keys, struct bytes data)
{
	static const struct page page = {
		.page = "/Annots[<</Subtype/Stamp/AP<</N 6 0 R>>>>]"
	};
	struct draft d;

	draft_page(&d, &page);
	stream(&d, keys, data);
	end(&d, "");
	run(t, &d);
	buf_release(&d.out);
}

START_TEST(pdf_keeps_streams_of_known_kinds)
{
	struct drive_detox t;

	drive_detox_init(&t);
	rebuild_stream(&t, streams[_i].keys, BYTES("streamed"));
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", streams[_i].name, t.d.why);
	ck_assert_msg(drive_detox_removed(&t, streams[_i].removal, NULL) > 0,
	    "%s", streams[_i].name);
	ck_assert_msg(!has(&t, streams[_i].gone), "%s", streams[_i].name);
	ck_assert_msg(has(&t, "(kept text)"), "%s", streams[_i].name);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_keeps_pictures_as_they_are_packed)
{
	struct drive_detox t;

	drive_detox_init(&t);
	rebuild_stream(&t,
	    "/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace"
	    "/DeviceGray/Filter/DCTDecode",
	    BYTES("\xff\xd8\xff\xd9"));
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t,
	    "/Filter /DCTDecode/Length 4>>\nstream\n"
	    "\xff\xd8\xff\xd9\nendstream"));
	ck_assert_uint_eq(t.d.rows_n, 0);
	drive_detox_release(&t);
}
END_TEST

static struct bytes
deflated_zeros(struct buf *packed, size_t n)
{
	uLong bound = compressBound(n);
	uint8_t *zeros = calloc(n, 1);

	buf_init(packed, bound);
	ck_assert(buf_reserve(packed, bound) == 0);
	ck_assert(compress2(packed->p, &bound, zeros, n, 9) == Z_OK);
	packed->n = bound;
	free(zeros);
	return buf_bytes(packed);
}

static enum detox_refusal
rebuild_zeros(struct drive_detox *t, const char *keys, size_t n, unsigned times)
{
	enum detox_refusal refusal;
	struct buf packed;
	struct buf again;
	struct bytes data = deflated_zeros(&packed, n);
	uLong bound = compressBound(data.n);

	buf_init(&again, bound);
	if (times > 1) {
		ck_assert(buf_reserve(&again, bound) == 0);
		ck_assert(
		    compress2(again.p, &bound, data.p, data.n, 9) == Z_OK);
		again.n = bound;
		data = buf_bytes(&again);
	}
	rebuild_stream(t, keys, data);
	refusal = t->d.refusal;
	buf_release(&packed);
	buf_release(&again);
	return refusal;
}

START_TEST(pdf_refuses_streams_that_unpack_to_too_much)
{
	static const char once[] = "/Filter/FlateDecode";
	static const char twice[] = "/Filter[/FlateDecode/FlateDecode]";
	static const char thrice[] =
	    "/Filter[/FlateDecode/FlateDecode/FlateDecode]";
	static const char picture[] =
	    "/Subtype/Image/Width 7000/Height 7000/ColorSpace/DeviceGray"
	    "/BitsPerComponent 8/Filter/FlateDecode";
	const size_t most = (size_t)32 << 20;
	struct drive_detox t;

	drive_detox_init(&t);
	ck_assert_int_eq(rebuild_zeros(&t, once, most, 1), REFUSED_NOT);
	ck_assert_int_eq(rebuild_zeros(&t, once, most + 1, 1), REFUSED_BOMB);
	ck_assert_int_eq(rebuild_zeros(&t, twice, 100, 2), REFUSED_NOT);
	ck_assert_int_eq(rebuild_zeros(&t, twice, most + 1, 2), REFUSED_BOMB);
	ck_assert_int_eq(rebuild_zeros(&t, thrice, 100, 2), REFUSED_BOMB);
	/* White paper is no bomb. */
	ck_assert_int_eq(rebuild_zeros(&t, picture, 49000000, 1), REFUSED_NOT);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_counts_what_is_unpacked_together)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.tree_max = 100000;
	ck_assert_int_eq(
	    rebuild_zeros(&t, "/Filter/FlateDecode", 100000, 1), REFUSED_NOT);
	ck_assert_int_eq(
	    rebuild_zeros(&t, "/Filter/FlateDecode", 100001, 1), REFUSED_BOMB);
	drive_detox_release(&t);
}
END_TEST

/* Before the library unpacks it. */
START_TEST(pdf_refuses_objects_that_unpack_to_too_much)
{
	static const char *const keys[] = {
		"/Type/ObjStm/N 1/First 4/Filter/FlateDecode",
		"/Type/Obj#53tm/N 1/First 4/Filter/FlateDecode",
	};
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.tree_max = (uint64_t)4 << 20;
	for (size_t i = 0; i < COUNT(keys); i++)
		ck_assert_int_eq(
		    rebuild_zeros(&t, keys[i], (1 << 20) + 1, 1), REFUSED_BOMB);
	ck_assert_int_eq(
	    rebuild_zeros(
		&t, "/Type/ObjStm/Filter[/FlateDecode/FlateDecode]", 100, 2),
	    REFUSED_BOMB);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_refuses_tables_of_wide_rows)
{
	static const struct {
		const char *keys;
		enum detox_refusal refusal;
	} tables[] = {
		{ "/Type/XRef/DecodeParms<</Columns 1048576>>", REFUSED_NOT },
		{ "/Type/XRef/DecodeParms<</Columns 001048577>>",
		    REFUSED_BOMB },
		{ "/Type/XRef/DecodeParms<</Colors 257>>", REFUSED_BOMB },
	};
	struct drive_detox t;

	drive_detox_init(&t);
	for (size_t i = 0; i < COUNT(tables); i++) {
		rebuild_stream(&t, tables[i].keys, BYTES("x"));
		ck_assert_int_eq(t.d.refusal, tables[i].refusal);
	}
	drive_detox_release(&t);
}
END_TEST

/* The file. */

START_TEST(pdf_reports_what_is_outside)
{
	struct drive_detox t;
	struct draft d;
	struct buf more;

	drive_detox_init(&t);
	draft_page(&d, &(struct page){ 0 });
	end(&d, "");
	put(&d, "PK\3\4 more");
	run(&t, &d);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_TRAILING, "behind the file"), 1);
	ck_assert(!has(&t, "PK\3\4"));
	ck_assert(bytes_end_with(buf_bytes(&t.out.content), BYTES("%%EOF\n")));
	buf_init(&more, FILE_MAX);
	ck_assert(buf_append_string(&more, "GIF89a;\n") == 0 &&
	    buf_append(&more, buf_bytes(&d.out)) == 0);
	drive_detox_run(&t, buf_bytes(&more), "a.pdf");
	if (t.result == DETOX_REBUILT) {
		ck_assert_uint_eq(drive_detox_removed(
				      &t, REMOVED_TRAILING, "before the file"),
		    1);
		ck_assert(bytes_start_with(
		    buf_bytes(&t.out.content), BYTES("%PDF-1.4\n")));
	}
	buf_release(&more);
	buf_release(&d.out);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_repairs_what_is_damaged)
{
	struct drive_detox t;
	struct draft d;

	drive_detox_init(&t);
	draft_page(&d, &(struct page){ 0 });
	put(&d, "trailer<</Root 1 0 R>>");
	run(&t, &d);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, ""), 1);
	ck_assert(has(&t, "(kept text)"));
	buf_release(&d.out);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_forgets_older_revisions)
{
	struct drive_detox t;
	struct draft d;

	drive_detox_init(&t);
	draft_page(&d, &(struct page){ .more = { "(secret)" } });
	end(&d, "");
	run(&t, &d);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(!has(&t, "secret"));
	buf_release(&d.out);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_keeps_metadata_when_told)
{
	struct drive_detox t;
	struct draft d;

	drive_detox_init(&t);
	draft_page(&d,
	    &(struct page){ .catalog = "/Metadata 7 0 R",
		.more = { "<</Title(a title)/X(x1)>>" } });
	stream(&d, "/Type/Metadata/Subtype/XML", BYTES("<x:xmpmeta/>"));
	end(&d, "/Info 6 0 R");
	run(&t, &d);
	ck_assert(!has(&t, "a title") && !has(&t, "xmpmeta"));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_METADATA, NULL), 2);
	t.profile.keep_metadata = true;
	run(&t, &d);
	ck_assert(has(&t, "(a title)") && has(&t, "xmpmeta"));
	ck_assert(!has(&t, "x1"));
	buf_release(&d.out);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_takes_links_out_when_told)
{
	static const struct page page = { .page = "/Annots[<</Subtype/Link/A<<"
						  "/S/URI/URI(https://www.city."
						  "test/)>>>>]" };
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.links = DETOX_LINKS_NONE;
	rebuild_page(&t, &page);
	ck_assert(!has(&t, "city.test"));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_LINK, NULL), 1);
	drive_detox_release(&t);
}
END_TEST

/* The same page, packed in streams of objects and encrypted. */
static void
run_file(struct drive_detox *t, const char *path)
{
	struct buf in;
	struct err e;

	buf_init(&in, FILE_MAX);
	ck_assert_msg(file_read(path, &in, &e) == 0, "%s", e.text);
	drive_detox_run(t, buf_bytes(&in), "a.pdf");
	buf_release(&in);
}

START_TEST(pdf_decrypts_what_has_no_password)
{
	struct drive_detox t;

	drive_detox_init(&t);
	run_file(&t, "tests/data/detox_pdf/no_password.pdf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t, "(kept text)"));
	ck_assert(!has(&t, "/Encrypt"));
	run_file(&t, "tests/data/detox_pdf/password.pdf");
	ck_assert_int_eq(t.d.refusal, REFUSED_ENCRYPTED);
	drive_detox_release(&t);
}
END_TEST

/* Found by fuzzing: its parents were a list, and pages of that were copied in
 * each copy, 360,000 times in all. */
START_TEST(pdf_copies_no_page_within_a_copy)
{
	struct drive_detox t;

	drive_detox_init(&t);
	run_file(&t, "tests/data/detox_pdf/page_in_itself.pdf");
	ck_assert_uint_le(
	    drive_detox_removed(&t, REMOVED_DAMAGED, "page: Kids"), 3);
	drive_detox_release(&t);
}
END_TEST

static const char jpeg[] = "\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11"
			   "\0\xff\xd9";

START_TEST(pdf_draws_photographs_anew_when_strict)
{
	static const char keys[] =
	    "/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace"
	    "/DeviceGray/Filter/DCTDecode";
	const struct bytes data = { (const uint8_t *)jpeg, sizeof(jpeg) - 1 };
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.strict = true;
	t.profile.treatment[MAGIC_JPEG] = DETOX_PASS;
	rebuild_stream(&t, keys, data);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t, "/DCTDecode/Length 17>>"));
	t.profile.treatment[MAGIC_JPEG] = DETOX_REFUSE;
	rebuild_stream(&t, keys, data);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(!has(&t, "DCTDecode"));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_REFUSED, "image"), 1);
	drive_detox_release(&t);
}
END_TEST

/* The part of a test file from `from` bytes on says something else. */
static void
run_damaged(
    struct drive_detox *t, const char *path, const char *what, size_t cut)
{
	struct buf in;
	struct err e;
	uint8_t *at;

	buf_init(&in, FILE_MAX);
	ck_assert_msg(file_read(path, &in, &e) == 0, "%s", e.text);
	at = memmem(in.p, in.n, what, strlen(what));
	ck_assert(at != NULL);
	memset(at, 'x', strlen(what));
	in.n -= cut;
	drive_detox_run(t, buf_bytes(&in), "a.pdf");
	buf_release(&in);
}

START_TEST(pdf_finds_lost_tables)
{
	static const struct {
		const char *path;
		const char *what;
		size_t cut;
	} files[] = {
		{ "tests/data/detox_pdf/packed.pdf", "startxref", 0 },
		{ "tests/data/detox_pdf/packed.pdf", "startxref", 18 },
		{ "tests/data/detox_pdf/plain.pdf", "trailer", 0 },
		{ "tests/data/detox_pdf/plain.pdf", "trailer", 60 },
		{ "tests/data/detox_pdf/plain.pdf", "/Root", 0 },
	};
	struct drive_detox t;

	drive_detox_init(&t);
	for (size_t i = 0; i < COUNT(files); i++) {
		run_damaged(&t, files[i].path, files[i].what, files[i].cut);
		ck_assert_msg(t.result == DETOX_REBUILT, "%zu: %s", i, t.d.why);
		ck_assert(has(&t, "(kept text)"));
		ck_assert(drive_detox_removed(&t, REMOVED_DAMAGED, "") > 0);
	}
	run_damaged(&t, "tests/data/detox_pdf/plain.pdf", "/Catalog", 200);
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_names_files_that_it_leaves_out)
{
	static const struct page page = {
		.catalog = "/Names<</EmbeddedFiles<</Kids[6 0 R]>>>>",
		.page = "/Annots[8 0 R]",
		.more = { "<</Names[(a)7 0 R]>>",
		    "<</Type/Filespec/F(a.exe)/UF<feff0062>/EF<</F 4 0 R>>>>",
		    "<</Subtype/FileAttachment/FS<</F(c.txt)/EF<</F 4 0 R>>>>"
		    ">>" }
	};
	struct drive_detox t;

	drive_detox_init(&t);
	rebuild_page(&t, &page);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_FILE, "b"), 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_FILE, "c.txt"), 1);
	ck_assert(t.d.rows[0].has_digest && t.d.rows[1].has_digest);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_packs_what_was_packed)
{
	struct drive_detox t;
	struct buf first;

	drive_detox_init(&t);
	run_file(&t, "tests/data/detox_pdf/packed.pdf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t, "/ObjStm") && has(&t, "/XRef"));
	ck_assert(has(&t, "(kept text)"));
	buf_init(&first, FILE_MAX);
	ck_assert(buf_append(&first, buf_bytes(&t.out.content)) == 0);
	/* What comes out is read again, and is the same then. */
	drive_detox_run(&t, buf_bytes(&first), "a.pdf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert_uint_eq(t.d.rows_n, 0);
	ck_assert(bytes_equal(buf_bytes(&first), buf_bytes(&t.out.content)));
	buf_release(&first);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_refuses_what_is_none)
{
	static const struct {
		const char *content;
		enum detox_refusal refusal;
	} files[] = {
		{ "%PDF-1.4\nnothing else", REFUSED_BROKEN },
		{ "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0"
		  " R>>",
		    REFUSED_BROKEN },
		{ "%PDF-1.4\n1 0 obj<</Pages 2 0 R>>endobj\n2 0 obj<</Kids[2 0 "
		  "R]>>endobj\ntrailer<</Root 1 0 R>>",
		    REFUSED_BROKEN },
	};
	struct drive_detox t;

	drive_detox_init(&t);
	for (size_t i = 0; i < COUNT(files); i++) {
		drive_detox_run(&t, bytes_of(files[i].content), "a.pdf");
		ck_assert_int_eq(t.d.refusal, files[i].refusal);
	}
	drive_detox_release(&t);
}
END_TEST

/* Neither the library nor the walk may run out of its stack. */
START_TEST(pdf_stands_deep_nesting)
{
	const size_t deep = 100000;
	struct drive_detox t;
	struct draft d;

	drive_detox_init(&t);
	draft_page(&d, &(struct page){ .catalog = "/PageLabels 6 0 R" });
	begin_object(&d);
	for (size_t i = 0; i < deep; i++)
		put(&d, _i == 0 ? "[" : "<</K ");
	for (size_t i = 0; i < deep; i++)
		put(&d, _i == 0 ? "]" : ">>");
	put(&d, "\nendobj\n");
	end(&d, "");
	run(&t, &d);
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t, "(kept text)"));
	buf_release(&d.out);
	drive_detox_release(&t);
}
END_TEST

START_TEST(pdf_gives_each_page_one_place)
{
	static const char kids[] =
	    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Count 4/Kids[3 0 R 3 0 R 2 0 R<</Parent 2 0 R"
	    "/MediaBox[0 0 1 1]>>]>>endobj\n"
	    "3 0 obj<</Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
	    "trailer<</Root 1 0 R>>";
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, bytes_of(kids), "a.pdf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(has(&t, "/Kids [3 0 R 4 0 R 5 0 R]"));
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_DAMAGED, "page: Kids"), 1);
	drive_detox_release(&t);
}
END_TEST

Suite *
pdf_suite(void)
{
	Suite *s = suite_create("pdf");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, pdf_leaves_threats_out, 0, COUNT(threats));
	tcase_add_loop_test(t, pdf_keeps_what_is_clean, 0, COUNT(clean));
	tcase_add_loop_test(
	    t, pdf_keeps_streams_of_known_kinds, 0, COUNT(streams));
	tcase_add_test(t, pdf_keeps_pictures_as_they_are_packed);
	tcase_add_test(t, pdf_refuses_streams_that_unpack_to_too_much);
	tcase_add_test(t, pdf_counts_what_is_unpacked_together);
	tcase_add_test(t, pdf_refuses_objects_that_unpack_to_too_much);
	tcase_add_test(t, pdf_refuses_tables_of_wide_rows);
	tcase_add_test(t, pdf_reports_what_is_outside);
	tcase_add_test(t, pdf_repairs_what_is_damaged);
	tcase_add_test(t, pdf_forgets_older_revisions);
	tcase_add_test(t, pdf_keeps_metadata_when_told);
	tcase_add_test(t, pdf_takes_links_out_when_told);
	tcase_add_test(t, pdf_decrypts_what_has_no_password);
	tcase_add_test(t, pdf_draws_photographs_anew_when_strict);
	tcase_add_test(t, pdf_finds_lost_tables);
	tcase_add_test(t, pdf_names_files_that_it_leaves_out);
	tcase_add_test(t, pdf_packs_what_was_packed);
	tcase_add_test(t, pdf_refuses_what_is_none);
	tcase_add_loop_test(t, pdf_stands_deep_nesting, 0, 2);
	tcase_add_test(t, pdf_gives_each_page_one_place);
	tcase_add_test(t, pdf_copies_no_page_within_a_copy);
	suite_add_tcase(s, t);
	return s;
}
