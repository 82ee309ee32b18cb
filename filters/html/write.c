/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/write.h"

#include <ctype.h>

#include "filters/html/css.h"
#include "filters/html/elements.h"
#include "filters/html/words.h"

#define WHERE_MAX 64

void
html_put(struct html_writer *w, struct bytes b)
{
	if (!w->refused && buf_append(w->out, b) < 0) {
		detox_refuse(w->d, REFUSED_SIZE, "more than %zu bytes come out",
		    w->out->max);
		w->refused = true;
	}
}

static void
put_string(struct html_writer *w, const char *s)
{
	html_put(w, bytes_of(s));
}

/* How a character is written that may not stand as it is; NULL: it may. */
static const char *
escape(uint8_t c, bool value)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return value ? "&quot;" : NULL;
	case '`': /* a quote to old browsers */
		return value ? "&#96;" : NULL;
	case '\n':
	case '\t':
		return NULL;
	default:
		return c < ' ' || c == 0x7f ? " " : NULL;
	}
}

/* U+FFFE and U+FFFF, which XML has not. */
static bool
is_no_character(struct bytes b)
{
	return b.n >= 3 && b.p[0] == 0xef && b.p[1] == 0xbf && b.p[2] >= 0xbe;
}

static void
put_escaped(struct html_writer *w, struct bytes b, bool value)
{
	while (b.n > 0 && !w->refused) {
		size_t n = 0;
		const char *as = NULL;

		while (n < b.n && (as = escape(b.p[n], value)) == NULL &&
		    !is_no_character((struct bytes){ b.p + n, b.n - n }))
			n++;
		html_put(w, bytes_take(&b, n));
		if (as != NULL) {
			put_string(w, as);
			bytes_take(&b, 1);
		} else if (b.n > 0) {
			put_string(w, "\xef\xbf\xbd");
			bytes_take(&b, 3);
		}
	}
}

void
html_put_value(struct html_writer *w, struct bytes value)
{
	put_string(w, "=\"");
	put_escaped(w, value, true);
	put_string(w, "\"");
}

static uint64_t
count_characters(struct bytes b)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b.n; i++)
		n += (b.p[i] & 0xc0) != 0x80 && b.p[i] > ' ';
	return n;
}

/* Readers leave the first line end of <pre> and <textarea> out. */
void
html_put_text(struct html_writer *w, struct bytes text)
{
	uint64_t n = count_characters(text);

	w->text_in += n;
	w->text_out += n;
	if (w->opened && text.n > 0) {
		w->opened = false;
		if (text.p[0] == '\n')
			put_string(w, "\n");
	}
	put_escaped(w, text, false);
}

static bool
is_text(const GumboNode *n)
{
	return n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_WHITESPACE ||
	    n->type == GUMBO_NODE_CDATA;
}

struct bytes
html_name(const GumboNode *n, uint8_t room[HTML_NAME_MAX])
{
	GumboStringPiece piece = n->v.element.original_tag;
	size_t i;

	if (n->v.element.tag != GUMBO_TAG_UNKNOWN)
		return bytes_of(gumbo_normalized_tagname(n->v.element.tag));
	gumbo_tag_from_original_text(&piece);
	for (i = 0; i < piece.length && i < HTML_NAME_MAX; i++) {
		uint8_t c = (uint8_t)tolower((uint8_t)piece.data[i]);

		room[i] =
		    isalnum(c) || c == '-' || c == ':' || c == '_' ? c : '?';
	}
	return (struct bytes){ room, i };
}

void
html_put_words(struct html_writer *w, const GumboNode *n)
{
	uint8_t room[HTML_NAME_MAX];
	enum html_element element;

	if (is_text(n))
		html_put_text(w, bytes_of(n->v.text.text));
	if (!html_is_element(n))
		return;
	element = html_rule(html_name(n, room))->element;
	if (element == HTML_GOES || element == HTML_STYLE)
		return;
	for (unsigned i = 0; i < n->v.element.children.length; i++)
		html_put_words(w, n->v.element.children.data[i]);
}

void
html_removed(
    struct html_writer *w, enum detox_removal what, struct bytes element)
{
	char where[HTML_NAME_MAX + 1] = "";

	if (w->again)
		return;
	memcpy(where, element.p, element.n);
	detox_removed(w->d, what, where, (struct bytes){ 0 });
}

/* Attributes. */

/* A button that sends nothing; what is not listed would be a line of text. */
static struct bytes
kind_of_input(struct bytes type)
{
	static const char kinds[] =
	    " text checkbox radio number date time month week datetime-local"
	    " search tel email url color range password button ";

	if (words_have(" submit reset image ", type))
		return BYTES("button");
	return words_have(kinds, type) ? type : BYTES("text");
}

static void
put_attribute(struct html_writer *w, struct bytes name, struct bytes value)
{
	put_string(w, " ");
	html_put(w, name);
	html_put_value(w, value);
}

/* The value as it may stay, if any of it. */
static void
put_rebuilt(struct html_writer *w, struct bytes element,
    enum html_attribute kind, const GumboAttribute *a)
{
	char where[HTML_NAME_MAX + 1] = "";
	const struct address address = { w->d, where, w->again, w->mail };
	struct bytes value = bytes_of(a->value);
	struct buf kept;
	enum detox_result result;

	memcpy(where, element.p, element.n);
	buf_init(&kept, w->out->max);
	result = kind == HTML_ATTRIBUTE_STYLE
	    ? css_style(&address, value, &kept)
	    : kind == HTML_ATTRIBUTE_LINK ? address_link(&address, value, &kept)
	    : kind == HTML_ATTRIBUTE_PICTURE
	    ? address_picture(&address, value, &kept)
	    : address_inside(&address, value, &kept);
	if (result == DETOX_REFUSED)
		w->refused = true;
	else if (kept.n > 0)
		put_attribute(w, bytes_of(a->name), buf_bytes(&kept));
	buf_release(&kept);
}

static void
put_one_attribute(
    struct html_writer *w, struct bytes element, const GumboAttribute *a)
{
	struct bytes name = bytes_of(a->name);
	enum html_attribute kind = html_attribute(element, name);

	switch (kind) {
	case HTML_ATTRIBUTE_GOES:
		break;
	case HTML_ATTRIBUTE_LOADS:
		html_removed(w, REMOVED_EXTERNAL, element);
		break;
	case HTML_ATTRIBUTE_SENDS:
		/* A <form>, which is a <div> now, was said. */
		if (!words_have(" div ", element))
			html_removed(w, REMOVED_FORM, element);
		break;
	case HTML_ATTRIBUTE_RUNS:
		html_removed(w, REMOVED_SCRIPT, element);
		break;
	case HTML_ATTRIBUTE_STAYS:
		put_attribute(w, name, bytes_of(a->value));
		break;
	case HTML_ATTRIBUTE_KIND:
		put_attribute(w, name, kind_of_input(bytes_of(a->value)));
		break;
	case HTML_ATTRIBUTE_LINK:
	case HTML_ATTRIBUTE_PICTURE:
	case HTML_ATTRIBUTE_PLACE:
	case HTML_ATTRIBUTE_STYLE:
		put_rebuilt(w, element, kind, a);
		break;
	}
}

static void
put_attributes(struct html_writer *w, struct bytes element, const GumboNode *n)
{
	const GumboVector *all = &n->v.element.attributes;

	for (unsigned i = 0; i < all->length && !w->refused; i++)
		put_one_attribute(w, element, all->data[i]);
}

static const char *
value_of(const GumboNode *n, const char *name)
{
	const GumboAttribute *a =
	    gumbo_get_attribute(&n->v.element.attributes, name);

	return a == NULL ? "" : a->value;
}

/* Elements. */

static void put_node(struct html_writer *w, const GumboNode *n);

static void
put_children(struct html_writer *w, const GumboNode *n)
{
	for (unsigned i = 0; i < n->v.element.children.length; i++)
		put_node(w, n->v.element.children.data[i]);
}

static void
put_open(struct html_writer *w, struct bytes name, const GumboNode *n,
    const char *end)
{
	put_string(w, "<");
	html_put(w, name);
	put_attributes(w, name, n);
	put_string(w, end);
}

static void
put_close(struct html_writer *w, struct bytes name)
{
	put_string(w, "</");
	html_put(w, name);
	put_string(w, ">");
}

static void
put_element(struct html_writer *w, struct bytes name, const GumboNode *n)
{
	if (words_have(" button ", name) && value_of(n, "type")[0] == '\0') {
		put_string(w, "<button type=\"button\"");
		put_attributes(w, name, n);
		put_string(w, ">");
	} else {
		put_open(w, name, n, ">");
	}
	w->opened = words_have(" pre textarea ", name);
	put_children(w, n);
	w->opened = false;
	put_close(w, name);
	if (w->mail && !w->again && words_have(" a ", name))
		html_put_host(w, n);
}

static void
add_words(struct html_writer *w, const GumboNode *n, struct buf *out)
{
	const GumboVector *all = &n->v.element.children;

	for (unsigned i = 0; i < all->length; i++) {
		const GumboNode *child = all->data[i];

		if (is_text(child) &&
		    buf_append(out, bytes_of(child->v.text.text)) < 0)
			w->refused = true;
	}
}

static void
put_style(struct html_writer *w, const GumboNode *n)
{
	const struct address address = { w->d, "style", w->again, w->mail };
	const char *type = value_of(n, "type");
	struct buf sheet, kept;

	if (type[0] != '\0' && !words_have(" text/css ", bytes_of(type)))
		return;
	buf_init(&sheet, w->out->max);
	buf_init(&kept, w->out->max);
	add_words(w, n, &sheet);
	if (css_sheet(&address, buf_bytes(&sheet), &kept) == DETOX_REFUSED)
		w->refused = true;
	put_open(w, BYTES("style"), n, ">");
	html_put(w, buf_bytes(&kept));
	put_close(w, BYTES("style"));
	buf_release(&sheet);
	buf_release(&kept);
}

/* Only what says how wide the page is, and (if the profile keeps that) what it
 * is about. Its charset is written anew. */
static void
put_meta(struct html_writer *w, const GumboNode *n)
{
	static const char harmless[] =
	    " content-type content-language content-style-type"
	    " content-script-type x-ua-compatible imagetoolbar cache-control"
	    " pragma expires default-style page-enter page-exit ";
	struct bytes name = bytes_of(value_of(n, "name"));
	struct bytes equivalent = bytes_of(value_of(n, "http-equiv"));
	bool stays = words_have(" viewport ", name) ||
	    (w->d->profile->keep_metadata &&
		words_have(" author description keywords generator ", name));

	if (equivalent.n > 0) {
		if (!words_have(harmless, equivalent))
			html_removed(w, REMOVED_ACTION, BYTES("meta"));
	} else if (stays) {
		put_string(w, "<meta name");
		html_put_value(w, name);
		put_attribute(
		    w, BYTES("content"), bytes_of(value_of(n, "content")));
		put_string(w, "/>");
	} else if (name.n > 0) {
		html_removed(w, REMOVED_METADATA, BYTES("meta"));
	}
}

static void
put_by_rule(struct html_writer *w, const struct html_rule *r, struct bytes name,
    const GumboNode *n)
{
	switch (r->element) {
	case HTML_STAYS:
		put_element(w, name, n);
		break;
	case HTML_VOID:
		put_open(w, name, n, "/>");
		break;
	case HTML_UNKNOWN:
	case HTML_OPENS:
		put_children(w, n);
		break;
	case HTML_GOES:
		break;
	case HTML_RENAMED:
		put_element(w, bytes_of(r->as), n);
		break;
	case HTML_META:
		put_meta(w, n);
		break;
	case HTML_STYLE:
		put_style(w, n);
		break;
	}
}

static bool
is_said(const struct html_rule *r)
{
	return !r->silent &&
	    (r->element == HTML_UNKNOWN || r->element == HTML_OPENS ||
		r->element == HTML_GOES || r->element == HTML_RENAMED);
}

/* Old browsers read HTML in some comments. */
static void
report_comment(struct html_writer *w, const GumboNode *n)
{
	const char *text = n->v.text.text;

	while (*text == ' ')
		text++;
	html_removed(w,
	    strncasecmp(text, "[if", 3) == 0 ? REMOVED_HIDDEN
					     : REMOVED_METADATA,
	    BYTES("comment"));
}

static bool
is_input_that_goes(struct bytes name, const GumboNode *n)
{
	return words_have(" input ", name) &&
	    words_have(" hidden file ", bytes_of(value_of(n, "type")));
}

static void
put_node(struct html_writer *w, const GumboNode *n)
{
	uint8_t room[HTML_NAME_MAX];
	const struct html_rule *r;
	struct bytes name;

	if (w->refused)
		return;
	if (is_text(n))
		html_put_text(w, bytes_of(n->v.text.text));
	if (n->type == GUMBO_NODE_COMMENT)
		report_comment(w, n);
	if (!html_is_element(n))
		return;
	w->opened = false;
	if (n->v.element.tag_namespace != GUMBO_NAMESPACE_HTML) {
		html_put_foreign(w, n);
		return;
	}
	name = html_name(n, room);
	r = html_rule(name);
	if (is_said(r))
		html_removed(w, r->what, name);
	if (is_input_that_goes(name, n))
		html_removed(w, REMOVED_FORM, name);
	else
		put_by_rule(w, r, name, n);
}

/* The first element of that name in the root; NULL: none. */
static const GumboNode *
part(const GumboOutput *tree, GumboTag tag)
{
	const GumboVector *all = &tree->root->v.element.children;

	for (unsigned i = 0; i < all->length; i++) {
		const GumboNode *n = all->data[i];

		if (html_is_element(n) && n->v.element.tag == tag)
			return n;
	}
	return NULL;
}

static void
put_part(struct html_writer *w, const GumboOutput *tree, GumboTag tag)
{
	const GumboNode *n = part(tree, tag);
	struct bytes name = bytes_of(gumbo_normalized_tagname(tag));

	if (n != NULL)
		put_open(w, name, n, ">");
	else
		put_string(w, tag == GUMBO_TAG_HEAD ? "<head>" : "<body>");
	if (tag == GUMBO_TAG_HEAD)
		put_string(w, "<meta charset=\"utf-8\"/>");
	if (n != NULL)
		put_children(w, n);
	put_close(w, name);
}

static void
report_frames(struct html_writer *w, const GumboOutput *tree)
{
	if (part(tree, GUMBO_TAG_FRAMESET) != NULL)
		html_removed(w, REMOVED_EXTERNAL, BYTES("frameset"));
}

enum detox_result
html_write(struct html_writer *w, const GumboOutput *tree)
{
	const GumboDocument *document = &tree->document->v.document;

	/* Without it browsers lay pages out as those of the past did. */
	if (document->doc_type_quirks_mode != GUMBO_DOCTYPE_QUIRKS)
		put_string(w, "<!DOCTYPE html>\n");
	put_open(w, BYTES("html"), tree->root,
	    " xmlns=\"http://www.w3.org/1999/xhtml\">");
	report_frames(w, tree);
	put_part(w, tree, GUMBO_TAG_HEAD);
	put_string(w, "\n");
	put_part(w, tree, GUMBO_TAG_BODY);
	/* A line end here would be read as one of the body's. */
	put_string(w, "</html>");
	return w->refused ? DETOX_REFUSED : DETOX_REBUILT;
}
