/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/dialog.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define HI "220 mx.test ESMTP\r\n"
#define EHLO "EHLO us.test\r\n"
#define PLAIN "250 mx.test\r\n"
#define PIPES "250-mx.test\r\n250 PIPELINING\r\n"
#define OK "250 2.0.0 fine\r\n"
#define GO "354 go on\r\n"
#define MAIL "MAIL FROM:<a@us.test>\r\n"
#define RCPT(who) "RCPT TO:<" who "@mx.test>\r\n"
#define BODY "Subject: x\r\n\r\ntext\r\n"

enum who {
	END = 0,
	PEER,    /* says text */
	US,      /* have said text since the last one of these */
	BEGIN,   /* the mail */
	CONTENT, /* text is sent */
	SECURE,
	QUIT,
};

struct step {
	enum who who;
	const char *text;
};

enum mail_kind {
	MAIL_ONE = 0,
	MAIL_THREE,
	MAIL_DSN,
	MAIL_INTERNATIONAL,
	MAIL_EIGHT_BIT,
	MAIL_DOTS,
	MAIL_ASK,
	MAIL_BAD,
};

#define ADDRESS(string)                                 \
	{                                               \
		.address = {.text = BYTES_ROW(string) } \
	}

static const struct mail_recipient
    one = ADDRESS("b@mx.test"),
    two = ADDRESS("c@mx.test"), three = ADDRESS("d@mx.test"),
    told = { .address = { .text = BYTES_ROW("b@mx.test") },
	    .notify = NOTIFY_SUCCESS | NOTIFY_DELAY,
	    .orcpt = BYTES_ROW("rfc822;b+40mx.test") },
    bad = ADDRESS("b@mx.test>\r\nDATA");
static const struct mail_recipient *const alone[] = { &one },
					  *const all[] = { &one, &two, &three },
					  *const dsn[] = { &told },
					  *const bads[] = { &one, &bad };
static const struct envelope
    simple = { .sender = { .text = BYTES_ROW("a@us.test") } },
    returns = { .sender = { .text = BYTES_ROW("a@us.test") },
	    .envid = BYTES_ROW("id+2Bx"),
	    .ret = RETURN_HEADERS },
    utf8 = { .sender = { .text = BYTES_ROW("\xe5@us.test") }, .utf8 = true },
    null = { .ret = RETURN_UNSAID };

#define SHIP(e, r, ...)                                                 \
	{                                                               \
		.kind = DIALOG_SHIP, .envelope = &(e), .recipients = r, \
		.recipients_n = COUNT(r), __VA_ARGS__                   \
	}
#define TEXT \
	.head = BYTES_ROW("Subject: x\r\n"), .body = BYTES_ROW("\r\ntext\r\n")

static const struct dialog_mail mails[] = {
	[MAIL_ONE] = SHIP(simple, alone, TEXT),
	[MAIL_THREE] = SHIP(simple, all, TEXT),
	[MAIL_DSN] = SHIP(returns, dsn, TEXT),
	[MAIL_INTERNATIONAL] = SHIP(utf8, alone, TEXT),
	[MAIL_EIGHT_BIT] = SHIP(simple, alone, TEXT, .eight_bit = true),
	[MAIL_DOTS] = SHIP(simple, alone, .head = BYTES_ROW(".a: b\r\n"),
	    .body = BYTES_ROW(".\r\n..\r\nx.\r\n.\n.x")),
	[MAIL_ASK] = { .kind = DIALOG_ASK,
	    .envelope = &null,
	    .recipients = alone,
	    .recipients_n = 1 },
	[MAIL_BAD] = SHIP(simple, bads, TEXT),
};

static const struct {
	const char *name;
	enum mail_kind mail;
	enum dialog_tls tls;
	struct step steps[24];
	enum dialog_state want;
	const char *replies; /* of the mail; '-': and it was not heard of */
} cases[] = {
	{ "one command after the other", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PLAIN }, { BEGIN, "" },
		{ US, MAIL }, { PEER, OK }, { US, RCPT("b") }, { PEER, OK },
		{ US, "DATA\r\n" }, { PEER, GO }, { CONTENT, BODY ".\r\n" },
		{ PEER, OK }, { QUIT, "" }, { US, "QUIT\r\n" } },
	    DIALOG_QUIT, "250 2.0.0 fine|" },
	{ "pipelined", MAIL_THREE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") RCPT("c") RCPT("d") "DATA\r\n" },
		{ PEER, OK OK "550-5.1.1 who\r\n550 5.1.1 is that\r\n" OK GO },
		{ CONTENT, BODY ".\r\n" }, { PEER, "250 2.6.0 queued\r\n" } },
	    DIALOG_READY,
	    "250 2.6.0 queued|550 5.1.1 who is that|250 2.6.0 queued|" },
	{ "MAIL is refused", MAIL_THREE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PLAIN }, { BEGIN, "" },
		{ US, MAIL }, { PEER, "550 5.7.1 no\r\n" }, { US, "RSET\r\n" },
		{ PEER, OK } },
	    DIALOG_READY, "550 5.7.1 no|550 5.7.1 no|550 5.7.1 no|" },
	{ "MAIL is refused, and all that was said behind it", MAIL_ONE,
	    DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" },
		{ PEER, "450 later\r\n503 no\r\n503 no\r\n" },
		{ US, "RSET\r\n" }, { PEER, OK } },
	    DIALOG_READY, "450  later|" },
	{ "nobody is left, so DATA is not said", MAIL_THREE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PLAIN }, { BEGIN, "" },
		{ US, MAIL }, { PEER, OK }, { US, RCPT("b") },
		{ PEER, "550 1\r\n" }, { US, RCPT("c") }, { PEER, "550 2\r\n" },
		{ US, RCPT("d") }, { PEER, "450 3\r\n" }, { US, "RSET\r\n" } },
	    DIALOG_RESET, "550  1|550  2|450  3|" },
	{ "nobody is left, and the peer wants the content", MAIL_ONE,
	    DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK "550 1\r\n" GO },
		{ CONTENT, ".\r\n" }, { PEER, "554 nobody\r\n" },
		{ US, "RSET\r\n" }, { PEER, OK } },
	    DIALOG_READY, "550  1|" },
	{ "DATA is refused", MAIL_THREE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") RCPT("c") RCPT("d") "DATA\r\n" },
		{ PEER,
		    OK OK OK "551 5.1.6 gone\r\n"
			     "451 4.3.0 full\r\n" },
		{ US, "RSET\r\n" }, { PEER, OK } },
	    DIALOG_READY, "451 4.3.0 full|451 4.3.0 full|551 5.1.6 gone|" },
	{ "the content is refused", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK GO },
		{ CONTENT, BODY ".\r\n" }, { PEER, "550 5.7.1 spam\r\n" },
		{ US, "RSET\r\n" }, { PEER, OK } },
	    DIALOG_READY, "550 5.7.1 spam|" },
	{ "dots are stuffed", MAIL_DOTS, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK GO },
		{ CONTENT, "..a: b\r\n..\r\n...\r\nx.\r\n..\n..x\r\n.\r\n" },
		{ PEER, OK } },
	    DIALOG_READY, "250 2.0.0 fine|" },
	{ "parameters as offered", MAIL_DSN, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO },
		{ PEER, "250-mx.test DSN\r\n250-size 30\r\n250 DSN\r\n" },
		{ BEGIN, "" },
		{ US,
		    "MAIL FROM:<a@us.test> SIZE=20 RET=HDRS"
		    " ENVID=id+2Bx\r\n" },
		{ PEER, OK },
		{ US,
		    "RCPT TO:<b@mx.test> NOTIFY=SUCCESS,DELAY"
		    " ORCPT=rfc822;b+40mx.test\r\n" } },
	    DIALOG_RCPT, "0  |" },
	{ "parameters that are not offered", MAIL_DSN, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, "250 DSN\r\n" },
		{ BEGIN, "" }, { US, MAIL }, { PEER, OK }, { US, RCPT("b") } },
	    DIALOG_RCPT, "0  |" },
	{ "a peer that is told of 8 bits", MAIL_EIGHT_BIT, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO },
		{ PEER, "250-mx.test\r\n250 8BITMIME\r\n" }, { BEGIN, "" },
		{ US, "MAIL FROM:<a@us.test> BODY=8BITMIME\r\n" } },
	    DIALOG_MAIL, "-0  |" },
	{ "a peer that knows no 8 bits", MAIL_EIGHT_BIT, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, "" } },
	    DIALOG_READY, "-554 5.6.3 The next hop takes no 8-bit mail|" },
	{ "a peer that is told of UTF-8", MAIL_INTERNATIONAL, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO },
		{ PEER, "250-mx.test\r\n250 SMTPUTF8\r\n" }, { BEGIN, "" },
		{ US, "MAIL FROM:<\xe5@us.test> SMTPUTF8\r\n" } },
	    DIALOG_MAIL, "-0  |" },
	{ "a peer that knows no UTF-8", MAIL_INTERNATIONAL, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, "" } },
	    DIALOG_READY,
	    "-553 5.6.7 The next hop takes no internationalized mail|" },
	{ "a mail of as many bytes as the peer takes", MAIL_ONE,
	    DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO },
		{ PEER, "250-mx.test\r\n250 SIZE 20\r\n" }, { BEGIN, "" },
		{ US, "MAIL FROM:<a@us.test> SIZE=20\r\n" } },
	    DIALOG_MAIL, "-0  |" },
	{ "a mail of one byte more", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO },
		{ PEER, "250-mx.test\r\n250 SIZE 19\r\n" }, { BEGIN, "" },
		{ US, "" } },
	    DIALOG_READY,
	    "-552 5.3.4 The next hop takes no mail of more than 19 bytes|" },
	{ "an address that is more than one line", MAIL_BAD, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, "" } },
	    DIALOG_READY,
	    "-554 5.6.0 An address or parameter cannot be sent|"
	    "554 5.6.0 An address or parameter cannot be sent|" },
	{ "a recipient is asked about", MAIL_ASK, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, "MAIL FROM:<>\r\n" RCPT("b") },
		{ PEER, OK "250 2.1.5 known\r\n" }, { US, "RSET\r\n" },
		{ PEER, OK } },
	    DIALOG_READY, "250 2.1.5 known|" },
	{ "HELO when EHLO is unknown", MAIL_ONE, DIALOG_TLS_OFFERED,
	    { { PEER, "220-two\r\n220 lines\r\n" }, { US, EHLO },
		{ PEER, "502 what\r\n" }, { US, "HELO us.test\r\n" },
		{ PEER, "250 mx.test\r\n" }, { BEGIN, "" }, { US, MAIL } },
	    DIALOG_MAIL, "-0  |" },
	{ "TLS, and what was offered before is forgotten", MAIL_ONE,
	    DIALOG_TLS_REQUIRED,
	    { { PEER, HI }, { US, EHLO },
		{ PEER,
		    "250-mx.test\r\n250-DSN\r\n250-PIPELINING\r\n"
		    "250 STARTTLS\r\n" },
		{ US, "STARTTLS\r\n" }, { PEER, "220 go\r\n" }, { SECURE, "" },
		{ US, EHLO }, { PEER, "250-mx.test\r\n250 STARTTLS\r\n" },
		{ BEGIN, "" }, { US, MAIL } },
	    DIALOG_MAIL, "-0  |" },
	{ "TLS that is wanted is not offered", MAIL_ONE, DIALOG_TLS_REQUIRED,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES } }, DIALOG_BROKEN,
	    NULL },
	{ "TLS that is wanted is refused", MAIL_ONE, DIALOG_TLS_REQUIRED,
	    { { PEER, HI }, { US, EHLO }, { PEER, "250-x\r\n250 STARTTLS\r\n" },
		{ US, "STARTTLS\r\n" }, { PEER, "454 no\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "TLS that would be nice is refused", MAIL_ONE, DIALOG_TLS_OFFERED,
	    { { PEER, HI }, { US, EHLO }, { PEER, "250-x\r\n250 STARTTLS\r\n" },
		{ US, "STARTTLS\r\n" }, { PEER, "454 no\r\n" } },
	    DIALOG_READY, NULL },
	{ "plain words behind the 220 of STARTTLS", MAIL_ONE,
	    DIALOG_TLS_OFFERED,
	    { { PEER, HI }, { US, EHLO }, { PEER, "250-x\r\n250 STARTTLS\r\n" },
		{ US, "STARTTLS\r\n" }, { PEER, "220 go\r\n2" } },
	    DIALOG_BROKEN, NULL },
	{ "a greeting that refuses", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, "554 no mail here\r\n" } }, DIALOG_BROKEN, NULL },
	{ "EHLO is refused for now", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, "421 busy\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "a word between mails", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PLAIN },
		{ PEER, "421 bye\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "one answer too many", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK GO },
		{ CONTENT, BODY ".\r\n" }, { PEER, OK OK } },
	    DIALOG_BROKEN, "250 2.0.0 fine|" },
	{ "421 to MAIL says nothing about the mail", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PLAIN }, { BEGIN, "" },
		{ US, MAIL }, { PEER, "421 4.4.2 idle\r\n" } },
	    DIALOG_BROKEN, "-0  |" },
	{ "421 to RCPT ends it for the others", MAIL_THREE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") RCPT("c") RCPT("d") "DATA\r\n" },
		{ PEER, OK OK "421 4.3.2 down\r\n" } },
	    DIALOG_BROKEN, "0  |421 4.3.2 down|0  |" },
	{ "421 to the content", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK GO },
		{ CONTENT, BODY ".\r\n" }, { PEER, "421 4.3.2 down\r\n" } },
	    DIALOG_BROKEN, "421 4.3.2 down|" },
	{ "the content is refused before it is sent", MAIL_ONE,
	    DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" },
		{ PEER, OK OK GO "552 5.3.4 big\r\n" } },
	    DIALOG_BROKEN, "552 5.3.4 big|" },
	{ "the content is accepted before it is sent", MAIL_ONE,
	    DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK GO OK } },
	    DIALOG_BROKEN, "0  |" },
	{ "DATA is answered with 250", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK OK OK } },
	    DIALOG_BROKEN, "0  |" },
	{ "RCPT is answered with 354", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, HI }, { US, EHLO }, { PEER, PIPES }, { BEGIN, "" },
		{ US, MAIL RCPT("b") "DATA\r\n" }, { PEER, OK GO } },
	    DIALOG_BROKEN, "0  |" },
	{ "a bare LF", MAIL_ONE, DIALOG_TLS_NEVER, { { PEER, "220 x\n" } },
	    DIALOG_BROKEN, NULL },
	{ "two codes", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, "220-x\r\n221 x\r\n" } }, DIALOG_BROKEN, NULL },
	{ "no code", MAIL_ONE, DIALOG_TLS_NEVER, { { PEER, "SSH-2.0-x\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "two digits", MAIL_ONE, DIALOG_TLS_NEVER, { { PEER, "22 x\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "four digits", MAIL_ONE, DIALOG_TLS_NEVER, { { PEER, "2200 x\r\n" } },
	    DIALOG_BROKEN, NULL },
	{ "a code of 199", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, "199 x\r\n" } }, DIALOG_BROKEN, NULL },
	{ "a code of 600", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, "600 x\r\n" } }, DIALOG_BROKEN, NULL },
	{ "a code alone", MAIL_ONE, DIALOG_TLS_NEVER,
	    { { PEER, "220\r\n" }, { US, EHLO } }, DIALOG_EHLO, NULL },
};

struct run {
	const char *name;
	struct dialog d;
	struct buf said;
	struct dialog_mail mail;
	struct smtp_reply replies[3];
};

static void
take_output(struct run *r)
{
	ck_assert(buf_append(&r->said, dialog_output(&r->d)) == 0);
}

static void
feed(struct run *r, struct bytes in, size_t piece)
{
	while (in.n > 0) {
		dialog_feed(&r->d, bytes_take(&in, piece));
		take_output(r);
	}
}

static void
expect(struct run *r, const char *text)
{
	ck_assert_msg(bytes_equal(buf_bytes(&r->said), bytes_of(text)),
	    "%s: said %.*s, not %s", r->name, BYTES_PRINTF(buf_bytes(&r->said)),
	    text);
	r->said.n = 0;
}

static void
walk(struct run *r, const struct step *s, size_t cut, size_t piece)
{
	struct bytes text = bytes_of(s->text);

	switch (s->who) {
	case END:
		break;
	case PEER:
		feed(r, bytes_take(&text, cut), SIZE_MAX);
		feed(r, text, piece);
		break;
	case US:
		expect(r, s->text);
		break;
	case BEGIN:
		dialog_mail(&r->d, &r->mail);
		take_output(r);
		break;
	case CONTENT:
		while (r->d.state == DIALOG_CONTENT)
			ck_assert(buf_append(&r->said,
				      dialog_content(&r->d, cut + 1)) == 0);
		expect(r, s->text);
		break;
	case SECURE:
		dialog_secured(&r->d);
		take_output(r);
		break;
	case QUIT:
		dialog_quit(&r->d);
		take_output(r);
		break;
	}
}

static void
check_replies(const struct run *r, const char *want)
{
	struct buf got = { .max = 4096 };

	for (size_t i = 0; i < r->mail.recipients_n; i++)
		ck_assert(buf_printf(&got, "%u %s %s|", r->replies[i].code,
			      r->replies[i].enhanced, r->replies[i].text) == 0);
	ck_assert_msg(bytes_equal(buf_bytes(&got), bytes_of(want)),
	    "%s: %.*s, not %s", r->name, BYTES_PRINTF(buf_bytes(&got)), want);
	buf_release(&got);
}

static void
run(int i, size_t cut, size_t piece)
{
	struct run r = { .name = cases[i].name, .said = { .max = 4096 } };

	r.mail = mails[cases[i].mail];
	r.mail.replies = r.replies;
	dialog_init(&r.d, "us.test", cases[i].tls);
	for (const struct step *s = cases[i].steps; s->who != END; s++)
		walk(&r, s, cut, piece);
	ck_assert_msg(r.d.state == cases[i].want, "%s cut at %zu: %d, %s",
	    r.name, cut, (int)r.d.state, r.d.why == NULL ? "" : r.d.why);
	ck_assert(r.d.state != DIALOG_BROKEN || r.d.why != NULL);
	if (cases[i].replies != NULL) {
		ck_assert_msg(
		    r.d.heard == (cases[i].replies[0] != '-'), "%s", r.name);
		check_replies(&r, cases[i].replies + (r.d.heard ? 0 : 1));
	}
	dialog_release(&r.d);
	buf_release(&r.said);
}

static size_t
longest_step(int i)
{
	size_t n = 0;

	for (const struct step *s = cases[i].steps; s->who != END; s++)
		if (strlen(s->text) > n)
			n = strlen(s->text);
	return n;
}

/* However the network cuts what the peer says. */
START_TEST(dialog_says_and_hears)
{
	for (size_t cut = 0; cut <= longest_step(_i); cut++)
		run(_i, cut, SIZE_MAX);
	run(_i, 0, 1);
}
END_TEST

/* Who knows our questions before they have left is not answering them. */
START_TEST(dialog_takes_no_answer_before_its_question)
{
	struct dialog_mail m = mails[MAIL_THREE];
	struct smtp_reply replies[3] = { 0 };
	struct dialog d;

	m.replies = replies;
	dialog_init(&d, "us.test", DIALOG_TLS_NEVER);
	ck_assert_int_eq(dialog_feed(&d, BYTES(HI PLAIN)), DIALOG_BROKEN);
	dialog_release(&d);
	dialog_init(&d, "us.test", DIALOG_TLS_NEVER);
	dialog_feed(&d, BYTES(HI));
	dialog_output(&d);
	dialog_feed(&d, BYTES(PLAIN));
	dialog_mail(&d, &m);
	dialog_output(&d);
	ck_assert_int_eq(dialog_feed(&d, BYTES(OK OK)), DIALOG_BROKEN);
	ck_assert_uint_eq(replies[0].code, 0);
	dialog_release(&d);
}
END_TEST

static enum dialog_state
greeting(size_t line_n, size_t lines_n)
{
	static uint8_t line[2 * REPLY_LINE_MAX];
	struct dialog d;
	enum dialog_state state;

	memset(line, 'x', sizeof(line));
	memcpy(line, "220-", 4);
	memcpy(line + line_n - 2, "\r\n", 2);
	dialog_init(&d, "us.test", DIALOG_TLS_NEVER);
	for (size_t i = 1; i < lines_n; i++)
		dialog_feed(&d, (struct bytes){ line, line_n });
	line[3] = ' ';
	state = dialog_feed(&d, (struct bytes){ line, line_n });
	ck_assert(d.reader.reply.text[REPLY_TEXT_MAX] == '\0');
	dialog_release(&d);
	return state;
}

START_TEST(dialog_limits_replies)
{
	ck_assert_int_eq(greeting(REPLY_LINE_MAX, 1), DIALOG_EHLO);
	ck_assert_int_eq(greeting(REPLY_LINE_MAX + 1, 1), DIALOG_BROKEN);
	ck_assert_int_eq(greeting(100, REPLY_LINES_MAX), DIALOG_EHLO);
	ck_assert_int_eq(greeting(100, REPLY_LINES_MAX + 1), DIALOG_BROKEN);
}
END_TEST

#define MANY ((size_t)1000)

/* Never more than a window of commands without their answers. */
START_TEST(dialog_keeps_to_its_window)
{
	static const struct mail_recipient *recipients[MANY];
	static struct smtp_reply replies[MANY];
	struct dialog_mail m = mails[MAIL_ONE];
	struct dialog d;
	size_t asked = 0;

	for (size_t i = 0; i < MANY; i++)
		recipients[i] = &one;
	m.recipients = recipients;
	m.recipients_n = MANY;
	m.replies = replies;
	dialog_init(&d, "us.test", DIALOG_TLS_NEVER);
	dialog_feed(&d, BYTES(HI));
	dialog_output(&d);
	dialog_feed(&d, BYTES(PIPES));
	dialog_mail(&d, &m);
	while (d.state != DIALOG_DATA) {
		dialog_output(&d);
		ck_assert_uint_le(d.asked - asked, DIALOG_WINDOW);
		ck_assert_int_ne(dialog_feed(&d, BYTES(OK)), DIALOG_BROKEN);
		asked++;
	}
	dialog_output(&d);
	ck_assert_int_eq(dialog_feed(&d, BYTES(GO)), DIALOG_CONTENT);
	while (dialog_content(&d, 1).n > 0 && d.state == DIALOG_CONTENT)
		;
	ck_assert_int_eq(dialog_feed(&d, BYTES(OK)), DIALOG_READY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(replies[i].code, 250);
	dialog_release(&d);
}
END_TEST

/* What may have been accepted, for all that we know, has no answer. */
START_TEST(dialog_that_breaks_takes_back_what_was_not_final)
{
	struct dialog_mail m = mails[MAIL_THREE];
	struct smtp_reply replies[3] = { 0 };
	struct dialog d;

	m.replies = replies;
	dialog_init(&d, "us.test", DIALOG_TLS_NEVER);
	dialog_feed(&d, BYTES(HI));
	dialog_output(&d);
	dialog_feed(&d, BYTES(PIPES));
	dialog_mail(&d, &m);
	dialog_output(&d);
	dialog_feed(&d, BYTES(OK OK "550 no\r\n" OK GO));
	dialog_break(&d, "cut");
	ck_assert_uint_eq(replies[0].code, 0);
	ck_assert_uint_eq(replies[1].code, 550);
	ck_assert_uint_eq(replies[2].code, 0);
	ck_assert_str_eq(d.why, "cut");
	ck_assert_uint_eq(dialog_output(&d).n, 0);
	dialog_release(&d);
}
END_TEST

START_TEST(reply_is_one_line_of_printable_ascii)
{
	struct smtp_reply r;
	char longer[2 * REPLY_TEXT_MAX];

	reply_set(&r, 550, "5.7.1", "%s", "a\r\nb\xe5\x7f");
	ck_assert_uint_eq(r.code, 550);
	ck_assert_str_eq(r.enhanced, "5.7.1");
	ck_assert_str_eq(r.text, "a??b??");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	reply_set(&r, 250, NULL, "%s", longer);
	ck_assert_str_eq(r.enhanced, "");
	ck_assert_uint_eq(strlen(r.text), REPLY_TEXT_MAX);
}
END_TEST

Suite *dialog_suite(void);

Suite *
dialog_suite(void)
{
	Suite *s = suite_create("dialog");
	TCase *t = tcase_create("dialog");

	tcase_add_loop_test(t, dialog_says_and_hears, 0, COUNT(cases));
	tcase_add_test(t, dialog_takes_no_answer_before_its_question);
	tcase_add_test(t, dialog_limits_replies);
	tcase_add_test(t, dialog_keeps_to_its_window);
	tcase_add_test(t, dialog_that_breaks_takes_back_what_was_not_final);
	tcase_add_test(t, reply_is_one_line_of_printable_ascii);
	suite_add_tcase(s, t);
	return s;
}
