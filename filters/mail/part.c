/* SPDX-License-Identifier: Apache-2.0 */
/* part: entities, by their types, down to texts and files. */
#include <ctype.h>

#include "filters/html/words.h"
#include "filters/mail/coding.h"
#include "filters/mail/params.h"
#include "filters/mail/smime.h"
#include "filters/mail/tnef.h"
#include "filters/mail/tree.h"
#include "filters/mail/words.h"

#define DEPTH_MAX 16 /* multiparts and mails within each other */

/* An entity that is looked at. */
struct entity {
	const struct mail_head *head;
	struct mail_value type, disposition;
	struct mail_names names;
	struct bytes declared; /* "text/plain", or empty */
	enum mail_coding coding;
	unsigned number;
	struct bytes body;    /* as it stands there */
	struct buf decoded;   /* when there is a coding */
	struct bytes content; /* decoded */
};

static bool
starts_with(struct bytes b, const char *head)
{
	return bytes_start_with(b, bytes_of(head));
}

static void
removed(struct mail *m, enum detox_removal what, const char *where)
{
	detox_removed(m->d, what, where, (struct bytes){ 0 });
}

/* "text/plain"; what is no type says nothing. */
static bool
is_type(struct bytes b)
{
	ssize_t slash = bytes_index(b, '/');

	for (size_t i = 0; i < b.n; i++)
		if (!isalnum(b.p[i]) && strchr("/.+-_", b.p[i]) == NULL)
			return false;
	return slash > 0 && (size_t)slash + 1 < b.n && b.n < 128;
}

/* Of what may be there once the first counts. */
static void
report_doubles(struct mail *m, const struct mail_head *h)
{
	static const char *const once[] = { "Content-Type",
		"Content-Transfer-Encoding", "Content-Disposition" };

	for (size_t k = 0; k < COUNT(once); k++) {
		size_t n = 0;

		for (size_t i = 0; i < h->n; i++)
			n += bytes_equal_nocase(
			    h->fields[i].name, bytes_of(once[k]));
		if (n > 1)
			removed(m, REMOVED_DAMAGED, once[k]);
	}
}

static void
read_entity(struct mail *m, const struct mail_head *h, struct bytes body,
    bool digest, struct entity *e)
{
	struct detox *d = m->d;

	memset(e, 0, sizeof(*e));
	e->head = h;
	e->body = body;
	e->number = m->parts;
	mail_value_parse(d, mail_head_find(d, h, "Content-Type"), &e->type);
	mail_value_parse(
	    d, mail_head_find(d, h, "Content-Disposition"), &e->disposition);
	e->coding = mail_coding_named(
	    mail_head_find(d, h, "Content-Transfer-Encoding"));
	if (is_type(e->type.word))
		e->declared = e->type.word;
	else if (digest)
		e->declared = BYTES("message/rfc822");
	else
		e->declared = BYTES("text/plain");
	mail_names_read(d, &e->type, &e->disposition, &e->names);
	report_doubles(m, h);
	if (h->damaged)
		removed(m, REMOVED_DAMAGED, "header");
}

/* false: the whole job is refused. */
static bool
decode(struct mail *m, struct entity *e)
{
	if (e->coding == MAIL_CODING_BASE64 && mail_is_no_base64(e->body)) {
		removed(m, REMOVED_DAMAGED, "coding");
		e->coding = MAIL_CODING_NONE;
	}
	if (e->coding == MAIL_CODING_NONE) {
		e->content = e->body;
		return true;
	}
	buf_init(&e->decoded, size_add(size_mul(e->body.n, 2), 8));
	switch (mail_decode(e->coding, e->body, &e->decoded)) {
	case MAIL_DECODED_OVER:
		(void)detox_refuse(
		    m->d, REFUSED_MEMORY, "a part that is too large");
		return false;
	case MAIL_DECODED_DAMAGED:
		removed(m, REMOVED_DAMAGED, "coding");
		break;
	case MAIL_DECODED:
		break;
	}
	e->content = buf_bytes(&e->decoded);
	return true;
}

static const char *
name_of(struct mail *m, const struct entity *e)
{
	return mail_name_safe(m->d, e->names.best, e->number);
}

/* Multiparts. */

/* What comes before the first part and behind the last is for nobody. */
static void
report_around(struct mail *m, const struct mail_parts *p)
{
	struct bytes around[] = { p->preamble, p->rest };

	for (size_t i = 0; i < COUNT(around); i++) {
		struct bytes b = around[i];

		while (b.n > 0 && b.p[0] <= ' ')
			bytes_take(&b, 1);
		if (b.n > 0)
			removed(m, REMOVED_TRAILING,
			    i == 0 ? "preamble" : "epilogue");
	}
	if (!p->closed)
		removed(m, REMOVED_DAMAGED, "multipart");
}

static const char *
multi_type(struct bytes declared)
{
	static const char *const kept[] = { "multipart/alternative",
		"multipart/related" };

	for (size_t i = 0; i < COUNT(kept); i++)
		if (bytes_equal(declared, bytes_of(kept[i])))
			return kept[i];
	return "multipart/mixed";
}

/* One part; NULL: the whole job is refused. */
static struct mail_node *
take_part(struct mail *m, const struct entity *parent, struct bytes part)
{
	struct mail_head head;

	if (++m->parts > m->d->profile->mail_parts_max) {
		(void)detox_refuse(m->d, REFUSED_ENTRIES,
		    "a mail of more than %u parts",
		    m->d->profile->mail_parts_max);
		return NULL;
	}
	if (mail_head_take(m->d, &part, &head) == DETOX_REFUSED)
		return NULL;
	return mail_take_entity(m, &head, part,
	    bytes_equal(parent->declared, BYTES("multipart/digest")));
}

/* A part behind the signed one (RFC 1847, 2.1); what else programs put there is
 * for the reader. */
static bool
is_signature(struct detox *d, struct bytes part, unsigned number)
{
	static const char signatures[] =
	    " application/pgp-signature application/pkcs7-signature"
	    " application/x-pkcs7-signature ";
	struct mail_value type;
	struct mail_head head;

	if (mail_head_take(d, &part, &head) == DETOX_REFUSED)
		return false;
	mail_value_parse(d, mail_head_find(d, &head, "Content-Type"), &type);
	return words_have(signatures, type.word) ||
	    (number == 2 && starts_with(type.word, "application/"));
}

static bool
take_parts(struct mail *m, const struct entity *e, struct mail_parts *p,
    struct mail_node *into)
{
	bool is_signed = bytes_equal(e->declared, BYTES("multipart/signed"));
	struct bytes part;
	unsigned n = 0;

	while (mail_parts_next(p, &part)) {
		struct mail_node *child;

		if (is_signed && ++n > 1 && is_signature(m->d, part, n)) {
			detox_removed(
			    m->d, REMOVED_SIGNATURE, "signature", part);
			continue;
		}
		if (m->d->refusal != REFUSED_NOT)
			return false;
		child = take_part(m, e, part);
		if (child == NULL)
			return false;
		mail_node_add(into, child);
	}
	return true;
}

/* The page of multipart/related tells its readers what is first. */
static const char *
root_type(struct detox *d, const struct mail_node *n)
{
	const struct mail_node *first = n->first;

	if (strcmp(n->type, "multipart/related") != 0)
		return "";
	return first->kind == MAIL_HTML || first->kind == MAIL_MULTI
	    ? arena_printf(&d->arena, ";\r\n type=\"%s\"", first->type)
	    : "";
}

/* Pictures that belong to a page which is a text now are files. */
static void
loosen(struct mail_node *n)
{
	if (strcmp(n->type, "multipart/related") != 0 ||
	    (n->first->kind != MAIL_TEXT && n->first->kind != MAIL_FILE))
		return;
	n->type = "multipart/mixed";
	for (struct mail_node *c = n->first->next; c != NULL; c = c->next)
		if (c->kind == MAIL_FILE)
			c->shown = false;
}

/* NULL, and *none_out when there is no part in it: it is a text then. */
static struct mail_node *
take_multi(struct mail *m, const struct entity *e, bool *none_out)
{
	struct detox *d = m->d;
	struct bytes boundary = mail_param(d, &e->type, "boundary");
	struct mail_parts parts;
	struct mail_node *n;

	/* No boundary ends with a blank, RFC 2046, 5.1.1. */
	while (boundary.n > 0 && boundary.p[boundary.n - 1] == ' ')
		boundary.n--;
	*none_out = boundary.n == 0;
	if (*none_out)
		return NULL;
	mail_parts_init(&parts, e->body, boundary);
	*none_out = !parts.open;
	if (*none_out)
		return NULL;
	n = mail_node_new(d, MAIL_MULTI, multi_type(e->declared));
	if (!take_parts(m, e, &parts, n)) {
		mail_node_release(n);
		return NULL;
	}
	report_around(m, &parts);
	loosen(n);
	n->parameters = root_type(d, n);
	/* What was signed is alone now. */
	if (bytes_equal(e->declared, BYTES("multipart/signed")) &&
	    n->first->next == NULL)
		return n->first;
	return n;
}

/* Leaves. */

static bool
is_attachment(const struct entity *e)
{
	return e->names.named ||
	    bytes_equal(e->disposition.word, BYTES("attachment"));
}

/* Of types whose bytes are text; others only say that they are. */
static bool
is_text(struct bytes content)
{
	static const uint64_t texts = MAGIC_BIT(MAGIC_TEXT) |
	    MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_SVG) |
	    MAGIC_BIT(MAGIC_XML) | MAGIC_BIT(MAGIC_MAIL) |
	    MAGIC_BIT(MAGIC_SCRIPT) | MAGIC_BIT(MAGIC_SHORTCUT) |
	    MAGIC_BIT(MAGIC_UNKNOWN);
	size_t strays = 0;

	if ((texts & MAGIC_BIT(magic_type_of(content, true))) == 0)
		return false;
	for (size_t i = 0; i < content.n; i++)
		strays += content.p[i] < '\t' ||
		    (content.p[i] > '\r' && content.p[i] < ' ' &&
			content.p[i] != 0x1b);
	return strays <= content.n / 8 + 16;
}

/* The same of what may be UTF-16, whose every second byte is a control. */
static bool
is_shown_text(struct detox *d, const struct entity *e)
{
	enum charset c = mail_charset(mail_param(d, &e->type, "charset"));

	if (c == CHARSET_UTF16LE || c == CHARSET_UTF16BE)
		return !magic_is_program(magic_type_of(e->content, true)) &&
		    is_text(mail_utf8_as(d, c, e->content));
	return is_text(e->content);
}

/* RFC 3676. */
static const char *
flowed(struct detox *d, const struct entity *e)
{
	bool is = bytes_equal_nocase(
	    mail_param(d, &e->type, "format"), BYTES("flowed"));
	bool deletes =
	    bytes_equal_nocase(mail_param(d, &e->type, "delsp"), BYTES("yes"));

	return !is    ? ""
	    : deletes ? "; format=flowed; delsp=yes"
		      : "; format=flowed";
}

/* RFC 5546, 1.4. */
static const char *
method(struct detox *d, const struct entity *e)
{
	static const char *const methods[] = { "PUBLISH", "REQUEST", "REPLY",
		"ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER" };
	struct bytes m = mail_param(d, &e->type, "method");

	for (size_t i = 0; i < COUNT(methods); i++)
		if (bytes_equal_nocase(m, bytes_of(methods[i])))
			return arena_printf(
			    &d->arena, "; method=%s", methods[i]);
	return "";
}

static const char *
id_of(struct detox *d, const struct entity *e)
{
	struct bytes id = mail_id(mail_head_find(d, e->head, "Content-ID"));

	return id.n == 0 ? NULL : arena_string(&d->arena, id);
}

/* Of a file. */
static bool
is_shown(const struct entity *e)
{
	return bytes_equal(e->disposition.word, BYTES("inline")) ||
	    (e->disposition.word.n == 0 &&
		(starts_with(e->declared, "image/") ||
		    bytes_equal(e->declared, BYTES("text/calendar"))));
}

static struct mail_node *
take_file(struct mail *m, const struct entity *e)
{
	struct detox *d = m->d;
	bool calendar = bytes_equal(e->declared, BYTES("text/calendar"));
	struct mail_file f = {
		.content = e->content,
		.named = e->names.best.n > 0,
		.name = name_of(m, e),
		.declared =
		    e->type.word.n > 0 ? e->declared : (struct bytes){ 0 },
		.id = id_of(d, e),
		.shown = is_shown(e),
		.parameters = calendar ? method(d, e) : "",
	};

	if (e->names.runs)
		return mail_leave_out(m, REMOVED_PROGRAM, REFUSED_PROGRAM,
		    arena_string(&d->arena, e->names.program), e->content);
	if (!f.named && calendar) {
		f.name = "invite.ics";
		f.named = true;
	}
	return mail_take_file(m, &f);
}

static struct mail_node *
take_text(struct mail *m, const struct entity *e, enum mail_body kind)
{
	enum charset charset =
	    mail_charset(mail_param(m->d, &e->type, "charset"));

	return mail_take_body(m, kind, e->content, charset,
	    kind == MAIL_BODY_TEXT ? flowed(m->d, e) : "");
}

static struct mail_node *
leave_out(struct mail *m, const struct entity *e, enum detox_refusal why)
{
	return mail_leave_out(
	    m, REMOVED_REFUSED, why, name_of(m, e), e->content);
}

/* What is a text to read, whatever program may make of it. */
static bool
is_told(struct bytes declared)
{
	static const char told[] =
	    " message/delivery-status message/disposition-notification"
	    " message/feedback-report message/global-delivery-status"
	    " message/xdelivery-status message/x-delivery-status"
	    " text/rfc822-headers message/global-headers ";

	return words_have(told, declared);
}

static bool
is_message(struct bytes declared)
{
	return words_have(
	    " message/rfc822 message/global message/news ", declared);
}

static struct mail_node *
take_leaf(struct mail *m, struct entity *e)
{
	bool shown = !is_attachment(e) && is_shown_text(m->d, e);

	if (e->names.runs)
		return take_file(m, e);
	if (is_message(e->declared))
		return mail_take_message(m, e->content);
	if (mail_is_tnef(e->content))
		return mail_take_tnef(m, e->content);
	if (mail_is_smime(e->declared))
		return mail_take_smime(m, e->content, name_of(m, e));
	if (is_told(e->declared) && is_text(e->content))
		return take_text(m, e, MAIL_BODY_TEXT);
	if (starts_with(e->declared, "message/"))
		return leave_out(m, e, REFUSED_TYPE);
	if (shown && bytes_equal(e->declared, BYTES("text/html")))
		return take_text(m, e, MAIL_BODY_HTML);
	/* A multipart here had no parts. */
	if (shown &&
	    (bytes_equal(e->declared, BYTES("text/plain")) ||
		starts_with(e->declared, "multipart/")))
		return take_text(m, e, MAIL_BODY_TEXT);
	return take_file(m, e);
}

static struct mail_node *
take_kind(struct mail *m, struct entity *e)
{
	bool multi = starts_with(e->declared, "multipart/");
	struct mail_node *n;
	bool none = true;

	if (bytes_equal(e->declared, BYTES("multipart/encrypted"))) {
		(void)detox_refuse(
		    m->d, REFUSED_ENCRYPTED, "an encrypted mail");
		return NULL;
	}
	if (multi) {
		n = take_multi(m, e, &none);
		if (!none)
			return n;
		removed(m, REMOVED_DAMAGED, "multipart");
	}
	return decode(m, e) ? take_leaf(m, e) : NULL;
}

struct mail_node *
mail_take_entity(
    struct mail *m, const struct mail_head *h, struct bytes body, bool digest)
{
	struct mail_node *n = NULL;
	struct entity e;

	if (m->depth == DEPTH_MAX) {
		(void)detox_refuse(m->d, REFUSED_DEPTH,
		    "more than %d parts within each other", DEPTH_MAX);
		return NULL;
	}
	m->depth++;
	read_entity(m, h, body, digest, &e);
	n = take_kind(m, &e);
	buf_release(&e.decoded);
	m->depth--;
	return n;
}

#define SUBJECT_MAX 200 /* bytes */

/* Of the first mail, for who is told of it. */
static void
tell_subject(struct mail *m, const struct mail_head *h)
{
	struct detox *d = m->d;
	struct bytes s;

	if (m->depth > 0 || d->depth != 1 || d->subject != NULL)
		return;
	s = mail_clean_line(
	    d, mail_words_decode(d, mail_head_find(d, h, "Subject")));
	if (s.n > SUBJECT_MAX) {
		s.n = SUBJECT_MAX;
		while (s.n > 0 && (s.p[s.n] & 0xc0) == 0x80)
			s.n--;
	}
	d->subject = arena_string(&d->arena, s);
}

struct mail_node *
mail_take_message(struct mail *m, struct bytes raw)
{
	struct detox *d = m->d;
	struct mail_node *n = mail_node_new(d, MAIL_MESSAGE, "message/rfc822");
	struct mail_order none = { 0 };
	struct mail_head head;
	struct mail_node *body;

	if (mail_head_take(d, &raw, &head) == DETOX_REFUSED)
		goto release;
	/* Of the first mail alone; nothing was taken yet. */
	if (m->depth == 0 && m->ordered)
		mail_order_take(d, &head, &m->order);
	tell_subject(m, &head);
	if (mail_head_write(d, &head, m->depth == 0 ? &m->order : &none,
		&n->content) == DETOX_REFUSED)
		goto release;
	body = mail_take_entity(m, &head, raw, false);
	if (body == NULL)
		goto release;
	mail_node_add(n, body);
	return n;
release:
	mail_node_release(n);
	return NULL;
}
