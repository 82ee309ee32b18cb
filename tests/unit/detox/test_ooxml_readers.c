/* SPDX-License-Identifier: Apache-2.0 */
/* What one reader takes and another passes by. */
#include <check.h>

#include "tests/unit/detox/office.h"

Suite *ooxml_readers_suite(void);

#define DOC "word/document.xml"
#define MATH_SPACE                                                    \
	" xmlns:m='http://schemas.openxmlformats.org/officeDocument/" \
	"2006/math'"
#define LATER_SPACE " xmlns:z='http://schemas.microsoft.com/office/word/2099/a'"

#define R(what) "<w:r>" what "</w:r>"
#define M(what) "<m:r>" what "</m:r>"
#define T "<w:t>clean</w:t>"
#define FLD(type) "<w:fldChar w:fldCharType='" type "'/>"
#define I(text) "<w:instrText>" text "</w:instrText>"
#define MATH(what) "<m:oMath" MATH_SPACE ">" what "</m:oMath>"
#define BRANCH(what)                                         \
	"<mc:AlternateContent><mc:Choice Requires='w'>" what \
	"</mc:Choice></mc:AlternateContent>"
#define FIELD(instruction) \
	R(FLD("begin")) instruction R(FLD("separate")) R(T) R(FLD("end"))

static const struct {
	const char *name;
	const char *body;
	const char *gone;
	enum detox_removal what; /* DETOX_REMOVAL_KINDS: nothing is told */
} bodies[] = {
	{ "a field in branches of its runs",
	    R(BRANCH(FLD("begin"))) R(BRANCH(I("DDE x"))) R(T)
		R(BRANCH(FLD("end"))),
	    "DDE", REMOVED_FIELD },
	{ "a field whose beginning is in a branch",
	    R(BRANCH(FLD("begin") I("DDE x"))) R(T) R(FLD("end")), "DDE",
	    REMOVED_FIELD },
	{ "a field in a formula",
	    MATH(M(FLD("begin")) M(I("DDE x")) M(FLD("separate")) M(T)
		    M(FLD("end"))),
	    "DDE", REMOVED_FIELD },
	{ "a number in a formula",
	    MATH(M(FLD("begin")) M(I("SEQ a")) M(FLD("separate")) M(T)
		    M(FLD("end"))),
	    NULL, DETOX_REMOVAL_KINDS },
	{ "an instruction in what is unwrapped",
	    R("<z:a" LATER_SPACE ">" FLD("begin") I("DDE x") "</z:a>") R(T),
	    "DDE", REMOVED_FIELD },
	{ "an instruction behind one that is passed by",
	    FIELD(R(
		"<z:instrText" LATER_SPACE ">PAGE </z:instrText>" I("LINK x"))),
	    "LINK", REMOVED_FIELD },
	{ "an instruction behind a run that is passed by",
	    FIELD("<z:a" LATER_SPACE ">" R(I("PAGE ")) "</z:a>" R(I("LINK x"))),
	    "LINK", REMOVED_FIELD },
	{ "a simple field in an instruction",
	    FIELD(R(I("HYPERLINK ")) "<w:fldSimple w:instr='REF a'/>"),
	    "HYPERLINK", REMOVED_FIELD },
	{ "the instruction of a simple field, twice",
	    "<w:fldSimple" LATER_SPACE
	    " z:instr='PAGE' w:instr='DDE x'>" R(T) "</w:fldSimple>",
	    "DDE", REMOVED_UNKNOWN },
	{ "a mark that ends to one and begins to another",
	    R("<w:fldChar" LATER_SPACE " z:fldCharType='end' "
	      "w:fldCharType='begin'/>") R(T),
	    "begin", REMOVED_UNKNOWN },
	{ "an action behind one that is empty",
	    R(T "<a:hlinkClick r:action='' u:action='' xmlns:u='urn:u' "
		"action='ppaction://program?calc' r:id=''/>"),
	    "program", REMOVED_ACTION },
	{ "an action behind one of another space",
	    R(T "<a:hlinkClick" LATER_SPACE " z:action='' "
		"action='ppaction://program?calc' r:id=''/>"),
	    "program", REMOVED_UNKNOWN },
	{ "where the original of a picture is",
	    R(T "<w:pict><v:imagedata o:href='http://evil.test/' "
		"o:althref='http://evil.test/b'/></w:pict>"),
	    "evil", REMOVED_EXTERNAL },
	{ "where the original of a filling is",
	    R(T "<w:pict><v:fill o:href='http://evil.test/'/></w:pict>"),
	    "evil", REMOVED_EXTERNAL },
	{ "a document in an attribute",
	    R(T "<w:pict><v:shape equationxml='DDE x'/></w:pict>"), "DDE",
	    DETOX_REMOVAL_KINDS },
	{ "a provider of signatures",
	    R(T "<w:pict><o:signatureline sigprovurl='file://evil/'/>"
		"</w:pict>"),
	    "evil", REMOVED_LINK },
	{ "a library of schemas",
	    R(T "<s:schemaLibrary xmlns:s='http://schemas.openxmlformats.org/"
		"schemaLibrary/2006/main'><s:schema s:manifestLocation="
		"'http://evil.test/'/></s:schemaLibrary>"),
	    "evil", REMOVED_EXTERNAL },
	{ "where a smart tag is to be had",
	    R(T "<w:smartTagType w:name='a' w:url='\\\\evil\\a'/>"), "evil",
	    REMOVED_LINK },
};

START_TEST(ooxml_readers_agree)
{
	struct office o;
	char body[2048];

	snprintf(body, sizeof(body), WORDS("<w:p>%s</w:p>"), bodies[_i].body);
	office_word(&o, body, NULL);
	ck_assert_msg(office_has(&o, DOC, "clean"), "%s", bodies[_i].name);
	if (bodies[_i].gone != NULL)
		ck_assert_msg(!office_has(&o, DOC, bodies[_i].gone), "%s: %s",
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

static const struct {
	const char *name;
	const char *body;
	bool stays;
} references[] = {
	{ "a link", "<w:hyperlink r:id='rId1'>" R(T) "</w:hyperlink>", true },
	{ "a link of a shape", R(T "<a:hlinkClick r:id='rId1'/>"), true },
	{ "a picture", R(T "<a:blip r:link='rId1'/>"), false },
	{ "a picture of VML", R(T "<v:imagedata r:href='rId1'/>"), false },
	{ "a video", R(T "<a:videoFile r:link='rId1'/>"), false },
	{ "an object",
	    R(T "<o:OLEObject Type='Embed' ProgID='Word.Document.12' "
		"r:id='rId1'/>"),
	    false },
};

/* A reader that does not look at the relationship's kind would load it. */
START_TEST(ooxml_readers_load_no_link)
{
	struct office o;
	char body[2048];

	snprintf(
	    body, sizeof(body), WORDS("<w:p>%s</w:p>"), references[_i].body);
	office_word(&o, body,
	    RELS(REL_OUTSIDE(
		"rId1", REL_OFFICE "hyperlink", "https://city.test/a.png")));
	ck_assert_msg(office_has(&o, DOC, "clean"), "%s", references[_i].name);
	ck_assert_msg(office_has(&o, DOC, "rId1") == references[_i].stays,
	    "%s: %s", references[_i].name, office_part(&o, DOC));
	office_end(&o);
}
END_TEST

/* A reader that takes the branch has the document in it. */
START_TEST(ooxml_readers_begin_in_a_branch)
{
	struct office o;

	office_word(&o,
	    "<mc:AlternateContent" SPACES "><mc:Choice Requires='w'>"
	    "<w:document><w:body><w:p>" FIELD(
		R(I("DDE x"))) "</w:p></w:body></w:document></mc:Choice>"
			       "</mc:AlternateContent>",
	    NULL);
	ck_assert(office_has(&o, DOC, "clean"));
	ck_assert(!office_has(&o, DOC, "DDE"));
	office_end(&o);
}
END_TEST

Suite *
ooxml_readers_suite(void)
{
	Suite *s = suite_create("ooxml_readers");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, ooxml_readers_agree, 0, COUNT(bodies));
	tcase_add_loop_test(
	    t, ooxml_readers_load_no_link, 0, COUNT(references));
	tcase_add_test(t, ooxml_readers_begin_in_a_branch);
	suite_add_tcase(s, t);
	return s;
}
