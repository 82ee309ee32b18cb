/* SPDX-License-Identifier: Apache-2.0 */
/* rules: elements that do not simply stay. What has no row stays, and goes when
 * a reference in it leads nowhere. */
#include "filters/ooxml/inside.h"

#define UNTOLD OOXML_UNTOLD
#define WORD SPACE_WORD
#define SHEET SPACE_SHEET
#define SLIDES SPACE_SLIDES
#define DRAW SPACE_DRAW
#define VML SPACE_VML
#define MC SPACE_MC

#define ROW(space, name, always, lost, what)                        \
	{                                                           \
		space, FATE_##always, FATE_##lost, what, name, NULL \
	}
#define GONE(space, name, what)                               \
	{                                                     \
		space, FATE_DROP, FATE_DROP, what, name, NULL \
	}
#define LIST(space, name)                                       \
	{                                                       \
		space, FATE_LIST, FATE_DROP, UNTOLD, name, NULL \
	}
#define UP(space, name, up, what)                       \
	{                                               \
		space, FATE_UP, FATE_UP, what, name, up \
	}
#define FORMULA(space, name, up)                                          \
	{                                                                 \
		space, FATE_FORMULA, FATE_DROP, REMOVED_FORMULA, name, up \
	}

#define FRAME "graphicFrame|drawing"

static const struct element_rule rules[] = {
	/* Word */
	ROW(WORD, "hyperlink", STAY, ATTRIBUTE, REMOVED_LINK),
	ROW(WORD, "object", OBJECT, DROP, REMOVED_OBJECT),
	GONE(WORD, "altChunk", REMOVED_FILE),
	GONE(WORD, "subDoc", REMOVED_EXTERNAL),
	GONE(WORD, "attachedTemplate", REMOVED_EXTERNAL),
	GONE(WORD, "mailMerge", REMOVED_CONNECTION),
	GONE(WORD, "frameset", REMOVED_EXTERNAL),
	GONE(WORD, "attachedSchema", UNTOLD),
	GONE(WORD, "saveThroughXslt", REMOVED_EXTERNAL),
	GONE(SPACE_KNOWN, "schemaLibrary", REMOVED_EXTERNAL),
	GONE(WORD, "docVars", REMOVED_CUSTOM),
	GONE(WORD, "dataBinding", UNTOLD),
	GONE(WORD, "entryMacro", REMOVED_MACRO),
	GONE(WORD, "exitMacro", REMOVED_MACRO),
	GONE(WORD, "control", REMOVED_ACTIVEX),
	GONE(WORD, "movie", REMOVED_MEDIA),
	GONE(WORD, "objectEmbed", REMOVED_OBJECT),
	GONE(WORD, "objectLink", REMOVED_OBJECT),
	GONE(WORD, "printerSettings", UNTOLD),
	GONE(WORD, "fldData", REMOVED_CUSTOM),
	GONE(WORD, "webVideoPr", REMOVED_MEDIA),
	/* Excel */
	ROW(SHEET, "pageSetup", STAY, ATTRIBUTE, UNTOLD),
	ROW(SHEET, "worksheetSource", CELLS, ATTRIBUTE, UNTOLD),
	ROW(SHEET, "rangeSet", CELLS, DROP, UNTOLD),
	ROW(SHEET, "dataRef", CELLS, DROP, UNTOLD),
	ROW(SHEET, "sheets", SHEETS, DROP, UNTOLD),
	ROW(SHEET, "definedName", NAME, DROP, REMOVED_FORMULA),
	ROW(SHEET, "cacheSource", CACHE, DROP, UNTOLD),
	ROW(SHEET, "cfvo", VALUE, DROP, UNTOLD),
	FORMULA(SHEET, "f", "cfRule|dataValidation|sparkline|ext"),
	FORMULA(SHEET, "formula", "cfRule"),
	FORMULA(SHEET, "formula1", "dataValidation"),
	FORMULA(SHEET, "formula2", "dataValidation"),
	FORMULA(SHEET, "calculatedColumnFormula", NULL),
	FORMULA(SHEET, "totalsRowFormula", NULL),
	GONE(SHEET, "oleObjects", REMOVED_OBJECT),
	GONE(SHEET, "controls", REMOVED_ACTIVEX),
	GONE(SHEET, "externalReferences", UNTOLD),
	GONE(SHEET, "webPublishItems", REMOVED_EXTERNAL),
	GONE(SHEET, "webPublishing", UNTOLD),
	GONE(SHEET, "dataModel", REMOVED_CONNECTION),
	GONE(SHEET, "connection", REMOVED_CONNECTION),
	GONE(SHEET, "modelTables", REMOVED_CONNECTION),
	GONE(SHEET, "xmlColumnPr", UNTOLD),
	GONE(SHEET, "absPath", REMOVED_METADATA),
	LIST(SHEET, "hyperlinks"),
	LIST(SHEET, "tableParts"),
	LIST(SHEET, "pivotCaches"),
	LIST(SHEET, "customProperties"),
	LIST(SHEET, "dataRefs"),
	LIST(SHEET, "dataValidations"),
	LIST(SHEET, "conditionalFormatting"),
	LIST(SHEET, "conditionalFormattings"),
	LIST(SHEET, "definedNames"),
	LIST(SHEET, "sparklines"),
	LIST(SHEET, "sparklineGroup"),
	LIST(SHEET, "sparklineGroups"),
	LIST(SHEET, "slicerList"),
	LIST(SHEET, "ext"),
	LIST(SHEET, "extLst"),
	/* PowerPoint */
	ROW(SLIDES, "oleObj", OLE, OLE, REMOVED_OBJECT),
	ROW(SLIDES, "graphicFrame", FRAME, DROP, UNTOLD),
	GONE(SLIDES, "controls", REMOVED_ACTIVEX),
	GONE(SLIDES, "custDataLst", REMOVED_CUSTOM),
	GONE(SLIDES, "htmlPubPr", REMOVED_EXTERNAL),
	GONE(SLIDES, "sndAc", REMOVED_MEDIA),
	UP(SLIDES, "audio", "timing", REMOVED_MEDIA),
	UP(SLIDES, "video", "timing", REMOVED_MEDIA),
	UP(SLIDES, "cmd", "timing", REMOVED_ACTION),
	UP(SLIDES, "sndTgt", "timing", REMOVED_MEDIA),
	LIST(SLIDES, "embeddedFontLst"),
	LIST(SLIDES, "ext"),
	LIST(SLIDES, "extLst"),
	/* drawings */
	ROW(DRAW, "hlinkClick", ACTION, DROP, REMOVED_ACTION),
	ROW(DRAW, "hlinkHover", ACTION, DROP, REMOVED_ACTION),
	ROW(DRAW, "hlinkMouseOver", ACTION, DROP, REMOVED_ACTION),
	ROW(DRAW, "blip", STAY, ATTRIBUTE, UNTOLD),
	ROW(DRAW, "f", SOURCE, DROP, REMOVED_EXTERNAL),
	ROW(DRAW, "nf", SOURCE, DROP, REMOVED_EXTERNAL),
	ROW(DRAW, "sqref", SOURCE, DROP, REMOVED_EXTERNAL),
	{ DRAW, FATE_STAY, FATE_UP, UNTOLD, "chart", FRAME },
	{ DRAW, FATE_STAY, FATE_UP, UNTOLD, "relIds", FRAME },
	GONE(DRAW, "webVideoPr", REMOVED_MEDIA),
	LIST(DRAW, "imgProps"),
	LIST(DRAW, "ext"),
	LIST(DRAW, "extLst"),
	/* VML */
	ROW(VML, "OLEObject", OLE, DROP, REMOVED_OBJECT),
	ROW(VML, "ClientData", CLIENT, DROP, REMOVED_ACTIVEX),
	ROW(VML, "fill", STAY, ATTRIBUTE, UNTOLD),
	ROW(VML, "stroke", STAY, ATTRIBUTE, UNTOLD),
	GONE(VML, "FmlaMacro", REMOVED_MACRO),
	GONE(VML, "FmlaPict", REMOVED_FORMULA),
	GONE(VML, "ScriptText", REMOVED_SCRIPT),
	GONE(VML, "ScriptExtended", REMOVED_SCRIPT),
	GONE(VML, "ScriptLanguage", REMOVED_SCRIPT),
	GONE(VML, "ScriptLocation", REMOVED_SCRIPT),
	GONE(VML, "DDE", REMOVED_OBJECT),
	/* markup compatibility */
	ROW(MC, "Choice", CHOICE, DROP, UNTOLD),
};

#define SLOTS 256

_Static_assert(COUNT(rules) < 256, "a row's place is one byte");

/* A row of each slot, plus one, and what follows it; 0: none. */
static uint8_t heads[SLOTS];
static uint8_t nexts[COUNT(rules) + 1];
static bool prepared;

static size_t
slot_of(const char *name)
{
	size_t n = strlen(name);

	return ((uint8_t)name[0] * 31u + (uint8_t)name[n - (n > 0)] * 7u + n) %
	    SLOTS;
}

void
rules_prepare(void)
{
	memset(heads, 0, sizeof(heads));
	for (size_t i = COUNT(rules); i > 0; i--) {
		size_t slot = slot_of(rules[i - 1].name);

		nexts[i] = heads[slot];
		heads[slot] = (uint8_t)i;
	}
	prepared = true;
}

const struct element_rule *
element_rule_of(enum space space, const xmlChar *name)
{
	/* Without its slots all would stay. */
	must(prepared);
	for (uint8_t i = heads[slot_of((const char *)name)]; i != 0;
	     i = nexts[i])
		if (rules[i - 1].space == space &&
		    strcmp(rules[i - 1].name, (const char *)name) == 0)
			return &rules[i - 1];
	return NULL;
}
