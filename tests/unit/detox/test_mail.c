/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mail.h"

#include <check.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "filters/mail/mapi.h"
#include "proxy/base/file.h"
#include "tests/unit/detox/drive.h"

Suite *mail_suite(void);

#define FROM "From: a@b.test\n"
#define MIXED FROM "Content-Type: multipart/mixed; boundary=B\n\n"
#define ATTACHED "Content-Disposition: attachment; filename="
#define END "--B--\n"
#define BLANKS_64 \
	"                                                                "
#define BLANKS BLANKS_64 BLANKS_64 BLANKS_64 BLANKS_64 BLANKS_64
#define LINK(address, words)                                            \
	"From: a@b.test\nContent-Type: text/html; charset=utf-8\n\n<a " \
	"href=\"" address "\">" words "</a>"
#define KANA_8                                                                \
	"%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%" \
	"81%82"

static void
begin(struct drive_detox *t)
{
	drive_detox_init(t);
	t->declared = "message/rfc822";
	t->profile.mail_notice = false;
	g_mime_init();
}

static bool
has(const struct drive_detox *t, const char *what)
{
	return memmem(t->out.content.p, t->out.content.n, what, strlen(what)) !=
	    NULL;
}

/* What GMime finds: of each part "[type name]" and its bytes. */
static void
read_part(GMimeObject *parent, GMimeObject *part, gpointer owner)
{
	GMimeStream *out = owner;
	GMimeContentType *type = g_mime_object_get_content_type(part);
	const char *name = GMIME_IS_PART(part)
	    ? g_mime_part_get_filename(GMIME_PART(part))
	    : NULL;

	(void)parent;
	g_mime_stream_printf(out, "[%s/%s %s]",
	    g_mime_content_type_get_media_type(type),
	    g_mime_content_type_get_media_subtype(type),
	    name != NULL ? name : "");
	ck_assert(name == NULL || !detox_name_runs(bytes_of(name)));
	if (GMIME_IS_PART(part))
		g_mime_data_wrapper_write_to_stream(
		    g_mime_part_get_content(GMIME_PART(part)), out);
}

static const char *
read_parts(const struct drive_detox *t)
{
	static char text[1 << 16];
	GMimeStream *in = g_mime_stream_mem_new_with_buffer(
	    (const char *)t->out.content.p, t->out.content.n);
	GMimeStream *out = g_mime_stream_mem_new();
	GMimeParser *parser = g_mime_parser_new_with_stream(in);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	GByteArray *bytes;

	ck_assert_ptr_nonnull(message);
	g_mime_message_foreach(message, read_part, out);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
	ck_assert_uint_lt(bytes->len, sizeof(text));
	for (size_t i = 0; i < bytes->len; i++)
		text[i] = bytes->data[i] == 0 ? '?' : (char)bytes->data[i];
	text[bytes->len] = '\0';
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(out);
	g_object_unref(in);
	return text;
}

static void
check_refused(const struct drive_detox *t, enum detox_refusal why)
{
	ck_assert_msg(t->d.refusal == why, "%s (%s) instead of %s",
	    detox_refusal_words[t->d.refusal].name, t->d.why,
	    detox_refusal_words[why].name);
}

/* One field of a header. */
static const struct {
	const char *in;
	const char *out; /* NULL: nothing of that name */
} fields[] = {
	{ "Subject: hello", "Subject: hello\r\n" },
	{ "Subject: a\n b\n\tc", "Subject: a b c\r\n" },
	{ "subject : x", "Subject: x\r\n" },
	{ "Subject: =?utf-8?q?=E3=81=82?=", "Subject: =?UTF-8?B?44GC?=\r\n" },
	{ "Subject: =?ISO-2022-JP?B?GyRCJCIbKEI=?=",
	    "Subject: =?UTF-8?B?44GC?=\r\n" },
	/* NEC's row 13, and kana of half width. */
	{ "Subject: =?ISO-2022-JP?B?GyRCLSEtahsoQg==?=",
	    "Subject: =?UTF-8?B?4pGg44ix?=\r\n" },
	{ "Subject: =?ISO-2022-JP?B?GyhJMTIbKEI=?=",
	    "Subject: =?UTF-8?B?772x772y?=\r\n" },
	{ "Subject: =?Shift_JIS?B?gqA=?=", "Subject: =?UTF-8?B?44GC?=\r\n" },
	{ "Subject: =?EUC-JP?Q?=A4=A2?=", "Subject: =?UTF-8?B?44GC?=\r\n" },
	/* A character that is cut between two words. */
	{ "Subject: =?UTF-8?B?44E=?= =?UTF-8?B?gg==?=",
	    "Subject: =?UTF-8?B?44GC?=\r\n" },
	{ "Subject: \x1b$B$\"\x1b(B", "Subject: =?UTF-8?B?44GC?=\r\n" },
	{ "Subject: \x82\xa0\x82\xa2\x82\xa4",
	    "Subject: =?UTF-8?B?44GC44GE44GG?=\r\n" },
	/* A byte of a character that looks like a quote, a backslash, or the
	 * beginning of a word. */
	{ "To: \"\x1b$B$\"\x1b(B\" <a@b.test>",
	    "To: =?UTF-8?B?44GC?= <a@b.test>\r\n" },
	{ "To: \"\x95\x5c\" <a@b.test>",
	    "To: =?UTF-8?B?6KGo?= <a@b.test>\r\n" },
	{ "Subject: \x1b$BI=?M\x1b(B", "Subject: =?UTF-8?B?6KGo5Lq6?=\r\n" },
	/* Shift_JIS that says ISO-2022-JP, and the other that says UTF-8. */
	{ "Subject: =?ISO-2022-JP?B?gqCCooKk?=",
	    "Subject: =?UTF-8?B?44GC44GE44GG?=\r\n" },
	{ "Subject: =?UTF-8?B?GyRCJCIbKEI=?=",
	    "Subject: =?UTF-8?B?44GC?=\r\n" },
	/* A line end and an override in a word. */
	{ "Subject: =?utf-8?q?a=0D=0ATo:_b=E2=80=AEc?=",
	    "Subject: a To: bc\r\n" },
	{ "Subject: =?utf-8?q?=3D=3Fx=3Fq=3Fy=3F=3D?=",
	    "Subject: =?UTF-8?B?PT94P3E/eT89?=\r\n" },
	{ "Subject: =?utf-8?x?a?=",
	    "Subject: =?UTF-8?B?PT91dGYtOD94P2E/PQ==?="
	    "\r\n" },
	{ "To: a@b.test, \"x, y\" <c@d.test>",
	    "To: a@b.test, \"x, y\" <c@d.test>\r\n" },
	{ "To: a@b.test (Name)", "To: Name <a@b.test>\r\n" },
	{ "To: group: a@b.test, c@d.test;", "To: a@b.test, c@d.test\r\n" },
	{ "To: undisclosed-recipients:;", NULL },
	{ "To: =?utf-8?b?44GC?= <a@b.test>",
	    "To: =?UTF-8?B?44GC?= <a@b.test>\r\n" },
	{ "To: \"=?utf-8?q?a=22_=3Cx=40y=3E?=\" <a@b.test>",
	    "To: \"a\\\" <x@y>\" <a@b.test>\r\n" },
	{ "To: a@b@c.test", NULL },
	/* What some readers would decode. */
	{ "To: =?utf-8?q?a=40b.test?=@c.test, d@e.test", "To: d@e.test\r\n" },
	{ "To: \"=?utf-8?q?a=40b.test?=\"@c.test", NULL },
	{ "From: x <=?utf-8?q?a=40b.test=3E?=@c.test>",
	    "From: x <unknown@sender.invalid>\r\n" },
	{ "To: <@x,@y:a@b.test>", "To: a@b.test\r\n" },
	{ "To: \"a b\"@c.test", NULL },
	{ "Date: Mon, 3 Feb 2025 10:00:00 +0900",
	    "Date: Mon, 3 Feb 2025 10:00:00 +0900\r\n" },
	{ "Date: Fri, 03 feb 25 1:2 JST",
	    "Date: Mon, 3 Feb 2025 01:02:00 +0900\r\n" },
	{ "Date: Mon Feb 13 17:50:54 2006",
	    "Date: Mon, 13 Feb 2006 17:50:54 -0000\r\n" },
	{ "Date: Mon Feb  3 07:50:54 JST 2025",
	    "Date: Mon, 3 Feb 2025 07:50:54 +0900\r\n" },
	{ "Date: Mon Feb 13 2006", NULL },
	{ "Date: now", NULL },
	{ "Message-ID: <a@b>", "Message-ID: <a@b>\r\n" },
	{ "Message-ID: a@b", NULL },
	{ "References: <a@b>\n <c@d> (e) <f@g>",
	    "References: <a@b>\r\n <c@d>\r\n <f@g>\r\n" },
	{ "Received: from a\n by b; x", "Received: from a by b; x\r\n" },
	{ "List-Unsubscribe: <https://a.test/>, <javascript:x>,"
	  " <mailto:a@b.test>",
	    "List-Unsubscribe: <https://a.test/>,\r\n <mailto:a@b.test>\r\n" },
	{ "Auto-Submitted: auto-replied", "Auto-Submitted: auto-replied\r\n" },
	{ "X-Priority: 1 (Highest)", "X-Priority: 1 (Highest)\r\n" },
	{ "Bcc: a@b.test", NULL },
	{ "X-Anything: a", NULL },
	{ "DKIM-Signature: v=1", NULL },
	{ "Authentication-Results: a.test; spf=pass", NULL },
	{ "Sekisho-Order: ref=1", NULL },
	{ "Disposition-Notification-To: a@b.test", NULL },
};

START_TEST(mail_writes_fields_anew)
{
	struct bytes name = bytes_of(fields[_i].in);
	struct drive_detox t;
	char mail[512], line[64];

	name = bytes_trim(bytes_take_until(&name, ':'));
	snprintf(line, sizeof(line), "\n%.*s:", BYTES_PRINTF(name));
	snprintf(mail, sizeof(mail), "%s\nX: y\n\nbody\n", fields[_i].in);
	begin(&t);
	drive_detox_run(&t, bytes_of(mail), "");
	check_refused(&t, REFUSED_NOT);
	if (fields[_i].out != NULL)
		ck_assert_msg(has(&t, fields[_i].out), "%s: %.*s",
		    fields[_i].in, BYTES_PRINTF(t.out.content));
	else
		ck_assert_msg(!has(&t, line), "%s", fields[_i].in);
	drive_detox_release(&t);
}
END_TEST

START_TEST(mail_keeps_the_first_of_doubles)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t,
	    BYTES("From: a@b.test\nSubject: x\nFrom: c@d.test\nSubject: y\n"
		  "From: e@f.test, g@h.test\n\n"),
	    "");
	check_refused(&t, REFUSED_NOT);
	ck_assert(has(&t, "From: a@b.test\r\n"));
	ck_assert(!has(&t, "c@d.test") && !has(&t, "e@f.test"));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_DAMAGED, "From"), 2);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_DAMAGED, "Subject"), 1);
	drive_detox_release(&t);
}
END_TEST

#define MANY "; a=b; a=b; a=b; a=b; a=b; a=b; a=b; a=b"

/* A program, whatever hides its name, is left out. */
static const struct {
	const char *name;
	const char *part; /* its header */
} programs[] = {
	{ "plain", ATTACHED "a.exe" },
	{ "quoted", ATTACHED "\"a.exe\"" },
	{ "in name= alone", "Content-Type: image/png; name=a.exe" },
	{ "two extensions", ATTACHED "\"a.pdf.exe\"" },
	{ "blanks", ATTACHED "\"a.pdf                             .exe\"" },
	{ "a dot behind", ATTACHED "\"a.exe.\"" },
	{ "blanks and dots behind", ATTACHED "\"a.exe . . \"" },
	{ "unquoted with a blank", ATTACHED "a b.exe" },
	{ "first word", ATTACHED "a.exe b.txt" },
	{ "RFC 2231",
	    "Content-Disposition: attachment; filename*=UTF-8''a%2Eexe" },
	{ "RFC 2231 in pieces",
	    "Content-Disposition: attachment; filename*0=a.e;\n"
	    " filename*1=xe" },
	{ "RFC 2231 in pieces, turned around",
	    "Content-Disposition: attachment; filename*1=xe;\n"
	    " filename*0=a.e" },
	{ "RFC 2231 in coded pieces",
	    "Content-Disposition: attachment; filename*0*=UTF-8''a%2E;\n"
	    " filename*1*=%65xe" },
	{ "both ways, one harmless",
	    "Content-Disposition: attachment; filename=a.txt;\n"
	    " filename*=UTF-8''a.exe" },
	{ "both ways, the other harmless",
	    "Content-Disposition: attachment; filename=a.exe;\n"
	    " filename*=UTF-8''a.txt" },
	{ "twice",
	    "Content-Disposition: attachment; filename=a.txt;\n"
	    " filename=a.exe" },
	{ "in two fields",
	    "Content-Type: text/plain; name=a.exe\n" ATTACHED "a.txt" },
	{ "RFC 2047", ATTACHED "\"=?utf-8?B?YS5leGU=?=\"" },
	{ "RFC 2047, unquoted", ATTACHED "=?utf-8?Q?a=2Eexe?=" },
	{ "RFC 2047 in pieces",
	    ATTACHED "\"=?utf-8?B?YS5l?= =?utf-8?B?eGU=?=\"" },
	{ "RFC 2047, unquoted, in name=",
	    "Content-Type: a/b; name==?iso-2022-jp?B?YS5leGU=?=" },
	{ "RFC 2047 within RFC 2231",
	    "Content-Disposition: attachment;\n"
	    " filename*=UTF-8''%3D%3Futf-8%3FB%3FYS5leGU%3D%3F%3D" },
	{ "percent in a plain name", ATTACHED "\"a%2Eexe\"" },
	{ "turned around", ATTACHED "\"a\xe2\x80\xaegnp.e\xe2\x80\x8bxe\"" },
	{ "no width", ATTACHED "\"a.e\xe2\x80\x8bxe\"" },
	{ "in Shift_JIS", ATTACHED "\"\x95\x5c.exe\"" },
	{ "in ISO-2022-JP", ATTACHED "\"\x1b$BI=\x1b(B.exe\"" },
	{ "behind what is no quote in ISO-2022-JP",
	    ATTACHED "\"\x1b$B!!\";filename=a.exe;x=\"!!\x1b(B.txt\"" },
	{ "ISO-2022-JP that says it is not",
	    ATTACHED "\"=?us-ascii?Q?a=1B$B.exe?=\"" },
	{ "Windows' that could be Shift_JIS",
	    ATTACHED "\"=?windows-1252?Q?=83=5C=83=5C.exe?=\"" },
	{ "a backslash", ATTACHED "\"a.e\\xe\"" },
	{ "a quote within", ATTACHED "\"a.exe\"b.txt\"" },
	{ "a path", ATTACHED "\"../../a.exe\"" },
	{ "a stream of it", ATTACHED "\"a.exe:b.txt\"" },
	{ "a stream of a stream of it", ATTACHED "\"x:a.exe:b:c.txt\"" },
	{ "a class", ATTACHED "\"a.{00020424-0000-0000-C000-000000000046}\"" },
	{ "folded", ATTACHED "\n\t\"a.exe\"" },
	{ "a comment",
	    "Content-Disposition: attachment (x); (y)\n"
	    " filename (z) = a.exe" },
	{ "capitals", "CONTENT-DISPOSITION: ATTACHMENT; FILENAME=A.EXE" },
	{ "no semicolon", "Content-Disposition: attachment filename=a.exe" },
	{ "a blank before the colon",
	    "Content-Disposition : attachment; filename=a.exe" },
	{ "a shortcut", ATTACHED "a.lnk" },
	{ "a script", ATTACHED "a.js" },
	{ "behind many parameters",
	    "Content-Disposition: attachment; a; b; c" MANY MANY MANY MANY MANY
		MANY MANY MANY "; filename=a.exe" },
};

START_TEST(mail_leaves_programs_out)
{
	struct drive_detox t;
	char mail[1024];

	snprintf(mail, sizeof(mail),
	    MIXED "--B\n\nhello\n--B\n%s\n\nsecretly\n" END, programs[_i].part);
	begin(&t);
	drive_detox_run(&t, bytes_of(mail), "");
	check_refused(&t, REFUSED_NOT);
	ck_assert_msg(
	    has(&t, "hello") && !has(&t, "secretly") && !has(&t, "c2VjcmV0bHk"),
	    "%s: %.*s", programs[_i].name, BYTES_PRINTF(t.out.content));
	ck_assert_msg(has(&t, "removed-1.txt"), "%s", programs[_i].name);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_PROGRAM, NULL), 1);
	drive_detox_release(&t);
}
END_TEST

/* Bytes that are one mail to us, and the texts that are to be in what comes
 * out, or (behind "!") not. */
static const struct {
	const char *name;
	const char *in;
	const char *want[4];
} structures[] = {
	{ "a text", FROM "\nhello\n",
	    { "Content-Type: text/plain; charset=US-ASCII\r\n"
	      "Content-Transfer-Encoding: 7bit\r\n\r\nhello\r\n" } },
	{ "no header", "\nhello\n", { "\r\n\r\nhello\r\n" } },
	{ "no empty line", FROM "hello world\n",
	    { "\r\n\r\nhello world\r\n" } },
	{ "a file of mails",
	    "From x Mon Jan  1 00:00:00 2024\n" FROM "\nhello\n",
	    { "From: a@b.test\r\n", "hello" } },
	{ "a line of such a file behind fields",
	    "X-A: b\n>From x@y Mon Jan  1 00:00:00 2024\n" FROM "\nhello\n",
	    { "MIME-Version: 1.0\r\nFrom: a@b.test\r\n",
		"\r\n\r\nhello\r\n" } },
	{ "a text that begins like one", FROM "From 10 to 12:30 we meet\n",
	    { "rom 10 to 12:30 we meet" } },
	{ "preamble, epilogue", MIXED "before\n--B\n\nhello\n" END "behind\n",
	    { "hello", "!before", "!behind" } },
	{ "a part behind the end", MIXED "--B\n\nhello\n" END "--B\n\nlate\n",
	    { "hello", "!late" } },
	{ "no end", MIXED "--B\n\nhello\n", { "hello" } },
	{ "no boundary", FROM "Content-Type: multipart/mixed\n\n--B\n\nhello\n",
	    { "Content-Type: text/plain", "!multipart" } },
	{ "another boundary",
	    FROM "Content-Type: multipart/mixed; boundary=A\n\n--B\n\nhello\n",
	    { "Content-Type: text/plain", "!multipart", "=2D-B" } },
	{ "an empty boundary",
	    FROM
	    "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nhello\n",
	    { "Content-Type: text/plain", "!multipart" } },
	{ "two boundaries",
	    FROM "Content-Type: multipart/mixed; boundary=B; boundary=C\n\n"
		 "--B\n\nhello\n--C\n\nother\n" END,
	    { "multipart/mixed", "hello\r\n=2D-C" } },
	{ "two types",
	    FROM "Content-Type: text/plain\nContent-Type: multipart/mixed;"
		 " boundary=B\n\n--B\n\nhello\n" END,
	    { "Content-Type: text/plain", "!multipart" } },
	{ "two codings",
	    FROM "Content-Transfer-Encoding: base64\n"
		 "Content-Transfer-Encoding: 7bit\n\naGVsbG8=\n",
	    { "\r\n\r\nhello", "!aGVsbG8" } },
	{ "a text that says it is base64",
	    FROM "Content-Transfer-Encoding: base64\n\nSome words, and some "
		 "more of them; no code.\n",
	    { "7bit\r\n\r\nSome words, and some more of them; no code.\r\n" } },
	{ "base64 with blanks",
	    FROM "Content-Transfer-Encoding: base64\n\n\taGVs\n\tbG8=\n",
	    { "\r\n\r\nhello" } },
	{ "base64 with a text behind it",
	    FROM "Content-Transfer-Encoding: base64\n\naGVsbG8gd29ybGQsIGFuZC"
		 "BtYW55IG1vcmUgd29yZHM=\n-- list\n",
	    { "\r\n\r\nhello world, and many more words" } },
	{ "a delimiter in base64",
	    FROM "Content-Transfer-Encoding: base64\n\naGVs\n--\nbG8=\n",
	    { "\r\n\r\nhello" } },
	{ "a delimiter in a text of ours", FROM "\n--=_x\nhello\n",
	    { "quoted-printable", "=2D-=3D_x" } },
	{ "lone CR, NUL",
	    FROM "\nhe\rl"
		 "\x01"
		 "lo\n",
	    { "he\r\nllo" } },
	{ "CR alone", "From: a@b.test\r\rhello\r",
	    { "From: a@b.test\r\n", "\r\n\r\nhello\r\n" } },
	{ "quoted-printable, damaged",
	    FROM "Content-Transfer-Encoding: quoted-printable\n\n"
		 "h=65l=6co =zz =\n",
	    { "hello =zz" } },
	{ "a long line",
	    FROM "\n"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    { "7bit" } },
	{ "a signed text",
	    FROM "Content-Type: multipart/signed; boundary=B\n\n--B\n\nhello\n"
		 "--B\nContent-Type: application/pgp-signature\n\nsig\n" END,
	    { "hello", "!sig", "!multipart" } },
	{ "a signed text, and what a list put behind it",
	    FROM "Content-Type: multipart/signed; boundary=B\n\n--B\n\nhello\n"
		 "--B\nContent-Type: application/pgp-signature\n\nsig\n"
		 "--B\n\nfooter\n" END,
	    { "hello", "footer", "!sig", "multipart/mixed" } },
	{ "a footer before the signature",
	    FROM "Content-Type: multipart/signed; boundary=B\n\n--B\n\nhello\n"
		 "--B\n\nfooter\n"
		 "--B\nContent-Type: application/pgp-signature\n\nsig\n" END,
	    { "hello", "footer", "!sig" } },
	{ "a signature of no known type",
	    FROM "Content-Type: multipart/signed; boundary=B\n\n--B\n\nhello\n"
		 "--B\nContent-Type: application/x-any\n\nsig\n" END,
	    { "hello", "!sig", "!multipart", "!removed-1.txt" } },
	{ "message/partial",
	    FROM "Content-Type: message/partial; id=1; number=1\n\nhello\n",
	    { "removed-1.txt", "!partial" } },
	{ "message/external-body",
	    FROM "Content-Type: message/external-body; access-type=url\n\n"
		 "Content-Type: a/b\n\n",
	    { "removed-1.txt", "!external-body" } },
	{ "a mail within",
	    MIXED "--B\nContent-Type: message/rfc822\n\nFrom: c@d.test\n"
		  "X-Secret: y\nSubject: in\n\nhello\n" END,
	    { "Content-Type: message/rfc822", "From: c@d.test", "!X-Secret",
		"hello" } },
	{ "a digest",
	    FROM "Content-Type: multipart/digest; boundary=B\n\n--B\n\n"
		 "Subject: in\n\nhello\n" END,
	    { "Content-Type: message/rfc822", "Subject: in" } },
	{ "what was not delivered",
	    FROM
	    "Content-Type: multipart/report; boundary=B\n\n--B\n"
	    "Content-Type: message/delivery-status\n\nAction: failed\n" END,
	    { "Content-Type: text/plain", "Action: failed" } },
	{ "what was not delivered, by another name",
	    MIXED "--B\nContent-Type: message/xdelivery-status; name=a.txt\n\n"
		  "Action: failed\n" END,
	    { "Content-Type: text/plain", "Action: failed" } },
	{ "flowed",
	    FROM
	    "Content-Type: text/plain; format=flowed; delsp=yes\n\na \nb\n",
	    { "; format=flowed; delsp=yes\r\n", "a \r\nb" } },
	{ "uuencode",
	    FROM "\nhello\nbegin 644 a.exe\n%:&5L;&\\ \n`\nend\nbye\n",
	    { "hello\r\n[removed-1.txt]\r\nbye", "!begin 644" } },
	{ "uuencode of a text",
	    FROM "\nhello\nbegin 644 a.txt\n%:&5L;&\\ \n`\nend\nbye\n",
	    { "[a.txt]", "aGVsbG8=", "filename=\"a.txt\"" } },
	{ "uuencode without an end", FROM "\nbegin 644 a.exe\n%:&5L;&\\ \n",
	    { "> begin 644 a.exe" } },
	{ "yEnc", FROM "\n=ybegin line=128 size=1 name=a.exe\n",
	    { "> =ybegin" } },
	{ "ISO-2022-JP",
	    FROM "Content-Type: text/plain; charset=iso-2022-jp\n\n"
		 "\x1b$B$\"\x1b(B\n",
	    { "charset=ISO-2022-JP\r\n", "7bit\r\n\r\n\x1b$B$\"\x1b(B\r\n" } },
	{ "ISO-2022-JP that calls itself ASCII", FROM "\n\x1b$B$\"\x1b(B\n",
	    { "charset=ISO-2022-JP\r\n", "\x1b$B$\"\x1b(B\r\n" } },
	{ "NEC's row 13",
	    FROM "Content-Type: text/plain; charset=iso-2022-jp\n\n"
		 "\x1b$B-!\x1b(B\n",
	    { "charset=UTF-8\r\n", "4pGg" } },
	{ "Shift_JIS",
	    FROM "Content-Type: text/plain; charset=shift_jis\n\n\x82\xa0\n",
	    { "charset=UTF-8\r\n", "44GC" } },
	{ "Shift_JIS that says ISO-2022-JP",
	    FROM "Content-Type: text/plain; charset=iso-2022-jp\n\n"
		 "\x82\xa0\x82\xa2\x82\xa4\n",
	    { "charset=UTF-8\r\n", "44GC44GE44GG" } },
	{ "ISO-2022-JP that says UTF-8",
	    FROM "Content-Type: text/plain; charset=utf-8\n\n"
		 "\x1b$B$\"\x1b(B\n",
	    { "charset=ISO-2022-JP\r\n", "7bit\r\n\r\n\x1b$B$\"\x1b(B\r\n" } },
	{ "UTF-8 that says Shift_JIS",
	    FROM "Content-Type: text/plain; charset=shift_jis\n\n表示です\n",
	    { "charset=UTF-8\r\n", "6KGo56S644Gn44GZ" } },
	{ "a page in UTF-8 that says Shift_JIS",
	    FROM
	    "Content-Type: text/html; charset=shift_jis\n\n<p>表示です</p>\n",
	    { "charset=UTF-8\r\n", "=E8=A1=A8=E7=A4=BA" } },
	{ "a page that has a name and is to be shown",
	    FROM "Content-Type: text/html; charset=utf-8; name=a.htm\n"
		 "Content-Disposition: inline\n\n<p>hello\n",
	    { "Content-Type: text/html;", "Content-Disposition: inline;" } },
	{ "a text whose name tells nothing is shown still",
	    FROM "Content-Type: text/x-diff; name=a.patch\n"
		 "Content-Disposition: inline\n\n+ hello\n",
	    { "Content-Type: text/plain;", "name=\"a.patch\"", "charset=utf-8",
		"Content-Disposition: inline;" } },
	{ "what did not come as a text is none",
	    FROM "Content-Type: application/x-a; name=a.patch\n\n+ hello\n",
	    { "Content-Type: application/octet-stream;" } },
	{ "Shift_JIS that is cut stays",
	    FROM "Content-Type: text/plain; charset=shift_jis\n\n"
		 "\x82\xa0\x82\xa2\x82\xa4\x82\n",
	    { "44GC44GE44GG" } },
	{ "UTF-16",
	    FROM "Content-Type: text/plain; charset=utf-16le\n"
		 "Content-Transfer-Encoding: "
		 "base64\n\naABlAGwAbABvACwAIAB3AG8AcgBsAGQALAAgAGEAbgBkACAAYQB"
		 "sAGwADQAKAA==\n",
	    { "\r\n\r\nhello, world, and all\r\n", "!attachment" } },
	{ "a page in UTF-16",
	    FROM "Content-Type: text/html; charset=utf-16be\n"
		 "Content-Transfer-Encoding: "
		 "base64\n\nADwAcAA+"
		 "AGgAZQBsAGwAbwAsACAAdwBvAHIAbABkACwAIABhAG4AZAAgAGEAbABsACAAd"
		 "ABoAGEAdAAgAGkAcwAgAGkAbgAgAGkAdAA8AC8AcAA+\n",
	    { "<p>hello, world, and all that is in it</p>", "!attachment",
		"!removed" } },
	{ "a program that says UTF-16",
	    FROM "Content-Type: text/plain; charset=utf-16le\n\n"
		 "MZ\x90\x03\x01\x01\x01",
	    { "removed-1.txt" } },
	{ "EUC-JP",
	    FROM "Content-Type: text/plain; charset=euc-jp\n\n\xa4\xa2\n",
	    { "charset=UTF-8\r\n", "44GC" } },
	{ "a page",
	    FROM "Content-Type: text/html\n\n<p onclick=x>hello<script>y"
		 "</script><img src=http://a.test/b><img src=\"c.png\">",
	    { "text/html; charset=UTF-8", "<p>hello<img/><img/></p>",
		"!script" } },
	{ "a link that lies",
	    FROM "Content-Type: text/html\n\n"
		 "<a href=\"http://evil.test/\">www.bank.test</a>",
	    { "www.bank.test</a> [evil.test]" } },
	{ "a link that does not",
	    FROM "Content-Type: text/html\n\n"
		 "<a href=\"http://www.bank.test/x\">bank.test</a>",
	    { "bank.test</a></body>" } },
	{ "a link that lies in a page with a name",
	    FROM "Content-Type: text/html; name=a.html\n"
		 "Content-Disposition: inline\n\n"
		 "<a href=\"http://evil.test/\">www.bank.test</a>",
	    { "name=\"a.html\"", "vYT4gW2V2aWwudGVzdF08" } },
	{ "a link that lies without slashes",
	    LINK("http:evil.test/?://www.bank.test/", "https://www.bank.test/"),
	    { "https://www.bank.test/</a> [evil.test]" } },
	{ "a link that lies behind a blank",
	    LINK("http://evil.test/", "&#160;https://www.bank.test/"),
	    { "</a> [ev" } },
	{ "a link that lies after the truth",
	    LINK("http://evil.test/",
		"<i>http://evil.test/</i> https://www.bank.test/"),
	    { "https://www.bank.test/</a> [evil.test]" } },
	{ "a link that lies in a sentence",
	    LINK("http://evil.test/", "see www.bank.test now"),
	    { "now</a> [evil.test]" } },
	{ "a link that lies far behind blanks",
	    LINK("http://evil.test/",
		BLANKS BLANKS BLANKS BLANKS "www.bank.test"),
	    { "www.bank.test</a> [evil.test]" } },
	{ "a link that lies with what is not seen",
	    LINK("http://evil.test/", "https:&#8203;//www.bank.test/"),
	    { "</a> [ev" } },
	{ "a link that lies in full width",
	    LINK("http://evil.test/", "ｂａｎｋ．ｔｅｓｔ"),
	    { "</a> [evil.test]" } },
	{ "a link that lies with a dot behind it",
	    LINK("http://evil.test/", "https://www.bank.test./"),
	    { "www.bank.test./</a> [evil.test]" } },
	{ "a link that lies before an at sign",
	    LINK("http://evil.test/", "https://www.bank.test@evil.test/"),
	    { "@evil.test/</a> [evil.test]" } },
	{ "a link in a sentence of Japan",
	    LINK("http://bank.test/", "こちらはwww.bank.testです。"),
	    { "!bank.test]" } },
	{ "a link of a drawing",
	    FROM
	    "Content-Type: text/html\n\n<svg><a href=\"http://evil.test/\">"
	    "<text>www.bank.test</text></a></svg>",
	    { "<a><text>www.bank.test</text></a>", "!evil.test" } },
	{ "a heading of full width", LINK("http://bank.test/", "１．概要"),
	    { "!bank.test]" } },
	{ "a program as a text", FROM "\nMZ\x90\x03\x01\x01\x01",
	    { "removed-1.txt" } },
	{ "a name that is safe",
	    MIXED "--B\n" ATTACHED "\"..\\\\..\\\\C:a?.txt\"\n\nhello\n" END,
	    { "filename=\"C_a_.txt\"" } },
	{ "a name in Shift_JIS",
	    MIXED "--B\n" ATTACHED "\"\x95\x5c.txt\"\n\nhello\n" END,
	    { "filename*=UTF-8''%E8%A1%A8.txt" } },
	{ "a name in ISO-2022-JP",
	    MIXED "--B\n" ATTACHED "\"\x1b$B$\"\x1b(B.txt\"\n\nhello\n" END,
	    { "filename*=UTF-8''%E3%81%82.txt" } },
	{ "a long name, of ten pieces at most",
	    MIXED
	    "--B\nContent-Disposition: attachment; filename*=UTF-8''" KANA_8
		KANA_8 KANA_8 KANA_8 KANA_8 KANA_8 KANA_8 KANA_8 KANA_8 KANA_8
	    ".txt\n\nhello\n" END,
	    { "filename*6*=", "!filename*10*=", ".txt\r\n" } },
	{ "a name of Japan",
	    MIXED "--B\nContent-Type: text/plain;"
		  " name=\"=?ISO-2022-JP?B?GyRCSTEbKEI=?=.txt\"\n\nhello\n" END,
	    { "filename*=UTF-8''%E5%A7%AB.txt",
		"name=\"=?UTF-8?B?5aerLnR4dA==?=\"" } },
};

START_TEST(mail_has_one_structure)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, bytes_of(structures[_i].in), "");
	check_refused(&t, REFUSED_NOT);
	for (size_t i = 0; i < COUNT(structures[_i].want); i++) {
		const char *want = structures[_i].want[i];

		if (want == NULL)
			break;
		ck_assert_msg(
		    has(&t, want + (want[0] == '!')) == (want[0] != '!'),
		    "%s: %s in %.*s", structures[_i].name, want,
		    BYTES_PRINTF(t.out.content));
	}
	drive_detox_release(&t);
}
END_TEST

/* What was rebuilt is rebuilt to the same. */
START_TEST(mail_is_its_own_rebuilding)
{
	struct drive_detox t;
	struct buf first;

	begin(&t);
	drive_detox_run(&t, bytes_of(structures[_i].in), "");
	check_refused(&t, REFUSED_NOT);
	buf_init(&first, t.out.content.n + 1);
	ck_assert(buf_append(&first, buf_bytes(&t.out.content)) == 0);
	for (int i = 0; i < 2; i++) {
		size_t n = t.out.content.n;
		uint8_t *p = malloc(n + 1);

		memcpy(p, t.out.content.p, n);
		drive_detox_run(&t, (struct bytes){ p, n }, "");
		check_refused(&t, REFUSED_NOT);
		free(p);
	}
	/* All but the boundaries, which are of the object's digest. */
	ck_assert_uint_eq(t.out.content.n, first.n);
	buf_release(&first);
	drive_detox_release(&t);
}
END_TEST

/* Limits. */

/* The piece n times, each '#' in it the number of the time. */
static void
fill(struct buf *b, const char *head, const char *piece, unsigned n)
{
	buf_init(b, (size_t)64 << 20);
	ck_assert(buf_append_string(b, head) == 0);
	for (unsigned i = 0; i < n; i++)
		for (const char *p = piece; *p != '\0'; p++)
			ck_assert(
			    (*p == '#' ? buf_printf(b, "%u", i)
				       : buf_append(b,
					     (struct bytes){ (const uint8_t *)p,
						 1 })) == 0);
}

#define COLONS_64 \
	"::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::"
#define COLONS COLONS_64 COLONS_64 COLONS_64 COLONS_64

static const struct {
	const char *name;
	const char *head, *piece;
	unsigned n;
	enum detox_refusal want;
} floods[] = {
	{ "mails within mails", "", "Content-Type: message/rfc822\n\n", 50000,
	    REFUSED_DEPTH },
	{ "multiparts within multiparts", "",
	    "Content-Type: multipart/mixed; boundary=#\n\n--#\n", 50000,
	    REFUSED_DEPTH },
	{ "parts", MIXED, "--B\n\n\n", 100000, REFUSED_ENTRIES },
	{ "fields", "", "X-#: y\n", 100000, REFUSED_ENTRIES },
	{ "a long header", "Subject: a\n",
	    " # "
	    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
	    "yyyyyyyyyyyyyyyyyyyyyyyyy\n",
	    100000, REFUSED_SIZE },
	{ "parameters", "Content-Type: text/plain", ";\n a#=b", 10000,
	    REFUSED_NOT },
	{ "words", "Subject: ", "=?a?B?", 50000, REFUSED_NOT },
	{ "comments", "Content-Type: ", "(", 100000, REFUSED_NOT },
	{ "addresses", "To: ", "(<\"#@,\n ", 20000, REFUSED_NOT },
	{ "uuencoded files", "\n", "begin 644 a\n%:&5L;&\\ \n", 20000,
	    REFUSED_NOT },
	{ "uuencoded files within each other", "\n",
	    "BEGIN 644 0123456789012345678901234567890123456\n", 8000,
	    REFUSED_NOT },
	{ "hosts in a link's words",
	    "Content-Type: text/html\n\n<a href=https://a.test/>x ", "_www.",
	    100000, REFUSED_NOT },
	{ "streams of files", MIXED,
	    "--B\n" ATTACHED "\"\x83\x5c" COLONS COLONS COLONS COLONS
	    "\"\n\nx\n",
	    300, REFUSED_NOT },
};

START_TEST(mail_refuses_floods_at_once)
{
	struct timespec a, b;
	struct drive_detox t;
	struct buf mail;
	double seconds;

	begin(&t);
	fill(&mail, floods[_i].head, floods[_i].piece, floods[_i].n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	drive_detox_run(&t, buf_bytes(&mail), "");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	check_refused(&t, floods[_i].want);
	seconds = (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	ck_assert_msg(seconds < 2, "%s: %f s", floods[_i].name, seconds);
	buf_release(&mail);
	drive_detox_release(&t);
}
END_TEST

START_TEST(mail_that_is_encrypted_is_held)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t,
	    BYTES(FROM "Content-Type: multipart/encrypted; boundary=B\n\n--B\n"
		       "\nhello\n" END),
	    "");
	check_refused(&t, REFUSED_ENCRYPTED);
	drive_detox_release(&t);
}
END_TEST

START_TEST(mail_is_refused_where_the_profile_says_so)
{
	struct drive_detox t;

	begin(&t);
	t.profile.mail_left_out = DETOX_MAIL_REFUSE;
	drive_detox_run(
	    &t, BYTES(MIXED "--B\n" ATTACHED "a.exe\n\nx\n" END), "");
	check_refused(&t, REFUSED_PROGRAM);
	drive_detox_release(&t);
}
END_TEST

START_TEST(mail_of_a_strict_profile_has_no_page)
{
	struct drive_detox t;

	begin(&t);
	t.profile.mail_html = DETOX_MAIL_TEXT;
	drive_detox_run(
	    &t, BYTES(FROM "Content-Type: text/html\n\n<p>a<p><b>b</b>\n"), "");
	check_refused(&t, REFUSED_NOT);
	ck_assert(has(&t, "text/plain") && has(&t, "a\r\nb\r\n"));
	ck_assert(!has(&t, "<b>"));
	drive_detox_run(&t,
	    BYTES(FROM "Content-Type: text/html; name=a.html\n"
		       "Content-Disposition: inline\n\n<p>a<p><b>b</b>\n"),
	    "");
	check_refused(&t, REFUSED_NOT);
	ck_assert(has(&t, "text/plain") && has(&t, "filename=\"a.txt\""));
	ck_assert(!has(&t, "text/html"));
	drive_detox_release(&t);
}
END_TEST

#define ORDER "Sekisho-Order: ref=AB12; banner=1,5; authserv=mx.a.test\n"

START_TEST(mail_tells_what_was_taken_out)
{
	static const char *const want[] = { "hi", "Taken out: script x1",
		"the reference AB12.", "first mail from this sender",
		"could not be verified", "初めてです", "受付番号 AB12" };
	struct drive_detox t;
	const char *parts, *page;

	begin(&t);
	t.profile.mail_notice = true;
	drive_detox_run(&t,
	    BYTES(ORDER MIXED "--B\n\nhi\n--B\nContent-Type: text/html\n\n"
			      "<p>hi<script>x</script>\n" END),
	    "");
	check_refused(&t, REFUSED_NOT);
	ck_assert(!has(&t, "Sekisho-Order"));
	parts = read_parts(&t);
	page = strstr(parts, "[text/html ]");
	ck_assert_ptr_nonnull(page);
	for (size_t i = 1; i < COUNT(want); i++)
		ck_assert_msg(strstr(page, want[i]) != NULL &&
			strstr(parts, want[i]) < page,
		    "%s: %s", want[i], parts);
	drive_detox_release(&t);
}
END_TEST

/* Another than the checkpoint gives none. */
START_TEST(mail_obeys_an_order_in_its_first_line_alone)
{
	static const struct {
		const char *declared;
		const char *mail;
	} all[] = {
		{ "message/rfc822", FROM ORDER "\nhi\n" },
		{ "message/rfc822",
		    "Content-Type: message/rfc822\n\n" ORDER "\nhi\n" },
		{ "text/plain", ORDER FROM "\nhi\n" },
	};
	struct drive_detox t;

	begin(&t);
	for (size_t i = 0; i < COUNT(all); i++) {
		t.declared = all[i].declared;
		drive_detox_run(&t, bytes_of(all[i].mail), "a.eml");
		check_refused(&t, REFUSED_NOT);
		ck_assert(!has(&t, "first mail") && !has(&t, "Sekisho"));
	}
	drive_detox_release(&t);
}
END_TEST

/* Its own results stay, others do not, whatever they call themselves. */
START_TEST(mail_keeps_results_of_the_checkpoint_alone)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t,
	    BYTES(
		"Sekisho-Order: authserv=mx.a.test; results=1\n"
		"Authentication-Results: mx.a.test; spf=fail\n"
		"Authentication-Results: mx.a.test; spf=pass\n" FROM "\nhi\n"),
	    "");
	ck_assert(has(&t, "spf=fail") && !has(&t, "spf=pass"));
	drive_detox_run(&t,
	    BYTES(
		"Sekisho-Order: authserv=mx.a.test\n"
		"Authentication-Results: mx.a.test; spf=pass\n" FROM "\nhi\n"),
	    "");
	ck_assert(!has(&t, "spf=pass"));
	drive_detox_release(&t);
}
END_TEST

/* Outlook's. */

static void
run_file(struct drive_detox *t, const char *path)
{
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	ck_assert_msg(file_read(path, &b, &e) == 0, "%s", e.text);
	begin(t);
	t->declared = NULL;
	drive_detox_run(t, buf_bytes(&b), path);
	buf_release(&b);
	check_refused(t, REFUSED_NOT);
	ck_assert_str_eq(t->out.extension, "eml");
}

static const struct {
	const char *path;
	const char *want[8];
} outlook[] = {
	{ "tests/data/detox_msg/full.msg",
	    { "[text/plain ]本文です。", "[text/html ]",
		"<p>本文<img src=\"cid:a\"/></p>", "[text/csv 表.csv]a,b",
		"[image/png a.png]", "[text/plain removed-1.txt]",
		"[message/rfc822 ]", "!attachment-" } },
	{ "tests/data/detox_msg/rtf.msg",
	    { "[text/html ]", "日本 日<b>{x}</b></p>", "!script>",
		"![text/plain" } },
	{ "tests/data/detox_msg/cp932.msg", { "[text/plain ]日本語の本文" } },
	{ "tests/data/detox_tnef/winmail.dat",
	    { "<p>頁</p>", "[text/csv 計画.csv]a,b",
		"[text/plain removed-1.txt]", "!script" } },
};

START_TEST(mail_of_outlook_becomes_one_of_mime)
{
	struct drive_detox t;
	const char *parts;

	run_file(&t, outlook[_i].path);
	parts = read_parts(&t);
	for (size_t i = 0; i < COUNT(outlook[_i].want); i++) {
		const char *want = outlook[_i].want[i];

		if (want == NULL)
			break;
		ck_assert_msg((strstr(parts, want + (want[0] == '!')) !=
				  NULL) == (want[0] != '!'),
		    "%s in %s", want, parts);
	}
	drive_detox_release(&t);
}
END_TEST

START_TEST(msg_gives_what_outlook_shows)
{
	static const char *const want[] = {
		"From: =?UTF-8?B?5bGx55SwIOWkqumDjg==?= <yamada@city.test>\r\n",
		"To: =?UTF-8?B?6Yi05pyo?= <suzuki@pref.test>\r\n",
		"Cc: b@pref.test\r\n",
		"Date: Sun, 2 Feb 2025 00:00:00 +0000\r\n",
		"Message-ID: <m@a.test>\r\n",
		"Received: from a by b; x\r\n",
	};
	struct drive_detox t;

	run_file(&t, "tests/data/detox_msg/full.msg");
	for (size_t i = 0; i < COUNT(want); i++)
		ck_assert_msg(has(&t, want[i]), "%s in %.*s", want[i],
		    BYTES_PRINTF(t.out.content));
	ck_assert(!has(&t, "hidden@pref.test") && !has(&t, "X-Secret"));
	drive_detox_release(&t);
}
END_TEST

/* It has 13 storages and 48 streams; a recipient alone has a dozen of these. */
START_TEST(msg_has_a_limit_of_storages)
{
	enum {
		STORAGES = 13,
		MAIL_PARTS = 2, /* of what it became */
	};
	static const struct {
		unsigned entries_max;
		enum detox_refusal want;
	} limits[] = {
		{ STORAGES + MAIL_PARTS, REFUSED_NOT },
		{ STORAGES - 1, REFUSED_ENTRIES },
	};

	for (size_t i = 0; i < COUNT(limits); i++) {
		struct drive_detox t;
		struct buf b;
		struct err e;

		buf_init(&b, 1 << 20);
		ck_assert(
		    file_read("tests/data/detox_msg/full.msg", &b, &e) == 0);
		begin(&t);
		t.declared = NULL;
		t.profile.entries_max = limits[i].entries_max;
		drive_detox_run(&t, buf_bytes(&b), "a.msg");
		check_refused(&t, limits[i].want);
		buf_release(&b);
		drive_detox_release(&t);
	}
}
END_TEST

/* Each shorter file is refused, or read as far as it goes. */
START_TEST(mail_of_outlook_may_be_cut)
{
	struct drive_detox t;
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	ck_assert(file_read(outlook[_i].path, &b, &e) == 0);
	begin(&t);
	t.declared = NULL;
	for (size_t n = 0; n < b.n; n += n < 256 ? 1 : 61)
		drive_detox_run(&t, (struct bytes){ b.p, n }, outlook[_i].path);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

/* [MS-OXRTFCP], 3.1.1 and 3.1.2. */
static const struct {
	struct bytes in;
	const char *out;
} packed[] = {
	{ BYTES_ROW("\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5"
		    "\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32\x35\x42"
		    "\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0"
		    "\x6c\x64\x7d\x0a\x80\x0f\xa0"),
	    "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n" },
	{ BYTES_ROW("\x1a\x00\x00\x00\x1c\x00\x00\x00\x4c\x5a\x46\x75\xe2\xd4"
		    "\x4b\x51\x41\x00\x04\x20\x57\x58\x59\x5a\x0d\x6e\x7d\x01"
		    "\x0e\xb0"),
	    "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}" },
};

START_TEST(rtfmail_unpacks_what_outlook_packs)
{
	struct buf out;

	buf_init(&out, 1024);
	ck_assert(rtfmail_unpack(packed[_i].in, &out) == 0);
	ck_assert_msg(bytes_equal(buf_bytes(&out), bytes_of(packed[_i].out)),
	    "%.*s", BYTES_PRINTF(out));
	buf_release(&out);
}
END_TEST

Suite *
mail_suite(void)
{
	Suite *s = suite_create("mail");
	TCase *c = tcase_create("mail");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, mail_writes_fields_anew, 0, (int)COUNT(fields));
	tcase_add_test(c, mail_keeps_the_first_of_doubles);
	tcase_add_loop_test(
	    c, mail_leaves_programs_out, 0, (int)COUNT(programs));
	tcase_add_loop_test(
	    c, mail_has_one_structure, 0, (int)COUNT(structures));
	tcase_add_loop_test(
	    c, mail_is_its_own_rebuilding, 0, (int)COUNT(structures));
	tcase_add_loop_test(
	    c, mail_refuses_floods_at_once, 0, (int)COUNT(floods));
	tcase_add_test(c, mail_that_is_encrypted_is_held);
	tcase_add_test(c, mail_is_refused_where_the_profile_says_so);
	tcase_add_test(c, mail_of_a_strict_profile_has_no_page);
	tcase_add_test(c, mail_tells_what_was_taken_out);
	tcase_add_test(c, mail_obeys_an_order_in_its_first_line_alone);
	tcase_add_test(c, mail_keeps_results_of_the_checkpoint_alone);
	tcase_add_loop_test(
	    c, mail_of_outlook_becomes_one_of_mime, 0, (int)COUNT(outlook));
	tcase_add_test(c, msg_gives_what_outlook_shows);
	tcase_add_test(c, msg_has_a_limit_of_storages);
	tcase_add_loop_test(
	    c, mail_of_outlook_may_be_cut, 0, (int)COUNT(outlook));
	tcase_add_loop_test(
	    c, rtfmail_unpacks_what_outlook_packs, 0, (int)COUNT(packed));
	suite_add_tcase(s, c);
	return s;
}
