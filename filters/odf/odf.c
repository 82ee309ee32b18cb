/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/odf.h"
#include "filters/words/words.h"

#include "filters/odf/inside.h"

#define MEDIA ODF_MEDIA

/* Databases are not among them: they are connections and queries. */
static const char *const types[] = { MEDIA "text", MEDIA "text-template",
	MEDIA "text-master", MEDIA "text-master-template", MEDIA "text-web",
	MEDIA "spreadsheet", MEDIA "spreadsheet-template", MEDIA "presentation",
	MEDIA "presentation-template", MEDIA "graphics",
	MEDIA "graphics-template", MEDIA "chart", MEDIA "chart-template",
	MEDIA "formula", MEDIA "formula-template", MEDIA "image",
	MEDIA "image-template" };

/* Of an embedded document, by what its body holds. */
static const struct {
	const char *body;
	const char *type;
} bodies[] = {
	{ "chart", MEDIA "chart" },
	{ "drawing", MEDIA "graphics" },
	{ "image", MEDIA "image" },
	{ "presentation", MEDIA "presentation" },
	{ "spreadsheet", MEDIA "spreadsheet" },
	{ "text", MEDIA "text" },
};

/* What OpenOffice.org put before formulas; nothing is declared in it. */
static const char old_math[] =
    "<!DOCTYPE math:math PUBLIC \"-//OpenOffice.org//DTD Modified W3C MathML"
    " 1.01//EN\" \"math.dtd\">";

static const xmlNode *
first_element(const xmlNode *parent, const char *name)
{
	for (const xmlNode *n = parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    (name == NULL ||
			(strcmp((const char *)n->name, name) == 0 &&
			    odf_space_of(n->ns) == SPACE_OFFICE)))
			return n;
	return NULL;
}

static const char *
type_of(const xmlNode *root)
{
	const xmlNode *n = first_element(root, "body");

	if (odf_space_of(root->ns) == SPACE_MATH)
		return MEDIA "formula";
	n = n == NULL ? NULL : first_element(n, NULL);
	for (size_t i = 0; n != NULL && i < COUNT(bodies); i++)
		if (strcmp((const char *)n->name, bodies[i].body) == 0)
			return bodies[i].type;
	return MEDIA "text";
}

/* It is ours to keep: the tree ends before the manifest is written. */
static void
note_content(struct odf *o, struct odf_part *part, const xmlNode *root)
{
	part->of = type_of(root);
	if (part->prefix[0] != '\0')
		return;
	for (const xmlAttr *a = root->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, "version") == 0 &&
		    a->children != NULL && a->children->content != NULL)
			o->version = arena_printf(&o->d->arena, "%.8s",
			    (const char *)a->children->content);
}

/* A root that the part must have, so that no reader takes it for another. */
static bool
is_good_root(const xmlNode *root, const char *leaf)
{
	char name[64];

	snprintf(
	    name, sizeof(name), "document-%.*s", (int)strcspn(leaf, "."), leaf);
	if (odf_space_of(root->ns) == SPACE_MATH)
		return strcmp(leaf, "content.xml") == 0;
	return odf_space_of(root->ns) == SPACE_OFFICE &&
	    strcmp((const char *)root->name, name) == 0;
}

/* A document is shown without its settings, but not without the rest. */
static enum detox_result
leave_part_out(struct odf *o, struct odf_part *part, const char *leaf)
{
	if (strcmp(leaf, "settings.xml") != 0)
		return detox_refuse(o->d, REFUSED_BROKEN,
		    "a part's XML is not that of its name");
	detox_removed(o->d, REMOVED_DAMAGED, part->name, (struct bytes){ 0 });
	part->name = NULL;
	return DETOX_REBUILT;
}

static enum detox_result
rebuild_tree(struct odf *o, struct odf_part *part, xmlDoc *doc)
{
	struct odf_walk w = {
		.o = o, .where = part->name, .prefix = part->prefix
	};
	xmlNode *root = xmlDocGetRootElement(doc);
	const char *leaf = part->name + strlen(part->prefix);
	enum detox_result result;
	struct buf text;

	if (!is_good_root(root, leaf))
		return leave_part_out(o, part, leaf);
	if (odf_walk(&w, doc) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (strcmp(leaf, "content.xml") == 0)
		note_content(o, part, root);
	result = xml_write(o->d, doc, &text);
	if (result == DETOX_REBUILT)
		result = package_add(o->d, o->writer, part->name,
		    buf_bytes(&text), PACKAGE_DEFLATED);
	buf_release(&text);
	return result;
}

void
odf_blank(struct buf *b, struct bytes what)
{
	uint8_t *at = memmem(b->p, b->n < 1024 ? b->n : 1024, what.p, what.n);

	if (at != NULL)
		memset(at, ' ', what.n);
}

static enum detox_result
rebuild_document(struct odf *o, size_t i)
{
	struct odf_part *part = &o->parts[i];
	bool is_content =
	    bytes_end_with(bytes_of(part->name), BYTES("content.xml"));
	enum detox_result result = DETOX_REFUSED;
	struct buf content;
	xmlDoc *doc;

	if (package_read(o->d, o->package, i, &content) == DETOX_REFUSED) {
		buf_release(&content);
		return detox_refuse(
		    o->d, REFUSED_BROKEN, "a part of it is damaged");
	}
	if (content.n == 0 && !is_content) {
		part->name = NULL;
		buf_release(&content);
		return DETOX_REBUILT;
	}
	if (is_content && part->prefix[0] != '\0')
		odf_blank(&content, bytes_of(old_math));
	doc = xml_read(o->d, buf_bytes(&content), part->name);
	buf_release(&content);
	if (doc != NULL)
		result = rebuild_tree(o, part, doc);
	xmlFreeDoc(doc);
	return result;
}

static enum detox_result
read_mimetype(struct odf *o)
{
	ssize_t i = package_find(o->package, "mimetype");
	struct buf content = { 0 };
	struct bytes b;

	if (i >= 0 &&
	    package_read(o->d, o->package, (size_t)i, &content) ==
		DETOX_REBUILT) {
		b = buf_bytes(&content);
		while (b.n > 0 && b.p[b.n - 1] <= ' ')
			b.n--;
		for (size_t t = 0; t < COUNT(types); t++)
			if (bytes_equal(b, bytes_of(types[t])))
				o->mimetype = types[t];
	}
	buf_release(&content);
	return o->mimetype != NULL
	    ? DETOX_REBUILT
	    : detox_refuse(o->d, REFUSED_TYPE,
		  "a package of OpenDocument of no known type");
}

/* Its parts are then noise; the word alone tells, in whatever syntax.
 * *manifest is made here. */
static bool
is_encrypted(struct odf *o, struct buf *manifest)
{
	ssize_t i = package_find(o->package, "META-INF/manifest.xml");

	buf_init(manifest, 0);
	return i >= 0 &&
	    package_read(o->d, o->package, (size_t)i, manifest) ==
	    DETOX_REBUILT &&
	    manifest->n > 0 &&
	    memmem(manifest->p, manifest->n, "encryption-data", 15) != NULL;
}

static enum detox_result
rebuild_parts(struct odf *o)
{
	if (!odf_has_document(o, BYTES("")))
		return detox_refuse(o->d, REFUSED_BROKEN,
		    "a package of OpenDocument without content.xml");
	if (package_add(o->d, o->writer, "mimetype", bytes_of(o->mimetype),
		PACKAGE_STORED) == DETOX_REFUSED ||
	    odf_take_parts(o) == DETOX_REFUSED)
		return DETOX_REFUSED;
	for (size_t i = 0; i < package_entries(o->package); i++)
		if (o->parts[i].is_document &&
		    rebuild_document(o, i) == DETOX_REFUSED)
			return DETOX_REFUSED;
	return odf_write_manifest(o);
}

static enum detox_result
rebuild_open(struct odf *f, struct detox_output *out)
{
	enum detox_result result = DETOX_REFUSED;

	f->writer = package_writer_new();
	if (read_mimetype(f) == DETOX_REBUILT &&
	    rebuild_parts(f) == DETOX_REBUILT)
		result = package_finish(f->d, f->writer, out);
	package_writer_free(f->writer);
	if (result == DETOX_REBUILT && f->d->profile->to_text)
		result = words_of_package(f->d, out);
	return result;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	struct odf f = { .d = d, .package = package_open(d, o->content) };
	enum detox_result result;
	struct buf manifest = { 0 };

	if (f.package == NULL)
		return DETOX_REFUSED;
	if (package_find(f.package, "encrypted-package") >= 0)
		result = detox_refuse(d, REFUSED_ENCRYPTED,
		    "it is encrypted in a way that is not read");
	else if (is_encrypted(&f, &manifest))
		result = odf_open(&f, &manifest, out);
	else
		result =
		    detox_is_over(d) ? DETOX_REFUSED : rebuild_open(&f, out);
	buf_release(&manifest);
	package_close(f.package);
	return result;
}

const struct detox_format odf_format = {
	.name = "odf",
	.types = MAGIC_BIT(MAGIC_ODF),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_ODF) | MAGIC_BIT(MAGIC_TEXT),
	.prepare = xml_prepare,
};
