/* SPDX-License-Identifier: Apache-2.0 */
/* shape: the properties of shapes, {\sp{\sn NAME}{\sv VALUE}}. */
#include <ctype.h>
#include <stdio.h>

#include "filters/rtf/rebuild.h"

#define VALUE_MAX 65536
#define NAME_MAX_SHAPE 40

/* Values that are a picture. */
static const char pictures[] = " pib fillBlip lineFillBlip ";
/* Values that are words. */
static const char texts[] =
    " wzName wzDescription gtextUNICODE gtextFont gtextRTF ";
/* Values that are lists. Not pFragments (CVE-2010-3333). */
static const char lists[] =
    " pVerticies pSegmentInfo pWrapPolygonVertices fillShadeColors "
    " lineDashStyle ";

static bool
is_listed(const char *list, struct bytes name)
{
	char word[NAME_MAX_SHAPE + 3];

	if (name.n == 0 || name.n > NAME_MAX_SHAPE)
		return false;
	snprintf(word, sizeof(word), " %.*s ", BYTES_PRINTF(name));
	return strstr(list, word) != NULL;
}

static bool
is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum(name.p[i]))
			return false;
	return name.n > 0 && name.n <= NAME_MAX_SHAPE;
}

static bool
is_number(struct bytes b)
{
	if (b.n > 0 && b.p[0] == '-')
		bytes_take(&b, 1);
	for (size_t i = 0; i < b.n; i++)
		if (!isdigit(b.p[i]))
			return false;
	return b.n <= 10;
}

/* "size;count;item;...", as many as it says. */
static bool
is_list(struct bytes b)
{
	uint64_t size;
	uint64_t count;
	uint64_t n = 0;

	if (bytes_number(bytes_take_until(&b, ';'), 16, &size) < 0 ||
	    bytes_number(bytes_take_until(&b, ';'), VALUE_MAX, &count) < 0)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (!isdigit(b.p[i]) && strchr("-,;()", b.p[i]) == NULL)
			return false;
	while (b.n > 0)
		n += bytes_take_until(&b, ';').n > 0;
	return n == count;
}

static bool
is_good(struct bytes name, struct bytes value)
{
	if (is_listed(texts, name))
		return true;
	return is_listed(lists, name) ? is_list(value) : is_number(value);
}

static void
emit_head(struct rtf *r, struct bytes name)
{
	emit(r, BYTES("{\\sp{\\sn "));
	emit(r, name);
	emit(r, BYTES("}{\\sv "));
}

/* Without the picture there is no property. */
static void
take_picture(struct rtf *r, struct level l, struct bytes name)
{
	size_t start = r->out->n;
	bool need_space = r->need_space;
	size_t before;

	emit_head(r, name);
	before = r->out->n;
	l.visible = false;
	content(r, l);
	if (r->out->n == before) {
		r->out->n = start;
		r->need_space = need_space;
		return;
	}
	emit(r, BYTES("}}"));
}

static void
take_value(struct rtf *r, struct level l, struct bytes name)
{
	struct buf plain;
	struct buf escaped;
	bool only_text;

	buf_init(&plain, VALUE_MAX);
	buf_init(&escaped, 8 * VALUE_MAX);
	only_text = capture(r, l, &plain, &escaped);
	if (only_text && is_name(name) &&
	    is_good(name, bytes_trim(buf_bytes(&plain)))) {
		emit_head(r, name);
		emit(r, buf_bytes(&escaped));
		emit(r, BYTES("}}"));
	} else {
		char where[NAME_MAX_SHAPE + 16];
		bool link = bytes_equal(name, BYTES("pihlShape"));

		snprintf(where, sizeof(where), "shape's %s",
		    is_name(name) ? (const char *)name.p : "property");
		detox_removed(r->d, link ? REMOVED_LINK : REMOVED_UNKNOWN,
		    where, buf_bytes(&plain));
	}
	buf_release(&escaped);
	buf_release(&plain);
}

/* Takes the next group, if it begins with that word, up to what is in it. */
static bool
open_part(struct rtf *r, const char *word)
{
	struct lexer before = r->lex;
	struct token t;
	struct head h;

	do
		lex_next(&r->lex, &t);
	while (t.kind != LEX_OPEN && t.kind != LEX_CLOSE && t.kind != LEX_END);
	h = head_of(&r->lex);
	if (t.kind == LEX_OPEN && h.is_word && strcmp(h.word.name, word) == 0) {
		head_take(&r->lex);
		return true;
	}
	r->lex = before;
	return false;
}

void
property_content(struct rtf *r, struct level l)
{
	char text[NAME_MAX_SHAPE + 2] = "";
	struct buf name;
	struct buf unused;
	struct token t;
	struct bytes trimmed;

	if (!open_part(r, "sn")) {
		lex_skip(&r->lex);
		return;
	}
	buf_init(&name, VALUE_MAX);
	buf_init(&unused, 8 * VALUE_MAX);
	(void)capture(r, l, &name, &unused);
	lex_next(&r->lex, &t);
	trimmed = bytes_trim(buf_bytes(&name));
	snprintf(text, sizeof(text), "%.*s", BYTES_PRINTF(trimmed));
	if (trimmed.n <= NAME_MAX_SHAPE && open_part(r, "sv") && enter(r)) {
		trimmed = bytes_of(text);
		if (is_listed(pictures, trimmed))
			take_picture(r, l, trimmed);
		else
			take_value(r, l, trimmed);
		r->depth--;
		lex_next(&r->lex, &t);
	}
	lex_skip(&r->lex);
	buf_release(&unused);
	buf_release(&name);
}
