/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what may be in each kind of object, and what kind its parts are. The
 * kind comes from where an object is reached, not from what it says of itself.
 */
#pragma once

#include "filters/detox.h"

enum pdf_role {
	PDF_LEFT_OUT = 0,
	PDF_SCALAR, /* written where it is used: a number, name, string */
	PDF_ANY,    /* dictionaries that only tell how to draw */
	PDF_NAMED,  /* a dictionary whose keys are names of the document */
	PDF_STREAM,
	PDF_IMAGE,
	PDF_DRAWING, /* a form XObject */
	PDF_CATALOG,
	PDF_PAGE, /* and nodes of the tree of pages */
	PDF_KIDS, /* a node's list of these */
	PDF_RESOURCES,
	PDF_ANNOTATION, /* and fields of forms */
	PDF_ACTION,
	PDF_OPENING, /* what happens when the document opens */
	PDF_PLACE,   /* a destination */
	PDF_PLACE_PART,
	PDF_PLACE_LIST, /* names of places, each with its place */
	PDF_NAMES,
	PDF_PLACES, /* a tree of names of places */
	PDF_OUTLINE,
	PDF_FORM,
	PDF_VALUE, /* of a field */
	PDF_INFO,
	PDF_TARGET, /* of a structure: an annotation or a drawing */
	PDF_ROLES,
};

/* Left out without a word. */
#define PDF_SILENT DETOX_REMOVAL_KINDS

struct pdf_rule {
	struct bytes key;
	enum pdf_role role;
	enum detox_removal removal; /* when it is left out */
};

struct pdf_schema {
	const char *name; /* "page" */
	const struct pdf_rule *rules;
	size_t n;
	struct pdf_rule other; /* for keys that have no rule */
};

const struct pdf_schema *pdf_schema_of(enum pdf_role role);
/* name: with its slash. */
const struct pdf_rule *pdf_rule_of(
    const struct pdf_schema *s, struct bytes name);

/* By the name of a subtype: PDF_SILENT when it is kept, else as what it is
 * left out. */
enum detox_removal pdf_annotation_removal(struct bytes subtype);
enum detox_removal pdf_action_removal(struct bytes type);
/* What a dictionary of no known place may not call itself (Type), nor what may
 * be done by it (S). PDF_SILENT: it may. */
enum detox_removal pdf_type_removal(struct bytes type);
enum detox_removal pdf_deed_removal(struct bytes type);
