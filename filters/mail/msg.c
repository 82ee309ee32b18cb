/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/msg.h"

#include "filters/mail/mapi.h"
#include "filters/mail/tree.h"
#include "filters/ole/le.h"

#define PROPERTIES "__properties_version1.0"
#define ENTRY_SIZE 16
#define STREAM "__substg1.0_"
#define STREAM_N (sizeof(STREAM) - 1 + 8)

struct msg {
	struct detox *d;
	struct cfb *c;
	struct buf *streams; /* by entry; those that were read */
	unsigned depth;
};

static bool
begins_with(const struct cfb_entry *e, const char *head)
{
	size_t n = strlen(head);

	if (e->name_n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (e->name[i] != (uint8_t)head[i])
			return false;
	return true;
}

/* The eight digits behind "__substg1.0_"; false: it is no property. */
static bool
read_name(const struct cfb_entry *e, uint16_t *id_out, uint16_t *type_out)
{
	uint32_t both = 0;

	if (e->name_n != STREAM_N || !begins_with(e, STREAM))
		return false;
	for (size_t i = sizeof(STREAM) - 1; i < STREAM_N; i++) {
		int digit =
		    e->name[i] < 0x80 ? byte_hex((uint8_t)e->name[i]) : -1;

		if (digit < 0)
			return false;
		both = both << 4 | (uint32_t)digit;
	}
	*id_out = (uint16_t)(both >> 16);
	*type_out = (uint16_t)both;
	return true;
}

static bool
read_stream(struct msg *m, uint32_t i, struct bytes *out)
{
	struct buf *b = &m->streams[i];

	if (b->n == 0 && cfb_read(m->c, i, b) < 0) {
		buf_release(b);
		detox_removed(m->d, REMOVED_DAMAGED, cfb_label(m->c, i),
		    (struct bytes){ 0 });
		return false;
	}
	*out = buf_bytes(b);
	return true;
}

/* Numbers and times stand in one stream, behind a head. */
static void
add_fixed(struct msg *m, struct mapi *into, struct bytes b, size_t head)
{
	bytes_take(&b, head);
	while (b.n >= ENTRY_SIZE) {
		const uint8_t *p = bytes_take(&b, ENTRY_SIZE).p;
		struct mapi_property one = { .id = le16(p + 2),
			.type = le16(p),
			.value = { p + 8, 8 } };

		if (one.type == MAPI_LONG || one.type == MAPI_TIME)
			mapi_add(m->d, into, one);
	}
}

static void
read_properties(struct msg *m, uint32_t storage, size_t head, struct mapi *into)
{
	const struct cfb *c = m->c;

	for (uint32_t i = c->entries[storage].first; i != CFB_NO_ENTRY;
	     i = c->entries[i].next) {
		const struct cfb_entry *e = &c->entries[i];
		struct mapi_property one;

		if (e->kind != CFB_STREAM)
			continue;
		if (cfb_is_named(e, PROPERTIES)) {
			if (read_stream(m, i, &one.value))
				add_fixed(m, into, one.value, head);
		} else if (read_name(e, &one.id, &one.type) &&
		    read_stream(m, i, &one.value)) {
			mapi_add(m->d, into, one);
		}
	}
}

static struct mapi_message *read_message(
    struct msg *m, uint32_t storage, size_t head);

/* An attachment that is a mail is a storage; other storages are objects of
 * OLE, which go. */
static struct mapi_file *
read_file(struct msg *m, uint32_t storage, struct mapi_message *into)
{
	uint32_t inner = cfb_find(m->c, storage, "__substg1.0_3701000D");
	struct mapi_file *f = mapi_file_new(m->d, into);

	read_properties(m, storage, 8, &f->properties);
	if (inner == CFB_NO_ENTRY)
		return f;
	if (cfb_find(m->c, inner, PROPERTIES) != CFB_NO_ENTRY) {
		f->message = read_message(m, inner, 24);
		return f->message == NULL ? NULL : f;
	}
	f->object = true;
	detox_removed(m->d, REMOVED_OBJECT, "attachment", (struct bytes){ 0 });
	return f;
}

/* NULL: refused. */
static struct mapi_message *
read_message(struct msg *m, uint32_t storage, size_t head)
{
	const struct cfb *c = m->c;
	struct mapi_message *message = mapi_message_new(m->d);

	if (++m->depth > MAPI_DEPTH_MAX) {
		(void)detox_refuse(m->d, REFUSED_DEPTH,
		    "more than %d mails within each other", MAPI_DEPTH_MAX);
		return NULL;
	}
	read_properties(m, storage, head, &message->properties);
	for (uint32_t i = c->entries[storage].first; i != CFB_NO_ENTRY;
	     i = c->entries[i].next) {
		const struct cfb_entry *e = &c->entries[i];

		if (e->kind != CFB_STORAGE)
			continue;
		if (begins_with(e, "__recip_version1.0_"))
			read_properties(m, i, 8,
			    &mapi_person_new(m->d, message)->properties);
		else if (begins_with(e, "__attach_version1.0_") &&
		    read_file(m, i, message) == NULL)
			return NULL;
	}
	m->depth--;
	return message;
}

static enum detox_result
write_mail(struct detox *d, const struct mapi_message *message,
    struct bytes seed, struct detox_output *out)
{
	struct buf mime;
	enum detox_result result;

	buf_init(&mime, (size_t)d->profile->out_max);
	result = mapi_write(d, message, MAPI_WHOLE, &mime);
	if (result == DETOX_REBUILT)
		result = mail_rebuild_mime(d, buf_bytes(&mime), seed, out);
	buf_release(&mime);
	return result;
}

enum detox_result
msg_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	struct msg m = { .d = d, .c = c };
	const struct mapi_message *message;
	enum detox_result result = DETOX_REFUSED;

	m.streams = ARENA_ARRAY(&d->arena, struct buf, c->entries_n);
	message = read_message(&m, 0, 32);
	if (message != NULL)
		result = write_mail(d, message, c->file, out);
	for (uint32_t i = 0; i < c->entries_n; i++) {
		buf_release(&m.streams[i]);
		/* Of a mail in parts no part is missed. */
		c->entries[i].taken = true;
	}
	detox_removed(d, REMOVED_METADATA, NULL, (struct bytes){ 0 });
	out->extension = "eml";
	return result;
}
