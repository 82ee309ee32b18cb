/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/rules.h"

#include "filters/pdf/syntax.h"

#define KEEP(name, role)                                \
	{                                               \
		BYTES_ROW(name), PDF_##role, PDF_SILENT \
	}
#define DROP(name, removal)                                      \
	{                                                        \
		BYTES_ROW(name), PDF_LEFT_OUT, REMOVED_##removal \
	}
#define DROP_SILENTLY(name)                               \
	{                                                 \
		BYTES_ROW(name), PDF_LEFT_OUT, PDF_SILENT \
	}
/* What is dangerous wherever it is. */
#define DROP_EVERYWHERE                                                        \
	DROP("JS", SCRIPT), DROP("JavaScript", SCRIPT),                        \
	    DROP("JavaScriptActions", SCRIPT), DROP("Launch", ACTION),         \
	    DROP("OpenAction", ACTION), DROP("SubmitForm", FORM),              \
	    DROP("ImportData", FORM), DROP("EmbeddedFile", FILE),              \
	    DROP("EmbeddedFiles", FILE), DROP("RichMedia", MEDIA),             \
	    DROP("RichMediaContent", MEDIA), DROP("RichMediaSettings", MEDIA), \
	    DROP("RichMediaExecute", MEDIA), DROP("GoToR", EXTERNAL),          \
	    DROP("GoToE", EXTERNAL)

/* Table 29. */
static const struct pdf_rule catalog[] = {
	KEEP("Type", SCALAR),
	KEEP("Pages", PAGE),
	KEEP("Version", SCALAR),
	KEEP("PageLabels", ANY),
	KEEP("Names", NAMES),
	KEEP("Dests", PLACES),
	KEEP("ViewerPreferences", ANY),
	KEEP("PageLayout", SCALAR),
	KEEP("PageMode", SCALAR),
	KEEP("Outlines", OUTLINE),
	KEEP("OpenAction", OPENING),
	KEEP("AcroForm", FORM),
	KEEP("StructTreeRoot", ANY),
	KEEP("MarkInfo", ANY),
	KEEP("Lang", SCALAR),
	KEEP("OutputIntents", ANY),
	KEEP("OCProperties", ANY),
	DROP("AA", ACTION),
	DROP("URI", LINK),
	DROP("JavaScript", SCRIPT),
	DROP("Metadata", METADATA),
	DROP("PieceInfo", CUSTOM),
	DROP("SpiderInfo", CUSTOM),
	DROP("Collection", FILE),
	DROP("AF", FILE),
	DROP("Perms", SIGNATURE),
	DROP("DSS", SIGNATURE),
	DROP_SILENTLY("Extensions"),
	DROP_SILENTLY("NeedsRendering"),
	DROP_SILENTLY("Requirements"),
	DROP_SILENTLY("Legal"),
	DROP_SILENTLY("Threads"),
};

/* Tables 30 and 31. */
static const struct pdf_rule page[] = {
	KEEP("Type", SCALAR),
	KEEP("Parent", PAGE),
	KEEP("Kids", KIDS),
	KEEP("Count", SCALAR),
	KEEP("Resources", RESOURCES),
	KEEP("MediaBox", ANY),
	KEEP("CropBox", ANY),
	KEEP("BleedBox", ANY),
	KEEP("TrimBox", ANY),
	KEEP("ArtBox", ANY),
	KEEP("BoxColorInfo", ANY),
	KEEP("Contents", STREAM),
	KEEP("Rotate", SCALAR),
	KEEP("Group", ANY),
	KEEP("Annots", ANNOTATION),
	KEEP("StructParents", SCALAR),
	KEEP("Tabs", SCALAR),
	KEEP("UserUnit", SCALAR),
	KEEP("SeparationInfo", ANY),
	KEEP("OutputIntents", ANY),
	KEEP("VP", ANY),
	KEEP("PZ", SCALAR),
	KEEP("Dur", SCALAR),
	KEEP("Trans", ANY),
	DROP("AA", ACTION),
	DROP("Thumb", PREVIEW),
	DROP("Metadata", METADATA),
	DROP("PieceInfo", CUSTOM),
	DROP("LastModified", METADATA),
	DROP("AF", FILE),
	DROP("PresSteps", ACTION),
	DROP_SILENTLY("B"),
	DROP_SILENTLY("ID"),
	DROP_SILENTLY("DPart"),
	DROP_SILENTLY("TemplateInstantiated"),
};

/* Table 34. */
static const struct pdf_rule resources[] = {
	KEEP("ExtGState", NAMED),
	KEEP("ColorSpace", NAMED),
	KEEP("Pattern", NAMED),
	KEEP("Shading", NAMED),
	KEEP("XObject", NAMED),
	KEEP("Font", NAMED),
	KEEP("ProcSet", ANY),
	KEEP("Properties", NAMED),
	/* Of forms, in DR. */
	KEEP("Encoding", NAMED),
};

/* Tables 166 to 196, and of fields 226 to 236. */
static const struct pdf_rule annotation[] = {
	KEEP("Type", SCALAR),
	KEEP("Subtype", SCALAR),
	KEEP("Rect", ANY),
	KEEP("Contents", SCALAR),
	KEEP("P", PAGE),
	KEEP("NM", SCALAR),
	KEEP("M", SCALAR),
	KEEP("F", SCALAR),
	KEEP("AP", ANY),
	KEEP("AS", SCALAR),
	KEEP("Border", ANY),
	KEEP("C", ANY),
	KEEP("StructParent", SCALAR),
	KEEP("OC", ANY),
	KEEP("BM", SCALAR),
	KEEP("CA", SCALAR),
	KEEP("ca", SCALAR),
	KEEP("Lang", SCALAR),
	KEEP("T", SCALAR),
	KEEP("Popup", ANNOTATION),
	KEEP("CreationDate", SCALAR),
	KEEP("IRT", ANNOTATION),
	KEEP("Subj", SCALAR),
	KEEP("RT", SCALAR),
	KEEP("IT", SCALAR),
	KEEP("A", ACTION),
	KEEP("Dest", PLACE),
	KEEP("H", SCALAR),
	KEEP("QuadPoints", ANY),
	KEEP("BS", ANY),
	KEEP("BE", ANY),
	KEEP("Open", SCALAR),
	KEEP("Name", SCALAR),
	KEEP("State", SCALAR),
	KEEP("StateModel", SCALAR),
	KEEP("DA", SCALAR),
	KEEP("DR", RESOURCES),
	KEEP("Q", SCALAR),
	KEEP("DS", SCALAR),
	KEEP("CL", ANY),
	KEEP("RD", ANY),
	KEEP("LE", ANY),
	KEEP("L", ANY),
	KEEP("IC", ANY),
	KEEP("LL", SCALAR),
	KEEP("LLE", SCALAR),
	KEEP("LLO", SCALAR),
	KEEP("Cap", SCALAR),
	KEEP("CP", SCALAR),
	KEEP("CO", ANY),
	KEEP("Measure", ANY),
	KEEP("Vertices", ANY),
	KEEP("Path", ANY),
	KEEP("InkList", ANY),
	KEEP("Sy", SCALAR),
	KEEP("Rotate", SCALAR),
	KEEP("RO", ANY),
	KEEP("OverlayText", SCALAR),
	KEEP("Repeat", SCALAR),
	KEEP("FixedPrint", ANY),
	KEEP("MK", ANY),
	KEEP("Parent", ANNOTATION),
	KEEP("Kids", ANNOTATION),
	KEEP("FT", SCALAR),
	KEEP("TU", SCALAR),
	KEEP("TM", SCALAR),
	KEEP("Ff", SCALAR),
	KEEP("V", VALUE),
	KEEP("DV", VALUE),
	KEEP("MaxLen", SCALAR),
	KEEP("Opt", ANY),
	KEEP("TI", SCALAR),
	KEEP("I", ANY),
	DROP("AA", ACTION),
	DROP("PA", ACTION),
	DROP("FS", FILE),
	DROP("AF", FILE),
	DROP("Lock", SIGNATURE),
	DROP("SV", SIGNATURE),
	/* The same text again, as XHTML. */
	DROP("RC", STYLE),
	DROP("RV", STYLE),
};

/* Table 32: but for places all of it is dangerous or of no use here. */
static const struct pdf_rule names[] = {
	KEEP("Dests", PLACES),
	DROP("JavaScript", SCRIPT),
	DROP("EmbeddedFiles", FILE),
	DROP("Renditions", MEDIA),
	DROP("URLS", LINK),
	DROP_SILENTLY("AP"),
	DROP_SILENTLY("Pages"),
	DROP_SILENTLY("Templates"),
	DROP_SILENTLY("IDS"),
	DROP_SILENTLY("AlternatePresentations"),
};

/* Table 36; and the older dictionary, whose keys are the places' names. */
static const struct pdf_rule places[] = {
	KEEP("Kids", PLACES),
	KEEP("Names", PLACE_LIST),
	KEEP("Limits", ANY),
};

/* Tables 150 and 151. */
static const struct pdf_rule outline[] = {
	KEEP("Type", SCALAR),
	KEEP("First", OUTLINE),
	KEEP("Last", OUTLINE),
	KEEP("Next", OUTLINE),
	KEEP("Prev", OUTLINE),
	KEEP("Parent", OUTLINE),
	KEEP("Count", SCALAR),
	KEEP("Title", SCALAR),
	KEEP("Dest", PLACE),
	KEEP("A", ACTION),
	KEEP("SE", ANY),
	KEEP("C", ANY),
	KEEP("F", SCALAR),
	DROP("AA", ACTION),
};

/* Table 224. */
static const struct pdf_rule form[] = {
	KEEP("Fields", ANNOTATION),
	KEEP("NeedAppearances", SCALAR),
	KEEP("DR", RESOURCES),
	KEEP("DA", SCALAR),
	KEEP("Q", SCALAR),
	DROP("XFA", FORM),
	DROP("CO", SCRIPT),
	DROP_SILENTLY("SigFlags"),
};

/* Table 349. */
static const struct pdf_rule info[] = {
	KEEP("Title", SCALAR),
	KEEP("Author", SCALAR),
	KEEP("Subject", SCALAR),
	KEEP("Keywords", SCALAR),
	KEEP("Creator", SCALAR),
	KEEP("Producer", SCALAR),
	KEEP("CreationDate", SCALAR),
	KEEP("ModDate", SCALAR),
	KEEP("Trapped", SCALAR),
};

/* Table 87. */
static const struct pdf_rule image[] = {
	KEEP("Type", SCALAR),
	KEEP("Subtype", SCALAR),
	KEEP("Width", SCALAR),
	KEEP("Height", SCALAR),
	KEEP("ColorSpace", ANY),
	KEEP("BitsPerComponent", SCALAR),
	KEEP("Intent", SCALAR),
	KEEP("ImageMask", SCALAR),
	KEEP("Mask", ANY),
	KEEP("Decode", ANY),
	KEEP("Interpolate", SCALAR),
	KEEP("SMask", ANY),
	KEEP("SMaskInData", SCALAR),
	KEEP("Matte", ANY),
	KEEP("Name", SCALAR),
	KEEP("StructParent", SCALAR),
	KEEP("OC", ANY),
	DROP("Alternates", EXTERNAL),
	DROP("OPI", EXTERNAL),
	DROP("Metadata", METADATA),
	DROP("AF", FILE),
	DROP("F", EXTERNAL),
	DROP("FFilter", EXTERNAL),
	DROP("FDecodeParms", EXTERNAL),
	DROP_SILENTLY("Filter"),
	DROP_SILENTLY("DecodeParms"),
	DROP_SILENTLY("Length"),
	DROP_SILENTLY("DL"),
	DROP_SILENTLY("ID"),
};

/* Table 93. */
static const struct pdf_rule drawing[] = {
	KEEP("Type", SCALAR),
	KEEP("Subtype", SCALAR),
	KEEP("FormType", SCALAR),
	KEEP("BBox", ANY),
	KEEP("Matrix", ANY),
	KEEP("Resources", RESOURCES),
	KEEP("Group", ANY),
	KEEP("StructParent", SCALAR),
	KEEP("StructParents", SCALAR),
	KEEP("OC", ANY),
	KEEP("Name", SCALAR),
	DROP("Ref", EXTERNAL),
	DROP("OPI", EXTERNAL),
	DROP("PS", SCRIPT),
	DROP("Subtype2", SCRIPT),
	DROP("Metadata", METADATA),
	DROP("PieceInfo", CUSTOM),
	DROP("LastModified", METADATA),
	DROP("AF", FILE),
	DROP("F", EXTERNAL),
	DROP("FFilter", EXTERNAL),
	DROP("FDecodeParms", EXTERNAL),
	DROP_SILENTLY("Filter"),
	DROP_SILENTLY("DecodeParms"),
	DROP_SILENTLY("Length"),
	DROP_SILENTLY("DL"),
};

/* Table 5; what else is in it belongs to what it is a stream of. */
static const struct pdf_rule stream[] = {
	DROP_EVERYWHERE,
	KEEP("Resources", RESOURCES),
	DROP("AA", ACTION),
	DROP("PS", SCRIPT),
	DROP("OPI", EXTERNAL),
	DROP("Ref", EXTERNAL),
	DROP("Alternates", EXTERNAL),
	DROP("Metadata", METADATA),
	DROP("PieceInfo", CUSTOM),
	DROP("AF", FILE),
	DROP("EF", FILE),
	DROP("XFA", FORM),
	DROP("F", EXTERNAL),
	DROP("FFilter", EXTERNAL),
	DROP("FDecodeParms", EXTERNAL),
	DROP_SILENTLY("Filter"),
	DROP_SILENTLY("DecodeParms"),
	DROP_SILENTLY("Length"),
	DROP_SILENTLY("DL"),
};

/* Fonts, colours, structure: too many kinds, and private ones, to list what
 * may be; but actions and files have no place in them. */
static const struct pdf_rule any[] = {
	DROP_EVERYWHERE,
	KEEP("Resources", RESOURCES),
	KEEP("Obj", TARGET),
	KEEP("Pg", PAGE),
	DROP("AA", ACTION),
	DROP("Metadata", METADATA),
	DROP("PieceInfo", CUSTOM),
	DROP("LastModified", METADATA),
	DROP("AF", FILE),
	DROP("EF", FILE),
	DROP("RF", FILE),
	DROP("UF", FILE),
	DROP("FS", FILE),
	DROP("XFA", FORM),
	DROP("OPI", EXTERNAL),
	DROP("Alternates", EXTERNAL),
	DROP("DestOutputProfileRef", EXTERNAL),
	DROP("URI", LINK),
	DROP("3DD", MEDIA),
	DROP("Thumb", PREVIEW),
	/* Spoken aids of a structure, in files (14.9.6). */
	DROP_SILENTLY("PronunciationLexicon"),
};

static const struct pdf_rule named[] = {
	DROP_EVERYWHERE,
};

#define SCHEMA(table, text, kind, what)                                     \
	{                                                                   \
		.name = text, .rules = table, .n = COUNT(table), .other = { \
			.role = kind,                                       \
			.removal = what                                     \
		}                                                           \
	}
static const struct pdf_schema schemas[PDF_ROLES] = {
	[PDF_ANY] = SCHEMA(any, "object", PDF_ANY, PDF_SILENT),
	[PDF_NAMED] = SCHEMA(named, "resources", PDF_ANY, PDF_SILENT),
	[PDF_STREAM] = SCHEMA(stream, "stream", PDF_ANY, PDF_SILENT),
	[PDF_IMAGE] = SCHEMA(image, "image", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_DRAWING] =
	    SCHEMA(drawing, "drawing", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_CATALOG] =
	    SCHEMA(catalog, "document", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_PAGE] = SCHEMA(page, "page", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_RESOURCES] =
	    SCHEMA(resources, "resources", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_ANNOTATION] =
	    SCHEMA(annotation, "annotation", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_NAMES] = SCHEMA(names, "names", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_PLACES] = SCHEMA(places, "places", PDF_PLACE, PDF_SILENT),
	[PDF_OUTLINE] =
	    SCHEMA(outline, "outline", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_FORM] = SCHEMA(form, "form", PDF_LEFT_OUT, REMOVED_CUSTOM),
	[PDF_INFO] = SCHEMA(info, "info", PDF_LEFT_OUT, REMOVED_METADATA),
};

const struct pdf_schema *
pdf_schema_of(enum pdf_role role)
{
	return schemas[role].name != NULL ? &schemas[role] : NULL;
}

const struct pdf_rule *
pdf_rule_of(const struct pdf_schema *s, struct bytes name)
{
	for (size_t i = 0; i < s->n; i++)
		if (syntax_is(name, s->rules[i].key))
			return &s->rules[i];
	return &s->other;
}

struct kind {
	struct bytes name;
	enum detox_removal removal;
};

#define KIND(name, removal)              \
	{                                \
		BYTES_ROW(name), removal \
	}

static enum detox_removal
removal_of(const struct kind *kinds, size_t n, struct bytes name,
    enum detox_removal other)
{
	for (size_t i = 0; i < n; i++)
		if (syntax_is(name, kinds[i].name))
			return kinds[i].removal;
	return other;
}

/* Table 171. */
enum detox_removal
pdf_annotation_removal(struct bytes subtype)
{
	static const struct kind kinds[] = {
		KIND("Link", PDF_SILENT),
		KIND("Widget", PDF_SILENT),
		KIND("Text", PDF_SILENT),
		KIND("FreeText", PDF_SILENT),
		KIND("Line", PDF_SILENT),
		KIND("Square", PDF_SILENT),
		KIND("Circle", PDF_SILENT),
		KIND("Polygon", PDF_SILENT),
		KIND("PolyLine", PDF_SILENT),
		KIND("Highlight", PDF_SILENT),
		KIND("Underline", PDF_SILENT),
		KIND("Squiggly", PDF_SILENT),
		KIND("StrikeOut", PDF_SILENT),
		KIND("Stamp", PDF_SILENT),
		KIND("Caret", PDF_SILENT),
		KIND("Ink", PDF_SILENT),
		KIND("Popup", PDF_SILENT),
		KIND("Watermark", PDF_SILENT),
		KIND("Redact", PDF_SILENT),
		KIND("FileAttachment", REMOVED_FILE),
		KIND("RichMedia", REMOVED_MEDIA),
		KIND("3D", REMOVED_MEDIA),
		KIND("Screen", REMOVED_MEDIA),
		KIND("Movie", REMOVED_MEDIA),
		KIND("Sound", REMOVED_MEDIA),
		KIND("PrinterMark", REMOVED_PRINTER),
		KIND("TrapNet", REMOVED_PRINTER),
	};

	return removal_of(kinds, COUNT(kinds), subtype, REMOVED_UNKNOWN);
}

/* Table 201. */
static const struct kind actions[] = {
	KIND("GoTo", PDF_SILENT),
	KIND("Named", PDF_SILENT),
	KIND("URI", REMOVED_LINK),
	KIND("JavaScript", REMOVED_SCRIPT),
	KIND("Launch", REMOVED_PROGRAM),
	KIND("SubmitForm", REMOVED_FORM),
	KIND("ImportData", REMOVED_FORM),
	KIND("GoToR", REMOVED_EXTERNAL),
	KIND("GoToE", REMOVED_EXTERNAL),
	KIND("Rendition", REMOVED_MEDIA),
	KIND("RichMediaExecute", REMOVED_MEDIA),
	KIND("GoTo3DView", REMOVED_MEDIA),
	KIND("Sound", REMOVED_MEDIA),
	KIND("Movie", REMOVED_MEDIA),
	KIND("ResetForm", REMOVED_ACTION),
	KIND("Hide", REMOVED_ACTION),
	KIND("SetOCGState", REMOVED_ACTION),
	KIND("Thread", REMOVED_ACTION),
	KIND("Trans", REMOVED_ACTION),
	KIND("GoToDp", REMOVED_ACTION),
};

enum detox_removal
pdf_action_removal(struct bytes type)
{
	return removal_of(actions, COUNT(actions), type, REMOVED_ACTION);
}

/* S is also how elements of a structure are called, by words of their own:
 * these are not likely to be among them. */
enum detox_removal
pdf_deed_removal(struct bytes type)
{
	static const struct kind kinds[] = {
		KIND("JavaScript", REMOVED_SCRIPT),
		KIND("Launch", REMOVED_PROGRAM),
		KIND("SubmitForm", REMOVED_FORM),
		KIND("ImportData", REMOVED_FORM),
		KIND("URI", REMOVED_LINK),
		KIND("GoToR", REMOVED_EXTERNAL),
		KIND("GoToE", REMOVED_EXTERNAL),
		KIND("Rendition", REMOVED_MEDIA),
		KIND("RichMediaExecute", REMOVED_MEDIA),
		KIND("GoTo3DView", REMOVED_MEDIA),
	};

	return removal_of(kinds, COUNT(kinds), type, PDF_SILENT);
}

enum detox_removal
pdf_type_removal(struct bytes type)
{
	static const struct kind kinds[] = {
		KIND("Action", REMOVED_ACTION),
		KIND("Catalog", REMOVED_UNKNOWN),
		KIND("F", REMOVED_FILE),
		KIND("Filespec", REMOVED_FILE),
		KIND("FileSpec", REMOVED_FILE),
		KIND("EmbeddedFile", REMOVED_FILE),
		KIND("Collection", REMOVED_FILE),
		KIND("Sig", REMOVED_SIGNATURE),
		KIND("DocTimeStamp", REMOVED_SIGNATURE),
		KIND("Rendition", REMOVED_MEDIA),
		KIND("MediaClip", REMOVED_MEDIA),
		KIND("3D", REMOVED_MEDIA),
		KIND("RichMediaContent", REMOVED_MEDIA),
		KIND("Metadata", REMOVED_METADATA),
		KIND("ObjStm", REMOVED_UNKNOWN),
		KIND("XRef", REMOVED_UNKNOWN),
	};

	return removal_of(kinds, COUNT(kinds), type, PDF_SILENT);
}
