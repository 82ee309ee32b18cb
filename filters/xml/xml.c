/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml.h"

#include <libxml/parser.h>

#include "filters/text/charset.h"
#include "filters/xml/memory.h"
#include "filters/xml/scan.h"

/* Of prefixes declared in elements that are open: the parser looks them
 * through for each name. Writers of office documents come to some 60. */
#define NAMESPACES_MAX 512

/* Bytes of all names together, which the parser keeps in a table that does not
 * grow beyond some ten thousand rows. */
#define NAMES_MAX ((size_t)512 << 10)

/* What the parser's own calls are told of. */
struct job {
	struct detox *d;
	const char *where;
	startDocumentSAXFunc begin;
	startElementNsSAX2Func start;
	bool has_unbound, has_bad_names;
};

static void
begin(void *context)
{
	xmlParserCtxt *p = context;
	const struct job *j = p->_private;

	xmlDictSetLimit(p->dict, NAMES_MAX);
	j->begin(context);
}

/* Where its table is full, the parser takes a name whose prefix nobody declared
 * without that: another one, which the tree and a reader may judge apart. */
static bool
keeps_prefixes(xmlParserCtxt *p, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int attributes_n, const xmlChar **attributes)
{
	if (prefix != NULL && uri == NULL &&
	    xmlDictQLookup(p->dict, prefix, name) == NULL)
		return false;
	for (const xmlChar **a = attributes; attributes_n > 0;
	     attributes_n--, a += 5)
		if (a[1] != NULL && a[2] == NULL &&
		    xmlDictQLookup(p->dict, a[1], a[0]) == NULL)
			return false;
	return true;
}

static void
start(void *context, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int namespaces_n, const xmlChar **namespaces,
    int attributes_n, int defaulted_n, const xmlChar **attributes)
{
	xmlParserCtxt *p = context;
	struct job *j = p->_private;

	if (p->nodeNr >= XML_DEPTH_MAX) {
		detox_refuse(j->d, REFUSED_DEPTH,
		    "XML elements are nested more than %d deep", XML_DEPTH_MAX);
		xmlStopParser(p);
		return;
	}
	if (p->nsNr / 2 > NAMESPACES_MAX) {
		detox_refuse(j->d, REFUSED_BROKEN,
		    "XML with more than %d namespaces", NAMESPACES_MAX);
		xmlStopParser(p);
		return;
	}
	if (!keeps_prefixes(p, name, prefix, uri, attributes_n, attributes)) {
		detox_refuse(
		    j->d, REFUSED_BROKEN, "XML whose names take too much room");
		xmlStopParser(p);
		return;
	}
	j->start(context, name, prefix, uri, namespaces_n, namespaces,
	    attributes_n, defaulted_n, attributes);
}

static void
refuse_subset(void *context, const xmlChar *name, const xmlChar *public_id,
    const xmlChar *system_id)
{
	xmlParserCtxt *p = context;
	struct job *j = p->_private;

	(void)name;
	(void)public_id;
	(void)system_id;
	detox_refuse(j->d, REFUSED_ENTITY, "XML that declares a document type");
	xmlStopParser(p);
}

/* They do not come into the tree; what would be obeyed is told of. */
static void
leave_instruction_out(void *context, const xmlChar *target, const xmlChar *data)
{
	const struct job *j = ((xmlParserCtxt *)context)->_private;

	(void)data;
	if (xmlStrcasecmp(target, (const xmlChar *)"xml-stylesheet") == 0)
		detox_removed(
		    j->d, REMOVED_EXTERNAL, j->where, (struct bytes){ 0 });
}

/* A prefix that nobody declared is left out with what has it; of all else that
 * is wrong with namespaces, readers make different things. */
static void
hear_error(void *context, xmlError *error)
{
	xmlParserCtxt *p = error->ctxt;
	struct job *j = p->_private;

	(void)context;
	if (error->domain != XML_FROM_NAMESPACE ||
	    error->level == XML_ERR_WARNING)
		return;
	if (error->code == XML_NS_ERR_UNDEFINED_NAMESPACE)
		j->has_unbound = true;
	else
		j->has_bad_names = true;
}

static bool
is_unbound(const xmlNs *ns, const xmlChar *name)
{
	return ns == NULL && xmlStrchr(name, ':') != NULL;
}

static bool
is_good(const struct job *j, const xmlParserCtxt *p, const xmlDoc *doc)
{
	const xmlNode *root = xmlDocGetRootElement(doc);

	return doc != NULL && p->wellFormed && !j->has_bad_names &&
	    root != NULL && !is_unbound(root->ns, root->name);
}

static xmlDoc *
parse(struct job *j, struct bytes text)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR |
	    XML_PARSE_NOWARNING | XML_PARSE_COMPACT | XML_PARSE_NOCDATA |
	    XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC;
	xmlParserCtxt *p = xmlNewParserCtxt();
	xmlDoc *doc;

	must(p != NULL);
	j->begin = p->sax->startDocument;
	j->start = p->sax->startElementNs;
	p->_private = j;
	p->sax->startDocument = begin;
	p->sax->startElementNs = start;
	p->sax->internalSubset = refuse_subset;
	p->sax->externalSubset = refuse_subset;
	p->sax->serror = hear_error;
	p->sax->comment = NULL;
	p->sax->processingInstruction = leave_instruction_out;
	doc = xmlCtxtReadMemory(
	    p, (const char *)text.p, (int)text.n, NULL, "UTF-8", options);
	if (!is_good(j, p, doc) || detox_is_over(j->d)) {
		detox_refuse(j->d,
		    p->errNo == XML_ERR_NO_MEMORY ? REFUSED_MEMORY
						  : REFUSED_BROKEN,
		    "XML is not well-formed (error %d)", p->errNo);
		xmlFreeDoc(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(p);
	return doc;
}

static bool
is_include(const xmlNode *n)
{
	return xml_is(n, "http://www.w3.org/2001/XInclude", NULL) ||
	    xml_is(n, "http://www.w3.org/2003/XInclude", NULL);
}

/* What includes other files is left out. As deep as XML_DEPTH_MAX. */
static void
drop_includes(const struct job *j, xmlNode *parent)
{
	xmlNode *n = parent->children;

	while (n != NULL) {
		if (is_include(n)) {
			detox_removed(j->d, REMOVED_EXTERNAL, j->where,
			    (struct bytes){ 0 });
			n = xml_drop(n);
			continue;
		}
		drop_includes(j, n);
		n = n->next;
	}
}

/* What has a prefix that nobody declared is left out. As deep as
 * XML_DEPTH_MAX. */
static void
drop_unbound(const struct job *j, xmlNode *parent)
{
	xmlAttr *a = parent->properties, *next;
	xmlNode *n = parent->children;

	for (; a != NULL; a = next) {
		next = a->next;
		if (!is_unbound(a->ns, a->name))
			continue;
		detox_removed(
		    j->d, REMOVED_UNKNOWN, j->where, (struct bytes){ 0 });
		xmlRemoveProp(a);
	}
	while (n != NULL) {
		if (n->type != XML_ELEMENT_NODE) {
			n = n->next;
		} else if (is_unbound(n->ns, n->name)) {
			detox_removed(j->d, REMOVED_UNKNOWN, j->where,
			    (struct bytes){ 0 });
			n = xml_drop(n);
		} else {
			drop_unbound(j, n);
			n = n->next;
		}
	}
}

xmlDoc *
xml_read(struct detox *d, struct bytes content, const char *where)
{
	struct job j = { .d = d, .where = where };
	struct buf utf8;
	struct bytes text;
	xmlDoc *doc = NULL;

	if (xml_to_utf8(d, content, &utf8, &text) == DETOX_REBUILT &&
	    xml_scan(d, text) == DETOX_REBUILT)
		doc = parse(&j, text);
	if (doc != NULL && memmem(text.p, text.n, "XInclude", 8) != NULL)
		drop_includes(&j, xmlDocGetRootElement(doc));
	if (doc != NULL && j.has_unbound)
		drop_unbound(&j, xmlDocGetRootElement(doc));
	buf_release(&utf8);
	return doc;
}

xmlNode *
xml_drop(xmlNode *n)
{
	xmlNode *next = n->next;

	xmlUnlinkNode(n);
	xmlFreeNode(n);
	return next;
}

bool
xml_is(const xmlNode *n, const char *ns, const char *name)
{
	if (n->type != XML_ELEMENT_NODE)
		return false;
	if (ns != NULL &&
	    (n->ns == NULL || xmlStrcmp(n->ns->href, (const xmlChar *)ns) != 0))
		return false;
	return name == NULL || xmlStrcmp(n->name, (const xmlChar *)name) == 0;
}

static xmlParserInput *
refuse_to_load(const char *url, const char *id, xmlParserCtxt *p)
{
	(void)url;
	(void)id;
	(void)p;
	return NULL;
}

static void
say_nothing(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

int
xml_prepare(struct err *e)
{
	static const char sample[] = "<a b='\xe6\x97\xa5'/>";
	xmlDoc *doc;
	xmlBuffer *room;

	xml_memory_prepare();
	xmlInitParser();
	room = xmlBufferCreate();
	xmlSetExternalEntityLoader(refuse_to_load);
	xmlSetGenericErrorFunc(NULL, say_nothing);
	doc = xmlReadMemory(
	    sample, sizeof(sample) - 1, NULL, "UTF-8", XML_PARSE_NONET);
	if (doc == NULL || room == NULL ||
	    xmlNodeDump(room, doc, doc->children, 0, 0) < 0)
		return err_set(e, "libxml2 does not work");
	xmlBufferFree(room);
	xmlFreeDoc(doc);
	return text_prepare(e);
}
