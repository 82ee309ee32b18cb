/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/html.h"

#include "filters/html/tree.h"
#include "filters/html/utf8.h"
#include "filters/html/words.h"
#include "filters/html/write.h"

/* How often a page is written until it stays as it is: once more for what was
 * not nested as browsers do it, and once more to see that it was enough. */
#define ROUNDS_MAX 8

static const char names[] = " htm html xht xhtml shtml hta ";
static const char media[] = " text/html application/xhtml+xml ";

/* What begins with "<!--" or with a word may be of any kind that has tags; its
 * name tells who will open it. */
static bool
takes(const struct detox_object *o)
{
	struct bytes declared = o->declared;
	struct bytes extension = detox_extension(o->name);

	if (magic_type_of(o->content, true) == MAGIC_HTML)
		return extension.n == 0 ||
		    !words_have(
			" xml svg xsl xslt rss atom rdf opf ncx ", extension);
	declared = bytes_trim(bytes_take_until(&declared, ';'));
	return words_have(names, extension) || words_have(media, declared);
}

static enum detox_result
write_once(struct detox *d, struct html_writer *w, struct bytes html)
{
	struct tree t;
	enum detox_result result = tree_read(d, &t, html);

	if (result == DETOX_REBUILT)
		result = w->text ? html_write_text(w, t.output)
				 : html_write(w, t.output);
	tree_release(&t);
	return result;
}

/* From page into itself, by way of room. */
static enum detox_result
settle(struct detox *d, bool mail, struct buf *page, struct buf *room)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		struct html_writer w = {
			.d = d, .out = room, .again = true, .mail = mail
		};
		struct buf other;

		room->n = 0;
		if (write_once(d, &w, buf_bytes(page)) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (bytes_equal(buf_bytes(page), buf_bytes(room)))
			return DETOX_REBUILT;
		other = *page;
		*page = *room;
		*room = other;
	}
	return detox_refuse(d, REFUSED_BROKEN,
	    "elements so nested that browsers never agree on them");
}

static enum detox_result
write_page(struct html_writer *w, const struct detox_object *o)
{
	struct detox *d = w->d;
	struct buf text, room;
	enum detox_result result;

	buf_init(&room, d->profile->out_max);
	result = html_utf8(d, o, &text);
	if (result == DETOX_REBUILT)
		result = write_once(d, w, buf_bytes(&text));
	buf_release(&text);
	detox_text(d, w->text_in, w->text_out);
	if (result == DETOX_REBUILT && !w->text)
		result = settle(d, w->mail, w->out, &room);
	buf_release(&room);
	return result;
}

/* A page that a mail brings as a file is a page of that mail to who shows it.
 */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct html_writer w = { .d = d,
		.out = &out->content,
		.mail = o->place != DETOX_FILE,
		.text = d->profile->to_text ||
		    (o->place == DETOX_SHOWN &&
			d->profile->mail_html == DETOX_MAIL_TEXT) };

	if (w.text)
		out->extension = "txt";
	return write_page(&w, o);
}

enum detox_result
html_of_mail(struct detox *d, const struct detox_object *o, enum html_as as,
    struct buf *out)
{
	struct html_writer w = {
		.d = d, .out = out, .mail = true, .text = as == HTML_AS_TEXT
	};

	return write_page(&w, o);
}

const struct detox_format html_format = {
	.name = "html",
	.types = MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_TEXT) |
	    MAGIC_BIT(MAGIC_XML) | MAGIC_BIT(MAGIC_SVG),
	.takes = takes,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_TEXT),
	.prepare = text_prepare,
};
