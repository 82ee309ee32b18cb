/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "filters/rtf/rebuild.h"

#define HEX_LINE 64 /* bytes in one */

/* How large it is, and how much of it is shown. */
static const char sizes[] = " picw pich picwgoal pichgoal picscalex picscaley "
			    "piccropt piccropb piccropl"
			    " piccropr ";

struct picture {
	struct buf data;
	struct buf words; /* its sizes, as they are written */
	int32_t mapping;  /* \wmetafile's; -1: it is none */
	bool bitmap;      /* \dibitmap */
	int high;         /* a digit that waits for its second; -1: none */
};

static void
take_digits(struct picture *p, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		int digit = byte_hex(text.p[i]);
		uint8_t byte;

		if (digit < 0)
			continue;
		if (p->high < 0) {
			p->high = digit;
			continue;
		}
		byte = (uint8_t)(p->high << 4 | digit);
		p->high = -1;
		/* The group has twice as many characters. */
		must(buf_append(&p->data, (struct bytes){ &byte, 1 }) == 0);
	}
}

static void
take_picture_word(struct picture *p, const struct token *t)
{
	char word[LEX_NAME_MAX + 3];

	if (strcmp(t->name, "wmetafile") == 0)
		p->mapping = t->param >= 1 && t->param <= 8 ? t->param : 8;
	p->bitmap |= strcmp(t->name, "dibitmap") == 0;
	snprintf(word, sizeof(word), " %s ", t->name);
	if (!t->has_param || strstr(sizes, word) == NULL)
		return;
	/* More of them than fit say nothing new. */
	if (buf_printf(&p->words, "\\%s%ld", t->name, (long)t->param) < 0)
		return;
}

static void
read_picture(struct rtf *r, struct picture *p)
{
	struct token t;

	for (struct lexer before = r->lex;; before = r->lex) {
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END || t.kind == LEX_CLOSE) {
			r->lex = before;
			return;
		}
		if (t.kind == LEX_OPEN) {
			lex_skip(&r->lex);
			lex_next(&r->lex, &t);
		} else if (t.kind == LEX_WORD) {
			take_picture_word(p, &t);
		} else if (t.kind == LEX_TEXT) {
			take_digits(p, t.raw);
		} else if (t.kind == LEX_BIN) {
			must(buf_append(&p->data, t.data) == 0);
		}
	}
}

static void
emit_hex(struct rtf *r, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	char line[HEX_LINE * 2 + 1];

	while (b.n > 0 && !r->over) {
		struct bytes one =
		    bytes_take(&b, b.n < HEX_LINE ? b.n : HEX_LINE);

		line[0] = '\n';
		for (size_t i = 0; i < one.n; i++) {
			line[i * 2 + 1] = digits[one.p[i] >> 4];
			line[i * 2 + 2] = digits[one.p[i] & 15];
		}
		emit(r, (struct bytes){ (uint8_t *)line, one.n * 2 + 1 });
	}
}

/* What RTF leaves out of a file of its own, so that it can be rebuilt as one.
 */

#define PLACEABLE_SIZE 22   /* [MS-WMF] 2.3.2.3 */
#define BITMAP_HEAD_SIZE 14 /* of a BMP file */
#define BITMAP_INFO_SIZE 40

static bool
is_placeable(struct bytes b)
{
	return b.n > PLACEABLE_SIZE &&
	    bytes_start_with(b, BYTES("\xd7\xcd\xc6\x9a"));
}

static uint32_t
number_at(struct bytes b, size_t at)
{
	return (uint32_t)b.p[at + 3] << 24 | (uint32_t)b.p[at + 2] << 16 |
	    (uint32_t)b.p[at + 1] << 8 | b.p[at];
}

/* Where the pixels begin: behind the masks or the palette. */
static uint32_t
pixels_at(struct bytes b)
{
	uint32_t bits = b.p[14];
	uint32_t colors = number_at(b, 32);

	if (colors == 0 && bits <= 8)
		colors = 1u << bits;
	if (colors > 256)
		colors = 256;
	if (number_at(b, 16) == 3)
		colors += 3;
	return BITMAP_HEAD_SIZE + BITMAP_INFO_SIZE + colors * 4;
}

static void
put_32(uint8_t *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static void
put_head(struct buf *out, struct bytes head, struct bytes b)
{
	buf_init(out, head.n + b.n);
	must(buf_append(out, head) == 0 && buf_append(out, b) == 0);
}

/* The picture as a file, in out, which the caller releases. */
static struct bytes
as_file(const struct picture *p, struct buf *out)
{
	struct bytes b = buf_bytes(&p->data);
	/* 1000 units each way, of 1440 to the inch; the sum of all words. */
	static const struct bytes placeable =
	    BYTES_ROW("\xd7\xcd\xc6\x9a\0\0\0\0\0\0\xe8\3\xe8\3\xa0\5\0\0\0\0"
		      "\xb1\x52");
	uint8_t head[BITMAP_HEAD_SIZE] = { 'B', 'M' };

	if (p->mapping >= 0 && !is_placeable(b)) {
		put_head(out, placeable, b);
		return buf_bytes(out);
	}
	if (p->bitmap && b.n > BITMAP_INFO_SIZE &&
	    number_at(b, 0) == BITMAP_INFO_SIZE && b.n < UINT32_MAX / 2) {
		put_32(head + 2, (uint32_t)(b.n + sizeof(head)));
		put_32(head + 10, pixels_at(b));
		put_head(out, (struct bytes){ head, sizeof(head) }, b);
		return buf_bytes(out);
	}
	return b;
}

/* Writes the word for what came out, which has to be of a kind that RTF has;
 * what it leaves out of the file goes. */
static bool
emit_kind(struct rtf *r, const struct picture *p, struct bytes *content)
{
	enum magic_type t = magic_type_of(*content, true);

	if (t == MAGIC_PNG) {
		emit(r, BYTES("\\pngblip"));
	} else if (t == MAGIC_JPEG) {
		emit(r, BYTES("\\jpegblip"));
	} else if (t == MAGIC_METAFILE && is_placeable(*content)) {
		bytes_take(content, PLACEABLE_SIZE);
		emit_word(
		    r, "wmetafile", true, p->mapping >= 0 ? p->mapping : 8);
	} else if (t == MAGIC_METAFILE) {
		emit(r, BYTES("\\emfblip"));
	} else {
		return false;
	}
	return true;
}

static void
put(struct rtf *r, const struct picture *p, const char *where,
    struct bytes content)
{
	size_t start = r->out->n;
	bool need_space = r->need_space;

	emit(r, BYTES("{\\pict"));
	emit(r, buf_bytes(&p->words));
	if (r->over || emit_kind(r, p, &content)) {
		emit_hex(r, content);
		emit(r, BYTES("}"));
		return;
	}
	r->out->n = start;
	r->need_space = need_space;
	detox_removed(r->d, REMOVED_REFUSED, where, buf_bytes(&p->data));
}

void
pict_content(struct rtf *r)
{
	struct picture p = { .mapping = -1, .high = -1 };
	struct detox_output out;
	struct buf file = { 0 };
	char where[32];

	snprintf(where, sizeof(where), "picture %u", ++r->pictures);
	buf_init(&p.data, r->lex.rest.n);
	buf_init(&p.words, 512);
	read_picture(r, &p);
	if (p.data.n > 0) {
		const struct detox_object o = { .content = as_file(&p, &file) };

		if (detox_inside(r->d, where, &o, &out) == DETOX_REBUILT)
			put(r, &p, where, buf_bytes(&out.content));
		buf_release(&out.content);
	}
	r->over |= detox_is_over(r->d);
	buf_release(&file);
	buf_release(&p.data);
	buf_release(&p.words);
}
