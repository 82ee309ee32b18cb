/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/tnef.h"

#include "filters/mail/mapi.h"
#include "filters/ole/le.h"

#define SIGNATURE_SIZE 6 /* with its key */
#define GUID_SIZE 16

enum attribute {
	ATTRIBUTE_SUBJECT = 0x00018004,
	ATTRIBUTE_BODY = 0x0002800c,
	ATTRIBUTE_FILE_BEGINS = 0x00069002,
	ATTRIBUTE_FILE_NAME = 0x00018010,
	ATTRIBUTE_FILE_DATA = 0x0006800f,
	ATTRIBUTE_FILE_PROPERTIES = 0x00069005,
	ATTRIBUTE_PROPERTIES = 0x00069003,
	ATTRIBUTE_CODEPAGE = 0x00069007,
};

struct reader {
	struct detox *d;
	struct mapi_message *message;
	struct mapi_file *file; /* that attributes are about */
	unsigned depth;
	bool damaged;
};

static struct mapi_message *read_tnef(
    struct detox *d, struct bytes in, unsigned depth);

static bool
take32(struct bytes *b, uint32_t *out)
{
	struct bytes four = bytes_take(b, 4);

	if (four.n < 4)
		return false;
	*out = le32(four.p);
	return true;
}

/* Bytes behind their count, filled up to a multiple of four. */
static bool
take_counted(struct bytes *b, struct bytes *out)
{
	uint32_t n;

	if (!take32(b, &n) || n > b->n)
		return false;
	*out = bytes_take(b, n);
	bytes_take(b, (4 - n % 4) % 4);
	return true;
}

/* The bytes of a value that has no count; 0: it has one. */
static size_t
fixed_size(uint16_t type)
{
	switch (type) {
	case 0x0005: /* double */
	case 0x0006: /* currency */
	case 0x0007: /* date */
	case 0x0014: /* 64 bits */
	case MAPI_TIME:
		return 8;
	case 0x0048: /* GUID */
		return GUID_SIZE;
	case MAPI_OBJECT:
	case MAPI_STRING8:
	case MAPI_UNICODE:
	case MAPI_BINARY:
		return 0;
	default:
		return 4;
	}
}

/* A named property has its name before its value. */
static bool
skip_name(struct bytes *b)
{
	struct bytes name;
	uint32_t kind = 0;
	uint32_t id;

	if (bytes_take(b, GUID_SIZE).n < GUID_SIZE || !take32(b, &kind))
		return false;
	return kind == 0 ? take32(b, &id) : take_counted(b, &name);
}

/* Of several values the first counts. */
static bool
take_values(struct bytes *b, uint16_t type, struct mapi_property *out)
{
	bool many = (type & 0x1000) != 0;
	size_t size = fixed_size(type & 0xfff);
	uint32_t n = 1;

	out->type = type & 0xfff;
	if ((many || size == 0) && !take32(b, &n))
		return false;
	if (n > b->n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct bytes value = { 0 };

		if (size > 0)
			value = bytes_take(b, size);
		if (size > 0 ? value.n < size : !take_counted(b, &value))
			return false;
		if (i == 0)
			out->value = value;
	}
	return true;
}

static bool
read_properties(struct reader *r, struct bytes b, struct mapi *into)
{
	uint32_t n, tag;

	if (!take32(&b, &n))
		return false;
	while (n-- > 0) {
		struct mapi_property p = { 0 };

		if (!take32(&b, &tag))
			return false;
		p.id = (uint16_t)(tag >> 16);
		if ((p.id >= 0x8000 && !skip_name(&b)) ||
		    !take_values(&b, (uint16_t)tag, &p))
			return false;
		mapi_add(r->d, into, p);
	}
	return true;
}

/* A mail within it is a TNEF of its own, behind the id of its interface; its
 * data would be taken for a file. */
static void
open_file(struct reader *r, struct mapi_file *f)
{
	const struct mapi_property *p = mapi_find(&f->properties, 0x3701);
	struct bytes inner;

	if (p == NULL || p->type != MAPI_OBJECT || p->value.n < GUID_SIZE)
		return;
	inner = p->value;
	bytes_take(&inner, GUID_SIZE);
	if (mail_is_tnef(inner)) {
		f->message = read_tnef(r->d, inner, r->depth + 1);
		return;
	}
	f->object = true;
	detox_removed(r->d, REMOVED_OBJECT, "attachment", inner);
}

static struct bytes
without_nul(struct bytes b)
{
	while (b.n > 0 && b.p[b.n - 1] == 0)
		b.n--;
	return b;
}

/* Where it has no properties of Unicode. */
static void
add_string(struct reader *r, uint16_t id, struct bytes value)
{
	if (mapi_find(&r->message->properties, id) == NULL)
		mapi_add(r->d, &r->message->properties,
		    (struct mapi_property){
			id, MAPI_STRING8, without_nul(value) });
}

static bool
take_file_attribute(struct reader *r, uint32_t id, struct bytes value)
{
	if (id == ATTRIBUTE_FILE_BEGINS) {
		r->file = mapi_file_new(r->d, r->message);
		return detox_entry(r->d) == DETOX_REBUILT;
	}
	if (r->file == NULL)
		return true;
	if (id == ATTRIBUTE_FILE_NAME)
		r->file->name = without_nul(value);
	else if (id == ATTRIBUTE_FILE_DATA)
		r->file->content = value;
	else if (id == ATTRIBUTE_FILE_PROPERTIES) {
		r->damaged = r->damaged ||
		    !read_properties(r, value, &r->file->properties);
		open_file(r, r->file);
	}
	return !detox_is_over(r->d);
}

static bool
take_attribute(struct reader *r, uint32_t id, struct bytes value)
{
	if (id == ATTRIBUTE_CODEPAGE && value.n >= 4)
		r->message->codepage = le32(value.p);
	else if (id == ATTRIBUTE_PROPERTIES)
		r->damaged = r->damaged ||
		    !read_properties(r, value, &r->message->properties);
	else if (id == ATTRIBUTE_SUBJECT)
		add_string(r, 0x0037, value);
	else if (id == ATTRIBUTE_BODY)
		add_string(r, 0x1000, value);
	return take_file_attribute(r, id, value);
}

/* Each: a level, its id, its size, its value, a sum. false: refused. */
static bool
read_attributes(struct reader *r, struct bytes in)
{
	uint32_t id, n;

	while (in.n > 0) {
		struct bytes value;

		bytes_take(&in, 1);
		if (!take32(&in, &id) || !take32(&in, &n) || n > in.n) {
			r->damaged = true;
			return true;
		}
		value = bytes_take(&in, n);
		bytes_take(&in, 2);
		if (!take_attribute(r, id, value))
			return false;
	}
	return true;
}

/* NULL: refused. */
static struct mapi_message *
read_tnef(struct detox *d, struct bytes in, unsigned depth)
{
	struct reader r = {
		.d = d, .message = mapi_message_new(d), .depth = depth
	};

	if (depth > MAPI_DEPTH_MAX) {
		(void)detox_refuse(d, REFUSED_DEPTH,
		    "more than %d mails within each other", MAPI_DEPTH_MAX);
		return NULL;
	}
	bytes_take(&in, SIGNATURE_SIZE);
	if (!read_attributes(&r, in))
		return NULL;
	if (r.damaged)
		detox_removed(
		    d, REMOVED_DAMAGED, "winmail.dat", (struct bytes){ 0 });
	return r.message;
}

static enum detox_result
to_mime(struct detox *d, struct bytes in, enum mapi_as as, struct buf *out)
{
	const struct mapi_message *m = read_tnef(d, in, 0);

	return m == NULL ? DETOX_REFUSED : mapi_write(d, m, as, out);
}

bool
mail_is_tnef(struct bytes content)
{
	return magic_type_of(content, true) == MAGIC_TNEF;
}

struct mail_node *
mail_take_tnef(struct mail *m, struct bytes content)
{
	struct mail_node *n = NULL;
	struct mail_head head;
	struct bytes raw;
	struct buf mime;

	buf_init(&mime, (size_t)m->d->profile->out_max);
	if (to_mime(m->d, content, MAPI_BODY, &mime) == DETOX_REBUILT) {
		raw = buf_bytes(&mime);
		if (mail_head_take(m->d, &raw, &head) == DETOX_REBUILT)
			n = mail_take_entity(m, &head, raw, false);
	}
	buf_release(&mime);
	return n;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct buf mime;
	enum detox_result result;

	buf_init(&mime, (size_t)d->profile->out_max);
	result = to_mime(d, o->content, MAPI_WHOLE, &mime);
	if (result == DETOX_REBUILT)
		result =
		    mail_rebuild_mime(d, buf_bytes(&mime), o->content, out);
	buf_release(&mime);
	out->extension = "eml";
	return result;
}

const struct detox_format tnef_format = {
	.name = "tnef",
	.types = MAGIC_BIT(MAGIC_TNEF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_MAIL),
};
