/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/walk.h"

#include <stdio.h>

#include "filters/pdf/unpack.h"

#define ENTRIES_MAX ((size_t)8000000)
/* libqpdf reads 500 deep; no document that is meant to be read comes near. */
#define DEPTH_MAX 200
/* What is written where it is used is small: an action, a place, a string. */
#define COPY_MAX ((size_t)1 << 20)
#define COPIES_MAX ((uint64_t)256 << 20)
#define RECOVERED_MAX 5000
/* Of what is left out, for its digest. */
#define CONTENT_MAX ((size_t)64 << 20)

struct pdf_entry {
	struct syntax_reference object;
	uint32_t number; /* 0: it is left out */
	uint8_t role;
	bool again;   /* as another entry, under another role */
	bool claimed; /* as a child of a node of pages */
};

void
pdf_walk_init(struct pdf_walk *w, struct detox *d, qpdf_data q)
{
	*w = (struct pdf_walk){ .d = d, .q = q };
	buf_init(&w->text, d->profile->tree_max);
	buf_init(&w->object, d->profile->out_max);
	buf_init(&w->entries, ENTRIES_MAX * sizeof(struct pdf_entry));
	buf_init(&w->slots, 4 * ENTRIES_MAX * sizeof(uint32_t));
}

void
pdf_walk_release(struct pdf_walk *w)
{
	buf_release(&w->text);
	buf_release(&w->object);
	buf_release(&w->entries);
	buf_release(&w->slots);
}

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

bool
pdf_failed(struct pdf_walk *w)
{
	if (!qpdf_has_error(w->q))
		return false;
	(void)qpdf_get_error(w->q);
	return true;
}

void
pdf_take_warnings(struct pdf_walk *w)
{
	static const char recovers[] = "attempting to recover stream length";
	qpdf_error e;

	while (qpdf_more_warnings(w->q)) {
		e = qpdf_next_warning(w->q);
		w->warnings++;
		w->recovered += strcmp(qpdf_get_error_message_detail(w->q, e),
				    recovers) == 0;
	}
	if (w->recovered > RECOVERED_MAX)
		(void)detox_refuse(w->d, REFUSED_BROKEN,
		    "more than %d streams have no end", RECOVERED_MAX);
}

/* Entries. */

static struct pdf_entry *
entry_at(const struct pdf_walk *w, size_t i)
{
	return (struct pdf_entry *)(void *)w->entries.p + i;
}

static size_t
entries_n(const struct pdf_walk *w)
{
	return w->entries.n / sizeof(struct pdf_entry);
}

static size_t
hash(struct syntax_reference r, enum pdf_role role)
{
	uint64_t h = (uint64_t)(uint32_t)r.id << 24 ^
	    (uint64_t)(uint32_t)r.generation << 8 ^ (uint64_t)role;

	h *= 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 20);
}

/* The slot of such an entry, or the empty one where it would be. Slots hold the
 * entry's position and 1. */
static uint32_t *
slot_of(struct pdf_walk *w, struct syntax_reference r, enum pdf_role role)
{
	uint32_t *slots = (uint32_t *)(void *)w->slots.p;
	size_t n = w->slots.n / sizeof(*slots);
	const struct pdf_entry *e;
	size_t i;

	for (i = hash(r, role) & (n - 1); slots[i] != 0;
	     i = (i + 1) & (n - 1)) {
		e = entry_at(w, slots[i] - 1);
		if (e->object.id == r.id &&
		    e->object.generation == r.generation && e->role == role)
			break;
	}
	return &slots[i];
}

/* Room for one more; false: too many. */
static bool
grow_slots(struct pdf_walk *w)
{
	size_t n = w->slots.n / sizeof(uint32_t);
	const struct pdf_entry *e;

	if (n > 2 * entries_n(w))
		return true;
	n = n == 0 ? 1024 : n * 2;
	w->slots.n = 0;
	if (buf_reserve(&w->slots, n * sizeof(uint32_t)) < 0)
		return false;
	w->slots.n = n * sizeof(uint32_t);
	memset(w->slots.p, 0, w->slots.n);
	for (size_t i = 0; i < entries_n(w); i++) {
		e = entry_at(w, i);
		*slot_of(w, e->object, e->role) = (uint32_t)i + 1;
	}
	return true;
}

static void
add_entry(struct pdf_walk *w, const struct pdf_entry *e)
{
	if (!grow_slots(w) ||
	    buf_append(&w->entries,
		(struct bytes){ (const uint8_t *)e, sizeof(*e) }) < 0) {
		(void)detox_refuse(w->d, REFUSED_ENTRIES,
		    "more than %zu objects", ENTRIES_MAX);
		return;
	}
	*slot_of(w, e->object, e->role) = (uint32_t)entries_n(w);
}

static struct pdf_entry *
find_entry(struct pdf_walk *w, struct syntax_reference r, enum pdf_role role)
{
	uint32_t slot = w->slots.n > 0 ? *slot_of(w, r, role) : 0;

	return slot == 0 ? NULL : entry_at(w, slot - 1);
}

/* What an object is, and whether it may be reached so. */

static struct bytes
print(struct pdf_walk *w, qpdf_oh oh, struct buf *out)
{
	const char *text = qpdf_oh_unparse_resolved(w->q, oh);
	size_t n = pdf_failed(w) ? 0 : qpdf_get_last_string_length(w->q);

	out->n = 0;
	if (buf_append(out, (struct bytes){ (const uint8_t *)text, n }) < 0)
		return (struct bytes){ 0 };
	return buf_bytes(out);
}

/* A name of a dictionary, appended to out with its slash. */
static struct bytes
name_of(
    struct pdf_walk *w, qpdf_oh dictionary, const char *key, struct buf *out)
{
	qpdf_oh value = qpdf_oh_get_key_if_dict(w->q, dictionary, key);
	const char *name = NULL;
	size_t n = 0;

	out->n = 0;
	if (qpdf_oh_get_value_as_name(w->q, value, &name, &n) &&
	    buf_append(out, (struct bytes){ (const uint8_t *)name, n }) < 0)
		out->n = 0;
	qpdf_oh_release(w->q, value);
	(void)pdf_failed(w);
	return buf_bytes(out);
}

/* By what it says of itself, for it is known where such a thing belongs. */
static enum pdf_role
role_of_type(struct pdf_walk *w, struct bytes type)
{
	static const struct {
		struct bytes type;
		enum pdf_role role;
	} types[] = {
		{ BYTES_ROW("Page"), PDF_PAGE },
		{ BYTES_ROW("Pages"), PDF_PAGE },
		{ BYTES_ROW("Annot"), PDF_ANNOTATION },
		{ BYTES_ROW("Outlines"), PDF_OUTLINE },
	};
	enum detox_removal removal = pdf_type_removal(type);

	for (size_t i = 0; i < COUNT(types); i++)
		if (syntax_is(type, types[i].type))
			return types[i].role;
	if (removal == PDF_SILENT)
		return PDF_ANY;
	pdf_removed(w, removal, "object", (struct bytes){ 0 });
	return PDF_LEFT_OUT;
}

static void
leave_out_annotation(
    struct pdf_walk *w, qpdf_oh annotation, enum detox_removal removal)
{
	struct bytes none = { 0 };
	struct buf text;

	if (removal != REMOVED_FILE) {
		pdf_removed(w, removal, "annotation", none);
		return;
	}
	buf_init(&text, COPY_MAX);
	pdf_report_file(w, syntax_get(print(w, annotation, &text), "FS"));
	buf_release(&text);
}

static enum pdf_role
role_of_dictionary(struct pdf_walk *w, qpdf_oh oh, enum pdf_role role)
{
	enum detox_removal removal;
	struct bytes name;
	struct buf room;

	if (role == PDF_STREAM)
		return PDF_LEFT_OUT;
	buf_init(&room, 256);
	if (role == PDF_ANY) {
		name = name_of(w, oh, "/Type", &room);
		role = name.n > 0 ? role_of_type(w, name) : role;
	} else if (role == PDF_TARGET) {
		role = PDF_ANNOTATION;
	}
	if (role == PDF_ANNOTATION) {
		name = name_of(w, oh, "/Subtype", &room);
		removal =
		    name.n > 0 ? pdf_annotation_removal(name) : PDF_SILENT;
		if (removal != PDF_SILENT) {
			leave_out_annotation(w, oh, removal);
			role = PDF_LEFT_OUT;
		}
	}
	buf_release(&room);
	return role;
}

/* The role that the object really has. */
static enum pdf_role
role_of(struct pdf_walk *w, struct syntax_reference r, enum pdf_role role)
{
	qpdf_oh oh = qpdf_get_object_by_id(w->q, r.id, r.generation);
	enum qpdf_object_type_e type = qpdf_oh_get_type_code(w->q, oh);
	bool free = role == PDF_ANY || role == PDF_VALUE;

	if (pdf_failed(w))
		role = PDF_LEFT_OUT;
	else if (type == ot_stream)
		role = free || role == PDF_STREAM || role == PDF_TARGET
		    ? PDF_STREAM
		    : PDF_LEFT_OUT;
	else if (type == ot_dictionary)
		role = role_of_dictionary(w, oh, role);
	else if (type == ot_null || type == ot_uninitialized ||
	    (type != ot_array && !free))
		role = PDF_LEFT_OUT;
	qpdf_oh_release(w->q, oh);
	pdf_take_warnings(w);
	return role;
}

uint32_t
pdf_number_of(struct pdf_walk *w, struct syntax_reference r, enum pdf_role role)
{
	const struct pdf_entry *known = find_entry(w, r, role);
	struct pdf_entry e = { .object = r, .role = (uint8_t)role };
	enum pdf_role real;

	if (known != NULL)
		return known->number;
	real = role_of(w, r, role);
	known = real == role || real == PDF_LEFT_OUT ? NULL
						     : find_entry(w, r, real);
	if (known != NULL) {
		e.number = known->number;
		e.again = true;
	} else if (real != PDF_LEFT_OUT) {
		e.number = pdf_writer_number(&w->writer);
	}
	if (real != role && real != PDF_LEFT_OUT && known == NULL) {
		e.role = (uint8_t)real;
		add_entry(w, &e);
		e.role = (uint8_t)role;
		e.again = true;
	}
	add_entry(w, &e);
	return e.number;
}

/* Copies. */

struct bytes
pdf_resolve(struct pdf_walk *w, struct bytes value, struct buf *copy)
{
	struct syntax_reference r;
	struct bytes text = { 0 };
	qpdf_oh oh;

	buf_init(copy, COPY_MAX);
	if (!syntax_refers(value, &r))
		return value;
	oh = qpdf_get_object_by_id(w->q, r.id, r.generation);
	if (!qpdf_oh_is_stream(w->q, oh))
		text = print(w, oh, copy);
	(void)pdf_failed(w);
	qpdf_oh_release(w->q, oh);
	/* The same object may be asked for from millions of places. */
	w->copied += text.n;
	if (w->copied > COPIES_MAX)
		(void)detox_refuse(
		    w->d, REFUSED_BOMB, "small objects are used too often");
	return text;
}

struct bytes
pdf_value_of(struct pdf_walk *w, struct bytes dictionary, const char *key,
    struct buf *copy)
{
	return pdf_resolve(w, syntax_get(dictionary, key), copy);
}

/* Reports. */

/* The bytes of a stream, unpacked if it is packed in the usual way. */
static void
stream_content(struct pdf_walk *w, qpdf_oh stream, struct buf *out)
{
	qpdf_oh dictionary = qpdf_oh_get_dict(w->q, stream);
	struct buf room;
	struct buf unpacked;
	struct bytes filter;

	buf_init(&room, 256);
	buf_init(&unpacked, out->max);
	filter = name_of(w, dictionary, "/Filter", &room);
	if (pdf_stream_bytes(w, stream, qpdf_dl_none, out) &&
	    pdf_filter_of(filter) == PDF_FILTER_FLATE &&
	    pdf_inflate(buf_bytes(out), &unpacked)) {
		buf_release(out);
		*out = unpacked;
	} else {
		buf_release(&unpacked);
	}
	qpdf_oh_release(w->q, dictionary);
	buf_release(&room);
}

/* The bytes of a string, or of a stream, that the value is or refers to. */
static void
content_of(struct pdf_walk *w, struct bytes value, struct buf *out)
{
	struct syntax_reference r;
	struct buf copy;
	qpdf_oh oh;

	if (syntax_refers(value, &r)) {
		oh = qpdf_get_object_by_id(w->q, r.id, r.generation);
		if (qpdf_oh_is_stream(w->q, oh))
			stream_content(w, oh, out);
		(void)pdf_failed(w);
		qpdf_oh_release(w->q, oh);
	}
	value = pdf_resolve(w, value, &copy);
	if (syntax_next(&value) == SYNTAX_STRING &&
	    syntax_string(value, out) < 0)
		out->n = 0;
	buf_release(&copy);
}

void
pdf_removed(struct pdf_walk *w, enum detox_removal what, const char *where,
    struct bytes value)
{
	struct buf content;

	if (what == PDF_SILENT)
		return;
	buf_init(&content, CONTENT_MAX);
	/* Behind the last row nobody reads a digest. */
	if (value.n > 0 && w->d->rows_n < DETOX_ROWS_MAX)
		content_of(w, value, &content);
	detox_removed(w->d, what, where, buf_bytes(&content));
	buf_release(&content);
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
	case PDF_PAGE:
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
	struct pdf_entry *e;
	struct buf room;
	bool kept;

	if (!syntax_refers(child, &r))
		return put_page(w, child);
	if (pdf_number_of(w, r, PDF_PAGE) == 0)
		return false;
	e = find_entry(w, r, PDF_PAGE);
	if (e != NULL && !e->claimed) {
		e->claimed = true;
		return pdf_emit(w, PDF_PAGE, &child);
	}
	kept = put_page(w, pdf_resolve(w, child, &room));
	buf_release(&room);
	if (!kept)
		pdf_removed(
		    w, REMOVED_DAMAGED, "page: Kids", (struct bytes){ 0 });
	return kept;
}

void
pdf_claim(struct pdf_walk *w, struct syntax_reference r)
{
	struct pdf_entry *e = find_entry(w, r, PDF_PAGE);

	if (e != NULL)
		e->claimed = true;
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

/* An object of the queue. */

static enum detox_result
write_value(struct pdf_walk *w, qpdf_oh oh, const struct pdf_entry *e)
{
	struct bytes text = print(w, oh, &w->text);

	w->object.n = 0;
	if (!pdf_emit(w, e->role, &text))
		pdf_put_string(w, "null");
	if (detox_is_over(w->d))
		return DETOX_REFUSED;
	return pdf_writer_object(&w->writer, e->number, buf_bytes(&w->object));
}

static enum detox_result
write_entry(struct pdf_walk *w, const struct pdf_entry *e)
{
	qpdf_oh oh =
	    qpdf_get_object_by_id(w->q, e->object.id, e->object.generation);
	enum detox_result result;

	if (qpdf_oh_is_stream(w->q, oh))
		result = pdf_stream(w, e->number, oh);
	else
		result = write_value(w, oh, e);
	(void)pdf_failed(w);
	qpdf_oh_release(w->q, oh);
	return result;
}

enum detox_result
pdf_walk_run(struct pdf_walk *w)
{
	struct pdf_entry e;

	for (size_t i = 0; i < entries_n(w); i++) {
		/* A copy, for the entries move as they grow. */
		e = *entry_at(w, i);
		if (e.again || e.number == 0)
			continue;
		if (write_entry(w, &e) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return detox_is_over(w->d) ? DETOX_REFUSED : DETOX_REBUILT;
}
