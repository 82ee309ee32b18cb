/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h1.h"

#include <string.h>

#define METHOD_MAX 32

/* What stops a message: the words, and the status a client is told. */
static enum h1_event
bad(struct h1 *h, unsigned status, const char *why)
{
	h->state = H1_STATE_BAD;
	h->status = status;
	h->why = why;
	buf_release(&h->head);
	return H1_BAD;
}

/* llhttp's callbacks. Their answer 0 goes on; HPE_USER ends with h->why. */

static int
stop(struct h1 *h, unsigned status, const char *why)
{
	bad(h, status, why);
	return HPE_USER;
}

static int
add_field(struct h1 *h)
{
	struct message *m = h->message;
	struct field *more;

	if (h->name.n == 0)
		return stop(h, 400, "a field without a name");
	if (m->fields_n == h->limits->fields_max)
		return stop(h, 431, "too many fields");
	if (m->fields_n == h->fields_size) {
		h->fields_size = h->fields_size == 0 ? 16 : 2 * h->fields_size;
		more = ARENA_ARRAY(h->arena, struct field, h->fields_size);
		if (m->fields_n > 0)
			memcpy(more, m->fields, m->fields_n * sizeof(*more));
		m->fields = more;
	}
	m->fields[m->fields_n++] = (struct field){
		.id = field_id(h->name),
		.name = h->name,
		.value = bytes_trim(h->value),
	};
	h->name = (struct bytes){ 0 };
	return 0;
}

/* Trailers may come in pieces, one behind the other in h->head. */
static int
keep_piece(struct h1 *h, const char *at, size_t n)
{
	if (buf_append(&h->head, (struct bytes){ (const uint8_t *)at, n }) < 0)
		return stop(h, 400, "trailer over its limit");
	return 0;
}

static int
on_field(llhttp_t *p, const char *at, size_t n)
{
	struct h1 *h = p->data;

	h->name = (struct bytes){ (const uint8_t *)at, n };
	h->value = (struct bytes){ 0 };
	if (!h->in_trailer)
		return 0;
	h->name_n += n;
	return keep_piece(h, at, n);
}

static int
on_value(llhttp_t *p, const char *at, size_t n)
{
	struct h1 *h = p->data;

	h->value = (struct bytes){ (const uint8_t *)at, n };
	return h->in_trailer ? keep_piece(h, at, n) : 0;
}

static int
on_value_complete(llhttp_t *p)
{
	struct h1 *h = p->data;
	struct bytes whole;

	if (h->in_trailer) {
		whole = arena_copy(h->arena, buf_bytes(&h->head));
		h->name = bytes_take(&whole, h->name_n);
		h->value = whole;
		h->head.n = 0;
		h->name_n = 0;
	}
	return add_field(h);
}

static int
on_url(llhttp_t *p, const char *at, size_t n)
{
	struct h1 *h = p->data;

	h->message->target = (struct bytes){ (const uint8_t *)at, n };
	return 0;
}

static int
on_status(llhttp_t *p, const char *at, size_t n)
{
	struct h1 *h = p->data;

	h->message->reason = (struct bytes){ (const uint8_t *)at, n };
	return 0;
}

/* Only a chunked body is left to llhttp. */
static int
on_headers_complete(llhttp_t *p)
{
	struct h1 *h = p->data;

	h->parser_chunked = (p->flags & F_CHUNKED) != 0;
	return h->parser_chunked ? 0 : 1;
}

static int
on_body(llhttp_t *p, const char *at, size_t n)
{
	struct h1 *h = p->data;

	h->span = (struct bytes){ (const uint8_t *)at, n };
	return HPE_PAUSED;
}

static int
on_chunk_header(llhttp_t *p)
{
	struct h1 *h = p->data;

	h->in_trailer = p->content_length == 0;
	return 0;
}

static int
on_message_complete(llhttp_t *p)
{
	struct h1 *h = p->data;

	h->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_url = on_url,
	.on_status = on_status,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_message_complete = on_message_complete,
};

/* Between two messages. */
static void
renew(struct h1 *h)
{
	h->state = H1_STATE_HEAD;
	h->in_trailer = false;
	h->behind_chunks = false;
	h->complete = false;
	h->line_n = 0;
	h->skipped_n = 0;
	h->trailer_n = 0;
	h->name_n = 0;
	h->last = 0;
	buf_release(&h->head);
}

void
h1_init(struct h1 *h, enum h1_role role, const struct h1_limits *limits)
{
	*h = (struct h1){ .role = role, .limits = limits };
	buf_init(&h->head, limits->head_max);
	renew(h);
}

void
h1_release(struct h1 *h)
{
	buf_release(&h->head);
}

bool
h1_in_message(const struct h1 *h)
{
	return h->state != H1_STATE_BAD &&
	    (h->state != H1_STATE_HEAD || h->head.n > 0);
}

bool
h1_behind_head(const struct h1 *h)
{
	return h->state != H1_STATE_BAD && h->state != H1_STATE_HEAD;
}

/* Lines. */

/*
 * RFC 9112 section 2.2: a lone CR or LF, a control, a folded line are read in
 * two ways by somebody. NULL when all lines are well formed.
 */
static const char *
judge_lines(struct bytes text)
{
	while (text.n > 0) {
		const uint8_t *lf = memchr(text.p, '\n', text.n);
		struct bytes line;

		if (lf == NULL || lf == text.p || lf[-1] != '\r')
			return "a line feed without carriage return";
		line = bytes_take(&text, (size_t)(lf - text.p) + 1);
		for (size_t i = 0; i + 2 < line.n; i++) {
			uint8_t c = line.p[i];

			if ((c < 0x20 && c != '\t') || c == 0x7f)
				return c == '\r' ? "a bare carriage return"
						 : "a control character";
		}
		/* llhttp would take it for a leftover, and we for a method. */
		if (line.n == 2 && text.n > 0)
			return "an empty line before the start line";
		if (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
			return "a folded line";
	}
	return NULL;
}

/* llhttp's words are for programmers; these are for operators. */
static const struct {
	llhttp_errno_t code;
	unsigned status;
	const char *why;
} refusals[] = {
	{ HPE_INVALID_METHOD, 501, "unknown method" },
	{ HPE_INVALID_VERSION, 505, "HTTP version is not 1.0 or 1.1" },
	{ HPE_UNEXPECTED_CONTENT_LENGTH, 400,
	    "Content-Length twice, or with Transfer-Encoding" },
	{ HPE_INVALID_CONTENT_LENGTH, 400, "Content-Length is no number" },
	{ HPE_INVALID_TRANSFER_ENCODING, 501,
	    "Transfer-Encoding is not chunked" },
	{ HPE_INVALID_CHUNK_SIZE, 400, "a chunk's size is no number" },
	{ HPE_INVALID_HEADER_TOKEN, 400, "a field is malformed" },
};

static enum h1_event
parser_refused(struct h1 *h)
{
	llhttp_errno_t code = llhttp_get_errno(&h->parser);

	if (h->state == H1_STATE_BAD)
		return H1_BAD;
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (refusals[i].code == code)
			return bad(h, refusals[i].status, refusals[i].why);
	return bad(h, 400,
	    h->role == H1_REQUESTS ? "no HTTP request" : "no HTTP answer");
}

/* The fields that say how long the body is and what follows it. */
struct framing_fields {
	unsigned lengths, codings, hosts;
	bool chunked;      /* the only coding */
	bool length_known; /* and a plain number */
	bool close, keep_alive, upgrade;
	unsigned upgrades;
	bool websocket; /* the only upgrade */
};

static void
read_connection(struct framing_fields *f, struct bytes tokens)
{
	while (tokens.n > 0) {
		struct bytes token = bytes_trim(bytes_take_until(&tokens, ','));

		f->close |= bytes_equal_nocase(token, BYTES("close"));
		f->keep_alive |= bytes_equal_nocase(token, BYTES("keep-alive"));
		f->upgrade |= bytes_equal_nocase(token, BYTES("upgrade"));
	}
}

static struct framing_fields
read_framing(struct message *m)
{
	struct framing_fields f = { 0 };

	for (size_t i = 0; i < m->fields_n; i++) {
		struct bytes value = m->fields[i].value;

		if (m->fields[i].id == FIELD_CONTENT_LENGTH) {
			f.lengths++;
			f.length_known = bytes_number(value, INT64_MAX,
					     &m->content_length) == 0;
		} else if (m->fields[i].id == FIELD_TRANSFER_ENCODING) {
			f.codings++;
			f.chunked = bytes_equal_nocase(value, BYTES("chunked"));
		} else if (m->fields[i].id == FIELD_HOST) {
			f.hosts++;
		} else if (m->fields[i].id == FIELD_CONNECTION) {
			read_connection(&f, value);
		} else if (m->fields[i].id == FIELD_UPGRADE) {
			f.upgrades++;
			f.websocket =
			    bytes_equal_nocase(value, BYTES("websocket"));
		}
	}
	return f;
}

/*
 * Connection may name fields of this hop only. Naming one that the far end
 * needs would make a proxy take it out: an attack on whoever trusts it.
 */
static bool
names_needed_field(const struct message *m)
{
	static const char *const needed[] = { "host", "content-length",
		"transfer-encoding", "authorization", "cookie", "set-cookie",
		"content-type", "content-encoding", "x-forwarded-for", "expect",
		"range", "content-range", "content-disposition", "location" };

	for (size_t i = 0; i < m->fields_n; i++) {
		struct bytes tokens = m->fields[i].value;

		if (m->fields[i].id != FIELD_CONNECTION)
			continue;
		while (tokens.n > 0) {
			struct bytes token =
			    bytes_trim(bytes_take_until(&tokens, ','));

			for (size_t k = 0; k < COUNT(needed); k++)
				if (bytes_equal_nocase(
					token, bytes_of(needed[k])))
					return true;
		}
	}
	return false;
}

/* RFC 9112 section 6. NULL, or why there is no one reading. */
static const char *
judge_framing(const struct framing_fields *f, const struct message *m)
{
	if (f->codings > 0 && f->lengths > 0)
		return "Content-Length and Transfer-Encoding together";
	if (f->lengths > 1)
		return "Content-Length twice";
	if (f->lengths == 1 && !f->length_known)
		return "Content-Length is no number";
	if (f->codings > 0 && m->version_minor == 0)
		return "Transfer-Encoding in HTTP/1.0";
	if (f->codings > 1 || (f->codings == 1 && !f->chunked))
		return "Transfer-Encoding is not chunked";
	if (names_needed_field(m))
		return "Connection names a field that is not of this hop";
	return NULL;
}

static void
take_framing(struct h1 *h, struct message *m, const struct framing_fields *f)
{
	m->has_content_length = f->lengths == 1;
	/* Behind any other (h2c) requests would pass that nobody judges: the
	 * field is of this hop and left out, the request is one like any. */
	m->upgrade = f->upgrade && f->upgrades == 1 && f->websocket &&
	    m->version_minor == 1;
	m->keep_alive = !f->close && (m->version_minor == 1 || f->keep_alive);
	h->left = 0;
	if (f->chunked) {
		m->framing = FRAMING_CHUNKED;
		h->state = H1_STATE_CHUNKED;
	} else if (f->lengths == 1 && m->content_length > 0) {
		m->framing = FRAMING_LENGTH;
		h->left = m->content_length;
		h->state = H1_STATE_LENGTH;
	} else if (f->lengths == 1) {
		m->framing = FRAMING_LENGTH;
		h->state = H1_STATE_END;
	} else {
		m->framing = FRAMING_NONE;
		h->state = H1_STATE_END;
	}
}

static enum h1_event
judge_request(struct h1 *h, struct message *m)
{
	struct framing_fields f = read_framing(m);
	const char *why = judge_framing(&f, m);
	struct bytes line = h->text;
	bool is_connect;

	m->method = bytes_take_until(&line, ' ');
	is_connect = bytes_equal(m->method, BYTES("CONNECT"));
	if (m->method.n > METHOD_MAX)
		return bad(h, 501, "unknown method");
	if (why != NULL)
		return bad(h, f.codings == 1 && !f.chunked ? 501 : 400, why);
	if (f.hosts > 1 || (f.hosts == 0 && m->version_minor == 1))
		return bad(h, 400, "not exactly one Host");
	take_framing(h, m, &f);
	if (is_connect && m->framing != FRAMING_NONE)
		return bad(h, 400, "CONNECT with a body");
	if (m->upgrade && m->framing != FRAMING_NONE)
		return bad(h, 400, "an upgrade with a body");
	return H1_HEAD;
}

/* RFC 9112 section 4: three digits. llhttp takes more when the first is 0. */
static bool
has_status_code(struct bytes line)
{
	uint64_t status;

	bytes_take(&line, sizeof("HTTP/1.1 ") - 1);
	return bytes_number(bytes_take(&line, 3), 999, &status) == 0 &&
	    line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\r');
}

static enum h1_event
judge_response(struct h1 *h, struct message *m)
{
	struct framing_fields f = read_framing(m);
	const char *why = judge_framing(&f, m);
	bool bodyless;

	m->status = h->parser.status_code;
	if (why != NULL)
		return bad(h, 502, why);
	if (m->status < 100 || m->status > 599 || !has_status_code(h->text))
		return bad(h, 502, "no status code");
	if ((m->status < 200 || m->status == 204) &&
	    (f.codings > 0 || (f.lengths > 0 && m->content_length > 0)))
		return bad(h, 502, "a body where none may be");
	bodyless = m->status < 200 || m->status == 204 || m->status == 304 ||
	    h->request_was_head || (h->request_was_connect && m->status < 300);
	take_framing(h, m, &f);
	if (bodyless) {
		m->framing = FRAMING_NONE;
		h->state = H1_STATE_END;
	} else if (f.lengths == 0 && f.codings == 0) {
		m->framing = FRAMING_CLOSE;
		m->keep_alive = false;
		h->state = H1_STATE_CLOSE;
	}
	return H1_HEAD;
}

/* llhttp must read what we say it reads: it takes "chunked" with a tab behind
 * for another coding, and the body for the next message. */
static enum h1_event
judge_agreement(struct h1 *h, const struct message *m, enum h1_event event)
{
	if (event == H1_HEAD && m->framing == FRAMING_CHUNKED &&
	    !h->parser_chunked)
		return bad(h, h->role == H1_REQUESTS ? 501 : 502,
		    "Transfer-Encoding is not chunked");
	return event;
}

static enum h1_event
parse_head(struct h1 *h, struct arena *a, struct message *m)
{
	bool requests = h->role == H1_REQUESTS;
	const char *why = judge_lines(h->text);
	llhttp_errno_t result;

	*m = (struct message){ 0 };
	h->message = m;
	h->arena = a;
	h->fields_size = 0;
	h->parser_chunked = false;
	h->head.n = 0;
	if (why != NULL)
		return bad(h, 400, why);
	llhttp_init(
	    &h->parser, requests ? HTTP_REQUEST : HTTP_RESPONSE, &callbacks);
	h->parser.data = h;
	result = llhttp_execute(&h->parser, (const char *)h->text.p, h->text.n);
	if (result != HPE_OK && result != HPE_PAUSED &&
	    result != HPE_PAUSED_UPGRADE)
		return parser_refused(h);
	if (h->parser.http_major != 1 || h->parser.http_minor > 1)
		return bad(h, 505, "HTTP version is not 1.0 or 1.1");
	m->version_minor = h->parser.http_minor;
	h->complete = false;
	return judge_agreement(
	    h, m, requests ? judge_request(h, m) : judge_response(h, m));
}

/* RFC 9112 section 2.2: one empty line before a request is a leftover of old
 * clients. It may come in pieces. */
static void
skip_empty_line(struct h1 *h, struct bytes *in)
{
	static const uint8_t line[] = { '\r', '\n' };

	while (h->role == H1_REQUESTS && h->skipped_n < sizeof(line) &&
	    in->n > 0 && in->p[0] == line[h->skipped_n]) {
		bytes_take(in, 1);
		h->skipped_n++;
	}
}

static enum h1_event
next_head(struct h1 *h, struct bytes *in, struct arena *a, struct message *m)
{
	size_t max = h->limits->head_max;
	size_t before = h->head.n;
	struct bytes all;
	const uint8_t *end;
	size_t n;

	if (before > 0) {
		n = in->n < max - before ? in->n : max - before;
		must(buf_append(&h->head, (struct bytes){ in->p, n }) == 0);
		all = buf_bytes(&h->head);
	} else {
		skip_empty_line(h, in);
		if (h->skipped_n == 1 && in->n > 0)
			return bad(h, 400, "a bare carriage return");
		if (in->n == 0)
			return H1_MORE;
		all = *in;
		if (all.n > max)
			all.n = max;
	}
	n = before < 3 ? 0 : before - 3;
	end = all.n > n ? memmem(all.p + n, all.n - n, "\r\n\r\n", 4) : NULL;
	if (end == NULL && all.n >= max)
		return bad(h, 431, "the head is over its limit");
	if (end == NULL) {
		if (before == 0)
			must(buf_append(&h->head, all) == 0);
		bytes_take(in, in->n);
		return H1_MORE;
	}
	n = (size_t)(end - all.p) + 4;
	bytes_take(in, n - before);
	h->text = arena_copy(a, (struct bytes){ all.p, n });
	buf_release(&h->head);
	return parse_head(h, a, m);
}

static enum h1_event
next_length(struct h1 *h, struct bytes *in, struct bytes *body)
{
	if (in->n == 0)
		return H1_MORE;
	*body = bytes_take(in, h->left < in->n ? (size_t)h->left : in->n);
	h->left -= body->n;
	if (h->left == 0)
		h->state = H1_STATE_END;
	return H1_BODY;
}

static enum h1_event
next_end(struct h1 *h, const struct message *m)
{
	if (!message_trailer_is_harmless(m))
		return bad(h, 400, "a trailer that means something");
	renew(h);
	return H1_END;
}

/* Every byte of a chunked body that is not data: lines end with CRLF, have no
 * controls, and are bounded. llhttp alone forgives some of it. */
static const char *
judge_chunk_framing(struct h1 *h, struct bytes framing)
{
	for (size_t i = 0; i < framing.n; i++) {
		uint8_t c = framing.p[i];

		if ((c == '\n') != (h->last == '\r'))
			return c == '\n' ? "a line feed without carriage return"
					 : "a bare carriage return";
		if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') ||
		    c == 0x7f)
			return "a control character";
		h->last = c;
		if (h->behind_chunks) {
			if (++h->trailer_n > h->limits->trailer_max)
				return "the trailer is over its limit";
			continue;
		}
		/* llhttp has read on: the line that ends, when it is not the
		 * empty one behind data, was the last chunk's. */
		h->behind_chunks = h->in_trailer && c == '\n' && h->line_n > 1;
		h->line_n = c == '\n' ? 0 : h->line_n + 1;
		if (h->line_n > h->limits->chunk_line_max)
			return "a chunk's line is over its limit";
	}
	return NULL;
}

static enum h1_event
next_chunked(struct h1 *h, struct bytes *in, struct arena *a, struct message *m,
    struct bytes *body)
{
	const char *begin = (const char *)in->p;
	struct bytes framing = *in;
	llhttp_errno_t result;
	const char *why;

	if (in->n == 0)
		return H1_MORE;
	h->message = m;
	h->arena = a;
	h->fields_size = m->fields_n;
	h->span = (struct bytes){ 0 };
	result = llhttp_execute(&h->parser, begin, in->n);
	if (result == HPE_PAUSED) {
		const char *stopped = llhttp_get_error_pos(&h->parser);

		framing = bytes_take(in, (size_t)(stopped - begin));
		framing.n -= h->span.n;
		llhttp_resume(&h->parser);
	} else {
		bytes_take(in, in->n);
	}
	why = judge_chunk_framing(h, framing);
	if (h->state == H1_STATE_BAD ||
	    (result != HPE_OK && result != HPE_PAUSED))
		return parser_refused(h);
	if (why != NULL)
		return bad(h, 400, why);
	if (h->span.n > 0) {
		h->last = 0;
		*body = h->span;
		return H1_BODY;
	}
	if (!h->complete)
		return H1_MORE;
	return next_end(h, m);
}

enum h1_event
h1_next(struct h1 *h, struct bytes *in, struct arena *a, struct message *m,
    struct bytes *body)
{
	switch (h->state) {
	case H1_STATE_HEAD:
		return in->n == 0 ? H1_MORE : next_head(h, in, a, m);
	case H1_STATE_LENGTH:
		return next_length(h, in, body);
	case H1_STATE_CHUNKED:
		return next_chunked(h, in, a, m, body);
	case H1_STATE_CLOSE:
		*body = bytes_take(in, in->n);
		return body->n == 0 ? H1_MORE : H1_BODY;
	case H1_STATE_END:
		return next_end(h, m);
	case H1_STATE_BAD:
		return H1_BAD;
	}
	return H1_BAD;
}

enum h1_event
h1_eof(struct h1 *h)
{
	if (h->state == H1_STATE_CLOSE || h->state == H1_STATE_END) {
		renew(h);
		return H1_END;
	}
	if (h->state == H1_STATE_HEAD && h->head.n == 0)
		return H1_MORE;
	return bad(h, 400, "the message is cut short");
}

/* Writing. */

static int
append_number(struct buf *out, uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return buf_append(
	    out, (struct bytes){ (uint8_t *)digits + at, sizeof(digits) - at });
}

static int
write_pair(struct buf *out, struct bytes name, struct bytes value)
{
	uint8_t *p;
	size_t n = name.n + value.n + 4;

	if (buf_reserve(out, n) < 0)
		return -1;
	p = out->p + out->n;
	memcpy(p, name.p, name.n);
	p += name.n;
	*p++ = ':';
	*p++ = ' ';
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	p += value.n;
	*p++ = '\r';
	*p = '\n';
	out->n += n;
	return 0;
}

int
h1_write_field(struct buf *out, const char *name, struct bytes value)
{
	return write_pair(out, bytes_of(name), value);
}

static bool
is_written_anew(const struct field *f)
{
	return f->hop || f->id == FIELD_CONTENT_LENGTH ||
	    f->id == FIELD_TRANSFER_ENCODING;
}

static int
write_fields(struct buf *out, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_written_anew(&fields[i]) &&
		    write_pair(out, fields[i].name, fields[i].value) < 0)
			return -1;
	return 0;
}

static int
write_length(struct buf *out, uint64_t length)
{
	if (buf_append(out, BYTES("Content-Length: ")) < 0 ||
	    append_number(out, length) < 0)
		return -1;
	return buf_append(out, BYTES("\r\n"));
}

static int
write_framing(struct buf *out, const struct message *m)
{
	switch (m->framing) {
	case FRAMING_LENGTH:
		return write_length(out, m->content_length);
	case FRAMING_CHUNKED:
		return h1_write_field(
		    out, "Transfer-Encoding", BYTES("chunked"));
	case FRAMING_NONE:
		/* An answer to HEAD, or 304: the length there would be. */
		if (m->status >= 200 && m->status != 204 &&
		    m->has_content_length)
			return write_length(out, m->content_length);
		return 0;
	case FRAMING_CLOSE:
		return 0;
	}
	return 0;
}

int
h1_write_request(struct buf *out, const struct message *m, struct bytes target)
{
	if (buf_append(out, m->method) < 0 || buf_append(out, BYTES(" ")) < 0 ||
	    buf_append(out, target) < 0 ||
	    buf_append(out, BYTES(" HTTP/1.1\r\n")) < 0 ||
	    write_fields(out, m->fields, m->fields_n) < 0)
		return -1;
	return write_framing(out, m);
}

/* Of answers that are our own; an origin's come with theirs. */
static const struct {
	unsigned status;
	const char *words;
} reasons[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 408, "Request Timeout" },
	{ 421, "Misdirected Request" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

static struct bytes
reason_of(const struct message *m)
{
	for (size_t i = 0; m->reason.n == 0 && i < COUNT(reasons); i++)
		if (reasons[i].status == m->status)
			return bytes_of(reasons[i].words);
	return m->reason;
}

int
h1_write_response(struct buf *out, const struct message *m)
{
	if (buf_append(out, BYTES("HTTP/1.1 ")) < 0 ||
	    append_number(out, m->status) < 0 ||
	    buf_append(out, BYTES(" ")) < 0 ||
	    buf_append(out, reason_of(m)) < 0 ||
	    buf_append(out, BYTES("\r\n")) < 0 ||
	    write_fields(out, m->fields, m->fields_n) < 0 ||
	    write_framing(out, m) < 0)
		return -1;
	if (m->status < 200 || m->keep_alive)
		return 0;
	return h1_write_field(out, "Connection", BYTES("close"));
}

int
h1_write_head_end(struct buf *out)
{
	return buf_append(out, BYTES("\r\n"));
}

size_t
h1_chunk_line(char out[H1_CHUNK_LINE_MAX + 1], size_t n)
{
	return (size_t)snprintf(out, H1_CHUNK_LINE_MAX + 1, "%zx\r\n", n);
}

int
h1_write_chunked_end(struct buf *out, const struct field *trailers, size_t n)
{
	if (buf_append(out, BYTES("0\r\n")) < 0 ||
	    write_fields(out, trailers, n) < 0)
		return -1;
	return h1_write_head_end(out);
}
