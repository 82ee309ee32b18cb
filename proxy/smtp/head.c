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
