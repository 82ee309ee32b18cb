/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/space.h"

#include <string.h>

#include "proxy/base/macros.h"

#define OASIS "urn:oasis:names:tc:opendocument:xmlns:"
#define TDF "urn:org:documentfoundation:names:experimental:"

static const struct space {
	const char *uri;
	enum odf_space space;
} spaces[] = {
	{ "http://www.w3.org/XML/1998/namespace", SPACE_XML },
	{ OASIS "animation:1.0", SPACE_ANIM },
	{ OASIS "chart:1.0", SPACE_CHART },
	{ OASIS "config:1.0", SPACE_CONFIG },
	{ OASIS "datastyle:1.0", SPACE_NUMBER },
	{ OASIS "dr3d:1.0", SPACE_DR3D },
	{ OASIS "drawing:1.0", SPACE_DRAW },
	{ OASIS "form:1.0", SPACE_FORM },
	{ OASIS "meta:1.0", SPACE_META },
	{ OASIS "of:1.2", SPACE_EXTENSION },
	{ OASIS "office:1.0", SPACE_OFFICE },
	{ OASIS "presentation:1.0", SPACE_PRESENTATION },
	{ OASIS "script:1.0", SPACE_SCRIPT },
	{ OASIS "smil-compatible:1.0", SPACE_SMIL },
	{ OASIS "style:1.0", SPACE_STYLE },
	{ OASIS "svg-compatible:1.0", SPACE_SVG },
	{ OASIS "table:1.0", SPACE_TABLE },
	{ OASIS "text:1.0", SPACE_TEXT },
	{ OASIS "xsl-fo-compatible:1.0", SPACE_FO },
	{ TDF "calc:xmlns:calcext:1.0", SPACE_CALCEXT },
	{ TDF "calcext:1.0", SPACE_CALCEXT }, /* before 4.2 */
	{ TDF "office:xmlns:loext:1.0", SPACE_EXTENSION },
	{ "urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0",
	    SPACE_FIELD },
	{ "urn:openoffice:names:experimental:ooxml-odf-interop:xmlns:form:1.0",
	    SPACE_FORM },
	{ "http://openoffice.org/2004/calc", SPACE_EXTENSION },
	{ "http://openoffice.org/2004/office", SPACE_EXTENSION },
	{ "http://openoffice.org/2004/writer", SPACE_EXTENSION },
	{ "http://openoffice.org/2009/office", SPACE_EXTENSION },
	{ "http://openoffice.org/2009/table", SPACE_EXTENSION },
	{ "http://openoffice.org/2010/chart", SPACE_EXTENSION },
	{ "http://openoffice.org/2010/draw", SPACE_EXTENSION },
	/* As the first drafts had them, which LibreOffice still reads. */
	{ "http://www.w3.org/1999/XSL/Format", SPACE_FO },
	{ "http://www.w3.org/2000/svg", SPACE_SVG },
	{ "http://www.w3.org/2001/SMIL20", SPACE_SMIL },
	{ "http://www.w3.org/2001/SMIL20/", SPACE_SMIL },
	{ "http://purl.org/dc/elements/1.1/", SPACE_DC },
	{ "http://www.w3.org/1998/Math/MathML", SPACE_MATH },
	{ "http://www.w3.org/1999/xhtml", SPACE_RDFA },
	{ "http://www.w3.org/1999/xlink", SPACE_XLINK },
	{ "http://www.w3.org/2002/xforms", SPACE_XFORMS },
	{ "http://www.w3.org/2003/g/data-view#", SPACE_RDFA },
	{ "http://www.w3.org/TR/css3-text/", SPACE_EXTENSION },
};
static const struct space unknown = { "", SPACE_UNKNOWN };

static const struct space *
look_up(const xmlNs *ns)
{
	for (size_t i = 0; i < COUNT(spaces); i++)
		if (ns->href != NULL &&
		    strcmp((const char *)ns->href, spaces[i].uri) == 0)
			return &spaces[i];
	return &unknown;
}

/* Each declaration is looked up once: it remembers its row. */
enum odf_space
odf_space_of(xmlNs *ns)
{
	const struct space *s;

	if (ns == NULL)
		return SPACE_UNKNOWN;
	if (ns->_private == NULL) {
		s = look_up(ns);
		memcpy(&ns->_private, &s, sizeof(s));
	}
	return ((const struct space *)ns->_private)->space;
}
