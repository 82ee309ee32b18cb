/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/h2.h"

#include <string.h>

#include "proxy/http/websocket.h"

#define FIELDS_FIRST 16
#define FIELD_OVERHEAD 32 /* RFC 9113 section 6.5.2 */

/* Reading. */

void
h2_head_begin(struct h2_head *h, struct arena *a, struct message *m,
    const struct h1_limits *limits)
{
	*h = (struct h2_head){
		.arena = a,
		.message = m,
		.limits = limits,
	};
	*m = (struct message){ .version_minor = 1, .keep_alive = true };
}

static void
refuse(struct h2_head *h, unsigned status, const char *why)
{
	if (h->why != NULL)
		return;
	h->status = status;
	h->why = why;
}

static struct field *
add_field(struct h2_head *h, struct bytes name, struct bytes value)
{
	struct message *m = h->message;
	struct field *f;

	if (m->fields_n == h->fields_size) {
		size_t size =
		    h->fields_size == 0 ? FIELDS_FIRST : h->fields_size * 2;
		struct field *more = ARENA_ARRAY(h->arena, struct field, size);

		if (m->fields_n > 0)
			memcpy(more, m->fields, m->fields_n * sizeof(*more));
		if (h->cookie != NULL)
			h->cookie = more + (h->cookie - m->fields);
		m->fields = more;
		h->fields_size = size;
	}
	f = &m->fields[m->fields_n++];
	*f = (struct field){
		.id = field_id(name), .name = name, .value = value
	};
	return f;
}

static void
add_cookie(struct h2_head *h, struct bytes name, struct bytes value)
{
	if (h->cookie == NULL) {
		h->cookie = add_field(h, name, value);
		return;
	}
	h->cookie->value = bytes_of(arena_printf(h->arena, "%.*s; %.*s",
	    BYTES_PRINTF(h->cookie->value), BYTES_PRINTF(value)));
}

/* nghttp2 has seen that each is there once and before the fields, and none of
 * an answer in a request. */
static void
add_pseudo(struct h2_head *h, struct bytes name, struct bytes value)
{
	if (bytes_equal(name, BYTES(":method")))
		h->message->method = value;
	else if (bytes_equal(name, BYTES(":scheme")))
		h->scheme = value;
	else if (bytes_equal(name, BYTES(":authority")))
		h->authority = value;
	else if (bytes_equal(name, BYTES(":path")))
		h->path = value;
	else if (bytes_equal(name, BYTES(":protocol")))
		h->protocol = value;
	else if (bytes_equal(name, BYTES(":status")))
		h->status_text = value;
	else
		refuse(h, 400, "a pseudo-field that is not known");
}

void
h2_head_add(struct h2_head *h, struct bytes name, struct bytes value)
{
	h->bytes += name.n + value.n + FIELD_OVERHEAD;
	if (h->bytes > h->limits->head_max) {
		refuse(h, 431, "the head is too large");
		return;
	}
	if (++h->fields_n > h->limits->fields_max) {
		refuse(h, 431, "too many fields");
		return;
	}
	name = arena_copy(h->arena, name);
	value = arena_copy(h->arena, bytes_trim(value));
	if (name.n > 0 && name.p[0] == ':')
		add_pseudo(h, name, value);
	else if (bytes_equal(name, BYTES("cookie")))
		add_cookie(h, name, value);
	else
		add_field(h, name, value);
}

/* Whether the name is one, so far as no path, query or user can hide in it. */
static bool
is_authority(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= 0x20 || name.p[i] >= 0x7f ||
		    strchr("/?#@\\", name.p[i]) != NULL)
			return false;
	return name.n > 0;
}

/* RFC 9113 section 8.3.1: one name, wherever it stands. */
static void
take_authority(struct h2_head *h)
{
	struct message *m = h->message;
	bool named = false;

	for (size_t i = 0; i < m->fields_n; i++) {
		if (m->fields[i].id != FIELD_HOST)
			continue;
		if (named ||
		    (h->authority.n > 0 &&
			!bytes_equal_nocase(m->fields[i].value, h->authority)))
			refuse(h, 400, "Host unlike :authority");
		named = true;
	}
	if (h->authority.n == 0 && !named)
		refuse(h, 400, "no :authority");
	if (!named)
		add_field(h, BYTES("host"), h->authority);
	if (!is_authority(message_field(m, FIELD_HOST)->value))
		refuse(h, 400, "a name with a byte that names cannot have");
}

/* The same as HTTP/1.1 takes: those that are registered. */
static bool
is_method(struct bytes b)
{
#define ROW(number, name, string) BYTES(#string),
	static const struct bytes methods[] = { HTTP_METHOD_MAP(ROW) };
#undef ROW

	for (size_t i = 0; i < COUNT(methods); i++)
		if (bytes_equal(methods[i], b))
			return true;
	return false;
}

/* A field of HTTP/1.1 alone, instead of what the peer says in its name. */
static void
set_field(
    struct h2_head *h, enum field_id id, struct bytes name, struct bytes value)
{
	struct message *m = h->message;
	bool set = false;

	for (size_t i = 0; i < m->fields_n; i++) {
		if (m->fields[i].id != id)
			continue;
		m->fields[i].hop = set;
		m->fields[i].value = value;
		set = true;
	}
	if (!set)
		add_field(h, name, value);
}

static void
take_protocol(struct h2_head *h)
{
	struct message *m = h->message;

	if (!bytes_equal(m->method, BYTES("CONNECT")))
		refuse(h, 400, ":protocol without CONNECT");
	if (!bytes_equal(h->protocol, BYTES("websocket")))
		refuse(h, 501, "a :protocol that is not known");
	m->method = BYTES("GET");
	m->upgrade = true;
	add_field(h, BYTES("upgrade"), h->protocol);
	set_field(h, FIELD_SEC_WEBSOCKET_KEY, BYTES("sec-websocket-key"),
	    websocket_key(h->arena));
}

/* One that can follow `scheme://authority`; others stay what they are. */
static struct bytes
absolute(struct h2_head *h)
{
	const struct field *host = message_field(h->message, FIELD_HOST);

	if (host == NULL || h->path.n == 0 || h->path.p[0] != '/')
		return h->path;
	return bytes_of(
	    arena_printf(h->arena, "%.*s://%.*s%.*s", BYTES_PRINTF(h->scheme),
		BYTES_PRINTF(host->value), BYTES_PRINTF(h->path)));
}

static void
take_target(struct h2_head *h, enum h2_asked asked)
{
	struct message *m = h->message;

	if (!is_method(m->method))
		refuse(h, 501, "unknown method");
	if (h->protocol.n > 0) {
		take_protocol(h);
	} else if (bytes_equal(m->method, BYTES("CONNECT"))) {
		m->target = h->authority;
		return;
	}
	m->target = asked == H2_ASKED_PROXY ? absolute(h) : h->path;
	if (!bytes_equal(h->scheme, BYTES("https")) &&
	    !bytes_equal(h->scheme, BYTES("http")))
		refuse(h, 400, "a :scheme that is not known");
	if (h->path.n == 0 ||
	    (h->path.p[0] != '/' && !bytes_equal(h->path, BYTES("*"))))
		refuse(h, 400, ":path without a slash");
	/* RFC 3986; nghttp2 lets them through, HTTP/1.1 here does not. */
	for (size_t i = 0; i < h->path.n; i++)
		if (h->path.p[i] <= 0x20 || h->path.p[i] >= 0x7f)
			refuse(h, 400, ":path with a byte that is no URL's");
}

/* nghttp2 has seen that the number is one, and compares it with the body. */
static void
take_length(struct h2_head *h)
{
	struct message *m = h->message;
	const struct field *length = message_field(m, FIELD_CONTENT_LENGTH);
	uint64_t n = 0;

	for (size_t i = 0; length != NULL && i < length->value.n; i++) {
		uint8_t digit = (uint8_t)(length->value.p[i] - '0');

		if (digit > 9 || n > ((uint64_t)INT64_MAX - digit) / 10) {
			refuse(h, 400, "a content-length that is no number");
			return;
		}
		n = n * 10 + digit;
	}
	m->content_length = n;
	m->has_content_length = length != NULL;
}

bool
h2_head_request(struct h2_head *h, enum h2_asked asked, bool ends)
{
	struct message *m = h->message;

	take_authority(h);
	take_target(h, asked);
	take_length(h);
	if (bytes_equal(m->method, BYTES("CONNECT")) && m->has_content_length)
		refuse(h, 400, "CONNECT with a body");
	if (bytes_equal(m->method, BYTES("CONNECT")) && ends)
		refuse(h, 400, "a CONNECT that ends");
	if (m->upgrade) {
		if (ends || m->has_content_length)
			refuse(
			    h, 400, "a WebSocket that ends, or with a length");
		m->framing = FRAMING_NONE;
	} else if (ends) {
		m->framing = FRAMING_NONE;
	} else {
		m->framing =
		    m->has_content_length ? FRAMING_LENGTH : FRAMING_CHUNKED;
	}
	return h->why == NULL;
}

bool
h2_head_response(struct h2_head *h, bool ends, bool to_head)
{
	struct message *m = h->message;
	uint64_t status = 0;

	/* RFC 9113 section 8.6: 101 is of HTTP/1.1 alone. */
	if (h->status_text.n != 3 ||
	    bytes_number(h->status_text, 599, &status) < 0 || status < 100 ||
	    status == 101)
		refuse(h, 502, "a :status that is none of HTTP/2");
	m->status = (unsigned)status;
	m->ended = ends;
	take_length(h);
	if (status < 200 || status == 204 || status == 304 || to_head) {
		m->framing = FRAMING_NONE;
	} else if (ends || m->has_content_length) {
		m->framing = FRAMING_LENGTH;
		m->has_content_length = true;
	} else {
		m->framing = FRAMING_CHUNKED;
	}
	return h->why == NULL;
}

void
h2_head_upgraded(struct h2_head *h, struct bytes key)
{
	struct message *m = h->message;

	m->status = 101;
	m->upgrade = true;
	m->framing = FRAMING_NONE;
	m->has_content_length = false;
	add_field(h, BYTES("upgrade"), BYTES("websocket"));
	set_field(h, FIELD_SEC_WEBSOCKET_ACCEPT, BYTES("sec-websocket-accept"),
	    websocket_accept(h->arena, key));
}

/* Writing. */

static void
put(struct h2_fields *out, struct bytes name, struct bytes value)
{
	/* The library lowers the name's letters in its own copy. */
	out->nv[out->n++] = (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name.p,
		.namelen = name.n,
		.value = (uint8_t *)(uintptr_t)value.p,
		.valuelen = value.n,
		.flags = NGHTTP2_NV_FLAG_NONE,
	};
}

static void
put_fields(struct h2_fields *out, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!fields[i].hop && fields[i].id != FIELD_CONTENT_LENGTH &&
		    fields[i].id != FIELD_SEC_WEBSOCKET_ACCEPT)
			put(out, fields[i].name, fields[i].value);
}

/* RFC 9113 section 8.2.3: in pieces, which HPACK remembers one by one. */
static size_t
count_pieces(struct bytes cookie)
{
	size_t n = 1;

	for (size_t i = 0; i < cookie.n; i++)
		n += cookie.p[i] == ';';
	return n;
}

static void
put_cookie(struct h2_fields *out, struct bytes cookie)
{
	while (cookie.n > 0)
		put(out, BYTES("cookie"),
		    bytes_trim(bytes_take_until(&cookie, ';')));
}

static void
put_length(struct h2_fields *out, struct arena *a, uint64_t n)
{
	uint8_t *digits = arena_alloc(a, BYTES_DECIMAL_MAX);

	put(out, BYTES("content-length"),
	    (struct bytes){ digits, bytes_decimal(digits, n, 1) });
}

struct h2_fields
h2_request_fields(struct arena *a, const struct message *m, const char *via)
{
	const struct field *host = message_field(m, FIELD_HOST);
	const struct field *te = message_field(m, FIELD_TE);
	struct h2_fields out = { 0 };
	size_t max = m->fields_n + 8;

	for (size_t i = 0; i < m->fields_n; i++)
		if (m->fields[i].id == FIELD_COOKIE)
			max += count_pieces(m->fields[i].value);
	out.nv = ARENA_ARRAY(a, nghttp2_nv, max);
	put(&out, BYTES(":method"), m->upgrade ? BYTES("CONNECT") : m->method);
	if (m->upgrade)
		put(&out, BYTES(":protocol"), BYTES("websocket"));
	put(&out, BYTES(":scheme"), BYTES("https"));
	put(&out, BYTES(":authority"), host->value);
	put(&out, BYTES(":path"), m->target);
	for (size_t i = 0; i < m->fields_n; i++) {
		const struct field *f = &m->fields[i];

		if (f->id == FIELD_COOKIE && !f->hop)
			put_cookie(&out, f->value);
		else if (f->id != FIELD_HOST &&
		    f->id != FIELD_SEC_WEBSOCKET_KEY)
			put_fields(&out, f, 1);
	}
	put(&out, BYTES("via"), bytes_of(via));
	if (te != NULL && bytes_equal_nocase(te->value, BYTES("trailers")))
		put(&out, BYTES("te"), BYTES("trailers"));
	if (m->framing == FRAMING_LENGTH)
		put_length(&out, a, m->content_length);
	return out;
}

struct h2_fields
h2_response_fields(struct arena *a, const struct message *m, const char *via)
{
	struct h2_fields out = {
		.nv = ARENA_ARRAY(a, nghttp2_nv, m->fields_n + 3),
	};

	put(&out, BYTES(":status"),
	    m->status == 101 ? BYTES("200")
			     : bytes_of(arena_printf(a, "%03u", m->status)));
	put_fields(&out, m->fields, m->fields_n);
	if (via != NULL)
		put(&out, BYTES("via"), bytes_of(via));
	/* RFC 9110 section 8.6: not with 1xx and 204 */
	if (m->has_content_length && m->status >= 200 && m->status != 204)
		put_length(&out, a, m->content_length);
	return out;
}

struct h2_fields
h2_trailer_fields(struct arena *a, const struct field *trailers, size_t n)
{
	struct h2_fields out = { .nv = ARENA_ARRAY(a, nghttp2_nv, n + 1) };

	put_fields(&out, trailers, n);
	return out;
}
