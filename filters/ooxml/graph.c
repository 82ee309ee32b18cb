/* SPDX-License-Identifier: Apache-2.0 */
/* graph: which parts are reached from the package's own relationships (ECMA-376
 * part 2, sections 9 and 10), and as what. */
#include <stdlib.h>

#include "filters/ooxml/inside.h"
#include "filters/xml/xml.h"

/* A sheet of Excel has at most 65,530 links. */
#define RELS_MAX 500000
#define TARGET_MAX 4096

void
ooxml_removed(struct ooxml *x, enum detox_removal what, struct bytes content)
{
	if (what != OOXML_UNTOLD)
		detox_removed(x->d, what, x->part->name, content);
}

/* Of what is judged elsewhere by its digest the bytes are told too. */
static bool
is_evidence(enum detox_removal what)
{
	return what == REMOVED_MACRO || what == REMOVED_OBJECT ||
	    what == REMOVED_ACTIVEX || what == REMOVED_FILE;
}

void
part_drop(struct ooxml *x, struct part *p, enum detox_removal what)
{
	struct buf content = { 0 };

	p->state = PART_DROPPED;
	if (p->reported || what == OOXML_UNTOLD)
		return;
	p->reported = true;
	if (is_evidence(what) &&
	    package_read(x->d, x->package, p->entry, &content) ==
		DETOX_REFUSED) {
		buf_release(&content);
		return;
	}
	detox_removed(x->d, what, p->name, buf_bytes(&content));
	buf_release(&content);
}

static int
compare_rels(const void *a, const void *b)
{
	const struct rel *r = a, *s = b;
	int order = strcmp(r->id, s->id);

	return order != 0 ? order
			  : (r->order > s->order) - (r->order < s->order);
}

const struct rel *
rel_find(const struct part *p, const xmlChar *id)
{
	size_t low = 0, high = p->rels_n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(p->rels[middle].id, (const char *)id);
		if (order == 0)
			return &p->rels[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int
compare_names(const void *a, const void *b)
{
	const struct part *const *p = a, *const *q = b;
	int order = strcasecmp((*p)->name, (*q)->name);

	return order != 0 ? order : strcmp((*p)->name, (*q)->name);
}

struct part *
part_find(const struct ooxml *x, const char *name)
{
	size_t low = 0, high = x->parts_n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcasecmp(x->by_name[middle]->name, name);
		if (order == 0)
			return x->by_name[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void
list_parts(struct ooxml *x)
{
	x->parts_n = package_entries(x->package);
	x->parts = ARENA_ARRAY(&x->d->arena, struct part, x->parts_n + 1);
	x->by_name = ARENA_ARRAY(&x->d->arena, struct part *, x->parts_n + 1);
	for (size_t i = 0; i < x->parts_n; i++) {
		x->parts[i].name = package_entry(x->package, i)->name;
		x->parts[i].entry = i;
		x->by_name[i] = &x->parts[i];
	}
	if (x->parts_n > 0)
		qsort(x->by_name, x->parts_n, sizeof(struct part *),
		    compare_names);
}

/* Takes "%41" back, in place. */
static void
decode_percent(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '%' && byte_hex((uint8_t)s[1]) >= 0 &&
		    byte_hex((uint8_t)s[2]) >= 0 &&
		    (s[1] != '0' || s[2] != '0')) {
			*to++ = (char)(byte_hex((uint8_t)s[1]) << 4 |
			    byte_hex((uint8_t)s[2]));
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* The name of a part from its place in another: RFC 3986 section 5.2, of paths
 * alone. NULL: it leaves the package. */
static char *
resolve(struct ooxml *x, const char *base, const char *target)
{
	const char *slash = strrchr(base, '/');
	int folder_n = slash == NULL || *target == '/' || *target == '\\'
	    ? 0
	    : (int)(slash - base);
	char *path =
	    arena_printf(&x->d->arena, "%.*s/%s", folder_n, base, target);
	char *to = path, *s = path, *end;
	size_t n;

	for (char *c = path; *c != '\0'; c++)
		if (*c == '\\')
			*c = '/';
	for (; *s != '\0'; s = end) {
		s += strspn(s, "/");
		n = strcspn(s, "/");
		end = s + n;
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			if (to == path)
				return NULL;
			for (to--; to > path && *to != '/'; to--)
				;
		} else if (n > 0 && !(n == 1 && s[0] == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, s, n);
			to += n;
		}
	}
	*to = '\0';
	return path;
}

/* Writers disagree on whether a part's name is percent-encoded in the ZIP. */
static struct part *
target_part(struct ooxml *x, const char *base, const char *target)
{
	char *name = resolve(x, base, target);
	struct part *p;

	if (name == NULL || *name == '\0')
		return NULL;
	p = part_find(x, name);
	if (p == NULL) {
		decode_percent(name);
		p = part_find(x, name);
	}
	return p != NULL && package_entry(x->package, p->entry)->folder ? NULL
									: p;
}

const char *
rels_name(struct ooxml *x, const char *part)
{
	const char *slash = strrchr(part, '/');
	int folder_n = slash == NULL ? 0 : (int)(slash - part) + 1;

	return arena_printf(
	    &x->d->arena, "%.*s_rels/%s.rels", folder_n, part, part + folder_n);
}

static const char *
attribute(struct ooxml *x, xmlNode *n, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(n, (const xmlChar *)name);
	const char *copy;

	if (value == NULL)
		return "";
	copy = strlen((const char *)value) > TARGET_MAX
	    ? ""
	    : arena_string(&x->d->arena, bytes_of((const char *)value));
	xmlFree(value);
	return copy;
}

static void
drop_rel(
    struct ooxml *x, const char *base, struct rel *r, enum detox_removal what)
{
	r->kept = false;
	if (r->part != NULL)
		part_drop(x, r->part, what);
	else if (what != OOXML_UNTOLD)
		detox_removed(x->d, what, base, bytes_of(r->target));
}

static bool
is_leaf(enum treatment t)
{
	return t == TREAT_IMAGE || t == TREAT_OBJECT || t == TREAT_FONT;
}

/* A part is one thing, however many lead to it. */
static enum detox_result
take_part(struct ooxml *x, struct rel *r)
{
	struct part *p = r->part;

	if (p->state != PART_UNSEEN) {
		r->kept = p->state == PART_KEPT && p->kind == r->kind;
		return DETOX_REBUILT;
	}
	p->state = PART_KEPT;
	p->kind = r->kind;
	p->content_type = r->kind->content_type;
	if (!is_leaf(r->kind->treatment))
		name_part(x, p, NULL);
	else if (leaf_take(x, p) == DETOX_REFUSED)
		return DETOX_REFUSED;
	r->kept = p->state == PART_KEPT;
	if (!r->kept)
		return DETOX_REBUILT;
	if (x->last == NULL)
		x->first = p;
	else
		x->last->next = p;
	x->last = p;
	return DETOX_REBUILT;
}

/* What links lead to: a page, or a place in the document. */
static void
take_link(struct ooxml *x, const char *base, struct rel *r)
{
	if (!r->external && r->target[0] != '#') {
		r->kept = false;
		return;
	}
	r->kept = detox_link_stays(x->d, bytes_of(r->target));
	if (!r->kept)
		drop_rel(x, base, r, REMOVED_LINK);
}

static enum detox_result
take_rel(struct ooxml *x, const char *base, struct rel *r)
{
	if (r->kind == NULL) {
		drop_rel(x, base, r,
		    r->external ? REMOVED_EXTERNAL : REMOVED_UNKNOWN);
		return DETOX_REBUILT;
	}
	if (r->external && r->kind->treatment != TREAT_LINK) {
		drop_rel(x, base, r,
		    r->kind->what == REMOVED_OBJECT ||
			    r->kind->treatment != TREAT_DROP
			? REMOVED_EXTERNAL
			: r->kind->what);
		return DETOX_REBUILT;
	}
	switch (r->kind->treatment) {
	case TREAT_LINK:
		take_link(x, base, r);
		return DETOX_REBUILT;
	case TREAT_DROP:
		drop_rel(x, base, r, r->kind->what);
		return DETOX_REBUILT;
	case TREAT_TITLE:
		if (!x->d->profile->keep_metadata) {
			drop_rel(x, base, r, r->kind->what);
			return DETOX_REBUILT;
		}
		break;
	case TREAT_XML:
	case TREAT_PROGRAM:
	case TREAT_IMAGE:
	case TREAT_OBJECT:
	case TREAT_FONT:
		break;
	}
	if (r->part == NULL)
		return DETOX_REBUILT;
	return take_part(x, r);
}

static void
read_rel(struct ooxml *x, const char *base, xmlNode *n, struct rel *r)
{
	r->id = attribute(x, n, "Id");
	r->target = attribute(x, n, "Target");
	r->external = bytes_equal_nocase(
	    bytes_of(attribute(x, n, "TargetMode")), BYTES("External"));
	r->kind =
	    rel_kind_of(x->app, bytes_of(attribute(x, n, "Type")), &r->strict);
	if (!r->external && r->target[0] != '#')
		r->part = target_part(x, base, r->target);
}

/* The first of an id has it. */
static size_t
sort_rels(struct rel *rels, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(rels, n, sizeof(struct rel), compare_rels);
	for (size_t i = 0; i < n; i++)
		if (rels[i].id[0] != '\0' &&
		    (kept == 0 || strcmp(rels[kept - 1].id, rels[i].id) != 0))
			rels[kept++] = rels[i];
	return kept;
}

static enum detox_result
read_rels(struct ooxml *x, const char *base, xmlDoc *doc, struct rel **rels_out,
    size_t *n_out)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	size_t n = 0;

	for (xmlNode *c = root->children; c != NULL; c = c->next)
		n += xml_is(c, NULL, "Relationship");
	x->rels_all += n;
	if (x->rels_all > RELS_MAX)
		return detox_refuse(x->d, REFUSED_ENTRIES,
		    "more than %d relationships", RELS_MAX);
	*rels_out = ARENA_ARRAY(&x->d->arena, struct rel, n + 1);
	n = 0;
	for (xmlNode *c = root->children; c != NULL; c = c->next)
		if (xml_is(c, NULL, "Relationship")) {
			(*rels_out)[n].order = n;
			read_rel(x, base, c, &(*rels_out)[n++]);
		}
	*n_out = sort_rels(*rels_out, n);
	return DETOX_REBUILT;
}

/* A part without relationships has no such file. */
static enum detox_result
load_rels(
    struct ooxml *x, const char *base, struct rel **rels_out, size_t *n_out)
{
	struct part *p = part_find(x, rels_name(x, base));
	struct buf content = { 0 };
	xmlDoc *doc = NULL;
	enum detox_result result = DETOX_REFUSED;

	*n_out = 0;
	if (p == NULL)
		return DETOX_REBUILT;
	p->reported = true;
	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REBUILT)
		doc = xml_read(x->d, buf_bytes(&content), p->name);
	if (doc != NULL)
		result = read_rels(x, base, doc, rels_out, n_out);
	xmlFreeDoc(doc);
	buf_release(&content);
	return result;
}

/* In the order in which they stand, so that the report reads so too. */
static enum detox_result
take_rels(struct ooxml *x, const char *base, struct rel *rels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (take_rel(x, base, &rels[i]) == DETOX_REFUSED)
			return DETOX_REFUSED;
	return DETOX_REBUILT;
}

static struct bytes
content_type_of(struct ooxml *x, const char *name)
{
	xmlNode *root =
	    x->types == NULL ? NULL : xmlDocGetRootElement(x->types);
	struct bytes extension = detox_extension(bytes_of(name));
	const char *found = "", *of;

	for (xmlNode *n = root == NULL ? NULL : root->children; n != NULL;
	     n = n->next) {
		if (xml_is(n, NULL, "Override")) {
			of = attribute(x, n, "PartName");
			if (strcasecmp(of + (of[0] == '/'), name) == 0)
				return bytes_of(attribute(x, n, "ContentType"));
		}
		if (xml_is(n, NULL, "Default") &&
		    bytes_equal_nocase(
			bytes_of(attribute(x, n, "Extension")), extension))
			found = attribute(x, n, "ContentType");
	}
	return bytes_of(found);
}

/* Without a list of types, by the folder that all writers use. */
static const struct main_kind *
guess_kind(const struct ooxml *x, const char *name)
{
	static const char *const types[][2] = {
		{ "word/",
		    "application/vnd.openxmlformats-officedocument."
		    "wordprocessingml.document.main+xml" },
		{ "xl/",
		    "application/vnd.openxmlformats-officedocument."
		    "spreadsheetml.sheet.main+xml" },
		{ "ppt/",
		    "application/vnd.openxmlformats-officedocument."
		    "presentationml.presentation.main+xml" },
	};

	for (size_t i = 0; x->types == NULL && i < COUNT(types); i++)
		if (bytes_start_with(bytes_of(name), bytes_of(types[i][0])))
			return main_kind_of(bytes_of(types[i][1]));
	return NULL;
}

static enum detox_result
load_types(struct ooxml *x)
{
	struct part *p = part_find(x, "[Content_Types].xml");
	struct buf content = { 0 };

	if (p == NULL)
		return DETOX_REBUILT;
	p->reported = true;
	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REBUILT)
		x->types = xml_read(x->d, buf_bytes(&content), p->name);
	buf_release(&content);
	return x->types == NULL ? DETOX_REFUSED : DETOX_REBUILT;
}

static bool
is_main(const char *type)
{
	return bytes_end_with(
	    bytes_of(type), BYTES("/relationships/officeDocument"));
}

/* Of the relationships of the package, the first to the document itself. */
static struct rel *
find_main(struct ooxml *x)
{
	static const struct rel_kind main_rel = {
		"http://schemas.openxmlformats.org/officeDocument/2006/"
		"relationships/",
		"officeDocument", APP_ANY, TREAT_XML, REMOVED_DAMAGED, NULL
	};
	struct part *p = part_find(x, "_rels/.rels");
	struct rel *found = NULL;
	struct buf content = { 0 };
	xmlDoc *doc = NULL;
	xmlNode *root;
	xmlNode *n;

	if (p == NULL)
		return NULL;
	if (package_read(x->d, x->package, p->entry, &content) == DETOX_REBUILT)
		doc = xml_read(x->d, buf_bytes(&content), p->name);
	root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
	n = root == NULL ? NULL : root->children;
	while (n != NULL && !is_main(attribute(x, n, "Type")))
		n = n->next;
	if (n != NULL) {
		found = ARENA_NEW(&x->d->arena, struct rel);
		read_rel(x, "", n, found);
		found->kind = &main_rel;
		found->strict = strncmp(attribute(x, n, "Type"),
				    "http://purl.oclc.org/", 21) == 0;
	}
	xmlFreeDoc(doc);
	buf_release(&content);
	return found;
}

static enum detox_result
take_main(struct ooxml *x)
{
	struct rel *r = find_main(x);

	if (detox_is_over(x->d))
		return DETOX_REFUSED;
	if (r == NULL || r->part == NULL)
		return detox_refuse(
		    x->d, REFUSED_BROKEN, "no relationship to the document");
	x->main_kind = main_kind_of(content_type_of(x, r->part->name));
	if (x->main_kind == NULL)
		x->main_kind = guess_kind(x, r->part->name);
	if (x->main_kind == NULL)
		return detox_refuse(x->d, REFUSED_TYPE,
		    "it is not a document, workbook or presentation in XML");
	if (x->main_kind->out_type == NULL)
		return detox_refuse(x->d, REFUSED_TYPE,
		    "it is a workbook in binary form (xlsb)");
	x->app = x->main_kind->app;
	if (take_part(x, r) == DETOX_REFUSED)
		return DETOX_REFUSED;
	r->part->content_type = x->main_kind->out_type;
	x->roots = r;
	x->roots_n = 1;
	return DETOX_REBUILT;
}

/* Again with the other relationships of the package, now that the kind of
 * document is known. */
static enum detox_result
take_roots(struct ooxml *x)
{
	struct rel *rels = NULL, *main = x->roots;
	size_t n, kept = 0;

	if (load_rels(x, "", &rels, &n) == DETOX_REFUSED)
		return DETOX_REFUSED;
	for (size_t i = 0; i < n; i++)
		if (rels[i].part == main->part &&
		    strcmp(rels[i].id, main->id) == 0)
			rels[i] = *main;
		else if (take_rel(x, "", &rels[i]) == DETOX_REFUSED)
			return DETOX_REFUSED;
	for (size_t i = 0; i < n; i++)
		if (rels[i].kept)
			rels[kept++] = rels[i];
	x->roots = rels;
	x->roots_n = kept;
	return DETOX_REBUILT;
}

static void
report_strays(struct ooxml *x)
{
	for (size_t i = 0; i < x->parts_n; i++) {
		struct part *p = &x->parts[i];
		struct bytes name = bytes_of(p->name);

		if (p->state == PART_UNSEEN && !p->reported &&
		    !package_entry(x->package, p->entry)->folder &&
		    !bytes_end_with(name, BYTES(".rels")))
			part_drop(x, p, stray_kind(p->name));
	}
}

enum detox_result
graph_walk(struct ooxml *x)
{
	list_parts(x);
	if (load_types(x) == DETOX_REFUSED || take_main(x) == DETOX_REFUSED ||
	    take_roots(x) == DETOX_REFUSED)
		return DETOX_REFUSED;
	for (struct part *p = x->first; p != NULL; p = p->next) {
		if (p->kind->treatment != TREAT_XML)
			continue;
		if (load_rels(x, p->name, &p->rels, &p->rels_n) ==
			DETOX_REFUSED ||
		    take_rels(x, p->name, p->rels, p->rels_n) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	report_strays(x);
	return detox_is_over(x->d) ? DETOX_REFUSED : DETOX_REBUILT;
}
