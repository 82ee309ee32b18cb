/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/body.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "filters/dlp/container.h"
#include "filters/media.h"

struct dlp_body {
	const struct container_type *type;
	void *state;
	struct sink sink;
};

static const struct {
	struct bytes type;
	enum dlp_container container;
} types[] = {
	{ BYTES_ROW("application/x-www-form-urlencoded"), DLP_FORM },
	{ BYTES_ROW("application/json"), DLP_JSON },
	{ BYTES_ROW("text/json"), DLP_JSON },
	{ BYTES_ROW("application/x-ndjson"), DLP_JSON },
	{ BYTES_ROW("text/csv"), DLP_CSV },
	{ BYTES_ROW("application/csv"), DLP_CSV },
	{ BYTES_ROW("text/tab-separated-values"), DLP_CSV },
	{ BYTES_ROW("text/html"), DLP_HTML },
	{ BYTES_ROW("application/xhtml+xml"), DLP_HTML },
	{ BYTES_ROW("application/xml"), DLP_HTML },
	{ BYTES_ROW("text/xml"), DLP_HTML },
};

/* RFC 6838 section 4.2.8. */
static bool
has_suffix(struct bytes media, struct bytes suffix)
{
	return media.n > suffix.n &&
	    bytes_equal_nocase(
		(struct bytes){ media.p + media.n - suffix.n, suffix.n },
		suffix);
}

enum dlp_container
dlp_container_of(struct bytes type)
{
	struct bytes media = media_name(type);

	for (size_t i = 0; i < COUNT(types); i++)
		if (bytes_equal_nocase(media, types[i].type))
			return types[i].container;
	if (media_is_below(media, BYTES("multipart/")))
		return DLP_MULTIPART;
	if (has_suffix(media, BYTES("+json")))
		return DLP_JSON;
	return has_suffix(media, BYTES("+xml")) ? DLP_HTML : DLP_PLAIN;
}

struct bytes
dlp_boundary_of(struct bytes type)
{
	struct bytes value = media_parameter(type, BYTES("boundary"));

	return value.n > MULTIPART_BOUNDARY_MAX ? (struct bytes){ 0 } : value;
}

void
sink_flush(struct sink *s)
{
	dlp_feed(s->scan, (struct bytes){ s->p, s->n });
	s->n = 0;
}

void
sink_bytes(struct sink *s, struct bytes b)
{
	if (b.n > SINK_MAX - s->n)
		sink_flush(s);
	if (b.n > SINK_MAX) {
		dlp_feed(s->scan, b);
		return;
	}
	if (b.n > 0)
		memcpy(s->p + s->n, b.p, b.n);
	s->n += b.n;
}

void
sink_sign(struct sink *s, uint32_t code)
{
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	if (code < 0x80) {
		sink_byte(s, (uint8_t)code);
		return;
	}
	if (code < 0x800) {
		sink_byte(s, (uint8_t)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		sink_byte(s, (uint8_t)(0xe0 | code >> 12));
		sink_byte(s, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
	} else {
		sink_byte(s, (uint8_t)(0xf0 | code >> 18));
		sink_byte(s, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
		sink_byte(s, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
	}
	sink_byte(s, (uint8_t)(0x80 | (code & 0x3f)));
}

void
sink_odd(struct sink *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
}

static void
push_plain(void *state, struct sink *s, struct bytes in)
{
	(void)state;
	dlp_feed(s->scan, in);
}

static void
end_plain(void *state, struct sink *s)
{
	(void)state;
	sink_byte(s, DLP_RECORD);
}

static const struct container_type plain_container = {
	.state_size = 1,
	.push = push_plain,
	.end = end_plain,
};

static const struct container_type *
type_of(enum dlp_container c)
{
	switch (c) {
	case DLP_FORM:
		return &form_container;
	case DLP_MULTIPART:
		return &multipart_container;
	case DLP_JSON:
		return &json_container;
	case DLP_CSV:
		return &csv_container;
	case DLP_HTML:
		return &html_container;
	case DLP_PLAIN:
	case DLP_CONTAINERS:
		break;
	}
	return &plain_container;
}

struct dlp_body *
dlp_body_new(struct dlp *scan, enum dlp_container c, struct bytes boundary)
{
	struct dlp_body *b = calloc(1, sizeof(*b));
	bool bounded = boundary.n > 0 && boundary.n <= MULTIPART_BOUNDARY_MAX;

	must(b != NULL);
	b->sink.scan = scan;
	if (c == DLP_MULTIPART && !bounded) {
		sink_odd(&b->sink, "multipart without a boundary");
		c = DLP_PLAIN;
	}
	b->type = type_of(c);
	b->state = calloc(1, b->type->state_size);
	must(b->state != NULL);
	if (c == DLP_MULTIPART)
		multipart_set_boundary(b->state, boundary);
	return b;
}

void
dlp_body_push(struct dlp_body *b, struct bytes in)
{
	b->type->push(b->state, &b->sink, in);
	sink_flush(&b->sink);
}

const char *
dlp_body_end(struct dlp_body *b)
{
	b->type->end(b->state, &b->sink);
	sink_flush(&b->sink);
	return b->sink.why;
}

uint32_t
dlp_body_unread(const struct dlp_body *b)
{
	return b->sink.unread;
}

void
dlp_body_free(struct dlp_body *b)
{
	if (b == NULL)
		return;
	if (b->type->release != NULL)
		b->type->release(b->state);
	OPENSSL_cleanse(b->state, b->type->state_size);
	free(b->state);
	OPENSSL_cleanse(b, sizeof(*b));
	free(b);
}
