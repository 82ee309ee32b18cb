/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mail.h"

#include "filters/mail/hints.h"
#include "filters/mail/tree.h"
#include "filters/text/charset.h"

static bool
is_declared(const struct detox_object *o)
{
	struct bytes declared = o->declared;

	return bytes_equal_nocase(bytes_trim(bytes_take_until(&declared, ';')),
	    BYTES("message/rfc822"));
}

/* Files of old systems, whose lines end with CR alone, to LF; of the caller. */
static struct bytes
with_line_ends(struct bytes in, struct buf *room)
{
	if (bytes_index(in, '\n') >= 0 || bytes_index(in, '\r') < 0)
		return in;
	buf_init(room, in.n);
	must(buf_append(room, in) == 0);
	for (size_t i = 0; i < room->n; i++)
		if (room->p[i] == '\r')
			room->p[i] = '\n';
	return buf_bytes(room);
}

/* In what is shown of the first mail. */
static void
find_hints(struct detox *d, const struct mail_node *n)
{
	if (n->kind == MAIL_TEXT && !n->note)
		mail_find_hints(d, buf_bytes(&n->content));
	for (const struct mail_node *c = n->first; c != NULL; c = c->next)
		if (c->kind != MAIL_MESSAGE)
			find_hints(d, c);
}

static enum detox_result
write_mail(struct mail *m, struct bytes raw, struct bytes seed,
    struct detox_output *out)
{
	struct mail_node *top = mail_take_message(m, raw);
	enum detox_result result = DETOX_REFUSED;

	if (top != NULL && m->d->depth == 1)
		find_hints(m->d, top);
	if (top != NULL && mail_put_notice(m, top) == 0)
		result = mail_write(m->d, top, seed, out);
	else if (top != NULL)
		result =
		    detox_refuse(m->d, REFUSED_SIZE, "its notice has no room");
	mail_node_release(top);
	return result;
}

enum detox_result
mail_rebuild_mime(struct detox *d, struct bytes mime, struct bytes seed,
    struct detox_output *out)
{
	struct mail m = { .d = d };

	return write_mail(&m, mime, seed, out);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct mail m = { .d = d, .ordered = d->depth == 1 && is_declared(o) };
	struct buf room = { 0 };
	enum detox_result result =
	    write_mail(&m, with_line_ends(o->content, &room), o->content, out);

	buf_release(&room);
	return result;
}

const struct detox_format mail_format = {
	.name = "mail",
	.types = MAGIC_BIT(MAGIC_MAIL),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_MAIL),
	.prepare = text_prepare,
};
