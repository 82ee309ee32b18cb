/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/detoxed.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filters/media.h"
#include "proxy/detox/treat.h"
#include "proxy/http/disposition.h"
#include "proxy/http/inspect.h"
#include "proxy/http/parts.h"
#include "proxy/http/stages.h"

#define REMOVED_MAX 1024
#define TAG_MARK ";sekisho-"
#define TAG_HEX 8

struct detoxing {
	struct exchange *x;
	struct content *content;
	bool up;
	struct content_object object; /* the one that is at hand */
	int part_fd;                  /* its, when it is a part; or -1 */
	struct parts *form;           /* or NULL */
	size_t at;                    /* of its parts */
	void *map;                    /* the form, and how many bytes it has */
	size_t map_n;
	int built; /* what was put together of it */
	uint64_t built_n;
	uint64_t left;                /* of what asked, in its order */
	const struct inspection *now; /* the last that was taken of it */
	uint32_t profiles;            /* that were applied, a bit for each */
	struct treat *treat;
	int fd; /* what came out last; -1: nothing yet */
	uint64_t size;
	struct bytes name;     /* as it is told the sandbox; or empty */
	struct bytes shown;    /* as it is called, for the client */
	const char *extension; /* that it got; "": its own */
	bool sanitised;
	char removed[REMOVED_MAX]; /* "macro:2 link:1" */
};

static const struct detox_profiles *
profiles(const struct exchange *x)
{
	return &x->edge->settings->profiles;
}

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
		memcpy(&digest, profiles(x)->digests[one->profile_at],
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
static const char *
new_media_type(const struct detoxing *d)
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
static struct bytes
rename_to(struct arena *a, struct bytes name, const char *extension)
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

static void
rewrite_head(struct detoxing *d)
{
	struct exchange *x = d->x;
	struct message *m = d->up ? &x->request : &x->response;
	const char *media = d->form != NULL ? NULL : new_media_type(d);

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

/* What the journal is told. */

static const char *const results[] = {
	[DETOX_IS_REFUSED] = "refused",
	[DETOX_IS_UNCHANGED] = "unchanged",
	[DETOX_IS_SANITISED] = "sanitised",
};

/* Kinds and how many of each, in words for programs. */
static void
sum_up(const struct detox_report *r, char out[REMOVED_MAX])
{
	uint64_t counts[DETOX_REMOVAL_KINDS] = { 0 };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->rows_n; i++)
		counts[r->rows[i].what] += r->rows[i].count;
	for (int k = 0; k < DETOX_REMOVAL_KINDS; k++)
		if (counts[k] > 0 && n + 64 < REMOVED_MAX)
			n += (size_t)snprintf(out + n, REMOVED_MAX - n,
			    "%s%s:%llu", n == 0 ? "" : " ",
			    detox_removal_words[k].name,
			    (unsigned long long)counts[k]);
}

static const char *
hex(const uint8_t digest[DETOX_DIGEST_SIZE], char out[65])
{
	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return out;
}

static void
record(const struct detoxing *d, const struct detox_outcome *o)
{
	struct exchange *x = d->x;
	const struct detox_report *r = &o->report;
	char text[ADDRESS_TEXT_MAX];
	char removed[REMOVED_MAX];
	char digest[65];
	struct log_line l;

	if (x->id[0] == '\0')
		log_id(x->id);
	sum_up(r, removed);
	log_begin(&l, EVENT_DETOXED, x->id);
	log_string(&l, "body", x->segment->body->code);
	log_string(&l, "zone", x->segment->zone->name);
	log_string(&l, "client", address_text(&x->address, text));
	log_text(&l, "host", x->url.host);
	log_string(&l, "way", d->up ? "up" : "down");
	log_string(&l, "rule", d->now->block.name);
	log_string(&l, "profile", d->now->profile);
	log_string(&l, "result", results[o->verdict]);
	log_string(&l, "type", magic_type_name(r->type));
	if (o->verdict == DETOX_IS_REFUSED) {
		log_string(&l, "refusal", detox_refusal_words[r->refusal].name);
		log_string(&l, "why", r->why);
	}
	if (r->disagrees[0] != '\0')
		log_string(&l, "disagrees", r->disagrees);
	if (removed[0] != '\0')
		log_string(&l, "removed", removed);
	if (o->exception != NULL) {
		log_string(&l, "exception", o->exception->owner);
		log_string(&l, "reason", o->exception->reason);
	}
	log_number(&l, "in_bytes", o->in_size);
	log_string(&l, "in_sha256", hex(o->in_digest, digest));
	if (o->verdict != DETOX_IS_REFUSED) {
		log_number(&l, "out_bytes", o->size);
		log_string(&l, "out_sha256", hex(o->digest, digest));
	}
	log_number(&l, "us", o->us);
	log_end(&l);
}

/* The work. */

static void
refuse(struct detoxing *d, const struct detox_report *r)
{
	struct exchange *x = d->x;
	struct detox_report *kept = ARENA_NEW(&x->arena, struct detox_report);

	*kept = *r;
	x->refused = kept;
	x->sending = d->up;
	x->decision.category = NULL;
	x->decision.rule = &d->now->block;
	x->decision.verdict = VERDICT_BLOCK;
	counter_add(COUNTER_BLOCKED, 1);
	/* Where it ends, detoxed_end takes d. */
	exchange_refuse(x,
	    r->refusal == REFUSED_BUSY ? ANSWER_BUSY : ANSWER_HARMFUL,
	    detox_refusal_words[r->refusal].name);
}

static void
finish(struct detoxing *d)
{
	struct exchange *x = d->x;
	struct content *c = d->content;
	bool up = d->up;
	int fd = d->fd;

	rewrite_head(d);
	d->fd = -1;
	if (!content_replace(c, fd, d->size)) {
		exchange_refuse(x, ANSWER_BUSY, "no room for what was made");
		return;
	}
	detoxed_end(x);
	if (up) {
		x->trailers_up_n = 0;
		inspect_replaced_up(x);
		return;
	}
	x->trailers_down_n = 0;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	inspect_send_down(x);
}

static void go_on(struct detoxing *d);

static void
on_done(void *owner, struct detox_outcome *o)
{
	struct detoxing *d = owner;

	d->treat = NULL;
	record(d, o);
	if (o->verdict == DETOX_IS_REFUSED) {
		refuse(d, &o->report);
		return;
	}
	if (d->fd >= 0)
		close(d->fd);
	d->fd = o->fd;
	d->size = o->size;
	d->sanitised |= o->verdict == DETOX_IS_SANITISED;
	if (o->report.rows_n > 0)
		sum_up(&o->report, d->removed);
	if (o->report.extension[0] != '\0') {
		d->extension =
		    arena_string(&d->x->arena, bytes_of(o->report.extension));
		d->shown = rename_to(&d->x->arena, d->shown, d->extension);
		d->name = d->shown;
	}
	go_on(d);
}

/* Forms. */

/* Also what begins so: servers read it as one. */
bool
detoxed_is_form(struct bytes media_type)
{
	return media_is_below(
	    bytes_trim(media_type), BYTES("multipart/form-data"));
}

static void
refuse_form(struct detoxing *d, const char *why)
{
	exchange_request_bad(d->x, 400, why);
}

static int
append_bytes(struct detoxing *d, struct bytes b)
{
	d->built_n += b.n;
	while (b.n > 0) {
		ssize_t n = write(d->built, b.p, b.n);

		if (n < 0)
			return -1;
		bytes_take(&b, (size_t)n);
	}
	return 0;
}

/* What came out of the present part, or what it was. */
static int
append_content(struct detoxing *d)
{
	struct bytes out = d->form->p[d->at].content;
	void *p = NULL;
	int result;

	if (d->fd < 0)
		return append_bytes(d, out);
	if (d->size > 0)
		p = mmap(NULL, d->size, PROT_READ, MAP_PRIVATE, d->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	result = append_bytes(d, (struct bytes){ p, d->size });
	if (p != NULL)
		munmap(p, d->size);
	return result;
}

static int
append_part(struct detoxing *d)
{
	struct buf head;
	int result;

	buf_init(&head, 4 * PART_HEAD_MAX);
	result = parts_before(d->form, d->at, &head) < 0 ||
		append_bytes(d, buf_bytes(&head)) < 0 ||
		(d->at < d->form->n && append_content(d) < 0)
	    ? -1
	    : 0;
	buf_release(&head);
	return result;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void begin_part(struct detoxing *d);

/* Nothing, or nothing more, has to be done with it. */
static void
end_part(struct detoxing *d)
{
	struct part *p = &d->form->p[d->at];

	if (d->fd >= 0) {
		p->media = new_media_type(d);
		p->extension = d->extension[0] != '\0' ? d->extension : NULL;
	}
	if (append_part(d) < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for the form");
		return;
	}
	close_fd(&d->fd);
	close_fd(&d->part_fd);
	d->at++;
	begin_part(d);
}

static void
end_form(struct detoxing *d)
{
	if (append_part(d) < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for the form");
		return;
	}
	d->fd = d->built;
	d->size = d->built_n;
	d->built = -1;
	finish(d);
}

/* Which of what asked for the form means the part. */
static uint64_t
asked_for(const struct detoxing *d, uint64_t asked, const struct part *p)
{
	const struct content_file f = { .type = magic_type_of(p->content, true),
		.name = p->name,
		.declared = p->declared };
	uint64_t meant = 0;

	if (p->content.n == 0)
		return 0;
	for (; asked != 0; asked &= asked - 1) {
		int k = __builtin_ctzll(asked);

		if (content_is_meant(d->object.inspections[k], &f))
			meant |= UINT64_C(1) << k;
	}
	return meant;
}

static void
begin_part(struct detoxing *d)
{
	const struct part *p = &d->form->p[d->at];
	struct err e;

	if (d->at == d->form->n) {
		end_form(d);
		return;
	}
	d->left = asked_for(d, d->object.asked, p);
	d->profiles = 0;
	d->extension = "";
	d->name = d->shown = p->name;
	d->object.declared = p->declared;
	d->object.type = magic_type_of(p->content, true);
	if (d->left == 0) {
		end_part(d);
		return;
	}
	d->part_fd = detox_seal(p->content, &e);
	if (d->part_fd < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for a file");
		return;
	}
	go_on(d);
}

static void
begin_form(struct detoxing *d, uint64_t size)
{
	struct exchange *x = d->x;
	struct bytes boundary;
	const char *why;

	d->map_n = size;
	d->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, d->object.fd, 0);
	d->built = memfd_create("form", MFD_CLOEXEC);
	d->form = ARENA_NEW(&x->arena, struct parts);
	if (d->map == MAP_FAILED || d->built < 0) {
		d->map = NULL;
		exchange_refuse(x, ANSWER_BUSY, "no room for the form");
		return;
	}
	if (parts_boundary(d->object.declared, &boundary, &why) < 0 ||
	    parts_split(d->form, (struct bytes){ d->map, d->map_n }, boundary,
		&x->arena, &why) < 0) {
		refuse_form(d, why);
		return;
	}
	begin_part(d);
}

/* The next profile that asks for it, each once. */
static const struct inspection *
take_next(struct detoxing *d)
{
	while (d->left != 0) {
		const struct inspection *i =
		    d->object.inspections[__builtin_ctzll(d->left)];

		d->left &= d->left - 1;
		if ((d->profiles >> i->profile_at & 1) != 0)
			continue;
		d->profiles |= UINT32_C(1) << i->profile_at;
		return i;
	}
	return NULL;
}

static void
refuse_for(struct detoxing *d, enum detox_refusal r, const char *why)
{
	struct detox_outcome *o = calloc(1, sizeof(*o));

	must(o != NULL);
	o->report.refusal = r;
	o->report.type = d->object.type;
	snprintf(o->report.why, sizeof(o->report.why), "%s", why);
	record(d, o);
	refuse(d, &o->report);
	free(o);
}

static void
go_on(struct detoxing *d)
{
	struct exchange *x = d->x;
	const struct inspection *next = take_next(d);
	struct detox_order order;
	struct err e;

	if (next == NULL && d->form != NULL) {
		end_part(d);
		return;
	}
	if (next == NULL) {
		finish(d);
		return;
	}
	d->now = next;
	order = (struct detox_order){
		.profile = next->profile_at,
		.name = d->name,
		/* It was of what came, not of what was made of it. */
		.declared =
		    d->fd >= 0 ? (struct bytes){ 0 } : d->object.declared,
	};
	if (order.name.n > DETOX_NAME_MAX)
		bytes_take(&order.name, order.name.n - DETOX_NAME_MAX);
	if (order.declared.n > DETOX_NAME_MAX)
		order.declared.n = DETOX_NAME_MAX;
	d->treat = treat_new(x->edge->loop, x->edge->detox, profiles(x),
	    d->fd >= 0            ? d->fd
		: d->part_fd >= 0 ? d->part_fd
				  : d->object.fd,
	    &order, on_done, d, &e);
	if (d->treat == NULL)
		refuse_for(d, REFUSED_MEMORY, e.text);
}

/* Of a path, where bytes are escaped. */
static struct bytes
without_escapes(struct arena *a, struct bytes name)
{
	uint8_t *p = arena_alloc(a, name.n + 1);
	size_t n = 0;

	while (name.n > 0) {
		bool escape = name.n > 2 && name.p[0] == '%' &&
		    byte_hex(name.p[1]) >= 0 && byte_hex(name.p[2]) >= 0;

		p[n] = name.p[0];
		if (escape)
			p[n] = (uint8_t)((unsigned)byte_hex(name.p[1]) << 4 |
			    (unsigned)byte_hex(name.p[2]));
		n++;
		bytes_take(&name, escape ? 3 : 1);
	}
	return (struct bytes){ p, n };
}

static struct bytes
shown_name(struct exchange *x)
{
	bool guessed;
	struct bytes name = inspect_file_name(x, &guessed);

	return guessed ? without_escapes(&x->arena, name) : name;
}

static struct detoxing *
detoxing_new(struct exchange *x, struct content *c)
{
	struct detoxing *d = ARENA_NEW(&x->arena, struct detoxing);

	*d = (struct detoxing){
		.x = x,
		.content = c,
		.up = c == x->content_up,
		.fd = -1,
		.part_fd = -1,
		.built = -1,
		.extension = "",
		.shown = shown_name(x),
	};
	return d;
}

bool
detoxed_begin(struct exchange *x, struct content *c)
{
	struct detoxing *d = detoxing_new(x, c);
	struct err e;

	if (content_object(c, &d->object, &e) < 0) {
		exchange_refuse(x, ANSWER_BUSY, "the file cannot be sealed");
		return false;
	}
	d->left = d->object.asked;
	d->name = d->object.name;
	x->detoxing = d;
	/* Scanners and jobs have deadlines of their own. */
	exchange_deadline(x, UINT32_MAX);
	if (d->up && detoxed_is_form(d->object.declared))
		begin_form(d, content_object_size(c));
	else
		go_on(d);
	return !x->finished;
}

void
detoxed_refuse_large(struct exchange *x, struct content *c)
{
	struct detoxing *d = detoxing_new(x, c);
	struct err e;

	if (content_object(c, &d->object, &e) < 0) {
		exchange_refuse(x, ANSWER_BUSY, "the file cannot be sealed");
		return;
	}
	d->left = d->object.asked;
	d->now = take_next(d);
	refuse_for(d, REFUSED_SIZE, "larger than the profile allows");
}

void
detoxed_end(struct exchange *x)
{
	struct detoxing *d = x->detoxing;

	x->detoxing = NULL;
	if (d == NULL)
		return;
	if (d->treat != NULL)
		treat_cancel(d->treat);
	close_fd(&d->fd);
	close_fd(&d->part_fd);
	close_fd(&d->built);
	if (d->map != NULL)
		munmap(d->map, d->map_n);
	d->map = NULL;
}
