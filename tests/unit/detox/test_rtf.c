/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/rtf/rtf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/detox/drive.h"

Suite *rtf_suite(void);

#define HEAD "{\\rtf1\\ansi\\ansicpg932 "
#define HEAD_OUT "{\\rtf1\\ansi\\ansicpg932"
#define TAIL "}\n"
#define LINK(address)                                      \
	"{\\field{\\*\\fldinst HYPERLINK \"" address "\"}" \
	"{\\fldrslt town}}"

/* What is taken out, if anything. */
#define CLEAN DETOX_REMOVAL_KINDS

static const struct {
	const char *name;
	struct bytes in;
	struct bytes out;
	enum detox_removal what;
} cases[] = {
	{ "text", BYTES_ROW(HEAD "\\pard a\\b b\\b0\\par c}"),
	    BYTES_ROW(HEAD_OUT "\\pard a\\b b\\b0\\par c" TAIL), CLEAN },
	{ "escaped text", BYTES_ROW(HEAD "\\{a\\\\b\\}\\~\\_}"),
	    BYTES_ROW(HEAD_OUT "\\{a\\\\b\\}\\~\\_" TAIL), CLEAN },
	{ "CP932 escaped", BYTES_ROW(HEAD "\\'83\\'5c\\'83e}"),
	    BYTES_ROW(HEAD_OUT "\\'83\\'5c\\'83e" TAIL), CLEAN },
	{ "CP932 as it stands", BYTES_ROW(HEAD "\x83\x5c\x83\x7b\x83\x7d}"),
	    BYTES_ROW(HEAD_OUT "\\'83\\'5c\\'83\\'7b\\'83\\'7d" TAIL), CLEAN },
	{ "Unicode with two bytes for old readers",
	    BYTES_ROW(HEAD "\\uc2\\u12354\\'82\\'a0b}"),
	    BYTES_ROW(HEAD_OUT "\\u12354?b" TAIL), CLEAN },
	{ "Unicode below zero", BYTES_ROW(HEAD "\\u-24576 ?b}"),
	    BYTES_ROW(HEAD_OUT "\\u-24576?b" TAIL), CLEAN },
	{ "Unicode with nothing for old readers",
	    BYTES_ROW(HEAD "{\\uc0\\u12354 a}\\u12356 ?b}"),
	    BYTES_ROW(HEAD_OUT "{\\u12354?a}\\u12356?b" TAIL), CLEAN },
	{ "fonts", BYTES_ROW(HEAD "{\\fonttbl{\\f0\\fcharset128 A;}}\\f0 a}"),
	    BYTES_ROW(HEAD_OUT "{\\fonttbl{\\f0\\fcharset128 A;}}\\f0 a" TAIL),
	    CLEAN },
	{ "bookmark, footnote",
	    BYTES_ROW(HEAD "{\\*\\bkmkstart a}b{\\footnote c}}"),
	    BYTES_ROW(HEAD_OUT "{\\*\\bkmkstart a}b{\\footnote c}" TAIL),
	    CLEAN },
	{ "what old readers are not to show",
	    BYTES_ROW(HEAD "{\\listlevel{\\*\\levelmarker a}}{\\*\\b c}d}"),
	    BYTES_ROW(
		HEAD_OUT "{\\listlevel{\\*\\levelmarker a}}{\\*\\b c}d" TAIL),
	    CLEAN },
	{ "a star before a word that goes", BYTES_ROW(HEAD "{\\*\\uc1 c}d}"),
	    BYTES_ROW(HEAD_OUT "{c}d" TAIL), CLEAN },
	{ "list level", BYTES_ROW(HEAD "{\\leveltext\\'02\\'00.;}}"),
	    BYTES_ROW(HEAD_OUT "{\\leveltext\\'02\\'00.;}" TAIL), CLEAN },
	{ "link of the web", BYTES_ROW(HEAD LINK("https://www.city.test/") "}"),
	    BYTES_ROW(HEAD_OUT LINK("https://www.city.test/") TAIL), CLEAN },
	{ "link inside",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst{HYPERLINK }{\\\\l \"a\"}}"
			   "{\\fldrslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{\\field{\\*\\fldinst HYPERLINK \\\\l \"a\"}"
			       "{\\fldrslt b}}" TAIL),
	    CLEAN },
	{ "page number",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst  PAGE }{\\fldrslt 1}}}"),
	    BYTES_ROW(
		HEAD_OUT "{\\field{\\*\\fldinst  PAGE }{\\fldrslt 1}}" TAIL),
	    CLEAN },
	{ "shape",
	    BYTES_ROW(HEAD "{\\shp{\\*\\shpinst{\\sp{\\sn shapeType}{\\sv 202}}"
			   "{\\shptxt a}}{\\shprslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{\\shp{\\*\\shpinst{\\sp{\\sn shapeType}{\\sv "
			       "202}}{\\shptxt a}}}" TAIL),
	    CLEAN },
	{ "field to fill in",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst{FORMTEXT }{\\*\\formfield{"
			   "\\fftype0{\\*\\ffname a}}}}{\\fldrslt b}}}"),
	    BYTES_ROW(
		HEAD_OUT "{\\field{\\*\\fldinst FORMTEXT {\\*\\formfield{"
			 "\\fftype0{\\*\\ffname a}}}}{\\fldrslt b}}" TAIL),
	    CLEAN },
	/* Threats. */
	{ "macro of a field",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst FORMTEXT {\\*\\formfield{"
			   "\\fftype0{\\*\\ffentrymcr a}}}}{\\fldrslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{\\field{\\*\\fldinst FORMTEXT {\\*\\formfield{"
			       "\\fftype0}}}{\\fldrslt b}}" TAIL),
	    REMOVED_MACRO },
	{ "form alone", BYTES_ROW(HEAD "{\\*\\formfield{\\fftype0}}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_FORM },
	{ "object",
	    BYTES_ROW(HEAD "a{\\object\\objemb\\objupdate{\\*\\objclass P}"
			   "{\\*\\objdata 0105}{\\result b}}c}"),
	    BYTES_ROW(HEAD_OUT " a{b}c" TAIL), REMOVED_OBJECT },
	{ "control", BYTES_ROW(HEAD "{\\object\\objocx{\\*\\objdata 0105}}}"),
	    BYTES_ROW(HEAD_OUT TAIL), REMOVED_ACTIVEX },
	{ "object behind blanks",
	    BYTES_ROW(HEAD "{ \n \\object{\\*\\objdata 01}}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_OBJECT },
	{ "data alone", BYTES_ROW(HEAD "{\\*\\objdata 0105}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_OBJECT },
	{ "data in the middle of a group",
	    BYTES_ROW(HEAD "{\\b a\\objdata 0105{\\bin3 }}}}}b}"),
	    BYTES_ROW(HEAD_OUT "{\\b a}b" TAIL), REMOVED_OBJECT },
	{ "object within fonts",
	    BYTES_ROW(HEAD "{\\fonttbl{\\f0 A;}{\\object{\\objdata 01}}}}"),
	    BYTES_ROW(HEAD_OUT "{\\fonttbl{\\f0 A;}}" TAIL), REMOVED_OBJECT },
	{ "data within unknown groups",
	    BYTES_ROW(HEAD "{{{\\*\\objdata{\\xyz}01}}}}"),
	    BYTES_ROW(HEAD_OUT "{{}}" TAIL), REMOVED_OBJECT },
	{ "DDE",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst DDEAUTO c:\\\\\\\\cmd x}"
			   "{\\fldrslt a}}}"),
	    BYTES_ROW(HEAD_OUT "{a}" TAIL), REMOVED_FIELD },
	{ "DDE in pieces",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst{D}{\\b D\\u69 x}AUTO a}"
			   "{\\fldrslt a}}}"),
	    BYTES_ROW(HEAD_OUT "{a}" TAIL), REMOVED_FIELD },
	{ "field in a field",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst PAGE {\\field{\\*\\fldinst "
			   "DDE a}{\\fldrslt }}}{\\fldrslt a}}}"),
	    BYTES_ROW(HEAD_OUT "{a}" TAIL), REMOVED_FIELD },
	{ "instruction alone", BYTES_ROW(HEAD "{\\*\\fldinst DDE a}b}"),
	    BYTES_ROW(HEAD_OUT " b" TAIL), REMOVED_FIELD },
	{ "instruction behind the result",
	    BYTES_ROW(HEAD "{\\field{\\fldrslt a}{\\*\\fldinst DDE b}}}"),
	    BYTES_ROW(HEAD_OUT "{a}" TAIL), REMOVED_FIELD },
	{ "a good instruction behind a bad one",
	    BYTES_ROW(
		HEAD "{\\field{\\*\\fldinst DDEAUTO a b }{\\*\\fldinst PAGE}"
		     "{\\fldrslt 1}}}"),
	    BYTES_ROW(
		HEAD_OUT "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}" TAIL),
	    REMOVED_FIELD },
	{ "link behind what is no switch",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst HYPERLINK \\\\l a \\\\s "
			   "\"file:a\"}{\\fldrslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{b}" TAIL), REMOVED_LINK },
	{ "link where it says how it looks",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst HYPERLINK \\\\l a \\\\* "
			   "\"file:a\"}{\\fldrslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{b}" TAIL), REMOVED_LINK },
	{ "link to a file", BYTES_ROW(HEAD LINK("file:///c:/a.exe") "}"),
	    BYTES_ROW(HEAD_OUT "{town}" TAIL), REMOVED_LINK },
	{ "link behind a switch",
	    BYTES_ROW(HEAD "{\\field{\\*\\fldinst HYPERLINK \\\\o \"http://\" "
			   "\"file:a\"}{\\fldrslt b}}}"),
	    BYTES_ROW(HEAD_OUT "{b}" TAIL), REMOVED_LINK },
	{ "template", BYTES_ROW(HEAD "{\\*\\template http://a.test/}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_EXTERNAL },
	{ "subdocument", BYTES_ROW(HEAD "{\\subdocument1 b}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_EXTERNAL },
	{ "mail merge", BYTES_ROW(HEAD "{\\*\\mailmerge{\\mmquery a}}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_CONNECTION },
	{ "data store", BYTES_ROW(HEAD "{\\*\\datastore 01}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_CUSTOM },
	{ "metadata", BYTES_ROW(HEAD "{\\info{\\author b}}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_METADATA },
	{ "font inside",
	    BYTES_ROW(HEAD "{\\fonttbl{\\f0{\\*\\fontemb 01}A;}}}"),
	    BYTES_ROW(HEAD_OUT "{\\fonttbl{\\f0 A;}}" TAIL), REMOVED_FONT },
	{ "unknown group", BYTES_ROW(HEAD "{\\*\\xyz b}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_UNKNOWN },
	{ "unknown word", BYTES_ROW(HEAD "\\xyz1 a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_UNKNOWN },
	{ "shape's fragments",
	    BYTES_ROW(HEAD "{\\shp{\\sp{\\sn pFragments}{\\sv 1;1;01}}}}"),
	    BYTES_ROW(HEAD_OUT "{\\shp}" TAIL), REMOVED_UNKNOWN },
	{ "count of list overrides", BYTES_ROW(HEAD "\\listoverridecount25 a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_UNKNOWN },
	{ "turned text", BYTES_ROW(HEAD "a\\u8238 ?b}"),
	    BYTES_ROW(HEAD_OUT " ab" TAIL), REMOVED_HIDDEN },
	{ "zeroes", BYTES_ROW(HEAD "a\0b}"), BYTES_ROW(HEAD_OUT " ab" TAIL),
	    REMOVED_HIDDEN },
	{ "picture that is none", BYTES_ROW(HEAD "{\\pict\\pngblip 0102}a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_REFUSED },
	/* Shape of the file. */
	{ "data behind", BYTES_ROW(HEAD "a}\0MZ"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_TRAILING },
	{ "data before", BYTES_ROW("junk" HEAD "a}"),
	    BYTES_ROW(HEAD_OUT " a" TAIL), REMOVED_TRAILING },
	{ "cut", BYTES_ROW(HEAD "{\\b a"), BYTES_ROW(HEAD_OUT "{\\b a}" TAIL),
	    REMOVED_DAMAGED },
	{ "short head", BYTES_ROW("{\\rt\\ansi a}"),
	    BYTES_ROW("{\\rtf1\\ansi a" TAIL), CLEAN },
	{ "odd head", BYTES_ROW("{\\rtvpn99\\ansi a}"),
	    BYTES_ROW("{\\rtf1\\ansi a" TAIL), CLEAN },
	{ "blanks before", BYTES_ROW(" \n{\\rtf1\\ansi a}"),
	    BYTES_ROW("{\\rtf1\\ansi a" TAIL), CLEAN },
};

START_TEST(rtf_takes_out_what_is_not_listed)
{
	struct drive_detox t;
	const char *name = cases[_i].name;

	drive_detox_init(&t);
	drive_detox_run(&t, cases[_i].in, "a.rtf");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s: %s", name, t.d.why);
	ck_assert_msg(bytes_equal(buf_bytes(&t.out.content), cases[_i].out),
	    "%s: %.*s", name, BYTES_PRINTF(buf_bytes(&t.out.content)));
	if (cases[_i].what == CLEAN)
		ck_assert_msg(t.d.rows_n == 0, "%s", name);
	else
		ck_assert_msg(drive_detox_removed(&t, cases[_i].what, NULL) > 0,
		    "%s", name);
	drive_detox_release(&t);
}
END_TEST

/* What came out stays as it is, with nothing to report. */
START_TEST(rtf_changes_its_own_documents_no_more)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, cases[_i].out, "a.rtf");
	ck_assert_msg(t.result == DETOX_REBUILT && t.d.rows_n == 0 &&
		bytes_equal(buf_bytes(&t.out.content), cases[_i].out),
	    "%s", cases[_i].name);
	drive_detox_release(&t);
}
END_TEST

#define PNG "89504e470d0a1a0a"

START_TEST(rtf_keeps_pictures_that_are_rebuilt)
{
	static const struct bytes in = BYTES_ROW(HEAD
	    "{\\*\\shppict{\\pict{\\*\\picprop{\\sp{\\sn a}{\\sv 1}}}\\picw1"
	    "\\bliptag9\\jpegblip 8950 4e\n47{\\*\\blipuid 00}\\bin4 "
	    "\x0d\x0a\x1a\x0a}}{\\nonshppict{\\pict\\wmetafile8 01}}}");
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_PNG] = DETOX_PASS;
	drive_detox_run(&t, in, "a.rtf");
	ck_assert(bytes_equal(buf_bytes(&t.out.content),
	    BYTES(HEAD_OUT "{\\*\\shppict{\\pict\\picw1\\pngblip\n" PNG
			   "}}" TAIL)));
	ck_assert_uint_eq(t.d.rows_n, 0);
	drive_detox_release(&t);
}
END_TEST

/* A drawing or bitmap is in RTF without the head of its file. */
START_TEST(rtf_rebuilds_pictures_as_files)
{
	static const struct {
		struct bytes in, out;
	} pictures[] = {
		{ BYTES_ROW("{\\pict\\wmetafile7\\picw2 010009000003}"),
		    BYTES_ROW("{\\pict\\picw2\\wmetafile7\n010009000003}") },
		{ BYTES_ROW("{\\pict\\wmetafile d7cdc69a00000000000000000000"
			    "0000000000000000010009000003}"),
		    BYTES_ROW("{\\pict\\wmetafile8\n010009000003}") },
		{ BYTES_ROW("{\\pict\\dibitmap0 280000}"), BYTES_ROW("") },
	};
	struct drive_detox t;
	char text[512];

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_METAFILE] = DETOX_PASS;
	for (size_t i = 0; i < COUNT(pictures); i++) {
		snprintf(text, sizeof(text), HEAD "%.*s}",
		    BYTES_PRINTF(pictures[i].in));
		drive_detox_run(&t, bytes_of(text), "a.rtf");
		snprintf(text, sizeof(text), HEAD_OUT "%.*s" TAIL,
		    BYTES_PRINTF(pictures[i].out));
		ck_assert_msg(
		    bytes_equal(buf_bytes(&t.out.content), bytes_of(text)),
		    "%.*s", BYTES_PRINTF(buf_bytes(&t.out.content)));
	}
	drive_detox_release(&t);
}
END_TEST

/* What is rebuilt of it has to be of a kind that RTF has. */
START_TEST(rtf_makes_bitmaps_files)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_BMP] = DETOX_PASS;
	drive_detox_run(&t,
	    BYTES(HEAD "{\\pict\\dibitmap0 "
		       "28000000010000000100000001001800000000000000000000000"
		       "00000000000000000000000000000000000}a}"),
	    "a.rtf");
	ck_assert(
	    bytes_equal(buf_bytes(&t.out.content), BYTES(HEAD_OUT " a" TAIL)));
	/* It was known as a bitmap, and passed as one. */
	ck_assert(t.d.unpacked > 14);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_REFUSED, "picture 1"), 1);
	drive_detox_release(&t);
}
END_TEST

START_TEST(rtf_keeps_metadata_where_it_may_be)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.keep_metadata = true;
	drive_detox_run(
	    &t, BYTES(HEAD "{\\info{\\author b}\\version2}a}"), "a.rtf");
	ck_assert(bytes_equal(buf_bytes(&t.out.content),
	    BYTES(HEAD_OUT "{\\info{\\author b}\\version2}a" TAIL)));
	drive_detox_release(&t);
}
END_TEST

/* Text that was there and text that stayed: objects and tables are none. */
START_TEST(rtf_counts_text)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t,
	    BYTES(HEAD "{\\fonttbl{\\f0 Font;}}ab\\u12354 ?{\\object{\\objdata "
		       "01}{\\result c}}}"),
	    "a.rtf");
	ck_assert_uint_eq(t.d.text_in, 4);
	ck_assert_uint_eq(t.d.text_out, 4);
	drive_detox_release(&t);
}
END_TEST

START_TEST(rtf_bounds_its_depth)
{
	struct drive_detox t;
	struct buf b;

	drive_detox_init(&t);
	for (size_t depth = 198; depth < 202; depth++) {
		buf_init(&b, 4096);
		ck_assert(buf_append_string(&b, "{\\rtf1 ") == 0);
		for (size_t i = 0; i < depth; i++)
			ck_assert(buf_append_string(&b, "{") == 0);
		for (size_t i = 0; i <= depth; i++)
			ck_assert(buf_append_string(&b, "}") == 0);
		drive_detox_run(&t, buf_bytes(&b), "a.rtf");
		ck_assert_int_eq(
		    t.d.refusal, depth < 200 ? REFUSED_NOT : REFUSED_DEPTH);
		buf_release(&b);
	}
	drive_detox_release(&t);
}
END_TEST

/* A table of more fonts than there are (CVE-2023-21716). */
START_TEST(rtf_bounds_its_fonts)
{
	struct drive_detox t;
	struct buf b;

	drive_detox_init(&t);
	buf_init(&b, 1 << 20);
	ck_assert(buf_append_string(&b, "{\\rtf1{\\fonttbl") == 0);
	for (int i = 0; i < 33000; i++)
		ck_assert(buf_printf(&b, "{\\f%d A;}", i) == 0);
	ck_assert(buf_append_string(&b, "}a}") == 0);
	drive_detox_run(&t, buf_bytes(&b), "a.rtf");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	ck_assert(drive_detox_removed(&t, REMOVED_DAMAGED, "\\fonttbl") > 0);
	ck_assert(memmem(t.out.content.p, t.out.content.n, "\\f2047 ", 7));
	ck_assert(!memmem(t.out.content.p, t.out.content.n, "\\f2048 ", 7));
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

/* Nothing is looked at again and again. */
START_TEST(rtf_takes_time_in_proportion)
{
	static const char *const bad[] = { "{}", "{ ", "\\*", "\\* ", "{\\*",
		"{\\object", "{\\field{", "\\u1", "{\\pict}", "{\\sp{\\sn a}}",
		"\\'", "\\bin1" };
	struct drive_detox t;
	size_t n = 4 << 20;
	uint8_t *p = malloc(n);

	drive_detox_init(&t);
	memcpy(p, "{\\rtf1 ", 7);
	for (size_t i = 7; i < n; i++)
		p[i] = (uint8_t)bad[_i][(i - 7) % strlen(bad[_i])];
	drive_detox_run(&t, (struct bytes){ p, n }, "a.rtf");
	ck_assert(t.result == DETOX_REBUILT || t.d.refusal == REFUSED_DEPTH);
	drive_detox_release(&t);
	free(p);
}
END_TEST

Suite *
rtf_suite(void)
{
	Suite *s = suite_create("rtf");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, rtf_takes_out_what_is_not_listed, 0, COUNT(cases));
	tcase_add_loop_test(
	    t, rtf_changes_its_own_documents_no_more, 0, COUNT(cases));
	tcase_add_test(t, rtf_keeps_pictures_that_are_rebuilt);
	tcase_add_test(t, rtf_rebuilds_pictures_as_files);
	tcase_add_test(t, rtf_makes_bitmaps_files);
	tcase_add_test(t, rtf_keeps_metadata_where_it_may_be);
	tcase_add_test(t, rtf_counts_text);
	tcase_add_test(t, rtf_bounds_its_depth);
	tcase_add_test(t, rtf_bounds_its_fonts);
	tcase_add_loop_test(t, rtf_takes_time_in_proportion, 0, 12);
	suite_add_tcase(s, t);
	return s;
}
