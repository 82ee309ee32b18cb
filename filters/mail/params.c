/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/params.h"

#include <ctype.h>

#include "filters/archive/name.h"
#include "filters/mail/words.h"
#include "filters/plain/chars.h"
#include "filters/text/utf8.h"

#define NAME_BYTES_MAX ((size_t)4096) /* of one reading */

static void
skip_blanks(struct bytes *b)
{
	while (b->n > 0 && b->p[0] <= ' ')
		bytes_take(b, 1);
}

/* "(comment)", which may hold others. */
static void
skip_comments(struct bytes *b)
{
	unsigned depth = 0;

	skip_blanks(b);
	while (b->n > 0 && (depth > 0 || b->p[0] == '(')) {
		uint8_t c = bytes_take(b, 1).p[0];

		if (c == '\\' && b->n > 0)
			bytes_take(b, 1);
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		if (depth == 0)
			skip_blanks(b);
	}
}

static struct bytes
lower(struct detox *d, struct bytes b)
{
	uint8_t *p = arena_alloc(&d->arena, b.n + 1);

	for (size_t i = 0; i < b.n; i++)
		p[i] = (uint8_t)tolower(b.p[i]);
	return (struct bytes){ p, b.n };
}

/* Up to one of these, or a blank. */
static struct bytes
take_token(struct bytes *b, const char *ends)
{
	size_t n = 0;

	while (n < b->n && b->p[n] > ' ' && strchr(ends, b->p[n]) == NULL)
		n++;
	return bytes_take(b, n);
}

/* A sign, and not half a character. */
static bool
is_sign(const struct character *x, char sign)
{
	return x->kind == CHAR_TEXT && x->raw.n == 1 && x->c == (uint8_t)sign;
}

/* Behind its first quote; without the last one. */
static struct bytes
take_quoted(struct detox *d, enum charset charset, struct bytes *b)
{
	uint8_t *p = arena_alloc(&d->arena, b->n + 1);
	struct character x = { 0 };
	struct chars s;
	size_t n = 0;

	chars_init(&s, charset, *b);
	while (chars_next(&s, &x) && !is_sign(&x, '"')) {
		if (is_sign(&x, '\\') && s.rest.n > 0 && !chars_next(&s, &x))
			break;
		memcpy(p + n, x.raw.p, x.raw.n);
		n += x.raw.n;
	}
	*b = s.rest;
	return (struct bytes){ p, n };
}

/* Where this parameter ends: a ';' outside quotes. */
static struct bytes
raw_value(struct bytes b, enum charset charset)
{
	struct bytes raw = { b.p, 0 };
	struct character x = { 0 };
	bool quoted = false;
	struct chars s;

	chars_init(&s, charset, b);
	while (chars_next(&s, &x) && (quoted || !is_sign(&x, ';'))) {
		if (is_sign(&x, '\\') && s.rest.n > 0)
			(void)chars_next(&s, &x);
		else if (is_sign(&x, '"'))
			quoted = !quoted;
		raw.n = b.n - s.rest.n;
	}
	return bytes_trim(raw);
}

static void
take_param(struct detox *d, enum charset charset, struct bytes *b,
    struct mail_value *out)
{
	struct mail_param p = { 0 };
	struct bytes raw;

	skip_comments(b);
	p.name = lower(d, take_token(b, "=;("));
	skip_comments(b);
	if (b->n == 0 || b->p[0] != '=') {
		bytes_take_until(b, ';');
		return;
	}
	bytes_take(b, 1);
	skip_comments(b);
	raw = p.raw = raw_value(*b, charset);
	if (raw.n > 0 && raw.p[0] == '"') {
		bytes_take(&raw, 1);
		p.value = take_quoted(d, charset, &raw);
	} else {
		p.value = raw;
	}
	bytes_take(b, (size_t)(p.raw.p + p.raw.n - b->p));
	bytes_take_until(b, ';');
	if (out->n < MAIL_PARAMS_MAX)
		out->params[out->n++] = p;
	else
		out->many = true;
}

static void
parse(struct detox *d, enum charset charset, struct bytes text,
    struct mail_value *out)
{
	out->n = 0;
	out->many = false;
	out->bytewise = NULL;
	skip_comments(&text);
	/* "text / plain" is written by none that means well. */
	out->word = lower(d, take_token(&text, ";("));
	skip_comments(&text);
	if (out->n == 0 && text.n > 0 && text.p[0] != ';' &&
	    memchr(text.p, '=', text.n) != NULL && bytes_index(text, ';') < 0)
		take_param(d, charset, &text, out); /* no ';' */
	bytes_take_until(&text, ';');
	while (text.n > 0)
		take_param(d, charset, &text, out);
}

void
mail_value_parse(struct detox *d, struct bytes text, struct mail_value *out)
{
	/* In which every byte is a character. */
	static const enum charset bytewise = CHARSET_WINDOWS_1252;
	enum charset charset = mail_field_charset(text);
	struct mail_value *other;

	parse(d, charset == CHARSET_UNKNOWN ? bytewise : charset, text, out);
	if (charset == CHARSET_UNKNOWN)
		return;
	other = ARENA_ARRAY(&d->arena, struct mail_value, 1);
	parse(d, bytewise, text, other);
	out->bytewise = other;
}

/* RFC 2231. */

static void
decode_percent(struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		uint8_t c = bytes_take(&in, 1).p[0];

		if (c == '%' && in.n >= 2 && byte_hex(in.p[0]) >= 0 &&
		    byte_hex(in.p[1]) >= 0) {
			c = (uint8_t)(byte_hex(in.p[0]) << 4 |
			    byte_hex(in.p[1]));
			bytes_take(&in, 2);
		}
		must(buf_append(out, (struct bytes){ &c, 1 }) == 0);
	}
}

struct section {
	uint64_t index;
	bool whole; /* "name*", which is all */
	bool coded; /* its value has %XX */
};

/* Whether it is a section of name; "name*", "name*0", "name*0*". */
static bool
is_section(struct bytes param, struct bytes name, struct section *out)
{
	struct bytes number;

	*out = (struct section){ 0 };
	if (param.n <= name.n || !bytes_start_with(param, name) ||
	    param.p[name.n] != '*')
		return false;
	bytes_take(&param, name.n + 1);
	out->whole = param.n == 0;
	out->coded = param.n == 0 || param.p[param.n - 1] == '*';
	number = param;
	if (out->coded && number.n > 0)
		number.n--;
	return out->whole || bytes_number(number, 999, &out->index) == 0;
}

/* Sections in the order of their numbers; the first says the charset. whole:
 * of "name*" alone. false: there are none. */
static bool
join_sections(const struct mail_value *v, struct bytes name, bool whole,
    struct bytes *charset_out, struct buf *out)
{
	bool found = false;

	*charset_out = (struct bytes){ 0 };
	for (uint64_t index = 0; index < MAIL_PARAMS_MAX; index++) {
		bool here = false;

		for (size_t i = 0; i < v->n && !here; i++) {
			struct bytes value = v->params[i].value;
			struct section s;

			if (!is_section(v->params[i].name, name, &s) ||
			    s.whole != whole || s.index != index)
				continue;
			here = true;
			if (!s.coded) {
				must(buf_append(out, value) == 0);
				continue;
			}
			if (index == 0 && bytes_index(value, '\'') >= 0) {
				*charset_out = bytes_take_until(&value, '\'');
				if (bytes_index(value, '\'') >= 0)
					bytes_take_until(&value, '\'');
			}
			decode_percent(value, out);
		}
		if (!here)
			break;
		found = true;
		if (whole)
			break;
	}
	return found;
}

static size_t
room_for(const struct mail_value *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n = size_add(n, v->params[i].raw.n);
	return n;
}

/* Of the arena; *charset_out: UNKNOWN when it said none. */
static bool
sections(struct detox *d, const struct mail_value *v, struct bytes name,
    bool whole, struct bytes *raw_out, enum charset *charset_out)
{
	struct bytes charset;
	struct buf joined;
	bool found;

	buf_init(&joined, room_for(v));
	found = join_sections(v, name, whole, &charset, &joined);
	*raw_out = arena_copy(&d->arena, buf_bytes(&joined));
	*charset_out = mail_charset(charset);
	buf_release(&joined);
	return found;
}

struct bytes
mail_param(struct detox *d, const struct mail_value *v, const char *name)
{
	enum charset charset;
	struct bytes raw;

	for (size_t i = 0; i < v->n; i++)
		if (bytes_equal(v->params[i].name, bytes_of(name)))
			return v->params[i].value;
	for (int whole = 1; whole >= 0; whole--)
		if (sections(d, v, bytes_of(name), whole != 0, &raw, &charset))
			return mail_utf8(d, charset, raw);
	return (struct bytes){ 0 };
}

/* Names. */

/* What Windows, or who shows it, leaves out or takes for something else. */
static struct bytes
trim_end(struct bytes name)
{
	while (name.n > 0 && strchr(" .\"';:,)>", name.p[name.n - 1]) != NULL)
		name.n--;
	return name;
}

/* A stream of a file is the file to who opens it: "a.exe:b". Each piece is
 * looked at by itself, as no end of a name has a colon. */
static bool
is_stream_of_program(struct bytes clean)
{
	while (bytes_index(clean, ':') >= 0)
		if (detox_name_runs(trim_end(bytes_take_until(&clean, ':'))))
			return true;
	return false;
}

static void
add_utf8(struct detox *d, struct mail_names *n, struct bytes name)
{
	struct bytes clean, zero = name;
	ssize_t nul = bytes_index(name, 0);

	if (n->runs || name.n == 0)
		return;
	/* Who stops at a NUL sees another name. */
	if (nul >= 0)
		zero.n = (size_t)nul;
	clean = mail_clean_line(d, name);
	n->runs = detox_name_runs(trim_end(clean)) || detox_name_runs(zero) ||
	    is_stream_of_program(clean);
	if (n->runs)
		n->program = clean;
}

static bool
has(struct bytes b, const char *what)
{
	return b.n > 0 && memmem(b.p, b.n, what, strlen(what)) != NULL;
}

/* A byte string as each of the charsets in which such names are. */
static void
add_charsets(struct detox *d, struct mail_names *n, struct bytes raw)
{
	bool ascii = true;

	for (size_t i = 0; i < raw.n; i++)
		ascii = ascii && raw.p[i] < 0x80;
	add_utf8(d, n, mail_utf8(d, CHARSET_UNKNOWN, raw));
	if (has(raw, "\x1b")) {
		add_utf8(d, n, mail_utf8_as(d, CHARSET_ISO_2022_JP, raw));
		add_utf8(d, n, mail_utf8_as(d, CHARSET_WINDOWS_1252, raw));
	}
	if (ascii)
		return;
	add_utf8(d, n, mail_utf8_as(d, CHARSET_UTF8, raw));
	add_utf8(d, n, mail_utf8_as(d, CHARSET_SHIFT_JIS, raw));
	add_utf8(d, n, mail_utf8_as(d, CHARSET_EUC_JP, raw));
	add_utf8(d, n, mail_utf8_as(d, CHARSET_WINDOWS_1252, raw));
}

void
mail_names_add(struct detox *d, struct mail_names *n, struct bytes raw)
{
	struct buf plain;

	if (raw.n > NAME_BYTES_MAX)
		raw.n = NAME_BYTES_MAX;
	if (raw.n == 0)
		return;
	n->named = true;
	/* None that means well has so many: what is not judged runs. */
	if (n->n++ > MAIL_READINGS_MAX) {
		n->runs = true;
		return;
	}
	add_charsets(d, n, raw);
	if (has(raw, "=?")) {
		add_utf8(d, n, mail_words_decode(d, raw));
		add_utf8(d, n, mail_words_decode_as(d, raw));
	}
	if (!has(raw, "%"))
		return;
	buf_init(&plain, raw.n);
	decode_percent(raw, &plain);
	add_charsets(d, n, arena_copy(&d->arena, buf_bytes(&plain)));
	buf_release(&plain);
}

/* The value without quotes, with the backslashes, up to its first blank. */
static void
add_param(struct detox *d, struct mail_names *n, const struct mail_param *p)
{
	struct bytes raw = p->raw;
	struct bytes first = p->value;
	ssize_t blank = bytes_index(first, ' ');

	mail_names_add(d, n, p->value);
	if (!bytes_equal(raw, p->value))
		mail_names_add(d, n, raw);
	if (blank > 0 && (raw.n == 0 || raw.p[0] != '"')) {
		first.n = (size_t)blank;
		mail_names_add(d, n, first);
	}
	while (has(p->value, "\"")) {
		first = p->value;
		mail_names_add(d, n, bytes_take_until(&first, '"'));
		mail_names_add(d, n, first);
		break;
	}
}

static bool
is_of_name(struct bytes param, const char *name)
{
	struct section s;

	return bytes_equal(param, bytes_of(name)) ||
	    is_section(param, bytes_of(name), &s);
}

static void
read_one(struct detox *d, const struct mail_value *v, const char *name,
    struct mail_names *out)
{
	enum charset charset;
	struct bytes raw;

	for (int whole = 1; whole >= 0; whole--) {
		if (!sections(d, v, bytes_of(name), whole != 0, &raw, &charset))
			continue;
		if (out->best.n == 0)
			out->best = mail_utf8(d, charset, raw);
		mail_names_add(d, out, raw);
		add_utf8(d, out, mail_utf8(d, charset, raw));
		if (charset != CHARSET_UNKNOWN)
			add_utf8(d, out, mail_utf8_as(d, charset, raw));
		add_utf8(
		    d, out, mail_words_decode(d, mail_utf8(d, charset, raw)));
	}
	for (size_t i = 0; i < v->n; i++) {
		if (!is_of_name(v->params[i].name, name))
			continue;
		if (out->best.n == 0)
			out->best = mail_words_decode(d, v->params[i].value);
		add_param(d, out, &v->params[i]);
	}
}

static void
read_both(struct detox *d, const struct mail_value *type,
    const struct mail_value *disposition, struct mail_names *out)
{
	read_one(d, disposition, "filename", out);
	read_one(d, type, "name", out);
	/* Each in the other's field, as some write it. */
	read_one(d, disposition, "name", out);
	read_one(d, type, "filename", out);
	if (type->many || disposition->many)
		out->runs = out->named = true;
}

void
mail_names_read(struct detox *d, const struct mail_value *type,
    const struct mail_value *disposition, struct mail_names *out)
{
	*out = (struct mail_names){ 0 };
	read_both(d, type, disposition, out);
	if (type->bytewise != NULL || disposition->bytewise != NULL)
		read_both(d, type->bytewise != NULL ? type->bytewise : type,
		    disposition->bytewise != NULL ? disposition->bytewise
						  : disposition,
		    out);
	out->best = mail_clean_line(d, out->best);
	if (out->runs && out->program.n == 0)
		out->program = out->best;
}

const char *
mail_name_safe(struct detox *d, struct bytes name, unsigned number)
{
	uint8_t *p = arena_alloc(&d->arena, name.n + 1);
	enum detox_refusal before = d->refusal;
	struct name clean;
	size_t n = 0;

	if (name.n > NAME_RAW_MAX)
		bytes_take(&name, name.n - NAME_RAW_MAX);
	while (name.n > 0 && (name.p[0] & 0xc0) == 0x80)
		bytes_take(&name, 1);
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (c == '/' || c == '\\')
			n = 0;
		else
			p[n++] = c == ':' ? '_' : c;
	}
	if (n > 0 &&
	    name_clean(d, (struct bytes){ p, n }, NAME_CP932, &clean) ==
		DETOX_REBUILT &&
	    clean.path[0] != '\0')
		return clean.path;
	d->refusal = before;
	return arena_printf(&d->arena, "attachment-%u", number);
}
