/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/plain.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/detox/drive.h"

Suite *plain_suite(void);

#define ALERT "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"
#define CALENDAR(inner)                                            \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n" inner \
	"END:VEVENT\r\nEND:VCALENDAR\r\n"
#define CARD(inner) "BEGIN:VCARD\r\nVERSION:3.0\r\n" inner "END:VCARD\r\n"
#define OLD_CARD(inner) "BEGIN:VCARD\r\nVERSION:2.1\r\n" inner "END:VCARD\r\n"

/* What is taken out, if anything. */
#define CLEAN DETOX_REMOVAL_KINDS

static const struct {
	const char *name; /* of the file */
	struct bytes in;
	struct bytes out;
	enum detox_removal what;
} cases[] = {
	/* Charsets. */
	{ "ascii.txt", BYTES_ROW("a\tb\r\nc\f\n"), BYTES_ROW("a\tb\r\nc\f\n"),
	    CLEAN },
	{ "utf8.txt", BYTES_ROW("\xe6\x97\xa5\xe6\x9c\xac"),
	    BYTES_ROW("\xe6\x97\xa5\xe6\x9c\xac"), CLEAN },
	{ "mark.txt", BYTES_ROW("\xef\xbb\xbf\xe6\x97\xa5"),
	    BYTES_ROW("\xef\xbb\xbf\xe6\x97\xa5"), CLEAN },
	{ "utf16le.txt", BYTES_ROW("\xff\xfe\x65\x5e\r\0\n\0"),
	    BYTES_ROW("\xff\xfe\x65\x5e\r\0\n\0"), CLEAN },
	{ "utf16be.txt", BYTES_ROW("\xfe\xff\x5e\x65\0a"),
	    BYTES_ROW("\xfe\xff\x5e\x65\0a"), CLEAN },
	{ "sjis.txt",
	    BYTES_ROW("\x83\x5c\x83\x7c\x95\x5c\x82\xb7\x82\xe9\x81\x42"),
	    BYTES_ROW("\x83\x5c\x83\x7c\x95\x5c\x82\xb7\x82\xe9\x81\x42"),
	    CLEAN },
	{ "euc.txt", BYTES_ROW("\xc6\xfc\xcb\xdc\xb8\xec\xa4\xc7\xa4\xb9"),
	    BYTES_ROW("\xc6\xfc\xcb\xdc\xb8\xec\xa4\xc7\xa4\xb9"), CLEAN },
	{ "jis.txt", BYTES_ROW("\x1b$BF|K\\\x1b(B\r\n"),
	    BYTES_ROW("\x1b$BF|K\\\x1b(B\r\n"), CLEAN },
	{ "latin.txt", BYTES_ROW("caf\xe9 au lait"),
	    BYTES_ROW("caf\xe9 au lait"), CLEAN },
	{ "data.json", BYTES_ROW("{\"a\":[1,\"=x\"]}"),
	    BYTES_ROW("{\"a\":[1,\"=x\"]}"), CLEAN },
	{ "empty.txt", BYTES_ROW(""), BYTES_ROW(""), CLEAN },
	/* Controls. */
	{ "end.csv", BYTES_ROW("a,b\r\n\x1a"), BYTES_ROW("a,b\r\n"),
	    REMOVED_HIDDEN },
	{ "zeroes.csv", BYTES_ROW("a,\0=b\0,c"), BYTES_ROW("a,'=b,c"),
	    REMOVED_HIDDEN },
	{ "del.txt",
	    BYTES_ROW("a\x7f"
		      "b"),
	    BYTES_ROW("ab"), REMOVED_HIDDEN },
	{ "vt.txt",
	    BYTES_ROW("a\x0b"
		      "b"),
	    BYTES_ROW("ab"), REMOVED_HIDDEN },
	{ "csi.txt", BYTES_ROW("a\x1b[31;1mb\x1b[0m"), BYTES_ROW("ab"),
	    REMOVED_HIDDEN },
	{ "cut.txt", BYTES_ROW("a\x1b[31"), BYTES_ROW("a"), REMOVED_HIDDEN },
	{ "title.txt", BYTES_ROW("a\x1b]0;title\x1b\\b"), BYTES_ROW("ab"),
	    REMOVED_HIDDEN },
	{ "escapes.txt", BYTES_ROW("\x1b\x1b[0m[0m"), BYTES_ROW("[0m"),
	    REMOVED_HIDDEN },
	{ "c1.txt", BYTES_ROW("\xe3\x81\x82\xc2\x9b\x33\x31m"),
	    BYTES_ROW("\xe3\x81\x82\x33\x31m"), REMOVED_HIDDEN },
	{ "turned.txt",
	    BYTES_ROW("a\xe2\x80\xae"
		      "b\xe2\x81\xa9"
		      "c"),
	    BYTES_ROW("abc"), REMOVED_HIDDEN },
	{ "inner.txt",
	    BYTES_ROW("a\xef\xbb\xbf"
		      "b"),
	    BYTES_ROW("ab"), REMOVED_HIDDEN },
	{ "nul16.txt",
	    BYTES_ROW("\xff\xfe"
		      "a\0\0\0b\0\x2e\x20"),
	    BYTES_ROW("\xff\xfe"
		      "a\0b\0"),
	    REMOVED_HIDDEN },
	/* Damage. */
	{ "bad.txt",
	    BYTES_ROW("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe3\x81\x99 and a long text of Japan \xff"
		      "in UTF-8"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"),
	    BYTES_ROW("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe3\x81\x99 and a long text of Japan in UTF-8"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"
		      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xa7"),
	    REMOVED_DAMAGED },
	{ "lone.txt",
	    BYTES_ROW("\xff\xfe\x00\xd8"
		      "a\0"),
	    BYTES_ROW("\xff\xfe"
		      "a\0"),
	    REMOVED_DAMAGED },
	{ "open.txt", BYTES_ROW("\x1b$BF|K\\\n=a"),
	    BYTES_ROW("\x1b$BF|K\\\x1b(B\n=a"), REMOVED_DAMAGED },
	{ "cut.jis.txt", BYTES_ROW("\x1b$BF|K\\"),
	    BYTES_ROW("\x1b$BF|K\\\x1b(B"), REMOVED_DAMAGED },
	/* Tables. */
	{ "a.csv", BYTES_ROW("a,\"b,c\",-5\n+81-3-1234-5678,-,--\n"),
	    BYTES_ROW("a,\"b,c\",-5\n+81-3-1234-5678,-,--\n"), CLEAN },
	{ "japan.csv",
	    BYTES_ROW("-\xef\xbc\x88\xe3\x83\x8f\xef\xbc\x89,"
		      "- \xe6\x9d\xb1,\xef\xbc\x8d\xef\xbc\x95,+1e5,-\\1"),
	    BYTES_ROW("-\xef\xbc\x88\xe3\x83\x8f\xef\xbc\x89,"
		      "- \xe6\x9d\xb1,\xef\xbc\x8d\xef\xbc\x95,+1e5,-\\1"),
	    CLEAN },
	{ "lines.csv", BYTES_ROW("\"a\n- b\n- c\n\",\"d, -e\"\n"),
	    BYTES_ROW("\"a\n- b\n- c\n\",\"d, -e\"\n"), CLEAN },
	{ "equals.csv", BYTES_ROW("a,=1+1"), BYTES_ROW("a,'=1+1"),
	    REMOVED_FORMULA },
	{ "at.csv", BYTES_ROW("@SUM(A1)"), BYTES_ROW("'@SUM(A1)"),
	    REMOVED_FORMULA },
	{ "plus.csv", BYTES_ROW("a\n+A1"), BYTES_ROW("a\n'+A1"),
	    REMOVED_FORMULA },
	{ "minus.csv", BYTES_ROW("-2+3+cmd|' /C calc'!A0"),
	    BYTES_ROW("'-2+3+cmd|' /C calc'!A0"), REMOVED_FORMULA },
	{ "quoted.csv", BYTES_ROW("a,\"=1\",b"), BYTES_ROW("a,\"'=1\",b"),
	    REMOVED_FORMULA },
	{ "blanks.csv", BYTES_ROW("a, \" =1\",b"), BYTES_ROW("a, \" '=1\",b"),
	    REMOVED_FORMULA },
	{ "twice.csv", BYTES_ROW("\"-1 \"\"a\"\"&B(1)\""),
	    BYTES_ROW("\"'-1 \"\"a\"\"&B(1)\""), REMOVED_FORMULA },
	{ "tab.csv", BYTES_ROW("a,\tb"), BYTES_ROW("a,'\tb"), REMOVED_FORMULA },
	{ "cr.csv", BYTES_ROW("a,\"\rb\""), BYTES_ROW("a,\"'\rb\""),
	    REMOVED_FORMULA },
	{ "wide.csv", BYTES_ROW("a,\xef\xbc\x9d\x31"),
	    BYTES_ROW("a,'\xef\xbc\x9d\x31"), REMOVED_FORMULA },
	{ "dde.csv", BYTES_ROW("cmd|'/C calc'!A0"),
	    BYTES_ROW("'cmd|'/C calc'!A0"), REMOVED_FORMULA },
	{ "sylk.csv", BYTES_ROW("ID;PWXL;N;E\n"), BYTES_ROW("'ID;PWXL;N;E\n"),
	    REMOVED_FORMULA },
	{ "other.csv", BYTES_ROW("a,b;=A(1),c"), BYTES_ROW("a,b;'=A(1),c"),
	    REMOVED_FORMULA },
	/* A quote within a cell opens nothing, and blanks part no call. */
	{ "blank.csv", BYTES_ROW("a\"b,=A (1),c"), BYTES_ROW("a\"b,'=A (1),c"),
	    REMOVED_FORMULA },
	{ "tabs.csv", BYTES_ROW("a\"b,=A\t(1),c"), BYTES_ROW("a\"b,'=A\t(1),c"),
	    REMOVED_FORMULA },
	{ "cut.csv", BYTES_ROW("a\"b,\"=A\n(1)\",c"),
	    BYTES_ROW("a\"b,\"'=A\n(1)\",c"), REMOVED_FORMULA },
	{ "apart.csv", BYTES_ROW("\"a\n=b\nc (d)\""),
	    BYTES_ROW("\"a\n=b\nc (d)\""), CLEAN },
	/* To a reader of CP932 the second quote is part of a character. */
	{ "swallowed.csv", BYTES_ROW("\"\xe3\x81\x82\",\"a,=cmd|' /C'!A\""),
	    BYTES_ROW("\"\xe3\x81\x82\",\"a,'=cmd|' /C'!A\""),
	    REMOVED_FORMULA },
	{ "sjis.csv", BYTES_ROW("\x83\x5c\x81\x43\x93\xfa\x96\x7b,=1"),
	    BYTES_ROW("\x83\x5c\x81\x43\x93\xfa\x96\x7b,'=1"),
	    REMOVED_FORMULA },
	{ "utf16.csv",
	    BYTES_ROW("\xff\xfe"
		      "=\0"
		      "1\0"),
	    BYTES_ROW("\xff\xfe'\0=\0"
		      "1\0"),
	    REMOVED_FORMULA },
	{ "a.tsv", BYTES_ROW("a\t=1\tb,=c"), BYTES_ROW("a\t'=1\tb,=c"),
	    REMOVED_FORMULA },
	{ "table.xls", BYTES_ROW("a,=1"), BYTES_ROW("a,'=1"), REMOVED_FORMULA },
	/* Calendars. */
	{ "a.ics",
	    BYTES_ROW(CALENDAR("SUMMARY:a\r\n b\r\n"
			       "URL:https://www.city.test/\r\n" ALERT)),
	    BYTES_ROW(CALENDAR("SUMMARY:a\r\n b\r\n"
			       "URL:https://www.city.test/\r\n" ALERT)),
	    CLEAN },
	{ "attach.ics", BYTES_ROW(CALENDAR("ATTACH:file:///c:/a.exe\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_FILE },
	{ "attach.ics",
	    BYTES_ROW(CALENDAR("URL:mailto:somebody@a.test?attach=//b/c\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_LINK },
	{ "url.ics", BYTES_ROW(CALENDAR("URL:file://server/a\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_LINK },
	{ "folded.ics", BYTES_ROW(CALENDAR("UR\r\n L:file:\r\n ///a\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_LINK },
	{ "altrep.ics",
	    BYTES_ROW(CALENDAR("SUMMARY;ALTREP=\"file:///a\";LANGUAGE=ja:b\r"
			       "\n")),
	    BYTES_ROW(CALENDAR("SUMMARY;LANGUAGE=ja:b\r\n")), REMOVED_LINK },
	{ "procedure.ics",
	    BYTES_ROW(CALENDAR("BEGIN:VALARM\r\nTRIGGER:-PT5M\r\n"
			       "ACTION:PROCEDURE\r\nEND:VALARM\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_ACTION },
	{ "twice.ics",
	    BYTES_ROW(CALENDAR(
		"BEGIN:VALARM\r\n" ALERT "ACTION:DISPLAY\r\nEND:VALARM\r\n")),
	    BYTES_ROW(CALENDAR(ALERT)), REMOVED_UNKNOWN },
	{ "html.ics", BYTES_ROW(CALENDAR("X-ALT-DESC:<script>\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_CUSTOM },
	{ "component.ics",
	    BYTES_ROW(CALENDAR("BEGIN:X-RUN\r\nSUMMARY:a\r\nBEGIN:VALARM\r\n"
			       "END:VALARM\r\nEND:X-RUN\r\n")),
	    BYTES_ROW(CALENDAR("")), REMOVED_UNKNOWN },
	{ "behind.ics", BYTES_ROW(CALENDAR("") "SUMMARY:a\r\n"),
	    BYTES_ROW(CALENDAR("")), REMOVED_TRAILING },
	{ "open.ics", BYTES_ROW("BEGIN:VCALENDAR\r\nVERSION:2.0"),
	    BYTES_ROW("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"),
	    REMOVED_DAMAGED },
	{ "a.vcf",
	    BYTES_ROW(CARD("FN:a\r\nTEL;TYPE=cell:+81-3\r\n"
			   "URL:www.city.test\r\n")),
	    BYTES_ROW(CARD("FN:a\r\nTEL;TYPE=cell:+81-3\r\n"
			   "URL:www.city.test\r\n")),
	    CLEAN },
	{ "printable.vcf",
	    BYTES_ROW(OLD_CARD("N;ENCODING=QUOTED-PRINTABLE:=83=\r\n=5C\r\n")),
	    BYTES_ROW(OLD_CARD("N;ENCODING=QUOTED-PRINTABLE:=83=\r\n=5C\r\n")),
	    CLEAN },
	/* To version 3 the second is a line of its own. */
	{ "hidden.vcf",
	    BYTES_ROW(CARD("FN:a\r\nNOTE;ENCODING=QUOTED-PRINTABLE:b=\r\n"
			   "URL:file://evil.test/a.exe\r\n")),
	    BYTES_ROW(CARD("FN:a\r\nNOTE;ENCODING=QUOTED-PRINTABLE:b=\r\n")),
	    REMOVED_LINK },
	{ "outside.vcf",
	    BYTES_ROW(CARD("PHOTO;VALUE=uri:https://a.test/p.jpg\r\n")),
	    BYTES_ROW(CARD("")), REMOVED_EXTERNAL },
	{ "photo.vcf", BYTES_ROW(CARD("PHOTO;ENCODING=b:AAECAw==\r\n")),
	    BYTES_ROW(CARD("")), REMOVED_REFUSED },
};

START_TEST(plain_takes_out_what_is_not_text)
{
	struct drive_detox t;
	const char *name = cases[_i].name;

	drive_detox_init(&t);
	drive_detox_run(&t, cases[_i].in, name);
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
START_TEST(plain_changes_its_own_texts_no_more)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, cases[_i].out, cases[_i].name);
	ck_assert_msg(t.result == DETOX_REBUILT && t.d.rows_n == 0 &&
		bytes_equal(buf_bytes(&t.out.content), cases[_i].out),
	    "%s", cases[_i].name);
	drive_detox_release(&t);
}
END_TEST

START_TEST(plain_refuses_what_programs_obey)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES("WEB\n1\nhttp://a.test/"), "a.iqy");
	ck_assert_int_eq(t.d.refusal, REFUSED_PROGRAM);
	drive_detox_run(&t, BYTES("WEB\n1\nhttp://a.test/"), "a.xls");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("X: y\nmime-version:1.0\n\n<a/>"), "a.xls");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("X: y\nMIME-Version: 1.0\n"), "a.doc");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("X: y\nMIME-Version: 1.0\n"), "a.wbk");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("[playlist]\nFile1=\\\\b\\c\n"), "a.pls");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("[WFClient]\nVersion=2\n"), "a.ica");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("a\tb\n1\t2\n"), "a.xls");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	drive_detox_run(&t, BYTES("a<script>b()</script>"), "a.svg");
	ck_assert_int_eq(t.result, DETOX_REFUSED);
	drive_detox_run(&t, BYTES("ID;P\nE"), "a.SLK");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_release(&t);
}
END_TEST

/* By another name, or with too many of them, controls are no text. */
START_TEST(plain_takes_few_stray_controls)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES("abc\1\1\1\1"), "a.txt");
	ck_assert_int_eq(t.result, DETOX_REBUILT);
	drive_detox_run(&t, BYTES("ab\1\1\1\1\1"), "a.txt");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_run(&t, BYTES("abc\1"), "a.xdw");
	ck_assert_int_eq(t.d.refusal, REFUSED_TYPE);
	drive_detox_release(&t);
}
END_TEST

/* What becomes another type by what is taken out does not come out. */
START_TEST(plain_does_not_make_pages)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES("\x1b[0m<script>alert(1)</script>"), "a.txt");
	ck_assert_int_eq(t.d.refusal, REFUSED_POLYGLOT);
	drive_detox_release(&t);
}
END_TEST

START_TEST(plain_keeps_pictures_in_cards)
{
	static const struct bytes in = BYTES_ROW(
	    CARD("PHOTO;ENCODING=b;X-A=b:R0lGOD\r\n lhAQ==\r\nNOTE:a\r\n"));
	static const struct bytes out = BYTES_ROW(
	    CARD("PHOTO;ENCODING=b;TYPE=gif:\r\n R0lGODlhAQ==\r\nNOTE:a\r\n"));
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_GIF] = DETOX_PASS;
	drive_detox_run(&t, in, "a.vcf");
	ck_assert(bytes_equal(buf_bytes(&t.out.content), out));
	drive_detox_release(&t);
}
END_TEST

START_TEST(plain_keeps_no_link_where_none_may_be)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.links = DETOX_LINKS_NONE;
	drive_detox_run(
	    &t, BYTES(CARD("URL:www.city.test\r\nFN:a\r\n")), "a.vcf");
	ck_assert(
	    bytes_equal(buf_bytes(&t.out.content), BYTES(CARD("FN:a\r\n"))));
	drive_detox_release(&t);
}
END_TEST

/* Nothing is looked at again and again. */
START_TEST(plain_takes_time_in_proportion)
{
	static const char *const bad[] = { "\"=", ",-", "\"\"-", "=", "\x1b]a",
		"a|", "-\"" };
	struct drive_detox t;
	size_t n = 4 << 20;
	uint8_t *p = malloc(n);

	drive_detox_init(&t);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)bad[_i][i % strlen(bad[_i])];
	drive_detox_run(&t, (struct bytes){ p, n }, "a.csv");
	ck_assert(t.result == DETOX_REBUILT);
	drive_detox_release(&t);
	free(p);
}
END_TEST

Suite *
plain_suite(void)
{
	Suite *s = suite_create("plain");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, plain_takes_out_what_is_not_text, 0, COUNT(cases));
	tcase_add_loop_test(
	    t, plain_changes_its_own_texts_no_more, 0, COUNT(cases));
	tcase_add_test(t, plain_refuses_what_programs_obey);
	tcase_add_test(t, plain_takes_few_stray_controls);
	tcase_add_test(t, plain_does_not_make_pages);
	tcase_add_test(t, plain_keeps_pictures_in_cards);
	tcase_add_test(t, plain_keeps_no_link_where_none_may_be);
	tcase_add_loop_test(t, plain_takes_time_in_proportion, 0, 7);
	suite_add_tcase(s, t);
	return s;
}
