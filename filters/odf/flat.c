/* SPDX-License-Identifier: Apache-2.0 */
/* flat: a document that is one XML file (OpenDocument 1.3 part 3, 3.1.2), of
 * which the same stays as of a package's parts. */
#include "filters/odf/inside.h"

#define HEAD_MAX 32768 /* a root declares some fifty namespaces */

static bool
takes(const struct detox_object *o)
{
	struct bytes head = o->content;

	head = bytes_take(&head, HEAD_MAX);
	return head.n > 0 &&
	    memmem(head.p, head.n, ODF_OFFICE, strlen(ODF_OFFICE)) != NULL &&
	    memmem(head.p, head.n, ODF_MEDIA, strlen(ODF_MEDIA)) != NULL;
}

/* It has no package, and so no parts. */
static enum detox_result
rebuild_tree(struct detox *d, xmlDoc *doc, struct detox_output *out)
{
	struct odf f = { .d = d };
	struct odf_walk w = { .o = &f, .where = "document", .prefix = "" };
	xmlNode *root = xmlDocGetRootElement(doc);
	enum detox_result result;
	struct buf text;

	if (odf_space_of(root->ns) != SPACE_OFFICE ||
	    strcmp((const char *)root->name, "document") != 0)
		return detox_refuse(
		    d, REFUSED_BROKEN, "no document of OpenDocument");
	result = odf_walk(&w, doc);
	if (result == DETOX_REFUSED)
		return DETOX_REFUSED;
	result = xml_write(d, doc, &text);
	if (result == DETOX_REBUILT)
		result = detox_put(d, out, buf_bytes(&text));
	buf_release(&text);
	return result;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	xmlDoc *doc = xml_read(d, o->content, "document");
	enum detox_result result = DETOX_REFUSED;

	if (doc != NULL)
		result = rebuild_tree(d, doc, out);
	xmlFreeDoc(doc);
	return result;
}

const struct detox_format odf_flat_format = {
	.name = "fodf",
	.types = MAGIC_BIT(MAGIC_XML),
	.takes = takes,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_XML),
	.prepare = xml_prepare,
};
