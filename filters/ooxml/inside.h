/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"
#include "filters/package/package.h"

enum app {
	APP_NONE = 0,
	APP_WORD = 1,
	APP_SHEET = 2,
	APP_SLIDES = 4,
	APP_ANY = 7,
};

enum treatment {
	TREAT_DROP = 0,
	TREAT_XML,    /* cleaned, and its relationships walked */
	TREAT_IMAGE,  /* detox_inside, a picture has to come out */
	TREAT_OBJECT, /* detox_inside, a document has to come out */
	TREAT_FONT,
	TREAT_LINK,   /* a place of the web, or inside */
	TREAT_TITLE,  /* docProps/core.xml: a few fields, by profile */
	TREAT_PROGRAM /* docProps/app.xml: the program's name alone */
};

/* What Excel and others make again: not told. */
#define OOXML_UNTOLD DETOX_REMOVAL_KINDS

/* kinds.c: a row for each relationship type. */
struct rel_kind {
	const char *family; /* the type up to its last part */
	const char *type;
	unsigned apps;
	enum treatment treatment;
	enum detox_removal what;  /* when it is dropped */
	const char *content_type; /* of the part; of XML alone */
};

struct main_kind {
	const char *content_type; /* in small letters */
	enum app app;
	const char *out_type; /* NULL: refused */
	const char *extension;
};

/* NULL: no row. *strict_out: of the strict namespaces. */
const struct rel_kind *rel_kind_of(
    enum app app, struct bytes type, bool *strict_out);
const struct main_kind *main_kind_of(struct bytes content_type);
/* What a part that no relationship leads to is, by its name. */
enum detox_removal stray_kind(const char *name);

struct rel {
	const char *id;
	const struct rel_kind *kind;
	bool strict;
	bool kept;
	const char *target; /* of a link; as it is written */
	bool external;
	struct part *part;
	size_t order;
};

enum part_state {
	PART_UNSEEN = 0,
	PART_KEPT,
	PART_DROPPED,
};

struct part {
	const char *name;
	size_t entry; /* of the package */
	enum part_state state;
	const struct rel_kind *kind; /* NULL: the main part */
	const char *content_type;    /* that comes out */
	const char *out_name;
	struct rel *rels; /* sorted by id */
	size_t rels_n;
	struct buf content; /* of a leaf, until it is written */
	bool stored;        /* as it packs no more */
	struct part *next;  /* in the order in which they were found */
	bool reported;
};

struct names; /* sheet.c: names that were dropped from a workbook */

struct ooxml {
	struct detox *d;
	struct package *package;
	struct package_writer *writer;
	enum app app;
	const struct main_kind *main_kind;
	xmlDoc *types;      /* NULL: there is none */
	struct part *parts; /* one for each entry */
	struct part **by_name;
	size_t parts_n;
	struct rel *roots;
	size_t roots_n;
	struct part *first, *last;
	size_t rels_all;
	size_t renamed;
	xmlHashTable *gone_names;
	bool has_gone;
	struct part *part; /* that is cleaned now */
	xmlHashTable *gone_shared;
};

/* graph.c */
/* Finds all that is reached; leaves (pictures ...) are rebuilt at once. */
enum detox_result graph_walk(struct ooxml *x) MUST_CHECK;
struct part *part_find(const struct ooxml *x, const char *name);
const struct rel *rel_find(const struct part *p, const xmlChar *id);
void ooxml_removed(
    struct ooxml *x, enum detox_removal what, struct bytes content);
void part_drop(struct ooxml *x, struct part *p, enum detox_removal what);

/* Its own name, or another when that is odd or has another extension. NULL: any
 * of XML. */
void name_part(struct ooxml *x, struct part *p, const char *extension);
/* leaf.c: fills in its content, or gives PART_DROPPED as its state; refuses
 * when the job is over. */
enum detox_result leaf_take(struct ooxml *x, struct part *p) MUST_CHECK;

/* write.c */
enum detox_result write_rels(struct ooxml *x, const char *name,
    const struct rel *rels, size_t n) MUST_CHECK;
enum detox_result write_types(struct ooxml *x) MUST_CHECK;
enum detox_result write_title(struct ooxml *x, struct part *p) MUST_CHECK;
enum detox_result write_program(struct ooxml *x, struct part *p) MUST_CHECK;
/* "word/_rels/document.xml.rels" of "word/document.xml". */
const char *rels_name(struct ooxml *x, const char *part);

/* space.c: groups of namespaces. */
enum space {
	SPACE_UNKNOWN = 0,
	SPACE_NONE, /* no namespace */
	SPACE_WORD,
	SPACE_SHEET,
	SPACE_SLIDES,
	SPACE_DRAW, /* DrawingML, charts, diagrams */
	SPACE_VML,
	SPACE_REL, /* relationships' attributes */
	SPACE_MC,  /* markup compatibility */
	SPACE_KNOWN,
};
enum space space_of(xmlNs *ns);
/* Of Word's text itself, or of formulas in it: every reader takes it. */
bool space_is_text(xmlNs *ns);

/* rules.c */
enum fate {
	FATE_STAY = 0,
	FATE_DROP,
	FATE_LIST,      /* dropped when it lost all it held */
	FATE_ATTRIBUTE, /* the reference alone goes */
	FATE_UP,        /* the thing it stands for goes */
	FATE_OBJECT,    /* of Word: its picture stays */
	FATE_OLE,       /* an object: stays when rebuilt */
	FATE_FRAME,     /* of PowerPoint: its picture stays */
	FATE_CLIENT,    /* of VML: a control unless a note */
	FATE_ACTION,    /* of PowerPoint: by its action */
	FATE_FORMULA,   /* by its text */
	FATE_VALUE,     /* of a conditional format */
	FATE_SOURCE,    /* of a chart: by its text */
	FATE_CELLS,     /* of a pivot table: by its attributes */
	FATE_NAME,      /* of a workbook */
	FATE_SHEETS,
	FATE_TABLE,
	FATE_CACHE,
	FATE_CHOICE,
};

struct element_rule {
	enum space space;
	enum fate always;
	enum fate lost; /* its reference leads nowhere */
	enum detox_removal what;
	const char *name;
	const char *up; /* of FATE_UP: names, "|" between */
};
const struct element_rule *element_rule_of(
    enum space space, const xmlChar *name);
void rules_prepare(void);

/* clean.c */
enum detox_result clean_part(struct ooxml *x, struct part *p) MUST_CHECK;
/* An attribute by its name, or "". */
const char *clean_property(const xmlNode *n, const char *name);
/* What its r:id leads to, or NULL. */
const struct rel *clean_reference(const struct ooxml *x, const xmlNode *n);
/* The text of an element that holds nothing else: what does stand in it goes,
 * so that what is judged is what a reader finds. Until the tree changes. */
struct bytes clean_content(xmlNode *n);
static inline bool
clean_is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && n->name[0] == (xmlChar)name[0] &&
	    strcmp((const char *)n->name, name) == 0;
}
/* Dooms the nearest element around it of one of these names ("a|b"; NULL: of
 * none), else itself. */
void clean_doom_up(xmlNode *n, const char *names);
/* That element goes when the walk comes back to it. */
void clean_doom(xmlNode *n);
bool clean_is_doomed(const xmlNode *n);

/* vml.c: makes drawings that Office wrote like HTML well-formed. */
enum detox_result vml_tidy(
    struct ooxml *x, const struct part *p, struct buf *content) MUST_CHECK;

/* formula.c */
enum formula {
	FORMULA_BAD = 0, /* dangerous */
	FORMULA_OUTSIDE, /* refers to another workbook */
	FORMULA_GONE,    /* refers to a name that was dropped */
	FORMULA_GOOD,
};
enum formula formula_judge(const struct ooxml *x, struct bytes text);

/* sheet.c */
/* Each may doom the element, or what it belongs to. */
void sheet_formula(struct ooxml *x, xmlNode *n, const struct element_rule *r);
void sheet_value(struct ooxml *x, xmlNode *n);
void sheet_source(struct ooxml *x, xmlNode *n);
void sheet_cells(struct ooxml *x, xmlNode *n);
void sheet_name(struct ooxml *x, xmlNode *n);
/* Sheets that are gone, and what counts them. */
void sheet_sheets(struct ooxml *x, xmlNode *n);
/* Cells that shared a formula that is gone. */
void sheet_shared(struct ooxml *x, xmlNode *root);

/* field.c */
void field_clean(struct ooxml *x, xmlNode *root);
enum field {
	FIELD_BAD = 0,
	FIELD_FLAT, /* shows what is no longer there; only its result stays */
	FIELD_GOOD,
};
/* dynamic: a part of it is made by another field. */
enum field field_judge(
    const struct ooxml *x, struct bytes instruction, bool dynamic);
/* The text that a field shows from its instruction alone; empty: none. */
struct bytes field_shows(struct bytes instruction);
