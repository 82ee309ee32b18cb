/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/photo.h"

#include <stdio.h>

#define LINE_BYTES 54 /* 72 characters of base64 */

static int
digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Without blanks; stops at the first '='. */
static void
decode(struct bytes text, struct buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
		int value = digit(text.p[i]);
		uint8_t byte;

		if (value < 0)
			continue;
		bits = bits << 6 | (uint32_t)value;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		byte = (uint8_t)(bits >> n);
		must(buf_append(out, (struct bytes){ &byte, 1 }) == 0);
	}
}

static int
encode_line(struct bytes b, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	while (b.n > 0) {
		struct bytes three = bytes_take(&b, b.n < 3 ? b.n : 3);
		uint32_t bits = (uint32_t)three.p[0] << 16 |
		    (three.n > 1 ? (uint32_t)three.p[1] << 8 : 0) |
		    (three.n > 2 ? three.p[2] : 0);
		char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
			digits[bits >> 6 & 63], digits[bits & 63] };

		if (three.n < 3)
			four[3] = '=';
		if (three.n < 2)
			four[2] = '=';
		if (buf_append(out, (struct bytes){ (uint8_t *)four, 4 }) < 0)
			return -1;
	}
	return 0;
}

/* Folded. The blank line that ends it in old cards is the next line. */
static int
put_data(struct bytes b, struct buf *out)
{
	while (b.n > 0) {
		struct bytes one =
		    bytes_take(&b, b.n < LINE_BYTES ? b.n : LINE_BYTES);

		if (buf_append(out, BYTES("\r\n ")) < 0 ||
		    encode_line(one, out) < 0)
			return -1;
	}
	return buf_append(out, BYTES("\r\n"));
}

/* The media type of what came out; NULL: not one of the web's pictures. */
static const char *
picture_type(struct bytes content)
{
	switch ((int)magic_type_of(content, true)) {
	case MAGIC_JPEG:
		return "jpeg";
	case MAGIC_PNG:
		return "png";
	case MAGIC_GIF:
		return "gif";
	case MAGIC_WEBP:
		return "webp";
	}
	return NULL;
}

static int
put_line(const struct line *l, struct bytes content, bool data, bool old,
    struct buf *out)
{
	const char *type = picture_type(content);

	if (data)
		return buf_printf(out, "%.*s:data:image/%s;base64,",
			   BYTES_PRINTF(l->name), type) < 0
		    ? -1
		    : put_data(content, out);
	return buf_printf(out,
		   "%.*s;ENCODING=%s;TYPE=%s:", BYTES_PRINTF(l->name),
		   old ? "BASE64" : "b", type) < 0
	    ? -1
	    : put_data(content, out);
}

static bool
is_base64(const struct line *l)
{
	struct bytes encoding = line_param_named(l, BYTES("ENCODING"));
	struct bytes params = l->params;
	struct bytes name;
	struct bytes value;
	struct bytes raw;

	if (bytes_equal_nocase(encoding, BYTES("b")))
		return true;
	while (line_param(&params, &name, &value, &raw))
		if (bytes_equal_nocase(value, BYTES("BASE64")))
			return true;
	return false;
}

static enum photo_result
rebuild_content(struct detox *d, const struct line *l, struct bytes content,
    const char *where, bool data, bool old, struct detox_output *out)
{
	const struct detox_object o = { .content = content };
	struct detox_output inner;
	enum photo_result result = PHOTO_REFUSED;

	if (detox_inside(d, where, &o, &inner) == DETOX_REFUSED) {
		result = detox_is_over(d) ? PHOTO_REFUSED : PHOTO_GONE;
	} else if (picture_type(buf_bytes(&inner.content)) == NULL) {
		detox_removed(d, REMOVED_FILE, where, content);
		result = PHOTO_GONE;
	} else if (put_line(l, buf_bytes(&inner.content), data, old,
		       &out->content) == 0) {
		result = PHOTO_REBUILT;
	} else {
		(void)detox_refuse(d, REFUSED_SIZE,
		    "more than %zu bytes come out", out->content.max);
	}
	buf_release(&inner.content);
	return result;
}

enum photo_result
photo_rebuild(struct detox *d, const struct line *l, size_t at, bool old,
    struct detox_output *out)
{
	struct bytes value = bytes_trim(l->value);
	bool data = value.n > 5 &&
	    bytes_equal_nocase((struct bytes){ value.p, 5 }, BYTES("data:"));
	enum photo_result result;
	struct buf content;
	char where[48];

	if (data)
		bytes_take_until(&value, ',');
	else if (!is_base64(l))
		return PHOTO_OUTSIDE;
	snprintf(where, sizeof(where), "line %zu", at);
	buf_init(&content, value.n);
	decode(value, &content);
	result = content.n == 0
	    ? PHOTO_OUTSIDE
	    : rebuild_content(d, l, buf_bytes(&content), where, data, old, out);
	buf_release(&content);
	return result;
}
