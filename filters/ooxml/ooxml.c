/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ooxml/ooxml.h"

#include "filters/ooxml/inside.h"
#include "filters/words/words.h"
#include "filters/xml/xml.h"

static enum detox_result
write_part(struct ooxml *x, struct part *p)
{
	switch (p->kind->treatment) {
	case TREAT_XML:
		if (clean_part(x, p) == DETOX_REFUSED)
			return DETOX_REFUSED;
		return write_rels(
		    x, rels_name(x, p->out_name), p->rels, p->rels_n);
	case TREAT_TITLE:
		return write_title(x, p);
	case TREAT_PROGRAM:
		return write_program(x, p);
	case TREAT_IMAGE:
	case TREAT_OBJECT:
	case TREAT_FONT:
		return package_add(x->d, x->writer, p->out_name,
		    buf_bytes(&p->content),
		    p->stored ? PACKAGE_STORED : PACKAGE_DEFLATED);
	case TREAT_DROP:
	case TREAT_LINK:
		break;
	}
	return detox_refuse(x->d, REFUSED_BROKEN, "a part of no kind");
}

static enum detox_result
write_all(struct ooxml *x, struct detox_output *out)
{
	if (write_types(x) == DETOX_REFUSED ||
	    write_rels(x, "_rels/.rels", x->roots, x->roots_n) == DETOX_REFUSED)
		return DETOX_REFUSED;
	for (struct part *p = x->first; p != NULL; p = p->next)
		if (p->state == PART_KEPT && write_part(x, p) == DETOX_REFUSED)
			return DETOX_REFUSED;
	out->extension = x->main_kind->extension;
	return package_finish(x->d, x->writer, out);
}

static void
release(struct ooxml *x)
{
	for (size_t i = 0; i < x->parts_n; i++)
		buf_release(&x->parts[i].content);
	xmlFreeDoc(x->types);
	xmlHashFree(x->gone_names, NULL);
	xmlHashFree(x->gone_shared, NULL);
	package_writer_free(x->writer);
	package_close(x->package);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct ooxml x = { .d = d };
	enum detox_result result = DETOX_REFUSED;

	x.package = package_open(d, o->content);
	if (x.package == NULL)
		return DETOX_REFUSED;
	x.writer = package_writer_new();
	if (graph_walk(&x) == DETOX_REBUILT)
		result = write_all(&x, out);
	release(&x);
	return result == DETOX_REBUILT && d->profile->to_text
	    ? words_of_package(d, out)
	    : result;
}

static int
prepare(struct err *e)
{
	rules_prepare();
	return xml_prepare(e);
}

const struct detox_format ooxml_format = {
	.name = "ooxml",
	.types = MAGIC_BIT(MAGIC_OOXML),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_OOXML) | MAGIC_BIT(MAGIC_TEXT),
	.prepare = prepare,
};
