/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/head.h"

#include <time.h>

#include "proxy/smtp/mail.h"

#define MESSAGE_ID_MAX 250

struct bytes
head_bytes(struct bytes content)
{
	struct bytes all = content;
	size_t n = 0;

	while (content.n > 0) {
		struct bytes line = bytes_take_until(&content, '\n');

		n += line.n + 1;
		if (line.n <= 1)
			break;
	}
	all.n = n < all.n ? n : all.n;
	return all;
}

static bool
begins(struct bytes line, struct bytes name)
{
	return line.n > name.n &&
	    bytes_equal_nocase((struct bytes){ line.p, name.n }, name);
}

const char *
head_message_id(struct bytes content, struct arena *a)
{
	struct bytes head = head_bytes(content);
	const struct bytes name = BYTES("Message-ID:");

	while (head.n > 0) {
		struct bytes line = bytes_take_until(&head, '\n');
		char *text;

		if (!begins(line, name))
			continue;
		bytes_take(&line, name.n);
		/* It may stand on the line that goes on. */
		if (bytes_trim(line).n <= 1 && head.n > 0 &&
		    (*head.p == ' ' || *head.p == '\t'))
			line = bytes_take_until(&head, '\n');
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = bytes_trim(line);
		line.n = line.n < MESSAGE_ID_MAX ? line.n : MESSAGE_ID_MAX;
		text = arena_string(a, line);
		for (char *c = text; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		return text;
	}
	return "";
}

unsigned
head_hops(struct bytes content)
{
	struct bytes head = head_bytes(content);
	unsigned n = 0;

	while (head.n > 0)
		n += begins(bytes_take_until(&head, '\n'), BYTES("Received:"));
	return n;
}

const char *
head_date(uint64_t seconds, char out[HEAD_DATE_MAX])
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, HEAD_DATE_MAX, "%s, %d %s %d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return out;
}

/* In a comment of ours nothing of theirs may end it. */
static const char *
plain(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		out[n++] = *text > ' ' && *text <= '~' && *text != '(' &&
			*text != ')' && *text != '\\' && *text != ';'
		    ? *text
		    : '?';
	out[n] = '\0';
	return out;
}

/* A field with the lines that go on, which leave *head. */
static struct bytes
take_field(struct bytes *head)
{
	struct bytes field = *head;
	size_t n = 0;

	do
		n += bytes_take_until(head, '\n').n + 1;
	while (head->n > 0 && (*head->p == ' ' || *head->p == '\t'));
	field.n = n < field.n ? n : field.n;
	return field;
}

static bool
names(struct bytes value, struct bytes name)
{
	for (; value.n >= name.n; bytes_take(&value, 1))
		if (begins(value, name) || bytes_equal_nocase(value, name))
			return true;
	return false;
}

/* Where our name stands in it does not matter, nor whether a backslash hides
 * it: comments and quotes give too many ways to write one. */
static bool
is_ours(struct bytes field, struct bytes name)
{
	struct bytes key = bytes_trim(bytes_take_until(&field, ':'));

	if (begins(key, BYTES("Sekisho-")))
		return true;
	return bytes_equal_nocase(key, BYTES("Authentication-Results")) &&
	    (names(field, name) || bytes_index(field, '\\') >= 0);
}

bool
head_has_ours(struct bytes head, const char *name)
{
	while (head.n > 0)
		if (is_ours(take_field(&head), bytes_of(name)))
			return true;
	return false;
}

int
head_without_ours(struct bytes head, const char *name, struct buf *out)
{
	while (head.n > 0) {
		struct bytes field = take_field(&head);

		if (!is_ours(field, bytes_of(name)) &&
		    buf_append(out, field) < 0)
			return -1;
	}
	return 0;
}

/* An entry on each line. */
static int
write_verdict(const struct mail *mail, struct buf *out)
{
	const struct rspamd_verdict *v = mail->verdict;
	const char *mark = verdict_mark(mail);
	char score[RSPAMD_SCORE_MAX], required[RSPAMD_SCORE_MAX];
	struct bytes rest;

	if (v == NULL || v->action == RSPAMD_UNASKED)
		return 0;
	rest = bytes_of(v->results.text[0] == '\0' ? "none" : v->results.text);
	if (buf_printf(out, "Authentication-Results: %s",
		mail->mailer->settings->mail.name) < 0)
		return -1;
	while (rest.n > 0) {
		struct bytes entry = bytes_trim(bytes_take_until(&rest, ';'));

		if (buf_printf(out, ";\r\n\t%.*s", BYTES_PRINTF(entry)) < 0)
			return -1;
	}
	if (buf_append_string(out, "\r\n") < 0)
		return -1;
	if (mark == NULL)
		return 0;
	return buf_printf(out, "Sekisho-Spam: %s; score=%s/%s\r\n", mark,
	    rspamd_score(v->score, score), rspamd_score(v->required, required));
}

int
head_write(const struct leg *leg, struct buf *out)
{
	const struct mail *mail = leg->mail;
	const struct mail_origin *o = &mail->origin;
	const struct mail_settings *s = &mail->mailer->settings->mail;
	char address[ADDRESS_TEXT_MAX];
	char date[HEAD_DATE_MAX];
	char helo[128];
	char words[SUSPECT_WORDS_MAX];

	if (mail->own)
		return 0;
	if (buf_printf(out,
		"Received: from %s (%s%s%s)\r\n\tby %s with %s id %s;\r\n\t%s"
		"\r\n",
		plain(o->helo, helo, sizeof(helo)),
		address_is_v4(&o->client) ? "[" : "[IPv6:",
		address_text(&o->client, address), "]", s->name, o->protocol,
		mail->id, head_date(o->arrived, date)) < 0)
		return -1;
	if (mail->released[0] != '\0')
		return buf_printf(
		    out, "Sekisho-Released: %s\r\n", mail->released);
	if (write_verdict(mail, out) < 0)
		return -1;
	if (leg->suspicion.reasons != 0 &&
	    buf_printf(out, "Sekisho-Suspect: %s; points=%u\r\n",
		suspect_words(&leg->suspicion, words),
		leg->suspicion.points) < 0)
		return -1;
	if (leg->result == NULL)
		return 0;
	return buf_printf(out, "Sekisho-Detox: %s; profile=%s%s%s\r\n",
	    leg->result,
	    mail->mailer->settings->profiles.all[leg->route->profile].name,
	    leg->removed[0] == '\0' ? "" : "; removed=", leg->removed);
}
