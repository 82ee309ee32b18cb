/* SPDX-License-Identifier: Apache-2.0 */
/* content: groups, words and text. */
#include <stdio.h>

#include "filters/rtf/rebuild.h"

#define DEPTH_MAX 200
#define NOTES_MAX 10000
#define BEFORE_HEAD_MAX 16 /* tokens before a group's word */
#define FONTS_MAX 2048 /* in one table; more are an attack (CVE-2023-21716) */
#define CHARSET_JAPANESE 128

bool
enter(struct rtf *r)
{
	if (r->depth < DEPTH_MAX) {
		r->depth++;
		return true;
	}
	r->over = true;
	(void)detox_refuse(r->d, REFUSED_DEPTH,
	    "more than %d groups within each other", DEPTH_MAX);
	return false;
}

bool
is_blank(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] > ' ')
			return false;
	return true;
}

/* Blanks hide nothing: readers find an object behind them too. */
static bool
is_before_head(const struct token *t)
{
	return t->kind == LEX_NEWLINE || t->kind == LEX_CONTROL ||
	    (t->kind == LEX_TEXT && is_blank(t->raw)) ||
	    (t->kind == LEX_SYMBOL && t->byte == '*');
}

struct head
head_of(const struct lexer *l)
{
	struct lexer ahead = *l;
	struct head h = { 0 };
	struct token *t = &h.word;

	lex_next(&ahead, t);
	for (size_t i = 0; i < BEFORE_HEAD_MAX && is_before_head(t); i++) {
		h.star |= t->kind == LEX_SYMBOL;
		lex_next(&ahead, t);
	}
	h.is_word = t->kind == LEX_WORD;
	if (h.is_word)
		h.rule = words_find(t->name);
	return h;
}

void
head_take(struct lexer *l)
{
	struct token t;

	do
		lex_next(l, &t);
	while (t.kind != LEX_WORD && t.kind != LEX_END);
}

/* What is no threat is counted, up to a number: a file may be full of it. */
static void
note(struct rtf *r, enum detox_removal what, const char *where)
{
	if (r->notes++ < NOTES_MAX)
		detox_removed(r->d, what, where, (struct bytes){ 0 });
}

void
leave_out(struct rtf *r, enum detox_removal what, const char *where)
{
	char place[LEX_NAME_MAX + 2];

	struct bytes all = lex_skip(&r->lex);

	snprintf(place, sizeof(place), "\\%s", where);
	if (all.n == 0 || what == REMOVED_CUSTOM || what == REMOVED_UNKNOWN ||
	    what == REMOVED_METADATA)
		note(r, what, place);
	else
		detox_removed(r->d, what, place, all);
}

/* Whether raw bytes are read in pairs: the font says so, or else the document.
 */
static void
choose_pairs(struct rtf *r, const struct level *l)
{
	uint8_t charset =
	    l->font >= 0 && l->font < RTF_FONTS_MAX ? r->charsets[l->font] : 0;

	r->lex.double_byte = charset == CHARSET_JAPANESE + 1 ||
	    (charset <= 2 && r->codepage == 932);
}

void
skip_fallback(struct rtf *r, const struct level *l)
{
	struct lexer before;
	struct token t;

	for (unsigned left = l->skips; left > 0;) {
		before = r->lex;
		lex_next(&r->lex, &t);
		switch (t.kind) {
		case LEX_END:
		case LEX_OPEN:
		case LEX_CLOSE:
			r->lex = before;
			return;
		case LEX_NEWLINE:
		case LEX_CONTROL:
			continue;
		case LEX_TEXT:
			if (t.raw.n > left) {
				r->lex.rest.n += t.raw.n - left;
				r->lex.rest.p -= t.raw.n - left;
				return;
			}
			left -= (unsigned)t.raw.n;
			continue;
		case LEX_WORD:
			/* One more character was meant to be seen. */
			if (strcmp(t.name, "u") == 0) {
				r->lex = before;
				return;
			}
			left--;
			continue;
		case LEX_SYMBOL:
		case LEX_BYTE:
		case LEX_BIN:
			left--;
		}
	}
}

/* U+202A-E, U+2066-9, marks of byte order, and controls. */
static bool
is_hidden(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
	    (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0xfffe;
}

static void
take_unicode(struct rtf *r, const struct level *l, const struct token *t)
{
	uint32_t c = (uint32_t)(t->param < 0 ? t->param + 0x10000 : t->param);

	skip_fallback(r, l);
	if (is_hidden(c) || c > 0x10ffff) {
		note(r, REMOVED_HIDDEN, "text");
		return;
	}
	emit_unicode(r, c);
	r->text_in += l->visible;
	r->text_out += l->visible;
}

static void
take_font(struct rtf *r, struct level *l, const struct token *t)
{
	if (t->param < 0 || t->param > INT16_MAX)
		return;
	if (l->of_fonts && r->fonts_n++ == FONTS_MAX)
		detox_removed(
		    r->d, REMOVED_DAMAGED, "\\fonttbl", (struct bytes){ 0 });
	if (l->of_fonts && r->fonts_n > FONTS_MAX)
		return;
	r->font = l->font = t->param;
	emit_word(r, t->name, t->has_param, t->param);
}

static void
take_charset(struct rtf *r, const struct token *t)
{
	if (t->param < 0 || t->param > UINT8_MAX)
		return;
	if (r->font >= 0 && r->font < RTF_FONTS_MAX)
		r->charsets[r->font] =
		    (uint8_t)(t->param < UINT8_MAX ? t->param + 1 : 0);
	emit_word(r, t->name, t->has_param, t->param);
}

static void
take_unknown(struct rtf *r)
{
	note(r, REMOVED_UNKNOWN, "words");
}

/* Of an object its result stays. */
static void
object_content(struct rtf *r, struct level l)
{
	struct bytes all = r->lex.rest;
	enum detox_removal what = REMOVED_OBJECT;
	char where[32];
	struct token t;
	struct head h;

	for (struct lexer before = r->lex;; before = r->lex) {
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END || t.kind == LEX_CLOSE) {
			r->lex = before;
			break;
		}
		if (t.kind == LEX_WORD && strcmp(t.name, "objocx") == 0)
			what = REMOVED_ACTIVEX;
		if (t.kind != LEX_OPEN)
			continue;
		h = head_of(&r->lex);
		if (h.rule == WORD_RESULT_OF_OBJECT && !r->over) {
			head_take(&r->lex);
			emit(r, BYTES("{"));
			if (enter(r)) {
				content(r, l);
				r->depth--;
			}
			emit(r, BYTES("}"));
		} else {
			lex_skip(&r->lex);
		}
		lex_next(&r->lex, &t); /* its closing brace */
	}
	all.n -= r->lex.rest.n;
	snprintf(where, sizeof(where), "object %u", ++r->objects);
	detox_removed(r->d, what, where, all);
}

/* What a destination's word does with the rest of its group; true: it was
 * taken. */
static bool
take_destination(
    struct rtf *r, struct level *l, enum word_rule rule, const struct token *t)
{
	switch ((int)rule) {
	case WORD_FONTS:
		l->of_fonts = true;
		l->visible = false;
		return false;
	case WORD_HIDDEN_TEXT:
		l->visible = false;
		return false;
	case WORD_LEVEL:
		l->visible = false;
		l->bytes = true;
		return false;
	case WORD_TEXT:
		l->visible = true;
		return false;
	case WORD_INFO:
		l->visible = false;
		if (r->d->profile->keep_metadata)
			return false;
		leave_out(r, REMOVED_METADATA, t->name);
		return true;
	case WORD_FIELD:
		field_content(r, *l);
		return true;
	case WORD_INSTRUCTION:
	case WORD_RESULT_OF_FIELD:
	case WORD_RESULT_OF_OBJECT:
		/* Without what it is of. A result is text. */
		if (rule != WORD_INSTRUCTION) {
			content(r, *l);
			return true;
		}
		leave_out(r, REMOVED_FIELD, t->name);
		return true;
	case WORD_FORM_FIELD:
		leave_out(r, REMOVED_FORM, t->name);
		return true;
	case WORD_OBJECT:
		object_content(r, *l);
		return true;
	case WORD_PICTURE:
		pict_content(r);
		return true;
	case WORD_PROPERTY:
		property_content(r, *l);
		return true;
	case WORD_SILENT:
		lex_skip(&r->lex);
		return true;
	}
	leave_out(r, (enum detox_removal)(rule - WORD_GONE), t->name);
	return true;
}

static void
take_word(struct rtf *r, struct level *l, const struct token *t)
{
	enum word_rule rule = words_find(t->name);

	if (words_is_destination(rule)) {
		if (take_destination(r, l, rule, t))
			return;
		rule = WORD_PLAIN;
	}
	switch ((int)rule) {
	case WORD_FONT:
		take_font(r, l, t);
		choose_pairs(r, l);
		return;
	case WORD_CHARSET:
		take_charset(r, t);
		return;
	case WORD_CODEPAGE:
		r->codepage = t->param;
		choose_pairs(r, l);
		emit_word(r, t->name, t->has_param, t->param);
		return;
	case WORD_UNICODE:
		take_unicode(r, l, t);
		return;
	case WORD_SKIPS:
		l->skips = t->param < 0 ? 0 : (unsigned)t->param;
		return;
	case WORD_COUNT:
		/* CVE-2014-1761 */
		if (t->param == 0 || t->param == 1 || t->param == 9)
			emit_word(r, t->name, t->has_param, t->param);
		else
			take_unknown(r);
		return;
	case WORD_PLAIN:
		if (strcmp(t->name, "plain") == 0) {
			l->font = -1;
			choose_pairs(r, l);
		}
		emit_word(r, t->name, t->has_param, t->param);
		return;
	case WORD_IGNORED:
		return;
	}
	take_unknown(r);
}

static void
take_byte(struct rtf *r, const struct level *l, uint8_t byte)
{
	if (!l->bytes && is_hidden(byte < 0x80 ? byte : 0x100)) {
		note(r, REMOVED_HIDDEN, "text");
		return;
	}
	emit_byte(r, byte);
	r->text_in += l->visible;
	r->text_out += l->visible;
}

static void
take_symbol(struct rtf *r, const struct level *l, uint8_t c)
{
	char text[3] = { '\\', (char)c, '\0' };

	if (c == '\r' || c == '\n') {
		emit_word(r, "par", false, 0);
	} else if (c == '\t') {
		emit_word(r, "tab", false, 0);
	} else if (c < 0x80 && c != 0 && strchr("~-_:|{}\\", c) != NULL) {
		emit(r, bytes_of(text));
		r->text_in += l->visible;
		r->text_out += l->visible;
	}
}

/* A star says that who does not know the word may leave out all; so do we. */
static void
take_star(struct rtf *r)
{
	struct head h = head_of(&r->lex);

	if (!h.is_word)
		return;
	if (h.rule == WORD_UNKNOWN || h.rule == WORD_IGNORED ||
	    h.rule == WORD_COUNT) {
		leave_out(r, REMOVED_UNKNOWN, h.word.name);
		return;
	}
	if (h.rule == WORD_PLAIN || h.rule == WORD_HIDDEN_TEXT ||
	    h.rule == WORD_TEXT || h.rule == WORD_LEVEL)
		emit(r, BYTES("\\*"));
}

static void
take_token(struct rtf *r, struct level *l, const struct token *t)
{
	switch (t->kind) {
	case LEX_OPEN:
		group(r, *l);
		choose_pairs(r, l);
		break;
	case LEX_WORD:
		take_word(r, l, t);
		break;
	case LEX_SYMBOL:
		if (t->byte == '*')
			take_star(r);
		else
			take_symbol(r, l, t->byte);
		break;
	case LEX_BYTE:
		take_byte(r, l, t->byte);
		break;
	case LEX_TEXT:
		emit_text(r, t->raw);
		r->text_in += l->visible ? t->raw.n : 0;
		r->text_out += l->visible ? t->raw.n : 0;
		break;
	case LEX_BIN:
		if (t->data.n > 0)
			detox_removed(r->d, REMOVED_UNKNOWN, "\\bin", t->data);
		break;
	case LEX_NEWLINE:
		if (r->out->n > 0 && r->out->p[r->out->n - 1] != '\n')
			emit(r, BYTES("\n"));
		break;
	case LEX_CONTROL:
		note(r, REMOVED_HIDDEN, "text");
		break;
	case LEX_END:
	case LEX_CLOSE:
		break;
	}
}

void
content(struct rtf *r, struct level l)
{
	struct lexer before;
	struct token t;

	while (!r->over) {
		before = r->lex;
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END || t.kind == LEX_CLOSE) {
			r->lex = before;
			return;
		}
		take_token(r, &l, &t);
	}
}

/* Leaves out the blanks before it. */
static void
seek_head(struct lexer *l)
{
	struct lexer before;
	struct token t;

	do {
		before = *l;
		lex_next(l, &t);
	} while (is_before_head(&t) && t.kind != LEX_SYMBOL);
	*l = before;
}

/* Whether a group that begins so writes its own braces, or none. */
static bool
is_rebuilt_whole(const struct rtf *r, const struct head *h)
{
	if (!h->is_word)
		return false;
	if (h->rule == WORD_UNKNOWN)
		return h->star;
	if (h->rule == WORD_INFO)
		return !r->d->profile->keep_metadata;
	return words_is_destination(h->rule) && h->rule != WORD_FONTS &&
	    h->rule != WORD_HIDDEN_TEXT && h->rule != WORD_TEXT &&
	    h->rule != WORD_LEVEL && h->rule != WORD_RESULT_OF_FIELD &&
	    h->rule != WORD_RESULT_OF_OBJECT;
}

void
group(struct rtf *r, struct level l)
{
	struct head h = head_of(&r->lex);
	bool braces = !is_rebuilt_whole(r, &h);
	struct token t;

	if (!enter(r))
		return;
	if (braces)
		emit(r, BYTES("{"));
	else
		seek_head(&r->lex);
	content(r, l);
	if (braces)
		emit(r, BYTES("}"));
	r->depth--;
	lex_next(&r->lex, &t);
	if (t.kind == LEX_END && !r->over)
		detox_removed(
		    r->d, REMOVED_DAMAGED, "end", (struct bytes){ 0 });
}
