/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xmlfile/xmlfile.h"

#include "filters/html/html.h"
#include "filters/html/words.h"
#include "filters/svg/svg.h"
#include "filters/xml/scan.h"
#include "filters/xml/xml.h"
#include "filters/xmlfile/doctype.h"
#include "filters/xmlfile/flat.h"
#include "filters/xmlfile/rules.h"

#define OPENDOCUMENT "urn:oasis:names:tc:opendocument:xmlns:office:1.0"

static const char names[] =
    " xml xsl xslt rss atom kml gml rdf xsd wsdl plist fodt fods fodp fodg xmp"
    " xlf xliff opf ncx ";

/* A browser reads a page where the name says so, however it begins. */
static bool
takes_svg(const struct detox_object *o)
{
	struct bytes extension = detox_extension(o->name);

	return words_have(" svg ", extension) ||
	    (magic_type_of(o->content, true) == MAGIC_SVG &&
		!words_have(" html htm xhtml xht shtml ", extension));
}

/* What a reader opens by its name is XML, whatever it begins with. */
static bool
takes_xml(const struct detox_object *o)
{
	struct bytes declared = o->declared;

	if (magic_type_of(o->content, true) == MAGIC_XML ||
	    words_have(names, detox_extension(o->name)))
		return true;
	declared = bytes_trim(bytes_take_until(&declared, ';'));
	return bytes_end_with(declared, BYTES("+xml")) ||
	    bytes_end_with(declared, BYTES("/xml"));
}

static xmlDoc *
read_file(struct detox *d, struct bytes content)
{
	struct buf room, plain;
	struct bytes text;
	xmlDoc *doc = NULL;

	buf_init(&plain, 0);
	if (xml_to_utf8(d, content, &room, &text) == DETOX_REBUILT &&
	    doctype_take_out(d, text, &plain) == DETOX_REBUILT)
		doc = xml_read(d, buf_bytes(&plain), "xml");
	buf_release(&plain);
	buf_release(&room);
	return doc;
}

/* What nobody reads. */
static const char unread[] =
    " script style metadata bindata binary-data docoledata docsuppdata ";

static uint64_t
count_text(const xmlNode *n)
{
	uint64_t count = 0;

	for (const xmlNode *child = n->children; child != NULL;
	     child = child->next) {
		const xmlChar *p = child->content;

		if (child->type == XML_ELEMENT_NODE &&
		    !words_have(unread, bytes_of((const char *)child->name)))
			count += count_text(child);
		for (; child->type == XML_TEXT_NODE && p != NULL && *p != '\0';
		     p++)
			count += *p > ' ' && (*p & 0xc0) != 0x80;
	}
	return count;
}

/* A line for each element's text. */
static enum detox_result
put_lines(struct detox *d, const xmlNode *n, struct detox_output *out)
{
	for (const xmlNode *child = n->children; child != NULL;
	     child = child->next) {
		struct bytes text = { 0 };

		if (child->type == XML_ELEMENT_NODE &&
		    !words_have(unread, bytes_of((const char *)child->name)) &&
		    put_lines(d, child, out) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (child->type == XML_TEXT_NODE)
			text = bytes_of((const char *)child->content);
		while (text.n > 0 && text.p[0] <= ' ')
			bytes_take(&text, 1);
		while (text.n > 0 && text.p[text.n - 1] <= ' ')
			text.n--;
		if (text.n > 0 &&
		    (detox_put(d, out, text) == DETOX_REFUSED ||
			detox_put(d, out, BYTES("\n")) == DETOX_REFUSED))
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}

static enum detox_result
put_document(struct detox *d, xmlDoc *doc, struct detox_output *out)
{
	struct buf text;
	enum detox_result result;

	if (d->profile->to_text) {
		out->extension = "txt";
		return put_lines(d, xmlDocGetRootElement(doc), out);
	}
	result = xml_write(d, doc, &text);
	if (result == DETOX_REBUILT)
		result = detox_put(d, out, buf_bytes(&text));
	buf_release(&text);
	return result;
}

static bool
is_svg(const xmlNode *root)
{
	return xml_is(root, SVG_NAMESPACE, "svg") ||
	    (root->ns == NULL && xml_is(root, NULL, "svg"));
}

static enum detox_result
clean(struct detox *d, xmlNode *root)
{
	return is_svg(root) ? svg_clean(d, root) : rules_clean(d, root);
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	xmlDoc *doc = read_file(d, o->content);
	enum detox_result result;
	xmlNode *root;
	uint64_t before;

	if (doc == NULL)
		return DETOX_REFUSED;
	root = xmlDocGetRootElement(doc);
	if (xml_is(root, OPENDOCUMENT, "document")) {
		/* What begins as it should has a format of its own. */
		result = detox_refuse(
		    d, REFUSED_TYPE, "OpenDocument that does not begin as one");
	} else if (flat_is(root)) {
		result = flat_rebuild(d, root, out);
	} else if (xml_is(root, NULL, "html")) {
		result = html_format.rebuild(d, o, out);
	} else {
		before = count_text(root);
		result = clean(d, root);
		if (result == DETOX_REBUILT)
			result = put_document(d, doc, out);
		detox_text(d, before, count_text(root));
	}
	xmlFreeDoc(doc);
	return result;
}

const struct detox_format svg_format = {
	.name = "svg",
	.types = MAGIC_BIT(MAGIC_SVG) | MAGIC_BIT(MAGIC_XML) |
	    MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_TEXT),
	.takes = takes_svg,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_SVG) | MAGIC_BIT(MAGIC_XML) |
	    MAGIC_BIT(MAGIC_TEXT) | MAGIC_BIT(MAGIC_HTML),
	.prepare = xml_prepare,
};

const struct detox_format xml_format = {
	.name = "xml",
	.types = MAGIC_BIT(MAGIC_XML) | MAGIC_BIT(MAGIC_SVG) |
	    MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_TEXT),
	.takes = takes_xml,
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_SVG) | MAGIC_BIT(MAGIC_XML) |
	    MAGIC_BIT(MAGIC_TEXT) | MAGIC_BIT(MAGIC_HTML) |
	    MAGIC_BIT(MAGIC_OOXML),
	.prepare = xml_prepare,
};
