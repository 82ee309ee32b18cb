/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/words/words.h"

#include "filters/package/package.h"
#include "filters/xml/xml.h"

struct words {
	struct detox *d;
	struct package *package;
	struct buf text;
	xmlDoc *shared;    /* the strings of a workbook, or NULL */
	xmlNode **strings; /* of it, by their number */
	size_t strings_n;
	bool in_string; /* which has no cells: it could name itself in one */
	bool found;
};

/* In the order in which they are read; "#" is a number, from 1 on. */
static const char *const parts[] = {
	"word/document.xml",
	"word/footnotes.xml",
	"word/endnotes.xml",
	"word/comments.xml",
	"xl/worksheets/sheet#.xml",
	"ppt/slides/slide#.xml",
	"ppt/notesSlides/notesSlide#.xml",
	"content.xml",
};

/* Elements by their local names, in whichever vocabulary: no two of these mean
 * different things by one. */
static const struct {
	const char *name;
	const char *before, *behind;
} marks[] = {
	{ "p", "", "\n" },
	{ "h", "", "\n" },
	{ "br", "\n", "" },
	{ "cr", "\n", "" },
	{ "line-break", "\n", "" },
	{ "tab", "\t", "" },
	{ "s", " ", "" },
	{ "row", "", "\n" },
	{ "c", "", "\t" },
	{ "noBreakHyphen", "-", "" },
};

/* What is no text although it is in the tree: instructions of fields, formulas,
 * deleted words, phonetic guides. */
static const char *const silent[] = { "instrText", "delText", "f", "rPh",
	"Fallback", "timing", "tracked-changes", "annotation", "settings",
	"automatic-styles", "font-face-decls", "styles" };

static bool
is_silent(const xmlNode *n)
{
	for (size_t i = 0; i < COUNT(silent); i++)
		if (xml_is(n, NULL, silent[i]))
			return true;
	return false;
}

static enum detox_result
put(struct words *w, const char *text)
{
	if (buf_append_string(&w->text, text) < 0)
		return detox_refuse(w->d, REFUSED_SIZE, "too much text");
	return DETOX_REBUILT;
}

static enum detox_result walk(struct words *w, xmlNode *first);

/* A cell's value is the number of a string: <c t="s"><v>7</v></c>. */
static enum detox_result
walk_cell(struct words *w, xmlNode *cell)
{
	xmlChar *kind = xmlGetNoNsProp(cell, (const xmlChar *)"t");
	bool shared = kind != NULL && strcmp((char *)kind, "s") == 0;
	enum detox_result r;
	xmlChar *value;
	uint64_t n = 0;
	bool known;

	xmlFree(kind);
	if (!shared)
		return walk(w, cell->children);
	if (w->in_string)
		return DETOX_REBUILT;
	value = xmlNodeGetContent(cell);
	known = bytes_number(bytes_of((char *)value), SIZE_MAX, &n) == 0 &&
	    n < w->strings_n;
	xmlFree(value);
	if (!known)
		return DETOX_REBUILT;
	w->in_string = true;
	r = walk(w, w->strings[n]->children);
	w->in_string = false;
	return r;
}

static enum detox_result
walk_element(struct words *w, xmlNode *n)
{
	enum detox_result r = DETOX_REBUILT;
	size_t i = 0;

	while (i < COUNT(marks) && !xml_is(n, NULL, marks[i].name))
		i++;
	if (i < COUNT(marks))
		r = put(w, marks[i].before);
	if (r == DETOX_REBUILT)
		r = xml_is(n, NULL, "c") ? walk_cell(w, n)
					 : walk(w, n->children);
	if (r == DETOX_REBUILT && i < COUNT(marks))
		r = put(w, marks[i].behind);
	return r;
}

/* Blanks between elements are not text; what is, stands with letters. */
static bool
is_blank(const xmlNode *n)
{
	for (const xmlChar *c = n->content; *c != '\0'; c++)
		if (*c > ' ')
			return false;
	return n->prev != NULL || n->next != NULL;
}

/* As deep as xml_read lets a document be. */
static enum detox_result
walk(struct words *w, xmlNode *first)
{
	for (xmlNode *n = first; n != NULL; n = n->next) {
		enum detox_result r = DETOX_REBUILT;

		if ((n->type == XML_TEXT_NODE ||
			n->type == XML_CDATA_SECTION_NODE) &&
		    n->content != NULL && !is_blank(n))
			r = put(w, (const char *)n->content);
		else if (n->type == XML_ELEMENT_NODE && !is_silent(n))
			r = walk_element(w, n);
		if (r == DETOX_REFUSED)
			return r;
	}
	return DETOX_REBUILT;
}

/* NULL: it is not there, or the job is over. */
static xmlDoc *
read_part(struct words *w, const char *name)
{
	ssize_t at = package_find(w->package, name);
	xmlDoc *doc = NULL;
	struct buf content;

	if (at < 0)
		return NULL;
	if (package_read(w->d, w->package, (size_t)at, &content) ==
	    DETOX_REBUILT)
		doc = xml_read(w->d, buf_bytes(&content), name);
	buf_release(&content);
	return doc;
}

static void
read_strings(struct words *w)
{
	xmlNode *root;

	w->shared = read_part(w, "xl/sharedStrings.xml");
	root = w->shared == NULL ? NULL : xmlDocGetRootElement(w->shared);
	if (root == NULL)
		return;
	w->strings = ARENA_ARRAY(
	    &w->d->arena, xmlNode *, (size_t)xmlChildElementCount(root));
	for (xmlNode *n = xmlFirstElementChild(root); n != NULL;
	     n = xmlNextElementSibling(n))
		w->strings[w->strings_n++] = n;
}

/* Where it is there. A refusal stays in the job. */
static void
take_part(struct words *w, const char *name)
{
	xmlDoc *doc = read_part(w, name);

	if (doc == NULL)
		return;
	w->found =
	    walk(w, xmlDocGetRootElement(doc)->children) == DETOX_REBUILT &&
	    put(w, "\n") == DETOX_REBUILT;
	xmlFreeDoc(doc);
}

/* Of parts with a number as many as there are entries, at most. */
static void
take_parts(struct words *w, const char *name)
{
	const char *number = strchr(name, '#');
	char full[64];

	if (number == NULL) {
		take_part(w, name);
		return;
	}
	for (size_t i = 1;
	     i <= package_entries(w->package) && !detox_is_over(w->d); i++) {
		snprintf(full, sizeof(full), "%.*s%zu%s", (int)(number - name),
		    name, i, number + 1);
		take_part(w, full);
	}
}

enum detox_result
words_of_package(struct detox *d, struct detox_output *out)
{
	struct words w = { .d = d };

	w.package = package_open(d, buf_bytes(&out->content));
	if (w.package == NULL)
		return DETOX_REFUSED;
	buf_init(&w.text, d->profile->out_max);
	read_strings(&w);
	for (size_t i = 0; i < COUNT(parts) && !detox_is_over(d); i++)
		take_parts(&w, parts[i]);
	package_close(w.package);
	xmlFreeDoc(w.shared);
	buf_release(&out->content);
	out->content = w.text;
	out->extension = "txt";
	if (detox_is_over(d))
		return DETOX_REFUSED;
	return w.found ? DETOX_REBUILT
		       : detox_refuse(d, REFUSED_TYPE,
			     "it has no text that can be taken out");
}
