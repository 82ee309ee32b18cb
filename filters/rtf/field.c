/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>

#include "filters/rtf/rebuild.h"

#define INSTRUCTION_MAX 65536
#define KEYWORD_MAX 24

/* They compute from the document alone, or say what time it is. */
static const char allowed[] =
    " = ADVANCE AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT BIDIOUTLINE COMMENTS"
    " CREATEDATE DATE DOCPROPERTY EDITTIME EQ FILENAME FILESIZE FORMCHECKBOX"
    " FORMDROPDOWN FORMTEXT GLOSSARY HYPERLINK INDEX KEYWORDS LASTSAVEDBY"
    " LISTNUM MERGEFIELD NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF"
    " PRINTDATE REF REVNUM SAVEDATE SECTION SECTIONPAGES SEQ SHAPE STYLEREF"
    " SUBJECT SYMBOL TA TC TIME TITLE TOA TOC XE ";

struct capture {
	struct rtf *r;
	struct level l;
	struct buf *plain, *escaped;
	bool only_text;
};

/* What is too long is no instruction. */
static void
put(struct capture *c, char plain, const char *escaped)
{
	if (buf_append(c->plain, (struct bytes){ (uint8_t *)&plain, 1 }) < 0 ||
	    buf_append_string(c->escaped, escaped) < 0)
		c->only_text = false;
}

static void
put_ascii(struct capture *c, uint8_t byte)
{
	char text[3] = { (char)byte, '\0', '\0' };

	if (byte == '\\' || byte == '{' || byte == '}') {
		text[0] = '\\';
		text[1] = (char)byte;
	}
	put(c, (char)byte, text);
}

static void
put_byte(struct capture *c, uint8_t byte)
{
	char text[8];

	if (byte >= ' ' && byte < 0x7f) {
		put_ascii(c, byte);
		return;
	}
	snprintf(text, sizeof(text), "\\'%02x", byte);
	put(c, '?', text);
}

static void
put_unicode(struct capture *c, int32_t value)
{
	char text[24];

	skip_fallback(c->r, &c->l);
	if (value >= ' ' && value < 0x7f) {
		put_ascii(c, (uint8_t)value);
		return;
	}
	snprintf(text, sizeof(text), "\\u%ld?", (long)value);
	put(c, '?', text);
}

/* What a reader may fill in, and its names, stands within the instruction. Its
 * macros go. */
static void
capture_form_field(struct capture *c)
{
	struct rtf *r = c->r;
	struct buf *out = r->out;
	bool need_space = r->need_space;

	if (!enter(r))
		return;
	r->out = c->escaped;
	emit(r, BYTES("{\\*\\formfield"));
	r->need_space = true;
	c->l.visible = false;
	content(r, c->l);
	emit(r, BYTES("}"));
	r->depth--;
	r->out = out;
	r->need_space = need_space;
}

static void
capture_word(struct capture *c, const struct token *t)
{
	enum word_rule rule = words_find(t->name);

	switch ((int)rule) {
	case WORD_UNICODE:
		put_unicode(c, t->param);
		return;
	case WORD_SKIPS:
		c->l.skips = t->param < 0 ? 0 : (unsigned)t->param;
		return;
	case WORD_FORM_FIELD:
		capture_form_field(c);
		return;
	case WORD_FIELD:
	case WORD_OBJECT:
	case WORD_PICTURE:
	case WORD_PROPERTY:
		c->only_text = false;
		lex_skip(&c->r->lex);
		return;
	}
	if (words_is_destination(rule) && rule != WORD_TEXT &&
	    rule != WORD_INSTRUCTION)
		lex_skip(&c->r->lex);
	else if (strcmp(t->name, "tab") == 0)
		put_ascii(c, ' ');
}

static void
capture_symbol(struct capture *c, uint8_t byte)
{
	struct head h;

	if (byte == '\\' || byte == '{' || byte == '}') {
		put_ascii(c, byte);
	} else if (byte == '~') {
		put_ascii(c, ' ');
	} else if (byte == '_') {
		put_ascii(c, '-');
	} else if (byte == '*') {
		h = head_of(&c->r->lex);
		if (h.is_word && h.rule == WORD_UNKNOWN)
			lex_skip(&c->r->lex);
	}
}

static void
capture_token(struct capture *c, const struct token *t)
{
	switch (t->kind) {
	case LEX_WORD:
		capture_word(c, t);
		break;
	case LEX_SYMBOL:
		capture_symbol(c, t->byte);
		break;
	case LEX_BYTE:
		put_byte(c, t->byte);
		break;
	case LEX_TEXT:
		for (size_t i = 0; i < t->raw.n; i++)
			put_ascii(c, t->raw.p[i]);
		break;
	case LEX_BIN:
		c->only_text = false;
		break;
	case LEX_END:
	case LEX_OPEN:
	case LEX_CLOSE:
	case LEX_NEWLINE:
	case LEX_CONTROL:
		break;
	}
}

bool
capture(struct rtf *r, struct level l, struct buf *plain, struct buf *escaped)
{
	struct capture c = { .r = r,
		.l = l,
		.plain = plain,
		.escaped = escaped,
		.only_text = true };
	struct token t;
	size_t open = 0;

	for (struct lexer before = r->lex;; before = r->lex) {
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END || (t.kind == LEX_CLOSE && open == 0)) {
			r->lex = before;
			return c.only_text;
		}
		if (t.kind == LEX_OPEN)
			open++;
		else if (t.kind == LEX_CLOSE)
			open--;
		else
			capture_token(&c, &t);
	}
}

/* Instructions. */

static void
skip_blanks(struct bytes *b)
{
	while (b->n > 0 && b->p[0] <= ' ')
		bytes_take(b, 1);
}

static struct bytes
take_keyword(struct bytes *b)
{
	struct bytes all;

	skip_blanks(b);
	all = *b;
	while (b->n > 0 && isalpha(b->p[0]))
		bytes_take(b, 1);
	if (b->n == all.n && b->n > 0 && b->p[0] == '=')
		bytes_take(b, 1);
	all.n -= b->n;
	return all;
}

static bool
is_allowed(struct bytes keyword)
{
	char text[KEYWORD_MAX + 3] = " ";

	if (keyword.n == 0 || keyword.n > KEYWORD_MAX)
		return false;
	for (size_t i = 0; i < keyword.n; i++)
		text[i + 1] = (char)toupper(keyword.p[i]);
	text[keyword.n + 1] = ' ';
	return strstr(allowed, text) != NULL;
}

/* A word, or what stands in quotes. */
static struct bytes
take_argument(struct bytes *b)
{
	struct bytes all;

	skip_blanks(b);
	if (b->n > 0 && b->p[0] == '"') {
		bytes_take(b, 1);
		return bytes_take_until(b, '"');
	}
	all = *b;
	while (b->n > 0 && b->p[0] > ' ')
		bytes_take(b, 1);
	all.n -= b->n;
	return all;
}

/* How a result looks: \* MERGEFORMAT, Upper, Arabic. */
static bool
is_look(struct bytes word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!isalpha(word.p[i]))
			return false;
	return true;
}

/* HYPERLINK "address" \l "place" \o "tip" \t "frame"; every address in it has
 * to be one that stays. What readers do not know as a switch with a word of
 * its own has the address behind it. */
static bool
is_good_link(const struct rtf *r, struct bytes arguments)
{
	bool found = false;

	for (;;) {
		struct bytes one;

		skip_blanks(&arguments);
		if (arguments.n == 0)
			return found;
		if (arguments.p[0] == '\\' && arguments.n > 1 &&
		    arguments.p[1] != '\\') {
			uint8_t c = arguments.p[1] | 0x20;

			bytes_take(&arguments, 2);
			found |= c == 'l';
			if (c == 'l' || c == 'o' || c == 't')
				(void)take_argument(&arguments);
			else if (c == '*' &&
			    !is_look(one = take_argument(&arguments)) &&
			    !detox_link_stays(r->d, one))
				return false;
			continue;
		}
		one = take_argument(&arguments);
		if (one.n > 0 && !detox_link_stays(r->d, one))
			return false;
		found |= one.n > 0;
	}
}

static void
report(struct rtf *r, enum detox_removal what, struct bytes instruction)
{
	char where[32];

	snprintf(where, sizeof(where), "field %u", r->fields);
	detox_removed(r->d, what, where, instruction);
}

/* Whether it may stay; else it was reported. */
static bool
judge(struct rtf *r, struct bytes plain, bool only_text)
{
	struct bytes rest = plain;
	struct bytes keyword = take_keyword(&rest);

	if (!only_text || !is_allowed(keyword)) {
		/* None at all is no loss. */
		if (plain.n > 0 || !only_text)
			report(r, REMOVED_FIELD, plain);
		return false;
	}
	if (bytes_equal_nocase(keyword, BYTES("HYPERLINK")) &&
	    !is_good_link(r, rest)) {
		report(r, REMOVED_LINK, plain);
		return false;
	}
	return true;
}

struct field {
	struct buf escaped;
	bool stays;
	bool is_written;
};

static void
take_instruction(struct rtf *r, struct level l, struct field *f)
{
	struct buf plain;
	bool only_text;

	head_take(&r->lex);
	/* A second one, or one behind the result, is none. */
	if (f->stays || f->is_written) {
		report(r, REMOVED_FIELD, lex_skip(&r->lex));
		return;
	}
	buf_init(&plain, INSTRUCTION_MAX);
	/* Nothing of one that was bad before. */
	f->escaped.n = 0;
	only_text = capture(r, l, &plain, &f->escaped);
	f->stays = judge(r, buf_bytes(&plain), only_text);
	buf_release(&plain);
}

static void
take_result(struct rtf *r, struct level l, struct field *f)
{
	bool as_field = f->stays && !f->is_written;

	head_take(&r->lex);
	if (!enter(r))
		return;
	if (as_field) {
		emit(r, BYTES("{\\field{\\*\\fldinst "));
		emit(r, buf_bytes(&f->escaped));
		emit(r, BYTES("}"));
	}
	emit(r, as_field ? BYTES("{\\fldrslt ") : BYTES("{"));
	content(r, l);
	emit(r, as_field ? BYTES("}}") : BYTES("}"));
	f->is_written = true;
	r->depth--;
}

void
field_content(struct rtf *r, struct level l)
{
	struct field f = { .stays = false };
	struct lexer before;
	struct token t;

	r->fields++;
	buf_init(&f.escaped, 8 * INSTRUCTION_MAX);
	while (!r->over) {
		struct head h;

		before = r->lex;
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END || t.kind == LEX_CLOSE) {
			r->lex = before;
			break;
		}
		if (t.kind != LEX_OPEN)
			continue;
		h = head_of(&r->lex);
		if (h.is_word && h.rule == WORD_INSTRUCTION)
			take_instruction(r, l, &f);
		else if (h.is_word && h.rule == WORD_RESULT_OF_FIELD)
			take_result(r, l, &f);
		else
			lex_skip(&r->lex);
		lex_next(&r->lex, &t); /* its closing brace */
	}
	if (f.stays && !f.is_written) {
		emit(r, BYTES("{\\field{\\*\\fldinst "));
		emit(r, buf_bytes(&f.escaped));
		emit(r, BYTES("}{\\fldrslt }}"));
	}
	buf_release(&f.escaped);
}
