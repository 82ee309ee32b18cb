/* SPDX-License-Identifier: Apache-2.0 */
/* clean: one part's XML, element by element, each by its row in rules.c. */
#include <ctype.h>

#include "filters/ooxml/inside.h"
#include "filters/xml/xml.h"

/* What is kept with an element until the walk comes back to it. */
static char doomed, bereft;

void
clean_doom(xmlNode *n)
{
	n->_private = &doomed;
}

bool
clean_is_doomed(const xmlNode *n)
{
	return n->_private == &doomed;
}

static xmlNode *
first_element(const xmlNode *n)
{
	xmlNode *c = n->children;

	while (c != NULL && c->type != XML_ELEMENT_NODE)
		c = c->next;
	return c;
}

/* A text in pieces, as what stood between them leaves it, becomes one. */
static void
join_text(xmlNode *n)
{
	xmlChar *all;

	for (xmlNode *c = n->children; c != NULL;)
		c = c->type == XML_TEXT_NODE ? c->next : xml_drop(c);
	all = xmlNodeGetContent(n);
	while (n->children != NULL)
		xml_drop(n->children);
	xmlAddChild(n, xmlNewDocText(n->doc, all));
	xmlFree(all);
}

struct bytes
clean_content(xmlNode *n)
{
	if (n->children == NULL)
		return (struct bytes){ 0 };
	if (n->children->type != XML_TEXT_NODE || n->children->next != NULL)
		join_text(n);
	return bytes_of((const char *)n->children->content);
}

/* The nearest element around n whose name is one of "a|b". */
static xmlNode *
ancestor(xmlNode *n, const char *names)
{
	size_t len;

	for (n = n->parent; n != NULL && n->type == XML_ELEMENT_NODE;
	     n = n->parent)
		for (const char *s = names; *s != '\0'; s += len) {
			s += *s == '|';
			len = strcspn(s, "|");
			if (strlen((const char *)n->name) == len &&
			    memcmp(n->name, s, len) == 0)
				return n;
		}
	return NULL;
}

/* A frame alone in the place that a sheet anchors takes that place with it. */
void
clean_doom_up(xmlNode *n, const char *names)
{
	xmlNode *up = names == NULL ? NULL : ancestor(n, names);

	if (up == NULL)
		up = n;
	must(up != NULL);
	if (up->parent != NULL && up->parent->type == XML_ELEMENT_NODE &&
	    bytes_end_with(
		bytes_of((const char *)up->parent->name), BYTES("Anchor")))
		up = up->parent;
	clean_doom(up);
}

static const char *
value_of(const xmlAttr *a)
{
	return a->children == NULL || a->children->content == NULL
	    ? ""
	    : (const char *)a->children->content;
}

static const char *
find_value(const xmlNode *n, const char *name, bool refers)
{
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, name) == 0 &&
		    (space_of(a->ns) == SPACE_REL) == refers)
			return value_of(a);
	return "";
}

const char *
clean_property(const xmlNode *n, const char *name)
{
	return find_value(n, name, false);
}

const struct rel *
clean_reference(const struct ooxml *x, const xmlNode *n)
{
	return rel_find(x->part, (const xmlChar *)find_value(n, "id", true));
}

/* CSS that loads, or runs. */
static bool
is_bad_style(const char *style)
{
	static const char *const words[] = { "url", "expression", "javascript",
		"behavior", "@import", "\\" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcasestr(style, words[i]) != NULL)
			return true;
	return false;
}

enum attribute {
	ATTRIBUTE_STAYS = 0,
	ATTRIBUTE_GOES,
	ATTRIBUTE_LOST, /* it leads nowhere */
};

static enum attribute
take_out(struct ooxml *x, enum detox_removal what, const char *value)
{
	ooxml_removed(x, what, bytes_of(value));
	return ATTRIBUTE_GOES;
}

/* Where the original of a picture is. */
static bool
is_picture_address(const xmlAttr *a)
{
	static const char *const pictures[] = { "imagedata", "fill", "stroke",
		"image" };

	if (strcmp((const char *)a->name, "althref") == 0)
		return true;
	if (strcmp((const char *)a->name, "href") != 0)
		return false;
	for (size_t i = 0; i < COUNT(pictures); i++)
		if (clean_is(a->parent, pictures[i]))
			return true;
	return false;
}

static enum attribute
judge_vml(struct ooxml *x, const xmlAttr *a, const char *value)
{
	const char *name = (const char *)a->name;

	if (is_picture_address(a))
		return take_out(x, REMOVED_EXTERNAL, value);
	if (strcmp(name, "href") == 0)
		return detox_link_stays(x->d, bytes_of(value))
		    ? ATTRIBUTE_STAYS
		    : take_out(x, REMOVED_LINK, value);
	if (strcmp(name, "src") == 0 || strcmp(name, "background") == 0)
		return value[0] == '\0' ? ATTRIBUTE_STAYS
					: take_out(x, REMOVED_EXTERNAL, value);
	if (a->ns == NULL && strncmp(name, "on", 2) == 0 && name[2] != '\0')
		return take_out(x, REMOVED_SCRIPT, value);
	if (strcmp(name, "style") == 0 && is_bad_style(value))
		return take_out(x, REMOVED_STYLE, value);
	if (strcmp(name, "sigprovurl") == 0 &&
	    !detox_link_stays(x->d, bytes_of(value)))
		return take_out(x, REMOVED_LINK, value);
	/* Packages and documents of their own. */
	if (strcmp(name, "gfxdata") == 0 || strcmp(name, "actiondata") == 0 ||
	    strcmp(name, "equationxml") == 0)
		return ATTRIBUTE_GOES;
	return ATTRIBUTE_STAYS;
}

/* A place inside the document that a link goes to: no address, no file. */
static bool
is_bad_place(const char *name, const char *value)
{
	if (strcmp(name, "location") != 0 && strcmp(name, "docLocation") != 0 &&
	    strcmp(name, "anchor") != 0)
		return false;
	return strchr(value, '\\') != NULL || strchr(value, '[') != NULL ||
	    strstr(value, ":/") != NULL;
}

static enum attribute
judge_plain(struct ooxml *x, const char *name, const char *value)
{
	/* Most begin otherwise than all that follow. */
	if (value[0] == '\0' || strchr("mMftildau", name[0]) == NULL)
		return ATTRIBUTE_STAYS;
	if (strcasecmp(name, "macro") == 0 || strcmp(name, "fmlaMacro") == 0 ||
	    strcmp(name, "macroName") == 0)
		return take_out(x, REMOVED_MACRO, value);
	if ((strcmp(name, "textlink") == 0 || strcmp(name, "formula") == 0) &&
	    formula_judge(x, bytes_of(value)) != FORMULA_GOOD)
		return take_out(x, REMOVED_FORMULA, value);
	if (strcmp(name, "invalidUrl") == 0 || is_bad_place(name, value) ||
	    (strcmp(name, "url") == 0 &&
		!detox_link_stays(x->d, bytes_of(value))))
		return take_out(x, REMOVED_LINK, value);
	return ATTRIBUTE_STAYS;
}

/* Elements that go to an address when somebody clicks. */
static bool
is_link(const xmlNode *n)
{
	return clean_is(n, "hyperlink") || clean_is(n, "hlinkClick") ||
	    clean_is(n, "hlinkHover") || clean_is(n, "hlinkMouseOver");
}

/* All others would load what a link leads to: not all readers look at what kind
 * of relationship it is. */
static enum attribute
judge_reference(const struct ooxml *x, const xmlAttr *a, const char *id)
{
	const struct rel *r;

	if (id[0] == '\0')
		return ATTRIBUTE_STAYS;
	r = rel_find(x->part, (const xmlChar *)id);
	if (r == NULL || !r->kept ||
	    (r->kind->treatment == TREAT_LINK && !is_link(a->parent)))
		return ATTRIBUTE_LOST;
	return ATTRIBUTE_STAYS;
}

static enum attribute
judge_attribute(struct ooxml *x, enum space of, const xmlAttr *a)
{
	const char *name = (const char *)a->name, *value = value_of(a);

	switch (space_of(a->ns)) {
	case SPACE_UNKNOWN:
		return ATTRIBUTE_GOES;
	case SPACE_REL:
		return judge_reference(x, a, value);
	case SPACE_VML:
		if (strcmp(name, "relid") == 0)
			return judge_reference(x, a, value);
		return judge_vml(x, a, value);
	case SPACE_NONE:
		if (of == SPACE_VML || of == SPACE_NONE)
			return judge_vml(x, a, value);
		return judge_plain(x, name, value);
	case SPACE_WORD:
	case SPACE_SHEET:
	case SPACE_SLIDES:
	case SPACE_DRAW:
	case SPACE_KNOWN:
		return judge_plain(x, name, value);
	case SPACE_MC:
		break;
	}
	return ATTRIBUTE_STAYS;
}

/* Of one name in two namespaces, a reader takes one and another the other.
 * Names of a document stand once, in its table. */
static bool
is_second(const xmlAttr *a)
{
	bool refers = space_of(a->ns) == SPACE_REL;

	for (const xmlAttr *b = a->prev; b != NULL; b = b->prev)
		if (b->name == a->name &&
		    (space_of(b->ns) == SPACE_REL) == refers)
			return true;
	return false;
}

/* Before anything is judged by what it has. */
static void
drop_doubles(struct ooxml *x, xmlNode *n)
{
	xmlAttr *next;

	for (xmlAttr *a = n->properties; a != NULL; a = next) {
		next = a->next;
		if (space_of(a->ns) == SPACE_UNKNOWN) {
			xmlRemoveProp(a);
		} else if (a->prev != NULL && is_second(a)) {
			ooxml_removed(
			    x, REMOVED_UNKNOWN, bytes_of(value_of(a)));
			xmlRemoveProp(a);
		}
	}
}

/* Whether what it stands for is gone. */
static bool
clean_attributes(struct ooxml *x, xmlNode *n, enum space space, enum fate lost)
{
	xmlAttr *next;
	bool is_lost = false;

	for (xmlAttr *a = n->properties; a != NULL; a = next) {
		next = a->next;
		switch (judge_attribute(x, space, a)) {
		case ATTRIBUTE_LOST:
			if (lost != FATE_ATTRIBUTE) {
				is_lost = true;
				break;
			}
			xmlRemoveProp(a);
			break;
		case ATTRIBUTE_GOES:
			xmlRemoveProp(a);
			break;
		case ATTRIBUTE_STAYS:
			break;
		}
	}
	return is_lost;
}

/* VML shows text as HTML did. */
static bool
is_html(const char *name)
{
	static const char *const names[] = { "xml", "div", "font", "span", "br",
		"p", "b", "i", "u", "s", "sub", "sup", "center", "table", "tr",
		"td", "strong", "em", "strike" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

/* Programs that read what they embed as it is, without running it. */
static bool
is_office(const char *program)
{
	static const char *const names[] = { "Word.Document.12",
		"Excel.Sheet.12", "Excel.Chart.12", "PowerPoint.Show.12",
		"PowerPoint.Slide.12", "Word.Document.8", "Excel.Sheet.8",
		"PowerPoint.Show.8", "PowerPoint.Slide.8" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], program) == 0)
			return true;
	return false;
}

/* Of PowerPoint and, in VML, of Word. */
static bool
is_good_object(const struct ooxml *x, xmlNode *n)
{
	bool slides = clean_is(n, "oleObj");
	const char *type = clean_property(n, "Type");
	const struct rel *r = clean_reference(x, n);

	for (xmlNode *c = n->children; slides && c != NULL; c = c->next)
		if (clean_is(c, "link"))
			return false;
	return r != NULL && r->kept && r->part != NULL &&
	    r->kind->treatment == TREAT_OBJECT &&
	    is_office(clean_property(n, slides ? "progId" : "ProgID")) &&
	    (slides || strcmp(type, "Embed") == 0);
}

/* One of PowerPoint has its picture inside, which is wanted still. */
static bool
keep_ole(struct ooxml *x, xmlNode *n)
{
	xmlNode *frame;

	if (is_good_object(x, n))
		return true;
	ooxml_removed(x, REMOVED_OBJECT, (struct bytes){ 0 });
	if (!clean_is(n, "oleObj"))
		return false;
	frame = ancestor(n, "graphicFrame");
	if (frame == NULL)
		return false;
	frame->_private = &bereft;
	return true;
}

static bool
is_good_action(const char *action)
{
	static const char *const good[] = { "ppaction://noaction",
		"ppaction://hlinksldjump", "ppaction://hlinkshowjump",
		"ppaction://customshow" };
	size_t n = strcspn(action, "?");

	if (n == 0)
		return true;
	for (size_t i = 0; i < COUNT(good); i++)
		if (strlen(good[i]) == n &&
		    strncasecmp(good[i], action, n) == 0)
			return true;
	return false;
}

static bool
keep_action(struct ooxml *x, const xmlNode *n)
{
	const char *action = clean_property(n, "action");

	if (is_good_action(action))
		return true;
	ooxml_removed(x,
	    strncasecmp(action, "ppaction://macro", 16) == 0 ? REMOVED_MACRO
							     : REMOVED_ACTION,
	    bytes_of(action));
	return false;
}

/* Comments are shapes of VML too; all else that a sheet has there is a
 * control, or the window of an object. */
static void
judge_client(struct ooxml *x, xmlNode *n)
{
	const char *type = clean_property(n, "ObjectType");

	if (strcmp(type, "Note") == 0 || n->parent == NULL ||
	    n->parent->type != XML_ELEMENT_NODE)
		return;
	ooxml_removed(x,
	    strcmp(type, "Pict") == 0 ? REMOVED_OBJECT : REMOVED_ACTIVEX,
	    (struct bytes){ 0 });
	clean_doom(n->parent);
}

/* A table that a query filled stays as a table. */
static void
settle_table(xmlNode *n)
{
	xmlUnsetProp(n, (const xmlChar *)"tableType");
	xmlUnsetProp(n, (const xmlChar *)"connectionId");
	for (xmlNode *c = n->children; c != NULL; c = c->next)
		for (xmlNode *e = c->children;
		     clean_is(c, "tableColumns") && e != NULL; e = e->next)
			if (e->type == XML_ELEMENT_NODE)
				xmlUnsetProp(
				    e, (const xmlChar *)"queryTableFieldId");
}

/* A pivot table of outside data keeps what it shows, and cannot refresh. */
static void
settle_cache(struct ooxml *x, xmlNode *n)
{
	xmlNode *source;

	if (strcmp(clean_property(n, "type"), "external") != 0)
		return;
	ooxml_removed(x, REMOVED_CONNECTION, (struct bytes){ 0 });
	while (n->children != NULL)
		xml_drop(n->children);
	xmlUnsetProp(n, (const xmlChar *)"connectionId");
	xmlSetProp(n, (const xmlChar *)"type", (const xmlChar *)"worksheet");
	source =
	    xmlNewChild(n, n->ns, (const xmlChar *)"worksheetSource", NULL);
	if (source != NULL)
		xmlNewProp(source, (const xmlChar *)"name",
		    (const xmlChar *)"removed");
}

/* What no program understands makes it take the fallback. */
static void
settle_choice(xmlNode *n)
{
	static const xmlChar none[] = "urn:none";
	bool fallback = false;

	for (const xmlNode *c = n->next; c != NULL; c = c->next)
		fallback |= c->type == XML_ELEMENT_NODE;
	if (!fallback && n->parent != NULL &&
	    n->parent->type == XML_ELEMENT_NODE) {
		clean_doom(n->parent);
		return;
	}
	xmlNewNs(n, none, (const xmlChar *)"none");
	xmlSetProp(n, (const xmlChar *)"Requires", (const xmlChar *)"none");
}

static void
unmark_ole(xmlNode *n)
{
	xmlAttr *next;

	for (xmlAttr *a = n->properties; a != NULL; a = next) {
		next = a->next;
		if (strcmp((const char *)a->name, "ole") == 0)
			xmlRemoveProp(a);
	}
	for (xmlNode *c = n->children; c != NULL; c = c->next)
		if (c->type == XML_ELEMENT_NODE)
			unmark_ole(c);
}

/* An object without what it was is the picture that stood for it. */
static void
settle_object(xmlNode *n)
{
	for (xmlNode *c = n->children; c != NULL; c = c->next)
		if (clean_is(c, "OLEObject"))
			return;
	if (first_element(n) == NULL) {
		clean_doom(n);
		return;
	}
	xmlNodeSetName(n, (const xmlChar *)"pict");
	while (n->properties != NULL)
		xmlRemoveProp(n->properties);
	unmark_ole(n);
}

static xmlNode *
find_picture(xmlNode *n)
{
	xmlNode *found = NULL;

	for (xmlNode *c = n->children; c != NULL && found == NULL; c = c->next)
		if (clean_is(c, "pic"))
			found = c;
		else if (c->type == XML_ELEMENT_NODE)
			found = find_picture(c);
	return found;
}

/* The same on a slide. Gives what followed. */
static xmlNode *
settle_frame(xmlNode *n)
{
	xmlNode *picture = find_picture(n);

	if (picture != NULL) {
		xmlUnlinkNode(picture);
		xmlAddPrevSibling(n, picture);
		xmlReconciliateNs(n->doc, picture);
	}
	return xml_drop(n);
}

static void clean_children(struct ooxml *x, xmlNode *parent);

/* Before the walk goes into it. false: it goes. */
static bool
begin(struct ooxml *x, xmlNode *n, const struct element_rule *r)
{
	switch (r->always) {
	case FATE_DROP:
		ooxml_removed(x, r->what, (struct bytes){ 0 });
		return false;
	case FATE_UP:
		ooxml_removed(x, r->what, (struct bytes){ 0 });
		clean_doom_up(n, r->up);
		return true;
	case FATE_OLE:
		return keep_ole(x, n);
	case FATE_ACTION:
		return keep_action(x, n);
	case FATE_CLIENT:
		judge_client(x, n);
		return true;
	case FATE_FORMULA:
		sheet_formula(x, n, r);
		return true;
	case FATE_VALUE:
		sheet_value(x, n);
		return true;
	case FATE_SOURCE:
		sheet_source(x, n);
		return true;
	case FATE_CELLS:
		sheet_cells(x, n);
		return true;
	case FATE_NAME:
		sheet_name(x, n);
		return true;
	case FATE_SHEETS:
		sheet_sheets(x, n);
		return true;
	case FATE_TABLE:
		settle_table(n);
		return true;
	case FATE_CACHE:
		settle_cache(x, n);
		return true;
	case FATE_STAY:
	case FATE_LIST:
	case FATE_ATTRIBUTE:
	case FATE_OBJECT:
	case FATE_FRAME:
	case FATE_CHOICE:
		return true;
	}
	return false;
}

/* When the walk comes back to it; `had` elements inside. */
static xmlNode *
end(xmlNode *n, enum fate fate, bool had)
{
	bool emptied = had && first_element(n) == NULL;

	if (fate == FATE_OBJECT)
		settle_object(n);
	if (fate == FATE_CHOICE && emptied)
		settle_choice(n);
	if (clean_is_doomed(n) || (fate == FATE_LIST && emptied))
		return xml_drop(n);
	if (fate == FATE_FRAME && n->_private == &bereft)
		return settle_frame(n);
	if (fate == FATE_LIST && had)
		xmlUnsetProp(n, (const xmlChar *)"count");
	return n->next;
}

/* A reference in it leads nowhere. false: it goes. */
static bool
lose(struct ooxml *x, xmlNode *n, const struct element_rule *r)
{
	if (r == NULL)
		return false;
	if (r->lost == FATE_OLE)
		return keep_ole(x, n);
	if (r->lost == FATE_UP)
		clean_doom_up(n, r->up);
	return false;
}

static bool
is_allowed(enum space s, const xmlNode *n)
{
	return s != SPACE_UNKNOWN && s != SPACE_REL &&
	    (s != SPACE_NONE || is_html((const char *)n->name));
}

/* Gives what followed. */
static xmlNode *
clean_element(struct ooxml *x, xmlNode *n)
{
	enum space s = space_of(n->ns);
	const struct element_rule *r = element_rule_of(s, n->name);
	bool had;

	if (!is_allowed(s, n)) {
		ooxml_removed(x,
		    clean_is(n, "script") ? REMOVED_SCRIPT : REMOVED_UNKNOWN,
		    (struct bytes){ 0 });
		return xml_drop(n);
	}
	drop_doubles(x, n);
	if ((r != NULL && !begin(x, n, r)) ||
	    (clean_attributes(x, n, s, r == NULL ? FATE_DROP : r->lost) &&
		!lose(x, n, r)))
		return xml_drop(n);
	had = first_element(n) != NULL;
	clean_children(x, n);
	return end(n, r == NULL ? FATE_STAY : r->always, had);
}

/* As deep as XML_DEPTH_MAX. */
static void
clean_children(struct ooxml *x, xmlNode *parent)
{
	xmlNode *n = parent->children;

	while (n != NULL)
		if (n->type == XML_ELEMENT_NODE)
			n = clean_element(x, n);
		else if (n->type == XML_TEXT_NODE)
			n = n->next;
		else
			n = xml_drop(n);
}

/* Characters of UTF-8 in the elements that show text: t of all kinds, and the
 * values of cells. */
static uint64_t
count_text(const xmlNode *n)
{
	uint64_t count = 0;

	for (const xmlNode *c = n->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE) {
			count += count_text(c);
			continue;
		}
		if (c->type != XML_TEXT_NODE || n->name[1] != '\0' ||
		    (n->name[0] != 't' && n->name[0] != 'v'))
			continue;
		for (const xmlChar *s = c->content; s != NULL && *s != 0; s++)
			count += (*s & 0xc0) != 0x80;
	}
	return count;
}

static enum detox_result
clean_root(struct ooxml *x, xmlNode *root)
{
	uint64_t before = count_text(root);
	enum space s = space_of(root->ns);

	if (!is_allowed(s, root))
		return detox_refuse(x->d, REFUSED_BROKEN,
		    "a part's XML is of no known namespace");
	drop_doubles(x, root);
	clean_attributes(x, root, s, FATE_ATTRIBUTE);
	if (s == SPACE_SHEET && clean_is(root, "table"))
		settle_table(root);
	clean_children(x, root);
	if (x->app == APP_WORD)
		field_clean(x, root);
	sheet_shared(x, root);
	detox_text(x->d, before, count_text(root));
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

enum detox_result
clean_part(struct ooxml *x, struct part *p)
{
	struct buf content = { 0 }, out = { 0 };
	xmlDoc *doc = NULL;
	enum detox_result result = DETOX_REFUSED;

	x->part = p;
	if (package_read(x->d, x->package, p->entry, &content) ==
		DETOX_REBUILT &&
	    vml_tidy(x, p, &content) == DETOX_REBUILT)
		doc = xml_read(x->d, buf_bytes(&content), p->name);
	buf_release(&content);
	if (doc != NULL &&
	    clean_root(x, xmlDocGetRootElement(doc)) == DETOX_REBUILT &&
	    xml_write(x->d, doc, &out) == DETOX_REBUILT)
		result = package_add(x->d, x->writer, p->out_name,
		    buf_bytes(&out), PACKAGE_DEFLATED);
	xmlFreeDoc(doc);
	buf_release(&out);
	return result;
}
