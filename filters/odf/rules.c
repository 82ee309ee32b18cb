/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: which elements and attributes stay out. Names are those of OASIS
 * OpenDocument 1.3 part 3, where nothing else is said.
 */
#include <ctype.h>

#include "filters/odf/inside.h"

static const char *
value_of(const xmlAttr *a)
{
	return a->children == NULL || a->children->content == NULL
	    ? ""
	    : (const char *)a->children->content;
}

/* NULL: it has none. */
static const char *
find(const xmlNode *n, enum odf_space space, const char *name)
{
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, name) == 0 &&
		    odf_space_of(a->ns) == space)
			return value_of(a);
	return NULL;
}

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

/* When a rule is meant; each says whether the element goes. */

static bool
has_elements(const struct odf_walk *w, const xmlNode *n)
{
	(void)w;
	return n->children != NULL;
}

/* LibreOffice writes the frame of libraries where there are none. */
static bool
holds_code(const struct odf_walk *w, const xmlNode *parent)
{
	static const char *const frame[] = { "script", "libraries",
		"event-listeners" };

	for (const xmlNode *n = parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE
			? !is_one_of(
			      (const char *)n->name, frame, COUNT(frame)) ||
			    holds_code(w, n)
			: n->content != NULL &&
			    n->content[strspn(
				(const char *)n->content, " \t\r\n")] != '\0')
			return true;
	return false;
}

static bool
has_bad_link(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	return address != NULL && !detox_link_stays(w->o->d, bytes_of(address));
}

/* Within the document a section may show another one. */
static bool
has_address(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	(void)w;
	return address != NULL && address[0] != '\0' && address[0] != '#';
}

/* Without an address the picture stands in the element itself. */
static bool
shows_nothing(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	if (w->o->d->profile->to_text)
		return true;
	return address != NULL && odf_picture(w, address) == NULL;
}

static bool
shows_the_outside(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	return address != NULL && odf_is_outside(address) &&
	    shows_nothing(w, n);
}

static bool
embeds_nothing(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	/* Without an address it holds the document itself. */
	return address != NULL && !odf_object_stays(w, address);
}

static bool
embeds_the_outside(const struct odf_walk *w, const xmlNode *n)
{
	const char *address = find(n, SPACE_XLINK, "href");

	(void)w;
	return address != NULL && odf_is_outside(address);
}

/* What a click on a slide may do. */
static bool
does_more_than_turn(const struct odf_walk *w, const xmlNode *n)
{
	static const char *const harmless[] = { "none", "previous-page",
		"next-page", "first-page", "last-page", "hide", "stop",
		"fade-out" };
	const char *action = find(n, SPACE_PRESENTATION, "action");

	if (action == NULL)
		return true;
	if (strcmp(action, "show") == 0)
		return has_bad_link(w, n);
	return !is_one_of(action, harmless, COUNT(harmless));
}

/* A table that keeps what a formula took from another file. */
static bool
is_cache(const struct odf_walk *w, const xmlNode *n)
{
	const char *name = find(n, SPACE_TABLE, "name");

	(void)w;
	return name != NULL && name[0] == '\'' && strstr(name, "'#") != NULL;
}

static bool
has_bad_formula(const struct odf_walk *w, const xmlNode *n)
{
	const char *formula = find(n, SPACE_TABLE, "expression");

	return formula != NULL &&
	    !odf_formula_stays(w->o->d, bytes_of(formula));
}

/* A property of the program's own, whatever its name: where a button leads to,
 * where its picture is, what makes a control. */
static bool
sets_text(const struct odf_walk *w, const xmlNode *n)
{
	(void)w;
	return find(n, SPACE_OFFICE, "string-value") != NULL;
}

static bool
sets_address(const struct odf_walk *w, const xmlNode *n)
{
	const char *name = find(n, SPACE_FORM, "property-name");
	const char *value = find(n, SPACE_OFFICE, "string-value");

	(void)w;
	return value != NULL && value[0] != '\0' && name != NULL &&
	    strcasestr(name, "url") != NULL;
}

/* Fields of Word that LibreOffice keeps to write them again. */
static bool
runs_a_command(const struct odf_walk *w, const xmlNode *n)
{
	static const char *const commands[] = { "dde", "link", "includetext",
		"includepicture", "import", "database", "macrobutton",
		"hyperlink", "javascript:", "file:", "\\\\" };
	const char *value = find(n, SPACE_FIELD, "value");

	(void)w;
	for (size_t i = 0; value != NULL && i < COUNT(commands); i++)
		if (strcasestr(value, commands[i]) != NULL)
			return true;
	return false;
}

static bool
tells_of_people(const struct odf_walk *w, const xmlNode *n)
{
	static const char *const plain[] = { "creation-date", "date-string",
		"document-statistic", "editing-cycles", "editing-duration",
		"generator", "initial-creator", "keyword", "print-date",
		"printed-by", "user-defined" };

	/* LibreOffice lays out by what wrote the document. */
	if (strcmp((const char *)n->name, "generator") == 0)
		return false;
	return !w->o->d->profile->keep_metadata ||
	    !is_one_of((const char *)n->name, plain, COUNT(plain));
}

static bool
is_of_metadata(const struct odf_walk *w, const xmlNode *n)
{
	return !w->o->d->profile->keep_metadata && n->parent != NULL &&
	    strcmp((const char *)n->parent->name, "meta") == 0 &&
	    odf_space_of(n->parent->ns) == SPACE_OFFICE;
}

/* Fields that show what metadata says: without it they would show nothing. */
static bool
shows_metadata(const struct odf_walk *w, const xmlNode *n)
{
	static const char *const fields[] = { "creation-date", "creation-time",
		"creator", "description", "editing-cycles", "editing-duration",
		"initial-creator", "keywords", "modification-date",
		"modification-time", "print-date", "print-time", "printed-by",
		"subject", "title", "user-defined" };

	return !w->o->d->profile->keep_metadata &&
	    is_one_of((const char *)n->name, fields, COUNT(fields));
}

/* Of SVG the rest is no part of OpenDocument. */
static bool
is_other_svg(const struct odf_walk *w, const xmlNode *n)
{
	static const char *const known[] = { "desc", "linearGradient",
		"radialGradient", "stop", "title" };

	(void)w;
	return !is_one_of((const char *)n->name, known, COUNT(known));
}

static bool
is_bad_setting(const struct odf_walk *w, const xmlNode *n)
{
	return !odf_setting_stays(w, n);
}

enum {
	QUIETLY = -1
};

/* The first that fits. name NULL: all of that namespace. */
static const struct rule {
	enum odf_space space;
	const char *name;
	enum odf_act act;
	int what; /* enum detox_removal, or QUIETLY */
	bool (*when)(const struct odf_walk *w, const xmlNode *n);
} rules[] = {
	{ SPACE_UNKNOWN, NULL, ODF_DROP, REMOVED_UNKNOWN, NULL },
	{ SPACE_RDFA, NULL, ODF_UNWRAP, QUIETLY, NULL },
	{ SPACE_SCRIPT, NULL, ODF_DROP, REMOVED_SCRIPT, NULL },
	{ SPACE_XFORMS, NULL, ODF_DROP, REMOVED_FORM, NULL },
	{ SPACE_ANIM, "audio", ODF_DROP, REMOVED_MEDIA, NULL },
	{ SPACE_ANIM, "command", ODF_DROP, REMOVED_ACTION, NULL },
	{ SPACE_CALCEXT, "data-mapping", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_CALCEXT, "data-mappings", ODF_DROP, REMOVED_CONNECTION,
	    has_elements },
	{ SPACE_CONFIG, "config-item", ODF_DROP, QUIETLY, is_bad_setting },
	{ SPACE_DC, NULL, ODF_DROP, REMOVED_METADATA, is_of_metadata },
	{ SPACE_DRAW, "a", ODF_UNWRAP, REMOVED_LINK, has_bad_link },
	{ SPACE_DRAW, "applet", ODF_DROP, REMOVED_SCRIPT, NULL },
	{ SPACE_DRAW, "area-circle", ODF_DROP, REMOVED_LINK, has_bad_link },
	{ SPACE_DRAW, "area-polygon", ODF_DROP, REMOVED_LINK, has_bad_link },
	{ SPACE_DRAW, "area-rectangle", ODF_DROP, REMOVED_LINK, has_bad_link },
	{ SPACE_DRAW, "fill-image", ODF_DROP, REMOVED_EXTERNAL,
	    shows_the_outside },
	{ SPACE_DRAW, "fill-image", ODF_DROP, QUIETLY, shows_nothing },
	{ SPACE_DRAW, "floating-frame", ODF_DROP, REMOVED_EXTERNAL, NULL },
	{ SPACE_DRAW, "image", ODF_DROP, REMOVED_EXTERNAL, shows_the_outside },
	{ SPACE_DRAW, "image", ODF_DROP, QUIETLY, shows_nothing },
	{ SPACE_DRAW, "object", ODF_DROP, REMOVED_EXTERNAL,
	    embeds_the_outside },
	{ SPACE_DRAW, "object", ODF_DROP, REMOVED_OBJECT, embeds_nothing },
	{ SPACE_DRAW, "object-ole", ODF_DROP, REMOVED_OBJECT, NULL },
	{ SPACE_DRAW, "plugin", ODF_DROP, REMOVED_MEDIA, NULL },
	{ SPACE_FIELD, "param", ODF_DROP, REMOVED_FIELD, runs_a_command },
	{ SPACE_FORM, "connection-resource", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_FORM, "list-property", ODF_DROP, QUIETLY, NULL },
	{ SPACE_FORM, "property", ODF_DROP, REMOVED_FORM, sets_address },
	{ SPACE_FORM, "property", ODF_DROP, QUIETLY, sets_text },
	{ SPACE_META, NULL, ODF_DROP, REMOVED_METADATA, tells_of_people },
	{ SPACE_OFFICE, "binary-data", ODF_INLINE, QUIETLY, NULL },
	{ SPACE_OFFICE, "dde-source", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_OFFICE, "script", ODF_DROP, REMOVED_SCRIPT, NULL },
	{ SPACE_OFFICE, "scripts", ODF_DROP, REMOVED_MACRO, holds_code },
	{ SPACE_OFFICE, "scripts", ODF_DROP, QUIETLY, has_elements },
	{ SPACE_PRESENTATION, "event-listener", ODF_DROP, REMOVED_ACTION,
	    does_more_than_turn },
	{ SPACE_PRESENTATION, "sound", ODF_DROP, REMOVED_MEDIA, NULL },
	{ SPACE_STYLE, "background-image", ODF_DROP, REMOVED_EXTERNAL,
	    shows_the_outside },
	{ SPACE_SVG, "definition-src", ODF_DROP, REMOVED_EXTERNAL, NULL },
	{ SPACE_SVG, "font-face-src", ODF_DROP, REMOVED_FONT, NULL },
	{ SPACE_SVG, "font-face-uri", ODF_DROP, REMOVED_FONT, NULL },
	{ SPACE_SVG, NULL, ODF_DROP, REMOVED_UNKNOWN, is_other_svg },
	{ SPACE_TABLE, "cell-range-source", ODF_DROP, REMOVED_EXTERNAL, NULL },
	{ SPACE_TABLE, "database-source-query", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TABLE, "database-source-sql", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TABLE, "database-source-table", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TABLE, "dde-link", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_TABLE, "dde-links", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_TABLE, "error-macro", ODF_DROP, REMOVED_MACRO, NULL },
	{ SPACE_TABLE, "named-expression", ODF_DROP, REMOVED_FORMULA,
	    has_bad_formula },
	{ SPACE_TABLE, "source-service", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_TABLE, "table", ODF_DROP, REMOVED_EXTERNAL, is_cache },
	{ SPACE_TABLE, "table-source", ODF_DROP, REMOVED_EXTERNAL, NULL },
	{ SPACE_TEXT, "a", ODF_UNWRAP, REMOVED_LINK, has_bad_link },
	{ SPACE_TEXT, "alphabetical-index-auto-mark-file", ODF_DROP,
	    REMOVED_EXTERNAL, NULL },
	{ SPACE_TEXT, "database-display", ODF_UNWRAP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TEXT, "database-name", ODF_UNWRAP, REMOVED_CONNECTION, NULL },
	{ SPACE_TEXT, "database-next", ODF_DROP, REMOVED_CONNECTION, NULL },
	{ SPACE_TEXT, "database-row-number", ODF_UNWRAP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TEXT, "database-row-select", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TEXT, "dde-connection", ODF_UNWRAP, REMOVED_CONNECTION, NULL },
	{ SPACE_TEXT, "dde-connection-decl", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TEXT, "dde-connection-decls", ODF_DROP, REMOVED_CONNECTION,
	    NULL },
	{ SPACE_TEXT, "execute-macro", ODF_UNWRAP, REMOVED_MACRO, NULL },
	{ SPACE_TEXT, "script", ODF_DROP, REMOVED_SCRIPT, NULL },
	{ SPACE_TEXT, "section-source", ODF_DROP, REMOVED_EXTERNAL,
	    has_address },
	{ SPACE_TEXT, NULL, ODF_UNWRAP, QUIETLY, shows_metadata },
};

enum odf_act
odf_judge(const struct odf_walk *w, const xmlNode *n)
{
	enum odf_space space = odf_space_of(n->ns);

	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct rule *r = &rules[i];

		if (r->space != space ||
		    (r->name != NULL &&
			strcmp((const char *)n->name, r->name) != 0) ||
		    (r->when != NULL && !r->when(w, n)))
			continue;
		if (r->what != QUIETLY)
			odf_removed(w, (enum detox_removal)r->what);
		return r->act;
	}
	return ODF_KEEP;
}

/* Attributes; each says whether it stays. */

static bool
formula_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	(void)n;
	return odf_formula_stays(w->o->d, bytes_of(value));
}

/* An element that stayed by its own rule names a picture or a document that is
 * kept; others may name a place in this one, and a chart what it is in. */
static bool
reference_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	static const struct {
		enum odf_space space;
		const char *name;
	} judged[] = {
		{ SPACE_DRAW, "a" },
		{ SPACE_DRAW, "area-circle" },
		{ SPACE_DRAW, "area-polygon" },
		{ SPACE_DRAW, "area-rectangle" },
		{ SPACE_DRAW, "fill-image" },
		{ SPACE_DRAW, "image" },
		{ SPACE_DRAW, "object" },
		{ SPACE_PRESENTATION, "event-listener" },
		{ SPACE_TEXT, "a" },
	};
	enum odf_space space = odf_space_of(n->ns);

	for (size_t i = 0; i < COUNT(judged); i++)
		if (judged[i].space == space &&
		    strcmp((const char *)n->name, judged[i].name) == 0)
			return true;
	if (value[0] == '#' || value[0] == '\0')
		return true;
	if (space == SPACE_CHART)
		return strcmp(value, "..") == 0 || strcmp(value, ".") == 0 ||
		    odf_picture(w, value) != NULL;
	if (space == SPACE_FORM)
		return false;
	return odf_picture(w, value) != NULL;
}

static bool
link_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	(void)n;
	return detox_link_stays(w->o->d, bytes_of(value));
}

/* What makes a form's control: one of the program's own. */
static bool
control_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	const char *name = strchr(value, ':');

	(void)w;
	(void)n;
	name = name == NULL ? value : name + 1;
	return strncmp(name, "com.sun.star.form.component.",
		   strlen("com.sun.star.form.component.")) == 0;
}

static bool
button_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	(void)w;
	(void)n;
	return strcmp(value, "push") == 0 || strcmp(value, "reset") == 0;
}

/* What draws a shape: the program's own, or none, of what came from SVG. */
static bool
engine_stays(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	(void)w;
	(void)n;
	return strcmp(value, "svg:text") == 0 ||
	    strcmp(value, "com.sun.star.drawing.EnhancedCustomShapeEngine") ==
	    0;
}

static bool
never(const struct odf_walk *w, const xmlNode *n, const char *value)
{
	(void)w;
	(void)n;
	(void)value;
	return false;
}

static const struct attribute_rule {
	enum odf_space space;
	int what;
	const char *name;
	bool (*stays)(
	    const struct odf_walk *w, const xmlNode *n, const char *value);
} attribute_rules[] = {
	{ SPACE_XLINK, REMOVED_EXTERNAL, "href", reference_stays },
	{ SPACE_XML, REMOVED_EXTERNAL, "base", never },
	{ SPACE_RDFA, QUIETLY, NULL, never },
	{ SPACE_SCRIPT, REMOVED_SCRIPT, NULL, never },
	{ SPACE_XFORMS, REMOVED_FORM, NULL, never },
	{ SPACE_TABLE, REMOVED_FORMULA, "formula", formula_stays },
	{ SPACE_TABLE, REMOVED_FORMULA, "condition", formula_stays },
	{ SPACE_TABLE, REMOVED_FORMULA, "expression", formula_stays },
	{ SPACE_TEXT, REMOVED_FORMULA, "formula", formula_stays },
	{ SPACE_TEXT, REMOVED_FORMULA, "condition", formula_stays },
	{ SPACE_STYLE, REMOVED_FORMULA, "condition", formula_stays },
	{ SPACE_CALCEXT, REMOVED_FORMULA, "value", formula_stays },
	{ SPACE_CALCEXT, REMOVED_FORMULA, "condition", formula_stays },
	{ SPACE_CALCEXT, REMOVED_FORMULA, "expression", formula_stays },
	{ SPACE_TABLE, REMOVED_MACRO, "macro-name", never },
	{ SPACE_TEXT, REMOVED_LINK, "url", link_stays },
	{ SPACE_TEXT, REMOVED_LINK, "local-url", link_stays },
	{ SPACE_TEXT, REMOVED_LINK, "target-url", link_stays },
	{ SPACE_EXTENSION, REMOVED_LINK, "url", link_stays },
	{ SPACE_EXTENSION, REMOVED_LINK, "local-url", link_stays },
	{ SPACE_EXTENSION, REMOVED_LINK, "target-url", link_stays },
	{ SPACE_DRAW, REMOVED_SCRIPT, "engine", engine_stays },
	{ SPACE_FORM, REMOVED_FORM, "button-type", button_stays },
	{ SPACE_FORM, REMOVED_CONNECTION, "command", never },
	{ SPACE_FORM, QUIETLY, "command-type", never },
	{ SPACE_FORM, REMOVED_ACTIVEX, "control-implementation",
	    control_stays },
	{ SPACE_FORM, REMOVED_CONNECTION, "datasource", never },
	{ SPACE_FORM, REMOVED_EXTERNAL, "image-data", never },
	{ SPACE_FORM, REMOVED_CONNECTION, "list-source", never },
	{ SPACE_FORM, QUIETLY, "list-source-type", never },
	{ SPACE_FORM, QUIETLY, "method", never },
	{ SPACE_FORM, QUIETLY, "enctype", never },
};

/* Of MathML, whose attributes are in no namespace. */
static bool
math_stays(const xmlNode *n, const char *name)
{
	static const char *const dropped[] = { "href", "src", "altimg",
		"actiontype", "definitionURL", "style" };

	return odf_space_of(n->ns) == SPACE_MATH &&
	    strncasecmp(name, "on", 2) != 0 &&
	    !is_one_of(name, dropped, COUNT(dropped));
}

/* A range of cells is often in another file: 'file:///a.ods'#$Sheet1.A1. */
static bool
names_other_file(enum odf_space space, const char *value)
{
	return (space == SPACE_TABLE || space == SPACE_FORM ||
		   space == SPACE_CALCEXT || space == SPACE_CHART ||
		   space == SPACE_DRAW || space == SPACE_EXTENSION) &&
	    (strstr(value, "'#") != NULL || strstr(value, "file:") != NULL);
}

bool
odf_attribute_stays(
    const struct odf_walk *w, const xmlNode *n, const xmlAttr *a)
{
	enum odf_space space = odf_space_of(a->ns);
	const char *name = (const char *)a->name;

	/* value_of reads one text; a value is nothing else without entities. */
	if (a->children != NULL &&
	    (a->children->type != XML_TEXT_NODE || a->children->next != NULL))
		return false;
	if (a->ns == NULL)
		return math_stays(n, name);
	if (space == SPACE_UNKNOWN)
		return false;
	for (size_t i = 0; i < COUNT(attribute_rules); i++) {
		const struct attribute_rule *r = &attribute_rules[i];

		if (r->space != space ||
		    (r->name != NULL && strcmp(name, r->name) != 0))
			continue;
		if (r->stays(w, n, value_of(a)))
			return true;
		if (r->what != QUIETLY)
			odf_removed(w, (enum detox_removal)r->what);
		return false;
	}
	if (!names_other_file(space, value_of(a)))
		return true;
	odf_removed(w, REMOVED_EXTERNAL);
	return false;
}
