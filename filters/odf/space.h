/* SPDX-License-Identifier: Apache-2.0 */
/* space: the namespaces that a document of OpenDocument may use. */
#pragma once

#include <libxml/tree.h>

enum odf_space {
	SPACE_UNKNOWN = 0, /* also what is in none */
	SPACE_XML,
	SPACE_ANIM,
	SPACE_CHART,
	SPACE_CONFIG,
	SPACE_DC,
	SPACE_DR3D,
	SPACE_DRAW,
	SPACE_EXTENSION, /* of LibreOffice and its kin, harmless by name */
	SPACE_CALCEXT,
	SPACE_FIELD,
	SPACE_FO,
	SPACE_FORM,
	SPACE_MATH,
	SPACE_META,
	SPACE_NUMBER,
	SPACE_OFFICE,
	SPACE_PRESENTATION,
	SPACE_SCRIPT,
	SPACE_SMIL,
	SPACE_STYLE,
	SPACE_SVG,
	SPACE_TABLE,
	SPACE_TEXT,
	SPACE_XFORMS,
	SPACE_XLINK,
	SPACE_RDFA, /* xhtml, grddl: says nothing to a reader */
};

enum odf_space odf_space_of(xmlNs *ns);
