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
take_size(struct picture *p, const struct token *t)
{
	char word[LEX_NAME_MAX + 3];

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
			take_size(p, &t);
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

/* The word for what came out; NULL: RTF has none. */
static const char *
word_of(struct bytes content)
{
	enum magic_type t = magic_type_of(content, true);

	return t == MAGIC_PNG ? "\\pngblip"
	    : t == MAGIC_JPEG ? "\\jpegblip"
			      : NULL;
}

static void
put(struct rtf *r, const struct picture *p, const char *where,
    struct bytes content)
{
	const char *word = word_of(content);

	if (word == NULL) {
		detox_removed(
		    r->d, REMOVED_REFUSED, where, buf_bytes(&p->data));
		return;
	}
	emit(r, BYTES("{\\pict"));
	emit(r, buf_bytes(&p->words));
	emit(r, bytes_of(word));
	emit_hex(r, content);
	emit(r, BYTES("}"));
}

void
pict_content(struct rtf *r)
{
	struct picture p = { .high = -1 };
	struct detox_output out;
	char where[32];

	snprintf(where, sizeof(where), "picture %u", ++r->pictures);
	buf_init(&p.data, r->lex.rest.n);
	buf_init(&p.words, 512);
	read_picture(r, &p);
	if (p.data.n > 0) {
		const struct detox_object o = { .content = buf_bytes(&p.data) };

		if (detox_inside(r->d, where, &o, &out) == DETOX_REBUILT)
			put(r, &p, where, buf_bytes(&out.content));
		buf_release(&out.content);
	}
	r->over |= detox_is_over(r->d);
	buf_release(&p.data);
	buf_release(&p.words);
}
