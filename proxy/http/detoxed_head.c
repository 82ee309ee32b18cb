/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "proxy/http/detoxing.h"
#include "proxy/http/inspect.h"
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

static const struct {
	const char *extension, *media;
} media_types[] = {
	{ "pdf", "application/pdf" },
	{ "docx",
	    "application/vnd.openxmlformats-officedocument.wordprocessingml."
	    "document" },
	{ "xlsx",
	    "application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "sheet" },
	{ "pptx",
	    "application/vnd.openxmlformats-officedocument.presentationml."
	    "presentation" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "odg", "application/vnd.oasis.opendocument.graphics" },
	{ "doc", "application/msword" },
	{ "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "rtf", "application/rtf" },
	{ "zip", "application/zip" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "csv", "text/csv" },
	{ "html", "text/html" },
	{ "svg", "image/svg+xml" },
	{ "xml", "application/xml" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "png", "image/png" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "bmp", "image/bmp" },
	{ "tif", "image/tiff" },
	{ "ico", "image/x-icon" },
};

/* Of what is called so; NULL: nobody knows. */
static const char *
media_of(struct bytes extension)
{
	for (size_t i = 0; i < COUNT(media_types); i++)
		if (bytes_equal_nocase(
			extension, bytes_of(media_types[i].extension)))
			return media_types[i].media;
	return NULL;
}

static enum magic_type
type_of_fd(int fd, uint64_t size)
{
	enum magic_type type;
	void *p;

	if (size == 0)
		return MAGIC_UNKNOWN;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return MAGIC_UNKNOWN;
	type = magic_type_of((struct bytes){ p, size }, true);
	munmap(p, size);
	return type;
}

/* What it has to be declared as; NULL: as it is. */
const char *
detoxing_media(const struct detoxing *d)
{
	enum magic_type type = type_of_fd(d->fd, d->size);
	struct bytes none = { 0 };
	const char *media;

	if (d->extension[0] == '\0' &&
	    (magic_types_named(none, d->object.declared) & MAGIC_BIT(type)) !=
		0)
		return NULL;
	media = media_of(d->extension[0] != '\0' ? bytes_of(d->extension)
						 : detox_extension(d->shown));
	if (media != NULL &&
	    (magic_types_named(none, bytes_of(media)) & MAGIC_BIT(type)) != 0)
		return media;
	media = media_of(bytes_of(magic_type_name(type)));
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

static bool
is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

/* filename for who knows no other, filename* for all (RFC 6266 section 4.3). */
static const char *
disposition_of(struct exchange *x, bool attachment, struct bytes name)
{
	char *plain = arena_alloc(&x->arena, name.n + 1);
	char *coded = arena_alloc(&x->arena, 3 * name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		plain[i] = is_plain(name.p[i]) ? (char)name.p[i] : '_';
		n += (size_t)snprintf(coded + n, 4,
		    is_plain(name.p[i]) ? "%c" : "%%%02X", name.p[i]);
	}
	plain[name.n] = coded[n] = '\0';
	return arena_printf(&x->arena,
	    "%s; filename=\"%s\"; filename*=UTF-8''%s",
	    attachment ? "attachment" : "inline", plain, coded);
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
		    disposition_of(x, is_attachment(m), d->shown));
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
