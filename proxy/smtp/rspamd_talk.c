/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/rspamd_talk.h"

#define RECIPIENTS_MAX 100

/* In a field's value nothing of theirs may end it. */
static void
put(struct buf *out, const char *name, struct bytes value, const char *brackets)
{
	must(buf_printf(out, "%s: %.1s", name, brackets) == 0);
	for (size_t i = 0; i < value.n; i++)
		must(buf_printf(out, "%c",
			 value.p[i] < ' ' || value.p[i] == 0x7f
			     ? '?'
			     : value.p[i]) == 0);
	must(buf_printf(
		 out, "%s\r\n", brackets[0] == '\0' ? "" : brackets + 1) == 0);
}

void
rspamd_head(struct buf *out, const struct rspamd_question *q, size_t content_n)
{
	const struct envelope *e = q->envelope;
	char address[ADDRESS_TEXT_MAX];

	must(buf_printf(out,
		 "POST /checkv2 HTTP/1.1\r\nHost: rspamd\r\nConnection: close"
		 "\r\nContent-Length: %zu\r\nIP: %s\r\n",
		 content_n, address_text(q->client, address)) == 0);
	put(out, "Helo", bytes_of(q->helo), "");
	put(out, "From", e->sender.text, "<>");
	for (size_t i = 0; i < e->recipients_n && i < RECIPIENTS_MAX; i++)
		put(out, "Rcpt", e->recipients[i].address.text, "<>");
	put(out, "Queue-Id", bytes_of(q->id), "");
	put(out, "MTA-Name", bytes_of(q->name), "");
	if (q->user != NULL)
		put(out, "User", bytes_of(q->user), "");
	must(buf_append_string(out, "\r\n") == 0);
}

static int
stop(struct rspamd_talk *t, const char *why)
{
	t->why = why;
	return HPE_USER;
}

static int
on_fields(llhttp_t *p, const char *at, size_t n)
{
	struct rspamd_talk *t = p->data;

	(void)at;
	t->fields_n += n;
	return t->fields_n > RSPAMD_FIELDS_MAX ? stop(t, "a head too long") : 0;
}

static int
on_head(llhttp_t *p)
{
	return p->status_code == 200 ? 0
				     : stop(p->data, "a status other than 200");
}

static int
on_body(llhttp_t *p, const char *at, size_t n)
{
	struct rspamd_talk *t = p->data;
	struct bytes more = { (const uint8_t *)at, n };

	return buf_append(&t->body, more) == 0 ? 0
					       : stop(t, "an answer too long");
}

static int
on_end(llhttp_t *p)
{
	struct rspamd_talk *t = p->data;

	t->whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_status = on_fields,
	.on_header_field = on_fields,
	.on_header_value = on_fields,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_end,
};

void
rspamd_talk_init(struct rspamd_talk *t)
{
	*t = (struct rspamd_talk){ 0 };
	llhttp_init(&t->parser, HTTP_RESPONSE, &callbacks);
	t->parser.data = t;
	buf_init(&t->body, RSPAMD_ANSWER_MAX);
}

void
rspamd_talk_release(struct rspamd_talk *t)
{
	buf_release(&t->body);
}

enum rspamd_progress
rspamd_talk_hear(struct rspamd_talk *t, struct bytes in)
{
	llhttp_errno_t e = in.n == 0
	    ? llhttp_finish(&t->parser)
	    : llhttp_execute(&t->parser, (const char *)in.p, in.n);

	if (t->whole)
		return RSPAMD_WHOLE;
	if (e == HPE_OK && in.n > 0)
		return RSPAMD_MORE;
	if (t->why == NULL)
		t->why = in.n == 0 ? "no answer" : "an answer that is no HTTP";
	return RSPAMD_BROKEN;
}
