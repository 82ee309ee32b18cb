/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_text: the text of a document, which is in pieces ([MS-DOC] 2.8.35), and
 * its fields: 0x13 instruction 0x14 result 0x15, within each other as one
 * likes. An instruction that may not stay is blanked where it is, so that
 * nothing moves.
 */
#include "filters/ole/doc.h"
#include "filters/ole/le.h"

#define FIELD_BEGIN 0x13
#define FIELD_RESULT 0x14
#define FIELD_END 0x15
#define KIND_OF_TEXT 79 /* AUTOTEXT: readers show its result as it is */
#define IS_BLANKED 0x80 /* of a mark that begins a field */
#define IS_LINK 0x40
#define IN_PIECES 0x0004 /* of the FIB's flags, before Word 97 */
#define DEPTH_MAX 32
#define PIECES_MAX 1000000

static enum detox_result
add_piece(struct doc *w, uint64_t place, uint64_t n, uint8_t width)
{
	/* What is beyond the stream no one reads. */
	if (place > w->main.n)
		return DETOX_REBUILT;
	if (n > (w->main.n - place) / width)
		n = (w->main.n - place) / width;
	w->pieces[w->pieces_n++] = (struct doc_piece){
		.place = (uint32_t)place,
		.n = (uint32_t)n,
		.width = width,
	};
	w->text_n += n;
	if (w->text_n > (uint64_t)w->main.n * 2)
		return detox_refuse(w->d, REFUSED_BROKEN,
		    "its text is longer than the document");
	return DETOX_REBUILT;
}

/* [MS-DOC] 2.8.35, PlcPcd: n + 1 positions, then n pieces of 8 bytes. */
static enum detox_result
read_pieces(struct doc *w, const uint8_t *p, size_t size)
{
	size_t n = size < 4 ? 0 : (size - 4) / 12;

	if (n == 0 || n > PIECES_MAX)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its text has %zu pieces", n);
	w->pieces = ARENA_ARRAY(&w->d->arena, struct doc_piece, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t from = le32(p + i * 4), to = le32(p + i * 4 + 4);
		uint32_t fc = le32(p + (n + 1) * 4 + i * 8 + 2);
		bool narrow = w->old || (fc & 0x40000000) != 0;

		if (to < from)
			return detox_refuse(w->d, REFUSED_BROKEN,
			    "its text has pieces of no length");
		if (!w->old && narrow)
			fc = (fc & 0x3fffffff) / 2;
		if (add_piece(w, fc, to - from, narrow ? 1 : 2) ==
		    DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}

/* Before Word 97 a text that was saved whole is one piece. */
static enum detox_result
read_whole(struct doc *w)
{
	uint32_t from = le32(w->main.p + 0x18), to = le32(w->main.p + 0x1c);

	w->pieces = ARENA_NEW(&w->d->arena, struct doc_piece);
	return add_piece(w, from, to > from ? to - from : 0, 1);
}

/* [MS-DOC] 2.9.38, Clx: properties (1, length, bytes), then pieces (2, length,
 * bytes). */
enum detox_result
doc_find_pieces(struct doc *w)
{
	struct doc_run r = doc_at(w, DOC_PIECES);
	size_t at = 0, size;

	/* Readers look for no pieces in a text that is whole. */
	if (w->old && (le16(w->main.p + 0x0a) & IN_PIECES) == 0) {
		doc_set_size(w, DOC_PIECES, 0);
		return read_whole(w);
	}
	while (r.n - at >= 3 && r.p[at] == 1)
		at += 3 + (size_t)le16(r.p + at + 1) > r.n - at
		    ? r.n - at
		    : 3 + (size_t)le16(r.p + at + 1);
	if (r.n - at < 5 || r.p[at] != 2) {
		if (w->old)
			return read_whole(w);
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its text cannot be found");
	}
	size = le32(r.p + at + 1);
	if (size > r.n - at - 5)
		return detox_refuse(
		    w->d, REFUSED_BROKEN, "its pieces are cut short");
	return read_pieces(w, r.p + at + 5, size);
}

/* A place in the text. */
struct spot {
	size_t piece;
	uint32_t i;
	uint64_t cp; /* characters before it */
};

struct field {
	struct spot begin; /* behind its 0x13 */
	bool result;       /* its instruction has ended */
	bool made;         /* another field makes its first word */
	bool cut;          /* it has more words than are looked at */
	uint8_t words[DOC_WORDS_MAX];
	size_t words_n;
};

struct scan {
	struct doc *w;
	struct field stack[DEPTH_MAX];
	size_t n;
	size_t deeper;    /* fields beyond that; they are blanked */
	struct buf marks; /* a byte a character: which mark of a field it is */
	uint64_t hidden;  /* characters of instructions */
};

static uint8_t *
at_spot(struct doc *w, const struct spot *s)
{
	const struct doc_piece *p = &w->pieces[s->piece];

	return w->main.p + p->place + (size_t)s->i * p->width;
}

static uint16_t
get_char(struct doc *w, const struct spot *s)
{
	const uint8_t *p = at_spot(w, s);

	return w->pieces[s->piece].width == 1 ? *p : le16(p);
}

static void
put_char(struct doc *w, const struct spot *s, uint8_t c)
{
	uint8_t *p = at_spot(w, s);

	p[0] = c;
	if (w->pieces[s->piece].width == 2)
		p[1] = 0;
}

/* Settles on the next character that there is; false: the end. */
static bool
settle(const struct doc *w, struct spot *s)
{
	while (s->piece < w->pieces_n && s->i >= w->pieces[s->piece].n) {
		s->piece++;
		s->i = 0;
	}
	return s->piece < w->pieces_n;
}

static void
step(struct spot *s)
{
	s->i++;
	s->cp++;
}

static bool
is_mark(uint16_t c)
{
	return c >= FIELD_BEGIN && c <= FIELD_END;
}

/* Writes text over [from, to), the rest blank; marks of inner fields stay, so
 * that all still nest. */
static void
overwrite(
    struct doc *w, struct spot from, const struct spot *to, struct bytes text)
{
	while (settle(w, &from) && from.cp < to->cp) {
		if (!is_mark(get_char(w, &from)))
			put_char(w, &from,
			    text.n > 0 ? *bytes_take(&text, 1).p : ' ');
		step(&from);
	}
}

/* What the list of fields is compared with later. */
static void
note_mark(struct scan *s, const struct spot *here)
{
	s->marks.p[here->cp] = (uint8_t)get_char(s->w, here);
}

/* The field's kind in the list of fields becomes "none" later. */
static void
note_blanked(struct scan *s, const struct field *f)
{
	s->marks.p[f->begin.cp - 1] |= IS_BLANKED;
}

static void
turn_button(struct scan *s, const struct field *f, const struct spot *here)
{
	/* GOTOBUTTON shows its text too, and goes to a bookmark. */
	struct spot from = f->begin;
	struct spot to;

	while (settle(s->w, &from) && get_char(s->w, &from) == ' ')
		step(&from);
	to = from;
	to.cp += sizeof("MACROBUTTON") - 1;
	if (to.cp <= here->cp)
		overwrite(s->w, from, &to, BYTES("GOTOBUTTON"));
	note_blanked(s, f);
	detox_removed(s->w->d, REMOVED_FIELD, "WordDocument",
	    (struct bytes){ f->words, f->words_n });
}

/* Its instruction is from its begin to here. */
static void
judge(struct scan *s, struct field *f, const struct spot *here)
{
	enum detox_removal what = REMOVED_FIELD;
	struct bytes words = { f->words, f->words_n };
	enum doc_field kind = doc_judge_field(s->w->d, words, &what);

	f->result = true;
	s->hidden += here->cp - f->begin.cp;
	if (doc_field_is_link(words)) {
		s->marks.p[f->begin.cp - 1] |= IS_LINK;
		/* Where the address is that counts is not known. */
		if (f->cut && kind == DOC_FIELD_STAYS) {
			kind = DOC_FIELD_BAD;
			what = REMOVED_LINK;
		}
	}
	if (f->made)
		kind = DOC_FIELD_BAD;
	if (kind == DOC_FIELD_STAYS)
		return;
	if (kind == DOC_FIELD_FROZEN) {
		overwrite(s->w, f->begin, here, BYTES(""));
		note_blanked(s, f);
		return;
	}
	if (kind == DOC_FIELD_BUTTON) {
		turn_button(s, f, here);
		return;
	}
	overwrite(s->w, f->begin, here, BYTES(""));
	note_blanked(s, f);
	detox_removed(s->w->d, what, "WordDocument", words);
}

/* The innermost field whose instruction this character is part of: results of
 * inner ones are. */
static struct field *
field_of_instruction(struct scan *s)
{
	for (size_t i = s->n; i > 0; i--)
		if (!s->stack[i - 1].result)
			return &s->stack[i - 1];
	return NULL;
}

/* Whether what comes next is part of its first word. */
static bool
is_at_first_word(const struct field *f)
{
	size_t i = 0;

	while (i < f->words_n && f->words[i] == ' ')
		i++;
	if (i < f->words_n && f->words[i] == '=')
		return false;
	return memchr(f->words + i, ' ', f->words_n - i) == NULL;
}

static void
begin_field(struct scan *s, const struct spot *here)
{
	struct field *outer = field_of_instruction(s);
	struct field *f;

	if (outer != NULL && is_at_first_word(outer))
		outer->made = true;
	if (s->n == DEPTH_MAX || s->deeper > 0) {
		s->deeper++;
		return;
	}
	note_mark(s, here);
	f = &s->stack[s->n++];
	f->begin = *here;
	step(&f->begin);
	f->result = f->made = f->cut = false;
	f->words_n = 0;
}

static void
end_field(struct scan *s, const struct spot *here)
{
	if (s->deeper > 0) {
		s->deeper--;
		return;
	}
	if (s->n == 0)
		return;
	if (!s->stack[s->n - 1].result)
		judge(s, &s->stack[s->n - 1], here);
	s->n--;
}

static void
begin_result(struct scan *s, const struct spot *here)
{
	if (s->deeper > 0 || s->n == 0 || s->stack[s->n - 1].result)
		return;
	note_mark(s, here);
	judge(s, &s->stack[s->n - 1], here);
}

static void
take_letter(struct scan *s, const struct spot *here, uint16_t c)
{
	struct field *f = field_of_instruction(s);

	if (s->deeper > 0)
		put_char(s->w, here, ' ');
	if (f == NULL)
		return;
	if (c == 0x201c || c == 0x201d || c == 0x93 || c == 0x94)
		c = '"';
	if (c <= 0x20 || c == 0xa0)
		c = ' ';
	/* Blanks before it push no word out of what is looked at. */
	if (c == ' ' && f->words_n == 0)
		return;
	if (f->words_n == DOC_WORDS_MAX)
		f->cut = true;
	else
		f->words[f->words_n++] = c < 0x7f ? (uint8_t)c : '?';
}

static void
take_char(struct scan *s, const struct spot *here)
{
	uint16_t c = get_char(s->w, here);

	switch (c) {
	case FIELD_BEGIN:
		begin_field(s, here);
		break;
	case FIELD_RESULT:
		begin_result(s, here);
		break;
	case FIELD_END:
		if (s->deeper == 0 && s->n > 0)
			note_mark(s, here);
		end_field(s, here);
		break;
	default:
		take_letter(s, here, c);
		break;
	}
}

/* Whether a list of fields has the marks of its story ([base, end) of the
 * text), all of them, and nothing else: there are readers that go by it alone.
 */
static bool
is_true_list(struct scan *s, struct doc_run r, uint64_t base, uint64_t end)
{
	size_t n = (r.n - 4) / 6, found = 0;
	uint64_t last = base;

	if (end > s->marks.n)
		end = s->marks.n;
	for (size_t i = 0; i < n; i++) {
		uint64_t cp = base + le32(r.p + i * 4);

		if (cp >= end || (i > 0 && cp <= last) ||
		    (s->marks.p[cp] & 0x1f) !=
			(r.p[(n + 1) * 4 + i * 2] & 0x1f) ||
		    s->marks.p[cp] == 0)
			return false;
		last = cp;
	}
	for (uint64_t cp = base; cp < end; cp++)
		found += s->marks.p[cp] != 0;
	return found == n;
}

/* [MS-DOC] 2.8.25, PlcfFld: n + 1 positions, then n of 2 bytes: a mark, and
 * for a 0x13 the kind. The kind of a blanked one, and one that is not what its
 * word says, becomes a harmless one. */
static void
clear_kinds(struct scan *s, unsigned place, uint64_t base, uint64_t end)
{
	struct doc_run r = doc_at(s->w, place);
	size_t n = r.n < 4 ? 0 : (r.n - 4) / 6;

	if (place >= s->w->places_n)
		return;
	if (n == 0 || !is_true_list(s, r, base, end)) {
		if (n > 0)
			detox_removed(s->w->d, REMOVED_DAMAGED, "PlcfFld",
			    (struct bytes){ r.p, r.n });
		doc_set_size(s->w, place, 0);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t mark = s->marks.p[base + le32(r.p + i * 4)];
		uint8_t *p = r.p + (n + 1) * 4 + i * 2;

		if ((p[0] & 0x1f) != FIELD_BEGIN)
			continue;
		if ((mark & IS_BLANKED) != 0 || doc_kind_runs(p[1]) ||
		    (p[1] == DOC_KIND_LINK && (mark & IS_LINK) == 0))
			p[1] = KIND_OF_TEXT;
	}
}

/* Each story has its own list; the stories follow each other. */
static void
clear_all_kinds(struct scan *s)
{
	static const unsigned stories[] = { DOC_FIELDS_MAIN,
		DOC_FIELDS_FOOTNOTES, DOC_FIELDS_HEADERS, DOC_FIELDS_MACROS,
		DOC_FIELDS_COMMENTS, DOC_FIELDS_ENDNOTES, DOC_FIELDS_TEXTBOXES,
		DOC_FIELDS_HEADER_TEXTBOXES };
	const uint8_t *counts = s->w->main.p + (s->w->old ? 0x34 : 76);
	uint64_t base = 0;

	for (size_t i = 0; i < COUNT(stories); i++) {
		uint64_t end = base + le32(counts + i * 4);

		clear_kinds(s, stories[i], base, end);
		base = end;
	}
}

static bool
is_blank_at(const uint8_t *p, size_t width)
{
	return (p[0] <= ' ' || p[0] == 0xa0) && !is_mark(p[0]) &&
	    (width == 1 || p[1] == 0);
}

/* A field that no longer belongs to the text, in what an earlier save left
 * over: its first word goes. */
static void
clean_rest(struct doc *w, size_t width)
{
	uint8_t *p = w->main.p;
	uint8_t word[16];

	for (size_t i = 0; i + width * 2 < w->main.n; i++) {
		size_t from = i + width, n = 0;

		if (p[i] != FIELD_BEGIN || (width == 2 && p[i + 1] != 0))
			continue;
		while (from + width < w->main.n && is_blank_at(p + from, width))
			from += width;
		for (size_t j = from;
		     n < sizeof(word) && j + width <= w->main.n; j += width) {
			uint8_t c = p[j] & 0xdf;

			if (c < 'A' || c > 'Z' || (width == 2 && p[j + 1] != 0))
				break;
			word[n++] = c;
		}
		if (doc_field_runs((struct bytes){ word, n }))
			for (size_t j = 0; j < n; j++)
				p[from + j * width] = ' ';
	}
}

enum detox_result
doc_clean_fields(struct doc *w)
{
	struct scan *s = ARENA_NEW(&w->d->arena, struct scan);
	size_t n = (size_t)w->text_n + 1;
	struct spot here = { 0 };

	s->w = w;
	buf_init(&s->marks, n);
	if (buf_reserve(&s->marks, n) < 0)
		return detox_refuse(w->d, REFUSED_MEMORY, "no memory");
	memset(s->marks.p, 0, n);
	s->marks.n = n;
	while (settle(w, &here)) {
		take_char(s, &here);
		step(&here);
	}
	while (s->n > 0)
		end_field(s, &here);
	clear_all_kinds(s);
	buf_release(&s->marks);
	clean_rest(w, 1);
	clean_rest(w, 2);
	detox_text(w->d, w->text_n - s->hidden, w->text_n - s->hidden);
	return DETOX_REBUILT;
}
