/* SPDX-License-Identifier: Apache-2.0 */
/* dialog_cut: a dialog with a peer that says what a fuzzer thinks of. */
#pragma once

#include "proxy/smtp/dialog.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct dialog_run {
	struct dialog d;
	struct dialog_mail mail;
	struct smtp_reply replies[3];
	unsigned mails;
};

/* Whatever the state asks of us. */
static inline void
dialog_answer(struct dialog_run *r)
{
	while (r->d.state == DIALOG_CONTENT)
		must(dialog_content(&r->d, 7).n > 0);
	if (r->d.state == DIALOG_HANDSHAKE)
		dialog_secured(&r->d);
	if (r->d.state == DIALOG_READY && r->mails++ < 3) {
		memset(r->replies, 0, sizeof(r->replies));
		dialog_mail(&r->d, &r->mail);
	} else if (r->d.state == DIALOG_READY) {
		dialog_quit(&r->d);
	}
	must(dialog_output(&r->d).n <= (size_t)DIALOG_WINDOW * 1024);
}

static inline void
dialog_run(struct dialog_run *r, struct bytes in, uint8_t how, size_t piece)
{
	static const struct envelope e = { .sender = { .text = BYTES_ROW(
							   "a@us.test") } };
	static const struct mail_recipient one = {
		.address = { .text = BYTES_ROW("b@mx.test") }
	};
	static const struct mail_recipient *const all[3] = { &one, &one, &one };

	*r = (struct dialog_run){ .mail = { .kind = how & 1 ? DIALOG_ASK
							    : DIALOG_SHIP,
				      .envelope = &e,
				      .recipients = all,
				      .recipients_n = 3,
				      .head = BYTES("A: b\r\n"),
				      .body = BYTES("\r\n.\r\n") } };
	r->mail.replies = r->replies;
	dialog_init(&r->d, "us.test", how / 2 % 3);
	while (in.n > 0 && r->d.state != DIALOG_BROKEN) {
		dialog_feed(&r->d, bytes_take(&in, piece));
		dialog_answer(r);
	}
}

static inline void
dialog_run_end(struct dialog_run *r)
{
	dialog_release(&r->d);
}
