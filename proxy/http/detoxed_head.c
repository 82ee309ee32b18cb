/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/detoxing.h"
#include "proxy/http/disposition.h"
#include "proxy/http/inspect.h"
#include "proxy/http/media_types.h"
#include "proxy/http/stages.h"

#define TAG_MARK ";sekisho-"
#define TAG_HEX 8

/* Tags (RFC 9110 section 8.8.3). What was made of a representation is another
 * one; it says of which, and by which profiles. */

static uint32_t
profiles_digest(const struct exchange *x)
{
	uint32_t all = 0;

	for (size_t i = 0; i < x->inspections_n; i++) {
		const struct inspection *one = x->inspections[i];
		uint32_t digest;

		if (one->kind != INSPECTION_DETOX)
			continue;
		memcpy(&digest, detoxing_profiles(x)->digests[one->profile_at],
		    sizeof(digest));
		all = (all << 7 | all >> 25) ^ digest;
	}
	return all;
}

static const char *
own_mark(struct exchange *x)
{
	return arena_printf(
	    &x->arena, TAG_MARK "%08x", (unsigned)profiles_digest(x));
}

static void
mark_tag(struct exchange *x, struct field *f)
{
	struct bytes tag = f->value;

	if (bytes_equal_nocase(f->name, BYTES("etag")) && tag.n > 1 &&
	    tag.p[tag.n - 1] == '"')
		f->value = bytes_of(arena_printf(&x->arena, "%.*s%s\"",
		    (int)tag.n - 1, (const char *)tag.p, own_mark(x)));
}

/* The next entity-tag of a list, with its quotes. */
static struct bytes
take_tag(struct bytes *list)
{
	size_t n = 0;
	bool quoted = false;

	while (n < list->n && (quoted || list->p[n] != ','))
		quoted ^= list->p[n++] == '"';
	struct bytes tag = bytes_trim(bytes_take(list, n));

	bytes_take(list, list->n > 0);
	return tag;
}

/* Without the mark, when it is ours; false: what it names is no more. */
static bool
unmark_tag(struct exchange *x, struct bytes *tag)
{
	const size_t mark_n = sizeof(TAG_MARK) - 1 + TAG_HEX;
	struct bytes end;

	if (tag->n < mark_n + 2 || tag->p[tag->n - 1] != '"')
		return true;
	end = (struct bytes){ tag->p + tag->n - 1 - mark_n, mark_n };
	if (memcmp(end.p, TAG_MARK, sizeof(TAG_MARK) - 1) != 0)
		return true;
	if (!bytes_equal(end, bytes_of(own_mark(x))))
		return false;
	*tag = bytes_of(arena_printf(&x->arena, "%.*s\"",
	    (int)(tag->n - 1 - mark_n), (const char *)tag->p));
	x->own_tag = true;
	return true;
}

/* Whether any is left. */
static bool
unmark_tags(struct exchange *x, struct field *f)
{
	struct bytes list = f->value;
	const char *all = "";

	while (list.n > 0) {
		struct bytes tag = take_tag(&list);

		if (tag.n > 0 && unmark_tag(x, &tag))
			all = arena_printf(&x->arena, "%s%s%.*s", all,
			    all[0] == '\0' ? "" : ", ", BYTES_PRINTF(tag));
	}
	f->value = bytes_of(all);
	f->hop |= f->value.n == 0;
	return f->value.n > 0;
}

void
detoxed_ask(struct exchange *x)
{
	struct message *m = &x->request;

	for (size_t i = 0; i < m->fields_n; i++) {
		struct field *f = &m->fields[i];

		if (bytes_equal_nocase(f->name, BYTES("if-match")))
			(void)unmark_tags(x, f);
		/* By its time alone a copy of another profile would stay. */
		else if (bytes_equal_nocase(f->name, BYTES("if-none-match")) &&
		    !unmark_tags(x, f))
			inspect_leave_out_named(m, BYTES("if-modified-since"));
	}
}

/* Fields that are true of the bytes as they came. */
static void
leave_out_of_bytes(struct exchange *x, struct message *m)
{
	inspect_leave_out(m, FIELD_CONTENT_LENGTH);
	inspect_leave_out(m, FIELD_CONTENT_ENCODING);
	inspect_leave_out_named(m, BYTES("accept-ranges"));
	inspect_leave_out_named(m, BYTES("last-modified"));
	for (size_t i = 0; i < m->fields_n; i++) {
		m->fields[i].hop |= inspect_describes_coding(&m->fields[i]);
		mark_tag(x, &m->fields[i]);
	}
}

static bool
is_meant_by_its_head(struct exchange *x)
{
	const struct field *type =
	    message_field(&x->response, FIELD_CONTENT_TYPE);
	bool guessed;
	uint64_t named = magic_types_named(inspect_file_name(x, &guessed),
	    type == NULL ? (struct bytes){ 0 } : type->value);

	for (size_t i = 0; i < x->inspections_n; i++)
		if (x->inspections[i]->kind == INSPECTION_DETOX &&
		    x->inspections[i]->downloads &&
		    (x->inspections[i]->types & named) != 0)
			return true;
	return false;
}

#define FIELD_NAME "Sekisho-Detox"

void
detoxed_answer(struct exchange *x)
{
	struct message *m = &x->response;

	inspect_leave_out_named(m, BYTES(FIELD_NAME));
	if (m->status == 304 && x->own_tag) {
		for (size_t i = 0; i < m->fields_n; i++)
			mark_tag(x, &m->fields[i]);
	} else if (exchange_is_method(x, BYTES("HEAD")) &&
	    is_meant_by_its_head(x)) {
		leave_out_of_bytes(x, m);
		m->has_content_length = false;
	}
}

/* The head of what was made. */

/* What it has to be declared as; NULL: as it is. */
const char *
detoxing_media(const struct detoxing *d)
{
	enum magic_type type = magic_type_of_fd(d->fd, d->size);
	struct bytes none = { 0 };
	const char *media;

	if (d->extension[0] == '\0' &&
	    (magic_types_named(none, d->object.declared) & MAGIC_BIT(type)) !=
		0)
		return NULL;
	media = media_type_named(d->extension[0] != '\0'
		? bytes_of(d->extension)
		: detox_extension(d->shown));
	if (media != NULL &&
	    (magic_types_named(none, bytes_of(media)) & MAGIC_BIT(type)) != 0)
		return media;
	media = media_type_named(bytes_of(magic_type_name(type)));
	return media != NULL ? media : "application/octet-stream";
}

static void
set_field(struct exchange *x, struct message *m, enum field_id id,
    const char *name, const char *value)
{
	struct field *more =
	    ARENA_ARRAY(&x->arena, struct field, m->fields_n + 1);

	inspect_leave_out_named(m, bytes_of(name));
	if (m->fields_n > 0)
		memcpy(more, m->fields, m->fields_n * sizeof(*more));
	more[m->fields_n++] = (struct field){
		.id = id, .name = bytes_of(name), .value = bytes_of(value)
	};
	m->fields = more;
}

/* The same name with what it ends with now. */
struct bytes
detoxing_rename(struct arena *a, struct bytes name, const char *extension)
{
	struct bytes old = detox_extension(name);

	if (name.n == 0)
		name = BYTES("download");
	else if (old.n > 0)
		name.n -= old.n + 1;
	return bytes_of(
	    arena_printf(a, "%.*s.%s", BYTES_PRINTF(name), extension));
}

static bool
is_attachment(const struct message *m)
{
	const struct field *f = message_field(m, FIELD_CONTENT_DISPOSITION);
	struct bytes value = f == NULL ? (struct bytes){ 0 } : f->value;

	return bytes_equal_nocase(
	    bytes_trim(bytes_take_until(&value, ';')), BYTES("attachment"));
}

void
detoxing_rewrite(struct detoxing *d)
{
	struct exchange *x = d->x;
	struct message *m = d->up ? &x->request : &x->response;
	const char *media = d->form != NULL ? NULL : detoxing_media(d);

	leave_out_of_bytes(x, m);
	if (media != NULL)
		set_field(x, m, FIELD_CONTENT_TYPE, "Content-Type", media);
	if (!d->up && d->extension[0] != '\0')
		set_field(x, m, FIELD_CONTENT_DISPOSITION,
		    "Content-Disposition",
		    disposition_text(&x->arena,
			is_attachment(m) ? "attachment" : "inline", d->shown));
	if (!d->up)
		set_field(x, m, FIELD_OTHER, FIELD_NAME,
		    arena_printf(&x->arena, "%s%s%s%s",
			d->sanitised ? "sanitised" : "unchanged",
			d->removed[0] != '\0' ? "; removed=\"" : "", d->removed,
			d->removed[0] != '\0' ? "\"" : ""));
	m->framing = FRAMING_LENGTH;
	m->content_length = d->size;
	m->has_content_length = true;
}
