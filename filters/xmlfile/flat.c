/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/flat.h"

#include "filters/html/base64.h"
#include "filters/package/package.h"
#include "filters/xml/xml.h"

#define PKG "http://schemas.microsoft.com/office/2006/xmlPackage"
#define TYPES "http://schemas.openxmlformats.org/package/2006/content-types"

struct flat {
	struct detox *d;
	struct package_writer *package;
	struct buf types; /* [Content_Types].xml */
	const char *extension;
};

bool
flat_is(const xmlNode *root)
{
	return xml_is(root, PKG, "package");
}

static enum detox_result
too_large(struct detox *d)
{
	return detox_refuse(d, REFUSED_SIZE, "a part is too large");
}

static int
put_value(struct buf *out, const char *key, const xmlChar *value)
{
	xmlChar *escaped = xmlEncodeSpecialChars(NULL, value);
	int result = buf_printf(out, " %s=\"%s\"", key, (const char *)escaped);

	xmlFree(escaped);
	return result;
}

static enum detox_result
add_type(struct flat *f, const xmlChar *name, const xmlChar *type)
{
	if (buf_append(&f->types, BYTES("<Override")) < 0 ||
	    put_value(&f->types, "PartName", name) < 0 ||
	    put_value(&f->types, "ContentType", type) < 0 ||
	    buf_append(&f->types, BYTES("/>")) < 0)
		return too_large(f->d);
	return DETOX_REBUILT;
}

static xmlNode *
first_element(const xmlNode *parent)
{
	xmlNode *n = parent == NULL ? NULL : parent->children;

	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

static enum detox_result
add_xml(struct flat *f, const char *name, const xmlNode *data)
{
	xmlNode *root = first_element(data);
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *copy;
	struct buf text;
	enum detox_result result = DETOX_REFUSED;

	must(doc != NULL);
	buf_init(&text, 0);
	if (root == NULL) {
		result = detox_refuse(f->d, REFUSED_BROKEN, "an empty part");
		goto free_doc;
	}
	copy = xmlDocCopyNode(root, doc, 1);
	if (copy == NULL)
		goto free_doc;
	xmlDocSetRootElement(doc, copy);
	/* With the namespaces that are declared around it. */
	if (xmlReconciliateNs(doc, copy) < 0)
		goto free_doc;
	result = xml_write(f->d, doc, &text);
	if (result == DETOX_REBUILT)
		result = package_add(
		    f->d, f->package, name, buf_bytes(&text), PACKAGE_DEFLATED);
free_doc:
	buf_release(&text);
	xmlFreeDoc(doc);
	return result;
}

static enum detox_result
add_binary(struct flat *f, const char *name, const xmlNode *data)
{
	xmlChar *text = xmlNodeGetContent(data);
	struct bytes letters = bytes_of((const char *)text);
	struct buf content;
	enum detox_result result;

	buf_init(&content, letters.n + 4);
	if (base64_decode(letters, &content) < 0)
		result = detox_refuse(
		    f->d, REFUSED_BROKEN, "a part that is not base64");
	else
		result = package_add(f->d, f->package, name,
		    buf_bytes(&content), PACKAGE_DEFLATED);
	buf_release(&content);
	xmlFree(text);
	return result;
}

static enum detox_result
add_content(struct flat *f, const char *name, const xmlNode *part)
{
	const xmlNode *data = first_element(part);

	if (data != NULL && xml_is(data, PKG, "xmlData"))
		return add_xml(f, name, data);
	if (data != NULL && xml_is(data, PKG, "binaryData"))
		return add_binary(f, name, data);
	return detox_refuse(f->d, REFUSED_BROKEN, "a part without content");
}

/* By the folder that its parts are in. */
static void
note_kind(struct flat *f, struct bytes name)
{
	if (bytes_start_with(name, BYTES("/ppt/")))
		f->extension = "pptx";
	else if (bytes_start_with(name, BYTES("/xl/")))
		f->extension = "xlsx";
	else if (bytes_start_with(name, BYTES("/word/")))
		f->extension = "docx";
}

static enum detox_result
add_part(struct flat *f, const xmlNode *part)
{
	xmlChar *name =
	    xmlGetNsProp(part, (const xmlChar *)"name", (const xmlChar *)PKG);
	xmlChar *type = xmlGetNsProp(
	    part, (const xmlChar *)"contentType", (const xmlChar *)PKG);
	enum detox_result result;

	if (name == NULL || type == NULL || name[0] != '/')
		result = detox_refuse(
		    f->d, REFUSED_BROKEN, "a part without name or type");
	else if (detox_entry(f->d) == DETOX_REFUSED ||
	    add_type(f, name, type) == DETOX_REFUSED)
		result = DETOX_REFUSED;
	else
		result = add_content(f, (const char *)name + 1, part);
	if (name != NULL)
		note_kind(f, bytes_of((const char *)name));
	xmlFree(name);
	xmlFree(type);
	return result;
}

static enum detox_result
add_parts(struct flat *f, const xmlNode *root)
{
	if (buf_append(&f->types,
		BYTES("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		      "<Types xmlns=\"" TYPES "\">")) < 0)
		return too_large(f->d);
	for (const xmlNode *n = root->children; n != NULL; n = n->next)
		if (xml_is(n, PKG, "part") && add_part(f, n) == DETOX_REFUSED)
			return DETOX_REFUSED;
	if (buf_append(&f->types, BYTES("</Types>")) < 0)
		return too_large(f->d);
	return package_add(f->d, f->package, "[Content_Types].xml",
	    buf_bytes(&f->types), PACKAGE_DEFLATED);
}

enum detox_result
flat_rebuild(struct detox *d, const xmlNode *root, struct detox_output *out)
{
	struct flat f = {
		.d = d, .package = package_writer_new(), .extension = "docx"
	};
	struct detox_output zip = { 0 }, inner = { 0 };
	struct detox_object o = { 0 };
	enum detox_result result;

	buf_init(&f.types, d->profile->out_max);
	buf_init(&zip.content, d->profile->out_max);
	result = add_parts(&f, root);
	if (result == DETOX_REBUILT)
		result = package_finish(d, f.package, &zip);
	if (result == DETOX_REBUILT) {
		o.content = buf_bytes(&zip.content);
		result = detox_inside(d, "package", &o, &inner);
		if (result == DETOX_REFUSED)
			detox_refuse(d, REFUSED_TYPE,
			    "the package in it cannot be rebuilt");
		else
			result = detox_put(d, out, buf_bytes(&inner.content));
		out->extension =
		    inner.extension != NULL ? inner.extension : f.extension;
		buf_release(&inner.content);
	}
	buf_release(&zip.content);
	buf_release(&f.types);
	package_writer_free(f.package);
	return result;
}
