/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xmlfile: files that are XML: pictures of SVG, by filters/svg; packages of
 * Office in one file, as the packages that they are; and all others, of which
 * is left out what some reader of them runs, loads or sends. A declaration of
 * the document type is left out, and the plain entities that drawing programs
 * declare in it are put in place.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format svg_format, xml_format;
