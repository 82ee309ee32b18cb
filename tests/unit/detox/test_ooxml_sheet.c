/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/detox/office.h"

Suite *ooxml_sheet_suite(void);

#define SHEET "xl/worksheets/sheet1.xml"
#define CELLS(rows)                                                      \
	"<worksheet " BOOK "><sheetData><row>" rows "</row></sheetData>" \
	"</worksheet>"
#define CELL(f, v) "<c t='str'><f>" f "</f><v>" v "</v></c>"

static void
begin(struct office *o, const char *workbook, const char *more_rels)
{
	char rels[2048];

	office_begin(o,
	    "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
	    "xl/workbook.xml");
	office_add(o, "xl/workbook.xml", workbook);
	snprintf(rels, sizeof(rels),
	    RELS(REL(
		"rId1", REL_OFFICE "worksheet", "worksheets/sheet1.xml") "%s"),
	    more_rels);
	office_add(o, "xl/_rels/workbook.xml.rels", rels);
}

#define PLAIN                                                             \
	"<workbook " BOOK SPACES "><sheets><sheet name='A' r:id='rId1'/>" \
	"</sheets></workbook>"

static const struct {
	const char *formula; /* in XML */
	bool stays;
} formulas[] = {
	{ "SUM(A1:B2)", true },
	{ "\"cmd|x\"&amp;A1", true },
	{ "Table1[[#This Row],[1]]", true },
	{ "[0]!Name", true },
	{ "IF(A1=\"RTD(\",1,2)", true },
	{ "MYCALL(1)", true },
	{ "HYPERLINK(\"https://city.test/\",\"x\")", true },
	{ "HYPERLINK(\"#A!A1\",\"x\")", true },
	{ "HYPERLINK(\"file:///c:/a.exe\",\"x\")", false },
	{ "HYPERLINK( \"java\"&amp;\"script:x\")", false },
	{ "hyperlink(A1)", false },
	{ "WEBSERVICE(\"http://a.test\")", false },
	{ "_xlfn.WEBSERVICE (A1)", false },
	{ "1+webservice(A1)", false },
	{ "RTD(\"a\",,\"b\")", false },
	{ "CALL(\"kernel32\")", false },
	{ "REGISTER.ID(\"a\",\"b\")", false },
	{ "EXEC(\"calc\")", false },
	{ "_xlfn.FILTERXML(A1,\"//a\")", false },
	{ "_xlfn.IMAGE(\"http://a.test\")", false },
	{ "cmd|'/c calc'!A0", false },
	{ "INDIRECT(A1)", false },
	{ "_xlfn.MAP(A1,_xleta.WEBSERVICE)", false },
	{ "(WEBSERVICE)(A1)", false },
	{ "WEBSERVICE\xc2\xa0(A1)", false },
	{ "_xlfn.ORG.LIBREOFFICE.WEBSERVICE(A1)", false },
	{ "T[\"']+WEBSERVICE(A1)", false },
	{ "1+<a/>WEBSERVICE(A1)", false },
	{ "1+<a:b/>WEBSERVICE(A1)", false },
	{ "1+<a xmlns='urn:a'/>WEBSERVICE(A1)", false },
	{ "WEB<f>1</f>SERVICE(A1)", false },
	{ "'\\\\evil.test\\a.xlsx'!name", false },
	{ "'https://evil.test/a.xlsx'!name", false },
	{ "evil.xlsx!name", false },
	{ "http://evil.test!name", false },
	{ "'A sheet'!B2+Sheet.1!A1", true },
	{ "'cmd|a'!A0", false },
	{ "[1]A!B2", false },
	{ "'[1]A sheet'!B2", false },
	{ "'c:\\a\\[b.xlsx]A'!B2", false },
	{ "[1]!Name", false },
	{ "['file:///c:/a.xlsx']$A.B2", false },
};

START_TEST(ooxml_sheet_judges_formulas)
{
	struct office o;
	char sheet[1024];

	begin(&o, PLAIN, "");
	snprintf(sheet, sizeof(sheet), CELLS(CELL("%s", "value")),
	    formulas[_i].formula);
	office_add(&o, SHEET, sheet);
	office_run(&o, "a.xlsx");
	ck_assert(office_has(&o, SHEET, "<v>value</v>"));
	ck_assert_msg(office_has(&o, SHEET, "<f>") == formulas[_i].stays, "%s",
	    formulas[_i].formula);
	ck_assert_msg((o.t.d.rows_n == 0) == formulas[_i].stays, "%s",
	    formulas[_i].formula);
	office_end(&o);
}
END_TEST

START_TEST(ooxml_sheet_judges_formulas_within)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    CELLS("<dataValidation><formula1> <f>A1</f>RTD(A1)</formula1>"
		  "</dataValidation><dataValidation><formula1><f>A<b/>2</f>"
		  "</formula1></dataValidation><dataValidation><formula1>A3"
		  "<f>RTD(A1)</f></formula1></dataValidation>"));
	office_run(&o, "a.xlsx");
	ck_assert(!office_has(&o, SHEET, "RTD"));
	ck_assert(office_has(&o, SHEET, "<formula1><f>A1</f></formula1>"));
	ck_assert(office_has(&o, SHEET, "<f>A2</f>"));
	ck_assert(!office_has(&o, SHEET, "A3"));
	office_end(&o);
}
END_TEST

#define RULE(val)                                                    \
	"<conditionalFormatting><cfRule><colorScale><cfvo val='" val \
	"'/></colorScale></cfRule></conditionalFormatting>"

/* A number of a format may be a formula. */
START_TEST(ooxml_sheet_judges_values_of_formats)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(
	    &o, SHEET, CELLS(RULE("WEBSERVICE(A1)") RULE("$A$1") RULE("50")));
	office_run(&o, "a.xlsx");
	ck_assert(!office_has(&o, SHEET, "WEBSERVICE"));
	ck_assert(office_has(&o, SHEET,
	    "<row><conditionalFormatting><cfRule><colorScale><cfvo "
	    "val=\"$A$1\"/>"));
	ck_assert(office_has(&o, SHEET, "val=\"50\""));
	ck_assert_uint_eq(drive_detox_removed(&o.t, REMOVED_FORMULA, SHEET), 1);
	office_end(&o);
}
END_TEST

/* Names of cells in other books, without a relationship. */
START_TEST(ooxml_sheet_judges_where_numbers_come_from)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    CELLS("<worksheetSource ref='A1:B2' sheet='[a.xlsx]S'/>"
		  "<rangeSet ref='A1' sheet='\\\\s\\b.xlsx'/>"
		  "<dataRef name='https://a.test/c.xlsx'/>"
		  "<dataRef ref='A1:B2' sheet='表 1'/>"));
	office_run(&o, "a.xlsx");
	ck_assert(office_has(&o, SHEET,
	    "<worksheetSource name=\"removed\"/><rangeSet name=\"removed\"/>"
	    "<dataRef name=\"removed\"/><dataRef ref=\"A1:B2\" sheet=\"表 "
	    "1\"/>"));
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_EXTERNAL, SHEET), 3);
	office_end(&o);
}
END_TEST

/* What a chart shows is named in several places. */
START_TEST(ooxml_sheet_judges_all_sources_of_a_chart)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    CELLS("<c:sqref xmlns:c='http://schemas.microsoft.com/office/"
		  "drawing/2012/chart'>[1]A!A1</c:sqref><x:nf xmlns:x="
		  "'http://schemas.microsoft.com/office/drawing/2014/chartex'"
		  ">cmd|a!A0</x:nf>"));
	office_run(&o, "a.xlsx");
	ck_assert(!office_has(&o, SHEET, "[1]"));
	ck_assert(!office_has(&o, SHEET, "cmd"));
	office_end(&o);
}
END_TEST

START_TEST(ooxml_sheet_takes_shared_formulas_out_together)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    CELLS("<c><f t='shared' si='1'/><v>1</v></c>"
		  "<c><f t='shared' si='1' ref='A1:A3'>RTD(A1)</f><v>2</v></c>"
		  "<c><f t='shared' si='2'>A1+1</f><v>3</v></c>"));
	office_run(&o, "a.xlsx");
	ck_assert(!office_has(&o, SHEET, "si=\"1\""));
	ck_assert(office_has(&o, SHEET, "si=\"2\""));
	ck_assert(office_has(&o, SHEET, "<c><v>1</v></c><c><v>2</v></c>"));
	office_end(&o);
}
END_TEST

#define SHEETS                                                         \
	"<workbook " BOOK SPACES "><bookViews><workbookView "          \
	"activeTab='1'/></bookViews><sheets>"                          \
	"<sheet name='Macro1' r:id='rId2'/><sheet name='A' "           \
	"state='hidden' r:id='rId1'/></sheets><definedNames>"          \
	"<definedName name='_xlnm.Auto_Open'>Macro1!A1</definedName>"  \
	"<definedName name='Good' localSheetId='1'>A!B1</definedName>" \
	"<definedName name='Gone' localSheetId='0'>A!B1</definedName>" \
	"<definedName name='Run'>EXEC(\"calc\")</definedName>"         \
	"<definedName name='Out'>[1]A!B1</definedName>"                \
	"</definedNames><externalReferences><externalReference "       \
	"r:id='rId3'/></externalReferences></workbook>"

/* What is numbered by sheet has the numbers of those that are left. */
START_TEST(ooxml_sheet_takes_macro_sheets_out)
{
	static const char book[] = "xl/workbook.xml";
	struct office o;

	begin(&o, SHEETS,
	    REL("rId2", REL_MS "xlMacrosheet", "macrosheets/sheet1.xml")
		REL("rId3", REL_OFFICE "externalLink", "externalLinks/e.xml")
		    REL("rId4", REL_OFFICE "connections", "connections.xml"));
	office_add(&o, "xl/macrosheets/sheet1.xml", CELLS(CELL("HALT()", "")));
	office_add(&o, "xl/externalLinks/e.xml", "<externalLink " BOOK "/>");
	office_add(&o, "xl/connections.xml", "<connections " BOOK "/>");
	office_add(&o, SHEET,
	    CELLS(CELL("Macro1!A1", "1") CELL("Run+1", "2") CELL("Good", "3")));
	office_run(&o, "a.xlsm");
	ck_assert(!office_has(&o, book, "Macro1"));
	ck_assert(!office_has(&o, book, "Auto_Open"));
	ck_assert(!office_has(&o, book, "Gone"));
	ck_assert(!office_has(&o, book, "EXEC"));
	ck_assert(!office_has(&o, book, "external"));
	ck_assert(!office_has(&o, book, "hidden"));
	ck_assert(office_has(&o, book, "activeTab=\"0\""));
	ck_assert(office_has(&o, book, "name=\"Good\" localSheetId=\"0\""));
	ck_assert(!office_has(&o, SHEET, "<f>Macro1"));
	ck_assert(!office_has(&o, SHEET, "<f>Run"));
	ck_assert(office_has(&o, SHEET, "<f>Good"));
	ck_assert(office_part(&o, "xl/macrosheets/sheet1.xml") == NULL);
	ck_assert(office_part(&o, "xl/externalLinks/e.xml") == NULL);
	ck_assert(office_part(&o, "xl/connections.xml") == NULL);
	ck_assert(drive_detox_removed(&o.t, REMOVED_MACRO, NULL) >= 2);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_CONNECTION, "xl/connections.xml"),
	    1);
	office_end(&o);
}
END_TEST

START_TEST(ooxml_sheet_refuses_when_none_is_left)
{
	struct office o;

	begin(&o,
	    "<workbook " BOOK SPACES "><sheets><sheet name='M' r:id='rId2'/>"
	    "</sheets></workbook>",
	    REL("rId2", REL_MS "xlMacrosheet", "m.xml"));
	office_add(&o, "xl/m.xml", CELLS(""));
	office_run(&o, "a.xlsx");
	ck_assert_int_eq(o.t.d.refusal, REFUSED_BROKEN);
	office_end(&o);
}
END_TEST

#define VML_SHAPE(type)                                                  \
	"<v:shape id='" type "'><x:ClientData ObjectType='" type "'/></" \
	"v:shape>"

/* Comments are shapes too, and stay. */
START_TEST(ooxml_sheet_takes_controls_out)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    "<worksheet " BOOK SPACES "><sheetData/><pageSetup scale='50' "
	    "r:id='rId2'/><legacyDrawing r:id='rId1'/><oleObjects><oleObject "
	    "r:id='rId9'/></oleObjects><controls><control r:id='rId9'/>"
	    "</controls></worksheet>");
	office_add(&o, "xl/worksheets/_rels/sheet1.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "vmlDrawing", "v.vml")
		    REL("rId2", REL_OFFICE "printerSettings", "p.bin")));
	office_add(&o, "xl/worksheets/p.bin", "printer");
	office_add(&o, "xl/worksheets/v.vml",
	    "<xml" SPACES ">" VML_SHAPE("Note") VML_SHAPE("Button")
		VML_SHAPE("Pict") "<v:textbox><div>a<br>b</div></v:textbox>"
				  "<![if x]><![endif]></xml>");
	office_run(&o, "a.xlsx");
	ck_assert(!office_has(&o, SHEET, "oleObject"));
	ck_assert(!office_has(&o, SHEET, "control"));
	ck_assert(office_has(&o, SHEET, "<pageSetup scale=\"50\"/>"));
	ck_assert(office_has(&o, SHEET, "legacyDrawing"));
	ck_assert(office_has(&o, "xl/worksheets/v.vml", "Note"));
	ck_assert(office_has(&o, "xl/worksheets/v.vml", "a<br/>b"));
	ck_assert(!office_has(&o, "xl/worksheets/v.vml", "Button"));
	ck_assert(!office_has(&o, "xl/worksheets/v.vml", "Pict"));
	ck_assert(drive_detox_removed(&o.t, REMOVED_ACTIVEX, NULL) >= 2);
	ck_assert(drive_detox_removed(&o.t, REMOVED_OBJECT, NULL) >= 2);
	ck_assert_uint_eq(
	    drive_detox_removed(&o.t, REMOVED_PRINTER, "xl/worksheets/p.bin"),
	    1);
	office_end(&o);
}
END_TEST

START_TEST(ooxml_sheet_keeps_tables_of_queries)
{
	struct office o;

	begin(&o, PLAIN, "");
	office_add(&o, SHEET,
	    "<worksheet " BOOK SPACES "><sheetData/><hyperlinks><hyperlink "
	    "ref='A1' r:id='rId2'/></hyperlinks><tableParts count='1'>"
	    "<tablePart r:id='rId1'/></tableParts></worksheet>");
	office_add(&o, "xl/worksheets/_rels/sheet1.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "table", "t.xml")
		    REL_OUTSIDE("rId2", REL_OFFICE "hyperlink", "x:y")));
	office_add(&o, "xl/worksheets/t.xml",
	    "<table " BOOK " tableType='queryTable' connectionId='1'>"
	    "<tableColumns><tableColumn name='a' queryTableFieldId='1'/>"
	    "</tableColumns></table>");
	office_add(&o, "xl/worksheets/_rels/t.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "queryTable", "q.xml")));
	office_add(&o, "xl/worksheets/q.xml", "<queryTable " BOOK "/>");
	office_run(&o, "a.xlsx");
	ck_assert(
	    office_has(&o, "xl/worksheets/t.xml", "<tableColumn name=\"a\"/>"));
	ck_assert(!office_has(&o, "xl/worksheets/t.xml", "query"));
	ck_assert(office_has(&o, SHEET, "tablePart"));
	ck_assert(!office_has(&o, SHEET, "hyperlinks"));
	office_end(&o);
}
END_TEST

Suite *
ooxml_sheet_suite(void)
{
	Suite *s = suite_create("ooxml_sheet");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, ooxml_sheet_judges_formulas, 0, COUNT(formulas));
	tcase_add_test(t, ooxml_sheet_judges_formulas_within);
	tcase_add_test(t, ooxml_sheet_judges_values_of_formats);
	tcase_add_test(t, ooxml_sheet_judges_where_numbers_come_from);
	tcase_add_test(t, ooxml_sheet_judges_all_sources_of_a_chart);
	tcase_add_test(t, ooxml_sheet_takes_shared_formulas_out_together);
	tcase_add_test(t, ooxml_sheet_takes_macro_sheets_out);
	tcase_add_test(t, ooxml_sheet_refuses_when_none_is_left);
	tcase_add_test(t, ooxml_sheet_takes_controls_out);
	tcase_add_test(t, ooxml_sheet_keeps_tables_of_queries);
	suite_add_tcase(s, t);
	return s;
}
