/* SPDX-License-Identifier: Apache-2.0 */
/* elements: what becomes of each element and attribute of HTML
 * (https://html.spec.whatwg.org/#toc-semantics). */
#pragma once

#include "filters/detox.h"

enum html_element {
	HTML_UNKNOWN = 0, /* what it holds stays */
	HTML_STAYS,
	HTML_VOID,  /* stays, and holds nothing */
	HTML_OPENS, /* what it holds stays */
	HTML_GOES,  /* with all that it holds */
	HTML_RENAMED,
	HTML_META,
	HTML_STYLE,
};

struct html_rule {
	enum html_element element;
	enum detox_removal what; /* for the report, of what does not stay */
	bool silent;             /* it is no threat */
	const char *as;          /* its new name */
};

const struct html_rule *html_rule(struct bytes name);

enum html_attribute {
	HTML_ATTRIBUTE_GOES = 0,
	HTML_ATTRIBUTE_LOADS, /* goes: it loads from outside */
	HTML_ATTRIBUTE_SENDS, /* goes: where a form is sent to */
	HTML_ATTRIBUTE_RUNS,  /* goes: a script */
	HTML_ATTRIBUTE_STAYS,
	HTML_ATTRIBUTE_LINK,    /* of an <a> */
	HTML_ATTRIBUTE_PICTURE, /* an address that is loaded */
	HTML_ATTRIBUTE_PLACE,   /* "#map" */
	HTML_ATTRIBUTE_STYLE,
	HTML_ATTRIBUTE_KIND, /* of an <input> or <button> */
};

/* name: as gumbo gives it, in small letters. */
enum html_attribute html_attribute(struct bytes element, struct bytes name);
