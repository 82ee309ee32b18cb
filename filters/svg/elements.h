/* SPDX-License-Identifier: Apache-2.0 */
/* elements: what becomes of each element and attribute of SVG
 * (https://www.w3.org/TR/SVG2/, and 1.1), in a file or within HTML. */
#pragma once

#include "filters/detox.h"
#include "filters/html/address.h"

enum svg_element {
	SVG_GOES = 0, /* with all that it holds */
	SVG_STAYS,
	SVG_STYLE,    /* a style sheet */
	SVG_WORDS,    /* <title>, <desc>: it holds text alone */
	SVG_ANIMATES, /* stays when svg_may_animate */
};

/* *what_out: for the report, when it goes; of DETOX_REMOVAL_KINDS nothing is
 * said. */
enum svg_element svg_element(struct bytes name, enum detox_removal *what_out);
/* Whether an attribute may be changed by an animation. */
bool svg_may_animate(struct bytes attribute);

enum svg_attribute {
	SVG_ATTRIBUTE_GOES = 0,
	SVG_ATTRIBUTE_STAYS,   /* its value was appended to out */
	SVG_ATTRIBUTE_REFUSED, /* the whole is */
};

/* name: without its prefix; "href" is that of XLink too. */
enum svg_attribute svg_attribute(const struct address *a, struct bytes element,
    struct bytes name, struct bytes value, struct buf *out) MUST_CHECK;
