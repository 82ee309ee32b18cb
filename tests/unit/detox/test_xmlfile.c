/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/xmlfile.h"

#include <check.h>

#include "tests/unit/detox/drive.h"

Suite *xmlfile_suite(void);

#define SVG "<svg xmlns=\"http://www.w3.org/2000/svg\""
#define XLINK " xmlns:xlink=\"http://www.w3.org/1999/xlink\""
#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define WORD    \
	"<w:p " \
	"xmlns:w=\"http://schemas.microsoft.com/office/word/2003/wordml\""
#define PAPER              \
	"<w:wordDocument " \
	"xmlns:w=\"http://schemas.microsoft.com/office/word/2003/wordml\""
#define OPTIONS "<x:a xmlns:x=\"urn:schemas-microsoft-com:office:excel\""
#define CELL                                                           \
	"<c xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"" \
	" xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\""

static const struct {
	const char *name; /* of the file */
	const char *in, *out;
	enum detox_removal what; /* when where is not NULL */
	const char *where;
} cases[] = {
	/* What stays. */
	{ "a.svg", SVG " viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
	    SVG " viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>", 0, NULL },
	{ "a.svg", SVG "><text x=\"1\">a<tspan>b</tspan></text></svg>",
	    SVG "><text x=\"1\">a<tspan>b</tspan></text></svg>", 0, NULL },
	{ "a.svg", SVG "><g fill=\"url(#a)\" transform=\"scale(2)\"/></svg>",
	    SVG "><g fill=\"url(&quot;#a&quot;)\" transform=\"scale(2)\"/>"
		"</svg>",
	    0, NULL },
	{ "a.svg", SVG XLINK "><use xlink:href=\"#a\"/></svg>",
	    SVG XLINK "><use xlink:href=\"#a\"/></svg>", 0, NULL },
	{ "a.svg",
	    SVG "><a href=\"https://a.test/\"><title>b</title></a></svg>",
	    SVG "><a href=\"https://a.test/\"><title>b</title></a></svg>", 0,
	    NULL },
	{ "a.svg", SVG "><style>.a{fill:red}</style></svg>",
	    SVG "><style>.a{fill:red;}\n</style></svg>", 0, NULL },
	{ "a.svg", SVG "><animate attributeName=\"x\" to=\"1\"/></svg>",
	    SVG "><animate attributeName=\"x\" to=\"1\"/></svg>", 0, NULL },
	{ "a.svg",
	    SVG "><a><animate xml:attributeName=\"x\" attributeName=\"href\" "
		"to=\"javascript:a`1`\"/></a></svg>",
	    SVG "><a/></svg>", REMOVED_SCRIPT, "animate" },
	{ "a.svg",
	    SVG "><a><set u:attributeName=\"x\" xmlns:u=\"urn:u\" "
		"attributeName=\"href\" to=\"javascript:a`1`\"/></a></svg>",
	    SVG "><a/></svg>", REMOVED_SCRIPT, "set" },
	{ "a.svg",
	    "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\""
	    " \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">" SVG "/>",
	    SVG "/>", REMOVED_EXTERNAL, "DOCTYPE" },
	{ "a.svg",
	    "<!DOCTYPE svg [<!-- c --><!ENTITY a "
	    "\"http://www.w3.org/2000/svg\">"
	    "<!ENTITY b 'c\"d'><!ATTLIST svg e CDATA #IMPLIED>]>"
	    "<svg xmlns=\"&a;\" id=\"&b;\">&amp;</svg>",
	    SVG " id=\"c&quot;d\">&amp;</svg>", REMOVED_EXTERNAL, "DOCTYPE" },
	{ "a.xml", "<a b=\"c\"><d>e</d></a>", "<a b=\"c\"><d>e</d></a>", 0,
	    NULL },
	{ "a.xml", WORD "><w:instrText> PAGE </w:instrText></w:p>",
	    WORD "><w:instrText> PAGE </w:instrText></w:p>", 0, NULL },
	{ "a.xml", CELL " ss:Formula=\"=SUM(R1)\">1</c>",
	    CELL " ss:Formula=\"=SUM(R1)\">1</c>", 0, NULL },
	/* What goes. */
	{ "a.svg", SVG "><script>a</script></svg>", SVG "/>", REMOVED_SCRIPT,
	    "script" },
	{ "a.svg", SVG " onload=\"a\"/>", SVG "/>", REMOVED_SCRIPT, "svg" },
	{ "a.svg", SVG "><handler/><listener/></svg>", SVG "/>", REMOVED_SCRIPT,
	    "handler" },
	{ "a.svg",
	    SVG "><foreignObject><p xmlns=\"http://www.w3.org/1999/xhtml\">a"
		"<script>b</script></p></foreignObject></svg>",
	    SVG "><text dy=\"1em\">a</text></svg>", REMOVED_OBJECT,
	    "foreignObject" },
	{ "a.svg",
	    SVG "><set attributeName=\"href\" to=\"javascript:a\"/></svg>",
	    SVG "/>", REMOVED_SCRIPT, "set" },
	{ "a.svg", SVG "><set attributeName=\"onclick\" to=\"a\"/></svg>",
	    SVG "/>", REMOVED_SCRIPT, "set" },
	{ "a.svg",
	    SVG XLINK "><set attributeName=\"xlink:href\" to=\"a\"/></svg>",
	    SVG XLINK "/>", REMOVED_SCRIPT, "set" },
	{ "a.svg", SVG "><use href=\"http://a.test/#b\"/></svg>",
	    SVG "><use/></svg>", REMOVED_EXTERNAL, "use" },
	{ "a.svg", SVG "><use href=\"data:image/svg+xml,a\"/></svg>",
	    SVG "><use/></svg>", REMOVED_EXTERNAL, "use" },
	{ "a.svg", SVG "><image href=\"http://a.test/b.png\"/></svg>",
	    SVG "><image/></svg>", REMOVED_EXTERNAL, "image" },
	{ "a.svg", SVG "><image href=\"&#127;//a.test/b.png\"/></svg>",
	    SVG "><image/></svg>", REMOVED_EXTERNAL, "image" },
	{ "a.svg", SVG "><style>a{fill:url('\\7f //a.test/b')}</style></svg>",
	    SVG "><style>a{}\n</style></svg>", REMOVED_EXTERNAL, "style" },
	{ "a.svg", SVG "><feImage href=\"file:///a\"/></svg>",
	    SVG "><feImage/></svg>", REMOVED_EXTERNAL, "feImage" },
	{ "a.svg", SVG "><g fill=\"url(http://a.test/)\"/></svg>",
	    SVG "><g/></svg>", REMOVED_EXTERNAL, "g" },
	{ "a.svg", SVG "><g mask=\"u\\72l(http://a.test/)\"/></svg>",
	    SVG "><g/></svg>", REMOVED_EXTERNAL, "g" },
	{ "a.svg", SVG "><a href=\"javascript:a\">b</a></svg>",
	    SVG "><a>b</a></svg>", REMOVED_LINK, "a" },
	{ "a.svg", SVG "><style>@import 'a';</style></svg>",
	    SVG "><style></style></svg>", REMOVED_EXTERNAL, "style" },
	{ "a.svg", SVG "><metadata>a</metadata></svg>", SVG "/>",
	    REMOVED_METADATA, "metadata" },
	{ "a.svg", "<?xml-stylesheet href=\"a\"?>" SVG "/>", SVG "/>",
	    REMOVED_EXTERNAL, "xml" },
	{ "a.xml",
	    "<a xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:script>b"
	    "</h:script></a>",
	    "<a xmlns:h=\"http://www.w3.org/1999/xhtml\"/>", REMOVED_SCRIPT,
	    "script" },
	{ "a.xml",
	    "<a xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p onclick="
	    "\"b\">c</h:p></a>",
	    "<a xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p>c</h:p></a>",
	    REMOVED_SCRIPT, "p" },
	{ "a.xml", "<a href=\" java&#10;script:b\">c</a>", "<a>c</a>",
	    REMOVED_LINK, "a" },
	{ "a.xml",
	    "<a>b<x:include xmlns:x=\"http://www.w3.org/2001/XInclude\""
	    " href=\"c\"/></a>",
	    "<a>b</a>", REMOVED_EXTERNAL, "xml" },
	{ "a.xml",
	    WORD "><w:docSuppData><w:binData>AAAA</w:binData>"
		 "</w:docSuppData></w:p>",
	    WORD "/>", REMOVED_MACRO, "docSuppData" },
	{ "a.xml", WORD "><w:docOleData/></w:p>", WORD "/>", REMOVED_OBJECT,
	    "docOleData" },
	{ "a.xml", WORD "><w:binData w:name=\"a.mso\">AAAA</w:binData></w:p>",
	    WORD "/>", REMOVED_REFUSED, "binData" },
	{ "a.xml", WORD "><w:instrText>DDEAUTO c</w:instrText></w:p>",
	    WORD "/>", REMOVED_FIELD, "instrText" },
	{ "a.xml",
	    PAPER "><w:r><w:fldChar w:fldCharType=\"begin\"/><w:instrText>"
		  "HYPERLINK </w:instrText></w:r><w:r><w:instrText>"
		  "\"search-ms:a\"</w:instrText><w:fldChar w:fldCharType="
		  "\"end\"/></w:r></w:wordDocument>",
	    PAPER "><w:r/><w:r/></w:wordDocument>", REMOVED_FIELD, "xml" },
	{ "a.xml", WORD "><w:fldSimple w:instr=\"HYPERLINK ms-msdt:a\"/></w:p>",
	    WORD "><w:fldSimple/></w:p>", REMOVED_FIELD, "fldSimple" },
	{ "a.xml", WORD "><w:scriptAnchor><a/></w:scriptAnchor></w:p>",
	    WORD "/>", REMOVED_SCRIPT, "scriptAnchor" },
	{ "a.xml",
	    "<v:imagedata xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o="
	    "\"urn:schemas-microsoft-com:office:office\" o:href=\"http://a\""
	    " src=\"wordml://1\"/>",
	    "<v:imagedata xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o="
	    "\"urn:schemas-microsoft-com:office:office\""
	    " src=\"wordml://1\"/>",
	    REMOVED_EXTERNAL, "imagedata" },
	{ "a.xml", CELL " ss:Formula=\"=WEBSERVICE (R1)\">1</c>", CELL ">1</c>",
	    REMOVED_FORMULA, "c" },
	{ "a.xml", CELL " ss:Formula=\"='\\\\a\\[b.xls]S'!R1C1\">1</c>",
	    CELL ">1</c>", REMOVED_FORMULA, "c" },
	{ "a.xml",
	    OPTIONS "><x:DataValidation><x:Value>cmd|a!A0</x:Value>"
		    "</x:DataValidation><x:ConditionalFormatting><x:Condition>"
		    "<x:Value1>R1</x:Value1></x:Condition>"
		    "</x:ConditionalFormatting></x:a>",
	    OPTIONS "><x:ConditionalFormatting><x:Condition>"
		    "<x:Value1>R1</x:Value1></x:Condition>"
		    "</x:ConditionalFormatting></x:a>",
	    REMOVED_FORMULA, "DataValidation" },
	{ "a.xml", OPTIONS "><x:FileName>\\\\a\\[b.xls]</x:FileName></x:a>",
	    OPTIONS "/>", REMOVED_CONNECTION, "FileName" },
	{ "a.xml", WORD "><w:instrText>DD</w:instrText></w:p>", WORD "/>",
	    REMOVED_FIELD, "instrText" },
	{ "a.xml", WORD " w:macrosPresent=\"yes\"/>", WORD "/>", 0, NULL },
	{ "a.xml", CELL " ss:Formula=\"=cmd|'/c a'!A1\">1</c>", CELL ">1</c>",
	    REMOVED_FORMULA, "c" },
	{ "a.xml", CELL " ss:HRef=\"file:///a\">1</c>", CELL ">1</c>",
	    REMOVED_LINK, "c" },
};

START_TEST(xmlfile_rebuilds)
{
	struct drive_detox t;
	struct bytes out;

	drive_detox_init(&t);
	drive_detox_run(&t, bytes_of(cases[_i].in), cases[_i].name);
	ck_assert_msg(
	    t.result == DETOX_REBUILT, "%s: %s", cases[_i].in, t.d.why);
	out = buf_bytes(&t.out.content);
	ck_assert(bytes_start_with(out, BYTES(XML)));
	bytes_take(&out, sizeof(XML) - 1);
	ck_assert_msg(out.n > 0 && out.n - 1 == strlen(cases[_i].out) &&
		memcmp(out.p, cases[_i].out, out.n - 1) == 0,
	    "%s: %.*s", cases[_i].in, BYTES_PRINTF(out));
	if (cases[_i].where != NULL)
		ck_assert_msg(drive_detox_removed(
				  &t, cases[_i].what, cases[_i].where) > 0,
		    "%s", cases[_i].in);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *in;
	enum detox_refusal refusal;
} refused[] = {
	{ "<a>", REFUSED_BROKEN },
	{ "<a>&b;</a>", REFUSED_BROKEN },
	{ "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///c\">]><a>&b;</a>",
	    REFUSED_ENTITY },
	{ "<!DOCTYPE a [<!ENTITY % b SYSTEM \"c\">%b;]><a/>", REFUSED_ENTITY },
	{ "<!DOCTYPE a [<!ENTITY b \"c\"><!ENTITY d \"&b;&b;\">]><a>&d;</a>",
	    REFUSED_ENTITY },
	{ "<!DOCTYPE a [<!ENTITY b \"<c/>\">]><a>&b;</a>", REFUSED_ENTITY },
	{ "<x:window xmlns:x=\"http://www.mozilla.org/keymaster/gatekeeper/"
	  "there.is.only.xul\"/>",
	    REFUSED_TYPE },
	{ "<script>a</script>", REFUSED_TYPE },
};

START_TEST(xmlfile_refuses)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, bytes_of(refused[_i].in), "a.xml");
	ck_assert_msg(t.d.refusal == refused[_i].refusal, "%s: %s",
	    refused[_i].in, t.d.why);
	drive_detox_release(&t);
}
END_TEST

/* The value of an entity is 1,000 bytes long, and named for 4. */
START_TEST(xmlfile_bounds_entities)
{
	struct drive_detox t;
	struct buf b;

	drive_detox_init(&t);
	t.profile.out_max = 1 << 20;
	for (int n = 1000; n <= 2000; n += 1000) {
		buf_init(&b, 1 << 20);
		ck_assert(
		    buf_printf(&b, "<!DOCTYPE a [<!ENTITY b \"%01000d\">]><a>",
			0) == 0);
		for (int i = 0; i < n; i++)
			ck_assert(buf_append_string(&b, "&b;") == 0);
		ck_assert(buf_append_string(&b, "</a>") == 0);
		drive_detox_run(&t, buf_bytes(&b), "a.xml");
		ck_assert_int_eq(
		    t.d.refusal, n == 1000 ? REFUSED_NOT : REFUSED_BOMB);
		buf_release(&b);
	}
	drive_detox_release(&t);
}
END_TEST

#define PKG "http://schemas.microsoft.com/office/2006/xmlPackage"

START_TEST(xmlfile_makes_flat_packages_packages)
{
	static const char flat[] =
	    XML "<p:package xmlns:p=\"" PKG "\">"
		"<p:part p:name=\"/a.xml\" p:contentType=\"b\"><p:xmlData><c/>"
		"</p:xmlData></p:part>"
		"<p:part p:name=\"/d\" p:contentType=\"e\"><p:binaryData>QUJD"
		"</p:binaryData></p:part></p:package>";
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_OOXML] = DETOX_PASS;
	drive_detox_run(&t, bytes_of(flat), "a.xml");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", t.d.why);
	ck_assert_int_eq(
	    magic_type_of(buf_bytes(&t.out.content), true), MAGIC_OOXML);
	ck_assert_str_eq(t.out.extension, "docx");
	t.profile.treatment[MAGIC_OOXML] = DETOX_REFUSE;
	drive_detox_run(&t, bytes_of(flat), "a.xml");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_release(&t);
}
END_TEST

START_TEST(xmlfile_is_text_if_the_profile_says_so)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.to_text = true;
	drive_detox_run(
	    &t, BYTES("<a><b> c </b><d>e<script>f</script></d></a>"), "a.xml");
	ck_assert_str_eq(t.out.extension, "txt");
	ck_assert(bytes_equal(buf_bytes(&t.out.content), BYTES("c\ne\n")));
	drive_detox_release(&t);
}
END_TEST

START_TEST(xmlfile_gives_pages_to_html)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t,
	    BYTES("<!-- a --><html xmlns=\"http://www.w3.org/1999/xhtml\">"
		  "<body onload=\"b\"><script>c</script>d</body></html>"),
	    "a.xml");
	ck_assert(t.result == DETOX_REBUILT);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_SCRIPT, NULL), 2);
	drive_detox_release(&t);
}
END_TEST

Suite *
xmlfile_suite(void)
{
	Suite *s = suite_create("xmlfile");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, xmlfile_rebuilds, 0, COUNT(cases));
	tcase_add_loop_test(t, xmlfile_refuses, 0, COUNT(refused));
	tcase_add_test(t, xmlfile_bounds_entities);
	tcase_add_test(t, xmlfile_makes_flat_packages_packages);
	tcase_add_test(t, xmlfile_is_text_if_the_profile_says_so);
	tcase_add_test(t, xmlfile_gives_pages_to_html);
	suite_add_tcase(s, t);
	return s;
}
