/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/mapi.h"

#include <stdio.h>
#include <time.h>

#include "filters/mail/coding.h"
#include "filters/mail/entity.h"
#include "filters/mail/words.h"
#include "filters/ole/le.h"

#define FIRST_PROPERTIES 32
#define TEXT_MAX ((size_t)4096) /* of a subject, a name, an address */

/* Properties. */
#define SUBJECT 0x0037
#define CLIENT_SUBMIT_TIME 0x0039
#define SENT_BY_NAME 0x0042
#define SENT_BY_ADDRESS 0x0065
#define HEADERS 0x007d
#define RECIPIENT_KIND 0x0c15
#define SENDER_NAME 0x0c1a
#define SENDER_ADDRESS 0x0c1f
#define DISPLAY_CC 0x0e03
#define DISPLAY_TO 0x0e04
#define DELIVERY_TIME 0x0e06
#define BODY 0x1000
#define RTF 0x1009
#define HTML 0x1013
#define DISPLAY_NAME 0x3001
#define ADDRESS 0x3003
#define DATA 0x3701
#define SHORT_NAME 0x3704
#define LONG_NAME 0x3707
#define MIME_TYPE 0x370e
#define CONTENT_ID 0x3712
#define SMTP_ADDRESS 0x39fe
#define INTERNET_CODEPAGE 0x3fde
#define MESSAGE_CODEPAGE 0x3ffd
#define SENDER_SMTP 0x5d01
#define SENT_BY_SMTP 0x5d02

struct mapi_message *
mapi_message_new(struct detox *d)
{
	struct mapi_message *m = ARENA_NEW(&d->arena, struct mapi_message);

	m->people_end = &m->people;
	m->files_end = &m->files;
	return m;
}

struct mapi_person *
mapi_person_new(struct detox *d, struct mapi_message *m)
{
	struct mapi_person *p = ARENA_NEW(&d->arena, struct mapi_person);

	*m->people_end = p;
	m->people_end = &p->next;
	return p;
}

struct mapi_file *
mapi_file_new(struct detox *d, struct mapi_message *m)
{
	struct mapi_file *f = ARENA_NEW(&d->arena, struct mapi_file);

	*m->files_end = f;
	m->files_end = &f->next;
	return f;
}

void
mapi_add(struct detox *d, struct mapi *m, struct mapi_property p)
{
	struct mapi_property *old = m->all;

	if (m->n == m->size) {
		m->size = m->size == 0 ? FIRST_PROPERTIES : m->size * 2;
		m->all = ARENA_ARRAY(&d->arena, struct mapi_property, m->size);
		if (m->n > 0)
			memcpy(m->all, old, m->n * sizeof(*old));
	}
	m->all[m->n++] = p;
}

const struct mapi_property *
mapi_find(const struct mapi *m, uint16_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->all[i].id == id)
			return &m->all[i];
	return NULL;
}

enum charset
mapi_charset(uint32_t codepage)
{
	static const struct {
		uint32_t codepage;
		enum charset charset;
	} pages[] = {
		{ 932, CHARSET_SHIFT_JIS },
		{ 936, CHARSET_GBK },
		{ 949, CHARSET_EUC_KR },
		{ 950, CHARSET_BIG5 },
		{ 1200, CHARSET_UTF16LE },
		{ 1250, CHARSET_WINDOWS_1250 },
		{ 1251, CHARSET_WINDOWS_1251 },
		{ 1252, CHARSET_WINDOWS_1252 },
		{ 1253, CHARSET_WINDOWS_1253 },
		{ 1254, CHARSET_WINDOWS_1254 },
		{ 1255, CHARSET_WINDOWS_1255 },
		{ 1256, CHARSET_WINDOWS_1256 },
		{ 1257, CHARSET_WINDOWS_1257 },
		{ 1258, CHARSET_WINDOWS_1258 },
		{ 874, CHARSET_WINDOWS_874 },
		{ 20866, CHARSET_KOI8_R },
		{ 20932, CHARSET_EUC_JP },
		{ 51932, CHARSET_EUC_JP },
		{ 28592, CHARSET_ISO_8859_2 },
		{ 28605, CHARSET_ISO_8859_15 },
		{ 50220, CHARSET_ISO_2022_JP },
		{ 50221, CHARSET_ISO_2022_JP },
		{ 50222, CHARSET_ISO_2022_JP },
		{ 65001, CHARSET_UTF8 },
	};

	for (size_t i = 0; i < COUNT(pages); i++)
		if (pages[i].codepage == codepage)
			return pages[i].charset;
	return CHARSET_UNKNOWN;
}

/* What is written of one mail. */
struct writer {
	struct detox *d;
	const struct mapi_message *m;
	enum charset charset; /* of strings that are no Unicode */
	struct buf *out;
	bool full;
	unsigned depth;
};

static void
put(struct writer *w, struct bytes b)
{
	w->full = w->full || buf_append(w->out, b) < 0;
}

static void
put_string(struct writer *w, const char *s)
{
	put(w, bytes_of(s));
}

static void
put_base64(struct writer *w, struct bytes b)
{
	put_string(w, "Content-Transfer-Encoding: base64\n\n");
	w->full = w->full || mail_put_base64(b, w->out) < 0;
}

static uint32_t
number(const struct mapi *m, uint16_t id)
{
	const struct mapi_property *p = mapi_find(m, id);

	return p != NULL && p->value.n >= 4 ? le32(p->value.p) : 0;
}

/* Of the arena; UTF-8 without the NUL at its end. */
static struct bytes
text(const struct writer *w, const struct mapi *m, uint16_t id, size_t max)
{
	const struct mapi_property *p = mapi_find(m, id);
	struct bytes b;

	if (p == NULL || (p->type != MAPI_UNICODE && p->type != MAPI_STRING8))
		return (struct bytes){ 0 };
	b = p->value;
	if (b.n > max)
		b.n = max;
	b = mail_utf8(
	    w->d, p->type == MAPI_UNICODE ? CHARSET_UTF16LE : w->charset, b);
	while (b.n > 0 && b.p[b.n - 1] == 0)
		b.n--;
	return b;
}

static struct bytes
line(const struct writer *w, const struct mapi *m, uint16_t id)
{
	return mail_clean_line(w->d, text(w, m, id, TEXT_MAX));
}

/* The first of these that is there. */
static struct bytes
first_of(
    const struct writer *w, const struct mapi *m, const uint16_t *ids, size_t n)
{
	struct bytes b = { 0 };

	for (size_t i = 0; i < n && b.n == 0; i++)
		b = line(w, m, ids[i]);
	return b;
}

static void
put_field(struct writer *w, const char *name, struct bytes value)
{
	size_t column = strlen(name) + 2;

	if (value.n == 0)
		return;
	put_string(w, name);
	put_string(w, ": ");
	w->full = w->full || mail_put_words(w->out, value, &column) < 0;
	put_string(w, "\n");
}

/* As words and, in <>, an address; what is none is found when it is read. */
static void
put_person(struct writer *w, struct bytes name, struct bytes address)
{
	if (bytes_index(address, '@') < 0) /* of an Exchange server alone */
		address = BYTES("unknown@address.invalid");
	if (name.n > 0 && !bytes_equal(name, address)) {
		/* Encoded, a quote or a comma in it is none. */
		put_string(w, "=?UTF-8?B?");
		while (name.n > 0) {
			struct bytes piece =
			    bytes_take(&name, name.n < 57 ? name.n : 57);
			struct buf room;

			buf_init(&room, 128);
			must(mail_put_base64(piece, &room) == 0);
			put(w, (struct bytes){ room.p, room.n - 2 });
			buf_release(&room);
		}
		put_string(w, "?= ");
	}
	put_string(w, "<");
	for (size_t i = 0; i < address.n; i++)
		if (strchr("<>", address.p[i]) == NULL)
			put(w, (struct bytes){ address.p + i, 1 });
	put_string(w, ">");
}

static void
put_people(struct writer *w, const char *field, uint32_t kind)
{
	static const uint16_t addresses[] = { SMTP_ADDRESS, ADDRESS };
	bool any = false;

	for (const struct mapi_person *p = w->m->people; p != NULL;
	     p = p->next) {
		if ((number(&p->properties, RECIPIENT_KIND) & 0xf) != kind)
			continue;
		put_string(w, any ? ",\n " : field);
		put_person(w, line(w, &p->properties, DISPLAY_NAME),
		    first_of(w, &p->properties, addresses, COUNT(addresses)));
		any = true;
	}
	if (any)
		put_string(w, "\n");
}

static void
put_sender(struct writer *w)
{
	static const uint16_t names[] = { SENT_BY_NAME, SENDER_NAME };
	static const uint16_t addresses[] = { SENT_BY_SMTP, SENDER_SMTP,
		SENT_BY_ADDRESS, SENDER_ADDRESS };
	const struct mapi *m = &w->m->properties;
	struct bytes name = first_of(w, m, names, COUNT(names));
	struct bytes address = first_of(w, m, addresses, COUNT(addresses));

	if (name.n == 0 && address.n == 0)
		return;
	put_string(w, "From: ");
	put_person(w, name, address);
	put_string(w, "\n");
}

/* 100 ns since 1601. */
static void
put_date(struct writer *w)
{
	const struct mapi *m = &w->m->properties;
	const struct mapi_property *p = mapi_find(m, CLIENT_SUBMIT_TIME);
	uint64_t ticks;
	char date[64];
	struct tm tm;
	time_t t;

	if (p == NULL)
		p = mapi_find(m, DELIVERY_TIME);
	if (p == NULL || p->type != MAPI_TIME || p->value.n < 8)
		return;
	ticks = le32(p->value.p) | (uint64_t)le32(p->value.p + 4) << 32;
	t = (time_t)(ticks / 10000000) - (time_t)11644473600;
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year > 8000 ||
	    strftime(date, sizeof(date), "%d %b %Y %H:%M:%S +0000", &tm) == 0)
		return;
	put_string(w, "Date: ");
	put_string(w, date);
	put_string(w, "\n");
}

/* What Outlook shows is in properties; of the header that it came with only
 * what it does not show is taken. */
static void
put_transport(struct writer *w)
{
	static const char *const kept[] = { "Received", "Message-ID",
		"In-Reply-To", "References", "Reply-To", "Auto-Submitted" };
	struct bytes all = text(w, &w->m->properties, HEADERS, (size_t)1 << 20);
	struct mail_head h;

	if (mail_head_take(w->d, &all, &h) == DETOX_REFUSED)
		return;
	for (size_t i = 0; i < h.n; i++)
		for (size_t k = 0; k < COUNT(kept); k++)
			if (bytes_equal_nocase(
				h.fields[i].name, bytes_of(kept[k]))) {
				put_string(w, kept[k]);
				put_string(w, ": ");
				put(w, mail_unfold(w->d, h.fields[i].value));
				put_string(w, "\n");
			}
}

/* Bodies. */

static void
put_text(struct writer *w, const char *type, struct bytes b)
{
	put_string(w, "Content-Type: ");
	put_string(w, type);
	put_string(w, "; charset=utf-8\n");
	put_base64(w, b);
}

/* A page as it stands there: its charset may be said within. */
static void
put_page(struct writer *w, const struct mapi_property *p)
{
	enum charset c =
	    mapi_charset(number(&w->m->properties, INTERNET_CODEPAGE));
	struct bytes b = p->value;

	if (p->type == MAPI_UNICODE || p->type == MAPI_STRING8) {
		put_text(
		    w, "text/html", text(w, &w->m->properties, HTML, SIZE_MAX));
		return;
	}
	put_string(w, "Content-Type: text/html");
	if (c != CHARSET_UNKNOWN) {
		put_string(w, "; charset=");
		put_string(w, charset_name(c));
	}
	put_string(w, "\n");
	put_base64(w, b);
}

static void
put_delimiter(struct writer *w, const char *boundary)
{
	char mark[64];

	snprintf(mark, sizeof(mark), "\n--%s%u\n", boundary, w->depth);
	put_string(w, mark);
}

/* What its RTF is about; RTF itself is a file. */
static void
put_rtf(struct writer *w, struct bytes packed, bool has_text)
{
	struct buf rtf, opened;
	enum rtfmail kind = RTFMAIL_RTF;

	buf_init(&rtf, w->out->max);
	buf_init(&opened, w->out->max);
	if (rtfmail_unpack(packed, &rtf) < 0) {
		detox_removed(w->d, REMOVED_DAMAGED, "RTF", packed);
	} else if (rtfmail_open(buf_bytes(&rtf), &kind, &opened) < 0) {
		w->full = true;
	} else if (kind == RTFMAIL_HTML) {
		put_delimiter(w, "=_a");
		put_text(w, "text/html", buf_bytes(&opened));
	} else if (!has_text) {
		put_delimiter(w, "=_a");
		put_text(w, "text/plain", buf_bytes(&opened));
	}
	buf_release(&rtf);
	buf_release(&opened);
}

static void
put_body(struct writer *w)
{
	const struct mapi *m = &w->m->properties;
	struct bytes plain = text(w, m, BODY, SIZE_MAX);
	const struct mapi_property *page = mapi_find(m, HTML);
	const struct mapi_property *rtf = mapi_find(m, RTF);
	char head[96];

	snprintf(head, sizeof(head),
	    "Content-Type: multipart/alternative; boundary=\"=_a%u\"\n",
	    w->depth);
	put_string(w, head);
	if (plain.n > 0 || (page == NULL && rtf == NULL)) {
		put_delimiter(w, "=_a");
		put_text(w, "text/plain", plain);
	}
	if (page != NULL) {
		put_delimiter(w, "=_a");
		put_page(w, page);
	} else if (rtf != NULL) {
		put_rtf(w, rtf->value, plain.n > 0);
	}
	snprintf(head, sizeof(head), "\n--=_a%u--\n", w->depth);
	put_string(w, head);
}

/* Files. */

static void
put_percent(struct writer *w, struct bytes b)
{
	char text3[4];

	for (size_t i = 0; i < b.n; i++) {
		snprintf(text3, sizeof(text3), "%%%02X", b.p[i]);
		put_string(w, text3);
	}
}

static enum detox_result write_message(struct detox *d,
    const struct mapi_message *m, enum mapi_as as, unsigned depth,
    struct buf *out);

static void
put_message(struct writer *w, const struct mapi_message *m)
{
	struct buf inner;

	buf_init(&inner, w->out->max);
	if (write_message(w->d, m, MAPI_WHOLE, w->depth + 1, &inner) ==
	    DETOX_REFUSED) {
		w->full = true;
	} else {
		put_string(w, "Content-Type: message/rfc822\n");
		put_base64(w, buf_bytes(&inner));
	}
	buf_release(&inner);
}

static bool
is_token(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] >= 0x7f ||
		    strchr("()<>@,;:\\\"[]?=", b.p[i]) != NULL)
			return false;
	return b.n > 0 && b.n < 128 && bytes_index(b, '/') > 0;
}

static void
put_file(struct writer *w, const struct mapi_file *f)
{
	static const uint16_t names[] = { LONG_NAME, SHORT_NAME, DISPLAY_NAME };
	const struct mapi *m = &f->properties;
	const struct mapi_property *data = mapi_find(m, DATA);
	struct bytes type = line(w, m, MIME_TYPE);
	struct bytes id = line(w, m, CONTENT_ID);
	bool leaf = is_token(type) &&
	    !bytes_start_with(type, BYTES("multipart/")) &&
	    !bytes_start_with(type, BYTES("message/"));

	put_delimiter(w, "=_m");
	if (f->message != NULL) {
		put_message(w, f->message);
		return;
	}
	put_string(w, "Content-Type: ");
	put(w, leaf ? type : BYTES("application/octet-stream"));
	put_string(w, "\nContent-Disposition: ");
	put_string(w, id.n > 0 ? "inline" : "attachment");
	/* Each of its names is a reading. */
	for (size_t i = 0; i < COUNT(names); i++) {
		struct bytes name = line(w, m, names[i]);

		if (name.n == 0)
			continue;
		put_string(w, "; filename*=UTF-8''");
		put_percent(w, name);
	}
	if (f->name.n > 0) {
		put_string(w, "; filename*=UTF-8''");
		put_percent(w, mail_utf8(w->d, w->charset, f->name));
	}
	put_string(w, "\n");
	if (id.n > 0 && mail_is_plain(id)) {
		put_string(w, "Content-ID: <");
		put(w, id);
		put_string(w, ">\n");
	}
	put_base64(w, data != NULL ? data->value : f->content);
}

static enum detox_result
write_message(struct detox *d, const struct mapi_message *m, enum mapi_as as,
    unsigned depth, struct buf *out)
{
	struct writer w = { .d = d, .m = m, .out = out, .depth = depth };
	char mark[96];

	if (depth > MAPI_DEPTH_MAX)
		return detox_refuse(d, REFUSED_DEPTH,
		    "more than %d mails within each other", MAPI_DEPTH_MAX);
	w.charset = mapi_charset(m->codepage != 0
		? m->codepage
		: number(&m->properties, MESSAGE_CODEPAGE));
	if (as == MAPI_WHOLE) {
		put_transport(&w);
		put_sender(&w);
		put_people(&w, "To: ", 1);
		put_people(&w, "Cc: ", 2);
		put_field(&w, "Subject", line(&w, &m->properties, SUBJECT));
		put_date(&w);
	}
	snprintf(mark, sizeof(mark),
	    "Content-Type: multipart/mixed; boundary=\"=_m%u\"\n", depth);
	put_string(&w, mark);
	put_delimiter(&w, "=_m");
	put_body(&w);
	for (const struct mapi_file *f = m->files; f != NULL; f = f->next)
		if (!f->object)
			put_file(&w, f);
	snprintf(mark, sizeof(mark), "\n--=_m%u--\n", depth);
	put_string(&w, mark);
	if (!w.full)
		return DETOX_REBUILT;
	return detox_refuse(
	    d, REFUSED_SIZE, "a mail of more than %zu bytes", out->max);
}

enum detox_result
mapi_write(struct detox *d, const struct mapi_message *m, enum mapi_as as,
    struct buf *out)
{
	return write_message(d, m, as, 0, out);
}
