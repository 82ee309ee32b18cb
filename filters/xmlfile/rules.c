/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/rules.h"

#include "filters/html/address.h"
#include "filters/html/css.h"
#include "filters/html/elements.h"
#include "filters/html/words.h"
#include "filters/svg/svg.h"
#include "filters/xml/xml.h"
#include "filters/xmlfile/office.h"

#define XHTML "http://www.w3.org/1999/xhtml"
#define ODF "urn:oasis:names:tc:opendocument:xmlns:"

struct cleaner {
	struct detox *d;
	bool refused;
};

/* ns: how the namespace begins; NULL: any. names NULL: all. */
static const struct {
	const char *ns;
	const char *names;
	enum detox_removal what;
} dropped[] = {
	{ NULL, " script ", REMOVED_SCRIPT },
	{ "http://www.mozilla.org/keymaster/", NULL, REMOVED_SCRIPT },
	{ "http://www.mozilla.org/xbl", NULL, REMOVED_SCRIPT },
	{ "http://www.w3.org/2001/xml-events", NULL, REMOVED_SCRIPT },
	{ "http://www.w3.org/1999/XSL/Transform", " include import ",
	    REMOVED_EXTERNAL },
	{ "http://www.w3.org/2002/xforms", " submission ", REMOVED_FORM },
	{ ODF "script:", NULL, REMOVED_MACRO },
	{ ODF "office:", " scripts event-listeners ", REMOVED_MACRO },
	{ ODF "office:", " dde-source ", REMOVED_CONNECTION },
	{ ODF "presentation:", " event-listener ", REMOVED_ACTION },
	{ ODF "drawing:", " plugin applet floating-frame object object-ole ",
	    REMOVED_OBJECT },
	{ ODF "table:",
	    " table-source dde-link dde-links database-source-sql"
	    " database-source-table database-source-query ",
	    REMOVED_CONNECTION },
	{ ODF "text:", " section-source ", REMOVED_EXTERNAL },
	{ ODF "text:",
	    " dde-connection dde-connection-decl dde-connection-decls ",
	    REMOVED_CONNECTION },
	{ ODF "form:", " connection-resource ", REMOVED_CONNECTION },
	{ OFFICE_WORD, " docsuppdata vbaproject ", REMOVED_MACRO },
	{ OFFICE_WORD, " docoledata object ", REMOVED_OBJECT },
	{ OFFICE_WORD, " scriptanchor applet movie ", REMOVED_SCRIPT },
	{ OFFICE_WORD, " savethroughxslt ", REMOVED_EXTERNAL },
	{ "http://schemas.microsoft.com/schemaLibrary/", NULL,
	    REMOVED_EXTERNAL },
	{ OFFICE_WORD, " ocx control ", REMOVED_ACTIVEX },
	{ OFFICE_WORD, " attachedtemplate subdoc frameset ", REMOVED_EXTERNAL },
	{ OFFICE_WORD, " mailmerge ", REMOVED_CONNECTION },
	{ OFFICE_WORD, " altchunk cfchunk ", REMOVED_FILE },
	{ "urn:schemas-microsoft-com:office:office", " oleobject ",
	    REMOVED_OBJECT },
	{ "urn:schemas-microsoft-com:office:excel",
	    " supbook externsheet querytable querysource pivotcache"
	    " mapinfo ",
	    REMOVED_CONNECTION },
	{ "urn:schemas-microsoft-com:office:activation", NULL,
	    REMOVED_ACTIVEX },
};

static struct bytes
name_of(const xmlNode *n)
{
	return bytes_of((const char *)n->name);
}

static const char *
space_of(const xmlNs *ns)
{
	return ns == NULL || ns->href == NULL ? "" : (const char *)ns->href;
}

static void
report(struct cleaner *c, enum detox_removal what, const xmlNode *n)
{
	detox_removed(c->d, what, (const char *)n->name, (struct bytes){ 0 });
}

static bool
begins(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/* Whether it goes; *what_out says as what. */
static bool
goes(const xmlNode *n, enum detox_removal *what_out)
{
	const char *space = space_of(n->ns);
	const struct html_rule *r;

	for (size_t i = 0; i < COUNT(dropped); i++) {
		*what_out = dropped[i].what;
		if ((dropped[i].ns == NULL || begins(space, dropped[i].ns)) &&
		    (dropped[i].names == NULL ||
			words_have(dropped[i].names, name_of(n))))
			return true;
	}
	if (strcmp(space, XHTML) != 0)
		return false;
	r = html_rule(name_of(n));
	*what_out = r->what;
	return r->element == HTML_GOES || r->what == REMOVED_OBJECT ||
	    words_have(" meta style ", name_of(n));
}

/* Attributes. */

/* A scheme that runs something, whatever stands within it. */
static bool
runs(struct bytes value)
{
	static const char *const schemes[] = { "javascript:", "vbscript:",
		"livescript:", "mocha:", "data:text/html",
		"vnd.sun.star.script:", "macro:", "ms-msdt:", "search-ms:" };
	char text[32];
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < sizeof(text) - 1; i++)
		if (value.p[i] > ' ')
			text[n++] = (char)value.p[i];
	text[n] = '\0';
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Of XHTML; what is rebuilt elsewhere (addresses, styles) is only judged
 * here. */
static bool
html_attribute_goes(struct cleaner *c, const xmlAttr *a, struct bytes value)
{
	const struct address address = { .d = c->d,
		.where = (const char *)a->parent->name };
	enum html_attribute kind =
	    html_attribute(name_of(a->parent), bytes_of((const char *)a->name));
	struct buf kept;
	enum detox_result result = DETOX_REBUILT;
	bool same;

	buf_init(&kept, INT32_MAX / 2);
	switch (kind) {
	case HTML_ATTRIBUTE_GOES:
	case HTML_ATTRIBUTE_STAYS:
	case HTML_ATTRIBUTE_KIND:
		return false;
	case HTML_ATTRIBUTE_LOADS:
		address_removed(&address, REMOVED_EXTERNAL);
		return true;
	case HTML_ATTRIBUTE_SENDS:
		address_removed(&address, REMOVED_FORM);
		return true;
	case HTML_ATTRIBUTE_RUNS:
		address_removed(&address, REMOVED_SCRIPT);
		return true;
	case HTML_ATTRIBUTE_LINK:
		result = address_link(&address, value, &kept);
		break;
	case HTML_ATTRIBUTE_PICTURE:
		if (value.n > 5 && memcmp(value.p, "data:", 5) == 0)
			return true;
		result = address_picture(&address, value, &kept);
		break;
	case HTML_ATTRIBUTE_PLACE:
		result = address_inside(&address, value, &kept);
		break;
	case HTML_ATTRIBUTE_STYLE:
		return true;
	}
	same = kept.n > 0;
	buf_release(&kept);
	c->refused = c->refused || result == DETOX_REFUSED;
	return !same;
}

static bool
link_goes(struct cleaner *c, const xmlAttr *a, struct bytes value)
{
	if (detox_link_stays(c->d, value))
		return false;
	report(c, REMOVED_LINK, a->parent);
	return true;
}

static bool
attribute_goes(struct cleaner *c, const xmlAttr *a, struct bytes value)
{
	if (runs(value)) {
		report(c, REMOVED_LINK, a->parent);
		return true;
	}
	if (strcmp(space_of(a->ns), "http://www.w3.org/1999/xlink") == 0)
		return strcmp((const char *)a->name, "href") == 0 &&
		    link_goes(c, a, value);
	if (begins(space_of(a->ns), "http://www.w3.org/2001/xml-events"))
		return true;
	if (strcmp(space_of(a->parent->ns), XHTML) == 0)
		return html_attribute_goes(c, a, value);
	return office_attribute_goes(c->d, a, value);
}

static void
clean_attributes(struct cleaner *c, xmlNode *n)
{
	for (xmlAttr *a = n->properties; a != NULL && !c->refused;) {
		xmlAttr *next = a->next;
		xmlChar *value = xmlNodeGetContent((const xmlNode *)a);

		if (value == NULL ||
		    attribute_goes(c, a, bytes_of((const char *)value)))
			xmlRemoveProp(a);
		xmlFree(value);
		a = next;
	}
}

/* Elements. */

static void clean_children(struct cleaner *c, xmlNode *parent);

static void
clean(struct cleaner *c, xmlNode *n)
{
	if (strcmp(space_of(n->ns), SVG_NAMESPACE) == 0) {
		c->refused = svg_clean(c->d, n) == DETOX_REFUSED;
		return;
	}
	clean_attributes(c, n);
	/* To who looks at its first words it would be a page. */
	if (words_have(" html ", name_of(n)) && n->parent != NULL &&
	    n->parent->type == XML_ELEMENT_NODE)
		xmlNodeSetName(n, (const xmlChar *)"div");
	clean_children(c, n);
}

static xmlNode *
clean_one(struct cleaner *c, xmlNode *n)
{
	enum detox_removal what;

	if (n->type == XML_TEXT_NODE)
		return n->next;
	if (n->type != XML_ELEMENT_NODE)
		return xml_drop(n);
	if (goes(n, &what) || office_goes(c->d, n, &what)) {
		if (what != DETOX_REMOVAL_KINDS)
			report(c, what, n);
		return xml_drop(n);
	}
	clean(c, n);
	return n->next;
}

static void
clean_children(struct cleaner *c, xmlNode *parent)
{
	for (xmlNode *n = parent->children; n != NULL && !c->refused;)
		n = clean_one(c, n);
}

enum detox_result
rules_clean(struct detox *d, xmlNode *root)
{
	struct cleaner c = { .d = d };
	enum detox_removal what;

	if (goes(root, &what))
		return detox_refuse(
		    d, REFUSED_TYPE, "XML of a kind that only runs something");
	if (office_clean(d, root) == DETOX_REFUSED)
		return DETOX_REFUSED;
	clean(&c, root);
	if (detox_is_over(d))
		return DETOX_REFUSED;
	return c.refused ? DETOX_REFUSED : DETOX_REBUILT;
}
