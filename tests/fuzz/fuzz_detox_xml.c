/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml.h"
#include "tests/fuzz/detox.h"

/* What is written reads again. */
static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	xmlDoc *doc = xml_read(d, o->content, "x");
	struct buf text = { 0 };

	(void)out;
	if (doc != NULL && xml_write(d, doc, &text) == DETOX_REBUILT) {
		xmlFreeDoc(doc);
		doc = xml_read(d, buf_bytes(&text), "x");
		must(doc != NULL);
	}
	buf_release(&text);
	xmlFreeDoc(doc);
	return DETOX_REFUSED;
}

static const struct detox_format xml_format = { .rebuild = rebuild };

FUZZ_DETOX(xml_format)
