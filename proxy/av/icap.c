/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 3507: OPTIONS, which says how long a preview the service wants, then
 * RESPMOD with the object as the body of an HTTP answer. 204: it is as it was.
 * A service may also send it back, even while it still comes: whoever sends
 * back something else has found something.
 */
#include "proxy/av/talk.h"

enum {
	ICAP_BEGIN,
	ICAP_OPTIONS, /* its answer is awaited */
	ICAP_REQUEST, /* the head and the preview are to be sent */
	ICAP_PREVIEW, /* the answer to the preview is awaited */
	ICAP_BODY,    /* the rest is being sent; an answer may come */
	ICAP_ANSWER,
	/* What comes back has to be what was sent. */
	ICAP_BACK_HEAD,
	ICAP_BACK_SIZE,
	ICAP_BACK_DATA,
};

#define PREVIEW_MAX ((size_t)32768)
#define NO_PREVIEW SIZE_MAX

int
icap_service(
    struct bytes service, struct bytes *host_out, struct bytes *path_out)
{
	static const struct bytes scheme = BYTES_ROW("icap://");

	if (!bytes_start_with(service, scheme))
		return -1;
	for (size_t i = 0; i < service.n; i++)
		if (service.p[i] <= 0x20 || service.p[i] >= 0x7f)
			return -1;
	bytes_take(&service, scheme.n);
	*host_out = bytes_take_until(&service, '/');
	*path_out = service;
	return host_out->n > 0 && service.n > 0 ? 0 : -1;
}

static struct bytes
host_of(const struct talk *t)
{
	struct bytes host = { 0 };
	struct bytes path;

	must(icap_service(bytes_of(t->scanner->service), &host, &path) == 0);
	return host;
}

/* The end of a head in `in`, behind its empty line; 0: not there yet. */
static size_t
head_end(const struct talk *t)
{
	static const char end[] = "\r\n\r\n";
	const uint8_t *p =
	    t->in.n == 0 ? NULL : memmem(t->in.p, t->in.n, end, 4);

	return p == NULL ? 0 : (size_t)(p - t->in.p) + 4;
}

/* A field of the head, by its name in any case; empty: not there. */
static struct bytes
field(struct bytes head, const char *name)
{
	bytes_take_until(&head, '\n');
	while (head.n > 0) {
		struct bytes value = bytes_take_until(&head, '\n');
		struct bytes found = bytes_take_until(&value, ':');

		if (!bytes_equal_nocase(found, bytes_of(name)))
			continue;
		if (bytes_end_with(value, BYTES("\r")))
			value.n--;
		return bytes_trim(value);
	}
	return (struct bytes){ 0 };
}

/* ICAP/1.0 204 words; 0: it is no such line. */
static unsigned
status_of(struct bytes head)
{
	struct bytes line = bytes_take_until(&head, '\n');
	struct bytes version = bytes_take_until(&line, ' ');
	struct bytes code = bytes_take_until(&line, ' ');
	uint64_t n;

	if (bytes_end_with(code, BYTES("\r")))
		code.n--;
	if (!bytes_equal(version, BYTES("ICAP/1.0")) || code.n != 3 ||
	    bytes_number(code, 999, &n) < 0)
		return 0;
	return (unsigned)n;
}

static enum talk_next
fail(struct talk *t, const char *why)
{
	return talk_answer(t, AV_FAILED, bytes_of(why));
}

static void
put_options(struct talk *t)
{
	must(buf_printf(&t->out, "OPTIONS %s ICAP/1.0\r\nHost: %.*s\r\n\r\n",
		 t->scanner->service, BYTES_PRINTF(host_of(t))) == 0);
}

static void
put_chunk(struct talk *t, struct bytes chunk)
{
	if (chunk.n == 0)
		return;
	must(buf_printf(&t->out, "%zx\r\n", chunk.n) == 0 &&
	    buf_append(&t->out, chunk) == 0 &&
	    buf_append_string(&t->out, "\r\n") == 0);
}

/* The name as a path: what is not plainly one character is encoded. */
static void
put_name(struct buf *out, const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') ||
		    (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		    *c == '.' || *c == '-' || *c == '_';

		/* One that is cut short does no harm. */
		if (buf_printf(out, plain ? "%c" : "%%%02X", (uint8_t)*c) < 0)
			return;
	}
}

static void
put_request(struct talk *t)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
				     "Content-Type: application/octet-stream"
				     "\r\nContent-Length: ";
	struct buf get, ok;
	bool preview = t->preview != NO_PREVIEW;

	buf_init(&get, 4096);
	buf_init(&ok, 256);
	must(buf_append_string(&get, "GET http://object.invalid/") == 0);
	get.max -= 64;
	put_name(&get, t->name);
	get.max += 64;
	must(buf_append_string(
		 &get, " HTTP/1.1\r\nHost: object.invalid\r\n\r\n") == 0 &&
	    buf_printf(&ok, "%s%zu\r\n\r\n", answer, t->whole.n) == 0 &&
	    buf_printf(&t->out,
		"RESPMOD %s ICAP/1.0\r\nHost: %.*s\r\nAllow: 204\r\n",
		t->scanner->service, BYTES_PRINTF(host_of(t))) == 0);
	if (preview)
		must(buf_printf(&t->out, "Preview: %zu\r\n", t->preview) == 0);
	must(buf_printf(&t->out,
		 "Encapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n\r\n",
		 get.n, get.n + ok.n) == 0 &&
	    buf_append(&t->out, buf_bytes(&get)) == 0 &&
	    buf_append(&t->out, buf_bytes(&ok)) == 0);
	buf_release(&get);
	buf_release(&ok);
}

/* The head and the preview; all of it when there is no more. */
static void
send_request(struct talk *t)
{
	put_request(t);
	if (t->preview == NO_PREVIEW) {
		t->state = ICAP_BODY;
		return;
	}
	put_chunk(t, bytes_take(&t->content, t->preview));
	must(buf_append_string(&t->out,
		 t->content.n == 0 ? "0; ieof\r\n\r\n" : "0\r\n\r\n") == 0);
	t->state = t->content.n == 0 ? ICAP_ANSWER : ICAP_PREVIEW;
}

static void
send_body(struct talk *t)
{
	if (t->content.n > 0) {
		put_chunk(t, bytes_take(&t->content, TALK_CHUNK));
		return;
	}
	must(buf_append_string(&t->out, "0\r\n\r\n") == 0);
	if (t->state == ICAP_BODY)
		t->state = ICAP_ANSWER;
	t->sent = true;
}

void
icap_speak(struct talk *t)
{
	switch (t->state) {
	case ICAP_BEGIN:
		put_options(t);
		t->state = ICAP_OPTIONS;
		return;
	case ICAP_REQUEST:
		send_request(t);
		return;
	case ICAP_BODY:
		send_body(t);
		return;
	case ICAP_BACK_HEAD:
	case ICAP_BACK_SIZE:
	case ICAP_BACK_DATA:
		/* It sends back while it still takes. */
		if (t->body_begun && !t->sent)
			send_body(t);
		return;
	default:
		return;
	}
}

static enum talk_next
take_options(struct talk *t, struct bytes head)
{
	struct bytes preview = field(head, "Preview");
	struct bytes parts = field(head, "Encapsulated");
	uint64_t n;

	if (status_of(head) != 200)
		return fail(t, "OPTIONS is refused");
	t->preview = NO_PREVIEW;
	if (preview.n > 0 && bytes_number(preview, UINT32_MAX, &n) == 0)
		t->preview = n < PREVIEW_MAX ? (size_t)n : PREVIEW_MAX;
	/* A body of OPTIONS would be taken for the next answer. */
	if (parts.n > 0 && !bytes_start_with(parts, BYTES("null-body")))
		return fail(t, "OPTIONS has a body");
	t->state = ICAP_REQUEST;
	return TALK_GO_ON;
}

/* Encapsulated: res-hdr=0, res-body=137. -1: there is no body. */
static int
find_body(struct bytes parts, uint64_t *at_out)
{
	while (parts.n > 0) {
		struct bytes part = bytes_trim(bytes_take_until(&parts, ','));
		struct bytes name = bytes_take_until(&part, '=');

		if (bytes_equal_nocase(name, BYTES("res-body")))
			return bytes_number(part, TALK_HEAD_MAX, at_out);
	}
	return -1;
}

static enum talk_next
judge(struct talk *t, struct bytes head)
{
	static const char *const names[] = { "X-Infection-Found", "X-Virus-ID",
		"X-Violations-Found" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct bytes value = field(head, names[i]);

		if (value.n > 0)
			return talk_answer(t, AV_FOUND, value);
	}
	switch (status_of(head)) {
	case 204:
		return talk_answer(t, AV_CLEAN, BYTES(""));
	case 200:
		if (find_body(field(head, "Encapsulated"), &t->skip) < 0)
			return talk_answer(
			    t, AV_FOUND, BYTES("it sends nothing back"));
		t->body_begun = t->state == ICAP_BODY;
		t->state = ICAP_BACK_HEAD;
		return TALK_GO_ON;
	default:
		bytes_take_until(&head, ' ');
		return talk_answer(t, AV_FAILED, bytes_take_until(&head, '\r'));
	}
}

static enum talk_next
take_head(struct talk *t)
{
	size_t n = head_end(t);
	struct bytes head = { t->in.p, n };
	enum talk_next next = TALK_GO_ON;

	if (n == 0)
		return t->in.n == t->in.max ? fail(t, "an answer too long")
					    : TALK_GO_ON;
	if (t->state == ICAP_OPTIONS)
		next = take_options(t, head);
	else if (t->state == ICAP_PREVIEW && status_of(head) == 100)
		t->state = ICAP_BODY;
	else if (t->state >= ICAP_PREVIEW)
		next = judge(t, head);
	else
		next = fail(t, "an answer before the question");
	buf_consume(&t->in, n);
	return next;
}

static enum talk_next
changed(struct talk *t)
{
	return talk_answer(t, AV_FOUND, BYTES("changed by the scanner"));
}

static enum talk_next
skip_head(struct talk *t)
{
	size_t n = t->in.n < t->skip ? t->in.n : (size_t)t->skip;

	buf_consume(&t->in, n);
	t->skip -= n;
	if (t->skip == 0)
		t->state = ICAP_BACK_SIZE;
	return TALK_GO_ON;
}

/* A chunk's size, in its line; behind data its CRLF stands first. */
static enum talk_next
take_size(struct talk *t)
{
	struct bytes in = buf_bytes(&t->in);
	struct bytes line;
	ssize_t end;

	if (bytes_start_with(in, BYTES("\r\n")))
		bytes_take(&in, 2);
	end = bytes_index(in, '\n');
	if (end < 0)
		return t->in.n > 256 ? fail(t, "no chunk") : TALK_GO_ON;
	line = bytes_take(&in, (size_t)end);
	t->chunk = 0;
	for (size_t i = 0; i < line.n && byte_hex(line.p[i]) >= 0; i++)
		t->chunk = i < 15
		    ? t->chunk << 4 | (uint64_t)byte_hex(line.p[i])
		    : UINT64_MAX;
	if (line.n == 0 || byte_hex(line.p[0]) < 0)
		return fail(t, "no chunk");
	buf_consume(&t->in, t->in.n - in.n + 1);
	if (t->chunk > 0) {
		t->state = ICAP_BACK_DATA;
		return TALK_GO_ON;
	}
	return t->back.n == 0 ? talk_answer(t, AV_CLEAN, BYTES(""))
			      : changed(t);
}

static enum talk_next
take_data(struct talk *t)
{
	size_t n = t->in.n < t->chunk ? t->in.n : (size_t)t->chunk;

	if (!bytes_equal(bytes_take(&t->back, n), (struct bytes){ t->in.p, n }))
		return changed(t);
	buf_consume(&t->in, n);
	t->chunk -= n;
	if (t->chunk == 0)
		t->state = ICAP_BACK_SIZE;
	return TALK_GO_ON;
}

static enum talk_next
take_some(struct talk *t)
{
	switch (t->state) {
	case ICAP_BACK_HEAD:
		return skip_head(t);
	case ICAP_BACK_SIZE:
		return take_size(t);
	case ICAP_BACK_DATA:
		return take_data(t);
	default:
		return take_head(t);
	}
}

enum talk_next
icap_listen(struct talk *t)
{
	size_t before;
	int state;

	do {
		before = t->in.n;
		state = t->state;
		if (take_some(t) == TALK_OVER)
			return TALK_OVER;
	} while (t->in.n != before || t->state != state);
	return t->ended ? fail(t, "no answer") : TALK_GO_ON;
}
