/* SPDX-License-Identifier: Apache-2.0 */
/*
 * about: a mail as bytes in the spool. Lines "key value", an empty line, then
 * the packed envelope; of a note, a line for each recipient. We wrote it, but a
 * disk may give back anything: what is not of this form is refused.
 */
#include <stdlib.h>

#include "proxy/smtp/locked.h"

int
about_pack(const struct mail *mail, struct buf *out)
{
	const struct mail_origin *o = &mail->origin;
	char address[ADDRESS_TEXT_MAX];

	return buf_printf(out,
		   "id %s\narrived %llu\nclient %s\nhelo %s\nprotocol %s\n"
		   "tls %s\nmessage-id %s\nlongest %llu\neight %d\nown %d\n"
		   "from-body %d\nreleased %s\n\n",
		   mail->id, (unsigned long long)o->arrived,
		   address_text(&o->client, address), o->helo, o->protocol,
		   o->tls, mail->message_id, (unsigned long long)mail->longest,
		   mail->eight_bit, mail->own, o->segment != NULL,
		   mail->released) < 0 ||
		envelope_pack(&mail->envelope, out) < 0
	    ? -1
	    : 0;
}

static bool
take_value(struct bytes *in, const char *key, struct bytes *value)
{
	struct bytes line = bytes_take_until(in, '\n');

	if (!bytes_equal(bytes_take_until(&line, ' '), bytes_of(key)))
		return false;
	*value = line;
	return true;
}

static bool
take_text(
    struct mail *mail, struct bytes *in, const char *key, const char **out)
{
	struct bytes value;

	if (!take_value(in, key, &value))
		return false;
	*out = arena_string(&mail->arena, value);
	return true;
}

static bool
take_number(struct bytes *in, const char *key, uint64_t max, uint64_t *out)
{
	struct bytes value;

	return take_value(in, key, &value) &&
	    bytes_number(value, max, out) == 0;
}

int
about_unpack(struct mail *mail, struct bytes in)
{
	struct mail_origin *o = &mail->origin;
	uint64_t eight, own, from_body;
	struct bytes value;

	if (!take_value(&in, "id", &value) || value.n >= sizeof(mail->id))
		return -1;
	memcpy(mail->id, value.p, value.n);
	if (!take_number(&in, "arrived", UINT64_MAX / 2000, &o->arrived) ||
	    !take_value(&in, "client", &value) ||
	    address_parse(&o->client, value) < 0 ||
	    !take_text(mail, &in, "helo", &o->helo) ||
	    !take_text(mail, &in, "protocol", &o->protocol) ||
	    !take_text(mail, &in, "tls", &o->tls) ||
	    !take_text(mail, &in, "message-id", &mail->message_id) ||
	    !take_number(&in, "longest", UINT64_MAX / 2, &mail->longest) ||
	    !take_number(&in, "eight", 1, &eight) ||
	    !take_number(&in, "own", 1, &own) ||
	    !take_number(&in, "from-body", 1, &from_body) ||
	    !take_text(mail, &in, "released", &mail->released) ||
	    bytes_take_until(&in, '\n').n > 0)
		return -1;
	mail->eight_bit = eight != 0;
	mail->own = own != 0;
	if (from_body != 0)
		o->segment =
		    zones_lookup(mail->mailer->settings->zones, &o->client);
	return envelope_unpack(&mail->envelope, in, &mail->arena);
}

/* Of what next hops said as much as a note has room for, when they are many. */
#define NOTE_TEXTS ((size_t)400 * 1024)

static bool
has_happened(const struct mail *mail)
{
	for (size_t i = 0; i < mail->envelope.recipients_n; i++) {
		const struct recipient_status *s = &mail->status[i];

		if (s->state != RECIPIENT_PENDING || s->told ||
		    s->reply.code != 0)
			return true;
	}
	return mail->noted_delay || mail->let_go || mail->verdict != NULL;
}

/* The verdict, then of each recipient "STATE TOLD CODE ENHANCED TEXT". */
int
note_pack(const struct mail *mail, struct buf *out)
{
	static const struct rspamd_verdict none = { 0 };
	size_t each = NOTE_TEXTS / (mail->envelope.recipients_n + 1);

	if (!has_happened(mail))
		return 0;
	if (buf_printf(out, "delay %d\nlet-go %d\njudged %d\nverdict ",
		mail->noted_delay, mail->let_go, mail->verdict != NULL) < 0 ||
	    rspamd_verdict_pack(
		mail->verdict == NULL ? &none : mail->verdict, out) < 0)
		return -1;
	for (size_t i = 0; i < mail->envelope.recipients_n; i++) {
		const struct recipient_status *s = &mail->status[i];

		if (buf_printf(out, "%d %d %u %s %.*s\n", s->state, s->told,
			s->reply.code,
			s->reply.enhanced[0] == '\0' ? "-" : s->reply.enhanced,
			(int)each, s->reply.text) < 0)
			return -1;
	}
	return locked_pack(mail, out);
}

static int
take_status(struct recipient_status *s, struct bytes line)
{
	uint64_t state, told, code;
	struct bytes enhanced;

	if (bytes_number(bytes_take_until(&line, ' '), RECIPIENT_STATES - 1,
		&state) < 0 ||
	    bytes_number(bytes_take_until(&line, ' '), 1, &told) < 0 ||
	    bytes_number(bytes_take_until(&line, ' '), 999, &code) < 0)
		return -1;
	enhanced = bytes_take_until(&line, ' ');
	if (enhanced.n >= sizeof(s->reply.enhanced))
		return -1;
	s->state = (enum recipient_state)state;
	s->told = told != 0;
	reply_set(&s->reply, (unsigned)code, NULL, "%.*s", BYTES_PRINTF(line));
	if (!bytes_equal(enhanced, BYTES("-")))
		memcpy(s->reply.enhanced, enhanced.p, enhanced.n);
	return 0;
}

/* None stands in notes that were written before there were any. */
static int
take_verdict(struct mail *mail, struct bytes *in)
{
	struct rspamd_verdict v;
	uint64_t judged;

	if (!bytes_start_with(*in, BYTES("judged ")))
		return 0;
	if (!take_number(in, "judged", 1, &judged) ||
	    !bytes_equal(bytes_take_until(in, ' '), BYTES("verdict")) ||
	    rspamd_verdict_unpack(&v, in) < 0)
		return -1;
	if (judged != 0) {
		mail->verdict = ARENA_NEW(&mail->arena, struct rspamd_verdict);
		*mail->verdict = v;
	}
	return 0;
}

int
note_unpack(struct mail *mail, struct bytes in)
{
	uint64_t delay, let_go = 0;

	if (!take_number(&in, "delay", 1, &delay))
		return -1;
	/* Older notes do not have it. */
	if (bytes_start_with(in, BYTES("let-go ")) &&
	    !take_number(&in, "let-go", 1, &let_go))
		return -1;
	if (take_verdict(mail, &in) < 0)
		return -1;
	mail->noted_delay = delay != 0;
	mail->let_go = let_go != 0;
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (take_status(&mail->status[i], bytes_take_until(&in, '\n')) <
		    0)
			return -1;
	return locked_unpack(mail, in);
}
