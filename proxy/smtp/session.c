/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/session.h"

#include <string.h>

#include "proxy/smtp/parameters.h"

#define OUT_MAX ((size_t)1 << 20) /* the owner stops reading long before */

/* Commands in a row that bring no mail, before each counts as an error. */
#define IDLE_MAX 100
/* Recipients over the limit of a mail, as well. */
#define TOO_MANY_MAX 1000

/* In which states a command may come: a set of bits. */
enum {
	IN_FRESH = 1 << SESSION_FRESH,
	IN_GREETED = 1 << SESSION_GREETED,
	IN_SENDER = 1 << SESSION_SENDER,
	IN_RECIPIENTS = 1 << SESSION_RECIPIENTS,
	IN_ANY = IN_FRESH | IN_GREETED | IN_SENDER | IN_RECIPIENTS,
};

enum place {
	PLACE_ANY = 0,
	PLACE_LAST, /* of a group: nothing may come before our answer */
};

enum aim {
	AIM_NONE = 0,
	AIM_MAIL, /* it brings one, or ends the session */
};

struct command {
	struct bytes verb;
	unsigned states;
	enum place place;
	enum session_event (*run)(struct session *s, struct bytes argument);
	enum aim aim;
};

void
session_init(struct session *s, const struct session_settings *settings)
{
	*s = (struct session){ .settings = settings };
	buf_init(&s->out, OUT_MAX);
}

void
session_release(struct session *s)
{
	arena_release(&s->arena);
	buf_release(&s->out);
}

static enum session_event
close_session(struct session *s, const char *why)
{
	s->state = SESSION_CLOSED;
	s->why = why;
	return SESSION_CLOSE;
}

static void
put(struct session *s, const struct smtp_reply *r)
{
	/* OUT_MAX is far over what one group of commands can bring. */
	if (buf_printf(&s->out, "%u %s%s%s\r\n", r->code, r->enhanced,
		r->enhanced[0] == '\0' ? "" : " ", r->text) < 0)
		close_session(s, "it asks and does not listen");
}

static void
say(struct session *s, unsigned code, const char *enhanced, const char *text)
{
	struct smtp_reply r;

	reply_set(&r, code, enhanced, "%s", text);
	put(s, &r);
}

static enum session_event
agree(struct session *s, unsigned code, const char *enhanced, const char *text)
{
	say(s, code, enhanced, text);
	return SESSION_MORE;
}

/* Wrong: answered, counted. */
static enum session_event
reject(struct session *s, unsigned code, const char *enhanced, const char *text)
{
	s->errors++;
	return agree(s, code, enhanced, text);
}

static enum session_event
end_with(struct session *s, unsigned code, const char *enhanced,
    const char *text, const char *why)
{
	say(s, code, enhanced, text);
	return close_session(s, why);
}

/* No mail is begun. */
static void
forget_mail(struct session *s)
{
	s->resets = s->resets || s->state == SESSION_SENDER ||
	    s->state == SESSION_RECIPIENTS;
	s->envelope = (struct envelope){ 0 };
	s->recipients_size = 0;
	arena_release(&s->arena);
	arena_init(&s->arena);
	if (s->state != SESSION_FRESH && s->state != SESSION_CLOSED)
		s->state = SESSION_GREETED;
}

static enum session_event
ask(struct session *s, enum session_event e)
{
	s->asked = e;
	return e;
}

/* A name or address literal of printable characters; what it says is noted,
 * not believed. */
static bool
is_helo(struct bytes name)
{
	if (name.n == 0 || name.n > SESSION_HELO_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return true;
}

static bool
take_helo(struct session *s, struct bytes argument)
{
	if (!is_helo(argument)) {
		reject(s, 501, "5.5.4", "a host name is expected");
		return false;
	}
	forget_mail(s);
	memcpy(s->helo, argument.p, argument.n);
	s->helo[argument.n] = '\0';
	s->state = SESSION_GREETED;
	return true;
}

static enum session_event
run_helo(struct session *s, struct bytes argument)
{
	if (take_helo(s, argument)) {
		s->esmtp = false;
		say(s, 250, NULL, s->settings->name);
	}
	return SESSION_MORE;
}

static enum session_event
run_ehlo(struct session *s, struct bytes argument)
{
	if (!take_helo(s, argument))
		return SESSION_MORE;
	s->esmtp = true;
	if (buf_printf(&s->out,
		"250-%s\r\n250-PIPELINING\r\n250-SIZE %zu\r\n%s%s"
		"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
		"250 SMTPUTF8\r\n",
		s->settings->name, s->settings->size_max,
		s->offers_tls && !s->secured ? "250-STARTTLS\r\n" : "",
		s->offers_xclient ? "250-XCLIENT NAME ADDR PORT PROTO HELO\r\n"
				  : "") < 0)
		return close_session(s, "it asks and does not listen");
	return SESSION_MORE;
}

static enum session_event
run_mail(struct session *s, struct bytes argument)
{
	struct smtp_reply r;

	if (s->state != SESSION_GREETED)
		return reject(s, 503, "5.5.1", "a mail is begun already");
	if (parameters_of_mail(&s->envelope, argument,
		s->esmtp ? PARAMETERS_TAKEN : PARAMETERS_NONE, &s->arena,
		&r) < 0) {
		s->errors++;
		put(s, &r);
		forget_mail(s);
		return SESSION_MORE;
	}
	if (s->envelope.size > s->settings->size_max) {
		forget_mail(s);
		return reject(s, 552, "5.3.4", "the mail is too large");
	}
	return ask(s, SESSION_MAIL);
}

static struct mail_recipient *
add_recipient(struct session *s)
{
	struct envelope *e = &s->envelope;

	if (e->recipients_n == s->recipients_size) {
		size_t size =
		    s->recipients_size == 0 ? 4 : 2 * s->recipients_size;
		struct mail_recipient *more =
		    ARENA_ARRAY(&s->arena, struct mail_recipient, size);

		if (e->recipients_n > 0)
			memcpy(more, e->recipients,
			    e->recipients_n * sizeof(*more));
		e->recipients = more;
		s->recipients_size = size;
	}
	return &e->recipients[e->recipients_n];
}

static enum session_event
run_rcpt(struct session *s, struct bytes argument)
{
	struct smtp_reply r;

	/* Too many is for now (RFC 5321 section 4.5.3.1.10): the sender sends
	 * the rest in a mail of its own. */
	if (s->envelope.recipients_n >= s->settings->recipients_max) {
		if (++s->too_many > TOO_MANY_MAX)
			s->errors++;
		return agree(s, 452, "4.5.3", "too many recipients");
	}
	if (parameters_of_rcpt(add_recipient(s), argument,
		s->envelope.utf8 ? MAIL_UTF8 : MAIL_ASCII,
		s->esmtp ? PARAMETERS_TAKEN : PARAMETERS_NONE, &s->arena,
		&r) < 0) {
		s->errors++;
		put(s, &r);
		return SESSION_MORE;
	}
	s->envelope.recipients_n++;
	return ask(s, SESSION_RCPT);
}

static enum session_event
run_data(struct session *s, struct bytes argument)
{
	if (argument.n > 0)
		return reject(s, 501, "5.5.4", "DATA has no argument");
	if (s->state != SESSION_RECIPIENTS)
		return reject(s, 503, "5.5.1", "no recipient was accepted");
	return ask(s, SESSION_DATA);
}

static enum session_event
run_rset(struct session *s, struct bytes argument)
{
	if (argument.n > 0)
		return reject(s, 501, "5.5.4", "RSET has no argument");
	forget_mail(s);
	return agree(s, 250, "2.0.0", "forgotten");
}

static enum session_event
run_noop(struct session *s, struct bytes argument)
{
	(void)argument;
	return agree(s, 250, "2.0.0", "ok");
}

static enum session_event
run_vrfy(struct session *s, struct bytes argument)
{
	(void)argument;
	return agree(
	    s, 252, "2.5.1", "send a mail and it will be tried to deliver it");
}

static enum session_event
run_help(struct session *s, struct bytes argument)
{
	(void)argument;
	return agree(s, 214, "2.0.0", "RFC 5321");
}

static enum session_event
run_quit(struct session *s, struct bytes argument)
{
	(void)argument;
	say(s, 221, "2.0.0", "closing");
	return close_session(s, NULL);
}

static enum session_event
run_starttls(struct session *s, struct bytes argument)
{
	if (argument.n > 0)
		return reject(s, 501, "5.5.4", "STARTTLS has no argument");
	if (s->secured)
		return reject(s, 503, "5.5.1", "TLS is there already");
	if (!s->offers_tls)
		return reject(s, 502, "5.5.1", "STARTTLS is not offered");
	return ask(s, SESSION_STARTTLS);
}

static enum session_event
run_xclient(struct session *s, struct bytes argument)
{
	struct session_claim claim;

	if (!s->offers_xclient)
		return reject(
		    s, 550, "5.7.1", "XCLIENT is not for this client");
	if (parameters_of_xclient(&claim, argument) < 0)
		return reject(s, 501, "5.5.4", "XCLIENT is malformed");
	s->claimed = claim;
	return ask(s, SESSION_XCLIENT);
}

static enum session_event
run_unwanted(struct session *s, struct bytes argument)
{
	(void)argument;
	return reject(s, 502, "5.5.1", "this is not offered");
}

static const struct command commands[] = {
	{ BYTES_ROW("EHLO"), IN_ANY, PLACE_LAST, run_ehlo, AIM_NONE },
	{ BYTES_ROW("HELO"), IN_ANY, PLACE_LAST, run_helo, AIM_NONE },
	{ BYTES_ROW("MAIL"), IN_ANY & ~IN_FRESH, PLACE_ANY, run_mail,
	    AIM_MAIL },
	{ BYTES_ROW("RCPT"), IN_SENDER | IN_RECIPIENTS, PLACE_ANY, run_rcpt,
	    AIM_MAIL },
	{ BYTES_ROW("DATA"), IN_SENDER | IN_RECIPIENTS, PLACE_LAST, run_data,
	    AIM_MAIL },
	{ BYTES_ROW("RSET"), IN_ANY, PLACE_ANY, run_rset, AIM_NONE },
	{ BYTES_ROW("NOOP"), IN_ANY, PLACE_LAST, run_noop, AIM_NONE },
	{ BYTES_ROW("VRFY"), IN_ANY, PLACE_LAST, run_vrfy, AIM_NONE },
	{ BYTES_ROW("HELP"), IN_ANY, PLACE_LAST, run_help, AIM_NONE },
	{ BYTES_ROW("QUIT"), IN_ANY, PLACE_LAST, run_quit, AIM_MAIL },
	{ BYTES_ROW("STARTTLS"), IN_FRESH | IN_GREETED, PLACE_LAST,
	    run_starttls, AIM_NONE },
	{ BYTES_ROW("XCLIENT"), IN_FRESH | IN_GREETED, PLACE_LAST, run_xclient,
	    AIM_NONE },
	/* Known, and not offered. */
	{ BYTES_ROW("BDAT"), IN_ANY, PLACE_LAST, run_unwanted, AIM_NONE },
	{ BYTES_ROW("AUTH"), IN_ANY, PLACE_LAST, run_unwanted, AIM_NONE },
	{ BYTES_ROW("EXPN"), IN_ANY, PLACE_LAST, run_unwanted, AIM_NONE },
	{ BYTES_ROW("ETRN"), IN_ANY, PLACE_LAST, run_unwanted, AIM_NONE },
	{ BYTES_ROW("TURN"), IN_ANY, PLACE_LAST, run_unwanted, AIM_NONE },
};

static const struct command *
find_command(struct bytes verb)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (bytes_equal_nocase(verb, commands[i].verb))
			return &commands[i];
	return NULL;
}

/* What a browser says to a port of mail that a page made it speak to; and what
 * is no command but a mail: whoever sends that does not hear us. */
static bool
is_another_protocol(struct bytes verb)
{
	static const struct bytes verbs[] = {
		BYTES_ROW("GET"),
		BYTES_ROW("POST"),
		BYTES_ROW("PUT"),
		BYTES_ROW("HEAD"),
		BYTES_ROW("CONNECT"),
		BYTES_ROW("OPTIONS"),
		BYTES_ROW("PRI"),
	};

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (bytes_equal(verb, verbs[i]))
			return true;
	return verb.n > 0 && verb.p[verb.n - 1] == ':';
}

static bool
has_control(struct bytes line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return true;
	return false;
}

/* line: without its CRLF; rest: what has come behind it. */
static enum session_event
run_line(struct session *s, struct bytes line, struct bytes rest)
{
	struct bytes argument = line;
	struct bytes verb = bytes_take_until(&argument, ' ');
	const struct command *c;

	if (has_control(line))
		return end_with(s, 521, "5.5.2",
		    "control characters in a command", "control characters");
	if (is_another_protocol(verb))
		return end_with(
		    s, 521, "5.5.2", "this is SMTP", "another protocol");
	c = find_command(verb);
	if (c == NULL)
		return reject(s, 500, "5.5.2", "this command is not known");
	if (c->place == PLACE_LAST && rest.n > 0)
		return end_with(s, 521, "5.5.1",
		    "bytes behind a command that ends a group", "early talk");
	if ((c->states & 1u << s->state) == 0)
		return reject(s, 503, "5.5.1",
		    s->state == SESSION_FRESH
			? "EHLO or HELO comes first"
			: "this command does not come here");
	if (c->aim == AIM_NONE && ++s->idle > IDLE_MAX)
		s->errors++;
	return c->run(s, bytes_trim(argument));
}

/* Bytes up to LF go into the line. A line that does not fit is skipped to its
 * end. */
static enum session_event
take_line(struct session *s, struct bytes *in)
{
	ssize_t lf = bytes_index(*in, '\n');
	struct bytes part = bytes_take(in, lf < 0 ? in->n : (size_t)lf + 1);
	struct bytes line;

	if (part.n > sizeof(s->line) - s->line_n)
		s->overlong = true;
	else if (!s->overlong)
		memcpy(s->line + s->line_n, part.p, part.n);
	if (!s->overlong)
		s->line_n += part.n;
	if (lf < 0)
		return SESSION_MORE;
	line = (struct bytes){ s->line, s->line_n };
	s->line_n = 0;
	s->lines++;
	if (s->overlong) {
		s->overlong = false;
		return reject(s, 500, "5.5.2", "the line is too long");
	}
	if (line.n < 2 || line.p[line.n - 2] != '\r')
		return end_with(
		    s, 521, "5.5.2", "bare line feed", "bare line feed");
	line.n -= 2;
	return run_line(s, line, *in);
}

static enum session_event
take_content(struct session *s, struct bytes *in)
{
	switch (data_take(&s->data, in, &s->piece)) {
	case DATA_MORE:
		return SESSION_MORE;
	case DATA_PIECE:
		return SESSION_CONTENT;
	case DATA_END:
		break;
	}
	s->messages++;
	return ask(s, SESSION_END);
}

enum session_event
session_next(struct session *s, struct bytes *in)
{
	enum session_event e = SESSION_MORE;

	must(s->asked == SESSION_MORE);
	while (e == SESSION_MORE && !s->resets && s->state != SESSION_CLOSED) {
		if (s->errors > s->settings->errors_max)
			return end_with(s, 421, "4.7.0", "too many errors",
			    "too many errors");
		if (in->n == 0)
			return SESSION_MORE;
		e = s->state == SESSION_TAKING ? take_content(s, in)
					       : take_line(s, in);
	}
	if (s->resets) {
		s->resets = false;
		return SESSION_RESET;
	}
	return s->state == SESSION_CLOSED ? SESSION_CLOSE : e;
}

bool
session_waits(const struct session *s)
{
	return s->asked != SESSION_MORE;
}

static void
answer_mail(struct session *s, const struct smtp_reply *r)
{
	if (s->messages >= s->settings->messages_max) {
		end_with(s, 421, "4.7.0", "too many mails in one session",
		    "too many mails");
		return;
	}
	put(s, r);
	if (reply_is_done(r)) {
		s->state = SESSION_SENDER;
		return;
	}
	s->errors++;
	forget_mail(s);
}

static void
answer_rcpt(struct session *s, const struct smtp_reply *r)
{
	put(s, r);
	if (reply_is_done(r)) {
		s->state = SESSION_RECIPIENTS;
		return;
	}
	s->errors++;
	s->envelope.recipients_n--;
}

static void
answer_data(struct session *s, const struct smtp_reply *r)
{
	if (!reply_is_done(r)) {
		put(s, r);
		forget_mail(s);
		return;
	}
	say(s, 354, NULL, "end with <CRLF>.<CRLF>");
	data_begin(&s->data, s->settings->lines, s->settings->size_max);
	s->state = SESSION_TAKING;
}

void
session_answer(struct session *s, const struct smtp_reply *r)
{
	enum session_event asked = s->asked;

	must(asked != SESSION_MORE);
	s->asked = SESSION_MORE;
	if (r->code == 421) {
		put(s, r);
		close_session(s, "told to come later");
		return;
	}
	if (asked == SESSION_MAIL) {
		answer_mail(s, r);
	} else if (asked == SESSION_RCPT) {
		answer_rcpt(s, r);
	} else if (asked == SESSION_DATA) {
		answer_data(s, r);
	} else if (asked == SESSION_XCLIENT && reply_is_done(r)) {
		forget_mail(s);
		s->state = SESSION_FRESH;
		session_greet(s);
	} else {
		put(s, r);
		if (asked == SESSION_END) {
			s->idle = 0;
			s->state = SESSION_GREETED;
			forget_mail(s);
		}
	}
}

void
session_greet(struct session *s)
{
	if (buf_printf(&s->out, "220 %s ESMTP\r\n", s->settings->name) < 0)
		close_session(s, "it asks and does not listen");
}

void
session_turn_away(struct session *s, const struct smtp_reply *r)
{
	put(s, r);
	close_session(s, "turned away");
}

void
session_secured(struct session *s)
{
	s->secured = true;
	s->claimed = (struct session_claim){ 0 };
	forget_mail(s);
	s->state = SESSION_FRESH;
	s->helo[0] = '\0';
	s->esmtp = false;
}
