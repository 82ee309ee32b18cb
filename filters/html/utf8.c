/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/utf8.h"

#include <ctype.h>

#include "filters/html/words.h"
#include "filters/text/convert.h"

#define GUESS_MAX ((size_t)1 << 20)

static enum charset
declared_charset(struct bytes declared)
{
	while (declared.n > 0) {
		struct bytes word =
		    bytes_trim(bytes_take_until(&declared, ';'));
		struct bytes key = bytes_trim(bytes_take_until(&word, '='));

		if (!bytes_equal_nocase(key, BYTES("charset")))
			continue;
		word = bytes_trim(word);
		if (word.n > 1 && word.p[0] == '"' && word.p[word.n - 1] == '"')
			word = (struct bytes){ word.p + 1, word.n - 2 };
		return charset_named(word);
	}
	return CHARSET_UNKNOWN;
}

static enum charset
find_charset(const struct detox_object *o)
{
	struct bytes head = o->content;
	size_t mark;
	enum charset c = charset_mark(o->content, &mark);

	if (head.n > GUESS_MAX)
		head.n = GUESS_MAX;
	if (c == CHARSET_UNKNOWN)
		c = declared_charset(o->declared);
	if (c == CHARSET_UNKNOWN)
		c = charset_meta(o->content);
	if (c == CHARSET_UNKNOWN)
		c = charset_guess(head, head.n == o->content.n);
	return c;
}

/* All but tabulators and line ends; in place. */
static void
drop_controls(struct detox *d, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		uint8_t c = b->p[i];

		if (c == '\f' || c == '\v')
			c = ' ';
		if (c >= ' ' || c == '\t' || c == '\n' || c == '\r')
			b->p[n++] = c;
	}
	if (n < b->n)
		detox_removed(d, REMOVED_HIDDEN, "text", (struct bytes){ 0 });
	b->n = n;
}

/* XHTML. */

static bool
is_xhtml(struct bytes text)
{
	while (text.n > 0 && isspace(text.p[0]))
		bytes_take(&text, 1);
	return bytes_start_with(text, BYTES("<?xml"));
}

static struct bytes
name_of(struct bytes tag)
{
	size_t n = 0;

	bytes_take(&tag, 1);
	while (
	    n < tag.n && tag.p[n] > ' ' && tag.p[n] != '/' && tag.p[n] != '>')
		n++;
	tag.n = n;
	return tag;
}

/* The tag at the beginning of text, with its '>'. */
static struct bytes
take_tag(struct bytes *text)
{
	uint8_t quote = 0;
	size_t n = 0;

	while (n < text->n) {
		uint8_t c = text->p[n++];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			break;
	}
	return bytes_take(text, n);
}

static int
add_empty(struct bytes tag, struct buf *out)
{
	static const char empty[] =
	    " area base br col embed hr img input link meta param source track"
	    " wbr ";
	struct bytes name = name_of(tag);

	if (words_have(empty, name))
		return buf_append(out, tag);
	tag.n -= 2;
	return buf_append(out, tag) < 0 || buf_append(out, BYTES("></")) < 0 ||
		buf_append(out, name) < 0 || buf_append(out, BYTES(">")) < 0
	    ? -1
	    : 0;
}

/* What stands between "<![CDATA[" and its end is text. */
static int
add_cdata(struct bytes *text, struct buf *out)
{
	const uint8_t *end;
	size_t n;

	bytes_take(text, 9);
	end = memmem(text->p, text->n, "]]>", 3);
	n = end == NULL ? text->n : (size_t)(end - text->p);
	for (struct bytes b = bytes_take(text, n); b.n > 0;) {
		struct bytes one = bytes_take(&b, 1);

		if (one.p[0] == '<' || one.p[0] == '&')
			one = one.p[0] == '<' ? BYTES("&lt;") : BYTES("&amp;");
		if (buf_append(out, one) < 0)
			return -1;
	}
	bytes_take(text, end == NULL ? 0 : 3);
	return 0;
}

/* In <script> and <style> HTML reads no tags and no CDATA. */
static int
add_raw(struct bytes *text, struct bytes tag, struct buf *out)
{
	struct bytes name = name_of(tag);
	const char *end =
	    bytes_equal_nocase(name, BYTES("style")) ? "</style" : "</script";
	const uint8_t *at = memmem(text->p, text->n, end, strlen(end));

	return buf_append(
	    out, bytes_take(text, at == NULL ? 0 : (size_t)(at - text->p)));
}

static int
add_markup(struct bytes *text, struct buf *out)
{
	struct bytes tag;

	if (bytes_start_with(*text, BYTES("<![CDATA[")))
		return add_cdata(text, out);
	if (bytes_start_with(*text, BYTES("<!--"))) {
		const uint8_t *end = memmem(text->p, text->n, "-->", 3);

		return buf_append(out,
		    bytes_take(text,
			end == NULL ? text->n : (size_t)(end - text->p) + 3));
	}
	tag = take_tag(text);
	if (tag.n > 3 && isalpha(tag.p[1]) && tag.p[tag.n - 2] == '/' &&
	    tag.p[tag.n - 1] == '>')
		return add_empty(tag, out);
	if (buf_append(out, tag) < 0)
		return -1;
	return words_have(" script style ", name_of(tag))
	    ? add_raw(text, tag, out)
	    : 0;
}

static enum detox_result
close_empty(struct detox *d, struct buf *b)
{
	struct bytes text = buf_bytes(b);
	struct buf out;
	int result = 0;

	buf_init(&out, b->max);
	while (text.n > 0 && result == 0) {
		const uint8_t *at = memchr(text.p, '<', text.n);
		size_t n = at == NULL ? text.n : (size_t)(at - text.p);

		result = buf_append(&out, bytes_take(&text, n));
		if (text.n > 0 && result == 0)
			result = add_markup(&text, &out);
	}
	buf_release(b);
	*b = out;
	return result == 0 ? DETOX_REBUILT
			   : detox_refuse(d, REFUSED_SIZE,
				 "a page of more than %zu bytes", b->max);
}

enum detox_result
html_utf8(struct detox *d, const struct detox_object *o, struct buf *out)
{
	struct convert v;

	buf_init(out, CONVERT_OUT_MAX(o->content.n));
	convert_init(&v, find_charset(o));
	v.exact = true;
	convert_push(&v, o->content, true, out);
	drop_controls(d, out);
	out->max = (size_t)d->profile->out_max;
	if (out->n > out->max)
		return detox_refuse(
		    d, REFUSED_SIZE, "a page of more than %zu bytes", out->max);
	return is_xhtml(buf_bytes(out)) ? close_empty(d, out) : DETOX_REBUILT;
}
