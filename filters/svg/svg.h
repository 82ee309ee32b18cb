/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg: pictures of SVG in libxml2's tree, kept by allowlist. They run nothing
 * and load nothing from outside; pictures in them are rebuilt.
 */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

#define SVG_NAMESPACE "http://www.w3.org/2000/svg"

/* An element of SVG within any document, with all it holds, in place.
 * DETOX_REFUSED: *d says why. */
enum detox_result svg_clean(struct detox *d, xmlNode *svg) MUST_CHECK;
