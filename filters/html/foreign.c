/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign: SVG and MathML within HTML. Browsers read HTML again within some of
 * their elements, and have been tricked there; so no element of HTML comes out
 * in them, only its text.
 */
#include "filters/html/css.h"
#include "filters/html/words.h"
#include "filters/html/write.h"
#include "filters/svg/elements.h"

#define XMLNS_SVG " xmlns=\"http://www.w3.org/2000/svg\""
#define XMLNS_MATH " xmlns=\"http://www.w3.org/1998/Math/MathML\""

static const char math_elements[] =
    " math menclose merror mfenced mfrac mi mlabeledtr mmultiscripts mn mo"
    " mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub"
    " msubsup msup mtable mtd mtext mtr munder munderover none semantics ";
static const char math_attributes[] =
    " accent accentunder align bevelled class close columnalign columnlines"
    " columnspacing columnspan denomalign depth dir display displaystyle"
    " equalcolumns equalrows fence form frame framespacing height id"
    " largeop linethickness lquote lspace mathbackground mathcolor mathsize"
    " mathvariant maxsize minsize movablelimits notation numalign open"
    " rowalign rowlines rowspacing rowspan rquote rspace scriptlevel"
    " scriptminsize separator separators stretchy subscriptshift"
    " superscriptshift symmetric voffset width ";

static void put_foreign(struct html_writer *w, const GumboNode *n);

static void
put_children(struct html_writer *w, const GumboNode *n)
{
	GumboNamespaceEnum space = n->v.element.tag_namespace;

	for (unsigned i = 0; i < n->v.element.children.length; i++) {
		const GumboNode *child = n->v.element.children.data[i];

		if (html_is_element(child) &&
		    child->v.element.tag_namespace == space)
			put_foreign(w, child);
		else
			html_put_words(w, child);
	}
}

static void
put_close(struct html_writer *w, struct bytes name)
{
	html_put(w, BYTES("</"));
	html_put(w, name);
	html_put(w, BYTES(">"));
}

static void
put_math_attributes(struct html_writer *w, const GumboNode *n)
{
	const GumboVector *all = &n->v.element.attributes;

	for (unsigned i = 0; i < all->length; i++) {
		const GumboAttribute *a = all->data[i];

		if (a->attr_namespace != GUMBO_ATTR_NAMESPACE_NONE ||
		    !words_have(math_attributes, bytes_of(a->name)))
			continue;
		html_put(w, BYTES(" "));
		html_put(w, bytes_of(a->name));
		html_put_value(w, bytes_of(a->value));
	}
}

/* What a formula says in another language of formulas is not shown. */
static void
put_math(struct html_writer *w, const GumboNode *n, struct bytes name)
{
	if (words_have(" annotation annotation-xml ", name))
		return;
	if (!words_have(math_elements, name)) {
		html_removed(w, REMOVED_UNKNOWN, name);
		put_children(w, n);
		return;
	}
	html_put(w, BYTES("<"));
	html_put(w, name);
	if (words_have(" math ", name))
		html_put(w, BYTES(XMLNS_MATH));
	put_math_attributes(w, n);
	html_put(w, BYTES(">"));
	put_children(w, n);
	put_close(w, name);
}

/* SVG has names with capitals in their midst; gumbo knows them. */
static struct bytes
svg_name(const GumboNode *n, struct bytes name)
{
	GumboStringPiece piece = n->v.element.original_tag;
	const char *cased;

	gumbo_tag_from_original_text(&piece);
	cased = gumbo_normalize_svg_tagname(&piece);
	return cased != NULL ? bytes_of(cased) : name;
}

static void
put_svg_attribute(struct html_writer *w, const struct address *address,
    struct bytes element, const GumboAttribute *a)
{
	struct buf kept;

	if (a->attr_namespace == GUMBO_ATTR_NAMESPACE_XMLNS)
		return;
	buf_init(&kept, w->out->max);
	switch (svg_attribute(
	    address, element, bytes_of(a->name), bytes_of(a->value), &kept)) {
	case SVG_ATTRIBUTE_GOES:
		break;
	case SVG_ATTRIBUTE_REFUSED:
		w->refused = true;
		break;
	case SVG_ATTRIBUTE_STAYS:
		html_put(w, BYTES(" "));
		if (a->attr_namespace == GUMBO_ATTR_NAMESPACE_XML)
			html_put(w, BYTES("xml:"));
		html_put(w, bytes_of(a->name));
		html_put_value(w, buf_bytes(&kept));
		break;
	}
	buf_release(&kept);
}

/* With both "href" and "xlink:href" the first is what counts. */
static void
put_svg_attributes(struct html_writer *w, const GumboNode *n, struct bytes name)
{
	char where[HTML_NAME_MAX + 1] = "";
	const struct address address = { w->d, where, w->again, w->mail };
	const GumboVector *all = &n->v.element.attributes;
	bool href = false;

	memcpy(where, name.p, name.n < HTML_NAME_MAX ? name.n : HTML_NAME_MAX);
	for (unsigned i = 0; i < all->length && !w->refused; i++) {
		const GumboAttribute *a = all->data[i];

		if (strcmp(a->name, "href") == 0) {
			if (href)
				continue;
			href = true;
		}
		put_svg_attribute(w, &address, name, a);
	}
}

static void
put_svg_style(struct html_writer *w, const GumboNode *n)
{
	const struct address address = { w->d, "style", w->again, w->mail };
	const GumboVector *all = &n->v.element.children;
	struct buf sheet;

	buf_init(&sheet, w->out->max);
	for (unsigned i = 0; i < all->length; i++) {
		const GumboNode *child = all->data[i];

		if (html_is_element(child) || child->type == GUMBO_NODE_COMMENT)
			continue;
		if (css_sheet(&address, bytes_of(child->v.text.text), &sheet) ==
		    DETOX_REFUSED)
			w->refused = true;
	}
	html_put(w, BYTES("<style>"));
	html_put(w, buf_bytes(&sheet));
	html_put(w, BYTES("</style>"));
	buf_release(&sheet);
}

static bool
may_animate(const GumboNode *n)
{
	const GumboAttribute *a =
	    gumbo_get_attribute(&n->v.element.attributes, "attributeName");

	return a == NULL || svg_may_animate(bytes_of(a->value));
}

/* HTML in a drawing: its text stays, as text of the drawing. */
static void
put_foreign_words(struct html_writer *w, const GumboNode *n)
{
	html_removed(w, REMOVED_OBJECT, BYTES("foreignobject"));
	html_put(w, BYTES("<text"));
	put_svg_attributes(w, n, BYTES("text"));
	html_put(w, BYTES(" dy=\"1em\">"));
	html_put_words(w, n);
	put_close(w, BYTES("text"));
}

static void
put_svg(struct html_writer *w, const GumboNode *n, struct bytes name)
{
	enum detox_removal what = DETOX_REMOVAL_KINDS;
	enum svg_element element = svg_element(name, &what);

	if (element == SVG_ANIMATES && !may_animate(n)) {
		element = SVG_GOES;
		what = REMOVED_SCRIPT;
	}
	if (words_have(" foreignobject ", name)) {
		put_foreign_words(w, n);
		return;
	}
	if (element == SVG_GOES) {
		html_removed(w, what, name);
		return;
	}
	if (element == SVG_STYLE) {
		put_svg_style(w, n);
		return;
	}
	html_put(w, BYTES("<"));
	html_put(w, svg_name(n, name));
	if (words_have(" svg ", name))
		html_put(w, BYTES(XMLNS_SVG));
	put_svg_attributes(w, n, name);
	html_put(w, BYTES(">"));
	if (element == SVG_WORDS)
		html_put_words(w, n);
	else
		put_children(w, n);
	put_close(w, svg_name(n, name));
}

static void
put_foreign(struct html_writer *w, const GumboNode *n)
{
	uint8_t room[HTML_NAME_MAX];
	struct bytes name = html_name(n, room);

	if (w->refused)
		return;
	if (n->v.element.tag_namespace == GUMBO_NAMESPACE_MATHML)
		put_math(w, n, name);
	else
		put_svg(w, n, name);
}

void
html_put_foreign(struct html_writer *w, const GumboNode *n)
{
	put_foreign(w, n);
}
