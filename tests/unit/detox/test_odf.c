/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/odf.h"

#include <check.h>

#include "filters/package/package.h"
#include "tests/unit/detox/drive.h"

Suite *odf_suite(void);

#define OASIS "urn:oasis:names:tc:opendocument:xmlns:"
#define SPACES                                                                 \
	" xmlns:office='" OASIS "office:1.0' xmlns:text='" OASIS               \
	"text:1.0' xmlns:table='" OASIS "table:1.0' xmlns:draw='" OASIS        \
	"drawing:1.0' xmlns:form='" OASIS "form:1.0' xmlns:script='" OASIS     \
	"script:1.0' xmlns:presentation='" OASIS                               \
	"presentation:1.0' xmlns:meta='" OASIS "meta:1.0' xmlns:style='" OASIS \
	"style:1.0' xmlns:config='" OASIS "config:1.0' "                       \
	"xmlns:anim='" OASIS "animation:1.0' xmlns:svg='" OASIS                \
	"svg-compatible:1.0' xmlns:xlink='http://www.w3.org/1999/xlink'"       \
	" xmlns:xforms='http://www.w3.org/2002/xforms'"                        \
	" xmlns:dc='http://purl.org/dc/elements/1.1/'"                         \
	" xmlns:math='http://www.w3.org/1998/Math/MathML'"                     \
	" xmlns:calcext='urn:org:documentfoundation:names:experimental:"       \
	"calc:xmlns:calcext:1.0'"                                              \
	" xmlns:chart='" OASIS "chart:1.0'"                                    \
	" xmlns:loext='urn:org:documentfoundation:names:experimental:"         \
	"office:xmlns:loext:1.0'"                                              \
	" xmlns:field='urn:openoffice:names:experimental:ooo-ms-interop"       \
	":xmlns:field:1.0'"                                                    \
	" xmlns:other='urn:example:other' office:version='1.3'"

#define MANIFEST "<manifest:manifest xmlns:manifest='" OASIS "manifest:1.0'/>"
#define TEXT "application/vnd.oasis.opendocument.text"
#define PNG "\x89PNG\r\n\x1a\n and more"

struct file {
	const char *name;
	struct bytes content;
};

struct job {
	struct drive_detox t;
	struct package *out; /* of the last run */
	struct detox d;      /* which reads it */
};

static void
begin(struct job *j)
{
	drive_detox_init(&j->t);
	detox_init(&j->d, &j->t.profile);
	/* Pictures are other formats' work. */
	j->t.profile.treatment[MAGIC_PNG] = DETOX_PASS;
}

static void
end(struct job *j)
{
	detox_release(&j->d);
	drive_detox_release(&j->t);
}

/* A package of those files, in that order. */
static void
run(struct job *j, const struct file *files, size_t n)
{
	struct package_writer *w = package_writer_new();
	struct detox_output zip = { 0 };

	buf_init(&zip.content, 1 << 20);
	for (size_t i = 0; i < n; i++)
		if (files[i].name != NULL)
			ck_assert(package_add(&j->d, w, files[i].name,
				      files[i].content,
				      PACKAGE_STORED) == DETOX_REBUILT);
	ck_assert(package_finish(&j->d, w, &zip) == DETOX_REBUILT);
	drive_detox_run(&j->t, buf_bytes(&zip.content), "a.odt");
	j->out = NULL;
	if (j->t.result == DETOX_REBUILT) {
		j->out = package_open(&j->d, buf_bytes(&j->t.out.content));
		ck_assert_ptr_nonnull(j->out);
	}
	buf_release(&zip.content);
	package_writer_free(w);
}

/* A text of that body, with one picture and one embedded formula. */
static void
run_body(struct job *j, const char *body)
{
	char content[8192];
	const struct file files[] = {
		{ "mimetype", BYTES(TEXT) },
		{ "content.xml", { (uint8_t *)content, 0 } },
		{ "Pictures/a.png", BYTES(PNG) },
		{ "Object 1/content.xml",
		    BYTES("<math xmlns='http://www.w3.org/1998/Math/MathML'>"
			  "<mi onclick='x()' mathvariant='bold'>E</mi>"
			  "</math>") },
		{ "META-INF/manifest.xml", BYTES(MANIFEST) },
	};
	struct file copy[COUNT(files)];

	ck_assert_int_lt(
	    snprintf(content, sizeof(content),
		"<office:document-content" SPACES "><office:body><office:text>"
		"%s</office:text></office:body></office:document-content>",
		body),
	    (int)sizeof(content));
	memcpy(copy, files, sizeof(files));
	copy[1].content.n = strlen(content);
	run(j, copy, COUNT(copy));
	ck_assert_msg(j->t.result == DETOX_REBUILT, "%s", j->t.d.why);
}

/* The part as it came out, as a string in the arena. */
static const char *
part(struct job *j, const char *name)
{
	ssize_t i = package_find(j->out, name);
	const char *result;
	struct buf b;

	if (i < 0)
		return NULL;
	ck_assert(package_read(&j->d, j->out, (size_t)i, &b) == DETOX_REBUILT);
	result = arena_string(&j->d.arena, buf_bytes(&b));
	buf_release(&b);
	return result;
}

#define KEPT (DETOX_REMOVAL_KINDS)

static const struct {
	const char *body;
	const char *gone; /* NULL: it stays as it is */
	const char *left;
	int what; /* KEPT: nothing is reported */
} bodies[] = {
	{ "<text:p>日本 <text:span>a</text:span></text:p>", NULL,
	    "<text:p>日本 <text:span>a</text:span></text:p>", KEPT },
	{ "<office:scripts><office:script script:language='Basic'>Shell"
	  "</office:script></office:scripts>",
	    "Shell", "", REMOVED_MACRO },
	{ "<office:scripts/>", NULL, "<office:scripts/>", KEPT },
	{ "<text:p>a<office:event-listeners><script:event-listener "
	  "xlink:href='vnd.sun.star.script:a.b'/></office:event-listeners>"
	  "</text:p>",
	    "vnd.sun", "<text:p>a", REMOVED_SCRIPT },
	{ "<draw:a><office:event-listeners><presentation:event-listener "
	  "presentation:action='execute' xlink:href='calc.exe'/>"
	  "</office:event-listeners></draw:a>",
	    "execute", "<draw:a>", REMOVED_ACTION },
	{ "<presentation:event-listener presentation:action='next-page'/>",
	    NULL, "next-page", KEPT },
	{ "<presentation:event-listener presentation:action='show' "
	  "xlink:href='https://www.city.test/'/>",
	    NULL, "https://www.city.test/", KEPT },
	{ "<presentation:event-listener presentation:action='show' "
	  "xlink:href='file:///c:/a.exe'/>",
	    "a.exe", "", REMOVED_ACTION },
	{ "<text:p>1<text:a xlink:href='https://www.city.test/'>link"
	  "</text:a></text:p>",
	    NULL, "xlink:href=\"https://www.city.test/\">link</text:a>", KEPT },
	{ "<text:p>1<text:a xlink:href='macro:///Standard.M.Main'><text:span>"
	  "l</text:span>ink</text:a>2</text:p>",
	    "macro:", "<text:p>1<text:span>l</text:span>ink2</text:p>",
	    REMOVED_LINK },
	{ "<text:p><text:a xlink:href='../other.odt'/>2</text:p>", "other",
	    "<text:p>2</text:p>", REMOVED_LINK },
	{ "<text:p><text:script script:language='JavaScript'>x()"
	  "</text:script>a</text:p>",
	    "x()", "<text:p>a</text:p>", REMOVED_SCRIPT },
	{ "<text:p><text:execute-macro text:name='Main'>press"
	  "</text:execute-macro></text:p>",
	    "Main", "<text:p>press</text:p>", REMOVED_MACRO },
	{ "<draw:frame><draw:object-ole xlink:href='./Object 2'/>"
	  "<draw:image xlink:href='Pictures/a.png'/></draw:frame>",
	    "object-ole",
	    "<draw:frame><draw:image xlink:href=\"Pictures/a.png\"/>",
	    REMOVED_OBJECT },
	{ "<draw:object xlink:href='./Object 1'/>", NULL,
	    "xlink:href=\"./Object 1\"", KEPT },
	{ "<draw:object xlink:href='./Object 2'/>", "Object 2", "",
	    REMOVED_OBJECT },
	{ "<draw:object xlink:href='file:///a.ods'/>", "a.ods", "",
	    REMOVED_EXTERNAL },
	{ "<draw:image xlink:href='http://evil.test/a.png'/>", "evil", "",
	    REMOVED_EXTERNAL },
	{ "<draw:image xlink:href='./Pictures/a%2Epng'/>", NULL, "a%2Epng",
	    KEPT },
	{ "<draw:plugin xlink:href='a.swf'/>", "swf", "", REMOVED_MEDIA },
	{ "<draw:applet draw:code='A.class'/>", "class", "", REMOVED_SCRIPT },
	{ "<draw:floating-frame xlink:href='http://evil.test/'/>", "evil", "",
	    REMOVED_EXTERNAL },
	{ "<text:section><text:section-source xlink:href='file:///a.odt'/>"
	  "<text:p>kept</text:p></text:section>",
	    "a.odt", "<text:p>kept</text:p>", REMOVED_EXTERNAL },
	{ "<text:section><text:section-source text:section-name='S'/>"
	  "</text:section>",
	    NULL, "section-name=\"S\"", KEPT },
	{ "<text:section><office:dde-source office:dde-application='cmd' "
	  "office:dde-topic='/c calc'/></text:section>",
	    "calc", "<text:section", REMOVED_CONNECTION },
	{ "<text:p><text:dde-connection text:connection-name='x'>5"
	  "</text:dde-connection></text:p>",
	    "dde", "<text:p>5</text:p>", REMOVED_CONNECTION },
	{ "<text:dde-connection-decls><text:dde-connection-decl "
	  "office:dde-application='cmd'/></text:dde-connection-decls>",
	    "cmd", "", REMOVED_CONNECTION },
	{ "<table:dde-links><table:dde-link><office:dde-source/>"
	  "</table:dde-link></table:dde-links>",
	    "dde", "", REMOVED_CONNECTION },
	{ "<table:table><table:table-source xlink:href='http://evil.test/'/>"
	  "<table:table-row/></table:table>",
	    "evil", "<table:table><table:table-row/>", REMOVED_EXTERNAL },
	{ "<table:table table:name=\"'file:///a.ods'#$S\"><table:table-row/>"
	  "</table:table>",
	    "a.ods", "", REMOVED_EXTERNAL },
	{ "<table:database-range><table:database-source-sql "
	  "table:database-name='d'/></table:database-range>",
	    "-sql", "<table:database-range", REMOVED_CONNECTION },
	{ "<table:table-cell table:formula='of:=SUM([.A1:.B2])'/>", NULL,
	    "SUM([.A1:.B2])", KEPT },
	{ "<table:table-cell table:formula='of:=WEBSERVICE(\"http://evil"
	  ".test\")'><text:p>5</text:p></table:table-cell>",
	    "evil", "<table:table-cell><text:p>5</text:p>", REMOVED_FORMULA },
	{ "<table:named-range table:name='n' table:base-cell-address="
	  "\"'file:///a.ods'#$S.A1\"/>",
	    "a.ods", "<table:named-range table:name=\"n\"/>",
	    REMOVED_EXTERNAL },
	{ "<table:content-validation table:condition='of:=DDE(1;2;3)'/>", "DDE",
	    "<table:content-validation/>", REMOVED_FORMULA },
	{ "<table:named-expression table:name='n' table:expression="
	  "\"'file:///a.ods'#$S.A1\"/>",
	    "a.ods", "", REMOVED_FORMULA },
	{ "<calcext:data-mapping xlink:href='http://evil.test/'/>", "evil", "",
	    REMOVED_CONNECTION },
	{ "<form:form xlink:href='http://evil.test/' form:datasource='d' "
	  "form:command='SELECT' form:method='post'><form:text "
	  "form:name='t'/></form:form>",
	    "evil", "<form:form><form:text form:name=\"t\"/>",
	    REMOVED_EXTERNAL },
	{ "<form:button form:button-type='submit'/>", "submit",
	    "<form:button/>", REMOVED_FORM },
	{ "<form:text form:control-implementation='ooo:com.sun.star.form."
	  "component.TextField'/>",
	    NULL, "TextField", KEPT },
	{ "<form:text form:control-implementation='evil.Control'/>", "evil",
	    "<form:text/>", REMOVED_ACTIVEX },
	{ "<form:button><form:properties><form:property form:property-name="
	  "'TargetURL' office:string-value='file:///evil'/><form:property "
	  "form:property-name='DefaultControl' office:string-value='evil'/>"
	  "<form:property form:property-name='n' office:value='1'/>"
	  "<form:list-property><form:list-value office:string-value='evil'/>"
	  "</form:list-property></form:properties></form:button>",
	    "evil",
	    "<form:properties><form:property form:property-name=\"n\" "
	    "office:value=\"1\"/></form:properties>",
	    REMOVED_FORM },
	{ "<chart:series chart:values-cell-range-address="
	  "\"'file:///evil.ods'#$S.A1\"/>",
	    "evil", "<chart:series/>", REMOVED_EXTERNAL },
	{ "<draw:object xlink:href='./Object 1' "
	  "draw:notify-on-update-of-ranges=\"'file:///evil.ods'#$S.A1\"/>",
	    "evil", "<draw:object xlink:href=\"./Object 1\"/>",
	    REMOVED_EXTERNAL },
	{ "<text:bibliography-mark text:url='https://www.city.test/' "
	  "loext:local-url='file:///evil' loext:target-url='file:///evil'/>",
	    "evil", "text:url=\"https://www.city.test/\"", REMOVED_LINK },
	{ "<draw:enhanced-geometry draw:engine='com.sun.star.evil'/>", "evil",
	    "<draw:enhanced-geometry/>", REMOVED_SCRIPT },
	{ "<xforms:model><xforms:submission action='http://evil.test/'/>"
	  "</xforms:model>",
	    "evil", "", REMOVED_FORM },
	{ "<anim:command anim:command='verb'/>", "verb", "", REMOVED_ACTION },
	{ "<anim:audio xlink:href='a.wav'/>", "wav", "", REMOVED_MEDIA },
	{ "<field:param field:name='c' field:value='DDEAUTO cmd'/>", "cmd", "",
	    REMOVED_FIELD },
	{ "<other:thing>x</other:thing><text:p other:a='1'>a</text:p>",
	    "other:thing", "<text:p>a</text:p>", REMOVED_UNKNOWN },
	{ "<text:p><text:title>The title</text:title></text:p>", "text:title",
	    "<text:p>The title</text:p>", KEPT },
	{ "<draw:a xml:base='http://evil.test/'/>", "evil", "<draw:a/>",
	    REMOVED_EXTERNAL },
	{ "<svg:font-face-src><svg:font-face-uri xlink:href='Fonts/a.ttf'/>"
	  "</svg:font-face-src>",
	    "ttf", "", REMOVED_FONT },
	{ "<office:binary-data>A!</office:binary-data>", "A!", "",
	    REMOVED_DAMAGED },
	{ "<draw:image><office:binary-data>\niVBORw0KGg ogYW5k\nIG1vcmU=\n"
	  "</office:binary-data></draw:image>",
	    NULL, ">iVBORw0KGgogYW5kIG1vcmU=</office:binary-data>", KEPT },
};

START_TEST(odf_leaves_out_what_runs_or_reaches_out)
{
	struct job j;
	const char *content;

	begin(&j);
	run_body(&j, bodies[_i].body);
	content = strstr(part(&j, "content.xml"), "<office:text");
	ck_assert_ptr_nonnull(content);
	if (bodies[_i].gone != NULL)
		ck_assert_msg(
		    strstr(content, bodies[_i].gone) == NULL, "%s", content);
	ck_assert_msg(strstr(content, bodies[_i].left) != NULL, "%s: %s",
	    bodies[_i].left, content);
	for (int what = 0; what < DETOX_REMOVAL_KINDS; what++) {
		uint32_t n = drive_detox_removed(
		    &j.t, (enum detox_removal)what, "content.xml");

		if (what == bodies[_i].what)
			ck_assert_msg(n > 0, "%s", bodies[_i].body);
		else if (bodies[_i].what == KEPT)
			ck_assert_msg(n == 0, "%s", bodies[_i].body);
	}
	end(&j);
}
END_TEST

static const struct {
	const char *formula;
	bool stays;
} formulas[] = {
	{ "of:=IF([.A1]>1;\"WEBSERVICE(\";'Sheet 2'.B1)", true },
	{ "of:={1|2;3|4}", true },
	{ "of:=INDIRECT([.A1])", false },
	{ "of:=[.A1]|[.A2]", false },
	{ "msoxl:=cmd|'/c calc'!A0", false },
	{ "of:=COM.MICROSOFT.WEBSERVICE ( [.A1] )", false },
	{ "of:=com.microsoft.webservice([.A1])", false },
	{ "of:=_xlfn.WEBSERVICE([.A1])", false },
	{ "of:=WEBSERVICE\xc2\xa0([.A1])", false },
	{ "msoxl:='c:\\[a.xlsx]S'!A1", false },
	{ "msoxl:='\\\\evil.test\\a.xlsx'!name", false },
	{ "msoxl:=[a.xlsx]S!A1", false },
	{ "msoxl:=[1]!name", false },
	{ "msoxl:='A sheet'!A1+S!B2", true },
	{ "of:=[.A1]![.A2]", true },
	{ "of:=T[[#This Row];[a]]+[$'a b'.A1]*2", true },
	{ "of:=MYWEBSERVICE([.A1])", true },
	{ "of:=RECALL([.A1])", true },
	{ "of:=CALL(\"urlmon\")", false },
	{ "of:=REGISTER.ID(1)", false },
	{ "of:=['file:///c:/a.ods'#$Sheet1.A1]", false },
	{ "of:=[file:///c:/a.ods#$Sheet1.A1]", false },
	{ "of:=HYPERLINK(\"https://www.city.test/\";\"a\")", true },
	{ "of:=HYPERLINK( \"#Sheet2\" )", true },
	{ "of:=HYPERLINK(\"file:///c:/a.exe\")", false },
	{ "of:=HYPERLINK(\"https://a\"&\"\";1)", false },
	{ "of:=HYPERLINK([.A1])", false },
	{ "of:=\"unclosed WEBSERVICE(", true },
	{ "", true },
};

START_TEST(odf_judges_formulas)
{
	char body[512];
	struct buf escaped;
	struct job j;

	buf_init(&escaped, sizeof(body));
	for (const char *c = formulas[_i].formula; *c != '\0'; c++)
		ck_assert(
		    (*c == '"'          ? buf_append_string(&escaped, "&quot;")
			    : *c == '&' ? buf_append_string(&escaped, "&amp;")
					: buf_printf(&escaped, "%c", *c)) == 0);
	begin(&j);
	snprintf(body, sizeof(body),
	    "<table:table-cell table:formula=\"%.*s\"/>",
	    BYTES_PRINTF(buf_bytes(&escaped)));
	run_body(&j, body);
	ck_assert_msg((strstr(part(&j, "content.xml"), "table:formula") !=
			  NULL) == formulas[_i].stays,
	    "%s", formulas[_i].formula);
	buf_release(&escaped);
	end(&j);
}
END_TEST

START_TEST(odf_writes_a_package_as_the_standard_says)
{
	struct job j;
	const char *manifest;

	begin(&j);
	run_body(&j, "<text:p>a</text:p>");
	ck_assert(
	    bytes_start_with((struct bytes){ j.t.out.content.p + 30, 100 },
		BYTES("mimetype" TEXT)));
	ck_assert(bytes_equal(
	    (struct bytes){ j.t.out.content.p + 8, 2 }, BYTES("\0\0")));
	manifest = part(&j, "META-INF/manifest.xml");
	ck_assert_ptr_nonnull(strstr(manifest,
	    "full-path=\"/\" manifest:version=\"1.3\" "
	    "manifest:media-type=\"" TEXT "\""));
	ck_assert_ptr_nonnull(strstr(manifest,
	    "full-path=\"Object 1/\" manifest:version=\"1.3\" "
	    "manifest:media-type=\"application/vnd.oasis.opendocument."
	    "formula\""));
	ck_assert_ptr_nonnull(strstr(manifest,
	    "full-path=\"Pictures/a.png\" manifest:media-type=\"image/"
	    "png\""));
	ck_assert_str_eq(part(&j, "Pictures/a.png"), PNG);
	ck_assert_ptr_nonnull(strstr(
	    part(&j, "Object 1/content.xml"), "<mi mathvariant=\"bold\">E"));
	ck_assert_uint_eq(j.t.d.text_in, 1 + 1);
	ck_assert_uint_eq(j.t.d.text_out, 1 + 1);
	ck_assert_uint_eq(j.t.d.rows_n, 0);
	end(&j);
}
END_TEST

#define CONTENT                                                          \
	"<office:document-content" SPACES "><office:body><office:text/>" \
	"</office:body></office:document-content>"

static const struct {
	struct file file;
	bool stays;
	int what;
} parts[] = {
	{ { "Basic/Standard/M.xml", BYTES_ROW("Sub Main") }, false,
	    REMOVED_MACRO },
	{ { "Scripts/python/a.py", BYTES_ROW("import os") }, false,
	    REMOVED_SCRIPT },
	{ { "Dialogs/Standard/d.xml", BYTES_ROW("<d/>") }, false,
	    REMOVED_MACRO },
	{ { "Configurations2/menubar/m.xml", BYTES_ROW("<m/>") }, false,
	    REMOVED_CUSTOM },
	{ { "Configurations2/accelerator/current.xml", BYTES_ROW("") }, false,
	    KEPT },
	{ { "Thumbnails/thumbnail.png", BYTES_ROW(PNG) }, false,
	    REMOVED_PREVIEW },
	{ { "META-INF/documentsignatures.xml", BYTES_ROW("<s/>") }, false,
	    REMOVED_SIGNATURE },
	{ { "META-INF/macrosignatures.xml", BYTES_ROW("<s/>") }, false,
	    REMOVED_SIGNATURE },
	{ { "manifest.rdf", BYTES_ROW("<r/>") }, false, REMOVED_METADATA },
	{ { "Fonts/a.ttf", BYTES_ROW("x") }, false, REMOVED_FONT },
	{ { "Object 1", BYTES_ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") }, false,
	    REMOVED_OBJECT },
	{ { "a.bin", BYTES_ROW("\1\2\3") }, false, REMOVED_UNKNOWN },
	{ { "Pictures/a.exe", BYTES_ROW("\x7f\x45LF\2\1\1") }, false,
	    REMOVED_PROGRAM },
	{ { "Pictures/setup.py", BYTES_ROW("import os\n") }, false,
	    REMOVED_PROGRAM },
	{ { "Pictures/a.txt", BYTES_ROW("hello") }, false, REMOVED_UNKNOWN },
	{ { "Pictures/b.png", BYTES_ROW(PNG) }, true, KEPT },
	{ { "media/image1.png", BYTES_ROW(PNG) }, true, KEPT },
	{ { "Object 9/Pictures/b.png", BYTES_ROW(PNG) }, false,
	    REMOVED_UNKNOWN },
	{ { "settings.xml", BYTES_ROW("") }, false, KEPT },
	/* A drawing of Windows without the header that says its size. */
	{ { "ObjectReplacements/Object 1",
	      BYTES_ROW("\1\0\x09\0\0\3\x0c\0\0\0\0\0\3\0\0\0\0\0\3\0\0\0"
			"\0\0") },
	    true, KEPT },
};

START_TEST(odf_keeps_known_parts_alone)
{
	const struct file files[] = {
		{ "mimetype", BYTES(TEXT "\n") },
		{ "content.xml", BYTES(CONTENT) },
		parts[_i].file,
		{ "META-INF/manifest.xml", BYTES(MANIFEST) },
	};
	const char *name = parts[_i].file.name;
	struct job j;

	begin(&j);
	run(&j, files, COUNT(files));
	ck_assert_int_eq(j.t.result, DETOX_REBUILT);
	ck_assert_msg((part(&j, name) != NULL) == parts[_i].stays, "%s", name);
	ck_assert_msg((strstr(part(&j, "META-INF/manifest.xml"), name) !=
			  NULL) == parts[_i].stays,
	    "%s", name);
	ck_assert_uint_eq(j.t.d.rows_n, parts[_i].what != KEPT);
	if (parts[_i].what != KEPT)
		ck_assert_msg(
		    drive_detox_removed(
			&j.t, (enum detox_removal)parts[_i].what, name) == 1,
		    "%s", name);
	end(&j);
}
END_TEST

static const struct {
	const char *name;
	struct file files[3];
	enum detox_refusal refusal;
} refusals[] = {
	{ "nothing in it", { { "mimetype", BYTES_ROW(TEXT) } },
	    REFUSED_BROKEN },
	{ "a database",
	    { { "mimetype",
		  BYTES_ROW("application/vnd.oasis.opendocument.base") },
		{ "content.xml", BYTES_ROW(CONTENT) } },
	    REFUSED_TYPE },
	{ "encrypted",
	    { { "mimetype", BYTES_ROW(TEXT) },
		{ "content.xml", BYTES_ROW("\1\2\3\4") },
		{ "META-INF/manifest.xml",
		    BYTES_ROW("<m:manifest xmlns:m='m'><m:file-entry>"
			      "<m:encryption-data/>"
			      "</m:file-entry></m:manifest>") } },
	    REFUSED_ENCRYPTED },
	{ "encrypted as a whole",
	    { { "mimetype", BYTES_ROW(TEXT) },
		{ "encrypted-package", BYTES_ROW("\1\2\3\4") } },
	    REFUSED_ENCRYPTED },
	{ "entities",
	    { { "mimetype", BYTES_ROW(TEXT) },
		{ "content.xml",
		    BYTES_ROW("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>") } },
	    REFUSED_ENTITY },
	{ "another root",
	    { { "mimetype", BYTES_ROW(TEXT) },
		{ "content.xml",
		    BYTES_ROW("<office:document-styles xmlns:office='" OASIS
			      "office:1.0'/>") } },
	    REFUSED_BROKEN },
	{ "two contents",
	    { { "mimetype", BYTES_ROW(TEXT) },
		{ "content.xml", BYTES_ROW(CONTENT) },
		{ "Content.xml", BYTES_ROW(CONTENT) } },
	    REFUSED_DUPLICATE },
};

#define SVM_HEAD               \
	"VCLMTF\1\0\x1e\0\0\0" \
	"123456789012345678901234567890"
#define SVM_LINE "\x66\0\1\0\2\0\0\0ab"
#define SVM_EPS "\x8f\0\1\0\2\0\0\0%!"
#define SVM_COMMENT "\0\2\1\0\4\0\0\0evil"
#define SVM_NOTHING "\xc7\0\1\0\0\0\0\0"

static const struct {
	struct bytes in;
	struct bytes out; /* empty: it does not stay */
} metafiles[] = {
	{ BYTES_ROW(SVM_HEAD), BYTES_ROW(SVM_HEAD) },
	{ BYTES_ROW(SVM_HEAD SVM_LINE SVM_EPS SVM_LINE SVM_COMMENT),
	    BYTES_ROW(SVM_HEAD SVM_LINE SVM_NOTHING SVM_LINE SVM_NOTHING) },
	{ BYTES_ROW(SVM_HEAD "\x66\0\1\0\3\0\0\0ab"), BYTES_ROW("") },
	{ BYTES_ROW(SVM_HEAD "\x66\0\1\0\xff\xff\xff\xff"), BYTES_ROW("") },
	{ BYTES_ROW(SVM_HEAD "\x66"), BYTES_ROW("") },
	{ BYTES_ROW("VCLMTF\1\0\xff\xff\xff\xff"), BYTES_ROW("") },
	{ BYTES_ROW("VCLMTF"), BYTES_ROW("") },
};

START_TEST(odf_keeps_what_draws_of_metafiles)
{
	const struct file files[] = {
		{ "mimetype", BYTES(TEXT) },
		{ "content.xml", BYTES(CONTENT) },
		{ "ObjectReplacements/Object 1", metafiles[_i].in },
	};
	bool stays = metafiles[_i].out.n > 0;
	struct job j;
	struct buf b;
	ssize_t i;

	begin(&j);
	run(&j, files, COUNT(files));
	ck_assert_int_eq(j.t.result, DETOX_REBUILT);
	i = package_find(j.out, files[2].name);
	ck_assert((i >= 0) == stays);
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_DAMAGED, files[2].name), !stays);
	if (stays) {
		ck_assert(
		    package_read(&j.d, j.out, (size_t)i, &b) == DETOX_REBUILT);
		ck_assert(bytes_equal(buf_bytes(&b), metafiles[_i].out));
		buf_release(&b);
	}
	end(&j);
}
END_TEST

START_TEST(odf_refuses)
{
	struct job j;

	begin(&j);
	run(&j, refusals[_i].files, COUNT(refusals[_i].files));
	ck_assert_msg(j.t.d.refusal == refusals[_i].refusal, "%s: %s",
	    refusals[_i].name, j.t.d.why);
	end(&j);
}
END_TEST

static const struct file with_metadata[] = {
	{ "mimetype", BYTES_ROW(TEXT) },
	{ "content.xml", BYTES_ROW(CONTENT) },
	{ "meta.xml",
	    BYTES_ROW("<office:document-meta" SPACES "><office:meta>"
		      "<meta:generator>G/1.0</meta:generator>"
		      "<dc:title>Secret title</dc:title>"
		      "<meta:initial-creator>Taro</meta:initial-creator>"
		      "<meta:template xlink:href='http://evil.test/t.ott'/>"
		      "<meta:auto-reload xlink:href='http://evil.test/'/>"
		      "</office:meta></office:document-meta>") },
	{ "settings.xml",
	    BYTES_ROW(
		"<office:document-settings" SPACES "><office:settings>"
		"<config:config-item config:name='ViewTop' config:type='int'>1"
		"</config:config-item>"
		"<config:config-item config:name='PrinterName' "
		"config:type='string'>\\\\server\\p</config:config-item>"
		"<config:config-item config:name='LinkUpdateMode' "
		"config:type='short'>2</config:config-item>"
		"<config:config-item config:name='ViewId' "
		"config:type='string'>view1</config:config-item>"
		"<config:config-item config:name='CurrentDatabaseDataSource' "
		"config:type='string'>db</config:config-item>"
		"</office:settings></office:document-settings>") },
};

START_TEST(odf_drops_metadata_by_profile)
{
	struct job j;
	const char *meta;

	begin(&j);
	for (int keep = 0; keep < 2; keep++) {
		j.t.profile.keep_metadata = keep == 1;
		run(&j, with_metadata, COUNT(with_metadata));
		ck_assert_int_eq(j.t.result, DETOX_REBUILT);
		meta = part(&j, "meta.xml");
		ck_assert_ptr_nonnull(strstr(meta, "G/1.0"));
		ck_assert_ptr_null(strstr(meta, "evil"));
		ck_assert((strstr(meta, "Secret") != NULL) == (keep == 1));
		ck_assert((strstr(meta, "Taro") != NULL) == (keep == 1));
		ck_assert_uint_eq(
		    drive_detox_removed(&j.t, REMOVED_METADATA, "meta.xml"),
		    keep == 1 ? 2 : 4);
	}
	end(&j);
}
END_TEST

START_TEST(odf_keeps_harmless_settings)
{
	struct job j;
	const char *settings;

	begin(&j);
	run(&j, with_metadata, COUNT(with_metadata));
	settings = part(&j, "settings.xml");
	ck_assert_ptr_nonnull(strstr(settings, "ViewTop"));
	ck_assert_ptr_nonnull(strstr(settings, "view1"));
	ck_assert_ptr_null(strstr(settings, "Printer"));
	ck_assert_ptr_null(strstr(settings, "LinkUpdateMode"));
	ck_assert_ptr_null(strstr(settings, "CurrentDatabase"));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_PRINTER, "settings.xml"), 1);
	end(&j);
}
END_TEST

/* By hand or by a program that erred. */
START_TEST(odf_leaves_out_settings_that_are_none)
{
	const struct file files[] = {
		{ "mimetype", BYTES(TEXT) },
		{ "content.xml", BYTES(CONTENT) },
		{ "settings.xml",
		    BYTES("<office:document-styles xmlns:office='" OASIS
			  "office:1.0'/>") },
	};
	struct job j;

	begin(&j);
	run(&j, files, COUNT(files));
	ck_assert_int_eq(j.t.result, DETOX_REBUILT);
	ck_assert(package_find(j.out, "settings.xml") < 0);
	ck_assert_ptr_null(
	    strstr(part(&j, "META-INF/manifest.xml"), "settings.xml"));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_DAMAGED, "settings.xml"), 1);
	end(&j);
}
END_TEST

/* As programs that know ZIP alone pack it again. */
START_TEST(odf_takes_a_package_in_another_order)
{
	const struct file files[] = {
		{ "content.xml", BYTES(CONTENT) },
		{ "META-INF/manifest.xml", BYTES(MANIFEST) },
		{ "mimetype", BYTES(TEXT) },
	};
	struct job j;

	begin(&j);
	run(&j, files, COUNT(files));
	ck_assert_int_eq(j.t.result, DETOX_REBUILT);
	ck_assert_str_eq(j.t.d.format, "odf");
	ck_assert_str_eq(package_entry(j.out, 0)->name, "mimetype");
	end(&j);
}
END_TEST

/* A formula of OpenOffice.org names a DTD, which is never read. */
START_TEST(odf_takes_old_formulas)
{
	const struct file files[] = {
		{ "mimetype", BYTES(TEXT) },
		{ "content.xml", BYTES(CONTENT) },
		{ "Object 1/content.xml",
		    BYTES("<?xml version='1.0'?>\n<!DOCTYPE math:math PUBLIC "
			  "\"-//OpenOffice.org//DTD Modified W3C MathML "
			  "1.01//EN\" \"math.dtd\">\n<math:math "
			  "xmlns:math='http://www.w3.org/1998/Math/MathML'>"
			  "<math:mi>E</math:mi></math:math>") },
	};
	struct job j;

	begin(&j);
	run(&j, files, COUNT(files));
	ck_assert_int_eq(j.t.result, DETOX_REBUILT);
	ck_assert_ptr_nonnull(
	    strstr(part(&j, "Object 1/content.xml"), "<math:mi>E</math:mi>"));
	ck_assert_ptr_null(strstr(part(&j, "Object 1/content.xml"), "DTD"));
	end(&j);
}
END_TEST

START_TEST(odf_keeps_pictures_alone_within_xml)
{
	struct job j;

	begin(&j);
	run_body(&j,
	    "<draw:image><office:binary-data>f0VMRgIBAQ=="
	    "</office:binary-data></draw:image>");
	ck_assert_ptr_null(strstr(part(&j, "content.xml"), "f0VM"));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_OBJECT, "content.xml/picture 1"),
	    1);
	end(&j);
}
END_TEST

START_TEST(odf_rebuilds_flat_documents)
{
	static const char before[] =
	    "<?xml version='1.0'?><office:document" SPACES
	    " office:mimetype='" TEXT "'><office:meta><dc:title>Secret"
	    "</dc:title></office:meta><office:scripts><office:script>Main"
	    "</office:script></office:scripts><office:body><office:text>"
	    "<text:p>a<draw:image xlink:href='Pictures/a.png'/></text:p>"
	    "</office:text></office:body></office:document>";
	struct job j;
	const char *text;

	begin(&j);
	drive_detox_run(&j.t, bytes_of(before), "a.fodt");
	ck_assert_msg(j.t.result == DETOX_REBUILT, "%s", j.t.d.why);
	ck_assert_str_eq(j.t.d.format, "fodf");
	text = arena_string(&j.d.arena, buf_bytes(&j.t.out.content));
	ck_assert_ptr_nonnull(strstr(text, "office:mimetype=\"" TEXT "\""));
	ck_assert_ptr_nonnull(strstr(text, "<text:p>a</text:p>"));
	ck_assert_ptr_null(strstr(text, "Secret"));
	ck_assert_ptr_null(strstr(text, "Main"));
	ck_assert_uint_eq(
	    drive_detox_removed(&j.t, REMOVED_MACRO, "document"), 1);
	ck_assert_uint_eq(j.t.d.text_in, 1);
	end(&j);
}
END_TEST

Suite *
odf_suite(void)
{
	Suite *s = suite_create("odf");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(
	    t, odf_leaves_out_what_runs_or_reaches_out, 0, COUNT(bodies));
	tcase_add_loop_test(t, odf_judges_formulas, 0, COUNT(formulas));
	tcase_add_test(t, odf_writes_a_package_as_the_standard_says);
	tcase_add_loop_test(t, odf_keeps_known_parts_alone, 0, COUNT(parts));
	tcase_add_loop_test(
	    t, odf_keeps_what_draws_of_metafiles, 0, COUNT(metafiles));
	tcase_add_loop_test(t, odf_refuses, 0, COUNT(refusals));
	tcase_add_test(t, odf_drops_metadata_by_profile);
	tcase_add_test(t, odf_keeps_harmless_settings);
	tcase_add_test(t, odf_leaves_out_settings_that_are_none);
	tcase_add_test(t, odf_takes_a_package_in_another_order);
	tcase_add_test(t, odf_takes_old_formulas);
	tcase_add_test(t, odf_keeps_pictures_alone_within_xml);
	tcase_add_test(t, odf_rebuilds_flat_documents);
	suite_add_tcase(s, t);
	return s;
}
