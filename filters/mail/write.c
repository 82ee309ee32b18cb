/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write: a tree as bytes, so that every reader sees that tree. A boundary has
 * "=_", which no base64 and no quoted-printable has; a text is written as it
 * is only when it has short lines of ASCII (or of ISO-2022-JP) of which none
 * begins as a delimiter may.
 */
#include "filters/mail/tree.h"

#include <stdio.h>

#include "filters/mail/coding.h"
#include "filters/mail/mail.h"
#include "filters/mail/words.h"

#define LINE_MAX_BYTES 76
#define SECTION_LINE_MAX ((size_t)900) /* of RFC 2231 */
#define TEXT_LINE_MAX ((size_t)990)    /* RFC 5322, 2.1.1 */
#define SEED_BYTES 12

struct writer {
	struct detox *d;
	struct buf out;
	char seed[2 * SEED_BYTES + 1];
	unsigned boundaries;
	bool full; /* the limit was passed */
};

static void
put(struct writer *w, struct bytes b)
{
	w->full = w->full || buf_append(&w->out, b) < 0;
}

static void
put_string(struct writer *w, const char *s)
{
	put(w, bytes_of(s));
}

/* File names. */

static bool
is_of_parameter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* The bytes of a line, of a name of that many: ten lines hold it, as some
 * readers (ruby-mail) put *10* before *2*, and have another name then. */
static size_t
section_line(size_t all)
{
	size_t most = all / 9 + 40;

	if (most < LINE_MAX_BYTES - 6)
		return LINE_MAX_BYTES - 6;
	return most < SECTION_LINE_MAX ? most : SECTION_LINE_MAX;
}

/* RFC 2231: ";\r\n filename*0*=UTF-8''%E8..." in as many as it needs. */
static void
put_extended(struct writer *w, struct bytes name)
{
	char text[SECTION_LINE_MAX + 8];
	unsigned index = 0;
	size_t all = 0;
	size_t most;
	bool many;

	for (size_t i = 0; i < name.n; i++)
		all += is_of_parameter(name.p[i]) ? 1 : 3;
	many = all > 50;
	most = section_line(all);
	while (name.n > 0) {
		size_t n = 0;

		if (many)
			n += (size_t)snprintf(
			    text, sizeof(text), ";\r\n filename*%u*=", index);
		else
			n += (size_t)snprintf(
			    text, sizeof(text), ";\r\n filename*=");
		if (index++ == 0)
			n += (size_t)snprintf(
			    text + n, sizeof(text) - n, "UTF-8''");
		while (name.n > 0 && n < most) {
			uint8_t c = bytes_take(&name, 1).p[0];

			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    is_of_parameter(c) ? "%c" : "%%%02X", c);
		}
		put_string(w, text);
	}
}

/* Old readers look at name= alone, and know encoded words there. */
static void
put_name(struct writer *w, const char *name)
{
	size_t column = 7;

	put_string(w, ";\r\n name=\"");
	w->full =
	    w->full || mail_put_words(&w->out, bytes_of(name), &column) < 0;
	put_string(w, "\"");
}

static void
put_disposition(struct writer *w, const struct mail_node *n)
{
	put_string(w, "Content-Disposition: ");
	put_string(w, n->shown ? "inline" : "attachment");
	if (mail_is_plain(bytes_of(n->name)) && strlen(n->name) < 60) {
		put_string(w, ";\r\n filename=\"");
		put_string(w, n->name);
		put_string(w, "\"");
	} else {
		put_extended(w, bytes_of(n->name));
	}
	put_string(w, "\r\n");
}

/* Behind the first parameter of Content-Type. */
static void
end_head(struct writer *w, const struct mail_node *n, const char *coding)
{
	put_string(w, n->parameters);
	if (n->name != NULL)
		put_name(w, n->name);
	put_string(w, "\r\nContent-Transfer-Encoding: ");
	put_string(w, coding);
	put_string(w, "\r\n");
	if (n->name != NULL)
		put_disposition(w, n);
	if (n->id != NULL) {
		put_string(w, "Content-ID: ");
		put_string(w, n->id);
		put_string(w, "\r\n");
	}
	if (n->digest != NULL) {
		put_string(w, MAIL_DIGEST_FIELD ": ");
		put_string(w, n->digest);
		put_string(w, "\r\n");
	}
	put_string(w, "\r\n");
}

/* Texts. */

/* Whether it may stand as it is. */
static bool
is_harmless(struct bytes text)
{
	while (text.n > 0) {
		struct bytes line = text;
		ssize_t end = bytes_index(text, '\n');

		line.n = end < 0 ? text.n : (size_t)end + 1;
		bytes_take(&text, line.n);
		if (line.n > TEXT_LINE_MAX ||
		    bytes_start_with(line, BYTES("--")) ||
		    bytes_start_with(line, BYTES("From ")) ||
		    bytes_start_with(line, BYTES(".")))
			return false;
		if (end >= 0 && (line.n < 2 || line.p[line.n - 2] != '\r'))
			return false;
		for (size_t i = 0; i < line.n; i++)
			if (line.p[i] >= 0x7f || line.p[i] == 0)
				return false;
	}
	return true;
}

static bool
is_ascii(struct bytes b, size_t *others_out)
{
	*others_out = 0;
	for (size_t i = 0; i < b.n; i++)
		*others_out += b.p[i] >= 0x80;
	return *others_out == 0;
}

static void
put_coded(
    struct writer *w, const struct mail_node *n, struct bytes text, bool base64)
{
	end_head(w, n, base64 ? "base64" : "quoted-printable");
	w->full = w->full ||
	    (base64 ? mail_put_base64(text, &w->out)
		    : mail_put_quoted(text, &w->out)) < 0;
}

static void
put_type(struct writer *w, const struct mail_node *n, const char *charset)
{
	put_string(w, "Content-Type: ");
	put_string(w, n->type);
	put_string(w, "; charset=");
	put_string(w, charset);
}

static bool
put_as_jis(struct writer *w, const struct mail_node *n)
{
	struct buf jis;
	bool good;

	buf_init(&jis, size_mul(size_add(n->content.n, 1), 8));
	good = mail_put_jis(buf_bytes(&n->content), &jis);
	if (good) {
		put_type(w, n, "ISO-2022-JP");
		if (is_harmless(buf_bytes(&jis))) {
			end_head(w, n, "7bit");
			put(w, buf_bytes(&jis));
		} else {
			put_coded(w, n, buf_bytes(&jis), true);
		}
	}
	buf_release(&jis);
	return good;
}

static void
put_text(struct writer *w, const struct mail_node *n)
{
	struct bytes text = buf_bytes(&n->content);
	size_t others = 0;
	bool ascii = is_ascii(text, &others);

	if (n->jis && !ascii && put_as_jis(w, n))
		return;
	put_type(w, n, ascii && n->kind == MAIL_TEXT ? "US-ASCII" : "UTF-8");
	if (is_harmless(text)) {
		end_head(w, n, "7bit");
		put(w, text);
	} else {
		put_coded(w, n, text, others > text.n / 6);
	}
}

/* Trees. */

static void put_node(struct writer *w, const struct mail_node *n);

static void
put_boundary(struct writer *w, unsigned number)
{
	char text[64];

	snprintf(text, sizeof(text), "=_%s_%05u", w->seed, number);
	put_string(w, text);
}

static void
put_multi(struct writer *w, const struct mail_node *n)
{
	unsigned number = w->boundaries++;

	put_string(w, "Content-Type: ");
	put_string(w, n->type);
	put_string(w, ";\r\n boundary=\"");
	put_boundary(w, number);
	put_string(w, "\"");
	put_string(w, n->parameters);
	put_string(w, "\r\n");
	for (const struct mail_node *c = n->first; c != NULL; c = c->next) {
		put_string(w, "\r\n--");
		put_boundary(w, number);
		put_string(w, "\r\n");
		put_node(w, c);
	}
	put_string(w, "\r\n--");
	put_boundary(w, number);
	put_string(w, "--\r\n");
}

static void
put_mail(struct writer *w, const struct mail_node *n)
{
	put_string(w, "MIME-Version: 1.0\r\n");
	put(w, buf_bytes(&n->content));
	put_node(w, n->first);
}

static void
put_node(struct writer *w, const struct mail_node *n)
{
	switch (n->kind) {
	case MAIL_TEXT:
	case MAIL_HTML:
		put_text(w, n);
		break;
	case MAIL_FILE:
		put_string(w, "Content-Type: ");
		put_string(w, n->type);
		put_coded(w, n, buf_bytes(&n->content), true);
		break;
	case MAIL_MULTI:
		put_multi(w, n);
		break;
	case MAIL_MESSAGE:
		put_string(w,
		    "Content-Type: message/rfc822\r\n"
		    "Content-Transfer-Encoding: 7bit\r\n\r\n");
		put_mail(w, n);
		break;
	}
}

enum detox_result
mail_write(struct detox *d, const struct mail_node *top, struct bytes seed,
    struct detox_output *out)
{
	uint8_t digest[DETOX_DIGEST_SIZE];
	struct writer w = { .d = d };

	detox_digest(seed, digest);
	for (size_t i = 0; i < SEED_BYTES; i++)
		snprintf(w.seed + 2 * i, 3, "%02x", digest[i]);
	w.out = out->content;
	put_mail(&w, top);
	out->content = w.out;
	if (w.full)
		return detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->content.max);
	return DETOX_REBUILT;
}
