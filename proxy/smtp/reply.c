/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/reply.h"

#include <stdarg.h>
#include <stdio.h>

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static char
printable(uint8_t c)
{
	return c >= ' ' && c < 0x7f ? (char)c : '?';
}

void
reply_set(struct smtp_reply *r, unsigned code, const char *enhanced,
    const char *format, ...)
{
	va_list args;

	*r = (struct smtp_reply){ .code = code };
	if (enhanced != NULL)
		snprintf(r->enhanced, sizeof(r->enhanced), "%s", enhanced);
	va_start(args, format);
	vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
	for (char *c = r->text; *c != '\0'; c++)
		*c = printable((uint8_t)*c);
}

/* Reading. */

static enum reply_progress
bad(struct reply_reader *r, const char *why)
{
	r->why = why;
	return REPLY_BAD;
}

/* One to three digits at the head of *b. */
static bool
take_number(struct bytes *b)
{
	size_t n = 0;

	while (n < b->n && is_digit(b->p[n]))
		n++;
	bytes_take(b, n);
	return n >= 1 && n <= 3;
}

/* How long the enhanced code at the head of text is; 0: there is none. */
static size_t
enhanced_n(struct bytes text, unsigned code)
{
	struct bytes rest = text;

	if (text.n < 5 || text.p[0] != '0' + code / 100 || text.p[1] != '.')
		return 0;
	bytes_take(&rest, 2);
	if (!take_number(&rest) || rest.n == 0 ||
	    *bytes_take(&rest, 1).p != '.')
		return 0;
	if (!take_number(&rest) || (rest.n > 0 && rest.p[0] != ' '))
		return 0;
	return text.n - rest.n;
}

/* The first line's enhanced code is the reply's; others repeat it. */
static struct bytes
take_enhanced(struct smtp_reply *reply, struct bytes text)
{
	size_t n = enhanced_n(text, reply->code);
	struct bytes enhanced = bytes_take(&text, n);

	if (n > 0 && reply->enhanced[0] == '\0' && reply->text[0] == '\0')
		snprintf(reply->enhanced, sizeof(reply->enhanced), "%.*s",
		    BYTES_PRINTF(enhanced));
	return bytes_trim(text);
}

static void
append_text(struct smtp_reply *reply, struct bytes text)
{
	size_t n = strlen(reply->text);

	text = take_enhanced(reply, text);
	if (n > 0 && n < REPLY_TEXT_MAX && text.n > 0)
		reply->text[n++] = ' ';
	for (size_t i = 0; i < text.n && n < REPLY_TEXT_MAX; i++)
		reply->text[n++] = printable(text.p[i]);
	reply->text[n] = '\0';
}

/* RFC 5321 section 4.2: Reply-code = %x32-35 %x30-35 %x30-39; 0: it is none. */
static unsigned
read_code(struct bytes line)
{
	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' ||
	    line.p[1] < '0' || line.p[1] > '5' || !is_digit(line.p[2]))
		return 0;
	return (line.p[0] - '0') * 100u + (line.p[1] - '0') * 10u +
	    (line.p[2] - '0');
}

static enum reply_progress
read_line(struct reply_reader *r, struct bytes line)
{
	unsigned code = read_code(line);
	bool last;

	if (!bytes_end_with(line, BYTES("\r\n")))
		return bad(r, "a reply with a bare LF");
	line.n -= 2;
	last = line.n == 3 || (line.n > 3 && line.p[3] == ' ');
	if (code == 0 || (!last && line.p[3] != '-'))
		return bad(r, "a reply without its code");
	r->first = r->lines_n == 0;
	if (r->first)
		r->reply = (struct smtp_reply){ .code = code };
	if (code != r->reply.code)
		return bad(r, "a reply with two codes");
	if (++r->lines_n > REPLY_LINES_MAX)
		return bad(r, "a reply with too many lines");
	bytes_take(&line, line.n == 3 ? 3 : 4);
	r->line = line;
	append_text(&r->reply, line);
	if (!last)
		return REPLY_LINE;
	r->lines_n = 0;
	return REPLY_WHOLE;
}

enum reply_progress
reply_read(struct reply_reader *r, struct bytes *in)
{
	struct bytes line;

	while (in->n > 0) {
		if (r->n == sizeof(r->bytes))
			return bad(r, "a reply with a line over its limit");
		r->bytes[r->n++] = *bytes_take(in, 1).p;
		if (r->bytes[r->n - 1] != '\n')
			continue;
		line = (struct bytes){ r->bytes, r->n };
		r->n = 0;
		return read_line(r, line);
	}
	return REPLY_MORE;
}
