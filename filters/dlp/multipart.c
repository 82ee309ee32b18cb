/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data (RFC 7578): each part is read by its type and in its
 * charset, behind its name as a label. Preamble and epilogue are text too.
 * Files of other kinds are looked at as text as well, but counted: whoever can
 * open them must.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "filters/dlp/canary.h"
#include "filters/dlp/container.h"
#include "filters/text/reader.h"

#define HEAD_MAX 8192 /* of one part */
#define CHARSET_NAME_MAX 32

_Static_assert(HEAD_MAX + 16 <= DLP_BODY_HELD_MAX, "a head and its borders");
_Static_assert(4 + MULTIPART_BOUNDARY_MAX + CONVERT_OUT_MAX(READER_HEAD_MAX) +
	    CONTAINER_HELD_MAX <=
	DLP_BODY_HELD_MAX,
    "or what may be a delimiter, behind the beginning of a part");

struct multipart {
	enum part_at {
		AT_BODY = 0,
		AT_DELIMITER,
		AT_HEAD
	} at;
	size_t matched; /* bytes of the delimiter, or of its end */
	size_t lent;    /* of these: a line end that is not the body's */
	size_t delimiter_n;
	uint8_t delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - … */
	bool closed; /* the last delimiter was met */
	size_t head_n;
	uint8_t head[HEAD_MAX];
	const struct container_type *type; /* NULL: text, as it is */
	void *state;
	bool in_charset; /* the part is text, whose charset may be any */
	struct reader reader;
	uint8_t charset[CHARSET_NAME_MAX]; /* as the part declares it */
	struct sink *sink;                 /* while the reader gives text */
	struct file_digest digest;         /* of the part */
};

void
multipart_set_boundary(void *state, struct bytes boundary)
{
	struct multipart *m = state;

	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_n = 4 + boundary.n;
	/* The first delimiter needs no line end before it. */
	m->matched = m->lent = 2;
}

/* Text in UTF-8. */
static void
give_text(void *owner, struct bytes text)
{
	struct multipart *m = owner;

	if (m->type == NULL)
		sink_bytes(m->sink, text);
	else
		m->type->push(m->state, m->sink, text);
}

static void
give(struct multipart *m, struct sink *s, struct bytes b, bool last)
{
	m->sink = s;
	file_digest_push(&m->digest, b);
	if (m->in_charset)
		reader_push(&m->reader, b, last, give_text, m);
	else
		give_text(m, b);
}

static void
end_part(struct multipart *m, struct sink *s)
{
	give(m, s, (struct bytes){ 0 }, true);
	file_digest_end(&m->digest, s->scan);
	m->in_charset = false;
	if (m->type != NULL) {
		m->type->end(m->state, s);
		OPENSSL_cleanse(m->state, m->type->state_size);
	}
	free(m->state);
	m->state = NULL;
	m->type = NULL;
	sink_byte(s, DLP_FIELD);
}

static void
give_body(struct multipart *m, struct sink *s, struct bytes b)
{
	if (b.n > 0)
		give(m, s, b, false);
}

/* The value of a parameter, without its quotes; none: absent. */
static struct bytes
parameter(struct bytes line, struct bytes name)
{
	for (size_t i = 0; i + name.n + 1 < line.n; i++) {
		struct bytes rest = { line.p + i, line.n - i };
		struct bytes value;

		if (i > 0 && line.p[i - 1] != ' ' && line.p[i - 1] != ';' &&
		    line.p[i - 1] != '\t')
			continue;
		if (!bytes_equal_nocase(bytes_take(&rest, name.n), name) ||
		    rest.p[0] != '=')
			continue;
		bytes_take(&rest, 1);
		if (rest.n == 0 || rest.p[0] != '"')
			return bytes_trim(bytes_take_until(&rest, ';'));
		bytes_take(&rest, 1);
		value = rest;
		while (rest.n > 0 && rest.p[0] != '"')
			bytes_take(
			    &rest, rest.p[0] == '\\' && rest.n > 1 ? 2 : 1);
		return (struct bytes){ value.p, value.n - rest.n };
	}
	return (struct bytes){ 0 };
}

struct part {
	struct bytes name, filename, type, charset;
	bool is_file;
};

static void
read_line(struct part *p, struct sink *s, struct bytes line)
{
	struct bytes value = line;
	struct bytes name = bytes_trim(bytes_take_until(&value, ':'));

	if (bytes_equal_nocase(name, BYTES("Content-Disposition"))) {
		p->name = parameter(value, BYTES("name"));
		p->filename = parameter(value, BYTES("filename"));
		if (p->filename.n == 0)
			p->filename = parameter(value, BYTES("filename*"));
		p->is_file = p->filename.n > 0;
	} else if (bytes_equal_nocase(name, BYTES("Content-Type"))) {
		p->type = bytes_trim(value);
		p->charset = parameter(value, BYTES("charset"));
		if (p->charset.n > 0 &&
		    charset_named(p->charset) == CHARSET_UNKNOWN)
			sink_odd(s, "a part in a charset that is not known");
	} else if (bytes_equal_nocase(
		       name, BYTES("Content-Transfer-Encoding")) &&
	    !bytes_equal_nocase(bytes_trim(value), BYTES("8bit")) &&
	    !bytes_equal_nocase(bytes_trim(value), BYTES("binary")) &&
	    !bytes_equal_nocase(bytes_trim(value), BYTES("7bit"))) {
		sink_odd(s, "a part that is encoded"); /* RFC 7578, 4.7 */
	} else {
		/* Nobody needs it; or it was no head to who reads strictly. */
		sink_bytes(s, line);
		sink_byte(s, '\n');
	}
}

static const struct {
	struct bytes end;
	enum dlp_container container;
} files[] = {
	{ BYTES_ROW(".csv"), DLP_CSV },
	{ BYTES_ROW(".tsv"), DLP_CSV },
	{ BYTES_ROW(".json"), DLP_JSON },
	{ BYTES_ROW(".html"), DLP_HTML },
	{ BYTES_ROW(".htm"), DLP_HTML },
	{ BYTES_ROW(".xml"), DLP_HTML },
	{ BYTES_ROW(".txt"), DLP_PLAIN },
	{ BYTES_ROW(".md"), DLP_PLAIN },
	{ BYTES_ROW(".log"), DLP_PLAIN },
};

/* By its type, else by its name; DLP_CONTAINERS: nobody knows. */
static enum dlp_container
part_container(const struct part *p)
{
	struct bytes type = p->type;
	struct bytes media = bytes_trim(bytes_take_until(&type, ';'));
	enum dlp_container c = dlp_container_of(media);
	struct bytes top = bytes_take(&media, 5);

	if (c != DLP_PLAIN && c != DLP_MULTIPART)
		return c;
	for (size_t i = 0; p->is_file && i < COUNT(files); i++)
		if (p->filename.n >= files[i].end.n &&
		    bytes_equal_nocase((struct bytes){ p->filename.p +
					       p->filename.n - files[i].end.n,
					   files[i].end.n },
			files[i].end))
			return files[i].container;
	return !p->is_file || bytes_equal_nocase(top, BYTES("text/"))
	    ? DLP_PLAIN
	    : DLP_CONTAINERS;
}

static const struct container_type *
type_of(enum dlp_container c)
{
	switch (c) {
	case DLP_FORM:
		return &form_container;
	case DLP_JSON:
		return &json_container;
	case DLP_CSV:
		return &csv_container;
	case DLP_HTML:
		return &html_container;
	case DLP_PLAIN:
	case DLP_MULTIPART: /* not within itself */
	case DLP_CONTAINERS:
		return NULL;
	}
	return NULL;
}

/* Escapes of a form are bytes of anything. */
static void
begin_charset(struct multipart *m, enum dlp_container c, struct bytes name)
{
	struct bytes kept = { m->charset, name.n };

	m->in_charset =
	    c == DLP_PLAIN || c == DLP_CSV || c == DLP_HTML || c == DLP_JSON;
	if (name.n > sizeof(m->charset) || c == DLP_JSON)
		kept.n = 0;
	if (kept.n > 0)
		memcpy(m->charset, name.p, kept.n);
	if (m->in_charset)
		reader_init(&m->reader, kept, c == DLP_HTML, true);
}

static void
begin_part(struct multipart *m, struct sink *s)
{
	struct bytes rest = { m->head, m->head_n };
	struct part p = { 0 };
	enum dlp_container c;

	/* Of a head nobody reads all but who looks for what is hidden in it. */
	if (dlp_has_canaries(s->scan)) {
		sink_bytes(s, rest);
		sink_byte(s, DLP_RECORD);
	}
	while (rest.n > 0)
		read_line(&p, s, bytes_trim(bytes_take_until(&rest, '\n')));
	/* Programs send files without a name, too (multipart/related). */
	file_digest_begin(&m->digest, s->scan);
	c = part_container(&p);
	if (c == DLP_CONTAINERS)
		s->unread++;
	begin_charset(m, c, p.charset);
	m->type = type_of(c);
	if (m->type != NULL) {
		m->state = calloc(1, m->type->state_size);
		must(m->state != NULL);
	}
	sink_bytes(s, p.filename);
	sink_byte(s, DLP_FIELD);
	sink_bytes(s, p.name);
	sink_bytes(s, BYTES(": "));
	/* The rows of a file are no part of its label. */
	if (p.is_file)
		sink_byte(s, DLP_RECORD);
	m->at = AT_BODY;
	m->head_n = 0;
	/* An empty body: the delimiter's line end is that of the head. */
	m->matched = m->lent = 2;
}

/* What might have been a delimiter. */
static void
give_held(struct multipart *m, struct sink *s)
{
	give_body(m, s,
	    (struct bytes){ m->delimiter + m->lent, m->matched - m->lent });
	m->matched = m->lent = 0;
}

/* The body's bytes up to what may begin a delimiter. */
static void
take_body(struct multipart *m, struct sink *s, struct bytes *in)
{
	uint8_t c;

	if (m->matched == 0) {
		ssize_t at = bytes_index(*in, '\r');

		give_body(m, s, bytes_take(in, at < 0 ? in->n : (size_t)at));
		if (in->n == 0)
			return;
	}
	c = in->p[0];
	if (c == m->delimiter[m->matched]) {
		bytes_take(in, 1);
		if (++m->matched == m->delimiter_n) {
			end_part(m, s);
			m->at = AT_DELIMITER;
			m->matched = m->lent = 0;
		}
		return;
	}
	/* No CR but the first: what was held is the body's. */
	give_held(m, s);
}

/* Behind a delimiter: its end, "--", or blanks, and the line end. */
static void
take_delimiter(struct multipart *m, struct sink *s, uint8_t c)
{
	if (c == '\n') {
		m->at = m->closed ? AT_BODY : AT_HEAD;
		m->matched = 0;
	} else if (c == '-' && m->matched < 2) {
		m->closed = ++m->matched == 2;
	} else if (c != ' ' && c != '\t' && c != '\r') {
		sink_odd(s, "bytes behind a boundary");
		sink_byte(s, c);
	}
}

static bool
ends_head(const struct multipart *m)
{
	const struct bytes head = { m->head, m->head_n };

	return bytes_end_with(head, BYTES("\n\r\n")) ||
	    bytes_end_with(head, BYTES("\n\n")) ||
	    bytes_equal(head, BYTES("\r\n")) || bytes_equal(head, BYTES("\n"));
}

static void
take_head(struct multipart *m, struct sink *s, uint8_t c)
{
	if (m->head_n == HEAD_MAX) {
		sink_odd(s, "a part with a long head");
		begin_part(m, s);
		m->matched = m->lent = 0;
		sink_byte(s, c);
		return;
	}
	m->head[m->head_n++] = c;
	if (c == '\n' && ends_head(m))
		begin_part(m, s);
}

static void
multipart_push(void *state, struct sink *s, struct bytes in)
{
	struct multipart *m = state;

	while (in.n > 0) {
		switch (m->at) {
		case AT_BODY:
			take_body(m, s, &in);
			break;
		case AT_DELIMITER:
			take_delimiter(m, s, *bytes_take(&in, 1).p);
			break;
		case AT_HEAD:
			take_head(m, s, *bytes_take(&in, 1).p);
			break;
		}
	}
}

static void
multipart_end(void *state, struct sink *s)
{
	struct multipart *m = state;

	if (!m->closed)
		sink_odd(s, "multipart without its end");
	if (m->at == AT_HEAD)
		sink_bytes(s, (struct bytes){ m->head, m->head_n });
	if (m->at == AT_BODY)
		give_held(m, s);
	end_part(m, s);
	sink_byte(s, DLP_RECORD);
}

static void
multipart_release(void *state)
{
	struct multipart *m = state;

	if (m->type != NULL)
		OPENSSL_cleanse(m->state, m->type->state_size);
	free(m->state);
	file_digest_release(&m->digest);
}

const struct container_type multipart_container = {
	.state_size = sizeof(struct multipart),
	.push = multipart_push,
	.end = multipart_end,
	.release = multipart_release,
};
