/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: numbers and yes or no say how a document looks, and stay but for
 * some; of texts only those stay that are known, for others name printers,
 * databases, libraries and addresses.
 */
#include "filters/odf/inside.h"

static const char *const texts[] = { "ViewId", "ActiveTable", "SelectedPage",
	"Language", "Country", "Variant", "BeginLine", "EndLine", "PageKind",
	"VisibleLayers", "PrintableLayers", "LockedLayers", "SnapLinesDrawing",
	"CharacterCompressionType", "BaseFontName" };

static const char *const dropped[] = { "LinkUpdateMode", "AutoReload",
	"UpdateFromTemplate", "MacroSecurityLevel", "LoadReadonly",
	"FormsDesignMode", "ApplyFormDesignMode", "OpenInDesignMode",
	"AutomaticControlFocus" };

static const char *const plain_types[] = { "boolean", "short", "int", "long",
	"double" };

static bool
is_one_of(const xmlChar *word, const char *const *list, size_t n)
{
	for (size_t i = 0; word != NULL && i < n; i++)
		if (strcmp((const char *)word, list[i]) == 0)
			return true;
	return false;
}

static const xmlChar *
value_of(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, name) == 0 &&
		    odf_space_of(a->ns) == SPACE_CONFIG && a->children != NULL)
			return a->children->content;
	return NULL;
}

bool
odf_setting_stays(const struct odf_walk *w, const xmlNode *item)
{
	const xmlChar *name = value_of(item, "name");
	const xmlChar *type = value_of(item, "type");

	if (name != NULL && strncmp((const char *)name, "Printer", 7) == 0) {
		if (item->children != NULL)
			odf_removed(w, REMOVED_PRINTER);
		return false;
	}
	if (is_one_of(name, dropped, COUNT(dropped)))
		return false;
	return is_one_of(type, plain_types, COUNT(plain_types)) ||
	    is_one_of(name, texts, COUNT(texts));
}
