/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/csv.h"

#include <ctype.h>
#include <stdio.h>

#define SNIFF_MAX 65536    /* characters that are looked at for a separator */
#define REPORTS_MAX 64     /* cells that are reported each alone */
#define COUNTED_MAX 10000  /* and that are counted */
#define FULL_WIDTH 0xfee0u /* from U+0021-007E to U+FF01-FF5E */

struct csv {
	struct chars s;
	uint32_t separator;
	bool quoted;
	bool sure;  /* here begins a cell, behind its blanks */
	bool first; /* and nothing of it was yet */
	bool maybe; /* here begins one to who reads it otherwise */
	size_t line, cell, reports;
	const uint8_t *known_until; /* is_command's answer */
	bool is_command;
	struct detox *d;
	struct buf *out;
};

/* Of full width as of half, as spreadsheets take it. */
static uint32_t
narrow(uint32_t c)
{
	return c >= 0xff01 && c <= 0xff5e ? c - FULL_WIDTH : c;
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
	    c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200f) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	    c == 0x2060;
}

static bool
is_separator(uint32_t c)
{
	return c == ',' || c == ';' || c == '\t';
}

/* What may stand in a number, a date or a telephone number. */
static bool
is_of_numbers(uint32_t c)
{
	return (c >= '0' && c <= '9') ||
	    (c < 0x80 && c > 0 && strchr(" .,:/()'%#~+-\\$", (int)c) != NULL);
}

/* Whether one more character is harmless behind a sign. */
static bool
is_harmless(uint32_t c, uint32_t before)
{
	uint32_t n = narrow(c);

	if (is_of_numbers(n) || is_blank(c))
		return true;
	if (n == 'e' || n == 'E')
		return before >= '0' && before <= '9';
	return n >= 0x80;
}

/* Whether the cell ends before c. */
static bool
ends_cell(const struct csv *v, uint32_t c)
{
	if (v->quoted)
		return c == '"';
	return c == v->separator || c == '\n' || c == '\r';
}

static bool
is_next(struct chars ahead, uint32_t c)
{
	struct character x = { 0 };

	return chars_next(&ahead, &x) && x.c == c;
}

/* Behind + or -: whether something stands there that is no number. */
static bool
is_signed_formula(const struct csv *v, struct chars ahead)
{
	struct character x = { 0 };
	uint32_t before = 0;

	while (chars_next(&ahead, &x)) {
		if (x.kind != CHAR_TEXT)
			continue;
		if (ends_cell(v, x.c))
			return v->quoted && is_next(ahead, '"');
		if (!is_harmless(x.c, before))
			return true;
		before = narrow(x.c);
	}
	return false;
}

static bool
is_of_names(uint32_t c)
{
	return c < 0x80 && (isalnum((int)c) || c == '_');
}

/* Whether a function or a program is called before the next place where a cell
 * may begin. Blanks may stand before a bracket, also such as part cells to
 * others. The answer holds until where it was found. */
static bool
is_command(struct csv *v)
{
	struct chars ahead = v->s;
	struct character x = { 0 };
	uint32_t before = 0;
	bool ended = false;

	if (ahead.rest.p < v->known_until)
		return v->is_command;
	v->is_command = false;
	while (!v->is_command && chars_next(&ahead, &x)) {
		uint32_t c = narrow(x.c);

		if (x.kind != CHAR_TEXT)
			continue;
		if (is_blank(x.c)) {
			ended = ended || (x.c != ' ' && x.c != 0x3000);
			continue;
		}
		if (is_separator(x.c) || (ended && c != '('))
			break;
		v->is_command =
		    c == '|' || c == '!' || (c == '(' && is_of_names(before));
		before = c;
	}
	v->known_until = ahead.rest.p;
	return v->is_command;
}

/* "cmd|' /C calc'!A0": program, topic and item of DDE. */
static bool
is_dde(const struct csv *v, struct chars ahead)
{
	struct character x = { 0 };
	bool bar = false;
	size_t name = 0;

	while (chars_next(&ahead, &x)) {
		uint32_t c = narrow(x.c);

		if (x.kind != CHAR_TEXT || ends_cell(v, x.c))
			return false;
		if (bar && c == '!')
			return true;
		if (bar)
			continue;
		bar = c == '|' && name > 0;
		if (!bar && !is_of_names(c))
			return false;
		name++;
	}
	return false;
}

/* chars_next is behind x. */
static bool
begins_formula(struct csv *v, const struct character *x)
{
	uint32_t c = narrow(x->c);

	if (c == '=' || c == '@')
		return v->sure || is_command(v);
	if (c == '+' || c == '-')
		return v->sure ? is_signed_formula(v, v->s) : is_command(v);
	return false;
}

static void
report(struct csv *v)
{
	char where[64] = "further cells";

	if (v->reports++ >= COUNTED_MAX)
		return;
	if (v->reports <= REPORTS_MAX)
		snprintf(where, sizeof(where), "line %zu, cell %zu", v->line,
		    v->cell);
	detox_removed(v->d, REMOVED_FORMULA, where, (struct bytes){ 0 });
}

/* At the beginning of a cell, blanks and quotes are passed. */
static bool
has_to_be_defused(
    struct csv *v, const struct character *x, const struct chars *at)
{
	if (v->sure && isalpha((int)(narrow(x->c) & 0x7f)) &&
	    narrow(x->c) < 0x80)
		return is_dde(v, *at);
	return begins_formula(v, x);
}

/* A TAB or CR first in a cell, where it neither parts cells nor ends lines. */
static bool
is_control_first(const struct csv *v, const struct character *x)
{
	struct chars ahead = v->s;
	struct character next = { 0 };

	if (x->c == '\t')
		return v->separator != '\t';
	return x->c == '\r' && v->quoted && chars_next(&ahead, &next) &&
	    next.c != '\n';
}

/* Where the next character stands. */
static void
advance(struct csv *v, const struct character *x)
{
	bool cell = !v->quoted && x->c == v->separator;
	bool line = !v->quoted && (x->c == '\n' || x->c == '\r');

	v->line += x->c == '\n';
	if (line)
		v->cell = 1;
	else if (cell)
		v->cell++;
	if (x->c == '"')
		v->quoted = !v->quoted;
	if (cell || line)
		v->sure = true;
	else if (x->c != '"' && !is_blank(x->c))
		v->sure = false;
	if (is_separator(x->c) || is_blank(x->c) || x->c == '"' || cell)
		v->maybe = v->maybe || x->c != ' ';
	else
		v->maybe = false;
	v->first = v->sure && (cell || line || x->c == '"');
}

static bool
is_defused(struct csv *v, const struct character *x, const struct chars *at)
{
	if (x->kind != CHAR_TEXT || (!v->sure && !v->maybe))
		return false;
	if (v->sure && v->first && is_control_first(v, x))
		return true;
	return !is_blank(x->c) && x->c != '"' && x->c != v->separator &&
	    has_to_be_defused(v, x, at);
}

static int
take(struct csv *v, const struct character *x, const struct chars *at)
{
	if (is_defused(v, x, at)) {
		report(v);
		v->sure = v->maybe = false;
		if (chars_put_ascii(at, '\'', v->out) < 0)
			return -1;
	}
	if (x->kind == CHAR_TEXT)
		advance(v, x);
	return buf_append(v->out, x->raw);
}

/* "sep=;" as the first line says it; else what parts the first lines most. */
static uint32_t
sniff(struct chars s)
{
	static const char candidates[] = ",;\t";
	size_t counts[3] = { 0 };
	struct character x = { 0 };
	bool quoted = false;
	size_t best = 0;

	if (s.rest.n > 5 &&
	    bytes_equal_nocase((struct bytes){ s.rest.p, 4 }, BYTES("sep=")) &&
	    bytes_index(BYTES(",;\t|:"), s.rest.p[4]) >= 0)
		return s.rest.p[4];
	for (size_t i = 0; i < SNIFF_MAX && chars_next(&s, &x); i++) {
		const char *found;

		if (x.kind != CHAR_TEXT || x.c == 0 || x.c >= 0x80)
			continue;
		quoted ^= x.c == '"';
		found = quoted ? NULL : strchr(candidates, (int)x.c);
		if (found != NULL)
			counts[found - candidates]++;
	}
	for (size_t i = 1; i < COUNT(counts); i++)
		if (counts[i] > counts[best])
			best = i;
	return (uint32_t)candidates[best];
}

/* SYLK's head: a spreadsheet would run what follows, whatever its name. */
static int
defuse_sylk(struct csv *v)
{
	struct chars ahead = v->s;
	struct character x = { 0 };
	static const char head[] = "ID;";

	for (size_t i = 0; i < 3; i++)
		if (!chars_next(&ahead, &x) || x.kind != CHAR_TEXT ||
		    narrow(x.c) != (uint32_t)head[i])
			return 0;
	report(v);
	v->sure = v->maybe = v->first = false;
	return chars_put_ascii(&v->s, '\'', v->out);
}

enum detox_result
csv_defuse(struct detox *d, const struct clean *text,
    enum csv_separator separator, struct detox_output *out)
{
	struct bytes rest = buf_bytes(&text->text);
	struct csv v = { .line = 1, .cell = 1 };
	struct bytes mark = bytes_take(&rest, text->mark);
	struct character x = { 0 };
	int failed;

	chars_init(&v.s, text->charset, rest);
	v.sure = v.first = v.maybe = true;
	v.d = d;
	v.out = &out->content;
	v.separator =
	    separator != CSV_SNIFFED ? (uint32_t)separator : sniff(v.s);
	failed = buf_append(v.out, mark) < 0 || defuse_sylk(&v) < 0;
	for (struct chars at = v.s; !failed && chars_next(&v.s, &x); at = v.s)
		failed = take(&v, &x, &at) < 0;
	if (failed)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", v.out->max);
	return DETOX_REBUILT;
}
