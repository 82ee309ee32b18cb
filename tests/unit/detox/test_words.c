/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/words/words.h"

#include <check.h>

#include "tests/unit/detox/office.h"

Suite *words_suite(void);

#define W                                                                   \
	"xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/" \
	"main'"
#define S "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'"

static void
check_text(struct office *o, const char *name, const char *want)
{
	o->t.profile.to_text = true;
	office_run(o, name);
	ck_assert_msg(o->t.result == DETOX_REBUILT, "%s", o->t.d.why);
	ck_assert_str_eq(o->t.out.extension, "txt");
	ck_assert_msg(bytes_equal(buf_bytes(&o->t.out.content), bytes_of(want)),
	    "%.*s", BYTES_PRINTF(buf_bytes(&o->t.out.content)));
}

START_TEST(words_of_a_document)
{
	struct office o;

	office_begin(&o, NULL, "word/document.xml");
	office_add(&o, "word/document.xml",
	    "<w:document " W "><w:body><w:p><w:r><w:t>本文</w:t><w:tab/>"
	    "<w:t>a&lt;b</w:t></w:r></w:p>\n <w:p><w:r>"
	    "<w:fldChar w:fldCharType='begin'/></w:r><w:r>"
	    "<w:instrText> PAGE </w:instrText></w:r><w:r>"
	    "<w:fldChar w:fldCharType='separate'/></w:r><w:r><w:t>7</w:t></w:r>"
	    "<w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>"
	    "</w:body></w:document>");
	check_text(&o, "a.docx", "本文\ta<b\n7\n\n");
	office_end(&o);
}
END_TEST

START_TEST(words_of_a_workbook)
{
	struct office o;

	office_begin(&o, NULL, "xl/workbook.xml");
	office_add(&o, "xl/workbook.xml",
	    "<workbook " S " xmlns:r='http://schemas.openxmlformats.org/"
	    "officeDocument/2006/relationships'><sheets><sheet name='a'"
	    " sheetId='1' r:id='rId1'/></sheets></workbook>");
	office_add(&o, "xl/_rels/workbook.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "worksheet", "worksheets/sheet1.xml")
		    REL("rId2", REL_OFFICE "sharedStrings",
			"sharedStrings.xml")));
	office_add(&o, "xl/worksheets/sheet1.xml",
	    "<worksheet " S "><sheetData><row r='1'><c r='A1' t='s'><v>1</v>"
	    "</c><c r='B1'><f>1+1</f><v>2</v></c></row><row r='2'>"
	    "<c r='A2' t='s'><v>9</v></c></row></sheetData></worksheet>");
	office_add(&o, "xl/sharedStrings.xml",
	    "<sst " S "><si><t>zero</t></si><si><t>氏名</t></si></sst>");
	check_text(&o, "a.xlsx", "氏名\t2\t\n\t\n\n");
	office_end(&o);
}
END_TEST

/* Else a string that names itself would be walked without end. */
START_TEST(words_of_a_string_know_no_cells)
{
	struct office o;

	office_begin(&o, NULL, "xl/workbook.xml");
	office_add(&o, "xl/workbook.xml",
	    "<workbook " S " xmlns:r='http://schemas.openxmlformats.org/"
	    "officeDocument/2006/relationships'><sheets><sheet name='a'"
	    " sheetId='1' r:id='rId1'/></sheets></workbook>");
	office_add(&o, "xl/_rels/workbook.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "worksheet", "worksheets/sheet1.xml")
		    REL("rId2", REL_OFFICE "sharedStrings",
			"sharedStrings.xml")));
	office_add(&o, "xl/worksheets/sheet1.xml",
	    "<worksheet " S "><sheetData><row><c t='s'><v>0</v></c>"
	    "<c t='s'><v>1</v></c></row></sheetData></worksheet>");
	office_add(&o, "xl/sharedStrings.xml",
	    "<sst " S "><si><t>a</t><c t='s'><v>0</v></c></si>"
	    "<si><c t='s'><v>0</v></c><t>b</t></si></sst>");
	check_text(&o, "a.xlsx", "a\t\t\tb\t\n\n");
	office_end(&o);
}
END_TEST

START_TEST(words_have_a_limit)
{
	struct office o;

	office_begin(&o, NULL, "word/document.xml");
	office_add(&o, "word/document.xml",
	    "<w:document " W "><w:body><w:p><w:r><w:t>text</w:t></w:r></w:p>"
	    "</w:body></w:document>");
	o.t.profile.to_text = true;
	o.t.profile.entries_max = 5;
	office_run(&o, "a.docx");
	ck_assert_int_eq(o.t.d.refusal, REFUSED_ENTRIES);
	office_end(&o);
}
END_TEST

Suite *
words_suite(void)
{
	Suite *s = suite_create("words");
	TCase *t = tcase_create("all");

	tcase_add_test(t, words_of_a_document);
	tcase_add_test(t, words_of_a_workbook);
	tcase_add_test(t, words_of_a_string_know_no_cells);
	tcase_add_test(t, words_have_a_limit);
	suite_add_tcase(s, t);
	return s;
}
