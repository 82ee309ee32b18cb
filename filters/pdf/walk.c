/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/walk.h"

#define ENTRIES_MAX ((size_t)8000000)

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
	buf_init(&text, PDF_COPY_MAX);
	pdf_report_file(w, syntax_get(pdf_print(w, annotation, &text), "FS"));
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
		name = pdf_name_of(w, oh, "/Type", &room);
		role = name.n > 0 ? role_of_type(w, name) : role;
	} else if (role == PDF_TARGET) {
		role = PDF_ANNOTATION;
	}
	if (role == PDF_ANNOTATION) {
		name = pdf_name_of(w, oh, "/Subtype", &room);
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

bool
pdf_claim(struct pdf_walk *w, struct syntax_reference r)
{
	struct pdf_entry *e = find_entry(w, r, PDF_PAGE);

	if (e == NULL || e->claimed)
		return false;
	e->claimed = true;
	return true;
}

/* An object of the queue. */

static enum detox_result
write_value(struct pdf_walk *w, qpdf_oh oh, const struct pdf_entry *e)
{
	struct bytes text = pdf_print(w, oh, &w->text);

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
