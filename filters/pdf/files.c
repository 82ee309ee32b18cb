/* SPDX-License-Identifier: Apache-2.0 */
/* files: says which files are left out, by their names and what is in them. */
#include "filters/pdf/walk.h"

/* Trees of names are two or three deep. */
#define TREE_DEPTH_MAX 8
#define FILES_MAX 64

/* ASCII of the name, which may be UTF-16. */
static void
name_file(struct bytes string, char *out, size_t size)
{
	struct buf name;
	size_t n = 0;

	buf_init(&name, 4096);
	if (syntax_string(string, &name) == 0)
		for (size_t i = 0; i < name.n && n + 1 < size; i++)
			if (name.p[i] >= ' ' && name.p[i] < 0x7f)
				out[n++] = (char)name.p[i];
	out[n] = '\0';
	buf_release(&name);
}

/* One of two keys of a dictionary. */
static struct bytes
either(struct pdf_walk *w, struct bytes dictionary, const char *first,
    const char *second, struct buf *copy)
{
	return pdf_value_of(w, dictionary,
	    syntax_get(dictionary, first).n > 0 ? first : second, copy);
}

void
pdf_report_file(struct pdf_walk *w, struct bytes specification)
{
	struct buf room[3];
	struct bytes dictionary = pdf_resolve(w, specification, &room[0]);
	struct bytes name = either(w, dictionary, "UF", "F", &room[1]);
	struct bytes held = pdf_value_of(w, dictionary, "EF", &room[2]);
	struct bytes content = syntax_get(held, "F");
	char where[128] = "file";

	if (content.n == 0)
		content = syntax_get(held, "UF");
	if (syntax_next(&name) == SYNTAX_STRING)
		name_file(name, where, sizeof(where));
	pdf_removed(w, REMOVED_FILE, where, content);
	for (size_t i = 0; i < COUNT(room); i++)
		buf_release(&room[i]);
}

static void
report_tree(
    struct pdf_walk *w, struct bytes node, unsigned depth, unsigned *left)
{
	struct buf room[3];
	struct bytes text = pdf_resolve(w, node, &room[0]);
	struct bytes names = pdf_value_of(w, text, "Names", &room[1]);
	struct bytes kids = pdf_value_of(w, text, "Kids", &room[2]);

	(void)syntax_skip(&names, "[");
	while (syntax_next(&names) != SYNTAX_NOTHING && *left > 0) {
		(void)syntax_take(&names);
		pdf_report_file(w, syntax_take(&names));
		--*left;
	}
	(void)syntax_skip(&kids, "[");
	while (depth<TREE_DEPTH_MAX && * left> 0 &&
	    syntax_next(&kids) != SYNTAX_NOTHING) {
		report_tree(w, syntax_take(&kids), depth + 1, left);
		--*left;
	}
	for (size_t i = 0; i < COUNT(room); i++)
		buf_release(&room[i]);
}

bool
pdf_report_files(struct pdf_walk *w, struct bytes tree)
{
	unsigned left = FILES_MAX;

	report_tree(w, tree, 0, &left);
	return left < FILES_MAX;
}
