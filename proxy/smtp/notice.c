/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice: delivery status notifications (RFC 3461, RFC 3462, RFC 3464), as a
 * mail of ours that goes the way of all mails, through the spool.
 */
#include <stdlib.h>
#include <time.h>

#include "proxy/smtp/head.h"
#include "proxy/smtp/mail.h"
#include "proxy/smtp/queue.h"

#define NOTICE_MAX ((size_t)1 << 20)
#define ORIGINAL_HEAD_MAX ((size_t)16384)

static const struct {
	const char *action; /* RFC 3464 section 2.3.3 */
	const char *subject_en;
	const char *ja, *en;
} words[] = {
	[NOTICE_FAILED] = { "failed", "Undelivered mail",
	    "次の宛先へメールを届けられませんでした。",
	    "Your mail could not be delivered to:" },
	[NOTICE_DELAYED] = { "delayed", "Mail is delayed",
	    "次の宛先へのメールはまだ届いていません。配送を続けています。再送は"
	    "不要です。",
	    "Your mail was not delivered yet; it is still being tried, you"
	    " need not send it again:" },
	[NOTICE_RELAYED] = { "relayed", "Mail was passed on",
	    "次の宛先へのメールを、配送通知に対応しないサーバーへ渡しました。",
	    "Your mail was passed on to a server that sends no notices:" },
};

static int
write_text(struct buf *out, const struct mail *mail, enum notice what,
    const bool *whom)
{
	const struct prefecture_settings *p =
	    &mail->mailer->settings->prefecture;

	if (buf_printf(
		out, "%s\r\n%s\r\n\r\n", words[what].ja, words[what].en) < 0)
		return -1;
	for (size_t i = 0; i < mail->envelope.recipients_n; i++) {
		const struct smtp_reply *r = &mail->status[i].reply;

		if (whom[i] &&
		    buf_printf(out, "  <%.*s>\r\n    %u %s %.400s\r\n",
			BYTES_PRINTF(mail->envelope.recipients[i].address.text),
			r->code, r->enhanced, r->text) < 0)
			return -1;
	}
	return buf_printf(out,
	    "\r\n番号 / id: %s\r\nMessage-ID: %.250s\r\n"
	    "お問い合わせ / contact: %s\r\n%s %s\r\n",
	    mail->id, mail->message_id, p->contact, p->name_ja, p->name_en);
}

/* "5.1.1" of what the next hop said, or of its code. */
static const char *
status_of(const struct smtp_reply *r, enum notice what)
{
	if (what == NOTICE_RELAYED)
		return "2.0.0";
	if (r->enhanced[0] != '\0')
		return r->enhanced;
	return what == NOTICE_FAILED ? "5.0.0" : "4.0.0";
}

static int
write_status(struct buf *out, const struct mail *mail, enum notice what,
    const bool *whom)
{
	const struct envelope *e = &mail->envelope;
	char date[HEAD_DATE_MAX];

	if ((e->envid.n > 0 &&
		buf_printf(out, "Original-Envelope-Id: %.*s\r\n",
		    BYTES_PRINTF(e->envid)) < 0) ||
	    buf_printf(out, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n",
		mail->mailer->settings->mail.name,
		head_date(mail->origin.arrived, date)) < 0)
		return -1;
	for (size_t i = 0; i < e->recipients_n; i++) {
		const struct mail_recipient *to = &e->recipients[i];
		const struct smtp_reply *r = &mail->status[i].reply;

		if (!whom[i])
			continue;
		if ((to->orcpt.n > 0 &&
			buf_printf(out, "\r\nOriginal-Recipient: %.*s",
			    BYTES_PRINTF(to->orcpt)) < 0) ||
		    buf_printf(out,
			"\r\nFinal-Recipient: %s; %.*s\r\nAction: %s\r\n"
			"Status: %s\r\nDiagnostic-Code: smtp; %u %s %.400s\r\n",
			e->utf8 ? "utf-8" : "rfc822",
			BYTES_PRINTF(to->address.text), words[what].action,
			status_of(r, what), r->code, r->enhanced, r->text) < 0)
			return -1;
	}
	return 0;
}

static int
write_head(
    struct buf *out, const struct mail *mail, const char *id, enum notice what)
{
	const struct settings *s = mail->mailer->settings;
	char date[HEAD_DATE_MAX];

	return buf_printf(out,
	    "Date: %s\r\nFrom: Mail Delivery System <postmaster@%s>\r\n"
	    "To: <%.*s>\r\nSubject: %s\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"sekisho-%s\"\r\n\r\n",
	    head_date((uint64_t)time(NULL), date), s->mail.name,
	    BYTES_PRINTF(mail->envelope.sender.text), words[what].subject_en,
	    id, s->mail.name, id);
}

static int
write_part(struct buf *out, const char *id, const char *type)
{
	return buf_printf(out,
	    "--sekisho-%s\r\nContent-Type: %s\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    id, type);
}

/* The original's header; its lines may be no lines of a mail. */
static int
write_original(struct buf *out, const struct mail *mail)
{
	struct bytes head = head_bytes(mail->content);

	head.n = head.n < ORIGINAL_HEAD_MAX ? head.n : ORIGINAL_HEAD_MAX;
	while (head.n > 0) {
		struct bytes line = bytes_take_until(&head, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line.n = line.n < 900 ? line.n : 900;
		if (buf_append(out, line) < 0 ||
		    buf_append(out, BYTES("\r\n")) < 0)
			return -1;
	}
	return 0;
}

static int
write_all(struct buf *out, const struct mail *mail, const char *id,
    enum notice what, const bool *whom)
{
	return write_head(out, mail, id, what) < 0 ||
		write_part(out, id, "text/plain; charset=utf-8") < 0 ||
		write_text(out, mail, what, whom) < 0 ||
		write_part(out, id, "message/delivery-status") < 0 ||
		write_status(out, mail, what, whom) < 0 ||
		buf_append_string(out, "\r\n") < 0 ||
		write_part(out, id, "text/rfc822-headers") < 0 ||
		write_original(out, mail) < 0 ||
		buf_printf(out, "--sekisho-%s--\r\n", id) < 0
	    ? -1
	    : 0;
}

/* Nobody waits for its answer: the spool has it, or it is lost and told. */
static void
ignore_answer(void *owner, const struct smtp_reply *r)
{
	(void)owner;
	if (!reply_is_done(r))
		log_say(EVENT_FAILURE, "a notice was not kept: %s", r->text);
}

void
notice_send(struct mail *mail, enum notice what, const bool *whom)
{
	struct mailer *m = mail->mailer;
	struct mail_origin origin = mail->origin;
	struct mail_recipient to = { .address = mail->envelope.sender,
		.notify = NOTIFY_NEVER };
	struct envelope e = {
		.eight_bit = true,
		.utf8 = mail->envelope.utf8,
		.recipients = &to,
		.recipients_n = 1,
	};
	struct buf content;
	struct err err;
	struct mail *notice;
	char id[LOG_ID_MAX];

	if (mail->envelope.sender.text.n == 0 ||
	    mail_load_content(mail, &err) < 0)
		return;
	log_id(id);
	buf_init(&content, NOTICE_MAX);
	if (write_all(&content, mail, id, what, whom) < 0) {
		buf_release(&content);
		return;
	}
	origin.helo = m->settings->mail.name;
	origin.protocol = "LOCAL";
	origin.tls = "";
	origin.arrived = (uint64_t)time(NULL);
	/* It does not count as what clients made us keep. */
	notice = mail_new(m, &origin, &e, &content, (struct share){ 0 });
	notice->own = true;
	notice->eight_bit = true;
	mail_keep(notice, ignore_answer, NULL);
}
