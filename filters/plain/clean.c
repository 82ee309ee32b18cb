/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/clean.h"

#include <stdio.h>

#define ESC 0x1b
#define BEL 0x07
#define ROUNDS_MAX 4

/* What turns text around, marks of byte order that are not at the beginning,
 * and controls. */
static bool
is_hidden(uint32_t c)
{
	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\f' && c != '\r';
	return (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0xfffe;
}

/* The character of ASCII that follows; 0: none, or another. */
static uint32_t
peek(const struct chars *s)
{
	struct chars ahead = *s;
	struct character x = { 0 };

	return chars_next(&ahead, &x) && x.kind == CHAR_TEXT && x.c < 0x80 ? x.c
									   : 0;
}

static uint32_t
skip_while(struct chars *s, uint32_t least, uint32_t most)
{
	struct character x = { 0 };
	uint32_t c;

	while ((c = peek(s)) >= least && c <= most)
		(void)chars_next(s, &x);
	return c;
}

/* A title, or another string to the terminal, when its end is on this line.
 * Where a line has none, that is known until its end. */
static void
skip_string(struct chars *s, const uint8_t **endless)
{
	struct chars ahead = *s;
	struct character x = { 0 };
	bool escape = false;

	if (s->rest.p < *endless)
		return;
	while (chars_next(&ahead, &x) && x.c != '\n' && x.c != '\r') {
		if (x.c == BEL || (escape && x.c == '\\')) {
			*s = ahead;
			return;
		}
		escape = x.kind == CHAR_TEXT && x.c == ESC;
	}
	*endless = ahead.rest.p;
}

/* ECMA-48's sequences, behind their ESC. */
static void
skip_escape(struct chars *s, const uint8_t **endless)
{
	struct character x = { 0 };
	uint32_t c = peek(s);

	if (c == '[') {
		(void)chars_next(s, &x);
		c = skip_while(s, 0x20, 0x3f);
		if (c >= 0x40 && c <= 0x7e)
			(void)chars_next(s, &x);
	} else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
		(void)chars_next(s, &x);
		skip_string(s, endless);
	} else if (c >= 0x20 && c <= 0x7e) {
		c = skip_while(s, 0x20, 0x2f);
		if (c >= 0x30 && c <= 0x7e)
			(void)chars_next(s, &x);
	}
}

static bool
is_line_end(const struct character *x)
{
	return x->kind == CHAR_TEXT && (x->c == '\n' || x->c == '\r');
}

/* One round. Runs that stay are copied whole. */
struct round {
	struct chars s;
	struct clean *out;
	struct bytes kept;      /* not copied yet */
	const uint8_t *endless; /* no string of a terminal ends before */
	size_t line;
};

static int
flush(struct round *r)
{
	struct bytes kept = r->kept;

	r->kept.n = 0;
	return kept.n == 0 ? 0 : buf_append(&r->out->text, kept);
}

static int
keep(struct round *r, struct bytes raw)
{
	if (r->kept.n > 0 && r->kept.p + r->kept.n == raw.p) {
		r->kept.n += raw.n;
		return 0;
	}
	if (flush(r) < 0)
		return -1;
	r->kept = raw;
	return 0;
}

static void
leave_out(struct round *r, const struct character *x)
{
	struct clean *out = r->out;

	if (x->kind == CHAR_DAMAGED) {
		out->damaged++;
		if (out->damaged_line == 0)
			out->damaged_line = r->line;
		return;
	}
	if (x->c == ESC)
		skip_escape(&r->s, &r->endless);
	if (out->hidden_line == 0)
		out->hidden_line = r->line;
}

/* RFC 1468: a line and a text end in ASCII. What follows is read so by others
 * too, whose commas and line ends would not be ours. */
static int
end_in_ascii(struct round *r)
{
	if (r->s.charset != CHARSET_ISO_2022_JP || r->s.jis == JIS_ASCII ||
	    r->s.jis == JIS_ROMAN)
		return 0;
	r->s.jis = JIS_ASCII;
	if (r->out->damaged_line == 0)
		r->out->damaged_line = r->line;
	if (flush(r) < 0)
		return -1;
	return buf_append(&r->out->text, BYTES("\x1b(B"));
}

static int
take_round(struct round *r)
{
	struct character x = { 0 };

	while (chars_next(&r->s, &x)) {
		if (is_line_end(&x) && end_in_ascii(r) < 0)
			return -1;
		r->line += x.kind == CHAR_TEXT && x.c == '\n';
		if (x.kind == CHAR_DAMAGED ||
		    (x.kind == CHAR_TEXT && is_hidden(x.c))) {
			leave_out(r, &x);
			continue;
		}
		r->out->visible += x.kind == CHAR_TEXT && x.c > 0x20;
		if (keep(r, x.raw) < 0)
			return -1;
	}
	return end_in_ascii(r) < 0 ? -1 : flush(r);
}

static int
clean_once(struct bytes in, struct clean *out)
{
	struct round r = { .out = out, .line = 1 };
	struct bytes mark = bytes_take(&in, out->mark);

	out->visible = 0;
	chars_init(&r.s, out->charset, in);
	return keep(&r, mark) < 0 ? -1 : take_round(&r);
}

static void
report(struct detox *d, enum detox_removal what, size_t line)
{
	char where[32];

	if (line == 0)
		return;
	snprintf(where, sizeof(where), "line %zu", line);
	detox_removed(d, what, where, (struct bytes){ 0 });
}

static enum detox_result
clean_again(struct detox *d, struct buf *before, struct clean *out)
{
	*before = out->text;
	buf_init(&out->text, before->max);
	out->charset = chars_charset(buf_bytes(before), &out->mark);
	if (clean_once(buf_bytes(before), out) < 0)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->text.max);
	return DETOX_REBUILT;
}

/* What is left may be of another charset than the whole was, and then has to be
 * read as that. */
enum detox_result
clean_text(struct detox *d, struct bytes in, struct clean *out)
{
	struct buf before = { 0 };

	*out = (struct clean){ .charset = CHARSET_UNKNOWN };
	buf_init(&out->text, d->profile->out_max);
	out->charset = chars_charset(in, &out->mark);
	if (clean_once(in, out) < 0)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->text.max);
	for (unsigned i = 0; out->text.n != in.n; i++) {
		enum detox_result result;

		if (i == ROUNDS_MAX)
			return detox_refuse(
			    d, REFUSED_BROKEN, "its charset cannot be told");
		result = clean_again(d, &before, out);
		in.n = before.n;
		buf_release(&before);
		if (result == DETOX_REFUSED)
			return result;
	}
	report(d, REMOVED_HIDDEN, out->hidden_line);
	report(d, REMOVED_DAMAGED, out->damaged_line);
	return DETOX_REBUILT;
}
