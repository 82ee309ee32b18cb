/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field: instructions of Word that compute text (ECMA-376 part 1, section
 * 17.16). One that may not stay loses its instruction; its result stays as
 * text. An instruction may be cut over many runs and have fields within.
 */
#include "filters/ooxml/inside.h"
#include "filters/ooxml/ooxml.h"
#include "filters/xml/xml.h"

#define OPEN_MAX 32 /* fields within fields; Word allows 20 */
#define INSTRUCTION_MAX 8192

/* A thing in a run, while a field is open. */
struct leaf {
	xmlNode *n;
	ptrdiff_t goes; /* of fields that end or begin here; then their sum */
};

enum place {
	IN_INSTRUCTION,
	IN_RESULT,
};

struct open_field {
	enum place place;
	size_t begin; /* leaves */
	size_t separate;
	struct buf instruction;
	bool dynamic;        /* a part of it is made by another */
	bool unclear;        /* its first word may be made so */
	bool plain, deleted; /* has instructions of either kind */
};

struct fields {
	struct ooxml *x;
	struct buf leaves; /* struct leaf */
	struct open_field open[OPEN_MAX];
	size_t open_n;
	size_t base; /* of the present story */
	size_t too_deep;
	bool full;
};

static struct leaf *
leaf_at(const struct fields *f, size_t i)
{
	return (struct leaf *)(void *)f->leaves.p + i;
}

static size_t
leaves_n(const struct fields *f)
{
	return f->leaves.n / sizeof(struct leaf);
}

static void
add_leaf(struct fields *f, xmlNode *n)
{
	const struct leaf l = { .n = n };

	if (buf_append(&f->leaves,
		(struct bytes){ (const uint8_t *)&l, sizeof(l) }) < 0)
		f->full = true;
}

static void
mark(struct fields *f, size_t begin, size_t end)
{
	if (f->full || begin >= end)
		return;
	leaf_at(f, begin)->goes++;
	if (end < leaves_n(f))
		leaf_at(f, end)->goes--;
}

static struct open_field *
top(struct fields *f)
{
	return f->open_n > f->base ? &f->open[f->open_n - 1] : NULL;
}

/* What stands in an instruction is of the fields around it too, and makes them
 * unclear. */
static void
add_instruction(struct fields *f, xmlNode *n, bool deleted)
{
	struct open_field *o = top(f);

	if (o == NULL || o->place != IN_INSTRUCTION)
		return;
	if (deleted)
		o->deleted = true;
	else
		o->plain = true;
	if (buf_append(&o->instruction, clean_content(n)) < 0)
		o->unclear = true;
}

static bool
in_instruction(const struct fields *f)
{
	for (size_t i = f->base; i < f->open_n; i++)
		if (f->open[i].place == IN_INSTRUCTION)
			return true;
	return false;
}

/* "=", or a word and a blank. */
static bool
has_word(struct bytes b)
{
	size_t n = 0;

	while (b.n > 0 && b.p[0] <= ' ')
		bytes_take(&b, 1);
	while (n < b.n && b.p[n] > ' ')
		n++;
	return b.n > 0 && (b.p[0] == '=' || n < b.n);
}

static void
add_dynamic(struct open_field *o)
{
	o->dynamic = true;
	if (!has_word(buf_bytes(&o->instruction)))
		o->unclear = true;
}

static void
begin_field(struct fields *f)
{
	struct open_field *o = top(f);

	if (o != NULL && o->place == IN_INSTRUCTION)
		add_dynamic(o);
	if (f->open_n == OPEN_MAX) {
		f->too_deep++;
		return;
	}
	o = &f->open[f->open_n++];
	memset(o, 0, sizeof(*o));
	o->begin = leaves_n(f) - 1;
	buf_init(&o->instruction, INSTRUCTION_MAX);
}

static void
separate_field(struct fields *f)
{
	struct open_field *o = top(f);

	if (f->too_deep > 0 || o == NULL || o->place != IN_INSTRUCTION)
		return;
	o->place = IN_RESULT;
	o->separate = leaves_n(f) - 1;
}

/* Some fields show a part of their instruction, and have no result. */
static void
show(struct fields *f, const struct open_field *o)
{
	struct bytes text = field_shows(buf_bytes(&o->instruction));
	struct leaf *l;
	char *copy;
	xmlNode *node;

	if (text.n == 0 || o->place == IN_RESULT || o->deleted)
		return;
	copy = arena_string(&f->x->d->arena, text);
	for (size_t i = o->begin; i < leaves_n(f); i++) {
		l = leaf_at(f, i);
		if (!clean_is(l->n, "instrText") || l->n->parent == NULL)
			continue;
		node = xmlNewTextChild(l->n->parent, l->n->ns,
		    (const xmlChar *)"t", (const xmlChar *)copy);
		if (node != NULL)
			xmlNodeSetSpacePreserve(node, 1);
		return;
	}
}

static void
flatten(struct fields *f, const struct open_field *o, bool ended)
{
	size_t n = leaves_n(f);

	show(f, o);
	if (o->place == IN_INSTRUCTION) {
		mark(f, o->begin, n);
		return;
	}
	mark(f, o->begin, o->separate + 1);
	if (ended)
		mark(f, n - 1, n);
}

static void
judge(struct fields *f, struct open_field *o, bool ended)
{
	struct bytes instruction = buf_bytes(&o->instruction);
	enum field judged = o->unclear || (o->plain && o->deleted)
	    ? FIELD_BAD
	    : field_judge(f->x, instruction, o->dynamic);

	if (judged == FIELD_BAD)
		ooxml_removed(f->x, REMOVED_FIELD, instruction);
	if (judged != FIELD_GOOD)
		flatten(f, o, ended);
}

static void
end_field(struct fields *f)
{
	struct open_field *o = top(f);

	if (f->too_deep > 0) {
		f->too_deep--;
		return;
	}
	if (o == NULL)
		return;
	judge(f, o, true);
	buf_release(&o->instruction);
	f->open_n--;
}

static void
take_mark(struct fields *f, const xmlNode *n)
{
	const char *type = clean_property(n, "fldCharType");

	if (strcmp(type, "begin") == 0)
		begin_field(f);
	else if (strcmp(type, "separate") == 0)
		separate_field(f);
	else
		end_field(f);
}

static void walk(struct fields *f, xmlNode *parent);

/* Text of its own: a box, a note. Fields do not reach in or out. */
static void
story(struct fields *f, xmlNode *parent)
{
	size_t base = f->base, deep = f->too_deep;
	struct open_field *o = top(f);

	if (o != NULL && o->place == IN_INSTRUCTION)
		o->unclear = true;
	f->base = f->open_n;
	f->too_deep = 0;
	walk(f, parent);
	while (f->open_n > f->base) {
		o = top(f);
		judge(f, o, false);
		buf_release(&o->instruction);
		f->open_n--;
	}
	f->base = base;
	f->too_deep = deep;
}

static bool
is_mark(const xmlNode *n)
{
	return clean_is(n, "fldChar") || clean_is(n, "instrText") ||
	    clean_is(n, "delInstrText");
}

/* An instruction where none belongs: some reader may take it for one. */
static bool
is_stray(const struct fields *f, const xmlNode *n)
{
	if (!clean_is(n, "instrText") && !clean_is(n, "delInstrText"))
		return false;
	return f->open_n <= f->base ||
	    f->open[f->open_n - 1].place != IN_INSTRUCTION;
}

static void
tell_of(struct fields *f, xmlNode *n)
{
	if (!clean_is(n, "fldChar") && clean_content(n).n > 0)
		ooxml_removed(f->x, REMOVED_FIELD, clean_content(n));
}

static void
clear_stray(struct fields *f, xmlNode *n)
{
	tell_of(f, n);
	xmlNodeSetContent(n, (const xmlChar *)"");
}

/* One that is not in a run itself, or of a namespace that readers pass by: some
 * take it for a part of the field, others do not. Gives what followed. */
static xmlNode *
drop_mark(struct fields *f, xmlNode *n)
{
	tell_of(f, n);
	return xml_drop(n);
}

static bool
is_run(const xmlNode *n)
{
	return clean_is(n, "r") && space_is_text(n->ns);
}

/* One text and no more. */
static bool
is_plain(const xmlNode *n)
{
	return n->children == NULL ||
	    (n->children->type == XML_TEXT_NODE && n->children->next == NULL);
}

static void
take_leaf(struct fields *f, xmlNode *n)
{
	if (clean_is(n, "fldChar"))
		take_mark(f, n);
	else if (is_stray(f, n))
		clear_stray(f, n);
	else if (clean_is(n, "instrText"))
		add_instruction(f, n, false);
	else if (clean_is(n, "delInstrText"))
		add_instruction(f, n, true);
	else if (clean_is(n, "t") && top(f) != NULL &&
	    top(f)->place == IN_INSTRUCTION)
		top(f)->unclear = true;
	else if (!is_plain(n))
		story(f, n);
}

static void
take_run(struct fields *f, xmlNode *run)
{
	xmlNode *n = run->children, *next;

	for (; n != NULL && !f->full; n = next) {
		next = n->next;
		if (n->type != XML_ELEMENT_NODE ||
		    (clean_is(n, "rPr") && space_is_text(n->ns)))
			continue;
		if (is_mark(n) && !space_is_text(n->ns)) {
			drop_mark(f, n);
			continue;
		}
		if (is_mark(n) || in_instruction(f))
			add_leaf(f, n);
		if (!f->full)
			take_leaf(f, n);
	}
}

/* One without runs. Gives what to go on with: itself, when it stays. */
static xmlNode *
take_simple(struct fields *f, xmlNode *n)
{
	struct bytes instruction = bytes_of(clean_property(n, "instr"));
	enum field judged = field_judge(f->x, instruction, false);
	xmlNode *first = n->children, *c;

	if (judged == FIELD_BAD)
		ooxml_removed(f->x, REMOVED_FIELD, instruction);
	if (judged == FIELD_GOOD)
		return n;
	if (first == NULL || n->nsDef != NULL)
		return xml_drop(n);
	while ((c = n->children) != NULL) {
		xmlUnlinkNode(c);
		xmlAddPrevSibling(n, c);
	}
	xml_drop(n);
	return first;
}

static bool
holds_run(const xmlNode *parent)
{
	for (const xmlNode *n = parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    (clean_is(n, "r") || is_mark(n) || holds_run(n)))
			return true;
	return false;
}

static void
walk_into(struct fields *f, xmlNode *n)
{
	static const char *const stories[] = { "AlternateContent", "Choice",
		"Fallback", "txbxContent", "comment", "footnote", "endnote" };

	for (size_t i = 0; i < COUNT(stories); i++)
		if (clean_is(n, stories[i])) {
			story(f, n);
			return;
		}
	/* A reader that passes it by does not see its runs. */
	if (space_is_text(n->ns))
		walk(f, n);
	else if (!in_instruction(f) || holds_run(n))
		story(f, n);
}

/* As deep as XML_DEPTH_MAX. */
static void
walk(struct fields *f, xmlNode *parent)
{
	xmlNode *n = parent->children, *other;

	while (n != NULL && !f->full) {
		if (is_mark(n)) {
			n = drop_mark(f, n);
			continue;
		}
		if (clean_is(n, "fldSimple")) {
			if (top(f) != NULL && top(f)->place == IN_INSTRUCTION)
				add_dynamic(top(f));
			other = take_simple(f, n);
			if (other != n) {
				n = other;
				continue;
			}
		}
		if (is_run(n))
			take_run(f, n);
		else if (n->type == XML_ELEMENT_NODE)
			walk_into(f, n);
		n = n->next;
	}
}

/* A leaf may be within another that goes first: the inner ones come later, so
 * that from the end each is whole. */
static void
drop_leaves(struct fields *f)
{
	ptrdiff_t sum = 0;
	struct leaf *l;

	for (size_t i = 0; i < leaves_n(f); i++) {
		l = leaf_at(f, i);
		sum += l->goes;
		l->goes = sum;
	}
	for (size_t i = leaves_n(f); i > 0; i--) {
		l = leaf_at(f, i - 1);
		if (l->goes > 0)
			xml_drop(l->n);
	}
}

void
field_clean(struct ooxml *x, xmlNode *root)
{
	struct fields f = { .x = x };

	buf_init(&f.leaves, (size_t)256 << 20);
	story(&f, root);
	if (f.full)
		detox_refuse(
		    x->d, REFUSED_MEMORY, "too much stands in its fields");
	else
		drop_leaves(&f);
	buf_release(&f.leaves);
}

enum detox_result
ooxml_clean_fields(struct detox *d, xmlNode *root)
{
	struct part p = { .name = "xml" };
	struct ooxml x = { .d = d, .part = &p };

	field_clean(&x, root);
	return detox_is_over(d) ? DETOX_REFUSED : DETOX_REBUILT;
}
