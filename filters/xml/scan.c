/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/scan.h"

#include "filters/text/convert.h"
#include "filters/text/utf8.h"

/* The parser compares each attribute of an element with all others. */
#define ATTRIBUTES_MAX 512

#define DECLARATION_MAX 1024

static bool
is_declaration(struct bytes b)
{
	return bytes_start_with(b, BYTES("<?xml")) && b.n > 5 &&
	    (b.p[5] == ' ' || b.p[5] == '\t' || b.p[5] == '\r' ||
		b.p[5] == '\n');
}

/* The declaration, which leaves *b; empty: there is none. */
static struct bytes
take_declaration(struct bytes *b)
{
	const uint8_t *end;

	if (!is_declaration(*b))
		return (struct bytes){ 0 };
	end = memmem(b->p, b->n, "?>", 2);
	if (end == NULL || end - b->p > DECLARATION_MAX)
		return (struct bytes){ 0 };
	return bytes_take(b, (size_t)(end - b->p) + 2);
}

/* Not by filters/text, which makes some characters of Japanese charsets one:
 * in Unicode they are as the writer meant them. False: it is none. */
static bool
from_utf16(struct bytes b, unsigned high, struct buf *out)
{
	uint32_t pending = 0;

	for (size_t i = 0; i + 1 < b.n; i += 2) {
		uint32_t c = (uint32_t)(b.p[i + high] << 8 | b.p[i + 1 - high]);

		if (pending == 0 && c >= 0xd800 && c < 0xdc00) {
			pending = c;
			continue;
		}
		if ((pending != 0) != (c >= 0xdc00 && c < 0xe000))
			return false;
		if (pending != 0)
			c = 0x10000 + ((pending - 0xd800) << 10) + c - 0xdc00;
		pending = 0;
		out->n += utf8_write(out->p + out->n, c);
	}
	return pending == 0 && b.n % 2 == 0;
}

/* UTF-16 by its mark, or by how a declaration or a tag begins. */
static enum charset
find_charset(struct bytes content, size_t *mark_out)
{
	enum charset c = charset_mark(content, mark_out);
	struct bytes rest = content;
	struct bytes declaration = take_declaration(&rest);

	if (c != CHARSET_UNKNOWN)
		return c;
	*mark_out = 0;
	if (bytes_start_with(content, BYTES("<\0")))
		return CHARSET_UTF16LE;
	if (bytes_start_with(content, BYTES("\0<")))
		return CHARSET_UTF16BE;
	c = charset_meta(declaration);
	return c == CHARSET_UNKNOWN ? CHARSET_UTF8 : c;
}

enum detox_result
xml_to_utf8(struct detox *d, struct bytes content, struct buf *room,
    struct bytes *text_out)
{
	struct convert v;
	size_t mark = 0;
	enum charset c = find_charset(content, &mark);

	buf_init(room, CONVERT_OUT_MAX(XML_SIZE_MAX));
	*text_out = content;
	if (content.n > XML_SIZE_MAX)
		return detox_refuse(
		    d, REFUSED_SIZE, "XML of more than %d bytes", XML_SIZE_MAX);
	bytes_take(text_out, mark);
	if (c != CHARSET_UTF8) {
		must(buf_reserve(room, CONVERT_OUT_MAX(text_out->n)) == 0);
		convert_init(&v, c);
		v.exact = true;
		if (c != CHARSET_UTF16LE && c != CHARSET_UTF16BE)
			convert_push(&v, *text_out, true, room);
		else if (!from_utf16(*text_out, c == CHARSET_UTF16LE, room))
			return detox_refuse(d, REFUSED_BROKEN,
			    "XML that is not in its charset");
		*text_out = buf_bytes(room);
	}
	if (text_out->n > XML_SIZE_MAX)
		return detox_refuse(
		    d, REFUSED_SIZE, "XML of more than %d bytes", XML_SIZE_MAX);
	take_declaration(text_out);
	return DETOX_REBUILT;
}

/* Up to and with `end`; all when it is not there. */
static void
skip_behind(struct bytes *b, const char *end)
{
	const uint8_t *at = memmem(b->p, b->n, end, strlen(end));

	bytes_take(b, at == NULL ? b->n : (size_t)(at - b->p) + strlen(end));
}

/* How many attributes a tag has at most; it leaves *b. Most names and values
 * are of few bytes, for which a call is too much. */
static size_t
count_attributes(struct bytes *b)
{
	static const bool mark[256] = {
		['>'] = true, ['='] = true, ['"'] = true, ['\''] = true
	};
	const uint8_t *p = b->p;
	const uint8_t *const end = p + b->n;
	size_t n = 0;
	uint8_t quote;

	for (;;) {
		while (p < end && !mark[*p])
			p++;
		if (p == end || *p == '>')
			break;
		quote = *p++;
		if (quote == '=') {
			n++;
			continue;
		}
		while (p < end && *p != quote)
			p++;
		p += p < end;
	}
	bytes_take(b, (size_t)(p - b->p));
	return n;
}

enum detox_result
xml_scan(struct detox *d, struct bytes text)
{
	for (;;) {
		const uint8_t *at =
		    text.n == 0 ? NULL : memchr(text.p, '<', text.n);

		if (at == NULL)
			return DETOX_REBUILT;
		bytes_take(&text, (size_t)(at - text.p));
		if (bytes_start_with(text, BYTES("<!--"))) {
			bytes_take(&text, 4);
			skip_behind(&text, "-->");
		} else if (bytes_start_with(text, BYTES("<![CDATA["))) {
			skip_behind(&text, "]]>");
		} else if (bytes_start_with(text, BYTES("<?"))) {
			skip_behind(&text, "?>");
		} else if (bytes_start_with(text, BYTES("<!"))) {
			return detox_refuse(d, REFUSED_ENTITY,
			    "XML that declares a document type");
		} else if (count_attributes(&text) > ATTRIBUTES_MAX) {
			return detox_refuse(d, REFUSED_BROKEN,
			    "an XML element with more than %d attributes",
			    ATTRIBUTES_MAX);
		}
	}
}
