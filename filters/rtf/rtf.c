/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/rtf/rtf.h"

#include "filters/rtf/rebuild.h"

#define HEAD_MAX ((size_t)1024) /* bytes before the document, of whatever */

/* Where the document begins. */
static ssize_t
find_start(struct bytes b)
{
	const uint8_t *at;

	if (b.n > HEAD_MAX + 4)
		b.n = HEAD_MAX + 4;
	at = b.n > 0 ? memmem(b.p, b.n, "{\\rt", 4) : NULL;
	return at == NULL ? -1 : at - b.p;
}

/* As text it may come behind blanks; who opens it as RTF takes more. */
static bool
takes(const struct detox_object *o)
{
	struct bytes extension = detox_extension(o->name);
	ssize_t start = find_start(o->content);

	if (start <= 0)
		return start == 0;
	return bytes_equal_nocase(extension, BYTES("rtf")) ||
	    bytes_equal_nocase(extension, BYTES("doc")) ||
	    is_blank((struct bytes){ o->content.p, (size_t)start });
}

static void
report_trailing(struct rtf *r, struct bytes b, const char *where)
{
	if (!is_blank(b))
		detox_removed(r->d, REMOVED_TRAILING, where, b);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct rtf *r = ARENA_NEW(&d->arena, struct rtf);
	struct level l = { .skips = 1, .font = -1, .visible = true };
	ssize_t start = find_start(o->content);
	struct bytes rest = o->content;

	if (start < 0)
		return detox_refuse(d, REFUSED_BROKEN, "it has no beginning");
	if (d->profile->to_text)
		return detox_refuse(
		    d, REFUSED_TYPE, "its text alone cannot be taken out");
	r->d = d;
	r->out = &out->content;
	r->font = -1;
	report_trailing(r, bytes_take(&rest, (size_t)start), "before");
	bytes_take(&rest, 1);
	r->lex.rest = rest;
	/* \rt with whatever is behind it is \rtf1 to readers. */
	head_take(&r->lex);
	emit(r, BYTES("{"));
	emit_word(r, "rtf", true, 1);
	if (enter(r)) {
		struct token t;

		content(r, l);
		lex_next(&r->lex, &t);
		if (t.kind == LEX_END && !r->over)
			detox_removed(
			    d, REMOVED_DAMAGED, "end", (struct bytes){ 0 });
	}
	emit(r, BYTES("}\n"));
	report_trailing(r, r->lex.rest, "behind");
	detox_text(d, r->text_in, r->text_out);
	return r->over ? DETOX_REFUSED : DETOX_REBUILT;
}

static int
prepare(struct err *e)
{
	(void)e;
	words_prepare();
	return 0;
}

const struct detox_format rtf_format = {
	.name = "rtf",
	.types = MAGIC_BIT(MAGIC_RTF) | MAGIC_BIT(MAGIC_TEXT),
	.takes = takes,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_RTF),
	.prepare = prepare,
};
