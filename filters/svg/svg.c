/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/svg/svg.h"

#include <stdio.h>

#include "filters/html/css.h"
#include "filters/html/words.h"
#include "filters/svg/elements.h"
#include "filters/xml/xml.h"

#define XLINK "http://www.w3.org/1999/xlink"

struct cleaner {
	struct detox *d;
	bool refused;
};

static struct bytes
name_of(const xmlNode *n)
{
	return bytes_of((const char *)n->name);
}

static void
report(struct cleaner *c, enum detox_removal what, struct bytes name)
{
	char where[WORDS_MAX + 1];

	snprintf(where, sizeof(where), "%.*s", BYTES_PRINTF(name));
	detox_removed(c->d, what, where, (struct bytes){ 0 });
}

static bool
attribute_is(const xmlAttr *a, const char *ns)
{
	return a->ns != NULL && strcmp((const char *)a->ns->href, ns) == 0;
}

static bool
may_stay(const xmlAttr *a)
{
	return a->ns == NULL ||
	    attribute_is(a, (const char *)XML_XML_NAMESPACE) ||
	    (attribute_is(a, XLINK) &&
		words_have(" href title ", bytes_of((const char *)a->name)));
}

static void
set_value(xmlAttr *a, struct bytes value)
{
	xmlNode *text =
	    xmlNewDocTextLen(a->doc, (const xmlChar *)value.p, (int)value.n);

	must(text != NULL);
	while (a->children != NULL) {
		xmlNode *old = a->children;

		xmlUnlinkNode(old);
		xmlFreeNode(old);
	}
	xmlAddChild((xmlNode *)a, text);
}

/* Gives the next one. */
static xmlAttr *
clean_attribute(struct cleaner *c, const struct address *address, xmlAttr *a)
{
	xmlAttr *next = a->next;
	xmlChar *value = xmlNodeGetContent((const xmlNode *)a);
	enum svg_attribute result = SVG_ATTRIBUTE_GOES;
	struct buf kept;

	buf_init(&kept, INT32_MAX / 2);
	if (may_stay(a) && value != NULL)
		result = svg_attribute(address, name_of(a->parent),
		    bytes_of((const char *)a->name),
		    bytes_of((const char *)value), &kept);
	if (result == SVG_ATTRIBUTE_REFUSED)
		c->refused = true;
	else if (result == SVG_ATTRIBUTE_GOES)
		xmlRemoveProp(a);
	else if (!bytes_equal(buf_bytes(&kept), bytes_of((const char *)value)))
		set_value(a, buf_bytes(&kept));
	buf_release(&kept);
	xmlFree(value);
	return next;
}

static void
clean_attributes(struct cleaner *c, xmlNode *n)
{
	char where[WORDS_MAX + 1];
	const struct address address = { .d = c->d, .where = where };
	struct bytes name = name_of(n);

	snprintf(where, sizeof(where), "%.*s", BYTES_PRINTF(name));
	for (xmlAttr *a = n->properties; a != NULL && !c->refused;)
		a = clean_attribute(c, &address, a);
}

static void
set_text(xmlNode *n, struct bytes text)
{
	xmlNode *child =
	    xmlNewDocTextLen(n->doc, (const xmlChar *)text.p, (int)text.n);

	must(child != NULL);
	while (n->children != NULL)
		xml_drop(n->children);
	xmlAddChild(n, child);
}

static void
clean_style(struct cleaner *c, xmlNode *n)
{
	const struct address address = { .d = c->d, .where = "style" };
	xmlChar *sheet = xmlNodeGetContent(n);
	struct buf kept;

	buf_init(&kept, INT32_MAX / 2);
	if (sheet != NULL &&
	    css_sheet(&address, bytes_of((const char *)sheet), &kept) ==
		DETOX_REFUSED)
		c->refused = true;
	set_text(n, buf_bytes(&kept));
	buf_release(&kept);
	xmlFree(sheet);
}

static void
add_words(const xmlNode *n, struct buf *out)
{
	for (const xmlNode *child = n->children; child != NULL;
	     child = child->next) {
		/* As long as the document at most. */
		if (child->type == XML_TEXT_NODE)
			must(buf_append(out,
				 bytes_of((const char *)child->content)) == 0);
		else if (child->type == XML_ELEMENT_NODE &&
		    !words_have(" script style ", name_of(child)))
			add_words(child, out);
	}
}

/* All text within it, and no element. */
static void
keep_words(xmlNode *n)
{
	struct buf words;

	buf_init(&words, INT32_MAX / 2);
	add_words(n, &words);
	set_text(n, buf_bytes(&words));
	buf_release(&words);
}

/* HTML in a picture: its text stays, as text. */
static void
keep_foreign_words(struct cleaner *c, xmlNode *n)
{
	report(c, REMOVED_OBJECT, name_of(n));
	keep_words(n);
	xmlNodeSetName(n, (const xmlChar *)"text");
	xmlSetProp(n, (const xmlChar *)"dy", (const xmlChar *)"1em");
	clean_attributes(c, n);
}

/* Each attribute of that name, of whatever namespace: only one of them is the
 * reader's. */
static bool
may_animate(const xmlNode *n)
{
	bool may = true;

	for (const xmlAttr *a = n->properties; a != NULL && may; a = a->next) {
		xmlChar *value;

		if (!words_have(
			" attributename ", bytes_of((const char *)a->name)))
			continue;
		value = xmlNodeGetContent((const xmlNode *)a);
		may = value != NULL && svg_may_animate(bytes_of((char *)value));
		xmlFree(value);
	}
	return may;
}

static enum svg_element
judge(xmlNode *n, enum detox_removal *what)
{
	enum svg_element element;

	*what = REMOVED_CUSTOM;
	if (n->ns != NULL &&
	    strcmp((const char *)n->ns->href, SVG_NAMESPACE) != 0)
		return SVG_GOES;
	element = svg_element(name_of(n), what);
	if (element == SVG_ANIMATES && !may_animate(n)) {
		*what = REMOVED_SCRIPT;
		return SVG_GOES;
	}
	return element;
}

static void clean_children(struct cleaner *c, xmlNode *parent);

/* Gives the next one. At most XML_DEPTH_MAX deep. */
static xmlNode *
clean(struct cleaner *c, xmlNode *n)
{
	enum detox_removal what;
	enum svg_element element = judge(n, &what);

	if (element == SVG_GOES && what == REMOVED_OBJECT &&
	    words_have(" foreignobject ", name_of(n))) {
		keep_foreign_words(c, n);
		return n->next;
	}
	if (element == SVG_GOES) {
		report(c, what, name_of(n));
		return xml_drop(n);
	}
	clean_attributes(c, n);
	if (element == SVG_STYLE)
		clean_style(c, n);
	else if (element == SVG_WORDS)
		keep_words(n);
	else
		clean_children(c, n);
	return n->next;
}

static void
clean_children(struct cleaner *c, xmlNode *parent)
{
	for (xmlNode *n = parent->children; n != NULL && !c->refused;) {
		if (n->type == XML_ELEMENT_NODE)
			n = clean(c, n);
		else
			n = n->type == XML_TEXT_NODE ? n->next : xml_drop(n);
	}
}

enum detox_result
svg_clean(struct detox *d, xmlNode *svg)
{
	struct cleaner c = { .d = d };

	clean_attributes(&c, svg);
	clean_children(&c, svg);
	return c.refused ? DETOX_REFUSED : DETOX_REBUILT;
}
