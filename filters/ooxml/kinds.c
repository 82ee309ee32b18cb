/* SPDX-License-Identifier: Apache-2.0 */
/* kinds: what each relationship leads to, and what becomes of it. A type that
 * has no row is dropped. */
#include <ctype.h>

#include "filters/ooxml/inside.h"

#define OFFICE \
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define STRICT "http://purl.oclc.org/ooxml/officeDocument/relationships/"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/relationships/"
#define MS "http://schemas.microsoft.com/"

#define W "application/vnd.openxmlformats-officedocument.wordprocessingml."
#define X "application/vnd.openxmlformats-officedocument.spreadsheetml."
#define P "application/vnd.openxmlformats-officedocument.presentationml."
#define D "application/vnd.openxmlformats-officedocument.drawingml."
#define O "application/vnd.openxmlformats-officedocument."
#define M "application/vnd.ms-"

#define KEEP(family, type, apps, content_type)                  \
	{                                                       \
		family, type, apps, TREAT_XML, REMOVED_DAMAGED, \
		    content_type "+xml"                         \
	}
#define LEAF(family, type, treatment, what)                  \
	{                                                    \
		family, type, APP_ANY, treatment, what, NULL \
	}
#define DROP(family, type, what)                              \
	{                                                     \
		family, type, APP_ANY, TREAT_DROP, what, NULL \
	}

static const struct rel_kind rel_kinds[] = {
	LEAF(OFFICE, "hyperlink", TREAT_LINK, REMOVED_LINK),
	LEAF(OFFICE, "image", TREAT_IMAGE, REMOVED_REFUSED),
	KEEP(OFFICE, "styles", APP_WORD, W "styles"),
	KEEP(OFFICE, "styles", APP_SHEET, X "styles"),
	KEEP(OFFICE, "theme", APP_ANY, O "theme"),
	KEEP(OFFICE, "themeOverride", APP_ANY, O "themeOverride"),
	KEEP(OFFICE, "settings", APP_WORD, W "settings"),
	KEEP(OFFICE, "webSettings", APP_WORD, W "webSettings"),
	KEEP(OFFICE, "fontTable", APP_WORD, W "fontTable"),
	KEEP(OFFICE, "numbering", APP_WORD, W "numbering"),
	KEEP(OFFICE, "header", APP_WORD, W "header"),
	KEEP(OFFICE, "footer", APP_WORD, W "footer"),
	KEEP(OFFICE, "footnotes", APP_WORD, W "footnotes"),
	KEEP(OFFICE, "endnotes", APP_WORD, W "endnotes"),
	KEEP(OFFICE, "comments", APP_WORD, W "comments"),
	KEEP(OFFICE, "glossaryDocument", APP_WORD, W "document.glossary"),
	KEEP(OFFICE, "worksheet", APP_SHEET, X "worksheet"),
	KEEP(OFFICE, "chartsheet", APP_SHEET, X "chartsheet"),
	KEEP(OFFICE, "sharedStrings", APP_SHEET, X "sharedStrings"),
	KEEP(OFFICE, "comments", APP_SHEET, X "comments"),
	KEEP(OFFICE, "table", APP_SHEET, X "table"),
	KEEP(OFFICE, "sheetMetadata", APP_SHEET, X "sheetMetadata"),
	KEEP(OFFICE, "pivotTable", APP_SHEET, X "pivotTable"),
	KEEP(OFFICE, "pivotCacheDefinition", APP_SHEET,
	    X "pivotCacheDefinition"),
	KEEP(OFFICE, "pivotCacheRecords", APP_SHEET, X "pivotCacheRecords"),
	KEEP(OFFICE, "drawing", APP_SHEET, O "drawing"),
	{ OFFICE, "vmlDrawing", APP_ANY, TREAT_XML, REMOVED_DAMAGED,
	    O "vmlDrawing" },
	KEEP(OFFICE, "chart", APP_ANY, D "chart"),
	KEEP(OFFICE, "chartUserShapes", APP_ANY, D "chartshapes"),
	KEEP(OFFICE, "diagramData", APP_ANY, D "diagramData"),
	KEEP(OFFICE, "diagramLayout", APP_ANY, D "diagramLayout"),
	KEEP(OFFICE, "diagramQuickStyle", APP_ANY, D "diagramStyle"),
	KEEP(OFFICE, "diagramColors", APP_ANY, D "diagramColors"),
	KEEP(OFFICE, "slide", APP_SLIDES, P "slide"),
	KEEP(OFFICE, "slideLayout", APP_SLIDES, P "slideLayout"),
	KEEP(OFFICE, "slideMaster", APP_SLIDES, P "slideMaster"),
	KEEP(OFFICE, "notesSlide", APP_SLIDES, P "notesSlide"),
	KEEP(OFFICE, "notesMaster", APP_SLIDES, P "notesMaster"),
	KEEP(OFFICE, "handoutMaster", APP_SLIDES, P "handoutMaster"),
	KEEP(OFFICE, "presProps", APP_SLIDES, P "presProps"),
	KEEP(OFFICE, "viewProps", APP_SLIDES, P "viewProps"),
	KEEP(OFFICE, "tableStyles", APP_SLIDES, P "tableStyles"),
	KEEP(OFFICE, "commentAuthors", APP_SLIDES, P "commentAuthors"),
	KEEP(OFFICE, "comments", APP_SLIDES, P "comments"),
	LEAF(OFFICE, "font", TREAT_FONT, REMOVED_FONT),
	LEAF(OFFICE, "package", TREAT_OBJECT, REMOVED_OBJECT),
	/* Parts that programs added later. */
	KEEP(MS "office/2007/relationships/", "stylesWithEffects", APP_WORD,
	    M "word.stylesWithEffects"),
	KEEP(MS "office/2007/relationships/", "diagramDrawing", APP_ANY,
	    M "office.drawingml.diagramDrawing"),
	KEEP(MS "office/2007/relationships/", "slicer", APP_SHEET,
	    M "excel.slicer"),
	KEEP(MS "office/2007/relationships/", "slicerCache", APP_SHEET,
	    M "excel.slicerCache"),
	KEEP(MS "office/2011/relationships/", "timeline", APP_SHEET,
	    M "excel.timeline"),
	KEEP(MS "office/2011/relationships/", "timelineCache", APP_SHEET,
	    M "excel.timelineCache"),
	KEEP(MS "office/2011/relationships/", "chartStyle", APP_ANY,
	    M "office.chartstyle"),
	KEEP(MS "office/2011/relationships/", "chartColorStyle", APP_ANY,
	    M "office.chartcolorstyle"),
	KEEP(MS "office/2014/relationships/", "chartEx", APP_ANY,
	    M "office.chartex"),
	KEEP(MS "office/2011/relationships/", "commentsExtended", APP_WORD,
	    W "commentsExtended"),
	KEEP(MS "office/2011/relationships/", "people", APP_WORD, W "people"),
	KEEP(MS "office/2016/09/relationships/", "commentsIds", APP_WORD,
	    W "commentsIds"),
	KEEP(MS "office/2018/08/relationships/", "commentsExtensible", APP_WORD,
	    W "commentsExtensible"),
	KEEP(MS "office/2017/10/relationships/", "threadedComment", APP_SHEET,
	    M "excel.threadedcomments"),
	KEEP(MS "office/2017/10/relationships/", "person", APP_SHEET,
	    M "excel.person"),
	KEEP(MS "office/2017/06/relationships/", "rdRichValue", APP_SHEET,
	    M "excel.rdrichvalue"),
	KEEP(MS "office/2017/06/relationships/", "rdRichValueStructure",
	    APP_SHEET, M "excel.rdrichvaluestructure"),
	KEEP(MS "office/2017/06/relationships/", "rdRichValueTypes", APP_SHEET,
	    M "excel.rdrichvaluetypes"),
	KEEP(MS "office/2022/10/relationships/", "richValueRel", APP_SHEET,
	    M "excel.richvaluerel"),
	KEEP(MS "office/2018/10/relationships/", "comments", APP_SLIDES,
	    M "powerpoint.comments"),
	KEEP(MS "office/2018/10/relationships/", "authors", APP_SLIDES,
	    M "powerpoint.authors"),
	{ PACKAGE "metadata/", "core-properties", APP_ANY, TREAT_TITLE,
	    REMOVED_METADATA,
	    "application/vnd.openxmlformats-package.core-properties+xml" },
	{ OFFICE, "extended-properties", APP_ANY, TREAT_PROGRAM,
	    REMOVED_METADATA, O "extended-properties+xml" },
	/* Named so that the report says what they were. */
	DROP(OFFICE, "custom-properties", REMOVED_METADATA),
	DROP(OFFICE "metadata/", "core-properties", REMOVED_METADATA),
	DROP(OFFICE "metadata/", "thumbnail", REMOVED_PREVIEW),
	DROP(PACKAGE "metadata/", "thumbnail", REMOVED_PREVIEW),
	DROP(PACKAGE "metadata/", "extended-properties", REMOVED_METADATA),
	DROP(PACKAGE "digital-signature/", "origin", REMOVED_SIGNATURE),
	DROP(MS "office/2020/02/relationships/", "classificationlabels",
	    REMOVED_METADATA),
	DROP(MS "office/2006/relationships/", "vbaProject", REMOVED_MACRO),
	DROP(MS "office/2006/relationships/", "wordVbaData", REMOVED_MACRO),
	DROP(MS "office/2006/relationships/", "vbaProjectSignature",
	    REMOVED_MACRO),
	DROP(MS "office/2014/relationships/", "vbaProjectSignatureAgile",
	    REMOVED_MACRO),
	DROP(MS "office/2020/07/relationships/", "vbaProjectSignatureV3",
	    REMOVED_MACRO),
	DROP(MS "office/2006/relationships/", "keyMapCustomizations",
	    REMOVED_MACRO),
	DROP(
	    MS "office/2006/relationships/", "attachedToolbars", REMOVED_MACRO),
	DROP(MS "office/2006/relationships/", "xlMacrosheet", REMOVED_MACRO),
	DROP(
	    MS "office/2006/relationships/", "xlIntlMacrosheet", REMOVED_MACRO),
	DROP(OFFICE, "dialogsheet", REMOVED_MACRO),
	DROP(
	    MS "office/2006/relationships/ui/", "extensibility", REMOVED_MACRO),
	DROP(
	    MS "office/2007/relationships/ui/", "extensibility", REMOVED_MACRO),
	DROP(MS "office/2006/relationships/ui/", "userCustomization",
	    REMOVED_MACRO),
	DROP(MS "office/2006/relationships/", "activeXControlBinary",
	    REMOVED_ACTIVEX),
	DROP(OFFICE, "control", REMOVED_ACTIVEX),
	DROP(OFFICE, "ctrlProp", REMOVED_ACTIVEX),
	DROP(OFFICE, "oleObject", REMOVED_OBJECT),
	DROP(OFFICE, "aFChunk", REMOVED_FILE),
	DROP(OFFICE, "afChunk", REMOVED_FILE),
	DROP(OFFICE, "subDocument", REMOVED_EXTERNAL),
	DROP(OFFICE, "attachedTemplate", REMOVED_EXTERNAL),
	DROP(OFFICE, "frame", REMOVED_EXTERNAL),
	DROP(OFFICE, "mailMergeSource", REMOVED_CONNECTION),
	DROP(OFFICE, "mailMergeHeaderSource", REMOVED_CONNECTION),
	DROP(OFFICE, "recipientData", REMOVED_CONNECTION),
	DROP(OFFICE, "transform", REMOVED_EXTERNAL),
	DROP(OFFICE, "externalLink", REMOVED_EXTERNAL),
	DROP(OFFICE, "connections", REMOVED_CONNECTION),
	DROP(OFFICE, "queryTable", REMOVED_CONNECTION),
	DROP(OFFICE, "xmlMaps", REMOVED_CONNECTION),
	DROP(OFFICE, "tableSingleCells", REMOVED_CONNECTION),
	DROP(OFFICE, "powerPivotData", REMOVED_CONNECTION),
	DROP(MS "office/2017/06/relationships/", "rdRichValueWebImage",
	    REMOVED_EXTERNAL),
	DROP(OFFICE, "customXml", REMOVED_CUSTOM),
	DROP(OFFICE, "customProperty", REMOVED_CUSTOM),
	DROP(OFFICE, "customData", REMOVED_CUSTOM),
	DROP(OFFICE, "tags", REMOVED_CUSTOM),
	DROP(OFFICE, "printerSettings", REMOVED_PRINTER),
	DROP(OFFICE, "calcChain", OOXML_UNTOLD),
	DROP(OFFICE, "usernames", REMOVED_METADATA),
	DROP(OFFICE, "revisionHeaders", REMOVED_METADATA),
	DROP(OFFICE, "revisionLog", REMOVED_METADATA),
	DROP(OFFICE, "audio", REMOVED_MEDIA),
	DROP(OFFICE, "video", REMOVED_MEDIA),
	DROP(OFFICE, "movie", REMOVED_MEDIA),
	DROP(MS "office/2007/relationships/", "media", REMOVED_MEDIA),
	DROP(MS "office/2007/relationships/", "hdphoto", REMOVED_REFUSED),
	DROP(MS "office/2017/06/relationships/", "model3d", REMOVED_MEDIA),
	DROP(MS "office/2011/relationships/", "webextension", REMOVED_SCRIPT),
	DROP(MS "office/2011/relationships/", "webextensiontaskpanes",
	    REMOVED_SCRIPT),
};

#define MACRO(kind) "application/vnd.ms-" kind ".macroenabled.main+xml"

static const struct main_kind main_kinds[] = {
	{ W "document.main+xml", APP_WORD, W "document.main+xml", "docx" },
	{ W "template.main+xml", APP_WORD, W "template.main+xml", "dotx" },
	{ MACRO("word.document"), APP_WORD, W "document.main+xml", "docx" },
	{ MACRO("word.template"), APP_WORD, W "template.main+xml", "dotx" },
	{ "application/vnd.ms-word.template.macroenabledtemplate.main+xml",
	    APP_WORD, W "template.main+xml", "dotx" },
	{ X "sheet.main+xml", APP_SHEET, X "sheet.main+xml", "xlsx" },
	{ X "template.main+xml", APP_SHEET, X "template.main+xml", "xltx" },
	{ MACRO("excel.sheet"), APP_SHEET, X "sheet.main+xml", "xlsx" },
	{ MACRO("excel.template"), APP_SHEET, X "template.main+xml", "xltx" },
	{ "application/vnd.ms-excel.sheet.binary.macroenabled.main", APP_SHEET,
	    NULL, NULL },
	{ P "presentation.main+xml", APP_SLIDES, P "presentation.main+xml",
	    "pptx" },
	{ P "template.main+xml", APP_SLIDES, P "template.main+xml", "potx" },
	{ P "slideshow.main+xml", APP_SLIDES, P "slideshow.main+xml", "ppsx" },
	{ MACRO("powerpoint.presentation"), APP_SLIDES,
	    P "presentation.main+xml", "pptx" },
	{ MACRO("powerpoint.template"), APP_SLIDES, P "template.main+xml",
	    "potx" },
	{ MACRO("powerpoint.slideshow"), APP_SLIDES, P "slideshow.main+xml",
	    "ppsx" },
};

/* By what a name has in it, for what nothing leads to. */
static const struct {
	const char *has;
	enum detox_removal what;
} strays[] = {
	{ "vbaproject", REMOVED_MACRO },
	{ "vbadata", REMOVED_MACRO },
	{ "macrosheets/", REMOVED_MACRO },
	{ "dialogsheets/", REMOVED_MACRO },
	{ "customui", REMOVED_MACRO },
	{ "attachedtoolbars", REMOVED_MACRO },
	{ "activex", REMOVED_ACTIVEX },
	{ "ctrlprops/", REMOVED_ACTIVEX },
	{ "embeddings/", REMOVED_OBJECT },
	{ "externallinks/", REMOVED_EXTERNAL },
	{ "connections", REMOVED_CONNECTION },
	{ "querytables/", REMOVED_CONNECTION },
	{ "xl/model/", REMOVED_CONNECTION },
	{ "webextension", REMOVED_SCRIPT },
	{ "printersettings", REMOVED_PRINTER },
	{ "customxml/", REMOVED_CUSTOM },
	{ "docprops/", REMOVED_METADATA },
	{ "docmetadata/", REMOVED_METADATA },
	{ "_xmlsignatures/", REMOVED_SIGNATURE },
};

/* A row's family stands for its name in the strict namespaces too. */
static bool
is_family(const char *family, struct bytes type, bool *strict_out)
{
	*strict_out = false;
	if (bytes_equal(bytes_of(family), type))
		return true;
	if (strncmp(family, OFFICE, strlen(OFFICE)) != 0 ||
	    !bytes_start_with(type, BYTES(STRICT)))
		return false;
	bytes_take(&type, strlen(STRICT));
	*strict_out = bytes_equal(bytes_of(family + strlen(OFFICE)), type);
	return *strict_out;
}

const struct rel_kind *
rel_kind_of(enum app app, struct bytes type, bool *strict_out)
{
	const struct rel_kind *k;
	struct bytes family = type, last;

	while (family.n > 0 && family.p[family.n - 1] != '/')
		family.n--;
	last = (struct bytes){ type.p + family.n, type.n - family.n };
	for (size_t i = 0; i < COUNT(rel_kinds); i++) {
		k = &rel_kinds[i];
		if ((k->apps & app) != 0 &&
		    bytes_equal(bytes_of(k->type), last) &&
		    is_family(k->family, family, strict_out))
			return k;
	}
	return NULL;
}

const struct main_kind *
main_kind_of(struct bytes content_type)
{
	for (size_t i = 0; i < COUNT(main_kinds); i++)
		if (bytes_equal_nocase(
			bytes_of(main_kinds[i].content_type), content_type))
			return &main_kinds[i];
	return NULL;
}

enum detox_removal
stray_kind(const char *name)
{
	for (size_t i = 0; i < COUNT(strays); i++)
		if (strcasestr(name, strays[i].has) != NULL)
			return strays[i].what;
	return REMOVED_UNKNOWN;
}
