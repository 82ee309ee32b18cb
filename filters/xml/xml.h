/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml: a document read strictly into libxml2's tree, and written anew.
 */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

#define XML_DEPTH_MAX 256
/* Bytes of one document; its tree has 30 times as many. */
#define XML_SIZE_MAX (64 << 20)

/*
 * Well-formed, without DOCTYPE, entities of its own, processing instructions
 * that are obeyed (xml-stylesheet) and xi:include; nested at most
 * XML_DEPTH_MAX; in UTF-8, UTF-16 or a charset of filters/text.
 * Nothing is fetched. NULL: refused (REFUSED_ENTITY, REFUSED_BROKEN, ...). The
 * caller frees it with xmlFreeDoc. where: for the words.
 */
xmlDoc *xml_read(struct detox *d, struct bytes content, const char *where);
/* As UTF-8 with its declaration, comments and processing instructions left out,
 * no formatting added. *out is made here; the caller releases it. */
enum detox_result xml_write(struct detox *d, const xmlDoc *doc, struct buf *out)
    MUST_CHECK;
/* Takes the element out with all it holds, and frees it. Gives what followed.
 */
xmlNode *xml_drop(xmlNode *n);
/* Whether it is an element of that name in that namespace (NULL: any). */
bool xml_is(const xmlNode *n, const char *ns, const char *name);
/* For detox_format.prepare. */
int xml_prepare(struct err *e) MUST_CHECK;
