/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/detox/office.h"

Suite *ooxml_slides_suite(void);

#define SLIDE "ppt/slides/slide1.xml"
#define TEXT "<a:t>words</a:t>"

static const struct {
	const char *name;
	const char *body;
	const char *gone;
	const char *stays;
	enum detox_removal what; /* DETOX_REMOVAL_KINDS: nothing is told */
} bodies[] = {
	{ "next slide",
	    "<a:hlinkClick r:id='' "
	    "action='ppaction://hlinkshowjump?jump=nextslide'/>",
	    "zzz", "hlinkClick", DETOX_REMOVAL_KINDS },
	{ "program", "<a:hlinkClick r:id='' action='ppaction://program'/>",
	    "hlinkClick", "words", REMOVED_ACTION },
	{ "macro", "<a:hlinkHover r:id='' action='PPACTION://macro?name=M'/>",
	    "hlinkHover", "words", REMOVED_MACRO },
	{ "verb of an object",
	    "<a:hlinkClick r:id='' action='ppaction://ole?verb=0'/>",
	    "hlinkClick", "words", REMOVED_ACTION },
	{ "controls", "<p:controls><p:control r:id='rId9'/></p:controls>",
	    "control", "words", REMOVED_ACTIVEX },
	{ "own data", "<p:custDataLst><p:tags r:id='rId9'/></p:custDataLst>",
	    "custData", "words", REMOVED_CUSTOM },
	{ "sound of a change of slides",
	    "<p:transition><p:sndAc><p:stSnd/></p:sndAc></p:transition>",
	    "sndAc", "transition", REMOVED_MEDIA },
	{ "timing stays", "<p:timing><p:par/></p:timing>", "zzz", "timing",
	    DETOX_REMOVAL_KINDS },
	{ "timing of a video", "<p:timing><p:video/></p:timing>", "timing",
	    "words", REMOVED_MEDIA },
	{ "command", "<p:timing><p:cmd type='verb'/></p:timing>", "timing",
	    "words", REMOVED_ACTION },
	{ "video keeps its picture",
	    "<p:pic><p:nvPr><a:videoFile r:link='rId9'/></p:nvPr><p:spPr/>"
	    "</p:pic>",
	    "videoFile", "<p:spPr/>", DETOX_REMOVAL_KINDS },
	{ "object keeps its picture",
	    "<p:graphicFrame><mc:AlternateContent><mc:Choice Requires='v'>"
	    "<p:oleObj r:id='rId9'/></mc:Choice><mc:Fallback><p:oleObj "
	    "r:id='rId9'><p:pic><p:spPr/></p:pic></p:oleObj></mc:Fallback>"
	    "</mc:AlternateContent></p:graphicFrame>",
	    "oleObj", "<p:pic><p:spPr/></p:pic>", REMOVED_OBJECT },
	{ "macro of a shape", "<a:sp macro='[0]!M'/>", "macro", "<a:sp/>",
	    REMOVED_MACRO },
	{ "what the newer form lost",
	    "<mc:AlternateContent><mc:Choice Requires='a'><a:chart "
	    "r:id='rId9'/></mc:Choice><mc:Fallback>" TEXT
	    "</mc:Fallback></mc:AlternateContent>",
	    "chart", "Requires=\"none\"", DETOX_REMOVAL_KINDS },
};

START_TEST(ooxml_slides_cleans)
{
	struct office o;
	char slide[2048];

	office_begin(&o, "vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
	    "ppt/presentation.xml");
	office_add(&o, "ppt/presentation.xml", "<p:presentation" SPACES "/>");
	office_add(&o, "ppt/_rels/presentation.xml.rels",
	    RELS(REL("rId1", REL_OFFICE "slide", "slides/slide1.xml")));
	snprintf(slide, sizeof(slide), "<p:sld" SPACES ">" TEXT "%s</p:sld>",
	    bodies[_i].body);
	office_add(&o, SLIDE, slide);
	office_run(&o, "a.ppsm");
	ck_assert_str_eq(o.t.out.extension, "ppsx");
	ck_assert(office_has(&o, SLIDE, "words"));
	ck_assert_msg(
	    !office_has(&o, SLIDE, bodies[_i].gone), "%s", bodies[_i].name);
	ck_assert_msg(office_has(&o, SLIDE, bodies[_i].stays), "%s: %s",
	    bodies[_i].name, office_part(&o, SLIDE));
	if (bodies[_i].what == DETOX_REMOVAL_KINDS)
		ck_assert_msg(o.t.d.rows_n == 0, "%s", bodies[_i].name);
	else
		ck_assert_msg(
		    drive_detox_removed(&o.t, bodies[_i].what, SLIDE) > 0, "%s",
		    bodies[_i].name);
	office_end(&o);
}
END_TEST

Suite *
ooxml_slides_suite(void)
{
	Suite *s = suite_create("ooxml_slides");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, ooxml_slides_cleans, 0, COUNT(bodies));
	suite_add_tcase(s, t);
	return s;
}
