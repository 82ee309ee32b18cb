/* SPDX-License-Identifier: Apache-2.0 */
/* emit: values, by the rules of their role. */
#include <stdio.h>

#include "filters/pdf/walk.h"

/* libqpdf reads 500 deep; no document that is meant to be read comes near. */
#define DEPTH_MAX 200

void
pdf_put(struct pdf_walk *w, struct bytes b)
{
	if (buf_append(&w->object, b) < 0)
		(void)detox_refuse(w->d, REFUSED_SIZE,
		    "an object of more than %zu bytes", w->object.max);
}

void
pdf_put_string(struct pdf_walk *w, const char *string)
{
	pdf_put(w, bytes_of(string));
}

static void
report(struct pdf_walk *w, const struct pdf_schema *s,
    const struct pdf_rule *rule, struct bytes value)
{
	char where[64];

	if (syntax_is(BYTES("/EmbeddedFiles"), rule->key) &&
	    pdf_report_files(w, value))
		return;
	if (rule == &s->other)
		snprintf(where, sizeof(where), "%s", s->name);
	else
		snprintf(where, sizeof(where), "%s: %.*s", s->name,
		    BYTES_PRINTF(rule->key));
	pdf_removed(w, rule->removal, where,
	    rule->removal == REMOVED_SCRIPT || rule->removal == REMOVED_FORM
		? value
		: (struct bytes){ 0 });
}

/* Values. */

/* Roles whose objects are written where they are used. */
static bool
is_copied(enum pdf_role role)
{
	return role == PDF_SCALAR || role == PDF_ACTION ||
	    role == PDF_OPENING || role == PDF_PLACE;
}

static bool
copy(struct pdf_walk *w, enum pdf_role role, struct bytes reference)
{
	struct buf room;
	struct bytes text = pdf_resolve(w, reference, &room);
	bool kept = pdf_emit(w, role, &text);

	buf_release(&room);
	return kept;
}

static bool
refer(struct pdf_walk *w, enum pdf_role role, struct bytes reference)
{
	struct syntax_reference r;
	uint32_t number;
	char text[32];

	if (is_copied(role))
		return copy(w, role, reference);
	if (!syntax_refers(reference, &r))
		return false;
	if (role == PDF_PLACE_PART)
		role = PDF_PAGE;
	number = pdf_number_of(w, r, role == PDF_NAMED ? PDF_ANY : role);
	if (number == 0)
		return false;
	snprintf(text, sizeof(text), "%u 0 R", number);
	pdf_put_string(w, text);
	return true;
}

static bool
plain(struct pdf_walk *w, enum pdf_role role, struct bytes value)
{
	if (role != PDF_SCALAR && role != PDF_ANY && role != PDF_NAMED &&
	    role != PDF_VALUE && role != PDF_PLACE && role != PDF_PLACE_PART &&
	    role != PDF_PLACE_LIST)
		return false;
	pdf_put(w, value);
	return true;
}

/* The role of an array's elements; PDF_LEFT_OUT: there may be no array. */
static enum pdf_role
role_of_elements(enum pdf_role role)
{
	switch (role) {
	case PDF_ANY:
	case PDF_NAMED:
		return PDF_ANY;
	case PDF_KIDS:
		return PDF_PAGE;
	case PDF_ANNOTATION:
	case PDF_PLACES:
	case PDF_STREAM:
		return role;
	case PDF_PLACE:
	case PDF_OPENING:
		return PDF_PLACE_PART;
	case PDF_PLACE_LIST:
		return PDF_PLACE;
	case PDF_VALUE:
		return PDF_SCALAR;
	case PDF_LEFT_OUT:
	case PDF_SCALAR:
	case PDF_IMAGE:
	case PDF_DRAWING:
	case PDF_CATALOG:
	case PDF_PAGE:
	case PDF_RESOURCES:
	case PDF_ACTION:
	case PDF_PLACE_PART:
	case PDF_NAMES:
	case PDF_OUTLINE:
	case PDF_FORM:
	case PDF_INFO:
	case PDF_TARGET:
	case PDF_ROLES:
		break;
	}
	return PDF_LEFT_OUT;
}

/* Whether what is left out leaves a null, for the others are counted. */
static bool
is_counted(enum pdf_role role)
{
	return role == PDF_ANY || role == PDF_PLACE_PART || role == PDF_PLACE ||
	    role == PDF_SCALAR;
}

/* Pages. Others read no page that is twice in their tree, nor one that is no
 * object of its own, and would read for ever a node that is its own ancestor.
 */

/* What was appended from there on becomes an object. */
static void
set_apart(struct pdf_walk *w, size_t start)
{
	const struct bytes value = { w->object.p + start, w->object.n - start };
	uint32_t number = pdf_writer_number(&w->writer);
	char text[32];

	if (number == 0 ||
	    pdf_writer_object(&w->writer, number, value) == DETOX_REFUSED)
		return;
	w->object.n = start;
	snprintf(text, sizeof(text), "%u 0 R", number);
	pdf_put_string(w, text);
}

static bool
put_page(struct pdf_walk *w, struct bytes text)
{
	size_t start = w->object.n;

	if (syntax_next(&text) != SYNTAX_DICTIONARY ||
	    syntax_get(text, "Kids").n > 0 || !pdf_emit(w, PDF_PAGE, &text))
		return false;
	set_apart(w, start);
	return true;
}

static bool
put_child(struct pdf_walk *w, struct bytes child)
{
	struct syntax_reference r;
	struct buf room;
	bool kept;

	if (!syntax_refers(child, &r))
		return put_page(w, child);
	if (pdf_number_of(w, r, PDF_PAGE) == 0)
		return false;
	if (pdf_claim(w, r))
		return pdf_emit(w, PDF_PAGE, &child);
	kept = put_page(w, pdf_resolve(w, child, &room));
	buf_release(&room);
	if (!kept)
		pdf_removed(
		    w, REMOVED_DAMAGED, "page: Kids", (struct bytes){ 0 });
	return kept;
}

static bool
element(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	return role == PDF_PAGE ? put_child(w, syntax_take(t))
				: pdf_emit(w, role, t);
}

static bool
array(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	enum pdf_role inner = role_of_elements(role);
	size_t before;

	if (inner == PDF_LEFT_OUT) {
		(void)syntax_take(t);
		return false;
	}
	(void)syntax_skip(t, "[");
	pdf_put_string(w, "[");
	while (syntax_next(t) != SYNTAX_NOTHING && !detox_is_over(w->d)) {
		before = w->object.n;
		if (w->object.p[before - 1] != '[')
			pdf_put_string(w, " ");
		if (element(w, inner, t))
			continue;
		w->object.n = before;
		if (is_counted(inner))
			pdf_put_string(w, " null");
	}
	(void)syntax_skip(t, "]");
	pdf_put_string(w, "]");
	return true;
}

/* A specification of a file may say no more than its name. */
static bool
names_file(const struct pdf_schema *s, struct bytes name, struct bytes value)
{
	return s == pdf_schema_of(PDF_ANY) && syntax_is(name, BYTES("F")) &&
	    syntax_next(&value) == SYNTAX_STRING;
}

/* The value of a dictionary's key. */
static void
member(struct pdf_walk *w, const struct pdf_schema *s, struct bytes name,
    struct bytes *t)
{
	const struct pdf_rule *rule = pdf_rule_of(s, name);
	enum pdf_role role = rule->role;
	size_t before = w->object.n;

	if (rule->removal == REMOVED_METADATA && rule != &s->other &&
	    w->d->profile->keep_metadata)
		role = PDF_ANY;
	if (role == PDF_LEFT_OUT) {
		report(w, s, rule, syntax_take(t));
		return;
	}
	if (names_file(s, name, *t)) {
		pdf_removed(w, REMOVED_EXTERNAL, s->name, syntax_take(t));
		return;
	}
	pdf_put(w, name);
	pdf_put_string(w, " ");
	if (!pdf_emit(w, role, t))
		w->object.n = before;
}

/* As what a dictionary is left out whose place says nothing of it. */
static enum detox_removal
condemns(struct bytes name, struct bytes value)
{
	if (syntax_next(&value) != SYNTAX_NAME)
		return PDF_SILENT;
	value = syntax_take(&value);
	if (syntax_is(name, BYTES("Type")))
		return pdf_type_removal(value);
	if (syntax_is(name, BYTES("S")))
		return pdf_deed_removal(value);
	return PDF_SILENT;
}

/* Pages say that they are, for others look for it. */
static void
name_page(struct pdf_walk *w, struct bytes text)
{
	if (syntax_get(text, "Type").n == 0)
		pdf_put_string(w,
		    syntax_get(text, "Kids").n > 0 ? "/Type/Pages"
						   : "/Type/Page");
	if (syntax_get(text, "Kids").n == 0)
		w->pages++;
}

static bool
dictionary(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	const struct pdf_schema *s = pdf_schema_of(role);
	enum detox_removal removal = PDF_SILENT;
	size_t start = w->object.n;
	struct bytes name;

	if (s == NULL) {
		(void)syntax_take(t);
		return false;
	}
	pdf_put_string(w, "<<");
	if (role == PDF_PAGE)
		name_page(w, *t);
	(void)syntax_skip(t, "<<");
	while (syntax_next(t) == SYNTAX_NAME && !detox_is_over(w->d)) {
		name = syntax_take(t);
		if (role == PDF_ANY && removal == PDF_SILENT)
			removal = condemns(name, *t);
		member(w, s, name, t);
	}
	(void)syntax_skip(t, ">>");
	pdf_put_string(w, ">>");
	if (removal == PDF_SILENT)
		return true;
	pdf_removed(w, removal, s->name, (struct bytes){ 0 });
	w->object.n = start;
	return false;
}

/* An annotation within the array of its page, and not an object of its own. */
static bool
annotation(struct pdf_walk *w, struct bytes *t)
{
	struct buf room;
	struct bytes subtype = pdf_value_of(w, *t, "Subtype", &room);
	enum detox_removal removal =
	    subtype.n > 0 ? pdf_annotation_removal(subtype) : PDF_SILENT;

	buf_release(&room);
	if (removal == PDF_SILENT)
		return dictionary(w, PDF_ANNOTATION, t);
	pdf_removed(w, removal, "annotation", (struct bytes){ 0 });
	(void)syntax_take(t);
	return false;
}

static bool
emit_dictionary(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	if (role == PDF_ACTION || role == PDF_OPENING)
		return pdf_action(w, syntax_take(t), role);
	if (role == PDF_PLACE)
		return pdf_place(w, syntax_take(t));
	if (role == PDF_ANNOTATION || role == PDF_TARGET)
		return annotation(w, t);
	if (role == PDF_VALUE)
		pdf_removed(w, REMOVED_SIGNATURE, "field", (struct bytes){ 0 });
	return dictionary(w, role, t);
}

static bool
emit(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	switch (syntax_next(t)) {
	case SYNTAX_NOTHING:
		break;
	case SYNTAX_DICTIONARY:
		return emit_dictionary(w, role, t);
	case SYNTAX_ARRAY:
		return array(w, role, t);
	case SYNTAX_REFERENCE:
		return refer(w, role, syntax_take(t));
	case SYNTAX_NAME:
	case SYNTAX_STRING:
	case SYNTAX_PLAIN:
		return plain(w, role, syntax_take(t));
	}
	return false;
}

bool
pdf_emit(struct pdf_walk *w, enum pdf_role role, struct bytes *t)
{
	bool kept = false;

	if (w->depth < DEPTH_MAX) {
		w->depth++;
		kept = emit(w, role, t);
		w->depth--;
	} else {
		(void)syntax_take(t);
		pdf_removed(w, REMOVED_DAMAGED, "nesting", (struct bytes){ 0 });
	}
	return kept;
}
