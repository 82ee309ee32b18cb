/* SPDX-License-Identifier: Apache-2.0 */
/* walk: a part's elements in the order of the document, each judged by the
 * rules. It goes as deep as XML_DEPTH_MAX. */
#include "filters/odf/inside.h"

void
odf_removed(const struct odf_walk *w, enum detox_removal what)
{
	detox_removed(w->o->d, what, w->where, (struct bytes){ 0 });
}

/* A picture that became another type has another name. */
static void
rename_picture(const struct odf_walk *w, xmlNode *n, xmlAttr *a)
{
	const struct odf_part *part;
	const char *name;

	if (odf_space_of(a->ns) != SPACE_XLINK || a->children == NULL)
		return;
	part = odf_picture(w, (const char *)a->children->content);
	if (part == NULL)
		return;
	name = package_entry(w->o->package, (size_t)(part - w->o->parts))->name;
	if (strcmp(part->name, name) != 0)
		xmlSetNsProp(n, a->ns, a->name,
		    (const xmlChar *)part->name + strlen(w->prefix));
}

static void
walk_attributes(const struct odf_walk *w, xmlNode *n)
{
	xmlAttr *next;

	for (xmlAttr *a = n->properties; a != NULL; a = next) {
		next = a->next;
		if (odf_attribute_stays(w, n, a))
			rename_picture(w, n, a);
		else
			xmlRemoveProp(a);
	}
}

/* Puts what it holds in its place; gives the first of that, or what followed.
 * What uses prefixes that it declares itself, as no known writer does, would
 * lose them, and goes with it. */
static xmlNode *
unwrap(xmlNode *n)
{
	xmlNode *first = n->children;
	xmlNode *next = n->next;

	if (first == NULL || n->nsDef != NULL)
		return xml_drop(n);
	for (xmlNode *child = first; child != NULL; child = child->next)
		child->parent = n->parent;
	first->prev = n->prev;
	n->last->next = next;
	if (n->prev != NULL)
		n->prev->next = first;
	else
		n->parent->children = first;
	if (next != NULL)
		next->prev = n->last;
	else
		n->parent->last = n->last;
	n->children = n->last = n->next = n->prev = NULL;
	n->parent = NULL;
	xmlFreeNode(n);
	return first;
}

static void
walk_children(const struct odf_walk *w, xmlNode *parent)
{
	xmlNode *n = parent->children;

	while (n != NULL) {
		enum odf_act act = ODF_KEEP;

		if (n->type == XML_TEXT_NODE) {
			n = n->next;
			continue;
		}
		act = n->type == XML_ELEMENT_NODE ? odf_judge(w, n) : ODF_DROP;
		switch (act) {
		case ODF_KEEP:
			walk_attributes(w, n);
			walk_children(w, n);
			n = n->next;
			break;
		case ODF_DROP:
			n = xml_drop(n);
			break;
		case ODF_UNWRAP:
			n = unwrap(n);
			break;
		case ODF_INLINE:
			n = odf_inline_stays(w, n) ? n->next : xml_drop(n);
			break;
		}
	}
}

/* Characters of what a reader sees, and blanks between elements. */
static uint64_t
count_text(const xmlNode *parent)
{
	uint64_t sum = 0;

	for (const xmlNode *n = parent->children; n != NULL; n = n->next)
		if (n->type == XML_TEXT_NODE)
			sum += (uint64_t)xmlUTF8Strlen(n->content);
		else if (n->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)n->name, "binary-data") != 0)
			sum += count_text(n);
	return sum;
}

/* Of styles and metadata: none. */
static uint64_t
count_body(const xmlNode *root)
{
	uint64_t sum = 0;

	if (odf_space_of(root->ns) == SPACE_MATH)
		return count_text(root);
	for (const xmlNode *n = root->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)n->name, "body") == 0)
			sum += count_text(n);
	return sum;
}

enum detox_result
odf_walk(const struct odf_walk *w, xmlDoc *doc)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	uint64_t before = count_body(root);

	walk_attributes(w, root);
	walk_children(w, root);
	detox_text(w->o->d, before, count_body(root));
	return detox_is_over(w->o->d) ? DETOX_REFUSED : DETOX_REBUILT;
}
