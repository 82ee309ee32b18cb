/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/address.h"

#include "filters/html/base64.h"

#define ADDRESS_MAX ((size_t)4096) /* of one without data */

static const struct {
	struct bytes head;
	enum magic_type type;
} pictures[] = {
	{ BYTES_ROW("data:image/png"), MAGIC_PNG },
	{ BYTES_ROW("data:image/jpeg"), MAGIC_JPEG },
	{ BYTES_ROW("data:image/jpg"), MAGIC_JPEG },
	{ BYTES_ROW("data:image/gif"), MAGIC_GIF },
	{ BYTES_ROW("data:image/webp"), MAGIC_WEBP },
};

void
address_removed(const struct address *a, enum detox_removal what)
{
	if (!a->again)
		detox_removed(a->d, what, a->where, (struct bytes){ 0 });
}

static enum detox_result
put(const struct address *a, struct bytes b, struct buf *out)
{
	if (buf_append(out, b) < 0)
		return detox_refuse(
		    a->d, REFUSED_SIZE, "more than %zu bytes", out->max);
	return DETOX_REBUILT;
}

static bool
is_left_out(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

/* Readers leave blanks and controls at the ends out, and line ends and
 * tabulators anywhere. */
static enum detox_result
clean(const struct address *a, struct bytes address, struct buf *out)
{
	while (address.n > 0 && address.p[0] <= ' ')
		bytes_take(&address, 1);
	while (address.n > 0 && address.p[address.n - 1] <= ' ')
		address.n--;
	while (address.n > 0) {
		size_t n = 0;

		while (n < address.n && !is_left_out(address.p[n]))
			n++;
		if (put(a, bytes_take(&address, n), out) == DETOX_REFUSED)
			return DETOX_REFUSED;
		while (address.n > 0 && is_left_out(address.p[0]))
			bytes_take(&address, 1);
	}
	return DETOX_REBUILT;
}

static bool
starts_with(struct bytes b, struct bytes head)
{
	return b.n >= head.n &&
	    bytes_equal_nocase((struct bytes){ b.p, head.n }, head);
}

enum detox_result
address_link(const struct address *a, struct bytes address, struct buf *out)
{
	struct buf kept;
	enum detox_result result;

	buf_init(&kept, address.n);
	result = clean(a, address, &kept);
	if (result == DETOX_REBUILT && detox_link_stays(a->d, buf_bytes(&kept)))
		result = put(a, buf_bytes(&kept), out);
	else
		address_removed(a, REMOVED_LINK);
	buf_release(&kept);
	return result;
}

enum detox_result
address_inside(const struct address *a, struct bytes address, struct buf *out)
{
	struct bytes rest = bytes_trim(address);

	if (rest.n > 0 && rest.n <= ADDRESS_MAX && rest.p[0] == '#')
		return clean(a, rest, out);
	if (rest.n > 0)
		address_removed(a, REMOVED_EXTERNAL);
	return DETOX_REBUILT;
}

/* A file beside the document, or below or above it: no scheme, no server, no
 * beginning of a disk. By what is left once it is clean: DEL before a '/'
 * leaves it first. */
static bool
is_beside(struct bytes address)
{
	if (address.n == 0 || address.n > ADDRESS_MAX)
		return false;
	while (address.n > 0 && is_left_out(address.p[0]))
		bytes_take(&address, 1);
	if (address.n == 0 || address.p[0] == '/')
		return false;
	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] == ':' || address.p[i] == '\\')
			return false;
	return true;
}

/* Base64, of which some letters may be percent-encoded. */
static int
decode_percent(struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		uint8_t c = bytes_take(&in, 1).p[0];

		if (c == '%' && in.n >= 2 && byte_hex(in.p[0]) >= 0 &&
		    byte_hex(in.p[1]) >= 0) {
			c = (uint8_t)(byte_hex(in.p[0]) << 4 |
			    byte_hex(in.p[1]));
			bytes_take(&in, 2);
		}
		if (c > ' ' && buf_append(out, (struct bytes){ &c, 1 }) < 0)
			return -1;
	}
	return 0;
}

static enum detox_result
put_base64(const struct address *a, const struct buf *b, struct buf *out)
{
	return base64_encode(buf_bytes(b), out) == 0
	    ? DETOX_REBUILT
	    : detox_refuse(a->d, REFUSED_SIZE, "more than %zu bytes", out->max);
}

/* Its bytes, rebuilt, as whatever of the four they are. */
static enum detox_result
put_picture(const struct address *a, struct bytes content, struct buf *out)
{
	const struct detox_object o = { .content = content };
	struct detox_output inner = { 0 };
	enum detox_result result = DETOX_REFUSED;
	enum magic_type type = magic_type_of(content, true);

	if (type != MAGIC_PNG && type != MAGIC_JPEG && type != MAGIC_GIF &&
	    type != MAGIC_WEBP) {
		address_removed(a, REMOVED_REFUSED);
		return DETOX_REBUILT;
	}
	if (detox_entry(a->d) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (detox_inside(a->d, a->where, &o, &inner) == DETOX_REFUSED)
		goto release;
	type = magic_type_of(buf_bytes(&inner.content), true);
	for (size_t i = 0; i < COUNT(pictures); i++) {
		if (pictures[i].type != type)
			continue;
		result = put(a, pictures[i].head, out);
		if (result == DETOX_REBUILT)
			result = put(a, BYTES(";base64,"), out);
		if (result == DETOX_REBUILT)
			result = put_base64(a, &inner.content, out);
		break;
	}
release:
	buf_release(&inner.content);
	return result == DETOX_REFUSED && detox_is_over(a->d) ? DETOX_REFUSED
							      : DETOX_REBUILT;
}

static bool
is_base64(struct bytes parameters)
{
	struct bytes end = { parameters.p, parameters.n };

	end = bytes_trim(end);
	if (end.n < 6)
		return false;
	return bytes_equal_nocase(
	    (struct bytes){ end.p + end.n - 6, 6 }, BYTES("base64"));
}

static enum detox_result
rebuild_data(const struct address *a, struct bytes address, struct buf *out)
{
	struct bytes parameters = bytes_take_until(&address, ',');
	struct buf letters, content;
	enum detox_result result = DETOX_REBUILT;

	buf_init(&letters, address.n);
	buf_init(&content, address.n + 4);
	if (is_base64(parameters) && decode_percent(address, &letters) == 0 &&
	    base64_decode(buf_bytes(&letters), &content) == 0)
		result = put_picture(a, buf_bytes(&content), out);
	else
		address_removed(a, REMOVED_DAMAGED);
	buf_release(&letters);
	buf_release(&content);
	return result;
}

enum detox_result
address_picture(const struct address *a, struct bytes address, struct buf *out)
{
	while (address.n > 0 && address.p[0] <= ' ')
		bytes_take(&address, 1);
	while (address.n > 0 && address.p[address.n - 1] <= ' ')
		address.n--;
	if (address.n == 0)
		return DETOX_REBUILT;
	for (size_t i = 0; i < COUNT(pictures); i++)
		if (starts_with(address, pictures[i].head))
			return a->again ? put(a, address, out)
					: rebuild_data(a, address, out);
	if (starts_with(address, BYTES("cid:")) && address.n <= ADDRESS_MAX)
		return clean(a, address, out);
	if (address.p[0] == '#' || (!a->mail && is_beside(address)))
		return clean(a, address, out);
	address_removed(a,
	    starts_with(address, BYTES("data:")) ? REMOVED_REFUSED
						 : REMOVED_EXTERNAL);
	return DETOX_REBUILT;
}
