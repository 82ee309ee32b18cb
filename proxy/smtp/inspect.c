/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/inspect.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "filters/dlp/body.h"
#include "filters/mail/coding.h"
#include "filters/mail/mail.h"
#include "filters/media.h"
#include "filters/text/reader.h"
#include "proxy/smtp/field.h"
#include "proxy/smtp/head.h"

#define DEPTH_MAX 64
#define DEPTH_OF_FILE 8 /* it is decoded: memory for each */
#define WORD_MAX ((size_t)4096)
#define VALUE_MAX ((size_t)65536)

struct inspect {
	struct dlp *scan;
	struct arena arena; /* of header values */
	uint32_t unread;
};

static void
take_text(void *owner, struct bytes text)
{
	dlp_body_push(owner, text);
}

/* Text in its charset, and what it travels in. */
static void
scan_text(struct inspect *in, struct bytes text, enum dlp_container c,
    struct bytes charset)
{
	struct dlp_body *body = dlp_body_new(in->scan, c, (struct bytes){ 0 });
	struct reader reader;

	reader_init(&reader, charset, c == DLP_HTML, true);
	reader_push(&reader, text, true, take_text, body);
	(void)dlp_body_end(body);
	in->unread += dlp_body_unread(body);
	dlp_body_free(body);
	OPENSSL_cleanse(&reader, sizeof(reader));
	dlp_feed(in->scan, BYTES("\n"));
}

static void
wipe(struct buf *b)
{
	if (b->p != NULL)
		OPENSSL_cleanse(b->p, b->size);
	buf_release(b);
}

/* Headers. */

/* In one line. */
static struct bytes
unfold(struct inspect *in, struct bytes value)
{
	struct bytes copy;
	uint8_t *p;
	size_t n = 0;

	value.n = value.n < VALUE_MAX ? value.n : VALUE_MAX;
	copy = arena_copy(&in->arena, value);
	p = (uint8_t *)(uintptr_t)copy.p;
	for (size_t i = 0; i < copy.n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			p[n++] = p[i];
	return bytes_trim((struct bytes){ p, n });
}

/* "?Q?...?=" behind the charset: its bytes. false: it is none. */
static bool
decode_word(struct bytes *text, struct buf *out)
{
	struct bytes rest = *text;
	struct bytes coding, word, quoted;
	struct buf plain;
	bool good;

	coding = bytes_take_until(&rest, '?');
	word = bytes_take_until(&rest, '?');
	if (coding.n != 1 || rest.n == 0 || *rest.p != '=' || word.n > WORD_MAX)
		return false;
	bytes_take(&rest, 1);
	buf_init(&plain, WORD_MAX);
	must(buf_append(&plain, word) == 0);
	quoted = buf_bytes(&plain);
	for (size_t i = 0; i < plain.n; i++)
		if ((*coding.p | 0x20) == 'q' && plain.p[i] == '_')
			plain.p[i] = ' ';
	good = mail_decode((*coding.p | 0x20) == 'b' ? MAIL_CODING_BASE64
						     : MAIL_CODING_QUOTED,
		   quoted, out) != MAIL_DECODED_OVER;
	wipe(&plain);
	if (good)
		*text = rest;
	return good;
}

enum words {
	WORDS_TEXT,
	WORDS_NAME, /* of a file: "number.txt" is no number with a fraction */
};

/* Encoded words as the sandbox writes them, in UTF-8 (RFC 2047). */
static void
scan_words(struct inspect *in, struct bytes value, enum words what)
{
	struct bytes text = unfold(in, value);
	struct buf out;

	buf_init(&out, VALUE_MAX);
	while (text.n > 0) {
		struct bytes rest = text;
		bool follows = false;

		if (bytes_start_with(text, BYTES("=?"))) {
			bytes_take(&rest, 2);
			bytes_take_until(&rest, '?');
			follows = decode_word(&rest, &out);
		}
		if (!follows) {
			if (buf_append(&out, bytes_take(&text, 1)) < 0)
				break;
			continue;
		}
		text = rest;
		/* The blank between two words is none of the text. */
		while (rest.n > 0 && (*rest.p == ' ' || *rest.p == '\t'))
			bytes_take(&rest, 1);
		if (bytes_start_with(rest, BYTES("=?")))
			text = rest;
	}
	if (what == WORDS_NAME)
		scan_text(in, buf_bytes(&out), DLP_PLAIN, BYTES("UTF-8"));
	for (size_t i = 0; what == WORDS_NAME && i < out.n; i++)
		if (out.p[i] == '.')
			out.p[i] = ' ';
	scan_text(in, buf_bytes(&out), DLP_PLAIN, BYTES("UTF-8"));
	wipe(&out);
}

struct entity {
	struct bytes type, coding, body;
};

/* What people write there, and programs that want to be overlooked. */
static bool
is_text_field(struct bytes name)
{
	static const struct bytes names[] = {
		BYTES_ROW("Subject"),
		BYTES_ROW("From"),
		BYTES_ROW("Reply-To"),
		BYTES_ROW("To"),
		BYTES_ROW("Cc"),
		BYTES_ROW("Comments"),
		BYTES_ROW("Keywords"),
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_equal_nocase(name, names[i]))
			return true;
	return false;
}

static void
tell_file(struct inspect *in, struct bytes hex)
{
	uint8_t digest[DLP_DIGEST_BYTES];

	if (bytes_unhex(bytes_trim(hex), digest, sizeof(digest)) == 0)
		dlp_file(in->scan, digest);
}

static void
read_head(struct inspect *in, struct bytes raw, struct entity *out)
{
	struct bytes head = head_bytes(raw);
	struct smtp_field f;

	*out = (struct entity){ .body = raw };
	bytes_take(&out->body, head.n);
	while (field_take(&head, &f)) {
		if (bytes_equal_nocase(f.name, BYTES("Content-Type"))) {
			out->type = unfold(in, f.value);
			scan_words(in,
			    media_parameter(out->type, BYTES("name")),
			    WORDS_NAME);
		} else if (bytes_equal_nocase(
			       f.name, BYTES("Content-Transfer-Encoding"))) {
			out->coding = unfold(in, f.value);
		} else if (bytes_equal_nocase(
			       f.name, BYTES(MAIL_DIGEST_FIELD))) {
			tell_file(in, unfold(in, f.value));
		} else if (is_text_field(f.name)) {
			scan_words(in, f.value, WORDS_TEXT);
		}
	}
}

/* Bodies. */

static void scan_entity(struct inspect *in, struct bytes raw, unsigned depth);

/* A file: by what it is, as its type may be what its sender called it. A mail
 * in it was written by the sandbox too, and begins as those do. */
static void
scan_file(struct inspect *in, struct bytes content, unsigned depth)
{
	if (bytes_start_with(content, BYTES("MIME-Version: ")))
		scan_entity(in, content, depth + DEPTH_OF_FILE);
	else if (bytes_index(content, '\0') < 0)
		scan_text(in, content, DLP_PLAIN, (struct bytes){ 0 });
	else
		in->unread++;
}

static void
scan_part(struct inspect *in, const struct entity *e, unsigned depth)
{
	struct bytes type =
	    e->type.n == 0 ? BYTES("text/plain") : media_name(e->type);
	enum dlp_container c = dlp_container_of(type);
	struct buf text;

	/* What mail_decode wants room for: a byte for each, and line ends. */
	buf_init(&text, size_mul(size_add(e->body.n, 8), 2));
	if (mail_decode(mail_coding_named(e->coding), e->body, &text) ==
	    MAIL_DECODED_OVER)
		in->unread++;
	else if (c == DLP_MULTIPART ||
	    (c == DLP_PLAIN && !media_is_below(type, BYTES("text/"))))
		scan_file(in, buf_bytes(&text), depth);
	else
		scan_text(in, buf_bytes(&text), c,
		    media_parameter(e->type, BYTES("charset")));
	wipe(&text);
}

/* "--boundary", perhaps with "--" and blanks behind. */
static bool
is_delimiter(struct bytes line, struct bytes boundary, bool *last_out)
{
	if (line.n < boundary.n + 2 || line.p[0] != '-' || line.p[1] != '-')
		return false;
	bytes_take(&line, 2);
	if (!bytes_equal(bytes_take(&line, boundary.n), boundary))
		return false;
	*last_out = bytes_start_with(line, BYTES("--"));
	return true;
}

static void
scan_parts(struct inspect *in, struct bytes body, struct bytes boundary,
    unsigned depth)
{
	struct bytes part = { 0 };
	bool last = false;

	while (body.n > 0 && !last) {
		struct bytes line = bytes_take_until(&body, '\n');

		if (!is_delimiter(line, boundary, &last))
			continue;
		if (part.p != NULL) {
			part.n = (size_t)(line.p - part.p);
			scan_entity(in, part, depth);
		}
		part = body;
	}
	/* One that was cut is text too. */
	if (part.p != NULL && !last)
		scan_entity(in, part, depth);
}

static void
scan_entity(struct inspect *in, struct bytes raw, unsigned depth)
{
	struct bytes boundary;
	struct entity e;

	if (depth >= DEPTH_MAX) {
		in->unread++;
		return;
	}
	read_head(in, raw, &e);
	boundary = media_parameter(e.type, BYTES("boundary"));
	if (media_is_below(media_name(e.type), BYTES("multipart/")) &&
	    boundary.n > 0)
		scan_parts(in, e.body, boundary, depth + 1);
	else if (bytes_equal_nocase(
		     media_name(e.type), BYTES("message/rfc822")))
		scan_entity(in, e.body, depth + 1);
	else
		scan_part(in, &e, depth);
}

void
inspect_mail(
    const struct inspection *i, struct bytes mail, struct inspect_result *out)
{
	struct inspect in = { .scan = dlp_new(i->dlp) };

	scan_entity(&in, mail, 0);
	dlp_end(in.scan, &out->report);
	out->unread = in.unread;
	dlp_free(in.scan);
	arena_release(&in.arena);
}

void
inspect_bytes(
    const struct inspection *i, struct bytes mail, struct inspect_result *out)
{
	struct dlp *scan = dlp_new(i->dlp);

	dlp_feed(scan, mail);
	dlp_end(scan, &out->report);
	dlp_free(scan);
}
