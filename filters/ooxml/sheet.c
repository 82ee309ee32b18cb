/* SPDX-License-Identifier: Apache-2.0 */
/* sheet: what Excel computes. A formula that goes leaves the value that was
 * stored beside it. */
#include <ctype.h>
#include <stdlib.h>

#include "filters/ooxml/inside.h"
#include "filters/xml/xml.h"

#define SHEETS_MAX 10000

static void
remember(xmlHashTable **table, struct bytes name)
{
	xmlChar key[256];

	if (name.n == 0 || name.n >= sizeof(key))
		return;
	if (*table == NULL)
		*table = xmlHashCreate(64);
	must(*table != NULL);
	for (size_t i = 0; i < name.n; i++)
		key[i] = (xmlChar)tolower(name.p[i]);
	key[name.n] = '\0';
	/* It fails when it is there already. */
	(void)xmlHashAddEntry(*table, key, *table);
}

static void
forget_name(struct ooxml *x, const char *name)
{
	remember(&x->gone_names, bytes_of(name));
	x->has_gone = x->gone_names != NULL;
}

static void
tell(struct ooxml *x, enum formula f, struct bytes text)
{
	if (f == FORMULA_BAD)
		ooxml_removed(x, REMOVED_FORMULA, text);
	if (f == FORMULA_OUTSIDE)
		ooxml_removed(x, REMOVED_EXTERNAL, (struct bytes){ 0 });
	if (f == FORMULA_GONE)
		ooxml_removed(x, REMOVED_FORMULA, (struct bytes){ 0 });
}

/* Since Excel 2010 some are within another element, which has no text. */
static bool
holds_formula(const xmlNode *n)
{
	for (xmlNode *c = n->children; c != NULL; c = c->next)
		if (clean_is(c, "f") && space_of(c->ns) == SPACE_SHEET)
			return true;
	return false;
}

static void
drop_text(xmlNode *n)
{
	for (xmlNode *c = n->children; c != NULL;)
		c = c->type == XML_TEXT_NODE ? xml_drop(c) : c->next;
}

void
sheet_formula(struct ooxml *x, xmlNode *n, const struct element_rule *r)
{
	enum formula f;

	if (!clean_is(n, "f") && holds_formula(n)) {
		drop_text(n);
		return;
	}
	f = formula_judge(x, clean_content(n));
	if (f == FORMULA_GOOD)
		return;
	tell(x, f, clean_content(n));
	if (n->parent == NULL || !clean_is(n->parent, "c")) {
		clean_doom_up(n, r->up);
		return;
	}
	/* Cells that share it name it by this number. */
	if (strcmp(clean_property(n, "t"), "shared") == 0)
		remember(&x->gone_shared, bytes_of(clean_property(n, "si")));
	xmlUnsetProp(n->parent, (const xmlChar *)"cm");
	clean_doom(n);
}

/* A number, or a formula that gives one. */
void
sheet_value(struct ooxml *x, xmlNode *n)
{
	struct bytes value = bytes_of(clean_property(n, "val"));
	enum formula f = formula_judge(x, value);

	if (f == FORMULA_GOOD)
		return;
	tell(x, f, value);
	clean_doom_up(n, "cfRule");
}

static void
drop_shared(struct ooxml *x, xmlNode *parent)
{
	xmlNode *n = parent->children, *next;

	for (; n != NULL; n = next) {
		next = n->next;
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (n->name[0] == 'f' && clean_is(n, "f") &&
		    xmlHashLookup(x->gone_shared,
			(const xmlChar *)clean_property(n, "si")) != NULL)
			xml_drop(n);
		else
			drop_shared(x, n);
	}
}

void
sheet_shared(struct ooxml *x, xmlNode *root)
{
	if (x->gone_shared == NULL)
		return;
	drop_shared(x, root);
	xmlHashFree(x->gone_shared, NULL);
	x->gone_shared = NULL;
}

/* Values that were read from it become the chart's own. */
static bool
make_literal(xmlNode *reference, const char *cache, const char *literal)
{
	xmlNode *c, *next, *values = NULL;

	for (c = reference->children; c != NULL; c = c->next)
		if (clean_is(c, cache))
			values = c;
	if (values == NULL || values->nsDef != NULL)
		return false;
	xmlNodeSetName(reference, (const xmlChar *)literal);
	for (c = values->children; c != NULL; c = next) {
		next = c->next;
		xmlUnlinkNode(c);
		xmlAddPrevSibling(values, c);
	}
	clean_doom(values);
	return true;
}

void
sheet_source(struct ooxml *x, xmlNode *n)
{
	enum formula f = formula_judge(x, clean_content(n));
	xmlNode *reference = n->parent;
	bool literal = false;

	/* Word and PowerPoint look for it in what is embedded alone. */
	if (f == FORMULA_GOOD || reference == NULL ||
	    (x->app != APP_SHEET && f != FORMULA_BAD))
		return;
	tell(x, f, clean_content(n));
	if (clean_is(reference, "numRef"))
		literal = make_literal(reference, "numCache", "numLit");
	if (clean_is(reference, "strRef") && reference->parent != NULL &&
	    clean_is(reference->parent, "cat"))
		literal = make_literal(reference, "strCache", "strLit");
	if (literal)
		clean_doom(n);
	else
		xmlNodeSetContent(n, (const xmlChar *)"#REF!");
}

/* No sheet, table or name of a workbook is called so. */
static bool
is_of_other_book(const char *name)
{
	return strchr(name, '[') != NULL || strchr(name, ':') != NULL ||
	    strstr(name, "\\\\") != NULL || strstr(name, "//") != NULL;
}

/* Where a pivot table or a consolidation has its numbers from; those it shows
 * are kept elsewhere. */
void
sheet_cells(struct ooxml *x, xmlNode *n)
{
	static const char *const places[] = { "sheet", "name", "ref" };

	if (!is_of_other_book(clean_property(n, "sheet")) &&
	    !is_of_other_book(clean_property(n, "name")) &&
	    strchr(clean_property(n, "ref"), '[') == NULL)
		return;
	ooxml_removed(x, REMOVED_EXTERNAL, (struct bytes){ 0 });
	for (size_t i = 0; i < COUNT(places); i++)
		xmlUnsetProp(n, (const xmlChar *)places[i]);
	xmlNewProp(n, (const xmlChar *)"name", (const xmlChar *)"removed");
}

/* Macros that run when the workbook is opened or left are found by name. */
static bool
is_auto(const char *name)
{
	if (strncasecmp(name, "_xlnm.", 6) == 0)
		name += 6;
	return strncasecmp(name, "auto_", 5) == 0;
}

static bool
is_set(const char *flag)
{
	return strcmp(flag, "1") == 0 || strcasecmp(flag, "true") == 0 ||
	    strcasecmp(flag, "on") == 0;
}

void
sheet_name(struct ooxml *x, xmlNode *n)
{
	const char *name = clean_property(n, "name");
	enum formula f = formula_judge(x, clean_content(n));

	if (is_auto(name) || is_set(clean_property(n, "function")) ||
	    is_set(clean_property(n, "vbProcedure")) ||
	    is_set(clean_property(n, "xlm")) ||
	    is_set(clean_property(n, "macro")))
		ooxml_removed(x, REMOVED_MACRO, bytes_of(name));
	else if (f == FORMULA_GOOD)
		return;
	else
		tell(x, f, clean_content(n));
	forget_name(x, name);
	clean_doom(n);
}

static bool
is_there(const struct ooxml *x, const xmlNode *sheet)
{
	const struct rel *r = clean_reference(x, sheet);

	return r != NULL && r->kept;
}

/* A number among sheets, after those that are gone. */
static void
renumber(xmlNode *n, const char *name, const ssize_t *places, size_t sheets)
{
	char text[BYTES_DECIMAL_MAX + 1] = "";
	const char *value = clean_property(n, name);
	uint64_t i;

	if (value[0] == '\0')
		return;
	if (bytes_number(bytes_of(value), sheets, &i) < 0 || i >= sheets ||
	    places[i] < 0) {
		xmlUnsetProp(n, (const xmlChar *)name);
		return;
	}
	text[bytes_decimal((uint8_t *)text, (uint64_t)places[i], 1)] = '\0';
	xmlSetProp(n, (const xmlChar *)name, (const xmlChar *)text);
}

static void
renumber_names(xmlNode *names, const ssize_t *places, size_t sheets)
{
	xmlNode *n = names->children, *next;
	bool was_local;

	for (; n != NULL; n = next) {
		next = n->next;
		if (!clean_is(n, "definedName"))
			continue;
		was_local = clean_property(n, "localSheetId")[0] != '\0';
		renumber(n, "localSheetId", places, sheets);
		if (was_local && clean_property(n, "localSheetId")[0] == '\0')
			xml_drop(n);
	}
}

static void
renumber_all(xmlNode *workbook, const ssize_t *places, size_t sheets)
{
	for (xmlNode *n = workbook->children; n != NULL; n = n->next) {
		if (clean_is(n, "definedNames"))
			renumber_names(n, places, sheets);
		for (xmlNode *c = n->children;
		     clean_is(n, "bookViews") && c != NULL; c = c->next)
			if (c->type == XML_ELEMENT_NODE) {
				renumber(c, "activeTab", places, sheets);
				renumber(c, "firstSheet", places, sheets);
			}
	}
}

/* Excel opens no workbook that shows nothing. */
static void
show_one(xmlNode *sheets)
{
	xmlNode *first = NULL;

	for (xmlNode *n = sheets->children; n != NULL; n = n->next) {
		const char *state;

		if (!clean_is(n, "sheet"))
			continue;
		state = clean_property(n, "state");
		if (state[0] == '\0' || strcmp(state, "visible") == 0)
			return;
		if (first == NULL)
			first = n;
	}
	if (first != NULL)
		xmlUnsetProp(first, (const xmlChar *)"state");
}

void
sheet_sheets(struct ooxml *x, xmlNode *n)
{
	xmlNode *next;
	ssize_t *places;
	size_t sheets = 0, kept = 0;

	places = ARENA_ARRAY(&x->d->arena, ssize_t, SHEETS_MAX);
	for (xmlNode *c = n->children; c != NULL; c = next) {
		next = c->next;
		if (!clean_is(c, "sheet"))
			continue;
		if (sheets == SHEETS_MAX) {
			detox_refuse(x->d, REFUSED_ENTRIES,
			    "more than %d sheets", SHEETS_MAX);
			return;
		}
		if (is_there(x, c)) {
			places[sheets++] = (ssize_t)kept++;
			continue;
		}
		places[sheets++] = -1;
		forget_name(x, clean_property(c, "name"));
		xml_drop(c);
	}
	if (kept == 0)
		detox_refuse(x->d, REFUSED_BROKEN, "no sheet is left");
	if (kept == sheets)
		return;
	show_one(n);
	if (n->parent != NULL)
		renumber_all(n->parent, places, sheets);
}
