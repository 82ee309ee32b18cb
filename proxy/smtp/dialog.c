/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/dialog.h"

#include <stdio.h>

/* A window of the longest commands. */
#define OUTPUT_MAX ((size_t)DIALOG_WINDOW * 1024)

enum offer {
	OFFER_PIPELINING = 1,
	OFFER_SIZE = 2,
	OFFER_8BITMIME = 4,
	OFFER_SMTPUTF8 = 8,
	OFFER_DSN = 16,
	OFFER_STARTTLS = 32,
	OFFER_ENHANCED = 64,
};

static const struct {
	const char *keyword;
	enum offer offer;
} extensions[] = {
	{ "PIPELINING", OFFER_PIPELINING },
	{ "SIZE", OFFER_SIZE },
	{ "8BITMIME", OFFER_8BITMIME },
	{ "SMTPUTF8", OFFER_SMTPUTF8 },
	{ "DSN", OFFER_DSN },
	{ "STARTTLS", OFFER_STARTTLS },
	{ "ENHANCEDSTATUSCODES", OFFER_ENHANCED },
};

void
dialog_init(struct dialog *d, const char *name, enum dialog_tls tls)
{
	*d = (struct dialog){
		.state = DIALOG_BANNER,
		.name = name,
		.tls = tls,
		.due = 1,
	};
	buf_init(&d->output, OUTPUT_MAX);
}

void
dialog_release(struct dialog *d)
{
	buf_release(&d->output);
}

struct bytes
dialog_output(struct dialog *d)
{
	struct bytes b = buf_bytes(&d->output);

	d->output.n = 0;
	d->due += d->unsent;
	d->unsent = 0;
	return b;
}

static void
say(struct dialog *d, const char *words)
{
	must(buf_append_string(&d->output, words) == 0);
}

static void
say_bytes(struct dialog *d, struct bytes b)
{
	must(buf_append(&d->output, b) == 0);
}

static void
end_command(struct dialog *d)
{
	say(d, "\r\n");
	d->unsent++;
}

static bool
is_failure(unsigned code)
{
	return code >= 400;
}

/* Of a recipient that was accepted, the answer to the content is the final
 * one; without that there is none. */
static void
withdraw(struct dialog *d)
{
	const struct dialog_mail *m = d->mail;

	if (m == NULL || m->kind == DIALOG_ASK)
		return;
	for (size_t i = 0; i < m->recipients_n; i++)
		if (reply_is_done(&m->replies[i]))
			m->replies[i] = (struct smtp_reply){ 0 };
}

static void
end(struct dialog *d, const char *why)
{
	withdraw(d);
	d->state = DIALOG_BROKEN;
	d->why = why;
	d->output.n = 0;
}

static void
end_unsecured(struct dialog *d, const char *why)
{
	end(d, why);
	d->unsecured = true;
}

/* The greetings. */

static void
greet(struct dialog *d, const char *verb, enum dialog_state state)
{
	say(d, verb);
	say(d, " ");
	say(d, d->name);
	end_command(d);
	d->offers = 0;
	d->size_max = 0;
	d->state = state;
}

/* One line of the answer to EHLO, behind the first, which names the peer. */
static void
note_extension(struct dialog *d, struct bytes line)
{
	struct bytes keyword = bytes_take_until(&line, ' ');

	for (size_t i = 0; i < COUNT(extensions); i++)
		if (bytes_equal_nocase(
			keyword, bytes_of(extensions[i].keyword)))
			d->offers |= extensions[i].offer;
	if (bytes_equal_nocase(keyword, BYTES("SIZE")) &&
	    bytes_number(bytes_trim(line), UINT64_MAX, &d->size_max) < 0)
		d->size_max = 0;
}

static void
greeted(struct dialog *d)
{
	if (d->tls != DIALOG_TLS_NEVER && (d->offers & OFFER_STARTTLS) != 0) {
		say(d, "STARTTLS");
		end_command(d);
		d->state = DIALOG_STARTTLS;
	} else if (d->tls == DIALOG_TLS_REQUIRED) {
		end_unsecured(d, "TLS is not offered");
	} else {
		d->state = DIALOG_READY;
	}
}

static void
hear_ehlo(struct dialog *d, unsigned code)
{
	if (code == 250)
		greeted(d);
	else if (code >= 500)
		greet(d, "HELO", DIALOG_HELO);
	else
		end(d, "EHLO was refused");
}

static void
hear_starttls(struct dialog *d, unsigned code)
{
	if (code == 220)
		d->state = DIALOG_HANDSHAKE;
	else if (d->tls == DIALOG_TLS_OFFERED && is_failure(code))
		d->state = DIALOG_READY;
	else
		end_unsecured(d, "STARTTLS was refused");
}

void
dialog_secured(struct dialog *d)
{
	must(d->state == DIALOG_HANDSHAKE);
	d->tls = DIALOG_TLS_NEVER;
	greet(d, "EHLO", DIALOG_EHLO);
}

/* The commands of a mail. */

static void
say_mail(struct dialog *d)
{
	const struct dialog_mail *m = d->mail;
	const struct envelope *e = m->envelope;

	say(d, "MAIL FROM:<");
	say_bytes(d, e->sender.text);
	say(d, ">");
	if ((d->offers & OFFER_SIZE) != 0 && m->kind == DIALOG_SHIP)
		must(buf_printf(&d->output, " SIZE=%zu",
			 size_add(m->head.n, m->body.n)) == 0);
	if (m->eight_bit)
		say(d, " BODY=8BITMIME");
	if (e->utf8)
		say(d, " SMTPUTF8");
	if ((d->offers & OFFER_DSN) != 0 && e->ret != RETURN_UNSAID)
		say(d, e->ret == RETURN_FULL ? " RET=FULL" : " RET=HDRS");
	if ((d->offers & OFFER_DSN) != 0 && e->envid.n > 0) {
		say(d, " ENVID=");
		say_bytes(d, e->envid);
	}
	end_command(d);
}

static void
say_notify(struct dialog *d, unsigned notify)
{
	static const struct {
		enum mail_notify bit;
		const char *word;
	} words[] = {
		{ NOTIFY_NEVER, "NEVER" },
		{ NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" },
		{ NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < COUNT(words); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		say(d, before);
		say(d, words[i].word);
		before = ",";
	}
}

static void
say_rcpt(struct dialog *d, const struct mail_recipient *r)
{
	say(d, "RCPT TO:<");
	say_bytes(d, r->address.text);
	say(d, ">");
	if ((d->offers & OFFER_DSN) != 0) {
		say_notify(d, r->notify);
		if (r->orcpt.n > 0) {
			say(d, " ORCPT=");
			say_bytes(d, r->orcpt);
		}
	}
	end_command(d);
}

/* Not when nobody can want the content any more. */
static bool
wants_data(const struct dialog *d)
{
	return d->mail->kind == DIALOG_SHIP &&
	    d->asked == d->mail->recipients_n + 1 &&
	    (d->answered < d->asked || d->accepted > 0);
}

/* What is said next of MAIL, each RCPT and DATA; false: nothing. */
static bool
say_next(struct dialog *d)
{
	const struct dialog_mail *m = d->mail;

	if (d->refused)
		return false;
	if (d->asked == 0) {
		say_mail(d);
	} else if (d->asked <= m->recipients_n) {
		say_rcpt(d, m->recipients[d->asked - 1]);
	} else if (wants_data(d)) {
		say(d, "DATA");
		end_command(d);
	} else {
		return false;
	}
	d->asked++;
	return true;
}

static void
end_mail(struct dialog *d, enum dialog_state state)
{
	d->mail = NULL;
	d->state = state;
	if (state != DIALOG_RESET)
		return;
	say(d, "RSET");
	end_command(d);
}

/* Says as much as the window takes, and waits for the next answer. */
static void
go_on(struct dialog *d)
{
	size_t window = (d->offers & OFFER_PIPELINING) != 0 ? DIALOG_WINDOW : 1;

	while (d->asked - d->answered < window && say_next(d))
		;
	if (d->answered == d->asked)
		end_mail(d, DIALOG_RESET);
	else if (d->answered == 0)
		d->state = DIALOG_MAIL;
	else if (d->answered <= d->mail->recipients_n)
		d->state = DIALOG_RCPT;
	else
		d->state = DIALOG_DATA;
}

/* For all who have no final answer yet. */
static void
answer_all(struct dialog *d, const struct smtp_reply *reply)
{
	const struct dialog_mail *m = d->mail;

	for (size_t i = 0; i < m->recipients_n; i++)
		if (!is_failure(m->replies[i].code))
			m->replies[i] = *reply;
}

static void
hear_mail(struct dialog *d, const struct smtp_reply *reply)
{
	d->heard = true;
	d->answered++;
	if (is_failure(reply->code)) {
		d->refused = true;
		answer_all(d, reply);
	} else if (!reply_is_done(reply)) {
		end(d, "MAIL was answered with a 3yz code");
		return;
	}
	go_on(d);
}

static void
hear_rcpt(struct dialog *d, const struct smtp_reply *reply)
{
	struct smtp_reply *own = &d->mail->replies[d->answered - 1];

	if (!reply_is_done(reply) && !is_failure(reply->code)) {
		end(d, "RCPT was answered with a 3yz code");
		return;
	}
	/* When MAIL was refused that is the answer. */
	if (own->code == 0) {
		*own = *reply;
		d->accepted += reply_is_done(reply) ? 1 : 0;
	}
	d->answered++;
	go_on(d);
}

/* Dots and all; when nobody was accepted, the empty content that RFC 2920
 * section 3.1 wants. */
static void
begin_content(struct dialog *d)
{
	d->state = DIALOG_CONTENT;
	d->due = 1;
	d->line_begins = true;
	d->stuffed = false;
	d->head = d->accepted > 0 ? d->mail->head : (struct bytes){ 0 };
	d->body = d->accepted > 0 ? d->mail->body : (struct bytes){ 0 };
}

static void
hear_data(struct dialog *d, const struct smtp_reply *reply)
{
	d->answered++;
	if (reply->code == 354) {
		begin_content(d);
	} else if (is_failure(reply->code)) {
		answer_all(d, reply);
		end_mail(d, DIALOG_RESET);
	} else {
		end(d, "DATA was answered with neither 354 nor a failure");
	}
}

/* A peer may refuse what it has not read to its end; nobody can say where its
 * reading of commands would begin again. */
static void
hear_early(struct dialog *d, const struct smtp_reply *reply)
{
	if (is_failure(reply->code)) {
		answer_all(d, reply);
		d->mail = NULL;
	}
	end(d, "the content was answered before its end");
}

static void
hear_content(struct dialog *d, const struct smtp_reply *reply)
{
	if (!reply_is_done(reply) && !is_failure(reply->code)) {
		end(d, "the content was answered with a 3yz code");
		return;
	}
	answer_all(d, reply);
	end_mail(d, reply_is_done(reply) ? DIALOG_READY : DIALOG_RESET);
}

static void
expect(struct dialog *d, unsigned code, enum dialog_state next, const char *why)
{
	if (d->reader.reply.code == code)
		d->state = next;
	else
		end(d, why);
}

/* One reply. */
static void
hear(struct dialog *d)
{
	const struct smtp_reply *reply = &d->reader.reply;

	switch (d->state) {
	case DIALOG_BROKEN:
	case DIALOG_HANDSHAKE:
	case DIALOG_READY:
		must(false); /* no reply is due in these */
		break;
	case DIALOG_BANNER:
		if (reply->code == 220)
			greet(d, "EHLO", DIALOG_EHLO);
		else
			end(d, "no greeting");
		break;
	case DIALOG_EHLO:
		hear_ehlo(d, reply->code);
		break;
	case DIALOG_HELO:
		if (reply->code == 250)
			greeted(d);
		else
			end(d, "HELO was refused");
		break;
	case DIALOG_STARTTLS:
		hear_starttls(d, reply->code);
		break;
	case DIALOG_MAIL:
		if (reply->code == 421)
			break;
		hear_mail(d, reply);
		break;
	case DIALOG_RCPT:
		hear_rcpt(d, reply);
		break;
	case DIALOG_DATA:
		hear_data(d, reply);
		break;
	case DIALOG_CONTENT:
		hear_early(d, reply);
		break;
	case DIALOG_SENT:
		hear_content(d, reply);
		break;
	case DIALOG_RESET:
		expect(d, 250, DIALOG_READY, "RSET was refused");
		break;
	case DIALOG_QUIT:
		end(d, "QUIT was answered");
		break;
	}
	/* RFC 5321 section 3.8: whatever was asked, it closes now. */
	if (reply->code == 421 && d->state != DIALOG_BROKEN)
		end(d, "the peer closes (421)");
}

static void
note_line(struct dialog *d, enum reply_progress progress)
{
	if (d->state == DIALOG_EHLO && d->reader.reply.code == 250 &&
	    !d->reader.first)
		note_extension(d, d->reader.line);
	if (progress != REPLY_WHOLE)
		return;
	d->due--;
	hear(d);
}

enum dialog_state
dialog_feed(struct dialog *d, struct bytes in)
{
	enum reply_progress progress;

	while (in.n > 0 && d->state != DIALOG_BROKEN) {
		/* Behind the 220 of STARTTLS somebody else's words may stand,
		 * that would be taken as said under TLS (CVE-2011-0411). */
		if (d->due == 0) {
			end(d, "the peer says what nobody asked for");
			break;
		}
		progress = reply_read(&d->reader, &in);
		if (progress == REPLY_BAD)
			end(d, d->reader.why);
		else if (progress != REPLY_MORE)
			note_line(d, progress);
	}
	return d->state;
}

/* What goes into a line of ours. */
static bool
fits_line(struct bytes b, size_t max)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return b.n <= max;
}

static bool
fits_lines(const struct dialog_mail *m)
{
	const struct mail_recipient *r;

	for (size_t i = 0; i < m->recipients_n; i++) {
		r = m->recipients[i];
		if (!fits_line(r->address.text, MAIL_PATH_MAX) ||
		    !fits_line(r->orcpt, MAIL_ORCPT_MAX))
			return false;
	}
	return fits_line(m->envelope->sender.text, MAIL_PATH_MAX) &&
	    fits_line(m->envelope->envid, MAIL_ENVID_MAX);
}

/* Whether the peer can take it; else all have their answer. */
static bool
may_be_sent(struct dialog *d, const struct dialog_mail *m)
{
	struct smtp_reply no = { 0 };
	uint64_t size = size_add(m->head.n, m->body.n);

	if (!fits_lines(m))
		reply_set(&no, 554, "5.6.0",
		    "An address or parameter cannot be sent");
	else if (m->envelope->utf8 && (d->offers & OFFER_SMTPUTF8) == 0)
		reply_set(&no, 553, "5.6.7",
		    "The next hop takes no internationalized mail");
	else if (m->eight_bit && (d->offers & OFFER_8BITMIME) == 0)
		reply_set(
		    &no, 554, "5.6.3", "The next hop takes no 8-bit mail");
	else if (d->size_max > 0 && size > d->size_max)
		reply_set(&no, 552, "5.3.4",
		    "The next hop takes no mail of more than %llu bytes",
		    (unsigned long long)d->size_max);
	else
		return true;
	for (size_t i = 0; i < m->recipients_n; i++)
		m->replies[i] = no;
	return false;
}

void
dialog_mail(struct dialog *d, const struct dialog_mail *m)
{
	must(d->state == DIALOG_READY && m->recipients_n > 0);
	d->mail = NULL;
	d->refused = false;
	d->heard = false;
	d->asked = 0;
	d->answered = 0;
	d->accepted = 0;
	if (!may_be_sent(d, m))
		return;
	d->mail = m;
	go_on(d);
}

static struct bytes
end_content(struct dialog *d)
{
	const struct dialog_mail *m = d->mail;
	struct bytes all = m->body.n > 0 ? m->body : m->head;

	d->state = DIALOG_SENT;
	if (d->accepted == 0 || all.n == 0 ||
	    bytes_end_with(all, BYTES("\r\n")))
		return BYTES(".\r\n");
	return BYTES("\r\n.\r\n");
}

/* The first dot that begins a line and is not b's first byte; NULL: none. Dots
 * are looked for, not ends of lines, as base64 has none: a search for both
 * bytes at once was a third of the time of a mail of 2 MiB. Behind any LF,
 * even one without CR, of which there should be none: some peers would take
 * such a dot for the end. */
static const uint8_t *
find_dot(struct bytes b)
{
	const uint8_t *end = b.p + b.n;
	const uint8_t *dot = b.p;

	while (++dot < end) {
		dot = memchr(dot, '.', (size_t)(end - dot));
		if (dot == NULL || dot[-1] == '\n')
			return dot;
	}
	return NULL;
}

struct bytes
dialog_content(struct dialog *d, size_t most)
{
	struct bytes *piece = d->head.n > 0 ? &d->head : &d->body;
	struct bytes slice = *piece;
	const uint8_t *dot;

	must(d->state == DIALOG_CONTENT && most > 0);
	if (piece->n == 0)
		return end_content(d);
	if (d->line_begins && !d->stuffed && piece->p[0] == '.') {
		d->stuffed = true;
		return BYTES(".");
	}
	if (slice.n > most)
		slice.n = most;
	dot = find_dot(slice);
	if (dot != NULL)
		slice.n = (size_t)(dot - slice.p);
	bytes_take(piece, slice.n);
	d->line_begins = slice.p[slice.n - 1] == '\n';
	d->stuffed = false;
	return slice;
}

void
dialog_quit(struct dialog *d)
{
	must(d->state == DIALOG_READY);
	say(d, "QUIT");
	end_command(d);
	d->state = DIALOG_QUIT;
}

void
dialog_break(struct dialog *d, const char *why)
{
	end(d, why);
}

bool
dialog_tells_senders(const struct dialog *d)
{
	return (d->offers & OFFER_DSN) != 0;
}
