/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/session.h"

#include <check.h>
#include <string.h>

Suite *session_suite(void);

static const struct session_settings settings = {
	.name = "mx.test",
	.size_max = 100,
	.recipients_max = 2,
	.errors_max = 3,
	.messages_max = 2,
};

#define EHLO_ANSWER                                              \
	"250-mx.test\r\n250-PIPELINING\r\n250-SIZE 100\r\n"      \
	"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n" \
	"250 SMTPUTF8\r\n"
#define SENDER_OK "250 2.1.0 ok\r\n"
#define RECIPIENT_OK "250 2.1.5 ok\r\n"
#define GO_ON "354 end with <CRLF>.<CRLF>\r\n"
#define CLOSED "[closed]"

/*
 * What a client says, each group as it would come after our answer, and what it
 * hears; contents and resets are written between in brackets. The owner says
 * yes, but no to who begins with "no".
 */
static const struct {
	const char *name;
	const char *groups[6];
	const char *heard;
} cases[] = {
	{ "a mail",
	    { "EHLO a.test\r\n", "MAIL FROM:<a@a.test>\r\n",
		"RCPT TO:<b@b.test>\r\n", "DATA\r\n", "x\r\n.\r\n",
		"QUIT\r\n" },
	    EHLO_ANSWER SENDER_OK RECIPIENT_OK GO_ON
	    "[x]250 2.0.0 taken\r\n221 2.0.0 closing\r\n" CLOSED },
	{ "a mail in groups",
	    { "EHLO a.test\r\n",
		"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n"
		"RCPT TO:<no@b.test>\r\nDATA\r\n",
		"x\r\n.\r\nQUIT\r\n" },
	    EHLO_ANSWER SENDER_OK RECIPIENT_OK
	    "550 5.7.1 no\r\n" GO_ON
	    "[x]250 2.0.0 taken\r\n221 2.0.0 closing\r\n" CLOSED },
	{ "old SMTP", { "HELO a.test\r\n", "mail from:<>\r\n", "RSET\r\n" },
	    "250 mx.test\r\n" SENDER_OK "250 2.0.0 forgotten\r\n[reset]" },
	{ "old SMTP has no parameters",
	    { "HELO a.test\r\n", "MAIL FROM:<> SIZE=1\r\n" },
	    "250 mx.test\r\n501 5.5.4 HELO knows no parameters\r\n" },
	{ "order matters",
	    { "MAIL FROM:<>\r\n", "EHLO a\r\n", "RCPT TO:<a@b.test>\r\n",
		"DATA\r\n" },
	    "503 5.5.1 EHLO or HELO comes first\r\n" EHLO_ANSWER
	    "503 5.5.1 this command does not come here\r\n"
	    "503 5.5.1 this command does not come here\r\n" },
	{ "DATA wants a recipient",
	    { "EHLO a\r\n", "MAIL FROM:<>\r\nRCPT TO:<no@a.test>\r\nDATA\r\n" },
	    EHLO_ANSWER SENDER_OK
	    "550 5.7.1 no\r\n503 5.5.1 no recipient was accepted\r\n" },
	{ "content behind DATA ends it",
	    { "EHLO a\r\n",
		"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\nx\r\n.\r\n" },
	    EHLO_ANSWER SENDER_OK RECIPIENT_OK
	    "521 5.5.1 bytes behind a command that ends a group\r\n" CLOSED },
	{ "commands behind EHLO end it", { "EHLO a\r\nMAIL FROM:<>\r\n" },
	    "521 5.5.1 bytes behind a command that ends a group\r\n" CLOSED },
	{ "a bare LF ends it", { "EHLO a\n" },
	    "521 5.5.2 bare line feed\r\n" CLOSED },
	{ "controls end it", { "EHLO a\rb\r\n" },
	    "521 5.5.2 control characters in a command\r\n" CLOSED },
	{ "a browser", { "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
	    "521 5.5.2 this is SMTP\r\n" CLOSED },
	{ "a mail without DATA", { "EHLO a\r\n", "Subject: x\r\n" },
	    EHLO_ANSWER "521 5.5.2 this is SMTP\r\n" CLOSED },
	{ "not offered", { "EHLO a\r\n", "BDAT 3 LAST\r\n", "STARTTLS\r\n" },
	    EHLO_ANSWER "502 5.5.1 this is not offered\r\n"
			"502 5.5.1 STARTTLS is not offered\r\n" },
	{ "XCLIENT is for the trusted", { "XCLIENT ADDR=192.0.2.1\r\n" },
	    "550 5.7.1 XCLIENT is not for this client\r\n" },
	{ "too many errors", { "A\r\n", "B\r\n", "C\r\n", "D\r\n" },
	    "500 5.5.2 this command is not known\r\n"
	    "500 5.5.2 this command is not known\r\n"
	    "500 5.5.2 this command is not known\r\n"
	    "500 5.5.2 this command is not known\r\n"
	    "421 4.7.0 too many errors\r\n" CLOSED },
	{ "too many recipients",
	    { "EHLO a\r\n",
		"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<b@b.test>\r\n"
		"RCPT TO:<c@b.test>\r\n" },
	    EHLO_ANSWER SENDER_OK RECIPIENT_OK RECIPIENT_OK
	    "452 4.5.3 too many recipients\r\n" },
	{ "too large as declared",
	    { "EHLO a\r\n", "MAIL FROM:<> SIZE=101\r\n",
		"MAIL FROM:<> SIZE=100\r\n" },
	    EHLO_ANSWER "552 5.3.4 the mail is too large\r\n" SENDER_OK },
	{ "parameters are strict",
	    { "EHLO a\r\n", "MAIL FROM:<> SIZE=1 SIZE=2\r\n",
		"MAIL FROM:<> BODY=9BIT\r\n", "MAIL FROM:<> FOO=1\r\n" },
	    EHLO_ANSWER "501 5.5.4 SIZE is malformed\r\n"
			"501 5.5.4 BODY is malformed\r\n"
			"555 5.5.4 a parameter is not known\r\n" },
	{ "parameters",
	    { "EHLO a\r\n",
		"MAIL FROM:<\xe5\xb1\xb1@a.test> BODY=8BITMIME SMTPUTF8 "
		"RET=HDRS ENVID=a+2Bb SIZE=9\r\n"
		"RCPT TO:<b@b.test> NOTIFY=SUCCESS,DELAY "
		"ORCPT=rfc822;b@b.test\r\n"
		"RCPT TO:<c@b.test> NOTIFY=NEVER,DELAY\r\n" },
	    EHLO_ANSWER SENDER_OK RECIPIENT_OK
	    "501 5.5.4 NOTIFY is malformed\r\n" },
	{ "UTF-8 wants SMTPUTF8",
	    { "EHLO a\r\n", "MAIL FROM:<\xe5\xb1\xb1@a.test>\r\n" },
	    EHLO_ANSWER "501 5.1.3 " },
	{ "a second MAIL", { "EHLO a\r\n", "MAIL FROM:<>\r\nMAIL FROM:<>\r\n" },
	    EHLO_ANSWER SENDER_OK "503 5.5.1 a mail is begun already\r\n" },
	{ "EHLO forgets a mail",
	    { "EHLO a\r\n", "MAIL FROM:<>\r\n", "EHLO a\r\n",
		"RCPT TO:<a@b.test>\r\n" },
	    EHLO_ANSWER SENDER_OK EHLO_ANSWER
	    "[reset]503 5.5.1 this command does not come here\r\n" },
	{ "a refused sender",
	    { "EHLO a\r\n", "MAIL FROM:<no@a.test>\r\nRCPT TO:<a@b.test>\r\n" },
	    EHLO_ANSWER "550 5.7.1 no\r\n"
			"503 5.5.1 this command does not come here\r\n" },
};

static void
hear(struct session *s, struct buf *heard)
{
	ck_assert_int_eq(buf_append(heard, buf_bytes(&s->out)), 0);
	buf_consume(&s->out, s->out.n);
}

static void
decide(struct session *s, enum session_event e)
{
	const struct envelope *m = &s->envelope;
	struct bytes who = { 0 };
	struct smtp_reply r;

	reply_set(&r, 250,
	    e == SESSION_MAIL       ? "2.1.0"
		: e == SESSION_RCPT ? "2.1.5"
				    : "2.0.0",
	    e == SESSION_END ? "taken" : "ok");
	if (e == SESSION_MAIL)
		who = m->sender.text;
	else if (e == SESSION_RCPT)
		who = m->recipients[m->recipients_n - 1].address.text;
	if (bytes_start_with(who, BYTES("no")))
		reply_set(&r, 550, "5.7.1", "no");
	session_answer(s, &r);
}

/* All of a group, cut once. */
static bool
give(struct session *s, struct bytes in, struct buf *heard)
{
	enum session_event e;
	bool first = true;

	do {
		e = session_next(s, &in);
		hear(s, heard);
		if (e == SESSION_CONTENT) {
			struct bytes piece = s->piece;

			while (piece.n > 0 &&
			    (piece.p[piece.n - 1] == '\n' ||
				piece.p[piece.n - 1] == '\r'))
				piece.n--;
			if (piece.n > 0)
				ck_assert_int_eq(buf_printf(heard, "[%.*s]",
						     BYTES_PRINTF(piece)),
				    0);
		} else if (e == SESSION_RESET) {
			ck_assert_int_eq(
			    buf_append_string(heard, "[reset]"), 0);
		} else if (e == SESSION_CLOSE) {
			ck_assert_int_eq(buf_append_string(heard, CLOSED), 0);
		} else if (e != SESSION_MORE) {
			decide(s, e);
		}
		hear(s, heard);
		first = false;
	} while (e != SESSION_MORE && e != SESSION_CLOSE);
	(void)first;
	return e != SESSION_CLOSE;
}

static void
drive(size_t i, size_t every)
{
	struct session s;
	struct buf heard;
	const char *want = cases[i].heard;

	buf_init(&heard, 8192);
	session_init(&s, &settings);
	for (size_t g = 0; g < COUNT(cases[i].groups); g++) {
		struct bytes group = bytes_of(cases[i].groups[g]);
		bool open = true;

		/* What ends a group is seen only when it comes together. */
		while (group.n > 0 && open)
			open = give(&s,
			    bytes_take(&group, every == 0 ? group.n : every),
			    &heard);
		if (!open)
			break;
	}
	ck_assert_int_eq(buf_append(&heard, BYTES("\0")), 0);
	ck_assert_msg(strncmp((char *)heard.p, want, strlen(want)) == 0,
	    "%s (%zu):\n%s\ninstead of\n%s", cases[i].name, every,
	    (char *)heard.p, want);
	buf_release(&heard);
	session_release(&s);
}

START_TEST(session_answers)
{
	drive((size_t)_i, 0);
}
END_TEST

/* However the network cuts it; but early talk is what comes together. */
START_TEST(session_answers_at_every_cut)
{
	if (strstr(cases[_i].heard, "ends a group") == NULL &&
	    strstr(cases[_i].heard, "this is SMTP") == NULL)
		for (size_t every = 1; every < 40; every++)
			drive((size_t)_i, every);
}
END_TEST

START_TEST(session_line_has_a_limit)
{
	static uint8_t line[SESSION_LINE_MAX + 1];
	struct session s;
	struct buf heard;

	for (size_t n = SESSION_LINE_MAX; n <= SESSION_LINE_MAX + 1; n++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, "NOOP ", 5);
		memcpy(line + n - 2, "\r\n", 2);
		buf_init(&heard, 8192);
		session_init(&s, &settings);
		give(&s, (struct bytes){ line, n }, &heard);
		ck_assert(bytes_start_with(buf_bytes(&heard),
		    n == SESSION_LINE_MAX
			? BYTES("250 2.0.0 ok\r\n")
			: BYTES("500 5.5.2 the line is too long\r\n")));
		buf_release(&heard);
		session_release(&s);
	}
}
END_TEST

START_TEST(session_begins_anew_behind_tls)
{
	struct session s;
	struct buf heard;
	struct smtp_reply r;
	struct bytes in = BYTES("EHLO a\r\n");
	struct bytes tls = BYTES("STARTTLS\r\n");

	buf_init(&heard, 8192);
	session_init(&s, &settings);
	s.offers_tls = true;
	give(&s, in, &heard);
	ck_assert_int_eq(session_next(&s, &tls), SESSION_STARTTLS);
	reply_set(&r, 220, "2.0.0", "go");
	session_answer(&s, &r);
	session_secured(&s);
	ck_assert_int_eq(s.state, SESSION_FRESH);
	ck_assert_str_eq(s.helo, "");
	heard.n = 0;
	give(&s, BYTES("MAIL FROM:<>\r\n"), &heard);
	give(&s, BYTES("EHLO a\r\n"), &heard);
	ck_assert_int_eq(buf_append(&heard, BYTES("\0")), 0);
	ck_assert_ptr_nonnull(
	    strstr((char *)heard.p, "503 5.5.1 EHLO or HELO comes first"));
	ck_assert_ptr_null(strstr((char *)heard.p, "STARTTLS"));
	buf_release(&heard);
	session_release(&s);
}
END_TEST

START_TEST(session_hears_who_is_behind_a_trusted_host)
{
	struct session s;
	struct buf heard;
	struct bytes in =
	    BYTES("XCLIENT ADDR=IPV6:2001:db8::1 HELO=x+2Dy NAME=a\r\n");
	char text[ADDRESS_TEXT_MAX];

	buf_init(&heard, 8192);
	session_init(&s, &settings);
	s.offers_xclient = true;
	ck_assert_int_eq(session_next(&s, &in), SESSION_XCLIENT);
	ck_assert(s.claimed.has_address);
	ck_assert_str_eq(address_text(&s.claimed.address, text), "2001:db8::1");
	ck_assert_str_eq(s.claimed.helo, "x-y");
	buf_release(&heard);
	session_release(&s);
}
END_TEST

Suite *
session_suite(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");

	tcase_add_loop_test(t, session_answers, 0, (int)COUNT(cases));
	tcase_add_loop_test(
	    t, session_answers_at_every_cut, 0, (int)COUNT(cases));
	tcase_add_test(t, session_line_has_a_limit);
	tcase_add_test(t, session_begins_anew_behind_tls);
	tcase_add_test(t, session_hears_who_is_behind_a_trusted_host);
	suite_add_tcase(s, t);
	return s;
}
