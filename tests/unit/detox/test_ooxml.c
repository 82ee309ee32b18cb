/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ooxml/ooxml.h"

#include <check.h>

#include "tests/unit/detox/office.h"

Suite *ooxml_suite(void);

#define DOC "word/document.xml"
#define T(text) "<w:r><w:t>" text "</w:t></w:r>"
#define P(runs) "<w:p>" runs "</w:p>"
#define BEGIN "<w:r><w:fldChar w:fldCharType='begin'/></w:r>"
#define SEPARATE "<w:r><w:fldChar w:fldCharType='separate'/></w:r>"
#define END "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
#define INSTR(text) "<w:r><w:instrText>" text "</w:instrText></w:r>"
#define FIELD(instructions) P(BEGIN instructions SEPARATE T("result") END)

/* The smallest EMF: its header and its end. */
static const uint8_t emf[128] = { [0] = 1,
	[4] = 108,
	[40] = ' ',
	'E',
	'M',
	'F',
	[46] = 1,
	[48] = 128,
	[52] = 2,
	[56] = 1,
	[108] = 14,
	[112] = 20,
	[120] = 16,
	[124] = 20 };

static const struct {
	const char *name;
	const char *body;
	const char *gone;
	const char *stays;
	enum detox_removal what; /* DETOX_REMOVAL_KINDS: nothing is told */
} bodies[] = {
	{ "text stays", P(T("clean")), "zzz", "clean", DETOX_REMOVAL_KINDS },
	{ "page number stays", FIELD(INSTR(" PAGE ")), "zzz", " PAGE ",
	    DETOX_REMOVAL_KINDS },
	{ "DDEAUTO", FIELD(INSTR("DDEAUTO c:\\\\x calc")), "DDE", "result",
	    REMOVED_FIELD },
	{ "DDEAUTO behind something unknown",
	    FIELD(INSTR("PAGE<w:b/> <a:b/>DDEAUTO x")), "DDE", "result",
	    REMOVED_FIELD },
	{ "DDEAUTO behind a page number", FIELD(INSTR("PAGE DDEAUTO x")), "DDE",
	    "result", REMOVED_FIELD },
	{ "a place of a link that is a file",
	    P("<w:hyperlink w:anchor='\\\\evil.test\\a' w:docLocation="
	      "'file://evil.test/a'>" T("clean") "</w:hyperlink>"),
	    "evil", "clean", REMOVED_LINK },
	{ "an instruction that is in no field",
	    P(INSTR("DDEAUTO x") T("clean")), "DDE", "clean", REMOVED_FIELD },
	{ "DDE in small letters over runs",
	    FIELD(INSTR(" d") INSTR("dEau") INSTR("to x")), "instrText",
	    "result", REMOVED_FIELD },
	{ "DDE within a field that stays",
	    FIELD(INSTR(" IF ") BEGIN INSTR("DDE x") SEPARATE T("y")
		    END INSTR(" = 1 ")),
	    "DDE", "result", REMOVED_FIELD },
	{ "first word made by a field",
	    FIELD(BEGIN INSTR("QUOTE 68 68 69") SEPARATE T("hidden")
		    END INSTR(" PAGE")),
	    "hidden", "result", REMOVED_FIELD },
	{ "first word in a text run", FIELD(T("DDE") INSTR(" PAGE")), ">DDE<",
	    "result", REMOVED_FIELD },
	{ "instruction in one of two branches",
	    FIELD("<mc:AlternateContent><mc:Choice Requires='w'>" INSTR(
		"PAGE ") "</mc:Choice><mc:Fallback>" INSTR("DDE x") "</"
								    "mc:"
								    "Fallback><"
								    "/mc:"
								    "AlternateC"
								    "ontent>"),
	    "PAGE", "result", REMOVED_FIELD },
	{ "never ended", P(BEGIN INSTR("DDE x")), "DDE", "<w:p>",
	    REMOVED_FIELD },
	{ "INCLUDEPICTURE", FIELD(INSTR("INCLUDEPICTURE \"http://x.test\"")),
	    "x.test", "result", REMOVED_FIELD },
	{ "unknown word", FIELD(INSTR("ZYX 1")), "ZYX", "result",
	    DETOX_REMOVAL_KINDS },
	{ "title, of which there is none any more", FIELD(INSTR("TITLE")),
	    "TITLE", "result", DETOX_REMOVAL_KINDS },
	{ "MACROBUTTON shows its words",
	    P(BEGIN INSTR(" MACROBUTTON Run click here ") END), "MACROBUTTON",
	    "click here", REMOVED_FIELD },
	{ "HYPERLINK of the web",
	    FIELD(INSTR(" HYPERLINK \"https://city.test/\" \\o \"x\"")), "zzz",
	    "https://city.test/", DETOX_REMOVAL_KINDS },
	{ "HYPERLINK to a place", FIELD(INSTR("HYPERLINK \\l \"part\"")), "zzz",
	    "HYPERLINK", DETOX_REMOVAL_KINDS },
	{ "HYPERLINK to a file", FIELD(INSTR("HYPERLINK \"file:///c:/a.exe\"")),
	    "HYPERLINK", "result", REMOVED_FIELD },
	{ "simple field stays",
	    P("<w:fldSimple w:instr='NUMPAGES'>" T("9") "</w:fldSimple>"),
	    "zzz", "NUMPAGES", DETOX_REMOVAL_KINDS },
	{ "simple field",
	    P("<w:fldSimple w:instr=' DDEAUTO x'>" T("9") "</w:fldSimple>"),
	    "fldSimple", ">9<", REMOVED_FIELD },
	{ "deep below",
	    P("<w:fldSimple w:instr='DDE'><w:fldSimple w:instr='LINK x'>" T(
		"9") "</w:fldSimple></w:fldSimple>"),
	    "fldSimple", ">9<", REMOVED_FIELD },
	{ "simple field with nothing in it, last",
	    P(T("9") "<w:fldSimple w:instr='DDE x'/>"), "fldSimple", ">9<",
	    REMOVED_FIELD },
	{ "altChunk", P(T("a")) "<w:altChunk r:id='rId9'/>", "altChunk", ">a<",
	    REMOVED_FILE },
	{ "subDoc", P("<w:subDoc r:id='rId9'/>" T("a")), "subDoc", ">a<",
	    REMOVED_EXTERNAL },
	{ "ActiveX", P("<w:r><w:control r:id='rId9'/></w:r>" T("a")), "control",
	    ">a<", REMOVED_ACTIVEX },
	{ "bound to data",
	    P("<w:sdt><w:sdtPr><w:dataBinding w:xpath='/a'/>"
	      "</w:sdtPr><w:sdtContent>" T("a") "</w:sdtContent></w:sdt>"),
	    "dataBinding", ">a<", DETOX_REMOVAL_KINDS },
	{ "macro of a form",
	    P("<w:r><w:fldChar w:fldCharType='begin'>"
	      "<w:ffData><w:entryMacro w:val='M'/></w:ffData>"
	      "</w:fldChar></w:r>" INSTR("FORMTEXT") SEPARATE T("a") END),
	    "entryMacro", "FORMTEXT", REMOVED_MACRO },
	{ "script in VML",
	    P("<w:r><w:pict><v:shape onmouseover='x()' o:oned='t'/></w:pict>"
	      "</w:r>"),
	    "onmouseover", "oned", REMOVED_SCRIPT },
	{ "place on a server in VML",
	    P("<w:r><w:pict><v:shape href='\\\\a.test\\b'/></w:pict></w:r>"),
	    "a.test", "shape", REMOVED_LINK },
	{ "picture by address in VML",
	    P("<w:r><w:pict><v:imagedata src='http://a.test/'/></w:pict>"
	      "</w:r>"),
	    "a.test", "imagedata", REMOVED_EXTERNAL },
	{ "style that loads",
	    P("<w:r><w:pict><v:shape style='b:URL(//a.test)'/></w:pict></w:r>"),
	    "a.test", "shape", REMOVED_STYLE },
	{ "unknown namespace", P("<u:x xmlns:u='urn:u'>b</u:x>" T("a")), "<u:x",
	    ">a<", REMOVED_UNKNOWN },
	{ "no namespace", P("<script>b</script>" T("a")), "script", ">a<",
	    REMOVED_SCRIPT },
};

START_TEST(ooxml_cleans_text)
{
	struct office o;

	office_word(&o, WORDS(""), NULL);
	office_end(&o);
	office_begin(&o,
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    DOC);
	char body[4096];
	snprintf(body, sizeof(body), WORDS("%s"), bodies[_i].body);
	office_add(&o, DOC, body);
	office_run(&o, "a.docx");
	ck_assert_msg(!office_has(&o, DOC, bodies[_i].gone), "%s: %s",
	    bodies[_i].name, office_part(&o, DOC));
	ck_assert_msg(office_has(&o, DOC, bodies[_i].stays), "%s: %s",
	    bodies[_i].name, office_part(&o, DOC));
	if (bodies[_i].what == DETOX_REMOVAL_KINDS)
		ck_assert_msg(o.t.d.rows_n == 0, "%s", bodies[_i].name);
	else
		ck_assert_msg(
		    drive_detox_removed(&o.t, bodies[_i].what, DOC) > 0, "%s",
		    bodies[_i].name);
	office_end(&o);
}
END_TEST

/* A text without a type, and one that says it has macros, come out as the
 * kind without. */
START_TEST(ooxml_takes_macros_out)
{
	struct office o;

	office_begin(&o, "vnd.ms-word.document.macroEnabled.main+xml", DOC);
	office_add(&o, DOC, WORDS(P(T("clean"))));
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", REL_MS "vbaProject", "vbaProject.bin")
		    REL("rId2", REL_MS "keyMapCustomizations", "k.xml")));
	office_add(&o, "word/vbaProject.bin", "macro");
	office_add(&o, "word/k.xml", "<x/>");
	office_add(&o, "word/vbaData.xml", "<x/>");
	office_run(&o, "a.docm");
	ck_assert_str_eq(o.t.out.extension, "docx");
	ck_assert(office_has(&o, DOC, "clean"));
	ck_assert(!office_has(&o, "[Content_Types].xml", "macro"));
	ck_assert(office_has(
	    &o, "[Content_Types].xml", "wordprocessingml.document.main+xml"));
	ck_assert(office_part(&o, "word/vbaProject.bin") == NULL);
	ck_assert(office_part(&o, "word/vbaData.xml") == NULL);
	ck_assert(office_part(&o, "word/_rels/document.xml.rels") == NULL);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_MACRO, "word/vbaProject.bin"), 1);
	ck_assert(o.t.d.rows[0].has_digest);
	ck_assert_uint_eq(drive_detox_removed(&o.t, REMOVED_MACRO, NULL), 3);
	office_end(&o);
}
END_TEST

static const struct {
	const char *target;
	bool stays;
} targets[] = {
	{ "https://city.test/a?b=1&amp;c", true },
	{ "mailto:a@city.test", true },
	{ "javascript:alert(1)", false },
	{ "file:///c:/a.exe", false },
	{ "\\\\city.test\\a", false },
	{ "ms-msdt:/id", false },
	{ "search-ms:query=a", false },
	{ "other.docx", false },
};

START_TEST(ooxml_judges_links)
{
	struct office o;
	char rels[1024];

	snprintf(rels, sizeof(rels),
	    RELS(REL_OUTSIDE("rId1", REL_OFFICE "hyperlink", "%s")),
	    targets[_i].target);
	office_word(&o,
	    WORDS(P("<w:hyperlink r:id='rId1'>" T("words") "</w:hyperlink>")),
	    rels);
	ck_assert(office_has(&o, DOC, ">words<"));
	ck_assert(office_has(&o, DOC, "rId1") == targets[_i].stays);
	ck_assert(office_has(&o, "word/_rels/document.xml.rels",
		      "TargetMode=\"External\"") == targets[_i].stays);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_LINK, DOC), !targets[_i].stays);
	office_end(&o);
}
END_TEST

static const struct {
	const char *type;
	enum detox_removal what;
} outside[] = {
	{ REL_OFFICE "attachedTemplate", REMOVED_EXTERNAL },
	{ REL_OFFICE "image", REMOVED_EXTERNAL },
	{ REL_OFFICE "oleObject", REMOVED_EXTERNAL },
	{ REL_OFFICE "frame", REMOVED_EXTERNAL },
	{ REL_OFFICE "subDocument", REMOVED_EXTERNAL },
	{ REL_OFFICE "styles", REMOVED_EXTERNAL },
	{ REL_OFFICE "video", REMOVED_MEDIA },
	{ "http://x.test/unheard-of", REMOVED_EXTERNAL },
};

START_TEST(ooxml_refers_to_nothing_outside)
{
	struct office o;
	char rels[1024];

	snprintf(rels, sizeof(rels),
	    RELS(REL_OUTSIDE("rId1", "%s", "https://city.test/a")),
	    outside[_i].type);
	office_word(&o, WORDS(P(T("clean"))), rels);
	ck_assert(office_has(&o, DOC, "clean"));
	ck_assert(office_part(&o, "word/_rels/document.xml.rels") == NULL);
	ck_assert_uint_eq(drive_detox_removed(&o.t, outside[_i].what, DOC), 1);
	office_end(&o);
}
END_TEST

START_TEST(ooxml_keeps_the_picture_of_an_object)
{
	struct office o;

	office_begin(&o,
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    DOC);
	office_add(&o, DOC,
	    WORDS(P("<w:r><w:object w:dxaOrig='9'><v:shape id='s' o:ole=''>"
		    "<v:imagedata r:id='rId2'/></v:shape><o:OLEObject "
		    "Type='Embed' ProgID='Package' ShapeID='s' r:id='rId1'/>"
		    "</w:object></w:r>")));
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "oleObject", "embeddings/o.bin")
		    REL("rId2", REL_OFFICE "image", "media/a%20b.EMF")));
	office_add(&o, "word/embeddings/o.bin", "object");
	office_add_bytes(
	    &o, "word/media/a b.emf", (struct bytes){ emf, sizeof(emf) });
	office_run(&o, "a.docx");
	ck_assert(office_has(&o, DOC, "<w:pict><v:shape id=\"s\">"));
	ck_assert(!office_has(&o, DOC, "OLEObject"));
	ck_assert(office_part(&o, "word/embeddings/o.bin") == NULL);
	ck_assert(office_has(
	    &o, "word/_rels/document.xml.rels", "Target=\"/part1.emf\""));
	ck_assert(office_part(&o, "part1.emf") != NULL);
	ck_assert(office_has(&o, "[Content_Types].xml", "image/x-emf"));
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_OBJECT, "word/embeddings/o.bin"),
	    1);
	office_end(&o);
}
END_TEST

/* Whatever it is called, it has to be a picture. */
START_TEST(ooxml_leaves_out_what_is_no_picture)
{
	struct office o;

	office_begin(&o, NULL, DOC);
	office_add(&o, DOC,
	    WORDS(P("<w:r><w:drawing><a:blip r:embed='rId1'/></w:drawing>"
		    "</w:r>" T("clean"))));
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "image", "media/a.png")));
	office_add(&o, "word/media/a.png", "MZ\x90");
	office_run(&o, "a.docx");
	ck_assert(office_has(&o, DOC, "clean"));
	ck_assert(office_has(&o, DOC, "<a:blip/>"));
	ck_assert(office_part(&o, "word/media/a.png") == NULL);
	ck_assert_uint_eq(drive_detox_removed(&o.t, REMOVED_PROGRAM, NULL), 1);
	office_end(&o);
}
END_TEST

/* Office itself writes pictures under names of other kinds. */
START_TEST(ooxml_keeps_a_picture_by_its_content)
{
	struct office o;

	office_begin(&o, NULL, DOC);
	o.t.profile.must_agree = true;
	office_add(&o, DOC, WORDS(P(T("clean"))));
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "image", "media/a.png")));
	office_add_bytes(
	    &o, "word/media/a.png", (struct bytes){ emf, sizeof(emf) });
	office_run(&o, "a.docx");
	ck_assert(office_part(&o, "word/media/part1.emf") != NULL);
	ck_assert(o.t.d.disagrees == NULL);
	office_end(&o);
}
END_TEST

/* The document without it is worth more than none. */
START_TEST(ooxml_leaves_out_what_is_too_deep)
{
	struct office o;

	for (unsigned depth = 1; depth <= 2; depth++) {
		office_begin(&o, NULL, DOC);
		o.t.profile.depth_max = depth;
		office_add(&o, DOC, WORDS(P(T("clean"))));
		office_add(&o, "word/_rels/document.xml.rels",
		    RELS(REL("rId1", REL_OFFICE "image", "a.emf")));
		office_add_bytes(
		    &o, "word/a.emf", (struct bytes){ emf, sizeof(emf) });
		office_run(&o, "a.docx");
		ck_assert(office_has(&o, DOC, "clean"));
		ck_assert(
		    (office_part(&o, "word/a.emf") != NULL) == (depth == 2));
		ck_assert_uint_eq(
		    drive_detox_removed(&o.t, REMOVED_REFUSED, "word/a.emf"),
		    depth == 1);
		office_end(&o);
	}
}
END_TEST

#define CORE                                                              \
	"<cp:coreProperties xmlns:cp='http://schemas.openxmlformats.org/" \
	"package/2006/metadata/core-properties' "                         \
	"xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>t&amp;t"   \
	"</dc:title><dc:other>secret</dc:other></cp:coreProperties>"

START_TEST(ooxml_keeps_metadata_by_profile)
{
	struct office o;

	for (int keep = 0; keep <= 1; keep++) {
		office_begin(&o, NULL, DOC);
		package_writer_free(o.w);
		o.w = package_writer_new();
		o.t.profile.keep_metadata = keep == 1;
		office_add(&o, "[Content_Types].xml",
		    "<Types xmlns='http://schemas.openxmlformats.org/package/"
		    "2006/content-types'><Override PartName='/" DOC "'"
		    " ContentType='application/vnd.openxmlformats-"
		    "officedocument.wordprocessingml.document.main+xml'/>"
		    "</Types>");
		office_add(&o, "_rels/.rels",
		    RELS(REL("rId1", REL_OFFICE "officeDocument", DOC) REL(
			"rId2",
			"http://schemas.openxmlformats.org/package/2006/"
			"relationships/metadata/core-properties",
			"docProps/core.xml") REL("rId3",
			REL_OFFICE "extended-properties", "docProps/app.xml")));
		office_add(&o, DOC, WORDS(P(T("clean"))));
		office_add(&o, "docProps/core.xml", CORE);
		office_add(&o, "docProps/app.xml",
		    "<x><Company>Kobe</Company><Application>Microsoft Excel"
		    "</Application></x>");
		office_run(&o, "a.docx");
		ck_assert(office_has(&o, DOC, "clean"));
		ck_assert(office_has(&o, "docProps/core.xml", ">t&amp;t<") ==
		    (keep == 1));
		ck_assert(!office_has(&o, "docProps/core.xml", "secret"));
		ck_assert(office_has(&o, "docProps/app.xml",
		    "<Application>Microsoft Excel</Application>"));
		ck_assert(!office_has(&o, "docProps/app.xml", "Kobe"));
		ck_assert_uint_eq(
		    drive_detox_removed(&o.t, REMOVED_METADATA, NULL),
		    keep == 1 ? 1 : 2);
		office_end(&o);
	}
}
END_TEST

/* What no relationship leads to is not there. */
START_TEST(ooxml_writes_what_is_reached)
{
	struct office o;

	office_begin(&o, NULL, DOC);
	office_add(&o, DOC, WORDS(P(T("clean"))));
	office_add(&o, "word/stray.xml", "<x/>");
	office_add(&o, "evil.bin", "x");
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "styles", "../../../etc/passwd")
		    REL("rId2", "urn:unheard-of", "stray.xml")
			REL("rId3", REL_OFFICE "theme", "not-there.xml")));
	office_run(&o, "a.docx");
	ck_assert_uint_eq(package_entries(o.out), 3);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_UNKNOWN, "word/stray.xml"), 1);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_UNKNOWN, "evil.bin"), 1);
	office_end(&o);
}
END_TEST

#define STRICT "http://purl.oclc.org/ooxml/officeDocument/relationships"

START_TEST(ooxml_keeps_strict_documents_strict)
{
	struct office o;

	office_begin(&o, NULL, DOC);
	office_add(&o, DOC,
	    "<w:document xmlns:w='http://purl.oclc.org/ooxml/"
	    "wordprocessingml/main'><w:body><w:p><w:r><w:t>clean</w:t></w:r>"
	    "</w:p></w:body></w:document>");
	office_add(&o, "word/styles.xml",
	    "<w:styles xmlns:w='http://purl.oclc.org/ooxml/"
	    "wordprocessingml/main'/>");
	office_add(&o, "word/_rels/document.xml.rels",
	    RELS(REL("rId1", STRICT "/styles", "styles.xml")));
	office_run(&o, "a.docx");
	ck_assert(office_has(&o, DOC, "clean"));
	ck_assert(office_has(
	    &o, "word/_rels/document.xml.rels", "\"" STRICT "/styles\""));
	office_end(&o);
}
END_TEST

static const struct {
	const char *name;
	const char *type;
	const char *main;
	enum detox_refusal why;
} refused[] = {
	{ "binary workbook", "vnd.ms-excel.sheet.binary.macroEnabled.main",
	    WORDS(""), REFUSED_TYPE },
	{ "add-in", "vnd.ms-excel.addin.macroEnabled.main+xml", WORDS(""),
	    REFUSED_TYPE },
	{ "document type",
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    "<!DOCTYPE a>" WORDS(""), REFUSED_ENTITY },
	{ "not XML",
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    "<w:document", REFUSED_BROKEN },
	{ "another vocabulary",
	    "vnd.openxmlformats-officedocument.wordprocessingml.document."
	    "main+xml",
	    "<x xmlns='urn:x'/>", REFUSED_BROKEN },
};

START_TEST(ooxml_refuses_with_a_reason)
{
	struct office o;

	office_begin(&o, refused[_i].type, DOC);
	office_add(&o, DOC, refused[_i].main);
	office_run(&o, "a.docx");
	ck_assert_msg(o.t.d.refusal == refused[_i].why, "%s: %s",
	    refused[_i].name, o.t.d.why);
	office_end(&o);
}
END_TEST

START_TEST(ooxml_refuses_without_a_document)
{
	struct office o;

	office_begin(&o, NULL, DOC);
	office_run(&o, "a.docx");
	ck_assert_int_eq(o.t.d.refusal, REFUSED_BROKEN);
	office_end(&o);
}
END_TEST

/* Layouts and masters lead to each other. */
START_TEST(ooxml_walks_in_circles_once)
{
	struct office o;

	office_begin(&o, NULL, "ppt/presentation.xml");
	office_add(&o, "ppt/presentation.xml", "<p:presentation" SPACES "/>");
	office_add(&o, "ppt/_rels/presentation.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "slideMaster", "m.xml")));
	office_add(&o, "ppt/m.xml", "<p:sldMaster" SPACES "/>");
	office_add(&o, "ppt/l.xml", "<p:sldLayout" SPACES "/>");
	office_add(&o, "ppt/_rels/m.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "slideLayout", "l.xml")));
	office_add(&o, "ppt/_rels/l.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "slideMaster", "/ppt/m.xml")));
	office_run(&o, "a.pptx");
	ck_assert_str_eq(o.t.out.extension, "pptx");
	ck_assert(office_has(&o, "ppt/_rels/l.xml.rels", "/ppt/m.xml"));
	ck_assert_uint_eq(package_entries(o.out), 8);
	office_end(&o);
}
END_TEST

Suite *
ooxml_suite(void)
{
	Suite *s = suite_create("ooxml");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, ooxml_cleans_text, 0, COUNT(bodies));
	tcase_add_test(t, ooxml_takes_macros_out);
	tcase_add_loop_test(t, ooxml_judges_links, 0, COUNT(targets));
	tcase_add_loop_test(
	    t, ooxml_refers_to_nothing_outside, 0, COUNT(outside));
	tcase_add_test(t, ooxml_keeps_the_picture_of_an_object);
	tcase_add_test(t, ooxml_leaves_out_what_is_no_picture);
	tcase_add_test(t, ooxml_keeps_a_picture_by_its_content);
	tcase_add_test(t, ooxml_leaves_out_what_is_too_deep);
	tcase_add_test(t, ooxml_keeps_metadata_by_profile);
	tcase_add_test(t, ooxml_writes_what_is_reached);
	tcase_add_test(t, ooxml_keeps_strict_documents_strict);
	tcase_add_loop_test(t, ooxml_refuses_with_a_reason, 0, COUNT(refused));
	tcase_add_test(t, ooxml_refuses_without_a_document);
	tcase_add_test(t, ooxml_walks_in_circles_once);
	suite_add_tcase(s, t);
	return s;
}
