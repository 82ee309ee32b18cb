/* SPDX-License-Identifier: Apache-2.0 */
/* inline: pictures that stand in the XML itself, in base64 (RFC 4648). */
#include <openssl/evp.h>

#include "filters/odf/inside.h"

static int
value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Lines may end anywhere; the first = ends it. */
static bool
decode(struct bytes in, struct buf *out)
{
	uint32_t bits = 0;
	unsigned bits_n = 0;

	if (buf_reserve(out, in.n / 4 * 3 + 3) < 0)
		return false;
	for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
		int v = value_of(in.p[i]);

		if (in.p[i] <= ' ')
			continue;
		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		bits_n += 6;
		if (bits_n >= 8) {
			bits_n -= 8;
			out->p[out->n++] = (uint8_t)(bits >> bits_n);
		}
	}
	return true;
}

/* What stands in n becomes b. */
static bool
replace(xmlNode *n, struct bytes b)
{
	struct buf text;
	xmlNode *node;

	if (b.n > INT32_MAX / 2)
		return false;
	buf_init(&text, b.n / 3 * 4 + 8);
	must(buf_reserve(&text, text.max) == 0);
	text.n = (size_t)EVP_EncodeBlock(text.p, b.p, (int)b.n);
	node = xmlNewTextLen(text.p, (int)text.n);
	buf_release(&text);
	must(node != NULL);
	while (n->children != NULL)
		xml_drop(n->children);
	return xmlAddChild(n, node) != NULL;
}

static bool
rebuild(const struct odf_walk *w, xmlNode *n, struct bytes picture)
{
	const struct detox_object object = { .content = picture };
	const char *where = arena_printf(
	    &w->o->d->arena, "%s/picture %u", w->where, ++w->o->pictures_n);
	struct detox_output out = { 0 };
	bool result;

	if (!odf_is_picture(magic_type_of(picture, true)) ||
	    w->o->d->profile->to_text) {
		detox_removed(w->o->d, REMOVED_OBJECT, where, picture);
		return false;
	}
	result = detox_inside(w->o->d, where, &object, &out) == DETOX_REBUILT &&
	    odf_is_picture(magic_type_of(buf_bytes(&out.content), true)) &&
	    replace(n, buf_bytes(&out.content));
	buf_release(&out.content);
	return result;
}

bool
odf_inline_stays(const struct odf_walk *w, xmlNode *n)
{
	const xmlNode *text = n->children;
	struct buf picture;
	bool result = false;

	if (detox_is_over(w->o->d) || text == NULL ||
	    text->type != XML_TEXT_NODE || text->next != NULL)
		return false;
	buf_init(&picture, w->o->d->profile->in_max);
	if (decode(bytes_of((const char *)text->content), &picture))
		result = rebuild(w, n, buf_bytes(&picture));
	else
		odf_removed(w, REMOVED_DAMAGED);
	buf_release(&picture);
	return result;
}
