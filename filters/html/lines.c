/* SPDX-License-Identifier: Apache-2.0 */
/* lines: a page as plain text. */
#include "filters/html/elements.h"
#include "filters/html/words.h"
#include "filters/html/write.h"

static const char blocks[] =
    " address article aside blockquote body caption center dd details dir div"
    " dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header"
    " hgroup hr legend li listing main menu nav ol option p plaintext pre"
    " section summary table title tr ul xmp ";

static void
put_line_end(struct html_writer *w)
{
	size_t n = w->out->n;

	while (n > 0 && w->out->p[n - 1] == ' ')
		n--;
	w->out->n = n;
	if (n > 0 && w->out->p[n - 1] != '\n')
		html_put(w, BYTES("\n"));
}

/* Each run of blanks is one, and none at the beginning of a line. */
static void
put_word(struct html_writer *w, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		bool begins = w->out->n == 0 || w->out->p[w->out->n - 1] <= ' ';

		if (text.p[i] > ' ' && text.p[i] != 0x7f) {
			w->text_in += (text.p[i] & 0xc0) != 0x80;
			w->text_out += (text.p[i] & 0xc0) != 0x80;
			html_put(w, (struct bytes){ text.p + i, 1 });
		} else if (!begins) {
			html_put(w, BYTES(" "));
		}
	}
}

static bool
keeps_blanks(const GumboNode *n)
{
	for (; n != NULL && n->type != GUMBO_NODE_DOCUMENT; n = n->parent)
		if (html_is_element(n) &&
		    (n->v.element.tag == GUMBO_TAG_PRE ||
			n->v.element.tag == GUMBO_TAG_TEXTAREA))
			return true;
	return false;
}

static void
put_preformatted(struct html_writer *w, struct bytes text)
{
	while (text.n > 0) {
		struct bytes line = text;
		ssize_t end = bytes_index(text, '\n');

		line.n = end < 0 ? text.n : (size_t)end;
		for (size_t i = 0; i < line.n; i++)
			w->text_in +=
			    line.p[i] > ' ' && (line.p[i] & 0xc0) != 0x80;
		for (size_t i = 0; i < line.n; i++)
			w->text_out +=
			    line.p[i] > ' ' && (line.p[i] & 0xc0) != 0x80;
		html_put(w, line);
		bytes_take(&text, line.n);
		if (end >= 0) {
			html_put(w, BYTES("\n"));
			bytes_take(&text, 1);
		}
	}
}

static void put_lines(struct html_writer *w, const GumboNode *n);

static void
put_element(struct html_writer *w, const GumboNode *n)
{
	uint8_t room[HTML_NAME_MAX];
	struct bytes name = html_name(n, room);
	const struct html_rule *r = html_rule(name);
	bool block = words_have(blocks, name);

	if (r->element == HTML_GOES) {
		if (!r->silent)
			html_removed(w, r->what, name);
		return;
	}
	if (r->element == HTML_STYLE)
		return;
	if (block || words_have(" br ", name))
		put_line_end(w);
	for (unsigned i = 0; i < n->v.element.children.length; i++)
		put_lines(w, n->v.element.children.data[i]);
	if (words_have(" td th ", name))
		html_put(w, BYTES("\t"));
	if (block)
		put_line_end(w);
}

static void
put_lines(struct html_writer *w, const GumboNode *n)
{
	if (w->refused)
		return;
	if (html_is_element(n))
		put_element(w, n);
	else if (n->type == GUMBO_NODE_COMMENT)
		return;
	else if (keeps_blanks(n))
		put_preformatted(w, bytes_of(n->v.text.text));
	else
		put_word(w, bytes_of(n->v.text.text));
}

enum detox_result
html_write_text(struct html_writer *w, const GumboOutput *tree)
{
	put_lines(w, tree->root);
	put_line_end(w);
	return w->refused ? DETOX_REFUSED : DETOX_REBUILT;
}
